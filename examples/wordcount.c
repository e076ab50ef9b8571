/*  wordcount.c - splits text into words and counts them in a hash table

    The text goes through in blocks. One pass over a block lower-cases it and
    makes a bit mask of its word bytes; the edges in the mask are the starts
    and ends of words. A word of up to 16 bytes is its own key: two numbers,
    padded with zeros, that are compared and hashed without a loop.          */

#include "examples/wordcount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define GROUP 64                /*  bytes of text to a mask                 */
#define BLOCK 8192              /*  bytes of text to a pass                 */
#define BATCH 32                /*  words whose slots are fetched at once   */
#define CHUNK 262144            /*  bytes of a file to a read               */
#define SHORT 16                /*  bytes of a word that is its own key     */
#define SLOTS_MIN 1024
#define PAGE 4096               /*  bytes that the system gives at once     */

__extension__ typedef unsigned __int128 uint128_t;

/*  Empty: key 0, 0. A short word: its bytes, so that the first number is
    not 0. A long word: 0 and its hash, not 0; its bytes stand in the store
    at text.                                                                */
typedef struct {
    uint64_t key [2];
    int64_t count;
    uint64_t text;
} slot_t;

typedef struct {
    uint64_t key [2];
    uint64_t hash;
} pending_t;

struct wordcount {
    slot_t *slots;              /*  open addressing, linear probing         */
    size_t capacity;            /*  a power of two                          */
    size_t distinct;
    int64_t words;
    uint64_t seed [2];          /*  random, so that no text can be made to
                                    collide                                 */
    uint8_t *store;             /*  long words: size_t length, then bytes   */
    size_t store_size;
    size_t store_limit;
    uint8_t *buffer;            /*  the unfinished word, then a block, both
                                    lower-cased, then GROUP bytes to spare  */
    size_t buffer_limit;
    size_t tail;                /*  bytes of the unfinished word            */
    unsigned dash;              /*  1: the text so far ends in E2, 2: in
                                    E2 80                                   */
    uint64_t masks [BLOCK / GROUP];
    uint16_t edges [BLOCK + 8];
};

/* ------------------------------------------------------------------------
   Classes of bytes                                                         */

static inline bool
s_blank (unsigned byte)
{
    return byte - '\t' <= '\r' - '\t' || byte - ' ' <= '"' - ' ' || byte - '\'' <= '*' - '\''
           || byte - ',' <= '.' - ',' || byte - ':' <= ';' - ':' || byte == '?' || byte == '['
           || byte == ']' || byte - '_' <= '`' - '_' || byte == 0;
}

bool
wordcount_blank (unsigned char byte)
{
    return s_blank (byte);
}

#if defined(__SSE2__)

/*  0xff where low <= byte <= high.                                         */
static inline __m128i
s_between (__m128i bytes, unsigned low, unsigned high)
{
    __m128i shifted = _mm_sub_epi8 (bytes, _mm_set1_epi8 ((char) low));
    __m128i limit = _mm_set1_epi8 ((char) (high - low));
    return _mm_cmpeq_epi8 (_mm_min_epu8 (shifted, limit), shifted);
}

static inline __m128i
s_blanks (__m128i bytes)
{
    __m128i blank = s_between (bytes, '\t', '\r');
    blank = _mm_or_si128 (blank, s_between (bytes, ' ', '"'));
    blank = _mm_or_si128 (blank, s_between (bytes, '\'', '*'));
    blank = _mm_or_si128 (blank, s_between (bytes, ',', '.'));
    blank = _mm_or_si128 (blank, s_between (bytes, ':', ';'));
    blank = _mm_or_si128 (blank, _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('?')));
    blank = _mm_or_si128 (blank, _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('[')));
    blank = _mm_or_si128 (blank, _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 (']')));
    blank = _mm_or_si128 (blank, s_between (bytes, '_', '`'));
    return _mm_or_si128 (blank, _mm_cmpeq_epi8 (bytes, _mm_setzero_si128 ()));
}

