/*  expect.h - for tests through the whole library: checks on futures, gates
    that hold functions in workers                                          */

#ifndef TROUPE_TESTS_EXPECT_H
#define TROUPE_TESTS_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <troupe.h>

#include "tests/eventually.h"
#include "tests/sanitized.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define unused_ __attribute__ ((unused))

/*  --- expectations: those of futures wait for one and drop it -----------  */

/*  A call of the interface has succeeded.                                  */
#define expect_done(result_) expect_done_ ((result_), __FILE__, __LINE__)

#define expect_finished(future_) expect_finished_ ((future_), __FILE__, __LINE__)
#define expect_success(future_) expect_success_ ((future_), __FILE__, __LINE__)
#define expect_integer(future_, wanted_)                                                       \
    expect_integer_ ((future_), (wanted_), __FILE__, __LINE__)
#define expect_text(future_, wanted_) expect_text_ ((future_), (wanted_), __FILE__, __LINE__)

/*  It has failed with the code, and each of the texts is in the failure's, in
    this order. What expect_failure_words takes ends in NULL.               */
#define expect_failure(future_, code_, ...)                                                    \
    expect_failure_ ((future_), (code_), (const char *const []){ __VA_ARGS__, NULL },          \
                     __FILE__, __LINE__)
#define expect_failure_words(future_, code_, texts_)                                           \
    expect_failure_ ((future_), (code_), (texts_), __FILE__, __LINE__)

#define expect_words(text_, ...)                                                               \
    expect_words_ ((text_), (const char *const []){ __VA_ARGS__, NULL }, __FILE__, __LINE__)

static unused_ void
expect_words_ (const char *text, const char *const *wanted, const char *file, int line)
{
    const char *place = text;
    for (; place && *wanted; wanted++) {
        place = strstr (place, *wanted);
        if (place)
            place += strlen (*wanted);
        else
            print_error ("wanted \"%s\" in \"%s\"\n", *wanted, text);
    }
    if (!place)
        _fail (file, line);
}

static unused_ void
expect_done_ (int result, const char *file, int line)
{
    if (!result)
        return;
    print_error ("%s\n", troupe_error ());
    _fail (file, line);
}

static unused_ void
expect_finished_ (troupe_future_t *future, const char *file, int line)
{
    if (!future)
        print_error ("no future: %s\n", troupe_error ());
    else if (troupe_wait (&future, 1, 1, PATIENCE_MS, NULL) == 1)
        return;
    else
        print_error ("no answer within %d ms\n", PATIENCE_MS);
    _fail (file, line);
}

static unused_ void
expect_success_ (troupe_future_t *future, const char *file, int line)
{
    expect_finished_ (future, file, line);
    expect_done_ (troupe_get (future), file, line);
    troupe_future_destroy (&future);
}

static unused_ void
expect_integer_ (troupe_future_t *future, int64_t wanted, const char *file, int line)
{
    int64_t found = 0;
    expect_finished_ (future, file, line);
    expect_done_ (troupe_get (future, &found), file, line);
    if (found != wanted) {
        print_error ("wanted %" PRId64 ", got %" PRId64 "\n", wanted, found);
        _fail (file, line);
    }
    troupe_future_destroy (&future);
}

static unused_ void
expect_text_ (troupe_future_t *future, const char *wanted, const char *file, int line)
{
    const char *found = NULL;
    expect_finished_ (future, file, line);
    expect_done_ (troupe_get (future, &found), file, line);
    _assert_string_equal (found, wanted, file, line);
    troupe_future_destroy (&future);
}

static unused_ void
expect_integers (troupe_future_t *future, const int64_t *wanted, size_t count)
{
    troupe_int64s_t found = { NULL, 0 };
    expect_finished (future);
    expect_done (troupe_get (future, &found));
    assert_int_equal (found.count, count);
    for (size_t index = 0; index < count; index++)
        assert_int_equal (found.items [index], wanted [index]);
    troupe_future_destroy (&future);
}

/*  The thread's last error is that of the future, too.                     */
static unused_ void
expect_failure_ (troupe_future_t *future, troupe_error_t code, const char *const *texts,
                 const char *file, int line)
{
    expect_finished_ (future, file, line);
    if (troupe_get (future) == 0) {
        print_error ("wanted \"%s\", got success\n", texts [0] ? texts [0] : "");
        _fail (file, line);
    }
    expect_words_ (troupe_future_error (future), texts, file, line);
    if (troupe_future_code (future) != code) {
        print_error ("wanted code %d, got %d: %s\n", (int) code,
                     (int) troupe_future_code (future), troupe_future_error (future));
        _fail (file, line);
    }
    _assert_string_equal (troupe_error (), troupe_future_error (future), file, line);
    _assert_int_equal (troupe_error_code (), code, file, line);
    troupe_future_destroy (&future);
}

/*  --- files ------------------------------------------------------------  */

#define SCRATCH_SIZE 96

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

/*  The path of a file that no test has had before; and one to be freed.    */
static unused_ void
scratch_name (char *path, size_t size)
{
    static unsigned number;
    snprintf (path, size, "%s/%u", scratch_folder, ++number);
}

static unused_ char *
scratch_path (void)
{
    char path [SCRATCH_SIZE];
    scratch_name (path, sizeof path);
    return strdup (path);
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

/*  The number of entries of a folder, "." and ".." among them.             */
static unused_ size_t
folder_count (const char *path)
{
    size_t count = 0;
    DIR *folder = opendir (path);
    assert_non_null (folder);
    while (readdir (folder))
        count++;
    closedir (folder);
    return count;
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
    char path [SCRATCH_SIZE];
    int fd;
} gate_t;

static unused_ gate_t
gate_new (void)
{
    gate_t gate = { .fd = -1 };
    scratch_name (gate.path, sizeof gate.path);
    assert_int_equal (mkfifo (gate.path, 0600), 0);
    return gate;
}

/*  In the worker: true once the gate was opened.                           */
static unused_ bool
gate_pass (const char *path)
{
    char byte;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && read (fd, &byte, 1) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        close (fd);
    return fd >= 0;
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
    gate->fd = -1;
}

#endif
