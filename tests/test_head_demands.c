/*  test_head_demands.c - the head's state machine: what tasks and actors ask
    for, where they are placed, and groups                                  */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  --- demands ----------------------------------------------------------  */

static void
test_demands_are_held (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 0);
    process_t gpus = fixture_node (self, "b", 4, 2);
    process_t driver = fixture_driver (self);
    options_t one = fixture_asking ("gpus", 1), half = fixture_asking ("gpus", 0.5);
    tid_t ids [4];
    for (size_t index = 0; index < 3; index++)
        ids [index] = fixture_submit_with (self, driver, &one, 0);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 2);
    assert_int_equal (fixture_used (self, "gpus"), 20000);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, ids [0])->worker), gpus);
    /*  What fits overtakes what does not.                                  */
    fixture_submit (self, driver, 1);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 3);
    fixture_done (self, fixture_given_to (self, ids [0]), CLOCK_MS);
    ids [3] = fixture_submit_with (self, driver, &half, 0);
    fixture_run (self);
    assert_non_null (fixture_given_to (self, ids [2]));
    assert_null (fixture_given_to (self, ids [3]));
    fixture_done (self, fixture_given_to (self, ids [1]), CLOCK_MS);
    fixture_run (self);
    assert_non_null (fixture_given_to (self, ids [3]));
    assert_int_equal (fixture_used (self, "gpus"), 15000);
    fixture_done (self, fixture_given_to (self, ids [2]), CLOCK_MS);
    fixture_done (self, fixture_given_to (self, ids [3]), CLOCK_MS);
    assert_int_equal (fixture_used (self, "gpus"), 0);
}

static void
test_a_waiting_task_lends_its_cpus (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    options_t both = fixture_asking ("cpus", 2);
    tid_t outer = fixture_submit_with (self, driver, &both, 0);
    fixture_run (self);
    given_t *given = fixture_given_to (self, outer);
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    tid_t inner [2];
    for (size_t index = 0; index < 2; index++)
        inner [index]
            = fixture_submit_with (self, given->worker, NULL, task_target (1, given->lease, 0));
    fixture_run (self);
    assert_null (fixture_given_to (self, inner [0]));
    head_slots (self->head, given->worker, 1);
    fixture_run (self);
    assert_non_null (fixture_given_to (self, inner [0]));
    assert_non_null (fixture_given_to (self, inner [1]));
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    /*  It goes on before its children are done: there is a debt.           */
    head_slots (self->head, given->worker, 0);
    fixture_check (self);
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    fixture_done (self, fixture_given_to (self, inner [0]), CLOCK_MS);
    fixture_done (self, fixture_given_to (self, inner [1]), CLOCK_MS);
    fixture_run (self);
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    fixture_done (self, fixture_given_to (self, outer), CLOCK_MS);
    fixture_run (self);
    assert_int_equal (fixture_used (self, "cpus"), 0);
}

static void
test_what_never_fits_fails (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 1);
    process_t driver = fixture_driver (self);
    options_t four = fixture_asking ("gpus", 4), strange = fixture_asking ("fpga", 1);
    fixture_submit_with (self, driver, &four, 0);
    fixture_pass (self, 9 * SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
    fixture_pass (self, 2 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_string_equal (self->fault, "work: no node has gpus 4: the most is gpus 1 (node a)");
    fixture_submit_with (self, driver, &strange, 0);
    fixture_pass (self, 5 * SECOND, 0);
    process_t late = head_join (self->head, self->now, ROLE_NODE, 0, "late");
    resource_t has [] = { { "fpga", 4, 10000 }, { "cpus", 4, 10000 } };
    assert_int_equal (head_node_join (self->head, self->now, late, "late", has, 2), 0);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 1);
}