/*  Lower-cases GROUP bytes; sets the bits of word bytes and of E2 bytes.   */
static inline void
s_classify (const uint8_t *text, uint8_t *lower, uint64_t *word, uint64_t *dash)
{
    uint64_t blank_bits = 0, dash_bits = 0;
    for (unsigned i = 0; i < GROUP; i += 16) {
        __m128i bytes = _mm_loadu_si128 ((const __m128i *) (const void *) (text + i));
        __m128i upper = _mm_and_si128 (s_between (bytes, 'A', 'Z'), _mm_set1_epi8 (0x20));
        _mm_storeu_si128 ((__m128i *) (void *) (lower + i), _mm_or_si128 (bytes, upper));
        __m128i dashes = _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ((char) 0xe2));
        blank_bits |= (uint64_t) (unsigned) _mm_movemask_epi8 (s_blanks (bytes)) << i;
        dash_bits |= (uint64_t) (unsigned) _mm_movemask_epi8 (dashes) << i;
    }
    *word = ~blank_bits;
    *dash = dash_bits;
}

#else

static inline void
s_classify (const uint8_t *text, uint8_t *lower, uint64_t *word, uint64_t *dash)
{
    uint64_t word_bits = 0, dash_bits = 0;
    for (unsigned i = 0; i < GROUP; i++) {
        unsigned byte = text [i];
        lower [i] = (uint8_t) (byte - 'A' <= 'Z' - 'A' ? byte | 0x20 : byte);
        word_bits |= (uint64_t) !s_blank (byte) << i;
        dash_bits |= (uint64_t) (byte == 0xe2) << i;
    }
    *word = word_bits;
    *dash = dash_bits;
}

#endif

/*  True for the third byte of a dash or quote that starts with E2 80.      */
static bool
s_dash_end (uint8_t byte)
{
    return (byte >= 0x90 && byte <= 0x95) || (byte >= 0x98 && byte <= 0x9f);
}

/* ------------------------------------------------------------------------
   The table                                                                */

