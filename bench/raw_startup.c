/*  raw_startup.c - from nothing to the first message of a fresh bare CZMQ
    process                                                                 */

#include "peer.h"

int
main (int argc, char *argv [])
{
    peer_serve (argc, argv);
    int64_t start = bench_now ();
    bench_child_t child = { .pid = 0 };
    zsock_t *listener = peer_listen ();
    int failed = !listener || peer_start (&child, listener);
    int64_t end = bench_now ();
    bench_child_end (&child);
    zsock_destroy (&listener);
    if (failed)
        return 1;
    bench_result_begin ("startup", "raw", (double) (end - start) / 1e6, "ms");
    bench_result_end ();
    return 0;
}
