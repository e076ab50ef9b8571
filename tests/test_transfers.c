/*  test_transfers.c - objects between the stores of several machines         */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sanitized.h"
#include "tests/store_fixture.h"
#include "wire/socket.h"
#include "wire/thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <zmq.h>

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
    store_announce (self->stores [to], (process_t) (70 + about), "node",
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
        self->clients [index]
            = store_client_new (store_endpoint (self->stores [index]), (process_t) (1 + index));
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
        tid_t id = fixture_put (self.clients [0], sizes [index], index, 1);
        for (int reader = 1; reader < STORES; reader++)
            assert_true (fixture_verify (self.clients [reader], id, sizes [index], index));
        store_client_release (self.clients [0], id, 1, false);
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
    tid_t id = fixture_put (self.clients [0], SIZE, 5, 1);
    for (int index = 0; index < STORES * EACH; index++) {
        readers [index] = (reader_t){ self.clients [index % STORES], id, SIZE, false };
        pthread_create (&threads [index], NULL, reader_run, &readers [index]);
    }
    for (int index = 0; index < STORES * EACH; index++)
        pthread_join (threads [index], NULL);
    for (int index = 0; index < STORES * EACH; index++)
        assert_true (readers [index].right);
    for (int store = 1; store < STORES; store++) {
        store_figures (self.stores [store], &figures);
        assert_int_equal (figures.received - figures.repeated, SIZE);
    }
    store_client_release (self.clients [0], id, 1, false);
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
    if (SANITIZED || !s_has_room_for (4 * size, 2 * size))
        skip ();
    s_open_cluster_of (&self, true, size + MB);
    assert_int_equal (store_client_create (self.clients [0], size, &id, &data, &fault), 0);
    data [0] = 1;
    data [middle] = 2;
    data [size - 1] = 3;
    store_client_seal (self.clients [0], id, size, OBJECT_BYTES, 1, true);
    /*  Nothing else fits beside it.                                        */
    if (store_client_create (self.clients [0], 2 * MB, &other, &data, &fault))
        fail_msg ("%s", fault.text);
    AWAIT (self.stores [0], spills, size);
    store_client_abort (self.clients [0], other);
    if (store_client_pin (self.clients [1], id, size, &read, &kind, &fault))
        fail_msg ("%s", fault.text);
    AWAIT (self.stores [0], restores, size);
    assert_true (read [0] == 1 && read [middle] == 2 && read [size - 1] == 3);
    assert_true (read [1] == 0 && read [middle - 1] == 0 && read [size - 2] == 0);
    store_client_unpin (self.clients [1], id);
    store_client_release (self.clients [0], id, 1, false);
    for (int store = 0; store < STORES; store++)
        AWAIT (self.stores [store], used, 0);
    AWAIT (self.stores [0], spilled, 0);
    s_close_cluster (&self);
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
    tid_t id = fixture_put (self.clients [0], 3 * MB, 5, 1);
    for (int round = 0; round < 500; round++) {
        fixture_hold (self.clients [1], id, 2);
        store_client_release (self.clients [0], id, 1, false);
        fixture_hold (self.clients [2], id, 1);
        store_client_release (self.clients [1], id, 2, false);
    }
    fixture_hold (self.clients [1], id, 2);
    assert_true (fixture_verify (self.clients [1], id, 3 * MB, 5));
    assert_int_equal (store_client_pin (self.clients [1], id, 3 * MB + 1, &data, &kind, &fault),
                      -1);
    assert_int_equal (fault.code, TROUPE_EPROTOCOL);
    store_client_release (self.clients [0], id, 1, false);
    tid_t others [14];
    for (uint64_t index = 0; index < 14; index++)
        others [index] = fixture_put (self.clients [0], 3 * MB, index, 1);
    assert_true (fixture_verify (self.clients [2], id, 3 * MB, 5));
    assert_true (fixture_verify (self.clients [2], others [0], 3 * MB, 0));
    store_client_release (self.clients [1], id, 2, false);
    AWAIT (self.stores [0], objects, 14);
    store_client_destroy (&self.clients [0]);
    assert_int_equal (store_destroy (&self.stores [0]), 0);
    for (int store = 1; store < STORES; store++)
        store_process_down (self.stores [store], 70, "killed");
    assert_int_equal (
        store_client_pin (self.clients [3], others [5], 3 * MB, &data, &kind, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELOST);
    s_close_cluster (&self);
}

/*  A host that had lost the head joins again by another name, and finds those
    who have theirs still.                                                  */
static void
test_counted_as_dead_and_back (void **state)
{
    (void) state;
    cluster_t self;
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    s_open_cluster (&self, true);
    for (uint64_t round = 0; round < 3; round++) {
        process_t name = round ? 80 + round : 71;
        tid_t id = fixture_put (self.clients [0], 3 * MB, round, 1);
        store_process_down (self.stores [0], name, "silent");
        store_process_down (self.stores [1], 70, "the head is lost");
        assert_int_equal (store_client_pin (self.clients [1], id, 3 * MB, &data, &kind, &fault),
                          -1);
        assert_int_equal (fault.code, TROUPE_ELOST);
        store_name (self.stores [1], 81 + round);
        store_process_up (self.stores [1], 70);
        s_announce (&self, 1, 0);
        store_announce (self.stores [0], 81 + round, "node",
                        store_remote_endpoint (self.stores [1]), self.network.keys.public_key);
        assert_true (fixture_verify (self.clients [1], id, 3 * MB, round));
        store_client_release (self.clients [0], id, 1, false);
        AWAIT (self.stores [1], objects, 0);
    }
    s_close_cluster (&self);
}

/*  Reads objects of another store, and keeps every other one pinned.       */
static int
s_receive_until_killed (char *argv [])
{
    uint64_t numbers [5] = { 0 };
    for (size_t index = 0; index < 5 && argv [1 + index]; index++)
        numbers [index] = strtoull (argv [1 + index], NULL, 10);
    process_t process = numbers [0];
    tid_t first = { numbers [1], numbers [2] };
    uint64_t count = numbers [3], size = numbers [4];
    store_client_t *client = store_client_new (argv [0], process);
    if (!count)
        return 3;
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
            ids [index] = fixture_put (self.clients [0], SIZE, index, 1);
        for (uint64_t index = 0; index < KILLED; index++) {
            uint64_t numbers [] = { 100 + round * KILLED + index, ids [0].owner,
                                    ids [0].sequence, COUNT, SIZE };
            children [index]
                = fixture_start ("receive", store_endpoint (self.stores [1]), numbers, 5);
        }
        AWAIT (self.stores [1], clients, KILLED + (round > 0));
        poll (NULL, 0, (int) (2 * round));
        for (int index = 0; index < KILLED; index++)
            fixture_kill (children [index]);
        AWAIT (self.stores [1], clients, round > 0);
        AWAIT (self.stores [1], pinned, 0);
        for (uint64_t index = 0; index < COUNT; index++)
            assert_true (fixture_verify (self.clients [1], ids [index], SIZE, index));
        for (uint64_t index = 0; index < COUNT; index++)
            store_client_release (self.clients [0], ids [index], 1, false);
        for (int store = 0; store < STORES; store++)
            AWAIT (self.stores [store], objects, 0);
        AWAIT (self.stores [1], used, 0);
    }
    s_close_cluster (&self);
}

int
main (int argc, char *argv [])
{
    /*  receive ENDPOINT PROCESS OWNER SEQUENCE COUNT SIZE                  */
    if (argc > 3)
        return s_receive_until_killed (argv + 2);
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_transfer),
        cmocka_unit_test (test_transfer_with_keys),
        cmocka_unit_test (test_broadcast),
        cmocka_unit_test (test_large_transfer),
        cmocka_unit_test (test_far_holds_and_death),
        cmocka_unit_test (test_counted_as_dead_and_back),
        cmocka_unit_test (test_killed_receivers),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
