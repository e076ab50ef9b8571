/*  test_simulator.c - drives the head's state machine through crashes, silence
    and delays, with a seed for everything, and checks that nothing is lost

    Around the real state machine stands a world of simulated processes. The
    messages between them are real frames; links keep their order, but each
    has delays of its own. A process that crashes takes with it what it sent
    last: of its messages, in the order of sending over all its links, those
    after some point are lost. A worker's ledger survives it.

    TROUPE_SEED             replays one seed of each scenario
    TROUPE_SIMULATOR_EVENTS how many events of each scenario                */

#include "head/head_private.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define HEAD UINT32_MAX             /*  the number of the head as a peer    */
#define EPOCH 9

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined (__has_feature)
#if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/*  --- what the world consists of ---------------------------------------  */

/*  Functions: how long they run, and what is special about them.           */
enum { QUICK, SHORT, LONG, NESTED, JUMPY, HEAVY, FUNCTIONS };

static const char *const s_function_names [FUNCTIONS]
    = { "quick", "short", "long", "nested", "jumpy", "heavy" };

typedef struct {
    const char *name;
    uint64_t seed;
    unsigned workers;
    unsigned drivers;
    unsigned slots;             /*  at most, of a worker                    */
    unsigned outstanding;       /*  futures of a driver                     */
    unsigned chaos_ms;          /*  between two calamities, on average      */
    unsigned check_every;       /*  events between two checks of everything */
    unsigned share;             /*  of the events, in percent               */
} scenario_t;

typedef enum { FUTURE_TASK, FUTURE_ACTOR, FUTURE_FIND } kind_t;
typedef enum { PENDING, VALUE, FAULT, CANCELLED } result_t;

/*  A future as its owner has it, with what the whole world knows of it.    */
typedef struct {
    uint8_t kind;
    uint8_t result;
    uint8_t retries;
    uint8_t starts;             /*  on any worker                           */
    uint8_t head_faults;        /*  that the head has decided               */
    uint8_t targets;            /*  SUBSCRIBEs not yet served               */
    uint64_t parent;            /*  the run that waits for it, or 0         */
} future_t;

/*  A task on a worker.                                                     */
typedef struct {
    list_node_t node;
    uint64_t serial;
    tid_t id;
    uint32_t function;
    uint32_t depth;
    uint32_t lease;
    uint32_t subscribers [8];
    uint32_t subscriber_count;
    uint32_t children;
    int64_t started;
    bool nested;                /*  its children were submitted             */
    bool cancelled;
} run_t;

typedef struct {
    uint32_t from, to;
    uint64_t index;             /*  in the order of sending of `from`       */
    size_t size;
    uint8_t frame [];
} message_t;

typedef struct {
    uint32_t number;
    role_t role;
    process_t name;             /*  as it knows it itself                   */
    process_t head_name;        /*  as the head knows it                    */
    bool alive;
    bool lost;                  /*  the head was told, or has decided so    */
    bool partitioned;
    unsigned slowness;
    uint64_t sent, delivered, cut;
    int64_t to_head, from_head; /*  when the links' last messages arrive    */
    message_t **held;           /*  by a partition                          */
    size_t held_count;

    future_t *futures;          /*  by sequence - 1                         */
    size_t future_count;
    size_t pending;

    unsigned slots;
    unsigned running;
    unsigned blocked;
    unsigned done_count;        /*  DONE pairs not yet sent                 */
    uint8_t done [8 * 64];
    list_t queue;
    list_t runs;
    list_t waiting;
    uint32_t *ledger;
    struct { tid_t id; uint64_t number; bool built; } actors [16];
} peer_t;

typedef enum {
    EVENT_MESSAGE, EVENT_TURN, EVENT_TICK, EVENT_ACT, EVENT_FINISH, EVENT_FLUSH, EVENT_PING,
    EVENT_NOTICE, EVENT_JOIN, EVENT_CHAOS, EVENT_HEAL, EVENT_KILL, EVENT_TIMEOUT, EVENT_BUILT
} event_type_t;

typedef struct {
    int64_t due;
    uint64_t order;
    message_t *message;
    uint64_t detail;
    uint32_t peer;
    event_type_t type;
} event_t;

typedef struct {
    uint64_t events, tasks, values, faults, cancelled, reruns, recalled, crashes, lost_drivers;
    uint64_t drops, stalls, actors, found, checks, nested, dependent;
} tally_t;

typedef struct {
    const scenario_t *scenario;
    head_state_t *head;
    uint64_t random;
    int64_t now;
    uint64_t order;
    uint64_t serial;
    uint64_t turns;
    uint64_t hash;
    event_t *events;
    size_t event_count, event_capacity;
    peer_t **peers;
    uint32_t peer_count;
    uint32_t *by_name;          /*  count in a name → number                */
    uint32_t joined;
    uint32_t functions [FUNCTIONS];
    id_table_t links;           /*  between peers: when the last arrives    */
    bytes_t frame;
    int64_t stopped_until;      /*  the head does nothing                   */
    unsigned workers_alive;
    bool turn_due;
    bool recall_due;
    bool dropped;               /*  a peer, by the actions being performed  */
    bool by_ledger;             /*  a ledger decides what has failed        */
    bool quiet;                 /*  no new work, no new calamities          */
    tally_t tally;
} world_t;

