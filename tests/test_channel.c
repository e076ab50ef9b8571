/*  test_channel.c - frames between machines: each exactly once, in order    */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/clock.h"
#include "wire/channel.h"

#define WAY_MAX 4096

/*  One end, and the messages that are under way from it.                   */
typedef struct {
    channel_t channel;
    int64_t now;
    uint64_t sent;
    uint64_t taken;
    zmq_msg_t way [WAY_MAX];
    size_t count;
} side_t;

static side_t *
s_side_new (void)
{
    side_t *side = calloc (1, sizeof *side);
    assert_non_null (side);
    side->now = 1000 * CLOCK_MS;
    return side;
}

static void
s_lose (side_t *from)
{
    while (from->count)
        zmq_msg_close (&from->way [--from->count]);
}

static void
s_side_destroy (side_t *side)
{
    s_lose (side);
    channel_release (&side->channel);
    assert_null (side->channel.first);
    free (side);
}

static int
s_send (void *arg, zmq_msg_t *message)
{
    side_t *side = arg;
    assert_true (side->count < WAY_MAX);
    zmq_msg_init (&side->way [side->count]);
    return zmq_msg_move (&side->way [side->count++], message);
}

/*  A frame that says its number.                                           */
static void
s_submit (side_t *side)
{
    bytes_t frame = { 0 };
    zmq_msg_t message;
    record_t record = { .type = RECORD_ACK, .id = { 0, ++side->sent } };
    assert_int_equal (record_write (&frame, &record), 0);
    assert_int_equal (channel_seal (&side->channel, &frame, side->now, &message), 0);
    assert_int_equal (frame.size, 0);
    s_send (side, &message);
    bytes_release (&frame);
}

static void
s_notice (side_t *side)
{
    zmq_msg_t message;
    assert_int_equal (channel_notice (&side->channel, &message), 0);
    s_send (side, &message);
}

/*  One message arrives. True if it was to be read, and then it is the next. */
static bool
s_arrive (side_t *to, zmq_msg_t *message)
{
    bool again;
    const uint8_t *data = zmq_msg_data (message);
    size_t size = zmq_msg_size (message);
    assert_true (channel_ends (data, size));
    bool take = channel_receive (&to->channel, data, size, to->now, &again) == CHANNEL_TAKE;
    if (take) {
        frame_reader_t reader;
        record_t record;
        assert_int_equal (frame_open (&reader, data, size), 0);
        assert_int_equal (frame_next (&reader, &record), 1);
        assert_int_equal (record.id.sequence, ++to->taken);
    }
    if (again)
        channel_repeat (&to->channel, to->now, s_send, to);
    return take;
}

/*  All that is under way arrives. Returns how many were to be read.        */
static size_t
s_arrive_all (side_t *from, side_t *to)
{
    size_t taken = 0;
    size_t count = from->count;
    for (size_t index = 0; index < count; index++)
        taken += s_arrive (to, &from->way [index]);
    s_lose (from);
    return taken;
}

static void
s_tend (side_t *side)
{
    if (channel_overdue (&side->channel, side->now))
        channel_repeat (&side->channel, side->now, s_send, side);
    if (channel_owes (&side->channel, side->now))
        s_notice (side);
}

/*  --- tests ------------------------------------------------------------  */

static void
test_acknowledged (void **state)
{
    (void) state;
    side_t *here = s_side_new (), *there = s_side_new ();
    assert_int_equal (channel_due (&here->channel), CLOCK_NEVER);
    s_submit (here);
    s_submit (here);
    assert_int_equal (s_arrive_all (here, there), 2);
    assert_non_null (here->channel.first);
    assert_false (channel_owes (&there->channel, there->now));

    /*  A frame that goes the other way says it too.                        */
    s_submit (there);
    assert_int_equal (s_arrive_all (there, here), 1);
    assert_null (here->channel.first);
    assert_int_equal (channel_due (&there->channel) < CLOCK_NEVER, 1);

    /*  Else a notice does, once it is due, and only one.                   */
    here->now = channel_due (&here->channel);
    assert_true (channel_owes (&here->channel, here->now));
    s_notice (here);
    assert_false (channel_owes (&here->channel, here->now));
    assert_int_equal (s_arrive_all (here, there), 0);
    assert_null (there->channel.first);
    assert_int_equal (channel_due (&here->channel), CLOCK_NEVER);
    assert_int_equal (channel_due (&there->channel), CLOCK_NEVER);
    s_side_destroy (here);
    s_side_destroy (there);
}

