/*  ending.h - how a daemon is told to end: by signals, and by its own parts

    SIGTERM and SIGINT are a person's, and count. The first has the daemon wait
    for what runs; the second has it end without waiting, but in order; at the
    third the process exits. SIGUSR1 and SIGUSR2 are troupe stop's, and mean
    the first and the second, however often they come: two stops at once are
    no second signal.                                                       */

#ifndef TROUPE_CLI_ENDING_H
#define TROUPE_CLI_ENDING_H

#include "node/agent.h"

#include <signal.h>

#define ENDING_IN_PEACE SIGUSR1
#define ENDING_AT_ONCE SIGUSR2

typedef enum { STAGE_RUNS, STAGE_IN_PEACE, STAGE_AT_ONCE } stage_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool started;
    bool done;                  /*  the thread is to end                    */
    stage_t stage;
    unsigned asked;             /*  by signals of a person                  */
    agent_t *agent;             /*  while it drains                         */
    fault_t why;                /*  a part of the daemon has ended          */
} ending_t;

/*  Blocks the signals in this thread, and so in those that it starts; *before
    is what was blocked. ending_report may be called from then on.          */
void ending_init (ending_t *self, sigset_t *before);

/*  Takes the signals from now on, in a thread. Returns 0, or -1 with the fault
    set.                                                                    */
int ending_start (ending_t *self, fault_t *fault);

/*  A part of the daemon has ended for good, so that the rest is to end without
    waiting. From any thread; only the first counts.                        */
void ending_report (ending_t *self, const fault_t *why);

/*  Waits until the daemon is told to end; drains the agent, unless it is to end
    at once, or until it is. Meanwhile calls waits, as agent_drain does.    */
void ending_await (ending_t *self);
void ending_drain (ending_t *self, agent_t *agent, agent_waits_t *waits, void *context);

/*  Whether it ends without waiting, and why, if not by a signal: TROUPE_OK. */
bool ending_at_once (ending_t *self, fault_t *why);

/*  Takes no more signals, and lets those through that were before.         */
void ending_stop (ending_t *self, const sigset_t *before);

#endif
