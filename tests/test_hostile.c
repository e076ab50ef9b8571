/*  test_hostile.c - a stranger on the same machine attacks the sockets of the
    driver and of its workers, whose work must not notice                    */

#include "tests/expect.h"
#include "tests/stranger.h"
#include "tests/tasks_fixture.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static troupe_t *s_troupe;
static troupe_actor_t *s_tally;
static int64_t s_total;

/*  The sockets of a driver and of two workers: the head's, and an inbox each. */
#define WORKERS 2
#define SOCKETS 4

/*  What the driver may grow by under an attack. A sanitizer keeps what was
    freed for a while.                                                      */
#if defined (__SANITIZE_ADDRESS__)
#define GROWTH_MAX_KB (128 << 10)
#elif defined (__has_feature)
#if __has_feature (address_sanitizer)
#define GROWTH_MAX_KB (128 << 10)
#endif
#endif
#ifndef GROWTH_MAX_KB
#define GROWTH_MAX_KB (32 << 10)
#endif

/*  --- work -------------------------------------------------------------  */

typedef struct {
    int64_t total;
} tally_t;

static int
tally_add (troupe_call_t *call)
{
    tally_t *self = troupe_self (call);
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    self->total += number;
    return troupe_return (call, self->total);
}
TROUPE_ACTOR (tally, tally_t, .methods = { TROUPE_METHOD (tally_add) });

#define TASKS 40

/*  Tasks and calls, each with the right result, each call once.            */
static void
s_work (void)
{
    troupe_future_t *tasks [TASKS], *calls [TASKS];
    for (int index = 0; index < TASKS; index++) {
        tasks [index] = troupe_remote (s_troupe, square, index);
        calls [index] = troupe_call (s_tally, tally_add, tasks [index]);
    }
    for (int64_t index = 0; index < TASKS; index++) {
        s_total += index * index;
        expect_integer (tasks [index], index * index);
        expect_integer (calls [index], s_total);
    }
}

/*  --- what must not change ---------------------------------------------  */

static long
s_memory_kb (void)
{
    char line [128];
    long size = 0;
    FILE *file = fopen ("/proc/self/status", "r");
    assert_non_null (file);
    while (fgets (line, sizeof line, file))
        if (sscanf (line, "VmRSS: %ld", &size) == 1)
            break;
    fclose (file);
    return size;
}

/*  --- the stranger -----------------------------------------------------  */

typedef struct {
    pid_t pid;
    int to;                     /*  its standard input                      */
    int from;                   /*  its standard output                     */
} stranger_t;

