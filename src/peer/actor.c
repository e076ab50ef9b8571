/*  actor.c - handles to actors: spawning, finding, calling, letting go     */

#include "peer/object.h"
#include "peer/submit.h"

#include "peer/demand.h"
#include "peer/registry.h"

#include <stdio.h>
#include <stdlib.h>

/*  A frame of held calls this full is followed by another.                 */
#define HELD_FULL ((size_t) 1 << 20)

/*  --- references -------------------------------------------------------  */

static void
s_free_held (troupe_actor_t *self)
{
    for (size_t index = 0; index < self->held_count; index++)
        bytes_release (&self->held [index]);
    for (size_t index = 0; index < self->held_argument_count; index++) {
        future_release (self->held_arguments [index].call);
        future_release (self->held_arguments [index].argument);
    }
    free (self->held);
    free (self->held_arguments);
    self->held = NULL;
    self->held_arguments = NULL;
    self->held_count = self->held_argument_count = 0;
}

static void
s_free (troupe_actor_t *self)
{
    if (self->listed)
        id_table_remove (&self->peer->actors, self->id);
    if (self->ready)
        future_release (self->ready);
    s_free_held (self);
    bytes_release (&self->spawn);
    free (self->borrowers);
    free (self->class_name);
    free (self->fault);
    self->peer->handles--;
    free (self);
}

static void
s_send_end (troupe_actor_t *self, uint8_t flags)
{
    record_t end = { .type = RECORD_END, .flags = flags, .target = self->number };
    link_send (self->peer, self->worker, &end);
}

/*  Nobody here holds it any more, nor elsewhere if it is ours.             */
static void
s_let_go (troupe_actor_t *self)
{
    troupe_t *peer = self->peer;
    if (!peer->stopping && self->state == ACTOR_ALIVE) {
        if (self->id.owner == peer->self && !self->named)
            s_send_end (self, 0);
        record_t release = {
            .type = RECORD_RELEASE, .flags = RECORD_ACTOR, .id = self->id, .target = peer->self
        };
        if (self->borrowed)
            link_send (peer, self->id.owner, &release);
    }
    s_free (self);
}

troupe_actor_t *
actor_retain (troupe_actor_t *self)
{
    self->references++;
    return self;
}

void
actor_release (troupe_actor_t *self)
{
    if (--self->references == 0 && self->borrower_count == 0)
        s_let_go (self);
}

void
actor_borrower_add (troupe_actor_t *self, process_t process)
{
    process_t *grown = realloc (self->borrowers, (self->borrower_count + 1) * sizeof *grown);
    if (!grown)
        return;
    self->borrowers = grown;
    self->borrowers [self->borrower_count++] = process;
}

void
actor_borrower_remove (troupe_actor_t *self, process_t process)
{
    for (size_t index = 0; index < self->borrower_count; index++)
        if (self->borrowers [index] == process) {
            self->borrowers [index] = self->borrowers [--self->borrower_count];
            if (self->borrower_count == 0 && self->references == 0)
                s_let_go (self);
            return;
        }
}

static troupe_actor_t *
s_new (troupe_t *peer, tid_t id, const char *class_name, size_t class_length)
{
    troupe_actor_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->peer = peer;
    self->id = id;
    self->references = 1;
    self->class_name = bytes_text (class_name, class_length);
    self->described = registry_class (class_name, class_length);
    if (self->described)
        self->own_signature = class_signature (self->described);
    if (!self->class_name || id_table_put (&peer->actors, id, self)) {
        free (self->class_name);
        free (self);
        return NULL;
    }
    self->listed = true;
    peer->handles++;
    return self;
}

int
actor_reference (troupe_actor_t *self, actor_reference_t *reference)
{
    *reference = (actor_reference_t){ .id = self->id,
                                      .worker = self->worker,
                                      .number = self->number,
                                      .signature = self->signature,
                                      .class_name = self->class_name,
                                      .class_length = strlen (self->class_name) };
    return self->state == ACTOR_ALIVE ? 0 : -1;
}

/*  --- coming up and ending ---------------------------------------------  */

