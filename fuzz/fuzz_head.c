/*  fuzz_head.c - a script of messages to the head, from processes that have
    joined and from strangers

    After every message the head's structures must agree with each other, and
    what it sent must go to processes that have joined, each record to whom
    it concerns. A driver (connection 0) and a worker (1) join by themselves;
    others, and these once they are lost, must say HELLO. Connection 7 has a
    routing id that no process of ours has. Actions: 0 breaks a connection,
    so that nothing can be sent there.                                      */

#include "fuzz/world.h"

/*  Its static functions are called; what is static here begins with fuzz_.  */
#include "head/head.c"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 16384
#define STEPS_MAX 256
#define CONNECTIONS 8

static head_t *fuzz_head;
static bool fuzz_broken [CONNECTIONS];
static const uint8_t fuzz_cookie [COOKIE_SIZE + 1] = "0123456789abcdef";

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
fuzz_concerns (const peer_t *peer, const record_t *record)
{
    bool worker = peer->role == ROLE_WORKER;
    switch (record->type) {
    case RECORD_WELCOME:
    case RECORD_UNKNOWN:
        return record->id.owner == peer->process;
    case RECORD_RESULT:
        return record->id.owner == peer->process
               && (!(record->flags & RECORD_FAULT) || fault_code_valid (record->number));
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
    default:
        return false;
    }
}

void
world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
            size_t size)
{
    frame_reader_t reader;
    record_t record;
    int rc;
    const peer_t *peer = id_table_get (&fuzz_head->routes, s_route_key (route, route_size));
    REQUIRE (socket == fuzz_head->socket && peer);
    REQUIRE (frame_open (&reader, data, size) == 0 && reader.left);
    while ((rc = frame_next (&reader, &record)) == 1)
        REQUIRE (fuzz_concerns (peer, &record));
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
}

/*  What s_run does after it slept.                                         */
static void
fuzz_turn (void)
{
    while (!s_drain (fuzz_head, world_now))
        ;
    head_dispatch (fuzz_head->state, world_now);
    s_act_all (fuzz_head, world_now);
    for (list_node_t *node; (node = list_pop (&fuzz_head->dirty));)
        s_flush (fuzz_head, container_of (node, peer_t, dirty));
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
        if (step->number == 0)
            fuzz_broken [step->argument % CONNECTIONS] = true;
        break;
    default:
        fuzz_deliver (step->connection, &step->frame, step->parts);
    }
}

/*  --- life -------------------------------------------------------------  */

static void
fuzz_say_hello (unsigned connection, role_t role)
{
    bytes_t body = { 0 };
    bytes_t frame = { 0 };
    bytes_append (&body, fuzz_cookie, COOKIE_SIZE);
    value_put_array (&body, 8);
    value_put_string (&body, "ipc://@x", 8);
    value_put_string (&body, "process", 7);
    value_put_uint (&body, 2);
    value_put_uint (&body, 100 + connection);
    value_put_uint (&body, 1001);
    value_put_string (&body, "first", 5);
    value_put_uint (&body, 1002);
    value_put_string (&body, "second", 6);
    record_t hello = { .type = RECORD_HELLO,
                       .flags = (uint8_t) role,
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    REQUIRE (record_write (&frame, &hello) == 0);
    fuzz_deliver (connection, &frame, 0);
    REQUIRE (s_peer (fuzz_head, world_process (connection + 1)));
    bytes_release (&frame);
    bytes_release (&body);
}

static void
fuzz_begin (void)
{
    fuzz_head = calloc (1, sizeof *fuzz_head);
    REQUIRE (fuzz_head);
    memset (fuzz_broken, 0, sizeof fuzz_broken);
    memcpy (fuzz_head->cookie, fuzz_cookie, COOKIE_SIZE);
    list_init (&fuzz_head->dirty);
    fuzz_head->stop = -1;
    fuzz_head->socket = zmq_socket (NULL, ZMQ_ROUTER);
    fuzz_head->state = head_state_new ((uint32_t) WORLD_EPOCH);
    REQUIRE (fuzz_head->socket && fuzz_head->state);
    world_now = 1000 * CLOCK_MS;
    fuzz_say_hello (0, ROLE_DRIVER);
    fuzz_say_hello (1, ROLE_WORKER);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    script_t script = { data, size, 0 };
    step_t step = { 0 };
    if (size > INPUT_MAX)
        return 0;
    fuzz_begin ();
    for (int count = 0; count < STEPS_MAX && script_next (&script, &step); count++)
        fuzz_step (&step);
    bytes_release (&step.frame);
    REQUIRE (head_destroy (&fuzz_head) == 0);
    return 0;
}
