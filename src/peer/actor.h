/*  actor.h - handles to actors

    A handle is good before its actor is up: calls gather in it and leave,
    in order, when the worker's answer to the SPAWN tells where it lives.
    The process that spawned an actor owns it; other processes borrow it and
    say so to the owner, who ends the actor when nobody holds it any more.

    All functions expect the lock of the handle's peer.                     */

#ifndef TROUPE_PEER_ACTOR_H
#define TROUPE_PEER_ACTOR_H

#include "peer/future.h"

typedef enum { ACTOR_STARTING, ACTOR_ALIVE, ACTOR_DEAD } actor_state_t;

/*  A call that waits for the actor's address, and a value that it takes.   */
typedef struct {
    troupe_future_t *call;
    troupe_future_t *argument;
} held_argument_t;

struct troupe_actor {
    troupe_t *peer;
    tid_t id;
    process_t worker;
    uint64_t number;            /*  on its worker                           */
    uint64_t signature;
    const troupe_class_t *described;    /*  the class, if the program has it, */
    uint64_t own_signature;             /*  and its signature               */
    char *class_name;
    uint32_t references;        /*  handles here                            */
    process_t *borrowers;       /*  handles elsewhere                       */
    size_t borrower_count;
    uint8_t state;
    bool named;
    bool killed;                /*  before it was up                        */
    bool listed;
    bool borrowed;              /*  the owner was told                      */
    troupe_future_t *ready;     /*  while it starts, and after a failure    */
    bytes_t spawn;              /*  the SPAWN while its arguments are not there */
    size_t spawn_missing;
    bytes_t *held;              /*  frames of calls that wait for the address */
    size_t held_count;
    held_argument_t *held_arguments;    /*  unfinished futures in them      */
    size_t held_argument_count;
    fault_t *fault;             /*  why it is dead                          */
};

/*  The actor that a reference names, with a reference for the caller; made
    if it is new, and then its owner is told. NULL when there is no memory. */
troupe_actor_t *actor_borrow (troupe_t *peer, const actor_reference_t *reference);

/*  One reference more, which is returned, or one less. With the last, and with
    the last borrower, an own actor is ended and its handle freed; a borrowed
    one is given back to its owner.                                         */
troupe_actor_t *actor_retain (troupe_actor_t *self);
void actor_release (troupe_actor_t *self);

/*  What others need to know of it; the strings are the handle's. -1 while it is
    not up.                                                                 */
int actor_reference (troupe_actor_t *self, actor_reference_t *reference);

/*  Ends the handle's life with a cause, which is copied: calls fail with it. The
    handle may be freed by it, if nobody holds it.                          */
void actor_die (troupe_actor_t *self, troupe_error_t code, const char *text, size_t length);

/*  A future of a handle to the actor of this name, done when it lives; NULL
    after fault_raise. Takes the lock itself.                               */
troupe_future_t *actor_find (troupe_t *peer, const char *name);

/*  A process has ended: the actors on it die of that, and it borrows none any
    more, which may end those of ours that only it held.                    */
void actor_lose_process (troupe_t *peer, process_t process, const fault_t *why);

/*  A process has a handle to our actor, once more or once less; with the last
    handle anywhere the actor is ended.                                     */
void actor_borrower_add (troupe_actor_t *self, process_t process);
void actor_borrower_remove (troupe_actor_t *self, process_t process);

#endif
