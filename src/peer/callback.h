/*  callback.h - functions that run in this process when futures are done   */

#ifndef TROUPE_PEER_CALLBACK_H
#define TROUPE_PEER_CALLBACK_H

#include "peer/future.h"

/*  Waits as peer_wait; where no executors run callbacks, those that become
    ready meanwhile run in this thread. Expects the lock.                   */
int callback_wait (troupe_t *peer, peer_waiter_t *waiter, int64_t until);

/*  Runs the first callback of the queue, releasing the lock meanwhile.
    False if there was none.                                                */
bool callback_run_first (troupe_t *peer);

/*  Forgets the callbacks that have not run: their futures fail.            */
void callback_drop_all (troupe_t *peer);

#endif
