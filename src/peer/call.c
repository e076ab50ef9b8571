/*  call.c - reading the arguments of a call and answering it               */

#include "peer/call.h"
#include "peer/callback.h"
#include "peer/object.h"
#include "peer/submit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*  Looking through so many for each is cheaper than a table of them.       */
#define FEW_ATTACHMENTS 16

static int
s_index (troupe_call_t *self)
{
    const uint8_t *place = self->attachment;
    for (uint32_t left = self->attachments; left; left--) {
        const uint8_t *at = place;
        attachment_t attachment = attachment_next (&place);
        if (!attachment.pending
            && id_table_put (&self->index, attachment.id, (void *) (uintptr_t) at))
            return -1;
    }
    return 0;
}

static const uint8_t *
s_find_attachment (troupe_call_t *self, tid_t id)
{
    if (self->attachments > FEW_ATTACHMENTS) {
        if (!self->index.slots && s_index (self))
            return NULL;
        return id_table_get (&self->index, id);
    }
    const uint8_t *place = self->attachment;
    for (uint32_t left = self->attachments; left; left--) {
        const uint8_t *at = place;
        attachment_t attachment = attachment_next (&place);
        if (!attachment.pending && tid_equal (attachment.id, id))
            return at;
    }
    return NULL;
}

/*  The value of an argument that was sent as a future.                     */
static const uint8_t *
s_resolve (void *context, tid_t id, size_t *size, fault_t *fault)
{
    const value_reader_t *reader = context;
    troupe_call_t *call = container_of (reader, troupe_call_t, reader);
    const uint8_t *place = s_find_attachment (call, id);
    if (!place) {
        fault_set (fault, TROUPE_EPROTOCOL, "the value of a future is missing");
        return NULL;
    }
    attachment_t attachment = attachment_next (&place);
    *size = attachment.size;
    return attachment.value;
}

static troupe_future_t *
s_future (void *context, tid_t id, fault_t *fault)
{
    const value_reader_t *reader = context;
    value_reader_t plain = future_reader (
        container_of (reader, troupe_call_t, reader)->peer, NULL);
    return plain.future (plain.context, id, fault);
}

static troupe_actor_t *
s_actor (void *context, const actor_reference_t *actor, fault_t *fault)
{
    const value_reader_t *reader = context;
    value_reader_t plain = future_reader (
        container_of (reader, troupe_call_t, reader)->peer, NULL);
    return plain.actor (plain.context, actor, fault);
}

static const uint8_t *
s_object (const value_reader_t *reader, const object_reference_t *object, fault_t *fault)
{
    const troupe_call_t *call = container_of (reader, troupe_call_t, reader);
    return object_read (call->peer, reader->arena, object, fault);
}

void
call_run (troupe_call_t *self, troupe_function_t *function)
{
    self->reader = (value_reader_t){ .context = &self->reader,
                                     .arena = &self->arena,
                                     .resolve = s_resolve,
                                     .object = s_object,
                                     .future = s_future,
                                     .actor = s_actor };
    bytes_clear (&self->result);
    unsigned before = fault_count ();
    int rc = function (self);
    if (rc && !self->failed && fault_count () != before)
        self->fault = *fault_last ();
    else if (rc && !self->failed)
        fault_set (&self->fault, TROUPE_EFAILED, "returned %d", rc);
    if (!rc)
        self->fault.code = TROUPE_OK;
    if (!rc && !self->returned && troupe_call_return (self, NULL, 0))
        rc = -1;
}

void
call_release (troupe_call_t *self)
{
    id_table_release (&self->index);
    if (!self->tail && !self->future_count && !self->actor_count) {
        arena_release (&self->arena);
        return;
    }
    pthread_mutex_lock (&self->peer->lock);
    if (self->tail)
        future_release (self->tail);
    for (size_t index = 0; index < self->future_count; index++)
        future_release (self->futures [index]);
    for (size_t index = 0; index < self->actor_count; index++)
        actor_release (self->actors [index]);
    pthread_mutex_unlock (&self->peer->lock);
    free (self->futures);
    free (self->actors);
    arena_release (&self->arena);
}

/*  A function of the library that the call was given to has failed.        */
static int
s_note (troupe_call_t *self, troupe_error_t code, const char *text)
{
    fault_set (&self->fault, code, "%s", text);
    return fault_note (&self->fault);
}

/*  --- arguments --------------------------------------------------------  */

int
troupe_call_args (troupe_call_t *self, const troupe_out_t *outs, size_t count)
{
    fault_t *fault = &self->fault;
    if (self->source && self->source->state == FUTURE_FAILED)
        return s_note (self, (troupe_error_t) self->source->code,
                       (const char *) self->source->data);
    int rc;
    size_t offset = 0;
    if (self->source && count == 1)
        rc = value_read (self->args, self->args_size, &offset, outs [0], &self->reader, fault);
    else if (self->source)
        rc = value_read_list (self->args, self->args_size, outs, count, "value", &self->reader,
                              fault);
    else
        rc = value_read_list (self->args, self->args_size, outs, count, "argument",
                              &self->reader, fault);
    return rc ? fault_note (fault) : 0;
}

