/*  status.c - troupe status                                                */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/rows.h"
#include "cli/live.h"
#include "client/inquire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char s_help [] =
    "usage: troupe status [--json] [--watch]\n"
    "Shows the cluster on one screen: what it has, what of it is in use, what waits.\n"
    "\n"
    "  --json               print a JSON object\n"
    "  --watch              go on showing it, until Ctrl-C\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

typedef struct {
    bool json;
} request_t;

/*  Nodes and jobs that are shown; troupe list shows all.                   */
#define ROWS_MAX 10

static double
s_number (troupe_view_t map, const char *field)
{
    troupe_view_t value;
    double number = 0;
    if (troupe_view_field (map, field, &value) == 0)
        troupe_read (value, &number);
    return number;
}

/*  --- parts of the screen ------------------------------------------------ */

static void
s_print_title (const screen_t *screen, FILE *file, troupe_view_t summary)
{
    char *address = kind_field (summary, "address"), *version = kind_field (summary, "version");
    char *uptime = text_of_seconds (s_number (summary, "uptime_s"));
    char *clean = address ? text_clean (address) : NULL;
    screen_print (screen, file, STYLE_BOLD, clean && *clean ? clean : "Cluster");
    fprintf (file, "  up %s, Troupe %s\n\n", uptime ? uptime : "?", version ? version : "?");
    free (clean);
    free (address);
    free (version);
    free (uptime);
}

/*  "nodes 3   workers 6", and so on.                                       */
static void
s_print_counts (const screen_t *screen, FILE *file, troupe_view_t map, const char *const *names)
{
    const char *separator = "";
    for (; *names; names++) {
        fputs (separator, file);
        screen_print (screen, file, STYLE_DIM, *names);
        fprintf (file, " %.0f", s_number (map, *names));
        separator = "   ";
    }
    putc ('\n', file);
}

static void
s_print_summary (const screen_t *screen, FILE *file, troupe_view_t summary)
{
    static const char *const names [] = { "nodes", "workers", "actors", "jobs", NULL };
    static const char *const states [] = { "running", "ready", "waiting", NULL };
    troupe_view_t tasks;
    s_print_counts (screen, file, summary, names);
    if (troupe_view_field (summary, "tasks", &tasks) == 0) {
        fputs ("tasks: ", file);
        s_print_counts (screen, file, tasks, states);
    }
}

/*  "memory   ███░░░  1.0 GiB of 4.0 GiB".                                  */
static void
s_print_resource (const screen_t *screen, FILE *file, const char *name, const double *amounts)
{
    bool bytes = strcmp (name, "memory") == 0;
    char *used = bytes ? text_of_size (amounts [0]) : text_of_amount (amounts [0]);
    char *total = bytes ? text_of_size (amounts [1]) : text_of_amount (amounts [1]);
    char *clean = text_clean (name);
    size_t width = clean ? text_width (clean) : 0;
    fprintf (file, "%s%*s ", clean ? clean : "", width < 12 ? (int) (12 - width) : 0, "");
    screen_bar (screen, file, amounts [1] > 0 ? amounts [0] / amounts [1] : 0);
    fprintf (file, "  %s of %s\n", used ? used : "?", total ? total : "?");
    free (clean);
    free (used);
    free (total);
}

static void
s_print_resources (const screen_t *screen, FILE *file, troupe_view_t summary)
{
    troupe_view_t map, inside, key, pair, number;
    if (troupe_view_field (summary, "resources", &map) || troupe_view_enter (map, &inside)
        || troupe_view_count (map) == 0)
        return;
    putc ('\n', file);
    while (troupe_view_next (&inside, &key) == 1 && troupe_view_next (&inside, &pair) == 1) {
        const char *name = "";
        double amounts [2] = { 0, 0 };
        if (troupe_read (key, &name) || troupe_view_enter (pair, &pair))
            continue;
        for (int i = 0; i < 2 && troupe_view_next (&pair, &number) == 1; i++)
            troupe_read (number, &amounts [i]);
        s_print_resource (screen, file, name, amounts);
    }
}

/*  The first rows of a kind, in a few of its columns.                      */
static int
s_print_rows (const screen_t *screen, FILE *file, const char *kind, troupe_view_t rows,
              const kind_column_t *columns)
{
    size_t width = 0, total;
    kind_row_t *sorted = kind_sort (kind_find (kind), rows, &total);
    while (columns [width].title)
        width++;
    table_t *table = table_new (width);
    int rc = !table || !sorted ? -1 : 0;
    for (size_t i = 0; i < width && !rc; i++)
        table_title (table, i, columns [i].title,
                     columns [i].show != SHOW_TEXT && columns [i].show != SHOW_STATE,
                     columns [i].show == SHOW_STATE);
    for (size_t at = 0; rc == 0 && at < total && at < ROWS_MAX; at++)
        for (size_t i = 0; i < width && !rc; i++) {
            char *text = kind_text (sorted [at].row, &columns [i]);
            rc = text ? table_add (table, text) : -1;
            free (text);
        }
    free (sorted);
    if (rc == 0 && total > 0) {
        putc ('\n', file);
        table_print (table, screen, file);
        if (total > ROWS_MAX)
            fprintf (file, "and %zu more: troupe list %s\n", total - ROWS_MAX, kind);
    }
    table_destroy (&table);
    return rc;
}

