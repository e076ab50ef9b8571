/*  test_tasks.c - tasks through the whole library: arguments, results, errors,
    futures as arguments, nesting, retries                                   */

#include "tests/support.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>

/*  --- tasks ------------------------------------------------------------  */

static int
echo (troupe_call_t *call)
{
    troupe_view_t value;
    return troupe_arg_view (call, 0, &value) ? -1 : troupe_return (call, value);
}
TROUPE_TASK (echo);

static int
square (troupe_call_t *call)
{
    int64_t number;
    return troupe_args (call, &number) ? -1 : troupe_return (call, number * number);
}
TROUPE_TASK (square);

static int
add (troupe_call_t *call)
{
    int64_t left, right;
    return troupe_args (call, &left, &right) ? -1 : troupe_return (call, left + right);
}
TROUPE_TASK (add);

static int
signed_integers (troupe_call_t *call)
{
    bool yes;
    signed char tiny;
    short little;
    int medium;
    long large;
    long long huge;
    if (troupe_args (call, &yes, &tiny, &little, &medium, &large, &huge))
        return -1;
    return troupe_return (call, yes, tiny, little, medium, large, huge);
}
TROUPE_TASK (signed_integers);

static int
unsigned_integers (troupe_call_t *call)
{
    unsigned char tiny;
    unsigned short little;
    unsigned medium;
    unsigned long large;
    unsigned long long huge;
    if (troupe_args (call, &tiny, &little, &medium, &large, &huge))
        return -1;
    return troupe_return (call, tiny, little, medium, large, huge);
}
TROUPE_TASK (unsigned_integers);

static int
reals_and_texts (troupe_call_t *call)
{
    float single;
    double real;
    const char *text;
    char *copy;
    troupe_bytes_t bytes;
    troupe_strings_t strings;
    if (troupe_args (call, &single, &real, &text, &copy, &bytes, &strings))
        return -1;
    int rc = troupe_return (call, single, real, text, copy, bytes, strings);
    free (copy);
    return rc;
}
TROUPE_TASK (reals_and_texts);

static int
arrays (troupe_call_t *call)
{
    troupe_int32s_t int32s;
    troupe_int64s_t int64s;
    troupe_floats_t floats;
    troupe_doubles_t doubles;
    if (troupe_args (call, &int32s, &int64s, &floats, &doubles))
        return -1;
    if ((uintptr_t) int64s.items % 8 || (uintptr_t) doubles.items % 8)
        return troupe_fail (call, "the numbers are not aligned");
    return troupe_return (call, int32s, int64s, floats, doubles);
}
TROUPE_TASK (arrays);

/*  Sixteen arguments, the most that there can be.                          */
static int
sum_16 (troupe_call_t *call)
{
    int64_t n [16], sum = 0;
    if (troupe_args (call, &n [0], &n [1], &n [2], &n [3], &n [4], &n [5], &n [6], &n [7], &n [8],
                     &n [9], &n [10], &n [11], &n [12], &n [13], &n [14], &n [15]))
        return -1;
    for (int index = 0; index < 16; index++)
        sum += n [index] << index;
    return troupe_return (call, sum);
}
TROUPE_TASK (sum_16);

static int
count_arguments (troupe_call_t *call)
{
    return troupe_return (call, troupe_arg_count (call));
}
TROUPE_TASK (count_arguments);

static int
nothing (troupe_call_t *call)
{
    (void) call;
    return 0;
}
TROUPE_TASK (nothing);

static int
fails (troupe_call_t *call)
{
    const char *why;
    return troupe_args (call, &why) ? -1 : troupe_fail (call, "it is %s", why);
}
TROUPE_TASK (fails);

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

/*  A task goes on after it could not read its arguments.                   */
static int
tries_both (troupe_call_t *call)
{
    int64_t number;
    const char *text;
    if (troupe_args (call, &number) == 0)
        return troupe_return (call, "integer");
    return troupe_args (call, &text) ? -1 : troupe_return (call, text);
}
TROUPE_TASK (tries_both);

/*  Walks a list of integers.                                               */
static int
sum_list (troupe_call_t *call)
{
    troupe_view_t list, inside, value;
    int64_t number, sum = 0;
    int rc;
    if (troupe_args (call, &list) || troupe_view_enter (list, &inside))
        return -1;
    while ((rc = troupe_view_next (&inside, &value)) == 1) {
        if (troupe_read (value, &number))
            return -1;
        sum += number;
    }
    return rc ? -1 : troupe_return (call, sum);
}
TROUPE_TASK (sum_list);

