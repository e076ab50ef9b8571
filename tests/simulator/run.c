/*  run.c - what happens in the simulated world, calamities included, and the
    checks of it                                                            */

#include "simulator.h"

/*  --- delivery ---------------------------------------------------------  */

static void
s_deliver (world_t *world, message_t *message)
{
    frame_reader_t reader;
    record_t record;
    assert_int_equal (frame_open (&reader, message->frame, message->size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    world->hash = chance_trace (world->hash, (uint64_t) message->from << 32 | message->to);
    world->hash = chance_trace (world->hash, (uint64_t) record.type << 56 ^ record.id.sequence);
    if (message->from != HEAD && message->index > world->peers [message->from]->delivered)
        world->peers [message->from]->delivered = message->index;
    if (message->to == HEAD) {
        simulator_head_receive (world, world->peers [message->from], &record);
        simulator_perform (world);
        simulator_turn_soon (world);
    } else
        simulator_peer_receive (world, world->peers [message->to], message->from, &record);
    free (message);
}

/*  A message arrives, or not: its sender or receiver may have ended, the
    head may be stopped, the link may be cut for a while.                   */
static void
s_arrive (world_t *world, message_t *message)
{
    bool to_head = message->to == HEAD, from_head = message->from == HEAD;
    peer_t *peer = world->peers [to_head ? message->from : message->to];
    bool dropped = from_head ? peer->lost : message->index > world->peers [message->from]->cut;
    if (dropped || (!to_head && !peer->alive)) {
        free (message);
        return;
    }
    if ((to_head || from_head) && peer->partitioned) {
        peer->held = realloc (peer->held, (peer->held_count + 1) * sizeof *peer->held);
        assert_non_null (peer->held);
        peer->held [peer->held_count++] = message;
        return;
    }
    s_deliver (world, message);
}

static void
s_heal (world_t *world, peer_t *peer)
{
    message_t **held = peer->held;
    size_t count = peer->held_count;
    peer->partitioned = false;
    peer->held = NULL;
    peer->held_count = 0;
    for (size_t index = 0; index < count; index++)
        s_arrive (world, held [index]);
    free (held);
}

/*  --- calamities -------------------------------------------------------  */

static peer_t *
s_victim (world_t *world, role_t role)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        peer_t *peer = world->peers [chance_below (&world->random, world->peer_count)];
        if (peer->role == role && peer->alive && !peer->lost)
            return peer;
    }
    return NULL;
}

static void
s_chaos (world_t *world)
{
    if (world->quiet)
        return;
    simulator_after (
        world, chance_between (&world->random, 0, 2 * world->scenario->chaos_ms * CLOCK_MS),
        EVENT_CHAOS, 0, 0);
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    peer_t *peer = s_victim (world, roll == 99 ? ROLE_DRIVER : ROLE_WORKER);
    if (roll < 2 && world->stopped_until < world->now) {
        world->stopped_until
            = world->now
              + chance_between (&world->random, CLOCK_MS,
                                chance_percent (&world->random, 10) ? 30 * SECOND
                                                                    : 50 * CLOCK_MS);
        world->tally.stalls++;
    } else if (peer && roll < 15 && !peer->partitioned) {
        peer->partitioned = true;
        simulator_after (world, chance_between (&world->random, CLOCK_MS, 16 * SECOND),
                         EVENT_HEAL, peer->number, 0);
    } else if (peer) {
        simulator_kill (world, peer);
        world->tally.crashes++;
    }
}

/*  The node sees that a process has ended. It has the worker's ledger.     */
static void
s_notice (world_t *world, peer_t *peer)
{
    simulator_head_lose (world, peer, "killed by signal 9", peer->ledger);
    world->by_ledger = true;
    simulator_perform (world);
    world->by_ledger = false;
    simulator_turn_soon (world);
}

static void
s_ping (world_t *world, peer_t *peer)
{
    if (!peer->alive || peer->lost)
        return;
    simulator_send_short (world, peer, RECORD_PING, 0, NULL, 0);
    simulator_after (world, SECOND, EVENT_PING, peer->number, 0);
}

