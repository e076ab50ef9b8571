/*  value_read.c - decoding values into the caller's places                 */

#include "core/value.h"

#include <float.h>
#include <inttypes.h>
#include <stdlib.h>

/*  A value being read: its first token, and what it lies in, which is not
    what the caller gave if a future was resolved.                          */
typedef struct {
    msgpack_token_t token;
    const uint8_t *data;
    size_t size;
    size_t start;
    size_t inside;              /*  offset behind the token                 */
    size_t end;                 /*  offset behind the value                 */
    bool resolved;
} cursor_t;

static int
s_malformed (fault_t *fault)
{
    return fault_set (fault, TROUPE_EPROTOCOL, "malformed value");
}

static int
s_no_memory (fault_t *fault)
{
    return fault_set (fault, TROUPE_ENOMEM, "no memory for the value");
}

static const char *
s_kind_name (uint8_t kind)
{
    switch (kind) {
    case VALUE_INT32:
        return "array of int32";
    case VALUE_INT64:
        return "array of int64";
    case VALUE_FLOAT:
        return "array of float";
    default:
        return "array of double";
    }
}

static int
s_wrong_type (fault_t *fault, const char *wanted, const msgpack_token_t *token)
{
    return fault_set (fault, TROUPE_ETYPE, "wanted %s, got %s", wanted,
                      token->type == TROUPE_NUMBERS ? s_kind_name (token->kind)
                                                    : value_type_name (token->type));
}

static void *
s_alloc (const value_reader_t *reader, size_t count, size_t width, fault_t *fault)
{
    void *place = NULL;
    if (reader && reader->arena && count <= SIZE_MAX / width)
        place = arena_alloc (reader->arena, count * width);
    if (!place)
        s_no_memory (fault);
    return place;
}

/*  --- futures inside ---------------------------------------------------  */

/*  The first token of the value that a reference stands for.               */
static int
s_resolve (cursor_t *cursor, const value_reader_t *reader, fault_t *fault)
{
    if (!reader || !reader->resolve)
        return fault_set (fault, TROUPE_EINVAL, "the value of a future is not there");
    tid_t id = token_reference (&cursor->token);
    cursor->data = reader->resolve (reader->context, id, &cursor->size, fault);
    return cursor->data ? 0 : -1;
}

/*  The content of an object. 1: it is raw, and so no encoded value.        */
static int
s_resolve_object (cursor_t *cursor, const value_reader_t *reader, fault_t *fault)
{
    object_reference_t object;
    token_object (&cursor->token, &object);
    if (!reader || !reader->object)
        return fault_set (fault, TROUPE_EINVAL, "an object cannot be read here");
    const uint8_t *data = reader->object (reader, &object, fault);
    if (!data)
        return -1;
    if (object.kind != OBJECT_VALUE) {
        if (object.kind == OBJECT_STRING && object.size && data [object.size - 1])
            return s_malformed (fault);
        token_of_object (&cursor->token, &object, data);
        return 1;
    }
    cursor->data = data;
    cursor->size = object.size;
    return 0;
}

/*  Takes the token at *offset, and in place of a reference to a future or an
    object the first token of its value, which may be a reference again. A raw
    object has no token of its own, so that the cursor stays at the reference
    to it. *offset is behind the token, and behind the reference if there was
    one.                                                                    */
static int
s_open (const uint8_t *data, size_t size, size_t *offset, const value_reader_t *reader,
        cursor_t *cursor, fault_t *fault)
{
    *cursor = (cursor_t){ .data = data, .size = size, .start = *offset };
    if (token_next (data, size, offset, &cursor->token))
        return s_malformed (fault);
    cursor->inside = cursor->end = *offset;
    for (int hops = 0;; hops++) {
        bool future = cursor->token.type == TROUPE_FUTURE && !cursor->token.handle;
        if (!future && cursor->token.type != TOKEN_OBJECT)
            return 0;
        if (hops == VALUE_DEPTH_MAX)
            return fault_set (fault, TROUPE_ELIMIT, "too many futures of futures");
        int rc = future ? s_resolve (cursor, reader, fault)
                        : s_resolve_object (cursor, reader, fault);
        if (rc)
            return rc < 0 ? -1 : 0;
        cursor->resolved = true;
        cursor->start = cursor->inside = 0;
        if (token_next (cursor->data, cursor->size, &cursor->inside, &cursor->token))
            return s_malformed (fault);
        cursor->end = cursor->inside;
    }
}

