/*  call.h - the call that a task, method or callback answers

    Lives on the stack of the thread that runs the function.                */

#ifndef TROUPE_PEER_CALL_H
#define TROUPE_PEER_CALL_H

#include "peer/actor.h"

struct troupe_call {
    troupe_t *peer;
    const char *what;           /*  "square", "counter.add", for messages   */
    process_t owner;            /*  who gets the answer                     */

    const uint8_t *args;        /*  an array, or for callbacks one value    */
    size_t args_size;
    const uint8_t *attachment;  /*  values that the arguments refer to      */
    uint32_t attachments;
    id_table_t index;           /*  of many: id → where, made when needed   */
    troupe_future_t *source;    /*  callbacks: the future that is done      */

    void *self;                 /*  state of the actor                      */
    const actor_reference_t *actor;
    void *context;              /*  callbacks                               */
    atomic_bool *cancelled;     /*  set by others; may be NULL              */
    int64_t deadline;

    bytes_t result;             /*  one value, once `returned`              */
    bool returned;
    struct object_given *given; /*  see object.h; NULL in callbacks         */
    bool objects;               /*  the result refers to objects, which the
                                    owner holds                             */
    troupe_future_t *tail;      /*  the future that answers instead         */
    troupe_future_t **futures;  /*  handles in the result, one reference    */
    size_t future_count;
    troupe_actor_t **actors;
    size_t actor_count;
    fault_t fault;              /*  valid if its code is not 0              */
    bool failed;                /*  troupe_fail has set it                  */

    arena_t arena;
    value_reader_t reader;
};

/*  Runs the function on a call whose input members are set and the rest
    zeroed, except that result may hold memory to be reused. Afterwards
    either fault.code is set, or tail, or result holds the value. Expects
    the lock not to be held.                                                */
void call_run (troupe_call_t *self, troupe_function_t *function);

/*  Releases what the call holds but result. Expects the lock not held.     */
void call_release (troupe_call_t *self);

/*  Hands the handles in the result to a process that will receive it: it
    counts as a borrower from now on. Expects the lock.                     */
void call_grant (troupe_call_t *self, process_t process);

#endif
