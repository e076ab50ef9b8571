/*  driver.h - the two ways in which a driver uses Troupe, timed: many calls
    under way at once, and one call at a time                               */

#ifndef TROUPE_BENCH_DRIVER_H
#define TROUPE_BENCH_DRIVER_H

#include "bench.h"

#include <troupe.h>

/*  Calls under way at once, as many as in the raw programs.                */
#define DRIVER_WINDOW 500

/*  Starts Troupe with one worker, the peer of the raw programs' one, unless
    TROUPE_WORKERS is set. NULL, said on stderr, on failure.                */
troupe_t *driver_init (int *argc, char ***argv);

/*  Prints what the future failed with, or that there is none.              */
int driver_fail (troupe_future_t *future);

/*  Waits for the future, whose value is not looked at, and destroys it.
    Returns 0, or -1 with the failure on stderr.                            */
int driver_finish (troupe_future_t **future_p);

/*  Makes one call.                                                         */
typedef troupe_future_t *driver_submit_t (void *context);

/*  Makes count calls with up to `window` under way and waits for all of
    them. Returns 0, or -1 after the first that failed.                     */
int driver_pipeline (driver_submit_t *submit, void *context, size_t count, size_t window);

/*  Measure as their names say and print the result.                        */
int driver_measure_rate (const char *bench, const char *unit, driver_submit_t *submit,
                         void *context, const bench_options_t *options);
int driver_measure_latency (const char *bench, driver_submit_t *submit, void *context,
                            const bench_options_t *options);

#endif
