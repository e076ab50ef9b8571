/*  kv.c - the actor class "kv"; kv.h says what it does

    The table uses open addressing with linear probing, backward-shift
    deletion and SipHash-2-4 (Aumasson and Bernstein, 2012) under a random
    key, so that no one can choose keys that collide.                        */

#include "actors/stored.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

typedef struct {
    char *key;                  /*  NULL: the slot is free                  */
    uint64_t hash;
    stored_t value;
} slot_t;

typedef struct {
    slot_t *slots;
    size_t room;                /*  a power of two, or 0                    */
    size_t count;
    uint64_t seed [2];
} kv_t;

/* ------------------------------------------------------------------------
   The table                                                                */

static inline uint64_t
s_turn (uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/*  One half of a round: adds and mixes two words.                          */
static inline void
s_sip_add (uint64_t *a, uint64_t *b, unsigned bits)
{
    *a += *b;
    *b = s_turn (*b, bits) ^ *a;
}

static void
s_sip_rounds (uint64_t v [4], unsigned rounds)
{
    while (rounds--) {
        s_sip_add (&v [0], &v [1], 13);
        v [0] = s_turn (v [0], 32);
        s_sip_add (&v [2], &v [3], 16);
        s_sip_add (&v [0], &v [3], 21);
        s_sip_add (&v [2], &v [1], 17);
        v [2] = s_turn (v [2], 32);
    }
}

static uint64_t
s_hash (const kv_t *self, const char *key, size_t length)
{
    uint64_t v [4] = { self->seed [0] ^ 0x736f6d6570736575, self->seed [1] ^ 0x646f72616e646f6d,
                       self->seed [0] ^ 0x6c7967656e657261, self->seed [1] ^ 0x7465646279746573 };
    uint64_t last = (uint64_t) length << 56;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy (&word, key + at, 8);
        v [3] ^= word;
        s_sip_rounds (v, 2);
        v [0] ^= word;
    }
    for (unsigned shift = 0; at < length; at++, shift += 8)
        last |= (uint64_t) (unsigned char) key [at] << shift;
    v [3] ^= last;
    s_sip_rounds (v, 2);
    v [0] ^= last;
    v [2] ^= 0xff;
    s_sip_rounds (v, 4);
    return v [0] ^ v [1] ^ v [2] ^ v [3];
}

/*  The slot that has the key, or NULL.                                     */
static slot_t *
s_find (const kv_t *self, const char *key)
{
    if (!self->count)
        return NULL;
    uint64_t hash = s_hash (self, key, strlen (key));
    size_t at = hash & (self->room - 1);
    for (; self->slots [at].key; at = (at + 1) & (self->room - 1))
        if (self->slots [at].hash == hash && strcmp (self->slots [at].key, key) == 0)
            return &self->slots [at];
    return NULL;
}

/*  Puts a slot's content where it belongs; there is room.                  */
static void
s_place (slot_t *slots, size_t room, slot_t content)
{
    size_t at = content.hash & (room - 1);
    while (slots [at].key)
        at = (at + 1) & (room - 1);
    slots [at] = content;
}

static int
s_grow (kv_t *self)
{
    size_t room = self->room ? 2 * self->room : 16;
    slot_t *slots = calloc (room, sizeof (slot_t));
    if (!slots)
        return -1;
    for (size_t i = 0; i < self->room; i++)
        if (self->slots [i].key)
            s_place (slots, room, self->slots [i]);
    free (self->slots);
    self->slots = slots;
    self->room = room;
    return 0;
}

/*  Adds a key that is not there, with a value that the table then owns.    */
static int
s_insert (kv_t *self, const char *key, stored_t value)
{
    if (self->count >= self->room / 4 * 3 && s_grow (self))
        return -1;
    slot_t content = { strdup (key), s_hash (self, key, strlen (key)), value };
    if (!content.key)
        return -1;
    s_place (self->slots, self->room, content);
    self->count++;
    return 0;
}

/*  Takes a slot out and closes the gap.                                    */
static void
s_remove (kv_t *self, slot_t *slot)
{
    size_t last = self->room - 1, gap = (size_t) (slot - self->slots);
    free (slot->key);
    stored_release (&slot->value);
    for (size_t at = (gap + 1) & last; self->slots [at].key; at = (at + 1) & last) {
        size_t home = self->slots [at].hash & last;
        if (((at - home) & last) < ((at - gap) & last))
            continue;
        self->slots [gap] = self->slots [at];
        gap = at;
    }
    self->slots [gap] = (slot_t){ .key = NULL };
    self->count--;
}

/*  Gives the key a value, which the table then owns, or takes the key out
    if the value is none.                                                   */
static int
s_set (troupe_call_t *call, const char *key, slot_t *slot, stored_t value)
{
    kv_t *self = troupe_self (call);
    if (slot && value.data) {
        stored_release (&slot->value);
        slot->value = value;
    }
    else if (slot)
        s_remove (self, slot);
    else if (value.data && s_insert (self, key, value)) {
        stored_release (&value);
        return troupe_fail (call, "out of memory");
    }
    return 0;
}

