/*  table.c - hash tables: by id, and by name                               */

#include "core/table.h"
#include "core/clock.h"
#include "core/pages.h"

#include <sodium/crypto_shorthash.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TABLE_FIRST 16

_Static_assert (sizeof ((name_table_t *) 0)->seed == crypto_shorthash_KEYBYTES, "seed size");
_Static_assert (sizeof (uint64_t) == crypto_shorthash_BYTES, "hash size");

__extension__ typedef unsigned __int128 product_t;

/*  A kernel without randomness leaves the clock and an address, which are
    still more than a peer knows.                                           */
static void
s_random (void *place, size_t size)
{
    if (getrandom (place, size, 0) == (ssize_t) size)
        return;
    unsigned char *seed = place;
    uint64_t state = (uint64_t) clock_now () ^ (uint64_t) (uintptr_t) place;
    for (size_t index = 0; index < size; index++) {
        state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
        seed [index] = (unsigned char) (state >> 56);
    }
}

/*  The capacity for one more entry: the same, twice as much, or 0.         */
static size_t
s_capacity (size_t capacity, size_t count)
{
    if (capacity == 0)
        return TABLE_FIRST;
    if (count < capacity / 8 * 5)
        return capacity;
    return capacity > SIZE_MAX / 2 ? 0 : capacity * 2;
}

/*  True if an entry at home position `home`, found at `from`, may move to
    the hole: a probe from home must meet the hole first.                   */
static bool
s_may_move (size_t home, size_t from, size_t hole, size_t mask)
{
    return ((from - home) & mask) >= ((from - hole) & mask);
}

/*  --- by id ------------------------------------------------------------  */

