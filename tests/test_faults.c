/*  test_faults.c - workers that are killed, crash or stop, and floods: what is
    noticed, what is run again, what is left behind                          */

#include "tests/faults_fixture.h"

/* ------------------------------------------------------------------------
   Workers that die                                                         */

static const struct {
    const char *how;
    const char *text;
} s_deaths [] = {
    { "kill", "killed by signal 9 (Killed)" },
    { "segv", "killed by signal 11 (Segmentation fault)" },
    { "abort", "killed by signal 6 (Aborted)" },
    { "exit", "exited with status 3" },
    { "_exit", "exited with status 4" },
};
enum { DEATHS = sizeof s_deaths / sizeof *s_deaths };

static void
test_death_in_task (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        int64_t began = now_ms ();
        expect_failure (troupe_remote (s_troupe, die, s_deaths [index].how), TROUPE_ELOST,
                        "die on worker", "(pid ", s_deaths [index].text);
        assert_true (now_ms () - began < AT_ONCE_MS);
        s_expect_refilled ();
    }
}

static void
test_death_in_method (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        const char *text = s_deaths [index].text;
        troupe_future_t *behind [5];
        troupe_actor_t *actor, *other;
        int64_t pid;
        s_spawn_apart (&actor, &pid, &other);
        expect_integer (troupe_call (actor, victim_count), 1);
        expect_integer (troupe_call (other, victim_count), 1);
        int64_t began = now_ms ();
        troupe_future_t *death = troupe_call (actor, victim_die, s_deaths [index].how);
        for (int number = 0; number < 5; number++)
            behind [number] = troupe_call (actor, victim_count);
        expect_failure (death, TROUPE_ELOST, "worker ", "(pid ", text);
        for (int number = 0; number < 5; number++)
            expect_failure (behind [number], TROUPE_ELOST, "worker ", text);
        assert_true (now_ms () - began < AT_ONCE_MS);
        expect_failure (troupe_call (actor, victim_count), TROUPE_ELOST, "victim", "worker ",
                        text);
        assert_false (s_alive ((pid_t) pid));
        expect_integer (troupe_call (other, victim_count), 2);
        troupe_actor_destroy (&actor);
        troupe_actor_destroy (&other);
        s_expect_refilled ();
    }
}

static void
test_death_in_constructor (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        const char *text = s_deaths [index].text;
        troupe_actor_t *actor = troupe_spawn (s_troupe, victim, s_deaths [index].how);
        troupe_future_t *early = troupe_call (actor, victim_count);
        expect_failure (early, TROUPE_ELOST, "victim", "worker ", text);
        expect_failure (troupe_actor_ready (actor), TROUPE_ELOST, "victim", "worker ", text);
        expect_failure (troupe_call (actor, victim_count), TROUPE_ELOST, "victim", text);
        troupe_actor_destroy (&actor);
        s_expect_refilled ();
    }
}

static void
test_death_in_destructor (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
        int64_t pid = s_process (actor);
        expect_success (troupe_call (actor, victim_die_at_the_end, s_deaths [index].how));
        troupe_actor_destroy (&actor);
        assert_true (eventually (!s_alive ((pid_t) pid)));
        s_expect_refilled ();
    }
}

/*  All of them, while they have nothing to do.                             */
static void
test_death_while_idle (void **state)
{
    (void) state;
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    expect_integer (troupe_call (actor, victim_count), 1);
    for (int round = 0; round < 5; round++) {
        pids_t pids = s_children (getpid ());
        assert_int_equal (pids.count, 2);
        for (size_t index = 0; index < pids.count; index++)
            kill (pids.items [index], SIGKILL);
        /*  Submitted to workers that are dead or about to be.              */
        troupe_future_t *future
            = troupe_remote (s_troupe, plus_one, round, TROUPE_WITH (.retries = -1));
        expect_integer (future, round + 1);
        assert_true (eventually (!s_any_alive (&pids)));
        assert_true (eventually (s_children (getpid ()).count == 2));
        s_expect_refilled ();
    }
    expect_failure (troupe_call (actor, victim_count), TROUPE_ELOST, "victim", "worker ",
                    "killed by signal 9 (Killed)");
    troupe_actor_destroy (&actor);
}

