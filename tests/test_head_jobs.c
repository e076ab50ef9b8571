/*  test_head_jobs.c - the head's state machine: jobs, their programs, workers and
    shares                                                                  */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  --- programs and jobs ------------------------------------------------  */

static void
test_programs_keep_apart (void **state)
{
    fixture_t *self = *state;
    process_t node = fixture_node (self, "a", 4, 0);
    process_t one = fixture_driver_with (self, 1, "", 0),
              two = fixture_driver_with (self, 2, "", 0);
    assert_true (fixture_function (self, head_program_of (self->head, one))
                 != fixture_function (self, head_program_of (self->head, two)));
    fixture_submit (self, one, 1);
    fixture_run (self);
    fixture_submit (self, two, 1);
    fixture_run (self);
    assert_int_equal (fixture_workers_on (self, node), 2);
    assert_true (self->given [0].worker != self->given [1].worker);
    record_t record = { .type = RECORD_TASK,
                        .number = fixture_function (self, head_program_of (self->head, two)),
                        .id = { one, 900 },
                        .body = (const uint8_t *) "",
                        .body_size = 0 };
    head_submit (self->head, self->now, &record);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_ENAME);
}

static void
test_warm_workers_serve_the_next_job (void **state)
{
    fixture_t *self = *state;
    process_t node = fixture_node (self, "a", 1, 0);
    process_t first = fixture_driver (self);
    uint32_t job = head_job_of (self->head, first);
    fixture_submit (self, first, 1);
    fixture_run (self);
    fixture_done (self, &self->given [0], CLOCK_MS);
    fixture_run (self);
    head_lost (self->head, self->now, first, "end", NULL);
    fixture_run (self);
    assert_int_equal (fixture_workers_on (self, node), 1);
    assert_int_equal (fixture_logged (self, HEAD_JOB_ENDED, 0), 1);
    fixture_forget (self);
    process_t second = fixture_driver (self);
    assert_true (head_job_of (self->head, second) != job);
    fixture_submit (self, second, 1);
    fixture_run (self);
    assert_int_equal (fixture_running (self, second), 1);
    assert_int_equal (fixture_logged (self, HEAD_START_WORKERS, 0), 0);
    assert_int_equal (fixture_logged (self, HEAD_ASSIGN, self->given [0].worker), 1);
}

/*  The worker gives back the last of what it was given.                    */
static void
s_give_back (fixture_t *self, process_t worker, size_t wanted)
{
    uint8_t leases [4 * 64];
    size_t left = wanted;
    assert_true (wanted <= 64);
    for (size_t index = self->given_count; index-- && left;) {
        given_t *given = &self->given [index];
        if (given->worker != worker || given->done)
            continue;
        store_u32 (leases + 4 * --left, given->lease);
        given->done = true;
    }
    assert_int_equal (left, 0);
    head_returned (self->head, self->now, worker, leases, wanted);
    fixture_check (self);
}

/*  What is called back comes, for so long.                                 */
static void
s_recall (fixture_t *self, int64_t time)
{
    for (int64_t end = self->now + time; self->now < end;) {
        self->now = head_due (self->head, self->now);
        fixture_run (self);
        size_t count = self->log_count;
        for (size_t index = 0; index < count; index++)
            if (self->log [index].type == HEAD_RECALL)
                s_give_back (self, self->log [index].peer, self->log [index].number);
        self->log_count = 0;
        fixture_run (self);
    }
}

/*  What a worker was given and has not done.                               */
static size_t
s_given_count (fixture_t *self, process_t worker)
{
    size_t count = 0;
    for (size_t index = 0; index < self->given_count; index++)
        count += !self->given [index].done && self->given [index].worker == worker;
    return count;
}

/*  Two workers of a job hold tasks of a function that was short so far, and
    run none of them to its end.                                            */
static process_t
s_stuck_driver (fixture_t *self, process_t stuck [2])
{
    process_t driver = fixture_driver (self);
    for (size_t round = 0; round < 2; round++) {
        fixture_submit (self, driver, 2);
        fixture_run (self);
        for (size_t index = 0; index < 2; index++) {
            given_t *given = &self->given [self->given_count - 2 + index];
            stuck [index] = given->worker;
            fixture_done (self, given, 100 * CLOCK_US);
        }
    }
    fixture_submit (self, driver, 6);
    fixture_run (self);
    assert_int_equal (s_given_count (self, stuck [0]), 3);
    assert_int_equal (s_given_count (self, stuck [1]), 3);
    fixture_forget (self);
    return driver;
}

