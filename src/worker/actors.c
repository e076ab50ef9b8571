/*  actors.c - zactors that hold objects and run their methods              */

#include "worker/worker_private.h"

#include "peer/registry.h"

#include <stdio.h>
#include <stdlib.h>

#define MAILBOX_MAX 1000000

/*  Callers whose next call waits for its arguments, beyond which a search
    of a mailbox gives up for the time being.                               */
#define WAITING_CALLERS_MAX 16

/*  --- the mailbox ------------------------------------------------------  */

/*  The first call that may run: its arguments are there, and no earlier
    call of the same caller still waits.                                    */
static job_t *
s_next (worker_actor_t *self)
{
    process_t waiting [WAITING_CALLERS_MAX];
    size_t count = 0;
    for (list_node_t *node = self->mailbox.next; node != &self->mailbox; node = node->next) {
        job_t *job = container_of (node, job_t, node);
        bool behind = false;
        for (size_t index = 0; index < count; index++)
            behind = behind || waiting [index] == job->sender;
        if (behind)
            continue;
        if (!job->unresolved)
            return job;
        if (count == WAITING_CALLERS_MAX)
            return NULL;
        waiting [count++] = job->sender;
    }
    return NULL;
}

void
actors_kick (worker_actor_t *self)
{
    unsigned most = self->constructed ? self->runner_count : 1;
    if (self->running >= most && !self->ending)
        return;
    for (unsigned index = 0; index < self->runner_count; index++) {
        runner_t *runner = &self->runners [index];
        if (runner->waiter.ready || !list_linked (&runner->idle))
            continue;
        list_remove (&runner->idle);
        peer_wake (self->worker->peer, &runner->waiter);
        if (!self->ending)
            return;
    }
}

static worker_actor_t *
s_actor (worker_t *worker, uint64_t number)
{
    return id_table_get (&worker->actors, (tid_t){ 0, number });
}

/*  The position of the method that a call names, or -1 after the call has
    been answered.                                                          */
static int
s_find_method (worker_t *worker, job_t *job)
{
    const troupe_class_t *described = job->actor->described;
    const char *name = (const char *) job->record.body;
    if (job->record.flags & RECORD_BY_NAME) {
        uint32_t prefix = (job->record.extra + 7u) & ~7u;
        if (prefix > job->record.body_size) {
            job_fail (worker, job, TROUPE_EPROTOCOL, "malformed call");
            return -1;
        }
        job->record.body += prefix;
        job->record.body_size -= prefix;
        job->method = class_method_by_name (described, name, job->record.extra);
        if (job->method >= 0)
            return job->method;
        job_fail (worker, job, TROUPE_ENAME, "actor class '%s' has no method '%.*s'",
                  described->name, (int) job->record.extra, name);
        return -1;
    }
    job->method = job->record.extra;
    if ((size_t) job->method < class_method_count (described))
        return job->method;
    job->method = -1;
    job_fail (worker, job, TROUPE_ENAME, "actor class '%s' has no method %u", described->name,
              (unsigned) job->record.extra);
    return -1;
}

static bool
s_is_list (const record_t *record)
{
    size_t offset = 0;
    msgpack_token_t token;
    return token_next (record->body, record->body_size, &offset, &token) == 0
           && token.type == TROUPE_LIST;
}

/*  Why an actor is not there any more.                                     */
static void
s_set_ended (const worker_t *worker, fault_t *fault)
{
    const fault_t *lost = &worker->peer->lost;
    if (lost->code)
        fault_set (fault, lost->code, "the actor has ended, as %s", lost->text);
    else if (worker->peer->ending)
        fault_set (fault, TROUPE_ESTOPPED, "the actor has ended, as the cluster was stopped");
    else
        fault_set (fault, TROUPE_EENDED, "the actor has ended%s",
                   worker->stopping ? " with its worker" : "");
}

static void
s_fail_ended (worker_t *worker, job_t *job)
{
    fault_t fault;
    s_set_ended (worker, &fault);
    job_fail (worker, job, fault.code, "%s", fault.text);
}

