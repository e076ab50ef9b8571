/*  future.c - futures: references, completion, targets, time limits        */

#include "peer/actor.h"
#include "peer/object.h"

#include <stdio.h>
#include <stdlib.h>

/*  From this size a value stays in the frame that brought it.              */
#define KEEP_BATCH_SIZE 4096

troupe_future_t *
future_find (troupe_t *peer, tid_t id)
{
    return id.owner == peer->self ? window_get (&peer->futures, id.sequence)
                                  : id_table_get (&peer->borrowed, id);
}

int
future_list (troupe_future_t *self)
{
    troupe_t *peer = self->peer;
    int rc = self->borrowed ? id_table_put (&peer->borrowed, future_id (self), self)
                            : window_put (&peer->futures, self);
    self->listed = rc == 0;
    return rc;
}

/*  The borrowed ones come after our own.                                   */
troupe_future_t *
future_next (troupe_t *peer, size_t *cursor)
{
    size_t all = peer->futures.capacity + peer->futures.others.capacity;
    troupe_future_t *self = *cursor < all ? window_next (&peer->futures, cursor) : NULL;
    if (self)
        return self;
    size_t rest = *cursor > all ? *cursor - all : 0;
    self = id_table_next (&peer->borrowed, &rest);
    *cursor = all + rest;
    return self;
}

static void
s_free (troupe_future_t *self)
{
    if (self->borrowed)
        free (self);
    else
        slab_give (&self->peer->future_slab, self);
}

/*  Pending, with two references; of this process if the owner is.          */
static troupe_future_t *
s_new (troupe_t *peer, tid_t id, process_t producer)
{
    bool borrowed = id.owner != peer->self;
    troupe_future_t *self = borrowed ? malloc (sizeof *self + sizeof (process_t))
                                     : slab_take (&peer->future_slab, sizeof *self);
    if (!self)
        return NULL;
    *self = (troupe_future_t){ .sequence = id.sequence,
                               .peer = peer,
                               .references = 2,
                               .shared = borrowed,
                               .borrowed = borrowed,
                               .pending.producer = producer };
    if (borrowed)
        self->owner [0] = id.owner;
    if (future_list (self)) {
        s_free (self);
        return NULL;
    }
    peer->handles++;
    peer->pending++;
    return self;
}

troupe_future_t *
future_new (troupe_t *peer, process_t producer)
{
    return s_new (peer, (tid_t){ peer->self, ++peer->sequence }, producer);
}

troupe_future_t *
future_borrow (troupe_t *peer, tid_t id)
{
    troupe_future_t *self = future_find (peer, id);
    if (self)
        return future_retain (self);
    self = id.owner == peer->self ? NULL : s_new (peer, id, id.owner);
    if (!self)
        return NULL;
    record_t borrow = { .type = RECORD_BORROW, .id = id, .target = peer->self };
    record_t subscribe = { .type = RECORD_SUBSCRIBE, .id = id, .target = peer->self };
    if (link_is_dead (peer, id.owner)) {
        static const char gone [] = "the process that owned the future has ended";
        future_fail (self, TROUPE_ELOST, gone, sizeof gone - 1, 0);
        return self;
    }
    link_send (peer, id.owner, &borrow);
    link_send (peer, id.owner, &subscribe);
    return self;
}

troupe_future_t *
future_retain (troupe_future_t *self)
{
    self->references++;
    return self;
}

static void
s_unpin (future_more_t *more)
{
    for (size_t index = 0; index < more->pinned_count; index++)
        future_release (more->pinned [index]);
    for (size_t index = 0; index < more->actor_count; index++)
        actor_release (more->actors [index]);
    free (more->pinned);
    free (more->actors);
    more->pinned = NULL;
    more->actors = NULL;
    more->pinned_count = more->actor_count = 0;
}

static void
s_free_more (troupe_future_t *self)
{
    future_more_t *more = self->more;
    if (!more)
        return;
    heap_remove (&self->peer->deadlines, &more->deadline);
    s_unpin (more);
    arena_release (&more->arena);
    free (more->targets);
    free (more->borrowers);
    free (more);
}

/*  Of one that is done.                                                    */
static void
s_drop_data (troupe_future_t *self)
{
    if (self->framed)
        batch_release (self->batch);
    else if (self->data != (const uint8_t *) self->small)
        free ((void *) (uintptr_t) self->data);
}

