/*  daemon.h - starts and stops the processes of a cluster on this machine  */

#ifndef TROUPE_CLI_DAEMON_H
#define TROUPE_CLI_DAEMON_H

#include "wire/network.h"

#define DAEMON_PORT 7690            /*  unless told otherwise               */
#define DAEMON_RESOURCES_MAX 64
#define DAEMON_MODULES_MAX 64

typedef struct {
    const char *name;
    double amount;
} start_resource_t;

/*  What is NULL, or negative, is for the daemon to choose.                 */
typedef struct {
    bool head;                      /*  a head and a node, not a node only  */
    bool foreground;                /*  return when it has ended            */
    bool insecure;                  /*  no keys, loopback only              */
    bool beacon;                    /*  of a head, in the local network     */
    const char *bind;               /*  address to listen on                */
    int port;                       /*  0: any free one                     */
    double cpus;
    int64_t memory;                 /*  bytes                               */
    int64_t object_memory;          /*  bytes; 0: the store's choice        */
    const char *spill_folder;       /*  "": nowhere                         */
    start_resource_t resources [DAEMON_RESOURCES_MAX];
    size_t resource_count;
    const char *name;               /*  of the node                         */
    const char *modules [DAEMON_MODULES_MAX];
    size_t module_count;
    const char *address;            /*  of the head that a node joins       */
    const char *token;
    const char *const *allow;       /*  ranges of addresses                 */
    size_t allow_count;
    const char *const *deny;
    size_t deny_count;
} start_options_t;

typedef struct {
    char address [ADDRESS_TEXT_SIZE];   /*  of the head, as others reach it */
    char token [512];
    char token_file [512];
    char node [128];                /*  its name                            */
    int pid;
    double cpus;
    double milliseconds;            /*  that the start took                 */
} started_t;

/*  Returns when the daemon is ready; one in the foreground first calls
    `ready`, which may be NULL, and returns when it has ended. Returns 0, or
    -1 with the fault set.                                                  */
typedef void (daemon_ready_t) (const started_t *started, void *context);
int daemon_start (const start_options_t *options, daemon_ready_t *ready, void *context,
                  started_t *result, fault_t *fault);

typedef struct {
    bool force;                     /*  do not wait for running work        */
    int timeout_ms;                 /*  nor longer than this; -1: wait      */
    const char *address;            /*  of the cluster, and its id, which   */
    const char *cluster;            /*  counts more; both "": whichever one */
    void (*waits) (const char *text);   /*  told what it waits for, when that
                                    takes a second or longer, and whenever
                                    it changes                              */
} stop_options_t;

typedef struct {
    unsigned daemons;               /*  heads and nodes that ended          */
    unsigned workers;
    unsigned killed;                /*  of all these, those killed          */
    double milliseconds;
    char other [ADDRESS_TEXT_SIZE]; /*  of a cluster that was not meant     */
    int interrupted;                /*  by this signal: they go on ending   */
} stopped_t;

/*  Ends this user's daemons of one cluster on this machine, all at the same
    time: in peace, then in order but without waiting, and at last kills what
    has not ended some seconds after that. That there are none is no failure.
    SIGINT, SIGTERM and SIGHUP, which are blocked meanwhile, interrupt it, and
    do not change what the daemons were told. Returns 0, or -1 with the fault
    set.                                                                    */
int daemon_stop (const stop_options_t *options, stopped_t *result, fault_t *fault);

#endif