static void
test_no_node_at_all (void **state)
{
    fixture_t *self = *state;
    process_t driver = fixture_driver (self);
    fixture_submit (self, driver, 1);
    fixture_pass (self, 12 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_string_equal (self->fault, "work: no node has cpus 1: the most is cpus 0");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_actors_hold_what_they_ask_for (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 2);
    process_t driver = fixture_driver (self);
    options_t two = fixture_asking ("gpus", 2);
    tid_t first = fixture_spawn (self, driver, "", &two),
          second = fixture_spawn (self, driver, "", &two);
    fixture_run (self);
    assert_int_equal (fixture_used (self, "gpus"), 20000);
    assert_true (fixture_actor (self, first).worker != 0);
    assert_true (fixture_actor (self, second).worker == 0);
    head_actor_down (self->head, fixture_actor (self, first).worker, first);
    fixture_run (self);
    assert_true (fixture_actor (self, second).worker != 0);
    head_lost (self->head, self->now, fixture_actor (self, second).worker, "crash", NULL);
    fixture_run (self);
    assert_int_equal (fixture_used (self, "gpus"), 0);
    assert_int_equal (self->code, TROUPE_ELOST);
}

static void
test_actors_spread_over_workers (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 2, 0), b = fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    for (int count = 0; count < 8; count++)
        fixture_spawn (self, driver, "", NULL);
    fixture_run (self);
    assert_int_equal (fixture_workers_on (self, a), 2);
    assert_int_equal (fixture_workers_on (self, b), 2);
    size_t cursor = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        assert_int_equal (report.actors, 2);
}

/*  --- placement --------------------------------------------------------  */

static void
test_pack_then_spread (void **state)
{
    fixture_t *self = *state;
    process_t nodes [3] = { fixture_node (self, "a", 8, 0), fixture_node (self, "b", 8, 0),
                            fixture_node (self, "c", 8, 0) };
    process_t driver = fixture_driver (self);
    options_t two = fixture_asking ("cpus", 2);
    for (int count = 0; count < 6; count++) {
        fixture_submit_with (self, driver, &two, 0);
        fixture_run (self);
    }
    for (int index = 0; index < 3; index++)
        assert_int_equal (fixture_workers_on (self, nodes [index]), 2);
    options_t one = fixture_asking ("cpus", 0.5);
    one.placement = PLACE_SPREAD;
    for (int count = 0; count < 3; count++) {
        fixture_submit_with (self, driver, &one, 0);
        fixture_run (self);
    }
    for (int index = 0; index < 3; index++)
        assert_int_equal (fixture_workers_on (self, nodes [index]), 3);
}

static void
test_a_node_by_name (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 1, 0);
    process_t b = fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    options_t hard = { .placement = PLACE_NODE, .node_name = "b", .node_name_length = 1 };
    options_t soft = { .placement = PLACE_NODE_SOFT, .node = b };
    tid_t first = fixture_submit_with (self, driver, &hard, 0);
    tid_t second = fixture_submit_with (self, driver, &hard, 0);
    fixture_run (self);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, first)->worker), b);
    assert_null (fixture_given_to (self, second));
    tid_t third = fixture_submit_with (self, driver, &soft, 0);
    fixture_run (self);
    assert_true (fixture_node_of (self, fixture_given_to (self, third)->worker) != b);
    fixture_done (self, fixture_given_to (self, first), CLOCK_MS);
    fixture_run (self);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, second)->worker), b);
    hard.node_name = "z";
    fixture_submit_with (self, driver, &hard, 0);
    fixture_pass (self, 12 * SECOND, 0);
    assert_string_equal (self->fault, "work: node z is not in the cluster");
}

static void
test_a_name_is_taken (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 1, 0);
    process_t other = head_join (self->head, self->now, ROLE_NODE, 0, "a");
    assert_int_equal (head_node_join (self->head, self->now, other, "a", NULL, 0), -1);
    assert_int_equal (head_node_join (self->head, self->now, other, "b", NULL, 0), 0);
    assert_int_equal (head_node_join (self->head, self->now, other, "c", NULL, 0), -1);
}

/*  --- large demands among small ones -----------------------------------  */

/*  Half of the node's tasks end in turn, each half second; the rest goes on.
    Returns how many steps it took until the driver had a task, or -1.      */