/*  --- numbers ----------------------------------------------------------  */

static int
s_read_bool (const msgpack_token_t *token, bool *target, fault_t *fault)
{
    /*  true and false are integers in C11.                                 */
    bool number = token->type == TROUPE_INTEGER && !token->negative && token->number <= 1;
    if (token->type != TROUPE_BOOL && !number)
        return s_wrong_type (fault, "bool", token);
    *target = token->number != 0;
    return 0;
}

/*  A real without a fraction is taken for an integer. Sets *negative and
    the number as in a token.                                               */
static int
s_integer (const msgpack_token_t *token, bool *negative, uint64_t *number, fault_t *fault)
{
    *negative = token->negative;
    *number = token->number;
    if (token->type == TROUPE_INTEGER)
        return 0;
    if (token->type != TROUPE_REAL)
        return s_wrong_type (fault, "integer", token);
    double real = token->real;
    double whole = 0.5;
    if (real >= -0x1p63 && real < 0x1p64) {
        *negative = real <= -1;
        *number = *negative ? (uint64_t) (int64_t) real : real > 0 ? (uint64_t) real : 0;
        whole = *negative ? (double) (int64_t) *number : (double) *number;
    }
    if (whole < real || whole > real || real != real)
        return fault_set (fault, TROUPE_ETYPE, "wanted integer, got real %.17g", real);
    return 0;
}

static int
s_out_of_range (fault_t *fault, const char *range, bool negative, uint64_t number)
{
    if (negative)
        return fault_set (fault, TROUPE_ETYPE, "wanted integer from %s, got %" PRId64, range,
                          (int64_t) number);
    return fault_set (fault, TROUPE_ETYPE, "wanted integer from %s, got %" PRIu64, range,
                      number);
}

static int
s_read_signed (const msgpack_token_t *token, unsigned bits, int64_t *number, fault_t *fault)
{
    static const char *const ranges []
        = { "-128 to 127", "-32768 to 32767", "-2147483648 to 2147483647",
            "-9223372036854775808 to 9223372036854775807" };
    bool negative;
    uint64_t raw;
    if (s_integer (token, &negative, &raw, fault))
        return -1;
    uint64_t limit = (UINT64_C (1) << (bits - 1)) - 1;
    if ((negative ? ~raw : raw) > limit)
        return s_out_of_range (fault, ranges [bits / 16 - bits / 64], negative, raw);
    *number = (int64_t) raw;
    return 0;
}

static int
s_read_unsigned (const msgpack_token_t *token, unsigned bits, uint64_t *number, fault_t *fault)
{
    static const char *const ranges []
        = { "0 to 255", "0 to 65535", "0 to 4294967295", "0 to 18446744073709551615" };
    bool negative;
    if (s_integer (token, &negative, number, fault))
        return -1;
    if (negative || *number > UINT64_MAX >> (64 - bits))
        return s_out_of_range (fault, ranges [bits / 16 - bits / 64], negative, *number);
    return 0;
}

/*  An integer as a real that is equal to it, or a failure.                 */
static int
s_real_of_integer (const msgpack_token_t *token, bool single, double *real, fault_t *fault)
{
    uint64_t size = token->negative ? 0 - token->number : token->number;
    uint64_t digits = size ? size >> __builtin_ctzll (size) : 0;
    if (digits >> (single ? FLT_MANT_DIG : DBL_MANT_DIG))
        return token->negative
                   ? fault_set (fault, TROUPE_ETYPE,
                                "wanted real, got integer %" PRId64 " that has no exact real",
                                (int64_t) token->number)
                   : fault_set (fault, TROUPE_ETYPE,
                                "wanted real, got integer %" PRIu64 " that has no exact real",
                                token->number);
    *real = token->negative ? -(double) size : (double) size;
    return 0;
}

