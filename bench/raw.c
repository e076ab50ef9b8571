/*  raw.c - the same traffic on bare libzmq, written to be fast             */

#include "raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define ENDPOINT_MAX 256
#define PEERS_MAX 64
#define ID_MAX 255
#define TIMEOUT_MS 20000

/*  Messages at one wake-up that make a broker busy.                       */
#define BUSY 4

/*  A message: its kind, the broker's number for the client, and the task's
    sequence number, in host order as all processes share one machine.      */
enum { KIND_TASK, KIND_READY, KIND_RELEASE };

typedef struct {
    uint32_t kind;
    uint32_t client;
    uint64_t sequence;
    uint8_t unused [RAW_SIZE - 16];
} raw_message_t;

static int
s_fail (const char *what)
{
    return bench_fail ("%s: %s", what, zmq_strerror (zmq_errno ()));
}

/* ------------------------------------------------------------------------
   Sockets                                                                  */

static void *
s_socket_new (void *context, int type)
{
    void *socket = zmq_socket (context, type);
    if (!socket)
        return NULL;
    int linger = 0, one = 1, timeout = TIMEOUT_MS;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    return socket;
}

/*  Binds to a fresh endpoint and writes its name, one line, to the parent. An
    abstract unix socket leaves no file behind.                             */
static int
s_bind (void *socket, const char *transport, char tag, int to_parent)
{
    char endpoint [ENDPOINT_MAX] = "tcp://127.0.0.1:*";
    if (strcmp (transport, "ipc") == 0)
        snprintf (endpoint, sizeof endpoint, "ipc://@troupe-bench-%ld-%c", (long) getpid (),
                  tag);
    if (zmq_bind (socket, endpoint))
        return s_fail (endpoint);
    size_t size = sizeof endpoint - 1;
    if (strcmp (transport, "tcp") == 0
        && zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size))
        return s_fail ("ephemeral port");
    size_t length = strlen (endpoint);
    endpoint [length] = '\n';
    return write (to_parent, endpoint, length + 1) == (ssize_t) length + 1 ? 0 : -1;
}

static int
s_send (void *socket, uint32_t kind, uint64_t sequence)
{
    zmq_msg_t message;
    zmq_msg_init_size (&message, RAW_SIZE);
    raw_message_t *content = zmq_msg_data (&message);
    memset (content, 0, sizeof *content);
    content->kind = kind;
    content->sequence = sequence;
    if (zmq_msg_send (&message, socket, 0) < 0)
        return s_fail ("send");
    return 0;
}

/* ------------------------------------------------------------------------
   Workers: answer each message with itself                                 */

typedef struct {
    const char *transport;
    const char *endpoint;       /*  to connect to; NULL: bind one           */
    bool hold;
} role_t;

static int
s_echo_dealer (void *socket)
{
    zmq_msg_t message;
    zmq_msg_init (&message);
    for (;;) {
        int flags = 0;
        for (int i = 0; i < RAW_DRAIN; i++) {
            if (zmq_msg_recv (&message, socket, flags) < 0)
                break;
            zmq_msg_send (&message, socket, 0);
            flags = ZMQ_DONTWAIT;
        }
    }
    return 0;
}

static int
s_echo_router (void *socket)
{
    zmq_msg_t id, message;
    zmq_msg_init (&id);
    zmq_msg_init (&message);
    for (;;) {
        int flags = 0;
        for (int i = 0; i < RAW_DRAIN; i++) {
            if (zmq_msg_recv (&id, socket, flags) < 0)
                break;
            zmq_msg_recv (&message, socket, 0);
            zmq_msg_send (&id, socket, ZMQ_SNDMORE);
            zmq_msg_send (&message, socket, 0);
            flags = ZMQ_DONTWAIT;
        }
    }
    return 0;
}

static int
s_worker_direct (void *argument, int to_parent)
{
    const role_t *role = argument;
    void *socket = s_socket_new (zmq_ctx_new (), ZMQ_ROUTER);
    if (!socket || s_bind (socket, role->transport, 'w', to_parent))
        return -1;
    return s_echo_router (socket);
}

static int
s_worker_brokered (void *argument, int to_parent)
{
    (void) to_parent;
    const role_t *role = argument;
    void *socket = s_socket_new (zmq_ctx_new (), ZMQ_DEALER);
    if (!socket || zmq_connect (socket, role->endpoint) || s_send (socket, KIND_READY, 0))
        return s_fail ("worker");
    return s_echo_dealer (socket);
}

/* ------------------------------------------------------------------------
   Broker                                                                   */

typedef struct {
    size_t size;
    uint8_t id [ID_MAX];
    size_t credit;              /*  of a worker: tasks it may be sent       */
} peer_t;

