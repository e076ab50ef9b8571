/*  test_future_ends.c - futures through the whole library: cancelling,
    deadlines, handles, and many threads at once                             */

#include "tests/futures_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

/*  --- cancelling -------------------------------------------------------  */

static void
test_cancel_queued (void **state)
{
    (void) state;
    hold_t hold;
    char trace [96];
    scratch_name (trace, sizeof trace);
    /*  So that it is known to be quick, and may be sent ahead to workers.  */
    for (int times = 0; times < 100; times++)
        expect_integer (troupe_remote (s_troupe, mark, trace, times), times);
    unlink (trace);
    s_hold_begin (&hold);
    troupe_future_t *futures [50];
    for (int index = 0; index < 50; index++)
        futures [index] = troupe_remote (s_troupe, mark, trace, index);
    for (int index = 0; index < 50; index += 2)
        assert_int_equal (troupe_cancel (futures [index]), 0);
    assert_true (troupe_future_done (futures [0]));
    assert_false (troupe_future_done (futures [1]));
    assert_int_equal (troupe_future_code (futures [0]), TROUPE_ECANCELLED);
    assert_int_equal (troupe_cancel (futures [0]), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    s_flush_cluster ();
    s_hold_end (&hold);
    for (int index = 0; index < 50; index++)
        if (index % 2)
            expect_integer (futures [index], index);
        else
            expect_failure (futures [index], TROUPE_ECANCELLED, "cancelled");
    assert_int_equal ((int64_t) file_count (trace, NULL), 25);
    unlink (trace);
}

/*  A task that waits for an argument; what depends on it fails too.        */
static void
test_cancel_waiting (void **state)
{
    (void) state;
    gate_t gate;
    char trace [96];
    gate = gate_new ();
    scratch_name (trace, sizeof trace);
    troupe_future_t *source = troupe_remote (s_troupe, after_gate, gate.path, 1);
    troupe_future_t *waiting = troupe_remote (s_troupe, mark, trace, source);
    troupe_future_t *next = troupe_remote (s_troupe, square, waiting);
    troupe_future_t *last = troupe_then (waiting, s_add_one, NULL);
    assert_int_equal (troupe_cancel (waiting), 0);
    expect_failure (next, TROUPE_ECANCELLED, "square: argument failed: ", "cancelled");
    expect_failure (last, TROUPE_ECANCELLED, "cancelled");
    expect_failure (waiting, TROUPE_ECANCELLED, "cancelled");
    s_flush_cluster ();
    gate_open (&gate);
    expect_integer (source, 1);
    s_flush_cluster ();
    assert_int_equal ((int64_t) file_count (trace, NULL), 0);
}

/*  Tells through a pipe that it saw that it was cancelled.                 */
static int
until_cancelled (troupe_call_t *call)
{
    const char *gate, *pipe;
    if (troupe_args (call, &gate, &pipe))
        return -1;
    bool before = troupe_cancelled (call);
    gate_pass (gate);
    while (!troupe_cancelled (call))
        poll (NULL, 0, 1);
    int fd = open (pipe, O_WRONLY | O_CLOEXEC);
    ssize_t put = write (fd, before ? "b" : "c", 1);
    close (fd);
    return put == 1 ? troupe_return (call, "late") : -1;
}
TROUPE_TASK (until_cancelled);

static char
s_read_pipe (const char *path)
{
    char byte = 0;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    assert_true (fd >= 0);
    assert_int_equal (read (fd, &byte, 1), 1);
    close (fd);
    unlink (path);
    return byte;
}

static void
test_cancel_running (void **state)
{
    (void) state;
    gate_t gate, pipe;
    gate = gate_new ();
    pipe = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, until_cancelled, gate.path, pipe.path);
    gate_reached (&gate);
    assert_int_equal (troupe_cancel (future), 0);
    assert_true (troupe_future_done (future));
    gate_open (&gate);
    assert_int_equal (s_read_pipe (pipe.path), 'c');
    expect_failure (future, TROUPE_ECANCELLED, "cancelled");
    expect_integer (troupe_remote (s_troupe, square, 4), 16);
}

