/*  test_futures.c - futures through the whole library: waiting, callbacks, all
    and any                                                                  */

#include "tests/futures_fixture.h"

#include <poll.h>
#include <pthread.h>

/*  --- waiting ----------------------------------------------------------  */

static void
test_wait (void **state)
{
    (void) state;
    gate_t gate;
    size_t ready [4] = { 9, 9, 9, 9 };
    gate = gate_new ();
    troupe_future_t *futures [] = { troupe_put (s_troupe, 1),
                                    troupe_remote (s_troupe, after_gate, gate.path, 2),
                                    troupe_remote (s_troupe, fails, "done too"),
                                    troupe_put (s_troupe, 4) };
    assert_int_equal (troupe_wait (futures, 4, 3, -1, ready), 3);
    assert_int_equal (ready [0], 0);
    assert_int_equal (ready [1], 2);
    assert_int_equal (ready [2], 3);
    assert_int_equal (ready [3], 9);
    assert_int_equal (troupe_wait (futures, 4, 0, -1, ready), 3);
    assert_int_equal (troupe_wait (futures, 4, 1, -1, NULL), 3);
    assert_int_equal (troupe_wait (futures, 4, 4, 0, ready), 3);
    assert_int_equal (troupe_wait (futures + 1, 1, 1, 0, ready), 0);
    gate_open (&gate);
    assert_int_equal (troupe_wait (futures, 4, 99, -1, ready), 4);
    for (size_t index = 0; index < 4; index++)
        assert_int_equal (ready [index], index);
    s_destroy_all (futures, 4);
}

static void
test_wait_timeout (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, after_gate, gate.path, 2);
    int64_t begin = now_ms ();
    assert_int_equal (troupe_wait (&future, 1, 1, 50, NULL), 0);
    assert_true (now_ms () - begin >= 50);
    gate_open (&gate);
    assert_int_equal (troupe_wait (&future, 1, 1, 100000, NULL), 1);
    troupe_future_destroy (&future);
}

/*  The same future several times counts several times.                     */
static void
test_wait_same (void **state)
{
    (void) state;
    gate_t gate;
    size_t ready [4];
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, after_gate, gate.path, 2);
    troupe_future_t *futures [] = { future, future, troupe_put (s_troupe, 0), future };
    assert_int_equal (troupe_wait (futures, 4, 4, 0, ready), 1);
    assert_int_equal (ready [0], 2);
    gate_open (&gate);
    assert_int_equal (troupe_wait (futures, 4, 4, -1, ready), 4);
    troupe_future_destroy (&futures [2]);
    troupe_future_destroy (&future);
}

/*  Many futures, and one future many times, in one wait.                   */
static void
test_wait_many (void **state)
{
    (void) state;
    enum { COUNT = 10000 };
    static troupe_future_t *futures [COUNT], *same [COUNT];
    hold_t hold;
    s_hold_begin (&hold);
    for (size_t index = 0; index < COUNT; index++) {
        futures [index] = troupe_remote (s_troupe, square, index);
        same [index] = futures [0];
    }
    assert_int_equal (troupe_wait (futures, COUNT, COUNT, 0, NULL), 0);
    assert_int_equal (troupe_wait (same, COUNT, 1, 0, NULL), 0);
    s_hold_end (&hold);
    assert_int_equal (troupe_wait (futures, COUNT, COUNT, -1, NULL), COUNT);
    for (int64_t index = 0; index < COUNT; index++)
        expect_integer (futures [index], index * index);
}

