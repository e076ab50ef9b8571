/*  node.h - the node agent: starts worker processes and watches them

    A zactor. A worker that dies is reported to the head with its cause and
    with what it had started, and replaced.                                 */

#ifndef TROUPE_NODE_NODE_H
#define TROUPE_NODE_NODE_H

#include "peer/peer.h"

typedef struct node node_t;

typedef struct {
    const char *head_endpoint;
    const uint8_t *cookie;      /*  of COOKIE_SIZE, which the head asks for */
    const char *store;          /*  where the machine's store is            */
    unsigned workers;
} node_options_t;

/*  Starts so many workers, which run this very program again and join the
    head. What the options point to is copied. NULL with the fault set.     */
node_t *node_new (const node_options_t *options, fault_t *fault);

/*  Begins to watch the workers; the head hears of their ends through the peer,
    which must outlive the node. To be called once; node_new comes before it as
    the workers take longest to start.                                      */
void node_watch (node_t *self, troupe_t *peer);

/*  The failure to start workers at all, if there was one: 0 or -1 with the
    fault set. From any thread.                                             */
int node_failure (node_t *self, fault_t *fault);

/*  Tells the workers to end, gives them a second, kills what is left, and
    waits for all of them. Once, from any thread but the node's own, without
    the peer's lock. Returns 0, or -1 if something could not be ended.      */
int node_destroy (node_t **self_p);

#endif