static int
several (troupe_call_t *call)
{
    const int64_t numbers [] = { 1, 2, 3 };
    return troupe_return (call, 7, "seven", 7.5, troupe_int64s (numbers, 3), troupe_nil ());
}
TROUPE_TASK (several);

/*  {"name": ..., "squares": [1, 4, 9], "inner": {"empty": []}}             */
static int
describe (troupe_call_t *call)
{
    const char *name;
    troupe_packer_t *packer = troupe_packer_new ();
    if (!packer || troupe_args (call, &name))
        return -1;
    troupe_pack_map (packer, 3);
    troupe_pack (packer, "name");
    troupe_pack (packer, name);
    troupe_pack (packer, "squares");
    troupe_pack_list (packer, 3);
    for (int number = 1; number <= 3; number++)
        troupe_pack (packer, number * number);
    troupe_pack (packer, "inner");
    troupe_pack_map (packer, 1);
    troupe_pack (packer, "empty");
    troupe_pack_list (packer, 0);
    int rc = troupe_return (call, troupe_packed (packer));
    troupe_packer_destroy (&packer);
    return rc;
}
TROUPE_TASK (describe);

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

/*  A gigabyte and one byte of zeros, which take no memory.                 */
static void *
s_gigabyte (size_t *size)
{
    *size = ((size_t) 1 << 30) + 1;
    void *place = mmap (NULL, *size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                        0);
    return place == MAP_FAILED ? NULL : place;
}

static int
returns_too_much (troupe_call_t *call)
{
    size_t size;
    void *zeros = s_gigabyte (&size);
    if (!zeros)
        return troupe_fail (call, "no address space");
    int rc = troupe_return (call, troupe_bytes (zeros, size));
    munmap (zeros, size);
    return rc;
}
TROUPE_TASK (returns_too_much);

/*  Waits at a gate, then answers with a number.                            */
static int
after_gate (troupe_call_t *call)
{
    const char *gate;
    int64_t number;
    if (troupe_args (call, &gate, &number))
        return -1;
    return gate_pass (gate) ? troupe_return (call, number) : troupe_fail (call, "no gate");
}
TROUPE_TASK (after_gate);

static int
fails_after_gate (troupe_call_t *call)
{
    const char *gate;
    if (troupe_args (call, &gate))
        return -1;
    gate_pass (gate);
    return troupe_fail (call, "behind the gate");
}
TROUPE_TASK (fails_after_gate);

/*  --- types ------------------------------------------------------------  */

static void
test_signed_integers (void **state)
{
    (void) state;
    bool yes;
    signed char tiny;
    short little;
    int medium;
    long large;
    long long huge;
    troupe_future_t *future
        = troupe_remote (s_troupe, signed_integers, (bool) true, (signed char) SCHAR_MIN,
                         (short) SHRT_MIN, INT_MIN, LONG_MIN, LLONG_MIN);
    if (troupe_get (future, &yes, &tiny, &little, &medium, &large, &huge))
        fail_msg ("%s", troupe_error ());
    assert_true (yes);
    assert_int_equal (tiny, SCHAR_MIN);
    assert_int_equal (little, SHRT_MIN);
    assert_int_equal (medium, INT_MIN);
    assert_true (large == LONG_MIN && huge == LLONG_MIN);
    troupe_future_destroy (&future);

    future = troupe_remote (s_troupe, signed_integers, (bool) false, (char) 'x', (short) SHRT_MAX,
                            INT_MAX, LONG_MAX, LLONG_MAX);
    if (troupe_get (future, &yes, &tiny, &little, &medium, &large, &huge))
        fail_msg ("%s", troupe_error ());
    assert_false (yes);
    assert_int_equal (tiny, 'x');
    assert_int_equal (little, SHRT_MAX);
    assert_int_equal (medium, INT_MAX);
    assert_true (large == LONG_MAX && huge == LLONG_MAX);
    troupe_future_destroy (&future);
}

