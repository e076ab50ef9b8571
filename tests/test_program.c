/*  test_program.c - programs by their content: hashes, checks, the cache   */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/failing.h"

#include "program/process.h"
#include "program/program.h"

#include <dirent.h>
#include <elf.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLENTY (UINT64_C (1) << 32)

static char s_scratch [64];     /*  a folder for this program               */
static char s_folder [96];      /*  that of the cache                       */
static uint8_t *s_self;         /*  the bytes of this program               */
static size_t s_self_size;

/* ------------------------------------------------------------------------
   Helpers                                                                  */

static void
s_read_self (void)
{
    struct stat status;
    fault_t fault;
    int fd = program_open (NULL, &fault);
    if (fd < 0 || fstat (fd, &status)) {
        perror ("/proc/self/exe");
        exit (1);
    }
    s_self_size = (size_t) status.st_size;
    s_self = malloc (s_self_size);
    if (!s_self || pread (fd, s_self, s_self_size, 0) != status.st_size)
        exit (1);
    close (fd);
}

static int
s_clean (void **state)
{
    char command [128];
    (void) state;
    snprintf (command, sizeof command, "rm -rf '%s'", s_folder);
    return system (command);
}

static program_cache_t *
s_cache (uint64_t bytes_max)
{
    fault_t fault;
    program_cache_t *cache = program_cache_new (s_folder, bytes_max, &fault);
    if (!cache)
        fail_msg ("%s", fault.text);
    return cache;
}

static void
s_hash (const void *data, size_t size, uint8_t hash [PROGRAM_HASH_SIZE])
{
    crypto_generichash (hash, PROGRAM_HASH_SIZE, data, size, NULL, 0);
}

/*  Files in the folder of the cache.                                       */
static size_t
s_files (void)
{
    size_t count = 0;
    struct dirent *entry;
    DIR *folder = opendir (s_folder);
    assert_non_null (folder);
    while ((entry = readdir (folder)))
        count += entry->d_name [0] != '.';
    closedir (folder);
    return count;
}

static void
s_put (program_cache_t *cache, const void *data, size_t size)
{
    fault_t fault;
    uint8_t hash [PROGRAM_HASH_SIZE];
    s_hash (data, size, hash);
    program_receive_t *receive = program_receive_new (cache, hash, size, &fault);
    if (!receive || program_receive_write (receive, 0, data, size, &fault)
        || program_receive_commit (&receive, &fault))
        fail_msg ("%s", fault.text);
}

static program_hold_t *
s_find (program_cache_t *cache, const void *data, size_t size)
{
    uint8_t hash [PROGRAM_HASH_SIZE];
    s_hash (data, size, hash);
    return program_cache_find (cache, hash);
}

static bool
s_has (program_cache_t *cache, const void *data, size_t size)
{
    program_hold_t *hold = s_find (cache, data, size);
    bool found = hold != NULL;
    program_hold_destroy (&hold);
    return found;
}

/*  --- copies of this program that were changed -------------------------  */

static uint8_t *
s_copy (void)
{
    uint8_t *copy = malloc (s_self_size);
    assert_non_null (copy);
    memcpy (copy, s_self, s_self_size);
    return copy;
}

/*  Replaces a string of the file, wherever it is. Returns how often.       */
static unsigned
s_replace (uint8_t *copy, const char *old, const char *new)
{
    unsigned count = 0;
    uint8_t *place;
    assert_int_equal (strlen (old), strlen (new));
    while ((place = memmem (copy, s_self_size, old, strlen (old)))) {
        memcpy (place, new, strlen (new));
        count++;
    }
    return count;
}

/*  Writes the copy to a file and checks it; the texts are in the failure.  */
static void
s_expect_unfit (uint8_t *copy, const char *text, const char *other)
{
    char path [96];
    fault_t fault = { 0 };
    snprintf (path, sizeof path, "%s/changed", s_scratch);
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    assert_int_equal (fwrite (copy, 1, s_self_size, file), s_self_size);
    assert_int_equal (fclose (file), 0);
    assert_int_equal (chmod (path, 0700), 0);
    assert_int_equal (program_check (path, "alpha", &fault), -1);
    assert_int_equal (unlink (path), 0);
    free (copy);
    assert_int_equal (fault.code, TROUPE_EINVAL);
    if (!strstr (fault.text, text) || !strstr (fault.text, other))
        fail_msg ("wanted \"%s\" and \"%s\" in \"%s\"", text, other, fault.text);
}

