/*  test_actor_calls.c - actors through the whole library: life, order of
    calls, chains, handles, names, limits, modules                          */

#include "tests/expect.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

static troupe_t *s_troupe;

static bool
s_threads (void)
{
    return strncmp (getenv ("TROUPE_WORKERS"), "threads", 7) == 0;
}

/* ------------------------------------------------------------------------
   Classes                                                                  */

/*  Keeps the numbers that it is given, in their order.                     */
typedef struct {
    int64_t *items;
    size_t count;
    char *epitaph;              /*  a file that its destructor writes       */
    troupe_actor_t *kept;
    troupe_future_t *promise;
} recorder_t;

static int
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

static int
recorder_list (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    return troupe_return (call, troupe_int64s (self->items, self->count));
}

/*  The number given, one more than it was.                                 */
static int
recorder_increment (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    int64_t item;
    if (troupe_args (call, &item))
        return -1;
    self->count = 0;
    return troupe_return (call, item + 1);
}

static int
recorder_hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return troupe_return (call, 1);
}

static int
recorder_fail (troupe_call_t *call)
{
    return troupe_fail (call, "the cause");
}

/*  Has its end noted in a file.                                            */
static int
recorder_bequeath (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    free (self->epitaph);
    self->epitaph = NULL;
    return troupe_args (call, &self->epitaph);
}

/*  Keeps a handle to another actor.                                        */
static int
recorder_keep (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    troupe_actor_destroy (&self->kept);
    return troupe_args (call, &self->kept);
}

static int
recorder_drop (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    troupe_actor_destroy (&self->kept);
    return 0;
}

static int
recorder_give (troupe_call_t *call)
{
    recorder_t *self = troupe_self (call);
    return troupe_return (call, self->kept);
}

static int recorder_pass_on (troupe_call_t *call);

/*  Calls a method, by its name, of the actor that it keeps.                */
static int
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

static int
recorder_myself (troupe_call_t *call)
{
    troupe_actor_t *me = troupe_self_actor (call);
    int rc = troupe_return (call, me);
    troupe_actor_destroy (&me);
    return rc;
}

/*  Sends numbers to itself, to be added later.                             */
static int
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

static int
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
                           TROUPE_METHOD (recorder_fail), TROUPE_METHOD (recorder_bequeath),
                           TROUPE_METHOD (recorder_keep), TROUPE_METHOD (recorder_drop),
                           TROUPE_METHOD (recorder_give), TROUPE_METHOD (recorder_myself),
                           TROUPE_METHOD (recorder_remind), TROUPE_METHOD (recorder_find),
                           TROUPE_METHOD (recorder_pass_on), TROUPE_METHOD (recorder_ask) });

/*  Calls the actor that it keeps, waits, and adds one; at the end of the
    row, one.                                                               */
static int
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

static int
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

static int
late_add (troupe_call_t *call)
{
    int64_t *sum = troupe_self (call), item;
    if (troupe_args (call, &item))
        return -1;
    *sum += item;
    return troupe_return (call, *sum);
}

TROUPE_ACTOR (late, int64_t, .init = late_init, .methods = { TROUPE_METHOD (late_add) });

/*  Three methods at once.                                                  */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside;
    int most;
    int passed;
} crowd_t;

static int
crowd_init (troupe_call_t *call)
{
    crowd_t *self = troupe_self (call);
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    return 0;
}

/*  Waits until three have come.                                            */
static int
crowd_meet (troupe_call_t *call)
{
    crowd_t *self = troupe_self (call);
    struct timespec until;
    clock_gettime (CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock (&self->lock);
    self->passed++;
    self->inside++;
    if (self->inside > self->most)
        self->most = self->inside;
    pthread_cond_broadcast (&self->changed);
    int rc = 0;
    while (self->passed < 3 && rc == 0)
        rc = pthread_cond_timedwait (&self->changed, &self->lock, &until);
    self->inside--;
    pthread_mutex_unlock (&self->lock);
    return rc ? troupe_fail (call, "the others did not come") : troupe_return (call, 1);
}

static int
crowd_most (troupe_call_t *call)
{
    crowd_t *self = troupe_self (call);
    pthread_mutex_lock (&self->lock);
    int most = self->most;
    pthread_mutex_unlock (&self->lock);
    return troupe_return (call, most);
}

static void
crowd_term (void *state)
{
    crowd_t *self = state;
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
}

TROUPE_ACTOR (crowd, crowd_t, .init = crowd_init, .term = crowd_term, .concurrency = 3,
              .methods = { TROUPE_METHOD (crowd_meet), TROUPE_METHOD (crowd_most) });

/*  A mailbox of four calls; neither constructor nor destructor.            */
static int
narrow_hold (troupe_call_t *call)
{
    const char *path;
    if (troupe_args (call, &path))
        return -1;
    gate_pass (path);
    return 0;
}

static int
narrow_count (troupe_call_t *call)
{
    int64_t *count = troupe_self (call);
    return troupe_return (call, ++*count);
}

TROUPE_ACTOR (narrow, int64_t, .mailbox = 4,
              .methods = { TROUPE_METHOD (narrow_hold), TROUPE_METHOD (narrow_count) });

/*  A class as a program has it that was built with the first version of the
    interface.                                                              */
static struct {
    uint32_t abi;
    uint32_t size;
    const char *name;
    size_t state_size;
    unsigned concurrency;
    size_t mailbox;
    troupe_function_t *init;
    void (*term) (void *self);
    struct troupe_class *next;
    struct {
        const char *name;
        troupe_function_t *function;
    } methods [TROUPE_METHODS_MAX];
} s_elder = { 1, sizeof s_elder, "elder", sizeof (int64_t), 0, 0, NULL, NULL, NULL,
              { { "elder_hold", narrow_hold }, { "elder_count", narrow_count } } };

/*  And one that is not as large as its version has it.                     */
static troupe_class_t s_stunted = { .abi = TROUPE_ABI,
                                    .size = offsetof (troupe_class_t, methods),
                                    .name = "stunted" };

TROUPE_CONSTRUCTOR_ static void
s_register_elder (void)
{
    troupe_class_register ((troupe_class_t *) (void *) &s_elder);
    troupe_class_register (&s_stunted);
}

/*  Writes into a file what it did.                                         */
static int
notary_init (troupe_call_t *call)
{
    return troupe_args (call, (char **) troupe_self (call));
}

static int
notary_sign (troupe_call_t *call)
{
    char **path = troupe_self (call);
    return file_append (*path, "signed") ? troupe_fail (call, "cannot write") : 0;
}

static void
notary_term (void *state)
{
    char **path = state;
    file_append (*path, "ended");
    free (*path);
}

TROUPE_ACTOR (notary, char *, .init = notary_init, .term = notary_term,
              .methods = { TROUPE_METHOD (notary_sign) });

/*  Has a partner; each calls the other.                                    */
typedef struct { troupe_actor_t *partner; } partner_t;

static int
partner_meet (troupe_call_t *call)
{
    partner_t *self = troupe_self (call);
    troupe_actor_destroy (&self->partner);
    return troupe_args (call, &self->partner);
}

static int
partner_answer (troupe_call_t *call)
{
    return troupe_return (call, 1);
}

/*  Asks the partner, which asks back. This one is busy, so that must end by
    its deadline.                                                           */
static int
partner_ask_back (troupe_call_t *call)
{
    partner_t *self = troupe_self (call);
    troupe_future_t *future
        = troupe_call (self->partner, partner_answer, TROUPE_WITH (.timeout_ms = 200));
    int64_t answer;
    int rc = troupe_get (future, &answer);
    troupe_error_t code = troupe_future_code (future);
    troupe_future_destroy (&future);
    return troupe_return (call, rc ? (int) code : -1);
}

static int
partner_ask (troupe_call_t *call)
{
    partner_t *self = troupe_self (call);
    int64_t code;
    troupe_future_t *future = troupe_call (self->partner, partner_ask_back);
    int rc = troupe_get (future, &code);
    troupe_future_destroy (&future);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, code);
}

