/*  object_driver.c - objects between nodes, measured at the driver:
        object_driver transfer SUFFIX MEGABYTES FROM TO
        object_driver broadcast MEGABYTES FROM TO...
    times how long it takes until an object made on FROM has been read on TO, on
    all of them at once, and on one after the other. The first time counts by
    itself: stores that are new get their memory then                        */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4
#define NODES_MAX 16

typedef struct {
    int unused;
} place_t;

static int
place_make (troupe_call_t *call)
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

static int
place_read (troupe_call_t *call)
{
    troupe_bytes_t bytes;
    if (troupe_args (call, &bytes))
        return -1;
    const uint8_t *data = bytes.data;
    for (size_t offset = 0; offset < bytes.size; offset += 4096)
        if (data [offset] != 5)
            return troupe_fail (call, "byte %zu is wrong", offset);
    return troupe_return (call, bytes.size);
}
TROUPE_ACTOR (place, place_t,
              .methods = { TROUPE_METHOD (place_make), TROUPE_METHOD (place_read) });

typedef struct {
    troupe_actor_t *from;
    troupe_actor_t *to [NODES_MAX];
    size_t count;
    size_t size;
} stage_t;

static int
s_stage (stage_t *self, troupe_t *troupe, size_t size, char *names [], size_t count)
{
    self->size = size;
    self->count = count - 1;
    self->from = troupe_spawn (troupe, place, TROUPE_WITH (.node = names [0]));
    for (size_t index = 1; index < count; index++)
        self->to [index - 1] = troupe_spawn (troupe, place, TROUPE_WITH (.node = names [index]));
    for (size_t index = 0; index < count; index++) {
        troupe_future_t *ready
            = troupe_actor_ready (index ? self->to [index - 1] : self->from);
        if (driver_finish (&ready))
            return -1;
    }
    return 0;
}

static void
s_clear (stage_t *self)
{
    if (self->from)
        troupe_actor_destroy (&self->from);
    for (size_t index = 0; index < self->count; index++)
        if (self->to [index])
            troupe_actor_destroy (&self->to [index]);
}

/*  A new object each time, as a node that has a copy needs no transfer.    */
static int64_t
s_time (stage_t *self, bool together)
{
    troupe_future_t *value = troupe_call (self->from, place_make, self->size);
    troupe_future_t *reads [NODES_MAX] = { NULL };
    if (!value || troupe_wait (&value, 1, 1, -1, NULL) != 1 || troupe_future_error (value))
        return driver_fail (value);
    int64_t begin = bench_now ();
    int rc = 0;
    for (size_t index = 0; rc == 0 && index < self->count; index++) {
        reads [index] = troupe_call (self->to [index], place_read, value);
        if (!together)
            rc = driver_finish (&reads [index]);
    }
    for (size_t index = 0; rc == 0 && together && index < self->count; index++)
        rc = driver_finish (&reads [index]);
    int64_t time = bench_now () - begin;
    troupe_future_destroy (&value);
    return rc ? -1 : time;
}

static int
s_measure (stage_t *self, const char *bench, bool together)
{
    int64_t times [ROUNDS];
    for (size_t index = 0; index < ROUNDS; index++) {
        times [index] = s_time (self, together);
        if (times [index] < 0)
            return -1;
    }
    bench_sort (times + 1, ROUNDS - 1);
    int64_t time = bench_percentile (times + 1, ROUNDS - 1, 50);
    double bytes = (double) self->size * (double) self->count;
    bench_result_begin (bench, "troupe", bytes / (double) time, "GB/s");
    bench_result_number ("first", bytes / (double) times [0]);
    bench_result_number ("seconds", (double) time / 1e9);
    bench_result_number ("nodes", (double) self->count);
    bench_result_end ();
    return 0;
}

static int
s_run (troupe_t *troupe, int argc, char *argv [])
{
    char bench [64];
    stage_t stage = { .from = NULL };
    bool transfer = argc == 6 && strcmp (argv [1], "transfer") == 0;
    bool broadcast = argc > 4 && argc < 4 + NODES_MAX && strcmp (argv [1], "broadcast") == 0;
    if (!transfer && !broadcast)
        return bench_fail ("wanted transfer SUFFIX MB FROM TO, or broadcast MB FROM TO...");
    int first = transfer ? 4 : 3;
    size_t size = strtoul (argv [first - 1], NULL, 10) * 1000000;
    int rc = s_stage (&stage, troupe, size, argv + first, (size_t) (argc - first));
    if (rc == 0 && transfer) {
        snprintf (bench, sizeof bench, "transfer_%s", argv [2]);
        rc = s_measure (&stage, bench, true);
    } else if (rc == 0)
        rc = s_measure (&stage, "broadcast_tree", true)
             || s_measure (&stage, "broadcast_sequential", false);
    s_clear (&stage);
    return rc;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    if (!troupe)
        return bench_fail ("%s", troupe_error ()) ? 1 : 0;
    int rc = s_run (troupe, argc, argv);
    if (troupe_term (&troupe))
        rc = bench_fail ("troupe_term: %s", troupe_error ());
    return rc ? 1 : 0;
}
