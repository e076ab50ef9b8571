/*  rows.h - what the head answers to a question, filtered                  */

#ifndef TROUPE_CLI_ROWS_H
#define TROUPE_CLI_ROWS_H

#include "cli/kinds.h"

/*  Conditions, all of which a row must meet.                               */
typedef struct {
    char field [64];
    const char *value;
    bool negated;
} condition_t;

typedef struct {
    condition_t items [64];
    size_t count;
} filter_t;

/*  Reads KEY=VALUE and KEY!=VALUE. Returns 0 or an exit code.              */
int filter_read (const verb_t *verb, const kind_t *kind, const text_list_t *texts,
                 filter_t *filter);

/*  True if the row meets the conditions.                                   */
bool filter_passes (const filter_t *filter, troupe_view_t row);

/*  Prints all of a kind, as troupe list does. Returns 0, or -1 with *why set,
    to be freed.                                                            */
int list_print (troupe_t *peer, FILE *file, const char *kind, bool json, char **why);

/*  So long is an answer of the head waited for.                            */
#define ANSWER_MS 10000

/*  Waits for an answer and takes its value. The rows are good as long as
    the future. Returns 0, or -1 with *why set.                             */
int rows_wait (troupe_future_t *future, troupe_view_t *rows, const char **why);

/*  The same of an answer to peer_inquire_filtered; *matched: how many rows
    there would be.                                                         */
int rows_wait_filtered (troupe_future_t *future, troupe_view_t *rows, uint64_t *matched,
                        const char **why);

#endif
