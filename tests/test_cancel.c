/*  test_cancel.c - cancelling reaches what a call has submitted, through tasks
    and actors; what is cancelled leaves nothing behind; and deadlines shrink
    while calls wait for their actor                                        */

#include "tests/support.h"

/*  --- work -------------------------------------------------------------- */

typedef struct {
    char term [SCRATCH_SIZE];
} seat_t;

/*  Goes on until it is cancelled, and then says so in the trace.           */
static int
s_hold (troupe_call_t *call)
{
    const char *trace;
    const int64_t until = now_ms () + PATIENCE_MS;
    if (troupe_args (call, &trace))
        return -1;
    file_append (trace, "begun");
    while (!troupe_cancelled (call) && now_ms () < until)
        poll (NULL, 0, 1);
    file_append (trace, troupe_cancelled (call) ? "cancelled" : "not cancelled");
    return troupe_fail (call, "held for nothing");
}

static int
hold (troupe_call_t *call)
{
    return s_hold (call);
}
TROUPE_TASK (hold);

static int
seat_hold (troupe_call_t *call)
{
    return s_hold (call);
}

static int
seat_nap (troupe_call_t *call)
{
    return troupe_return (call, 7);
}

static int
seat_left (troupe_call_t *call)
{
    return troupe_return (call, troupe_time_left (call));
}

/*  Waits inside for a task, or for an actor.                               */
static int
seat_ask (troupe_call_t *call)
{
    const char *trace;
    if (troupe_args (call, &trace))
        return -1;
    troupe_future_t *future = troupe_remote (troupe_of (call), hold, trace);
    int rc = troupe_get (future) ? troupe_fail (call, "%s", troupe_error ()) : 0;
    troupe_future_destroy (&future);
    return rc;
}

/*  A gate to wait at, or "", and a file to be made at the end, or "".      */
static int
seat_init (troupe_call_t *call)
{
    seat_t *self = troupe_self (call);
    const char *gate, *term;
    if (troupe_args (call, &gate, &term))
        return -1;
    snprintf (self->term, sizeof self->term, "%s", term);
    return !*gate || gate_pass (gate) ? 0 : troupe_fail (call, "no gate");
}

static void
seat_term (void *state)
{
    const seat_t *self = state;
    if (*self->term)
        file_append (self->term, "gone");
}

TROUPE_ACTOR (seat, seat_t, .init = seat_init, .term = seat_term,
              .methods = { TROUPE_METHOD (seat_hold), TROUPE_METHOD (seat_ask),
                           TROUPE_METHOD (seat_nap), TROUPE_METHOD (seat_left) });

/*  Calls the actor's method of that name, and waits for it.                */
static int
outer (troupe_call_t *call)
{
    troupe_actor_t *actor;
    const char *method, *trace;
    if (troupe_args (call, &actor, &method, &trace))
        return -1;
    troupe_future_t *future = troupe_call_by_name (actor, method, trace);
    int rc = troupe_get (future) ? troupe_fail (call, "%s", troupe_error ()) : 0;
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    return rc;
}
TROUPE_TASK (outer);

/*  The same, but answers with the future.                                  */
static int
tail (troupe_call_t *call)
{
    troupe_actor_t *actor;
    const char *trace;
    if (troupe_args (call, &actor, &trace))
        return -1;
    troupe_future_t *future = troupe_call (actor, seat_hold, trace);
    int rc = troupe_return (call, future);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    return rc;
}
TROUPE_TASK (tail);

/*  Submits another task when it has been cancelled, and writes what came of
    it.                                                                     */
static int
too_late (troupe_call_t *call)
{
    const char *trace;
    const int64_t until = now_ms () + PATIENCE_MS;
    if (troupe_args (call, &trace))
        return -1;
    file_append (trace, "begun");
    while (!troupe_cancelled (call) && now_ms () < until)
        poll (NULL, 0, 1);
    troupe_future_t *future = troupe_remote (troupe_of (call), hold, trace);
    troupe_get (future);
    file_append (trace, troupe_future_code (future) == TROUPE_ECANCELLED ? "refused" : "taken");
    troupe_future_destroy (&future);
    return 0;
}
TROUPE_TASK (too_late);

/*  --- cancelling -------------------------------------------------------- */

static troupe_actor_t *
s_seat (void)
{
    troupe_actor_t *actor = troupe_spawn (s_troupe, seat, "", "");
    expect_success (troupe_actor_ready (actor));
    return actor;
}

static void
s_expect_cancelled (troupe_future_t *future, const char *trace)
{
    assert_true (eventually (file_count (trace, "begun") == 1));
    assert_int_equal (troupe_cancel (future), 0);
    assert_true (eventually (file_count (trace, NULL) == 2));
    assert_int_equal (file_count (trace, "cancelled"), 1);
    expect_failure (future, TROUPE_ECANCELLED, "cancelled");
}

static void
test_task_to_actor (void **state)
{
    (void) state;
    char trace [SCRATCH_SIZE];
    troupe_actor_t *actor = s_seat ();
    scratch_name (trace, sizeof trace);
    s_expect_cancelled (troupe_remote (s_troupe, outer, actor, "hold", trace), trace);
    expect_integer (troupe_call (actor, seat_nap), 7);
    troupe_actor_destroy (&actor);
}