static void
test_retries (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        const char *how = s_deaths [index].how, *text = s_deaths [index].text;
        char *third = scratch_path (), *second = scratch_path (), *once = scratch_path ();
        troupe_future_t *lives = troupe_remote (s_troupe, die_at_first, third, how, 2,
                                                TROUPE_WITH (.retries = 2));
        expect_integer (lives, 3);
        assert_int_equal (file_count (third, NULL), 3);
        troupe_future_t *dies = troupe_remote (s_troupe, die_at_first, second, how, 2,
                                               TROUPE_WITH (.retries = 1));
        expect_failure (dies, TROUPE_ELOST, "die_at_first on worker", text);
        troupe_future_t *never = troupe_remote (s_troupe, die_at_first, once, how, 1);
        expect_failure (never, TROUPE_ELOST, "die_at_first on worker", text);
        s_expect_refilled ();
        assert_int_equal (file_count (second, NULL), 2);
        assert_int_equal (file_count (once, NULL), 1);
        free (third);
        free (second);
        free (once);
    }
}

/*  How often each number stands in the file.                               */
static void
s_tally (const char *path, unsigned *runs, size_t count)
{
    char text [64];
    memset (runs, 0, count * sizeof *runs);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    while (fgets (text, sizeof text, file)) {
        size_t number = strtoul (text, NULL, 10);
        assert_true (number < count);
        runs [number]++;
    }
    fclose (file);
}

/*  Tasks that were sent ahead to a worker that dies run elsewhere, though
    they have no retries; nothing runs twice.                               */
static void
test_unstarted_run_elsewhere (void **state)
{
    (void) state;
    enum { COUNT = 4000, EVERY = 400 };
    static troupe_future_t *futures [COUNT];
    static unsigned runs [COUNT];
    char *path = scratch_path ();
    size_t lost = 0, deaths = 0;
    for (int number = 0; number < COUNT; number++)
        futures [number] = number % EVERY == EVERY - 1
                               ? troupe_remote (s_troupe, die, "kill")
                               : troupe_remote (s_troupe, note, path, number);
    assert_int_equal (troupe_wait (futures, COUNT, COUNT, PATIENCE_MS, NULL), COUNT);
    s_expect_refilled ();
    s_tally (path, runs, COUNT);
    for (int number = 0; number < COUNT; number++) {
        bool dies = number % EVERY == EVERY - 1;
        troupe_error_t code = troupe_future_code (futures [number]);
        if (code != TROUPE_OK && code != TROUPE_ELOST)
            fail_msg ("%s", troupe_future_error (futures [number]));
        assert_int_equal (runs [number], dies ? 0 : 1);
        deaths += dies && code == TROUPE_ELOST;
        lost += !dies && code == TROUPE_ELOST;
        troupe_future_destroy (&futures [number]);
    }
    assert_int_equal (deaths, COUNT / EVERY);
    /*  Only a result that had not left its worker can be lost.             */
    assert_true (lost < COUNT / 4);
    free (path);
}

/*  Kills a worker each time that so many lines have been written, until
    all futures are done.                                                   */
static size_t
s_kill_while (troupe_future_t **futures, size_t count, const char *path, size_t lines)
{
    size_t killed = 0;
    size_t next = lines;
    int64_t until = now_ms () + PATIENCE_MS;
    while (troupe_wait (futures, count, count, 1, NULL) < (int) count) {
        if (now_ms () > until)
            fail_msg ("some futures are never done");
        if (file_count (path, NULL) < next)
            continue;
        next += lines;
        pids_t pids = s_children (getpid ());
        if (pids.count && kill (pids.items [killed % pids.count], SIGKILL) == 0)
            killed++;
    }
    return killed;
}

