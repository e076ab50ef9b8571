/*  value_write.c - encoding values                                         */

#include "core/value.h"

#include <msgpack/pack.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Arrays of numbers are written and read in place: the machine must be little-endian"
#endif

/*  --- parts ------------------------------------------------------------  */

static int
s_append (void *data, const char *buffer, size_t length)
{
    return bytes_append (data, buffer, length);
}

static inline msgpack_packer
s_packer (bytes_t *out)
{
    return (msgpack_packer){ out, s_append };
}

int
value_put_array (bytes_t *out, size_t count)
{
    msgpack_packer packer = s_packer (out);
    return count > UINT32_MAX ? -1 : msgpack_pack_array (&packer, count);
}

int
value_put_map (bytes_t *out, size_t count)
{
    msgpack_packer packer = s_packer (out);
    return count > UINT32_MAX ? -1 : msgpack_pack_map (&packer, count);
}

int
value_put_uint (bytes_t *out, uint64_t number)
{
    msgpack_packer packer = s_packer (out);
    return msgpack_pack_uint64 (&packer, number);
}

int
value_put_string (bytes_t *out, const char *text, size_t length)
{
    msgpack_packer packer = s_packer (out);
    if (length > UINT32_MAX || msgpack_pack_str (&packer, length))
        return -1;
    return bytes_append (out, text, length);
}

int
value_put_reference (bytes_t *out, tid_t id, bool handle)
{
    uint8_t body [16];
    msgpack_packer packer = s_packer (out);
    store_u64 (body, id.owner);
    store_u64 (body + 8, id.sequence);
    return msgpack_pack_ext_with_body (&packer, body, sizeof body,
                                       handle ? VALUE_EXT_HANDLE : VALUE_EXT_FUTURE);
}

int
value_put_actor (bytes_t *out, const actor_reference_t *actor)
{
    uint8_t body [40];
    msgpack_packer packer = s_packer (out);
    if (actor->class_length == 0 || actor->class_length > TROUPE_NAME_MAX)
        return -1;
    store_u64 (body, actor->id.owner);
    store_u64 (body + 8, actor->id.sequence);
    store_u64 (body + 16, actor->worker);
    store_u64 (body + 24, actor->number);
    store_u64 (body + 32, actor->signature);
    if (msgpack_pack_ext (&packer, sizeof body + actor->class_length, VALUE_EXT_ACTOR)
        || bytes_append (out, body, sizeof body))
        return -1;
    return bytes_append (out, actor->class_name, actor->class_length);
}

int
value_put_object (bytes_t *out, const object_reference_t *object)
{
    uint8_t body [OBJECT_REFERENCE_SIZE - 3] = { 0 };
    msgpack_packer packer = s_packer (out);
    store_u64 (body, object->id.owner);
    store_u64 (body + 8, object->id.sequence);
    store_u64 (body + 16, object->size);
    body [24] = object->kind;
    return msgpack_pack_ext_with_body (&packer, body, sizeof body, VALUE_EXT_OBJECT);
}

/*  The head of an extension in the form that its length alone decides, so
    that the padding inside does not change the head's own length.          */
static int
s_put_numbers_head (bytes_t *out, uint8_t kind, size_t size)
{
    size_t width = size <= UINT8_MAX - 9 ? 1 : size <= UINT16_MAX - 9 ? 2 : 4;
    size_t pad = (8 - (out->size + width + 4) % 8) % 8;
    size_t length = 2 + pad + size;
    uint8_t head [16] = { (uint8_t) (width == 1 ? 0xc7 : width == 2 ? 0xc8 : 0xc9) };
    for (size_t index = 0; index < width; index++)
        head [width - index] = (uint8_t) (length >> 8 * index);
    head [width + 1] = VALUE_EXT_NUMBERS;
    head [width + 2] = kind;
    head [width + 3] = (uint8_t) pad;
    return bytes_append (out, head, width + 4 + pad);
}

/*  --- arguments --------------------------------------------------------  */

