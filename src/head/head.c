/*  head.c - the head's shell: receives, asks the state, sends              */

#include "head/head.h"
#include "head/head_state.h"

#include "core/clock.h"
#include "core/value.h"
#include "wire/socket.h"
#include "wire/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define COOKIE_SIZE 16
#define ROUTE_MAX 8
#define DRAIN_MAX 256
#define FRAME_FULL ((size_t) 64 << 10)
#define STOP_TIMEOUT_MS 2000

/*  Dead processes whose HELLO may still come.                              */
#define STILLBORN_MAX 16

/*  A process that has joined, or a node agent that reports on workers.     */
typedef struct {
    process_t process;
    uint64_t pid;
    role_t role;
    uint8_t route [ROUTE_MAX];
    size_t route_size;
    char *endpoint;
    char *label;
    bytes_t frame;
    list_node_t dirty;
} peer_t;

struct head {
    void *socket;
    int stop;
    thread_t *thread;
    head_state_t *state;
    id_table_t routes;          /*  routing id → peer_t                     */
    id_table_t peers;           /*  process → peer_t                        */
    list_t dirty;
    uint8_t cookie [COOKIE_SIZE];
    bool stopping;              /*  workers that join are told to end       */
    uint64_t stillborn [STILLBORN_MAX]; /*  pids that died before HELLO came */
    size_t stillborn_count;
};

static tid_t
s_key (process_t process)
{
    return (tid_t){ 0, process };
}

/*  --- sending ----------------------------------------------------------  */

static void
s_flush (head_t *self, peer_t *peer)
{
    zmq_msg_t message;
    list_remove (&peer->dirty);
    if (peer->frame.size == 0)
        return;
    if (zmq_send (self->socket, peer->route, peer->route_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        /*  It is gone, which its node or its silence will tell.            */
        bytes_clear (&peer->frame);
        return;
    }
    if (socket_message_take (&message, &peer->frame)) {
        zmq_msg_init (&message);
        bytes_clear (&peer->frame);
    }
    if (zmq_msg_send (&message, self->socket, ZMQ_DONTWAIT) < 0)
        zmq_msg_close (&message);
}

static void
s_send (head_t *self, peer_t *peer, const record_t *record)
{
    if (!peer || record_write (&peer->frame, record))
        return;
    if (peer->frame.size >= FRAME_FULL)
        s_flush (self, peer);
    else if (!list_linked (&peer->dirty))
        list_append (&self->dirty, &peer->dirty);
}

static peer_t *
s_peer (head_t *self, process_t process)
{
    return id_table_get (&self->peers, s_key (process));
}

/*  --- doing what the state wants ---------------------------------------  */

static void s_lose (head_t *self, process_t process, const char *cause, const uint32_t *ledger);

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
    s_send (self, s_peer (self, action->peer), &record);
    bytes_release (&body);
}

static void
s_send_spawn (head_t *self, const head_action_t *action)
{
    frame_reader_t reader;
    record_t record;
    if (frame_open (&reader, action->actor->record, action->actor->record_size) == 0
        && frame_next (&reader, &record) == 1)
        s_send (self, s_peer (self, action->peer), &record);
}

static void
s_act (head_t *self, const head_action_t *action, int64_t now)
{
    peer_t *peer = s_peer (self, action->peer);
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
        s_lose (self, action->peer, action->text ? action->text : "silent", NULL);
        return;
    default:
        return;
    }
    s_send (self, peer, &record);
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

/*  --- processes come and go --------------------------------------------  */

static void
s_announce (head_t *self, peer_t *to, const peer_t *about)
{
    bytes_t body = { 0 };
    bytes_append (&body, about->endpoint, strlen (about->endpoint) + 1);
    bytes_append (&body, about->label, strlen (about->label) + 1);
    record_t record = { .type = RECORD_PEER_UP,
                        .flags = (uint8_t) about->role,
                        .id = { about->process, 0 },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    if (!body.failed)
        s_send (self, to, &record);
    bytes_release (&body);
}

static void
s_announce_all (head_t *self, peer_t *newcomer)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (peer == newcomer)
            continue;
        s_announce (self, newcomer, peer);
        s_announce (self, peer, newcomer);
    }
}

