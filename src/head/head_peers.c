/*  head_peers.c - the head's shell: processes come, are written to, and go  */

#include "head/head_shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FRAME_FULL ((size_t) 64 << 10)

/*  How often channels are looked at.                                       */
#define TEND (50 * CLOCK_MS)

/*  And whether connections are still there.                                */
#define WATCH (250 * CLOCK_MS)

/*  --- sending ----------------------------------------------------------  */

/*  Where a message goes that a channel sends once more.                    */
typedef struct {
    head_t *head;
    peer_t *peer;
} way_t;

/*  A peer that cannot be reached has gone, which its node or its silence will
    tell, or its connection is being made again.                            */
static int
s_send (void *arg, zmq_msg_t *message)
{
    way_t *way = arg;
    void *socket = way->head->socket;
    if (zmq_send (socket, way->peer->route, way->peer->route_size, ZMQ_SNDMORE | ZMQ_DONTWAIT)
            < 0
        || zmq_msg_send (message, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close (message);
        return -1;
    }
    return 0;
}

void
head_flush (head_t *self, peer_t *peer)
{
    zmq_msg_t message;
    list_remove (&peer->dirty);
    if (peer->frame.size == 0)
        return;
    if (peer->far ? channel_seal (&peer->channel, &peer->frame, clock_now (), &message)
                  : socket_message_take (&message, &peer->frame))
        return;     /*  no memory: it goes with the next record             */
    self->untended = self->untended || peer->far;
    s_send (&(way_t){ self, peer }, &message);
}

bool
head_takes (head_t *self, peer_t *peer, const uint8_t *data, size_t size, int64_t now)
{
    bool again;
    channel_verdict_t verdict = channel_receive (&peer->channel, data, size, now, &again);
    self->untended = true;
    if (again)
        channel_repeat (&peer->channel, now, s_send, &(way_t){ self, peer });
    return verdict == CHANNEL_TAKE;
}

int64_t
head_tend (head_t *self, int64_t now)
{
    if (!self->untended)
        return CLOCK_NEVER;
    if (now - self->tended < TEND)
        return self->tended + TEND;
    self->tended = now;
    self->untended = false;
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        zmq_msg_t message;
        channel_t *channel = &peer->channel;
        if (!peer->far)
            continue;
        if (channel_overdue (channel, now))
            channel_repeat (channel, now, s_send, &(way_t){ self, peer });
        if (channel_owes (channel, now) && channel_notice (channel, &message) == 0)
            s_send (&(way_t){ self, peer }, &message);
        self->untended = self->untended || channel_due (channel) != CLOCK_NEVER;
    }
    return self->untended ? now + TEND : CLOCK_NEVER;
}

/*  A process that is killed closes its connection, long before its silence is
    noticed; so may a network that is mended soon.                          */
int64_t
head_watch (head_t *self, int64_t now)
{
    if (!self->network)
        return CLOCK_NEVER;
    if (now - self->watched < WATCH)
        return self->watched + WATCH;
    self->watched = now;
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (peer->unlinked || peer_linked (&peer->link))
            continue;
        peer->unlinked = true;
        head_closed (self->state, now, peer->process);
    }
    return now + WATCH;
}

void
head_linked (peer_t *peer, zmq_msg_t *message)
{
    if (!peer->unlinked)
        return;
    peer_link_of (&peer->link, message);
    peer->unlinked = false;
}

void
head_send (head_t *self, peer_t *peer, const record_t *record)
{
    if (!peer)
        return;
    if (record_write (&peer->frame, record)) {
        /*  It would wait for this, or believe what is not so any more.     */
        self->starved = true;
        return;
    }
    if (peer->frame.size >= FRAME_FULL)
        head_flush (self, peer);
    else if (!list_linked (&peer->dirty))
        list_append (&self->dirty, &peer->dirty);
}

/*  --- who is there -----------------------------------------------------  */

/*  Who is told of whom. Nobody writes to node agents but the head, and other
    object stores: they are told of nodes, drivers and clients.             */
static bool
s_is_told (const peer_t *to, const peer_t *about)
{
    if (to->identity.role == ROLE_NODE)
        return about->identity.role != ROLE_WORKER;
    return about->identity.role != ROLE_NODE || *to->identity.store;
}

