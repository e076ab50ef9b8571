/*  main.c - the troupe command: finds the verb and runs it, or is a worker  */

#include "cli/cli.h"

#include "cli/microbenchmark.h"
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main (int argc, char *argv [])
{
    /*  A worker of troupe microbenchmark, which does not come back.        */
    if (getenv ("TROUPE_BOOT")) {
        microbenchmark_register ();
        troupe_init (&argc, &argv);
    }
    screen_prepare ();
    if (argc < 2) {
        fputs (verb_help.help, stderr);
        return EXIT_USAGE;
    }
    const char *name = argv [1];
    if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0)
        name = "help";
    if (strcmp (name, "--version") == 0 || strcmp (name, "-V") == 0)
        name = "version";
    const verb_t *verb = verb_find (name);
    if (!verb) {
        fprintf (stderr, "troupe: there is no verb '%s'\nTry troupe help.\n", name);
        return EXIT_USAGE;
    }
    return verb->run (argc - 1, argv + 1);
}
