/*  driver.c - the two ways in which a driver uses Troupe, timed            */

#include "driver.h"

#include <stdlib.h>

/*  Results taken in before new calls are made, as in the raw client.       */
#define DRAIN 256

troupe_t *
driver_init (int *argc, char ***argv)
{
    setenv ("TROUPE_WORKERS", "1", 0);
    troupe_t *troupe = troupe_init (argc, argv);
    if (!troupe)
        bench_fail ("troupe_init: %s", troupe_error ());
    return troupe;
}

int
driver_fail (troupe_future_t *future)
{
    const char *text = future ? troupe_future_error (future) : NULL;
    return bench_fail ("%s", text ? text : troupe_error ());
}

int
driver_finish (troupe_future_t **future_p)
{
    int failed = !*future_p || troupe_get (*future_p);
    if (failed)
        driver_fail (*future_p);
    if (*future_p)
        troupe_future_destroy (future_p);
    return failed ? -1 : 0;
}

/*  A ring of the futures under way, oldest first.                          */
typedef struct {
    troupe_future_t **futures;
    size_t window;
    size_t submitted, finished;
} ring_t;

static int
s_fill (ring_t *ring, driver_submit_t *submit, void *context, size_t count)
{
    while (ring->submitted < count && ring->submitted - ring->finished < ring->window) {
        troupe_future_t *future = submit (context);
        if (!future)
            return driver_fail (NULL);
        ring->futures [ring->submitted++ % ring->window] = future;
    }
    return 0;
}

/*  Waits for the oldest and takes in those after it that are done too.     */
static int
s_drain (ring_t *ring)
{
    for (int i = 0; i < DRAIN && ring->finished < ring->submitted; i++) {
        troupe_future_t **oldest = &ring->futures [ring->finished % ring->window];
        if (i > 0 && !troupe_future_done (*oldest))
            break;
        ring->finished++;
        if (driver_finish (oldest))
            return -1;
    }
    return 0;
}

int
driver_pipeline (driver_submit_t *submit, void *context, size_t count, size_t window)
{
    ring_t ring = { .window = window };
    ring.futures = calloc (window, sizeof *ring.futures);
    if (!ring.futures)
        return bench_fail ("out of memory");
    int failed = 0;
    while (!failed && ring.finished < count)
        failed = s_fill (&ring, submit, context, count) || s_drain (&ring);
    for (; ring.finished < ring.submitted; ring.finished++)
        troupe_future_destroy (&ring.futures [ring.finished % window]);
    free (ring.futures);
    return failed ? -1 : 0;
}

int
driver_measure_rate (const char *bench, const char *unit, driver_submit_t *submit,
                     void *context, const bench_options_t *options)
{
    bench_activity_t before, after;
    if (driver_pipeline (submit, context, options->count / 10 + 1, options->window))
        return -1;
    bench_activity_read (&before);
    int64_t start = bench_now ();
    if (driver_pipeline (submit, context, options->count, options->window))
        return -1;
    int64_t end = bench_now ();
    bench_activity_read (&after);
    double rate = (double) options->count * 1e9 / (double) (end - start);
    bench_result_begin (bench, "troupe", rate, unit);
    bench_result_activity (&before, &after, options->count);
    bench_result_end ();
    return 0;
}

static int
s_time_each (driver_submit_t *submit, void *context, int64_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t start = bench_now ();
        troupe_future_t *future = submit (context);
        if (driver_finish (&future))
            return -1;
        samples [i] = bench_now () - start;
    }
    return 0;
}

int
driver_measure_latency (const char *bench, driver_submit_t *submit, void *context,
                        const bench_options_t *options)
{
    bench_activity_t before, after;
    int64_t *samples = calloc (options->count, sizeof *samples);
    if (!samples)
        return bench_fail ("out of memory");
    int failed = driver_pipeline (submit, context, options->count / 10 + 1, 1);
    bench_activity_read (&before);
    failed = failed || s_time_each (submit, context, samples, options->count);
    bench_activity_read (&after);
    if (!failed) {
        bench_sort (samples, options->count);
        bench_result_latency (bench, "troupe", samples, options->count);
        bench_result_activity (&before, &after, options->count);
        bench_result_end ();
    }
    free (samples);
    return failed ? -1 : 0;
}
