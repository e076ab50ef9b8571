/*  extent.c - which parts of a range of memory or of a file are free       */

#include "store/extent.h"

#include <stdlib.h>

typedef struct {
    unsigned power;
    unsigned step;
} class_t;

static uint64_t
s_round (uint64_t size)
{
    return size ? (size + EXTENT_UNIT - 1) / EXTENT_UNIT * EXTENT_UNIT : EXTENT_UNIT;
}

/*  The class whose extents are of this size or smaller than the next.      */
static class_t
s_class (uint64_t size)
{
    uint64_t units = size / EXTENT_UNIT;
    unsigned power = 63 - (unsigned) __builtin_clzll (units);
    unsigned step = power < 3 ? (unsigned) (units << (3 - power)) & 7
                              : (unsigned) (units >> (power - 3)) & 7;
    return (class_t){ power, step };
}

/*  The first class all of whose extents are large enough.                  */
static class_t
s_class_for (uint64_t size)
{
    uint64_t units = size / EXTENT_UNIT;
    unsigned power = 63 - (unsigned) __builtin_clzll (units);
    if (power > 3)
        units += (UINT64_C (1) << (power - 3)) - 1;
    return s_class (units * EXTENT_UNIT);
}

static void
s_insert (extents_t *self, extent_t *extent)
{
    class_t at = s_class (extent->size);
    extent->used = false;
    list_prepend (&self->classes [at.power][at.step], &extent->node);
    self->steps [at.power] |= (uint8_t) (1u << at.step);
    self->powers |= UINT64_C (1) << at.power;
}

static void
s_remove (extents_t *self, extent_t *extent)
{
    class_t at = s_class (extent->size);
    list_remove (&extent->node);
    if (!list_empty (&self->classes [at.power][at.step]))
        return;
    self->steps [at.power] &= (uint8_t) ~(1u << at.step);
    if (!self->steps [at.power])
        self->powers &= ~(UINT64_C (1) << at.power);
}

int
extents_init (extents_t *self, uint64_t size)
{
    *self = (extents_t){ .size = size / EXTENT_UNIT * EXTENT_UNIT };
    for (unsigned power = 0; power < EXTENT_POWERS; power++)
        for (unsigned step = 0; step < EXTENT_STEPS; step++)
            list_init (&self->classes [power][step]);
    if (!self->size || self->size / EXTENT_UNIT >> EXTENT_POWERS)
        return -1;
    self->first = calloc (1, sizeof *self->first);
    if (!self->first)
        return -1;
    self->first->size = self->first->fresh = self->size;
    s_insert (self, self->first);
    return 0;
}

void
extents_release (extents_t *self)
{
    for (extent_t *extent = self->first, *next; extent; extent = next) {
        next = extent->behind;
        free (extent);
    }
    self->first = NULL;
}

/*  A free extent that is large enough, by the classes alone; then, so that a
    size of a class is found in that class, the first few of its own.       */
static extent_t *
s_find (const extents_t *self, uint64_t size)
{
    class_t at = s_class_for (size);
    unsigned steps = 0;
    if (at.power < EXTENT_POWERS)
        steps = self->steps [at.power] & 0xffu << at.step;
    if (!steps && at.power + 1 < EXTENT_POWERS) {
        uint64_t powers = self->powers & ~((UINT64_C (2) << at.power) - 1);
        if (powers) {
            at.power = (unsigned) __builtin_ctzll (powers);
            steps = self->steps [at.power];
        }
    }
    class_t own = s_class (size);
    const list_t *list = &self->classes [own.power][own.step];
    int left = 4;
    for (const list_node_t *node = list->next; node != list && left--; node = node->next) {
        extent_t *extent = container_of (node, extent_t, node);
        if (extent->size >= size)
            return extent;
    }
    if (!steps)
        return NULL;
    at.step = (unsigned) __builtin_ctz (steps);
    return container_of (self->classes [at.power][at.step].next, extent_t, node);
}

/*  Makes what is behind the first size bytes an extent of its own; if there
    is no memory for that, the extent stays larger than need be.            */
static extent_t *
s_split (extent_t *extent, uint64_t size)
{
    extent_t *rest = extent->size > size ? calloc (1, sizeof *rest) : NULL;
    if (!rest)
        return NULL;
    *rest = (extent_t){ .offset = extent->offset + size,
                        .size = extent->size - size,
                        .fresh = extent->fresh > size ? extent->fresh - size : 0,
                        .before = extent,
                        .behind = extent->behind };
    if (rest->behind)
        rest->behind->before = rest;
    extent->behind = rest;
    extent->size = size;
    extent->fresh = extent->fresh < size ? extent->fresh : size;
    return rest;
}

extent_t *
extents_take (extents_t *self, uint64_t size)
{
    if (size > self->size)
        return NULL;
    size = s_round (size);
    extent_t *extent = s_find (self, size);
    if (!extent)
        return NULL;
    s_remove (self, extent);
    extent_t *rest = s_split (extent, size);
    if (rest)
        s_insert (self, rest);
    extent->used = true;
    extent->fresh = 0;
    self->used += extent->size;
    return extent;
}

/*  Joins a neighbour, which is free, to the one in front of it.            */
static void
s_join (extents_t *self, extent_t *front, extent_t *back, extent_t *listed)
{
    s_remove (self, listed);
    front->fresh = front->fresh < front->size ? front->fresh : front->size + back->fresh;
    front->size += back->size;
    front->behind = back->behind;
    if (back->behind)
        back->behind->before = front;
    free (back);
}

static void
s_free (extents_t *self, extent_t *extent)
{
    extent_t *behind = extent->behind, *before = extent->before;
    if (behind && !behind->used)
        s_join (self, extent, behind, behind);
    if (before && !before->used) {
        s_join (self, before, extent, before);
        extent = before;
    }
    s_insert (self, extent);
}

void
extents_trim (extents_t *self, extent_t *extent, uint64_t size)
{
    extent_t *rest = s_split (extent, s_round (size));
    if (!rest)
        return;
    self->used -= rest->size;
    s_free (self, rest);
}

void
extents_give (extents_t *self, extent_t *extent)
{
    self->used -= extent->size;
    extent->fresh = 0;
    s_free (self, extent);
}

bool
extents_each_touched (extents_t *self, uint64_t bytes,
                      void (*forget) (void *context, uint64_t offset, uint64_t size),
                      void *context)
{
    for (extent_t *extent = self->first; extent; extent = extent->behind) {
        uint64_t left = extent->size - extent->fresh;
        if (extent->used || !left)
            continue;
        if (!bytes)
            return true;
        uint64_t part = left < bytes ? left : bytes;
        forget (context, extent->offset + extent->fresh, part);
        extent->fresh += part;
        bytes -= part;
        if (part < left)
            return true;
    }
    return false;
}
