/*  test_head_ending.c - the head's state machine: how a cluster ends: what goes
    on, what fails and who is told, for each place where something may wait  */

#include "tests/head_cluster_fixture.h"

#include <string.h>

/*  A task that waits for a value.                                          */
static tid_t
s_submit_behind (fixture_t *self, process_t owner, tid_t needed)
{
    bytes_t frame = { 0 };
    static const uint8_t nothing = 0x90;
    record_t record = { .type = RECORD_TASK,
                        .number = fixture_function (self, head_program_of (self->head, owner)),
                        .id = { owner, ++self->sequence } };
    tid_t id = record.id;
    size_t offset = record_begin (&frame, &record);
    bytes_append (&frame, &nothing, 1);
    record_end_body (&frame, offset);
    assert_int_equal (record_attach (&frame, offset, needed, NULL, 0, true), 0);
    assert_int_equal (record_end (&frame, offset), 0);
    frame_reader_t reader;
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    head_submit (self->head, self->now, &record);
    bytes_release (&frame);
    fixture_check (self);
    return id;
}

static tid_t
s_submit (fixture_t *self, process_t owner)
{
    return fixture_submit_with (self, owner, NULL, 0);
}

static tid_t
s_group (fixture_t *self, process_t owner, double cpus)
{
    options_t bundle = fixture_asking ("cpus", cpus);
    tid_t id = { owner, ++self->sequence };
    head_group (self->head, self->now, id, GROUP_PACK, &bundle, 1);
    fixture_check (self);
    return id;
}

static given_t *
s_given (fixture_t *self, tid_t id)
{
    given_t *given = fixture_given_to (self, id);
    assert_non_null (given);
    return given;
}

static void
s_done (fixture_t *self, tid_t id)
{
    fixture_done (self, s_given (self, id), CLOCK_MS);
}

static void
s_expect_code (const fixture_t *self, tid_t id, troupe_error_t code)
{
    const head_action_t *fault = fixture_last (self, HEAD_FAULT, id);
    assert_non_null (fault);
    assert_int_equal (fault->code, code);
}

/*  They failed as the cluster ends, which the last of all faults says.     */
static void
s_expect_stopped (const fixture_t *self, const tid_t *ids, size_t count)
{
    for (size_t index = 0; index < count; index++)
        s_expect_code (self, ids [index], TROUPE_ESTOPPED);
    assert_non_null (strstr (self->fault, "the cluster is being stopped"));
}

/*  Whatever waits, for whatever: it fails in the same turn. What runs goes on,
    with what it submits, and only then the cluster has ended.              */
static void
test_what_waits_fails (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 2, 0), driver = fixture_driver (self);
    options_t one = fixture_asking ("cpus", 1), two = fixture_asking ("cpus", 2);
    tid_t running = s_submit (self, driver), second = s_submit (self, driver);
    fixture_run (self);
    s_given (self, second);
    /*  A stalled lane, a blocked one that a node is kept for, one that waits
        for a value, actors and a group without a place, a task in the group. */
    tid_t group = s_group (self, driver, 2);
    options_t within = { .placement = PLACE_GROUP, .bundle = BUNDLE_ANY, .group = group };
    tid_t waiting [] = { s_submit (self, driver),
                         fixture_submit_with (self, driver, &two, 0),
                         s_submit_behind (self, driver, running),
                         fixture_submit_with (self, driver, &within, 0),
                         fixture_spawn (self, driver, "", &one),
                         group };
    size_t count = sizeof waiting / sizeof *waiting;
    fixture_pass (self, 4 * SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
    assert_int_equal (head_drains_all (self->head), 0);
    head_drain_all (self->head, a);
    assert_int_equal (head_drains_all (self->head), a);
    fixture_run (self);
    s_expect_stopped (self, waiting, count);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), count);
    /*  Again changes nothing.                                              */
    head_drain_all (self->head, a);
    s_done (self, second);
    fixture_pass (self, SECOND, 0);
    const given_t *parent = s_given (self, running);
    tid_t child
        = fixture_submit_with (self, parent->worker, NULL, task_target (1, parent->lease, 0));
    tid_t behind = s_submit_behind (self, parent->worker, child);
    fixture_run (self);
    s_done (self, running);
    fixture_run (self);
    s_done (self, child);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, 0), 0);
    head_value (self->head, child, 0, (const uint8_t *) "\xc0", 1);
    fixture_run (self);
    s_done (self, behind);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), count);
}

/*  What a driver submits from then on fails; what a worker does, begins.    */
static void
test_what_comes_late (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 4, 0), driver = fixture_driver (self);
    tid_t running = s_submit (self, driver);
    fixture_run (self);
    process_t worker = s_given (self, running)->worker;
    head_drain_all (self->head, a);
    tid_t late [] = { s_submit (self, driver), fixture_spawn (self, driver, "", NULL),
                      s_group (self, driver, 1) };
    fixture_run (self);
    s_expect_stopped (self, late, 3);
    tid_t group = s_group (self, worker, 1), actor = fixture_spawn (self, worker, "", NULL);
    tid_t task = s_submit (self, worker);
    fixture_run (self);
    assert_non_null (fixture_last (self, HEAD_PLACED, group));
    assert_int_equal (fixture_logged (self, HEAD_SPAWN, 0), 1);
    assert_null (fixture_last (self, HEAD_FAULT, actor));
    /*  Another worker is started for it.                                   */
    assert_true (s_given (self, task)->worker != worker);
    s_done (self, task);
    s_done (self, running);
    fixture_run (self);
    /*  An actor that nobody uses is no work.                               */
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
}

