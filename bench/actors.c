/*  actors.c - thousands of actors on one node: memory each, time to make
    one, calls to all of them, and what the first that does not fit says    */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>

/*  More than this are not tried; spawned so many at a time.                */
#define ATTEMPTS_MAX 40000
#define BATCH 500

typedef struct {
    int64_t number;
} member_t;

static int
member_init (troupe_call_t *call)
{
    member_t *self = troupe_self (call);
    return troupe_args (call, &self->number);
}

static int
member_number (troupe_call_t *call)
{
    const member_t *self = troupe_self (call);
    return troupe_return (call, self->number);
}
TROUPE_ACTOR (member, member_t, .init = member_init,
              .methods = { TROUPE_METHOD (member_number) });

typedef struct {
    troupe_t *troupe;
    troupe_actor_t *actors [ATTEMPTS_MAX];
    troupe_future_t *futures [ATTEMPTS_MAX];
    size_t alive;
} crowd_t;

/*  Spawns up to BATCH more. Returns 0, or the code of the first failure with
    its text; those before it are alive.                                    */
static troupe_error_t
s_spawn_batch (crowd_t *self, size_t limit, char *text, size_t size)
{
    troupe_error_t code = TROUPE_OK;
    size_t first = self->alive, last = first;
    for (; last < first + BATCH && last < limit; last++) {
        self->actors [last] = troupe_spawn (self->troupe, member, last);
        if (!self->actors [last])
            break;
        self->futures [last] = troupe_actor_ready (self->actors [last]);
    }
    if (last == first) {
        snprintf (text, size, "%s", troupe_error ());
        return TROUPE_ENOMEM;
    }
    for (size_t i = first; i < last; i++) {
        troupe_future_t **ready = &self->futures [i];
        if (code == TROUPE_OK && troupe_get (*ready)) {
            code = troupe_future_code (*ready);
            snprintf (text, size, "%s", troupe_future_error (*ready));
        }
        troupe_future_destroy (ready);
        if (code == TROUPE_OK)
            self->alive++;
        else
            troupe_actor_destroy (&self->actors [i]);
    }
    return code;
}

/*  Calls every actor at once and looks at each answer.                     */
static int
s_call_all (crowd_t *self)
{
    int failed = 0;
    for (size_t i = 0; i < self->alive; i++)
        self->futures [i] = troupe_call (self->actors [i], member_number);
    for (size_t i = 0; i < self->alive; i++) {
        size_t number = 0;
        if (!failed && troupe_get (self->futures [i], &number))
            failed = driver_fail (self->futures [i]);
        else if (!failed && number != i)
            failed = bench_fail ("actor %zu answered %zu", i, number);
        troupe_future_destroy (&self->futures [i]);
    }
    return failed;
}

static int
s_measure_crowd (crowd_t *self, size_t count)
{
    double before, after;
    char text [512];
    if (bench_family_settle (&before))
        return -1;
    int64_t start = bench_now ();
    while (self->alive < count)
        if (s_spawn_batch (self, count, text, sizeof text))
            return bench_fail ("%zu actors are alive, then: %s", self->alive, text);
    double create_ns = (double) (bench_now () - start) / (double) count;
    if (bench_family_settle (&after) || s_call_all (self))
        return -1;
    start = bench_now ();
    if (s_call_all (self))
        return -1;
    double seconds = (double) (bench_now () - start) / 1e9;
    bench_result_begin ("memory_actor", "troupe", (after - before) / (double) count / 1e3,
                        "kB");
    bench_result_end ();
    bench_result_begin ("actors_alive", "troupe", (double) self->alive, "actors");
    bench_result_number ("create_us", create_ns / 1e3);
    bench_result_end ();
    bench_result_begin ("actors_rate", "troupe", (double) count / seconds, "calls/s");
    bench_result_end ();
    return 0;
}

/*  Goes on until one does not fit. It must say so, and hurt no other.      */
static int
s_measure_limit (crowd_t *self)
{
    char text [512] = "";
    troupe_error_t code = TROUPE_OK;
    while (code == TROUPE_OK && self->alive < ATTEMPTS_MAX)
        code = s_spawn_batch (self, ATTEMPTS_MAX, text, sizeof text);
    if (code != TROUPE_OK && code != TROUPE_ELIMIT)
        return bench_fail ("actor %zu met no clear limit: %s", self->alive, text);
    if (s_call_all (self))
        return bench_fail ("not all of %zu actors are well at the limit", self->alive);
    bench_result_begin ("actors_limit", "troupe", (double) self->alive, "actors");
    bench_result_text ("error", code ? text : "none was met");
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    static crowd_t self;
    self.troupe = driver_init (&argc, &argv);
    bench_options_t options = { .count = 5000, .window = 1 };
    if (!self.troupe || bench_options_read (&options, argc, argv))
        return 2;
    if (options.count > ATTEMPTS_MAX)
        options.count = ATTEMPTS_MAX;
    int failed = s_measure_crowd (&self, options.count) || s_measure_limit (&self);
    for (size_t i = 0; i < self.alive; i++)
        troupe_actor_destroy (&self.actors [i]);
    if (troupe_term (&self.troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
