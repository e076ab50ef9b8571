/*  test_head_cluster.c - the head's state machine: nodes, jobs, resources,
    groups; workers that are started and stopped                            */

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

typedef struct {
    process_t worker;
    uint32_t lease;
    tid_t id;
    bool done;
} given_t;

/*  A head, and what it has asked for. Node agents do as they are told.     */
typedef struct {
    head_state_t *head;
    int64_t now;
    uint64_t sequence;
    given_t given [4096];
    size_t given_count;
    head_action_t log [4096]; /*  without texts                           */
    size_t log_count;
    char fault [256]; /*  the last                                */
    tid_t faulted;
    troupe_error_t code;
    const char *refusal; /*  why no worker can be started, or NULL   */
    bool deaf;           /*  the agents do nothing                   */
} fixture_t;

/*  --- the world --------------------------------------------------------  */

static void
s_checked (fixture_t *self)
{
    const char *wrong = head_check (self->head);
    if (wrong)
        fail_msg ("%s", wrong);
    assert_false (head_failed (self->head));
}

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

static int
s_teardown (void **state)
{
    fixture_t *self = *state;
    s_checked (self);
    head_state_destroy (&self->head);
    free (self);
    return 0;
}

/*  All functions of a program: a worker offers what its driver does.       */
static uint32_t
s_function (fixture_t *self, uint32_t program)
{
    return head_function (self->head, program, "work", 4);
}

static void
s_start_asked (fixture_t *self, const head_action_t *action)
{
    for (uint64_t count = 0; count < action->number; count++) {
        if (self->refusal) {
            head_worker_failed (self->head, self->now, action->peer, action->job,
                                self->refusal);
            continue;
        }
        process_t worker = head_join_worker (self->head, self->now, action->peer,
                                             action->program, action->job, 1, "worker");
        assert_true (worker != 0);
        assert_int_equal (head_offer (self->head, worker, s_function (self, action->program)),
                          0);
    }
}

static void
s_note_given (fixture_t *self, const head_action_t *action)
{
    record_t record;
    head_task_record (action->task, self->now, &record);
    assert_true (self->given_count < 4096);
    self->given [self->given_count++]
        = (given_t){ action->peer, (uint32_t) record.target, record.id, false };
}

static void
s_perform_one (fixture_t *self, const head_action_t *action)
{
    assert_true (self->log_count < 4096);
    self->log [self->log_count++] = *action;
    switch (action->type) {
    case HEAD_DISPATCH:
        s_note_given (self, action);
        break;
    case HEAD_FAULT:
        snprintf (self->fault, sizeof self->fault, "%s", action->text);
        self->faulted = action->id;
        self->code = action->code;
        break;
    case HEAD_DROP:
        head_lost (self->head, self->now, action->peer, action->text, NULL);
        break;
    case HEAD_START_WORKERS:
        if (!self->deaf)
            s_start_asked (self, action);
        break;
    case HEAD_STOP_WORKER:
        if (!self->deaf)
            head_lost (self->head, self->now, action->peer, "stopped", NULL);
        break;
    default:
        break;
    }
}

static bool
s_perform (fixture_t *self)
{
    size_t count = 0;
    size_t index = 0;
    for (; head_actions (self->head, &count), index < count; index++) {
        head_action_t action = head_actions (self->head, &count) [index];
        s_perform_one (self, &action);
        s_checked (self);
    }
    head_actions_clear (self->head);
    return index > 0;
}

/*  Lets everything happen that follows from what is there.                 */
static void
s_run (fixture_t *self)
{
    do {
        head_dispatch (self->head, self->now);
        s_checked (self);
    } while (s_perform (self));
}

/*  Time passes; processes are heard meanwhile, but for the silent one.     */
static void
s_pass (fixture_t *self, int64_t time, process_t silent)
{
    for (int64_t left = time; left > 0; left -= SECOND / 2) {
        self->now += SECOND / 2;
        for (uint64_t count = 1; count < 200; count++)
            if ((UINT64_C (77) << 32 | count) != silent)
                head_heard (self->head, self->now, UINT64_C (77) << 32 | count);
        s_run (self);
    }
}

static size_t
s_logged (fixture_t *self, head_action_type_t type, process_t peer)
{
    size_t count = 0;
    for (size_t index = 0; index < self->log_count; index++)
        count += self->log [index].type == type && (!peer || self->log [index].peer == peer);
    return count;
}

static void
s_forget (fixture_t *self)
{
    self->log_count = 0;
    self->fault [0] = 0;
}

/*  --- shorthands -------------------------------------------------------  */

static process_t
s_node (fixture_t *self, const char *name, double cpus, double gpus)
{
    resource_t resources []
        = { { "cpus", 4, (int64_t) (cpus * 10000) }, { "gpus", 4, (int64_t) (gpus * 10000) } };
    process_t node = head_join (self->head, self->now, ROLE_NODE, 0, name);
    assert_true (node != 0);
    assert_int_equal (head_node_join (self->head, self->now, node, name, resources, 2), 0);
    return node;
}

static process_t
s_driver_of (fixture_t *self, uint8_t program, const char *space, int priority, unsigned share)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { program, 1 };
    process_t driver = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver");
    uint32_t number = head_program (self->head, hash);
    assert_true (number && head_job (self->head, driver, number, space, priority, share, false));
    assert_int_equal (head_program_of (self->head, driver), number);
    assert_true (s_function (self, number) != 0);
    return driver;
}

static process_t
s_driver_with (fixture_t *self, uint8_t program, const char *space, int priority)
{
    return s_driver_of (self, program, space, priority, 1);
}

static process_t
s_driver (fixture_t *self)
{
    return s_driver_with (self, 1, "", 0);
}

