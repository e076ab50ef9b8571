/*  test_objects.c - large values through the whole library: put, passed,
    returned, filled in place, and freed with the last future of them        */

#include "tests/hosted.h"
#include "tests/support.h"

#include "store/figures.h"
#include "store/object.h"
#include "wire/frame.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/*  --- tasks ------------------------------------------------------------  */

static int
echo (troupe_call_t *call)
{
    troupe_view_t value;
    return troupe_arg_view (call, 0, &value) ? -1 : troupe_return (call, value);
}
TROUPE_TASK (echo);

static int
sum (troupe_call_t *call)
{
    troupe_int64s_t numbers;
    int64_t total = 0;
    if (troupe_args (call, &numbers))
        return -1;
    for (size_t index = 0; index < numbers.count; index++)
        total += numbers.items [index];
    return troupe_return (call, total);
}
TROUPE_TASK (sum);

static int64_t *
s_numbers (size_t count)
{
    int64_t *numbers = malloc (count * sizeof *numbers);
    for (size_t index = 0; numbers && index < count; index++)
        numbers [index] = (int64_t) index;
    return numbers;
}

static int
numbers (troupe_call_t *call)
{
    int64_t count;
    if (troupe_args (call, &count))
        return -1;
    int64_t *made = s_numbers ((size_t) count);
    int rc = troupe_return (call, troupe_int64s (made, (size_t) count));
    free (made);
    return rc;
}
TROUPE_TASK (numbers);

static int
filled (troupe_call_t *call)
{
    int64_t count;
    if (troupe_args (call, &count))
        return -1;
    troupe_object_t *object
        = troupe_create (troupe_of (call), TROUPE_ARG_INT64S, (size_t) count);
    int64_t *place = troupe_object_data (object);
    if (!place)
        return -1;
    for (int64_t index = 0; index < count; index++)
        place [index] = index;
    return troupe_return (call, object);
}
TROUPE_TASK (filled);

static int
length (troupe_call_t *call)
{
    const char *text;
    return troupe_args (call, &text) ? -1 : troupe_return (call, (int64_t) strlen (text));
}
TROUPE_TASK (length);

/*  Answers with a future of its own, and with several values.              */
static int
by_tail (troupe_call_t *call)
{
    int64_t count;
    if (troupe_args (call, &count))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), numbers, count);
    int rc = troupe_return (call, future, 5);
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (by_tail);

static int
by_single_tail (troupe_call_t *call)
{
    int64_t count;
    if (troupe_args (call, &count))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), filled, count);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (by_single_tail);

/*  Returns, and then fails: nobody gets what it returned.                  */
static int
returns_and_fails (troupe_call_t *call)
{
    int64_t *made = s_numbers (100000);
    troupe_return (call, troupe_int64s (made, 100000));
    free (made);
    return troupe_fail (call, "second thoughts");
}
TROUPE_TASK (returns_and_fails);

static int
total_of_lists (troupe_call_t *call)
{
    troupe_view_t list, inside, item;
    int64_t total = 0;
    if (troupe_args (call, &list) || troupe_view_enter (list, &inside))
        return -1;
    while (troupe_view_next (&inside, &item) == 1) {
        troupe_int64s_t part;
        if (troupe_view_type (item) != TROUPE_NUMBERS || troupe_read (item, &part)
            || part.count != troupe_view_count (item))
            return troupe_fail (call, "not numbers: %s", troupe_error ());
        for (size_t index = 0; index < part.count; index++)
            total += part.items [index];
    }
    return troupe_return (call, total);
}
TROUPE_TASK (total_of_lists);

/*  Passes on what it was given, as a view, which keeps it.                 */
static int
pass_on (troupe_call_t *call)
{
    troupe_view_t value;
    if (troupe_args (call, &value))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), sum, value);
    int64_t total;
    int rc = troupe_get (future, &total);
    troupe_future_destroy (&future);
    return rc ? -1 : troupe_return (call, total);
}
TROUPE_TASK (pass_on);

