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
    "ID is what troupe list has as its ID, or the name of a node, an actor, a class, a\n"
    "function, a store or a token. An actor is shown with its methods.\n"
    "\n"
    "  --json               print a JSON object\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

static bool
s_find (troupe_view_t rows, const char *key, troupe_view_t *row)
{
    troupe_view_t inside;
    if (troupe_view_enter (rows, &inside))
        return false;
    while (troupe_view_next (&inside, row) == 1)
        if (kind_is (*row, key))
            return true;
    return false;
}

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

/*  What can be called on an actor. That it is not known is no failure.     */
static void
s_print_methods (const screen_t *screen, troupe_t *peer, troupe_view_t actor)
{
    troupe_view_t rows, row;
    const char *why;
    char *class_name = kind_field (actor, "class");
    troupe_future_t *future = class_name ? peer_inquire (peer, "classes", class_name) : NULL;
    if (rows_wait (future, &rows, &why) == 0 && s_find (rows, class_name, &row)) {
        char *methods = kind_field (row, "methods");
        s_print_field (screen, "methods", methods ? methods : "", false);
        free (methods);
    }
    troupe_future_destroy (&future);
    free (class_name);
}

static void
s_print (const kind_t *kind, troupe_t *peer, troupe_view_t row)
{
    screen_t screen = screen_look ();
    for (const char *const *field = kind->fields; *field; field++) {
        kind_column_t column = kind_plain_column (kind, *field);
        char *text = kind_text (row, &column);
        s_print_field (&screen, *field, text ? text : "", column.show == SHOW_STATE);
        free (text);
    }
    if (strcmp (kind->single, "actor") == 0)
        s_print_methods (&screen, peer, row);
}

static int
s_show (const kind_t *kind, const char *key, bool json, troupe_t *peer)
{
    troupe_future_t *future = peer_inquire (peer, kind->name, key);
    troupe_view_t rows, row;
    const char *why;
    int rc = EXIT_DONE;
    if (rows_wait (future, &rows, &why))
        rc = cli_failed (&verb_show, "%s", why);
    else if (!s_find (rows, key, &row))
        rc = cli_failed (&verb_show, "there is no %s '%s'", kind->single, key);
    else if (!json)
        s_print (kind, peer, row);
    else if (json_print (stdout, row))
        rc = cli_failed (&verb_show, "out of memory");
    else
        putchar ('\n');
    troupe_future_destroy (&future);
    return rc ? rc : cli_done (&verb_show);
}

static int
s_run (int argc, char *argv [])
{
    bool json = false;
    connection_t connection = { NULL, NULL, NULL, "" };
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
    int rc = connection_read (&verb_show, &connection);
    if (rc)
        return rc;
    troupe_t *peer = cli_connect (&verb_show, &connection);
    if (!peer)
        return EXIT_UNREACHABLE;
    rc = s_show (kind, argv [first + 1], json, peer);
    client_disconnect (&peer);
    return rc;
}

const verb_t verb_show = { "show", s_help, s_run };
