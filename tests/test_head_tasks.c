/*  test_head_tasks.c - the head's state machine: who is given which task, what
    it is called, and how it is cancelled or called back                     */

#include "tests/head_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  --- dispatch ---------------------------------------------------------  */

static void
test_least_loaded (void **state)
{
    fixture_t *self = *state;
    process_t first = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, first, self->alpha, 50 * CLOCK_US);
    process_t second = fixture_worker (self, 1, "worker 2");
    process_t third = fixture_worker (self, 1, "worker 3");
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, first), 2);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, second), 2);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, third), 2);
    uint32_t one = fixture_lease (self, second, 0, NULL),
             two = fixture_lease (self, second, 1, NULL);
    fixture_done (self, second, one, 50 * CLOCK_US);
    fixture_done (self, second, two, 50 * CLOCK_US);
    fixture_submit (self, self->alpha, 7);
    fixture_submit (self, self->alpha, 8);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, second, 0, 7);
    fixture_expect_dispatch (self, second, 1, 8);
}

static void
test_equals_take_turns (void **state)
{
    fixture_t *self = *state;
    process_t workers [4];
    for (size_t index = 0; index < 4; index++)
        workers [index] = fixture_worker (self, 1, "worker");
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    for (size_t index = 0; index < 4; index++)
        fixture_expect_dispatch (self, workers [index], 0, index + 1);
}

static void
test_first_come_first_served (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    const uint32_t functions [] = { self->alpha, self->beta, self->beta, self->alpha };
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        fixture_submit (self, functions [sequence - 1], sequence);
    for (uint64_t sequence = 1; sequence <= 4; sequence++) {
        uint64_t sent;
        fixture_dispatch (self);
        assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 1);
        uint32_t lease = fixture_lease (self, worker, 0, &sent);
        assert_int_equal (sent, sequence);
        fixture_done (self, worker, lease, SECOND);
    }
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).task_bytes, 0);
}

static void
test_deeper_first (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_submit_deep (self, self->alpha, 1, 0);
    fixture_submit_deep (self, self->beta, 2, 1);
    fixture_submit_deep (self, self->alpha, 3, 7);
    fixture_submit_deep (self, self->alpha, 4, 7);
    fixture_submit_deep (self, self->beta, 5, UINT32_MAX);
    static const uint64_t expected [] = { 5, 3, 4, 2, 1 };
    for (size_t index = 0; index < 5; index++) {
        uint64_t sent;
        fixture_dispatch (self);
        uint32_t lease = fixture_lease (self, worker, 0, &sent);
        assert_int_equal (sent, expected [index]);
        fixture_done (self, worker, lease, SECOND);
    }
}

static void
test_slots_are_credit (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 3, "worker 1");
    for (uint64_t sequence = 1; sequence <= 5; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 3);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 0);
    head_counts_t counts = head_counts (self->head);
    assert_int_equal (counts.leased, 3);
    assert_int_equal (counts.ready, 2);
    assert_int_equal (counts.workers, 1);
    assert_int_equal (counts.peers, 2);
}

/*  How many tasks go to one worker at once, when the function took so long. */
static size_t
s_credit_after (fixture_t *self, uint32_t function, int64_t duration)
{
    process_t worker = fixture_worker (self, 1, "worker");
    fixture_teach (self, worker, function, duration);
    for (uint64_t sequence = 1; sequence <= 600; sequence++)
        fixture_submit (self, function, sequence);
    fixture_dispatch (self);
    size_t credit = fixture_count (self, HEAD_DISPATCH, worker);
    fixture_lost (self, worker, NULL);
    for (uint64_t sequence = 1; sequence <= 600; sequence++)
        head_cancel (self->head, fixture_id (self, sequence));
    assert_int_equal (head_counts (self->head).tasks, 0);
    return credit;
}

static void
test_prefetch_grows_with_speed (void **state)
{
    fixture_t *self = *state;
    static const struct { int64_t duration; size_t credit; } cases [] = {
        { SECOND, 1 },                  /*  slow: nothing is sent ahead     */
        { 9 * CLOCK_MS, 1 },
        { 4 * CLOCK_MS, 2 },
        { 1000 * CLOCK_US, 2 },
        { 400 * CLOCK_US, 2 },
        { 64 * 1600, 9 },
        { 64 * 625, 25 },
        { 64, 512 },                    /*  the most                        */
        { 0, 512 },
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases [0]; index++) {
        char name [16];
        int length = snprintf (name, sizeof name, "case%zu", index);
        uint32_t function = head_function (self->head, 0, name, (size_t) length);
        self->beta = function;          /*  so that workers offer it        */
        size_t credit = s_credit_after (self, function, cases [index].duration);
        assert_int_equal (credit, cases [index].credit);
    }
}

