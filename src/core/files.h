/*  files.h - how many files this process may have open, and who may take them

    The one place that divides the limit of open files (RLIMIT_NOFILE). A
    quarter, but if there are few no less than 128, is for what the process
    itself needs: threads, sockets, files. Two thirds of the rest, half of all,
    are for connections from other machines, which strangers can make; and a
    third for those of this machine. New descriptors have the lowest number that
    is free, so a high number says that few are left.

    All functions are thread-safe.                                          */

#ifndef TROUPE_CORE_FILES_H
#define TROUPE_CORE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*  What the process may have, not more than INT_MAX.                       */
size_t files_max (void);

/*  Raises the limit as far as the process may, for as long as it lives and for
    those that it starts. Returns what it may have then.                    */
size_t files_raise (void);

/*  How many connections from other machines there may be at once, and how many
    of them from one address, where several processes may be.               */
size_t files_for_network (void);
size_t files_for_address (void);

/*  Whether a connection within this machine may stay that has got this
    descriptor.                                                             */
bool files_left_for_local (int fd);

/*  Whether there is enough left behind this descriptor to start a thread.  */
bool files_left_for_thread (int fd);

#endif
