/*  microbenchmark_entries.c - the entries of troupe microbenchmark: what a
    driver does in each of them                                             */

#include "cli/microbenchmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBMITTERS 4            /*  actors or tasks that submit at once     */
#define PUTTERS 10              /*  tasks that put at once                  */
#define TASKS_EACH 10000        /*  of a submitter                          */
#define CALLS_EACH 5000         /*  of a submitter, or to each server       */
#define ARGUED_EACH 1000        /*  calls with an argument, of a client     */
#define GROUPS 100

static int
s_fault (bench_t *self, const char *text)
{
    self->fault = text;
    return -1;
}

static int
s_no_memory (bench_t *self)
{
    return s_fault (self, "out of memory");
}

/*  --- values -------------------------------------------------------------  */

static int
s_prepare_value (bench_t *self)
{
    self->value = troupe_put (self->troupe, 0);
    return troupe_get (self->value);
}

static int
s_get_value (bench_t *self)
{
    int64_t number;
    return troupe_get (self->value, &number);
}

static int
s_put_value (bench_t *self)
{
    troupe_future_t *future = troupe_put (self->troupe, 0);
    int rc = future ? 0 : s_no_memory (self);
    troupe_future_destroy (&future);
    return rc;
}

static int
s_prepare_memory (bench_t *self)
{
    self->memory = zeros_new (LARGE_COUNT);
    return self->memory ? 0 : s_no_memory (self);
}

static int
s_put_memory (bench_t *self)
{
    troupe_future_t *future
        = troupe_put (self->troupe, troupe_int64s (self->memory, LARGE_COUNT));
    int rc = troupe_future_code (future) ? troupe_get (future) : 0;
    troupe_future_destroy (&future);
    return rc;
}

static int
s_putters (bench_t *self, const troupe_task_t *task)
{
    for (size_t i = 0; i < PUTTERS; i++)
        self->futures [i] = troupe_task_submit (self->troupe, task, NULL, 0);
    return futures_finish (self->futures, PUTTERS);
}

static int
s_putters_of_small (bench_t *self)
{
    return s_putters (self, &troupe_task_put_small_values);
}

static int
s_putters_of_large (bench_t *self)
{
    return s_putters (self, &troupe_task_put_large_values);
}

static int
s_prepare_references (bench_t *self)
{
    self->value = troupe_remote (self->troupe, make_references);
    return troupe_get (self->value);
}

/*  Reads every one of them, as a handle of its own.                        */
static int
s_get_references (bench_t *self)
{
    troupe_view_t list, item;
    size_t count = 0;
    if (troupe_get (self->value, &list) || troupe_view_enter (list, &list))
        return -1;
    for (; troupe_view_next (&list, &item) == 1; count++) {
        troupe_future_t *future;
        if (troupe_read (item, &future))
            return -1;
        troupe_future_destroy (&future);
    }
    return count == REFERENCES ? 0 : s_fault (self, "futures are missing in the list");
}

/*  --- tasks --------------------------------------------------------------  */

static int
s_task (bench_t *self)
{
    troupe_future_t *future = troupe_remote (self->troupe, small_value);
    return futures_finish (&future, 1);
}

static void
s_submit_many (bench_t *self)
{
    for (size_t i = 0; i < MANY; i++)
        self->futures [i] = troupe_remote (self->troupe, small_value);
}

static int
s_many_tasks (bench_t *self)
{
    s_submit_many (self);
    return futures_finish (self->futures, MANY);
}

/*  Takes out one that is done, until none is left.                         */
static int
s_wait_many (bench_t *self)
{
    int rc = 0;
    size_t left = MANY;
    s_submit_many (self);
    while (left > 0 && !rc) {
        if (troupe_wait (self->futures, left, 1, -1, self->positions) < 1)
            rc = s_fault (self, "no task is done");
        else {
            troupe_future_t **place = self->futures + self->positions [0];
            rc = futures_finish (place, 1);
            left--;
            memmove (place, place + 1,
                     (left - self->positions [0]) * sizeof (troupe_future_t *));
        }
    }
    for (size_t i = 0; i < left; i++)
        troupe_future_destroy (&self->futures [i]);
    return rc;
}

/*  --- actors -------------------------------------------------------------  */

static void
s_free_actors (troupe_actor_t ***actors_p, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        troupe_actor_destroy (&(*actors_p) [i]);
    free (*actors_p);
    *actors_p = NULL;
    *count = 0;
}