/*  Rounds are added until some workers were killed: how many of one round is
    up to the machine.                                                      */
enum { IN_FLIGHT = 3000, KILLED_MIN = 5, ROUNDS_MAX = 50 };

static size_t
s_kill_round (int retries)
{
    static troupe_future_t *futures [IN_FLIGHT];
    static unsigned runs [IN_FLIGHT];
    char *path = scratch_path ();
    for (int number = 0; number < IN_FLIGHT; number++)
        futures [number]
            = troupe_remote (s_troupe, note, path, number, TROUPE_WITH (.retries = retries));
    size_t killed = s_kill_while (futures, IN_FLIGHT, path, 100);
    s_expect_refilled ();
    s_tally (path, runs, IN_FLIGHT);
    for (int number = 0; number < IN_FLIGHT; number++) {
        const char *error = troupe_future_error (futures [number]);
        assert_true (retries ? runs [number] >= 1 : runs [number] <= 1);
        if (!error) {
            assert_true (runs [number] >= 1);
            expect_integer (futures [number], number);
            continue;
        }
        if (retries || !strstr (error, "worker ") || !strstr (error, "signal 9"))
            fail_msg ("%s", error);
        troupe_future_destroy (&futures [number]);
    }
    free (path);
    return killed;
}

static void
s_kill_rounds (int retries)
{
    size_t killed = 0;
    for (int round = 0; killed < KILLED_MIN; round++) {
        assert_true (round < ROUNDS_MAX);
        killed += s_kill_round (retries);
    }
}

static void
test_killed_with_many_in_flight (void **state)
{
    (void) state;
    s_kill_rounds (0);
}

static void
test_killed_with_retries (void **state)
{
    (void) state;
    s_kill_rounds (-1);
}

/*  Results so large that they are still on their way when the worker dies:
    each comes, or its future fails; with retries left, each comes.         */
static void
s_kill_among_large_results (int retries)
{
    enum { COUNT = 60, SIZE = 3 << 20, ROUNDS = 4 };
    static troupe_future_t *futures [COUNT];
    size_t killed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int number = 0; number < COUNT; number++)
            futures [number] = troupe_remote (s_troupe, blob, number, (int64_t) SIZE,
                                              TROUPE_WITH (.retries = retries));
        int64_t until = now_ms () + PATIENCE_MS;
        for (int done = 0, last = 0; done < COUNT && now_ms () < until;) {
            done = troupe_wait (futures, COUNT, COUNT, 1, NULL);
            if (done < last + 5)
                continue;
            last = done;
            pids_t pids = s_children (getpid ());
            if (pids.count && kill (pids.items [killed % pids.count], SIGKILL) == 0)
                killed++;
        }
        for (int number = 0; number < COUNT; number++) {
            troupe_bytes_t found;
            expect_finished (futures [number]);
            if (!retries && troupe_future_code (futures [number]) == TROUPE_ELOST) {
                expect_failure (futures [number], TROUPE_ELOST, "worker ", "signal 9");
                continue;
            }
            if (troupe_get (futures [number], &found))
                fail_msg ("%s", troupe_error ());
            assert_int_equal (found.size, SIZE);
            assert_int_equal (((const unsigned char *) found.data) [SIZE - 1], number);
            troupe_future_destroy (&futures [number]);
        }
    }
    assert_true (killed >= ROUNDS);
}

static void
test_killed_with_large_results (void **state)
{
    (void) state;
    s_kill_among_large_results (-1);
}

static void
test_killed_with_large_results_unrepeated (void **state)
{
    (void) state;
    s_kill_among_large_results (0);
}

/*  The calls that an actor answered before its worker was killed are the
    first ones, and each ran once.                                          */
