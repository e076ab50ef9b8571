/*  counter.c - the actor class "counter"; counter.h says what it does       */

#include <troupe.h>

typedef struct {
    int64_t value;
} counter_t;

/*  (), or (int64 start)                                                    */
static int
counter_init (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    if (troupe_arg_count (call) == 0)
        return 0;
    return troupe_args (call, &self->value);
}

/*  (int64 amount) -> int64 sum                                             */
static int
counter_add (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    int64_t amount, sum;
    if (troupe_args (call, &amount))
        return -1;
    if (__builtin_add_overflow (self->value, amount, &sum))
        return troupe_fail (call, "the sum does not fit into 64 bits");
    self->value = sum;
    return troupe_return (call, sum);
}

/*  () -> int64                                                             */
static int
counter_get (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    return troupe_return (call, self->value);
}

/*  (int64 value) -> int64 before                                           */
static int
counter_set (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    int64_t value, before = self->value;
    if (troupe_args (call, &value))
        return -1;
    self->value = value;
    return troupe_return (call, before);
}

/*  (int64 expected, int64 value) -> bool swapped, int64 before             */
static int
counter_compare_and_swap (troupe_call_t *call)
{
    counter_t *self = troupe_self (call);
    int64_t expected, value, before = self->value;
    if (troupe_args (call, &expected, &value))
        return -1;
    bool swapped = before == expected;
    if (swapped)
        self->value = value;
    return troupe_return (call, swapped, before);
}

TROUPE_ACTOR (counter, counter_t, .init = counter_init,
              .methods = { TROUPE_METHOD (counter_add, .parameters = "amount: int64"),
                           TROUPE_METHOD (counter_get, .parameters = ""),
                           TROUPE_METHOD (counter_set, .parameters = "value: int64"),
                           TROUPE_METHOD (counter_compare_and_swap,
                                          .parameters = "expected: int64, value: int64") });
