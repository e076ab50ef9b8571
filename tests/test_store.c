/*  test_store.c - the object store of a machine: objects and who keeps them,
    memory that is bounded, disk, clients that die or say something else      */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/chance.h"
#include "tests/sanitized.h"
#include "tests/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/*  While this is set, no thread but those of tests gets more memory for what it
    has already.                                                            */
static atomic_bool s_failing;
static _Thread_local bool s_exempt;

void *__real_realloc (void *old, size_t size);
void *__wrap_realloc (void *old, size_t size);

void *
__wrap_realloc (void *old, size_t size)
{
    return atomic_load (&s_failing) && !s_exempt ? NULL : __real_realloc (old, size);
}

static void
test_put_and_read (void **state)
{
    (void) state;
    static const uint64_t sizes [] = { 0, 1, 7, 65535, 65536, 65537, 3 * MB + 5 };
    enum { COUNT = sizeof sizes / sizeof *sizes };
    fixture_t self;
    tid_t ids [COUNT];
    fixture_open (&self, 64 * MB, false);
    store_client_t *reader = store_client_new (store_endpoint (self.store), 2);
    for (size_t index = 0; index < COUNT; index++)
        ids [index] = fixture_put (self.client, sizes [index], index, 1);
    for (size_t index = 0; index < COUNT; index++)
        assert_true (fixture_verify (reader, ids [index], sizes [index], index));
    AWAIT (self.store, pinned, 0);
    AWAIT (self.store, objects, COUNT);
    for (size_t index = 0; index < COUNT; index++)
        store_client_release (self.client, ids [index], 1, false);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, objects, 0);
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    assert_int_equal (store_client_pin (reader, ids [0], 0, &data, &kind, &fault), -1);
    assert_non_null (strstr (fault.text, "no longer held"));
    store_client_destroy (&reader);
    fixture_close (&self);
}

/*  2 GiB and a byte, of which the ends are touched.                        */
static void
test_sparse (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    tid_t id;
    uint8_t *data, kind;
    const uint8_t *read;
    uint64_t size = ((uint64_t) 2 << 30) + 1;
    if (SANITIZED_THREADS)
        skip ();
    fixture_open (&self, ((uint64_t) 2 << 30) + MB, false);
    assert_int_equal (store_client_create (self.client, size, &id, &data, &fault), 0);
    data [0] = 1;
    data [size - 1] = 2;
    store_client_seal (self.client, id, size, OBJECT_BYTES, 1, true);
    assert_int_equal (store_client_pin (self.client, id, size, &read, &kind, &fault), 0);
    assert_true (read [0] == 1 && read [size - 1] == 2 && read [size / 2] == 0);
    store_client_unpin (self.client, id);
    store_client_release (self.client, id, 1, false);
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

static int
s_write_in_child (const uint8_t *data)
{
    pid_t child = fork ();
    if (child == 0) {
        signal (SIGSEGV, SIG_DFL);
        *(volatile uint8_t *) (uintptr_t) data = 1;
        _exit (0);
    }
    int status = 0;
    waitpid (child, &status, 0);
    return status;
}

static void
test_readers_cannot_write (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    fixture_open (&self, 16 * MB, false);
    tid_t id = fixture_put (self.client, 100000, 5, 1);
    assert_int_equal (store_client_pin (self.client, id, 100000, &data, &kind, &fault), 0);
    int status = s_write_in_child (data);
    assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGSEGV);
    assert_true (fixture_is_filled (data, 100000, 5));
    fixture_close (&self);
}

static int
s_connect_raw (const store_t *store)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = store_endpoint (store);
    memcpy (address.sun_path + 1, name, strlen (name));
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + strlen (name));
    int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, size), 0);
    return fd;
}

/*  The descriptor that comes with WELCOME.                                 */
static int
s_receive_memory (int fd)
{
    store_message_t message = { .type = STORE_HELLO, .size = STORE_VERSION, .holder = 5 };
    union {
        struct cmsghdr head;
        char room [CMSG_SPACE (sizeof (int))];
    } control;
    struct iovec part = { &message, sizeof message };
    struct msghdr packet = { .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control };
    int memory = -1;
    assert_int_equal (send (fd, &message, sizeof message, 0), sizeof message);
    assert_int_equal (recvmsg (fd, &packet, MSG_CMSG_CLOEXEC), sizeof message);
    assert_int_equal (message.type, STORE_WELCOME);
    assert_non_null (CMSG_FIRSTHDR (&packet));
    memcpy (&memory, CMSG_DATA (CMSG_FIRSTHDR (&packet)), sizeof memory);
    return memory;
}

