/*  test_actor_calls.c - actors through the whole library: the order of calls,
    chains of them, and mailboxes                                            */

#include "tests/actors_fixture.h"
#include "tests/support.h"

#include <pthread.h>

/* ------------------------------------------------------------------------
   Classes                                                                  */

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

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_order_per_caller),
        cmocka_unit_test (test_order_of_waiting_arguments),
        cmocka_unit_test (test_many_callers_wait),
        cmocka_unit_test (test_concurrency),
        cmocka_unit_test (test_blocking_method),
        cmocka_unit_test (test_chain),
        cmocka_unit_test (test_fan),
        cmocka_unit_test (test_failure_passes_on),
        cmocka_unit_test (test_mailbox),
        cmocka_unit_test (test_many_early_calls),
        cmocka_unit_test (test_early_calls_dropped),
        cmocka_unit_test (test_waiting_calls_dropped),
    };
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
