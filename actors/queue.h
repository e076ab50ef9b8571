/*  queue.h - the actor class "queue": values wait in line, first in, first
    out, up to a limit

    No method waits: put fails when the queue is full, take answers nil when
    it is empty. Values may be anything but nil and handles of actors and
    futures. The functions below call the class by its name, so it may be in a
    module. Each returns a future that the caller owns; what it holds stands
    above the function. None of them blocks.                                 */

#ifndef QUEUE_H_INCLUDED
#define QUEUE_H_INCLUDED

#include <troupe.h>

#ifndef __cplusplus

/*  A new queue for at most limit values, 1 or more; the caller owns the
    handle.                                                                 */
static inline troupe_actor_t *
queue_spawn (troupe_t *troupe, uint64_t limit)
{
    return troupe_spawn_by_name (troupe, "queue", limit);
}

/*  uint64_t: the values in the queue, the new one included. Fails if the
    queue is full or closed. queue_put takes anything that TROUPE_ARG takes. */
#define queue_put(self_, value_) queue_put_arg ((self_), TROUPE_ARG (value_))

static inline troupe_future_t *
queue_put_arg (troupe_actor_t *self, troupe_arg_t value)
{
    return troupe_call_by_name (self, "put", value);
}

/*  The value put in first, or nil if the queue is empty. Fails if it is
    empty and closed.                                                       */
static inline troupe_future_t *
queue_take (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "take");
}

/*  A list of at most limit values, the first first, empty if there are
    none. Fails if the queue is empty and closed.                           */
static inline troupe_future_t *
queue_take_many (troupe_actor_t *self, uint64_t limit)
{
    return troupe_call_by_name (self, "take_many", limit);
}

/*  uint64_t: the values in the queue.                                      */
static inline troupe_future_t *
queue_size (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "size");
}

/*  Nothing. From now on put fails; what is in the queue can be taken.      */
static inline troupe_future_t *
queue_close (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "close");
}

#endif /*  __cplusplus  */

#endif