static int
crash_with (troupe_call_t *call)
{
    troupe_int64s_t given;
    if (troupe_args (call, &given) || troupe_create (troupe_of (call), TROUPE_ARG_BYTES, 100000)
                                          == NULL)
        return -1;
    raise (SIGKILL);
    return 0;
}
TROUPE_TASK (crash_with);

typedef struct {
    int64_t total;
} holder_t;

static int
holder_add (troupe_call_t *call)
{
    holder_t *self = troupe_self (call);
    troupe_int64s_t given;
    if (troupe_args (call, &given))
        return -1;
    for (size_t index = 0; index < given.count; index++)
        self->total += given.items [index];
    return troupe_return (call, self->total);
}

static int
holder_give (troupe_call_t *call)
{
    int64_t *made = s_numbers (50000);
    int rc = troupe_return (call, troupe_int64s (made, 50000));
    free (made);
    return rc;
}

TROUPE_ACTOR (holder, holder_t, .init = holder_add,
              .methods = { TROUPE_METHOD (holder_add), TROUPE_METHOD (holder_give) });

/*  Its constructor returns what it is given, which nobody gets.            */
TROUPE_ACTOR (returner, holder_t, .init = echo, .methods = { TROUPE_METHOD (holder_give) });

/*  --- help -------------------------------------------------------------  */

#define COUNT 100000
#define TOTAL ((int64_t) COUNT * (COUNT - 1) / 2)

/*  Everything that a test has made must be gone.                           */
static void
s_nothing_left (const char *file, int line)
{
    store_figures_t figures;
    time_t until = time (NULL) + 40;
    do {
        store_figures (hosted_store (s_troupe), &figures);
        if (figures.objects || figures.pinned || figures.used)
            poll (NULL, 0, 1);
    } while ((figures.objects || figures.pinned || figures.used) && time (NULL) < until);
    if (figures.objects || figures.pinned || figures.used)
        print_error ("%llu objects, %llu bytes, %llu pinned\n",
                     (unsigned long long) figures.objects, (unsigned long long) figures.used,
                     (unsigned long long) figures.pinned);
    _assert_true (!figures.objects && !figures.pinned && !figures.used, "nothing is left", file,
                  line);
    const char *wrong = store_check (hosted_store (s_troupe));
    assert_string_equal (wrong ? wrong : "", "");
}

#define nothing_left() s_nothing_left (__FILE__, __LINE__)

static uint64_t
s_objects (void)
{
    store_figures_t figures;
    store_figures (hosted_store (s_troupe), &figures);
    return figures.objects;
}

/*  --- tests ------------------------------------------------------------  */

static void
test_put_and_get (void **state)
{
    (void) state;
    int64_t *given = s_numbers (COUNT);
    troupe_int64s_t found;
    troupe_future_t *future = troupe_put (s_troupe, troupe_int64s (given, COUNT));
    expect_done (troupe_get (future, &found));
    assert_int_equal (found.count, COUNT);
    assert_memory_equal (found.items, given, COUNT * sizeof *given);
    assert_int_equal ((uintptr_t) found.items % 64, 0);
    const int64_t *place = found.items;
    expect_done (troupe_get (future, &found));
    assert_ptr_equal (place, found.items);
    int64_t number;
    const char *text;
    assert_int_equal (troupe_get (future, &number), -1);
    assert_int_equal (troupe_error_code (), TROUPE_ETYPE);
    assert_int_equal (troupe_get (future, &text), -1);
    expect_words (troupe_error (), "wanted string, got array of int64");
    expect_integer (troupe_remote (s_troupe, sum, future), TOTAL);
    expect_integer (troupe_remote (s_troupe, pass_on, future), TOTAL);
    assert_int_equal (s_objects (), 1);
    troupe_future_destroy (&future);
    free (given);
    nothing_left ();
}

