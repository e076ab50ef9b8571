/*  test_actors.c - the ready-made actor classes, found by name in modules, in
    worker processes                                                         */

#include "tests/support.h"

#include "actors/counter.h"
#include "actors/kv.h"
#include "actors/queue.h"
#include "actors/wordlist.h"

/*  Waits for a future, which must fail and name the cause, and drops it.   */
static void
s_fails (troupe_future_t *future, const char *cause)
{
    assert_non_null (future);
    assert_int_equal (troupe_wait (&future, 1, 1, 30000, NULL), 1);
    const char *error = troupe_future_error (future);
    if (!error || !strstr (error, cause))
        fail_msg ("wanted \"%s\", got \"%s\"", cause, error ? error : "success");
    troupe_future_destroy (&future);
}

static void
s_bool (troupe_future_t *future, bool wanted)
{
    bool found = !wanted;
    if (troupe_get (future, &found))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (found, wanted);
    troupe_future_destroy (&future);
}

static void
s_nil (troupe_future_t *future)
{
    troupe_view_t view;
    if (troupe_get (future, &view))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (troupe_view_type (view), TROUPE_NIL);
    troupe_future_destroy (&future);
}

/* ------------------------------------------------------------------------
   counter                                                                  */

static void
test_counter (void **state)
{
    (void) state;
    troupe_actor_t *counter = counter_spawn (s_troupe, 40);
    assert_non_null (counter);
    expect_integer (counter_add (counter, 2), 42);
    expect_integer (counter_add (counter, -50), -8);
    expect_integer (counter_get (counter), -8);
    expect_integer (counter_set (counter, INT64_MAX), -8);
    s_fails (counter_add (counter, 1), "does not fit");
    expect_integer (counter_get (counter), INT64_MAX);
    s_fails (troupe_call_by_name (counter, "add", "one"), "wanted integer");
    s_fails (troupe_call_by_name (counter, "subtract", 1), "subtract");
    troupe_actor_destroy (&counter);
}

static void
test_counter_swap (void **state)
{
    (void) state;
    troupe_actor_t *counter = troupe_spawn_by_name (s_troupe, "counter");
    bool swapped;
    int64_t before;
    assert_non_null (counter);
    troupe_future_t *future = counter_compare_and_swap (counter, 0, 5);
    assert_int_equal (troupe_get (future, &swapped, &before), 0);
    assert_true (swapped);
    assert_int_equal (before, 0);
    troupe_future_destroy (&future);
    future = counter_compare_and_swap (counter, 0, 6);
    assert_int_equal (troupe_get (future, &swapped, &before), 0);
    assert_false (swapped);
    assert_int_equal (before, 5);
    troupe_future_destroy (&future);
    expect_integer (counter_get (counter), 5);
    troupe_actor_destroy (&counter);
}

/*  Many calls that nobody waits for one by one: none is lost.              */
static void
test_counter_many (void **state)
{
    (void) state;
    troupe_actor_t *counter = counter_spawn (s_troupe, 0);
    assert_non_null (counter);
    for (int64_t i = 1; i <= 10000; i++) {
        troupe_future_t *future = counter_add (counter, i);
        troupe_future_destroy (&future);
    }
    expect_integer (counter_get (counter), 50005000);
    troupe_actor_destroy (&counter);
}

/* ------------------------------------------------------------------------
   queue                                                                    */

static void
test_queue (void **state)
{
    (void) state;
    troupe_actor_t *queue = queue_spawn (s_troupe, 3);
    assert_non_null (queue);
    s_nil (queue_take (queue));
    expect_integer (queue_put (queue, "first"), 1);
    expect_integer (queue_put (queue, 2), 2);
    expect_integer (queue_put (queue, (bool) true), 3);
    s_fails (queue_put (queue, 4), "full");
    s_fails (queue_put (queue, troupe_nil ()), "nil");
    expect_integer (queue_size (queue), 3);
    expect_text (queue_take (queue), "first");
    expect_integer (queue_take (queue), 2);
    expect_integer (queue_put (queue, 7), 2);
    expect_success (queue_close (queue));
    s_fails (queue_put (queue, 8), "closed");
    s_bool (queue_take (queue), true);
    expect_integer (queue_take (queue), 7);
    s_fails (queue_take (queue), "closed and empty");
    s_fails (queue_take_many (queue, 1), "closed and empty");
    expect_integer (queue_size (queue), 0);
    troupe_actor_destroy (&queue);
}

