/*  stored.h - a value that an actor keeps: its encoding in memory of its own */

#ifndef ACTORS_STORED_H
#define ACTORS_STORED_H

#include <troupe.h>

/*  Zeroed is no value.                                                     */
typedef struct {
    void *data;
    size_t size;
} stored_t;

/*  Copies an argument of the call. Values that are equal, their maps in the
    same order, get equal encodings. Handles of actors and futures cannot be
    stored. Returns 0, or -1 with the fault noted in the call.              */
int stored_copy (troupe_call_t *call, troupe_view_t view, stored_t *stored);

/*  The value, as an argument or to be returned; borrowed.                  */
troupe_arg_t stored_arg (const stored_t *stored);

bool stored_same (const stored_t *a, const stored_t *b);

/*  Frees the memory; no value is left.                                     */
void stored_release (stored_t *stored);

#endif