static int
s_spawn_servers (bench_t *self, const troupe_class_t *class, size_t count)
{
    self->servers = calloc (count, sizeof *self->servers);
    for (; self->servers && self->server_count < count; self->server_count++)
        self->servers [self->server_count] = troupe_class_spawn (self->troupe, class, NULL, 0);
    return self->servers ? 0 : s_no_memory (self);
}

/*  Each has an equal part of the servers.                                  */
static int
s_spawn_clients (bench_t *self, size_t count)
{
    size_t part = self->server_count / count;
    troupe_arg_t *args = calloc (part, sizeof *args);
    self->clients = calloc (count, sizeof *self->clients);
    for (; args && self->clients && self->client_count < count; self->client_count++) {
        for (size_t i = 0; i < part; i++)
            args [i] = TROUPE_ARG (self->servers [self->client_count * part + i]);
        self->clients [self->client_count]
            = troupe_class_spawn (self->troupe, &troupe_class_bench_client, args, part);
    }
    int rc = args && self->clients ? 0 : s_no_memory (self);
    free (args);
    return rc;
}

static int
s_prepare_server (bench_t *self)
{
    return s_spawn_servers (self, &troupe_class_bench_server, 1);
}

static int
s_prepare_submitters (bench_t *self)
{
    return s_spawn_servers (self, &troupe_class_bench_server, SUBMITTERS);
}

static int
s_prepare_servers (bench_t *self)
{
    return s_spawn_servers (self, &troupe_class_bench_server, self->n);
}

static int
s_prepare_client (bench_t *self)
{
    return s_prepare_servers (self) || s_spawn_clients (self, 1) ? -1 : 0;
}

static int
s_prepare_clients (bench_t *self)
{
    return s_prepare_servers (self) || s_spawn_clients (self, self->n) ? -1 : 0;
}

static int
s_prepare_concurrent (bench_t *self)
{
    return s_spawn_servers (self, &troupe_class_bench_concurrent, 1);
}

static int
s_prepare_concurrents (bench_t *self)
{
    return s_spawn_servers (self, &troupe_class_bench_concurrent, self->n);
}

static int
s_prepare_concurrents_client (bench_t *self)
{
    return s_prepare_concurrents (self) || s_spawn_clients (self, 1) ? -1 : 0;
}

/*  --- calls --------------------------------------------------------------  */

static int
s_call (bench_t *self)
{
    troupe_future_t *future = troupe_call (self->servers [0], small_value);
    return futures_finish (&future, 1);
}

static int
s_many_calls (bench_t *self)
{
    for (size_t i = 0; i < MANY; i++)
        self->futures [i] = troupe_call (self->servers [0], small_value);
    return futures_finish (self->futures, MANY);
}

static int
s_many_calls_with_argument (bench_t *self)
{
    for (size_t i = 0; i < MANY; i++)
        self->futures [i] = troupe_call (self->servers [0], small_value_arg, i);
    return futures_finish (self->futures, MANY);
}

/*  Each server submits tasks.                                              */
static int
s_submitters (bench_t *self)
{
    for (size_t i = 0; i < self->server_count; i++)
        self->futures [i] = troupe_call (self->servers [i], small_value_batch, TASKS_EACH);
    return futures_finish (self->futures, self->server_count);
}

static int
s_clients (bench_t *self)
{
    for (size_t i = 0; i < self->client_count; i++)
        self->futures [i] = troupe_call (self->clients [i], bench_client_batch, CALLS_EACH);
    return futures_finish (self->futures, self->client_count);
}

static int
s_clients_with_argument (bench_t *self)
{
    for (size_t i = 0; i < self->client_count; i++)
        self->futures [i]
            = troupe_call (self->clients [i], bench_client_batch_arg, ARGUED_EACH);
    return futures_finish (self->futures, self->client_count);
}

/*  Tasks that call all servers.                                            */
static int
s_callers (bench_t *self)
{
    size_t count = self->server_count + 1;
    troupe_arg_t *args = calloc (count, sizeof *args);
    if (!args)
        return s_no_memory (self);
    args [0] = TROUPE_ARG (CALLS_EACH);
    for (size_t i = 1; i < count; i++)
        args [i] = TROUPE_ARG (self->servers [i - 1]);
    for (size_t i = 0; i < SUBMITTERS; i++)
        self->futures [i]
            = troupe_task_submit (self->troupe, &troupe_task_call_in_turn, args, count);
    free (args);
    return futures_finish (self->futures, SUBMITTERS);
}

/*  --- groups -------------------------------------------------------------  */

