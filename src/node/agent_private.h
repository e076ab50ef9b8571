/*  agent_private.h - what the parts of the node agent share

    All functions are the agent's thread's alone, and expect neither the agent's
    lock nor its peer's, which they may take for a moment. They do not wait. */

#ifndef TROUPE_NODE_AGENT_PRIVATE_H
#define TROUPE_NODE_AGENT_PRIVATE_H

#include "node/agent.h"

#include "node/ledger.h"
#include "node/output.h"
#include "program/process.h"
#include "program/program.h"

#define WORKERS_MAX 1024

/*  A record from the head, for the agent's thread.                         */
typedef struct {
    list_node_t node;
    record_t record;
    uint8_t body [];
} order_t;

typedef struct {
    list_node_t node;
    pid_t pid;
    int pidfd;
    unsigned number;
    uint32_t job;
    ledger_t *ledger;
    program_hold_t *program;
} child_t;

/*  Workers to be started, perhaps once their program is here.              */
typedef struct {
    list_node_t node;
    uint8_t hash [PROGRAM_HASH_SIZE];
    uint32_t job;
    unsigned count;
    char folder [256];
    char environment [1024];    /*  "A=1\nB=2"                              */
} request_t;

typedef struct {
    list_node_t node;
    uint8_t hash [PROGRAM_HASH_SIZE];
    uint64_t size;
    uint64_t offset;
    program_receive_t *receive;
} fetch_t;

struct agent {
    agent_options_t options;
    char *texts [8];            /*  copies of the options' strings          */
    uint8_t cookie [COOKIE_SIZE];
    troupe_t *peer;
    program_cache_t *programs;
    output_t *output;
    list_t children;
    unsigned child_count;
    unsigned numbers;           /*  of workers so far                       */
    list_t requests;
    list_t fetches;
    thread_t *thread;
    int wake;
    pthread_mutex_t lock;       /*  of what follows                         */
    pthread_cond_t changed;
    list_t orders;
    bool stopping;
    bool leaving;               /*  does not join again                     */
    bool draining;              /*  the head is to be asked for it          */
    bool drained;
    bool hurried;               /*  what runs is not waited for             */
    bool told;                  /*  what the drain waits for has changed    */
    char waits [FAULT_TEXT_MAX];
    unsigned running;
};

/*  --- agent.c ----------------------------------------------------------  */

/*  Sends a record to the head, at once. Its body is copied. Takes the peer's
    lock. Lost if the head is; without memory for it the seat is lost, as the
    head would miss it.                                                     */
void agent_send (agent_t *self, const record_t *record);

/*  Tells the head, and the log, why one worker of a job cannot be started. */
void agent_send_failure (agent_t *self, uint32_t job, const fault_t *fault);

/*  Starts those that are asked for; the program is in the cache, or it fails.
    Each that cannot be started is reported. The request stays the caller's. */
void agent_start_all (agent_t *self, const request_t *request);

/*  --- agent_programs.c -------------------------------------------------  */

/*  START and CHUNK have come: starts workers, or asks for their program first,
    and goes on when all of it is here. The record need not live after.     */
void agent_on_start (agent_t *self, const record_t *record);
void agent_on_chunk (agent_t *self, const record_t *record);

/*  What was on its way will not come, as the head has gone: frees it, and the
    requests that wait for it.                                              */
void agent_forget_fetches (agent_t *self);

#endif
