/*  future.h - futures, and how values get to those who want them

    A future is named by its owner, the process that made it. The producer
    is where its value will come from: the head for a task, a worker for a
    method. The value comes to the owner as a RESULT. Others that need it,
    because a call with the future as an argument was sent to them, are
    targets: the owner asks the producer, by SUBSCRIBE, to push the value to
    them too, and the RESULT says how many of these it served, so that the
    owner serves the rest itself. Whatever the order of messages, every
    target gets the value exactly once.

    All functions expect the lock of the future's peer, unless they are
    public.                                                                 */

#ifndef TROUPE_PEER_FUTURE_H
#define TROUPE_PEER_FUTURE_H

#include "peer/peer.h"

typedef enum { FUTURE_PENDING, FUTURE_VALUE, FUTURE_FAILED } future_state_t;

/*  What happens, under the lock, when a future is done. Freed by `run`.    */
typedef struct continuation {
    struct continuation *next;
    void (*run) (struct continuation *self, troupe_future_t *done);
} continuation_t;

/*  A place in the queue of those that wait for a future.                   */
typedef struct wait_node {
    struct wait_node *next;
    peer_waiter_t *waiter;
    size_t *missing;            /*  the waiter is ready when it reaches 0   */
} wait_node_t;

typedef struct {
    process_t process;
    bool relayed;               /*  the producer was asked                  */
    bool again;                 /*  what the producer sends may be lost     */
} target_t;

/*  What few futures have.                                                  */
typedef struct {
    heap_node_t deadline;
    troupe_future_t *future;
    int timeout_ms;
    target_t *targets;
    size_t target_count;
    process_t *borrowers;
    size_t borrower_count;
    troupe_future_t **pinned;   /*  handles in the arguments                */
    size_t pinned_count;
    troupe_actor_t **actors;    /*  the same                                */
    size_t actor_count;
    bool keeps;                 /*  the handles are the value's             */
    arena_t arena;
    value_reader_t reader;
} future_more_t;

/*  What a future has while it is pending.                                  */
typedef struct {
    process_t producer;         /*  PRODUCER_UNKNOWN: an actor that starts  */
    wait_node_t *waits;
    continuation_t *continuations;
    troupe_actor_t *callee;     /*  held until the call is answered, so that
                                    the actor does not end before           */
} future_pending_t;

/*  A program may hold a million of these: what is pending shares its memory
    with what is done. Read `pending` and `data` as the state says.         */
struct troupe_future {
    uint64_t sequence;          /*  its owner's number for it               */
    troupe_t *peer;
    future_more_t *more;
    uint32_t size;              /*  of data                                 */
    uint32_t references;
    uint8_t state;
    uint8_t code;
    bool borrowed;              /*  of another process, which was told; read
                                    without the lock, so not among the bits */
    bool listed : 1;            /*  in the peer's table                     */
    bool shared : 1;            /*  known to other processes by its id      */
    bool local : 1;             /*  produced in this process: all, any, then */
    bool task : 1;              /*  of a task that the head was given       */
    bool repeatable : 1;        /*  a task with retries: its result is
                                    acknowledged                            */
    bool needed : 1;            /*  the call being written takes its value  */
    bool framed : 1;            /*  data points into batch                  */
    bool holds : 1;             /*  this process holds the objects in it    */
    bool objects;               /*  its value refers to objects; set before
                                    it is done, read without the lock after */
    union {
        future_pending_t pending;
        struct {
            const uint8_t *data;    /*  value, or text of the failure       */
            union {
                batch_t *batch;
                uint64_t small [2]; /*  a short value                       */
            };
        };
    };
    process_t owner [];         /*  of a borrowed one                       */
};

/*  Its name, the same in all processes.                                    */
static inline tid_t
future_id (const troupe_future_t *self)
{
    return (tid_t){ self->borrowed ? self->owner [0] : self->peer->self, self->sequence };
}

#define PRODUCER_UNKNOWN UINT64_MAX

/*  Its producer has become known: asks it for what targets wait for.       */
void future_set_producer (troupe_future_t *self, process_t producer);

/*  A new future, pending, with one reference for the caller and, as it is
    pending, one of its own. NULL when there is no memory.                  */
troupe_future_t *future_new (troupe_t *peer, process_t producer);

/*  The future of another process; with a reference for the caller.         */
troupe_future_t *future_borrow (troupe_t *peer, tid_t id);

/*  The future of that name, if this process knows one; no reference.       */
troupe_future_t *future_find (troupe_t *peer, tid_t id);

/*  Makes it to be found by its name. Returns 0, or -1: no memory.          */
int future_list (troupe_future_t *self);

/*  Walks all that can be found: start with *cursor 0. Nothing may be listed
    or released meanwhile.                                                  */
troupe_future_t *future_next (troupe_t *peer, size_t *cursor);

troupe_future_t *future_retain (troupe_future_t *self);
void future_release (troupe_future_t *self);

/*  Completes. The value is copied, or kept in its batch; a failure is told
    by its fault. Does nothing if the future is done.                       */
void future_complete (troupe_future_t *self, const uint8_t *data, size_t size, batch_t *batch,
                      size_t served);
void future_fail (troupe_future_t *self, troupe_error_t code, const char *text, size_t length,
                  size_t served);
void future_fail_fault (troupe_future_t *self, const fault_t *fault);

/*  Makes the value go to a process too, once.                              */
void future_add_target (troupe_future_t *self, process_t process);

/*  Sees whether all are there and of one runtime. Returns 0, or -1 with the
    fault noted.                                                            */
int future_check_list (troupe_future_t *const *futures, size_t count, const char *what);

/*  ... once more, as the value that went to it may have been lost.         */
void future_send_again (troupe_future_t *self, process_t process);

/*  Runs a continuation when it is done, now if it is.                      */
void future_continue (troupe_future_t *self, continuation_t *continuation);

/*  Asks the producer of a pending one, if we may, to leave the work.       */
void future_cancel (troupe_future_t *self);

future_more_t *future_more (troupe_future_t *self);

/*  Sets the time after which it fails. Returns 0 or -1 (no memory).        */
int future_set_timeout (troupe_future_t *self, int timeout_ms);

/*  What is left of it for a record, in ms: 1 at least. One must be set.    */
uint32_t future_time_left (const troupe_future_t *self);

/*  A reader for values that lie in this peer; arena may be NULL.           */
value_reader_t future_reader (troupe_t *peer, arena_t *arena);

/*  Fails those whose time has come; returns when to look again.            */
int64_t future_expire (troupe_t *peer, int64_t now);

/*  Fails everything that was to come from a process, or was owned by it.   */
void future_lose_process (troupe_t *peer, process_t process, const fault_t *why);

/*  Others will ask for it by its id. Returns 0 or -1 (no memory).          */
int future_share (troupe_future_t *self);

/*  The value that it is about to have refers to the objects of another one's,
    which is kept as long.                                                  */
void future_share_objects (troupe_future_t *self, troupe_future_t *source);

/*  Keeps handles that are on their way in arguments until it is done.      */
int future_pin (troupe_future_t *self, troupe_future_t *handle);
void future_unpin (troupe_future_t *self);
int future_pin_actor (troupe_future_t *self, troupe_actor_t *actor);

void future_borrower_add (troupe_future_t *self, process_t process);
void future_borrower_remove (troupe_future_t *self, process_t process);

#endif
