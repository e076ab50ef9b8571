/*  head_nodes.c - the head's state: nodes, what is free there, and the search
    for one                                                                 */

#include "head/head_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*  --- life -------------------------------------------------------------  */

head_node_t *
head_node (const head_state_t *self, process_t process)
{
    return process ? id_table_get (&self->nodes, head_key (process)) : self->local;
}

static int
s_make_amounts (head_node_t *node, size_t count)
{
    node->total = calloc (4 * count, sizeof *node->total);
    if (!node->total)
        return -1;
    node->free = node->total + count;
    node->fixed = node->free + count;
    node->planned = node->fixed + count;
    node->count = count;
    return 0;
}

head_node_t *
head_node_new (head_state_t *self, process_t process, const char *name)
{
    head_node_t *node = calloc (1, sizeof *node);
    if (!node)
        return NULL;
    node->process = process;
    node->number = ++self->node_numbers;
    list_init (&node->workers);
    list_init (&node->warm);
    list_init (&node->starved);
    list_init (&node->owing);
    list_init (&node->pools);
    list_init (&node->near);
    node->name = strdup (name);
    if (!node->name || s_make_amounts (node, self->resource_count)
        || id_table_put (&self->nodes, head_key (process), node)
        || name_table_put (&self->node_names, name, strlen (name), node)) {
        id_table_remove (&self->nodes, head_key (process));
        free (node->name);
        free (node->total);
        free (node);
        return NULL;
    }
    list_append (&self->buckets [0], &node->bucket);
    return node;
}

void
head_node_free (head_state_t *self, head_node_t *node)
{
    while (!list_empty (&node->pools))
        head_pool_free (self, container_of (node->pools.next, pool_t, of_node));
    list_remove (&node->bucket);
    list_remove (&node->stale);
    list_remove (&node->freed);
    head_keep_lose (self, node);
    free (node->waits);
    free (node->name);
    free (node->total);
    free (node);
}

void
head_node_release (head_state_t *self, head_node_t *node)
{
    node->references--;
    if (node->gone && !node->references)
        head_node_free (self, node);
}

bool
head_has_node (const head_state_t *self, const char *name)
{
    return name_table_get (&self->node_names, name, strlen (name)) != NULL;
}

int
head_node_join (head_state_t *self, int64_t now, process_t process, const char *name,
                const resource_t *resources, size_t count)
{
    head_peer_t *peer = head_peer (self, process);
    self->now = now;
    if (!peer || peer->role != ROLE_NODE || peer->on || head_has_node (self, name))
        return -1;
    uint32_t numbers [RESOURCES_MAX];
    for (size_t index = 0; index < count && index < RESOURCES_MAX; index++) {
        numbers [index]
            = head_resource (self, resources [index].name, resources [index].length);
        if (numbers [index] == UINT32_MAX)
            return -1;
    }
    head_node_t *node = head_node_new (self, process, name);
    if (!node)
        return -1;
    for (size_t index = 0; index < count && index < RESOURCES_MAX; index++) {
        int64_t amount = resources [index].amount;
        amount = amount < 0 ? 0 : amount > RESOURCE_AMOUNT_MAX ? RESOURCE_AMOUNT_MAX : amount;
        node->total [numbers [index]] = node->free [numbers [index]] = amount;
    }
    peer->on = node;
    self->rooms++;
    self->shapes++;
    node->references++;
    head_node_freed (self, node);
    return 0;
}

/*  Its workers are as good as dead.                                        */
void
head_node_lost (head_state_t *self, head_node_t *node, const char *cause)
{
    char text [FAULT_TEXT_MAX];
    if (node->leaving)
        snprintf (text, sizeof text, "its node was stopped");
    else
        snprintf (text, sizeof text, "its node %s: %s", node->name, cause);
    id_table_remove (&self->nodes, head_key (node->process));
    name_table_remove (&self->node_names, node->name, strlen (node->name));
    list_remove (&node->bucket);
    list_remove (&node->stale);
    list_remove (&node->freed);
    while (list_pop (&node->near)) {
        /*  They run anywhere.                                              */
    }
    head_keep_lose (self, node);
    node->gone = true;
    node->suspect = true;
    self->shapes++;
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_node);
        head_place (self, peer);
        head_act_drop (self, peer->process, text);
    }
    for (list_node_t *at = node->pools.next, *next; at != &node->pools; at = next) {
        pool_t *pool = container_of (at, pool_t, of_node);
        job_t *job = pool->job;
        next = at->next;
        job->starting -= pool->starting;
        pool->starting = 0;
        job->searched = false;
        head_want (self, job);
        head_job_check (self, job);
    }
    node->starting = 0;
    head_lose_bundles (self, node);
    size_t cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        head_doubt (self, job);
    head_node_release (self, node);
}

