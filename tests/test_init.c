/*  test_init.c - the runtime's beginning and end: what it refuses, what it
    leaves behind, what outlives it                                          */

#include "tests/support.h"
#include "tests/tasks_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

static char **s_argv;

/*  --- tasks ------------------------------------------------------------  */

/*  Its process; whether it would take itself for a worker if it were run
    once more; how it was called.                                           */
static int
tell (troupe_call_t *call)
{
    char line [1024] = "";
    int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got = read (fd, line, sizeof line - 1);
    close (fd);
    return troupe_return (call, getpid (), getenv ("TROUPE_BOOT") != NULL,
                          troupe_bytes (line, got > 0 ? (size_t) got : 0));
}
TROUPE_TASK (tell);

typedef struct { int64_t count; } counter_t;

static int
counter_add (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    return troupe_return (call, ++self->count);
}
TROUPE_ACTOR (counter, counter_t, .methods = { TROUPE_METHOD (counter_add) });

/*  --- helpers ----------------------------------------------------------  */

typedef struct {
    size_t descriptors;
    size_t threads;
} usage_t;

static usage_t
s_usage (void)
{
    return (usage_t){ folder_count ("/proc/self/fd"), folder_count ("/proc/self/task") };
}

/*  Sees that there are no more descriptors and threads than before. ZeroMQ
    closes sockets in a thread of its own, a moment after they are given up. */
static void
s_check_usage (usage_t before)
{
    for (int left = 10000; left; left--) {
        usage_t now = s_usage ();
        if (now.descriptors <= before.descriptors && now.threads <= before.threads)
            return;
        poll (NULL, 0, 1);
    }
    fail_msg ("%zu descriptors and %zu threads before, %zu and %zu now", before.descriptors,
              before.threads, s_usage ().descriptors, s_usage ().threads);
}

static void
s_no_children (void)
{
    assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);
    assert_int_equal (errno, ECHILD);
}

static void
s_begin (const char *workers)
{
    if (workers)
        setenv ("TROUPE_WORKERS", workers, 1);
    s_troupe = troupe_init (NULL, NULL);
    if (!s_troupe)
        fail_msg ("%s", troupe_error ());
}

static void
s_end (void)
{
    if (troupe_term (&s_troupe))
        fail_msg ("%s", troupe_error ());
    assert_null (s_troupe);
    s_no_children ();
}

/*  After a test that has failed half-way.                                  */
static int
s_clean_up (void **state)
{
    (void) state;
    return s_troupe ? troupe_term (&s_troupe) : 0;
}

/*  As many as there are in the environment that the program was given.     */
static char s_default_workers [32];

static void
s_begin_default (void)
{
    s_begin (s_default_workers);
}

/*  --- again and again --------------------------------------------------  */

static void
s_cycle (const char *workers)
{
    s_begin (workers);
    expect_integer (troupe_remote (s_troupe, square, 7), 49);
    troupe_actor_t *actor = troupe_spawn (s_troupe, counter);
    expect_integer (troupe_call (actor, counter_add), 1);
    troupe_actor_destroy (&actor);
    assert_true (troupe_fd (s_troupe) >= 0);
    s_end ();
}

/*  What CZMQ keeps for the process it has from the first time on.          */
static void
test_cycles (void **state)
{
    (void) state;
    s_cycle (s_default_workers);
    usage_t usage = s_usage ();
    for (int times = 0; times < 8; times++)
        s_cycle (s_default_workers);
    s_check_usage (usage);
    s_cycle ("threads:3");
    s_check_usage (usage);
}

static void
test_arguments (void **state)
{
    (void) state;
    int argc = 1;
    setenv ("TROUPE_WORKERS", s_default_workers, 1);
    s_troupe = troupe_init (&argc, &s_argv);
    assert_non_null (s_troupe);
    assert_int_equal (argc, 1);
    int pid;
    bool boot;
    troupe_bytes_t line;
    troupe_future_t *future = troupe_remote (s_troupe, tell);
    if (troupe_get (future, &pid, &boot, &line))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (pid == getpid (), support_threads ());
    assert_false (boot);
    assert_int_equal (strncmp (line.data, s_argv [0], line.size), 0);
    troupe_future_destroy (&future);
    s_end ();
    assert_int_equal (troupe_term (&s_troupe), 0);
    assert_int_equal (troupe_term (NULL), 0);
}

