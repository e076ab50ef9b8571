/*  test_tasks.c - tasks through the whole library: names, failures, nesting,
    many at once, crashes and retries                                        */

#include "tests/support.h"
#include "tests/tasks_fixture.h"

#include <signal.h>

/*  --- tasks ------------------------------------------------------------  */

static int
nothing (troupe_call_t *call)
{
    (void) call;
    return 0;
}
TROUPE_TASK (nothing);

static int
returns_minus_one (troupe_call_t *call)
{
    (void) call;
    return -1;
}
TROUPE_TASK (returns_minus_one);

/*  Fails after it has answered.                                            */
static int
repents (troupe_call_t *call)
{
    troupe_return (call, 1);
    return troupe_fail (call, "the answer is wrong");
}
TROUPE_TASK (repents);

/*  The second answer is refused, the first one stands.                     */
static int
answers_twice (troupe_call_t *call)
{
    if (troupe_return (call, "first") || troupe_return (call, "second") == 0)
        return troupe_fail (call, "the second answer was taken");
    if (!strstr (troupe_error (), "twice"))
        return troupe_fail (call, "the error is \"%s\"", troupe_error ());
    return 0;
}
TROUPE_TASK (answers_twice);

/*  Answers with a packer that lacks a value.                               */
static int
half_packed (troupe_call_t *call)
{
    troupe_packer_t *packer = troupe_packer_new ();
    troupe_pack_list (packer, 2);
    troupe_pack (packer, 1);
    int rc = troupe_return (call, troupe_packed (packer));
    troupe_packer_destroy (&packer);
    return rc;
}
TROUPE_TASK (half_packed);

/*  --- names ------------------------------------------------------------  */

static void
test_names (void **state)
{
    (void) state;
    char longest [TROUPE_NAME_MAX + 2];
    memset (longest, 'x', sizeof longest - 1);
    longest [sizeof longest - 1] = 0;
    expect_integer (troupe_remote_by_name (s_troupe, "square", 9), 81);
    expect_integer (troupe_remote_by_name (s_troupe, "add", 1, 2), 3);
    expect_failure (troupe_remote_by_name (s_troupe, "no_such_task", 9), TROUPE_ENAME,
                    "unknown task 'no_such_task'");
    expect_failure (troupe_remote_by_name (s_troupe, longest + 1), TROUPE_ENAME,
                    "unknown task 'xxx");
    expect_failure (troupe_remote_by_name (s_troupe, longest, 9), TROUPE_EINVAL, "name");
    expect_failure (troupe_remote_by_name (s_troupe, "", 9), TROUPE_EINVAL, "name");
    expect_failure (troupe_remote_by_name (s_troupe, NULL, 9), TROUPE_EINVAL, "name");
    expect_failure (troupe_remote_by_name (s_troupe, "square", "x"), TROUPE_ETYPE,
                    "square on worker");
    assert_null (troupe_remote_by_name (NULL, "square", 9));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_remote (NULL, square, 9));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_put (NULL, 9));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    expect_failure (troupe_task_submit (s_troupe, NULL, NULL, 0), TROUPE_EINVAL, "no task");
}

/*  A task that was never registered is known to nobody.                    */
static void
test_unregistered (void **state)
{
    (void) state;
    static const troupe_task_t stray = { .abi = TROUPE_ABI,
                                         .size = sizeof (troupe_task_t),
                                         .name = "stray",
                                         .function = nothing };
    expect_failure (troupe_task_submit (s_troupe, &stray, NULL, 0), TROUPE_ENAME, "stray");
}

/*  --- failures ---------------------------------------------------------  */

static void
test_failures (void **state)
{
    (void) state;
    expect_failure (troupe_remote (s_troupe, fails, "late"), TROUPE_EFAILED, "fails on worker ",
                    ": it is late");
    expect_failure (troupe_remote (s_troupe, returns_minus_one), TROUPE_EFAILED,
                    "returns_minus_one on worker ", "returned -1");
    expect_failure (troupe_remote (s_troupe, repents), TROUPE_EFAILED, "repents on worker ",
                    "the answer is wrong");
    expect_failure (troupe_remote (s_troupe, half_packed), TROUPE_EINVAL,
                    "half_packed on worker ", "lacks something");
    expect_text (troupe_remote (s_troupe, answers_twice), "first");
    expect_success (troupe_remote (s_troupe, nothing));
}

