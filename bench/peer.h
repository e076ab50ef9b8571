/*  peer.h - a bare CZMQ process: started, heard of once, then idle         */

#ifndef TROUPE_BENCH_PEER_H
#define TROUPE_BENCH_PEER_H

#include "bench.h"

#include <czmq.h>

/*  If this process was started by peer_start, lives as its peer until it is
    killed and never returns. Call it first in main.                        */
void peer_serve (int argc, char *argv []);

/*  A ROUTER for peers, on an endpoint that leaves no file. NULL on failure. */
zsock_t *peer_listen (void);

/*  Starts the program again as a peer that connects to the listener, and
    waits for its first message. Returns 0 or -1.                           */
int peer_start (bench_child_t *child, zsock_t *listener);

#endif