static stranger_t
s_stranger_new (const char *attack)
{
    int to [2], from [2];
    char target [16];
    stranger_t self;
    posix_spawn_file_actions_t actions;
    snprintf (target, sizeof target, "%d", (int) getpid ());
    assert_int_equal (pipe2 (to, O_CLOEXEC), 0);
    assert_int_equal (pipe2 (from, O_CLOEXEC), 0);
    char *argv [] = { "test_hostile", "stranger", (char *) (uintptr_t) attack, target, NULL };
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_adddup2 (&actions, to [0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2 (&actions, from [1], STDOUT_FILENO);
    assert_int_equal (posix_spawn (&self.pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy (&actions);
    close (to [0]);
    close (from [1]);
    self.to = to [1];
    self.from = from [0];
    return self;
}

/*  It has done its worst, or has ended.                                    */
static bool
s_stranger_waits (const stranger_t *self)
{
    struct pollfd item = { .fd = self->from, .events = POLLIN };
    return poll (&item, 1, 0) > 0;
}

/*  Lets it end, and takes what it says.                                    */
static void
s_stranger_destroy (stranger_t *self)
{
    char text [16] = "";
    int status;
    ssize_t size = read (self->from, text, sizeof text - 1);
    close (self->to);
    assert_int_equal (waitpid (self->pid, &status, 0), self->pid);
    close (self->from);
    assert_true (size > 0);
    assert_int_equal (atoi (text), SOCKETS);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 0);
}

static void
s_check_workers (const int *wanted)
{
    int found [WORKERS + 1];
    assert_int_equal (stranger_children ((int) getpid (), found, WORKERS + 1), WORKERS);
    assert_memory_equal (found, wanted, WORKERS * sizeof *found);
    assert_int_equal (troupe_workers (s_troupe), WORKERS);
}

/*  Work goes on during the attack, while what it holds open is open, and
    afterwards; the workers are the same; files are given back.             */
static void
s_withstand (const char *attack)
{
    int workers [WORKERS + 1];
    assert_int_equal (stranger_children ((int) getpid (), workers, WORKERS + 1), WORKERS);
    s_work ();
    size_t files = folder_count ("/proc/self/fd");
    long memory = s_memory_kb ();
    stranger_t stranger = s_stranger_new (attack);
    while (!s_stranger_waits (&stranger))
        s_work ();
    for (int round = 0; round < 5; round++)
        s_work ();
    long growth = s_memory_kb () - memory;
    s_stranger_destroy (&stranger);
    s_work ();
    if (growth > GROWTH_MAX_KB)
        fail_msg ("the driver grew by %ld kB", growth);
    assert_true (eventually (folder_count ("/proc/self/fd") <= files));
    s_check_workers (workers);
}

static void
test_garbage (void **state)
{
    (void) state;
    s_withstand ("garbage");
}

static void
test_without_hello (void **state)
{
    (void) state;
    s_withstand ("without_hello");
}

static void
test_wrong_cookie (void **state)
{
    (void) state;
    s_withstand ("wrong_cookie");
}

static void
test_huge_claims (void **state)
{
    (void) state;
    s_withstand ("huge_claims");
}

static void
test_many_connections (void **state)
{
    (void) state;
    s_withstand ("many_connections");
}

static void
test_truncated (void **state)
{
    (void) state;
    s_withstand ("truncated");
}

/*  Only root can be somebody else.                                         */
static void
test_other_user (void **state)
{
    (void) state;
    if (geteuid () != 0)
        skip ();
    s_withstand ("other_user");
}

/*  With workers in threads there is nothing to connect to.                 */
static void
test_threads_have_no_sockets (void **state)
{
    (void) state;
    s_work ();
    assert_int_equal (stranger_count_sockets ((int) getpid ()), 0);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest process_tests [] = {
        cmocka_unit_test (test_garbage),          cmocka_unit_test (test_without_hello),
        cmocka_unit_test (test_wrong_cookie),     cmocka_unit_test (test_huge_claims),
        cmocka_unit_test (test_many_connections), cmocka_unit_test (test_truncated),
        cmocka_unit_test (test_other_user),
    };
    const struct CMUnitTest thread_tests [] = { cmocka_unit_test (test_threads_have_no_sockets) };
    if (argc == 4 && strcmp (argv [1], "stranger") == 0)
        return stranger_run (argv [2], atoi (argv [3]));
    /*  The number of sockets is known for two workers.                     */
    setenv ("TROUPE_WORKERS", SANITIZED_THREADS ? "threads:2" : "2", 1);
    s_troupe = troupe_init (&argc, &argv);
    if (!s_troupe) {
        fprintf (stderr, "test_hostile: %s\n", troupe_error ());
        return 1;
    }
    s_tally = troupe_spawn (s_troupe, tally);
    int failed = 0;
    if (!eventually (troupe_workers (s_troupe) == WORKERS))
        failed = 1;
    else if (SANITIZED_THREADS)
        failed = cmocka_run_group_tests (thread_tests, NULL, NULL);
    else
        failed = cmocka_run_group_tests (process_tests, NULL, NULL);
    troupe_actor_destroy (&s_tally);
    if (troupe_term (&s_troupe))
        failed++;
    return failed ? 1 : 0;
}
