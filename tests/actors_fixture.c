/*  actors_fixture.c - classes and tasks that several tests of actors use     */

#include "tests/actors_fixture.h"

#include "tests/expect.h"

/*  Keeps the numbers that it is given, in their order.                     */
typedef struct {
    int64_t *items;
    size_t count;
    char *epitaph;              /*  a file that its destructor writes       */
    troupe_actor_t *kept;
} recorder_t;

int
recorder_add (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    int64_t item;
    if (troupe_args (call, &item))
        return -1;
    int64_t *grown = realloc (self->items, (self->count + 1) * sizeof *grown);
    if (!grown)
        return troupe_fail (call, "no memory");
    self->items = grown;
    self->items [self->count++] = item;
    return troupe_return (call, item);
}

int
recorder_list (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    return troupe_return (call, troupe_int64s (self->items, self->count));
}

/*  The number given, one more than it was.                                 */
int
recorder_increment (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    int64_t item;
    if (troupe_args (call, &item))
        return -1;
    self->count = 0;
    return troupe_return (call, item + 1);
}

int
recorder_hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return troupe_return (call, 1);
}

int
recorder_fail (troupe_call_t *call)
{
    return troupe_fail (call, "the cause");
}

/*  Keeps a handle to another actor.                                        */
int
recorder_keep (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    troupe_actor_destroy (&self->kept);
    return troupe_args (call, &self->kept);
}

int
recorder_drop (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    troupe_actor_destroy (&self->kept);
    return 0;
}

int
recorder_give (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    return troupe_return (call, self->kept);
}


/*  Calls a method, by its name, of the actor that it keeps.                */
int
recorder_ask (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    const char *name;
    int64_t answer;
    if (troupe_args (call, &name))
        return -1;
    troupe_future_t *future = troupe_call_by_name (self->kept, name);
    int rc = troupe_get (future, &answer);
    troupe_future_destroy (&future);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, answer);
}

int
recorder_myself (troupe_call_t *call)
{
    troupe_actor_t *me = troupe_self_actor (call);
    int rc = troupe_return (call, me);
    troupe_actor_destroy (&me);
    return rc;
}

/*  Sends numbers to itself, to be added later.                             */
int
recorder_remind (troupe_call_t *call)
{
    int64_t item;
    if (troupe_args (call, &item))
        return -1;
    troupe_actor_t *me = troupe_self_actor (call);
    for (int64_t index = 0; index < 3; index++) {
        troupe_future_t *future = troupe_call (me, recorder_add, item + index);
        troupe_future_destroy (&future);
    }
    troupe_actor_destroy (&me);
    return troupe_return (call, item);
}

int
recorder_find (troupe_call_t *call)
{
    const char *name;
    if (troupe_args (call, &name))
        return -1;
    troupe_actor_t *found = troupe_find (troupe_of (call), name);
    if (!found)
        return troupe_fail (call, "%s", troupe_error ());
    int64_t item;
    troupe_future_t *future = troupe_call (found, recorder_add, 7);
    int rc = troupe_get (future, &item);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&found);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, item);
}

static int
recorder_init (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    if (troupe_arg_count (call) == 0)
        return 0;
    int64_t first;
    if (troupe_args (call, &first, &self->epitaph))
        return -1;
    self->items = malloc (sizeof *self->items);
    if (!self->items)
        return troupe_fail (call, "no memory");
    self->items [0] = first;
    self->count = 1;
    return 0;
}

static void
recorder_term (void *state)
{
    recorder_t *self = state;
    if (self->epitaph)
        file_append (self->epitaph, "ended");
    troupe_actor_destroy (&self->kept);
    free (self->epitaph);
    free (self->items);
}

TROUPE_ACTOR (recorder, recorder_t, .init = recorder_init, .term = recorder_term,
              .methods = { TROUPE_METHOD (recorder_add), TROUPE_METHOD (recorder_list),
                           TROUPE_METHOD (recorder_increment), TROUPE_METHOD (recorder_hold),
                           TROUPE_METHOD (recorder_fail), TROUPE_METHOD (recorder_keep),
                           TROUPE_METHOD (recorder_drop), TROUPE_METHOD (recorder_give),
                           TROUPE_METHOD (recorder_myself), TROUPE_METHOD (recorder_remind),
                           TROUPE_METHOD (recorder_find), TROUPE_METHOD (recorder_pass_on),
                           TROUPE_METHOD (recorder_ask) });

/*  Calls the actor that it keeps, waits, and adds one; at the end of the
    row, one.                                                               */
int
recorder_pass_on (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    if (!self->kept)
        return troupe_return (call, 1);
    int64_t below;
    troupe_future_t *future = troupe_call (self->kept, recorder_pass_on);
    int rc = troupe_get (future, &below);
    troupe_future_destroy (&future);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, below + 1);
}

/*  Fails to be constructed, after its gate if it is given one.             */
static int
stillborn_init (troupe_call_t *call)
{
    const char *path;
    if (troupe_arg_count (call)) {
        if (troupe_args (call, &path))
            return -1;
        gate_pass (path);
    }
    return troupe_fail (call, "no such file: %s", "words.txt");
}

static void
stillborn_term (void *state)
{
    (void) state;
    abort ();
}

int
stillborn_get (troupe_call_t *call)
{
    return troupe_return (call, 1);
}

TROUPE_ACTOR (stillborn, int, .init = stillborn_init, .term = stillborn_term,
              .methods = { TROUPE_METHOD (stillborn_get) });

/*  A constructor that takes its time.                                      */
static int
late_init (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return 0;
}

int
late_add (troupe_call_t *call)
{
    int64_t *sum = troupe_self (call), item;
    if (troupe_args (call, &item))
        return -1;
    *sum += item;
    return troupe_return (call, *sum);
}

TROUPE_ACTOR (late, int64_t, .init = late_init, .methods = { TROUPE_METHOD (late_add) });

/*  A mailbox of four calls; neither constructor nor destructor.            */
int
narrow_hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return 0;
}

int
narrow_count (troupe_call_t *call)
{
    int64_t *count = troupe_self (call);
    return troupe_return (call, ++*count);
}

TROUPE_ACTOR (narrow, int64_t, .mailbox = 4,
              .methods = { TROUPE_METHOD (narrow_hold), TROUPE_METHOD (narrow_count) });

/*  The number, once the gate is open.                                      */
static int
held_number (troupe_call_t *call)
{
    const char *path;
    int64_t number;
    if (troupe_args (call, &path, &number))
        return -1;
    gate_pass (path);
    return troupe_return (call, number);
}
TROUPE_TASK (held_number);

static int
failing (troupe_call_t *call)
{
    const char *path;
    if (troupe_arg_count (call)) {
        if (troupe_args (call, &path))
            return -1;
        gate_pass (path);
    }
    return troupe_fail (call, "boom");
}
TROUPE_TASK (failing);

/*  Adds a number to an actor, and answers with all that it has.            */
static int
add_and_list (troupe_call_t *call)
{
    troupe_actor_t *actor;
    int64_t item;
    if (troupe_args (call, &actor, &item))
        return -1;
    troupe_future_t *added = troupe_call (actor, recorder_add, item);
    troupe_future_t *list = troupe_call (actor, recorder_list);
    troupe_int64s_t found;
    int rc = troupe_get (list, &found);
    rc = rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, found);
    troupe_future_destroy (&added);
    troupe_future_destroy (&list);
    troupe_actor_destroy (&actor);
    return rc;
}
TROUPE_TASK (add_and_list);