/*  "5 connections were refused: 3 at alpha, 1 at beta". Those at drivers are at
    no node.                                                                */
static void
s_print_refused (const screen_t *screen, FILE *file, double refused, troupe_view_t nodes)
{
    troupe_view_t inside, node;
    char text [512];
    const char *separator = ": ";
    if (refused <= 0)
        return;
    size_t length = (size_t) snprintf (text, sizeof text, "%.0f connection%s refused", refused,
                                       refused > 1 ? "s were" : " was");
    bool some = troupe_view_enter (nodes, &inside) == 0;
    while (some && troupe_view_next (&inside, &node) == 1) {
        double there = s_number (node, "refused_connections");
        char *name = there > 0 ? kind_field (node, "name") : NULL;
        char *clean = name ? text_clean (name) : NULL;
        size_t room = sizeof text - length;
        int more = 0;
        if (clean)
            more = snprintf (text + length, room, "%s%.0f at %s", separator, there, clean);
        free (clean);
        free (name);
        if ((size_t) more >= room) {
            text [length] = 0;
            break;
        }
        length += (size_t) more;
        separator = more ? ", " : separator;
    }
    putc ('\n', file);
    screen_print (screen, file, STYLE_WARN, text);
    putc ('\n', file);
}

static int
s_print_screen (FILE *file, troupe_view_t summary, troupe_view_t nodes, troupe_view_t jobs)
{
    static const kind_column_t node_columns [] = {
        { "NODE", "name", SHOW_TEXT, NULL }, { "STATE", "state", SHOW_STATE, NULL },
        { "ADDRESS", "address", SHOW_TEXT, NULL }, { "CPUS", "cpus_used", SHOW_PART, "cpus" },
        { "MEMORY", "memory", SHOW_SIZE, NULL }, { "WORKERS", "workers", SHOW_NUMBER, NULL },
        { "ACTORS", "actors", SHOW_NUMBER, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
    };
    static const kind_column_t job_columns [] = {
        { "JOB", "id", SHOW_NUMBER, NULL }, { "PROGRAM", "program", SHOW_TEXT, NULL },
        { "DRIVER", "driver", SHOW_TEXT, NULL }, { "TASKS", "tasks", SHOW_NUMBER, NULL },
        { "CPUS", "cpus", SHOW_NUMBER, NULL }, { "ACTORS", "actors", SHOW_NUMBER, NULL },
        { "SINCE", "since_s", SHOW_SECONDS, NULL },
        { NULL, NULL, SHOW_TEXT, NULL }
    };
    screen_t screen = screen_look ();
    s_print_title (&screen, file, summary);
    s_print_summary (&screen, file, summary);
    s_print_resources (&screen, file, summary);
    int rc = s_print_rows (&screen, file, "nodes", nodes, node_columns);
    rc = rc ? rc : s_print_rows (&screen, file, "jobs", jobs, job_columns);
    s_print_refused (&screen, file, s_number (summary, "refused_connections"), nodes);
    return rc;
}

/*  --- the answers -------------------------------------------------------- */

static int
s_print_answers (const request_t *request, FILE *file, troupe_view_t summaries,
                 troupe_view_t nodes, troupe_view_t jobs, const char **text)
{
    troupe_view_t inside, summary;
    if (troupe_view_enter (summaries, &inside) || troupe_view_next (&inside, &summary) != 1) {
        *text = "the head answers with nothing";
        return -1;
    }
    if (!request->json)
        return s_print_screen (file, summary, nodes, jobs);
    int rc = json_print (file, summary);
    putc ('\n', file);
    return rc;
}

/*  Asks all questions, then waits.                                         */
static int
s_print (void *context, troupe_t *peer, FILE *file, char **why)
{
    static const char *const questions [] = { "summary", "nodes", "jobs" };
    troupe_future_t *futures [3];
    troupe_view_t rows [3];
    const char *text = "out of memory";
    int rc = 0;
    for (int i = 0; i < 3; i++)
        futures [i] = peer_inquire (peer, questions [i], NULL);
    for (int i = 0; i < 3 && !rc; i++)
        rc = rows_wait (futures [i], &rows [i], &text);
    if (rc == 0)
        rc = s_print_answers (context, file, rows [0], rows [1], rows [2], &text);
    *why = rc ? strdup (text) : NULL;
    for (int i = 0; i < 3; i++)
        troupe_future_destroy (&futures [i]);
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    request_t request = { false };
    bool watch = false;
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "json", OPTION_FLAG, &request.json },
                                     { "watch", OPTION_FLAG, &watch },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_status, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first < argc)
        return cli_usage (&verb_status, "it takes no '%s'", argv [first]);
    return live_show (&verb_status, &connection, watch, s_print, &request);
}

const verb_t verb_status = { "status", s_help, s_run };
