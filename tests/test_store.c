/*  test_store.c - the object store: extents, objects and who keeps them,
    memory that is bounded, disk, and objects between stores                 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/checksum.h"
#include "core/clock.h"
#include "store/extent.h"
#include "store/store.h"
#include "store/store_client.h"
#include "store/transfer_private.h"
#include "wire/socket.h"
#include "wire/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#define MB ((uint64_t) 1 << 20)
#define PATIENCE (20000 * CLOCK_MS)

#if defined (__SANITIZE_THREAD__)
#define SANITIZED_THREADS true
#elif defined (__has_feature)
#if __has_feature (thread_sanitizer)
#define SANITIZED_THREADS true
#endif
#endif
#ifndef SANITIZED_THREADS
#define SANITIZED_THREADS false
#endif

#if defined (__SANITIZE_ADDRESS__)
#define SANITIZED_MEMORY true
#elif defined (__has_feature)
#if __has_feature (address_sanitizer)
#define SANITIZED_MEMORY true
#endif
#endif
#ifndef SANITIZED_MEMORY
#define SANITIZED_MEMORY false
#endif

static uint64_t
s_random (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/*  --- extents ----------------------------------------------------------  */

enum { UNITS = 512 };

typedef struct {
    uint8_t used [UNITS];
    uint8_t touched [UNITS];
    uint64_t forgotten;
} units_t;

static void
s_forget (void *context, uint64_t offset, uint64_t size)
{
    units_t *self = context;
    self->forgotten += size;
    for (uint64_t at = offset / EXTENT_UNIT; at < (offset + size) / EXTENT_UNIT; at++) {
        assert_false (self->used [at]);
        self->touched [at] = 0;
    }
}

/*  What is free and was touched is forgotten, in parts, and nothing in use. */
static void
s_forget_all (extents_t *extents, units_t *units)
{
    enum { PART = 5 };
    bool more = true;
    while (more) {
        units->forgotten = 0;
        more = extents_each_touched (extents, PART * EXTENT_UNIT, s_forget, units);
        assert_true (units->forgotten <= PART * EXTENT_UNIT);
        assert_true (!more || units->forgotten == PART * EXTENT_UNIT);
    }
    for (int at = 0; at < UNITS; at++)
        assert_true (units->used [at] || !units->touched [at]);
}

/*  Against a map of units.                                                 */
static void
test_extents (void **state)
{
    (void) state;
    enum { ROUNDS = 20000, HELD = 64 };
    extents_t extents;
    extent_t *held [HELD] = { NULL };
    static units_t units;
    uint8_t *map = units.used;
    uint64_t random = 88172645463325252u;
    assert_int_equal (extents_init (&extents, UNITS * EXTENT_UNIT), 0);
    for (int round = 0; round < ROUNDS; round++) {
        size_t index = s_random (&random) % HELD;
        if (round % 50 == 0)
            s_forget_all (&extents, &units);
        if (held [index]) {
            memset (map + held [index]->offset / EXTENT_UNIT, 0,
                    held [index]->size / EXTENT_UNIT);
            extents_give (&extents, held [index]);
            held [index] = NULL;
            continue;
        }
        uint64_t wanted = 1 + s_random (&random) % 24;
        held [index] = extents_take (&extents, wanted * EXTENT_UNIT);
        if (!held [index])
            continue;
        assert_true (held [index]->size >= wanted * EXTENT_UNIT);
        memset (units.touched + held [index]->offset / EXTENT_UNIT, 1,
                held [index]->size / EXTENT_UNIT);
        if (s_random (&random) % 4 == 0)
            extents_trim (&extents, held [index], (wanted + 1) / 2 * EXTENT_UNIT);
        uint64_t first = held [index]->offset / EXTENT_UNIT;
        for (uint64_t at = first; at < first + held [index]->size / EXTENT_UNIT; at++) {
            assert_true (at < UNITS && !map [at]);
            map [at] = 1;
        }
        uint64_t used = 0;
        for (int at = 0; at < UNITS; at++)
            used += map [at];
        assert_int_equal (extents.used, used * EXTENT_UNIT);
    }
    for (int index = 0; index < HELD; index++)
        if (held [index])
            extents_give (&extents, held [index]);
    assert_int_equal (extents.used, 0);
    extent_t *all = extents_take (&extents, UNITS * EXTENT_UNIT);
    assert_non_null (all);
    assert_null (extents_take (&extents, 1));
    extents_give (&extents, all);
    extents_release (&extents);
}

/*  --- a store with clients ---------------------------------------------  */

typedef struct {
    store_t *store;
    store_client_t *client;
    char folder [64];
} fixture_t;

static void
s_open (fixture_t *self, uint64_t memory, bool spills)
{
    fault_t fault;
    thread_prepare ();
    snprintf (self->folder, sizeof self->folder, "/tmp/troupe-test-XXXXXX");
    assert_non_null (mkdtemp (self->folder));
    store_options_t options
        = { .memory = memory, .spill_folder = spills ? self->folder : NULL };
    self->store = store_new (&options, &fault);
    assert_non_null (self->store);
    store_name (self->store, 77);
    self->client = store_client_new (store_endpoint (self->store), 1);
    assert_non_null (self->client);
}

static void
s_close (fixture_t *self)
{
    store_client_destroy (&self->client);
    assert_int_equal (store_destroy (&self->store), 0);
    assert_int_equal (rmdir (self->folder), 0);
}

/*  Waits until a figure is what it should be.                              */
static void
s_await (store_t *store, size_t figure, uint64_t wanted)
{
    store_figures_t figures;
    int64_t until = clock_now () + PATIENCE;
    uint64_t value;
    do {
        store_figures (store, &figures);
        memcpy (&value, (const char *) &figures + figure, sizeof value);
        if (value != wanted)
            poll (NULL, 0, 1);
    } while (value != wanted && clock_now () < until);
    assert_int_equal (value, wanted);
    const char *wrong = store_check (store);
    assert_string_equal (wrong ? wrong : "", "");
}

#define AWAIT(store_, figure_, wanted_)                                                      \
    s_await (store_, offsetof (store_figures_t, figure_), wanted_)

static void
s_fill (uint8_t *data, uint64_t size, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 1;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        s_random (&random);
        memcpy (data + at, &random, 8);
    }
    memset (data + size / 8 * 8, (int) seed & 255, size % 8);
}

static bool
s_is_filled (const uint8_t *data, uint64_t size, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 1;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        s_random (&random);
        if (memcmp (data + at, &random, 8))
            return false;
    }
    for (uint64_t at = size / 8 * 8; at < size; at++)
        if (data [at] != (seed & 255))
            return false;
    return true;
}

static tid_t
s_put (store_client_t *client, uint64_t size, uint64_t seed, process_t holder)
{
    fault_t fault = { 0 };
    tid_t id = { 0, 0 };
    uint8_t *data;
    if (store_client_create (client, size, &id, &data, &fault)) {
        print_message ("put of %llu: %s\n", (unsigned long long) size, fault.text);
        fail ();
    }
    s_fill (data, size, seed);
    store_client_seal (client, id, size, OBJECT_BYTES, holder);
    return id;
}

static bool
s_verify (store_client_t *client, tid_t id, uint64_t size, uint64_t seed)
{
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    if (store_client_pin (client, id, size, &data, &kind, &fault)) {
        print_message ("pin: %s\n", fault.text);
        return false;
    }
    bool right = kind == OBJECT_BYTES && (uintptr_t) data % 64 == 0
                 && s_is_filled (data, size, seed);
    store_client_unpin (client, id);
    return right;
}

