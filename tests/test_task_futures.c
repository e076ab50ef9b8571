/*  test_task_futures.c - tasks through the whole library: futures as arguments
    and as results                                                           */

#include "tests/support.h"
#include "tests/tasks_fixture.h"

/*  --- futures as arguments ---------------------------------------------  */

static void
test_finished_argument (void **state)
{
    (void) state;
    troupe_future_t *three = troupe_remote (s_troupe, add, 1, 2);
    assert_int_equal (troupe_wait (&three, 1, 1, -1, NULL), 1);
    expect_integer (troupe_remote (s_troupe, square, three), 9);
    expect_integer (troupe_remote (s_troupe, add, three, three), 6);
    expect_integer (troupe_remote (s_troupe, add, 10, three), 13);
    expect_failure (troupe_remote (s_troupe, fails, three), TROUPE_ETYPE,
                    "argument 1: wanted string, got integer");
    troupe_future_destroy (&three);
}

static void
test_pending_argument (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *source = troupe_remote (s_troupe, after_gate, gate.path, 5);
    troupe_future_t *once = troupe_remote (s_troupe, square, source);
    troupe_future_t *twice = troupe_remote (s_troupe, add, source, source);
    troupe_future_t *chained = troupe_remote (s_troupe, add, once, twice);
    gate_reached (&gate);
    assert_int_equal (troupe_wait (&chained, 1, 1, 0, NULL), 0);
    assert_false (troupe_future_done (source));
    assert_null (troupe_future_error (source));
    gate_open (&gate);
    expect_integer (chained, 35);
    expect_integer (once, 25);
    expect_integer (twice, 10);
    expect_integer (source, 5);
}

/*  Nobody but the dependents holds the futures on the way.                 */
static void
test_dropped_arguments (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *value = troupe_remote (s_troupe, after_gate, gate.path, 2);
    for (int step = 0; step < 5; step++) {
        troupe_future_t *next = troupe_remote (s_troupe, square, value);
        troupe_future_destroy (&value);
        value = next;
    }
    gate_open (&gate);
    expect_integer (value, INT64_C (1) << 32);
}

static void
test_failed_argument (void **state)
{
    (void) state;
    gate_t gate;
    troupe_future_t *failed = troupe_remote (s_troupe, fails, "broken");
    assert_int_equal (troupe_wait (&failed, 1, 1, -1, NULL), 1);
    expect_failure (troupe_remote (s_troupe, square, failed), TROUPE_EFAILED,
                    "square: argument failed: fails on worker ", ": it is broken");
    expect_failure (troupe_remote (s_troupe, add, 1, failed), TROUPE_EFAILED,
                    "add: argument failed: fails on worker ", ": it is broken");
    troupe_future_destroy (&failed);

    gate = gate_new ();
    failed = troupe_remote (s_troupe, fails_after_gate, gate.path);
    troupe_future_t *next = troupe_remote (s_troupe, square, failed);
    troupe_future_t *last = troupe_remote (s_troupe, add, next, 1);
    gate_open (&gate);
    expect_failure (last, TROUPE_EFAILED,
                    "add: argument failed: square: argument failed: "
                    "fails_after_gate on worker ",
                    ": behind the gate");
    expect_failure (next, TROUPE_EFAILED,
                    "square: argument failed: fails_after_gate on worker");
    expect_failure (failed, TROUPE_EFAILED, "fails_after_gate on worker");
}

/*  However long the way of a failure is, its text tells the first cause.   */
static void
test_long_way_of_failure (void **state)
{
    (void) state;
    troupe_future_t *value = troupe_remote (s_troupe, fails, "the first cause");
    for (int step = 0; step < 100; step++) {
        troupe_future_t *next = troupe_remote (s_troupe, square, value);
        troupe_future_destroy (&value);
        value = next;
    }
    expect_failure (value, TROUPE_EFAILED, "square: argument failed", "fails on worker ",
                    "it is the first cause");
}

static void
test_chain (void **state)
{
    (void) state;
    troupe_future_t *value = troupe_put (s_troupe, 0);
    for (int step = 0; step < 1000; step++) {
        troupe_future_t *next = troupe_remote (s_troupe, add, value, 1);
        troupe_future_destroy (&value);
        value = next;
    }
    expect_integer (value, 1000);
}

