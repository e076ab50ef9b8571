/*  head_resources.c - the head's state: names of resources, and what tasks,
    actors and bundles ask for                                              */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

/*  --- names ------------------------------------------------------------  */

uint32_t
head_resource (head_state_t *self, const char *name, size_t length)
{
    for (size_t index = 0; index < self->resource_count; index++)
        if (strlen (self->resources [index]) == length
            && memcmp (self->resources [index], name, length) == 0)
            return (uint32_t) index;
    if (self->resource_count == RESOURCES_MAX)
        return UINT32_MAX;
    char **grown = realloc (self->resources, (self->resource_count + 1) * sizeof *grown);
    if (!grown)
        return UINT32_MAX;
    self->resources = grown;
    grown [self->resource_count] = bytes_text (name, length);
    if (!grown [self->resource_count])
        return UINT32_MAX;
    return (uint32_t) self->resource_count++;
}

int
head_resources_init (head_state_t *self)
{
    static const options_t one_cpu = { .flags = OPTIONS_RESOURCES,
                                       .bundle = BUNDLE_ANY,
                                       .count = 1,
                                       .resources = { { RESOURCE_CPUS, 4, RESOURCE_UNIT } } };
    static const options_t nothing = { .flags = OPTIONS_RESOURCES, .bundle = BUNDLE_ANY };
    if (head_resource (self, RESOURCE_CPUS, strlen (RESOURCE_CPUS)) != CPUS
        || head_resource (self, RESOURCE_MEMORY, strlen (RESOURCE_MEMORY)) != MEMORY
        || head_resource (self, RESOURCE_GPUS, strlen (RESOURCE_GPUS)) != GPUS)
        return -1;
    self->one_cpu = head_demand (self, &one_cpu, NULL);
    self->nothing = head_demand (self, &nothing, NULL);
    return self->one_cpu && self->nothing ? 0 : -1;
}

void
head_resources_release (head_state_t *self)
{
    head_demand_release (self, &self->one_cpu);
    head_demand_release (self, &self->nothing);
    for (size_t index = 0; index < self->resource_count; index++)
        free (self->resources [index]);
    free (self->resources);
    name_table_release (&self->demands);
}

/*  --- demands ----------------------------------------------------------  */

/*  Inserts by resource; the same resource again adds up.                   */
static size_t
s_insert_need (need_t *needs, size_t count, need_t need)
{
    size_t place = count;
    while (place && needs [place - 1].resource > need.resource)
        place--;
    if (place && needs [place - 1].resource == need.resource) {
        needs [place - 1].amount += need.amount;
        return count;
    }
    for (size_t index = count; index > place; index--)
        needs [index] = needs [index - 1];
    needs [place] = need;
    return count + 1;
}

/*  Returns how many, or SIZE_MAX.                                          */
static size_t
s_needs (head_state_t *self, const options_t *options, const demand_t *otherwise, need_t *needs)
{
    size_t count = 0;
    if (!(options->flags & OPTIONS_RESOURCES)) {
        memcpy (needs, otherwise->needs, otherwise->count * sizeof *needs);
        return otherwise->count;
    }
    for (size_t index = 0; index < options->count; index++) {
        const resource_t *resource = &options->resources [index];
        need_t need
            = { head_resource (self, resource->name, resource->length), resource->amount };
        if (need.resource == UINT32_MAX)
            return SIZE_MAX;
        if (need.amount)
            count = s_insert_need (needs, count, need);
    }
    return count;
}

static int
s_key (bytes_t *key, const options_t *options, const need_t *needs, size_t count)
{
    bool group = options->placement == PLACE_GROUP;
    bool at_node = options->placement == PLACE_NODE || options->placement == PLACE_NODE_SOFT;
    uint64_t head [5]
        = { options->placement, at_node ? options->node : 0, group ? options->group.owner : 0,
            group ? options->group.sequence : 0, group ? options->bundle : BUNDLE_ANY };
    int rc = bytes_append (key, head, sizeof head);
    for (size_t index = 0; rc == 0 && index < count; index++) {
        uint64_t pair [2] = { needs [index].resource, (uint64_t) needs [index].amount };
        rc = bytes_append (key, pair, sizeof pair);
    }
    if (rc == 0 && at_node && !options->node)
        rc = bytes_append (key, options->node_name, options->node_name_length);
    return rc;
}

static void
s_demand_free (demand_t *demand)
{
    bytes_release (&demand->key);
    free (demand->node_name);
    free (demand);
}

static demand_t *
s_demand_new (const options_t *options, const need_t *needs, size_t count, bytes_t *key)
{
    demand_t *demand = calloc (1, sizeof *demand + count * sizeof *needs);
    if (!demand)
        return NULL;
    bool named = !options->node
                 && (options->placement == PLACE_NODE || options->placement == PLACE_NODE_SOFT);
    demand->key = *key;
    *key = (bytes_t){ 0 };
    demand->placement = options->placement;
    demand->node = options->node;
    demand->node_name = bytes_text (options->node_name, named ? options->node_name_length : 0);
    demand->group = options->group;
    demand->bundle = options->bundle;
    demand->count = count;
    memcpy (demand->needs, needs, count * sizeof *needs);
    if (demand->node_name)
        return demand;
    s_demand_free (demand);
    return NULL;
}

demand_t *
head_demand (head_state_t *self, const options_t *options, const demand_t *otherwise)
{
    need_t needs [OPTIONS_RESOURCES_MAX];
    bytes_t key = { 0 };
    size_t count = s_needs (self, options, otherwise, needs);
    if (count == SIZE_MAX || s_key (&key, options, needs, count)) {
        bytes_release (&key);
        return NULL;
    }
    demand_t *demand = name_table_get (&self->demands, (const char *) key.data, key.size);
    if (!demand) {
        demand = s_demand_new (options, needs, count, &key);
        if (demand
            && name_table_put (&self->demands, (const char *) demand->key.data,
                               demand->key.size, demand)) {
            s_demand_free (demand);
            demand = NULL;
        }
    }
    bytes_release (&key);
    return demand ? head_demand_keep (demand) : NULL;
}

demand_t *
head_demand_keep (demand_t *demand)
{
    demand->references++;
    return demand;
}

void
head_demand_release (head_state_t *self, demand_t **demand_p)
{
    demand_t *demand = *demand_p;
    *demand_p = NULL;
    if (!demand || --demand->references)
        return;
    name_table_remove (&self->demands, (const char *) demand->key.data, demand->key.size);
    s_demand_free (demand);
}

int64_t
head_demand_of (const demand_t *demand, uint32_t resource)
{
    for (size_t index = 0; index < demand->count; index++)
        if (demand->needs [index].resource == resource)
            return demand->needs [index].amount;
    return 0;
}

const char *
head_demand_text (const head_state_t *self, const demand_t *demand, char *text, size_t size)
{
    size_t used = 0;
    snprintf (text, size, "nothing");
    for (size_t index = 0; index < demand->count && used < size; index++) {
        const need_t *need = &demand->needs [index];
        int length = snprintf (text + used, size - used, "%s%s %.10g", index ? ", " : "",
                               self->resources [need->resource],
                               (double) need->amount / (double) RESOURCE_UNIT);
        used += length > 0 ? (size_t) length : 0;
    }
    return text;
}
