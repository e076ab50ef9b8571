/*  list.c - troupe list                                                    */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/rows.h"
#include "cli/live.h"
#include "client/inquire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char s_help [] =
    "usage: troupe list KIND [OPTION]...\n"
    "Lists what the cluster has of a kind: nodes, workers, actors, classes, functions,\n"
    "tasks, jobs, objects, stores or tokens.\n"
    "\n"
    "  --filter KEY=VALUE   only those; KEY!=VALUE: only others; repeatable\n"
    "  --columns KEY,...    these columns\n"
    "  --json               print a JSON array\n"
    "  --watch              go on showing it, until Ctrl-C\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "Of more than 10,000 tasks the first are listed, by job and id, a line on standard\n"
    "error says so, and the exit status is 4. --filter looks at all of them.\n"
    "\n"
    "The keys are those of --json:\n"
    "  nodes      id name state address cpus cpus_used memory workers actors heard_ms\n"
    "             refused_connections resources\n"
    "  workers    id worker node pid program hash state tasks actors\n"
    "  actors     id class name namespace state worker node job program hash detached\n"
    "  classes    program hash class methods\n"
    "  functions  program hash function mean_ms ready\n"
    "  tasks      id function state job worker node retries\n"
    "  jobs       id driver program hash namespace tasks workers actors cpus since_s\n"
    "  objects    id size kind state store creator pins age_s holders\n"
    "  stores     store kind memory used pinned spilled objects copies clients waiting\n"
    "             sent received repeated spills restores\n"
    "  tokens     name key nodes processes\n";

typedef struct {
    const kind_t *kind;
    filter_t filter;
    text_list_t conditions;                         /*  the same, as words      */
    char chosen [512];                              /*  the names of columns    */
    char titles [512];                              /*  the same, in capitals   */
    kind_column_t columns [TABLE_COLUMNS_MAX + 1];
    size_t width;
    bool json;
    bool watch;
    bool cut;                                       /*  there are more          */
} listing_t;

/*  The columns wanted, or those that the kind has.                         */
static int
s_read_columns (listing_t *self, const char *text)
{
    if (!text) {
        while (self->kind->columns [self->width].title) {
            self->columns [self->width] = self->kind->columns [self->width];
            self->width++;
        }
        return 0;
    }
    char *rest = self->chosen, *field;
    if (strlen (text) >= sizeof self->chosen)
        return cli_usage (&verb_list, "--columns is too long");
    strcpy (self->chosen, text);
    for (size_t i = 0; text [i]; i++)
        self->titles [i] = (char) toupper ((unsigned char) text [i]);
    while ((field = strsep (&rest, ","))) {
        if (!kind_has_field (self->kind, field))
            return cli_usage (&verb_list, "%s have no '%s': see troupe help list",
                              self->kind->name, field);
        if (self->width == TABLE_COLUMNS_MAX)
            return cli_usage (&verb_list, "--columns has more than %d", TABLE_COLUMNS_MAX);
        char *title = self->titles + (field - self->chosen);
        title [strlen (field)] = 0;
        self->columns [self->width] = kind_plain_column (self->kind, field);
        self->columns [self->width++].title = title;
    }
    return 0;
}

static int
s_print_json (const listing_t *self, FILE *file, troupe_view_t rows)
{
    const char *separator = "\n  ";
    size_t count;
    kind_row_t *sorted = kind_sort (self->kind, rows, &count);
    int rc = sorted ? 0 : -1;
    putc ('[', file);
    for (size_t i = 0; i < count && !rc; i++)
        if (filter_passes (&self->filter, sorted [i].row)) {
            fputs (separator, file);
            rc = json_print (file, sorted [i].row);
            separator = ",\n  ";
        }
    fputs (*separator == ',' ? "\n]\n" : "]\n", file);
    free (sorted);
    return rc;
}

static int
s_add_row (const listing_t *self, table_t *table, troupe_view_t row)
{
    int rc = 0;
    for (size_t i = 0; i < self->width && !rc; i++) {
        char *text = kind_text (row, &self->columns [i]);
        rc = text ? table_add (table, text) : -1;
        free (text);
    }
    return rc;
}