static void
test_put_and_read (void **state)
{
    (void) state;
    static const uint64_t sizes [] = { 0, 1, 7, 65535, 65536, 65537, 3 * MB + 5 };
    enum { COUNT = sizeof sizes / sizeof *sizes };
    fixture_t self;
    tid_t ids [COUNT];
    s_open (&self, 64 * MB, false);
    store_client_t *reader = store_client_new (store_endpoint (self.store), 2);
    for (size_t index = 0; index < COUNT; index++)
        ids [index] = s_put (self.client, sizes [index], index, 1);
    for (size_t index = 0; index < COUNT; index++)
        assert_true (s_verify (reader, ids [index], sizes [index], index));
    AWAIT (self.store, pinned, 0);
    AWAIT (self.store, objects, COUNT);
    for (size_t index = 0; index < COUNT; index++)
        store_client_release (self.client, ids [index], 1);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, objects, 0);
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    assert_int_equal (store_client_pin (reader, ids [0], 0, &data, &kind, &fault), -1);
    assert_non_null (strstr (fault.text, "no longer held"));
    store_client_destroy (&reader);
    s_close (&self);
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
    s_open (&self, ((uint64_t) 2 << 30) + MB, false);
    assert_int_equal (store_client_create (self.client, size, &id, &data, &fault), 0);
    data [0] = 1;
    data [size - 1] = 2;
    store_client_seal (self.client, id, size, OBJECT_BYTES, 1);
    assert_int_equal (store_client_pin (self.client, id, size, &read, &kind, &fault), 0);
    assert_true (read [0] == 1 && read [size - 1] == 2 && read [size / 2] == 0);
    store_client_unpin (self.client, id);
    store_client_release (self.client, id, 1);
    AWAIT (self.store, used, 0);
    s_close (&self);
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
    s_open (&self, 16 * MB, false);
    tid_t id = s_put (self.client, 100000, 5, 1);
    assert_int_equal (store_client_pin (self.client, id, 100000, &data, &kind, &fault), 0);
    int status = s_write_in_child (data);
    assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGSEGV);
    assert_true (s_is_filled (data, 100000, 5));
    s_close (&self);
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
    s_open (&self, 16 * MB, false);
    int fd = s_connect_raw (self.store), memory = s_receive_memory (fd);
    assert_int_equal (fcntl (memory, F_GET_SEALS),
                      F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    assert_int_equal (ftruncate (memory, 8 * MB), -1);
    assert_int_equal (errno, EPERM);
    assert_int_equal (ftruncate (memory, 32 * MB), -1);
    assert_int_equal (fcntl (memory, F_ADD_SEALS, F_SEAL_WRITE), -1);
    close (memory);
    close (fd);
    AWAIT (self.store, clients, 0);
    s_close (&self);
}

static void
test_holds (void **state)
{
    (void) state;
    fixture_t self;
    s_open (&self, 16 * MB, false);
    tid_t id = s_put (self.client, 100000, 5, 9);
    AWAIT (self.store, objects, 1);
    /*  Another way may be faster: given back before it was given.          */
    store_client_release (self.client, id, 8);
    store_client_hold (self.client, id, 8);
    store_client_hold (self.client, id, 7);
    store_client_release (self.client, id, 9);
    assert_true (s_verify (self.client, id, 100000, 5));
    AWAIT (self.store, objects, 1);
    store_process_down (self.store, 7, "killed");
    AWAIT (self.store, objects, 0);
    /*  What ended had given back more than it had.                         */
    id = s_put (self.client, 100000, 5, 9);
    store_client_release (self.client, id, 6);
    assert_true (s_verify (self.client, id, 100000, 5));
    store_process_down (self.store, 6, "killed");
    AWAIT (self.store, objects, 1);
    store_client_release (self.client, id, 9);
    AWAIT (self.store, objects, 0);
    /*  A hold for a process that has gone is none.                         */
    id = s_put (self.client, 100000, 5, 7);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    s_close (&self);
}

/*  One process gives a hold, and tells another, which gives up the last one: the
    store reads from both, in whichever order.                              */
static void
test_hold_passed_on (void **state)
{
    (void) state;
    enum { ROUNDS = 2000 };
    fixture_t self;
    s_open (&self, 16 * MB, false);
    store_client_t *other = store_client_new (store_endpoint (self.store), 2);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        tid_t id = s_put (self.client, 4096, round, 1);
        for (uint64_t count = 0; count < round % 8; count++)
            store_client_prefetch (self.client, id, 4096);
        store_client_hold (other, id, 2);
        store_client_release (self.client, id, 1);
        assert_true (s_verify (other, id, 4096, round));
        store_client_release (other, id, 2);
    }
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    store_client_destroy (&other);
    s_close (&self);
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
    s_open (&self, 4 * MB, false);
    tid_t id = s_put (self.client, 2 * MB, 5, 1);
    assert_int_equal (store_client_pin (self.client, id, 2 * MB, &data, &kind, &fault), 0);
    store_client_release (self.client, id, 1);
    for (uint64_t round = 0; round < 20; round++) {
        tid_t other = s_put (self.client, MB, round, 1);
        store_client_release (self.client, other, 1);
    }
    AWAIT (self.store, objects, 1);
    assert_true (s_is_filled (data, 2 * MB, 5));
    store_client_unpin (self.client, id);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    s_close (&self);
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
    s_open (&self, 16 * MB, true);
    tid_t first = s_put (self.client, 8 * MB, 1, 1);
    assert_int_equal (store_client_create (self.client, 17 * MB, &id, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESIZE);
    assert_non_null (strstr (fault.text, "more than the object store has"));
    assert_true (s_verify (self.client, first, 8 * MB, 1));
    s_close (&self);
}

static void
test_spill_and_restore (void **state)
{
    (void) state;
    enum { COUNT = 40 };
    fixture_t self;
    tid_t ids [COUNT];
    store_figures_t figures;
    s_open (&self, 16 * MB, true);
    for (uint64_t index = 0; index < COUNT; index++)
        ids [index] = s_put (self.client, 2 * MB - index, index, 1);
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (s_verify (self.client, ids [index], 2 * MB - index, index));
    for (uint64_t index = COUNT; index--;)
        assert_true (s_verify (self.client, ids [index], 2 * MB - index, index));
    store_figures (self.store, &figures);
    assert_true (figures.spills >= 24 * 2 * MB - COUNT * 40);
    assert_true (figures.restores > 0 && figures.used <= 16 * MB);
    for (uint64_t index = 0; index < COUNT; index++)
        store_client_release (self.client, ids [index], 1);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, spilled, 0);
    s_close (&self);
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
    s_open (&self, 16 * MB, true);
    for (uint64_t index = 0; index < COUNT; index++)
        ids [index] = s_put (self.client, 2 * MB, index, 1);
    store_inject (self.store, ENOSPC, 0, 1000);
    assert_int_equal (store_client_create (self.client, 2 * MB, &more, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESYSTEM);
    assert_non_null (strstr (fault.text, "No space left"));
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (s_verify (self.client, ids [index], 2 * MB, index));
    AWAIT (self.store, spilled, 0);
    store_inject (self.store, 0, 0, 0);
    more = s_put (self.client, 2 * MB, 99, 1);
    assert_true (s_verify (self.client, more, 2 * MB, 99));
    for (uint64_t index = 0; index < COUNT; index++)
        assert_true (s_verify (self.client, ids [index], 2 * MB, index));
    s_close (&self);
}

