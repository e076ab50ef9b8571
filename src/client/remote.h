/*  remote.h - a seat in a cluster that runs already, for drivers and clients

    The cluster is named by its address, and lets in whoever has its token.
    If the head runs on this machine, messages to it stay on it. A process has
    one seat, made and given back by one thread.                            */

#ifndef TROUPE_CLIENT_REMOTE_H
#define TROUPE_CLIENT_REMOTE_H

#include "client/place.h"
#include "peer/peer.h"

typedef struct remote remote_t;

/*  Joins with a namespace, as a driver with this program or as a client, which
    needs no object store unless it has `objects`. Blocks until the head has
    answered, some seconds at most. NULL with the fault set.                */
remote_t *remote_new (const place_t *place, role_t role, const char *space, bool objects,
                      fault_t *fault);

troupe_t *remote_peer (remote_t *self);

/*  Leaves. Returns 0, or -1 with the fault set if a thread did not end.    */
int remote_destroy (remote_t **self_p, fault_t *fault);

#endif
