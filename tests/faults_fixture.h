/*  faults_fixture.h - what tests of faults share: tasks and classes that die,
    and what there is of processes                                           */

#ifndef TROUPE_TESTS_FAULTS_FIXTURE_H
#define TROUPE_TESTS_FAULTS_FIXTURE_H

#include "tests/support.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

/*  "At once" on a machine that does other things too.                      */
#define AT_ONCE_MS 5000

/*  The processes of a driver that was killed are gone after this time.     */
#define SECONDS_MS 10000

/* ------------------------------------------------------------------------
   Tasks and classes                                                        */

static unused_ void
s_die (const char *how)
{
    signal (SIGSEGV, SIG_DFL);
    signal (SIGABRT, SIG_DFL);
    if (strcmp (how, "kill") == 0)
        raise (SIGKILL);
    else if (strcmp (how, "segv") == 0)
        raise (SIGSEGV);
    else if (strcmp (how, "abort") == 0)
        abort ();
    else if (strcmp (how, "exit") == 0)
        exit (3);
    else if (strcmp (how, "_exit") == 0)
        _exit (4);
}

static unused_ int
die (troupe_call_t *call)
{
    const char *how;
    if (troupe_args (call, &how))
        return -1;
    s_die (how);
    return troupe_return (call, 1);
}
TROUPE_TASK (die);

/*  Notes each execution in a file, and dies in the first `deaths` of them. */
static unused_ int
die_at_first (troupe_call_t *call)
{
    const char *path, *how;
    int64_t deaths;
    if (troupe_args (call, &path, &how, &deaths))
        return -1;
    file_append (path, "run");
    int64_t runs = (int64_t) file_count (path, NULL);
    if (runs <= deaths)
        s_die (how);
    return troupe_return (call, runs);
}
TROUPE_TASK (die_at_first);

/*  Notes its number in a file.                                             */
static unused_ int
note (troupe_call_t *call)
{
    const char *path;
    int64_t number;
    char text [32];
    if (troupe_args (call, &path, &number))
        return -1;
    snprintf (text, sizeof text, "%lld", (long long) number);
    if (file_append (path, text))
        return troupe_fail (call, "cannot write");
    return troupe_return (call, number);
}
TROUPE_TASK (note);

static unused_ int
plus_one (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    return troupe_return (call, number + 1);
}
TROUPE_TASK (plus_one);

static unused_ int
hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return troupe_return (call, 1);
}
TROUPE_TASK (hold);

static unused_ int
process_id (troupe_call_t *call)
{
    return troupe_return (call, (int64_t) getpid ());
}
TROUPE_TASK (process_id);

/*  Waits inside for a task that dies.                                      */
static unused_ int
wait_for_death (troupe_call_t *call)
{
    const char *how;
    if (troupe_args (call, &how))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), die, how);
    int64_t nothing;
    int rc = troupe_get (future, &nothing);
    troupe_error_t code = troupe_future_code (future);
    troupe_future_destroy (&future);
    return rc ? troupe_return (call, (int) code) : troupe_fail (call, "it did not die");
}
TROUPE_TASK (wait_for_death);

/*  Waits inside for one that is held, so that both can be lost.            */
static unused_ int
wait_for_held (troupe_call_t *call)
{
    const char *path, *reached;
    if (troupe_args (call, &path, &reached))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), hold, path);
    file_append (reached, "waiting");
    int64_t one;
    int rc = troupe_get (future, &one);
    troupe_future_destroy (&future);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, one);
}
TROUPE_TASK (wait_for_held);

/*  A future whose owner is the worker that runs this, and its pid.         */
static unused_ int
promise (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), hold, path);
    int rc = troupe_return (call, (int64_t) getpid (), troupe_handle (future));
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (promise);

/*  A hundred megabytes, each byte known.                                   */
#define LARGE ((size_t) 100 << 20)

static unused_ int
large (troupe_call_t *call)
{
    unsigned char *data = malloc (LARGE);
    if (!data)
        return troupe_fail (call, "no memory");
    for (size_t index = 0; index < LARGE; index++)
        data [index] = (unsigned char) (index % 251);
    int rc = troupe_return (call, troupe_bytes (data, LARGE));
    free (data);
    return rc;
}
TROUPE_TASK (large);

