/*  fuzz_peer.c - a script of messages to a driver or a worker, from the head,
    from processes that have greeted, and from strangers

    The first byte chooses: 1 a worker, else a driver; 2 no WELCOME but what
    the script has; 4 handles are destroyed after the runtime; 8 in a cluster,
    where the head and process 3 are on other machines. Connection 0 is the
    head, 1 and 2 have greeted as the processes 2 (a worker) and 3 (a driver),
    the others are strangers. Process 1 is the one under test; its threads
    take turns. In a driver, actions use the public interface.

    Whatever comes, no wait may hang, every future must be done in the end,
    what is sent must be well formed, and strangers must achieve nothing.   */

#include "fuzz/turns.h"
#include "fuzz/world.h"

#include "peer/actor.h"
#include "peer/callback.h"
#include "peer/registry.h"
#include "worker/worker_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 16384
#define STEPS_MAX 256
#define FUTURES 16
#define ACTORS 8

#define PATIENCE (10000 * CLOCK_MS)

enum { BEGIN_WORKER = 1, BEGIN_RAW = 2, BEGIN_HANDLES_LAST = 4, BEGIN_FAR = 8 };

static const uint8_t s_cookie [COOKIE_SIZE + 1] = "0123456789abcdef";
static const uint8_t s_program [PROGRAM_HASH_SIZE] = "p";

static struct {
    script_t script;
    step_t step;
    int steps;
    unsigned setup;             /*  messages of the beginning, sent so far  */
    bool raw;
    bool far;                   /*  in a cluster of machines                */
    bool finished;
    unsigned acting;            /*  actions that wait in each other         */
    size_t sent;
    troupe_t *driver;
    peer_waiter_t *main;
    worker_t *worker;
    troupe_future_t *futures [FUTURES];
    troupe_actor_t *actors [ACTORS];
} s;

/*  --- what workers run -------------------------------------------------  */

static int
echo (troupe_call_t *call)
{
    troupe_view_t view;
    if (troupe_arg_count (call) == 0)
        return 0;
    if (troupe_arg_view (call, 0, &view))
        return -1;
    return troupe_return (call, view);
}
TROUPE_TASK (echo);

/*  Waits for a future that it was given, for a while, and gives it back.   */
static int
hold (troupe_call_t *call)
{
    troupe_future_t *future = NULL;
    if (troupe_args (call, &future))
        return -1;
    troupe_wait (&future, 1, 1, 50, NULL);
    int rc = troupe_return (call, troupe_handle (future));
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (hold);

/*  Answers with what another task answers.                                 */
static int
nest (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), echo, number);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (nest);

/*  Calls an actor that it was given, and waits.                            */
static int
visit (troupe_call_t *call)
{
    troupe_actor_t *actor = NULL;
    int64_t number = 0;
    if (troupe_args (call, &actor, &number))
        return -1;
    troupe_future_t *future = troupe_call_by_name (actor, "add", number);
    troupe_actor_destroy (&actor);
    int rc = troupe_get (future, &number);
    troupe_future_destroy (&future);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, number);
}
TROUPE_TASK (visit);

static int
s_callback (troupe_call_t *call)
{
    troupe_view_t view;
    if (troupe_arg_view (call, 0, &view))
        return -1;
    return troupe_return (call, view);
}

/*  Answers with what a callback makes of another task's answer.            */
static int
late (troupe_call_t *call)
{
    troupe_future_t *first = troupe_remote (troupe_of (call), echo, 1);
    troupe_future_t *second = troupe_then (first, s_callback, NULL);
    int rc = troupe_return (call, second);
    troupe_future_destroy (&second);
    troupe_future_destroy (&first);
    return rc;
}
TROUPE_TASK (late);

typedef struct {
    int64_t total;
    troupe_actor_t *friend;
} thing_t;

static int
thing_init (troupe_call_t *call)
{
    thing_t *self = troupe_self (call);
    return troupe_arg_count (call) ? troupe_args (call, &self->total) : 0;
}

static void
thing_term (void *self)
{
    troupe_actor_destroy (&((thing_t *) self)->friend);
}