void
head_node_suspect (head_state_t *self, head_node_t *node, bool suspect)
{
    if (node->suspect == suspect)
        return;
    node->suspect = suspect;
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next)
        head_place (self, container_of (at, head_peer_t, of_node));
    if (suspect)
        return;
    self->rooms++;
    head_node_freed (self, node);
}

/*  --- what is free -----------------------------------------------------  */

static bool
s_enough (const int64_t *amounts, size_t count, const demand_t *demand)
{
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        if (need->resource >= count || amounts [need->resource] < need->amount)
            return false;
    }
    return true;
}

bool
head_node_fits (const head_node_t *node, const demand_t *demand)
{
    return !node->suspect && !node->closed && s_enough (node->free, node->count, demand);
}

bool
head_node_could (const head_node_t *node, const demand_t *demand)
{
    return !node->closed && s_enough (node->total, node->count, demand);
}

static bool
s_is_named (const head_node_t *node, const demand_t *demand)
{
    return demand->node ? node->process == demand->node
                        : strcmp (node->name, demand->node_name) == 0;
}

bool
head_node_serves (const head_state_t *self, const head_node_t *node, const demand_t *demand)
{
    if (demand->placement == PLACE_GROUP)
        return head_group_serves (self, node, demand);
    return head_node_could (node, demand)
           && (demand->placement != PLACE_NODE || s_is_named (node, demand));
}

bool
head_node_would (const head_node_t *node, const demand_t *demand)
{
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        uint32_t resource = need->resource;
        if (resource >= node->count
            || node->total [resource] - node->fixed [resource] < need->amount)
            return false;
    }
    return !node->closed;
}

bool
head_freed_fits (const head_state_t *self, const demand_t *demand)
{
    for (const list_node_t *at = self->freed.next; at != &self->freed; at = at->next)
        if (head_node_fits (container_of (at, head_node_t, freed), demand))
            return true;
    return false;
}

size_t
head_node_times (const head_node_t *node, const demand_t *demand)
{
    int64_t times = START_MAX;
    if (node->suspect || node->closed)
        return 0;
    for (size_t index = 0; index < demand->count; index++) {
        int64_t fit = head_node_free_of (node, demand->needs [index].resource)
                      / demand->needs [index].amount;
        times = fit < times ? fit : times;
    }
    return (size_t) times;
}

static void
s_changed (head_state_t *self, head_node_t *node)
{
    if (!node->gone && !list_linked (&node->stale))
        list_append (&self->stale, &node->stale);
}

void
head_node_freed (head_state_t *self, head_node_t *node)
{
    if (!node->gone && !list_linked (&node->freed))
        list_append (&self->freed, &node->freed);
}

void
head_node_take_cpus (head_state_t *self, head_node_t *node, int64_t amount)
{
    node->free [CPUS] -= amount;
    s_changed (self, node);
}

/*  Those who run more than they hold cpus for come first.                  */
static void
s_pay_debts (head_state_t *self, head_node_t *node)
{
    while (node->free [CPUS] > 0 && !list_empty (&node->owing)) {
        head_peer_t *peer = container_of (list_pop (&node->owing), head_peer_t, owing);
        head_place (self, peer);
    }
}

void
head_node_give_cpus (head_state_t *self, head_node_t *node, int64_t amount)
{
    node->free [CPUS] += amount;
    s_changed (self, node);
    s_pay_debts (self, node);
    if (node->free [CPUS] <= 0)
        return;
    head_node_freed (self, node);
    if (node->free [CPUS] < RESOURCE_UNIT || list_empty (&node->starved))
        return;
    list_t starved = node->starved;
    starved.next->prev = starved.prev->next = &starved;
    list_init (&node->starved);
    while (!list_empty (&starved)) {
        head_peer_t *peer = container_of (list_pop (&starved), head_peer_t, node);
        head_place (self, peer);
    }
}

void
head_node_take (head_state_t *self, head_node_t *node, const demand_t *demand, bool cpus)
{
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        if (cpus)
            node->fixed [need->resource] += need->amount;
        if (cpus || need->resource != CPUS)
            node->free [need->resource] -= need->amount;
    }
    s_changed (self, node);
}

void
head_node_give (head_state_t *self, head_node_t *node, const demand_t *demand, bool cpus)
{
    int64_t back = 0;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        if (cpus)
            node->fixed [need->resource] -= need->amount;
        if (need->resource == CPUS)
            back = cpus ? need->amount : 0;
        else
            node->free [need->resource] += need->amount;
    }
    head_node_freed (self, node);
    head_node_give_cpus (self, node, back);
}

/*  --- the search -------------------------------------------------------  */

/*  The share in use of what is used most, as a bucket.                     */
static size_t
s_bucket (const head_node_t *node)
{
    double most = 0;
    for (size_t index = 0; index < node->count; index++) {
        if (node->total [index] <= 0)
            continue;
        double used = 1 - (double) node->free [index] / (double) node->total [index];
        most = used > most ? used : most;
    }
    size_t bucket = (size_t) (most * (BUCKETS - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static void
s_sort (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->stale));) {
        head_node_t *node = container_of (at, head_node_t, stale);
        list_remove (&node->bucket);
        list_append (&self->buckets [s_bucket (node)], &node->bucket);
    }
}

