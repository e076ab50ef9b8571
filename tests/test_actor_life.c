/*  test_actor_life.c - actors through the whole library: construction, the end,
    and how many there can be                                                */

#include "tests/actors_fixture.h"
#include "tests/support.h"

#include <sys/resource.h>
#include <sys/wait.h>

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
   Limits                                                                   */

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
    setenv ("TROUPE_WORKERS", support_threads () ? "threads:1" : "1", 1);
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
        execl ("/proc/self/exe", "test_actor_life", "fill-up", (char *) NULL);
        _exit (127);
    }
    int status = -1;
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 0);
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
        cmocka_unit_test (test_many_actors),
        cmocka_unit_test (test_limit_of_actors),
        cmocka_unit_test (test_term),
    };
    if (argc > 1 && strcmp (argv [1], "fill-up") == 0)
        return s_fill_up (&argc, &argv);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
