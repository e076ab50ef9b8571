/*  fuzz_channel.c - two channels over ways that lose, repeat, reorder and cut

    Each step is two bytes. Of the first, bit 0 is the side, the next three
    say what happens: 0 it sends a frame, whose body is of so many bytes as
    the second says; 1 a message to it arrives; 2 is lost; 3 comes twice; 4
    all that is under way is lost; 5 time passes, in 10 ms; 6 nothing can be
    sent from here, or again; 7 a notice arrives that acknowledges too much.

    Every frame must come exactly once and in order. When in the end nothing
    is lost any more, all must have come and nothing be kept.               */

#include "fuzz/world.h"

#include "core/clock.h"
#include "wire/channel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 2048
#define WAY_MAX 1024

/*  More than the longest that a channel waits before it sends again.       */
#define SETTLE_ROUNDS 400
#define SETTLE_TIME (50 * CLOCK_MS)

typedef struct {
    uint8_t *data;
    size_t size;
} packet_t;

/*  One end, and what is under way to it.                                   */
typedef struct side {
    struct side *other;
    channel_t channel;
    uint64_t sent;
    uint64_t taken;
    bool mute; /*  nothing can be sent                     */
    packet_t way [WAY_MAX];
    size_t count;
} side_t;

static side_t s_sides [2];

/*  No socket is used here.                                                 */
bool
world_routable (const uint8_t *route, size_t route_size)
{
    return route && route_size;
}

void
world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
            size_t size)
{
    REQUIRE (!socket && !route && !route_size && !data && !size);
}

/*  --- the ways ---------------------------------------------------------  */

static void
s_put (side_t *to, const uint8_t *data, size_t size)
{
    if (to->count == WAY_MAX)
        return;
    packet_t *packet = &to->way [to->count++];
    packet->size = size;
    packet->data = malloc (size);
    REQUIRE (packet->data);
    memcpy (packet->data, data, size);
}

static packet_t
s_take (side_t *side, size_t index)
{
    packet_t packet = side->way [index];
    side->count--;
    memmove (&side->way [index], &side->way [index + 1],
             (side->count - index) * sizeof *side->way);
    return packet;
}

static void
s_lose_all (side_t *side)
{
    while (side->count)
        free (s_take (side, side->count - 1).data);
}

static int
s_send (void *arg, zmq_msg_t *message)
{
    side_t *side = arg;
    if (!side->mute)
        s_put (side->other, zmq_msg_data (message), zmq_msg_size (message));
    zmq_msg_close (message);
    return side->mute ? -1 : 0;
}

/*  --- the ends ---------------------------------------------------------  */

static void
s_submit (side_t *side, size_t size)
{
    bytes_t frame = { 0 };
    zmq_msg_t message;
    static const uint8_t body [256];
    record_t record = { .type = RECORD_RESULT,
                        .id = { 1, ++side->sent },
                        .body = body,
                        .body_size = (uint32_t) size };
    REQUIRE (record_write (&frame, &record) == 0);
    REQUIRE (channel_seal (&side->channel, &frame, world_now, &message) == 0 && !frame.size);
    REQUIRE (channel_ends (zmq_msg_data (&message), zmq_msg_size (&message)));
    s_send (side, &message);
    bytes_release (&frame);
}

static void
s_read (side_t *side, const packet_t *packet)
{
    frame_reader_t reader;
    record_t record;
    REQUIRE (frame_open (&reader, packet->data, packet->size) == 0);
    REQUIRE (frame_next (&reader, &record) == 1 && record.type == RECORD_RESULT);
    REQUIRE (record.id.sequence == ++side->taken && side->taken <= side->other->sent);
    REQUIRE (frame_next (&reader, &record) == 1 && record.type == RECORD_LINK);
    REQUIRE (frame_next (&reader, &record) == 0);
}

static void
s_arrive (side_t *side, size_t index)
{
    bool again;
    packet_t packet = s_take (side, index);
    if (channel_receive (&side->channel, packet.data, packet.size, world_now, &again)
        == CHANNEL_TAKE)
        s_read (side, &packet);
    if (again)
        channel_repeat (&side->channel, world_now, s_send, side);
    free (packet.data);
}

