/*  owners.c - what simulated drivers, and workers with nested tasks, submit and
    wait for                                                                */

#include "simulator.h"

/*  --- owners: futures and their targets --------------------------------  */

future_t *
simulator_future (peer_t *owner, uint64_t sequence)
{
    return sequence && sequence <= owner->future_count ? &owner->futures [sequence - 1] : NULL;
}

/*  A new future; its sequence is the owner's count of futures.             */
static future_t *
s_new_future (peer_t *owner, kind_t kind)
{
    if ((owner->future_count & (owner->future_count - 1)) == 0) {
        size_t capacity = owner->future_count ? owner->future_count * 2 : 1;
        owner->futures = realloc (owner->futures, capacity * sizeof *owner->futures);
        assert_non_null (owner->futures);
    }
    future_t *future = &owner->futures [owner->future_count++];
    *future = (future_t){ .kind = (uint8_t) kind };
    owner->pending++;
    return future;
}

tid_t
simulator_id (const peer_t *owner, uint64_t sequence)
{
    return (tid_t){ owner->name, sequence };
}

void
simulator_send_value (world_t *world, peer_t *from, tid_t id, process_t target, result_t result)
{
    static const uint8_t text [] = "it failed";
    record_t value = { .type = RECORD_VALUE, .id = id };
    uint8_t body [8];
    store_u64 (body, id.sequence);
    value.body = body;
    value.body_size = sizeof body;
    if (result != VALUE) {
        value.flags = RECORD_FAULT;
        value.number = TROUPE_EFAILED;
        value.body = text;
        value.body_size = sizeof text - 1;
    }
    simulator_send_named (world, from, target, &value);
}

/*  A future reaches its end. Of the targets, the producer has served some. */
void
simulator_settle (world_t *world, peer_t *owner, uint64_t sequence, result_t result,
                  unsigned served)
{
    future_t *future = simulator_future (owner, sequence);
    if (future->result != PENDING)
        return;
    future->result = (uint8_t) result;
    owner->pending--;
    REQUIRE (served <= future->targets);
    for (; served < future->targets; served++)
        simulator_send_value (world, owner, simulator_id (owner, sequence), 0, result);
    world->tally.values += result == VALUE;
    world->tally.faults += result == FAULT;
    world->tally.cancelled += result == CANCELLED;
    if (future->parent)
        simulator_child_done (world, owner, future->parent);
}

/*  The value may have been lost on its way to the head. If it is not here
    yet, the head is among the targets.                                     */
void
simulator_send_again (world_t *world, peer_t *owner, uint64_t sequence)
{
    const future_t *future = simulator_future (owner, sequence);
    if (!future || future->result != PENDING)
        simulator_send_value (world, owner, simulator_id (owner, sequence), 0,
                              future ? (result_t) future->result : FAULT);
}

/*  The owner is to send the value to the head, which parks a task for it.  */
void
simulator_add_target (world_t *world, peer_t *owner, uint64_t sequence)
{
    future_t *future = simulator_future (owner, sequence);
    tid_t id = simulator_id (owner, sequence);
    if (!future || future->result != PENDING) {
        simulator_send_value (world, owner, id, 0, future ? (result_t) future->result : FAULT);
        return;
    }
    future->targets++;
    record_t subscribe = { .type = RECORD_SUBSCRIBE, .id = id };
    simulator_send (world, owner->number, HEAD, &subscribe);
}

void
simulator_cancel (world_t *world, peer_t *owner, uint64_t sequence, result_t result)
{
    record_t cancel = { .type = RECORD_CANCEL, .id = simulator_id (owner, sequence) };
    simulator_send (world, owner->number, HEAD, &cancel);
    simulator_settle (world, owner, sequence, result, 0);
}

/*  --- owners: submitting -----------------------------------------------  */

typedef struct {
    peer_t *owner;
    tid_t id;
} needed_t;

/*  Picks a future as an argument: one of its own, or now and then another
    driver's. Few targets, so that a byte counts them.                      */
static bool
s_pick_needed (world_t *world, peer_t *owner, needed_t *needed)
{
    peer_t *from = owner;
    if (chance_percent (&world->random, 20))
        from = world->peers [chance_below (&world->random, world->peer_count)];
    if (!from->name || !from->future_count)
        return false;
    uint64_t recent = from->future_count < 64 ? from->future_count : 64;
    uint64_t sequence = from->future_count - chance_below (&world->random, recent);
    const future_t *future = simulator_future (from, sequence);
    needed->owner = from;
    needed->id = simulator_id (from, sequence);
    return future->kind == FUTURE_TASK && future->targets < 6;
}

/*  Attaches what is there, and notes what is yet to come.                  */
static void
s_attach (const peer_t *owner, bytes_t *frame, size_t offset, const needed_t *needed)
{
    const future_t *future = simulator_future (needed->owner, needed->id.sequence);
    uint8_t value [8];
    store_u64 (value, needed->id.sequence);
    bool here = needed->owner == owner && future->result == VALUE;
    assert_int_equal (
        record_attach (frame, offset, needed->id, value, here ? sizeof value : 0, !here), 0);
}

