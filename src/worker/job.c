/*  job.c - a task or a method call that is here: arguments, run, answer    */

#include "worker/worker_private.h"

#include "peer/inquiry.h"
#include "peer/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*  Large arguments are fetched from other nodes while it waits for its turn. */
static void
s_prefetch (worker_t *worker, const record_t *record)
{
    const uint8_t *place = record->attachment;
    for (uint32_t left = worker->peer->network ? record->attachments : 0; left; left--) {
        attachment_t attachment = attachment_next (&place);
        object_reference_t object;
        if (!attachment.pending && value_is_object (attachment.value, attachment.size, &object))
            object_prefetch_all (worker->peer, attachment.value, attachment.size);
    }
}

job_t *
job_new (worker_t *worker, const record_t *record, batch_t *batch, process_t sender)
{
    job_t *self = id_table_get (&worker->jobs, record->id)
                      ? NULL
                      : slab_take (&worker->job_slab, sizeof *self);
    if (!self)
        return NULL;
    *self = (job_t){ .id = record->id,
                     .sender = sender,
                     .record = *record,
                     .lease = (uint32_t) record->target,
                     .deadline = record->deadline ? clock_now () + record->deadline * CLOCK_MS
                                                  : CLOCK_NEVER,
                     .family = { .peer = worker->peer } };
    if (id_table_put (&worker->jobs, self->id, self)) {
        slab_give (&worker->job_slab, self);
        return NULL;
    }
    self->batch = batch_retain (batch);
    s_prefetch (worker, record);
    return self;
}

static void
s_forget_waiters (worker_t *worker, job_t *self)
{
    for (uint32_t index = 0; index < self->waiter_count; index++)
        await_forget (&worker->peer->await, &self->waiters [index]);
    free (self->waiters);
    self->waiters = NULL;
    self->waiter_count = 0;
}

void
job_destroy (worker_t *worker, job_t *self)
{
    if (self->task && list_linked (&self->node))
        worker->queued--;
    list_remove (&self->node);
    id_table_remove (&worker->jobs, self->id);
    s_forget_waiters (worker, self);
    batch_release (self->batch);
    bytes_release (&self->values);
    family_release (&self->family);
    free (self->targets);
    slab_give (&worker->job_slab, self);
}

/*  --- arguments --------------------------------------------------------  */

int
job_add_value (job_t *self, tid_t id, const uint8_t *data, uint32_t size)
{
    static const uint8_t zeros [8];
    uint8_t header [ATTACHMENT_HEADER] = { 0 };
    if (!self->values.size && self->record.attachments_size
        && bytes_append (&self->values, self->record.attachment, self->record.attachments_size))
        return -1;
    store_u64 (header, id.owner);
    store_u64 (header + 8, id.sequence);
    store_u32 (header + 16, size);
    if (bytes_append (&self->values, header, sizeof header)
        || bytes_append (&self->values, data, size)
        || bytes_append (&self->values, zeros, (8 - size % 8) % 8))
        return -1;
    self->record.attachments++;
    self->record.attachment = self->values.data;
    self->record.attachments_size = (uint32_t) self->values.size;
    return 0;
}

static int
s_make_waiters (job_t *self)
{
    const uint8_t *place = self->record.attachment;
    for (uint32_t left = self->record.attachments; left; left--)
        self->waiter_count += attachment_next (&place).pending;
    if (!self->waiter_count)
        return 0;
    self->waiters = calloc (self->waiter_count, sizeof *self->waiters);
    if (!self->waiters) {
        self->waiter_count = 0;
        return -1;
    }
    uint32_t made = 0;
    place = self->record.attachment;
    for (uint32_t left = self->record.attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        if (!attachment.pending)
            continue;
        self->waiters [made].id = attachment.id;
        self->waiters [made++].subject = self;
    }
    return 0;
}

