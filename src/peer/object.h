/*  object.h - large values of a seat: objects in the store of the machine

    Large arguments of calls become futures first, by object_arguments, so
    that all else treats them as it treats futures among arguments. The owner
    of a future holds the objects in its value, if it was given them, until
    the future is freed (future.h); a call that takes them pins the future.

    Functions expect the lock not to be held, unless they say otherwise: they
    may wait for the store.                                                 */

#ifndef TROUPE_PEER_OBJECT_H
#define TROUPE_PEER_OBJECT_H

#include "peer/future.h"

/*  Whether the argument is to be an object.                                */
bool object_is_large (const troupe_t *peer, const troupe_arg_t *arg);

/*  Gives up the program's own objects among arguments that nobody gets: they
    are taken, whether a call succeeds or not.                              */
void object_discard (const troupe_arg_t *args, size_t count);

/*  Who holds an object. passed: it is in an answer, of which he has not heard, and
    he claims it then; if this process ends before that, he holds it no more. */
typedef struct {
    process_t process;
    bool passed;
} object_holder_t;

/*  Puts an argument into the store for a holder and appends the reference.
    Returns 0, or -1 with the fault set.                                    */
int object_put (troupe_t *peer, const troupe_arg_t *arg, object_holder_t holder, bytes_t *out,
                fault_t *fault);

/*  Appends an argument: as an object if it is large.                       */
int object_write (troupe_t *peer, const troupe_arg_t *arg, object_holder_t holder,
                  const value_writer_t *writer, bytes_t *out, fault_t *fault);

/*  Arguments of a call with futures in the place of large ones.            */
typedef struct {
    const troupe_arg_t *args;   /*  to be used                              */
    troupe_arg_t *own;          /*  NULL: the caller's                      */
    size_t count;
} object_arguments_t;

/*  Returns 0, or -1: no memory. object_arguments_release in any case, after
    the call was written.                                                   */
int object_arguments (object_arguments_t *self, troupe_t *peer, const troupe_arg_t *args,
                      size_t count);
void object_arguments_release (object_arguments_t *self, const troupe_arg_t *args);

/*  Where an object's content is, for as long as the arena; NULL with the fault
    set.                                                                    */
const uint8_t *object_read (troupe_t *peer, arena_t *arena, const object_reference_t *object,
                            fault_t *fault);

/*  Holds of objects of other machines that a function has given, which must have
    arrived there before its answer lets others give up theirs: of each store
    the last one. Zeroed is none.                                           */
typedef struct object_given {
    bytes_t holds;
    list_node_t node;           /*  in the peer's givers, while it runs     */
} object_given_t;

typedef struct {
    process_t home;
    uint64_t number;
} object_hold_t;

/*  A hold for a process for each object that a value refers to. given: where it
    is noted, NULL if nobody is to wait for it. With the lock.              */
void object_hold_all (troupe_t *peer, const uint8_t *data, size_t size, object_holder_t holder,
                      object_given_t *given);

/*  For each object that a value refers to: one hold less; it has what was sealed
    for it; it will be read here. With the lock or without.                 */
void object_release_all (troupe_t *peer, const uint8_t *data, size_t size,
                         object_holder_t holder);
void object_claim_all (troupe_t *peer, const uint8_t *data, size_t size);
void object_prefetch_all (troupe_t *peer, const uint8_t *data, size_t size);

/*  A function begins and ends in this thread: what it gives is noted. With the
    lock.                                                                   */
void object_give_begin (troupe_t *peer, object_given_t *given);
void object_give_end (object_given_t *given);

static inline bool
object_given_any (const object_given_t *given)
{
    return given->holds.size || given->holds.failed;
}

static inline size_t
object_given_count (const object_given_t *given)
{
    return given->holds.size / sizeof (object_hold_t);
}

/*  The store of one of them; waits until it has arrived there. With the lock,
    which is free meanwhile. Returns 0, or -1 with the fault set.           */
process_t object_given_home (const object_given_t *given, size_t index);
int object_settle (troupe_t *peer, const object_given_t *given, size_t index,
                   fault_t *fault);

/*  Whether the value, which was checked, refers to an object. With the lock or
    without.                                                                */
bool object_is_in (const uint8_t *data, size_t size);

/*  The writer's `object`: held by this process, by a future that the other one
    pins. With the lock.                                                    */
int object_keep (troupe_future_t *keeper, const object_reference_t *object, fault_t *fault);

#endif
