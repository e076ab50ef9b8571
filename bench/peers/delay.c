/*  delay.c - a TCP proxy on the loopback that holds every byte back for a
    while, each way: delay LISTEN_PORT TARGET_PORT MILLISECONDS

    Bandwidth is not limited. It prints "ready" and runs until it is killed.  */

#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX 256
#define CHUNK 65536
#define HELD_MAX (64u << 20) /*  bytes held one way before no more is read */

/*  Bytes, and when they are due. Zero bytes: the end of the stream.        */
typedef struct chunk {
    struct chunk *next;
    int64_t due;
    size_t size, sent;
    uint8_t data [];
} chunk_t;

/*  One way of a connection.                                                */
typedef struct {
    int from, to;
    chunk_t *first, **last;
    size_t held;
    bool reading;
    bool ended;
} way_t;

typedef struct {
    way_t ways [2];
    bool used;
} pair_t;

static pair_t s_pairs [PAIRS_MAX];
static int64_t s_delay;

static int64_t
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct sockaddr_in
s_address (const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_port = htons ((uint16_t) atoi (port));
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    return address;
}

static void
s_no_delay (int socket)
{
    int one = 1;
    setsockopt (socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void
s_way_init (way_t *self, int from, int to)
{
    *self = (way_t){ .from = from, .to = to, .reading = true };
    self->last = &self->first;
}

static void
s_pair_close (pair_t *self)
{
    for (int i = 0; i < 2; i++)
        while (self->ways [i].first) {
            chunk_t *chunk = self->ways [i].first;
            self->ways [i].first = chunk->next;
            free (chunk);
        }
    close (self->ways [0].from);
    close (self->ways [0].to);
    self->used = false;
}

static void
s_accept (int listener, const char *target)
{
    int client = accept (listener, NULL, NULL);
    struct sockaddr_in address = s_address (target);
    int server = socket (AF_INET, SOCK_STREAM, 0);
    size_t at = 0;
    while (at < PAIRS_MAX && s_pairs [at].used)
        at++;
    if (client < 0 || server < 0 || at == PAIRS_MAX
        || connect (server, (struct sockaddr *) &address, sizeof address)) {
        close (client);
        close (server);
        return;
    }
    s_no_delay (client);
    s_no_delay (server);
    s_way_init (&s_pairs [at].ways [0], client, server);
    s_way_init (&s_pairs [at].ways [1], server, client);
    s_pairs [at].used = true;
}

static void
s_read (way_t *self)
{
    chunk_t *chunk = malloc (sizeof *chunk + CHUNK);
    if (!chunk)
        exit (1);
    ssize_t size = read (self->from, chunk->data, CHUNK);
    chunk->size = size > 0 ? (size_t) size : 0;
    chunk->sent = 0;
    chunk->next = NULL;
    chunk->due = s_now () + s_delay;
    self->reading = chunk->size > 0;
    self->held += chunk->size;
    *self->last = chunk;
    self->last = &chunk->next;
}

/*  Sends what is due. Returns when the next is, INT64_MAX if there is none. */
static int64_t
s_write (way_t *self)
{
    while (self->first) {
        chunk_t *chunk = self->first;
        if (chunk->due > s_now ())
            return chunk->due;
        if (chunk->size == 0) {
            shutdown (self->to, SHUT_WR);
            self->ended = true;
        }
        while (chunk->sent < chunk->size) {
            ssize_t size = send (self->to, chunk->data + chunk->sent, chunk->size - chunk->sent,
                                 MSG_NOSIGNAL);
            if (size < 0 && errno == EINTR)
                continue;
            if (size < 0) {
                self->ended = true;
                break;
            }
            chunk->sent += (size_t) size;
        }
        self->held -= chunk->size;
        self->first = chunk->next;
        if (!self->first)
            self->last = &self->first;
        free (chunk);
    }
    return INT64_MAX;
}

/*  Sends all that is due, and closes what has ended. Returns when to come
    again.                                                                  */
static int64_t
s_deliver (void)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        pair_t *pair = &s_pairs [i];
        if (!pair->used)
            continue;
        for (int way = 0; way < 2; way++) {
            int64_t due = s_write (&pair->ways [way]);
            next = due < next ? due : next;
        }
        if (pair->ways [0].ended && pair->ways [1].ended)
            s_pair_close (pair);
    }
    return next;
}

static void
s_serve (int listener, const char *target)
{
    struct pollfd items [1 + 2 * PAIRS_MAX];
    way_t *ways [1 + 2 * PAIRS_MAX];
    for (;;) {
        int64_t next = s_deliver ();
        nfds_t count = 0;
        items [count++] = (struct pollfd){ listener, POLLIN, 0 };
        for (size_t i = 0; i < 2 * PAIRS_MAX; i++) {
            way_t *way = &s_pairs [i / 2].ways [i % 2];
            if (!s_pairs [i / 2].used || !way->reading || way->held > HELD_MAX)
                continue;
            ways [count] = way;
            items [count++] = (struct pollfd){ way->from, POLLIN, 0 };
        }
        int64_t left = next == INT64_MAX ? 1000000000 : next - s_now ();
        struct timespec pause
            = { left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0 };
        if (ppoll (items, count, &pause, NULL) <= 0)
            continue;
        for (nfds_t i = 1; i < count; i++)
            if (items [i].revents)
                s_read (ways [i]);
        if (items [0].revents)
            s_accept (listener, target);
    }
}

int
main (int argc, char *argv [])
{
    if (argc != 4) {
        fputs ("usage: delay LISTEN_PORT TARGET_PORT MILLISECONDS\n", stderr);
        return 2;
    }
    int listener = socket (AF_INET, SOCK_STREAM, 0);
    int one = 1;
    struct sockaddr_in address = s_address (argv [1]);
    s_delay = (int64_t) (strtod (argv [3], NULL) * 1e6);
    setsockopt (listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listener < 0 || bind (listener, (struct sockaddr *) &address, sizeof address)
        || listen (listener, 64)) {
        perror ("delay");
        return 1;
    }
    puts ("ready");
    fflush (stdout);
    s_serve (listener, argv [2]);
}
