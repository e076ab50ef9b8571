/*  group.c - groups of resources that are reserved together                 */

#include "peer/demand.h"
#include "peer/future.h"

#include <stdlib.h>

struct troupe_group {
    troupe_t *peer;
    troupe_future_t *ready;
    size_t count;
};

tid_t
group_id (const troupe_group_t *self)
{
    return future_id (self->ready);
}

size_t
group_count (const troupe_group_t *self)
{
    return self->count;
}

/*  GROUP: number: the strategy; body: a block of options for each bundle.  */
static int
s_write_bundles (bytes_t *body, const troupe_options_t *bundles, size_t count, fault_t *fault)
{
    if (!count || count > TROUPE_BUNDLES_MAX)
        return fault_set (fault, TROUPE_EINVAL, "a group has 1 to %d bundles, not %zu",
                          TROUPE_BUNDLES_MAX, count);
    for (size_t index = 0; index < count; index++) {
        bool has = false;
        troupe_options_t bundle = { 0 };
        size_t size = bundles [index].size;
        memcpy (&bundle, &bundles [index],
                size && size < sizeof bundle ? size : sizeof bundle);
        if (bundle.node || bundle.group)
            return fault_set (fault, TROUPE_EINVAL, "bundle %zu: only resources are wanted",
                              index + 1);
        if (demand_write (body, &bundle, false, &has, fault))
            return fault_prefix (fault, "bundle %zu", index + 1);
        if (!has)
            return fault_set (fault, TROUPE_EINVAL, "bundle %zu asks for nothing", index + 1);
    }
    return 0;
}

static void
s_send (troupe_group_t *self, const bytes_t *body, troupe_strategy_t strategy, uint8_t flags)
{
    record_t record = { .type = RECORD_GROUP,
                        .flags = flags,
                        .id = group_id (self),
                        .number = strategy,
                        .body = body ? body->data : NULL,
                        .body_size = body ? (uint32_t) body->size : 0 };
    link_send (self->peer, HEAD_PROCESS, &record);
}

troupe_group_t *
troupe_group_new (troupe_t *peer, troupe_strategy_t strategy, const troupe_options_t *bundles,
                  size_t count)
{
    bytes_t body = { 0 };
    fault_t fault = { 0 };
    if (!peer || !bundles || strategy > TROUPE_STRICT_SPREAD) {
        fault_raise (TROUPE_EINVAL, "troupe_group_new: no runtime, bundles or valid strategy");
        return NULL;
    }
    troupe_group_t *self = calloc (1, sizeof *self);
    int rc = s_write_bundles (&body, bundles, count, &fault);
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *ready = self ? future_new (peer, HEAD_PROCESS) : NULL;
    if (ready) {
        self->peer = peer;
        self->ready = ready;
        self->count = count;
        if (rc || peer_may_begin (peer, &fault))
            future_fail_fault (ready, &fault);
        else
            s_send (self, &body, strategy, 0);
    }
    pthread_mutex_unlock (&peer->lock);
    bytes_release (&body);
    if (ready)
        return self;
    free (self);
    fault_raise (TROUPE_ENOMEM, "no memory for a group");
    return NULL;
}

troupe_future_t *
troupe_group_ready (troupe_group_t *self)
{
    if (!self) {
        fault_raise (TROUPE_EINVAL, "troupe_group_ready: no group");
        return NULL;
    }
    return troupe_future_dup (self->ready);
}

void
troupe_group_destroy (troupe_group_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    troupe_group_t *self = *self_p;
    troupe_t *peer = self->peer;
    *self_p = NULL;
    pthread_mutex_lock (&peer->lock);
    if (!peer->stopping)
        s_send (self, NULL, TROUPE_PACK, RECORD_KILL);
    future_release (self->ready);
    peer_unlock (peer);
    free (self);
}