/* ------------------------------------------------------------------------
   Files                                                                    */

static void
test_identify (void **state)
{
    (void) state;
    fault_t fault;
    program_id_t id;
    program_name_t name;
    char machine [32];
    uint8_t hash [PROGRAM_HASH_SIZE];
    int fd = program_open (NULL, &fault);
    assert_int_equal (program_identify (fd, &id, &fault), 0);
    s_hash (s_self, s_self_size, hash);
    assert_memory_equal (id.hash, hash, sizeof hash);
    assert_int_equal (id.size, s_self_size);
    assert_int_equal (id.bits, 8 * sizeof (void *));
#if defined (__x86_64__) && !defined (__ILP32__)
    assert_string_equal (program_machine (&id, machine), "x86_64");
#endif
    assert_int_equal (lseek (fd, 0, SEEK_CUR), 0);
    close (fd);
    program_name (hash, name);
    assert_int_equal (strlen (name), 2 * PROGRAM_HASH_SIZE);
    id.machine = 9999;
    assert_string_equal (program_machine (&id, machine), sizeof (void *) == 8
                                                             ? "machine 9999 (64 bit)"
                                                             : "machine 9999 (32 bit)");
}

static void
s_expect_unidentified (const char *path, const char *wanted)
{
    fault_t fault = { 0 };
    program_id_t id;
    int fd = program_open (path, &fault);
    if (fd >= 0) {
        assert_int_equal (program_identify (fd, &id, &fault), -1);
        close (fd);
    }
    if (!strstr (fault.text, wanted))
        fail_msg ("wanted \"%s\" in \"%s\"", wanted, fault.text);
}

static void
test_what_is_no_program (void **state)
{
    (void) state;
    char path [96];
    s_expect_unidentified ("/no/such/file", "cannot read /no/such/file: No such file");
    s_expect_unidentified ("/dev/null", "regular file");
    s_expect_unidentified ("/etc/passwd", "not an executable");
    s_expect_unidentified (s_scratch, "regular file");
    snprintf (path, sizeof path, "%s/large", s_scratch);
    assert_int_equal (close (open (path, O_CREAT | O_WRONLY, 0600)), 0);
    s_expect_unidentified (path, "not an executable");
    assert_int_equal (truncate (path, (off_t) PROGRAM_SIZE_MAX + 1), 0);
    s_expect_unidentified (path, "too large");
    assert_int_equal (unlink (path), 0);
}

static void
test_check (void **state)
{
    (void) state;
    fault_t fault;
    uint8_t *copy;
    if (program_check ("/proc/self/exe", "alpha", &fault)
        || program_check ("/bin/sh", "alpha", &fault))
        fail_msg ("%s", fault.text);
    copy = s_copy ();
    copy [18] = EM_S390;
    copy [19] = 0;
    s_expect_unfit (copy, "the program is for machine 22", ", node alpha is ");
    copy = s_copy ();
    assert_true (s_replace (copy, "libsodium.so", "libnowhere12") > 0);
    assert_true (s_replace (copy, "libcmocka.so", "libnowhere34") > 0);
    s_expect_unfit (copy, "the program needs libnowhere", ", libnowhere");
    copy = s_copy ();
    assert_true (s_replace (copy, "/lib64/ld-", "/lib64/no-")
                 || s_replace (copy, "/lib/ld-", "/lib/no-"));
    s_expect_unfit (copy, "the program needs the loader /lib", "not found on node alpha");
    copy = s_copy ();
    if (s_replace (copy, "GLIBC_2.34", "GLIBC_9.34"))
        s_expect_unfit (copy, "the program needs GLIBC_9.34 of libc.so.6", "on node alpha");
    else
        free (copy);
}

