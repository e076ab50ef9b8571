/*  test_head_ending.c - the head's state machine: how a cluster ends: what goes
    on, what fails and who is told, for each place where something may wait  */

#include "core/clock.h"
#include "core/value.h"
#include "head/head_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define EVENTS_MAX 256

/*  What the head has wanted, with what belongs to it.                      */
typedef struct {
    head_action_type_t type;
    process_t peer;
    tid_t id;
    uint64_t number;
    uint32_t lease;
    troupe_error_t code;
    char text [256];
} event_t;

/*  A head, and agents that do as they are told.                            */
typedef struct {
    head_state_t *head;
    int64_t now;
    uint64_t sequence;
    unsigned workers;
    event_t events [EVENTS_MAX];
    size_t count;
} fixture_t;

static int
s_setup (void **state)
{
    fixture_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->now = 3600 * SECOND;
    self->head = head_state_new (77);
    assert_non_null (self->head);
    *state = self;
    return 0;
}

static void
s_checked (fixture_t *self)
{
    const char *wrong = head_check (self->head);
    if (wrong)
        fail_msg ("%s", wrong);
    assert_false (head_failed (self->head));
}

static int
s_teardown (void **state)
{
    fixture_t *self = *state;
    s_checked (self);
    head_state_destroy (&self->head);
    free (self);
    return 0;
}

static uint32_t
s_function (fixture_t *self, process_t process)
{
    return head_function (self->head, head_program_of (self->head, process), "work", 4);
}

static void
s_start_worker (fixture_t *self, const head_action_t *action)
{
    char label [32];
    snprintf (label, sizeof label, "worker %u", ++self->workers);
    process_t worker = head_join_worker (self->head, self->now, action->peer, action->program,
                                         action->job, 1, label);
    assert_true (worker != 0);
    assert_int_equal (head_offer (self->head, worker, s_function (self, worker)), 0);
}

static void
s_note (fixture_t *self, const head_action_t *action)
{
    assert_true (self->count < EVENTS_MAX);
    event_t *event = &self->events [self->count++];
    *event = (event_t){ .type = action->type,
                        .peer = action->peer,
                        .id = action->id,
                        .number = action->number,
                        .code = action->code };
    snprintf (event->text, sizeof event->text, "%s", action->text ? action->text : "");
    if (action->type != HEAD_DISPATCH)
        return;
    record_t record;
    head_task_record (action->task, self->now, &record);
    event->id = record.id;
    event->lease = (uint32_t) record.target;
}

/*  Lets everything happen that follows from what is there.                 */
static void
s_run (fixture_t *self)
{
    size_t count;
    do {
        head_dispatch (self->head, self->now);
        head_actions (self->head, &count);
        for (size_t index = 0; index < count; index++) {
            head_action_t action = head_actions (self->head, &count) [index];
            s_note (self, &action);
            for (uint64_t left = action.type == HEAD_START_WORKERS ? action.number : 0; left;
                 left--)
                s_start_worker (self, &action);
            head_actions (self->head, &count);
        }
        head_actions_clear (self->head);
        s_checked (self);
    } while (count);
}

static void
s_pass (fixture_t *self, int64_t time)
{
    for (; time > 0; time -= SECOND / 2) {
        self->now += SECOND / 2;
        for (uint64_t count = 1; count < 64; count++)
            head_heard (self->head, self->now, UINT64_C (77) << 32 | count);
        s_run (self);
    }
}

/*  --- what there is ----------------------------------------------------  */

static process_t
s_node (fixture_t *self, const char *name, double cpus)
{
    resource_t resources [] = { { "cpus", 4, (int64_t) (cpus * 10000) } };
    process_t node = head_join (self->head, self->now, ROLE_NODE, 0, name);
    assert_int_equal (head_node_join (self->head, self->now, node, name, resources, 1), 0);
    return node;
}

static process_t
s_driver (fixture_t *self)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    process_t driver = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver");
    assert_true (
        head_job (self->head, driver, head_program (self->head, hash), "", 0, 1, false));
    assert_true (s_function (self, driver) != 0);
    return driver;
}

