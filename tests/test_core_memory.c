/*  test_core_memory.c - every allocation of src/core fails once, in turn

    Linked with --wrap for malloc, calloc, realloc and free: the n-th
    allocation of a scenario fails, for n = 1, 2... until one needs no n-th. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heap.h"
#include "core/table.h"
#include "core/window.h"
#include "core/value.h"

void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *place, size_t size);
void __real_free (void *place);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *place, size_t size);
void __wrap_free (void *place);

static unsigned s_until;        /*  allocations until one fails; 0: never   */
static bool s_failed;           /*  one failed                              */
static long s_live;             /*  allocated and not freed                 */

static bool
s_fails (void)
{
    if (s_until == 0 || --s_until)
        return false;
    s_failed = true;
    return true;
}

static void *
s_count (void *place)
{
    s_live += place != NULL;
    return place;
}

void *
__wrap_malloc (size_t size)
{
    return s_fails () ? NULL : s_count (__real_malloc (size));
}

void *
__wrap_calloc (size_t count, size_t size)
{
    return s_fails () ? NULL : s_count (__real_calloc (count, size));
}

void *
__wrap_realloc (void *place, size_t size)
{
    if (s_fails ())
        return NULL;
    void *result = __real_realloc (place, size);
    return place ? result : s_count (result);
}

void
__wrap_free (void *place)
{
    s_live -= place != NULL;
    __real_free (place);
}

/*  Runs a scenario with each of its allocations failing. A scenario returns
    0, or -1 where a failed allocation stopped it, having released what it
    had either way.                                                         */
static void
s_walk (int (*scenario) (void), unsigned least)
{
    unsigned failures = 0;
    for (unsigned n = 1;; n++) {
        long live = s_live;
        s_until = n;
        s_failed = false;
        int rc = scenario ();
        s_until = 0;
        assert_int_equal (s_live, live);
        assert_int_equal (rc, s_failed ? -1 : 0);
        if (!s_failed)
            break;
        failures++;
    }
    assert_true (failures >= least);
}

/*  --- containers -------------------------------------------------------  */

static int
s_bytes (void)
{
    bytes_t bytes = { 0 };
    int rc = 0;
    size_t size = 0;
    for (; size < 5000 && rc == 0; size += rc == 0)
        rc = bytes_append (&bytes, "x", 1);
    assert_int_equal (bytes.size, size);
    assert_int_equal (bytes.failed, rc != 0);
    for (size_t index = 0; index < size; index++)
        assert_int_equal (bytes.data [index], 'x');
    bytes_release (&bytes);
    return rc;
}

static int
s_ids (void)
{
    static int thing;
    id_table_t table = { 0 };
    int rc = 0;
    uint64_t count = 0;
    for (; count < 1000 && rc == 0; count += rc == 0)
        rc = id_table_put (&table, (tid_t){ 1, count }, &thing);
    assert_int_equal (table.count, count);
    for (uint64_t key = 0; key < 1000; key++)
        assert_ptr_equal (id_table_get (&table, (tid_t){ 1, key }),
                          key < count ? &thing : NULL);
    assert_ptr_equal (id_table_remove (&table, (tid_t){ 1, 0 }), count ? &thing : NULL);
    id_table_release (&table);
    return rc;
}

/*  A ring that cannot grow leaves the rest to its table.                   */
static int
s_window (void)
{
    static uint64_t numbers [1000];
    window_t window = { 0 };
    int rc = 0;
    uint64_t count = 0;
    for (; count < 1000 && rc == 0; count += rc == 0) {
        numbers [count] = count;
        rc = window_put (&window, &numbers [count]);
    }
    assert_true (rc == 0 || s_failed);
    for (uint64_t number = 0; number < 1000; number++)
        assert_ptr_equal (window_get (&window, number),
                          number < count ? &numbers [number] : NULL);
    for (uint64_t number = 0; number < count; number++)
        assert_ptr_equal (window_remove (&window, number), &numbers [number]);
    window_release (&window);
    return s_failed ? -1 : 0;
}

static int
s_names (void)
{
    static int thing;
    char name [16];
    name_table_t table = { 0 };
    int rc = 0;
    int count = 0;
    for (; count < 100 && rc == 0; count += rc == 0) {
        int length = snprintf (name, sizeof name, "n%d", count);
        rc = name_table_put (&table, name, (size_t) length, &thing);
    }
    assert_int_equal (table.count, count);
    for (int index = 0; index < 100; index++) {
        int length = snprintf (name, sizeof name, "n%d", index);
        assert_ptr_equal (name_table_get (&table, name, (size_t) length),
                          index < count ? &thing : NULL);
    }
    name_table_release (&table);
    return rc;
}

