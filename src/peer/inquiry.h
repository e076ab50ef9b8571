/*  inquiry.h - answers and values that were lost on their way

    A worker tells the head that a task is done and sends the result to the
    task's owner. If it is killed in between, the head knows nothing of the
    task any more and the owner waits. So when a worker has ended, an owner
    asks the head which of its tasks it still knows. Of the others, the
    answers are here, or on their way from a worker that lives, or lost: each
    of those workers is asked to send a sign behind what it has sent before,
    and what has not come by then never will.

    A value that a call here waits for may be lost in the same way. Its owner
    has it: who sent the call holds on to its arguments. So it is asked again.

    All functions expect the lock.                                          */

#ifndef TROUPE_PEER_INQUIRY_H
#define TROUPE_PEER_INQUIRY_H

#include "peer/peer.h"

/*  A worker has ended: asks the head, if we wait for any task, and owners
    of values.                                                              */
void inquiry_begin (troupe_t *peer, const char *cause);

/*  Asks the owner of a value for it once more.                             */
void inquiry_ask_again (troupe_t *peer, tid_t id);

/*  The head's answer: the tasks that it does not know.                     */
void inquiry_unknown (troupe_t *peer, const record_t *record);

/*  A worker's sign, or its end.                                            */
void inquiry_sign (troupe_t *peer, uint64_t number, process_t worker);
void inquiry_lose_process (troupe_t *peer, process_t worker);

/*  Gives up all.                                                           */
void inquiry_drop_all (troupe_t *peer);

#endif
