/*  link.c - ways to other processes: gathering records, flushing frames    */

#include "peer/peer.h"
#include "wire/socket.h"

#include <errno.h>
#include <stdlib.h>

/*  A frame this full is sent at once.                                      */
#define FRAME_FULL ((size_t) 48 << 10)

/*  Records that follow each other faster than this are a burst and gather;
    what is written now and then leaves at once.                            */
#define BURST (25 * CLOCK_US)

/*  How long the first of a burst may wait.                                 */
#define GATHER (250 * CLOCK_US)

/*  The same of answers while their worker has more tasks: as much time as the
    head gives it work for at once.                                         */
#define GATHER_MORE (1000 * CLOCK_US)

static tid_t
s_key (process_t process)
{
    return (tid_t){ 0, process };
}

bool
link_is_dead (troupe_t *self, process_t process)
{
    return process != HEAD_PROCESS && process <= self->announced && process != self->self
           && !id_table_get (&self->known, s_key (process));
}

/*  The first record on a link says who writes, and proves that it may.     */
static int
s_greet (troupe_t *self, link_t *link)
{
    record_t hello = { .type = RECORD_HELLO,
                       .id = { self->self, 0 },
                       .body = self->cookie,
                       .body_size = COOKIE_SIZE };
    return record_write (&link->frame, &hello);
}

/*  known: NULL for this process itself.                                    */
static void
s_connect (troupe_t *self, link_t *link, const known_t *known)
{
    fault_t fault;
    const char *endpoint = known ? known->endpoint : self->own_endpoint;
    if (!*endpoint)
        return;
    link->socket = socket_dealer_new (self->context, &fault);
    if (!link->socket)
        return;
    link->far = known && known->far;
    if ((link->far
         && network_approach (self->network, link->socket, known->key, &self->network->keys,
                              &fault))
        || socket_connect (link->socket, endpoint, &fault)) {
        zmq_close (link->socket);
        link->socket = NULL;
    }
}

link_t *
link_to (troupe_t *self, process_t process)
{
    if (self->stopping)
        return NULL;
    if (process == HEAD_PROCESS)
        return &self->head;
    link_t *link = id_table_get (&self->links, s_key (process));
    if (link)
        return link;
    if (link_is_dead (self, process))
        return NULL;
    link = calloc (1, sizeof *link);
    if (!link || id_table_put (&self->links, s_key (process), link) || s_greet (self, link)) {
        if (link)
            id_table_remove (&self->links, s_key (process));
        free (link);
        return NULL;
    }
    link->to = process;
    known_t *known = id_table_get (&self->known, s_key (process));
    if (process == self->self)
        s_connect (self, link, NULL);
    else if (known)
        s_connect (self, link, known);
    return link;
}

void
link_announced (troupe_t *self, known_t *known)
{
    link_t *link = id_table_get (&self->links, s_key (known->process));
    if (!link || link->socket)
        return;
    s_connect (self, link, known);
    link_flush (self, link);
}

