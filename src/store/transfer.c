/*  transfer.c - objects on their way between stores                         */

#include "store/transfer_private.h"

#include "core/checksum.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

/*  For what ZeroMQ still reads at the end.                                 */
#define RETURN_PATIENCE (1000 * CLOCK_MS)

/*  Sockets that are asked for at once, and how often in a row.             */
#define READY_MAX 64
#define READY_TURNS 64

/*  A socket that something is sent by may take note of what has come to it, and
    its descriptor does not tell of that any more: so it is looked at.      */
static void
s_make_due (transfer_t *self, other_t *other)
{
    if (!other)
        self->socket_due = true;
    else if (!list_linked (&other->due))
        list_append (&self->due, &other->due);
}

/*  --- sending ----------------------------------------------------------  */

static int
s_send_parts (void *socket, const transfer_message_t *header, zmq_msg_t *data)
{
    int more = data ? ZMQ_SNDMORE : 0;
    if (zmq_send (socket, header, sizeof *header, ZMQ_DONTWAIT | more) < 0
        || (data && zmq_msg_send (data, socket, ZMQ_DONTWAIT) < 0)) {
        if (data)
            zmq_msg_close (data);
        return -1;
    }
    return 0;
}

int
transfer_ask (transfer_t *self, process_t store, const transfer_message_t *message)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, store });
    transfer_message_t copy = *message;
    copy.from = self->name;
    if (!other || !*other->endpoint)
        return -1;
    if (!other->socket && transfer_connect (self, other))
        return -1;
    s_make_due (self, other);
    return s_send_parts (other->socket, &copy, NULL);
}