static void
test_many_arguments (void **state)
{
    (void) state;
    enum { COUNT = 3000 };
    static troupe_future_t *parts [COUNT];
    gate_t gate;
    gate = gate_new ();
    for (int index = 0; index < COUNT; index++)
        parts [index] = index == 7 ? troupe_remote (s_troupe, after_gate, gate.path, 49)
                                   : troupe_remote (s_troupe, square, index % 100);
    troupe_future_t *sum = troupe_remote (s_troupe, sum_list, troupe_futures (parts, COUNT));
    gate_open (&gate);
    expect_integer (sum, 30 * 328350);
    expect_integer (troupe_remote (s_troupe, sum_list, troupe_futures (parts, COUNT)),
                    30 * 328350);
    for (int index = 0; index < COUNT; index++)
        troupe_future_destroy (&parts [index]);
    expect_integer (troupe_remote (s_troupe, sum_list, troupe_futures (NULL, 0)), 0);
}

/*  Finished, pending and the same one several times in one list.           */
static void
test_mixed_arguments (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *done = troupe_put (s_troupe, 100);
    troupe_future_t *pending = troupe_remote (s_troupe, after_gate, gate.path, 1);
    troupe_future_t *list [12];
    for (int index = 0; index < 12; index++)
        list [index] = index % 2 ? done : pending;
    troupe_future_t *sum = troupe_remote (s_troupe, sum_list, troupe_futures (list, 12));
    gate_open (&gate);
    expect_integer (sum, 606);
    troupe_future_destroy (&done);
    troupe_future_destroy (&pending);
}

static void
test_failed_in_list (void **state)
{
    (void) state;
    gate_t gate;
    gate = gate_new ();
    troupe_future_t *list [] = { troupe_put (s_troupe, 1),
                                 troupe_remote (s_troupe, fails_after_gate, gate.path),
                                 troupe_remote (s_troupe, square, 3) };
    troupe_future_t *sum = troupe_remote (s_troupe, sum_list, troupe_futures (list, 3));
    gate_open (&gate);
    expect_failure (sum, TROUPE_EFAILED,
                    "sum_list: argument failed: fails_after_gate on worker ",
                    "behind the gate");
    for (int index = 0; index < 3; index++)
        troupe_future_destroy (&list [index]);
}

static void
test_null_arguments (void **state)
{
    (void) state;
    troupe_future_t *list [] = { troupe_put (s_troupe, 1), NULL };
    expect_failure (troupe_remote (s_troupe, square, (troupe_future_t *) NULL), TROUPE_EINVAL,
                    "square: ", "NULL");
    expect_failure (troupe_remote (s_troupe, square, (troupe_actor_t *) NULL), TROUPE_EINVAL,
                    "square: ", "NULL");
    expect_failure (troupe_remote (s_troupe, square, troupe_handle (NULL)), TROUPE_EINVAL,
                    "NULL");
    expect_failure (troupe_remote (s_troupe, sum_list, troupe_futures (list, 2)), TROUPE_EINVAL,
                    "NULL");
    expect_failure (troupe_remote (s_troupe, sum_list, troupe_futures (NULL, 2)), TROUPE_EINVAL,
                    "no address");
    expect_failure (troupe_remote (s_troupe, echo, troupe_bytes (NULL, 2)), TROUPE_EINVAL,
                    "no address");
    troupe_future_destroy (&list [0]);
}

/*  --- put --------------------------------------------------------------  */

static void
test_put (void **state)
{
    (void) state;
    const int32_t numbers [] = { 4, 5, 6 };
    troupe_int32s_t got;
    troupe_future_t *array = troupe_put (s_troupe, troupe_int32s (numbers, 3));
    assert_true (troupe_future_done (array));
    expect_done (troupe_get (array, &got));
    assert_int_equal (got.count, 3);
    assert_memory_equal (got.items, numbers, sizeof numbers);
    troupe_future_t *back = troupe_remote (s_troupe, echo, array);
    troupe_future_destroy (&array);
    expect_done (troupe_get (back, &got));
    assert_memory_equal (got.items, numbers, sizeof numbers);
    troupe_future_destroy (&back);

    expect_text (troupe_put (s_troupe, "kept"), "kept");
    expect_integer (troupe_put (s_troupe, INT64_MIN), INT64_MIN);
    troupe_future_t *value = troupe_put (s_troupe, 1);
    expect_failure (troupe_put (s_troupe, value), TROUPE_EINVAL, "future");
    troupe_future_destroy (&value);
}