/*  Takes the next of the calls that are held.                              */
static bool
s_next_held (troupe_actor_t *self, size_t *index, frame_reader_t *reader, record_t *record)
{
    while (*index < self->held_count) {
        bytes_t *frame = &self->held [*index];
        if (!reader->data && frame_open (reader, frame->data, frame->size))
            reader->left = 0;
        if (reader->left && frame_next (reader, record) == 1)
            return true;
        reader->data = NULL;
        ++*index;
    }
    return false;
}

void
actor_die (troupe_actor_t *self, troupe_error_t code, const char *text, size_t length)
{
    if (self->state == ACTOR_DEAD)
        return;
    self->state = ACTOR_DEAD;
    self->fault = calloc (1, sizeof *self->fault);
    if (self->fault)
        fault_set (self->fault, code, "%.*s", (int) length, text);
    size_t index = 0;
    frame_reader_t reader = { 0 };
    record_t record;
    actor_retain (self);
    while (s_next_held (self, &index, &reader, &record)) {
        troupe_future_t *future = future_find (self->peer, record.id);
        if (future)
            future_fail (future, code, text, length, 0);
    }
    s_free_held (self);
    actor_release (self);
}

/*  Sends the calls that gathered, in order, but for those that have been
    cancelled, and asks for the values that they wait for. The time that they
    have waited is gone from their deadlines.                               */
static void
s_send_held (troupe_actor_t *self)
{
    troupe_t *peer = self->peer;
    size_t index = 0;
    frame_reader_t reader = { 0 };
    record_t record;
    while (s_next_held (self, &index, &reader, &record)) {
        troupe_future_t *future = future_find (peer, record.id);
        if (!future || future->state != FUTURE_PENDING)
            continue;
        record.target = self->number;
        if (record.deadline)
            record.deadline = future_time_left (future);
        link_send (peer, self->worker, &record);
        future_set_producer (future, self->worker);
    }
    for (index = 0; index < self->held_argument_count; index++) {
        held_argument_t *held = &self->held_arguments [index];
        if (held->call->state != FUTURE_PENDING)
            continue;
        future_add_target (held->argument, self->worker);
        future_pin (held->call, held->argument);
    }
    s_free_held (self);
}

typedef struct {
    continuation_t base;
    troupe_actor_t *actor;
} arrival_t;

/*  Where an actor is: the value of its first future has its worker, number
    and signature, or is a handle if the name had an actor already.         */
static int
s_read_arrival (const troupe_future_t *done, uint64_t where [3], fault_t *fault)
{
    const troupe_out_t outs [] = { { TROUPE_OUT_UINT64, &where [0] },
                                   { TROUPE_OUT_UINT64, &where [1] },
                                   { TROUPE_OUT_UINT64, &where [2] } };
    static const value_reader_t none;
    size_t offset = 0;
    msgpack_token_t token;
    actor_reference_t reference;
    if (token_next (done->data, done->size, &offset, &token) == 0
        && token.type == TROUPE_ACTOR && token_actor (&token, &reference) == 0) {
        where [0] = reference.worker;
        where [1] = reference.number;
        where [2] = reference.signature;
        return 0;
    }
    return value_read_list (done->data, done->size, outs, 3, "value", &none, fault);
}

static void
s_arrived (continuation_t *base, troupe_future_t *done)
{
    troupe_actor_t *self = ((arrival_t *) base)->actor;
    free (base);
    uint64_t where [3] = { 0 };
    fault_t fault;
    if (done->state == FUTURE_FAILED)
        actor_die (self, (troupe_error_t) done->code, (const char *) done->data, done->size);
    else if (s_read_arrival (done, where, &fault))
        actor_die (self, TROUPE_EPROTOCOL, fault.text, strlen (fault.text));
    else if (link_is_dead (self->peer, where [0]))
        actor_die (self, TROUPE_ELOST, "the actor's worker has ended", 28);
    else if (self->state == ACTOR_STARTING) {
        self->worker = where [0];
        self->number = where [1];
        self->signature = where [2];
        self->state = ACTOR_ALIVE;
        s_send_held (self);
        if (self->killed)
            s_send_end (self, RECORD_KILL);
    }
    actor_release (self);
}

