/*  test_process.c - processes that are started with options                */

#include "tests/expect.h"

#include "program/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/*  What this program does when it is started by itself.                    */
static int
s_act_as_child (int argc, char **argv)
{
    char line [256];
    FILE *status = fopen ("/proc/self/status", "r");
    while (status && fgets (line, sizeof line, status))
        if (strncmp (line, "SigBlk:", 7) == 0 || strncmp (line, "SigIgn:", 7) == 0)
            fputs (line, stdout);
    if (status)
        fclose (status);
    printf ("arguments:");
    for (int index = 1; index < argc; index++)
        printf (" %s", argv [index]);
    printf ("\n");
    return 5;
}

/*  Waits for the end that the descriptor tells of, and how it was.         */
static bool
s_await (pid_t pid, int pidfd, const char *how)
{
    char cause [128];
    struct pollfd item = { .fd = pidfd, .events = POLLIN };
    assert_int_equal (poll (&item, 1, PATIENCE_MS), 1);
    close (pidfd);
    bool own_fault = process_reap (pid, cause, sizeof cause);
    assert_string_equal (cause, how);
    return own_fault;
}

/*  Runs to the end and returns what was printed.                           */
static const char *
s_run (process_options_t *options, const char *how)
{
    static char text [4096];
    size_t size = 0;
    ssize_t got;
    fault_t fault;
    int ends [2], pidfd;
    assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
    options->output = options->errors = ends [1];
    pid_t pid = process_start (options, &pidfd, &fault);
    if (pid < 0)
        fail_msg ("%s", fault.text);
    close (ends [1]);
    while ((got = read (ends [0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t) got;
    text [size] = 0;
    close (ends [0]);
    s_await (pid, pidfd, how);
    return text;
}

static const char *
s_run_shell (const char *script, process_options_t options, const char *how)
{
    char *argv [] = { (char *) "sh", (char *) "-c", (char *) script, NULL };
    options.path = "/bin/sh";
    options.argv = argv;
    return s_run (&options, how);
}

static void
test_environment_and_folder (void **state)
{
    (void) state;
    const char *const environment [] = { "ONE=twice", "ONE=1", "TWO", "THREE=", NULL };
    setenv ("ONE", "before", 1);
    setenv ("TWO", "2", 1);
    setenv ("FOUR", "4", 1);
    process_options_t options = { .environment = environment, .folder = "/" };
    const char *text
        = s_run_shell ("echo $ONE.${TWO-none}.${THREE-none}.$FOUR; pwd; echo error >&2; exit 3",
                       options, "exited with status 3");
    assert_string_equal (text, "1.none..4\n/\nerror\n");
    assert_string_equal (getenv ("ONE"), "before");
}

static void
test_descriptor_is_inherited (void **state)
{
    (void) state;
    char script [64], byte = 0;
    int fd = memfd_create ("test", MFD_CLOEXEC);
    int other = memfd_create ("other", MFD_CLOEXEC);
    assert_true (fd > 2 && other > 2);
    snprintf (script, sizeof script, "printf x >/proc/self/fd/%d; test ! -e /proc/self/fd/%d",
              fd, other);
    s_run_shell (script, (process_options_t){ .fd = fd }, "exited with status 0");
    assert_int_equal (pread (fd, &byte, 1, 0), 1);
    assert_int_equal (byte, 'x');
    assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
    close (fd);
    close (other);
}

static void
s_handle (int number)
{
    (void) number;
}

/*  The child runs this program, with other arguments or the same.          */
static void
test_this_program_and_its_signals (void **state)
{
    (void) state;
    const char *const environment [] = { "TROUPE_TEST_CHILD=1", NULL };
    char *argv [] = { (char *) "name", (char *) "a", (char *) "b c", NULL };
    sigset_t blocked;
    sigemptyset (&blocked);
    sigaddset (&blocked, SIGUSR1);
    sigaddset (&blocked, SIGTERM);
    pthread_sigmask (SIG_BLOCK, &blocked, NULL);
    signal (SIGPIPE, SIG_IGN);
    signal (SIGUSR2, s_handle);
    process_options_t options = { .argv = argv, .environment = environment };
    const char *text = s_run (&options, "exited with status 5");
    assert_non_null (strstr (text, "SigBlk:\t0000000000000000\n"));
    const char *ignored = strstr (text, "SigIgn:");
    assert_non_null (ignored);
    assert_false (strtoull (ignored + 7, NULL, 16) >> (SIGPIPE - 1) & 1);
    assert_non_null (strstr (text, "arguments: a b c\n"));
    options.argv = NULL;
    assert_non_null (strstr (s_run (&options, "exited with status 5"), "arguments:\n"));
    pthread_sigmask (SIG_UNBLOCK, &blocked, NULL);
    signal (SIGPIPE, SIG_DFL);
    signal (SIGUSR2, SIG_DFL);
}

static void
s_expect_failure (const process_options_t *options, const char *wanted)
{
    fault_t fault = { 0 };
    int pidfd = -1;
    size_t before = folder_count ("/proc/self/fd");
    assert_int_equal (process_start (options, &pidfd, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESYSTEM);
    assert_string_equal (fault.text, wanted);
    assert_int_equal (folder_count ("/proc/self/fd"), before);
}

static void
test_failures_name_the_cause (void **state)
{
    (void) state;
    s_expect_failure (&(process_options_t){ .path = "/no/such/program" },
                      "cannot run /no/such/program: No such file or directory");
    s_expect_failure (&(process_options_t){ .path = "/etc/passwd" },
                      "cannot run /etc/passwd: Permission denied");
    s_expect_failure (&(process_options_t){ .path = "/bin/sh", .folder = "/no/such/folder" },
                      "cannot run /bin/sh in /no/such/folder: No such file or directory");
    s_expect_failure (&(process_options_t){ .path = "/bin/sh", .fd = 100000 },
                      "cannot run /bin/sh: its descriptors: Bad file descriptor");
}

static void
test_killed_by_somebody (void **state)
{
    (void) state;
    fault_t fault;
    int pidfd;
    char *argv [] = { (char *) "sleep", (char *) "1000", NULL };
    process_options_t options = { .path = "/bin/sleep", .argv = argv };
    pid_t pid = process_start (&options, &pidfd, &fault);
    assert_true (pid > 0);
    kill (pid, SIGKILL);
    assert_false (s_await (pid, pidfd, "killed by signal 9 (Killed)"));
}

typedef struct {
    pid_t pid;
    int pidfd;
    fault_t fault;
} started_t;

static void *
s_start_and_end (void *arg)
{
    started_t *started = arg;
    char *argv [] = { (char *) "sleep", (char *) "1000", NULL };
    process_options_t options = { .path = "/bin/sleep", .argv = argv };
    started->pid = process_start (&options, &started->pidfd, &started->fault);
    return NULL;
}

static void
test_dies_with_the_thread (void **state)
{
    (void) state;
    started_t started = { 0 };
    pthread_t thread;
    assert_int_equal (pthread_create (&thread, NULL, s_start_and_end, &started), 0);
    pthread_join (thread, NULL);
    assert_true (started.pid > 0);
    s_await (started.pid, started.pidfd, "killed by signal 9 (Killed)");
}

static void
test_many_leave_nothing_open (void **state)
{
    (void) state;
    size_t before = folder_count ("/proc/self/fd");
    for (int count = 0; count < 100; count++)
        assert_string_equal (s_run_shell ("echo $$ >/dev/null; echo done",
                                          (process_options_t){ 0 }, "exited with status 0"),
                             "done\n");
    assert_int_equal (folder_count ("/proc/self/fd"), before);
}

int
main (int argc, char *argv [])
{
    if (getenv ("TROUPE_TEST_CHILD"))
        return s_act_as_child (argc, argv);
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_environment_and_folder),
        cmocka_unit_test (test_descriptor_is_inherited),
        cmocka_unit_test (test_this_program_and_its_signals),
        cmocka_unit_test (test_failures_name_the_cause),
        cmocka_unit_test (test_killed_by_somebody),
        cmocka_unit_test (test_dies_with_the_thread),
        cmocka_unit_test (test_many_leave_nothing_open),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
