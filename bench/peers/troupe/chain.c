/*  chain.c - calls, each of which takes the result of the one before         */

#include "bench/peers/troupe/side.h"

#define PAIR 2

typedef struct {
    int unused;
} adder_t;

static int
adder_next (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    return troupe_return (call, number + 1);
}
TROUPE_ACTOR (adder, adder_t, .methods = { TROUPE_METHOD (adder_next) });

typedef struct {
    troupe_actor_t *adders [PAIR];
    int64_t length;
} chain_t;

static int
s_chain (void *context)
{
    chain_t *self = context;
    int64_t answer = 0;
    troupe_future_t *last = troupe_call (self->adders [0], adder_next, 0);
    for (int64_t step = 1; step < self->length; step++) {
        troupe_future_t *next = troupe_call (self->adders [step % PAIR], adder_next, last);
        troupe_future_destroy (&last);
        last = next;
    }
    int failed = troupe_get (last, &answer) ? driver_fail (last) : 0;
    if (!failed && answer != self->length)
        failed = bench_fail ("a chain of %ld gave %ld", (long) self->length, (long) answer);
    troupe_future_destroy (&last);
    return failed;
}

static int
s_chains (troupe_t *troupe, const char *row_10, const char *row_50, size_t count)
{
    chain_t self = { .length = 10 };
    for (int i = 0; i < PAIR; i++)
        self.adders [i] = troupe_spawn (troupe, adder);
    int failed = say_latency (row_10, s_chain, &self, count, NULL);
    self.length = 50;
    failed = failed || say_latency (row_50, s_chain, &self, count / 2, NULL);
    for (int i = 0; i < PAIR; i++)
        troupe_actor_destroy (&self.adders [i]);
    return failed;
}

int
side_chain (troupe_t *troupe)
{
    return s_chains (troupe, "chain_10", "chain_50", 500);
}

int
side_far (troupe_t *troupe)
{
    return s_chains (troupe, "far_10", "far_50", 20);
}