static void
s_unlist (troupe_future_t *self)
{
    if (!self->listed)
        return;
    self->listed = false;
    if (self->borrowed)
        id_table_remove (&self->peer->borrowed, future_id (self));
    else
        window_remove (&self->peer->futures, self->sequence);
}

static void
s_let_objects_go (troupe_future_t *self)
{
    if (self->holds && self->state == FUTURE_VALUE && !self->peer->stopping)
        object_release_all (self->peer, self->data, self->size,
                            (object_holder_t){ .process = self->peer->self });
}

void
future_release (troupe_future_t *self)
{
    if (--self->references)
        return;
    if (self->borrowed && !self->peer->stopping) {
        record_t record = { .type = RECORD_RELEASE, .id = future_id (self),
                            .target = self->peer->self };
        link_send (self->peer, self->owner [0], &record);
    }
    s_unlist (self);
    s_let_objects_go (self);
    s_drop_data (self);
    s_free_more (self);
    self->peer->handles--;
    s_free (self);
}

future_more_t *
future_more (troupe_future_t *self)
{
    if (self->more)
        return self->more;
    self->more = calloc (1, sizeof *self->more);
    if (self->more)
        self->more->future = self;
    return self->more;
}

/*  --- completion -------------------------------------------------------  */

/*  Sends the value, or the failure, to one target.                         */
static void
s_send_value (troupe_future_t *self, process_t target)
{
    record_t record = { .type = RECORD_VALUE,
                        .flags = self->state == FUTURE_FAILED ? RECORD_FAULT
                                 : self->objects              ? RECORD_OBJECTS
                                                              : 0,
                        .number = self->code,
                        .id = future_id (self),
                        .body = self->data,
                        .body_size = self->size };
    link_send (self->peer, target, &record);
}

static void
s_serve_targets (troupe_future_t *self, size_t served)
{
    future_more_t *more = self->more;
    if (!more)
        return;
    for (size_t index = 0; index < more->target_count; index++) {
        if (more->targets [index].relayed && served) {
            served--;
            if (!more->targets [index].again)
                continue;
        }
        s_send_value (self, more->targets [index].process);
    }
    more->target_count = 0;
}

/*  Tells everybody here, with what it had while it was pending. The last
    thing done to it: it may be freed.                                      */
static void
s_done (troupe_future_t *self, future_pending_t *had, size_t served)
{
    troupe_t *peer = self->peer;
    peer->pending--;
    if (!self->shared)
        s_unlist (self);
    s_serve_targets (self, served);
    if (self->more) {
        heap_remove (&peer->deadlines, &self->more->deadline);
        if (!self->more->keeps)
            s_unpin (self->more);
    }
    for (wait_node_t *node = had->waits; node; node = node->next)
        if (--*node->missing == 0)
            peer_wake (peer, node->waiter);
    while (had->continuations) {
        continuation_t *continuation = had->continuations;
        had->continuations = continuation->next;
        continuation->run (continuation, self);
    }
    if (had->callee)
        actor_release (had->callee);
    future_release (self);
}

void
future_complete (troupe_future_t *self, const uint8_t *data, size_t size, batch_t *batch,
                 size_t served)
{
    if (self->state != FUTURE_PENDING)
        return;
    future_pending_t had = self->pending;
    if (size <= sizeof self->small) {
        memcpy (self->small, data, size);
        self->data = (const uint8_t *) self->small;
    } else if (batch && size >= KEEP_BATCH_SIZE) {
        self->batch = batch_retain (batch);
        self->data = data;
        self->framed = true;
    } else {
        uint8_t *copy = malloc (size);
        if (!copy) {
            future_fail (self, TROUPE_ENOMEM, "no memory for the result", 24, served);
            return;
        }
        memcpy (copy, data, size);
        self->data = copy;
    }
    self->size = (uint32_t) size;
    self->state = FUTURE_VALUE;
    s_done (self, &had, served);
}

void
future_fail (troupe_future_t *self, troupe_error_t code, const char *text, size_t length,
             size_t served)
{
    static const char no_memory [] = "out of memory";
    if (self->state != FUTURE_PENDING)
        return;
    future_pending_t had = self->pending;
    char *copy = malloc (length + 1);
    if (copy) {
        memcpy (copy, text, length);
        copy [length] = 0;
        self->data = (const uint8_t *) copy;
    } else {
        memcpy (self->small, no_memory, sizeof no_memory);
        self->data = (const uint8_t *) self->small;
        length = sizeof no_memory - 1;
    }
    self->size = (uint32_t) length;
    self->code = (uint8_t) code;
    self->state = FUTURE_FAILED;
    s_done (self, &had, served);
}

