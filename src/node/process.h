/*  process.h - worker processes: this program, run again                   */

#ifndef TROUPE_NODE_PROCESS_H
#define TROUPE_NODE_PROCESS_H

#include "core/error.h"

#include <sys/types.h>

/*  Starts this program again with the same arguments and TROUPE_BOOT=boot in
    its environment; fd is inherited. *pidfd becomes readable when it ends.
    Returns the pid, or -1 with the fault set.                              */
pid_t process_start (const char *boot, int fd, int *pidfd, fault_t *fault);

/*  Reaps an ended process and says how it ended: "killed by signal 9
    (Killed)", "exited with status 3". Returns false if somebody else ended
    it, by SIGKILL or SIGTERM.                                              */
bool process_reap (pid_t pid, char *cause, size_t size);

#endif
