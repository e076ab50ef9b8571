/*  daemon_stop.c - ends the daemons of a cluster on this machine            */

#include "cli/daemon.h"

#include "cli/ending.h"
#include "client/state.h"
#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/*  How long an end in order may take that waits for no work: workers, goodbyes
    to others, of whom some may stand still; and how long what was killed may
    take to go.                                                             */
#define FORCE_PATIENCE (10000 * CLOCK_MS)
#define KILL_PATIENCE (5000 * CLOCK_MS)

/*  When it is said what is waited for, and how soon again.                 */
#define SAY_AFTER (1000 * CLOCK_MS)
#define SAY_AGAIN (2000 * CLOCK_MS)
#define TURN_MS 200
#define WAITS_MAX 1024

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

/*  What a daemon was told last.                                            */
typedef enum { TOLD_IN_PEACE, TOLD_AT_ONCE, TOLD_TO_DIE } told_t;

/*  A daemon that is to end.                                                */
typedef struct {
    const state_t *state;
    int pidfd;
    told_t told;
    int64_t due;                /*  the next is told                        */
    bool over;                  /*  it has ended, or does not               */
} target_t;

typedef struct {
    target_t targets [STATE_DAEMONS_MAX];
    int count;
    const stop_options_t *options;
    stopped_t *result;
    fault_t *fault;
    int interrupts;             /*  signalfd                                */
    int64_t begin;
    int64_t said;
    char text [WAITS_MAX];      /*  last said                               */
    int rc;
} stop_t;

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

/*  --- telling ----------------------------------------------------------  */

static void
s_fail (stop_t *self, target_t *target, const char *what, const char *why)
{
    target->over = true;
    self->rc = fault_set (self->fault, *why ? TROUPE_ESYSTEM : TROUPE_ETIMEOUT, "%s (pid %d) %s%s",
                          target->state->node, target->state->pid, what, why);
}

/*  One that has ended by itself is as well.                                */
static void
s_tell (stop_t *self, target_t *target, told_t told)
{
    static const int signals [] = { ENDING_IN_PEACE, ENDING_AT_ONCE, SIGKILL };
    static const int64_t patience [] = { 0, FORCE_PATIENCE, KILL_PATIENCE };
    int64_t now = clock_now ();
    target->told = told;
    target->due = now + patience [told];
    if (told == TOLD_IN_PEACE)
        target->due = self->options->timeout_ms < 0
                          ? CLOCK_NEVER
                          : now + self->options->timeout_ms * CLOCK_MS;
    if (syscall (SYS_pidfd_send_signal, target->pidfd, signals [told], NULL, 0) && errno != ESRCH)
        s_fail (self, target, "cannot be ended: ", strerror (errno));
}

/*  Each has its own share of time.                                         */
static void
s_hurry (stop_t *self)
{
    for (int index = 0; index < self->count; index++) {
        target_t *target = &self->targets [index];
        if (target->over || clock_now () < target->due)
            continue;
        if (target->told == TOLD_TO_DIE)
            s_fail (self, target, "does not end", "");
        else
            s_tell (self, target, target->told + 1);
    }
}

/*  --- waiting ----------------------------------------------------------  */

static void
s_add (char text [WAITS_MAX], const char *what)
{
    size_t length = strlen (text);
    snprintf (text + length, WAITS_MAX - length, "%s%s", length ? "; " : "", what);
}

/*  What the daemon says that it waits for, or else itself.                 */
static void
s_add_waits (const stop_t *self, const target_t *target, char text [WAITS_MAX])
{
    state_t state;
    char line [160];
    if (state_read (target->state->pid, &state) == 0 && *state.waits) {
        s_add (text, state.waits);
        return;
    }
    if (clock_now () - self->begin < 2 * SAY_AFTER)
        return;
    snprintf (line, sizeof line, "%s (pid %d) to end", target->state->node, target->state->pid);
    s_add (text, line);
}

