/*  queued.c - tasks that wait while all workers are busy: bytes each, none
    of them lost, and the rate at which they are drained                    */

#include "driver.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*  Tasks that keep the workers busy: more than they run at once.           */
#define GATES 256

/*  Waits until the driver closes its end of the pipe at this path.         */
static int
gate (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    int pipe = open (path, O_RDONLY | O_CLOEXEC);
    if (pipe < 0)
        return troupe_fail (call, "cannot open %s", path);
    char byte;
    ssize_t size = read (pipe, &byte, 1);
    close (pipe);
    return size == 0 ? troupe_return (call) : troupe_fail (call, "the gate is broken");
}
TROUPE_TASK (gate);

static int
echo (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    return troupe_return (call, number);
}
TROUPE_TASK (echo);

typedef struct {
    troupe_t *troupe;
    int pipe [2];
    troupe_future_t *gates [GATES];
    troupe_future_t **futures;  /*  the waiting tasks                       */
    size_t count;
} queued_t;

static int
s_queued_init (queued_t *self)
{
    char path [64];
    self->futures = malloc (self->count * sizeof (troupe_future_t *));
    if (!self->futures || pipe2 (self->pipe, O_CLOEXEC))
        return bench_fail ("out of memory or descriptors");
    /*  The array is the user's, so it is there before memory is measured.  */
    memset (self->futures, 0xff, self->count * sizeof (troupe_future_t *));
    snprintf (path, sizeof path, "/proc/%ld/fd/%d", (long) getpid (), self->pipe [0]);
    for (size_t i = 0; i < GATES; i++)
        if (!(self->gates [i] = troupe_remote (self->troupe, gate, path)))
            return driver_fail (NULL);
    return 0;
}

/*  Submits all, while none can run.                                        */
static int
s_submit (queued_t *self)
{
    double before, after;
    if (bench_family_settle (&before))
        return -1;
    int64_t start = bench_now ();
    for (size_t i = 0; i < self->count; i++)
        if (!(self->futures [i] = troupe_remote (self->troupe, echo, i)))
            return driver_fail (NULL);
    double seconds = (double) (bench_now () - start) / 1e9;
    if (bench_family_settle (&after))
        return -1;
    int done = troupe_wait (self->futures, self->count, 1, 0, NULL);
    if (done != 0)
        return done < 0 ? driver_fail (NULL) : bench_fail ("%d tasks did not wait", done);
    bench_result_begin ("queued_memory", "troupe", (after - before) / (double) self->count,
                        "bytes");
    bench_result_number ("submit_rate", (double) self->count / seconds);
    bench_result_end ();
    return 0;
}

/*  Lets the tasks run and looks at each answer.                            */
static int
s_drain (queued_t *self)
{
    int64_t start = bench_now ();
    close (self->pipe [1]);
    self->pipe [1] = -1;
    for (size_t i = 0; i < self->count; i++) {
        size_t number;
        if (troupe_get (self->futures [i], &number))
            return driver_fail (self->futures [i]);
        if (number != i)
            return bench_fail ("task %zu answered %zu", i, number);
        troupe_future_destroy (&self->futures [i]);
    }
    double seconds = (double) (bench_now () - start) / 1e9;
    for (size_t i = 0; i < GATES; i++)
        if (driver_finish (&self->gates [i]))
            return -1;
    bench_result_begin ("queued_rate", "troupe", (double) self->count / seconds, "tasks/s");
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    queued_t self = { .troupe = driver_init (&argc, &argv), .pipe = { -1, -1 } };
    bench_options_t options = { .count = 1000000, .window = DRIVER_WINDOW };
    if (!self.troupe || bench_options_read (&options, argc, argv))
        return 2;
    self.count = options.count;
    int failed = s_queued_init (&self) || s_submit (&self) || s_drain (&self);
    if (self.pipe [1] >= 0)
        close (self.pipe [1]);
    if (troupe_term (&self.troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    free (self.futures);
    return failed ? 1 : 0;
}
