/*  socket.c - raw libzmq sockets, set up the one way that Troupe uses them */

#include "wire/socket.h"
#include "core/files.h"
#include "wire/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*  Context option 10; the name is hidden among the drafts in some builds.  */
#ifndef ZMQ_ZERO_COPY_RECV
#define ZMQ_ZERO_COPY_RECV 10
#endif

/*  Socket option 59: who may connect through an abstract or a Unix socket. It
    is among the deprecated ones, but nothing has taken its place.          */
#ifndef ZMQ_IPC_FILTER_UID
#define ZMQ_IPC_FILTER_UID 59
#endif

/*  Socket option 93: no connection while no gate answers. It is among the
    drafts in the header, but there since 4.3.0.                            */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

/*  Message property 2: the descriptor that a message came through.         */
#ifndef ZMQ_SRCFD
#define ZMQ_SRCFD 2
#endif

/*  Of a context.                                                           */
#define SOCKETS_MAX 16384
#define SOCKETS_MIN 1024

/*  From this size handing the buffer over beats copying it.                */
#define HAND_OVER_SIZE 8192

/*  A context has a table for as many as it may have; each has an open file for
    itself, and one for its connection.                                     */
static int
s_sockets_max (void)
{
    size_t sockets = files_raise () / 2;
    return sockets >= SOCKETS_MAX  ? SOCKETS_MAX
           : sockets > SOCKETS_MIN ? (int) sockets
                                   : SOCKETS_MIN;
}

void *
socket_context_new (fault_t *fault)
{
    void *context = zmq_ctx_new ();
    if (!context) {
        fault_set (fault, TROUPE_ESYSTEM, "cannot make a ZeroMQ context: %s",
                   zmq_strerror (errno));
        return NULL;
    }
    zmq_ctx_set (context, ZMQ_ZERO_COPY_RECV, 0);
    zmq_ctx_set (context, ZMQ_MAX_SOCKETS, s_sockets_max ());
    zmq_ctx_set (context, ZMQ_BLOCKY, 0);
    return context;
}

static void *
s_socket_new (void *context, int type, fault_t *fault)
{
    void *socket = zmq_socket (context, type);
    if (!socket) {
        fault_set (fault, TROUPE_ELIMIT, "cannot make a socket: %s", zmq_strerror (errno));
        return NULL;
    }
    int zero = 0;
    int64_t largest = (int64_t) VALUE_SIZE_MAX + (1 << 20);
    zmq_setsockopt (socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt (socket, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt (socket, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    return socket;
}

void *
socket_router_new (void *context, fault_t *fault)
{
    void *socket = s_socket_new (context, ZMQ_ROUTER, fault);
    int one = 1;
    int window = 1000;
    uid_t user = geteuid ();
    if (socket) {
        zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
        zmq_setsockopt (socket, ZMQ_RCVHWM, &window, sizeof window);
        zmq_setsockopt (socket, ZMQ_IPC_FILTER_UID, &user, sizeof user);
    }
    return socket;
}

void *
socket_dealer_new (void *context, fault_t *fault)
{
    return s_socket_new (context, ZMQ_DEALER, fault);
}

int
socket_bind (void *socket, const char *endpoint, fault_t *fault)
{
    if (zmq_bind (socket, endpoint) == 0)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot bind %s: %s", endpoint,
                      zmq_strerror (errno));
}

int
socket_connect (void *socket, const char *endpoint, fault_t *fault)
{
    if (zmq_connect (socket, endpoint) == 0)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot connect to %s: %s", endpoint,
                      zmq_strerror (errno));
}

/*  --- connections between machines -------------------------------------  */

static int
s_set (void *socket, int option, const void *value, size_t size, fault_t *fault)
{
    if (zmq_setsockopt (socket, option, value, size) == 0)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot set option %d of a socket: %s", option,
                      zmq_strerror (errno));
}

static int
s_set_number (void *socket, int option, int value, fault_t *fault)
{
    return s_set (socket, option, &value, sizeof value, fault);
}

/*  libzmq lets everybody in if there is no gate, or if the domain has no name,
    unless it is told to insist.                                            */
static int
s_set_domain (void *socket, const char *domain, fault_t *fault)
{
    int one = 1;
    if (!*domain)
        return fault_set (fault, TROUPE_EINVAL, "a domain needs a name");
    zmq_setsockopt (socket, ZMQ_ZAP_ENFORCE_DOMAIN, &one, sizeof one);
    return s_set (socket, ZMQ_ZAP_DOMAIN, domain, strlen (domain), fault);
}

int
socket_curve_server (void *socket, const key_pair_t *pair, const char *domain, fault_t *fault)
{
    if (keys_available (fault) || s_set_domain (socket, domain, fault)
        || s_set_number (socket, ZMQ_CURVE_SERVER, 1, fault))
        return -1;
    return s_set (socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, KEY_SIZE, fault);
}

int
socket_curve_client (void *socket, const uint8_t server [KEY_SIZE], const key_pair_t *pair,
                     fault_t *fault)
{
    if (keys_available (fault) || s_set (socket, ZMQ_CURVE_SERVERKEY, server, KEY_SIZE, fault)
        || s_set (socket, ZMQ_CURVE_PUBLICKEY, pair->public_key, KEY_SIZE, fault))
        return -1;
    return s_set (socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, KEY_SIZE, fault);
}

int
socket_insecure_server (void *socket, const char *domain, fault_t *fault)
{
    if (s_set_domain (socket, domain, fault))
        return -1;
    int zero = 0;
    /*  Fails where there is no CURVE, and then nothing is to be done.      */
    zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &zero, sizeof zero);
    return 0;
}

