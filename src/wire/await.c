/*  await.c - calls that wait for the values of futures                     */

#include "wire/await.h"

#include <stdlib.h>
#include <string.h>

/*  Most values that are kept are taken within a moment; those whose call
    was given up stay. This is all the memory that they can take, but that
    the newest is kept whatever its size.                                   */
#define EARLY_BYTES_MAX ((size_t) 64 << 20)

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

/*  Takes the oldest value of an entry out; NULL if it has none.            */
static await_value_t *
s_pop_early (await_t *await, entry_t *entry)
{
    list_node_t *node = list_pop (&entry->early);
    if (!node)
        return NULL;
    await_value_t *value = container_of (node, await_value_t, node);
    list_remove (&value->age);
    await->early_bytes -= s_weight (value);
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
    *early = s_pop_early (await, entry);
    if (*early)
        s_tidy (await, entry);
    else
        list_append (&entry->waiters, &waiter->node);
    return 0;
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

/*  Drops the oldest values until another one fits.                         */
static void
s_make_room (await_t *await, size_t weight)
{
    while (await->early_bytes && await->early_bytes + weight > EARLY_BYTES_MAX) {
        await_value_t *oldest = container_of (await->early.next, await_value_t, age);
        entry_t *entry = id_table_get (&await->entries, oldest->id);
        free (s_pop_early (await, entry));
        s_tidy (await, entry);
    }
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
    if (!await->early.next)
        list_init (&await->early);
    list_append (&entry->early, &value->node);
    list_append (&await->early, &value->age);
    await->early_bytes += s_weight (value);
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