static void
test_nulls (void **state)
{
    (void) state;
    int64_t number;
    troupe_future_t *futures [] = { troupe_put (s_troupe, 1), NULL };
    assert_int_equal (troupe_wait (NULL, 0, 0, -1, NULL), 0);
    assert_int_equal (troupe_wait (futures, 0, 1, -1, NULL), 0);
    assert_int_equal (troupe_wait (NULL, 1, 1, -1, NULL), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_int_equal (troupe_wait (futures, 2, 1, -1, NULL), -1);
    expect_words (troupe_error (), "future 1 is NULL");
    assert_int_equal (troupe_get (futures [1], &number), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_true (troupe_future_done (NULL));
    assert_int_equal (troupe_future_code (NULL), TROUPE_EINVAL);
    assert_non_null (troupe_future_error (NULL));
    assert_null (troupe_then (NULL, s_add_one, NULL));
    assert_null (troupe_then (futures [0], NULL, NULL));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_all (NULL, 1));
    assert_null (troupe_any (futures, 0));
    assert_null (troupe_all (futures, 2));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_int_equal (troupe_cancel (NULL), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_future_dup (NULL));
    assert_int_equal (troupe_fd (NULL), -1);
    assert_int_equal (troupe_process (NULL), -1);
    assert_int_equal (troupe_workers (NULL), 0);
    troupe_future_destroy (NULL);
    troupe_future_destroy (&futures [1]);
    troupe_future_destroy (&futures [0]);
    assert_null (futures [0]);
    troupe_future_destroy (&futures [0]);
}

/*  --- callbacks --------------------------------------------------------  */

static int
s_readable (int fd, int timeout_ms)
{
    struct pollfd item = { .fd = fd, .events = POLLIN };
    return poll (&item, 1, timeout_ms);
}

static void
test_then_process (void **state)
{
    (void) state;
    gate_t gate;
    int count = 0;
    int fd = troupe_fd (s_troupe);
    assert_true (fd >= 0);
    assert_int_equal (troupe_fd (s_troupe), fd);
    gate = gate_new ();
    troupe_future_t *future = troupe_remote (s_troupe, after_gate, gate.path, 5);
    troupe_future_t *next = troupe_then (future, s_add_one, &count);
    gate_reached (&gate);
    assert_int_equal (s_readable (fd, 0), 0);
    assert_int_equal (troupe_process (s_troupe), 0);
    gate_open (&gate);
    assert_int_equal (s_readable (fd, -1), 1);
    assert_int_equal (s_readable (fd, -1), 1);
    assert_true (troupe_future_done (future));
    assert_false (troupe_future_done (next));
    assert_int_equal (count, 0);
    assert_int_equal (troupe_process (s_troupe), 1);
    assert_int_equal (count, 1);
    assert_int_equal (s_readable (fd, 0), 0);
    assert_int_equal (troupe_process (s_troupe), 0);
    assert_true (troupe_future_done (next));
    expect_integer (next, 6);
    expect_integer (future, 5);
}

/*  Never inside another call, even when the future is done.                */
static void
test_then_done (void **state)
{
    (void) state;
    int count = 0;
    troupe_future_t *future = troupe_put (s_troupe, 1);
    troupe_future_t *next = troupe_then (future, s_add_one, &count);
    assert_int_equal (count, 0);
    assert_false (troupe_future_done (next));
    assert_int_equal (troupe_process (s_troupe), 1);
    assert_int_equal (count, 1);
    expect_integer (next, 2);
    next = troupe_then (future, s_add_one, &count);
    expect_integer (next, 2);
    assert_int_equal (count, 2);
    troupe_future_destroy (&future);
}

static int
s_note_thread (troupe_call_t *call)
{
    *(pthread_t *) troupe_context (call) = pthread_self ();
    return 0;
}

static void
test_then_waiting (void **state)
{
    (void) state;
    pthread_t thread = 0;
    troupe_future_t *future = troupe_remote (s_troupe, square, 3);
    troupe_future_t *next = troupe_then (future, s_note_thread, &thread);
    expect_success (next);
    assert_true (pthread_equal (thread, pthread_self ()));
    troupe_future_destroy (&future);
}

static void
test_then_chain (void **state)
{
    (void) state;
    int count = 0;
    troupe_future_t *value = troupe_remote (s_troupe, square, 3);
    for (int step = 0; step < 100; step++) {
        troupe_future_t *next = troupe_then (value, s_add_one, &count);
        troupe_future_destroy (&value);
        value = next;
    }
    troupe_future_t *last = troupe_remote (s_troupe, add, value, 1);
    expect_integer (last, 110);
    expect_integer (value, 109);
    assert_int_equal (count, 100);
}

/*  Takes the place of a failure.                                           */
static int
s_recover (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number) == 0)
        return troupe_fail (call, "there was no failure");
    return troupe_return (call, troupe_error ());
}