static void
partner_term (void *state)
{
    partner_t *self = state;
    troupe_actor_destroy (&self->partner);
}

TROUPE_ACTOR (partner, partner_t, .term = partner_term,
              .methods = { TROUPE_METHOD (partner_meet), TROUPE_METHOD (partner_answer),
                           TROUPE_METHOD (partner_ask), TROUPE_METHOD (partner_ask_back) });

/* ------------------------------------------------------------------------
   Tasks                                                                    */

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

/*  Adds a number to an actor and does not wait for it.                     */
static int
add_and_go (troupe_call_t *call)
{
    troupe_actor_t *actor;
    int64_t item;
    if (troupe_args (call, &actor, &item))
        return -1;
    troupe_future_t *added = troupe_call (actor, recorder_add, item);
    troupe_future_destroy (&added);
    troupe_actor_destroy (&actor);
    return 0;
}
TROUPE_TASK (add_and_go);

/*  Three calls that nobody waits for.                                      */
static int
sign_and_go (troupe_call_t *call)
{
    troupe_actor_t *actor;
    if (troupe_args (call, &actor))
        return -1;
    for (int index = 0; index < 3; index++) {
        troupe_future_t *future = troupe_call (actor, notary_sign);
        troupe_future_destroy (&future);
    }
    troupe_actor_destroy (&actor);
    return 0;
}
TROUPE_TASK (sign_and_go);

/*  Adds to an actor that may not be up yet.                                */
static int
add_late (troupe_call_t *call)
{
    troupe_actor_t *actor;
    int64_t item, sum;
    if (troupe_args (call, &actor, &item))
        return -1;
    troupe_future_t *future = troupe_call (actor, late_add, item);
    int rc = troupe_get (future, &sum);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    return rc ? troupe_fail (call, "%s", troupe_error ()) : troupe_return (call, sum);
}
TROUPE_TASK (add_late);

/*  Makes an actor and gives it away.                                       */
static int
make_recorder (troupe_call_t *call)
{
    int64_t first;
    const char *epitaph;
    if (troupe_args (call, &first, &epitaph))
        return -1;
    troupe_actor_t *actor = troupe_spawn (troupe_of (call), recorder, first, epitaph);
    int rc = troupe_return (call, actor);
    troupe_actor_destroy (&actor);
    return rc;
}
TROUPE_TASK (make_recorder);

static int
find_and_add (troupe_call_t *call)
{
    return recorder_find (call);
}
TROUPE_TASK (find_and_add);

/* ------------------------------------------------------------------------
   Life                                                                     */

static void
test_state (void **state)
{
    (void) state;
    troupe_actor_t *one = troupe_spawn (s_troupe, narrow);
    troupe_actor_t *other = troupe_spawn (s_troupe, narrow);
    expect_success (troupe_actor_ready (one));
    for (int64_t count = 1; count <= 3; count++)
        expect_integer (troupe_call (one, narrow_count), count);
    expect_integer (troupe_call (other, narrow_count), 1);
    troupe_actor_destroy (&one);
    troupe_actor_destroy (&other);
    assert_null (one);
}

static void
test_constructor (void **state)
{
    (void) state;
    char *path = scratch_path ();
    const int64_t wanted [] = { 41, 42 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 41, path);
    expect_integer (troupe_call (actor, recorder_add, 42), 42);
    expect_integers (troupe_call (actor, recorder_list), wanted, 2);
    assert_false (file_exists (path));
    troupe_actor_destroy (&actor);
    assert_true (eventually (file_count (path, "ended") == 1));
    free (path);
}

static void
test_constructor_fails (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, stillborn, gate.path);
    troupe_future_t *early = troupe_call (actor, stillborn_get);
    gate_open (&gate);
    expect_failure (early, TROUPE_EFAILED, "stillborn on worker", "no such file: words.txt");
    expect_failure (troupe_actor_ready (actor), TROUPE_EFAILED, "stillborn on worker",
                    "no such file: words.txt");
    expect_failure (troupe_call (actor, stillborn_get), TROUPE_EFAILED, "stillborn",
                    "no such file: words.txt");
    troupe_actor_destroy (&actor);
}

static void
test_constructor_arguments_wrong (void **state)
{
    (void) state;
    troupe_actor_t *typed = troupe_spawn (s_troupe, recorder, "one", "path");
    troupe_actor_t *short_of = troupe_spawn (s_troupe, recorder, 1);
    troupe_actor_t *useless = troupe_spawn (s_troupe, narrow, 1);
    expect_failure (troupe_call (typed, recorder_list), TROUPE_ETYPE, "recorder on worker",
                    "argument 1", "integer", "string");
    expect_failure (troupe_call (short_of, recorder_list), TROUPE_ETYPE, "recorder on worker",
                    "wanted 2 arguments, got 1");
    expect_failure (troupe_call (useless, narrow_count), TROUPE_EINVAL, "narrow on worker",
                    "takes no arguments");
    troupe_actor_destroy (&typed);
    troupe_actor_destroy (&short_of);
    troupe_actor_destroy (&useless);
}

static void
test_constructor_waits_for_arguments (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    char *path = scratch_path ();
    const int64_t wanted [] = { 5, 6, 7 };
    troupe_future_t *first = troupe_remote (s_troupe, held_number, gate.path, 5);
    troupe_future_t *epitaph = troupe_put (s_troupe, path);
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, first, epitaph);
    troupe_future_destroy (&first);
    troupe_future_destroy (&epitaph);
    troupe_future_t *six = troupe_call (actor, recorder_add, 6);
    troupe_future_t *seven = troupe_call (actor, recorder_add, 7);
    troupe_future_t *ready = troupe_actor_ready (actor);
    gate_reached (&gate);
    assert_false (troupe_future_done (six));
    assert_false (troupe_future_done (ready));
    gate_open (&gate);
    expect_integer (seven, 7);
    expect_integer (six, 6);
    expect_success (ready);
    expect_integers (troupe_call (actor, recorder_list), wanted, 3);
    troupe_actor_destroy (&actor);
    assert_true (eventually (file_exists (path)));
    free (path);
}

static void
test_constructor_argument_fails (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_future_t *bad = troupe_remote (s_troupe, failing, gate.path);
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, bad, "path");
    troupe_future_t *call = troupe_call (actor, recorder_list);
    gate_open (&gate);
    expect_failure (call, TROUPE_EFAILED, "recorder", "argument failed", "failing on worker",
                    "boom");
    expect_failure (bad, TROUPE_EFAILED, "failing on worker", "boom");
    troupe_actor_destroy (&actor);
}