static void
test_unsigned_integers (void **state)
{
    (void) state;
    unsigned char tiny;
    unsigned short little;
    unsigned medium;
    unsigned long large;
    unsigned long long huge;
    troupe_future_t *future
        = troupe_remote (s_troupe, unsigned_integers, (unsigned char) UCHAR_MAX,
                         (unsigned short) USHRT_MAX, UINT_MAX, ULONG_MAX, ULLONG_MAX);
    if (troupe_get (future, &tiny, &little, &medium, &large, &huge))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (tiny, UCHAR_MAX);
    assert_int_equal (little, USHRT_MAX);
    assert_true (medium == UINT_MAX && large == ULONG_MAX && huge == ULLONG_MAX);
    troupe_future_destroy (&future);
}

static void
test_reals_and_texts (void **state)
{
    (void) state;
    const char *const words [] = { "", "gr\303\274n", NULL, "last" };
    const char blob [] = "a\0b\377";
    float single;
    double real;
    const char *text;
    char *copy;
    troupe_bytes_t bytes;
    troupe_strings_t strings;
    troupe_future_t *future
        = troupe_remote (s_troupe, reals_and_texts, FLT_MIN, -DBL_MAX, "na\303\257ve", "",
                         troupe_bytes (blob, sizeof blob), troupe_strings (words, 4));
    if (troupe_get (future, &single, &real, &text, &copy, &bytes, &strings))
        fail_msg ("%s", troupe_error ());
    assert_true (single == FLT_MIN && real == -DBL_MAX);
    assert_string_equal (text, "na\303\257ve");
    assert_string_equal (copy, "");
    assert_int_equal (bytes.size, sizeof blob);
    assert_memory_equal (bytes.data, blob, sizeof blob);
    assert_int_equal (strings.count, 4);
    assert_string_equal (strings.items [0], "");
    assert_string_equal (strings.items [1], words [1]);
    assert_null (strings.items [2]);
    assert_string_equal (strings.items [3], "last");
    free (copy);
    troupe_future_destroy (&future);
}

static void
test_arrays (void **state)
{
    (void) state;
    const int32_t int32s [] = { INT32_MIN, 0, INT32_MAX };
    const int64_t int64s [] = { INT64_MIN, INT64_MAX };
    const float floats [] = { -0.0f, FLT_MAX, INFINITY };
    troupe_int32s_t got_int32s;
    troupe_int64s_t got_int64s;
    troupe_floats_t got_floats;
    troupe_doubles_t got_doubles;
    troupe_future_t *future
        = troupe_remote (s_troupe, arrays, troupe_int32s (int32s, 3), troupe_int64s (int64s, 2),
                         troupe_floats (floats, 3), troupe_doubles (NULL, 0));
    if (troupe_get (future, &got_int32s, &got_int64s, &got_floats, &got_doubles))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (got_int32s.count, 3);
    assert_memory_equal (got_int32s.items, int32s, sizeof int32s);
    assert_int_equal (got_int64s.count, 2);
    assert_memory_equal (got_int64s.items, int64s, sizeof int64s);
    assert_int_equal ((uintptr_t) got_int64s.items % 8, 0);
    assert_int_equal (got_floats.count, 3);
    assert_memory_equal (got_floats.items, floats, sizeof floats);
    assert_int_equal (got_doubles.count, 0);
    troupe_future_destroy (&future);
}

/*  Special reals, NULL strings, an empty range: through a view and back.   */
static void
test_echo (void **state)
{
    (void) state;
    double real;
    const char *text = "unset";
    troupe_view_t view;
    troupe_bytes_t bytes;
    troupe_future_t *future = troupe_remote (s_troupe, echo, -INFINITY);
    expect_done (troupe_get (future, &real));
    assert_true (isinf (real) && real < 0);
    troupe_future_destroy (&future);
    future = troupe_remote (s_troupe, echo, (double) NAN);
    expect_done (troupe_get (future, &real));
    assert_true (isnan (real));
    troupe_future_destroy (&future);
    future = troupe_remote (s_troupe, echo, (const char *) NULL);
    expect_done (troupe_get (future, &text));
    assert_null (text);
    expect_done (troupe_get (future, &view));
    assert_int_equal (troupe_view_type (view), TROUPE_NIL);
    troupe_future_destroy (&future);
    future = troupe_remote (s_troupe, echo, troupe_bytes (NULL, 0));
    expect_done (troupe_get (future, &bytes));
    assert_int_equal (bytes.size, 0);
    troupe_future_destroy (&future);
    expect_failure (troupe_remote (s_troupe, echo), TROUPE_EINVAL, "echo on worker",
                    "no argument 1");
}