static void
test_disk_errors (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    s_open (&self, 8 * MB, true);
    tid_t first = s_put (self.client, 6 * MB, 1, 1);
    tid_t second = s_put (self.client, 6 * MB, 2, 1);
    store_inject (self.store, 0, EIO, 1);
    assert_int_equal (store_client_pin (self.client, first, 6 * MB, &data, &kind, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ESYSTEM);
    assert_non_null (strstr (fault.text, "Input/output error"));
    /*  The disk is good again, and both are there.                         */
    assert_true (s_verify (self.client, second, 6 * MB, 2));
    assert_true (s_verify (self.client, first, 6 * MB, 1));
    /*  What is read is not what was written.                               */
    assert_true (s_verify (self.client, second, 6 * MB, 2));
    store_inject (self.store, 0, -1, 1);
    assert_int_equal (store_client_pin (self.client, first, 6 * MB, &data, &kind, &fault), -1);
    assert_non_null (strstr (fault.text, "checksum"));
    s_close (&self);
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
    s_open (&self, 16 * MB, false);
    tid_t first = s_put (self.client, 12 * MB, 1, 1);
    pthread_create (&thread, NULL, s_put_more, &putter);
    AWAIT (self.store, waiting, 1);
    assert_true (s_verify (self.client, first, 12 * MB, 1));
    store_client_release (self.client, first, 1);
    pthread_join (thread, NULL);
    assert_int_equal (putter.rc, 0);
    store_client_abort (self.client, putter.id);
    AWAIT (self.store, used, 0);
    s_close (&self);
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
        size_t index = s_random (&random) % HELD;
        uint64_t size = 4096 + s_random (&random) % (512 << 10);
        fault_t fault;
        tid_t id;
        uint8_t *data, kind;
        const uint8_t *read;
        if (ids [index].sequence)
            store_client_release (client, ids [index], process);
        ids [index].sequence = 0;
        if (store_client_create (client, size, &id, &data, &fault))
            return 3;
        data [0] = 1;
        if (round % 7 == 3)
            continue;       /*  never sealed                                */
        store_client_seal (client, id, size, OBJECT_BYTES, process);
        if (store_client_pin (client, id, size, &read, &kind, &fault))
            return 4;
        if (round % 3)
            store_client_unpin (client, id);
        ids [index] = id;
        if (round > 40)
            pause ();
    }
}

/*  Reads objects of another store, and keeps every other one pinned.       */
static int
s_receive_until_killed (const char *endpoint, process_t process, tid_t first, uint64_t count,
                        uint64_t size)
{
    store_client_t *client = store_client_new (endpoint, process);
    for (uint64_t index = 0; index < count; index++) {
        tid_t id = { first.owner, first.sequence + (index + process) % count };
        fault_t fault;
        const uint8_t *data;
        uint8_t kind;
        if (store_client_pin (client, id, size, &data, &kind, &fault))
            return 4;
        if (index % 2)
            store_client_unpin (client, id);
    }
    pause ();
    return 0;
}

/*  work ENDPOINT PROCESS | receive ENDPOINT PROCESS OWNER SEQUENCE COUNT SIZE */
static int
s_be_killed (char *argv [])
{
    uint64_t numbers [5] = { 0 };
    for (size_t index = 0; index < 5 && argv [2 + index]; index++)
        numbers [index] = strtoull (argv [2 + index], NULL, 10);
    if (strcmp (argv [0], "work") == 0)
        return s_work_until_killed (argv [1], numbers [0]);
    return s_receive_until_killed (argv [1], numbers [0], (tid_t){ numbers [1], numbers [2] },
                                   numbers [3], numbers [4]);
}

/*  This program once more, as ThreadSanitizer does not follow threads after a
    fork.                                                                   */
static pid_t
s_start (const char *what, const char *endpoint, const uint64_t *numbers, size_t count)
{
    char texts [5][24], *argv [9] = { "test_store", (char *) (uintptr_t) what,
                                      (char *) (uintptr_t) endpoint };
    for (size_t index = 0; index < count; index++) {
        snprintf (texts [index], sizeof texts [index], "%llu",
                  (unsigned long long) numbers [index]);
        argv [3 + index] = texts [index];
    }
    pid_t parent = getpid (), child = fork ();
    if (child == 0) {
        if (prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid () == parent)
            execv ("/proc/self/exe", argv);
        _exit (9);
    }
    assert_true (child > 0);
    return child;
}

/*  It must have lived until then.                                          */
static void
s_kill (pid_t child)
{
    int status = 0;
    kill (child, SIGKILL);
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

static void
test_killed_clients (void **state)
{
    (void) state;
    enum { KILLED = 4, ROUNDS = 5 };
    fixture_t self;
    s_open (&self, 96 * MB, true);
    tid_t kept = s_put (self.client, 100000, 42, 1);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pid_t children [KILLED];
        for (uint64_t index = 0; index < KILLED; index++) {
            uint64_t process = 100 + round * KILLED + index;
            children [index] = s_start ("work", store_endpoint (self.store), &process, 1);
        }
        AWAIT (self.store, clients, 1 + KILLED);
        poll (NULL, 0, (int) (5 * round));
        for (uint64_t index = 0; index < KILLED; index++) {
            s_kill (children [index]);
            store_process_down (self.store, 100 + round * KILLED + index, "killed");
        }
        AWAIT (self.store, clients, 1);
        AWAIT (self.store, pinned, 0);
        AWAIT (self.store, objects, 1);
    }
    assert_true (s_verify (self.client, kept, 100000, 42));
    store_client_release (self.client, kept, 1);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, spilled, 0);
    s_close (&self);
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
        ids [index] = s_put (client, 300000, seed + index, self->process);
    for (uint64_t round = 0; self->right && round < ROUNDS; round++) {
        uint64_t index = round % HELD;
        self->right = s_verify (client, ids [index], 300000, seed + index);
        store_client_release (client, ids [index], self->process);
        ids [index] = s_put (client, 300000, seed + index, self->process);
    }
    for (uint64_t index = 0; index < HELD; index++)
        store_client_release (client, ids [index], self->process);
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
    s_open (&self, 6 * MB, true);
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
    s_close (&self);
}

/*  Who says something else than he should loses his connection.            */
static void
test_garbage (void **state)
{
    (void) state;
    fixture_t self;
    uint8_t packet [256];
    uint64_t random = 99;
    s_open (&self, 16 * MB, false);
    tid_t kept = s_put (self.client, 100000, 3, 1);
    for (int round = 0; round < 300; round++) {
        int fd = s_connect_raw (self.store);
        store_message_t message = { .type = STORE_HELLO, .size = STORE_VERSION, .holder = 5 };
        if (round % 3)
            send (fd, &message, sizeof message, MSG_NOSIGNAL);
        for (int count = 0; count < 5; count++) {
            for (size_t index = 0; index < sizeof packet; index++)
                packet [index] = (uint8_t) (s_random (&random) >> 24);
            packet [0] = (uint8_t) (s_random (&random) % 16);
            if (round % 2)
                memset (packet + 8, 0, 40);
            send (fd, packet, round % 5 ? sizeof message : s_random (&random) % 256,
                  MSG_NOSIGNAL);
        }
        close (fd);
    }
    AWAIT (self.store, clients, 1);
    assert_true (s_verify (self.client, kept, 100000, 3));
    store_client_release (self.client, kept, 1);
    AWAIT (self.store, used, 0);
    s_close (&self);
}

/*  --- between stores ---------------------------------------------------  */

enum { STORES = 4 };

typedef struct {
    void *context;
    network_t network;
    store_t *stores [STORES];
    store_client_t *clients [STORES];
    char folder [64];
} cluster_t;

