/*  file_await.h - tasks of tests that wait for a file, which a script makes */

#ifndef TROUPE_TESTS_FILE_AWAIT_H
#define TROUPE_TESTS_FILE_AWAIT_H

#include "tests/eventually.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*  The descriptor tells when something comes into the file's folder; -1 if it
    cannot.                                                                 */
static inline int
file_watch_ (const char *path)
{
    char folder [PATH_MAX];
    snprintf (folder, sizeof folder, "%s", path);
    char *slash = strrchr (folder, '/');
    if (slash)
        slash [slash == folder] = 0;
    int fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0 || inotify_add_watch (fd, slash ? folder : ".", IN_CREATE | IN_MOVED_TO) >= 0)
        return fd;
    close (fd);
    return -1;
}

/*  Blocks until there is such a file. Returns 0, or -1: there is none after
    PATIENCE_MS, or its folder cannot be watched.                           */
static inline int
file_await (const char *path)
{
    char events [4096];
    int64_t until = now_ms () + PATIENCE_MS, left;
    int fd = file_watch_ (path), there;
    while ((there = access (path, F_OK)) != 0 && fd >= 0 && (left = until - now_ms ()) > 0) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        poll (&item, 1, (int) left);
        while (read (fd, events, sizeof events) > 0)
            ;
    }
    if (fd >= 0)
        close (fd);
    return there;
}

#endif
