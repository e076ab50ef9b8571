/*  head_groups.c - the head's state: groups of resources that are reserved
    together                                                                */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

group_t *
head_group_of (const head_state_t *self, tid_t id)
{
    return id_table_get (&self->groups, id);
}

/*  --- bundles ----------------------------------------------------------  */

bool
head_bundle_fits (const bundle_t *bundle, const demand_t *demand)
{
    if (!bundle->node || bundle->node->suspect || bundle->node->gone)
        return false;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        bool fits = false;
        for (size_t own = 0; own < bundle->demand->count; own++)
            fits = fits
                   || (bundle->demand->needs [own].resource == need->resource
                       && bundle->free [own] >= need->amount);
        if (!fits)
            return false;
    }
    return true;
}

bundle_t *
head_bundle_for (head_state_t *self, const demand_t *demand, const job_t *job,
                 const head_keep_t *own)
{
    const group_t *group = head_group_of (self, demand->group);
    if (!group || !group->placed)
        return NULL;
    for (size_t index = 0; index < group->count; index++)
        if ((demand->bundle == BUNDLE_ANY || demand->bundle == index)
            && !head_is_kept (group->bundles [index]->keep, job, own)
            && head_bundle_fits (group->bundles [index], demand))
            return group->bundles [index];
    return NULL;
}

/*  Whether the bundle, empty, would do.                                    */
static bool
s_bundle_could (const bundle_t *bundle, const demand_t *demand)
{
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        bool could = false;
        for (size_t own = 0; own < bundle->demand->count; own++)
            could = could
                    || (bundle->demand->needs [own].resource == need->resource
                        && bundle->demand->needs [own].amount >= need->amount);
        if (!could)
            return false;
    }
    return true;
}

/*  How much of it is in use there, of the need that lacks most.            */
static double
s_lack (const bundle_t *bundle, const demand_t *demand)
{
    double most = 0;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        for (size_t own = 0; own < bundle->demand->count; own++) {
            double lack = (double) (need->amount - bundle->free [own]) / (double) need->amount;
            if (bundle->demand->needs [own].resource == need->resource && lack > most)
                most = lack;
        }
    }
    return most;
}

bundle_t *
head_bundle_to_keep (const head_state_t *self, const demand_t *demand)
{
    const group_t *group = head_group_of (self, demand->group);
    bundle_t *best = NULL;
    double least = 0;
    for (size_t index = 0; group && group->placed && index < group->count; index++) {
        bundle_t *bundle = group->bundles [index];
        if ((demand->bundle != BUNDLE_ANY && demand->bundle != index) || bundle->keep
            || bundle->node->suspect || !s_bundle_could (bundle, demand))
            continue;
        if (head_bundle_fits (bundle, demand))
            return NULL;
        double lack = s_lack (bundle, demand);
        if (!best || lack < least) {
            best = bundle;
            least = lack;
        }
    }
    return best;
}

bool
head_group_feasible (head_state_t *self, const demand_t *demand, char *text, size_t size)
{
    char asked [200];
    const group_t *group = head_group_of (self, demand->group);
    for (size_t index = 0; group && index < group->count; index++)
        if ((demand->bundle == BUNDLE_ANY || demand->bundle == index)
            && s_bundle_could (group->bundles [index], demand))
            return true;
    if (text)
        snprintf (text, size,
                  group ? "no such bundle of its group has %s" : "its group has ended",
                  head_demand_text (self, demand, asked, sizeof asked));
    return false;
}

bool
head_group_serves (const head_state_t *self, const head_node_t *node, const demand_t *demand)
{
    const group_t *group = head_group_of (self, demand->group);
    for (size_t index = 0; group && index < group->count; index++)
        if (group->bundles [index]->node == node
            && (demand->bundle == BUNDLE_ANY || demand->bundle == index)
            && s_bundle_could (group->bundles [index], demand))
            return true;
    return false;
}

/*  Adds to what is free; subtracts with a step of -1.                      */
static void
s_change (bundle_t *bundle, const demand_t *demand, int64_t step)
{
    for (size_t index = 0; index < demand->count; index++)
        for (size_t own = 0; own < bundle->demand->count; own++)
            if (bundle->demand->needs [own].resource == demand->needs [index].resource)
                bundle->free [own] += step * demand->needs [index].amount;
}

void
head_bundle_take (bundle_t *bundle, const demand_t *demand)
{
    s_change (bundle, demand, -1);
    bundle->holders++;
}

static void
s_bundle_free (head_state_t *self, bundle_t *bundle)
{
    if (bundle->node)
        head_node_release (self, bundle->node);
    head_demand_release (self, &bundle->demand);
    free (bundle);
}

