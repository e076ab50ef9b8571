/*  turns.c - threads that take turns, for fuzz targets of processes         */

#include "fuzz/turns.h"

#include "fuzz/world.h"
#include "peer/future.h"
#include "wire/thread.h"

#include <stdlib.h>

/*  Threads beyond these cannot be made, as if a limit was reached.         */
#define THREADS_MAX 24

struct thread {
    pthread_cond_t turn;
    bool exists;                /*  as a thread, which serves for others later */
    bool used;
    bool ended;
    void (*run) (void *arg);
    void *arg;
    const thread_t *joins;      /*  waits for this one's end, or            */
    const peer_waiter_t *waiter;    /*  until this one is ready, or `until` */
    const troupe_t *peer;
    bool beside;                /*  callbacks do not concern it             */
    int64_t until;
};

_Thread_local peer_thread_t peer_thread = { .deadline = CLOCK_NEVER };

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static thread_t s_threads [THREADS_MAX];
static thread_t *s_current;
static _Thread_local thread_t *s_self;

/*  --- turns ------------------------------------------------------------  */

static bool
s_can_go (const thread_t *thread)
{
    if (!thread->used || thread->ended)
        return false;
    if (thread->joins)
        return thread->joins->ended;
    const peer_waiter_t *waiter = thread->waiter;
    return !waiter || waiter->ready || (waiter->nudged && !thread->beside)
           || thread->peer->stopping || thread->until <= world_now;
}

/*  The next one behind this one that can go on; NULL if there is none.     */
static thread_t *
s_next (void)
{
    size_t place = (size_t) (s_self - s_threads);
    for (size_t step = 1; step < THREADS_MAX; step++) {
        thread_t *thread = &s_threads [(place + step) % THREADS_MAX];
        if (s_can_go (thread))
            return thread;
    }
    return NULL;
}

static void
s_await_turn (void)
{
    while (s_current != s_self)
        pthread_cond_wait (&s_self->turn, &s_lock);
}

static void
s_give_turn (thread_t *thread)
{
    s_current = thread;
    pthread_cond_signal (&thread->turn);
}

static void
s_pass (thread_t *thread)
{
    pthread_mutex_lock (&s_lock);
    s_give_turn (thread);
    s_await_turn ();
    pthread_mutex_unlock (&s_lock);
}

/*  Lets time pass until somebody's patience ends. That nobody's does, while
    all wait, is a hang.                                                    */
static void
s_pass_time (int64_t due)
{
    for (const thread_t *thread = s_threads; thread < s_threads + THREADS_MAX; thread++)
        if (thread->used && !thread->ended && thread->waiter && !thread->joins
            && thread->until < due)
            due = thread->until;
    REQUIRE (due != CLOCK_NEVER);
    if (world_now < due)
        world_now = due;
}

void
turns_begin (void)
{
    if (s_self)
        return;
    s_self = s_current = &s_threads [0];
    s_self->used = true;
    pthread_cond_init (&s_self->turn, NULL);
}

/*  --- in place of wire/thread.c ----------------------------------------  */

static void *
s_main (void *arg)
{
    s_self = arg;
    for (;;) {
        pthread_mutex_lock (&s_lock);
        s_await_turn ();
        pthread_mutex_unlock (&s_lock);
        s_self->run (s_self->arg);
        pthread_mutex_lock (&s_lock);
        s_self->ended = true;
        s_give_turn (&s_threads [0]);
        pthread_mutex_unlock (&s_lock);
    }
    return NULL;
}

static bool
s_create (thread_t *thread)
{
    pthread_t handle;
    if (thread->exists)
        return true;
    pthread_cond_init (&thread->turn, NULL);
    thread->exists = pthread_create (&handle, NULL, s_main, thread) == 0;
    if (thread->exists)
        pthread_detach (handle);
    return thread->exists;
}

thread_t *
thread_new (void (*run) (void *arg), void *arg, fault_t *fault)
{
    thread_t *thread = s_threads + 1;
    while (thread < s_threads + THREADS_MAX && thread->used)
        thread++;
    if (thread == s_threads + THREADS_MAX || !s_create (thread)) {
        fault_set (fault, TROUPE_ELIMIT, "no thread left");
        return NULL;
    }
    thread->run = run;
    thread->arg = arg;
    thread->waiter = NULL;
    thread->joins = NULL;
    thread->ended = false;
    thread->used = true;
    return thread;
}

int
thread_join (thread_t **thread_p, int timeout_ms)
{
    thread_t *thread = *thread_p;
    *thread_p = NULL;
    REQUIRE (timeout_ms > 0);
    if (!thread)
        return 0;
    s_self->joins = thread;
    while (!thread->ended) {
        thread_t *next = s_next ();
        if (next)
            s_pass (next);
        else
            s_pass_time (CLOCK_NEVER);
    }
    s_self->joins = NULL;
    thread->used = false;
    return 0;
}

bool
thread_ended (thread_t *thread)
{
    return thread->ended;
}

void
thread_block_signals (void)
{
}

void
thread_prepare (void)
{
}

/*  --- in place of peer/drive.c -----------------------------------------  */

static int
s_wait (troupe_t *peer, peer_waiter_t *waiter, int64_t until, bool beside)
{
    while (!waiter->ready) {
        if (waiter->nudged && !beside)
            return 1;
        if (peer->stopping || until <= world_now)
            return -1;
        link_flush_all (peer);
        s_self->waiter = waiter;
        s_self->peer = peer;
        s_self->beside = beside;
        s_self->until = until;
        thread_t *next = s_next ();
        if (next) {
            pthread_mutex_unlock (&peer->lock);
            s_pass (next);
            pthread_mutex_lock (&peer->lock);
        } else {
            if (!turns_idle (peer))
                s_pass_time (future_expire (peer, world_now));
            future_expire (peer, world_now);
            if (peer->network)
                link_tend_all (peer, world_now);
        }
        s_self->waiter = NULL;
    }
    return 0;
}

int
peer_wait (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    return s_wait (self, waiter, until, false);
}

int
peer_wait_beside (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    return s_wait (self, waiter, until, true);
}

void
peer_wake (troupe_t *self, peer_waiter_t *waiter)
{
    (void) self;
    waiter->ready = true;
}

void
peer_nudge (troupe_t *self, peer_waiter_t *waiter)
{
    (void) self;
    waiter->nudged = true;
}

void
peer_undrained (troupe_t *self)
{
    (void) self;
}

void
peer_wake_all (troupe_t *self)
{
    REQUIRE (self->stopping);
}

void
peer_service_by (troupe_t *self, int64_t due)
{
    (void) self;
    (void) due;
}

void
peer_batch_begin (troupe_t *self)
{
    self->batching++;
}

void
peer_batch_end (troupe_t *self)
{
    if (--self->batching == 0)
        link_flush_all (self);
}

/*  What it does is done where threads wait.                                */
void
peer_serve (void *self)
{
    (void) self;
}
