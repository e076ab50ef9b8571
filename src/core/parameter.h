/*  parameter.h - what a method says that it takes: "amount: int64, key: string" */

#ifndef TROUPE_CORE_PARAMETER_H
#define TROUPE_CORE_PARAMETER_H

#include "core/error.h"

/*  The types: name, text.                                                  */
#define PARAMETER_TYPES(X)                                                                   \
    X (ANY, "any")                                                                           \
    X (BOOL, "bool")                                                                         \
    X (INT8, "int8")                                                                         \
    X (INT16, "int16")                                                                       \
    X (INT32, "int32")                                                                       \
    X (INT64, "int64")                                                                       \
    X (UINT8, "uint8")                                                                       \
    X (UINT16, "uint16")                                                                     \
    X (UINT32, "uint32")                                                                     \
    X (UINT64, "uint64")                                                                     \
    X (FLOAT, "float")                                                                       \
    X (DOUBLE, "double")                                                                     \
    X (STRING, "string")                                                                     \
    X (BYTES, "bytes")                                                                       \
    X (INT32S, "int32s")                                                                     \
    X (INT64S, "int64s")                                                                     \
    X (FLOATS, "floats")                                                                     \
    X (DOUBLES, "doubles")                                                                   \
    X (STRINGS, "strings")                                                                   \
    X (LIST, "list")                                                                         \
    X (MAP, "map")                                                                           \
    X (ACTOR, "actor")                                                                       \
    X (FUTURE, "future")

typedef enum {
#define PARAMETER_ENUM_(name, text) PARAMETER_##name,
    PARAMETER_TYPES (PARAMETER_ENUM_)
#undef PARAMETER_ENUM_
    PARAMETER_TYPE_LIMIT
} parameter_type_t;

typedef struct {
    const char *name;           /*  in the declaration, without a NUL       */
    size_t name_size;
    parameter_type_t type;
} parameter_t;

const char *parameter_type_text (parameter_type_t type);

/*  The type of this name; PARAMETER_TYPE_LIMIT if there is none.           */
parameter_type_t parameter_type (const char *text, size_t size);

/*  Takes the next parameter off a declaration. Returns 1, 0 at the end, or
    -1 with the fault set to what is wrong with it.                         */
int parameter_next (const char **declaration, parameter_t *parameter, fault_t *fault);

/*  Counts the parameters. -1 with the fault set if the declaration is longer
    than TROUPE_PARAMETERS_MAX, or makes no sense.                          */
int parameters_count (const char *declaration, fault_t *fault);

#endif
