/*  head_keeps.c - the head's state: what is kept for those who have waited long

    A large demand finds no node as long as small ones take whatever becomes
    free, a group of resources does not find all of its nodes, and a large
    demand in a bundle waits behind small ones there. So what has waited for a
    while gets a node kept, a group all that it needs at once, and a demand in
    a bundle that bundle: nothing else of its priority, or of a lower one,
    begins there until it has begun. What runs there may take long, and its
    end is not known: after a time all of it is everybody's again for as long
    as it was kept, and the next time is longer. So no more than half of a
    node's time is lost, and whatever ends at all makes room. As a group gets
    all or nothing, no two wait for what the other has.                     */

#include "head/head_private.h"

/*  What has waited so long gets its place kept; for so long the first time, at
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

/*  The workers are placed anew at the end of the turn: somebody may be in the
    middle of something with them.                                          */
static void
s_let_go (head_state_t *self, head_keep_t *keep)
{
    list_remove (&keep->node);
    for (list_node_t *at; (at = list_pop (&keep->nodes));) {
        container_of (at, head_node_t, kept)->keep = NULL;
        list_append (&self->unkept, at);
        self->kept--;
    }
    if (keep->bundle) {
        keep->bundle->keep = NULL;
        list_append (&self->unkept_bundles, &keep->bundle->unkept);
    }
    keep->bundle = NULL;
}

void
head_keep_end (head_state_t *self, head_keep_t *keep)
{
    if (list_linked (&keep->node))
        s_let_go (self, keep);
    *keep = (head_keep_t){ .since = 0 };
}

void
head_keep_lose (head_state_t *self, head_node_t *node)
{
    if (node->keep)
        s_let_go (self, node->keep);
    list_remove (&node->kept);
}

void
head_keep_lose_bundle (head_state_t *self, bundle_t *bundle)
{
    if (bundle->keep)
        s_let_go (self, bundle->keep);
    list_remove (&bundle->unkept);
}

static void
s_place_workers (head_state_t *self, head_node_t *node)
{
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next)
        head_place (self, container_of (at, head_peer_t, of_node));
}

void
head_open_places (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->unkept));) {
        head_node_t *node = container_of (at, head_node_t, kept);
        s_place_workers (self, node);
        self->rooms++;
        head_node_freed (self, node);
    }
    for (list_node_t *at; (at = list_pop (&self->unkept_bundles));)
        head_node_freed (self, container_of (at, bundle_t, unkept)->node);
}

/*  --- ending -----------------------------------------------------------  */

/*  Whether there is nothing to be hoped for: a node is suspect, or closed.  */
static bool
s_is_lost (const head_keep_t *keep)
{
    if (keep->bundle)
        return keep->bundle->node->suspect;
    for (const list_node_t *at = keep->nodes.next; at != &keep->nodes; at = at->next) {
        const head_node_t *node = container_of (at, head_node_t, kept);
        if (node->suspect || node->closed)
            return true;
    }
    return false;
}

/*  A group that fits has its place already.                                */
static bool
s_fits (const head_keep_t *keep)
{
    if (keep->bundle)
        return head_bundle_fits (keep->bundle, keep->demand);
    return keep->demand
           && head_node_fits (container_of (keep->nodes.next, head_node_t, kept), keep->demand);
}

static void
s_end_overdue (head_state_t *self, int64_t now)
{
    for (list_node_t *at = self->keeps.next, *next; at != &self->keeps; at = next) {
        head_keep_t *keep = container_of (at, head_keep_t, node);
        next = at->next;
        if (keep->until > now + KEEP_FITTING && s_fits (keep))
            keep->until = now + KEEP_FITTING;
        if (now < keep->until && !s_is_lost (keep))
            continue;
        for (list_node_t *on = keep->nodes.next; on != &keep->nodes; on = on->next)
            container_of (on, head_node_t, kept)->vain = now;
        s_let_go (self, keep);
        keep->wait = now - keep->began;
        keep->since = now;
        keep->time = keep->time < KEEP_MAX / 2 ? keep->time * 2 : KEEP_MAX;
    }
}

/*  --- beginning --------------------------------------------------------  */

/*  What has waited for the longest, of the highest priority.               */
typedef struct {
    head_keep_t *keep;
    job_t *job;
    const demand_t *demand;     /*  NULL: of a group                        */
    group_t *group;
} choice_t;

typedef struct {
    int64_t now;
    choice_t nodes;
    choice_t bundles;           /*  demands in them                         */
} choices_t;

static void
s_consider (choices_t *self, head_keep_t *keep, job_t *job, const demand_t *demand,
            group_t *group)
{
    int64_t wait = keep && keep->wait ? keep->wait : KEEP_AFTER;
    choice_t *choice
        = demand && demand->placement == PLACE_GROUP ? &self->bundles : &self->nodes;
    if (!keep || list_linked (&keep->node) || !keep->since || self->now - keep->since < wait)
        return;
    if (choice->keep
        && (job->priority < choice->job->priority
            || (job->priority == choice->job->priority && keep->since >= choice->keep->since)))
        return;
    *choice = (choice_t){ keep, job, demand, group };
}

