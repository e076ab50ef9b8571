/*  ending_program.c - work for clusters that end: a driver exits with 0 if what
    it waits for ends as it should

    usage: ending_program needs FILE
           ending_program calls
    Runs a task until there is such a file, has another wait for the same place,
    and a third, which runs, for that one; or calls an actor whose method runs
    a task, again and again.                                                */

#include <troupe.h>

#include "tests/file_await.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*  Ends when there is such a file.                                         */
static int
hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    if (file_await (path))
        return troupe_fail (call, "%s did not come, or cannot be watched", path);
    return troupe_return (call, 1);
}
TROUPE_TASK (hold);

/*  Answers with how the task has ended that it waits for.                  */
static int
follow (troupe_call_t *call)
{
    troupe_future_t *other;
    if (troupe_args (call, &other))
        return -1;
    troupe_get (other);
    int64_t code = (int64_t) troupe_future_code (other);
    troupe_future_destroy (&other);
    return troupe_return (call, code);
}
TROUPE_TASK (follow);

static int
nothing (troupe_call_t *call)
{
    return troupe_return (call, 0);
}
TROUPE_TASK (nothing);

typedef struct {
    bool unused;
} foreman_t;

static int
foreman_work (troupe_call_t *call)
{
    troupe_future_t *future = troupe_remote (troupe_of (call), nothing);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    return rc;
}
TROUPE_ACTOR (foreman, foreman_t, .methods = { TROUPE_METHOD (foreman_work) });

static void
s_say (const char *text)
{
    puts (text);
    fflush (stdout);
}

static int
s_needs (troupe_t *troupe, const char *path)
{
    int64_t held = 0, seen = 0;
    troupe_future_t *first
        = troupe_remote (troupe, hold, path, TROUPE_WITH (.resources = "place=1"));
    troupe_future_t *second
        = troupe_remote (troupe, hold, path, TROUPE_WITH (.resources = "place=1"));
    troupe_future_t *third = troupe_remote (troupe, follow, troupe_handle (second));
    s_say ("submitted");
    int failed = troupe_get (third, &seen) || seen != TROUPE_ESTOPPED;
    printf ("the one that runs has seen %s\n", troupe_strerror ((troupe_error_t) seen));
    s_say (troupe_future_error (second) ? troupe_future_error (second) : "no failure");
    failed = failed || troupe_get (first, &held) || held != 1;
    troupe_future_destroy (&first);
    troupe_future_destroy (&second);
    troupe_future_destroy (&third);
    return failed;
}

static int
s_calls (troupe_t *troupe)
{
    troupe_actor_t *actor = troupe_spawn (troupe, foreman);
    troupe_error_t code = TROUPE_OK;
    for (int count = 0; code == TROUPE_OK; count++) {
        troupe_future_t *future = troupe_call (actor, foreman_work);
        if (troupe_get (future)) {
            code = troupe_future_code (future);
            s_say (troupe_future_error (future));
        }
        troupe_future_destroy (&future);
        if (count == 0)
            s_say ("submitted");
    }
    troupe_actor_destroy (&actor);
    return code != TROUPE_ESTOPPED;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    if (!troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 1;
    }
    int failed = argc == 3 && strcmp (argv [1], "needs") == 0 ? s_needs (troupe, argv [2])
                                                              : s_calls (troupe);
    return troupe_term (&troupe) || failed;
}