/*  Of a long text the middle is cut out, not inside a character.           */
static void
test_long_failure (void **state)
{
    (void) state;
    char *text = malloc (100001);
    for (size_t index = 0; index < 100000; index += 2)
        memcpy (text + index, "\303\274", 2);
    text [100000] = 0;
    troupe_future_t *future = troupe_remote (s_troupe, fails, text);
    assert_int_equal (troupe_get (future), -1);
    const char *error = troupe_future_error (future);
    expect_words (error, "fails on worker ", "it is \303\274\303\274");
    assert_in_range (strlen (error), 300, 1000);
    size_t umlauts = 0;
    for (const char *place = strchr (error, '\303'); *place; place += 2, umlauts++) {
        if (strncmp (place, " ... ", 5) == 0)
            place += 5;
        assert_memory_equal (place, "\303\274", 2);
    }
    assert_true (umlauts > 100);
    troupe_future_destroy (&future);
    free (text);
}

static void
test_bad_options (void **state)
{
    (void) state;
    expect_failure (troupe_remote (s_troupe, square, 1, TROUPE_WITH (.timeout_ms = -1)),
                    TROUPE_EINVAL, "timeout_ms");
    expect_failure (troupe_remote (s_troupe, square, 1, TROUPE_WITH (.retries = -2)),
                    TROUPE_EINVAL, "retries");
    expect_failure (troupe_remote (s_troupe, square, 1, TROUPE_WITH (.retries = 100000)),
                    TROUPE_EINVAL, "retries");
    expect_integer (troupe_remote (s_troupe, square, TROUPE_WITH (.timeout_ms = 60000), 3), 9);
}

/*  --- nesting ----------------------------------------------------------  */

TROUPE_TASK_DECLARE (fib);

static int
fib (troupe_call_t *call)
{
    int64_t n, left, right;
    if (troupe_args (call, &n))
        return -1;
    if (n < 2)
        return troupe_return (call, n);
    troupe_future_t *a = troupe_remote (troupe_of (call), fib, n - 1);
    troupe_future_t *b = troupe_remote (troupe_of (call), fib, n - 2);
    int rc = troupe_get (a, &left) || troupe_get (b, &right);
    if (rc)
        troupe_fail (call, "%s", troupe_error ());
    troupe_future_destroy (&a);
    troupe_future_destroy (&b);
    return rc ? -1 : troupe_return (call, left + right);
}
TROUPE_TASK (fib);

/*  Waits in each level for the next.                                       */
TROUPE_TASK_DECLARE (descends);

static int
descends (troupe_call_t *call)
{
    int64_t levels, below;
    if (troupe_args (call, &levels))
        return -1;
    if (levels == 0)
        return troupe_return (call, 0);
    troupe_future_t *next = troupe_remote (troupe_of (call), descends, levels - 1);
    int rc = troupe_get (next, &below);
    if (rc)
        troupe_fail (call, "%s", troupe_error ());
    troupe_future_destroy (&next);
    return rc ? -1 : troupe_return (call, below + 1);
}
TROUPE_TASK (descends);

/*  A tree of `levels`, each node with three below it; waits for them all
    at once.                                                                */
TROUPE_TASK_DECLARE (tree);

static int
tree (troupe_call_t *call)
{
    int64_t levels, sum = 1, part;
    troupe_future_t *below [3];
    if (troupe_args (call, &levels))
        return -1;
    if (levels == 0)
        return troupe_return (call, 1);
    for (int index = 0; index < 3; index++)
        below [index] = troupe_remote (troupe_of (call), tree, levels - 1);
    int rc = troupe_wait (below, 3, 3, -1, NULL) == 3 ? 0 : -1;
    for (int index = 0; index < 3; index++) {
        rc = rc || troupe_get (below [index], &part) ? -1 : 0;
        sum += rc ? 0 : part;
        troupe_future_destroy (&below [index]);
    }
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, sum);
}
TROUPE_TASK (tree);

static int
nests_failure (troupe_call_t *call)
{
    int64_t number;
    troupe_future_t *inner = troupe_remote (troupe_of (call), fails, "inside");
    int rc = troupe_get (inner, &number);
    if (rc)
        troupe_fail (call, "gave up: %s", troupe_error ());
    troupe_future_destroy (&inner);
    return rc;
}
TROUPE_TASK (nests_failure);

