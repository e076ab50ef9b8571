/*  test_head_losses.c - the head's state machine: processes that are lost, fall
    silent, own what others need, or say what makes no sense                 */

#include "tests/head_fixture.h"

/*  --- lost workers -----------------------------------------------------  */

static void
test_lost_without_ledger (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 2, "worker 3 (pid 4711)");
    fixture_submit (self, self->alpha, 1);
    fixture_submit_retrying (self, self->beta, 2, 1);
    fixture_dispatch (self);
    fixture_lost (self, worker, NULL);
    fixture_expect_fault (self, 1, TROUPE_ELOST,
                          "alpha on worker 3 (pid 4711): killed by signal 9");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 1);
    process_t second = fixture_worker (self, 2, "worker 4");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, second), 1);
    fixture_expect_dispatch (self, second, 0, 2);
    fixture_lost (self, second, NULL);
    fixture_expect_fault (self, 2, TROUPE_ELOST, "beta on worker 4: killed by signal 9");
    assert_int_equal (head_counts (self->head).tasks, 0);
}

static void
test_lost_with_ledger (void **state)
{
    fixture_t *self = *state;
    uint32_t ledger [LEASES_MAX] = { 0 };
    process_t worker = fixture_worker (self, 4, "worker 1");
    for (uint64_t sequence = 1; sequence <= 2; sequence++) {
        fixture_submit (self, self->alpha, sequence);
        fixture_submit_retrying (self, self->alpha, sequence + 2, 1);
    }
    fixture_dispatch (self);
    for (size_t n = 0; n < 4; n++) {
        uint64_t sequence;
        uint32_t lease = fixture_lease (self, worker, n, &sequence);
        if (sequence == 1 || sequence == 3)         /*  these have started  */
            ledger [lease & (LEASES_MAX - 1)] = lease;
        else                                        /*  an earlier lease    */
            ledger [lease & (LEASES_MAX - 1)] = lease - LEASES_MAX;
    }
    fixture_lost (self, worker, ledger);
    fixture_expect_fault (self, 1, TROUPE_ELOST, "alpha on worker 1: killed by signal 9");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 1);
    assert_int_equal (head_counts (self->head).ready, 3);
    /*  Task 3 has spent its retry, task 4 has not.                         */
    process_t second = fixture_worker (self, 4, "worker 2");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, second), 3);
    fixture_lost (self, second, NULL);
    fixture_expect_fault (self, 2, TROUPE_ELOST, "alpha on worker 2: killed by signal 9");
    fixture_expect_fault (self, 3, TROUPE_ELOST, "alpha on worker 2: killed by signal 9");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 2);
    process_t third = fixture_worker (self, 4, "worker 3");
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, third), 1);
    fixture_expect_dispatch (self, third, 0, 4);
}

static void
test_lost_leases_come_first (void **state)
{
    fixture_t *self = *state;
    static const uint32_t ledger [LEASES_MAX];
    process_t worker = fixture_worker (self, 3, "worker 1");
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        fixture_submit (self, self->alpha, sequence);
    fixture_dispatch (self);
    fixture_done (self, worker, fixture_lease (self, worker, 0, NULL), SECOND);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, worker, 0, 4);
    fixture_lost (self, worker, ledger);
    process_t second = fixture_worker (self, 5, "worker 2");
    fixture_dispatch (self);
    for (size_t n = 0; n < 5; n++)
        fixture_expect_dispatch (self, second, n, n + 2);
}

static void
test_lost_twice_and_strangers (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_lost (self, worker, NULL);
    fixture_lost (self, worker, NULL);
    fixture_lost (self, 12345, NULL);
    process_t second = fixture_worker (self, 1, "worker 1");
    assert_true (second != worker && second != 0);
    assert_int_equal (second >> 32, 77);
}

/*  --- liveness ---------------------------------------------------------  */

static void
test_suspect_gets_nothing (void **state)
{
    fixture_t *self = *state;
    process_t silent = fixture_worker (self, 4, "worker 1");
    fixture_pass (self, 2900 * CLOCK_MS, 0);
    assert_int_equal (head_counts (self->head).workers, 1);
    fixture_pass (self, 700 * CLOCK_MS, 0);
    assert_int_equal (head_counts (self->head).workers, 0);
    fixture_submit (self, self->alpha, 1);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 0);
    head_heard (self->head, self->now, silent);
    assert_int_equal (head_counts (self->head).workers, 1);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, silent, 0, 1);
}

static void
test_silent_are_dropped (void **state)
{
    fixture_t *self = *state;
    process_t silent = fixture_worker (self, 1, "worker 1");
    process_t other = fixture_worker (self, 1, "worker 2");
    fixture_submit (self, self->alpha, 1);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, silent, 0, 1);
    int64_t start = self->now;
    fixture_pass (self, 20 * SECOND, other);
    const head_action_t *drop = fixture_action (self, HEAD_DROP, silent, 0);
    assert_string_equal (drop->text, "silent for 10 s");
    assert_int_equal (fixture_count (self, HEAD_DROP, 0), 1);
    assert_true (self->now - start >= 10 * SECOND && self->now - start <= 11 * SECOND);
    assert_int_equal (head_counts (self->head).workers, 1);
}

static void
test_a_stopped_head_forgives (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_pass (self, SECOND, worker);
    self->now += 60 * SECOND;
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DROP, 0), 0);
    assert_int_equal (head_counts (self->head).workers, 1);
    /*  But from now on it is watched as ever, even one that was heard just
        before the head looked at the clock.                                */
    self->now += 60 * SECOND;
    head_heard (self->head, self->now, worker);
    fixture_dispatch (self);
    int64_t start = self->now;
    fixture_pass (self, 20 * SECOND, 0);
    assert_int_equal (fixture_count (self, HEAD_DROP, worker), 1);
    assert_true (self->now - start >= 10 * SECOND && self->now - start <= 11 * SECOND);
}

