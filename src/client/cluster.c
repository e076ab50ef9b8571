/*  cluster.c - the cluster that a driver carries: head, node, workers      */

#include "client/cluster.h"

#include "client/settings.h"
#include "head/head.h"
#include "node/node.h"
#include "wire/socket.h"
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define START_TIMEOUT (10000 * CLOCK_MS)
#define STOP_TIMEOUT_MS 1500

/*  A worker in this process.                                               */
typedef struct {
    struct cluster *cluster;
    unsigned number;
    thread_t *thread;
    worker_t *worker;
    fault_t fault;
} inner_t;

struct cluster {
    void *context;
    uint8_t cookie [COOKIE_SIZE];
    char inner_endpoint [64];
    char outer_endpoint [64];
    head_t *head;
    store_t *store;
    troupe_t *peer;
    node_t *node;
    inner_t *inners;
    unsigned inner_count;
    bool stopping;
    pthread_mutex_t lock;       /*  of inners' workers and stopping         */
};

/*  --- workers as threads -----------------------------------------------  */

static void
s_run_inner (void *arg)
{
    inner_t *self = arg;
    cluster_t *cluster = self->cluster;
    worker_options_t options = { .context = cluster->context,
                                 .head_endpoint = cluster->inner_endpoint,
                                 .cookie = cluster->cookie,
                                 .number = self->number,
                                 .store = store_endpoint (cluster->store),
                                 .threads = true };
    fault_t fault = { 0 };
    worker_t *worker = worker_new (&options, &fault);
    pthread_mutex_lock (&cluster->lock);
    self->worker = worker;
    self->fault = fault;
    bool stopping = cluster->stopping;
    pthread_mutex_unlock (&cluster->lock);
    if (worker && !stopping)
        worker_run (worker);
}

static int
s_start_inners (cluster_t *self, unsigned workers, fault_t *fault)
{
    self->inners = calloc (workers, sizeof *self->inners);
    if (!self->inners)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for workers");
    for (; self->inner_count < workers; self->inner_count++) {
        inner_t *inner = &self->inners [self->inner_count];
        inner->cluster = self;
        inner->number = self->inner_count + 1;
        inner->thread = thread_new (s_run_inner, inner, fault);
        if (!inner->thread)
            return -1;
    }
    return 0;
}

static worker_t *
s_inner_worker (inner_t *inner)
{
    pthread_mutex_lock (&inner->cluster->lock);
    worker_t *worker = inner->worker;
    pthread_mutex_unlock (&inner->cluster->lock);
    return worker;
}

/*  How much of the time is left, at least a little.                        */
static int
s_left_ms (int64_t deadline)
{
    int64_t left = (deadline - clock_now ()) / CLOCK_MS;
    return left > 10 ? (int) left : 10;
}

/*  A worker that is still joining stops as soon as it has.                 */
static int
s_stop_inners (cluster_t *self)
{
    int rc = 0;
    int64_t deadline = clock_now () + STOP_TIMEOUT_MS * CLOCK_MS;
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    for (unsigned index = 0; index < self->inner_count; index++)
        if (self->inners [index].worker)
            worker_stop (self->inners [index].worker);
    pthread_mutex_unlock (&self->lock);
    for (unsigned index = 0; index < self->inner_count; index++) {
        inner_t *inner = &self->inners [index];
        worker_t *worker = NULL;
        if (thread_join (&inner->thread, s_left_ms (deadline)) == 0)
            worker = s_inner_worker (inner);
        else
            rc = -1;
        if (worker_destroy (&worker, s_left_ms (deadline)))
            rc = -1;
    }
    return rc;
}

static int
s_inner_failure (cluster_t *self, fault_t *fault)
{
    pthread_mutex_lock (&self->lock);
    for (unsigned index = 0; index < self->inner_count; index++)
        if (self->inners [index].fault.code)
            *fault = self->inners [index].fault;
    pthread_mutex_unlock (&self->lock);
    return fault->code ? -1 : 0;
}

/*  --- start ------------------------------------------------------------  */

static int
s_start_head (cluster_t *self, bool threads, fault_t *fault)
{
    uint64_t name [2];
    if (getrandom (name, sizeof name, 0) != sizeof name
        || getrandom (self->cookie, sizeof self->cookie, 0) != sizeof self->cookie)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    snprintf (self->inner_endpoint, sizeof self->inner_endpoint,
              "inproc://troupe-head-%016llx%016llx", (unsigned long long) name [0],
              (unsigned long long) name [1]);
    snprintf (self->outer_endpoint, sizeof self->outer_endpoint,
              "ipc://@troupe-head-%016llx%016llx", (unsigned long long) name [0],
              (unsigned long long) name [1]);
    const char *endpoints [] = { self->inner_endpoint, threads ? NULL : self->outer_endpoint,
                                 NULL };
    head_options_t options = { .endpoints = endpoints, .cookie = self->cookie };
    self->head = head_new (self->context, &options, fault);
    return self->head ? 0 : -1;
}

