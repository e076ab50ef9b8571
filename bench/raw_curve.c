/*  raw_curve.c - calls between two hosts on bare libzmq with CURVE: a DEALER
    and a ROUTER. raw_curve serve PORT SECRET; raw_curve ADDRESS PORT PUBLIC;
    raw_curve keys prints a public and a secret key                          */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define SIZE 32
#define WINDOW 500
#define RATE_COUNT 200000
#define LATENCY_COUNT 2000

static int
s_keys (void)
{
    char open [41], secret [41];
    if (zmq_curve_keypair (open, secret))
        return bench_fail ("no CURVE: %s", zmq_strerror (zmq_errno ()));
    printf ("%s %s\n", open, secret);
    return 0;
}

static int
s_serve (const char *port, const char *secret)
{
    char endpoint [64];
    int one = 1;
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_ROUTER);
    snprintf (endpoint, sizeof endpoint, "tcp://*:%s", port);
    zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &one, sizeof one);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret, 41);
    if (zmq_bind (socket, endpoint))
        return bench_fail ("%s: %s", endpoint, zmq_strerror (zmq_errno ()));
    puts ("ready");
    fflush (stdout);
    zmq_msg_t route, body;
    zmq_msg_init (&route);
    zmq_msg_init (&body);
    while (zmq_msg_recv (&route, socket, 0) >= 0 && zmq_msg_recv (&body, socket, 0) >= 0)
        if (zmq_msg_send (&route, socket, ZMQ_SNDMORE) < 0
            || zmq_msg_send (&body, socket, 0) < 0)
            break;
    return 1;
}

static void *
s_connect (const char *address, const char *port, const char *server)
{
    char open [41], secret [41], endpoint [128];
    int patience = 10000;
    void *socket = zmq_socket (zmq_ctx_new (), ZMQ_DEALER);
    snprintf (endpoint, sizeof endpoint, "tcp://%s:%s", address, port);
    zmq_curve_keypair (open, secret);
    zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, open, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret, 41);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    if (zmq_connect (socket, endpoint) == 0)
        return socket;
    bench_fail ("%s: %s", endpoint, zmq_strerror (zmq_errno ()));
    return NULL;
}

static int
s_exchange (void *socket, size_t count, size_t window)
{
    char data [SIZE] = "";
    size_t sent = 0;
    for (size_t received = 0; received < count; received++) {
        for (; sent < count && sent - received < window; sent++)
            if (zmq_send (socket, data, SIZE, 0) < 0)
                return bench_fail ("send: %s", zmq_strerror (zmq_errno ()));
        if (zmq_recv (socket, data, SIZE, 0) != SIZE)
            return bench_fail ("recv: %s", zmq_strerror (zmq_errno ()));
    }
    return 0;
}

int
main (int argc, char *argv [])
{
    static int64_t times [LATENCY_COUNT];
    if (argc == 2 && strcmp (argv [1], "keys") == 0)
        return s_keys () ? 1 : 0;
    if (argc == 4 && strcmp (argv [1], "serve") == 0)
        return s_serve (argv [2], argv [3]);
    void *socket = argc == 4 ? s_connect (argv [1], argv [2], argv [3]) : NULL;
    if (!socket || s_exchange (socket, 1000, WINDOW))
        return 1;
    for (size_t index = 0; index < LATENCY_COUNT; index++) {
        int64_t begin = bench_now ();
        if (s_exchange (socket, 1, 1))
            return 1;
        times [index] = bench_now () - begin;
    }
    bench_sort (times, LATENCY_COUNT);
    bench_result_latency ("far_call_latency", "raw", times, LATENCY_COUNT);
    bench_result_end ();
    int64_t begin = bench_now ();
    if (s_exchange (socket, RATE_COUNT, WINDOW))
        return 1;
    double seconds = (double) (bench_now () - begin) / 1e9;
    bench_result_begin ("far_call_rate", "raw", RATE_COUNT / seconds, "/s");
    bench_result_end ();
    return 0;
}
