/*  test_value.c - values: every type there and back, every fault, and input
    that means harm                                                         */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/value.h"

#define COUNT(array_) (sizeof (array_) / sizeof (array_) [0])

/*  One thread has no races: ThreadSanitizer only makes it slow.            */
#if defined (__SANITIZE_THREAD__)
#define MUTATIONS 20000
#else
#define MUTATIONS 200000
#endif

/*  --- fixture: futures and actors that are names only ------------------  */

/*  What the futures 0, 1, 2... stand for.                                  */
typedef struct {
    bytes_t blocks [8];
    unsigned handles;           /*  handles made                            */
    unsigned allowed;           /*  handles that may be made                */
} world_t;

static int s_things [8];

static int
s_put_future (void *context, bytes_t *out, troupe_future_t *future, bool handle, fault_t *fault)
{
    (void) context;
    size_t number = (size_t) ((int *) (void *) future - s_things);
    if (number == 7)
        return fault_set (fault, TROUPE_ELIMIT, "seven is too many");
    return value_put_reference (out, (tid_t){ 1, number }, handle);
}

static int
s_put_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    (void) context;
    (void) fault;
    size_t number = (size_t) ((int *) (void *) actor - s_things);
    actor_reference_t reference = { { 9, number }, 8, 7, 6, "counter", 7 };
    return value_put_actor (out, &reference);
}

static const uint8_t *
s_resolve (void *context, tid_t id, size_t *size, fault_t *fault)
{
    world_t *world = context;
    bytes_t *block = id.sequence < 8 ? &world->blocks [id.sequence] : NULL;
    if (!block || !block->size) {
        fault_set (fault, TROUPE_ELOST, "future %u is gone", (unsigned) id.sequence);
        return NULL;
    }
    *size = block->size;
    return block->data;
}

static bool
s_one_more (world_t *world, fault_t *fault)
{
    if (world->handles < world->allowed) {
        world->handles++;
        return true;
    }
    fault_set (fault, TROUPE_ENOMEM, "no more handles");
    return false;
}

static troupe_future_t *
s_get_future (void *context, tid_t id, fault_t *fault)
{
    return s_one_more (context, fault)
               ? (troupe_future_t *) (void *) &s_things [id.sequence % 8]
               : NULL;
}

static troupe_actor_t *
s_get_actor (void *context, const actor_reference_t *actor, fault_t *fault)
{
    return s_one_more (context, fault)
               ? (troupe_actor_t *) (void *) &s_things [actor->id.sequence % 8]
               : NULL;
}

static const value_writer_t s_writer = { .future = s_put_future, .actor = s_put_actor };

typedef struct {
    world_t world;
    arena_t arena;
    value_reader_t reader;
    bytes_t bytes;
    fault_t fault;
} fixture_t;

static int
s_setup (void **state)
{
    fixture_t *self = calloc (1, sizeof *self);
    if (!self)
        return -1;
    self->world.allowed = 100;
    self->reader = (value_reader_t){ &self->world, &self->arena, s_resolve, NULL, s_get_future,
                                     s_get_actor };
    *state = self;
    return 0;
}

static int
s_teardown (void **state)
{
    fixture_t *self = *state;
    for (size_t index = 0; index < 8; index++)
        bytes_release (&self->world.blocks [index]);
    bytes_release (&self->bytes);
    arena_release (&self->arena);
    free (self);
    return 0;
}

static troupe_future_t *
s_future (size_t number)
{
    return (troupe_future_t *) (void *) &s_things [number];
}

static troupe_actor_t *
s_actor (size_t number)
{
    return (troupe_actor_t *) (void *) &s_things [number];
}

/*  Writes one value alone in the fixture's buffer.                         */
static void
s_encode (fixture_t *self, troupe_arg_t arg)
{
    bytes_clear (&self->bytes);
    assert_int_equal (value_write (&self->bytes, &arg, &s_writer, &self->fault), 0);
    assert_int_equal (value_check (self->bytes.data, self->bytes.size, true), self->bytes.size);
}

#define ENCODE(self_, value_) s_encode ((self_), TROUPE_ARG (value_))

static int
s_decode (fixture_t *self, troupe_out_t out)
{
    size_t offset = 0;
    int rc = value_read (self->bytes.data, self->bytes.size, &offset, out, &self->reader,
                         &self->fault);
    assert_int_equal (offset, rc ? 0 : self->bytes.size);
    return rc;
}

#define DECODE(self_, place_) s_decode ((self_), TROUPE_OUT (place_))

static void
s_assert_fault (const fixture_t *self, troupe_error_t code, const char *text)
{
    assert_string_equal (self->fault.text, text);
    assert_int_equal (self->fault.code, code);
}

/*  Sets what a future stands for.                                          */
static void
s_stand (fixture_t *self, size_t number, troupe_arg_t arg)
{
    bytes_clear (&self->world.blocks [number]);
    assert_int_equal (
        value_write (&self->world.blocks [number], &arg, &s_writer, &self->fault), 0);
}

/*  --- there and back ---------------------------------------------------  */

#define ASSERT_INTEGER(type_, text_)                                                         \
    do {                                                                                     \
        type_ place = 0;                                                                     \
        int rc = DECODE (self, &place);                                                      \
        bool fits = !negative ? number <= (uint64_t) text_##_MAX                             \
                              : text_##_MIN < 0 && (int64_t) number >= (int64_t) text_##_MIN; \
        assert_int_equal (rc, fits ? 0 : -1);                                                \
        if (fits)                                                                            \
            assert_true ((uint64_t) place == number);                                        \
        else                                                                                 \
            assert_non_null (strstr (self->fault.text, "wanted integer from "));             \
    } while (0)

#define UINT8_MIN 0
#define UINT16_MIN 0
#define UINT32_MIN 0
#define UINT64_MIN 0

static void
s_check_integer (fixture_t *self, bool negative, uint64_t number)
{
    if (negative)
        ENCODE (self, (int64_t) number);
    else
        ENCODE (self, number);
    ASSERT_INTEGER (int8_t, INT8);
    ASSERT_INTEGER (int16_t, INT16);
    ASSERT_INTEGER (int32_t, INT32);
    ASSERT_INTEGER (int64_t, INT64);
    ASSERT_INTEGER (uint8_t, UINT8);
    ASSERT_INTEGER (uint16_t, UINT16);
    ASSERT_INTEGER (uint32_t, UINT32);
    ASSERT_INTEGER (uint64_t, UINT64);
}

static void
test_integers (void **state)
{
    fixture_t *self = *state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t step = 0; step < 5; step++) {
            uint64_t number = (UINT64_C (1) << bit) + step - 2;
            s_check_integer (self, false, number);
            if (number && number <= UINT64_C (1) << 63)
                s_check_integer (self, true, 0 - number);
        }
    s_check_integer (self, false, UINT64_MAX);
    ENCODE (self, 12);
    assert_int_equal (self->bytes.size, 1);
}

