/*  test_head_world.c - drives the head's state machine through the life of a
    cluster: nodes that come, fall silent and vanish, workers that crash or
    cannot start, jobs with all kinds of demands

    TROUPE_SEED          replays one seed of each scenario
    TROUPE_WORLD_EVENTS  how many events of each scenario                   */

#include "tests/head_world/head_world.h"
#include "tests/sanitized.h"

static const scenario_t s_scenarios [] = {
    { "few", 1, 3, 2, 300, 100, 10 },
    { "busy", 2, 10, 4, 200, 500, 25 },
    { "churn", 3, 30, 6, 20, 1000, 25 },
    { "many", 4, 1000, 10, 20, 20000, 40 },
};

static void
test_scenarios (void **state)
{
    (void) state;
    tally_t sum = { 0 };
    uint64_t total = simulated_number ("TROUPE_WORLD_EVENTS", SANITIZED ? 40000 : 120000);
    for (size_t index = 0; index < sizeof s_scenarios / sizeof s_scenarios [0]; index++) {
        scenario_t scenario = s_scenarios [index];
        tally_t tally;
        scenario.seed = simulated_number ("TROUPE_SEED", scenario.seed);
        world_simulate (&scenario, total * scenario.share / 100, &tally);
        simulated_sum ((uint64_t *) &sum, (const uint64_t *) &tally, sizeof sum);
    }
    /*  In a full run, all that can go wrong has gone wrong somewhere.      */
    if (total < 120000)
        return;
    assert_true (sum.done && sum.faults && sum.starts && sum.refusals && sum.crashes);
    assert_true (sum.nodes_lost && sum.drops && sum.actors && sum.groups && sum.placed);
    assert_true (sum.stopped && sum.assigned && sum.ended && sum.checks && sum.special);
}

static void
test_same_seed_same_trace (void **state)
{
    (void) state;
    scenario_t scenario = s_scenarios [1];
    tally_t first, second;
    uint64_t hash = world_simulate (&scenario, 5000, &first);
    assert_true (world_simulate (&scenario, 5000, &second) == hash);
    assert_memory_equal (&first, &second, sizeof first);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_scenarios),
        cmocka_unit_test (test_same_seed_same_trace),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