int
job_await_arguments (worker_t *worker, job_t *self)
{
    if (s_make_waiters (self)) {
        job_fail (worker, self, TROUPE_ENOMEM, "no memory for the arguments");
        return -1;
    }
    self->unresolved = self->waiter_count;
    for (uint32_t index = 0; index < self->waiter_count; index++) {
        await_value_t *early = NULL;
        int rc = await_expect (&worker->peer->await, &self->waiters [index], &early);
        if (rc > 0)
            inquiry_ask_again (worker->peer, self->waiters [index].id);
        if (rc >= 0 && !early)
            continue;
        uint32_t code = early ? early->code : TROUPE_ENOMEM;
        if (rc == 0 && !code)
            rc = job_add_value (self, self->waiters [index].id, early->data, early->size);
        if (code && early)
            job_fail_argument (worker, self, code, early->data, early->size);
        else if (code || rc)
            job_fail (worker, self, TROUPE_ENOMEM, "no memory for the arguments");
        free (early);
        if (rc || code)
            return -1;
        self->unresolved--;
    }
    return 0;
}

/*  --- answers ----------------------------------------------------------  */

void
job_report_done (worker_t *worker, const job_t *self)
{
    uint8_t pair [8];
    if (!self->task)
        return;
    int64_t now = worker->peer->now ? worker->peer->now : clock_now ();
    int64_t units = self->started ? (now - self->started) / 64 : 0;
    store_u32 (pair, self->lease);
    store_u32 (pair + 4, units < UINT32_MAX ? (uint32_t) units : UINT32_MAX);
    record_t done = { .type = RECORD_DONE, .body = pair, .body_size = sizeof pair };
    link_send (worker->peer, HEAD_PROCESS, &done);
}

/*  Sends the answer to the owner and to all who asked for it.              */
static void
s_answer (worker_t *worker, job_t *self, uint8_t flags, uint32_t code, const uint8_t *data,
          size_t size)
{
    record_t record = { .type = RECORD_VALUE,
                        .flags = flags,
                        .number = code,
                        .id = self->id,
                        .body = data,
                        .body_size = (uint32_t) size };
    for (size_t index = 0; index < self->target_count; index++)
        link_send (worker->peer, self->targets [index], &record);
    record.type = RECORD_RESULT;
    record.extra = (uint16_t) self->target_count;
    link_send (worker->peer, self->id.owner, &record);
    job_report_done (worker, self);
}

static const char *
s_name (const job_t *self, char *buffer, size_t size)
{
    if (self->task)
        return self->task->name;
    const troupe_class_t *described = self->actor ? self->actor->described : NULL;
    if (!described)
        return "actor";
    if (self->method < 0)
        snprintf (buffer, size, "%s", described->name);
    else
        snprintf (buffer, size, "%s.%s", described->name,
                  class_method_name (described, (size_t) self->method));
    return buffer;
}

/*  Answers with the fault, prefixed by what failed, or by its name if that is
    NULL, and where.                                                        */
static void
s_answer_fault (worker_t *worker, job_t *self, const char *what, fault_t *fault)
{
    char name [2 * TROUPE_NAME_MAX + 8];
    fault_prefix (fault, "%s on %s", what ? what : s_name (self, name, sizeof name),
                  worker->peer->identity.label);
    s_answer (worker, self, RECORD_FAULT, fault->code, (const uint8_t *) fault->text,
              strlen (fault->text));
}

void
job_fail (worker_t *worker, job_t *self, troupe_error_t code, const char *format, ...)
{
    fault_t fault;
    va_list args;
    va_start (args, format);
    fault_set_list (&fault, code, format, args);
    va_end (args);
    s_answer_fault (worker, self, NULL, &fault);
    job_destroy (worker, self);
}

void
job_fail_argument (worker_t *worker, job_t *self, uint32_t code, const void *text,
                   size_t length)
{
    fault_t fault;
    fault_set_cause (&fault, (troupe_error_t) code, "argument failed", text, length);
    s_answer_fault (worker, self, NULL, &fault);
    job_destroy (worker, self);
}

/*  --- answers that come later ------------------------------------------  */

/*  An answer that comes from a future that the function returned, or waits for
    holds that it gave. If that was a method, its actor may end before.     */
typedef struct {
    settling_t base;
    continuation_t tail;
    worker_t *worker;
    job_t *job;
    troupe_future_t *done;      /*  the future, while it settles            */
    troupe_call_t call;         /*  its result, if there is no future       */
    char what [];
} later_t;

/*  Of the objects in an answer.                                            */
static object_holder_t
s_holder (const job_t *self)
{
    return (object_holder_t){ .process = self->id.owner, .passed = true };
}

