/*  transfer_holds.c - holds that are given and taken in other stores

    They must arrive, each once and in order, or objects would stay for ever or
    go too early: they are numbered, kept until they are acknowledged, and sent
    again from the first (go-back-N).                                       */

#include "store/transfer_private.h"

#include <stdlib.h>

/*  Without an acknowledgement for this long they are sent again.           */
#define REPEAT (500 * CLOCK_MS)

/*  What is sent again at once, at most.                                    */
#define REPEAT_MAX 256

/*  How long one waits for a store that is not known here.                  */
#define HOLD_PATIENCE (30000 * CLOCK_MS)

typedef struct {
    list_node_t node;
    transfer_message_t message;     /*  offset: its number                  */
    uint64_t ticket;
    int64_t made;
    int64_t sent;
} change_t;

static void
s_done (transfer_t *self, change_t *change)
{
    list_remove (&change->node);
    if (change->ticket)
        self->hooks->settled (self->hooks_context, change->ticket);
    free (change);
}

int
transfer_hold (transfer_t *self, tid_t id, process_t holder, int32_t count, uint64_t ticket)
{
    other_t *other = transfer_other (self, id.owner);
    change_t *change = other ? calloc (1, sizeof *change) : NULL;
    if (!change)
        return -1;
    change->message = (transfer_message_t){ .type = TRANSFER_HOLD,
                                            .id = id,
                                            .store = holder,
                                            .count = count,
                                            .offset = ++other->told };
    change->ticket = ticket;
    change->made = change->sent = clock_now ();
    list_append (&other->untold, &change->node);
    transfer_ask (self, id.owner, &change->message);
    return 0;
}

/*  --- at the home ------------------------------------------------------  */

void
holds_hear (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, message->from });
    /*  Numbers count from one store to one; this may have had another name. */
    if (!other || message->id.owner != self->name)
        return;     /*  it is sent again, as long as that store is known    */
    if (message->offset == other->heard + 1) {
        other->heard++;
        self->hooks->held (self->hooks_context, message->id, message->store, message->count);
    }
    transfer_message_t noted = { .type = TRANSFER_NOTED, .offset = other->heard };
    transfer_answer (self, route, &noted, NULL);
}

/*  --- where they come from ---------------------------------------------  */

void
holds_noted (transfer_t *self, const transfer_message_t *message)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, message->from });
    while (other && !list_empty (&other->untold)) {
        change_t *change = container_of (other->untold.next, change_t, node);
        if (change->message.offset > message->offset)
            return;
        s_done (self, change);
    }
}

void
holds_forget (transfer_t *self, other_t *other)
{
    while (!list_empty (&other->untold))
        s_done (self, container_of (other->untold.next, change_t, node));
}

static void
s_repeat (transfer_t *self, const other_t *other, int64_t now)
{
    int left = REPEAT_MAX;
    for (list_node_t *at = other->untold.next; left-- && at != &other->untold; at = at->next) {
        change_t *change = container_of (at, change_t, node);
        transfer_ask (self, other->process, &change->message);
        change->sent = now;
    }
}

int64_t
holds_tend (transfer_t *self, int64_t now)
{
    int64_t due = CLOCK_NEVER;
    size_t cursor = 0;
    for (other_t *other; (other = id_table_next (&self->others, &cursor));) {
        if (list_empty (&other->untold))
            continue;
        change_t *first = container_of (other->untold.next, change_t, node);
        if (!*other->endpoint && now - first->made >= HOLD_PATIENCE) {
            holds_forget (self, other);
            continue;
        }
        if (now - first->sent >= REPEAT)
            s_repeat (self, other, now);
        due = first->sent + REPEAT < due ? first->sent + REPEAT : due;
    }
    return due;
}
