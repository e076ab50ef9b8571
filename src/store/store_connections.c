/*  store_connections.c - connections of clients come, within limits, and go */

#include "store/store_private.h"

#include "core/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*  So many are accepted in a turn, so that clients who are there are served. */
#define ACCEPT_MAX 64

/*  While no file is left, it looks again after this time.                  */
#define ACCEPT_PAUSE (100 * CLOCK_MS)

static bool
s_is_own_user (int fd)
{
    struct ucred who;
    socklen_t size = sizeof who;
    return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == geteuid ();
}

/*  Says why, in answer to the HELLO that may have been sent already. If that
    were left unread, its sender would hear of the end first.               */
static void
s_refuse (int fd)
{
    char text [STORE_TEXT_MAX];
    store_message_t message = { .type = STORE_FAULT, .code = TROUPE_ELIMIT };
    struct iovec parts [] = { { &message, sizeof message }, { text, 0 } };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };
    snprintf (text, sizeof text,
              "the object store has no file left for one more connection: its process may have "
              "%zu open (raise it with ulimit -n)",
              files_max ());
    message.size = parts [1].iov_len = strlen (text);
    ssize_t got = sendmsg (fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown (fd, SHUT_RDWR);
    while (got > 0)
        got = recv (fd, &message, sizeof message, MSG_DONTWAIT);
}

static int
s_take (store_t *self, int fd)
{
    connection_t *connection = calloc (1, sizeof *connection);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (!connection || store_grow_events (self, self->connection_count + 1)
        || epoll_ctl (self->poll, EPOLL_CTL_ADD, fd, &event)) {
        free (connection);
        return -1;
    }
    connection->fd = fd;
    connection->since = clock_now ();
    list_append (&self->connections, &connection->node);
    list_append (&self->strangers, &connection->stranger);
    self->connection_count++;
    return 0;
}

/*  Whoever has not said for longest who he is makes room for the next one, as
    clients say so at once. False if all have.                              */
static bool
s_make_room (store_t *self)
{
    if (list_empty (&self->strangers))
        return false;
    connection_t *connection = container_of (self->strangers.next, connection_t, stranger);
    s_refuse (connection->fd);
    store_connection_close (self, connection);
    return true;
}

void
store_accept (store_t *self)
{
    int fd = -1;
    for (int left = ACCEPT_MAX; left; left--) {
        fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            break;
        bool own = s_is_own_user (fd);
        bool room = own && (files_left_for_local (fd) || s_make_room (self));
        if (own && !room)
            s_refuse (fd);
        if (!room || s_take (self, fd))
            close (fd);
    }
    /*  What cannot be accepted would wake us again at once.                */
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        store_listen (self, false);
        self->accept_again = clock_now () + ACCEPT_PAUSE;
    }
}

int64_t
store_tend_connections (store_t *self, int64_t now)
{
    if (self->accept_again && now >= self->accept_again) {
        store_listen (self, true);
        self->accept_again = 0;
    }
    int64_t due = self->accept_again ? self->accept_again : CLOCK_NEVER;
    while (!list_empty (&self->strangers)) {
        connection_t *connection = container_of (self->strangers.next, connection_t, stranger);
        int64_t until = connection->since + self->hello_patience;
        if (until > now)
            return until < due ? until : due;
        store_connection_close (self, connection);
    }
    return due;
}

/*  What a process pinned and did not seal ends with its last connection.   */
static void
s_client_ended (store_t *self, client_t *client)
{
    id_table_remove (&self->clients, store_key (client->process));
    for (size_t index = 0; index < client->pins.capacity; index++) {
        const id_slot_t *slot = &client->pins.slots [index];
        object_t *object = slot->value ? store_object (self, slot->key) : NULL;
        for (uintptr_t left = (uintptr_t) slot->value; object && left; left--)
            store_unpin (self, object);
    }
    size_t cursor = 0;
    for (object_t *object; (object = id_table_next (&client->making, &cursor));)
        store_object_free (self, object);
    id_table_release (&client->pins);
    id_table_release (&client->making);
    store_forget_far (self, client);
    store_lose_giver (self, client->process);
    free (client);
    store_find_rooms (self);
}

void
store_connection_close (store_t *self, connection_t *connection)
{
    client_t *client = connection->client;
    list_remove (&connection->node);
    list_remove (&connection->stranger);
    self->connection_count--;
    list_remove (&connection->wait);
    list_remove (&connection->sync);
    epoll_ctl (self->poll, EPOLL_CTL_DEL, connection->fd, NULL);
    close (connection->fd);
    free (connection);
    if (client && --client->connections == 0)
        s_client_ended (self, client);
}
