/*  submit.c - writing calls: arguments, the futures among them, options    */

#include "peer/submit.h"

#include "peer/demand.h"
#include "peer/family.h"
#include "peer/object.h"

#include <stdlib.h>

/*  The handle to an actor among the arguments stays good until the call is
    answered: by then whoever keeps it has told its owner.                  */
static int
s_write_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    submission_t *self = context;
    actor_reference_t reference;
    if (!actor || actor->peer != self->peer)
        return fault_set (fault, TROUPE_EINVAL, "the actor belongs to no runtime");
    if (actor->state == ACTOR_DEAD)
        return fault_set (fault, actor->fault ? actor->fault->code : TROUPE_EENDED, "%s",
                          actor->fault ? actor->fault->text : "the actor has ended");
    if (future_pin_actor (self->future, actor))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the call");
    actor_reference (actor, &reference);
    return value_put_actor (out, &reference);
}

static int
s_need (submission_t *self, troupe_future_t *future)
{
    if (future->needed)
        return 0;
    if (self->needed_count == self->needed_capacity) {
        size_t capacity = self->needed_capacity * 2;
        troupe_future_t **grown
            = realloc (self->needed == self->few ? NULL : self->needed, capacity * sizeof *grown);
        if (!grown)
            return -1;
        if (self->needed == self->few)
            memcpy (grown, self->few, sizeof self->few);
        self->needed = grown;
        self->needed_capacity = capacity;
    }
    future->needed = true;
    self->needed [self->needed_count++] = future;
    return 0;
}

static int
s_write_future (void *context, bytes_t *out, troupe_future_t *future, bool handle,
                fault_t *fault)
{
    submission_t *self = context;
    if (!future || future->peer != self->peer)
        return fault_set (fault, TROUPE_EINVAL, "the future belongs to no runtime");
    if (handle) {
        if (future_share (future) || future_pin (self->future, future))
            return fault_set (fault, TROUPE_ENOMEM, "no memory for the call");
        return value_put_reference (out, future_id (future), true);
    }
    if (future->state == FUTURE_FAILED)
        return fault_set_cause (fault, (troupe_error_t) future->code, "argument failed",
                                future->data, future->size);
    if (!future->needed && self->needed_count == NEEDED_MAX)
        return fault_set (fault, TROUPE_ELIMIT, "it takes the values of more than %d futures",
                          NEEDED_MAX);
    if (s_need (self, future))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the call");
    return value_put_reference (out, future_id (future), false);
}

static int
s_write_object (void *context, const object_reference_t *object, fault_t *fault)
{
    submission_t *self = context;
    return object_keep (self->future, object, fault);
}

static int
s_fail (submission_t *self)
{
    if (self->method)
        fault_prefix (&self->fault, "%s.%s", self->what, self->method);
    else
        fault_prefix (&self->fault, "%s", self->what);
    future_fail_fault (self->future, &self->fault);
    return -1;
}

/*  A program that was built with an older header has a shorter struct.     */
static void
s_read_options (submission_t *self, const troupe_options_t *given)
{
    size_t size = given->size < sizeof *given ? given->size : sizeof *given;
    memcpy (&self->options, given, size);
}

int
submission_begin (submission_t *self, troupe_t *peer, process_t producer,
                  const troupe_arg_t *args, size_t count)
{
    self->peer = peer;
    self->options = (troupe_options_t){ 0 };
    self->needed = self->few;
    self->needed_count = 0;
    self->needed_capacity = 8;
    self->fault.code = TROUPE_OK;
    self->future = future_new (peer, producer);
    if (!self->future)
        return fault_raise (TROUPE_ENOMEM, "no memory for a future");
    for (size_t index = 0; index < count; index++)
        if (args [index].type == TROUPE_ARG_OPTIONS && args [index].as.pointer)
            s_read_options (self, args [index].as.pointer);
    size_t size = value_least_size (args, count);
    family_t *family = peer_thread.family;
    if (family && family->peer != peer)
        family = NULL;
    if (peer_may_begin (peer, &self->fault)) {
        /*  The fault says why.                                             */
    } else if (peer->pending > peer->pending_max)
        fault_set (&self->fault, TROUPE_ELIMIT,
                   "%zu calls are outstanding, the limit (TROUPE_MAX_PENDING)",
                   peer->pending_max);
    else if (size > peer_value_max (peer))
        fault_set (&self->fault, TROUPE_ESIZE, "the arguments exceed %zu bytes",
                   peer_value_max (peer));
    else if (family && family->cancelled)
        fault_set (&self->fault, TROUPE_ECANCELLED, "the call that submits it was cancelled");
    else if (self->options.timeout_ms < 0 || self->options.retries < -1
             || self->options.retries >= RETRIES_ALWAYS)
        fault_set (&self->fault, TROUPE_EINVAL, "timeout_ms or retries out of range");
    if (self->fault.code)
        return s_fail (self);
    if (family)
        family_add (family, self->future);
    return 0;
}