/*  Leases ahead are called back, and fail; so does what a worker had begun that
    is lost, if it was to be repeated.                                      */
static void
test_what_comes_back (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0), driver = fixture_driver (self);
    tid_t before = s_submit (self, driver);
    fixture_run (self);
    s_done (self, before);
    tid_t first = fixture_submit_with (self, driver, NULL, task_target (0, 0, 3));
    tid_t ahead = s_submit (self, driver);
    fixture_run (self);
    process_t worker = s_given (self, first)->worker;
    assert_true (s_given (self, ahead)->worker == worker);
    head_drain_all (self->head, a);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_RECALL, worker), 1);
    uint8_t lease [4];
    store_u32 (lease, s_given (self, ahead)->lease);
    head_returned (self->head, self->now, worker, lease, 1);
    fixture_run (self);
    s_expect_stopped (self, &ahead, 1);
    assert_null (fixture_last (self, HEAD_FAULT, first));
    head_lost (self->head, self->now, worker, "a crash", NULL);
    fixture_run (self);
    s_expect_stopped (self, &first, 1);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
}

/*  A cluster ends as one: nodes that were about to leave serve what is left,
    and leave when nothing is.                                              */
static void
test_nodes_that_leave (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 0, 0), b = fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t running = s_submit (self, driver);
    fixture_run (self);
    const given_t *parent = s_given (self, running);
    assert_true (fixture_node_of (self, parent->worker) == b);
    head_drain (self->head, b);
    fixture_pass (self, SECOND, 0);
    head_drain_all (self->head, a);
    tid_t child
        = fixture_submit_with (self, parent->worker, NULL, task_target (1, parent->lease, 0));
    head_slots (self->head, parent->worker, 1);
    fixture_run (self);
    assert_true (s_given (self, child)->worker == s_given (self, running)->worker);
    s_done (self, child);
    head_slots (self->head, s_given (self, running)->worker, 0);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, 0), 0);
    s_done (self, running);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, b), 1);
    assert_int_equal (fixture_logged (self, HEAD_FAULT, 0), 0);
}

/*  Who ends hears what is waited for, whenever that changes.               */
static void
test_what_is_waited_for (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0), b = fixture_node (self, "b", 4, 0);
    process_t driver = fixture_driver (self);
    tid_t tasks [5], value = { driver, 4711 };
    for (size_t index = 0; index < 5; index++)
        tasks [index] = s_submit (self, driver);
    fixture_run (self);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_WAITS, 0), 0);
    head_drain (self->head, a);
    fixture_pass (self, SECOND, 0);
    assert_string_equal (self->waits, "1 task: work on worker");
    assert_int_equal (fixture_logged (self, HEAD_WAITS, b), 0);
    head_drain_all (self->head, b);
    fixture_pass (self, SECOND, 0);
    assert_string_equal (self->waits,
                         "5 tasks: work on worker, work on worker, work on worker and 2 more");
    assert_int_equal (fixture_logged (self, HEAD_WAITS, a), 2);
    assert_int_equal (fixture_logged (self, HEAD_WAITS, b), 1);
    fixture_pass (self, 3 * SECOND, 0);
    assert_int_equal (fixture_logged (self, HEAD_WAITS, 0), 3);
    s_submit_behind (self, s_given (self, tasks [4])->worker, value);
    for (size_t index = 0; index < 4; index++)
        s_done (self, tasks [index]);
    fixture_pass (self, SECOND, 0);
    assert_string_equal (self->waits,
                         "1 task: work on worker; 1 task that running work has submitted");
    head_value (self->head, value, TROUPE_ESTOPPED, (const uint8_t *) "no", 2);
    s_done (self, tasks [4]);
    fixture_run (self);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, a), 1);
    assert_int_equal (fixture_logged (self, HEAD_DRAINED, b), 1);
}

/*  What runs on a node that leaves without waiting is lost; when the cluster ends,
    that is why.                                                            */
static void
test_what_is_cut_short (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0), driver = fixture_driver (self);
    fixture_node (self, "b", 1, 0);
    tid_t tasks [] = { s_submit (self, driver), s_submit (self, driver) };
    fixture_run (self);
    for (int index = 0; index < 2; index++) {
        process_t worker = s_given (self, tasks [index])->worker;
        troupe_error_t code = index ? TROUPE_ESTOPPED : TROUPE_ELOST;
        head_leaving (self->head, fixture_node_of (self, worker));
        assert_int_equal (head_loss (self->head, worker), code);
        head_lost (self->head, self->now, worker, "its node was stopped", NULL);
        fixture_run (self);
        s_expect_code (self, tasks [index], code);
        head_drain_all (self->head, a);
    }
    assert_int_equal (head_loss (self->head, driver), TROUPE_ELOST);
    fixture_pass (self, SECOND, 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_what_waits_fails),   TEST (test_what_comes_late),
        TEST (test_what_comes_back),    TEST (test_nodes_that_leave),
        TEST (test_what_is_waited_for), TEST (test_what_is_cut_short),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
