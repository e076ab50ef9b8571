/*  test_head_world.c - drives the head's state machine through the life of a
    cluster: nodes that come, fall silent and vanish, workers that crash or
    cannot start, jobs with all kinds of demands; and measures how its memory
    and its time per decision grow with the cluster

    TROUPE_SEED          replays one seed of each scenario
    TROUPE_WORLD_EVENTS  how many events of each scenario                   */

#include "head/head_private.h"
#include "head/head_report.h"
#include "tests/agenda.h"
#include "tests/chance.h"
#include "tests/sanitized.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define EPOCH 9

/*  --- what the world consists of ---------------------------------------  */

typedef enum { NONE, AGENT, WORKER, DRIVER } kind_t;
typedef enum { UNKNOWN, PENDING, DONE, FAILED, CANCELLED } result_t;

/*  A process, by the lower half of its name.                               */
typedef struct {
    kind_t kind;
    bool alive;
    bool lost; /*  the head knows                          */
    bool silent;
    process_t name;
    process_t node; /*  of a worker                             */
    uint32_t job;
    uint8_t *results; /*  of a driver's tasks and actors          */
    uint64_t sequence;
    uint64_t groups [4];
    unsigned group_count;
} being_t;

typedef enum {
    E_TURN,
    E_TICK,
    E_ACT,
    E_FINISH,
    E_RETURN,
    E_JOIN,
    E_CHAOS,
    E_NOTICE,
    E_HEAL,
    E_UP
} what_t;

typedef struct {
    const char *name;
    uint64_t seed;
    unsigned nodes;
    unsigned drivers;
    unsigned chaos_ms;
    unsigned check_every;
    unsigned share; /*  of the events, in percent               */
} scenario_t;

typedef struct {
    uint64_t events, tasks, done, faults, starts, refusals, crashes, nodes_lost, drops, actors;
    uint64_t groups, placed, stopped, assigned, ended, checks, special, returned;
} tally_t;

typedef struct {
    const scenario_t *scenario;
    head_state_t *head;
    uint64_t random;
    uint64_t hash;
    int64_t now;
    agenda_t agenda;
    being_t *beings;
    uint32_t being_count;
    unsigned node_names;
    bool turn_due;
    bool quiet;
    tally_t tally;
} world_t;

#define REQUIRE(condition_)                                                                    \
    do {                                                                                       \
        if (!(condition_))                                                                     \
            fail_msg ("%s, seed %llu, event %llu: %s", world->scenario->name,                  \
                      (unsigned long long) world->scenario->seed,                              \
                      (unsigned long long) world->tally.events, #condition_);                  \
    } while (0)

/*  --- chance and time --------------------------------------------------  */

static void
s_after (world_t *world, int64_t delay, event_t event)
{
    event.due = world->now + delay;
    agenda_add (&world->agenda, event);
}

static void
s_turn_soon (world_t *world)
{
    if (!world->turn_due)
        s_after (world, (int64_t) chance_below (&world->random, 20 * CLOCK_US),
                 (event_t){ .type = E_TURN });
    world->turn_due = true;
}

/*  --- beings -----------------------------------------------------------  */

static being_t *
s_being (world_t *world, process_t name)
{
    uint32_t number = (uint32_t) name;
    REQUIRE (name >> 32 == EPOCH && number && number <= world->being_count);
    return &world->beings [number - 1];
}

static being_t *
s_born (world_t *world, kind_t kind, process_t name)
{
    REQUIRE (name != 0 && (uint32_t) name == world->being_count + 1);
    if ((world->being_count & (world->being_count - 1)) == 0) {
        size_t capacity = world->being_count ? (size_t) world->being_count * 2 : 1;
        world->beings = realloc (world->beings, capacity * sizeof *world->beings);
        assert_non_null (world->beings);
    }
    being_t *being = &world->beings [world->being_count++];
    *being = (being_t){ .kind = kind, .alive = true, .name = name };
    return being;
}

static being_t *
s_pick (world_t *world, kind_t kind)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        being_t *being = &world->beings [chance_below (&world->random, world->being_count)];
        if (being->kind == kind && being->alive && !being->lost)
            return being;
    }
    return NULL;
}