static void
test_queue_limit (void **state)
{
    (void) state;
    troupe_actor_t *queue = queue_spawn (s_troupe, 0);
    assert_non_null (queue);
    s_fails (queue_size (queue), "limit of 0");
    troupe_actor_destroy (&queue);
}

/*  Takes up to limit numbers, which must follow on *next.                  */
static size_t
s_take_numbers (troupe_actor_t *queue, uint64_t limit, int64_t *next)
{
    troupe_future_t *future = queue_take_many (queue, limit);
    troupe_view_t list, inside, value;
    int64_t number;
    size_t count = 0;
    if (troupe_get (future, &list))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (troupe_view_type (list), TROUPE_LIST);
    assert_true (troupe_view_enter (list, &inside) >= 0);
    for (; troupe_view_next (&inside, &value) == 1; count++) {
        assert_int_equal (troupe_read (value, &number), 0);
        assert_int_equal (number, (*next)++);
    }
    troupe_future_destroy (&future);
    return count;
}

/*  The ring grows and wraps round; the order stays.                        */
static void
test_queue_order (void **state)
{
    (void) state;
    troupe_actor_t *queue = queue_spawn (s_troupe, 1000);
    int64_t next_in = 0, next_out = 0;
    assert_non_null (queue);
    assert_int_equal (s_take_numbers (queue, 5, &next_out), 0);
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < 29; i++)
            expect_success (queue_put (queue, next_in++));
        assert_int_equal (s_take_numbers (queue, 13, &next_out), 13);
    }
    assert_int_equal (s_take_numbers (queue, UINT64_MAX, &next_out), next_in - 30 * 13);
    assert_int_equal (next_in, next_out);
    assert_int_equal (s_take_numbers (queue, 5, &next_out), 0);
    troupe_actor_destroy (&queue);
}

/* ------------------------------------------------------------------------
   kv                                                                       */

static void
test_kv (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    assert_non_null (kv);
    s_nil (kv_get (kv, "name"));
    s_bool (kv_set (kv, "name", "Ada"), false);
    s_bool (kv_set (kv, "name", "Grace"), true);
    expect_text (kv_get (kv, "name"), "Grace");
    s_bool (kv_set (kv, "", 7), false);
    expect_integer (kv_get (kv, ""), 7);
    expect_integer (kv_size (kv), 2);
    s_bool (kv_delete (kv, "name"), true);
    s_bool (kv_delete (kv, "name"), false);
    s_nil (kv_get (kv, "name"));
    s_bool (kv_set (kv, "", troupe_nil ()), true);
    expect_integer (kv_size (kv), 0);
    s_fails (troupe_call_by_name (kv, "get", troupe_nil ()), "wanted string");
    troupe_actor_destroy (&kv);
}

/*  Values of all types come back as they were.                             */
static void
test_kv_types (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    const int64_t int64s [] = { INT64_MIN, -1, 0, INT64_MAX };
    const float floats [] = { 1.5f, -2.25f };
    troupe_int64s_t found_int64s;
    troupe_floats_t found_floats;
    troupe_bytes_t bytes;
    uint64_t large;
    double real;
    assert_non_null (kv);
    expect_success (kv_set (kv, "int64s", troupe_int64s (int64s, 4)));
    expect_success (kv_set (kv, "floats", troupe_floats (floats, 2)));
    expect_success (kv_set (kv, "bytes", troupe_bytes ("a\0b", 3)));
    expect_success (kv_set (kv, "large", UINT64_MAX));
    expect_success (kv_set (kv, "real", 0.1));

    troupe_future_t *future = kv_get (kv, "int64s");
    assert_int_equal (troupe_get (future, &found_int64s), 0);
    assert_int_equal (found_int64s.count, 4);
    assert_memory_equal (found_int64s.items, int64s, sizeof (int64s));
    troupe_future_destroy (&future);
    future = kv_get (kv, "floats");
    assert_int_equal (troupe_get (future, &found_floats), 0);
    assert_int_equal (found_floats.count, 2);
    assert_memory_equal (found_floats.items, floats, sizeof (floats));
    troupe_future_destroy (&future);
    future = kv_get (kv, "bytes");
    assert_int_equal (troupe_get (future, &bytes), 0);
    assert_int_equal (bytes.size, 3);
    assert_memory_equal (bytes.data, "a\0b", 3);
    troupe_future_destroy (&future);
    future = kv_get (kv, "large");
    assert_int_equal (troupe_get (future, &large), 0);
    assert_true (large == UINT64_MAX);
    troupe_future_destroy (&future);
    future = kv_get (kv, "real");
    assert_int_equal (troupe_get (future, &real), 0);
    assert_true (real == 0.1);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&kv);
}

