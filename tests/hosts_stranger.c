/*  hosts_stranger.c - who has no key: connects often, says nothing, garbage or
    half of what one says; watches an interface for a word; stands between others
    and repeats what they said. See s_usage.                                 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t s_ended;

static void
s_end (int signal)
{
    (void) signal;
    s_ended = 1;
}

static int
s_connect (const char *address, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) atoi (port)) };
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton (AF_INET, address, &to.sin_addr) != 1
        || connect (fd, (struct sockaddr *) &to, sizeof to)) {
        if (fd >= 0)
            close (fd);
        return -1;
    }
    return fd;
}

/*  Half of it begins as a ZMTP greeting does.                              */
static void
s_make_noise (int fd, unsigned seed)
{
    uint8_t data [512];
    srandom (seed);
    for (size_t index = 0; index < sizeof data; index++)
        data [index] = (uint8_t) random ();
    if (seed % 2) {
        memset (data, 0, 64);
        data [0] = 0xff;
        data [8] = 1;
        data [9] = 0x7f;
        data [10] = 3;
        memcpy (data + 12, seed % 4 == 1 ? "NULL" : "CURVE", 5);
    }
    if (send (fd, data, sizeof data, MSG_NOSIGNAL) < 0)
        perror ("send");
}

/*  A greeting as it should be, and nothing more.                           */
static void
s_stall (int fd)
{
    uint8_t greeting [64] = { 0xff, [8] = 1, [9] = 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E' };
    if (send (fd, greeting, sizeof greeting, MSG_NOSIGNAL) < 0)
        perror ("send");
}

/*  Prints how many connections it has made, and holds them until a signal, but
    for the brief.                                                          */
static int
s_crowd (const char *how, const char *address, const char *port, unsigned count)
{
    unsigned made = 0;
    for (unsigned index = 0; index < count; index++) {
        int fd = s_connect (address, port);
        if (fd < 0)
            continue;
        made++;
        if (strcmp (how, "noise") == 0)
            s_make_noise (fd, index);
        else if (strcmp (how, "stall") == 0)
            s_stall (fd);
        else if (strcmp (how, "brief") == 0)
            close (fd);
    }
    printf ("connected %u pid %d\n", made, (int) getpid ());
    fflush (stdout);
    while (!s_ended)
        poll (NULL, 0, 100);
    return 0;
}

/*  Prints how many frames passed, and how many of them had each word.      */
static int
s_watch (const char *interface, char *words [])
{
    static uint8_t data [128 << 10];
    unsigned long frames = 0, bytes = 0, found [16] = { 0 };
    int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons (ETH_P_ALL));
    int room = 64 << 20;
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons (ETH_P_ALL),
                              .sll_ifindex = (int) if_nametoindex (interface) };
    if (fd < 0 || bind (fd, (struct sockaddr *) &at, sizeof at)) {
        perror (interface);
        return 1;
    }
    setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    printf ("watching pid %d\n", (int) getpid ());
    fflush (stdout);
    for (;;) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        bool ended = s_ended;
        ssize_t size = poll (&item, 1, ended ? 0 : 100) > 0
                           ? recv (fd, data, sizeof data, MSG_DONTWAIT)
                           : -1;
        if (size <= 0 && ended)
            break;      /*  what had come by then has been looked at        */
        if (size <= 0)
            continue;
        frames++;
        bytes += (unsigned long) size;
        for (int word = 0; words [word] && word < 16; word++)
            if (memmem (data, (size_t) size, words [word], strlen (words [word]))
                && found [word]++ == 0) {
                printf ("saw %s\n", words [word]);
                fflush (stdout);
            }
    }
    printf ("frames %lu bytes %lu", frames, bytes);
    for (int word = 0; words [word] && word < 16; word++)
        printf (" %s=%lu", words [word], found [word]);
    putchar ('\n');
    return 0;
}

/*  --- between two ------------------------------------------------------- */

