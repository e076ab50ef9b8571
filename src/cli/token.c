/*  token.c - troupe token                                                   */

#include "cli/cli.h"

#include "cli/rows.h"
#include "client/connect.h"
#include "client/inquire.h"

#include <stdio.h>

static const char s_help [] =
    "usage: troupe token NAME\n"
    "       troupe token --revoke NAME\n"
    "Makes a token of its own for a node, a user or a program, and prints it, this once.\n"
    "Who joins by it can be shut out later without the others: --revoke ends their\n"
    "connections everywhere, and nobody gets in by it again. The token that the head\n"
    "printed when it started is named default; it can be revoked as well, which leaves\n"
    "those with a token of their own. troupe list tokens shows them. Works on the machine\n"
    "of the head.\n"
    "\n"
    "  --revoke             the token is good no more\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "Example: troupe token node7 | ssh node7 'troupe start --address $(cat)'\n";

static int
s_token (troupe_t *peer, const char *name, bool revoke)
{
    troupe_future_t *future
        = revoke ? peer_revoke_token (peer, name) : peer_make_token (peer, name);
    const char *text;
    int rc = EXIT_DONE;
    if (!future || troupe_wait (&future, 1, 1, ANSWER_MS, NULL) != 1)
        rc = cli_failed (&verb_token, future ? "the head does not answer" : "out of memory");
    else if (troupe_get (future, &text))
        rc = cli_failed (&verb_token, "%s", troupe_error ());
    else if (revoke)
        printf ("Nobody gets in by the token %s any more. Shut out: %s processes.\n", name, text);
    else
        puts (text);
    troupe_future_destroy (&future);
    return rc ? rc : cli_done (&verb_token);
}

static int
s_run (int argc, char *argv [])
{
    bool revoke = false;
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "revoke", OPTION_FLAG, &revoke },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_token, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first + 1 != argc)
        return cli_usage (&verb_token, "wanted one name");
    troupe_t *peer;
    int rc = cli_connect (&verb_token, &connection, &peer);
    if (rc)
        return rc;
    rc = s_token (peer, argv [first], revoke);
    client_disconnect (&peer);
    return rc;
}

const verb_t verb_token = { "token", s_help, s_run };
