/*  channel.c - frames between two processes, each exactly once              */

#include "wire/channel.h"

#include "core/clock.h"
#include "wire/socket.h"

#include <stdlib.h>

/*  A frame that came is acknowledged by the next that goes, or after this. */
#define ACKNOWLEDGE (50 * CLOCK_MS)

/*  Without any acknowledgement for so long, frames are sent again; longer
    each time.                                                              */
#define REPEAT (1000 * CLOCK_MS)
#define REPEATS_MAX 3

/*  What was just sent again is not, for this time.                         */
#define REPEAT_GAP (100 * CLOCK_MS)

typedef struct channel_frame {
    struct channel_frame *next;
    uint64_t number;
    zmq_msg_t message;
} channel_frame_t;

static void
s_told (channel_t *self)
{
    self->told = self->received;
    self->owed = 0;
    self->asks = false;
}

static record_t
s_link (const channel_t *self, uint64_t number)
{
    return (record_t){ .type = RECORD_LINK,
                       .flags = self->asks ? RECORD_AGAIN : 0,
                       .id = { 0, number },
                       .target = self->received };
}

int
channel_seal (channel_t *self, bytes_t *frame, int64_t now, zmq_msg_t *message)
{
    channel_frame_t *kept = malloc (sizeof *kept);
    record_t link = s_link (self, self->sent + 1);
    size_t size = frame->size;
    if (!kept || record_write (frame, &link)) {
        free (kept);
        return -1;
    }
    zmq_msg_init (&kept->message);
    if (socket_message_take (message, frame) || zmq_msg_copy (&kept->message, message)) {
        record_abandon (frame, size);
        zmq_msg_close (&kept->message);
        free (kept);
        return -1;
    }
    if (self->sent == self->acknowledged)
        self->progress = now;
    kept->number = ++self->sent;
    kept->next = NULL;
    if (self->last)
        self->last->next = kept;
    else
        self->first = kept;
    self->last = kept;
    s_told (self);
    return 0;
}

int
channel_notice (channel_t *self, zmq_msg_t *message)
{
    bytes_t frame = { 0 };
    record_t link = s_link (self, 0);
    int rc = record_write (&frame, &link) || socket_message_take (message, &frame) ? -1 : 0;
    bytes_release (&frame);
    if (rc == 0)
        s_told (self);
    return rc;
}

static void
s_acknowledge (channel_t *self, uint64_t number, int64_t now)
{
    if (number <= self->acknowledged || number > self->sent)
        return;
    self->acknowledged = number;
    self->progress = now;
    self->repeats = 0;
    while (self->first && self->first->number <= number) {
        channel_frame_t *done = self->first;
        self->first = done->next;
        if (!self->first)
            self->last = NULL;
        zmq_msg_close (&done->message);
        free (done);
    }
}

/*  The LINK record is the last of the frame and has no body.               */
static bool
s_read_link (const uint8_t *data, size_t size, record_t *link)
{
    if (size < FRAME_HEADER + RECORD_HEADER)
        return false;
    const uint8_t *place = data + size - RECORD_HEADER;
    if (load_u32 (place) != RECORD_HEADER || place [4] != RECORD_LINK)
        return false;
    link->flags = place [5];
    link->id.sequence = load_u64 (place + 8);
    link->target = load_u64 (place + 24);
    return true;
}

bool
channel_ends (const uint8_t *data, size_t size)
{
    record_t link;
    return s_read_link (data, size, &link);
}

channel_verdict_t
channel_receive (channel_t *self, const uint8_t *data, size_t size, int64_t now, bool *again)
{
    record_t link;
    *again = false;
    if (!s_read_link (data, size, &link))
        return CHANNEL_TAKE;
    s_acknowledge (self, link.target, now);
    *again = link.flags & RECORD_AGAIN && self->first
             && now - self->repeated >= REPEAT_GAP;
    if (link.id.sequence == 0)
        return CHANNEL_DROP;
    if (!self->owed)
        self->owed = now;
    if (link.id.sequence == self->received + 1) {
        self->received++;
        return CHANNEL_TAKE;
    }
    if (link.id.sequence > self->received) {
        /*  Some were lost: ask for them at once.                           */
        self->asks = true;
        self->owed = 1;
    }
    return CHANNEL_DROP;
}

void
channel_repeat (channel_t *self, int64_t now, channel_send_t *send, void *arg)
{
    self->repeated = now;
    if (self->repeats < REPEATS_MAX)
        self->repeats++;
    for (channel_frame_t *kept = self->first; kept; kept = kept->next) {
        zmq_msg_t copy;
        zmq_msg_init (&copy);
        if (zmq_msg_copy (&copy, &kept->message)) {
            zmq_msg_close (&copy);
            return;
        }
        if (send (arg, &copy))
            return;
    }
}

static int64_t
s_repeat_at (const channel_t *self)
{
    int64_t since = self->progress > self->repeated ? self->progress : self->repeated;
    return self->first ? since + (REPEAT << self->repeats) : CLOCK_NEVER;
}

bool
channel_owes (const channel_t *self, int64_t now)
{
    return self->owed && now - self->owed >= ACKNOWLEDGE;
}

bool
channel_overdue (const channel_t *self, int64_t now)
{
    return now >= s_repeat_at (self);
}

int64_t
channel_due (const channel_t *self)
{
    int64_t owed = self->owed ? self->owed + ACKNOWLEDGE : CLOCK_NEVER;
    int64_t again = s_repeat_at (self);
    return owed < again ? owed : again;
}

void
channel_release (channel_t *self)
{
    while (self->first) {
        channel_frame_t *kept = self->first;
        self->first = kept->next;
        zmq_msg_close (&kept->message);
        free (kept);
    }
    *self = (channel_t){ 0 };
}