static tid_t
s_submit_with (fixture_t *self, process_t owner, const options_t *options, uint64_t target)
{
    bytes_t body = { 0 };
    static const uint8_t nothing = 0x90;
    if (options)
        assert_int_equal (options_write (&body, options), 0);
    bytes_append (&body, &nothing, 1);
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = s_function (self, head_program_of (self->head, owner)),
                        .target = target,
                        .id = { owner, ++self->sequence },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_submit (self->head, self->now, &record);
    s_checked (self);
    bytes_release (&body);
    return record.id;
}

static void
s_submit (fixture_t *self, process_t owner, size_t count)
{
    while (count--)
        s_submit_with (self, owner, NULL, 0);
}

static options_t
s_asking (const char *name, double amount)
{
    return (options_t){ .flags = OPTIONS_RESOURCES,
                        .bundle = BUNDLE_ANY,
                        .count = 1,
                        .resources = { { name, strlen (name), (int64_t) (amount * 10000) } } };
}

static given_t *
s_given_to (fixture_t *self, tid_t id)
{
    for (size_t index = self->given_count; index--;)
        if (tid_equal (self->given [index].id, id))
            return &self->given [index];
    return NULL;
}

static void
s_done (fixture_t *self, given_t *given, int64_t duration)
{
    uint8_t pair [8];
    store_u32 (pair, given->lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    given->done = true;
    head_done (self->head, self->now, given->worker, pair, 1);
    s_checked (self);
}

/*  The tasks of an owner that run.                                         */
static size_t
s_running (fixture_t *self, process_t owner)
{
    size_t count = 0;
    for (size_t index = 0; index < self->given_count; index++)
        count += !self->given [index].done && (!owner || self->given [index].id.owner == owner);
    return count;
}

static process_t
s_node_of (fixture_t *self, process_t worker)
{
    size_t cursor = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        if (report.process == worker)
            return report.node;
    fail_msg ("no such worker");
    return 0;
}

static size_t
s_workers_on (fixture_t *self, process_t node)
{
    size_t cursor = 0, count = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        count += report.node == node;
    return count;
}

static int64_t
s_used (fixture_t *self, const char *name)
{
    head_resource_report_t reports [8];
    size_t count = head_resources (self->head, reports, 8);
    for (size_t index = 0; index < count; index++)
        if (strcmp (reports [index].name, name) == 0)
            return reports [index].used;
    return 0;
}

static tid_t
s_spawn (fixture_t *self, process_t owner, const char *name, const options_t *options)
{
    tid_t id = { owner, ++self->sequence };
    head_spawn_t spawn = { .id = id,
                           .class_name = "kv",
                           .class_length = 2,
                           .name = name,
                           .name_length = strlen (name),
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = options };
    head_spawn (self->head, self->now, &spawn);
    s_checked (self);
    return id;
}

static head_actor_report_t
s_actor (fixture_t *self, tid_t id)
{
    size_t cursor = 0;
    head_actor_report_t report;
    while (head_next_actor (self->head, &cursor, &report))
        if (tid_equal (report.id, id))
            return report;
    return (head_actor_report_t){ 0 };
}

/*  --- workers ----------------------------------------------------------  */

static void
test_workers_on_demand (void **state)
{
    fixture_t *self = *state;
    process_t node = s_node (self, "a", 4, 0);
    process_t driver = s_driver (self);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_START_WORKERS, 0), 0);
    s_submit (self, driver, 3);
    s_run (self);
    assert_int_equal (s_running (self, driver), 3);
    assert_int_equal (s_workers_on (self, node), 3);
    s_submit (self, driver, 10);
    s_run (self);
    assert_int_equal (s_running (self, driver), 4);
    assert_int_equal (s_workers_on (self, node), 4);
    assert_int_equal (s_used (self, "cpus"), 40000);
    while (s_running (self, driver)) {
        for (size_t index = 0; index < self->given_count; index++)
            if (!self->given [index].done)
                s_done (self, &self->given [index], CLOCK_MS);
        s_run (self);
    }
    assert_int_equal (self->given_count, 13);
    assert_int_equal (s_workers_on (self, node), 4);
    assert_int_equal (s_used (self, "cpus"), 0);
    s_pass (self, 29 * SECOND, 0);
    assert_int_equal (s_workers_on (self, node), 4);
    s_pass (self, 2 * SECOND, 0);
    assert_int_equal (s_workers_on (self, node), 0);
}

static void
test_no_worker_is_asked_for_twice (void **state)
{
    fixture_t *self = *state;
    process_t node = s_node (self, "a", 2, 0);
    process_t driver = s_driver (self);
    self->deaf = true;
    s_submit (self, driver, 5);
    s_run (self);
    s_submit (self, driver, 5);
    s_pass (self, 5 * SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_START_WORKERS, node), 1);
    assert_int_equal (self->log [0].number, 2);
}

static void
test_workers_that_cannot_start (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    s_node (self, "b", 2, 0);
    process_t driver = s_driver (self);
    self->refusal = "libfoo.so.1 is missing";
    s_submit (self, driver, 1);
    tid_t actor = s_spawn (self, driver, "", NULL);
    s_pass (self, SECOND, 0);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
    assert_int_equal (self->code, TROUPE_ESYSTEM);
    assert_non_null (strstr (self->fault, "libfoo.so.1 is missing"));
    (void) actor;
    size_t asked = s_logged (self, HEAD_START_WORKERS, 0);
    assert_true (asked >= 2 && asked < 20);
    self->refusal = NULL;
    s_pass (self, 40 * SECOND, 0);
    s_forget (self);
    s_submit (self, driver, 1);
    s_run (self);
    assert_int_equal (s_running (self, driver), 1);
}