static void
s_new_node (world_t *world)
{
    char name [32];
    snprintf (name, sizeof name, "node%u", world->node_names++);
    resource_t resources [] = {
        { "cpus", 4, (int64_t) (1 + chance_below (&world->random, 8)) * RESOURCE_UNIT },
        { "gpus", 4, chance_percent (&world->random, 20) ? 2 * RESOURCE_UNIT : 0 },
        { "memory", 6, (int64_t) (8 + chance_below (&world->random, 64)) * RESOURCE_UNIT },
    };
    process_t node = head_join (world->head, world->now, ROLE_NODE, 0, name);
    s_born (world, AGENT, node);
    assert_int_equal (head_node_join (world->head, world->now, node, name, resources, 3), 0);
}

static void
s_new_driver (world_t *world)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { (uint8_t) chance_below (&world->random, 4), 1 };
    process_t name = head_join (world->head, world->now, ROLE_DRIVER, 0, "driver");
    being_t *driver = s_born (world, DRIVER, name);
    uint32_t program = head_program (world->head, hash);
    driver->job = head_job (
        world->head, name, program, chance_percent (&world->random, 50) ? "" : "own",
        chance_percent (&world->random, 20) ? 1 : 0,
        1 + (unsigned) chance_below (&world->random, 2), chance_percent (&world->random, 20));
    REQUIRE (driver->job != 0);
    for (unsigned index = 0; index < 3; index++)
        REQUIRE (
            head_function (world->head, program, (const char *[]){ "a", "b", "c" } [index], 1));
    s_after (world, 0, (event_t){ .type = E_ACT, .who = name });
}

/*  The head hears of an end. What it owns there, it forgets.               */
static void
s_lose (world_t *world, being_t *being, const char *cause)
{
    if (being->lost)
        return;
    being->lost = true;
    being->alive = false;
    if (being->kind == AGENT) {
        world->tally.nodes_lost++;
        for (uint32_t index = 0; index < world->being_count; index++)
            if (world->beings [index].node == being->name)
                world->beings [index].alive = false;
    }
    head_lost (world->head, world->now, being->name, cause, NULL);
    s_turn_soon (world);
}

/*  --- what drivers do --------------------------------------------------  */

static uint64_t
s_next (being_t *driver)
{
    if ((driver->sequence & (driver->sequence - 1)) == 0) {
        size_t capacity = driver->sequence ? driver->sequence * 2 : 1;
        driver->results = realloc (driver->results, capacity + 1);
        assert_non_null (driver->results);
    }
    driver->results [driver->sequence] = PENDING;
    return ++driver->sequence;
}

static void
s_settle (world_t *world, tid_t id, result_t result)
{
    being_t *owner = s_being (world, id.owner);
    if (owner->kind != DRIVER)
        return;
    REQUIRE (id.sequence && id.sequence <= owner->sequence);
    uint8_t *place = &owner->results [id.sequence - 1];
    REQUIRE (*place == PENDING || *place == CANCELLED);
    if (*place == PENDING)
        *place = (uint8_t) result;
}

static void
s_add (options_t *options, const char *name, int64_t amount)
{
    options->flags |= OPTIONS_RESOURCES;
    options->resources [options->count++] = (resource_t){ name, strlen (name), amount };
}

/*  Some of them never fit.                                                 */
static options_t
s_any_options (world_t *world, const being_t *driver)
{
    static const char *const nodes [] = { "node0", "node1", "nowhere" };
    options_t options = { .bundle = BUNDLE_ANY };
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    if (roll < 40)
        s_add (&options, "cpus",
               (int64_t) (1 + chance_below (&world->random, 8)) * RESOURCE_UNIT / 2);
    else if (roll < 60)
        s_add (&options, "gpus",
               (int64_t) (1 + chance_below (&world->random, 2)) * RESOURCE_UNIT);
    else if (roll < 62)
        s_add (&options, "gpus", 50 * RESOURCE_UNIT);
    if (chance_percent (&world->random, 20))
        s_add (&options, "memory", (int64_t) chance_below (&world->random, 20) * RESOURCE_UNIT);
    if (chance_percent (&world->random, 20))
        options.placement = PLACE_SPREAD;
    else if (chance_percent (&world->random, 10)) {
        options.placement = chance_percent (&world->random, 50) ? PLACE_NODE : PLACE_NODE_SOFT;
        options.node_name = nodes [chance_below (&world->random, 3)];
        options.node_name_length = strlen (options.node_name);
    } else if (driver->group_count && chance_percent (&world->random, 30)) {
        options.placement = PLACE_GROUP;
        options.group.owner = driver->name;
        options.group.sequence
            = driver->groups [chance_below (&world->random, driver->group_count)];
    }
    return options;
}