static void
test_counts (void **state)
{
    (void) state;
    expect_integer (
        troupe_remote (s_troupe, sum_16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        65535);
    expect_integer (troupe_remote (s_troupe, count_arguments), 0);
    expect_integer (troupe_remote (s_troupe, count_arguments, 1, "two", 3.0), 3);
    expect_integer (troupe_remote (s_troupe, count_arguments, 1, TROUPE_WITH (.retries = 1), 2),
                    2);
    expect_failure (troupe_remote (s_troupe, square), TROUPE_ETYPE, "square on worker",
                    "wanted 1 argument, got 0");
    expect_failure (troupe_remote (s_troupe, add, 1), TROUPE_ETYPE, "add on worker",
                    "wanted 2 arguments, got 1");
    expect_failure (troupe_remote (s_troupe, add, 1, 2, 3), TROUPE_ETYPE, "add on worker",
                    "wanted 2 arguments, got 3");
}

/*  The text says which worker, in the way that its pool names workers.     */
static void
test_wrong_types (void **state)
{
    (void) state;
    const char *where = support_threads () ? "(thread): " : "(pid ";
    const double doubles [] = { 1, 2 };
    expect_failure (troupe_remote (s_troupe, square, "four"), TROUPE_ETYPE, "square on worker ",
                    where, "argument 1: wanted integer, got string");
    expect_failure (troupe_remote (s_troupe, add, 1, (bool) true), TROUPE_ETYPE,
                    "argument 2: wanted integer, got bool");
    expect_failure (troupe_remote (s_troupe, square, 1.5), TROUPE_ETYPE,
                    "argument 1: wanted integer, got real 1.5");
    expect_failure (troupe_remote (s_troupe, square, troupe_doubles (doubles, 2)), TROUPE_ETYPE,
                    "argument 1: wanted integer, got array of double");
    expect_failure (troupe_remote (s_troupe, square, troupe_nil ()), TROUPE_ETYPE,
                    "argument 1: wanted integer, got nil");
    expect_failure (troupe_remote (s_troupe, square, UINT64_MAX), TROUPE_ETYPE,
                    "argument 1: wanted integer from", "18446744073709551615");
    expect_failure (troupe_remote (s_troupe, signed_integers, (bool) true, 128, 0, 0, 0, 0),
                    TROUPE_ETYPE, "argument 2: wanted integer from -128 to 127, got 128");
    expect_failure (troupe_remote (s_troupe, unsigned_integers, 0, 0, -1, 0, 0), TROUPE_ETYPE,
                    "argument 3: wanted integer from 0 to 4294967295, got -1");
    expect_failure (troupe_remote (s_troupe, fails, 12), TROUPE_ETYPE,
                    "argument 1: wanted string, got integer");
    expect_failure (troupe_remote (s_troupe, sum_list, "text"), TROUPE_ETYPE,
                    "sum_list on worker", "wanted list or map, got string");
    expect_text (troupe_remote (s_troupe, tries_both, "text"), "text");
    expect_text (troupe_remote (s_troupe, tries_both, 1), "integer");
}

/*  A reader that wants another type is told; the future keeps its value.   */
static void
test_wrong_reading (void **state)
{
    (void) state;
    int64_t number = 0, second;
    const char *text;
    char *copy = NULL;
    troupe_future_t *future = troupe_remote (s_troupe, square, 5);
    assert_int_equal (troupe_get (future, &text), -1);
    assert_int_equal (troupe_error_code (), TROUPE_ETYPE);
    assert_string_equal (troupe_error (), "wanted string, got integer");
    assert_int_equal (troupe_get (future, &number, &second), -1);
    assert_string_equal (troupe_error (), "wanted list of 2 values, got integer");
    assert_null (troupe_future_error (future));
    assert_int_equal (troupe_future_code (future), TROUPE_OK);
    expect_done (troupe_get (future, &number));
    assert_int_equal (number, 25);
    troupe_future_destroy (&future);

    future = troupe_remote (s_troupe, several);
    assert_int_equal (troupe_get (future, &number, &copy), -1);
    assert_string_equal (troupe_error (), "wanted 2 values, got 5");
    troupe_future_destroy (&future);
    assert_null (copy);
}

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
                                         .function = square };
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

