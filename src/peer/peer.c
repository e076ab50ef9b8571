/*  peer.c - taking and leaving a seat in a cluster                         */

#include "peer/actor.h"
#include "peer/callback.h"
#include "peer/inquiry.h"
#include "peer/registry.h"
#include "wire/socket.h"
#include "wire/watch.h"

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
s_bind_near (troupe_t *self, bool threads, fault_t *fault)
{
    uint64_t name [2];
    identity_t *identity = &self->identity;
    if (getrandom (name, sizeof name, 0) != sizeof name)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    snprintf (self->own_endpoint, sizeof self->own_endpoint, "inproc://troupe-%016llx%016llx",
              (unsigned long long) name [0], (unsigned long long) name [1]);
    snprintf (identity->endpoint, sizeof identity->endpoint, "ipc://@troupe-%016llx%016llx",
              (unsigned long long) name [0], (unsigned long long) name [1]);
    if (threads)
        memcpy (identity->endpoint, self->own_endpoint, sizeof self->own_endpoint);
    else if (socket_bind (self->inbox, identity->endpoint, fault))
        return -1;
    return socket_bind (self->inbox, self->own_endpoint, fault);
}

/*  Processes on other machines reach it by tcp, at any free port.          */
static int
s_bind_far (troupe_t *self, fault_t *fault)
{
    identity_t *identity = &self->identity;
    char endpoint [HOST_MAX + 32];
    network_endpoint (endpoint, sizeof endpoint, self->network->host, 0);
    if (!self->network->insecure) {
        identity->has_key = true;
        memcpy (identity->key, self->network->keys.public_key, KEY_SIZE);
    }
    if (network_serve (self->network, self->inbox, &self->network->keys, DOMAIN_PEERS, fault)
        || socket_bind (self->inbox, endpoint, fault)
        || socket_last_endpoint (self->inbox, endpoint, sizeof endpoint, fault))
        return -1;
    const char *port = strrchr (endpoint, ':');
    network_endpoint (identity->remote, sizeof identity->remote, self->network->host,
                      (uint16_t) (port ? atoi (port + 1) : 0));
    return 0;
}

static int
s_open_sockets (troupe_t *self, const peer_options_t *options, watch_t **watch, fault_t *fault)
{
    self->inbox = socket_router_new (self->context, fault);
    self->head.socket = self->inbox ? socket_dealer_new (self->context, fault) : NULL;
    if (!self->head.socket || s_bind_near (self, options->threads, fault)
        || (self->network && s_bind_far (self, fault)))
        return -1;
    const network_t *network = self->network;
    self->head.far = options->far;
    if (options->far
        && network_approach (network, self->head.socket, network->head_key, &network->admission,
                             fault))
        return -1;
    if (options->far
        && !(*watch = watch_new (self->context, self->head.socket, NULL, NULL, fault)))
        return -1;
    return socket_connect (self->head.socket, options->head_endpoint, fault);
}

/*  For each class a list of its name and, for each method, its name and what
    it takes, or nil.                                                       */
static void
s_put_classes (bytes_t *body)
{
    size_t count = 0;
    for (const troupe_class_t *actor = registry_classes (); actor; actor = actor->next)
        count++;
    value_put_array (body, count);
    for (const troupe_class_t *actor = registry_classes (); actor && count--;
         actor = actor->next) {
        size_t methods = class_method_count (actor);
        value_put_array (body, 1 + 2 * methods);
        value_put_string (body, actor->name, strlen (actor->name));
        for (size_t index = 0; index < methods; index++) {
            const char *name = class_method_name (actor, index);
            troupe_arg_t takes = troupe_arg_string (class_method_parameters (actor, index));
            fault_t fault;
            value_put_string (body, name, strlen (name));
            value_write (body, &takes, NULL, &fault);
        }
    }
}

void
peer_send_classes (troupe_t *self)
{
    bytes_t body = { 0 };
    s_put_classes (&body);
    record_t classes
        = { .type = RECORD_CLASSES, .body = body.data, .body_size = (uint32_t) body.size };
    if (!body.failed)
        link_send (self, HEAD_PROCESS, &classes);
    bytes_release (&body);
}

/*  The body of HELLO: the cookie, then an array of the fields of an identity,
    pairs of the address of a task's descriptor, for us to recognise, and its
    name, and a list of classes.                                            */