static void
test_unknown_duration_is_not_sent_ahead (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, worker, self->alpha, 10 * CLOCK_US);
    fixture_submit (self, self->beta, 1);
    fixture_submit (self, self->beta, 2);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 1);
    /*  One that is known to be short is sent ahead all the same.           */
    fixture_submit (self, self->alpha, 3);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 1);
    fixture_expect_dispatch (self, worker, 0, 3);
}

static void
test_bytes_are_credit (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, worker, self->alpha, 10 * CLOCK_US);
    record_t record = fixture_task (self, self->alpha, 0);
    record.body_size = 9 << 20;
    uint8_t *body = calloc (1, record.body_size);
    record.body = body;
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        record.id = fixture_id (self, sequence);
        fixture_submit_record (self, &record, NULL, 0);
    }
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 2);
    free (body);
}

/*  A worker that was filled up gets the next batch when most is done, but
    never has a slot that stands empty.                                     */
static void
test_refill_by_the_batch (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, worker, self->alpha, 64 * 1400);
    for (uint64_t sequence = 1; sequence <= 40; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 11);
    uint32_t leases [11];
    for (size_t n = 0; n < 11; n++)
        leases [n] = fixture_lease (self, worker, n, NULL);
    for (size_t n = 0; n < 8; n++) {
        fixture_done (self, worker, leases [n], 64 * 1400);
        fixture_dispatch (self);
        assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 0);
    }
    fixture_done (self, worker, leases [8], 64 * 1400);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 9);
    /*  Tasks that wait inside lend their slots at once.                    */
    head_slots (self->head, worker, 11);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 11);
}

static void
test_leases_have_an_end (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 100000, "worker 1");
    for (uint64_t sequence = 1; sequence <= LEASES_MAX + 10; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), LEASES_MAX);
}

static void
test_only_to_those_that_offer (void **state)
{
    fixture_t *self = *state;
    process_t other = head_join (self->head, self->now, ROLE_WORKER, 1, "worker 1");
    assert_int_equal (head_offer (self->head, other, self->beta), 0);
    fixture_submit (self, self->alpha, 1);
    fixture_submit (self, self->beta, 2);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    fixture_expect_dispatch (self, other, 0, 2);
    process_t fitting = fixture_worker (self, 1, "worker 2");
    fixture_dispatch (self);
    fixture_expect_dispatch (self, fitting, 0, 1);
}

static void
test_blocked_slots_are_lent (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, worker, 0, 1);
    head_slots (self->head, worker, 1);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 1);
    fixture_expect_dispatch (self, worker, 0, 2);
    head_slots (self->head, worker, 0);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 0);
    head_slots (self->head, worker, UINT32_MAX);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, worker, 0, 3);
}

static void
test_record_of_a_task (void **state)
{
    fixture_t *self = *state;
    fixture_worker (self, 1, "worker 1");
    record_t record = fixture_task (self, self->beta, 1);
    record.target = (uint64_t) 5 << 32 | 3;
    record.deadline = 250;
    fixture_submit_record (self, &record, NULL, 0);
    self->now += 50 * CLOCK_MS;
    fixture_dispatch (self);
    record_t sent = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, 0, 0));
    assert_int_equal (sent.type, RECORD_TASK);
    assert_int_equal (sent.number, self->beta);
    assert_int_equal (sent.target >> 32, 5);
    assert_true ((uint32_t) sent.target != 0);
    assert_int_equal (sent.deadline, 200);
    assert_int_equal (sent.body_size, record.body_size);
    assert_memory_equal (sent.body, record.body, record.body_size);
    assert_int_equal (sent.attachments, 0);
}

static void
test_deadline_before_the_start (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_submit (self, self->alpha, 1);
    record_t record = fixture_task (self, self->alpha, 2);
    record.deadline = 100;
    fixture_submit_record (self, &record, NULL, 0);
    fixture_submit (self, self->alpha, 3);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, worker, 0, NULL);
    self->now += 100 * CLOCK_MS;
    fixture_done (self, worker, lease, 100 * CLOCK_MS);
    fixture_dispatch (self);
    fixture_expect_fault (self, 2, TROUPE_ETIMEOUT, "alpha: deadline passed before it started");
    fixture_expect_dispatch (self, worker, 0, 3);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
}

/*  --- names ------------------------------------------------------------  */

static void
s_submit_named (fixture_t *self, uint64_t sequence, const char *name)
{
    uint8_t body [64] = { 0 };
    record_t record = fixture_task (self, 0, sequence);
    record.flags = RECORD_BY_NAME;
    record.extra = (uint16_t) strlen (name);
    memcpy (body, name, record.extra);
    size_t prefix = (record.extra + 7u) & ~7u;
    body [prefix] = 0x90;
    record.body = body;
    record.body_size = (uint32_t) prefix + 1;
    head_actions_clear (self->head);
    fixture_submit_record (self, &record, NULL, 0);
}

