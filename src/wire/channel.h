/*  channel.h - frames between two processes, each exactly once

    A tcp connection may break and be made again, with what was under way
    lost. So every frame that goes to another machine ends in a LINK record:

        sequence   number of the frame, from 1; 0 if it is only a notice
        target     the last frame that came from the other side, in order
        flags      RECORD_AGAIN: one is missing, send what follows once more

    The sender keeps a frame until it is acknowledged, and sends it again
    when it is asked to, or when nothing was acknowledged for some time. The
    receiver takes frames in order and drops those that it has had: go-back-N,
    see Kurose and Ross, Computer Networking, 3.4.3. As tcp itself loses
    nothing while a connection lasts, there is no window: what is under way is
    bounded by the credits above.

    A zeroed channel is ready. Not thread-safe.                             */

#ifndef TROUPE_WIRE_CHANNEL_H
#define TROUPE_WIRE_CHANNEL_H

#include "core/bytes.h"
#include "core/list.h"
#include "wire/frame.h"

#include <zmq.h>

typedef struct {
    uint64_t sent;              /*  number of the last frame                */
    uint64_t acknowledged;      /*  by the other side                       */
    uint64_t received;          /*  the last one, in order                  */
    uint64_t told;              /*  the last one that the other side heard of */
    int64_t progress;           /*  when something was acknowledged or sent
                                    for the first time                      */
    int64_t repeated;           /*  when frames were last sent again        */
    int64_t owed;               /*  when the oldest frame came that was not
                                    acknowledged; 0: none                   */
    unsigned repeats;           /*  since the last acknowledgement          */
    bool asks;                  /*  a frame is missing here                 */
    struct channel_frame *first;    /*  those not acknowledged              */
    struct channel_frame *last;
} channel_t;

typedef enum {
    CHANNEL_TAKE,               /*  the next frame: to be read              */
    CHANNEL_DROP                /*  had it, too early, or only a notice     */
} channel_verdict_t;

/*  Ends a frame with its LINK record and makes a message of it, which is kept
    until it is acknowledged. The buffer is empty then. Returns 0, or -1: no
    memory, and nothing has changed.                                        */
int channel_seal (channel_t *self, bytes_t *frame, int64_t now, zmq_msg_t *message);

/*  Makes a message that only tells what has come. Returns 0 or -1.         */
int channel_notice (channel_t *self, zmq_msg_t *message);

/*  True if the frame ends in a LINK record.                                */
bool channel_ends (const uint8_t *data, size_t size);

/*  What to do with a frame; *again is set if channel_repeat is to follow. A
    frame without a LINK record is taken.                                   */
channel_verdict_t channel_receive (channel_t *self, const uint8_t *data, size_t size,
                                   int64_t now, bool *again);

/*  Sends what was not acknowledged once more, by a function that takes the
    message, also when it fails.                                            */
typedef int channel_send_t (void *arg, zmq_msg_t *message);
void channel_repeat (channel_t *self, int64_t now, channel_send_t *send, void *arg);

/*  Whether it is time for channel_notice, or for channel_repeat; and when it
    will be, CLOCK_NEVER if it need not be.                                 */
bool channel_owes (const channel_t *self, int64_t now);
bool channel_overdue (const channel_t *self, int64_t now);
int64_t channel_due (const channel_t *self);

/*  Lets go of all frames.                                                  */
void channel_release (channel_t *self);

#endif
