/*  await.c - calls that wait for the values of futures                     */

#include "wire/await.h"

#include <stdlib.h>
#include <string.h>

/*  Most values that are kept are taken within a moment; those whose call
    was given up stay. This is all the memory that they can take, but that
    the newest is kept whatever its size.                                   */
#define EARLY_BYTES_MAX ((size_t) 64 << 20)

/*  The code of a mark, which is left of a value that was dropped, and how
    many there may be.                                                      */
#define DROPPED UINT32_MAX
#define MARKS_MAX 65536

typedef struct entry entry_t;

struct entry {
    tid_t id;
    list_t waiters;
    list_t early;
    entry_t *next;              /*  of those about to be dropped            */
};

static entry_t *
s_entry (await_t *await, tid_t id)
{
    entry_t *entry = id_table_get (&await->entries, id);
    if (entry)
        return entry;
    entry = malloc (sizeof *entry);
    if (!entry)
        return NULL;
    entry->id = id;
    list_init (&entry->waiters);
    list_init (&entry->early);
    if (id_table_put (&await->entries, id, entry)) {
        free (entry);
        return NULL;
    }
    return entry;
}

static void
s_tidy (await_t *await, entry_t *entry)
{
    if (!list_empty (&entry->waiters) || !list_empty (&entry->early))
        return;
    id_table_remove (&await->entries, entry->id);
    free (entry);
}

static size_t
s_weight (const await_value_t *value)
{
    return sizeof (entry_t) + sizeof *value + value->size;
}

static void
s_take_early (await_t *await, await_value_t *value)
{
    list_remove (&value->node);
    list_remove (&value->age);
    if (value->code == DROPPED)
        await->mark_count--;
    else
        await->early_bytes -= s_weight (value);
}

/*  Takes the oldest value of an entry out; NULL if it has none.            */
static await_value_t *
s_pop_early (await_t *await, entry_t *entry)
{
    if (list_empty (&entry->early))
        return NULL;
    await_value_t *value = container_of (entry->early.next, await_value_t, node);
    s_take_early (await, value);
    return value;
}

static void
s_drop_early (await_t *await, entry_t *entry)
{
    for (await_value_t *value; (value = s_pop_early (await, entry));)
        free (value);
}

int
await_expect (await_t *await, await_waiter_t *waiter, await_value_t **early)
{
    *early = NULL;
    entry_t *entry = s_entry (await, waiter->id);
    if (!entry)
        return -1;
    await_value_t *value = s_pop_early (await, entry);
    bool dropped = value && value->code == DROPPED;
    if (value && !dropped) {
        *early = value;
        s_tidy (await, entry);
        return 0;
    }
    free (value);
    list_append (&entry->waiters, &waiter->node);
    return dropped ? 1 : 0;
}

await_waiter_t *
await_take (await_t *await, tid_t id)
{
    entry_t *entry = id_table_get (&await->entries, id);
    list_node_t *node = entry ? list_pop (&entry->waiters) : NULL;
    if (!node)
        return NULL;
    s_tidy (await, entry);
    return container_of (node, await_waiter_t, node);
}

static void
s_push_early (await_t *await, entry_t *entry, await_value_t *value)
{
    bool mark = value->code == DROPPED;
    list_t *list = mark ? &await->marks : &await->early;
    if (!list->next)
        list_init (list);
    list_append (&entry->early, &value->node);
    list_append (list, &value->age);
    if (mark)
        await->mark_count++;
    else
        await->early_bytes += s_weight (value);
}

/*  Drops the oldest value, of which a mark is left, or mark.               */
static void
s_drop_oldest (await_t *await, const list_t *list)
{
    await_value_t *value = container_of (list->next, await_value_t, age);
    entry_t *entry = id_table_get (&await->entries, value->id);
    s_take_early (await, value);
    await_value_t *mark = list == &await->early ? calloc (1, sizeof *mark) : NULL;
    if (mark) {
        mark->id = value->id;
        mark->code = DROPPED;
        s_push_early (await, entry, mark);
    }
    free (value);
    s_tidy (await, entry);
}

/*  Drops the oldest until another one fits.                                */
static void
s_make_room (await_t *await, size_t weight)
{
    while (await->early_bytes && await->early_bytes + weight > EARLY_BYTES_MAX)
        s_drop_oldest (await, &await->early);
    while (await->mark_count > MARKS_MAX)
        s_drop_oldest (await, &await->marks);
}

int
await_keep (await_t *await, tid_t id, uint32_t code, const void *data, uint32_t size)
{
    await_value_t *value = calloc (1, sizeof *value + size);
    if (!value)
        return -1;
    value->id = id;
    value->code = code;
    value->size = size;
    if (size)
        memcpy (value->data, data, size);
    s_make_room (await, s_weight (value));
    entry_t *entry = s_entry (await, id);
    if (!entry) {
        free (value);
        return -1;
    }
    s_push_early (await, entry, value);
    return 0;
}

void
await_forget (await_t *await, await_waiter_t *waiter)
{
    if (!list_linked (&waiter->node))
        return;
    list_remove (&waiter->node);
    entry_t *entry = id_table_get (&await->entries, waiter->id);
    if (entry)
        s_tidy (await, entry);
}

/*  The entries of futures that a process owned, as a chain.                */
static entry_t *
s_owned_by (await_t *await, process_t owner)
{
    entry_t *entry, *first = NULL;
    size_t cursor = 0;
    while ((entry = id_table_next (&await->entries, &cursor)))
        if (entry->id.owner == owner) {
            entry->next = first;
            first = entry;
        }
    return first;
}

void
await_drop_owner (await_t *await, process_t owner)
{
    for (entry_t *next, *entry = s_owned_by (await, owner); entry; entry = next) {
        next = entry->next;
        s_drop_early (await, entry);
        s_tidy (await, entry);
    }
}

void
await_orphan (await_t *await, process_t owner, list_t *waiters)
{
    for (entry_t *next, *entry = s_owned_by (await, owner); entry; entry = next) {
        next = entry->next;
        for (list_node_t *node; (node = list_pop (&entry->waiters));)
            list_append (waiters, node);
        s_drop_early (await, entry);
        s_tidy (await, entry);
    }
}

size_t
await_next (const await_t *await, size_t *cursor, tid_t *id)
{
    for (const entry_t *entry; (entry = id_table_next (&await->entries, cursor));) {
        size_t count = 0;
        for (const list_node_t *node = entry->waiters.next; node != &entry->waiters;
             node = node->next)
            count++;
        *id = entry->id;
        if (count)
            return count;
    }
    return 0;
}

void
await_release (await_t *await)
{
    size_t cursor = 0;
    for (entry_t *entry; (entry = id_table_next (&await->entries, &cursor));) {
        s_drop_early (await, entry);
        free (entry);
    }
    id_table_release (&await->entries);
}
