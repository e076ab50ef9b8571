/*  wire.c - joins two network interfaces as a cable would that is long, loses
    frames and is narrow: wire INTERFACE INTERFACE MILLISECONDS PERCENT-LOST
    [MEGABYTES-A-SECOND]                                                    */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*  The kernel hands over several segments at once, with a header of its own
    that says how they are to be cut.                                       */
#define FRAME_MAX ((size_t) 80 << 10)

typedef struct frame {
    struct frame *next;
    int64_t due;
    size_t size;
    uint8_t data [];
} frame_t;

/*  One direction.                                                          */
typedef struct {
    int from;
    int to;
    frame_t *first;
    frame_t *last;
    int64_t free;               /*  when all of it will have left           */
} lane_t;

/*  What the cable does to frames.                                          */
typedef struct {
    int64_t delay;
    unsigned percent;           /*  of them are lost                        */
    int64_t rate;               /*  bytes a millisecond; 0: any             */
} cable_t;

static int64_t
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
s_open (const char *interface)
{
    int one = 1, room = 16 << 20;
    int fd = socket (AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons (ETH_P_ALL));
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons (ETH_P_ALL),
                              .sll_ifindex = (int) if_nametoindex (interface) };
    if (fd < 0 || !at.sll_ifindex
        || setsockopt (fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one)
        || setsockopt (fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one)
        || bind (fd, (struct sockaddr *) &at, sizeof at)) {
        fprintf (stderr, "wire: %s: %s\n", interface, strerror (errno));
        exit (1);
    }
    setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt (fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return fd;
}

/*  The same frames are lost in each run that sends the same.               */
static int
s_is_lost (unsigned percent)
{
    static uint64_t state = UINT64_C (0x9e3779b97f4a7c15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % 100 < percent;
}

static void
s_take (lane_t *lane, const cable_t *cable)
{
    static uint8_t data [FRAME_MAX];
    ssize_t size;
    while ((size = recv (lane->from, data, sizeof data, 0)) > 0) {
        frame_t *frame
            = s_is_lost (cable->percent) ? NULL : malloc (sizeof *frame + (size_t) size);
        int64_t now = s_now ();
        if (!frame)
            continue;
        lane->free = lane->free > now ? lane->free : now;
        lane->free += cable->rate ? size * 1000000 / cable->rate : 0;
        *frame = (frame_t){ .due = lane->free + cable->delay, .size = (size_t) size };
        memcpy (frame->data, data, frame->size);
        if (lane->first)
            lane->last->next = frame;
        else
            lane->first = frame;
        lane->last = frame;
    }
}

/*  Sends what is due; a frame that cannot be sent is lost, as on a cable.  */
static void
s_give (lane_t *lane)
{
    while (lane->first && lane->first->due <= s_now ()) {
        frame_t *frame = lane->first;
        lane->first = frame->next;
        if (send (lane->to, frame->data, frame->size, 0) < 0 && errno != ENOBUFS
            && errno != EAGAIN && errno != ENETDOWN)
            perror ("wire: send");
        free (frame);
    }
}

int
main (int argc, char *argv [])
{
    if (argc < 5) {
        fprintf (stderr, "usage: wire INTERFACE INTERFACE MILLISECONDS PERCENT-LOST "
                         "[MEGABYTES-A-SECOND]\n");
        return 2;
    }
    int left = s_open (argv [1]), right = s_open (argv [2]);
    cable_t cable = { .delay = atoll (argv [3]) * 1000000,
                      .percent = (unsigned) atoi (argv [4]),
                      .rate = argc > 5 ? atoll (argv [5]) * 1000 : 0 };
    lane_t lanes [2] = { { .from = left, .to = right }, { .from = right, .to = left } };
    puts ("ready");
    fflush (stdout);
    for (;;) {
        struct pollfd items [2] = { { .fd = left, .events = POLLIN },
                                    { .fd = right, .events = POLLIN } };
        int64_t now = s_now (), wait = 1000000000;
        for (int index = 0; index < 2; index++)
            if (lanes [index].first && lanes [index].first->due - now < wait)
                wait = lanes [index].first->due > now ? lanes [index].first->due - now : 0;
        struct timespec patience = { wait / 1000000000, wait % 1000000000 };
        if (ppoll (items, 2, &patience, NULL) < 0 && errno != EINTR)
            return 1;
        for (int index = 0; index < 2; index++) {
            s_take (&lanes [index], &cable);
            s_give (&lanes [index]);
        }
    }
}
