/*  test_head.c - the head's state machine, behaviour by behaviour          */

#include "core/clock.h"
#include "head/head_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)

/*  A head with one driver and the functions "alpha" and "beta".            */
typedef struct {
    head_state_t *head;
    int64_t now;
    process_t driver;
    uint32_t alpha;
    uint32_t beta;
} fixture_t;

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
    self->driver = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver (pid 1)");
    self->alpha = head_function (self->head, 0, "alpha", 5);
    self->beta = head_function (self->head, 0, "beta", 4);
    assert_true (self->driver && self->alpha && self->beta);
    *state = self;
    return 0;
}

static int
s_teardown (void **state)
{
    fixture_t *self = *state;
    s_checked (self);
    head_state_destroy (&self->head);
    assert_null (self->head);
    free (self);
    return 0;
}

/*  --- shorthands -------------------------------------------------------  */

static process_t
s_worker (fixture_t *self, unsigned slots, const char *label)
{
    process_t worker = head_join (self->head, self->now, ROLE_WORKER, slots, label);
    assert_true (worker != 0);
    assert_int_equal (head_offer (self->head, worker, self->alpha), 0);
    assert_int_equal (head_offer (self->head, worker, self->beta), 0);
    return worker;
}

static tid_t
s_id (fixture_t *self, uint64_t sequence)
{
    return (tid_t){ self->driver, sequence };
}

/*  Writes a record into a frame and submits what is read from there.       */
static void
s_submit_record (fixture_t *self, const record_t *written, const tid_t *pending, size_t count)
{
    bytes_t frame = { 0 };
    frame_reader_t reader;
    record_t record;
    size_t offset = record_begin (&frame, written);
    assert_true (offset != SIZE_MAX);
    assert_int_equal (bytes_append (&frame, written->body, written->body_size), 0);
    record_end_body (&frame, offset);
    for (size_t index = 0; index < count; index++)
        assert_int_equal (record_attach (&frame, offset, pending [index], NULL, 0, true), 0);
    assert_int_equal (record_end (&frame, offset), 0);
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    head_submit (self->head, self->now, &record);
    bytes_release (&frame);
    s_checked (self);
}

static record_t
s_task (fixture_t *self, uint32_t function, uint64_t sequence)
{
    static const uint8_t body [] = { 0x91, 0x01 };
    return (record_t){ .type = RECORD_TASK,
                       .number = function,
                       .id = s_id (self, sequence),
                       .body = body,
                       .body_size = sizeof body };
}

static void
s_submit (fixture_t *self, uint32_t function, uint64_t sequence)
{
    record_t record = s_task (self, function, sequence);
    s_submit_record (self, &record, NULL, 0);
}

static void
s_submit_retrying (fixture_t *self, uint32_t function, uint64_t sequence, uint8_t retries)
{
    record_t record = s_task (self, function, sequence);
    record.target = retries;
    s_submit_record (self, &record, NULL, 0);
}

static void
s_submit_deep (fixture_t *self, uint32_t function, uint64_t sequence, uint32_t depth)
{
    record_t record = s_task (self, function, sequence);
    record.target = (uint64_t) depth << 32;
    s_submit_record (self, &record, NULL, 0);
}

static void
s_dispatch (fixture_t *self)
{
    head_actions_clear (self->head);
    head_dispatch (self->head, self->now);
    s_checked (self);
}

static size_t
s_count (fixture_t *self, head_action_type_t type, process_t peer)
{
    size_t count, found = 0;
    const head_action_t *actions = head_actions (self->head, &count);
    for (size_t index = 0; index < count; index++)
        found += actions [index].type == type && (!peer || actions [index].peer == peer);
    return found;
}

/*  The action of this type, for a peer unless that is 0, that comes n-th.  */
static const head_action_t *
s_action (fixture_t *self, head_action_type_t type, process_t peer, size_t n)
{
    size_t count;
    const head_action_t *actions = head_actions (self->head, &count);
    for (size_t index = 0; index < count; index++)
        if (actions [index].type == type && (!peer || actions [index].peer == peer) && n-- == 0)
            return &actions [index];
    fail_msg ("an action of type %d is missing", (int) type);
    return NULL;
}

static record_t
s_sent (fixture_t *self, const head_action_t *action)
{
    record_t record;
    head_task_record (action->task, self->now, &record);
    return record;
}

/*  The lease with which the n-th task of the last turn went out; *sequence
    says which task it was.                                                 */
static uint32_t
s_lease (fixture_t *self, process_t worker, size_t n, uint64_t *sequence)
{
    record_t record = s_sent (self, s_action (self, HEAD_DISPATCH, worker, n));
    if (sequence)
        *sequence = record.id.sequence;
    return (uint32_t) record.target;
}

static void
s_expect_dispatch (fixture_t *self, process_t worker, size_t n, uint64_t sequence)
{
    uint64_t sent;
    s_lease (self, worker, n, &sent);
    assert_int_equal (sent, sequence);
}

static void
s_expect_fault (fixture_t *self, uint64_t sequence, troupe_error_t code, const char *text)
{
    size_t count = s_count (self, HEAD_FAULT, 0);
    for (size_t n = 0; n < count; n++) {
        const head_action_t *action = s_action (self, HEAD_FAULT, 0, n);
        if (action->id.sequence != sequence)
            continue;
        assert_int_equal (action->code, code);
        assert_int_equal (action->peer, action->id.owner);
        assert_string_equal (action->text, text);
        return;
    }
    fail_msg ("task %d has not failed", (int) sequence);
}

