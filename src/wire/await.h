/*  await.h - calls that wait for the values of futures

    A call that was sent with an unfinished future waits where it will run
    until the value is pushed there. Every subscription brings one value and
    every waiter takes one; a value that overtakes its call is kept for it.

    Not thread safe: whoever owns it has a lock or a thread of its own.     */

#ifndef TROUPE_WIRE_AWAIT_H
#define TROUPE_WIRE_AWAIT_H

#include "core/list.h"
#include "core/table.h"

#include <stdint.h>

/*  Zeroed is empty.                                                        */
typedef struct {
    id_table_t entries;
    list_t early;               /*  values kept, the oldest first           */
    size_t early_bytes;
    list_t marks;               /*  of values that were dropped             */
    size_t mark_count;
} await_t;

/*  What a call embeds, or allocates, for each value it waits for.          */
typedef struct {
    list_node_t node;
    tid_t id;
    void *subject;
} await_waiter_t;

/*  A value that came before its call; freed by the caller with free ().    */
typedef struct {
    list_node_t node;
    list_node_t age;
    tid_t id;
    uint32_t code;          /*  0, or the failure that `data` is the text of */
    uint32_t size;
    uint8_t data [];
} await_value_t;

/*  Registers a waiter, or gives the value that is here already. Returns 0,
    1 if the value was here but has been dropped, so that the owner must be
    asked for it again, or -1 when there is no memory.                      */
int await_expect (await_t *await, await_waiter_t *waiter, await_value_t **early);

/*  Takes the waiter that gets a value that has come, or NULL if there is
    none: then await_keep it.                                               */
await_waiter_t *await_take (await_t *await, tid_t id);

/*  Keeps a copy of a value; when too much is kept, the oldest are dropped.
    Returns 0, or -1 when there is no memory.                               */
int await_keep (await_t *await, tid_t id, uint32_t code, const void *data, uint32_t size);

/*  Takes a waiter out that has not been taken, or has been by orphan.      */
void await_forget (await_t *await, await_waiter_t *waiter);

/*  Frees the values kept of futures that a process owned.                  */
void await_drop_owner (await_t *await, process_t owner);

/*  The same, and moves the waiters for such futures into a list.           */
void await_orphan (await_t *await, process_t owner, list_t *waiters);

/*  Goes through the futures that somebody waits for; *cursor starts at 0.
    Returns how many wait for *id, 0 at the end.                            */
size_t await_next (const await_t *await, size_t *cursor, tid_t *id);

/*  Frees everything but the waiters.                                       */
void await_release (await_t *await);

#endif
