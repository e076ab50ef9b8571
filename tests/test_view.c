/*  test_view.c - the packer, and views of what it made                      */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/value.h"

/*  The value of a packer as a view.                                        */
static troupe_view_t
s_view (troupe_packer_t *packer)
{
    static arena_t arena;
    static const value_reader_t reader = { .arena = &arena };
    troupe_arg_t arg = troupe_packed (packer);
    assert_int_equal (arg.type, TROUPE_ARG_VALUE);
    assert_int_equal (value_check (arg.as.pointer, arg.count, true), arg.count);
    arena_release (&arena);
    return (troupe_view_t){ arg.as.pointer, arg.count, &reader };
}

static void
s_assert_error (troupe_error_t code, const char *text)
{
    assert_string_equal (troupe_error (), text);
    assert_int_equal (troupe_error_code (), code);
}

/*  Releases what the strings of the last view were kept in.                */
static void
s_done (troupe_packer_t **packer)
{
    const value_reader_t *reader = s_view (*packer).reader;
    arena_release (reader->arena);
    troupe_packer_destroy (packer);
    assert_null (*packer);
}

static troupe_packer_t *
s_new (void)
{
    troupe_packer_t *packer = troupe_packer_new ();
    assert_non_null (packer);
    return packer;
}

static void
s_pack_map (troupe_packer_t *packer)
{
    static const double numbers [] = { 1, 2, 3 };
    const char *words [] = { "a", "b" };
    assert_int_equal (troupe_pack_map (packer, 4), 0);
    assert_int_equal (troupe_pack (packer, "name"), 0);
    assert_int_equal (troupe_pack (packer, "alice"), 0);
    assert_int_equal (troupe_pack (packer, "numbers"), 0);
    assert_int_equal (troupe_pack (packer, troupe_doubles (numbers, 3)), 0);
    assert_int_equal (troupe_pack (packer, "words"), 0);
    assert_int_equal (troupe_pack (packer, troupe_strings (words, 2)), 0);
    assert_int_equal (troupe_pack (packer, "pairs"), 0);
    assert_int_equal (troupe_pack_list (packer, 2), 0);
    for (int index = 0; index < 2; index++) {
        assert_int_equal (troupe_pack_list (packer, 2), 0);
        assert_int_equal (troupe_pack (packer, "the"), 0);
        assert_int_equal (troupe_pack (packer, 1642 + index), 0);
    }
}

static void
test_walk (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack_list (packer, 1000), 0);
    for (int index = 0; index < 1000; index++)
        assert_int_equal (troupe_pack (packer, index * 3), 0);
    troupe_view_t view = s_view (packer);
    assert_int_equal (troupe_view_type (view), TROUPE_LIST);
    assert_int_equal (troupe_view_count (view), 1000);
    troupe_view_t inside;
    troupe_view_t value;
    assert_int_equal (troupe_view_enter (view, &inside), 0);
    for (int index = 0; index < 1000; index++) {
        int number = -1;
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (troupe_view_type (value), TROUPE_INTEGER);
        assert_int_equal (troupe_view_count (value), 0);
        assert_int_equal (troupe_read (value, &number), 0);
        assert_int_equal (number, index * 3);
    }
    assert_int_equal (troupe_view_next (&inside, &value), 0);
    assert_int_equal (troupe_view_next (&inside, &value), 0);
    s_done (&packer);
}

static void
test_fields (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    s_pack_map (packer);
    troupe_view_t map = s_view (packer);
    troupe_view_t value;
    const char *name = NULL;
    troupe_doubles_t numbers;
    troupe_strings_t words;
    assert_int_equal (troupe_view_type (map), TROUPE_MAP);
    assert_int_equal (troupe_view_count (map), 4);
    assert_int_equal (troupe_view_field (map, "name", &value), 0);
    assert_int_equal (troupe_read (value, &name), 0);
    assert_string_equal (name, "alice");
    assert_int_equal (troupe_view_field (map, "numbers", &value), 0);
    assert_int_equal (troupe_view_type (value), TROUPE_NUMBERS);
    assert_int_equal (troupe_view_count (value), 3);
    assert_int_equal (troupe_read (value, &numbers), 0);
    assert_int_equal (numbers.count, 3);
    assert_true (numbers.items [2] > 2.5 && numbers.items [2] < 3.5);
    assert_int_equal (troupe_view_field (map, "words", &value), 0);
    assert_int_equal (troupe_read (value, &words), 0);
    assert_string_equal (words.items [1], "b");
    assert_int_equal (troupe_view_field (map, "alice", &value), -1);
    s_assert_error (TROUPE_ENAME, "there is no key \"alice\"");
    assert_int_equal (troupe_view_field (map, "", &value), -1);
    assert_int_equal (troupe_view_field (map, NULL, &value), -1);
    assert_int_equal (troupe_view_field (value, "name", &value), -1);
    s_assert_error (TROUPE_ETYPE, "wanted map, got list");
    s_done (&packer);
}

