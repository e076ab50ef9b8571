/*  demand.c - what a call asks of the cluster                               */

#include "peer/demand.h"

#include <string.h>

static int
s_add (options_t *block, const char *name, size_t length, double amount, fault_t *fault)
{
    if (!(amount >= 0) || amount > (double) (RESOURCE_AMOUNT_MAX / RESOURCE_UNIT))
        return fault_set (fault, TROUPE_EINVAL, "the amount of %.*s is out of range",
                          (int) length, name);
    if (block->count == OPTIONS_RESOURCES_MAX)
        return fault_set (fault, TROUPE_EINVAL, "more than %d resources",
                          OPTIONS_RESOURCES_MAX);
    block->resources [block->count++]
        = (resource_t){ .name = name,
                        .length = length,
                        .amount = (int64_t) (amount * (double) RESOURCE_UNIT + 0.5) };
    return 0;
}

static int
s_add_resources (options_t *block, const troupe_options_t *options, bool actor, fault_t *fault)
{
    bool asks = options->cpus != 0 || options->gpus != 0 || options->memory != 0
                || (options->resources && *options->resources);
    if (!asks)
        return 0;
    double cpus = options->cpus != 0 ? options->cpus : actor ? 0 : 1;
    block->flags |= OPTIONS_RESOURCES;
    if (cpus > 0 && s_add (block, RESOURCE_CPUS, strlen (RESOURCE_CPUS), cpus, fault))
        return -1;
    if (cpus < 0 && cpus != TROUPE_NO_CPUS)
        return fault_set (fault, TROUPE_EINVAL, "the amount of cpus is out of range");
    if (options->gpus != 0
        && s_add (block, RESOURCE_GPUS, strlen (RESOURCE_GPUS), options->gpus, fault))
        return -1;
    if (options->memory != 0
        && s_add (block, RESOURCE_MEMORY, strlen (RESOURCE_MEMORY), options->memory, fault))
        return -1;
    return options->resources
                   && resources_parse (options->resources, block->resources, &block->count)
               ? fault_set (fault, TROUPE_EINVAL,
                            "resources are '%s': wanted \"NAME=AMOUNT NAME=AMOUNT\"",
                            options->resources)
               : 0;
}

int
demand_write (bytes_t *out, const troupe_options_t *options, bool actor, bool *has,
              fault_t *fault)
{
    options_t block = { .placement = options->spread ? PLACE_SPREAD : PLACE_PACK };
    *has = false;
    if (s_add_resources (&block, options, actor, fault))
        return -1;
    if (options->node) {
        block.placement = options->node_soft ? PLACE_NODE_SOFT : PLACE_NODE;
        block.node_name = options->node;
        block.node_name_length = strlen (options->node);
        if (!block.node_name_length || block.node_name_length > NODE_NAME_MAX)
            return fault_set (fault, TROUPE_EINVAL, "'%s' is no valid name of a node",
                              options->node);
    }
    if (options->group) {
        if (options->bundle > group_count (options->group))
            return fault_set (fault, TROUPE_EINVAL, "the group has %zu bundles, there is no %u",
                              group_count (options->group), options->bundle);
        block.placement = PLACE_GROUP;
        block.group = group_id (options->group);
        block.bundle = options->bundle ? options->bundle - 1 : BUNDLE_ANY;
    }
    if (actor && options->detached)
        block.flags |= OPTIONS_DETACHED;
    if (actor && options->get_or_create)
        block.flags |= OPTIONS_GET_OR_CREATE;
    if (block.placement == PLACE_PACK && !block.flags)
        return 0;
    *has = true;
    return options_write (out, &block) ? fault_set (fault, TROUPE_EINVAL, "invalid options") : 0;
}