/*  What is damaged is refused, whatever its headers say.                   */
static void
test_check_of_damaged_headers (void **state)
{
    (void) state;
    char path [96];
    fault_t fault;
    snprintf (path, sizeof path, "%s/damaged", s_scratch);
    for (size_t index = 16; index < 64; index++) {
        uint8_t head [64];
        memcpy (head, s_self, sizeof head);
        head [index] = 0xff;
        FILE *file = fopen (path, "w");
        assert_non_null (file);
        assert_int_equal (fwrite (head, 1, sizeof head, file), sizeof head);
        fclose (file);
        assert_int_equal (program_check (path, "alpha", &fault), -1);
    }
    assert_int_equal (unlink (path), 0);
}

/* ------------------------------------------------------------------------
   The cache                                                                */

static void
test_program_arrives_and_runs (void **state)
{
    (void) state;
    enum { CHUNK = 10000 };
    fault_t fault;
    char cause [128];
    int pidfd;
    struct stat status;
    uint8_t hash [PROGRAM_HASH_SIZE];
    const char *const environment [] = { "TROUPE_TEST_CHILD=1", NULL };
    char *argv [] = { (char *) "child", NULL };
    program_cache_t *cache = s_cache (PLENTY);
    s_hash (s_self, s_self_size, hash);
    assert_null (program_cache_find (cache, hash));
    program_receive_t *receive = program_receive_new (cache, hash, s_self_size, &fault);
    assert_non_null (receive);
    for (size_t offset = 0; offset < s_self_size; offset += CHUNK) {
        size_t size = s_self_size - offset < CHUNK ? s_self_size - offset : CHUNK;
        assert_null (program_cache_find (cache, hash));
        assert_int_equal (
            program_receive_write (receive, offset, s_self + offset, size, &fault), 0);
    }
    assert_int_equal (program_receive_commit (&receive, &fault), 0);
    assert_null (receive);
    assert_int_equal (s_files (), 1);
    program_hold_t *hold = program_cache_find (cache, hash);
    assert_non_null (hold);
    assert_int_equal (program_hold_path (hold) [0], '/');
    assert_int_equal (stat (program_hold_path (hold), &status), 0);
    assert_int_equal (status.st_mode & 07777, 0500);
    if (program_check (program_hold_path (hold), "alpha", &fault))
        fail_msg ("%s", fault.text);
    process_options_t options
        = { .path = program_hold_path (hold), .argv = argv, .environment = environment };
    pid_t pid = process_start (&options, &pidfd, &fault);
    if (pid < 0)
        fail_msg ("%s", fault.text);
    process_reap (pid, cause, sizeof cause);
    close (pidfd);
    assert_string_equal (cause, "exited with status 7");
    program_hold_destroy (&hold);
    program_cache_destroy (&cache);
}

static void
test_chunks_in_any_order (void **state)
{
    (void) state;
    fault_t fault;
    uint8_t data [3000], hash [PROGRAM_HASH_SIZE];
    randombytes_buf (data, sizeof data);
    s_hash (data, sizeof data, hash);
    program_cache_t *cache = s_cache (PLENTY);
    program_receive_t *receive = program_receive_new (cache, hash, sizeof data, &fault);
    assert_non_null (receive);
    assert_int_equal (program_receive_write (receive, 2000, data + 2000, 1000, &fault), 0);
    assert_int_equal (program_receive_write (receive, 0, data, 1500, &fault), 0);
    assert_int_equal (program_receive_write (receive, 1000, data + 1000, 1000, &fault), 0);
    assert_int_equal (program_receive_commit (&receive, &fault), 0);
    assert_true (s_has (cache, data, sizeof data));
    program_cache_destroy (&cache);
}

/*  Receives bytes of which some are changed or missing.                    */
static void
s_expect_not_kept (program_cache_t *cache, size_t from, size_t to, bool change,
                   const char *wanted)
{
    fault_t fault = { 0 };
    uint8_t data [500] = "the program that was asked for", hash [PROGRAM_HASH_SIZE];
    s_hash (data, sizeof data, hash);
    program_receive_t *receive = program_receive_new (cache, hash, sizeof data, &fault);
    assert_non_null (receive);
    data [250] ^= change;
    assert_int_equal (program_receive_write (receive, from, data + from, to - from, &fault), 0);
    assert_int_equal (program_receive_commit (&receive, &fault), -1);
    assert_null (receive);
    assert_int_equal (fault.code, TROUPE_EPROTOCOL);
    assert_non_null (strstr (fault.text, wanted));
    assert_null (program_cache_find (cache, hash));
    assert_int_equal (s_files (), 0);
}

