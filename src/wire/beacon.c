/*  beacon.c - finding a head in the local network, by broadcasts over UDP  */

#include "wire/beacon.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "wire/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*  "TROUPE", version 1, the cluster's id, the port, big-endian.            */
static const uint8_t s_magic [] = { 'T', 'R', 'O', 'U', 'P', 'E', 1 };
#define PACKET_SIZE (sizeof s_magic + CLUSTER_ID_SIZE + 2)

#define STOP_TIMEOUT_MS 2000

struct beacon {
    int socket;
    int stop;
    thread_t *thread;
    uint8_t packet [PACKET_SIZE];
};

static void
s_write_packet (uint8_t packet [PACKET_SIZE], const uint8_t *cluster, uint16_t port)
{
    memcpy (packet, s_magic, sizeof s_magic);
    memcpy (packet + sizeof s_magic, cluster, CLUSTER_ID_SIZE);
    packet [PACKET_SIZE - 2] = (uint8_t) (port >> 8);
    packet [PACKET_SIZE - 1] = (uint8_t) port;
}

/*  --- the head's side --------------------------------------------------  */

/*  To a network that this interface is in. One that cannot be reached now may
    be the next time.                                                       */
static void
s_send_to (beacon_t *self, const struct ifaddrs *interface)
{
    struct sockaddr_in address, mask;
    unsigned wanted = IFF_UP | IFF_BROADCAST;
    if ((interface->ifa_flags & wanted) != wanted || !interface->ifa_addr
        || interface->ifa_addr->sa_family != AF_INET || !interface->ifa_netmask)
        return;
    memcpy (&address, interface->ifa_addr, sizeof address);
    memcpy (&mask, interface->ifa_netmask, sizeof mask);
    address.sin_addr.s_addr |= ~mask.sin_addr.s_addr;
    address.sin_port = htons (BEACON_PORT);
    if (sendto (self->socket, self->packet, PACKET_SIZE, MSG_DONTWAIT,
                (struct sockaddr *) &address, sizeof address)
        < 0)
        return;
}

static void
s_run (void *arg)
{
    beacon_t *self = arg;
    struct pollfd stop = { .fd = self->stop, .events = POLLIN };
    thread_block_signals ();
    do {
        struct ifaddrs *list = NULL;
        if (getifaddrs (&list) == 0)
            for (const struct ifaddrs *item = list; item; item = item->ifa_next)
                s_send_to (self, item);
        freeifaddrs (list);
    } while (poll (&stop, 1, BEACON_INTERVAL_MS) == 0);
}

beacon_t *
beacon_new (const uint8_t cluster [CLUSTER_ID_SIZE], uint16_t port, fault_t *fault)
{
    int one = 1;
    beacon_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the beacon");
        return NULL;
    }
    s_write_packet (self->packet, cluster, port);
    self->stop = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->socket = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (self->stop < 0 || self->socket < 0
        || setsockopt (self->socket, SOL_SOCKET, SO_BROADCAST, &one, sizeof one))
        fault_set (fault, TROUPE_ESYSTEM, "no beacon: %s", strerror (errno));
    else
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread)
        beacon_destroy (&self);
    return self;
}

int
beacon_destroy (beacon_t **self_p)
{
    beacon_t *self = *self_p;
    uint64_t one = 1;
    if (!self)
        return 0;
    *self_p = NULL;
    if (self->stop >= 0 && write (self->stop, &one, sizeof one) < 0) {
        /*  It has been told already.                                       */
    }
    if (thread_join (&self->thread, STOP_TIMEOUT_MS))
        return -1;
    if (self->socket >= 0)
        close (self->socket);
    if (self->stop >= 0)
        close (self->stop);
    free (self);
    return 0;
}

/*  --- the other side ---------------------------------------------------  */

/*  Several processes of a machine may listen at once.                      */
static int
s_listen (fault_t *fault)
{
    int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (BEACON_PORT) };
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0
        && bind (fd, (struct sockaddr *) &address, sizeof address) == 0)
        return fd;
    fault_set (fault, TROUPE_ESYSTEM, "cannot listen for beacons on port %d: %s", BEACON_PORT,
               strerror (errno));
    if (fd >= 0)
        close (fd);
    return -1;
}

/*  One packet, if it is of this cluster. Returns 0 or -1.                  */
static int
s_receive (int fd, const uint8_t *cluster, char host [HOST_MAX + 1], uint16_t *port)
{
    uint8_t packet [PACKET_SIZE + 1], wanted [PACKET_SIZE];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t got = recvfrom (fd, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *) &from,
                            &size);
    s_write_packet (wanted, cluster, 0);
    if (got != (ssize_t) PACKET_SIZE || memcmp (packet, wanted, PACKET_SIZE - 2) != 0
        || !inet_ntop (AF_INET, &from.sin_addr, host, HOST_MAX + 1))
        return -1;
    *port = (uint16_t) (packet [PACKET_SIZE - 2] << 8 | packet [PACKET_SIZE - 1]);
    return *port ? 0 : -1;
}

int
beacon_find (const uint8_t cluster [CLUSTER_ID_SIZE], int timeout_ms, char host [HOST_MAX + 1],
             uint16_t *port, fault_t *fault)
{
    int fd = s_listen (fault), rc = -1;
    if (fd < 0)
        return -1;
    int64_t deadline = clock_now () + timeout_ms * CLOCK_MS, left;
    while (rc && (left = deadline - clock_now ()) > 0) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        if (poll (&item, 1, (int) (left / CLOCK_MS) + 1) > 0)
            rc = s_receive (fd, cluster, host, port);
    }
    close (fd);
    return rc ? fault_set (fault, TROUPE_ETIMEOUT,
                           "no beacon of the token's cluster was heard within %d ms: its head "
                           "must be started with --beacon, in the same network",
                           timeout_ms)
              : 0;
}
