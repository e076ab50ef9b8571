/*  drive.c - who drives the sockets: waiting threads, or the service thread */

#include "peer/future.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*  Under a steady stream of messages the service thread, for which nobody
    waits, receives no more often than this.                                */
#define COALESCE (500 * CLOCK_US)

/*  How often the head hears of us, and how often its connection is looked at
    once that is closed.                                                    */
#define PING_INTERVAL (1000 * CLOCK_MS)
#define PROBE_INTERVAL (250 * CLOCK_MS)

/*  Objects that the head is told of.                                       */
#define STORE_REPORT_MAX 200

_Thread_local peer_thread_t peer_thread = { .deadline = CLOCK_NEVER };

static void
s_signal (int fd)
{
    uint64_t one = 1;
    if (write (fd, &one, sizeof one) < 0) {
        /*  The counter is full, so the reader is being woken already.      */
    }
}

static void
s_clear (int fd)
{
    uint64_t count;
    if (read (fd, &count, sizeof count) < 0) {
        /*  There was nothing to clear.                                     */
    }
}

/*  Sleeps until the descriptor is readable or the time has come.           */
static void
s_sleep (int fd, int64_t until)
{
    struct pollfd item = { .fd = fd, .events = POLLIN };
    struct timespec left = { 0 };
    if (until == CLOCK_NEVER) {
        poll (&item, 1, -1);
        return;
    }
    int64_t rest = until - clock_now ();
    if (rest > 0) {
        left.tv_sec = rest / (1000 * CLOCK_MS);
        left.tv_nsec = rest % (1000 * CLOCK_MS);
    }
    ppoll (&item, 1, &left, NULL);
}

/*  Shows the sockets to the service thread, or hides them from it.         */
static void
s_show_sockets (troupe_t *self, bool shown)
{
    struct epoll_event event = { .events = shown ? EPOLLIN : 0, .data.fd = self->inner };
    epoll_ctl (self->outer, EPOLL_CTL_MOD, self->inner, &event);
}

