/*  raw_task_latency.c - the round trip of one message through a bare libzmq broker  */

#include "raw.h"

static int
s_start_brokered (raw_cluster_t *self, const char *transport)
{
    return raw_cluster_brokered (self, transport, false);
}

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 5000, .window = 1 };
    if (bench_options_read (&options, argc, argv))
        return 2;
    return raw_measure_latency ("task_latency", s_start_brokered, &options) ? 1 : 0;
}
