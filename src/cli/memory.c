/*  memory.c - troupe memory                                                 */

#include "cli/cli.h"

#include "cli/live.h"
#include "cli/rows.h"

#include <stdio.h>

static const char s_help [] =
    "usage: troupe memory [--json] [--watch]\n"
    "Shows what the object stores of the cluster have: how much of their memory is in\n"
    "use, and the largest objects with who made and who holds them. An object whose\n"
    "state is \"unclaimed\" was given to a process that has not taken it, by one that has\n"
    "ended, which counts for half a minute. What a store says is a second old at most.\n"
    "\n"
    "  --json               print a JSON object with stores and objects\n"
    "  --watch              go on showing it, until Ctrl-C\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

typedef struct {
    bool json;
} request_t;

static int
s_print (void *context, troupe_t *peer, FILE *file, char **why)
{
    const request_t *self = context;
    fputs (self->json ? "{\"stores\": " : "", file);
    if (list_print (peer, file, "stores", self->json, why))
        return -1;
    fputs (self->json ? ", \"objects\": " : "\n", file);
    if (list_print (peer, file, "objects", self->json, why))
        return -1;
    fputs (self->json ? "}\n" : "", file);
    return 0;
}

static int
s_run (int argc, char *argv [])
{
    bool watch = false;
    request_t request = { false };
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "json", OPTION_FLAG, &request.json },
                                     { "watch", OPTION_FLAG, &watch },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_memory, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first != argc)
        return cli_usage (&verb_memory, "wanted no argument, got '%s'", argv [first]);
    return live_show (&verb_memory, &connection, watch, s_print, &request);
}

const verb_t verb_memory = { "memory", s_help, s_run };
