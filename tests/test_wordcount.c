/*  test_wordcount.c - the tokenizer and table of wordfreq, against a plain
    tokenizer that works byte by byte                                        */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "examples/book.h"
#include "examples/wordcount.h"
#include "examples/wordpack.h"
#include "tests/chance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
s_check (const wordcount_t *counts, const char *word, int64_t count)
{
    if (wordcount_get (counts, word, strlen (word)) != count)
        fail_msg ("%s counts %ld, not %ld", word,
                  (long) wordcount_get (counts, word, strlen (word)), (long) count);
}

static wordcount_t *
s_counted (const void *text, size_t size)
{
    wordcount_t *counts = wordcount_new ();
    assert_non_null (counts);
    assert_int_equal (wordcount_feed (counts, text, size), 0);
    assert_int_equal (wordcount_finish (counts), 0);
    return counts;
}

/* ------------------------------------------------------------------------
   The plain tokenizer: the length of the blank at text, or 0                */

static size_t
s_plain_blank (const uint8_t *text, size_t size)
{
    if (*text == 0 || strchr (" \t\n\v\f\r,;.:!?\"'`()[]-_*", *text))
        return 1;
    if (size >= 3 && text [0] == 0xe2 && text [1] == 0x80
        && ((text [2] >= 0x90 && text [2] <= 0x95) || (text [2] >= 0x98 && text [2] <= 0x9f)))
        return 3;
    return 0;
}

/*  Lists the words of a text, each with a NUL, in `out`; returns how many.  */
static size_t
s_plain_words (const uint8_t *text, size_t size, char *out)
{
    size_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < size;) {
        size_t blank = s_plain_blank (text + at, size - at);
        if (blank && inside)
            *out++ = 0;
        if (!blank) {
            words += !inside;
            *out++ = (char) (text [at] >= 'A' && text [at] <= 'Z' ? text [at] + 32 : text [at]);
        }
        inside = !blank;
        at += blank ? blank : 1;
    }
    if (inside)
        *out = 0;
    return words;
}

static int
s_compare_words (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

/*  Checks all counts of a text.                                            */
static void
s_check_text (const wordcount_t *counts, const uint8_t *text, size_t size)
{
    char *words = malloc (size + 2);
    char **list = calloc (size + 1, sizeof (char *));
    assert_non_null (words);
    assert_non_null (list);
    size_t count = s_plain_words (text, size, words), distinct = 0;
    char *at = words;
    for (size_t i = 0; i < count; i++, at += strlen (at) + 1)
        list [i] = at;
    qsort (list, count, sizeof (char *), s_compare_words);
    for (size_t i = 0, same; i < count; i += same, distinct++) {
        for (same = 1; i + same < count && strcmp (list [i], list [i + same]) == 0;)
            same++;
        s_check (counts, list [i], (int64_t) same);
    }
    assert_int_equal (wordcount_words (counts), (int64_t) count);
    assert_int_equal (wordcount_distinct (counts), distinct);
    free (words);
    free (list);
}

/* ------------------------------------------------------------------------
   Tests                                                                    */

static void
test_words (void **state)
{
    (void) state;
    const char text [] = "The cat, the DOG; (the) [cat]! \"Dog\": 'x' a-b_c*d. E\tf\ng\r\nh\vi\fj?";
    wordcount_t *counts = s_counted (text, strlen (text));
    s_check (counts, "the", 3);
    s_check (counts, "cat", 2);
    s_check (counts, "dog", 2);
    s_check (counts, "The", 0);
    for (char word [2] = "a"; *word <= 'j'; word [0]++)
        s_check (counts, word, 1);
    s_check (counts, "x", 1);
    assert_int_equal (wordcount_words (counts), 18);
    assert_int_equal (wordcount_distinct (counts), 14);
    wordcount_destroy (&counts);
    assert_null (counts);
}

static void
test_utf8 (void **state)
{
    (void) state;
    const char text [] = "\xe2\x80\x9cNa\xc3\xafve\xe2\x80\x9d\xe2\x80\x94\xc3\x89t\xc3\xa9 "
                         "it\xe2\x80\x99s 1914\xe2\x80\x93" "18 so\xe2\x80\xa6 "
                         "\xe2\x82\xac 5 \xff\xfe";
    wordcount_t *counts = s_counted (text, strlen (text));
    s_check (counts, "na\xc3\xafve", 1);
    s_check (counts, "\xc3\x89t\xc3\xa9", 1);
    s_check (counts, "it", 1);
    s_check (counts, "s", 1);
    s_check (counts, "1914", 1);
    s_check (counts, "18", 1);
    s_check (counts, "so\xe2\x80\xa6", 1);
    s_check (counts, "\xe2\x82\xac", 1);
    s_check (counts, "5", 1);
    s_check (counts, "\xff\xfe", 1);
    assert_int_equal (wordcount_words (counts), 10);
    wordcount_destroy (&counts);
}

/*  Every byte is a blank or part of a word, alone and between letters.     */
static void
test_every_byte (void **state)
{
    (void) state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t text [] = { 'x', (uint8_t) byte, 'y' };
        wordcount_t *counts = s_counted (text, sizeof (text));
        s_check_text (counts, text, sizeof (text));
        assert_int_equal (wordcount_words (counts),
                          wordcount_blank ((unsigned char) byte) ? 2 : 1);
        wordcount_destroy (&counts);
    }
}

