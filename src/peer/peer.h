/*  peer.h - a process's seat in a cluster, the troupe_t of the public API

    Drivers and workers have the same kind of seat. What it consists of:

        head      a DEALER to the head
        inbox     a ROUTER on which others reach this process
        links     for each process written to: a DEALER and a frame that
                  gathers records until it is flushed
        futures   what this process waits for or has handed out
        actors    handles to actors, its own and borrowed ones
        await     values that calls, which run here, wait for

    One lock guards it all. No thread is bound to the sockets: whoever waits
    for something drives them, receiving for everybody, so that an answer
    wakes the thread that wants it and no other; when nobody waits, the
    service thread drives. Two nested epoll sets make the hand-over cheap:
    `inner` holds the sockets' descriptors and is what a waiting thread
    polls; `outer` holds `inner`, which is masked while somebody drives, and
    is what the service thread polls.

    Functions whose names begin with peer_, link_, future_, actor_ expect
    the lock to be held, unless they say otherwise, and may then be called
    from any thread. They do not block, unless they say that they wait.     */

#ifndef TROUPE_PEER_PEER_H
#define TROUPE_PEER_PEER_H

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/heap.h"
#include "core/list.h"
#include "core/slab.h"
#include "core/table.h"
#include "core/value.h"
#include "core/window.h"
#include "store/store.h"
#include "store/store_client.h"
#include "wire/await.h"
#include "wire/channel.h"
#include "wire/frame.h"
#include "wire/identity.h"
#include "wire/probe.h"
#include "wire/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>


/*  The head has no name of its own among the processes.                    */
#define HEAD_PROCESS ((process_t) 0)

/*  A frame that was received; records point into it.                       */
typedef struct {
    atomic_int references;
    zmq_msg_t message;
} batch_t;

/*  One holder more, which is returned, or one less; the last frees it. From any
    thread, with the lock or without. NULL is allowed.                      */
batch_t *batch_retain (batch_t *batch);
void batch_release (batch_t *batch);

/*  A process that the head has announced.                                  */
typedef struct {
    process_t process;
    char *endpoint;             /*  "" if there is no way from here         */
    char *label;
    uint8_t role;
    bool far;                   /*  on another machine                      */
    bool has_key;
    uint8_t key [KEY_SIZE];
} known_t;

/*  Frees it; it must be in no table any more.                              */
void known_destroy (known_t *known);

/*  The key of a process opens our inbox as long as the process lives, from the
    one to the other. With the lock. Returns 0, or -1 with the fault set.   */
int known_let_in (troupe_t *self, const known_t *known, fault_t *fault);
void known_shut_out (troupe_t *self, const known_t *known);

/*  A way to a process. */
typedef struct {
    process_t to;
    void *socket;               /*  NULL until the address is known         */
    bool far;                   /*  to another machine, by the channel      */
    channel_t channel;
    bytes_t frame;
    int64_t written;            /*  when the last record was                */
    int64_t since;              /*  when the first was that is not flushed  */
    list_node_t dirty;          /*  among the links with records to flush   */
    bool fenced;                /*  a sign is to come back (peer_settle)    */
} link_t;

/*  A thread that waits. Zeroed but for the condition.                      */
typedef struct {
    pthread_cond_t changed;
    bool ready;
    bool driving;
    bool draining;              /*  it is the one that receives right now   */
    bool nudged;                /*  there is a callback for it to run       */
    bool yields;                /*  lets the thread that it woke drive next */
    list_node_t node;           /*  among those that may run callbacks      */
    list_node_t asleep;         /*  among those that do not drive           */
} peer_waiter_t;

#define PEER_WAITER_INIT { .changed = PTHREAD_COND_INITIALIZER }