static void
s_announce (cluster_t *self, int to, int about)
{
    const key_pair_t *keys = &self->network.keys;
    store_announce (self->stores [to], (process_t) (70 + about),
                    store_remote_endpoint (self->stores [about]), keys->public_key);
}

static void
s_open_cluster_of (cluster_t *self, bool insecure, uint64_t memory)
{
    fault_t fault;
    *self = (cluster_t){ .network = { .insecure = insecure, .host = "127.0.0.1" } };
    thread_prepare ();
    self->context = socket_context_new (&fault);
    assert_int_equal (network_open (&self->network, self->context, NULL, &fault), 0);
    if (!insecure)
        assert_int_equal (gate_allow (self->network.gate, DOMAIN_PEERS,
                                      self->network.keys.public_key, NULL, &fault),
                          0);
    snprintf (self->folder, sizeof self->folder, "/tmp/troupe-test-XXXXXX");
    assert_non_null (mkdtemp (self->folder));
    for (int index = 0; index < STORES; index++) {
        store_options_t options = { .context = self->context,
                                    .memory = memory,
                                    .spill_folder = self->folder,
                                    .network = &self->network };
        self->stores [index] = store_new (&options, &fault);
        assert_non_null (self->stores [index]);
        store_name (self->stores [index], (process_t) (70 + index));
        self->clients [index] = store_client_new (store_endpoint (self->stores [index]),
                                                  (process_t) (1 + index));
    }
    for (int to = 0; to < STORES; to++)
        for (int about = 0; about < STORES; about++)
            if (to != about)
                s_announce (self, to, about);
}

static void
s_open_cluster (cluster_t *self, bool insecure)
{
    s_open_cluster_of (self, insecure, 32 * MB);
}

static void
s_close_cluster (cluster_t *self)
{
    fault_t fault;
    for (int index = 0; index < STORES; index++) {
        store_client_destroy (&self->clients [index]);
        assert_int_equal (store_destroy (&self->stores [index]), 0);
    }
    assert_int_equal (network_close (&self->network, &fault), 0);
    zmq_ctx_term (self->context);
    assert_int_equal (rmdir (self->folder), 0);
}

static void
s_test_transfer (bool insecure)
{
    cluster_t self;
    s_open_cluster (&self, insecure);
    static const uint64_t sizes [] = { 0, 1, 100000, MB - 1, MB, MB + 1, 9 * MB + 3 };
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        tid_t id = s_put (self.clients [0], sizes [index], index, 1);
        for (int reader = 1; reader < STORES; reader++)
            assert_true (s_verify (self.clients [reader], id, sizes [index], index));
        store_client_release (self.clients [0], id, 1);
        /*  The copies go with what they are copies of.                     */
        for (int store = 0; store < STORES; store++)
            AWAIT (self.stores [store], objects, 0);
    }
    store_figures_t figures;
    store_figures (self.stores [1], &figures);
    assert_true (figures.received >= 12 * MB);
    s_close_cluster (&self);
}

static void
test_transfer (void **state)
{
    (void) state;
    s_test_transfer (true);
}

static void
test_transfer_with_keys (void **state)
{
    (void) state;
    s_test_transfer (false);
}

typedef struct {
    store_client_t *client;
    tid_t id;
    uint64_t size;
    bool right;
} reader_t;

static void *
s_read_one (void *arg)
{
    reader_t *self = arg;
    self->right = s_verify (self->client, self->id, self->size, 5);
    return NULL;
}

/*  All at once, several on each store: it comes once to each.              */
static void
test_broadcast (void **state)
{
    (void) state;
    enum { EACH = 3, SIZE = 12 << 20 };
    cluster_t self;
    pthread_t threads [STORES * EACH];
    reader_t readers [STORES * EACH];
    store_figures_t figures;
    s_open_cluster (&self, true);
    tid_t id = s_put (self.clients [0], SIZE, 5, 1);
    for (int index = 0; index < STORES * EACH; index++) {
        readers [index] = (reader_t){ self.clients [index % STORES], id, SIZE, false };
        pthread_create (&threads [index], NULL, s_read_one, &readers [index]);
    }
    for (int index = 0; index < STORES * EACH; index++)
        pthread_join (threads [index], NULL);
    for (int index = 0; index < STORES * EACH; index++)
        assert_true (readers [index].right);
    for (int store = 1; store < STORES; store++) {
        store_figures (self.stores [store], &figures);
        assert_int_equal (figures.received - figures.repeated, SIZE);
    }
    store_client_release (self.clients [0], id, 1);
    for (int store = 0; store < STORES; store++)
        AWAIT (self.stores [store], objects, 0);
    s_close_cluster (&self);
}

/*  Whether there is so much memory, and disk for temporary files.          */
static bool
s_has_room_for (uint64_t memory, uint64_t disk)
{
    struct statvfs at;
    uint64_t free_memory
        = (uint64_t) sysconf (_SC_AVPHYS_PAGES) * (uint64_t) sysconf (_SC_PAGESIZE);
    return free_memory >= memory && statvfs ("/tmp", &at) == 0
           && (uint64_t) at.f_bavail * at.f_frsize >= disk;
}

/*  2 GiB and a byte, which are written to disk, read back, and go to another
    store.                                                                  */
static void
test_large_transfer (void **state)
{
    (void) state;
    cluster_t self;
    fault_t fault;
    tid_t id, other;
    uint8_t *data, kind;
    const uint8_t *read;
    const uint64_t size = ((uint64_t) 2 << 30) + 1, middle = (uint64_t) 1 << 30;
    if (SANITIZED_THREADS || SANITIZED_MEMORY || !s_has_room_for (4 * size, 2 * size))
        skip ();
    s_open_cluster_of (&self, true, size + MB);
    assert_int_equal (store_client_create (self.clients [0], size, &id, &data, &fault), 0);
    data [0] = 1;
    data [middle] = 2;
    data [size - 1] = 3;
    store_client_seal (self.clients [0], id, size, OBJECT_BYTES, 1);
    /*  Nothing else fits beside it.                                        */
    assert_int_equal (store_client_create (self.clients [0], 2 * MB, &other, &data, &fault), 0);
    AWAIT (self.stores [0], spills, size);
    store_client_abort (self.clients [0], other);
    assert_int_equal (store_client_pin (self.clients [1], id, size, &read, &kind, &fault), 0);
    AWAIT (self.stores [0], restores, size);
    assert_true (read [0] == 1 && read [middle] == 2 && read [size - 1] == 3);
    assert_true (read [1] == 0 && read [middle - 1] == 0 && read [size - 2] == 0);
    store_client_unpin (self.clients [1], id);
    store_client_release (self.clients [0], id, 1);
    for (int store = 0; store < STORES; store++)
        AWAIT (self.stores [store], used, 0);
    AWAIT (self.stores [0], spilled, 0);
    s_close_cluster (&self);
}

/*  Waits for all that was given so far.                                    */
static void
s_settle (store_client_t *client)
{
    fault_t fault = { 0 };
    if (store_client_settle (client, store_client_told (client), &fault))
        fail_msg ("%s", fault.text);
}