static void
s_done (fixture_t *self, process_t worker, uint32_t lease, int64_t duration)
{
    uint8_t pair [8];
    store_u32 (pair, lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    head_actions_clear (self->head);
    head_done (self->head, self->now, worker, pair, 1);
    s_checked (self);
}

static void
s_returned (fixture_t *self, process_t worker, const uint32_t *leases, size_t count)
{
    uint8_t bytes [64];
    assert_true (count <= 16);
    for (size_t index = 0; index < count; index++)
        store_u32 (bytes + 4 * index, leases [index]);
    head_returned (self->head, self->now, worker, bytes, count);
    s_checked (self);
}

static void
s_lost (fixture_t *self, process_t process, const uint32_t *ledger)
{
    head_actions_clear (self->head);
    head_lost (self->head, self->now, process, "killed by signal 9", ledger);
    s_checked (self);
}

static void
s_value (fixture_t *self, tid_t id, const char *value)
{
    head_actions_clear (self->head);
    head_value (self->head, id, 0, (const uint8_t *) value, (uint32_t) strlen (value));
    s_checked (self);
}

static void
s_spawn_as (fixture_t *self, tid_t id, const char *name, size_t length)
{
    static const uint8_t record [] = "the record of a SPAWN";
    head_spawn_t spawn = { .id = id,
                           .class_name = "kv",
                           .class_length = 2,
                           .name = name,
                           .name_length = length,
                           .record = record,
                           .size = sizeof record };
    head_spawn (self->head, self->now, &spawn);
}

/*  Teaches the head how long a function runs.                              */
static void
s_teach (fixture_t *self, process_t worker, uint32_t function, int64_t duration)
{
    s_submit (self, function, 900000 + function);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    s_done (self, worker, s_lease (self, worker, 0, NULL), duration);
}

/*  --- dispatch ---------------------------------------------------------  */

static void
test_least_loaded (void **state)
{
    fixture_t *self = *state;
    process_t first = s_worker (self, 1, "worker 1");
    s_teach (self, first, self->alpha, 50 * CLOCK_US);
    process_t second = s_worker (self, 1, "worker 2");
    process_t third = s_worker (self, 1, "worker 3");
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, first), 2);
    assert_int_equal (s_count (self, HEAD_DISPATCH, second), 2);
    assert_int_equal (s_count (self, HEAD_DISPATCH, third), 2);
    uint32_t one = s_lease (self, second, 0, NULL), two = s_lease (self, second, 1, NULL);
    s_done (self, second, one, 50 * CLOCK_US);
    s_done (self, second, two, 50 * CLOCK_US);
    s_submit (self, self->alpha, 7);
    s_submit (self, self->alpha, 8);
    s_dispatch (self);
    s_expect_dispatch (self, second, 0, 7);
    s_expect_dispatch (self, second, 1, 8);
}

static void
test_equals_take_turns (void **state)
{
    fixture_t *self = *state;
    process_t workers [4];
    for (size_t index = 0; index < 4; index++)
        workers [index] = s_worker (self, 1, "worker");
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    for (size_t index = 0; index < 4; index++)
        s_expect_dispatch (self, workers [index], 0, index + 1);
}

static void
test_first_come_first_served (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    const uint32_t functions [] = { self->alpha, self->beta, self->beta, self->alpha };
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        s_submit (self, functions [sequence - 1], sequence);
    for (uint64_t sequence = 1; sequence <= 4; sequence++) {
        uint64_t sent;
        s_dispatch (self);
        assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 1);
        uint32_t lease = s_lease (self, worker, 0, &sent);
        assert_int_equal (sent, sequence);
        s_done (self, worker, lease, SECOND);
    }
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).task_bytes, 0);
}

static void
test_deeper_first (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_submit_deep (self, self->alpha, 1, 0);
    s_submit_deep (self, self->beta, 2, 1);
    s_submit_deep (self, self->alpha, 3, 7);
    s_submit_deep (self, self->alpha, 4, 7);
    s_submit_deep (self, self->beta, 5, UINT32_MAX);
    static const uint64_t expected [] = { 5, 3, 4, 2, 1 };
    for (size_t index = 0; index < 5; index++) {
        uint64_t sent;
        s_dispatch (self);
        uint32_t lease = s_lease (self, worker, 0, &sent);
        assert_int_equal (sent, expected [index]);
        s_done (self, worker, lease, SECOND);
    }
}

static void
test_slots_are_credit (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 3, "worker 1");
    for (uint64_t sequence = 1; sequence <= 5; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 3);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 0);
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
    process_t worker = s_worker (self, 1, "worker");
    s_teach (self, worker, function, duration);
    for (uint64_t sequence = 1; sequence <= 600; sequence++)
        s_submit (self, function, sequence);
    s_dispatch (self);
    size_t credit = s_count (self, HEAD_DISPATCH, worker);
    s_lost (self, worker, NULL);
    for (uint64_t sequence = 1; sequence <= 600; sequence++)
        head_cancel (self->head, s_id (self, sequence));
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
    process_t worker = s_worker (self, 1, "worker 1");
    s_teach (self, worker, self->alpha, 10 * CLOCK_US);
    s_submit (self, self->beta, 1);
    s_submit (self, self->beta, 2);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 1);
    /*  One that is known to be short is sent ahead all the same.           */
    s_submit (self, self->alpha, 3);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 1);
    s_expect_dispatch (self, worker, 0, 3);
}

static void
test_bytes_are_credit (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_teach (self, worker, self->alpha, 10 * CLOCK_US);
    record_t record = s_task (self, self->alpha, 0);
    record.body_size = 9 << 20;
    uint8_t *body = calloc (1, record.body_size);
    record.body = body;
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        record.id = s_id (self, sequence);
        s_submit_record (self, &record, NULL, 0);
    }
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 2);
    free (body);
}

/*  A worker that was filled up gets the next batch when most is done, but
    never has a slot that stands empty.                                     */
static void
test_refill_by_the_batch (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_teach (self, worker, self->alpha, 64 * 1400);
    for (uint64_t sequence = 1; sequence <= 40; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 11);
    uint32_t leases [11];
    for (size_t n = 0; n < 11; n++)
        leases [n] = s_lease (self, worker, n, NULL);
    for (size_t n = 0; n < 8; n++) {
        s_done (self, worker, leases [n], 64 * 1400);
        s_dispatch (self);
        assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 0);
    }
    s_done (self, worker, leases [8], 64 * 1400);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 9);
    /*  Tasks that wait inside lend their slots at once.                    */
    head_slots (self->head, worker, 11);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 11);
}

static void
test_leases_have_an_end (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 100000, "worker 1");
    for (uint64_t sequence = 1; sequence <= LEASES_MAX + 10; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), LEASES_MAX);
}

