/*  peer.c - taking and leaving a seat in a cluster                         */

#include "peer/actor.h"
#include "peer/callback.h"
#include "peer/inquiry.h"
#include "peer/registry.h"
#include "wire/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PENDING_MAX ((size_t) 4 << 20)
#define STOP_TIMEOUT_MS 2000

const char *
peer_label (troupe_t *self, process_t process)
{
    known_t *known = id_table_get (&self->known, (tid_t){ 0, process });
    return known ? known->label : "a process that has ended";
}

static void
s_watch (int set, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    epoll_ctl (set, EPOLL_CTL_ADD, fd, &event);
}

static int
s_open_descriptors (troupe_t *self, fault_t *fault)
{
    self->inner = epoll_create1 (EPOLL_CLOEXEC);
    self->outer = epoll_create1 (EPOLL_CLOEXEC);
    self->nudge = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->timer < 0 || self->inner < 0 || self->outer < 0 || self->nudge < 0 || self->wake < 0)
        return fault_set (fault, TROUPE_ELIMIT, "cannot open a descriptor: %s",
                          strerror (errno));
    s_watch (self->inner, self->nudge);
    s_watch (self->inner, socket_fd (self->inbox));
    s_watch (self->inner, socket_fd (self->head.socket));
    s_watch (self->outer, self->inner);
    s_watch (self->outer, self->wake);
    s_watch (self->outer, self->timer);
    return 0;
}

/*  Others reach the inbox through an abstract socket, which leaves no file,
    or, when all are in one process, through memory. Its name is random; what
    protects it is the cookie that every connection must begin with.        */
static int
s_open_sockets (troupe_t *self, const peer_options_t *options, fault_t *fault)
{
    uint64_t name [2];
    if (getrandom (name, sizeof name, 0) != sizeof name)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    self->inbox = socket_router_new (self->context, fault);
    self->head.socket = self->inbox ? socket_dealer_new (self->context, fault) : NULL;
    if (!self->head.socket)
        return -1;
    snprintf (self->own_endpoint, sizeof self->own_endpoint, "inproc://troupe-%016llx%016llx",
              (unsigned long long) name [0], (unsigned long long) name [1]);
    snprintf (self->endpoint, sizeof self->endpoint, "ipc://@troupe-%016llx%016llx",
              (unsigned long long) name [0], (unsigned long long) name [1]);
    if (options->threads)
        memcpy (self->endpoint, self->own_endpoint, sizeof self->own_endpoint);
    else if (socket_bind (self->inbox, self->endpoint, fault))
        return -1;
    return socket_bind (self->inbox, self->own_endpoint, fault)
                   || socket_connect (self->head.socket, options->head_endpoint, fault)
               ? -1
               : 0;
}

/*  The body of HELLO: an array of endpoint, label, slots, pid, then pairs of the
    address of a task's descriptor, for us to recognise, and its name.      */
int
peer_send_hello (troupe_t *self, unsigned slots, fault_t *fault)
{
    size_t count = 0;
    for (troupe_task_t *task = registry_tasks (); task; task = task->next)
        count++;
    bytes_t body = { 0 };
    bytes_append (&body, self->cookie, COOKIE_SIZE);
    value_put_array (&body, 4 + 2 * count);
    value_put_string (&body, self->endpoint, strlen (self->endpoint));
    value_put_string (&body, self->label, strlen (self->label));
    value_put_uint (&body, slots);
    value_put_uint (&body, (uint64_t) getpid ());
    for (troupe_task_t *task = registry_tasks (); task && count--; task = task->next) {
        value_put_uint (&body, (uint64_t) (uintptr_t) task);
        value_put_string (&body, task->name, strlen (task->name));
    }
    record_t hello = { .type = RECORD_HELLO,
                       .flags = self->role,
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    int rc = body.failed ? -1 : record_write (&self->head.frame, &hello);
    if (rc == 0)
        link_flush (self, &self->head);
    bytes_release (&body);
    return rc ? fault_set (fault, TROUPE_ENOMEM, "no memory for HELLO") : 0;
}

/*  Waits for the head's answer to HELLO.                                   */
static int
s_join (troupe_t *self, const peer_options_t *options, int64_t deadline, fault_t *fault)
{
    if (peer_send_hello (self, options->slots, fault))
        return -1;
    while (!self->joined && !self->refused.code) {
        peer_waiter_t waiter = PEER_WAITER_INIT;
        int64_t now = clock_now ();
        if (now >= deadline)
            return fault_set (fault, TROUPE_ETIMEOUT, "the head at %s does not answer",
                              options->head_endpoint);
        int64_t until = now + 5 * CLOCK_MS < deadline ? now + 5 * CLOCK_MS : deadline;
        self->joining = &waiter;
        peer_wait (self, &waiter, until);
        self->joining = NULL;
    }
    if (!self->refused.code)
        return 0;
    *fault = self->refused;
    return -1;
}

static size_t
s_pending_max (void)
{
    const char *text = getenv ("TROUPE_MAX_PENDING");
    char *end = NULL;
    unsigned long long number = text ? strtoull (text, &end, 10) : 0;
    return text && *text && !*end && number ? (size_t) number : PENDING_MAX;
}

troupe_t *
peer_new (const peer_options_t *options, int64_t deadline, fault_t *fault)
{
    troupe_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the runtime");
        return NULL;
    }
    pthread_mutex_init (&self->lock, NULL);
    self->inner = self->outer = self->nudge = self->wake = self->timer = self->ready = -1;
    self->context = options->context;
    self->role = options->role;
    self->hooks = options->hooks;
    self->hooks_context = options->hooks_context;
    self->pending_max = s_pending_max ();
    self->service_due = CLOCK_NEVER;
    memcpy (self->cookie, options->cookie, COOKIE_SIZE);
    snprintf (self->label, sizeof self->label, "%s", options->label);
    list_init (&self->dirty);
    list_init (&self->callbacks);
    list_init (&self->waiters);
    list_init (&self->sleepers);
    list_init (&self->inquiries);
    if (s_open_sockets (self, options, fault) == 0 && s_open_descriptors (self, fault) == 0)
        self->service = thread_new (peer_serve, self, fault);
    pthread_mutex_lock (&self->lock);
    int rc = self->service ? s_join (self, options, deadline, fault) : -1;
    pthread_mutex_unlock (&self->lock);
    if (rc == 0)
        return self;
    peer_stop (self);
    peer_destroy (&self);
    return NULL;
}