/*  What the worker's side adds. Called with the lock held.                 */
typedef struct {
    /*  The head has let us in; what it sends next may be work.             */
    void (*joined) (void *context, troupe_t *peer);
    /*  A record of a type that peers do not handle themselves. sender: 0 is
        the head.                                                           */
    void (*record) (void *context, const record_t *record, batch_t *batch, process_t sender);
    /*  Sends the value of a call that runs here to target, when it is there.
        False if the call is not here.                                      */
    bool (*subscribe) (void *context, tid_t id, process_t target);
    /*  A value that a call waits for.                                      */
    void (*value) (void *context, await_waiter_t *waiter, uint32_t code, const uint8_t *data,
                   uint32_t size);
    /*  A process has ended.                                                */
    void (*down) (void *context, process_t process);
    /*  A callback of troupe_then can run.                                  */
    void (*callback) (void *context, troupe_future_t *future);
    /*  The thread, which runs a task, is about to wait, or has waited.
        Returns 0, or -1 with the fault set if it must not wait.            */
    int (*blocked) (void *context, bool begins, fault_t *fault);
} peer_hooks_t;

struct troupe {
    pthread_mutex_t lock;
    process_t self;
    uint8_t role;
    bool joined;
    bool stopping;              /*  no new work; waits end                  */
    bool closed;                /*  destroyed but for what is still held    */
    size_t handles;             /*  futures and actors                      */
    fault_t refused;
    peer_waiter_t *joining;     /*  waits for WELCOME                       */
    bool left;                  /*  the head knows that we leave            */
    fault_t lost;               /*  the head does not answer any more       */
    bool ending;                /*  the cluster ends, so nothing begins     */
    peer_waiter_t *leaving;     /*  waits for that                          */
    identity_t identity;

    void *context;
    const network_t *network;   /*  NULL: all are on this machine           */
    char head_name [HOST_MAX + 32];     /*  "the head at HOST:PORT"         */
    probe_t probe;              /*  of the connection to it                 */
    int64_t probing;            /*  again, once that is closed              */
    void *inbox;
    char own_endpoint [64];     /*  of the inbox, within this process       */
    uint8_t cookie [COOKIE_SIZE];
    id_table_t senders;         /*  routing id in the inbox → process       */
    id_table_t shut_out;        /*  processes that nobody listens to        */

    int inner;
    int outer;
    int nudge;                  /*  eventfd: wakes whoever drives           */
    int wake;                   /*  eventfd: wakes the service thread       */
    int timer;                  /*  timerfd: wakes it later                 */
    int ready;                  /*  eventfd of troupe_fd, -1 until asked    */
    bool driven;                /*  a waiting thread drives                 */
    bool draining;
    bool undrained;             /*  stopped draining before the end         */
    bool woke_other;            /*  the last drain was for another thread   */
    peer_waiter_t *driver;
    int64_t service_due;        /*  when it wakes up at the latest          */
    thread_t *service;
    int64_t pinged;
    int64_t heard;              /*  when the head last said something       */
    int64_t patience;           /*  its silence means its end; 0: never     */

    link_t head;
    id_table_t links;           /*  process → link_t                        */
    list_t dirty;
    unsigned batching;          /*  flush later                             */
    bool gathering;             /*  what is written now waits for more      */
    int64_t now;                /*  the time, while it need not be asked for */
    id_table_t known;           /*  process → known_t                       */
    process_t announced;        /*  the newest process heard of             */
    size_t workers;

    uint64_t sequence;
    window_t futures;           /*  ours, by sequence                       */
    slab_t future_slab;
    id_table_t borrowed;        /*  those of other processes                */
    size_t pending;
    size_t pending_max;
    heap_t deadlines;
    await_t await;
    list_t callbacks;           /*  whose futures are done                  */
    size_t callback_count;
    list_t waiters;             /*  threads that may run callbacks          */
    list_t sleepers;            /*  threads that wait and do not drive      */

    list_t inquiries;           /*  about answers that may be lost          */
    uint64_t inquiry_number;

    char store_endpoint [STORE_ENDPOINT_SIZE];  /*  "" if there is none     */
    store_client_t *objects;    /*  the way there, once it is needed        */
    list_t givers;              /*  object_given_t of functions that run    */
    store_t *hosted;            /*  the store of this process, or NULL      */
    bytes_t reported;           /*  what the head knows of it               */

    id_table_t actors;
    id_table_t functions;       /*  address of a troupe_task_t → its number */

    const peer_hooks_t *hooks;
    void *hooks_context;
    void (*record) (void *context, struct troupe *peer, const record_t *record);
    void *record_context;
    void *embedded;             /*  the cluster that the driver carries, or */
    void *remote;               /*  its way into one                        */
};

