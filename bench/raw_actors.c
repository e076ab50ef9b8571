/*  raw_actors.c - thousands of bare zactors: memory each, time to make one,
    and messages to all of them                                             */

#include "bench.h"

#include <czmq.h>

typedef struct {
    double resident_each;       /*  bytes                                   */
    double create_us;
    double rate;                /*  messages answered a second              */
} actors_t;

static void
s_echo_actor (zsock_t *pipe, void *argument)
{
    (void) argument;
    zsock_signal (pipe, 0);
    for (;;) {
        char *text = zstr_recv (pipe);
        bool stop = !text || strcmp (text, "$TERM") == 0;
        if (!stop)
            zstr_send (pipe, text);
        zstr_free (&text);
        if (stop)
            break;
    }
}

static int
s_create (zactor_t **actors, size_t count, actors_t *result)
{
    bench_memory_t before, after;
    if (bench_memory_settle (getpid (), &before))
        return -1;
    int64_t start = bench_now ();
    for (size_t i = 0; i < count; i++) {
        actors [i] = zactor_new (s_echo_actor, NULL);
        if (!actors [i])
            return bench_fail ("zactor %zu was not created", i);
    }
    result->create_us = (double) (bench_now () - start) / 1000 / (double) count;
    if (bench_memory_settle (getpid (), &after))
        return -1;
    result->resident_each = (after.resident - before.resident) / (double) count;
    return 0;
}

static int
s_call_all (zactor_t **actors, size_t count, actors_t *result)
{
    int64_t start = bench_now ();
    for (size_t i = 0; i < count; i++)
        if (zstr_send (actors [i], "call"))
            return bench_fail ("zactor %zu takes nothing", i);
    for (size_t i = 0; i < count; i++) {
        char *text = zstr_recv (actors [i]);
        bool answered = text && strcmp (text, "call") == 0;
        zstr_free (&text);
        if (!answered)
            return bench_fail ("zactor %zu does not answer", i);
    }
    result->rate = (double) count * 1e9 / (double) (bench_now () - start);
    return 0;
}

static void
s_print (const actors_t *result, size_t count)
{
    bench_result_begin ("memory_actor", "raw", result->resident_each / 1e3, "kB");
    bench_result_end ();
    bench_result_begin ("actors_alive", "raw", (double) count, "actors");
    bench_result_number ("create_us", result->create_us);
    bench_result_end ();
    bench_result_begin ("actors_rate", "raw", result->rate, "calls/s");
    bench_result_end ();
}

int
main (int argc, char *argv [])
{
    bench_options_t options = { .count = 5000, .window = 1 };
    if (bench_options_read (&options, argc, argv))
        return 2;
    zsys_set_max_sockets (0);
    zsys_handler_set (NULL);
    zactor_t **actors = calloc (options.count, sizeof *actors);
    actors_t result = { .rate = 0 };
    int failed = !actors || s_create (actors, options.count, &result)
                 || s_call_all (actors, options.count, &result);
    for (size_t i = 0; actors && i < options.count; i++)
        zactor_destroy (&actors [i]);
    free (actors);
    if (!failed)
        s_print (&result, options.count);
    return failed ? 1 : 0;
}