static int
s_print_table (const listing_t *self, const screen_t *screen, FILE *file, troupe_view_t rows)
{
    size_t count;
    table_t *table = table_new (self->width);
    kind_row_t *sorted = kind_sort (self->kind, rows, &count);
    int rc = table && sorted ? 0 : -1;
    for (size_t i = 0; i < self->width && !rc; i++) {
        show_t show = self->columns [i].show;
        table_title (table, i, self->columns [i].title, show != SHOW_TEXT && show != SHOW_STATE,
                     show == SHOW_STATE);
    }
    for (size_t i = 0; i < count && !rc; i++)
        if (filter_passes (&self->filter, sorted [i].row))
            rc = s_add_row (self, table, sorted [i].row);
    free (sorted);
    if (rc == 0)
        table_print (table, screen, file);
    if (rc == 0 && table_rows (table) == 0 && screen->terminal) {
        screen_print (screen, file, STYLE_DIM, "none");
        putc ('\n', file);
    }
    table_destroy (&table);
    return rc;
}

/*  What is listed is for programs too, so this stands beside it.           */
static void
s_say_cut (listing_t *self, const screen_t *screen, FILE *file, size_t shown, uint64_t matched)
{
    char text [160];
    self->cut = matched > shown;
    if (!self->cut)
        return;
    snprintf (text, sizeof text,
              "these are the first %zu of %llu %s, by job and id; --filter narrows it down", shown,
              (unsigned long long) matched, self->kind->name);
    if (self->watch) {
        screen_print (screen, file, STYLE_DIM, text);
        putc ('\n', file);
    } else
        fprintf (stderr, "troupe list: %s\n", text);
}

static int
s_print (void *context, troupe_t *peer, FILE *file, char **why)
{
    listing_t *self = context;
    troupe_future_t *future = peer_inquire_filtered (
        peer, self->kind->name, self->conditions.items, self->conditions.count);
    troupe_view_t rows;
    uint64_t matched;
    const char *text = "out of memory";
    screen_t screen = screen_look ();
    int rc = rows_wait_filtered (future, &rows, &matched, &text);
    if (rc == 0)
        rc = self->json ? s_print_json (self, file, rows)
                        : s_print_table (self, &screen, file, rows);
    if (rc == 0)
        s_say_cut (self, &screen, file, troupe_view_count (rows), matched);
    *why = rc ? strdup (text) : NULL;
    troupe_future_destroy (&future);
    return rc;
}

int
list_print (troupe_t *peer, FILE *file, const char *kind, bool json, char **why)
{
    listing_t listing = { .kind = kind_find (kind), .json = json };
    s_read_columns (&listing, NULL);
    return s_print (&listing, peer, file, why);
}

static int
s_run (int argc, char *argv [])
{
    const char *columns = NULL;
    connection_t connection = { .address = NULL };
    listing_t listing = { .kind = NULL };
    const option_spec_t specs [] = { { "filter", OPTION_LIST, &listing.conditions },
                                     { "columns", OPTION_TEXT, &columns },
                                     { "json", OPTION_FLAG, &listing.json },
                                     { "watch", OPTION_FLAG, &listing.watch },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_list, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first == argc)
        return cli_usage (&verb_list, "wanted one of %s", kind_names);
    listing.kind = kind_find (argv [first]);
    if (!listing.kind)
        return cli_usage (&verb_list, "wanted %s, not '%s'", kind_names, argv [first]);
    if (first + 1 < argc)
        return cli_usage (&verb_list, "it takes no '%s'", argv [first + 1]);
    int rc = filter_read (&verb_list, listing.kind, &listing.conditions, &listing.filter);
    rc = rc ? rc : s_read_columns (&listing, columns);
    rc = rc ? rc : live_show (&verb_list, &connection, listing.watch, s_print, &listing);
    return rc == EXIT_DONE && listing.cut && !listing.watch ? EXIT_PART : rc;
}

const verb_t verb_list = { "list", s_help, s_run };