/*  How large a value may be here.                                          */
static inline size_t
peer_value_max (const troupe_t *self)
{
    return self->network ? NETWORK_VALUE_MAX : VALUE_SIZE_MAX;
}

/*  --- peer.c -----------------------------------------------------------  */

typedef struct {
    void *context;              /*  ZeroMQ context, not owned               */
    const char *head_endpoint;
    const char *head_address;   /*  HOST:PORT, for messages, or NULL        */
    const uint8_t *cookie;
    uint8_t role;
    unsigned slots;
    const char *label;
    bool threads;               /*  all peers are in this process           */
    const network_t *network;   /*  NULL: all peers are on this machine     */
    bool far;                   /*  the head is on another machine          */
    int64_t patience;           /*  with a silent head, in ns; 0: endless   */
    process_t node;             /*  of a worker: its node agent,            */
    uint32_t job;               /*  and the job that it was started for     */
    const uint8_t *program;     /*  its hash, or NULL                       */
    const char *name;           /*  of a node; namespace of a driver        */
    const char *resources;      /*  of a node; priority and share of a driver */
    const char *folder;         /*  of a driver: for its workers,           */
    const char *environment;    /*  or NULL                                 */
    const char *store;          /*  endpoint of the machine's, or NULL      */
    store_t *hosted;            /*  a store of this process, or NULL: it is
                                    told of processes and stores            */
    const peer_hooks_t *hooks;
    void *hooks_context;

    /*  Records from the head that a seat does not handle itself, of drivers
        and nodes. Called with the lock held.                               */
    void (*record) (void *context, struct troupe *peer, const record_t *record);

    /*  Whether to go on waiting for the head's answer to HELLO, or NULL.
        Called with the lock held, every few milliseconds.                  */
    bool (*wanted) (void *context);
    void *record_context;       /*  of both                                 */
} peer_options_t;

/*  Takes a seat: connects, says HELLO, and waits for WELCOME until the
    deadline. Takes the lock itself. NULL with the fault set.               */
troupe_t *peer_new (const peer_options_t *options, int64_t deadline, fault_t *fault);

/*  Fails what is pending with TROUPE_ESTOPPED. Expects the lock.           */
void peer_abandon (troupe_t *self);

/*  In a cluster of machines: waits until each process that was written to has
    received all of it, or until the deadline. Takes the lock itself.       */
void peer_settle (troupe_t *self, int64_t deadline);

/*  Tells the head that this process leaves, and waits for it to know, at most
    until the deadline. Takes the lock itself.                              */
void peer_leave (troupe_t *self, int64_t deadline);

/*  Why what is pending fails when the seat ends.                           */
void peer_end_fault (const troupe_t *self, fault_t *fault);

/*  Returns 0 if something new may be submitted, or -1 with the fault set.  */
int peer_may_begin (const troupe_t *self, fault_t *fault);

/*  The head has been silent for too long, or has ended: fails what is pending,
    and what is submitted from now on. Expects the lock.                    */
void peer_lose_head (troupe_t *self, const fault_t *fault);

/*  Refuses new work, fails what is pending with TROUPE_ESTOPPED and ends the
    service thread. Takes the lock itself. Returns 0, or -1 if the thread
    did not end.                                                            */
int peer_stop (troupe_t *self);

/*  Closes a stopped peer's sockets and frees it, when the last future and
    actor that somebody still holds is destroyed.                           */
void peer_destroy (troupe_t **self_p);

/*  Unlocks, and frees a destroyed peer if nothing belongs to it any more.  */
void peer_unlock (troupe_t *self);

/*  Writes and flushes the HELLO, with the names of all tasks and classes, as the
    first record to the head. Returns 0, or -1 with the fault set: no memory. */
int peer_send_hello (troupe_t *self, unsigned slots, fault_t *fault);

/*  Tells the head of all classes anew, as there are more since HELLO. Expects
    the lock; the record leaves with the next flush. Without memory nothing is
    told, and the head shows what it knew.                                  */
void peer_send_classes (troupe_t *self);

/*  Who a process is, in words: "worker 2 (pid 4711)". The text belongs to the
    peer, and lives until the process ends or the lock is released.         */
