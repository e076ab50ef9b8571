/*  transfer_notices.c - what one store tells another that must arrive

    A hold that is given or taken, a copy that is there or has gone, an object
    that was dropped: each must arrive, once and in order, or objects and
    copies would stay for ever or go too early. Notices are numbered, kept
    until they are acknowledged, and sent again from the first (go-back-N).  */

#include "store/transfer_private.h"

#include <stdlib.h>

/*  Without an acknowledgement for this long they are sent again.           */
#define REPEAT (500 * CLOCK_MS)

/*  What is sent again at once, at most.                                    */
#define REPEAT_MAX 256

typedef struct {
    list_node_t node;
    transfer_message_t message;     /*  offset: its number                  */
    uint64_t ticket;
    int64_t made;
    int64_t sent;
} notice_t;

/*  --- where they come from ---------------------------------------------  */

int
notice_tell (transfer_t *self, process_t store, const transfer_message_t *message,
             uint64_t ticket)
{
    other_t *other = transfer_other (self, store);
    notice_t *notice = other ? calloc (1, sizeof *notice) : NULL;
    if (!notice)
        return -1;
    notice->message = *message;
    notice->message.offset = ++other->told;
    notice->message.sources [0] = store;
    notice->ticket = ticket;
    notice->made = notice->sent = clock_now ();
    list_append (&other->untold, &notice->node);
    if (!list_linked (&other->telling))
        list_append (&self->telling, &other->telling);
    transfer_ask (self, store, &notice->message);
    return 0;
}

int
transfer_hold (transfer_t *self, const transfer_hold_t *hold, uint64_t ticket)
{
    transfer_message_t message = { .type = TRANSFER_HOLD,
                                   .id = hold->id,
                                   .store = hold->holder,
                                   .size = hold->giver,
                                   .count = hold->count };
    return notice_tell (self, hold->id.owner, &message, ticket);
}

void
notice_copy (transfer_t *self, tid_t id, transfer_type_t type)
{
    transfer_message_t message = { .type = (uint8_t) type, .id = id };
    if (id_table_get (&self->others, (tid_t){ 0, id.owner }))
        notice_tell (self, id.owner, &message, 0);
}

void
notice_dropped (transfer_t *self, tid_t id, process_t store)
{
    transfer_message_t message = { .type = TRANSFER_DROPPED, .id = id };
    if (id_table_get (&self->others, (tid_t){ 0, store }))
        notice_tell (self, store, &message, 0);
}

static void
s_done (transfer_t *self, notice_t *notice, bool arrived)
{
    list_remove (&notice->node);
    if (notice->ticket)
        self->hooks->settled (self->hooks_context, notice->ticket, arrived);
    free (notice);
}

void
notice_noted (transfer_t *self, const transfer_message_t *message)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, message->from });
    while (other && !list_empty (&other->untold)) {
        notice_t *notice = container_of (other->untold.next, notice_t, node);
        if (notice->message.offset > message->offset)
            return;
        s_done (self, notice, true);
    }
    if (other)
        list_remove (&other->telling);
}

static void
s_forget (transfer_t *self, other_t *other, bool arrived)
{
    while (!list_empty (&other->untold))
        s_done (self, container_of (other->untold.next, notice_t, node), arrived);
    list_remove (&other->telling);
}

void
notice_forget (transfer_t *self, other_t *other)
{
    s_forget (self, other, true);
}

static void
s_repeat (transfer_t *self, const other_t *other, int64_t now)
{
    int left = REPEAT_MAX;
    for (list_node_t *at = other->untold.next; left-- && at != &other->untold; at = at->next) {
        notice_t *notice = container_of (at, notice_t, node);
        transfer_ask (self, other->process, &notice->message);
        notice->sent = now;
    }
}

int64_t
notice_tend (transfer_t *self, int64_t now)
{
    int64_t due = CLOCK_NEVER;
    for (list_node_t *at = self->telling.next, *next; at != &self->telling; at = next) {
        other_t *other = container_of (at, other_t, telling);
        const notice_t *first = container_of (other->untold.next, notice_t, node);
        next = at->next;
        if (!*other->endpoint && now - first->made >= self->patience) {
            s_forget (self, other, false);
            transfer_forget (self, other);
            continue;
        }
        if (now - first->sent >= REPEAT)
            s_repeat (self, other, now);
        due = first->sent + REPEAT < due ? first->sent + REPEAT : due;
    }
    return due;
}

/*  --- where they go to -------------------------------------------------  */

static int
s_apply (transfer_t *self, const transfer_message_t *message)
{
    transfer_hold_t hold = { .id = message->id,
                             .holder = message->store,
                             .giver = message->size,
                             .count = message->count };
    if (message->type == TRANSFER_HOLD)
        return self->hooks->held (self->hooks_context, &hold);
    if (message->type == TRANSFER_DROPPED) {
        serving_close (self, message->id);
        self->hooks->dropped (self->hooks_context, message->id);
    } else
        serving_note (self, message);
    return 0;
}

void
notice_hear (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    other_t *other = id_table_get (&self->others, (tid_t){ 0, message->from });
    /*  Numbers count from one store to one; this may have had another name, and
        what was counted of a store that is not known yet may be forgotten.  */
    if (!other || !*other->endpoint || message->sources [0] != self->name)
        return;     /*  it is sent again, as long as that store is known    */
    if (message->offset == other->heard + 1 && s_apply (self, message) == 0)
        other->heard++;
    transfer_message_t noted = { .type = TRANSFER_NOTED, .offset = other->heard };
    transfer_answer (self, route, &noted, NULL);
}
