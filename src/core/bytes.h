/*  bytes.h - a growing byte buffer                                         */

#ifndef TROUPE_CORE_BYTES_H
#define TROUPE_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*  Zeroed is empty. data comes from malloc, so that it is aligned for any
    type. After a failed allocation `failed` stays set, the content is what
    it was, and every append fails until bytes_clear.                       */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} bytes_t;

/*  Makes room for more bytes. Returns where they go, or NULL. The slow path
    of bytes_extend.                                                        */
uint8_t *bytes_reserve (bytes_t *bytes, size_t more);

/*  Appends. Return 0 or -1.                                                */
int bytes_append (bytes_t *bytes, const void *data, size_t size);

/*  Appends zeros until size is a multiple of 8.                            */
int bytes_align (bytes_t *bytes);

/*  Cuts back to an earlier size.                                           */
static inline void
bytes_truncate (bytes_t *bytes, size_t size)
{
    if (size < bytes->size)
        bytes->size = size;
}

/*  Empties, keeping the memory.                                            */
static inline void
bytes_clear (bytes_t *bytes)
{
    bytes->size = 0;
    bytes->failed = false;
}

/*  A copy of length bytes, which need not end in a NUL, with a NUL behind
    them; to be freed. NULL when there is no memory.                        */
char *bytes_text (const void *data, size_t length);

/*  Frees the memory; the buffer is empty and usable again.                 */
void bytes_release (bytes_t *bytes);

/*  Appends size bytes, not initialised. Returns where they are, or NULL.   */
static inline uint8_t *
bytes_extend (bytes_t *bytes, size_t size)
{
    uint8_t *place;
    if (!bytes->failed && bytes->data && bytes->capacity - bytes->size >= size)
        place = bytes->data + bytes->size;
    else
        place = bytes_reserve (bytes, size);
    if (place)
        bytes->size += size;
    return place;
}

/*  Numbers at any address, little-endian on the wire.                      */
static inline uint16_t
load_u16 (const void *place)
{
    const uint8_t *p = place;
    return (uint16_t) (p [0] | p [1] << 8);
}

static inline uint32_t
load_u32 (const void *place)
{
    const uint8_t *p = place;
    return (uint32_t) p [0] | (uint32_t) p [1] << 8 | (uint32_t) p [2] << 16
           | (uint32_t) p [3] << 24;
}

static inline uint64_t
load_u64 (const void *place)
{
    return (uint64_t) load_u32 (place) | (uint64_t) load_u32 ((const uint8_t *) place + 4) << 32;
}

static inline void
store_u16 (void *place, uint16_t value)
{
    uint8_t *p = place;
    p [0] = (uint8_t) value;
    p [1] = (uint8_t) (value >> 8);
}

static inline void
store_u32 (void *place, uint32_t value)
{
    uint8_t *p = place;
    p [0] = (uint8_t) value;
    p [1] = (uint8_t) (value >> 8);
    p [2] = (uint8_t) (value >> 16);
    p [3] = (uint8_t) (value >> 24);
}

static inline void
store_u64 (void *place, uint64_t value)
{
    store_u32 (place, (uint32_t) value);
    store_u32 ((uint8_t *) place + 4, (uint32_t) (value >> 32));
}

#endif