static int
s_always_fails (troupe_call_t *call)
{
    return troupe_fail (call, "in the callback");
}

static void
test_then_failure (void **state)
{
    (void) state;
    int count = 0;
    const char *text;
    troupe_future_t *failed = troupe_remote (s_troupe, fails, "broken");
    expect_failure (troupe_then (failed, s_add_one, &count), TROUPE_EFAILED, "fails on worker ",
                    "it is broken");
    assert_int_equal (count, 1);
    troupe_future_t *recovered = troupe_then (failed, s_recover, NULL);
    expect_done (troupe_get (recovered, &text));
    expect_words (text, "fails on worker ", "it is broken");
    expect_failure (troupe_then (recovered, s_always_fails, NULL), TROUPE_EFAILED,
                    "in the callback");
    expect_failure (troupe_then (recovered, s_add_one, NULL), TROUPE_ETYPE,
                    "wanted integer, got string");
    troupe_future_destroy (&recovered);
    troupe_future_destroy (&failed);
}

/*  The value, several values, and none.                                    */
static int
s_count_values (troupe_call_t *call)
{
    int64_t first, second;
    if (troupe_arg_count (call) != 1)
        return troupe_fail (call, "%zu arguments", troupe_arg_count (call));
    return troupe_args (call, &first, &second) ? -1 : troupe_return (call, first * 10 + second);
}

static void
test_then_several (void **state)
{
    (void) state;
    troupe_future_t *parts [] = { troupe_put (s_troupe, 4), troupe_remote (s_troupe, square, 3) };
    troupe_future_t *both = troupe_all (parts, 2);
    troupe_future_t *next = troupe_then (both, s_count_values, NULL);
    expect_integer (next, 49);
    s_destroy_all (parts, 2);
    troupe_future_destroy (&both);
}

/*  Submits, and answers with the future.                                   */
static int
s_submit_square (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), square, number);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}

/*  Waits inside; other callbacks do not run meanwhile.                     */
static int
s_wait_for_square (troupe_call_t *call)
{
    int64_t number, result = 0;
    if (troupe_args (call, &number))
        return -1;
    if (troupe_process (troupe_of (call)) != 0)
        return troupe_fail (call, "a callback ran inside a callback");
    troupe_future_t *future = troupe_remote (troupe_of (call), square, number);
    int rc = troupe_get (future, &result);
    troupe_future_destroy (&future);
    return rc ? -1 : troupe_return (call, result);
}

static void
test_then_submits (void **state)
{
    (void) state;
    troupe_future_t *three = troupe_put (s_troupe, 3);
    troupe_future_t *tail = troupe_then (three, s_submit_square, NULL);
    troupe_future_t *waited = troupe_then (three, s_wait_for_square, NULL);
    troupe_future_t *both = troupe_then (tail, s_wait_for_square, NULL);
    expect_integer (both, 81);
    expect_integer (tail, 9);
    expect_integer (waited, 9);
    troupe_future_destroy (&three);
}

/*  The callback runs though nobody holds its future.                       */
static void
test_then_destroyed (void **state)
{
    (void) state;
    int count = 0;
    troupe_future_t *future = troupe_remote (s_troupe, square, 3);
    troupe_future_t *next = troupe_then (future, s_add_one, &count);
    troupe_future_destroy (&next);
    troupe_future_t *last = troupe_then (future, s_add_one, &count);
    troupe_future_destroy (&future);
    expect_integer (last, 10);
    assert_int_equal (count, 2);
}

