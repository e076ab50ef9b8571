/*  process.h - processes that the node starts, watches and reaps            */

#ifndef TROUPE_PROGRAM_PROCESS_H
#define TROUPE_PROGRAM_PROCESS_H

#include "core/error.h"

#include <sys/types.h>

/*  What to start. Zeroed is this program again, with its own arguments.    */
typedef struct {
    const char *path;           /*  of the executable; NULL: this program's */
    char *const *argv;          /*  ends in NULL; NULL: this process's own  */

    /*  "NAME=value" sets or replaces in what is inherited, "NAME" alone
        takes it out. Ends in NULL; may be NULL.                            */
    const char *const *environment;
    const char *folder;         /*  to work in; NULL: this process's own    */
    int fd;                     /*  inherited under its number; 0: none     */
    int output;                 /*  become its stdout and stderr;           */
    int errors;                 /*  0: this process's own                   */
} process_options_t;

/*  Starts a process that is killed when the calling thread ends. Returns
    once the program runs: its pid, and *pidfd, which becomes readable when
    it ends. Or -1 with the fault set, which names the path and the cause.

    In it no signal is blocked or has a handler, and SIGPIPE is not ignored. */
pid_t process_start (const process_options_t *options, int *pidfd, fault_t *fault);

/*  Reaps an ended process and says how it ended: "killed by signal 9
    (Killed)", "exited with status 3". Returns false if somebody else ended
    it, by SIGKILL or SIGTERM.                                              */
bool process_reap (pid_t pid, char *cause, size_t size);

#endif
