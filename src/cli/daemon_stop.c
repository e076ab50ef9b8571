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
#define KILL_PATIENCE (5000 * CLOCK_MS)

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

/*  A daemon that is to end.                                                */
typedef struct {
    const state_t *state;
    int pidfd;
    bool killed;
} target_t;

/*  Waits for the process behind the descriptor to end. Returns 0 or -1.    */
static int
s_await_end (int pidfd, int64_t deadline)
{
    struct pollfd item = { .fd = pidfd, .events = POLLIN };
    int rc;
    do {
        int64_t left = (deadline - clock_now ()) / CLOCK_MS;
        rc = poll (&item, 1, deadline == CLOCK_NEVER ? -1 : left > 0 ? (int) left : 0);
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

/*  One that has ended by itself is as well. Returns 0, or -1 with the fault set. */
static int
s_signal (target_t *self, int number, fault_t *fault)
{
    self->killed = self->killed || number == SIGKILL;
    if (syscall (SYS_pidfd_send_signal, self->pidfd, number, NULL, 0) == 0 || errno == ESRCH)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot end %s (pid %d): %s", self->state->node,
                      self->state->pid, strerror (errno));
}

/*  Waits until it has ended, and kills what has not by then.               */
static int
s_await (target_t *self, int64_t deadline, stopped_t *result, fault_t *fault)
{
    if (!self->killed && s_await_end (self->pidfd, deadline) && s_signal (self, SIGKILL, fault))
        return -1;
    if (s_await_end (self->pidfd, clock_now () + KILL_PATIENCE))
        return fault_set (fault, TROUPE_ETIMEOUT, "%s (pid %d) does not end", self->state->node,
                          self->state->pid);
    state_remove (self->state->pid);
    result->daemons++;
    result->killed += self->killed;
    return 0;
}

/*  All at the same time, but the heads end last: nodes take leave of them.
    Meanwhile a head's own node takes no new work either (SIGUSR1). What one
    cannot do does not keep the others.                                     */
static int
s_stop (target_t *targets, int count, const stop_options_t *options, stopped_t *result,
        fault_t *fault)
{
    int rc = 0;
    int64_t deadline
        = options->timeout_ms < 0 ? CLOCK_NEVER : clock_now () + options->timeout_ms * CLOCK_MS;
    for (int index = 0; index < count; index++)
        if (s_signal (&targets [index],
                      options->force                ? SIGKILL
                      : targets [index].state->head ? SIGUSR1
                                                    : SIGTERM,
                      fault))
            rc = -1;
    for (int heads = 0; heads < 2; heads++) {
        for (int index = 0; index < count && heads && !options->force; index++)
            if (targets [index].state->head && s_signal (&targets [index], SIGTERM, fault))
                rc = -1;
        for (int index = 0; index < count; index++)
            if (targets [index].state->head == (heads == 1)
                && s_await (&targets [index], deadline, result, fault))
                rc = -1;
    }
    return rc;
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
    target_t targets [STATE_DAEMONS_MAX];
    int64_t begin = clock_now ();
    int running = 0;
    *result = (stopped_t){ 0 };
    int count = s_choose (states, state_list (states, STATE_DAEMONS_MAX), options, result, fault);
    if (count < 0)
        return -1;
    for (int index = 0; index < count; index++) {
        target_t target = { &states [index], s_open (&states [index]), false };
        if (target.pidfd < 0)
            continue;
        result->workers += s_count_workers (states [index].pid);
        targets [running++] = target;
    }
    int rc = s_stop (targets, running, options, result, fault);
    for (int index = 0; index < running; index++)
        close (targets [index].pidfd);
    result->milliseconds = (double) (clock_now () - begin) / CLOCK_MS;
    return rc;
}