static void
s_announce (head_t *self, peer_t *to, const peer_t *about)
{
    bytes_t body = { 0 };
    identity_t identity = about->identity;
    identity.environment [0] = 0;
    value_put_array (&body, IDENTITY_FIELDS);
    identity_put (&body, &identity);
    record_t record = { .type = RECORD_PEER_UP,
                        .id = { about->process, 0 },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    if (body.failed)
        self->starved = true;
    else
        head_send (self, to, &record);
    bytes_release (&body);
}

static void
s_announce_all (head_t *self, peer_t *newcomer)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (peer == newcomer)
            continue;
        if (s_is_told (newcomer, peer))
            s_announce (self, newcomer, peer);
        if (s_is_told (peer, newcomer))
            s_announce (self, peer, newcomer);
    }
}

void
head_peer_destroy (peer_t *peer)
{
    list_remove (&peer->dirty);
    head_forget_classes (peer);
    bytes_release (&peer->frame);
    bytes_release (&peer->store);
    channel_release (&peer->channel);
    free (peer);
}

tid_t
head_route_key (const uint8_t *route, size_t size)
{
    uint8_t id [ROUTE_MAX] = { 0 };
    memcpy (id, route, size);
    return (tid_t){ 1, load_u64 (id) };
}

void
head_lose (head_t *self, process_t process, const char *cause, const uint32_t *ledger)
{
    peer_t *peer = id_table_remove (&self->peers, head_shell_key (process));
    if (!peer)
        return;
    id_table_remove (&self->routes, head_route_key (peer->route, peer->route_size));
    record_t down = { .type = RECORD_PEER_DOWN,
                      .flags = peer->shut_out ? RECORD_KILL : 0,
                      .number = head_loss (self->state, process),
                      .id = { process, 0 },
                      .body = (const uint8_t *) cause,
                      .body_size = (uint32_t) strlen (cause) };
    size_t cursor = 0;
    for (peer_t *other; (other = id_table_next (&self->peers, &cursor));)
        if (other->identity.role == ROLE_NODE || s_is_told (other, peer))
            head_send (self, other, &down);
    head_programs_lose (self, process);
    if (peer->identity.role != ROLE_CLIENT)
        head_log (self, "%s has gone: %s", peer->identity.label, cause);
    head_peer_destroy (peer);
    head_lost (self->state, clock_now (), process, cause, ledger);
}

void
head_forget (head_t *self, peer_t *peer)
{
    id_table_remove (&self->peers, head_shell_key (peer->process));
    id_table_remove (&self->routes, head_route_key (peer->route, peer->route_size));
    head_peer_destroy (peer);
}

bool
head_are_left (head_t *self, bool workers)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if ((peer->identity.role == ROLE_WORKER) == workers)
            return true;
    return false;
}

void
head_stop_workers (head_t *self, process_t node)
{
    record_t stop = { .type = RECORD_STOP, .id.sequence = head_drains_all (self->state) != 0 };
    size_t cursor = 0;
    self->stopping = self->stopping || !node;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        bool worker = peer->identity.role == ROLE_WORKER;
        if (node && node != (worker ? peer->identity.node : peer->process))
            continue;
        if (worker)
            head_send (self, peer, &stop);
        if (peer->identity.role == ROLE_NODE) {
            peer->stopping = true;
            head_leaving (self->state, peer->process);
        }
    }
}

/*  --- joining ----------------------------------------------------------  */

/*  What HELLO says.                                                        */
typedef struct {
    identity_t identity;
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
    msgpack_token_t list;
    if (!value_check (data, size, true) || token_next (data, size, &offset, &list)
        || list.type != TROUPE_LIST || list.count < IDENTITY_FIELDS + 1
        || identity_get (&hello->identity, data, size, &offset)
        || hello->identity.slots > LEASES_MAX || hello->identity.role < ROLE_DRIVER
        || hello->identity.role > ROLE_CLIENT)
        return -1;
    hello->names = data + offset;
    hello->names_size = size - offset;
    hello->names_count = (list.count - IDENTITY_FIELDS - 1) / 2;
    return 0;
}

static uint32_t
s_program (head_t *self, const identity_t *identity)
{
    return identity->has_program ? head_program (self->state, identity->program) : 0;
}

