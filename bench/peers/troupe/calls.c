/*  calls.c - tasks and actor calls: waited for, many at once, and from many
    callers to many actors                                                   */

#include "bench/peers/troupe/side.h"

#define CALLS 10000 /*  at once                                 */
#define EACH 5000   /*  of one caller                           */
#define REPEATS 5

static int
noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (noop);

typedef struct {
    int unused;
} idler_t;

static int
idler_noop (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_ACTOR (idler, idler_t, .methods = { TROUPE_METHOD (idler_noop) });

/* ------------------------------------------------------------------------
   A caller: knows actors, and calls them in turn                           */

typedef struct {
    troupe_actor_t *actors [SIDE_ACTORS_MAX];
    size_t count;
    size_t next;
} caller_t;

static void
caller_term (void *argument)
{
    caller_t *self = argument;
    for (size_t i = 0; i < self->count; i++)
        troupe_actor_destroy (&self->actors [i]);
}

static int
caller_meet (troupe_call_t *call)
{
    caller_t *self = troupe_self (call);
    if (self->count == SIDE_ACTORS_MAX || troupe_args (call, &self->actors [self->count]))
        return -1;
    self->count++;
    return troupe_return (call);
}

static troupe_future_t *
s_call_next (void *context)
{
    caller_t *self = context;
    return troupe_call (self->actors [self->next++ % self->count], idler_noop);
}

static int
caller_run (troupe_call_t *call)
{
    caller_t *self = troupe_self (call);
    size_t count;
    if (troupe_args (call, &count))
        return -1;
    if (driver_pipeline (s_call_next, self, count, count))
        return troupe_fail (call, "a call failed");
    return troupe_return (call);
}
TROUPE_ACTOR (caller, caller_t, .term = caller_term,
              .methods = { TROUPE_METHOD (caller_meet), TROUPE_METHOD (caller_run) });

typedef struct {
    troupe_actor_t *idlers [SIDE_ACTORS_MAX];
    troupe_actor_t *callers [SIDE_ACTORS_MAX];
    size_t count;
} meeting_t;

static int
s_meeting_run (void *context)
{
    meeting_t *self = context;
    troupe_future_t *futures [SIDE_ACTORS_MAX];
    int failed = 0;
    for (size_t i = 0; i < self->count; i++)
        futures [i] = troupe_call (self->callers [i], caller_run, (size_t) EACH);
    for (size_t i = 0; i < self->count; i++)
        failed |= driver_finish (&futures [i]);
    return failed;
}

static int
s_meeting (troupe_t *troupe)
{
    meeting_t self = { .count = say_workers () };
    int failed = self.count > SIDE_ACTORS_MAX ? bench_fail ("too many workers") : 0;
    for (size_t i = 0; !failed && i < self.count; i++) {
        self.idlers [i] = troupe_spawn (troupe, idler);
        self.callers [i] = troupe_spawn (troupe, caller);
    }
    for (size_t i = 0; !failed && i < self.count; i++)
        for (size_t k = 0; !failed && k < self.count; k++) {
            troupe_future_t *met = troupe_call (self.callers [i], caller_meet, self.idlers [k]);
            failed = driver_finish (&met);
        }
    failed = failed
             || say_rate ("call_nn", s_meeting_run, &self, EACH * self.count, REPEATS, NULL);
    for (size_t i = 0; i < self.count; i++) {
        troupe_actor_destroy (&self.callers [i]);
        troupe_actor_destroy (&self.idlers [i]);
    }
    return failed;
}

/* ------------------------------------------------------------------------
   From the driver                                                          */

typedef struct {
    troupe_t *troupe;
    troupe_actor_t *actor;
} calls_t;

static troupe_future_t *
s_submit (void *context)
{
    return troupe_remote (((calls_t *) context)->troupe, noop);
}

static troupe_future_t *
s_call (void *context)
{
    return troupe_call (((calls_t *) context)->actor, idler_noop);
}

static int
s_task_once (void *context)
{
    troupe_future_t *future = s_submit (context);
    return driver_finish (&future);
}

static int
s_call_once (void *context)
{
    troupe_future_t *future = s_call (context);
    return driver_finish (&future);
}

static int
s_tasks_at_once (void *context)
{
    return driver_pipeline (s_submit, context, CALLS, CALLS);
}

static int
s_calls_at_once (void *context)
{
    return driver_pipeline (s_call, context, CALLS, CALLS);
}

int
side_calls (troupe_t *troupe)
{
    calls_t self = { troupe, troupe_spawn (troupe, idler) };
    int failed = say_latency ("task_latency", s_task_once, &self, 2000, NULL)
                 || say_rate ("task_rate", s_tasks_at_once, &self, CALLS, REPEATS, NULL)
                 || say_latency ("call_latency", s_call_once, &self, 2000, NULL)
                 || say_rate ("call_rate", s_calls_at_once, &self, CALLS, REPEATS, NULL)
                 || (say_wanted ("call_nn") && s_meeting (troupe));
    troupe_actor_destroy (&self.actor);
    return failed;
}