static int
s_send (void *arg, zmq_msg_t *message)
{
    link_t *link = arg;
    while (zmq_msg_send (message, link->socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR) {
            zmq_msg_close (message);
            return -1;
        }
    return 0;
}

void
link_flush (troupe_t *self, link_t *link)
{
    if (!link->socket || link->frame.size == 0)
        return;
    list_remove (&link->dirty);
    zmq_msg_t message;
    if (link->far ? channel_seal (&link->channel, &link->frame, clock_now (), &message)
                  : socket_message_take (&message, &link->frame)) {
        /*  No memory: keep it, and let the service thread try again.       */
        list_append (&self->dirty, &link->dirty);
        return;
    }
    s_send (link, &message);
    /*  Sending may have taken note of what came in, and with it the event
        that whoever polls the descriptor waits for.                        */
    if (link == &self->head && socket_readable (link->socket))
        peer_undrained (self);
}

bool
link_takes (troupe_t *self, link_t *link, const uint8_t *data, size_t size)
{
    bool again;
    int64_t now = clock_now ();
    channel_verdict_t verdict = channel_receive (&link->channel, data, size, now, &again);
    if (again && link->socket)
        channel_repeat (&link->channel, now, s_send, link);
    peer_service_by (self, channel_due (&link->channel));
    return verdict == CHANNEL_TAKE;
}

static int64_t
s_tend (troupe_t *self, link_t *link, int64_t now)
{
    zmq_msg_t message;
    if (!link->far || !link->socket)
        return CLOCK_NEVER;
    if (channel_overdue (&link->channel, now))
        channel_repeat (&link->channel, now, s_send, link);
    if (channel_owes (&link->channel, now)) {
        /*  What waits to be sent says it too.                              */
        if (link->frame.size)
            link_flush (self, link);
        else if (channel_notice (&link->channel, &message) == 0)
            s_send (link, &message);
    }
    return channel_due (&link->channel);
}

int64_t
link_tend_all (troupe_t *self, int64_t now)
{
    int64_t due = s_tend (self, &self->head, now);
    size_t cursor = 0;
    for (link_t *link; (link = id_table_next (&self->links, &cursor));) {
        int64_t next = s_tend (self, link, now);
        if (next < due)
            due = next;
    }
    return due;
}

/*  The head comes last: when it hears that a task is done, the result has
    left too.                                                               */
void
link_flush_all (troupe_t *self)
{
    list_t later;
    list_init (&later);
    bool head = list_linked (&self->head.dirty);
    list_remove (&self->head.dirty);
    for (list_node_t *node; (node = list_pop (&self->dirty));) {
        link_t *link = container_of (node, link_t, dirty);
        if (link->socket)
            link_flush (self, link);
        else
            list_append (&later, node);
    }
    for (list_node_t *node; (node = list_pop (&later));)
        list_append (&self->dirty, node);
    if (head)
        link_flush (self, &self->head);
}

/*  Flushes one link now, and what must go before it.                       */
static void
s_flush_now (troupe_t *self, link_t *link)
{
    if (link == &self->head)
        link_flush_all (self);
    else
        link_flush (self, link);
}

void
link_commit (troupe_t *self, link_t *link)
{
    bool first = !list_linked (&link->dirty);
    if (first)
        list_append (&self->dirty, &link->dirty);
    if (link->frame.size >= FRAME_FULL) {
        s_flush_now (self, link);
        return;
    }
    if (self->batching)
        return;
    int64_t now = self->now ? self->now : clock_now ();
    int64_t gap = now - link->written;
    link->written = now;
    if (first)
        link->since = now;
    /*  To another machine a driver's first call would be done before it is said
        there who needs its value, which then comes back and forth: a thread
        that waits sends it soon enough.                                    */
    bool alone = gap >= BURST && !self->gathering && !(link->far && self->role == ROLE_DRIVER);
    int64_t most = self->gathering ? GATHER_MORE : GATHER;
    if ((first && alone) || now - link->since >= most)
        s_flush_now (self, link);
    else
        peer_service_by (self, link->since + most);
}

void
link_send (troupe_t *self, process_t process, const record_t *record)
{
    link_t *link = link_to (self, process);
    if (link && record_write (&link->frame, record) == 0)
        link_commit (self, link);
}

/*  Inquiries, whose fences have their number, begin with 1.                */
void
link_fence_all (troupe_t *self)
{
    record_t fence = { .type = RECORD_FENCE };
    size_t cursor = 0;
    for (link_t *link; (link = id_table_next (&self->links, &cursor));)
        if (link->socket && record_write (&link->frame, &fence) == 0) {
            link->fenced = true;
            link_commit (self, link);
        }
}

bool
link_is_fenced (troupe_t *self)
{
    size_t cursor = 0;
    for (link_t *link; (link = id_table_next (&self->links, &cursor));)
        if (link->fenced)
            return true;
    return false;
}

void
link_sign (troupe_t *self, process_t process)
{
    link_t *link = id_table_get (&self->links, s_key (process));
    if (link)
        link->fenced = false;
    if (self->leaving)
        peer_wake (self, self->leaving);
}

static void
s_destroy (link_t *link)
{
    list_remove (&link->dirty);
    if (link->socket)
        zmq_close (link->socket);
    bytes_release (&link->frame);
    channel_release (&link->channel);
    free (link);
}

void
link_close (troupe_t *self, process_t process)
{
    link_t *link = id_table_remove (&self->links, s_key (process));
    if (!link)
        return;
    s_destroy (link);
    if (self->leaving)
        peer_wake (self, self->leaving);
}

void
link_close_all (troupe_t *self)
{
    size_t cursor = 0;
    for (link_t *link; (link = id_table_next (&self->links, &cursor));)
        s_destroy (link);
    id_table_release (&self->links);
    list_remove (&self->head.dirty);
    bytes_release (&self->head.frame);
    channel_release (&self->head.channel);
}
