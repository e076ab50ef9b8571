/*  stranger.c - a process that does not belong to the cluster and attacks it */

#include "tests/stranger.h"

#include "core/value.h"
#include "wire/frame.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

/*  Nothing here takes so long; it does not outlive a driver that hangs.    */
#define PATIENCE_SECONDS 60

#define SOCKETS_MAX 16
#define CHILDREN_MAX 16
#define CONNECTIONS 1000
#define COOKIE_SIZE 16

/*  --- finding ----------------------------------------------------------  */

/*  What an address of a socket has room for.                               */
#define NAME_SIZE 108
_Static_assert (sizeof ((struct sockaddr_un *) 0)->sun_path == NAME_SIZE, "names of sockets");

typedef struct {
    char name [NAME_SIZE];      /*  from '@'                                */
} target_t;

static target_t s_targets [SOCKETS_MAX];
static int s_target_count;

/*  True if the process has the socket with this inode among its files.     */
static bool
s_has_inode (int process, unsigned long inode)
{
    char path [600], link [64], wanted [64];
    snprintf (wanted, sizeof wanted, "socket:[%lu]", inode);
    snprintf (path, sizeof path, "/proc/%d/fd", process);
    DIR *folder = opendir (path);
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir (folder));) {
        snprintf (path, sizeof path, "/proc/%d/fd/%s", process, entry->d_name);
        ssize_t size = readlink (path, link, sizeof link - 1);
        link [size > 0 ? size : 0] = 0;
        found = strcmp (link, wanted) == 0;
    }
    if (folder)
        closedir (folder);
    return found;
}

static int
s_parent (const char *process)
{
    char path [300];
    int parent = 0;
    snprintf (path, sizeof path, "/proc/%s/stat", process);
    FILE *file = fopen (path, "r");
    if (file && fscanf (file, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    if (file)
        fclose (file);
    return parent;
}

int
stranger_children (int process, int *children, int room)
{
    DIR *folder = opendir ("/proc");
    int count = 0;
    for (struct dirent *entry; folder && count < room && (entry = readdir (folder));)
        if (isdigit ((unsigned char) entry->d_name [0]) && s_parent (entry->d_name) == process) {
            int place = count++;
            for (; place && children [place - 1] > atoi (entry->d_name); place--)
                children [place] = children [place - 1];
            children [place] = atoi (entry->d_name);
        }
    if (folder)
        closedir (folder);
    return count;
}

/*  The socket belongs to the target or to one of its children.             */
static bool
s_belongs (int target, unsigned long inode)
{
    int children [CHILDREN_MAX];
    int count = stranger_children (target, children, CHILDREN_MAX);
    bool found = s_has_inode (target, inode);
    while (!found && count--)
        found = s_has_inode (children [count], inode);
    return found;
}

static bool
s_is_target (const char *name)
{
    for (int index = 0; index < s_target_count; index++)
        if (strcmp (s_targets [index].name, name) == 0)
            return true;
    return false;
}

/*  Everybody can read the names of abstract sockets. State 01 listens. Stores
    do not speak ZeroMQ; test_store has garbage for them.                   */
static void
s_look (int target)
{
    char line [512], path [NAME_SIZE];
    unsigned state;
    unsigned long inode;
    FILE *file = fopen ("/proc/net/unix", "r");
    while (file && s_target_count < SOCKETS_MAX && fgets (line, sizeof line, file)) {
        if (sscanf (line, "%*s %*s %*s %*s %*s %x %lu %107s", &state, &inode, path) != 3
            || state != 1 || strncmp (path, "@troupe-", 8) != 0
            || strncmp (path, "@troupe-store-", 14) == 0 || s_is_target (path)
            || !s_belongs (target, inode))
            continue;
        memcpy (s_targets [s_target_count++].name, path, sizeof path);
    }
    if (file)
        fclose (file);
}

/*  The list comes in parts, and what others open and close in between can hide
    a socket from one who reads it: a look or two more find it.             */
static void
s_find (int target)
{
    for (int look = 0; look < 3; look++)
        s_look (target);
}

int
stranger_count_sockets (int target)
{
    s_target_count = 0;
    s_find (target);
    return s_target_count;
}

/*  --- connections without libzmq ---------------------------------------  */

static int s_files [CONNECTIONS];
static int s_file_count;

/*  Connects and keeps the connection for the end.                          */
static int
s_connect (const target_t *target)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen (target->name);
    memcpy (address.sun_path, target->name, length);
    address.sun_path [0] = 0;
    int file = s_file_count < CONNECTIONS ? socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (file < 0)
        return -1;
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
    if (connect (file, (struct sockaddr *) &address, size)) {
        close (file);
        return -1;
    }
    return s_files [s_file_count++] = file;
}

/*  The other side may have closed, which is its right.                     */
static void
s_write (int file, const void *data, size_t size)
{
    while (size) {
        ssize_t put = send (file, data, size, MSG_NOSIGNAL);
        if (put <= 0)
            return;
        data = (const uint8_t *) data + put;
        size -= (size_t) put;
    }
}

/*  The greeting of ZMTP 3.0, and the one command of the NULL mechanism.    */
static void
s_greet (int file, const char *mechanism)
{
    static const uint8_t ready []
        = { 0x04, 25,  0x05, 'R', 'E', 'A', 'D', 'Y', 11,  'S', 'o', 'c', 'k', 'e',
            't',  '-', 'T',  'y', 'p', 'e', 0,   0,   0,   6,   'D', 'E', 'A', 'L', 'E', 'R' };
    uint8_t greeting [64] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0 };
    uint8_t command [sizeof ready];
    memcpy (greeting + 12, mechanism, strlen (mechanism));
    memcpy (command, ready, sizeof ready);
    command [1] = sizeof ready - 2;
    s_write (file, greeting, sizeof greeting);
    s_write (file, command, sizeof command);
}

