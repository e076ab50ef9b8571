/*  thread.h - a zactor whose start and end are checked

    Every thread that Troupe starts is a CZMQ zactor behind this wrapper:
    zactor_new hangs if the thread cannot be created and aborts if there are
    no sockets left, so both are tested for first; zactor_destroy may return
    before the thread has ended or never, so the end is waited for with a
    deadline.                                                               */

#ifndef TROUPE_WIRE_THREAD_H
#define TROUPE_WIRE_THREAD_H

#include "core/error.h"

typedef struct thread thread_t;

/*  Starts run (arg) in a zactor. run must return soon after whatever it
    waits for is told to stop, by means of the caller. Returns NULL with the
    fault set (TROUPE_ELIMIT: no thread, no descriptor, no socket left).    */
thread_t *thread_new (void (*run) (void *arg), void *arg, fault_t *fault);

/*  Waits for run to return, at most timeout_ms, frees the zactor and nulls
    the pointer. Returns 0, or -1 if the thread still runs: it is abandoned
    then, with what it uses.                                                */
int thread_join (thread_t **thread_p, int timeout_ms);

/*  True once run has returned.                                             */
bool thread_ended (thread_t *thread);

/*  For threads that run none of the user's code in the user's process: the
    host's signals are handled by the host's threads.                       */
void thread_block_signals (void);

/*  Prepares CZMQ once a process: no signal handlers, room for sockets, and
    the limit on open files raised to what is allowed.                      */
void thread_prepare (void);

#endif
