/*  id.h - names of futures and actors, unique for ever

    A process is named by a 64-bit number: the head's incarnation, random,
    in the upper half; a count that the head never reuses in the lower half.
    What a process makes is named by the process and a count of its own.    */

#ifndef TROUPE_CORE_ID_H
#define TROUPE_CORE_ID_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t process_t;

/*  A program is named by the hash of its content (BLAKE2b).               */
#define PROGRAM_HASH_SIZE 32

typedef struct {
    process_t owner;
    uint64_t sequence;
} tid_t;

static inline bool
tid_equal (tid_t a, tid_t b)
{
    return a.owner == b.owner && a.sequence == b.sequence;
}

#endif
