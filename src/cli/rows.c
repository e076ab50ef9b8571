/*  rows.c - what the head answers to a question, filtered                  */

#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

int
filter_read (const verb_t *verb, const kind_t *kind, const text_list_t *texts, filter_t *filter)
{
    filter->count = 0;
    for (size_t i = 0; i < texts->count; i++) {
        condition_t *condition = &filter->items [filter->count++];
        if (text_pair (texts->items [i], condition->field, sizeof condition->field,
                       &condition->value))
            return cli_usage (verb, "--filter must be KEY=VALUE or KEY!=VALUE, not '%s'",
                              texts->items [i]);
        char *end = condition->field + strlen (condition->field) - 1;
        condition->negated = *end == '!';
        if (condition->negated)
            *end = 0;
        if (!kind_has_field (kind, condition->field))
            return cli_usage (verb, "%s have no '%s': see troupe help list", kind->name,
                              condition->field);
    }
    return 0;
}

bool
filter_passes (const filter_t *filter, troupe_view_t row)
{
    for (size_t i = 0; i < filter->count; i++) {
        const condition_t *condition = &filter->items [i];
        char *text = kind_field (row, condition->field);
        bool same = text && strcmp (text, condition->value) == 0;
        free (text);
        if (same == condition->negated)
            return false;
    }
    return true;
}

static int
s_wait (troupe_future_t *future, troupe_view_t *value, const char **why)
{
    if (!future) {
        *why = "out of memory";
        return -1;
    }
    if (troupe_wait (&future, 1, 1, ANSWER_MS, NULL) != 1) {
        *why = "the head does not answer";
        return -1;
    }
    if (troupe_get (future, value)) {
        *why = troupe_error ();
        return -1;
    }
    return 0;
}

static int
s_check_list (troupe_view_t rows, const char **why)
{
    if (troupe_view_type (rows) == TROUPE_LIST)
        return 0;
    *why = "the head answers with what is no list";
    return -1;
}

int
rows_wait (troupe_future_t *future, troupe_view_t *rows, const char **why)
{
    return s_wait (future, rows, why) || s_check_list (*rows, why) ? -1 : 0;
}

int
rows_wait_filtered (troupe_future_t *future, troupe_view_t *rows, uint64_t *matched,
                    const char **why)
{
    troupe_view_t answer, count;
    if (s_wait (future, &answer, why))
        return -1;
    if (troupe_view_field (answer, "rows", rows)
        || troupe_view_field (answer, "matched", &count) || troupe_read (count, matched)) {
        *why = "the head answers with what is no list";
        return -1;
    }
    return s_check_list (*rows, why);
}
