/*  object_get.c - how long a get takes of a value from 1 kB to 1 GB that
    another process made, and what ten readers of 1 GB take of memory        */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GETS 20
#define READERS 10

/*  Makes a value of this size, in place.                                   */
static int
make (troupe_call_t *call)
{
    size_t size;
    if (troupe_args (call, &size))
        return -1;
    troupe_object_t *object = troupe_create (troupe_of (call), TROUPE_ARG_BYTES, size);
    if (!object)
        return troupe_fail (call, "%s", troupe_error ());
    memset (troupe_object_data (object), 5, size);
    return troupe_return (call, object);
}
TROUPE_TASK (make);

typedef struct {
    uint64_t sum;
} reader_t;

/*  Reads every page of the value, and says in which process.               */
static int
reader_read (troupe_call_t *call)
{
    reader_t *self = troupe_self (call);
    troupe_bytes_t bytes;
    if (troupe_args (call, &bytes))
        return -1;
    const uint8_t *data = bytes.data;
    for (size_t offset = 0; offset < bytes.size; offset += 4096)
        self->sum += data [offset];
    return troupe_return (call, (int64_t) getpid ());
}
TROUPE_ACTOR (reader, reader_t, .methods = { TROUPE_METHOD (reader_read) });

/*  One get: from the finished future to a pointer into its value.          */
static int64_t
s_get (troupe_t *troupe, size_t size)
{
    troupe_future_t *future = troupe_remote (troupe, make, size);
    troupe_bytes_t bytes = { NULL, 0 };
    int64_t time = -1;
    if (future && troupe_wait (&future, 1, 1, -1, NULL) == 1) {
        int64_t begin = bench_now ();
        if (troupe_get (future, &bytes) == 0 && bytes.size == size)
            time = bench_now () - begin;
    }
    if (time < 0)
        driver_fail (future);
    if (future)
        troupe_future_destroy (&future);
    return time;
}

static int
s_measure_get (troupe_t *troupe, const char *name, size_t size)
{
    int64_t times [GETS];
    char bench [64];
    size_t count = size < 1000000000 ? GETS : 5;
    for (size_t index = 0; index < count; index++) {
        times [index] = s_get (troupe, size);
        if (times [index] < 0)
            return -1;
    }
    snprintf (bench, sizeof bench, "get_%s", name);
    bench_sort (times, count);
    bench_result_latency (bench, "troupe", times, count);
    bench_result_end ();
    return 0;
}

/*  What all processes take, shared pages counted once.                     */
static int
s_proportional (double *bytes)
{
    pid_t pids [64];
    size_t count = bench_family (pids, 64);
    *bytes = 0;
    for (size_t index = 0; index < count; index++) {
        bench_memory_t memory;
        if (bench_memory_read (pids [index], &memory))
            return -1;
        *bytes += memory.proportional;
    }
    return 0;
}

/*  One after the other; each must be in a process of its own.              */
static int
s_read_all (troupe_actor_t **readers, troupe_future_t *value)
{
    int64_t pids [READERS];
    for (size_t index = 0; index < READERS; index++) {
        troupe_future_t *done = troupe_call (readers [index], reader_read, value);
        int rc = done && troupe_get (done, &pids [index]) == 0 ? 0 : driver_fail (done);
        if (done)
            troupe_future_destroy (&done);
        for (size_t other = 0; rc == 0 && other < index; other++)
            if (pids [other] == pids [index])
                rc = bench_fail ("two readers share a process");
        if (rc)
            return -1;
    }
    return 0;
}

static int
s_measure_readers (troupe_t *troupe)
{
    troupe_actor_t *readers [READERS];
    troupe_future_t *value = troupe_remote (troupe, make, (size_t) 1000000000);
    double before = 0, after = 0;
    int rc = !value || troupe_wait (&value, 1, 1, -1, NULL) != 1 || s_proportional (&before);
    for (size_t index = 0; index < READERS; index++)
        readers [index] = troupe_spawn (troupe, reader);
    if (rc)
        driver_fail (value);
    else
        rc = s_read_all (readers, value) || s_proportional (&after);
    for (size_t index = 0; index < READERS; index++)
        troupe_actor_destroy (&readers [index]);
    if (value)
        troupe_future_destroy (&value);
    if (rc)
        return -1;
    bench_result_begin ("readers_memory", "troupe", after / 1e6, "MB");
    bench_result_number ("before_mb", before / 1e6);
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    setenv ("TROUPE_OBJECT_MEMORY", "3G", 0);
    setenv ("TROUPE_WORKERS", "10", 0);
    troupe_t *troupe = driver_init (&argc, &argv);
    if (!troupe)
        return 2;
    int failed = s_measure_get (troupe, "1k", 1000) || s_measure_get (troupe, "1m", 1000000)
                 || s_measure_get (troupe, "100m", 100000000)
                 || s_measure_get (troupe, "1g", 1000000000) || s_measure_readers (troupe);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
