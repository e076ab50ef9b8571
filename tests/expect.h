/*  expect.h - for tests through the whole library: checks on futures, gates
    that hold functions in workers, and waits with a deadline               */

#ifndef TROUPE_TESTS_EXPECT_H
#define TROUPE_TESTS_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <troupe.h>

#include "tests/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*  Nothing in these tests takes this long unless it hangs.                 */
#define PATIENCE_MS 60000

#define unused_ __attribute__ ((unused))

static unused_ int64_t
now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*  Repeats `condition` until it holds; false after PATIENCE_MS.            */
#define eventually(condition) eventually_within (PATIENCE_MS, condition)
#define eventually_within(limit_ms, condition)                                               \
    __extension__ ({                                                                         \
        int64_t until_ = now_ms () + (limit_ms);                                             \
        bool holds_ = (condition);                                                           \
        while (!holds_ && now_ms () < until_) {                                              \
            poll (NULL, 0, 1);                                                               \
            holds_ = (condition);                                                            \
        }                                                                                    \
        holds_;                                                                              \
    })

/*  --- futures: each of these waits for one and drops it ----------------  */

static unused_ void
expect_finished (troupe_future_t *future)
{
    assert_non_null (future);
    if (troupe_wait (&future, 1, 1, PATIENCE_MS, NULL) != 1)
        fail_msg ("no answer within %d ms", PATIENCE_MS);
}

static unused_ void
expect_success (troupe_future_t *future)
{
    expect_finished (future);
    if (troupe_future_error (future))
        fail_msg ("%s", troupe_future_error (future));
    troupe_future_destroy (&future);
}

static unused_ void
expect_integer (troupe_future_t *future, int64_t wanted)
{
    int64_t found = 0;
    expect_finished (future);
    if (troupe_get (future, &found))
        fail_msg ("wanted %lld: %s", (long long) wanted, troupe_error ());
    assert_int_equal (found, wanted);
    troupe_future_destroy (&future);
}

static unused_ void
expect_integers (troupe_future_t *future, const int64_t *wanted, size_t count)
{
    troupe_int64s_t found = { NULL, 0 };
    expect_finished (future);
    if (troupe_get (future, &found))
        fail_msg ("%s", troupe_error ());
    assert_int_equal (found.count, count);
    for (size_t index = 0; index < count; index++)
        assert_int_equal (found.items [index], wanted [index]);
    troupe_future_destroy (&future);
}

/*  It must have failed with this code, and every one of the words, which
    end in NULL, must be in the text in this order.                         */
static unused_ void
expect_failure_words (troupe_future_t *future, troupe_error_t code, const char *const *words)
{
    expect_finished (future);
    const char *error = troupe_future_error (future);
    if (!error)
        fail_msg ("it should have failed with \"%s\"", words [0] ? words [0] : "");
    const char *place = error;
    for (; *words; words++) {
        place = strstr (place, *words);
        if (!place)
            fail_msg ("wanted \"%s\" in \"%s\"", *words, error);
    }
    if (troupe_future_code (future) != code)
        fail_msg ("wanted code %d, got %d: %s", (int) code, (int) troupe_future_code (future),
                  error);
    int64_t nothing;
    assert_int_equal (troupe_get (future, &nothing), -1);
    assert_int_equal (troupe_error_code (), code);
    troupe_future_destroy (&future);
}

#define expect_failure(future_, code_, ...)                                                  \
    expect_failure_words ((future_), (code_), (const char *const []){ __VA_ARGS__, NULL })

/*  --- files ------------------------------------------------------------  */

static char scratch_folder [64];

static unused_ void
scratch_new (void)
{
    strcpy (scratch_folder, "/tmp/troupe-test-XXXXXX");
    if (!mkdtemp (scratch_folder)) {
        perror ("mkdtemp");
        exit (1);
    }
}

/*  The path of a file that no test has had before, to be freed.            */
static unused_ char *
scratch_path (void)
{
    static unsigned number;
    char *path;
    if (asprintf (&path, "%s/%u", scratch_folder, ++number) < 0)
        fail_msg ("out of memory");
    return path;
}

static unused_ void
scratch_destroy (void)
{
    char command [128];
    snprintf (command, sizeof command, "rm -rf '%s'", scratch_folder);
    if (system (command) != 0)
        fprintf (stderr, "cannot remove %s\n", scratch_folder);
}

static unused_ bool
file_exists (const char *path)
{
    return access (path, F_OK) == 0;
}

/*  Appends a line in one write.                                            */
static unused_ int
file_append (const char *path, const char *line)
{
    char text [256];
    int size = snprintf (text, sizeof text, "%s\n", line);
    int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int rc = fd >= 0 && write (fd, text, (size_t) size) == size ? 0 : -1;
    if (fd >= 0)
        close (fd);
    return rc;
}

/*  The number of lines that equal `line`, or of all if it is NULL.         */
static unused_ size_t
file_count (const char *path, const char *line)
{
    char text [256];
    size_t count = 0;
    FILE *file = fopen (path, "r");
    while (file && fgets (text, sizeof text, file)) {
        text [strcspn (text, "\n")] = 0;
        count += !line || strcmp (text, line) == 0;
    }
    if (file)
        fclose (file);
    return count;
}

/*  --- gates: a function in a worker waits in gate_pass until the test,
    which knows from gate_reached that it is there, calls gate_open --------- */

typedef struct {
    char *path;
    int fd;
} gate_t;

static unused_ gate_t
gate_new (void)
{
    gate_t gate = { scratch_path (), -1 };
    assert_int_equal (mkfifo (gate.path, 0600), 0);
    return gate;
}

/*  In the worker.                                                          */
static unused_ void
gate_pass (const char *path)
{
    char byte;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && read (fd, &byte, 1) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        close (fd);
}

static unused_ void
gate_reached (gate_t *gate)
{
    assert_true (
        eventually ((gate->fd = open (gate->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0));
}

/*  Lets through who is there; waits for somebody if nobody is.             */
static unused_ void
gate_open (gate_t *gate)
{
    if (gate->fd < 0)
        gate_reached (gate);
    close (gate->fd);
    free (gate->path);
    *gate = (gate_t){ NULL, -1 };
}

#endif