/*  The future of the argument is gone before its value is there.           */
static void
test_released_arguments (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    const int64_t wanted [] = { 3, 4 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, gate.path, 3);
    troupe_future_t *added = troupe_call (actor, recorder_add, number);
    troupe_future_destroy (&number);
    troupe_future_destroy (&added);
    troupe_future_t *last = troupe_call (actor, recorder_add, 4);
    gate_open (&gate);
    expect_integer (last, 4);
    expect_integers (troupe_call (actor, recorder_list), wanted, 2);
    troupe_actor_destroy (&actor);
}

static void
test_destructor_after_kill (void **state)
{
    (void) state;
    char *path = scratch_path ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    troupe_future_t *added = troupe_call (actor, recorder_add, 2);
    expect_integer (added, 2);
    assert_int_equal (troupe_actor_kill (actor), 0);
    assert_true (eventually (file_count (path, "ended") == 1));
    assert_int_equal (troupe_actor_kill (actor), 0);
    expect_failure (troupe_call (actor, recorder_list), TROUPE_EENDED, "ended");
    troupe_actor_destroy (&actor);
    assert_int_equal (file_count (path, NULL), 1);
    free (path);
}

static void
test_kill (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_future_t *waiting [5];
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    troupe_future_t *held = troupe_call (actor, recorder_hold, gate.path);
    gate_reached (&gate);
    for (int index = 0; index < 5; index++)
        waiting [index] = troupe_call (actor, recorder_add, index);
    assert_int_equal (troupe_actor_kill (actor), 0);
    for (int index = 0; index < 5; index++)
        expect_failure (waiting [index], TROUPE_EENDED, "recorder.add on worker", "has ended");
    assert_false (troupe_future_done (held));
    expect_failure (troupe_call (actor, recorder_list), TROUPE_EENDED, "ended");
    gate_open (&gate);
    expect_integer (held, 1);
    troupe_actor_destroy (&actor);
}

static void
test_kill_before_up (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, late, gate.path);
    troupe_future_t *call = troupe_call (actor, late_add, 1);
    gate_reached (&gate);
    assert_int_equal (troupe_actor_kill (actor), 0);
    gate_open (&gate);
    expect_finished (call);
    if (troupe_future_error (call))
        expect_failure (call, TROUPE_EENDED, "ended");
    else
        troupe_future_destroy (&call);
    assert_true (eventually (({
        troupe_future_t *late = troupe_call (actor, late_add, 1);
        expect_finished (late);
        bool ended = troupe_future_code (late) == TROUPE_EENDED;
        troupe_future_destroy (&late);
        ended;
    })));
    troupe_actor_destroy (&actor);
}

/*  The last handle is released while calls run, wait in the mailbox, and
    wait for their arguments: all are done, then the actor ends.            */
static void
test_end_after_calls (void **state)
{
    (void) state;
    gate_t gate = gate_new (), argument = gate_new ();
    char *path = scratch_path ();
    const int64_t wanted [] = { 1, 2, 3, 4 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    troupe_future_t *held = troupe_call (actor, recorder_hold, gate.path);
    troupe_future_t *two = troupe_call (actor, recorder_add, 2);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, argument.path, 3);
    troupe_future_t *three = troupe_call (actor, recorder_add, number);
    troupe_future_t *four = troupe_call (actor, recorder_add, 4);
    troupe_future_t *list = troupe_call (actor, recorder_list);
    gate_reached (&gate);
    gate_reached (&argument);
    troupe_actor_destroy (&actor);
    gate_open (&gate);
    expect_integer (held, 1);
    expect_integer (two, 2);
    assert_false (file_exists (path));
    gate_open (&argument);
    expect_integer (three, 3);
    expect_integer (four, 4);
    expect_integers (list, wanted, 4);
    expect_integer (number, 3);
    assert_true (eventually (file_exists (path)));
    free (path);
}

/*  Released before it is even up.                                          */
static void
test_end_at_once (void **state)
{
    (void) state;
    char *path = scratch_path ();
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    troupe_actor_destroy (&actor);
    assert_true (eventually (file_exists (path)));
    actor = troupe_spawn (s_troupe, late, gate.path);
    troupe_future_t *sum = troupe_call (actor, late_add, 3);
    troupe_actor_destroy (&actor);
    gate_open (&gate);
    expect_integer (sum, 3);
    free (path);
}

/* ------------------------------------------------------------------------
   Order                                                                    */

static void
test_order (void **state)
{
    (void) state;
    enum { COUNT = 5000 };
    static troupe_future_t *futures [COUNT];
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    for (int index = 0; index < COUNT; index++)
        futures [index] = troupe_call (actor, recorder_add, index);
    troupe_future_t *list = troupe_call (actor, recorder_list);
    troupe_int64s_t found;
    assert_int_equal (troupe_get (list, &found), 0);
    assert_int_equal (found.count, COUNT);
    for (int index = 0; index < COUNT; index++) {
        assert_int_equal (found.items [index], index);
        expect_integer (futures [index], index);
    }
    troupe_future_destroy (&list);
    troupe_actor_destroy (&actor);
}

/*  A call that waits for its argument holds up its own caller's later calls
    and nobody else's.                                                      */
static void
test_order_per_caller (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    const int64_t meanwhile [] = { 1, 10 }, in_the_end [] = { 1, 10, 2, 3 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, gate.path, 2);
    gate_reached (&gate);
    troupe_future_t *one = troupe_call (actor, recorder_add, 1);
    troupe_future_t *two = troupe_call (actor, recorder_add, number);
    troupe_future_t *three = troupe_call (actor, recorder_add, 3);
    expect_integer (one, 1);
    expect_integers (troupe_remote (s_troupe, add_and_list, actor, 10), meanwhile, 2);
    assert_false (troupe_future_done (two));
    assert_false (troupe_future_done (three));
    gate_open (&gate);
    expect_integer (three, 3);
    expect_integer (two, 2);
    expect_integers (troupe_call (actor, recorder_list), in_the_end, 4);
    troupe_future_destroy (&number);
    troupe_actor_destroy (&actor);
}

/*  Every other call waits for an argument, and the arguments come in the
    opposite order.                                                         */
static void
test_order_of_waiting_arguments (void **state)
{
    (void) state;
    enum { COUNT = 10 };
    gate_t gates [COUNT];
    int64_t wanted [2 * COUNT];
    troupe_actor_t *makers [COUNT];
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    for (int index = 0; index < COUNT; index++) {
        gates [index] = gate_new ();
        makers [index] = troupe_spawn (s_troupe, recorder);
        troupe_future_t *one = troupe_call (makers [index], recorder_hold, gates [index].path);
        troupe_future_t *added = troupe_call (actor, recorder_add, one);
        troupe_future_t *next = troupe_call (actor, recorder_add, 10 + index);
        troupe_future_destroy (&one);
        troupe_future_destroy (&added);
        troupe_future_destroy (&next);
        wanted [2 * index] = 1;
        wanted [2 * index + 1] = 10 + index;
    }
    troupe_future_t *list = troupe_call (actor, recorder_list);
    for (int index = COUNT; index--;)
        gate_open (&gates [index]);
    expect_integers (list, wanted, 2 * COUNT);
    for (int index = 0; index < COUNT; index++)
        troupe_actor_destroy (&makers [index]);
    troupe_actor_destroy (&actor);
}