/*  A store that has gone gets nothing, and asks again if it comes back.    */
void
transfer_answer (transfer_t *self, const route_t *route, const transfer_message_t *message,
                 zmq_msg_t *data)
{
    transfer_message_t copy = *message;
    copy.from = self->name;
    s_make_due (self, NULL);
    if (zmq_send (self->socket, route->bytes, route->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (data)
            zmq_msg_close (data);
        return;
    }
    s_send_parts (self->socket, &copy, data);
}

/*  In a thread of ZeroMQ's.                                                */
static void
s_returned (void *data, void *hint)
{
    (void) data;
    atomic_fetch_sub_explicit ((atomic_uint *) hint, 1, memory_order_release);
}

void
transfer_send_piece (transfer_t *self, const route_t *route, tid_t id, const uint8_t *data,
                     uint64_t offset, uint64_t size)
{
    zmq_msg_t piece;
    void *place = (void *) (uintptr_t) (data + offset);
    transfer_message_t answer = { .type = TRANSFER_DATA,
                                  .id = id,
                                  .offset = offset,
                                  .checksum = checksum_of (place, size) };
    atomic_fetch_add_explicit (self->lent, 1, memory_order_relaxed);
    if (zmq_msg_init_data (&piece, place, size, s_returned, self->lent)) {
        s_returned (place, self->lent);
        return;
    }
    self->figures.sent += size;
    transfer_answer (self, route, &answer, &piece);
}

/*  --- requests that wait -----------------------------------------------  */

void
parked_append (transfer_t *self, list_t *list, const route_t *route, uint64_t offset,
               uint64_t size)
{
    if (self->parked_count >= PARKED_MAX)
        return;
    for (list_node_t *at = list->next; at != list; at = at->next) {
        const parked_t *other = container_of (at, parked_t, node);
        if (other->offset == offset && other->size == size && other->route.size == route->size
            && memcmp (other->route.bytes, route->bytes, route->size) == 0)
            return;
    }
    parked_t *parked = calloc (1, sizeof *parked);
    if (!parked)
        return;
    parked->route = *route;
    parked->offset = offset;
    parked->size = size;
    list_append (list, &parked->node);
    self->parked_count++;
}

void
parked_free (transfer_t *self, parked_t *parked)
{
    self->parked_count--;
    free (parked);
}

/*  --- receiving --------------------------------------------------------  */

static void
s_request (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    switch (message->type) {
    case TRANSFER_LOCATE:
        serving_locate (self, route, message);
        break;
    case TRANSFER_GET:
        serving_get (self, route, message);
        break;
    case TRANSFER_HOLD:
    case TRANSFER_HAS:
    case TRANSFER_DISCARDS:
    case TRANSFER_DROPPED:
        notice_hear (self, route, message);
        break;
    default:
        break;
    }
}

static void
s_reply (transfer_t *self, const transfer_message_t *message, const uint8_t *data, size_t size)
{
    switch (message->type) {
    case TRANSFER_LOCATED:
        fetch_located (self, message);
        break;
    case TRANSFER_DATA:
        fetch_piece (self, message, data, size);
        break;
    case TRANSFER_LACKS:
        fetch_lacks (self, message);
        break;
    case TRANSFER_GONE:
        fetch_gone (self, message, (const char *) data, size);
        break;
    case TRANSFER_NOTED:
        notice_noted (self, message);
        break;
    default:
        break;
    }
}

/*  One message: a routing id if the socket is the ROUTER, the header, and data
    if there are any. What is malformed is dropped. False: there is none.   */
static bool
s_receive (transfer_t *self, void *socket)
{
    zmq_msg_t part, data;
    route_t route = { .size = 0 };
    transfer_message_t message = { .type = 0 };
    bool routed = socket == self->socket;
    zmq_msg_init (&part);
    zmq_msg_init (&data);
    if (zmq_msg_recv (&part, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close (&part);
        zmq_msg_close (&data);
        return false;
    }
    if (routed) {
        route.size = zmq_msg_size (&part) <= sizeof route.bytes ? zmq_msg_size (&part) : 0;
        memcpy (route.bytes, zmq_msg_data (&part), route.size);
        if (zmq_msg_more (&part))
            zmq_msg_recv (&part, socket, ZMQ_DONTWAIT);
    }
    bool whole = zmq_msg_size (&part) == sizeof message;
    if (whole)
        memcpy (&message, zmq_msg_data (&part), sizeof message);
    if (zmq_msg_more (&part))
        zmq_msg_recv (&data, socket, ZMQ_DONTWAIT);
    while (zmq_msg_more (&data) && zmq_msg_recv (&data, socket, ZMQ_DONTWAIT) >= 0)
        whole = false;
    if (whole && routed && route.size)
        s_request (self, &route, &message);
    else if (whole && !routed)
        s_reply (self, &message, zmq_msg_data (&data), zmq_msg_size (&data));
    zmq_msg_close (&part);
    zmq_msg_close (&data);
    return true;
}

static bool
s_drain (transfer_t *self, void *socket)
{
    for (int left = 64; left && socket_readable (socket); left--)
        if (!s_receive (self, socket))
            return true;
    return !socket_readable (socket);
}

/*  Each that was due is looked at once, and stays due if more is there.     */
static void
s_drain_due (transfer_t *self)
{
    bool due = self->socket_due;
    self->socket_due = false;
    if (due && !s_drain (self, self->socket))
        self->socket_due = true;
    const list_node_t *last = self->due.prev, *node = NULL;
    while (node != last && !list_empty (&self->due)) {
        other_t *other = container_of (list_pop (&self->due), other_t, due);
        node = &other->due;
        if (!s_drain (self, other->socket))
            s_make_due (self, other);
    }
}

/*  So that others that are silent cost nothing, as there may be many.      */
void
transfer_ready (transfer_t *self)
{
    struct epoll_event events [READY_MAX];
    int count, left = READY_TURNS;
    do {
        count = epoll_wait (self->poll, events, READY_MAX, 0);
        for (int index = 0; index < count; index++)
            s_make_due (self, events [index].data.ptr);
        s_drain_due (self);
    } while (count == READY_MAX && --left);
}

int64_t
transfer_tend (transfer_t *self, int64_t now)
{
    transfer_ready (self);
    int64_t due = fetch_tend (self, now), then = serving_tend (self, now),
            repeat = notice_tend (self, now);
    transfer_ready (self);
    if (self->socket_due || !list_empty (&self->due))
        return now;
    then = then < repeat ? then : repeat;
    return then < due ? then : due;
}

/*  --- other stores -----------------------------------------------------  */

int
transfer_connect (transfer_t *self, other_t *other)
{
    fault_t fault;
    int64_t largest = TRANSFER_PIECE + REQUEST_MAX;
    other->socket = socket_dealer_new (self->context, &fault);
    if (!other->socket)
        return -1;
    zmq_setsockopt (other->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    if (network_approach (self->network, other->socket, other->key, &self->network->keys, &fault)
        || socket_connect (other->socket, other->endpoint, &fault)) {
        zmq_close (other->socket);
        other->socket = NULL;
        return -1;
    }
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = other };
    epoll_ctl (self->poll, EPOLL_CTL_ADD, socket_fd (other->socket), &event);
    s_make_due (self, other);
    return 0;
}

static void
s_other_destroy (transfer_t *self, other_t *other)
{
    notice_forget (self, other);
    list_remove (&other->due);
    if (other->socket) {
        epoll_ctl (self->poll, EPOLL_CTL_DEL, socket_fd (other->socket), NULL);
        zmq_close (other->socket);
    }
    free (other);
}

other_t *
transfer_other (transfer_t *self, process_t store)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, store });
    if (other)
        return other;
    other = calloc (1, sizeof *other);
    if (!other || id_table_put (&self->others, (tid_t){ 0, store }, other)) {
        free (other);
        return NULL;
    }
    other->process = store;
    list_init (&other->untold);
    return other;
}