static void
test_what_is_not_kept (void **state)
{
    (void) state;
    fault_t fault = { 0 };
    uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    program_cache_t *cache = s_cache (PLENTY);
    s_expect_not_kept (cache, 0, 500, true, "not the one asked for");
    s_expect_not_kept (cache, 0, 499, false, "in part: 499 of 500 bytes");
    s_expect_not_kept (cache, 0, 0, false, "in part: 0 of 500 bytes");
    s_expect_not_kept (cache, 1, 500, false, "not the one asked for");
    assert_null (program_receive_new (cache, hash, 0, &fault));
    assert_int_equal (fault.code, TROUPE_EINVAL);
    assert_null (program_receive_new (cache, hash, PROGRAM_SIZE_MAX + 1, &fault));
    assert_int_equal (fault.code, TROUPE_ELIMIT);
    program_receive_t *receive = program_receive_new (cache, hash, 100, &fault);
    assert_int_equal (program_receive_write (receive, 90, hash, 11, &fault), -1);
    assert_int_equal (program_receive_write (receive, UINT64_MAX, hash, 1, &fault), -1);
    assert_int_equal (fault.code, TROUPE_EPROTOCOL);
    assert_int_equal (s_files (), 1);
    program_receive_destroy (&receive);
    assert_int_equal (s_files (), 0);
    program_cache_destroy (&cache);
}

static void
test_least_recently_used_goes (void **state)
{
    (void) state;
    enum { SIZE = 1000 };
    uint8_t data [5] [SIZE];
    randombytes_buf (data, sizeof data);
    program_cache_t *cache = s_cache (3 * SIZE);
    for (unsigned index = 0; index < 3; index++)
        s_put (cache, data [index], SIZE);
    assert_true (s_has (cache, data [0], SIZE));
    s_put (cache, data [3], SIZE);
    assert_false (s_has (cache, data [1], SIZE));
    program_hold_t *hold = s_find (cache, data [2], SIZE);
    assert_non_null (hold);
    assert_true (s_has (cache, data [0], SIZE) && s_has (cache, data [3], SIZE));
    /*  What is in use stays, though it was used before the others.         */
    program_cache_t *other = s_cache (SIZE);
    program_cache_evict (other, 0);
    assert_int_equal (s_files (), 1);
    assert_int_equal (access (program_hold_path (hold), X_OK), 0);
    s_put (other, data [4], SIZE);
    assert_int_equal (s_files (), 2);
    program_hold_destroy (&hold);
    program_cache_evict (other, SIZE);
    assert_int_equal (s_files (), 0);
    program_cache_destroy (&other);
    program_cache_destroy (&cache);
}

/*  A machine that lost its power may have left an entry that is not whole. */
static void
test_damaged_entry_is_not_found (void **state)
{
    (void) state;
    program_cache_t *cache = s_cache (PLENTY);
    s_put (cache, "content", 7);
    program_hold_t *hold = s_find (cache, "content", 7);
    assert_non_null (hold);
    assert_int_equal (chmod (program_hold_path (hold), 0700), 0);
    assert_int_equal (truncate (program_hold_path (hold), 3), 0);
    program_hold_destroy (&hold);
    assert_false (s_has (cache, "content", 7));
    assert_int_equal (s_files (), 0);
    s_put (cache, "content", 7);
    assert_true (s_has (cache, "content", 7));
    program_cache_destroy (&cache);
}

/*  What a killed process has left is gone when the folder is next opened;
    what another one is receiving now is not.                               */