static void
s_peer_destroy (peer_t *peer)
{
    list_remove (&peer->dirty);
    bytes_release (&peer->frame);
    free (peer->endpoint);
    free (peer->label);
    free (peer);
}

static tid_t
s_route_key (const uint8_t *route, size_t size)
{
    uint8_t id [ROUTE_MAX] = { 0 };
    memcpy (id, route, size);
    return (tid_t){ 1, load_u64 (id) };
}

static void
s_lose (head_t *self, process_t process, const char *cause, const uint32_t *ledger)
{
    peer_t *peer = id_table_remove (&self->peers, s_key (process));
    if (!peer)
        return;
    id_table_remove (&self->routes, s_route_key (peer->route, peer->route_size));
    record_t down = { .type = RECORD_PEER_DOWN,
                      .id = { process, 0 },
                      .body = (const uint8_t *) cause,
                      .body_size = (uint32_t) strlen (cause) };
    size_t cursor = 0;
    for (peer_t *other; (other = id_table_next (&self->peers, &cursor));)
        s_send (self, other, &down);
    s_peer_destroy (peer);
    head_lost (self->state, clock_now (), process, cause, ledger);
}

/*  What HELLO says, as tokens that point into it.                          */
typedef struct {
    token_t endpoint;
    token_t label;
    token_t slots;
    token_t pid;
    const uint8_t *names;       /*  pairs of address and name               */
    size_t names_size;
    size_t names_count;
} hello_t;

static int
s_parse_hello (const record_t *record, hello_t *hello)
{
    const uint8_t *data = record->body + COOKIE_SIZE;
    size_t size = record->body_size - COOKIE_SIZE;
    size_t offset = 0;
    token_t list;
    if (!value_check (data, size, true) || token_next (data, size, &offset, &list)
        || list.type != TROUPE_LIST || list.count < 4
        || token_next (data, size, &offset, &hello->endpoint)
        || token_next (data, size, &offset, &hello->label)
        || token_next (data, size, &offset, &hello->slots)
        || token_next (data, size, &offset, &hello->pid))
        return -1;
    if (hello->endpoint.type != TROUPE_STRING || hello->endpoint.size > 255
        || hello->label.type != TROUPE_STRING || hello->label.size > 255
        || hello->slots.type != TROUPE_INTEGER || hello->slots.number > LEASES_MAX
        || hello->pid.type != TROUPE_INTEGER
        || (record->flags != ROLE_DRIVER && record->flags != ROLE_WORKER))
        return -1;
    hello->names = data + offset;
    hello->names_size = size - offset;
    hello->names_count = (list.count - 4) / 2;
    return 0;
}

static void
s_stop_worker (head_t *self, peer_t *peer)
{
    record_t stop = { .type = RECORD_STOP };
    if (peer->role == ROLE_WORKER)
        s_send (self, peer, &stop);
}

/*  Numbers the names and answers with pairs of address and number.         */
static int
s_welcome (head_t *self, peer_t *peer, const hello_t *hello)
{
    bytes_t body = { 0 };
    size_t offset = 0;
    value_put_array (&body, 2 * hello->names_count);
    for (size_t left = hello->names_count; left; left--) {
        token_t address, name;
        if (token_next (hello->names, hello->names_size, &offset, &address)
            || token_next (hello->names, hello->names_size, &offset, &name)
            || address.type != TROUPE_INTEGER || name.type != TROUPE_STRING
            || name.size > TROUPE_NAME_MAX)
            break;
        uint32_t number = head_function (self->state, (const char *) name.data, name.size);
        if (peer->role == ROLE_WORKER)
            head_offer (self->state, peer->process, number);
        value_put_uint (&body, address.number);
        value_put_uint (&body, number);
    }
    record_t welcome = { .type = RECORD_WELCOME,
                         .id = { peer->process, 0 },
                         .body = body.data,
                         .body_size = (uint32_t) body.size };
    if (!body.failed)
        s_send (self, peer, &welcome);
    bytes_release (&body);
    return body.failed ? -1 : 0;
}