static void
test_by_name (void **state)
{
    fixture_t *self = *state;
    fixture_worker (self, 1, "worker 1");
    s_submit_named (self, 1, "beta");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 0);
    fixture_dispatch (self);
    record_t sent = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, 0, 0));
    assert_int_equal (sent.number, self->beta);
    assert_int_equal (sent.flags, 0);
    assert_int_equal (sent.body_size, 1);
    assert_int_equal (sent.body [0], 0x90);
}

static void
test_unknown_names (void **state)
{
    fixture_t *self = *state;
    fixture_worker (self, 1, "worker 1");
    s_submit_named (self, 1, "gamma");
    fixture_expect_fault (self, 1, TROUPE_ENAME, "unknown task 'gamma': no worker offers it");
    head_function (self->head, 0, "delta", 5);
    s_submit_named (self, 2, "delta");
    fixture_expect_fault (self, 2, TROUPE_ENAME, "unknown task 'delta': no worker offers it");
    head_actions_clear (self->head);
    fixture_submit (self, 99, 3);
    fixture_expect_fault (self, 3, TROUPE_ENAME, "unknown task number 99");
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_string_equal (head_function_name (self->head, self->alpha), "alpha");
    assert_string_equal (head_function_name (self->head, 0), "unknown");
    assert_string_equal (head_function_name (self->head, 99), "unknown");
    assert_int_equal (head_function (self->head, 0, "alpha", 5), self->alpha);
}

static void
test_name_beyond_the_body (void **state)
{
    fixture_t *self = *state;
    record_t record = fixture_task (self, 0, 1);
    record.flags = RECORD_BY_NAME;
    record.extra = 4000;
    fixture_submit_record (self, &record, NULL, 0);
    fixture_expect_fault (self, 1, TROUPE_EPROTOCOL, "malformed task: its name exceeds it");
}

/*  --- demands ----------------------------------------------------------  */

/*  Its node has as many cpus as its workers have slots.                    */
static void
test_demands_in_an_embedded_cluster (void **state)
{
    fixture_t *self = *state;
    options_t both = { .flags = OPTIONS_RESOURCES,
                       .count = 1,
                       .resources = { { "cpus", 4, 2 * RESOURCE_UNIT } } };
    bytes_t body = { 0 };
    process_t first = fixture_worker (self, 1, "worker 1"),
              second = fixture_worker (self, 1, "worker 2");
    fixture_submit (self, self->alpha, 1);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, first, 0, NULL);
    assert_int_equal (options_write (&body, &both), 0);
    record_t record = fixture_task (self, self->beta, 2);
    record.flags = RECORD_OPTIONS;
    record.body = body.data;
    record.body_size = (uint32_t) body.size;
    fixture_submit_record (self, &record, NULL, 0);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 0);
    /*  A task of one cpu overtakes it.                                     */
    fixture_submit (self, self->alpha, 3);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, second, 0, 3);
    fixture_done (self, second, fixture_lease (self, second, 0, NULL), CLOCK_MS);
    fixture_done (self, first, lease, CLOCK_MS);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    record = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, 0, 0));
    assert_int_equal (record.id.sequence, 2);
    assert_int_equal (record.body_size, 0);
    /*  Both cpus are held, by one worker: the other is idle, and waits.    */
    fixture_submit (self, self->alpha, 4);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 0);
    body.data [8 * 5] ^= 1;
    body.data [0] = 7;
    record = fixture_task (self, self->beta, 5);
    record.flags = RECORD_OPTIONS;
    record.body = body.data;
    record.body_size = (uint32_t) body.size;
    head_actions_clear (self->head);
    fixture_submit_record (self, &record, NULL, 0);
    fixture_expect_fault (self, 5, TROUPE_EPROTOCOL, "beta: malformed options");
    bytes_release (&body);
}

/*  --- cancelling -------------------------------------------------------  */

