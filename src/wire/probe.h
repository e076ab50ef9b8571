/*  probe.h - whether anybody is left at the other end of a connection

    A connection that is closed tells nothing: the network may be mended soon,
    and libzmq connects anew. But where the kernel over there answers that
    nobody listens, the process has ended.                                  */

#ifndef TROUPE_WIRE_PROBE_H
#define TROUPE_WIRE_PROBE_H

#include "wire/socket.h"

#include <sys/socket.h>

typedef struct {
    peer_link_t link;
    struct sockaddr_storage address;    /*  of the other end                */
    socklen_t size;             /*  0: not known                            */
    int attempt;                /*  descriptor of a connection on its way   */
    bool closed;                /*  the connection is                       */
    bool answered;              /*  and a new one was not refused           */
} probe_t;

void probe_init (probe_t *self);
void probe_release (probe_t *self);

/*  A message has come, over a connection that may be a new one.            */
void probe_follow (probe_t *self, zmq_msg_t *message);

/*  True once the connection is closed and the other machine refuses a new one.
    Does not wait: to be asked now and then.                                */
bool probe_refused (probe_t *self);

#endif
