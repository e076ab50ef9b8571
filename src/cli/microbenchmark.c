/*  microbenchmark.c - troupe microbenchmark                                */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/microbenchmark.h"
#include "cli/screen.h"
#include "client/place.h"
#include "client/settings.h"
#include "core/clock.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 4
#define SECONDS 2.0
#define SECONDS_MIN 0.001
#define SECONDS_MAX 3600.0
#define WORKERS_WAIT (10000 * CLOCK_MS)

static const char s_help [] =
    "usage: troupe microbenchmark [OPTION]...\n"
    "Measures how fast tasks, calls of actors, and puts and gets of values are, as a\n"
    "program has them, by the entries of ray microbenchmark: the same names, the same\n"
    "work. It starts an embedded cluster, with TROUPE_WORKERS workers, by default one a\n"
    "core, unless the options below, TROUPE_ADDRESS or troupe.conf name another one. n is\n"
    "half the number of cores, 2 at least.\n"
    "\n"
    "  --filter REGEX       only entries in whose name this is found\n"
    "  --rounds N           times each so often, 4 by default\n"
    "  --seconds N          for so long at least, 2 by default, after half of that\n"
    "                       to warm up\n"
    "  --json               print a JSON object on a line for each entry\n"
    "  --address HOST:PORT  which cluster; \"auto\" is the one on this machine\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "It shows the mean of the rounds with the standard deviation, and, where one waits\n"
    "for each operation, the times of single ones that 50, 99 and 99.9 % do not exceed.\n"
    "Example: troupe microbenchmark --filter '^1:1 actor'\n";

typedef struct {
    const char *filter;
    bool json;
    measure_options_t measure;
    regex_t regex;
    screen_t screen;
    int width;                  /*  of the longest name that is measured    */
    bool latency;               /*  one of them has latencies               */
} request_t;

/*  --- what is printed ----------------------------------------------------  */

#define LATENCY_WIDTH 34        /*  of the last three columns               */
#define UNIT_WIDTH 9
#define RATE_WIDTH 33           /*  of those before                         */

/*  Four digits that matter, or all of a large number, in groups of three.  */
static void
s_number (double value, char text [32])
{
    char plain [32];
    int decimals = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
    int length = snprintf (plain, sizeof plain, "%.*f", decimals, value), at = 0;
    int whole = decimals ? length - decimals - 1 : length;
    for (int i = 0; i < length; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0 && at < 30)
            text [at++] = ',';
        if (at < 31)
            text [at++] = plain [i];
    }
    text [at] = 0;
}

/*  Whether latencies have columns. On a narrow terminal they are on lines of
    their own, below.                                                       */
static bool
s_has_columns (const request_t *self)
{
    return self->latency
           && (size_t) (self->width + RATE_WIDTH + LATENCY_WIDTH) <= self->screen.width;
}

static void
s_print_title (const request_t *self, const bench_t *bench, bool embedded)
{
    char title [256];
    size_t workers = troupe_workers (bench->troupe);
    if (embedded)
        printf ("An embedded cluster, %zu worker%s; ", workers, workers == 1 ? "" : "s");
    else
        fputs ("A given cluster; ", stdout);
    printf ("n is %zu; %zu round%s of %g s\n\n", bench->n, self->measure.rounds,
            self->measure.rounds == 1 ? "" : "s", self->measure.seconds);
    const char *micro = self->screen.unicode ? "µs" : "us";
    const char *sign = self->screen.unicode ? "      ±" : "+-";
    bool wide = s_has_columns (self);
    int length = snprintf (title, sizeof title, "%-*s  %11s  %7s  %-*s", self->width, "ENTRY",
                           "MEAN", sign, wide ? UNIT_WIDTH : 0, "UNIT");
    if (wide && length > 0 && (size_t) length < sizeof title)
        snprintf (title + length, sizeof title - (size_t) length, "  %6s %s  %6s %s  %7s %s",
                  "P50", micro, "P99", micro, "P99.9", micro);
    screen_print (&self->screen, stdout, STYLE_BOLD, title);
    putchar ('\n');
}