/*  Held by a process elsewhere, fetched from disk, and its home dies.      */
static void
test_far_holds_and_death (void **state)
{
    (void) state;
    cluster_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    s_open_cluster (&self, true);
    tid_t id = s_put (self.clients [0], 3 * MB, 5, 1);
    for (int round = 0; round < 500; round++) {
        store_client_hold (self.clients [1], id, 2);
        s_settle (self.clients [1]);
        store_client_release (self.clients [0], id, 1);
        store_client_hold (self.clients [2], id, 1);
        s_settle (self.clients [2]);
        store_client_release (self.clients [1], id, 2);
    }
    store_client_hold (self.clients [1], id, 2);
    s_settle (self.clients [1]);
    assert_true (s_verify (self.clients [1], id, 3 * MB, 5));
    assert_int_equal (store_client_pin (self.clients [1], id, 3 * MB + 1, &data, &kind, &fault),
                      -1);
    assert_int_equal (fault.code, TROUPE_EPROTOCOL);
    store_client_release (self.clients [0], id, 1);
    tid_t others [14];
    for (uint64_t index = 0; index < 14; index++)
        others [index] = s_put (self.clients [0], 3 * MB, index, 1);
    assert_true (s_verify (self.clients [2], id, 3 * MB, 5));
    assert_true (s_verify (self.clients [2], others [0], 3 * MB, 0));
    store_client_release (self.clients [1], id, 2);
    AWAIT (self.stores [0], objects, 14);
    store_client_destroy (&self.clients [0]);
    assert_int_equal (store_destroy (&self.stores [0]), 0);
    for (int store = 1; store < STORES; store++)
        store_process_down (self.stores [store], 70, "killed");
    assert_int_equal (store_client_pin (self.clients [3], others [5], 3 * MB, &data, &kind,
                                        &fault),
                      -1);
    assert_int_equal (fault.code, TROUPE_ELOST);
    s_close_cluster (&self);
}
/*  Killed while they receive, and while they read what has come.           */
static void
test_killed_receivers (void **state)
{
    (void) state;
    enum { KILLED = 3, ROUNDS = 5, COUNT = 6, SIZE = 4 << 20 };
    cluster_t self;
    s_open_cluster (&self, true);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        tid_t ids [COUNT];
        pid_t children [KILLED];
        for (uint64_t index = 0; index < COUNT; index++)
            ids [index] = s_put (self.clients [0], SIZE, index, 1);
        for (uint64_t index = 0; index < KILLED; index++) {
            uint64_t numbers [] = { 100 + round * KILLED + index, ids [0].owner,
                                    ids [0].sequence, COUNT, SIZE };
            children [index]
                = s_start ("receive", store_endpoint (self.stores [1]), numbers, 5);
        }
        AWAIT (self.stores [1], clients, KILLED + (round > 0));
        poll (NULL, 0, (int) (2 * round));
        for (int index = 0; index < KILLED; index++)
            s_kill (children [index]);
        AWAIT (self.stores [1], clients, round > 0);
        AWAIT (self.stores [1], pinned, 0);
        for (uint64_t index = 0; index < COUNT; index++)
            assert_true (s_verify (self.clients [1], ids [index], SIZE, index));
        for (uint64_t index = 0; index < COUNT; index++)
            store_client_release (self.clients [0], ids [index], 1);
        for (int store = 0; store < STORES; store++)
            AWAIT (self.stores [store], objects, 0);
        AWAIT (self.stores [1], used, 0);
    }
    s_close_cluster (&self);
}

/*  --- a store that the test plays ---------------------------------------- */

enum { OWN = 70, FAKE = 71, SECOND = 72, FAKE_SIZE = TRANSFER_PIECE + 100000 };

/*  The store under test is OWN; FAKE is this thread.                       */
typedef struct {
    void *context;
    network_t network;
    store_t *store;
    store_client_t *client;
    void *answers; /*  ROUTER: where OWN asks                  */
    void *second;  /*  the same of another store, SECOND       */
    void *asks;    /*  DEALER: to OWN                          */
    route_t route; /*  of what was heard last                  */
    uint8_t data [FAKE_SIZE];
    tid_t id; /*  an object of FAKE's                     */
    pthread_t thread;
    reader_t reader;
} stage_t;

/*  A store that is played: where it is asked.                              */
static void *
s_play (stage_t *self, process_t store)
{
    fault_t fault;
    char endpoint [HOST_MAX + 32];
    int patience = (int) (PATIENCE / CLOCK_MS);
    void *socket = socket_router_new (self->context, &fault);
    assert_int_equal (socket_bind (socket, "tcp://127.0.0.1:*", &fault), 0);
    assert_int_equal (socket_last_endpoint (socket, endpoint, sizeof endpoint, &fault), 0);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    store_announce (self->store, store, endpoint, NULL);
    return socket;
}

static void
s_open_stage_of (stage_t *self, uint64_t memory, int64_t sync_patience)
{
    fault_t fault;
    int patience = (int) (PATIENCE / CLOCK_MS);
    *self
        = (stage_t){ .network = { .insecure = true, .host = "127.0.0.1" }, .id = { FAKE, 1 } };
    thread_prepare ();
    self->context = socket_context_new (&fault);
    assert_int_equal (network_open (&self->network, self->context, NULL, &fault), 0);
    store_options_t options = { .context = self->context,
                                .memory = memory,
                                .network = &self->network,
                                .claim_patience = 1000 * CLOCK_MS,
                                .sync_patience = sync_patience };
    self->store = store_new (&options, &fault);
    assert_non_null (self->store);
    store_name (self->store, OWN);
    self->client = store_client_new (store_endpoint (self->store), 1);
    self->answers = s_play (self, FAKE);
    self->second = s_play (self, SECOND);
    self->asks = socket_dealer_new (self->context, &fault);
    assert_int_equal (socket_connect (self->asks, store_remote_endpoint (self->store), &fault),
                      0);
    zmq_setsockopt (self->asks, ZMQ_RCVTIMEO, &patience, sizeof patience);
    s_fill (self->data, sizeof self->data, 5);
}

static void
s_open_stage (stage_t *self)
{
    s_open_stage_of (self, 16 * MB, 0);
}

static void
s_close_stage (stage_t *self)
{
    fault_t fault;
    store_client_destroy (&self->client);
    assert_int_equal (store_destroy (&self->store), 0);
    zmq_close (self->answers);
    zmq_close (self->second);
    zmq_close (self->asks);
    assert_int_equal (network_close (&self->network, &fault), 0);
    zmq_ctx_term (self->context);
}

/*  The next request of a type to a played store; others are passed over.   */
static transfer_message_t
s_asked_at (stage_t *self, void *socket, transfer_type_t type)
{
    transfer_message_t message = { .type = 0 };
    while (message.type != type) {
        int size = zmq_recv (socket, self->route.bytes, sizeof self->route.bytes, 0);
        assert_true (size > 0 && size <= (int) sizeof self->route.bytes);
        self->route.size = (size_t) size;
        assert_int_equal (zmq_recv (socket, &message, sizeof message, 0), sizeof message);
    }
    return message;
}

static transfer_message_t
s_asked (stage_t *self, transfer_type_t type)
{
    return s_asked_at (self, self->answers, type);
}

/*  As a played store, to the one that was heard last.                      */
static void
s_answer_at (stage_t *self, void *socket, process_t from, transfer_message_t message)
{
    message.from = from;
    zmq_send (socket, self->route.bytes, self->route.size, ZMQ_SNDMORE);
    zmq_send (socket, &message, sizeof message, 0);
}

static void
s_answer (stage_t *self, transfer_message_t message, const uint8_t *data, size_t size)
{
    message.from = FAKE;
    zmq_send (self->answers, self->route.bytes, self->route.size, ZMQ_SNDMORE);
    zmq_send (self->answers, &message, sizeof message, data ? ZMQ_SNDMORE : 0);
    if (data)
        zmq_send (self->answers, data, size, 0);
}