static int
s_read_real (const msgpack_token_t *token, bool single, double *real, fault_t *fault)
{
    if (token->type == TROUPE_INTEGER)
        return s_real_of_integer (token, single, real, fault);
    if (token->type != TROUPE_REAL)
        return s_wrong_type (fault, "real", token);
    *real = token->real;
    bool infinite = token->real > DBL_MAX || token->real < -DBL_MAX;
    if (single && !infinite
        && (token->real > (double) FLT_MAX || token->real < -(double) FLT_MAX))
        return fault_set (fault, TROUPE_ETYPE, "wanted real that fits a float, got %.17g",
                          *real);
    return 0;
}

static int
s_store_signed (const msgpack_token_t *token, troupe_out_t out, fault_t *fault)
{
    static const uint8_t bits [] = { 8, 16, 32, 64 };
    int64_t number = 0;
    if (s_read_signed (token, bits [out.type - TROUPE_OUT_INT8], &number, fault))
        return -1;
    switch (out.type) {
    case TROUPE_OUT_INT8:
        *(int8_t *) out.target = (int8_t) number;
        break;
    case TROUPE_OUT_INT16:
        *(int16_t *) out.target = (int16_t) number;
        break;
    case TROUPE_OUT_INT32:
        *(int32_t *) out.target = (int32_t) number;
        break;
    default:
        *(int64_t *) out.target = number;
    }
    return 0;
}

static int
s_store_unsigned (const msgpack_token_t *token, troupe_out_t out, fault_t *fault)
{
    static const uint8_t bits [] = { 8, 16, 32, 64 };
    uint64_t number = 0;
    if (s_read_unsigned (token, bits [out.type - TROUPE_OUT_UINT8], &number, fault))
        return -1;
    switch (out.type) {
    case TROUPE_OUT_UINT8:
        *(uint8_t *) out.target = (uint8_t) number;
        break;
    case TROUPE_OUT_UINT16:
        *(uint16_t *) out.target = (uint16_t) number;
        break;
    case TROUPE_OUT_UINT32:
        *(uint32_t *) out.target = (uint32_t) number;
        break;
    default:
        *(uint64_t *) out.target = number;
    }
    return 0;
}

static int
s_store_real (const msgpack_token_t *token, troupe_out_t out, fault_t *fault)
{
    double real = 0;
    if (s_read_real (token, out.type == TROUPE_OUT_FLOAT, &real, fault))
        return -1;
    if (out.type == TROUPE_OUT_FLOAT)
        *(float *) out.target = (float) real;
    else
        *(double *) out.target = real;
    return 0;
}

/*  --- strings and bytes ------------------------------------------------  */

/*  True if the token can be read as a string: a string without a NUL, or
    nil, which is read as NULL.                                             */
static int
s_check_string (const msgpack_token_t *token, fault_t *fault)
{
    if (token->type == TROUPE_NIL)
        return 0;
    if (token->type != TROUPE_STRING)
        return s_wrong_type (fault, "string", token);
    if (token->size && !token->terminated && memchr (token->data, 0, token->size))
        return fault_set (fault, TROUPE_ETYPE, "wanted string, got string with a NUL inside");
    return 0;
}

static char *
s_fill_string (char *place, const msgpack_token_t *token)
{
    memcpy (place, token->data, token->size);
    place [token->size] = 0;
    return place;
}

static int
s_read_string (const msgpack_token_t *token, const char **target, const value_reader_t *reader,
               fault_t *fault)
{
    char *place = NULL;
    if (s_check_string (token, fault))
        return -1;
    if (token->type == TROUPE_STRING && token->terminated) {
        *target = (const char *) token->data;
        return 0;
    }
    if (token->type == TROUPE_STRING) {
        place = s_alloc (reader, token->size + 1, 1, fault);
        if (!place)
            return -1;
        s_fill_string (place, token);
    }
    *target = place;
    return 0;
}

static int
s_copy_string (const msgpack_token_t *token, char **target, fault_t *fault)
{
    *target = NULL;
    if (s_check_string (token, fault))
        return -1;
    if (token->type == TROUPE_NIL)
        return 0;
    char *place = malloc (token->size + 1);
    if (!place)
        return s_no_memory (fault);
    *target = s_fill_string (place, token);
    return 0;
}