/*  What has come on one side goes to the other. Returns -1 at its end.     */
static int
s_pass (int from, int to, int file)
{
    static uint8_t data [64 << 10];
    ssize_t size = recv (from, data, sizeof data, 0);
    if (size <= 0 || (file >= 0 && write (file, data, (size_t) size) != size))
        return -1;
    for (ssize_t done = 0, put; done < size; done += put)
        if ((put = send (to, data + done, (size_t) (size - done), MSG_NOSIGNAL)) <= 0)
            return -1;
    return 0;
}

/*  Takes one connection to its own port, which it passes on to another place,
    and keeps what was said by who connected.                               */
static int
s_relay (const char *port, const char *address, const char *to, const char *path)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) atoi (port)) };
    int server = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int file = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || bind (server, (struct sockaddr *) &at, sizeof at) || listen (server, 1)) {
        perror (path);
        return 1;
    }
    printf ("listening pid %d\n", (int) getpid ());
    fflush (stdout);
    int client = accept (server, NULL, NULL), head = client < 0 ? -1 : s_connect (address, to);
    struct pollfd items [] = { { .fd = client, .events = POLLIN }, { .fd = head, .events = POLLIN } };
    while (head >= 0 && !s_ended && poll (items, 2, 100) >= 0)
        if ((items [0].revents && s_pass (client, head, file))
            || (items [1].revents && s_pass (head, client, -1)))
            break;
    return close (file) ? 1 : 0;
}

/*  Says again what is in a file, as often: all at once, or by turns as its
    first speaker did, who had to hear an answer before he went on. Prints how
    often the other side ended it.                                          */
static int
s_replay (const char *address, const char *port, const char *path, int count)
{
    static uint8_t said [1 << 20], heard [4096];
    int file = open (path, O_RDONLY | O_CLOEXEC), ended = 0;
    ssize_t size = file < 0 ? -1 : read (file, said, sizeof said);
    for (int index = 0; size > 64 && index < count; index++) {
        int fd = s_connect (address, port);
        struct pollfd item = { .fd = fd, .events = POLLIN };
        ssize_t step = index % 2 ? size : 64, got = 1;
        for (ssize_t done = 0; fd >= 0 && done < size && got > 0; done += step) {
            step = step < size - done ? step : size - done;
            if (send (fd, said + done, (size_t) step, MSG_NOSIGNAL) < 0)
                break;
            if (poll (&item, 1, 20) > 0)
                got = recv (fd, heard, sizeof heard, 0);
        }
        while (fd >= 0 && got > 0 && poll (&item, 1, 8000) > 0)
            got = recv (fd, heard, sizeof heard, 0);
        ended += fd >= 0 && got <= 0;
        if (fd >= 0)
            close (fd);
    }
    printf ("replayed %zd bytes, ended %d of %d\n", size, ended, count);
    return size > 64 ? 0 : 1;
}

static const char s_usage []
    = "usage: hosts_stranger idle|noise|stall|brief ADDRESS PORT COUNT\n"
      "       hosts_stranger watch INTERFACE WORD...\n"
      "       hosts_stranger relay PORT ADDRESS PORT FILE\n"
      "       hosts_stranger replay ADDRESS PORT FILE COUNT\n";

int
main (int argc, char *argv [])
{
    struct sigaction action = { .sa_handler = s_end };
    sigaction (SIGTERM, &action, NULL);
    const char *verb = argc > 1 ? argv [1] : "";
    if (argc == 5 && strcmp (verb, "watch"))
        return s_crowd (verb, argv [2], argv [3], (unsigned) atoi (argv [4]));
    if (argc > 3 && strcmp (verb, "watch") == 0)
        return s_watch (argv [2], argv + 3);
    if (argc == 6 && strcmp (verb, "relay") == 0)
        return s_relay (argv [2], argv [3], argv [4], argv [5]);
    if (argc == 6 && strcmp (verb, "replay") == 0)
        return s_replay (argv [2], argv [3], argv [4], atoi (argv [5]));
    fputs (s_usage, stderr);
    return 2;
}
