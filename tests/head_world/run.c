/*  run.c - calamities, what happens one after the other, and the checks of it */

#include "tests/head_world/head_world.h"

/*  --- calamities -------------------------------------------------------  */

static void
s_chaos (world_t *world)
{
    if (world->quiet)
        return;
    int64_t twice = 2 * world->scenario->chaos_ms * CLOCK_MS;
    world_after (world, (int64_t) chance_below (&world->random, (uint64_t) twice),
                 (event_t){ .type = E_CHAOS });
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    being_t *being = world_pick (world, roll < 60 ? WORKER : roll < 90 ? AGENT : DRIVER);
    if (!being)
        return;
    if (being->kind == AGENT && chance_percent (&world->random, 60)) {
        being->silent = true;
        world_after (world, (int64_t) chance_below (&world->random, 15 * SECOND),
                     (event_t){ .type = E_HEAL, .who = being->name });
        return;
    }
    world->tally.crashes++;
    being->alive = false;
    world_after (world, (int64_t) chance_below (&world->random, 5 * CLOCK_MS),
                 (event_t){ .type = E_NOTICE, .who = being->name });
    if (being->kind == AGENT)
        world_new_node (world);
    else if (being->kind == DRIVER)
        world_new_driver (world);
}

/*  What it had been told to do while it was silent is lost, so it comes back
    as a new node.                                                          */
static void
s_heal (world_t *world, process_t name)
{
    being_t *being = world_being (world, name);
    being->silent = false;
    if (!being->lost && being->alive)
        world_lose (world, being, "it has lost its connection");
    world_new_node (world);
    world_turn_soon (world);
}

/*  --- the run ----------------------------------------------------------  */

static void
s_check (world_t *world)
{
    simulated_check (world->head, world->scenario->name, world->scenario->seed,
                     world->tally.events);
    world->tally.checks++;
}

static void
s_step (world_t *world)
{
    event_t event = agenda_take (&world->agenda);
    world->now = event.due;
    world->tally.events++;
    world->hash
        = chance_trace (world->hash, (uint64_t) event.type << 56 ^ (uint64_t) event.due);
    switch (event.type) {
    case E_TURN:
        world->turn_due = false;
        head_dispatch (world->head, world->now);
        break;
    case E_TICK:
        world_tick (world);
        break;
    case E_ACT:
        world_act (world, event.who);
        break;
    case E_FINISH:
        world_finish (world, &event);
        break;
    case E_RETURN:
        world_return (world, &event);
        break;
    case E_JOIN:
        world_join_worker (world, &event);
        break;
    case E_CHAOS:
        s_chaos (world);
        break;
    case E_NOTICE:
        world_lose (world, world_being (world, event.who), "it has ended");
        break;
    case E_HEAL:
        s_heal (world, event.who);
        break;
    case E_UP:
        world_actor_up (world, &event);
        break;
    }
    size_t count;
    head_actions (world->head, &count);
    if (count)
        world_turn_soon (world);
    world_perform (world);
    if (world->tally.events % world->scenario->check_every == 0)
        s_check (world);
}

static world_t *
s_world_new (const scenario_t *scenario)
{
    world_t *world = calloc (1, sizeof *world);
    assert_non_null (world);
    world->scenario = scenario;
    world->random = scenario->seed;
    world->now = 1000 * SECOND;
    world->head = head_state_new (EPOCH);
    assert_non_null (world->head);
    /*  The order of tables is the one thing that is random by itself.      */
    id_table_t *const tables []
        = { &world->head->peers, &world->head->tasks, &world->head->actors,
            &world->head->nodes, &world->head->pools, &world->head->groups };
    for (size_t index = 0; index < sizeof tables / sizeof tables [0]; index++)
        simulated_fix_seed (tables [index], scenario->seed + index);
    for (unsigned count = 0; count < scenario->nodes; count++)
        world_new_node (world);
    for (unsigned count = 0; count < scenario->drivers; count++)
        world_new_driver (world);
    world_after (world, 0, (event_t){ .type = E_TICK });
    world_after (world, 10 * CLOCK_MS, (event_t){ .type = E_CHAOS });
    return world;
}

static void
s_world_destroy (world_t *world)
{
    for (uint32_t index = 0; index < world->being_count; index++)
        free (world->beings [index].results);
    head_state_destroy (&world->head);
    free (world->beings);
    agenda_release (&world->agenda);
    free (world);
}

static size_t
s_pending (world_t *world)
{
    size_t pending = 0;
    for (uint32_t index = 0; index < world->being_count; index++) {
        const being_t *being = &world->beings [index];
        for (uint64_t task = 0; being->kind == DRIVER && !being->lost && task < being->sequence;
             task++)
            pending += being->results [task] == PENDING;
    }
    return pending;
}

