/*  topk.c - the most frequent words of many lists, exactly, in few rounds   */

#include "examples/topk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct topk {
    size_t lists;
    size_t limit;
    wordpack_t *named;          /*  by list: the words that it named        */
    int64_t *bounds;            /*  by list: the most of a word it did not  */
    int64_t bound;              /*  the sum of the bounds                   */
    wordcount_t *sums;          /*  by word: what is known of its count     */
    wordcount_t *covered;       /*  by word: the bounds of the lists that
                                    named it                                */
    int64_t last;               /*  the sum of the last word of the answer
                                    so far; 0 if there are fewer            */
    wordpack_t exact;           /*  words of the answer's range, counts full */
    wordpack_t unknown;         /*  words that round 3 asks for             */
    unsigned rounds;
};

/*  Adds the words that a list named to the sums.                           */
static int
s_sum_list (topk_t *self, size_t list)
{
    wordpack_reader_t reader = wordpack_read (&self->named [list]);
    wordcount_entry_t entry;
    int64_t bound = self->bounds [list];
    while (wordpack_next (&reader, &entry) == 1)
        if (wordcount_add (self->sums, entry.word, entry.length, entry.count)
            || (bound && wordcount_add (self->covered, entry.word, entry.length, bound)))
            return -1;
    return 0;
}

/*  Finds the sum that the last word of the answer has at least.            */
static int
s_find_last (topk_t *self)
{
    self->last = 0;
    if (wordcount_distinct (self->sums) < self->limit)
        return 0;
    wordcount_entry_t *top = calloc (self->limit, sizeof (*top));
    if (!top)
        return -1;
    wordcount_top (self->sums, top, self->limit);
    self->last = top [self->limit - 1].count;
    free (top);
    return 0;
}

/*  Sums up all that was named so far.                                      */
static int
s_sum (topk_t *self)
{
    wordcount_destroy (&self->sums);
    wordcount_destroy (&self->covered);
    self->sums = wordcount_new ();
    self->covered = wordcount_new ();
    if (!self->sums || !self->covered)
        return -1;
    self->bound = 0;
    for (size_t list = 0; list < self->lists; list++) {
        if (__builtin_add_overflow (self->bound, self->bounds [list], &self->bound)) {
            errno = EOVERFLOW;
            return -1;
        }
        if (s_sum_list (self, list))
            return -1;
    }
    return s_find_last (self);
}

static int
s_add_words (topk_t *self, size_t list, wordpack_reader_t words)
{
    wordcount_entry_t entry;
    int status = list < self->lists ? 1 : -1;
    while (status == 1 && (status = wordpack_next (&words, &entry)) == 1)
        if (entry.count < 1)
            status = -1;
        else if (wordpack_add (&self->named [list], &entry))
            return -1;
    if (status < 0)
        errno = EINVAL;
    return status;
}

int
topk_add_first (topk_t *self, size_t list, wordpack_reader_t words, int64_t bound)
{
    if (list >= self->lists || bound < 0) {
        errno = EINVAL;
        return -1;
    }
    self->bounds [list] = bound;
    return s_add_words (self, list, words);
}

int
topk_threshold (topk_t *self, int64_t *threshold)
{
    *threshold = TOPK_NONE;
    self->rounds = 1;
    if (s_sum (self))
        return -1;
    if (self->bound == 0 || self->bound < self->last)
        return 0;
    /*  A word that nobody named has counts only where the bound is not 0:
        if it reaches the last sum, it reaches the average there.           */
    int64_t open = 0;
    for (size_t list = 0; list < self->lists; list++)
        open += self->bounds [list] > 0;
    *threshold = self->last / open + (self->last % open != 0);
    if (*threshold == 0)
        *threshold = 1;
    for (size_t list = 0; list < self->lists; list++)
        if (self->bounds [list] >= *threshold)
            self->bounds [list] = *threshold - 1;
    self->rounds++;
    return 0;
}

int
topk_add_more (topk_t *self, size_t list, wordpack_reader_t words)
{
    return s_add_words (self, list, words);
}

int
topk_unknown (topk_t *self, wordpack_t *words)
{
    wordcount_entry_t entry;
    size_t cursor = 0;
    if (self->rounds > 1 && s_sum (self))
        return -1;
    while (wordcount_next (self->sums, &cursor, &entry)) {
        int64_t named = wordcount_get (self->covered, entry.word, entry.length);
        int64_t missing = self->bound - named;
        if (missing < self->last - entry.count)
            continue;
        if (missing == 0 && wordpack_add (&self->exact, &entry))
            return -1;
        entry.count = 0;
        if (missing && (wordpack_add (&self->unknown, &entry) || wordpack_add (words, &entry)))
            return -1;
    }
    if (self->unknown.count)
        self->rounds++;
    return 0;
}

int
topk_add_exact (topk_t *self, const int64_t *counts, size_t count)
{
    errno = EINVAL;
    if (count != self->unknown.count)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (counts [i] < 0
            || __builtin_add_overflow (self->unknown.counts [i], counts [i],
                                       &self->unknown.counts [i]))
            return -1;
    return 0;
}

int
topk_result (topk_t *self, wordpack_t *words)
{
    wordcount_t *exact = wordcount_new ();
    size_t most = self->exact.count + self->unknown.count;
    size_t limit = most < self->limit ? most : self->limit;
    wordcount_entry_t *top = calloc (limit + 1, sizeof (*top));
    int status = exact && top ? 0 : -1;
    if (status == 0 && (wordpack_count (wordpack_read (&self->exact), exact)
                        || wordpack_count (wordpack_read (&self->unknown), exact)))
        status = -1;
    size_t count = status == 0 ? wordcount_top (exact, top, limit) : 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = wordpack_add (words, &top [i]);
    free (top);
    wordcount_destroy (&exact);
    return status;
}

unsigned
topk_rounds (const topk_t *self)
{
    return self->rounds;
}

int64_t
topk_bound (const topk_t *self)
{
    return self->bound;
}

topk_t *
topk_new (size_t lists, size_t limit)
{
    topk_t *self = limit ? calloc (1, sizeof (*self)) : NULL;
    if (!self)
        return NULL;
    self->lists = lists;
    self->limit = limit;
    self->named = calloc (lists, sizeof (wordpack_t));
    self->bounds = calloc (lists, sizeof (int64_t));
    if (lists && (!self->named || !self->bounds))
        topk_destroy (&self);
    return self;
}

void
topk_destroy (topk_t **self_p)
{
    topk_t *self = *self_p;
    if (!self)
        return;
    for (size_t list = 0; self->named && list < self->lists; list++)
        wordpack_release (&self->named [list]);
    free (self->named);
    free (self->bounds);
    wordcount_destroy (&self->sums);
    wordcount_destroy (&self->covered);
    wordpack_release (&self->exact);
    wordpack_release (&self->unknown);
    free (self);
    *self_p = NULL;
}
