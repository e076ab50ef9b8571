/*  clock.c - monotonic time                                                */

#include "core/clock.h"

#include <time.h>

int64_t
clock_now (void)
{
    struct timespec now = { 0, 0 };
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}