/*  A task keeps its lease, but not its slot, until it is answered.         */
static void
s_count_unanswered (worker_t *worker, const job_t *job, int change)
{
    if (!job->task)
        return;
    worker->unanswered += (unsigned) change;
    executor_report_slots (worker);
}

/*  Takes over the job. NULL: no memory, and it was answered so.            */
static later_t *
s_later (worker_t *worker, job_t *job, troupe_call_t *call)
{
    size_t length = strlen (call->what);
    later_t *self = calloc (1, sizeof *self + length + 1);
    if (!self) {
        if (call->objects)
            object_release_all (worker->peer, call->result.data, call->result.size,
                                s_holder (job));
        job_fail (worker, job, TROUPE_ENOMEM, "no memory for the answer");
        return NULL;
    }
    self->worker = worker;
    self->job = job;
    self->base.given.holds = call->given->holds;
    call->given->holds = (bytes_t){ 0 };
    memcpy (self->what, call->what, length);
    job->actor = NULL;
    s_count_unanswered (worker, job, 1);
    return self;
}

static void
s_tail_answer (later_t *self, fault_t *fault)
{
    const troupe_future_t *done = self->done;
    if (fault->code)
        s_answer_fault (self->worker, self->job, self->what, fault);
    else
        s_answer (self->worker, self->job, done->objects ? RECORD_OBJECTS : 0, 0, done->data,
                  done->size);
}

static void
s_tail_settled (worker_t *worker, settling_t *base, const fault_t *fault)
{
    later_t *self = container_of (base, later_t, base);
    troupe_future_t *done = self->done;
    fault_t why = *fault;
    s_count_unanswered (worker, self->job, -1);
    if (why.code && done->state == FUTURE_VALUE && done->objects)
        object_release_all (worker->peer, done->data, done->size, s_holder (self->job));
    if (!why.code && done->state != FUTURE_VALUE)
        fault_set (&why, (troupe_error_t) done->code, "%s", (const char *) done->data);
    s_tail_answer (self, &why);
    job_destroy (worker, self->job);
    future_release (done);
    free (self);
}

/*  Holds what the answer refers to for its owner. That must have arrived if
    somebody else may give up his hold as soon as he hears of the answer; our
    own, if we have one, goes the same way behind it.                       */
static void
s_tail_done (continuation_t *tail, troupe_future_t *done)
{
    later_t *self = container_of (tail, later_t, tail);
    self->done = future_retain (done);
    if (done->state == FUTURE_VALUE && done->objects)
        object_hold_all (self->worker->peer, done->data, done->size, s_holder (self->job),
                         done->holds ? NULL : &self->base.given);
    settle_later (self->worker, &self->base);
}

static void
s_answer_tail (worker_t *worker, job_t *job, troupe_call_t *call)
{
    later_t *self = s_later (worker, job, call);
    if (!self)
        return;
    self->base.settled = s_tail_settled;
    self->tail.run = s_tail_done;
    future_continue (call->tail, &self->tail);
}

static void
s_finish (worker_t *worker, job_t *self, troupe_call_t *call)
{
    if (call->fault.code && call->objects)
        object_release_all (worker->peer, call->result.data, call->result.size,
                            s_holder (self));
    if (call->fault.code)
        s_answer_fault (worker, self, call->what, &call->fault);
    else {
        bool handles = call->future_count || call->actor_count;
        if (handles && self->id.owner != worker->peer->self)
            call_grant (call, self->id.owner);
        uint8_t flags = (uint8_t) ((handles ? RECORD_ACTOR : 0)
                                   | (call->objects ? RECORD_OBJECTS : 0));
        s_answer (worker, self, flags, 0, call->result.data, call->result.size);
    }
    job_destroy (worker, self);
}

static void
s_result_settled (worker_t *worker, settling_t *base, const fault_t *fault)
{
    later_t *self = container_of (base, later_t, base);
    s_count_unanswered (worker, self->job, -1);
    if (fault->code && !self->call.fault.code)
        self->call.fault = *fault;
    /*  What the head learns of the function is how long it ran.            */
    self->job->started = self->job->started ? clock_now () - self->job->started : 0;
    s_finish (worker, self->job, &self->call);
    pthread_mutex_unlock (&worker->peer->lock);
    call_release (&self->call);
    bytes_release (&self->call.result);
    free (self);
    pthread_mutex_lock (&worker->peer->lock);
}

