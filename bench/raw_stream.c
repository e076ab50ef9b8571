/*  raw_stream.c - data between two processes in pieces of 1 MiB, over
    loopback, into shared memory, where each page is looked at: plain TCP,
    libzmq over tcp, and libzmq with CURVE
        raw_stream [MEGABYTES [tcp | plain | curve]...]                      */

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#define PIECE ((size_t) 1 << 20)
#define SIZE (PIECE * s_pieces)

/*  The first is into memory that was never used.                           */
#define ROUNDS 4

static size_t s_pieces;

/*  Server and client keys, in Z85.                                         */
static char s_server_public [41], s_server_secret [41];

static void
s_keep (void *data, void *hint)
{
    (void) data;
    (void) hint;
}

/*  The child: tells where it listens, and sends when asked.                */
static int
s_zmq_source (void *argument, int to_parent)
{
    char endpoint [64];
    size_t size = sizeof endpoint;
    int one = 1;
    bool curve = *(bool *) argument;
    uint8_t *data = malloc (PIECE * 64);
    void *socket = zmq_socket (zmq_ctx_new (), ZMQ_DEALER);
    if (curve) {
        zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &one, sizeof one);
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, s_server_secret, 41);
    }
    if (!data || zmq_bind (socket, "tcp://127.0.0.1:*")
        || zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size))
        return 1;
    memset (data, 5, PIECE * 64);
    dprintf (to_parent, "%s\n", endpoint);
    char ask [8];
    while (zmq_recv (socket, ask, sizeof ask, 0) >= 0)
        for (size_t index = 0; index < s_pieces; index++) {
            zmq_msg_t message;
            zmq_msg_init_data (&message, data + index % 64 * PIECE, PIECE, s_keep, NULL);
            if (zmq_msg_send (&message, socket, 0) < 0)
                return 1;
        }
    return 1;
}

static int
s_tcp_source (void *argument, int to_parent)
{
    (void) argument;
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    uint8_t *data = malloc (PIECE * 64);
    int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!data || bind (listener, (struct sockaddr *) &address, sizeof address)
        || listen (listener, 1) || getsockname (listener, (struct sockaddr *) &address, &length))
        return 1;
    memset (data, 5, PIECE * 64);
    dprintf (to_parent, "%d\n", ntohs (address.sin_port));
    int peer = accept (listener, NULL, NULL);
    char ask;
    while (read (peer, &ask, 1) == 1)
        for (size_t index = 0; index < s_pieces; index++)
            for (size_t done = 0; done < PIECE;) {
                ssize_t some = write (peer, data + index % 64 * PIECE + done, PIECE - done);
                if (some <= 0)
                    return 1;
                done += (size_t) some;
            }
    return 1;
}

/*  Whether all of it is there.                                             */
static bool
s_whole (const uint8_t *data)
{
    for (size_t offset = 0; offset < SIZE; offset += 4096)
        if (data [offset] != 5)
            return false;
    return true;
}

/*  One round. Returns nanoseconds or -1.                                   */
static int64_t
s_take_zmq (void *socket, uint8_t *to)
{
    int64_t begin = bench_now ();
    if (zmq_send (socket, "go", 2, 0) < 0)
        return -1;
    for (size_t index = 0; index < s_pieces; index++) {
        zmq_msg_t message;
        zmq_msg_init (&message);
        if (zmq_msg_recv (&message, socket, 0) != (int) PIECE)
            return -1;
        memcpy (to + index * PIECE, zmq_msg_data (&message), PIECE);
        zmq_msg_close (&message);
    }
    return s_whole (to) ? bench_now () - begin : -1;
}

static int64_t
s_take_tcp (int peer, uint8_t *to)
{
    int64_t begin = bench_now ();
    if (write (peer, "g", 1) != 1)
        return -1;
    for (size_t done = 0; done < SIZE;) {
        ssize_t some = read (peer, to + done, SIZE - done);
        if (some <= 0)
            return -1;
        done += (size_t) some;
    }
    return s_whole (to) ? bench_now () - begin : -1;
}