static void
test_actor_killed_with_many_in_flight (void **state)
{
    (void) state;
    enum { COUNT = 5000 };
    static troupe_future_t *futures [COUNT];
    static unsigned runs [COUNT];
    char *path = scratch_path ();
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    int64_t pid = s_process (actor);
    for (int number = 0; number < COUNT; number++)
        futures [number] = troupe_call (actor, victim_note, path, number);
    assert_true (eventually (file_count (path, NULL) >= 200));
    assert_int_equal (kill ((pid_t) pid, SIGKILL), 0);
    assert_int_equal (troupe_wait (futures, COUNT, COUNT, PATIENCE_MS, NULL), COUNT);
    s_tally (path, runs, COUNT);
    bool failed = false;
    for (int number = 0; number < COUNT; number++) {
        const char *error = troupe_future_error (futures [number]);
        assert_true (runs [number] <= 1);
        if (!error) {
            assert_false (failed);
            assert_int_equal (runs [number], 1);
        } else if (!strstr (error, "signal 9 (Killed)") || !strstr (error, "worker "))
            fail_msg ("%s", error);
        failed = failed || error;
        troupe_future_destroy (&futures [number]);
    }
    troupe_actor_destroy (&actor);
    s_expect_refilled ();
    free (path);
}

/* ------------------------------------------------------------------------
   Those that depend on what died                                           */

static void
test_death_fails_dependents (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    troupe_actor_t *one, *two;
    int64_t pid;
    s_spawn_apart (&one, &pid, &two);
    troupe_future_t *held = troupe_call (one, victim_hold, gate.path);
    troupe_future_t *second = troupe_call (two, victim_add, held);
    troupe_future_t *task = troupe_remote (s_troupe, plus_one, second);
    troupe_future_t *parked = troupe_remote (s_troupe, plus_one, held);
    gate_reached (&gate);
    kill ((pid_t) pid, SIGKILL);
    expect_failure (task, TROUPE_ELOST, "plus_one", "victim.add on worker", "signal 9");
    expect_failure (parked, TROUPE_ELOST, "plus_one", "signal 9");
    expect_failure (second, TROUPE_ELOST, "victim.add on worker", "signal 9");
    expect_failure (held, TROUPE_ELOST, "worker ", "signal 9");
    expect_integer (troupe_call (two, victim_count), 1);
    troupe_actor_destroy (&one);
    troupe_actor_destroy (&two);
    close (gate.fd);
    s_expect_refilled ();
}

/*  Large values go from actor to actor while the first one's worker dies:
    every call is answered, one way or the other.                           */
static void
test_killed_between_actors (void **state)
{
    (void) state;
    enum { COUNT = 20, SIZE = 3 << 20, ROUNDS = 6 };
    for (int round = 0; round < ROUNDS; round++) {
        troupe_future_t *blobs [COUNT], *sizes [COUNT];
        int64_t pid;
        troupe_actor_t *one, *two;
        s_spawn_apart (&one, &pid, &two);
        expect_integer (troupe_call (two, victim_count), 1);
        for (int number = 0; number < COUNT; number++) {
            blobs [number] = troupe_call (one, victim_blob, number, (int64_t) SIZE);
            sizes [number] = troupe_call (two, victim_measure, blobs [number]);
        }
        troupe_wait (blobs, COUNT, 1 + (size_t) round * 3, PATIENCE_MS, NULL);
        kill ((pid_t) pid, SIGKILL);
        assert_int_equal (troupe_wait (sizes, COUNT, COUNT, PATIENCE_MS, NULL), COUNT);
        for (int number = 0; number < COUNT; number++) {
            const char *error = troupe_future_error (sizes [number]);
            if (!error)
                expect_integer (sizes [number], SIZE);
            else if (troupe_future_code (sizes [number]) != TROUPE_ELOST)
                fail_msg ("%s", error);
            else
                troupe_future_destroy (&sizes [number]);
            expect_finished (blobs [number]);
            troupe_future_destroy (&blobs [number]);
        }
        expect_integer (troupe_call (two, victim_count), 2);
        /*  All may have been done before the kill, and nobody has heard of it.  */
        expect_failure (troupe_call (one, victim_count), TROUPE_ELOST, "killed by signal 9");
        troupe_actor_destroy (&one);
        troupe_actor_destroy (&two);
        assert_true (eventually (troupe_workers (s_troupe) == 2));
    }
}

