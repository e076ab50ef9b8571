/*  counter.h - the actor class "counter": one number that many may change

    The functions below call the class by its name, so it may be in a module.
    Each returns a future that the caller owns; what it holds stands above the
    function. None of them blocks.                                           */

#ifndef COUNTER_H_INCLUDED
#define COUNTER_H_INCLUDED

#include <troupe.h>

#ifndef __cplusplus

/*  A new counter; the caller owns the handle.                              */
static inline troupe_actor_t *
counter_spawn (troupe_t *troupe, int64_t start)
{
    return troupe_spawn_by_name (troupe, "counter", start);
}

/*  int64_t: the number after amount was added. Fails, and changes nothing,
    if the sum does not fit.                                                */
static inline troupe_future_t *
counter_add (troupe_actor_t *self, int64_t amount)
{
    return troupe_call_by_name (self, "add", amount);
}

/*  int64_t: the number.                                                    */
static inline troupe_future_t *
counter_get (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "get");
}

/*  int64_t: the number before it became value.                             */
static inline troupe_future_t *
counter_set (troupe_actor_t *self, int64_t value)
{
    return troupe_call_by_name (self, "set", value);
}

/*  bool, int64_t: whether the number was `expected` and became value; and
    the number before.                                                      */
static inline troupe_future_t *
counter_compare_and_swap (troupe_actor_t *self, int64_t expected, int64_t value)
{
    return troupe_call_by_name (self, "compare_and_swap", expected, value);
}

#endif /*  __cplusplus  */

#endif
