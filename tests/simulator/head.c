/*  head.c - does what the head's state machine decides, as its real shell does  */

#include "simulator.h"

void
simulator_head_lose (world_t *world, peer_t *peer, const char *cause, const uint32_t *ledger)
{
    if (peer->lost)
        return;
    peer->lost = true;
    if (!peer->head_name)
        return;
    head_lost (world->head, world->now, peer->head_name, cause, ledger);
    world->tally.lost_drivers += peer->role == ROLE_DRIVER;
}

static void
s_send_task (world_t *world, peer_t *peer, const head_task_t *task)
{
    record_t record;
    const head_peer_t *worker = head_peer (world->head, peer->head_name);
    REQUIRE (worker && !worker->suspect && worker->role == ROLE_WORKER);
    REQUIRE (worker->outstanding <= LEASES_MAX);
    REQUIRE (!task->cancelled && head_deadline (task) > world->now);
    peer_t *owner = simulator_named (world, task->id.owner);
    REQUIRE (!owner->lost && simulator_future (owner, task->id.sequence)->head_faults == 0);
    head_task_record (task, world->now, &record);
    simulator_send (world, HEAD, peer->number, &record);
}

static void
s_send_fault (world_t *world, peer_t *peer, const head_action_t *action)
{
    future_t *future = simulator_future (peer, action->id.sequence);
    REQUIRE (future && action->id.owner == peer->head_name);
    REQUIRE (action->text && action->text [0] && fault_code_valid (action->code));
    if (future->kind == FUTURE_TASK) {
        REQUIRE (++future->head_faults == 1);
        /*  What the ledger does not show as started runs elsewhere.        */
        REQUIRE (!world->by_ledger || future->starts || strstr (action->text, "argument"));
    }
    record_t record = { .type = RECORD_RESULT,
                        .flags = RECORD_FAULT,
                        .number = (uint32_t) action->code,
                        .id = action->id,
                        .body = (const uint8_t *) action->text,
                        .body_size = (uint32_t) strlen (action->text) };
    simulator_send (world, HEAD, peer->number, &record);
}

static void
s_send_found (world_t *world, peer_t *peer, const head_action_t *action)
{
    REQUIRE (action->actor->number && action->actor->name [0]);
    REQUIRE (!simulator_named (world, action->actor->worker)->lost);
    record_t record = { .type = RECORD_RESULT, .id = action->id };
    simulator_send (world, HEAD, peer->number, &record);
    world->tally.found++;
}

/*  Only those who cannot be heard are dropped, however long the head itself
    was stopped.                                                            */
static void
s_drop (world_t *world, peer_t *peer)
{
    REQUIRE (peer->partitioned || !peer->alive);
    world->tally.drops++;
    world->dropped = true;
    simulator_head_lose (world, peer, "silent", NULL);
    simulator_after (world, chance_between (&world->random, 0, 2 * SECOND), EVENT_KILL,
                     peer->number, 0);
}

static void
s_perform_one (world_t *world, const head_action_t *action)
{
    peer_t *peer = simulator_named (world, action->peer);
    record_t record = { .id = action->id, .target = action->target };
    world->hash = chance_trace (world->hash, (uint64_t) action->type << 32 | peer->number);
    /*  What was decided before a drop in the same turn finds nobody.       */
    if (peer->lost && world->dropped && action->type != HEAD_DISPATCH)
        return;
    REQUIRE (!peer->lost);
    switch (action->type) {
    case HEAD_DISPATCH:
        s_send_task (world, peer, action->task);
        return;
    case HEAD_FAULT:
        s_send_fault (world, peer, action);
        return;
    case HEAD_FOUND:
        s_send_found (world, peer, action);
        return;
    case HEAD_DROP:
        s_drop (world, peer);
        return;
    case HEAD_RECALL:
        record.type = RECORD_RECALL;
        record.id.sequence = action->number;
        break;
    case HEAD_CANCEL:
        record.type = RECORD_CANCEL;
        break;
    case HEAD_SUBSCRIBE:
        record.type = RECORD_SUBSCRIBE;
        break;
    case HEAD_AGAIN:
        record.type = RECORD_SUBSCRIBE;
        record.flags = RECORD_AGAIN;
        break;
    case HEAD_SPAWN:
        record.type = RECORD_SPAWN;
        record.id = action->actor->id;
        break;
    default:
        REQUIRE (false);
    }
    simulator_send (world, HEAD, peer->number, &record);
}

/*  An action may cause others, which are then appended.                    */
void
simulator_perform (world_t *world)
{
    size_t count = 0;
    world->dropped = false;
    for (size_t index = 0; head_actions (world->head, &count), index < count; index++) {
        head_action_t action = head_actions (world->head, &count) [index];
        s_perform_one (world, &action);
    }
    head_actions_clear (world->head);
    REQUIRE (!head_failed (world->head));
}

