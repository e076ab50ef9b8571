/*  test_keys.c - tests of wire/keys.h: the file of keys, and tokens        */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/keys.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_folder [64];
static char s_path [128];

static int
s_setup (void **state)
{
    (void) state;
    snprintf (s_folder, sizeof s_folder, "/tmp/troupe-keys-XXXXXX");
    if (!mkdtemp (s_folder))
        return -1;
    snprintf (s_path, sizeof s_path, "%s/keys", s_folder);
    return 0;
}

static int
s_teardown (void **state)
{
    (void) state;
    unlink (s_path);
    return rmdir (s_folder);
}

static void
s_write (const char *text, mode_t mode)
{
    unlink (s_path);
    int fd = open (s_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, text, strlen (text)), strlen (text));
    assert_int_equal (fchmod (fd, mode), 0);
    close (fd);
}

/*  Loading must fail with all of the words in the text.                    */
static void
s_refuse (troupe_error_t code, const char *word)
{
    fault_t fault;
    cluster_keys_t keys;
    cluster_keys_t empty = { .cluster = { 0 } };
    assert_int_equal (cluster_keys_load (&keys, s_path, &fault), -1);
    assert_int_equal (fault.code, code);
    if (!strstr (fault.text, word))
        fail_msg ("wanted \"%s\" in \"%s\"", word, fault.text);
    assert_memory_equal (&keys, &empty, sizeof keys);
}

/*  --- keys and their file ----------------------------------------------  */

static void
test_pairs (void **state)
{
    (void) state;
    fault_t fault;
    key_pair_t one, other;
    char text [KEY_TEXT_SIZE];
    assert_int_equal (keys_available (&fault), 0);
    assert_int_equal (key_pair_new (&one, &fault), 0);
    assert_int_equal (key_pair_new (&other, &fault), 0);
    assert_memory_not_equal (&one, &other, sizeof one);
    uint8_t derived [KEY_SIZE];
    assert_int_equal (crypto_scalarmult_base (derived, one.secret_key), 0);
    assert_memory_equal (derived, one.public_key, KEY_SIZE);
    assert_int_equal (strlen (key_text (one.public_key, text)), KEY_TEXT_SIZE - 1);
    key_pair_wipe (&one);
    assert_true (sodium_is_zero ((const unsigned char *) &one, sizeof one));
}

