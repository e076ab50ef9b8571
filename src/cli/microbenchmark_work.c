/*  microbenchmark_work.c - the tasks and actors that workers run for
    troupe microbenchmark                                                   */

#include "cli/microbenchmark.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int64_t *
zeros_new (size_t count)
{
    int64_t *zeros = calloc (count, sizeof *zeros);
    size_t page = (size_t) sysconf (_SC_PAGESIZE), size = count * sizeof *zeros;
    if (!zeros)
        return NULL;
    uintptr_t begin = ((uintptr_t) zeros + page - 1) / page * page;
    uintptr_t end = ((uintptr_t) zeros + size) / page * page;
    if (end > begin)
        madvise ((void *) begin, end - begin, MADV_HUGEPAGE);
    return zeros;
}

int
futures_finish (troupe_future_t **futures, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        if (rc == 0)
            rc = troupe_get (futures [i]);
        troupe_future_destroy (&futures [i]);
    }
    return rc;
}

/*  --- tasks --------------------------------------------------------------  */

int
small_value (troupe_call_t *call)
{
    return troupe_return (call, troupe_bytes ("ok", 2));
}

static int
put_small_values (troupe_call_t *call)
{
    int rc = 0;
    for (size_t i = 0; i < PUTS && !rc; i++) {
        troupe_future_t *future = troupe_put (troupe_of (call), 0);
        rc = future ? 0 : -1;
        troupe_future_destroy (&future);
    }
    return rc;
}

static int
put_large_values (troupe_call_t *call)
{
    int rc = 0;
    for (size_t i = 0; i < PIECES && !rc; i++) {
        int64_t *numbers = zeros_new (PIECE_COUNT);
        if (!numbers)
            return troupe_fail (call, "no memory for %zu numbers", PIECE_COUNT);
        troupe_future_t *future
            = troupe_put (troupe_of (call), troupe_int64s (numbers, PIECE_COUNT));
        free (numbers);
        rc = troupe_future_code (future) ? troupe_get (future) : 0;
        troupe_future_destroy (&future);
    }
    return rc;
}

static int
make_references (troupe_call_t *call)
{
    troupe_future_t **futures = calloc (REFERENCES, sizeof *futures);
    troupe_arg_t *list = calloc (REFERENCES, sizeof *list);
    int rc = futures && list ? 0 : troupe_fail (call, "no memory for %d futures", REFERENCES);
    for (size_t i = 0; i < REFERENCES && !rc; i++) {
        futures [i] = troupe_put (troupe_of (call), 1);
        list [i] = troupe_handle (futures [i]);
    }
    rc = rc ? rc : troupe_call_return (call, list, REFERENCES);
    for (size_t i = 0; futures && i < REFERENCES; i++)
        troupe_future_destroy (&futures [i]);
    free (list);
    free (futures);
    return rc;
}

/*  --- those who call others ----------------------------------------------  */

/*  Actors, and handles to them that are ours.                              */
typedef struct {
    troupe_actor_t **items;
    size_t count;
} actors_t;

/*  Makes so many calls, `run` to a server before it is the next one's turn,
    with `value` as an argument if there is one, and waits for all.         */
static int
s_call_all (troupe_call_t *call, const actors_t *servers, size_t count, size_t run,
            troupe_future_t *value)
{
    troupe_future_t **futures = calloc (count, sizeof *futures);
    if (!futures)
        return troupe_fail (call, "no memory for %zu futures", count);
    for (size_t i = 0; i < count; i++) {
        troupe_actor_t *server = servers->items [i / run % servers->count];
        futures [i] = value ? troupe_call (server, small_value_arg, value)
                            : troupe_call (server, small_value);
    }
    int rc = futures_finish (futures, count);
    free (futures);
    return rc;
}

/*  Reads the actors among the arguments, from a position on.               */
static int
s_actors_read (troupe_call_t *call, size_t position, actors_t *self)
{
    size_t total = troupe_arg_count (call);
    size_t count = total > position ? total - position : 0;
    self->items = calloc (count, sizeof *self->items);
    if (!self->items)
        return troupe_fail (call, "no memory for %zu actors", count);
    for (; self->count < count; self->count++) {
        troupe_view_t view;
        if (troupe_arg_view (call, position + self->count, &view)
            || troupe_read (view, &self->items [self->count]))
            return -1;
    }
    return count ? 0 : troupe_fail (call, "wanted actors");
}

