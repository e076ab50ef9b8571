/*  bytes.c - a growing byte buffer                                         */

#include "core/bytes.h"

#include <stdlib.h>

#define BYTES_FIRST 64

uint8_t *
bytes_reserve (bytes_t *bytes, size_t more)
{
    if (bytes->failed)
        return NULL;
    if (bytes->data && bytes->capacity - bytes->size >= more)
        return bytes->data + bytes->size;

    size_t wanted = bytes->size + more;
    size_t capacity = bytes->capacity ? bytes->capacity : BYTES_FIRST;
    while (capacity < wanted && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (wanted < more || capacity < wanted) {
        bytes->failed = true;
        return NULL;
    }
    uint8_t *data = realloc (bytes->data, capacity);
    if (!data) {
        bytes->failed = true;
        return NULL;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return data + bytes->size;
}

int
bytes_append (bytes_t *bytes, const void *data, size_t size)
{
    if (size == 0)
        return bytes->failed ? -1 : 0;
    uint8_t *place = bytes_extend (bytes, size);
    if (!place)
        return -1;
    memcpy (place, data, size);
    return 0;
}

int
bytes_align (bytes_t *bytes)
{
    static const uint8_t zeros [8];
    return bytes_append (bytes, zeros, (8 - bytes->size % 8) % 8);
}

void
bytes_release (bytes_t *bytes)
{
    free (bytes->data);
    *bytes = (bytes_t){ 0 };
}

char *
bytes_text (const void *data, size_t length)
{
    char *text = length < SIZE_MAX ? malloc (length + 1) : NULL;
    if (!text)
        return NULL;
    if (length)
        memcpy (text, data, length);
    text [length] = 0;
    return text;
}
