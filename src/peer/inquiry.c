/*  inquiry.c - answers and values that were lost on their way              */

#include "peer/inquiry.h"

#include "peer/future.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    list_node_t node;
    uint64_t number;
    bytes_t tasks;              /*  numbers of futures, 8 bytes each        */
    process_t *workers;         /*  whose sign has not come                 */
    size_t worker_count;
    char cause [FAULT_TEXT_MAX];
} inquiry_t;

static void
s_destroy (inquiry_t *self)
{
    list_remove (&self->node);
    bytes_release (&self->tasks);
    free (self->workers);
    free (self);
}

static inquiry_t *
s_find (troupe_t *peer, uint64_t number)
{
    for (list_node_t *node = peer->inquiries.next; node != &peer->inquiries; node = node->next) {
        inquiry_t *self = container_of (node, inquiry_t, node);
        if (self->number == number)
            return self;
    }
    return NULL;
}

void
inquiry_ask_again (troupe_t *peer, tid_t id)
{
    record_t again = { .type = RECORD_SUBSCRIBE,
                       .flags = RECORD_AGAIN,
                       .id = id,
                       .target = peer->self };
    link_send (peer, id.owner, &again);
}

static void
s_ask_owners (troupe_t *peer)
{
    size_t cursor = 0, count;
    tid_t id;
    while ((count = await_next (&peer->await, &cursor, &id)))
        while (count--)
            inquiry_ask_again (peer, id);
}

static void
s_ask_head (troupe_t *peer, const char *cause)
{
    bytes_t tasks = { 0 };
    size_t cursor = 0;
    for (troupe_future_t *future; (future = future_next (peer, &cursor));)
        if (future->task && future->state == FUTURE_PENDING) {
            uint8_t *place = bytes_extend (&tasks, 8);
            if (place)
                store_u64 (place, future->sequence);
        }
    inquiry_t *self = tasks.size ? calloc (1, sizeof *self) : NULL;
    if (self) {
        self->number = ++peer->inquiry_number;
        snprintf (self->cause, sizeof self->cause, "the result was lost with %s", cause);
        list_append (&peer->inquiries, &self->node);
        record_t check = { .type = RECORD_CHECK,
                           .id = { peer->self, self->number },
                           .body = tasks.data,
                           .body_size = (uint32_t) tasks.size };
        link_send (peer, HEAD_PROCESS, &check);
    }
    bytes_release (&tasks);
}

void
inquiry_begin (troupe_t *peer, const char *cause)
{
    s_ask_owners (peer);
    s_ask_head (peer, cause);
}

/*  What has not come will not come.                                        */
static void
s_conclude (troupe_t *peer, inquiry_t *self)
{
    list_remove (&self->node);
    for (size_t offset = 0; offset < self->tasks.size; offset += 8) {
        tid_t id = { peer->self, load_u64 (self->tasks.data + offset) };
        troupe_future_t *future = future_find (peer, id);
        if (future && future->task)
            future_fail (future, TROUPE_ELOST, self->cause, strlen (self->cause), 0);
    }
    s_destroy (self);
}

static void
s_ask_worker (troupe_t *peer, inquiry_t *self, process_t worker)
{
    process_t *grown
        = realloc (self->workers, (self->worker_count + 1) * sizeof *grown);
    if (!grown)
        return;
    record_t fence = { .type = RECORD_FENCE, .id.sequence = self->number };
    self->workers = grown;
    self->workers [self->worker_count++] = worker;
    link_send (peer, worker, &fence);
}

void
inquiry_unknown (troupe_t *peer, const record_t *record)
{
    inquiry_t *self = s_find (peer, record->id.sequence);
    if (!self || self->tasks.size)
        return;
    for (size_t offset = 0; offset + 8 <= record->body_size; offset += 8) {
        tid_t id = { peer->self, load_u64 (record->body + offset) };
        troupe_future_t *future = future_find (peer, id);
        if (future && future->state == FUTURE_PENDING)
            bytes_append (&self->tasks, record->body + offset, 8);
    }
    if (!self->tasks.size) {
        s_destroy (self);
        return;
    }
    size_t cursor = 0;
    for (known_t *known; (known = id_table_next (&peer->known, &cursor));)
        if (known->role == ROLE_WORKER)
            s_ask_worker (peer, self, known->process);
    if (peer->role == ROLE_WORKER)
        s_ask_worker (peer, self, peer->self);
    if (!self->worker_count)
        s_conclude (peer, self);
}

/*  True if that was the last one.                                          */
static bool
s_strike (inquiry_t *self, process_t worker)
{
    for (size_t index = 0; index < self->worker_count; index++)
        if (self->workers [index] == worker) {
            self->workers [index] = self->workers [--self->worker_count];
            return self->worker_count == 0;
        }
    return false;
}

void
inquiry_sign (troupe_t *peer, uint64_t number, process_t worker)
{
    inquiry_t *self = s_find (peer, number);
    if (self && s_strike (self, worker))
        s_conclude (peer, self);
}

void
inquiry_lose_process (troupe_t *peer, process_t worker)
{
    list_t ended;
    list_init (&ended);
    list_node_t *next, *node = peer->inquiries.next;
    for (; node != &peer->inquiries; node = next) {
        inquiry_t *self = container_of (node, inquiry_t, node);
        next = node->next;
        if (s_strike (self, worker)) {
            list_remove (node);
            list_append (&ended, node);
        }
    }
    while (!list_empty (&ended))
        s_conclude (peer, container_of (ended.next, inquiry_t, node));
}

void
inquiry_drop_all (troupe_t *peer)
{
    while (!list_empty (&peer->inquiries))
        s_destroy (container_of (peer->inquiries.next, inquiry_t, node));
}
