/*  combine.c - futures of several futures: all, any                        */

#include "peer/future.h"

#include <stdlib.h>

/*  One of these for each combination, freed when the last part is done.    */
typedef struct {
    troupe_future_t *result;
    troupe_future_t **parts;    /*  all: each with a reference              */
    size_t count;
    size_t left;
    bool any;
} combination_t;

typedef struct {
    continuation_t base;
    combination_t *combination;
} part_t;

/*  The list of all values, in a buffer.                                    */
static void
s_complete_all (combination_t *self)
{
    bytes_t list = { 0 };
    int rc = value_put_array (&list, self->count);
    for (size_t index = 0; rc == 0 && index < self->count; index++)
        rc = value_copy (&list, self->parts [index]->data, self->parts [index]->size);
    if (rc || list.failed)
        future_fail (self->result, TROUPE_ENOMEM, "no memory for the list of values", 32, 0);
    else if (list.size > peer_value_max (self->result->peer))
        future_fail (self->result, TROUPE_ESIZE, "the list of values is too large", 31, 0);
    else {
        for (size_t index = 0; index < self->count; index++)
            future_share_objects (self->result, self->parts [index]);
        future_complete (self->result, list.data, list.size, NULL, 0);
    }
    bytes_release (&list);
}

static void
s_destroy (combination_t *self)
{
    for (size_t index = 0; self->parts && index < self->count; index++)
        if (self->parts [index])
            future_release (self->parts [index]);
    free (self->parts);
    future_release (self->result);
    free (self);
}

static void
s_part_done (continuation_t *base, troupe_future_t *done)
{
    combination_t *self = ((part_t *) base)->combination;
    free (base);
    bool last = --self->left == 0;
    bool failed = done->state == FUTURE_FAILED;
    if (self->any && !failed && self->result->state == FUTURE_PENDING)
        future_share_objects (self->result, done);
    if (self->any && !failed)
        future_complete (self->result, done->data, done->size, NULL, 0);
    else if (failed && (!self->any || last))
        future_fail (self->result, (troupe_error_t) done->code, (const char *) done->data,
                     done->size, 0);
    else if (last && !self->any && self->result->state == FUTURE_PENDING)
        s_complete_all (self);
    if (last)
        s_destroy (self);
}

static combination_t *
s_new (troupe_t *peer, troupe_future_t *const *futures, size_t count, bool any)
{
    combination_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->any = any;
    self->count = count;
    self->left = count;
    self->parts = calloc (count, sizeof *self->parts);
    self->result = self->parts ? future_new (peer, peer->self) : NULL;
    if (!self->result) {
        free (self->parts);
        free (self);
        return NULL;
    }
    self->result->local = true;
    for (size_t index = 0; index < count; index++)
        self->parts [index] = future_retain (futures [index]);
    return self;
}

/*  Allocates what each part needs before any of them can complete.         */
static part_t **
s_parts_new (combination_t *combination, size_t count)
{
    part_t **parts = calloc (count, sizeof *parts);
    for (size_t index = 0; parts && index < count; index++) {
        parts [index] = calloc (1, sizeof **parts);
        if (!parts [index]) {
            while (index--)
                free (parts [index]);
            free (parts);
            return NULL;
        }
        parts [index]->base.run = s_part_done;
        parts [index]->combination = combination;
    }
    return parts;
}

static troupe_future_t *
s_combine (troupe_t *peer, troupe_future_t *const *futures, size_t count, bool any)
{
    combination_t *self = s_new (peer, futures, count, any);
    part_t **parts = self ? s_parts_new (self, count) : NULL;
    if (!parts) {
        if (self)
            s_destroy (self);
        return NULL;
    }
    troupe_future_t *result = future_retain (self->result);
    /*  The reference that future_new made for the caller is the
        combination's; this one is the caller's.                            */
    for (size_t index = 0; index < count; index++)
        future_continue (futures [index], &parts [index]->base);
    free (parts);
    return result;
}

static troupe_future_t *
s_checked (troupe_future_t *const *futures, size_t count, bool any)
{
    const char *name = any ? "troupe_any" : "troupe_all";
    if (!futures || !count) {
        fault_raise (TROUPE_EINVAL, "%s: no futures", name);
        return NULL;
    }
    if (future_check_list (futures, count, name))
        return NULL;
    troupe_t *peer = futures [0]->peer;
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *result = s_combine (peer, futures, count, any);
    pthread_mutex_unlock (&peer->lock);
    if (!result)
        fault_raise (TROUPE_ENOMEM, "%s: no memory", name);
    return result;
}

troupe_future_t *
troupe_all (troupe_future_t *const *futures, size_t count)
{
    return s_checked (futures, count, false);
}

troupe_future_t *
troupe_any (troupe_future_t *const *futures, size_t count)
{
    return s_checked (futures, count, true);
}