size_t
value_least_size (const troupe_arg_t *args, size_t count)
{
    static const uint8_t widths [] = { [TROUPE_ARG_STRING] = 1,  [TROUPE_ARG_BYTES] = 1,
                                       [TROUPE_ARG_INT32S] = 4,  [TROUPE_ARG_INT64S] = 8,
                                       [TROUPE_ARG_FLOATS] = 4,  [TROUPE_ARG_DOUBLES] = 8,
                                       [TROUPE_ARG_STRINGS] = 1, [TROUPE_ARG_VALUE] = 1 };
    size_t size = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned type = (unsigned) args [index].type;
        size_t width = type < sizeof widths ? widths [type] : 0;
        if (width && args [index].count > (SIZE_MAX - size) / width)
            return SIZE_MAX;
        size += args [index].count * width;
    }
    return size;
}

static int
s_no_memory (fault_t *fault)
{
    return fault_set (fault, TROUPE_ENOMEM, "no memory for the value");
}

static int
s_too_large (fault_t *fault, size_t size, const char *unit)
{
    return fault_set (fault, TROUPE_ESIZE, "value too large: %zu %s", size, unit);
}

/*  True for a range that points nowhere but should hold something.         */
static bool
s_missing (const troupe_arg_t *arg, fault_t *fault)
{
    if (arg->as.pointer || arg->count == 0)
        return false;
    fault_set (fault, TROUPE_EINVAL, "a range of %zu has no address", arg->count);
    return true;
}

static int
s_write_text (bytes_t *out, const void *data, size_t size, bool text, fault_t *fault)
{
    msgpack_packer packer = s_packer (out);
    if (size > UINT32_MAX)
        return s_too_large (fault, size, "bytes");
    if ((text ? msgpack_pack_str (&packer, size) : msgpack_pack_bin (&packer, size))
        || bytes_append (out, data, size))
        return s_no_memory (fault);
    return 0;
}

static int
s_write_range (bytes_t *out, const troupe_arg_t *arg, fault_t *fault)
{
    if (s_missing (arg, fault))
        return -1;
    return s_write_text (out, arg->as.pointer, arg->count, arg->type == TROUPE_ARG_STRING,
                         fault);
}

static int
s_write_numbers (bytes_t *out, const troupe_arg_t *arg, uint8_t kind, fault_t *fault)
{
    size_t width = kind & 15u;
    if (s_missing (arg, fault))
        return -1;
    if (arg->count > (UINT32_MAX - 9) / width)
        return s_too_large (fault, arg->count, "numbers");
    size_t size = arg->count * width;
    if (s_put_numbers_head (out, kind, size) || bytes_append (out, arg->as.pointer, size))
        return s_no_memory (fault);
    return 0;
}

static int
s_write_list_head (bytes_t *out, const troupe_arg_t *arg, fault_t *fault)
{
    if (s_missing (arg, fault))
        return -1;
    if (arg->count > UINT32_MAX)
        return s_too_large (fault, arg->count, "elements");
    return value_put_array (out, arg->count) ? s_no_memory (fault) : 0;
}

static int
s_write_strings (bytes_t *out, const troupe_arg_t *arg, fault_t *fault)
{
    const char *const *items = arg->as.pointer;
    if (s_write_list_head (out, arg, fault))
        return -1;
    for (size_t index = 0; index < arg->count; index++) {
        msgpack_packer packer = s_packer (out);
        if (!items [index]) {
            if (msgpack_pack_nil (&packer))
                return s_no_memory (fault);
        } else if (s_write_text (out, items [index], strlen (items [index]), true, fault))
            return -1;
    }
    return 0;
}

/*  The argument carries what is not const to its owner as const.           */
static void *
s_pointer (const void *pointer)
{
    return (void *) (uintptr_t) pointer;
}

static int
s_write_future (bytes_t *out, const void *future, bool handle, const value_writer_t *writer,
                fault_t *fault)
{
    if (!future)
        return fault_set (fault, TROUPE_EINVAL, "the future is NULL");
    if (!writer || !writer->future)
        return fault_set (fault, TROUPE_EINVAL, "a future cannot be part of this value");
    return writer->future (writer->context, out, s_pointer (future), handle, fault);
}

