/*  nap.c - four one-second naps, one after another and then all at once     */

#include <troupe.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAPS 4

/*  Sleeps so many milliseconds and returns them.                           */
static int
nap (troupe_call_t *call)
{
    int64_t milliseconds;
    if (troupe_args (call, &milliseconds))
        return -1;
    struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    while (nanosleep (&left, &left) != 0)
        if (errno != EINTR)
            return troupe_fail (call, "cannot sleep: %s", strerror (errno));
    return troupe_return (call, milliseconds);
}
TROUPE_TASK (nap);

static double
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/*  Does other things until all naps are over. Returns 0 or -1.             */
static int
s_wait (troupe_future_t *const *naps, size_t count)
{
    int done;
    while ((done = troupe_wait (naps, count, count, 300, NULL)) >= 0 && (size_t) done < count)
        printf ("  doing other things (%d of %zu naps over)\n", done, count);
    return done < 0 ? -1 : 0;
}

/*  Starts so many naps at once, waits for them and takes their results.    */
static int
s_nap (troupe_t *troupe, size_t count)
{
    troupe_future_t *naps [NAPS] = { NULL };
    int64_t slept;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        naps [i] = troupe_remote (troupe, nap, 1000);
        status = naps [i] ? 0 : -1;
    }
    if (status == 0)
        status = s_wait (naps, count);
    for (size_t i = 0; i < count; i++) {
        if (status == 0)
            status = troupe_get (naps [i], &slept);
        troupe_future_destroy (&naps [i]);
    }
    return status;
}

int
main (int argc, char *argv [])
{
    setenv ("TROUPE_WORKERS", "4", 0);
    setvbuf (stdout, NULL, _IOLBF, 0);
    troupe_t *troupe = troupe_init (&argc, &argv);
    int status = troupe ? 0 : -1;
    double start = s_now ();
    if (status == 0)
        printf ("%d naps of one second, one after another:\n", NAPS);
    for (size_t i = 0; i < NAPS && status == 0; i++)
        status = s_nap (troupe, 1);
    if (status == 0) {
        printf ("  %.2f seconds\n", s_now () - start);
        printf ("%d naps of one second at once, with %zu workers:\n", NAPS,
                troupe_workers (troupe));
        start = s_now ();
        status = s_nap (troupe, NAPS);
    }
    if (status == 0)
        printf ("  %.2f seconds\n", s_now () - start);
    else
        fprintf (stderr, "nap: %s\n", troupe_error ());
    if (troupe)
        troupe_term (&troupe);
    return status ? 1 : 0;
}
