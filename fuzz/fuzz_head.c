/*  fuzz_head.c - a script of messages to the head, from processes that have
    joined and from strangers

    After every message the head's structures must agree with each other, and
    what it sent must go to processes that have joined, each record to whom
    it concerns. The first byte chooses: 1 the head of a cluster of machines,
    else one that a driver carries. A driver (connection 0) joins by itself,
    and a worker (1); in a cluster a node (1), a worker of it (2), and a
    client on another machine (3). Others, and these once they are lost, must
    say HELLO. Connection 7 has a routing id that no process of ours has.
    Actions: 0 breaks a connection, so that nothing can be sent there; 1
    makes it anew.                                                          */

#include "fuzz/world.h"

/*  Its static functions are called; what is static here begins with fuzz_.  */
#include "head/head.c"

#include <dirent.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 16384
#define STEPS_MAX 256
#define CONNECTIONS 8

/*  Of a client.                                                            */
#define FAR_CONNECTION 3

enum { BEGIN_CLUSTER = 1 };

static head_t *fuzz_head;
static bool fuzz_broken [CONNECTIONS];
static const uint8_t fuzz_cookie [COOKIE_SIZE + 1] = "0123456789abcdef";
static char fuzz_folder [64];

/*  --- connections ------------------------------------------------------  */

/*  As libzmq makes them, but for the last.                                 */
static size_t
fuzz_route (unsigned connection, uint8_t *route)
{
    memset (route, 0, ROUTE_MAX + 1);
    route [0] = connection == CONNECTIONS - 1 ? 'x' : 0;
    route [1] = (uint8_t) connection;
    return connection == CONNECTIONS - 1 ? ROUTE_MAX + 1 : 5;
}

bool
world_routable (const uint8_t *route, size_t route_size)
{
    REQUIRE (route_size == 5 && route [1] < CONNECTIONS);
    return !fuzz_broken [route [1]];
}

/*  --- what the head sends ----------------------------------------------  */

static bool
fuzz_concerns_in_cluster (const peer_t *peer, const record_t *record)
{
    uint8_t role = peer->identity.role;
    switch (record->type) {
    case RECORD_PING:
        return fuzz_head->network != NULL;
    case RECORD_LEAVE:
        return true;
    case RECORD_START:
        return role == ROLE_NODE && record->id.sequence && record->number
               && record->body_size >= PROGRAM_HASH_SIZE;
    case RECORD_COMMAND:
    case RECORD_LINES:
        return role == ROLE_NODE;
    case RECORD_CHUNK:
        return role == ROLE_NODE && record->body_size >= PROGRAM_HASH_SIZE;
    case RECORD_FETCH:
        return role == ROLE_DRIVER && record->body_size == PROGRAM_HASH_SIZE && record->number;
    case RECORD_LOG:
        return role == ROLE_DRIVER && record->body_size
               && memchr (record->body, 0, record->body_size);
    case RECORD_END:
        return role == ROLE_WORKER && record->flags & RECORD_KILL;
    case RECORD_LINK:
        return peer->far && record->target <= peer->channel.received;
    default:
        return false;
    }
}

static bool
fuzz_concerns (const peer_t *peer, const record_t *record)
{
    uint8_t role = peer->identity.role;
    bool worker = role == ROLE_WORKER;
    switch (record->type) {
    case RECORD_WELCOME:
    case RECORD_UNKNOWN:
        return record->id.owner == peer->process;
    case RECORD_RESULT:
        return record->id.owner == peer->process
               && (record->flags & RECORD_FAULT
                       ? fault_code_valid (record->number)
                       : value_check (record->body, record->body_size, true) > 0);
    case RECORD_PEER_UP:
    case RECORD_PEER_DOWN:
        return record->id.owner && record->id.owner != peer->process;
    case RECORD_TASK:
        return worker && record->number && (uint32_t) record->target;
    case RECORD_SPAWN:
    case RECORD_RECALL:
    case RECORD_CANCEL:
    case RECORD_STOP:
        return worker;
    case RECORD_SUBSCRIBE:
        return record->flags & RECORD_AGAIN ? record->id.owner == peer->process : worker;
    /*  A head that a driver carries tells whom it counts as dead.          */
    case RECORD_REFUSED:
        return !fuzz_head->network && record->number == TROUPE_ELOST && record->body_size;
    default:
        return fuzz_concerns_in_cluster (peer, record);
    }
}

