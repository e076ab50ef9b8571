/*  show.c - troupe show                                                    */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/rows.h"
#include "client/connect.h"
#include "client/inquire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char s_help [] =
    "usage: troupe show KIND ID [--json]\n"
    "Shows one node, worker, actor, class, function, task, job, object, store or token.\n"
    "ID is what troupe list has as its ID, or the name of a node, a worker (\"worker 3\"),\n"
    "an actor, a class, a function, a job's program, a store or a token; all that have\n"
    "that name are shown. An actor and a class are shown with their methods and, if the\n"
    "class says it, what each takes.\n"
    "\n"
    "  --json               print a JSON object, each on a line\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

/*  A field in its line.                                                    */
static void
s_print_field (const screen_t *screen, const char *name, const char *text, bool state)
{
    char *clean = text_clean (text);
    printf ("  ");
    screen_print (screen, stdout, STYLE_DIM, name);
    printf ("%*s", 14 - (int) strlen (name), "");
    screen_print (screen, stdout, state ? style_of_state (text) : STYLE_PLAIN,
                  clean ? clean : "");
    putchar ('\n');
    free (clean);
}

/*  The items of a list or of resources, a line each.                       */
static void
s_print_items (const screen_t *screen, const char *name, troupe_view_t value)
{
    char *items = kind_items (value, "\n"), *rest = items, *item;
    while (rest && (item = strsep (&rest, "\n"))) {
        s_print_field (screen, name, item, false);
        name = "";
    }
    free (items);
}

static void
s_print (const kind_t *kind, troupe_view_t row)
{
    screen_t screen = screen_look ();
    troupe_view_t value;
    for (const char *const *field = kind->fields; *field; field++) {
        kind_column_t column = kind_plain_column (kind, *field);
        bool items = troupe_view_field (row, *field, &value) == 0 && troupe_view_count (value) > 0
                     && (troupe_view_type (value) == TROUPE_LIST
                         || troupe_view_type (value) == TROUPE_MAP);
        char *text = items ? NULL : kind_text (row, &column);
        if (items)
            s_print_items (&screen, *field, value);
        else
            s_print_field (&screen, *field, text ? text : "", column.show == SHOW_STATE);
        free (text);
    }
    /*  What can be called on an actor, if that is known.                   */
    if (strcmp (kind->single, "actor") == 0 && troupe_view_field (row, "methods", &value) == 0
        && troupe_view_count (value) > 0)
        s_print_items (&screen, "methods", value);
}

/*  All that have the name, which are several only where it alone does not
    tell them apart. Returns an exit code.                                  */
static int
s_print_all (const kind_t *kind, const char *key, bool json, troupe_view_t rows)
{
    size_t count, shown = 0;
    kind_row_t *sorted = kind_sort (kind, rows, &count);
    int rc = sorted ? 0 : -1;
    for (size_t i = 0; i < count && !rc; i++) {
        if (!kind_is (kind, sorted [i].row, key))
            continue;
        if (json)
            rc = json_print (stdout, sorted [i].row);
        if (json || shown)
            putchar ('\n');
        if (!json)
            s_print (kind, sorted [i].row);
        shown++;
    }
    free (sorted);
    if (rc)
        return cli_failed (&verb_show, "out of memory");
    return shown ? EXIT_DONE : cli_failed (&verb_show, "there is no %s '%s'", kind->single, key);
}

static int
s_show (const kind_t *kind, const char *key, bool json, troupe_t *peer)
{
    /*  These may be called by a part of their names.                       */
    bool part = strcmp (kind->single, "worker") == 0 || strcmp (kind->single, "job") == 0;
    troupe_future_t *future = peer_inquire (peer, kind->name, part ? NULL : key);
    troupe_view_t rows;
    const char *why = "out of memory";
    int rc = rows_wait (future, &rows, &why) ? cli_failed (&verb_show, "%s", why)
                                             : s_print_all (kind, key, json, rows);
    troupe_future_destroy (&future);
    return rc ? rc : cli_done (&verb_show);
}

static int
s_run (int argc, char *argv [])
{
    bool json = false;
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "json", OPTION_FLAG, &json },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_show, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first + 2 != argc)
        return cli_usage (&verb_show, "wanted a kind and an ID, such as: actor 7");
    const kind_t *kind = kind_find (argv [first]);
    if (!kind)
        return cli_usage (&verb_show, "there is nothing like '%s' to show", argv [first]);
    troupe_t *peer;
    int rc = cli_connect (&verb_show, &connection, &peer);
    if (rc)
        return rc;
    rc = s_show (kind, argv [first + 1], json, peer);
    client_disconnect (&peer);
    return rc;
}

const verb_t verb_show = { "show", s_help, s_run };
