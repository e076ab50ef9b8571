/*  test_topk.c - the rounds of topk.c against a sort of all sums, on random
    lists and on lists that were made to mislead                             */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "examples/topk.h"
#include "tests/chance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 16
#define LIMIT_MAX 24

/*  One thread has no races: ThreadSanitizer only makes it slow.            */
#if defined (__SANITIZE_THREAD__)
#define INSTANCES 3000
#else
#define INSTANCES 30000
#endif

typedef struct {
    wordcount_t *lists [LISTS_MAX];
    size_t count;
    wordcount_t *sums;
} instance_t;

/*  What the runs over many instances saw.                                  */
typedef struct {
    size_t rounds [4];
    size_t naive_wrong;         /*  two naive rounds gave another answer    */
} tally_t;

static void
s_open (instance_t *instance, size_t count)
{
    *instance = (instance_t){ .count = count, .sums = wordcount_new () };
    assert_non_null (instance->sums);
    for (size_t i = 0; i < count; i++) {
        instance->lists [i] = wordcount_new ();
        assert_non_null (instance->lists [i]);
    }
}

static void
s_close (instance_t *instance)
{
    for (size_t i = 0; i < instance->count; i++)
        wordcount_destroy (&instance->lists [i]);
    wordcount_destroy (&instance->sums);
}

static void
s_put (instance_t *instance, size_t list, const char *word, int64_t count)
{
    assert_int_equal (wordcount_add (instance->lists [list], word, strlen (word), count), 0);
    assert_int_equal (wordcount_add (instance->sums, word, strlen (word), count), 0);
}

/* ------------------------------------------------------------------------
   The lists' part of the rounds                                            */

static int64_t
s_pack_top (const wordcount_t *list, size_t named, wordpack_t *pack)
{
    wordcount_entry_t top [LIMIT_MAX];
    size_t count = wordcount_top (list, top, named);
    for (size_t i = 0; i < count; i++)
        assert_int_equal (wordpack_add (pack, &top [i]), 0);
    return count == wordcount_distinct (list) ? 0 : top [count - 1].count;
}

static void
s_pack_above (const wordcount_t *list, int64_t threshold, size_t named, wordpack_t *pack)
{
    wordcount_entry_t top [LIMIT_MAX], entry;
    size_t count = wordcount_top (list, top, named), cursor = 0;
    while (wordcount_next (list, &cursor, &entry))
        if (entry.count >= threshold
            && (count == 0 || wordcount_compare (&top [count - 1], &entry) < 0))
            assert_int_equal (wordpack_add (pack, &entry), 0);
}

static void
s_answer_exact (topk_t *topk, const wordcount_t *list, const wordpack_t *words)
{
    wordpack_reader_t reader = wordpack_read (words);
    wordcount_entry_t entry;
    int64_t *counts = calloc (words->count + 1, sizeof (int64_t));
    assert_non_null (counts);
    for (size_t i = 0; wordpack_next (&reader, &entry) == 1; i++)
        counts [i] = wordcount_get (list, entry.word, entry.length);
    assert_int_equal (topk_add_exact (topk, counts, words->count), 0);
    free (counts);
}

/*  True if the word is in the pack.                                        */
static bool
s_has (const wordpack_t *pack, const wordcount_entry_t *wanted)
{
    wordpack_reader_t reader = wordpack_read (pack);
    wordcount_entry_t entry;
    while (wordpack_next (&reader, &entry) == 1)
        if (entry.length == wanted->length
            && memcmp (entry.word, wanted->word, entry.length) == 0)
            return true;
    return false;
}

/*  The certificate: no word that nobody named has more than the bound.     */
static void
s_check_bound (const instance_t *instance, const wordpack_t *named, int64_t bound)
{
    wordcount_entry_t entry;
    size_t cursor = 0;
    while (wordcount_next (instance->sums, &cursor, &entry))
        if (entry.count > bound && !s_has (named, &entry))
            fail_msg ("%.*s counts %ld, above the bound %ld", (int) entry.length, entry.word,
                      (long) entry.count, (long) bound);
}

