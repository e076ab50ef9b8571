/*  store.h - the object store of a machine: a thread that owns shared memory

    Hosted by the node agent of a machine, by the driver of an embedded
    cluster, or by a driver on a machine that has no node agent. Its thread
    waits for clients, other stores and the disk, and never blocks on any.
    All functions may be called from any thread; none waits for a client.   */

#ifndef TROUPE_STORE_STORE_H
#define TROUPE_STORE_STORE_H

#include "core/bytes.h"
#include "core/error.h"
#include "store/figures.h"
#include "store/object.h"
#include "store/store_message.h"
#include "wire/network.h"

#define STORE_ENDPOINT_SIZE 64

typedef struct {
    void *context;              /*  ZeroMQ context, not owned               */
    uint64_t memory;            /*  bytes; 0: a third of the machine's      */
    const char *spill_folder;   /*  NULL: objects are not spilled           */
    const network_t *network;   /*  NULL: there are no other stores         */
    int64_t claim_patience;     /*  how long an object waits for the owner of
                                    its future, when who made it has ended;
                                    0: 30 s                                 */
    int64_t sync_patience;      /*  how long SYNC waits for other stores; at
                                    most, and if 0, STORE_SYNC_PATIENCE_S   */
    int64_t fetch_patience;     /*  see transfer_options_t                  */
    int64_t room_patience;      /*  how long a request for memory waits while
                                    nothing is freed, nor written to disk for
                                    it; 0: 10 s                             */
    int64_t hello_patience;     /*  how long a connection may say nothing of
                                    who it is; 0: 5 s                       */
    void (*log) (void *context, const char *text);      /*  may be NULL     */
    void *log_context;
} store_options_t;

/*  Starts it, without a name: clients wait until it has one. NULL with the
    fault set.                                                              */
store_t *store_new (const store_options_t *options, fault_t *fault);

/*  The host has joined the cluster, or joined again: this is its name.     */
void store_name (store_t *self, process_t process);

/*  Ends the thread; clients lose their connection, memory goes when the last
    of them has unmapped it. Returns 0, or -1 if the thread did not end.    */
int store_destroy (store_t **self_p);

/*  Where clients of this machine connect: an abstract local name, without the
    leading NUL. Lives as long as the store.                                */
const char *store_endpoint (const store_t *self);

/*  Where other stores connect, "" if there is no network.                  */
const char *store_remote_endpoint (const store_t *self);

/*  Another store has come. name: what people call it, as "node two"; key: NULL
    without CURVE.                                                          */
void store_announce (store_t *self, process_t store, const char *name, const char *endpoint,
                     const uint8_t *key);

/*  A process of the cluster lives. It may have counted as ended here, when the
    host had lost the head: what it holds counts again, and what it made.   */
void store_process_up (store_t *self, process_t process);

/*  A process of the cluster has ended, or a store: what it held is free, what
    was to come from it fails.                                              */
void store_process_down (store_t *self, process_t process, const char *cause);

/*  Appends a list of two lists: the figures, in their order, and the objects,
    largest first and at most limit, each a list: home, number, size, 1 for a
    copy, state, creator, pins, when it was made in seconds since 1970, and a
    list of the holders. Without a change it is the same, byte for byte.
    Returns 0 or -1.                                                        */
int store_report (store_t *self, size_t limit, bytes_t *out);

/*  For tests: see disk_inject.                                             */
void store_inject (store_t *self, int write_error, int read_error, unsigned times);

#endif