static int
s_report (const char *bench, int64_t *times)
{
    for (size_t index = 0; index < ROUNDS; index++)
        if (times [index] < 0)
            return bench_fail ("%s stopped", bench);
    bench_sort (times + 1, ROUNDS - 1);
    bench_result_begin (bench, "raw",
                        (double) SIZE / (double) bench_percentile (times + 1, ROUNDS - 1, 50),
                        "GB/s");
    bench_result_number ("first", (double) SIZE / (double) times [0]);
    bench_result_end ();
    return 0;
}

static int
s_measure_zmq (const char *bench, bool curve, uint8_t *to)
{
    bench_child_t child = { .pid = 0 };
    char endpoint [64], open [41], secret [41];
    int64_t times [ROUNDS] = { -1, -1, -1, -1 };
    int patience = 20000;
    if (bench_child_start (&child, s_zmq_source, &curve)
        || bench_child_read (&child, endpoint, sizeof endpoint))
        return -1;
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_DEALER);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    if (curve) {
        zmq_curve_keypair (open, secret);
        zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, s_server_public, 41);
        zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, open, 41);
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret, 41);
    }
    if (zmq_connect (socket, endpoint) == 0)
        for (size_t index = 0; index < ROUNDS; index++)
            times [index] = s_take_zmq (socket, to);
    zmq_close (socket);
    zmq_ctx_term (context);
    bench_child_end (&child);
    return s_report (bench, times);
}

static int
s_measure_tcp (uint8_t *to)
{
    bench_child_t child = { .pid = 0 };
    char port [16];
    int64_t times [ROUNDS] = { -1, -1, -1, -1 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (bench_child_start (&child, s_tcp_source, NULL)
        || bench_child_read (&child, port, sizeof port))
        return -1;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    address.sin_port = htons ((uint16_t) atoi (port));
    int peer = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect (peer, (struct sockaddr *) &address, sizeof address) == 0)
        for (size_t index = 0; index < ROUNDS; index++)
            times [index] = s_take_tcp (peer, to);
    close (peer);
    bench_child_end (&child);
    return s_report ("transfer_tcp", times);
}

/*  Into shared memory that was never used, as a store's is at first.       */
static int
s_measure (const char *what)
{
    int memory = memfd_create ("raw", MFD_CLOEXEC), rc = -1;
    uint8_t *to = MAP_FAILED;
    if (memory >= 0 && ftruncate (memory, (off_t) SIZE) == 0)
        to = mmap (NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (to == MAP_FAILED)
        bench_fail ("no shared memory");
    else if (strcmp (what, "tcp") == 0)
        rc = s_measure_tcp (to);
    else if (strcmp (what, "plain") == 0)
        rc = s_measure_zmq ("transfer_plain", false, to);
    else if (strcmp (what, "curve") == 0)
        rc = s_measure_zmq ("transfer_curve", true, to);
    else
        bench_fail ("usage: raw_stream [MEGABYTES [tcp | plain | curve]...]");
    if (to != MAP_FAILED)
        munmap (to, SIZE);
    if (memory >= 0)
        close (memory);
    return rc;
}

int
main (int argc, char *argv [])
{
    if (zmq_curve_keypair (s_server_public, s_server_secret))
        return 2;
    size_t megabytes = argc > 1 ? strtoul (argv [1], NULL, 10) : 1000;
    s_pieces = (megabytes * 1000000 + PIECE - 1) / PIECE;
    if (!s_pieces)
        return bench_fail ("wanted megabytes, not %s", argv [1]) ? 2 : 0;
    if (argc < 3)
        return s_measure ("plain") || s_measure ("curve") || s_measure ("tcp") ? 1 : 0;
    for (int index = 2; index < argc; index++)
        if (s_measure (argv [index]))
            return 1;
    return 0;
}
