/*  test_head_churn.c - drives the head's state machine through a flood of small
    tasks, actors and groups that never ends, on nodes that come and go, and
    checks that whatever is large among them is placed within so many ends of
    the small: groups of all strategies, tasks that want a node for themselves,
    and tasks that want all of a bundle

    TROUPE_SEED         replays one seed
    TROUPE_CHURN_ENDS   how many small ones end                             */

#include "head/head_private.h"
#include "tests/agenda.h"
#include "tests/chance.h"
#include "tests/sanitized.h"
#include "tests/simulated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define NODES 12
#define READY 60
#define SMALL 6     /*  actors, and groups, of one cpu                      */
#define LARGE 3     /*  groups, and tasks                                   */

/*  Small ones that may end while one large waits. About 150 end in a second,
    and each of the 3 * LARGE that wait may have its turn in 10 seconds.    */
#define BOUND 10000

typedef enum { E_TICK, E_FINISH, E_ACTOR_END, E_GROUP_END, E_CHURN } what_t;

/*  Something large: since how many ends it waits; or since when it is placed. */
typedef struct {
    tid_t id;
    uint64_t since;
    bool placed;
} large_t;

typedef struct {
    head_state_t *head;
    uint64_t random;
    int64_t now;
    agenda_t agenda;
    uint64_t sequence;
    process_t drivers [4];      /*  of the flood, actors, groups, the large */
    process_t nodes [NODES];
    int64_t cpus [NODES];
    unsigned names;
    size_t actors, groups;      /*  small ones                              */
    large_t large [LARGE];      /*  groups                                  */
    large_t tasks [LARGE];      /*  of a node's size                        */
    large_t inner [LARGE];      /*  of a bundle's size                      */
    uint64_t ends;
    uint64_t longest [3];       /*  groups, tasks, within bundles           */
    uint64_t placed [3];
    uint64_t lost;
} world_t;

static void
s_after (world_t *self, int64_t delay, event_t event)
{
    event.due = self->now + delay;
    agenda_add (&self->agenda, event);
}

static int64_t
s_time (world_t *self, int64_t low, int64_t high)
{
    return chance_between (&self->random, low * CLOCK_MS, high * CLOCK_MS);
}

static options_t
s_asking (int64_t cpus)
{
    return (options_t){ .flags = OPTIONS_RESOURCES,
                        .bundle = BUNDLE_ANY,
                        .count = 1,
                        .resources = { { "cpus", 4, cpus } } };
}

/*  --- what is asked for ------------------------------------------------  */

static uint32_t
s_function (world_t *self, process_t driver)
{
    return head_function (self->head, head_program_of (self->head, driver), "work", 4);
}

static tid_t
s_submit (world_t *self, process_t driver, const options_t *options)
{
    static const uint8_t nothing [8] = { 0x90 };
    bytes_t body = { 0 };
    assert_int_equal (options ? options_write (&body, options) : 0, 0);
    bytes_append (&body, nothing, sizeof nothing);
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = s_function (self, driver),
                        .id = { driver, ++self->sequence },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_submit (self->head, self->now, &record);
    bytes_release (&body);
    return record.id;
}

static void
s_flood (world_t *self)
{
    for (size_t ready = head_counts (self->head).ready; ready < READY; ready++) {
        const options_t some
            = s_asking (RESOURCE_UNIT / 2 * chance_between (&self->random, 1, 3));
        s_submit (self, self->drivers [0], chance_percent (&self->random, 70) ? NULL : &some);
    }
}

static void
s_spawn_small (world_t *self)
{
    for (const options_t one = s_asking (RESOURCE_UNIT); self->actors < SMALL; self->actors++) {
        head_spawn_t spawn = { .id = { self->drivers [1], ++self->sequence },
                               .class_name = "class",
                               .class_length = 5,
                               .name = "",
                               .record = (const uint8_t *) "spawn",
                               .size = 5,
                               .options = &one };
        head_spawn (self->head, self->now, &spawn);
    }
}

static void
s_group_small (world_t *self)
{
    for (const options_t one = s_asking (RESOURCE_UNIT); self->groups < SMALL; self->groups++)
        head_group (self->head, self->now, (tid_t){ self->drivers [2], ++self->sequence },
                    GROUP_PACK, &one, 1);
}

/*  A group that wants some nodes as a whole, or one for several bundles. It
    fits: who goes is replaced by another of the same size.                 */
static void
s_group_large (world_t *self, large_t *large)
{
    options_t bundles [NODES];
    group_strategy_t strategy = (group_strategy_t) chance_below (&self->random, 4);
    size_t count = 2 + chance_below (&self->random, 3);
    size_t first = chance_below (&self->random, NODES);
    bool together = strategy == GROUP_PACK || strategy == GROUP_STRICT_PACK;
    count = together ? 2 : count;
    for (size_t index = 0; index < count; index++)
        bundles [index] = s_asking (together ? self->cpus [first] / 2
                                             : self->cpus [(first + index) % NODES]);
    *large = (large_t){ .id = { self->drivers [3], ++self->sequence }, .since = self->ends };
    head_group (self->head, self->now, large->id, strategy, bundles, count);
}