static void
test_cancel_done (void **state)
{
    (void) state;
    troupe_future_t *future = troupe_remote (s_troupe, square, 4);
    assert_int_equal (troupe_wait (&future, 1, 1, -1, NULL), 1);
    assert_int_equal (troupe_cancel (future), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    expect_integer (future, 16);
    future = troupe_remote (s_troupe, fails, "over");
    assert_int_equal (troupe_wait (&future, 1, 1, -1, NULL), 1);
    assert_int_equal (troupe_cancel (future), -1);
    expect_failure (future, TROUPE_EFAILED, "it is over");
}

/*  Futures made of futures: their parts stay.                              */
static void
test_cancel_combined (void **state)
{
    (void) state;
    gate_t gate;
    int count = 0;
    gate = gate_new ();
    troupe_future_t *source = troupe_remote (s_troupe, after_gate, gate.path, 3);
    troupe_future_t *all = troupe_all (&source, 1);
    troupe_future_t *any = troupe_any (&source, 1);
    troupe_future_t *then = troupe_then (source, s_add_one, &count);
    assert_int_equal (troupe_cancel (all), 0);
    assert_int_equal (troupe_cancel (any), 0);
    assert_int_equal (troupe_cancel (then), 0);
    gate_open (&gate);
    expect_integer (source, 3);
    expect_failure (all, TROUPE_ECANCELLED, "cancelled");
    expect_failure (any, TROUPE_ECANCELLED, "cancelled");
    expect_failure (then, TROUPE_ECANCELLED, "cancelled");
    assert_int_equal (count, 0);
    assert_int_equal (troupe_process (s_troupe), 0);
}

/*  --- deadlines --------------------------------------------------------  */

static void
test_deadline_running (void **state)
{
    (void) state;
    gate_t gate, pipe;
    gate = gate_new ();
    pipe = gate_new ();
    int64_t begin = now_ms ();
    troupe_future_t *future = troupe_remote (s_troupe, until_cancelled, gate.path, pipe.path,
                                             TROUPE_WITH (.timeout_ms = 1000));
    troupe_future_t *next = troupe_remote (s_troupe, square, future);
    gate_open (&gate);
    expect_failure (next, TROUPE_ETIMEOUT, "square: argument failed: ", "1000 ms");
    assert_true (now_ms () - begin >= 1000);
    expect_failure (future, TROUPE_ETIMEOUT, "1000 ms");
    assert_int_equal (s_read_pipe (pipe.path), 'c');
}

/*  What has not started by its deadline never starts.                      */
static void
test_deadline_queued (void **state)
{
    (void) state;
    hold_t hold;
    char trace [96];
    troupe_future_t *futures [20];
    scratch_name (trace, sizeof trace);
    for (int times = 0; times < 100; times++)
        expect_integer (troupe_remote (s_troupe, mark, trace, times), times);
    unlink (trace);
    s_hold_begin (&hold);
    for (int index = 0; index < 20; index++)
        futures [index] = troupe_remote (s_troupe, mark, trace, index,
                                         TROUPE_WITH (.timeout_ms = 20 + index));
    assert_int_equal (troupe_wait (futures, 20, 20, -1, NULL), 20);
    s_flush_cluster ();
    s_hold_end (&hold);
    for (int index = 0; index < 20; index++)
        expect_failure (futures [index], TROUPE_ETIMEOUT, "deadline", "ms passed");
    s_flush_cluster ();
    assert_int_equal ((int64_t) file_count (trace, NULL), 0);
}

static void
test_deadline_waiting (void **state)
{
    (void) state;
    gate_t gate;
    char trace [96];
    gate = gate_new ();
    scratch_name (trace, sizeof trace);
    troupe_future_t *source = troupe_remote (s_troupe, after_gate, gate.path, 3);
    expect_failure (
        troupe_remote (s_troupe, mark, trace, source, TROUPE_WITH (.timeout_ms = 30)),
        TROUPE_ETIMEOUT, "30 ms");
    s_flush_cluster ();
    gate_open (&gate);
    expect_integer (source, 3);
    s_flush_cluster ();
    assert_int_equal ((int64_t) file_count (trace, NULL), 0);
}

TROUPE_TASK_DECLARE (hops);

/*  Each level sees no more time than the one above it; -1 where there is no
    deadline. Answers with the time left at the last.                       */
static int
hops (troupe_call_t *call)
{
    int64_t levels, above, last;
    int64_t left = troupe_time_left (call);
    if (troupe_args (call, &levels, &above))
        return -1;
    if (left > above || (left < 0 && above >= 0))
        return troupe_fail (call, "%" PRId64 " ms left after %" PRId64, left, above);
    if (levels == 0)
        return troupe_return (call, left);
    /*  A longer time of its own does not help the next.                    */
    troupe_future_t *next = troupe_remote (troupe_of (call), hops, levels - 1, left,
                                           TROUPE_WITH (.timeout_ms = left < 0 ? 0 : 500000));
    int rc = troupe_get (next, &last);
    troupe_future_destroy (&next);
    return rc ? -1 : troupe_return (call, last);
}
TROUPE_TASK (hops);

static void
test_deadline_hops (void **state)
{
    (void) state;
    int64_t left;
    troupe_future_t *future
        = troupe_remote (s_troupe, hops, 8, 60000, TROUPE_WITH (.timeout_ms = 60000));
    if (troupe_get (future, &left))
        fail_msg ("%s", troupe_error ());
    assert_in_range (left, 1, 60000);
    troupe_future_destroy (&future);
    expect_integer (troupe_remote (s_troupe, hops, 3, -1), -1);
}

/*  Submits a task that waits at the gate, without a deadline of its own.   */
static int
waits_below (troupe_call_t *call)
{
    const char *gate;
    int64_t number;
    if (troupe_args (call, &gate))
        return -1;
    troupe_future_t *below = troupe_remote (troupe_of (call), after_gate, gate, 1);
    int rc = troupe_get (below, &number);
    troupe_future_destroy (&below);
    return rc;
}
TROUPE_TASK (waits_below);

/*  The deadline ends the wait inside the task too.                         */
static void
test_deadline_below (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *future
        = troupe_remote (s_troupe, waits_below, gate.path, TROUPE_WITH (.timeout_ms = 300));
    gate_reached (&gate);
    expect_failure (future, TROUPE_ETIMEOUT, "deadline of ", " ms passed");
    expect_integer (troupe_remote (s_troupe, square, 9), 81);
    gate_open (&gate);
}

/*  --- handles here -----------------------------------------------------  */

static void
test_destroy_pending (void **state)
{
    (void) state;
    enum { COUNT = 2000 };
    static troupe_future_t *futures [COUNT];
    char trace [96];
    scratch_name (trace, sizeof trace);
    for (int index = 0; index < COUNT; index++)
        futures [index] = troupe_remote (s_troupe, mark, trace, index);
    s_destroy_all (futures, COUNT);
    /*  The work goes on. The trace shows when all is done.                 */
    while ((int64_t) file_count (trace, NULL) < COUNT)
        poll (NULL, 0, 1);
    assert_int_equal ((int64_t) file_count (trace, NULL), COUNT);
    unlink (trace);
}

static void
test_dup (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, after_gate, gate.path, 3);
    troupe_future_t *dup = troupe_future_dup (future);
    troupe_future_destroy (&future);
    assert_null (future);
    troupe_future_t *again = troupe_future_dup (dup);
    gate_open (&gate);
    expect_integer (dup, 3);
    expect_integer (again, 3);
}

