/*  test_driver_faults.c - drivers that are killed or end at once, and workers
    that never join: nothing is left behind                                  */

#include "tests/faults_fixture.h"

#include <pthread.h>
#include <spawn.h>

extern char **environ;

/* ------------------------------------------------------------------------
   Drivers that end                                                         */

/*  Runs this program as a driver of its own; its output goes to a file.    */
static pid_t
s_start_driver (const char *role, const char *path, const char *errors)
{
    pid_t pid;
    char *arguments [] = { "test_driver_faults", (char *) (uintptr_t) role,
                           (char *) (uintptr_t) path, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_addopen (&actions, 1, errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_addopen (&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int rc = posix_spawn (&pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy (&actions);
    assert_int_equal (rc, 0);
    return pid;
}

/*  Waits for a driver; returns its wait status.                            */
static int
s_reap (pid_t pid)
{
    int status = -1;
    assert_true (eventually (waitpid (pid, &status, WNOHANG) == pid));
    return status;
}

/*  The inodes of a process's sockets.                                      */
static size_t
s_sockets (pid_t pid, unsigned long *inodes, size_t limit)
{
    char path [512], link [64];
    size_t count = 0;
    snprintf (path, sizeof path, "/proc/%d/fd", (int) pid);
    DIR *folder = opendir (path);
    struct dirent *entry;
    while (folder && (entry = readdir (folder))) {
        snprintf (path, sizeof path, "/proc/%d/fd/%s", (int) pid, entry->d_name);
        ssize_t size = readlink (path, link, sizeof link - 1);
        link [size > 0 ? size : 0] = 0;
        if (count < limit && sscanf (link, "socket:[%lu]", &inodes [count]) == 1)
            count++;
    }
    if (folder)
        closedir (folder);
    return count;
}

static bool
s_socket_exists (const unsigned long *inodes, size_t count)
{
    char line [512];
    bool found = false;
    FILE *file = fopen ("/proc/net/unix", "r");
    assert_non_null (file);
    while (!found && fgets (line, sizeof line, file)) {
        unsigned long inode = 0;
        if (sscanf (line, "%*s %*s %*s %*s %*s %*s %lu", &inode) != 1)
            continue;
        for (size_t index = 0; index < count; index++)
            found = found || inodes [index] == inode;
    }
    fclose (file);
    return found;
}

/*  Files with the name of the project in a folder.                         */
static size_t
s_files (const char *path)
{
    size_t count = 0;
    DIR *folder = opendir (path);
    struct dirent *entry;
    while (folder && (entry = readdir (folder)))
        count += strstr (entry->d_name, "troupe-") && !strstr (entry->d_name, "troupe-test");
    if (folder)
        closedir (folder);
    return count;
}

/*  A driver with actors, workers that are busy and one that is stopped.    */
static void
test_driver_killed (void **state)
{
    (void) state;
    size_t shared = s_files ("/dev/shm"), temporary = s_files ("/tmp");
    for (int round = 0; round < 5; round++) {
        char *path = scratch_path (), *errors = scratch_path ();
        unsigned long inodes [1024];
        size_t sockets = 0;
        pid_t driver = s_start_driver ("busy", path, errors);
        assert_true (eventually (file_count (path, "busy") == 1));
        pids_t pids = s_children (driver);
        assert_int_equal (pids.count, 2);
        for (size_t index = 0; index < pids.count; index++)
            sockets += s_sockets (pids.items [index], inodes + sockets, 1024 - sockets);
        sockets += s_sockets (driver, inodes + sockets, 1024 - sockets);
        assert_true (sockets > 0);
        assert_true (s_socket_exists (inodes, sockets));
        if (round % 2)
            kill (pids.items [0], SIGSTOP);
        kill (driver, SIGKILL);
        assert_int_equal (WTERMSIG (s_reap (driver)), SIGKILL);
        assert_true (eventually_within (SECONDS_MS, !s_any_alive (&pids)));
        assert_true (eventually_within (SECONDS_MS, !s_socket_exists (inodes, sockets)));
        free (path);
        free (errors);
    }
    assert_int_equal (s_files ("/dev/shm"), shared);
    assert_int_equal (s_files ("/tmp"), temporary);
}

/*  ... at any moment of its start.                                         */
static void
test_driver_killed_early (void **state)
{
    (void) state;
    for (int round = 0; round < 20; round++) {
        char *path = scratch_path (), *errors = scratch_path ();
        pid_t driver = s_start_driver ("busy", path, errors);
        assert_true (eventually (s_children (driver).count > 0));
        int64_t until = now_ms () + round;
        while (now_ms () < until)
            ;
        kill (driver, SIGSTOP);
        pids_t pids = s_children (driver);
        kill (driver, SIGKILL);
        s_reap (driver);
        assert_true (eventually_within (SECONDS_MS, !s_any_alive (&pids)));
        free (path);
        free (errors);
    }
}

/*  What a driver said, which should be nothing.                            */
static void
s_show (const char *path)
{
    char text [256];
    FILE *file = fopen (path, "r");
    while (file && fgets (text, sizeof text, file))
        print_error ("    %s", text);
    if (file)
        fclose (file);
}

/*  Drivers that end without troupe_term, in one way or another.            */
static void
s_leave (const char *role, int wanted)
{
    for (int round = 0; round < 3; round++) {
        char *path = scratch_path (), *errors = scratch_path ();
        pid_t driver = s_start_driver (role, path, errors);
        assert_true (eventually (file_count (path, "busy") == 1));
        pids_t pids = s_children (driver);
        file_append (path, "leave");
        int status = s_reap (driver);
        s_show (errors);
        if (WIFSIGNALED (status))
            fail_msg ("%s: killed by signal %d", role, WTERMSIG (status));
        assert_int_equal (WEXITSTATUS (status), wanted);
        assert_true (eventually_within (SECONDS_MS, !s_any_alive (&pids)));
        if (file_count (errors, NULL))
            fail_msg ("%s: the driver says more than nothing", role);
        free (path);
        free (errors);
    }
}

static void
test_driver_exits (void **state)
{
    (void) state;
    s_leave ("exit", 5);
    s_leave ("return", 6);
    s_leave ("_exit", 7);
    s_leave ("exit-in-thread", 8);
}

/*  Workers that never come as far as troupe_init.                          */
static void
test_workers_never_join (void **state)
{
    (void) state;
    char *path = scratch_path (), *errors = scratch_path ();
    pid_t driver = s_start_driver ("deaf", path, errors);
    int status = s_reap (driver);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 0);
    assert_int_equal (file_count (errors, NULL), 1);
    free (path);
    free (errors);
}

/* ------------------------------------------------------------------------
   What those drivers do                                                    */

static int
spin (troupe_call_t *call)
{
    while (!troupe_cancelled (call))
        ;
    return 0;
}
TROUPE_TASK (spin);

/*  Has its workers spin, an actor, and calls outstanding; then says so.    */
static int
s_be_busy (const char *path)
{
    troupe_actor_t *actor = troupe_spawn (s_troupe, victim);
    troupe_future_t *count = troupe_call (actor, victim_count);
    troupe_future_t *sum = troupe_remote (s_troupe, plus_one, 1);
    int64_t found;
    if (troupe_get (count, &found) || troupe_get (sum, &found)) {
        fprintf (stderr, "%s\n", troupe_error ());
        return -1;
    }
    troupe_future_destroy (&count);
    troupe_future_destroy (&sum);
    for (int index = 0; index < 50; index++)
        troupe_remote (s_troupe, spin);
    return file_append (path, "busy");
}

static void *
s_exit_from_thread (void *arg)
{
    const char *path = arg;
    while (file_count (path, "leave") == 0)
        poll (NULL, 0, 1);
    exit (8);
}

/*  In main of a driver that a test has started.                            */
static int
s_drive (const char *role, const char *path)
{
    if (strcmp (role, "deaf") == 0) {
        s_troupe = troupe_init (NULL, NULL);
        const char *error = troupe_error ();
        bool right = !s_troupe && troupe_error_code () == TROUPE_ELOST
                     && strstr (error, "exited with status 9");
        fprintf (stderr, "%s\n", error);
        return right ? 0 : 1;
    }
    s_troupe = troupe_init (NULL, NULL);
    if (!s_troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 1;
    }
    if (s_be_busy (path))
        return 1;
    if (strcmp (role, "exit-in-thread") == 0) {
        pthread_t thread;
        pthread_create (&thread, NULL, s_exit_from_thread, (void *) (uintptr_t) path);
        troupe_future_t *never = troupe_remote (s_troupe, spin);
        troupe_wait (&never, 1, 1, -1, NULL);
        return 1;
    }
    while (strcmp (role, "busy") == 0 || file_count (path, "leave") == 0)
        poll (NULL, 0, 1);
    if (strcmp (role, "exit") == 0)
        exit (5);
    if (strcmp (role, "_exit") == 0)
        _exit (7);
    return 6;
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest process_tests [] = {
        cmocka_unit_test (test_driver_killed),
        cmocka_unit_test (test_driver_killed_early),
        cmocka_unit_test (test_workers_never_join),
    };
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_driver_exits),
    };
    if (argc > 2) {
        if (getenv ("TROUPE_BOOT") && strcmp (argv [1], "deaf") == 0)
            return 9;
        return s_drive (argv [1], argv [2]);
    }
    support_begin (&argc, &argv);
    int failed = 0;
    /*  A crash in a thread is the driver's own.                            */
    if (!support_threads ())
        failed += cmocka_run_group_tests (process_tests, NULL, NULL);
    failed += cmocka_run_group_tests (tests, NULL, NULL);
    return support_end (failed);
}