static inline uint64_t
s_mix (uint64_t a, uint64_t b)
{
    product_t product = (product_t) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/*  Sequences mostly come in order: four of them share a hash and lie side
    by side, so that a walk through many touches few cache lines.           */
static inline size_t
s_id_home (const id_table_t *table, tid_t key)
{
    uint64_t owner = s_mix (key.owner ^ table->seed, UINT64_C (0x9e3779b97f4a7c15));
    uint64_t hash = s_mix (key.sequence >> 2 ^ owner, table->seed | 1);
    hash = s_mix (hash ^ table->seed, UINT64_C (0xa0761d6478bd642f)) << 2 | (key.sequence & 3);
    return (size_t) hash & (table->capacity - 1);
}

/*  The slot of the key, or the empty one where it would go.                */
static id_slot_t *
s_id_find (const id_table_t *table, tid_t key)
{
    size_t mask = table->capacity - 1;
    size_t index = s_id_home (table, key);
    while (table->slots [index].value && !tid_equal (table->slots [index].key, key))
        index = (index + 1) & mask;
    return &table->slots [index];
}

void *
id_table_get (const id_table_t *table, tid_t key)
{
    return table->count ? s_id_find (table, key)->value : NULL;
}

static int
s_id_resize (id_table_t *table, size_t capacity)
{
    id_table_t old = *table;
    id_slot_t *slots = pages_new (capacity, sizeof *slots);
    if (!slots)
        return -1;
    if (!old.slots)
        s_random (&table->seed, sizeof table->seed);
    table->slots = slots;
    table->capacity = capacity;
    for (size_t index = 0; index < old.capacity; index++)
        if (old.slots [index].value)
            *s_id_find (table, old.slots [index].key) = old.slots [index];
    pages_free (old.slots, old.capacity, sizeof *old.slots);
    return 0;
}

int
id_table_put (id_table_t *table, tid_t key, void *value)
{
    id_slot_t *slot = table->slots ? s_id_find (table, key) : NULL;
    if (slot && slot->value) {
        slot->value = value;
        return 0;
    }
    size_t capacity = s_capacity (table->capacity, table->count);
    if (capacity != table->capacity) {
        if (s_id_resize (table, capacity))
            return -1;
        slot = s_id_find (table, key);
    }
    slot->key = key;
    slot->value = value;
    table->count++;
    return 0;
}

void *
id_table_remove (id_table_t *table, tid_t key)
{
    if (table->count == 0)
        return NULL;
    id_slot_t *hole = s_id_find (table, key);
    void *value = hole->value;
    if (!value)
        return NULL;
    size_t mask = table->capacity - 1;
    size_t empty = (size_t) (hole - table->slots);
    for (size_t from = (empty + 1) & mask; table->slots [from].value; from = (from + 1) & mask)
        if (s_may_move (s_id_home (table, table->slots [from].key), from, empty, mask)) {
            table->slots [empty] = table->slots [from];
            empty = from;
        }
    table->slots [empty].value = NULL;
    table->count--;
    return value;
}

void *
id_table_next (const id_table_t *table, size_t *cursor)
{
    while (*cursor < table->capacity) {
        void *value = table->slots [(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void
id_table_release (id_table_t *table)
{
    pages_free (table->slots, table->capacity, sizeof *table->slots);
    *table = (id_table_t){ 0 };
}

/*  --- by name ----------------------------------------------------------  */

static uint64_t
s_name_hash (const name_table_t *table, const char *name, size_t length)
{
    unsigned char hash [crypto_shorthash_BYTES];
    uint64_t number;
    crypto_shorthash (hash, (const unsigned char *) name, length, table->seed);
    memcpy (&number, hash, sizeof number);
    return number;
}

/*  The slot of the name, or the empty one where it would go.               */
static name_slot_t *
s_name_find (const name_table_t *table, const char *name, size_t length, uint64_t hash)
{
    size_t mask = table->capacity - 1;
    size_t index = (size_t) hash & mask;
    for (;; index = (index + 1) & mask) {
        name_slot_t *slot = &table->slots [index];
        if (!slot->value)
            return slot;
        if (slot->hash == hash && slot->length == length
            && (length == 0 || memcmp (slot->key, name, length) == 0))
            return slot;
    }
}

void *
name_table_get (const name_table_t *table, const char *name, size_t length)
{
    if (table->count == 0)
        return NULL;
    return s_name_find (table, name, length, s_name_hash (table, name, length))->value;
}

static int
s_name_resize (name_table_t *table, size_t capacity)
{
    name_table_t old = *table;
    name_slot_t *slots = capacity ? calloc (capacity, sizeof *slots) : NULL;
    if (!slots)
        return -1;
    table->slots = slots;
    table->capacity = capacity;
    for (size_t index = 0; index < old.capacity; index++) {
        name_slot_t *slot = &old.slots [index];
        if (slot->value)
            *s_name_find (table, slot->key, slot->length, slot->hash) = *slot;
    }
    free (old.slots);
    return 0;
}

int
name_table_put (name_table_t *table, const char *name, size_t length, void *value)
{
    if (!table->seeded) {
        s_random (table->seed, sizeof table->seed);
        table->seeded = true;
    }
    uint64_t hash = s_name_hash (table, name, length);
    name_slot_t *slot = table->slots ? s_name_find (table, name, length, hash) : NULL;
    if (slot && slot->value) {
        slot->value = value;
        return 0;
    }
    if (length == SIZE_MAX)
        return -1;
    char *key = malloc (length + 1);
    if (!key)
        return -1;
    size_t capacity = s_capacity (table->capacity, table->count);
    if (capacity != table->capacity) {
        if (s_name_resize (table, capacity)) {
            free (key);
            return -1;
        }
        slot = s_name_find (table, name, length, hash);
    }
    if (length)
        memcpy (key, name, length);
    key [length] = 0;
    *slot = (name_slot_t){ key, length, hash, value };
    table->count++;
    return 0;
}

void *
name_table_remove (name_table_t *table, const char *name, size_t length)
{
    if (table->count == 0)
        return NULL;
    name_slot_t *hole = s_name_find (table, name, length, s_name_hash (table, name, length));
    void *value = hole->value;
    if (!value)
        return NULL;
    free (hole->key);
    size_t mask = table->capacity - 1;
    size_t empty = (size_t) (hole - table->slots);
    for (size_t from = (empty + 1) & mask; table->slots [from].value; from = (from + 1) & mask)
        if (s_may_move ((size_t) table->slots [from].hash & mask, from, empty, mask)) {
            table->slots [empty] = table->slots [from];
            empty = from;
        }
    table->slots [empty] = (name_slot_t){ 0 };
    table->count--;
    return value;
}

void *
name_table_next (const name_table_t *table, size_t *cursor)
{
    while (*cursor < table->capacity) {
        void *value = table->slots [(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void
name_table_release (name_table_t *table)
{
    for (size_t index = 0; index < table->capacity; index++)
        if (table->slots [index].value)
            free (table->slots [index].key);
    free (table->slots);
    *table = (name_table_t){ 0 };
}