/*  --- handles in values ------------------------------------------------  */

/*  Takes a future as such, waits for it, and adds one.                     */
static int
waits_for_handle (troupe_call_t *call)
{
    troupe_future_t *future;
    int64_t number = 0;
    if (troupe_args (call, &future))
        return -1;
    int rc = troupe_get (future, &number);
    troupe_future_destroy (&future);
    return rc ? -1 : troupe_return (call, number + 1);
}
TROUPE_TASK (waits_for_handle);

static int
returns_handle_given (troupe_call_t *call)
{
    troupe_future_t *future;
    if (troupe_args (call, &future))
        return -1;
    int rc = troupe_return (call, troupe_handle (future));
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (returns_handle_given);

/*  Returns the future of a task that waits at a gate.                      */
static int
returns_handle (troupe_call_t *call)
{
    const char *gate;
    int64_t number;
    if (troupe_args (call, &gate, &number))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), after_gate, gate, number);
    int rc = troupe_return (call, "before", troupe_handle (future), "behind");
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (returns_handle);

/*  Returns a future that is done: a put, or a failed one.                  */
static int
returns_done_handle (troupe_call_t *call)
{
    const char *text;
    if (troupe_args (call, &text))
        return -1;
    troupe_future_t *future = *text ? troupe_put (troupe_of (call), text)
                                    : troupe_remote (troupe_of (call), fails, "returned");
    troupe_wait (&future, 1, 1, -1, NULL);
    int rc = troupe_return (call, troupe_handle (future));
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (returns_done_handle);

static void
test_handle_argument (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *pending = troupe_remote (s_troupe, after_gate, gate.path, 6);
    troupe_future_t *done = troupe_put (s_troupe, 7);
    troupe_future_t *failed = troupe_remote (s_troupe, fails, "handled");
    troupe_future_t *waits = troupe_remote (s_troupe, waits_for_handle, troupe_handle (pending));
    expect_integer (troupe_remote (s_troupe, waits_for_handle, troupe_handle (done)), 8);
    expect_failure (troupe_remote (s_troupe, waits_for_handle, troupe_handle (failed)),
                    TROUPE_EFAILED, "waits_for_handle on worker ", "fails on worker ",
                    "it is handled");
    expect_failure (troupe_remote (s_troupe, waits_for_handle, done), TROUPE_ETYPE,
                    "wanted future, got integer");
    expect_failure (troupe_remote (s_troupe, square, troupe_handle (done)), TROUPE_ETYPE,
                    "wanted integer, got future");
    gate_open (&gate);
    expect_integer (waits, 7);
    expect_integer (pending, 6);
    troupe_future_destroy (&done);
    troupe_future_destroy (&failed);
}

/*  The call keeps what it refers to until the task has it.                 */
static void
test_handle_dropped (void **state)
{
    (void) state;
    hold_t hold;
    troupe_future_t *waits [10];
    s_hold_begin (&hold);
    for (int index = 0; index < 10; index++) {
        troupe_future_t *value = index % 2 ? troupe_put (s_troupe, index)
                                           : troupe_remote (s_troupe, add, index, 0);
        waits [index] = troupe_remote (s_troupe, waits_for_handle, troupe_handle (value));
        troupe_future_destroy (&value);
    }
    s_hold_end (&hold);
    for (int index = 0; index < 10; index++)
        expect_integer (waits [index], index + 1);
}

static void
test_handle_returned (void **state)
{
    (void) state;
    gate_t gate;
    const char *before, *behind;
    troupe_future_t *inner, *again;
    gate = gate_new ();
    troupe_future_t *outer = troupe_remote (s_troupe, returns_handle, gate.path, 41);
    if (troupe_get (outer, &before, &inner, &behind))
        fail_msg ("%s", troupe_error ());
    assert_string_equal (before, "before");
    assert_string_equal (behind, "behind");
    expect_done (troupe_get (outer, &before, &again, &behind));
    troupe_future_destroy (&outer);
    assert_false (troupe_future_done (inner));
    troupe_future_t *next = troupe_remote (s_troupe, add, inner, again);
    troupe_future_t *waits = troupe_remote (s_troupe, waits_for_handle, troupe_handle (inner));
    troupe_future_destroy (&again);
    gate_open (&gate);
    expect_integer (next, 82);
    expect_integer (waits, 42);
    expect_integer (inner, 41);
}

static void
test_handle_returned_done (void **state)
{
    (void) state;
    troupe_future_t *inner;
    troupe_future_t *outer = troupe_remote (s_troupe, returns_done_handle, "kept");
    if (troupe_get (outer, &inner))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&outer);
    expect_text (inner, "kept");
    outer = troupe_remote (s_troupe, returns_done_handle, "");
    if (troupe_get (outer, &inner))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&outer);
    expect_failure (inner, TROUPE_EFAILED, "fails on worker ", "it is returned");
}