static void
s_answer_piece (stage_t *self, const transfer_message_t *get, bool right)
{
    const uint8_t *data = self->data + get->offset;
    s_answer (self,
              (transfer_message_t){ .type = TRANSFER_DATA,
                                    .id = get->id,
                                    .offset = get->offset,
                                    .checksum = checksum_of (data, get->size) ^ !right },
              data, get->size);
}

/*  OWN asks where the object is, and is told to take it from FAKE, and from
    another.                                                                */
static void
s_point_to (stage_t *self, process_t other)
{
    transfer_message_t locate = s_asked (self, TRANSFER_LOCATE);
    assert_true (tid_equal (locate.id, self->id) && locate.from == OWN);
    s_answer (self,
              (transfer_message_t){ .type = TRANSFER_LOCATED,
                                    .kind = OBJECT_BYTES,
                                    .id = self->id,
                                    .size = FAKE_SIZE,
                                    .sources = { FAKE, other } },
              NULL, 0);
}

static void
s_point_here (stage_t *self)
{
    s_point_to (self, 0);
}

static void
s_begin_fetch (stage_t *self)
{
    self->reader = (reader_t){ self->client, self->id, FAKE_SIZE, false };
    pthread_create (&self->thread, NULL, s_read_one, &self->reader);
    s_point_here (self);
}

static bool
s_end_fetch (stage_t *self)
{
    pthread_join (self->thread, NULL);
    return self->reader.right;
}

/*  A notice, and the number of the last that the store has noted then.     */
static uint64_t
s_notify (stage_t *self, transfer_message_t message, process_t to, uint64_t number)
{
    message.from = FAKE;
    message.offset = number;
    message.sources [0] = to;
    zmq_send (self->asks, &message, sizeof message, 0);
    do
        assert_int_equal (zmq_recv (self->asks, &message, sizeof message, 0), sizeof message);
    while (message.type != TRANSFER_NOTED);
    return message.offset;
}

static uint64_t
s_tell_hold (stage_t *self, tid_t id, process_t holder, int32_t count, uint64_t number)
{
    transfer_message_t hold
        = { .type = TRANSFER_HOLD, .id = id, .store = holder, .count = count };
    return s_notify (self, hold, id.owner, number);
}

/*  A piece that is damaged on its way is asked for again.                  */
static void
test_damaged_piece (void **state)
{
    (void) state;
    static stage_t self;
    store_figures_t figures;
    s_open_stage (&self);
    s_begin_fetch (&self);
    transfer_message_t first = s_asked (&self, TRANSFER_GET);
    transfer_message_t second = s_asked (&self, TRANSFER_GET);
    s_answer_piece (&self, &first, false);
    transfer_message_t again = s_asked (&self, TRANSFER_GET);
    assert_int_equal (again.offset, first.offset);
    s_answer_piece (&self, &again, false);
    s_answer_piece (&self, &second, true);
    again = s_asked (&self, TRANSFER_GET);
    assert_int_equal (again.offset, first.offset);
    s_answer_piece (&self, &again, true);
    assert_true (s_end_fetch (&self));
    store_figures (self.store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE + 2 * TRANSFER_PIECE);
    s_close_stage (&self);
}

/*  A source that sends nothing but damage: the reader is told, soon.       */
static void
test_damaged_for_ever (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    s_begin_fetch (&self);
    for (int count = 0; count < DAMAGED_MAX; count++) {
        transfer_message_t get = s_asked (&self, TRANSFER_GET);
        s_answer_piece (&self, &get, false);
    }
    s_asked (&self, TRANSFER_DISCARDS);
    assert_false (s_end_fetch (&self));
    AWAIT (self.store, used, 0);
    AWAIT (self.store, objects, 0);
    s_close_stage (&self);
}

/*  A source that does not have it any more is named to the home.           */
static void
test_source_lacks (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    s_begin_fetch (&self);
    s_asked (&self, TRANSFER_GET);
    s_answer (&self, (transfer_message_t){ .type = TRANSFER_LACKS, .id = self.id }, NULL, 0);
    transfer_message_t locate = s_asked (&self, TRANSFER_LOCATE);
    assert_int_equal (locate.store, FAKE);
    s_answer (&self, (transfer_message_t){ .type = TRANSFER_GONE, .id = self.id }, NULL, 0);
    assert_false (s_end_fetch (&self));
    AWAIT (self.store, objects, 0);
    s_close_stage (&self);
}

/*  One piece has come from the home, and the other one is to come from SECOND. */
static transfer_message_t
s_begin_with_two (stage_t *self)
{
    self->reader = (reader_t){ self->client, self->id, FAKE_SIZE, false };
    pthread_create (&self->thread, NULL, s_read_one, &self->reader);
    s_point_to (self, SECOND);
    transfer_message_t first = s_asked (self, TRANSFER_GET);
    assert_int_equal (first.offset, 0);
    s_answer_piece (self, &first, true);
    transfer_message_t second = s_asked_at (self, self->second, TRANSFER_GET);
    assert_int_equal (second.offset, TRANSFER_PIECE);
    return second;
}

/*  The home is asked again, and then for the piece that is missing, no other. */
static void
s_end_with_one (stage_t *self)
{
    store_figures_t figures;
    s_point_here (self);
    transfer_message_t again = s_asked (self, TRANSFER_GET);
    assert_int_equal (again.offset, TRANSFER_PIECE);
    s_answer_piece (self, &again, true);
    assert_true (s_end_fetch (self));
    store_figures (self->store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE);
}

/*  One of two sources ends, not the home.                                  */
static void
test_source_dies (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    s_begin_with_two (&self);
    store_process_down (self.store, SECOND, "killed");
    s_end_with_one (&self);
    s_close_stage (&self);
}

/*  It says nothing any more; what it says later is of no use.              */
static void
test_source_falls_silent (void **state)
{
    (void) state;
    static stage_t self;
    store_figures_t figures;
    s_open_stage (&self);
    transfer_message_t late = s_begin_with_two (&self);
    route_t route = self.route;
    s_end_with_one (&self);
    const uint8_t *data = self.data + late.offset;
    late.type = TRANSFER_DATA;
    late.from = SECOND;
    late.checksum = checksum_of (data, late.size);
    zmq_send (self.second, route.bytes, route.size, ZMQ_SNDMORE);
    zmq_send (self.second, &late, sizeof late, ZMQ_SNDMORE);
    zmq_send (self.second, data, late.size, 0);
    assert_int_equal (s_tell_hold (&self, (tid_t){ OWN, 99 }, 9, 1, 1), 1);
    AWAIT (self.store, objects, 1);
    store_figures (self.store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE);
    s_close_stage (&self);
}

/*  The home ends while the rest is to come from another: the reader is told,
    and so is a store that waits here for what has not come.                */
static void
test_home_dies (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    s_begin_with_two (&self);
    transfer_message_t message = { .type = TRANSFER_GET,
                                   .id = self.id,
                                   .from = SECOND,
                                   .offset = TRANSFER_PIECE,
                                   .size = FAKE_SIZE - TRANSFER_PIECE };
    zmq_send (self.asks, &message, sizeof message, 0);
    assert_int_equal (s_tell_hold (&self, (tid_t){ OWN, 99 }, 9, 1, 1), 1);
    store_process_down (self.store, FAKE, "killed");
    assert_false (s_end_fetch (&self));
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_LACKS);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    s_close_stage (&self);
}

