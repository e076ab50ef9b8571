/*  kinds.h - the kinds of things that the head lists, and how they look    */

#ifndef TROUPE_CLI_KINDS_H
#define TROUPE_CLI_KINDS_H

#include "cli/cli.h"
#include "cli/table.h"

/*  How a field is shown to a person.                                       */
typedef enum {
    SHOW_TEXT,
    SHOW_STATE,
    SHOW_NUMBER,
    SHOW_PART,                      /*  a number out of another             */
    SHOW_SIZE,                      /*  bytes                               */
    SHOW_MILLISECONDS,              /*  as seconds                          */
    SHOW_SPAN,                      /*  milliseconds, as such if they are few */
    SHOW_SECONDS
} show_t;

typedef struct {
    const char *title;              /*  NULL after the last                 */
    const char *field;
    show_t show;
    const char *whole;              /*  of SHOW_PART: the field of the other */
} kind_column_t;

typedef struct {
    const char *name;               /*  "nodes"                             */
    const char *single;             /*  "node"                              */
    const kind_column_t *columns;
    const char *const *fields;      /*  all of them; NULL after the last    */
} kind_t;

/*  By either name; NULL if there is none. kind_names has them all.         */
const kind_t *kind_find (const char *name);
extern const char kind_names [];

bool kind_has_field (const kind_t *kind, const char *field);

/*  The column of a field that is in none.                                  */
kind_column_t kind_plain_column (const kind_t *kind, const char *field);

/*  A field of a map as text, to be freed; "-" for none; NULL: no memory.   */
char *kind_text (troupe_view_t row, const kind_column_t *column);

/*  The same, exactly as it is, for comparisons.                            */
char *kind_field (troupe_view_t row, const char *field);

/*  True if that is the id or the name of the row.                          */
bool kind_is (troupe_view_t row, const char *key);

/*  A number, size or time for a person, to be freed.                       */
char *text_of_amount (double amount);
char *text_of_size (double bytes);
char *text_of_seconds (double seconds);

#endif
