/*  table.h - hash tables: by id, and by name

    Both use open addressing with linear probing and backward-shift deletion,
    grow by doubling at five eighths full, and hash with a random seed (ids
    with a seeded 128-bit multiply-mix, names with SipHash-2-4, see Aumasson
    and Bernstein 2012), so that peers cannot choose keys that collide.
    Values are pointers, never NULL, and owned by the caller.               */

#ifndef TROUPE_CORE_TABLE_H
#define TROUPE_CORE_TABLE_H

#include "core/id.h"

#include <stddef.h>

typedef struct {
    tid_t key;
    void *value;
} id_slot_t;

/*  Zeroed is an empty table. A plain number is a key with owner 0.         */
typedef struct {
    id_slot_t *slots;
    size_t capacity;
    size_t count;
    uint64_t seed;
} id_table_t;

/*  The value, or NULL.                                                     */
void *id_table_get (const id_table_t *table, tid_t key);

/*  Adds or replaces. Returns 0, or -1 when there is no memory, with the
    table as it was.                                                        */
int id_table_put (id_table_t *table, tid_t key, void *value);

/*  Takes out; returns the value, or NULL if there was none.                */
void *id_table_remove (id_table_t *table, tid_t key);

/*  Walks: start with *cursor 0; NULL at the end. The entry just returned
    must not be removed during a walk; collect first, then remove.          */
void *id_table_next (const id_table_t *table, size_t *cursor);

/*  Frees the slots, not the values; the table is empty and usable.         */
void id_table_release (id_table_t *table);

typedef struct {
    char *key;              /*  owned copy                                  */
    size_t length;
    uint64_t hash;
    void *value;
} name_slot_t;

/*  Zeroed is an empty table. Names are any bytes.                          */
typedef struct {
    name_slot_t *slots;
    size_t capacity;
    size_t count;
    unsigned char seed [16];
    bool seeded;
} name_table_t;

void *name_table_get (const name_table_t *table, const char *name, size_t length);
int name_table_put (name_table_t *table, const char *name, size_t length, void *value);
void *name_table_remove (name_table_t *table, const char *name, size_t length);
void *name_table_next (const name_table_t *table, size_t *cursor);
void name_table_release (name_table_t *table);

#endif
