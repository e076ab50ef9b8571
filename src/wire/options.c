/*  options.c - writes and reads blocks of options                          */

#include "wire/options.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS_HEADER 40

static bool
s_valid (const options_t *options)
{
    if (options->placement >= PLACE_LIMIT || options->flags > UINT8_MAX
        || options->count > OPTIONS_RESOURCES_MAX || options->node_name_length > NODE_NAME_MAX)
        return false;
    for (size_t index = 0; index < options->count; index++) {
        const resource_t *resource = &options->resources [index];
        if (resource->length == 0 || resource->length > RESOURCE_NAME_MAX || resource->amount < 0
            || resource->amount > RESOURCE_AMOUNT_MAX)
            return false;
    }
    return true;
}

static int
s_pad (bytes_t *bytes, size_t begin)
{
    static const uint8_t zeros [8];
    return bytes_append (bytes, zeros, (8 - (bytes->size - begin) % 8) % 8);
}

static int
s_write_resource (bytes_t *bytes, const resource_t *resource, size_t begin)
{
    uint8_t head [9];
    store_u64 (head, (uint64_t) resource->amount);
    head [8] = (uint8_t) resource->length;
    return bytes_append (bytes, head, sizeof head)
                   || bytes_append (bytes, resource->name, resource->length)
                   || s_pad (bytes, begin)
               ? -1
               : 0;
}

int
options_write (bytes_t *bytes, const options_t *options)
{
    uint8_t head [OPTIONS_HEADER] = { 0 };
    size_t begin = bytes->size;
    if (!s_valid (options))
        return -1;
    head [4] = (uint8_t) options->placement;
    head [5] = (uint8_t) options->flags;
    head [6] = (uint8_t) options->count;
    head [7] = (uint8_t) options->node_name_length;
    store_u64 (head + 8, options->node);
    store_u64 (head + 16, options->group.owner);
    store_u64 (head + 24, options->group.sequence);
    store_u32 (head + 32, options->bundle);
    int rc = bytes_append (bytes, head, sizeof head);
    for (size_t index = 0; rc == 0 && index < options->count; index++)
        rc = s_write_resource (bytes, &options->resources [index], begin);
    if (rc == 0)
        rc = bytes_append (bytes, options->node_name, options->node_name_length);
    if (rc == 0)
        rc = s_pad (bytes, begin);
    if (rc == 0)
        store_u32 (bytes->data + begin, (uint32_t) (bytes->size - begin));
    return rc ? -1 : 0;
}

/*  Returns where the resource ends, or 0 if it is malformed.               */
static size_t
s_read_resource (const uint8_t *data, size_t size, size_t offset, resource_t *resource)
{
    if (size - offset < 16)
        return 0;
    uint64_t amount = load_u64 (data + offset);
    size_t length = data [offset + 8];
    size_t step = (9 + length + 7) & ~(size_t) 7;
    if (amount > (uint64_t) RESOURCE_AMOUNT_MAX || step > size - offset)
        return 0;
    resource->amount = (int64_t) amount;
    resource->name = (const char *) data + offset + 9;
    resource->length = length;
    return offset + step;
}

size_t
options_read (const uint8_t *data, size_t size, options_t *options)
{
    *options = (options_t){ 0 };
    if (size < OPTIONS_HEADER || load_u32 (data) > size || load_u32 (data) % 8)
        return 0;
    size = load_u32 (data);
    if (size < OPTIONS_HEADER)
        return 0;
    options->placement = (placement_t) data [4];
    options->flags = data [5];
    options->count = data [6];
    options->node_name_length = data [7];
    options->node = load_u64 (data + 8);
    options->group = (tid_t){ load_u64 (data + 16), load_u64 (data + 24) };
    options->bundle = load_u32 (data + 32);
    if (options->count > OPTIONS_RESOURCES_MAX)
        return 0;
    size_t offset = OPTIONS_HEADER;
    for (size_t index = 0; offset && index < options->count; index++)
        offset = s_read_resource (data, size, offset, &options->resources [index]);
    if (!offset || size - offset < options->node_name_length)
        return 0;
    options->node_name = (const char *) data + offset;
    return s_valid (options) ? size : 0;
}

int
resources_parse (const char *text, resource_t *resources, size_t *count)
{
    for (text += strspn (text, " "); *text; text += strspn (text, " ")) {
        size_t length = strcspn (text, "= ");
        char *end = NULL;
        double amount = text [length] == '=' ? strtod (text + length + 1, &end) : -1;
        if (!length || length > RESOURCE_NAME_MAX || *count == OPTIONS_RESOURCES_MAX || !end
            || end == text + length + 1 || (*end && *end != ' ') || !(amount >= 0)
            || amount > (double) (RESOURCE_AMOUNT_MAX / RESOURCE_UNIT))
            return -1;
        resources [(*count)++]
            = (resource_t){ .name = text,
                            .length = length,
                            .amount = (int64_t) (amount * (double) RESOURCE_UNIT + 0.5) };
        text = end;
    }
    return 0;
}