/*  Around the threshold, as an argument, a result, and both.               */
static void
test_sizes (void **state)
{
    (void) state;
    static const size_t sizes [] = { OBJECT_THRESHOLD - 1, OBJECT_THRESHOLD,
                                     OBJECT_THRESHOLD + 1, 1000003 };
    char *data = malloc (1000003);
    for (size_t index = 0; index < 1000003; index++)
        data [index] = (char) (index * 7 % 251 + 1);
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        troupe_bytes_t bytes;
        troupe_future_t *first
            = troupe_remote (s_troupe, echo, troupe_bytes (data, sizes [index]));
        troupe_future_t *second = troupe_remote (s_troupe, echo, first);
        troupe_future_destroy (&first);
        expect_done (troupe_get (second, &bytes));
        assert_int_equal (bytes.size, sizes [index]);
        assert_memory_equal (bytes.data, data, sizes [index]);
        troupe_future_destroy (&second);
        nothing_left ();
    }
    free (data);
}

static void
test_strings_and_lists (void **state)
{
    (void) state;
    char *text = malloc (200001);
    memset (text, 'x', 200000);
    text [200000] = 0;
    expect_integer (troupe_remote (s_troupe, length, text), 200000);
    const char *found;
    troupe_future_t *future = troupe_put (s_troupe, text);
    expect_done (troupe_get (future, &found));
    assert_string_equal (found, text);
    char *own;
    expect_done (troupe_get (future, &own));
    assert_string_equal (own, text);
    free (own);
    troupe_future_destroy (&future);
    const char *many [3000];
    for (size_t index = 0; index < 3000; index++)
        many [index] = index % 2 ? "odd, and this is not a short one" : NULL;
    troupe_strings_t strings;
    future = troupe_remote (s_troupe, echo, troupe_strings (many, 3000));
    expect_done (troupe_get (future, &strings));
    assert_int_equal (strings.count, 3000);
    assert_null (strings.items [0]);
    assert_string_equal (strings.items [2999], many [2999]);
    troupe_future_destroy (&future);
    free (text);
    nothing_left ();
}

static void
test_results (void **state)
{
    (void) state;
    troupe_future_t *made = troupe_remote (s_troupe, numbers, COUNT);
    expect_integer (troupe_remote (s_troupe, sum, made), TOTAL);
    troupe_future_destroy (&made);
    made = troupe_remote (s_troupe, filled, COUNT);
    expect_integer (troupe_remote (s_troupe, sum, made), TOTAL);
    troupe_future_destroy (&made);
    made = troupe_remote (s_troupe, by_single_tail, COUNT);
    expect_integer (troupe_remote (s_troupe, sum, made), TOTAL);
    troupe_future_destroy (&made);
    troupe_int64s_t found;
    int64_t five;
    made = troupe_remote (s_troupe, by_tail, COUNT);
    expect_done (troupe_get (made, &found, &five));
    assert_int_equal (found.items [COUNT - 1], COUNT - 1);
    assert_int_equal (five, 5);
    troupe_future_destroy (&made);
    expect_failure (troupe_remote (s_troupe, returns_and_fails), TROUPE_EFAILED,
                    "second thoughts");
    nothing_left ();
}

/*  Nobody waits for it any more when it comes.                             */
static void
test_dropped (void **state)
{
    (void) state;
    for (int round = 0; round < 20; round++) {
        troupe_future_t *made = troupe_remote (s_troupe, numbers, COUNT);
        if (round % 2)
            troupe_cancel (made);
        troupe_future_destroy (&made);
    }
    expect_integer (troupe_remote (s_troupe, sum, troupe_int64s (NULL, 0)), 0);
    nothing_left ();
}

static int
double_of (troupe_call_t *call)
{
    troupe_int64s_t given;
    if (troupe_args (call, &given))
        return -1;
    int64_t *made = malloc (given.count * sizeof *made);
    for (size_t index = 0; index < given.count; index++)
        made [index] = 2 * given.items [index];
    int rc = troupe_return (call, troupe_int64s (made, given.count));
    free (made);
    return rc;
}

