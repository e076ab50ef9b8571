/*  multiply.h - the product of two square matrices, by blocks and plainly

    Matrices are arrays of numbers, row after row.                           */

#ifndef EXAMPLES_MULTIPLY_H
#define EXAMPLES_MULTIPLY_H

#include <stddef.h>

/*  A part of a matrix.                                                     */
typedef struct {
    size_t row;                 /*  where it begins                         */
    size_t column;
    size_t height;
    size_t width;
} block_t;

/*  How many blocks of `side` numbers a matrix of `size` has in a row.      */
size_t block_count (size_t size, size_t side);

/*  The block at this place among the blocks; those at the end may be smaller. */
block_t block_at (size_t size, size_t side, size_t row, size_t column);

/*  Fills count numbers with what follows from the seed, from -1 to 1.      */
void matrix_fill (double *items, size_t count, unsigned seed);

/*  One block of the product of two matrices of `size`, as an array of its own:
    cut into pieces that stay in the cache.                                 */
void multiply_block (const double *left, const double *right, size_t size, const block_t *block,
                     double *product);

/*  All of the product by three plain loops.                                */
void multiply_plainly (const double *left, const double *right, size_t size, double *product);

/*  The largest difference between a block and its place in a whole product;
    NaN if there is one among them.                                         */
double block_error (const double *items, const block_t *block, const double *product,
                    size_t size);

/*  How far two ways to add up the same products of `size` numbers from -1 to 1
    may be apart because of rounding.                                       */
double multiply_tolerance (size_t size);

#endif