static void
s_submit (world_t *world, process_t owner, tid_t id, const options_t *options, uint64_t target)
{
    static const uint8_t nothing [8] = { 0x90 };
    bytes_t body = { 0 };
    uint32_t program = head_program_of (world->head, owner);
    if (options)
        assert_int_equal (options_write (&body, options), 0);
    bytes_append (&body, nothing, sizeof nothing);
    record_t record
        = { .type = RECORD_TASK,
            .flags = options ? RECORD_OPTIONS : 0,
            .number = head_function (world->head, program,
                                     chance_percent (&world->random, 50) ? "a" : "b", 1),
            .target = target,
            .id = id,
            .body = body.data,
            .body_size = (uint32_t) body.size };
    head_submit (world->head, world->now, &record);
    bytes_release (&body);
    world->tally.tasks++;
    world->tally.special += options != NULL;
}

static void
s_spawn (world_t *world, being_t *driver)
{
    char name [16] = "";
    options_t options = s_any_options (world, driver);
    if (chance_percent (&world->random, 60))
        options = (options_t){ .bundle = BUNDLE_ANY };
    if (chance_percent (&world->random, 20))
        options.flags |= OPTIONS_DETACHED;
    if (chance_percent (&world->random, 30))
        options.flags |= OPTIONS_GET_OR_CREATE;
    if (chance_percent (&world->random, 30))
        snprintf (name, sizeof name, "n%u", (unsigned) chance_below (&world->random, 20));
    head_spawn_t spawn = { .id = { driver->name, s_next (driver) },
                           .class_name = "class",
                           .class_length = 5,
                           .name = name,
                           .name_length = strlen (name),
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = &options };
    /*  What becomes of actors is the worker's to say.                      */
    driver->results [driver->sequence - 1] = CANCELLED;
    head_spawn (world->head, world->now, &spawn);
    world->tally.actors++;
}

static void
s_group (world_t *world, being_t *driver)
{
    if (driver->group_count == 4) {
        head_group_end (world->head, (tid_t){ driver->name, driver->groups [0] });
        driver->groups [0] = driver->groups [--driver->group_count];
        return;
    }
    options_t bundles [3];
    size_t count = 1 + chance_below (&world->random, 3);
    for (size_t index = 0; index < count; index++) {
        bundles [index] = (options_t){ .bundle = BUNDLE_ANY };
        s_add (&bundles [index], "cpus",
               (int64_t) (1 + chance_below (&world->random, 3)) * RESOURCE_UNIT);
    }
    uint64_t sequence = s_next (driver);
    driver->results [sequence - 1] = CANCELLED;
    driver->groups [driver->group_count++] = sequence;
    head_group (world->head, world->now, (tid_t){ driver->name, sequence },
                (group_strategy_t) chance_below (&world->random, 4), bundles, count);
    world->tally.groups++;
}

static void
s_act (world_t *world, process_t name)
{
    being_t *driver = s_being (world, name);
    if (!driver->alive || driver->lost || world->quiet)
        return;
    s_after (world, (int64_t) chance_below (&world->random, 40 * CLOCK_MS),
             (event_t){ .type = E_ACT, .who = name });
    if (head_counts (world->head).tasks > 20000)
        return;
    uint64_t burst
        = 1 + chance_below (&world->random, chance_percent (&world->random, 5) ? 400 : 20);
    for (uint64_t left = burst; left; left--) {
        options_t options = s_any_options (world, driver);
        bool special = chance_percent (&world->random, 25);
        uint64_t target = chance_percent (&world->random, 30) ? 2 : 0;
        s_submit (world, name, (tid_t){ name, s_next (driver) }, special ? &options : NULL,
                  target);
    }
    if (chance_percent (&world->random, 20))
        s_spawn (world, driver);
    if (chance_percent (&world->random, 5))
        s_group (world, driver);
    tid_t id = { name, 1 + chance_below (&world->random, driver->sequence) };
    if (chance_percent (&world->random, 20) && driver->results [id.sequence - 1] == PENDING) {
        driver->results [id.sequence - 1] = CANCELLED;
        head_cancel (world->head, id);
    }
    s_turn_soon (world);
}

/*  --- what workers and agents do ---------------------------------------  */

static void
s_join_worker (world_t *world, const event_t *event)
{
    const being_t *node = s_being (world, event->who);
    if (!node->alive || node->silent)
        return;
    s_turn_soon (world);
    if (chance_percent (&world->random, 5)) {
        world->tally.refusals++;
        head_worker_failed (world->head, world->now, event->who, event->number, "no luck");
        return;
    }
    process_t name = head_join_worker (world->head, world->now, event->who,
                                       (uint32_t) event->detail, event->number, 1, "worker");
    being_t *worker = s_born (world, WORKER, name);
    worker->node = event->who;
    for (unsigned index = 0; index < 3; index++)
        head_offer (world->head, name,
                    head_function (world->head, (uint32_t) event->detail,
                                   (const char *[]){ "a", "b", "c" } [index], 1));
}