static void
test_only_to_those_that_offer (void **state)
{
    fixture_t *self = *state;
    process_t other = head_join (self->head, self->now, ROLE_WORKER, 1, "worker 1");
    assert_int_equal (head_offer (self->head, other, self->beta), 0);
    s_submit (self, self->alpha, 1);
    s_submit (self, self->beta, 2);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    s_expect_dispatch (self, other, 0, 2);
    process_t fitting = s_worker (self, 1, "worker 2");
    s_dispatch (self);
    s_expect_dispatch (self, fitting, 0, 1);
}

static void
test_blocked_slots_are_lent (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    s_expect_dispatch (self, worker, 0, 1);
    head_slots (self->head, worker, 1);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 1);
    s_expect_dispatch (self, worker, 0, 2);
    head_slots (self->head, worker, 0);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 0);
    head_slots (self->head, worker, UINT32_MAX);
    s_dispatch (self);
    s_expect_dispatch (self, worker, 0, 3);
}

static void
test_record_of_a_task (void **state)
{
    fixture_t *self = *state;
    s_worker (self, 1, "worker 1");
    record_t record = s_task (self, self->beta, 1);
    record.target = (uint64_t) 5 << 32 | 3;
    record.deadline = 250;
    s_submit_record (self, &record, NULL, 0);
    self->now += 50 * CLOCK_MS;
    s_dispatch (self);
    record_t sent = s_sent (self, s_action (self, HEAD_DISPATCH, 0, 0));
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
    process_t worker = s_worker (self, 1, "worker 1");
    s_submit (self, self->alpha, 1);
    record_t record = s_task (self, self->alpha, 2);
    record.deadline = 100;
    s_submit_record (self, &record, NULL, 0);
    s_submit (self, self->alpha, 3);
    s_dispatch (self);
    uint32_t lease = s_lease (self, worker, 0, NULL);
    self->now += 100 * CLOCK_MS;
    s_done (self, worker, lease, 100 * CLOCK_MS);
    s_dispatch (self);
    s_expect_fault (self, 2, TROUPE_ETIMEOUT, "alpha: deadline passed before it started");
    s_expect_dispatch (self, worker, 0, 3);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
}

/*  --- names ------------------------------------------------------------  */

static void
s_submit_named (fixture_t *self, uint64_t sequence, const char *name)
{
    uint8_t body [64] = { 0 };
    record_t record = s_task (self, 0, sequence);
    record.flags = RECORD_BY_NAME;
    record.extra = (uint16_t) strlen (name);
    memcpy (body, name, record.extra);
    size_t prefix = (record.extra + 7u) & ~7u;
    body [prefix] = 0x90;
    record.body = body;
    record.body_size = (uint32_t) prefix + 1;
    head_actions_clear (self->head);
    s_submit_record (self, &record, NULL, 0);
}

static void
test_by_name (void **state)
{
    fixture_t *self = *state;
    s_worker (self, 1, "worker 1");
    s_submit_named (self, 1, "beta");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
    s_dispatch (self);
    record_t sent = s_sent (self, s_action (self, HEAD_DISPATCH, 0, 0));
    assert_int_equal (sent.number, self->beta);
    assert_int_equal (sent.flags, 0);
    assert_int_equal (sent.body_size, 1);
    assert_int_equal (sent.body [0], 0x90);
}

static void
test_unknown_names (void **state)
{
    fixture_t *self = *state;
    s_worker (self, 1, "worker 1");
    s_submit_named (self, 1, "gamma");
    s_expect_fault (self, 1, TROUPE_ENAME, "unknown task 'gamma': no worker offers it");
    head_function (self->head, 0, "delta", 5);
    s_submit_named (self, 2, "delta");
    s_expect_fault (self, 2, TROUPE_ENAME, "unknown task 'delta': no worker offers it");
    head_actions_clear (self->head);
    s_submit (self, 99, 3);
    s_expect_fault (self, 3, TROUPE_ENAME, "unknown task number 99");
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
    record_t record = s_task (self, 0, 1);
    record.flags = RECORD_BY_NAME;
    record.extra = 4000;
    s_submit_record (self, &record, NULL, 0);
    s_expect_fault (self, 1, TROUPE_EPROTOCOL, "malformed task: its name exceeds it");
}

/*  --- values -----------------------------------------------------------  */

static void
s_submit_waiting (fixture_t *self, uint64_t sequence, const tid_t *pending, size_t count)
{
    record_t record = s_task (self, self->alpha, sequence);
    head_actions_clear (self->head);
    s_submit_record (self, &record, pending, count);
}

/*  Checks that the record has the value of a future, beside the note that
    it was to come.                                                         */
static void
s_expect_value (const record_t *record, tid_t id, const char *value)
{
    const uint8_t *place = record->attachment;
    for (uint32_t left = record->attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        if (attachment.pending || !tid_equal (attachment.id, id))
            continue;
        assert_int_equal (attachment.size, strlen (value));
        assert_memory_equal (attachment.value, value, attachment.size);
        return;
    }
    fail_msg ("the value of %d is missing", (int) id.sequence);
}

static void
test_value_after_its_task (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    const tid_t needed [] = { s_id (self, 100), s_id (self, 101) };
    s_submit_waiting (self, 1, needed, 2);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 0);
    assert_int_equal (head_counts (self->head).parked, 1);
    s_value (self, needed [1], "a longer value of no special size");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 0);
    s_value (self, needed [0], "");
    s_dispatch (self);
    record_t sent = s_sent (self, s_action (self, HEAD_DISPATCH, worker, 0));
    assert_int_equal (sent.attachments, 4);
    s_expect_value (&sent, needed [0], "");
    s_expect_value (&sent, needed [1], "a longer value of no special size");
    bytes_t frame = { 0 };
    frame_reader_t reader;
    assert_int_equal (record_write (&frame, &sent), 0);
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &sent), 1);
    assert_int_equal (frame_next (&reader, &sent), 0);
    bytes_release (&frame);
}