/*  More callers than a mailbox looks past wait for arguments.              */
static void
test_many_callers_wait (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, gate.path, 1);
    troupe_future_t *sums [50];
    for (size_t index = 0; index < 50; index++)
        sums [index] = troupe_call (actor, recorder_add, number);
    gate_open (&gate);
    for (size_t index = 0; index < 50; index++)
        expect_integer (sums [index], 1);
    expect_integer (number, 1);
    troupe_actor_destroy (&actor);
}

static void
test_concurrency (void **state)
{
    (void) state;
    troupe_actor_t *actor = troupe_spawn (s_troupe, crowd);
    troupe_future_t *meetings [7];
    for (int index = 0; index < 7; index++)
        meetings [index] = troupe_call (actor, crowd_meet);
    for (int index = 0; index < 7; index++)
        expect_integer (meetings [index], 1);
    expect_integer (troupe_call (actor, crowd_most), 3);
    troupe_actor_destroy (&actor);
}

static void
test_blocking_method (void **state)
{
    (void) state;
    enum { COUNT = 6 };
    gate_t gate = gate_new ();
    troupe_actor_t *blocked = troupe_spawn (s_troupe, recorder);
    troupe_actor_t *others [COUNT];
    troupe_future_t *held = troupe_call (blocked, recorder_hold, gate.path);
    troupe_future_t *behind = troupe_call (blocked, recorder_add, 1);
    gate_reached (&gate);
    for (int index = 0; index < COUNT; index++) {
        const int64_t wanted [] = { 5, 6 };
        others [index] = troupe_spawn (s_troupe, recorder);
        expect_integer (troupe_call (others [index], recorder_add, 5), 5);
        expect_integers (troupe_remote (s_troupe, add_and_list, others [index], 6), wanted, 2);
        troupe_actor_destroy (&others [index]);
    }
    assert_false (troupe_future_done (held));
    assert_false (troupe_future_done (behind));
    gate_open (&gate);
    expect_integer (held, 1);
    expect_integer (behind, 1);
    troupe_actor_destroy (&blocked);
}

/* ------------------------------------------------------------------------
   Chains                                                                   */

static void
test_chain (void **state)
{
    (void) state;
    enum { ACTORS = 5, LINKS = 200 };
    troupe_actor_t *actors [ACTORS];
    for (int index = 0; index < ACTORS; index++)
        actors [index] = troupe_spawn (s_troupe, recorder);
    for (int round = 0; round < 3; round++) {
        troupe_future_t *last = troupe_put (s_troupe, 0);
        for (int index = 0; index < LINKS; index++) {
            troupe_future_t *next
                = troupe_call (actors [index % ACTORS], recorder_increment, last);
            troupe_future_destroy (&last);
            last = next;
        }
        expect_integer (last, LINKS);
    }
    for (int index = 0; index < ACTORS; index++)
        troupe_actor_destroy (&actors [index]);
}

/*  One value goes to many, and the values of many go to one.               */
static void
test_fan (void **state)
{
    (void) state;
    enum { ACTORS = 8 };
    gate_t gate = gate_new ();
    troupe_actor_t *actors [ACTORS];
    troupe_future_t *parts [ACTORS];
    int64_t wanted [ACTORS];
    troupe_future_t *seed = troupe_remote (s_troupe, held_number, gate.path, 7);
    troupe_actor_t *sink = troupe_spawn (s_troupe, recorder);
    for (int index = 0; index < ACTORS; index++) {
        actors [index] = troupe_spawn (s_troupe, recorder);
        parts [index] = troupe_call (actors [index], recorder_increment, seed);
        troupe_future_t *added = troupe_call (sink, recorder_add, parts [index]);
        troupe_future_destroy (&added);
        wanted [index] = 8;
    }
    troupe_future_t *list = troupe_call (sink, recorder_list);
    gate_open (&gate);
    expect_integers (list, wanted, ACTORS);
    for (int index = 0; index < ACTORS; index++) {
        expect_integer (parts [index], 8);
        troupe_actor_destroy (&actors [index]);
    }
    troupe_future_destroy (&seed);
    troupe_actor_destroy (&sink);
}

static void
test_failure_passes_on (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *one = troupe_spawn (s_troupe, recorder);
    troupe_actor_t *two = troupe_spawn (s_troupe, recorder);
    troupe_future_t *bad = troupe_remote (s_troupe, failing, gate.path);
    troupe_future_t *first = troupe_call (one, recorder_increment, bad);
    troupe_future_t *second = troupe_call (two, recorder_increment, first);
    troupe_future_t *third = troupe_call (one, recorder_increment, second);
    gate_open (&gate);
    expect_failure (third, TROUPE_EFAILED, "recorder.increment", "recorder.increment",
                    "recorder.increment", "failing on worker", "boom");
    /*  Those that failed already fail what takes them now.                 */
    expect_failure (troupe_call (two, recorder_increment, second), TROUPE_EFAILED,
                    "failing on worker", "boom");
    expect_failure (second, TROUPE_EFAILED, "recorder.increment", "recorder.increment",
                    "failing on worker", "boom");
    expect_failure (first, TROUPE_EFAILED, "recorder.increment", "failing on worker", "boom");
    troupe_future_destroy (&bad);
    expect_failure (troupe_call (one, recorder_fail), TROUPE_EFAILED, "recorder.fail on worker",
                    "the cause");
    /*  The calls after a failed one are not held up.                       */
    expect_integer (troupe_call (one, recorder_increment, 1), 2);
    troupe_actor_destroy (&one);
    troupe_actor_destroy (&two);
}

/* ------------------------------------------------------------------------
   Handles                                                                  */

