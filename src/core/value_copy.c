/*  value_copy.c - moving a value to another place in a buffer              */

#include "core/value.h"

static int
s_copy_numbers (bytes_t *out, const msgpack_token_t *token)
{
    troupe_arg_t arg = { TROUPE_ARG_BYTES, token->count, { .pointer = token->data } };
    switch (token->kind) {
    case VALUE_INT32:
        arg.type = TROUPE_ARG_INT32S;
        break;
    case VALUE_INT64:
        arg.type = TROUPE_ARG_INT64S;
        break;
    case VALUE_FLOAT:
        arg.type = TROUPE_ARG_FLOATS;
        break;
    case VALUE_DOUBLE:
        arg.type = TROUPE_ARG_DOUBLES;
        break;
    default:
        return -1;
    }
    fault_t fault;
    return value_write (out, &arg, NULL, &fault);
}

int
value_copy (bytes_t *out, const uint8_t *data, size_t size)
{
    size_t offset = 0;
    size_t copied = 0;
    msgpack_token_t token;
    while (offset < size) {
        size_t start = offset;
        if (token_next (data, size, &offset, &token))
            return -1;
        if (token.type != TROUPE_NUMBERS)
            continue;
        if (bytes_append (out, data + copied, start - copied) || s_copy_numbers (out, &token))
            return -1;
        copied = offset;
    }
    return bytes_append (out, data + copied, size - copied);
}