/*  The head knows of all, and so it alone is asked while it is there.      */
static void
s_say (stop_t *self)
{
    char text [WAITS_MAX] = "";
    int64_t now = clock_now ();
    bool head = false;
    if (!self->options->waits || now - self->begin < SAY_AFTER || now - self->said < SAY_AGAIN)
        return;
    for (int index = 0; index < self->count; index++)
        head = head || (!self->targets [index].over && self->targets [index].state->head);
    for (int index = 0; index < self->count; index++)
        if (!self->targets [index].over && self->targets [index].state->head == head)
            s_add_waits (self, &self->targets [index], text);
    if (!*text || strcmp (text, self->text) == 0)
        return;
    memcpy (self->text, text, sizeof text);
    self->said = now;
    self->options->waits (text);
}

static void
s_note_end (stop_t *self, target_t *target)
{
    target->over = true;
    /*  The others are about to end, too.                                   */
    self->said = clock_now ();
    state_remove (target->state->pid);
    self->result->daemons++;
    self->result->killed += target->told == TOLD_TO_DIE;
}

/*  Waits a moment for some of them to end. Returns how many are left.      */
static int
s_turn (stop_t *self)
{
    struct pollfd items [STATE_DAEMONS_MAX + 1] = { { .fd = self->interrupts, .events = POLLIN } };
    struct signalfd_siginfo signal;
    int left = 0;
    for (int index = 0; index < self->count; index++) {
        const target_t *target = &self->targets [index];
        items [index + 1].fd = target->over ? -1 : target->pidfd;
        items [index + 1].events = POLLIN;
        left += !target->over;
    }
    if (!left)
        return 0;
    poll (items, (nfds_t) self->count + 1, TURN_MS);
    if (items [0].revents && read (self->interrupts, &signal, sizeof signal) == sizeof signal)
        self->result->interrupted = (int) signal.ssi_signo;
    for (int index = 0; index < self->count; index++)
        if (items [index + 1].revents) {
            s_note_end (self, &self->targets [index]);
            left--;
        }
    return left;
}

/*  All at the same time: a head that ends tells its nodes, and those that leave
    tell their head. What one cannot do does not keep the others.           */
static int
s_stop (stop_t *self)
{
    told_t first = self->options->force ? TOLD_AT_ONCE : TOLD_IN_PEACE;
    for (int index = 0; index < self->count; index++)
        s_tell (self, &self->targets [index], first);
    while (s_turn (self) && !self->result->interrupted) {
        s_hurry (self);
        s_say (self);
    }
    return self->rc;
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

/*  What would end this process is read from a descriptor meanwhile. Without one,
    it does.                                                                */
static void
s_hold_signals (stop_t *self, sigset_t *before)
{
    static const int numbers [] = { SIGINT, SIGTERM, SIGHUP };
    sigset_t set;
    struct sigaction action;
    sigemptyset (&set);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        if (sigaction (numbers [index], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset (&set, numbers [index]);
    self->interrupts = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    pthread_sigmask (SIG_BLOCK, self->interrupts < 0 ? NULL : &set, before);
}

int
daemon_stop (const stop_options_t *options, stopped_t *result, fault_t *fault)
{
    state_t states [STATE_DAEMONS_MAX];
    sigset_t before;
    stop_t self = { .options = options, .result = result, .fault = fault, .begin = clock_now () };
    *result = (stopped_t){ 0 };
    int count = s_choose (states, state_list (states, STATE_DAEMONS_MAX, true), options, result,
                          fault);
    if (count < 0)
        return -1;
    for (int index = 0; index < count; index++) {
        target_t target = { .state = &states [index], .pidfd = s_open (&states [index]) };
        if (target.pidfd < 0)
            continue;
        result->workers += s_count_workers (states [index].pid);
        self.targets [self.count++] = target;
    }
    s_hold_signals (&self, &before);
    int rc = s_stop (&self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (self.interrupts >= 0)
        close (self.interrupts);
    for (int index = 0; index < self.count; index++)
        close (self.targets [index].pidfd);
    result->milliseconds = (double) (clock_now () - self.begin) / CLOCK_MS;
    return rc;
}