void
future_fail_fault (troupe_future_t *self, const fault_t *fault)
{
    future_fail (self, fault->code, fault->text, strlen (fault->text), 0);
}

/*  Asks the producer to serve a target, if there is one to ask.            */
static void
s_relay (troupe_future_t *self, target_t *target)
{
    if (self->local || self->pending.producer == PRODUCER_UNKNOWN)
        return;
    target->relayed = true;
    record_t record = { .type = RECORD_SUBSCRIBE, .id = future_id (self),
                        .target = target->process };
    link_send (self->peer, self->pending.producer, &record);
}

void
future_add_target (troupe_future_t *self, process_t process)
{
    if (self->state != FUTURE_PENDING) {
        s_send_value (self, process);
        return;
    }
    future_more_t *more = future_more (self);
    target_t *grown = more ? realloc (more->targets, (more->target_count + 1) * sizeof *grown)
                           : NULL;
    if (!grown)
        return;
    more->targets = grown;
    self->shared = true;
    target_t *target = &more->targets [more->target_count++];
    *target = (target_t){ .process = process };
    s_relay (self, target);
}

void
future_send_again (troupe_future_t *self, process_t process)
{
    if (self->state != FUTURE_PENDING) {
        s_send_value (self, process);
        return;
    }
    future_more_t *more = self->more;
    for (size_t index = 0; more && index < more->target_count; index++)
        if (more->targets [index].process == process && !more->targets [index].again) {
            more->targets [index].again = true;
            return;
        }
}

void
future_set_producer (troupe_future_t *self, process_t producer)
{
    self->pending.producer = producer;
    for (size_t index = 0; self->more && index < self->more->target_count; index++)
        s_relay (self, &self->more->targets [index]);
}

void
future_continue (troupe_future_t *self, continuation_t *continuation)
{
    if (self->state != FUTURE_PENDING) {
        continuation->run (continuation, self);
        return;
    }
    continuation_t **place = &self->pending.continuations;
    while (*place)
        place = &(*place)->next;
    continuation->next = NULL;
    *place = continuation;
}

int
future_check_list (troupe_future_t *const *futures, size_t count, const char *what)
{
    for (size_t index = 0; index < count; index++) {
        if (!futures [index])
            return fault_raise (TROUPE_EINVAL, "%s: future %zu is NULL", what, index);
        if (futures [index]->peer != futures [0]->peer)
            return fault_raise (TROUPE_EINVAL, "%s: future %zu is of another runtime", what,
                                index);
    }
    return 0;
}

void
future_cancel (troupe_future_t *self)
{
    record_t cancel = { .type = RECORD_CANCEL, .id = future_id (self) };
    if (!self->local && !self->borrowed && self->pending.producer != PRODUCER_UNKNOWN)
        link_send (self->peer, self->pending.producer, &cancel);
}

/*  --- time -------------------------------------------------------------  */

int
future_set_timeout (troupe_future_t *self, int timeout_ms)
{
    future_more_t *more = future_more (self);
    if (!more)
        return -1;
    more->timeout_ms = timeout_ms;
    more->deadline.due = clock_now () + timeout_ms * CLOCK_MS;
    if (heap_update (&self->peer->deadlines, &more->deadline))
        return -1;
    peer_service_by (self->peer, more->deadline.due);
    return 0;
}

uint32_t
future_time_left (const troupe_future_t *self)
{
    int64_t left = (self->more->deadline.due - clock_now ()) / CLOCK_MS;
    return left > 0 ? (uint32_t) left : 1;
}

int64_t
future_expire (troupe_t *peer, int64_t now)
{
    heap_node_t *first;
    while ((first = heap_first (&peer->deadlines)) && first->due <= now) {
        future_more_t *more = container_of (first, future_more_t, deadline);
        troupe_future_t *self = more->future;
        char text [64];
        int length = snprintf (text, sizeof text, "deadline of %d ms passed", more->timeout_ms);
        future_cancel (self);
        future_fail (self, TROUPE_ETIMEOUT, text, (size_t) length, 0);
    }
    return first ? first->due : CLOCK_NEVER;
}

/*  --- other processes --------------------------------------------------  */

