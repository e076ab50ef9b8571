/*  fuzz_value.c - any bytes as a value: checked, walked, read and copied

    What value_check accepts must be walked, viewed, read and copied alike by
    all that reads values; what it refuses must still harm no one.          */

#include "fuzz/require.h"

#include "core/value.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 65536

/*  --- the world outside of a value -------------------------------------  */

/*  Futures stand for nothing, for [1, "ab"], for a future of that, or for
    themselves.                                                             */
static const uint8_t *
s_resolve (void *context, tid_t id, size_t *size, fault_t *fault)
{
    static const uint8_t list [] = { 0x92, 0x01, 0xa2, 'a', 'b' };
    static const uint8_t references [2] [18]
        = { { 0xd8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, { 0xd8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3 } };
    (void) context;
    switch (id.sequence & 3) {
    case 0:
        fault_set (fault, TROUPE_ELOST, "lost");
        return NULL;
    case 1:
        *size = sizeof list;
        return list;
    default:
        *size = sizeof references [0];
        return references [(id.sequence & 3) - 2];
    }
}

static int s_thing;

static troupe_future_t *
s_future (void *context, tid_t id, fault_t *fault)
{
    (void) context;
    (void) id;
    (void) fault;
    return (troupe_future_t *) (void *) &s_thing;
}

static troupe_actor_t *
s_actor (void *context, const actor_reference_t *actor, fault_t *fault)
{
    (void) context;
    (void) fault;
    REQUIRE (actor->class_length > 0 && actor->class_length <= TROUPE_NAME_MAX);
    return (troupe_actor_t *) (void *) &s_thing;
}

/*  A writer that is there, so that references are allowed; never called.   */
static int
s_put_future (void *context, bytes_t *out, troupe_future_t *future, bool handle, fault_t *fault)
{
    (void) context;
    (void) out;
    (void) future;
    (void) handle;
    return fault_set (fault, TROUPE_EINVAL, "not called");
}

static int
s_put_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    (void) context;
    (void) out;
    (void) actor;
    return fault_set (fault, TROUPE_EINVAL, "not called");
}

/*  --- reading ----------------------------------------------------------  */

typedef union {
    bool boolean;
    double real;
    char *copy;
    const char *text;
    troupe_bytes_t bytes;
    troupe_int64s_t numbers;
    troupe_strings_t strings;
    troupe_view_t view;
} place_t;

/*  What must hold of a place that was read, if its token lies there and is
    not a future in its stead.                                              */
static void
s_check_place (troupe_out_type_t type, const place_t *place, const msgpack_token_t *token)
{
    switch (type) {
    case TROUPE_OUT_STRING:
        REQUIRE (token->type == TROUPE_NIL ? !place->text
                                           : strlen (place->text) == token->size);
        break;
    case TROUPE_OUT_BYTES:
        REQUIRE (place->bytes.data == token->data && place->bytes.size == token->size);
        break;
    case TROUPE_OUT_INT32S:
    case TROUPE_OUT_INT64S:
    case TROUPE_OUT_FLOATS:
    case TROUPE_OUT_DOUBLES:
        REQUIRE (place->numbers.count == token->count);
        REQUIRE ((uintptr_t) place->numbers.items % 4 == 0);
        break;
    case TROUPE_OUT_STRINGS:
        REQUIRE (place->strings.count == token->count);
        for (size_t index = 0; index < place->strings.count; index++) {
            const char *item = place->strings.items [index];
            REQUIRE (!item || strlen (item) < INPUT_MAX);
        }
        break;
    case TROUPE_OUT_VIEW:
        REQUIRE (troupe_view_type (place->view) == token->type);
        REQUIRE (troupe_view_count (place->view) == token->count);
        break;
    default:
        break;
    }
}

/*  Reads the value at the offset into every kind of place.                 */
static void
s_read (const uint8_t *data, size_t size, size_t offset, const value_reader_t *reader)
{
    size_t behind = offset;
    size_t end = offset;
    msgpack_token_t token;
    fault_t fault;
    bool sound = value_skip (data, size, &end) == 0;
    bool any = token_next (data, size, &behind, &token) == 0;
    bool reference = any && token.type == TROUPE_FUTURE && !token.handle;
    for (int type = TROUPE_OUT_BOOL; type <= TROUPE_OUT_ACTOR; type++) {
        place_t place = { 0 };
        size_t next = offset;
        troupe_out_t out = { (troupe_out_type_t) type, &place };
        if (value_read (data, size, &next, out, reader, &fault)) {
            REQUIRE (next == offset && fault_code_valid (fault.code) && fault.text [0]);
            continue;
        }
        REQUIRE (sound && any && next == end);
        if (!reference)
            s_check_place (out.type, &place, &token);
        if (type == TROUPE_OUT_STRING_COPY)
            free (place.copy);
    }
}

/*  --- walking ----------------------------------------------------------  */

/*  Walks a value by views and compares with its tokens. Returns how many
    values it holds, itself included; futures' values are not counted.      */
static size_t
s_walk_views (troupe_view_t view, unsigned depth)
{
    troupe_view_t inside;
    troupe_view_t value;
    size_t total = 1;
    size_t counted = 0;
    troupe_type_t type = troupe_view_type (view);
    size_t expected = troupe_view_count (view) * (type == TROUPE_MAP ? 2 : 1);
    REQUIRE (depth <= VALUE_DEPTH_MAX + 2);
    if (troupe_view_enter (view, &inside)) {
        REQUIRE (type != TROUPE_LIST && type != TROUPE_MAP);
        return total;
    }
    REQUIRE (type == TROUPE_LIST || type == TROUPE_MAP);
    int rc;
    while ((rc = troupe_view_next (&inside, &value)) == 1) {
        counted++;
        total += s_walk_views (value, depth + 1);
    }
    REQUIRE (rc == -1 || counted == expected);
    return total;
}