typedef struct {
    void *front;                /*  ROUTER for clients                      */
    void *back;                 /*  ROUTER for workers                      */
    peer_t clients [PEERS_MAX];
    size_t client_count;
    peer_t workers [PEERS_MAX];
    size_t worker_count;
    bool hold;
    raw_message_t *queue;       /*  waiting tasks, a ring                   */
    size_t head, length, capacity;
} broker_t;

/*  The number of the peer with this id, which is added if it is new.       */
static size_t
s_peer_number (peer_t *peers, size_t *count, zmq_msg_t *id)
{
    size_t size = zmq_msg_size (id);
    const void *data = zmq_msg_data (id);
    for (size_t i = 0; i < *count; i++)
        if (peers [i].size == size && memcmp (peers [i].id, data, size) == 0)
            return i;
    if (*count == PEERS_MAX || size > ID_MAX)
        exit (bench_fail ("too many peers"));
    peers [*count].size = size;
    memcpy (peers [*count].id, data, size);
    return (*count)++;
}

static void
s_send_to (void *socket, const peer_t *peer, zmq_msg_t *message)
{
    zmq_msg_t id;
    zmq_msg_init_size (&id, peer->size);
    memcpy (zmq_msg_data (&id), peer->id, peer->size);
    if (zmq_msg_send (&id, socket, ZMQ_SNDMORE) < 0 || zmq_msg_send (message, socket, 0) < 0)
        exit (s_fail ("broker send"));
}

static void
s_queue_grow (broker_t *self)
{
    size_t capacity = self->capacity ? self->capacity * 2 : 1024;
    raw_message_t *queue = malloc (capacity * sizeof *queue);
    if (!queue)
        exit (bench_fail ("out of memory"));
    for (size_t i = 0; i < self->length; i++)
        queue [i] = self->queue [(self->head + i) % self->capacity];
    free (self->queue);
    self->queue = queue;
    self->capacity = capacity;
    self->head = 0;
}

static void
s_queue_push (broker_t *self, const raw_message_t *content)
{
    if (self->length == self->capacity)
        s_queue_grow (self);
    self->queue [(self->head + self->length) & (self->capacity - 1)] = *content;
    self->length++;
}

/*  The worker with the most credit, or NULL if none has any.               */
static peer_t *
s_worker_pick (broker_t *self)
{
    peer_t *best = NULL;
    for (size_t i = 0; i < self->worker_count; i++)
        if (self->workers [i].credit > 0 && (!best || self->workers [i].credit > best->credit))
            best = &self->workers [i];
    return best;
}

/*  Sends queued tasks as long as a worker has credit.                      */
static void
s_queue_flush (broker_t *self)
{
    while (self->length > 0 && !self->hold) {
        peer_t *worker = s_worker_pick (self);
        if (!worker)
            break;
        zmq_msg_t message;
        zmq_msg_init_size (&message, RAW_SIZE);
        memcpy (zmq_msg_data (&message), &self->queue [self->head], RAW_SIZE);
        self->head = (self->head + 1) & (self->capacity - 1);
        self->length--;
        worker->credit--;
        s_send_to (self->back, worker, &message);
    }
}

/*  A task: on to a worker at once, or into the queue.                      */
static void
s_dispatch (broker_t *self, zmq_msg_t *message)
{
    peer_t *worker = self->length || self->hold ? NULL : s_worker_pick (self);
    if (worker) {
        worker->credit--;
        s_send_to (self->back, worker, message);
    } else {
        s_queue_push (self, zmq_msg_data (message));
        s_queue_flush (self);
    }
}

/*  Both return how many messages they took in.                             */
static int
s_drain_front (broker_t *self)
{
    int count = 0;
    zmq_msg_t id, message;
    zmq_msg_init (&id);
    zmq_msg_init (&message);
    for (; count < RAW_DRAIN; count++) {
        if (zmq_msg_recv (&id, self->front, ZMQ_DONTWAIT) < 0)
            break;
        zmq_msg_recv (&message, self->front, 0);
        raw_message_t *content = zmq_msg_data (&message);
        content->client = (uint32_t) s_peer_number (self->clients, &self->client_count, &id);
        if (content->kind == KIND_TASK)
            s_dispatch (self, &message);
        else {
            self->hold = false;
            s_queue_flush (self);
        }
    }
    zmq_msg_close (&id);
    zmq_msg_close (&message);
    return count;
}

