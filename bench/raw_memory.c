/*  raw_memory.c - the resident memory of bare CZMQ processes: one with a
    ROUTER and two zactors, one with a connected DEALER                     */

#include "peer.h"

static void
s_idle_actor (zsock_t *pipe, void *argument)
{
    (void) argument;
    zsock_signal (pipe, 0);
    zmsg_t *message = zmsg_recv (pipe);
    zmsg_destroy (&message);
}

static void
s_print (const char *bench, const bench_memory_t *memory)
{
    bench_result_begin (bench, "raw", memory->resident / 1e6, "MB");
    bench_result_number ("pss", memory->proportional / 1e6);
    bench_result_end ();
}

int
main (int argc, char *argv [])
{
    peer_serve (argc, argv);
    bench_child_t child = { .pid = 0 };
    bench_memory_t hub, peer;
    zsock_t *listener = peer_listen ();
    zactor_t *head = zactor_new (s_idle_actor, NULL);
    zactor_t *node = zactor_new (s_idle_actor, NULL);
    int failed = !listener || peer_start (&child, listener)
                 || bench_memory_settle (getpid (), &hub)
                 || bench_memory_settle (child.pid, &peer);
    bench_child_end (&child);
    zactor_destroy (&node);
    zactor_destroy (&head);
    zsock_destroy (&listener);
    if (failed)
        return 1;
    s_print ("memory_head", &hub);
    s_print ("memory_worker", &peer);
    return 0;
}