static int
s_until_given (fixture_t *self, process_t flood, process_t driver, int steps, bool all)
{
    for (int step = 0; step < steps; step++) {
        size_t ended = 0;
        for (size_t index = 0; index < self->given_count && ended < 2; index++)
            if (!self->given [index].done && self->given [index].id.owner == flood
                && (all || index)) {
                fixture_done (self, &self->given [index], 30 * CLOCK_MS);
                ended++;
            }
        fixture_pass (self, SECOND / 2, 0);
        if (fixture_running (self, driver))
            return step;
    }
    return -1;
}

static void
test_large_demands_get_their_turn (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0),
              other = fixture_driver_with (self, 2, "", 0);
    const options_t large = fixture_asking ("cpus", 4);
    fixture_submit (self, flood, 1000);
    fixture_run (self);
    fixture_submit_with (self, other, &large, 0);
    fixture_submit_with (self, other, &large, 0);
    for (int turn = 0; turn < 2; turn++) {
        int steps = s_until_given (self, flood, other, 20, true);
        assert_in_range (steps, turn ? 0 : 3, 8);
        assert_int_equal (fixture_running (self, other), 1);
        assert_int_equal (fixture_running (self, flood), 0);
        for (size_t index = 0; index < self->given_count; index++)
            if (self->given [index].id.owner == other && !self->given [index].done)
                fixture_done (self, &self->given [index], CLOCK_MS);
        fixture_run (self);
    }
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_running (self, flood), 4);
}

/*  A higher priority is not held up; what never ends is not waited for so long
    that the others get nothing.                                            */
static void
test_a_kept_node_is_opened_again (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0),
              other = fixture_driver_with (self, 2, "", 0);
    process_t urgent = fixture_driver_with (self, 3, "", 5);
    const options_t large = fixture_asking ("cpus", 4);
    fixture_submit (self, flood, 1000);
    fixture_run (self);
    fixture_submit_with (self, other, &large, 0);
    /*  The first task of the flood never ends.                             */
    assert_int_equal (s_until_given (self, flood, other, 10, false), -1);
    assert_int_equal (fixture_running (self, flood), 1);
    fixture_submit (self, urgent, 3);
    fixture_pass (self, SECOND / 2, 0);
    assert_int_equal (fixture_running (self, urgent), 3);
    for (size_t index = 0; index < self->given_count; index++)
        if (self->given [index].id.owner == urgent)
            fixture_done (self, &self->given [index], CLOCK_MS);
    fixture_pass (self, SECOND / 2, 0);
    assert_int_equal (fixture_running (self, flood), 1);
    fixture_pass (self, 10 * SECOND, 0);
    assert_int_equal (fixture_running (self, flood), 4);
    assert_int_equal (s_until_given (self, flood, other, 60, false), -1);
    /*  When it does end, the turn comes.                                   */
    assert_true (s_until_given (self, flood, other, 100, true) >= 0);
}

static void
test_a_large_actor_gets_its_turn (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 2, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0),
              other = fixture_driver_with (self, 2, "", 0);
    const options_t large = fixture_asking ("cpus", 2);
    fixture_submit (self, flood, 1000);
    fixture_run (self);
    fixture_spawn (self, other, "", &large);
    for (int step = 0; step < 20 && !fixture_logged (self, HEAD_SPAWN, 0); step++) {
        for (size_t index = 0; index < self->given_count; index++)
            if (!self->given [index].done) {
                fixture_done (self, &self->given [index], 30 * CLOCK_MS);
                break;
            }
        fixture_pass (self, SECOND / 2, 0);
    }
    assert_int_equal (fixture_logged (self, HEAD_SPAWN, 0), 1);
    assert_int_equal (fixture_running (self, flood), 0);
    head_lost (self->head, self->now, a, "gone", NULL);
    fixture_run (self);
}

/*  --- groups -----------------------------------------------------------  */

