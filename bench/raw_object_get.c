/*  raw_object_get.c - what a get would take that copies: memcpy of 1 kB to
    1 GB, into memory that is there                                          */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPIES 5

int
main (void)
{
    static const struct { const char *name; size_t size; } rows []
        = { { "1k", 1000 }, { "1m", 1000000 }, { "100m", 100000000 }, { "1g", 1000000000 } };
    uint8_t *from = malloc (rows [3].size), *to = malloc (rows [3].size);
    if (!from || !to)
        return 2;
    memset (from, 1, rows [3].size);
    memset (to, 2, rows [3].size);
    for (size_t row = 0; row < 4; row++) {
        int64_t times [COPIES];
        char bench [64];
        for (size_t index = 0; index < COPIES; index++) {
            int64_t begin = bench_now ();
            memcpy (to, from, rows [row].size);
            __asm__ volatile ("" : : "r"(to) : "memory");
            times [index] = bench_now () - begin;
        }
        bench_sort (times, COPIES);
        snprintf (bench, sizeof bench, "get_%s", rows [row].name);
        bench_result_latency (bench, "raw", times, COPIES);
        bench_result_end ();
    }
    free (from);
    free (to);
    return 0;
}
