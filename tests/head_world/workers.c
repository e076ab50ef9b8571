/*  workers.c - what workers and their agents do                             */

#include "tests/head_world/head_world.h"

void
world_join_worker (world_t *world, const event_t *event)
{
    const being_t *node = world_being (world, event->who);
    if (!node->alive || node->silent)
        return;
    world_turn_soon (world);
    if (chance_percent (&world->random, 5)) {
        world->tally.refusals++;
        head_worker_failed (world->head, world->now, event->who, event->number, "no luck");
        return;
    }
    process_t name = head_join_worker (world->head, world->now, event->who,
                                       (uint32_t) event->detail, event->number, 1, "worker");
    being_t *worker = world_born (world, WORKER, name);
    worker->node = event->who;
    for (unsigned index = 0; index < 3; index++)
        head_offer (world->head, name,
                    head_function (world->head, (uint32_t) event->detail,
                                   (const char *[]){ "a", "b", "c" } [index], 1));
}

/*  A task may submit others before it ends.                                */
void
world_finish (world_t *world, const event_t *event)
{
    being_t *worker = world_being (world, event->who);
    if (!worker->alive || worker->lost || world_being (world, worker->node)->silent)
        return;
    if (chance_percent (&world->random, 3) && head_job_of (world->head, worker->name))
        world_submit (world, worker->name, (tid_t){ worker->name, ++worker->sequence }, NULL,
                      task_target (1, event->number, 0));
    uint8_t pair [8];
    store_u32 (pair, event->number);
    store_u32 (pair + 4, (uint32_t) (event->detail / 64));
    world->tally.done++;
    const head_task_t *task = id_table_get (&world->head->tasks, event->id);
    bool current = task && task->state == TASK_LEASED && task->lease == event->number
                   && task->worker->process == worker->name;
    if (current && !task->cancelled)
        world_settle (world, event->id, DONE);
    head_done (world->head, world->now, worker->name, pair, 1);
    if (current)
        head_acknowledge (world->head, event->id);
    world_turn_soon (world);
}

/*  Gives back some of what was called back: the others have begun.         */
void
world_return (world_t *world, const event_t *event)
{
    uint8_t leases [4 * LEASES_MAX];
    size_t count = 0, wanted = chance_below (&world->random, event->number + 1);
    const being_t *worker = world_being (world, event->who);
    if (!worker->alive || worker->lost || world_being (world, worker->node)->silent)
        return;
    const head_peer_t *peer = head_peer (world->head, event->who);
    for (unsigned slot = peer->lease_capacity; slot-- && count < wanted;)
        if (peer->leases [slot] && peer->leases [slot]->lane->plain
            && peer->outstanding - count > peer->slots)
            store_u32 (leases + 4 * count++, peer->leases [slot]->lease);
    world->tally.returned += count;
    head_returned (world->head, world->now, event->who, leases, count);
    world_turn_soon (world);
}

void
world_actor_up (world_t *world, const event_t *event)
{
    const being_t *worker = world_being (world, event->who);
    if (!worker->alive || worker->lost)
        return;
    if (event->number && chance_percent (&world->random, 90)) {
        head_actor_up (world->head, event->who, event->id, 7, 1);
        world_after (world, (int64_t) chance_below (&world->random, 20 * SECOND),
                     (event_t){ .type = E_UP, .who = event->who, .id = event->id });
    } else
        head_actor_down (world->head, event->who, event->id);
    world_turn_soon (world);
}