static void
test_fib (void **state)
{
    (void) state;
    expect_integer (troupe_remote (s_troupe, fib, 12), 144);
}

static void
test_deep (void **state)
{
    (void) state;
    expect_integer (troupe_remote (s_troupe, descends, 60), 60);
    troupe_future_t *several_at_once [8];
    for (int index = 0; index < 8; index++)
        several_at_once [index] = troupe_remote (s_troupe, descends, 20);
    for (int index = 0; index < 8; index++)
        expect_integer (several_at_once [index], 20);
}

static void
test_tree (void **state)
{
    (void) state;
    expect_integer (troupe_remote (s_troupe, tree, 5), 364);
}

static void
test_nested_failure (void **state)
{
    (void) state;
    expect_failure (troupe_remote (s_troupe, nests_failure), TROUPE_EFAILED,
                    "nests_failure on worker ", "gave up: fails on worker ", "it is inside");
}

/*  --- many -------------------------------------------------------------  */

static void
test_many (void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    static troupe_future_t *futures [COUNT];
    int64_t sum = 0, number;
    for (int index = 0; index < COUNT; index++)
        futures [index] = troupe_remote (s_troupe, add, index, 1);
    for (int index = 0; index < COUNT; index++) {
        if (troupe_get (futures [index], &number))
            fail_msg ("%s", troupe_error ());
        assert_int_equal (number, index + 1);
        sum += number;
        troupe_future_destroy (&futures [index]);
    }
    assert_int_equal (sum, (int64_t) COUNT * (COUNT + 1) / 2);
}

/*  Quick, unless it is given a gate.                                       */
static int
may_wait (troupe_call_t *call)
{
    const char *gate;
    int64_t number;
    if (troupe_args (call, &gate, &number))
        return -1;
    return !*gate || gate_pass (gate) ? troupe_return (call, number)
                                      : troupe_fail (call, "no gate");
}
TROUPE_TASK (may_wait);

/*  One slow task among quick ones of its kind holds up no other while a worker
    is idle.                                                                */
static void
test_slow_task (void **state)
{
    (void) state;
    enum { COUNT = 500 };
    gate_t gate;
    if (support_workers () < 2)
        skip ();
    gate = gate_new ();
    for (int index = 0; index < COUNT / 10; index++)
        expect_integer (troupe_remote (s_troupe, may_wait, "", index), index);
    troupe_future_t *slow = NULL, *quick [COUNT];
    for (int index = 0; index < COUNT; index++) {
        if (index == COUNT / 2)
            slow = troupe_remote (s_troupe, may_wait, gate.path, 1);
        quick [index] = troupe_remote (s_troupe, may_wait, "", index);
    }
    for (int index = 0; index < COUNT; index++)
        expect_integer (quick [index], index);
    assert_false (troupe_future_done (slow));
    gate_open (&gate);
    expect_integer (slow, 1);
}

/*  Answers of quick tasks do not wait for a slow one behind them, even if no
    worker is idle.                                                         */
static void
test_answers_before_slow (void **state)
{
    (void) state;
    enum { COUNT = 16, SLOW_MAX = 8 };
    size_t workers = support_workers ();
    gate_t gates [SLOW_MAX];
    troupe_future_t *before [COUNT], *slow [SLOW_MAX], *behind [COUNT];
    assert_true (workers <= SLOW_MAX);
    for (int index = 0; index < 5 * COUNT; index++)
        expect_integer (troupe_remote (s_troupe, may_wait, "", index), index);
    for (size_t index = 0; index < workers; index++)
        gates [index] = gate_new ();
    for (int index = 0; index < COUNT; index++)
        before [index] = troupe_remote (s_troupe, may_wait, "", index);
    for (size_t index = 0; index < workers; index++)
        slow [index] = troupe_remote (s_troupe, may_wait, gates [index].path, index);
    for (int index = 0; index < COUNT; index++)
        behind [index] = troupe_remote (s_troupe, may_wait, "", index);
    for (int index = 0; index < COUNT; index++)
        expect_integer (before [index], index);
    for (size_t index = 0; index < workers; index++)
        assert_false (troupe_future_done (slow [index]));
    for (size_t index = 0; index < workers; index++)
        gate_open (&gates [index]);
    for (size_t index = 0; index < workers; index++)
        expect_integer (slow [index], (int64_t) index);
    for (int index = 0; index < COUNT; index++)
        expect_integer (behind [index], index);
}