/*  The same with tasks, whose values wait at the head.                     */
static void
test_killed_between_tasks (void **state)
{
    (void) state;
    enum { COUNT = 20, SIZE = 3 << 20, ROUNDS = 6 };
    for (int round = 0; round < ROUNDS; round++) {
        troupe_future_t *blobs [COUNT], *sizes [COUNT];
        for (int number = 0; number < COUNT; number++) {
            blobs [number] = troupe_remote (s_troupe, blob, number, (int64_t) SIZE);
            sizes [number] = troupe_remote (s_troupe, measure, blobs [number]);
        }
        troupe_wait (blobs, COUNT, 1 + (size_t) round * 3, PATIENCE_MS, NULL);
        pids_t pids = s_children (getpid ());
        if (pids.count)
            kill (pids.items [0], SIGKILL);
        for (int number = 0; number < COUNT; number++) {
            expect_finished (sizes [number]);
            if (!troupe_future_error (sizes [number]))
                expect_integer (sizes [number], SIZE);
            else
                expect_failure (sizes [number], TROUPE_ELOST, "signal 9");
            expect_finished (blobs [number]);
            troupe_future_destroy (&blobs [number]);
        }
        s_expect_refilled ();
    }
}

static void
test_death_in_nested_task (void **state)
{
    (void) state;
    for (int index = 0; index < DEATHS; index++) {
        /*  It may die in the same worker, and then takes the outer one along. */
        troupe_future_t *outer = troupe_remote (s_troupe, wait_for_death, s_deaths [index].how,
                                                TROUPE_WITH (.retries = 0));
        expect_finished (outer);
        if (troupe_future_error (outer))
            expect_failure (outer, TROUPE_ELOST, "wait_for_death on worker",
                            s_deaths [index].text);
        else
            expect_integer (outer, TROUPE_ELOST);
        s_expect_refilled ();
    }
}

/*  The worker that waits inside its task is killed.                        */
static void
test_killed_while_it_waits (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    char *reached = scratch_path ();
    troupe_future_t *outer = troupe_remote (s_troupe, wait_for_held, gate.path, reached);
    gate_reached (&gate);
    assert_true (eventually (file_exists (reached)));
    pids_t pids = s_children (getpid ());
    for (size_t index = 0; index < pids.count; index++)
        kill (pids.items [index], SIGKILL);
    expect_failure (outer, TROUPE_ELOST, "wait_for_held on worker", "signal 9");
    close (gate.fd);
    s_expect_refilled ();
    free (reached);
}

/*  Futures and actors that belonged to a worker that has died.             */
static void
test_owner_killed (void **state)
{
    (void) state;
    gate_t gate = gate_new ();
    int64_t pid = 0;
    troupe_future_t *handle = NULL;
    troupe_future_t *promised = troupe_remote (s_troupe, promise, gate.path);
    if (troupe_get (promised, &pid, &handle))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&promised);
    gate_reached (&gate);
    kill ((pid_t) pid, SIGKILL);
    expect_failure (handle, TROUPE_ELOST, "worker ", "signal 9");
    close (gate.fd);
    s_expect_refilled ();
    troupe_actor_t *actor = NULL;
    troupe_future_t *made = troupe_remote (s_troupe, make_victim);
    if (troupe_get (made, &pid, &actor))
        fail_msg ("%s", troupe_error ());
    troupe_future_destroy (&made);
    expect_integer (troupe_call (actor, victim_count), 1);
    kill ((pid_t) pid, SIGKILL);
    assert_true (eventually (({
        troupe_future_t *count = troupe_call (actor, victim_count);
        expect_finished (count);
        troupe_error_t code = troupe_future_code (count);
        troupe_future_destroy (&count);
        code == TROUPE_ELOST || code == TROUPE_EENDED;
    })));
    troupe_actor_destroy (&actor);
    s_expect_refilled ();
}