void
submission_deadline (submission_t *self, record_t *record)
{
    int64_t left = self->options.timeout_ms ? self->options.timeout_ms : INT32_MAX;
    if (peer_thread.deadline != CLOCK_NEVER) {
        int64_t rest = (peer_thread.deadline - clock_now ()) / CLOCK_MS;
        if (rest < left)
            left = rest > 0 ? rest : 1;
    }
    if (left == INT32_MAX)
        return;
    record->deadline = (uint32_t) left;
    future_set_timeout (self->future, (int) left);
}

static int
s_attach (submission_t *self, bytes_t *frame, size_t offset, bool defer)
{
    for (size_t index = 0; index < self->needed_count; index++) {
        troupe_future_t *future = self->needed [index];
        bool pending = future->state == FUTURE_PENDING;
        if (pending && defer)
            continue;
        /*  Whoever reads it must find what it refers to.                   */
        if (!pending && future->objects && future_pin (self->future, future))
            return fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the call");
        if (record_attach (frame, offset, future_id (future), pending ? NULL : future->data,
                           pending ? 0 : future->size, pending))
            return fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the call");
    }
    return 0;
}

int
submission_write (submission_t *self, bytes_t *frame, record_t *record, const bytes_t *prefix,
                  const troupe_arg_t *args, size_t count, bool defer)
{
    value_writer_t writer = { self, s_write_future, s_write_actor, s_write_object };
    record->id = future_id (self->future);
    submission_deadline (self, record);
    size_t offset = record_begin (frame, record);
    if (offset == SIZE_MAX) {
        record_abandon (frame, frame->size);
        fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the call");
        return s_fail (self);
    }
    int rc = prefix ? bytes_append (frame, prefix->data, prefix->size) : 0;
    if (rc)
        fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the call");
    else
        rc = value_write_args (frame, args, count, &writer, &self->fault);
    if (rc == 0) {
        record_end_body (frame, offset);
        rc = s_attach (self, frame, offset, defer);
    }
    /*  Values of futures come on top of what was counted at first.         */
    size_t most = network_record_max (self->peer->network != NULL);
    if (rc == 0 && frame->size - offset > most)
        rc = fault_set (&self->fault, TROUPE_ESIZE, "the arguments exceed %zu bytes together",
                        most);
    if (rc) {
        record_abandon (frame, offset);
        return s_fail (self);
    }
    if (record_end (frame, offset) == 0)
        return 0;
    fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the call");
    return s_fail (self);
}

void
submission_subscribe (submission_t *self, process_t target)
{
    for (size_t index = 0; index < self->needed_count; index++)
        if (self->needed [index]->state == FUTURE_PENDING) {
            future_add_target (self->needed [index], target);
            /*  Held until the answer, should the value get lost.           */
            future_pin (self->future, self->needed [index]);
        }
}

void
submission_end (submission_t *self)
{
    for (size_t index = 0; index < self->needed_count; index++)
        self->needed [index]->needed = false;
    if (self->needed != self->few)
        free (self->needed);
}

/*  --- tasks ------------------------------------------------------------  */

/*  A name in front of a body, padded to a multiple of 8.                   */
static int
s_name_prefix (bytes_t *prefix, const char *name)
{
    return bytes_append (prefix, name, strlen (name)) || bytes_align (prefix) ? -1 : 0;
}