/*  Whom the head refuses has not joined, and hears why.                    */
static bool
fuzz_refuses (const record_t *record)
{
    return record->type == RECORD_LINK
           || (record->type == RECORD_REFUSED && record->body_size
               && fault_code_valid (record->number));
}

void
world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
            size_t size)
{
    frame_reader_t reader;
    record_t record;
    int rc;
    const peer_t *peer = id_table_get (&fuzz_head->routes, head_route_key (route, route_size));
    REQUIRE (socket == fuzz_head->socket);
    REQUIRE (frame_open (&reader, data, size) == 0 && reader.left);
    REQUIRE (!peer || peer->far == channel_ends (data, size));
    while ((rc = frame_next (&reader, &record)) == 1)
        REQUIRE (peer ? fuzz_concerns (peer, &record) : fuzz_refuses (&record));
    REQUIRE (rc == 0);
}

/*  --- turns ------------------------------------------------------------  */

static void
fuzz_check (void)
{
    const char *wrong = head_check (fuzz_head->state);
    if (wrong)
        fprintf (stderr, "head_check: %s\n", wrong);
    REQUIRE (!wrong && !head_failed (fuzz_head->state));
    head_counts_t counts = head_counts (fuzz_head->state);
    REQUIRE (counts.peers == fuzz_head->peers.count && counts.peers == fuzz_head->routes.count);
    size_t classes = 0;
    for (list_node_t *at = fuzz_head->class_sets.next; at != &fuzz_head->class_sets;
         at = at->next)
        classes += container_of (at, class_set_t, node)->count;
    REQUIRE (classes == fuzz_head->class_count);
}

/*  What s_run does.                                                        */
static void
fuzz_turn (void)
{
    head_tend (fuzz_head, world_now);
    while (!s_drain (fuzz_head, world_now))
        ;
    head_dispatch (fuzz_head->state, world_now);
    s_act_all (fuzz_head, world_now);
    for (list_node_t *node; (node = list_pop (&fuzz_head->dirty));)
        head_flush (fuzz_head, container_of (node, peer_t, dirty));
    fuzz_check ();
    REQUIRE (head_due (fuzz_head->state, world_now) >= world_now);
}

static void
fuzz_deliver (unsigned connection, const bytes_t *frame, unsigned parts)
{
    uint8_t route [ROUTE_MAX + 1];
    size_t route_size = fuzz_route (connection, route);
    bool truncated = parts == STEP_TRUNCATED;
    static const uint8_t nothing;
    const uint8_t *data = frame->size ? frame->data : &nothing;
    world_deliver (fuzz_head->socket, route, route_size, truncated ? NULL : data, frame->size,
                   truncated ? 0 : parts);
    fuzz_turn ();
}

static void
fuzz_step (const step_t *step)
{
    switch (step->kind) {
    case STEP_TIME:
        world_now += step->number * CLOCK_MS;
        fuzz_turn ();
        break;
    case STEP_ACTION:
        fuzz_broken [step->argument % CONNECTIONS] = step->number == 0;
        break;
    default:
        fuzz_deliver (step->connection, &step->frame, step->parts);
    }
}

/*  --- processes that join ----------------------------------------------  */

/*  In a cluster, workers are of the process on connection 1, and of the first
    job.                                                                    */
static identity_t
fuzz_identity (unsigned connection, role_t role)
{
    identity_t identity = { .role = (uint8_t) role,
                            .endpoint = "ipc://@x",
                            .remote = "tcp://127.0.0.1:1",
                            .machine = WORLD_MACHINE,
                            .label = "process",
                            .slots = 2,
                            .pid = 100 + connection };
    if (!fuzz_head->network)
        return identity;
    identity.has_key = true;
    identity.key [0] = (uint8_t) (1 + connection);
    identity.has_program = role == ROLE_DRIVER || role == ROLE_WORKER;
    memset (identity.program, 'p', PROGRAM_HASH_SIZE);
    if (role == ROLE_WORKER) {
        identity.node = world_process (2);
        identity.job = 1;
    } else if (role == ROLE_NODE) {
        memcpy (identity.name, "first", 6);
        memcpy (identity.resources, "cpus=4 memory=1e9", 18);
    }
    return identity;
}