static void
test_integer_faults (void **state)
{
    fixture_t *self = *state;
    int8_t small;
    uint16_t medium;
    int64_t large;
    ENCODE (self, 128);
    assert_int_equal (DECODE (self, &small), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted integer from -128 to 127, got 128");
    ENCODE (self, -1);
    assert_int_equal (DECODE (self, &medium), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted integer from 0 to 65535, got -1");
    ENCODE (self, UINT64_MAX);
    assert_int_equal (DECODE (self, &large), -1);
    s_assert_fault (self, TROUPE_ETYPE,
                    "wanted integer from -9223372036854775808 to 9223372036854775807, "
                    "got 18446744073709551615");
    ENCODE (self, 2.5);
    assert_int_equal (DECODE (self, &large), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted integer, got real 2.5");
}

/*  A real without a fraction is an integer too, if it is in range.         */
static void
test_integers_from_reals (void **state)
{
    fixture_t *self = *state;
    static const double wrong []
        = { 0.5, -0.5, 1e-300, 0x1p64, -0x1p64, 1e300, -1e300, INFINITY, -INFINITY, NAN };
    int64_t number;
    uint64_t unsigned_number;
    for (size_t index = 0; index < COUNT (wrong); index++) {
        ENCODE (self, wrong [index]);
        assert_int_equal (DECODE (self, &number), -1);
        assert_int_equal (DECODE (self, &unsigned_number), -1);
        assert_int_equal (self->fault.code, TROUPE_ETYPE);
    }
    ENCODE (self, -3.0);
    assert_int_equal (DECODE (self, &number), 0);
    assert_true (number == -3);
    assert_int_equal (DECODE (self, &unsigned_number), -1);
    s_assert_fault (self, TROUPE_ETYPE,
                    "wanted integer from 0 to 18446744073709551615, got -3");
    ENCODE (self, -0.0);
    assert_int_equal (DECODE (self, &unsigned_number), 0);
    assert_true (unsigned_number == 0);
    ENCODE (self, -0x1p63);
    assert_int_equal (DECODE (self, &number), 0);
    assert_true (number == INT64_MIN);
    ENCODE (self, 0x1p63);
    assert_int_equal (DECODE (self, &number), -1);
    assert_int_equal (DECODE (self, &unsigned_number), 0);
    assert_true (unsigned_number == UINT64_C (1) << 63);
}

static void
test_reals (void **state)
{
    fixture_t *self = *state;
    static const double reals [] = { 0.0, 1.5, -2.25, 1e300, DBL_MIN, DBL_MAX, -DBL_MAX, 0.1,
                                     INFINITY, -INFINITY };
    double place;
    float single;
    for (size_t index = 0; index < COUNT (reals); index++) {
        ENCODE (self, reals [index]);
        assert_int_equal (DECODE (self, &place), 0);
        assert_memory_equal (&place, &reals [index], sizeof place);
        bool fits = fabs (reals [index]) <= (double) FLT_MAX || isinf (reals [index]);
        assert_int_equal (DECODE (self, &single), fits ? 0 : -1);
        if (fits)
            assert_true (single <= (float) reals [index] && single >= (float) reals [index]);
    }
    ENCODE (self, NAN);
    assert_int_equal (DECODE (self, &place), 0);
    assert_true (isnan (place));
    ENCODE (self, 1e300);
    assert_int_equal (DECODE (self, &single), -1);
    assert_non_null (strstr (self->fault.text, "wanted real that fits a float, got 1"));
    bytes_clear (&self->bytes);
    assert_int_equal (bytes_append (&self->bytes, "\xca\x3f\xc0\x00\x00", 5), 0);
    assert_int_equal (DECODE (self, &place), 0);
    assert_true (place >= 1.5 && place <= 1.5);
}

static void
test_reals_from_integers (void **state)
{
    fixture_t *self = *state;
    double place;
    float single;
    for (unsigned bit = 0; bit < 63; bit++) {
        int64_t number = -(INT64_C (1) << bit);
        ENCODE (self, number);
        assert_int_equal (DECODE (self, &place), 0);
        assert_true ((int64_t) place == number);
        assert_int_equal (DECODE (self, &single), 0);
        assert_true ((int64_t) single == number);
    }
    ENCODE (self, INT64_C (9007199254740993));
    assert_int_equal (DECODE (self, &place), -1);
    s_assert_fault (self, TROUPE_ETYPE,
                    "wanted real, got integer 9007199254740993 that has no exact real");
    ENCODE (self, -16777217);
    assert_int_equal (DECODE (self, &place), 0);
    assert_int_equal (DECODE (self, &single), -1);
    s_assert_fault (self, TROUPE_ETYPE,
                    "wanted real, got integer -16777217 that has no exact real");
    ENCODE (self, UINT64_MAX);
    assert_int_equal (DECODE (self, &place), -1);
}

static void
test_bools_and_nil (void **state)
{
    fixture_t *self = *state;
    bool place = false;
    const char *text = "";
    ENCODE (self, (bool) true);
    assert_int_equal (DECODE (self, &place), 0);
    assert_true (place);
    ENCODE (self, (bool) false);
    assert_int_equal (DECODE (self, &place), 0);
    assert_false (place);
    ENCODE (self, troupe_nil ());
    assert_int_equal (DECODE (self, &place), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted bool, got nil");
    assert_int_equal (DECODE (self, &text), 0);
    assert_null (text);
    ENCODE (self, (const char *) NULL);
    assert_int_equal (DECODE (self, &text), 0);
    assert_null (text);
}

static void
test_strings_and_bytes (void **state)
{
    fixture_t *self = *state;
    static const size_t sizes [] = { 0, 1, 31, 32, 255, 256, 65535, 65536, 200000 };
    char *text = malloc (200001);
    assert_non_null (text);
    for (size_t index = 0; index < COUNT (sizes); index++) {
        const char *borrowed = NULL;
        char *copy = NULL;
        troupe_bytes_t range;
        size_t size = sizes [index];
        memset (text, 'a' + (int) index, size);
        text [size] = 0;
        ENCODE (self, text);
        assert_int_equal (DECODE (self, &borrowed), 0);
        assert_string_equal (borrowed, text);
        assert_int_equal (DECODE (self, &copy), 0);
        assert_string_equal (copy, text);
        free (copy);
        assert_int_equal (DECODE (self, &range), 0);
        assert_int_equal (range.size, size);
        assert_memory_equal (range.data, text, size);

        ENCODE (self, troupe_bytes (text, size));
        assert_int_equal (DECODE (self, &range), 0);
        assert_int_equal (range.size, size);
        assert_memory_equal (range.data, text, size);
        assert_int_equal (DECODE (self, &borrowed), -1);
        s_assert_fault (self, TROUPE_ETYPE, "wanted string, got bytes");
    }
    free (text);
}

static void
test_nul_inside (void **state)
{
    fixture_t *self = *state;
    const char *borrowed = NULL;
    char *copy = NULL;
    s_encode (self, troupe_arg_pointer_ (TROUPE_ARG_STRING, "a\0b", 3));
    assert_int_equal (DECODE (self, &borrowed), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted string, got string with a NUL inside");
    assert_int_equal (DECODE (self, &copy), -1);
    assert_null (copy);
}

static void
test_string_lists (void **state)
{
    fixture_t *self = *state;
    const char *items [] = { "one", NULL, "", "four" };
    troupe_strings_t strings = { NULL, 0 };
    ENCODE (self, troupe_strings (items, 4));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_int_equal (strings.count, 4);
    assert_string_equal (strings.items [0], "one");
    assert_null (strings.items [1]);
    assert_string_equal (strings.items [2], "");
    assert_string_equal (strings.items [3], "four");
    ENCODE (self, troupe_strings (NULL, 0));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_int_equal (strings.count, 0);
    ENCODE (self, 5);
    assert_int_equal (DECODE (self, &strings), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted list of strings, got integer");
    bytes_clear (&self->bytes);
    assert_int_equal (bytes_append (&self->bytes, "\x92\xa1x\x07", 4), 0);
    assert_int_equal (DECODE (self, &strings), -1);
    s_assert_fault (self, TROUPE_ETYPE, "element 2: wanted string, got integer");
}

/*  --- arrays of numbers ------------------------------------------------  */

static void
s_fill_array (uint8_t *items, size_t size)
{
    for (size_t index = 0; index < size; index++)
        items [index] = (uint8_t) (index * 31 + index / 256);
}

/*  Writes an array behind `before` other bytes, and reads it in place.     */
static void
s_check_array (fixture_t *self, troupe_arg_type_t type, const uint8_t *items, size_t count,
               size_t before)
{
    static const uint8_t other [64];
    troupe_arg_t arg = troupe_arg_pointer_ (type, items, count);
    bytes_t *bytes = &self->bytes;
    bytes_clear (bytes);
    assert_int_equal (bytes_append (bytes, other, before), 0);
    assert_int_equal (value_write (bytes, &arg, NULL, &self->fault), 0);
    size_t base = before / 8 * 8;
    size_t offset = before;
    msgpack_token_t token;
    assert_int_equal (token_next (bytes->data, bytes->size, &offset, &token), 0);
    assert_int_equal (offset, bytes->size);
    assert_int_equal (token.type, TROUPE_NUMBERS);
    assert_int_equal (token.count, count);
    assert_int_equal ((size_t) (token.data - (bytes->data + base)) % 8, 0);
    assert_memory_equal (token.data, items, token.size);
    if (before % 8 == 0)
        assert_int_equal (value_check (bytes->data + before, bytes->size - before, true),
                          bytes->size - before);

    static const troupe_out_type_t outs []
        = { TROUPE_OUT_INT32S, TROUPE_OUT_INT64S, TROUPE_OUT_FLOATS, TROUPE_OUT_DOUBLES };
    for (size_t index = 0; index < 4; index++) {
        troupe_int64s_t place;
        troupe_out_t out = { outs [index], &place };
        offset = before;
        bool same = type - TROUPE_ARG_INT32S == index;
        assert_int_equal (
            value_read (bytes->data, bytes->size, &offset, out, NULL, &self->fault),
            same ? 0 : -1);
        if (same) {
            assert_ptr_equal (place.items, token.data);
            assert_int_equal (place.count, count);
        }
    }
}

static void
test_arrays (void **state)
{
    fixture_t *self = *state;
    uint8_t items [8 * 140];
    s_fill_array (items, sizeof items);
    for (troupe_arg_type_t type = TROUPE_ARG_INT32S; type <= TROUPE_ARG_DOUBLES; type++)
        for (size_t count = 0; count < 140; count++)
            for (size_t before = 0; before < 17; before++)
                s_check_array (self, type, items, count, before);
}

static void
test_large_arrays (void **state)
{
    fixture_t *self = *state;
    size_t most = 70000;
    uint8_t *items = malloc (most);
    assert_non_null (items);
    s_fill_array (items, most);
    for (size_t size = 65504; size <= 65568; size += 8)
        for (size_t before = 0; before < 9; before++) {
            s_check_array (self, TROUPE_ARG_INT32S, items, size / 4, before);
            s_check_array (self, TROUPE_ARG_DOUBLES, items, size / 8, before);
        }
    s_check_array (self, TROUPE_ARG_FLOATS, items, most / 4, 3);
    free (items);
}

/*  Numbers that lie at an odd address are copied before they are read.     */
static void
test_unaligned_arrays (void **state)
{
    fixture_t *self = *state;
    static const int32_t items [] = { 1, -2, 3 };
    troupe_int32s_t place;
    ENCODE (self, troupe_int32s (items, 3));
    uint8_t *odd = malloc (self->bytes.size + 1);
    assert_non_null (odd);
    memcpy (odd + 1, self->bytes.data, self->bytes.size);
    size_t offset = 0;
    assert_int_equal (value_read (odd + 1, self->bytes.size, &offset, TROUPE_OUT (&place),
                                  &self->reader, &self->fault),
                      0);
    assert_int_equal (place.count, 3);
    assert_int_equal ((uintptr_t) place.items % sizeof (int32_t), 0);
    assert_memory_equal (place.items, items, sizeof items);
    offset = 0;
    assert_int_equal (value_read (odd + 1, self->bytes.size, &offset, TROUPE_OUT (&place), NULL,
                                  &self->fault),
                      -1);
    free (odd);
}

static void
test_array_faults (void **state)
{
    fixture_t *self = *state;
    static const double items [] = { 1, 2 };
    troupe_int64s_t place;
    troupe_bytes_t range;
    int64_t number;
    ENCODE (self, troupe_doubles (items, 2));
    assert_int_equal (DECODE (self, &place), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted array of int64, got array of double");
    assert_int_equal (DECODE (self, &number), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted integer, got array of double");
    assert_int_equal (DECODE (self, &range), 0);
    assert_int_equal (range.size, sizeof items);
    assert_memory_equal (range.data, items, sizeof items);
    ENCODE (self, "text");
    assert_int_equal (DECODE (self, &place), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted array of int64, got string");
}

static void
test_arrays_from_lists (void **state)
{
    fixture_t *self = *state;
    troupe_int32s_t int32s;
    troupe_int64s_t int64s;
    troupe_floats_t floats;
    troupe_doubles_t doubles;
    troupe_arg_t args [] = { TROUPE_ARG (1), TROUPE_ARG (-70000), TROUPE_ARG (3.0) };
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, 3, NULL, &self->fault), 0);
    assert_int_equal (DECODE (self, &int32s), 0);
    assert_int_equal (DECODE (self, &int64s), 0);
    assert_int_equal (DECODE (self, &floats), 0);
    assert_int_equal (DECODE (self, &doubles), 0);
    static const int expected [] = { 1, -70000, 3 };
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal (int32s.items [index], expected [index]);
        assert_int_equal (int64s.items [index], expected [index]);
        assert_int_equal ((int) floats.items [index], expected [index]);
        assert_int_equal ((int) doubles.items [index], expected [index]);
    }
    assert_int_equal (int32s.count, 3);
    args [2] = TROUPE_ARG (INT64_C (1) << 40);
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, 3, NULL, &self->fault), 0);
    assert_int_equal (DECODE (self, &int32s), -1);
    s_assert_fault (self, TROUPE_ETYPE,
                    "element 3: wanted integer from -2147483648 to 2147483647, "
                    "got 1099511627776");
    args [1] = TROUPE_ARG ("x");
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, 3, NULL, &self->fault), 0);
    assert_int_equal (DECODE (self, &doubles), -1);
    s_assert_fault (self, TROUPE_ETYPE, "element 2: wanted real, got string");
}

/*  --- futures and actors -----------------------------------------------  */

static void
test_references (void **state)
{
    fixture_t *self = *state;
    size_t offset = 0;
    msgpack_token_t token;
    troupe_future_t *future = NULL;
    ENCODE (self, troupe_handle (s_future (3)));
    assert_int_equal (token_next (self->bytes.data, self->bytes.size, &offset, &token), 0);
    assert_int_equal (token.type, TROUPE_FUTURE);
    assert_true (token.handle);
    assert_true (tid_equal (token_reference (&token), (tid_t){ 1, 3 }));
    assert_int_equal (DECODE (self, &future), 0);
    assert_ptr_equal (future, s_future (3));
    ENCODE (self, 1);
    assert_int_equal (DECODE (self, &future), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted future, got integer");
    assert_null (future);
}

static void
test_actors (void **state)
{
    fixture_t *self = *state;
    size_t offset = 0;
    msgpack_token_t token;
    actor_reference_t reference;
    troupe_actor_t *actor = NULL;
    ENCODE (self, s_actor (5));
    assert_int_equal (token_next (self->bytes.data, self->bytes.size, &offset, &token), 0);
    assert_int_equal (token_actor (&token, &reference), 0);
    assert_true (tid_equal (reference.id, (tid_t){ 9, 5 }));
    assert_true (reference.worker == 8 && reference.number == 7 && reference.signature == 6);
    assert_int_equal (reference.class_length, 7);
    assert_memory_equal (reference.class_name, "counter", 7);
    assert_int_equal (DECODE (self, &actor), 0);
    assert_ptr_equal (actor, s_actor (5));
    ENCODE (self, "no");
    assert_int_equal (DECODE (self, &actor), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted actor, got string");
    self->world.allowed = 0;
    ENCODE (self, s_actor (5));
    assert_int_equal (DECODE (self, &actor), -1);
    s_assert_fault (self, TROUPE_ENOMEM, "no more handles");
    self->reader.actor = NULL;
    assert_int_equal (DECODE (self, &actor), -1);
    assert_int_equal (self->fault.code, TROUPE_EINVAL);
}

static void
test_resolved (void **state)
{
    fixture_t *self = *state;
    int number = 0;
    const char *text = NULL;
    troupe_strings_t strings;
    troupe_future_t *future = NULL;
    const char *items [] = { "a", "b" };
    s_stand (self, 0, TROUPE_ARG (42));
    s_stand (self, 1, TROUPE_ARG (s_future (0)));
    s_stand (self, 2, troupe_strings (items, 2));
    s_stand (self, 3, TROUPE_ARG ("word"));
    s_stand (self, 4, troupe_handle (s_future (6)));
    ENCODE (self, s_future (0));
    assert_int_equal (DECODE (self, &number), 0);
    assert_int_equal (number, 42);
    ENCODE (self, s_future (1));
    number = 0;
    assert_int_equal (DECODE (self, &number), 0);
    assert_int_equal (number, 42);
    assert_int_equal (DECODE (self, &text), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted string, got integer");
    ENCODE (self, s_future (2));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_string_equal (strings.items [1], "b");
    troupe_future_t *futures [] = { s_future (3), s_future (3) };
    ENCODE (self, troupe_futures (futures, 2));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_int_equal (strings.count, 2);
    assert_string_equal (strings.items [0], "word");
    assert_string_equal (strings.items [1], "word");
    ENCODE (self, s_future (4));
    assert_int_equal (DECODE (self, &future), 0);
    assert_ptr_equal (future, s_future (6));
}

static void
test_resolve_faults (void **state)
{
    fixture_t *self = *state;
    int number = 0;
    ENCODE (self, s_future (5));
    assert_int_equal (DECODE (self, &number), -1);
    s_assert_fault (self, TROUPE_ELOST, "future 5 is gone");
    s_stand (self, 5, TROUPE_ARG (s_future (5)));
    assert_int_equal (DECODE (self, &number), -1);
    s_assert_fault (self, TROUPE_ELIMIT, "too many futures of futures");
    self->reader.resolve = NULL;
    assert_int_equal (DECODE (self, &number), -1);
    assert_int_equal (self->fault.code, TROUPE_EINVAL);
    size_t offset = 0;
    assert_int_equal (value_read (self->bytes.data, self->bytes.size, &offset,
                                  TROUPE_OUT (&number), NULL, &self->fault),
                      -1);
    assert_int_equal (self->fault.code, TROUPE_EINVAL);
}

static void
test_write_faults (void **state)
{
    fixture_t *self = *state;
    troupe_future_t *futures [] = { s_future (1), s_future (7), NULL };
    const struct {
        troupe_arg_t arg;
        troupe_error_t code;
        const char *text;
    } cases [] = {
        { troupe_futures (futures, 2), TROUPE_ELIMIT, "seven is too many" },
        { troupe_futures (futures + 2, 1), TROUPE_EINVAL, "the future is NULL" },
        { troupe_handle (NULL), TROUPE_EINVAL, "the future is NULL" },
        { troupe_arg_actor (NULL), TROUPE_EINVAL, "the actor is NULL" },
        { troupe_bytes (NULL, 3), TROUPE_EINVAL, "a range of 3 has no address" },
        { troupe_doubles (NULL, 3), TROUPE_EINVAL, "a range of 3 has no address" },
        { troupe_strings (NULL, 3), TROUPE_EINVAL, "a range of 3 has no address" },
        { troupe_bytes ("x", SIZE_MAX), TROUPE_ESIZE,
          "value too large: 18446744073709551615 bytes" },
        { troupe_doubles ((const double *) (void *) s_things, SIZE_MAX / 8 + 2), TROUPE_ESIZE,
          "value too large: 2305843009213693953 numbers" },
        { troupe_strings ((const char *const *) (void *) s_things, UINT64_C (1) << 32),
          TROUPE_ESIZE, "value too large: 4294967296 elements" },
        { TROUPE_WITH (.retries = 1), TROUPE_EINVAL, "options are not a value" },
        { troupe_arg_pointer_ ((troupe_arg_type_t) 77, NULL, 0), TROUPE_EINVAL,
          "unknown type of argument: 77" },
        { troupe_arg_pointer_ (TROUPE_ARG_END, NULL, 0), TROUPE_EINVAL,
          "unknown type of argument: 0" },
        { troupe_arg_pointer_ (TROUPE_ARG_ERROR, NULL, TROUPE_ELIMIT), TROUPE_ELIMIT,
          "limit reached" },
        { troupe_arg_pointer_ (TROUPE_ARG_ERROR, "why", TROUPE_ENOMEM), TROUPE_ENOMEM, "why" },
        { troupe_arg_pointer_ (TROUPE_ARG_ERROR, "what", 12345), TROUPE_EINVAL, "what" },
    };
    for (size_t index = 0; index < COUNT (cases); index++) {
        bytes_clear (&self->bytes);
        assert_int_equal (bytes_append (&self->bytes, "kept", 4), 0);
        assert_int_equal (
            value_write (&self->bytes, &cases [index].arg, &s_writer, &self->fault), -1);
        s_assert_fault (self, cases [index].code, cases [index].text);
        assert_int_equal (self->bytes.size, 4);
    }
    troupe_arg_t args [] = { TROUPE_ARG (s_future (1)), TROUPE_ARG (s_actor (1)) };
    for (size_t index = 0; index < 2; index++) {
        assert_int_equal (value_write (&self->bytes, &args [index], NULL, &self->fault), -1);
        assert_int_equal (self->fault.code, TROUPE_EINVAL);
        assert_int_equal (self->bytes.size, 4);
    }
}

static void
test_put_faults (void **state)
{
    fixture_t *self = *state;
    actor_reference_t reference = { { 1, 1 }, 1, 1, 1, "", 0 };
    assert_int_equal (value_put_actor (&self->bytes, &reference), -1);
    reference.class_length = TROUPE_NAME_MAX + 1;
    assert_int_equal (value_put_actor (&self->bytes, &reference), -1);
    assert_int_equal (value_put_array (&self->bytes, (size_t) UINT32_MAX + 1), -1);
    assert_int_equal (value_put_map (&self->bytes, (size_t) UINT32_MAX + 1), -1);
    assert_int_equal (value_put_string (&self->bytes, "", (size_t) UINT32_MAX + 1), -1);
    assert_int_equal (self->bytes.size, 0);
}

/*  --- lists of values --------------------------------------------------  */

static void
s_encode_args (fixture_t *self, const troupe_arg_t *args, size_t count)
{
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, count, &s_writer, &self->fault), 0);
    assert_int_equal (value_check (self->bytes.data, self->bytes.size, true), self->bytes.size);
}

static int
s_decode_args (fixture_t *self, const char *what, const troupe_out_t *outs, size_t count)
{
    return value_read_list (self->bytes.data, self->bytes.size, outs, count, what,
                            &self->reader, &self->fault);
}

#define ENCODE_ARGS(self_, ...)                                                              \
    s_encode_args ((self_), TROUPE_ARGV_ (__VA_ARGS__, TROUPE_END_))
#define DECODE_ARGS(self_, what_, ...)                                                       \
    s_decode_args ((self_), (what_), TROUPE_OUTV_ (__VA_ARGS__, TROUPE_END_))

static void
test_arguments (void **state)
{
    fixture_t *self = *state;
    int number = 0;
    const char *text = NULL;
    double real = 0;
    char *copy = NULL;
    troupe_future_t *future = NULL;
    troupe_actor_t *actor = NULL;
    troupe_int64s_t numbers;
    static const int64_t items [] = { 5, 6 };
    ENCODE_ARGS (self, 12, TROUPE_WITH (.retries = 3), "text", 2.5, "copied",
                 troupe_handle (s_future (2)), s_actor (4), troupe_int64s (items, 2));
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text, &real, &copy, &future,
                                   &actor, &numbers),
                      0);
    assert_int_equal (number, 12);
    assert_string_equal (text, "text");
    assert_true (real > 2.4 && real < 2.6);
    assert_string_equal (copy, "copied");
    assert_ptr_equal (future, s_future (2));
    assert_ptr_equal (actor, s_actor (4));
    assert_int_equal (numbers.count, 2);
    assert_int_equal (numbers.items [1], 6);
    assert_true ((const uint8_t *) numbers.items > self->bytes.data
                 && (const uint8_t *) numbers.items < self->bytes.data + self->bytes.size);
    free (copy);
    s_encode_args (self, NULL, 0);
    assert_int_equal (s_decode_args (self, "argument", NULL, 0), 0);
}

static void
test_argument_faults (void **state)
{
    fixture_t *self = *state;
    int number;
    const char *text;
    ENCODE_ARGS (self, 1, 2, 3);
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted 2 arguments, got 3");
    assert_int_equal (DECODE_ARGS (self, "value", &number), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted 1 value, got 3");
    assert_int_equal (s_decode_args (self, "argument", NULL, 0), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted 0 arguments, got 3");
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text, &number), -1);
    s_assert_fault (self, TROUPE_ETYPE, "argument 2: wanted string, got integer");
    ENCODE (self, 5);
    assert_int_equal (DECODE_ARGS (self, "value", &number, &text), -1);
    s_assert_fault (self, TROUPE_ETYPE, "wanted list of 2 values, got integer");
    bytes_clear (&self->bytes);
    assert_int_equal (bytes_append (&self->bytes, "\x92\xc1\xc1", 3), 0);
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text), -1);
    s_assert_fault (self, TROUPE_EPROTOCOL, "argument 1: malformed value");
}

