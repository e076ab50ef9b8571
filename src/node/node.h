/*  node.h - the node agent: starts worker processes and watches them

    A zactor. A worker that dies is reported to the head with its cause and
    with what it had started, and replaced.                                 */

#ifndef TROUPE_NODE_NODE_H
#define TROUPE_NODE_NODE_H

#include "peer/peer.h"

typedef struct node node_t;

/*  Starts so many workers, which run this very program again and join the
    head at the endpoint. store: the endpoint of the machine's, or "". The
    strings are copied. Reports go through the peer, which must outlive the
    node. NULL with the fault set.                                          */
node_t *node_new (troupe_t *peer, const char *head_endpoint, const char *store,
                  unsigned workers, fault_t *fault);

/*  The failure to start workers at all, if there was one: 0 or -1 with the
    fault set. From any thread.                                             */
int node_failure (node_t *self, fault_t *fault);

/*  Tells the workers to end, gives them a second, kills what is left, and
    waits for all of them. Once, from any thread but the node's own, without
    the peer's lock. Returns 0, or -1 if something could not be ended.      */
int node_destroy (node_t **self_p);

#endif