static void
s_time_out (world_t *world, peer_t *owner, uint64_t sequence)
{
    if (owner->alive && simulator_future (owner, sequence)->result == PENDING)
        simulator_cancel (world, owner, sequence, FAULT);
}

/*  --- the run ----------------------------------------------------------  */

static void
s_tick (world_t *world, bool once)
{
    if (once)
        world->recall_due = false;
    else
        simulator_after (world, 500 * CLOCK_MS, EVENT_TICK, 0, 0);
    simulator_turn_soon (world);
}

static bool
s_is_for_the_head (const event_t *event)
{
    return event->type == EVENT_TURN || event->type == EVENT_TICK || event->type == EVENT_NOTICE
           || (event->type == EVENT_MESSAGE && ((const message_t *) event->data)->to == HEAD);
}

static void
s_happen (world_t *world, const event_t *event)
{
    peer_t *peer = world->peers [event->number];
    switch ((event_type_t) event->type) {
    case EVENT_MESSAGE:
        s_arrive (world, event->data);
        break;
    case EVENT_TURN:
        simulator_turn (world);
        break;
    case EVENT_TICK:
        s_tick (world, event->detail != 0);
        break;
    case EVENT_ACT:
        simulator_act (world, peer);
        break;
    case EVENT_FINISH:
        simulator_finish (world, peer, event->detail);
        break;
    case EVENT_FLUSH:
        simulator_flush (world, peer);
        break;
    case EVENT_PING:
        s_ping (world, peer);
        break;
    case EVENT_NOTICE:
        s_notice (world, peer);
        break;
    case EVENT_JOIN:
        simulator_start (world, peer->role);
        break;
    case EVENT_CHAOS:
        s_chaos (world);
        break;
    case EVENT_HEAL:
        s_heal (world, peer);
        break;
    case EVENT_KILL:
        simulator_kill (world, peer);
        break;
    case EVENT_TIMEOUT:
        s_time_out (world, peer, event->detail);
        break;
    case EVENT_BUILT:
        simulator_built (world, peer, event->detail / 16, event->detail % 16);
        break;
    }
}

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
    if (world->now < world->stopped_until && s_is_for_the_head (&event)) {
        event.due = world->stopped_until;
        agenda_add (&world->agenda, event);
        return;
    }
    world->tally.events++;
    world->hash
        = chance_trace (world->hash, (uint64_t) event.due ^ (uint64_t) event.type << 60);
    s_happen (world, &event);
    if (world->tally.events % world->scenario->check_every == 0)
        s_check (world);
}

/*  The futures that living owners still wait for.                          */
static size_t
s_pending (world_t *world)
{
    size_t pending = 0;
    for (uint32_t number = 0; number < world->peer_count; number++) {
        const peer_t *peer = world->peers [number];
        if (peer->alive && !peer->lost)
            pending += peer->pending;
    }
    return pending;
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
    simulated_fix_seed (&world->head->peers, scenario->seed);
    simulated_fix_seed (&world->head->tasks, scenario->seed + 1);
    simulated_fix_seed (&world->head->actors, scenario->seed + 2);
    simulated_fix_seed (&world->head->await.entries, scenario->seed + 3);
    for (unsigned index = 0; index < FUNCTIONS; index++)
        world->functions [index]
            = head_function (world->head, 0, simulator_function_names [index],
                             strlen (simulator_function_names [index]));
    for (unsigned count = 0; count < scenario->workers; count++)
        simulator_start (world, ROLE_WORKER);
    for (unsigned count = 0; count < scenario->drivers; count++)
        simulator_start (world, ROLE_DRIVER);
    simulator_after (world, 0, EVENT_TICK, 0, 0);
    simulator_after (world, 2 * CLOCK_MS, EVENT_CHAOS, 0, 0);
    return world;
}

static void
s_peer_destroy (peer_t *peer)
{
    simulator_free_runs (&peer->queue);
    simulator_free_runs (&peer->runs);
    simulator_free_runs (&peer->waiting);
    for (size_t index = 0; index < peer->held_count; index++)
        free (peer->held [index]);
    free (peer->held);
    free (peer->futures);
    free (peer->ledger);
    free (peer);
}