static int
s_heap (void)
{
    heap_node_t nodes [100];
    heap_t heap = { 0 };
    int rc = 0;
    size_t count = 0;
    for (; count < 100 && rc == 0; count += rc == 0) {
        nodes [count] = (heap_node_t){ 100 - (int64_t) count, 0 };
        rc = heap_update (&heap, &nodes [count]);
    }
    assert_int_equal (heap.count, count);
    if (rc)
        assert_int_equal (nodes [count].place, 0);
    if (count)
        assert_ptr_equal (heap_first (&heap), &nodes [count - 1]);
    heap_release (&heap);
    return rc;
}

static int
s_arena (void)
{
    arena_t arena = { 0 };
    int rc = 0;
    for (size_t size = 1; size < 3000 && rc == 0; size += 17) {
        void *place = arena_alloc (&arena, size);
        rc = place ? 0 : -1;
        if (place)
            memset (place, 1, size);
    }
    arena_release (&arena);
    return rc;
}

/*  --- values -----------------------------------------------------------  */

static const double s_doubles [100];

/*  A writer that needs no memory of its own.                               */
static int
s_put_future (void *context, bytes_t *out, troupe_future_t *future, bool handle, fault_t *fault)
{
    (void) context;
    (void) future;
    if (value_put_reference (out, (tid_t){ 1, 2 }, handle))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for a future");
    return 0;
}

static int
s_put_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    (void) context;
    (void) actor;
    actor_reference_t reference = { { 1, 2 }, 3, 4, 5, "name", 4 };
    if (value_put_actor (out, &reference))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for an actor");
    return 0;
}

static const value_writer_t s_writer = { .future = s_put_future, .actor = s_put_actor };

/*  Writes one argument into a buffer that is full up to `room` bytes, so
    that each of its parts is the one that does not fit in turn.            */
static int
s_write_tight (const troupe_arg_t *arg, size_t room)
{
    uint8_t filling [64] = { 0 };
    bytes_t bytes = { 0 };
    fault_t fault = { TROUPE_OK, "" };
    int rc = bytes_append (&bytes, filling, sizeof filling - room);
    if (rc == 0) {
        size_t before = bytes.size;
        rc = value_write (&bytes, arg, &s_writer, &fault);
        if (rc) {
            assert_int_equal (fault.code, TROUPE_ENOMEM);
            assert_true (strlen (fault.text) > 0);
            assert_int_equal (bytes.size, before);
        }
    }
    bytes_release (&bytes);
    return rc;
}

static troupe_arg_t s_arg;
static size_t s_room;

static int
s_write_one (void)
{
    return s_write_tight (&s_arg, s_room);
}

static void
test_write (void **state)
{
    (void) state;
    static int thing;
    static const char *const words [] = { "one", NULL, "three" };
    static const uint8_t encoded [] = { 0x92, 0x01, 0xa2, 'a', 'b' };
    troupe_future_t *future = (troupe_future_t *) (void *) &thing;
    troupe_future_t *futures [] = { future, future };
    const troupe_arg_t args [] = {
        troupe_nil (),
        TROUPE_ARG ((bool) true),
        TROUPE_ARG (INT64_C (-5000000000)),
        TROUPE_ARG (UINT64_MAX),
        TROUPE_ARG (0.5),
        TROUPE_ARG ("a string"),
        troupe_bytes ("some bytes", 10),
        troupe_doubles (s_doubles, 3),
        troupe_strings (words, 3),
        troupe_futures (futures, 2),
        TROUPE_ARG (future),
        troupe_handle (future),
        TROUPE_ARG ((troupe_actor_t *) (void *) &thing),
        troupe_arg_pointer_ (TROUPE_ARG_VALUE, encoded, sizeof encoded),
    };
    for (size_t index = 0; index < sizeof args / sizeof args [0]; index++)
        for (s_room = 0; s_room < 48; s_room++) {
            s_arg = args [index];
            s_walk (s_write_one, 1);
        }
}

static int
s_write_args (void)
{
    troupe_arg_t args [] = { TROUPE_ARG ("text"), troupe_doubles (s_doubles, 100),
                             TROUPE_ARG (7) };
    bytes_t bytes = { 0 };
    fault_t fault = { TROUPE_OK, "" };
    int rc = value_write_args (&bytes, args, 3, NULL, &fault);
    assert_int_equal (fault.code, rc ? TROUPE_ENOMEM : TROUPE_OK);
    if (rc)
        assert_int_equal (bytes.size, 0);
    else
        assert_int_equal (value_check (bytes.data, bytes.size, true), bytes.size);
    bytes_release (&bytes);
    return rc;
}

