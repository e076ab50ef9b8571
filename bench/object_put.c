/*  object_put.c - putting 100 MB and 1 GB into shared memory: into memory
    that was never used, and into memory that a put has used before          */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_PUTS 5

/*  Puts once and gives back at once; the time of the put alone.            */
static int64_t
s_put (troupe_t *troupe, troupe_bytes_t bytes)
{
    int64_t begin = bench_now ();
    troupe_future_t *future = troupe_put (troupe, bytes);
    int64_t time = bench_now () - begin;
    if (!future || troupe_future_error (future)) {
        driver_fail (future);
        time = -1;
    }
    if (future)
        troupe_future_destroy (&future);
    return time;
}

static int
s_report (const char *name, const char *how, size_t size, int64_t time)
{
    char bench [64];
    snprintf (bench, sizeof bench, "put_%s_%s", name, how);
    bench_result_begin (bench, "troupe", (double) size / (double) time, "GB/s");
    bench_result_end ();
    return 0;
}

static int
s_measure (troupe_t *troupe, const char *name, troupe_bytes_t bytes)
{
    int64_t times [WARM_PUTS];
    int64_t cold = s_put (troupe, bytes);
    if (cold < 0)
        return -1;
    s_report (name, "cold", bytes.size, cold);
    for (size_t index = 0; index < WARM_PUTS; index++) {
        times [index] = s_put (troupe, bytes);
        if (times [index] < 0)
            return -1;
    }
    bench_sort (times, WARM_PUTS);
    return s_report (name, "warm", bytes.size, bench_percentile (times, WARM_PUTS, 50));
}

int
main (int argc, char *argv [])
{
    setenv ("TROUPE_OBJECT_MEMORY", "3G", 0);
    troupe_t *troupe = driver_init (&argc, &argv);
    static const size_t sizes [] = { 100000000, 1000000000 };
    uint8_t *data = malloc (sizes [1]);
    if (!troupe || !data)
        return 2;
    memset (data, 7, sizes [1]);
    int failed = s_measure (troupe, "100m", (troupe_bytes_t){ data, sizes [0] })
                 || s_measure (troupe, "1g", (troupe_bytes_t){ data, sizes [1] });
    free (data);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
