/*  head_keeps.c - the head's state: nodes that are kept for what has waited long

    A large demand finds no node as long as small ones take whatever becomes
    free. So one that has waited for a while gets a node kept: nothing else of
    its priority, or of a lower one, begins there until it has begun. What runs
    there may take long, and its end is not known: after a time the node is
    everybody's again for as long as it was kept, and the next time is longer.
    So no more than half of a node's time is lost, and whatever ends at all
    makes room.                                                             */

#include "head/head_private.h"

/*  What has waited so long gets a node kept; for so long the first time, at
    most for so long, and when it fits, for a worker to be started there.   */
#define KEEP_AFTER (2000 * CLOCK_MS)
#define KEEP_FIRST (10000 * CLOCK_MS)
#define KEEP_MAX (3600000 * CLOCK_MS)
#define KEEP_FITTING (5000 * CLOCK_MS)

/*  Actors of a job that are looked at.                                     */
#define ACTORS_MAX 1000

void
head_keep_begin (head_state_t *self, head_keep_t *keep)
{
    if (!keep->since)
        keep->since = self->now;
}

/*  Its workers are placed anew at the end of the turn: somebody may be in the
    middle of something with them.                                          */
static void
s_let_go (head_state_t *self, head_keep_t *keep)
{
    head_node_t *node = keep->node;
    keep->node = NULL;
    node->keep = NULL;
    list_remove (&node->kept);
    list_append (&self->unkept, &node->kept);
}

void
head_keep_end (head_state_t *self, head_keep_t *keep)
{
    if (keep->node)
        s_let_go (self, keep);
    *keep = (head_keep_t){ 0 };
}

void
head_keep_lose (head_node_t *node)
{
    list_remove (&node->kept);
    if (node->keep)
        node->keep->node = NULL;
    node->keep = NULL;
}

bool
head_is_kept (const head_node_t *node, const job_t *job, const head_keep_t *own)
{
    return node->keep && node->keep != own && job->priority <= node->keep->job->priority;
}

static void
s_place_workers (head_state_t *self, head_node_t *node)
{
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next)
        head_place (self, container_of (at, head_peer_t, of_node));
}

void
head_open_nodes (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->unkept));) {
        head_node_t *node = container_of (at, head_node_t, kept);
        s_place_workers (self, node);
        self->rooms++;
        head_node_freed (self, node);
    }
}

/*  --- ending -----------------------------------------------------------  */

static void
s_end_overdue (head_state_t *self, int64_t now)
{
    for (list_node_t *at = self->kept.next, *next; at != &self->kept; at = next) {
        head_node_t *node = container_of (at, head_node_t, kept);
        head_keep_t *keep = node->keep;
        next = at->next;
        if (keep->until > now + KEEP_FITTING && head_node_fits (node, keep->demand))
            keep->until = now + KEEP_FITTING;
        if (now < keep->until && !node->suspect && !node->closed)
            continue;
        s_let_go (self, keep);
        keep->wait = now - keep->began;
        keep->since = now;
        keep->time = keep->time < KEEP_MAX / 2 ? keep->time * 2 : KEEP_MAX;
    }
}

/*  --- beginning --------------------------------------------------------  */

/*  What has waited for the longest, of the highest priority.               */
typedef struct {
    int64_t now;
    head_keep_t *keep;
    job_t *job;
    const demand_t *demand;
} choice_t;

static void
s_consider (choice_t *self, head_keep_t *keep, job_t *job, const demand_t *demand)
{
    int64_t wait = keep->wait ? keep->wait : KEEP_AFTER;
    if (keep->node || !keep->since || self->now - keep->since < wait
        || demand->placement == PLACE_GROUP)
        return;
    if (self->keep
        && (job->priority < self->job->priority
            || (job->priority == self->job->priority && keep->since >= self->keep->since)))
        return;
    self->keep = keep;
    self->job = job;
    self->demand = demand;
}

static void
s_consider_all (head_state_t *self, choice_t *choice)
{
    for (list_node_t *at = self->blocked.next; at != &self->blocked; at = at->next) {
        lane_t *lane = container_of (at, lane_t, node);
        s_consider (choice, &lane->keep, lane->job, lane->demand);
    }
    size_t cursor = 0;
    for (job_t *job; self->homeless && (job = id_table_next (&self->jobs, &cursor));) {
        size_t left = ACTORS_MAX;
        for (list_node_t *at = job->homeless.next; at != &job->homeless && left--;
             at = at->next) {
            head_actor_t *actor = container_of (at, head_actor_t, node);
            s_consider (choice, &actor->keep, job, actor->demand);
        }
    }
}

/*  How much of it is in use there by others, of the need that lacks most; -1
    if it fits.                                                             */
static double
s_lack (const head_node_t *node, const demand_t *demand)
{
    double most = -1;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        int64_t lack = need->amount - head_node_free_of (node, need->resource);
        double part = (double) lack / (double) need->amount;
        most = lack > 0 && part > most ? part : most;
    }
    return most;
}

static bool
s_is_named (const head_node_t *node, const demand_t *demand)
{
    if (demand->placement != PLACE_NODE)
        return true;
    return demand->node ? node->process == demand->node
                        : strcmp (node->name, demand->node_name) == 0;
}

/*  The node that lacks the least of what it has in all. NULL if there is none,
    or one where the demand fits: then it waits for something else.         */
static head_node_t *
s_node_for (head_state_t *self, const demand_t *demand)
{
    head_node_t *best = NULL;
    double least = 0;
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        if (node->keep || node->suspect || !head_node_could (node, demand)
            || !s_is_named (node, demand))
            continue;
        double lack = s_lack (node, demand);
        if (lack < 0)
            return NULL;
        if (!best || lack < least) {
            best = node;
            least = lack;
        }
    }
    return best;
}

/*  Half of the nodes, at least one, may be kept.                           */
static bool
s_may_keep (const head_state_t *self)
{
    size_t kept = 0;
    for (const list_node_t *at = self->kept.next; at != &self->kept; at = at->next)
        kept++;
    return kept == 0 || 2 * (kept + 1) <= self->nodes.count;
}

void
head_keep_nodes (head_state_t *self, int64_t now)
{
    choice_t choice = { .now = now };
    s_end_overdue (self, now);
    if (!s_may_keep (self))
        return;
    s_consider_all (self, &choice);
    head_keep_t *keep = choice.keep;
    head_node_t *node = keep ? s_node_for (self, choice.demand) : NULL;
    if (!node) {
        /*  Others get a chance before this one.                            */
        if (keep)
            keep->since = now;
        return;
    }
    keep->job = choice.job;
    keep->demand = choice.demand;
    keep->node = node;
    keep->began = now;
    keep->time = keep->time ? keep->time : KEEP_FIRST;
    keep->until = now + keep->time;
    node->keep = keep;
    list_remove (&node->kept);
    list_append (&self->kept, &node->kept);
    s_place_workers (self, node);
}