/*  After a fault nothing is left that the caller would have to free.       */
static void
test_argument_fault_frees (void **state)
{
    fixture_t *self = *state;
    int number;
    char *copies [2];
    troupe_future_t *future;
    ENCODE_ARGS (self, "one", "two", troupe_handle (s_future (1)), "not a number");
    copies [0] = copies [1] = (char *) (void *) s_things;
    future = s_future (0);
    assert_int_equal (
        DECODE_ARGS (self, "argument", &copies [0], &copies [1], &future, &number), -1);
    s_assert_fault (self, TROUPE_ETYPE, "argument 4: wanted integer, got string");
    assert_null (copies [0]);
    assert_null (copies [1]);
    assert_null (future);
    assert_int_equal (self->world.handles, 0);

    ENCODE_ARGS (self, "one", troupe_handle (s_future (1)), 7);
    assert_int_equal (DECODE_ARGS (self, "argument", &copies [0], &copies [1], &number), -1);
    s_assert_fault (self, TROUPE_ETYPE, "argument 2: wanted string, got future");
    assert_null (copies [0]);

    self->world.allowed = 0;
    assert_int_equal (DECODE_ARGS (self, "argument", &copies [0], &future, &number), -1);
    s_assert_fault (self, TROUPE_ENOMEM, "argument 2: no more handles");
    assert_null (copies [0]);
    assert_null (future);
}

