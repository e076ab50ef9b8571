/*  process.c - processes that the node starts, watches and reaps            */

#include "program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
    while (*block && fd >= 0 && (got = read (fd, *block + size, capacity - size - 1)) > 0) {
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

/*  --- the environment ---------------------------------------------------- */

/*  The length of an entry's name.                                          */
static size_t
s_name (const char *entry)
{
    return strcspn (entry, "=");
}

static bool
s_is_changed (const char *entry, const char *const *changes)
{
    size_t length = s_name (entry);
    for (; changes && *changes; changes++)
        if (s_name (*changes) == length && strncmp (*changes, entry, length) == 0)
            return true;
    return false;
}

/*  The environment with the changes, to be freed; entries are shared.      */
static char **
s_environment (const char *const *changes)
{
    size_t room = 1, count = 0;
    for (char **entry = environ; entry && *entry; entry++)
        room++;
    for (const char *const *entry = changes; entry && *entry; entry++)
        room++;
    char **copy = calloc (room, sizeof *copy);
    if (!copy)
        return NULL;
    for (char **entry = environ; entry && *entry; entry++)
        if (!s_is_changed (*entry, changes))
            copy [count++] = *entry;
    for (; changes && *changes; changes++)
        if ((*changes) [s_name (*changes)] && !s_is_changed (*changes, changes + 1))
            copy [count++] = (char *) *changes;
    return copy;
}

/*  --- the child ---------------------------------------------------------- */

/*  What the child needs, made before it is there.                          */
typedef struct {
    const process_options_t *options;
    const char *path;
    char **arguments;
    char **environment;
    pid_t parent;
    int report;                 /*  a failure_t is written here             */
} plan_t;

typedef struct {
    enum { FAILED_EXEC, FAILED_FOLDER, FAILED_DESCRIPTOR } step;
    int error;
} failure_t;

/*  No handler of the parent may run in the child: they share memory until
    it runs the program.                                                    */
static void
s_default_signals (void)
{
    struct sigaction action;
    for (int number = 1; number < NSIG; number++) {
        if (sigaction (number, NULL, &action))
            continue;
        bool is_handled = action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL;
        if (!is_handled && (number != SIGPIPE || action.sa_handler == SIG_DFL))
            continue;
        memset (&action, 0, sizeof action);
        action.sa_handler = SIG_DFL;
        sigaction (number, &action, NULL);
    }
}

/*  Makes `from` a descriptor `to` that the program inherits.               */
static int
s_inherit (int from, int to)
{
    if (from <= 0)
        return 0;
    if (from != to)
        return dup2 (from, to) < 0 ? -1 : 0;
    int flags = fcntl (from, F_GETFD);
    return flags < 0 ? -1 : fcntl (from, F_SETFD, flags & ~FD_CLOEXEC);
}

static _Noreturn void
s_child (const plan_t *plan)
{
    const process_options_t *options = plan->options;
    failure_t failure = { FAILED_DESCRIPTOR, 0 };
    sigset_t none;
    s_default_signals ();
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != plan->parent)
        _exit (1);
    if (s_inherit (options->output, STDOUT_FILENO) == 0
        && s_inherit (options->errors, STDERR_FILENO) == 0
        && s_inherit (options->fd, options->fd) == 0) {
        failure.step = FAILED_FOLDER;
        if (!options->folder || chdir (options->folder) == 0) {
            failure.step = FAILED_EXEC;
            sigemptyset (&none);
            sigprocmask (SIG_SETMASK, &none, NULL);
            execve (plan->path, plan->arguments, plan->environment);
        }
    }
    failure.error = errno;
    while (write (plan->report, &failure, sizeof failure) < 0 && errno == EINTR)
        ;
    _exit (127);
}

/*  The child borrows this process's memory until it runs the program, so
    that starting takes no longer in a large process than in a small one.   */
static pid_t
s_fork (const plan_t *plan)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    pid_t pid = vfork ();
    if (pid == 0)
        s_child (plan);
    int error = errno;
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

/*  --- the parent --------------------------------------------------------- */

static int
s_explain (const plan_t *plan, const failure_t *failure, fault_t *fault)
{
    const char *why = strerror (failure->error), *folder = plan->options->folder;
    if (failure->step == FAILED_EXEC)
        return fault_set (fault, TROUPE_ESYSTEM, "cannot run %s: %s", plan->path, why);
    if (failure->step == FAILED_FOLDER)
        return fault_set (fault, TROUPE_ESYSTEM, "cannot run %s in %s: %s", plan->path, folder,
                          why);
    return fault_set (fault, TROUPE_ESYSTEM, "cannot run %s: its descriptors: %s", plan->path,
                      why);
}

/*  Starts the child and waits until it runs the program: the report ends
    then, without a failure in it. pid_t, or -1 with the fault set.         */
static pid_t
s_start (plan_t *plan, fault_t *fault)
{
    int ends [2];
    failure_t failure;
    ssize_t got;
    if (pipe2 (ends, O_CLOEXEC)) {
        fault_set (fault, TROUPE_ESYSTEM, "cannot run %s: %s", plan->path, strerror (errno));
        return -1;
    }
    plan->report = ends [1];
    pid_t pid = s_fork (plan);
    if (pid < 0)
        fault_set (fault, TROUPE_ESYSTEM, "cannot start a process for %s: %s", plan->path,
                   strerror (errno));
    close (ends [1]);
    do {
        got = pid < 0 ? 0 : read (ends [0], &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    close (ends [0]);
    if (got != sizeof failure)
        return pid;
    waitpid (pid, NULL, 0);
    return s_explain (plan, &failure, fault);
}

pid_t
process_start (const process_options_t *options, int *pidfd, fault_t *fault)
{
    char *block = NULL;
    pid_t pid = -1;
    char **own = options->argv ? NULL : s_arguments (&block);
    plan_t plan = { .options = options,
                    .path = options->path ? options->path : "/proc/self/exe",
                    .arguments = options->argv ? (char **) options->argv : own,
                    .environment = s_environment (options->environment),
                    .parent = getpid () };
    if (plan.arguments && plan.environment)
        pid = s_start (&plan, fault);
    else
        fault_set (fault, TROUPE_ENOMEM, "cannot run %s: no memory for its arguments",
                   plan.path);
    free (plan.environment);
    free (own);
    free (block);
    if (pid < 0)
        return -1;
    *pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
    if (*pidfd >= 0)
        return pid;
    fault_set (fault, TROUPE_ESYSTEM, "cannot watch process %d: %s", (int) pid,
               strerror (errno));
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