static int
thing_add (troupe_call_t *call)
{
    thing_t *self = troupe_self (call);
    int32_t number;
    if (troupe_args (call, &number))
        return -1;
    self->total = (self->total & INT32_MAX) + number;
    return troupe_return (call, self->total);
}

static int
thing_self (troupe_call_t *call)
{
    troupe_actor_t *actor = troupe_self_actor (call);
    int rc = troupe_return (call, actor);
    troupe_actor_destroy (&actor);
    return rc;
}

static int
thing_meet (troupe_call_t *call)
{
    thing_t *self = troupe_self (call);
    troupe_actor_t *actor = NULL;
    if (troupe_args (call, &actor))
        return -1;
    troupe_actor_destroy (&self->friend);
    self->friend = actor;
    return 0;
}

static int
thing_ask (troupe_call_t *call)
{
    thing_t *self = troupe_self (call);
    if (!self->friend)
        return troupe_fail (call, "no friend");
    troupe_future_t *future = troupe_call_by_name (self->friend, "add", 1);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}

TROUPE_ACTOR (thing, thing_t, .init = thing_init, .term = thing_term,
              .methods = { TROUPE_METHOD (thing_add), TROUPE_METHOD (thing_self),
                           TROUPE_METHOD (thing_meet), TROUPE_METHOD (thing_ask),
                           TROUPE_METHOD (echo), TROUPE_METHOD (hold), TROUPE_METHOD (nest) });

/*  Two methods at a time, few calls that wait.                             */
TROUPE_ACTOR (twin, thing_t, .concurrency = 2, .mailbox = 3,
              .methods = { TROUPE_METHOD (thing_add), TROUPE_METHOD (hold),
                           TROUPE_METHOD (thing_self) });

/*  --- what is sent -----------------------------------------------------  */

bool
world_routable (const uint8_t *route, size_t route_size)
{
    return route && route_size;
}

void
world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
            size_t size)
{
    frame_reader_t reader;
    record_t record;
    int rc;
    REQUIRE (socket && route && route_size == 0);
    REQUIRE (frame_open (&reader, data, size) == 0 && reader.left);
    REQUIRE (s.far || !channel_ends (data, size));
    while ((rc = frame_next (&reader, &record)) == 1) {
        bool value = record.type == RECORD_RESULT || record.type == RECORD_VALUE;
        if (value && !(record.flags & RECORD_FAULT))
            REQUIRE (value_check (record.body, record.body_size, true));
        if (value && record.flags & RECORD_FAULT)
            REQUIRE (fault_code_valid (record.number));
        if (record.type == RECORD_TASK || record.type == RECORD_CALL)
            REQUIRE (record.id.owner == world_process (1) || s.raw);
    }
    REQUIRE (rc == 0);
    s.sent++;
}

/*  --- what comes in ----------------------------------------------------  */

static tid_t
s_route (unsigned connection, uint8_t *route)
{
    memset (route, 0, 8);
    route [1] = (uint8_t) connection;
    return (tid_t){ 1, load_u64 (route) };
}

/*  What a stranger's message must not change.                              */
static size_t
s_footprint (const troupe_t *peer)
{
    size_t count = s.sent + peer->futures.count + peer->actors.count + peer->links.count;
    for (const list_node_t *node = peer->dirty.next; node != &peer->dirty; node = node->next)
        count++;
    return count;
}

static void
s_deliver (troupe_t *peer, unsigned connection, const bytes_t *frame, unsigned parts)
{
    uint8_t route [8];
    tid_t key = s_route (connection, route);
    static const uint8_t nothing;
    bool truncated = parts == STEP_TRUNCATED;
    const uint8_t *data = truncated ? NULL : frame->size ? frame->data : &nothing;
    if (connection)
        world_deliver (peer->inbox, route, 5, data, frame->size, truncated ? 0 : parts);
    else
        world_deliver (peer->head.socket, NULL, 0, data, frame->size, truncated ? 0 : parts);
    link_flush_all (peer);
    size_t footprint = s_footprint (peer);
    peer_batch_begin (peer);
    while (!peer_drain (peer))
        ;
    if (connection && !id_table_get (&peer->senders, key))
        REQUIRE (s_footprint (peer) == footprint);
    peer_batch_end (peer);
}

