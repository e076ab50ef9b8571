/*  agent_private.h - what the parts of the node agent share                 */

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

/*  Without memory for it the seat is lost, as the head would miss it.      */
void agent_send (agent_t *self, const record_t *record);

/*  Why no worker of a job can be started.                                  */
void agent_send_failure (agent_t *self, uint32_t job, const fault_t *fault);

/*  Starts those that are asked for; the program is in the cache, or it fails. */
void agent_start_all (agent_t *self, const request_t *request);

/*  --- agent_programs.c -------------------------------------------------  */

/*  START and CHUNK have come.                                              */
void agent_on_start (agent_t *self, const record_t *record);
void agent_on_chunk (agent_t *self, const record_t *record);

/*  What was on its way will not come.                                      */
void agent_forget_fetches (agent_t *self);

#endif
