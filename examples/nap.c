/*  nap.c - four one-second naps, one after another and then all at once     */

#include <troupe.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAPS 4

/*  Sleeps for a second. Returns 0, or -1 with errno set.                   */
static int
s_sleep (void)
{
    struct timespec left = { 1, 0 };
    while (nanosleep (&left, &left) != 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

/*  The same as a task.                                                     */
static int
nap (troupe_call_t *call)
{
    if (troupe_args (call))
        return -1;
    return s_sleep () ? troupe_fail (call, "cannot sleep: %s", strerror (errno)) : 0;
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
s_wait (troupe_future_t *const *naps)
{
    int done;
    while ((done = troupe_wait (naps, NAPS, NAPS, 250, NULL)) >= 0 && done < NAPS)
        printf ("  doing other things (%d of %d naps over)\n", done, NAPS);
    return done < 0 ? -1 : 0;
}

/*  Starts all naps at once, waits for them and sees how they went.         */
static int
s_nap_at_once (troupe_t *troupe)
{
    troupe_future_t *naps [NAPS] = { NULL };
    int status = 0;
    for (size_t i = 0; i < NAPS && status == 0; i++) {
        naps [i] = troupe_remote (troupe, nap);
        status = naps [i] ? 0 : -1;
    }
    if (status == 0)
        status = s_wait (naps);
    for (size_t i = 0; i < NAPS; i++) {
        if (status == 0)
            status = troupe_get (naps [i]);
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
    if (!troupe) {
        fprintf (stderr, "nap: %s\n", troupe_error ());
        return 1;
    }
    printf ("%d naps of one second, one after another:\n", NAPS);
    double start = s_now ();
    for (size_t i = 0; i < NAPS; i++)
        s_sleep ();
    printf ("  %.2f seconds\n", s_now () - start);

    printf ("%d naps of one second at once, with %zu workers:\n", NAPS, troupe_workers (troupe));
    start = s_now ();
    int status = s_nap_at_once (troupe);
    if (status)
        fprintf (stderr, "nap: %s\n", troupe_error ());
    else
        printf ("  %.2f seconds\n", s_now () - start);
    troupe_term (&troupe);
    return status ? 1 : 0;
}
