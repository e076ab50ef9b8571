/*  matrix_report.c - prints how two matrices were multiplied, for people or as
    JSON                                                                     */

#include "examples/matrix_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/*  Blocks in a row of a map that fits a terminal.                          */
#define MAP_MAX 32

#define MEGABYTE 1e6
#define LABEL_WIDTH 24

bool
matrix_result_right (const matrix_result_t *self)
{
    return !self->checked || self->error <= self->tolerance;
}

static double
s_gflops (const matrix_result_t *result, double seconds)
{
    double size = (double) result->size;
    return 2 * size * size * size / 1e9 / (seconds > 1e-9 ? seconds : 1e-9);
}

/*  In a cluster of threads the driver is a worker too.                     */
static bool
s_driver_is_apart (const matrix_result_t *result)
{
    for (size_t i = 0; i < result->worker_count; i++)
        if (result->workers [i].pid == result->driver.pid
            && strcmp (result->workers [i].host, result->driver.host) == 0)
            return false;
    return true;
}

/* ------------------------------------------------------------------------
   Text                                                                     */

static void
s_megabytes (FILE *output, int64_t bytes)
{
    if (bytes < 0)
        fprintf (output, "  %12s", "unknown");
    else
        fprintf (output, "  %9.1f MB", (double) bytes / MEGABYTE);
}

static void
s_footprint (FILE *output, const footprint_t *footprint)
{
    s_megabytes (output, footprint->own);
    s_megabytes (output, footprint->shared);
    s_megabytes (output, footprint->share);
    fputc ('\n', output);
}

/*  Adds up; what is not known of one is not known of all.                  */
static void
s_add (footprint_t *sum, const footprint_t *one)
{
    sum->own = sum->own < 0 || one->own < 0 ? -1 : sum->own + one->own;
    sum->shared = sum->shared < 0 || one->shared < 0 ? -1 : sum->shared + one->shared;
    sum->share = sum->share < 0 || one->share < 0 ? -1 : sum->share + one->share;
}

static void
s_worker_label (const matrix_result_t *result, size_t number, char *label, size_t size)
{
    const member_t *worker = &result->workers [number];
    if (strcmp (worker->host, result->driver.host) == 0)
        snprintf (label, size, "%zu  worker %" PRId64, number + 1, worker->pid);
    else
        snprintf (label, size, "%zu  worker %" PRId64 " on %s", number + 1, worker->pid,
                  worker->host);
}

static void
s_members (FILE *output, const matrix_result_t *result)
{
    char label [HOST_NAME_SIZE + 64];
    footprint_t sum = { 0, 0, 0 };
    size_t processes = result->worker_count;
    fprintf (output, "\n%-*s  %6s  %12s  %12s  %12s\n", LABEL_WIDTH, "process", "blocks",
             "private", "shared", "its share");
    for (size_t i = 0; i < result->worker_count; i++) {
        const member_t *worker = &result->workers [i];
        s_worker_label (result, i, label, sizeof label);
        fprintf (output, "%-*s  %6zu", LABEL_WIDTH, label, worker->blocks);
        s_footprint (output, &worker->footprint);
        s_add (&sum, &worker->footprint);
    }
    if (s_driver_is_apart (result)) {
        snprintf (label, sizeof label, "-  driver %" PRId64, result->driver.pid);
        fprintf (output, "%-*s  %6s", LABEL_WIDTH, label, "-");
        s_footprint (output, &result->driver.footprint);
        s_add (&sum, &result->driver.footprint);
        processes++;
    }
    fprintf (output, "%-*s  %6zu", LABEL_WIDTH, "all", result->side * result->side);
    s_footprint (output, &sum);
    if (sum.shared >= 0 && sum.share >= 0)
        fprintf (output,
                 "What %zu processes see as %.1f MB of shared memory is there once: "
                 "%.1f MB.\n",
                 processes, (double) sum.shared / MEGABYTE, (double) sum.share / MEGABYTE);
}

/*  Which worker computed each block.                                       */
static void
s_map (FILE *output, const matrix_result_t *result)
{
    int width = result->worker_count > 9 ? 3 : 2;
    fputs ("\nWho computed which block:\n", output);
    if (result->side > MAP_MAX) {
        fprintf (output, "  (%zu rows of %zu are too many to show; --json has them)\n",
                 result->side, result->side);
        return;
    }
    for (size_t row = 0; row < result->side; row++) {
        for (size_t column = 0; column < result->side; column++)
            fprintf (output, "%*zu", width, result->where [row * result->side + column] + 1);
        fputc ('\n', output);
    }
}

