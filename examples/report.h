/*  report.h - prints what wordfreq found, for people or as JSON             */

#ifndef EXAMPLES_REPORT_H
#define EXAMPLES_REPORT_H

#include "examples/wordpack.h"

#include <stdio.h>

/*  What one variant found.                                                 */
typedef struct {
    const char *variant;
    wordpack_t top;             /*  the most frequent words, first first    */
    int64_t words;              /*  in the whole text                       */
    size_t sublists;
    unsigned rounds;            /*  of calls that the answer took           */
    int64_t bound;              /*  the most that a word can have which no
                                    actor named; -1: all words were merged  */
    double seconds;
} result_t;

void result_release (result_t *self);

/*  True if both found the same words and counts.                           */
bool result_same (const result_t *a, const result_t *b);

/*  Prints one result as a JSON object on a line of its own. Bytes that are
    not UTF-8 become U+FFFD.                                                */
void report_json (FILE *output, const result_t *result);

/*  Prints a table with a line per result and, if more than one word was
    asked for, the words of the first result. Control characters become
    question marks.                                                         */
void report_text (FILE *output, const result_t *results, size_t count);

#endif