/*  The head of a long frame.                                               */
static void
s_claim (int file, uint64_t size)
{
    uint8_t head [9] = { 0x02 };
    for (int index = 0; index < 8; index++)
        head [1 + index] = (uint8_t) (size >> (56 - 8 * index));
    s_write (file, head, sizeof head);
}

/*  --- connections with libzmq ------------------------------------------  */

static void *s_context;
static void *s_sockets [SOCKETS_MAX];

static int
s_open_sockets (void)
{
    int no_wait = 0;
    s_context = zmq_ctx_new ();
    for (int index = 0; s_context && index < s_target_count; index++) {
        char endpoint [NAME_SIZE + 8];
        snprintf (endpoint, sizeof endpoint, "ipc://%.*s", NAME_SIZE, s_targets [index].name);
        s_sockets [index] = zmq_socket (s_context, ZMQ_DEALER);
        zmq_setsockopt (s_sockets [index], ZMQ_LINGER, &no_wait, sizeof no_wait);
        if (!s_sockets [index] || zmq_connect (s_sockets [index], endpoint))
            return -1;
    }
    return s_context ? 0 : -1;
}

/*  Sends to all, with or without an end of the message.                    */
static void
s_send_all (const void *data, size_t size, bool more)
{
    for (int index = 0; index < s_target_count; index++)
        zmq_send (s_sockets [index], data, size, more ? ZMQ_SNDMORE : 0);
}

static void
s_send_frame (bytes_t *frame)
{
    s_send_all (frame->data, frame->size, false);
    bytes_clear (frame);
}

/*  How many messages have come.                                            */
static int
s_answers (void)
{
    int count = 0;
    char byte;
    for (int index = 0; index < s_target_count; index++)
        while (s_sockets [index] && zmq_recv (s_sockets [index], &byte, 1, ZMQ_DONTWAIT) >= 0)
            count++;
    return count;
}