static void
test_handle_to_task (void **state)
{
    (void) state;
    const int64_t wanted [] = { 1, 2 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    expect_integer (troupe_call (actor, recorder_add, 1), 1);
    expect_integers (troupe_remote (s_troupe, add_and_list, actor, 2), wanted, 2);
    troupe_actor_destroy (&actor);
}

/*  The driver lets go at once; what the tasks do with the handle is done.  */
static void
test_handle_only_in_tasks (void **state)
{
    (void) state;
    for (int round = 0; round < 20; round++) {
        char *path = scratch_path ();
        gate_t gate = gate_new ();
        troupe_future_t *tasks [4];
        troupe_actor_t *list = troupe_spawn (s_troupe, recorder);
        troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
        troupe_future_t *number = troupe_remote (s_troupe, held_number, gate.path, 5);
        for (int index = 0; index < 4; index++)
            tasks [index] = troupe_remote (s_troupe, add_and_go, actor, number);
        troupe_future_t *added
            = troupe_call (list, recorder_keep, actor);
        expect_success (added);
        troupe_actor_destroy (&actor);
        gate_open (&gate);
        for (int index = 0; index < 4; index++)
            expect_success (tasks [index]);
        assert_false (file_exists (path));
        expect_success (troupe_call (list, recorder_drop));
        assert_true (eventually (file_exists (path)));
        troupe_actor_destroy (&list);
        troupe_future_destroy (&number);
        free (path);
    }
}

/*  Calls that a task made with the last handle are done before the end.    */
static void
test_last_calls_from_tasks (void **state)
{
    (void) state;
    enum { ROUNDS = 300 };
    char *path = scratch_path ();
    for (int round = 0; round < ROUNDS; round++) {
        troupe_actor_t *actor = troupe_spawn (s_troupe, notary, path);
        troupe_future_t *task = troupe_remote (s_troupe, sign_and_go, actor);
        troupe_actor_destroy (&actor);
        troupe_future_destroy (&task);
    }
    assert_true (eventually (file_count (path, "ended") == ROUNDS));
    assert_int_equal (file_count (path, "signed"), 3 * ROUNDS);
    free (path);
}

static void
test_handle_kept (void **state)
{
    (void) state;
    char *path = scratch_path ();
    const int64_t wanted [] = { 1, 2 };
    troupe_actor_t *keeper = troupe_spawn (s_troupe, recorder);
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    expect_success (troupe_call (keeper, recorder_keep, actor));
    troupe_actor_destroy (&actor);
    /*  It comes back, and is the same actor.                               */
    troupe_future_t *given = troupe_call (keeper, recorder_give);
    assert_int_equal (troupe_get (given, &actor), 0);
    troupe_future_destroy (&given);
    assert_non_null (actor);
    expect_integer (troupe_call (actor, recorder_add, 2), 2);
    expect_success (troupe_call (keeper, recorder_drop));
    expect_integers (troupe_call (actor, recorder_list), wanted, 2);
    assert_false (file_exists (path));
    troupe_actor_destroy (&actor);
    assert_true (eventually (file_exists (path)));
    troupe_actor_destroy (&keeper);
    free (path);
}

/*  The keeper ends, and with it the last handle.                           */
static void
test_handle_ends_with_keeper (void **state)
{
    (void) state;
    char *path = scratch_path ();
    troupe_actor_t *keeper = troupe_spawn (s_troupe, recorder);
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    expect_success (troupe_call (keeper, recorder_keep, actor));
    troupe_actor_destroy (&actor);
    expect_integer (troupe_call (keeper, recorder_add, 1), 1);
    assert_false (file_exists (path));
    troupe_actor_destroy (&keeper);
    assert_true (eventually (file_exists (path)));
    free (path);
}

static void
test_handle_dup (void **state)
{
    (void) state;
    char *path = scratch_path ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, 1, path);
    troupe_actor_t *second = troupe_actor_dup (actor);
    troupe_actor_destroy (&actor);
    expect_integer (troupe_call (second, recorder_add, 2), 2);
    assert_false (file_exists (path));
    troupe_actor_destroy (&second);
    assert_true (eventually (file_exists (path)));
    assert_null (troupe_actor_dup (NULL));
    troupe_actor_destroy (&second);
    troupe_actor_destroy (NULL);
    free (path);
}

static void
test_handle_from_task (void **state)
{
    (void) state;
    char *path = scratch_path ();
    const int64_t wanted [] = { 8, 9 };
    troupe_actor_t *actor = NULL;
    troupe_future_t *made = troupe_remote (s_troupe, make_recorder, 8, path);
    if (troupe_get (made, &actor))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&made);
    assert_non_null (actor);
    expect_integers (troupe_remote (s_troupe, add_and_list, actor, 9), wanted, 2);
    expect_integers (troupe_call (actor, recorder_list), wanted, 2);
    assert_false (file_exists (path));
    troupe_actor_destroy (&actor);
    assert_true (eventually (file_exists (path)));
    free (path);
}

/*  The result that nobody reads lets the actor go.                         */
static void
test_handle_not_taken (void **state)
{
    (void) state;
    char *path = scratch_path ();
    troupe_future_t *made = troupe_remote (s_troupe, make_recorder, 8, path);
    expect_success (made);
    assert_true (eventually (file_exists (path)));
    free (path);
}

static void
test_handle_before_up (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, late, gate.path);
    troupe_future_t *one = troupe_remote (s_troupe, add_late, actor, 1);
    troupe_future_t *two = troupe_call (actor, late_add, 2);
    gate_reached (&gate);
    assert_false (troupe_future_done (one));
    assert_false (troupe_future_done (two));
    gate_open (&gate);
    expect_success (one);
    expect_success (two);
    expect_integer (troupe_call (actor, late_add, 4), 7);
    troupe_actor_destroy (&actor);
}

static void
test_handle_of_stillborn (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, stillborn, gate.path);
    troupe_actor_t *keeper = troupe_spawn (s_troupe, recorder);
    troupe_future_t *kept = troupe_call (keeper, recorder_keep, actor);
    expect_success (kept);
    troupe_future_t *called = troupe_call (keeper, recorder_ask, "get");
    gate_open (&gate);
    expect_failure (called, TROUPE_EFAILED, "recorder.ask on worker", "stillborn on worker",
                    "words.txt");
    troupe_actor_destroy (&actor);
    troupe_actor_destroy (&keeper);
}

