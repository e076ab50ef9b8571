/*  test_simulator.c - drives the head's state machine through crashes, silence
    and delays, with a seed for everything, and checks that nothing is lost

    TROUPE_SEED             replays one seed of each scenario
    TROUPE_SIMULATOR_EVENTS how many events of each scenario                */

#include "tests/sanitized.h"
#include "tests/simulator/simulator.h"

#include <malloc.h>

static const scenario_t s_scenarios [] = {
    { "small", 1, 3, 1, 1, 60, 60, 500, 10 },
    { "small", 2, 4, 2, 2, 400, 200, 500, 10 },
    { "crashing", 3, 16, 3, 2, 300, 4, 500, 15 },
    { "crashing", 4, 50, 6, 4, 2000, 4, 2000, 15 },
    { "overload", 5, 8, 4, 4, 5000, 50, 2000, 10 },
    { "large", 6, 400, 8, 8, 2000, 4, 10000, 15 },
    { "huge", 7, 3000, 8, 4, 8000, 4, 50000, 25 },
};

static void
test_scenarios (void **state)
{
    (void) state;
    tally_t sum = { 0 };
    uint64_t total = simulated_number ("TROUPE_SIMULATOR_EVENTS", SANITIZED ? 300000 : 3000000);
    for (size_t index = 0; index < sizeof s_scenarios / sizeof s_scenarios [0]; index++) {
        scenario_t scenario = s_scenarios [index];
        tally_t tally;
        scenario.seed = simulated_number ("TROUPE_SEED", scenario.seed);
        simulator_run (&scenario, total * scenario.share / 100, &tally);
        simulated_sum ((uint64_t *) &sum, (const uint64_t *) &tally, sizeof sum);
    }
    printf ("%llu events in all, %llu checks of everything\n", (unsigned long long) sum.events,
            (unsigned long long) sum.checks);
    assert_true (sum.events >= total);
    /*  In a full run, all that can go wrong has gone wrong somewhere.      */
    if (total < 1000000)
        return;
    assert_true (sum.values && sum.faults && sum.cancelled && sum.crashes && sum.reruns);
    assert_true (sum.drops && sum.stalls && sum.recalled && sum.lost_drivers && sum.actors);
    assert_true (sum.found && sum.nested && sum.dependent && sum.checks);
}

static void
test_same_seed_same_trace (void **state)
{
    (void) state;
    scenario_t scenario = s_scenarios [3];
    tally_t first, second, third;
    uint64_t hash = simulator_run (&scenario, 30000, &first);
    assert_true (simulator_run (&scenario, 30000, &second) == hash);
    assert_memory_equal (&first, &second, sizeof first);
    scenario.seed++;
    assert_true (simulator_run (&scenario, 30000, &third) != hash);
}

/*  --- a million tasks --------------------------------------------------  */

static void
s_submit_many (head_state_t *head, process_t owner, uint32_t function, uint64_t count)
{
    static const uint8_t body [16] = { 0x91 };
    record_t record
        = { .type = RECORD_TASK, .number = function, .body = body, .body_size = sizeof body };
    for (uint64_t sequence = 1; sequence <= count; sequence++) {
        record.id = (tid_t){ owner, sequence };
        head_submit (head, 1, &record);
    }
    assert_int_equal (head_counts (head).ready, count);
}

/*  Gives out and completes until nothing is left.                          */
static void
s_drain (head_state_t *head, process_t worker, uint64_t count)
{
    uint8_t pairs [8 * LEASES_MAX];
    for (uint64_t left = count; left;) {
        size_t actions, given = 0;
        head_dispatch (head, 1);
        const head_action_t *action = head_actions (head, &actions);
        for (; given < actions; given++) {
            record_t record;
            assert_int_equal (action [given].type, HEAD_DISPATCH);
            head_task_record (action [given].task, 1, &record);
            assert_int_equal (record.id.sequence, count - left + given + 1);
            store_u32 (pairs + 8 * given, (uint32_t) record.target);
            store_u32 (pairs + 8 * given + 4, 1);
        }
        assert_true (given > 0);
        head_actions_clear (head);
        head_done (head, 1, worker, pairs, given);
        left -= given;
    }
}

static void
test_a_million_tasks (void **state)
{
    (void) state;
    uint64_t count = SANITIZED ? 100000 : 1000000;
    head_state_t *head = head_state_new (EPOCH);
    process_t owner = head_join (head, 1, ROLE_DRIVER, 0, "driver");
    uint32_t function = head_function (head, 0, "square", 6);
    size_t before = mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
    int64_t begun = clock_now ();
    s_submit_many (head, owner, function, count);
    int64_t submitted = clock_now ();
    size_t bytes = mallinfo2 ().uordblks + mallinfo2 ().hblkhd - before;
    process_t worker = head_join (head, 1, ROLE_WORKER, 4, "worker");
    assert_int_equal (head_offer (head, worker, function), 0);
    s_drain (head, worker, count);
    int64_t drained = clock_now ();
    assert_int_equal (head_counts (head).tasks, 0);
    printf ("%llu tasks: submitted at %.1f M/s, drained at %.1f M/s, %.0f bytes each\n",
            (unsigned long long) count, (double) count * 1e3 / (double) (submitted - begun),
            (double) count * 1e3 / (double) (drained - submitted),
            (double) bytes / (double) count);
    if (!SANITIZED)
        assert_true (bytes <= count * 250);
    head_state_destroy (&head);
}

/*  An owner that ends with very many tasks holds nobody up.                */
static void
test_a_lost_owner_of_many (void **state)
{
    (void) state;
    uint64_t count = SANITIZED ? 50000 : 500000;
    for (int way = 0; way < 3; way++) {
        head_state_t *head = head_state_new (EPOCH);
        process_t owner = head_join (head, 1, ROLE_DRIVER, 0, "driver");
        uint32_t function = head_function (head, 0, "square", 6);
        s_submit_many (head, owner, function, count);
        int64_t begun = clock_now ();
        if (way == 0)
            head_lost (head, 1, owner, "killed", NULL);
        else if (way == 1)
            head_abandon (head, "no workers");
        assert_int_equal (head_counts (head).tasks, way == 2 ? count : 0);
        assert_null (head_check (head));
        head_state_destroy (&head);
        assert_true (clock_now () - begun < 10 * SECOND);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_scenarios),
        cmocka_unit_test (test_same_seed_same_trace),
        cmocka_unit_test (test_a_million_tasks),
        cmocka_unit_test (test_a_lost_owner_of_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
