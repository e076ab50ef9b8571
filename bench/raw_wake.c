/*  raw_wake.c - how often threads go to sleep for one message through a
    bare broker, and for one straight to a worker                           */

#include "raw.h"

static int
s_start_brokered (raw_cluster_t *self, const char *transport)
{
    return raw_cluster_brokered (self, transport, false);
}

static int
s_count (raw_cluster_t *cluster, raw_starter_t *start, const bench_options_t *options,
         bench_activity_t activity [2])
{
    if (start (cluster, options->transport)
        || raw_exchange (cluster, 0, options->count / 10 + 1, options->window))
        return -1;
    bench_activity_read (&activity [0]);
    if (raw_exchange (cluster, 0, options->count, options->window))
        return -1;
    bench_activity_read (&activity [1]);
    return 0;
}

static int
s_measure (const char *bench, raw_starter_t *start, const bench_options_t *options)
{
    raw_cluster_t cluster = { .context = NULL };
    bench_activity_t activity [2];
    int failed = s_count (&cluster, start, options, activity);
    raw_cluster_end (&cluster);
    if (failed)
        return -1;
    double sleeps = (activity [1].sleeps - activity [0].sleeps) / (double) options->count;
    bench_result_begin (bench, "raw", sleeps, "sleeps");
    bench_result_activity (&activity [0], &activity [1], options->count);
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 5000, .window = 1, .transport = "ipc" };
    if (bench_options_read (&options, argc, argv))
        return 2;
    return s_measure ("task_sleeps", s_start_brokered, &options)
                   || s_measure ("call_sleeps", raw_cluster_direct, &options)
               ? 1
               : 0;
}