void
transfer_forget (transfer_t *self, other_t *other)
{
    id_table_remove (&self->others, (tid_t){ 0, other->process });
    s_other_destroy (self, other);
}

void
transfer_store_up (transfer_t *self, process_t store, const char *name, const char *endpoint,
                   const uint8_t *key)
{
    other_t *other = transfer_other (self, store);
    if (!other || *other->endpoint)
        return;
    snprintf (other->endpoint, sizeof other->endpoint, "%s", endpoint);
    snprintf (other->name, sizeof other->name, "%s", name);
    if (key)
        memcpy (other->key, key, KEY_SIZE);
    fetch_store_up (self, store);
}

void
transfer_store_down (transfer_t *self, process_t store, const char *cause)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, store });
    if (other)
        transfer_forget (self, other);
    serving_store_down (self, store);
    fetch_store_down (self, store, cause);
}

const char *
transfer_store_name (const transfer_t *self, process_t store, char text [TRANSFER_NAME_MAX])
{
    const other_t *other = id_table_get (&self->others, (tid_t){ 0, store });
    if (!other || !*other->endpoint)
        return "another machine";
    snprintf (text, TRANSFER_NAME_MAX, "%s (%s)", other->name, other->endpoint);
    return text;
}

/*  --- life -------------------------------------------------------------  */

static int
s_open (transfer_t *self, fault_t *fault)
{
    char endpoint [HOST_MAX + 32];
    int64_t largest = REQUEST_MAX;
    const network_t *network = self->network;
    self->poll = epoll_create1 (EPOLL_CLOEXEC);
    if (self->poll < 0)
        return fault_set (fault, TROUPE_ELIMIT, "cannot open a descriptor: %s",
                          strerror (errno));
    self->socket = socket_router_new (self->context, fault);
    if (!self->socket)
        return -1;
    network_endpoint (endpoint, sizeof endpoint, network->host, 0);
    if (network_serve (network, self->socket, &network->keys, DOMAIN_PEERS, fault))
        return -1;
    zmq_setsockopt (self->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    if (socket_bind (self->socket, endpoint, fault)
        || socket_last_endpoint (self->socket, endpoint, sizeof endpoint, fault))
        return -1;
    const char *port = strrchr (endpoint, ':');
    network_endpoint (self->endpoint, sizeof self->endpoint, network->host,
                      (uint16_t) (port ? atoi (port + 1) : 0));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    epoll_ctl (self->poll, EPOLL_CTL_ADD, socket_fd (self->socket), &event);
    s_make_due (self, NULL);
    return 0;
}

transfer_t *
transfer_new (const transfer_options_t *options, fault_t *fault)
{
    transfer_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for transfers");
        return NULL;
    }
    self->poll = -1;
    list_init (&self->fetching);
    list_init (&self->recent);
    list_init (&self->telling);
    list_init (&self->due);
    self->lent = calloc (1, sizeof *self->lent);
    self->context = options->context;
    self->network = options->network;
    self->hooks = options->hooks;
    self->hooks_context = options->hooks_context;
    self->patience = options->patience ? options->patience : FETCH_PATIENCE;
    if (!self->lent)
        fault_set (fault, TROUPE_ENOMEM, "no memory for transfers");
    if (!self->lent || s_open (self, fault))
        transfer_destroy (&self);
    return self;
}

/*  ZeroMQ's threads give back what they were lent soon after the sockets are
    closed.                                                                 */
static int
s_take_back (transfer_t *self)
{
    int64_t until = clock_now () + RETURN_PATIENCE;
    while (self->lent && atomic_load_explicit (self->lent, memory_order_acquire)) {
        if (clock_now () >= until)
            return -1;
        poll (NULL, 0, 1);
    }
    free (self->lent);
    return 0;
}

int
transfer_destroy (transfer_t **self_p)
{
    transfer_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    size_t cursor = 0;
    for (other_t *other; (other = id_table_next (&self->others, &cursor));)
        s_other_destroy (self, other);
    fetch_destroy_all (self);
    serving_destroy_all (self);
    if (self->socket)
        zmq_close (self->socket);
    if (self->poll >= 0)
        close (self->poll);
    id_table_release (&self->others);
    int rc = s_take_back (self);
    free (self);
    return rc;
}

/*  To the others it is another store, which has said and heard nothing yet. */
void
transfer_name (transfer_t *self, process_t process)
{
    size_t cursor = 0;
    for (other_t *other; (other = id_table_next (&self->others, &cursor));) {
        notice_forget (self, other);
        other->told = other->heard = 0;
    }
    self->name = process;
}

const char *
transfer_endpoint (const transfer_t *self)
{
    return self->endpoint;
}

int
transfer_fd (const transfer_t *self)
{
    return self->poll;
}

transfer_figures_t
transfer_figures (const transfer_t *self)
{
    return self->figures;
}
