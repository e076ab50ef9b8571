/*  test_head_values.c - the head's state machine: tasks that wait for values,
    and values that wait for tasks                                           */

#include "tests/head_fixture.h"

#include <stdlib.h>
#include <string.h>

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
    process_t worker = fixture_worker (self, 1, "worker 1");
    const tid_t needed [] = { fixture_id (self, 100), fixture_id (self, 101) };
    fixture_submit_waiting (self, 1, needed, 2);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 0);
    assert_int_equal (head_counts (self->head).parked, 1);
    fixture_value (self, needed [1], "a longer value of no special size");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 0);
    fixture_value (self, needed [0], "");
    fixture_dispatch (self);
    record_t sent = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, worker, 0));
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
    process_t worker = fixture_worker (self, 2, "worker 1");
    tid_t needed = fixture_id (self, 100);
    fixture_value (self, needed, "early");
    fixture_submit_waiting (self, 1, &needed, 1);
    fixture_submit_waiting (self, 2, &needed, 1);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    record_t sent = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, worker, 0));
    assert_int_equal (sent.id.sequence, 1);
    s_expect_value (&sent, needed, "early");
    /*  One value serves one waiter: the other one gets its own.            */
    fixture_value (self, needed, "early");
    fixture_dispatch (self);
    fixture_expect_dispatch (self, worker, 0, 2);
}

static void
test_one_early_and_one_late_value (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    const tid_t needed []
        = { fixture_id (self, 100), fixture_id (self, 101), fixture_id (self, 102) };
    fixture_value (self, needed [1], "middle");
    fixture_submit_waiting (self, 1, needed, 3);
    fixture_value (self, needed [2], "last");
    fixture_value (self, needed [0], "first");
    fixture_dispatch (self);
    record_t sent = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, worker, 0));
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
    const tid_t needed [] = { fixture_id (self, 100), fixture_id (self, 101) };
    fixture_submit_waiting (self, 1, needed, 2);
    head_value (self->head, needed [1], TROUPE_EFAILED, text, sizeof cause - 1);
    fixture_check (self);
    fixture_expect_fault (self, 1, TROUPE_EFAILED,
                          "alpha: argument failed: beta on worker 3: no such file");
    /*  The same, when the failure overtakes the task.                      */
    head_value (self->head, needed [0], TROUPE_ETYPE, text, sizeof cause - 1);
    fixture_submit_waiting (self, 2, needed, 2);
    fixture_expect_fault (self, 2, TROUPE_ETYPE,
                          "alpha: argument failed: beta on worker 3: no such file");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_values_of_a_lost_owner (void **state)
{
    fixture_t *self = *state;
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    const tid_t needed [] = { { other, 1 }, { other, 2 } };
    fixture_submit_waiting (self, 1, needed, 2);
    fixture_value (self, (tid_t){ other, 3 }, "never wanted");
    fixture_lost (self, other, NULL);
    fixture_expect_fault (self, 1, TROUPE_ELOST,
                          "alpha: argument failed: the process that owned it has ended");
    fixture_submit_waiting (self, 2, needed, 1);
    fixture_expect_fault (self, 2, TROUPE_ELOST,
                          "alpha: argument failed: the process that owned it has ended");
    fixture_value (self, needed [0], "too late");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

/*  Values that nobody takes do not pile up, and do not stop the head.      */
static void
test_unwanted_values_are_bounded (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 2, "worker 1");
    enum { size = 1 << 20, count = 100 };
    char *value = malloc (size + 1);
    memset (value, 'v', size);
    value [size] = 0;
    for (uint64_t sequence = 1; sequence <= count; sequence++)
        fixture_value (self, fixture_id (self, 1000 + sequence), value);
    const tid_t oldest = fixture_id (self, 1001), newest = fixture_id (self, 1000 + count);
    fixture_submit_waiting (self, 1, &oldest, 1);
    fixture_submit_waiting (self, 2, &newest, 1);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    fixture_expect_dispatch (self, worker, 0, 2);
    free (value);
}

static void
test_subscriptions (void **state)
{
    fixture_t *self = *state;
    process_t first = fixture_worker (self, 1, "worker 1");
    head_subscribe (self->head, fixture_id (self, 1), 5);
    fixture_submit_retrying (self, self->alpha, 1, 1);
    head_subscribe (self->head, fixture_id (self, 1), 0);
    assert_int_equal (fixture_count (self, HEAD_SUBSCRIBE, 0), 0);
    fixture_dispatch (self);
    const head_action_t *relayed = fixture_action (self, HEAD_SUBSCRIBE, first, 0);
    assert_true (relayed > fixture_action (self, HEAD_DISPATCH, first, 0));
    assert_int_equal (relayed->target, 0);
    assert_true (tid_equal (relayed->id, fixture_id (self, 1)));
    head_actions_clear (self->head);
    head_subscribe (self->head, fixture_id (self, 1), first);
    assert_int_equal (fixture_action (self, HEAD_SUBSCRIBE, first, 0)->target, first);
    fixture_lost (self, first, NULL);
    process_t second = fixture_worker (self, 1, "worker 2");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_SUBSCRIBE, second), 2);
    assert_int_equal (fixture_action (self, HEAD_SUBSCRIBE, second, 0)->target, 0);
    assert_int_equal (fixture_action (self, HEAD_SUBSCRIBE, second, 1)->target, first);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_value_after_its_task),
        TEST (test_value_before_its_task),
        TEST (test_one_early_and_one_late_value),
        TEST (test_failed_values),
        TEST (test_values_of_a_lost_owner),
        TEST (test_unwanted_values_are_bounded),
        TEST (test_subscriptions),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
