/*  test_head_turns.c - the head's state machine: the large has its turn among
    the small, be it a group or a demand within a bundle; and what never fits
    is reported                                                             */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  --- shorthands -------------------------------------------------------  */

static tid_t
s_group (fixture_t *self, process_t owner, group_strategy_t strategy, const double *cpus,
         size_t count)
{
    options_t bundles [16];
    for (size_t index = 0; index < count; index++)
        bundles [index] = fixture_asking ("cpus", cpus [index]);
    tid_t id = { owner, ++self->sequence };
    head_group (self->head, self->now, id, strategy, bundles, count);
    fixture_check (self);
    return id;
}

static options_t
s_in_bundle (tid_t group, uint32_t bundle, double cpus)
{
    options_t options = fixture_asking ("cpus", cpus);
    options.placement = PLACE_GROUP;
    options.group = group;
    options.bundle = bundle;
    return options;
}

static bool
s_placed (const fixture_t *self, tid_t group)
{
    for (size_t index = 0; index < self->log_count; index++)
        if (self->log [index].type == HEAD_PLACED && tid_equal (self->log [index].id, group))
            return true;
    return false;
}

/*  Every half second one task of the owner ends, the oldest.               */
static void
s_end_one (fixture_t *self, process_t owner)
{
    for (size_t index = 0; index < self->given_count; index++)
        if (!self->given [index].done && self->given [index].id.owner == owner) {
            fixture_done (self, &self->given [index], 30 * CLOCK_MS);
            break;
        }
    fixture_pass (self, SECOND / 2, 0);
}

/*  How many tasks of a flood end before the group has its place, or -1.    */
static int
s_until_placed (fixture_t *self, process_t flood, tid_t group, int limit)
{
    for (int ended = 0; ended < limit; ended++) {
        if (s_placed (self, group))
            return ended;
        s_end_one (self, flood);
    }
    return -1;
}

static bool
s_faulted (const fixture_t *self, tid_t id, troupe_error_t code, const char *text)
{
    return tid_equal (self->faulted, id) && self->code == code && strstr (self->fault, text);
}

/*  A task and an actor that ask for this fail within the time, each.       */
static void
s_expect_refused (fixture_t *self, process_t driver, const options_t *asked, int64_t within,
                  troupe_error_t code, const char *text)
{
    tid_t task = fixture_submit_with (self, driver, asked, 0);
    fixture_pass (self, within, 0);
    assert_true (s_faulted (self, task, code, text));
    tid_t actor = fixture_spawn (self, driver, "", asked);
    fixture_pass (self, within, 0);
    assert_true (s_faulted (self, actor, code, text));
}

/*  --- groups among small tasks -----------------------------------------  */

static void
test_a_group_gets_its_turn (void **state)
{
    static const group_strategy_t strategies []
        = { GROUP_PACK, GROUP_SPREAD, GROUP_STRICT_PACK, GROUP_STRICT_SPREAD };
    static const double cpus [] = { 2, 2 };
    for (size_t index = 0; index < 4; index++) {
        fixture_t *self = *state;
        fixture_node (self, "a", 4, 0);
        fixture_node (self, "b", 4, 0);
        process_t flood = fixture_driver_with (self, 1, "", 0);
        process_t other = fixture_driver_with (self, 2, "", 0);
        fixture_submit (self, flood, 200);
        fixture_run (self);
        assert_int_equal (fixture_running (self, flood), 8);
        tid_t group = s_group (self, other, strategies [index], cpus, 2);
        assert_in_range (s_until_placed (self, flood, group, 40), 1, 20);
        /*  What it left over is everybody's again.                         */
        fixture_run (self);
        assert_int_equal (fixture_running (self, flood), 4);
        fixture_teardown (state);
        fixture_setup (state);
    }
}

/*  Each could have one of two nodes, and both need both: the one that came
    first has them, and then the other.                                     */