static void
test_nested (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    s_pack_map (packer);
    troupe_view_t pairs;
    troupe_view_t inside;
    troupe_view_t pair;
    assert_int_equal (troupe_view_field (s_view (packer), "pairs", &pairs), 0);
    assert_int_equal (troupe_view_count (pairs), 2);
    assert_int_equal (troupe_view_enter (pairs, &inside), 0);
    int found = 0;
    while (troupe_view_next (&inside, &pair) == 1) {
        troupe_view_t parts;
        troupe_view_t part;
        const char *word = NULL;
        int count = 0;
        assert_int_equal (troupe_view_enter (pair, &parts), 0);
        assert_int_equal (troupe_view_next (&parts, &part), 1);
        assert_int_equal (troupe_read (part, &word), 0);
        assert_int_equal (troupe_view_next (&parts, &part), 1);
        assert_int_equal (troupe_read (part, &count), 0);
        assert_int_equal (troupe_view_next (&parts, &part), 0);
        assert_string_equal (word, "the");
        assert_int_equal (count, 1642 + found++);
    }
    assert_int_equal (found, 2);
    s_done (&packer);
}

/*  A map is walked as keys and values in turn.                             */
static void
test_map_walk (void **state)
{
    (void) state;
    static const char *const keys [] = { "name", "numbers", "words", "pairs" };
    static const troupe_type_t types []
        = { TROUPE_STRING, TROUPE_NUMBERS, TROUPE_LIST, TROUPE_LIST };
    troupe_packer_t *packer = s_new ();
    s_pack_map (packer);
    troupe_view_t inside;
    troupe_view_t value;
    assert_int_equal (troupe_view_enter (s_view (packer), &inside), 0);
    for (int index = 0; index < 4; index++) {
        const char *key = NULL;
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (troupe_read (value, &key), 0);
        assert_string_equal (key, keys [index]);
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (troupe_view_type (value), types [index]);
    }
    assert_int_equal (troupe_view_next (&inside, &value), 0);
    s_done (&packer);
}

static void
test_repeated_key (void **state)
{
    (void) state;
    int number = 0;
    troupe_view_t value;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack_map (packer, 4), 0);
    assert_int_equal (troupe_pack (packer, "k"), 0);
    assert_int_equal (troupe_pack (packer, 1), 0);
    assert_int_equal (troupe_pack (packer, 7), 0);
    assert_int_equal (troupe_pack (packer, "k"), 0);
    assert_int_equal (troupe_pack (packer, "k"), 0);
    assert_int_equal (troupe_pack (packer, 2), 0);
    assert_int_equal (troupe_pack (packer, "kk"), 0);
    assert_int_equal (troupe_pack (packer, 3), 0);
    assert_int_equal (troupe_view_field (s_view (packer), "k", &value), 0);
    assert_int_equal (troupe_read (value, &number), 0);
    assert_int_equal (number, 2);
    s_done (&packer);
}

static void
test_scalar (void **state)
{
    (void) state;
    int number = 0;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack (packer, 5), 0);
    assert_int_equal (troupe_read (s_view (packer), &number), 0);
    assert_int_equal (number, 5);
    troupe_view_t inside;
    assert_int_equal (troupe_view_enter (s_view (packer), &inside), -1);
    s_assert_error (TROUPE_ETYPE, "wanted list or map, got integer");
    const char *text;
    assert_int_equal (troupe_read (s_view (packer), &text), -1);
    s_assert_error (TROUPE_ETYPE, "wanted string, got integer");
    s_done (&packer);
}

static void
test_empty_lists (void **state)
{
    (void) state;
    troupe_view_t inside;
    troupe_view_t value;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack_list (packer, 2), 0);
    assert_int_equal (troupe_pack_list (packer, 0), 0);
    assert_int_equal (troupe_pack_map (packer, 0), 0);
    assert_int_equal (troupe_view_enter (s_view (packer), &inside), 0);
    for (int index = 0; index < 2; index++) {
        troupe_view_t none;
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (troupe_view_count (value), 0);
        assert_int_equal (troupe_view_enter (value, &none), 0);
        assert_int_equal (troupe_view_next (&none, &value), 0);
    }
    assert_int_equal (troupe_view_next (&inside, &value), 0);
    s_done (&packer);
}

/*  --- faults of a packer -----------------------------------------------  */

/*  What a packer in this state gives to the call that takes its value.     */
static void
s_assert_packed_fails (troupe_packer_t *packer, troupe_error_t code, const char *text)
{
    bytes_t bytes = { 0 };
    fault_t fault;
    troupe_arg_t arg = troupe_packed (packer);
    assert_int_equal (arg.type, TROUPE_ARG_ERROR);
    assert_int_equal (arg.count, code);
    assert_int_equal (value_write (&bytes, &arg, NULL, &fault), -1);
    assert_int_equal (fault.code, code);
    assert_string_equal (fault.text, text);
    bytes_release (&bytes);
}

