/*  test_head_cancel.c - the head's state machine: what is cancelled, and what
    comes too late for that                                                 */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  A child that was under way when its parent was cancelled.               */
static void
test_submitted_after_the_cancel (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    tid_t root = fixture_submit_with (self, driver, NULL, 0);
    fixture_run (self);
    const given_t given = *fixture_given_to (self, root);
    head_cancel (self->head, root);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_CANCEL, given.worker), 1);
    tid_t child
        = fixture_submit_with (self, given.worker, NULL, task_target (1, given.lease, 0));
    fixture_run (self);
    assert_null (fixture_given_to (self, child));
    assert_true (tid_equal (self->faulted, child));
    assert_int_equal (self->code, TROUPE_ECANCELLED);
    assert_non_null (strstr (self->fault, "was cancelled"));
    assert_int_equal (head_counts (self->head).tasks, 1);
}

/*  One that waits for a place, one that is being made, and one that is up. */
static void
test_an_actor (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    const options_t all = fixture_asking ("cpus", 2);
    tid_t made = fixture_spawn (self, driver, "name", &all);
    fixture_run (self);
    process_t worker = fixture_actor (self, made).worker;
    tid_t waiting = fixture_spawn (self, driver, "", &all);
    tid_t last = fixture_spawn (self, driver, "", &all);
    fixture_run (self);
    head_cancel (self->head, waiting);
    fixture_run (self);
    assert_int_equal (head_counts (self->head).actors, 2);
    assert_int_equal (fixture_logged (self, HEAD_END_ACTOR, 0), 0);
    head_cancel (self->head, made);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_END_ACTOR, worker), 1);
    assert_int_equal (head_counts (self->head).actors, 1);
    worker = fixture_actor (self, last).worker;
    assert_true (worker != 0);
    head_actor_up (self->head, worker, last, 1, 1);
    head_cancel (self->head, last);
    fixture_run (self);
    assert_int_equal (head_counts (self->head).actors, 0);
    assert_int_equal (fixture_used (self, "cpus"), 0);
    /*  What is said of it afterwards is of nobody.                         */
    head_actor_up (self->head, worker, last, 1, 1);
    head_actor_down (self->head, worker, last);
    head_cancel (self->head, last);
    fixture_run (self);
}

/*  A task that is cancelled while it waits to be run once more.            */
static void
test_while_it_is_retried (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t task = fixture_submit_with (self, driver, NULL, 3);
    fixture_run (self);
    const given_t given = *fixture_given_to (self, task);
    self->deaf = true;
    head_lost (self->head, self->now, given.worker, "killed", NULL);
    fixture_check (self);
    assert_int_equal (head_counts (self->head).ready, 1);
    head_cancel (self->head, task);
    fixture_check (self);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (self->faulted.sequence, 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_submitted_after_the_cancel),
        TEST (test_an_actor),
        TEST (test_while_it_is_retried),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