/*  --- what is refused --------------------------------------------------  */

static void
test_bad_workers (void **state)
{
    (void) state;
    static const char *const bad [] = { "0",        "-1",       "two",       "2x",
                                        "1000000",  "threads:", "threads:0", "threads:x",
                                        "threads2", "threads:-1", "2 3" };
    usage_t usage = s_usage ();
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        setenv ("TROUPE_WORKERS", bad [index], 1);
        if (troupe_init (NULL, NULL))
            fail_msg ("TROUPE_WORKERS=%s was accepted", bad [index]);
        assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
        expect_words (troupe_error (), "TROUPE_WORKERS", bad [index], "wanted");
    }
    s_check_usage (usage);
    s_cycle (s_default_workers);
}

/*  What a method says that it takes makes no sense.                        */
static void
test_bad_declaration (void **state)
{
    (void) state;
    usage_t usage = s_usage ();
    troupe_class_counter.methods [0].parameters = "amount: number";
    assert_null (troupe_init (NULL, NULL));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    expect_words (troupe_error (), "class 'counter'", "method 'add'", "'amount'", "'number'");
    s_check_usage (usage);
    troupe_class_counter.methods [0].parameters = "amount: int64";
    s_cycle (s_default_workers);
    troupe_class_counter.methods [0].parameters = NULL;
}

static void
test_second_init (void **state)
{
    (void) state;
    s_begin_default ();
    assert_null (troupe_init (NULL, NULL));
    assert_int_equal (troupe_error_code (), TROUPE_EEXISTS);
    expect_words (troupe_error (), "runtime");
    expect_integer (troupe_remote (s_troupe, square, 3), 9);
    s_end ();
}

static void *
s_init_in_thread (void *arg)
{
    troupe_t **place = arg;
    *place = troupe_init (NULL, NULL);
    return *place || troupe_error_code () == TROUPE_EEXISTS ? NULL : "wrong error";
}

/*  Of several at once, one begins.                                         */
static void
test_race (void **state)
{
    (void) state;
    enum { THREADS = 4 };
    pthread_t threads [THREADS];
    troupe_t *places [THREADS];
    size_t count = 0;
    setenv ("TROUPE_WORKERS", s_default_workers, 1);
    for (int index = 0; index < THREADS; index++)
        assert_int_equal (
            pthread_create (&threads [index], NULL, s_init_in_thread, &places [index]), 0);
    for (int index = 0; index < THREADS; index++) {
        void *wrong;
        pthread_join (threads [index], &wrong);
        assert_null (wrong);
        count += places [index] != NULL;
        s_troupe = places [index] ? places [index] : s_troupe;
    }
    assert_int_equal (count, 1);
    expect_integer (troupe_remote (s_troupe, square, 3), 9);
    s_end ();
}

/*  --- workers ----------------------------------------------------------  */

/*  All of `count` workers work at the same time, and no more.              */
static void
s_check_workers (size_t count)
{
    gate_t gates [16];
    troupe_future_t *futures [16];
    assert_in_range (count, 1, 16);
    for (size_t index = 0; index < count; index++) {
        gates [index] = gate_new ();
        futures [index] = troupe_remote (s_troupe, after_gate, gates [index].path, index);
    }
    for (size_t index = 0; index < count; index++)
        gate_reached (&gates [index]);
    troupe_future_t *more = troupe_remote (s_troupe, square, 2);
    /*  The head's answer comes after its news of workers.                  */
    assert_null (troupe_find (s_troupe, "nobody"));
    assert_int_equal (troupe_error_code (), TROUPE_ENAME);
    assert_int_equal (troupe_workers (s_troupe), count);
    assert_false (troupe_future_done (more));
    for (size_t index = 0; index < count; index++) {
        gate_open (&gates [index]);
        expect_integer (futures [index], (int64_t) index);
    }
    expect_integer (more, 4);
}

