/*  head_ending.c - the head's state: nodes that are drained, and the end of the
    cluster

    A node that is drained is closed: nothing new begins there. When the whole
    cluster ends, it is the work that counts, not the node. What runs goes on to
    its end with all that it submits, wherever that finds a place, also on nodes
    that were about to leave; and these leave when all is done, as what still
    runs may need their actors. Running work is what workers own. What drivers
    have submitted and what has not begun fails at once, as does what they
    submit from then on: otherwise what runs might wait for it for ever.    */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

/*  Tasks that a text names.                                                */
#define NAMED_MAX 3

const char head_is_ending [] = "the cluster is being stopped, and nothing begins any more";

/*  --- beginning --------------------------------------------------------  */

static void
s_close (head_state_t *self, head_node_t *node, bool closed)
{
    node->closed = closed;
    self->shapes++;
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next)
        head_place (self, container_of (at, head_peer_t, of_node));
    if (closed)
        return;
    self->rooms++;
    head_node_freed (self, node);
}

void
head_drain (head_state_t *self, process_t process)
{
    head_node_t *node = process ? head_node (self, process) : NULL;
    if (!node || node->draining)
        return;
    node->draining = true;
    if (!self->ending)
        s_close (self, node, true);
}

void
head_leaving (head_state_t *self, process_t process)
{
    head_node_t *node = process ? head_node (self, process) : NULL;
    if (node)
        node->leaving = true;
}

troupe_error_t
head_loss_of (const head_state_t *self, const head_peer_t *peer)
{
    bool stopped = self->ending && peer->role == ROLE_WORKER && peer->on->leaving;
    return stopped ? TROUPE_ESTOPPED : TROUPE_ELOST;
}

troupe_error_t
head_loss (const head_state_t *self, process_t process)
{
    const head_peer_t *peer = head_peer (self, process);
    return peer ? head_loss_of (self, peer) : TROUPE_ELOST;
}

bool
head_may_begin (const head_state_t *self, process_t owner)
{
    const head_peer_t *peer = self->ending ? head_peer (self, owner) : NULL;
    return !self->ending || (peer && peer->role == ROLE_WORKER);
}

static void
s_fail_homeless (head_state_t *self)
{
    size_t cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        for (list_node_t *at = job->homeless.next, *next; at != &job->homeless; at = next) {
            head_actor_t *actor = container_of (at, head_actor_t, node);
            next = at->next;
            if (head_may_begin (self, actor->id.owner))
                continue;
            head_act_fault (self, actor->id, TROUPE_ESTOPPED, "%s: %s", actor->class_name,
                            head_is_ending);
            head_actor_destroy (self, actor);
        }
}

void
head_drain_all (head_state_t *self, process_t process)
{
    bool again = self->ending != 0;
    self->ending = process;
    if (again)
        return;
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        if (node->closed && !node->drained)
            s_close (self, node, false);
    head_fail_waiting (self);
    head_fail_pending_groups (self);
    s_fail_homeless (self);
    head_recall_ahead (self);
}

process_t
head_drains_all (const head_state_t *self)
{
    return self->ending;
}

/*  --- what is waited for -----------------------------------------------  */

/*  A text that is added to until it is full.                               */
typedef struct {
    char *text;
    size_t size;
    size_t length;
    size_t count;
} waits_t;

static void
s_add (waits_t *self, const char *before, const char *what, const char *where)
{
    int more = snprintf (self->text + self->length, self->size - self->length, "%s%s%s%s",
                         before, what, *where ? " on " : "", where);
    self->length += more > 0 ? (size_t) more : 0;
    if (self->length >= self->size)
        self->length = self->size - 1;
}

static void
s_add_leases (waits_t *self, const head_node_t *node)
{
    for (const list_node_t *at = node->workers.next; at != &node->workers; at = at->next) {
        const head_peer_t *peer = container_of (at, head_peer_t, of_node);
        for (unsigned slot = 0; slot < peer->lease_capacity; slot++)
            if (peer->leases [slot] && self->count++ < NAMED_MAX)
                s_add (self, self->length ? ", " : "",
                       peer->leases [slot]->lane->function->name, peer->label);
    }
}

static const char *
s_plural (size_t count)
{
    return count == 1 ? "" : "s";
}

/*  A node's drain, or if there is none, the cluster's.                     */
static void
s_write_waits (const head_state_t *self, const head_node_t *drained, char *text, size_t size)
{
    char names [FAULT_TEXT_MAX] = "", count [96] = "";
    waits_t leases = { names, sizeof names, 0, 0 }, all = { text, size, 0, 0 };
    size_t cursor = 0, more = drained ? 0 : self->ready + self->parked;
    if (drained)
        s_add_leases (&leases, drained);
    for (const head_node_t *node; !drained && (node = id_table_next (&self->nodes, &cursor));)
        s_add_leases (&leases, node);
    *text = 0;
    if (leases.count) {
        snprintf (count, sizeof count, "%zu task%s: ", leases.count, s_plural (leases.count));
        s_add (&all, count, names, "");
    }
    if (leases.count > NAMED_MAX) {
        snprintf (count, sizeof count, " and %zu more", leases.count - NAMED_MAX);
        s_add (&all, count, "", "");
    }
    if (more) {
        snprintf (count, sizeof count, "%zu task%s that running work has submitted", more,
                  s_plural (more));
        s_add (&all, all.length ? "; " : "", count, "");
    }
    if (drained && drained->starting) {
        snprintf (count, sizeof count, "%zu worker%s to start", drained->starting,
                  s_plural (drained->starting));
        s_add (&all, all.length ? "; " : "", count, "");
    }
}

static void
s_tell (head_state_t *self, head_node_t *node, const char *text)
{
    if (node->waits && strcmp (node->waits, text) == 0)
        return;
    free (node->waits);
    node->waits = strdup (text);
    head_action_t *action = head_act (self, HEAD_WAITS, node->process);
    free (action->text);
    action->text = strdup (text);
    if (!node->waits || !action->text)
        self->failed = true;
}

void
head_tell_waits (head_state_t *self)
{
    char text [FAULT_TEXT_MAX];
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        bool ends = self->ending && node->process == self->ending;
        if (self->ended || (!ends && (!node->draining || node->drained)))
            continue;
        s_write_waits (self, self->ending ? NULL : node, text, sizeof text);
        s_tell (self, node, text);
    }
}

/*  --- ending -----------------------------------------------------------  */

static bool
s_is_drained (const head_node_t *node)
{
    for (const list_node_t *at = node->workers.next; at != &node->workers; at = at->next)
        if (container_of (at, head_peer_t, of_node)->outstanding)
            return false;
    return node->starting == 0;
}

void
head_finish_drains (head_state_t *self)
{
    if (self->ending && (self->leased || self->ready || self->parked))
        return;
    if (self->ending && !self->ended) {
        self->ended = true;
        head_act (self, HEAD_DRAINED, self->ending)->number = 1;
    }
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        if (!node->draining || node->drained || !s_is_drained (node))
            continue;
        node->drained = true;
        if (!node->closed)
            s_close (self, node, true);
        head_act (self, HEAD_DRAINED, node->process);
    }
}