/*  --- several values, lists, maps --------------------------------------  */

static void
test_several (void **state)
{
    (void) state;
    int number;
    const char *text;
    double real;
    troupe_int64s_t numbers;
    troupe_view_t view, inside, value;
    troupe_future_t *future = troupe_remote (s_troupe, several);
    if (troupe_get (future, &number, &text, &real, &numbers, &view))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (number, 7);
    assert_string_equal (text, "seven");
    assert_true (real == 7.5);
    assert_int_equal (numbers.count, 3);
    assert_int_equal (numbers.items [2], 3);
    assert_int_equal (troupe_view_type (view), TROUPE_NIL);

    expect_done (troupe_get (future, &view));
    assert_int_equal (troupe_view_type (view), TROUPE_LIST);
    assert_int_equal (troupe_view_count (view), 5);
    assert_int_equal (troupe_view_enter (view, &inside), 0);
    assert_int_equal (troupe_view_next (&inside, &value), 1);
    assert_int_equal (troupe_view_next (&inside, &value), 1);
    assert_int_equal (troupe_read (value, &text), 0);
    assert_string_equal (text, "seven");
    troupe_future_destroy (&future);
}

static void
s_check_description (troupe_view_t map)
{
    troupe_view_t field, inside, value;
    const char *name;
    int square_of [3];
    assert_int_equal (troupe_view_type (map), TROUPE_MAP);
    assert_int_equal (troupe_view_count (map), 3);
    assert_int_equal (troupe_view_field (map, "name", &field), 0);
    assert_int_equal (troupe_read (field, &name), 0);
    assert_string_equal (name, "Ada");
    assert_int_equal (troupe_view_field (map, "squares", &field), 0);
    assert_int_equal (troupe_view_enter (field, &inside), 0);
    for (int index = 0; index < 3; index++) {
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (troupe_read (value, &square_of [index]), 0);
        assert_int_equal (square_of [index], (index + 1) * (index + 1));
    }
    assert_int_equal (troupe_view_field (map, "inner", &field), 0);
    assert_int_equal (troupe_view_field (field, "empty", &value), 0);
    assert_int_equal (troupe_view_count (value), 0);
    assert_int_equal (troupe_view_field (map, "other", &field), -1);
    assert_int_equal (troupe_error_code (), TROUPE_ENAME);
}

/*  A map comes back, and goes on as an argument, as a view and as a future. */
static void
test_maps (void **state)
{
    (void) state;
    troupe_view_t map;
    troupe_future_t *future = troupe_remote (s_troupe, describe, "Ada");
    troupe_future_t *copy = troupe_remote (s_troupe, echo, future);
    if (troupe_get (future, &map))
        fail_msg ("%s", troupe_error ());
    s_check_description (map);
    troupe_future_t *again = troupe_remote (s_troupe, echo, map);
    troupe_future_destroy (&future);
    expect_done (troupe_get (again, &map));
    s_check_description (map);
    troupe_future_destroy (&again);
    expect_done (troupe_get (copy, &map));
    s_check_description (map);
    troupe_future_destroy (&copy);
}

static void
test_packed_arguments (void **state)
{
    (void) state;
    troupe_packer_t *packer = troupe_packer_new ();
    assert_int_equal (troupe_pack_list (packer, 1000), 0);
    for (int number = 1; number <= 1000; number++)
        assert_int_equal (troupe_pack (packer, number), 0);
    expect_integer (troupe_remote (s_troupe, sum_list, troupe_packed (packer)), 500500);
    assert_int_equal (troupe_pack (packer, 1), -1);
    expect_failure (troupe_remote (s_troupe, sum_list, troupe_packed (packer)), TROUPE_EINVAL,
                    "whole value already");
    troupe_packer_destroy (&packer);

    packer = troupe_packer_new ();
    expect_failure (troupe_remote (s_troupe, echo, troupe_packed (packer)), TROUPE_EINVAL,
                    "empty");
    assert_int_equal (troupe_pack_list (packer, 2), 0);
    expect_failure (troupe_remote (s_troupe, echo, troupe_packed (packer)), TROUPE_EINVAL,
                    "lacks something");
    troupe_packer_destroy (&packer);
}

/*  --- size -------------------------------------------------------------  */