static void
s_consider_all (head_state_t *self, choices_t *choices)
{
    for (list_node_t *at = self->blocked.next; at != &self->blocked; at = at->next) {
        lane_t *lane = container_of (at, lane_t, node);
        s_consider (choices, &lane->keep, lane->job, lane->demand, NULL);
    }
    size_t cursor = 0;
    for (job_t *job; self->homeless && (job = id_table_next (&self->jobs, &cursor));) {
        size_t left = ACTORS_MAX;
        for (list_node_t *at = job->homeless.next; at != &job->homeless && left--;
             at = at->next) {
            head_actor_t *actor = container_of (at, head_actor_t, node);
            s_consider (choices, actor->keep, job, actor->demand, NULL);
        }
    }
    for (list_node_t *at = self->pending_groups.next; at != &self->pending_groups;
         at = at->next) {
        group_t *group = container_of (at, group_t, pending);
        s_consider (choices, &group->keep, group->job, NULL, group);
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

/*  The node that lacks the least of what it has in all, where tasks have to
    end; else, where actors or groups have to end too, which they may never do,
    each in turn. NULL if there is none, or one where the demand fits: then it
    waits for something else.                                               */
static head_node_t *
s_node_for (head_state_t *self, const demand_t *demand)
{
    head_node_t *best = NULL;
    double least = 0;
    int64_t vain = 0;
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        if (node->keep || node->suspect || !head_node_serves (self, node, demand))
            continue;
        double lack = s_lack (node, demand);
        if (lack < 0)
            return NULL;
        int64_t turn = head_node_would (node, demand) ? -1 : node->vain;
        if (!best || turn < vain || (turn == vain && lack < least)) {
            best = node;
            least = lack;
            vain = turn;
        }
    }
    return best;
}

/*  Half of the nodes may be kept, or what one needs.                       */
static bool
s_may_keep (const head_state_t *self, size_t more)
{
    return self->kept == 0 || 2 * (self->kept + more) <= self->nodes.count;
}

static void
s_begin (head_state_t *self, const choice_t *choice, int64_t now)
{
    head_keep_t *keep = choice->keep;
    keep->job = choice->job;
    keep->demand = choice->demand;
    keep->began = now;
    keep->time = keep->time ? keep->time : KEEP_FIRST;
    keep->until = now + keep->time;
    list_init (&keep->nodes);
    list_append (&self->keeps, &keep->node);
}

static void
s_keep_node (head_state_t *self, head_keep_t *keep, head_node_t *node)
{
    if (node->keep == keep)
        return;
    node->keep = keep;
    self->kept++;
    list_remove (&node->kept);
    list_append (&keep->nodes, &node->kept);
    s_place_workers (self, node);
}

/*  The nodes of the plan that was made.                                    */
static size_t
s_count_planned (const group_t *group)
{
    size_t count = 0;
    for (size_t index = 0; index < group->count; index++) {
        const head_node_t *node = group->bundles [index]->plan;
        bool again = group->bundles [index]->node;
        for (size_t before = 0; before < index && !again; before++)
            again = !group->bundles [before]->node && group->bundles [before]->plan == node;
        count += !again;
    }
    return count;
}

/*  While others have nodes kept that it needs, nothing more is kept for those
    who came later, or it would never get all of its own.                   */
static bool
s_keep_for_group (head_state_t *self, const choice_t *choice, int64_t now)
{
    group_t *group = choice->group;
    bool planned = head_plan (self, group, PLAN_TASKS_END)
                   || head_plan (self, group, PLAN_ALL_END);
    if (!planned || !s_may_keep (self, s_count_planned (group)))
        return self->kept && group->fits;
    s_begin (self, choice, now);
    for (size_t index = 0; index < group->count; index++)
        if (!group->bundles [index]->node)
            s_keep_node (self, choice->keep, group->bundles [index]->plan);
    group->searched = false;
    return true;
}

static bool
s_keep_for_demand (head_state_t *self, const choice_t *choice, int64_t now)
{
    if (!s_may_keep (self, 1))
        return true;
    head_node_t *node = s_node_for (self, choice->demand);
    if (!node)
        return false;
    s_begin (self, choice, now);
    s_keep_node (self, choice->keep, node);
    return true;
}

static bool
s_keep_bundle (head_state_t *self, const choice_t *choice, int64_t now)
{
    bundle_t *bundle = head_bundle_to_keep (self, choice->demand);
    if (!bundle)
        return false;
    s_begin (self, choice, now);
    choice->keep->bundle = bundle;
    bundle->keep = choice->keep;
    list_remove (&bundle->unkept);
    return true;
}

/*  For whom nothing can be kept others get a chance before.                */
void
head_keep_places (head_state_t *self, int64_t now)
{
    choices_t choices = { .now = now };
    const choice_t *nodes = &choices.nodes, *bundles = &choices.bundles;
    s_end_overdue (self, now);
    s_consider_all (self, &choices);
    if (nodes->keep
        && !(nodes->group ? s_keep_for_group (self, nodes, now)
                          : s_keep_for_demand (self, nodes, now)))
        nodes->keep->since = now;
    if (bundles->keep && !s_keep_bundle (self, bundles, now))
        bundles->keep->since = now;
}