static void
test_file (void **state)
{
    (void) state;
    fault_t fault;
    cluster_keys_t keys, again, third;
    struct stat status;
    s_refuse (TROUPE_ENAME, "No such file");
    assert_int_equal (cluster_keys_open (&keys, s_path, &fault), 0);
    assert_int_equal (cluster_keys_load (&again, s_path, &fault), 0);
    assert_memory_equal (&keys, &again, sizeof keys);
    assert_int_equal (cluster_keys_open (&again, s_path, &fault), 0);
    assert_memory_equal (&keys, &again, sizeof keys);
    assert_int_equal (stat (s_path, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0600);

    assert_int_equal (cluster_keys_renew_admission (&keys, &fault), 0);
    assert_int_equal (cluster_keys_save (&keys, s_path, &fault), 0);
    assert_int_equal (cluster_keys_load (&third, s_path, &fault), 0);
    assert_memory_equal (&third.head, &again.head, sizeof third.head);
    assert_memory_not_equal (&third.admission, &again.admission, sizeof third.admission);
}

static void
test_folder (void **state)
{
    (void) state;
    fault_t fault;
    cluster_keys_t keys;
    struct stat status;
    char folder [96], path [128];
    snprintf (folder, sizeof folder, "%s/new", s_folder);
    snprintf (path, sizeof path, "%s/keys", folder);
    assert_int_equal (cluster_keys_open (&keys, path, &fault), 0);
    assert_int_equal (stat (folder, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0700);

    assert_int_equal (chmod (folder, 0770), 0);
    assert_int_equal (cluster_keys_load (&keys, path, &fault), -1);
    assert_non_null (strstr (fault.text, "others may write to"));
    assert_int_equal (cluster_keys_save (&keys, path, &fault), -1);
    assert_non_null (strstr (fault.text, "others may write to"));
    assert_int_equal (chmod (folder, 01777), 0);
    assert_int_equal (cluster_keys_load (&keys, path, &fault), 0);
    assert_int_equal (unlink (path), 0);
    /*  Nothing but the file is left behind by all that.                    */
    assert_int_equal (rmdir (folder), 0);
}

static void
test_refused_files (void **state)
{
    (void) state;
    fault_t fault;
    cluster_keys_t keys;
    assert_int_equal (cluster_keys_open (&keys, s_path, &fault), 0);
    assert_int_equal (chmod (s_path, 0640), 0);
    s_refuse (TROUPE_EINVAL, "others have access");
    assert_int_equal (chmod (s_path, 0604), 0);
    s_refuse (TROUPE_EINVAL, "others have access");
    if (geteuid () == 0) {
        assert_int_equal (chmod (s_path, 0600), 0);
        assert_int_equal (chown (s_path, 12345, 12345), 0);
        s_refuse (TROUPE_EINVAL, "belongs to another user");
    }
    assert_int_equal (unlink (s_path), 0);
    assert_int_equal (symlink ("/dev/null", s_path), 0);
    s_refuse (TROUPE_EINVAL, "symbolic link");
    assert_int_equal (unlink (s_path), 0);
    assert_int_equal (mkfifo (s_path, 0600), 0);
    s_refuse (TROUPE_EINVAL, "not a plain file");
}

static void
test_damaged_files (void **state)
{
    (void) state;
    fault_t fault;
    cluster_keys_t keys;
    char text [4096] = "", damaged [4096];
    s_write ("", 0600);
    s_refuse (TROUPE_EINVAL, "does not hold the keys");
    s_write ("troupe-keys1:AAAA\n", 0600);
    s_refuse (TROUPE_EINVAL, "incomplete or damaged");
    unlink (s_path);
    assert_int_equal (cluster_keys_open (&keys, s_path, &fault), 0);
    int fd = open (s_path, O_RDONLY);
    ssize_t size = read (fd, text, sizeof text - 1);
    close (fd);
    assert_true (size > 0);
    /*  Every byte of the line of keys counts.                              */
    for (char *place = strstr (text, "troupe-keys1:"); *place && *place != '\n'; place++) {
        memcpy (damaged, text, sizeof damaged);
        damaged [place - text] ^= 1;
        s_write (damaged, 0600);
        s_refuse (TROUPE_EINVAL, s_path);
    }
    memset (damaged, 'a', sizeof damaged - 1);
    damaged [sizeof damaged - 1] = 0;
    s_write (damaged, 0600);
    s_refuse (TROUPE_EINVAL, "does not hold the keys");
    assert_int_equal (truncate (s_path, 5000), 0);
    s_refuse (TROUPE_EINVAL, "too large");
    s_write (text, 0600);
    assert_int_equal (cluster_keys_load (&keys, s_path, &fault), 0);
}

#define OPENERS 8

static cluster_keys_t s_opened [OPENERS];

static void *
s_open (void *arg)
{
    fault_t fault;
    size_t index = (size_t) (uintptr_t) arg;
    if (cluster_keys_open (&s_opened [index], s_path, &fault))
        cluster_keys_wipe (&s_opened [index]);
    return NULL;
}

static void
test_many_open_at_once (void **state)
{
    (void) state;
    pthread_t threads [OPENERS];
    for (int round = 0; round < 20; round++) {
        unlink (s_path);
        for (size_t index = 0; index < OPENERS; index++)
            assert_int_equal (
                pthread_create (&threads [index], NULL, s_open, (void *) (uintptr_t) index), 0);
        for (size_t index = 0; index < OPENERS; index++)
            pthread_join (threads [index], NULL);
        assert_false (sodium_is_zero (s_opened [0].head.secret_key, KEY_SIZE));
        for (size_t index = 1; index < OPENERS; index++)
            assert_memory_equal (&s_opened [index], &s_opened [0], sizeof s_opened [0]);
    }
}

/*  --- tokens -----------------------------------------------------------  */

static void
s_make (join_token_t *token, char text [TOKEN_TEXT_SIZE], const char *host, uint16_t port)
{
    fault_t fault;
    cluster_keys_t keys;
    assert_int_equal (cluster_keys_new (&keys, &fault), 0);
    assert_int_equal (token_make (token, &keys, host, port, &fault), 0);
    assert_int_equal (token_write (token, text, &fault), 0);
}

static void
test_token (void **state)
{
    (void) state;
    static const char *const hosts [] = { "head", "10.1.2.3", "fe80::1%eth0", "::1",
                                          "a-b.c_d.example", "[::1]" };
    fault_t fault;
    join_token_t token, again;
    char text [TOKEN_TEXT_SIZE], padded [TOKEN_TEXT_SIZE + 16];
    for (size_t index = 0; index < sizeof hosts / sizeof *hosts; index++) {
        s_make (&token, text, hosts [index], (uint16_t) (index + 65530));
        assert_null (strpbrk (text, " \n'\"$"));
        assert_int_equal (token_read (&again, text, &fault), 0);
        assert_memory_equal (&again, &token, sizeof token);
        snprintf (padded, sizeof padded, " \n%s \r\n", text);
        assert_int_equal (token_read (&again, padded, &fault), 0);
        assert_memory_equal (&again, &token, sizeof token);
    }
}

static void
test_token_of_long_host (void **state)
{
    (void) state;
    fault_t fault;
    cluster_keys_t keys;
    join_token_t token, again;
    char host [HOST_MAX + 2], text [TOKEN_TEXT_SIZE];
    memset (host, 'h', sizeof host);
    host [HOST_MAX] = 0;
    s_make (&token, text, host, 1);
    assert_int_equal (token_read (&again, text, &fault), 0);
    assert_string_equal (again.host, host);
    assert_int_equal (cluster_keys_new (&keys, &fault), 0);
    host [HOST_MAX] = 'h';
    host [HOST_MAX + 1] = 0;
    assert_int_equal (token_make (&token, &keys, host, 1, &fault), -1);
    assert_int_equal (token_make (&token, &keys, "", 1, &fault), -1);
    assert_int_equal (token_make (&token, &keys, "a b", 1, &fault), -1);
    assert_int_equal (token_make (&token, &keys, "host", 0, &fault), -1);
    assert_int_equal (fault.code, TROUPE_EINVAL);
}

static void
test_typos (void **state)
{
    (void) state;
    fault_t fault;
    join_token_t token, wrong;
    join_token_t empty = { .port = 0 };
    char text [TOKEN_TEXT_SIZE], typo [TOKEN_TEXT_SIZE + 1];
    s_make (&token, text, "head.example", 4711);
    size_t length = strlen (text);
    for (size_t index = 0; index < length; index++) {
        for (const char *put = "aZ09-_:. %"; *put; put++) {
            memcpy (typo, text, sizeof text);
            if (typo [index] == *put)
                continue;
            typo [index] = *put;
            if (token_read (&wrong, typo, &fault) == 0)
                fail_msg ("taken with '%c' at %zu: %s", *put, index, typo);
            assert_int_equal (fault.code, TROUPE_EINVAL);
            assert_memory_equal (&wrong, &empty, sizeof wrong);
        }
        /*  A byte too few, two exchanged, cut off.                         */
        snprintf (typo, sizeof typo, "%.*s%s", (int) index, text, text + index + 1);
        assert_int_equal (token_read (&wrong, typo, &fault), -1);
        snprintf (typo, sizeof typo, "%.*s", (int) index, text);
        assert_int_equal (token_read (&wrong, typo, &fault), -1);
        if (index + 1 < length && text [index] != text [index + 1]) {
            memcpy (typo, text, sizeof text);
            typo [index] = text [index + 1];
            typo [index + 1] = text [index];
            assert_int_equal (token_read (&wrong, typo, &fault), -1);
        }
    }
    snprintf (typo, sizeof typo, "%sA", text);
    assert_int_equal (token_read (&wrong, typo, &fault), -1);
    assert_int_equal (token_read (&wrong, "hello", &fault), -1);
    assert_non_null (strstr (fault.text, "this is no token"));
    memcpy (typo, text, sizeof text);
    typo [length - 1] = typo [length - 1] == 'A' ? 'B' : 'A';
    assert_int_equal (token_read (&wrong, typo, &fault), -1);
    assert_non_null (strstr (fault.text, "checksum"));
}

static void
test_find (void **state)
{
    (void) state;
    fault_t fault;
    join_token_t token, found;
    char text [TOKEN_TEXT_SIZE], other [TOKEN_TEXT_SIZE];
    s_make (&token, other, "other", 2);
    s_make (&token, text, "head", 1);
    unsetenv ("TROUPE_TOKEN");
    assert_int_equal (token_find (&found, NULL, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ENAME);
    assert_non_null (strstr (fault.text, "TROUPE_TOKEN"));
    assert_int_equal (token_find (&found, text, &fault), 0);
    assert_memory_equal (&found, &token, sizeof token);

    setenv ("TROUPE_TOKEN", text, 1);
    assert_int_equal (token_find (&found, NULL, &fault), 0);
    assert_string_equal (found.host, "head");
    assert_int_equal (token_find (&found, other, &fault), 0);
    assert_string_equal (found.host, "other");

    s_write (text, 0600);
    assert_int_equal (token_find (&found, s_path, &fault), 0);
    setenv ("TROUPE_TOKEN", s_path, 1);
    assert_int_equal (token_find (&found, NULL, &fault), 0);
    assert_memory_equal (&found, &token, sizeof token);
    s_write (text, 0644);
    assert_int_equal (token_find (&found, NULL, &fault), -1);
    assert_non_null (strstr (fault.text, "others have access"));
    assert_non_null (strstr (fault.text, "TROUPE_TOKEN"));
    s_write ("nothing of the kind\n", 0600);
    assert_int_equal (token_find (&found, NULL, &fault), -1);
    assert_non_null (strstr (fault.text, s_path));
    unsetenv ("TROUPE_TOKEN");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_pairs),
        cmocka_unit_test_setup_teardown (test_file, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_folder, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_refused_files, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_damaged_files, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_many_open_at_once, s_setup, s_teardown),
        cmocka_unit_test (test_token),
        cmocka_unit_test (test_token_of_long_host),
        cmocka_unit_test (test_typos),
        cmocka_unit_test_setup_teardown (test_find, s_setup, s_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
