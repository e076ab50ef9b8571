/*  version.c - troupe version                                              */

#include "cli/cli.h"

#include <stdio.h>

static int
s_run (int argc, char *argv [])
{
    const option_spec_t options [] = { { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_version, argc, argv, options, NULL, false);
    if (first < 0)
        return arguments_exit (first);
    if (first < argc)
        return cli_usage (&verb_version, "it takes no '%s'", argv [first]);
    printf ("troupe %s\n", troupe_version ());
    return cli_done (&verb_version);
}

const verb_t verb_version = { "version",
                              "usage: troupe version\n"
                              "Prints the version of Troupe.\n",
                              s_run };
