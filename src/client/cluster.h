/*  cluster.h - the cluster that a driver carries: head, node, workers      */

#ifndef TROUPE_CLIENT_CLUSTER_H
#define TROUPE_CLIENT_CLUSTER_H

#include "peer/peer.h"

typedef struct cluster cluster_t;

/*  Starts a head and the workers, processes or threads, and joins as a driver.
    Returns when the first worker has joined. NULL with the fault set.      */
cluster_t *cluster_new (unsigned workers, bool threads, fault_t *fault);

/*  The driver's seat.                                                      */
troupe_t *cluster_peer (cluster_t *self);

/*  Ends everything. Returns 0, or -1 with the fault set if something could
    not be ended.                                                           */
int cluster_destroy (cluster_t **self_p, fault_t *fault);

#endif
