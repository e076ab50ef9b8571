/*  watch.c - what happens to the connections of a socket                   */

#include "wire/watch.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/table.h"
#include "wire/range.h"
#include "wire/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#define EVENTS                                                                               \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED                       \
     | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL                  \
     | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH                 \
     | ZMQ_EVENT_MONITOR_STOPPED)

/*  So many events at a time, so that others get their turn.                */
#define DRAIN_MAX 256

#define STOPPED_WAIT_MS 1000

/*  The time for a handshake, and for libzmq to end it and for us to hear.   */
#define SETTLED_AFTER ((SOCKET_HANDSHAKE_MS + 1000) * CLOCK_MS)

/*  Before a CURVE server lets somebody in he gets its greeting, a WELCOME and
    perhaps an ERROR, which are 246 bytes, and then a READY of more than 50; and
    he has sent less than 2 KiB.                                            */
#define REFUSED_GETS_MAX 256
#define STRANGER_SENDS_MAX 4096

/*  How often connections are looked at that are not settled: the more there
    are, the less often, so that it is a small part of the time.            */
#define LOOK_AFTER (20 * CLOCK_MS)
#define LOOK_AFTER_EACH (25 * CLOCK_US)

typedef struct {
    list_node_t node;       /*  in open                                     */
    int64_t since;
    peer_link_t connection;
    bool cut;
    char address [];        /*  of the other side                           */
} watch_link_t;

struct watch {
    void *socket;
    watch_told_t *told;
    void *arg;
    watch_counts_t counts;
    id_table_t links;       /*  descriptor to watch_link_t                  */
    list_t open;            /*  those of others that are not settled, the
                                oldest first                                */
    size_t open_count;
    int64_t look_due;
    bool curve;
    watch_change_t failing; /*  why the next one closes                     */
    bool ended;
};

static watch_t *
s_connect (watch_t *self, void *context, const char *endpoint)
{
    int zero = 0;
    self->socket = zmq_socket (context, ZMQ_PAIR);
    if (!self->socket)
        return NULL;
    /*  Without a limit on what waits, the I/O thread never waits for us.   */
    zmq_setsockopt (self->socket, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &zero, sizeof zero);
    return zmq_connect (self->socket, endpoint) ? NULL : self;
}

static bool
s_is_curve (void *socket)
{
    int mechanism = ZMQ_NULL;
    size_t size = sizeof mechanism;
    return zmq_getsockopt (socket, ZMQ_MECHANISM, &mechanism, &size) == 0
           && mechanism == ZMQ_CURVE;
}

watch_t *
watch_new (void *context, void *socket, watch_told_t *told, void *arg, fault_t *fault)
{
    static atomic_uint count;
    char endpoint [64];
    watch_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory to watch a socket");
        return NULL;
    }
    self->told = told;
    self->failing = WATCH_CLOSED;
    self->curve = s_is_curve (socket);
    list_init (&self->open);
    self->arg = arg;
    snprintf (endpoint, sizeof endpoint, "inproc://troupe-watch-%u",
              atomic_fetch_add (&count, 1));
    if (zmq_socket_monitor (socket, endpoint, EVENTS)) {
        fault_set (fault, TROUPE_ELIMIT, "cannot watch a socket: %s", zmq_strerror (errno));
        free (self);
        return NULL;
    }
    if (s_connect (self, context, endpoint))
        return self;
    fault_set (fault, TROUPE_ELIMIT, "cannot watch a socket: %s", zmq_strerror (errno));
    watch_stop (socket);
    if (self->socket)
        zmq_close (self->socket);
    free (self);
    return NULL;
}

void *
watch_socket (watch_t *watch)
{
    return watch->socket;
}

/*  --- connections ------------------------------------------------------  */

static in_port_t
s_port (const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *) address)->sin6_port;
    return ((const struct sockaddr_in *) address)->sin_port;
}