static void
test_two_groups_do_not_block_each_other (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 4, 4 };
    fixture_node (self, "a", 4, 0);
    fixture_node (self, "b", 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0);
    process_t one = fixture_driver_with (self, 2, "", 0);
    process_t two = fixture_driver_with (self, 3, "", 0);
    fixture_submit (self, flood, 400);
    fixture_run (self);
    tid_t first = s_group (self, one, GROUP_STRICT_SPREAD, cpus, 2);
    tid_t second = s_group (self, two, GROUP_STRICT_SPREAD, cpus, 2);
    assert_true (s_until_placed (self, flood, first, 40) > 0);
    assert_false (s_placed (self, second));
    head_group_end (self->head, first);
    fixture_run (self);
    assert_true (s_until_placed (self, flood, second, 40) >= 0);
}

/*  A group that needs more than half of the nodes, while others want one
    each, again and again.                                                  */
static void
test_a_group_that_needs_all_nodes (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 2, 2, 2, 2 };
    const options_t both = fixture_asking ("cpus", 2);
    const char *const names [] = { "a", "b", "c", "d" };
    for (size_t index = 0; index < 4; index++)
        fixture_node (self, names [index], 2, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0);
    process_t large = fixture_driver_with (self, 2, "", 0);
    process_t other = fixture_driver_with (self, 3, "", 0);
    fixture_submit (self, flood, 600);
    fixture_run (self);
    for (int count = 0; count < 30; count++)
        fixture_submit_with (self, large, &both, 0);
    fixture_pass (self, 3 * SECOND, 0);
    tid_t group = s_group (self, other, GROUP_STRICT_SPREAD, cpus, 4);
    int ended = 0;
    for (; ended < 120 && !s_placed (self, group); ended++)
        s_end_one (self, fixture_running (self, large) ? large : flood);
    assert_in_range (ended, 1, 60);
}

/*  As many as troupe.h promises.                                           */
static void
test_a_group_of_many (void **state)
{
    fixture_t *self = *state;
    static options_t bundles [TROUPE_BUNDLES_MAX];
    for (size_t index = 0; index < TROUPE_BUNDLES_MAX; index++)
        bundles [index] = fixture_asking ("cpus", 1);
    fixture_node (self, "a", TROUPE_BUNDLES_MAX - 1, 0);
    process_t b = fixture_node (self, "b", 1, 0);
    tid_t group = { fixture_driver (self), 1000 };
    head_group (self->head, self->now, group, GROUP_SPREAD, bundles, TROUPE_BUNDLES_MAX);
    fixture_run (self);
    assert_true (s_placed (self, group));
    head_lost (self->head, self->now, b, "gone", NULL);
    fixture_pass (self, 12 * SECOND, 0);
    assert_true (s_faulted (self, group, TROUPE_ELIMIT, "never fits"));
}

/*  The small bundle must not take the only node that is large enough for the
    other.                                                                  */
static void
test_the_largest_bundle_first (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 1, 4 };
    fixture_node (self, "a", 4, 0);
    fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t spread = s_group (self, driver, GROUP_STRICT_SPREAD, cpus, 2);
    fixture_run (self);
    assert_true (s_placed (self, spread));
    head_group_end (self->head, spread);
    tid_t pack = s_group (self, driver, GROUP_PACK, cpus, 2);
    fixture_run (self);
    assert_true (s_placed (self, pack));
}

/*  One of the nodes that are kept is lost: others are found.               */
static void
test_a_kept_node_is_lost (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 4, 4 };
    process_t a = fixture_node (self, "a", 4, 0);
    fixture_node (self, "b", 4, 0);
    fixture_node (self, "c", 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0);
    process_t other = fixture_driver_with (self, 2, "", 0);
    fixture_submit (self, flood, 400);
    fixture_run (self);
    tid_t group = s_group (self, other, GROUP_SPREAD, cpus, 2);
    for (int step = 0; step < 6; step++)
        s_end_one (self, flood);
    assert_false (s_placed (self, group));
    head_lost (self->head, self->now, a, "gone", NULL);
    fixture_run (self);
    assert_true (s_until_placed (self, flood, group, 60) > 0);
    head_lost (self->head, self->now, other, "gone", NULL);
    fixture_run (self);
    assert_int_equal (head_counts (self->head).groups, 0);
}

