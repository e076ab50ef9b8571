/*  wordlist.c - the actor class "wordlist"; wordlist.h says what it does    */

#include "examples/slice.h"
#include "examples/wordpack.h"

#include <troupe.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    wordcount_t *counts;
    wordcount_entry_t *ranked;  /*  the first words in rank, as last asked  */
    size_t ranked_count;
    uint64_t ranked_limit;
} wordlist_t;

/* ------------------------------------------------------------------------
   Life                                                                     */

/*  Reads (bytes text) or (bytes text, strings paths, int64s offsets, int64s
    lengths).                                                               */
static int
s_read_slice (troupe_call_t *call, slice_t *slice)
{
    troupe_bytes_t text;
    troupe_strings_t paths = { NULL, 0 };
    troupe_int64s_t offsets = { NULL, 0 }, lengths = { NULL, 0 };
    if (troupe_arg_count (call) == 1 ? troupe_args (call, &text)
                                     : troupe_args (call, &text, &paths, &offsets, &lengths))
        return -1;
    if (offsets.count != paths.count || lengths.count != paths.count)
        return troupe_fail (call, "paths, offsets and lengths differ in number");
    *slice = (slice_t){ text.data, text.size, paths.items, offsets.items, lengths.items,
                        paths.count };
    return 0;
}

static int
wordlist_init (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    slice_t slice;
    const char *path = NULL;
    if (s_read_slice (call, &slice))
        return -1;
    self->counts = wordcount_new ();
    if (self->counts && slice_count (&slice, self->counts, &path) == 0)
        return 0;
    return troupe_fail (call, "%s: %s", path ? path : "counting", strerror (errno));
}

static void
wordlist_term (void *state)
{
    wordlist_t *self = state;
    free (self->ranked);
    wordcount_destroy (&self->counts);
}

/* ------------------------------------------------------------------------
   Methods                                                                  */

/*  (bytes text) -> nothing                                                 */
static int
wordlist_add (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    troupe_bytes_t text;
    if (troupe_args (call, &text))
        return -1;
    free (self->ranked);
    self->ranked = NULL;
    if (wordcount_feed (self->counts, text.data, text.size) || wordcount_finish (self->counts))
        return troupe_fail (call, "counting: %s", strerror (errno));
    return troupe_return (call);
}

/*  The first `limit` words in rank, which the list keeps, as each round asks for
    the same; how many in *count. NULL when there is no memory.             */
static const wordcount_entry_t *
s_rank (wordlist_t *self, uint64_t limit, size_t *count)
{
    size_t distinct = wordcount_distinct (self->counts);
    size_t most = limit < distinct ? (size_t) limit : distinct;
    if (!self->ranked || self->ranked_limit != limit) {
        free (self->ranked);
        self->ranked = calloc (most + 1, sizeof (*self->ranked));
        if (self->ranked)
            self->ranked_count = wordcount_top (self->counts, self->ranked, most);
        self->ranked_limit = limit;
    }
    *count = self->ranked_count;
    return self->ranked;
}

/*  (uint64 limit) -> bytes words, int64s counts, int64 bound, int64 words  */
static int
wordlist_top (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    uint64_t limit;
    size_t count;
    if (troupe_args (call, &limit))
        return -1;
    const wordcount_entry_t *top = s_rank (self, limit, &count);
    wordpack_t pack = { 0 };
    int status = top ? 0 : -1;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = wordpack_add (&pack, &top [i]);
    if (status)
        troupe_fail (call, "out of memory");
    else {
        int64_t bound = count == wordcount_distinct (self->counts) ? 0
                        : count ? top [count - 1].count
                                : wordcount_words (self->counts);
        status = troupe_return (call, troupe_bytes (pack.words, pack.size),
                                troupe_int64s (pack.counts, pack.count), bound,
                                wordcount_words (self->counts));
    }
    wordpack_release (&pack);
    return status;
}

/*  Packs the words that count at least threshold and rank behind `last`, or
    all such words if that is NULL.                                         */
static int
s_pack_above (const wordlist_t *self, int64_t threshold, const wordcount_entry_t *last,
              wordpack_t *pack)
{
    wordcount_entry_t entry;
    size_t cursor = 0;
    while (wordcount_next (self->counts, &cursor, &entry))
        if (entry.count >= threshold && (!last || wordcount_compare (last, &entry) < 0)
            && wordpack_add (pack, &entry))
            return -1;
    return 0;
}

/*  (int64 threshold, uint64 skip) -> bytes words, int64s counts            */
static int
wordlist_above (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    int64_t threshold;
    uint64_t skip;
    size_t count;
    if (troupe_args (call, &threshold, &skip))
        return -1;
    wordpack_t pack = { 0 };
    int status = 0;
    if (threshold <= wordcount_words (self->counts)) {
        const wordcount_entry_t *top = s_rank (self, skip, &count);
        status = top ? s_pack_above (self, threshold, count ? &top [count - 1] : NULL, &pack)
                     : -1;
    }
    if (status)
        troupe_fail (call, "out of memory");
    else
        status = troupe_return (call, troupe_bytes (pack.words, pack.size),
                                troupe_int64s (pack.counts, pack.count));
    wordpack_release (&pack);
    return status;
}

/*  (bytes words) -> int64s counts                                          */
static int
wordlist_count (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    troupe_bytes_t words;
    if (troupe_args (call, &words))
        return -1;
    wordpack_reader_t reader = { words.data, words.size, NULL, 0, 0, 0 };
    wordpack_t pack = { 0 };
    wordcount_entry_t entry;
    int status, added = 0;
    while (added == 0 && (status = wordpack_next (&reader, &entry)) == 1) {
        entry.count = wordcount_get (self->counts, entry.word, entry.length);
        added = wordpack_add (&pack, &entry);
    }
    if (added)
        status = troupe_fail (call, "out of memory");
    else if (status)
        status = troupe_fail (call, "argument 1: words must not be empty and end in a NUL");
    else
        status = troupe_return (call, troupe_int64s (pack.counts, pack.count));
    wordpack_release (&pack);
    return status;
}

/*  () -> int64                                                             */
static int
wordlist_words (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    return troupe_return (call, wordcount_words (self->counts));
}

/*  () -> uint64                                                            */
static int
wordlist_distinct (troupe_call_t *call)
{
    wordlist_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    return troupe_return (call, wordcount_distinct (self->counts));
}

TROUPE_ACTOR (wordlist, wordlist_t, .init = wordlist_init, .term = wordlist_term,
              .methods = { TROUPE_METHOD (wordlist_add, .parameters = "text: bytes"),
                           TROUPE_METHOD (wordlist_top, .parameters = "limit: uint64"),
                           TROUPE_METHOD (wordlist_above,
                                          .parameters = "threshold: int64, skip: uint64"),
                           TROUPE_METHOD (wordlist_count, .parameters = "words: bytes"),
                           TROUPE_METHOD (wordlist_words, .parameters = ""),
                           TROUPE_METHOD (wordlist_distinct, .parameters = "") });