/*  The tables may change while we go through them, so that one is missed:
    go again as long as there was any.                                      */
static bool
s_fail_lost (troupe_t *peer, process_t process, const fault_t *why)
{
    bool any = false;
    size_t cursor = 0;
    for (troupe_future_t *self; (self = future_next (peer, &cursor));)
        if (self->state == FUTURE_PENDING && !self->local
            && (self->pending.producer == process || future_id (self).owner == process)) {
            any = true;
            future_fail (self, why->code, why->text, strlen (why->text), 0);
        }
    return any;
}

static bool
s_remove_borrower (troupe_t *peer, process_t process)
{
    bool any = false;
    size_t cursor = 0;
    for (troupe_future_t *self; (self = future_next (peer, &cursor));) {
        size_t before = self->more ? self->more->borrower_count : 0;
        if (!before)
            continue;
        future_retain (self);
        future_borrower_remove (self, process);
        any = any || self->more->borrower_count < before;
        future_release (self);
    }
    return any;
}

void
future_lose_process (troupe_t *peer, process_t process, const fault_t *why)
{
    while (s_fail_lost (peer, process, why))
        ;
    while (s_remove_borrower (peer, process))
        ;
}

void
future_borrower_add (troupe_future_t *self, process_t process)
{
    future_more_t *more = future_more (self);
    process_t *grown
        = more ? realloc (more->borrowers, (more->borrower_count + 1) * sizeof *grown) : NULL;
    if (!grown)
        return;
    more->borrowers = grown;
    more->borrowers [more->borrower_count++] = process;
    future_retain (self);
}

void
future_borrower_remove (troupe_future_t *self, process_t process)
{
    future_more_t *more = self->more;
    for (size_t index = 0; more && index < more->borrower_count; index++)
        if (more->borrowers [index] == process) {
            more->borrowers [index] = more->borrowers [--more->borrower_count];
            future_release (self);
            return;
        }
}

int
future_share (troupe_future_t *self)
{
    if (!self->listed && future_list (self))
        return -1;
    self->shared = true;
    return 0;
}

void
future_unpin (troupe_future_t *self)
{
    if (self->more)
        s_unpin (self->more);
}

int
future_pin (troupe_future_t *self, troupe_future_t *handle)
{
    future_more_t *more = future_more (self);
    troupe_future_t **grown
        = more ? realloc (more->pinned, (more->pinned_count + 1) * sizeof *grown) : NULL;
    if (!grown)
        return -1;
    more->pinned = grown;
    more->pinned [more->pinned_count++] = future_retain (handle);
    return 0;
}

void
future_share_objects (troupe_future_t *self, troupe_future_t *source)
{
    if (!source->objects || future_pin (self, source))
        return;
    self->objects = true;
    self->more->keeps = true;
}

int
future_pin_actor (troupe_future_t *self, troupe_actor_t *actor)
{
    future_more_t *more = future_more (self);
    troupe_actor_t **grown
        = more ? realloc (more->actors, (more->actor_count + 1) * sizeof *grown) : NULL;
    if (!grown)
        return -1;
    more->actors = grown;
    more->actors [more->actor_count++] = actor_retain (actor);
    return 0;
}

/*  --- reading ----------------------------------------------------------  */

static troupe_future_t *
s_read_future (void *context, tid_t id, fault_t *fault)
{
    troupe_t *peer = context;
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *future = future_borrow (peer, id);
    pthread_mutex_unlock (&peer->lock);
    if (!future)
        fault_set (fault, TROUPE_EINVAL, "the future is no longer held by its owner");
    return future;
}

static troupe_actor_t *
s_read_actor (void *context, const actor_reference_t *reference, fault_t *fault)
{
    troupe_t *peer = context;
    pthread_mutex_lock (&peer->lock);
    troupe_actor_t *actor = actor_borrow (peer, reference);
    pthread_mutex_unlock (&peer->lock);
    if (!actor)
        fault_set (fault, TROUPE_ENOMEM, "no memory for an actor handle");
    return actor;
}

static const uint8_t *
s_read_object (const value_reader_t *reader, const object_reference_t *object, fault_t *fault)
{
    return object_read (reader->context, reader->arena, object, fault);
}

value_reader_t
future_reader (troupe_t *peer, arena_t *arena)
{
    return (value_reader_t){ .context = peer,
                             .arena = arena,
                             .object = s_read_object,
                             .future = s_read_future,
                             .actor = s_read_actor };
}
