/*  agent.h - the node agent of a cluster of machines

    A zactor with a seat of its own. It starts workers of the programs that
    the head asks for, which it fetches and keeps; it watches them, tells the
    head when one ends, and passes on what they print. If the head is silent
    for too long, or says that it ends, the agent ends its workers and tries
    for a while to join again, as a new node; then it gives up.             */

#ifndef TROUPE_NODE_AGENT_H
#define TROUPE_NODE_AGENT_H

#include "peer/peer.h"

typedef struct agent agent_t;

typedef struct {
    void *context;              /*  ZeroMQ, not owned                       */
    const char *head_endpoint;  /*  for the agent                           */
    const char *head_address;   /*  HOST:PORT, for messages                 */
    const char *worker_endpoint;    /*  for its workers                     */
    bool far;                   /*  the head is on another machine          */
    const uint8_t *cookie;
    const network_t *network;   /*  not owned                               */
    const char *name;
    const char *resources;      /*  "cpus=4 memory=8e9"                     */
    const char *programs;       /*  folders                                 */
    const char *logs;
    const char *modules;        /*  TROUPE_MODULES of workers, or NULL      */
    store_t *store;             /*  the machine's, not owned                */
    int64_t patience;           /*  with a silent head                      */
    int64_t await_head;         /*  how long it tries to join again, 0 not
                                    at all: after the head fell silent,     */
    int64_t await_stopped;      /*  and after it was stopped                */
    bool of_head;               /*  the head's own: drained is the cluster  */
    void (*log) (void *context, const char *text);  /*  may be NULL         */
    void (*ended) (void *context, const fault_t *why);  /*  told by the
                                    agent's thread, once: it has given up, as
                                    it was shut out (TROUPE_EREFUSED), its head
                                    was stopped (TROUPE_ESTOPPED) or is not to
                                    be found (TROUPE_ELOST). May be NULL    */
    void *log_context;
} agent_options_t;

/*  Joins, which takes some seconds at most. The strings are copied; context
    and network must outlive the agent. NULL with the fault set. All functions
    may be called from any thread but the agent's own, agent_destroy once.  */
agent_t *agent_new (const agent_options_t *options, fault_t *fault);

/*  Asks the head for no more work, and waits until what runs has ended, or until
    agent_hurry. For the head's own agent it is the tasks that run anywhere in
    the cluster, which takes in nobody from then on; calls of actors are not
    waited for. Meanwhile calls `waits` with what it waits for, in words, ""
    for nothing, whenever the head says that this has changed. Once only.   */
typedef void (agent_waits_t) (void *context, const char *text);
void agent_drain (agent_t *self, agent_waits_t *waits, void *context);

/*  What still runs is not waited for, now or later.                        */
void agent_hurry (agent_t *self);

/*  How many workers run.                                                   */
unsigned agent_workers (agent_t *self);

/*  Leaves the cluster and ends the workers. Returns 0, or -1 if something
    could not be ended.                                                     */
int agent_destroy (agent_t **self_p);

#endif
