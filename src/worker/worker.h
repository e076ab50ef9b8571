/*  worker.h - a worker: executors that run tasks, and actors

    One worker is one process, or, for debugging, one of several in the
    driver's. Executors are zactors that take tasks from one queue; one that
    waits inside its task lets another run. Every actor is a zactor, or as
    many as its class allows methods at once, with a mailbox.               */

#ifndef TROUPE_WORKER_WORKER_H
#define TROUPE_WORKER_WORKER_H

#include "node/ledger.h"
#include "peer/peer.h"

typedef struct worker worker_t;

typedef struct {
    void *context;              /*  ZeroMQ                                  */
    const char *head_endpoint;
    const uint8_t *cookie;
    unsigned number;            /*  for its label                           */
    bool threads;
    ledger_t *ledger;           /*  may be NULL                             */
    const char *store;          /*  endpoint of the machine's, or NULL      */

    /*  Of a cluster of machines; zero in an embedded one.                  */
    const network_t *network;
    bool far;                   /*  the head is on another machine          */
    process_t node;
    uint32_t job;
    const uint8_t *program;
    const char *place;          /*  the node's name                         */
    int64_t patience;
} worker_options_t;

/*  Joins the cluster. NULL with the fault set.                             */
worker_t *worker_new (const worker_options_t *options, fault_t *fault);

/*  Works until worker_stop or a STOP message; the calling thread starts and
    reaps the others.                                                       */
void worker_run (worker_t *self);

/*  Makes worker_run return. From any thread.                               */
void worker_stop (worker_t *self);

/*  Ends actors, by their destructors, and executors, waiting for them at
    most timeout_ms. Returns 0, or -1 if some still run: the worker's memory
    is left to them then.                                                   */
int worker_destroy (worker_t **self_p, int timeout_ms);

/*  What a worker process does instead of main; does not return. boot is
    what its node put into the environment.                                 */
void worker_main (const char *boot);

#endif