static void
s_ask_large (world_t *self)
{
    for (size_t index = 0; index < LARGE; index++) {
        if (!self->large [index].id.sequence)
            s_group_large (self, &self->large [index]);
        if (self->tasks [index].id.sequence)
            continue;
        const options_t whole = s_asking (self->cpus [chance_below (&self->random, NODES)]);
        self->tasks [index] = (large_t){ .id = s_submit (self, self->drivers [3], &whole),
                                         .since = self->ends };
    }
}

/*  Small tasks for the first bundle of a group that has its place, and one that
    wants all of it.                                                        */
static void
s_fill (world_t *self, size_t index)
{
    const tid_t group = self->large [index].id;
    options_t one = s_asking (RESOURCE_UNIT), all = one;
    one.placement = PLACE_GROUP;
    one.group = group;
    one.bundle = 0;
    for (size_t count = 0; count < 12; count++)
        s_submit (self, self->drivers [0], &one);
    if (self->inner [index].id.sequence)
        return;
    const group_t *there = head_group_of (self->head, group);
    all = one;
    all.resources [0].amount = head_demand_of (there->bundles [0]->demand, CPUS);
    self->inner [index] = (large_t){ .id = s_submit (self, self->drivers [3], &all),
                                     .since = self->ends };
}

/*  --- what becomes of it -----------------------------------------------  */

/*  It need not wait any more.                                              */
static void
s_note (world_t *self, large_t *large, size_t kind)
{
    uint64_t waited = self->ends - large->since;
    if (waited > self->longest [kind])
        self->longest [kind] = waited;
    self->placed [kind]++;
    large->placed = true;
}

static large_t *
s_find (large_t *all, tid_t id)
{
    for (size_t index = 0; index < LARGE; index++)
        if (tid_equal (all [index].id, id))
            return &all [index];
    return NULL;
}

static void
s_given (world_t *self, const head_action_t *action)
{
    record_t record;
    head_task_record (action->task, self->now, &record);
    large_t *task = s_find (self->tasks, record.id), *inner = s_find (self->inner, record.id);
    if (task && !task->placed)
        s_note (self, task, 1);
    if (inner && !inner->placed)
        s_note (self, inner, 2);
    s_after (self, task || inner ? s_time (self, 10, 500) : s_time (self, 10, 200),
             (event_t){ .type = E_FINISH,
                        .who = action->peer,
                        .number = (uint32_t) record.target,
                        .id = record.id });
}

/*  A group lives for a while, and is filled; or has its place again.       */
static void
s_has_place (world_t *self, tid_t id)
{
    large_t *large = s_find (self->large, id);
    if (!large) {
        s_after (self, s_time (self, 100, 1000), (event_t){ .type = E_GROUP_END, .id = id });
        return;
    }
    s_note (self, large, 0);
    s_after (self, s_time (self, 3000, 12000), (event_t){ .type = E_GROUP_END, .id = id });
    s_fill (self, (size_t) (large - self->large));
}

static void
s_forget (world_t *self, tid_t id)
{
    large_t *large = s_find (self->tasks, id);
    if (!large)
        large = s_find (self->inner, id);
    if (large)
        *large = (large_t){ .since = 0 };
}

static void
s_start (world_t *self, const head_action_t *action)
{
    for (uint64_t left = action->number; left; left--) {
        process_t worker = head_join_worker (self->head, self->now, action->peer,
                                             action->program, action->job, 1, "worker");
        head_offer (self->head, worker, head_function (self->head, action->program, "work", 4));
    }
}

static void
s_perform_one (world_t *self, const head_action_t *action)
{
    switch (action->type) {
    case HEAD_DISPATCH:
        s_given (self, action);
        break;
    case HEAD_FAULT:
        assert_int_not_equal (action->code, TROUPE_ELIMIT);
        s_forget (self, action->id);
        break;
    case HEAD_DROP:
    case HEAD_STOP_WORKER:
        head_lost (self->head, self->now, action->peer, "gone", NULL);
        break;
    case HEAD_START_WORKERS:
        s_start (self, action);
        break;
    case HEAD_SPAWN:
        head_actor_up (self->head, action->peer, action->actor->id, 1, 1);
        s_after (
            self, s_time (self, 100, 2000),
            (event_t){ .type = E_ACTOR_END, .who = action->peer, .id = action->actor->id });
        break;
    case HEAD_PLACED:
        s_has_place (self, action->id);
        break;
    default:
        break;
    }
}

static void
s_perform (world_t *self)
{
    size_t count = 0;
    do {
        head_dispatch (self->head, self->now);
        for (size_t index = 0; head_actions (self->head, &count), index < count; index++) {
            head_action_t action = head_actions (self->head, &count) [index];
            s_perform_one (self, &action);
        }
        head_actions_clear (self->head);
        assert_false (head_failed (self->head));
    } while (count);
}

/*  --- what happens -----------------------------------------------------  */

static void
s_join_node (world_t *self, size_t index)
{
    char name [16];
    snprintf (name, sizeof name, "n%u", self->names++);
    resource_t cpus = { "cpus", 4, self->cpus [index] };
    process_t node = head_join (self->head, self->now, ROLE_NODE, 0, name);
    assert_int_equal (head_node_join (self->head, self->now, node, name, &cpus, 1), 0);
    self->nodes [index] = node;
}