static int
s_read_bytes (const msgpack_token_t *token, troupe_bytes_t *target, fault_t *fault)
{
    if (token->type != TROUPE_BYTES && token->type != TROUPE_STRING
        && token->type != TROUPE_NUMBERS)
        return s_wrong_type (fault, "bytes", token);
    *target = (troupe_bytes_t){ token->data, token->size };
    return 0;
}

static int
s_read_strings (const cursor_t *cursor, troupe_strings_t *target, const value_reader_t *reader,
                fault_t *fault)
{
    size_t count = cursor->token.count;
    size_t offset = cursor->inside;
    if (cursor->token.type != TROUPE_LIST)
        return s_wrong_type (fault, "list of strings", &cursor->token);
    const char **items = s_alloc (reader, count, sizeof *items, fault);
    if (!items)
        return -1;
    for (size_t index = 0; index < count; index++) {
        troupe_out_t item = { TROUPE_OUT_STRING, &items [index] };
        if (value_read (cursor->data, cursor->size, &offset, item, reader, fault))
            return fault_prefix (fault, "element %zu", index + 1);
    }
    *target = (troupe_strings_t){ items, count };
    return 0;
}

/*  --- arrays of numbers ------------------------------------------------  */

/*  How the kinds of arrays are told apart and made from lists.             */
typedef struct {
    uint8_t kind;
    troupe_out_type_t item;
} array_t;

static array_t
s_array (troupe_out_type_t type)
{
    switch (type) {
    case TROUPE_OUT_INT32S:
        return (array_t){ VALUE_INT32, TROUPE_OUT_INT32 };
    case TROUPE_OUT_INT64S:
        return (array_t){ VALUE_INT64, TROUPE_OUT_INT64 };
    case TROUPE_OUT_FLOATS:
        return (array_t){ VALUE_FLOAT, TROUPE_OUT_FLOAT };
    default:
        return (array_t){ VALUE_DOUBLE, TROUPE_OUT_DOUBLE };
    }
}

/*  The numbers of a list, converted; NULL with the fault set.              */
static const void *
s_numbers_of_list (const cursor_t *cursor, array_t array, const value_reader_t *reader,
                   fault_t *fault)
{
    size_t width = array.kind & 15u;
    size_t offset = cursor->inside;
    uint8_t *items = s_alloc (reader, cursor->token.count, width, fault);
    for (size_t index = 0; items && index < cursor->token.count; index++) {
        troupe_out_t item = { array.item, items + index * width };
        if (value_read (cursor->data, cursor->size, &offset, item, reader, fault)) {
            fault_prefix (fault, "element %zu", index + 1);
            return NULL;
        }
    }
    return items;
}

/*  In place where the place is aligned, otherwise a copy.                  */
static const void *
s_numbers_in_place (const msgpack_token_t *token, array_t array, const value_reader_t *reader,
                    fault_t *fault)
{
    if ((uintptr_t) token->data % (array.kind & 15u) == 0)
        return token->data;
    void *items = s_alloc (reader, token->size, 1, fault);
    return items ? memcpy (items, token->data, token->size) : NULL;
}

static int
s_read_numbers (const cursor_t *cursor, troupe_out_t out, const value_reader_t *reader,
                fault_t *fault)
{
    const msgpack_token_t *token = &cursor->token;
    array_t array = s_array (out.type);
    const void *items;
    if (token->type == TROUPE_NUMBERS && token->kind == array.kind)
        items = s_numbers_in_place (token, array, reader, fault);
    else if (token->type == TROUPE_LIST)
        items = s_numbers_of_list (cursor, array, reader, fault);
    else
        return s_wrong_type (fault, s_kind_name (array.kind), token);
    if (!items)
        return -1;
    switch (out.type) {
    case TROUPE_OUT_INT32S:
        *(troupe_int32s_t *) out.target = (troupe_int32s_t){ items, token->count };
        break;
    case TROUPE_OUT_INT64S:
        *(troupe_int64s_t *) out.target = (troupe_int64s_t){ items, token->count };
        break;
    case TROUPE_OUT_FLOATS:
        *(troupe_floats_t *) out.target = (troupe_floats_t){ items, token->count };
        break;
    default:
        *(troupe_doubles_t *) out.target = (troupe_doubles_t){ items, token->count };
    }
    return 0;
}