/*  A future may stand for the whole list, and for places in it.            */
static void
test_argument_futures (void **state)
{
    fixture_t *self = *state;
    int number = 0;
    char *copy = NULL;
    s_stand (self, 0, TROUPE_ARG ("text"));
    ENCODE_ARGS (self, 5, s_future (0));
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &copy), 0);
    assert_int_equal (number, 5);
    assert_string_equal (copy, "text");
    free (copy);
    bytes_clear (&self->world.blocks [1]);
    assert_int_equal (
        bytes_append (&self->world.blocks [1], self->bytes.data, self->bytes.size), 0);
    ENCODE (self, s_future (1));
    assert_int_equal (DECODE_ARGS (self, "value", &number, &copy), 0);
    assert_string_equal (copy, "text");
    free (copy);
}

/*  --- encoded values ---------------------------------------------------  */

/*  A bit of everything that a value may hold.                              */
static void
s_encode_much (fixture_t *self, bool references)
{
    static const double doubles [] = { 1, 2.5, -3 };
    static const int32_t int32s [] = { 7 };
    bytes_t *out = &self->bytes;
    troupe_arg_t args [] = { TROUPE_ARG (1),
                             TROUPE_ARG (-200),
                             TROUPE_ARG (UINT64_MAX),
                             TROUPE_ARG ("text"),
                             troupe_bytes ("\0\1\2", 3),
                             troupe_nil (),
                             TROUPE_ARG ((bool) true),
                             TROUPE_ARG (0.1),
                             troupe_doubles (doubles, 3),
                             troupe_int32s (int32s, 1),
                             troupe_handle (s_future (1)),
                             TROUPE_ARG (s_future (2)),
                             TROUPE_ARG (s_actor (3)) };
    size_t count = COUNT (args) - (references ? 0 : 3);
    bytes_clear (out);
    assert_int_equal (value_put_map (out, 2), 0);
    assert_int_equal (value_put_string (out, "list", 4), 0);
    assert_int_equal (value_write_args (out, args, count, &s_writer, &self->fault), 0);
    assert_int_equal (value_put_string (out, "deep", 4), 0);
    for (int depth = 0; depth < 5; depth++)
        assert_int_equal (value_put_array (out, 1), 0);
    assert_int_equal (value_put_array (out, 2), 0);
    assert_int_equal (value_put_uint (out, 300), 0);
    troupe_arg_t last = troupe_doubles (doubles, 3);
    assert_int_equal (value_write (out, &last, NULL, &self->fault), 0);
    assert_int_equal (value_check (out->data, out->size, true), out->size);
}