/*  The address of the other side of fd, "" if it is a local socket. When the
    event is read the connection may be gone and the descriptor be another's,
    so the side that is in the event, by its port, must be right.           */
static void
s_peer_address (int fd, const char *endpoint, bool accepted, char *text, socklen_t size)
{
    struct sockaddr_storage near, far;
    socklen_t near_size = sizeof near, far_size = sizeof far;
    const char *colon = strrchr (endpoint, ':');
    *text = 0;
    if (getsockname (fd, (struct sockaddr *) &near, &near_size)
        || getpeername (fd, (struct sockaddr *) &far, &far_size)
        || (far.ss_family != AF_INET && far.ss_family != AF_INET6) || !colon)
        return;
    unsigned long port = strtoul (colon + 1, NULL, 10);
    if (port != ntohs (s_port (accepted ? &near : &far)))
        return;
    if (getnameinfo ((struct sockaddr *) &far, far_size, text, size, NULL, 0, NI_NUMERICHOST))
        *text = 0;
}

static tid_t
s_key (int fd)
{
    return (tid_t){ 0, (uint64_t) fd };
}

static void
s_tell (watch_t *self, const watch_link_t *link, int fd, watch_change_t change)
{
    if (self->told)
        self->told (self->arg, fd, link->address, change);
}

static void
s_remove_open (watch_t *self, watch_link_t *link)
{
    self->open_count -= list_linked (&link->node);
    list_remove (&link->node);
}

static void
s_closed (watch_t *self, int fd)
{
    watch_change_t why = self->failing;
    watch_link_t *link = id_table_remove (&self->links, s_key (fd));
    self->failing = WATCH_CLOSED;
    if (link && link->cut)
        why = WATCH_CUT;
    self->counts.malformed += why == WATCH_MALFORMED;
    self->counts.abandoned += why == WATCH_ABANDONED;
    if (!link)
        return;
    if (why == WATCH_CLOSED && list_linked (&link->node))
        why = WATCH_SILENT;
    self->counts.closed++;
    s_remove_open (self, link);
    s_tell (self, link, fd, why);
    free (link);
}

static void
s_opened (watch_t *self, int fd, const char *endpoint, bool accepted)
{
    char address [NI_MAXHOST];
    /*  If its end was not told of, the descriptor's new use tells.         */
    self->failing = WATCH_CLOSED;
    s_closed (self, fd);
    self->counts.opened++;
    s_peer_address (fd, endpoint, accepted, address, sizeof address);
    const char *plain = address_plain (address);
    size_t size = strlen (plain) + 1;
    watch_link_t *link = calloc (1, sizeof *link + size);
    if (!link || id_table_put (&self->links, s_key (fd), link)) {
        free (link);
        self->counts.closed++;
        return;
    }
    peer_link_of_fd (&link->connection, fd);
    link->since = clock_now ();
    memcpy (link->address, plain, size);
    if (accepted && strncmp (endpoint, "tcp://", 6) == 0) {
        list_append (&self->open, &link->node);
        self->open_count++;
    }
    s_tell (self, link, fd, WATCH_OPENED);
}

int
watch_cut (watch_t *watch, int fd)
{
    watch_link_t *link = id_table_get (&watch->links, s_key (fd));
    if (!link || link->cut || peer_cut (&link->connection))
        return -1;
    link->cut = true;
    return 0;
}

/*  WATCH_OPENED if nothing new is known.                                   */
static watch_change_t
s_look (const watch_t *self, const watch_link_t *link, int64_t now)
{
    uint64_t received, acknowledged;
    if (now - link->since >= SETTLED_AFTER)
        return WATCH_SETTLED;
    if (!self->curve || link->cut || peer_bytes (&link->connection, &received, &acknowledged))
        return WATCH_OPENED;
    return acknowledged > REFUSED_GETS_MAX ? WATCH_SETTLED
           : received > STRANGER_SENDS_MAX ? WATCH_EXCEEDS
                                           : WATCH_OPENED;
}