static int
s_start_store (cluster_t *self, fault_t *fault)
{
    store_options_t options = { .context = self->context };
    if (store_settings (&options, fault))
        return -1;
    self->store = store_new (&options, fault);
    return self->store ? 0 : -1;
}

static int
s_join (cluster_t *self, bool threads, fault_t *fault)
{
    char label [64];
    snprintf (label, sizeof label, "driver (pid %d)", (int) getpid ());
    peer_options_t options = { .context = self->context,
                               .head_endpoint = self->inner_endpoint,
                               .cookie = self->cookie,
                               .role = ROLE_DRIVER,
                               .slots = 0,
                               .label = label,
                               .store = store_endpoint (self->store),
                               .hosted = self->store,
                               .threads = threads };
    self->peer = peer_new (&options, clock_now () + START_TIMEOUT, fault);
    return self->peer ? 0 : -1;
}

static int
s_start_node (cluster_t *self, unsigned workers, fault_t *fault)
{
    node_options_t options = { .head_endpoint = self->outer_endpoint,
                               .cookie = self->cookie,
                               .store = store_endpoint (self->store),
                               .workers = workers };
    self->node = node_new (&options, fault);
    return self->node ? 0 : -1;
}

/*  Worker processes take longest, so they are started as soon as there is
    something that they can join.                                           */
static int
s_start (cluster_t *self, unsigned workers, bool threads, fault_t *fault)
{
    if (s_start_head (self, threads, fault) || s_start_store (self, fault)
        || (!threads && s_start_node (self, workers, fault)) || s_join (self, threads, fault))
        return -1;
    if (threads)
        return s_start_inners (self, workers, fault);
    node_watch (self->node, self->peer);
    return 0;
}

/*  Waits for the first worker; looks now and then whether that is vain.    */
static int
s_await_worker (cluster_t *self, fault_t *fault)
{
    int64_t deadline = clock_now () + START_TIMEOUT;
    int rc = 0;
    fault->code = TROUPE_OK;
    pthread_mutex_lock (&self->peer->lock);
    while (rc == 0 && !self->peer->workers) {
        peer_waiter_t waiter = PEER_WAITER_INIT;
        self->peer->joining = &waiter;
        peer_wait (self->peer, &waiter, clock_now () + 20 * CLOCK_MS);
        self->peer->joining = NULL;
        if (self->peer->workers)
            break;
        pthread_mutex_unlock (&self->peer->lock);
        rc = self->node ? node_failure (self->node, fault) : s_inner_failure (self, fault);
        pthread_mutex_lock (&self->peer->lock);
        if (rc == 0 && clock_now () > deadline)
            rc = fault_set (fault, TROUPE_ETIMEOUT, "no worker has joined within 10 s");
    }
    pthread_mutex_unlock (&self->peer->lock);
    return rc;
}

cluster_t *
cluster_new (unsigned workers, bool threads, fault_t *fault)
{
    cluster_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the cluster");
        return NULL;
    }
    pthread_mutex_init (&self->lock, NULL);
    self->context = socket_context_new (fault);
    int rc = self->context ? s_start (self, workers, threads, fault) : -1;
    if (rc == 0)
        rc = s_await_worker (self, fault);
    if (rc == 0)
        return self;
    fault_t second;
    cluster_destroy (&self, &second);
    return NULL;
}

troupe_t *
cluster_peer (cluster_t *self)
{
    return self->peer;
}

/*  --- end --------------------------------------------------------------  */

static void
s_stop_workers (cluster_t *self)
{
    record_t stop = { .type = RECORD_STOP };
    pthread_mutex_lock (&self->peer->lock);
    /*  First: what ends now ends because of this, not because its worker does. */
    peer_abandon (self->peer);
    link_send (self->peer, HEAD_PROCESS, &stop);
    link_flush_all (self->peer);
    pthread_mutex_unlock (&self->peer->lock);
}

int
cluster_destroy (cluster_t **self_p, fault_t *fault)
{
    cluster_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    int rc = 0;
    if (self->peer)
        s_stop_workers (self);
    if (s_stop_inners (self))
        rc = fault_set (fault, TROUPE_ESYSTEM,
                        "a task or method still runs in a thread of this process");
    if (node_destroy (&self->node))
        rc = fault_set (fault, TROUPE_ESYSTEM, "a worker process did not end");
    if (self->peer && peer_stop (self->peer))
        rc = fault_set (fault, TROUPE_ESYSTEM, "the service thread did not end");
    else
        peer_destroy (&self->peer);
    if (store_destroy (&self->store))
        rc = fault_set (fault, TROUPE_ESYSTEM, "the object store did not end");
    if (head_destroy (&self->head))
        rc = fault_set (fault, TROUPE_ESYSTEM, "the head did not end");
    if (rc)
        return -1;      /*  what still runs keeps its memory                */
    if (self->context)
        zmq_ctx_term (self->context);
    pthread_mutex_destroy (&self->lock);
    free (self->inners);
    free (self);
    return 0;
}
