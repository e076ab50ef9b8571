/*  agenda.c - a binary heap of events                                      */

#include "tests/agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool
s_before (const event_t *a, const event_t *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

void
agenda_add (agenda_t *self, event_t event)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 4096;
        self->events = realloc (self->events, self->capacity * sizeof event);
        assert_non_null (self->events);
    }
    event.order = ++self->added;
    size_t place = self->count++;
    while (place && s_before (&event, &self->events [(place - 1) / 2])) {
        self->events [place] = self->events [(place - 1) / 2];
        place = (place - 1) / 2;
    }
    self->events [place] = event;
}

event_t
agenda_take (agenda_t *self)
{
    event_t first = self->events [0];
    event_t last = self->events [--self->count];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < self->count; place = child) {
        if (child + 1 < self->count
            && s_before (&self->events [child + 1], &self->events [child]))
            child++;
        if (!s_before (&self->events [child], &last))
            break;
        self->events [place] = self->events [child];
    }
    self->events [place] = last;
    return first;
}

void
agenda_release (agenda_t *self)
{
    free (self->events);
    *self = (agenda_t){ 0 };
}
