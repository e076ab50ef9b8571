/*  kv.h - the actor class "kv": a table of values by key

    Keys are strings. Values may be anything but handles of actors and
    futures; nil means that there is no value. The functions below call the
    class by its name, so it may be in a module. Each returns a future that
    the caller owns; what it holds stands above the function. None of them
    blocks.                                                                  */

#ifndef KV_H_INCLUDED
#define KV_H_INCLUDED

#include <troupe.h>

#ifndef __cplusplus

/*  A new, empty table; the caller owns the handle.                         */
static inline troupe_actor_t *
kv_spawn (troupe_t *troupe)
{
    return troupe_spawn_by_name (troupe, "kv");
}

/*  bool: whether there was a value before. nil takes the key out. kv_set
    takes anything that TROUPE_ARG takes.                                   */
#define kv_set(self_, key_, value_) kv_set_arg ((self_), (key_), TROUPE_ARG (value_))

static inline troupe_future_t *
kv_set_arg (troupe_actor_t *self, const char *key, troupe_arg_t value)
{
    return troupe_call_by_name (self, "set", key, value);
}

/*  The value, or nil.                                                      */
static inline troupe_future_t *
kv_get (troupe_actor_t *self, const char *key)
{
    return troupe_call_by_name (self, "get", key);
}

/*  bool: whether there was a value.                                        */
static inline troupe_future_t *
kv_delete (troupe_actor_t *self, const char *key)
{
    return troupe_call_by_name (self, "delete", key);
}

/*  Strings: the keys that begin with prefix, in ascending order by bytes.  */
static inline troupe_future_t *
kv_keys (troupe_actor_t *self, const char *prefix)
{
    return troupe_call_by_name (self, "keys", prefix);
}

/*  uint64_t: the number of keys.                                           */
static inline troupe_future_t *
kv_size (troupe_actor_t *self)
{
    return troupe_call_by_name (self, "size");
}

/*  bool: whether the value was `expected` and became value. nil stands for
    no value in both. Maps are equal if their pairs come in the same order;
    integers and reals are never equal.                                     */
#define kv_compare_and_swap(self_, key_, expected_, value_)                                  \
    kv_compare_and_swap_arg ((self_), (key_), TROUPE_ARG (expected_), TROUPE_ARG (value_))

static inline troupe_future_t *
kv_compare_and_swap_arg (troupe_actor_t *self, const char *key, troupe_arg_t expected,
                         troupe_arg_t value)
{
    return troupe_call_by_name (self, "compare_and_swap", key, expected, value);
}

#endif /*  __cplusplus  */

#endif