/*  Words of every length around the limits of the key and of the masks.    */
static void
test_lengths (void **state)
{
    (void) state;
    static char text [300 * 301];
    size_t size = 0;
    for (size_t length = 1; length < 300; length++) {
        memset (text + size, 'a', length);
        size += length;
        text [size++] = ' ';
    }
    wordcount_t *counts = s_counted (text, size);
    s_check_text (counts, (uint8_t *) text, size);
    assert_int_equal (wordcount_distinct (counts), 299);
    wordcount_destroy (&counts);
}

/*  A word that is longer than every buffer.                                */
static void
test_huge_word (void **state)
{
    (void) state;
    size_t size = 5000000;
    char *text = malloc (size + 1);
    assert_non_null (text);
    memset (text, 'Z', size);
    text [0] = text [size - 1] = '.';
    wordcount_t *counts = s_counted (text, size);
    memset (text, 'z', size);
    assert_int_equal (wordcount_get (counts, text, size - 2), 1);
    assert_int_equal (wordcount_get (counts, text, size - 3), 0);
    assert_int_equal (wordcount_words (counts), 1);
    wordcount_destroy (&counts);
    free (text);
}

/*  Fills a text with words, blanks and pieces of long dashes.              */
static void
s_fill (uint64_t *seed, uint8_t *text, size_t size)
{
    static const char *const pieces [] = { "a", "B", "word", "\xe2\x80\x94", "\xe2", "\x80",
                                           "\x99", "\xe2\x80", " ", "-", ".", "",
                                           "incomprehensibilities", "zz", "\xc3\xa9",
                                           "sixteen-bytes-xx" };
    for (size_t at = 0; at < size;) {
        const char *piece = pieces [chance_below (seed, 16)];
        size_t length = strlen (piece) + (*piece == 0);
        length = length < size - at ? length : size - at;
        memcpy (text + at, piece, length);
        at += length;
    }
}

/*  Random texts, whole and fed in random pieces, count alike.              */
static void
test_random_pieces (void **state)
{
    (void) state;
    uint64_t seed = 1;
    static uint8_t text [40000];
    for (unsigned round = 0; round < 400; round++) {
        size_t size = chance_below (&seed, round % 4 ? 300 : sizeof (text));
        size_t most = 1 + chance_below (&seed, round % 3 ? 20 : 20000);
        s_fill (&seed, text, size);
        wordcount_t *whole = s_counted (text, size);
        s_check_text (whole, text, size);
        wordcount_destroy (&whole);
        wordcount_t *pieces = wordcount_new ();
        assert_non_null (pieces);
        for (size_t at = 0, now; at < size; at += now) {
            now = 1 + chance_below (&seed, most);
            now = now < size - at ? now : size - at;
            assert_int_equal (wordcount_feed (pieces, text + at, now), 0);
        }
        assert_int_equal (wordcount_finish (pieces), 0);
        s_check_text (pieces, text, size);
        wordcount_destroy (&pieces);
    }
}

