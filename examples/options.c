/*  options.c - the command line of wordfreq                                 */

#include "examples/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUBLISTS_MAX 100000
#define TOP_MAX 1000000

static const char s_usage [] =
    "usage: wordfreq [--variant V] [--sublists N] [--top K] [--json] FILE...\n"
    "Finds the most frequent word of a text, exactly.\n"
    "  --variant V    sequential, tasks, actors or all (all)\n"
    "  --sublists N   parts that the text is cut into (4, or one a core if more)\n"
    "  --top K        the K most frequent words (1)\n"
    "  --json         one JSON object per variant, on a line of its own\n"
    "TROUPE_WORKERS sets the number of worker processes.\n";

static int
s_variant (const char *text, unsigned *variants)
{
    static const struct { const char *name; unsigned bits; } names [] = {
        { "sequential", VARIANT_SEQUENTIAL }, { "tasks", VARIANT_TASKS },
        { "actors", VARIANT_ACTORS }, { "all", VARIANT_ALL }
    };
    for (size_t i = 0; i < sizeof (names) / sizeof (names [0]); i++)
        if (strcmp (text, names [i].name) == 0) {
            *variants = names [i].bits;
            return 0;
        }
    fprintf (stderr, "wordfreq: --variant must be sequential, tasks, actors or all, not %s\n",
             text);
    return -1;
}

static int
s_number (const char *name, const char *text, size_t most, size_t *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul (text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1 || value > most) {
        fprintf (stderr, "wordfreq: --%s must be a number from 1 to %zu, not %s\n", name, most,
                 text);
        return -1;
    }
    *number = value;
    return 0;
}

int
options_parse (options_t *self, int argc, char *argv [])
{
    static const struct option names [] = {
        { "variant", required_argument, NULL, 'v' }, { "sublists", required_argument, NULL, 'n' },
        { "top", required_argument, NULL, 'k' }, { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    int letter, bad = 0;
    *self = (options_t){ VARIANT_ALL, cores > 4 ? (size_t) cores : 4, 1, false, NULL, 0 };
    while (!bad && (letter = getopt_long (argc, argv, "h", names, NULL)) != -1)
        switch (letter) {
        case 'v': bad = s_variant (optarg, &self->variants); break;
        case 'n': bad = s_number ("sublists", optarg, SUBLISTS_MAX, &self->sublists); break;
        case 'k': bad = s_number ("top", optarg, TOP_MAX, &self->top); break;
        case 'j': self->json = true; break;
        case 'h': return fputs (s_usage, stdout) < 0 ? -1 : 1;
        default: bad = -1; break;
        }
    if (bad == 0 && optind == argc) {
        fputs ("wordfreq: no FILE given\n", stderr);
        bad = -1;
    }
    if (bad)
        fputs ("Try wordfreq --help.\n", stderr);
    self->paths = argv + optind;
    self->count = (size_t) (argc - optind);
    return bad;
}
