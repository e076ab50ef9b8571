/*  head_locality.c - the head's state: tasks near their arguments

    A task whose arguments are large objects, and which does not say where it
    wants to run, prefers the node that holds the most of them, if it fits
    there; else it runs elsewhere, and they are fetched.                    */

#include "head/head_private.h"

#include "core/value.h"

/*  Less is fetched in less time than it takes to wait for a certain node.  */
#define LOCAL_BYTES_MIN ((uint64_t) 1 << 20)

/*  Nodes that are compared.                                                */
#define HOLDERS_MAX 8

typedef struct {
    process_t node;
    uint64_t bytes;
} holder_t;

static void
s_count (holder_t *holders, process_t node, uint64_t bytes)
{
    for (size_t index = 0; index < HOLDERS_MAX; index++)
        if (holders [index].node == node || !holders [index].node) {
            holders [index].node = node;
            holders [index].bytes += bytes;
            return;
        }
}

/*  The node that holds the most, 0 if that is too little to matter.        */
static process_t
s_holder (const uint8_t *attachments, uint32_t count)
{
    holder_t holders [HOLDERS_MAX] = { { 0, 0 } };
    for (const uint8_t *place = attachments; count; count--) {
        attachment_t attachment = attachment_next (&place);
        object_reference_t object;
        if (!attachment.pending && value_is_object (attachment.value, attachment.size, &object))
            s_count (holders, object.id.owner, object.size);
    }
    const holder_t *best = &holders [0];
    for (size_t index = 1; index < HOLDERS_MAX; index++)
        if (holders [index].bytes > best->bytes)
            best = &holders [index];
    return best->bytes >= LOCAL_BYTES_MIN ? best->node : 0;
}

void
head_prefer_holder (head_state_t *self, head_task_t *task, const uint8_t *attachments,
                    uint32_t count)
{
    lane_t *before = task->lane;
    if (self->nodes.count < 2 || before->demand->placement != PLACE_PACK || before->job->embedded)
        return;
    process_t holder = s_holder (attachments, count);
    if (!holder || !head_node (self, holder))
        return;
    options_t options = { .placement = PLACE_NODE_SOFT, .node = holder };
    demand_t *demand = head_demand (self, &options, before->demand);
    lane_t *lane = demand
                       ? head_lane (self, before->job, before->function, before->depth, demand)
                       : NULL;
    if (demand)
        head_demand_release (self, &demand);
    if (!lane)
        return;     /*  no memory: it runs anywhere                         */
    lane->references++;
    task->lane = lane;
    head_lane_release (self, before);
}