int64_t
watch_settle (watch_t *watch, int64_t now)
{
    if (list_empty (&watch->open))
        return CLOCK_NEVER;
    if (now < watch->look_due)
        return watch->look_due;
    list_node_t *node = watch->open.next;
    while (node != &watch->open) {
        watch_link_t *link = container_of (node, watch_link_t, node);
        watch_change_t found = s_look (watch, link, now);
        node = node->next;
        if (found == WATCH_SETTLED)
            s_remove_open (watch, link);
        if (found != WATCH_OPENED)
            s_tell (watch, link, link->connection.fd, found);
    }
    if (list_empty (&watch->open))
        return CLOCK_NEVER;
    const watch_link_t *oldest = container_of (watch->open.next, watch_link_t, node);
    watch->look_due = watch->curve
                          ? now + LOOK_AFTER + (int64_t) watch->open_count * LOOK_AFTER_EACH
                          : oldest->since + SETTLED_AFTER;
    return watch->look_due;
}

static void
s_close_all (watch_t *self)
{
    size_t cursor = 0;
    for (watch_link_t *link; (link = id_table_next (&self->links, &cursor));) {
        self->counts.closed++;
        list_remove (&link->node);
        s_tell (self, link, -1, WATCH_CLOSED);
        free (link);
    }
    id_table_release (&self->links);
}

/*  --- events -----------------------------------------------------------  */

/*  What fails tells why, without its descriptor, right before it closes.   */
static void
s_event (watch_t *self, unsigned event, uint32_t value, const char *endpoint)
{
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
    case ZMQ_EVENT_CONNECTED:
        s_opened (self, (int) value, endpoint, event == ZMQ_EVENT_ACCEPTED);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        s_closed (self, (int) value);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        self->counts.succeeded++;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        self->counts.refused++;
        self->counts.last_refusal = (int) value;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        self->failing = WATCH_MALFORMED;
        self->counts.last_malformed = (int) value;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        if (self->failing == WATCH_CLOSED)
            self->failing = WATCH_ABANDONED;
        break;
    case ZMQ_EVENT_MONITOR_STOPPED:
        self->ended = true;
        break;
    default:
        break;
    }
}

/*  One event: a number and a value, then the endpoint. False if there is
    none.                                                                   */
static bool
s_step (watch_t *self)
{
    uint8_t head [6];
    char endpoint [512];
    int size = zmq_recv (self->socket, head, sizeof head, ZMQ_DONTWAIT);
    if (size < 0) {
        if (errno == ETERM)
            self->ended = true;
        return false;
    }
    int length = zmq_recv (self->socket, endpoint, sizeof endpoint - 1, ZMQ_DONTWAIT);
    if (size != sizeof head || length < 0)
        return false;
    endpoint [(size_t) length < sizeof endpoint ? (size_t) length : sizeof endpoint - 1] = 0;
    uint16_t event;
    uint32_t value;
    memcpy (&event, head, sizeof event);
    memcpy (&value, head + sizeof event, sizeof value);
    s_event (self, event, value, endpoint);
    return true;
}

bool
watch_drain (watch_t *watch)
{
    for (int count = 0; count < DRAIN_MAX && !watch->ended && s_step (watch); count++)
        ;
    return watch->ended;
}

void
watch_read (const watch_t *watch, watch_counts_t *counts)
{
    *counts = watch->counts;
}

void
watch_stop (void *socket)
{
    zmq_socket_monitor (socket, NULL, 0);
}

int
watch_destroy (watch_t **watch_p)
{
    watch_t *self = *watch_p;
    if (!self)
        return 0;
    *watch_p = NULL;
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    while (!watch_drain (self)) {
        int count = zmq_poll (&item, 1, STOPPED_WAIT_MS);
        if (count == 0 || (count < 0 && errno != EINTR && errno != ETERM))
            return -1;
    }
    s_close_all (self);
    zmq_close (self->socket);
    free (self);
    return 0;
}
