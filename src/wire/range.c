/*  range.c - ranges of IP addresses, as 10.0.0.0/8 or fe80::/10            */

#include "wire/range.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t s_mapped [12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int
address_read (address_t *address, const char *text)
{
    char plain [INET6_ADDRSTRLEN + 1];
    if (*text == '[')
        text++;
    size_t length = strcspn (text, "%]");
    if (length >= sizeof plain)
        return -1;
    memcpy (plain, text, length);
    plain [length] = 0;
    if (inet_pton (AF_INET6, plain, address->bytes) == 1)
        return 0;
    memcpy (address->bytes, s_mapped, sizeof s_mapped);
    return inet_pton (AF_INET, plain, address->bytes + sizeof s_mapped) == 1 ? 0 : -1;
}

const char *
address_plain (const char *text)
{
    return strncmp (text, "::ffff:", 7) == 0 && strchr (text, '.') ? text + 7 : text;
}

bool
address_is_loopback (const address_t *address)
{
    static const uint8_t loopback [16] = { [15] = 1 };
    if (memcmp (address->bytes, s_mapped, sizeof s_mapped) == 0)
        return address->bytes [12] == 127;
    return memcmp (address->bytes, loopback, sizeof loopback) == 0;
}

/*  True if the first bits of both are the same.                            */
static bool
s_same (const address_t *one, const address_t *other, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp (one->bytes, other->bytes, whole))
        return false;
    unsigned rest = bits % 8;
    return !rest || (one->bytes [whole] ^ other->bytes [whole]) >> (8 - rest) == 0;
}

static bool
s_zero_behind (const range_t *range)
{
    address_t cut = range->first;
    for (unsigned bit = range->bits; bit < 128; bit++)
        cut.bytes [bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return memcmp (&cut, &range->first, sizeof cut) == 0;
}

int
range_read (range_t *range, const char *text, fault_t *fault)
{
    char plain [INET6_ADDRSTRLEN + 1];
    size_t length = strcspn (text, "/");
    if (length < sizeof plain) {
        memcpy (plain, text, length);
        plain [length] = 0;
    }
    if (length >= sizeof plain || address_read (&range->first, plain))
        return fault_set (fault, TROUPE_EINVAL, "'%.60s' is no range of addresses", text);
    unsigned offset = strchr (plain, ':') ? 0 : MAPPED_BITS;
    range->bits = 128;
    if (text [length] == '/') {
        char *end;
        const char *digits = text + length + 1;
        unsigned long bits = strtoul (digits, &end, 10);
        if (*digits < '0' || *digits > '9' || *end || bits > 128 - offset)
            return fault_set (fault, TROUPE_EINVAL, "'%.60s': the length of the prefix must be "
                                                   "0 to %u", text, 128 - offset);
        range->bits = (unsigned) bits + offset;
    }
    if (!s_zero_behind (range))
        return fault_set (fault, TROUPE_EINVAL, "'%.60s' has bits set behind its prefix", text);
    return 0;
}

bool
range_has (const range_t *range, const address_t *address)
{
    return s_same (&range->first, address, range->bits);
}
