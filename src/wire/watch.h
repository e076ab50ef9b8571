/*  watch.h - what happens to the connections of a socket: counted, and known
    by the address of the other side

    Uses zmq_socket_monitor. Its events come through a socket that must be
    drained, as libzmq's I/O thread waits for it to have a reader.          */

#ifndef TROUPE_WIRE_WATCH_H
#define TROUPE_WIRE_WATCH_H

#include "core/error.h"

typedef struct watch watch_t;

typedef struct {
    uint64_t opened;        /*  connections, also those that went nowhere   */
    uint64_t closed;
    uint64_t succeeded;     /*  handshakes                                  */
    uint64_t refused;       /*  by ZAP: ours of them, or theirs of us       */
    uint64_t malformed;     /*  not ZMTP, wrong mechanism, wrong server key */
    uint64_t abandoned;     /*  closed or timed out in the handshake; a client
                                that knows a wrong server key sees this     */
    int last_refusal;       /*  status of the last refusal: 300, 400, 500   */
    int last_malformed;     /*  ZMQ_PROTOCOL_ERROR_ of the last malformed   */
} watch_counts_t;

typedef enum {
    WATCH_OPENED,
    WATCH_CLOSED,
    WATCH_REFUSED,          /*  closed, by ZAP                              */
    WATCH_MALFORMED,        /*  closed, as its handshake made no sense      */
    WATCH_ABANDONED         /*  closed or silent in the handshake           */
} watch_change_t;

/*  Told of each connection that opens or closes: fd is its descriptor, -1 if
    it closes with the socket; address that of the other side, "" if it is on
    this machine's local sockets, or was gone before we saw it.             */
typedef void watch_told_t (void *arg, int fd, const char *address, watch_change_t change);

/*  Starts watching; to be called by the thread that owns the socket. The
    watch itself may then go to another thread. told may be NULL.           */
watch_t *watch_new (void *context, void *socket, watch_told_t *told, void *arg,
                    fault_t *fault);

/*  The gate has let somebody in who is at this address: the newest of the
    connections from there whose handshake has not been decided. What closes
    before that, without any other word of libzmq's, was no ZMTP and counts as
    malformed. Returns false if none is known, yet.                         */
bool watch_admitted (watch_t *watch, const char *address);

/*  The socket to poll for events.                                          */
void *watch_socket (watch_t *watch);

/*  Reads events, if there are any, at most some hundred at a time: poll again.
    Returns true once the watched socket has been closed or is no longer
    watched, so that there will be no more.                                 */
bool watch_drain (watch_t *watch);

void watch_read (const watch_t *watch, watch_counts_t *counts);

/*  Ends the watching of a socket that stays open: by its thread, before
    watch_destroy.                                                          */
void watch_stop (void *socket);

/*  Only after the socket has been closed or watch_stop: libzmq's I/O thread
    would otherwise wait for a reader for ever. Waits at most a second to see
    that it is so; if it is not, keeps what it must not free, returns -1.   */
int watch_destroy (watch_t **watch_p);

#endif