static void
test_incomplete (void **state)
{
    (void) state;
    static const char lacks [] = "the packed value lacks something that it announced";
    troupe_packer_t *packer = s_new ();
    s_assert_packed_fails (packer, TROUPE_EINVAL, "the packer is empty");
    assert_int_equal (troupe_pack_map (packer, 1), 0);
    s_assert_packed_fails (packer, TROUPE_EINVAL, lacks);
    assert_int_equal (troupe_pack (packer, "key"), 0);
    s_assert_packed_fails (packer, TROUPE_EINVAL, lacks);
    assert_int_equal (troupe_pack_list (packer, 1), 0);
    s_assert_packed_fails (packer, TROUPE_EINVAL, lacks);
    assert_int_equal (troupe_pack (packer, 1), 0);
    assert_int_equal (troupe_view_count (s_view (packer)), 1);
    s_done (&packer);
}

static void
test_too_much (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack_list (packer, 1), 0);
    assert_int_equal (troupe_pack (packer, 1), 0);
    assert_int_equal (troupe_pack (packer, 2), -1);
    s_assert_error (TROUPE_EINVAL, "the packer holds a whole value already");
    s_assert_packed_fails (packer, TROUPE_EINVAL, "the packer holds a whole value already");
    troupe_packer_destroy (&packer);
}

/*  A failed packer stays failed, with its first failure.                   */
static void
test_stays_failed (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    assert_int_equal (troupe_pack_list (packer, 2), 0);
    assert_int_equal (troupe_pack (packer, troupe_bytes (NULL, 5)), -1);
    s_assert_error (TROUPE_EINVAL, "a range of 5 has no address");
    assert_int_equal (troupe_pack (packer, 1), -1);
    assert_int_equal (troupe_pack_list (packer, 1), -1);
    s_assert_packed_fails (packer, TROUPE_EINVAL, "a range of 5 has no address");
    troupe_packer_destroy (&packer);
}

static void
test_refused (void **state)
{
    (void) state;
    static int thing;
    const troupe_arg_t args [] = {
        TROUPE_ARG ((troupe_future_t *) (void *) &thing),
        troupe_handle ((troupe_future_t *) (void *) &thing),
        TROUPE_ARG ((troupe_actor_t *) (void *) &thing),
        TROUPE_WITH (.retries = 1),
    };
    static const char *const texts [] = {
        "a future cannot be part of this value",
        "a future cannot be part of this value",
        "an actor cannot be part of this value",
        "options are not a value",
    };
    for (size_t index = 0; index < 4; index++) {
        troupe_packer_t *packer = s_new ();
        assert_int_equal (troupe_pack (packer, args [index]), -1);
        s_assert_error (TROUPE_EINVAL, texts [index]);
        troupe_packer_destroy (&packer);
    }
}

static void
test_limits (void **state)
{
    (void) state;
    troupe_packer_t *packer = s_new ();
    for (int depth = 0; depth < VALUE_DEPTH_MAX - 1; depth++)
        assert_int_equal (troupe_pack_list (packer, 1), 0);
    assert_int_equal (troupe_pack_list (packer, 1), -1);
    s_assert_error (TROUPE_ELIMIT, "more than 15 lists and maps in one another");
    troupe_packer_destroy (&packer);
    packer = s_new ();
    assert_int_equal (troupe_pack_map (packer, (size_t) UINT32_MAX + 1), -1);
    s_assert_error (TROUPE_ESIZE, "value too large: 4294967296 pairs");
    troupe_packer_destroy (&packer);
}

static void
test_null (void **state)
{
    (void) state;
    troupe_packer_t *packer = NULL;
    troupe_packer_destroy (&packer);
    troupe_packer_destroy (NULL);
    assert_int_equal (troupe_pack (packer, 1), -1);
    assert_int_equal (troupe_pack_list (packer, 1), -1);
    s_assert_packed_fails (packer, TROUPE_EINVAL, "the packer is NULL");
    troupe_view_t view = { NULL, 0, NULL };
    troupe_view_t value;
    int number;
    assert_int_equal (troupe_view_type (view), TROUPE_NIL);
    assert_int_equal (troupe_view_count (view), 0);
    assert_int_equal (troupe_view_enter (view, &value), -1);
    assert_int_equal (troupe_view_next (&view, &value), 0);
    assert_int_equal (troupe_view_field (view, "k", &value), -1);
    assert_int_equal (troupe_read (view, &number), -1);
    s_assert_error (TROUPE_EPROTOCOL, "malformed value");
}

