/*  matrix_report.h - prints how two matrices were multiplied, for people or as
    JSON                                                                     */

#ifndef EXAMPLES_MATRIX_REPORT_H
#define EXAMPLES_MATRIX_REPORT_H

#include "examples/footprint.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define HOST_NAME_SIZE (HOST_NAME_MAX + 1)

/*  A process that had a part in it.                                        */
typedef struct {
    char host [HOST_NAME_SIZE];
    int64_t pid;
    size_t blocks;              /*  that it computed                        */
    footprint_t footprint;      /*  after its last block                    */
} member_t;

typedef struct {
    size_t size;
    size_t block;
    size_t side;                /*  blocks in a row                         */
    uint64_t put_bytes;         /*  both matrices                           */
    double put_seconds;
    member_t driver;
    member_t *workers;
    size_t worker_count;
    size_t *where;              /*  of each block, row after row: which of
                                    the workers                             */
    double plain_seconds;       /*  three loops, if it is checked           */
    double sequential_seconds;  /*  the blocks one after the other, here    */
    double tasks_seconds;
    bool checked;
    double error;               /*  the largest                             */
    double tolerance;
} matrix_result_t;

/*  True if it was not checked, or is right.                                */
bool matrix_result_right (const matrix_result_t *self);

void matrix_report_text (FILE *output, const matrix_result_t *result);

/*  One object, on a line of its own.                                       */
void matrix_report_json (FILE *output, const matrix_result_t *result);

#endif