/*  Of the owner's tasks, the oldest on each node ends.                     */
static void
s_end_one_on_each (fixture_t *self, process_t owner)
{
    process_t nodes [16];
    size_t count = 0;
    for (size_t index = 0; index < self->given_count; index++) {
        given_t *given = &self->given [index];
        if (given->done || given->id.owner != owner)
            continue;
        process_t node = fixture_node_of (self, given->worker);
        bool ended = false;
        for (size_t other = 0; other < count; other++)
            ended = ended || nodes [other] == node;
        if (ended)
            continue;
        nodes [count++] = node;
        fixture_done (self, given, 30 * CLOCK_MS);
    }
    fixture_pass (self, SECOND / 2, 0);
}

/*  An actor may stay for ever: where one holds too much, nothing is waited for
    as long as there is another place.                                      */
static void
test_where_tasks_end (void **state)
{
    fixture_t *self = *state;
    const options_t one = fixture_asking ("cpus", 1), all = fixture_asking ("cpus", 4);
    const char *const names [] = { "a", "b", "c", "d", "e", "f" };
    for (size_t index = 0; index < 5; index++) {
        fixture_node (self, names [index], 4, 0);
        options_t here = one;
        here.placement = PLACE_NODE;
        here.node_name = names [index];
        here.node_name_length = 1;
        fixture_spawn (self, fixture_driver_with (self, 3, "", 0), "", &here);
        fixture_run (self);
    }
    fixture_node (self, names [5], 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0);
    process_t other = fixture_driver_with (self, 2, "", 0);
    fixture_submit (self, flood, 800);
    fixture_run (self);
    assert_int_equal (fixture_running (self, flood), 5 * 3 + 4);
    fixture_submit_with (self, other, &all, 0);
    int steps = 0;
    for (; steps < 60 && !fixture_running (self, other); steps++)
        s_end_one_on_each (self, flood);
    assert_in_range (steps, 1, 20);
}

/*  --- demands within a bundle ------------------------------------------  */

static void
s_large_in_a_bundle (fixture_t *self, bool actor, uint32_t bundle)
{
    static const double cpus [] = { 4 };
    fixture_node (self, "a", 8, 0);
    process_t driver = fixture_driver (self);
    tid_t group = s_group (self, driver, GROUP_PACK, cpus, 1);
    const options_t small = s_in_bundle (group, bundle, 1);
    const options_t large = s_in_bundle (group, bundle, 4);
    for (int count = 0; count < 200; count++)
        fixture_submit_with (self, driver, &small, 0);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 4);
    tid_t task = { 0, 0 };
    if (actor)
        fixture_spawn (self, driver, "", &large);
    else
        task = fixture_submit_with (self, driver, &large, 0);
    int ended = 0;
    for (; ended < 40; ended++) {
        if (actor ? fixture_logged (self, HEAD_SPAWN, 0)
                  : fixture_given_to (self, task) != NULL)
            break;
        s_end_one (self, driver);
    }
    assert_in_range (ended, 4, 20);
    assert_int_equal (fixture_running (self, driver), actor ? 0 : 1);
    if (actor)
        return;
    fixture_done (self, fixture_given_to (self, task), CLOCK_MS);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 4);
}

static void
test_a_large_task_in_a_bundle (void **state)
{
    s_large_in_a_bundle (*state, false, 0);
}

static void
test_a_large_task_in_any_bundle (void **state)
{
    s_large_in_a_bundle (*state, false, BUNDLE_ANY);
}

static void
test_a_large_actor_in_a_bundle (void **state)
{
    s_large_in_a_bundle (*state, true, 0);
}