static void
s_close_sockets (void)
{
    for (int index = 0; index < s_target_count; index++)
        if (s_sockets [index])
            zmq_close (s_sockets [index]);
    if (s_context)
        zmq_ctx_term (s_context);
}

/*  --- records ----------------------------------------------------------  */

/*  One record of every type, with a process and a body that could do harm.
    The process of an incarnation is not known, its number is guessed.      */
static void
s_append_harm (bytes_t *frame, process_t process)
{
    static const uint8_t body [] = "killed by a stranger";
    for (uint8_t type = RECORD_WELCOME; type < RECORD_TYPE_LIMIT; type++) {
        record_t record = { .type = type,
                            .flags = type == RECORD_WORKER_LOST ? RECORD_KILL : ROLE_DRIVER,
                            .id = { process, 1 },
                            .target = process,
                            .number = 1,
                            .body = body,
                            .body_size = sizeof body };
        record_write (frame, &record);
    }
}

/*  A HELLO that would do, but for its cookie.                              */
static void
s_append_hello (bytes_t *frame, const uint8_t *cookie, size_t cookie_size, bool list)
{
    bytes_t body = { 0 };
    bytes_append (&body, cookie, cookie_size);
    if (list) {
        value_put_array (&body, 6);
        value_put_string (&body, "ipc://@stranger", 15);
        value_put_string (&body, "driver (pid 1)", 14);
        value_put_uint (&body, 1);
        value_put_uint (&body, 1);
        value_put_uint (&body, 1);
        value_put_string (&body, "square", 6);
    }
    record_t hello = { .type = RECORD_HELLO,
                       .flags = ROLE_DRIVER,
                       .id = { 1, 0 },
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    record_write (frame, &hello);
    bytes_release (&body);
}

/*  --- attacks ----------------------------------------------------------  */

/*  Bytes that are no ZMTP, or stop being it at some place.                 */
static int
s_garbage (void)
{
    uint8_t noise [4096];
    for (int round = 0; round < 40; round++) {
        int file = s_connect (&s_targets [round % s_target_count]);
        if (file < 0 || getrandom (noise, sizeof noise, 0) != sizeof noise)
            return -1;
        noise [0] = round & 1 ? 0xff : noise [0];
        if (round % 4 == 3)
            s_greet (file, "NULL");
        if (round % 8 == 2)
            s_greet (file, "PLAIN");
        s_write (file, noise, round % 5 ? sizeof noise : (size_t) round);
        if (round % 3)
            shutdown (file, SHUT_WR);
    }
    return 0;
}

static int
s_without_hello (void)
{
    bytes_t frame = { 0 };
    if (s_open_sockets ())
        return -1;
    for (unsigned round = 0; round < 2000; round++) {
        s_append_harm (&frame, round);
        s_send_frame (&frame);
    }
    bytes_release (&frame);
    return 0;
}

static int
s_wrong_cookie (void)
{
    bytes_t frame = { 0 };
    uint8_t cookie [COOKIE_SIZE] = { 0 };
    if (s_open_sockets ())
        return -1;
    for (unsigned round = 0; round < 2000; round++) {
        size_t size = round % 5 == 4 ? round % COOKIE_SIZE : COOKIE_SIZE;
        s_append_hello (&frame, cookie, size, round & 1);
        s_append_harm (&frame, round);
        s_send_frame (&frame);
        if (getrandom (cookie, sizeof cookie, 0) != sizeof cookie)
            return -1;
    }
    bytes_release (&frame);
    return 0;
}

/*  Frames of ZMTP that are longer than what follows, which is kept open; and
    frames of ours whose sizes are not true.                                */
static int
s_huge_claims (void)
{
    static const uint64_t sizes [] = { UINT64_MAX, INT64_MAX, UINT64_C (1) << 62, UINT32_MAX,
                                       UINT64_C (1) << 30, UINT64_C (1) << 29 };
    bytes_t frame = { 0 };
    for (unsigned round = 0; round < 24; round++) {
        int file = s_connect (&s_targets [round % (unsigned) s_target_count]);
        if (file < 0)
            return -1;
        s_greet (file, "NULL");
        s_claim (file, sizes [round % 6]);
        s_write (file, "a beginning", 11);
    }
    if (s_open_sockets ())
        return -1;
    for (size_t offset = 2; offset < FRAME_HEADER + RECORD_HEADER; offset += 2) {
        uint8_t cookie [COOKIE_SIZE] = { 0 };
        s_append_hello (&frame, cookie, sizeof cookie, true);
        store_u16 (frame.data + offset, UINT16_MAX);
        s_send_frame (&frame);
    }
    bytes_release (&frame);
    return 0;
}

/*  Some say nothing, some greet, some send half a frame.                   */
static int
s_many_connections (void)
{
    struct rlimit files;
    if (getrlimit (RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit (RLIMIT_NOFILE, &files);
    }
    for (int round = 0; round < CONNECTIONS; round++) {
        int file = s_connect (&s_targets [round % s_target_count]);
        if (file < 0)
            return -1;
        if (round % 4)
            s_greet (file, "NULL");
        if (round % 4 == 2)
            s_claim (file, 1000);
        if (round % 4 == 3)
            s_write (file, "\x00\x05short", 7);
    }
    return 0;
}

/*  Messages of too many parts, of empty ones, and without an end.          */
static int
s_truncated (void)
{
    static const uint8_t part [4096];
    bytes_t frame = { 0 };
    if (s_open_sockets ())
        return -1;
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned count = 0; count < round % 7; count++)
            s_send_all (part, round % 3 ? sizeof part : 0, true);
        s_append_harm (&frame, round);
        s_send_frame (&frame);
    }
    s_append_harm (&frame, 1);
    s_send_all (frame.data, frame.size, true);
    for (unsigned count = 0; count < 500; count++)
        s_send_all (part, sizeof part, true);
    bytes_release (&frame);
    return 0;
}