static void
s_world_destroy (world_t *world)
{
    while (world->agenda.count)
        free (agenda_take (&world->agenda).data);
    for (uint32_t number = 0; number < world->peer_count; number++)
        s_peer_destroy (world->peers [number]);
    size_t cursor = 0;
    for (int64_t *last; (last = id_table_next (&world->links, &cursor));)
        free (last);
    id_table_release (&world->links);
    head_state_destroy (&world->head);
    bytes_release (&world->frame);
    agenda_release (&world->agenda);
    free (world->peers);
    free (world->by_name);
    free (world);
}

/*  Says what is left where nothing should be.                              */
static void
s_report_pending (world_t *world)
{
    head_counts_t counts = head_counts (world->head);
    printf ("left at the head: %zu ready, %zu parked, %zu leased, %zu workers of %u\n",
            counts.ready, counts.parked, counts.leased, counts.workers, world->workers_alive);
    unsigned shown = 0;
    for (uint32_t number = 0; number < world->peer_count; number++) {
        peer_t *peer = world->peers [number];
        for (size_t index = 0; peer->alive && !peer->lost && index < peer->future_count;
             index++)
            if (peer->futures [index].result == PENDING && shown++ < 20) {
                const head_task_t *task
                    = id_table_get (&world->head->tasks, simulator_id (peer, index + 1));
                printf ("peer %u, future %zu, kind %u, starts %u, %s\n", number, index + 1,
                        peer->futures [index].kind, peer->futures [index].starts,
                        !task                        ? "unknown to the head"
                        : task->state == TASK_LEASED ? "leased"
                                                     : "waits at the head");
            }
    }
}

/*  Lets the world come to rest: no new work, no new calamities.            */
static void
s_quiesce (world_t *world)
{
    world->quiet = true;
    /*  By then every partition has healed, or was noticed.                 */
    int64_t calm
        = (world->now > world->stopped_until ? world->now : world->stopped_until) + 17 * SECOND;
    int64_t end = calm + 100 * SECOND;
    while (world->now < calm
           || (world->now < end && (s_pending (world) || head_counts (world->head).tasks)))
        for (unsigned steps = 0; steps < 1000 && world->agenda.count; steps++)
            s_step (world);
    s_check (world);
    if (s_pending (world))
        s_report_pending (world);
    REQUIRE (s_pending (world) == 0);
    head_counts_t counts = head_counts (world->head);
    REQUIRE (counts.tasks == 0 && counts.ready == 0 && counts.parked == 0);
    REQUIRE (counts.leased == 0 && counts.task_bytes == 0);
    REQUIRE (counts.workers == world->workers_alive);
}

/*  Runs a scenario; gives the hash of everything that happened.            */
uint64_t
simulator_run (const scenario_t *scenario, uint64_t events, tally_t *tally)
{
    world_t *world = s_world_new (scenario);
    int64_t begun = clock_now ();
    while (world->tally.events < events)
        s_step (world);
    s_quiesce (world);
    int64_t taken = clock_now () - begun;
    *tally = world->tally;
    uint64_t hash = world->hash;
    printf (
        "%-12s seed %-6llu %8llu events (%.0f/s), %.1f s simulated, %llu tasks: %llu values,"
        " %llu faults, %llu cancelled; %llu crashes, %llu reruns, %llu drops, %llu stalls,"
        " %llu recalled, trace %016llx\n",
        scenario->name, (unsigned long long) scenario->seed, (unsigned long long) tally->events,
        (double) tally->events / ((double) taken / (double) SECOND),
        (double) (world->now - 1000 * SECOND) / (double) SECOND,
        (unsigned long long) tally->tasks, (unsigned long long) tally->values,
        (unsigned long long) tally->faults, (unsigned long long) tally->cancelled,
        (unsigned long long) tally->crashes, (unsigned long long) tally->reruns,
        (unsigned long long) tally->drops, (unsigned long long) tally->stalls,
        (unsigned long long) tally->recalled, (unsigned long long) hash);
    s_world_destroy (world);
    return hash;
}
