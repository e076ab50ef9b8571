/*  list.h - doubly linked lists of nodes embedded in what they link        */

#ifndef TROUPE_CORE_LIST_H
#define TROUPE_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
    struct list_node *next;
    struct list_node *prev;
} list_node_t;

/*  A list is a ring through its head. A node that is in no list points to
    itself or is zeroed.                                                    */
typedef list_node_t list_t;

/*  The struct that a node is embedded in.                                  */
#define container_of(node_, type_, member_)                                                  \
    ((type_ *) (void *) ((char *) (node_) - offsetof (type_, member_)))

static inline void
list_init (list_t *list)
{
    list->next = list->prev = list;
}

static inline bool
list_empty (const list_t *list)
{
    return list->next == list;
}

static inline bool
list_linked (const list_node_t *node)
{
    return node->next && node->next != node;
}

static inline void
list_append (list_t *list, list_node_t *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void
list_prepend (list_t *list, list_node_t *node)
{
    node->next = list->next;
    node->prev = list;
    list->next->prev = node;
    list->next = node;
}

static inline void
list_remove (list_node_t *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

/*  Takes the first node off; NULL if the list is empty.                    */
static inline list_node_t *
list_pop (list_t *list)
{
    list_node_t *node = list->next;
    if (node == list)
        return NULL;
    list_remove (node);
    return node;
}

#endif
