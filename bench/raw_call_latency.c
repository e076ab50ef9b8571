/*  raw_call_latency.c - the round trip of one message from DEALER to ROUTER  */

#include "raw.h"

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 5000, .window = 1 };
    if (bench_options_read (&options, argc, argv))
        return 2;
    return raw_measure_latency ("call_latency", raw_cluster_direct, &options) ? 1 : 0;
}