#define REQUIRE(condition_)                                                                  \
    do {                                                                                     \
        if (!(condition_))                                                                   \
            fail_msg ("%s, seed %llu, event %llu: %s", world->scenario->name,                \
                      (unsigned long long) world->scenario->seed,                            \
                      (unsigned long long) world->tally.events, #condition_);                \
    } while (0)

/*  --- chance -----------------------------------------------------------  */

/*  SplitMix64, see Steele, Lea and Flood 2014.                             */
static uint64_t
s_random (world_t *world)
{
    uint64_t z = world->random += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t
s_below (world_t *world, uint64_t limit)
{
    return s_random (world) % limit;
}

static bool
s_chance (world_t *world, unsigned percent)
{
    return s_below (world, 100) < percent;
}

static int64_t
s_between (world_t *world, int64_t low, int64_t high)
{
    return low + (int64_t) s_below (world, (uint64_t) (high - low + 1));
}

static void
s_trace (world_t *world, uint64_t what)
{
    uint64_t hash = (world->hash ^ what) * UINT64_C (0x9e3779b97f4a7c15);
    world->hash = hash ^ hash >> 29;
}

/*  --- events: a heap by time, then by order ----------------------------  */

static bool
s_before (const event_t *a, const event_t *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
s_push (world_t *world, event_t event)
{
    if (world->event_count == world->event_capacity) {
        world->event_capacity = world->event_capacity ? world->event_capacity * 2 : 4096;
        world->events = realloc (world->events, world->event_capacity * sizeof event);
        assert_non_null (world->events);
    }
    event.order = ++world->order;
    size_t place = world->event_count++;
    while (place && s_before (&event, &world->events [(place - 1) / 2])) {
        world->events [place] = world->events [(place - 1) / 2];
        place = (place - 1) / 2;
    }
    world->events [place] = event;
}

static event_t
s_pop (world_t *world)
{
    event_t first = world->events [0];
    event_t last = world->events [--world->event_count];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < world->event_count; place = child) {
        if (child + 1 < world->event_count
            && s_before (&world->events [child + 1], &world->events [child]))
            child++;
        if (!s_before (&world->events [child], &last))
            break;
        world->events [place] = world->events [child];
    }
    world->events [place] = last;
    return first;
}

static void
s_after (world_t *world, int64_t delay, event_type_t type, uint32_t peer, uint64_t detail)
{
    s_push (world, (event_t){ .due = world->now + delay, .type = type, .peer = peer,
                              .detail = detail });
}

/*  --- messages ---------------------------------------------------------  */

static peer_t *
s_named (world_t *world, process_t name)
{
    uint32_t count = (uint32_t) name;
    REQUIRE (name >> 32 == EPOCH && count && count <= world->joined);
    return world->peers [world->by_name [count]];
}

/*  The time at which a link's last message arrives.                        */
static int64_t *
s_link (world_t *world, uint32_t from, uint32_t to)
{
    if (from == HEAD)
        return &world->peers [to]->from_head;
    if (to == HEAD)
        return &world->peers [from]->to_head;
    tid_t key = { (uint64_t) from + 1, to };
    int64_t *last = id_table_get (&world->links, key);
    if (!last) {
        last = calloc (1, sizeof *last);
        assert_non_null (last);
        assert_int_equal (id_table_put (&world->links, key, last), 0);
    }
    return last;
}

static void
s_send (world_t *world, uint32_t from, uint32_t to, const record_t *record)
{
    bytes_clear (&world->frame);
    assert_int_equal (record_write (&world->frame, record), 0);
    message_t *message = malloc (sizeof *message + world->frame.size);
    assert_non_null (message);
    message->from = from;
    message->to = to;
    message->index = from == HEAD ? 0 : ++world->peers [from]->sent;
    message->size = world->frame.size;
    memcpy (message->frame, world->frame.data, message->size);
    int64_t delay = s_chance (world, 1) ? s_between (world, 0, 5 * CLOCK_MS)
                                        : s_between (world, 10 * CLOCK_US, 150 * CLOCK_US);
    int64_t *last = s_link (world, from, to);
    if (*last < world->now + delay)
        *last = world->now + delay;
    s_push (world, (event_t){ .due = *last, .type = EVENT_MESSAGE, .message = message });
}

/*  To a process by its name; 0 is the head.                                */
static void
s_send_named (world_t *world, peer_t *from, process_t to, const record_t *record)
{
    s_send (world, from->number, to ? s_named (world, to)->number : HEAD, record);
}

static void
s_send_short (world_t *world, peer_t *from, uint8_t type, uint64_t number, const uint8_t *body,
              uint32_t size)
{
    record_t record = { .type = type, .id.sequence = number, .body = body, .body_size = size };
    s_send (world, from->number, HEAD, &record);
}

/*  --- processes --------------------------------------------------------  */

static peer_t *
s_start (world_t *world, role_t role)
{
    peer_t *peer = calloc (1, sizeof *peer);
    assert_non_null (peer);
    peer->number = world->peer_count;
    peer->role = role;
    peer->alive = true;
    peer->cut = UINT64_MAX;
    peer->slots = 1 + (unsigned) s_below (world, world->scenario->slots);
    peer->slowness = s_chance (world, 5) ? 20 : 1;
    list_init (&peer->queue);
    list_init (&peer->runs);
    list_init (&peer->waiting);
    world->peers = realloc (world->peers, (world->peer_count + 1) * sizeof *world->peers);
    world->by_name = realloc (world->by_name,
                              (world->peer_count + 2) * sizeof *world->by_name);
    assert_true (world->peers && world->by_name);
    world->peers [world->peer_count++] = peer;
    if (role == ROLE_WORKER) {
        world->workers_alive++;
        peer->ledger = calloc (LEASES_MAX, sizeof *peer->ledger);
        assert_non_null (peer->ledger);
    }
    record_t hello = { .type = RECORD_HELLO, .flags = (uint8_t) role, .number = peer->slots };
    s_send (world, peer->number, HEAD, &hello);
    return peer;
}

static void
s_free_runs (list_t *list)
{
    for (list_node_t *node; (node = list_pop (list));)
        free (container_of (node, run_t, node));
}

/*  Ends a process. Some of what it sent last never arrives. Its parent will
    notice.                                                                 */
static void
s_kill (world_t *world, peer_t *peer)
{
    if (!peer->alive)
        return;
    peer->alive = false;
    uint64_t underway = peer->sent - peer->delivered;
    peer->cut = peer->sent;
    if (underway && s_chance (world, 60))
        peer->cut = peer->delivered + s_below (world, underway + 1);
    s_free_runs (&peer->queue);
    s_free_runs (&peer->runs);
    s_free_runs (&peer->waiting);
    world->workers_alive -= peer->role == ROLE_WORKER;
    s_after (world, s_between (world, 0, 3 * CLOCK_MS), EVENT_NOTICE, peer->number, 0);
    s_after (world, s_between (world, CLOCK_MS, 40 * CLOCK_MS), EVENT_JOIN, peer->number, 0);
}

/*  --- owners: futures and their targets --------------------------------  */

static future_t *
s_future (peer_t *owner, uint64_t sequence)
{
    return sequence && sequence <= owner->future_count ? &owner->futures [sequence - 1] : NULL;
}

/*  A new future; its sequence is the owner's count of futures.             */
static future_t *
s_new_future (peer_t *owner, kind_t kind)
{
    if ((owner->future_count & (owner->future_count - 1)) == 0) {
        size_t capacity = owner->future_count ? owner->future_count * 2 : 1;
        owner->futures = realloc (owner->futures, capacity * sizeof *owner->futures);
        assert_non_null (owner->futures);
    }
    future_t *future = &owner->futures [owner->future_count++];
    *future = (future_t){ .kind = (uint8_t) kind };
    owner->pending++;
    return future;
}

static tid_t
s_id (const peer_t *owner, uint64_t sequence)
{
    return (tid_t){ owner->name, sequence };
}

static void
s_send_value (world_t *world, peer_t *from, tid_t id, process_t target, result_t result)
{
    static const uint8_t text [] = "it failed";
    record_t value = { .type = RECORD_VALUE, .id = id };
    uint8_t body [8];
    store_u64 (body, id.sequence);
    value.body = body;
    value.body_size = sizeof body;
    if (result != VALUE) {
        value.flags = RECORD_FAULT;
        value.number = TROUPE_EFAILED;
        value.body = text;
        value.body_size = sizeof text - 1;
    }
    s_send_named (world, from, target, &value);
}

static void s_child_done (world_t *world, peer_t *peer, uint64_t serial);

/*  A future reaches its end. Of the targets, the producer has served some. */
static void
s_settle (world_t *world, peer_t *owner, uint64_t sequence, result_t result, unsigned served)
{
    future_t *future = s_future (owner, sequence);
    if (future->result != PENDING)
        return;
    future->result = (uint8_t) result;
    owner->pending--;
    REQUIRE (served <= future->targets);
    for (; served < future->targets; served++)
        s_send_value (world, owner, s_id (owner, sequence), 0, result);
    world->tally.values += result == VALUE;
    world->tally.faults += result == FAULT;
    world->tally.cancelled += result == CANCELLED;
    if (future->parent)
        s_child_done (world, owner, future->parent);
}

/*  The value may have been lost on its way to the head. If it is not here
    yet, the head is among the targets.                                     */
static void
s_send_again (world_t *world, peer_t *owner, uint64_t sequence)
{
    const future_t *future = s_future (owner, sequence);
    if (!future || future->result != PENDING)
        s_send_value (world, owner, s_id (owner, sequence), 0,
                      future ? (result_t) future->result : FAULT);
}

/*  The owner is to send the value to the head, which parks a task for it.  */
static void
s_add_target (world_t *world, peer_t *owner, uint64_t sequence)
{
    future_t *future = s_future (owner, sequence);
    tid_t id = s_id (owner, sequence);
    if (!future || future->result != PENDING) {
        s_send_value (world, owner, id, 0, future ? (result_t) future->result : FAULT);
        return;
    }
    future->targets++;
    record_t subscribe = { .type = RECORD_SUBSCRIBE, .id = id };
    s_send (world, owner->number, HEAD, &subscribe);
}

static void
s_cancel (world_t *world, peer_t *owner, uint64_t sequence, result_t result)
{
    record_t cancel = { .type = RECORD_CANCEL, .id = s_id (owner, sequence) };
    s_send (world, owner->number, HEAD, &cancel);
    s_settle (world, owner, sequence, result, 0);
}

/*  --- owners: submitting -----------------------------------------------  */

typedef struct {
    peer_t *owner;
    tid_t id;
} needed_t;

/*  Picks a future as an argument: one of its own, or now and then another
    driver's. Few targets, so that a byte counts them.                      */
static bool
s_pick_needed (world_t *world, peer_t *owner, needed_t *needed)
{
    peer_t *from = owner;
    if (s_chance (world, 20))
        from = world->peers [s_below (world, world->peer_count)];
    if (!from->name || !from->future_count)
        return false;
    uint64_t recent = from->future_count < 64 ? from->future_count : 64;
    uint64_t sequence = from->future_count - s_below (world, recent);
    const future_t *future = s_future (from, sequence);
    needed->owner = from;
    needed->id = s_id (from, sequence);
    return future->kind == FUTURE_TASK && future->targets < 6;
}

/*  Attaches what is there, and notes what is yet to come.                  */
static void
s_attach (const peer_t *owner, bytes_t *frame, size_t offset, const needed_t *needed)
{
    const future_t *future = s_future (needed->owner, needed->id.sequence);
    uint8_t value [8];
    store_u64 (value, needed->id.sequence);
    bool here = needed->owner == owner && future->result == VALUE;
    assert_int_equal (record_attach (frame, offset, needed->id, value, here ? sizeof value : 0,
                                     !here),
                      0);
}

/*  Asks for a value that was not there, after the task was sent.           */
static void
s_ask_for (world_t *world, peer_t *owner, const needed_t *needed)
{
    record_t subscribe = { .type = RECORD_SUBSCRIBE, .id = needed->id };
    if (needed->owner != owner)
        s_send (world, owner->number, needed->owner->number, &subscribe);
    else if (s_future (owner, needed->id.sequence)->result != VALUE)
        s_add_target (world, owner, needed->id.sequence);
}

static void
s_submit (world_t *world, peer_t *owner, unsigned function, uint32_t depth, uint64_t parent,
          unsigned needs)
{
    static const uint8_t arguments [] = { 0x92, 0x01, 0xa3, 'a', 'b', 'c' };
    needed_t needed [3];
    unsigned count = 0;
    while (needs--)
        if (s_pick_needed (world, owner, &needed [count]))
            count++;
    future_t *future = s_new_future (owner, FUTURE_TASK);
    uint64_t sequence = owner->future_count;
    future->parent = parent;
    future->retries = s_chance (world, 35) ? (uint8_t) s_between (world, 1, 3) : 0;
    record_t record = { .type = RECORD_TASK,
                        .id = s_id (owner, sequence),
                        .number = world->functions [function],
                        .target = (uint64_t) depth << 32 | future->retries };
    if (!parent && s_chance (world, 5))
        record.deadline = (uint32_t) s_between (world, 1, 50);
    bytes_t frame = { 0 };
    size_t offset = record_begin (&frame, &record);
    bytes_append (&frame, arguments, sizeof arguments);
    record_end_body (&frame, offset);
    for (unsigned index = 0; index < count; index++)
        s_attach (owner, &frame, offset, &needed [index]);
    assert_int_equal (record_end (&frame, offset), 0);
    frame_reader_t reader;
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    s_send (world, owner->number, HEAD, &record);
    bytes_release (&frame);
    world->tally.tasks++;
    world->tally.dependent += count > 0;
    if (record.deadline)
        s_after (world, record.deadline * CLOCK_MS, EVENT_TIMEOUT, owner->number, sequence);
    for (unsigned index = 0; index < count; index++)
        s_ask_for (world, owner, &needed [index]);
}

static void
s_spawn (world_t *world, peer_t *owner, bool named)
{
    char body [16] = "index";
    snprintf (body, sizeof body, "index%u", (unsigned) s_below (world, 40));
    s_new_future (owner, FUTURE_ACTOR);
    record_t spawn = { .type = RECORD_SPAWN,
                       .id = s_id (owner, owner->future_count),
                       .body = (const uint8_t *) body,
                       .body_size = named ? (uint32_t) strlen (body) : 0 };
    s_send (world, owner->number, HEAD, &spawn);
    world->tally.actors++;
}

static void
s_find (world_t *world, peer_t *owner)
{
    char body [16];
    snprintf (body, sizeof body, "index%u", (unsigned) s_below (world, 40));
    s_new_future (owner, FUTURE_FIND);
    record_t find = { .type = RECORD_FIND,
                      .id = s_id (owner, owner->future_count),
                      .body = (const uint8_t *) body,
                      .body_size = (uint32_t) strlen (body) };
    s_send (world, owner->number, HEAD, &find);
}

static unsigned
s_pick_function (world_t *world)
{
    static const uint8_t weights [100] = { [50] = SHORT, [70] = LONG, [76] = NESTED,
                                           [86] = JUMPY, [98] = HEAVY };
    unsigned roll = (unsigned) s_below (world, 100);
    while (roll && !weights [roll])
        roll--;
    return weights [roll];
}

/*  A driver does something.                                                */
static void
s_act (world_t *world, peer_t *owner)
{
    if (!owner->alive || owner->lost || world->quiet)
        return;
    bool lull = s_below (world, 1000) == 0;
    s_after (world,
             lull ? s_between (world, 0, 2 * SECOND) : s_between (world, CLOCK_US, 2 * CLOCK_MS),
             EVENT_ACT, owner->number, 0);
    if (!owner->name || owner->pending >= world->scenario->outstanding)
        return;
    unsigned burst = (unsigned) s_between (world, 1, s_chance (world, 10) ? 200 : 12);
    while (burst--)
        s_submit (world, owner, s_pick_function (world), 0, 0,
                  s_chance (world, 25) ? (unsigned) s_between (world, 1, 3) : 0);
    if (s_chance (world, 10))
        s_spawn (world, owner, s_chance (world, 60));
    if (s_chance (world, 10))
        s_find (world, owner);
    if (s_chance (world, 40)) {
        uint64_t sequence = owner->future_count - s_below (world, owner->future_count);
        const future_t *future = s_future (owner, sequence);
        if (future->kind == FUTURE_TASK && future->result == PENDING)
            s_cancel (world, owner, sequence, CANCELLED);
    }
}

/*  --- workers ----------------------------------------------------------  */

static int64_t
s_duration (world_t *world, const peer_t *peer, uint32_t function)
{
    static const int64_t typical [FUNCTIONS]
        = { 2 * CLOCK_US, 60 * CLOCK_US, 3 * CLOCK_MS, 20 * CLOCK_US, 5 * CLOCK_US,
            60 * CLOCK_MS };
    int64_t time = s_between (world, typical [function] / 2, typical [function] * 2);
    if (function == JUMPY && s_chance (world, 2))
        time = s_between (world, 20 * CLOCK_MS, 800 * CLOCK_MS);
    return time * peer->slowness;
}

static unsigned
s_function_index (world_t *world, uint32_t number)
{
    for (unsigned index = 0; index < FUNCTIONS; index++)
        if (world->functions [index] == number)
            return index;
    REQUIRE (false);
    return 0;
}

/*  A task runs at most once, and once more for each retry.                 */
static void
s_begin (world_t *world, peer_t *peer, run_t *run)
{
    future_t *future = s_future (s_named (world, run->id.owner), run->id.sequence);
    REQUIRE (future != NULL);
    world->tally.reruns += future->starts > 0;
    future->starts++;
    REQUIRE (future->starts <= future->retries + 1);
    peer->ledger [run->lease & (LEASES_MAX - 1)] = run->lease;
    peer->running++;
    run->started = world->now;
    list_append (&peer->runs, &run->node);
    s_after (world, s_duration (world, peer, run->function), EVENT_FINISH, peer->number,
             run->serial);
}

static void
s_run_more (world_t *world, peer_t *peer)
{
    while (peer->running < peer->slots + peer->blocked) {
        list_node_t *node = list_pop (&peer->queue);
        if (!node)
            return;
        s_begin (world, peer, container_of (node, run_t, node));
    }
}

static run_t *
s_run_with_lease (list_t *list, uint32_t lease)
{
    for (list_node_t *node = list->next; node != list; node = node->next)
        if (container_of (node, run_t, node)->lease == lease)
            return container_of (node, run_t, node);
    return NULL;
}

static run_t *
s_run_with_id (peer_t *peer, tid_t id)
{
    list_t *const lists [] = { &peer->queue, &peer->runs, &peer->waiting };
    for (size_t index = 0; index < 3; index++)
        for (list_node_t *node = lists [index]->next; node != lists [index]; node = node->next)
            if (tid_equal (container_of (node, run_t, node)->id, id))
                return container_of (node, run_t, node);
    return NULL;
}

static run_t *
s_run_with_serial (list_t *list, uint64_t serial)
{
    for (list_node_t *node = list->next; node != list; node = node->next)
        if (container_of (node, run_t, node)->serial == serial)
            return container_of (node, run_t, node);
    return NULL;
}

static void
s_flush (world_t *world, peer_t *peer)
{
    if (peer->alive && peer->done_count)
        s_send_short (world, peer, RECORD_DONE, 0, peer->done, peer->done_count * 8);
    peer->done_count = 0;
}

/*  Notes a lease as done; it goes to the head with others.                 */
static void
s_note_done (world_t *world, peer_t *peer, uint32_t lease, int64_t duration)
{
    uint8_t *pair = peer->done + 8 * peer->done_count++;
    store_u32 (pair, lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    if (peer->done_count == sizeof peer->done / 8 || s_chance (world, 30))
        s_flush (world, peer);
    else if (peer->done_count == 1)
        s_after (world, s_between (world, CLOCK_US, 100 * CLOCK_US), EVENT_FLUSH, peer->number,
                 0);
}

/*  The values go to those who want them, the result to the owner, and only
    then is the lease done.                                                 */
static void
s_complete (world_t *world, peer_t *peer, run_t *run)
{
    result_t result = s_chance (world, 4) ? FAULT : VALUE;
    for (uint32_t index = 0; index < run->subscriber_count; index++)
        s_send_value (world, peer, run->id, run->subscribers [index], result);
    record_t record = { .type = RECORD_RESULT,
                        .flags = result == FAULT ? RECORD_FAULT : 0,
                        .number = result == FAULT ? TROUPE_EFAILED : 0,
                        .extra = (uint16_t) run->subscriber_count,
                        .id = run->id };
    s_send_named (world, peer, run->id.owner, &record);
    s_note_done (world, peer, run->lease, world->now - run->started);
    list_remove (&run->node);
    free (run);
    peer->running--;
    s_run_more (world, peer);
}

static void
s_block (world_t *world, peer_t *peer, int step)
{
    peer->blocked = (unsigned) ((int) peer->blocked + step);
    s_send_short (world, peer, RECORD_SLOTS, peer->blocked, NULL, 0);
}

/*  A task submits tasks, and waits for them.                               */
static void
s_nest (world_t *world, peer_t *peer, run_t *run)
{
    run->nested = true;
    run->children = (uint32_t) s_between (world, 1, 3);
    list_remove (&run->node);
    list_append (&peer->waiting, &run->node);
    for (uint32_t left = run->children; left; left--)
        s_submit (world, peer, run->depth < 3 && s_chance (world, 50) ? NESTED : SHORT,
                  run->depth + 1, run->serial, 0);
    world->tally.nested++;
    s_block (world, peer, 1);
    s_run_more (world, peer);
}

static void
s_child_done (world_t *world, peer_t *peer, uint64_t serial)
{
    run_t *run = s_run_with_serial (&peer->waiting, serial);
    if (!run || --run->children)
        return;
    list_remove (&run->node);
    list_append (&peer->runs, &run->node);
    s_block (world, peer, -1);
    s_after (world, 10 * CLOCK_US, EVENT_FINISH, peer->number, serial);
}

static void
s_finish (world_t *world, peer_t *peer, uint64_t serial)
{
    run_t *run = peer->alive ? s_run_with_serial (&peer->runs, serial) : NULL;
    if (!run)
        return;
    if (run->function == NESTED && !run->nested && !run->cancelled && !peer->lost)
        s_nest (world, peer, run);
    else
        s_complete (world, peer, run);
}

/*  A task comes. Its values must all be there.                             */
static void
s_take_task (world_t *world, peer_t *peer, const record_t *record)
{
    run_t *run = calloc (1, sizeof *run);
    assert_non_null (run);
    run->serial = ++world->serial;
    run->id = record->id;
    run->function = s_function_index (world, record->number);
    run->depth = (uint32_t) (record->target >> 32);
    run->lease = (uint32_t) record->target;
    REQUIRE (run->lease != 0 && record->body_size == 6);
    REQUIRE (run->function != LONG || peer->number % 7);
    REQUIRE (!s_run_with_lease (&peer->queue, run->lease));
    REQUIRE (!s_run_with_lease (&peer->runs, run->lease));
    REQUIRE (!s_run_with_lease (&peer->waiting, run->lease));
    const uint8_t *place = record->attachment;
    unsigned missing = 0, values = 0;
    for (uint32_t left = record->attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        missing += attachment.pending;
        values += !attachment.pending;
        if (!attachment.pending)
            REQUIRE (attachment.size == 8
                     && load_u64 (attachment.value) == attachment.id.sequence);
    }
    REQUIRE (values >= missing);
    list_append (&peer->queue, &run->node);
    s_run_more (world, peer);
}

/*  Gives back what has not started, the newest, in their order.            */
static void
s_recall (world_t *world, peer_t *peer, uint64_t wanted)
{
    uint8_t leases [4 * LEASES_MAX];
    uint32_t count = 0;
    for (list_node_t *node = peer->queue.prev; node != &peer->queue && count < wanted;
         node = node->prev)
        count++;
    for (uint32_t index = count; index--;) {
        run_t *run = container_of (peer->queue.prev, run_t, node);
        store_u32 (leases + 4 * index, run->lease);
        list_remove (&run->node);
        free (run);
    }
    world->tally.recalled += count;
    s_send_short (world, peer, RECORD_RETURNED, 0, leases, 4 * count);
}

/*  What has not started never starts; it is given back, or said to be done. */
static void
s_cancel_run (world_t *world, peer_t *peer, tid_t id)
{
    run_t *run = s_run_with_id (peer, id);
    if (!run)
        return;
    run->cancelled = true;
    if (run->started)
        return;
    uint8_t lease [4];
    store_u32 (lease, run->lease);
    if (s_chance (world, 50))
        s_send_short (world, peer, RECORD_RETURNED, 0, lease, sizeof lease);
    else
        s_note_done (world, peer, run->lease, 0);
    list_remove (&run->node);
    free (run);
}

/*  An actor ends; its owner may still wait for its constructor.            */
static void
s_end_actor (world_t *world, peer_t *peer, unsigned slot)
{
    tid_t id = peer->actors [slot].id;
    if (!id.owner)
        return;
    record_t result = { .type = RECORD_RESULT, .flags = RECORD_FAULT, .id = id,
                        .number = TROUPE_EENDED };
    record_t down = { .type = RECORD_ACTOR_DOWN, .id = id };
    if (!peer->actors [slot].built)
        s_send_named (world, peer, id.owner, &result);
    s_send (world, peer->number, HEAD, &down);
    peer->actors [slot].id.owner = 0;
}

/*  An actor is to be built in the place of another one: that takes time.   */
static void
s_take_spawn (world_t *world, peer_t *peer, const record_t *record)
{
    unsigned slot = (unsigned) s_below (world, 16);
    s_end_actor (world, peer, slot);
    peer->actors [slot].id = record->id;
    peer->actors [slot].number = ++world->serial;
    peer->actors [slot].built = false;
    s_after (world, s_between (world, CLOCK_US, 5 * CLOCK_MS), EVENT_BUILT, peer->number,
             peer->actors [slot].number * 16 + slot);
}

static void
s_built (world_t *world, peer_t *peer, uint64_t number, unsigned slot)
{
    tid_t id = peer->actors [slot].id;
    if (!peer->alive || !id.owner || peer->actors [slot].number != number)
        return;
    if (s_chance (world, 10)) {
        s_end_actor (world, peer, slot);
        return;
    }
    record_t result = { .type = RECORD_RESULT, .id = id };
    record_t up = { .type = RECORD_ACTOR_UP, .id = id, .target = number };
    peer->actors [slot].built = true;
    s_send_named (world, peer, id.owner, &result);
    s_send (world, peer->number, HEAD, &up);
}

/*  --- what peers receive -----------------------------------------------  */

static void
s_take_result (world_t *world, peer_t *peer, const record_t *record)
{
    REQUIRE (record->id.owner == peer->name);
    const future_t *future = s_future (peer, record->id.sequence);
    REQUIRE (future != NULL);
    if (future->retries)
        s_send_short (world, peer, RECORD_ACK, record->id.sequence, NULL, 0);
    s_settle (world, peer, record->id.sequence, record->flags & RECORD_FAULT ? FAULT : VALUE,
              record->extra);
}

static void
s_subscribe_run (peer_t *peer, const record_t *record)
{
    run_t *run = s_run_with_id (peer, record->id);
    if (run && run->subscriber_count < 8)
        run->subscribers [run->subscriber_count++] = (uint32_t) record->target;
}

static void
s_peer_receive (world_t *world, peer_t *peer, uint32_t from, const record_t *record)
{
    switch (record->type) {
    case RECORD_WELCOME:
        peer->name = record->id.owner;
        s_after (world, s_between (world, 0, SECOND), EVENT_PING, peer->number, 0);
        if (peer->role == ROLE_DRIVER)
            s_after (world, 0, EVENT_ACT, peer->number, 0);
        break;
    case RECORD_TASK:
        s_take_task (world, peer, record);
        break;
    case RECORD_RESULT:
        s_take_result (world, peer, record);
        break;
    case RECORD_RECALL:
        s_recall (world, peer, record->id.sequence);
        break;
    case RECORD_CANCEL:
        s_cancel_run (world, peer, record->id);
        break;
    case RECORD_SUBSCRIBE:
        if (record->flags & RECORD_AGAIN)
            s_send_again (world, peer, record->id.sequence);
        else if (from == HEAD)
            s_subscribe_run (peer, record);
        else
            s_add_target (world, peer, record->id.sequence);
        break;
    case RECORD_SPAWN:
        s_take_spawn (world, peer, record);
        break;
    default:
        REQUIRE (false);
    }
}

/*  --- the head's shell -------------------------------------------------  */

static void
s_head_lose (world_t *world, peer_t *peer, const char *cause, const uint32_t *ledger)
{
    if (peer->lost)
        return;
    peer->lost = true;
    if (!peer->head_name)
        return;
    head_lost (world->head, world->now, peer->head_name, cause, ledger);
    world->tally.lost_drivers += peer->role == ROLE_DRIVER;
}

static void
s_send_task (world_t *world, peer_t *peer, const head_task_t *task)
{
    record_t record;
    const head_peer_t *worker = head_peer (world->head, peer->head_name);
    REQUIRE (worker && !worker->suspect && worker->role == ROLE_WORKER);
    REQUIRE (worker->outstanding <= LEASES_MAX);
    REQUIRE (!task->cancelled && head_deadline (task) > world->now);
    peer_t *owner = s_named (world, task->id.owner);
    REQUIRE (!owner->lost && s_future (owner, task->id.sequence)->head_faults == 0);
    head_task_record (task, world->now, &record);
    s_send (world, HEAD, peer->number, &record);
}

static void
s_send_fault (world_t *world, peer_t *peer, const head_action_t *action)
{
    future_t *future = s_future (peer, action->id.sequence);
    REQUIRE (future && action->id.owner == peer->head_name);
    REQUIRE (action->text && action->text [0] && fault_code_valid (action->code));
    if (future->kind == FUTURE_TASK) {
        REQUIRE (++future->head_faults == 1);
        /*  What the ledger does not show as started runs elsewhere.        */
        REQUIRE (!world->by_ledger || future->starts || strstr (action->text, "argument"));
    }
    record_t record = { .type = RECORD_RESULT,
                        .flags = RECORD_FAULT,
                        .number = (uint32_t) action->code,
                        .id = action->id,
                        .body = (const uint8_t *) action->text,
                        .body_size = (uint32_t) strlen (action->text) };
    s_send (world, HEAD, peer->number, &record);
}

static void
s_send_found (world_t *world, peer_t *peer, const head_action_t *action)
{
    REQUIRE (action->actor->number && action->actor->name [0]);
    REQUIRE (!s_named (world, action->actor->worker)->lost);
    record_t record = { .type = RECORD_RESULT, .id = action->id };
    s_send (world, HEAD, peer->number, &record);
    world->tally.found++;
}

/*  Only those who cannot be heard are dropped, however long the head itself
    was stopped.                                                            */
static void
s_drop (world_t *world, peer_t *peer)
{
    REQUIRE (peer->partitioned || !peer->alive);
    world->tally.drops++;
    world->dropped = true;
    s_head_lose (world, peer, "silent", NULL);
    s_after (world, s_between (world, 0, 2 * SECOND), EVENT_KILL, peer->number, 0);
}

static void
s_perform_one (world_t *world, const head_action_t *action)
{
    peer_t *peer = s_named (world, action->peer);
    record_t record = { .id = action->id, .target = action->target };
    s_trace (world, (uint64_t) action->type << 32 | peer->number);
    /*  What was decided before a drop in the same turn finds nobody.       */
    if (peer->lost && world->dropped && action->type != HEAD_DISPATCH)
        return;
    REQUIRE (!peer->lost);
    switch (action->type) {
    case HEAD_DISPATCH:
        s_send_task (world, peer, action->task);
        return;
    case HEAD_FAULT:
        s_send_fault (world, peer, action);
        return;
    case HEAD_FOUND:
        s_send_found (world, peer, action);
        return;
    case HEAD_DROP:
        s_drop (world, peer);
        return;
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
        record.type = RECORD_SPAWN;
        record.id = action->actor->id;
        break;
    default:
        REQUIRE (false);
    }
    s_send (world, HEAD, peer->number, &record);
}

/*  An action may cause others, which are then appended.                    */
static void
s_perform (world_t *world)
{
    size_t count = 0;
    world->dropped = false;
    for (size_t index = 0; head_actions (world->head, &count), index < count; index++) {
        head_action_t action = head_actions (world->head, &count) [index];
        s_perform_one (world, &action);
    }
    head_actions_clear (world->head);
    REQUIRE (!head_failed (world->head));
}

static void
s_head_join (world_t *world, peer_t *peer, const record_t *record)
{
    char label [32];
    snprintf (label, sizeof label, "peer %u", peer->number);
    peer->head_name = head_join (world->head, world->now, record->flags, record->number, label);
    REQUIRE (peer->head_name != 0);
    world->by_name [++world->joined] = peer->number;
    REQUIRE ((uint32_t) peer->head_name == world->joined);
    record_t welcome = { .type = RECORD_WELCOME, .id.owner = peer->head_name };
    s_send (world, HEAD, peer->number, &welcome);
    if (peer->role != ROLE_WORKER)
        return;
    /*  Some workers do not offer everything.                               */
    for (unsigned index = 0; index < FUNCTIONS; index++)
        if (index != LONG || peer->number % 7)
            assert_int_equal (
                head_offer (world->head, peer->head_name, world->functions [index]), 0);
}

static void
s_head_spawn (world_t *world, const record_t *record)
{
    head_spawn_t spawn = { .id = record->id,
                           .class_name = "class",
                           .class_length = 5,
                           .name = (const char *) record->body,
                           .name_length = record->body_size,
                           .record = (const uint8_t *) "spawn",
                           .size = 5 };
    head_spawn (world->head, world->now, &spawn);
}

static void
s_head_receive (world_t *world, peer_t *peer, const record_t *record)
{
    head_state_t *head = world->head;
    int64_t now = world->now;
    process_t name = peer->head_name;
    const char *text = (const char *) record->body;
    /*  Its end may be known before it has even joined.                     */
    if (peer->lost && record->type == RECORD_HELLO)
        return;
    if (record->type == RECORD_HELLO)
        s_head_join (world, peer, record);
    else
        head_heard (head, now, name);
    switch (record->type) {
    case RECORD_TASK:
        head_submit (head, now, record);
        break;
    case RECORD_DONE:
        head_done (head, now, name, record->body, record->body_size / 8);
        break;
    case RECORD_ACK:
        head_acknowledge (head, (tid_t){ name, record->id.sequence });
        break;
    case RECORD_RETURNED:
        head_returned (head, now, name, record->body, record->body_size / 4);
        break;
    case RECORD_SLOTS:
        head_slots (head, name, (unsigned) record->id.sequence);
        break;
    case RECORD_CANCEL:
        head_cancel (head, record->id);
        break;
    case RECORD_SUBSCRIBE:
        head_subscribe (head, record->id, record->target);
        break;
    case RECORD_VALUE:
        head_value (head, record->id, record->flags & RECORD_FAULT ? record->number : 0,
                    record->body, record->body_size);
        break;
    case RECORD_SPAWN:
        s_head_spawn (world, record);
        break;
    case RECORD_ACTOR_UP:
        head_actor_up (head, name, record->id, record->target, 1);
        break;
    case RECORD_ACTOR_DOWN:
        head_actor_down (head, name, record->id);
        break;
    case RECORD_FIND:
        head_find (head, name, record->id, NULL, text, record->body_size);
        break;
    default:
        break;
    }
}

/*  The head receives for a while, and then gives out.                      */
static void
s_turn_soon (world_t *world)
{
    if (world->turn_due)
        return;
    world->turn_due = true;
    s_after (world, s_between (world, 0, 20 * CLOCK_US), EVENT_TURN, 0, 0);
}

/*  No plain task waits while a worker of its job that offers it has a slot
    and a cpu free.                                                         */
static void
s_check_no_idle_slots (world_t *world)
{
    const head_state_t *head = world->head;
    size_t cursor = 0;
    for (const head_peer_t *peer; (peer = id_table_next (&head->peers, &cursor));) {
        if (peer->role != ROLE_WORKER || !peer->counted || head_load (peer) >= peer->slots
            || peer->outstanding == LEASES_MAX || peer->on->free [CPUS] < RESOURCE_UNIT
            || (peer->special && head_load (peer)))
            continue;
        size_t lanes = 0;
        for (const lane_t *lane; (lane = id_table_next (&peer->job->lane_table, &lanes));)
            REQUIRE (!lane->plain || !lane->ready || !peer->offers [lane->function->number]);
    }
}

static void
s_turn (world_t *world)
{
    world->turn_due = false;
    head_dispatch (world->head, world->now);
    if (++world->turns % (world->scenario->check_every / 10) == 0)
        s_check_no_idle_slots (world);
    s_perform (world);
    if (!head_recall_wanted (world->head) || world->recall_due)
        return;
    world->recall_due = true;
    s_after (world, head_due (world->head, world->now) - world->now, EVENT_TICK, 0, 1);
}

/*  --- delivery ---------------------------------------------------------  */

static void
s_deliver (world_t *world, message_t *message)
{
    frame_reader_t reader;
    record_t record;
    assert_int_equal (frame_open (&reader, message->frame, message->size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    s_trace (world, (uint64_t) message->from << 32 | message->to);
    s_trace (world, (uint64_t) record.type << 56 ^ record.id.sequence);
    if (message->from != HEAD && message->index > world->peers [message->from]->delivered)
        world->peers [message->from]->delivered = message->index;
    if (message->to == HEAD) {
        s_head_receive (world, world->peers [message->from], &record);
        s_perform (world);
        s_turn_soon (world);
    } else
        s_peer_receive (world, world->peers [message->to], message->from, &record);
    free (message);
}

/*  A message arrives, or not: its sender or receiver may have ended, the
    head may be stopped, the link may be cut for a while.                   */
static void
s_arrive (world_t *world, message_t *message)
{
    bool to_head = message->to == HEAD, from_head = message->from == HEAD;
    peer_t *peer = world->peers [to_head ? message->from : message->to];
    bool dropped = from_head ? peer->lost
                             : message->index > world->peers [message->from]->cut;
    if (dropped || (!to_head && !peer->alive)) {
        free (message);
        return;
    }
    if ((to_head || from_head) && peer->partitioned) {
        peer->held = realloc (peer->held, (peer->held_count + 1) * sizeof *peer->held);
        assert_non_null (peer->held);
        peer->held [peer->held_count++] = message;
        return;
    }
    s_deliver (world, message);
}

static void
s_heal (world_t *world, peer_t *peer)
{
    message_t **held = peer->held;
    size_t count = peer->held_count;
    peer->partitioned = false;
    peer->held = NULL;
    peer->held_count = 0;
    for (size_t index = 0; index < count; index++)
        s_arrive (world, held [index]);
    free (held);
}

/*  --- calamities -------------------------------------------------------  */

static peer_t *
s_victim (world_t *world, role_t role)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        peer_t *peer = world->peers [s_below (world, world->peer_count)];
        if (peer->role == role && peer->alive && !peer->lost)
            return peer;
    }
    return NULL;
}

static void
s_chaos (world_t *world)
{
    if (world->quiet)
        return;
    s_after (world, s_between (world, 0, 2 * world->scenario->chaos_ms * CLOCK_MS), EVENT_CHAOS,
             0, 0);
    unsigned roll = (unsigned) s_below (world, 100);
    peer_t *peer = s_victim (world, roll == 99 ? ROLE_DRIVER : ROLE_WORKER);
    if (roll < 2 && world->stopped_until < world->now) {
        world->stopped_until
            = world->now + s_between (world, CLOCK_MS, s_chance (world, 10) ? 30 * SECOND
                                                                          : 50 * CLOCK_MS);
        world->tally.stalls++;
    } else if (peer && roll < 15 && !peer->partitioned) {
        peer->partitioned = true;
        s_after (world, s_between (world, CLOCK_MS, 16 * SECOND), EVENT_HEAL, peer->number, 0);
    } else if (peer) {
        s_kill (world, peer);
        world->tally.crashes++;
    }
}

/*  The node sees that a process has ended. It has the worker's ledger.     */
static void
s_notice (world_t *world, peer_t *peer)
{
    s_head_lose (world, peer, "killed by signal 9", peer->ledger);
    world->by_ledger = true;
    s_perform (world);
    world->by_ledger = false;
    s_turn_soon (world);
}

static void
s_ping (world_t *world, peer_t *peer)
{
    if (!peer->alive || peer->lost)
        return;
    s_send_short (world, peer, RECORD_PING, 0, NULL, 0);
    s_after (world, SECOND, EVENT_PING, peer->number, 0);
}

static void
s_time_out (world_t *world, peer_t *owner, uint64_t sequence)
{
    if (owner->alive && s_future (owner, sequence)->result == PENDING)
        s_cancel (world, owner, sequence, FAULT);
}

/*  --- the run ----------------------------------------------------------  */

static void
s_tick (world_t *world, bool once)
{
    if (once)
        world->recall_due = false;
    else
        s_after (world, 500 * CLOCK_MS, EVENT_TICK, 0, 0);
    s_turn_soon (world);
}

static bool
s_is_for_the_head (const event_t *event)
{
    return event->type == EVENT_TURN || event->type == EVENT_TICK || event->type == EVENT_NOTICE
           || (event->type == EVENT_MESSAGE && event->message->to == HEAD);
}

static void
s_happen (world_t *world, const event_t *event)
{
    peer_t *peer = world->peers [event->peer];
    switch (event->type) {
    case EVENT_MESSAGE:
        s_arrive (world, event->message);
        break;
    case EVENT_TURN:
        s_turn (world);
        break;
    case EVENT_TICK:
        s_tick (world, event->detail != 0);
        break;
    case EVENT_ACT:
        s_act (world, peer);
        break;
    case EVENT_FINISH:
        s_finish (world, peer, event->detail);
        break;
    case EVENT_FLUSH:
        s_flush (world, peer);
        break;
    case EVENT_PING:
        s_ping (world, peer);
        break;
    case EVENT_NOTICE:
        s_notice (world, peer);
        break;
    case EVENT_JOIN:
        s_start (world, peer->role);
        break;
    case EVENT_CHAOS:
        s_chaos (world);
        break;
    case EVENT_HEAL:
        s_heal (world, peer);
        break;
    case EVENT_KILL:
        s_kill (world, peer);
        break;
    case EVENT_TIMEOUT:
        s_time_out (world, peer, event->detail);
        break;
    case EVENT_BUILT:
        s_built (world, peer, event->detail / 16, event->detail % 16);
        break;
    }
}

static void
s_check (world_t *world)
{
    const char *wrong = head_check (world->head);
    if (wrong)
        fail_msg ("%s, seed %llu, event %llu: %s", world->scenario->name,
                  (unsigned long long) world->scenario->seed,
                  (unsigned long long) world->tally.events, wrong);
    world->tally.checks++;
}

static void
s_step (world_t *world)
{
    event_t event = s_pop (world);
    world->now = event.due;
    if (world->now < world->stopped_until && s_is_for_the_head (&event)) {
        event.due = world->stopped_until;
        s_push (world, event);
        return;
    }
    world->tally.events++;
    s_trace (world, (uint64_t) event.due ^ (uint64_t) event.type << 60);
    s_happen (world, &event);
    if (world->tally.events % world->scenario->check_every == 0)
        s_check (world);
}

/*  The futures that living owners still wait for.                          */
static size_t
s_pending (world_t *world)
{
    size_t pending = 0;
    for (uint32_t number = 0; number < world->peer_count; number++) {
        const peer_t *peer = world->peers [number];
        if (peer->alive && !peer->lost)
            pending += peer->pending;
    }
    return pending;
}

static void
s_fix_seed (id_table_t *table, uint64_t seed)
{
    tid_t key = { 1, 1 };
    assert_int_equal (id_table_put (table, key, table), 0);
    id_table_remove (table, key);
    table->seed = seed;
}

static world_t *
s_world_new (const scenario_t *scenario)
{
    world_t *world = calloc (1, sizeof *world);
    assert_non_null (world);
    world->scenario = scenario;
    world->random = scenario->seed;
    world->now = 1000 * SECOND;
    world->head = head_state_new (EPOCH);
    assert_non_null (world->head);
    /*  The order of tables is the one thing that is random by itself.      */
    s_fix_seed (&world->head->peers, scenario->seed);
    s_fix_seed (&world->head->tasks, scenario->seed + 1);
    s_fix_seed (&world->head->actors, scenario->seed + 2);
    s_fix_seed (&world->head->await.entries, scenario->seed + 3);
    for (unsigned index = 0; index < FUNCTIONS; index++)
        world->functions [index] = head_function (world->head, 0, s_function_names [index],
                                                  strlen (s_function_names [index]));
    for (unsigned count = 0; count < scenario->workers; count++)
        s_start (world, ROLE_WORKER);
    for (unsigned count = 0; count < scenario->drivers; count++)
        s_start (world, ROLE_DRIVER);
    s_after (world, 0, EVENT_TICK, 0, 0);
    s_after (world, 2 * CLOCK_MS, EVENT_CHAOS, 0, 0);
    return world;
}

static void
s_peer_destroy (peer_t *peer)
{
    s_free_runs (&peer->queue);
    s_free_runs (&peer->runs);
    s_free_runs (&peer->waiting);
    for (size_t index = 0; index < peer->held_count; index++)
        free (peer->held [index]);
    free (peer->held);
    free (peer->futures);
    free (peer->ledger);
    free (peer);
}

static void
s_world_destroy (world_t *world)
{
    while (world->event_count)
        free (s_pop (world).message);
    for (uint32_t number = 0; number < world->peer_count; number++)
        s_peer_destroy (world->peers [number]);
    size_t cursor = 0;
    for (int64_t *last; (last = id_table_next (&world->links, &cursor));)
        free (last);
    id_table_release (&world->links);
    head_state_destroy (&world->head);
    bytes_release (&world->frame);
    free (world->events);
    free (world->peers);
    free (world->by_name);
    free (world);
}

/*  Says what is left where nothing should be.                              */
static void
s_report_pending (world_t *world)
{
    head_counts_t counts = head_counts (world->head);
    printf ("left at the head: %zu ready, %zu parked, %zu leased, %zu workers of %u\n",
            counts.ready, counts.parked, counts.leased, counts.workers, world->workers_alive);
    unsigned shown = 0;
    for (uint32_t number = 0; number < world->peer_count; number++) {
        peer_t *peer = world->peers [number];
        for (size_t index = 0; peer->alive && !peer->lost && index < peer->future_count; index++)
            if (peer->futures [index].result == PENDING && shown++ < 20) {
                const head_task_t *task
                    = id_table_get (&world->head->tasks, s_id (peer, index + 1));
                printf ("peer %u, future %zu, kind %u, starts %u, %s\n", number, index + 1,
                        peer->futures [index].kind, peer->futures [index].starts,
                        !task ? "unknown to the head"
                        : task->state == TASK_LEASED ? "leased" : "waits at the head");
            }
    }
}

/*  Lets the world come to rest: no new work, no new calamities.            */
static void
s_quiesce (world_t *world)
{
    world->quiet = true;
    /*  By then every partition has healed, or was noticed.                 */
    int64_t calm = (world->now > world->stopped_until ? world->now : world->stopped_until)
                   + 17 * SECOND;
    int64_t end = calm + 100 * SECOND;
    while (world->now < calm
           || (world->now < end && (s_pending (world) || head_counts (world->head).tasks)))
        for (unsigned steps = 0; steps < 1000 && world->event_count; steps++)
            s_step (world);
    s_check (world);
    if (s_pending (world))
        s_report_pending (world);
    REQUIRE (s_pending (world) == 0);
    head_counts_t counts = head_counts (world->head);
    REQUIRE (counts.tasks == 0 && counts.ready == 0 && counts.parked == 0);
    REQUIRE (counts.leased == 0 && counts.task_bytes == 0);
    REQUIRE (counts.workers == world->workers_alive);
}

/*  Runs a scenario; gives the hash of everything that happened.            */
static uint64_t
s_simulate (const scenario_t *scenario, uint64_t events, tally_t *tally)
{
    world_t *world = s_world_new (scenario);
    int64_t begun = clock_now ();
    while (world->tally.events < events)
        s_step (world);
    s_quiesce (world);
    int64_t taken = clock_now () - begun;
    *tally = world->tally;
    uint64_t hash = world->hash;
    printf ("%-12s seed %-6llu %8llu events (%.0f/s), %.1f s simulated, %llu tasks: %llu values,"
            " %llu faults, %llu cancelled; %llu crashes, %llu reruns, %llu drops, %llu stalls,"
            " %llu recalled, trace %016llx\n",
            scenario->name, (unsigned long long) scenario->seed,
            (unsigned long long) tally->events,
            (double) tally->events / ((double) taken / (double) SECOND),
            (double) (world->now - 1000 * SECOND) / (double) SECOND,
            (unsigned long long) tally->tasks, (unsigned long long) tally->values,
            (unsigned long long) tally->faults, (unsigned long long) tally->cancelled,
            (unsigned long long) tally->crashes, (unsigned long long) tally->reruns,
            (unsigned long long) tally->drops, (unsigned long long) tally->stalls,
            (unsigned long long) tally->recalled, (unsigned long long) hash);
    s_world_destroy (world);
    return hash;
}

/*  --- tests ------------------------------------------------------------  */

static const scenario_t s_scenarios [] = {
    { "small", 1, 3, 1, 1, 60, 60, 500, 10 },
    { "small", 2, 4, 2, 2, 400, 200, 500, 10 },
    { "crashing", 3, 16, 3, 2, 300, 4, 500, 15 },
    { "crashing", 4, 50, 6, 4, 2000, 4, 2000, 15 },
    { "overload", 5, 8, 4, 4, 5000, 50, 2000, 10 },
    { "large", 6, 400, 8, 8, 2000, 4, 10000, 15 },
    { "huge", 7, 3000, 8, 4, 8000, 4, 50000, 25 },
};

static uint64_t
s_environment (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    return text && *text ? strtoull (text, NULL, 0) : otherwise;
}

static void
test_scenarios (void **state)
{
    (void) state;
    tally_t sum = { 0 };
    uint64_t total = s_environment ("TROUPE_SIMULATOR_EVENTS", SANITIZED ? 300000 : 3000000);
    for (size_t index = 0; index < sizeof s_scenarios / sizeof s_scenarios [0]; index++) {
        scenario_t scenario = s_scenarios [index];
        tally_t tally;
        scenario.seed = s_environment ("TROUPE_SEED", scenario.seed);
        s_simulate (&scenario, total * scenario.share / 100, &tally);
        const uint64_t *from = (const uint64_t *) &tally;
        uint64_t *to = (uint64_t *) &sum;
        for (size_t field = 0; field < sizeof sum / sizeof *to; field++)
            to [field] += from [field];
    }
    printf ("%llu events in all, %llu checks of everything\n", (unsigned long long) sum.events,
            (unsigned long long) sum.checks);
    assert_true (sum.events >= total);
    /*  In a full run, all that can go wrong has gone wrong somewhere.      */
    if (total < 1000000)
        return;
    assert_true (sum.values && sum.faults && sum.cancelled && sum.crashes && sum.reruns);
    assert_true (sum.drops && sum.stalls && sum.recalled && sum.lost_drivers && sum.actors);
    assert_true (sum.found && sum.nested && sum.dependent && sum.checks);
}

static void
test_same_seed_same_trace (void **state)
{
    (void) state;
    scenario_t scenario = s_scenarios [3];
    tally_t first, second, third;
    uint64_t hash = s_simulate (&scenario, 30000, &first);
    assert_true (s_simulate (&scenario, 30000, &second) == hash);
    assert_memory_equal (&first, &second, sizeof first);
    scenario.seed++;
    assert_true (s_simulate (&scenario, 30000, &third) != hash);
}

/*  --- a million tasks --------------------------------------------------  */

static void
s_submit_many (head_state_t *head, process_t owner, uint32_t function, uint64_t count)
{
    static const uint8_t body [16] = { 0x91 };
    record_t record = { .type = RECORD_TASK,
                        .number = function,
                        .body = body,
                        .body_size = sizeof body };
    for (uint64_t sequence = 1; sequence <= count; sequence++) {
        record.id = (tid_t){ owner, sequence };
        head_submit (head, 1, &record);
    }
    assert_int_equal (head_counts (head).ready, count);
}

/*  Gives out and completes until nothing is left.                          */
static void
s_drain (head_state_t *head, process_t worker, uint64_t count)
{
    uint8_t pairs [8 * LEASES_MAX];
    for (uint64_t left = count; left;) {
        size_t actions, given = 0;
        head_dispatch (head, 1);
        const head_action_t *action = head_actions (head, &actions);
        for (; given < actions; given++) {
            record_t record;
            assert_int_equal (action [given].type, HEAD_DISPATCH);
            head_task_record (action [given].task, 1, &record);
            assert_int_equal (record.id.sequence, count - left + given + 1);
            store_u32 (pairs + 8 * given, (uint32_t) record.target);
            store_u32 (pairs + 8 * given + 4, 1);
        }
        assert_true (given > 0);
        head_actions_clear (head);
        head_done (head, 1, worker, pairs, given);
        left -= given;
    }
}

static void
test_a_million_tasks (void **state)
{
    (void) state;
    uint64_t count = SANITIZED ? 100000 : 1000000;
    head_state_t *head = head_state_new (EPOCH);
    process_t owner = head_join (head, 1, ROLE_DRIVER, 0, "driver");
    uint32_t function = head_function (head, 0, "square", 6);
    size_t before = mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
    int64_t begun = clock_now ();
    s_submit_many (head, owner, function, count);
    int64_t submitted = clock_now ();
    size_t bytes = mallinfo2 ().uordblks + mallinfo2 ().hblkhd - before;
    process_t worker = head_join (head, 1, ROLE_WORKER, 4, "worker");
    assert_int_equal (head_offer (head, worker, function), 0);
    s_drain (head, worker, count);
    int64_t drained = clock_now ();
    assert_int_equal (head_counts (head).tasks, 0);
    printf ("%llu tasks: submitted at %.1f M/s, drained at %.1f M/s, %.0f bytes each\n",
            (unsigned long long) count, (double) count * 1e3 / (double) (submitted - begun),
            (double) count * 1e3 / (double) (drained - submitted),
            (double) bytes / (double) count);
    if (!SANITIZED)
        assert_true (bytes <= count * 250);
    head_state_destroy (&head);
}

/*  An owner that ends with very many tasks holds nobody up.                */
static void
test_a_lost_owner_of_many (void **state)
{
    (void) state;
    uint64_t count = SANITIZED ? 50000 : 500000;
    for (int way = 0; way < 3; way++) {
        head_state_t *head = head_state_new (EPOCH);
        process_t owner = head_join (head, 1, ROLE_DRIVER, 0, "driver");
        uint32_t function = head_function (head, 0, "square", 6);
        s_submit_many (head, owner, function, count);
        int64_t begun = clock_now ();
        if (way == 0)
            head_lost (head, 1, owner, "killed", NULL);
        else if (way == 1)
            head_abandon (head, "no workers");
        assert_int_equal (head_counts (head).tasks, way == 2 ? count : 0);
        assert_null (head_check (head));
        head_state_destroy (&head);
        assert_true (clock_now () - begun < 10 * SECOND);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_scenarios),
        cmocka_unit_test (test_same_seed_same_trace),
        cmocka_unit_test (test_a_million_tasks),
        cmocka_unit_test (test_a_lost_owner_of_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
