/*  heap.h - deadlines in order: a binary heap of nodes that know their place

    A node is embedded in what it times. Insert, change and remove cost
    O(log n).                                                               */

#ifndef TROUPE_CORE_HEAP_H
#define TROUPE_CORE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/*  place is the position in the heap plus one; 0 means in no heap.         */
typedef struct {
    int64_t due;
    size_t place;
} heap_node_t;

/*  Zeroed is an empty heap.                                                */
typedef struct {
    heap_node_t **nodes;
    size_t count;
    size_t capacity;
} heap_t;

/*  Inserts a node with its due time set, or moves one whose due time was
    changed. Returns 0, or -1 when there is no memory.                      */
int heap_update (heap_t *heap, heap_node_t *node);

/*  Takes the node out if it is in.                                         */
void heap_remove (heap_t *heap, heap_node_t *node);

/*  The node due first, or NULL.                                            */
static inline heap_node_t *
heap_first (const heap_t *heap)
{
    return heap->count ? heap->nodes [0] : NULL;
}

void heap_release (heap_t *heap);

#endif
