/*  value_check.c - the token reader, and the check of untrusted values     */

#include "core/value.h"

/*  The size of ext 4 without the name of the class, and of ext 5.          */
#define ACTOR_FIXED 40

#define OBJECT_FIXED (OBJECT_REFERENCE_SIZE - 3)

/*  --- big-endian numbers of msgpack ------------------------------------  */

static inline uint64_t
s_big (const uint8_t *place, size_t width)
{
    uint64_t number = 0;
    for (size_t index = 0; index < width; index++)
        number = number << 8 | place [index];
    return number;
}

/*  Takes `width` bytes as an unsigned number; false if they are not there.  */
static inline bool
s_take (const uint8_t *data, size_t size, size_t *offset, size_t width, uint64_t *number)
{
    if (size - *offset < width)
        return false;
    *number = s_big (data + *offset, width);
    *offset += width;
    return true;
}

/*  --- kinds of tokens --------------------------------------------------  */

static int
s_signed (msgpack_token_t *token, int64_t number)
{
    token->type = TROUPE_INTEGER;
    token->negative = number < 0;
    token->number = (uint64_t) number;
    return 0;
}

static int
s_boolean (msgpack_token_t *token, bool value)
{
    token->type = TROUPE_BOOL;
    token->number = value;
    return 0;
}

/*  Counts are checked against the bytes that are left: no element is
    shorter than one.                                                       */
static int
s_container (size_t left, msgpack_token_t *token, troupe_type_t type, uint64_t count)
{
    if (count > (type == TROUPE_MAP ? left / 2 : left))
        return -1;
    token->type = type;
    token->count = (size_t) count;
    return 0;
}

static int
s_range (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, uint64_t length)
{
    if (length > size - *offset)
        return -1;
    token->data = data + *offset;
    token->size = (size_t) length;
    *offset += (size_t) length;
    return 0;
}

static int
s_numbers (msgpack_token_t *token)
{
    if (token->size < 2)
        return -1;
    uint8_t kind = token->data [0];
    size_t skip = (size_t) 2 + token->data [1];
    if (kind != VALUE_INT32 && kind != VALUE_INT64 && kind != VALUE_FLOAT
        && kind != VALUE_DOUBLE)
        return -1;
    size_t width = kind & 15u;
    if (skip > 9 || skip > token->size || (token->size - skip) % width)
        return -1;
    token->type = TROUPE_NUMBERS;
    token->kind = kind;
    token->data += skip;
    token->size -= skip;
    token->count = token->size / width;
    return 0;
}

static bool
s_is_object_kind (uint8_t kind)
{
    return kind <= OBJECT_STRING || kind == OBJECT_INT32S || kind == OBJECT_INT64S
           || kind == OBJECT_FLOATS || kind == OBJECT_DOUBLES;
}

static int
s_object (const msgpack_token_t *token)
{
    static const uint8_t zeros [7];
    if (token->size != OBJECT_FIXED || !s_is_object_kind (token->data [24])
        || memcmp (token->data + 25, zeros, sizeof zeros) != 0)
        return -1;
    return 0;
}

static int
s_extension (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, uint64_t length)
{
    uint64_t type;
    if (!s_take (data, size, offset, 1, &type) || s_range (data, size, offset, token, length))
        return -1;
    switch (type) {
    case VALUE_EXT_NUMBERS:
        return s_numbers (token);
    case VALUE_EXT_FUTURE:
    case VALUE_EXT_HANDLE:
        token->type = TROUPE_FUTURE;
        token->handle = type == VALUE_EXT_HANDLE;
        return token->size == 16 ? 0 : -1;
    case VALUE_EXT_ACTOR:
        token->type = TROUPE_ACTOR;
        if (token->size <= ACTOR_FIXED || token->size > ACTOR_FIXED + TROUPE_NAME_MAX)
            return -1;
        return memchr (token->data + ACTOR_FIXED, 0, token->size - ACTOR_FIXED) ? -1 : 0;
    case VALUE_EXT_OBJECT:
        token->type = TOKEN_OBJECT;
        return s_object (token);
    default:
        return -1;
    }
}

