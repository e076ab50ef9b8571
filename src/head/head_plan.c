/*  head_plan.c - the head's state: where the bundles of a group could go

    A plan tells whether a group could ever be placed, and which nodes must be
    kept for it. The largest bundle is given a node first, as the others find
    one more easily; "large" is a demand for much of what the cluster has. No
    other order is tried: packing as well as possible takes for ever.       */

#include "head/head_private.h"

#include <stdlib.h>

/*  --- order ------------------------------------------------------------  */

typedef struct {
    double weight;
    uint16_t index;
} weight_t;

static int
s_compare (const void *left, const void *right)
{
    const weight_t *a = left, *b = right;
    if (a->weight > b->weight || a->weight < b->weight)
        return a->weight > b->weight ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void
s_sort (head_state_t *self, group_t *group)
{
    double all [RESOURCES_MAX] = { 0 };
    weight_t weights [TROUPE_BUNDLES_MAX];
    size_t cursor = 0;
    for (const head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        for (size_t index = 0; index < node->count; index++)
            all [index] += (double) node->total [index];
    for (size_t index = 0; index < group->count; index++) {
        const demand_t *demand = group->bundles [index]->demand;
        weights [index] = (weight_t){ 0, (uint16_t) index };
        for (size_t need = 0; need < demand->count; need++)
            weights [index].weight += (double) demand->needs [need].amount
                                      / (all [demand->needs [need].resource] + 1);
    }
    qsort (weights, group->count, sizeof *weights, s_compare);
    for (size_t index = 0; index < group->count; index++)
        group->order [index] = weights [index].index;
}

/*  --- what would be free -----------------------------------------------  */

static bool
s_has_room (const head_node_t *node, const demand_t *demand, plan_t when)
{
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        uint32_t resource = need->resource;
        if (resource >= node->count)
            return false;
        int64_t room = node->total [resource] - node->planned [resource];
        if (when == PLAN_TASKS_END)
            room -= node->fixed [resource];
        if (room < need->amount)
            return false;
    }
    return true;
}

static void
s_add (head_node_t *node, const demand_t *demand)
{
    node->planned_bundles++;
    for (size_t index = 0; index < demand->count; index++)
        node->planned [demand->needs [index].resource] += demand->needs [index].amount;
}

static void
s_clear (head_node_t *node)
{
    node->planned_bundles = 0;
    memset (node->planned, 0, node->count * sizeof *node->planned);
}

/*  What the group has already stays where it is. It is among what is fixed. */
static void
s_add_placed (const group_t *group, head_node_t *only, plan_t when)
{
    for (size_t index = 0; index < group->count; index++) {
        const bundle_t *bundle = group->bundles [index];
        if (!bundle->node || (only && bundle->node != only))
            continue;
        if (when == PLAN_TASKS_END)
            bundle->node->planned_bundles++;
        else
            s_add (bundle->node, bundle->demand);
    }
}

static bool
s_may_use (const head_node_t *node, plan_t when)
{
    return !node->closed && (when == PLAN_EMPTY || (!node->suspect && !node->keep));
}

/*  How far a node is from having free what is planned there, with the demand;
    of an empty one, how much of it would be left.                          */
static double
s_distance (const head_node_t *node, const demand_t *demand, plan_t when)
{
    double most = 0, least = 1;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        int64_t asked = need->amount + node->planned [need->resource];
        double total = (double) node->total [need->resource];
        double lack = (double) (asked - node->free [need->resource]) / total;
        double left = 1 - (double) asked / total;
        most = lack > most ? lack : most;
        least = left < least ? left : least;
    }
    return when == PLAN_EMPTY ? least : most;
}

/*  --- plans ------------------------------------------------------------  */

/*  Whether a node is better than the best so far: by the strategy; when actors
    have to end, by its turn; by its distance.                              */
typedef struct {
    head_node_t *node;
    bool unwanted;
    int64_t vain;
    double distance;
} best_t;

static void
s_consider (best_t *best, best_t other)
{
    if (best->node) {
        if (other.unwanted != best->unwanted) {
            if (other.unwanted)
                return;
        } else if (other.vain != best->vain) {
            if (other.vain > best->vain)
                return;
        } else if (other.distance >= best->distance)
            return;
    }
    *best = other;
}

static head_node_t *
s_node_for (head_state_t *self, const group_t *group, const demand_t *demand, plan_t when)
{
    best_t best = { .node = NULL };
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        bool used = node->planned_bundles != 0;
        if (!s_may_use (node, when) || !s_has_room (node, demand, when)
            || (used && group->strategy == GROUP_STRICT_SPREAD))
            continue;
        s_consider (&best, (best_t){ node, used != (group->strategy == GROUP_PACK),
                                     when == PLAN_ALL_END ? node->vain : 0,
                                     s_distance (node, demand, when) });
    }
    return best.node;
}

/*  All bundles that have no place, on this node.                           */
static bool
s_plan_on (group_t *group, head_node_t *node, plan_t when)
{
    for (size_t index = 0; index < group->count; index++) {
        bundle_t *bundle = group->bundles [index];
        if (bundle->node)
            continue;
        if (!s_has_room (node, bundle->demand, when))
            return false;
        s_add (node, bundle->demand);
        bundle->plan = node;
    }
    return true;
}

static bool
s_plan_together (head_state_t *self, group_t *group, plan_t when)
{
    best_t best = { .node = NULL };
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        if (!s_may_use (node, when))
            continue;
        if (s_plan_on (group, node, when)) {
            double most = 0;
            for (size_t index = 0; index < node->count; index++) {
                double lack = (double) (node->planned [index] - node->free [index])
                              / (double) (node->total [index] + 1);
                most = lack > most ? lack : most;
            }
            s_consider (&best, (best_t){ node, false, when == PLAN_ALL_END ? node->vain : 0,
                                         most });
        }
        s_clear (node);
        s_add_placed (group, node, when);
    }
    return best.node && s_plan_on (group, best.node, when);
}

static bool
s_plan_each (head_state_t *self, group_t *group, plan_t when)
{
    for (size_t index = 0; index < group->count; index++) {
        bundle_t *bundle = group->bundles [group->order [index]];
        if (bundle->node)
            continue;
        bundle->plan = s_node_for (self, group, bundle->demand, when);
        if (!bundle->plan)
            return false;
        s_add (bundle->plan, bundle->demand);
    }
    return true;
}

bool
head_plan (head_state_t *self, group_t *group, plan_t when)
{
    bool packs = group->strategy == GROUP_PACK || group->strategy == GROUP_STRICT_PACK;
    s_sort (self, group);
    for (size_t index = 0; index < group->count; index++)
        group->bundles [index]->plan = NULL;
    s_add_placed (group, NULL, when);
    bool planned = (packs && s_plan_together (self, group, when))
                   || (group->strategy != GROUP_STRICT_PACK && s_plan_each (self, group, when));
    for (size_t index = 0; index < group->count; index++) {
        const bundle_t *bundle = group->bundles [index];
        if (bundle->node || bundle->plan)
            s_clear (bundle->node ? bundle->node : bundle->plan);
    }
    return planned;
}