static void
s_assert_same_tokens (const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t a_offset = 0;
    size_t b_offset = 0;
    msgpack_token_t x;
    msgpack_token_t y;
    while (a_offset < a_size) {
        assert_int_equal (token_next (a, a_size, &a_offset, &x), 0);
        assert_int_equal (token_next (b, b_size, &b_offset, &y), 0);
        assert_int_equal (x.type, y.type);
        assert_int_equal (x.handle, y.handle);
        assert_int_equal (x.negative, y.negative);
        assert_int_equal (x.kind, y.kind);
        assert_true (x.number == y.number);
        assert_memory_equal (&x.real, &y.real, sizeof x.real);
        assert_int_equal (x.count, y.count);
        assert_int_equal (x.size, y.size);
        if (x.size)
            assert_memory_equal (x.data, y.data, x.size);
    }
    assert_int_equal (b_offset, b_size);
}

/*  A value keeps its meaning, and its numbers their alignment, wherever it
    is put: read in any place, written to any place.                        */
static void
test_encoded_moves (void **state)
{
    fixture_t *self = *state;
    bytes_t target = { 0 };
    s_encode_much (self, true);
    for (size_t from = 0; from < 9; from++)
        for (size_t to = 0; to < 17; to++) {
            uint8_t *source = malloc (self->bytes.size + from);
            assert_non_null (source);
            memcpy (source + from, self->bytes.data, self->bytes.size);
            bytes_clear (&target);
            for (size_t index = 0; index < to; index++)
                assert_int_equal (value_put_uint (&target, 1), 0);
            troupe_arg_t arg
                = troupe_arg_pointer_ (TROUPE_ARG_VALUE, source + from, self->bytes.size);
            assert_int_equal (value_write (&target, &arg, &s_writer, &self->fault), 0);
            s_assert_same_tokens (self->bytes.data, self->bytes.size, target.data + to,
                                  target.size - to);
            size_t offset = to;
            msgpack_token_t token;
            while (offset < target.size) {
                assert_int_equal (token_next (target.data, target.size, &offset, &token), 0);
                if (token.type == TROUPE_NUMBERS)
                    assert_int_equal ((size_t) (token.data - target.data) % 8, 0);
            }
            free (source);
        }
    bytes_release (&target);
}