/*  As another user: the connection ends before anything was said.          */
static int
s_other_user (void)
{
    if (setgid (65534) || setuid (65534))
        return -1;
    for (int index = 0; index < s_target_count; index++) {
        char byte;
        int file = s_connect (&s_targets [index]);
        if (file < 0)
            return -1;
        s_greet (file, "NULL");
        if (recv (file, &byte, 1, 0) > 0) {
            fprintf (stderr, "stranger: another user was greeted\n");
            return -1;
        }
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run) (void);
} s_attacks [] = { { "garbage", s_garbage },
                   { "without_hello", s_without_hello },
                   { "wrong_cookie", s_wrong_cookie },
                   { "huge_claims", s_huge_claims },
                   { "many_connections", s_many_connections },
                   { "truncated", s_truncated },
                   { "other_user", s_other_user } };

static int
s_attack (const char *name)
{
    for (size_t index = 0; index < sizeof s_attacks / sizeof *s_attacks; index++)
        if (strcmp (s_attacks [index].name, name) == 0)
            return s_attacks [index].run ();
    return -1;
}

int
stranger_run (const char *attack, int target)
{
    char byte;
    alarm (PATIENCE_SECONDS);
    s_find (target);
    int rc = s_target_count ? s_attack (attack) : -1;
    if (rc)
        fprintf (stderr, "stranger: %s: %s\n", attack, strerror (errno));
    printf ("%d\n", s_target_count);
    fflush (stdout);
    while (read (STDIN_FILENO, &byte, 1) > 0)
        ;
    int answers = s_answers ();
    if (answers)
        fprintf (stderr, "stranger: %s: %d answers\n", attack, answers);
    while (s_file_count)
        close (s_files [--s_file_count]);
    s_close_sockets ();
    return rc || answers ? 1 : 0;
}
