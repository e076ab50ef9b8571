/*  checksum.h - checksums of large pieces of memory (XXH3, 64 bits, by xxHash) */

#ifndef TROUPE_CORE_CHECKSUM_H
#define TROUPE_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*  The same on every machine. Finds damage, not malice.                    */
uint64_t checksum_of (const void *data, size_t size);

/*  The same of what it copies, which must not overlap: memory is read once. */
uint64_t checksum_copy (void *to, const void *from, size_t size);

#endif
