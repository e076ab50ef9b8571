/*  signature.h - methods, as the head tells of them: maps of a name and
    parameters, which are nil where the class does not declare them         */

#ifndef TROUPE_CLI_SIGNATURE_H
#define TROUPE_CLI_SIGNATURE_H

#include "core/parameter.h"

#include <stdio.h>

#define SIGNATURE_PARAMETERS_MAX 256

typedef struct {
    bool declared;
    size_t count;
    parameter_t parameters [SIGNATURE_PARAMETERS_MAX];
} signature_t;

/*  True if the value is such a map.                                        */
bool signature_is (troupe_view_t value);

/*  Prints "add (amount: int64)"; of one that is not declared the name only. */
void signature_print (FILE *file, troupe_view_t method);

/*  Finds a method of a class by its name, with or without that of the class
    in front, and reads what it takes; the names are good as long as the
    methods. Returns 0, or -1 if there is none.                             */
int signature_find (troupe_view_t methods, const char *class_name, const char *name,
                    signature_t *signature);

#endif
