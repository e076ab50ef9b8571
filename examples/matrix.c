/*  matrix.c - the product of two matrices, computed in blocks by tasks that all
    read the same two objects in shared memory

    The driver makes each matrix once, in place (troupe_create, troupe_seal),
    and gives its future to every task. A task reads both where they lie, and
    writes its block of the product where it stays. No number is copied.      */

#include "examples/matrix_options.h"
#include "examples/matrix_report.h"
#include "examples/multiply.h"

#include <troupe.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------------
   In a worker                                                              */

/*  (doubles left, doubles right, size, side of a block, row, column) ->
    doubles of the block, host, pid, and three sizes of a footprint          */
static int
multiply (troupe_call_t *call)
{
    troupe_doubles_t left, right;
    size_t size, side, row, column;
    char host [HOST_NAME_SIZE] = "";
    if (troupe_args (call, &left, &right, &size, &side, &row, &column))
        return -1;
    if (size == 0 || side == 0 || left.count / size != size || right.count != left.count
        || row >= block_count (size, side) || column >= block_count (size, side))
        return troupe_fail (call, "there is no block %zu, %zu", row, column);

    block_t block = block_at (size, side, row, column);
    troupe_object_t *product
        = troupe_create (troupe_of (call), TROUPE_ARG_DOUBLES, block.height * block.width);
    if (!product)
        return troupe_fail (call, "no room for a block: %s", troupe_error ());
    multiply_block (left.items, right.items, size, &block, troupe_object_data (product));

    footprint_t footprint = footprint_now ();
    gethostname (host, sizeof host - 1);
    return troupe_return (call, product, (const char *) host, (int64_t) getpid (),
                          footprint.own, footprint.shared, footprint.share);
}
TROUPE_TASK (multiply);

/* ------------------------------------------------------------------------
   In the driver                                                            */

typedef struct {
    troupe_t *troupe;
    const matrix_options_t *options;
    troupe_future_t *left;
    troupe_future_t *right;
    troupe_future_t **answers;      /*  a block each                        */
    size_t blocks;
    double *plain;                  /*  the product, by three loops         */
    matrix_result_t result;
} job_t;

static double
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int
s_failed (const char *what, const char *why)
{
    fprintf (stderr, "matrix: %s: %s\n", what, why);
    return -1;
}

/*  A matrix in shared memory, filled where it lies. NULL: see troupe_error. */
static troupe_future_t *
s_put (troupe_t *troupe, size_t size, unsigned seed)
{
    troupe_object_t *object = troupe_create (troupe, TROUPE_ARG_DOUBLES, size * size);
    if (!object)
        return NULL;
    matrix_fill (troupe_object_data (object), size * size, seed);
    return troupe_seal (&object);
}

static int
s_put_both (job_t *self)
{
    size_t size = self->options->size;
    double start = s_now ();
    self->left = s_put (self->troupe, size, 1);
    self->right = self->left ? s_put (self->troupe, size, 2) : NULL;
    self->result.put_seconds = s_now () - start;
    self->result.put_bytes = 2 * (uint64_t) size * size * sizeof (double);
    return self->right ? 0 : s_failed ("cannot put the matrices", troupe_error ());
}

/*  The same blocks one after the other, in this thread.                    */
static int
s_sequential (job_t *self)
{
    troupe_doubles_t left, right;
    size_t size = self->options->size, side = self->options->block;
    double *product = calloc (side * side, sizeof *product);
    if (!product)
        return s_failed ("sequential", "out of memory");
    int status = troupe_get (self->left, &left) || troupe_get (self->right, &right) ? -1 : 0;
    double start = s_now ();
    for (size_t i = 0; status == 0 && i < self->blocks; i++) {
        block_t block = block_at (size, side, i / self->result.side, i % self->result.side);
        multiply_block (left.items, right.items, size, &block, product);
    }
    self->result.sequential_seconds = s_now () - start;
    free (product);
    return status ? s_failed ("sequential", troupe_error ()) : 0;
}

/*  Submits a task for each block and waits for all of them.                */
static int
s_tasks (job_t *self)
{
    size_t side = self->result.side;
    double start = s_now ();
    for (size_t i = 0; i < self->blocks; i++) {
        self->answers [i] = troupe_remote (self->troupe, multiply, self->left, self->right,
                                           self->options->size, self->options->block, i / side,
                                           i % side, TROUPE_WITH (.retries = -1));
        if (!self->answers [i])
            return s_failed ("tasks", troupe_error ());
    }
    if (troupe_wait (self->answers, self->blocks, self->blocks, -1, NULL) < 0)
        return s_failed ("tasks", troupe_error ());
    self->result.tasks_seconds = s_now () - start;
    return 0;
}