static void
test_value_before_its_task (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 2, "worker 1");
    tid_t needed = s_id (self, 100);
    s_value (self, needed, "early");
    s_submit_waiting (self, 1, &needed, 1);
    s_submit_waiting (self, 2, &needed, 1);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    record_t sent = s_sent (self, s_action (self, HEAD_DISPATCH, worker, 0));
    assert_int_equal (sent.id.sequence, 1);
    s_expect_value (&sent, needed, "early");
    /*  One value serves one waiter: the other one gets its own.            */
    s_value (self, needed, "early");
    s_dispatch (self);
    s_expect_dispatch (self, worker, 0, 2);
}

static void
test_one_early_and_one_late_value (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    const tid_t needed [] = { s_id (self, 100), s_id (self, 101), s_id (self, 102) };
    s_value (self, needed [1], "middle");
    s_submit_waiting (self, 1, needed, 3);
    s_value (self, needed [2], "last");
    s_value (self, needed [0], "first");
    s_dispatch (self);
    record_t sent = s_sent (self, s_action (self, HEAD_DISPATCH, worker, 0));
    s_expect_value (&sent, needed [0], "first");
    s_expect_value (&sent, needed [1], "middle");
    s_expect_value (&sent, needed [2], "last");
}

static void
test_failed_values (void **state)
{
    fixture_t *self = *state;
    static const char cause [] = "beta on worker 3: no such file";
    const uint8_t *text = (const uint8_t *) cause;
    const tid_t needed [] = { s_id (self, 100), s_id (self, 101) };
    s_submit_waiting (self, 1, needed, 2);
    head_value (self->head, needed [1], TROUPE_EFAILED, text, sizeof cause - 1);
    s_checked (self);
    s_expect_fault (self, 1, TROUPE_EFAILED,
                    "alpha: argument failed: beta on worker 3: no such file");
    /*  The same, when the failure overtakes the task.                      */
    head_value (self->head, needed [0], TROUPE_ETYPE, text, sizeof cause - 1);
    s_submit_waiting (self, 2, needed, 2);
    s_expect_fault (self, 2, TROUPE_ETYPE,
                    "alpha: argument failed: beta on worker 3: no such file");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_values_of_a_lost_owner (void **state)
{
    fixture_t *self = *state;
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    const tid_t needed [] = { { other, 1 }, { other, 2 } };
    s_submit_waiting (self, 1, needed, 2);
    s_value (self, (tid_t){ other, 3 }, "never wanted");
    s_lost (self, other, NULL);
    s_expect_fault (self, 1, TROUPE_ELOST,
                    "alpha: argument failed: the process that owned it has ended");
    s_submit_waiting (self, 2, needed, 1);
    s_expect_fault (self, 2, TROUPE_ELOST,
                    "alpha: argument failed: the process that owned it has ended");
    s_value (self, needed [0], "too late");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

/*  Values that nobody takes do not pile up, and do not stop the head.      */
static void
test_unwanted_values_are_bounded (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 2, "worker 1");
    enum { size = 1 << 20, count = 100 };
    char *value = malloc (size + 1);
    memset (value, 'v', size);
    value [size] = 0;
    for (uint64_t sequence = 1; sequence <= count; sequence++)
        s_value (self, s_id (self, 1000 + sequence), value);
    const tid_t oldest = s_id (self, 1001), newest = s_id (self, 1000 + count);
    s_submit_waiting (self, 1, &oldest, 1);
    s_submit_waiting (self, 2, &newest, 1);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    s_expect_dispatch (self, worker, 0, 2);
    free (value);
}

static void
test_subscriptions (void **state)
{
    fixture_t *self = *state;
    process_t first = s_worker (self, 1, "worker 1");
    head_subscribe (self->head, s_id (self, 1), 5);
    s_submit_retrying (self, self->alpha, 1, 1);
    head_subscribe (self->head, s_id (self, 1), 0);
    assert_int_equal (s_count (self, HEAD_SUBSCRIBE, 0), 0);
    s_dispatch (self);
    const head_action_t *relayed = s_action (self, HEAD_SUBSCRIBE, first, 0);
    assert_true (relayed > s_action (self, HEAD_DISPATCH, first, 0));
    assert_int_equal (relayed->target, 0);
    assert_true (tid_equal (relayed->id, s_id (self, 1)));
    head_actions_clear (self->head);
    head_subscribe (self->head, s_id (self, 1), first);
    assert_int_equal (s_action (self, HEAD_SUBSCRIBE, first, 0)->target, first);
    s_lost (self, first, NULL);
    process_t second = s_worker (self, 1, "worker 2");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_SUBSCRIBE, second), 2);
    assert_int_equal (s_action (self, HEAD_SUBSCRIBE, second, 0)->target, 0);
    assert_int_equal (s_action (self, HEAD_SUBSCRIBE, second, 1)->target, first);
}

/*  --- lost workers -----------------------------------------------------  */

static void
test_lost_without_ledger (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 2, "worker 3 (pid 4711)");
    s_submit (self, self->alpha, 1);
    s_submit_retrying (self, self->beta, 2, 1);
    s_dispatch (self);
    s_lost (self, worker, NULL);
    s_expect_fault (self, 1, TROUPE_ELOST,
                    "alpha on worker 3 (pid 4711): killed by signal 9");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 1);
    process_t second = s_worker (self, 2, "worker 4");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, second), 1);
    s_expect_dispatch (self, second, 0, 2);
    s_lost (self, second, NULL);
    s_expect_fault (self, 2, TROUPE_ELOST, "beta on worker 4: killed by signal 9");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_lost_with_ledger (void **state)
{
    fixture_t *self = *state;
    uint32_t ledger [LEASES_MAX] = { 0 };
    process_t worker = s_worker (self, 4, "worker 1");
    for (uint64_t sequence = 1; sequence <= 2; sequence++) {
        s_submit (self, self->alpha, sequence);
        s_submit_retrying (self, self->alpha, sequence + 2, 1);
    }
    s_dispatch (self);
    for (size_t n = 0; n < 4; n++) {
        uint64_t sequence;
        uint32_t lease = s_lease (self, worker, n, &sequence);
        if (sequence == 1 || sequence == 3)         /*  these have started  */
            ledger [lease & (LEASES_MAX - 1)] = lease;
        else                                        /*  an earlier lease    */
            ledger [lease & (LEASES_MAX - 1)] = lease - LEASES_MAX;
    }
    s_lost (self, worker, ledger);
    s_expect_fault (self, 1, TROUPE_ELOST, "alpha on worker 1: killed by signal 9");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 1);
    assert_int_equal (head_counts (self->head).ready, 3);
    /*  Task 3 has spent its retry, task 4 has not.                         */
    process_t second = s_worker (self, 4, "worker 2");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, second), 3);
    s_lost (self, second, NULL);
    s_expect_fault (self, 2, TROUPE_ELOST, "alpha on worker 2: killed by signal 9");
    s_expect_fault (self, 3, TROUPE_ELOST, "alpha on worker 2: killed by signal 9");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 2);
    process_t third = s_worker (self, 4, "worker 3");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, third), 1);
    s_expect_dispatch (self, third, 0, 4);
}

