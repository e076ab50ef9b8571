/*  raw_task_rate.c - no-op tasks pipelined through a bare libzmq broker  */

#include "raw.h"

static int
s_start_brokered (raw_cluster_t *self, const char *transport)
{
    return raw_cluster_brokered (self, transport, false);
}

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 500000, .window = RAW_WINDOW };
    if (bench_options_read (&options, argc, argv))
        return 2;
    return raw_measure_rate ("task_rate", "tasks/s", s_start_brokered, &options) ? 1 : 0;
}