static int
s_write_futures (bytes_t *out, const troupe_arg_t *arg, const value_writer_t *writer,
                 fault_t *fault)
{
    troupe_future_t *const *items = arg->as.pointer;
    if (s_write_list_head (out, arg, fault))
        return -1;
    for (size_t index = 0; index < arg->count; index++)
        if (s_write_future (out, items [index], false, writer, fault))
            return -1;
    return 0;
}

static int
s_write_actor (bytes_t *out, const void *actor, const value_writer_t *writer, fault_t *fault)
{
    if (!actor)
        return fault_set (fault, TROUPE_EINVAL, "the actor is NULL");
    if (!writer || !writer->actor)
        return fault_set (fault, TROUPE_EINVAL, "an actor cannot be part of this value");
    return writer->actor (writer->context, out, s_pointer (actor), fault);
}

/*  --- encoded values ---------------------------------------------------  */

static int
s_check_token (const msgpack_token_t *token, size_t depth, const value_writer_t *writer, fault_t *fault)
{
    bool holds = token->type == TROUPE_LIST || token->type == TROUPE_MAP;
    if (holds && depth == VALUE_DEPTH_MAX - 1)
        return fault_set (fault, TROUPE_ELIMIT, "more than %d lists and maps in one another",
                          VALUE_DEPTH_MAX - 1);
    if (token->type == TROUPE_FUTURE && (!writer || !writer->future))
        return fault_set (fault, TROUPE_EINVAL, "a future cannot be part of this value");
    if (token->type == TROUPE_ACTOR && (!writer || !writer->actor))
        return fault_set (fault, TROUPE_EINVAL, "an actor cannot be part of this value");
    object_reference_t object;
    if (token_object (token, &object))
        return 0;
    if (!writer || !writer->object)
        return fault_set (fault, TROUPE_EINVAL, "an object cannot be part of this value");
    return writer->object (writer->context, &object, fault);
}

/*  Accepts what value_check would wherever the value is put, and the
    references only that the writer can take.                               */
static int
s_check_encoded (const uint8_t *data, size_t size, const value_writer_t *writer, fault_t *fault)
{
    size_t pending [VALUE_DEPTH_MAX];
    size_t depth = 0;
    size_t offset = 0;
    msgpack_token_t token;
    do {
        if (token_next (data, size, &offset, &token))
            return fault_set (fault, TROUPE_EINVAL, "the encoded value is malformed");
        if (s_check_token (&token, depth, writer, fault))
            return -1;
        if (depth)
            pending [depth - 1]--;
        if (token.type == TROUPE_LIST)
            pending [depth++] = token.count;
        else if (token.type == TROUPE_MAP)
            pending [depth++] = 2 * token.count;
        while (depth && pending [depth - 1] == 0)
            depth--;
    } while (depth);
    return offset == size
               ? 0
               : fault_set (fault, TROUPE_EINVAL, "something follows the encoded value");
}

static int
s_write_encoded (bytes_t *out, const troupe_arg_t *arg, const value_writer_t *writer,
                 fault_t *fault)
{
    if (s_missing (arg, fault) || s_check_encoded (arg->as.pointer, arg->count, writer, fault))
        return -1;
    return value_copy (out, arg->as.pointer, arg->count) ? s_no_memory (fault) : 0;
}

/*  A failed packer says what failed.                                       */
static int
s_write_error (const troupe_arg_t *arg, fault_t *fault)
{
    bool valid = arg->count <= UINT32_MAX && fault_code_valid ((uint32_t) arg->count);
    troupe_error_t code = valid ? (troupe_error_t) arg->count : TROUPE_EINVAL;
    const char *text = arg->as.pointer;
    return fault_set (fault, code, "%s", text ? text : troupe_strerror (code));
}

/*  --- the whole --------------------------------------------------------  */

