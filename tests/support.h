/*  support.h - what tests of the public API share: a runtime, expectations of
    futures, and gates, by which a test holds up a task and lets it go       */

#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <troupe.h>

#include "tests/sanitized.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUPPORT_WORKERS (SANITIZED_THREADS ? "threads:2" : "2")

/*  So long may anything take before the program is ended as hanging.       */
#define SUPPORT_HANG_SECONDS 240

static troupe_t *s_troupe;
static char s_folder [64];

/*  --- the runtime ------------------------------------------------------  */

/*  Begins main: in a worker process it does not return. Two workers, unless
    the environment has it otherwise.                                       */
static inline void
support_begin (int *argc, char ***argv)
{
    setenv ("TROUPE_WORKERS", SUPPORT_WORKERS, 0);
    s_troupe = troupe_init (argc, argv);
    if (!s_troupe) {
        fprintf (stderr, "%s: %s\n", (*argv) [0], troupe_error ());
        exit (1);
    }
    alarm (SUPPORT_HANG_SECONDS);
    snprintf (s_folder, sizeof s_folder, "/tmp/troupe-test-XXXXXX");
    if (!mkdtemp (s_folder)) {
        perror (s_folder);
        exit (1);
    }
}

/*  Ends main: what it is to return.                                        */
static inline int
support_end (int failed)
{
    if (s_troupe && troupe_term (&s_troupe)) {
        fprintf (stderr, "troupe_term: %s\n", troupe_error ());
        failed++;
    }
    if (rmdir (s_folder)) {
        perror (s_folder);
        failed++;
    }
    return failed ? 1 : 0;
}

static inline bool
support_threads (void)
{
    return strncmp (getenv ("TROUPE_WORKERS"), "threads", 7) == 0;
}

/*  How many workers there are, or will be in a moment.                     */
static inline size_t
support_workers (void)
{
    const char *text = getenv ("TROUPE_WORKERS");
    if (strcmp (text, "threads") == 0)
        return (size_t) sysconf (_SC_NPROCESSORS_ONLN);
    return strtoul (text + (support_threads () ? 8 : 0), NULL, 10);
}

/*  A name for a file in the folder of the test.                            */
static inline const char *
support_path (char *path, size_t size, const char *name)
{
    static unsigned count;
    snprintf (path, size, "%s/%s-%u", s_folder, name, ++count);
    return path;
}

/*  --- expectations -----------------------------------------------------  */

/*  A call of the interface has succeeded, else says why not.               */
#define check_done(result) check_done_ ((result), __FILE__, __LINE__)

/*  Each takes the future, waits for it, and destroys it.                   */
#define check_integer(future, wanted) check_integer_ ((future), (wanted), __FILE__, __LINE__)
#define check_string(future, wanted) check_string_ ((future), (wanted), __FILE__, __LINE__)
#define check_value(future) check_value_ ((future), __FILE__, __LINE__)

/*  The failure must have the code, and each of the texts in it, in order.  */
#define check_failure(future, code, ...)                                                    \
    check_failure_ ((future), (code), (const char *const []){ __VA_ARGS__, NULL }, __FILE__, \
                     __LINE__)

/*  The texts must be in the text, in order.                                */
#define check_texts(text, ...)                                                              \
    check_texts_ ((text), (const char *const []){ __VA_ARGS__, NULL }, __FILE__, __LINE__)

static inline void
check_texts_ (const char *text, const char *const *wanted, const char *file, int line)
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

static inline void
check_done_ (int result, const char *file, int line)
{
    if (result) {
        print_error ("%s\n", troupe_error ());
        _fail (file, line);
    }
}

static inline void
check_integer_ (troupe_future_t *future, int64_t wanted, const char *file, int line)
{
    int64_t found = 0;
    check_done_ (troupe_get (future, &found), file, line);
    if (found != wanted) {
        print_error ("wanted %" PRId64 ", got %" PRId64 "\n", wanted, found);
        _fail (file, line);
    }
    troupe_future_destroy (&future);
}

static inline void
check_string_ (troupe_future_t *future, const char *wanted, const char *file, int line)
{
    const char *found = NULL;
    check_done_ (troupe_get (future, &found), file, line);
    _assert_string_equal (found, wanted, file, line);
    troupe_future_destroy (&future);
}

static inline void
check_value_ (troupe_future_t *future, const char *file, int line)
{
    check_done_ (troupe_get (future), file, line);
    troupe_future_destroy (&future);
}

static inline void
check_failure_ (troupe_future_t *future, troupe_error_t code, const char *const *texts,
                 const char *file, int line)
{
    if (!future) {
        print_error ("no future: %s\n", troupe_error ());
        _fail (file, line);
    }
    if (troupe_get (future) == 0) {
        print_error ("wanted \"%s\", got success\n", texts [0]);
        _fail (file, line);
    }
    check_texts_ (troupe_future_error (future), texts, file, line);
    if (troupe_future_code (future) != code) {
        print_error ("wanted code %d, got %d: %s\n", (int) code,
                     (int) troupe_future_code (future), troupe_future_error (future));
        _fail (file, line);
    }
    _assert_string_equal (troupe_error (), troupe_future_error (future), file, line);
    _assert_int_equal (troupe_error_code (), code, file, line);
    troupe_future_destroy (&future);
}

/*  --- gates ------------------------------------------------------------  */

/*  A task that comes to a gate (gate_pass) stays there until it is opened;
    the test can wait for it to have come.                                  */
typedef struct {
    char path [96];
    int fd;
} gate_t;

static inline void
gate_new (gate_t *self)
{
    support_path (self->path, sizeof self->path, "gate");
    self->fd = -1;
    assert_int_equal (mkfifo (self->path, 0600), 0);
}

/*  Waits until a task has come to the gate.                                */
static inline void
gate_wait (gate_t *self)
{
    self->fd = open (self->path, O_WRONLY | O_CLOEXEC);
    assert_true (self->fd >= 0);
}

/*  Lets the task go on, for which it waits first if need be.               */
static inline void
gate_open (gate_t *self)
{
    if (self->fd < 0)
        gate_wait (self);
    assert_int_equal (write (self->fd, "x", 1), 1);
    close (self->fd);
    self->fd = -1;
    assert_int_equal (unlink (self->path), 0);
}

/*  In the task: true once the gate was opened.                             */
static inline bool
gate_pass (const char *path)
{
    char byte;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read (fd, &byte, 1);
    close (fd);
    return got == 1;
}

/*  --- traces -----------------------------------------------------------  */

/*  What a task leaves behind so that the test sees how often it ran.       */
static inline bool
trace_leave (const char *path)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ssize_t put = write (fd, "x", 1);
    close (fd);
    return put == 1;
}

static inline int64_t
trace_count (const char *path)
{
    struct stat status;
    return stat (path, &status) ? 0 : (int64_t) status.st_size;
}

#endif
