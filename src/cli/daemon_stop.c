/*  daemon_stop.c - ends the daemons of a cluster on this machine            */

#include "cli/daemon.h"

#include "client/state.h"
#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*  How long what was killed may take to go.                                */
#define KILL_PATIENCE_MS 5000

/*  The processes that a daemon has started: those of each of its threads.  */
static unsigned
s_count_workers (int pid)
{
    char path [320], text [64];
    unsigned count = 0;
    snprintf (path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir (path);
    for (struct dirent *thread; threads && (thread = readdir (threads));) {
        snprintf (path, sizeof path, "/proc/%d/task/%s/children", pid, thread->d_name);
        FILE *children = thread->d_name [0] == '.' ? NULL : fopen (path, "re");
        while (children && fscanf (children, "%63s", text) == 1)
            count++;
        if (children)
            fclose (children);
    }
    if (threads)
        closedir (threads);
    return count;
}

/*  Waits for the process behind the descriptor to end. Returns 0 or -1.    */
static int
s_await_end (int pidfd, int timeout_ms)
{
    struct pollfd item = { .fd = pidfd, .events = POLLIN };
    int64_t deadline = clock_now () + timeout_ms * CLOCK_MS;
    int rc;
    do {
        int64_t left = (deadline - clock_now ()) / CLOCK_MS;
        rc = poll (&item, 1, timeout_ms < 0 ? -1 : left > 0 ? (int) left : 0);
    } while (rc < 0 && errno == EINTR);
    return rc > 0 ? 0 : -1;
}

/*  The descriptor is of the process that wrote the file, or there is none.  */
static int
s_open (const state_t *state)
{
    int pidfd = (int) syscall (SYS_pidfd_open, state->pid, 0);
    if (pidfd >= 0 && state_started (state->pid) == state->started)
        return pidfd;
    if (pidfd >= 0)
        close (pidfd);
    return -1;
}

static int
s_signal (int pidfd, int number)
{
    return (int) syscall (SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

static int
s_stop (const state_t *state, const stop_options_t *options, stopped_t *result, fault_t *fault)
{
    int pidfd = s_open (state);
    if (pidfd < 0)
        return 0;
    result->workers += s_count_workers (state->pid);
    int rc = s_signal (pidfd, options->force ? SIGKILL : SIGTERM);
    bool killed = options->force;
    if (rc == 0 && !options->force && s_await_end (pidfd, options->timeout_ms)) {
        killed = true;
        rc = s_signal (pidfd, SIGKILL);
    }
    if (rc && errno == ESRCH)
        rc = 0;
    if (rc)
        fault_set (fault, TROUPE_ESYSTEM, "cannot end %s (pid %d): %s", state->node, state->pid,
                   strerror (errno));
    else if (s_await_end (pidfd, KILL_PATIENCE_MS))
        rc = fault_set (fault, TROUPE_ETIMEOUT, "%s (pid %d) does not end", state->node,
                        state->pid);
    close (pidfd);
    if (rc)
        return -1;
    state_remove (state->pid);
    result->daemons++;
    result->killed += killed;
    return 0;
}

static bool
s_is_meant (const state_t *state, const stop_options_t *options)
{
    if (*options->cluster && *state->cluster)
        return strcmp (state->cluster, options->cluster) == 0;
    return !*options->address || strcmp (state->address, options->address) == 0;
}

/*  Keeps those of the cluster that is meant, which is one. Returns how many,
    or -1 with the fault set.                                               */
static int
s_choose (state_t *states, size_t count, const stop_options_t *options, stopped_t *result,
          fault_t *fault)
{
    int chosen = 0;
    for (size_t index = 0; index < count; index++) {
        if (!s_is_meant (&states [index], options)) {
            snprintf (result->other, sizeof result->other, "%s", states [index].address);
            continue;
        }
        if (chosen && strcmp (states [0].cluster, states [index].cluster))
            return fault_set (fault, TROUPE_EINVAL,
                              "several clusters run on this machine, at %s and %s: say which one "
                              "with --address",
                              states [0].address, states [index].address);
        if ((size_t) chosen != index)
            states [chosen] = states [index];
        chosen++;
    }
    return chosen;
}

int
daemon_stop (const stop_options_t *options, stopped_t *result, fault_t *fault)
{
    state_t states [STATE_DAEMONS_MAX];
    int64_t begin = clock_now ();
    *result = (stopped_t){ 0 };
    int count = s_choose (states, state_list (states, STATE_DAEMONS_MAX), options, result, fault);
    if (count < 0)
        return -1;
    /*  Nodes first: they take leave of the head.                           */
    for (int heads = 0; heads < 2; heads++)
        for (int index = 0; index < count; index++)
            if (states [index].head == (heads == 1)
                && s_stop (&states [index], options, result, fault))
                return -1;
    result->milliseconds = (double) (clock_now () - begin) / CLOCK_MS;
    return 0;
}