static void
test_combined (void **state)
{
    (void) state;
    troupe_future_t *parts [4];
    for (size_t index = 0; index < 4; index++)
        parts [index] = index % 2 ? troupe_remote (s_troupe, numbers, COUNT)
                                  : troupe_remote (s_troupe, filled, COUNT);
    troupe_future_t *all = troupe_all (parts, 4), *any = troupe_any (parts, 4);
    troupe_future_t *doubled = troupe_then (parts [0], double_of, NULL);
    troupe_future_t *list = troupe_remote (s_troupe, total_of_lists, troupe_futures (parts, 4));
    for (size_t index = 0; index < 4; index++)
        troupe_future_destroy (&parts [index]);
    expect_integer (list, 4 * TOTAL);
    expect_integer (troupe_remote (s_troupe, total_of_lists, all), 4 * TOTAL);
    expect_integer (troupe_remote (s_troupe, sum, any), TOTAL);
    expect_integer (troupe_remote (s_troupe, sum, doubled), 2 * TOTAL);
    troupe_int64s_t found [4];
    expect_done (troupe_get (all, &found [0], &found [1], &found [2], &found [3]));
    assert_int_equal (found [3].items [COUNT - 1], COUNT - 1);
    troupe_future_destroy (&all);
    troupe_future_destroy (&any);
    troupe_future_destroy (&doubled);
    nothing_left ();
}

static void
test_actors (void **state)
{
    (void) state;
    int64_t *given = s_numbers (COUNT);
    troupe_future_t *kept = troupe_put (s_troupe, troupe_int64s (given, COUNT));
    troupe_actor_t *actor = troupe_spawn (s_troupe, holder, troupe_int64s (given, COUNT));
    expect_integer (troupe_call (actor, holder_add, kept), 2 * TOTAL);
    expect_integer (troupe_call (actor, holder_add, troupe_int64s (given, COUNT)), 3 * TOTAL);
    troupe_future_t *part = troupe_call (actor, holder_give);
    expect_integer (troupe_call (actor, holder_add, part),
                    3 * TOTAL + (int64_t) 50000 * 49999 / 2);
    troupe_future_destroy (&part);
    troupe_actor_destroy (&actor);
    actor = troupe_spawn (s_troupe, returner, kept);
    troupe_future_t *ready = troupe_actor_ready (actor);
    expect_done (troupe_wait (&ready, 1, 1, -1, NULL) != 1);
    troupe_future_destroy (&ready);
    troupe_future_destroy (&kept);
    troupe_actor_destroy (&actor);
    free (given);
    nothing_left ();
}

static void
test_create (void **state)
{
    (void) state;
    troupe_object_t *object = troupe_create (s_troupe, TROUPE_ARG_BYTES, 10);
    memcpy (troupe_object_data (object), "0123456789", 10);
    troupe_future_t *future = troupe_seal (&object);
    assert_null (object);
    troupe_bytes_t bytes;
    expect_done (troupe_get (future, &bytes));
    assert_int_equal (bytes.size, 10);
    assert_memory_equal (bytes.data, "0123456789", 10);
    troupe_future_destroy (&future);
    for (size_t size = 0; size < 2; size++) {
        object = troupe_create (s_troupe, TROUPE_ARG_BYTES, size);
        memset (troupe_object_data (object), 'x', size);
        future = troupe_remote (s_troupe, echo, object);
        expect_done (troupe_get (future, &bytes));
        assert_int_equal (bytes.size, size);
        assert_true (!size || *(const char *) bytes.data == 'x');
        troupe_future_destroy (&future);
    }
    object = troupe_create (s_troupe, TROUPE_ARG_DOUBLES, 1000000);
    troupe_object_destroy (&object);
    assert_null (object);
    assert_null (troupe_create (s_troupe, TROUPE_ARG_INTEGER, 1));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_create (s_troupe, TROUPE_ARG_BYTES, (size_t) 1 << 40));
    assert_int_equal (troupe_error_code (), TROUPE_ESIZE);
    assert_null (troupe_seal (&object));
    nothing_left ();
}

/*  Takes objects and fails: too large beside them, or no such task.        */
static int
returns_too_much (troupe_call_t *call)
{
    troupe_object_t *object = troupe_create (troupe_of (call), TROUPE_ARG_BYTES, 100000);
    troupe_object_t *other = troupe_create (troupe_of (call), TROUPE_ARG_BYTES, 100000);
    return troupe_return (call, object, troupe_arg_future (NULL), other);
}
TROUPE_TASK (returns_too_much);