static void
test_handle_to_itself (void **state)
{
    (void) state;
    const int64_t wanted [] = { 5, 6, 7, 8 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    expect_integer (troupe_call (actor, recorder_remind, 5), 5);
    assert_true (eventually (({
        troupe_future_t *list = troupe_call (actor, recorder_list);
        troupe_int64s_t found;
        assert_int_equal (troupe_get (list, &found), 0);
        bool all = found.count == 3;
        troupe_future_destroy (&list);
        all;
    })));
    troupe_actor_t *same = NULL;
    troupe_future_t *future = troupe_call (actor, recorder_myself);
    assert_int_equal (troupe_get (future, &same), 0);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    expect_integer (troupe_call (same, recorder_add, 8), 8);
    expect_integers (troupe_call (same, recorder_list), wanted, 4);
    troupe_actor_destroy (&same);
}

static void
test_actors_wait_for_actors (void **state)
{
    (void) state;
    enum { ACTORS = 12 };
    troupe_actor_t *actors [ACTORS];
    for (int index = 0; index < ACTORS; index++)
        actors [index] = troupe_spawn (s_troupe, recorder);
    for (int index = 1; index < ACTORS; index++)
        expect_success (troupe_call (actors [index - 1], recorder_keep, actors [index]));
    for (int round = 0; round < 10; round++)
        expect_integer (troupe_call (actors [0], recorder_pass_on), ACTORS);
    for (int index = 0; index < ACTORS; index++)
        troupe_actor_destroy (&actors [index]);
}

static void
test_actors_wait_in_a_circle (void **state)
{
    (void) state;
    troupe_actor_t *one = troupe_spawn (s_troupe, partner);
    troupe_actor_t *other = troupe_spawn (s_troupe, partner);
    expect_success (troupe_call (one, partner_meet, other));
    expect_success (troupe_call (other, partner_meet, one));
    expect_integer (troupe_call (one, partner_ask), TROUPE_ETIMEOUT);
    expect_integer (troupe_call (one, partner_answer), 1);
    troupe_actor_kill (one);
    troupe_actor_kill (other);
    troupe_actor_destroy (&one);
    troupe_actor_destroy (&other);
}

/* ------------------------------------------------------------------------
   Names                                                                    */

static void
test_named (void **state)
{
    (void) state;
    char *path = scratch_path ();
    const int64_t wanted [] = { 1, 7, 7, 2 };
    troupe_actor_t *actor
        = troupe_spawn (s_troupe, recorder, 1, path, TROUPE_WITH (.name = "index"));
    expect_success (troupe_actor_ready (actor));
    /*  It outlives its handles.                                            */
    troupe_actor_destroy (&actor);
    expect_integer (troupe_remote (s_troupe, find_and_add, "index"), 7);
    troupe_actor_t *helper = troupe_spawn (s_troupe, recorder);
    expect_integer (troupe_call (helper, recorder_find, "index"), 7);
    troupe_actor_t *found = troupe_find (s_troupe, "index");
    assert_non_null (found);
    expect_integer (troupe_call (found, recorder_add, 2), 2);
    expect_integers (troupe_call (found, recorder_list), wanted, 4);
    troupe_actor_destroy (&found);
    assert_false (file_exists (path));
    found = troupe_find (s_troupe, "index");
    assert_non_null (found);
    assert_int_equal (troupe_actor_kill (found), 0);
    assert_true (eventually (file_exists (path)));
    troupe_actor_destroy (&found);
    assert_true (eventually (({
        found = troupe_find (s_troupe, "index");
        bool gone = !found;
        troupe_actor_destroy (&found);
        gone;
    })));
    assert_int_equal (troupe_error_code (), TROUPE_ENAME);
    /*  The name is free again.                                             */
    actor = troupe_spawn (s_troupe, recorder, TROUPE_WITH (.name = "index"));
    expect_success (troupe_actor_ready (actor));
    troupe_actor_kill (actor);
    troupe_actor_destroy (&actor);
    troupe_actor_destroy (&helper);
    free (path);
}

static void
test_name_taken (void **state)
{
    (void) state;
    const int64_t wanted [] = { 1 };
    troupe_actor_t *first = troupe_spawn (s_troupe, recorder, TROUPE_WITH (.name = "only"));
    troupe_actor_t *second = troupe_spawn (s_troupe, recorder, TROUPE_WITH (.name = "only"));
    troupe_future_t *early = troupe_call (second, recorder_add, 9);
    expect_integer (troupe_call (first, recorder_add, 1), 1);
    expect_failure (early, TROUPE_EEXISTS, "recorder", "only", "taken");
    expect_failure (troupe_actor_ready (second), TROUPE_EEXISTS, "recorder", "only", "taken");
    expect_failure (troupe_call (second, recorder_list), TROUPE_EEXISTS, "only");
    troupe_actor_destroy (&second);
    expect_integers (troupe_call (first, recorder_list), wanted, 1);
    troupe_actor_kill (first);
    troupe_actor_destroy (&first);
}

static void
test_name_unknown (void **state)
{
    (void) state;
    assert_null (troupe_find (s_troupe, "nobody"));
    assert_int_equal (troupe_error_code (), TROUPE_ENAME);
    assert_non_null (strstr (troupe_error (), "nobody"));
    assert_null (troupe_find (s_troupe, ""));
    assert_int_equal (troupe_error_code (), TROUPE_EINVAL);
    assert_null (troupe_find (NULL, "nobody"));
    expect_failure (troupe_remote (s_troupe, find_and_add, "nobody"), TROUPE_EFAILED,
                    "find_and_add on worker", "nobody");
    char name [TROUPE_NAME_MAX + 2];
    memset (name, 'n', sizeof name - 1);
    name [sizeof name - 1] = 0;
    assert_null (troupe_find (s_troupe, name));
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder, TROUPE_WITH (.name = name));
    expect_failure (troupe_actor_ready (actor), TROUPE_EINVAL, "name");
    troupe_actor_destroy (&actor);
}

/*  Found while its constructor still runs: the answer waits for it.        */
static void
test_name_of_the_unborn (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *failing_one
        = troupe_spawn (s_troupe, stillborn, gate.path, TROUPE_WITH (.name = "unborn"));
    troupe_future_t *found = troupe_remote (s_troupe, find_and_add, "unborn");
    gate_open (&gate);
    expect_failure (found, TROUPE_EFAILED, "find_and_add on worker", "unborn");
    troupe_actor_destroy (&failing_one);
    assert_null (troupe_find (s_troupe, "unborn"));
}

static void
test_by_name (void **state)
{
    (void) state;
    const int64_t wanted [] = { 1, 2 };
    troupe_actor_t *actor = troupe_spawn_by_name (s_troupe, "recorder");
    expect_integer (troupe_call_by_name (actor, "add", 1), 1);
    expect_integer (troupe_call (actor, recorder_add, 2), 2);
    expect_integers (troupe_call_by_name (actor, "list"), wanted, 2);
    expect_integers (troupe_call_by_name (actor, "recorder_list"), wanted, 2);
    troupe_actor_destroy (&actor);
}

static void
test_elder (void **state)
{
    (void) state;
    troupe_actor_t *stunted = troupe_spawn_by_name (s_troupe, "stunted");
    troupe_actor_t *actor = troupe_spawn_by_name (s_troupe, "elder");
    expect_integer (troupe_call_by_name (actor, "count"), 1);
    expect_integer (troupe_call_by_name (actor, "elder_count"), 2);
    expect_integer (troupe_call (actor, narrow_count), 3);
    expect_failure (troupe_call_by_name (actor, "fly"), TROUPE_ENAME, "elder", "fly");
    expect_failure (troupe_call_by_name (stunted, "count"), TROUPE_ENAME, "unknown actor class");
    troupe_actor_destroy (&stunted);
    troupe_actor_destroy (&actor);
}

static void
test_wrong_methods (void **state)
{
    (void) state;
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    expect_failure (troupe_call_by_name (actor, "fly"), TROUPE_ENAME, "recorder", "fly");
    expect_failure (troupe_call (actor, narrow_count), TROUPE_ENAME, "recorder",
                    "narrow_count");
    expect_success (troupe_actor_ready (actor));
    expect_failure (troupe_call_by_name (actor, "fly"), TROUPE_ENAME, "recorder", "fly");
    expect_failure (troupe_call (actor, recorder_add, "one"), TROUPE_ETYPE,
                    "recorder.add on worker", "argument 1", "integer", "string");
    expect_failure (troupe_call (actor, recorder_add, 1, 2), TROUPE_ETYPE,
                    "recorder.add on worker", "wanted 1 argument, got 2");
    expect_failure (troupe_call (actor, recorder_add), TROUPE_ETYPE, "recorder.add on worker",
                    "wanted 1 argument, got 0");
    expect_integer (troupe_call (actor, recorder_add, 1), 1);
    troupe_actor_destroy (&actor);
}

/* ------------------------------------------------------------------------
   Limits                                                                   */

static void
test_mailbox (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_future_t *waiting [4];
    troupe_actor_t *actor = troupe_spawn (s_troupe, narrow);
    troupe_future_t *held = troupe_call (actor, narrow_hold, gate.path);
    gate_reached (&gate);
    for (int index = 0; index < 4; index++)
        waiting [index] = troupe_call (actor, narrow_count);
    for (int index = 0; index < 3; index++)
        expect_failure (troupe_call (actor, narrow_count), TROUPE_ELIMIT,
                        "narrow.count on worker", "4 calls wait");
    gate_open (&gate);
    expect_success (held);
    for (int index = 0; index < 4; index++)
        expect_integer (waiting [index], index + 1);
    expect_integer (troupe_call (actor, narrow_count), 5);
    troupe_actor_destroy (&actor);
}

/*  More calls than one frame takes gather before the actor is up.          */
static void
test_many_early_calls (void **state)
{
    (void) state;
    enum { COUNT = 70000 };
    gate_t gate = gate_new ();
    static troupe_future_t *calls [COUNT];
    troupe_actor_t *actor = troupe_spawn (s_troupe, late, gate.path);
    for (int index = 0; index < COUNT; index++)
        calls [index] = troupe_call (actor, late_add, 1);
    gate_open (&gate);
    assert_int_equal (troupe_wait (calls, COUNT, COUNT, PATIENCE_MS, NULL), COUNT);
    for (int index = 0; index < COUNT; index++)
        expect_integer (calls [index], index + 1);
    troupe_actor_destroy (&actor);
}

