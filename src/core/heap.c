/*  heap.c - deadlines in order: a binary heap of nodes that know their place */

#include "core/heap.h"

#include <stdlib.h>

#define HEAP_FIRST 16

static void
s_set (heap_t *heap, size_t index, heap_node_t *node)
{
    heap->nodes [index] = node;
    node->place = index + 1;
}

static void
s_up (heap_t *heap, size_t index)
{
    heap_node_t *node = heap->nodes [index];
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->nodes [parent]->due <= node->due)
            break;
        s_set (heap, index, heap->nodes [parent]);
        index = parent;
    }
    s_set (heap, index, node);
}

static void
s_down (heap_t *heap, size_t index)
{
    heap_node_t *node = heap->nodes [index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->nodes [child + 1]->due < heap->nodes [child]->due)
            child++;
        if (node->due <= heap->nodes [child]->due)
            break;
        s_set (heap, index, heap->nodes [child]);
        index = child;
    }
    s_set (heap, index, node);
}

static void
s_settle (heap_t *heap, size_t index)
{
    heap_node_t *node = heap->nodes [index];
    s_up (heap, index);
    s_down (heap, node->place - 1);
}

static int
s_grow (heap_t *heap)
{
    size_t capacity = heap->capacity ? heap->capacity * 2 : HEAP_FIRST;
    if (capacity > SIZE_MAX / sizeof *heap->nodes)
        return -1;
    heap_node_t **nodes = realloc (heap->nodes, capacity * sizeof *nodes);
    if (!nodes)
        return -1;
    heap->nodes = nodes;
    heap->capacity = capacity;
    return 0;
}

int
heap_update (heap_t *heap, heap_node_t *node)
{
    if (node->place == 0) {
        if (heap->count == heap->capacity && s_grow (heap))
            return -1;
        s_set (heap, heap->count++, node);
    }
    s_settle (heap, node->place - 1);
    return 0;
}

void
heap_remove (heap_t *heap, heap_node_t *node)
{
    if (node->place == 0)
        return;
    size_t index = node->place - 1;
    heap_node_t *last = heap->nodes [--heap->count];
    node->place = 0;
    if (last == node)
        return;
    s_set (heap, index, last);
    s_settle (heap, index);
}

void
heap_release (heap_t *heap)
{
    free (heap->nodes);
    *heap = (heap_t){ 0 };
}