static void
test_lost_leases_come_first (void **state)
{
    fixture_t *self = *state;
    static const uint32_t ledger [LEASES_MAX];
    process_t worker = s_worker (self, 3, "worker 1");
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    s_done (self, worker, s_lease (self, worker, 0, NULL), SECOND);
    s_dispatch (self);
    s_expect_dispatch (self, worker, 0, 4);
    s_lost (self, worker, ledger);
    process_t second = s_worker (self, 5, "worker 2");
    s_dispatch (self);
    for (size_t n = 0; n < 5; n++)
        s_expect_dispatch (self, second, n, n + 2);
}

static void
test_lost_twice_and_strangers (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_lost (self, worker, NULL);
    s_lost (self, worker, NULL);
    s_lost (self, 12345, NULL);
    process_t second = s_worker (self, 1, "worker 1");
    assert_true (second != worker && second != 0);
    assert_int_equal (second >> 32, 77);
}

/*  --- cancelling -------------------------------------------------------  */

static void
test_cancel_before_the_start (void **state)
{
    fixture_t *self = *state;
    tid_t needed = s_id (self, 100);
    s_submit (self, self->alpha, 1);
    s_submit_waiting (self, 2, &needed, 1);
    head_cancel (self->head, s_id (self, 1));
    s_checked (self);
    head_cancel (self->head, s_id (self, 2));
    s_checked (self);
    head_cancel (self->head, s_id (self, 3));
    s_checked (self);
    s_value (self, needed, "for nobody");
    s_worker (self, 1, "worker 1");
    s_dispatch (self);
    size_t count;
    head_actions (self->head, &count);
    assert_int_equal (count, 0);
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_cancel_with_the_worker (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 4, "worker 1");
    uint32_t leases [4];
    uint64_t sequence;
    for (sequence = 1; sequence <= 4; sequence++)
        s_submit_retrying (self, self->alpha, sequence, 3);
    s_dispatch (self);
    for (size_t n = 0; n < 4; n++) {
        leases [n] = s_lease (self, worker, n, &sequence);
        assert_int_equal (sequence, n + 1);
    }
    head_actions_clear (self->head);
    for (sequence = 1; sequence <= 3; sequence++)
        head_cancel (self->head, s_id (self, sequence));
    head_cancel (self->head, s_id (self, 1));
    assert_int_equal (s_count (self, HEAD_CANCEL, worker), 3);
    assert_true (tid_equal (s_action (self, HEAD_CANCEL, worker, 1)->id, s_id (self, 2)));
    s_done (self, worker, leases [0], SECOND);
    s_returned (self, worker, &leases [1], 1);
    assert_int_equal (head_counts (self->head).tasks, 2);
    s_lost (self, worker, NULL);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
    /*  Of the four, only the one not cancelled runs again.                 */
    assert_int_equal (head_counts (self->head).tasks, 1);
    process_t second = s_worker (self, 4, "worker 2");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    s_expect_dispatch (self, second, 0, 4);
}

/*  What never ran says nothing about how long its function takes.          */
static void
test_cancelled_teach_nothing (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_submit (self, self->alpha, 1);
    s_dispatch (self);
    uint32_t lease = s_lease (self, worker, 0, NULL);
    head_cancel (self->head, s_id (self, 1));
    s_done (self, worker, lease, 0);
    s_submit (self, self->alpha, 2);
    s_submit (self, self->alpha, 3);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, worker), 1);
}

/*  --- recall -----------------------------------------------------------  */

static void
test_recall_of_the_stuck (void **state)
{
    fixture_t *self = *state;
    process_t stuck = s_worker (self, 1, "worker 1");
    s_teach (self, stuck, self->alpha, 100 * CLOCK_US);
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        s_submit (self, self->alpha, sequence);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, stuck), 4);
    uint32_t leases [4];
    for (size_t n = 0; n < 4; n++)
        leases [n] = s_lease (self, stuck, n, NULL);
    /*  Nobody else is idle: there is no use in calling back.               */
    self->now += 100 * CLOCK_MS;
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, 0), 0);
    process_t idle = s_worker (self, 1, "worker 2");
    assert_true (head_due (self->head, self->now) <= self->now + 2 * CLOCK_MS);
    s_dispatch (self);
    assert_int_equal (s_action (self, HEAD_RECALL, stuck, 0)->number, 3);
    self->now += 100 * CLOCK_MS;
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, 0), 0);
    s_returned (self, stuck, &leases [1], 3);
    s_dispatch (self);
    s_expect_dispatch (self, idle, 0, 2);
    /*  What is left goes where there is credit, in order.                  */
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 3);
}

static void
test_recall_asks_again (void **state)
{
    fixture_t *self = *state;
    process_t stuck = s_worker (self, 1, "worker 1");
    s_teach (self, stuck, self->alpha, 100 * CLOCK_US);
    s_submit (self, self->alpha, 1);
    s_submit (self, self->alpha, 2);
    s_dispatch (self);
    s_worker (self, 1, "worker 2");
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, 0), 0);
    self->now += 3 * CLOCK_MS;
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, stuck), 1);
    s_returned (self, stuck, NULL, 0);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, stuck), 0);
    self->now += 3 * CLOCK_MS;
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_RECALL, stuck), 1);
}