static void
test_one_node_that_cannot_start (void **state)
{
    fixture_t *self = *state;
    process_t bad = s_node (self, "bad", 1, 0);
    process_t driver = s_driver (self);
    self->deaf = true;
    s_submit (self, driver, 1);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_START_WORKERS, bad), 1);
    process_t good = s_node (self, "good", 1, 0);
    head_worker_failed (self->head, self->now, bad, head_job_of (self->head, driver),
                        "program is for aarch64");
    self->deaf = false;
    s_run (self);
    assert_int_equal (s_running (self, driver), 1);
    assert_int_equal (s_workers_on (self, good), 1);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 0);
}

static void
test_a_node_is_lost (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1, 0);
    process_t driver = s_driver (self);
    tid_t once = s_submit_with (self, driver, NULL, task_target (0, 0, 0));
    s_run (self);
    process_t b = s_node (self, "b", 1, 0);
    tid_t again = s_submit_with (self, driver, NULL, task_target (0, 0, 1));
    s_run (self);
    assert_int_equal (s_node_of (self, s_given_to (self, once)->worker), a);
    assert_int_equal (s_node_of (self, s_given_to (self, again)->worker), b);
    head_lost (self->head, self->now, b, "connection reset", NULL);
    s_perform (self);
    s_done (self, s_given_to (self, once), CLOCK_MS);
    s_run (self);
    assert_int_equal (s_node_of (self, s_given_to (self, again)->worker), a);
    s_node (self, "b", 1, 0);
    head_lost (self->head, self->now, a, "connection reset", NULL);
    s_run (self);
    assert_int_equal (self->code, TROUPE_ELOST);
    assert_non_null (strstr (self->fault, "its node a: connection reset"));
    assert_int_equal (head_counts (self->head).nodes, 1);
}

static void
test_a_silent_node (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 4, 0);
    process_t driver = s_driver (self);
    head_set_liveness (self->head, 2 * SECOND, 5 * SECOND);
    s_submit (self, driver, 1);
    s_run (self);
    s_done (self, &self->given [0], CLOCK_MS);
    s_pass (self, 3 * SECOND, a);
    s_submit (self, driver, 2);
    s_run (self);
    assert_int_equal (s_running (self, driver), 0);
    head_heard (self->head, self->now, a);
    s_run (self);
    assert_int_equal (s_running (self, driver), 2);
    s_pass (self, 6 * SECOND, a);
    assert_int_equal (s_logged (self, HEAD_DROP, a), 1);
    assert_int_equal (head_counts (self->head).nodes, 0);
    assert_int_equal (head_counts (self->head).workers, 0);
}

/*  Long before it would be missed for its silence; but not if it is heard. */
static void
test_a_closed_connection (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 4, 0), b = s_node (self, "b", 4, 0);
    head_set_liveness (self->head, 2 * SECOND, 60 * SECOND);
    head_closed (self->head, self->now, a);
    head_closed (self->head, self->now, b);
    s_pass (self, SECOND, a);
    assert_int_equal (s_logged (self, HEAD_DROP, 0), 0);
    s_pass (self, 2 * SECOND, a);
    assert_int_equal (s_logged (self, HEAD_DROP, a), 1);
    assert_int_equal (s_logged (self, HEAD_DROP, b), 0);
    assert_int_equal (head_counts (self->head).nodes, 1);
}

/*  One argument, to come later.                                            */
static tid_t
s_submit_waiting (fixture_t *self, process_t owner, tid_t argument)
{
    uint8_t attachment [ATTACHMENT_HEADER] = { 0 };
    store_u64 (attachment, argument.owner);
    store_u64 (attachment + 8, argument.sequence);
    store_u32 (attachment + 20, 1);
    record_t record = { .type = RECORD_TASK,
                        .number = s_function (self, head_program_of (self->head, owner)),
                        .id = { owner, ++self->sequence },
                        .body = (const uint8_t *) "\x90",
                        .body_size = 1,
                        .attachments = 1,
                        .attachment = attachment,
                        .attachments_size = sizeof attachment };
    head_submit (self->head, self->now, &record);
    s_checked (self);
    return record.id;
}

static void
s_give_object (fixture_t *self, tid_t argument, process_t home, uint64_t size)
{
    bytes_t value = { 0 };
    object_reference_t object = { .id = { home, 5 }, .size = size, .kind = OBJECT_BYTES };
    value_put_object (&value, &object);
    head_value (self->head, argument, 0, value.data, (uint32_t) value.size);
    s_run (self);
    bytes_release (&value);
}

/*  It runs where its argument is, but does not wait for that.              */
static void
test_near_its_arguments (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    process_t b = s_node (self, "b", 1, 0);
    process_t driver = s_driver (self);
    tid_t tasks [4];
    for (uint64_t index = 0; index < 4; index++) {
        tid_t argument = { driver, 1000 + index };
        tasks [index] = s_submit_waiting (self, driver, argument);
        if (index == 1)
            s_give_object (self, argument, b, 100);
        else
            s_give_object (self, argument, index == 3 ? 4711 : b, 8 << 20);
        given_t *given = s_given_to (self, tasks [index]);
        assert_non_null (given);
        bool near = s_node_of (self, given->worker) == b;
        assert_int_equal (near, index == 0);
        if (index == 1)
            s_done (self, given, CLOCK_MS);
    }
}

static void
test_drain (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 2, 0);
    process_t driver = s_driver (self);
    s_submit (self, driver, 1);
    s_run (self);
    head_drain (self->head, a);
    s_pass (self, SECOND, 0);
    s_submit (self, driver, 1);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_running (self, driver), 1);
    assert_int_equal (s_logged (self, HEAD_DRAINED, a), 0);
    s_done (self, &self->given [0], CLOCK_MS);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_running (self, driver), 0);
    assert_int_equal (s_logged (self, HEAD_DRAINED, a), 1);
}