/*  No worker of the job is idle, but two are warm, and two cpus more free.  */
static void
test_the_stuck_get_more_workers (void **state)
{
    fixture_t *self = *state;
    process_t stuck [2], node = fixture_node (self, "a", 6, 0);
    process_t first = fixture_driver (self);
    fixture_submit (self, first, 4);
    fixture_run (self);
    while (fixture_running (self, first))
        fixture_done (self, &self->given [fixture_running (self, first) - 1], 100 * CLOCK_US);
    head_lost (self->head, self->now, first, "end", NULL);
    fixture_run (self);
    process_t driver = s_stuck_driver (self, stuck);
    assert_int_equal (fixture_logged (self, HEAD_START_WORKERS, 0), 0);
    s_recall (self, 200 * CLOCK_MS);
    assert_int_equal (fixture_workers_on (self, node), 6);
    for (size_t index = 0; index < self->given_count; index++)
        if (!self->given [index].done)
            assert_int_equal (s_given_count (self, self->given [index].worker), 1);
    assert_int_equal (fixture_running (self, driver), 6);
}

/*  An idle worker whose node has no cpu for it does not hide one that can run
    at once what stands behind the stuck.                                   */
static void
test_the_stuck_see_all_that_are_idle (void **state)
{
    fixture_t *self = *state;
    const char *const names [] = { "a", "b", "c" };
    for (size_t index = 0; index < 3; index++)
        fixture_node (self, names [index], 1, 0);
    process_t driver = fixture_driver (self), other = fixture_driver_with (self, 2, "", 0);
    fixture_submit (self, driver, 3);
    fixture_run (self);
    for (size_t index = 0; index < 3; index++)
        fixture_done (self, &self->given [index], 100 * CLOCK_US);
    fixture_submit (self, driver, 6);
    fixture_run (self);
    process_t stuck = self->given [0].worker, first = self->given [1].worker;
    for (size_t round = 0; round < 2; round++)
        for (size_t index = 3; index < self->given_count; index++)
            if (self->given [index].worker != stuck && !self->given [index].done
                && (self->given [index].worker == first) == (round == 0))
                fixture_done (self, &self->given [index], 100 * CLOCK_US);
    options_t options = fixture_asking ("cpus", 1);
    options.placement = PLACE_NODE;
    options.node = fixture_node_of (self, first);
    fixture_submit_with (self, other, &options, 0);
    fixture_run (self);
    assert_int_equal (fixture_running (self, other), 1);
    fixture_forget (self);
    self->now += 3 * CLOCK_MS;
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_RECALL, stuck), 1);
}

/*  They keep what nobody else could run. When somebody can, they get nothing
    more before they go on.                                                 */
static void
test_the_stuck_get_nothing_more (void **state)
{
    fixture_t *self = *state;
    process_t stuck [2];
    fixture_node (self, "a", 2, 0);
    process_t driver = s_stuck_driver (self, stuck);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_RECALL, 0), 0);
    fixture_node (self, "b", 1, 0);
    s_recall (self, 200 * CLOCK_MS);
    fixture_submit (self, driver, 1);
    s_recall (self, 200 * CLOCK_MS);
    assert_int_equal (s_given_count (self, stuck [0]), 1);
    assert_int_equal (s_given_count (self, stuck [1]), 1);
    assert_int_equal (fixture_running (self, driver) + head_counts (self->head).ready, 7);
    for (size_t index = 0; index < self->given_count; index++)
        if (!self->given [index].done && self->given [index].worker == stuck [1])
            fixture_done (self, &self->given [index], CLOCK_MS);
    s_recall (self, 200 * CLOCK_MS);
    assert_int_equal (s_given_count (self, stuck [0]), 1);
    assert_true (s_given_count (self, stuck [1]) >= 1);
}

