/*  tasks_fixture.c - tasks that several tests use                           */

#include "tests/tasks_fixture.h"

#include "tests/expect.h"

static int
echo (troupe_call_t *call)
{
    troupe_view_t value;
    return troupe_arg_view (call, 0, &value) ? -1 : troupe_return (call, value);
}
TROUPE_TASK (echo);

static int
square (troupe_call_t *call)
{
    int64_t number;
    return troupe_args (call, &number) ? -1 : troupe_return (call, number * number);
}
TROUPE_TASK (square);

static int
add (troupe_call_t *call)
{
    int64_t left, right;
    return troupe_args (call, &left, &right) ? -1 : troupe_return (call, left + right);
}
TROUPE_TASK (add);

static int
fails (troupe_call_t *call)
{
    const char *why;
    return troupe_args (call, &why) ? -1 : troupe_fail (call, "it is %s", why);
}
TROUPE_TASK (fails);

/*  Walks a list of integers.                                               */
static int
sum_list (troupe_call_t *call)
{
    troupe_view_t list, inside, value;
    int64_t number, sum = 0;
    int rc;
    if (troupe_args (call, &list) || troupe_view_enter (list, &inside))
        return -1;
    while ((rc = troupe_view_next (&inside, &value)) == 1) {
        if (troupe_read (value, &number))
            return -1;
        sum += number;
    }
    return rc ? -1 : troupe_return (call, sum);
}
TROUPE_TASK (sum_list);

/*  Waits at a gate, then answers with a number.                            */
static int
after_gate (troupe_call_t *call)
{
    const char *gate;
    int64_t number;
    if (troupe_args (call, &gate, &number))
        return -1;
    return gate_pass (gate) ? troupe_return (call, number) : troupe_fail (call, "no gate");
}
TROUPE_TASK (after_gate);

static int
fails_after_gate (troupe_call_t *call)
{
    const char *gate;
    if (troupe_args (call, &gate))
        return -1;
    gate_pass (gate);
    return troupe_fail (call, "behind the gate");
}
TROUPE_TASK (fails_after_gate);
