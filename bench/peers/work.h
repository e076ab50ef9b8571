/*  work.h - what stands for work: a loop on one register, the same for all   */

#ifndef TROUPE_COMPARE_WORK_H
#define TROUPE_COMPARE_WORK_H

#include <stdint.h>
#include <stdlib.h>

static inline void
work_turn (uint64_t turns)
{
    uint64_t value = turns;
    for (; turns > 0; turns--) {
        value = value * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile ("" : "+r"(value));
    }
}

/*  The kinds of task of the step "grain".                                  */
typedef struct {
    const char *row;
    double work_us;
    size_t count;
} work_grain_t;

#define WORK_GRAINS                                                                          \
    {                                                                                        \
        { "grain_1ms", 1000, 1000 }, { "grain_100us", 100, 5000 }, { "grain_10us", 10, 20000 }, \
            { "grain_1us", 1, 100000 }                                                       \
    }

/*  Turns that take so long on an idle core.                                */
static inline uint64_t
work_turns (double work_us)
{
    const char *text = getenv ("COMPARE_TURNS");
    return (uint64_t) (work_us * (text ? strtod (text, NULL) : 1000));
}

#endif
