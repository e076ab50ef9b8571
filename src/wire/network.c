/*  network.c - what a process needs to be reached from other machines       */

#include "wire/network.h"

#include "core/clock.h"
#include "core/files.h"
#include "wire/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*  A day.                                                                  */
#define SECONDS_MAX 86400

void
network_machine (char text [MACHINE_TEXT_SIZE])
{
    char boot [48] = "";
    struct stat space = { 0 };
    FILE *file = fopen ("/proc/sys/kernel/random/boot_id", "re");
    if (file) {
        if (!fgets (boot, sizeof boot, file))
            boot [0] = 0;
        fclose (file);
    }
    boot [strcspn (boot, "\n")] = 0;
    if (stat ("/proc/self/ns/net", &space))
        space.st_ino = 0;
    snprintf (text, MACHINE_TEXT_SIZE, "%s/%llu/%u", boot, (unsigned long long) space.st_ino,
              (unsigned) geteuid ());
}

/*  No packet is sent: connecting a datagram socket only chooses the way.   */
static int
s_route (const struct addrinfo *to, char source [HOST_MAX + 1])
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    int fd = socket (to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int rc = connect (fd, to->ai_addr, to->ai_addrlen)
             || getsockname (fd, (struct sockaddr *) &from, &size)
             || getnameinfo ((struct sockaddr *) &from, size, source, HOST_MAX + 1, NULL, 0,
                             NI_NUMERICHOST);
    close (fd);
    return rc ? -1 : 0;
}

/*  The first address of an interface that others can reach, for a machine
    without a way to everywhere.                                            */
static int
s_first_address (char source [HOST_MAX + 1])
{
    struct ifaddrs *list, *item;
    if (getifaddrs (&list))
        return -1;
    for (item = list; item; item = item->ifa_next) {
        bool outside = item->ifa_flags & IFF_UP && !(item->ifa_flags & IFF_LOOPBACK);
        if (outside && item->ifa_addr && item->ifa_addr->sa_family == AF_INET
            && getnameinfo (item->ifa_addr, sizeof (struct sockaddr_in), source, HOST_MAX + 1,
                            NULL, 0, NI_NUMERICHOST)
                   == 0)
            break;
    }
    freeifaddrs (list);
    return item ? 0 : -1;
}

int
network_source (const char *host, uint16_t port, char source [HOST_MAX + 1], fault_t *fault)
{
    char service [8];
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
    snprintf (service, sizeof service, "%u", port ? port : 9u);
    int rc = getaddrinfo (host, service, &hints, &list);
    if (rc)
        return fault_set (fault, TROUPE_EINVAL, "%s: %s", host, gai_strerror (rc));
    int found = -1;
    for (struct addrinfo *item = list; item && found; item = item->ai_next)
        found = s_route (item, source);
    freeaddrinfo (list);
    if (found && s_first_address (source))
        snprintf (source, HOST_MAX + 1, "127.0.0.1");
    return 0;
}

