/*  head.c - the shell around the real state machine                         */

#include "tests/head_world/head_world.h"

static void
s_send_task (world_t *world, const head_action_t *action)
{
    record_t record;
    const being_t *worker = world_being (world, action->peer);
    REQUIRE (!worker->lost && worker->kind == WORKER);
    head_task_record (action->task, world->now, &record);
    const being_t *owner = world_being (world, record.id.owner);
    REQUIRE (!owner->lost);
    int64_t time = (int64_t) chance_below (
        &world->random, chance_percent (&world->random, 10) ? 200 * CLOCK_MS : 2 * CLOCK_MS);
    world_after (world, time + CLOCK_US,
                 (event_t){ .type = E_FINISH,
                            .who = action->peer,
                            .number = (uint32_t) record.target,
                            .detail = (uint32_t) time,
                            .id = record.id });
}

static void
s_perform_one (world_t *world, const head_action_t *action)
{
    world->hash
        = chance_trace (world->hash, (uint64_t) action->type << 32 | (uint32_t) action->peer);
    switch (action->type) {
    case HEAD_DISPATCH:
        s_send_task (world, action);
        break;
    case HEAD_FAULT:
        world->tally.faults++;
        REQUIRE (action->text && action->text [0]);
        world_settle (world, action->id, FAILED);
        break;
    case HEAD_DROP:
        world->tally.drops++;
        world_lose (world, world_being (world, action->peer), action->text);
        break;
    case HEAD_RECALL:
        world_after (world, (int64_t) chance_below (&world->random, 2 * CLOCK_MS),
                     (event_t){ .type = E_RETURN,
                                .who = action->peer,
                                .number = (uint32_t) action->number });
        break;
    case HEAD_START_WORKERS:
        world->tally.starts += action->number;
        REQUIRE (!world_being (world, action->peer)->lost && action->number <= START_MAX);
        for (uint64_t count = 0; count < action->number; count++)
            world_after (world, (int64_t) chance_below (&world->random, 50 * CLOCK_MS),
                         (event_t){ .type = E_JOIN,
                                    .who = action->peer,
                                    .number = action->job,
                                    .detail = action->program });
        break;
    case HEAD_STOP_WORKER:
        world->tally.stopped++;
        world_being (world, action->peer)->alive = false;
        world_after (world, (int64_t) chance_below (&world->random, 20 * CLOCK_MS),
                     (event_t){ .type = E_NOTICE, .who = action->peer });
        break;
    case HEAD_SPAWN:
        world_after (
            world, (int64_t) chance_below (&world->random, 5 * CLOCK_MS),
            (event_t){
                .type = E_UP, .who = action->peer, .number = 1, .id = action->actor->id });
        break;
    case HEAD_PLACED:
        world->tally.placed++;
        break;
    case HEAD_ASSIGN:
        world->tally.assigned++;
        break;
    case HEAD_JOB_ENDED:
        world->tally.ended++;
        break;
    default:
        break;
    }
}

void
world_perform (world_t *world)
{
    size_t count = 0;
    for (size_t index = 0; head_actions (world->head, &count), index < count; index++) {
        head_action_t action = head_actions (world->head, &count) [index];
        s_perform_one (world, &action);
    }
    head_actions_clear (world->head);
    REQUIRE (!head_failed (world->head));
}

void
world_tick (world_t *world)
{
    world_after (world, 400 * CLOCK_MS, (event_t){ .type = E_TICK });
    for (uint32_t index = 0; index < world->being_count; index++) {
        const being_t *being = &world->beings [index];
        if (being->lost || !being->alive || being->silent
            || (being->node && world_being (world, being->node)->silent))
            continue;
        head_heard (world->head, world->now, being->name);
    }
    world_turn_soon (world);
}
