/*  head.c - the head's shell: receives, asks the state, sends              */

#include "head/head_shell.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define DRAIN_MAX 256
#define STOP_TIMEOUT_MS 6000

/*  How long a head that ends waits for workers to end, and then for the others to
    say that they know.                                                     */
#define ENDING (2000 * CLOCK_MS)
#define PARTING (3000 * CLOCK_MS)

/*  After so much has come, and then nothing for this long, what frames have left
    in the heap goes back to the system.                                    */
#define TRIM_BYTES ((uint64_t) 16 << 20)
#define TRIM_QUIET (100 * CLOCK_MS)

#define PROGRAM_BYTES_MAX (UINT64_C (2) << 30)

void
head_log (head_t *self, const char *format, ...)
{
    char text [512];
    if (!self->log)
        return;
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->log (self->log_context, text);
}

/*  --- doing what the state wants ---------------------------------------  */

static void
s_send_found (head_t *self, const head_action_t *action)
{
    const head_actor_t *actor = action->actor;
    bytes_t body = { 0 };
    actor_reference_t reference = { .id = actor->id,
                                    .worker = actor->worker,
                                    .number = actor->number,
                                    .signature = actor->signature,
                                    .class_name = actor->class_name,
                                    .class_length = strlen (actor->class_name) };
    value_put_actor (&body, &reference);
    record_t record = { .type = RECORD_RESULT,
                        .id = action->id,
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_send (self, head_shell_peer (self, action->peer), &record);
    bytes_release (&body);
}

static void
s_send_spawn (head_t *self, const head_action_t *action)
{
    frame_reader_t reader;
    record_t record;
    if (frame_open (&reader, action->actor->record, action->actor->record_size) == 0
        && frame_next (&reader, &record) == 1)
        head_send (self, head_shell_peer (self, action->peer), &record);
}

/*  An idle worker ends when it is told to; another is killed by its node.  */
static void
s_stop_worker (head_t *self, const head_action_t *action)
{
    peer_t *worker = head_shell_peer (self, action->peer);
    record_t stop = { .type = RECORD_STOP };
    if (action->number == 0)
        head_send (self, worker, &stop);
    else if (worker) {
        record_t kill = { .type = RECORD_COMMAND,
                          .flags = COMMAND_KILL,
                          .number = (uint32_t) worker->identity.pid };
        head_send (self, head_shell_peer (self, action->target), &kill);
    }
}

/*  Who is counted as dead may live, and wait for what never comes: it is told,
    in a cluster of machines with its next sign of life (s_disown). The others
    do not listen to it any more: what it was to do is another's by then.   */
static void
s_drop (head_t *self, const head_action_t *action)
{
    peer_t *peer = head_shell_peer (self, action->peer);
    const char *cause = action->text ? action->text : "silent";
    char text [FAULT_TEXT_MAX];
    if (peer && self->network)
        peer->shut_out = true;
    else if (peer) {
        snprintf (text, sizeof text, "the head counts this process as dead: %s", cause);
        record_t refused = { .type = RECORD_REFUSED,
                             .number = TROUPE_ELOST,
                             .body = (const uint8_t *) text,
                             .body_size = (uint32_t) strlen (text) };
        head_send (self, peer, &refused);
        head_flush (self, peer);
    }
    head_lose (self, action->peer, cause, NULL);
}

static void
s_act (head_t *self, const head_action_t *action, int64_t now)
{
    static const uint8_t nil = 0xc0;
    peer_t *peer = head_shell_peer (self, action->peer);
    record_t record = { .id = action->id, .target = action->target };
    switch (action->type) {
    case HEAD_DISPATCH:
        head_task_record (action->task, now, &record);
        break;
    case HEAD_FAULT:
        record.type = RECORD_RESULT;
        record.flags = RECORD_FAULT;
        record.number = action->code;
        record.body = (const uint8_t *) action->text;
        record.body_size = action->text ? (uint32_t) strlen (action->text) : 0;
        break;
    case HEAD_RECALL:
        record.type = RECORD_RECALL;
        record.id.sequence = action->number;
        break;
    case HEAD_CANCEL:
        record.type = RECORD_CANCEL;
        break;
    case HEAD_SUBSCRIBE:
        record.type = RECORD_SUBSCRIBE;
        break;
    case HEAD_AGAIN:
        record.type = RECORD_SUBSCRIBE;
        record.flags = RECORD_AGAIN;
        break;
    case HEAD_SPAWN:
        s_send_spawn (self, action);
        return;
    case HEAD_FOUND:
        s_send_found (self, action);
        return;
    case HEAD_DROP:
        s_drop (self, action);
        return;
    case HEAD_START_WORKERS:
        head_send_start (self, action);
        return;
    case HEAD_STOP_WORKER:
        s_stop_worker (self, action);
        return;
    case HEAD_END_ACTOR:
        record.type = RECORD_END;
        record.flags = RECORD_KILL;
        record.target = 0;
        break;
    case HEAD_PLACED:
        record.type = RECORD_RESULT;
        record.body = &nil;
        record.body_size = 1;
        break;
    case HEAD_DRAINED:
        record.type = RECORD_COMMAND;
        record.flags = COMMAND_DRAINED;
        record.number = (uint32_t) action->number;
        break;
    case HEAD_WAITS:
        record.type = RECORD_COMMAND;
        record.flags = COMMAND_WAITS;
        record.body = (const uint8_t *) action->text;
        record.body_size = action->text ? (uint32_t) strlen (action->text) : 0;
        break;
    default:
        return;
    }
    head_send (self, peer, &record);
}

/*  The list may grow, and move, while it is worked through.                */
static void
s_act_all (head_t *self, int64_t now)
{
    size_t count;
    head_actions (self->state, &count);
    for (size_t index = 0; index < count; index++) {
        head_action_t action = head_actions (self->state, &count) [index];
        s_act (self, &action, now);
        head_actions (self->state, &count);
    }
    head_actions_clear (self->state);
}

/*  --- receiving --------------------------------------------------------  */

/*  Takes the options off a SPAWN, which goes on without them. Returns 0, or
    -1: malformed.                                                          */
static int
s_take_options (record_t *record, options_t *options)
{
    if (!(record->flags & RECORD_OPTIONS))
        return 0;
    size_t size = options_read (record->body, record->body_size, options);
    record->flags &= (uint8_t) ~RECORD_OPTIONS;
    record->body += size;
    record->body_size -= (uint32_t) size;
    return size ? 0 : -1;
}

static void
s_spawn (head_t *self, const record_t *given)
{
    record_t copy = *given, *record = &copy;
    options_t options = { 0 };
    bool has_options = given->flags & RECORD_OPTIONS;
    size_t offset = 0;
    if (s_take_options (record, &options))
        return;
    msgpack_token_t list, class_name, name;
    if (token_next (record->body, record->body_size, &offset, &list)
        || list.type != TROUPE_LIST || list.count != 3
        || token_next (record->body, record->body_size, &offset, &class_name)
        || token_next (record->body, record->body_size, &offset, &name)
        || class_name.type != TROUPE_STRING || class_name.size > TROUPE_NAME_MAX
        || (name.type != TROUPE_STRING && name.type != TROUPE_NIL)
        || name.size > TROUPE_NAME_MAX)
        return;
    bytes_t frame = { 0 };
    if (record_write (&frame, record) == 0) {
        bool named = name.type == TROUPE_STRING;
        head_spawn_t spawn = { .id = record->id,
                               .class_name = (const char *) class_name.data,
                               .class_length = class_name.size,
                               .name = named ? (const char *) name.data : "",
                               .name_length = named ? name.size : 0,
                               .record = frame.data,
                               .size = frame.size,
                               .options = has_options ? &options : NULL };
        head_spawn (self->state, clock_now (), &spawn);
    }
    bytes_release (&frame);
}

/*  An owner names tasks that it waits for. What must be said of them has
    been said before this answer: those that are not here.                  */
static void
s_check (head_t *self, peer_t *peer, const record_t *record)
{
    bytes_t unknown = { 0 };
    for (size_t offset = 0; offset + 8 <= record->body_size; offset += 8) {
        tid_t id = { peer->process, load_u64 (record->body + offset) };
        if (!head_knows (self->state, id))
            bytes_append (&unknown, record->body + offset, 8);
    }
    record_t answer = { .type = RECORD_UNKNOWN,
                        .id = record->id,
                        .body = unknown.data,
                        .body_size = (uint32_t) unknown.size };
    head_send (self, peer, &answer);
    bytes_release (&unknown);
}

/*  The code of a failure that came.                                        */
static uint32_t
s_code (const record_t *record)
{
    return fault_code_valid (record->number) ? record->number : TROUPE_EPROTOCOL;
}

/*  FAILED: sequence: the job; body: why no worker could be started.        */
static void
s_failed (head_t *self, peer_t *node, const record_t *record, int64_t now)
{
    char text [FAULT_TEXT_MAX];
    snprintf (text, sizeof text, "%.*s", (int) record->body_size, (const char *) record->body);
    head_log (self, "%s: %s", node->identity.label, text);
    head_worker_failed (self->state, now, node->process, (uint32_t) record->id.sequence, text);
}

/*  A driver first gets what its workers have printed. If that takes too long,
    it goes by itself.                                                      */
static void
s_leave (head_t *self, peer_t *peer)
{
    record_t leave = { .type = RECORD_LEAVE };
    if (self->network && peer->identity.role == ROLE_DRIVER && !peer->leaving) {
        peer->leaving = true;
        peer->lines_due = head_ask_lines (self, peer);
    }
    if (peer->lines_due)
        return;
    head_send (self, peer, &leave);
    head_flush (self, peer);
    head_lose (self, peer->process, "it has left", NULL);
}

/*  LINES from a node: sequence: the driver.                                */
static void
s_lines_sent (head_t *self, process_t process)
{
    peer_t *driver = head_shell_peer (self, process);
    if (!driver || !driver->leaving || !driver->lines_due)
        return;
    if (--driver->lines_due == 0)
        s_leave (self, driver);
}

/*  GROUP: number: the strategy; body: a block of options for each bundle.  */
static void
s_group (head_t *self, peer_t *peer, const record_t *record, int64_t now)
{
    if (record->flags & RECORD_KILL) {
        head_group_end (self->state, record->id);
        return;
    }
    options_t *bundles = calloc (TROUPE_BUNDLES_MAX, sizeof *bundles);
    size_t count = 0, offset = 0, size = 1;
    while (bundles && size && offset < record->body_size && count < TROUPE_BUNDLES_MAX) {
        size = options_read (record->body + offset, record->body_size - offset, &bundles [count]);
        offset += size;
        count += size != 0;
    }
    if (count && offset == record->body_size && record->number <= GROUP_STRICT_SPREAD)
        head_group (self->state, now, record->id, (group_strategy_t) record->number, bundles,
                    count);
    else
        head_answer_fault (self, peer, record->id, bundles ? TROUPE_EPROTOCOL : TROUPE_ENOMEM,
                           bundles ? "malformed group" : "the head has no memory for a group");
    free (bundles);
}

/*  It lives, and has refused so many connections more; those of workers are
    their node's, so that they can be looked for there.                     */
static void
s_ping (head_t *self, peer_t *peer, uint64_t refused)
{
    record_t ping = { .type = RECORD_PING };
    if (!self->network)
        return;
    head_send (self, peer, &ping);
    if (head_shell_is_own (peer))
        return;
    peer_t *node = peer->identity.role == ROLE_WORKER
                       ? head_shell_peer (self, peer->identity.node)
                       : peer;
    if (node)
        node->refused += refused;
    self->refused += refused;
}

static void
s_record_of_cluster (head_t *self, peer_t *peer, const record_t *record, int64_t now)
{
    uint8_t role = peer->identity.role;
    bool own = record->id.owner == peer->process;
    switch (record->type) {
    case RECORD_PING:
        s_ping (self, peer, record->id.sequence);
        break;
    case RECORD_LEAVE:
        s_leave (self, peer);
        break;
    case RECORD_FETCH:
        if (role == ROLE_NODE)
            head_fetch (self, peer, record);
        break;
    case RECORD_CHUNK:
        if (role == ROLE_DRIVER)
            head_chunk (self, peer, record);
        break;
    case RECORD_FAILED:
        if (role == ROLE_NODE)
            s_failed (self, peer, record, now);
        break;
    case RECORD_STORE:
        if (own && self->network)
            head_store_report (peer, record);
        break;
    case RECORD_CLASSES:
        if (role == ROLE_WORKER && self->network)
            head_more_classes (self, peer, record);
        break;
    case RECORD_LOG:
        if (role == ROLE_NODE)
            head_lines (self, peer, record);
        break;
    case RECORD_LINES:
        if (role == ROLE_NODE)
            s_lines_sent (self, record->id.sequence);
        break;
    case RECORD_INQUIRE:
        if (own)
            head_inquire (self, peer, record, now);
        break;
    case RECORD_GROUP:
        if (own)
            s_group (self, peer, record, now);
        break;
    case RECORD_COMMAND:
        if (own && (role == ROLE_CLIENT || role == ROLE_NODE))
            head_command (self, peer, record);
        break;
    default:
        break;
    }
}

static void
s_record (head_t *self, peer_t *peer, const record_t *record, int64_t now)
{
    if (self->parting) {
        if (record->type == RECORD_LEAVE)
            head_forget (self, peer);
        return;
    }
    bool own = record->id.owner == peer->process;
    uint8_t role = peer->identity.role;
    switch (record->type) {
    case RECORD_TASK:
        if (own)
            head_submit (self->state, now, record);
        break;
    case RECORD_DONE:
        head_done (self->state, now, peer->process, record->body, record->body_size / 8);
        break;
    case RECORD_ACK:
        head_acknowledge (self->state, (tid_t){ peer->process, record->id.sequence });
        break;
    case RECORD_CHECK:
        if (own)
            s_check (self, peer, record);
        break;
    case RECORD_RETURNED:
        head_returned (self->state, now, peer->process, record->body, record->body_size / 4);
        break;
    case RECORD_SLOTS:
        head_slots (self->state, peer->process,
                    record->id.sequence < LEASES_MAX ? (unsigned) record->id.sequence
                                                     : LEASES_MAX);
        break;
    case RECORD_CANCEL:
        if (own)
            head_cancel (self->state, record->id);
        break;
    case RECORD_SUBSCRIBE:
        if (own)
            head_subscribe (self->state, record->id, record->target);
        break;
    case RECORD_VALUE:
        head_value (self->state, record->id, record->flags & RECORD_FAULT ? s_code (record) : 0,
                    record->body, record->body_size);
        break;
    case RECORD_SPAWN:
        if (own)
            s_spawn (self, record);
        break;
    case RECORD_ACTOR_UP:
        head_actor_up (self->state, peer->process, record->id, record->target,
                       record->body_size == 8 ? load_u64 (record->body) : 0);
        break;
    case RECORD_ACTOR_DOWN:
        head_actor_down (self->state, peer->process, record->id);
        break;
    case RECORD_FIND:
        if (own)
            head_find (self->state, peer->process, record->id,
                       role == ROLE_CLIENT ? peer->identity.name : NULL,
                       (const char *) record->body, record->body_size);
        break;
    case RECORD_STOP:
        /*  The driver that carries this cluster ends it.                   */
        if (role == ROLE_DRIVER && !self->network)
            head_stop_workers (self, 0);
        break;
    case RECORD_WORKER_LOST:
        if (role == ROLE_NODE || (role == ROLE_DRIVER && !self->network))
            head_worker_lost (self, peer, record, now);
        break;
    default:
        s_record_of_cluster (self, peer, record, now);
    }
}
/*  The frame of a HELLO is the first of its channel.                       */
static peer_t *
s_admit (head_t *self, const uint8_t *route, size_t route_size, const record_t *record,
         const frame_reader_t *reader, zmq_msg_t *message, int64_t now)
{
    char token [TOKEN_NAME_MAX + 1];
    bool far = channel_ends (reader->data, reader->size);
    if (!head_may_join (self, record, message, token))
        return NULL;
    peer_t *peer = head_admit (self, route, route_size, record, far);
    if (!peer)
        return NULL;
    memcpy (peer->token, token, sizeof token);
    peer_link_of (&peer->link, message);
    if (far)
        head_takes (self, peer, reader->data, reader->size, now);
    return peer;
}

/*  A sign of life of a process that is not known: it was counted as dead, or
    knew the head that was here before. Nothing that it waits for will come. */
static void
s_disown (head_t *self, const uint8_t *route, size_t route_size)
{
    static const char text []
        = "the head does not know this process any more: it was counted as dead, or the head "
          "has started again";
    bytes_t frame = { 0 };
    zmq_msg_t message;
    record_t refused = { .type = RECORD_REFUSED,
                         .number = TROUPE_ELOST,
                         .body = (const uint8_t *) text,
                         .body_size = sizeof text - 1 };
    if (record_write (&frame, &refused) == 0 && socket_message_take (&message, &frame) == 0
        && (zmq_send (self->socket, route, route_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0
            || zmq_msg_send (&message, self->socket, ZMQ_DONTWAIT) < 0))
        zmq_msg_close (&message);
    bytes_release (&frame);
}

/*  A connection begins with HELLO; what comes before, and what is malformed,
    is ignored.                                                             */
static void
s_frame (head_t *self, const uint8_t *route, size_t route_size, zmq_msg_t *message, int64_t now)
{
    frame_reader_t reader;
    record_t record;
    if (frame_open (&reader, zmq_msg_data (message), zmq_msg_size (message)))
        return;
    peer_t *peer = id_table_get (&self->routes, head_route_key (route, route_size));
    bool far = channel_ends (reader.data, reader.size);
    if (peer) {
        head_heard (self->state, now, peer->process);
        head_linked (peer, message);
    }
    if (peer && far && !head_takes (self, peer, reader.data, reader.size, now))
        return;
    while (frame_next (&reader, &record) == 1) {
        if (peer)
            s_record (self, peer, &record, now);
        else if (record.type == RECORD_PING && self->network)
            s_disown (self, route, route_size);
        else if (!self->parting)
            peer = s_admit (self, route, route_size, &record, &reader, message, now);
        if (!peer)
            return;
        s_act_all (self, now);
        /*  The record may have ended the peer itself.                      */
        peer = id_table_get (&self->routes, head_route_key (route, route_size));
    }
}

static int
s_receive (zmq_msg_t *message, void *socket)
{
    int rc;
    do {
        rc = zmq_msg_recv (message, socket, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -1 : 0;
}

/*  One message: a routing id and one frame; anything more is dropped.      */
static int
s_receive_one (head_t *self, int64_t now)
{
    zmq_msg_t message;
    uint8_t route [ROUTE_MAX];
    zmq_msg_init (&message);
    if (s_receive (&message, self->socket)) {
        zmq_msg_close (&message);
        return -1;
    }
    size_t size = zmq_msg_size (&message);
    bool fits = size <= sizeof route;
    if (fits)
        memcpy (route, zmq_msg_data (&message), size);
    for (int part = 1; zmq_msg_more (&message); part++) {
        if (s_receive (&message, self->socket))
            break;
        self->received += zmq_msg_size (&message);
        self->received_at = now;
        if (part == 1 && fits && !zmq_msg_more (&message))
            s_frame (self, route, size, &message, now);
    }
    zmq_msg_close (&message);
    return 0;
}

static bool
s_drain (head_t *self, int64_t now)
{
    for (int count = 0; count < DRAIN_MAX; count++)
        if (s_receive_one (self, now))
            return true;
    return false;
}

static void
s_sleep (head_t *self, int64_t due)
{
    struct pollfd items [] = { { .fd = socket_fd (self->socket), .events = POLLIN },
                               { .fd = self->stop, .events = POLLIN } };
    int64_t left = due - clock_now ();
    struct timespec time = { .tv_sec = left > 0 ? left / 1000000000 : 0,
                             .tv_nsec = left > 0 ? left % 1000000000 : 0 };
    /*  The descriptor tells of changes only, so look before sleeping.      */
    if (!socket_readable (self->socket))
        ppoll (items, self->told ? 1 : 2, &time, NULL);
}

static bool
s_stopped (head_t *self)
{
    struct pollfd item = { .fd = self->stop, .events = POLLIN };
    self->told = poll (&item, 1, 0) > 0;
    return self->told;
}

/*  Something that had to be done is lost: rather than to leave somebody
    waiting for it, everybody is told that there is no head any more.       */
static void
s_give_up (head_t *self)
{
    static const char text [] = "the head has no memory left and has ended";
    record_t refused = { .type = RECORD_REFUSED,
                         .number = TROUPE_ENOMEM,
                         .body = (const uint8_t *) text,
                         .body_size = sizeof text - 1 };
    size_t cursor = 0;
    head_log (self, "%s", text);
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        head_send (self, peer, &refused);
        head_flush (self, peer);
    }
    if (self->failed) {
        fault_t fault;
        fault_set (&fault, TROUPE_ENOMEM, "%s", text);
        self->failed (self->log_context, &fault);
    }
}

/*  A burst that is written faster than it is read fills the heap with frames.
    When they are freed, malloc() keeps what lies below anything that lives on:
    with a million tasks, a fifth of what they take. Returns when to call again. */
static int64_t
s_trim (head_t *self, int64_t now)
{
    if (self->received < TRIM_BYTES)
        return CLOCK_NEVER;
    if (now - self->received_at < TRIM_QUIET)
        return self->received_at + TRIM_QUIET;
    malloc_trim (0);
    self->received = 0;
    return CLOCK_NEVER;
}

/*  Waits for something to do until the time has come, and does it. Returns 0, or
    -1 if the head has given up.                                            */
static int
s_turn (head_t *self, int64_t until)
{
    int64_t now = clock_now (), due = head_due (self->state, now);
    int64_t others [] = { head_tend (self, now), s_trim (self, now), head_cut (self, now),
                          head_watch (self, now), until };
    for (size_t index = 0; index < sizeof others / sizeof *others; index++)
        due = others [index] < due ? others [index] : due;
    if (self->drained)
        s_sleep (self, due);
    now = clock_now ();
    self->drained = s_drain (self, now);
    head_dispatch (self->state, now);
    s_act_all (self, now);
    if (head_failed (self->state) || self->starved) {
        s_give_up (self);
        return -1;
    }
    for (list_node_t *node; (node = list_pop (&self->dirty));)
        head_flush (self, container_of (node, peer_t, dirty));
    return 0;
}

/*  Workers end when all that they have answered is where it belongs, and with the
    destructors of their actors. Who waits for an answer must not hear before
    that there is nothing more to come. Returns 0, or -1 if the head has given up. */
static int
s_end_workers (head_t *self)
{
    int64_t deadline = clock_now () + ENDING;
    head_stop_workers (self, 0);
    self->drained = false;      /*  so that they are told before it sleeps   */
    while (head_are_left (self, true) && clock_now () < deadline)
        if (s_turn (self, deadline))
            return -1;
    return 0;
}

/*  An end in order, when workers have ended. The others answer, so that it is
    known to have arrived.                                                  */
static void
s_part (head_t *self)
{
    char text [HOST_MAX + 64];
    int64_t now = clock_now (), deadline = now + PARTING;
    size_t cursor = 0;
    snprintf (text, sizeof text, "the cluster at %s was stopped", self->address);
    record_t parting = { .type = RECORD_REFUSED,
                         .number = TROUPE_ESTOPPED,
                         .body = (const uint8_t *) text,
                         .body_size = (uint32_t) strlen (text) };
    self->parting = true;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->identity.role != ROLE_WORKER) {
            head_send (self, peer, &parting);
            head_flush (self, peer);
        }
    while (head_are_left (self, false) && (now = clock_now ()) < deadline) {
        int64_t tend = head_tend (self, now);
        if (s_drain (self, now))
            s_sleep (self, tend < deadline ? tend : deadline);
    }
}

static void
s_run (void *arg)
{
    head_t *self = arg;
    thread_block_signals ();
    self->drained = true;
    while (!s_stopped (self))
        if (s_turn (self, CLOCK_NEVER))
            return;
    if (self->network && s_end_workers (self) == 0)
        s_part (self);
}

static int
s_bind (head_t *self, const head_options_t *options, fault_t *fault)
{
    for (const char *const *endpoint = options->endpoints; *endpoint; endpoint++)
        if (socket_bind (self->socket, *endpoint, fault))
            return -1;
    if (!options->network)
        return 0;
    char endpoint [HOST_MAX + 32];
    network_endpoint (endpoint, sizeof endpoint, options->host, options->port);
    if (network_serve (options->network, self->socket, &options->keys->head, DOMAIN_HEAD, fault)
        || socket_bind (self->socket, endpoint, fault)
        || socket_last_endpoint (self->socket, self->endpoint, sizeof self->endpoint, fault))
        return -1;
    const char *port = strrchr (self->endpoint, ':');
    snprintf (self->address, sizeof self->address, "%s%s", options->address, port ? port : "");
    return 0;
}

/*  What a cluster of machines has in addition.                             */
static int
s_prepare_cluster (head_t *self, const head_options_t *options, fault_t *fault)
{
    self->network = options->network;
    self->cluster = options->keys;
    self->tokens = options->tokens;
    self->log = options->log;
    self->log_context = options->log_context;
    self->failed = options->failed;
    if (options->settings)
        head_configure (self->state, options->settings);
    if (!options->programs)
        return 0;
    self->programs = program_cache_new (options->programs, PROGRAM_BYTES_MAX, fault);
    return self->programs ? 0 : -1;
}

static int
s_open (head_t *self, void *context, const head_options_t *options, fault_t *fault)
{
    uint32_t epoch = 0;
    self->stop = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->stop < 0 || getrandom (&epoch, sizeof epoch, 0) != sizeof epoch)
        return fault_set (fault, TROUPE_ESYSTEM, "cannot start the head: %s", strerror (errno));
    self->state = head_state_new (epoch >> 1 | 1);
    if (!self->state)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the head");
    self->socket = socket_router_new (context, fault);
    return self->socket && s_prepare_cluster (self, options, fault) == 0
               ? s_bind (self, options, fault)
               : -1;
}

head_t *
head_new (void *context, const head_options_t *options, fault_t *fault)
{
    head_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the head");
        return NULL;
    }
    memcpy (self->cookie, options->cookie, COOKIE_SIZE);
    list_init (&self->dirty);
    list_init (&self->uploads);
    list_init (&self->downloads);
    list_init (&self->class_sets);
    self->since = clock_now ();
    if (s_open (self, context, options, fault) == 0)
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread)
        head_destroy (&self);
    return self;
}

const char *
head_endpoint (const head_t *self)
{
    return self->endpoint;
}

int
head_destroy (head_t **self_p)
{
    head_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    uint64_t one = 1;
    if (self->stop >= 0 && write (self->stop, &one, sizeof one) < 0) {
        /*  It has been told already.                                       */
    }
    if (thread_join (&self->thread, STOP_TIMEOUT_MS))
        return -1;
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        head_peer_destroy (peer);
    id_table_release (&self->peers);
    id_table_release (&self->routes);
    bytes_release (&self->cuts);
    head_programs_destroy (self);
    head_answers_destroy (self);
    head_state_destroy (&self->state);
    if (self->socket)
        zmq_close (self->socket);
    if (self->stop >= 0)
        close (self->stop);
    free (self);
    return 0;
}