size_t
troupe_arg_count (troupe_call_t *self)
{
    size_t offset = 0;
    msgpack_token_t token;
    if (self->source)
        return self->source->state == FUTURE_VALUE;
    return token_next (self->args, self->args_size, &offset, &token) ? 0 : token.count;
}

int
troupe_arg_view (troupe_call_t *self, size_t position, troupe_view_t *view)
{
    troupe_view_t inside;
    troupe_view_t all = { self->args, self->args_size, &self->reader };
    if (self->source && position == 0 && self->source->state == FUTURE_VALUE) {
        *view = all;
        return 0;
    }
    if (self->source && self->source->state == FUTURE_FAILED)
        return s_note (self, (troupe_error_t) self->source->code,
                       (const char *) self->source->data);
    if (position >= troupe_arg_count (self) || troupe_view_enter (all, &inside)) {
        fault_set (&self->fault, TROUPE_EINVAL, "there is no argument %zu", position + 1);
        return fault_note (&self->fault);
    }
    for (size_t index = 0; index <= position; index++)
        if (troupe_view_next (&inside, view) != 1)
            return s_note (self, TROUPE_EPROTOCOL, "malformed arguments");
    return 0;
}

/*  --- answers ----------------------------------------------------------  */

static int
s_write_future (void *context, bytes_t *out, troupe_future_t *future, bool handle,
                fault_t *fault)
{
    troupe_call_t *self = context;
    if (!handle)
        return fault_set (fault, TROUPE_EINVAL, "a future's value is not there");
    troupe_future_t **grown
        = realloc (self->futures, (self->future_count + 1) * sizeof *grown);
    if (!grown)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the result");
    self->futures = grown;
    if (future->peer != self->peer)
        return fault_set (fault, TROUPE_EINVAL, "the future belongs to no runtime");
    pthread_mutex_lock (&self->peer->lock);
    int rc = future_share (future);
    if (rc == 0)
        self->futures [self->future_count++] = future_retain (future);
    pthread_mutex_unlock (&self->peer->lock);
    if (rc)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the result");
    return value_put_reference (out, future_id (future), true);
}

static int
s_write_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    troupe_call_t *self = context;
    troupe_actor_t **grown = realloc (self->actors, (self->actor_count + 1) * sizeof *grown);
    if (!grown)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the result");
    self->actors = grown;
    actor_reference_t reference;
    pthread_mutex_lock (&self->peer->lock);
    self->actors [self->actor_count++] = actor_retain (actor);
    actor_reference (actor, &reference);
    pthread_mutex_unlock (&self->peer->lock);
    return value_put_actor (out, &reference);
}

/*  The owner of the answer holds what it refers to. A callback's is this process. */
static object_holder_t
s_holder (const troupe_call_t *self)
{
    return (object_holder_t){ .process = self->owner, .passed = self->given != NULL };
}

static int
s_write_object (void *context, const object_reference_t *object, fault_t *fault)
{
    troupe_call_t *self = context;
    bytes_t value = { 0 };
    if (value_put_object (&value, object))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the result");
    pthread_mutex_lock (&self->peer->lock);
    object_hold_all (self->peer, value.data, value.size, s_holder (self), self->given);
    pthread_mutex_unlock (&self->peer->lock);
    self->objects = true;
    bytes_release (&value);
    return 0;
}

static int
s_write_one (troupe_call_t *self, const troupe_arg_t *arg)
{
    value_writer_t writer = { self, s_write_future, s_write_actor, s_write_object };
    bool large = object_is_large (self->peer, arg);
    self->objects = self->objects || large;
    return object_write (self->peer, arg, s_holder (self), &writer, &self->result, &self->fault);
}

static int
s_too_large (troupe_call_t *self)
{
    return fault_set (&self->fault, TROUPE_ESIZE, "the result exceeds %zu bytes",
                      peer_value_max (self->peer));
}

/*  Large values go to the store, so that only the others count.            */
static int
s_write_result (troupe_call_t *self, const troupe_arg_t *args, size_t count)
{
    troupe_arg_t nil = troupe_nil ();
    size_t values = 0;
    if (count == 0)
        return s_write_one (self, &nil);
    for (size_t index = 0; index < count; index++)
        values += args [index].type != TROUPE_ARG_OPTIONS
                  && !object_is_large (self->peer, &args [index])
                  && value_least_size (&args [index], 1) > peer_value_max (self->peer);
    int rc = values ? s_too_large (self) : 0;
    if (rc == 0 && count > 1 && value_put_array (&self->result, count))
        rc = fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the result");
    size_t written = 0;
    while (rc == 0 && written < count)
        rc = s_write_one (self, &args [written++]);
    if (rc)
        object_discard (args + written, count - written);
    if (rc)
        return -1;
    return self->result.size > peer_value_max (self->peer) ? s_too_large (self) : 0;
}

