/*  node.c - the node agent: starts worker processes and watches them       */

#include "node/node.h"

#include "node/ledger.h"
#include "program/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*  Workers that die before they have joined, one after the other, until the
    node gives up.                                                          */
#define FAILURES_MAX 5

#define GRACE (1000 * CLOCK_MS)
#define STOP_TIMEOUT_MS 5000

typedef struct {
    pid_t pid;                  /*  0: there is none                        */
    int pidfd;
    ledger_t *ledger;
} slot_t;

struct node {
    troupe_t *peer;             /*  of the thread; NULL until it is given   */
    troupe_t *given;            /*  by node_watch                           */
    char *head_endpoint;
    uint8_t cookie [COOKIE_SIZE];
    char *store;
    slot_t *slots;
    unsigned count;
    unsigned failures;
    int stop;
    int watch;                  /*  the peer is there                       */
    thread_t *thread;
    pthread_mutex_t lock;       /*  of the failure, and of the peer given   */
    fault_t failure;
};

static int
s_start (node_t *self, unsigned index, fault_t *fault)
{
    char boot [512], store [128], cookie [2 * COOKIE_SIZE + 1];
    slot_t *slot = &self->slots [index];
    int fd;
    for (size_t byte = 0; byte < COOKIE_SIZE; byte++)
        snprintf (cookie + 2 * byte, 3, "%02x", self->cookie [byte]);
    slot->ledger = ledger_new (&fd, fault);
    if (!slot->ledger)
        return -1;
    snprintf (boot, sizeof boot, "TROUPE_BOOT=%d %u %d %s %s", (int) getpid (), index + 1, fd,
              cookie, self->head_endpoint);
    snprintf (store, sizeof store, "TROUPE_BOOT_STORE=%s", self->store);
    const char *environment [] = { boot, store, NULL };
    process_options_t options = { .environment = environment, .fd = fd };
    pid_t pid = process_start (&options, &slot->pidfd, fault);
    close (fd);
    if (pid > 0) {
        slot->pid = pid;
        return 0;
    }
    ledger_destroy (&slot->ledger);
    return -1;
}

/*  Tells the head that a worker has ended; without a peer nobody, as the cluster
    ends before it has begun.                                               */
static void
s_report (node_t *self, const slot_t *slot, const char *cause, bool last)
{
    bytes_t body = { 0 };
    if (!self->peer)
        return;
    if (ledger_write (slot->ledger, cause, &body)) {
        bytes_release (&body);
        return;
    }
    record_t lost = { .type = RECORD_WORKER_LOST,
                      .flags = last ? RECORD_KILL : 0,
                      .id = { self->peer->self, 0 },
                      .number = (uint32_t) slot->pid,
                      .target = slot->ledger ? atomic_load (&slot->ledger->process) : 0,
                      .body = body.data,
                      .body_size = (uint32_t) body.size };
    pthread_mutex_lock (&self->peer->lock);
    link_send (self->peer, HEAD_PROCESS, &lost);
    link_flush_all (self->peer);
    pthread_mutex_unlock (&self->peer->lock);
    bytes_release (&body);
}

static void
s_close (slot_t *slot)
{
    close (slot->pidfd);
    ledger_destroy (&slot->ledger);
    slot->pid = 0;
}

static unsigned
s_running (const node_t *self)
{
    unsigned count = 0;
    for (unsigned index = 0; index < self->count; index++)
        count += self->slots [index].pid > 0;
    return count;
}

static void
s_give_up (node_t *self, const fault_t *fault)
{
    pthread_mutex_lock (&self->lock);
    self->failure = *fault;
    pthread_mutex_unlock (&self->lock);
}

/*  A worker has ended: say so, and start another.                          */
static void
s_ended (node_t *self, unsigned index)
{
    slot_t *slot = &self->slots [index];
    char how [128];
    fault_t fault = { 0 };
    bool own_fault = process_reap (slot->pid, how, sizeof how);
    if (atomic_load (&slot->ledger->process))
        self->failures = 0;
    else
        self->failures += own_fault;
    bool enough = self->failures >= FAILURES_MAX;
    if (enough)
        fault_set (&fault, TROUPE_ELOST,
                   "workers end before they have joined: the last one %s (troupe_init must "
                   "come first in main)",
                   how);
    s_report (self, slot, enough ? fault.text : how, enough && s_running (self) == 1);
    s_close (slot);
    if (enough || s_start (self, index, &fault))
        s_give_up (self, &fault);
}