/*  --- liveness ---------------------------------------------------------  */

/*  Lets time pass in small steps, as the shell does; those given are heard. */
static void
s_pass (fixture_t *self, int64_t time, process_t heard)
{
    for (int64_t end = self->now + time; self->now < end;) {
        self->now += 100 * CLOCK_MS;
        head_heard (self->head, self->now, self->driver);
        head_heard (self->head, self->now, heard);
        s_dispatch (self);
        if (s_count (self, HEAD_DROP, 0))
            return;
    }
}

static void
test_suspect_gets_nothing (void **state)
{
    fixture_t *self = *state;
    process_t silent = s_worker (self, 4, "worker 1");
    s_pass (self, 2900 * CLOCK_MS, 0);
    assert_int_equal (head_counts (self->head).workers, 1);
    s_pass (self, 700 * CLOCK_MS, 0);
    assert_int_equal (head_counts (self->head).workers, 0);
    s_submit (self, self->alpha, 1);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 0);
    head_heard (self->head, self->now, silent);
    assert_int_equal (head_counts (self->head).workers, 1);
    s_dispatch (self);
    s_expect_dispatch (self, silent, 0, 1);
}

static void
test_silent_are_dropped (void **state)
{
    fixture_t *self = *state;
    process_t silent = s_worker (self, 1, "worker 1");
    process_t other = s_worker (self, 1, "worker 2");
    s_submit (self, self->alpha, 1);
    s_dispatch (self);
    s_expect_dispatch (self, silent, 0, 1);
    int64_t start = self->now;
    s_pass (self, 20 * SECOND, other);
    const head_action_t *drop = s_action (self, HEAD_DROP, silent, 0);
    assert_string_equal (drop->text, "silent for 10 s");
    assert_int_equal (s_count (self, HEAD_DROP, 0), 1);
    assert_true (self->now - start >= 10 * SECOND && self->now - start <= 11 * SECOND);
    assert_int_equal (head_counts (self->head).workers, 1);
}

static void
test_a_stopped_head_forgives (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_pass (self, SECOND, worker);
    self->now += 60 * SECOND;
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DROP, 0), 0);
    assert_int_equal (head_counts (self->head).workers, 1);
    /*  But from now on it is watched as ever, even one that was heard just
        before the head looked at the clock.                                */
    self->now += 60 * SECOND;
    head_heard (self->head, self->now, worker);
    s_dispatch (self);
    int64_t start = self->now;
    s_pass (self, 20 * SECOND, 0);
    assert_int_equal (s_count (self, HEAD_DROP, worker), 1);
    assert_true (self->now - start >= 10 * SECOND && self->now - start <= 11 * SECOND);
}

static void
test_due (void **state)
{
    fixture_t *self = *state;
    s_dispatch (self);
    int64_t due = head_due (self->head, self->now);
    assert_true (due > self->now && due <= self->now + SECOND);
    assert_int_equal (head_due (self->head, due + SECOND), due + SECOND);
}

/*  --- owners -----------------------------------------------------------  */

static void
test_owner_lost (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    record_t record = s_task (self, self->alpha, 1);
    tid_t needed = { self->driver, 100 };
    record.id.owner = other;
    for (uint64_t sequence = 1; sequence <= 40; sequence++) {
        record.id.sequence = sequence;
        s_submit_record (self, &record, &needed, sequence % 4 == 0);
    }
    s_submit (self, self->alpha, 1);
    s_spawn_as (self, (tid_t){ other, 50 }, "index", 5);
    s_dispatch (self);
    uint32_t lease = s_lease (self, worker, 0, NULL);
    s_lost (self, other, NULL);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
    assert_int_equal (s_count (self, HEAD_CANCEL, worker), 1);
    head_counts_t counts = head_counts (self->head);
    assert_int_equal (counts.tasks, 2);
    assert_int_equal (counts.leased, 1);
    assert_int_equal (counts.actors, 0);
    s_done (self, worker, lease, SECOND);
    s_dispatch (self);
    s_expect_dispatch (self, worker, 0, 1);
    head_actions_clear (self->head);
    head_submit (self->head, self->now, &record);
    assert_int_equal (head_counts (self->head).tasks, 1);
}

/*  A worker is an owner too, of what its tasks submit.                     */
static void
test_worker_lost_as_owner (void **state)
{
    fixture_t *self = *state;
    static const uint32_t ledger [LEASES_MAX];
    process_t worker = s_worker (self, 2, "worker 1");
    process_t second = s_worker (self, 1, "worker 2");
    record_t record = s_task (self, self->alpha, 1);
    record.id.owner = worker;
    for (; record.id.sequence <= 6; record.id.sequence++)
        s_submit_record (self, &record, NULL, 0);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 3);
    s_lost (self, worker, ledger);
    assert_int_equal (head_counts (self->head).tasks, 1);
    assert_int_equal (s_count (self, HEAD_CANCEL, second), 1);
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
}

static void
test_abandon (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    tid_t needed = s_id (self, 100);
    s_submit (self, self->alpha, 1);
    s_submit (self, self->alpha, 2);
    s_submit_waiting (self, 3, &needed, 1);
    s_dispatch (self);
    uint32_t lease = s_lease (self, worker, 0, NULL);
    s_done (self, worker, lease, SECOND);
    s_lost (self, worker, NULL);
    s_spawn_as (self, s_id (self, 4), "", 0);
    head_actions_clear (self->head);
    head_abandon (self->head, "workers end as soon as they start");
    s_checked (self);
    s_expect_fault (self, 2, TROUPE_ELOST, "alpha: workers end as soon as they start");
    s_expect_fault (self, 3, TROUPE_ELOST, "alpha: workers end as soon as they start");
    s_expect_fault (self, 4, TROUPE_ELOST, "kv: workers end as soon as they start");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 3);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
}

/*  --- actors -----------------------------------------------------------  */

static void
s_spawn (fixture_t *self, uint64_t sequence, const char *name)
{
    head_actions_clear (self->head);
    s_spawn_as (self, s_id (self, sequence), name, strlen (name));
    s_checked (self);
}

