/*  test_value.c - values: every type there and back, and every fault        */

#include "tests/value_fixture.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    assert_fault (self, TROUPE_ETYPE, "wanted integer from -128 to 127, got 128");
    ENCODE (self, -1);
    assert_int_equal (DECODE (self, &medium), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted integer from 0 to 65535, got -1");
    ENCODE (self, UINT64_MAX);
    assert_int_equal (DECODE (self, &large), -1);
    assert_fault (self, TROUPE_ETYPE,
                    "wanted integer from -9223372036854775808 to 9223372036854775807, "
                    "got 18446744073709551615");
    ENCODE (self, 2.5);
    assert_int_equal (DECODE (self, &large), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted integer, got real 2.5");
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
    assert_fault (self, TROUPE_ETYPE,
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
    assert_fault (self, TROUPE_ETYPE,
                    "wanted real, got integer 9007199254740993 that has no exact real");
    ENCODE (self, -16777217);
    assert_int_equal (DECODE (self, &place), 0);
    assert_int_equal (DECODE (self, &single), -1);
    assert_fault (self, TROUPE_ETYPE,
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
    assert_fault (self, TROUPE_ETYPE, "wanted bool, got nil");
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
        assert_fault (self, TROUPE_ETYPE, "wanted string, got bytes");
    }
    free (text);
}

static void
test_nul_inside (void **state)
{
    fixture_t *self = *state;
    const char *borrowed = NULL;
    char *copy = NULL;
    encode (self, troupe_arg_pointer_ (TROUPE_ARG_STRING, "a\0b", 3));
    assert_int_equal (DECODE (self, &borrowed), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted string, got string with a NUL inside");
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
    assert_fault (self, TROUPE_ETYPE, "wanted list of strings, got integer");
    bytes_clear (&self->bytes);
    assert_int_equal (bytes_append (&self->bytes, "\x92\xa1x\x07", 4), 0);
    assert_int_equal (DECODE (self, &strings), -1);
    assert_fault (self, TROUPE_ETYPE, "element 2: wanted string, got integer");
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
    assert_fault (self, TROUPE_ETYPE, "wanted array of int64, got array of double");
    assert_int_equal (DECODE (self, &number), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted integer, got array of double");
    assert_int_equal (DECODE (self, &range), 0);
    assert_int_equal (range.size, sizeof items);
    assert_memory_equal (range.data, items, sizeof items);
    ENCODE (self, "text");
    assert_int_equal (DECODE (self, &place), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted array of int64, got string");
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
    assert_fault (self, TROUPE_ETYPE,
                    "element 3: wanted integer from -2147483648 to 2147483647, "
                    "got 1099511627776");
    args [1] = TROUPE_ARG ("x");
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, 3, NULL, &self->fault), 0);
    assert_int_equal (DECODE (self, &doubles), -1);
    assert_fault (self, TROUPE_ETYPE, "element 2: wanted real, got string");
}

/*  --- futures and actors -----------------------------------------------  */

static void
test_references (void **state)
{
    fixture_t *self = *state;
    size_t offset = 0;
    msgpack_token_t token;
    troupe_future_t *future = NULL;
    ENCODE (self, troupe_handle (named_future (3)));
    assert_int_equal (token_next (self->bytes.data, self->bytes.size, &offset, &token), 0);
    assert_int_equal (token.type, TROUPE_FUTURE);
    assert_true (token.handle);
    assert_true (tid_equal (token_reference (&token), (tid_t){ 1, 3 }));
    assert_int_equal (DECODE (self, &future), 0);
    assert_ptr_equal (future, named_future (3));
    ENCODE (self, 1);
    assert_int_equal (DECODE (self, &future), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted future, got integer");
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
    ENCODE (self, named_actor (5));
    assert_int_equal (token_next (self->bytes.data, self->bytes.size, &offset, &token), 0);
    assert_int_equal (token_actor (&token, &reference), 0);
    assert_true (tid_equal (reference.id, (tid_t){ 9, 5 }));
    assert_true (reference.worker == 8 && reference.number == 7 && reference.signature == 6);
    assert_int_equal (reference.class_length, 7);
    assert_memory_equal (reference.class_name, "counter", 7);
    assert_int_equal (DECODE (self, &actor), 0);
    assert_ptr_equal (actor, named_actor (5));
    ENCODE (self, "no");
    assert_int_equal (DECODE (self, &actor), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted actor, got string");
    self->world.allowed = 0;
    ENCODE (self, named_actor (5));
    assert_int_equal (DECODE (self, &actor), -1);
    assert_fault (self, TROUPE_ENOMEM, "no more handles");
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
    stand_for (self, 0, TROUPE_ARG (42));
    stand_for (self, 1, TROUPE_ARG (named_future (0)));
    stand_for (self, 2, troupe_strings (items, 2));
    stand_for (self, 3, TROUPE_ARG ("word"));
    stand_for (self, 4, troupe_handle (named_future (6)));
    ENCODE (self, named_future (0));
    assert_int_equal (DECODE (self, &number), 0);
    assert_int_equal (number, 42);
    ENCODE (self, named_future (1));
    number = 0;
    assert_int_equal (DECODE (self, &number), 0);
    assert_int_equal (number, 42);
    assert_int_equal (DECODE (self, &text), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted string, got integer");
    ENCODE (self, named_future (2));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_string_equal (strings.items [1], "b");
    troupe_future_t *futures [] = { named_future (3), named_future (3) };
    ENCODE (self, troupe_futures (futures, 2));
    assert_int_equal (DECODE (self, &strings), 0);
    assert_int_equal (strings.count, 2);
    assert_string_equal (strings.items [0], "word");
    assert_string_equal (strings.items [1], "word");
    ENCODE (self, named_future (4));
    assert_int_equal (DECODE (self, &future), 0);
    assert_ptr_equal (future, named_future (6));
}

static void
test_resolve_faults (void **state)
{
    fixture_t *self = *state;
    int number = 0;
    ENCODE (self, named_future (5));
    assert_int_equal (DECODE (self, &number), -1);
    assert_fault (self, TROUPE_ELOST, "future 5 is gone");
    stand_for (self, 5, TROUPE_ARG (named_future (5)));
    assert_int_equal (DECODE (self, &number), -1);
    assert_fault (self, TROUPE_ELIMIT, "too many futures of futures");
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
    troupe_future_t *futures [] = { named_future (1), named_future (7), NULL };
    static const double numbers [1];
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
        { troupe_doubles (numbers, SIZE_MAX / 8 + 2), TROUPE_ESIZE,
          "value too large: 2305843009213693953 numbers" },
        { troupe_strings ((const char *const *) (const void *) numbers, UINT64_C (1) << 32),
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
            value_write (&self->bytes, &cases [index].arg, &value_fixture_writer, &self->fault), -1);
        assert_fault (self, cases [index].code, cases [index].text);
        assert_int_equal (self->bytes.size, 4);
    }
    troupe_arg_t args [] = { TROUPE_ARG (named_future (1)), TROUPE_ARG (named_actor (1)) };
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
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