int
peer_send_hello (troupe_t *self, unsigned slots, fault_t *fault)
{
    size_t count = 0;
    for (troupe_task_t *task = registry_tasks (); task; task = task->next)
        count++;
    bytes_t body = { 0 };
    self->identity.slots = slots;
    bytes_append (&body, self->cookie, COOKIE_SIZE);
    value_put_array (&body, IDENTITY_FIELDS + 2 * count + 1);
    identity_put (&body, &self->identity);
    for (troupe_task_t *task = registry_tasks (); task && count--; task = task->next) {
        value_put_uint (&body, (uint64_t) (uintptr_t) task);
        value_put_string (&body, task->name, strlen (task->name));
    }
    s_put_classes (&body);
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

/*  What the connection has come to, if that is worse than nothing.         */
static int
s_check_connection (watch_t *watch, const char *head, fault_t *fault)
{
    watch_counts_t counts;
    if (!watch)
        return 0;
    watch_drain (watch);
    watch_read (watch, &counts);
    if (counts.refused)
        return fault_set (fault, TROUPE_EREFUSED, "%s refuses this token", head);
    if (counts.malformed || counts.abandoned > 1)
        return fault_set (fault, TROUPE_EREFUSED,
                          "what answers as %s is not the head that the token is for", head);
    return 0;
}

/*  Waits for the head's answer to HELLO.                                   */
static int
s_join (troupe_t *self, const peer_options_t *options, watch_t *watch, int64_t deadline,
        fault_t *fault)
{
    if (peer_send_hello (self, options->slots, fault))
        return -1;
    while (!self->joined && !self->refused.code) {
        if (s_check_connection (watch, self->head_name, fault))
            return -1;
        peer_waiter_t waiter = PEER_WAITER_INIT;
        int64_t now = clock_now ();
        if (options->wanted && !options->wanted (options->record_context))
            return fault_set (fault, TROUPE_ESTOPPED, "not wanted any more");
        if (now >= deadline)
            return fault_set (fault, TROUPE_ETIMEOUT, "%s does not answer", self->head_name);
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

static int
s_read_pending_max (troupe_t *self, fault_t *fault)
{
    const char *text = getenv ("TROUPE_MAX_PENDING");
    char *end = NULL;
    self->pending_max = PENDING_MAX;
    if (!text || !*text)
        return 0;
    unsigned long long number = strtoull (text, &end, 10);
    if (*end || !number || *text == '-')
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_MAX_PENDING is '%s': wanted a number of calls", text);
    self->pending_max = (size_t) number;
    return 0;
}

/*  Endpoints within a machine mean nothing to a user.                      */
static void
s_name_head (troupe_t *self, const peer_options_t *options)
{
    const char *address = options->head_address;
    if (!address && strncmp (options->head_endpoint, "tcp://", 6) == 0)
        address = options->head_endpoint + 6;
    snprintf (self->head_name, sizeof self->head_name, "the head%s%.*s", address ? " at " : "",
              HOST_MAX + 16, address ? address : "");
}

static void
s_identify (troupe_t *self, const peer_options_t *options)
{
    identity_t *identity = &self->identity;
    identity->role = options->role;
    identity->node = options->node;
    identity->job = options->job;
    identity->pid = (uint64_t) getpid ();
    network_machine (identity->machine);
    snprintf (identity->label, sizeof identity->label, "%s", options->label);
    snprintf (identity->name, sizeof identity->name, "%s", options->name ? options->name : "");
    snprintf (identity->resources, sizeof identity->resources, "%s",
              options->resources ? options->resources : "");
    snprintf (identity->folder, sizeof identity->folder, "%s",
              options->folder ? options->folder : "");
    snprintf (identity->environment, sizeof identity->environment, "%s",
              options->environment ? options->environment : "");
    snprintf (identity->store, sizeof identity->store, "%s",
              options->hosted ? store_remote_endpoint (options->hosted) : "");
    identity->has_program = options->program != NULL;
    if (options->program)
        memcpy (identity->program, options->program, PROGRAM_HASH_SIZE);
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
    self->service_due = CLOCK_NEVER;
    memcpy (self->cookie, options->cookie, COOKIE_SIZE);
    self->network = options->network;
    self->patience = options->patience;
    self->record = options->record;
    self->record_context = options->record_context;
    s_name_head (self, options);
    probe_init (&self->probe);
    snprintf (self->store_endpoint, sizeof self->store_endpoint, "%s",
              options->store ? options->store : "");
    self->hosted = options->hosted;
    s_identify (self, options);
    list_init (&self->dirty);
    list_init (&self->callbacks);
    list_init (&self->waiters);
    list_init (&self->sleepers);
    list_init (&self->inquiries);
    list_init (&self->givers);
    watch_t *watch = NULL;
    if (s_read_pending_max (self, fault) == 0
        && s_open_sockets (self, options, &watch, fault) == 0
        && s_open_descriptors (self, fault) == 0)
        self->service = thread_new (peer_serve, self, fault);
    pthread_mutex_lock (&self->lock);
    int rc = self->service ? s_join (self, options, watch, deadline, fault) : -1;
    if (watch)
        watch_stop (self->head.socket);
    pthread_mutex_unlock (&self->lock);
    watch_destroy (&watch);
    if (rc == 0)
        return self;
    peer_stop (self);
    peer_destroy (&self);
    return NULL;
}

void
peer_end_fault (const troupe_t *self, fault_t *fault)
{
    if (self->lost.code && !self->stopping)
        *fault = self->lost;
    else
        fault_set (fault, TROUPE_ESTOPPED, "the runtime has stopped");
}

int
peer_may_begin (const troupe_t *self, fault_t *fault)
{
    if (self->stopping || self->lost.code)
        peer_end_fault (self, fault);
    else if (self->ending)
        fault_set (fault, TROUPE_ESTOPPED,
                   "the cluster is being stopped, and nothing begins any more");
    else
        return 0;
    return -1;
}

/*  The tables may change meanwhile, so that one is missed. True if there was
    any.                                                                    */
static bool
s_fail_pending (troupe_t *self)
{
    fault_t fault;
    bool any = false;
    size_t cursor = 0;
    for (troupe_future_t *future; (future = future_next (self, &cursor));)
        if (future->state == FUTURE_PENDING) {
            any = true;
            peer_end_fault (self, &fault);
            future_fail_fault (future, &fault);
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

void
peer_lose_head (troupe_t *self, const fault_t *fault)
{
    if (self->lost.code || self->stopping)
        return;
    self->lost = *fault;
    peer_abandon (self);
    if (self->hooks)
        self->hooks->down (self->hooks_context, HEAD_PROCESS);
    if (self->leaving)
        peer_wake (self, self->leaving);
}

void
peer_settle (troupe_t *self, int64_t deadline)
{
    peer_waiter_t waiter = PEER_WAITER_INIT;
    if (!self->network)
        return;
    pthread_mutex_lock (&self->lock);
    link_fence_all (self);
    self->leaving = &waiter;
    while (link_is_fenced (self) && !self->lost.code && peer_wait (self, &waiter, deadline) >= 0)
        waiter.ready = waiter.nudged = false;
    self->leaving = NULL;
    pthread_mutex_unlock (&self->lock);
}

void
peer_leave (troupe_t *self, int64_t deadline)
{
    peer_waiter_t waiter = PEER_WAITER_INIT;
    record_t leave = { .type = RECORD_LEAVE };
    pthread_mutex_lock (&self->lock);
    if (self->joined && !self->lost.code) {
        link_send (self, HEAD_PROCESS, &leave);
        link_flush_all (self);
    } else
        self->left = true;
    self->leaving = &waiter;
    while (!self->left && !self->lost.code && peer_wait (self, &waiter, deadline) >= 0)
        waiter.ready = waiter.nudged = false;
    self->leaving = NULL;
    pthread_mutex_unlock (&self->lock);
}

int
peer_stop (troupe_t *self)
{
    pthread_mutex_lock (&self->lock);
    link_flush_all (self);
    self->stopping = true;
    peer_abandon (self);
    s_drop_borrowers (self);
    if (self->objects)
        store_client_close (self->objects);
    peer_wake_all (self);
    pthread_mutex_unlock (&self->lock);
    return thread_join (&self->service, STOP_TIMEOUT_MS);
}

void
known_destroy (known_t *known)
{
    free (known->endpoint);
    free (known->label);
    free (known);
}

int
known_let_in (troupe_t *self, const known_t *known, fault_t *fault)
{
    return self->network && known->has_key
               ? gate_allow (self->network->gate, DOMAIN_PEERS, known->key, NULL, fault)
               : 0;
}

void
known_shut_out (troupe_t *self, const known_t *known)
{
    if (self->network && known->has_key)
        gate_revoke (self->network->gate, DOMAIN_PEERS, known->key);
}

/*  The gate and the store may serve another seat, in a cluster in which all
    these are strangers.                                                    */
static void
s_free_known (troupe_t *self)
{
    size_t cursor = 0;
    for (known_t *known; (known = id_table_next (&self->known, &cursor));) {
        known_shut_out (self, known);
        if (self->hosted && self->lost.code)
            store_process_down (self->hosted, known->process, self->lost.text);
        known_destroy (known);
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
    probe_release (&self->probe);
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
    id_table_release (&self->shut_out);
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
    store_client_destroy (&self->objects);
    bytes_release (&self->reported);
    window_release (&self->futures);
    slab_release (&self->future_slab);
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
