/*  hosts_stranger.c - who has no key: connects often, says nothing or garbage;
    or watches an interface for a word: stranger idle|noise ADDRESS PORT COUNT,
    stranger watch INTERFACE WORD...                                         */

#include <arpa/inet.h>
#include <errno.h>
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

/*  Prints how many connections it holds, and holds them until a signal.    */
static int
s_crowd (bool noisy, const char *address, const char *port, unsigned count)
{
    unsigned made = 0;
    for (unsigned index = 0; index < count; index++) {
        int fd = s_connect (address, port);
        if (fd < 0)
            continue;
        made++;
        if (noisy)
            s_make_noise (fd, index);
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

int
main (int argc, char *argv [])
{
    struct sigaction action = { .sa_handler = s_end };
    sigaction (SIGTERM, &action, NULL);
    if (argc == 5 && (strcmp (argv [1], "idle") == 0 || strcmp (argv [1], "noise") == 0))
        return s_crowd (argv [1][0] == 'n', argv [2], argv [3], (unsigned) atoi (argv [4]));
    if (argc > 3 && strcmp (argv [1], "watch") == 0)
        return s_watch (argv [2], argv + 3);
    fprintf (stderr, "usage: hosts_stranger idle|noise ADDRESS PORT COUNT\n"
                     "       hosts_stranger watch INTERFACE WORD...\n");
    return 2;
}
