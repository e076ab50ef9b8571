/*  matrix_options.h - the command line of matrix                            */

#ifndef EXAMPLES_MATRIX_OPTIONS_H
#define EXAMPLES_MATRIX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t size;                /*  rows and columns of the matrices        */
    size_t block;               /*  ... of a block, at most as many         */
    bool json;
    bool check;                 /*  against three plain loops               */
    bool spoil;                 /*  the product, which the check must find  */
} matrix_options_t;

/*  Reads the command line. Returns 0; 1 after it has printed help; or -1
    after a message to stderr.                                              */
int matrix_options_parse (matrix_options_t *self, int argc, char *argv []);

#endif
