/*  test_task_values.c - tasks through the whole library: values of all types and
    sizes as arguments and results                                           */

#include "tests/support.h"
#include "tests/tasks_fixture.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <sys/mman.h>

/*  --- tasks ------------------------------------------------------------  */

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
        cmocka_unit_test (test_several),
        cmocka_unit_test (test_maps),
        cmocka_unit_test (test_packed_arguments),
        cmocka_unit_test (test_large_arrays),
        cmocka_unit_test (test_sizes),
        cmocka_unit_test (test_oversize),
    };
    setenv ("TROUPE_OBJECT_MEMORY", "256M", 1);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
