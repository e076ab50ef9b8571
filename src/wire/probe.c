/*  probe.c - whether anybody is left at the other end of a connection       */

#include "wire/probe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static void
s_give_up_attempt (probe_t *self)
{
    if (self->attempt >= 0)
        close (self->attempt);
    self->attempt = -1;
}

void
probe_init (probe_t *self)
{
    *self = (probe_t){ .link = { .fd = -1 }, .attempt = -1 };
}

void
probe_release (probe_t *self)
{
    s_give_up_attempt (self);
}

/*  The descriptor is libzmq's, which may close it at any time: what we learnt
    of it is right if it still is the same connection afterwards.           */
void
probe_follow (probe_t *self, zmq_msg_t *message)
{
    if (self->size && !self->closed)
        return;
    peer_link_of (&self->link, message);
    if (self->link.fd < 0)
        return;
    self->size = sizeof self->address;
    if (getpeername (self->link.fd, (struct sockaddr *) &self->address, &self->size)
        || !peer_linked (&self->link))
        self->size = 0;
    self->closed = self->answered = false;
    s_give_up_attempt (self);
}

static void
s_attempt (probe_t *self)
{
    self->attempt
        = socket (self->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->attempt >= 0)
        errno = connect (self->attempt, (struct sockaddr *) &self->address, self->size) ? errno
                                                                                        : 0;
}

/*  What has become of the attempt, or EINPROGRESS.                         */
static int
s_outcome (const probe_t *self)
{
    struct pollfd item = { .fd = self->attempt, .events = POLLOUT };
    int error = 0;
    socklen_t size = sizeof error;
    if (poll (&item, 1, 0) <= 0)
        return EINPROGRESS;
    return getsockopt (self->attempt, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

bool
probe_refused (probe_t *self)
{
    if (!self->size || peer_linked (&self->link))
        return false;
    /*  libzmq may have a new connection before it is asked again.          */
    if (!self->closed) {
        self->closed = true;
        return false;
    }
    int outcome = EINPROGRESS;
    if (self->attempt >= 0)
        outcome = s_outcome (self);
    else {
        s_attempt (self);
        outcome = self->attempt < 0 ? EINPROGRESS : errno;
    }
    self->answered = outcome == 0;
    if (outcome != EINPROGRESS)
        s_give_up_attempt (self);
    return outcome == ECONNREFUSED;
}