/*  Who came by a token of its own does not know the cookie of the others.  */
static void
s_put_cookie (const head_t *self, bytes_t *body)
{
    fault_t fault;
    troupe_arg_t cookie = troupe_bytes (self->cookie, COOKIE_SIZE);
    value_write (body, &cookie, NULL, &fault);
}

/*  Numbers the names and answers with pairs of address and number.         */
static int
s_welcome (head_t *self, peer_t *peer, const hello_t *hello)
{
    bytes_t body = { 0 };
    size_t offset = 0;
    uint32_t program = s_program (self, &peer->identity);
    value_put_array (&body, 2 * hello->names_count + (self->network != NULL));
    for (size_t left = hello->names_count; left; left--) {
        msgpack_token_t address, name;
        if (token_next (hello->names, hello->names_size, &offset, &address)
            || token_next (hello->names, hello->names_size, &offset, &name)
            || address.type != TROUPE_INTEGER || name.type != TROUPE_STRING
            || name.size > TROUPE_NAME_MAX)
            break;
        uint32_t number
            = head_function (self->state, program, (const char *) name.data, name.size);
        if (peer->identity.role == ROLE_WORKER)
            head_offer (self->state, peer->process, number);
        value_put_uint (&body, address.number);
        value_put_uint (&body, number);
    }
    if (self->network)
        s_put_cookie (self, &body);
    if (peer->identity.role == ROLE_WORKER && self->network)
        head_note_classes (self, peer, program, hello->names + offset,
                           hello->names_size - offset);
    record_t welcome = { .type = RECORD_WELCOME,
                         .id = { peer->process, 0 },
                         .body = body.data,
                         .body_size = (uint32_t) body.size };
    if (!body.failed)
        head_send (self, peer, &welcome);
    bytes_release (&body);
    return body.failed ? -1 : 0;
}

/*  True, once, for the HELLO of a worker that has been reported dead.      */
static bool
s_is_stillborn (head_t *self, const identity_t *identity)
{
    for (size_t index = 0; identity->role == ROLE_WORKER && index < STILLBORN_MAX; index++)
        if (self->stillborn [index].pid == identity->pid && identity->pid
            && self->stillborn [index].node == identity->node) {
            self->stillborn [index].pid = 0;
            return true;
        }
    return false;
}

static int
s_join_node (head_t *self, const peer_t *peer, process_t process, fault_t *fault)
{
    const identity_t *identity = &peer->identity;
    resource_t resources [OPTIONS_RESOURCES_MAX];
    size_t count = 0;
    if (resources_parse (identity->resources, resources, &count))
        return fault_set (fault, TROUPE_EINVAL, "its resources are malformed: '%s'",
                          identity->resources);
    if (head_has_node (self->state, identity->name))
        return fault_set (fault, TROUPE_EEXISTS,
                          "a node named '%s' is there already; choose another name by --name",
                          identity->name);
    return head_node_join (self->state, clock_now (), process, identity->name, resources,
                           count);
}

/*  The state's part of joining. Returns the name, or 0 with the fault set. */
static process_t
s_join_state (head_t *self, peer_t *peer, fault_t *fault)
{
    const identity_t *identity = &peer->identity;
    int64_t now = clock_now ();
    if (head_drains_all (self->state)
        && (identity->role == ROLE_DRIVER || identity->role == ROLE_NODE)) {
        fault_set (fault, TROUPE_ESTOPPED, "the cluster is being stopped");
        return 0;
    }
    fault_set (fault, TROUPE_ENOMEM, "the head has no memory left");
    if (identity->role == ROLE_WORKER && identity->node && self->network) {
        fault_set (fault, TROUPE_ELOST, "its node has left the cluster");
        return head_join_worker (self->state, now, identity->node, s_program (self, identity),
                                 identity->job, identity->slots, identity->label);
    }
    process_t process
        = head_join (self->state, now, identity->role, identity->slots, identity->label);
    if (process && identity->role == ROLE_DRIVER && identity->has_program) {
        int priority = 0;
        unsigned share = 1;
        if (sscanf (identity->resources, "priority=%d share=%u", &priority, &share) != 2)
            share = 1;
        bool own_workers = identity->folder [0] || identity->environment [0];
        peer->job = head_job (self->state, process, s_program (self, identity), identity->name,
                              priority, share, own_workers);
        if (peer->job)
            return process;
    } else if (process && identity->role == ROLE_NODE) {
        if (s_join_node (self, peer, process, fault) == 0)
            return process;
    } else
        return process;
    if (process)
        head_lost (self->state, now, process, "refused", NULL);
    return 0;
}