/*  One packer's value, and a view into it, inside another.                 */
static void
test_packed_in_packed (void **state)
{
    (void) state;
    troupe_packer_t *inner = s_new ();
    troupe_packer_t *outer = s_new ();
    troupe_view_t numbers;
    troupe_view_t inside;
    troupe_view_t value;
    troupe_doubles_t read;
    s_pack_map (inner);
    assert_int_equal (troupe_view_field (s_view (inner), "numbers", &numbers), 0);
    assert_int_equal (troupe_pack_list (outer, 3), 0);
    assert_int_equal (troupe_pack (outer, "x"), 0);
    assert_int_equal (troupe_pack (outer, troupe_packed (inner)), 0);
    assert_int_equal (troupe_pack (outer, numbers), 0);
    assert_int_equal (troupe_view_enter (s_view (outer), &inside), 0);
    assert_int_equal (troupe_view_next (&inside, &value), 1);
    assert_int_equal (troupe_view_next (&inside, &value), 1);
    assert_int_equal (troupe_view_count (value), 4);
    assert_int_equal (troupe_view_next (&inside, &value), 1);
    assert_int_equal (troupe_read (value, &read), 0);
    assert_int_equal (read.count, 3);
    assert_int_equal ((uintptr_t) read.items % 8, 0);
    s_done (&inner);
    s_done (&outer);
}

/*  --- futures inside ---------------------------------------------------  */

/*  Future 0 is lost, future 1 stands for the list [10, 20], 2 for 1.       */
static const uint8_t *
s_resolve (void *context, tid_t id, size_t *size, fault_t *fault)
{
    static const uint8_t list [] = { 0x92, 10, 20 };
    const bytes_t *reference = context;
    if (id.sequence == 0) {
        fault_set (fault, TROUPE_ELOST, "lost");
        return NULL;
    }
    *size = id.sequence == 1 ? sizeof list : reference->size;
    return id.sequence == 1 ? list : reference->data;
}

static void
test_futures_inside (void **state)
{
    (void) state;
    arena_t arena = { 0 };
    bytes_t bytes = { 0 };
    bytes_t to_one = { 0 };
    value_reader_t reader = { .context = &to_one, .arena = &arena, .resolve = s_resolve };
    assert_int_equal (value_put_reference (&to_one, (tid_t){ 0, 1 }, false), 0);
    assert_int_equal (value_put_array (&bytes, 4), 0);
    for (uint64_t number = 1; number <= 3; number++)
        assert_int_equal (value_put_reference (&bytes, (tid_t){ 0, number % 3 }, false), 0);
    assert_int_equal (value_put_uint (&bytes, 5), 0);
    troupe_view_t inside;
    troupe_view_t value;
    assert_int_equal (
        troupe_view_enter ((troupe_view_t){ bytes.data, bytes.size, &reader }, &inside), 0);
    for (int index = 0; index < 2; index++) {
        troupe_int32s_t numbers;
        troupe_view_t list;
        troupe_view_t item;
        int number = 0;
        assert_int_equal (troupe_view_next (&inside, &value), 1);
        assert_int_equal (value.size, 3);
        assert_int_equal (troupe_view_type (value), TROUPE_LIST);
        assert_int_equal (troupe_view_count (value), 2);
        assert_int_equal (troupe_read (value, &numbers), 0);
        assert_int_equal (numbers.items [1], 20);
        assert_int_equal (troupe_view_enter (value, &list), 0);
        assert_int_equal (troupe_view_next (&list, &item), 1);
        assert_int_equal (troupe_read (item, &number), 0);
        assert_int_equal (number, 10);
    }
    assert_int_equal (troupe_view_next (&inside, &value), -1);
    s_assert_error (TROUPE_ELOST, "lost");

    troupe_view_t whole = { to_one.data, to_one.size, &reader };
    assert_int_equal (troupe_view_type (whole), TROUPE_LIST);
    assert_int_equal (troupe_view_count (whole), 2);
    assert_int_equal (troupe_view_enter (whole, &inside), 0);
    assert_int_equal (inside.size, 2);
    whole.reader = NULL;
    assert_int_equal (troupe_view_enter (whole, &inside), -1);
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    bytes_release (&bytes);
    bytes_release (&to_one);
    arena_release (&arena);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_walk),
        cmocka_unit_test (test_fields),
        cmocka_unit_test (test_nested),
        cmocka_unit_test (test_map_walk),
        cmocka_unit_test (test_repeated_key),
        cmocka_unit_test (test_scalar),
        cmocka_unit_test (test_empty_lists),
        cmocka_unit_test (test_incomplete),
        cmocka_unit_test (test_too_much),
        cmocka_unit_test (test_stays_failed),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_limits),
        cmocka_unit_test (test_null),
        cmocka_unit_test (test_packed_in_packed),
        cmocka_unit_test (test_futures_inside),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
