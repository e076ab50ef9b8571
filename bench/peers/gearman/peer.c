/*  peer.c - Gearman's side of bench/compare: a worker, and a client that
    measures a step: peer worker|STEP PORT                                   */

#include "bench/peers/say.h"
#include "bench/peers/work.h"

#include <libgearman/gearman.h>
#include <unistd.h>

#define SIZE 32 /*  bytes of a task                         */
#define TASKS 10000
#define BATCH 1000 /*  the client is slow with more at once    */
#define TRIES 5000
#define QUEUED 50000
#define MILLISECOND 1000

static int
s_fail (const char *what, const char *why)
{
    fprintf (stderr, "gearman: %s: %s\n", what, why ? why : "unknown");
    return -1;
}

/* ------------------------------------------------------------------------
   Worker                                                                   */

static void *
s_noop (gearman_job_st *job, void *context, size_t *size, gearman_return_t *code)
{
    (void) job, (void) context;
    *size = 0;
    *code = GEARMAN_SUCCESS;
    return NULL;
}

/*  Answers with the number plus one.                                       */
static void *
s_next (gearman_job_st *job, void *context, size_t *size, gearman_return_t *code)
{
    (void) context;
    int64_t *number = calloc (1, SIZE);
    if (!number || gearman_job_workload_size (job) != SIZE) {
        free (number);
        *code = GEARMAN_WORK_FAIL;
        return NULL;
    }
    memcpy (number, gearman_job_workload (job), SIZE);
    number [0]++;
    *size = SIZE;
    *code = GEARMAN_SUCCESS;
    return number;
}

static void *
s_work (gearman_job_st *job, void *context, size_t *size, gearman_return_t *code)
{
    uint64_t turns = 0;
    memcpy (&turns, gearman_job_workload (job), sizeof turns);
    work_turn (turns);
    return s_noop (job, context, size, code);
}

/*  Its process number, so that each worker can be found.                   */
static void *
s_process_id (gearman_job_st *job, void *context, size_t *size, gearman_return_t *code)
{
    (void) job, (void) context;
    int64_t *pid = calloc (1, SIZE);
    usleep (20 * MILLISECOND);
    if (pid)
        pid [0] = getpid ();
    *size = pid ? SIZE : 0;
    *code = pid ? GEARMAN_SUCCESS : GEARMAN_WORK_FAIL;
    return pid;
}

/*  Waits until the file is there.                                          */
static void *
s_gate (gearman_job_st *job, void *context, size_t *size, gearman_return_t *code)
{
    char path [256] = "";
    size_t length = gearman_job_workload_size (job);
    memcpy (path, gearman_job_workload (job), length < 255 ? length : 255);
    while (access (path, F_OK))
        usleep (MILLISECOND);
    return s_noop (job, context, size, code);
}

static int
s_worker (const char *port)
{
    gearman_worker_st *worker = gearman_worker_create (NULL);
    if (!worker)
        return s_fail ("worker", "out of memory");
    gearman_worker_add_server (worker, "127.0.0.1", (in_port_t) atoi (port));
    gearman_worker_add_function (worker, "noop", 0, s_noop, NULL);
    gearman_worker_add_function (worker, "next", 0, s_next, NULL);
    gearman_worker_add_function (worker, "work", 0, s_work, NULL);
    gearman_worker_add_function (worker, "pid", 0, s_process_id, NULL);
    gearman_worker_add_function (worker, "gate", 0, s_gate, NULL);
    for (;;)
        if (gearman_worker_work (worker) != GEARMAN_SUCCESS)
            usleep (MILLISECOND); /*  the server is not up yet            */
}

/* ------------------------------------------------------------------------
   Client                                                                   */

typedef struct {
    gearman_client_st *client;
    const char *function;
    int64_t load [SIZE / 8];
    size_t count;
} client_t;