/*  What runs ends, with what it has submitted; what waits fails.           */
static void
test_drain_all (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1, 0);
    process_t b = s_node (self, "b", 1, 0);
    process_t driver = s_driver (self);
    s_submit (self, driver, 4);
    s_run (self);
    assert_int_equal (s_running (self, driver), 2);
    assert_false (head_drains_all (self->head));
    head_drain_all (self->head, a);
    assert_true (head_drains_all (self->head));
    given_t *first = &self->given [0], *second = &self->given [1];
    s_done (self, second, CLOCK_MS);
    tid_t child = s_submit_with (self, first->worker, NULL, task_target (1, first->lease, 0));
    head_slots (self->head, first->worker, 1);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_running (self, driver), 1);
    assert_non_null (s_given_to (self, child));
    s_done (self, first, CLOCK_MS);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_DRAINED, 0), 0);
    s_done (self, s_given_to (self, child), CLOCK_MS);
    s_pass (self, 20 * SECOND, 0);
    assert_int_equal (s_running (self, driver), 0);
    assert_int_equal (head_counts (self->head).ready, 0);
    assert_int_equal (s_logged (self, HEAD_DRAINED, a), 1);
    assert_int_equal (s_logged (self, HEAD_DRAINED, b), 0);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 2);
}

/*  --- programs and jobs ------------------------------------------------  */

static void
test_programs_keep_apart (void **state)
{
    fixture_t *self = *state;
    process_t node = s_node (self, "a", 4, 0);
    process_t one = s_driver_with (self, 1, "", 0), two = s_driver_with (self, 2, "", 0);
    assert_true (s_function (self, head_program_of (self->head, one))
                 != s_function (self, head_program_of (self->head, two)));
    s_submit (self, one, 1);
    s_run (self);
    s_submit (self, two, 1);
    s_run (self);
    assert_int_equal (s_workers_on (self, node), 2);
    assert_true (self->given [0].worker != self->given [1].worker);
    record_t record = { .type = RECORD_TASK,
                        .number = s_function (self, head_program_of (self->head, two)),
                        .id = { one, 900 },
                        .body = (const uint8_t *) "",
                        .body_size = 0 };
    head_submit (self->head, self->now, &record);
    s_run (self);
    assert_int_equal (self->code, TROUPE_ENAME);
}

static void
test_warm_workers_serve_the_next_job (void **state)
{
    fixture_t *self = *state;
    process_t node = s_node (self, "a", 1, 0);
    process_t first = s_driver (self);
    uint32_t job = head_job_of (self->head, first);
    s_submit (self, first, 1);
    s_run (self);
    s_done (self, &self->given [0], CLOCK_MS);
    s_run (self);
    head_lost (self->head, self->now, first, "end", NULL);
    s_run (self);
    assert_int_equal (s_workers_on (self, node), 1);
    assert_int_equal (s_logged (self, HEAD_JOB_ENDED, 0), 1);
    s_forget (self);
    process_t second = s_driver (self);
    assert_true (head_job_of (self->head, second) != job);
    s_submit (self, second, 1);
    s_run (self);
    assert_int_equal (s_running (self, second), 1);
    assert_int_equal (s_logged (self, HEAD_START_WORKERS, 0), 0);
    assert_int_equal (s_logged (self, HEAD_ASSIGN, self->given [0].worker), 1);
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
    s_checked (self);
}

/*  What is called back comes, for so long.                                 */
static void
s_recall (fixture_t *self, int64_t time)
{
    for (int64_t end = self->now + time; self->now < end;) {
        self->now = head_due (self->head, self->now);
        s_run (self);
        size_t count = self->log_count;
        for (size_t index = 0; index < count; index++)
            if (self->log [index].type == HEAD_RECALL)
                s_give_back (self, self->log [index].peer, self->log [index].number);
        self->log_count = 0;
        s_run (self);
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
    process_t driver = s_driver (self);
    for (size_t round = 0; round < 2; round++) {
        s_submit (self, driver, 2);
        s_run (self);
        for (size_t index = 0; index < 2; index++) {
            given_t *given = &self->given [self->given_count - 2 + index];
            stuck [index] = given->worker;
            s_done (self, given, 100 * CLOCK_US);
        }
    }
    s_submit (self, driver, 6);
    s_run (self);
    assert_int_equal (s_given_count (self, stuck [0]), 3);
    assert_int_equal (s_given_count (self, stuck [1]), 3);
    s_forget (self);
    return driver;
}

/*  No worker of the job is idle, but two are warm, and two cpus more free.  */
static void
test_the_stuck_get_more_workers (void **state)
{
    fixture_t *self = *state;
    process_t stuck [2], node = s_node (self, "a", 6, 0);
    process_t first = s_driver (self);
    s_submit (self, first, 4);
    s_run (self);
    while (s_running (self, first))
        s_done (self, &self->given [s_running (self, first) - 1], 100 * CLOCK_US);
    head_lost (self->head, self->now, first, "end", NULL);
    s_run (self);
    process_t driver = s_stuck_driver (self, stuck);
    assert_int_equal (s_logged (self, HEAD_START_WORKERS, 0), 0);
    s_recall (self, 200 * CLOCK_MS);
    assert_int_equal (s_workers_on (self, node), 6);
    for (size_t index = 0; index < self->given_count; index++)
        if (!self->given [index].done)
            assert_int_equal (s_given_count (self, self->given [index].worker), 1);
    assert_int_equal (s_running (self, driver), 6);
}

/*  An idle worker whose node has no cpu for it does not hide one that can run
    at once what stands behind the stuck.                                   */
static void
test_the_stuck_see_all_that_are_idle (void **state)
{
    fixture_t *self = *state;
    const char *const names [] = { "a", "b", "c" };
    for (size_t index = 0; index < 3; index++)
        s_node (self, names [index], 1, 0);
    process_t driver = s_driver (self), other = s_driver_with (self, 2, "", 0);
    s_submit (self, driver, 3);
    s_run (self);
    for (size_t index = 0; index < 3; index++)
        s_done (self, &self->given [index], 100 * CLOCK_US);
    s_submit (self, driver, 6);
    s_run (self);
    process_t stuck = self->given [0].worker, first = self->given [1].worker;
    for (size_t round = 0; round < 2; round++)
        for (size_t index = 3; index < self->given_count; index++)
            if (self->given [index].worker != stuck && !self->given [index].done
                && (self->given [index].worker == first) == (round == 0))
                s_done (self, &self->given [index], 100 * CLOCK_US);
    options_t options = s_asking ("cpus", 1);
    options.placement = PLACE_NODE;
    options.node = s_node_of (self, first);
    s_submit_with (self, other, &options, 0);
    s_run (self);
    assert_int_equal (s_running (self, other), 1);
    s_forget (self);
    self->now += 3 * CLOCK_MS;
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_RECALL, stuck), 1);
}

