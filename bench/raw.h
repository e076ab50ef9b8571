/*  raw.h - the same traffic on bare libzmq: a client, a broker and a worker
    in a process each, one single-frame message a task                      */

#ifndef TROUPE_BENCH_RAW_H
#define TROUPE_BENCH_RAW_H

#include "bench.h"

/*  Messages that a socket takes in at one wake-up, and that a worker has
    under way; both stay below libzmq's high-water mark of 1000.            */
#define RAW_DRAIN 256
#define RAW_WINDOW 500

/*  Bytes of a message, the size of a small header; libzmq carries up to 33
    without an allocation.                                                  */
#define RAW_SIZE 32

/*  The processes of one measurement. Zero it before the first start.       */
typedef struct {
    bench_child_t broker;       /*  none when the client calls directly     */
    bench_child_t worker;
    void *context;
    void *client;               /*  DEALER, connected                       */
} raw_cluster_t;

/*  Starts a worker and the client, over ipc or tcp, on endpoints that the
    system picks. Return 0 or -1; raw_cluster_end cleans up in both cases.  */
int raw_cluster_direct (raw_cluster_t *self, const char *transport);

/*  The same with a broker between them. A broker that holds keeps all tasks
    until raw_release.                                                      */
int raw_cluster_brokered (raw_cluster_t *self, const char *transport, bool hold);

void raw_cluster_end (raw_cluster_t *self);

/*  Sends tasks first, first + 1, ... and waits for all answers, with up to
    `window` under way; checks that each was answered once. Returns 0 or -1. */
int raw_exchange (raw_cluster_t *self, size_t first, size_t count, size_t window);

/*  The two halves of an exchange without a window.                         */
int raw_send_all (raw_cluster_t *self, size_t count);
int raw_receive_all (raw_cluster_t *self, size_t count);

/*  Tells a broker that holds to go on.                                     */
int raw_release (raw_cluster_t *self);

/*  Starts a cluster of the wanted kind.                                    */
typedef int raw_starter_t (raw_cluster_t *self, const char *transport);

/*  Measure a kind of cluster over both transports, unless one is set, and
    print the better result.                                                */
int raw_measure_rate (const char *bench, const char *unit, raw_starter_t *start,
                      const bench_options_t *options);
int raw_measure_latency (const char *bench, raw_starter_t *start,
                         const bench_options_t *options);

#endif