static tid_t
s_group (fixture_t *self, process_t owner, group_strategy_t strategy, double cpus, size_t count)
{
    options_t bundles [16];
    for (size_t index = 0; index < count; index++)
        bundles [index] = fixture_asking ("cpus", cpus);
    tid_t id = { owner, ++self->sequence };
    head_group (self->head, self->now, id, strategy, bundles, count);
    fixture_check (self);
    return id;
}

static void
test_groups_are_reserved_whole (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    tid_t spread = s_group (self, driver, GROUP_STRICT_SPREAD, 1, 2);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_PLACED, driver), 1);
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    tid_t pack = s_group (self, driver, GROUP_STRICT_PACK, 1, 2);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_PLACED, driver), 1);
    assert_int_equal (fixture_used (self, "cpus"), 20000);
    head_group_end (self->head, spread);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_PLACED, driver), 2);
    head_group_end (self->head, pack);
    fixture_run (self);
    assert_int_equal (fixture_used (self, "cpus"), 0);
    s_group (self, driver, GROUP_STRICT_SPREAD, 1, 3);
    fixture_pass (self, 12 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "strict_spread"));
    assert_int_equal (head_counts (self->head).groups, 0);
}

static void
test_tasks_in_a_bundle (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t b = fixture_node (self, "b", 4, 0);
    process_t driver = fixture_driver (self);
    tid_t group = s_group (self, driver, GROUP_STRICT_PACK, 2, 2);
    fixture_run (self);
    options_t options = { .placement = PLACE_GROUP, .group = group, .bundle = 1 };
    tid_t ids [4];
    for (size_t index = 0; index < 3; index++)
        ids [index] = fixture_submit_with (self, driver, &options, 0);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 2);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, ids [0])->worker), b);
    assert_int_equal (fixture_used (self, "cpus"), 40000);
    options.bundle = BUNDLE_ANY;
    tid_t actor = fixture_spawn (self, driver, "", &options);
    ids [3] = fixture_submit_with (self, driver, &options, 0);
    fixture_run (self);
    assert_non_null (fixture_given_to (self, ids [3]));
    assert_int_equal (fixture_actor (self, actor).node, b);
    head_group_end (self->head, group);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_EENDED);
    assert_int_equal (fixture_actor (self, actor).job, 0);
    assert_int_equal (fixture_used (self, "cpus"), 30000);
    fixture_done (self, fixture_given_to (self, ids [0]), CLOCK_MS);
    fixture_done (self, fixture_given_to (self, ids [1]), CLOCK_MS);
    fixture_done (self, fixture_given_to (self, ids [3]), CLOCK_MS);
    assert_int_equal (fixture_used (self, "cpus"), 0);
}

static void
test_a_bundle_moves_from_a_lost_node (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0);
    fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t group = s_group (self, driver, GROUP_STRICT_SPREAD, 1, 2);
    fixture_run (self);
    head_lost (self->head, self->now, a, "gone", NULL);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_PLACED, driver), 1);
    process_t c = fixture_node (self, "c", 1, 0);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_PLACED, driver), 2);
    options_t options = { .placement = PLACE_GROUP, .group = group, .bundle = 0 };
    tid_t id = fixture_submit_with (self, driver, &options, 0);
    fixture_run (self);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, id)->worker), c);
    head_lost (self->head, self->now, driver, "end", NULL);
    fixture_run (self);
    assert_int_equal (head_counts (self->head).groups, 0);
    assert_int_equal (fixture_used (self, "cpus"), 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_demands_are_held),
        TEST (test_a_waiting_task_lends_its_cpus),
        TEST (test_what_never_fits_fails),
        TEST (test_no_node_at_all),
        TEST (test_actors_hold_what_they_ask_for),
        TEST (test_actors_spread_over_workers),
        TEST (test_pack_then_spread),
        TEST (test_a_node_by_name),
        TEST (test_a_name_is_taken),
        TEST (test_large_demands_get_their_turn),
        TEST (test_a_kept_node_is_opened_again),
        TEST (test_a_large_actor_gets_its_turn),
        TEST (test_groups_are_reserved_whole),
        TEST (test_tasks_in_a_bundle),
        TEST (test_a_bundle_moves_from_a_lost_node),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