/*  True, once, for the HELLO of a worker that has been reported dead.      */
static bool
s_is_stillborn (head_t *self, uint8_t role, uint64_t pid)
{
    for (size_t index = 0; role == ROLE_WORKER && index < STILLBORN_MAX; index++)
        if (self->stillborn [index] == pid && pid) {
            self->stillborn [index] = 0;
            return true;
        }
    return false;
}

static peer_t *
s_join (head_t *self, const uint8_t *route, size_t route_size, const record_t *record)
{
    hello_t hello;
    if (s_parse_hello (record, &hello) || s_is_stillborn (self, record->flags, hello.pid.number))
        return NULL;
    peer_t *peer = calloc (1, sizeof *peer);
    if (!peer)
        return NULL;
    memcpy (peer->route, route, route_size);
    peer->route_size = route_size;
    peer->role = record->flags;
    peer->pid = hello.pid.number;
    peer->endpoint = bytes_text (hello.endpoint.data, hello.endpoint.size);
    peer->label = bytes_text (hello.label.data, hello.label.size);
    if (peer->endpoint && peer->label)
        peer->process = head_join (self->state, clock_now (), peer->role,
                                   (unsigned) hello.slots.number, peer->label);
    if (!peer->process || id_table_put (&self->peers, s_key (peer->process), peer)
        || id_table_put (&self->routes, s_route_key (route, route_size), peer)) {
        id_table_remove (&self->peers, s_key (peer->process));
        head_lost (self->state, clock_now (), peer->process, "no memory", NULL);
        s_peer_destroy (peer);
        return NULL;
    }
    s_welcome (self, peer, &hello);
    s_announce_all (self, peer);
    if (self->stopping)
        s_stop_worker (self, peer);
    return peer;
}

/*  --- receiving --------------------------------------------------------  */

static void
s_spawn (head_t *self, const record_t *record)
{
    size_t offset = 0;
    token_t list, class_name, name;
    if (token_next (record->body, record->body_size, &offset, &list)
        || list.type != TROUPE_LIST || list.count != 3
        || token_next (record->body, record->body_size, &offset, &class_name)
        || token_next (record->body, record->body_size, &offset, &name)
        || class_name.type != TROUPE_STRING || class_name.size > TROUPE_NAME_MAX
        || (name.type != TROUPE_STRING && name.type != TROUPE_NIL)
        || name.size > TROUPE_NAME_MAX)
        return;
    bytes_t frame = { 0 };
    if (record_write (&frame, record) == 0)
        head_spawn (self->state, record->id, (const char *) class_name.data, class_name.size,
                    name.type == TROUPE_STRING ? (const char *) name.data : "",
                    name.type == TROUPE_STRING ? name.size : 0, frame.data, frame.size);
    bytes_release (&frame);
}

/*  A worker that died before it knew that it had joined.                   */
static process_t
s_find_pid (head_t *self, uint64_t pid)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->role == ROLE_WORKER && peer->pid == pid)
            return peer->process;
    return 0;
}

/*  A node tells that a process of its own has ended, and which leases the
    process had started. target: the worker; body: cause, NUL, ledger.      */
static void
s_worker_lost (head_t *self, const record_t *record)
{
    const char *cause = (const char *) record->body;
    size_t length = strnlen (cause, record->body_size);
    if (length == record->body_size)
        return;
    uint32_t ledger [LEASES_MAX];
    bool whole = record->body_size - length - 1 == sizeof ledger;
    if (whole)
        memcpy (ledger, record->body + length + 1, sizeof ledger);
    process_t process = record->target ? record->target : s_find_pid (self, record->number);
    if (process)
        s_lose (self, process, cause, whole ? ledger : NULL);
    else
        self->stillborn [self->stillborn_count++ % STILLBORN_MAX] = record->number;
    if (record->flags & RECORD_KILL)
        head_abandon (self->state, cause);
}