/*  The answer replaces the load, if there is one.                          */
static int
s_do (void *context)
{
    client_t *self = context;
    size_t size = 0;
    gearman_return_t code = GEARMAN_SUCCESS;
    void *answer = gearman_client_do (self->client, self->function, NULL, self->load, SIZE,
                                      &size, &code);
    if (answer && size == SIZE)
        memcpy (self->load, answer, SIZE);
    free (answer);
    return code == GEARMAN_SUCCESS
               ? 0
               : s_fail (self->function, gearman_client_error (self->client));
}

/*  Submits so many tasks and waits for all.                                */
static int
s_batch (client_t *self, size_t count)
{
    gearman_return_t code = GEARMAN_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        gearman_client_add_task (self->client, NULL, NULL, self->function, NULL, self->load,
                                 SIZE, &code);
        if (code != GEARMAN_SUCCESS)
            return s_fail ("add_task", gearman_client_error (self->client));
    }
    if (gearman_client_run_tasks (self->client) != GEARMAN_SUCCESS)
        return s_fail ("run_tasks", gearman_client_error (self->client));
    gearman_client_task_free_all (self->client);
    return 0;
}

static int
s_many (void *context)
{
    client_t *self = context;
    for (size_t i = 0; i < self->count; i += BATCH)
        if (s_batch (self, self->count - i < BATCH ? self->count - i : BATCH))
            return -1;
    return 0;
}

/*  Without futures, each call waits for the one before.                    */
static int
s_chain (void *context)
{
    client_t *self = context;
    self->load [0] = 0;
    for (size_t i = 0; i < self->count; i++)
        if (s_do (self))
            return -1;
    return self->load [0] == (int64_t) self->count ? 0 : s_fail ("chain", "wrong answer");
}

/*  Until the server and a worker are there. What is sent while they connect
    may get no answer.                                                      */
static int
s_first (client_t *self)
{
    size_t size;
    gearman_return_t code = GEARMAN_ERRNO;
    gearman_client_set_timeout (self->client, 50);
    for (int i = 0; i < TRIES && code != GEARMAN_SUCCESS; i++) {
        free (gearman_client_do (self->client, "noop", NULL, self->load, SIZE, &size, &code));
        if (code != GEARMAN_SUCCESS)
            usleep (MILLISECOND);
    }
    gearman_client_set_timeout (self->client, -1);
    return code == GEARMAN_SUCCESS ? 0 : s_fail ("no server", NULL);
}

static void *
s_keep_pid (client_t *self, int64_t *pids, size_t *found)
{
    self->function = "pid";
    if (s_do (self) == 0) {
        size_t at = 0;
        while (at < *found && pids [at] != self->load [0])
            at++;
        if (at == *found)
            pids [(*found)++] = self->load [0];
    }
    return NULL;
}

static int
s_start (client_t *self)
{
    int64_t pids [64];
    size_t found = 0, workers = say_workers ();
    say_answered ("startup");
    for (int i = 0; i < TRIES / 10 && found < workers; i++)
        s_keep_pid (self, pids, &found);
    say_ask ("{\"measure\":\"memory_idle\"}");
    char request [1024] = "{\"measure\":\"memory_worker\",\"pids\":[";
    for (size_t i = 0; i < found; i++)
        snprintf (request + strlen (request), 16, "%s%ld", i ? "," : "", (long) pids [i]);
    strcat (request, "]}");
    say_ask (request);
    return 0;
}

static int
s_chains (client_t *self, const char *row_10, const char *row_50, size_t samples)
{
    const char *note = "no futures: each call is waited for";
    self->function = "next";
    self->count = 10;
    if (say_latency (row_10, s_chain, self, samples, note))
        return -1;
    self->count = 50;
    return say_latency (row_50, s_chain, self, samples / 2, note);
}

/*  Background jobs, as the server stores them, behind gates that keep the
    workers busy; drained when the last of all is done.                     */
