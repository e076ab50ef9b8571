/*  wordpack.h - words and their counts in two blocks of memory, as they
    travel: the words one after another, each with a NUL, and the counts     */

#ifndef EXAMPLES_WORDPACK_H
#define EXAMPLES_WORDPACK_H

#include "examples/wordcount.h"

/*  Words that are being packed; owned memory. Zeroed is empty.             */
typedef struct {
    char *words;
    size_t size;
    int64_t *counts;
    size_t count;
    size_t size_limit;
    size_t count_limit;
} wordpack_t;

/*  Appends a word. Returns 0, or -1 when there is no memory.               */
int wordpack_add (wordpack_t *self, const wordcount_entry_t *entry);

/*  Which of so many shares a word belongs to, everywhere the same.         */
size_t wordpack_share (const wordcount_entry_t *entry, size_t shares);

/*  Frees the memory; the pack is empty and usable.                         */
void wordpack_release (wordpack_t *self);

/*  Packed words that are being read; borrowed memory. With counts NULL,
    every word counts 0. Start with next and at 0.                          */
typedef struct {
    const char *words;
    size_t size;
    const int64_t *counts;
    size_t count;
    size_t at;              /*  bytes read                                  */
    size_t next;            /*  words read                                  */
} wordpack_reader_t;

/*  A reader at the start of a pack.                                        */
wordpack_reader_t wordpack_read (const wordpack_t *self);

/*  Takes the next word. Returns 1, 0 at the end, or -1 if the blocks do not
    fit together.                                                           */
int wordpack_next (wordpack_reader_t *self, wordcount_entry_t *entry);

/*  Adds all words with their counts. Returns 0 or -1, with errno set.      */
int wordpack_count (wordpack_reader_t reader, wordcount_t *counts);

#endif
