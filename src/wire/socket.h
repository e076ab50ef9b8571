/*  socket.h - raw libzmq sockets, set up the one way that Troupe uses them

    No linger; no high-water mark on what we send, which credits bound; one
    on what a ROUTER holds for each peer, so that a flood stays with whoever
    sends it. Functions return 0 or -1 with the fault set.                                                              */

#ifndef TROUPE_WIRE_SOCKET_H
#define TROUPE_WIRE_SOCKET_H

#include "core/bytes.h"
#include "core/error.h"

#include <zmq.h>

/*  A context that copies small received messages, so that holding one does
    not pin its 8 kB receive buffer. NULL with the fault set.               */
void *socket_context_new (fault_t *fault);

/*  A ROUTER, mandatory, whose ipc endpoints only processes of this user can
    connect to; or a DEALER. NULL with the fault set.                       */
void *socket_router_new (void *context, fault_t *fault);
void *socket_dealer_new (void *context, fault_t *fault);

int socket_bind (void *socket, const char *endpoint, fault_t *fault);
int socket_connect (void *socket, const char *endpoint, fault_t *fault);

/*  The descriptor that tells of events (edge-triggered: drain until EAGAIN). */
int socket_fd (void *socket);

/*  True if a message can be received. Also lets the socket process what its
    I/O thread told it.                                                     */
bool socket_readable (void *socket);

/*  Makes a message of the buffer's content and leaves the buffer empty.
    Small contents are copied, large ones handed over. Returns 0 or -1.     */
int socket_message_take (zmq_msg_t *message, bytes_t *content);

#endif
