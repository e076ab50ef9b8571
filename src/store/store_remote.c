/*  store_remote.c - what other stores ask of this one                       */

#include "store/store_private.h"

static int
s_serve (void *context, tid_t id, transfer_source_t *source)
{
    store_t *self = context;
    object_t *object = store_object (self, id);
    if (!object || (object->copy && object->fetching))
        return -1;
    if (object->copy && !object->sealed)
        return -1;
    if (object->memory && object->sealed && !object->reading) {
        *source = (transfer_source_t){ self->base + object->memory->offset, object->size,
                                       object->kind };
        store_pin (self, object);
        return 1;
    }
    object->remote = true;
    store_bring (self, object);
    return 0;
}

static void
s_served (void *context, tid_t id)
{
    store_t *self = context;
    object_t *object = store_object (self, id);
    if (object)
        store_unpin (self, object);
}

static void
s_fetched (void *context, tid_t id, uint8_t kind, const fault_t *fault)
{
    store_t *self = context;
    object_t *object = store_object (self, id);
    if (!object || !object->fetching)
        return;
    object->fetching = false;
    if (fault) {
        store_answer (self, object, fault);
        store_object_free (self, object);
        store_find_rooms (self);
        return;
    }
    store_seal_copy (self, object, kind);
    if (!object->stale || object->pins)
        return;
    store_object_free (self, object);
    store_find_rooms (self);
}

static int
s_held (void *context, const transfer_hold_t *hold)
{
    store_t *self = context;
    object_t *object = store_object (self, hold->id);
    if (!object || object->copy)
        return 0;
    return hold->count == 0  ? store_claim (object, hold->holder)
           : hold->count > 0 ? store_hold (self, object, hold->holder, hold->giver)
                             : store_release (self, object, hold->holder, hold->giver);
}

static void
s_settled (void *context, uint64_t ticket, bool arrived)
{
    store_settled (context, ticket, arrived);
}

static bool
s_lives (void *context, tid_t id)
{
    store_t *self = context;
    const object_t *object = store_object (self, id);
    return object && !object->copy;
}

/*  One that is being read, or is on its way to a reader, goes after that.  */
static void
s_dropped (void *context, tid_t id)
{
    store_t *self = context;
    object_t *object = store_object (self, id);
    if (!object || !object->copy)
        return;
    object->stale = true;
    if (object->pins || object->fetching || list_linked (&object->room))
        return;
    store_object_free (self, object);
    store_find_rooms (self);
}

const transfer_hooks_t store_transfer_hooks = { .serve = s_serve,
                                                .served = s_served,
                                                .fetched = s_fetched,
                                                .held = s_held,
                                                .settled = s_settled,
                                                .lives = s_lives,
                                                .dropped = s_dropped };