static void
s_deliver_record (troupe_t *peer, unsigned connection, const record_t *record)
{
    bytes_t frame = { 0 };
    REQUIRE (record_write (&frame, record) == 0);
    s_deliver (peer, connection, &frame, 0);
    bytes_release (&frame);
}

/*  The numbers of tasks are 1, 2, ... in the order of the registry.        */
static void
s_deliver_welcome (troupe_t *peer)
{
    bytes_t body = { 0 };
    size_t count = 0;
    for (troupe_task_t *task = registry_tasks (); task; task = task->next)
        count++;
    value_put_array (&body, 2 * count);
    count = 0;
    for (troupe_task_t *task = registry_tasks (); task; task = task->next) {
        value_put_uint (&body, (uint64_t) (uintptr_t) task);
        value_put_uint (&body, ++count);
    }
    record_t welcome = { .type = RECORD_WELCOME,
                         .id = { world_process (1), 0 },
                         .body = body.data,
                         .body_size = (uint32_t) body.size };
    s_deliver_record (peer, 0, &welcome);
    bytes_release (&body);
}

/*  The head says who is there.                                             */
static void
s_deliver_up (troupe_t *peer, unsigned number)
{
    bytes_t body = { 0 };
    bool far = s.far && number == 3;
    identity_t identity = { .role = number == 2 ? ROLE_WORKER : ROLE_DRIVER,
                            .endpoint = "ipc://@x",
                            .remote = "tcp://127.0.0.1:1",
                            .machine = WORLD_MACHINE,
                            .label = "process",
                            .has_key = s.far };
    if (far)
        identity.machine [0] = 'T';
    identity.key [0] = (uint8_t) number;
    value_put_array (&body, IDENTITY_FIELDS);
    identity_put (&body, &identity);
    record_t up = { .type = RECORD_PEER_UP,
                    .id = { world_process (number), 0 },
                    .body = body.data,
                    .body_size = (uint32_t) body.size };
    s_deliver_record (peer, 0, &up);
    bytes_release (&body);
    if (peer->joined)
        REQUIRE (peer->known.count && world_keys () <= peer->known.count);
}

/*  And they greet.                                                         */
static void
s_deliver_neighbour (troupe_t *peer, unsigned number)
{
    record_t hello = { .type = RECORD_HELLO,
                       .id = { world_process (number), 0 },
                       .body = s_cookie,
                       .body_size = COOKIE_SIZE };
    s_deliver_up (peer, number);
    s_deliver_record (peer, number - 1, &hello);
}

static void
s_set_up (troupe_t *peer)
{
    unsigned step = s.setup++;
    if (step == 0)
        s_deliver_welcome (peer);
    else
        s_deliver_neighbour (peer, step + 1);
}

/*  --- what the driver does ---------------------------------------------  */

static troupe_future_t **
s_free_future (void)
{
    for (size_t index = 0; index < FUTURES; index++)
        if (!s.futures [index])
            return &s.futures [index];
    troupe_future_destroy (&s.futures [0]);
    return &s.futures [0];
}

static troupe_actor_t **
s_free_actor (void)
{
    for (size_t index = 0; index < ACTORS; index++)
        if (!s.actors [index])
            return &s.actors [index];
    troupe_actor_destroy (&s.actors [0]);
    return &s.actors [0];
}

/*  Reads what is there in every way, and keeps the handles it may hold.    */
static void
s_read (troupe_future_t *future)
{
    int64_t number;
    const char *text;
    troupe_int64s_t numbers;
    troupe_future_t *inner = NULL;
    troupe_actor_t *actor = NULL;
    if (!future || !troupe_future_done (future))
        return;
    troupe_get (future, &number);
    troupe_get (future, &text);
    troupe_get (future, &numbers);
    troupe_get (future, &number, &text);
    if (troupe_get (future, &inner) == 0)
        *s_free_future () = inner;
    if (troupe_get (future, &actor) == 0)
        *s_free_actor () = actor;
}

