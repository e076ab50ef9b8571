/*  cli_actors.c - work for tests of the command: named actors for troupe call,
    ready-made ones and one whose methods take what they say that they take,
    and tasks that are held up

    usage: cli_actors
           cli_actors hold FILE COUNT
    Leaves the detached actors kv, counter, probe and later behind, the last
    of which waits for a resource; or runs so many tasks, each of which ends
    when there is such a file.                                              */

#include <troupe.h>

#include "tests/file_await.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HELD_MAX 11000

typedef struct {
    bool unused;
} probe_t;

/*  Each answers with what it was given, read into the places that fit its
    declaration exactly.                                                    */
static int
probe_integers (troupe_call_t *call)
{
    signed char a;
    short b;
    int c;
    int64_t d;
    unsigned char e;
    unsigned short f;
    unsigned g;
    uint64_t h;
    if (troupe_args (call, &a, &b, &c, &d, &e, &f, &g, &h))
        return -1;
    return troupe_return (call, a, b, c, d, e, f, g, h);
}

static int
probe_scalars (troupe_call_t *call)
{
    bool a;
    float b;
    double c;
    const char *d;
    troupe_bytes_t e;
    if (troupe_args (call, &a, &b, &c, &d, &e))
        return -1;
    return troupe_return (call, a, b, c, d, e);
}

static int
probe_arrays (troupe_call_t *call)
{
    troupe_int32s_t a;
    troupe_int64s_t b;
    troupe_floats_t c;
    troupe_doubles_t d;
    troupe_strings_t e;
    if (troupe_args (call, &a, &b, &c, &d, &e))
        return -1;
    return troupe_return (call, a, b, c, d, e);
}

static int
probe_shapes (troupe_call_t *call)
{
    troupe_view_t a, b, c;
    if (troupe_args (call, &a, &b, &c))
        return -1;
    if (troupe_view_type (a) != TROUPE_LIST || troupe_view_type (b) != TROUPE_MAP)
        return troupe_fail (call, "no list and map");
    return troupe_return (call, a, b, c);
}

/*  What another actor, a counter, has.                                     */
static int
probe_pass (troupe_call_t *call)
{
    troupe_actor_t *counter;
    if (troupe_args (call, &counter))
        return -1;
    troupe_future_t *future = troupe_call_by_name (counter, "get");
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&counter);
    return rc;
}

/*  Ends when there is such a file.                                         */
static int
hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    if (file_await (path))
        return troupe_fail (call, "%s did not come, or cannot be watched", path);
    return 0;
}
/*  The types of whatever it was given.                                     */
static int
probe_loose (troupe_call_t *call)
{
    int64_t types [16];
    troupe_view_t view;
    size_t count = troupe_arg_count (call);
    for (size_t i = 0; i < count && i < 16; i++) {
        if (troupe_arg_view (call, i, &view))
            return -1;
        types [i] = (int64_t) troupe_view_type (view);
    }
    return troupe_return (call, troupe_int64s (types, count));
}

TROUPE_ACTOR (probe, probe_t,
              .methods
              = { TROUPE_METHOD (probe_integers, .parameters
                                                 = "a: int8, b: int16, c: int32, d: int64, "
                                                   "e: uint8, f: uint16, g: uint32, h: uint64"),
                  TROUPE_METHOD (probe_scalars,
                                 .parameters
                                 = "a: bool, b: float, c: double, d: string, e: bytes"),
                  TROUPE_METHOD (probe_arrays, .parameters
                                               = "a: int32s, b: int64s, c: floats, d: doubles, "
                                                 "e: strings"),
                  TROUPE_METHOD (probe_shapes, .parameters = "a: list, b: map, c: any"),
                  TROUPE_METHOD (probe_pass, .parameters = "counter: actor"),
        TROUPE_METHOD (hold, .parameters = "path: string"),
                  TROUPE_METHOD (probe_loose) });

TROUPE_TASK (hold);

static int
s_hold (troupe_t *troupe, const char *path, int count)
{
    static troupe_future_t *futures [HELD_MAX];
    int failed = 0;
    for (int i = 0; i < count; i++)
        futures [i] = troupe_remote (troupe, hold, path);
    for (int i = 0; i < count; i++) {
        if (troupe_get (futures [i])) {
            fprintf (stderr, "%s\n", troupe_error ());
            failed = 1;
        }
        troupe_future_destroy (&futures [i]);
    }
    return failed;
}

/*  The counter has what `later` waits for.                                 */
static int
s_leave_actors (troupe_t *troupe)
{
    static const struct { const char *name, *class_name, *resources; } actors []
        = { { "kv", "kv", NULL },
            { "counter", "counter", "disk=3" },
            { "probe", "probe", NULL },
            { "later", "kv", "disk=3" } };
    int failed = 0;
    for (int i = 0; i < 4; i++) {
        troupe_actor_t *actor = troupe_spawn_by_name (
            troupe, actors [i].class_name,
            TROUPE_WITH (.name = actors [i].name, .resources = actors [i].resources,
                         .detached = true));
        troupe_future_t *ready = troupe_actor_ready (actor);
        if (i < 3 && troupe_get (ready)) {
            fprintf (stderr, "%s\n", troupe_error ());
            failed = 1;
        }
        troupe_future_destroy (&ready);
        troupe_actor_destroy (&actor);
    }
    return failed;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    if (!troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 1;
    }
    int count = argc == 4 ? atoi (argv [3]) : 0;
    int failed
        = count > 0 && count <= HELD_MAX ? s_hold (troupe, argv [2], count) : s_leave_actors (troupe);
    return troupe_term (&troupe) || failed;
}
