/*  peer.c - a bare CZMQ process: started, heard of once, then idle         */

#include "peer.h"

#define PEER_ARGUMENT "--peer"

void
peer_serve (int argc, char *argv [])
{
    if (argc != 3 || strcmp (argv [1], PEER_ARGUMENT))
        return;
    zsys_init ();
    zsys_handler_set (NULL);
    zsock_t *socket = zsock_new_dealer (argv [2]);
    if (!socket || zstr_send (socket, "ready")) {
        bench_fail ("peer cannot reach \"%s\"", argv [2]);
        exit (1);
    }
    char *message = zstr_recv (socket);
    zstr_free (&message);
    zsock_destroy (&socket);
    exit (0);
}

zsock_t *
peer_listen (void)
{
    zsys_handler_set (NULL);
    zsock_t *listener = zsock_new (ZMQ_ROUTER);
    if (!listener)
        return NULL;
    zsock_set_rcvtimeo (listener, 10000);
    if (zsock_bind (listener, "ipc://@troupe-bench-%ld-peer", (long) getpid ()) < 0)
        zsock_destroy (&listener);
    return listener;
}

int
peer_start (bench_child_t *child, zsock_t *listener)
{
    char *argv [] = { "peer", PEER_ARGUMENT, (char *) zsock_endpoint (listener), NULL };
    if (bench_child_execute (child, argv))
        return -1;
    zmsg_t *message = zmsg_recv (listener);
    int arrived = message != NULL;
    zmsg_destroy (&message);
    return arrived ? 0 : bench_fail ("no word from the peer");
}