/*  A task may submit others before it ends.                                */
static void
s_finish (world_t *world, const event_t *event)
{
    being_t *worker = s_being (world, event->who);
    if (!worker->alive || worker->lost || s_being (world, worker->node)->silent)
        return;
    if (chance_percent (&world->random, 3) && head_job_of (world->head, worker->name))
        s_submit (world, worker->name, (tid_t){ worker->name, ++worker->sequence }, NULL,
                  task_target (1, event->number, 0));
    uint8_t pair [8];
    store_u32 (pair, event->number);
    store_u32 (pair + 4, (uint32_t) (event->detail / 64));
    world->tally.done++;
    const head_task_t *task = id_table_get (&world->head->tasks, event->id);
    bool current = task && task->state == TASK_LEASED && task->lease == event->number
                   && task->worker->process == worker->name;
    if (current && !task->cancelled)
        s_settle (world, event->id, DONE);
    head_done (world->head, world->now, worker->name, pair, 1);
    if (current)
        head_acknowledge (world->head, event->id);
    s_turn_soon (world);
}

/*  Gives back some of what was called back: the others have begun.         */
static void
s_return (world_t *world, const event_t *event)
{
    uint8_t leases [4 * LEASES_MAX];
    size_t count = 0, wanted = chance_below (&world->random, event->number + 1);
    const being_t *worker = s_being (world, event->who);
    if (!worker->alive || worker->lost || s_being (world, worker->node)->silent)
        return;
    const head_peer_t *peer = head_peer (world->head, event->who);
    for (unsigned slot = peer->lease_capacity; slot-- && count < wanted;)
        if (peer->leases [slot] && peer->leases [slot]->lane->plain
            && peer->outstanding - count > peer->slots)
            store_u32 (leases + 4 * count++, peer->leases [slot]->lease);
    world->tally.returned += count;
    head_returned (world->head, world->now, event->who, leases, count);
    s_turn_soon (world);
}

static void
s_actor_up (world_t *world, const event_t *event)
{
    const being_t *worker = s_being (world, event->who);
    if (!worker->alive || worker->lost)
        return;
    if (event->number && chance_percent (&world->random, 90)) {
        head_actor_up (world->head, event->who, event->id, 7, 1);
        s_after (world, (int64_t) chance_below (&world->random, 20 * SECOND),
                 (event_t){ .type = E_UP, .who = event->who, .id = event->id });
    } else
        head_actor_down (world->head, event->who, event->id);
    s_turn_soon (world);
}

/*  --- the head's shell -------------------------------------------------  */

static void
s_send_task (world_t *world, const head_action_t *action)
{
    record_t record;
    const being_t *worker = s_being (world, action->peer);
    REQUIRE (!worker->lost && worker->kind == WORKER);
    head_task_record (action->task, world->now, &record);
    const being_t *owner = s_being (world, record.id.owner);
    REQUIRE (!owner->lost);
    int64_t time = (int64_t) chance_below (
        &world->random, chance_percent (&world->random, 10) ? 200 * CLOCK_MS : 2 * CLOCK_MS);
    s_after (world, time + CLOCK_US,
             (event_t){ .type = E_FINISH,
                        .who = action->peer,
                        .number = (uint32_t) record.target,
                        .detail = (uint32_t) time,
                        .id = record.id });
}