static int
s_drain_back (broker_t *self)
{
    int count = 0;
    zmq_msg_t id, message;
    zmq_msg_init (&id);
    zmq_msg_init (&message);
    for (; count < RAW_DRAIN; count++) {
        if (zmq_msg_recv (&id, self->back, ZMQ_DONTWAIT) < 0)
            break;
        zmq_msg_recv (&message, self->back, 0);
        const raw_message_t *content = zmq_msg_data (&message);
        size_t worker = s_peer_number (self->workers, &self->worker_count, &id);
        if (content->kind == KIND_READY)
            self->workers [worker].credit = RAW_WINDOW;
        else {
            self->workers [worker].credit++;
            s_send_to (self->front, &self->clients [content->client], &message);
        }
        s_queue_flush (self);
    }
    zmq_msg_close (&id);
    zmq_msg_close (&message);
    return count;
}

static int
s_broker (void *argument, int to_parent)
{
    const role_t *role = argument;
    static broker_t self;
    void *context = zmq_ctx_new ();
    self.hold = role->hold;
    self.front = s_socket_new (context, ZMQ_ROUTER);
    self.back = s_socket_new (context, ZMQ_ROUTER);
    if (!self.front || !self.back || s_bind (self.front, role->transport, 'f', to_parent)
        || s_bind (self.back, role->transport, 'b', to_parent))
        return -1;
    for (;;) {
        zmq_pollitem_t items [] = { { self.front, 0, ZMQ_POLLIN, 0 },
                                    { self.back, 0, ZMQ_POLLIN, 0 } };
        zmq_poll (items, 2, -1);
        int taken = (items [0].revents ? s_drain_front (&self) : 0)
                    + (items [1].revents ? s_drain_back (&self) : 0);
        /*  Looking again costs less than sleeping, but only under load.        */
        while (taken > BUSY)
            taken = s_drain_front (&self) + s_drain_back (&self);
    }
}

/* ------------------------------------------------------------------------
   Client                                                                   */

static int
s_client_connect (raw_cluster_t *self, const char *endpoint)
{
    self->context = zmq_ctx_new ();
    self->client = s_socket_new (self->context, ZMQ_DEALER);
    if (!self->client || zmq_connect (self->client, endpoint))
        return s_fail ("client");
    return 0;
}

int
raw_cluster_direct (raw_cluster_t *self, const char *transport)
{
    char endpoint [ENDPOINT_MAX];
    role_t role = { transport, NULL, false };
    if (bench_child_start (&self->worker, s_worker_direct, &role)
        || bench_child_read (&self->worker, endpoint, sizeof endpoint))
        return -1;
    return s_client_connect (self, endpoint);
}

int
raw_cluster_brokered (raw_cluster_t *self, const char *transport, bool hold)
{
    char front [ENDPOINT_MAX], back [ENDPOINT_MAX];
    role_t broker = { transport, NULL, hold };
    role_t worker = { transport, back, false };
    if (bench_child_start (&self->broker, s_broker, &broker)
        || bench_child_read (&self->broker, front, sizeof front)
        || bench_child_read (&self->broker, back, sizeof back)
        || bench_child_start (&self->worker, s_worker_brokered, &worker))
        return -1;
    return s_client_connect (self, front);
}

void
raw_cluster_end (raw_cluster_t *self)
{
    if (self->client)
        zmq_close (self->client);
    if (self->context)
        zmq_ctx_term (self->context);
    bench_child_end (&self->worker);
    bench_child_end (&self->broker);
    memset (self, 0, sizeof *self);
}

/*  Takes in what has arrived, waiting for the first. Adds up the sequence
    numbers. Returns how many, or -1.                                       */
static int
s_receive_some (raw_cluster_t *self, uint64_t *sum)
{
    zmq_msg_t message;
    zmq_msg_init (&message);
    int count = 0;
    int flags = 0;
    while (count < RAW_DRAIN && zmq_msg_recv (&message, self->client, flags) == RAW_SIZE) {
        const raw_message_t *content = zmq_msg_data (&message);
        *sum += content->sequence;
        flags = ZMQ_DONTWAIT;
        count++;
    }
    zmq_msg_close (&message);
    return count > 0 ? count : s_fail ("no answer");
}

/*  The sum of first, first + 1, ...                                        */
static uint64_t
s_sum (size_t first, size_t count)
{
    return (uint64_t) first * count + (uint64_t) count * (count - 1) / 2;
}

int
raw_exchange (raw_cluster_t *self, size_t first, size_t count, size_t window)
{
    size_t sent = 0, received = 0;
    uint64_t sum = 0;
    while (received < count) {
        while (sent < count && sent - received < window)
            if (s_send (self->client, KIND_TASK, first + sent++))
                return -1;
        int some = s_receive_some (self, &sum);
        if (some < 0)
            return -1;
        received += (size_t) some;
    }
    if (received != count || sum != s_sum (first, count))
        return bench_fail ("answers are lost or doubled");
    return 0;
}

