/*  footprint.h - the memory that a process has, as the kernel counts it     */

#ifndef EXAMPLES_FOOTPRINT_H
#define EXAMPLES_FOOTPRINT_H

#include <stdint.h>

/*  In bytes; -1: the kernel does not say.                                  */
typedef struct {
    int64_t own;                /*  in memory, of this process alone: heap,
                                    stacks                                  */
    int64_t shared;             /*  shared memory that it sees in memory    */
    int64_t share;              /*  its part of that: a page that four see
                                    counts a quarter at each, so that the
                                    sum over all is what there is           */
} footprint_t;

/*  That of the calling process.                                            */
footprint_t footprint_now (void);

#endif