static void
test_large_arrays (void **state)
{
    (void) state;
    enum { COUNT = 1310720 };       /*  10 MB                               */
    double *doubles = malloc (COUNT * sizeof *doubles);
    for (size_t index = 0; index < COUNT; index++)
        doubles [index] = (double) index * 0.5;
    troupe_doubles_t got;
    troupe_bytes_t bytes;
    troupe_future_t *future = troupe_remote (s_troupe, echo, troupe_doubles (doubles, COUNT));
    troupe_future_t *next = troupe_remote (s_troupe, echo, future);
    if (troupe_get (future, &got))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (got.count, COUNT);
    assert_int_equal ((uintptr_t) got.items % 8, 0);
    assert_memory_equal (got.items, doubles, COUNT * sizeof *doubles);
    troupe_future_destroy (&future);
    if (troupe_get (next, &got))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (got.count, COUNT);
    assert_int_equal ((uintptr_t) got.items % 8, 0);
    assert_memory_equal (got.items, doubles, COUNT * sizeof *doubles);
    troupe_future_destroy (&next);

    future = troupe_remote (s_troupe, echo, troupe_bytes (doubles, COUNT * sizeof *doubles));
    if (troupe_get (future, &bytes))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (bytes.size, COUNT * sizeof *doubles);
    assert_memory_equal (bytes.data, doubles, bytes.size);
    troupe_future_destroy (&future);
    free (doubles);
}

/*  Every size round the places where encodings and buffers change.         */
static void
test_sizes (void **state)
{
    (void) state;
    static const size_t around [] = { 0, 8, 16, 32, 128, 256, 512, 4096, 32768, 65536, 131072 };
    char *data = malloc (131072 + 3);
    for (size_t index = 0; index < 131072 + 3; index++)
        data [index] = (char) (index * 7 % 251);
    for (size_t step = 0; step < sizeof around / sizeof *around; step++)
        for (size_t size = around [step] < 2 ? 0 : around [step] - 2; size <= around [step] + 2;
             size++) {
            troupe_bytes_t bytes;
            troupe_future_t *first = troupe_remote (s_troupe, echo, troupe_bytes (data, size));
            troupe_future_t *second = troupe_remote (s_troupe, echo, first);
            if (troupe_get (second, &bytes))
                fail_msg ("%zu bytes: %s", size, troupe_error ());
            assert_int_equal (bytes.size, size);
            if (size)
                assert_memory_equal (bytes.data, data, size);
            troupe_future_destroy (&first);
            troupe_future_destroy (&second);
        }
    free (data);
}

/*  What is too large is refused before it is copied, and hurts nobody.     */
static void
test_oversize (void **state)
{
    (void) state;
    size_t size;
    void *zeros = s_gigabyte (&size);
    assert_non_null (zeros);
    expect_failure (troupe_remote (s_troupe, echo, troupe_bytes (zeros, size)), TROUPE_ESIZE,
                    "argument failed", "more than the object store has");
    expect_failure (troupe_remote (s_troupe, echo, troupe_doubles (zeros, SIZE_MAX / 4)),
                    TROUPE_ESIZE, "too large");
    expect_failure (troupe_put (s_troupe, troupe_bytes (zeros, size)), TROUPE_ESIZE,
                    "more than the object store has");
    expect_failure (troupe_remote (s_troupe, returns_too_much), TROUPE_ESIZE,
                    "returns_too_much on worker", "more than the object store has");
    munmap (zeros, size);
    expect_integer (troupe_remote (s_troupe, square, 2), 4);
}

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
        cmocka_unit_test (test_signed_integers),
        cmocka_unit_test (test_unsigned_integers),
        cmocka_unit_test (test_reals_and_texts),
        cmocka_unit_test (test_arrays),
        cmocka_unit_test (test_echo),
        cmocka_unit_test (test_counts),
        cmocka_unit_test (test_wrong_types),
        cmocka_unit_test (test_wrong_reading),
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_unregistered),
        cmocka_unit_test (test_failures),
        cmocka_unit_test (test_long_failure),
        cmocka_unit_test (test_bad_options),
        cmocka_unit_test (test_several),
        cmocka_unit_test (test_maps),
        cmocka_unit_test (test_packed_arguments),
        cmocka_unit_test (test_large_arrays),
        cmocka_unit_test (test_sizes),
        cmocka_unit_test (test_oversize),
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
    setenv ("TROUPE_OBJECT_MEMORY", "256M", 1);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
