/*  object_spill.c - a store of 1 GB that holds 4 GB: puts 400 objects of
    10 MB, then reads them all, and compares each byte                       */

#include "driver.h"

#include <stdlib.h>
#include <string.h>

#define COUNT 400
#define SIZE 10000000

static int
s_put_all (troupe_t *troupe, troupe_future_t **futures, uint64_t *data)
{
    for (size_t index = 0; index < COUNT; index++) {
        bench_fill (data, SIZE / 8, index);
        futures [index] = troupe_put (troupe, ((troupe_bytes_t){ data, SIZE }));
        if (!futures [index] || troupe_future_error (futures [index]))
            return driver_fail (futures [index]);
    }
    return 0;
}

/*  A value that was read is freed, since what is read stays in memory.     */
static int
s_read_all (troupe_future_t **futures, uint64_t *data)
{
    for (size_t index = 0; index < COUNT; index++) {
        troupe_bytes_t bytes;
        if (troupe_get (futures [index], &bytes))
            return driver_fail (futures [index]);
        bench_fill (data, SIZE / 8, index);
        if (bytes.size != SIZE || memcmp (bytes.data, data, SIZE) != 0)
            return bench_fail ("object %zu has changed", index);
        troupe_future_destroy (&futures [index]);
    }
    return 0;
}

static void
s_report (const char *name, int64_t begin)
{
    double seconds = (double) (bench_now () - begin) / 1e9;
    bench_result_begin (name, "troupe", COUNT * (double) SIZE / 1e6 / seconds, "MB/s");
    bench_result_end ();
}

int
main (int argc, char *argv [])
{
    static troupe_future_t *futures [COUNT];
    setenv ("TROUPE_OBJECT_MEMORY", "1G", 0);
    troupe_t *troupe = driver_init (&argc, &argv);
    uint64_t *data = malloc (SIZE);
    if (!troupe || !data)
        return 2;
    int64_t begin = bench_now ();
    int failed = s_put_all (troupe, futures, data);
    if (!failed) {
        s_report ("spill_put", begin);
        begin = bench_now ();
        failed = s_read_all (futures, data);
    }
    if (!failed)
        s_report ("spill_get", begin);
    for (size_t index = 0; index < COUNT; index++)
        if (futures [index])
            troupe_future_destroy (&futures [index]);
    free (data);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