static void
test_worker_count (void **state)
{
    (void) state;
    const char *const counts [] = { "1", "3", "threads:1", "threads:4" };
    const size_t wanted [] = { 1, 3, 1, 4 };
    for (size_t index = 0; index < 4; index++) {
        if (support_threads () && index < 2)
            continue;
        s_begin (counts [index]);
        s_check_workers (wanted [index]);
        s_end ();
        setenv ("TROUPE_WORKERS", s_default_workers, 1);
    }
}

/*  One a core, unless it is said otherwise.                                */
static void
test_default_workers (void **state)
{
    (void) state;
    cpu_set_t set;
    assert_int_equal (sched_getaffinity (0, sizeof set, &set), 0);
    size_t cores = (size_t) CPU_COUNT (&set);
    if (cores > 16)
        skip ();
    if (support_threads ())
        setenv ("TROUPE_WORKERS", "threads", 1);
    else
        unsetenv ("TROUPE_WORKERS");
    s_begin (NULL);
    s_check_workers (cores);
    s_end ();
}

/*  --- the end ----------------------------------------------------------  */

/*  A task that does not end is given a second, then killed.                */
static void
test_term_running (void **state)
{
    (void) state;
    gate_t gate;
    if (strncmp (s_default_workers, "threads", 7) == 0)
        skip ();
    s_begin_default ();
    gate = gate_new ();
    troupe_future_t *running = troupe_remote (s_troupe, after_gate, gate.path, 1);
    troupe_future_t *waiting = troupe_remote (s_troupe, square, running);
    gate_reached (&gate);
    s_end ();
    expect_failure (running, TROUPE_ESTOPPED, "stopped");
    expect_failure (waiting, TROUPE_ESTOPPED, "stopped");
    close (gate.fd);
    unlink (gate.path);
}

static void
test_term_queued (void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    static troupe_future_t *futures [COUNT];
    s_begin_default ();
    for (int index = 0; index < COUNT; index++)
        futures [index] = troupe_remote (s_troupe, square, index);
    s_end ();
    for (int64_t index = 0; index < COUNT; index++) {
        assert_true (troupe_future_done (futures [index]));
        if (troupe_future_code (futures [index]))
            expect_failure (futures [index], TROUPE_ESTOPPED, "stopped");
        else
            expect_integer (futures [index], index * index);
    }
}

static int
s_must_not_run (troupe_call_t *call)
{
    *(bool *) troupe_context (call) = true;
    return 0;
}

/*  Futures and actors outlive the runtime, as things to be destroyed.      */
static void
test_handles_after_term (void **state)
{
    (void) state;
    bool ran = false;
    const char *text;
    s_begin_default ();
    troupe_future_t *done = troupe_put (s_troupe, "still here");
    troupe_actor_t *actor = troupe_spawn (s_troupe, counter);
    expect_integer (troupe_call (actor, counter_add), 1);
    /*  Callbacks do not run from here on, for nobody waits.                */
    troupe_future_t *then = troupe_then (done, s_must_not_run, &ran);
    troupe_future_t *pending = troupe_remote (s_troupe, square, then);
    troupe_future_t *next = troupe_then (pending, s_must_not_run, &ran);
    troupe_future_t *parts [] = { pending, done };
    troupe_future_t *all = troupe_all (parts, 2);
    troupe_future_t *any = troupe_any (&pending, 1);
    troupe_future_t *timed
        = troupe_remote (s_troupe, square, pending, TROUPE_WITH (.timeout_ms = 100000));
    troupe_future_t *call = troupe_call (actor, counter_add, pending);
    s_end ();
    expect_done (troupe_get (done, &text));
    assert_string_equal (text, "still here");
    assert_int_equal (troupe_wait (parts, 2, 2, -1, NULL), 2);
    assert_int_equal (troupe_cancel (pending), -1);
    expect_failure (then, TROUPE_ESTOPPED, "stopped");
    expect_failure (next, TROUPE_ESTOPPED, "stopped");
    expect_failure (all, TROUPE_ESTOPPED, "stopped");
    expect_failure (any, TROUPE_ESTOPPED, "stopped");
    expect_failure (timed, TROUPE_ESTOPPED, "stopped");
    expect_failure (call, TROUPE_ESTOPPED, "stopped");
    expect_failure (pending, TROUPE_ESTOPPED, "stopped");
    assert_false (ran);
    troupe_actor_destroy (&actor);
    troupe_future_destroy (&done);
}