static void
test_one_is_lost (void **state)
{
    (void) state;
    side_t *here = s_side_new (), *there = s_side_new ();
    s_submit (here);
    s_arrive_all (here, there);
    s_submit (here);
    s_lose (here);
    s_submit (here);
    assert_int_equal (s_arrive_all (here, there), 0);

    /*  It is asked for without delay, and what follows it comes once more. */
    assert_true (channel_owes (&there->channel, there->now));
    s_notice (there);
    s_arrive_all (there, here);
    assert_int_equal (here->count, 2);
    assert_int_equal (s_arrive_all (here, there), 2);

    /*  A second call for the same is not answered again at once.           */
    there->channel.asks = true;
    s_submit (here);
    s_lose (here);
    s_notice (there);
    s_arrive_all (there, here);
    assert_int_equal (here->count, 0);
    s_side_destroy (here);
    s_side_destroy (there);
}

static void
test_all_are_lost (void **state)
{
    (void) state;
    side_t *here = s_side_new (), *there = s_side_new ();
    s_submit (here);
    s_lose (here);
    int64_t before = 0;
    for (int round = 0; round < 4; round++) {
        assert_false (channel_overdue (&here->channel, here->now));
        int64_t wait = channel_due (&here->channel) - here->now;
        assert_true (wait > before || round == 0);
        before = wait;
        here->now += wait;
        assert_true (channel_overdue (&here->channel, here->now));
        channel_repeat (&here->channel, here->now, s_send, here);
        assert_int_equal (here->count, 1);
        s_lose (here);
    }
    here->now = channel_due (&here->channel);
    assert_int_equal (here->now - here->channel.repeated, before);
    channel_repeat (&here->channel, here->now, s_send, here);
    assert_int_equal (s_arrive_all (here, there), 1);
    s_side_destroy (here);
    s_side_destroy (there);
}

static void
test_twice (void **state)
{
    (void) state;
    side_t *here = s_side_new (), *there = s_side_new ();
    s_submit (here);
    assert_true (s_arrive (there, &here->way [0]));
    s_notice (there);
    s_lose (there);
    assert_int_equal (channel_due (&there->channel), CLOCK_NEVER);

    /*  The notice was lost, so the frame comes again and is told of again. */
    assert_false (s_arrive (there, &here->way [0]));
    there->now = channel_due (&there->channel);
    assert_true (channel_owes (&there->channel, there->now));
    s_notice (there);
    s_arrive_all (there, here);
    assert_null (here->channel.first);
    assert_int_equal (channel_due (&here->channel), CLOCK_NEVER);
    s_side_destroy (here);
    s_side_destroy (there);
}

/*  A way that is not there: what is kept is as it was.                     */
static int
s_refuse (void *arg, zmq_msg_t *message)
{
    unsigned *count = arg;
    assert_true (zmq_msg_size (message) > 0);
    ++*count;
    zmq_msg_close (message);
    return -1;
}

static void
test_sending_fails (void **state)
{
    (void) state;
    side_t *here = s_side_new (), *there = s_side_new ();
    unsigned tried = 0;
    for (int count = 0; count < 3; count++)
        s_submit (here);
    s_lose (here);
    here->now = channel_due (&here->channel);
    channel_repeat (&here->channel, here->now, s_refuse, &tried);
    assert_int_equal (tried, 1);
    here->now = channel_due (&here->channel);
    channel_repeat (&here->channel, here->now, s_send, here);
    assert_int_equal (s_arrive_all (here, there), 3);
    s_side_destroy (here);
    s_side_destroy (there);
}

