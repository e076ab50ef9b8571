/*  store_clients.c - what processes of this machine ask of the store        */

#include "store/store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*  --- answers ----------------------------------------------------------  */

/*  A client has one request outstanding at most, so that there is room for
    the answer; one that has no room plays foul.                            */
void
store_send (store_t *self, connection_t *connection, const store_message_t *message,
        const char *text, int fd)
{
    struct iovec parts [] = { { (void *) (uintptr_t) message, sizeof *message },
                              { (void *) (uintptr_t) text, text ? strlen (text) : 0 } };
    union {
        struct cmsghdr head;
        char room [CMSG_SPACE (sizeof (int))];
    } control = { 0 };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = text ? 2 : 1 };
    if (fd >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN (sizeof (int));
        memcpy (CMSG_DATA (&control.head), &fd, sizeof fd);
    }
    if (sendmsg (connection->fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        shutdown (connection->fd, SHUT_RDWR);
    (void) self;
}

static void
s_send_fault (store_t *self, connection_t *connection, troupe_error_t code, const char *text)
{
    store_message_t message = { .type = STORE_FAULT, .code = (uint16_t) code,
                                .size = strlen (text) };
    store_send (self, connection, &message, text, -1);
}

static int
s_count_pin (client_t *client, tid_t id, int change)
{
    uintptr_t count = (uintptr_t) id_table_get (&client->pins, id);
    count = change > 0 ? count + 1 : count - 1;
    if (!count) {
        id_table_remove (&client->pins, id);
        return 0;
    }
    /*  The number stands for the pointer that the table wants.             */
    return id_table_put (&client->pins, id, (void *) count);
}

static void
s_answer_one (store_t *self, object_t *object, connection_t *connection, const fault_t *fault)
{
    store_message_t message = { .id = object->id,
                                .size = object->size,
                                .kind = object->kind,
                                .offset = object->memory ? object->memory->offset : 0 };
    bool pins = connection->request == STORE_PIN;
    if (!fault && pins && s_count_pin (connection->client, object->id, 1)) {
        s_send_fault (self, connection, TROUPE_ENOMEM, "the object store has no memory left");
        return;
    }
    if (fault) {
        s_send_fault (self, connection, fault->code, fault->text);
        return;
    }
    message.type = pins ? STORE_PINNED : STORE_GRANTED;
    if (pins)
        store_pin (self, object);
    store_send (self, connection, &message, NULL, -1);
}

void
store_answer (store_t *self, object_t *object, const fault_t *fault)
{
    for (list_node_t *node; (node = list_pop (&object->waits));)
        s_answer_one (self, object, container_of (node, connection_t, wait), fault);
    if (!fault && object->remote && object->sealed && object->memory && self->transfer) {
        transfer_source_t source = { self->base + object->memory->offset, object->size,
                                     object->kind };
        object->remote = false;
        store_pin (self, object);
        transfer_servable (self->transfer, object->id, &source);
    }
}

/*  --- requests ---------------------------------------------------------  */

static client_t *
s_client (store_t *self, process_t process)
{
    client_t *client = id_table_get (&self->clients, store_key (process));
    if (client)
        return client;
    client = calloc (1, sizeof *client);
    if (!client || id_table_put (&self->clients, store_key (process), client)) {
        free (client);
        return NULL;
    }
    client->process = process;
    return client;
}

static void
s_welcome (store_t *self, connection_t *connection)
{
    connection->client = s_client (self, connection->process);
    connection->hello = false;
    if (!connection->client) {
        shutdown (connection->fd, SHUT_RDWR);
        return;
    }
    connection->client->connections++;
    store_message_t welcome = { .type = STORE_WELCOME, .id = { self->name, 0 },
                                .size = self->extents.size };
    store_send (self, connection, &welcome, NULL, self->memory_fd);
}

void
store_greet (store_t *self)
{
    for (list_node_t *at = self->connections.next; at != &self->connections; at = at->next) {
        connection_t *connection = container_of (at, connection_t, node);
        if (connection->hello)
            s_welcome (self, connection);
    }
}

static void
s_hello (store_t *self, connection_t *connection, const store_message_t *message)
{
    if (connection->client || message->size != STORE_VERSION || !message->holder) {
        shutdown (connection->fd, SHUT_RDWR);
        return;
    }
    connection->process = message->holder;
    connection->hello = true;
    list_remove (&connection->stranger);
    if (self->name)
        s_welcome (self, connection);
}

static void
s_create (store_t *self, connection_t *connection, const store_message_t *message)
{
    client_t *client = connection->client;
    tid_t id = { self->name, ++self->sequence };
    object_t *object = message->size <= OBJECT_SIZE_MAX
                           ? store_object_new (self, id, message->size, client->process)
                           : NULL;
    if (object && id_table_put (&client->making, id, object)) {
        store_object_free (self, object);
        object = NULL;
    }
    if (!object) {
        s_send_fault (self, connection, TROUPE_ENOMEM, "no memory for an object");
        return;
    }
    connection->request = STORE_CREATE;
    list_append (&object->waits, &connection->wait);
    store_want_room (self, object);
}

static object_t *
s_find_or_copy (store_t *self, connection_t *connection, const store_message_t *message)
{
    object_t *object = store_object (self, message->id);
    if (object)
        return object;
    if (message->id.owner != self->name && message->size <= OBJECT_SIZE_MAX) {
        object = store_object_new (self, message->id, message->size, 0);
        if (object)
            return object;
    }
    if (connection)
        s_send_fault (self, connection, TROUPE_EINVAL,
                      "the object is no longer held by anybody");
    return NULL;
}

static void
s_request_pin (store_t *self, connection_t *connection, const store_message_t *message)
{
    object_t *object = s_find_or_copy (self, connection, message);
    if (!object)
        return;
    if ((object->sealed || object->copy) && object->size != message->size) {
        s_send_fault (self, connection, TROUPE_EPROTOCOL, "the object has another size");
        return;
    }
    connection->request = STORE_PIN;
    list_append (&object->waits, &connection->wait);
    store_bring (self, object);
}

static void
s_request_unpin (store_t *self, connection_t *connection, tid_t id)
{
    client_t *client = connection->client;
    object_t *object = store_object (self, id);
    if (!id_table_get (&client->pins, id))
        return;
    s_count_pin (client, id, -1);
    if (object)
        store_unpin (self, object);
}

/*  Without memory for a hold the connection ends, so that the client hears of it. */
static void
s_request_seal (store_t *self, connection_t *connection, const store_message_t *message)
{
    object_t *object = id_table_remove (&connection->client->making, message->id);
    if (!object)
        return;
    if (!object->memory || message->size > object->size || !message->holder
        || message->id.owner != self->name)
        store_object_free (self, object);
    else if (store_seal (self, object, message->size, message->kind, message->holder,
                         message->passed ? connection->client->process : 0))
        shutdown (connection->fd, SHUT_RDWR);
}

static void
s_request_abort (store_t *self, connection_t *connection, tid_t id)
{
    object_t *object = id_table_remove (&connection->client->making, id);
    if (!object)
        return;
    store_object_free (self, object);
    store_find_rooms (self);
}

/*  HOLD, RELEASE or CLAIM; without memory for it the connection ends.      */
static void
s_request_hold (store_t *self, connection_t *connection, const store_message_t *message)
{
    object_t *object = store_object (self, message->id);
    process_t giver = message->passed ? connection->client->process : 0;
    int rc = 0;
    if (message->id.owner != self->name && self->transfer)
        store_hold_far (self, connection, message);
    else if (!object || object->copy)
        ;
    else if (message->type == STORE_CLAIM)
        rc = store_claim (object, message->holder);
    else if (message->type == STORE_HOLD)
        rc = store_hold (self, object, message->holder, giver);
    else
        rc = store_release (self, object, message->holder, giver);
    if (rc)
        shutdown (connection->fd, SHUT_RDWR);
}

static void
s_request (store_t *self, connection_t *connection, const store_message_t *message)
{
    object_t *object;
    switch (message->type) {
    case STORE_CREATE:
        s_create (self, connection, message);
        break;
    case STORE_SEAL:
        s_request_seal (self, connection, message);
        break;
    case STORE_ABORT:
        s_request_abort (self, connection, message->id);
        break;
    case STORE_CLAIM:
    case STORE_HOLD:
    case STORE_RELEASE:
        s_request_hold (self, connection, message);
        break;
    case STORE_PIN:
        s_request_pin (self, connection, message);
        break;
    case STORE_UNPIN:
        s_request_unpin (self, connection, message->id);
        break;
    case STORE_SYNC:
        store_sync (self, connection, message);
        break;
    case STORE_PREFETCH:
        object = s_find_or_copy (self, NULL, message);
        if (object)
            store_bring (self, object);
        break;
    default:
        shutdown (connection->fd, SHUT_RDWR);
    }
}

/*  --- connections ------------------------------------------------------  */

/*  All that it has sent so far, and not much more, as others wait.         */
void
store_serve (store_t *self, connection_t *connection)
{
    store_message_t message;
    for (int left = SERVE_MAX; left; left--) {
        ssize_t size = recv (connection->fd, &message, sizeof message, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        bool busy = list_linked (&connection->wait)
                    && (message.type == STORE_CREATE || message.type == STORE_PIN
                        || message.type == STORE_SYNC);
        if (size != sizeof message || busy) {
            store_connection_close (self, connection);
            return;
        }
        if (message.type == STORE_HELLO)
            s_hello (self, connection, &message);
        else if (connection->client)
            s_request (self, connection, &message);
        else {
            store_connection_close (self, connection);
            return;
        }
    }
}