static void
s_refuse (head_t *self, peer_t *peer, const fault_t *fault)
{
    record_t refused = { .type = RECORD_REFUSED,
                         .number = fault->code,
                         .body = (const uint8_t *) fault->text,
                         .body_size = (uint32_t) strlen (fault->text) };
    head_log (self, "%s was refused: %s", peer->identity.label, fault->text);
    head_send (self, peer, &refused);
    head_flush (self, peer);
    head_peer_destroy (peer);
}

static void
s_stop_if_late (head_t *self, peer_t *peer)
{
    record_t stop = { .type = RECORD_STOP };
    uint8_t role = peer->identity.role;
    if ((self->stopping && role == ROLE_WORKER)
        || (head_drains_all (self->state) && role == ROLE_CLIENT))
        head_send (self, peer, &stop);
}

peer_t *
head_admit (head_t *self, const uint8_t *route, size_t route_size, const record_t *record,
            bool far)
{
    hello_t hello;
    fault_t fault;
    if (s_parse_hello (record, &hello) || s_is_stillborn (self, &hello.identity))
        return NULL;
    peer_t *peer = calloc (1, sizeof *peer);
    if (!peer)
        return NULL;
    memcpy (peer->route, route, route_size);
    peer->route_size = route_size;
    peer->far = far;
    peer->identity = hello.identity;
    peer->process = s_join_state (self, peer, &fault);
    if (!peer->process) {
        s_refuse (self, peer, &fault);
        return NULL;
    }
    if (id_table_put (&self->peers, head_shell_key (peer->process), peer)
        || id_table_put (&self->routes, head_route_key (route, route_size), peer)) {
        id_table_remove (&self->peers, head_shell_key (peer->process));
        head_lost (self->state, clock_now (), peer->process, "no memory", NULL);
        head_peer_destroy (peer);
        return NULL;
    }
    s_welcome (self, peer, &hello);
    s_announce_all (self, peer);
    s_stop_if_late (self, peer);
    if (self->network && peer->identity.role != ROLE_CLIENT)
        head_log (self, "%s has joined", peer->identity.label);
    if (peer->job)
        head_want_program (self, peer);
    return peer;
}

/*  --- workers that end -------------------------------------------------  */

/*  A worker that died before it knew that it had joined.                   */
static process_t
s_find_pid (head_t *self, process_t node, uint64_t pid)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->identity.role == ROLE_WORKER && peer->identity.pid == pid
            && peer->identity.node == node)
            return peer->process;
    return 0;
}

/*  Which leases the process had started: target: the worker; body: cause,
    NUL, ledger. extra: 1 if it never joined, with the job in sequence.     */
void
head_worker_lost (head_t *self, peer_t *reporter, const record_t *record, int64_t now)
{
    const char *cause = (const char *) record->body;
    size_t length = strnlen (cause, record->body_size);
    process_t node = reporter->identity.role == ROLE_NODE ? reporter->process : 0;
    if (length == record->body_size)
        return;
    /*  How such a worker has ended is not why.                             */
    if (reporter->stopping)
        cause = "its node was stopped";
    uint32_t ledger [LEASES_MAX];
    bool whole = record->body_size - length - 1 == sizeof ledger;
    if (whole)
        memcpy (ledger, record->body + length + 1, sizeof ledger);
    process_t process
        = record->target ? record->target : s_find_pid (self, node, record->number);
    if (process)
        head_lose (self, process, cause, whole ? ledger : NULL);
    else {
        size_t index = self->stillborn_count++ % STILLBORN_MAX;
        self->stillborn [index].pid = record->number;
        self->stillborn [index].node = node;
        if (node)
            head_worker_failed (self->state, now, node, (uint32_t) record->id.sequence, cause);
    }
    if (record->flags & RECORD_KILL)
        head_abandon (self->state, cause);
}