int
socket_tcp (void *socket, fault_t *fault)
{
    static const struct {
        int option;
        int value;
    } settings [] = {
        { ZMQ_IPV6, 1 },
        { ZMQ_HANDSHAKE_IVL, SOCKET_HANDSHAKE_MS },
        { ZMQ_CONNECT_TIMEOUT, 5000 },
        { ZMQ_BACKLOG, 1024 },
        { ZMQ_RECONNECT_IVL, 100 },
        { ZMQ_RECONNECT_IVL_MAX, 5000 },
        { ZMQ_TCP_KEEPALIVE, 1 },
        { ZMQ_TCP_KEEPALIVE_IDLE, 10 },
        { ZMQ_TCP_KEEPALIVE_INTVL, 5 },
        { ZMQ_TCP_KEEPALIVE_CNT, 3 },
        { ZMQ_TCP_MAXRT, 20000 },
    };
    for (size_t index = 0; index < sizeof settings / sizeof *settings; index++) {
        if (s_set_number (socket, settings [index].option, settings [index].value, fault))
            return -1;
    }
    return 0;
}

int
socket_last_endpoint (void *socket, char *endpoint, size_t size, fault_t *fault)
{
    if (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot tell where a socket is bound: %s",
                      zmq_strerror (errno));
}

static uint64_t
s_cookie (int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
        return 0;
    return cookie;
}

void
peer_link_of_fd (peer_link_t *link, int fd)
{
    link->fd = fd;
    link->cookie = fd < 0 ? 0 : s_cookie (fd);
    if (!link->cookie)
        link->fd = -1;
}

void
peer_link_of (peer_link_t *link, zmq_msg_t *message)
{
    peer_link_of_fd (link, zmq_msg_get (message, ZMQ_SRCFD));
}

const char *
peer_name_of (zmq_msg_t *message)
{
    return zmq_msg_gets (message, "User-Id");
}

bool
peer_linked (const peer_link_t *link)
{
    return link->fd < 0 || s_cookie (link->fd) == link->cookie;
}

int
peer_bytes (const peer_link_t *link, uint64_t *received, uint64_t *acknowledged)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (link->fd < 0 || getsockopt (link->fd, IPPROTO_TCP, TCP_INFO, &info, &size)
        || size < offsetof (struct tcp_info, tcpi_bytes_received) + sizeof (uint64_t)
        || !peer_linked (link))
        return -1;
    *received = info.tcpi_bytes_received;
    *acknowledged = info.tcpi_bytes_acked;
    return 0;
}

/*  --- cutting ----------------------------------------------------------  */

/*  A copy of a descriptor takes the place of a spare one, as there may be no
    other left: then cutting is most needed.                                */
static struct {
    pthread_mutex_t lock;
    unsigned users;
    int nothing;
    int spare;
} s_cutter = { .lock = PTHREAD_MUTEX_INITIALIZER, .nothing = -1, .spare = -1 };

static void
s_close_cutter (void)
{
    if (s_cutter.spare >= 0)
        close (s_cutter.spare);
    if (s_cutter.nothing >= 0)
        close (s_cutter.nothing);
    s_cutter.spare = s_cutter.nothing = -1;
}

int
peer_cut_begin (fault_t *fault)
{
    pthread_mutex_lock (&s_cutter.lock);
    if (s_cutter.users == 0) {
        s_cutter.nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
        s_cutter.spare
            = s_cutter.nothing < 0 ? -1 : fcntl (s_cutter.nothing, F_DUPFD_CLOEXEC, 0);
    }
    bool ready = s_cutter.spare >= 0;
    if (ready)
        s_cutter.users++;
    else {
        fault_set (fault, TROUPE_ELIMIT, "cannot open /dev/null: %s", strerror (errno));
        s_close_cutter ();
    }
    pthread_mutex_unlock (&s_cutter.lock);
    return ready ? 0 : -1;
}

void
peer_cut_end (void)
{
    pthread_mutex_lock (&s_cutter.lock);
    if (--s_cutter.users == 0)
        s_close_cutter ();
    pthread_mutex_unlock (&s_cutter.lock);
}

static int
s_replace_spare (int fd)
{
    int rc;
    do {
        rc = dup3 (fd, s_cutter.spare, O_CLOEXEC);
    } while (rc < 0 && (errno == EINTR || errno == EBUSY));
    return rc < 0 ? -1 : 0;
}

/*  The descriptor may be another's by now, or become so while we look: only
    a copy of it stays what it is.                                          */
int
peer_cut (const peer_link_t *link)
{
    int rc = -1;
    pthread_mutex_lock (&s_cutter.lock);
    if (link->fd >= 0 && s_cutter.users && s_replace_spare (link->fd) == 0) {
        if (s_cookie (s_cutter.spare) == link->cookie)
            rc = shutdown (s_cutter.spare, SHUT_RDWR);
        s_replace_spare (s_cutter.nothing);
    }
    pthread_mutex_unlock (&s_cutter.lock);
    return rc;
}

int
socket_fd (void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    zmq_getsockopt (socket, ZMQ_FD, &fd, &size);
    return fd;
}

bool
socket_readable (void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    int rc;
    do {
        rc = zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size);
    } while (rc < 0 && errno == EINTR);
    return rc == 0 && (events & ZMQ_POLLIN);
}

static void
s_free (void *data, void *hint)
{
    (void) hint;
    free (data);
}

int
socket_message_take (zmq_msg_t *message, bytes_t *content)
{
    if (content->size < HAND_OVER_SIZE || content->size < content->capacity / 2) {
        if (zmq_msg_init_size (message, content->size))
            return -1;
        memcpy (zmq_msg_data (message), content->data, content->size);
        bytes_clear (content);
        return 0;
    }
    if (zmq_msg_init_data (message, content->data, content->size, s_free, NULL))
        return -1;
    *content = (bytes_t){ 0 };
    return 0;
}