/*  A task, with a demand, a value that it waits for, a target; or without.  */
static tid_t
s_submit_with (fixture_t *self, process_t owner, const options_t *options, tid_t needed,
               uint64_t target)
{
    bytes_t frame = { 0 }, block = { 0 };
    static const uint8_t nothing = 0x90;
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = s_function (self, owner),
                        .target = target,
                        .id = { owner, ++self->sequence } };
    tid_t id = record.id;
    if (options)
        assert_int_equal (options_write (&block, options), 0);
    bytes_append (&block, &nothing, 1);
    size_t offset = record_begin (&frame, &record);
    bytes_append (&frame, block.data, block.size);
    record_end_body (&frame, offset);
    if (needed.owner)
        assert_int_equal (record_attach (&frame, offset, needed, NULL, 0, true), 0);
    assert_int_equal (record_end (&frame, offset), 0);
    frame_reader_t reader;
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    head_submit (self->head, self->now, &record);
    bytes_release (&frame);
    bytes_release (&block);
    s_checked (self);
    return id;
}

static tid_t
s_submit (fixture_t *self, process_t owner)
{
    return s_submit_with (self, owner, NULL, (tid_t){ 0, 0 }, 0);
}

static options_t
s_asking (double cpus)
{
    return (options_t){ .flags = OPTIONS_RESOURCES,
                        .bundle = BUNDLE_ANY,
                        .count = 1,
                        .resources = { { "cpus", 4, (int64_t) (cpus * 10000) } } };
}

static tid_t
s_spawn (fixture_t *self, process_t owner, const options_t *options)
{
    head_spawn_t spawn = { .id = { owner, ++self->sequence },
                           .class_name = "kv",
                           .class_length = 2,
                           .name = "",
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = options };
    head_spawn (self->head, self->now, &spawn);
    s_checked (self);
    return spawn.id;
}

static tid_t
s_group (fixture_t *self, process_t owner, double cpus)
{
    options_t bundle = s_asking (cpus);
    tid_t id = { owner, ++self->sequence };
    head_group (self->head, self->now, id, GROUP_PACK, &bundle, 1);
    s_checked (self);
    return id;
}

static const event_t *
s_last (const fixture_t *self, head_action_type_t type, tid_t id)
{
    for (size_t index = self->count; index--;)
        if (self->events [index].type == type && tid_equal (self->events [index].id, id))
            return &self->events [index];
    return NULL;
}

static size_t
s_count (const fixture_t *self, head_action_type_t type, process_t peer)
{
    size_t count = 0;
    for (size_t index = 0; index < self->count; index++)
        count += self->events [index].type == type
                 && (!peer || self->events [index].peer == peer);
    return count;
}

static const event_t *
s_given (const fixture_t *self, tid_t id)
{
    const event_t *given = s_last (self, HEAD_DISPATCH, id);
    assert_non_null (given);
    return given;
}

static void
s_done (fixture_t *self, tid_t id)
{
    uint8_t pair [8];
    store_u32 (pair, s_given (self, id)->lease);
    store_u32 (pair + 4, (uint32_t) (CLOCK_MS / 64));
    head_done (self->head, self->now, s_given (self, id)->peer, pair, 1);
    s_checked (self);
}

/*  It failed as the cluster ends, and says so.                             */
static void
s_expect_stopped (const fixture_t *self, tid_t id)
{
    const event_t *fault = s_last (self, HEAD_FAULT, id);
    assert_non_null (fault);
    assert_int_equal (fault->code, TROUPE_ESTOPPED);
    assert_non_null (strstr (fault->text, "the cluster is being stopped"));
}

static process_t
s_node_of (fixture_t *self, process_t worker)
{
    size_t cursor = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        if (report.process == worker)
            return report.node;
    return 0;
}

/*  --- tests ------------------------------------------------------------  */

/*  Whatever waits, for whatever: it fails in the same turn. What runs goes on,
    with what it submits, and only then the cluster has ended.              */