/*  What is left of the bundle when the large demand has begun goes on.     */
static void
test_the_rest_of_a_bundle_is_used (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 4 };
    fixture_node (self, "a", 8, 0);
    process_t driver = fixture_driver (self);
    tid_t group = s_group (self, driver, GROUP_PACK, cpus, 1);
    const options_t small = s_in_bundle (group, 0, 1), large = s_in_bundle (group, 0, 3);
    for (int count = 0; count < 200; count++)
        fixture_submit_with (self, driver, &small, 0);
    fixture_run (self);
    fixture_spawn (self, driver, "", &large);
    for (int ended = 0; ended < 40 && !fixture_logged (self, HEAD_SPAWN, 0); ended++)
        s_end_one (self, driver);
    assert_int_equal (fixture_logged (self, HEAD_SPAWN, 0), 1);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_running (self, driver), 1);
}

/*  --- what never fits --------------------------------------------------  */

static void
test_a_group_that_never_fits (void **state)
{
    fixture_t *self = *state;
    static const double three [] = { 4, 4, 4 }, large [] = { 1, 6 };
    fixture_node (self, "a", 4, 0);
    fixture_node (self, "b", 4, 0);
    process_t driver = fixture_driver (self);
    /*  Each bundle would fit, all together do not.                         */
    for (int strategy = GROUP_PACK; strategy <= GROUP_STRICT_SPREAD; strategy++) {
        tid_t group = s_group (self, driver, (group_strategy_t) strategy, three, 3);
        fixture_pass (self, 9 * SECOND, 0);
        assert_int_equal (head_counts (self->head).groups, 1);
        fixture_pass (self, 3 * SECOND, 0);
        assert_int_equal (head_counts (self->head).groups, 0);
        assert_true (s_faulted (self, group, TROUPE_ELIMIT, "a group of 3 bundles"));
    }
    tid_t group = s_group (self, driver, GROUP_SPREAD, large, 2);
    fixture_pass (self, 12 * SECOND, 0);
    assert_true (
        s_faulted (self, group, TROUPE_ELIMIT, "bundle 2 of a group: no node has cpus 6"));
    /*  What a node that comes in time makes possible is not an error.      */
    group = s_group (self, driver, GROUP_SPREAD, three, 3);
    fixture_pass (self, 8 * SECOND, 0);
    fixture_node (self, "c", 4, 0);
    fixture_pass (self, SECOND, 0);
    assert_true (s_placed (self, group));
}

static void
test_what_never_fits_a_bundle (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 2, 1 };
    fixture_node (self, "a", 8, 1);
    process_t driver = fixture_driver (self);
    tid_t group = s_group (self, driver, GROUP_PACK, cpus, 2);
    options_t asked [] = { s_in_bundle (group, BUNDLE_ANY, 3), s_in_bundle (group, 1, 2),
                           s_in_bundle (group, 0, 1), s_in_bundle (group, 7, 1) };
    asked [2].resources [0] = (resource_t){ "gpus", 4, RESOURCE_UNIT };
    for (size_t index = 0; index < 4; index++)
        s_expect_refused (self, driver, &asked [index], 12 * SECOND, TROUPE_ELIMIT, "bundle");
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
}

static void
test_a_node_that_is_not_there (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t b = fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    options_t never = { .placement = PLACE_NODE, .node_name = "x", .node_name_length = 1 };
    options_t left = { .placement = PLACE_NODE, .node = b };
    head_lost (self->head, self->now, b, "gone", NULL);
    fixture_run (self);
    const options_t *const asked [] = { &never, &left };
    for (size_t index = 0; index < 2; index++)
        s_expect_refused (self, driver, asked [index], 12 * SECOND,
                          TROUPE_ELIMIT, "is not in the cluster");
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
}