/*  A piece of an object of OWN's for a played reader.                      */
static void
s_get_piece (stage_t *self, tid_t id, uint64_t offset, uint8_t *piece, size_t size)
{
    transfer_message_t message = {
        .type = TRANSFER_GET, .id = id, .from = FAKE, .offset = offset, .size = size
    };
    zmq_send (self->asks, &message, sizeof message, 0);
    assert_int_equal (zmq_recv (self->asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_DATA);
    assert_int_equal (message.offset, offset);
    assert_int_equal (zmq_recv (self->asks, piece, size, 0), size);
    assert_int_equal (message.checksum, checksum_of (piece, size));
}

/*  A reader ends in the middle: what it pinned here is free soon, and what
    others hold stays. Of 2 GiB and a byte, only what is asked for is touched. */
static void
test_reader_dies (void **state)
{
    (void) state;
    static stage_t self;
    static uint8_t piece [TRANSFER_PIECE];
    fault_t fault;
    tid_t id;
    uint8_t *data;
    const uint64_t size = ((uint64_t) 2 << 30) + 1;
    s_open_stage_of (&self, size + MB, 0);
    assert_int_equal (store_client_create (self.client, size, &id, &data, &fault), 0);
    data [0] = 1;
    data [size - 2] = 2;
    data [size - 1] = 3;
    store_client_seal (self.client, id, size, OBJECT_BYTES, 1);
    AWAIT (self.store, pinned, 0);
    transfer_message_t message = { .type = TRANSFER_LOCATE, .id = id, .from = FAKE };
    zmq_send (self.asks, &message, sizeof message, 0);
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_true (message.type == TRANSFER_LOCATED && message.size == size);
    assert_int_equal (message.sources [0], OWN);
    s_get_piece (&self, id, 0, piece, sizeof piece);
    assert_int_equal (piece [0], 1);
    s_get_piece (&self, id, size - 1 - TRANSFER_PIECE, piece, sizeof piece);
    assert_true (piece [0] == 0 && piece [TRANSFER_PIECE - 1] == 2);
    s_get_piece (&self, id, size - 1, piece, 1);
    assert_int_equal (piece [0], 3);
    AWAIT (self.store, pinned, size);
    store_process_down (self.store, FAKE, "killed");
    AWAIT (self.store, pinned, 0);
    AWAIT (self.store, objects, 1);
    store_client_release (self.client, id, 1);
    AWAIT (self.store, used, 0);
    s_close_stage (&self);
}

/*  All of it is asked for; the home drops it; then it comes.               */
static void
s_drop_on_the_way (stage_t *self, uint64_t number)
{
    transfer_message_t first = s_asked (self, TRANSFER_GET);
    transfer_message_t second = s_asked (self, TRANSFER_GET);
    transfer_message_t dropped = { .type = TRANSFER_DROPPED, .id = self->id };
    assert_int_equal (s_notify (self, dropped, OWN, number), number);
    s_answer_piece (self, &first, true);
    s_answer_piece (self, &second, true);
}

/*  It goes once it was read, or at once if nobody waits for it any more.   */
static void
test_dropped_on_the_way (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    s_begin_fetch (&self);
    s_drop_on_the_way (&self, 1);
    assert_true (s_end_fetch (&self));
    AWAIT (self.store, objects, 0);
    self.id.sequence++;
    store_client_prefetch (self.client, self.id, FAKE_SIZE);
    s_point_here (&self);
    AWAIT (self.store, objects, 1);
    s_drop_on_the_way (&self, 2);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    s_close_stage (&self);
}

/*  What another store tells of holds counts once and in order, however often
    and in whichever order it comes.                                        */
static void
test_holds_in_order (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    tid_t id = s_put (self.client, 100000, 3, 1);
    assert_int_equal (s_tell_hold (&self, id, 9, -1, 2), 0);
    assert_int_equal (s_tell_hold (&self, id, 9, 1, 1), 1);
    assert_int_equal (s_tell_hold (&self, id, 9, 1, 1), 1);
    store_client_release (self.client, id, 1);
    assert_true (s_verify (self.client, id, 100000, 3));
    assert_int_equal (s_tell_hold (&self, id, 9, -1, 3), 1);
    assert_true (s_verify (self.client, id, 100000, 3));
    assert_int_equal (s_tell_hold (&self, id, 9, -1, 2), 2);
    AWAIT (self.store, objects, 0);
    s_close_stage (&self);
}

/*  A host that joins again is another store: numbers begin anew, and what was
    for the store that it was does not count.                               */
static void
test_renamed (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    tid_t id = s_put (self.client, 100000, 3, 1);
    assert_int_equal (s_tell_hold (&self, id, 9, 1, 1), 1);
    store_name (self.store, 80);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    store_client_destroy (&self.client);
    self.client = store_client_new (store_endpoint (self.store), 2);
    tid_t now = s_put (self.client, 100000, 4, 2);
    assert_int_equal (now.owner, 80);
    transfer_message_t late = { .type = TRANSFER_HOLD,
                                .id = id,
                                .from = FAKE,
                                .store = 9,
                                .count = 1,
                                .offset = 1,
                                .sources = { OWN } };
    zmq_send (self.asks, &late, sizeof late, 0);
    assert_int_equal (s_tell_hold (&self, now, 9, 1, 1), 1);
    store_client_release (self.client, now, 2);
    assert_true (s_verify (self.client, now, 100000, 4));
    assert_int_equal (s_tell_hold (&self, now, 9, -1, 2), 2);
    AWAIT (self.store, objects, 0);
    s_close_stage (&self);
}

/*  What a store says of its copies is told until it was noted, and what it said
    late of an earlier copy is set right: who has a copy hears of the end.   */
static void
test_copies_are_told (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    tid_t id = s_put (self.client, 100000, 3, 1);
    transfer_message_t locate = { .type = TRANSFER_LOCATE, .id = id, .from = FAKE }, message;
    zmq_send (self.asks, &locate, sizeof locate, 0);
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_LOCATED);
    transfer_message_t notice = { .type = TRANSFER_DISCARDS, .id = id };
    assert_int_equal (s_notify (&self, notice, OWN, 1), 1);
    notice.type = TRANSFER_HAS;
    assert_int_equal (s_notify (&self, notice, OWN, 2), 2);
    store_client_release (self.client, id, 1);
    /*  It is lost twice on its way.                                        */
    for (int round = 0; round < 3; round++) {
        message = s_asked (&self, TRANSFER_DROPPED);
        assert_true (tid_equal (message.id, id) && message.offset == 1);
    }
    s_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 }, NULL, 0);
    AWAIT (self.store, objects, 0);
    /*  Of an object that has gone by then.                                 */
    assert_int_equal (s_notify (&self, notice, OWN, 3), 3);
    message = s_asked (&self, TRANSFER_DROPPED);
    while (message.offset != 2)
        message = s_asked (&self, TRANSFER_DROPPED);
    assert_true (tid_equal (message.id, id));
    AWAIT (self.store, used, 0);
    s_close_stage (&self);
}

/*  The home hears that a copy is there, and that it has gone, though each is
    lost on its way at first.                                               */
static void
test_home_is_told (void **state)
{
    (void) state;
    static stage_t self;
    transfer_message_t message;
    s_open_stage (&self);
    s_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = s_asked (&self, TRANSFER_GET);
        s_answer_piece (&self, &get, true);
    }
    assert_true (s_end_fetch (&self));
    for (int round = 0; round < 2; round++) {
        message = s_asked (&self, TRANSFER_HAS);
        assert_true (tid_equal (message.id, self.id) && message.offset == 1);
    }
    /*  Its memory is wanted for something else.                            */
    tid_t large = s_put (self.client, 15 * MB + MB / 2, 1, 1);
    for (int round = 0; round < 2; round++) {
        message = s_asked (&self, TRANSFER_DISCARDS);
        assert_true (tid_equal (message.id, self.id) && message.offset == 2);
    }
    store_client_release (self.client, large, 1);
    AWAIT (self.store, objects, 0);
    s_close_stage (&self);
}