/*  Actions about a future.                                                 */
static void
s_act_on_future (unsigned action, troupe_future_t **place)
{
    troupe_future_t *pair [2] = { *place, s.futures [0] };
    troupe_future_t *made = NULL;
    if (!*place)
        return;
    switch (action) {
    case 0:
        troupe_future_destroy (place);
        break;
    case 1:
        troupe_cancel (*place);
        break;
    case 2:
        s_read (*place);
        break;
    case 3:
        made = troupe_remote (s.driver, echo, *place);
        break;
    case 4:
        made = troupe_remote (s.driver, hold, troupe_handle (*place),
                              TROUPE_WITH (.timeout_ms = 100));
        break;
    case 5:
        made = troupe_then (*place, s_callback, NULL);
        break;
    case 6:
        made = troupe_all (pair, s.futures [0] ? 2 : 1);
        break;
    case 7:
        made = troupe_any (pair, s.futures [0] ? 2 : 1);
        break;
    default:
        *s_free_actor () = troupe_spawn (s.driver, thing, *place);
        return;
    }
    if (made)
        *s_free_future () = made;
}

/*  Actions about an actor.                                                 */
static void
s_act_on_actor (unsigned action, troupe_actor_t **place)
{
    troupe_future_t *made = NULL;
    if (!*place)
        return;
    switch (action) {
    case 0:
        troupe_actor_destroy (place);
        return;
    case 1:
        troupe_actor_kill (*place);
        return;
    case 2:
        made = troupe_call (*place, thing_add, 3);
        break;
    case 3:
        made = s.futures [0] ? troupe_call_by_name (*place, "add", s.futures [0]) : NULL;
        break;
    case 4:
        made = troupe_call (*place, thing_meet, *place);
        break;
    case 5:
        made = troupe_actor_ready (*place);
        break;
    default:
        made = troupe_remote (s.driver, visit, *place, 1);
    }
    if (made)
        *s_free_future () = made;
}

static void
s_act_anew (unsigned action)
{
    switch (action) {
    case 0:
        *s_free_future () = troupe_remote (s.driver, echo, "text");
        break;
    case 1:
        *s_free_future () = troupe_remote_by_name (s.driver, "far", 1, 2.5);
        break;
    case 2:
        *s_free_future () = troupe_put (s.driver, "a value that is somewhat longer");
        break;
    case 3:
        *s_free_actor () = troupe_spawn (s.driver, thing, 5);
        break;
    case 4:
        *s_free_actor () = troupe_spawn_by_name (s.driver, "far", TROUPE_WITH (.name = "it"));
        break;
    case 5:
        *s_free_actor () = troupe_find (s.driver, "it");
        break;
    case 6:
        *s_free_future () = troupe_remote (s.driver, echo, 1, TROUPE_WITH (.retries = 1));
        break;
    default:
        troupe_process (s.driver);
    }
}

/*  The head falls silent, or the driver leaves it.                         */
static void
s_act_on_head (unsigned action)
{
    if (action & 1)
        peer_leave (s.driver, world_now + 1000 * CLOCK_MS);
    else {
        static const fault_t silent = { TROUPE_ELOST, "silent" };
        pthread_mutex_lock (&s.driver->lock);
        peer_lose_head (s.driver, &silent);
        pthread_mutex_unlock (&s.driver->lock);
    }
}

static void
s_act (unsigned what, unsigned argument)
{
    if (!s.driver)
        return;
    if (what & 32)
        s_act_on_head (argument);
    else if (what & 16)
        s_act_on_future (what & 15, &s.futures [argument % FUTURES]);
    else if (what & 8)
        s_act_on_actor (what & 7, &s.actors [argument % ACTORS]);
    else
        s_act_anew (what & 7);
}

/*  --- the world moves --------------------------------------------------  */

/*  At the end of the script the worker is stopped, or the driver's wait ends;
    if the driver waits in an action too, the runtime stops meanwhile.      */
static bool
s_finish (troupe_t *peer)
{
    if (s.finished && s.acting) {
        peer->stopping = true;
        return true;
    }
    if (s.finished)
        return false;
    s.finished = true;
    if (s.main)
        peer_wake (peer, s.main);
    else if (s.worker) {
        pthread_mutex_unlock (&peer->lock);
        worker_stop (s.worker);
        pthread_mutex_lock (&peer->lock);
    }
    return true;
}

