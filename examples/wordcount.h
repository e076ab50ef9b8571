/*  wordcount.h - splits text into words and counts them in a hash table

    A word is a run of bytes between blanks, with A-Z lower-cased. Blanks are
    white space, the byte 0, each of , ; . : ! ? " ' ` ( ) [ ] - _ * and, in
    UTF-8, the dashes U+2010 to U+2015 and the quotes U+2018 to U+201F. All
    other bytes pass through untouched, whether they are valid UTF-8 or not.

    One object belongs to one thread at a time. Functions that return int
    return 0, or -1 with errno set; after a failure the counts hold a part
    of what was added.                                                      */

#ifndef EXAMPLES_WORDCOUNT_H
#define EXAMPLES_WORDCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wordcount wordcount_t;

/*  A word and its count. The word has no NUL at its end and is valid until
    the next change of the counts that it comes from.                       */
typedef struct {
    const char *word;
    size_t length;
    int64_t count;
} wordcount_entry_t;

/*  An empty table, or NULL when there is no memory. The caller owns it.    */
wordcount_t *wordcount_new (void);
void wordcount_destroy (wordcount_t **self_p);

/*  Counts the words of a piece of text that goes on in the next piece, so a
    word may begin in one and end in another.                               */
int wordcount_feed (wordcount_t *self, const void *text, size_t size);

/*  Ends the text: what was fed last is a whole word.                       */
int wordcount_finish (wordcount_t *self);

/*  Counts length bytes of a file from offset on, which start and end at the
    ends of words. Needs no position in the file, so threads may share the
    descriptor. A file that ends too early is EIO.                          */
int wordcount_file (wordcount_t *self, int file, uint64_t offset, uint64_t length);

/*  Adds to the count of one word, taken as it is. EINVAL if the word is
    empty or has a NUL, or if count is less than 1; EOVERFLOW.              */
int wordcount_add (wordcount_t *self, const char *word, size_t length, int64_t count);

/*  The same for many words, which is several times as fast, as the table is
    larger than the processor's cache.                                      */
int wordcount_add_all (wordcount_t *self, const wordcount_entry_t *entries, size_t count);

/*  Makes room for so many different words in all, so that the table does not
    have to grow on the way there.                                          */
int wordcount_reserve (wordcount_t *self, size_t distinct);

/*  The count of a word, 0 if it is unknown.                                */
int64_t wordcount_get (const wordcount_t *self, const char *word, size_t length);

/*  How many words were counted, and how many different ones.               */
int64_t wordcount_words (const wordcount_t *self);
size_t wordcount_distinct (const wordcount_t *self);

/*  Walks the table in no particular order: start with *cursor 0. False at
    the end.                                                                */
bool wordcount_next (const wordcount_t *self, size_t *cursor, wordcount_entry_t *entry);

/*  Fills in the most frequent words, the first ranked first, at most limit,
    and returns how many. Takes no memory.                                  */
size_t wordcount_top (const wordcount_t *self, wordcount_entry_t *top, size_t limit);

/*  The ranking: the higher count first, among equals the smaller word, byte
    by byte. Less than 0 if a comes before b; for qsort.                    */
int wordcount_compare (const void *a, const void *b);

/*  True for a byte that is a blank by itself, where text may be cut.       */
bool wordcount_blank (unsigned char byte);

#endif
