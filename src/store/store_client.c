/*  store_client.c - a process's way to the store of its machine             */

#include "store/store_client.h"

#include "core/list.h"
#include "core/pages.h"
#include "core/table.h"
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
    int patience_s;             /*  0: for ever                             */
    list_node_t node;
} line_t;

/*  Another store, and the holds that this process has given to objects there. */
typedef struct {
    uint64_t told;
    uint64_t settled;           /*  so many have arrived, or are lost       */
    uint64_t lost_after;        /*  lost are those behind this one          */
    uint64_t lost_to;           /*  ... up to this one                      */
    uint64_t failed;            /*  of so many it is known what became      */
    bool asking;                /*  somebody asks, for all who wait         */
    fault_t why;                /*  of those that did not arrive            */
} home_t;

struct store_client {
    char endpoint [64];
    process_t process;
    pthread_mutex_t lock;
    bool closed;
    bool lost;                  /*  something did not get there             */
    int main;                   /*  for what needs no answer; -1: none yet  */
    id_table_t homes;           /*  store → home_t                          */
    pthread_cond_t asked;       /*  somebody has, at one of them            */
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
    return fault_set (fault, TROUPE_ELOST,
                      "the object store of this machine has ended, or does not answer");
}

/*  What the store says in a FAULT.                                         */
static int
s_fault (const store_message_t *message, const char *text, size_t size, fault_t *fault)
{
    return fault_set (fault, fault_code_valid (message->code) ? (troupe_error_t) message->code
                                                              : TROUPE_EPROTOCOL,
                      "%.*s", (int) size, text);
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
    ssize_t got = send (fd, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno != EPIPE
                      ? -1
                      : s_receive (fd, &message, text, sizeof text, &memory);
    if (got >= 0 && message.type == STORE_FAULT)
        rc = s_fault (&message, text, (size_t) got, fault);
    else if (got < 0 || message.type != STORE_WELCOME || memory < 0)
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
s_set_patience (line_t *line, int seconds)
{
    struct timeval patience = { .tv_sec = seconds };
    if (line->patience_s != seconds)
        setsockopt (line->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    line->patience_s = seconds;
}

/*  The connection for what needs no answer. Expects the lock.              */
static int
s_open_main (store_client_t *self, fault_t *fault)
{
    if (self->main < 0 && !self->lost)
        self->main = s_open (self, fault);
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
    } else
        line->patience_s = ANSWER_PATIENCE_S;
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
    /*  Memory and objects may take long; the store says when too long.     */
    s_set_patience (line, message->type == STORE_SYNC ? SYNC_ANSWER_PATIENCE_S : 0);
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
    return s_fault (message, text, (size_t) got, fault);
}

/*  What needs no answer. If it does not get there, nothing that follows may
    look as if it had: the store is lost to this process. Its connections stay
    open, so that what is pinned stays while it is read. Expects the lock.  */
static void
s_tell_locked (store_client_t *self, const store_message_t *message)
{
    fault_t fault;
    if (!self->closed || self->main >= 0)
        self->lost = s_open_main (self, &fault)
                     || send (self->main, message, sizeof *message, MSG_NOSIGNAL) < 0;
}

static void
s_tell (store_client_t *self, const store_message_t *message)
{
    pthread_mutex_lock (&self->lock);
    s_tell_locked (self, message);
    pthread_mutex_unlock (&self->lock);
}

/*  --- holds at other stores --------------------------------------------  */

/*  Made when it is first needed. NULL: no memory.                          */
static home_t *
s_home (store_client_t *self, process_t store)
{
    home_t *home = id_table_get (&self->homes, (tid_t){ 0, store });
    if (home)
        return home;
    home = calloc (1, sizeof *home);
    if (!home || id_table_put (&self->homes, (tid_t){ 0, store }, home)) {
        free (home);
        return NULL;
    }
    return home;
}

uint64_t
store_client_hold (store_client_t *self, tid_t id, process_t holder, bool passed)
{
    store_message_t message
        = { .type = STORE_HOLD, .id = id, .holder = holder, .passed = passed };
    uint64_t number = 0;
    pthread_mutex_lock (&self->lock);
    s_tell_locked (self, &message);
    if (id.owner != self->store) {
        home_t *home = s_home (self, id.owner);
        number = home ? ++home->told : UINT64_MAX;
    }
    pthread_mutex_unlock (&self->lock);
    return number;
}

/*  Asks what became of all holds so far. Expects the lock, which is free
    meanwhile.                                                              */
static void
s_ask (store_client_t *self, process_t store, home_t *home)
{
    uint64_t told = home->told;
    store_message_t message
        = { .type = STORE_SYNC, .id = { store, told }, .offset = home->settled };
    fault_t fault;
    home->asking = true;
    pthread_mutex_unlock (&self->lock);
    int rc = s_call (self, &message, STORE_SYNCED, &fault);
    pthread_mutex_lock (&self->lock);
    home->asking = false;
    home->failed = told;
    if (rc == 0)
        home->settled = told;
    else if (message.type == STORE_FAULT && message.offset > home->settled) {
        home->settled = message.offset < told ? message.offset : told;
        home->lost_after = message.id.sequence;
        home->lost_to = message.holder;
    }
    if (rc)
        home->why = fault;
    pthread_cond_broadcast (&self->asked);
}

int
store_client_settle (store_client_t *self, process_t store, uint64_t number, fault_t *fault)
{
    pthread_mutex_lock (&self->lock);
    home_t *home = id_table_get (&self->homes, (tid_t){ 0, store });
    while (home && number > home->failed && number <= home->told)
        if (home->asking)
            pthread_cond_wait (&self->asked, &self->lock);
        else
            s_ask (self, store, home);
    bool arrived = home && number <= home->settled
                   && (number <= home->lost_after || number > home->lost_to);
    int rc = arrived ? 0 : -1;
    if (rc && home && number <= home->told)
        *fault = home->why;
    else if (rc)
        fault_set (fault, TROUPE_ENOMEM, "no memory for a hold of an object");
    pthread_mutex_unlock (&self->lock);
    return rc;
}

/*  --- objects ----------------------------------------------------------  */

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
                   process_t holder, bool passed)
{
    store_message_t message = { .type = STORE_SEAL, .id = id, .size = size, .kind = kind,
                                .holder = holder, .passed = passed };
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
store_client_release (store_client_t *self, tid_t id, process_t holder, bool passed)
{
    store_message_t message
        = { .type = STORE_RELEASE, .id = id, .holder = holder, .passed = passed };
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
    pthread_cond_init (&self->asked, NULL);
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
    size_t cursor = 0;
    for (home_t *home; (home = id_table_next (&self->homes, &cursor));)
        free (home);
    id_table_release (&self->homes);
    if (self->main >= 0)
        close (self->main);
    if (self->readable) {
        munmap ((void *) (uintptr_t) self->readable, self->size);
        munmap (self->writable, self->size);
        close (self->memory);
    }
    pthread_mutex_destroy (&self->lock);
    pthread_cond_destroy (&self->asked);
    free (self);
}