/*  --- reading ----------------------------------------------------------  */

/*  ["text", "copy", ["a", nil, "b"], [1, 2], "second copy"]                */
static const uint8_t s_list [] = "\x95\xa4text\xa4" "copy\x93\xa1" "a\xc0\xa1" "b\x92\x01\x02"
                                 "\xab" "second copy";

static int
s_read (void)
{
    const char *text;
    char *copies [2];
    troupe_strings_t strings;
    troupe_int64s_t numbers;
    const troupe_out_t outs [] = { TROUPE_OUT (&text), TROUPE_OUT (&copies [0]),
                                   TROUPE_OUT (&strings), TROUPE_OUT (&numbers),
                                   TROUPE_OUT (&copies [1]) };
    arena_t arena = { 0 };
    value_reader_t reader = { .arena = &arena };
    fault_t fault = { TROUPE_OK, "" };
    int rc = value_read_list (s_list, sizeof s_list - 1, outs, 5, "argument", &reader, &fault);
    if (rc) {
        assert_int_equal (fault.code, TROUPE_ENOMEM);
        assert_non_null (strstr (fault.text, "no memory"));
        assert_null (copies [0]);
        assert_null (copies [1]);
    } else {
        assert_string_equal (text, "text");
        assert_string_equal (copies [0], "copy");
        assert_string_equal (copies [1], "second copy");
        assert_string_equal (strings.items [2], "b");
        assert_int_equal (numbers.items [1], 2);
        free (copies [0]);
        free (copies [1]);
    }
    arena_release (&arena);
    return rc;
}

/*  --- packer -----------------------------------------------------------  */

static int
s_pack (void)
{
    troupe_packer_t *packer = troupe_packer_new ();
    if (!packer) {
        assert_int_equal (troupe_error_code (), TROUPE_ENOMEM);
        return -1;
    }
    int rc = troupe_pack_list (packer, 300);
    for (int index = 0; index < 150 && rc == 0; index++) {
        rc = troupe_pack (packer, "some text");
        if (rc == 0)
            rc = troupe_pack_map (packer, 0);
    }
    troupe_arg_t arg = troupe_packed (packer);
    if (rc) {
        assert_int_equal (troupe_error_code (), TROUPE_ENOMEM);
        assert_int_equal (arg.type, TROUPE_ARG_ERROR);
        assert_int_equal (arg.count, TROUPE_ENOMEM);
        assert_int_equal (troupe_pack (packer, 1), -1);
    } else
        assert_int_equal (value_check (arg.as.pointer, arg.count, true), arg.count);
    troupe_packer_destroy (&packer);
    return rc;
}

static int
s_copy_packed (void)
{
    troupe_packer_t *packer = troupe_packer_new ();
    bytes_t bytes = { 0 };
    fault_t fault = { TROUPE_OK, "" };
    int rc = packer ? troupe_pack_list (packer, 3) : -1;
    for (int index = 0; index < 3 && rc == 0; index++)
        rc = troupe_pack (packer, troupe_doubles (s_doubles, 20));
    if (rc == 0) {
        troupe_arg_t arg = troupe_packed (packer);
        rc = bytes_append (&bytes, "abc", 3);
        if (rc == 0 && (rc = value_write (&bytes, &arg, NULL, &fault))) {
            assert_int_equal (fault.code, TROUPE_ENOMEM);
            assert_int_equal (bytes.size, 3);
        }
    }
    bytes_release (&bytes);
    troupe_packer_destroy (&packer);
    return rc;
}

/*  --- the walks --------------------------------------------------------  */

static void
test_containers (void **state)
{
    (void) state;
    s_walk (s_bytes, 5);
    s_walk (s_ids, 6);
    s_walk (s_window, 5);
    s_walk (s_names, 100);
    s_walk (s_heap, 3);
    s_walk (s_arena, 3);
}

static void
test_values (void **state)
{
    (void) state;
    s_walk (s_write_args, 2);
    s_walk (s_read, 3);
}

static void
test_packer (void **state)
{
    (void) state;
    s_walk (s_pack, 5);
    s_walk (s_copy_packed, 5);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_containers),
        cmocka_unit_test (test_write),
        cmocka_unit_test (test_values),
        cmocka_unit_test (test_packer),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
