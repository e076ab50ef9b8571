/*  raw_object_put.c - memcpy of 100 MB and 1 GB into shared memory that was
    never used, and into memory of this process that was                     */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WARM_COPIES 5

static void
s_report (const char *name, const char *how, size_t size, int64_t time)
{
    char bench [64];
    snprintf (bench, sizeof bench, "put_%s_%s", name, how);
    bench_result_begin (bench, "raw", (double) size / (double) time, "GB/s");
    bench_result_end ();
}

static int
s_copy_cold (const char *name, const uint8_t *data, size_t size)
{
    int fd = memfd_create ("raw", MFD_CLOEXEC);
    if (fd < 0 || ftruncate (fd, (off_t) size))
        return bench_fail ("no shared memory");
    int64_t begin = bench_now ();
    uint8_t *shared = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        return bench_fail ("no mapping");
    memcpy (shared, data, size);
    s_report (name, "cold", size, bench_now () - begin);
    munmap (shared, size);
    close (fd);
    return 0;
}

static void
s_copy_warm (const char *name, uint8_t *to, const uint8_t *data, size_t size)
{
    int64_t times [WARM_COPIES];
    for (size_t index = 0; index < WARM_COPIES; index++) {
        int64_t begin = bench_now ();
        memcpy (to, data, size);
        times [index] = bench_now () - begin;
    }
    bench_sort (times, WARM_COPIES);
    s_report (name, "warm", size, bench_percentile (times, WARM_COPIES, 50));
}

int
main (void)
{
    static const size_t sizes [] = { 100000000, 1000000000 };
    uint8_t *data = malloc (sizes [1]), *to = malloc (sizes [1]);
    if (!data || !to)
        return 2;
    memset (data, 7, sizes [1]);
    memset (to, 1, sizes [1]);
    int failed = s_copy_cold ("100m", data, sizes [0]) || s_copy_cold ("1g", data, sizes [1]);
    s_copy_warm ("100m", to, data, sizes [0]);
    s_copy_warm ("1g", to, data, sizes [1]);
    free (data);
    free (to);
    return failed ? 1 : 0;
}
