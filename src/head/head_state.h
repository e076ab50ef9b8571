/*  head_state.h - what the head knows and decides, as a pure state machine

    Registry, dispatcher and failure detector. Every event is a function of
    the state, the time and what happened; what must be done about it is
    appended to a list of actions. No socket, clock, thread or random number
    is used inside, so that a simulator can drive it through anything.

    Nodes have resources. A job is a driver and all that it started; its
    tasks and actors run on workers that nodes have started for it, or have
    kept warm from an earlier job of the same program. An embedded cluster
    has one node that nobody announces, one job, and workers that come by
    themselves.

    Dispatch: tasks wait in lanes, one for each job, function, depth of
    nesting and demand. The next job is the one of the highest priority,
    among equals the one that holds the fewest cpus for its share; its next
    task is the deepest, among equals the first to come. A worker holds
    leases: tasks sent to it and not yet done. A task that asks for one cpu
    and nothing else goes to the worker with the fewest leases that offers
    its function and has credit:

        credit = slots + prefetch,  prefetch = window / service time - 1,

    at least 1, where window is some round trips to a worker and the service
    time is measured for each function; a function that takes much longer
    than the window, or is not known yet, is never sent ahead. What was sent
    ahead to a worker that is stuck is called back: soon when another of its
    job is idle, else a little later if one could be bound or started. A
    task with another demand goes to an idle worker of a node where it fits
    and holds what it asked for until it is done. What has waited for long
    because others took whatever was free gets nodes, or a bundle, kept.

    The caller owns the state; one thread at a time.                        */

#ifndef TROUPE_HEAD_STATE_H
#define TROUPE_HEAD_STATE_H

#include "core/error.h"
#include "core/list.h"
#include "wire/await.h"
#include "wire/frame.h"
#include "wire/options.h"

/*  Leases that a worker can have at once, a power of two: the slot of a
    lease is its lower bits, and its place in the worker's ledger.          */
#define LEASES_MAX 1024

/*  What a lease may be worth in bytes of arguments sent ahead.             */
#define LEASE_BYTES_MAX ((size_t) 16 << 20)

#define NAMESPACE_MAX 127

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
    bool detached;
    /*  Private to the state.                                               */
    struct job *job;
    struct demand *demand;
    struct head_node *held;     /*  that it takes its demand from, or       */
    struct bundle *bundle;
    int64_t unfit;              /*  since when no node could ever do, or 0  */
    bool searched;              /*  for a node, in vain: only what is freed
                                    since can help                          */
    struct head_keep *keep;     /*  NULL unless it waits                    */
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
    HEAD_DROP,                  /*  peer: silent too long, or its node is;
                                    text: call head_lost                    */
    HEAD_START_WORKERS,         /*  peer: node, number: how many, program,
                                    job                                     */
    HEAD_STOP_WORKER,           /*  peer: worker, target: its node, number:
                                    0 let it end, 1 kill it                 */
    HEAD_ASSIGN,                /*  peer: worker, target: its node, job: a
                                    warm worker is another job's now        */
    HEAD_END_ACTOR,             /*  peer: worker, id: its job or group has
                                    ended, or its birth was called off      */
    HEAD_PLACED,                /*  peer: owner, id: of a group that now has
                                    its place                               */
    HEAD_DRAINED,               /*  peer: node; no task runs there any more,
                                    or with number 1 anywhere               */
    HEAD_WAITS,                 /*  peer: node; text: what its drain waits
                                    for, "" if for nothing                  */
    HEAD_JOB_ENDED              /*  job: nothing of it is left              */
} head_action_type_t;

typedef struct {
    head_action_type_t type;
    process_t peer;
    tid_t id;
    uint64_t number;
    process_t target;
    uint32_t program;
    uint32_t job;
    troupe_error_t code;
    char *text;                 /*  owned by the list of actions            */
    const head_task_t *task;    /*  valid until the next event              */
    const head_actor_t *actor;
} head_action_t;

/*  The state. One process-wide epoch goes into all names of processes.     */
head_state_t *head_state_new (uint32_t epoch);
void head_state_destroy (head_state_t **self_p);

