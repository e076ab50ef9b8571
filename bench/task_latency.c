/*  task_latency.c - one no-op task at a time, waited for                   */

#include "driver.h"

static int
noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (noop);

static troupe_future_t *
s_submit (void *context)
{
    return troupe_remote ((troupe_t *) context, noop);
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = driver_init (&argc, &argv);
    bench_options_t options = { .count = 5000, .window = 1 };
    if (!troupe || bench_options_read (&options, argc, argv))
        return 2;
    int failed = driver_measure_latency ("task_latency", s_submit, troupe, &options);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
