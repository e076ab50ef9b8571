/*  head_state.h - what the head knows and decides, as a pure state machine

    Registry, dispatcher and failure detector. Every event is a function of
    the state, the time and what happened; what must be done about it is
    appended to a list of actions. No socket, clock, thread or random number
    is used inside, so that a simulator can drive it through anything.

    Dispatch: tasks wait in lanes, one for each function and depth of
    nesting. A worker holds leases: tasks sent to it and not yet done. The
    next task is the deepest, among equals the first to come; it goes to the
    worker with the fewest leases that offers its function and has credit:

        credit = slots + prefetch,  prefetch = ceil (window / service time)

    where window is about twice the round trip to a worker and the service
    time is measured for each function; a function that takes much longer
    than the window, or is not known yet, is never sent ahead. What was sent
    ahead to a worker that is stuck is called back when another is idle.

    The caller owns the state; one thread at a time.                        */

#ifndef TROUPE_HEAD_STATE_H
#define TROUPE_HEAD_STATE_H

#include "core/error.h"
#include "core/list.h"
#include "wire/await.h"
#include "wire/frame.h"

/*  Leases that a worker can have at once, a power of two: the slot of a
    lease is its lower bits, and its place in the worker's ledger.          */
#define LEASES_MAX 1024

/*  What a lease may be worth in bytes of arguments sent ahead.             */
#define LEASE_BYTES_MAX ((size_t) 16 << 20)

typedef struct head_state head_state_t;
typedef struct head_task head_task_t;

/*  An actor as the head knows it. Strings are owned by the state.          */
typedef struct {
    tid_t id;
    process_t worker;           /*  0 while it waits for one                */
    uint64_t number;            /*  on its worker; 0 until it is up         */
    uint64_t signature;
    char *name;                 /*  "" if it has none                       */
    char *class_name;
    uint8_t *record;            /*  the SPAWN, kept until the actor is up   */
    size_t record_size;
    list_t finders;
    list_node_t node;           /*  among those that wait for a worker      */
} head_actor_t;

typedef enum {
    HEAD_DISPATCH = 1,          /*  peer, task                              */
    HEAD_FAULT,                 /*  peer: owner, id, code, text             */
    HEAD_RECALL,                /*  peer, number                            */
    HEAD_CANCEL,                /*  peer, id                                */
    HEAD_SUBSCRIBE,             /*  peer, id, target                        */
    HEAD_AGAIN,                 /*  peer: owner, id: of a value for a task  */
    HEAD_SPAWN,                 /*  peer, actor                             */
    HEAD_FOUND,                 /*  peer, id, actor                         */
    HEAD_DROP                   /*  peer: silent too long; text             */
} head_action_type_t;

typedef struct {
    head_action_type_t type;
    process_t peer;
    tid_t id;
    uint64_t number;
    process_t target;
    troupe_error_t code;
    char *text;                 /*  owned by the list of actions            */
    const head_task_t *task;    /*  valid until the next event              */
    const head_actor_t *actor;
} head_action_t;

/*  The state. One process-wide epoch goes into all names of processes.     */
head_state_t *head_state_new (uint32_t epoch);
void head_state_destroy (head_state_t **self_p);

/*  The actions since the last head_actions_clear. False from failed means
    that memory ran out and an action was lost: the head must then stop.    */
const head_action_t *head_actions (head_state_t *self, size_t *count);
bool head_failed (head_state_t *self);
void head_actions_clear (head_state_t *self);

/*  The number of a function's name, made if it is new; 0 if there is no
    memory. Names of functions are never forgotten.                         */
uint32_t head_function (head_state_t *self, const char *name, size_t length);
const char *head_function_name (head_state_t *self, uint32_t function);

/*  --- events: processes ------------------------------------------------  */

/*  A process has joined. Returns its name, or 0 if there is no memory.
    label says what it is in messages: "worker 2 (pid 4711)".               */