static void
s_print_latency (const request_t *self, const entry_t *entry, const measurement_t *result)
{
    char p50 [32], p99 [32], p999 [32], line [128];
    s_number (result->p50_us, p50);
    s_number (result->p99_us, p99);
    s_number (result->p999_us, p999);
    if (s_has_columns (self)) {
        printf ("%*s  %9s  %9s  %10s", UNIT_WIDTH - (int) strlen (entry->unit), "", p50, p99,
                p999);
        return;
    }
    snprintf (line, sizeof line, "\n  p50 %s, p99 %s, p99.9 %s %s", p50, p99, p999,
              self->screen.unicode ? "µs" : "us");
    screen_print (&self->screen, stdout, STYLE_DIM, line);
}

/*  The name stands there already.                                          */
static void
s_print_result (const request_t *self, const entry_t *entry, const measurement_t *result)
{
    char mean [32], deviation [32];
    s_number (result->mean, mean);
    snprintf (deviation, sizeof deviation, "%.1f %%",
              result->mean > 0 ? 100 * result->deviation / result->mean : 0);
    fputs ("  ", stdout);
    printf ("%*s", (int) (11 - (strlen (mean) < 11 ? strlen (mean) : 11)), "");
    screen_print (&self->screen, stdout, STYLE_GOOD, mean);
    printf ("  %7s  %s", deviation, entry->unit);
    if (result->samples)
        s_print_latency (self, entry, result);
    putchar ('\n');
}

static void
s_print_json (const request_t *self, const entry_t *entry, const measurement_t *result)
{
    fputs ("{\"name\": ", stdout);
    json_print_text (stdout, entry->name);
    printf (", \"unit\": \"%s\", \"mean\": %.3f, \"deviation\": %.3f, \"rounds\": [",
            entry->unit, result->mean, result->deviation);
    for (size_t i = 0; i < self->measure.rounds; i++)
        printf ("%s%.3f", i ? ", " : "", result->rounds [i]);
    putchar (']');
    if (result->samples)
        printf (", \"p50_us\": %.3f, \"p99_us\": %.3f, \"p999_us\": %.3f, \"samples\": %zu",
                result->p50_us, result->p99_us, result->p999_us, result->samples);
    puts ("}");
}

static void
s_print_failure (const request_t *self, const entry_t *entry, const char *why)
{
    if (self->json) {
        fputs ("{\"name\": ", stdout);
        json_print_text (stdout, entry->name);
        fputs (", \"error\": ", stdout);
        json_print_text (stdout, why);
        puts ("}");
        return;
    }
    fputs ("  ", stdout);
    screen_print (&self->screen, stdout, STYLE_BAD, "failed");
    putchar ('\n');
}

/*  --- measuring ----------------------------------------------------------  */

static bool
s_is_wanted (const request_t *self, const entry_t *entry)
{
    return !self->filter || regexec (&self->regex, entry->name, 0, NULL, 0) == 0;
}

/*  Measures one entry; its name is shown meanwhile. Returns an exit code.  */
static int
s_measure (const request_t *self, const entry_t *entry, bench_t *bench)
{
    static measurement_t result;
    const char *why;
    if (!self->json)
        printf ("%-*s", self->width, entry->name);
    if (cli_done (&verb_microbenchmark))
        return EXIT_FAILED;
    int rc = entry_measure (entry, bench, &self->measure, &result, &why);
    if (rc)
        s_print_failure (self, entry, why);
    else if (self->json)
        s_print_json (self, entry, &result);
    else
        s_print_result (self, entry, &result);
    int done = cli_done (&verb_microbenchmark);
    return rc ? cli_failed (&verb_microbenchmark, "%s: %s", entry->name, why) : done;
}

/*  The first worker is there; waits for the others of an embedded cluster. Those
    of another one are started when there is work.                          */
static void
s_await_workers (troupe_t *troupe)
{
    unsigned wanted;
    bool threads;
    fault_t fault;
    int64_t deadline = clock_now () + WORKERS_WAIT;
    if (workers_settings (&wanted, &threads, &fault))
        return;
    while (troupe_workers (troupe) < wanted && clock_now () < deadline)
        usleep (1000);
}