/*  --- returning futures ------------------------------------------------  */

/*  Hands the work on: the answer is another task's.                        */
TROUPE_TASK_DECLARE (hands_on);

static int
hands_on (troupe_call_t *call)
{
    int64_t steps, number;
    if (troupe_args (call, &steps, &number))
        return -1;
    troupe_future_t *next
        = steps ? troupe_remote (troupe_of (call), hands_on, steps - 1, number)
                : troupe_remote (troupe_of (call), square, number);
    int rc = troupe_return (call, next);
    troupe_future_destroy (&next);
    return rc;
}
TROUPE_TASK (hands_on);

static int
hands_on_failure (troupe_call_t *call)
{
    troupe_future_t *next = troupe_remote (troupe_of (call), fails, "handed on");
    int rc = troupe_return (call, next);
    troupe_future_destroy (&next);
    return rc;
}
TROUPE_TASK (hands_on_failure);

static int
returns_mixture (troupe_call_t *call)
{
    troupe_future_t *parts [] = { troupe_remote (troupe_of (call), square, 3),
                                  troupe_remote (troupe_of (call), square, 4) };
    int rc = troupe_return (call, "one", parts [0], troupe_futures (parts, 2), 2.5);
    for (int index = 0; index < 2; index++)
        troupe_future_destroy (&parts [index]);
    return rc;
}
TROUPE_TASK (returns_mixture);

static int
returns_null (troupe_call_t *call)
{
    return troupe_return (call, (troupe_future_t *) NULL);
}
TROUPE_TASK (returns_null);

static int
returns_no_futures (troupe_call_t *call)
{
    return troupe_return (call, troupe_futures (NULL, 0));
}
TROUPE_TASK (returns_no_futures);

static void
test_tail (void **state)
{
    (void) state;
    expect_integer (troupe_remote (s_troupe, hands_on, 0, 7), 49);
    expect_integer (troupe_remote (s_troupe, hands_on, 50, 8), 64);
    troupe_future_t *first = troupe_remote (s_troupe, hands_on, 2, 3);
    troupe_future_t *second = troupe_remote (s_troupe, hands_on, 2, first);
    expect_integer (troupe_remote (s_troupe, add, first, second), 90);
    troupe_future_destroy (&first);
    troupe_future_destroy (&second);
    expect_failure (troupe_remote (s_troupe, hands_on_failure), TROUPE_EFAILED,
                    "hands_on_failure on worker ", "fails on worker ", "it is handed on");
    expect_failure (troupe_remote (s_troupe, returns_null), TROUPE_EINVAL, "NULL");
}

static void
test_tail_of_several (void **state)
{
    (void) state;
    const char *one;
    int64_t nine, squares = 0, number;
    double real;
    troupe_view_t list, inside, value;
    troupe_future_t *future = troupe_remote (s_troupe, returns_mixture);
    if (troupe_get (future, &one, &nine, &list, &real))
        fail_msg ("%s", troupe_error ());
    assert_string_equal (one, "one");
    assert_int_equal (nine, 9);
    assert_true (real == 2.5);
    assert_int_equal (troupe_view_enter (list, &inside), 0);
    while (troupe_view_next (&inside, &value) == 1) {
        assert_int_equal (troupe_read (value, &number), 0);
        squares += number;
    }
    assert_int_equal (squares, 25);
    troupe_future_destroy (&future);

    future = troupe_remote (s_troupe, returns_no_futures);
    if (troupe_get (future, &list))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (troupe_view_type (list), TROUPE_LIST);
    assert_int_equal (troupe_view_count (list), 0);
    troupe_future_destroy (&future);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_finished_argument),
        cmocka_unit_test (test_pending_argument),
        cmocka_unit_test (test_dropped_arguments),
        cmocka_unit_test (test_failed_argument),
        cmocka_unit_test (test_long_way_of_failure),
        cmocka_unit_test (test_chain),
        cmocka_unit_test (test_many_arguments),
        cmocka_unit_test (test_mixed_arguments),
        cmocka_unit_test (test_failed_in_list),
        cmocka_unit_test (test_null_arguments),
        cmocka_unit_test (test_put),
        cmocka_unit_test (test_tail),
        cmocka_unit_test (test_tail_of_several),
    };
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