/*  Our own future comes back to us.                                        */
static void
test_handle_round_trip (void **state)
{
    (void) state;
    gate_t gate;
    troupe_future_t *back;
    gate = gate_new ();
    troupe_future_t *mine = troupe_remote (s_troupe, after_gate, gate.path, 5);
    troupe_future_t *outer = troupe_remote (s_troupe, returns_handle_given, troupe_handle (mine));
    if (troupe_get (outer, &back))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&outer);
    troupe_future_destroy (&mine);
    assert_false (troupe_future_done (back));
    gate_open (&gate);
    expect_integer (back, 5);
    mine = troupe_put (s_troupe, 6);
    outer = troupe_remote (s_troupe, returns_handle_given, troupe_handle (mine));
    troupe_future_destroy (&mine);
    if (troupe_get (outer, &back))
        fail_msg ("%s", troupe_error ());
    expect_integer (back, 6);
    troupe_future_destroy (&outer);
}

/*  A handle in a result that nobody reads, and one read twice.             */
static void
test_handle_unread (void **state)
{
    (void) state;
    troupe_future_t *first, *second;
    for (int times = 0; times < 20; times++) {
        troupe_future_t *outer = troupe_remote (s_troupe, returns_done_handle, "unread");
        assert_int_equal (troupe_wait (&outer, 1, 1, -1, NULL), 1);
        troupe_future_destroy (&outer);
        outer = troupe_remote (s_troupe, returns_done_handle, "dropped");
        troupe_future_destroy (&outer);
    }
    troupe_future_t *outer = troupe_remote (s_troupe, returns_done_handle, "twice");
    expect_done (troupe_get (outer, &first));
    expect_done (troupe_get (outer, &second));
    troupe_future_destroy (&outer);
    expect_text (first, "twice");
    expect_text (second, "twice");
}