static void
test_actor_to_task (void **state)
{
    (void) state;
    char trace [SCRATCH_SIZE];
    troupe_actor_t *actor = s_seat ();
    scratch_name (trace, sizeof trace);
    s_expect_cancelled (troupe_call (actor, seat_ask, trace), trace);
    expect_integer (troupe_call (actor, seat_nap), 7);
    troupe_actor_destroy (&actor);
}

static void
test_task_to_actor_to_task (void **state)
{
    (void) state;
    char trace [SCRATCH_SIZE];
    troupe_actor_t *actor = s_seat ();
    scratch_name (trace, sizeof trace);
    s_expect_cancelled (troupe_remote (s_troupe, outer, actor, "ask", trace), trace);
    expect_integer (troupe_call (actor, seat_nap), 7);
    troupe_actor_destroy (&actor);
}

static void
test_answered_later (void **state)
{
    (void) state;
    char trace [SCRATCH_SIZE];
    troupe_actor_t *actor = s_seat ();
    scratch_name (trace, sizeof trace);
    s_expect_cancelled (troupe_remote (s_troupe, tail, actor, trace), trace);
    expect_integer (troupe_call (actor, seat_nap), 7);
    troupe_actor_destroy (&actor);
}

static void
test_submitted_too_late (void **state)
{
    (void) state;
    char trace [SCRATCH_SIZE];
    scratch_name (trace, sizeof trace);
    troupe_future_t *future = troupe_remote (s_troupe, too_late, trace);
    assert_true (eventually (file_count (trace, "begun") == 1));
    assert_int_equal (troupe_cancel (future), 0);
    assert_true (eventually (file_count (trace, NULL) == 2));
    assert_int_equal (file_count (trace, "refused"), 1);
    expect_failure (future, TROUPE_ECANCELLED, "cancelled");
}

/*  An actor whose birth is cancelled ends when its constructor has.        */
static void
test_cancelled_birth (void **state)
{
    (void) state;
    char term [SCRATCH_SIZE];
    gate_t gate = gate_new ();
    scratch_name (term, sizeof term);
    troupe_actor_t *actor = troupe_spawn (s_troupe, seat, gate.path, term);
    troupe_future_t *ready = troupe_actor_ready (actor);
    gate_reached (&gate);
    assert_int_equal (troupe_cancel (ready), 0);
    expect_failure (troupe_call (actor, seat_nap), TROUPE_ECANCELLED, "cancelled");
    gate_open (&gate);
    assert_true (eventually (file_count (term, "gone") == 1));
    troupe_future_destroy (&ready);
    troupe_actor_destroy (&actor);
}

/*  One that waits for a place gives it up.                                 */
static void
test_cancelled_wait (void **state)
{
    (void) state;
    double all = (double) support_workers ();
    troupe_actor_t *first = troupe_spawn (s_troupe, seat, "", "", TROUPE_WITH (.cpus = all));
    expect_success (troupe_actor_ready (first));
    troupe_actor_t *second = troupe_spawn (s_troupe, seat, "", "", TROUPE_WITH (.cpus = all));
    troupe_future_t *ready = troupe_actor_ready (second);
    assert_int_equal (troupe_cancel (ready), 0);
    troupe_actor_destroy (&first);
    troupe_actor_t *third = troupe_spawn (s_troupe, seat, "", "", TROUPE_WITH (.cpus = all));
    expect_success (troupe_actor_ready (third));
    troupe_future_destroy (&ready);
    troupe_actor_destroy (&second);
    troupe_actor_destroy (&third);
}

/*  --- deadlines --------------------------------------------------------- */

/*  The time that a call has waited for its actor is gone from its deadline. */
static void
test_deadline_while_the_actor_starts (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    int64_t left;
    troupe_actor_t *actor = troupe_spawn (s_troupe, seat, gate.path, "");
    troupe_future_t *future
        = troupe_call (actor, seat_left, TROUPE_WITH (.timeout_ms = PATIENCE_MS));
    int64_t begun = now_ms ();
    gate_reached (&gate);
    assert_true (eventually (now_ms () >= begun + 100));
    int64_t waited = now_ms () - begun;
    gate_open (&gate);
    expect_finished (future);
    expect_done (troupe_get (future, &left));
    assert_in_range (left, 1, PATIENCE_MS - waited + 2);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_task_to_actor),
        cmocka_unit_test (test_actor_to_task),
        cmocka_unit_test (test_task_to_actor_to_task),
        cmocka_unit_test (test_answered_later),
        cmocka_unit_test (test_submitted_too_late),
        cmocka_unit_test (test_cancelled_birth),
        cmocka_unit_test (test_cancelled_wait),
        cmocka_unit_test (test_deadline_while_the_actor_starts),
    };
    support_begin (&argc, &argv);
    if (support_workers () < 2) {
        print_message ("these tests need two workers\n");
        return support_end (0);
    }
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
