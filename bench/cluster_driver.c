/*  cluster_driver.c - what is measured of a cluster over several hosts, at its
    driver: cluster_driver tasks NODES, calls NODE, actors COUNT             */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASKS 300000
#define CALLS 300000
#define LATENCIES 2000

static int
noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (noop);

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
s_task (void *context)
{
    return troupe_remote ((troupe_t *) context, noop);
}

static troupe_future_t *
s_call (void *context)
{
    return troupe_call ((troupe_actor_t *) context, idler_noop);
}

/*  The first tasks bring the program to the nodes.                         */
static int
s_tasks (troupe_t *troupe, const char *nodes)
{
    char name [64];
    bench_options_t options = { .count = TASKS, .window = 5000 };
    snprintf (name, sizeof name, "far_task_rate_%s", nodes);
    if (driver_pipeline (s_task, troupe, 2000, 1000))
        return -1;
    return driver_measure_rate (name, "/s", s_task, troupe, &options);
}

static int
s_calls (troupe_t *troupe, const char *node)
{
    bench_options_t one = { .count = LATENCIES, .window = 1 };
    bench_options_t many = { .count = CALLS, .window = DRIVER_WINDOW };
    troupe_actor_t *actor = troupe_spawn (troupe, idler, TROUPE_WITH (.node = node));
    int rc = driver_pipeline (s_call, actor, 1000, 100)
             || driver_measure_latency ("far_call_latency", s_call, actor, &one)
             || driver_measure_rate ("far_call_rate", "/s", s_call, actor, &many);
    troupe_actor_destroy (&actor);
    return rc;
}

/*  Makes so many actors, says so, and ends when a line is read.            */
static int
s_actors (troupe_t *troupe, const char *text)
{
    size_t count = strtoul (text, NULL, 10);
    troupe_actor_t **actors = calloc (count, sizeof *actors);
    int rc = actors ? 0 : -1;
    for (size_t index = 0; actors && index < count; index++)
        actors [index] = troupe_spawn (troupe, idler);
    for (size_t index = 0; rc == 0 && index < count; index++) {
        troupe_future_t *future = troupe_call (actors [index], idler_noop);
        rc = driver_finish (&future);
    }
    puts (rc ? "failed" : "alive");
    fflush (stdout);
    getchar ();
    for (size_t index = 0; actors && index < count; index++)
        troupe_actor_destroy (&actors [index]);
    free (actors);
    return rc;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    int rc = 2;
    if (!troupe)
        return bench_fail ("%s", troupe_error ()) ? 1 : 0;
    if (argc != 3)
        bench_fail ("wanted a verb and its argument");
    else if (strcmp (argv [1], "tasks") == 0)
        rc = s_tasks (troupe, argv [2]);
    else if (strcmp (argv [1], "calls") == 0)
        rc = s_calls (troupe, argv [2]);
    else if (strcmp (argv [1], "actors") == 0)
        rc = s_actors (troupe, argv [2]);
    if (troupe_term (&troupe))
        rc = bench_fail ("troupe_term: %s", troupe_error ());
    return rc ? 1 : 0;
}