void
head_bundle_give (head_state_t *self, bundle_t *bundle, const demand_t *demand)
{
    bundle->holders--;
    if (!bundle->ended) {
        s_change (bundle, demand, 1);
        if (bundle->node)
            head_node_freed (self, bundle->node);
        return;
    }
    if (bundle->node)
        head_node_give (self, bundle->node, demand, true);
    if (!bundle->holders)
        s_bundle_free (self, bundle);
}

static bundle_t *
s_bundle_new (head_state_t *self, const options_t *options)
{
    options_t plain = *options;
    plain.placement = PLACE_PACK;
    demand_t *demand = head_demand (self, &plain, self->one_cpu);
    bundle_t *bundle
        = demand ? calloc (1, sizeof *bundle + demand->count * sizeof *bundle->free) : NULL;
    if (!bundle) {
        head_demand_release (self, &demand);
        return NULL;
    }
    bundle->demand = demand;
    return bundle;
}

/*  Gives back what nobody holds; holders give the rest to the node.        */
static void
s_bundle_end (head_state_t *self, bundle_t *bundle)
{
    bundle->ended = true;
    head_keep_lose_bundle (self, bundle);
    for (size_t index = 0; bundle->node && index < bundle->demand->count; index++) {
        uint32_t resource = bundle->demand->needs [index].resource;
        bundle->node->fixed [resource] -= bundle->free [index];
        if (resource == CPUS)
            head_node_give_cpus (self, bundle->node, bundle->free [index]);
        else
            bundle->node->free [resource] += bundle->free [index];
    }
    if (bundle->node)
        head_node_freed (self, bundle->node);
    if (!bundle->holders)
        s_bundle_free (self, bundle);
}

/*  --- placing ----------------------------------------------------------  */

typedef struct {
    const group_t *group;
    const bundle_t *bundle;
    bool used;   /*  a node that has others of the group     */
    bool unused; /*  one that has not                        */
} trial_t;

static bool
s_has_bundle (const group_t *group, const head_node_t *node)
{
    for (size_t index = 0; index < group->count; index++)
        if (group->bundles [index]->node == node)
            return true;
    return false;
}

static bool
s_accept (head_state_t *self, head_node_t *node, void *arg)
{
    const trial_t *trial = arg;
    (void) self;
    if (!head_node_fits (node, trial->bundle->demand)
        || head_is_kept (node->keep, trial->group->job, &trial->group->keep))
        return false;
    return s_has_bundle (trial->group, node) ? trial->used : trial->unused;
}

static head_node_t *
s_search (head_state_t *self, const group_t *group, const bundle_t *bundle, bool used,
          bool unused)
{
    static const demand_t pack = { .placement = PLACE_PACK };
    static const demand_t spread = { .placement = PLACE_SPREAD };
    bool packs = group->strategy == GROUP_PACK || group->strategy == GROUP_STRICT_PACK;
    trial_t trial = { group, bundle, used, unused };
    return head_search (self, packs ? &pack : &spread, false, s_accept, &trial);
}

static void
s_reserve (head_state_t *self, bundle_t *bundle, head_node_t *node)
{
    bundle->node = node;
    node->references++;
    for (size_t index = 0; index < bundle->demand->count; index++)
        bundle->free [index] = bundle->demand->needs [index].amount;
    head_node_take (self, node, bundle->demand, true);
}

static void
s_unreserve (head_state_t *self, bundle_t *bundle)
{
    head_node_t *node = bundle->node;
    bundle->node = NULL;
    head_node_give (self, node, bundle->demand, true);
    head_node_release (self, node);
}

/*  The node for one bundle, by the strategy.                               */
static head_node_t *
s_node_for (head_state_t *self, const group_t *group, const bundle_t *bundle)
{
    if (group->strategy == GROUP_STRICT_SPREAD)
        return s_search (self, group, bundle, false, true);
    bool packs = group->strategy == GROUP_PACK;
    head_node_t *node = s_search (self, group, bundle, packs, !packs);
    return node ? node : s_search (self, group, bundle, true, true);
}

/*  Where a bundle is to go: to a node, by the plan, or by the strategy.    */
typedef struct {
    head_node_t *only;          /*  or NULL                                 */
    bool planned;
} way_t;

static head_node_t *
s_node_by (head_state_t *self, const group_t *group, const bundle_t *bundle, way_t way)
{
    head_node_t *node = way.only ? way.only : bundle->plan;
    if (!way.only && !way.planned)
        return s_node_for (self, group, bundle);
    return head_node_fits (node, bundle->demand) ? node : NULL;
}

