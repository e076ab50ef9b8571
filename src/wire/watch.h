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
    uint64_t malformed;     /*  wrong mechanism, wrong server key, ...: what
                                libzmq says is no handshake                 */
    uint64_t abandoned;     /*  closed or timed out in the handshake; a client
                                that knows a wrong server key sees this     */
    int last_refusal;       /*  status of the last refusal: 300, 400, 500   */
    int last_malformed;     /*  ZMQ_PROTOCOL_ERROR_ of the last malformed   */
} watch_counts_t;

/*  What libzmq tells of a handshake does not say of which connection; only its
    beginning and its end have the descriptor. Why one closes is known if libzmq
    says so right before. It says nothing of the end of one that was let in or
    refused, and nothing if what came was no ZMTP. That somebody was let in shows
    in what he was sent, with CURVE, and else at the latest when the time for
    handshakes is over, since who is there then was.                        */
typedef enum {
    WATCH_OPENED,
    WATCH_SETTLED,          /*  was let in                                  */
    WATCH_EXCEEDS,          /*  was not, and sends more than a handshake, which
                                libzmq keeps until it is a whole message    */
    WATCH_CLOSED,           /*  after that, or it was ours, or is local     */
    WATCH_SILENT,           /*  closed before that, no reason given         */
    WATCH_MALFORMED,        /*  closed, as its handshake made no sense      */
    WATCH_ABANDONED,        /*  closed or silent in the handshake           */
    WATCH_CUT               /*  closed by watch_cut                         */
} watch_change_t;

/*  Told of each connection that opens or closes: fd is its descriptor, -1 if
    it closes with the socket; address that of the other side, "" if it is on
    this machine's local sockets, or was gone before we saw it.             */
typedef void watch_told_t (void *arg, int fd, const char *address, watch_change_t change);

/*  Starts watching; to be called by the thread that owns the socket, which is a
    CURVE server by then or never. The watch itself may then go to another
    thread. told may be NULL.                                               */
watch_t *watch_new (void *context, void *socket, watch_told_t *told, void *arg,
                    fault_t *fault);

/*  Ends the connection with this descriptor. Returns 0, or -1 if there is none
    any more. Its end is told, but not counted as that of a handshake.      */
int watch_cut (watch_t *watch, int fd);

/*  Looks at those that are not settled, if it is time for that, and tells what
    has become of them. Returns when it will be time again, or CLOCK_NEVER.  */
int64_t watch_settle (watch_t *watch, int64_t now);

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