/*  Objects that a call was given are taken, whatever becomes of it.        */
static void
test_objects_of_failed_calls (void **state)
{
    (void) state;
    troupe_object_t *object = troupe_create (s_troupe, TROUPE_ARG_BYTES, 100000);
    assert_non_null (object);
    expect_failure (troupe_remote_by_name (s_troupe, "", object), TROUPE_EINVAL,
                    "no valid name");
    object = troupe_create (s_troupe, TROUPE_ARG_BYTES, 100000);
    expect_failure (troupe_remote_by_name (s_troupe, "nobody", object), TROUPE_ENAME, "nobody");
    object = troupe_create (s_troupe, TROUPE_ARG_BYTES, 100000);
    assert_null (troupe_call_by_name (NULL, "method", object));
    expect_failure (troupe_remote (s_troupe, returns_too_much), TROUPE_EINVAL, "NULL");
    nothing_left ();
}

/*  What a killed worker read and made is nobody's.                         */
static void
test_killed_workers (void **state)
{
    (void) state;
    if (support_threads ())
        skip ();
    int64_t *given = s_numbers (COUNT);
    troupe_future_t *kept = troupe_put (s_troupe, troupe_int64s (given, COUNT));
    for (int round = 0; round < 5; round++)
        expect_failure (troupe_remote (s_troupe, crash_with, kept), TROUPE_ELOST, "");
    expect_integer (troupe_remote (s_troupe, sum, kept), TOTAL);
    troupe_future_destroy (&kept);
    free (given);
    nothing_left ();
}

/*  More than the store has, so that most of it goes to disk.               */
static void
test_more_than_memory (void **state)
{
    (void) state;
    enum { OBJECTS = 100 };
    troupe_future_t *futures [OBJECTS];
    for (size_t index = 0; index < OBJECTS; index++) {
        troupe_object_t *object = troupe_create (s_troupe, TROUPE_ARG_INT64S, 250000);
        assert_non_null (object);
        int64_t *place = troupe_object_data (object);
        for (int64_t at = 0; at < 250000; at++)
            place [at] = (int64_t) index;
        futures [index] = troupe_seal (&object);
    }
    for (size_t index = 0; index < OBJECTS; index++)
        expect_integer (troupe_remote (s_troupe, sum, futures [index]),
                        (int64_t) index * 250000);
    for (size_t index = 0; index < OBJECTS; index++)
        troupe_future_destroy (&futures [index]);
    nothing_left ();
}

/*  Takes the futures of any number of values, and returns so many.         */
static int
spread (troupe_call_t *call)
{
    enum { RETURNED = 3000 };
    static const int64_t large [9000];
    troupe_view_t list, inside, item;
    troupe_future_t *parts [RETURNED];
    int64_t number, sum = 0;
    if (troupe_args (call, &list) || troupe_view_enter (list, &inside))
        return -1;
    while (troupe_view_next (&inside, &item) == 1)
        sum += troupe_read (item, &number) == 0 ? number : 0;
    for (int64_t index = 0; index < RETURNED; index++)
        parts [index] = index % 100 ? troupe_put (troupe_of (call), sum + index)
                                    : troupe_put (troupe_of (call), troupe_int64s (large, 9000));
    int rc = troupe_return (call, troupe_futures (parts, RETURNED));
    for (size_t index = 0; index < RETURNED; index++)
        troupe_future_destroy (&parts [index]);
    return rc;
}
TROUPE_TASK (spread);

/*  10,000 futures for one task, of which each is waited for, and 3,000 values of
    another, some of them large.                                            */