static int
s_measure_all (request_t *self, bool embedded)
{
    static bench_t bench;
    int rc = EXIT_DONE;
    microbenchmark_register ();
    bench.troupe = troupe_init (NULL, NULL);
    if (!bench.troupe) {
        cli_failed (&verb_microbenchmark, "%s", troupe_error ());
        return embedded ? EXIT_FAILED : EXIT_UNREACHABLE;
    }
    bench.n = cores_settings () >= 4 ? cores_settings () / 2 : 2;
    if (embedded)
        s_await_workers (bench.troupe);
    if (!self->json)
        s_print_title (self, &bench, embedded);
    for (const entry_t *entry = entries; entry->name && !ferror (stdout); entry++)
        if (s_is_wanted (self, entry) && s_measure (self, entry, &bench))
            rc = EXIT_FAILED;
    if (troupe_term (&bench.troupe))
        rc = cli_failed (&verb_microbenchmark, "%s", troupe_error ());
    return rc;
}

/*  --- the command line ---------------------------------------------------  */

static int
s_read_numbers (request_t *self, const char *rounds, const char *seconds)
{
    int64_t count = ROUNDS;
    double duration = SECONDS;
    if (rounds && text_integer (rounds, 1, ROUNDS_MAX, &count))
        return cli_usage (&verb_microbenchmark,
                          "--rounds must be a number from 1 to %d, not '%s'", ROUNDS_MAX,
                          rounds);
    if (seconds
        && (text_amount (seconds, &duration) || duration < SECONDS_MIN
            || duration > SECONDS_MAX))
        return cli_usage (&verb_microbenchmark,
                          "--seconds must be a number from %g to %g, not '%s'", SECONDS_MIN,
                          SECONDS_MAX, seconds);
    self->measure = (measure_options_t){ (size_t) count, duration };
    return 0;
}

/*  Compiles the filter, and finds something that it lets through.          */
static int
s_read_filter (request_t *self)
{
    char why [128];
    int rc = self->filter ? regcomp (&self->regex, self->filter, REG_EXTENDED | REG_NOSUB) : 0;
    if (rc) {
        regerror (rc, &self->regex, why, sizeof why);
        return cli_usage (&verb_microbenchmark, "--filter '%s': %s", self->filter, why);
    }
    for (const entry_t *entry = entries; entry->name; entry++)
        if (s_is_wanted (self, entry)) {
            int width = (int) strlen (entry->name);
            self->width = width > self->width ? width : self->width;
            self->latency |= entry->latency;
        }
    if (self->width)
        return 0;
    regfree (&self->regex);
    return cli_usage (&verb_microbenchmark, "no entry has '%s' in its name", self->filter);
}

/*  The runtime finds what the command line names in the environment.       */
static int
s_choose_cluster (connection_t *connection, bool *embedded)
{
    int rc = connection_read (&verb_microbenchmark, connection);
    if (rc == 0 && (connection->address || connection->token))
        rc = connection_export (&verb_microbenchmark, connection);
    *embedded = !place_is_named ();
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    const char *rounds = NULL, *seconds = NULL;
    connection_t connection = { .address = NULL };
    request_t request = { .filter = NULL };
    bool embedded;
    const option_spec_t specs [] = { { "filter", OPTION_TEXT, &request.filter },
                                     { "rounds", OPTION_TEXT, &rounds },
                                     { "seconds", OPTION_TEXT, &seconds },
                                     { "json", OPTION_FLAG, &request.json },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_microbenchmark, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first < argc)
        return cli_usage (&verb_microbenchmark, "it takes no '%s'", argv [first]);
    int rc = s_read_numbers (&request, rounds, seconds);
    rc = rc ? rc : s_choose_cluster (&connection, &embedded);
    rc = rc ? rc : s_read_filter (&request);
    if (rc)
        return rc;
    request.screen = screen_look ();
    rc = s_measure_all (&request, embedded);
    if (request.filter)
        regfree (&request.regex);
    return rc;
}

const verb_t verb_microbenchmark = { "microbenchmark", s_help, s_run };
