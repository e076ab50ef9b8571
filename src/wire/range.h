/*  range.h - ranges of IP addresses, as 10.0.0.0/8 or fe80::/10            */

#ifndef TROUPE_WIRE_RANGE_H
#define TROUPE_WIRE_RANGE_H

#include "core/error.h"

/*  An IPv4 address is the IPv6 address that it maps to.                    */
typedef struct {
    uint8_t bytes [16];
} address_t;

typedef struct {
    address_t first;
    unsigned bits;
} range_t;

/*  Reads an address as ZeroMQ and the kernel write it; a zone behind a % and
    brackets are left out. Returns 0 or -1.                                 */
int address_read (address_t *address, const char *text);

/*  An IPv4 address as such, also if it came through an IPv6 socket; any other
    text as it is. Points into the text.                                    */
const char *address_plain (const char *text);

bool address_is_loopback (const address_t *address);

/*  Reads ADDRESS or ADDRESS/BITS; bits behind the prefix must be zero, as
    they are a typo otherwise. Returns 0, or -1 with the fault set.         */
int range_read (range_t *range, const char *text, fault_t *fault);

bool range_has (const range_t *range, const address_t *address);

#endif