/*  A future of an earlier runtime is nothing to a later one.               */
static void
test_futures_of_others (void **state)
{
    (void) state;
    s_begin_default ();
    troupe_future_t *old = troupe_put (s_troupe, 1);
    s_end ();
    s_begin_default ();
    troupe_future_t *both [] = { troupe_put (s_troupe, 2), old };
    expect_failure (troupe_remote (s_troupe, square, old), TROUPE_EINVAL, "runtime");
    expect_failure (troupe_remote (s_troupe, square, troupe_handle (old)), TROUPE_EINVAL,
                    "runtime");
    assert_int_equal (troupe_wait (both, 2, 2, -1, NULL), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_all (both, 2));
    assert_null (troupe_any (both, 2));
    troupe_future_destroy (&both [0]);
    s_end ();
    troupe_future_destroy (&old);
}

/*  --- limits -----------------------------------------------------------  */

static void
test_max_pending (void **state)
{
    (void) state;
    gate_t gate;
    troupe_future_t *futures [20];
    setenv ("TROUPE_MAX_PENDING", "20", 1);
    s_begin_default ();
    unsetenv ("TROUPE_MAX_PENDING");
    gate = gate_new ();
    futures [0] = troupe_remote (s_troupe, after_gate, gate.path, 1);
    for (int index = 1; index < 20; index++)
        futures [index] = troupe_remote (s_troupe, square, futures [index - 1]);
    for (int times = 0; times < 3; times++)
        expect_failure (troupe_remote (s_troupe, square, 1), TROUPE_ELIMIT, "20 calls",
                        "TROUPE_MAX_PENDING");
    for (int index = 0; index < 20; index++)
        assert_false (troupe_future_done (futures [index]));
    gate_open (&gate);
    expect_integer (futures [0], 1);
    expect_integer (futures [1], 1);
    assert_int_equal (troupe_wait (futures + 2, 18, 18, -1, NULL), 18);
    expect_integer (troupe_remote (s_troupe, square, 2), 4);
    for (int index = 2; index < 20; index++)
        troupe_future_destroy (&futures [index]);
    s_end ();
}

/*  --- what the host keeps ----------------------------------------------  */

static const int s_signals [] = { SIGINT, SIGTERM, SIGCHLD, SIGPIPE, SIGSEGV, SIGHUP };

static void
s_read_handlers (struct sigaction *actions)
{
    for (size_t index = 0; index < sizeof s_signals / sizeof *s_signals; index++)
        assert_int_equal (sigaction (s_signals [index], NULL, &actions [index]), 0);
}

static void
s_check_handlers (const struct sigaction *wanted)
{
    struct sigaction now [8];
    s_read_handlers (now);
    for (size_t index = 0; index < sizeof s_signals / sizeof *s_signals; index++)
        assert_ptr_equal ((void *) (uintptr_t) now [index].sa_handler,
                          (void *) (uintptr_t) wanted [index].sa_handler);
}