static void
test_then_many (void **state)
{
    (void) state;
    enum { COUNT = 5000 };
    static troupe_future_t *sources [COUNT], *results [COUNT];
    int count = 0;
    for (int index = 0; index < COUNT; index++) {
        sources [index] = troupe_remote (s_troupe, square, index);
        results [index] = troupe_then (sources [index], s_add_one, &count);
    }
    assert_int_equal (troupe_wait (results, COUNT, COUNT, -1, NULL), COUNT);
    assert_int_equal (count, COUNT);
    for (int64_t index = 0; index < COUNT; index++)
        expect_integer (results [index], index * index + 1);
    s_destroy_all (sources, COUNT);
}

/*  In a task, callbacks run in its worker, one that waits too.             */
static int
task_with_callbacks (troupe_call_t *call)
{
    int64_t number, result;
    if (troupe_args (call, &number))
        return -1;
    troupe_future_t *value = troupe_remote (troupe_of (call), square, number);
    troupe_future_t *plus_one = troupe_then (value, s_add_one, NULL);
    troupe_future_t *squared = troupe_then (plus_one, s_wait_for_square, NULL);
    int rc = troupe_get (squared, &result);
    troupe_future_destroy (&value);
    troupe_future_destroy (&plus_one);
    troupe_future_destroy (&squared);
    return rc ? -1 : troupe_return (call, result);
}
TROUPE_TASK (task_with_callbacks);

static void
test_then_in_tasks (void **state)
{
    (void) state;
    troupe_future_t *futures [20];
    for (int index = 0; index < 20; index++)
        futures [index] = troupe_remote (s_troupe, task_with_callbacks, index);
    for (int64_t index = 0; index < 20; index++)
        expect_integer (futures [index], (index * index + 1) * (index * index + 1));
}

/*  --- all and any ------------------------------------------------------  */

static void
test_all (void **state)
{
    (void) state;
    int64_t one, nine, last;
    troupe_future_t *parts [] = { troupe_put (s_troupe, 1), troupe_remote (s_troupe, square, 3),
                                  NULL };
    parts [2] = troupe_then (parts [1], s_add_one, NULL);
    troupe_future_t *all = troupe_all (parts, 3);
    if (troupe_get (all, &one, &nine, &last))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (one, 1);
    assert_int_equal (nine, 9);
    assert_int_equal (last, 10);
    expect_integer (troupe_remote (s_troupe, sum_list, all), 20);
    troupe_future_destroy (&all);
    troupe_future_t *twice [] = { parts [1], parts [1] };
    all = troupe_all (twice, 2);
    expect_integer (troupe_remote (s_troupe, sum_list, all), 18);
    troupe_future_destroy (&all);
    s_destroy_all (parts, 3);
}

/*  Arrays of numbers in a list of all are in place too.                    */
static void
test_all_arrays (void **state)
{
    (void) state;
    const double doubles [] = { 1.5, 2.5, 3.5 };
    troupe_doubles_t first, third;
    const char *text;
    troupe_future_t *parts [] = { troupe_put (s_troupe, troupe_doubles (doubles, 3)),
                                  troupe_put (s_troupe, "between"),
                                  troupe_put (s_troupe, troupe_doubles (doubles + 1, 2)) };
    troupe_future_t *all = troupe_all (parts, 3);
    s_destroy_all (parts, 3);
    if (troupe_get (all, &first, &text, &third))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (first.count, 3);
    assert_memory_equal (first.items, doubles, sizeof doubles);
    assert_string_equal (text, "between");
    assert_int_equal (third.count, 2);
    assert_memory_equal (third.items, doubles + 1, 2 * sizeof *doubles);
    assert_int_equal ((uintptr_t) third.items % 8, 0);
    troupe_future_destroy (&all);
}

