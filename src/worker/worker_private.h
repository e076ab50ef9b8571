/*  worker_private.h - the structures of a worker                           */

#ifndef TROUPE_WORKER_PRIVATE_H
#define TROUPE_WORKER_PRIVATE_H

#include "core/slab.h"
#include "peer/call.h"
#include "peer/family.h"
#include "peer/object.h"
#include "worker/worker.h"

/*  Executors that may wait inside their tasks at once.                     */
#define EXECUTORS_MAX 1000

typedef struct worker_actor worker_actor_t;

/*  A task or a method call that is here.                                   */
typedef struct {
    list_node_t node;           /*  in the queue or the mailbox             */
    tid_t id;
    process_t sender;           /*  who called: orders calls                */
    batch_t *batch;             /*  what the record points into             */
    record_t record;            /*  its body: the arguments only            */
    const troupe_task_t *task;  /*  or                                      */
    worker_actor_t *actor;
    int method;
    uint32_t lease;             /*  of a task                               */
    uint32_t unresolved;
    uint32_t waiter_count;
    await_waiter_t *waiters;
    bytes_t values;             /*  attachments, with what came later       */
    process_t *targets;         /*  who else wants the result               */
    size_t target_count;
    int64_t deadline;
    int64_t started;
    atomic_bool cancelled;
    bool running;
    family_t family;            /*  what it has submitted                   */
} job_t;

typedef struct {
    thread_t *thread;
    struct worker *worker;
    worker_actor_t *actor;      /*  NULL: an executor                       */
    peer_waiter_t waiter;
    list_node_t idle;
    bool called;                /*  counted as coming                       */
} runner_t;

struct worker_actor {
    struct worker *worker;
    actor_reference_t reference;
    const troupe_class_t *described;
    job_t *birth;               /*  the SPAWN, until constructed            */
    void *state;
    list_t mailbox;
    size_t waiting;
    size_t waiting_max;
    runner_t *runners;
    unsigned runner_count;
    unsigned running;           /*  methods                                 */
    unsigned living;            /*  runners that have not returned          */
    bool constructed;
    bool detached;              /*  outlives its owner                      */
    bool ending;
    list_node_t node;           /*  among those to be made or reaped        */
};

struct worker {
    troupe_t *peer;
    ledger_t *ledger;
    const troupe_task_t **functions;    /*  by the head's number            */
    size_t function_count;
    unsigned slots;
    unsigned active;            /*  executors that run and do not wait      */
    unsigned blocked;           /*  executors that wait inside their task   */
    unsigned callbacks_blocked; /*  the same, inside a callback             */
    unsigned unanswered;        /*  tasks that have run and wait for that   */
    unsigned coming;            /*  executors called or being made          */
    list_t queue;
    unsigned queued;            /*  jobs in it                              */
    unsigned low;               /*  with so few left, answers leave         */
    list_t idle;                /*  executors                               */
    id_table_t homes;           /*  stores that answers wait for            */
    list_t due;                 /*  those that no executor waits for        */
    runner_t **executors;
    unsigned executor_count;
    unsigned wanted;            /*  executors that should be made           */
    id_table_t jobs;
    slab_t job_slab;
    id_table_t actors;          /*  by number                               */
    uint64_t numbers;
    const troupe_class_t *told;         /*  the newest class that the head knows of */
    list_t births;              /*  actors to be made                       */
    list_t dead;                /*  actors to be reaped                     */
    peer_waiter_t *main;        /*  worker_run                              */
    bool stopping;
};

extern const peer_hooks_t worker_hooks;

/*  Has worker_run look at what there is to be made or reaped.              */
void worker_wake_main (worker_t *self);

/*  Cancels a task, a method or a birth, and what it has submitted, and so on:
    what has not begun never does, what runs is told. Expects the lock.     */
void worker_cancel (worker_t *self, tid_t id);

/*  --- job.c: all expect the lock ---------------------------------------  */

/*  Makes a job of a record. NULL when there is no memory, or a job of that id
    already.                                                                */
job_t *job_new (worker_t *worker, const record_t *record, batch_t *batch, process_t sender);
void job_destroy (worker_t *worker, job_t *self);

/*  Registers what the arguments wait for. Returns 0; -1 after it failed and
    was answered and destroyed.                                             */
int job_await_arguments (worker_t *worker, job_t *self);

/*  A value has come that it waits for.                                     */
int job_add_value (job_t *self, tid_t id, const uint8_t *data, uint32_t size);

/*  Runs it, without the lock, and answers. started: the time if the caller
    knows it, or 0. Returns the time at the end, or 0.                      */
int64_t job_run (worker_t *worker, job_t *self, bytes_t *reuse, int64_t started);

/*  Answers with a failure: "what on where: ..." is put in front.           */
void job_fail (worker_t *worker, job_t *self, troupe_error_t code, const char *format, ...)
    TROUPE_PRINTF_ (4, 5);

/*  The same for an argument whose value is a failure with this text.       */
void job_fail_argument (worker_t *worker, job_t *self, uint32_t code, const void *text,
                        size_t length);

/*  Ends a lease at the head.                                               */
void job_report_done (worker_t *worker, const job_t *self);

/*  --- settle.c ---------------------------------------------------------  */

/*  An answer that waits for holds at other machines.                       */
typedef struct settling {
    object_given_t given;
    size_t next;                /*  the one of them that it waits for       */
    list_node_t node;
    /*  They have arrived, or, with a fault, it is not known that they have.
        Frees it. With the lock.                                            */
    void (*settled) (worker_t *worker, struct settling *self, const fault_t *fault);
} settling_t;

void settle_later (worker_t *worker, settling_t *self);

/*  Waits for the next store that answers wait for, without the lock. False if
    there is none, but for those that other executors wait for.             */
bool settle_one (worker_t *worker);
void settle_forget_all (worker_t *worker);

/*  --- executor.c -------------------------------------------------------  */

void executor_accept (worker_t *worker, const record_t *record, batch_t *batch);
void executor_recall (worker_t *worker, uint64_t count);
void executor_kick (worker_t *worker);
int executor_blocked (worker_t *worker, bool begins, fault_t *fault);
int executor_make (worker_t *worker, fault_t *fault);
void executor_report_slots (worker_t *worker);

/*  --- actors.c ---------------------------------------------------------  */

void actors_accept_spawn (worker_t *worker, const record_t *record, batch_t *batch);
void actors_accept_call (worker_t *worker, const record_t *record, batch_t *batch,
                         process_t sender);
void actors_end (worker_t *worker, uint64_t number, bool kill);
void actors_end_named (worker_t *worker, tid_t id);
void actors_lose_owner (worker_t *worker, process_t owner);
void actors_kick (worker_actor_t *self);

/*  Makes the threads of an actor; releases the lock meanwhile.             */
void actors_make (worker_t *worker, worker_actor_t *self);
void actors_reap (worker_t *worker, worker_actor_t *self);

/*  --- module.c ---------------------------------------------------------  */

/*  The class of that name: of the program, or of a module NAME.so in the
    folders of TROUPE_MODULES and the installed ones, loaded now. Without
    the lock. NULL with the fault set.                                      */
const troupe_class_t *module_find_class (const char *name, fault_t *fault);

#endif