/*  Copies an argument; nil gives no value.                                 */
static int
s_copy (troupe_call_t *call, troupe_view_t view, stored_t *value)
{
    *value = (stored_t){ NULL, 0 };
    if (troupe_view_type (view) == TROUPE_NIL)
        return 0;
    return stored_copy (call, view, value);
}

/* ------------------------------------------------------------------------
   The class                                                                */

/*  ()                                                                      */
static int
kv_init (troupe_call_t *call)
{
    kv_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    if (getrandom (self->seed, sizeof (self->seed), 0) != sizeof (self->seed))
        return troupe_fail (call, "no random numbers for the hash table");
    return 0;
}

static void
kv_term (void *state)
{
    kv_t *self = state;
    for (size_t i = 0; i < self->room; i++) {
        free (self->slots [i].key);
        stored_release (&self->slots [i].value);
    }
    free (self->slots);
}

/*  Strings may be nil, keys not.                                           */
static int
s_check_key (troupe_call_t *call, const char *key)
{
    return key ? 0 : troupe_fail (call, "argument 1: wanted string, got nil");
}

/*  (string key, value) -> bool existed                                     */
static int
kv_set (troupe_call_t *call)
{
    const char *key;
    troupe_view_t view;
    stored_t value;
    if (troupe_args (call, &key, &view) || s_check_key (call, key)
        || s_copy (call, view, &value))
        return -1;
    slot_t *slot = s_find (troupe_self (call), key);
    bool existed = slot != NULL;
    if (s_set (call, key, slot, value))
        return -1;
    return troupe_return (call, existed);
}

/*  (string key) -> value or nil                                            */
static int
kv_get (troupe_call_t *call)
{
    const char *key;
    if (troupe_args (call, &key) || s_check_key (call, key))
        return -1;
    const slot_t *slot = s_find (troupe_self (call), key);
    return troupe_return (call, slot ? stored_arg (&slot->value) : troupe_nil ());
}

/*  (string key) -> bool existed                                            */
static int
kv_delete (troupe_call_t *call)
{
    kv_t *self = troupe_self (call);
    const char *key;
    if (troupe_args (call, &key) || s_check_key (call, key))
        return -1;
    slot_t *slot = s_find (self, key);
    bool existed = slot != NULL;
    if (existed)
        s_remove (self, slot);
    return troupe_return (call, existed);
}

static int
s_compare_strings (const void *a, const void *b)
{
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/*  (string prefix) -> strings                                              */
static int
kv_keys (troupe_call_t *call)
{
    kv_t *self = troupe_self (call);
    const char *prefix;
    if (troupe_args (call, &prefix) || s_check_key (call, prefix))
        return -1;
    const char **keys = calloc (self->count + 1, sizeof (char *));
    if (!keys)
        return troupe_fail (call, "out of memory");
    size_t count = 0, length = strlen (prefix);
    for (size_t i = 0; i < self->room; i++)
        if (self->slots [i].key && strncmp (self->slots [i].key, prefix, length) == 0)
            keys [count++] = self->slots [i].key;
    qsort (keys, count, sizeof (char *), s_compare_strings);
    int status = troupe_return (call, troupe_strings (keys, count));
    free (keys);
    return status;
}

/*  () -> uint64 count                                                      */
static int
kv_size (troupe_call_t *call)
{
    kv_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    return troupe_return (call, self->count);
}

/*  (string key, value expected, value) -> bool swapped                     */
static int
kv_compare_and_swap (troupe_call_t *call)
{
    const char *key;
    troupe_view_t views [2];
    stored_t expected, value;
    if (troupe_args (call, &key, &views [0], &views [1]) || s_check_key (call, key)
        || s_copy (call, views [0], &expected))
        return -1;
    slot_t *slot = s_find (troupe_self (call), key);
    bool swapped = slot ? stored_same (&slot->value, &expected) : expected.data == NULL;
    stored_release (&expected);
    if (swapped && (s_copy (call, views [1], &value) || s_set (call, key, slot, value)))
        return -1;
    return troupe_return (call, swapped);
}

TROUPE_ACTOR (kv, kv_t, .init = kv_init, .term = kv_term,
              .methods
              = { TROUPE_METHOD (kv_set, .parameters = "key: string, value: any"),
                  TROUPE_METHOD (kv_get, .parameters = "key: string"),
                  TROUPE_METHOD (kv_delete, .parameters = "key: string"),
                  TROUPE_METHOD (kv_keys, .parameters = "prefix: string"),
                  TROUPE_METHOD (kv_size, .parameters = ""),
                  TROUPE_METHOD (kv_compare_and_swap,
                                 .parameters = "key: string, expected: any, value: any") });