/*  Looks up the keys of a map that are strings, and there themselves.      */
static void
s_look_up (troupe_view_t map)
{
    troupe_view_t inside;
    troupe_view_t key;
    troupe_view_t value;
    uintptr_t start = (uintptr_t) map.data;
    if (troupe_view_type (map) != TROUPE_MAP || troupe_view_enter (map, &inside))
        return;
    for (int count = 0; count < 20 && troupe_view_next (&inside, &key) == 1; count++) {
        const char *name = NULL;
        troupe_out_t out = { TROUPE_OUT_STRING, &name };
        bool there = (uintptr_t) key.data - start < map.size;
        if (there && troupe_view_read (key, out) == 0 && name
            && troupe_view_field (map, name, &value))
            REQUIRE (troupe_error_code () != TROUPE_ENAME);
        if (troupe_view_next (&inside, &value) != 1)
            break;
    }
}

/*  --- copies -----------------------------------------------------------  */

static bool
s_same (const msgpack_token_t *a, const msgpack_token_t *b)
{
    return a->type == b->type && a->handle == b->handle && a->negative == b->negative
           && a->kind == b->kind && a->number == b->number && a->count == b->count
           && memcmp (&a->real, &b->real, sizeof a->real) == 0 && a->size == b->size
           && (a->size == 0 || memcmp (a->data, b->data, a->size) == 0);
}

static void
s_compare (const uint8_t *data, size_t size, const uint8_t *copy, size_t copy_size)
{
    size_t here = 0;
    size_t there = 0;
    msgpack_token_t a;
    msgpack_token_t b;
    while (here < size) {
        REQUIRE (token_next (data, size, &here, &a) == 0);
        REQUIRE (token_next (copy, copy_size, &there, &b) == 0);
        REQUIRE (s_same (&a, &b));
    }
    REQUIRE (there == copy_size);
}

/*  Puts the value behind `before` bytes and compares.                      */
static void
s_copy (const uint8_t *data, size_t size, size_t before)
{
    static const uint8_t other [16];
    static const value_writer_t writer = { .future = s_put_future, .actor = s_put_actor };
    bytes_t out = { 0 };
    fault_t fault;
    troupe_arg_t arg = { TROUPE_ARG_VALUE, size, { .pointer = data } };
    bytes_append (&out, other, before);
    if (value_write (&out, &arg, &writer, &fault))
        REQUIRE (fault.code == TROUPE_ELIMIT && out.size == before);
    else {
        s_compare (data, size, out.data + before, out.size - before);
        if (before % 8 == 0)
            REQUIRE (value_check (out.data + before, out.size - before, true)
                     == out.size - before);
    }
    bytes_truncate (&out, before);
    REQUIRE (value_copy (&out, data, size) == 0);
    s_compare (data, size, out.data + before, out.size - before);
    bytes_release (&out);
}

/*  --- the target -------------------------------------------------------  */

/*  What is accepted: all agree on it.                                      */
static void
s_accepted (const uint8_t *data, size_t size, size_t whole, const value_reader_t *reader)
{
    size_t offset = 0;
    size_t tokens = 0;
    bool references = false;
    msgpack_token_t token;
    REQUIRE (whole <= size && value_skip (data, size, &offset) == 0 && offset == whole);
    REQUIRE (value_check (data, whole, true) == whole);
    REQUIRE (value_check (data, size, true) == (size == whole ? whole : 0));
    REQUIRE (value_check (data, whole - 1, false) == 0);
    for (offset = 0; offset < whole; tokens++) {
        REQUIRE (token_next (data, whole, &offset, &token) == 0);
        REQUIRE (token.type != TROUPE_NUMBERS || (size_t) (token.data - data) % 8 == 0);
        references = references || (token.type == TROUPE_FUTURE && !token.handle);
    }
    REQUIRE (offset == whole);
    troupe_view_t view = { data, whole, reader };
    size_t walked = s_walk_views (view, 0);
    REQUIRE (references || walked == tokens);
    s_look_up (view);
    for (size_t before = 0; before < 9; before += before ? 5 : 3)
        s_copy (data, whole, before);
}

static void
s_read_as_arguments (const uint8_t *data, size_t size, const value_reader_t *reader)
{
    int64_t number;
    char *copy;
    troupe_future_t *future;
    troupe_bytes_t bytes;
    const troupe_out_t outs [] = { { TROUPE_OUT_INT64, &number },
                                   { TROUPE_OUT_STRING_COPY, &copy },
                                   { TROUPE_OUT_FUTURE, &future },
                                   { TROUPE_OUT_BYTES, &bytes } };
    fault_t fault;
    for (size_t count = 0; count <= 4; count++) {
        copy = NULL;
        int rc = value_read_list (data, size, outs, count, "argument", reader, &fault);
        REQUIRE (rc == 0 || (copy == NULL && fault_code_valid (fault.code)));
        free (copy);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *input, size_t size)
{
    arena_t arena = { 0 };
    value_reader_t reader = { .arena = &arena, .resolve = s_resolve, .future = s_future, .actor = s_actor };
    if (size > INPUT_MAX)
        return 0;
    uint8_t *data = malloc (size ? size : 1);
    if (!data)
        return 0;
    if (size)
        memcpy (data, input, size);
    size_t whole = value_check (data, size, false);
    if (whole)
        s_accepted (data, size, whole, &reader);
    size_t offset = 0;
    msgpack_token_t token;
    for (int count = 0; count < 64; count++) {
        s_read (data, size, offset, &reader);
        if (token_next (data, size, &offset, &token))
            break;
    }
    s_read_as_arguments (data, size, &reader);
    arena_release (&arena);
    free (data);
    return 0;
}