/*  Cancelled, or too late, before the actor is up: they never start, and
    those around them do.                                                   */
static void
test_early_calls_dropped (void **state)
{
    (void) state;
    gate_t gate = gate_new (), argument = gate_new ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, late, gate.path);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, argument.path, 100);
    troupe_future_t *one = troupe_call (actor, late_add, 1);
    troupe_future_t *two = troupe_call (actor, late_add, 2);
    troupe_future_t *four = troupe_call (actor, late_add, 4, TROUPE_WITH (.timeout_ms = 1));
    troupe_future_t *hundred = troupe_call (actor, late_add, number);
    troupe_future_t *eight = troupe_call (actor, late_add, 8);
    gate_reached (&gate);
    assert_int_equal (troupe_cancel (two), 0);
    assert_int_equal (troupe_cancel (hundred), 0);
    expect_failure (two, TROUPE_ECANCELLED, "cancelled");
    expect_failure (hundred, TROUPE_ECANCELLED, "cancelled");
    expect_failure (four, TROUPE_ETIMEOUT, "1 ms");
    assert_false (troupe_future_done (one));
    gate_open (&gate);
    expect_integer (one, 1);
    expect_integer (eight, 9);
    gate_open (&argument);
    expect_integer (number, 100);
    expect_integer (troupe_call (actor, late_add, 16), 25);
    troupe_actor_destroy (&actor);
}

/*  The same in the mailbox of an actor that is up.                         */
static void
test_waiting_calls_dropped (void **state)
{
    (void) state;
    gate_t gate = gate_new (), argument = gate_new ();
    const int64_t wanted [] = { 1, 8 };
    troupe_actor_t *others [6];
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    troupe_future_t *held = troupe_call (actor, recorder_hold, gate.path);
    gate_reached (&gate);
    troupe_future_t *number = troupe_remote (s_troupe, held_number, argument.path, 100);
    troupe_future_t *one = troupe_call (actor, recorder_add, 1);
    troupe_future_t *two = troupe_call (actor, recorder_add, 2);
    troupe_future_t *four
        = troupe_call (actor, recorder_add, 4, TROUPE_WITH (.timeout_ms = 1));
    troupe_future_t *hundred = troupe_call (actor, recorder_add, number);
    troupe_future_t *eight = troupe_call (actor, recorder_add, 8);
    assert_int_equal (troupe_cancel (two), 0);
    assert_int_equal (troupe_cancel (hundred), 0);
    expect_failure (four, TROUPE_ETIMEOUT, "1 ms");
    /*  What other actors there answer comes after what was said before.    */
    for (int index = 0; index < 6; index++) {
        troupe_actor_t *other = troupe_spawn (s_troupe, narrow);
        expect_integer (troupe_call (other, narrow_count), 1);
        expect_integer (troupe_call (other, narrow_count), 2);
        others [index] = other;
    }
    gate_open (&gate);
    expect_integer (held, 1);
    expect_integer (one, 1);
    expect_integer (eight, 8);
    expect_failure (two, TROUPE_ECANCELLED, "cancelled");
    expect_failure (hundred, TROUPE_ECANCELLED, "cancelled");
    gate_open (&argument);
    expect_integer (number, 100);
    expect_integers (troupe_call (actor, recorder_list), wanted, 2);
    troupe_actor_destroy (&actor);
    for (int index = 0; index < 6; index++)
        troupe_actor_destroy (&others [index]);
}

static void
test_many_actors (void **state)
{
    (void) state;
    enum { COUNT = 2500 };
    static troupe_actor_t *actors [COUNT];
    static troupe_future_t *futures [COUNT];
    for (int index = 0; index < COUNT; index++) {
        actors [index] = troupe_spawn (s_troupe, recorder);
        futures [index] = troupe_call (actors [index], recorder_add, index);
    }
    for (int index = 0; index < COUNT; index++)
        expect_integer (futures [index], index);
    for (int index = 0; index < COUNT; index++)
        futures [index] = troupe_call (actors [index], recorder_list);
    for (int index = 0; index < COUNT; index++) {
        const int64_t wanted [] = { index };
        expect_integers (futures [index], wanted, 1);
    }
    for (int index = 0; index < COUNT; index++)
        troupe_actor_destroy (&actors [index]);
}

/*  In a process of few descriptors: actors until one does not fit.         */
static int
s_fill_up (int *argc, char ***argv)
{
    enum { MANY = 1000 };
    const struct rlimit few = { 400, 400 };
    setrlimit (RLIMIT_NOFILE, &few);
    setenv ("TROUPE_WORKERS", s_threads () ? "threads:1" : "1", 1);
    troupe_t *troupe = troupe_init (argc, argv);
    if (!troupe) {
        fprintf (stderr, "troupe_init: %s\n", troupe_error ());
        return 2;
    }
    static troupe_actor_t *actors [MANY];
    int count = 0;
    troupe_error_t code = TROUPE_OK;
    for (; count < MANY; count++) {
        actors [count] = troupe_spawn (troupe, narrow);
        troupe_future_t *ready = troupe_actor_ready (actors [count]);
        troupe_wait (&ready, 1, 1, PATIENCE_MS, NULL);
        code = troupe_future_code (ready);
        if (code)
            fprintf (stderr, "%d: %s\n", count, troupe_future_error (ready));
        troupe_future_destroy (&ready);
        if (code)
            break;
    }
    int rc = code == TROUPE_ELIMIT && count >= 50 ? 0 : 3;
    for (int index = 0; index <= count && index < MANY; index++) {
        int64_t answer = 0;
        troupe_future_t *future = troupe_call (actors [index], narrow_count);
        troupe_error_t wanted = index == count ? TROUPE_ELIMIT : TROUPE_OK;
        if (troupe_wait (&future, 1, 1, PATIENCE_MS, NULL) != 1
            || troupe_future_code (future) != wanted
            || (!wanted && (troupe_get (future, &answer) || answer != 1)))
            rc = 4;
        troupe_future_destroy (&future);
    }
    /*  One goes, one comes.                                                */
    troupe_actor_destroy (&actors [count < MANY ? count : 0]);
    troupe_actor_destroy (&actors [0]);
    bool fits = eventually (({
        troupe_actor_t *again = troupe_spawn (troupe, narrow);
        int64_t answer;
        troupe_future_t *future = troupe_call (again, narrow_count);
        bool answered = troupe_get (future, &answer) == 0;
        troupe_future_destroy (&future);
        troupe_actor_destroy (&again);
        answered;
    }));
    if (!fits)
        rc = 5;
    for (int index = 0; index < count; index++)
        troupe_actor_destroy (&actors [index]);
    if (troupe_term (&troupe)) {
        fprintf (stderr, "troupe_term: %s\n", troupe_error ());
        rc = 6;
    }
    return rc;
}

static void
test_limit_of_actors (void **state)
{
    (void) state;
    pid_t pid = vfork ();
    if (pid == 0) {
        execl ("/proc/self/exe", "test_actor_calls", "fill-up", (char *) NULL);
        _exit (127);
    }
    int status = -1;
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 0);
}

