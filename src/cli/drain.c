/*  drain.c - troupe drain                                                  */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/rows.h"
#include "client/connect.h"
#include "client/inquire.h"

#include <stdio.h>
#include <stdlib.h>

static const char s_help [] =
    "usage: troupe drain NODE [--json]\n"
    "Gives a node no new tasks and no new actors. What is on it goes on; end it with\n"
    "troupe stop on that machine, which waits for the rest. NODE is a name or an ID.\n"
    "\n"
    "  --json               print what is still there as JSON\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

static int
s_print (troupe_view_t left, bool json)
{
    if (json) {
        if (json_print (stdout, left))
            return cli_failed (&verb_drain, "out of memory");
        putchar ('\n');
        return cli_done (&verb_drain);
    }
    static const kind_column_t columns [] = { { "", "node", SHOW_TEXT, NULL },
                                              { "", "tasks", SHOW_TEXT, NULL },
                                              { "", "actors", SHOW_TEXT, NULL } };
    static const char *const before [] = { "Node ", " takes no new work. Still there: tasks ",
                                           ", actors " };
    for (int i = 0; i < 3; i++) {
        char *text = kind_text (left, &columns [i]);
        char *clean = text ? text_clean (text) : NULL;
        printf ("%s%s", before [i], clean ? clean : "");
        free (clean);
        free (text);
    }
    puts (".");
    return cli_done (&verb_drain);
}

static int
s_drain (const char *node, bool json, troupe_t *peer)
{
    troupe_future_t *future = peer_drain_node (peer, node);
    troupe_view_t left;
    int rc;
    if (!future || troupe_wait (&future, 1, 1, ANSWER_MS, NULL) != 1)
        rc = cli_failed (&verb_drain, future ? "the head does not answer" : "out of memory");
    else if (troupe_get (future, &left))
        rc = cli_failed (&verb_drain, "%s", troupe_error ());
    else
        rc = s_print (left, json);
    troupe_future_destroy (&future);
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    bool json = false;
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "json", OPTION_FLAG, &json },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_drain, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first + 1 != argc)
        return cli_usage (&verb_drain, "wanted one node");
    troupe_t *peer;
    int rc = cli_connect (&verb_drain, &connection, &peer);
    if (rc)
        return rc;
    rc = s_drain (argv [first], json, peer);
    client_disconnect (&peer);
    return rc;
}

const verb_t verb_drain = { "drain", s_help, s_run };
