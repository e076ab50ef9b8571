/*  help.c - troupe help                                                    */

#include "cli/cli.h"

#include <stdio.h>

static const char s_general [] =
    "usage: troupe VERB [OPTION]... [ARG]...\n"
    "Runs a cluster for programs that use Troupe, and looks at it.\n"
    "\n"
    "  start           start a cluster on this machine, or join one\n"
    "  stop            stop the cluster's processes on this machine\n"
    "  drain           give a node no new work\n"
    "  token           make a token of its own for somebody, or revoke it\n"
    "  status          show the cluster on one screen\n"
    "  list            list nodes, workers, actors, tasks, jobs and more\n"
    "  memory          show what object stores have, and who holds it\n"
    "  show            show one of them\n"
    "  call            call a method of a named actor\n"
    "  run             run a program on the cluster\n"
    "  logs            show what workers print\n"
    "  microbenchmark  measure how fast tasks, calls and values are\n"
    "  version         print the version\n"
    "  help            explain a verb\n"
    "\n"
    "Where the cluster is: --address HOST:PORT, else TROUPE_ADDRESS, else\n"
    "troupe.conf, else the one that runs on this machine. What lets one in:\n"
    "--token TOKEN, --token-file FILE, else TROUPE_TOKEN, else the same places.\n"
    "\n"
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 cannot connect.\n"
    "Start with: troupe start --head\n"
    "Explain a verb: troupe help VERB\n";

static int
s_run (int argc, char *argv [])
{
    const option_spec_t options [] = { { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_help, argc, argv, options, NULL, false);
    if (first < 0)
        return arguments_exit (first);
    const verb_t *verb = first < argc ? verb_find (argv [first]) : &verb_help;
    if (!verb)
        return cli_usage (&verb_help, "there is no verb '%s'", argv [first]);
    fputs (verb->help, stdout);
    return cli_done (&verb_help);
}

const verb_t verb_help = { "help", s_general, s_run };
