/*  test_head_nodes.c - the head's state machine: nodes that start workers, fall
    silent, are lost or drained                                             */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  --- workers ----------------------------------------------------------  */

static void
test_workers_on_demand (void **state)
{
    fixture_t *self = *state;
    process_t node = fixture_node (self, "a", 4, 0);
    process_t driver = fixture_driver (self);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_START_WORKERS, 0), 0);
    fixture_submit (self, driver, 3);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 3);
    assert_int_equal (fixture_workers_on (self, node), 3);
    fixture_submit (self, driver, 10);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 4);
    assert_int_equal (fixture_workers_on (self, node), 4);
    assert_int_equal (fixture_used (self, "cpus"), 40000);
    while (fixture_running (self, driver)) {
        for (size_t index = 0; index < self->given_count; index++)
            if (!self->given [index].done)
                fixture_done (self, &self->given [index], CLOCK_MS);
        fixture_run (self);
    }
    assert_int_equal (self->given_count, 13);
    assert_int_equal (fixture_workers_on (self, node), 4);
    assert_int_equal (fixture_used (self, "cpus"), 0);
    fixture_pass (self, 29 * SECOND, 0);
    assert_int_equal (fixture_workers_on (self, node), 4);
    fixture_pass (self, 2 * SECOND, 0);
    assert_int_equal (fixture_workers_on (self, node), 0);
}

static void
test_no_worker_is_asked_for_twice (void **state)
{
    fixture_t *self = *state;
    process_t node = fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    self->deaf = true;
    fixture_submit (self, driver, 5);
    fixture_run (self);
    fixture_submit (self, driver, 5);
    fixture_pass (self, 5 * SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_START_WORKERS, node), 1);
    assert_int_equal (self->log [0].number, 2);
}

static void
test_workers_that_cannot_start (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    fixture_node (self, "b", 2, 0);
    process_t driver = fixture_driver (self);
    self->refusal = "libfoo.so.1 is missing";
    fixture_submit (self, driver, 1);
    tid_t actor = fixture_spawn (self, driver, "", NULL);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
    assert_int_equal (self->code, TROUPE_ESYSTEM);
    assert_non_null (strstr (self->fault, "libfoo.so.1 is missing"));
    (void) actor;
    size_t asked = fixture_logged (self, HEAD_START_WORKERS, 0);
    assert_true (asked >= 2 && asked < 20);
    self->refusal = NULL;
    fixture_pass (self, 40 * SECOND, 0);
    fixture_forget (self);
    fixture_submit (self, driver, 1);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 1);
}

static void
test_one_node_that_cannot_start (void **state)
{
    fixture_t *self = *state;
    process_t bad = fixture_node (self, "bad", 1, 0);
    process_t driver = fixture_driver (self);
    self->deaf = true;
    fixture_submit (self, driver, 1);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_START_WORKERS, bad), 1);
    process_t good = fixture_node (self, "good", 1, 0);
    head_worker_failed (self->head, self->now, bad, head_job_of (self->head, driver),
                        "program is for aarch64");
    self->deaf = false;
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 1);
    assert_int_equal (fixture_workers_on (self, good), 1);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
}

static void
test_a_node_is_lost (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t once = fixture_submit_with (self, driver, NULL, task_target (0, 0, 0));
    fixture_run (self);
    process_t b = fixture_node (self, "b", 1, 0);
    tid_t again = fixture_submit_with (self, driver, NULL, task_target (0, 0, 1));
    fixture_run (self);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, once)->worker), a);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, again)->worker), b);
    head_lost (self->head, self->now, b, "connection reset", NULL);
    fixture_perform (self);
    fixture_done (self, fixture_given_to (self, once), CLOCK_MS);
    fixture_run (self);
    assert_int_equal (fixture_node_of (self, fixture_given_to (self, again)->worker), a);
    fixture_node (self, "b", 1, 0);
    head_lost (self->head, self->now, a, "connection reset", NULL);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_ELOST);
    assert_non_null (strstr (self->fault, "its node a: connection reset"));
    assert_int_equal (head_counts (self->head).nodes, 1);
}

static void
test_a_silent_node (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 4, 0);
    process_t driver = fixture_driver (self);
    head_set_liveness (self->head, 2 * SECOND, 5 * SECOND);
    fixture_submit (self, driver, 1);
    fixture_run (self);
    fixture_done (self, &self->given [0], CLOCK_MS);
    fixture_pass (self, 3 * SECOND, a);
    fixture_submit (self, driver, 2);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 0);
    head_heard (self->head, self->now, a);
    fixture_run (self);
    assert_int_equal (fixture_running (self, driver), 2);
    fixture_pass (self, 6 * SECOND, a);
    assert_int_equal (fixture_logged (self, HEAD_DROP, a), 1);
    assert_int_equal (head_counts (self->head).nodes, 0);
    assert_int_equal (head_counts (self->head).workers, 0);
}

/*  Long before it would be missed for its silence; but not if it is heard. */
static void
test_a_closed_connection (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 4, 0), b = fixture_node (self, "b", 4, 0);
    head_set_liveness (self->head, 2 * SECOND, 60 * SECOND);
    head_closed (self->head, self->now, a);
    head_closed (self->head, self->now, b);
    fixture_pass (self, SECOND, a);
    assert_int_equal (fixture_logged (self, HEAD_DROP, 0), 0);
    fixture_pass (self, 2 * SECOND, a);
    assert_int_equal (fixture_logged (self, HEAD_DROP, a), 1);
    assert_int_equal (fixture_logged (self, HEAD_DROP, b), 0);
    assert_int_equal (head_counts (self->head).nodes, 1);
}

static void
test_drain (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    fixture_submit (self, driver, 1);
    fixture_run (self);
    head_drain (self->head, a);
    fixture_pass (self, SECOND, 0);
    fixture_submit (self, driver, 1);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_running (self, driver), 1);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 0);
    fixture_done (self, &self->given [0], CLOCK_MS);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_running (self, driver), 0);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_workers_on_demand),
        TEST (test_no_worker_is_asked_for_twice),
        TEST (test_workers_that_cannot_start),
        TEST (test_one_node_that_cannot_start),
        TEST (test_a_node_is_lost),
        TEST (test_a_silent_node),
        TEST (test_a_closed_connection),
        TEST (test_drain),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