/*  Frames that do not end in a whole LINK record are of no channel.        */
static void
test_no_link (void **state)
{
    (void) state;
    bool again = true;
    bytes_t frame = { 0 };
    channel_t channel = { 0 };
    record_t record = { .type = RECORD_ACK, .id = { 0, 1 } };
    record_t link = { .type = RECORD_LINK, .id = { 0, 1 } };
    assert_int_equal (record_write (&frame, &record), 0);
    assert_false (channel_ends (frame.data, frame.size));
    assert_int_equal (channel_receive (&channel, frame.data, frame.size, 1, &again),
                      CHANNEL_TAKE);
    assert_false (again);
    assert_int_equal (channel.received, 0);
    assert_int_equal (channel_due (&channel), CLOCK_NEVER);
    assert_int_equal (record_write (&frame, &link), 0);
    assert_true (channel_ends (frame.data, frame.size));
    for (size_t size = 0; size < frame.size; size++)
        assert_false (channel_ends (frame.data, size));
    link.body = (const uint8_t *) "body";
    link.body_size = 4;
    assert_int_equal (record_write (&frame, &link), 0);
    assert_false (channel_ends (frame.data, frame.size));
    bytes_release (&frame);
    channel_release (&channel);
}

/*  Numbers that no honest side sends acknowledge nothing and lose nothing. */
static void
test_wrong_numbers (void **state)
{
    (void) state;
    bool again;
    bytes_t frame = { 0 };
    side_t *here = s_side_new ();
    record_t link = { .type = RECORD_LINK, .id = { 0, UINT64_MAX }, .target = UINT64_MAX };
    s_submit (here);
    assert_int_equal (record_write (&frame, &link), 0);
    assert_int_equal (
        channel_receive (&here->channel, frame.data, frame.size, here->now, &again),
        CHANNEL_DROP);
    assert_non_null (here->channel.first);
    assert_int_equal (here->channel.acknowledged, 0);
    assert_int_equal (here->channel.received, 0);
    bytes_release (&frame);
    s_side_destroy (here);
}

/*  --- many, over ways that lose, repeat and reorder --------------------  */

#define FRAMES 2000

static uint64_t
s_random (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/*  Of what is under way, each is lost or comes, perhaps twice, in any order. */
static void
s_arrive_badly (side_t *from, side_t *to, uint64_t *random)
{
    while (from->count) {
        size_t index = s_random (random) % from->count;
        unsigned fate = (unsigned) (s_random (random) % 10);
        if (fate > 2)
            index = 0;
        if (fate != 1)
            s_arrive (to, &from->way [index]);
        if (fate == 0)
            s_arrive (to, &from->way [index]);
        zmq_msg_close (&from->way [index]);
        from->count--;
        memmove (&from->way [index], &from->way [index + 1],
                 (from->count - index) * sizeof *from->way);
    }
}

static void
test_many (void **state)
{
    (void) state;
    uint64_t random = 7;
    side_t *sides [2] = { s_side_new (), s_side_new () };
    int rounds = 0;
    while (sides [0]->channel.acknowledged < FRAMES
           || sides [1]->channel.acknowledged < FRAMES) {
        assert_true (rounds++ < 100 * FRAMES);
        for (int index = 0; index < 2; index++) {
            side_t *side = sides [index];
            for (uint64_t left = s_random (&random) % 8; left && side->sent < FRAMES; left--)
                s_submit (side);
            s_tend (side);
            s_arrive_badly (side, sides [!index], &random);
            side->now += 20 * CLOCK_MS;
        }
    }
    for (int index = 0; index < 2; index++) {
        assert_int_equal (sides [index]->taken, FRAMES);
        assert_null (sides [index]->channel.first);
        assert_null (sides [index]->channel.last);
        s_side_destroy (sides [index]);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_acknowledged),  cmocka_unit_test (test_one_is_lost),
        cmocka_unit_test (test_all_are_lost),  cmocka_unit_test (test_twice),
        cmocka_unit_test (test_sending_fails), cmocka_unit_test (test_no_link),
        cmocka_unit_test (test_wrong_numbers), cmocka_unit_test (test_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