/*  They keep what nobody else could run. When somebody can, they get nothing
    more before they go on.                                                 */
static void
test_the_stuck_get_nothing_more (void **state)
{
    fixture_t *self = *state;
    process_t stuck [2];
    s_node (self, "a", 2, 0);
    process_t driver = s_stuck_driver (self, stuck);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_RECALL, 0), 0);
    s_node (self, "b", 1, 0);
    s_recall (self, 200 * CLOCK_MS);
    s_submit (self, driver, 1);
    s_recall (self, 200 * CLOCK_MS);
    assert_int_equal (s_given_count (self, stuck [0]), 1);
    assert_int_equal (s_given_count (self, stuck [1]), 1);
    assert_int_equal (s_running (self, driver) + head_counts (self->head).ready, 7);
    for (size_t index = 0; index < self->given_count; index++)
        if (!self->given [index].done && self->given [index].worker == stuck [1])
            s_done (self, &self->given [index], CLOCK_MS);
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
    s_node (self, "a", 3, 0);
    process_t driver = s_driver (self);
    s_submit (self, driver, 2);
    s_run (self);
    process_t worker = self->given [0].worker;
    head_slots (self->head, worker, 1);
    s_submit (self, driver, 1);
    s_run (self);
    assert_int_equal (s_given_count (self, worker), 2);
    head_slots (self->head, worker, 0);
    s_pass (self, SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_RECALL, worker), 1);
    head_returned (self->head, self->now, worker, NULL, 0);
    s_pass (self, 2 * SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_RECALL, worker), 1);
}

static void
test_a_job_ends_with_its_driver (void **state)
{
    fixture_t *self = *state;
    process_t node = s_node (self, "a", 4, 0);
    process_t driver = s_driver (self);
    options_t stays = { .flags = OPTIONS_DETACHED, .bundle = BUNDLE_ANY };
    s_submit (self, driver, 2);
    s_run (self);
    process_t worker = self->given [0].worker;
    tid_t child
        = s_submit_with (self, worker, NULL, task_target (1, self->given [0].lease, 0));
    s_run (self);
    assert_non_null (s_given_to (self, child));
    tid_t actor = s_spawn (self, driver, "kept", &stays);
    tid_t mortal = s_spawn (self, worker, "mortal", NULL);
    s_run (self);
    process_t home = s_actor (self, actor).worker;
    assert_true (home != 0);
    head_actor_up (self->head, home, actor, 7, 1);
    head_lost (self->head, self->now, driver, "killed", NULL);
    s_run (self);
    /*  The worker that goes on with the actor was told to end its task.    */
    assert_true (head_counts (self->head).tasks <= 1);
    for (size_t index = 0; index < self->given_count; index++)
        s_done (self, &self->given [index], CLOCK_MS);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (s_actor (self, mortal).job, 0);
    assert_int_equal (s_actor (self, actor).worker, home);
    assert_int_equal (s_logged (self, HEAD_JOB_ENDED, 0), 0);
    process_t other = s_driver (self);
    head_find (self->head, other, (tid_t){ other, 5 }, NULL, "kept", 4);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_FOUND, other), 1);
    head_actor_down (self->head, home, actor);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_JOB_ENDED, 0), 1);
    s_pass (self, 40 * SECOND, 0);
    assert_int_equal (s_workers_on (self, node), 0);
}

static void
test_namespaces (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 0);
    process_t one = s_driver_with (self, 1, "one", 0), two = s_driver_with (self, 1, "two", 0);
    options_t any = { .flags = OPTIONS_GET_OR_CREATE, .bundle = BUNDLE_ANY };
    tid_t first = s_spawn (self, one, "index", NULL);
    tid_t second = s_spawn (self, two, "index", NULL);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 0);
    assert_string_equal (s_actor (self, second).space, "two");
    s_spawn (self, one, "index", NULL);
    s_run (self);
    assert_int_equal (self->code, TROUPE_EEXISTS);
    s_forget (self);
    s_spawn (self, one, "index", &any);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_FOUND, one), 0);
    head_actor_up (self->head, s_actor (self, first).worker, first, 3, 1);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_FOUND, one), 1);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 0);
    head_find (self->head, two, (tid_t){ two, 800 }, "one", "index", 5);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_FOUND, two), 1);
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
            s_done (self, given, 30 * CLOCK_MS);
        }
        self->given_count = 0;
        self->log_count = 0;
        s_run (self);
    }
}

