/*  require.h - what must hold in a fuzz target                             */

#ifndef TROUPE_FUZZ_REQUIRE_H
#define TROUPE_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/*  Ends the program, for the fuzzer to see, if the condition does not hold. */
#define REQUIRE(condition_) fuzz_require ((condition_), #condition_, __FILE__, __LINE__)

static inline void
fuzz_require (bool condition, const char *text, const char *file, int line)
{
    if (condition)
        return;
    fprintf (stderr, "%s:%d: does not hold: %s\n", file, line, text);
    abort ();
}

#endif
