/*  multiply.c - the product of two square matrices, by blocks and plainly   */

#include "examples/multiply.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/*  So many rows of the right matrix are used while they are in the cache,
    and so many of them at once.                                            */
#define ROWS 64
#define STEP 4

/*  Numbers that a loop has whose length the compiler knows, so that it needs
    no rest.                                                                */
#define LANES 8

size_t
block_count (size_t size, size_t side)
{
    return (size + side - 1) / side;
}

block_t
block_at (size_t size, size_t side, size_t row, size_t column)
{
    block_t block = { row * side, column * side, side, side };
    if (block.height > size - block.row)
        block.height = size - block.row;
    if (block.width > size - block.column)
        block.width = size - block.column;
    return block;
}

void
matrix_fill (double *items, size_t count, unsigned seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++) {
        state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
        items [i] = (double) (int64_t) state / 9223372036854775808.0;
    }
}

/*  Adds STEP rows, each times its factor, to another.                      */
static void
s_add_rows (double *restrict sum, const double *restrict rows, size_t stride,
            const double *factors, size_t width)
{
    const double f0 = factors [0], f1 = factors [1], f2 = factors [2], f3 = factors [3];
    const double *restrict r0 = rows, *restrict r1 = r0 + stride;
    const double *restrict r2 = r1 + stride, *restrict r3 = r2 + stride;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (size_t lane = i; lane < i + LANES; lane++)
            sum [lane] += (f0 * r0 [lane] + f1 * r1 [lane]) + (f2 * r2 [lane] + f3 * r3 [lane]);
    for (; i < width; i++)
        sum [i] += (f0 * r0 [i] + f1 * r1 [i]) + (f2 * r2 [i] + f3 * r3 [i]);
}

/*  Adds one row times its factor.                                          */
static void
s_add_row (double *restrict sum, const double *restrict row, double factor, size_t width)
{
    for (size_t i = 0; i < width; i++)
        sum [i] += factor * row [i];
}

void
multiply_block (const double *left, const double *right, size_t size, const block_t *block,
                double *product)
{
    memset (product, 0, block->height * block->width * sizeof *product);
    for (size_t from = 0; from < size; from += ROWS) {
        size_t to = size - from < ROWS ? size : from + ROWS;
        for (size_t row = 0; row < block->height; row++) {
            const double *factors = left + (block->row + row) * size;
            const double *rows = right + block->column;
            double *sum = product + row * block->width;
            size_t k = from;
            for (; k + STEP <= to; k += STEP)
                s_add_rows (sum, rows + k * size, size, factors + k, block->width);
            for (; k < to; k++)
                s_add_row (sum, rows + k * size, factors [k], block->width);
        }
    }
}

void
multiply_plainly (const double *left, const double *right, size_t size, double *product)
{
    memset (product, 0, size * size * sizeof *product);
    for (size_t row = 0; row < size; row++)
        for (size_t k = 0; k < size; k++)
            for (size_t column = 0; column < size; column++)
                product [row * size + column]
                    += left [row * size + k] * right [k * size + column];
}

double
block_error (const double *items, const block_t *block, const double *product, size_t size)
{
    double most = 0;
    for (size_t row = 0; row < block->height; row++) {
        const double *wanted = product + (block->row + row) * size + block->column;
        const double *found = items + row * block->width;
        for (size_t column = 0; column < block->width; column++) {
            double error = fabs (found [column] - wanted [column]);
            if (!(error <= most))
                most = error;
            if (isnan (error))
                return error;
        }
    }
    return most;
}

double
multiply_tolerance (size_t size)
{
    return (double) size * DBL_EPSILON * (double) size;
}