/*  Times in ns. A field of 0 stands for the default.                       */
typedef struct {
    int64_t suspect_after;      /*  silence: no new work; 3 s; closed and
                                    not connected again: dropped            */
    int64_t dead_after;         /*  silence: dropped; 10 s                  */
    int64_t idle_after;         /*  a worker without work is stopped; 30 s  */
    int64_t grace;              /*  what fits nowhere fails; 10 s           */
    size_t job_tasks;           /*  of one job, not done; no limit          */
    size_t job_bytes;           /*  memory of these; no limit               */
} head_settings_t;

void head_configure (head_state_t *self, const head_settings_t *settings);
void head_set_liveness (head_state_t *self, int64_t suspect_after, int64_t dead_after);

/*  The actions since the last head_actions_clear. True from failed means
    that memory ran out and an action was lost: the head must then stop.    */
const head_action_t *head_actions (head_state_t *self, size_t *count);
bool head_failed (head_state_t *self);
void head_actions_clear (head_state_t *self);

/*  The number of a program, by the hash of its content, made if it is new;
    0 if there is no memory. Program 0 is the one of an embedded cluster.   */
uint32_t head_program (head_state_t *self, const uint8_t *hash);

/*  NULL for program 0 and for strangers.                                   */
const uint8_t *head_program_hash (const head_state_t *self, uint32_t program);

/*  What its last driver is called, less its pid; "" if there was none.     */
const char *head_program_name (const head_state_t *self, uint32_t program);

/*  The number of a function's name in a program, made if it is new; 0 if
    there is no memory. Names of functions are never forgotten. Numbers are
    unique among all programs.                                              */
uint32_t head_function (head_state_t *self, uint32_t program, const char *name, size_t length);
const char *head_function_name (head_state_t *self, uint32_t function);

/*  --- events: processes ------------------------------------------------  */

/*  A process has joined. Returns its name, or 0 if there is no memory.
    label says what it is in messages: "worker 2 (pid 4711)". A worker that
    joins so belongs to the embedded cluster's node and job.                */
process_t head_join (head_state_t *self, int64_t now, role_t role, unsigned slots,
                     const char *label);

/*  Whether a node of this name is there.                                   */
bool head_has_node (const head_state_t *self, const char *name);

/*  A process that joined with ROLE_NODE is a node of this name, unique among
    the living, and has these resources. Returns 0, or -1: no memory, or the
    name is taken.                                                          */
int head_node_join (head_state_t *self, int64_t now, process_t process, const char *name,
                    const resource_t *resources, size_t count);

/*  A driver that joined begins a job. space: its namespace, "" for the one
    that drivers share unless they say otherwise. share: its weight among
    equals, 1 if 0. own_workers: its workers have an environment or a folder
    of their own, so that none is taken from or left to another job. Returns
    its number, or 0 if there is no memory. A driver that begins none is
    part of the embedded cluster's job.                                     */
uint32_t head_job (head_state_t *self, process_t driver, uint32_t program, const char *space,
                   int priority, unsigned share, bool own_workers);

/*  The driver of a job; 0 if it has ended, or is the embedded cluster's.   */
process_t head_driver_of (const head_state_t *self, uint32_t job);

/*  The job and the program of a process, 0 for the embedded cluster's.     */
uint32_t head_job_of (const head_state_t *self, process_t process);
uint32_t head_program_of (const head_state_t *self, process_t process);

/*  A worker that a node has started, as HEAD_START_WORKERS has asked, joins.
    Returns its name, or 0: there is no such node, or no memory. If its job
    has ended, it is kept warm.                                             */
process_t head_join_worker (head_state_t *self, int64_t now, process_t node, uint32_t program,
                            uint32_t job, unsigned slots, const char *label);

/*  A node could not start a worker that it was asked for, or the worker has
    ended before it joined. text: why. Another is asked for later; what could
    be started nowhere fails with the text.                                 */
void head_worker_failed (head_state_t *self, int64_t now, process_t node, uint32_t job,
                         const char *text);

/*  A node gets no new work; when no task runs there, HEAD_DRAINED follows,
    and meanwhile HEAD_WAITS says what runs.                                */
void head_drain (head_state_t *self, process_t node);

/*  The cluster is to end, for good: what runs goes on to its end, with what it
    submits. What drivers have submitted and has not begun fails with
    TROUPE_ESTOPPED, and so does what they submit from then on. When nothing
    is left, HEAD_DRAINED follows for the process, a node agent, and for all
    nodes that are drained. Before that, HEAD_WAITS tells them what is left. */
void head_drain_all (head_state_t *self, process_t process);