static void
s_head_join (world_t *world, peer_t *peer, const record_t *record)
{
    char label [32];
    snprintf (label, sizeof label, "peer %u", peer->number);
    peer->head_name = head_join (world->head, world->now, record->flags, record->number, label);
    REQUIRE (peer->head_name != 0);
    world->by_name [++world->joined] = peer->number;
    REQUIRE ((uint32_t) peer->head_name == world->joined);
    record_t welcome = { .type = RECORD_WELCOME, .id.owner = peer->head_name };
    simulator_send (world, HEAD, peer->number, &welcome);
    if (peer->role != ROLE_WORKER)
        return;
    /*  Some workers do not offer everything.                               */
    for (unsigned index = 0; index < FUNCTIONS; index++)
        if (index != LONG || peer->number % 7)
            assert_int_equal (
                head_offer (world->head, peer->head_name, world->functions [index]), 0);
}

static void
s_head_spawn (world_t *world, const record_t *record)
{
    head_spawn_t spawn = { .id = record->id,
                           .class_name = "class",
                           .class_length = 5,
                           .name = (const char *) record->body,
                           .name_length = record->body_size,
                           .record = (const uint8_t *) "spawn",
                           .size = 5 };
    head_spawn (world->head, world->now, &spawn);
}

void
simulator_head_receive (world_t *world, peer_t *peer, const record_t *record)
{
    head_state_t *head = world->head;
    int64_t now = world->now;
    process_t name = peer->head_name;
    const char *text = (const char *) record->body;
    /*  Its end may be known before it has even joined.                     */
    if (peer->lost && record->type == RECORD_HELLO)
        return;
    if (record->type == RECORD_HELLO)
        s_head_join (world, peer, record);
    else
        head_heard (head, now, name);
    switch (record->type) {
    case RECORD_TASK:
        head_submit (head, now, record);
        break;
    case RECORD_DONE:
        head_done (head, now, name, record->body, record->body_size / 8);
        break;
    case RECORD_ACK:
        head_acknowledge (head, (tid_t){ name, record->id.sequence });
        break;
    case RECORD_RETURNED:
        head_returned (head, now, name, record->body, record->body_size / 4);
        break;
    case RECORD_SLOTS:
        head_slots (head, name, (unsigned) record->id.sequence);
        break;
    case RECORD_CANCEL:
        head_cancel (head, record->id);
        break;
    case RECORD_SUBSCRIBE:
        head_subscribe (head, record->id, record->target);
        break;
    case RECORD_VALUE:
        head_value (head, record->id, record->flags & RECORD_FAULT ? record->number : 0,
                    record->body, record->body_size);
        break;
    case RECORD_SPAWN:
        s_head_spawn (world, record);
        break;
    case RECORD_ACTOR_UP:
        head_actor_up (head, name, record->id, record->target, 1);
        break;
    case RECORD_ACTOR_DOWN:
        head_actor_down (head, name, record->id);
        break;
    case RECORD_FIND:
        head_find (head, name, record->id, NULL, text, record->body_size);
        break;
    default:
        break;
    }
}

/*  The head receives for a while, and then gives out.                      */
void
simulator_turn_soon (world_t *world)
{
    if (world->turn_due)
        return;
    world->turn_due = true;
    simulator_after (world, chance_between (&world->random, 0, 20 * CLOCK_US), EVENT_TURN, 0,
                     0);
}

/*  No plain task waits while a worker of its job that offers it has a slot
    and a cpu free.                                                         */
static void
s_check_no_idle_slots (world_t *world)
{
    const head_state_t *head = world->head;
    size_t cursor = 0;
    for (const head_peer_t *peer; (peer = id_table_next (&head->peers, &cursor));) {
        if (peer->role != ROLE_WORKER || !peer->counted || head_load (peer) >= peer->slots
            || peer->outstanding == LEASES_MAX || peer->on->free [CPUS] < RESOURCE_UNIT
            || (peer->special && head_load (peer)))
            continue;
        size_t lanes = 0;
        for (const lane_t *lane; (lane = id_table_next (&peer->job->lane_table, &lanes));)
            REQUIRE (!lane->plain || !lane->ready || !peer->offers [lane->function->number]);
    }
}

void
simulator_turn (world_t *world)
{
    world->turn_due = false;
    head_dispatch (world->head, world->now);
    if (++world->turns % (world->scenario->check_every / 10) == 0)
        s_check_no_idle_slots (world);
    simulator_perform (world);
    if (head_recall_due (world->head) == CLOCK_NEVER || world->recall_due)
        return;
    world->recall_due = true;
    simulator_after (world, head_due (world->head, world->now) - world->now, EVENT_TICK, 0, 1);
}
