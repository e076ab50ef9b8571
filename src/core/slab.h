/*  slab.h - memory for many things of one size

    Things lie side by side in blocks of their own, without a header each, so
    that a million of them do not hold apart what else is allocated and
    freed meanwhile. A block is given back when nothing is in it any more;
    one empty block is kept.                                                */

#ifndef TROUPE_CORE_SLAB_H
#define TROUPE_CORE_SLAB_H

#include <stddef.h>

typedef struct slab_block slab_block_t;

/*  Zeroed is empty. Not for several threads at once.                       */
typedef struct {
    slab_block_t *partial;      /*  blocks with room; the first is used     */
    size_t empty;               /*  how many of them nothing is in          */
} slab_t;

/*  Memory for a thing, with anything in it; the same size for all things of
    a slab. NULL when there is no memory.                                   */
void *slab_take (slab_t *slab, size_t size);

/*  Gives it back; NULL is ignored.                                         */
void slab_give (slab_t *slab, void *thing);

/*  Frees what is kept; everything was given back before.                   */
void slab_release (slab_t *slab);

#endif
