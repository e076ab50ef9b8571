/*  say.h - what a program of bench/compare says: one JSON object a line, as
    bench/compare.d/steps.py explains. For C and C++                         */

#ifndef TROUPE_COMPARE_SAY_H
#define TROUPE_COMPARE_SAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t
say_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/*  Whether this row is asked for.                                          */
static inline bool
say_wanted (const char *row)
{
    const char *rows = getenv ("COMPARE_ROWS");
    size_t length = strlen (row);
    for (const char *at = rows; at && (at = strstr (at, row)); at += length)
        if ((at == rows || at [-1] == ',') && (!at [length] || at [length] == ','))
            return true;
    return !rows;
}

/*  A number from the environment.                                          */
static inline size_t
say_number (const char *name, size_t otherwise)
{
    const char *text = getenv (name);
    return text && *text ? (size_t) strtoull (text, NULL, 10) : otherwise;
}

static inline size_t
say_workers (void)
{
    return say_number ("COMPARE_WORKERS", 2);
}

static inline void
say_value (const char *row, double value)
{
    printf ("{\"row\":\"%s\",\"value\":%.9g}\n", row, value);
    fflush (stdout);
}

/*  Of fewer operations than the row says; with a note unless it is NULL.   */
static inline void
say_value_of (const char *row, double value, size_t count, const char *note)
{
    printf ("{\"row\":\"%s\",\"value\":%.9g", row, value);
    if (count)
        printf (",\"count\":%zu", count);
    if (note)
        printf (",\"note\":\"%s\"", note);
    puts ("}");
    fflush (stdout);
}

static inline void
say_skip (const char *row, const char *why)
{
    printf ("{\"skip\":\"%s\",\"why\":\"%s\"}\n", row, why);
    fflush (stdout);
}

static inline void
say_answered (const char *row)
{
    printf ("{\"answered\":\"%s\"}\n", row);
    fflush (stdout);
}

/*  Asks for a measure and waits until it is done.                          */
static inline void
say_ask (const char *request)
{
    char line [16];
    puts (request);
    fflush (stdout);
    if (!fgets (line, sizeof line, stdin))
        exit (1);
}

static inline int
say_compare_samples (const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;
    return (a > b) - (a < b);
}

/*  One operation. Returns 0 or -1.                                         */
typedef int say_operation_t (void *context);

/*  Times count operations, after a tenth of them to warm up, and says the
    median in microseconds. Returns 0 or -1.                                */
static inline int
say_latency (const char *row, say_operation_t *operation, void *context, size_t count,
             const char *note)
{
    if (!say_wanted (row))
        return 0;
    double *samples = (double *) calloc (count, sizeof *samples);
    int failed = samples ? 0 : -1;
    for (size_t i = 0; !failed && i < count / 10 + 1; i++)
        failed = operation (context);
    for (size_t i = 0; !failed && i < count; i++) {
        int64_t start = say_now ();
        failed = operation (context);
        samples [i] = (double) (say_now () - start) / 1e3;
    }
    if (!failed) {
        qsort (samples, count, sizeof *samples, say_compare_samples);
        say_value_of (row, samples [count / 2], 0, note);
    }
    free (samples);
    return failed;
}

/*  Times one operation that stands for count, several times after once to
    warm up, and says how many a second. Returns 0 or -1.                   */
static inline int
say_rate (const char *row, say_operation_t *operation, void *context, size_t count,
          size_t repeats, const char *note)
{
    if (!say_wanted (row))
        return 0;
    for (size_t i = 0; i <= repeats; i++) {
        int64_t start = say_now ();
        if (operation (context))
            return -1;
        double seconds = (double) (say_now () - start) / 1e9;
        if (i > 0)
            say_value_of (row, (double) count / seconds, 0, note);
    }
    return 0;
}

#endif