/*  A node goes and another one comes. Groups that have lost a bundle wait.  */
static void
s_churn (world_t *self)
{
    size_t index = chance_below (&self->random, NODES);
    self->lost++;
    head_lost (self->head, self->now, self->nodes [index], "gone", NULL);
    s_join_node (self, index);
    for (size_t which = 0; which < LARGE; which++) {
        large_t *large = &self->large [which];
        const group_t *group = head_group_of (self->head, large->id);
        if (large->placed && group && !group->placed) {
            large->placed = false;
            large->since = self->ends;
        }
    }
    s_after (self, s_time (self, 0, 20000), (event_t){ .type = E_CHURN });
}

static void
s_finish (world_t *self, const event_t *event)
{
    uint8_t pair [8];
    store_u32 (pair, event->number);
    store_u32 (pair + 4, 30 * CLOCK_MS / 64);
    head_done (self->head, self->now, event->who, pair, 1);
    s_forget (self, event->id);
    self->ends++;
}

static void
s_end_group (world_t *self, tid_t id)
{
    large_t *large = s_find (self->large, id);
    head_group_end (self->head, id);
    if (large)
        *large = (large_t){ .since = 0 };
    else
        self->groups--;
    self->ends++;
}

static void
s_step (world_t *self)
{
    event_t event = agenda_take (&self->agenda);
    self->now = event.due;
    switch ((what_t) event.type) {
    case E_TICK:
        for (uint64_t count = 1; count <= self->head->joined; count++)
            head_heard (self->head, self->now, UINT64_C (9) << 32 | count);
        s_after (self, SECOND / 2, event);
        assert_null (head_check (self->head));
        break;
    case E_FINISH:
        s_finish (self, &event);
        break;
    case E_ACTOR_END:
        head_actor_down (self->head, event.who, event.id);
        self->actors--;
        self->ends++;
        break;
    case E_GROUP_END:
        s_end_group (self, event.id);
        break;
    case E_CHURN:
        s_churn (self);
        break;
    }
    s_flood (self);
    s_spawn_small (self);
    s_group_small (self);
    s_ask_large (self);
    s_perform (self);
}

/*  --- the run ----------------------------------------------------------  */

static void
s_begin (world_t *self, uint64_t seed)
{
    static const uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    self->random = seed;
    self->now = 1000 * SECOND;
    self->head = head_state_new (9);
    assert_non_null (self->head);
    /*  The order of tables is the one thing that is random by itself.      */
    id_table_t *const tables []
        = { &self->head->peers, &self->head->tasks, &self->head->actors,
            &self->head->nodes, &self->head->pools, &self->head->groups };
    for (size_t index = 0; index < sizeof tables / sizeof tables [0]; index++)
        simulated_fix_seed (tables [index], seed + index);
    for (size_t index = 0; index < NODES; index++) {
        self->cpus [index] = 2 * RESOURCE_UNIT * chance_between (&self->random, 1, 3);
        s_join_node (self, index);
    }
    for (size_t index = 0; index < 4; index++) {
        self->drivers [index] = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver");
        uint32_t program = head_program (self->head, hash);
        assert_true (head_job (self->head, self->drivers [index], program, "", 0, 1, false));
        assert_true (s_function (self, self->drivers [index]) != 0);
    }
    s_after (self, 0, (event_t){ .type = E_TICK });
    s_after (self, 20 * SECOND, (event_t){ .type = E_CHURN });
}

/*  How long the ones that still wait have waited.                          */
static void
s_end (world_t *self)
{
    large_t *const kinds [] = { self->large, self->tasks, self->inner };
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t index = 0; index < LARGE; index++) {
            const large_t *large = &kinds [kind] [index];
            uint64_t waits
                = large->id.sequence && !large->placed ? self->ends - large->since : 0;
            if (waits > self->longest [kind])
                self->longest [kind] = waits;
        }
    head_state_destroy (&self->head);
    agenda_release (&self->agenda);
}

static void
test_everything_has_its_turn (void **state)
{
    static const char *const kinds [] = { "groups", "tasks", "tasks in a bundle" };
    uint64_t ends = simulated_number ("TROUPE_CHURN_ENDS", SANITIZED ? 30000 : 100000);
    (void) state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        world_t *world = calloc (1, sizeof *world);
        assert_non_null (world);
        s_begin (world, simulated_number ("TROUPE_SEED", seed));
        while (world->ends < ends)
            s_step (world);
        s_end (world);
        for (size_t kind = 0; kind < 3; kind++) {
            printf ("seed %llu: %llu large %s were placed, each within %llu of %llu ends\n",
                    (unsigned long long) seed, (unsigned long long) world->placed [kind],
                    kinds [kind], (unsigned long long) world->longest [kind],
                    (unsigned long long) ends);
            assert_true (world->longest [kind] <= BOUND && world->placed [kind] > ends / BOUND);
        }
        assert_true (world->lost > 0);
        free (world);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_everything_has_its_turn) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