static int
s_queued (client_t *self)
{
    char path [256], handle [GEARMAN_JOB_HANDLE_SIZE];
    snprintf (path, sizeof path, "%s/gate", getenv ("COMPARE_FOLDER"));
    for (size_t i = 0; i < say_workers (); i++)
        if (gearman_client_do_background (self->client, "gate", NULL, path, strlen (path),
                                          handle)
            != GEARMAN_SUCCESS)
            return s_fail ("gate", gearman_client_error (self->client));
    self->function = "noop";
    gearman_return_t code = GEARMAN_SUCCESS;
    for (size_t i = 0; i < QUEUED; i++) {
        gearman_client_add_task_background (self->client, NULL, NULL, "noop", NULL, self->load,
                                            SIZE, &code);
        if (code != GEARMAN_SUCCESS)
            return s_fail ("add_task_background", gearman_client_error (self->client));
        if ((i + 1) % BATCH)
            continue;
        if (gearman_client_run_tasks (self->client) != GEARMAN_SUCCESS)
            return s_fail ("run_tasks", gearman_client_error (self->client));
        gearman_client_task_free_all (self->client);
    }
    int64_t start = say_now ();
    FILE *file = fopen (path, "w");
    if (!file)
        return s_fail ("gate", "no file");
    fclose (file);
    /*  Jobs are served in order: this one comes after all others.          */
    int failed = s_do (self);
    double seconds = (double) (say_now () - start) / 1e9;
    if (!failed)
        say_value_of ("queued", QUEUED / seconds, QUEUED, NULL);
    return failed;
}

static int
s_grain (client_t *self)
{
    static const work_grain_t grains [] = WORK_GRAINS;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        self->function = "work";
        self->load [0] = (int64_t) work_turns (grains [i].work_us);
        self->count = grains [i].count > TASKS ? TASKS : grains [i].count;
        if (say_rate (grains [i].row, s_many, self, self->count, 1, NULL))
            return -1;
    }
    return 0;
}

static int
s_calls (client_t *self)
{
    const char *none = "no actors";
    self->function = "noop";
    self->count = TASKS;
    say_skip ("call_latency", none);
    say_skip ("call_rate", none);
    say_skip ("call_nn", none);
    return say_latency ("task_latency", s_do, self, 1000, NULL)
           || say_rate ("task_rate", s_many, self, TASKS, 2,
                        "1,000 at a time, as the client is slow with more");
}

static int
s_none (const char *step)
{
    static const char *rows [] = { "put_1k", "get_1k", "put_100m", "get_100m" };
    for (size_t i = 0; strcmp (step, "objects") == 0 && i < 4; i++)
        say_skip (rows [i], "no store of values");
    if (strcmp (step, "actors") == 0) {
        say_skip ("spawn", "no actors");
        say_skip ("memory_actor", "no actors");
    }
    if (strcmp (step, "words") == 0)
        say_skip ("words", "not written");
    return 0;
}

int
main (int argc, char *argv [])
{
    if (argc != 3)
        return 2;
    if (strcmp (argv [1], "worker") == 0)
        return s_worker (argv [2]) ? 1 : 0;
    client_t self = { .client = gearman_client_create (NULL), .function = "noop" };
    gearman_client_add_server (self.client, "127.0.0.1", (in_port_t) atoi (argv [2]));
    if (!self.client || s_first (&self))
        return 1;
    int failed = 0;
    if (strcmp (argv [1], "start") == 0)
        failed = s_start (&self);
    else if (strcmp (argv [1], "calls") == 0)
        failed = s_calls (&self);
    else if (strcmp (argv [1], "chain") == 0)
        failed = s_chains (&self, "chain_10", "chain_50", 100);
    else if (strcmp (argv [1], "far") == 0)
        failed = s_chains (&self, "far_10", "far_50", 10);
    else if (strcmp (argv [1], "queued") == 0)
        failed = s_queued (&self);
    else if (strcmp (argv [1], "grain") == 0)
        failed = s_grain (&self);
    else
        failed = s_none (argv [1]);
    gearman_client_free (self.client);
    return failed ? 1 : 0;
}
