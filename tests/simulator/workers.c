/*  workers.c - simulated workers: tasks that run, nest, are recalled and end   */

#include "simulator.h"

/*  --- workers ----------------------------------------------------------  */

static int64_t
s_duration (world_t *world, const peer_t *peer, uint32_t function)
{
    static const int64_t typical [FUNCTIONS] = { 2 * CLOCK_US,  60 * CLOCK_US, 3 * CLOCK_MS,
                                                 20 * CLOCK_US, 5 * CLOCK_US,  60 * CLOCK_MS };
    int64_t time
        = chance_between (&world->random, typical [function] / 2, typical [function] * 2);
    if (function == JUMPY && chance_percent (&world->random, 2))
        time = chance_between (&world->random, 20 * CLOCK_MS, 800 * CLOCK_MS);
    return time * peer->slowness;
}

static unsigned
s_function_index (world_t *world, uint32_t number)
{
    for (unsigned index = 0; index < FUNCTIONS; index++)
        if (world->functions [index] == number)
            return index;
    REQUIRE (false);
    return 0;
}

/*  A task runs at most once, and once more for each retry.                 */
static void
s_begin (world_t *world, peer_t *peer, run_t *run)
{
    future_t *future
        = simulator_future (simulator_named (world, run->id.owner), run->id.sequence);
    REQUIRE (future != NULL);
    world->tally.reruns += future->starts > 0;
    future->starts++;
    REQUIRE (future->starts <= future->retries + 1);
    peer->ledger [run->lease & (LEASES_MAX - 1)] = run->lease;
    peer->running++;
    run->started = world->now;
    list_append (&peer->runs, &run->node);
    simulator_after (world, s_duration (world, peer, run->function), EVENT_FINISH, peer->number,
                     run->serial);
}

static void
s_run_more (world_t *world, peer_t *peer)
{
    while (peer->running < peer->slots + peer->blocked) {
        list_node_t *node = list_pop (&peer->queue);
        if (!node)
            return;
        s_begin (world, peer, container_of (node, run_t, node));
    }
}

static run_t *
s_run_with_lease (list_t *list, uint32_t lease)
{
    for (list_node_t *node = list->next; node != list; node = node->next)
        if (container_of (node, run_t, node)->lease == lease)
            return container_of (node, run_t, node);
    return NULL;
}

static run_t *
s_run_with_id (peer_t *peer, tid_t id)
{
    list_t *const lists [] = { &peer->queue, &peer->runs, &peer->waiting };
    for (size_t index = 0; index < 3; index++)
        for (list_node_t *node = lists [index]->next; node != lists [index]; node = node->next)
            if (tid_equal (container_of (node, run_t, node)->id, id))
                return container_of (node, run_t, node);
    return NULL;
}

static run_t *
s_run_with_serial (list_t *list, uint64_t serial)
{
    for (list_node_t *node = list->next; node != list; node = node->next)
        if (container_of (node, run_t, node)->serial == serial)
            return container_of (node, run_t, node);
    return NULL;
}

void
simulator_flush (world_t *world, peer_t *peer)
{
    if (peer->alive && peer->done_count)
        simulator_send_short (world, peer, RECORD_DONE, 0, peer->done, peer->done_count * 8);
    peer->done_count = 0;
}