typedef struct {
    head_state_t *self;
    head_accept_t *accept;
    void *arg;
    const head_node_t *tried;
} search_t;

static head_node_t *
s_search_bucket (search_t *search, size_t bucket)
{
    list_t *list = &search->self->buckets [bucket];
    for (list_node_t *at = list->next, *next; at != list; at = next) {
        head_node_t *node = container_of (at, head_node_t, bucket);
        next = at->next;
        if (node != search->tried && search->accept (search->self, node, search->arg))
            return node;
    }
    return NULL;
}

/*  The fullest of those that are not half full, then the emptiest.         */
static head_node_t *
s_search_pack (search_t *search)
{
    head_node_t *node = NULL;
    for (size_t bucket = BUCKET_HALF; bucket-- && !node;)
        node = s_search_bucket (search, bucket);
    for (size_t bucket = BUCKET_HALF; bucket < BUCKETS && !node; bucket++)
        node = s_search_bucket (search, bucket);
    return node;
}

static head_node_t *
s_search_spread (search_t *search)
{
    head_node_t *node = NULL;
    for (size_t bucket = 0; bucket < BUCKETS && !node; bucket++)
        node = s_search_bucket (search, bucket);
    return node;
}

static head_node_t *
s_named_node (const head_state_t *self, const demand_t *demand)
{
    if (demand->node)
        return id_table_get (&self->nodes, head_key (demand->node));
    return name_table_get (&self->node_names, demand->node_name, strlen (demand->node_name));
}

static head_node_t *
s_search_freed (search_t *search)
{
    list_t *list = &search->self->freed;
    for (list_node_t *at = list->next, *next; at != list; at = next) {
        head_node_t *node = container_of (at, head_node_t, freed);
        next = at->next;
        if (search->accept (search->self, node, search->arg))
            return node;
    }
    return NULL;
}

head_node_t *
head_search (head_state_t *self, const demand_t *demand, bool freed_only, head_accept_t *accept,
             void *arg)
{
    search_t search = { self, accept, arg, NULL };
    if (demand->placement == PLACE_NODE || demand->placement == PLACE_NODE_SOFT) {
        head_node_t *node = s_named_node (self, demand);
        if (node && accept (self, node, arg))
            return node;
        if (demand->placement == PLACE_NODE)
            return NULL;
        search.tried = node;
    }
    if (freed_only)
        return s_search_freed (&search);
    s_sort (self);
    return demand->placement == PLACE_SPREAD ? s_search_spread (&search)
                                             : s_search_pack (&search);
}

/*  --- what no node has -------------------------------------------------  */

/*  The node that has the most of a resource, or NULL.                      */
static const head_node_t *
s_richest (const head_state_t *self, uint32_t resource)
{
    const head_node_t *best = NULL;
    size_t cursor = 0;
    for (const head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        int64_t amount = resource < node->count ? node->total [resource] : 0;
        if (!node->closed && amount > (best ? best->total [resource] : 0))
            best = node;
    }
    return best;
}

static void
s_say_what_lacks (const head_state_t *self, const demand_t *demand, char *text, size_t size)
{
    char asked [200];
    head_demand_text (self, demand, asked, sizeof asked);
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        const head_node_t *best = s_richest (self, need->resource);
        int64_t most = best ? best->total [need->resource] : 0;
        if (most >= need->amount)
            continue;
        snprintf (text, size, "no node has %s: the most is %s %.10g%s%s%s", asked,
                  self->resources [need->resource], (double) most / (double) RESOURCE_UNIT,
                  best && *best->name ? " (node " : "", best ? best->name : "",
                  best && *best->name ? ")" : "");
        return;
    }
    snprintf (text, size, "no single node has %s", asked);
}

bool
head_feasible (head_state_t *self, const demand_t *demand, char *text, size_t size)
{
    if (demand->placement == PLACE_GROUP)
        return head_group_feasible (self, demand, text, size);
    if (demand->placement == PLACE_NODE) {
        char asked [200], name [32];
        const head_node_t *node = s_named_node (self, demand);
        if (node && head_node_could (node, demand))
            return true;
        snprintf (name, sizeof name, "%" PRIx64, demand->node);
        snprintf (text, size, "node %s %s%s", demand->node_name [0] ? demand->node_name : name,
                  !node            ? "is not in the cluster"
                  : node->closed ? "is being drained"
                                   : "never has ",
                  node && !node->closed ? head_demand_text (self, demand, asked, sizeof asked)
                                          : "");
        return false;
    }
    size_t cursor = 0;
    for (const head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        if (head_node_could (node, demand))
            return true;
    s_say_what_lacks (self, demand, text, size);
    return false;
}