static void
s_tend (side_t *side)
{
    zmq_msg_t message;
    bool due = channel_due (&side->channel) <= world_now;
    bool overdue = channel_overdue (&side->channel, world_now);
    bool owes = channel_owes (&side->channel, world_now);
    REQUIRE (due == (overdue || owes));
    if (overdue)
        channel_repeat (&side->channel, world_now, s_send, side);
    if (owes) {
        REQUIRE (channel_notice (&side->channel, &message) == 0);
        s_send (side, &message);
        REQUIRE (!channel_owes (&side->channel, world_now));
    }
}

/*  It acknowledges frames that were never sent, which changes nothing.     */
static void
s_deceive (side_t *side, unsigned beyond)
{
    bool again;
    bytes_t frame = { 0 };
    channel_t before = side->channel;
    record_t link = { .type = RECORD_LINK, .target = side->sent + 1 + beyond };
    REQUIRE (record_write (&frame, &link) == 0);
    REQUIRE (channel_receive (&side->channel, frame.data, frame.size, world_now, &again)
             == CHANNEL_DROP);
    REQUIRE (!again && memcmp (&before, &side->channel, sizeof before) == 0);
    bytes_release (&frame);
}

static void
s_step (unsigned what, side_t *side, uint8_t argument)
{
    size_t index = side->count ? argument % side->count : 0;
    switch (what) {
    case 0:
        s_submit (side, argument);
        break;
    case 1:
        if (side->count)
            s_arrive (side, index);
        break;
    case 2:
        if (side->count)
            free (s_take (side, index).data);
        break;
    case 3:
        if (side->count)
            s_put (side, side->way [index].data, side->way [index].size);
        break;
    case 4:
        s_lose_all (side);
        s_lose_all (side->other);
        break;
    case 5:
        world_now += argument * 10 * CLOCK_MS;
        s_tend (side);
        s_tend (side->other);
        break;
    case 6:
        side->mute = argument & 1;
        break;
    default:
        s_deceive (side, argument);
    }
}

/*  What an end holds must agree with its counts.                           */
static void
s_check (const side_t *side)
{
    const channel_t *channel = &side->channel;
    REQUIRE (channel->sent == side->sent && channel->received == side->taken);
    REQUIRE (channel->acknowledged <= side->other->taken && channel->told <= channel->received);
    REQUIRE (!channel->first == (channel->sent == channel->acknowledged));
    REQUIRE (!channel->first == !channel->last);
}

/*  --- an input ---------------------------------------------------------  */

static bool
s_is_settled (const side_t *side)
{
    return !side->count && !side->channel.first && channel_due (&side->channel) == CLOCK_NEVER;
}

/*  Nothing is lost any more.                                               */
static void
s_settle (void)
{
    int round = 0;
    s_sides [0].mute = s_sides [1].mute = false;
    while (!s_is_settled (&s_sides [0]) || !s_is_settled (&s_sides [1])) {
        REQUIRE (round++ < SETTLE_ROUNDS);
        for (int index = 0; index < 2; index++) {
            while (s_sides [index].count)
                s_arrive (&s_sides [index], 0);
            s_tend (&s_sides [index]);
        }
        world_now += SETTLE_TIME;
    }
    for (int index = 0; index < 2; index++) {
        s_check (&s_sides [index]);
        REQUIRE (s_sides [index].taken == s_sides [!index].sent);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    memset (s_sides, 0, sizeof s_sides);
    s_sides [0].other = &s_sides [1];
    s_sides [1].other = &s_sides [0];
    world_now = 1000 * CLOCK_MS;
    for (size_t offset = 0; offset + 2 <= size; offset += 2) {
        s_step (data [offset] >> 1 & 7, &s_sides [data [offset] & 1], data [offset + 1]);
        s_check (&s_sides [0]);
        s_check (&s_sides [1]);
    }
    s_settle ();
    channel_release (&s_sides [0].channel);
    channel_release (&s_sides [1].channel);
    return 0;
}