/*  Reserves those that have no place, all or none.                         */
static bool
s_place_by (head_state_t *self, group_t *group, const bool *placed, way_t way)
{
    for (size_t count = 0; count < group->count; count++) {
        size_t index = group->order [count];
        if (placed [index])
            continue;
        head_node_t *node = s_node_by (self, group, group->bundles [index], way);
        if (node) {
            s_reserve (self, group->bundles [index], node);
            continue;
        }
        while (count--)
            if (!placed [group->order [count]])
                s_unreserve (self, group->bundles [group->order [count]]);
        return false;
    }
    return true;
}

/*  The nodes are tried as the first bundle would try them.                 */
typedef struct {
    group_t *group;
    const bool *placed;
} together_t;

static bool
s_accept_all (head_state_t *self, head_node_t *node, void *arg)
{
    together_t *together = arg;
    return !node->suspect && !node->closed
           && !head_is_kept (node->keep, together->group->job, &together->group->keep)
           && s_place_by (self, together->group, together->placed, (way_t){ .only = node });
}

static bool
s_place_together (head_state_t *self, group_t *group, const bool *placed)
{
    static const demand_t pack = { .placement = PLACE_PACK };
    together_t together = { group, placed };
    return head_search (self, &pack, false, s_accept_all, &together) != NULL;
}

/*  All bundles or none.                                                    */
static bool
s_place (head_state_t *self, group_t *group)
{
    bool placed [TROUPE_BUNDLES_MAX];
    for (size_t index = 0; index < group->count; index++)
        placed [index] = group->bundles [index]->node != NULL;
    if (list_linked (&group->keep.node)
        && s_place_by (self, group, placed, (way_t){ .planned = true }))
        return true;
    if (group->strategy == GROUP_STRICT_PACK)
        return s_place_together (self, group, placed);
    if (group->strategy == GROUP_PACK && s_place_together (self, group, placed))
        return true;
    return s_place_by (self, group, placed, (way_t){ .only = NULL });
}

/*  If it was searched for in vain, one of its bundles must go where something
    has become free since.                                                  */
static bool
s_may_fit (const head_state_t *self, const group_t *group)
{
    for (size_t index = 0; group->searched && index < group->count; index++)
        if (!group->bundles [index]->node
            && head_freed_fits (self, group->bundles [index]->demand))
            return true;
    return !group->searched;
}

static bool
s_try (head_state_t *self, group_t *group)
{
    if (!s_may_fit (self, group))
        return false;
    group->searched = !s_place (self, group);
    if (group->searched) {
        head_keep_begin (self, &group->keep);
        return false;
    }
    group->placed = true;
    group->unfit = 0;
    head_keep_end (self, &group->keep);
    list_remove (&group->pending);
    for (size_t index = 0; index < group->count; index++)
        head_node_freed (self, group->bundles [index]->node);
    if (head_peer (self, group->id.owner))
        head_act (self, HEAD_PLACED, group->id.owner)->id = group->id;
    return true;
}

void
head_place_groups (head_state_t *self, int64_t now)
{
    (void) now;
    for (list_node_t *at = self->pending_groups.next, *next; at != &self->pending_groups;
         at = next) {
        next = at->next;
        s_try (self, container_of (at, group_t, pending));
    }
}

/*  --- life -------------------------------------------------------------  */

/*  Whether the group might be placed if nothing else ran; only what nodes there
    are can change it.                                                      */
static void
s_judge (head_state_t *self, group_t *group)
{
    if (group->judged != self->shapes)
        group->fits = head_plan (self, group, PLAN_EMPTY);
    group->judged = self->shapes;
}

void
head_group_free (head_state_t *self, group_t *group)
{
    list_remove (&group->pending);
    head_keep_end (self, &group->keep);
    for (size_t index = 0; index < group->count; index++)
        if (group->bundles [index])
            s_bundle_end (self, group->bundles [index]);
    free (group);
}

void
head_group (head_state_t *self, int64_t now, tid_t id, group_strategy_t strategy,
            const options_t *bundles, size_t count)
{
    const head_peer_t *owner = head_peer (self, id.owner);
    self->now = now;
    if (!owner || !owner->job || head_group_of (self, id))
        return;
    if (!head_may_begin (self, id.owner)) {
        head_act_fault (self, id, TROUPE_ESTOPPED, "a group: %s", head_is_ending);
        return;
    }
    if (count == 0 || count > TROUPE_BUNDLES_MAX || strategy > GROUP_STRICT_SPREAD) {
        head_act_fault (self, id, TROUPE_EINVAL, "a group has 1 to %d bundles",
                        TROUPE_BUNDLES_MAX);
        return;
    }
    group_t *group = calloc (1, sizeof *group
                                    + count * (sizeof *group->bundles + sizeof *group->order));
    bool made = group != NULL;
    if (made)
        group->order = (uint16_t *) (void *) (group->bundles + count);
    for (size_t index = 0; made && index < count; index++) {
        group->bundles [index] = s_bundle_new (self, &bundles [index]);
        made = group->bundles [index] != NULL;
        group->count += made;
    }
    if (!made || id_table_put (&self->groups, id, group)) {
        if (group)
            head_group_free (self, group);
        head_act_fault (self, id, TROUPE_ENOMEM, "the head has no memory for a group");
        return;
    }
    group->id = id;
    group->job = owner->job;
    group->strategy = strategy;
    list_append (&self->pending_groups, &group->pending);
    s_judge (self, group);
    s_try (self, group);
}

