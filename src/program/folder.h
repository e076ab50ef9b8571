/*  folder.h - folders of files that belong to one user alone               */

#ifndef TROUPE_PROGRAM_FOLDER_H
#define TROUPE_PROGRAM_FOLDER_H

#include "core/error.h"

#include <sys/types.h>

/*  Opens a folder, made with what is above it if it is not there: ours, with
    mode 0700, and reached over nothing that another user could exchange.
    *resolved is its absolute path without symbolic links, to be freed.
    Returns a descriptor, or -1 with the fault set.                         */
int folder_open (const char *path, char **resolved, fault_t *fault);

/*  A regular file in a folder.                                             */
typedef struct {
    char name [256];
    int64_t changed;            /*  nanoseconds, as st_mtim                 */
    uint64_t size;
} folder_entry_t;

/*  Lists the regular files whose names `wanted` accepts, the longest not
    changed first; to be freed. Returns NULL with *count 0 if there are none,
    or they cannot be read.                                                 */
folder_entry_t *folder_list (int fd, bool (*wanted) (const char *name), size_t *count);

#endif
