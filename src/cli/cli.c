/*  cli.c - complaints of the troupe command, and the end of its output     */

#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
s_complain (const verb_t *verb, const char *format, va_list args)
{
    fprintf (stderr, "troupe %s: ", verb->name);
    vfprintf (stderr, format, args);
    putc ('\n', stderr);
}

int
cli_usage (const verb_t *verb, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_complain (verb, format, args);
    va_end (args);
    fprintf (stderr, "Try troupe help %s.\n", verb->name);
    return EXIT_USAGE;
}

int
cli_failed (const verb_t *verb, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_complain (verb, format, args);
    va_end (args);
    return EXIT_FAILED;
}

int
cli_done (const verb_t *verb)
{
    if (fflush (stdout) == 0 && !ferror (stdout))
        return EXIT_DONE;
    return cli_failed (verb, "standard output: %s", strerror (errno));
}