static void
test_due (void **state)
{
    fixture_t *self = *state;
    fixture_dispatch (self);
    int64_t due = head_due (self->head, self->now);
    assert_true (due > self->now && due <= self->now + SECOND);
    assert_int_equal (head_due (self->head, due + SECOND), due + SECOND);
}

/*  --- owners -----------------------------------------------------------  */

static void
test_owner_lost (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    record_t record = fixture_task (self, self->alpha, 1);
    tid_t needed = { self->driver, 100 };
    record.id.owner = other;
    for (uint64_t sequence = 1; sequence <= 40; sequence++) {
        record.id.sequence = sequence;
        fixture_submit_record (self, &record, &needed, sequence % 4 == 0);
    }
    fixture_submit (self, self->alpha, 1);
    fixture_spawn_as (self, (tid_t){ other, 50 }, "index", 5);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, worker, 0, NULL);
    fixture_lost (self, other, NULL);
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 0);
    assert_int_equal (fixture_count (self, HEAD_CANCEL, worker), 1);
    head_counts_t counts = head_counts (self->head);
    assert_int_equal (counts.tasks, 2);
    assert_int_equal (counts.leased, 1);
    assert_int_equal (counts.actors, 0);
    fixture_done (self, worker, lease, SECOND);
    fixture_dispatch (self);
    fixture_expect_dispatch (self, worker, 0, 1);
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
    process_t worker = fixture_worker (self, 2, "worker 1");
    process_t second = fixture_worker (self, 1, "worker 2");
    record_t record = fixture_task (self, self->alpha, 1);
    record.id.owner = worker;
    for (; record.id.sequence <= 6; record.id.sequence++)
        fixture_submit_record (self, &record, NULL, 0);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 3);
    fixture_lost (self, worker, ledger);
    assert_int_equal (head_counts (self->head).tasks, 1);
    assert_int_equal (fixture_count (self, HEAD_CANCEL, second), 1);
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 0);
}

static void
test_abandon (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    tid_t needed = fixture_id (self, 100);
    fixture_submit (self, self->alpha, 1);
    fixture_submit (self, self->alpha, 2);
    fixture_submit_waiting (self, 3, &needed, 1);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, worker, 0, NULL);
    fixture_done (self, worker, lease, SECOND);
    fixture_lost (self, worker, NULL);
    fixture_spawn_as (self, fixture_id (self, 4), "", 0);
    head_actions_clear (self->head);
    head_abandon (self->head, "workers end as soon as they start");
    fixture_check (self);
    fixture_expect_fault (self, 2, TROUPE_ELOST, "alpha: workers end as soon as they start");
    fixture_expect_fault (self, 3, TROUPE_ELOST, "alpha: workers end as soon as they start");
    fixture_expect_fault (self, 4, TROUPE_ELOST, "kv: workers end as soon as they start");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 3);
    assert_int_equal (head_counts (self->head).tasks, 0);
    assert_int_equal (head_counts (self->head).actors, 0);
}

/*  --- nothing is trusted -----------------------------------------------  */

static void
test_bogus_leases (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 2, "worker 1");
    process_t other = fixture_worker (self, 2, "worker 2");
    fixture_submit (self, self->alpha, 1);
    fixture_submit (self, self->alpha, 2);
    fixture_dispatch (self);
    uint32_t lease = fixture_lease (self, worker, 0, NULL);
    const uint32_t bogus [] = { 0, 1, UINT32_MAX, lease + LEASES_MAX, lease ^ 1, lease + 1 };
    for (size_t index = 0; index < sizeof bogus / sizeof bogus [0]; index++) {
        fixture_done (self, worker, bogus [index], SECOND);
        fixture_returned (self, worker, &bogus [index], 1);
        assert_int_equal (head_counts (self->head).leased, 2);
    }
    fixture_done (self, self->driver, lease, SECOND);
    fixture_done (self, 999, lease, SECOND);
    fixture_returned (self, self->driver, &lease, 1);
    fixture_returned (self, 999, &lease, 1);
    assert_int_equal (head_counts (self->head).leased, 2);
    fixture_done (self, worker, lease, SECOND);
    fixture_done (self, worker, lease, SECOND);
    fixture_returned (self, worker, &lease, 1);
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
    fixture_value (self, (tid_t){ 999, 1 }, "stray");
    head_actor_up (self->head, self->driver, fixture_id (self, 1), 1, 1);
    head_actor_down (self->head, 999, fixture_id (self, 1));
    head_find (self->head, 999, (tid_t){ 999, 1 }, NULL, "index", 5);
    fixture_submit (self, self->alpha, 1);
    fixture_submit (self, self->beta, 1);
    fixture_dispatch (self);
    size_t count;
    head_actions (self->head, &count);
    assert_int_equal (count, 0);
    assert_int_equal (head_counts (self->head).tasks, 1);
}

#define TEST(name_) cmocka_unit_test_setup_teardown (name_, fixture_setup, fixture_teardown)

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_lost_without_ledger),
        TEST (test_lost_with_ledger),
        TEST (test_lost_leases_come_first),
        TEST (test_lost_twice_and_strangers),
        TEST (test_suspect_gets_nothing),
        TEST (test_silent_are_dropped),
        TEST (test_a_stopped_head_forgives),
        TEST (test_due),
        TEST (test_owner_lost),
        TEST (test_worker_lost_as_owner),
        TEST (test_abandon),
        TEST (test_bogus_leases),
        TEST (test_bogus_processes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