static void
s_perform_one (world_t *world, const head_action_t *action)
{
    world->hash
        = chance_trace (world->hash, (uint64_t) action->type << 32 | (uint32_t) action->peer);
    switch (action->type) {
    case HEAD_DISPATCH:
        s_send_task (world, action);
        break;
    case HEAD_FAULT:
        world->tally.faults++;
        REQUIRE (action->text && action->text [0]);
        s_settle (world, action->id, FAILED);
        break;
    case HEAD_DROP:
        world->tally.drops++;
        s_lose (world, s_being (world, action->peer), action->text);
        break;
    case HEAD_RECALL:
        s_after (world, (int64_t) chance_below (&world->random, 2 * CLOCK_MS),
                 (event_t){ .type = E_RETURN,
                            .who = action->peer,
                            .number = (uint32_t) action->number });
        break;
    case HEAD_START_WORKERS:
        world->tally.starts += action->number;
        REQUIRE (!s_being (world, action->peer)->lost && action->number <= START_MAX);
        for (uint64_t count = 0; count < action->number; count++)
            s_after (world, (int64_t) chance_below (&world->random, 50 * CLOCK_MS),
                     (event_t){ .type = E_JOIN,
                                .who = action->peer,
                                .number = action->job,
                                .detail = action->program });
        break;
    case HEAD_STOP_WORKER:
        world->tally.stopped++;
        s_being (world, action->peer)->alive = false;
        s_after (world, (int64_t) chance_below (&world->random, 20 * CLOCK_MS),
                 (event_t){ .type = E_NOTICE, .who = action->peer });
        break;
    case HEAD_SPAWN:
        s_after (world, (int64_t) chance_below (&world->random, 5 * CLOCK_MS),
                 (event_t){
                     .type = E_UP, .who = action->peer, .number = 1, .id = action->actor->id });
        break;
    case HEAD_PLACED:
        world->tally.placed++;
        break;
    case HEAD_ASSIGN:
        world->tally.assigned++;
        break;
    case HEAD_JOB_ENDED:
        world->tally.ended++;
        break;
    default:
        break;
    }
}

static void
s_perform (world_t *world)
{
    size_t count = 0;
    for (size_t index = 0; head_actions (world->head, &count), index < count; index++) {
        head_action_t action = head_actions (world->head, &count) [index];
        s_perform_one (world, &action);
    }
    head_actions_clear (world->head);
    REQUIRE (!head_failed (world->head));
}

static void
s_tick (world_t *world)
{
    s_after (world, 400 * CLOCK_MS, (event_t){ .type = E_TICK });
    for (uint32_t index = 0; index < world->being_count; index++) {
        const being_t *being = &world->beings [index];
        if (being->lost || !being->alive || being->silent
            || (being->node && s_being (world, being->node)->silent))
            continue;
        head_heard (world->head, world->now, being->name);
    }
    s_turn_soon (world);
}

/*  --- calamities -------------------------------------------------------  */

static void
s_chaos (world_t *world)
{
    if (world->quiet)
        return;
    s_after (world,
             (int64_t) chance_below (&world->random, 2 * world->scenario->chaos_ms * CLOCK_MS),
             (event_t){ .type = E_CHAOS });
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    being_t *being = s_pick (world, roll < 60 ? WORKER : roll < 90 ? AGENT : DRIVER);
    if (!being)
        return;
    if (being->kind == AGENT && chance_percent (&world->random, 60)) {
        being->silent = true;
        s_after (world, (int64_t) chance_below (&world->random, 15 * SECOND),
                 (event_t){ .type = E_HEAL, .who = being->name });
        return;
    }
    world->tally.crashes++;
    being->alive = false;
    s_after (world, (int64_t) chance_below (&world->random, 5 * CLOCK_MS),
             (event_t){ .type = E_NOTICE, .who = being->name });
    if (being->kind == AGENT)
        s_new_node (world);
    else if (being->kind == DRIVER)
        s_new_driver (world);
}

/*  What it had been told to do while it was silent is lost, so it comes back
    as a new node.                                                          */
static void
s_heal (world_t *world, process_t name)
{
    being_t *being = s_being (world, name);
    being->silent = false;
    if (!being->lost && being->alive)
        s_lose (world, being, "it has lost its connection");
    s_new_node (world);
    s_turn_soon (world);
}

/*  --- the run ----------------------------------------------------------  */

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
    event_t event = agenda_take (&world->agenda);
    world->now = event.due;
    world->tally.events++;
    world->hash
        = chance_trace (world->hash, (uint64_t) event.type << 56 ^ (uint64_t) event.due);
    switch (event.type) {
    case E_TURN:
        world->turn_due = false;
        head_dispatch (world->head, world->now);
        break;
    case E_TICK:
        s_tick (world);
        break;
    case E_ACT:
        s_act (world, event.who);
        break;
    case E_FINISH:
        s_finish (world, &event);
        break;
    case E_RETURN:
        s_return (world, &event);
        break;
    case E_JOIN:
        s_join_worker (world, &event);
        break;
    case E_CHAOS:
        s_chaos (world);
        break;
    case E_NOTICE:
        s_lose (world, s_being (world, event.who), "it has ended");
        break;
    case E_HEAL:
        s_heal (world, event.who);
        break;
    case E_UP:
        s_actor_up (world, &event);
        break;
    }
    size_t count;
    head_actions (world->head, &count);
    if (count)
        s_turn_soon (world);
    s_perform (world);
    if (world->tally.events % world->scenario->check_every == 0)
        s_check (world);
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
    id_table_t *const tables []
        = { &world->head->peers, &world->head->tasks, &world->head->actors,
            &world->head->nodes, &world->head->pools, &world->head->groups };
    for (size_t index = 0; index < sizeof tables / sizeof tables [0]; index++)
        s_fix_seed (tables [index], scenario->seed + index);
    for (unsigned count = 0; count < scenario->nodes; count++)
        s_new_node (world);
    for (unsigned count = 0; count < scenario->drivers; count++)
        s_new_driver (world);
    s_after (world, 0, (event_t){ .type = E_TICK });
    s_after (world, 10 * CLOCK_MS, (event_t){ .type = E_CHAOS });
    return world;
}