static void
test_killed_receiver_leaves_nothing (void **state)
{
    (void) state;
    fault_t fault;
    int status;
    uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    program_cache_t *cache = s_cache (PLENTY);
    program_receive_t *receive = program_receive_new (cache, hash, 100, &fault);
    assert_non_null (receive);
    pid_t pid = fork ();
    if (pid == 0) {
        program_receive_new (cache, hash, 100, &fault);
        raise (SIGKILL);
    }
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_int_equal (s_files (), 2);
    program_cache_t *next = s_cache (PLENTY);
    assert_int_equal (s_files (), 1);
    program_cache_destroy (&next);
    program_receive_destroy (&receive);
    assert_int_equal (s_files (), 0);
    program_cache_destroy (&cache);
}

/*  Processes that receive and remove the same program at once.             */
static void
test_processes_share_a_folder (void **state)
{
    (void) state;
    enum { PROCESSES = 4, TIMES = 50, SIZE = 20000 };
    static uint8_t data [SIZE];
    int status;
    pid_t pids [PROCESSES];
    randombytes_buf (data, sizeof data);
    for (unsigned index = 0; index < PROCESSES; index++) {
        pids [index] = fork ();
        if (pids [index] == 0) {
            program_cache_t *cache = s_cache (PLENTY);
            for (unsigned time = 0; time < TIMES; time++) {
                s_put (cache, data, SIZE);
                program_hold_t *hold = s_find (cache, data, SIZE);
                if (hold && access (program_hold_path (hold), X_OK))
                    _exit (2);
                program_hold_destroy (&hold);
                if (time % 8 == index)
                    program_cache_evict (cache, PLENTY);
            }
            program_cache_destroy (&cache);
            _exit (0);
        }
    }
    for (unsigned index = 0; index < PROCESSES; index++) {
        assert_int_equal (waitpid (pids [index], &status, 0), pids [index]);
        assert_int_equal (status, 0);
    }
    program_cache_t *cache = s_cache (PLENTY);
    s_put (cache, data, SIZE);
    assert_true (s_has (cache, data, SIZE));
    assert_int_equal (s_files (), 1);
    program_cache_destroy (&cache);
}

/*  No file may grow beyond some size for a while: as on a full disk.       */
static void
test_full_disk_is_a_clear_error (void **state)
{
    (void) state;
    fault_t fault = { 0 };
    struct rlimit before, small;
    uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    program_cache_t *cache = s_cache (PLENTY);
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    signal (SIGXFSZ, SIG_IGN);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &small), 0);
    program_receive_t *receive = program_receive_new (cache, hash, 10000, &fault);
    int rc = 0;
    for (uint64_t offset = 0; receive && rc == 0 && offset < 10000; offset += sizeof hash)
        rc = program_receive_write (receive, offset, hash, sizeof hash, &fault);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
    assert_true (!receive || rc == -1);
    program_receive_destroy (&receive);
    assert_int_equal (fault.code, TROUPE_ELIMIT);
    assert_non_null (strstr (fault.text, "cannot keep a program of 10000 bytes in "));
    assert_int_equal (s_files (), 0);
    program_cache_destroy (&cache);
}

/* ------------------------------------------------------------------------
   Folders                                                                  */

static void
s_expect_refused (const char *folder, const char *wanted)
{
    fault_t fault = { 0 };
    program_cache_t *cache = program_cache_new (folder, PLENTY, &fault);
    if (cache || !strstr (fault.text, wanted))
        fail_msg ("wanted \"%s\" for %s, got \"%s\"", wanted, folder, fault.text);
}

static void
test_folders (void **state)
{
    (void) state;
    char path [160], link [160];
    struct stat status;
    fault_t fault;
    snprintf (path, sizeof path, "%s/a/b/c", s_folder);
    program_cache_t *cache = program_cache_new (path, PLENTY, &fault);
    assert_non_null (cache);
    program_cache_destroy (&cache);
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0700);
    assert_int_equal (chmod (path, 0755), 0);
    s_expect_refused (path, "is open to others (mode 755): chmod 700 it");
    assert_int_equal (chmod (path, 0700), 0);
    snprintf (link, sizeof link, "%s/link", s_folder);
    assert_int_equal (symlink (path, link), 0);
    cache = program_cache_new (link, PLENTY, &fault);
    assert_non_null (cache);
    s_put (cache, "content", 7);
    program_hold_t *hold = s_find (cache, "content", 7);
    assert_int_equal (strncmp (program_hold_path (hold), path, strlen (path)), 0);
    program_hold_destroy (&hold);
    program_cache_destroy (&cache);
    s_expect_refused ("/dev/null", "Not a directory");
    s_expect_refused ("/proc/none", "cannot make /proc/none");
    snprintf (path, sizeof path, "%s/a/b", s_folder);
    assert_int_equal (chmod (path, 0777), 0);
    s_expect_refused (link, "b can be changed by every user");
    if (geteuid () != 0)
        return;
    assert_int_equal (chmod (path, 0700), 0);
    assert_int_equal (lchown (link, 12345, 12345), 0);
    s_expect_refused (link, "link belongs to another user");
    assert_int_equal (lchown (path, 12345, 12345), 0);
    s_expect_refused (path, "b belongs to another user");
}

