/*  test_actor_handles.c - actors through the whole library: handles that are
    passed on, kept and dropped                                              */

#include "tests/actors_fixture.h"
#include "tests/support.h"

/* ------------------------------------------------------------------------
   Classes                                                                  */

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

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
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
    };
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