/*  --- views and handles ------------------------------------------------  */

static int
s_read_view (const cursor_t *cursor, troupe_view_t *target, const value_reader_t *reader)
{
    *target
        = (troupe_view_t){ cursor->data + cursor->start, cursor->end - cursor->start, reader };
    return 0;
}

static int
s_read_future (const msgpack_token_t *token, troupe_future_t **target, const value_reader_t *reader,
               fault_t *fault)
{
    *target = NULL;
    if (token->type != TROUPE_FUTURE)
        return s_wrong_type (fault, "future", token);
    if (!reader || !reader->future)
        return fault_set (fault, TROUPE_EINVAL, "a future cannot be read here");
    *target = reader->future (reader->context, token_reference (token), fault);
    return *target ? 0 : -1;
}

static int
s_read_actor (const msgpack_token_t *token, troupe_actor_t **target, const value_reader_t *reader,
              fault_t *fault)
{
    actor_reference_t actor;
    *target = NULL;
    if (token_actor (token, &actor))
        return s_wrong_type (fault, "actor", token);
    if (!reader || !reader->actor)
        return fault_set (fault, TROUPE_EINVAL, "an actor cannot be read here");
    *target = reader->actor (reader->context, &actor, fault);
    return *target ? 0 : -1;
}

/*  --- one value --------------------------------------------------------  */

static bool
s_holds (const msgpack_token_t *token)
{
    return token->type == TROUPE_LIST || token->type == TROUPE_MAP;
}

static int
s_read (const cursor_t *cursor, troupe_out_t out, const value_reader_t *reader, fault_t *fault)
{
    const msgpack_token_t *token = &cursor->token;
    switch (out.type) {
    case TROUPE_OUT_BOOL:
        return s_read_bool (token, out.target, fault);
    case TROUPE_OUT_INT8:
    case TROUPE_OUT_INT16:
    case TROUPE_OUT_INT32:
    case TROUPE_OUT_INT64:
        return s_store_signed (token, out, fault);
    case TROUPE_OUT_UINT8:
    case TROUPE_OUT_UINT16:
    case TROUPE_OUT_UINT32:
    case TROUPE_OUT_UINT64:
        return s_store_unsigned (token, out, fault);
    case TROUPE_OUT_FLOAT:
    case TROUPE_OUT_DOUBLE:
        return s_store_real (token, out, fault);
    case TROUPE_OUT_STRING:
        return s_read_string (token, out.target, reader, fault);
    case TROUPE_OUT_STRING_COPY:
        return s_copy_string (token, out.target, fault);
    case TROUPE_OUT_BYTES:
        return s_read_bytes (token, out.target, fault);
    case TROUPE_OUT_INT32S:
    case TROUPE_OUT_INT64S:
    case TROUPE_OUT_FLOATS:
    case TROUPE_OUT_DOUBLES:
        return s_read_numbers (cursor, out, reader, fault);
    case TROUPE_OUT_STRINGS:
        return s_read_strings (cursor, out.target, reader, fault);
    case TROUPE_OUT_VIEW:
        return s_read_view (cursor, out.target, reader);
    case TROUPE_OUT_FUTURE:
        return s_read_future (token, out.target, reader, fault);
    case TROUPE_OUT_ACTOR:
        return s_read_actor (token, out.target, reader, fault);
    case TROUPE_OUT_END:
        break;
    }
    return fault_set (fault, TROUPE_EINVAL, "unknown type of place: %d", (int) out.type);
}

int
value_read (const uint8_t *data, size_t size, size_t *offset, troupe_out_t out,
            const value_reader_t *reader, fault_t *fault)
{
    cursor_t cursor;
    size_t next = *offset;
    if (s_open (data, size, &next, reader, &cursor, fault))
        return -1;
    if (s_holds (&cursor.token) && (!cursor.resolved || out.type == TROUPE_OUT_VIEW)) {
        cursor.end = cursor.start;
        if (value_skip (cursor.data, cursor.size, &cursor.end))
            return s_malformed (fault);
    }
    if (s_read (&cursor, out, reader, fault))
        return -1;
    *offset = cursor.resolved ? next : cursor.end;
    return 0;
}

/*  --- lists of values --------------------------------------------------  */

