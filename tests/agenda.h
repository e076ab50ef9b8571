/*  agenda.h - what is to happen in a simulated world, by time, and at the same
    time in the order in which it was planned                               */

#ifndef TROUPE_TESTS_AGENDA_H
#define TROUPE_TESTS_AGENDA_H

#include "core/id.h"

#include <stddef.h>

/*  But for due and order, what the fields mean is the world's affair.      */
typedef struct {
    int64_t due;
    uint64_t order; /*  set by agenda_add                       */
    int type;
    uint32_t number;
    uint64_t who;
    uint64_t detail;
    tid_t id;
    void *data;
} event_t;

/*  Zeroed is empty.                                                        */
typedef struct {
    event_t *events; /*  a heap                                  */
    size_t count, capacity;
    uint64_t added;
} agenda_t;

/*  Fails the test that runs when there is no memory.                       */
void agenda_add (agenda_t *self, event_t event);

/*  Takes the next one out; there must be one.                              */
event_t agenda_take (agenda_t *self);

/*  Frees the events, not their data.                                       */
void agenda_release (agenda_t *self);

#endif