static void
test_encoded_faults (void **state)
{
    fixture_t *self = *state;
    bytes_t target = { 0 };
    s_encode_much (self, true);
    troupe_arg_t arg
        = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
    assert_int_equal (value_write (&target, &arg, NULL, &self->fault), -1);
    s_assert_fault (self, TROUPE_EINVAL, "a future cannot be part of this value");
    s_encode_much (self, false);
    arg = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
    assert_int_equal (value_write (&target, &arg, NULL, &self->fault), 0);
    bytes_clear (&target);
    for (arg.count = 0; arg.count < self->bytes.size; arg.count++) {
        assert_int_equal (value_write (&target, &arg, NULL, &self->fault), -1);
        s_assert_fault (self, TROUPE_EINVAL, "the encoded value is malformed");
        assert_int_equal (target.size, 0);
    }
    assert_int_equal (value_put_uint (&self->bytes, 1), 0);
    arg = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
    assert_int_equal (value_write (&target, &arg, NULL, &self->fault), -1);
    s_assert_fault (self, TROUPE_EINVAL, "something follows the encoded value");
    bytes_release (&target);
}

static void
s_nest (bytes_t *out, size_t depth, bool maps)
{
    bytes_clear (out);
    for (size_t level = 0; level < depth; level++) {
        assert_int_equal (maps ? value_put_map (out, 1) : value_put_array (out, 1), 0);
        if (maps)
            assert_int_equal (value_put_uint (out, level), 0);
    }
    assert_int_equal (value_put_uint (out, 7), 0);
}

static void
test_depth (void **state)
{
    fixture_t *self = *state;
    bytes_t target = { 0 };
    for (size_t depth = 0; depth < 40; depth++)
        for (int maps = 0; maps < 2; maps++) {
            s_nest (&self->bytes, depth, maps);
            size_t size = self->bytes.size;
            assert_int_equal (value_check (self->bytes.data, size, true),
                              depth <= VALUE_DEPTH_MAX ? size : 0);
            size_t offset = 0;
            assert_int_equal (value_skip (self->bytes.data, size, &offset), 0);
            assert_int_equal (offset, size);
            bytes_clear (&target);
            troupe_arg_t arg = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, size);
            int rc = value_write_args (&target, &arg, 1, NULL, &self->fault);
            assert_int_equal (rc, depth < VALUE_DEPTH_MAX ? 0 : -1);
            if (rc == 0)
                assert_int_equal (value_check (target.data, target.size, true), target.size);
            else
                s_assert_fault (self, TROUPE_ELIMIT,
                                "more than 15 lists and maps in one another");
        }
    bytes_release (&target);
}