/*  --- crashes and retries ----------------------------------------------  */

/*  Ends its process, by a signal or, if that is 0, by exit (5), as long as
    it has run fewer times than `times`.                                    */
static int
crashes (troupe_call_t *call)
{
    const char *trace;
    int64_t times;
    int number;
    if (troupe_args (call, &trace, &times, &number))
        return -1;
    if (file_append (trace, ""))
        return troupe_fail (call, "cannot write %s", trace);
    if ((int64_t) file_count (trace, NULL) <= times) {
        if (number == 0)
            exit (5);
        kill (getpid (), number);
        pause ();
    }
    return troupe_return (call, (int64_t) file_count (trace, NULL));
}
TROUPE_TASK (crashes);

static void
test_no_retries (void **state)
{
    (void) state;
    char trace [96];
    if (support_threads ())
        skip ();
    scratch_name (trace, sizeof trace);
    expect_failure (troupe_remote (s_troupe, crashes, trace, 9, SIGKILL), TROUPE_ELOST,
                    "crashes on worker ", "killed by signal 9 (Killed)");
    assert_int_equal ((int64_t) file_count (trace, NULL), 1);
    unlink (trace);
    expect_failure (troupe_remote (s_troupe, crashes, trace, 9, SIGTERM), TROUPE_ELOST,
                    "crashes on worker ", "killed by signal 15");
    unlink (trace);
    expect_failure (troupe_remote (s_troupe, crashes, trace, 9, 0), TROUPE_ELOST,
                    "crashes on worker ", "exited with status 5");
    assert_int_equal ((int64_t) file_count (trace, NULL), 1);
    unlink (trace);
}

static void
test_retries (void **state)
{
    (void) state;
    char trace [96];
    if (support_threads ())
        skip ();
    scratch_name (trace, sizeof trace);
    expect_integer (
        troupe_remote (s_troupe, crashes, trace, 2, SIGKILL, TROUPE_WITH (.retries = 2)), 3);
    unlink (trace);
    expect_failure (
        troupe_remote (s_troupe, crashes, trace, 9, SIGKILL, TROUPE_WITH (.retries = 2)),
        TROUPE_ELOST, "crashes on worker ", "killed by signal 9");
    assert_int_equal ((int64_t) file_count (trace, NULL), 3);
    unlink (trace);
}

/*  A crash fails what was running on the worker, and what depends on it;
    what only waited there runs elsewhere, and is not a retry.              */
static void
test_crash_beside_others (void **state)
{
    (void) state;
    enum { COUNT = 300 };
    static troupe_future_t *futures [COUNT];
    char trace [96];
    if (support_threads ())
        skip ();
    scratch_name (trace, sizeof trace);
    for (int round = 0; round < 3; round++) {
        troupe_future_t *lost = troupe_remote (s_troupe, crashes, trace, 99, SIGKILL);
        troupe_future_t *next = troupe_remote (s_troupe, square, lost);
        for (int index = 0; index < COUNT; index++)
            futures [index] = troupe_remote (s_troupe, square, index);
        expect_failure (next, TROUPE_ELOST, "square: argument failed: crashes on worker ",
                        "killed by signal 9");
        expect_failure (lost, TROUPE_ELOST, "crashes on worker ");
        for (int index = 0; index < COUNT; index++)
            expect_integer (futures [index], (int64_t) index * index);
        assert_int_equal ((int64_t) file_count (trace, NULL), round + 1);
    }
    unlink (trace);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_unregistered),
        cmocka_unit_test (test_failures),
        cmocka_unit_test (test_long_failure),
        cmocka_unit_test (test_bad_options),
        cmocka_unit_test (test_fib),
        cmocka_unit_test (test_deep),
        cmocka_unit_test (test_tree),
        cmocka_unit_test (test_nested_failure),
        cmocka_unit_test (test_many),
        cmocka_unit_test (test_slow_task),
        cmocka_unit_test (test_answers_before_slow),
        cmocka_unit_test (test_no_retries),
        cmocka_unit_test (test_retries),
        cmocka_unit_test (test_crash_beside_others),
    };
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