/*  Runs all rounds; the answer goes to `answer`. Returns the rounds.       */
static unsigned
s_run (const instance_t *instance, size_t limit, size_t named, wordpack_t *answer)
{
    topk_t *topk = topk_new (instance->count, limit);
    wordpack_t all = { 0 }, unknown = { 0 };
    int64_t threshold;
    assert_non_null (topk);
    for (size_t i = 0; i < instance->count; i++) {
        wordpack_t pack = { 0 };
        int64_t bound = s_pack_top (instance->lists [i], named, &pack);
        s_pack_top (instance->lists [i], named, &all);
        assert_int_equal (topk_add_first (topk, i, wordpack_read (&pack), bound), 0);
        wordpack_release (&pack);
    }
    assert_int_equal (topk_threshold (topk, &threshold), 0);
    assert_true (threshold > 0);
    bool second = threshold != TOPK_NONE;
    for (size_t i = 0; i < instance->count; i++) {
        wordpack_t pack = { 0 };
        s_pack_above (instance->lists [i], threshold, named, &pack);
        s_pack_above (instance->lists [i], threshold, named, &all);
        assert_true (second || pack.count == 0);
        assert_int_equal (topk_add_more (topk, i, wordpack_read (&pack)), 0);
        wordpack_release (&pack);
    }
    assert_int_equal (topk_unknown (topk, &unknown), 0);
    for (size_t i = 0; i < instance->count; i++)
        s_answer_exact (topk, instance->lists [i], &unknown);
    assert_int_equal (topk_rounds (topk), 1u + second + (unknown.count > 0));
    assert_int_equal (topk_result (topk, answer), 0);
    s_check_bound (instance, &all, topk_bound (topk));
    unsigned rounds = topk_rounds (topk);
    wordpack_release (&all);
    wordpack_release (&unknown);
    topk_destroy (&topk);
    assert_null (topk);
    return rounds;
}

/*  Checks the answer against a sort of all sums.                           */
static void
s_check_answer (const instance_t *instance, size_t limit, const wordpack_t *answer)
{
    wordcount_entry_t top [LIMIT_MAX], entry;
    size_t count = wordcount_top (instance->sums, top, limit), i = 0;
    wordpack_reader_t reader = wordpack_read (answer);
    assert_int_equal (answer->count, count);
    for (; wordpack_next (&reader, &entry) == 1; i++) {
        assert_int_equal (entry.count, top [i].count);
        assert_int_equal (entry.length, top [i].length);
        assert_memory_equal (entry.word, top [i].word, entry.length);
    }
    assert_int_equal (i, count);
}

/*  Whether the best word by exact count among the words that lists name
    first is the right one.                                                 */
static bool
s_naive_right (const instance_t *instance)
{
    wordcount_entry_t best = { "", 0, 0 }, top, entry;
    for (size_t i = 0; i < instance->count; i++)
        if (wordcount_top (instance->lists [i], &entry, 1)) {
            entry.count = wordcount_get (instance->sums, entry.word, entry.length);
            if (best.count == 0 || wordcount_compare (&entry, &best) < 0)
                best = entry;
        }
    return !wordcount_top (instance->sums, &top, 1) || wordcount_compare (&top, &best) == 0;
}

static void
s_check (const instance_t *instance, size_t limit, size_t named, tally_t *tally)
{
    wordpack_t answer = { 0 };
    unsigned rounds = s_run (instance, limit, named, &answer);
    s_check_answer (instance, limit, &answer);
    wordpack_release (&answer);
    tally->rounds [rounds]++;
    tally->naive_wrong += !s_naive_right (instance);
}

/* ------------------------------------------------------------------------
   Tests                                                                    */

/*  Fills the lists with words from a small vocabulary, in many ways: flat
    or steep, shared or private, tied, some lists empty or copies.          */
static void
s_fill (instance_t *instance, uint64_t *seed)
{
    size_t vocabulary = 1 + chance_below (seed, 30), most = 1 + chance_below (seed, 12);
    size_t kind = chance_below (seed, 4);
    for (size_t list = 0; list < instance->count; list++) {
        size_t words = chance_below (seed, 5) ? chance_below (seed, 30) : 0;
        for (size_t i = 0; i < words; i++) {
            size_t number = chance_below (seed, vocabulary);
            char word [40];
            if (kind == 1)
                number = chance_below (seed, 1 + number);
            if (kind == 2 && chance_below (seed, 3))
                number += 100 * (list + 1);
            snprintf (word, sizeof (word), number % 7 ? "w%zu" : "a-rather-long-word-%zu", number);
            int64_t count = kind == 3 ? 1 : (int64_t) (1 + chance_below (seed, most));
            s_put (instance, list, word, chance_below (seed, 50) ? count : count << 33);
        }
    }
}

static void
test_random (void **state)
{
    (void) state;
    tally_t tally = { { 0 }, 0 };
    uint64_t seed = 42;
    for (unsigned i = 0; i < INSTANCES; i++) {
        instance_t instance;
        s_open (&instance, 1 + chance_below (&seed, i % 10 ? 6 : LISTS_MAX));
        s_fill (&instance, &seed);
        size_t limit = 1 + chance_below (&seed, i % 3 ? 4 : 20);
        s_check (&instance, limit, limit + chance_below (&seed, 4), &tally);
        s_close (&instance);
    }
    print_message ("one round %zu, two %zu, three %zu; naive answers wrong %zu\n",
                   tally.rounds [1], tally.rounds [2], tally.rounds [3], tally.naive_wrong);
    /*  The instances are worth something only if they reach every path.    */
    for (unsigned rounds = 1; rounds <= 3; rounds++)
        assert_true (tally.rounds [rounds] > INSTANCES / 100);
    assert_true (tally.naive_wrong > INSTANCES / 100);
}