/*  A map with a list of numbers in it, stored and walked.                  */
static void
test_kv_nested (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    const int64_t numbers [] = { 3, 1, 4 };
    troupe_view_t map, value, inside, item;
    troupe_int64s_t found;
    troupe_packer_t *packer = troupe_packer_new ();
    assert_non_null (kv);
    assert_non_null (packer);
    assert_int_equal (troupe_pack_map (packer, 2), 0);
    assert_int_equal (troupe_pack (packer, "odd"), 0);
    assert_int_equal (troupe_pack_list (packer, 2), 0);
    assert_int_equal (troupe_pack (packer, "x"), 0);
    assert_int_equal (troupe_pack (packer, troupe_int64s (numbers, 3)), 0);
    assert_int_equal (troupe_pack (packer, "even"), 0);
    assert_int_equal (troupe_pack (packer, (bool) false), 0);
    s_bool (kv_set (kv, "map", troupe_packed (packer)), false);
    s_bool (kv_compare_and_swap (kv, "map", troupe_packed (packer), troupe_packed (packer)),
            true);
    troupe_packer_destroy (&packer);

    troupe_future_t *future = kv_get (kv, "map");
    assert_int_equal (troupe_get (future, &map), 0);
    assert_int_equal (troupe_view_type (map), TROUPE_MAP);
    assert_int_equal (troupe_view_field (map, "odd", &value), 0);
    assert_true (troupe_view_enter (value, &inside) >= 0);
    assert_int_equal (troupe_view_next (&inside, &item), 1);
    assert_int_equal (troupe_view_next (&inside, &item), 1);
    assert_int_equal (troupe_read (item, &found), 0);
    assert_int_equal (found.count, 3);
    assert_memory_equal (found.items, numbers, sizeof (numbers));
    troupe_future_destroy (&future);
    troupe_actor_destroy (&kv);
}

static void
test_kv_swap (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    const double numbers [] = { 1.0, 2.0 };
    assert_non_null (kv);
    s_bool (kv_compare_and_swap (kv, "k", 1, 2), false);
    s_bool (kv_compare_and_swap (kv, "k", troupe_nil (), 1), true);
    s_bool (kv_compare_and_swap (kv, "k", troupe_nil (), 3), false);
    s_bool (kv_compare_and_swap (kv, "k", "1", 3), false);
    s_bool (kv_compare_and_swap (kv, "k", 1, troupe_doubles (numbers, 2)), true);
    s_bool (kv_compare_and_swap (kv, "k", troupe_doubles (numbers, 1), 3), false);
    s_bool (kv_compare_and_swap (kv, "k", troupe_doubles (numbers, 2), "end"), true);
    expect_text (kv_get (kv, "k"), "end");
    s_bool (kv_compare_and_swap (kv, "k", "end", troupe_nil ()), true);
    s_bool (kv_compare_and_swap (kv, "k", troupe_nil (), troupe_nil ()), true);
    expect_integer (kv_size (kv), 0);
    troupe_actor_destroy (&kv);
}

/*  The value of a future is stored, not the future.                        */
static void
test_kv_future (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    troupe_actor_t *counter = counter_spawn (s_troupe, 20);
    assert_non_null (kv);
    assert_non_null (counter);
    troupe_future_t *sum = counter_add (counter, 3);
    expect_success (kv_set (kv, "sum", sum));
    expect_integer (kv_get (kv, "sum"), 23);
    s_fails (kv_set (kv, "handle", troupe_handle (sum)), "cannot be stored");
    s_fails (kv_set (kv, "actor", counter), "cannot be stored");
    expect_integer (kv_size (kv), 1);
    troupe_future_destroy (&sum);
    troupe_actor_destroy (&counter);
    troupe_actor_destroy (&kv);
}

