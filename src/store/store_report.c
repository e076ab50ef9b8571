/*  store_report.c - what a store has, for people and for tests              */

#include "store/store_private.h"

#include <stdlib.h>
#include <string.h>

static size_t
s_length (const list_t *list)
{
    size_t count = 0;
    for (const list_node_t *node = list->next; node != list; node = node->next)
        count++;
    return count;
}

void
store_figures (store_t *self, store_figures_t *figures)
{
    store_lock (self);
    *figures = (store_figures_t){ .memory = self->extents.size,
                                  .used = self->extents.used,
                                  .pinned = self->pinned,
                                  .spilled = self->disk ? disk_extents (self->disk)->used : 0,
                                  .objects = self->objects.count,
                                  .clients = self->clients.count,
                                  .waiting = s_length (&self->rooms),
                                  .spills = self->spills,
                                  .restores = self->restores };
    size_t cursor = 0;
    for (object_t *object; (object = id_table_next (&self->objects, &cursor));)
        figures->copies += object->copy;
    if (self->transfer) {
        transfer_figures_t moved = transfer_figures (self->transfer);
        figures->sent = moved.sent;
        figures->received = moved.received;
        figures->repeated = moved.repeated;
    }
    store_unlock (self);
}

/*  --- the list ---------------------------------------------------------  */

static int
s_by_size (const void *a, const void *b)
{
    const object_t *const *one = a, *const *other = b;
    return ((*one)->size < (*other)->size) - ((*one)->size > (*other)->size);
}

static const char *
s_state (const object_t *object)
{
    return object->fetching            ? "coming"
           : !object->sealed           ? "being made"
           : object->reading           ? "coming back"
           : list_linked (&object->orphan) ? "unclaimed"
           : object->memory            ? object->disk ? "memory and disk" : "memory"
           : object->disk              ? "disk"
           : list_linked (&object->room) ? "waiting"
                                       : "lost";
}

static void
s_put_object (bytes_t *out, const object_t *object)
{
    const char *state = s_state (object);
    value_put_array (out, 9);
    value_put_uint (out, object->id.owner);
    value_put_uint (out, object->id.sequence);
    value_put_uint (out, object->size);
    value_put_uint (out, object->copy);
    value_put_string (out, state, strlen (state));
    value_put_uint (out, object->creator);
    value_put_uint (out, object->pins);
    value_put_uint (out, (uint64_t) object->made);
    value_put_array (out, object->hold_count);
    for (size_t index = 0; index < object->hold_count; index++)
        value_put_uint (out, object->holds [index].process);
}

/*  In the order of STORE_FIGURES.                                          */
static void
s_put_figures (bytes_t *out, const store_figures_t *figures)
{
    const uint64_t *numbers = (const uint64_t *) figures;
    value_put_array (out, STORE_FIGURES);
    for (size_t index = 0; index < STORE_FIGURES; index++)
        value_put_uint (out, numbers [index]);
}

int
store_report (store_t *self, size_t limit, bytes_t *out)
{
    store_figures_t figures;
    store_figures (self, &figures);
    value_put_array (out, 2);
    s_put_figures (out, &figures);
    store_lock (self);
    size_t count = 0, cursor = 0;
    object_t **all = calloc (self->objects.count + 1, sizeof *all);
    for (object_t *object; all && (object = id_table_next (&self->objects, &cursor));)
        all [count++] = object;
    if (all)
        qsort (all, count, sizeof *all, s_by_size);
    count = count < limit ? count : limit;
    value_put_array (out, count);
    for (size_t index = 0; index < count; index++)
        s_put_object (out, all [index]);
    free (all);
    store_unlock (self);
    return out->failed ? -1 : 0;
}

/*  --- the check --------------------------------------------------------  */

static const char *
s_check_object (const store_t *self, const object_t *object)
{
    bool idle = list_linked (&object->idle);
    if (object->doomed)
        return "a doomed object is in the table";
    if (object->pins && !object->memory)
        return "a pinned object is not in memory";
    if (idle && (object->pins || !object->memory || object->writing))
        return "an object can be evicted that is in use";
    if (object->memory && object->memory->size < object->size)
        return "an object has less memory than its size";
    if (!object->sealed && !object->copy && object->disk)
        return "an object is on disk that is not sealed";
    if (object->sealed && object->memory && !object->pins && !idle && !object->writing
        && !object->reading && !object->fetching)
        return "an object is in memory for ever";
    (void) self;
    return NULL;
}

const char *
store_check (store_t *self)
{
    const char *wrong = NULL;
    uint64_t memory = 0, pinned = 0, filled = 0, disk = 0;
    store_lock (self);
    size_t cursor = 0;
    for (object_t *object; !wrong && (object = id_table_next (&self->objects, &cursor));) {
        wrong = s_check_object (self, object);
        memory += object->memory ? object->memory->size : 0;
        disk += object->disk ? object->disk->size : 0;
        pinned += object->pins ? object->size : 0;
        filled += object->memory && (!object->sealed || object->reading) ? object->memory->size
                                                                         : 0;
    }
    if (!wrong && pinned != self->pinned)
        wrong = "what is pinned is not counted";
    if (!wrong && (filled > self->filled || self->filled > self->extents.used))
        wrong = "what is filled is not counted";
    if (!wrong && memory > self->extents.used)
        wrong = "memory is counted as free that is used";
    if (!wrong && self->disk && disk > disk_extents (self->disk)->used)
        wrong = "disk is counted as free that is used";
    store_unlock (self);
    return wrong;
}