static troupe_future_t *
s_submit (troupe_t *peer, uint32_t number, const char *name, const troupe_arg_t *args,
          size_t count)
{
    submission_t call;
    bytes_t prefix = { 0 };
    call.what = name;
    call.method = NULL;
    if (submission_begin (&call, peer, HEAD_PROCESS, args, count))
        return call.future;
    record_t record = { .type = RECORD_TASK,
                        .number = number,
                        .target = task_target (peer_thread.depth, peer_thread.lease,
                                               (uint8_t) call.options.retries) };
    if (!number) {
        record.flags = RECORD_BY_NAME;
        record.extra = (uint16_t) strlen (name);
        if (s_name_prefix (&prefix, name))
            fault_set (&call.fault, TROUPE_ENOMEM, "no memory for the call");
    }
    bool demands = false;
    if (!call.fault.code)
        demand_write (&prefix, &call.options, false, &demands, &call.fault);
    if (demands)
        record.flags |= RECORD_OPTIONS;
    link_t *link = &peer->head;
    if (call.fault.code)
        s_fail (&call);
    else if (submission_write (&call, &link->frame, &record, prefix.size ? &prefix : NULL, args,
                               count, false)
             == 0) {
        call.future->task = true;
        call.future->repeatable = call.options.retries != 0;
        link_commit (peer, link);
        submission_subscribe (&call, HEAD_PROCESS);
    }
    submission_end (&call);
    bytes_release (&prefix);
    return call.future;
}

/*  A call that cannot be named has failed from the start.                  */
static troupe_future_t *
s_unnamed (troupe_t *peer, const char *text, const troupe_arg_t *args, size_t count)
{
    fault_t fault;
    object_discard (args, count);
    fault_set (&fault, TROUPE_EINVAL, "%s", text);
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *future = future_new (peer, HEAD_PROCESS);
    if (future)
        future_fail_fault (future, &fault);
    pthread_mutex_unlock (&peer->lock);
    if (!future)
        fault_raise (TROUPE_ENOMEM, "no memory for a future");
    return future;
}

static troupe_future_t *
s_no_runtime (const char *function, const troupe_arg_t *args, size_t count)
{
    object_discard (args, count);
    fault_raise (TROUPE_EINVAL, "%s: no runtime", function);
    return NULL;
}

troupe_future_t *
troupe_task_submit (troupe_t *peer, const troupe_task_t *task, const troupe_arg_t *args,
                    size_t count)
{
    if (!peer)
        return s_no_runtime ("troupe_remote", args, count);
    if (!task)
        return s_unnamed (peer, "troupe_remote: no task", args, count);
    object_arguments_t large;
    troupe_future_t *future = NULL;
    int rc = object_arguments (&large, peer, args, count);
    pthread_mutex_lock (&peer->lock);
    tid_t address = { 0, (uint64_t) (uintptr_t) task };
    uint32_t number = (uint32_t) (uintptr_t) id_table_get (&peer->functions, address);
    if (rc == 0)
        future = s_submit (peer, number, task->name, large.args, count);
    pthread_mutex_unlock (&peer->lock);
    object_arguments_release (&large, args);
    return future;
}

troupe_future_t *
troupe_task_submit_by_name (troupe_t *peer, const char *name, const troupe_arg_t *args,
                            size_t count)
{
    if (!peer)
        return s_no_runtime ("troupe_remote_by_name", args, count);
    if (!name || !*name || strlen (name) > TROUPE_NAME_MAX)
        return s_unnamed (peer, "troupe_remote_by_name: no valid name", args, count);
    object_arguments_t large;
    troupe_future_t *future = NULL;
    int rc = object_arguments (&large, peer, args, count);
    pthread_mutex_lock (&peer->lock);
    if (rc == 0)
        future = s_submit (peer, 0, name, large.args, count);
    pthread_mutex_unlock (&peer->lock);
    object_arguments_release (&large, args);
    return future;
}

troupe_future_t *
troupe_put_arg (troupe_t *peer, troupe_arg_t value)
{
    if (!peer)
        return s_no_runtime ("troupe_put", &value, 1);
    bytes_t block = { 0 };
    fault_t fault = { 0 };
    bool large = object_is_large (peer, &value);
    if (large)
        object_put (peer, &value, (object_holder_t){ .process = peer->self }, &block, &fault);
    else if (value_least_size (&value, 1) > peer_value_max (peer))
        fault_set (&fault, TROUPE_ESIZE, "the value exceeds %zu bytes", peer_value_max (peer));
    else
        value_write (&block, &value, NULL, &fault);
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *future = future_new (peer, peer->self);
    if (future) {
        future->local = true;
        if (fault.code)
            future_fail_fault (future, &fault);
        else {
            future->objects = future->holds = large;
            future_complete (future, block.data, block.size, NULL, 0);
        }
    }
    pthread_mutex_unlock (&peer->lock);
    bytes_release (&block);
    if (!future)
        fault_raise (TROUPE_ENOMEM, "no memory for a future");
    return future;
}
