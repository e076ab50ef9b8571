/*  head_locality.c - the head's state: tasks near their arguments

    A task whose arguments are large objects, and which does not say where it
    wants to run, prefers the node that holds the most of them, if it fits
    there; else it runs elsewhere, and they are fetched.

    When more tasks wait than run, each node that gets room would take the one
    that has waited for the longest, wherever its arguments are, and all would
    be fetched. So a task leaves the room to one of its job whose arguments are
    there, for a while: as in Zaharia et al., "Delay Scheduling", EuroSys 2010,
    but no room stays empty for it.                                         */

#include "head/head_private.h"

#include "core/value.h"

/*  Less is fetched in less time than it takes to wait for a certain node.  */
#define LOCAL_BYTES_MIN ((uint64_t) 1 << 20)

/*  Nodes that are compared.                                                */
#define HOLDERS_MAX 16

/*  For so long a lane leaves room to others.                               */
#define PATIENCE (2000 * CLOCK_MS)

/*  Lanes that are asked whether they can use it.                           */
#define NEAR_MAX 8

/*  --- the node ---------------------------------------------------------  */

typedef struct {
    head_node_t *node;
    uint64_t bytes;
} holder_t;

static void
s_count (const head_state_t *self, holder_t *holders, process_t process, uint64_t bytes)
{
    head_node_t *node = process ? head_node (self, process) : NULL;
    for (size_t index = 0; node && index < HOLDERS_MAX; index++)
        if (holders [index].node == node || !holders [index].node) {
            holders [index].node = node;
            holders [index].bytes += bytes;
            return;
        }
}

static void
s_count_all (const head_state_t *self, holder_t *holders, const uint8_t *attachments,
             uint32_t count)
{
    for (const uint8_t *place = attachments; count; count--) {
        attachment_t attachment = attachment_next (&place);
        object_reference_t object;
        if (attachment.pending || !value_is_object (attachment.value, attachment.size, &object))
            continue;
        process_t home = object.id.owner;
        s_count (self, holders, home, object.size);
        const process_t *copies = head_copies (self, object.id);
        for (size_t index = 0; copies && index < HEAD_COPIES_MAX; index++)
            if (copies [index] != home)
                s_count (self, holders, copies [index], object.size);
    }
}

/*  The node that holds the most; or, if there is no room, one with room that
    holds half as much or more. NULL if all is too little to matter.        */
static const head_node_t *
s_holder (const head_state_t *self, const demand_t *demand, const uint8_t *attachments,
          uint32_t count)
{
    holder_t holders [HOLDERS_MAX] = { { NULL, 0 } };
    s_count_all (self, holders, attachments, count);
    const holder_t *most = &holders [0], *best = NULL;
    for (size_t index = 1; index < HOLDERS_MAX; index++)
        if (holders [index].bytes > most->bytes)
            most = &holders [index];
    if (most->bytes < LOCAL_BYTES_MIN)
        return NULL;
    if (head_node_fits (most->node, demand))
        return most->node;
    for (size_t index = 0; index < HOLDERS_MAX && holders [index].node; index++) {
        const holder_t *holder = &holders [index];
        if (holder->bytes >= most->bytes / 2 && head_node_fits (holder->node, demand)
            && (!best || holder->bytes > best->bytes))
            best = holder;
    }
    return best ? best->node : most->node;
}

void
head_prefer_holder (head_state_t *self, head_task_t *task)
{
    lane_t *before = task->lane;
    if (!task->more || !task->more->attachment_count || self->nodes.count < 2
        || before->demand->placement != PLACE_PACK || before->job->embedded)
        return;
    const head_node_t *holder = s_holder (self, before->demand, head_task_attachments (task),
                                          task->more->attachment_count);
    if (!holder)
        return;
    options_t options = { .placement = PLACE_NODE_SOFT, .node = holder->process };
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

void
head_note_copies (head_state_t *self, const head_task_t *task, const head_node_t *node)
{
    if (!task->more || !node->process || self->nodes.count < 2)
        return;
    const uint8_t *place = head_task_attachments (task);
    for (uint32_t left = task->more->attachment_count; left; left--) {
        attachment_t attachment = attachment_next (&place);
        object_reference_t object;
        if (!attachment.pending && value_is_object (attachment.value, attachment.size, &object)
            && object.size >= LOCAL_BYTES_MIN && object.id.owner != node->process)
            head_copy_made (self, object.id, node->process);
    }
}

/*  --- its turn there ---------------------------------------------------  */

void
head_near_begin (head_state_t *self, lane_t *lane)
{
    const demand_t *demand = lane->demand;
    if (demand->placement != PLACE_NODE_SOFT || !demand->node || list_linked (&lane->near))
        return;
    head_node_t *node = head_node (self, demand->node);
    if (node)
        list_append (&node->near, &lane->near);
}

void
head_near_end (head_state_t *self, lane_t *lane)
{
    lane->yields = 0;
    if (!list_linked (&lane->near))
        return;
    list_remove (&lane->near);
    head_node_t *node = head_node (self, lane->demand->node);
    if (!node || !node->yielded || !list_empty (&node->near))
        return;
    node->yielded = false;
    self->again = true;
    head_node_freed (self, node);
}

/*  It has let others go first for as long as it will.                      */
static bool
s_is_impatient (const lane_t *lane, int64_t now)
{
    return lane->yields && now - lane->yields >= PATIENCE;
}

bool
head_yields (head_node_t *node, lane_t *lane, int64_t now)
{
    const demand_t *demand = lane->demand;
    if (demand->placement != PLACE_NODE_SOFT || demand->node == node->process
        || node->keep == &lane->keep || s_is_impatient (lane, now))
        return false;
    size_t left = NEAR_MAX;
    for (const list_node_t *at = node->near.next; at != &node->near && left--; at = at->next) {
        const lane_t *other = container_of (at, lane_t, near);
        if (other->job != lane->job || other->depth < lane->depth
            || !head_node_fits (node, other->demand))
            continue;
        if (!lane->yields)
            lane->yields = now;
        lane->yielded = true;
        node->yielded = true;
        return true;
    }
    return false;
}

bool
head_has_yielded (const lane_t *lane, int64_t now)
{
    return lane->yielded && s_is_impatient (lane, now);
}
