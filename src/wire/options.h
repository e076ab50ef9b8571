/*  options.h - what a task, an actor or a bundle asks of the cluster, and how
    that is written into a record

    A block of options, all numbers little-endian, padded to a multiple of 8:

        0  u32  size of the block
        4  u8   placement
        5  u8   flags
        6  u8   number of resources
        7  u8   length of the node's name
        8  u64  node, 0 for none
       16  u64  group: owner
       24  u64  group: sequence
       32  u32  bundle of the group
       36  u32  0
       40  for each resource: i64 amount, u8 length, name, padded to 8
           the node's name                                                  */

#ifndef TROUPE_WIRE_OPTIONS_H
#define TROUPE_WIRE_OPTIONS_H

#include "core/bytes.h"
#include "core/id.h"

/*  Amounts are counted in ten-thousandths.                                 */
#define RESOURCE_UNIT INT64_C (10000)
#define RESOURCE_NAME_MAX 63
#define OPTIONS_RESOURCES_MAX 16
#define NODE_NAME_MAX 127

/*  Amounts beyond this are refused, so that sums cannot overflow.          */
#define RESOURCE_AMOUNT_MAX (INT64_C (1) << 58)

/*  Names that everybody knows.                                             */
#define RESOURCE_CPUS "cpus"
#define RESOURCE_MEMORY "memory"
#define RESOURCE_GPUS "gpus"

/*  A name is not terminated.                                               */
typedef struct {
    const char *name;
    size_t length;
    int64_t amount;
} resource_t;

typedef enum {
    PLACE_PACK = 0,             /*  nodes are filled to a half, then evenly */
    PLACE_SPREAD,               /*  to the node that is used least          */
    PLACE_NODE,                 /*  there only                              */
    PLACE_NODE_SOFT,            /*  there if it fits, else anywhere         */
    PLACE_GROUP,                /*  in a bundle of a group                  */
    PLACE_LIMIT
} placement_t;

enum {
    OPTIONS_RESOURCES = 1,      /*  resources stand instead of the default  */
    OPTIONS_DETACHED = 2,       /*  SPAWN: the actor survives its job       */
    OPTIONS_GET_OR_CREATE = 4   /*  SPAWN: an actor of that name will do    */
};

#define BUNDLE_ANY UINT32_MAX

typedef struct {
    placement_t placement;
    unsigned flags;
    process_t node;             /*  PLACE_NODE...: by process, or           */
    const char *node_name;      /*  by name, if node is 0                   */
    size_t node_name_length;
    tid_t group;
    uint32_t bundle;
    size_t count;
    resource_t resources [OPTIONS_RESOURCES_MAX];
} options_t;

/*  Appends a block. Returns 0, or -1: no memory, or the options are not
    valid.                                                                  */
int options_write (bytes_t *bytes, const options_t *options);

/*  Reads a block; names point into it. Returns its size, or 0 if it is
    malformed.                                                              */
size_t options_read (const uint8_t *data, size_t size, options_t *options);

/*  Reads "NAME=AMOUNT NAME=AMOUNT" and appends to the resources, of which
    there are *count and may be OPTIONS_RESOURCES_MAX; names point into the
    text. Returns 0, or -1: malformed, out of range, or too many.           */
int resources_parse (const char *text, resource_t *resources, size_t *count);

#endif
