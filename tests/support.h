/*  support.h - a runtime for tests of the public interface: two workers, and a
    folder for files                                                         */

#ifndef TROUPE_TESTS_SUPPORT_H
#define TROUPE_TESTS_SUPPORT_H

#include "tests/expect.h"

#define SUPPORT_WORKERS (SANITIZED_THREADS ? "threads:2" : "2")

/*  So long may anything take before the program is ended as hanging.       */
#define SUPPORT_HANG_SECONDS 240

static troupe_t *s_troupe;

/*  Begins main: in a worker process it does not return. Two workers, unless
    the environment has it otherwise; all tests, unless TEST_FILTER is a pattern
    for the names of some. The folder is new, unless scratch_new made it.   */
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
    if (getenv ("TEST_FILTER"))
        cmocka_set_test_filter (getenv ("TEST_FILTER"));
    if (!*scratch_folder)
        scratch_new ();
}

/*  Ends main: what it is to return.                                        */
static inline int
support_end (int failed)
{
    if (s_troupe && troupe_term (&s_troupe)) {
        fprintf (stderr, "troupe_term: %s\n", troupe_error ());
        failed++;
    }
    scratch_destroy ();
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

#endif