static int
s_await_arrival (troupe_actor_t *self)
{
    arrival_t *arrival = calloc (1, sizeof *arrival);
    if (!arrival)
        return -1;
    arrival->base.run = s_arrived;
    arrival->actor = actor_retain (self);
    future_continue (self->ready, &arrival->base);
    return 0;
}

troupe_actor_t *
actor_borrow (troupe_t *peer, const actor_reference_t *reference)
{
    troupe_actor_t *self = id_table_get (&peer->actors, reference->id);
    if (self)
        return actor_retain (self);
    self = s_new (peer, reference->id, reference->class_name, reference->class_length);
    if (!self)
        return NULL;
    self->worker = reference->worker;
    self->number = reference->number;
    self->signature = reference->signature;
    self->state = ACTOR_ALIVE;
    if (reference->id.owner != peer->self) {
        record_t borrow = { .type = RECORD_BORROW,
                            .flags = RECORD_ACTOR,
                            .id = reference->id,
                            .target = peer->self };
        self->borrowed = true;
        link_send (peer, reference->id.owner, &borrow);
    } else
        self->named = true;     /*  found by name, or its own method's      */
    if (reference->number) {
        if (link_is_dead (peer, self->worker))
            actor_die (self, TROUPE_ELOST, "the actor's worker has ended", 28);
        return self;
    }
    self->state = ACTOR_STARTING;
    self->ready = future_borrow (peer, reference->id);
    if (!self->ready || s_await_arrival (self)) {
        actor_release (self);
        return NULL;
    }
    return self;
}

static troupe_actor_t *
s_find_on (troupe_t *peer, process_t process)
{
    size_t cursor = 0;
    for (troupe_actor_t *self; (self = id_table_next (&peer->actors, &cursor));)
        if (self->worker == process && self->state == ACTOR_ALIVE)
            return self;
    return NULL;
}

void
actor_lose_process (troupe_t *peer, process_t process, const fault_t *why)
{
    for (troupe_actor_t *self; (self = s_find_on (peer, process));) {
        char text [FAULT_TEXT_MAX];
        int length = snprintf (text, sizeof text, "actor %s was on %s", self->class_name,
                               why->text);
        if ((size_t) length >= sizeof text)
            length = sizeof text - 1;
        actor_die (self, why->code, text, (size_t) length);
    }
    bool again = true;
    while (again) {
        again = false;
        size_t cursor = 0;
        for (troupe_actor_t *self; (self = id_table_next (&peer->actors, &cursor));) {
            for (size_t index = 0; index < self->borrower_count; index++)
                again = again || self->borrowers [index] == process;
            if (!again)
                continue;
            actor_borrower_remove (self, process);
            break;
        }
    }
}

/*  --- spawning ---------------------------------------------------------  */

/*  A spawn whose arguments are not all there yet.                          */
typedef struct {
    continuation_t base;
    troupe_actor_t *actor;
    troupe_future_t *needed;
} spawn_wait_t;

static void
s_send_spawn (troupe_actor_t *self)
{
    link_t *link = &self->peer->head;
    frame_reader_t reader;
    record_t record;
    if (frame_open (&reader, self->spawn.data, self->spawn.size) == 0
        && frame_next (&reader, &record) == 1 && record_write (&link->frame, &record) == 0)
        link_commit (self->peer, link);
    bytes_release (&self->spawn);
}

static void
s_argument_done (continuation_t *base, troupe_future_t *done)
{
    spawn_wait_t *wait = (spawn_wait_t *) base;
    troupe_actor_t *self = wait->actor;
    free (wait);
    if (done->state == FUTURE_FAILED) {
        fault_t fault;
        fault_set_cause (&fault, (troupe_error_t) done->code, "argument failed", done->data,
                         done->size);
        fault_prefix (&fault, "%s", self->class_name);
        future_fail_fault (self->ready, &fault);
    } else if (self->ready->state == FUTURE_PENDING) {
        /*  The one record of the frame ends here, so it may still grow.    */
        record_attach (&self->spawn, FRAME_HEADER, future_id (done), done->data, done->size,
                       false);
        store_u16 (self->spawn.data + 2, 0);
        if (record_end (&self->spawn, FRAME_HEADER))
            future_fail (self->ready, TROUPE_ENOMEM, "no memory for the spawn", 23, 0);
        else if (--self->spawn_missing == 0)
            s_send_spawn (self);
    }
    actor_release (self);
}

