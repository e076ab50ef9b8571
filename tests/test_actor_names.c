/*  test_actor_names.c - actors through the whole library: their names, those of
    classes and methods, and modules                                         */

#include "tests/actors_fixture.h"
#include "tests/support.h"

/* ------------------------------------------------------------------------
   Classes and tasks                                                        */

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

static int
find_and_add (troupe_call_t *call)
{
    return recorder_find (call);
}
TROUPE_TASK (find_and_add);

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
        fprintf (stderr, "test_actor_names: %s: %s\n", path, strerror (errno));
    snprintf (path, sizeof path, "%s/misnamed.so", scratch_folder);
    if (symlink (target, path))
        fprintf (stderr, "test_actor_names: %s: %s\n", path, strerror (errno));
    snprintf (folders, sizeof folders, "%s:%s", scratch_folder, given ? given : "actors/.libs");
    setenv ("TROUPE_MODULES", folders, 1);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_named),
        cmocka_unit_test (test_name_taken),
        cmocka_unit_test (test_name_unknown),
        cmocka_unit_test (test_name_of_the_unborn),
        cmocka_unit_test (test_by_name),
        cmocka_unit_test (test_elder),
        cmocka_unit_test (test_wrong_methods),
        cmocka_unit_test (test_module),
        cmocka_unit_test (test_module_missing),
        cmocka_unit_test (test_module_broken),
    };
    if (!getenv ("TROUPE_BOOT")) {
        scratch_new ();
        s_make_modules ();
    }
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
