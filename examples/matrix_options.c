/*  matrix_options.c - the command line of matrix                            */

#include "examples/matrix_options.h"

#include "examples/multiply.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE_DEFAULT 1000
#define BLOCK_DEFAULT 256
#define SIZE_LIMIT 65536
#define BLOCKS_LIMIT 100000

static const char s_usage [] =
    "usage: matrix [--size N] [--block B] [--json] [--no-check]\n"
    "Multiplies two matrices by blocks. Both lie in shared memory once, and the tasks\n"
    "that multiply read them there.\n"
    "  --size N     rows and columns of the matrices (1000)\n"
    "  --block B    rows and columns of a block, a task each (256)\n"
    "  --json       print a JSON object, on one line\n"
    "  --no-check   do not multiply by three plain loops as well, to compare; --check,\n"
    "               the default, does\n"
    "  --spoil      change a number of the product, which the check must find\n"
    "TROUPE_WORKERS sets the number of worker processes.\n";

static int
s_number (const char *name, const char *text, size_t *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul (text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1 || value > SIZE_LIMIT) {
        fprintf (stderr, "matrix: --%s must be a number from 1 to %d, not %s\n", name,
                 SIZE_LIMIT, text);
        return -1;
    }
    *number = value;
    return 0;
}

/*  Options that go together, or do not.                                    */
static int
s_check (matrix_options_t *self)
{
    if (self->block > self->size)
        self->block = self->size;
    size_t side = block_count (self->size, self->block);
    if (side * side > BLOCKS_LIMIT) {
        fprintf (stderr,
                 "matrix: --block %zu makes %zu blocks of a matrix of %zu, and %d is the limit\n",
                 self->block, side * side, self->size, BLOCKS_LIMIT);
        return -1;
    }
    if (self->spoil && !self->check) {
        fputs ("matrix: --spoil is of no use with --no-check\n", stderr);
        return -1;
    }
    return 0;
}

int
matrix_options_parse (matrix_options_t *self, int argc, char *argv [])
{
    static const struct option names [] = {
        { "size", required_argument, NULL, 'n' }, { "block", required_argument, NULL, 'b' },
        { "json", no_argument, NULL, 'j' }, { "check", no_argument, NULL, 'c' },
        { "no-check", no_argument, NULL, 'C' }, { "spoil", no_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    int letter, bad = 0;
    *self = (matrix_options_t){ .size = SIZE_DEFAULT, .block = BLOCK_DEFAULT, .check = true };
    while (!bad && (letter = getopt_long (argc, argv, "h", names, NULL)) != -1)
        switch (letter) {
        case 'n': bad = s_number ("size", optarg, &self->size); break;
        case 'b': bad = s_number ("block", optarg, &self->block); break;
        case 'j': self->json = true; break;
        case 'c': self->check = true; break;
        case 'C': self->check = false; break;
        case 's': self->spoil = true; break;
        case 'h': return fputs (s_usage, stdout) < 0 ? -1 : 1;
        default: bad = -1; break;
        }
    if (bad == 0 && optind < argc) {
        fprintf (stderr, "matrix: wanted no argument, got %s\n", argv [optind]);
        bad = -1;
    }
    if (bad == 0)
        bad = s_check (self);
    if (bad)
        fputs ("Try matrix --help.\n", stderr);
    return bad;
}