/*  A worker that is overloaded by what goes on after a wait, and not by what
    was sent ahead, is asked once.                                          */
static void
test_what_has_begun_is_not_called_back (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 3, 0);
    process_t driver = fixture_driver (self);
    fixture_submit (self, driver, 2);
    fixture_run (self);
    process_t worker = self->given [0].worker;
    head_slots (self->head, worker, 1);
    fixture_submit (self, driver, 1);
    fixture_run (self);
    assert_int_equal (s_given_count (self, worker), 2);
    head_slots (self->head, worker, 0);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_RECALL, worker), 1);
    head_returned (self->head, self->now, worker, NULL, 0);
    fixture_pass (self, 2 * SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_RECALL, worker), 1);
}

static void
test_a_job_ends_with_its_driver (void **state)
{
    fixture_t *self = *state;
    process_t node = fixture_node (self, "a", 4, 0);
    process_t driver = fixture_driver (self);
    options_t stays = { .flags = OPTIONS_DETACHED, .bundle = BUNDLE_ANY };
    fixture_submit (self, driver, 2);
    fixture_run (self);
    process_t worker = self->given [0].worker;
    tid_t child
        = fixture_submit_with (self, worker, NULL, task_target (1, self->given [0].lease, 0));
    fixture_run (self);
    assert_non_null (fixture_given_to (self, child));
    tid_t actor = fixture_spawn (self, driver, "kept", &stays);
    tid_t mortal = fixture_spawn (self, worker, "mortal", NULL);
    fixture_run (self);
    process_t home = fixture_actor (self, actor).worker;
    assert_true (home != 0);
    head_actor_up (self->head, home, actor, 7, 1);
    head_lost (self->head, self->now, driver, "killed", NULL);
    fixture_run (self);
    /*  The worker that goes on with the actor was told to end its task.    */
    assert_true (head_counts (self->head).tasks <= 1);
    for (size_t index = 0; index < self->given_count; index++)
        fixture_done (self, &self->given [index], CLOCK_MS);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (fixture_actor (self, mortal).job, 0);
    assert_int_equal (fixture_actor (self, actor).worker, home);
    assert_int_equal (fixture_logged (self, HEAD_JOB_ENDED, 0), 0);
    process_t other = fixture_driver (self);
    head_find (self->head, other, (tid_t){ other, 5 }, NULL, "kept", 4);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_FOUND, other), 1);
    head_actor_down (self->head, home, actor);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_JOB_ENDED, 0), 1);
    fixture_pass (self, 40 * SECOND, 0);
    assert_int_equal (fixture_workers_on (self, node), 0);
}

static void
test_namespaces (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 0);
    process_t one = fixture_driver_with (self, 1, "one", 0),
              two = fixture_driver_with (self, 1, "two", 0);
    options_t any = { .flags = OPTIONS_GET_OR_CREATE, .bundle = BUNDLE_ANY };
    tid_t first = fixture_spawn (self, one, "index", NULL);
    tid_t second = fixture_spawn (self, two, "index", NULL);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
    assert_string_equal (fixture_actor (self, second).space, "two");
    fixture_spawn (self, one, "index", NULL);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_EEXISTS);
    fixture_forget (self);
    fixture_spawn (self, one, "index", &any);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_FOUND, one), 0);
    head_actor_up (self->head, fixture_actor (self, first).worker, first, 3, 1);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_FOUND, one), 1);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
    head_find (self->head, two, (tid_t){ two, 800 }, "one", "index", 5);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_FOUND, two), 1);
}

/*  --- fairness ---------------------------------------------------------  */

/*  Completes what runs for some rounds and counts what each driver got.    */
static void
s_rounds (fixture_t *self, int rounds, process_t one, size_t *first, process_t two,
          size_t *second)
{
    *first = *second = 0;
    while (rounds--) {
        size_t count = self->given_count;
        for (size_t index = 0; index < count; index++) {
            given_t *given = &self->given [index];
            if (given->done)
                continue;
            *first += given->id.owner == one;
            *second += given->id.owner == two;
            fixture_done (self, given, 30 * CLOCK_MS);
        }
        self->given_count = 0;
        self->log_count = 0;
        fixture_run (self);
    }
}

