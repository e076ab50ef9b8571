/*  raw_queued.c - tasks that wait in a bare libzmq broker: bytes each, and
    the rate at which they are drained                                      */

#include "raw.h"

#include <unistd.h>

typedef struct {
    double each;                /*  bytes, client and broker together       */
    double rate;                /*  tasks/s once the broker lets them go    */
} queued_t;

static int
s_resident (raw_cluster_t *cluster, double *resident)
{
    bench_memory_t client, broker;
    if (bench_memory_settle (getpid (), &client)
        || bench_memory_settle (cluster->broker.pid, &broker))
        return -1;
    *resident = client.resident + broker.resident;
    return 0;
}

static int
s_measure (raw_cluster_t *cluster, const char *transport, size_t count, queued_t *queued)
{
    double before, after;
    if (raw_cluster_brokered (cluster, transport, true) || s_resident (cluster, &before)
        || raw_send_all (cluster, count) || s_resident (cluster, &after))
        return -1;
    int64_t start = bench_now ();
    if (raw_release (cluster) || raw_receive_all (cluster, count))
        return -1;
    queued->rate = (double) count * 1e9 / (double) (bench_now () - start);
    queued->each = (after - before) / (double) count;
    return 0;
}

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 1000000, .window = RAW_WINDOW, .transport = "ipc" };
    if (bench_options_read (&options, argc, argv))
        return 2;
    raw_cluster_t cluster = { .context = NULL };
    queued_t queued;
    int failed = s_measure (&cluster, options.transport, options.count, &queued);
    raw_cluster_end (&cluster);
    if (failed)
        return 1;
    bench_result_begin ("queued_memory", "raw", queued.each, "bytes");
    bench_result_text ("transport", options.transport);
    bench_result_end ();
    bench_result_begin ("queued_rate", "raw", queued.rate, "tasks/s");
    bench_result_text ("transport", options.transport);
    bench_result_end ();
    return 0;
}
