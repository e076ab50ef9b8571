/*  raw_call_rate.c - no-op calls pipelined from a bare DEALER to a bare ROUTER  */

#include "raw.h"

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 1000000, .window = RAW_WINDOW };
    if (bench_options_read (&options, argc, argv))
        return 2;
    return raw_measure_rate ("call_rate", "calls/s", raw_cluster_direct, &options) ? 1 : 0;
}