void
actors_accept_call (worker_t *worker, const record_t *record, batch_t *batch, process_t sender)
{
    if (record->id.owner != sender)
        return;
    job_t *job = job_new (worker, record, batch, sender);
    if (!job)
        return;
    worker_actor_t *actor = s_actor (worker, record->target);
    job->actor = actor;
    job->method = -1;
    if (!actor || actor->ending) {
        s_fail_ended (worker, job);
        return;
    }
    if (s_find_method (worker, job) < 0)
        return;
    if (!value_check (job->record.body, job->record.body_size, true)
        || !s_is_list (&job->record)) {
        job_fail (worker, job, TROUPE_EPROTOCOL, "malformed arguments");
        return;
    }
    if (actor->waiting >= actor->waiting_max) {
        job_fail (worker, job, TROUPE_ELIMIT, "%zu calls wait already", actor->waiting);
        return;
    }
    if (record->attachments && job_await_arguments (worker, job))
        return;
    list_append (&actor->mailbox, &job->node);
    actor->waiting++;
    if (!job->unresolved)
        actors_kick (actor);
}

/*  --- life -------------------------------------------------------------  */

static void
s_report_up (worker_actor_t *self)
{
    uint8_t signature [8];
    troupe_t *peer = self->worker->peer;
    store_u64 (signature, self->reference.signature);
    record_t up = { .type = RECORD_ACTOR_UP,
                    .id = self->reference.id,
                    .target = self->reference.number,
                    .body = signature,
                    .body_size = sizeof signature };
    link_send (peer, HEAD_PROCESS, &up);
    bytes_t body = { 0 };
    value_put_array (&body, 3);
    value_put_uint (&body, self->reference.worker);
    value_put_uint (&body, self->reference.number);
    value_put_uint (&body, self->reference.signature);
    record_t result = { .type = RECORD_RESULT,
                        .id = self->reference.id,
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    link_send (peer, self->reference.id.owner, &result);
    bytes_release (&body);
}

static void
s_report_failure (worker_t *worker, tid_t id, const char *class_name, fault_t *fault)
{
    fault_prefix (fault, "%s on %s", class_name, worker->peer->identity.label);
    record_t result = { .type = RECORD_RESULT,
                        .flags = RECORD_FAULT,
                        .number = fault->code,
                        .id = id,
                        .body = (const uint8_t *) fault->text,
                        .body_size = (uint32_t) strlen (fault->text) };
    record_t down = { .type = RECORD_ACTOR_DOWN, .id = id };
    link_send (worker->peer, id.owner, &result);
    link_send (worker->peer, HEAD_PROCESS, &down);
}

/*  What the constructor gave has arrived before others hear that the actor is
    there. Its own calls wait meanwhile, and nobody else's.                 */
static void
s_settle_given (troupe_t *peer, object_given_t *given, fault_t *fault)
{
    size_t index = 0;
    while (!fault->code && object_given_any (given)
           && (given->holds.failed || index < object_given_count (given)))
        object_settle (peer, given, index++, fault);
    bytes_release (&given->holds);
}

/*  Runs the constructor. Called by the first runner, with the lock, which
    it releases meanwhile.                                                  */
static void
s_construct (worker_actor_t *self)
{
    troupe_t *peer = self->worker->peer;
    job_t *birth = self->birth;
    object_given_t given = { .holds = { 0 } };
    troupe_call_t call = { .peer = peer,
                           .what = self->described->name,
                           .args = birth->record.body,
                           .args_size = birth->record.body_size,
                           .attachment = birth->record.attachment,
                           .attachments = birth->record.attachments,
                           .self = self->state,
                           .actor = &self->reference,
                           .cancelled = &birth->cancelled,
                           .deadline = CLOCK_NEVER,
                           .given = &given };
    peer_thread = (peer_thread_t){ .depth = birth->record.number + 1,
                                   .deadline = CLOCK_NEVER,
                                   .family = &birth->family };
    object_give_begin (peer, &given);
    pthread_mutex_unlock (&peer->lock);
    if (self->described->init)
        call_run (&call, self->described->init);
    else if (troupe_arg_count (&call))
        fault_set (&call.fault, TROUPE_EINVAL, "the class takes no arguments");
    call_release (&call);
    peer_thread.family = NULL;
    pthread_mutex_lock (&peer->lock);
    object_give_end (&given);
    /*  Nobody gets what a constructor returns.                             */
    if (call.objects)
        object_release_all (peer, call.result.data, call.result.size,
                            (object_holder_t){ .process = call.owner, .passed = true });
    bytes_release (&call.result);
    s_settle_given (peer, &given, &call.fault);
    bool failed = call.fault.code != 0;
    if (failed) {
        s_report_failure (self->worker, self->reference.id, self->described->name, &call.fault);
        self->ending = true;
    } else
        s_report_up (self);
    self->constructed = !failed;
    job_destroy (self->worker, birth);
    self->birth = NULL;
    if (!list_empty (&self->mailbox) || self->ending)
        actors_kick (self);
}

static void
s_fail_waiting (worker_actor_t *self)
{
    while (!list_empty (&self->mailbox)) {
        job_t *job = container_of (self->mailbox.next, job_t, node);
        self->waiting--;
        s_fail_ended (self->worker, job);
    }
}

/*  It was told to end before it was constructed.                           */
static void
s_fail_birth (worker_actor_t *self)
{
    fault_t fault;
    s_set_ended (self->worker, &fault);
    s_report_failure (self->worker, self->birth->id, self->described->name, &fault);
    job_destroy (self->worker, self->birth);
    self->birth = NULL;
}

/*  The last runner to leave destroys the object.                           */
static void
s_leave (worker_actor_t *self)
{
    worker_t *worker = self->worker;
    troupe_t *peer = worker->peer;
    if (--self->living)
        return;
    s_fail_waiting (self);
    if (self->birth)
        s_fail_birth (self);
    if (self->constructed && self->described->term) {
        pthread_mutex_unlock (&peer->lock);
        self->described->term (self->state);
        pthread_mutex_lock (&peer->lock);
    }
    if (self->constructed) {
        record_t down = { .type = RECORD_ACTOR_DOWN, .id = self->reference.id };
        link_send (peer, HEAD_PROCESS, &down);
    }
    id_table_remove (&worker->actors, (tid_t){ 0, self->reference.number });
    list_append (&worker->dead, &self->node);
    worker_wake_main (worker);
}

static void
s_run (void *arg)
{
    runner_t *runner = arg;
    worker_actor_t *self = runner->actor;
    troupe_t *peer = self->worker->peer;
    bytes_t reuse = { 0 };
    int64_t time = 0;
    list_t alone;
    list_init (&alone);
    pthread_mutex_lock (&peer->lock);
    if (runner == &self->runners [0] && !self->ending)
        s_construct (self);
    for (;;) {
        job_t *job = self->constructed ? s_next (self) : NULL;
        if (job) {
            list_remove (&job->node);
            self->waiting--;
            self->running++;
            time = job_run (self->worker, job, &reuse, time);
            self->running--;
            continue;
        }
        if (self->ending || peer->stopping)
            break;
        time = 0;
        runner->waiter.ready = false;
        list_append (&alone, &runner->idle);
        int rc = peer_wait (peer, &runner->waiter, CLOCK_NEVER);
        list_remove (&runner->idle);
        if (rc < 0)
            break;
    }
    s_leave (self);
    pthread_mutex_unlock (&peer->lock);
    bytes_release (&reuse);
}

/*  --- making and reaping -----------------------------------------------  */

/*  Takes the SPAWN's body apart: class, name, arguments.                   */
static int
s_parse (job_t *job, char *class_name)
{
    size_t offset = 0;
    msgpack_token_t list, name;
    const uint8_t *body = job->record.body;
    size_t size = job->record.body_size;
    if (!value_check (body, size, true) || token_next (body, size, &offset, &list)
        || list.type != TROUPE_LIST || list.count != 3
        || token_next (body, size, &offset, &name) || name.type != TROUPE_STRING
        || name.size > TROUPE_NAME_MAX)
        return -1;
    memcpy (class_name, name.data, name.size);
    class_name [name.size] = 0;
    if (value_skip (body, size, &offset))
        return -1;
    job->record.body += offset;
    job->record.body_size -= (uint32_t) offset;
    return s_is_list (&job->record) ? 0 : -1;
}

void
actors_accept_spawn (worker_t *worker, const record_t *record, batch_t *batch)
{
    job_t *job = job_new (worker, record, batch, record->id.owner);
    worker_actor_t *self = job ? calloc (1, sizeof *self) : NULL;
    if (!self) {
        if (job)
            job_fail (worker, job, TROUPE_ENOMEM, "no memory for an actor");
        return;
    }
    self->worker = worker;
    self->birth = job;
    list_init (&self->mailbox);
    list_append (&worker->births, &self->node);
    worker_wake_main (worker);
}

static void
s_discard (worker_t *worker, worker_actor_t *self, fault_t *fault, const char *class_name)
{
    s_report_failure (worker, self->birth->id, class_name, fault);
    job_destroy (worker, self->birth);
    free (self->state);
    free (self->runners);
    free (self);
}

/*  Starts the runners. If not all can start, those that did end by
    themselves.                                                             */
static int
s_start (worker_actor_t *self, fault_t *fault)
{
    troupe_t *peer = self->worker->peer;
    for (unsigned index = 0; index < self->runner_count; index++) {
        runner_t *runner = &self->runners [index];
        runner->actor = self;
        runner->worker = self->worker;
        runner->waiter = (peer_waiter_t) PEER_WAITER_INIT;
    }
    for (unsigned index = self->runner_count; index--;) {
        runner_t *runner = &self->runners [index];
        pthread_mutex_unlock (&peer->lock);
        runner->thread = thread_new (s_run, runner, fault);
        pthread_mutex_lock (&peer->lock);
        if (!runner->thread) {
            self->living -= index + 1;
            return -1;
        }
    }
    return 0;
}

/*  A module may have brought classes that the head has not heard of.       */
static void
s_tell_classes (worker_t *worker)
{
    const troupe_class_t *newest = registry_classes ();
    if (newest == worker->told)
        return;
    worker->told = newest;
    peer_send_classes (worker->peer);
}

void
actors_make (worker_t *worker, worker_actor_t *self)
{
    char class_name [TROUPE_NAME_MAX + 1] = "actor";
    fault_t fault = { 0 };
    troupe_t *peer = worker->peer;
    if (s_parse (self->birth, class_name)) {
        fault_set (&fault, TROUPE_EPROTOCOL, "malformed spawn");
        s_discard (worker, self, &fault, class_name);
        return;
    }
    pthread_mutex_unlock (&peer->lock);
    self->described = module_find_class (class_name, &fault);
    pthread_mutex_lock (&peer->lock);
    s_tell_classes (worker);
    if (atomic_load (&self->birth->cancelled))
        fault_set (&fault, TROUPE_ECANCELLED, "it was cancelled, or its owner has ended");
    else if (self->described) {
        self->runner_count = self->described->concurrency ? self->described->concurrency : 1;
        self->living = self->runner_count;
        self->runners = calloc (self->runner_count, sizeof *self->runners);
        self->state = calloc (1, self->described->state_size ? self->described->state_size : 1);
        if (!self->runners || !self->state)
            fault_set (&fault, TROUPE_ENOMEM, "no memory for the actor");
    }
    if (fault.code) {
        s_discard (worker, self, &fault, class_name);
        return;
    }
    self->waiting_max = self->described->mailbox ? self->described->mailbox : MAILBOX_MAX;
    self->detached = self->birth->record.flags & RECORD_DETACHED;
    self->reference = (actor_reference_t){ .id = self->birth->id,
                                           .worker = peer->self,
                                           .number = ++worker->numbers,
                                           .signature = class_signature (self->described),
                                           .class_name = self->described->name,
                                           .class_length = strlen (self->described->name) };
    int rc = id_table_put (&worker->actors, (tid_t){ 0, self->reference.number }, self);
    if (rc)
        fault_set (&fault, TROUPE_ENOMEM, "no memory for the actor");
    else
        rc = s_start (self, &fault);
    if (rc == 0)
        return;
    id_table_remove (&worker->actors, (tid_t){ 0, self->reference.number });
    self->ending = true;
    if (self->living == 0) {
        s_discard (worker, self, &fault, class_name);
        return;
    }
    s_report_failure (worker, self->birth->id, class_name, &fault);
    job_destroy (worker, self->birth);
    self->birth = NULL;
    actors_kick (self);
}

void
actors_reap (worker_t *worker, worker_actor_t *self)
{
    troupe_t *peer = worker->peer;
    pthread_mutex_unlock (&peer->lock);
    for (unsigned index = 0; index < self->runner_count; index++)
        thread_join (&self->runners [index].thread, 1000);
    pthread_mutex_lock (&peer->lock);
    free (self->state);
    free (self->runners);
    free (self);
}

static void
s_end (worker_actor_t *self, bool kill)
{
    self->ending = true;
    if (kill)
        s_fail_waiting (self);
    actors_kick (self);
}

void
actors_end (worker_t *worker, uint64_t number, bool kill)
{
    worker_actor_t *self = s_actor (worker, number);
    if (self)
        s_end (self, kill);
}

void
actors_end_named (worker_t *worker, tid_t id)
{
    size_t cursor = 0;
    /*  It may not have been made yet.                                      */
    worker_cancel (worker, id);
    for (worker_actor_t *self; (self = id_table_next (&worker->actors, &cursor));)
        if (tid_equal (self->reference.id, id)) {
            s_end (self, true);
            return;
        }
}

void
actors_lose_owner (worker_t *worker, process_t owner)
{
    size_t cursor = 0;
    for (worker_actor_t *self; (self = id_table_next (&worker->actors, &cursor));)
        if (owner == 0 || (self->reference.id.owner == owner && !self->detached))
            s_end (self, true);
}
