/*  socket.c - raw libzmq sockets, set up the one way that Troupe uses them */

#include "wire/socket.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdlib.h>
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

/*  From this size handing the buffer over beats copying it.                */
#define HAND_OVER_SIZE 8192

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
    zmq_ctx_set (context, ZMQ_MAX_SOCKETS, 16384);
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
    return zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
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