/*  That process, or 0.                                                     */
process_t head_drains_all (const head_state_t *self);

/*  A node leaves, and so ends its workers. What is lost with one of these as the
    cluster ends fails with TROUPE_ESTOPPED, and with TROUPE_ELOST otherwise:
    head_loss says with which.                                              */
void head_leaving (head_state_t *self, process_t node);
troupe_error_t head_loss (const head_state_t *self, process_t process);

/*  It offers a function.                                                   */
int head_offer (head_state_t *self, process_t process, uint32_t function);

/*  It gave a sign of life.                                                 */
void head_heard (head_state_t *self, int64_t now, process_t process);

/*  Its connection is closed. If nothing is heard of it for as long as it takes
    to be suspect, it has ended: whoever lives connects again at once.      */
void head_closed (head_state_t *self, int64_t now, process_t process);

/*  It has ended. What it owned is dropped. Of its leases, those that the
    ledger does not show as started run elsewhere; of the others, those with
    retries left do, and the rest fail with the cause. ledger is NULL or an
    array of LEASES_MAX lease numbers. With a driver its job ends; with a
    node its workers, for each of which HEAD_DROP follows.                  */
void head_lost (head_state_t *self, int64_t now, process_t process, const char *cause,
                const uint32_t *ledger);

/*  There will be no workers any more: what waits for one fails.            */
void head_abandon (head_state_t *self, const char *cause);

/*  --- events: tasks ----------------------------------------------------  */

/*  A TASK record has come from its owner; number: function, or 0 with the
    name, of extra bytes, in front of the body; then options, if its flags
    say so. target: depth in the upper half, retries in the lowest byte, and
    between them the lower 24 bits of the lease under which the owner runs
    the task that submits this one, or 0.                                   */
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

/*  The task, and the tasks that it has submitted, and so on. Their owners
    are told, but for the task's own, who knows. Or the actor, whose birth is
    called off.                                                             */
void head_cancel (head_state_t *self, tid_t id);
void head_subscribe (head_state_t *self, tid_t id, process_t target);

/*  The value, or the failure, of a future that a parked task waits for.    */
void head_value (head_state_t *self, tid_t id, uint32_t code, const uint8_t *data,
                 uint32_t size);

/*  --- events: actors ---------------------------------------------------  */

/*  record: the whole SPAWN as it came, to be passed on. options: NULL for
    the default. If a named actor is there already and options say that it
    will do, the answer is HEAD_FOUND, perhaps later.                       */
typedef struct {
    tid_t id;
    const char *class_name;
    size_t class_length;
    const char *name;
    size_t name_length;
    const uint8_t *record;
    size_t size;
    const options_t *options;
} head_spawn_t;

void head_spawn (head_state_t *self, int64_t now, const head_spawn_t *spawn);
void head_actor_up (head_state_t *self, process_t worker, tid_t id, uint64_t number,
                    uint64_t signature);
void head_actor_down (head_state_t *self, process_t worker, tid_t id);

/*  A process asks for a named actor of its job's namespace; `id` is the
    future of the answer. With a namespace, not NULL, it asks there.        */
void head_find (head_state_t *self, process_t asker, tid_t id, const char *space,
                const char *name, size_t length);

/*  --- events: groups of resources --------------------------------------  */

typedef enum {
    GROUP_PACK,                 /*  on few nodes, if it can be              */
    GROUP_SPREAD,               /*  on many, if it can be                   */
    GROUP_STRICT_PACK,          /*  on one                                  */
    GROUP_STRICT_SPREAD         /*  each on another                         */
} group_strategy_t;

/*  Reserves bundles, all or none; each is the resources of its options.
    HEAD_PLACED tells when they are reserved; a HEAD_FAULT that they cannot
    be.                                                                     */
void head_group (head_state_t *self, int64_t now, tid_t id, group_strategy_t strategy,
                 const options_t *bundles, size_t count);

/*  Gives the bundles back. Tasks that wait for a place in them fail; those
    that run there end first, and actors are ended.                         */
void head_group_end (head_state_t *self, tid_t id);

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
    size_t nodes;
    size_t jobs;
    size_t groups;
} head_counts_t;

head_counts_t head_counts (const head_state_t *self);

/*  Checks every invariant between the structures; for tests. Returns NULL,
    or what is wrong.                                                       */
const char *head_check (head_state_t *self);

#endif
