/*  run.c - troupe run                                                      */

#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char s_help [] =
    "usage: troupe run [OPTION]... PROGRAM [ARG]...\n"
    "Runs a program that uses Troupe on the cluster, with TROUPE_ADDRESS and\n"
    "TROUPE_TOKEN set. It looks for PROGRAM as a shell does.\n"
    "\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "Exit codes: PROGRAM's own; 127 if there is no PROGRAM, 126 if it cannot be run;\n"
    "2 wrong usage; 3 no cluster found.\n";

static int
s_execute (char *argv [])
{
    execvp (argv [0], argv);
    int code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    cli_failed (&verb_run, "%s: %s", argv [0], strerror (errno));
    return code;
}

static int
s_run (int argc, char *argv [])
{
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_run, argc, argv, specs, &connection, true);
    if (first < 0)
        return arguments_exit (first);
    if (first == argc)
        return cli_usage (&verb_run, "wanted a PROGRAM");
    int rc = connection_read (&verb_run, &connection);
    rc = rc ? rc : connection_export (&verb_run, &connection);
    return rc ? rc : s_execute (argv + first);
}

const verb_t verb_run = { "run", s_help, s_run };