/*  Signals stay as they are, and nothing is printed.                       */
static void
test_host (void **state)
{
    (void) state;
    char path [96];
    struct sigaction before [8];
    sigset_t mask_before, mask_after;
    s_read_handlers (before);
    pthread_sigmask (SIG_SETMASK, NULL, &mask_before);
    scratch_name (path, sizeof path);
    fflush (NULL);
    int out = dup (1), err = dup (2);
    int file = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2 (file, 1);
    dup2 (file, 2);
    s_begin_default ();
    s_check_handlers (before);
    troupe_future_t *future = troupe_remote (s_troupe, square, 3);
    int rc = troupe_get (future);
    troupe_future_destroy (&future);
    s_end ();
    dup2 (out, 1);
    dup2 (err, 2);
    close (out);
    close (err);
    close (file);
    assert_int_equal (rc, 0);
    assert_int_equal ((int64_t) file_count (path, NULL), 0);
    unlink (path);
    s_check_handlers (before);
    pthread_sigmask (SIG_SETMASK, NULL, &mask_after);
    for (int number = 1; number < NSIG; number++)
        assert_int_equal (sigismember (&mask_before, number),
                          sigismember (&mask_after, number));
}

/*  --- workers that never are -------------------------------------------  */

/*  What a worker process does before troupe_init; see main.                */
static void
s_fail_to_begin (const char *what, troupe_error_t code, const char *text)
{
    usage_t usage = s_usage ();
    setenv ("TEST_INIT_WORKER", what, 1);
    setenv ("TROUPE_WORKERS", "2", 1);
    troupe_t *troupe = troupe_init (NULL, NULL);
    unsetenv ("TEST_INIT_WORKER");
    assert_null (troupe);
    assert_int_equal (troupe_error_code (), code);
    expect_words (troupe_error (), text);
    s_no_children ();
    s_check_usage (usage);
}

static void
test_worker_exits (void **state)
{
    (void) state;
    if (strncmp (s_default_workers, "threads", 7) == 0)
        skip ();
    s_fail_to_begin ("exit", TROUPE_ELOST, "exited with status 7");
    s_fail_to_begin ("kill", TROUPE_ELOST, "killed by signal 6");
    s_cycle (s_default_workers);
}

static void
test_worker_hangs (void **state)
{
    (void) state;
    if (strncmp (s_default_workers, "threads", 7) == 0)
        skip ();
    s_fail_to_begin ("hang", TROUPE_ETIMEOUT, "no worker");
    s_cycle (s_default_workers);
}

/*  In a worker process, before troupe_init.                                */
static void
s_misbehave (void)
{
    const char *what = getenv ("TEST_INIT_WORKER");
    if (!what)
        return;
    if (strcmp (what, "exit") == 0)
        _exit (7);
    if (strcmp (what, "kill") == 0) {
        signal (SIGABRT, SIG_DFL);
        raise (SIGABRT);
    }
    for (;;)
        pause ();
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_teardown (test_cycles, s_clean_up),
        cmocka_unit_test_teardown (test_arguments, s_clean_up),
        cmocka_unit_test_teardown (test_bad_workers, s_clean_up),
        cmocka_unit_test_teardown (test_bad_declaration, s_clean_up),
        cmocka_unit_test_teardown (test_second_init, s_clean_up),
        cmocka_unit_test_teardown (test_race, s_clean_up),
        cmocka_unit_test_teardown (test_worker_count, s_clean_up),
        cmocka_unit_test_teardown (test_default_workers, s_clean_up),
        cmocka_unit_test_teardown (test_term_running, s_clean_up),
        cmocka_unit_test_teardown (test_term_queued, s_clean_up),
        cmocka_unit_test_teardown (test_handles_after_term, s_clean_up),
        cmocka_unit_test_teardown (test_futures_of_others, s_clean_up),
        cmocka_unit_test_teardown (test_max_pending, s_clean_up),
        cmocka_unit_test_teardown (test_host, s_clean_up),
        cmocka_unit_test_teardown (test_worker_exits, s_clean_up),
        cmocka_unit_test_teardown (test_worker_hangs, s_clean_up),
    };
    if (getenv ("TROUPE_BOOT"))
        s_misbehave ();
    s_argv = argv;
    support_begin (&argc, &argv);
    snprintf (s_default_workers, sizeof s_default_workers, "%s", getenv ("TROUPE_WORKERS"));
    if (troupe_term (&s_troupe)) {
        fprintf (stderr, "troupe_term: %s\n", troupe_error ());
        return support_end (1);
    }
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
