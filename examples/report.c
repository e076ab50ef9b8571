/*  report.c - prints what wordfreq found, for people or as JSON             */

#include "examples/report.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_MAX 32           /*  bytes of a number with separators       */

void
result_release (result_t *self)
{
    wordpack_release (&self->top);
}

bool
result_same (const result_t *a, const result_t *b)
{
    const wordpack_t *left = &a->top, *right = &b->top;
    return a->words == b->words && left->count == right->count && left->size == right->size
           && (left->size == 0 || memcmp (left->words, right->words, left->size) == 0)
           && (left->count == 0
               || memcmp (left->counts, right->counts, left->count * sizeof (int64_t)) == 0);
}

/* ------------------------------------------------------------------------
   UTF-8                                                                    */

/*  The length of the well-formed character at text (Unicode, table 3-7), or
    0 if there is none.                                                     */
static size_t
s_character (const unsigned char *text, size_t size)
{
    unsigned char first = text [0], low = 0x80, high = 0xbf;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3
                    : first < 0xf5 ? 4 : 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    if (length > size || (length > 1 && (text [1] < low || text [1] > high)))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (text [i] < 0x80 || text [i] > 0xbf)
            return 0;
    return length;
}

/*  Prints a word; returns how many characters that took.                   */
static size_t
s_print_word (FILE *output, const wordcount_entry_t *entry)
{
    const unsigned char *text = (const unsigned char *) entry->word;
    size_t width = 0, at = 0;
    while (at < entry->length) {
        size_t length = s_character (text + at, entry->length - at);
        bool c1 = length == 2 && text [at] == 0xc2 && text [at + 1] < 0xa0;
        if (length == 0 || c1 || text [at] < 0x20 || text [at] == 0x7f)
            fputc ('?', output);
        else
            fwrite (text + at, 1, length, output);
        at += length ? length : 1;
        width++;
    }
    return width;
}

static size_t
s_word_width (const wordcount_entry_t *entry)
{
    const unsigned char *text = (const unsigned char *) entry->word;
    size_t width = 0;
    for (size_t at = 0; at < entry->length; width++) {
        size_t length = s_character (text + at, entry->length - at);
        at += length ? length : 1;
    }
    return width;
}

static void
s_json_string (FILE *output, const wordcount_entry_t *entry)
{
    const unsigned char *text = (const unsigned char *) entry->word;
    fputc ('"', output);
    for (size_t at = 0; at < entry->length;) {
        size_t length = s_character (text + at, entry->length - at);
        if (length == 0)
            fputs ("\xef\xbf\xbd", output);
        else if (text [at] < 0x20 || text [at] == 0x7f)
            fprintf (output, "\\u%04x", (unsigned) text [at]);
        else {
            if (text [at] == '"' || text [at] == '\\')
                fputc ('\\', output);
            fwrite (text + at, 1, length, output);
        }
        at += length ? length : 1;
    }
    fputc ('"', output);
}

/* ------------------------------------------------------------------------
   JSON                                                                     */

void
report_json (FILE *output, const result_t *result)
{
    wordpack_reader_t reader = wordpack_read (&result->top);
    wordcount_entry_t entry = { "", 0, 0 };
    wordpack_next (&reader, &entry);
    fprintf (output, "{\"variant\":\"%s\",\"word\":", result->variant);
    s_json_string (output, &entry);
    fprintf (output, ",\"count\":%" PRId64 ",\"top\":[", entry.count);
    reader = wordpack_read (&result->top);
    for (bool first = true; wordpack_next (&reader, &entry) == 1; first = false) {
        fputs (first ? "[" : ",[", output);
        s_json_string (output, &entry);
        fprintf (output, ",%" PRId64 "]", entry.count);
    }
    fprintf (output, "],\"words\":%" PRId64 ",\"sublists\":%zu,\"rounds\":%u", result->words,
             result->sublists, result->rounds);
    fprintf (output, ",\"seconds\":%.6f}\n", result->seconds);
}

/* ------------------------------------------------------------------------
   Text                                                                     */

/*  Writes a number with a comma every three digits.                        */
static const char *
s_number (int64_t number, char out [NUMBER_MAX])
{
    char digits [NUMBER_MAX];
    int length = snprintf (digits, sizeof (digits), "%" PRId64, number);
    char *at = out;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits [i];
    }
    *at = 0;
    return out;
}

/*  Prints a word and blanks up to the width of its column.                 */
static void
s_word_column (FILE *output, const wordcount_entry_t *entry, size_t width)
{
    for (size_t used = s_print_word (output, entry); used < width; used++)
        fputc (' ', output);
}

/*  The width of a column of words, at least that of its title.             */
static size_t
s_column_width (const wordpack_t *words, size_t limit)
{
    wordpack_reader_t reader = wordpack_read (words);
    wordcount_entry_t entry;
    size_t width = strlen ("word");
    while (limit-- && wordpack_next (&reader, &entry) == 1) {
        size_t word = s_word_width (&entry);
        width = word > width ? word : width;
    }
    return width;
}

static void
s_result_line (FILE *output, const result_t *result, size_t width)
{
    wordpack_reader_t reader = wordpack_read (&result->top);
    wordcount_entry_t entry = { "", 0, 0 };
    char count [NUMBER_MAX], rate [NUMBER_MAX];
    double seconds = result->seconds > 1e-9 ? result->seconds : 1e-9;
    wordpack_next (&reader, &entry);
    fprintf (output, "%-10s  ", result->variant);
    s_word_column (output, &entry, width);
    fprintf (output, "  %13s  %8zu  %6u  %8.4f  %14s\n", s_number (entry.count, count),
             result->sublists, result->rounds, result->seconds,
             s_number ((int64_t) ((double) result->words / seconds), rate));
}

static void
s_ranking (FILE *output, const wordpack_t *top)
{
    wordpack_reader_t reader = wordpack_read (top);
    wordcount_entry_t entry;
    size_t width = s_column_width (top, top->count);
    char count [NUMBER_MAX];
    fprintf (output, "\n  rank  %-*s  %13s\n", (int) width, "word", "count");
    for (size_t rank = 1; wordpack_next (&reader, &entry) == 1; rank++) {
        fprintf (output, "%6zu  ", rank);
        s_word_column (output, &entry, width);
        fprintf (output, "  %13s\n", s_number (entry.count, count));
    }
}

void
report_text (FILE *output, const result_t *results, size_t count)
{
    size_t width = 0;
    char number [NUMBER_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t word = s_column_width (&results [i].top, 1);
        width = word > width ? word : width;
    }
    fprintf (output, "%-10s  %-*s  %13s  %8s  %6s  %8s  %14s\n", "variant", (int) width, "word",
             "count", "sublists", "rounds", "seconds", "words/s");
    for (size_t i = 0; i < count; i++)
        s_result_line (output, &results [i], width);
    for (size_t i = 0; i < count; i++)
        if (results [i].bound >= 0)
            fprintf (output, "%s: a word that no actor named has at most %s\n",
                     results [i].variant, s_number (results [i].bound, number));
    if (count && results [0].top.count > 1)
        s_ranking (output, &results [0].top);
}