/*  --- threads ----------------------------------------------------------  */

enum { THREADS = 6 };

static void
s_run_threads (void *(*run) (void *arg), void **args)
{
    pthread_t threads [THREADS];
    for (int index = 0; index < THREADS; index++)
        assert_int_equal (pthread_create (&threads [index], NULL, run, args [index]), 0);
    for (int index = 0; index < THREADS; index++) {
        void *wrong = NULL;
        pthread_join (threads [index], &wrong);
        if (wrong)
            fail_msg ("thread %d: %s", index, (const char *) wrong);
    }
}

static void *
s_submit_and_wait (void *arg)
{
    int64_t base = *(int *) arg, number;
    troupe_future_t *futures [50];
    for (int round = 0; round < 10; round++) {
        for (int index = 0; index < 50; index++)
            futures [index] = troupe_remote (s_troupe, add, base, index);
        if (round % 2 && troupe_wait (futures, 50, 50, -1, NULL) != 50)
            return "wait";
        for (int index = 0; index < 50; index++) {
            if (troupe_get (futures [index], &number) || number != base + index)
                return "get";
            troupe_future_destroy (&futures [index]);
        }
    }
    return NULL;
}

static void
test_threads (void **state)
{
    (void) state;
    int bases [THREADS];
    void *args [THREADS];
    for (int index = 0; index < THREADS; index++) {
        bases [index] = index * 1000;
        args [index] = &bases [index];
    }
    s_run_threads (s_submit_and_wait, args);
}

/*  All threads wait for the same future and read the same text.            */
static void *
s_read_shared (void *arg)
{
    troupe_future_t *future = arg;
    const char *text;
    troupe_strings_t strings;
    troupe_view_t view;
    for (int times = 0; times < 20; times++)
        if (troupe_get (future, &text, &strings) || strcmp (text, "shared") != 0
            || strings.count != 2 || strcmp (strings.items [1], "b") != 0
            || troupe_get (future, &view) || troupe_view_count (view) != 2)
            return "read";
    return NULL;
}

static int
returns_texts (troupe_call_t *call)
{
    static const char *const strings [] = { "a", "b" };
    const char *gate;
    if (troupe_args (call, &gate))
        return -1;
    gate_pass (gate);
    return troupe_return (call, "shared", troupe_strings (strings, 2));
}
TROUPE_TASK (returns_texts);

static void *
s_open_gate (void *arg)
{
    gate_open (arg);
    return NULL;
}

static void
test_threads_share (void **state)
{
    (void) state;
    gate_t gate;
    void *args [THREADS];
    pthread_t opener;
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, returns_texts, gate.path);
    for (int index = 0; index < THREADS; index++)
        args [index] = future;
    assert_int_equal (pthread_create (&opener, NULL, s_open_gate, &gate), 0);
    s_run_threads (s_read_shared, args);
    pthread_join (opener, NULL);
    troupe_future_destroy (&future);
}