/*  Many words; the ranking is that of a full sort.                         */
static void
test_ranking (void **state)
{
    (void) state;
    uint64_t seed = 2;
    wordcount_t *counts = wordcount_new ();
    assert_non_null (counts);
    for (unsigned i = 0; i < 200000; i++) {
        char word [32];
        int length = snprintf (word, sizeof (word), i % 5 ? "w%zu" : "a-much-longer-word-%zu",
                               chance_below (&seed, 1 + chance_below (&seed, 50000)));
        assert_int_equal (wordcount_add (counts, word, (size_t) length, 1), 0);
    }
    size_t distinct = wordcount_distinct (counts), cursor = 0, all = 0;
    wordcount_entry_t *sorted = calloc (distinct, sizeof (*sorted));
    wordcount_entry_t *top = calloc (distinct + 5, sizeof (*top));
    assert_non_null (sorted);
    assert_non_null (top);
    while (all < distinct && wordcount_next (counts, &cursor, &sorted [all]))
        all++;
    assert_int_equal (all, distinct);
    assert_false (wordcount_next (counts, &cursor, &top [0]));
    qsort (sorted, all, sizeof (*sorted), wordcount_compare);
    const size_t limits [] = { 0, 1, 2, 3, 10, 1000, distinct - 1, distinct, distinct + 5 };
    for (size_t i = 0; i < sizeof (limits) / sizeof (limits [0]); i++) {
        size_t count = wordcount_top (counts, top, limits [i]);
        assert_int_equal (count, limits [i] < distinct ? limits [i] : distinct);
        for (size_t j = 0; j < count; j++)
            assert_int_equal (wordcount_compare (&top [j], &sorted [j]), 0);
    }
    free (sorted);
    free (top);
    wordcount_destroy (&counts);
}

static void
test_add (void **state)
{
    (void) state;
    wordcount_t *counts = wordcount_new ();
    assert_non_null (counts);
    assert_int_equal (wordcount_add (counts, "big", 3, (int64_t) 1 << 40), 0);
    assert_int_equal (wordcount_add (counts, "big", 3, 5), 0);
    s_check (counts, "big", ((int64_t) 1 << 40) + 5);
    assert_int_equal (wordcount_add (counts, "", 0, 1), -1);
    assert_int_equal (errno, EINVAL);
    assert_int_equal (wordcount_add (counts, "a\0b", 3, 1), -1);
    assert_int_equal (wordcount_add (counts, "a", 1, 0), -1);
    assert_int_equal (wordcount_add (counts, "a", 1, INT64_MAX), -1);
    assert_int_equal (errno, EOVERFLOW);
    assert_int_equal (wordcount_distinct (counts), 1);
    wordcount_destroy (&counts);
}

/*  Many at once, with room made or not, are what one after the other are.  */
static void
test_add_all (void **state)
{
    (void) state;
    enum { COUNT = 5000 };
    static char words [COUNT][32];
    static wordcount_entry_t entries [COUNT];
    wordcount_t *one = wordcount_new (), *all = wordcount_new ();
    uint64_t seed = 3;
    assert_non_null (one);
    assert_non_null (all);
    assert_int_equal (wordcount_reserve (all, 0), 0);
    assert_int_equal (wordcount_reserve (all, 3000), 0);
    assert_int_equal (wordcount_reserve (all, SIZE_MAX), -1);
    for (size_t i = 0; i < COUNT; i++) {
        int length = snprintf (words [i], sizeof (words [i]),
                               i % 3 ? "w%zu" : "a-much-longer-word-%zu",
                               chance_below (&seed, 4000));
        entries [i] = (wordcount_entry_t){ words [i], (size_t) length, (int64_t) i + 1 };
        assert_int_equal (wordcount_add (one, words [i], (size_t) length, (int64_t) i + 1), 0);
    }
    assert_int_equal (wordcount_add_all (all, entries, COUNT), 0);
    assert_int_equal (wordcount_words (all), wordcount_words (one));
    assert_int_equal (wordcount_distinct (all), wordcount_distinct (one));
    wordcount_entry_t entry;
    for (size_t cursor = 0; wordcount_next (one, &cursor, &entry);)
        assert_int_equal (wordcount_get (all, entry.word, entry.length), entry.count);
    entries [40].count = 0;
    assert_int_equal (wordcount_add_all (all, entries, COUNT), -1);
    wordcount_destroy (&one);
    wordcount_destroy (&all);
}

static void
test_pack (void **state)
{
    (void) state;
    wordpack_t pack = { 0 };
    wordcount_entry_t entry = { "one", 3, 7 };
    assert_int_equal (wordpack_add (&pack, &entry), 0);
    entry = (wordcount_entry_t){ "a word that is longer than sixteen", 34, 8 };
    assert_int_equal (wordpack_add (&pack, &entry), 0);
    wordpack_reader_t reader = wordpack_read (&pack);
    wordcount_t *counts = wordcount_new ();
    assert_non_null (counts);
    assert_int_equal (wordpack_count (reader, counts), 0);
    s_check (counts, "one", 7);
    s_check (counts, "a word that is longer than sixteen", 8);
    /*  Blocks that do not fit together.                                    */
    reader.count = 1;
    assert_int_equal (wordpack_count (reader, counts), -1);
    reader.count = 3;
    assert_int_equal (wordpack_count (reader, counts), -1);
    reader.count = 2;
    reader.size--;
    assert_int_equal (wordpack_count (reader, counts), -1);
    wordpack_reader_t empty_word = { "\0", 1, NULL, 0, 0, 0 };
    assert_int_equal (wordpack_next (&empty_word, &entry), -1);
    wordcount_destroy (&counts);
    wordpack_release (&pack);
}

