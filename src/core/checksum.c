/*  checksum.c - checksums of large pieces of memory                        */

#include "core/checksum.h"

/*  The library itself is built for the oldest processor of its kind; this form
    takes the widest instructions that this one has, and is twice as fast.  */
#ifdef HAVE_XXH3_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

uint64_t
checksum_of (const void *data, size_t size)
{
    return XXH3_64bits (data, size);
}
