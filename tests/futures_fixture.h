/*  futures_fixture.h - what tests of futures share: workers that are kept busy,
    and a way to know that all was heard                                     */

#ifndef TROUPE_TESTS_FUTURES_FIXTURE_H
#define TROUPE_TESTS_FUTURES_FIXTURE_H

#include "tests/support.h"
#include "tests/tasks_fixture.h"

/*  --- tasks ------------------------------------------------------------  */

/*  Leaves a trace.                                                         */
static int
mark (troupe_call_t *call)
{
    const char *trace;
    int64_t number;
    if (troupe_args (call, &trace, &number))
        return -1;
    return file_append (trace, "") == 0 ? troupe_return (call, number)
                                        : troupe_fail (call, "no trace");
}
TROUPE_TASK (mark);

/*  Counts in the context how often it ran, and adds one to the value.      */
static unused_ int
s_add_one (troupe_call_t *call)
{
    int *count = troupe_context (call);
    int64_t number;
    if (count)
        ++*count;
    return troupe_args (call, &number) ? -1 : troupe_return (call, number + 1);
}

/*  --- helpers ----------------------------------------------------------  */

/*  Keeps all workers busy until it ends.                                   */
typedef struct {
    gate_t gates [16];
    troupe_future_t *futures [16];
    size_t count;
} hold_t;

static unused_ void
s_hold_begin (hold_t *self)
{
    self->count = support_workers ();
    assert_in_range (self->count, 1, 16);
    for (size_t index = 0; index < self->count; index++) {
        self->gates [index] = gate_new ();
        self->futures [index]
            = troupe_remote (s_troupe, after_gate, self->gates [index].path, index);
    }
    for (size_t index = 0; index < self->count; index++)
        gate_reached (&self->gates [index]);
}

static unused_ void
s_hold_end (hold_t *self)
{
    for (size_t index = 0; index < self->count; index++)
        gate_open (&self->gates [index]);
    for (size_t index = 0; index < self->count; index++)
        expect_integer (self->futures [index], (int64_t) index);
}

/*  Once this returns, what was sent to the head before it, and what the head
    sent on to workers, has come to them: the way of a constructor goes
    through both.                                                           */
typedef struct { char unused; } nobody_t;
TROUPE_ACTOR (nobody, nobody_t, .init = NULL);

static unused_ void
s_flush_cluster (void)
{
    troupe_actor_t *actors [16];
    size_t count = 2 * support_workers ();
    for (size_t index = 0; index < count; index++)
        actors [index] = troupe_spawn (s_troupe, nobody);
    for (size_t index = 0; index < count; index++)
        expect_success (troupe_actor_ready (actors [index]));
    for (size_t index = 0; index < count; index++)
        troupe_actor_destroy (&actors [index]);
}

static unused_ void
s_destroy_all (troupe_future_t **futures, size_t count)
{
    for (size_t index = 0; index < count; index++)
        troupe_future_destroy (&futures [index]);
}

#endif
