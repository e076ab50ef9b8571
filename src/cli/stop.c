/*  stop.c - troupe stop                                                    */

#include "cli/cli.h"

#include "cli/daemon.h"
#include "client/place.h"

#include <signal.h>
#include <stdio.h>

static const char s_help [] =
    "usage: troupe stop [--force] [--timeout SECONDS] [--address HOST:PORT]\n"
    "Stops your cluster's processes on this machine, and no others: a node leaves its\n"
    "cluster, a head ends it. Work that runs is waited for, what has not begun fails, and\n"
    "nothing is left. Once it has begun, an end goes on, also without this command.\n"
    "\n"
    "  --force              do not wait for work that runs\n"
    "  --timeout SECONDS    wait no longer than this, then be as with --force\n"
    "  --address HOST:PORT  which cluster, else TROUPE_ADDRESS or troupe.conf, else the\n"
    "                       one that there is\n"
    "  --json               print what ended as JSON\n"
    "\n"
    "That there is nothing to stop is no failure.\n";

static void
s_print (const stop_options_t *options, const stopped_t *stopped)
{
    unsigned all = stopped->daemons + stopped->workers;
    if (all == 0 && *stopped->other) {
        printf ("Nothing of the cluster%s%s runs on this machine.\n"
                "What runs is of the cluster at %s: --address ends that.\n",
                *options->address ? " at " : " that is named", options->address,
                stopped->other);
        return;
    }
    if (all == 0) {
        fputs ("Nothing of yours runs on this machine.\n", stdout);
        return;
    }
    printf ("Stopped %u %s and %u worker%s in %.1f s", stopped->daemons,
            stopped->daemons == 1 ? "daemon" : "daemons", stopped->workers,
            stopped->workers == 1 ? "" : "s", stopped->milliseconds / 1000);
    if (stopped->killed > 0)
        printf ("; %u of them had to be killed", stopped->killed);
    fputs (".\n", stdout);
}

static void
s_say_waits (const char *text)
{
    fprintf (stderr, "troupe stop: waits for %s (--force ends that)\n", text);
}

/*  Ends as a process does that the signal ends.                            */
static int
s_interrupted (int number)
{
    fputs ("troupe stop: interrupted. What was told to end goes on ending, and begins nothing "
           "new.\n`troupe stop` waits for it again, `troupe stop --force` does not wait for "
           "work.\n",
           stderr);
    signal (number, SIG_DFL);
    raise (number);
    return EXIT_FAILED;
}

static int
s_stop (const stop_options_t *options, bool json)
{
    stopped_t stopped = { .daemons = 0 };
    fault_t fault = { TROUPE_OK, "" };
    int rc = daemon_stop (options, &stopped, &fault);
    if (stopped.interrupted)
        return s_interrupted (stopped.interrupted);
    if (rc)
        return cli_failed (&verb_stop, "%s", fault.text);
    if (json)
        printf ("{\"daemons\": %u, \"workers\": %u, \"killed\": %u, \"seconds\": %.3f}\n",
                stopped.daemons, stopped.workers, stopped.killed, stopped.milliseconds / 1000);
    else
        s_print (options, &stopped);
    return cli_done (&verb_stop);
}

static int
s_run (int argc, char *argv [])
{
    bool force = false, json = false;
    const char *address = NULL, *timeout = NULL;
    const option_spec_t specs [] = { { "force", OPTION_FLAG, &force },
                                     { "timeout", OPTION_TEXT, &timeout },
                                     { "address", OPTION_TEXT, &address },
                                     { "json", OPTION_FLAG, &json },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_stop, argc, argv, specs, NULL, false);
    if (first < 0)
        return arguments_exit (first);
    if (first < argc)
        return cli_usage (&verb_stop, "it takes no '%s'", argv [first]);
    if (address && !text_is_address (address))
        return cli_usage (&verb_stop, "--address must be HOST:PORT, not '%s'", address);
    double seconds = 0;
    if (timeout && (text_amount (timeout, &seconds) || seconds > 1e6))
        return cli_usage (&verb_stop, "--timeout must be a number of seconds, not '%s'",
                          timeout);
    place_name_t name = { "", "" };
    fault_t fault = { TROUPE_OK, "" };
    if (!address && place_name (&name, &fault))
        return cli_failed (&verb_stop, "%s", fault.text);
    stop_options_t options = { force, timeout ? (int) (seconds * 1000) : -1,
                               address ? address : name.address, name.cluster, s_say_waits };
    return s_stop (&options, json);
}

const verb_t verb_stop = { "stop", s_help, s_run };