static int
s_real (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, size_t width)
{
    uint64_t bits;
    if (!s_take (data, size, offset, width, &bits))
        return -1;
    token->type = TROUPE_REAL;
    if (width == 4) {
        uint32_t half = (uint32_t) bits;
        float real;
        memcpy (&real, &half, sizeof real);
        token->real = (double) real;
    } else
        memcpy (&token->real, &bits, sizeof bits);
    return 0;
}

static int
s_integer (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, uint8_t lead)
{
    size_t width = (size_t) 1 << (lead & 3);
    uint64_t bits;
    if (!s_take (data, size, offset, width, &bits))
        return -1;
    if (lead >= 0xd0) {
        unsigned unused = (unsigned) (64 - 8 * width);
        return s_signed (token, (int64_t) (bits << unused) >> unused);
    }
    token->type = TROUPE_INTEGER;
    token->number = bits;
    return 0;
}

/*  Those that tell their length in one, two or four bytes.                 */
static int
s_long (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, troupe_type_t type,
        size_t width)
{
    uint64_t length;
    if (!s_take (data, size, offset, width, &length))
        return -1;
    if (type == TROUPE_LIST || type == TROUPE_MAP)
        return s_container (size - *offset, token, type, length);
    token->type = type;
    return s_range (data, size, offset, token, length);
}

static int
s_long_extension (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token,
                  size_t width)
{
    uint64_t length;
    return s_take (data, size, offset, width, &length)
               ? s_extension (data, size, offset, token, length)
               : -1;
}

