/*  checksum.c - checksums of large pieces of memory                        */

#include "core/checksum.h"

#include <string.h>

/*  The library itself is built for the oldest processor of its kind; this form
    takes the widest instructions that this one has, and is twice as fast.  */
#ifdef HAVE_XXH3_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

/*  So much fits into the fastest cache, where it is found again.           */
#define STEP ((size_t) 16384)

uint64_t
checksum_of (const void *data, size_t size)
{
    return XXH3_64bits (data, size);
}

uint64_t
checksum_copy (void *to, const void *from, size_t size)
{
    XXH3_state_t *state = size ? XXH3_createState () : NULL;
    if (!state) {
        memcpy (to, from, size);
        return checksum_of (from, size);
    }
    XXH3_64bits_reset (state);
    for (size_t done = 0; done < size; done += STEP) {
        size_t step = size - done < STEP ? size - done : STEP;
        const uint8_t *part = (const uint8_t *) from + done;
        XXH3_64bits_update (state, part, step);
        memcpy ((uint8_t *) to + done, part, step);
    }
    uint64_t sum = XXH3_64bits_digest (state);
    XXH3_freeState (state);
    return sum;
}
