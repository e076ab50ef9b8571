/*  window.h - what is numbered in sequence, found by its number

    A ring of pointers indexed by the lower bits of the number: things that
    are made in order, and mostly go in order, lie side by side. A thing
    tells its number itself, so that a place costs 8 bytes, and the ring
    grows only when two meet in one place and it is nearly full. Otherwise
    the later of two goes into a hash table, so that a few long-lived ones,
    or numbers chosen to collide, do no harm.                               */

#ifndef TROUPE_CORE_WINDOW_H
#define TROUPE_CORE_WINDOW_H

#include "core/table.h"

/*  Zeroed is empty. Values are pointers, never NULL, owned by the caller; a
    value must keep its number, a uint64_t, for as long as it is in.        */
typedef struct {
    void **slots;
    size_t capacity;
    size_t count;               /*  in the ring                             */
    size_t number_at;           /*  where in a value its number is          */
    id_table_t others;
} window_t;

void *window_get (const window_t *window, uint64_t number);

/*  Adds; the number must not be there. Returns 0, or -1 when there is no
    memory.                                                                 */
int window_put (window_t *window, void *value);

/*  Takes out; returns the value, or NULL.                                  */
void *window_remove (window_t *window, uint64_t number);

/*  Walks: start with *cursor 0; NULL at the end. Nothing may be added or
    removed during a walk.                                                  */
void *window_next (const window_t *window, size_t *cursor);

/*  Frees the slots, not the values; the window is empty and usable.        */
void window_release (window_t *window);

#endif