/*  No client takes the ground from under another's mapping.                */
static void
test_seals (void **state)
{
    (void) state;
    fixture_t self;
    fixture_open (&self, 16 * MB, false);
    int fd = s_connect_raw (self.store), memory = s_receive_memory (fd);
    assert_int_equal (fcntl (memory, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    assert_int_equal (ftruncate (memory, 8 * MB), -1);
    assert_int_equal (errno, EPERM);
    assert_int_equal (ftruncate (memory, 32 * MB), -1);
    assert_int_equal (fcntl (memory, F_ADD_SEALS, F_SEAL_WRITE), -1);
    close (memory);
    close (fd);
    AWAIT (self.store, clients, 0);
    fixture_close (&self);
}

static void
test_holds (void **state)
{
    (void) state;
    fixture_t self;
    fixture_open (&self, 16 * MB, false);
    tid_t id = fixture_put (self.client, 100000, 5, 9);
    AWAIT (self.store, objects, 1);
    /*  Another way may be faster: given back before it was given.          */
    store_client_release (self.client, id, 8, false);
    store_client_hold (self.client, id, 8, false);
    store_client_hold (self.client, id, 7, false);
    store_client_release (self.client, id, 9, false);
    assert_true (fixture_verify (self.client, id, 100000, 5));
    AWAIT (self.store, objects, 1);
    store_process_down (self.store, 7, "killed");
    AWAIT (self.store, objects, 0);
    /*  What ended had given back more than it had.                         */
    id = fixture_put (self.client, 100000, 5, 9);
    store_client_release (self.client, id, 6, false);
    assert_true (fixture_verify (self.client, id, 100000, 5));
    store_process_down (self.store, 6, "killed");
    AWAIT (self.store, objects, 1);
    store_client_release (self.client, id, 9, false);
    AWAIT (self.store, objects, 0);
    /*  A hold for a process that has gone is none.                         */
    id = fixture_put (self.client, 100000, 5, 7);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

/*  Passes on a hold of an object to process 1, and ends; who is told claims it. */
static void
s_pass_on (fixture_t *self, tid_t id, process_t giver, bool claimed, bool released)
{
    store_client_t *client = store_client_new (store_endpoint (self->store), giver);
    if (claimed && giver % 2)
        store_client_claim (self->client, id, 1);
    store_client_hold (client, id, 1, true);
    if (released)
        store_client_release (client, id, 1, true);
    /*  What it has said has been read when this is answered.               */
    assert_true (fixture_verify (client, id, 100000, 5));
    if (claimed && giver % 2 == 0)
        store_client_claim (self->client, id, 1);
    assert_true (fixture_verify (self->client, id, 100000, 5));
    store_client_destroy (&client);
    AWAIT (self->store, clients, 1);
}

/*  Whether the report says so of an object.                                */
static bool
s_is_reported (store_t *store, const char *state)
{
    bytes_t report = { 0 };
    assert_int_equal (store_report (store, 10, &report), 0);
    bool is = memmem (report.data, report.size, state, strlen (state)) != NULL;
    bytes_release (&report);
    return is;
}

/*  A hold that was passed on ends with who passed it on, unless its holder has
    heard of it; not before, and not more than that one.                    */
static void
test_passed_on (void **state)
{
    (void) state;
    const int64_t patience = 200 * CLOCK_MS;
    fixture_t self;
    fixture_open_of (&self, (store_options_t){ .memory = 16 * MB, .claim_patience = patience },
                     false);
    for (process_t giver = 10; giver < 16; giver++) {
        bool claimed = giver < 12;
        tid_t id = fixture_put (self.client, 100000, 5, 1);
        store_client_claim (self.client, id, 1);
        s_pass_on (&self, id, giver, claimed, giver >= 14);
        assert_int_equal (s_is_reported (self.store, "unclaimed"), giver == 12 || giver == 13);
        /*  Given back beforehand: if it were there still, one would be left. */
        store_client_release (self.client, id, 1, false);
        if (giver < 14)
            assert_true (fixture_verify (self.client, id, 100000, 5));
        if (claimed) {
            poll (NULL, 0, (int) (2 * patience / CLOCK_MS));
            assert_true (fixture_verify (self.client, id, 100000, 5));
            store_client_release (self.client, id, 1, false);
        }
        AWAIT (self.store, objects, 0);
    }
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

/*  A hold for which there is no memory is not taken for given: the process is
    told, and what others hold stays.                                       */
static void
test_hold_without_memory (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    tid_t other;
    uint8_t *data;
    fixture_open (&self, 16 * MB, false);
    store_client_t *client = store_client_new (store_endpoint (self.store), 2);
    tid_t id = fixture_put (self.client, 100000, 5, 1);
    assert_true (fixture_verify (client, id, 100000, 5));
    s_exempt = true;
    atomic_store (&s_failing, true);
    store_client_hold (client, id, 2, false);
    for (int64_t until = clock_now () + PATIENCE;
         clock_now () < until && store_client_create (client, MB, &other, &data, &fault) == 0;)
        store_client_abort (client, other);
    atomic_store (&s_failing, false);
    assert_int_equal (fault.code, TROUPE_ELOST);
    assert_true (fixture_verify (self.client, id, 100000, 5));
    store_client_release (self.client, id, 1, false);
    store_client_destroy (&client);
    AWAIT (self.store, objects, 0);
    fixture_close (&self);
}

/*  One process gives a hold, and tells another, which gives up the last one: the
    store reads from both, in whichever order.                              */
static void
test_hold_passed_on (void **state)
{
    (void) state;
    enum { ROUNDS = 2000 };
    fixture_t self;
    fixture_open (&self, 16 * MB, false);
    store_client_t *other = store_client_new (store_endpoint (self.store), 2);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        tid_t id = fixture_put (self.client, 4096, round, 1);
        for (uint64_t count = 0; count < round % 8; count++)
            store_client_prefetch (self.client, id, 4096);
        store_client_hold (other, id, 2, false);
        store_client_release (self.client, id, 1, false);
        assert_true (fixture_verify (other, id, 4096, round));
        store_client_release (other, id, 2, false);
    }
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    store_client_destroy (&other);
    fixture_close (&self);
}

/*  Who reads reads on, though nobody holds it and memory is wanted.        */
static void
test_read_without_holder (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    fixture_open (&self, 4 * MB, false);
    tid_t id = fixture_put (self.client, 2 * MB, 5, 1);
    assert_int_equal (store_client_pin (self.client, id, 2 * MB, &data, &kind, &fault), 0);
    store_client_release (self.client, id, 1, false);
    for (uint64_t round = 0; round < 20; round++) {
        tid_t other = fixture_put (self.client, MB, round, 1);
        store_client_release (self.client, other, 1, false);
    }
    AWAIT (self.store, objects, 1);
    assert_true (fixture_is_filled (data, 2 * MB, 5));
    store_client_unpin (self.client, id);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

/*  How much of the memory with that name this process has in large pages, kB.  */
static unsigned long
s_large_kb (const char *name)
{
    char line [512];
    unsigned long kb, sum = 0;
    bool inside = false;
    FILE *file = fopen ("/proc/self/smaps", "re");
    assert_non_null (file);
    while (fgets (line, sizeof line, file)) {
        if (strstr (line, "/memfd:"))
            inside = strstr (line, name) != NULL;
        else if (inside && sscanf (line, "ShmemPmdMapped: %lu kB", &kb) == 1)
            sum += kb;
    }
    fclose (file);
    return sum;
}

/*  Whether this machine gives a large page to who asks for one.            */
static bool
s_gets_large_page (void)
{
    enum { LARGE = 2 << 20, ROOM = 2 * LARGE };
    int file = memfd_create ("probe", MFD_CLOEXEC);
    assert_true (file >= 0 && ftruncate (file, ROOM) == 0);
    uint8_t *reserved = mmap (NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *at = reserved + (LARGE - (uintptr_t) reserved % LARGE) % LARGE;
    assert_ptr_equal (
        mmap (at, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0), at);
    at [0] = 1;
    madvise (at, LARGE, MADV_COLLAPSE);
    bool large = s_large_kb ("probe") > 0;
    munmap (reserved, ROOM);
    close (file);
    return large;
}

/*  What is filled lies in large pages, where the system has some.          */
static void
test_large_pages (void **state)
{
    (void) state;
    bool got = false, could = false;
    for (int round = 0; round < 5 && !got; round++) {
        fixture_t self;
        fixture_open (&self, 64 * MB, false);
        if (s_gets_large_page ()) {
            could = true;
            fixture_put (self.client, 32 * MB, 5, 1);
            got = s_large_kb ("troupe-objects") > 0;
        }
        fixture_close (&self);
    }
    if (!could)
        skip ();
    assert_true (got);
}

/*  --- memory is bounded ------------------------------------------------  */

static void
test_too_large (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    tid_t id;
    uint8_t *data;
    fixture_open (&self, 16 * MB, true);
    tid_t first = fixture_put (self.client, 8 * MB, 1, 1);
    assert_int_equal (store_client_create (self.client, 17 * MB, &id, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESIZE);
    assert_non_null (strstr (fault.text, "more than the object store has"));
    assert_true (fixture_verify (self.client, first, 8 * MB, 1));
    fixture_close (&self);
}

static void
test_spill_and_restore (void **state)
{
    (void) state;
    enum { COUNT = 40 };
    fixture_t self;
    tid_t ids [COUNT];
    store_figures_t figures;
    fixture_open (&self, 16 * MB, true);
    for (uint64_t index = 0; index < COUNT; index++)
        ids [index] = fixture_put (self.client, 2 * MB - index, index, 1);
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (fixture_verify (self.client, ids [index], 2 * MB - index, index));
    for (uint64_t index = COUNT; index--;)
        assert_true (fixture_verify (self.client, ids [index], 2 * MB - index, index));
    store_figures (self.store, &figures);
    assert_true (figures.spills >= 24 * 2 * MB - COUNT * 40);
    assert_true (figures.restores > 0 && figures.used <= 16 * MB);
    for (uint64_t index = 0; index < COUNT; index++)
        store_client_release (self.client, ids [index], 1, false);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, spilled, 0);
    fixture_close (&self);
}

/*  A full disk: the put that needs it fails, and nothing else.             */
static void
test_disk_full (void **state)
{
    (void) state;
    enum { COUNT = 8 };
    fixture_t self;
    fault_t fault;
    tid_t ids [COUNT], more;
    uint8_t *data;
    fixture_open (&self, 16 * MB, true);
    for (uint64_t index = 0; index < COUNT; index++)
        ids [index] = fixture_put (self.client, 2 * MB, index, 1);
    store_inject (self.store, ENOSPC, 0, 1000);
    assert_int_equal (store_client_create (self.client, 2 * MB, &more, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESYSTEM);
    assert_non_null (strstr (fault.text, "No space left"));
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (fixture_verify (self.client, ids [index], 2 * MB, index));
    AWAIT (self.store, spilled, 0);
    store_inject (self.store, 0, 0, 0);
    more = fixture_put (self.client, 2 * MB, 99, 1);
    assert_true (fixture_verify (self.client, more, 2 * MB, 99));
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (fixture_verify (self.client, ids [index], 2 * MB, index));
    fixture_close (&self);
}

static void
test_disk_errors (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    fixture_open (&self, 8 * MB, true);
    tid_t first = fixture_put (self.client, 6 * MB, 1, 1);
    tid_t second = fixture_put (self.client, 6 * MB, 2, 1);
    store_inject (self.store, 0, EIO, 1);
    assert_int_equal (store_client_pin (self.client, first, 6 * MB, &data, &kind, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESYSTEM);
    assert_non_null (strstr (fault.text, "Input/output error"));
    /*  The disk is good again, and both are there.                         */
    assert_true (fixture_verify (self.client, second, 6 * MB, 2));
    assert_true (fixture_verify (self.client, first, 6 * MB, 1));
    /*  What is read is not what was written.                               */
    assert_true (fixture_verify (self.client, second, 6 * MB, 2));
    store_inject (self.store, 0, -1, 1);
    assert_int_equal (store_client_pin (self.client, first, 6 * MB, &data, &kind, &fault), -1);
    assert_non_null (strstr (fault.text, "checksum"));
    fixture_close (&self);
}

typedef struct {
    fixture_t *fixture;
    tid_t id;
    int rc;
} putter_t;

static void *
s_put_more (void *arg)
{
    putter_t *self = arg;
    fault_t fault;
    uint8_t *data;
    self->rc = store_client_create (self->fixture->client, 12 * MB, &self->id, &data, &fault);
    return NULL;
}

/*  Who wants memory waits until there is some, and does not disturb others. */
static void
test_held_back (void **state)
{
    (void) state;
    fixture_t self;
    pthread_t thread;
    putter_t putter = { .fixture = &self };
    fixture_open (&self, 16 * MB, false);
    tid_t first = fixture_put (self.client, 12 * MB, 1, 1);
    pthread_create (&thread, NULL, s_put_more, &putter);
    AWAIT (self.store, waiting, 1);
    assert_true (fixture_verify (self.client, first, 12 * MB, 1));
    store_client_release (self.client, first, 1, false);
    pthread_join (thread, NULL);
    assert_int_equal (putter.rc, 0);
    store_client_abort (self.client, putter.id);
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

/*  What cannot be had says what the memory is taken up by; nothing is lost. */
static void
test_full (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    const uint8_t *read;
    uint8_t kind, *data;
    tid_t filling, more;
    fixture_open_of (&self,
                     (store_options_t){ .memory = 16 * MB, .room_patience = 50 * CLOCK_MS },
                     false);
    tid_t first = fixture_put (self.client, 3 * MB, 1, 1);
    tid_t pinned = fixture_put (self.client, 4 * MB, 2, 1);
    assert_int_equal (store_client_pin (self.client, pinned, 4 * MB, &read, &kind, &fault), 0);
    assert_int_equal (store_client_create (self.client, 5 * MB, &filling, &data, &fault), 0);
    assert_int_equal (store_client_create (self.client, 6 * MB, &more, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELIMIT);
    assert_string_equal (fault.text,
                         "the object store is full: of its 16 MB, 12 MB are in use, 9 MB of "
                         "them just now being read or filled, and there is no folder to "
                         "spill to");
    assert_true (fixture_verify (self.client, first, 3 * MB, 1));
    store_client_abort (self.client, filling);
    store_client_unpin (self.client, pinned);
    more = fixture_put (self.client, 6 * MB, 3, 1);
    assert_true (fixture_verify (self.client, more, 6 * MB, 3));
    fixture_close (&self);
}

/*  --- clients that die -------------------------------------------------  */

/*  Makes, pins, creates at random until it is killed.                      */
static int
s_work_until_killed (const char *endpoint, process_t process)
{
    enum { HELD = 8 };
    store_client_t *client = store_client_new (endpoint, process);
    tid_t ids [HELD] = { { 0, 0 } };
    uint64_t random = process * 7919 + 1;
    for (uint64_t round = 0;; round++) {
        size_t index = chance_next (&random) % HELD;
        uint64_t size = 4096 + chance_next (&random) % (512 << 10);
        fault_t fault;
        tid_t id;
        uint8_t *data, kind;
        const uint8_t *read;
        if (ids [index].sequence)
            store_client_release (client, ids [index], process, false);
        ids [index].sequence = 0;
        if (store_client_create (client, size, &id, &data, &fault))
            return 3;
        data [0] = 1;
        if (round % 7 == 3)
            continue; /*  never sealed                                */
        store_client_seal (client, id, size, OBJECT_BYTES, process, true);
        if (store_client_pin (client, id, size, &read, &kind, &fault))
            return 4;
        if (round % 3)
            store_client_unpin (client, id);
        ids [index] = id;
        if (round > 40)
            pause ();
    }
}

static void
test_killed_clients (void **state)
{
    (void) state;
    enum { KILLED = 4, ROUNDS = 5 };
    fixture_t self;
    fixture_open (&self, 96 * MB, true);
    tid_t kept = fixture_put (self.client, 100000, 42, 1);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pid_t children [KILLED];
        for (uint64_t index = 0; index < KILLED; index++) {
            uint64_t process = 100 + round * KILLED + index;
            children [index] = fixture_start ("work", store_endpoint (self.store), &process, 1);
        }
        AWAIT (self.store, clients, 1 + KILLED);
        poll (NULL, 0, (int) (5 * round));
        for (uint64_t index = 0; index < KILLED; index++) {
            fixture_kill (children [index]);
            store_process_down (self.store, 100 + round * KILLED + index, "killed");
        }
        AWAIT (self.store, clients, 1);
        AWAIT (self.store, pinned, 0);
        AWAIT (self.store, objects, 1);
    }
    assert_true (fixture_verify (self.client, kept, 100000, 42));
    store_client_release (self.client, kept, 1, false);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, spilled, 0);
    fixture_close (&self);
}

typedef struct {
    const char *endpoint;
    process_t process;
    bool right;
} mover_t;

static void *
s_move (void *arg)
{
    mover_t *self = arg;
    store_client_t *client = store_client_new (self->endpoint, self->process);
    enum { HELD = 6, ROUNDS = 60 };
    tid_t ids [HELD];
    uint64_t seed = self->process * 1000;
    self->right = true;
    for (uint64_t index = 0; index < HELD; index++)
        ids [index] = fixture_put (client, 300000, seed + index, self->process);
    for (uint64_t round = 0; self->right && round < ROUNDS; round++) {
        uint64_t index = round % HELD;
        self->right = fixture_verify (client, ids [index], 300000, seed + index);
        store_client_release (client, ids [index], self->process, false);
        ids [index] = fixture_put (client, 300000, seed + index, self->process);
    }
    for (uint64_t index = 0; index < HELD; index++)
        store_client_release (client, ids [index], self->process, false);
    store_client_destroy (&client);
    return NULL;
}

/*  Less memory than they hold together, so that all spill and restore.     */
static void
test_many_clients (void **state)
{
    (void) state;
    enum { THREADS = 6 };
    fixture_t self;
    pthread_t threads [THREADS];
    mover_t movers [THREADS];
    fixture_open (&self, 6 * MB, true);
    for (size_t index = 0; index < THREADS; index++) {
        movers [index] = (mover_t){ store_endpoint (self.store), 10 + index, false };
        pthread_create (&threads [index], NULL, s_move, &movers [index]);
    }
    for (size_t index = 0; index < THREADS; index++)
        pthread_join (threads [index], NULL);
    for (size_t index = 0; index < THREADS; index++)
        assert_true (movers [index].right);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, spilled, 0);
    fixture_close (&self);
}

/*  Who says something else than he should loses his connection.            */
static void
test_garbage (void **state)
{
    (void) state;
    fixture_t self;
    uint8_t packet [256];
    uint64_t random = 99;
    fixture_open (&self, 16 * MB, false);
    tid_t kept = fixture_put (self.client, 100000, 3, 1);
    for (int round = 0; round < 300; round++) {
        int fd = s_connect_raw (self.store);
        store_message_t message = { .type = STORE_HELLO, .size = STORE_VERSION, .holder = 5 };
        if (round % 3)
            send (fd, &message, sizeof message, MSG_NOSIGNAL);
        for (int count = 0; count < 5; count++) {
            for (size_t index = 0; index < sizeof packet; index++)
                packet [index] = (uint8_t) (chance_next (&random) >> 24);
            packet [0] = (uint8_t) (chance_next (&random) % 16);
            if (round % 2)
                memset (packet + 8, 0, 40);
            send (fd, packet, round % 5 ? sizeof message : chance_next (&random) % 256,
                  MSG_NOSIGNAL);
        }
        close (fd);
    }
    AWAIT (self.store, clients, 1);
    assert_true (fixture_verify (self.client, kept, 100000, 3));
    store_client_release (self.client, kept, 1, false);
    AWAIT (self.store, used, 0);
    fixture_close (&self);
}

int
main (int argc, char *argv [])
{
    /*  work ENDPOINT PROCESS                                               */
    if (argc > 3)
        return s_work_until_killed (argv [2], strtoull (argv [3], NULL, 10));
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_put_and_read),
        cmocka_unit_test (test_sparse),
        cmocka_unit_test (test_readers_cannot_write),
        cmocka_unit_test (test_seals),
        cmocka_unit_test (test_holds),
        cmocka_unit_test (test_passed_on),
        cmocka_unit_test (test_hold_without_memory),
        cmocka_unit_test (test_hold_passed_on),
        cmocka_unit_test (test_read_without_holder),
        cmocka_unit_test (test_large_pages),
        cmocka_unit_test (test_too_large),
        cmocka_unit_test (test_spill_and_restore),
        cmocka_unit_test (test_disk_full),
        cmocka_unit_test (test_disk_errors),
        cmocka_unit_test (test_held_back),
        cmocka_unit_test (test_full),
        cmocka_unit_test (test_killed_clients),
        cmocka_unit_test (test_many_clients),
        cmocka_unit_test (test_garbage),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
