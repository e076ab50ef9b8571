/*  chance.h - random numbers that are the same for the same seed           */

#ifndef TROUPE_TESTS_CHANCE_H
#define TROUPE_TESTS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/*  SplitMix64, see Steele, Lea and Flood 2014. The state begins as the seed. */
static inline uint64_t
chance_next (uint64_t *state)
{
    uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return z ^ z >> 31;
}

/*  0 or more, and less than limit.                                         */
static inline uint64_t
chance_below (uint64_t *state, uint64_t limit)
{
    return chance_next (state) % limit;
}

static inline bool
chance_percent (uint64_t *state, unsigned percent)
{
    return chance_below (state, 100) < percent;
}

/*  low to high, both included.                                             */
static inline int64_t
chance_between (uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t) chance_below (state, (uint64_t) (high - low + 1));
}

/*  A hash of all that happened, with one thing more.                       */
static inline uint64_t
chance_trace (uint64_t hash, uint64_t what)
{
    hash = (hash ^ what) * UINT64_C (0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