static void
s_check_keys (troupe_actor_t *kv, const char *prefix, const char *const *wanted, size_t count)
{
    troupe_future_t *future = kv_keys (kv, prefix);
    troupe_strings_t keys;
    if (troupe_get (future, &keys))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (keys.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal (keys.items [i], wanted [i]);
    troupe_future_destroy (&future);
}

/*  Many keys come and go; the table holds what a plain array says.         */
static void
test_kv_many (void **state)
{
    (void) state;
    enum { KEYS = 500 };
    static int64_t values [KEYS];
    troupe_actor_t *kv = kv_spawn (s_troupe);
    uint64_t seed = 1;
    int64_t count = 0;
    char key [16];
    assert_non_null (kv);
    for (int64_t i = 1; i < 4000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        size_t at = (size_t) (seed >> 33) % KEYS;
        snprintf (key, sizeof (key), "key%zu", at);
        if (seed >> 63) {
            s_bool (kv_delete (kv, key), values [at] != 0);
            count -= values [at] != 0;
            values [at] = 0;
        }
        else {
            s_bool (kv_set (kv, key, i), values [at] != 0);
            count += values [at] == 0;
            values [at] = i;
        }
    }
    expect_integer (kv_size (kv), count);
    for (size_t at = 0; at < KEYS; at++) {
        snprintf (key, sizeof (key), "key%zu", at);
        if (values [at])
            expect_integer (kv_get (kv, key), values [at]);
        else
            s_nil (kv_get (kv, key));
    }
    troupe_actor_destroy (&kv);
}

static void
test_kv_keys (void **state)
{
    (void) state;
    troupe_actor_t *kv = kv_spawn (s_troupe);
    const char *const all [] = { "", "a", "a/1", "a/2", "b" };
    assert_non_null (kv);
    s_check_keys (kv, "", NULL, 0);
    for (size_t i = 5; i-- > 0;)
        expect_success (kv_set (kv, all [i], 1));
    s_check_keys (kv, "", all, 5);
    s_check_keys (kv, "a", all + 1, 3);
    s_check_keys (kv, "a/", all + 2, 2);
    s_check_keys (kv, "c", NULL, 0);
    troupe_actor_destroy (&kv);
}

/* ------------------------------------------------------------------------
   wordlist                                                                 */

/*  Checks packed words and their counts.                                   */
static void
s_check_words (troupe_bytes_t words, troupe_int64s_t counts, const char *wanted_words,
               size_t size, const int64_t *wanted_counts, size_t count)
{
    assert_int_equal (words.size, size);
    if (size)
        assert_memory_equal (words.data, wanted_words, size);
    assert_int_equal (counts.count, count);
    if (count)
        assert_memory_equal (counts.items, wanted_counts, count * sizeof (int64_t));
}

static void
s_check_top (troupe_actor_t *list, uint64_t limit, const char *wanted_words, size_t size,
             const int64_t *wanted_counts, size_t count, int64_t wanted_bound)
{
    troupe_bytes_t words;
    troupe_int64s_t counts;
    int64_t bound, total;
    troupe_future_t *future = wordlist_top (list, limit);
    if (troupe_get (future, &words, &counts, &bound, &total))
        fail_msg ("%s", troupe_error ());
    s_check_words (words, counts, wanted_words, size, wanted_counts, count);
    assert_int_equal (bound, wanted_bound);
    assert_int_equal (total, 8);
    troupe_future_destroy (&future);
}

static void
test_wordlist (void **state)
{
    (void) state;
    const char text [] = "The cat, the dog; THE bird - the cat! \"Dog\"";
    const char words [] = "the\0cat\0dog\0bird";
    const int64_t counts [] = { 4, 2, 2, 1 };
    const char text_8 [] = "the cat the dog the the cat dog";
    troupe_actor_t *list = wordlist_spawn (s_troupe, text, strlen (text));
    assert_non_null (list);
    expect_integer (wordlist_words (list), 9);
    expect_integer (wordlist_distinct (list), 4);
    troupe_actor_destroy (&list);
    list = wordlist_spawn (s_troupe, text_8, strlen (text_8));
    assert_non_null (list);
    s_check_top (list, 10, words, 12, counts, 3, 0);
    s_check_top (list, 3, words, 12, counts, 3, 0);
    s_check_top (list, 2, words, 8, counts, 2, 2);
    s_check_top (list, 0, NULL, 0, NULL, 0, 8);
    troupe_actor_destroy (&list);
}

static void
test_wordlist_rounds (void **state)
{
    (void) state;
    const char text [] = "a a a b b c";
    const int64_t two [] = { 2 }, asked [] = { 1, 0, 3 };
    troupe_actor_t *list = wordlist_spawn (s_troupe, text, strlen (text));
    troupe_bytes_t words;
    troupe_int64s_t counts;
    assert_non_null (list);
    troupe_future_t *future = wordlist_above (list, 2, 1);
    assert_int_equal (troupe_get (future, &words, &counts), 0);
    s_check_words (words, counts, "b", 2, two, 1);
    troupe_future_destroy (&future);
    future = wordlist_above (list, INT64_MAX, 0);
    assert_int_equal (troupe_get (future, &words, &counts), 0);
    s_check_words (words, counts, NULL, 0, NULL, 0);
    troupe_future_destroy (&future);
    future = wordlist_count (list, "c\0x\0a", 6);
    assert_int_equal (troupe_get (future, &counts), 0);
    assert_int_equal (counts.count, 3);
    assert_memory_equal (counts.items, asked, sizeof (asked));
    troupe_future_destroy (&future);
    s_fails (wordlist_count (list, "c", 1), "end in a NUL");
    troupe_actor_destroy (&list);
}

static void
test_wordlist_add (void **state)
{
    (void) state;
    const char words [] = "the\0cat\0dog";
    const int64_t counts [] = { 4, 3, 1 }, one [] = { 1 }, three [] = { 3 };
    troupe_actor_t *list = wordlist_spawn (s_troupe, "the the cat", 11);
    troupe_bytes_t found;
    troupe_int64s_t found_counts;
    assert_non_null (list);
    troupe_future_t *future = wordlist_above (list, 1, 1);
    assert_int_equal (troupe_get (future, &found, &found_counts), 0);
    s_check_words (found, found_counts, "cat", 4, one, 1);
    troupe_future_destroy (&future);
    troupe_future_t *text = troupe_put (s_troupe, troupe_bytes ("cat the dog the cat", 19));
    expect_success (wordlist_add (list, text));
    troupe_future_destroy (&text);
    s_check_top (list, 3, words, 12, counts, 3, 0);
    future = wordlist_above (list, 2, 1);
    assert_int_equal (troupe_get (future, &found, &found_counts), 0);
    s_check_words (found, found_counts, "cat", 4, three, 1);
    troupe_future_destroy (&future);
    text = troupe_put (s_troupe, 12);
    s_fails (wordlist_add (list, text), "argument 1: wanted bytes");
    troupe_future_destroy (&text);
    s_check_top (list, 1, words, 4, counts, 1, 4);
    troupe_actor_destroy (&list);
}

static void
test_wordlist_files (void **state)
{
    (void) state;
    const char *const missing [] = { "/nonexistent/text" };
    const int64_t zero [] = { 0 }, one [] = { 1 }, minus [] = { -1 };
    troupe_actor_t *list = wordlist_spawn_files (s_troupe, missing, zero, one, 1);
    assert_non_null (list);
    s_fails (wordlist_words (list), "/nonexistent/text");
    troupe_actor_destroy (&list);
    list = wordlist_spawn_files (s_troupe, missing, minus, one, 1);
    assert_non_null (list);
    s_fails (wordlist_words (list), "/nonexistent/text");
    troupe_actor_destroy (&list);
    list = wordlist_spawn_files (s_troupe, NULL, NULL, NULL, 0);
    assert_non_null (list);
    expect_integer (wordlist_words (list), 0);
    troupe_actor_destroy (&list);
}

static void
test_unknown_class (void **state)
{
    (void) state;
    troupe_actor_t *actor = troupe_spawn_by_name (s_troupe, "no_such_class");
    assert_non_null (actor);
    s_fails (troupe_call_by_name (actor, "get"), "no_such_class");
    troupe_actor_destroy (&actor);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_counter),
        cmocka_unit_test (test_counter_swap),
        cmocka_unit_test (test_counter_many),
        cmocka_unit_test (test_queue),
        cmocka_unit_test (test_queue_limit),
        cmocka_unit_test (test_queue_order),
        cmocka_unit_test (test_kv),
        cmocka_unit_test (test_kv_types),
        cmocka_unit_test (test_kv_nested),
        cmocka_unit_test (test_kv_swap),
        cmocka_unit_test (test_kv_future),
        cmocka_unit_test (test_kv_many),
        cmocka_unit_test (test_kv_keys),
        cmocka_unit_test (test_wordlist),
        cmocka_unit_test (test_wordlist_rounds),
        cmocka_unit_test (test_wordlist_add),
        cmocka_unit_test (test_wordlist_files),
        cmocka_unit_test (test_unknown_class),
    };
    setenv ("TROUPE_MODULES", "actors/.libs", 0);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
