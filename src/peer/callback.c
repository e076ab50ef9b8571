/*  callback.c - functions that run in this process when futures are done   */

#include "peer/callback.h"
#include "peer/call.h"
#include "peer/object.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    continuation_t base;
    list_node_t queued;
    troupe_future_t *source;
    troupe_future_t *result;
    troupe_function_t *function;
    void *context;
} callback_t;

/*  Makes troupe_fd readable, or no more.                                   */
static void
s_show (troupe_t *peer, bool ready)
{
    uint64_t number = 1;
    if (peer->ready < 0)
        return;
    ssize_t rc = ready ? write (peer->ready, &number, sizeof number)
                       : read (peer->ready, &number, sizeof number);
    (void) rc;      /*  EAGAIN: it was so already                           */
}

/*  Callbacks run in a thread that waits anyway, if there is one.           */
static void
s_nudge_somebody (troupe_t *peer)
{
    peer_waiter_t *waiter = peer->driver;
    if ((!waiter || !list_linked (&waiter->node)) && !list_empty (&peer->waiters))
        waiter = container_of (peer->waiters.next, peer_waiter_t, node);
    if (waiter && list_linked (&waiter->node))
        peer_nudge (peer, waiter);
}

static void
s_enqueue (continuation_t *base, troupe_future_t *done)
{
    callback_t *self = (callback_t *) base;
    troupe_t *peer = done->peer;
    if (self->result->state != FUTURE_PENDING) {
        future_release (self->result);      /*  it was cancelled            */
        free (self);
        return;
    }
    self->source = future_retain (done);
    list_append (&peer->callbacks, &self->queued);
    if (peer->callback_count++ == 0)
        s_show (peer, true);
    if (peer->hooks)
        peer->hooks->callback (peer->hooks_context, done);
    else
        s_nudge_somebody (peer);
}

/*  The answer of the future that the function returned.                    */
typedef struct {
    continuation_t base;
    troupe_future_t *result;
} tail_t;

static void
s_copy (troupe_future_t *result, troupe_future_t *done)
{
    if (done->state == FUTURE_FAILED)
        future_fail (result, (troupe_error_t) done->code, (const char *) done->data, done->size,
                     0);
    else {
        if (result->state == FUTURE_PENDING)
            future_share_objects (result, done);
        future_complete (result, done->data, done->size, NULL, 0);
    }
}

static void
s_tail (continuation_t *base, troupe_future_t *done)
{
    tail_t *self = (tail_t *) base;
    s_copy (self->result, done);
    future_release (self->result);
    free (self);
}

static void
s_finish (callback_t *self, troupe_call_t *call)
{
    tail_t *tail;
    bool pending = self->result->state == FUTURE_PENDING;
    if (call->objects && (call->fault.code || !pending))
        object_release_all (call->peer, call->result.data, call->result.size,
                            (object_holder_t){ .process = call->owner });
    else if (call->objects)
        self->result->objects = self->result->holds = true;
    if (call->fault.code)
        future_fail_fault (self->result, &call->fault);
    else if (!call->tail)
        future_complete (self->result, call->result.data, call->result.size, NULL, 0);
    else if ((tail = calloc (1, sizeof *tail))) {
        tail->base.run = s_tail;
        tail->result = future_retain (self->result);
        future_continue (call->tail, &tail->base);
    } else
        future_fail (self->result, TROUPE_ENOMEM, "no memory", 9, 0);
}

static void
s_destroy (callback_t *self)
{
    future_release (self->source);
    future_release (self->result);
    free (self);
}

/*  Runs the function without the lock.                                     */
static void
s_run (callback_t *self)
{
    troupe_t *peer = self->source->peer;
    pthread_mutex_unlock (&peer->lock);
    troupe_call_t call = { .peer = peer,
                           .what = "callback",
                           .owner = peer->self,
                           .args = self->source->data,
                           .args_size = self->source->size,
                           .source = self->source,
                           .context = self->context,
                           .deadline = CLOCK_NEVER };
    bool outer = peer_thread.callback;
    peer_thread.callback = true;
    call_run (&call, self->function);
    peer_thread.callback = outer;
    pthread_mutex_lock (&peer->lock);
    s_finish (self, &call);
    pthread_mutex_unlock (&peer->lock);
    call_release (&call);
    bytes_release (&call.result);
    pthread_mutex_lock (&peer->lock);
}

bool
callback_run_first (troupe_t *peer)
{
    for (list_node_t *node; (node = list_pop (&peer->callbacks));) {
        callback_t *self = container_of (node, callback_t, queued);
        bool cancelled = self->result->state != FUTURE_PENDING;
        if (--peer->callback_count == 0)
            s_show (peer, false);
        if (!cancelled)
            s_run (self);
        s_destroy (self);
        if (!cancelled)
            return true;
    }
    return false;
}

void
callback_drop_all (troupe_t *peer)
{
    for (list_node_t *node; (node = list_pop (&peer->callbacks));) {
        callback_t *self = container_of (node, callback_t, queued);
        future_fail (self->result, TROUPE_ESTOPPED, "the runtime has stopped", 23, 0);
        s_destroy (self);
    }
    peer->callback_count = 0;
}

int
callback_wait (troupe_t *peer, peer_waiter_t *waiter, int64_t until)
{
    if (peer->hooks || peer_thread.callback)
        return peer_wait (peer, waiter, until);
    list_append (&peer->waiters, &waiter->node);
    int rc;
    do {
        waiter->nudged = false;
        while (!waiter->ready && callback_run_first (peer))
            ;
        rc = peer_wait (peer, waiter, until);
    } while (rc == 1);
    list_remove (&waiter->node);
    waiter->nudged = false;
    if (peer->callback_count)
        s_nudge_somebody (peer);
    return rc;
}

troupe_future_t *
troupe_then (troupe_future_t *future, troupe_function_t *function, void *context)
{
    if (!future || !function) {
        fault_raise (TROUPE_EINVAL, "troupe_then: no future or no function");
        return NULL;
    }
    troupe_t *peer = future->peer;
    callback_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_raise (TROUPE_ENOMEM, "no memory for a callback");
        return NULL;
    }
    pthread_mutex_lock (&peer->lock);
    self->base.run = s_enqueue;
    self->function = function;
    self->context = context;
    self->result = future_new (peer, peer->self);
    troupe_future_t *result = self->result;
    if (result) {
        result->local = true;
        future_retain (result);
        future_continue (future, &self->base);
    }
    pthread_mutex_unlock (&peer->lock);
    if (!result) {
        free (self);
        fault_raise (TROUPE_ENOMEM, "no memory for a future");
    }
    return result;
}

int
troupe_process (troupe_t *peer)
{
    if (!peer)
        return fault_raise (TROUPE_EINVAL, "no runtime");
    if (peer_thread.callback)
        return 0;
    int count = 0;
    pthread_mutex_lock (&peer->lock);
    link_flush_all (peer);
    for (size_t left = peer->callback_count; left && callback_run_first (peer); left--)
        count++;
    pthread_mutex_unlock (&peer->lock);
    return count;
}

int
troupe_fd (troupe_t *peer)
{
    if (!peer)
        return fault_raise (TROUPE_EINVAL, "no runtime");
    pthread_mutex_lock (&peer->lock);
    if (peer->ready < 0) {
        peer->ready = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (peer->ready >= 0 && peer->callback_count)
            s_show (peer, true);
    }
    int fd = peer->ready;
    pthread_mutex_unlock (&peer->lock);
    return fd >= 0 ? fd : fault_raise (TROUPE_ESYSTEM, "cannot make an eventfd");
}
