/*  raw_chain.c - the least that a chain of dependent calls takes on bare
    libzmq: a message that goes to and fro between two processes, then back   */

#include "bench.h"
#include "peers/say.h"

#include <unistd.h>
#include <zmq.h>

#define TIMEOUT_MS 20000
#define ENDPOINT_MAX 64

/*  The three are a ring: the client pushes to the first worker; the workers
    push to each other, and the last one to the client.                     */
enum { CLIENT, FIRST, SECOND, PLACES };

typedef struct {
    char endpoints [PLACES][ENDPOINT_MAX];
    int place;
} role_t;

static void *
s_socket_new (void *context, int type)
{
    void *socket = zmq_socket (context, type);
    int timeout = TIMEOUT_MS, linger = 0;
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt (socket, ZMQ_SNDTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

/*  A message is the number of calls that are still to be made.             */
static int
s_worker (void *argument, int to_parent)
{
    const role_t *role = argument;
    (void) to_parent;
    void *context = zmq_ctx_new ();
    void *pull = s_socket_new (context, ZMQ_PULL);
    void *other = s_socket_new (context, ZMQ_PUSH);
    void *client = s_socket_new (context, ZMQ_PUSH);
    int timeout = -1;
    zmq_setsockopt (pull, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    if (zmq_bind (pull, role->endpoints [role->place])
        || zmq_connect (other, role->endpoints [FIRST + SECOND - role->place])
        || zmq_connect (client, role->endpoints [CLIENT]))
        return -1;
    uint64_t calls [4];
    while (zmq_recv (pull, calls, sizeof calls, 0) == sizeof calls) {
        calls [0]--;
        if (zmq_send (calls [0] ? other : client, calls, sizeof calls, 0) < 0)
            return -1;
    }
    return -1;
}

typedef struct {
    void *push;
    void *pull;
    size_t length;
} chain_t;

static int
s_chain (void *context)
{
    chain_t *self = context;
    uint64_t calls [4] = { self->length };
    return zmq_send (self->push, calls, sizeof calls, 0) == sizeof calls
                   && zmq_recv (self->pull, calls, sizeof calls, 0) == sizeof calls
               ? 0
               : bench_fail ("%s", zmq_strerror (zmq_errno ()));
}

int
main (void)
{
    role_t role;
    bench_child_t workers [PLACES] = { { 0, -1 }, { 0, -1 }, { 0, -1 } };
    for (int place = 0; place < PLACES; place++)
        snprintf (role.endpoints [place], ENDPOINT_MAX, "ipc://@troupe-chain-%ld-%d",
                  (long) getpid (), place);
    for (role.place = FIRST; role.place < PLACES; role.place++)
        if (bench_child_start (&workers [role.place], s_worker, &role))
            return 1;
    void *zmq = zmq_ctx_new ();
    chain_t self = { s_socket_new (zmq, ZMQ_PUSH), s_socket_new (zmq, ZMQ_PULL), 10 };
    int failed = zmq_bind (self.pull, role.endpoints [CLIENT])
                 || zmq_connect (self.push, role.endpoints [FIRST])
                 || say_latency ("chain_10", s_chain, &self, 500, NULL);
    self.length = 50;
    failed = failed || say_latency ("chain_50", s_chain, &self, 200, NULL);
    bench_child_end (&workers [FIRST]);
    bench_child_end (&workers [SECOND]);
    return failed ? 1 : 0;
}
