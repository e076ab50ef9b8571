/*  start.c - the first answer, what idle processes take, and many actors     */

#include "bench/peers/troupe/side.h"

#include <unistd.h>

#define ACTORS 1000
#define TRIES 200

/*  It takes a while, so that all workers get some of these.                */
static int
process_id (troupe_call_t *call)
{
    usleep (5000);
    return troupe_return (call, getpid ());
}
TROUPE_TASK (process_id);

static int
answer (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (answer);

static int
s_answer (troupe_t *troupe)
{
    troupe_future_t *future = troupe_remote (troupe, answer);
    return driver_finish (&future);
}

/*  Asks until all workers have answered.                                   */
static int
s_worker_ids (troupe_t *troupe, int *pids, size_t count)
{
    size_t found = 0;
    for (int i = 0; i < TRIES && found < count; i++) {
        troupe_future_t *futures [2 * SIDE_ACTORS_MAX];
        for (size_t k = 0; k < 2 * count; k++)
            futures [k] = troupe_remote (troupe, process_id);
        for (size_t k = 0; k < 2 * count; k++) {
            int pid = -1;
            size_t at = 0;
            if (troupe_get (futures [k], &pid))
                return driver_fail (futures [k]);
            troupe_future_destroy (&futures [k]);
            while (at < found && pids [at] != pid)
                at++;
            if (at == found && found < count)
                pids [found++] = pid;
        }
    }
    return found == count ? 0 : bench_fail ("only %zu of %zu workers answer", found, count);
}

int
side_start (troupe_t *troupe)
{
    int pids [SIDE_ACTORS_MAX];
    size_t count = say_workers ();
    if (count > SIDE_ACTORS_MAX || s_answer (troupe))
        return -1;
    say_answered ("startup");
    if (s_worker_ids (troupe, pids, count))
        return -1;
    say_ask ("{\"measure\":\"memory_idle\"}");
    char request [64 + 12 * SIDE_ACTORS_MAX] = "{\"measure\":\"memory_worker\",\"pids\":[";
    for (size_t i = 0; i < count; i++)
        snprintf (request + strlen (request), sizeof request - strlen (request), "%s%d",
                  i ? "," : "", pids [i]);
    strcat (request, "]}");
    say_ask (request);
    return 0;
}

/* ------------------------------------------------------------------------
   Many actors                                                              */

typedef struct {
    int64_t calls;
} member_t;

static int
member_call (troupe_call_t *call)
{
    member_t *self = troupe_self (call);
    return troupe_return (call, ++self->calls);
}
TROUPE_ACTOR (member, member_t, .methods = { TROUPE_METHOD (member_call) });

int
side_actors (troupe_t *troupe)
{
    static troupe_actor_t *actors [ACTORS];
    static troupe_future_t *futures [ACTORS];
    int failed = s_answer (troupe);
    say_ask ("{\"measure\":\"before\"}");
    int64_t start = say_now ();
    for (size_t i = 0; i < ACTORS; i++)
        actors [i] = troupe_spawn (troupe, member);
    for (size_t i = 0; i < ACTORS; i++)
        futures [i] = troupe_call (actors [i], member_call);
    for (size_t i = 0; i < ACTORS; i++)
        failed |= driver_finish (&futures [i]);
    double seconds = (double) (say_now () - start) / 1e9;
    if (!failed) {
        say_value ("spawn", ACTORS / seconds);
        say_ask ("{\"measure\":\"memory_actor\",\"since\":\"before\",\"count\":1000}");
    }
    for (size_t i = 0; i < ACTORS; i++)
        troupe_actor_destroy (&actors [i]);
    return failed;
}
