/*  wordlist.h - the actor class "wordlist": holds a part of a text and knows
    how often each word occurs in it

    What a word is stands in examples/wordcount.h. Words rank by count, equal
    counts by word, the smaller first, byte by byte. Lists of words travel as
    bytes, the words one after another, each with a NUL; counts as int64s.

    The functions below call the class by its name, so it may be in a module.
    Each returns a future that the caller owns; what it holds stands above the
    function. None of them blocks. Where an argument is the result of another
    call, use troupe_call_by_name with the future.                           */

#ifndef WORDLIST_H_INCLUDED
#define WORDLIST_H_INCLUDED

#include <troupe.h>

#ifndef __cplusplus

/*  A new list of the words of a text, which is copied; the caller owns the
    handle. The words are counted once, here, in the actor.                 */
static inline troupe_actor_t *
wordlist_spawn (troupe_t *troupe, const void *text, size_t size)
{
    return troupe_spawn_by_name (troupe, "wordlist", troupe_bytes (text, size));
}

/*  ... of the words of a text that a future has, which is read where it lies. */
static inline troupe_actor_t *
wordlist_spawn_future (troupe_t *troupe, troupe_future_t *text)
{
    return troupe_spawn_by_name (troupe, "wordlist", text);
}

/*  ... of the words of count ranges of files, which the actor reads itself:
    its machine must have the files. A range starts and ends between words. */
static inline troupe_actor_t *
wordlist_spawn_files (troupe_t *troupe, const char *const *paths, const int64_t *offsets,
                      const int64_t *lengths, size_t count)
{
    return troupe_spawn_by_name (troupe, "wordlist", troupe_bytes ("", 0),
                                 troupe_strings (paths, count), troupe_int64s (offsets, count),
                                 troupe_int64s (lengths, count));
}

/*  Nothing, once the words of more text are counted too. The text is the
    value of a future and is read where it lies; it ends between words.     */
static inline troupe_future_t *
wordlist_add (troupe_actor_t *self, troupe_future_t *text)
{
    return troupe_call_by_name (self, "add", text);
}

/*  bytes, int64s, int64_t, int64_t: the first `limit` words in rank and
    their counts; the most that any other word counts (the count of the last
    word listed, 0 if all are); and the number of words, each occurrence
    counted.                                                                */
static inline troupe_future_t *
wordlist_top (troupe_actor_t *self, uint64_t limit)
{
    return troupe_call_by_name (self, "top", limit);
}

/*  bytes, int64s: the words that count at least threshold, and their
    counts, in no particular order, without the first `skip` words in rank. */
static inline troupe_future_t *
wordlist_above (troupe_actor_t *self, int64_t threshold, uint64_t skip)
{
    return troupe_call_by_name (self, "above", threshold, skip);
}

/*  int64s: the counts of the words given, in their order.                  */
static inline troupe_future_t *
wordlist_count (troupe_actor_t *self, const void *words, size_t size)
{
    return troupe_call_by_name (self, "count", troupe_bytes (words, size));
}

/*  int64_t: the number of words, each occurrence counted.                  */
static inline troupe_future_t *
wordlist_words (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "words");
}

/*  uint64_t: the number of different words.                                */
static inline troupe_future_t *
wordlist_distinct (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "distinct");
}

#endif /*  __cplusplus  */

#endif