static void
s_time (FILE *output, const matrix_result_t *result, const char *name, double seconds)
{
    fprintf (output, "%-*s  %8.4f  %8.2f\n", LABEL_WIDTH, name, seconds,
             s_gflops (result, seconds));
}

static void
s_times (FILE *output, const matrix_result_t *result)
{
    char name [64];
    fprintf (output, "\n%-*s  %8s  %8s\n", LABEL_WIDTH, "", "seconds", "GFLOP/s");
    if (result->checked)
        s_time (output, result, "three plain loops", result->plain_seconds);
    s_time (output, result, "blocks, in the driver", result->sequential_seconds);
    snprintf (name, sizeof name, "blocks, by %zu worker%s", result->worker_count,
              result->worker_count == 1 ? "" : "s");
    s_time (output, result, name, result->tasks_seconds);
}

void
matrix_report_text (FILE *output, const matrix_result_t *result)
{
    size_t blocks = result->side * result->side;
    fprintf (output, "Two matrices of %zu x %zu, multiplied in %zu block%s of %s%zu x %zu.\n",
             result->size, result->size, blocks, blocks == 1 ? "" : "s",
             result->size % result->block ? "up to " : "", result->block, result->block);
    fprintf (output, "Put %.1f MB into shared memory, in %.4f seconds.\n",
             (double) result->put_bytes / MEGABYTE, result->put_seconds);
    s_members (output, result);
    s_map (output, result);
    s_times (output, result);
    if (result->checked)
        fprintf (output, "\n%s: the largest error is %.2g, and rounding allows %.2g.\n",
                 matrix_result_right (result) ? "Right" : "WRONG", result->error,
                 result->tolerance);
    else
        fputs ("\nNot checked.\n", output);
}

/* ------------------------------------------------------------------------
   JSON                                                                     */

/*  Host names have letters, digits and few others; what else there may be
    becomes a question mark.                                                */
static void
s_json_member (FILE *output, const member_t *member)
{
    fputs ("{\"host\":\"", output);
    for (const char *at = member->host; *at; at++)
        fputc (*at < ' ' || *at > '~' || *at == '"' || *at == '\\' ? '?' : *at, output);
    fprintf (output, "\",\"pid\":%" PRId64 ",\"blocks\":%zu", member->pid, member->blocks);
    const struct {
        const char *name;
        int64_t bytes;
    } fields [] = { { "private", member->footprint.own },
                    { "shared", member->footprint.shared },
                    { "share", member->footprint.share } };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields [i].bytes < 0)
            fprintf (output, ",\"%s_bytes\":null", fields [i].name);
        else
            fprintf (output, ",\"%s_bytes\":%" PRId64, fields [i].name, fields [i].bytes);
    fputc ('}', output);
}

static void
s_json_where (FILE *output, const matrix_result_t *result)
{
    for (size_t row = 0; row < result->side; row++)
        for (size_t column = 0; column < result->side; column++)
            fprintf (output, "%s%zu",
                     column ? ","
                     : row  ? "],["
                            : "[",
                     result->where [row * result->side + column]);
    fputc (']', output);
}

static void
s_json_time (FILE *output, const matrix_result_t *result, const char *name, double seconds)
{
    fprintf (output, ",\"%s\":{\"seconds\":%.6f,\"gflops\":%.3f}", name, seconds,
             s_gflops (result, seconds));
}

void
matrix_report_json (FILE *output, const matrix_result_t *result)
{
    fprintf (output, "{\"size\":%zu,\"block\":%zu,\"blocks\":%zu", result->size, result->block,
             result->side * result->side);
    fprintf (output, ",\"put_bytes\":%" PRIu64 ",\"put_seconds\":%.6f,\"workers\":[",
             result->put_bytes, result->put_seconds);
    for (size_t i = 0; i < result->worker_count; i++) {
        fputs (i ? "," : "", output);
        s_json_member (output, &result->workers [i]);
    }
    fputs ("],\"driver\":", output);
    s_json_member (output, &result->driver);
    fputs (",\"where\":[", output);
    s_json_where (output, result);
    fputc (']', output);
    if (result->checked)
        s_json_time (output, result, "plain", result->plain_seconds);
    s_json_time (output, result, "sequential", result->sequential_seconds);
    s_json_time (output, result, "tasks", result->tasks_seconds);
    if (!result->checked)
        fputs (",\"checked\":false", output);
    else if (isfinite (result->error))
        fprintf (output, ",\"checked\":true,\"max_error\":%.6e", result->error);
    else
        fputs (",\"checked\":true,\"max_error\":null", output);
    fprintf (output, ",\"tolerance\":%.6e,\"right\":%s}\n", result->tolerance,
             !result->checked               ? "null"
             : matrix_result_right (result) ? "true"
                                            : "false");
}