bool
turns_idle (troupe_t *peer)
{
    if (!s.raw && s.setup < 3) {
        s_set_up (peer);
        return true;
    }
    /*  The script waits for main to be where it works from.                */
    if (!s.raw && !s.driver && !s.worker)
        return false;
    if (s.steps++ >= STEPS_MAX || !script_next (&s.script, &s.step))
        return s_finish (peer);
    if (s.step.kind == STEP_TIME)
        world_now += s.step.number * CLOCK_MS;
    else if (s.step.kind == STEP_ACTION) {
        unsigned what = s.step.number, argument = s.step.argument;
        pthread_mutex_unlock (&peer->lock);
        s.acting++;
        s_act (what, argument);
        s.acting--;
        pthread_mutex_lock (&peer->lock);
    } else {
        bytes_t frame = s.step.frame;
        s.step.frame = (bytes_t){ 0 };
        s_deliver (peer, s.step.connection, &frame, s.step.parts);
        bytes_release (&frame);
    }
    return true;
}

/*  --- a driver ---------------------------------------------------------  */

static void
s_destroy_handles (void)
{
    for (size_t index = 0; index < FUTURES; index++) {
        REQUIRE (!s.futures [index] || troupe_future_done (s.futures [index]));
        troupe_future_destroy (&s.futures [index]);
    }
    for (size_t index = 0; index < ACTORS; index++)
        troupe_actor_destroy (&s.actors [index]);
}

/*  What the head says to drivers in a cluster.                             */
static void
s_record (void *context, troupe_t *peer, const record_t *record)
{
    REQUIRE (context == &s && peer && record->type);
}

static void
s_run_driver (bool handles_last)
{
    fault_t fault;
    peer_waiter_t waiter = PEER_WAITER_INIT;
    peer_options_t options = { .head_endpoint = "inproc://head",
                               .cookie = s_cookie,
                               .role = ROLE_DRIVER,
                               .label = "driver",
                               .record = s_record,
                               .record_context = &s };
    if (s.far) {
        options.network = &world_network;
        options.far = true;
        options.patience = PATIENCE;
        options.program = s_program;
    }
    troupe_t *peer = peer_new (&options, world_now + 1000 * CLOCK_MS, &fault);
    if (!peer)
        return;
    s.driver = peer;
    pthread_mutex_lock (&peer->lock);
    s.main = &waiter;
    callback_wait (peer, &waiter, CLOCK_NEVER);
    s.main = NULL;
    pthread_mutex_unlock (&peer->lock);
    REQUIRE (peer_stop (peer) == 0 && peer->pending == 0);
    if (!handles_last)
        s_destroy_handles ();
    peer_destroy (&peer);
    if (handles_last)
        s_destroy_handles ();
}

/*  --- a worker ---------------------------------------------------------  */

static void
s_run_worker (void)
{
    fault_t fault;
    worker_options_t options = { .head_endpoint = "inproc://head",
                                 .cookie = s_cookie,
                                 .number = 1,
                                 .threads = true };
    if (s.far) {
        options.network = &world_network;
        options.far = true;
        options.patience = PATIENCE;
        options.program = s_program;
        options.node = world_process (4);
        options.job = 1;
        options.place = "first";
    }
    s.worker = worker_new (&options, &fault);
    if (!s.worker)
        return;
    worker_run (s.worker);
    REQUIRE (worker_destroy (&s.worker, 1000) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    turns_begin ();
    memset (&s, 0, sizeof s);
    s.script = (script_t){ data + 1, size - 1, 0 };
    s.raw = data [0] & BEGIN_RAW;
    s.far = data [0] & BEGIN_FAR;
    world_now = 1000 * CLOCK_MS;
    if (data [0] & BEGIN_WORKER)
        s_run_worker ();
    else
        s_run_driver (data [0] & BEGIN_HANDLES_LAST);
    bytes_release (&s.step.frame);
    world_forget_keys ();
    return 0;
}