/*  The named node leaves while tasks wait for it.                          */
static void
test_a_named_node_leaves (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0);
    fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    const options_t there
        = { .placement = PLACE_NODE, .node_name = "a", .node_name_length = 1 };
    options_t holding = fixture_asking ("cpus", 1);
    holding.placement = PLACE_NODE;
    holding.node_name = "a";
    holding.node_name_length = 1;
    fixture_submit_with (self, driver, &there, 0);
    fixture_run (self);
    tid_t task = fixture_submit_with (self, driver, &there, 0);
    tid_t actor = fixture_spawn (self, driver, "", &holding);
    fixture_pass (self, 12 * SECOND, 0);
    assert_int_equal (head_counts (self->head).tasks, 2);
    head_lost (self->head, self->now, a, "gone", NULL);
    fixture_pass (self, 12 * SECOND, 0);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_true (tid_equal (self->faulted, task) || tid_equal (self->faulted, actor));
    assert_non_null (strstr (self->fault, "is not in the cluster"));
}

/*  No node can run the program; what asks for something special is told so
    too, and a group that has its place does not help.                      */
static void
test_a_program_that_runs_nowhere (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 1 };
    static const char why [] = "it is for aarch64, and this machine is x86_64";
    fixture_node (self, "a", 2, 1);
    fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    self->refusal = why;
    tid_t group = s_group (self, driver, GROUP_PACK, cpus, 1);
    fixture_run (self);
    assert_true (s_placed (self, group));
    const options_t gpu = fixture_asking ("gpus", 1), none = { .bundle = BUNDLE_ANY };
    const options_t bundle = s_in_bundle (group, 0, 1), cpu = fixture_asking ("cpus", 0.5);
    const options_t *const asked [] = { NULL, &gpu, &bundle, &cpu, &none };
    for (size_t index = 0; index < 5; index++)
        s_expect_refused (self, driver, asked [index], 3 * SECOND, TROUPE_ESYSTEM, why);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
}

/*  The program runs on one node, but what is asked for is on the other.    */
static void
test_a_program_that_runs_elsewhere (void **state)
{
    fixture_t *self = *state;
    static const double cpus [] = { 3 };
    static const char why [] = "it is for aarch64, and this machine is x86_64";
    fixture_node (self, "a", 4, 1);
    fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    options_t on_b = { .placement = PLACE_NODE, .node_name = "b", .node_name_length = 1 };
    options_t on_a = { .placement = PLACE_NODE, .node_name = "a", .node_name_length = 1 };
    tid_t group = s_group (self, driver, GROUP_PACK, cpus, 1);
    fixture_submit_with (self, driver, &on_b, 0);
    fixture_run (self);
    assert_true (s_placed (self, group));
    assert_int_equal (fixture_running (self, driver), 1);
    self->refusal = why;
    options_t there = fixture_asking ("cpus", 1);
    there.placement = PLACE_NODE;
    there.node_name = "a";
    there.node_name_length = 1;
    const options_t gpu = fixture_asking ("gpus", 1), bundle = s_in_bundle (group, 0, 1);
    const options_t *const asked [] = { &on_a, &gpu, &bundle, &there };
    for (size_t index = 0; index < 4; index++)
        s_expect_refused (self, driver, asked [index], 3 * SECOND, TROUPE_ESYSTEM, why);
    assert_int_equal (head_counts (self->head).tasks, 1);
    assert_int_equal (head_counts (self->head).actors, 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_a_group_gets_its_turn),
        TEST (test_two_groups_do_not_block_each_other),
        TEST (test_a_group_that_needs_all_nodes),
        TEST (test_a_group_of_many),
        TEST (test_the_largest_bundle_first),
        TEST (test_a_kept_node_is_lost),
        TEST (test_where_tasks_end),
        TEST (test_a_large_task_in_a_bundle),
        TEST (test_a_large_task_in_any_bundle),
        TEST (test_a_large_actor_in_a_bundle),
        TEST (test_the_rest_of_a_bundle_is_used),
        TEST (test_a_group_that_never_fits),
        TEST (test_what_never_fits_a_bundle),
        TEST (test_a_node_that_is_not_there),
        TEST (test_a_named_node_leaves),
        TEST (test_a_program_that_runs_nowhere),
        TEST (test_a_program_that_runs_elsewhere),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