/*  Asks for all, waits for all, ends all.                                  */
static int
s_groups (bench_t *self)
{
    static const troupe_options_t bundle = { .size = sizeof bundle, .cpus = 0.001 };
    troupe_group_t *groups [GROUPS];
    for (size_t i = 0; i < GROUPS; i++) {
        groups [i] = troupe_group_new (self->troupe, TROUPE_PACK, &bundle, 1);
        self->futures [i] = troupe_group_ready (groups [i]);
    }
    int rc = futures_finish (self->futures, GROUPS);
    for (size_t i = 0; i < GROUPS; i++)
        troupe_group_destroy (&groups [i]);
    return rc;
}

/*  --- the table ----------------------------------------------------------  */

#define OPS "ops/s"
#define GIGABYTES "GB/s"
#define BATCHES "batches/s"

/*  800 MiB count as 0.8 GB, as in the benchmark whose entries these are.   */
#define LARGE_GIGABYTES 0.8
#define PIECE_GIGABYTES 0.08

const entry_t entries []
    = { { "single client get calls", OPS, 1, false, true, s_prepare_value, s_get_value },
        { "single client put calls", OPS, 1, false, true, NULL, s_put_value },
        { "multi client put calls", OPS, PUTTERS *PUTS, false, false, NULL,
          s_putters_of_small },
        { "single client put gigabytes", GIGABYTES, LARGE_GIGABYTES, false, false,
          s_prepare_memory, s_put_memory },
        { "single client tasks and get batch", BATCHES, 1, false, false, NULL, s_many_tasks },
        { "multi client put gigabytes", GIGABYTES, PUTTERS * PIECES * PIECE_GIGABYTES, false,
          false, NULL, s_putters_of_large },
        { "single client get object containing 10k refs", OPS, 1, false, false,
          s_prepare_references, s_get_references },
        { "single client wait 1k refs", OPS, 1, false, false, NULL, s_wait_many },
        { "single client tasks sync", OPS, 1, false, true, NULL, s_task },
        { "single client tasks async", OPS, MANY, false, false, NULL, s_many_tasks },
        { "multi client tasks async", OPS, SUBMITTERS * TASKS_EACH, false, false,
          s_prepare_submitters, s_submitters },
        { "1:1 actor calls sync", OPS, 1, false, true, s_prepare_server, s_call },
        { "1:1 actor calls async", OPS, MANY, false, false, s_prepare_server, s_many_calls },
        { "1:1 actor calls concurrent", OPS, MANY, false, false, s_prepare_concurrent,
          s_many_calls },
        { "1:n actor calls async", OPS, CALLS_EACH, true, false, s_prepare_client, s_clients },
        { "n:n actor calls async", OPS, SUBMITTERS * CALLS_EACH, false, false,
          s_prepare_servers, s_callers },
        { "n:n actor calls with arg async", OPS, ARGUED_EACH, true, false, s_prepare_clients,
          s_clients_with_argument },
        { "1:1 async-actor calls sync", OPS, 1, false, true, s_prepare_concurrent, s_call },
        { "1:1 async-actor calls async", OPS, MANY, false, false, s_prepare_concurrent,
          s_many_calls },
        { "1:1 async-actor calls with args async", OPS, MANY, false, false,
          s_prepare_concurrent, s_many_calls_with_argument },
        { "1:n async-actor calls async", OPS, CALLS_EACH, true, false,
          s_prepare_concurrents_client, s_clients },
        { "n:n async-actor calls async", OPS, SUBMITTERS * CALLS_EACH, false, false,
          s_prepare_concurrents, s_callers },
        { "placement group create/removal", OPS, GROUPS, false, false, NULL, s_groups },
        { NULL, NULL, 0, false, false, NULL, NULL } };

static void
s_tidy (bench_t *self)
{
    s_free_actors (&self->clients, &self->client_count);
    s_free_actors (&self->servers, &self->server_count);
    troupe_future_destroy (&self->value);
    free (self->memory);
    self->memory = NULL;
}

typedef struct {
    const entry_t *entry;
    bench_t *bench;
} subject_t;

static int
s_run (void *context)
{
    const subject_t *self = context;
    return self->entry->run (self->bench);
}

int
entry_measure (const entry_t *entry, bench_t *bench, const measure_options_t *options,
               measurement_t *result, const char **why)
{
    static char text [512];
    subject_t subject = { entry, bench };
    double multiplier = entry->multiplier * (entry->times_n ? (double) bench->n : 1);
    int rc = entry->prepare ? entry->prepare (bench) : 0;
    if (rc == 0)
        rc = measure (s_run, &subject, multiplier, entry->latency, options, result);
    if (rc)
        snprintf (text, sizeof text, "%s", bench->fault ? bench->fault : troupe_error ());
    bench->fault = NULL;
    *why = text;
    s_tidy (bench);
    return rc;
}
