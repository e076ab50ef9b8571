/*  family.h - what a call that runs here has submitted, to be cancelled with it

    A call has one while it runs, and as long as a future that it has returned
    answers for it. All functions expect the lock of the peer.              */

#ifndef TROUPE_PEER_FAMILY_H
#define TROUPE_PEER_FAMILY_H

#include "peer/future.h"

/*  Zeroed but for the peer. It belongs to the call; the futures do not.    */
struct family {
    troupe_t *peer;
    bool cancelled;
    uint64_t *sequences;        /*  of the futures, done ones among them    */
    size_t count;
    size_t capacity;
};

/*  Notes a future of this process. Without memory it is not cancelled with
    the others.                                                             */
void family_add (family_t *self, const troupe_future_t *future);

/*  Cancels what is pending, and has nothing submitted any more. Continuations
    run: the call itself may be answered and gone afterwards.               */
void family_cancel (family_t *self);

/*  Frees it; what it has submitted goes on.                                */
void family_release (family_t *self);

#endif