const char *peer_label (troupe_t *self, process_t process);

/*  --- drive.c ----------------------------------------------------------  */

/*  Waits until the waiter is ready or nudged, driving the sockets if nobody
    else does. Releases the lock meanwhile. Returns 0 if it is ready, 1 if it
    is nudged, -1 at the deadline or when the peer stops.                   */
int peer_wait (troupe_t *self, peer_waiter_t *waiter, int64_t until);

/*  The same, but leaves the driving to others: for threads that messages do
    not concern.                                                            */
int peer_wait_beside (troupe_t *self, peer_waiter_t *waiter, int64_t until);

/*  Makes a waiter ready, or nudges it.                                     */
void peer_wake (troupe_t *self, peer_waiter_t *waiter);
void peer_nudge (troupe_t *self, peer_waiter_t *waiter);

/*  Something can be received that no descriptor will tell of.              */
void peer_undrained (troupe_t *self);

/*  Ends all waits, once the peer stops.                                    */
void peer_wake_all (troupe_t *self);

/*  The service thread's loop. Takes the lock itself.                       */
void peer_serve (void *self);

/*  Makes the service thread look at the time `due` at the latest.          */
void peer_service_by (troupe_t *self, int64_t due);

/*  Between these, records gather; the last end flushes.                    */
void peer_batch_begin (troupe_t *self);
void peer_batch_end (troupe_t *self);

/*  --- receive.c --------------------------------------------------------  */

/*  Receives what is there, up to a bound. False if there may be more.      */
bool peer_drain (troupe_t *self);

/*  --- link.c -----------------------------------------------------------  */

/*  The way to a process; HEAD_PROCESS is the head. NULL if the process has
    ended, or this peer stops, or there is no memory. The peer owns it, until
    link_close. As long as the head has not announced the process, what is
    written to it gathers.                                                  */
link_t *link_to (troupe_t *self, process_t process);

/*  To be called after records were appended to link->frame: it leaves now, or
    with others: after 250 µs at the latest, or a millisecond where answers
    gather.                                                                 */
void link_commit (troupe_t *self, link_t *link);

/*  Sends what has gathered in one frame, or in all of them, the head's last. If
    there is no memory for the message, it stays and is tried again.        */
void link_flush (troupe_t *self, link_t *link);
void link_flush_all (troupe_t *self);

/*  The head has announced a process, which the caller has put among the known:
    connects and flushes the link to it, if there is one.                   */
void link_announced (troupe_t *self, known_t *known);

/*  The process has ended: frees its link, with what was not sent.          */
void link_close (troupe_t *self, process_t process);

/*  Asks all but the head for a sign that what was sent has come; whether one
    is missing; that it is here.                                            */
void link_fence_all (troupe_t *self);
bool link_is_fenced (troupe_t *self);
void link_sign (troupe_t *self, process_t process);

/*  A frame from another machine has come by this link's channel: whether it
    is to be read.                                                          */
bool link_takes (troupe_t *self, link_t *link, const uint8_t *data, size_t size);

/*  Acknowledges and repeats what is due; returns when to look again.       */
int64_t link_tend_all (troupe_t *self, int64_t now);

/*  Frees all links, when the peer is destroyed and no other thread uses it.  */
void link_close_all (troupe_t *self);

/*  One record without attachments to a process; lost if it has ended.      */
void link_send (troupe_t *self, process_t process, const record_t *record);

/*  True if the process has ended, as far as this one has heard.            */
bool link_is_dead (troupe_t *self, process_t process);

/*  --- the calling thread -----------------------------------------------  */

typedef struct family family_t;

/*  What the library knows of a thread that runs a task or method.          */
typedef struct {
    uint32_t depth;             /*  of nesting: what it submits is deeper   */
    int64_t deadline;           /*  of the call that it runs                */
    uint32_t lease;             /*  of the task that it runs, or 0          */
    family_t *family;           /*  of the call that it runs, or NULL       */
    bool executor;              /*  holds a slot, to be given up in waits   */
    bool callback;              /*  runs a troupe_then callback             */
    struct object_given *given; /*  what the function gives, or NULL        */
} peer_thread_t;

extern _Thread_local peer_thread_t peer_thread;

#endif
