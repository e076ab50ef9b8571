/*  state.h - what runs on this machine: a small file for each daemon

    Kept in a folder of the user's own: TROUPE_FOLDER, or troupe in the
    XDG_RUNTIME_DIR, or /tmp/troupe-UID. Reads and writes files, and the
    environment, which nobody may change meanwhile.                         */

#ifndef TROUPE_CLIENT_STATE_H
#define TROUPE_CLIENT_STATE_H

#include "wire/network.h"

#define STATE_DAEMONS_MAX 64

typedef struct {
    int pid;
    uint64_t started;           /*  as the kernel counts, to know the pid by */
    bool head;
    bool ending;                /*  serves nobody any more                  */
    bool insecure;
    char cluster [CLUSTER_TEXT_SIZE];
    char address [ADDRESS_TEXT_SIZE];   /*  of the head                     */
    char node [64];
    char endpoint [128];        /*  of a head, on this machine              */
    char store [64];            /*  where its objects are                   */
    char machine [MACHINE_TEXT_SIZE];
    char token [512];           /*  path of the file with the token         */
    char waits [512];           /*  what its end waits for; printable       */
} state_t;

/*  The folder, made if it is not there; absolute. Returns 0, or -1 with the
    fault set.                                                              */
int state_folder (char *path, size_t size, fault_t *fault);

/*  When the process was started; 0 if there is none, or it has ended.      */
uint64_t state_started (int pid);

/*  Writes the calling process's file; removes that of a process, with its
    keys and token if it had its own.                                       */
int state_save (state_t *state, fault_t *fault);
void state_remove (int pid);

/*  Reads that of a process. Returns 0 or -1.                               */
int state_read (int pid, state_t *state);

/*  Reads those whose processes live, those that end or not, and removes the
    files of others. Returns how many.                                      */
size_t state_list (state_t *states, size_t room, bool ending);

#endif
