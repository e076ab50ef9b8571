/*  startup.c - from the start of main to the first task's answer, and the
    end of the runtime                                                      */

#include "driver.h"

static int
noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (noop);

int
main (int argc, char *argv [])
{
    /*  As a user's program starts: with the default number of workers.     */
    int64_t start = bench_now ();
    troupe_t *troupe = troupe_init (&argc, &argv);
    int64_t up = bench_now ();
    if (!troupe)
        return -bench_fail ("troupe_init: %s", troupe_error ());
    troupe_future_t *future = troupe_remote (troupe, noop);
    int failed = driver_finish (&future);
    int64_t answered = bench_now ();
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    int64_t ended = bench_now ();
    if (failed)
        return 1;
    bench_result_begin ("startup", "troupe", (double) (answered - start) / 1e6, "ms");
    bench_result_number ("init_ms", (double) (up - start) / 1e6);
    bench_result_number ("term_ms", (double) (ended - answered) / 1e6);
    bench_result_end ();
    return 0;
}
