/*  slab.c - memory for many things of one size                             */

#include "core/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/*  A block is as large as its alignment: a thing's address tells its block. */
#define BLOCK_SIZE ((size_t) 256 * 1024)

struct slab_block {
    slab_block_t *next;
    slab_block_t *previous;
    void *free;                 /*  things given back, each points to the next */
    size_t fresh;               /*  offset of what was never taken          */
    size_t used;
    bool full;
    _Alignas (max_align_t) char things [];
};

/*  A sanitizer watches each thing when it has memory of its own.           */
#ifdef __SANITIZE_ADDRESS__
#define SLAB_OF_ONE
#elif defined __has_feature
#if __has_feature (address_sanitizer)
#define SLAB_OF_ONE
#endif
#endif

#ifdef SLAB_OF_ONE

void *
slab_take (slab_t *slab, size_t size)
{
    (void) slab;
    return malloc (size);
}

void
slab_give (slab_t *slab, void *thing)
{
    (void) slab;
    free (thing);
}

void
slab_release (slab_t *slab)
{
    (void) slab;
}

#else

static void
s_link (slab_t *slab, slab_block_t *block)
{
    slab_block_t *first = slab->partial;
    block->previous = first;
    block->next = first ? first->next : NULL;
    if (block->next)
        block->next->previous = block;
    if (first)
        first->next = block;
    else
        slab->partial = block;
}

static void
s_unlink (slab_t *slab, slab_block_t *block)
{
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else
        slab->partial = block->next;
}

/*  Maps twice as much, and gives back what lies before and behind.         */
static slab_block_t *
s_block_new (slab_t *slab)
{
    char *map = mmap (NULL, 2 * BLOCK_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t) map & (BLOCK_SIZE - 1);
    if (before)
        munmap (map, before);
    munmap (map + before + BLOCK_SIZE, BLOCK_SIZE - before);
    slab_block_t *block = (slab_block_t *) (void *) (map + before);
    block->fresh = sizeof *block;
    s_link (slab, block);
    slab->empty++;
    return block;
}

void *
slab_take (slab_t *slab, size_t size)
{
    slab_block_t *block = slab->partial;
    if (!block && !(block = s_block_new (slab)))
        return NULL;
    void *thing = block->free;
    if (thing)
        block->free = *(void **) thing;
    else {
        thing = (char *) block + block->fresh;
        block->fresh += size;
    }
    if (block->used++ == 0)
        slab->empty--;
    if (!block->free && block->fresh + size > BLOCK_SIZE) {
        block->full = true;
        s_unlink (slab, block);
    }
    return thing;
}

void
slab_give (slab_t *slab, void *thing)
{
    if (!thing)
        return;
    slab_block_t *block
        = (slab_block_t *) ((uintptr_t) thing & ~(uintptr_t) (BLOCK_SIZE - 1));
    *(void **) thing = block->free;
    block->free = thing;
    if (block->full) {
        block->full = false;
        s_link (slab, block);
    }
    if (--block->used)
        return;
    if (slab->empty) {
        s_unlink (slab, block);
        munmap (block, BLOCK_SIZE);
    } else
        slab->empty = 1;
}

void
slab_release (slab_t *slab)
{
    for (slab_block_t *block; (block = slab->partial);) {
        s_unlink (slab, block);
        munmap (block, BLOCK_SIZE);
    }
    slab->empty = 0;
}

#endif
