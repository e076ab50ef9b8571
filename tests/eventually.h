/*  eventually.h - waits of tests, with a deadline                           */

#ifndef TROUPE_TESTS_EVENTUALLY_H
#define TROUPE_TESTS_EVENTUALLY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*  Nothing in these tests takes this long unless it hangs.                 */
#define PATIENCE_MS 60000

static inline int64_t
now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*  Repeats `condition` until it holds; false after PATIENCE_MS.            */
#define eventually(condition) eventually_within (PATIENCE_MS, condition)
#define eventually_within(limit_ms, condition)                                               \
    __extension__ ({                                                                         \
        int64_t until_ = now_ms () + (limit_ms);                                             \
        bool holds_ = (condition);                                                           \
        while (!holds_ && now_ms () < until_) {                                              \
            poll (NULL, 0, 1);                                                               \
            holds_ = (condition);                                                            \
        }                                                                                    \
        holds_;                                                                              \
    })

#endif