void
peer_service_by (troupe_t *self, int64_t due)
{
    if (due >= self->service_due)
        return;
    self->service_due = due;
    if (due <= 0) {
        s_signal (self->wake);
        return;
    }
    struct itimerspec when = { .it_value = { .tv_sec = due / (1000 * CLOCK_MS),
                                             .tv_nsec = due % (1000 * CLOCK_MS) } };
    timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void
peer_undrained (troupe_t *self)
{
    self->undrained = true;
    if (self->driven && !self->driver->draining)
        s_signal (self->nudge);
    else if (!self->driven)
        peer_service_by (self, 0);
}

static void
s_rouse (troupe_t *self, peer_waiter_t *waiter)
{
    if (waiter->driving) {
        if (!waiter->draining)
            s_signal (self->nudge);
    } else {
        self->woke_other = true;
        pthread_cond_signal (&waiter->changed);
    }
}

void
peer_wake (troupe_t *self, peer_waiter_t *waiter)
{
    waiter->ready = true;
    s_rouse (self, waiter);
}

void
peer_nudge (troupe_t *self, peer_waiter_t *waiter)
{
    waiter->nudged = true;
    s_rouse (self, waiter);
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

/*  Receives once, for everybody.                                           */
static void
s_drain (troupe_t *self, peer_waiter_t *waiter)
{
    if (waiter)
        waiter->draining = true;
    self->draining = true;
    peer_batch_begin (self);
    self->undrained = false;
    self->woke_other = false;
    if (!peer_drain (self))
        self->undrained = true;
    self->draining = false;
    peer_batch_end (self);
    if (waiter)
        waiter->draining = false;
}

/*  Drives the sockets until the waiter is ready.                           */
static void
s_drive (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    self->driven = true;
    self->driver = waiter;
    waiter->driving = true;
    s_show_sockets (self, false);
    while (!waiter->ready && !waiter->nudged && !self->stopping) {
        link_flush_all (self);
        if (!self->undrained) {
            pthread_mutex_unlock (&self->lock);
            s_sleep (self->inner, until);
            s_clear (self->nudge);
            pthread_mutex_lock (&self->lock);
        }
        s_drain (self, waiter);
        /*  What comes is for another thread: let it be the one that polls
            when it waits again, so that it is woken directly.              */
        waiter->yields = self->woke_other && !waiter->ready && !self->undrained;
        if (waiter->yields)
            break;
        if (!waiter->ready && until != CLOCK_NEVER && clock_now () >= until)
            break;
        if (self->undrained && !waiter->ready) {
            pthread_mutex_unlock (&self->lock);
            pthread_mutex_lock (&self->lock);
        }
    }
    waiter->driving = false;
    self->driver = NULL;
    self->driven = false;
    s_show_sockets (self, true);
    if (self->undrained)
        peer_service_by (self, 0);
}

/*  Sleeps while another thread drives.                                     */
static void
s_sleep_beside (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    list_append (&self->sleepers, &waiter->asleep);
    if (until == CLOCK_NEVER)
        pthread_cond_wait (&waiter->changed, &self->lock);
    else {
        struct timespec time = { .tv_sec = until / (1000 * CLOCK_MS),
                                 .tv_nsec = until % (1000 * CLOCK_MS) };
        pthread_cond_clockwait (&waiter->changed, &self->lock, CLOCK_MONOTONIC, &time);
    }
    list_remove (&waiter->asleep);
    waiter->yields = false;
}

int
peer_wait (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    while (!waiter->ready) {
        if (waiter->nudged)
            return 1;
        if (self->stopping)
            return -1;
        if (until != CLOCK_NEVER && clock_now () >= until)
            return -1;
        link_flush_all (self);
        if (self->driven || waiter->yields)
            s_sleep_beside (self, waiter, until);
        else
            s_drive (self, waiter, until);
    }
    return 0;
}

int
peer_wait_beside (troupe_t *self, peer_waiter_t *waiter, int64_t until)
{
    while (!waiter->ready) {
        if (self->stopping || (until != CLOCK_NEVER && clock_now () >= until))
            return -1;
        link_flush_all (self);
        s_sleep_beside (self, waiter, until);
    }
    return 0;
}

void
peer_wake_all (troupe_t *self)
{
    s_signal (self->wake);
    s_signal (self->nudge);
    for (list_node_t *node = self->sleepers.next; node != &self->sleepers; node = node->next)
        pthread_cond_signal (&container_of (node, peer_waiter_t, asleep)->changed);
}

/*  What the store has, if that is not what the head knows.                 */
static void
s_report_store (troupe_t *self)
{
    bytes_t body = { 0 };
    bool full = store_report (self->hosted, STORE_REPORT_MAX, &body) == 0;
    bool same = full && body.size == self->reported.size
                && memcmp (body.data, self->reported.data, body.size) == 0;
    if (full && !same) {
        record_t report = { .type = RECORD_STORE, .id = { self->self, 0 }, .body = body.data,
                            .body_size = (uint32_t) body.size };
        link_send (self, HEAD_PROCESS, &report);
        bytes_release (&self->reported);
        self->reported = body;
    } else
        bytes_release (&body);
}

/*  A head that is killed is missed as soon as nobody listens where it was: its
    connection is looked at with each ping, and more often once it is closed. The
    answer to a ping tells that there is a new one. Returns when to look again. */
static int64_t
s_probe_head (troupe_t *self, int64_t now)
{
    fault_t fault;
    probe_t *probe = &self->probe;
    bool closed = probe->closed;
    if (!self->joined || self->lost.code || (!closed && self->pinged != now))
        return CLOCK_NEVER;
    if (closed && now < self->probing)
        return self->probing;
    if (probe_refused (probe)) {
        fault_set (&fault, TROUPE_ELOST,
                   "%s has gone: the connection was closed, and nobody listens there any more",
                   self->head_name);
        peer_lose_head (self, &fault);
        return CLOCK_NEVER;
    }
    if (!probe->closed)
        return CLOCK_NEVER;
    record_t ping = { .type = RECORD_PING };
    if (!closed)
        link_send (self, HEAD_PROCESS, &ping);
    self->probing = now + (probe->answered ? PING_INTERVAL : PROBE_INTERVAL);
    return self->probing;
}

/*  What is due at this time, and when the next thing is.                   */
static int64_t
s_timers (troupe_t *self, int64_t now)
{
    int64_t due = future_expire (self, now);
    if (self->joined && now - self->pinged >= PING_INTERVAL) {
        self->pinged = now;
        record_t ping = { .type = RECORD_PING };
        if (self->network)
            ping.id.sequence = gate_refused_more (self->network->gate);
        link_send (self, HEAD_PROCESS, &ping);
        if (self->hosted && self->network)
            s_report_store (self);
    }
    if (self->joined && self->pinged + PING_INTERVAL < due)
        due = self->pinged + PING_INTERVAL;
    if (self->network) {
        int64_t tend = link_tend_all (self, now), probe = s_probe_head (self, now);
        due = tend < due ? tend : due;
        due = probe < due ? probe : due;
    }
    if (self->patience && self->joined && now - self->heard > self->patience) {
        fault_t fault;
        fault_set (&fault, TROUPE_ELOST, "%s has been silent for %d s", self->head_name,
                   (int) (self->patience / (1000 * CLOCK_MS)));
        peer_lose_head (self, &fault);
    }
    return due;
}

static void
s_nap (int64_t duration)
{
    struct timespec time = { .tv_nsec = duration };
    nanosleep (&time, NULL);
}

void
peer_serve (void *arg)
{
    troupe_t *self = arg;
    int64_t drained = 0;
    thread_block_signals ();
    pthread_mutex_lock (&self->lock);
    while (!self->stopping) {
        int64_t now = clock_now ();
        int64_t due = s_timers (self, now);
        if (!self->driven && self->undrained)
            due = now;
        self->service_due = due;
        pthread_mutex_unlock (&self->lock);
        s_sleep (self->outer, due);
        s_clear (self->wake);
        s_clear (self->timer);
        pthread_mutex_lock (&self->lock);
        link_flush_all (self);
        if (!self->driven && clock_now () - drained < COALESCE) {
            pthread_mutex_unlock (&self->lock);
            s_nap (COALESCE);
            pthread_mutex_lock (&self->lock);
        }
        if (!self->driven) {
            s_drain (self, NULL);
            drained = clock_now ();
        }
        link_flush_all (self);
    }
    pthread_mutex_unlock (&self->lock);
}