/*  Tells what is left where nothing should be.                             */
static void
s_report (world_t *world)
{
    head_state_t *head = world->head;
    size_t jobs = 0, lanes = 0;
    for (job_t *job; (job = id_table_next (&head->jobs, &jobs)); lanes = 0)
        for (lane_t *lane; (lane = id_table_next (&job->lane_table, &lanes));) {
            char text [200];
            if (!lane->ready)
                continue;
            printf ("job %u: %zu workers, %zu starting; lane %s at %u: %zu of %zu ready, %s"
                    " (placement %d)%s%s%s%s\n",
                    job->number, job->workers, job->starting, lane->function->name, lane->depth,
                    lane->ready, lane->references,
                    head_demand_text (head, lane->demand, text, sizeof text),
                    (int) lane->demand->placement, lane->turn.place ? ", has its turn" : "",
                    lane->searched ? ", searched" : "", lane->unfit ? ", unfit" : "",
                    list_linked (&job->wanting) ? ", wanting" : "");
        }
    size_t cursor = 0;
    head_node_report_t report;
    while (head_next_node (head, &cursor, &report)) {
        printf ("node %s %s: %zu workers, %zu starting, %zu actors, %zu leases", report.name,
                report.state, report.workers, report.starting, report.actors, report.leases);
        for (size_t index = 0; index < report.count; index++)
            printf (", %s %.1f of %.1f", report.resources [index].name,
                    (double) report.resources [index].used / RESOURCE_UNIT,
                    (double) report.resources [index].total / RESOURCE_UNIT);
        printf ("\n");
    }
}

/*  Everything ends: no work is left, then no job, and nothing is held.     */
static void
s_quiesce (world_t *world)
{
    world->quiet = true;
    /*  A group may keep what others wait for.                              */
    for (uint32_t index = 0; index < world->being_count; index++)
        for (unsigned group = 0; group < world->beings [index].group_count; group++)
            head_group_end (world->head, (tid_t){ world->beings [index].name,
                                                  world->beings [index].groups [group] });
    world_turn_soon (world);
    int64_t end = world->now + 600 * SECOND;
    while (world->now < end && head_counts (world->head).tasks)
        s_step (world);
    s_check (world);
    if (s_pending (world) || head_counts (world->head).tasks)
        s_report (world);
    REQUIRE (s_pending (world) == 0 && head_counts (world->head).tasks == 0);
    for (uint32_t index = 0; index < world->being_count; index++)
        if (world->beings [index].kind == DRIVER)
            world_lose (world, &world->beings [index], "the end");
    while (world->now < end + 100 * SECOND)
        s_step (world);
    s_check (world);
    head_counts_t counts = head_counts (world->head);
    REQUIRE (counts.jobs == 1 && counts.actors == 0 && counts.groups == 0);
    REQUIRE (counts.workers == 0 && counts.task_bytes == 0);
    head_resource_report_t reports [8];
    size_t resources = head_resources (world->head, reports, 8);
    for (size_t index = 0; index < resources; index++)
        REQUIRE (reports [index].used == 0);
}

uint64_t
world_simulate (const scenario_t *scenario, uint64_t events, tally_t *tally)
{
    world_t *world = s_world_new (scenario);
    while (world->tally.events < events)
        s_step (world);
    s_quiesce (world);
    *tally = world->tally;
    uint64_t hash = world->hash;
    printf ("%-9s seed %-4llu %8llu events, %.0f s: %llu tasks (%llu special), %llu done, %llu"
            " faults, %llu returned; %llu actors, %llu groups; %llu starts, %llu refused, %llu"
            " stopped, %llu assigned; %llu crashes, %llu nodes lost, %llu drops, trace %016llx\n",
            scenario->name, (unsigned long long) scenario->seed,
            (unsigned long long) tally->events,
            (double) (world->now - 1000 * SECOND) / (double) SECOND,
            (unsigned long long) tally->tasks, (unsigned long long) tally->special,
            (unsigned long long) tally->done, (unsigned long long) tally->faults,
            (unsigned long long) tally->returned, (unsigned long long) tally->actors,
            (unsigned long long) tally->groups,
            (unsigned long long) tally->starts, (unsigned long long) tally->refusals,
            (unsigned long long) tally->stopped, (unsigned long long) tally->assigned,
            (unsigned long long) tally->crashes, (unsigned long long) tally->nodes_lost,
            (unsigned long long) tally->drops, (unsigned long long) hash);
    s_world_destroy (world);
    return hash;
}