bool
network_is_loopback (const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (strcmp (host, "localhost") == 0)
        return true;
    if (inet_pton (AF_INET, host, &four) == 1)
        return ntohl (four.s_addr) >> 24 == 127;
    return inet_pton (AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK (&six);
}

void
network_endpoint (char *endpoint, size_t size, const char *host, uint16_t port)
{
    const char *open = strchr (host, ':') ? "[" : "", *close = *open ? "]" : "";
    if (port)
        snprintf (endpoint, size, "tcp://%s%s%s:%u", open, host, close, port);
    else
        snprintf (endpoint, size, "tcp://%s%s%s:*", open, host, close);
}

void
network_address (char text [ADDRESS_TEXT_SIZE], const char *host, uint16_t port)
{
    char endpoint [HOST_MAX + 32];
    network_endpoint (endpoint, sizeof endpoint, host, port);
    snprintf (text, ADDRESS_TEXT_SIZE, "%.*s", ADDRESS_TEXT_SIZE - 1,
              endpoint + strlen ("tcp://"));
}

int
network_seconds (const char *name, double otherwise, double least, int64_t *time,
                 fault_t *fault)
{
    const char *text = getenv (name);
    char *end = NULL;
    double seconds = text && *text ? strtod (text, &end) : otherwise;
    if ((end && *end) || !(seconds >= least) || seconds > SECONDS_MAX)
        return fault_set (fault, TROUPE_EINVAL, "%s is '%s': wanted seconds, %g to %d", name,
                          text ? text : "", least, SECONDS_MAX);
    *time = (int64_t) (seconds * 1000) * CLOCK_MS;
    return 0;
}

int
network_patience (int64_t *time, fault_t *fault)
{
    return network_seconds ("TROUPE_DEAD_AFTER", NETWORK_DEAD_AFTER, 2, time, fault);
}

/*  Ranges of addresses, separated by blanks, for all domains.              */
static int
s_open_ranges (gate_t *gate, const char *variable, fault_t *fault,
               int (*add) (gate_t *gate, const char *domain, const char *range, fault_t *fault))
{
    char text [1024], *save = NULL;
    const char *value = getenv (variable);
    int length = snprintf (text, sizeof text, "%s", value ? value : "");
    if (length < 0 || (size_t) length >= sizeof text)
        return fault_set (fault, TROUPE_EINVAL, "%s is too long", variable);
    for (char *range = strtok_r (text, " ", &save); range; range = strtok_r (NULL, " ", &save))
        if (add (gate, DOMAIN_HEAD, range, fault) || add (gate, DOMAIN_PEERS, range, fault)) {
            fault_prefix (fault, "%s", variable);
            return -1;
        }
    return 0;
}

int
network_open (network_t *self, void *context, gate_log_t *log, fault_t *fault)
{
    if (!self->insecure && (keys_available (fault) || key_pair_new (&self->keys, fault)))
        return -1;
    self->gate = gate_new (context, log, NULL, fault);
    if (!self->gate || s_open_ranges (self->gate, "TROUPE_ALLOW", fault, gate_allow_range)
        || s_open_ranges (self->gate, "TROUPE_DENY", fault, gate_deny_range))
        return -1;
    files_raise ();
    gate_limit (self->gate, files_for_network (), files_for_address ());
    return self->insecure ? gate_allow_insecure (self->gate, DOMAIN_PEERS, fault)
                          : gate_let_wait (self->gate, DOMAIN_PEERS, fault);
}

int
network_close (network_t *self, fault_t *fault)
{
    if (gate_destroy (&self->gate))
        return fault_set (fault, TROUPE_ESYSTEM, "the gate's thread did not end");
    key_pair_wipe (&self->keys);
    key_pair_wipe (&self->admission);
    return 0;
}

int
network_serve (const network_t *self, void *socket, const key_pair_t *keys, const char *domain,
               fault_t *fault)
{
    int one = 1;
    int64_t largest = (int64_t) NETWORK_FRAME_MAX;
    if (socket_tcp (socket, fault))
        return -1;
    zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    /*  Who connects again takes the place of its old connection.           */
    zmq_setsockopt (socket, ZMQ_ROUTER_HANDOVER, &one, sizeof one);
    if (self->insecure ? socket_insecure_server (socket, domain, fault)
                       : socket_curve_server (socket, keys, domain, fault))
        return -1;
    return gate_watch (self->gate, socket, fault);
}

int
network_approach (const network_t *self, void *socket, const uint8_t key [KEY_SIZE],
                  const key_pair_t *shown, fault_t *fault)
{
    uint8_t name [8];
    if (socket_tcp (socket, fault))
        return -1;
    if (getrandom (name, sizeof name, 0) != sizeof name)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    /*  The same after the connection was made again; 0 is libzmq's own.    */
    name [0] |= 1;
    zmq_setsockopt (socket, ZMQ_ROUTING_ID, name, sizeof name);
    return self->insecure ? 0 : socket_curve_client (socket, key, shown, fault);
}