/*  The name of an actor that was lost can be given to another.             */
static void
test_name_of_the_lost (void **state)
{
    (void) state;
    for (int round = 0; round < 3; round++) {
        troupe_actor_t *actor = troupe_spawn (s_troupe, victim, TROUPE_WITH (.name = "phoenix"));
        expect_integer (troupe_call (actor, victim_count), 1);
        expect_failure (troupe_call (actor, victim_die, "kill"), TROUPE_ELOST, "signal 9");
        troupe_actor_destroy (&actor);
        assert_true (eventually (!(actor = troupe_find (s_troupe, "phoenix"))));
        assert_int_equal (troupe_error_code (), TROUPE_ENAME);
    }
    s_expect_refilled ();
}

/* ------------------------------------------------------------------------
   Workers that stop, or flood                                              */

/*  Its threads run on for a while after kill: until then it may well answer. */
static void
s_stop (pid_t pid)
{
    siginfo_t how = { 0 };
    assert_int_equal (kill (pid, SIGSTOP), 0);
    assert_int_equal (waitid (P_PID, (id_t) pid, &how, WSTOPPED), 0);
    assert_int_equal (how.si_code, CLD_STOPPED);
}

/*  A worker is stopped for a second, and then goes on: nothing is lost.    */
static void
test_stopped_worker (void **state)
{
    (void) state;
    enum { COUNT = 200 };
    static troupe_future_t *futures [COUNT];
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    int64_t pid = s_process (actor);
    s_stop ((pid_t) pid);
    int64_t began = now_ms ();
    for (int number = 0; number < COUNT; number++)
        futures [number] = number % 2 ? troupe_remote (s_troupe, plus_one, number)
                                      : troupe_call (actor, victim_add, number);
    /*  The other worker does what it has meanwhile.                        */
    int done = 0;
    while (now_ms () - began < 1000)
        done = troupe_wait (futures, COUNT, COUNT, 100, NULL);
    assert_true (done < COUNT);
    assert_int_equal (kill ((pid_t) pid, SIGCONT), 0);
    for (int number = 0; number < COUNT; number++)
        expect_integer (futures [number], number + 1);
    expect_integer (troupe_call (actor, victim_process), pid);
    expect_integer (troupe_call (actor, victim_count), 1);
    troupe_actor_destroy (&actor);
    assert_int_equal (troupe_workers (s_troupe), 2);
}

/*  While a very large call is on its way to an actor, the values that later
    calls wait for overtake it, and are kept for them.                      */
static void
test_values_before_calls (void **state)
{
    (void) state;
    enum { COUNT = 40, SIZE = 4 << 20 };
    troupe_future_t *values [COUNT], *sizes [COUNT];
    char *ballast = calloc (1, LARGE);
    assert_non_null (ballast);
    troupe_actor_t *one, *two;
    int64_t pid;
    if (support_threads ()) {
        one = troupe_spawn (s_troupe, victim);
        two = troupe_spawn (s_troupe, victim);
    } else
        s_spawn_apart (&one, &pid, &two);
    expect_integer (troupe_call (two, victim_count), 1);
    for (int number = 0; number < COUNT; number++)
        values [number] = troupe_call (one, victim_blob, number, (int64_t) SIZE);
    troupe_future_t *first = troupe_call (two, victim_measure, troupe_bytes (ballast, LARGE));
    free (ballast);
    for (int number = 0; number < COUNT; number++) {
        sizes [number] = troupe_call (two, victim_measure, values [number]);
        troupe_future_destroy (&values [number]);
    }
    expect_integer (first, LARGE);
    for (int number = 0; number < COUNT; number++)
        expect_integer (sizes [number], SIZE);
    troupe_actor_destroy (&one);
    troupe_actor_destroy (&two);
}

