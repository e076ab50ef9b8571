/*  arena.c - memory that is freed all at once                              */

#include "core/value.h"

#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>

#define ARENA_FIRST 512
#define ARENA_LARGEST 65536

struct arena_block {
    arena_block_t *next;
    size_t used;
    size_t capacity;
    alignas (max_align_t) unsigned char data [];
};

/*  Blocks grow as an arena does; what would fill most of a block gets one
    of its own, behind the first, which still has room.                     */
static void *
s_add_block (arena_t *arena, size_t size)
{
    arena_block_t *first = arena->blocks;
    size_t capacity = first ? first->capacity * 2 : ARENA_FIRST;
    if (capacity > ARENA_LARGEST)
        capacity = ARENA_LARGEST;
    bool alone = size > capacity / 2;
    if (alone)
        capacity = size;
    if (capacity > PTRDIFF_MAX - sizeof (arena_block_t))
        return NULL;

    arena_block_t *block = malloc (sizeof *block + capacity);
    if (!block)
        return NULL;
    block->used = size;
    block->capacity = capacity;
    if (alone && first) {
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        arena->blocks = block;
    }
    return block->data;
}

static void *
s_alloc (arena_t *arena, size_t size)
{
    arena_block_t *first = arena->blocks;
    if (first && first->capacity - first->used >= size) {
        void *place = first->data + first->used;
        first->used += size;
        return place;
    }
    return s_add_block (arena, size);
}

void *
arena_alloc (arena_t *arena, size_t size)
{
    size_t unit = alignof (max_align_t);
    if (size > SIZE_MAX - unit)
        return NULL;
    size = size ? (size + unit - 1) / unit * unit : unit;
    while (atomic_exchange_explicit (&arena->busy, true, memory_order_acquire))
        sched_yield ();
    void *place = s_alloc (arena, size);
    atomic_store_explicit (&arena->busy, false, memory_order_release);
    return place;
}

void
arena_keep (arena_t *arena, arena_kept_t *kept)
{
    while (atomic_exchange_explicit (&arena->busy, true, memory_order_acquire))
        sched_yield ();
    kept->next = arena->kept;
    arena->kept = kept;
    atomic_store_explicit (&arena->busy, false, memory_order_release);
}

const arena_kept_t *
arena_last_kept (arena_t *arena)
{
    while (atomic_exchange_explicit (&arena->busy, true, memory_order_acquire))
        sched_yield ();
    const arena_kept_t *last = arena->kept;
    atomic_store_explicit (&arena->busy, false, memory_order_release);
    return last;
}

void
arena_release (arena_t *arena)
{
    while (arena->kept) {
        arena_kept_t *kept = arena->kept;
        arena->kept = kept->next;
        kept->release (kept);
    }
    while (arena->blocks) {
        arena_block_t *block = arena->blocks;
        arena->blocks = block->next;
        free (block);
    }
}
