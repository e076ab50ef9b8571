/*  call_rate.c - no-op calls of one actor, pipelined                       */

#include "driver.h"

typedef struct {
    int unused;
} idler_t;

static int
idler_noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_ACTOR (idler, idler_t, .methods = { TROUPE_METHOD (idler_noop) });

static troupe_future_t *
s_submit (void *context)
{
    return troupe_call ((troupe_actor_t *) context, idler_noop);
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = driver_init (&argc, &argv);
    bench_options_t options = { .count = 1000000, .window = DRIVER_WINDOW };
    if (!troupe || bench_options_read (&options, argc, argv))
        return 2;
    troupe_actor_t *actor = troupe_spawn (troupe, idler);
    int failed = !actor
                 || driver_measure_rate ("call_rate", "calls/s", s_submit, actor, &options);
    if (actor)
        troupe_actor_destroy (&actor);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