static inline uint64_t
s_mix (uint64_t a, uint64_t b)
{
    uint128_t product = (uint128_t) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t
s_hash (const wordcount_t *self, const uint64_t key [2])
{
    return s_mix (key [0] ^ self->seed [0], key [1] ^ self->seed [1]);
}

/*  The key of a short word, which has SHORT readable bytes behind it.      */
static inline void
s_short_key (const uint8_t *word, size_t length, uint64_t key [2])
{
    static const uint8_t keep [2 * SHORT] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint64_t mask [2];
    memcpy (key, word, SHORT);
    memcpy (mask, keep + SHORT - length, SHORT);
    key [0] &= mask [0];
    key [1] &= mask [1];
}

/*  The key of a long word: 0, then a hash that is not 0.                   */
static void
s_long_key (const wordcount_t *self, const uint8_t *word, size_t length, uint64_t key [2])
{
    uint64_t hash = length;
    for (size_t at = 0; at < length; at += SHORT) {
        size_t left = length - at < SHORT ? length - at : SHORT;
        uint64_t piece [2] = { 0, 0 };
        memcpy (piece, word + at, left);
        piece [0] ^= hash;
        hash = s_hash (self, piece);
    }
    key [0] = 0;
    key [1] = hash | 1;
}

/*  The bytes of a number, not 0, up to the last one that is not 0.         */
static inline size_t
s_used (uint64_t number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return 8 - (size_t) __builtin_clzll (number) / 8;
#else
    return 8 - (size_t) __builtin_ctzll (number) / 8;
#endif
}

/*  The bytes of the word in a slot, and how many.                          */
static const uint8_t *
s_slot_word (const wordcount_t *self, const slot_t *slot, size_t *length)
{
    if (slot->key [0]) {
        *length = slot->key [1] ? 8 + s_used (slot->key [1]) : s_used (slot->key [0]);
        return (const uint8_t *) slot->key;
    }
    memcpy (length, self->store + slot->text, sizeof (size_t));
    return self->store + slot->text + sizeof (size_t);
}

static int
s_resize (wordcount_t *self, size_t capacity)
{
    slot_t *slots = calloc (capacity, sizeof (slot_t));
    if (!slots)
        return -1;
    /*  A page that is read before it is written, as most would be, is one of
        zeros that all share, and to replace it stops the process's other
        threads for a moment.                                               */
    for (size_t i = 0; i < capacity; i += PAGE / sizeof (slot_t))
        ((volatile slot_t *) slots) [i].count = 0;
    for (size_t i = 0; i < self->capacity; i++) {
        const slot_t *slot = &self->slots [i];
        if (!slot->count)
            continue;
        size_t at = s_hash (self, slot->key) & (capacity - 1);
        while (slots [at].count)
            at = (at + 1) & (capacity - 1);
        slots [at] = *slot;
    }
    free (self->slots);
    self->slots = slots;
    self->capacity = capacity;
    return 0;
}

/*  Doubles the table at three quarters full.                               */
static int
s_grow (wordcount_t *self)
{
    return s_resize (self, self->capacity ? self->capacity * 2 : SLOTS_MIN);
}

/*  Keeps the bytes of a long word; returns where, or -1.                   */
static int
s_store (wordcount_t *self, const uint8_t *word, size_t length, uint64_t *text)
{
    size_t need = self->store_size + sizeof (size_t) + length;
    if (need > self->store_limit) {
        size_t limit = need > 2 * self->store_limit ? need + 1024 : 2 * self->store_limit;
        uint8_t *store = realloc (self->store, limit);
        if (!store)
            return -1;
        self->store = store;
        self->store_limit = limit;
    }
    memcpy (self->store + self->store_size, &length, sizeof (size_t));
    memcpy (self->store + self->store_size + sizeof (size_t), word, length);
    *text = self->store_size;
    self->store_size = need;
    return 0;
}

static inline bool
s_same_key (const slot_t *slot, const uint64_t key [2])
{
    return slot->key [0] == key [0] && slot->key [1] == key [1];
}

/*  Makes a slot for a new word, at a place where a probe ended.            */
static int
s_insert (wordcount_t *self, size_t at, const uint64_t key [2], const uint8_t *word,
          size_t length, int64_t count)
{
    uint64_t text = 0;
    if (!key [0] && s_store (self, word, length, &text))
        return -1;
    self->slots [at] = (slot_t){ { key [0], key [1] }, count, text };
    self->distinct++;
    if (self->distinct >= self->capacity / 4 * 3)
        return s_grow (self);
    return 0;
}

/*  Where the word is, or the empty slot where it would be.                 */
static size_t
s_find_long (const wordcount_t *self, const uint64_t key [2], const uint8_t *word,
             size_t length)
{
    size_t at = s_hash (self, key) & (self->capacity - 1);
    for (; self->slots [at].count; at = (at + 1) & (self->capacity - 1)) {
        if (!s_same_key (&self->slots [at], key))
            continue;
        size_t found;
        const uint8_t *bytes = s_slot_word (self, &self->slots [at], &found);
        if (found == length && memcmp (bytes, word, length) == 0)
            break;
    }
    return at;
}

static inline size_t
s_find_short (const wordcount_t *self, const uint64_t key [2], size_t at)
{
    while (self->slots [at].count && !s_same_key (&self->slots [at], key))
        at = (at + 1) & (self->capacity - 1);
    return at;
}

/*  Finds a word of any length, and its key.                                */
static size_t
s_find (const wordcount_t *self, const uint8_t *word, size_t length, uint64_t key [2])
{
    if (length > SHORT) {
        s_long_key (self, word, length, key);
        return s_find_long (self, key, word, length);
    }
    key [0] = key [1] = 0;
    memcpy (key, word, length);
    return s_find_short (self, key, s_hash (self, key) & (self->capacity - 1));
}

static int
s_add (wordcount_t *self, const uint8_t *word, size_t length, int64_t count)
{
    uint64_t key [2];
    size_t at = s_find (self, word, length, key);
    self->words += count;
    if (!self->slots [at].count)
        return s_insert (self, at, key, word, length, count);
    self->slots [at].count += count;
    return 0;
}

/* ------------------------------------------------------------------------
   The text                                                                 */

/*  Makes the masks of a block and its lower-cased copy. True if there may
    be a dash or quote of more than one byte.                               */
static bool
s_classify_block (wordcount_t *self, const uint8_t *text, size_t size, uint8_t *lower)
{
    uint64_t dashes = 0, dash;
    size_t at = 0, group = 0;
    for (; at + GROUP <= size; at += GROUP, group++) {
        s_classify (text + at, lower + at, &self->masks [group], &dash);
        dashes |= dash;
    }
    if (at < size) {
        uint8_t last [GROUP] = { 0 };
        memcpy (last, text + at, size - at);
        s_classify (last, lower + at, &self->masks [group], &dash);
        dashes |= dash;
    }
    return dashes != 0;
}

static inline void
s_clear (wordcount_t *self, size_t at)
{
    self->masks [at / GROUP] &= ~((uint64_t) 1 << at % GROUP);
}

/*  Completes a dash that began at the end of the text before this block.   */
static void
s_join_dash (wordcount_t *self, const uint8_t *text, size_t size)
{
    size_t more = 3 - self->dash;
    if (more == 2 && text [0] == 0x80 && size == 1) {
        self->dash = 2;
        return;
    }
    bool middle = more == 1 || text [0] == 0x80;
    if (middle && s_dash_end (text [more - 1])) {
        self->tail -= self->dash;
        for (size_t i = 0; i < more; i++)
            s_clear (self, i);
    }
    self->dash = 0;
}

/*  Makes blanks of the dashes and quotes in the block.                     */
static void
s_find_dashes (wordcount_t *self, const uint8_t *text, size_t size)
{
    size_t at = 0;
    const uint8_t *found;
    while (at < size && (found = memchr (text + at, 0xe2, size - at)) != NULL) {
        at = (size_t) (found - text);
        size_t left = size - at;
        if (left > 2 && text [at + 1] == 0x80 && s_dash_end (text [at + 2]))
            for (size_t i = 0; i < 3; i++)
                s_clear (self, at + i);
        else if (left == 1 || (left == 2 && text [at + 1] == 0x80))
            self->dash = (unsigned) left;
        at++;
    }
}

/*  How many bits are set.                                                  */
static inline size_t
s_bits (uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (size_t) (bits * 0x0101010101010101 >> 56);
}

/*  Lists the starts and ends of words, in turn, and returns how many. A
    word that goes on behind the block has no end here. Writes eight at a
    time, more than there are, which is quicker than to stop in time.       */
static size_t
s_find_edges (wordcount_t *self, size_t size)
{
    const uint64_t stop = (uint64_t) 1 << 63;
    uint16_t *edges = self->edges;
    uint64_t inside = self->tail > 0;
    size_t last = (size - 1) % GROUP;
    uint64_t *end = &self->masks [(size - 1) / GROUP];
    uint64_t behind = last == GROUP - 1 ? 0 : ~(uint64_t) 0 << (last + 1);
    *end = *end >> last & 1 ? *end | behind : *end & ~behind;
    for (size_t at = 0; at < size; at += GROUP) {
        uint64_t mask = self->masks [at / GROUP];
        uint64_t bits = mask ^ (mask << 1 | inside);
        inside = mask >> 63;
        size_t count = s_bits (bits);
        for (size_t done = 0; done < count; done += 8)
            for (size_t i = 0; i < 8; i++) {
                edges [done + i] = (uint16_t) (at + (size_t) __builtin_ctzll (bits | stop));
                bits &= bits - 1;
            }
        edges += count;
    }
    return (size_t) (edges - self->edges);
}

/*  Counts up to BATCH words, given by their edges. The slots are fetched
    into the cache together, then used.                                     */
static int
s_count_batch (wordcount_t *self, const uint8_t *lower, const uint16_t *edges, size_t words)
{
    pending_t pending [BATCH];
    size_t short_words = 0;
    for (size_t i = 0; i < words; i++) {
        const uint8_t *word = lower + edges [2 * i];
        size_t length = (size_t) edges [2 * i + 1] - edges [2 * i];
        if (length > SHORT) {
            if (s_add (self, word, length, 1))
                return -1;
            continue;
        }
        pending_t *next = &pending [short_words++];
        s_short_key (word, length, next->key);
        next->hash = s_hash (self, next->key);
        __builtin_prefetch (&self->slots [next->hash & (self->capacity - 1)], 1);
    }
    for (size_t i = 0; i < short_words; i++) {
        const pending_t *next = &pending [i];
        size_t at = s_find_short (self, next->key, next->hash & (self->capacity - 1));
        if (self->slots [at].count)
            self->slots [at].count++;
        else if (s_insert (self, at, next->key, NULL, 0, 1))
            return -1;
    }
    self->words += (int64_t) short_words;
    return 0;
}

/*  Counts the words that end in the block of size bytes at lower, behind the
    tail, and makes what is left the new tail.                              */
static int
s_count_block (wordcount_t *self, const uint8_t *lower, size_t size)
{
    size_t count = s_find_edges (self, size), used = 0;
    if (self->tail && !count) {
        self->tail += size;
        return 0;
    }
    if (self->tail) {
        if (s_add (self, self->buffer, self->tail + self->edges [0], 1))
            return -1;
        used = 1;
    }
    size_t words = (count - used) / 2;
    for (size_t done = 0; done < words; done += BATCH) {
        size_t now = words - done < BATCH ? words - done : BATCH;
        if (s_count_batch (self, lower, self->edges + used + 2 * done, now))
            return -1;
    }
    used += 2 * words;
    self->tail = used < count ? size - self->edges [used] : 0;
    memmove (self->buffer, lower + size - self->tail, self->tail);
    return 0;
}

/*  Makes room for a block behind the tail.                                 */
static int
s_reserve (wordcount_t *self)
{
    size_t need = self->tail + BLOCK + GROUP;
    if (need <= self->buffer_limit)
        return 0;
    uint8_t *buffer = realloc (self->buffer, 2 * need);
    if (!buffer)
        return -1;
    self->buffer = buffer;
    self->buffer_limit = 2 * need;
    return 0;
}

int
wordcount_feed (wordcount_t *self, const void *text, size_t size)
{
    const uint8_t *bytes = text;
    while (size) {
        size_t now = size < BLOCK ? size : BLOCK;
        if (s_reserve (self))
            return -1;
        uint8_t *lower = self->buffer + self->tail;
        bool dashes = s_classify_block (self, bytes, now, lower);
        if (self->dash)
            s_join_dash (self, bytes, now);
        if (dashes)
            s_find_dashes (self, bytes, now);
        if (s_count_block (self, lower, now))
            return -1;
        bytes += now;
        size -= now;
    }
    return 0;
}

int
wordcount_finish (wordcount_t *self)
{
    size_t length = self->tail;
    self->tail = 0;
    self->dash = 0;
    return length ? s_add (self, self->buffer, length, 1) : 0;
}

int
wordcount_file (wordcount_t *self, int file, uint64_t offset, uint64_t length)
{
    uint8_t *chunk = malloc (CHUNK);
    int status = chunk ? 0 : -1;
    while (status == 0 && length) {
        size_t want = length < CHUNK ? (size_t) length : CHUNK;
        ssize_t got = pread (file, chunk, want, (off_t) offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0 || wordcount_feed (self, chunk, (size_t) got))
            status = -1;
        else {
            offset += (uint64_t) got;
            length -= (uint64_t) got;
        }
    }
    free (chunk);
    return status ? status : wordcount_finish (self);
}

/* ------------------------------------------------------------------------
   Counts                                                                   */

int
wordcount_reserve (wordcount_t *self, size_t distinct)
{
    size_t capacity = self->capacity;
    while (capacity / 4 * 3 <= distinct) {
        if (capacity > SIZE_MAX / 2 / sizeof (slot_t)) {
            errno = ENOMEM;
            return -1;
        }
        capacity *= 2;
    }
    return capacity > self->capacity ? s_resize (self, capacity) : 0;
}

/*  Has the slot of a short word fetched into the cache.                    */
static inline void
s_prefetch (const wordcount_t *self, const wordcount_entry_t *entry)
{
    uint64_t key [2] = { 0, 0 };
    if (entry->length > SHORT)
        return;
    memcpy (key, entry->word, entry->length);
    __builtin_prefetch (&self->slots [s_hash (self, key) & (self->capacity - 1)], 1);
}

int
wordcount_add_all (wordcount_t *self, const wordcount_entry_t *entries, size_t count)
{
    for (size_t done = 0; done < count; done += BATCH) {
        size_t now = count - done < BATCH ? count - done : BATCH;
        for (size_t i = 0; i < now; i++)
            s_prefetch (self, &entries [done + i]);
        for (size_t i = done; i < done + now; i++)
            if (wordcount_add (self, entries [i].word, entries [i].length, entries [i].count))
                return -1;
    }
    return 0;
}

int
wordcount_add (wordcount_t *self, const char *word, size_t length, int64_t count)
{
    int64_t sum;
    if (!length || count < 1 || memchr (word, 0, length)) {
        errno = EINVAL;
        return -1;
    }
    if (__builtin_add_overflow (self->words, count, &sum)) {
        errno = EOVERFLOW;
        return -1;
    }
    return s_add (self, (const uint8_t *) word, length, count);
}

int64_t
wordcount_get (const wordcount_t *self, const char *word, size_t length)
{
    uint64_t key [2];
    if (!length || memchr (word, 0, length))
        return 0;
    return self->slots [s_find (self, (const uint8_t *) word, length, key)].count;
}

int64_t
wordcount_words (const wordcount_t *self)
{
    return self->words;
}

size_t
wordcount_distinct (const wordcount_t *self)
{
    return self->distinct;
}

bool
wordcount_next (const wordcount_t *self, size_t *cursor, wordcount_entry_t *entry)
{
    while (*cursor < self->capacity) {
        const slot_t *slot = &self->slots [(*cursor)++];
        if (!slot->count)
            continue;
        entry->word = (const char *) s_slot_word (self, slot, &entry->length);
        entry->count = slot->count;
        return true;
    }
    return false;
}

int
wordcount_compare (const void *a, const void *b)
{
    const wordcount_entry_t *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp (left->word, right->word, shorter);
    if (order)
        return order;
    return (left->length > right->length) - (left->length < right->length);
}

/*  Lets the entry at the root of a heap, the lowest in rank, sink.         */
static void
s_sink (wordcount_entry_t *heap, size_t count)
{
    size_t at = 0, child;
    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && wordcount_compare (&heap [child], &heap [child + 1]) < 0)
            child++;
        if (wordcount_compare (&heap [at], &heap [child]) >= 0)
            return;
        wordcount_entry_t entry = heap [at];
        heap [at] = heap [child];
        heap [child] = entry;
        at = child;
    }
}

