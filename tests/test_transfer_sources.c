/*  test_transfer_sources.c - where a store is told to take objects from, and what
    becomes of who is told wrong: the test plays the other stores            */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/checksum.h"
#include "tests/store_stage.h"

#include <zmq.h>

/*  --- what is told -----------------------------------------------------  */

/*  A store asks where OWN's object is, and that it is not at another.      */
static transfer_message_t
s_locate (stage_t *self, tid_t id, process_t store, process_t without)
{
    transfer_message_t message
        = { .type = TRANSFER_LOCATE, .id = id, .from = store, .store = without };
    zmq_send (self->asks, &message, sizeof message, 0);
    assert_int_equal (zmq_recv (self->asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_LOCATED);
    return message;
}

/*  Who takes an object at the same time makes a tree: nobody serves more than two,
    and nobody takes it from who asked later, so that none wait for each other.
    Who has all of it is free again, and may be a second source.            */
static void
test_tree (void **state)
{
    (void) state;
    enum { TAKERS = 200, FIRST = 1000 };
    static stage_t self;
    unsigned children [TAKERS] = { 0 }, depths [TAKERS] = { 0 }, own = 0, deepest = 0;
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 5, 1);
    for (unsigned index = 0; index < TAKERS; index++) {
        transfer_message_t located = s_locate (&self, id, FIRST + index, 0);
        process_t source = located.sources [0];
        assert_int_equal (located.sources [1], 0);
        unsigned *count = source == OWN ? &own : &children [source - FIRST];
        assert_true (source == OWN || (source >= FIRST && source < FIRST + index));
        assert_true (++*count <= CHILDREN);
        depths [index] = source == OWN ? 1 : depths [source - FIRST] + 1;
        deepest = depths [index] > deepest ? depths [index] : deepest;
    }
    assert_int_equal (own, CHILDREN);
    /*  As flat as it can be with one piece: 2 + 4 + ... + 64 + 74.         */
    assert_int_equal (deepest, 7);
    /*  FAKE and SECOND have it; only then are there two who can be asked.  */
    s_locate (&self, id, FAKE, 0);
    for (process_t store = FIRST; store < FIRST + TAKERS; store++)
        store_process_down (self.store, store, "killed");
    assert_int_equal (stage_notify (&self, (transfer_message_t){ .type = TRANSFER_HAS, .id = id },
                                    OWN, 1),
                      1);
    transfer_message_t located = s_locate (&self, id, SECOND, 0);
    assert_true (located.sources [0] == OWN && located.sources [1] == FAKE);
    store_client_release (self.client, id, 1, false);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  With more pieces than takers each passes on what it gets, so that none has to
    send it twice; with more takers the tree has more branches.             */
static void
test_branches (void **state)
{
    (void) state;
    enum { PIECES = 5, FIRST = 1000 };
    static stage_t self;
    stage_open (&self);
    tid_t id = fixture_put (self.client, PIECES * MB, 5, 1);
    for (process_t index = 0; index < PIECES; index++)
        assert_int_equal (s_locate (&self, id, FIRST + index, 0).sources [0],
                          index ? FIRST + index - 1 : OWN);
    assert_int_equal (s_locate (&self, id, FIRST + PIECES, 0).sources [0], OWN);
    assert_int_equal (s_locate (&self, id, FIRST + PIECES + 1, 0).sources [0], FIRST + PIECES);
    store_client_release (self.client, id, 1, false);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  Stores that ended, though they were never announced here, are no sources, and
    neither are those that are said not to have it.                         */
static void
test_sources_that_end (void **state)
{
    (void) state;
    enum { FIRST = 1000 };
    static stage_t self;
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 5, 1);
    assert_int_equal (s_locate (&self, id, FIRST, 0).sources [0], OWN);
    assert_int_equal (s_locate (&self, id, FIRST + 1, 0).sources [0], OWN);
    assert_int_equal (s_locate (&self, id, FIRST + 2, 0).sources [0], FIRST);
    store_process_down (self.store, FIRST, "killed");
    assert_int_equal (s_locate (&self, id, FIRST + 2, 0).sources [0], OWN);
    assert_int_equal (s_locate (&self, id, FIRST + 3, 0).sources [0], FIRST + 1);
    assert_int_equal (s_locate (&self, id, FIRST + 3, FIRST + 1).sources [0], OWN);
    store_client_release (self.client, id, 1, false);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  Who asks twice for a piece that has not come yet gets it once.          */
static void
test_asked_twice (void **state)
{
    (void) state;
    static stage_t self;
    static uint8_t piece [TRANSFER_PIECE];
    stage_open (&self);
    stage_begin_fetch (&self);
    transfer_message_t first = stage_asked (&self, TRANSFER_GET),
                       second = stage_asked (&self, TRANSFER_GET);
    transfer_message_t get = { .type = TRANSFER_GET, .id = self.id, .from = SECOND,
                               .offset = first.offset, .size = first.size };
    for (int count = 0; count < 3; count++)
        zmq_send (self.asks, &get, sizeof get, 0);
    /*  What is answered at once was asked for behind them.                 */
    tid_t other = fixture_put (self.client, 100000, 5, 1);
    assert_int_equal (s_locate (&self, other, SECOND, 0).sources [0], OWN);
    stage_answer_piece (&self, &first, true);
    assert_int_equal (zmq_recv (self.asks, &get, sizeof get, 0), sizeof get);
    assert_int_equal (get.type, TRANSFER_DATA);
    assert_int_equal (zmq_recv (self.asks, piece, sizeof piece, 0), first.size);
    assert_int_equal (s_locate (&self, other, SECOND, 0).sources [0], OWN);
    stage_answer_piece (&self, &second, true);
    assert_true (stage_end_fetch (&self));
    stage_close (&self);
}

/*  --- who is told wrong ------------------------------------------------  */

typedef struct {
    stage_t *stage;
    int rc;
    fault_t fault;
} waiter_t;

static void *
s_pin (void *arg)
{
    waiter_t *self = arg;
    const uint8_t *data;
    uint8_t kind;
    self->rc = store_client_pin (self->stage->client, self->stage->id, FAKE_SIZE, &data, &kind,
                                 &self->fault);
    return NULL;
}

/*  A home that names a source each time, and there is nothing each time: the fetch
    ends with that for its cause, and does not keep the two busy until then. */
static void
test_lacks_for_ever (void **state)
{
    (void) state;
    static stage_t self;
    int asked = 0, patience = 50;
    stage_open_of (&self, (store_options_t){ .memory = 16 * MB,
                                             .fetch_patience = 450 * CLOCK_MS });
    waiter_t waiter = { .stage = &self };
    pthread_t thread;
    pthread_create (&thread, NULL, s_pin, &waiter);
    transfer_message_t message;
    zmq_setsockopt (self.answers, ZMQ_RCVTIMEO, &patience, sizeof patience);
    for (bool ended = false; !ended;) {
        int size = zmq_recv (self.answers, self.route.bytes, sizeof self.route.bytes, 0);
        if (size < 0)
            continue;
        self.route.size = (size_t) size;
        assert_int_equal (zmq_recv (self.answers, &message, sizeof message, 0), sizeof message);
        transfer_message_t lacks = { .type = TRANSFER_LACKS, .id = self.id };
        transfer_message_t located = { .type = TRANSFER_LOCATED, .kind = OBJECT_BYTES,
                                       .id = self.id, .size = FAKE_SIZE, .sources = { FAKE } };
        asked += message.type == TRANSFER_LOCATE;
        if (message.type == TRANSFER_LOCATE)
            stage_answer (&self, located, NULL, 0);
        else if (message.type == TRANSFER_GET)
            stage_answer (&self, lacks, NULL, 0);
        ended = message.type == TRANSFER_DISCARDS;
    }
    pthread_join (thread, NULL);
    assert_int_equal (waiter.rc, -1);
    assert_int_equal (waiter.fault.code, TROUPE_ELOST);
    assert_non_null (strstr (waiter.fault.text, "names only such as do not have it"));
    assert_in_range (asked, LACKS_AT_ONCE, LACKS_AT_ONCE + 1 + STALLS);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  A home that says nothing, and one that is not known.                    */
static void
test_no_answer (void **state)
{
    (void) state;
    static stage_t self;
    for (int round = 0; round < 2; round++) {
        stage_open_of (&self, (store_options_t){ .memory = 16 * MB,
                                                 .fetch_patience = 150 * CLOCK_MS });
        waiter_t waiter = { .stage = &self };
        self.id.owner = round ? 999 : FAKE;
        s_pin (&waiter);
        assert_int_equal (waiter.rc, -1);
        assert_int_equal (waiter.fault.code, TROUPE_ELOST);
        assert_non_null (strstr (waiter.fault.text, round ? "is not known here"
                                                          : "does not answer"));
        AWAIT (self.store, objects, 0);
        stage_close (&self);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_tree),
        cmocka_unit_test (test_branches),
        cmocka_unit_test (test_sources_that_end),
        cmocka_unit_test (test_asked_twice),
        cmocka_unit_test (test_lacks_for_ever),
        cmocka_unit_test (test_no_answer),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