static void
test_what_waits_fails (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 2);
    process_t driver = s_driver (self);
    options_t one = s_asking (1), two = s_asking (2);
    tid_t running = s_submit (self, driver), second = s_submit (self, driver);
    s_run (self);
    s_given (self, second);
    /*  A stalled lane, a blocked one that a node is kept for, one that waits
        for a value, actors and a group without a place, a task in the group. */
    tid_t group = s_group (self, driver, 2);
    options_t within = { .placement = PLACE_GROUP, .bundle = BUNDLE_ANY, .group = group };
    tid_t waiting [] = { s_submit (self, driver),
                         s_submit_with (self, driver, &two, (tid_t){ 0, 0 }, 0),
                         s_submit_with (self, driver, NULL, running, 0),
                         s_submit_with (self, driver, &within, (tid_t){ 0, 0 }, 0),
                         s_spawn (self, driver, &one),
                         group };
    size_t count = sizeof waiting / sizeof *waiting;
    s_pass (self, 4 * SECOND);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
    head_drain_all (self->head, a);
    s_run (self);
    for (size_t index = 0; index < count; index++)
        s_expect_stopped (self, waiting [index]);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), count);
    assert_int_equal (s_count (self, HEAD_DRAINED, 0), 0);
    /*  Again changes nothing.                                              */
    head_drain_all (self->head, a);
    s_done (self, second);
    s_pass (self, SECOND);
    const event_t *parent = s_given (self, running);
    tid_t child = s_submit_with (self, parent->peer, NULL, (tid_t){ 0, 0 },
                                 task_target (1, parent->lease, 0));
    tid_t behind = s_submit_with (self, parent->peer, NULL, child, 0);
    s_run (self);
    s_done (self, running);
    s_run (self);
    s_done (self, child);
    s_pass (self, SECOND);
    assert_int_equal (s_count (self, HEAD_DRAINED, 0), 0);
    head_value (self->head, child, 0, (const uint8_t *) "\xc0", 1);
    s_run (self);
    s_done (self, behind);
    s_run (self);
    assert_int_equal (s_count (self, HEAD_DRAINED, a), 1);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), count);
}

/*  What a driver submits from then on fails; what a worker does, begins.    */
static void
test_what_comes_late (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 4);
    process_t driver = s_driver (self);
    tid_t running = s_submit (self, driver);
    s_run (self);
    process_t worker = s_given (self, running)->peer;
    head_drain_all (self->head, a);
    tid_t late []
        = { s_submit (self, driver), s_spawn (self, driver, NULL), s_group (self, driver, 1) };
    s_run (self);
    for (size_t index = 0; index < 3; index++)
        s_expect_stopped (self, late [index]);
    tid_t group = s_group (self, worker, 1), actor = s_spawn (self, worker, NULL);
    tid_t task = s_submit (self, worker);
    s_run (self);
    assert_non_null (s_last (self, HEAD_PLACED, group));
    assert_null (s_last (self, HEAD_FAULT, actor));
    assert_int_equal (s_count (self, HEAD_SPAWN, 0), 1);
    /*  Another worker is started for it.                                   */
    assert_true (s_given (self, task)->peer != worker);
    s_done (self, task);
    s_done (self, running);
    s_run (self);
    /*  An actor that nobody uses is no work.                               */
    assert_int_equal (s_count (self, HEAD_DRAINED, a), 1);
}

/*  Leases ahead are called back, and fail; so does what a worker had begun that
    is lost, if it was to be repeated.                                      */
static void
test_what_comes_back (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1);
    process_t driver = s_driver (self);
    s_submit (self, driver);
    s_run (self);
    s_done (self, self->events [self->count - 1].id);
    tid_t first = s_submit_with (self, driver, NULL, (tid_t){ 0, 0 }, task_target (0, 0, 3));
    tid_t ahead = s_submit (self, driver);
    s_run (self);
    process_t worker = s_given (self, first)->peer;
    assert_true (s_given (self, ahead)->peer == worker);
    head_drain_all (self->head, a);
    s_run (self);
    assert_int_equal (s_count (self, HEAD_RECALL, worker), 1);
    uint8_t lease [4];
    store_u32 (lease, s_given (self, ahead)->lease);
    head_returned (self->head, self->now, worker, lease, 1);
    s_run (self);
    s_expect_stopped (self, ahead);
    assert_null (s_last (self, HEAD_FAULT, first));
    head_lost (self->head, self->now, worker, "a crash", NULL);
    s_run (self);
    s_expect_stopped (self, first);
    assert_int_equal (s_count (self, HEAD_DRAINED, a), 1);
}

/*  A cluster ends as one: nodes that were about to leave serve what is left,
    and leave when nothing is.                                              */