size_t
wordcount_top (const wordcount_t *self, wordcount_entry_t *top, size_t limit)
{
    wordcount_entry_t entry;
    size_t cursor = 0, count = 0;
    while (count < limit && wordcount_next (self, &cursor, &entry))
        top [count++] = entry;
    qsort (top, count, sizeof (*top), wordcount_compare);
    if (count < limit || !limit)
        return count;
    /*  Lowest in rank first is a heap already.                             */
    for (size_t i = 0; i < count / 2; i++) {
        entry = top [i];
        top [i] = top [count - 1 - i];
        top [count - 1 - i] = entry;
    }
    while (wordcount_next (self, &cursor, &entry))
        if (wordcount_compare (&entry, &top [0]) < 0) {
            top [0] = entry;
            s_sink (top, count);
        }
    qsort (top, count, sizeof (*top), wordcount_compare);
    return count;
}

/* ------------------------------------------------------------------------
   Life                                                                     */

wordcount_t *
wordcount_new (void)
{
    wordcount_t *self = calloc (1, sizeof (*self));
    if (!self)
        return NULL;
    if (getrandom (self->seed, sizeof (self->seed), 0) != sizeof (self->seed)
        || s_grow (self) || s_reserve (self))
        wordcount_destroy (&self);
    return self;
}

void
wordcount_destroy (wordcount_t **self_p)
{
    wordcount_t *self = *self_p;
    if (!self)
        return;
    free (self->slots);
    free (self->store);
    free (self->buffer);
    free (self);
    *self_p = NULL;
}