/* ------------------------------------------------------------------------
   Modules                                                                  */

static void
test_module (void **state)
{
    (void) state;
    troupe_actor_t *counter = troupe_spawn_by_name (s_troupe, "counter");
    expect_success (troupe_actor_ready (counter));
    expect_failure (troupe_call_by_name (counter, "fly"), TROUPE_ENAME, "counter", "fly");
    expect_integer (troupe_call_by_name (counter, "get"), 0);
    troupe_actor_destroy (&counter);
}

static void
test_module_missing (void **state)
{
    (void) state;
    troupe_actor_t *actor = troupe_spawn_by_name (s_troupe, "nowhere");
    expect_failure (troupe_call_by_name (actor, "get"), TROUPE_ENAME, "nowhere on worker",
                    "unknown actor class", "nowhere.so");
    troupe_actor_destroy (&actor);
    /*  A name is not a path.                                               */
    actor = troupe_spawn_by_name (s_troupe, "../actors/counter");
    expect_failure (troupe_actor_ready (actor), TROUPE_ENAME, "unknown actor class");
    troupe_actor_destroy (&actor);
}

static void
test_module_broken (void **state)
{
    (void) state;
    troupe_actor_t *broken = troupe_spawn_by_name (s_troupe, "broken");
    troupe_actor_t *misnamed = troupe_spawn_by_name (s_troupe, "misnamed");
    expect_failure (troupe_call_by_name (broken, "get"), TROUPE_ENAME, "broken on worker",
                    "cannot load module", "broken.so");
    expect_failure (troupe_call_by_name (misnamed, "get"), TROUPE_ENAME, "misnamed on worker",
                    "misnamed.so", "does not define class 'misnamed'");
    troupe_actor_destroy (&broken);
    troupe_actor_destroy (&misnamed);
    expect_integer (troupe_call_by_name (broken = troupe_spawn_by_name (s_troupe, "narrow"),
                                         "count"),
                    1);
    troupe_actor_destroy (&broken);
}

/*  A folder with a module that is none and one under a wrong name, in front
    of the folders that are searched already.                               */
static void
s_make_modules (void)
{
    const char *given = getenv ("TROUPE_MODULES");
    char path [PATH_MAX], target [PATH_MAX], folders [3 * PATH_MAX];
    snprintf (path, sizeof path, "%s/broken.so", scratch_folder);
    file_append (path, "this is no module");
    snprintf (path, sizeof path, "%s/counter.so", given ? given : "actors/.libs");
    if (!realpath (path, target))
        fprintf (stderr, "test_actor_calls: %s: %s\n", path, strerror (errno));
    snprintf (path, sizeof path, "%s/misnamed.so", scratch_folder);
    if (symlink (target, path))
        fprintf (stderr, "test_actor_calls: %s: %s\n", path, strerror (errno));
    snprintf (folders, sizeof folders, "%s:%s", scratch_folder, given ? given : "actors/.libs");
    setenv ("TROUPE_MODULES", folders, 1);
}

/* ------------------------------------------------------------------------
   The end                                                                  */

/*  Actors are destroyed by troupe_term: the last test.                     */
static void
test_term (void **state)
{
    (void) state;
    enum { COUNT = 20 };
    char *path = scratch_path ();
    troupe_actor_t *actors [COUNT];
    for (int index = 0; index < COUNT; index++) {
        actors [index] = troupe_spawn (s_troupe, recorder, index, path);
        expect_success (troupe_actor_ready (actors [index]));
    }
    troupe_actor_t *named
        = troupe_spawn (s_troupe, recorder, 1, path, TROUPE_WITH (.name = "last"));
    expect_success (troupe_actor_ready (named));
    troupe_actor_destroy (&named);
    if (troupe_term (&s_troupe))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (file_count (path, "ended"), COUNT + 1);
    expect_failure (troupe_call (actors [0], recorder_list), TROUPE_ESTOPPED, "stopped");
    for (int index = 0; index < COUNT; index++)
        troupe_actor_destroy (&actors [index]);
    free (path);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_state),
        cmocka_unit_test (test_constructor),
        cmocka_unit_test (test_constructor_fails),
        cmocka_unit_test (test_constructor_arguments_wrong),
        cmocka_unit_test (test_constructor_waits_for_arguments),
        cmocka_unit_test (test_constructor_argument_fails),
        cmocka_unit_test (test_released_arguments),
        cmocka_unit_test (test_destructor_after_kill),
        cmocka_unit_test (test_kill),
        cmocka_unit_test (test_kill_before_up),
        cmocka_unit_test (test_end_after_calls),
        cmocka_unit_test (test_end_at_once),
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_order_per_caller),
        cmocka_unit_test (test_order_of_waiting_arguments),
        cmocka_unit_test (test_many_callers_wait),
        cmocka_unit_test (test_concurrency),
        cmocka_unit_test (test_blocking_method),
        cmocka_unit_test (test_chain),
        cmocka_unit_test (test_fan),
        cmocka_unit_test (test_failure_passes_on),
        cmocka_unit_test (test_handle_to_task),
        cmocka_unit_test (test_handle_only_in_tasks),
        cmocka_unit_test (test_last_calls_from_tasks),
        cmocka_unit_test (test_handle_kept),
        cmocka_unit_test (test_handle_ends_with_keeper),
        cmocka_unit_test (test_handle_dup),
        cmocka_unit_test (test_handle_from_task),
        cmocka_unit_test (test_handle_not_taken),
        cmocka_unit_test (test_handle_before_up),
        cmocka_unit_test (test_handle_of_stillborn),
        cmocka_unit_test (test_handle_to_itself),
        cmocka_unit_test (test_actors_wait_for_actors),
        cmocka_unit_test (test_actors_wait_in_a_circle),
        cmocka_unit_test (test_named),
        cmocka_unit_test (test_name_taken),
        cmocka_unit_test (test_name_unknown),
        cmocka_unit_test (test_name_of_the_unborn),
        cmocka_unit_test (test_by_name),
        cmocka_unit_test (test_elder),
        cmocka_unit_test (test_wrong_methods),
        cmocka_unit_test (test_mailbox),
        cmocka_unit_test (test_many_early_calls),
        cmocka_unit_test (test_early_calls_dropped),
        cmocka_unit_test (test_waiting_calls_dropped),
        cmocka_unit_test (test_many_actors),
        cmocka_unit_test (test_limit_of_actors),
        cmocka_unit_test (test_module),
        cmocka_unit_test (test_module_missing),
        cmocka_unit_test (test_module_broken),
        cmocka_unit_test (test_term),
    };
    setenv ("TROUPE_WORKERS", SANITIZED_THREADS ? "threads:2" : "2", 0);
    if (argc > 1 && strcmp (argv [1], "fill-up") == 0)
        return s_fill_up (&argc, &argv);
    if (!getenv ("TROUPE_BOOT")) {
        scratch_new ();
        s_make_modules ();
    }
    s_troupe = troupe_init (&argc, &argv);
    if (!s_troupe) {
        fprintf (stderr, "test_actor_calls: %s\n", troupe_error ());
        return 1;
    }
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    if (troupe_term (&s_troupe)) {
        fprintf (stderr, "test_actor_calls: %s\n", troupe_error ());
        failed++;
    }
    scratch_destroy ();
    return failed ? 1 : 0;
}