static void
test_cancel_before_the_start (void **state)
{
    fixture_t *self = *state;
    tid_t needed = fixture_id (self, 100);
    fixture_submit (self, self->alpha, 1);
    fixture_submit_waiting (self, 2, &needed, 1);
    head_cancel (self->head, fixture_id (self, 1));
    fixture_check (self);
    head_cancel (self->head, fixture_id (self, 2));
    fixture_check (self);
    head_cancel (self->head, fixture_id (self, 3));
    fixture_check (self);
    fixture_value (self, needed, "for nobody");
    fixture_worker (self, 1, "worker 1");
    fixture_dispatch (self);
    size_t count;
    head_actions (self->head, &count);
    assert_int_equal (count, 0);
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_cancel_with_the_worker (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 4, "worker 1");
    uint32_t leases [4];
    uint64_t sequence;
    for (sequence = 1; sequence <= 4; sequence++)
        fixture_submit_retrying (self, self->alpha, sequence, 3);
    fixture_dispatch (self);
    for (size_t n = 0; n < 4; n++) {
        leases [n] = fixture_lease (self, worker, n, &sequence);
        assert_int_equal (sequence, n + 1);
    }
    head_actions_clear (self->head);
    for (sequence = 1; sequence <= 3; sequence++)
        head_cancel (self->head, fixture_id (self, sequence));
    head_cancel (self->head, fixture_id (self, 1));
    assert_int_equal (fixture_count (self, HEAD_CANCEL, worker), 3);
    assert_true (
        tid_equal (fixture_action (self, HEAD_CANCEL, worker, 1)->id, fixture_id (self, 2)));
    fixture_done (self, worker, leases [0], SECOND);
    fixture_returned (self, worker, &leases [1], 1);
    assert_int_equal (head_counts (self->head).tasks, 2);
    fixture_lost (self, worker, NULL);
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 0);
    /*  Of the four, only the one not cancelled runs again.                 */
    assert_int_equal (head_counts (self->head).tasks, 1);
    process_t second = fixture_worker (self, 4, "worker 2");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    fixture_expect_dispatch (self, second, 0, 4);
}

/*  What never ran says nothing about how long its function takes.          */
static void
test_cancelled_teach_nothing (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_submit (self, self->alpha, 1);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, worker, 0, NULL);
    head_cancel (self->head, fixture_id (self, 1));
    fixture_done (self, worker, lease, 0);
    fixture_submit (self, self->alpha, 2);
    fixture_submit (self, self->alpha, 3);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, worker), 1);
}

/*  --- recall -----------------------------------------------------------  */

static void
test_recall_of_the_stuck (void **state)
{
    fixture_t *self = *state;
    process_t stuck = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, stuck, self->alpha, 100 * CLOCK_US);
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, stuck), 4);
    uint32_t leases [4];
    for (size_t n = 0; n < 4; n++)
        leases [n] = fixture_lease (self, stuck, n, NULL);
    /*  Nobody else is idle: there is no use in calling back.               */
    self->now += 100 * CLOCK_MS;
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, 0), 0);
    process_t idle = fixture_worker (self, 1, "worker 2");
    assert_true (head_due (self->head, self->now) <= self->now + 2 * CLOCK_MS);
    fixture_dispatch (self);
    assert_int_equal (fixture_action (self, HEAD_RECALL, stuck, 0)->number, 3);
    self->now += 100 * CLOCK_MS;
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, 0), 0);
    fixture_returned (self, stuck, &leases [1], 3);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, idle, 0, 2);
    /*  What is left goes where there is credit, in order.                  */
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 3);
}

static void
test_recall_asks_again (void **state)
{
    fixture_t *self = *state;
    process_t stuck = fixture_worker (self, 1, "worker 1");
    fixture_teach (self, stuck, self->alpha, 100 * CLOCK_US);
    fixture_submit (self, self->alpha, 1);
    fixture_submit (self, self->alpha, 2);
    fixture_dispatch (self);
    fixture_worker (self, 1, "worker 2");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, 0), 0);
    self->now += 3 * CLOCK_MS;
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, stuck), 1);
    fixture_returned (self, stuck, NULL, 0);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, stuck), 0);
    self->now += 3 * CLOCK_MS;
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_RECALL, stuck), 1);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_least_loaded),
        TEST (test_equals_take_turns),
        TEST (test_first_come_first_served),
        TEST (test_deeper_first),
        TEST (test_slots_are_credit),
        TEST (test_prefetch_grows_with_speed),
        TEST (test_unknown_duration_is_not_sent_ahead),
        TEST (test_bytes_are_credit),
        TEST (test_refill_by_the_batch),
        TEST (test_leases_have_an_end),
        TEST (test_only_to_those_that_offer),
        TEST (test_blocked_slots_are_lent),
        TEST (test_record_of_a_task),
        TEST (test_deadline_before_the_start),
        TEST (test_by_name),
        TEST (test_unknown_names),
        TEST (test_name_beyond_the_body),
        TEST (test_cancel_before_the_start),
        TEST (test_cancel_with_the_worker),
        TEST (test_cancelled_teach_nothing),
        TEST (test_recall_of_the_stuck),
        TEST (test_recall_asks_again),
        TEST (test_demands_in_an_embedded_cluster),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