/*  The place of a worker among those known.                                */
static size_t
s_worker (matrix_result_t *result, const char *host, int64_t pid)
{
    for (size_t i = 0; i < result->worker_count; i++)
        if (result->workers [i].pid == pid && strcmp (result->workers [i].host, host) == 0)
            return i;
    member_t *worker = &result->workers [result->worker_count];
    snprintf (worker->host, sizeof worker->host, "%s", host);
    worker->pid = pid;
    return result->worker_count++;
}

/*  Notes who computed a block, and how far it is off if that is known.     */
static int
s_take (job_t *self, size_t place)
{
    matrix_result_t *result = &self->result;
    troupe_doubles_t items;
    const char *host;
    int64_t pid;
    footprint_t footprint;
    block_t block
        = block_at (result->size, result->block, place / result->side, place % result->side);
    if (troupe_get (self->answers [place], &items, &host, &pid, &footprint.own,
                    &footprint.shared, &footprint.share))
        return s_failed ("tasks", troupe_error ());
    if (items.count != block.height * block.width)
        return s_failed ("tasks", "a block has another size");
    result->where [place] = s_worker (result, host, pid);
    member_t *worker = &result->workers [result->where [place]];
    worker->blocks++;
    /*  The largest: answers do not come in the order of their places.      */
    if (footprint.shared >= worker->footprint.shared)
        worker->footprint = footprint;
    if (self->plain) {
        double error = block_error (items.items, &block, self->plain, result->size);
        if (!(error <= result->error) && !isnan (result->error))
            result->error = error;
    }
    return 0;
}

/*  Multiplies plainly, to compare. Objects are read only, so that it is here
    where a number is spoilt, which the blocks then differ from.            */
static int
s_plain (job_t *self)
{
    troupe_doubles_t left, right;
    size_t size = self->options->size;
    self->plain = calloc (size * size, sizeof *self->plain);
    if (!self->plain)
        return s_failed ("three plain loops", "out of memory");
    if (troupe_get (self->left, &left) || troupe_get (self->right, &right))
        return s_failed ("three plain loops", troupe_error ());
    double start = s_now ();
    multiply_plainly (left.items, right.items, size, self->plain);
    self->result.plain_seconds = s_now () - start;
    if (self->options->spoil)
        self->plain [size * size - 1] += 1;
    return 0;
}

static int
s_run (job_t *self)
{
    const matrix_options_t *options = self->options;
    matrix_result_t *result = &self->result;
    *result = (matrix_result_t){ .size = options->size,
                                 .block = options->block,
                                 .side = block_count (options->size, options->block),
                                 .checked = options->check,
                                 .tolerance = multiply_tolerance (options->size) };
    self->blocks = result->side * result->side;
    self->answers = calloc (self->blocks, sizeof (troupe_future_t *));
    result->where = calloc (self->blocks, sizeof *result->where);
    result->workers = calloc (self->blocks, sizeof *result->workers);
    if (!self->answers || !result->where || !result->workers)
        return s_failed ("cannot begin", "out of memory");
    if (s_put_both (self) || s_sequential (self) || s_tasks (self))
        return -1;
    result->driver.pid = getpid ();
    gethostname (result->driver.host, sizeof result->driver.host - 1);
    result->driver.footprint = footprint_now ();
    if (options->check && s_plain (self))
        return -1;
    for (size_t i = 0; i < self->blocks; i++)
        if (s_take (self, i))
            return -1;
    return 0;
}

static void
s_release (job_t *self)
{
    for (size_t i = 0; self->answers && i < self->blocks; i++)
        troupe_future_destroy (&self->answers [i]);
    troupe_future_destroy (&self->left);
    troupe_future_destroy (&self->right);
    free (self->answers);
    free (self->plain);
    free (self->result.where);
    free (self->result.workers);
}

/*  Prints the result, and says whether it is right.                        */
static int
s_report (const job_t *self)
{
    if (self->options->json)
        matrix_report_json (stdout, &self->result);
    else
        matrix_report_text (stdout, &self->result);
    if (fflush (stdout) || ferror (stdout))
        return s_failed ("cannot write", strerror (errno));
    return matrix_result_right (&self->result) ? 0 : s_failed ("the product", "is wrong");
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    matrix_options_t options;
    int bad = matrix_options_parse (&options, argc, argv), status = -1;
    if (!bad && !troupe)
        fprintf (stderr, "matrix: %s\n", troupe_error ());
    if (!bad && troupe) {
        job_t job = { .troupe = troupe, .options = &options };
        status = s_run (&job) ? -1 : s_report (&job);
        s_release (&job);
    }
    if (troupe)
        troupe_term (&troupe);
    return bad > 0 ? 0 : bad < 0 ? 2 : status ? 1 : 0;
}