/*  Notes a lease as done; it goes to the head with others.                 */
static void
s_note_done (world_t *world, peer_t *peer, uint32_t lease, int64_t duration)
{
    uint8_t *pair = peer->done + 8 * peer->done_count++;
    store_u32 (pair, lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    if (peer->done_count == sizeof peer->done / 8 || chance_percent (&world->random, 30))
        simulator_flush (world, peer);
    else if (peer->done_count == 1)
        simulator_after (world, chance_between (&world->random, CLOCK_US, 100 * CLOCK_US),
                         EVENT_FLUSH, peer->number, 0);
}

/*  The values go to those who want them, the result to the owner, and only
    then is the lease done.                                                 */
static void
s_complete (world_t *world, peer_t *peer, run_t *run)
{
    result_t result = chance_percent (&world->random, 4) ? FAULT : VALUE;
    for (uint32_t index = 0; index < run->subscriber_count; index++)
        simulator_send_value (world, peer, run->id, run->subscribers [index], result);
    record_t record = { .type = RECORD_RESULT,
                        .flags = result == FAULT ? RECORD_FAULT : 0,
                        .number = result == FAULT ? TROUPE_EFAILED : 0,
                        .extra = (uint16_t) run->subscriber_count,
                        .id = run->id };
    simulator_send_named (world, peer, run->id.owner, &record);
    s_note_done (world, peer, run->lease, world->now - run->started);
    list_remove (&run->node);
    free (run);
    peer->running--;
    s_run_more (world, peer);
}

static void
s_block (world_t *world, peer_t *peer, int step)
{
    peer->blocked = (unsigned) ((int) peer->blocked + step);
    simulator_send_short (world, peer, RECORD_SLOTS, peer->blocked, NULL, 0);
}

/*  A task submits tasks, and waits for them.                               */
static void
s_nest (world_t *world, peer_t *peer, run_t *run)
{
    run->nested = true;
    run->children = (uint32_t) chance_between (&world->random, 1, 3);
    list_remove (&run->node);
    list_append (&peer->waiting, &run->node);
    for (uint32_t left = run->children; left; left--)
        simulator_submit (
            world, peer, run->depth < 3 && chance_percent (&world->random, 50) ? NESTED : SHORT,
            run->depth + 1, run->serial, 0);
    world->tally.nested++;
    s_block (world, peer, 1);
    s_run_more (world, peer);
}

void
simulator_child_done (world_t *world, peer_t *peer, uint64_t serial)
{
    run_t *run = s_run_with_serial (&peer->waiting, serial);
    if (!run || --run->children)
        return;
    list_remove (&run->node);
    list_append (&peer->runs, &run->node);
    s_block (world, peer, -1);
    simulator_after (world, 10 * CLOCK_US, EVENT_FINISH, peer->number, serial);
}

void
simulator_finish (world_t *world, peer_t *peer, uint64_t serial)
{
    run_t *run = peer->alive ? s_run_with_serial (&peer->runs, serial) : NULL;
    if (!run)
        return;
    if (run->function == NESTED && !run->nested && !run->cancelled && !peer->lost)
        s_nest (world, peer, run);
    else
        s_complete (world, peer, run);
}

/*  A task comes. Its values must all be there.                             */
static void
s_take_task (world_t *world, peer_t *peer, const record_t *record)
{
    run_t *run = calloc (1, sizeof *run);
    assert_non_null (run);
    run->serial = ++world->serial;
    run->id = record->id;
    run->function = s_function_index (world, record->number);
    run->depth = (uint32_t) (record->target >> 32);
    run->lease = (uint32_t) record->target;
    REQUIRE (run->lease != 0 && record->body_size == 6);
    REQUIRE (run->function != LONG || peer->number % 7);
    REQUIRE (!s_run_with_lease (&peer->queue, run->lease));
    REQUIRE (!s_run_with_lease (&peer->runs, run->lease));
    REQUIRE (!s_run_with_lease (&peer->waiting, run->lease));
    const uint8_t *place = record->attachment;
    unsigned missing = 0, values = 0;
    for (uint32_t left = record->attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        missing += attachment.pending;
        values += !attachment.pending;
        if (!attachment.pending)
            REQUIRE (attachment.size == 8
                     && load_u64 (attachment.value) == attachment.id.sequence);
    }
    REQUIRE (values >= missing);
    list_append (&peer->queue, &run->node);
    s_run_more (world, peer);
}

/*  Gives back what has not started, the newest, in their order.            */
static void
s_recall (world_t *world, peer_t *peer, uint64_t wanted)
{
    uint8_t leases [4 * LEASES_MAX];
    uint32_t count = 0;
    for (list_node_t *node = peer->queue.prev; node != &peer->queue && count < wanted;
         node = node->prev)
        count++;
    for (uint32_t index = count; index--;) {
        run_t *run = container_of (peer->queue.prev, run_t, node);
        store_u32 (leases + 4 * index, run->lease);
        list_remove (&run->node);
        free (run);
    }
    world->tally.recalled += count;
    simulator_send_short (world, peer, RECORD_RETURNED, 0, leases, 4 * count);
}

/*  What has not started never starts; it is given back, or said to be done. */
static void
s_cancel_run (world_t *world, peer_t *peer, tid_t id)
{
    run_t *run = s_run_with_id (peer, id);
    if (!run)
        return;
    run->cancelled = true;
    if (run->started)
        return;
    uint8_t lease [4];
    store_u32 (lease, run->lease);
    if (chance_percent (&world->random, 50))
        simulator_send_short (world, peer, RECORD_RETURNED, 0, lease, sizeof lease);
    else
        s_note_done (world, peer, run->lease, 0);
    list_remove (&run->node);
    free (run);
}

/*  An actor ends; its owner may still wait for its constructor.            */
static void
s_end_actor (world_t *world, peer_t *peer, unsigned slot)
{
    tid_t id = peer->actors [slot].id;
    if (!id.owner)
        return;
    record_t result
        = { .type = RECORD_RESULT, .flags = RECORD_FAULT, .id = id, .number = TROUPE_EENDED };
    record_t down = { .type = RECORD_ACTOR_DOWN, .id = id };
    if (!peer->actors [slot].built)
        simulator_send_named (world, peer, id.owner, &result);
    simulator_send (world, peer->number, HEAD, &down);
    peer->actors [slot].id.owner = 0;
}

/*  An actor is to be built in the place of another one: that takes time.   */
static void
s_take_spawn (world_t *world, peer_t *peer, const record_t *record)
{
    unsigned slot = (unsigned) chance_below (&world->random, 16);
    s_end_actor (world, peer, slot);
    peer->actors [slot].id = record->id;
    peer->actors [slot].number = ++world->serial;
    peer->actors [slot].built = false;
    simulator_after (world, chance_between (&world->random, CLOCK_US, 5 * CLOCK_MS),
                     EVENT_BUILT, peer->number, peer->actors [slot].number * 16 + slot);
}

void
simulator_built (world_t *world, peer_t *peer, uint64_t number, unsigned slot)
{
    tid_t id = peer->actors [slot].id;
    if (!peer->alive || !id.owner || peer->actors [slot].number != number)
        return;
    if (chance_percent (&world->random, 10)) {
        s_end_actor (world, peer, slot);
        return;
    }
    record_t result = { .type = RECORD_RESULT, .id = id };
    record_t up = { .type = RECORD_ACTOR_UP, .id = id, .target = number };
    peer->actors [slot].built = true;
    simulator_send_named (world, peer, id.owner, &result);
    simulator_send (world, peer->number, HEAD, &up);
}

/*  --- what peers receive -----------------------------------------------  */

static void
s_take_result (world_t *world, peer_t *peer, const record_t *record)
{
    REQUIRE (record->id.owner == peer->name);
    const future_t *future = simulator_future (peer, record->id.sequence);
    REQUIRE (future != NULL);
    if (future->retries)
        simulator_send_short (world, peer, RECORD_ACK, record->id.sequence, NULL, 0);
    simulator_settle (world, peer, record->id.sequence,
                      record->flags & RECORD_FAULT ? FAULT : VALUE, record->extra);
}

static void
s_subscribe_run (peer_t *peer, const record_t *record)
{
    run_t *run = s_run_with_id (peer, record->id);
    if (run && run->subscriber_count < 8)
        run->subscribers [run->subscriber_count++] = (uint32_t) record->target;
}

void
simulator_peer_receive (world_t *world, peer_t *peer, uint32_t from, const record_t *record)
{
    switch (record->type) {
    case RECORD_WELCOME:
        peer->name = record->id.owner;
        simulator_after (world, chance_between (&world->random, 0, SECOND), EVENT_PING,
                         peer->number, 0);
        if (peer->role == ROLE_DRIVER)
            simulator_after (world, 0, EVENT_ACT, peer->number, 0);
        break;
    case RECORD_TASK:
        s_take_task (world, peer, record);
        break;
    case RECORD_RESULT:
        s_take_result (world, peer, record);
        break;
    case RECORD_RECALL:
        s_recall (world, peer, record->id.sequence);
        break;
    case RECORD_CANCEL:
        s_cancel_run (world, peer, record->id);
        break;
    case RECORD_SUBSCRIBE:
        if (record->flags & RECORD_AGAIN)
            simulator_send_again (world, peer, record->id.sequence);
        else if (from == HEAD)
            s_subscribe_run (peer, record);
        else
            simulator_add_target (world, peer, record->id.sequence);
        break;
    case RECORD_SPAWN:
        s_take_spawn (world, peer, record);
        break;
    default:
        REQUIRE (false);
    }
}