/*  A process that was there before the store had another name reads and fills
    on, and nothing else gets the memory meanwhile.                         */
static void
test_renamed_under_readers (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    const uint8_t *data, *copy;
    uint8_t kind, *place;
    tid_t filling;
    s_open_stage (&self);
    tid_t id = s_put (self.client, MB, 3, 1);
    assert_int_equal (store_client_pin (self.client, id, MB, &data, &kind, &fault), 0);
    assert_int_equal (store_client_create (self.client, MB, &filling, &place, &fault), 0);
    s_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = s_asked (&self, TRANSFER_GET);
        s_answer_piece (&self, &get, true);
    }
    assert_true (s_end_fetch (&self));
    assert_int_equal (store_client_pin (self.client, self.id, FAKE_SIZE, &copy, &kind, &fault),
                      0);
    s_put (self.client, MB, 8, 1);
    store_name (self.store, 80);
    AWAIT (self.store, objects, 3);
    store_client_t *other = store_client_new (store_endpoint (self.store), 2);
    for (uint64_t round = 0; round < 40; round++) {
        tid_t next = s_put (other, MB, round, 2);
        assert_int_equal (next.owner, 80);
        store_client_release (other, next, 2);
    }
    assert_true (s_is_filled (data, MB, 3));
    assert_true (s_is_filled (copy, FAKE_SIZE, 5));
    /*  Of two readers of the copy one ends.                                */
    assert_true (s_verify (other, self.id, FAKE_SIZE, 5));
    AWAIT (self.store, pinned, MB + FAKE_SIZE);
    store_client_unpin (self.client, self.id);
    store_client_unpin (self.client, id);
    memset (place, 1, MB);
    store_client_seal (self.client, filling, MB, OBJECT_BYTES, 1);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    /*  What was made under the old name is lost, and that is known at once. */
    assert_int_equal (store_client_pin (other, filling, MB, &data, &kind, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELOST);
    store_client_destroy (&other);
    s_close_stage (&self);
}

static void *
s_settle_one (void *arg)
{
    reader_t *self = arg;
    fault_t fault;
    self->right
        = store_client_settle (self->client, store_client_told (self->client), &fault) == 0;
    return NULL;
}

/*  A hold of another store's object is told again until that has noted it, and
    who waits for that waits; the end of that store ends the wait, too.     */
static void
test_holds_are_repeated (void **state)
{
    (void) state;
    static stage_t self;
    s_open_stage (&self);
    self.reader = (reader_t){ .client = self.client };
    store_client_hold (self.client, self.id, 1);
    pthread_create (&self.thread, NULL, s_settle_one, &self.reader);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).offset, 1);
    store_client_release (self.client, self.id, 1);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).count, -1);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).offset, 1);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).offset, 2);
    s_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 2 }, NULL, 0);
    assert_true (s_end_fetch (&self));
    s_settle (self.client);
    store_client_hold (self.client, self.id, 1);
    pthread_create (&self.thread, NULL, s_settle_one, &self.reader);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).offset, 3);
    store_process_down (self.store, FAKE, "killed");
    assert_true (s_end_fetch (&self));
    s_close_stage (&self);
}

/*  A hold that another store does not note is waited for as long as that may
    take; who waits then does not take it for arrived, not even later, and is
    no burden for those that give holds to others.                          */
static void
test_holds_that_do_not_arrive (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    tid_t other = { SECOND, 1 };
    s_open_stage_of (&self, 16 * MB, 50 * CLOCK_MS);
    store_client_hold (self.client, self.id, 1);
    uint64_t number = store_client_told (self.client);
    assert_int_equal (store_client_settle (self.client, number, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELOST);
    assert_non_null (strstr (fault.text, "did not arrive"));
    store_client_hold (self.client, other, 1);
    assert_int_equal (s_asked_at (&self, self.second, TRANSFER_HOLD).offset, 1);
    s_answer_at (&self, self.second, SECOND,
                 (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 });
    s_settle (self.client);
    assert_int_equal (store_client_settle (self.client, number, &fault), -1);
    assert_int_equal (s_asked (&self, TRANSFER_HOLD).offset, 1);
    s_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 }, NULL, 0);
    assert_int_equal (store_client_settle (self.client, number, &fault), -1);
    s_settle (self.client);
    s_close_stage (&self);
}

/*  A copy whose home has ended, and what was made for somebody who does not
    claim it, go after a while; but not from under who reads it.            */
static void
test_left_behind (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    s_open_stage (&self);
    s_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = s_asked (&self, TRANSFER_GET);
        s_answer_piece (&self, &get, true);
    }
    assert_true (s_end_fetch (&self));
    store_client_t *maker = store_client_new (store_endpoint (self.store), 5);
    tid_t id = s_put (maker, 100000, 3, 6);
    assert_int_equal (store_client_pin (self.client, id, 100000, &data, &kind, &fault), 0);
    store_client_destroy (&maker);
    store_process_down (self.store, FAKE, "killed");
    AWAIT (self.store, clients, 1);
    assert_true (s_verify (self.client, self.id, FAKE_SIZE, 5));
    AWAIT (self.store, copies, 0);
    assert_true (s_is_filled (data, 100000, 3));
    AWAIT (self.store, objects, 1);
    store_client_unpin (self.client, id);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    s_close_stage (&self);
}

int
main (int argc, char *argv [])
{
    if (argc > 3)
        return s_be_killed (argv + 1);
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_extents),
        cmocka_unit_test (test_put_and_read),
        cmocka_unit_test (test_sparse),
        cmocka_unit_test (test_readers_cannot_write),
        cmocka_unit_test (test_seals),
        cmocka_unit_test (test_holds),
        cmocka_unit_test (test_hold_passed_on),
        cmocka_unit_test (test_read_without_holder),
        cmocka_unit_test (test_too_large),
        cmocka_unit_test (test_spill_and_restore),
        cmocka_unit_test (test_disk_full),
        cmocka_unit_test (test_disk_errors),
        cmocka_unit_test (test_held_back),
        cmocka_unit_test (test_killed_clients),
        cmocka_unit_test (test_many_clients),
        cmocka_unit_test (test_garbage),
        cmocka_unit_test (test_transfer),
        cmocka_unit_test (test_transfer_with_keys),
        cmocka_unit_test (test_broadcast),
        cmocka_unit_test (test_large_transfer),
        cmocka_unit_test (test_killed_receivers),
        cmocka_unit_test (test_damaged_piece),
        cmocka_unit_test (test_damaged_for_ever),
        cmocka_unit_test (test_source_lacks),
        cmocka_unit_test (test_source_dies),
        cmocka_unit_test (test_source_falls_silent),
        cmocka_unit_test (test_home_dies),
        cmocka_unit_test (test_reader_dies),
        cmocka_unit_test (test_dropped_on_the_way),
        cmocka_unit_test (test_holds_in_order),
        cmocka_unit_test (test_renamed),
        cmocka_unit_test (test_renamed_under_readers),
        cmocka_unit_test (test_copies_are_told),
        cmocka_unit_test (test_home_is_told),
        cmocka_unit_test (test_holds_are_repeated),
        cmocka_unit_test (test_holds_that_do_not_arrive),
        cmocka_unit_test (test_left_behind),
        cmocka_unit_test (test_far_holds_and_death),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
