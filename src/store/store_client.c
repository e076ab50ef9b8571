/*  store_client.c - a process's way to the store of its machine             */

#include "store/store_client.h"

#include "core/list.h"
#include "core/pages.h"
#include "store/store_message.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*  How long the store may take for what needs no disk and no memory, and to
    say that it cannot settle.                                              */
#define ANSWER_PATIENCE_S 10
#define SYNC_ANSWER_PATIENCE_S (STORE_SYNC_PATIENCE_S + ANSWER_PATIENCE_S)

/*  Connections that are kept for the next request.                         */
#define SPARE_MAX 8

typedef struct {
    int fd;
    list_node_t node;
} line_t;

struct store_client {
    char endpoint [64];
    process_t process;
    pthread_mutex_t lock;
    bool closed;
    bool lost;                  /*  something did not get there             */
    int main;                   /*  for what needs no answer; -1: none yet  */
    bool reading;               /*  somebody reads from main                */
    /*  Holds of other stores' objects are numbered: the last; up to where it
        is known what became of them; behind the first and up to the second
        some have not arrived.                                              */
    uint64_t told;
    uint64_t settled;
    uint64_t failed_after;
    uint64_t failed_to;
    pthread_mutex_t settling;   /*  who reads from main                     */
    list_t spare;
    size_t spare_count;
    list_t busy;
    process_t store;
    uint64_t size;
    const uint8_t *readable;    /*  the store's memory, twice               */
    uint8_t *writable;
    int memory;                 /*  its descriptor                          */
    pages_supply_t supply;
};

/*  --- connections ------------------------------------------------------  */

static int
s_lost (fault_t *fault)
{
    return fault_set (fault, TROUPE_ELOST, "the object store of this machine has ended, or does not answer");
}

/*  Receives a message, and what came with it. Returns its size, or -1.     */
static ssize_t
s_receive (int fd, store_message_t *message, char *text, size_t size, int *passed)
{
    struct iovec parts [] = { { message, sizeof *message }, { text, size } };
    union {
        struct cmsghdr head;
        char room [CMSG_SPACE (sizeof (int))];
    } control;
    struct msghdr packet = { .msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_control = &control,
                             .msg_controllen = sizeof control };
    ssize_t got;
    do {
        got = recvmsg (fd, &packet, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    const struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR (&packet) : NULL;
    if (head && head->cmsg_type == SCM_RIGHTS) {
        int fd_passed;
        memcpy (&fd_passed, CMSG_DATA (head), sizeof fd_passed);
        if (passed)
            *passed = fd_passed;
        else
            close (fd_passed);
    }
    return got < (ssize_t) sizeof *message ? -1 : got - (ssize_t) sizeof *message;
}

static int
s_connect (const store_client_t *self, fault_t *fault)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen (self->endpoint);
    memcpy (address.sun_path + 1, self->endpoint, length);
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + length);
    int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), room = STORE_CLIENT_BUFFER;
    struct timeval patience = { .tv_sec = ANSWER_PATIENCE_S };
    if (fd < 0)
        return fault_set (fault, TROUPE_ELIMIT, "cannot open a descriptor: %s",
                          strerror (errno));
    setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!length || connect (fd, (struct sockaddr *) &address, size)) {
        close (fd);
        return length ? s_lost (fault)
                      : fault_set (fault, TROUPE_EINVAL, "there is no object store here");
    }
    return fd;
}

/*  The memory, once for reading, so that a reader who writes gets a fault,
    and once for filling what is made.                                      */
static int
s_map (store_client_t *self, int memory, fault_t *fault)
{
    void *readable = pages_map (memory, self->size, PROT_READ);
    void *writable = readable ? pages_map (memory, self->size, PROT_READ | PROT_WRITE) : NULL;
    if (!writable) {
        fault_set (fault, TROUPE_ESYSTEM, "cannot map the memory for objects: %s",
                   strerror (errno));
        if (readable)
            munmap (readable, self->size);
        return -1;
    }
    self->readable = readable;
    self->writable = writable;
    return 0;
}

/*  Expects the lock. Returns a descriptor, or -1 with the fault set.       */
static int
s_open (store_client_t *self, fault_t *fault)
{
    int memory = -1, fd = s_connect (self, fault);
    store_message_t message = { .type = STORE_HELLO, .size = STORE_VERSION,
                                .holder = self->process };
    char text [STORE_TEXT_MAX];
    if (fd < 0)
        return -1;
    int rc = 0;
    if (send (fd, &message, sizeof message, MSG_NOSIGNAL) < 0
        || s_receive (fd, &message, text, sizeof text, &memory) < 0
        || message.type != STORE_WELCOME || memory < 0)
        rc = s_lost (fault);
    else if (!self->readable) {
        self->store = message.id.owner;
        self->size = message.size;
        rc = s_map (self, memory, fault);
        if (rc == 0) {
            self->memory = memory;
            memory = -1;
        }
    }
    if (memory >= 0)
        close (memory);
    if (rc)
        close (fd);
    return rc ? -1 : fd;
}

