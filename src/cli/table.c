/*  table.c - aligned columns                                               */

#include "cli/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define GAP 2
#define NARROWEST 10            /*  no column of texts is cut below this    */

typedef struct {
    const char *title;
    bool right;
    bool state;
    size_t width;               /*  of its widest cell                      */
} column_t;

struct table {
    column_t columns [TABLE_COLUMNS_MAX];
    size_t width;
    char **cells;
    size_t count;
    size_t capacity;
};

table_t *
table_new (size_t columns)
{
    table_t *self = columns <= TABLE_COLUMNS_MAX ? calloc (1, sizeof *self) : NULL;
    if (self)
        self->width = columns;
    return self;
}

void
table_destroy (table_t **self_p)
{
    table_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free (self->cells [i]);
    free (self->cells);
    free (self);
}

void
table_title (table_t *self, size_t column, const char *title, bool right, bool state)
{
    self->columns [column] = (column_t){ title, right, state, text_width (title) };
}

int
table_add (table_t *self, const char *text)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 64;
        char **cells = realloc (self->cells, capacity * sizeof *cells);
        if (!cells)
            return -1;
        self->cells = cells;
        self->capacity = capacity;
    }
    char *clean = text_clean (text);
    if (!clean)
        return -1;
    column_t *column = &self->columns [self->count % self->width];
    size_t width = text_width (clean);
    if (width > column->width)
        column->width = width;
    self->cells [self->count++] = clean;
    return 0;
}

size_t
table_rows (const table_t *self)
{
    return self->count / self->width;
}

/*  Takes from the widest column of texts until all fits; then leaves out
    columns, from the last. Returns how many are left.                      */
static size_t
s_fit (const table_t *self, size_t limit, size_t *widths)
{
    size_t shown = self->width, total = GAP * (self->width - 1);
    for (size_t i = 0; i < self->width; i++) {
        widths [i] = self->columns [i].width;
        total += widths [i];
    }
    while (total > limit) {
        size_t widest = self->width;
        for (size_t i = 0; i < self->width; i++)
            if (!self->columns [i].right && !self->columns [i].state && widths [i] > NARROWEST
                && (widest == self->width || widths [i] > widths [widest]))
                widest = i;
        if (widest == self->width)
            break;
        widths [widest]--;
        total--;
    }
    while (total > limit && shown > 1)
        total -= widths [--shown] + GAP;
    return shown;
}

/*  The bytes of the text that fit into so many columns.                    */
static size_t
s_bytes_within (const char *text, size_t width)
{
    size_t bytes = 0;
    mbstate_t state = { 0 };
    while (text [bytes]) {
        wchar_t character;
        size_t step = mbrtowc (&character, text + bytes, strlen (text + bytes), &state);
        if (step == 0 || step > MB_LEN_MAX)
            break;
        int columns = wcwidth (character);
        if (columns > 0 && (size_t) columns > width)
            break;
        width -= columns > 0 ? (size_t) columns : 0;
        bytes += step;
    }
    return bytes;
}

static void
s_pad (FILE *file, size_t count)
{
    fprintf (file, "%*s", (int) count, "");
}

static void
s_print_cell (const screen_t *screen, FILE *file, const char *text, size_t width, bool right,
              bool last, style_t style)
{
    size_t taken = text_width (text);
    const char *dots = taken > width ? (screen->unicode ? "…" : "~") : "";
    char *cut = NULL;
    if (taken > width) {
        size_t bytes = s_bytes_within (text, width - 1);
        if (asprintf (&cut, "%.*s%s", (int) bytes, text, dots) < 0)
            cut = NULL;
        text = cut ? cut : "";
        taken = text_width (text);
    }
    size_t blanks = width > taken ? width - taken : 0;
    if (right)
        s_pad (file, blanks);
    screen_print (screen, file, style, text);
    if (!right && !last)
        s_pad (file, blanks);
    if (!last)
        s_pad (file, GAP);
    free (cut);
}

void
table_print (const table_t *self, const screen_t *screen, FILE *file)
{
    size_t widths [TABLE_COLUMNS_MAX], shown = s_fit (self, screen->width, widths);
    for (size_t i = 0; i < shown; i++)
        s_print_cell (screen, file, self->columns [i].title, widths [i],
                      self->columns [i].right, i + 1 == shown, STYLE_BOLD);
    putc ('\n', file);
    for (size_t i = 0; i < self->count; i++) {
        size_t position = i % self->width;
        const column_t *column = &self->columns [position];
        if (position < shown)
            s_print_cell (screen, file, self->cells [i], widths [position], column->right,
                          position + 1 == shown,
                          column->state ? style_of_state (self->cells [i]) : STYLE_PLAIN);
        if (position + 1 == self->width)
            putc ('\n', file);
    }
}