/*  What the caller owns once it is read.                                   */
static bool
s_owned (troupe_out_type_t type)
{
    return type == TROUPE_OUT_STRING_COPY || type == TROUPE_OUT_FUTURE
           || type == TROUPE_OUT_ACTOR;
}

/*  Sees whether a place that the caller will own can be read, and nulls it. */
static int
s_check_owned (const uint8_t *data, size_t size, size_t *offset, troupe_out_t out,
               const value_reader_t *reader, fault_t *fault)
{
    cursor_t cursor;
    if (s_open (data, size, offset, reader, &cursor, fault))
        return -1;
    switch (out.type) {
    case TROUPE_OUT_STRING_COPY:
        return s_check_string (&cursor.token, fault);
    case TROUPE_OUT_FUTURE:
        if (cursor.token.type != TROUPE_FUTURE)
            return s_wrong_type (fault, "future", &cursor.token);
        return 0;
    default:
        if (cursor.token.type != TROUPE_ACTOR)
            return s_wrong_type (fault, "actor", &cursor.token);
        return 0;
    }
}

/*  One of three passes over the list: what the caller does not own is read
    first, so that a fault in it leaves nothing to free; then copies of
    strings; handles, which nothing here can give back, last.               */
typedef enum { PASS_BORROWED, PASS_COPIES, PASS_HANDLES } pass_t;

static int
s_visit (const cursor_t *list, size_t *offset, troupe_out_t out, pass_t pass,
         const value_reader_t *reader, fault_t *fault)
{
    bool copy = out.type == TROUPE_OUT_STRING_COPY;
    if (pass == PASS_BORROWED && s_owned (out.type))
        return s_check_owned (list->data, list->size, offset, out, reader, fault);
    if (pass == PASS_BORROWED || (s_owned (out.type) && copy == (pass == PASS_COPIES)))
        return value_read (list->data, list->size, offset, out, reader, fault);
    return value_skip (list->data, list->size, offset) ? s_malformed (fault) : 0;
}

static int
s_pass (const cursor_t *list, const troupe_out_t *outs, size_t count, pass_t pass,
        const char *what, const value_reader_t *reader, fault_t *fault)
{
    size_t offset = list->inside;
    for (size_t index = 0; index < count; index++)
        if (s_visit (list, &offset, outs [index], pass, reader, fault))
            return fault_prefix (fault, "%s %zu", what, index + 1);
    return 0;
}

/*  Nulls the places that the caller owns; returns how many there are.      */
static size_t
s_null_owned (const troupe_out_t *outs, size_t count)
{
    size_t owned = 0;
    for (size_t index = 0; index < count; index++)
        if (s_owned (outs [index].type)) {
            *(void **) outs [index].target = NULL;
            owned++;
        }
    return owned;
}

static void
s_free_copies (const troupe_out_t *outs, size_t count)
{
    for (size_t index = 0; index < count; index++)
        if (outs [index].type == TROUPE_OUT_STRING_COPY) {
            char **target = outs [index].target;
            free (*target);
            *target = NULL;
        }
}

int
value_read_list (const uint8_t *data, size_t size, const troupe_out_t *outs, size_t count,
                 const char *what, const value_reader_t *reader, fault_t *fault)
{
    cursor_t list;
    size_t offset = 0;
    size_t owned = s_null_owned (outs, count);
    if (s_open (data, size, &offset, reader, &list, fault))
        return -1;
    const char *plural = count == 1 ? "" : "s";
    if (list.token.type != TROUPE_LIST)
        return fault_set (fault, TROUPE_ETYPE, "wanted list of %zu %s%s, got %s", count, what,
                          plural, value_type_name (list.token.type));
    if (list.token.count != count)
        return fault_set (fault, TROUPE_ETYPE, "wanted %zu %s%s, got %zu", count, what, plural,
                          list.token.count);
    if (s_pass (&list, outs, count, PASS_BORROWED, what, reader, fault))
        return -1;
    if (owned == 0)
        return 0;
    if (s_pass (&list, outs, count, PASS_COPIES, what, reader, fault)
        || s_pass (&list, outs, count, PASS_HANDLES, what, reader, fault)) {
        s_free_copies (outs, count);
        return -1;
    }
    return 0;
}