static void
test_a_flood_starves_nobody (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 4, 0);
    process_t flood = fixture_driver_with (self, 1, "", 0),
              other = fixture_driver_with (self, 2, "", 0);
    fixture_submit (self, flood, 2000);
    fixture_run (self);
    assert_int_equal (fixture_running (self, flood), 4);
    fixture_submit (self, other, 200);
    fixture_run (self);
    size_t of_flood, of_other;
    s_rounds (self, 3, flood, &of_flood, other, &of_other);
    assert_true (of_other >= 2);
    s_rounds (self, 20, flood, &of_flood, other, &of_other);
    assert_true (of_other >= 35 && of_other <= 45);
    assert_true (of_flood >= 35 && of_flood <= 45);
}

/*  Five cpus for each of the other's, on however many nodes, and whoever came
    first.                                                                  */
static void
test_shares (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    fixture_node (self, "b", 2, 0);
    fixture_node (self, "c", 2, 0);
    process_t one = fixture_driver_of (self, 1, "", 0, 1),
              five = fixture_driver_of (self, 1, "", 0, 5);
    fixture_submit (self, one, 1000);
    fixture_run (self);
    assert_int_equal (fixture_running (self, one), 6);
    fixture_submit (self, five, 1000);
    fixture_run (self);
    size_t of_one, of_five;
    s_rounds (self, 10, one, &of_one, five, &of_five);
    s_rounds (self, 40, one, &of_one, five, &of_five);
    assert_int_equal (of_one, 40);
    assert_int_equal (of_five, 200);
}

static void
test_priorities (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t low = fixture_driver_with (self, 1, "", 0),
              high = fixture_driver_with (self, 2, "", 5);
    fixture_submit (self, low, 500);
    fixture_run (self);
    fixture_submit (self, high, 20);
    fixture_run (self);
    size_t of_low, of_high;
    s_rounds (self, 3, low, &of_low, high, &of_high);
    s_rounds (self, 5, low, &of_low, high, &of_high);
    assert_int_equal (of_high, 10);
    assert_int_equal (of_low, 0);
}

static void
test_limits_of_a_job (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 1, 0);
    process_t driver = fixture_driver (self);
    head_configure (self->head, &(head_settings_t){ .job_tasks = 3 });
    fixture_submit (self, driver, 4);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "3 tasks"));
    assert_int_equal (fixture_logged (self, HEAD_FAULT, driver), 1);
    head_configure (self->head, &(head_settings_t){ .job_bytes = 100 });
    fixture_forget (self);
    fixture_submit (self, driver, 1);
    fixture_run (self);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "100 bytes"));
}

/*  --- cancelling -------------------------------------------------------  */

static void
test_cancel_reaches_the_children (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t driver = fixture_driver (self);
    tid_t root = fixture_submit_with (self, driver, NULL, 0);
    fixture_run (self);
    given_t *given = fixture_given_to (self, root);
    process_t worker = given->worker;
    tid_t child = fixture_submit_with (self, worker, NULL, task_target (1, given->lease, 0));
    fixture_run (self);
    given_t *below = fixture_given_to (self, child);
    tid_t queued
        = fixture_submit_with (self, below->worker, NULL, task_target (2, below->lease, 0));
    tid_t other = fixture_submit_with (self, worker, NULL, task_target (1, 12345, 0));
    fixture_run (self);
    fixture_forget (self);
    head_cancel (self->head, root);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_CANCEL, 0), 2);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 2);
    assert_int_equal (self->code, TROUPE_ECANCELLED);
    assert_false (head_knows (self->head, queued));
    assert_true (head_knows (self->head, other));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_programs_keep_apart),
        TEST (test_warm_workers_serve_the_next_job),
        TEST (test_the_stuck_get_more_workers),
        TEST (test_the_stuck_get_nothing_more),
        TEST (test_the_stuck_see_all_that_are_idle),
        TEST (test_what_has_begun_is_not_called_back),
        TEST (test_a_job_ends_with_its_driver),
        TEST (test_namespaces),
        TEST (test_a_flood_starves_nobody),
        TEST (test_shares),
        TEST (test_priorities),
        TEST (test_limits_of_a_job),
        TEST (test_cancel_reaches_the_children),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