/*  The driver that carries this cluster ends it.                           */
static void
s_stop_workers (head_t *self)
{
    size_t cursor = 0;
    self->stopping = true;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        s_stop_worker (self, peer);
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
    s_send (self, peer, &answer);
    bytes_release (&unknown);
}

/*  The code of a failure that came.                                        */
static uint32_t
s_code (const record_t *record)
{
    return fault_code_valid (record->number) ? record->number : TROUPE_EPROTOCOL;
}

static void
s_record (head_t *self, peer_t *peer, const record_t *record, int64_t now)
{
    bool own = record->id.owner == peer->process;
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
            head_find (self->state, peer->process, record->id, (const char *) record->body,
                       record->body_size);
        break;
    case RECORD_STOP:
        if (peer->role == ROLE_DRIVER)
            s_stop_workers (self);
        break;
    case RECORD_WORKER_LOST:
        if (peer->role == ROLE_DRIVER)
            s_worker_lost (self, record);
        break;
    default:
        break;
    }
}

static bool
s_cookie_matches (const head_t *self, const record_t *record)
{
    uint8_t difference = 0;
    if (record->type != RECORD_HELLO || record->body_size < COOKIE_SIZE)
        return false;
    for (size_t index = 0; index < COOKIE_SIZE; index++)
        difference |= (uint8_t) (record->body [index] ^ self->cookie [index]);
    return difference == 0;
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
    peer_t *peer = id_table_get (&self->routes, s_route_key (route, route_size));
    if (peer)
        head_heard (self->state, now, peer->process);
    while (frame_next (&reader, &record) == 1) {
        if (!peer && s_cookie_matches (self, &record))
            peer = s_join (self, route, route_size, &record);
        else if (peer)
            s_record (self, peer, &record, now);
        if (!peer)
            return;
        s_act_all (self, now);
        /*  The record may have ended the peer itself.                      */
        peer = id_table_get (&self->routes, s_route_key (route, route_size));
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
        ppoll (items, 2, &time, NULL);
}

static bool
s_stopped (head_t *self)
{
    struct pollfd item = { .fd = self->stop, .events = POLLIN };
    return poll (&item, 1, 0) > 0;
}

static void
s_run (void *arg)
{
    head_t *self = arg;
    bool all = true;
    thread_block_signals ();
    while (!s_stopped (self)) {
        int64_t now = clock_now ();
        if (all)
            s_sleep (self, head_due (self->state, now));
        now = clock_now ();
        all = s_drain (self, now);
        head_dispatch (self->state, now);
        s_act_all (self, now);
        for (list_node_t *node; (node = list_pop (&self->dirty));)
            s_flush (self, container_of (node, peer_t, dirty));
    }
}

static int
s_bind (head_t *self, void *context, const char *const *endpoints, fault_t *fault)
{
    self->socket = socket_router_new (context, fault);
    if (!self->socket)
        return -1;
    for (; *endpoints; endpoints++)
        if (socket_bind (self->socket, *endpoints, fault))
            return -1;
    return 0;
}

head_t *
head_new (void *context, const char *const *endpoints, const uint8_t *cookie, fault_t *fault)
{
    head_t *self = calloc (1, sizeof *self);
    uint32_t epoch = 0;
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the head");
        return NULL;
    }
    memcpy (self->cookie, cookie, COOKIE_SIZE);
    list_init (&self->dirty);
    self->stop = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (getrandom (&epoch, sizeof epoch, 0) == sizeof epoch)
        self->state = head_state_new (epoch >> 1 | 1);
    if (self->stop < 0 || !self->state)
        fault_set (fault, TROUPE_ESYSTEM, "cannot start the head: %s", strerror (errno));
    else if (s_bind (self, context, endpoints, fault) == 0)
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread)
        head_destroy (&self);
    return self;
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
        s_peer_destroy (peer);
    id_table_release (&self->peers);
    id_table_release (&self->routes);
    head_state_destroy (&self->state);
    if (self->socket)
        zmq_close (self->socket);
    if (self->stop >= 0)
        close (self->stop);
    free (self);
    return 0;
}