/*  So many words that are in this list only, each before the winner.       */
static void
s_put_private (instance_t *self, size_t list, size_t count)
{
    char word [32];
    for (size_t number = 0; number < count; number++) {
        snprintf (word, sizeof (word), "private%zu-%zu", list, number);
        s_put (self, list, word, 3);
    }
    s_put (self, list, "winner", 2);
}

/*  The winner is second in every list: naive rounds never hear of it.      */
static void
test_second_everywhere (void **state)
{
    (void) state;
    for (size_t lists = 2; lists <= LISTS_MAX; lists++)
        for (size_t named = 1; named <= 3; named++) {
            instance_t instance;
            tally_t tally = { { 0 }, 0 };
            s_open (&instance, lists);
            for (size_t i = 0; i < lists; i++)
                s_put_private (&instance, i, named);
            s_check (&instance, 1, named, &tally);
            assert_int_equal (tally.naive_wrong, 1);
            assert_int_equal (tally.rounds [1], 0);
            s_close (&instance);
        }
}

/*  An unseen word that ties, and comes first by name, is the answer.       */
static void
test_unseen_tie (void **state)
{
    (void) state;
    instance_t instance;
    wordpack_t answer = { 0 };
    s_open (&instance, 2);
    s_put (&instance, 0, "zebra", 4);
    s_put (&instance, 0, "ape", 2);
    s_put (&instance, 1, "yak", 3);
    s_put (&instance, 1, "ape", 2);
    assert_int_equal (s_run (&instance, 1, 1, &answer), 3);
    assert_string_equal (answer.words, "ape");
    assert_int_equal (answer.counts [0], 4);
    wordpack_release (&answer);
    s_close (&instance);
}

/*  Clear cases need one round, or a second for exact counts only.          */
static void
test_few_rounds (void **state)
{
    (void) state;
    instance_t instance;
    tally_t tally = { { 0 }, 0 };
    s_open (&instance, 3);
    for (size_t i = 0; i < 3; i++) {
        s_put (&instance, i, "the", 100);
        s_put (&instance, i, "of", 10);
        s_put (&instance, i, i ? "and" : "to", 5);
    }
    s_check (&instance, 1, 2, &tally);
    assert_int_equal (tally.rounds [1], 1);
    /*  "and" beats "to", but one of its counts is not known.               */
    s_put (&instance, 0, "and", 1);
    s_check (&instance, 3, 3, &tally);
    assert_int_equal (tally.rounds [2], 1);
    s_close (&instance);
}

static void
test_empty (void **state)
{
    (void) state;
    instance_t instance;
    tally_t tally = { { 0 }, 0 };
    s_open (&instance, 4);
    s_check (&instance, 3, 3, &tally);
    assert_int_equal (tally.rounds [1], 1);
    s_put (&instance, 2, "alone", 1);
    s_check (&instance, 3, 3, &tally);
    assert_int_equal (tally.rounds [1], 2);
    s_close (&instance);
}

static void
test_bad_input (void **state)
{
    (void) state;
    int64_t counts [] = { 1, -1 }, threshold;
    wordpack_reader_t words = { "a\0b", 4, counts, 2, 0, 0 };
    wordpack_t unknown = { 0 };
    topk_t *topk = topk_new (2, 1);
    assert_non_null (topk);
    assert_null (topk_new (2, 0));
    assert_int_equal (topk_add_first (topk, 0, words, 0), -1);
    assert_int_equal (errno, EINVAL);
    assert_int_equal (topk_add_first (topk, 2, words, 0), -1);
    assert_int_equal (topk_add_first (topk, 0, words, -1), -1);
    words.count = 1;
    assert_int_equal (topk_add_first (topk, 1, words, 0), -1);
    assert_int_equal (topk_threshold (topk, &threshold), 0);
    assert_int_equal (topk_unknown (topk, &unknown), 0);
    assert_int_equal (topk_add_exact (topk, counts, 2), -1);
    wordpack_release (&unknown);
    topk_destroy (&topk);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_random),     cmocka_unit_test (test_second_everywhere),
        cmocka_unit_test (test_unseen_tie), cmocka_unit_test (test_few_rounds),
        cmocka_unit_test (test_empty),      cmocka_unit_test (test_bad_input),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