/*  Callbacks run once each, whichever thread waits.                        */
static atomic_int s_callbacks;

static int
s_count_callback (troupe_call_t *call)
{
    int64_t number;
    atomic_fetch_add (&s_callbacks, 1);
    return troupe_args (call, &number) ? -1 : troupe_return (call, number);
}

static void *
s_use_callbacks (void *arg)
{
    int64_t base = *(int *) arg, number;
    troupe_future_t *sources [100], *results [100];
    for (int index = 0; index < 100; index++) {
        sources [index] = troupe_remote (s_troupe, add, base, index);
        results [index] = troupe_then (sources [index], s_count_callback, NULL);
        if (index % 10 == 0 && troupe_process (s_troupe) < 0)
            return "process";
    }
    for (int index = 0; index < 100; index++) {
        if (troupe_get (results [index], &number) || number != base + index)
            return "get";
        troupe_future_destroy (&sources [index]);
        troupe_future_destroy (&results [index]);
    }
    return NULL;
}

static void
test_threads_callbacks (void **state)
{
    (void) state;
    int bases [THREADS];
    void *args [THREADS];
    atomic_store (&s_callbacks, 0);
    for (int index = 0; index < THREADS; index++) {
        bases [index] = index * 1000;
        args [index] = &bases [index];
    }
    s_run_threads (s_use_callbacks, args);
    assert_int_equal (atomic_load (&s_callbacks), 100 * THREADS);
}

/*  Made in another thread, run in this one.                                */
static void *
s_make_callback (void *arg)
{
    troupe_future_t **places = arg;
    places [1] = troupe_then (places [0], s_add_one, NULL);
    return places [1] ? NULL : "then";
}

static void
test_then_from_thread (void **state)
{
    (void) state;
    pthread_t thread;
    troupe_future_t *places [2] = { troupe_remote (s_troupe, square, 3), NULL };
    assert_int_equal (pthread_create (&thread, NULL, s_make_callback, places), 0);
    pthread_join (thread, NULL);
    expect_integer (places [1], 10);
    troupe_future_destroy (&places [0]);
}

/*  One thread cancels what another waits for.                              */
static void *
s_wait_cancelled (void *arg)
{
    return troupe_get ((troupe_future_t *) arg) && troupe_error_code () == TROUPE_ECANCELLED
               ? NULL
               : "not cancelled";
}

static void
test_cancel_from_thread (void **state)
{
    (void) state;
    gate_t gate;
    pthread_t threads [THREADS];
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, after_gate, gate.path, 1);
    for (int index = 0; index < THREADS; index++)
        assert_int_equal (pthread_create (&threads [index], NULL, s_wait_cancelled, future), 0);
    gate_reached (&gate);
    assert_int_equal (troupe_cancel (future), 0);
    for (int index = 0; index < THREADS; index++) {
        void *wrong;
        pthread_join (threads [index], &wrong);
        assert_null (wrong);
    }
    gate_open (&gate);
    troupe_future_destroy (&future);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_cancel_queued),
        cmocka_unit_test (test_cancel_waiting),
        cmocka_unit_test (test_cancel_running),
        cmocka_unit_test (test_cancel_done),
        cmocka_unit_test (test_cancel_combined),
        cmocka_unit_test (test_deadline_running),
        cmocka_unit_test (test_deadline_queued),
        cmocka_unit_test (test_deadline_waiting),
        cmocka_unit_test (test_deadline_hops),
        cmocka_unit_test (test_deadline_below),
        cmocka_unit_test (test_destroy_pending),
        cmocka_unit_test (test_dup),
        cmocka_unit_test (test_handle_argument),
        cmocka_unit_test (test_handle_dropped),
        cmocka_unit_test (test_handle_returned),
        cmocka_unit_test (test_handle_returned_done),
        cmocka_unit_test (test_handle_round_trip),
        cmocka_unit_test (test_handle_unread),
        cmocka_unit_test (test_threads),
        cmocka_unit_test (test_threads_share),
        cmocka_unit_test (test_threads_callbacks),
        cmocka_unit_test (test_then_from_thread),
        cmocka_unit_test (test_cancel_from_thread),
    };
    support_begin (&argc, &argv);
    if (support_workers () < 2) {
        print_message ("these tests need two workers\n");
        return support_end (0);
    }
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