static void
s_world_destroy (world_t *world)
{
    for (uint32_t index = 0; index < world->being_count; index++)
        free (world->beings [index].results);
    head_state_destroy (&world->head);
    free (world->beings);
    agenda_release (&world->agenda);
    free (world);
}

static size_t
s_pending (world_t *world)
{
    size_t pending = 0;
    for (uint32_t index = 0; index < world->being_count; index++) {
        const being_t *being = &world->beings [index];
        for (uint64_t task = 0; being->kind == DRIVER && !being->lost && task < being->sequence;
             task++)
            pending += being->results [task] == PENDING;
    }
    return pending;
}

/*  Tells what is left where nothing should be.                             */
static void
s_report (world_t *world)
{
    head_state_t *head = world->head;
    size_t jobs = 0, lanes = 0;
    for (job_t *job; (job = id_table_next (&head->jobs, &jobs)); lanes = 0)
        for (lane_t *lane; (lane = id_table_next (&job->lane_table, &lanes));) {
            char text [200];
            if (!lane->ready)
                continue;
            printf ("job %u: %zu workers, %zu starting; lane %s at %u: %zu of %zu ready, %s"
                    " (placement %d)%s%s%s%s\n",
                    job->number, job->workers, job->starting, lane->function->name, lane->depth,
                    lane->ready, lane->references,
                    head_demand_text (head, lane->demand, text, sizeof text),
                    (int) lane->demand->placement, lane->turn.place ? ", has its turn" : "",
                    lane->searched ? ", searched" : "", lane->unfit ? ", unfit" : "",
                    list_linked (&job->wanting) ? ", wanting" : "");
        }
    size_t cursor = 0;
    head_node_report_t report;
    while (head_next_node (head, &cursor, &report)) {
        printf ("node %s %s: %zu workers, %zu starting, %zu actors, %zu leases", report.name,
                report.state, report.workers, report.starting, report.actors, report.leases);
        for (size_t index = 0; index < report.count; index++)
            printf (", %s %.1f of %.1f", report.resources [index].name,
                    (double) report.resources [index].used / RESOURCE_UNIT,
                    (double) report.resources [index].total / RESOURCE_UNIT);
        printf ("\n");
    }
}

/*  Everything ends: no work is left, then no job, and nothing is held.     */
static void
s_quiesce (world_t *world)
{
    world->quiet = true;
    /*  A group may keep what others wait for.                              */
    for (uint32_t index = 0; index < world->being_count; index++)
        for (unsigned group = 0; group < world->beings [index].group_count; group++)
            head_group_end (world->head, (tid_t){ world->beings [index].name,
                                                  world->beings [index].groups [group] });
    s_turn_soon (world);
    int64_t end = world->now + 600 * SECOND;
    while (world->now < end && head_counts (world->head).tasks)
        s_step (world);
    s_check (world);
    if (s_pending (world) || head_counts (world->head).tasks)
        s_report (world);
    REQUIRE (s_pending (world) == 0 && head_counts (world->head).tasks == 0);
    for (uint32_t index = 0; index < world->being_count; index++)
        if (world->beings [index].kind == DRIVER)
            s_lose (world, &world->beings [index], "the end");
    while (world->now < end + 100 * SECOND)
        s_step (world);
    s_check (world);
    head_counts_t counts = head_counts (world->head);
    REQUIRE (counts.jobs == 1 && counts.actors == 0 && counts.groups == 0);
    REQUIRE (counts.workers == 0 && counts.task_bytes == 0);
    head_resource_report_t reports [8];
    size_t resources = head_resources (world->head, reports, 8);
    for (size_t index = 0; index < resources; index++)
        REQUIRE (reports [index].used == 0);
}