static size_t
s_count_args (const troupe_arg_t *args, size_t count, bool *futures)
{
    size_t values = 0;
    *futures = false;
    for (size_t index = 0; index < count && args [index].type != TROUPE_ARG_END; index++) {
        if (args [index].type == TROUPE_ARG_OPTIONS)
            continue;
        if (args [index].type == TROUPE_ARG_FUTURE || args [index].type == TROUPE_ARG_FUTURES)
            *futures = true;
        values++;
    }
    return values;
}

/*  A future of one value of an answer.                                     */
static troupe_future_t *
s_part (troupe_call_t *self, const troupe_arg_t *arg)
{
    troupe_future_t *future = (troupe_future_t *) (uintptr_t) arg->as.pointer;
    if (arg->type == TROUPE_ARG_FUTURE && !future)
        fault_raise (TROUPE_EINVAL, "the future is NULL");
    if (arg->type == TROUPE_ARG_FUTURE)
        return troupe_future_dup (future);
    if (arg->type != TROUPE_ARG_FUTURES)
        return troupe_put_arg (self->peer, *arg);
    return arg->count ? troupe_all (arg->as.pointer, arg->count)
                      : troupe_put_arg (self->peer, troupe_strings (NULL, 0));
}

/*  One future for each value, so that one future of them all answers.      */
static int
s_return_futures (troupe_call_t *self, const troupe_arg_t *args, size_t count)
{
    troupe_future_t **parts = calloc (count, sizeof *parts);
    size_t made = 0;
    if (!parts)
        fault_raise (TROUPE_ENOMEM, "no memory for the result");
    for (; parts && made < count; made++)
        if (!(parts [made] = s_part (self, &args [made])))
            break;
    if (made < count)
        object_discard (args + made + (parts != NULL), count - made - (parts != NULL));
    if (parts && made == count)
        self->tail = count == 1 ? troupe_future_dup (parts [0]) : troupe_all (parts, count);
    while (made--)
        troupe_future_destroy (&parts [made]);
    free (parts);
    self->returned = self->tail != NULL;
    return self->returned ? 0 : -1;
}

int
troupe_call_return (troupe_call_t *self, const troupe_arg_t *args, size_t count)
{
    bool futures;
    if (self->returned)
        return s_note (self, TROUPE_EINVAL, "answered twice");
    count = s_count_args (args, count, &futures);
    if (futures)
        return s_return_futures (self, args, count);
    int rc = s_write_result (self, args, count);
    if (rc) {
        pthread_mutex_lock (&self->peer->lock);
        if (self->objects)
            object_release_all (self->peer, self->result.data, self->result.size,
                                s_holder (self));
        pthread_mutex_unlock (&self->peer->lock);
        self->objects = false;
        bytes_clear (&self->result);
        return fault_note (&self->fault);
    }
    self->returned = true;
    return 0;
}

int
troupe_fail (troupe_call_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    fault_set_list (&self->fault, TROUPE_EFAILED, format, args);
    va_end (args);
    self->failed = true;
    return fault_note (&self->fault);
}

void
call_grant (troupe_call_t *self, process_t process)
{
    for (size_t index = 0; index < self->future_count; index++) {
        troupe_future_t *future = self->futures [index];
        record_t borrow = { .type = RECORD_BORROW, .id = future_id (future), .target = process };
        if (!future->borrowed)
            future_borrower_add (future, process);
        else if (borrow.id.owner != process)
            link_send (self->peer, borrow.id.owner, &borrow);
    }
    for (size_t index = 0; index < self->actor_count; index++) {
        troupe_actor_t *actor = self->actors [index];
        record_t borrow = { .type = RECORD_BORROW,
                            .flags = RECORD_ACTOR,
                            .id = actor->id,
                            .target = process };
        if (actor->id.owner == self->peer->self)
            actor_borrower_add (actor, process);
        else if (actor->id.owner != process)
            link_send (self->peer, actor->id.owner, &borrow);
    }
}

/*  --- what a function may ask ------------------------------------------  */

void *
troupe_self (troupe_call_t *self)
{
    return self->self;
}

troupe_actor_t *
troupe_self_actor (troupe_call_t *self)
{
    if (!self->actor)
        return NULL;
    pthread_mutex_lock (&self->peer->lock);
    troupe_actor_t *actor = actor_borrow (self->peer, self->actor);
    pthread_mutex_unlock (&self->peer->lock);
    return actor;
}

void *
troupe_context (troupe_call_t *self)
{
    return self->context;
}

troupe_t *
troupe_of (troupe_call_t *self)
{
    return self->peer;
}

int64_t
troupe_time_left (troupe_call_t *self)
{
    if (self->deadline == CLOCK_NEVER)
        return -1;
    int64_t left = self->deadline - clock_now ();
    return left > 0 ? left / CLOCK_MS : 0;
}

bool
troupe_cancelled (troupe_call_t *self)
{
    if (self->cancelled && atomic_load_explicit (self->cancelled, memory_order_relaxed))
        return true;
    return self->deadline != CLOCK_NEVER && clock_now () >= self->deadline;
}
