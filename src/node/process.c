/*  process.c - worker processes: this program, run again                   */

#include "node/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/*  The arguments of this process, as the kernel keeps them. The result and
    *block are the caller's to free.                                        */
static char **
s_arguments (char **block)
{
    size_t size = 0, capacity = 4096;
    *block = malloc (capacity);
    int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got;
    while (*block && fd >= 0
           && (got = read (fd, *block + size, capacity - size - 1)) > 0) {
        size += (size_t) got;
        if (size + 1 < capacity)
            continue;
        char *grown = realloc (*block, capacity *= 2);
        if (!grown)
            break;
        *block = grown;
    }
    if (fd >= 0)
        close (fd);
    if (!*block || !size)
        return NULL;
    size_t count = 0;
    for (size_t index = 0; index < size; index++)
        count += (*block) [index] == 0;
    char **arguments = calloc (count + 1, sizeof *arguments);
    char *place = *block;
    for (size_t index = 0; arguments && index < count; index++) {
        arguments [index] = place;
        place += strlen (place) + 1;
    }
    return arguments;
}

/*  The environment with one entry more, to be freed; entries are shared.   */
static char **
s_environment (char *entry)
{
    size_t count = 0;
    while (environ && environ [count])
        count++;
    char **copy = calloc (count + 2, sizeof *copy);
    if (!copy)
        return NULL;
    if (count)
        memcpy (copy, environ, count * sizeof *copy);
    copy [count] = entry;
    return copy;
}

/*  In the child every signal is as a new program expects it.               */
static int
s_spawn (pid_t *pid, char **arguments, char **environment, int fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset (&none);
    posix_spawn_file_actions_init (&actions);
    posix_spawnattr_init (&attributes);
    posix_spawn_file_actions_adddup2 (&actions, fd, fd);
    posix_spawnattr_setsigmask (&attributes, &none);
    posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK);
    int rc = posix_spawn (pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy (&attributes);
    posix_spawn_file_actions_destroy (&actions);
    return rc;
}

pid_t
process_start (const char *boot, int fd, int *pidfd, fault_t *fault)
{
    char *block = NULL, *entry = NULL;
    pid_t pid = -1;
    char **arguments = s_arguments (&block);
    int rc = 0;
    if (asprintf (&entry, "TROUPE_BOOT=%s", boot) < 0) {
        entry = NULL;
        rc = ENOMEM;
    }
    char **environment = rc ? NULL : s_environment (entry);
    if (!arguments || !environment)
        rc = ENOMEM;
    if (rc == 0)
        rc = s_spawn (&pid, arguments, environment, fd);
    free (arguments);
    free (environment);
    free (block);
    free (entry);
    if (rc) {
        fault_set (fault, TROUPE_ESYSTEM, "cannot start a worker process: %s", strerror (rc));
        return -1;
    }
    *pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
    if (*pidfd >= 0)
        return pid;
    fault_set (fault, TROUPE_ESYSTEM, "cannot watch a worker process: %s", strerror (errno));
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
    return -1;
}

bool
process_reap (pid_t pid, char *cause, size_t size)
{
    int status = 0;
    pid_t rc;
    do {
        rc = waitpid (pid, &status, 0);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0)
        snprintf (cause, size, "ended (its status was taken by someone else)");
    else if (WIFSIGNALED (status))
        snprintf (cause, size, "killed by signal %d (%s)", WTERMSIG (status),
                  strsignal (WTERMSIG (status)));
    else
        snprintf (cause, size, "exited with status %d", WEXITSTATUS (status));
    return rc < 0 || !WIFSIGNALED (status)
           || (WTERMSIG (status) != SIGKILL && WTERMSIG (status) != SIGTERM);
}