static uint64_t
s_simulate (const scenario_t *scenario, uint64_t events, tally_t *tally)
{
    world_t *world = s_world_new (scenario);
    while (world->tally.events < events)
        s_step (world);
    s_quiesce (world);
    *tally = world->tally;
    uint64_t hash = world->hash;
    printf ("%-9s seed %-4llu %8llu events, %.0f s: %llu tasks (%llu special), %llu done, %llu"
            " faults, %llu returned; %llu actors, %llu groups; %llu starts, %llu refused, %llu"
            " stopped, %llu assigned; %llu crashes, %llu nodes lost, %llu drops, trace %016llx\n",
            scenario->name, (unsigned long long) scenario->seed,
            (unsigned long long) tally->events,
            (double) (world->now - 1000 * SECOND) / (double) SECOND,
            (unsigned long long) tally->tasks, (unsigned long long) tally->special,
            (unsigned long long) tally->done, (unsigned long long) tally->faults,
            (unsigned long long) tally->returned, (unsigned long long) tally->actors,
            (unsigned long long) tally->groups,
            (unsigned long long) tally->starts, (unsigned long long) tally->refusals,
            (unsigned long long) tally->stopped, (unsigned long long) tally->assigned,
            (unsigned long long) tally->crashes, (unsigned long long) tally->nodes_lost,
            (unsigned long long) tally->drops, (unsigned long long) hash);
    s_world_destroy (world);
    return hash;
}

/*  --- tests ------------------------------------------------------------  */

static const scenario_t s_scenarios [] = {
    { "few", 1, 3, 2, 300, 100, 10 },
    { "busy", 2, 10, 4, 200, 500, 25 },
    { "churn", 3, 30, 6, 20, 1000, 25 },
    { "many", 4, 1000, 10, 20, 20000, 40 },
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
    uint64_t total = s_environment ("TROUPE_WORLD_EVENTS", SANITIZED ? 40000 : 120000);
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
    /*  In a full run, all that can go wrong has gone wrong somewhere.      */
    if (total < 120000)
        return;
    assert_true (sum.done && sum.faults && sum.starts && sum.refusals && sum.crashes);
    assert_true (sum.nodes_lost && sum.drops && sum.actors && sum.groups && sum.placed);
    assert_true (sum.stopped && sum.assigned && sum.ended && sum.checks && sum.special);
}

static void
test_same_seed_same_trace (void **state)
{
    (void) state;
    scenario_t scenario = s_scenarios [1];
    tally_t first, second;
    uint64_t hash = s_simulate (&scenario, 5000, &first);
    assert_true (s_simulate (&scenario, 5000, &second) == hash);
    assert_memory_equal (&first, &second, sizeof first);
}

/*  --- growth -----------------------------------------------------------  */

/*  A cluster whose cpus are all busy, with actors, and the means to go on.  */
typedef struct {
    head_state_t *head;
    process_t driver;
    uint32_t function;
    uint64_t sequence;
    struct {
        process_t worker;
        uint32_t lease;
    } * running;
    size_t running_count;
    size_t actors;
} crowd_t;

static size_t
s_memory (void)
{
    return mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
}

static void
s_crowd_act (crowd_t *crowd)
{
    size_t count = 0;
    for (size_t index = 0; head_actions (crowd->head, &count), index < count; index++) {
        head_action_t action = head_actions (crowd->head, &count) [index];
        record_t record;
        if (action.type == HEAD_DISPATCH) {
            head_task_record (action.task, 1, &record);
            crowd->running [crowd->running_count].worker = action.peer;
            crowd->running [crowd->running_count++].lease = (uint32_t) record.target;
        } else if (action.type == HEAD_SPAWN)
            head_actor_up (crowd->head, action.peer, action.actor->id, ++crowd->actors, 1);
        for (uint64_t left = action.type == HEAD_START_WORKERS ? action.number : 0; left;
             left--)
            head_offer (crowd->head,
                        head_join_worker (crowd->head, 1, action.peer, action.program,
                                          action.job, 1, "worker"),
                        crowd->function);
    }
    head_actions_clear (crowd->head);
}

static void
s_crowd_submit (crowd_t *crowd, const options_t *options)
{
    static const uint8_t nothing [8] = { 0x90 };
    uint8_t block [128];
    bytes_t body = { 0 };
    assert_int_equal (options ? options_write (&body, options) : 0, 0);
    bytes_append (&body, nothing, sizeof nothing);
    assert_true (body.size <= sizeof block);
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = crowd->function,
                        .id = { crowd->driver, ++crowd->sequence },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_submit (crowd->head, 1, &record);
    bytes_release (&body);
}

