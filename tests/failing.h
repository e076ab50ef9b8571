/*  failing.h - calls of the system that fail once, in turn

    The program is linked with --wrap for each of these (Makefile.am). In
    failing_walk the n-th of them fails, for n = 1, 2... until a scenario
    needs no n-th. What leaks then, the address sanitizer tells.            */

#ifndef TESTS_FAILING_H
#define TESTS_FAILING_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

static unsigned failing_until;  /*  calls until one fails; 0: never         */
static bool failing_failed;     /*  one did                                 */

static bool
failing_now (void)
{
    if (failing_until == 0 || --failing_until)
        return false;
    failing_failed = true;
    errno = ENOSPC;
    return true;
}

/*  Declares the real function and the one that may fail in its place.      */
#define FAILING(type, name, failure, parameters, arguments)                                  \
    type __real_##name parameters;                                                           \
    type __wrap_##name parameters;                                                           \
    type __wrap_##name parameters                                                            \
    {                                                                                        \
        return failing_now () ? (failure) : __real_##name arguments;                         \
    }

FAILING (void *, malloc, NULL, (size_t size), (size))
FAILING (void *, calloc, NULL, (size_t count, size_t size), (count, size))
FAILING (void *, realloc, NULL, (void *place, size_t size), (place, size))
FAILING (void *, aligned_alloc, NULL, (size_t alignment, size_t size), (alignment, size))
FAILING (ssize_t, write, -1, (int fd, const void *data, size_t size), (fd, data, size))
FAILING (ssize_t, pwrite, -1, (int fd, const void *data, size_t size, off_t offset),
         (fd, data, size, offset))
FAILING (int, fallocate, -1, (int fd, int mode, off_t offset, off_t size),
         (fd, mode, offset, size))
FAILING (int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
FAILING (int, linkat, -1, (int from, const char *name, int to, const char *other, int flags),
         (from, name, to, other, flags))
FAILING (int, renameat, -1, (int from, const char *name, int to, const char *other),
         (from, name, to, other))
FAILING (int, ftruncate, -1, (int fd, off_t size), (fd, size))
FAILING (int, pipe2, -1, (int *ends, int flags), (ends, flags))
FAILING (int, epoll_ctl, -1, (int fd, int operation, int other, struct epoll_event *event),
         (fd, operation, other, event))

int __real_openat (int fd, const char *path, int flags, ...);
int __wrap_openat (int fd, const char *path, int flags, ...);

int
__wrap_openat (int fd, const char *path, int flags, ...)
{
    va_list args;
    va_start (args, flags);
    mode_t mode = flags & O_CREAT ? va_arg (args, mode_t) : 0;
    va_end (args);
    return failing_now () ? -1 : __real_openat (fd, path, flags, mode);
}

/*  Runs the scenario once for each of its calls, which fails. Returns how
    many those were.                                                        */
static inline unsigned
failing_walk (void (*scenario) (void))
{
    for (unsigned n = 1;; n++) {
        failing_until = n;
        failing_failed = false;
        scenario ();
        failing_until = 0;
        if (!failing_failed)
            return n - 1;
    }
}

#endif
