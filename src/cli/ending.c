/*  ending.c - how a daemon is told to end: by signals, and by its own parts */

#include "cli/ending.h"

#include "client/state.h"

#include <string.h>
#include <unistd.h>

static void
s_signals (sigset_t *set)
{
    static const int numbers [] = { SIGTERM, SIGINT, SIGHUP, ENDING_IN_PEACE, ENDING_AT_ONCE };
    sigemptyset (set);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        sigaddset (set, numbers [index]);
}

void
ending_init (ending_t *self, sigset_t *before)
{
    sigset_t set;
    *self = (ending_t){ .stage = STAGE_RUNS };
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    s_signals (&set);
    pthread_sigmask (SIG_BLOCK, &set, before);
}

/*  Expects the lock.                                                       */
static void
s_advance (ending_t *self, stage_t stage)
{
    if (stage <= self->stage)
        return;
    self->stage = stage;
    if (self->agent && stage == STAGE_AT_ONCE)
        agent_hurry (self->agent);
    pthread_cond_broadcast (&self->changed);
}

static void
s_obey (ending_t *self, int number)
{
    if (number == ENDING_IN_PEACE)
        s_advance (self, STAGE_IN_PEACE);
    else if (number == ENDING_AT_ONCE)
        s_advance (self, STAGE_AT_ONCE);
    else if (number != SIGHUP && ++self->asked <= 2)
        s_advance (self, self->asked == 1 ? STAGE_IN_PEACE : STAGE_AT_ONCE);
    else if (number != SIGHUP) {
        state_remove (getpid ());
        _exit (1);
    }
}

static void *
s_run (void *arg)
{
    ending_t *self = arg;
    sigset_t set;
    int number;
    s_signals (&set);
    pthread_mutex_lock (&self->lock);
    while (!self->done) {
        pthread_mutex_unlock (&self->lock);
        int rc = sigwait (&set, &number);
        pthread_mutex_lock (&self->lock);
        if (rc == 0)
            s_obey (self, number);
    }
    pthread_mutex_unlock (&self->lock);
    return NULL;
}

int
ending_start (ending_t *self, fault_t *fault)
{
    int rc = pthread_create (&self->thread, NULL, s_run, self);
    if (rc)
        return fault_set (fault, TROUPE_ELIMIT, "cannot create a thread: %s", strerror (rc));
    self->started = true;
    return 0;
}

void
ending_report (ending_t *self, const fault_t *why)
{
    pthread_mutex_lock (&self->lock);
    if (!self->why.code)
        self->why = *why;
    s_advance (self, STAGE_AT_ONCE);
    pthread_mutex_unlock (&self->lock);
}

void
ending_await (ending_t *self)
{
    pthread_mutex_lock (&self->lock);
    while (self->stage == STAGE_RUNS)
        pthread_cond_wait (&self->changed, &self->lock);
    pthread_mutex_unlock (&self->lock);
}

void
ending_drain (ending_t *self, agent_t *agent, agent_waits_t *waits, void *context)
{
    pthread_mutex_lock (&self->lock);
    bool waited = self->stage < STAGE_AT_ONCE;
    self->agent = waited ? agent : NULL;
    pthread_mutex_unlock (&self->lock);
    if (waited)
        agent_drain (agent, waits, context);
    pthread_mutex_lock (&self->lock);
    self->agent = NULL;
    pthread_mutex_unlock (&self->lock);
}

bool
ending_at_once (ending_t *self, fault_t *why)
{
    pthread_mutex_lock (&self->lock);
    bool at_once = self->stage == STAGE_AT_ONCE;
    *why = self->why;
    pthread_mutex_unlock (&self->lock);
    return at_once;
}

void
ending_stop (ending_t *self, const sigset_t *before)
{
    if (self->started) {
        pthread_mutex_lock (&self->lock);
        self->done = true;
        pthread_mutex_unlock (&self->lock);
        pthread_kill (self->thread, SIGHUP);
        pthread_join (self->thread, NULL);
    }
    pthread_sigmask (SIG_SETMASK, before, NULL);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
}