/*  The tables may change meanwhile, so that one is missed. True if there was
    any.                                                                    */
static bool
s_fail_pending (troupe_t *self)
{
    static const char text [] = "the runtime has stopped";
    bool any = false;
    size_t cursor = 0;
    for (troupe_future_t *future; (future = future_next (self, &cursor));)
        if (future->state == FUTURE_PENDING) {
            any = true;
            future_fail (future, TROUPE_ESTOPPED, text, sizeof text - 1, 0);
        }
    return any;
}

/*  Nobody borrows from a process that leaves.                              */
static void
s_drop_borrowers (troupe_t *self)
{
    bool again = true;
    while (again) {
        again = false;
        size_t cursor = 0;
        for (troupe_future_t *future; (future = future_next (self, &cursor));)
            if (future->more && future->more->borrower_count) {
                future_borrower_remove (future, future->more->borrowers [0]);
                again = true;
                break;
            }
    }
    again = true;
    while (again) {
        again = false;
        size_t cursor = 0;
        for (troupe_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
            if (actor->borrower_count) {
                actor_borrower_remove (actor, actor->borrowers [0]);
                again = true;
                break;
            }
    }
}

void
peer_abandon (troupe_t *self)
{
    callback_drop_all (self);
    while (s_fail_pending (self))
        ;
    callback_drop_all (self);
}

int
peer_stop (troupe_t *self)
{
    pthread_mutex_lock (&self->lock);
    link_flush_all (self);
    self->stopping = true;
    peer_abandon (self);
    s_drop_borrowers (self);
    peer_wake_all (self);
    pthread_mutex_unlock (&self->lock);
    return thread_join (&self->service, STOP_TIMEOUT_MS);
}

static void
s_free_known (troupe_t *self)
{
    size_t cursor = 0;
    for (known_t *known; (known = id_table_next (&self->known, &cursor));) {
        free (known->endpoint);
        free (known->label);
        free (known);
    }
    id_table_release (&self->known);
}

static void
s_close (int fd)
{
    if (fd >= 0)
        close (fd);
}

void
peer_destroy (troupe_t **self_p)
{
    troupe_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    pthread_mutex_lock (&self->lock);
    link_close_all (self);
    if (self->inbox)
        zmq_close (self->inbox);
    if (self->head.socket)
        zmq_close (self->head.socket);
    s_close (self->inner);
    s_close (self->outer);
    s_close (self->nudge);
    s_close (self->wake);
    s_close (self->timer);
    s_close (self->ready);
    s_free_known (self);
    id_table_release (&self->senders);
    id_table_release (&self->functions);
    await_release (&self->await);
    inquiry_drop_all (self);
    self->closed = true;
    peer_unlock (self);
}

void
peer_unlock (troupe_t *self)
{
    bool last = self->closed && self->handles == 0;
    pthread_mutex_unlock (&self->lock);
    if (!last)
        return;
    window_release (&self->futures);
    id_table_release (&self->borrowed);
    id_table_release (&self->actors);
    heap_release (&self->deadlines);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

size_t
troupe_workers (troupe_t *self)
{
    if (!self)
        return 0;
    pthread_mutex_lock (&self->lock);
    size_t workers = self->workers;
    pthread_mutex_unlock (&self->lock);
    return workers;
}
