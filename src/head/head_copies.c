/*  head_copies.c - the head's state: which nodes have fetched which objects

    An object's id names the node where it was made. Who runs a task with it
    elsewhere has a copy afterwards, in all likelihood, and is as near to it
    as its home. No store tells the head of its copies: it remembers where
    large arguments went lately, which is a hint, and costs no message.     */

#include "head/head_private.h"

#include <stdlib.h>

/*  Objects that are remembered, and nodes of each: the latest.             */
#define OBJECTS_MAX 4096

struct head_copy {
    list_node_t recent;         /*  the longest unused first                */
    tid_t id;
    process_t nodes [HEAD_COPIES_MAX]; /*  the latest first, then 0         */
};

static head_copy_t *
s_make_room (head_state_t *self)
{
    if (self->copies.count < OBJECTS_MAX)
        return malloc (sizeof (head_copy_t));
    head_copy_t *copy = container_of (list_pop (&self->recent_copies), head_copy_t, recent);
    id_table_remove (&self->copies, copy->id);
    return copy;
}

/*  NULL if there is no memory: then it is not remembered.                  */
static head_copy_t *
s_remember (head_state_t *self, tid_t id)
{
    head_copy_t *copy = s_make_room (self);
    if (!copy)
        return NULL;
    *copy = (head_copy_t){ .id = id };
    if (id_table_put (&self->copies, id, copy)) {
        free (copy);
        return NULL;
    }
    list_append (&self->recent_copies, &copy->recent);
    return copy;
}

void
head_copy_made (head_state_t *self, tid_t id, process_t node)
{
    head_copy_t *copy = id_table_get (&self->copies, id);
    if (!copy)
        copy = s_remember (self, id);
    if (!copy)
        return;
    list_remove (&copy->recent);
    list_append (&self->recent_copies, &copy->recent);
    size_t place = 0;
    while (place < HEAD_COPIES_MAX - 1 && copy->nodes [place] != node)
        place++;
    for (; place; place--)
        copy->nodes [place] = copy->nodes [place - 1];
    copy->nodes [0] = node;
}

const process_t *
head_copies (const head_state_t *self, tid_t id)
{
    const head_copy_t *copy = id_table_get (&self->copies, id);
    return copy ? copy->nodes : NULL;
}

void
head_copies_release (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->recent_copies));)
        free (container_of (at, head_copy_t, recent));
    id_table_release (&self->copies);
}
