/*  extent.h - which parts of a range of memory or of a file are free

    Two-level segregated fit (TLSF: Masmano, Ripoll, Crespo, Real, "TLSF: a
    new dynamic memory allocator for real-time systems", 2004): free extents
    are kept by size, in classes that are an eighth of a power of two wide,
    those freed last first; neighbours that are free are one. Taking and
    giving back cost the same however many there are.

    What describes an extent lies beside what it describes, never in it.
    Belongs to one thread.                                                  */

#ifndef TROUPE_STORE_EXTENT_H
#define TROUPE_STORE_EXTENT_H

#include "core/list.h"

#include <stdint.h>

/*  Sizes and offsets are multiples of this.                                */
#define EXTENT_UNIT ((uint64_t) 4096)

#define EXTENT_POWERS 36
#define EXTENT_STEPS 8

typedef struct extent {
    uint64_t offset;
    uint64_t size;
    bool used;
    uint64_t fresh;             /*  a free one: so many bytes at its begin
                                    have no pages in memory                 */
    struct extent *before;      /*  neighbours in the range                 */
    struct extent *behind;
    list_node_t node;           /*  a free one: in its class                */
} extent_t;

typedef struct {
    extent_t *first;
    uint64_t size;              /*  of the range                            */
    uint64_t used;
    uint64_t powers;            /*  which have a class with free extents    */
    uint8_t steps [EXTENT_POWERS];
    list_t classes [EXTENT_POWERS][EXTENT_STEPS];
} extents_t;

/*  A range from 0 to size, all free. Returns 0, or -1: no memory.          */
int extents_init (extents_t *self, uint64_t size);
void extents_release (extents_t *self);

/*  An extent of at least size bytes, NULL if there is none so large, or no
    memory to describe it.                                                  */
extent_t *extents_take (extents_t *self, uint64_t size);

/*  Gives back what is behind the first size bytes.                         */
void extents_trim (extents_t *self, extent_t *extent, uint64_t size);

/*  Gives it back; its memory has been used.                                */
void extents_give (extents_t *self, extent_t *extent);

/*  Calls back for parts of free extents that were touched, which then are not:
    at most so many bytes in all. True if there are more.                   */
bool extents_each_touched (extents_t *self, uint64_t bytes,
                           void (*forget) (void *context, uint64_t offset, uint64_t size),
                           void *context);

#endif