static void
test_thousands (void **state)
{
    (void) state;
    enum { MANY = 10000, RETURNED = 3000 };
    static troupe_future_t *futures [MANY];
    int64_t number, sum = (int64_t) MANY * (MANY - 1) / 2;
    for (int64_t index = 0; index < MANY; index++)
        futures [index] = index % 2 ? troupe_put (s_troupe, index)
                                    : troupe_remote (s_troupe, echo, index);
    troupe_future_t *spreads = troupe_remote (s_troupe, spread, troupe_futures (futures, MANY));
    for (int64_t index = 0; index < MANY; index++) {
        expect_done (troupe_get (futures [index], &number));
        assert_int_equal (number, index);
        troupe_future_destroy (&futures [index]);
    }
    troupe_view_t list, inside, item;
    expect_done (troupe_get (spreads, &list));
    assert_int_equal (troupe_view_count (list), RETURNED);
    assert_int_equal (troupe_view_enter (list, &inside), 0);
    for (int64_t index = 0; index < RETURNED; index++) {
        troupe_int64s_t large;
        assert_int_equal (troupe_view_next (&inside, &item), 1);
        if (index % 100) {
            assert_int_equal (troupe_read (item, &number), 0);
            assert_int_equal (number, sum + index);
        } else {
            assert_int_equal (troupe_read (item, &large), 0);
            assert_int_equal (large.count, 9000);
        }
    }
    troupe_future_destroy (&spreads);
    nothing_left ();
}

static int
behind_gate (troupe_call_t *call)
{
    const char *gate;
    return troupe_args (call, &gate) || !gate_pass (gate) ? -1 : troupe_return (call, 7);
}
TROUPE_TASK (behind_gate);

static int
length_of_list (troupe_call_t *call)
{
    troupe_view_t list;
    return troupe_args (call, &list) ? -1
                                     : troupe_return (call, (int64_t) troupe_view_count (list));
}
TROUPE_TASK (length_of_list);

/*  As many as a task can take, which all are to come, and one more, which is said
    at once.                                                                */
static void
test_too_many (void **state)
{
    (void) state;
    static troupe_future_t *futures [NEEDED_MAX + 1];
    gate_t gate = gate_new ();
    int64_t number;
    troupe_future_t *first = troupe_remote (s_troupe, behind_gate, gate.path);
    for (int64_t index = 0; index <= NEEDED_MAX; index++)
        futures [index] = troupe_remote (s_troupe, echo, first);
    troupe_future_t *most
        = troupe_remote (s_troupe, length_of_list, troupe_futures (futures, NEEDED_MAX));
    expect_failure (
        troupe_remote (s_troupe, length_of_list, troupe_futures (futures, NEEDED_MAX + 1)),
        TROUPE_ELIMIT, "more than 32768 futures");
    gate_open (&gate);
    expect_done (troupe_get (most, &number));
    assert_int_equal (number, NEEDED_MAX);
    troupe_future_destroy (&most);
    troupe_future_destroy (&first);
    for (int64_t index = 0; index <= NEEDED_MAX; index++)
        troupe_future_destroy (&futures [index]);
    nothing_left ();
}

/*  One task that is given the objects of many others.                      */
static void
test_many_objects (void **state)
{
    (void) state;
    enum { MANY = 300 };
    troupe_future_t *futures [MANY];
    for (size_t index = 0; index < MANY; index++)
        futures [index] = troupe_remote (s_troupe, numbers, 10000);
    expect_integer (troupe_remote (s_troupe, total_of_lists, troupe_futures (futures, MANY)),
                    (int64_t) MANY * 10000 * 9999 / 2);
    for (size_t index = 0; index < MANY; index++)
        troupe_future_destroy (&futures [index]);
    nothing_left ();
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_put_and_get),
        cmocka_unit_test (test_sizes),
        cmocka_unit_test (test_strings_and_lists),
        cmocka_unit_test (test_results),
        cmocka_unit_test (test_dropped),
        cmocka_unit_test (test_combined),
        cmocka_unit_test (test_actors),
        cmocka_unit_test (test_create),
        cmocka_unit_test (test_objects_of_failed_calls),
        cmocka_unit_test (test_killed_workers),
        cmocka_unit_test (test_more_than_memory),
        cmocka_unit_test (test_many_objects),
        cmocka_unit_test (test_thousands),
        cmocka_unit_test (test_too_many),
    };
    setenv ("TROUPE_OBJECT_MEMORY", "64M", 1);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
