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
    SHOW_SECONDS,
    SHOW_RESOURCES                  /*  a map of names and [used, total]    */
} show_t;

typedef struct {
    const char *title;              /*  NULL after the last                 */
    const char *field;
    show_t show;
    const char *whole;              /*  of SHOW_PART: the field of the other */
} kind_column_t;

#define KIND_ORDER_MAX 3
#define KIND_NAMES_MAX 2

typedef struct {
    const char *name;               /*  "nodes"                             */
    const char *single;             /*  "node"                              */
    const kind_column_t *columns;
    const char *const *fields;      /*  all of them; NULL after the last    */
    const char *order [KIND_ORDER_MAX]; /*  fields by which rows stand; with
                                    - in front, the greatest first; with ~,
                                    what is empty last                      */
    const char *names [KIND_NAMES_MAX];     /*  fields by which one is named */
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

/*  The items of a list, or of a map of resources, with a separator between
    them; to be freed. NULL: no memory.                                     */
char *kind_items (troupe_view_t value, const char *separator);

/*  True if that is the id or the name of the row. What is called "worker 3
    (pid 4711) on alpha" is "worker 3", too.                                */
bool kind_is (const kind_t *kind, troupe_view_t row, const char *key);

/*  The rows in their order; numbers within texts count as such.            */
typedef struct {
    troupe_view_t row;
    char *order;                    /*  kind_sort's own                     */
} kind_row_t;

/*  A sorted list of the rows, to be freed. NULL: no memory.                */
kind_row_t *kind_sort (const kind_t *kind, troupe_view_t rows, size_t *count);

/*  A number, size or time for a person, to be freed.                       */
char *text_of_amount (double amount);
char *text_of_size (double bytes);
char *text_of_seconds (double seconds);

#endif