int
raw_send_all (raw_cluster_t *self, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (s_send (self->client, KIND_TASK, i))
            return -1;
    return 0;
}

int
raw_receive_all (raw_cluster_t *self, size_t count)
{
    size_t received = 0;
    uint64_t sum = 0;
    while (received < count) {
        int some = s_receive_some (self, &sum);
        if (some < 0)
            return -1;
        received += (size_t) some;
    }
    return sum == s_sum (0, count) ? 0 : bench_fail ("answers are lost or doubled");
}

int
raw_release (raw_cluster_t *self)
{
    return s_send (self->client, KIND_RELEASE, 0);
}

/* ------------------------------------------------------------------------
   Measurements                                                             */

static const char *const s_transports [] = { "ipc", "tcp" };

typedef struct {
    bench_activity_t before, after;
    double value;
    int64_t *samples;
} measured_t;

static bool
s_wanted (const bench_options_t *options, const char *transport)
{
    return !options->transport || strcmp (options->transport, transport) == 0;
}

static int
s_run_rate (raw_cluster_t *cluster, const bench_options_t *options, measured_t *measured)
{
    if (raw_exchange (cluster, 0, options->count / 10 + 1, options->window))
        return -1;
    bench_activity_read (&measured->before);
    int64_t start = bench_now ();
    if (raw_exchange (cluster, 0, options->count, options->window))
        return -1;
    int64_t end = bench_now ();
    bench_activity_read (&measured->after);
    measured->value = (double) options->count * 1e9 / (double) (end - start);
    return 0;
}

static int
s_run_latency (raw_cluster_t *cluster, const bench_options_t *options, measured_t *measured)
{
    if (raw_exchange (cluster, 0, options->count / 10 + 1, 1))
        return -1;
    bench_activity_read (&measured->before);
    for (size_t i = 0; i < options->count; i++) {
        int64_t start = bench_now ();
        if (raw_exchange (cluster, i, 1, 1))
            return -1;
        measured->samples [i] = bench_now () - start;
    }
    bench_activity_read (&measured->after);
    bench_sort (measured->samples, options->count);
    measured->value = (double) bench_percentile (measured->samples, options->count, 50) / 1000;
    return 0;
}

typedef int s_run_t (raw_cluster_t *cluster, const bench_options_t *options,
                     measured_t *measured);

/*  Runs over each wanted transport. The transport of the better run, of the
    lower value or the higher, or NULL after a failure.                     */
static const char *
s_run_all (raw_starter_t *start, s_run_t *run, bool lower, const bench_options_t *options,
           measured_t measured [2])
{
    const char *best = NULL;
    double best_value = 0;
    for (int i = 0; i < 2; i++) {
        raw_cluster_t cluster = { .context = NULL };
        if (!s_wanted (options, s_transports [i]))
            continue;
        int failed = start (&cluster, s_transports [i])
                     || run (&cluster, options, &measured [i]);
        raw_cluster_end (&cluster);
        if (failed)
            return NULL;
        if (!best || (measured [i].value < best_value) == lower) {
            best = s_transports [i];
            best_value = measured [i].value;
        }
    }
    return best;
}

/*  The fields that both kinds of result have.                              */
static void
s_finish (const char *best, const bench_options_t *options, const measured_t measured [2])
{
    bench_result_text ("transport", best);
    for (int i = 0; i < 2; i++) {
        if (s_wanted (options, s_transports [i]))
            bench_result_number (s_transports [i], measured [i].value);
        if (s_transports [i] == best)
            bench_result_activity (&measured [i].before, &measured [i].after, options->count);
    }
    bench_result_end ();
}

int
raw_measure_rate (const char *bench, const char *unit, raw_starter_t *start,
                  const bench_options_t *options)
{
    measured_t measured [2] = { { .value = 0 }, { .value = 0 } };
    const char *best = s_run_all (start, s_run_rate, false, options, measured);
    if (!best)
        return -1;
    bench_result_begin (bench, "raw", measured [best == s_transports [1]].value, unit);
    s_finish (best, options, measured);
    return 0;
}

int
raw_measure_latency (const char *bench, raw_starter_t *start, const bench_options_t *options)
{
    measured_t measured [2] = { { .value = 0 }, { .value = 0 } };
    measured [0].samples = calloc (options->count * 2, sizeof (int64_t));
    if (!measured [0].samples)
        return bench_fail ("out of memory");
    measured [1].samples = measured [0].samples + options->count;
    const char *best = s_run_all (start, s_run_latency, true, options, measured);
    if (best) {
        bench_result_latency (bench, "raw", measured [best == s_transports [1]].samples,
                              options->count);
        s_finish (best, options, measured);
    }
    free (measured [0].samples);
    return best ? 0 : -1;
}
