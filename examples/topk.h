/*  topk.h - the most frequent words of many lists, exactly, in few rounds

    Lists hold counts of words; what counts is the sum over all lists. The
    method is TPUT (Cao and Wang, PODC 2004), made adaptive:

    Round 1. Every list names its most frequent words, and a bound: the most
        that a word which it did not name can count there. A word that no
        list named has at most the sum of the bounds. If that is less than
        the partial sum of the last word of the answer so far, the certificate
        holds and the next round is left out.
    Round 2. Every list names all other words that reach a threshold, low
        enough that each word of the answer reaches it somewhere.
    Round 3. The lists are asked for the exact counts of the words that may
        yet belong to the answer; left out if all of those are known.

    Ties go to the smaller word, so the answer is that of sorting all sums.
    This is the coordinator's part: it decides, others carry the messages. An
    object belongs to one thread at a time. Functions that return int return
    0, or -1 with errno set: ENOMEM, EINVAL for input that does not fit,
    EOVERFLOW for sums above INT64_MAX.                                     */

#ifndef EXAMPLES_TOPK_H
#define EXAMPLES_TOPK_H

#include "examples/wordpack.h"

#define TOPK_NONE INT64_MAX         /*  a threshold that no count reaches   */

typedef struct topk topk_t;

/*  A coordinator of so many lists that wants the limit most frequent words, at
    least 1; NULL when there is no memory. The caller owns it.              */
topk_t *topk_new (size_t lists, size_t limit);
void topk_destroy (topk_t **self_p);

/*  Round 1: what a list named, and its bound. Each list once.              */
int topk_add_first (topk_t *self, size_t list, wordpack_reader_t words, int64_t bound);

/*  After round 1: the threshold of round 2, or TOPK_NONE.                  */
int topk_threshold (topk_t *self, int64_t *threshold);

/*  Round 2: the words that a list names besides, if any.                   */
int topk_add_more (topk_t *self, size_t list, wordpack_reader_t words);

/*  After round 2: appends the words whose exact counts round 3 needs, if
    any.                                                                    */
int topk_unknown (topk_t *self, wordpack_t *words);

/*  Round 3: a list's counts of those words, in their order; count may be 0
    if there were none.                                                     */
int topk_add_exact (topk_t *self, const int64_t *counts, size_t count);

/*  At the end: appends the answer, the first ranked first.                 */
int topk_result (topk_t *self, wordpack_t *words);

/*  How many of the rounds were needed, and the most that a word can have
    which no list named in rounds 1 and 2.                                  */
unsigned topk_rounds (const topk_t *self);
int64_t topk_bound (const topk_t *self);

#endif