/*  --- requests ---------------------------------------------------------  */

static void
s_set_patience (int fd, int seconds)
{
    struct timeval patience = { .tv_sec = seconds };
    setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/*  The connection for what needs no answer. Expects the lock.              */
static int
s_open_main (store_client_t *self, fault_t *fault)
{
    if (self->main < 0 && !self->lost && (self->main = s_open (self, fault)) >= 0)
        s_set_patience (self->main, SYNC_ANSWER_PATIENCE_S);
    return self->lost ? s_lost (fault) : self->main < 0 ? -1 : 0;
}

/*  Takes a connection for one request. What follows from that goes by main,
    which is there by then.                                                 */
static line_t *
s_take (store_client_t *self, fault_t *fault)
{
    line_t *line = NULL;
    pthread_mutex_lock (&self->lock);
    bool ready = !self->closed && s_open_main (self, fault) == 0;
    list_node_t *node = ready ? list_pop (&self->spare) : NULL;
    if (node) {
        line = container_of (node, line_t, node);
        self->spare_count--;
    } else if (self->closed)
        fault_set (fault, TROUPE_ESTOPPED, "the runtime has stopped");
    else if (!ready)
        ;
    else if (!(line = calloc (1, sizeof *line)))
        fault_set (fault, TROUPE_ENOMEM, "no memory for a connection to the object store");
    else if ((line->fd = s_open (self, fault)) < 0) {
        free (line);
        line = NULL;
    } else {
        /*  Memory and objects may take long; the store says when too long. */
        s_set_patience (line->fd, 0);
    }
    if (line)
        list_append (&self->busy, &line->node);
    pthread_mutex_unlock (&self->lock);
    return line;
}

static void
s_give (store_client_t *self, line_t *line, bool good)
{
    pthread_mutex_lock (&self->lock);
    list_remove (&line->node);
    if (good && !self->closed && self->spare_count < SPARE_MAX) {
        list_append (&self->spare, &line->node);
        self->spare_count++;
        line = NULL;
    }
    pthread_mutex_unlock (&self->lock);
    if (!line)
        return;
    close (line->fd);
    free (line);
}

static int
s_call (store_client_t *self, store_message_t *message, uint8_t wanted, fault_t *fault)
{
    char text [STORE_TEXT_MAX];
    line_t *line = s_take (self, fault);
    if (!line)
        return -1;
    ssize_t got = -1;
    if (send (line->fd, message, sizeof *message, MSG_NOSIGNAL) >= 0)
        got = s_receive (line->fd, message, text, sizeof text, NULL);
    pthread_mutex_lock (&self->lock);
    bool closed = self->closed;
    pthread_mutex_unlock (&self->lock);
    s_give (self, line, got >= 0);
    if (got >= 0 && message->type == wanted)
        return 0;
    if (closed)
        return fault_set (fault, TROUPE_ESTOPPED, "the runtime has stopped");
    if (got < 0)
        return s_lost (fault);
    return fault_set (fault, fault_code_valid (message->code) ? (troupe_error_t) message->code
                                                              : TROUPE_EPROTOCOL,
                      "%.*s", (int) got, text);
}

/*  What needs no answer. If it does not get there, nothing that follows may
    look as if it had: the store is lost to this process. Its connections stay
    open, so that what is pinned stays while it is read.                    */
static void
s_tell (store_client_t *self, const store_message_t *message)
{
    fault_t fault;
    pthread_mutex_lock (&self->lock);
    if (!self->closed || self->main >= 0)
        self->lost = s_open_main (self, &fault)
                     || send (self->main, message, sizeof *message, MSG_NOSIGNAL) < 0;
    if (message->type == STORE_HOLD && message->id.owner != self->store)
        self->told++;
    pthread_mutex_unlock (&self->lock);
}

uint64_t
store_client_told (store_client_t *self)
{
    pthread_mutex_lock (&self->lock);
    uint64_t told = self->told;
    pthread_mutex_unlock (&self->lock);
    return told;
}

static int
s_not_settled (fault_t *fault)
{
    return fault_set (fault, TROUPE_ELOST,
                      "a hold did not arrive at an object of another machine, whose store "
                      "does not answer");
}

/*  Up to told it is known what has arrived. Expects the lock.              */
static int
s_synced (store_client_t *self, uint64_t told, bool arrived, fault_t *fault)
{
    if (!arrived && !self->failed_to)
        self->failed_after = self->settled;
    if (!arrived)
        self->failed_to = told;
    self->settled = told;
    return arrived ? 0 : s_not_settled (fault);
}

/*  Asks the store. Expects the lock, which is free meanwhile.              */
static int
s_sync (store_client_t *self, fault_t *fault)
{
    store_message_t message = { .type = STORE_SYNC };
    char text [STORE_TEXT_MAX];
    uint64_t told = self->told;
    if (self->lost || self->closed || self->main < 0)
        return s_lost (fault);
    self->lost = send (self->main, &message, sizeof message, MSG_NOSIGNAL) < 0;
    self->reading = !self->lost;
    pthread_mutex_unlock (&self->lock);
    bool answered = self->reading
                    && s_receive (self->main, &message, text, sizeof text, NULL) >= 0
                    && (message.type == STORE_SYNCED || message.type == STORE_FAULT);
    pthread_mutex_lock (&self->lock);
    self->reading = false;
    self->lost = self->lost || !answered;
    return answered ? s_synced (self, told, message.type == STORE_SYNCED, fault)
                    : s_lost (fault);
}

int
store_client_settle (store_client_t *self, uint64_t number, fault_t *fault)
{
    pthread_mutex_lock (&self->settling);
    pthread_mutex_lock (&self->lock);
    bool failed = number > self->failed_after && number <= self->failed_to;
    int rc = failed                    ? s_not_settled (fault)
             : number <= self->settled ? 0
                                       : s_sync (self, fault);
    pthread_mutex_unlock (&self->lock);
    pthread_mutex_unlock (&self->settling);
    return rc;
}

int
store_client_create (store_client_t *self, uint64_t size, tid_t *id, uint8_t **data,
                     fault_t *fault)
{
    store_message_t message = { .type = STORE_CREATE, .size = size };
    if (s_call (self, &message, STORE_GRANTED, fault))
        return -1;
    *id = message.id;
    *data = self->writable + message.offset;
    pages_prepare (&self->supply, *data, size);
    pages_write (&self->supply, self->memory, message.offset, *data, size);
    return 0;
}

void
store_client_seal (store_client_t *self, tid_t id, uint64_t size, uint8_t kind,
                   process_t holder)
{
    store_message_t message
        = { .type = STORE_SEAL, .id = id, .size = size, .kind = kind, .holder = holder };
    s_tell (self, &message);
}

void
store_client_abort (store_client_t *self, tid_t id)
{
    store_message_t message = { .type = STORE_ABORT, .id = id };
    s_tell (self, &message);
}

int
store_client_pin (store_client_t *self, tid_t id, uint64_t size, const uint8_t **data,
                  uint8_t *kind, fault_t *fault)
{
    store_message_t message = { .type = STORE_PIN, .id = id, .size = size };
    if (s_call (self, &message, STORE_PINNED, fault))
        return -1;
    *data = self->readable + message.offset;
    *kind = message.kind;
    return 0;
}

void
store_client_unpin (store_client_t *self, tid_t id)
{
    store_message_t message = { .type = STORE_UNPIN, .id = id };
    s_tell (self, &message);
}

void
store_client_prefetch (store_client_t *self, tid_t id, uint64_t size)
{
    store_message_t message = { .type = STORE_PREFETCH, .id = id, .size = size };
    s_tell (self, &message);
}

void
store_client_hold (store_client_t *self, tid_t id, process_t holder)
{
    store_message_t message = { .type = STORE_HOLD, .id = id, .holder = holder };
    s_tell (self, &message);
}

void
store_client_release (store_client_t *self, tid_t id, process_t holder)
{
    store_message_t message = { .type = STORE_RELEASE, .id = id, .holder = holder };
    s_tell (self, &message);
}

void
store_client_claim (store_client_t *self, tid_t id, process_t holder)
{
    store_message_t message = { .type = STORE_CLAIM, .id = id, .holder = holder };
    s_tell (self, &message);
}

process_t
store_client_store (store_client_t *self)
{
    pthread_mutex_lock (&self->lock);
    process_t store = self->store;
    pthread_mutex_unlock (&self->lock);
    return store;
}

/*  --- life -------------------------------------------------------------  */

store_client_t *
store_client_new (const char *endpoint, process_t process)
{
    store_client_t *self = calloc (1, sizeof *self);
    size_t length = strlen (endpoint);
    if (!self || length >= sizeof self->endpoint) {
        free (self);
        return NULL;
    }
    memcpy (self->endpoint, endpoint, length + 1);
    self->process = process;
    self->main = self->memory = -1;
    pthread_mutex_init (&self->lock, NULL);
    pthread_mutex_init (&self->settling, NULL);
    list_init (&self->spare);
    list_init (&self->busy);
    return self;
}

void
store_client_close (store_client_t *self)
{
    pthread_mutex_lock (&self->lock);
    self->closed = true;
    for (list_node_t *at = self->busy.next; at != &self->busy; at = at->next)
        shutdown (container_of (at, line_t, node)->fd, SHUT_RDWR);
    if (self->reading)
        shutdown (self->main, SHUT_RDWR);
    pthread_mutex_unlock (&self->lock);
}

void
store_client_destroy (store_client_t **self_p)
{
    store_client_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (list_node_t *node; (node = list_pop (&self->spare));) {
        line_t *line = container_of (node, line_t, node);
        close (line->fd);
        free (line);
    }
    if (self->main >= 0)
        close (self->main);
    if (self->readable) {
        munmap ((void *) (uintptr_t) self->readable, self->size);
        munmap (self->writable, self->size);
        close (self->memory);
    }
    pthread_mutex_destroy (&self->lock);
    pthread_mutex_destroy (&self->settling);
    free (self);
}