static void
s_find (fixture_t *self, uint64_t sequence, const char *name)
{
    head_actions_clear (self->head);
    head_find (self->head, self->driver, s_id (self, sequence), NULL, name, strlen (name));
    s_checked (self);
}

static void
s_up (fixture_t *self, process_t worker, uint64_t sequence, uint64_t number)
{
    head_actions_clear (self->head);
    head_actor_up (self->head, worker, s_id (self, sequence), number, 0xbeef);
    s_checked (self);
}

static void
test_actors_are_spread (void **state)
{
    fixture_t *self = *state;
    process_t first = s_worker (self, 1, "worker 1");
    process_t second = s_worker (self, 1, "worker 2");
    size_t on_first = 0;
    for (uint64_t sequence = 1; sequence <= 10; sequence++) {
        s_spawn (self, sequence, "");
        const head_action_t *action = s_action (self, HEAD_SPAWN, 0, 0);
        assert_true (action->peer == first || action->peer == second);
        assert_int_equal (action->actor->worker, action->peer);
        assert_string_equal ((const char *) action->actor->record, "the record of a SPAWN");
        assert_string_equal (action->actor->class_name, "kv");
        on_first += action->peer == first;
    }
    assert_int_equal (on_first, 5);
    head_actor_down (self->head, first, s_id (self, 1));
    head_actor_down (self->head, second, s_id (self, 1));
    s_checked (self);
    assert_int_equal (head_counts (self->head).actors, 9);
}

static void
test_actor_waits_for_a_worker (void **state)
{
    fixture_t *self = *state;
    s_spawn (self, 1, "index");
    assert_int_equal (s_count (self, HEAD_SPAWN, 0), 0);
    process_t worker = s_worker (self, 1, "worker 1");
    assert_int_equal (s_action (self, HEAD_SPAWN, worker, 0)->actor->id.sequence, 1);
    s_checked (self);
    /*  The same when the only worker is suspect for a while.               */
    s_pass (self, 4 * SECOND, 0);
    s_spawn (self, 2, "");
    assert_int_equal (s_count (self, HEAD_SPAWN, 0), 0);
    head_heard (self->head, self->now, worker);
    assert_int_equal (s_action (self, HEAD_SPAWN, worker, 0)->actor->id.sequence, 2);
}

static void
test_find_before_and_after (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_find (self, 90, "index");
    s_expect_fault (self, 90, TROUPE_ENAME, "no actor is named 'index'");
    s_spawn (self, 1, "index");
    s_find (self, 91, "index");
    s_find (self, 92, "index");
    assert_int_equal (s_count (self, HEAD_FOUND, 0), 0);
    s_up (self, worker + 1, 1, 7);
    s_up (self, worker, 1, 0);
    assert_int_equal (s_count (self, HEAD_FOUND, 0), 0);
    s_up (self, worker, 1, 7);
    assert_int_equal (s_count (self, HEAD_FOUND, self->driver), 2);
    const head_action_t *found = s_action (self, HEAD_FOUND, self->driver, 0);
    assert_int_equal (found->id.sequence, 91);
    assert_int_equal (found->actor->number, 7);
    assert_int_equal (found->actor->worker, worker);
    assert_int_equal (found->actor->signature, 0xbeef);
    s_find (self, 93, "index");
    assert_int_equal (s_action (self, HEAD_FOUND, self->driver, 0)->id.sequence, 93);
    head_actor_down (self->head, worker, s_id (self, 1));
    s_find (self, 94, "index");
    s_expect_fault (self, 94, TROUPE_ENAME, "no actor is named 'index'");
}

static void
test_names_are_unique (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_spawn (self, 1, "index");
    s_spawn (self, 2, "index");
    s_expect_fault (self, 2, TROUPE_EEXISTS, "kv: the name 'index' is taken");
    assert_int_equal (head_counts (self->head).actors, 1);
    s_spawn (self, 1, "other");
    assert_int_equal (head_counts (self->head).actors, 1);
    head_actor_down (self->head, worker, s_id (self, 1));
    s_spawn (self, 3, "index");
    assert_int_equal (s_count (self, HEAD_FAULT, 0), 0);
    assert_int_equal (s_count (self, HEAD_SPAWN, worker), 1);
}

/*  A name with a NUL inside, from the wire.                                */
static void
test_name_with_a_nul (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    s_spawn_as (self, s_id (self, 1), "in\0dex", 6);
    s_checked (self);
    head_actor_down (self->head, worker, s_id (self, 1));
    s_checked (self);
    head_find (self->head, self->driver, s_id (self, 2), NULL, "in\0dex", 6);
    assert_int_equal (s_count (self, HEAD_FOUND, 0), 0);
    s_spawn_as (self, s_id (self, 3), "\0dex", 4);
    s_checked (self);
}

static void
test_actors_of_a_lost_worker (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1 (pid 12)");
    s_spawn (self, 1, "index");
    s_spawn (self, 2, "");
    s_up (self, worker, 2, 5);
    s_find (self, 90, "index");
    s_lost (self, worker, NULL);
    s_expect_fault (self, 1, TROUPE_ELOST,
                    "actor kv was on worker 1 (pid 12): killed by signal 9");
    s_expect_fault (self, 2, TROUPE_ELOST,
                    "actor kv was on worker 1 (pid 12): killed by signal 9");
    s_expect_fault (self, 90, TROUPE_ENAME, "no actor is named 'index'");
    assert_int_equal (head_counts (self->head).actors, 0);
}

static void
test_finder_lost (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 1, "worker 1");
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    s_spawn (self, 1, "index");
    head_find (self->head, other, (tid_t){ other, 1 }, NULL, "index", 5);
    s_lost (self, other, NULL);
    s_up (self, worker, 1, 3);
    assert_int_equal (s_count (self, HEAD_FOUND, 0), 0);
}

/*  --- nothing is trusted -----------------------------------------------  */

