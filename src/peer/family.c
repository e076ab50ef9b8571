/*  family.c - what a call that runs here has submitted                     */

#include "peer/family.h"

#include <stdlib.h>

static troupe_future_t *
s_pending (const family_t *self, uint64_t sequence)
{
    troupe_future_t *future = future_find (self->peer, (tid_t){ self->peer->self, sequence });
    return future && future->state == FUTURE_PENDING ? future : NULL;
}

/*  Forgets those that are done; if most are not, makes more room.          */
static void
s_grow (family_t *self)
{
    size_t kept = 0;
    for (size_t index = 0; index < self->count; index++)
        if (s_pending (self, self->sequences [index]))
            self->sequences [kept++] = self->sequences [index];
    self->count = kept;
    if (2 * kept < self->capacity)
        return;
    size_t capacity = self->capacity ? 2 * self->capacity : 8;
    uint64_t *grown = realloc (self->sequences, capacity * sizeof *grown);
    if (!grown)
        return;
    self->sequences = grown;
    self->capacity = capacity;
}

void
family_add (family_t *self, const troupe_future_t *future)
{
    if (self->count == self->capacity)
        s_grow (self);
    if (self->count < self->capacity)
        self->sequences [self->count++] = future->sequence;
}

void
family_cancel (family_t *self)
{
    static const char text [] = "the call that submitted it was cancelled";
    family_t own = *self;
    *self = (family_t){ .peer = own.peer, .cancelled = true };
    for (size_t index = 0; index < own.count; index++) {
        troupe_future_t *future = s_pending (&own, own.sequences [index]);
        if (!future)
            continue;
        future_cancel (future);
        future_fail (future, TROUPE_ECANCELLED, text, sizeof text - 1, 0);
    }
    family_release (&own);
}

void
family_release (family_t *self)
{
    free (self->sequences);
    self->sequences = NULL;
    self->count = self->capacity = 0;
}