/*  One task is done somewhere, and another is submitted and given out.     */
static double
s_crowd_measure (crowd_t *crowd, uint64_t *chance, const options_t *options, size_t rounds)
{
    int64_t begun = clock_now ();
    for (size_t round = 0; round < rounds; round++) {
        size_t index = chance_below (chance, crowd->running_count);
        uint8_t pair [8];
        store_u32 (pair, crowd->running [index].lease);
        store_u32 (pair + 4, 1000000);
        head_done (crowd->head, 1, crowd->running [index].worker, pair, 1);
        crowd->running [index] = crowd->running [--crowd->running_count];
        s_crowd_submit (crowd, options);
        head_dispatch (crowd->head, 1);
        s_crowd_act (crowd);
    }
    return (double) (clock_now () - begun) / (double) rounds;
}

static void
s_crowd_fill (crowd_t *crowd, size_t tasks)
{
    while (tasks--)
        s_crowd_submit (crowd, NULL);
    do {
        head_dispatch (crowd->head, 1);
        s_crowd_act (crowd);
        head_dispatch (crowd->head, 1);
    } while (head_actions (crowd->head, &tasks), tasks);
}

static double
s_crowd_spawn (crowd_t *crowd, size_t actors)
{
    int64_t begun = clock_now ();
    for (size_t count = 0; count < actors; count++) {
        head_spawn_t spawn = { .id = { crowd->driver, ++crowd->sequence },
                               .class_name = "class",
                               .class_length = 5,
                               .name = "",
                               .record = (const uint8_t *) "spawn",
                               .size = 5 };
        head_spawn (crowd->head, 1, &spawn);
        s_crowd_act (crowd);
    }
    assert_int_equal (crowd->actors, actors);
    return (double) (clock_now () - begun) / (double) actors;
}

/*  Four cpus, and so four workers, and a hundred actors for each node.     */
static double
s_grow (unsigned nodes)
{
    static const uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    options_t half = { .flags = OPTIONS_RESOURCES,
                       .bundle = BUNDLE_ANY,
                       .count = 1,
                       .resources = { { "cpus", 4, RESOURCE_UNIT / 2 } } };
    uint64_t chance = 1;
    size_t empty = s_memory ();
    crowd_t crowd = { .head = head_state_new (EPOCH) };
    crowd.running = calloc (nodes * 8 + 8, sizeof *crowd.running);
    assert_true (crowd.head && crowd.running);
    resource_t cpus = { "cpus", 4, 4 * RESOURCE_UNIT };
    for (unsigned count = 0; count < nodes; count++) {
        char name [16];
        snprintf (name, sizeof name, "n%u", count);
        process_t node = head_join (crowd.head, 1, ROLE_NODE, 0, name);
        assert_int_equal (head_node_join (crowd.head, 1, node, name, &cpus, 1), 0);
    }
    crowd.driver = head_join (crowd.head, 1, ROLE_DRIVER, 0, "driver");
    uint32_t program = head_program (crowd.head, hash);
    assert_true (head_job (crowd.head, crowd.driver, program, "", 0, 1, false) != 0);
    crowd.function = head_function (crowd.head, program, "work", 4);
    s_crowd_fill (&crowd, (size_t) nodes * 4);
    assert_int_equal (crowd.running_count, nodes * 4);
    size_t full = s_memory ();
    double spawn = s_crowd_spawn (&crowd, (size_t) nodes * 100);
    size_t peopled = s_memory ();
    double plain = s_crowd_measure (&crowd, &chance, NULL, 20000);
    double special = s_crowd_measure (&crowd, &chance, &half, 20000);
    assert_null (head_check (crowd.head));
    printf ("%5u nodes, %6u workers, %7zu actors: %5.0f ns a task, %5.0f ns one of half a cpu,"
            " %5.0f ns an actor; %5.0f bytes a node with its workers, %3.0f an actor\n",
            nodes, nodes * 4, crowd.actors, plain, special, spawn,
            (double) (full - empty) / nodes, (double) (peopled - full) / (double) crowd.actors);
    head_state_destroy (&crowd.head);
    free (crowd.running);
    return special > plain ? special : plain;
}

/*  What one decision costs may grow with the cluster, but not with its size. */
static void
test_growth (void **state)
{
    (void) state;
    double small = s_grow (10), medium = s_grow (100), large = s_grow (SANITIZED ? 200 : 1000);
    assert_true (medium < 20 * small && large < 40 * small);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_scenarios),
        cmocka_unit_test (test_same_seed_same_trace),
        cmocka_unit_test (test_growth),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