process_t head_join (head_state_t *self, int64_t now, role_t role, unsigned slots,
                     const char *label);

/*  It offers a function.                                                   */
int head_offer (head_state_t *self, process_t process, uint32_t function);

/*  It gave a sign of life.                                                 */
void head_heard (head_state_t *self, int64_t now, process_t process);

/*  It has ended. What it owned is dropped. Of its leases, those that the
    ledger does not show as started run elsewhere; of the others, those with
    retries left do, and the rest fail with the cause. ledger is NULL or an
    array of LEASES_MAX lease numbers.                                      */
void head_lost (head_state_t *self, int64_t now, process_t process, const char *cause,
                const uint32_t *ledger);

/*  There will be no workers any more: what waits for one fails.            */
void head_abandon (head_state_t *self, const char *cause);

/*  --- events: tasks ----------------------------------------------------  */

/*  A TASK record has come from its owner; number: function, or 0 with the
    name, of extra bytes, in front of the body. target: depth in the upper
    half, retries in the lowest byte.                                       */
void head_submit (head_state_t *self, int64_t now, const record_t *record);

/*  A worker has finished leases: pairs of lease and duration in units of 64
    ns.                                                                     */
void head_done (head_state_t *self, int64_t now, process_t worker, const uint8_t *pairs,
                size_t count);

/*  The owner has the result of a task that could have been repeated.       */
void head_acknowledge (head_state_t *self, tid_t id);

/*  Whether a task is here, or done.                                        */
bool head_knows (const head_state_t *self, tid_t id);

/*  A worker gives back leases that had not started.                        */
void head_returned (head_state_t *self, int64_t now, process_t worker, const uint8_t *leases,
                    size_t count);

/*  So many executors of a worker wait, and others may run meanwhile.       */
void head_slots (head_state_t *self, process_t worker, unsigned blocked);

void head_cancel (head_state_t *self, tid_t id);
void head_subscribe (head_state_t *self, tid_t id, process_t target);

/*  The value, or the failure, of a future that a parked task waits for.    */
void head_value (head_state_t *self, tid_t id, uint32_t code, const uint8_t *data,
                 uint32_t size);

/*  --- events: actors ---------------------------------------------------  */

/*  record: the whole SPAWN as it came, to be passed on.                    */
void head_spawn (head_state_t *self, tid_t id, const char *class_name, size_t class_length,
                 const char *name, size_t name_length, const uint8_t *record, size_t size);
void head_actor_up (head_state_t *self, process_t worker, tid_t id, uint64_t number,
                    uint64_t signature);
void head_actor_down (head_state_t *self, process_t worker, tid_t id);

/*  A process asks for a named actor; `id` is the future of the answer.     */
void head_find (head_state_t *self, process_t asker, tid_t id, const char *name,
                size_t length);

/*  --- at the end of a turn ---------------------------------------------  */

/*  Gives out what can be given out, and looks for the stuck and the silent. */
void head_dispatch (head_state_t *self, int64_t now);

/*  When head_dispatch must be called at the latest.                        */
int64_t head_due (head_state_t *self, int64_t now);

/*  --- reading ----------------------------------------------------------  */

/*  The task as a record to be sent to its worker: number is the function,
    target the lease.                                                       */
void head_task_record (const head_task_t *task, int64_t now, record_t *record);

typedef struct {
    size_t tasks;               /*  all that are not done                   */
    size_t ready;
    size_t parked;              /*  that wait for values                    */
    size_t leased;
    size_t answered;            /*  that could be repeated, not acknowledged */
    size_t peers;
    size_t workers;             /*  that get tasks                          */
    size_t actors;
    size_t task_bytes;          /*  memory                                  */
} head_counts_t;

head_counts_t head_counts (const head_state_t *self);

/*  Checks every invariant between the structures; for tests. Returns NULL,
    or what is wrong.                                                       */
const char *head_check (head_state_t *self);

#endif