/*  Lead bytes 0xc0 to 0xdf.                                                */
static int
s_formatted (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token, uint8_t lead)
{
    switch (lead) {
    case 0xc0:
        return 0;
    case 0xc2:
    case 0xc3:
        return s_boolean (token, lead == 0xc3);
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return s_long (data, size, offset, token, TROUPE_BYTES, (size_t) 1 << (lead - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return s_long_extension (data, size, offset, token, (size_t) 1 << (lead - 0xc7));
    case 0xca:
        return s_real (data, size, offset, token, 4);
    case 0xcb:
        return s_real (data, size, offset, token, 8);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return s_extension (data, size, offset, token, UINT64_C (1) << (lead - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return s_long (data, size, offset, token, TROUPE_STRING, (size_t) 1 << (lead - 0xd9));
    case 0xdc:
    case 0xdd:
        return s_long (data, size, offset, token, TROUPE_LIST, (size_t) 2 << (lead - 0xdc));
    case 0xde:
    case 0xdf:
        return s_long (data, size, offset, token, TROUPE_MAP, (size_t) 2 << (lead - 0xde));
    case 0xc1:
        return -1;
    default:
        return s_integer (data, size, offset, token, lead);
    }
}

static inline int
s_token (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token)
{
    if (*offset >= size)
        return -1;
    *token = (msgpack_token_t){ 0 };
    uint8_t lead = data [(*offset)++];
    if (lead < 0x80 || lead >= 0xe0)
        return s_signed (token, (int8_t) lead);
    if (lead >= 0xc0)
        return s_formatted (data, size, offset, token, lead);
    if (lead >= 0xa0) {
        token->type = TROUPE_STRING;
        return s_range (data, size, offset, token, lead & 31u);
    }
    troupe_type_t type = lead >= 0x90 ? TROUPE_LIST : TROUPE_MAP;
    return s_container (size - *offset, token, type, lead & 15u);
}

int
token_next (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token)
{
    size_t next = *offset;
    if (s_token (data, size, &next, token))
        return -1;
    *offset = next;
    return 0;
}

/*  --- whole values -----------------------------------------------------  */

/*  How many values directly inside follow the token.                       */
static inline size_t
s_inside (const msgpack_token_t *token)
{
    if (token->type == TROUPE_LIST)
        return token->count;
    return token->type == TROUPE_MAP ? 2 * token->count : 0;
}

int
value_skip (const uint8_t *data, size_t size, size_t *offset)
{
    size_t next = *offset;
    size_t pending = 1;
    msgpack_token_t token;
    while (pending) {
        if (s_token (data, size, &next, &token))
            return -1;
        pending += s_inside (&token) - 1;
        if (pending > size - next)
            return -1;
    }
    *offset = next;
    return 0;
}

/*  Goes up from the lists and maps that have ended. Returns the depth.     */
static inline size_t
s_leave (const size_t *pending, size_t depth)
{
    while (depth && pending [depth - 1] == 0)
        depth--;
    return depth;
}

size_t
value_check (const uint8_t *data, size_t size, bool whole)
{
    size_t pending [VALUE_DEPTH_MAX];
    size_t depth = 0;
    size_t offset = 0;
    msgpack_token_t token;
    do {
        if (s_token (data, size, &offset, &token))
            return 0;
        if (token.type == TROUPE_NUMBERS && (size_t) (token.data - data) % 8)
            return 0;
        if (depth)
            pending [depth - 1]--;
        if (token.type == TROUPE_LIST || token.type == TROUPE_MAP) {
            if (depth == VALUE_DEPTH_MAX)
                return 0;
            pending [depth++] = s_inside (&token);
        }
        depth = s_leave (pending, depth);
    } while (depth);
    return whole && offset != size ? 0 : offset;
}

/*  --- references -------------------------------------------------------  */

tid_t
token_reference (const msgpack_token_t *token)
{
    return (tid_t){ load_u64 (token->data), load_u64 (token->data + 8) };
}

int
token_actor (const msgpack_token_t *token, actor_reference_t *actor)
{
    if (token->type != TROUPE_ACTOR)
        return -1;
    actor->id = token_reference (token);
    actor->worker = load_u64 (token->data + 16);
    actor->number = load_u64 (token->data + 24);
    actor->signature = load_u64 (token->data + 32);
    actor->class_name = (const char *) token->data + ACTOR_FIXED;
    actor->class_length = token->size - ACTOR_FIXED;
    return 0;
}

int
token_object (const msgpack_token_t *token, object_reference_t *object)
{
    if (token->type != TOKEN_OBJECT)
        return -1;
    object->id = token_reference (token);
    object->size = load_u64 (token->data + 16);
    object->kind = token->data [24];
    return 0;
}

void
token_of_object (msgpack_token_t *token, const object_reference_t *object, const uint8_t *data)
{
    *token = (msgpack_token_t){ .type = TROUPE_NUMBERS, .kind = object->kind, .data = data,
                                .size = object->size };
    if (object->kind == OBJECT_BYTES)
        token->type = TROUPE_BYTES;
    else if (object->kind == OBJECT_STRING) {
        token->type = TROUPE_STRING;
        token->size -= object->size > 0;
        token->terminated = object->size > 0;
    } else
        token->count = object->size / (object->kind & 15u);
}

bool
value_next_object (const uint8_t *data, size_t size, size_t *offset, object_reference_t *object)
{
    msgpack_token_t token;
    while (*offset < size && token_next (data, size, offset, &token) == 0)
        if (token_object (&token, object) == 0)
            return true;
    return false;
}

bool
value_is_object (const uint8_t *data, size_t size, object_reference_t *object)
{
    size_t offset = 0;
    msgpack_token_t token;
    return size == OBJECT_REFERENCE_SIZE && token_next (data, size, &offset, &token) == 0
           && offset == size && token_object (&token, object) == 0;
}

const char *
value_type_name (troupe_type_t type)
{
    static const char *const names []
        = { "nil",  "bool", "integer", "real",   "string", "bytes",
            "list", "map",  "numbers", "future", "actor", "object" };
    size_t index = (size_t) type;
    return index < sizeof names / sizeof names [0] ? names [index] : "unknown";
}