/*  Writes a file and returns its name, to be freed.                        */
static char *
s_write_file (const uint8_t *text, size_t size)
{
    const char *folder = getenv ("TMPDIR");
    char *name = NULL;
    assert_true (asprintf (&name, "%s/test_wordcount.XXXXXX", folder ? folder : "/tmp") > 0);
    int file = mkstemp (name);
    assert_true (file >= 0);
    assert_int_equal (write (file, text, size), (ssize_t) size);
    close (file);
    return name;
}

/*  A book of two files, cut into any number of slices, loses no word.      */
static void
test_book (void **state)
{
    (void) state;
    uint64_t seed = 3;
    static uint8_t text [30000];
    for (unsigned round = 0; round < 60; round++) {
        size_t first = 1 + chance_below (&seed, round % 2 ? 50 : sizeof (text) / 2 - 1);
        size_t second = 1 + chance_below (&seed, round % 3 ? 50 : sizeof (text) / 2 - 1);
        s_fill (&seed, text, first);
        text [first] = ' ';
        s_fill (&seed, text + first + 1, second);
        char *paths [] = { s_write_file (text, first), s_write_file (text + first + 1, second) };
        char error [200];
        book_t *book = book_new (paths, 2, error, sizeof (error));
        assert_non_null (book);
        for (size_t cuts = 1; cuts <= 80; cuts += 1 + chance_below (&seed, 9)) {
            const slice_t *slices = book_cut (book, cuts);
            wordcount_t *counts = wordcount_new ();
            const char *path;
            assert_non_null (slices);
            assert_non_null (counts);
            for (size_t i = 0; i < cuts; i++)
                assert_int_equal (slice_count (&slices [i], counts, &path), 0);
            s_check_text (counts, text, first + 1 + second);
            wordcount_destroy (&counts);
        }
        book_destroy (&book);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal (unlink (paths [i]), 0);
            free (paths [i]);
        }
    }
}

static void
test_book_errors (void **state)
{
    (void) state;
    char error [200];
    char *missing [] = { "/nonexistent/text" }, *folder [] = { "/" };
    assert_null (book_new (missing, 1, error, sizeof (error)));
    assert_string_equal (error, "/nonexistent/text: No such file or directory");
    assert_null (book_new (folder, 1, error, sizeof (error)));
    assert_string_equal (error, "/: is a folder");
    char *empty = s_write_file ((const uint8_t *) "", 0);
    assert_null (book_new (&empty, 1, error, sizeof (error)));
    assert_non_null (strstr (error, ": is empty"));
    unlink (empty);
    free (empty);
}

/*  A file that became shorter is an error, not a smaller count.            */
static void
test_short_file (void **state)
{
    (void) state;
    char *name = s_write_file ((const uint8_t *) "one two three", 13);
    const char *paths [] = { name }, *path = NULL;
    int64_t offset = 4, length = 9;
    slice_t slice = { "", 0, paths, &offset, &length, 1 };
    wordcount_t *counts = wordcount_new ();
    assert_non_null (counts);
    assert_int_equal (slice_count (&slice, counts, &path), 0);
    s_check (counts, "one", 0);
    s_check (counts, "three", 1);
    assert_int_equal (truncate (name, 8), 0);
    assert_int_equal (slice_count (&slice, counts, &path), -1);
    assert_int_equal (errno, EIO);
    assert_string_equal (path, name);
    unlink (name);
    free (name);
    wordcount_destroy (&counts);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_words),        cmocka_unit_test (test_utf8),
        cmocka_unit_test (test_every_byte),   cmocka_unit_test (test_lengths),
        cmocka_unit_test (test_huge_word),    cmocka_unit_test (test_random_pieces),
        cmocka_unit_test (test_ranking),      cmocka_unit_test (test_add),
        cmocka_unit_test (test_add_all),
        cmocka_unit_test (test_pack),         cmocka_unit_test (test_book),
        cmocka_unit_test (test_book_errors),  cmocka_unit_test (test_short_file),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
