/*  wake.c - how often threads go to sleep, and so must be woken, for one
    task and one actor call; counts repeat better than times do             */

#include "driver.h"

typedef struct {
    int unused;
} idler_t;

static int
noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (noop);

static int
idler_noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_ACTOR (idler, idler_t, .methods = { TROUPE_METHOD (idler_noop) });

static troupe_future_t *
s_submit_task (void *context)
{
    return troupe_remote ((troupe_t *) context, noop);
}

static troupe_future_t *
s_submit_call (void *context)
{
    return troupe_call ((troupe_actor_t *) context, idler_noop);
}

static int
s_measure (const char *bench, driver_submit_t *submit, void *context,
           const bench_options_t *options)
{
    bench_activity_t before, after;
    if (driver_pipeline (submit, context, options->count / 10 + 1, options->window))
        return -1;
    bench_activity_read (&before);
    if (driver_pipeline (submit, context, options->count, options->window))
        return -1;
    bench_activity_read (&after);
    double sleeps = (after.sleeps - before.sleeps) / (double) options->count;
    bench_result_begin (bench, "troupe", sleeps, "sleeps");
    bench_result_activity (&before, &after, options->count);
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = driver_init (&argc, &argv);
    bench_options_t options = { .count = 5000, .window = 1 };
    if (!troupe || bench_options_read (&options, argc, argv))
        return 2;
    troupe_actor_t *actor = troupe_spawn (troupe, idler);
    int failed = !actor || s_measure ("task_sleeps", s_submit_task, troupe, &options)
                 || s_measure ("call_sleeps", s_submit_call, actor, &options);
    if (actor)
        troupe_actor_destroy (&actor);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
