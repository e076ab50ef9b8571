/*  socket.h - raw libzmq sockets, set up the one way that Troupe uses them

    No linger; no high-water mark on what we send, which credits bound; one
    on what a ROUTER holds for each peer, so that a flood stays with whoever
    sends it. Functions return 0 or -1 with the fault set.                  */

#ifndef TROUPE_WIRE_SOCKET_H
#define TROUPE_WIRE_SOCKET_H

#include "core/bytes.h"
#include "core/error.h"
#include "wire/keys.h"

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

/*  From here on the socket's tcp endpoints are CURVE servers of this domain:
    whoever connects must know the pair's public key and have a key that the
    gate lets in. Endpoints bound earlier stay as they were, so that a socket
    can have local ones without keys. Needs a gate (wire/gate.h).           */
int socket_curve_server (void *socket, const key_pair_t *pair, const char *domain,
                         fault_t *fault);

/*  From here on what the socket connects to must be the CURVE server with
    this public key, to which it shows the pair.                            */
int socket_curve_client (void *socket, const uint8_t server [KEY_SIZE],
                         const key_pair_t *pair, fault_t *fault);

/*  From here on the socket's endpoints use no keys, and as servers only let
    in whom the gate's domain lets in without (gate_allow_insecure).        */
int socket_insecure_server (void *socket, const char *domain, fault_t *fault);

/*  What a handshake between machines may take.                             */
#define SOCKET_HANDSHAKE_MS 5000

/*  Options for connections between machines: IPv6 and IPv4, handshakes of at
    most SOCKET_HANDSHAKE_MS, keepalive, an end to connections whose data nobody confirms for
    20 s, reconnects at 100 ms to 5 s with growing pauses. Before it binds or
    connects.                                                               */
int socket_tcp (void *socket, fault_t *fault);

/*  The endpoint last bound, with the port it got. Returns 0 or -1.         */
int socket_last_endpoint (void *socket, char *endpoint, size_t size, fault_t *fault);

/*  The connection that a message came through, to end it later. Take it from
    a message's last frame: libzmq loses it on first ones.                  */
typedef struct {
    int fd;                 /*  -1: not known, or inside the process        */
    uint64_t cookie;        /*  the kernel's, never used twice              */
} peer_link_t;

void peer_link_of (peer_link_t *link, zmq_msg_t *message);

/*  The same, of a descriptor that is this connection's now.                */
void peer_link_of_fd (peer_link_t *link, int fd);

/*  The User-Id that the gate gave to the sender of a message, or NULL; good
    until the message is closed. Also from a last frame.                    */
const char *peer_name_of (zmq_msg_t *message);

/*  Whether the connection is there. True if it was not known.              */
bool peer_linked (const peer_link_t *link);

/*  How many bytes have come through a tcp connection, and how many of ours the
    other side has acknowledged. Returns 0, or -1 if it is none of these, or the
    kernel does not say.                                                    */
int peer_bytes (const peer_link_t *link, uint64_t *received, uint64_t *acknowledged);

/*  Ends the connection, if it still is the same one: for a peer whose key was
    revoked. The peer may try again and is then refused. Returns 0, or -1 if
    there is no such connection any more. Takes no descriptor, but those that
    peer_cut_begin keeps for it: before the first, and peer_cut_end as often,
    after the last. Thread-safe; none blocks.                               */
int peer_cut_begin (fault_t *fault);
int peer_cut (const peer_link_t *link);
void peer_cut_end (void);

/*  The descriptor that tells of events (edge-triggered: drain until EAGAIN). */
int socket_fd (void *socket);

/*  True if a message can be received. Also lets the socket process what its
    I/O thread told it.                                                     */
bool socket_readable (void *socket);

/*  Makes a message of the buffer's content and leaves the buffer empty.
    Small contents are copied, large ones handed over. Returns 0 or -1.     */
int socket_message_take (zmq_msg_t *message, bytes_t *content);

#endif