static void
s_actors_free (actors_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        troupe_actor_destroy (&self->items [i]);
    free (self->items);
}

static int
call_in_turn (troupe_call_t *call)
{
    actors_t servers = { NULL, 0 };
    troupe_view_t view;
    size_t count;
    int rc = s_actors_read (call, 1, &servers);
    if (rc == 0)
        rc = troupe_arg_view (call, 0, &view) || troupe_read (view, &count) ? -1 : 0;
    if (rc == 0)
        rc = s_call_all (call, &servers, count, 1, NULL);
    s_actors_free (&servers);
    return rc;
}

/*  --- actors that answer -------------------------------------------------  */

typedef struct {
    char nothing;
} bench_server_t;

int
small_value_arg (troupe_call_t *call)
{
    int64_t number;
    return troupe_args (call, &number) ? -1 : troupe_return (call, troupe_bytes ("ok", 2));
}

int
small_value_batch (troupe_call_t *call)
{
    size_t count;
    if (troupe_args (call, &count))
        return -1;
    troupe_future_t **futures = calloc (count, sizeof *futures);
    if (!futures)
        return troupe_fail (call, "no memory for %zu futures", count);
    for (size_t i = 0; i < count; i++)
        futures [i] = troupe_remote (troupe_of (call), small_value);
    int rc = futures_finish (futures, count);
    free (futures);
    return rc;
}

/*  --- actors that call ---------------------------------------------------  */

static int
bench_client_init (troupe_call_t *call)
{
    return s_actors_read (call, 0, troupe_self (call));
}

static void
bench_client_term (void *self)
{
    s_actors_free (self);
}

/*  As many calls to each server as the argument says.                      */
static int
s_batch (troupe_call_t *call, troupe_future_t *value)
{
    const actors_t *servers = troupe_self (call);
    size_t count;
    if (troupe_args (call, &count))
        return -1;
    return s_call_all (call, servers, count * servers->count, count, value);
}

int
bench_client_batch (troupe_call_t *call)
{
    return s_batch (call, NULL);
}

int
bench_client_batch_arg (troupe_call_t *call)
{
    troupe_future_t *value = troupe_put (troupe_of (call), 0);
    int rc = s_batch (call, value);
    troupe_future_destroy (&value);
    return rc;
}

/*  --- descriptors --------------------------------------------------------  */

/*  Not by TROUPE_TASK and TROUPE_ACTOR, which register before main: whoever
    joins a cluster tells the head what is registered, and this would be so for
    every verb and every daemon.                                            */

#define TASK(function_)                                                                        \
    troupe_task_t troupe_task_##function_ = { .abi = TROUPE_ABI,                               \
                                              .size = sizeof (troupe_task_t),                  \
                                              .name = #function_,                              \
                                              .function = function_ }

TASK (small_value);
TASK (put_small_values);
TASK (put_large_values);
TASK (make_references);
TASK (call_in_turn);

troupe_class_t troupe_class_bench_server
    = { .abi = TROUPE_ABI,
        .size = sizeof (troupe_class_t),
        .name = "bench_server",
        .methods = { TROUPE_METHOD (small_value), TROUPE_METHOD (small_value_arg),
                     TROUPE_METHOD (small_value_batch) } };

troupe_class_t troupe_class_bench_concurrent
    = { .abi = TROUPE_ABI,
        .size = sizeof (troupe_class_t),
        .name = "bench_concurrent",
        .concurrency = CONCURRENCY,
        .methods = { TROUPE_METHOD (small_value), TROUPE_METHOD (small_value_arg) } };

troupe_class_t troupe_class_bench_client
    = { .abi = TROUPE_ABI,
        .size = sizeof (troupe_class_t),
        .name = "bench_client",
        .state_size = sizeof (actors_t),
        .init = bench_client_init,
        .term = bench_client_term,
        .methods
        = { TROUPE_METHOD (bench_client_batch), TROUPE_METHOD (bench_client_batch_arg) } };

void
microbenchmark_register (void)
{
    troupe_task_register (&troupe_task_small_value);
    troupe_task_register (&troupe_task_put_small_values);
    troupe_task_register (&troupe_task_put_large_values);
    troupe_task_register (&troupe_task_make_references);
    troupe_task_register (&troupe_task_call_in_turn);
    troupe_class_register (&troupe_class_bench_server);
    troupe_class_register (&troupe_class_bench_concurrent);
    troupe_class_register (&troupe_class_bench_client);
}