static void
s_await_arguments (troupe_actor_t *self, submission_t *call)
{
    for (size_t index = 0; index < call->needed_count; index++)
        self->spawn_missing += call->needed [index]->state == FUTURE_PENDING;
    if (!self->spawn_missing) {
        s_send_spawn (self);
        return;
    }
    for (size_t index = 0; index < call->needed_count; index++) {
        if (call->needed [index]->state != FUTURE_PENDING)
            continue;
        spawn_wait_t *wait = calloc (1, sizeof *wait);
        if (!wait) {
            future_fail (self->ready, TROUPE_ENOMEM, "no memory for the spawn", 23, 0);
            return;
        }
        wait->base.run = s_argument_done;
        wait->actor = actor_retain (self);
        future_continue (call->needed [index], &wait->base);
    }
}

/*  The body: an array of class, name or nil, and arguments.                */
static int
s_spawn_prefix (bytes_t *prefix, const char *class_name, const char *name)
{
    troupe_arg_t given = troupe_arg_string (name);
    fault_t fault;
    return value_put_array (prefix, 3)
                   || value_put_string (prefix, class_name, strlen (class_name))
                   || value_write (prefix, &given, NULL, &fault)
               ? -1
               : 0;
}

static int
s_write_spawn (troupe_actor_t *self, submission_t *call, record_t *record,
               const bytes_t *prefix, bool demands, const troupe_arg_t *args, size_t count)
{
    if (demands)
        record->flags |= RECORD_OPTIONS;
    if (call->options.detached)
        record->flags |= RECORD_DETACHED;
    return submission_write (call, &self->spawn, record, prefix, args, count, true);
}

static troupe_actor_t *
s_spawn (troupe_t *peer, const char *class_name, const troupe_arg_t *args, size_t count)
{
    submission_t call;
    call.what = class_name;
    call.method = NULL;
    int rc = submission_begin (&call, peer, HEAD_PROCESS, args, count);
    if (!call.future)
        return NULL;
    troupe_actor_t *self
        = s_new (peer, future_id (call.future), class_name, strlen (class_name));
    if (!self) {
        future_fail (call.future, TROUPE_ENOMEM, "no memory", 9, 0);
        future_release (call.future);
        return NULL;
    }
    self->ready = call.future;
    self->ready->shared = true;
    self->named = call.options.name != NULL;
    self->signature = self->own_signature;
    if (s_await_arrival (self)) {
        future_fail (call.future, TROUPE_ENOMEM, "no memory", 9, 0);
        actor_release (self);
        return NULL;
    }
    if (rc)
        return self;
    bytes_t prefix = { 0 };
    record_t record = { .type = RECORD_SPAWN, .number = peer_thread.depth };
    bool demands = false;
    call.options.timeout_ms = 0;
    if (demand_write (&prefix, &call.options, true, &demands, &call.fault))
        future_fail_fault (call.future, &call.fault);
    else if (self->named && strlen (call.options.name) > TROUPE_NAME_MAX)
        future_fail (call.future, TROUPE_EINVAL, "the name is too long", 20, 0);
    else if (s_spawn_prefix (&prefix, class_name, call.options.name))
        future_fail (call.future, TROUPE_ENOMEM, "no memory", 9, 0);
    else if (s_write_spawn (self, &call, &record, &prefix, demands, args, count) == 0)
        s_await_arguments (self, &call);
    submission_end (&call);
    bytes_release (&prefix);
    return self;
}

troupe_actor_t *
troupe_class_spawn (troupe_t *peer, const troupe_class_t *actor, const troupe_arg_t *args,
                    size_t count)
{
    return troupe_class_spawn_by_name (peer, actor ? actor->name : NULL, args, count);
}