static int
s_write_scalar (bytes_t *out, const troupe_arg_t *arg, fault_t *fault)
{
    msgpack_packer packer = s_packer (out);
    int rc;
    switch (arg->type) {
    case TROUPE_ARG_BOOL:
        rc = arg->as.boolean ? msgpack_pack_true (&packer) : msgpack_pack_false (&packer);
        break;
    case TROUPE_ARG_INTEGER:
        rc = msgpack_pack_int64 (&packer, arg->as.integer);
        break;
    case TROUPE_ARG_UNSIGNED:
        rc = msgpack_pack_uint64 (&packer, arg->as.number);
        break;
    case TROUPE_ARG_REAL:
        rc = msgpack_pack_double (&packer, arg->as.real);
        break;
    default:
        rc = msgpack_pack_nil (&packer);
    }
    return rc ? s_no_memory (fault) : 0;
}

static int
s_write (bytes_t *out, const troupe_arg_t *arg, const value_writer_t *writer, fault_t *fault)
{
    switch (arg->type) {
    case TROUPE_ARG_NIL:
    case TROUPE_ARG_BOOL:
    case TROUPE_ARG_INTEGER:
    case TROUPE_ARG_UNSIGNED:
    case TROUPE_ARG_REAL:
        return s_write_scalar (out, arg, fault);
    case TROUPE_ARG_STRING:
    case TROUPE_ARG_BYTES:
        return s_write_range (out, arg, fault);
    case TROUPE_ARG_INT32S:
        return s_write_numbers (out, arg, VALUE_INT32, fault);
    case TROUPE_ARG_INT64S:
        return s_write_numbers (out, arg, VALUE_INT64, fault);
    case TROUPE_ARG_FLOATS:
        return s_write_numbers (out, arg, VALUE_FLOAT, fault);
    case TROUPE_ARG_DOUBLES:
        return s_write_numbers (out, arg, VALUE_DOUBLE, fault);
    case TROUPE_ARG_STRINGS:
        return s_write_strings (out, arg, fault);
    case TROUPE_ARG_FUTURE:
    case TROUPE_ARG_HANDLE:
        return s_write_future (out, arg->as.pointer, arg->type == TROUPE_ARG_HANDLE, writer,
                               fault);
    case TROUPE_ARG_FUTURES:
        return s_write_futures (out, arg, writer, fault);
    case TROUPE_ARG_ACTOR:
        return s_write_actor (out, arg->as.pointer, writer, fault);
    case TROUPE_ARG_VALUE:
        return s_write_encoded (out, arg, writer, fault);
    case TROUPE_ARG_ERROR:
        return s_write_error (arg, fault);
    case TROUPE_ARG_OBJECT:
        return fault_set (fault, TROUPE_EINVAL, "an object cannot be part of this value");
    case TROUPE_ARG_OPTIONS:
        return fault_set (fault, TROUPE_EINVAL, "options are not a value");
    case TROUPE_ARG_END:
        break;
    }
    return fault_set (fault, TROUPE_EINVAL, "unknown type of argument: %d", (int) arg->type);
}

int
value_write (bytes_t *out, const troupe_arg_t *arg, const value_writer_t *writer,
             fault_t *fault)
{
    size_t start = out->size;
    int rc = s_write (out, arg, writer, fault);
    if (rc)
        bytes_truncate (out, start);
    return rc;
}

int
value_write_args (bytes_t *out, const troupe_arg_t *args, size_t count,
                  const value_writer_t *writer, fault_t *fault)
{
    size_t start = out->size;
    size_t values = 0;
    for (size_t index = 0; index < count; index++)
        values += args [index].type != TROUPE_ARG_OPTIONS;
    int rc = value_put_array (out, values) ? s_no_memory (fault) : 0;
    for (size_t index = 0; index < count && rc == 0; index++)
        if (args [index].type != TROUPE_ARG_OPTIONS)
            rc = s_write (out, &args [index], writer, fault);
    if (rc)
        bytes_truncate (out, start);
    return rc;
}