static void
test_a_flood_starves_nobody (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 0);
    process_t flood = s_driver_with (self, 1, "", 0), other = s_driver_with (self, 2, "", 0);
    s_submit (self, flood, 2000);
    s_run (self);
    assert_int_equal (s_running (self, flood), 4);
    s_submit (self, other, 200);
    s_run (self);
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
    s_node (self, "a", 2, 0);
    s_node (self, "b", 2, 0);
    s_node (self, "c", 2, 0);
    process_t one = s_driver_of (self, 1, "", 0, 1), five = s_driver_of (self, 1, "", 0, 5);
    s_submit (self, one, 1000);
    s_run (self);
    assert_int_equal (s_running (self, one), 6);
    s_submit (self, five, 1000);
    s_run (self);
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
    s_node (self, "a", 2, 0);
    process_t low = s_driver_with (self, 1, "", 0), high = s_driver_with (self, 2, "", 5);
    s_submit (self, low, 500);
    s_run (self);
    s_submit (self, high, 20);
    s_run (self);
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
    s_node (self, "a", 1, 0);
    process_t driver = s_driver (self);
    head_configure (self->head, &(head_settings_t){ .job_tasks = 3 });
    s_submit (self, driver, 4);
    s_run (self);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "3 tasks"));
    assert_int_equal (s_logged (self, HEAD_FAULT, driver), 1);
    head_configure (self->head, &(head_settings_t){ .job_bytes = 100 });
    s_forget (self);
    s_submit (self, driver, 1);
    s_run (self);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "100 bytes"));
}

/*  --- demands ----------------------------------------------------------  */

static void
test_demands_are_held (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 0);
    process_t gpus = s_node (self, "b", 4, 2);
    process_t driver = s_driver (self);
    options_t one = s_asking ("gpus", 1), half = s_asking ("gpus", 0.5);
    tid_t ids [4];
    for (size_t index = 0; index < 3; index++)
        ids [index] = s_submit_with (self, driver, &one, 0);
    s_run (self);
    assert_int_equal (s_running (self, driver), 2);
    assert_int_equal (s_used (self, "gpus"), 20000);
    assert_int_equal (s_node_of (self, s_given_to (self, ids [0])->worker), gpus);
    /*  What fits overtakes what does not.                                  */
    s_submit (self, driver, 1);
    s_run (self);
    assert_int_equal (s_running (self, driver), 3);
    s_done (self, s_given_to (self, ids [0]), CLOCK_MS);
    ids [3] = s_submit_with (self, driver, &half, 0);
    s_run (self);
    assert_non_null (s_given_to (self, ids [2]));
    assert_null (s_given_to (self, ids [3]));
    s_done (self, s_given_to (self, ids [1]), CLOCK_MS);
    s_run (self);
    assert_non_null (s_given_to (self, ids [3]));
    assert_int_equal (s_used (self, "gpus"), 15000);
    s_done (self, s_given_to (self, ids [2]), CLOCK_MS);
    s_done (self, s_given_to (self, ids [3]), CLOCK_MS);
    assert_int_equal (s_used (self, "gpus"), 0);
}

static void
test_a_waiting_task_lends_its_cpus (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    process_t driver = s_driver (self);
    options_t both = s_asking ("cpus", 2);
    tid_t outer = s_submit_with (self, driver, &both, 0);
    s_run (self);
    given_t *given = s_given_to (self, outer);
    assert_int_equal (s_used (self, "cpus"), 20000);
    tid_t inner [2];
    for (size_t index = 0; index < 2; index++)
        inner [index]
            = s_submit_with (self, given->worker, NULL, task_target (1, given->lease, 0));
    s_run (self);
    assert_null (s_given_to (self, inner [0]));
    head_slots (self->head, given->worker, 1);
    s_run (self);
    assert_non_null (s_given_to (self, inner [0]));
    assert_non_null (s_given_to (self, inner [1]));
    assert_int_equal (s_used (self, "cpus"), 20000);
    /*  It goes on before its children are done: there is a debt.           */
    head_slots (self->head, given->worker, 0);
    s_checked (self);
    assert_int_equal (s_used (self, "cpus"), 20000);
    s_done (self, s_given_to (self, inner [0]), CLOCK_MS);
    s_done (self, s_given_to (self, inner [1]), CLOCK_MS);
    s_run (self);
    assert_int_equal (s_used (self, "cpus"), 20000);
    s_done (self, s_given_to (self, outer), CLOCK_MS);
    s_run (self);
    assert_int_equal (s_used (self, "cpus"), 0);
}

static void
test_what_never_fits_fails (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 1);
    process_t driver = s_driver (self);
    options_t four = s_asking ("gpus", 4), strange = s_asking ("fpga", 1);
    s_submit_with (self, driver, &four, 0);
    s_pass (self, 9 * SECOND, 0);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 0);
    s_pass (self, 2 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_string_equal (self->fault, "work: no node has gpus 4: the most is gpus 1 (node a)");
    s_submit_with (self, driver, &strange, 0);
    s_pass (self, 5 * SECOND, 0);
    process_t late = head_join (self->head, self->now, ROLE_NODE, 0, "late");
    resource_t has [] = { { "fpga", 4, 10000 }, { "cpus", 4, 10000 } };
    assert_int_equal (head_node_join (self->head, self->now, late, "late", has, 2), 0);
    s_run (self);
    assert_int_equal (s_running (self, driver), 1);
}

static void
test_no_node_at_all (void **state)
{
    fixture_t *self = *state;
    process_t driver = s_driver (self);
    s_submit (self, driver, 1);
    s_pass (self, 12 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_string_equal (self->fault, "work: no node has cpus 1: the most is cpus 0");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_actors_hold_what_they_ask_for (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 2);
    process_t driver = s_driver (self);
    options_t two = s_asking ("gpus", 2);
    tid_t first = s_spawn (self, driver, "", &two), second = s_spawn (self, driver, "", &two);
    s_run (self);
    assert_int_equal (s_used (self, "gpus"), 20000);
    assert_true (s_actor (self, first).worker != 0);
    assert_true (s_actor (self, second).worker == 0);
    head_actor_down (self->head, s_actor (self, first).worker, first);
    s_run (self);
    assert_true (s_actor (self, second).worker != 0);
    head_lost (self->head, self->now, s_actor (self, second).worker, "crash", NULL);
    s_run (self);
    assert_int_equal (s_used (self, "gpus"), 0);
    assert_int_equal (self->code, TROUPE_ELOST);
}

static void
test_actors_spread_over_workers (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 2, 0), b = s_node (self, "b", 2, 0);
    process_t driver = s_driver (self);
    for (int count = 0; count < 8; count++)
        s_spawn (self, driver, "", NULL);
    s_run (self);
    assert_int_equal (s_workers_on (self, a), 2);
    assert_int_equal (s_workers_on (self, b), 2);
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
    process_t nodes [3]
        = { s_node (self, "a", 8, 0), s_node (self, "b", 8, 0), s_node (self, "c", 8, 0) };
    process_t driver = s_driver (self);
    options_t two = s_asking ("cpus", 2);
    for (int count = 0; count < 6; count++) {
        s_submit_with (self, driver, &two, 0);
        s_run (self);
    }
    for (int index = 0; index < 3; index++)
        assert_int_equal (s_workers_on (self, nodes [index]), 2);
    options_t one = s_asking ("cpus", 0.5);
    one.placement = PLACE_SPREAD;
    for (int count = 0; count < 3; count++) {
        s_submit_with (self, driver, &one, 0);
        s_run (self);
    }
    for (int index = 0; index < 3; index++)
        assert_int_equal (s_workers_on (self, nodes [index]), 3);
}