/*  Its node has as many cpus as its workers have slots.                    */
static void
test_demands_in_an_embedded_cluster (void **state)
{
    fixture_t *self = *state;
    options_t both = { .flags = OPTIONS_RESOURCES,
                       .count = 1,
                       .resources = { { "cpus", 4, 2 * RESOURCE_UNIT } } };
    bytes_t body = { 0 };
    process_t first = s_worker (self, 1, "worker 1"), second = s_worker (self, 1, "worker 2");
    s_submit (self, self->alpha, 1);
    s_dispatch (self);
    uint32_t lease = s_lease (self, first, 0, NULL);
    assert_int_equal (options_write (&body, &both), 0);
    record_t record = s_task (self, self->beta, 2);
    record.flags = RECORD_OPTIONS;
    record.body = body.data;
    record.body_size = (uint32_t) body.size;
    s_submit_record (self, &record, NULL, 0);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 0);
    /*  A task of one cpu overtakes it.                                     */
    s_submit (self, self->alpha, 3);
    s_dispatch (self);
    s_expect_dispatch (self, second, 0, 3);
    s_done (self, second, s_lease (self, second, 0, NULL), CLOCK_MS);
    s_done (self, first, lease, CLOCK_MS);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 1);
    record = s_sent (self, s_action (self, HEAD_DISPATCH, 0, 0));
    assert_int_equal (record.id.sequence, 2);
    assert_int_equal (record.body_size, 0);
    /*  Both cpus are held, by one worker: the other is idle, and waits.    */
    s_submit (self, self->alpha, 4);
    s_dispatch (self);
    assert_int_equal (s_count (self, HEAD_DISPATCH, 0), 0);
    body.data [8 * 5] ^= 1;
    body.data [0] = 7;
    record = s_task (self, self->beta, 5);
    record.flags = RECORD_OPTIONS;
    record.body = body.data;
    record.body_size = (uint32_t) body.size;
    head_actions_clear (self->head);
    s_submit_record (self, &record, NULL, 0);
    s_expect_fault (self, 5, TROUPE_EPROTOCOL, "beta: malformed options");
    bytes_release (&body);
}

static void
test_bogus_leases (void **state)
{
    fixture_t *self = *state;
    process_t worker = s_worker (self, 2, "worker 1");
    process_t other = s_worker (self, 2, "worker 2");
    s_submit (self, self->alpha, 1);
    s_submit (self, self->alpha, 2);
    s_dispatch (self);
    uint32_t lease = s_lease (self, worker, 0, NULL);
    const uint32_t bogus [] = { 0, 1, UINT32_MAX, lease + LEASES_MAX, lease ^ 1, lease + 1 };
    for (size_t index = 0; index < sizeof bogus / sizeof bogus [0]; index++) {
        s_done (self, worker, bogus [index], SECOND);
        s_returned (self, worker, &bogus [index], 1);
        assert_int_equal (head_counts (self->head).leased, 2);
    }
    s_done (self, self->driver, lease, SECOND);
    s_done (self, 999, lease, SECOND);
    s_returned (self, self->driver, &lease, 1);
    s_returned (self, 999, &lease, 1);
    assert_int_equal (head_counts (self->head).leased, 2);
    s_done (self, worker, lease, SECOND);
    s_done (self, worker, lease, SECOND);
    s_returned (self, worker, &lease, 1);
    head_counts_t counts = head_counts (self->head);
    assert_int_equal (counts.leased, 1);
    assert_int_equal (counts.ready, 0);
    (void) other;
}

static void
test_bogus_processes (void **state)
{
    fixture_t *self = *state;
    assert_int_equal (head_offer (self->head, 999, self->alpha), -1);
    assert_int_equal (head_offer (self->head, self->driver, 0), -1);
    assert_int_equal (head_offer (self->head, self->driver, 99), -1);
    /*  A driver that offers functions is still no worker.                  */
    assert_int_equal (head_offer (self->head, self->driver, self->alpha), 0);
    head_slots (self->head, self->driver, 3);
    head_slots (self->head, 999, 3);
    head_heard (self->head, self->now, 999);
    head_cancel (self->head, (tid_t){ 999, 1 });
    head_subscribe (self->head, (tid_t){ 999, 1 }, 5);
    s_value (self, (tid_t){ 999, 1 }, "stray");
    head_actor_up (self->head, self->driver, s_id (self, 1), 1, 1);
    head_actor_down (self->head, 999, s_id (self, 1));
    head_find (self->head, 999, (tid_t){ 999, 1 }, NULL, "index", 5);
    s_submit (self, self->alpha, 1);
    s_submit (self, self->beta, 1);
    s_dispatch (self);
    size_t count;
    head_actions (self->head, &count);
    assert_int_equal (count, 0);
    assert_int_equal (head_counts (self->head).tasks, 1);
}

#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)

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
        TEST (test_value_after_its_task),
        TEST (test_value_before_its_task),
        TEST (test_one_early_and_one_late_value),
        TEST (test_failed_values),
        TEST (test_values_of_a_lost_owner),
        TEST (test_unwanted_values_are_bounded),
        TEST (test_subscriptions),
        TEST (test_lost_without_ledger),
        TEST (test_lost_with_ledger),
        TEST (test_lost_leases_come_first),
        TEST (test_lost_twice_and_strangers),
        TEST (test_cancel_before_the_start),
        TEST (test_cancel_with_the_worker),
        TEST (test_cancelled_teach_nothing),
        TEST (test_recall_of_the_stuck),
        TEST (test_recall_asks_again),
        TEST (test_suspect_gets_nothing),
        TEST (test_silent_are_dropped),
        TEST (test_a_stopped_head_forgives),
        TEST (test_due),
        TEST (test_owner_lost),
        TEST (test_worker_lost_as_owner),
        TEST (test_abandon),
        TEST (test_actors_are_spread),
        TEST (test_actor_waits_for_a_worker),
        TEST (test_find_before_and_after),
        TEST (test_names_are_unique),
        TEST (test_name_with_a_nul),
        TEST (test_actors_of_a_lost_worker),
        TEST (test_finder_lost),
        TEST (test_bogus_leases),
        TEST (test_demands_in_an_embedded_cluster),
        TEST (test_bogus_processes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
