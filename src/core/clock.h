/*  clock.h - monotonic time                                                */

#ifndef TROUPE_CORE_CLOCK_H
#define TROUPE_CORE_CLOCK_H

#include <stdint.h>

/*  Nanoseconds on CLOCK_MONOTONIC. Never fails.                            */
int64_t clock_now (void);

#define CLOCK_MS INT64_C (1000000)
#define CLOCK_US INT64_C (1000)
#define CLOCK_NEVER INT64_MAX

#endif
