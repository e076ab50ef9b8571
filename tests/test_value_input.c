/*  test_value_input.c - lists of arguments, encoded values, and input that means
    harm                                                                    */

#include "tests/value_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  One thread has no races: ThreadSanitizer only makes it slow.            */
#if defined (__SANITIZE_THREAD__)
#define MUTATIONS 20000
#else
#define MUTATIONS 200000
#endif

/*  --- lists of values --------------------------------------------------  */

static void
s_encode_args (fixture_t *self, const troupe_arg_t *args, size_t count)
{
    bytes_clear (&self->bytes);
    assert_int_equal (value_write_args (&self->bytes, args, count, &value_fixture_writer, &self->fault), 0);
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
                 troupe_handle (named_future (2)), named_actor (4), troupe_int64s (items, 2));
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text, &real, &copy, &future,
                                   &actor, &numbers),
                      0);
    assert_int_equal (number, 12);
    assert_string_equal (text, "text");
    assert_true (real > 2.4 && real < 2.6);
    assert_string_equal (copy, "copied");
    assert_ptr_equal (future, named_future (2));
    assert_ptr_equal (actor, named_actor (4));
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
    assert_fault (self, TROUPE_ETYPE, "wanted 2 arguments, got 3");
    assert_int_equal (DECODE_ARGS (self, "value", &number), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted 1 value, got 3");
    assert_int_equal (s_decode_args (self, "argument", NULL, 0), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted 0 arguments, got 3");
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text, &number), -1);
    assert_fault (self, TROUPE_ETYPE, "argument 2: wanted string, got integer");
    ENCODE (self, 5);
    assert_int_equal (DECODE_ARGS (self, "value", &number, &text), -1);
    assert_fault (self, TROUPE_ETYPE, "wanted list of 2 values, got integer");
    bytes_clear (&self->bytes);
    assert_int_equal (bytes_append (&self->bytes, "\x92\xc1\xc1", 3), 0);
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &text), -1);
    assert_fault (self, TROUPE_EPROTOCOL, "argument 1: malformed value");
}

/*  After a fault nothing is left that the caller would have to free.       */
static void
test_argument_fault_frees (void **state)
{
    fixture_t *self = *state;
    int number;
    char not_allocated [1];
    char *copies [2];
    troupe_future_t *future;
    ENCODE_ARGS (self, "one", "two", troupe_handle (named_future (1)), "not a number");
    copies [0] = copies [1] = not_allocated;
    future = named_future (0);
    assert_int_equal (
        DECODE_ARGS (self, "argument", &copies [0], &copies [1], &future, &number), -1);
    assert_fault (self, TROUPE_ETYPE, "argument 4: wanted integer, got string");
    assert_null (copies [0]);
    assert_null (copies [1]);
    assert_null (future);
    assert_int_equal (self->world.handles, 0);

    ENCODE_ARGS (self, "one", troupe_handle (named_future (1)), 7);
    assert_int_equal (DECODE_ARGS (self, "argument", &copies [0], &copies [1], &number), -1);
    assert_fault (self, TROUPE_ETYPE, "argument 2: wanted string, got future");
    assert_null (copies [0]);

    self->world.allowed = 0;
    assert_int_equal (DECODE_ARGS (self, "argument", &copies [0], &future, &number), -1);
    assert_fault (self, TROUPE_ENOMEM, "argument 2: no more handles");
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
    stand_for (self, 0, TROUPE_ARG ("text"));
    ENCODE_ARGS (self, 5, named_future (0));
    assert_int_equal (DECODE_ARGS (self, "argument", &number, &copy), 0);
    assert_int_equal (number, 5);
    assert_string_equal (copy, "text");
    free (copy);
    bytes_clear (&self->world.blocks [1]);
    assert_int_equal (
        bytes_append (&self->world.blocks [1], self->bytes.data, self->bytes.size), 0);
    ENCODE (self, named_future (1));
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
                             troupe_handle (named_future (1)),
                             TROUPE_ARG (named_future (2)),
                             TROUPE_ARG (named_actor (3)) };
    size_t count = COUNT (args) - (references ? 0 : 3);
    bytes_clear (out);
    assert_int_equal (value_put_map (out, 2), 0);
    assert_int_equal (value_put_string (out, "list", 4), 0);
    assert_int_equal (value_write_args (out, args, count, &value_fixture_writer, &self->fault), 0);
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
            assert_int_equal (value_write (&target, &arg, &value_fixture_writer, &self->fault), 0);
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
    assert_fault (self, TROUPE_EINVAL, "a future cannot be part of this value");
    s_encode_much (self, false);
    arg = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
    assert_int_equal (value_write (&target, &arg, NULL, &self->fault), 0);
    bytes_clear (&target);
    for (arg.count = 0; arg.count < self->bytes.size; arg.count++) {
        assert_int_equal (value_write (&target, &arg, NULL, &self->fault), -1);
        assert_fault (self, TROUPE_EINVAL, "the encoded value is malformed");
        assert_int_equal (target.size, 0);
    }
    assert_int_equal (value_put_uint (&self->bytes, 1), 0);
    arg = troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
    assert_int_equal (value_write (&target, &arg, NULL, &self->fault), -1);
    assert_fault (self, TROUPE_EINVAL, "something follows the encoded value");
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
                assert_fault (self, TROUPE_ELIMIT,
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
    stand_for (self, 1, TROUPE_ARG ("word"));
    stand_for (self, 2, TROUPE_ARG (named_future (2)));
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
        { troupe_handle (named_future (1)), "future", "f" },
        { TROUPE_ARG (named_actor (1)), "actor", "a" },
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
            encode (self, values [value].arg);
            int rc = decode (self, (troupe_out_t){ places [place].type, room });
            bool takes = strchr (values [value].places, places [place].letter) != NULL;
            assert_int_equal (rc, takes ? 0 : -1);
            if (takes && places [place].type == TROUPE_OUT_STRING_COPY)
                free (room [0]);
            if (takes)
                continue;
            snprintf (text, sizeof text, "wanted %s, got %s", places [place].name,
                      values [value].name);
            assert_fault (self, TROUPE_ETYPE, text);
        }
    int room;
    ENCODE (self, 5);
    assert_int_equal (decode (self, (troupe_out_t){ (troupe_out_type_t) 99, &room }), -1);
    assert_fault (self, TROUPE_EINVAL, "unknown type of place: 99");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
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