/*  Asks for a value that was not there, after the task was sent.           */
static void
s_ask_for (world_t *world, peer_t *owner, const needed_t *needed)
{
    record_t subscribe = { .type = RECORD_SUBSCRIBE, .id = needed->id };
    if (needed->owner != owner)
        simulator_send (world, owner->number, needed->owner->number, &subscribe);
    else if (simulator_future (owner, needed->id.sequence)->result != VALUE)
        simulator_add_target (world, owner, needed->id.sequence);
}

void
simulator_submit (world_t *world, peer_t *owner, unsigned function, uint32_t depth,
                  uint64_t parent, unsigned needs)
{
    static const uint8_t arguments [] = { 0x92, 0x01, 0xa3, 'a', 'b', 'c' };
    needed_t needed [3];
    unsigned count = 0;
    while (needs--)
        if (s_pick_needed (world, owner, &needed [count]))
            count++;
    future_t *future = s_new_future (owner, FUTURE_TASK);
    uint64_t sequence = owner->future_count;
    future->parent = parent;
    future->retries = chance_percent (&world->random, 35)
                          ? (uint8_t) chance_between (&world->random, 1, 3)
                          : 0;
    record_t record = { .type = RECORD_TASK,
                        .id = simulator_id (owner, sequence),
                        .number = world->functions [function],
                        .target = (uint64_t) depth << 32 | future->retries };
    if (!parent && chance_percent (&world->random, 5))
        record.deadline = (uint32_t) chance_between (&world->random, 1, 50);
    bytes_t frame = { 0 };
    size_t offset = record_begin (&frame, &record);
    bytes_append (&frame, arguments, sizeof arguments);
    record_end_body (&frame, offset);
    for (unsigned index = 0; index < count; index++)
        s_attach (owner, &frame, offset, &needed [index]);
    assert_int_equal (record_end (&frame, offset), 0);
    frame_reader_t reader;
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    simulator_send (world, owner->number, HEAD, &record);
    bytes_release (&frame);
    world->tally.tasks++;
    world->tally.dependent += count > 0;
    if (record.deadline)
        simulator_after (world, record.deadline * CLOCK_MS, EVENT_TIMEOUT, owner->number,
                         sequence);
    for (unsigned index = 0; index < count; index++)
        s_ask_for (world, owner, &needed [index]);
}

static void
s_spawn (world_t *world, peer_t *owner, bool named)
{
    char body [16] = "index";
    snprintf (body, sizeof body, "index%u", (unsigned) chance_below (&world->random, 40));
    s_new_future (owner, FUTURE_ACTOR);
    record_t spawn = { .type = RECORD_SPAWN,
                       .id = simulator_id (owner, owner->future_count),
                       .body = (const uint8_t *) body,
                       .body_size = named ? (uint32_t) strlen (body) : 0 };
    simulator_send (world, owner->number, HEAD, &spawn);
    world->tally.actors++;
}

static void
s_find (world_t *world, peer_t *owner)
{
    char body [16];
    snprintf (body, sizeof body, "index%u", (unsigned) chance_below (&world->random, 40));
    s_new_future (owner, FUTURE_FIND);
    record_t find = { .type = RECORD_FIND,
                      .id = simulator_id (owner, owner->future_count),
                      .body = (const uint8_t *) body,
                      .body_size = (uint32_t) strlen (body) };
    simulator_send (world, owner->number, HEAD, &find);
}

static unsigned
s_pick_function (world_t *world)
{
    static const uint8_t weights [100]
        = { [50] = SHORT, [70] = LONG, [76] = NESTED, [86] = JUMPY, [98] = HEAVY };
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    while (roll && !weights [roll])
        roll--;
    return weights [roll];
}

/*  A driver does something.                                                */
void
simulator_act (world_t *world, peer_t *owner)
{
    if (!owner->alive || owner->lost || world->quiet)
        return;
    bool lull = chance_below (&world->random, 1000) == 0;
    simulator_after (world,
                     lull ? chance_between (&world->random, 0, 2 * SECOND)
                          : chance_between (&world->random, CLOCK_US, 2 * CLOCK_MS),
                     EVENT_ACT, owner->number, 0);
    if (!owner->name || owner->pending >= world->scenario->outstanding)
        return;
    unsigned burst = (unsigned) chance_between (&world->random, 1,
                                                chance_percent (&world->random, 10) ? 200 : 12);
    while (burst--)
        simulator_submit (world, owner, s_pick_function (world), 0, 0,
                          chance_percent (&world->random, 25)
                              ? (unsigned) chance_between (&world->random, 1, 3)
                              : 0);
    if (chance_percent (&world->random, 10))
        s_spawn (world, owner, chance_percent (&world->random, 60));
    if (chance_percent (&world->random, 10))
        s_find (world, owner);
    if (chance_percent (&world->random, 40)) {
        uint64_t sequence
            = owner->future_count - chance_below (&world->random, owner->future_count);
        const future_t *future = simulator_future (owner, sequence);
        if (future->kind == FUTURE_TASK && future->result == PENDING)
            simulator_cancel (world, owner, sequence, CANCELLED);
    }
}
