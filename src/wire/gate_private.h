/*  gate_private.h - what the parts of the gate share                       */

#ifndef TROUPE_WIRE_GATE_PRIVATE_H
#define TROUPE_WIRE_GATE_PRIVATE_H

#include "wire/gate.h"
#include "core/list.h"
#include "core/table.h"
#include "wire/range.h"
#include "wire/thread.h"
#include "wire/watch.h"

#include <pthread.h>
#include <stdatomic.h>

/*  Lines that may be logged at once; one more each second.                 */
#define LOG_BURST 5
#define LOG_LINE_SIZE 256

typedef struct {
    range_t range;
    bool deny;
} gate_range_t;

typedef struct {
    char name [GATE_NAME_MAX + 1];
    name_table_t keys;          /*  by the key's bytes; names, owned        */
    gate_range_t ranges [GATE_RANGES_MAX];
    size_t range_count;
    bool some_allowed;          /*  at least one of the ranges allows       */
    bool insecure;
    bool wait;
} domain_t;

/*  What the gate remembers of an address; in the list of addresses, the one
    longest unheard of first.                                               */
typedef struct {
    list_node_t node;
    gate_address_t seen;
    size_t verdicts;            /*  of which it is not known which of its
                                    connections they are about              */
    size_t silent;              /*  connections that have ended without a
                                    reason, perhaps with such a verdict: so
                                    not more than these                     */
    int64_t verdict_last;
} address_record_t;

typedef struct {
    list_node_t node;
    gate_t *gate;
    watch_t *watch;
} watched_t;

struct gate {
    void *context;
    void *socket;               /*  the thread's                            */
    int nudge;                  /*  eventfd: there is something new         */
    bool cuts;                  /*  peer_cut is ready                       */
    atomic_bool stopping;
    atomic_uint_fast64_t refused_told;
    thread_t *thread;
    int left;                   /*  watches that could not be ended         */
    list_t waiting;             /*  the thread's: requests with unknown keys */
    size_t waiting_count;
    int64_t settle_due;         /*  when the next connection is settled     */
    uint64_t reviewed;          /*  the revision at which they were looked at */

    pthread_mutex_t lock;       /*  guards all below                        */
    name_table_t domains;
    uint64_t revision;          /*  counts what may let more in             */
    list_t watches;
    size_t watch_count;
    name_table_t addresses;
    list_t by_time;
    size_t limit_total;
    size_t limit_address;
    gate_counts_t counts;       /*  connections: of watches that have ended,
                                    and malformed ones that were silent     */
    gate_refusal_t refusals [GATE_REFUSALS];
    size_t refusal_next;
    uint64_t unsaid;            /*  not logged since the last line          */

    gate_log_t *log;            /*  the thread's, from here on              */
    void *log_arg;
    int64_t log_filled;
    unsigned log_tokens;
    unsigned line_count;        /*  to be logged when the lock is free      */
    char lines [LOG_BURST][LOG_LINE_SIZE];
};

/*  gate_zap.c: answers one request, if there is one; false if there is none. */
bool gate_answer (gate_t *self);

/*  Answers those that wait, if they may get in now, or have waited for long
    enough; all of them, if it is the end.                                  */
void gate_review (gate_t *self, bool end);

/*  True for what libzmq gives as the address of a local peer:
    "localhost:UID:GID:PID", the host being what the C library makes of it. */
bool gate_is_local (const char *address);

/*  gate.c: reads what has happened to the connections of watched sockets.   */
void gate_drain_watches (gate_t *self);

/*  gate_record.c: with the lock held.                                      */
void gate_record_admitted (gate_t *self, const char *address);
void gate_record_refused (gate_t *self, const gate_refusal_t *refusal);
void gate_record_link (void *arg, int fd, const char *address, watch_change_t change);
void gate_record_release (gate_t *self);

/*  Says in a line what was kept back, if that may be now.                  */
void gate_record_unsaid (gate_t *self);

/*  Logs the lines that have been prepared, without the lock.               */
void gate_record_log (gate_t *self);

/*  Milliseconds since 1970.                                                */
int64_t gate_record_time (void);

#endif