/*  --- input that means harm --------------------------------------------  */

typedef struct {
    const char *data;
    size_t size;
} sample_t;

#define SAMPLE(text_) { text_, sizeof (text_) - 1 }

static void
test_malformed (void **state)
{
    (void) state;
    static const sample_t samples [] = {
        SAMPLE (""),
        SAMPLE ("\xc1"),
        /*  counts and lengths without the bytes to back them */
        SAMPLE ("\x91"),
        SAMPLE ("\x9f\x01\x02"),
        SAMPLE ("\x81\x01"),
        SAMPLE ("\xdc\xff\xff\x01"),
        SAMPLE ("\xdd\xff\xff\xff\xff\x01"),
        SAMPLE ("\xde\x00\x02\x01\x01\x01"),
        SAMPLE ("\xdf\xff\xff\xff\xff\x01\x01"),
        SAMPLE ("\xdf\x80\x00\x00\x00\x01\x01"),
        SAMPLE ("\x92\xdd\x00\x00\x00\x02\x01\x01"),
        SAMPLE ("\xa5" "abcd"),
        SAMPLE ("\xd9\x05" "abcd"),
        SAMPLE ("\xda\xff\xff" "abcd"),
        SAMPLE ("\xdb\xff\xff\xff\xff" "abcd"),
        SAMPLE ("\xc4\xff" "a"),
        SAMPLE ("\xc6\xff\xff\xff\xff" "a"),
        /*  extensions: unknown, short, wrong inside */
        SAMPLE ("\xd6\xff\x00\x00\x00\x00"),
        SAMPLE ("\xd4\x05\x00"),
        SAMPLE ("\xd4\x01\x04"),
        SAMPLE ("\xc7\x00\x01"),
        SAMPLE ("\xd5\x01\x00\x00"),
        SAMPLE ("\xd5\x01\x10\x00"),
        SAMPLE ("\xc7\x06\x01\x04\x04\x00\x00\x00\x00"),
        SAMPLE ("\xc7\x08\x01\x04\x03\x00\x00\x00\x01\x02\x03"),
        SAMPLE ("\xc7\x08\x01\x04\x02\x00\x00\x01\x02\x03\x04"),
        SAMPLE ("\xc7\x0d\x01\x04\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        SAMPLE ("\xc8\x00\x0c\x01\x04\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        SAMPLE ("\xd4\x02\x00"),
        SAMPLE ("\xc7\x0f\x02" "0123456789abcde"),
        SAMPLE ("\xc7\x11\x03" "0123456789abcdefg"),
        SAMPLE ("\xc7\x28\x04" "0123456789abcdef0123456789abcdef01234567"),
        SAMPLE ("\xc7\x2a\x04" "0123456789abcdef0123456789abcdef01234567a\0"),
        SAMPLE ("\xd8\x02" "0123456789abcde"),
        SAMPLE ("\xc9\xff\xff\xff\xff\x01"),
        SAMPLE ("\xcb\x00\x00"),
        SAMPLE ("\xcf\x00\x00\x00\x00\x00\x00\x00"),
    };
    for (size_t index = 0; index < COUNT (samples); index++) {
        uint8_t *copy = malloc (samples [index].size + 1);
        assert_non_null (copy);
        memcpy (copy, samples [index].data, samples [index].size);
        size_t size = value_check (copy, samples [index].size, false);
        if (size)
            print_error ("sample %zu was accepted\n", index);
        assert_int_equal (size, 0);
        free (copy);
    }
}

/*  The heads of lists and maps are refused before their elements are read.  */
static void
test_counts (void **state)
{
    (void) state;
    static const sample_t samples [] = {
        SAMPLE ("\x93\x01\x02"),
        SAMPLE ("\x82\x01\x02\x03"),
        SAMPLE ("\xdf\x00\x00\x00\x02\x01\x02\x03"),
        SAMPLE ("\xdf\xff\xff\xff\xff\x01\x02\x03"),
    };
    for (size_t index = 0; index < COUNT (samples); index++) {
        size_t offset = 0;
        msgpack_token_t token;
        assert_int_equal (token_next ((const uint8_t *) samples [index].data,
                                      samples [index].size, &offset, &token),
                          -1);
        assert_int_equal (offset, 0);
    }
}

static void
test_accepted (void **state)
{
    (void) state;
    static const sample_t samples [] = {
        SAMPLE ("\xc0"),
        SAMPLE ("\xdc\x00\x01\x01"),
        SAMPLE ("\xdf\x00\x00\x00\x01\x01\x01"),
        SAMPLE ("\xdb\x00\x00\x00\x02" "ab"),
        SAMPLE ("\xc6\x00\x00\x00\x00"),
        SAMPLE ("\xc7\x09\x01\x04\x03\x00\x00\x00\x01\x02\x03\x04"),
        SAMPLE ("\xc8\x00\x04\x01\x28\x02\x00\x00"),
        SAMPLE ("\xd8\x02" "0123456789abcdef"),
        SAMPLE ("\xc7\x10\x03" "0123456789abcdef"),
        SAMPLE ("\xc7\x29\x04" "0123456789abcdef0123456789abcdef01234567a"),
        SAMPLE ("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t index = 0; index < COUNT (samples); index++) {
        bytes_t bytes = { 0 };
        size_t size = samples [index].size;
        assert_int_equal (bytes_append (&bytes, samples [index].data, size), 0);
        assert_int_equal (value_check (bytes.data, size, true), size);
        assert_int_equal (bytes_append (&bytes, "\x00", 1), 0);
        assert_int_equal (value_check (bytes.data, size + 1, true), 0);
        assert_int_equal (value_check (bytes.data, size + 1, false), size);
        bytes_release (&bytes);
    }
}

/*  No value is cut short and still accepted; the memory ends where the
    value does, so that an overrun shows under a sanitizer.                 */
static void
test_truncated (void **state)
{
    fixture_t *self = *state;
    s_encode_much (self, true);
    for (size_t size = 0; size < self->bytes.size; size++) {
        uint8_t *cut = malloc (size ? size : 1);
        assert_non_null (cut);
        memcpy (cut, self->bytes.data, size);
        size_t offset = 0;
        assert_int_equal (value_check (cut, size, false), 0);
        assert_int_equal (value_skip (cut, size, &offset), -1);
        assert_int_equal (offset, 0);
        free (cut);
    }
}

/*  Reads everything, everywhere, into every kind of place.                 */
static void
s_read_all (fixture_t *self, const uint8_t *data, size_t size)
{
    union {
        uint64_t number;
        void *pointer;
        char *copy;
        troupe_view_t view;
    } place;
    size_t offset = 0;
    msgpack_token_t token;
    do {
        for (int type = TROUPE_OUT_BOOL; type <= TROUPE_OUT_ACTOR; type++) {
            size_t next = offset;
            troupe_out_t out = { (troupe_out_type_t) type, &place };
            self->world.handles = 0;
            if (value_read (data, size, &next, out, &self->reader, &self->fault)) {
                assert_int_equal (next, offset);
                continue;
            }
            assert_true (next > offset && next <= size);
            if (type == TROUPE_OUT_STRING_COPY)
                free (place.copy);
        }
    } while (token_next (data, size, &offset, &token) == 0);
    arena_release (&self->arena);
}

static uint64_t
s_random (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t
s_mutate (uint8_t *data, size_t size, uint64_t *random)
{
    static const uint8_t telling [] = { 0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                        0xc0, 0xc1, 0xc4, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcf,
                                        0xd3, 0xd4, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
                                        0xe0, 0xff };
    for (uint64_t changes = 1 + s_random (random) % 4; changes && size; changes--) {
        size_t place = s_random (random) % size;
        switch (s_random (random) % 5) {
        case 0:
            data [place] ^= (uint8_t) (1u << s_random (random) % 8);
            break;
        case 1:
            data [place] = (uint8_t) s_random (random);
            break;
        case 2:
        case 3:
            data [place] = telling [s_random (random) % COUNT (telling)];
            break;
        default:
            memmove (data + place, data + place + 1, size - place - 1);
            size--;
        }
    }
    return size;
}

static void
test_mutated (void **state)
{
    fixture_t *self = *state;
    uint64_t random = 20240229;
    unsigned accepted = 0;
    s_stand (self, 1, TROUPE_ARG ("word"));
    s_stand (self, 2, TROUPE_ARG (s_future (2)));
    s_encode_much (self, true);
    size_t size = self->bytes.size;
    uint8_t *data = malloc (size);
    assert_non_null (data);
    for (int round = 0; round < MUTATIONS; round++) {
        memcpy (data, self->bytes.data, size);
        size_t left = s_mutate (data, size, &random);
        uint8_t *exact = malloc (left ? left : 1);
        assert_non_null (exact);
        memcpy (exact, data, left);
        size_t whole = value_check (exact, left, false);
        size_t skipped = 0;
        int rc = value_skip (exact, left, &skipped);
        if (whole) {
            accepted++;
            assert_int_equal (rc, 0);
            assert_int_equal (skipped, whole);
        }
        if (round % 8 == 0)
            s_read_all (self, exact, left);
        free (exact);
    }
    free (data);
    assert_in_range (accepted, MUTATIONS / 200, MUTATIONS - MUTATIONS / 200);
}

static void
test_type_names (void **state)
{
    (void) state;
    static const char *const names [] = { "nil", "bool", "integer", "real", "string", "bytes",
                                          "list", "map", "numbers", "future", "actor",
                                          "object" };
    for (size_t index = 0; index < COUNT (names); index++)
        assert_string_equal (value_type_name ((troupe_type_t) index), names [index]);
    assert_string_equal (value_type_name ((troupe_type_t) 12), "unknown");
}

/*  Every type against every place that cannot take it.                     */
static void
test_type_faults (void **state)
{
    fixture_t *self = *state;
    static const double doubles [] = { 1 };
    const struct {
        troupe_arg_t arg;
        const char *name;
        const char *places;     /*  of those below that take it             */
    } values [] = {
        { troupe_nil (), "nil", "sc" },
        { TROUPE_ARG ((bool) true), "bool", "b" },
        { TROUPE_ARG (5), "integer", "ir" },
        { TROUPE_ARG (5.0), "real", "ir" },
        { TROUPE_ARG ("x"), "string", "scy" },
        { troupe_bytes ("x", 1), "bytes", "y" },
        { troupe_strings (NULL, 0), "list", "nS" },
        { troupe_arg_pointer_ (TROUPE_ARG_VALUE, "\x80", 1), "map", "" },
        { troupe_doubles (doubles, 1), "array of double", "yn" },
        { troupe_handle (s_future (1)), "future", "f" },
        { TROUPE_ARG (s_actor (1)), "actor", "a" },
    };
    static const struct {
        char letter;
        troupe_out_type_t type;
        const char *name;
    } places [] = {
        { 'b', TROUPE_OUT_BOOL, "bool" },
        { 'i', TROUPE_OUT_INT32, "integer" },
        { 'r', TROUPE_OUT_DOUBLE, "real" },
        { 's', TROUPE_OUT_STRING, "string" },
        { 'c', TROUPE_OUT_STRING_COPY, "string" },
        { 'y', TROUPE_OUT_BYTES, "bytes" },
        { 'n', TROUPE_OUT_DOUBLES, "array of double" },
        { 'S', TROUPE_OUT_STRINGS, "list of strings" },
        { 'f', TROUPE_OUT_FUTURE, "future" },
        { 'a', TROUPE_OUT_ACTOR, "actor" },
    };
    for (size_t value = 0; value < COUNT (values); value++)
        for (size_t place = 0; place < COUNT (places); place++) {
            char *room [4] = { NULL };
            char text [100];
            s_encode (self, values [value].arg);
            int rc = s_decode (self, (troupe_out_t){ places [place].type, room });
            bool takes = strchr (values [value].places, places [place].letter) != NULL;
            assert_int_equal (rc, takes ? 0 : -1);
            if (takes && places [place].type == TROUPE_OUT_STRING_COPY)
                free (room [0]);
            if (takes)
                continue;
            snprintf (text, sizeof text, "wanted %s, got %s", places [place].name,
                      values [value].name);
            s_assert_fault (self, TROUPE_ETYPE, text);
        }
    int room;
    ENCODE (self, 5);
    assert_int_equal (s_decode (self, (troupe_out_t){ (troupe_out_type_t) 99, &room }), -1);
    s_assert_fault (self, TROUPE_EINVAL, "unknown type of place: 99");
}

#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_integers),
        TEST (test_integer_faults),
        TEST (test_integers_from_reals),
        TEST (test_reals),
        TEST (test_reals_from_integers),
        TEST (test_bools_and_nil),
        TEST (test_strings_and_bytes),
        TEST (test_nul_inside),
        TEST (test_string_lists),
        TEST (test_arrays),
        TEST (test_large_arrays),
        TEST (test_unaligned_arrays),
        TEST (test_array_faults),
        TEST (test_arrays_from_lists),
        TEST (test_references),
        TEST (test_actors),
        TEST (test_resolved),
        TEST (test_resolve_faults),
        TEST (test_write_faults),
        TEST (test_put_faults),
        TEST (test_arguments),
        TEST (test_argument_faults),
        TEST (test_argument_fault_frees),
        TEST (test_argument_futures),
        TEST (test_encoded_moves),
        TEST (test_encoded_faults),
        TEST (test_depth),
        TEST (test_malformed),
        TEST (test_counts),
        TEST (test_accepted),
        TEST (test_truncated),
        TEST (test_mutated),
        TEST (test_type_names),
        TEST (test_type_faults),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