static void
test_all_many (void **state)
{
    (void) state;
    enum { COUNT = 2000 };
    static troupe_future_t *parts [COUNT];
    for (int index = 0; index < COUNT; index++)
        parts [index] = troupe_remote (s_troupe, square, index % 10);
    troupe_future_t *all = troupe_all (parts, COUNT);
    s_destroy_all (parts, COUNT);
    expect_integer (troupe_remote (s_troupe, sum_list, all), 200 * 285);
    troupe_future_destroy (&all);
}

/*  Fails at once, while others still run.                                  */
static void
test_all_failure (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *parts [] = { troupe_remote (s_troupe, after_gate, gate.path, 1),
                                  troupe_remote (s_troupe, fails, "early") };
    gate_reached (&gate);
    troupe_future_t *all = troupe_all (parts, 2);
    expect_failure (troupe_future_dup (all), TROUPE_EFAILED, "fails on worker ", "it is early");
    assert_false (troupe_future_done (parts [0]));
    expect_failure (troupe_remote (s_troupe, sum_list, all), TROUPE_EFAILED,
                    "sum_list: argument failed: fails on worker ", "it is early");
    gate_open (&gate);
    expect_integer (parts [0], 1);
    troupe_future_destroy (&parts [1]);
    troupe_future_destroy (&all);
}

static void
test_any (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *parts [] = { troupe_remote (s_troupe, after_gate, gate.path, 1),
                                  troupe_remote (s_troupe, fails, "no matter"),
                                  NULL };
    assert_int_equal (troupe_wait (parts + 1, 1, 1, -1, NULL), 1);
    parts [2] = troupe_remote (s_troupe, square, 5);
    troupe_future_t *any = troupe_any (parts, 3);
    expect_integer (any, 25);
    assert_false (troupe_future_done (parts [0]));
    any = troupe_any (parts, 2);
    assert_false (troupe_future_done (any));
    troupe_future_t *next = troupe_remote (s_troupe, square, any);
    gate_open (&gate);
    expect_integer (any, 1);
    expect_integer (next, 1);
    s_destroy_all (parts, 3);
}

static void
test_any_failure (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *parts [] = { troupe_remote (s_troupe, fails_after_gate, gate.path),
                                  troupe_remote (s_troupe, fails, "first") };
    assert_int_equal (troupe_wait (parts + 1, 1, 1, -1, NULL), 1);
    troupe_future_t *any = troupe_any (parts, 2);
    assert_false (troupe_future_done (any));
    gate_open (&gate);
    expect_failure (any, TROUPE_EFAILED, "fails_after_gate on worker ", "behind the gate");
    s_destroy_all (parts, 2);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_wait),
        cmocka_unit_test (test_wait_timeout),
        cmocka_unit_test (test_wait_same),
        cmocka_unit_test (test_wait_many),
        cmocka_unit_test (test_nulls),
        cmocka_unit_test (test_then_process),
        cmocka_unit_test (test_then_done),
        cmocka_unit_test (test_then_waiting),
        cmocka_unit_test (test_then_chain),
        cmocka_unit_test (test_then_failure),
        cmocka_unit_test (test_then_several),
        cmocka_unit_test (test_then_submits),
        cmocka_unit_test (test_then_destroyed),
        cmocka_unit_test (test_then_many),
        cmocka_unit_test (test_then_in_tasks),
        cmocka_unit_test (test_all),
        cmocka_unit_test (test_all_arrays),
        cmocka_unit_test (test_all_many),
        cmocka_unit_test (test_all_failure),
        cmocka_unit_test (test_any),
        cmocka_unit_test (test_any_failure),
    };
    support_begin (&argc, &argv);
    if (support_workers () < 2) {
        print_message ("these tests need two workers\n");
        return support_end (0);
    }
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
