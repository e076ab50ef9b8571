/*  hosts_values.h - large values that programs of tests make, read, and hand on on
    the nodes of a cluster                                                  */

#ifndef TESTS_HOSTS_VALUES_H
#define TESTS_HOSTS_VALUES_H

#include <troupe.h>

/*  What has not come by then never comes.                                  */
#define PATIENCE_MS 60000

static uint64_t
s_sum (const int64_t *numbers, size_t count)
{
    uint64_t sum = 0;
    for (size_t index = 0; index < count; index++)
        sum = sum * 31 + (uint64_t) numbers [index];
    return sum;
}

static void
s_fill (int64_t *numbers, size_t count, int64_t seed)
{
    for (size_t index = 0; index < count; index++)
        numbers [index] = seed * 1000003 + (int64_t) index;
}

static int
digest (troupe_call_t *call)
{
    troupe_int64s_t numbers;
    if (troupe_args (call, &numbers))
        return -1;
    return troupe_return (call, s_sum (numbers.items, numbers.count));
}
TROUPE_TASK (digest);

static int
make (troupe_call_t *call)
{
    int64_t count, seed;
    if (troupe_args (call, &count, &seed))
        return -1;
    troupe_object_t *object
        = troupe_create (troupe_of (call), TROUPE_ARG_INT64S, (size_t) count);
    int64_t *numbers = troupe_object_data (object);
    if (!numbers)
        return -1;
    s_fill (numbers, (size_t) count, seed);
    return troupe_return (call, object);
}
TROUPE_TASK (make);

/*  Returns a future of another process.                                    */
static int
hand_on (troupe_call_t *call)
{
    troupe_future_t *future;
    if (troupe_args (call, &future))
        return -1;
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_TASK (hand_on);

/*  Returns what it was given, which it has not read.                       */
static int
pass_back (troupe_call_t *call)
{
    troupe_view_t value;
    return troupe_args (call, &value) ? -1 : troupe_return (call, value);
}
TROUPE_TASK (pass_back);

#endif