static void
test_a_node_by_name (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 1, 0);
    process_t b = s_node (self, "b", 1, 0);
    process_t driver = s_driver (self);
    options_t hard = { .placement = PLACE_NODE, .node_name = "b", .node_name_length = 1 };
    options_t soft = { .placement = PLACE_NODE_SOFT, .node = b };
    tid_t first = s_submit_with (self, driver, &hard, 0);
    tid_t second = s_submit_with (self, driver, &hard, 0);
    s_run (self);
    assert_int_equal (s_node_of (self, s_given_to (self, first)->worker), b);
    assert_null (s_given_to (self, second));
    tid_t third = s_submit_with (self, driver, &soft, 0);
    s_run (self);
    assert_true (s_node_of (self, s_given_to (self, third)->worker) != b);
    s_done (self, s_given_to (self, first), CLOCK_MS);
    s_run (self);
    assert_int_equal (s_node_of (self, s_given_to (self, second)->worker), b);
    hard.node_name = "z";
    s_submit_with (self, driver, &hard, 0);
    s_pass (self, 12 * SECOND, 0);
    assert_string_equal (self->fault, "work: node z is not in the cluster");
}

static void
test_a_name_is_taken (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 1, 0);
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
                s_done (self, &self->given [index], 30 * CLOCK_MS);
                ended++;
            }
        s_pass (self, SECOND / 2, 0);
        if (s_running (self, driver))
            return step;
    }
    return -1;
}

static void
test_large_demands_get_their_turn (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 0);
    process_t flood = s_driver_with (self, 1, "", 0), other = s_driver_with (self, 2, "", 0);
    const options_t large = s_asking ("cpus", 4);
    s_submit (self, flood, 1000);
    s_run (self);
    s_submit_with (self, other, &large, 0);
    s_submit_with (self, other, &large, 0);
    for (int turn = 0; turn < 2; turn++) {
        int steps = s_until_given (self, flood, other, 20, true);
        assert_in_range (steps, turn ? 0 : 3, 8);
        assert_int_equal (s_running (self, other), 1);
        assert_int_equal (s_running (self, flood), 0);
        for (size_t index = 0; index < self->given_count; index++)
            if (self->given [index].id.owner == other && !self->given [index].done)
                s_done (self, &self->given [index], CLOCK_MS);
        s_run (self);
    }
    s_pass (self, SECOND, 0);
    assert_int_equal (s_running (self, flood), 4);
}

/*  A higher priority is not held up; what never ends is not waited for so long
    that the others get nothing.                                            */
static void
test_a_kept_node_is_opened_again (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 4, 0);
    process_t flood = s_driver_with (self, 1, "", 0), other = s_driver_with (self, 2, "", 0);
    process_t urgent = s_driver_with (self, 3, "", 5);
    const options_t large = s_asking ("cpus", 4);
    s_submit (self, flood, 1000);
    s_run (self);
    s_submit_with (self, other, &large, 0);
    /*  The first task of the flood never ends.                             */
    assert_int_equal (s_until_given (self, flood, other, 10, false), -1);
    assert_int_equal (s_running (self, flood), 1);
    s_submit (self, urgent, 3);
    s_pass (self, SECOND / 2, 0);
    assert_int_equal (s_running (self, urgent), 3);
    for (size_t index = 0; index < self->given_count; index++)
        if (self->given [index].id.owner == urgent)
            s_done (self, &self->given [index], CLOCK_MS);
    s_pass (self, SECOND / 2, 0);
    assert_int_equal (s_running (self, flood), 1);
    s_pass (self, 10 * SECOND, 0);
    assert_int_equal (s_running (self, flood), 4);
    assert_int_equal (s_until_given (self, flood, other, 60, false), -1);
    /*  When it does end, the turn comes.                                   */
    assert_true (s_until_given (self, flood, other, 100, true) >= 0);
}

static void
test_a_large_actor_gets_its_turn (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 2, 0);
    process_t flood = s_driver_with (self, 1, "", 0), other = s_driver_with (self, 2, "", 0);
    const options_t large = s_asking ("cpus", 2);
    s_submit (self, flood, 1000);
    s_run (self);
    s_spawn (self, other, "", &large);
    for (int step = 0; step < 20 && !s_logged (self, HEAD_SPAWN, 0); step++) {
        for (size_t index = 0; index < self->given_count; index++)
            if (!self->given [index].done) {
                s_done (self, &self->given [index], 30 * CLOCK_MS);
                break;
            }
        s_pass (self, SECOND / 2, 0);
    }
    assert_int_equal (s_logged (self, HEAD_SPAWN, 0), 1);
    assert_int_equal (s_running (self, flood), 0);
    head_lost (self->head, self->now, a, "gone", NULL);
    s_run (self);
}

