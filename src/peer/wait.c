/*  wait.c - the public side of futures: waiting, reading, releasing        */

#include "peer/callback.h"
#include "peer/future.h"

#include <stdlib.h>

/*  A thread that runs a task gives its slot away while it waits.           */
static int
s_block (troupe_t *peer, bool begins, fault_t *fault)
{
    if (!peer_thread.executor || !peer->hooks)
        return 0;
    return peer->hooks->blocked (peer->hooks_context, begins, fault);
}

/*  Waits for the waiter; in a driver, callbacks that become ready meanwhile
    run in this thread.                                                     */
static int
s_wait (troupe_t *peer, peer_waiter_t *waiter, int64_t until, fault_t *fault)
{
    if (waiter->ready)
        return 0;
    if (s_block (peer, true, fault))
        return -1;
    int rc = callback_wait (peer, waiter, until);
    s_block (peer, false, fault);
    if (rc)
        fault_set (fault, peer->stopping ? TROUPE_ESTOPPED : TROUPE_ETIMEOUT,
                   peer->stopping ? "the runtime has stopped" : "nothing came in time");
    return rc;
}

static void
s_unwait (troupe_future_t *future, const wait_node_t *node)
{
    if (future->state != FUTURE_PENDING)
        return;
    for (wait_node_t **place = &future->pending.waits; *place; place = &(*place)->next)
        if (*place == node) {
            *place = node->next;
            return;
        }
}

/*  Waits for one future. The lock is held.                                 */
static int
s_wait_one (troupe_future_t *future, fault_t *fault)
{
    if (future->state != FUTURE_PENDING)
        return 0;
    peer_waiter_t waiter = PEER_WAITER_INIT;
    size_t missing = 1;
    wait_node_t node = { future->pending.waits, &waiter, &missing };
    future->pending.waits = &node;
    int rc = s_wait (future->peer, &waiter, CLOCK_NEVER, fault);
    if (rc)
        s_unwait (future, &node);
    return rc;
}

/*  Reads the value into places. Several places take a list apart.          */
static int
s_read (troupe_future_t *self, const troupe_out_t *outs, size_t count, fault_t *fault)
{
    pthread_mutex_lock (&self->peer->lock);
    future_more_t *more = future_more (self);
    if (more && !more->reader.context)
        more->reader = future_reader (self->peer, &more->arena);
    pthread_mutex_unlock (&self->peer->lock);
    if (!more)
        return fault_set (fault, TROUPE_ENOMEM, "no memory to read a future");
    size_t offset = 0;
    if (count == 1)
        return value_read (self->data, self->size, &offset, outs [0], &more->reader, fault);
    return value_read_list (self->data, self->size, outs, count, "value", &more->reader, fault);
}

/*  The most common reading, of a number, needs no memory.                  */
static bool
s_is_number (troupe_out_type_t type)
{
    return type >= TROUPE_OUT_BOOL && type <= TROUPE_OUT_DOUBLE;
}

int
troupe_future_get (troupe_future_t *self, const troupe_out_t *outs, size_t count)
{
    fault_t fault;
    if (!self)
        return fault_raise (TROUPE_EINVAL, "no future");
    pthread_mutex_lock (&self->peer->lock);
    int rc = s_wait_one (self, &fault);
    pthread_mutex_unlock (&self->peer->lock);
    if (rc)
        return fault_note (&fault);
    if (self->state == FUTURE_FAILED)
        return fault_raise ((troupe_error_t) self->code, "%s", (const char *) self->data);
    if (!count)
        return 0;
    size_t offset = 0;
    static const value_reader_t none;
    if (count == 1 && s_is_number (outs [0].type) && !self->objects)
        rc = value_read (self->data, self->size, &offset, outs [0], &none, &fault);
    else
        rc = s_read (self, outs, count, &fault);
    return rc ? fault_note (&fault) : 0;
}

/*  Enters the waiter into the queues of those that are not done; returns
    how many are.                                                           */
static size_t
s_enter_queues (troupe_future_t *const *futures, size_t count, wait_node_t *nodes,
                peer_waiter_t *waiter, size_t *missing)
{
    size_t done = 0;
    for (size_t index = 0; index < count; index++) {
        if (futures [index]->state != FUTURE_PENDING) {
            done++;
            continue;
        }
        nodes [index] = (wait_node_t){ futures [index]->pending.waits, waiter, missing };
        futures [index]->pending.waits = &nodes [index];
    }
    return done;
}