troupe_actor_t *
troupe_class_spawn_by_name (troupe_t *peer, const char *name, const troupe_arg_t *args,
                            size_t count)
{
    if (!peer || !name || !*name || strlen (name) > TROUPE_NAME_MAX) {
        object_discard (args, count);
        fault_raise (TROUPE_EINVAL, "troupe_spawn: no runtime or no valid class");
        return NULL;
    }
    object_arguments_t large;
    troupe_actor_t *self = NULL;
    int rc = object_arguments (&large, peer, args, count);
    pthread_mutex_lock (&peer->lock);
    if (rc == 0)
        self = s_spawn (peer, name, large.args, count);
    pthread_mutex_unlock (&peer->lock);
    object_arguments_release (&large, args);
    if (!self)
        fault_raise (TROUPE_ENOMEM, "no memory for an actor");
    return self;
}

troupe_future_t *
actor_find (troupe_t *peer, const char *name)
{
    if (!peer || !name || !*name || strlen (name) > TROUPE_NAME_MAX) {
        fault_raise (TROUPE_EINVAL, "troupe_find: no runtime or no valid name");
        return NULL;
    }
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *future = future_new (peer, HEAD_PROCESS);
    if (future) {
        record_t find = { .type = RECORD_FIND,
                          .id = future_id (future),
                          .body = (const uint8_t *) name,
                          .body_size = (uint32_t) strlen (name) };
        link_send (peer, HEAD_PROCESS, &find);
    }
    pthread_mutex_unlock (&peer->lock);
    if (!future)
        fault_raise (TROUPE_ENOMEM, "no memory for a future");
    return future;
}

troupe_actor_t *
troupe_find (troupe_t *peer, const char *name)
{
    troupe_actor_t *actor = NULL;
    troupe_future_t *future = actor_find (peer, name);
    if (!future || troupe_get (future, &actor))
        actor = NULL;
    troupe_future_destroy (&future);
    return actor;
}

/*  --- calling ----------------------------------------------------------  */

/*  How the method is named in the record: by its position if the program
    has the class that the actor is of, else by its name.                   */
static int
s_method (troupe_actor_t *self, const char *name, troupe_function_t *function, record_t *record,
          bytes_t *prefix, fault_t *fault)
{
    bool same = self->described
                && (self->state == ACTOR_STARTING || self->signature == self->own_signature);
    if (same) {
        int index = function ? class_method_by_function (self->described, function)
                             : class_method_by_name (self->described, name, strlen (name));
        if (index < 0)
            return fault_set (fault, TROUPE_ENAME, "actor class '%s' has no method '%s'",
                              self->class_name, name);
        record->extra = (uint16_t) index;
        return 0;
    }
    record->flags |= RECORD_BY_NAME;
    record->extra = (uint16_t) strlen (name);
    if (bytes_append (prefix, name, strlen (name)) || bytes_align (prefix))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the call");
    return 0;
}

