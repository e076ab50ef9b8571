/*  wordpack.c - words and their counts in two blocks of memory              */

#include "examples/wordpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ADDED_MAX 256           /*  words that are added at once            */

/*  Makes room for a word of length bytes and its NUL.                      */
static int
s_reserve (wordpack_t *self, size_t length)
{
    if (self->size_limit - self->size <= length) {
        size_t limit = 2 * self->size_limit + length + 256;
        char *words = realloc (self->words, limit);
        if (!words)
            return -1;
        self->words = words;
        self->size_limit = limit;
    }
    if (self->count == self->count_limit) {
        size_t limit = 2 * self->count_limit + 32;
        int64_t *counts = realloc (self->counts, limit * sizeof (*counts));
        if (!counts)
            return -1;
        self->counts = counts;
        self->count_limit = limit;
    }
    return 0;
}

int
wordpack_add (wordpack_t *self, const wordcount_entry_t *entry)
{
    if (s_reserve (self, entry->length))
        return -1;
    memcpy (self->words + self->size, entry->word, entry->length);
    self->words [self->size + entry->length] = 0;
    self->size += entry->length + 1;
    self->counts [self->count++] = entry->count;
    return 0;
}

size_t
wordpack_share (const wordcount_entry_t *entry, size_t shares)
{
    uint32_t hash = 2166136261;     /*  FNV-1a                              */
    for (size_t i = 0; i < entry->length; i++)
        hash = (hash ^ (uint8_t) entry->word [i]) * 16777619;
    return hash % shares;
}

void
wordpack_release (wordpack_t *self)
{
    free (self->words);
    free (self->counts);
    *self = (wordpack_t){ 0 };
}

wordpack_reader_t
wordpack_read (const wordpack_t *self)
{
    return (wordpack_reader_t){ self->words, self->size, self->counts, self->count, 0, 0 };
}

int
wordpack_next (wordpack_reader_t *self, wordcount_entry_t *entry)
{
    bool counted = !self->counts || self->next < self->count;
    if (self->at == self->size)
        return self->counts && counted ? -1 : 0;
    const char *word = self->words + self->at;
    const char *end = memchr (word, 0, self->size - self->at);
    if (!end || end == word || !counted)
        return -1;
    entry->word = word;
    entry->length = (size_t) (end - word);
    entry->count = self->counts ? self->counts [self->next] : 0;
    self->at += entry->length + 1;
    self->next++;
    return 1;
}

int
wordpack_count (wordpack_reader_t reader, wordcount_t *counts)
{
    wordcount_entry_t entries [ADDED_MAX];
    int status = 1;
    if (reader.counts && reader.count <= reader.size && wordcount_reserve (counts, reader.count))
        return -1;
    while (status == 1) {
        size_t count = 0;
        while (count < ADDED_MAX && (status = wordpack_next (&reader, &entries [count])) == 1)
            count++;
        if (wordcount_add_all (counts, entries, count))
            return -1;
    }
    if (status < 0)
        errno = EINVAL;
    return status;
}
