/*  grain_threads.c - the tasks of the step "grain" on plain threads, which
    take them off a shared counter: what their cost elsewhere is judged by

    calibrate prints how many turns of the loop take a microsecond; run prints
    tasks a second for each kind of task.                                    */

#include "peers/say.h"
#include "peers/work.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS_MAX 256

typedef struct {
    atomic_size_t next;
    size_t count;
    uint64_t turns;
} queue_t;

static void *
s_thread (void *argument)
{
    queue_t *queue = argument;
    while (atomic_fetch_add (&queue->next, 1) < queue->count)
        work_turn (queue->turns);
    return NULL;
}

static double
s_seconds (const work_grain_t *grain, size_t threads)
{
    pthread_t ids [THREADS_MAX];
    queue_t queue = { 0, grain->count, work_turns (grain->work_us) };
    int64_t start = say_now ();
    size_t running = 0;
    while (running < threads && !pthread_create (&ids [running], NULL, s_thread, &queue))
        running++;
    for (size_t i = 0; i < running; i++)
        pthread_join (ids [i], NULL);
    return running == threads ? (double) (say_now () - start) / 1e9 : -1;
}

/*  The fastest of many tries, as others may use the core.                  */
static void
s_calibrate (void)
{
    const uint64_t turns = 1000000;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 200; i++) {
        int64_t start = say_now ();
        work_turn (turns);
        int64_t time = say_now () - start;
        best = time < best ? time : best;
    }
    printf ("%.3f\n", (double) turns * 1e3 / (double) best);
}

int
main (int argc, char *argv [])
{
    static const work_grain_t grains [] = WORK_GRAINS;
    size_t threads = say_workers ();
    if (argc == 2 && strcmp (argv [1], "calibrate") == 0) {
        s_calibrate ();
        return 0;
    }
    if (argc != 2 || strcmp (argv [1], "run") || threads > THREADS_MAX)
        return 2;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++)
        for (int repeat = 0; repeat < 5; repeat++) {
            double seconds = s_seconds (&grains [i], threads);
            if (seconds <= 0)
                return 1;
            say_value (grains [i].row, (double) grains [i].count / seconds);
        }
    return 0;
}