static struct pollfd *
s_items (const node_t *self)
{
    struct pollfd *items = calloc (self->count + 1, sizeof *items);
    for (unsigned index = 0; items && index < self->count; index++)
        items [index] = (struct pollfd){ .fd = self->slots [index].pid
                                                   ? self->slots [index].pidfd
                                                   : -1,
                                         .events = POLLIN };
    if (items)
        items [self->count] = (struct pollfd){ .fd = self->stop, .events = POLLIN };
    return items;
}

/*  Waits for workers to end, and handles each by `ended`. Returns true when
    the node is told to stop.                                               */
static bool
s_watch (node_t *self, int timeout_ms, void (*ended) (node_t *self, unsigned index))
{
    struct pollfd *items = s_items (self);
    if (!items)
        return true;
    int rc = poll (items, self->count + (ended == s_ended), timeout_ms);
    for (unsigned index = 0; rc > 0 && index < self->count; index++)
        if (items [index].revents)
            ended (self, index);
    bool stop = rc > 0 && items [self->count].revents;
    free (items);
    return stop;
}

static void
s_ended_at_last (node_t *self, unsigned index)
{
    char how [128];
    process_reap (self->slots [index].pid, how, sizeof how);
    s_close (&self->slots [index]);
}

static void
s_run (void *arg)
{
    node_t *self = arg;
    while (!s_watch (self, -1, s_ended))
        ;
    int64_t deadline = clock_now () + GRACE;
    while (s_running (self) && clock_now () < deadline)
        s_watch (self, (int) ((deadline - clock_now ()) / CLOCK_MS) + 1, s_ended_at_last);
    for (unsigned index = 0; index < self->count; index++)
        if (self->slots [index].pid)
            kill (self->slots [index].pid, SIGKILL);
    while (s_running (self))
        s_watch (self, -1, s_ended_at_last);
}

/*  Waits for node_watch, or for the end.                                   */
static void
s_await_peer (node_t *self)
{
    struct pollfd items []
        = { { .fd = self->watch, .events = POLLIN }, { .fd = self->stop, .events = POLLIN } };
    while (poll (items, 2, -1) < 0)
        ;
    pthread_mutex_lock (&self->lock);
    self->peer = self->given;
    pthread_mutex_unlock (&self->lock);
}

/*  The workers start in the thread that watches them: they are to die with
    it, and that is when the kernel would tell them.                        */
static void
s_begin (void *arg)
{
    node_t *self = arg;
    fault_t fault;
    thread_block_signals ();
    for (unsigned index = 0; index < self->count; index++)
        if (s_start (self, index, &fault)) {
            s_give_up (self, &fault);
            break;
        }
    s_await_peer (self);
    s_run (self);
}

node_t *
node_new (const node_options_t *options, fault_t *fault)
{
    node_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the node");
        return NULL;
    }
    self->count = options->workers;
    self->head_endpoint = strdup (options->head_endpoint);
    memcpy (self->cookie, options->cookie, COOKIE_SIZE);
    self->store = strdup (options->store);
    self->slots = calloc (self->count, sizeof *self->slots);
    self->stop = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->watch = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init (&self->lock, NULL);
    if (!self->head_endpoint || !self->store || !self->slots || self->stop < 0
        || self->watch < 0)
        fault_set (fault, TROUPE_ESYSTEM, "cannot start the node: %s", strerror (errno));
    else
        self->thread = thread_new (s_begin, self, fault);
    if (!self->thread)
        node_destroy (&self);
    return self;
}

static void
s_signal (int event)
{
    uint64_t one = 1;
    if (event >= 0 && write (event, &one, sizeof one) < 0) {
        /*  It has been told already.                                       */
    }
}

void
node_watch (node_t *self, troupe_t *peer)
{
    pthread_mutex_lock (&self->lock);
    self->given = peer;
    pthread_mutex_unlock (&self->lock);
    s_signal (self->watch);
}

int
node_failure (node_t *self, fault_t *fault)
{
    pthread_mutex_lock (&self->lock);
    *fault = self->failure;
    pthread_mutex_unlock (&self->lock);
    return fault->code ? -1 : 0;
}

int
node_destroy (node_t **self_p)
{
    node_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    s_signal (self->stop);
    if (thread_join (&self->thread, STOP_TIMEOUT_MS))
        return -1;
    if (self->stop >= 0)
        close (self->stop);
    if (self->watch >= 0)
        close (self->watch);
    pthread_mutex_destroy (&self->lock);
    free (self->head_endpoint);
    free (self->store);
    free (self->slots);
    free (self);
    return 0;
}
