/*  test_head_actors.c - the head's state machine: actors, their names, and the
    workers that they are on                                                 */

#include "tests/head_fixture.h"

#include <string.h>

static void
s_spawn (fixture_t *self, uint64_t sequence, const char *name)
{
    head_actions_clear (self->head);
    fixture_spawn_as (self, fixture_id (self, sequence), name, strlen (name));
    fixture_check (self);
}

static void
s_find (fixture_t *self, uint64_t sequence, const char *name)
{
    head_actions_clear (self->head);
    head_find (self->head, self->driver, fixture_id (self, sequence), NULL, name,
               strlen (name));
    fixture_check (self);
}

static void
s_up (fixture_t *self, process_t worker, uint64_t sequence, uint64_t number)
{
    head_actions_clear (self->head);
    head_actor_up (self->head, worker, fixture_id (self, sequence), number, 0xbeef);
    fixture_check (self);
}

static void
test_actors_are_spread (void **state)
{
    fixture_t *self = *state;
    process_t first = fixture_worker (self, 1, "worker 1");
    process_t second = fixture_worker (self, 1, "worker 2");
    size_t on_first = 0;
    for (uint64_t sequence = 1; sequence <= 10; sequence++) {
        s_spawn (self, sequence, "");
        const head_action_t *action = fixture_action (self, HEAD_SPAWN, 0, 0);
        assert_true (action->peer == first || action->peer == second);
        assert_int_equal (action->actor->worker, action->peer);
        assert_string_equal ((const char *) action->actor->record, "the record of a SPAWN");
        assert_string_equal (action->actor->class_name, "kv");
        on_first += action->peer == first;
    }
    assert_int_equal (on_first, 5);
    head_actor_down (self->head, first, fixture_id (self, 1));
    head_actor_down (self->head, second, fixture_id (self, 1));
    fixture_check (self);
    assert_int_equal (head_counts (self->head).actors, 9);
}

static void
test_actor_waits_for_a_worker (void **state)
{
    fixture_t *self = *state;
    s_spawn (self, 1, "index");
    assert_int_equal (fixture_count (self, HEAD_SPAWN, 0), 0);
    process_t worker = fixture_worker (self, 1, "worker 1");
    assert_int_equal (fixture_action (self, HEAD_SPAWN, worker, 0)->actor->id.sequence, 1);
    fixture_check (self);
    /*  The same when the only worker is suspect for a while.               */
    fixture_pass (self, 4 * SECOND, 0);
    s_spawn (self, 2, "");
    assert_int_equal (fixture_count (self, HEAD_SPAWN, 0), 0);
    head_heard (self->head, self->now, worker);
    assert_int_equal (fixture_action (self, HEAD_SPAWN, worker, 0)->actor->id.sequence, 2);
}

static void
test_find_before_and_after (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    s_find (self, 90, "index");
    fixture_expect_fault (self, 90, TROUPE_ENAME, "no actor is named 'index'");
    s_spawn (self, 1, "index");
    s_find (self, 91, "index");
    s_find (self, 92, "index");
    assert_int_equal (fixture_count (self, HEAD_FOUND, 0), 0);
    s_up (self, worker + 1, 1, 7);
    s_up (self, worker, 1, 0);
    assert_int_equal (fixture_count (self, HEAD_FOUND, 0), 0);
    s_up (self, worker, 1, 7);
    assert_int_equal (fixture_count (self, HEAD_FOUND, self->driver), 2);
    const head_action_t *found = fixture_action (self, HEAD_FOUND, self->driver, 0);
    assert_int_equal (found->id.sequence, 91);
    assert_int_equal (found->actor->number, 7);
    assert_int_equal (found->actor->worker, worker);
    assert_int_equal (found->actor->signature, 0xbeef);
    s_find (self, 93, "index");
    assert_int_equal (fixture_action (self, HEAD_FOUND, self->driver, 0)->id.sequence, 93);
    head_actor_down (self->head, worker, fixture_id (self, 1));
    s_find (self, 94, "index");
    fixture_expect_fault (self, 94, TROUPE_ENAME, "no actor is named 'index'");
}

static void
test_names_are_unique (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    s_spawn (self, 1, "index");
    s_spawn (self, 2, "index");
    fixture_expect_fault (self, 2, TROUPE_EEXISTS, "kv: the name 'index' is taken");
    assert_int_equal (head_counts (self->head).actors, 1);
    s_spawn (self, 1, "other");
    assert_int_equal (head_counts (self->head).actors, 1);
    head_actor_down (self->head, worker, fixture_id (self, 1));
    s_spawn (self, 3, "index");
    assert_int_equal (fixture_count (self, HEAD_FAULT, 0), 0);
    assert_int_equal (fixture_count (self, HEAD_SPAWN, worker), 1);
}

/*  A name with a NUL inside, from the wire.                                */
static void
test_name_with_a_nul (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    fixture_spawn_as (self, fixture_id (self, 1), "in\0dex", 6);
    fixture_check (self);
    head_actor_down (self->head, worker, fixture_id (self, 1));
    fixture_check (self);
    head_find (self->head, self->driver, fixture_id (self, 2), NULL, "in\0dex", 6);
    assert_int_equal (fixture_count (self, HEAD_FOUND, 0), 0);
    fixture_spawn_as (self, fixture_id (self, 3), "\0dex", 4);
    fixture_check (self);
}

static void
test_actors_of_a_lost_worker (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1 (pid 12)");
    s_spawn (self, 1, "index");
    s_spawn (self, 2, "");
    s_up (self, worker, 2, 5);
    s_find (self, 90, "index");
    fixture_lost (self, worker, NULL);
    fixture_expect_fault (self, 1, TROUPE_ELOST,
                          "actor kv was on worker 1 (pid 12): killed by signal 9");
    fixture_expect_fault (self, 2, TROUPE_ELOST,
                          "actor kv was on worker 1 (pid 12): killed by signal 9");
    fixture_expect_fault (self, 90, TROUPE_ENAME, "no actor is named 'index'");
    assert_int_equal (head_counts (self->head).actors, 0);
}

static void
test_finder_lost (void **state)
{
    fixture_t *self = *state;
    process_t worker = fixture_worker (self, 1, "worker 1");
    process_t other = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver 2");
    s_spawn (self, 1, "index");
    head_find (self->head, other, (tid_t){ other, 1 }, NULL, "index", 5);
    fixture_lost (self, other, NULL);
    s_up (self, worker, 1, 3);
    assert_int_equal (fixture_count (self, HEAD_FOUND, 0), 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_actors_are_spread),
        TEST (test_actor_waits_for_a_worker),
        TEST (test_find_before_and_after),
        TEST (test_names_are_unique),
        TEST (test_name_with_a_nul),
        TEST (test_actors_of_a_lost_worker),
        TEST (test_finder_lost),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
