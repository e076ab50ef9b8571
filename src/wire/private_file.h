/*  private_file.h - files that only their user may read and write: keys,
    tokens. All return 0, or -1 with the fault set                           */

#ifndef TROUPE_WIRE_PRIVATE_FILE_H
#define TROUPE_WIRE_PRIVATE_FILE_H

#include "core/error.h"

/*  Reads a file whole, as text, into room bytes. Refuses, saying why, one that
    is not a plain file, is not ours, that others may read or write, or that is
    too large. TROUPE_ENAME: there is none.                                 */
int private_file_read (const char *path, char *text, size_t room, fault_t *fault);

/*  Writes a file (0600) through a temporary one beside it, so that it is whole
    or as it was; makes its folder (0700) if it is not there. If `only_new`,
    fails with TROUPE_EEXISTS where there is one.                           */
int private_file_write (const char *path, const char *text, bool only_new, fault_t *fault);

/*  Refuses a folder of the file in which others could put another one there;
    in a sticky folder they could not replace ours.                         */
int private_file_check_folder (const char *path, fault_t *fault);

#endif