/*  Of a size that fills the buffers on the way.                            */
static unused_ int
blob (troupe_call_t *call)
{
    int64_t number, size;
    if (troupe_args (call, &number, &size))
        return -1;
    unsigned char *data = malloc ((size_t) size);
    if (!data)
        return troupe_fail (call, "no memory");
    memset (data, (int) (number % 251), (size_t) size);
    int rc = troupe_return (call, troupe_bytes (data, (size_t) size));
    free (data);
    return rc;
}
TROUPE_TASK (blob);

/*  The size of what it is given.                                           */
static unused_ int
measure (troupe_call_t *call)
{
    troupe_bytes_t bytes;
    if (troupe_args (call, &bytes))
        return -1;
    return troupe_return (call, (int64_t) bytes.size);
}
TROUPE_TASK (measure);

static unused_ int
flood_tasks (troupe_call_t *call)
{
    int64_t count;
    if (troupe_args (call, &count))
        return -1;
    for (int64_t number = 0; number < count; number++) {
        troupe_future_t *future = troupe_remote (troupe_of (call), plus_one, number);
        if (!future)
            return troupe_fail (call, "%s", troupe_error ());
        troupe_future_destroy (&future);
    }
    return troupe_return (call, count);
}
TROUPE_TASK (flood_tasks);

/*  An actor that counts, remembers who it is, and dies on demand.          */
typedef struct {
    int64_t count;
    char *last_words;           /*  how to die in the destructor            */
} victim_t;

static unused_ int
victim_init (troupe_call_t *call)
{
    const char *how;
    if (troupe_arg_count (call) == 0)
        return 0;
    if (troupe_args (call, &how))
        return -1;
    s_die (how);
    return 0;
}

static unused_ int
victim_count (troupe_call_t *call)
{
    victim_t *self = troupe_self (call);
    return troupe_return (call, ++self->count);
}

/*  Notes the position of each of its calls.                                */
static unused_ int
victim_note (troupe_call_t *call)
{
    return note (call);
}

static unused_ int
victim_process (troupe_call_t *call)
{
    return troupe_return (call, (int64_t) getpid ());
}

static unused_ int
victim_die (troupe_call_t *call)
{
    return die (call);
}

static unused_ int
victim_hold (troupe_call_t *call)
{
    return hold (call);
}

static unused_ int
victim_add (troupe_call_t *call)
{
    return plus_one (call);
}

/*  The size of both.                                                       */
static unused_ int
victim_measure_two (troupe_call_t *call)
{
    troupe_bytes_t one, two;
    if (troupe_args (call, &one, &two))
        return -1;
    return troupe_return (call, (int64_t) (one.size + two.size));
}

static unused_ int
victim_die_at_the_end (troupe_call_t *call)
{
    victim_t *self = troupe_self (call);
    return troupe_args (call, &self->last_words);
}

static unused_ int
victim_blob (troupe_call_t *call)
{
    return blob (call);
}

static unused_ int
victim_measure (troupe_call_t *call)
{
    return measure (call);
}

static unused_ void
victim_term (void *state)
{
    victim_t *self = state;
    if (self->last_words)
        s_die (self->last_words);
    free (self->last_words);
}

TROUPE_ACTOR (victim, victim_t, .init = victim_init, .term = victim_term,
              .methods = { TROUPE_METHOD (victim_count), TROUPE_METHOD (victim_note),
                           TROUPE_METHOD (victim_process), TROUPE_METHOD (victim_die),
                           TROUPE_METHOD (victim_hold), TROUPE_METHOD (victim_add),
                           TROUPE_METHOD (victim_die_at_the_end),
                           TROUPE_METHOD (victim_blob), TROUPE_METHOD (victim_measure),
                           TROUPE_METHOD (victim_measure_two) });

/*  Calls an actor very often without waiting.                              */
static unused_ int
flood_actor (troupe_call_t *call)
{
    troupe_actor_t *actor;
    int64_t count;
    if (troupe_args (call, &actor, &count))
        return -1;
    for (int64_t number = 0; number < count; number++) {
        troupe_future_t *future = troupe_call (actor, victim_count);
        troupe_future_destroy (&future);
    }
    troupe_actor_destroy (&actor);
    return troupe_return (call, count);
}
TROUPE_TASK (flood_actor);