/*  The result waits, with the handles in it; the arguments are not needed.  */
static void
s_answer_settled (worker_t *worker, job_t *job, troupe_call_t *call, int64_t ended)
{
    later_t *self = s_later (worker, job, call);
    if (!self)
        return;
    self->base.settled = s_result_settled;
    self->call = (troupe_call_t){ .peer = call->peer,
                                  .what = self->what,
                                  .owner = call->owner,
                                  .result = call->result,
                                  .objects = call->objects,
                                  .futures = call->futures,
                                  .future_count = call->future_count,
                                  .actors = call->actors,
                                  .actor_count = call->actor_count,
                                  .fault = call->fault };
    call->result = (bytes_t){ 0 };
    call->futures = NULL;
    call->actors = NULL;
    call->future_count = call->actor_count = 0;
    job->started = ended - job->started;
    settle_later (worker, &self->base);
}

/*  Whatever fails after the deadline fails because of it.                  */
static void
s_judge (const job_t *self, troupe_call_t *call, int64_t ended)
{
    if (!call->fault.code || self->deadline > ended)
        return;
    call->fault.code = TROUPE_ETIMEOUT;
    fault_prefix (&call->fault, "deadline passed");
}

static void
s_give_answer (worker_t *worker, job_t *self, troupe_call_t *call, int64_t ended)
{
    s_judge (self, call, ended);
    if (call->tail && !call->fault.code)
        s_answer_tail (worker, self, call);
    else if (object_given_any (call->given))
        s_answer_settled (worker, self, call, ended);
    else
        s_finish (worker, self, call);
    bytes_release (&call->given->holds);
}

int64_t
job_run (worker_t *worker, job_t *self, bytes_t *reuse, int64_t started)
{
    char name [2 * TROUPE_NAME_MAX + 8];
    troupe_t *peer = worker->peer;
    if (!started)
        started = clock_now ();
    if (self->deadline <= started) {
        job_fail (worker, self, TROUPE_ETIMEOUT, "deadline passed before it started");
        return 0;
    }
    troupe_function_t *function
        = self->task ? self->task->function
                     : class_method_function (self->actor->described, (size_t) self->method);
    object_given_t given = { .holds = { 0 } };
    self->running = true;
    troupe_call_t call = { .peer = peer,
                           .what = s_name (self, name, sizeof name),
                           .owner = self->id.owner,
                           .args = self->record.body,
                           .args_size = self->record.body_size,
                           .attachment = self->record.attachment,
                           .attachments = self->record.attachments,
                           .self = self->actor ? self->actor->state : NULL,
                           .actor = self->actor ? &self->actor->reference : NULL,
                           .cancelled = &self->cancelled,
                           .deadline = self->deadline,
                           .given = &given,
                           .result = *reuse };
    peer_thread = (peer_thread_t){ .depth = self->record.number + 1,
                                   .deadline = self->deadline,
                                   .family = &self->family,
                                   .executor = self->task != NULL };
    if (self->task) {
        peer_thread.depth = (uint32_t) (self->record.target >> 32) + 1;
        peer_thread.lease = self->lease;
    }
    self->started = started;
    object_give_begin (peer, &given);
    pthread_mutex_unlock (&peer->lock);
    call_run (&call, function);
    int64_t ended = clock_now ();
    pthread_mutex_lock (&peer->lock);
    object_give_end (&given);
    peer_thread = (peer_thread_t){ .deadline = CLOCK_NEVER };
    peer->now = ended;
    /*  While more tasks wait here, answers gather: a wake-up for each would cost
        more than short ones take. Not those that a call waits for.         */
    peer->gathering = self->task && worker->queued > 0 && !self->target_count && !call.tail;
    s_give_answer (worker, self, &call, ended);
    peer->now = 0;
    peer->gathering = false;
    if (call.tail || call.future_count || call.actor_count || call.arena.blocks
        || call.index.slots) {
        pthread_mutex_unlock (&peer->lock);
        call_release (&call);
        pthread_mutex_lock (&peer->lock);
    }
    *reuse = call.result;
    if (reuse->capacity > 65536)
        bytes_release (reuse);
    return ended;
}