/* ------------------------------------------------------------------------
   Failures                                                                 */

static void
s_use (void)
{
    fault_t fault = { 0 };
    program_receive_t *receive = NULL;
    uint8_t hash [PROGRAM_HASH_SIZE];
    int rc = -1;
    s_hash ("content", 7, hash);
    program_cache_t *cache = program_cache_new (s_folder, PLENTY, &fault);
    if (cache)
        receive = program_receive_new (cache, hash, 7, &fault);
    if (receive && program_receive_write (receive, 0, "cont", 4, &fault) == 0
        && program_receive_write (receive, 4, "ent", 3, &fault) == 0)
        rc = program_receive_commit (&receive, &fault);
    program_receive_destroy (&receive);
    if (rc == 0) {
        program_hold_t *hold = program_cache_find (cache, hash);
        assert_true (hold || failing_failed);
        program_hold_destroy (&hold);
        program_cache_evict (cache, PLENTY);
        assert_true (failing_failed || s_files () == 0);
    } else {
        assert_true (failing_failed && fault.text [0]);
        failing_until = 0;
        assert_true (!cache || s_files () == 0);
    }
    program_cache_destroy (&cache);
    s_clean (NULL);
}

static void
test_every_call_fails_once (void **state)
{
    (void) state;
    assert_true (failing_walk (s_use) > 10);
}

/*  Checking a program needs memory and a pipe: without, it says so.        */
static void
s_check (void)
{
    fault_t fault = { 0 };
    int rc = program_check ("/proc/self/exe", "alpha", &fault);
    assert_int_equal (rc, failing_failed ? -1 : 0);
    assert_true (rc == 0 || fault.text [0]);
}

static void
test_every_call_of_a_check_fails_once (void **state)
{
    (void) state;
    assert_true (failing_walk (s_check) > 3);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_identify),
        cmocka_unit_test (test_what_is_no_program),
        cmocka_unit_test (test_check),
        cmocka_unit_test (test_check_of_damaged_headers),
        cmocka_unit_test_teardown (test_program_arrives_and_runs, s_clean),
        cmocka_unit_test_teardown (test_chunks_in_any_order, s_clean),
        cmocka_unit_test_teardown (test_what_is_not_kept, s_clean),
        cmocka_unit_test_teardown (test_least_recently_used_goes, s_clean),
        cmocka_unit_test_teardown (test_damaged_entry_is_not_found, s_clean),
        cmocka_unit_test_teardown (test_killed_receiver_leaves_nothing, s_clean),
        cmocka_unit_test_teardown (test_processes_share_a_folder, s_clean),
        cmocka_unit_test_teardown (test_full_disk_is_a_clear_error, s_clean),
        cmocka_unit_test_teardown (test_folders, s_clean),
        cmocka_unit_test_teardown (test_every_call_fails_once, s_clean),
        cmocka_unit_test (test_every_call_of_a_check_fails_once),
    };
    if (getenv ("TROUPE_TEST_CHILD"))
        return 7;
    strcpy (s_scratch, "/tmp/troupe-test-XXXXXX");
    if (!mkdtemp (s_scratch)) {
        perror (s_scratch);
        return 1;
    }
    snprintf (s_folder, sizeof s_folder, "%s/cache", s_scratch);
    s_read_self ();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    free (s_self);
    if (rmdir (s_scratch)) {
        perror (s_scratch);
        failed++;
    }
    return failed;
}