/*  An actor that this worker owns, and the pid of the worker.              */
static unused_ int
make_victim (troupe_call_t *call)
{
    troupe_actor_t *actor = troupe_spawn (troupe_of (call), victim);
    int rc = troupe_return (call, (int64_t) getpid (), actor);
    troupe_actor_destroy (&actor);
    return rc;
}
TROUPE_TASK (make_victim);

/* ------------------------------------------------------------------------
   Processes                                                                */

enum { PIDS_MAX = 64 };

typedef struct {
    pid_t items [PIDS_MAX];
    size_t count;
} pids_t;

static unused_ bool
s_alive (pid_t pid)
{
    char path [64], text [256] = "";
    snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (path, "r");
    if (!file)
        return false;
    size_t size = fread (text, 1, sizeof text - 1, file);
    fclose (file);
    text [size] = 0;
    const char *end = strrchr (text, ')');
    return end && end [1] && end [2] != 'Z' && end [2] != 'X';
}

/*  The children of a process, those of each of its threads.                */
static unused_ pids_t
s_children (pid_t pid)
{
    pids_t pids = { .count = 0 };
    char path [512];
    snprintf (path, sizeof path, "/proc/%d/task", (int) pid);
    DIR *threads = opendir (path);
    struct dirent *thread;
    while (threads && (thread = readdir (threads))) {
        int child;
        snprintf (path, sizeof path, "/proc/%d/task/%s/children", (int) pid, thread->d_name);
        FILE *file = fopen (path, "r");
        while (file && pids.count < PIDS_MAX && fscanf (file, "%d", &child) == 1)
            if (s_alive (child))
                pids.items [pids.count++] = child;
        if (file)
            fclose (file);
    }
    if (threads)
        closedir (threads);
    return pids;
}

static unused_ bool
s_any_alive (const pids_t *pids)
{
    for (size_t index = 0; index < pids->count; index++)
        if (s_alive (pids->items [index]))
            return true;
    return false;
}

/*  The process that an actor lives in.                                     */
static unused_ int64_t
s_process (troupe_actor_t *actor)
{
    int64_t pid = 0;
    troupe_future_t *future = troupe_call (actor, victim_process);
    if (troupe_get (future, &pid))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&future);
    return pid;
}

/*  The pool is full again, and takes tasks.                                */
static unused_ void
s_expect_refilled (void)
{
    assert_true (eventually (troupe_workers (s_troupe) == 2));
    expect_integer (troupe_remote (s_troupe, plus_one, 1), 2);
}

/*  Two actors on two workers.                                              */
static unused_ void
s_spawn_apart (troupe_actor_t **one, int64_t *pid, troupe_actor_t **two)
{
    int64_t other = 0;
    *one = troupe_spawn (s_troupe, victim);
    *pid = s_process (*one);
    do {
        *two = troupe_spawn (s_troupe, victim);
        other = s_process (*two);
        if (other == *pid)
            troupe_actor_destroy (two);
    } while (other == *pid);
}

static unused_ int
s_setup (void **state)
{
    (void) state;
    if (!s_troupe)
        s_troupe = troupe_init (NULL, NULL);
    if (!s_troupe)
        fprintf (stderr, "troupe_init: %s\n", troupe_error ());
    return s_troupe ? 0 : -1;
}

/*  Nothing may be left of the workers.                                     */
static unused_ int
s_teardown (void **state)
{
    (void) state;
    int64_t began = now_ms ();
    if (s_troupe && troupe_term (&s_troupe)) {
        fprintf (stderr, "troupe_term: %s\n", troupe_error ());
        return -1;
    }
    if (now_ms () - began > PATIENCE_MS / 4) {
        fprintf (stderr, "troupe_term took %lld ms\n", (long long) (now_ms () - began));
        return -1;
    }
    if (waitpid (-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
        fprintf (stderr, "a child process is left\n");
        return -1;
    }
    return 0;
}

#endif
