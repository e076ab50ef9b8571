/*  window.h - what is numbered in sequence, found by its number

    A ring of slots indexed by the lower bits of the number: things that are
    made in order, and mostly go in order, lie side by side. Where two meet
    in one slot, the later one goes into a hash table instead, so that a few
    long-lived ones, or numbers chosen to collide, do no harm.              */

#ifndef TROUPE_CORE_WINDOW_H
#define TROUPE_CORE_WINDOW_H

#include "core/table.h"

typedef struct {
    uint64_t number;
    void *value;
} window_slot_t;

/*  Zeroed is empty. Values are pointers, never NULL, owned by the caller.  */
typedef struct {
    window_slot_t *slots;
    size_t capacity;
    size_t count;               /*  in the ring                             */
    id_table_t others;
} window_t;

void *window_get (const window_t *window, uint64_t number);

/*  Adds or replaces. Returns 0, or -1 when there is no memory.             */
int window_put (window_t *window, uint64_t number, void *value);

/*  Takes out; returns the value, or NULL.                                  */
void *window_remove (window_t *window, uint64_t number);

/*  Walks: start with *cursor 0; NULL at the end. Nothing may be added or
    removed during a walk.                                                  */
void *window_next (const window_t *window, size_t *cursor);

/*  Frees the slots, not the values; the window is empty and usable.        */
void window_release (window_t *window);

#endif