/*  The last in a queue is the first to leave, for one future may be there
    many times.                                                             */
static size_t
s_collect_done (troupe_future_t *const *futures, size_t count, const wait_node_t *nodes,
                size_t *ready)
{
    size_t done = 0;
    for (size_t index = count; index--;)
        s_unwait (futures [index], &nodes [index]);
    for (size_t index = 0; index < count; index++) {
        if (futures [index]->state == FUTURE_PENDING)
            continue;
        if (ready)
            ready [done] = index;
        done++;
    }
    return done;
}

static int
s_wait_many (troupe_t *peer, troupe_future_t *const *futures, size_t count, size_t want,
             int64_t until, size_t *ready, fault_t *fault)
{
    wait_node_t *nodes = calloc (count, sizeof *nodes);
    if (!nodes)
        return fault_set (fault, TROUPE_ENOMEM, "no memory to wait for %zu futures", count);
    peer_waiter_t waiter = PEER_WAITER_INIT;
    size_t missing = SIZE_MAX;
    size_t done = s_enter_queues (futures, count, nodes, &waiter, &missing);
    missing = want > done ? want - done : SIZE_MAX;
    int rc = 0;
    if (want > done)
        rc = s_wait (peer, &waiter, until, fault);
    size_t result = s_collect_done (futures, count, nodes, ready);
    free (nodes);
    return rc && fault->code != TROUPE_ETIMEOUT ? -1 : (int) result;
}

int
troupe_wait (troupe_future_t *const *futures, size_t count, size_t want, int timeout_ms,
             size_t *ready)
{
    if (count && !futures)
        return fault_raise (TROUPE_EINVAL, "no futures");
    if (count > INT32_MAX)
        return fault_raise (TROUPE_EINVAL, "too many futures");
    if (future_check_list (futures, count, "troupe_wait"))
        return -1;
    if (count == 0)
        return 0;
    troupe_t *peer = futures [0]->peer;
    fault_t fault = { 0 };
    int64_t until = timeout_ms < 0 ? CLOCK_NEVER : clock_now () + timeout_ms * CLOCK_MS;
    pthread_mutex_lock (&peer->lock);
    int rc = s_wait_many (peer, futures, count, want < count ? want : count, until, ready,
                          &fault);
    pthread_mutex_unlock (&peer->lock);
    return rc < 0 ? fault_note (&fault) : rc;
}

bool
troupe_future_done (troupe_future_t *self)
{
    if (!self)
        return true;
    pthread_mutex_lock (&self->peer->lock);
    bool done = self->state != FUTURE_PENDING;
    pthread_mutex_unlock (&self->peer->lock);
    return done;
}

const char *
troupe_future_error (troupe_future_t *self)
{
    if (!self)
        return "no future";
    if (!troupe_future_done (self))
        return NULL;
    return self->state == FUTURE_FAILED ? (const char *) self->data : NULL;
}

troupe_error_t
troupe_future_code (troupe_future_t *self)
{
    if (!self)
        return TROUPE_EINVAL;
    if (!troupe_future_done (self))
        return TROUPE_OK;
    return self->state == FUTURE_FAILED ? (troupe_error_t) self->code : TROUPE_OK;
}

int
troupe_cancel (troupe_future_t *self)
{
    static const char text [] = "cancelled";
    if (!self)
        return fault_raise (TROUPE_EINVAL, "no future");
    troupe_t *peer = self->peer;
    pthread_mutex_lock (&peer->lock);
    bool pending = self->state == FUTURE_PENDING;
    if (pending) {
        future_cancel (self);
        future_fail (self, TROUPE_ECANCELLED, text, sizeof text - 1, 0);
    }
    pthread_mutex_unlock (&peer->lock);
    return pending ? 0 : fault_raise (TROUPE_EINVAL, "the future is done already");
}

troupe_future_t *
troupe_future_dup (troupe_future_t *self)
{
    if (!self)
        return NULL;
    pthread_mutex_lock (&self->peer->lock);
    future_retain (self);
    pthread_mutex_unlock (&self->peer->lock);
    return self;
}

void
troupe_future_destroy (troupe_future_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    troupe_future_t *self = *self_p;
    troupe_t *peer = self->peer;
    *self_p = NULL;
    pthread_mutex_lock (&peer->lock);
    future_release (self);
    peer_unlock (peer);
}