/*  Fails the tasks that wait for a place in a group that is no more.       */
static void
s_fail_waiting (head_state_t *self, tid_t id, const char *text)
{
    size_t jobs = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &jobs));) {
        size_t lanes = 0;
        for (lane_t *lane; (lane = id_table_next (&job->lane_table, &lanes));) {
            if (!lane->ready || lane->demand->placement != PLACE_GROUP
                || !tid_equal (lane->demand->group, id))
                continue;
            head_fail_lane (self, lane, TROUPE_EENDED, text);
            lanes = 0;
        }
    }
}

static void
s_end (head_state_t *self, group_t *group, const char *text)
{
    id_table_remove (&self->groups, group->id);
    s_fail_waiting (self, group->id, text);
    head_end_actors (self, NULL, group);
    head_group_free (self, group);
}

void
head_group_end (head_state_t *self, tid_t id)
{
    group_t *group = head_group_of (self, id);
    if (group)
        s_end (self, group, "its group has ended");
}

void
head_fail_pending_groups (head_state_t *self)
{
    for (list_node_t *at = self->pending_groups.next, *next; at != &self->pending_groups;
         at = next) {
        group_t *group = container_of (at, group_t, pending);
        next = at->next;
        if (head_may_begin (self, group->id.owner))
            continue;
        head_act_fault (self, group->id, TROUPE_ESTOPPED, "a group: %s", head_is_ending);
        s_end (self, group, head_is_ending);
    }
}

void
head_lose_groups (head_state_t *self, process_t owner)
{
    size_t cursor = 0;
    for (group_t *group; (group = id_table_next (&self->groups, &cursor));) {
        if (group->id.owner != owner)
            continue;
        s_end (self, group, "the owner of its group has ended");
        cursor = 0;
    }
}

/*  What was reserved there is reserved anew elsewhere; the other bundles
    stay where they are.                                                    */
void
head_lose_bundles (head_state_t *self, const head_node_t *node)
{
    size_t cursor = 0;
    for (group_t *group; (group = id_table_next (&self->groups, &cursor));)
        for (size_t index = 0; index < group->count; index++) {
            bundle_t *bundle = group->bundles [index];
            if (bundle->node != node)
                continue;
            bundle_t *fresh
                = calloc (1, sizeof *fresh + bundle->demand->count * sizeof *fresh->free);
            if (!fresh) {
                self->failed = true;
                return;
            }
            fresh->demand = head_demand_keep (bundle->demand);
            group->bundles [index] = fresh;
            group->placed = group->searched = false;
            group->judged = 0;
            head_keep_end (self, &group->keep);
            if (!list_linked (&group->pending))
                list_append (&self->pending_groups, &group->pending);
            s_bundle_end (self, bundle);
        }
}

/*  Tells the owner why: a bundle that fits nowhere, or all of them.        */
static void
s_say_unfit (head_state_t *self, const group_t *group)
{
    static const char *const names [] = { "pack", "spread", "strict_pack", "strict_spread" };
    char text [200];
    for (size_t index = 0; index < group->count; index++) {
        const bundle_t *bundle = group->bundles [index];
        if (bundle->node || head_feasible (self, bundle->demand, text, sizeof text))
            continue;
        head_act_fault (self, group->id, TROUPE_ELIMIT, "bundle %zu of a group: %s",
                        index + 1, text);
        return;
    }
    head_act_fault (self, group->id, TROUPE_ELIMIT,
                    "a group of %zu bundles (%s, the first with %s) never fits the nodes",
                    group->count, names [group->strategy],
                    head_demand_text (self, group->bundles [0]->demand, text, sizeof text));
}

void
head_fail_groups (head_state_t *self, int64_t now)
{
    for (list_node_t *at = self->pending_groups.next, *next; at != &self->pending_groups;
         at = next) {
        group_t *group = container_of (at, group_t, pending);
        next = at->next;
        s_judge (self, group);
        if (group->fits)
            group->unfit = 0;
        else if (!group->unfit)
            group->unfit = now;
        else if (now - group->unfit >= self->settings.grace) {
            s_say_unfit (self, group);
            s_end (self, group, "its group never fits the nodes");
        }
    }
}
