/*  thread.c - a zactor whose start and end are checked                     */

#include "wire/thread.h"

#include "core/clock.h"
#include "core/files.h"

#include <czmq.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*  A zactor has two of the sockets that CZMQ's context can have; some are left
    over for the program itself.                                            */
#define SOCKETS_MAX 65535
#define SOCKETS_MIN 1024
#define SOCKETS_RESERVED 32
#define THREADS_MAX 32000

/*  How long exit waits for threads that start or end just now.             */
#define EXIT_PATIENCE (500 * CLOCK_MS)

struct thread {
    zactor_t *actor;
    void (*run) (void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;
};

static atomic_int s_threads;
static int s_threads_max;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

/*  A program may call exit in one thread while others start and end zactors.
    CZMQ's exit hook closes the pipes of all, whoever uses them. So from then
    on nobody enters CZMQ any more, and those who are in it may finish.     */
static atomic_bool s_exiting;
static atomic_int s_busy;

static bool
s_enter (void)
{
    atomic_fetch_add (&s_busy, 1);
    if (!atomic_load (&s_exiting))
        return true;
    atomic_fetch_sub (&s_busy, 1);
    return false;
}

static void
s_leave (void)
{
    atomic_fetch_sub (&s_busy, 1);
}

/*  Also keeps CZMQ from reporting the sockets of the threads that still run. */
static void
s_exit (void)
{
    if (atomic_load (&s_threads) == 0)
        return;
    atomic_store (&s_exiting, true);
    int64_t deadline = clock_now () + EXIT_PATIENCE;
    while (atomic_load (&s_busy) > 0 && clock_now () < deadline)
        poll (NULL, 0, 1);
    zsys_set_logstream (NULL);
}

static void
s_prepare (void)
{
    /*  A context has a table for as many sockets as it may have. Each has an
        open file at least.                                                 */
    size_t files = files_raise ();
    int sockets = files < SOCKETS_MAX ? (int) files : SOCKETS_MAX;
    sockets = sockets > SOCKETS_MIN ? sockets : SOCKETS_MIN;
    s_threads_max = (sockets - SOCKETS_RESERVED) / 2;
    s_threads_max = s_threads_max < THREADS_MAX ? s_threads_max : THREADS_MAX;
    zsys_handler_set (NULL);
    zsys_init ();
    /*  Runs before the exit function that zsys_init has set.               */
    atexit (s_exit);
    zsys_set_max_sockets ((size_t) sockets);
}

void
thread_prepare (void)
{
    pthread_once (&s_once, s_prepare);
}

void
thread_block_signals (void)
{
    sigset_t all;
    sigfillset (&all);
    pthread_sigmask (SIG_BLOCK, &all, NULL);
}

static void
s_main (zsock_t *pipe, void *arg)
{
    thread_t *self = arg;
    zsock_signal (pipe, 0);
    self->run (self->arg);
    while (!s_enter ())
        pause ();       /*  until the process has ended                     */
    pthread_mutex_lock (&self->lock);
    self->ended = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

static void *
s_nothing (void *arg)
{
    return arg;
}

/*  zactor_new cannot report a shortage, so look for one first.             */
static int
s_check_limits (fault_t *fault)
{
    if (atomic_load (&s_threads) >= s_threads_max)
        return fault_set (fault, TROUPE_ELIMIT, "limit of %d threads reached", s_threads_max);
    int probe = eventfd (0, EFD_CLOEXEC);
    int number = probe;
    if (probe >= 0)
        close (probe);
    if (probe < 0 || !files_left_for_thread (number))
        return fault_set (fault, TROUPE_ELIMIT,
                          "limit of open files reached: %d in use (raise it with ulimit -n)",
                          number < 0 ? (int) files_max () : number);
    pthread_t thread;
    int rc = pthread_create (&thread, NULL, s_nothing, NULL);
    if (rc)
        return fault_set (fault, TROUPE_ELIMIT, "cannot create a thread: %s", strerror (rc));
    pthread_join (thread, NULL);
    return 0;
}

static void
s_free (thread_t *self)
{
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

static int
s_start (thread_t *self, fault_t *fault)
{
    if (s_check_limits (fault))
        return -1;
    self->actor = zactor_new (s_main, self);
    return self->actor ? 0
                       : fault_set (fault, TROUPE_ELIMIT, "cannot start a zactor: %s",
                                    zmq_strerror (errno));
}

thread_t *
thread_new (void (*run) (void *arg), void *arg, fault_t *fault)
{
    thread_prepare ();
    thread_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for a thread");
        return NULL;
    }
    self->run = run;
    self->arg = arg;
    pthread_mutex_init (&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&self->changed, &attributes);
    pthread_condattr_destroy (&attributes);
    atomic_fetch_add (&s_threads, 1);
    if (s_enter ()) {
        int rc = s_start (self, fault);
        s_leave ();
        if (rc == 0)
            return self;
    } else
        fault_set (fault, TROUPE_ESTOPPED, "the process is about to exit");
    atomic_fetch_sub (&s_threads, 1);
    s_free (self);
    return NULL;
}

int
thread_join (thread_t **thread_p, int timeout_ms)
{
    thread_t *self = *thread_p;
    if (!self)
        return 0;
    *thread_p = NULL;
    struct timespec until;
    clock_gettime (CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long) (timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock (&self->lock);
    int rc = 0;
    while (!self->ended && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait (&self->changed, &self->lock, &until);
    bool ended = self->ended;
    pthread_mutex_unlock (&self->lock);
    if (!ended)
        return -1;
    zactor_destroy (&self->actor);
    s_leave ();
    atomic_fetch_sub (&s_threads, 1);
    s_free (self);
    return 0;
}

bool
thread_ended (thread_t *thread)
{
    pthread_mutex_lock (&thread->lock);
    bool ended = thread->ended;
    pthread_mutex_unlock (&thread->lock);
    return ended;
}