/*  --- groups -----------------------------------------------------------  */

static tid_t
s_group (fixture_t *self, process_t owner, group_strategy_t strategy, double cpus, size_t count)
{
    options_t bundles [16];
    for (size_t index = 0; index < count; index++)
        bundles [index] = s_asking ("cpus", cpus);
    tid_t id = { owner, ++self->sequence };
    head_group (self->head, self->now, id, strategy, bundles, count);
    s_checked (self);
    return id;
}

static void
test_groups_are_reserved_whole (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    s_node (self, "b", 2, 0);
    process_t driver = s_driver (self);
    tid_t spread = s_group (self, driver, GROUP_STRICT_SPREAD, 1, 2);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_PLACED, driver), 1);
    assert_int_equal (s_used (self, "cpus"), 20000);
    tid_t pack = s_group (self, driver, GROUP_STRICT_PACK, 1, 2);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_PLACED, driver), 1);
    assert_int_equal (s_used (self, "cpus"), 20000);
    head_group_end (self->head, spread);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_PLACED, driver), 2);
    head_group_end (self->head, pack);
    s_run (self);
    assert_int_equal (s_used (self, "cpus"), 0);
    s_group (self, driver, GROUP_STRICT_SPREAD, 1, 3);
    s_pass (self, 12 * SECOND, 0);
    assert_int_equal (self->code, TROUPE_ELIMIT);
    assert_non_null (strstr (self->fault, "strict_spread"));
    assert_int_equal (head_counts (self->head).groups, 0);
}

static void
test_tasks_in_a_bundle (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    process_t b = s_node (self, "b", 4, 0);
    process_t driver = s_driver (self);
    tid_t group = s_group (self, driver, GROUP_STRICT_PACK, 2, 2);
    s_run (self);
    options_t options = { .placement = PLACE_GROUP, .group = group, .bundle = 1 };
    tid_t ids [4];
    for (size_t index = 0; index < 3; index++)
        ids [index] = s_submit_with (self, driver, &options, 0);
    s_run (self);
    assert_int_equal (s_running (self, driver), 2);
    assert_int_equal (s_node_of (self, s_given_to (self, ids [0])->worker), b);
    assert_int_equal (s_used (self, "cpus"), 40000);
    options.bundle = BUNDLE_ANY;
    tid_t actor = s_spawn (self, driver, "", &options);
    ids [3] = s_submit_with (self, driver, &options, 0);
    s_run (self);
    assert_non_null (s_given_to (self, ids [3]));
    assert_int_equal (s_actor (self, actor).node, b);
    head_group_end (self->head, group);
    s_run (self);
    assert_int_equal (self->code, TROUPE_EENDED);
    assert_int_equal (s_actor (self, actor).job, 0);
    assert_int_equal (s_used (self, "cpus"), 30000);
    s_done (self, s_given_to (self, ids [0]), CLOCK_MS);
    s_done (self, s_given_to (self, ids [1]), CLOCK_MS);
    s_done (self, s_given_to (self, ids [3]), CLOCK_MS);
    assert_int_equal (s_used (self, "cpus"), 0);
}

static void
test_a_bundle_moves_from_a_lost_node (void **state)
{
    fixture_t *self = *state;
    process_t a = s_node (self, "a", 1, 0);
    s_node (self, "b", 1, 0);
    process_t driver = s_driver (self);
    tid_t group = s_group (self, driver, GROUP_STRICT_SPREAD, 1, 2);
    s_run (self);
    head_lost (self->head, self->now, a, "gone", NULL);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_PLACED, driver), 1);
    process_t c = s_node (self, "c", 1, 0);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_PLACED, driver), 2);
    options_t options = { .placement = PLACE_GROUP, .group = group, .bundle = 0 };
    tid_t id = s_submit_with (self, driver, &options, 0);
    s_run (self);
    assert_int_equal (s_node_of (self, s_given_to (self, id)->worker), c);
    head_lost (self->head, self->now, driver, "end", NULL);
    s_run (self);
    assert_int_equal (head_counts (self->head).groups, 0);
    assert_int_equal (s_used (self, "cpus"), 0);
}

/*  --- cancelling -------------------------------------------------------  */

static void
test_cancel_reaches_the_children (void **state)
{
    fixture_t *self = *state;
    s_node (self, "a", 2, 0);
    process_t driver = s_driver (self);
    tid_t root = s_submit_with (self, driver, NULL, 0);
    s_run (self);
    given_t *given = s_given_to (self, root);
    process_t worker = given->worker;
    tid_t child = s_submit_with (self, worker, NULL, task_target (1, given->lease, 0));
    s_run (self);
    given_t *below = s_given_to (self, child);
    tid_t queued
        = s_submit_with (self, below->worker, NULL, task_target (2, below->lease, 0));
    tid_t other = s_submit_with (self, worker, NULL, task_target (1, 12345, 0));
    s_run (self);
    s_forget (self);
    head_cancel (self->head, root);
    s_run (self);
    assert_int_equal (s_logged (self, HEAD_CANCEL, 0), 2);
    assert_int_equal (s_logged (self, HEAD_FAULT, 0), 2);
    assert_int_equal (self->code, TROUPE_ECANCELLED);
    assert_false (head_knows (self->head, queued));
    assert_true (head_knows (self->head, other));
}

int
main (void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)
    const struct CMUnitTest tests [] = {
        TEST (test_workers_on_demand),
        TEST (test_no_worker_is_asked_for_twice),
        TEST (test_workers_that_cannot_start),
        TEST (test_one_node_that_cannot_start),
        TEST (test_a_node_is_lost),
        TEST (test_a_silent_node),
        TEST (test_a_closed_connection),
        TEST (test_near_its_arguments),
        TEST (test_drain),
        TEST (test_drain_all),
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
        TEST (test_cancel_reaches_the_children),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