static void
fuzz_put_hello (bytes_t *body, const identity_t *identity)
{
    bytes_append (body, fuzz_cookie, COOKIE_SIZE);
    value_put_array (body, IDENTITY_FIELDS + 5);
    identity_put (body, identity);
    value_put_uint (body, 1001);
    value_put_string (body, "first", 5);
    value_put_uint (body, 1002);
    value_put_string (body, "second", 6);
    value_put_array (body, 1);
    value_put_array (body, 3);
    value_put_string (body, "thing", 5);
    value_put_string (body, "add", 3);
    value_put_string (body, "amount: int64", 13);
}

static void
fuzz_say_hello (unsigned connection, role_t role)
{
    bytes_t body = { 0 };
    bytes_t frame = { 0 };
    identity_t identity = fuzz_identity (connection, role);
    fuzz_put_hello (&body, &identity);
    record_t hello = { .type = RECORD_HELLO,
                       .flags = (uint8_t) role,
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    record_t link = { .type = RECORD_LINK, .id = { 0, 1 } };
    REQUIRE (!body.failed && record_write (&frame, &hello) == 0);
    if (connection == FAR_CONNECTION)
        REQUIRE (record_write (&frame, &link) == 0);
    fuzz_deliver (connection, &frame, 0);
    peer_t *peer = head_shell_peer (fuzz_head, world_process (connection + 1));
    REQUIRE (peer && peer->far == (connection == FAR_CONNECTION));
    bytes_release (&frame);
    bytes_release (&body);
}

/*  --- programs ---------------------------------------------------------  */

static void
fuzz_remove_folder (void)
{
    char path [320];
    DIR *folder = opendir (fuzz_folder);
    for (struct dirent *entry; folder && (entry = readdir (folder)) != NULL;) {
        snprintf (path, sizeof path, "%s/%s", fuzz_folder, entry->d_name);
        if (entry->d_name [0] != '.')
            unlink (path);
    }
    if (folder)
        closedir (folder);
    rmdir (fuzz_folder);
}

/*  The folder serves for all inputs; each leaves it empty.                 */
static void
fuzz_open_programs (void)
{
    fault_t fault;
    if (!*fuzz_folder) {
        snprintf (fuzz_folder, sizeof fuzz_folder, "/tmp/troupe-fuzz-XXXXXX");
        REQUIRE (mkdtemp (fuzz_folder) && atexit (fuzz_remove_folder) == 0);
    }
    fuzz_head->programs = program_cache_new (fuzz_folder, PROGRAM_BYTES_MAX, &fault);
    REQUIRE (fuzz_head->programs);
}

/*  --- life -------------------------------------------------------------  */

static void
fuzz_log (void *context, const char *text)
{
    REQUIRE (context == fuzz_broken && *text);
}

static void
fuzz_begin (bool cluster)
{
    fuzz_head = calloc (1, sizeof *fuzz_head);
    REQUIRE (fuzz_head);
    memset (fuzz_broken, 0, sizeof fuzz_broken);
    memcpy (fuzz_head->cookie, fuzz_cookie, COOKIE_SIZE);
    list_init (&fuzz_head->dirty);
    list_init (&fuzz_head->uploads);
    list_init (&fuzz_head->downloads);
    list_init (&fuzz_head->class_sets);
    fuzz_head->stop = -1;
    fuzz_head->socket = zmq_socket (NULL, ZMQ_ROUTER);
    fuzz_head->state = head_state_new ((uint32_t) WORLD_EPOCH);
    REQUIRE (fuzz_head->socket && fuzz_head->state);
    world_now = 1000 * CLOCK_MS;
    fuzz_head->since = world_now;
    if (cluster) {
        fuzz_head->network = &world_network;
        fuzz_head->log = fuzz_log;
        fuzz_head->log_context = fuzz_broken;
        fuzz_open_programs ();
    }
    fuzz_say_hello (0, ROLE_DRIVER);
    fuzz_say_hello (1, cluster ? ROLE_NODE : ROLE_WORKER);
    if (cluster) {
        fuzz_say_hello (2, ROLE_WORKER);
        fuzz_say_hello (FAR_CONNECTION, ROLE_CLIENT);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    step_t step = { 0 };
    if (size == 0 || size > INPUT_MAX)
        return 0;
    script_t script = { data + 1, size - 1, 0 };
    fuzz_begin (data [0] & BEGIN_CLUSTER);
    for (int count = 0; count < STEPS_MAX && script_next (&script, &step); count++)
        fuzz_step (&step);
    bytes_release (&step.frame);
    if (fuzz_head->programs)
        program_cache_evict (fuzz_head->programs, PROGRAM_BYTES_MAX);
    REQUIRE (head_destroy (&fuzz_head) == 0);
    return 0;
}