static void
test_nodes_that_leave (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 0), b = s_node (self, "b", 1);
    process_t driver = s_driver (self);
    tid_t running = s_submit (self, driver);
    s_run (self);
    const event_t *parent = s_given (self, running);
    assert_true (s_node_of (self, parent->peer) == b);
    head_drain (self->head, b);
    s_pass (self, SECOND);
    head_drain_all (self->head, a);
    tid_t child = s_submit_with (self, parent->peer, NULL, (tid_t){ 0, 0 },
                                 task_target (1, parent->lease, 0));
    head_slots (self->head, parent->peer, 1);
    s_run (self);
    assert_true (s_given (self, child)->peer == parent->peer);
    s_done (self, child);
    head_slots (self->head, parent->peer, 0);
    s_pass (self, SECOND);
    assert_int_equal (s_count (self, HEAD_DRAINED, 0), 0);
    s_done (self, running);
    s_run (self);
    assert_int_equal (s_count (self, HEAD_DRAINED, a), 1);
    assert_int_equal (s_count (self, HEAD_DRAINED, b), 1);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
}

static const char *
s_told (const fixture_t *self, process_t node)
{
    for (size_t index = self->count; index--;)
        if (self->events [index].type == HEAD_WAITS && self->events [index].peer == node)
            return self->events [index].text;
    return NULL;
}

/*  Who ends hears what is waited for, whenever that changes.               */
static void
test_what_is_waited_for (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1), b = s_node (self, "b", 4);
    process_t driver = s_driver (self);
    tid_t tasks [5];
    for (size_t index = 0; index < 5; index++)
        tasks [index] = s_submit (self, driver);
    s_run (self);
    s_pass (self, SECOND);
    assert_null (s_told (self, a));
    head_drain (self->head, a);
    s_pass (self, SECOND);
    assert_non_null (strstr (s_told (self, a), "1 task: work on worker "));
    assert_null (s_told (self, b));
    head_drain_all (self->head, b);
    s_pass (self, SECOND);
    assert_non_null (strstr (s_told (self, b), "5 tasks: work on worker "));
    assert_non_null (strstr (s_told (self, b), " and 2 more"));
    assert_string_equal (s_told (self, a), s_told (self, b));
    size_t told = s_count (self, HEAD_WAITS, 0);
    s_pass (self, 3 * SECOND);
    assert_int_equal (s_count (self, HEAD_WAITS, 0), told);
    process_t worker = s_given (self, tasks [4])->peer;
    s_submit_with (self, worker, NULL, (tid_t){ driver, 4711 }, 0);
    for (size_t index = 0; index < 4; index++)
        s_done (self, tasks [index]);
    s_pass (self, SECOND);
    assert_non_null (strstr (s_told (self, b), "1 task: work on worker "));
    assert_non_null (strstr (s_told (self, b), "; 1 task that running work has submitted"));
    head_value (self->head, (tid_t){ driver, 4711 }, TROUPE_ESTOPPED, (const uint8_t *) "no",
                2);
    s_done (self, tasks [4]);
    s_run (self);
    assert_int_equal (s_count (self, HEAD_DRAINED, a), 1);
    assert_int_equal (s_count (self, HEAD_DRAINED, b), 1);
}

/*  What runs on a node that leaves without waiting is lost; when the cluster ends,
    that is why.                                                            */
static void
test_what_is_cut_short (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1), b = s_node (self, "b", 1);
    process_t driver = s_driver (self);
    tid_t tasks [] = { s_submit (self, driver), s_submit (self, driver) };
    s_run (self);
    for (int index = 0; index < 2; index++) {
        process_t worker = s_given (self, tasks [index])->peer;
        head_leaving (self->head, s_node_of (self, worker));
        troupe_error_t code = index ? TROUPE_ESTOPPED : TROUPE_ELOST;
        assert_int_equal (head_loss (self->head, worker), code);
        head_lost (self->head, self->now, worker, "its node was stopped", NULL);
        s_run (self);
        assert_int_equal (s_last (self, HEAD_FAULT, tasks [index])->code, code);
        head_drain_all (self->head, index ? b : a);
    }
    assert_int_equal (head_loss (self->head, driver), TROUPE_ELOST);
    s_pass (self, SECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)

int
main (void)
{
    const struct CMUnitTest tests []
        = { TEST (test_what_waits_fails), TEST (test_what_comes_late),
            TEST (test_what_comes_back), TEST (test_nodes_that_leave),
            TEST (test_what_is_waited_for), TEST (test_what_is_cut_short) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
