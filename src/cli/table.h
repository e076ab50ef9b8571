/*  table.h - aligned columns                                               */

#ifndef TROUPE_CLI_TABLE_H
#define TROUPE_CLI_TABLE_H

#include "cli/screen.h"

#define TABLE_COLUMNS_MAX 16

typedef struct table table_t;

/*  An empty table of so many columns; NULL if there is no memory.          */
table_t *table_new (size_t columns);
void table_destroy (table_t **self_p);

/*  Titles a column. Numbers stand at its right.                            */
void table_title (table_t *self, size_t column, const char *title, bool right, bool state);

/*  Appends a cell, which is made fit for a terminal; a row is full after as
    many as there are columns. Returns 0, or -1 if there is no memory.      */
int table_add (table_t *self, const char *text);

size_t table_rows (const table_t *self);

/*  Prints it all. Where it would get wider than the screen, texts are cut,
    and then the last columns left out.                                     */
void table_print (const table_t *self, const screen_t *screen, FILE *file);

#endif
