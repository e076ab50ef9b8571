/*  store_far.c - holds that processes of this machine give to objects of other
    stores: on their way, and who waits until they have arrived             */

#include "store/store_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static far_t *
s_far (store_t *self, client_t *client, process_t home)
{
    far_t *far = id_table_get (&client->far, store_key (home));
    if (far)
        return far;
    far = calloc (1, sizeof *far);
    if (!far)
        return NULL;
    *far = (far_t){ .home = home, .ticket = ++self->ticket_last };
    list_init (&far->waits);
    if (id_table_put (&client->far, store_key (home), far) == 0
        && id_table_put (&self->tickets, (tid_t){ 0, far->ticket }, far) == 0)
        return far;
    id_table_remove (&client->far, store_key (home));
    free (far);
    return NULL;
}

/*  Who gives a hold can wait for it. Without memory for that the connection
    ends, so that the client hears of it.                                   */
void
store_hold_far (store_t *self, connection_t *connection, const store_message_t *message)
{
    bool gives = message->type == STORE_HOLD;
    far_t *far = gives ? s_far (self, connection->client, message->id.owner) : NULL;
    transfer_hold_t hold = { .id = message->id,
                             .holder = message->holder,
                             .giver = message->passed ? connection->client->process : 0,
                             .count = message->type == STORE_CLAIM ? 0 : gives ? 1 : -1 };
    uint64_t ticket = far ? far->ticket : 0;
    if (gives && !far)
        shutdown (connection->fd, SHUT_RDWR);
    else if (store_is_gone (self, message->id.owner))
        store_settled (self, ticket, true);
    else if (transfer_hold (self->transfer, &hold, ticket))
        shutdown (connection->fd, SHUT_RDWR);
}

/*  --- who waits --------------------------------------------------------  */

static void
s_end_sync (store_t *self, connection_t *connection, const char *why)
{
    const far_t *far = connection->far;
    fault_t fault;
    store_message_t message = { .type = STORE_SYNCED,
                                .id.sequence = far->lost_after,
                                .holder = far->lost_to,
                                .offset = far->settled };
    list_remove (&connection->wait);
    list_remove (&connection->sync);
    if (why) {
        char name [TRANSFER_NAME_MAX];
        fault_set (&fault, TROUPE_ELOST, "a hold did not arrive at an object of %s%s",
                   transfer_store_name (self->transfer, far->home, name), why);
        message.type = STORE_FAULT;
        message.code = (uint16_t) fault.code;
        message.size = strlen (fault.text);
    }
    store_send (self, connection, &message, why ? fault.text : NULL, -1);
}

static void
s_look_at_sync (store_t *self, connection_t *connection)
{
    const far_t *far = connection->far;
    if (connection->awaited <= far->settled)
        s_end_sync (self, connection,
                    far->lost_to > connection->known ? ": its store is not known here" : NULL);
}

void
store_sync (store_t *self, connection_t *connection, const store_message_t *message)
{
    far_t *far = self->transfer ? s_far (self, connection->client, message->id.owner) : NULL;
    if (!far) {
        shutdown (connection->fd, SHUT_RDWR);
        return;
    }
    connection->far = far;
    connection->awaited = message->id.sequence;
    connection->known = message->offset;
    connection->sync_since = clock_now ();
    list_append (&far->waits, &connection->wait);
    list_append (&self->syncs, &connection->sync);
    s_look_at_sync (self, connection);
}

void
store_settled (store_t *self, uint64_t ticket, bool arrived)
{
    far_t *far = id_table_get (&self->tickets, (tid_t){ 0, ticket });
    if (!far)
        return;
    if (!arrived && !far->lost_to)
        far->lost_after = far->settled;
    far->settled++;
    if (!arrived)
        far->lost_to = far->settled;
    for (list_node_t *at = far->waits.next, *next; at != &far->waits; at = next) {
        next = at->next;
        s_look_at_sync (self, container_of (at, connection_t, wait));
    }
}

int64_t
store_tend_syncs (store_t *self, int64_t now)
{
    while (!list_empty (&self->syncs)) {
        connection_t *connection = container_of (self->syncs.next, connection_t, sync);
        if (now - connection->sync_since < self->sync_patience)
            return connection->sync_since + self->sync_patience;
        s_end_sync (self, connection, ", whose store does not answer");
    }
    return CLOCK_NEVER;
}

/*  The client has no connections any more, so that none waits.             */
void
store_forget_far (store_t *self, client_t *client)
{
    size_t cursor = 0;
    for (far_t *far; (far = id_table_next (&client->far, &cursor));) {
        id_table_remove (&self->tickets, (tid_t){ 0, far->ticket });
        free (far);
    }
    id_table_release (&client->far);
}