/*  Where the next call to be held goes. NULL when there is no memory.      */
static bytes_t *
s_held_frame (troupe_actor_t *self)
{
    if (self->held_count && self->held [self->held_count - 1].size < HELD_FULL)
        return &self->held [self->held_count - 1];
    bytes_t *grown = realloc (self->held, (self->held_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    self->held = grown;
    self->held [self->held_count] = (bytes_t){ 0 };
    return &self->held [self->held_count++];
}

/*  Keeps what a held call waits for, until there is somebody to send it to. */
static int
s_hold_arguments (troupe_actor_t *self, submission_t *call)
{
    for (size_t index = 0; index < call->needed_count; index++) {
        troupe_future_t *future = call->needed [index];
        if (future->state != FUTURE_PENDING)
            continue;
        held_argument_t *grown = realloc (
            self->held_arguments, (self->held_argument_count + 1) * sizeof *grown);
        if (!grown)
            return -1;
        self->held_arguments = grown;
        self->held_arguments [self->held_argument_count++] = (held_argument_t){
            .call = future_retain (call->future), .argument = future_retain (future)
        };
    }
    return 0;
}

static void
s_write_call (troupe_actor_t *self, submission_t *call, record_t *record,
              const bytes_t *prefix, const troupe_arg_t *args, size_t count)
{
    troupe_t *peer = self->peer;
    if (self->state == ACTOR_STARTING) {
        bytes_t *frame = s_held_frame (self);
        call->future->pending.producer = PRODUCER_UNKNOWN;
        if (!frame
            || (submission_write (call, frame, record, prefix, args, count, false) == 0
                && s_hold_arguments (self, call)))
            future_fail (call->future, TROUPE_ENOMEM, "no memory for the call", 22, 0);
        return;
    }
    link_t *link = link_to (peer, self->worker);
    record->target = self->number;
    if (!link)
        future_fail (call->future, TROUPE_ELOST, "the actor's worker has ended", 28, 0);
    else if (submission_write (call, &link->frame, record, prefix, args, count, false) == 0) {
        link_commit (peer, link);
        submission_subscribe (call, self->worker);
    }
}

static troupe_future_t *
s_call (troupe_actor_t *self, const char *name, troupe_function_t *function,
        const troupe_arg_t *args, size_t count)
{
    submission_t call;
    call.what = self->class_name;
    call.method = name;
    bytes_t prefix = { 0 };
    record_t record = { .type = RECORD_CALL, .number = peer_thread.depth };
    if (submission_begin (&call, self->peer, self->worker, args, count))
        return call.future;
    if (self->state == ACTOR_DEAD) {
        fault_set (&call.fault, self->fault ? self->fault->code : TROUPE_EENDED, "%s.%s: %s",
                   self->class_name, name, self->fault ? self->fault->text : "ended");
        future_fail_fault (call.future, &call.fault);
    } else if (s_method (self, name, function, &record, &prefix, &call.fault))
        future_fail_fault (call.future, &call.fault);
    else
        s_write_call (self, &call, &record, prefix.size ? &prefix : NULL, args, count);
    if (call.future->state == FUTURE_PENDING)
        call.future->pending.callee = actor_retain (self);
    submission_end (&call);
    bytes_release (&prefix);
    return call.future;
}

troupe_future_t *
troupe_method_call (troupe_actor_t *self, const char *name, troupe_function_t *function,
                    const troupe_arg_t *args, size_t count)
{
    if (!self || !name || !*name || strlen (name) > 2 * TROUPE_NAME_MAX) {
        object_discard (args, count);
        fault_raise (TROUPE_EINVAL, "troupe_call: no actor or no valid method");
        return NULL;
    }
    troupe_t *peer = self->peer;
    object_arguments_t large;
    troupe_future_t *future = NULL;
    int rc = object_arguments (&large, peer, args, count);
    pthread_mutex_lock (&peer->lock);
    if (rc == 0)
        future = s_call (self, name, function, large.args, count);
    pthread_mutex_unlock (&peer->lock);
    object_arguments_release (&large, args);
    return future;
}

/*  --- handles ----------------------------------------------------------  */

troupe_actor_t *
troupe_actor_dup (troupe_actor_t *self)
{
    if (!self)
        return NULL;
    pthread_mutex_lock (&self->peer->lock);
    actor_retain (self);
    pthread_mutex_unlock (&self->peer->lock);
    return self;
}

void
troupe_actor_destroy (troupe_actor_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    troupe_actor_t *self = *self_p;
    troupe_t *peer = self->peer;
    *self_p = NULL;
    pthread_mutex_lock (&peer->lock);
    actor_release (self);
    peer_unlock (peer);
}

int
troupe_actor_kill (troupe_actor_t *self)
{
    if (!self)
        return fault_raise (TROUPE_EINVAL, "troupe_actor_kill: no actor");
    troupe_t *peer = self->peer;
    pthread_mutex_lock (&peer->lock);
    if (self->state == ACTOR_ALIVE)
        s_send_end (self, RECORD_KILL);
    else if (self->state == ACTOR_STARTING)
        self->killed = true;
    pthread_mutex_unlock (&peer->lock);
    return 0;
}

troupe_future_t *
troupe_actor_ready (troupe_actor_t *self)
{
    if (!self) {
        fault_raise (TROUPE_EINVAL, "troupe_actor_ready: no actor");
        return NULL;
    }
    if (self->ready)
        return troupe_future_dup (self->ready);
    return troupe_put_arg (self->peer, troupe_nil ());
}