static void
test_large_results (void **state)
{
    (void) state;
    troupe_future_t *results [3];
    for (int index = 0; index < 3; index++)
        results [index] = troupe_remote (s_troupe, large);
    for (int number = 0; number < 200; number++)
        expect_integer (troupe_remote (s_troupe, plus_one, number), number + 1);
    for (int index = 0; index < 3; index++) {
        troupe_bytes_t found;
        if (troupe_get (results [index], &found))
            fail_msg ("%s", troupe_error ());
        assert_int_equal (found.size, LARGE);
        const unsigned char *data = found.data;
        for (size_t place = 0; place < LARGE; place += 4093)
            assert_int_equal (data [place], place % 251);
        troupe_future_destroy (&results [index]);
    }
}

static void
test_flood_of_tasks (void **state)
{
    (void) state;
    enum { COUNT = 100000 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    troupe_future_t *flood = troupe_remote (s_troupe, flood_tasks, COUNT);
    for (int number = 1; number <= 100; number++)
        expect_integer (troupe_call (actor, victim_count), number);
    expect_integer (flood, COUNT);
    expect_integer (troupe_remote (s_troupe, plus_one, 1), 2);
    troupe_actor_destroy (&actor);
}

static void
test_flood_of_calls (void **state)
{
    (void) state;
    enum { COUNT = 100000 };
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    troupe_actor_t *other = troupe_spawn (s_troupe, victim);
    troupe_future_t *flood = troupe_remote (s_troupe, flood_actor, actor, COUNT);
    for (int number = 1; number <= 100; number++)
        expect_integer (troupe_call (other, victim_count), number);
    expect_integer (flood, COUNT);
    /*  Every one of them counts.                                           */
    assert_true (eventually (({
        int64_t count = 0;
        troupe_future_t *future = troupe_call (actor, victim_count);
        assert_int_equal (troupe_get (future, &count), 0);
        troupe_future_destroy (&future);
        count > COUNT;
    })));
    troupe_actor_destroy (&actor);
    troupe_actor_destroy (&other);
}

/* ------------------------------------------------------------------------ */

#define fault_test_(function_) cmocka_unit_test_setup_teardown (function_, s_setup, s_teardown)

int
main (int argc, char *argv [])
{
    const struct CMUnitTest process_tests [] = {
        fault_test_ (test_death_in_task),
        fault_test_ (test_death_in_method),
        fault_test_ (test_death_in_constructor),
        fault_test_ (test_death_in_destructor),
        fault_test_ (test_death_while_idle),
        fault_test_ (test_retries),
        fault_test_ (test_unstarted_run_elsewhere),
        fault_test_ (test_killed_with_many_in_flight),
        fault_test_ (test_killed_with_retries),
        fault_test_ (test_killed_with_large_results),
        fault_test_ (test_killed_with_large_results_unrepeated),
        fault_test_ (test_actor_killed_with_many_in_flight),
        fault_test_ (test_death_fails_dependents),
        fault_test_ (test_killed_between_actors),
        fault_test_ (test_killed_between_tasks),
        fault_test_ (test_death_in_nested_task),
        fault_test_ (test_killed_while_it_waits),
        fault_test_ (test_owner_killed),
        fault_test_ (test_name_of_the_lost),
        fault_test_ (test_stopped_worker),
    };
    const struct CMUnitTest tests [] = {
        fault_test_ (test_values_before_calls),
        fault_test_ (test_large_results),
        fault_test_ (test_flood_of_tasks),
        fault_test_ (test_flood_of_calls),
    };
    support_begin (&argc, &argv);
    int failed = 0;
    /*  A crash in a thread is the driver's own.                            */
    if (!support_threads ())
        failed += cmocka_run_group_tests (process_tests, NULL, NULL);
    failed += cmocka_run_group_tests (tests, NULL, NULL);
    return support_end (failed);
}
