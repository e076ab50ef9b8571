/*  test_transfer_messages.c - what stores say to each other: one of them is
    under test, and the others are played by the test                        */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/checksum.h"
#include "store/store_private.h"
#include "tests/store_stage.h"
#include "wire/socket.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <zmq.h>

/*  A piece that is damaged on its way is asked for again.                  */
static void
test_damaged_piece (void **state)
{
    (void) state;
    static stage_t self;
    store_figures_t figures;
    stage_open (&self);
    stage_begin_fetch (&self);
    transfer_message_t first = stage_asked (&self, TRANSFER_GET);
    transfer_message_t second = stage_asked (&self, TRANSFER_GET);
    stage_answer_piece (&self, &first, false);
    transfer_message_t again = stage_asked (&self, TRANSFER_GET);
    assert_int_equal (again.offset, first.offset);
    stage_answer_piece (&self, &again, false);
    stage_answer_piece (&self, &second, true);
    again = stage_asked (&self, TRANSFER_GET);
    assert_int_equal (again.offset, first.offset);
    stage_answer_piece (&self, &again, true);
    assert_true (stage_end_fetch (&self));
    store_figures (self.store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE + 2 * TRANSFER_PIECE);
    stage_close (&self);
}

/*  A source that sends nothing but damage: the reader is told, soon.       */
static void
test_damaged_for_ever (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    stage_begin_fetch (&self);
    for (int count = 0; count < DAMAGED_MAX; count++) {
        transfer_message_t get = stage_asked (&self, TRANSFER_GET);
        stage_answer_piece (&self, &get, false);
    }
    stage_asked (&self, TRANSFER_DISCARDS);
    assert_false (stage_end_fetch (&self));
    AWAIT (self.store, used, 0);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  A source that does not have it any more is named to the home.           */
static void
test_source_lacks (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    stage_begin_fetch (&self);
    stage_asked (&self, TRANSFER_GET);
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_LACKS, .id = self.id }, NULL,
                  0);
    transfer_message_t locate = stage_asked (&self, TRANSFER_LOCATE);
    assert_int_equal (locate.store, FAKE);
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_GONE, .id = self.id }, NULL, 0);
    assert_false (stage_end_fetch (&self));
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  One piece has come from the home, and the other one is to come from SECOND. */
static transfer_message_t
s_begin_with_two (stage_t *self)
{
    self->reader = (reader_t){ self->client, self->id, FAKE_SIZE, false };
    pthread_create (&self->thread, NULL, reader_run, &self->reader);
    stage_point_to (self, SECOND);
    transfer_message_t first = stage_asked (self, TRANSFER_GET);
    assert_int_equal (first.offset, 0);
    stage_answer_piece (self, &first, true);
    transfer_message_t second = stage_asked_at (self, self->second, TRANSFER_GET);
    assert_int_equal (second.offset, TRANSFER_PIECE);
    return second;
}

/*  The home is asked again, and then for the piece that is missing, no other. */
static void
s_end_with_one (stage_t *self)
{
    store_figures_t figures;
    stage_point_here (self);
    transfer_message_t again = stage_asked (self, TRANSFER_GET);
    assert_int_equal (again.offset, TRANSFER_PIECE);
    stage_answer_piece (self, &again, true);
    assert_true (stage_end_fetch (self));
    store_figures (self->store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE);
}

/*  One of two sources ends, not the home.                                  */
static void
test_source_dies (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    s_begin_with_two (&self);
    store_process_down (self.store, SECOND, "killed");
    s_end_with_one (&self);
    stage_close (&self);
}

/*  It says nothing any more; what it says later is of no use.              */
static void
test_source_falls_silent (void **state)
{
    (void) state;
    static stage_t self;
    store_figures_t figures;
    stage_open (&self);
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
    assert_int_equal (stage_tell_hold (&self, (tid_t){ OWN, 99 }, 9, 1, 1), 1);
    AWAIT (self.store, objects, 1);
    store_figures (self.store, &figures);
    assert_int_equal (figures.received, FAKE_SIZE);
    stage_close (&self);
}

/*  The home ends while the rest is to come from another: the reader is told,
    and so is a store that waits here for what has not come.                */
static void
test_home_dies (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    s_begin_with_two (&self);
    transfer_message_t message = { .type = TRANSFER_GET,
                                   .id = self.id,
                                   .from = SECOND,
                                   .offset = TRANSFER_PIECE,
                                   .size = FAKE_SIZE - TRANSFER_PIECE };
    zmq_send (self.asks, &message, sizeof message, 0);
    assert_int_equal (stage_tell_hold (&self, (tid_t){ OWN, 99 }, 9, 1, 1), 1);
    store_process_down (self.store, FAKE, "killed");
    assert_false (stage_end_fetch (&self));
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_LACKS);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    stage_close (&self);
}

/*  A piece of an object of OWN's for a played reader.                      */
static void
s_get_piece (stage_t *self, tid_t id, uint64_t offset, uint8_t *piece, size_t size)
{
    transfer_message_t message
        = { .type = TRANSFER_GET, .id = id, .from = FAKE, .offset = offset, .size = size };
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
    stage_open_of (&self, (store_options_t){ .memory = size + MB });
    assert_int_equal (store_client_create (self.client, size, &id, &data, &fault), 0);
    data [0] = 1;
    data [size - 2] = 2;
    data [size - 1] = 3;
    store_client_seal (self.client, id, size, OBJECT_BYTES, 1, true);
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
    store_client_release (self.client, id, 1, false);
    AWAIT (self.store, used, 0);
    stage_close (&self);
}

/*  All of it is asked for; the home drops it; then it comes.               */
static void
s_drop_on_the_way (stage_t *self, uint64_t number)
{
    transfer_message_t first = stage_asked (self, TRANSFER_GET);
    transfer_message_t second = stage_asked (self, TRANSFER_GET);
    transfer_message_t dropped = { .type = TRANSFER_DROPPED, .id = self->id };
    assert_int_equal (stage_notify (self, dropped, OWN, number), number);
    stage_answer_piece (self, &first, true);
    stage_answer_piece (self, &second, true);
}

/*  It goes once it was read, or at once if nobody waits for it any more.   */
static void
test_dropped_on_the_way (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    stage_begin_fetch (&self);
    s_drop_on_the_way (&self, 1);
    assert_true (stage_end_fetch (&self));
    AWAIT (self.store, objects, 0);
    self.id.sequence++;
    store_client_prefetch (self.client, self.id, FAKE_SIZE);
    stage_point_here (&self);
    AWAIT (self.store, objects, 1);
    s_drop_on_the_way (&self, 2);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    stage_close (&self);
}

/*  What another store tells of holds counts once and in order, however often
    and in whichever order it comes.                                        */
static void
test_holds_in_order (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 3, 1);
    assert_int_equal (stage_tell_hold (&self, id, 9, -1, 2), 0);
    assert_int_equal (stage_tell_hold (&self, id, 9, 1, 1), 1);
    assert_int_equal (stage_tell_hold (&self, id, 9, 1, 1), 1);
    store_client_release (self.client, id, 1, false);
    assert_true (fixture_verify (self.client, id, 100000, 3));
    assert_int_equal (stage_tell_hold (&self, id, 9, -1, 3), 1);
    assert_true (fixture_verify (self.client, id, 100000, 3));
    assert_int_equal (stage_tell_hold (&self, id, 9, -1, 2), 2);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  A store whose name is met before it is known here: what it tells is not
    counted, as the count would not last, and is told again.                */
static void
test_holds_of_the_unknown (void **state)
{
    (void) state;
    static stage_t self;
    enum { UNKNOWN = 99 };
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 3, 1);
    store_client_hold (self.client, (tid_t){ UNKNOWN, 1 }, 1, false);
    assert_true (fixture_verify (self.client, id, 100000, 3));
    transfer_message_t hold = { .type = TRANSFER_HOLD,
                                .id = id,
                                .from = UNKNOWN,
                                .store = 9,
                                .count = 1,
                                .offset = 1,
                                .sources = { OWN } };
    zmq_send (self.asks, &hold, sizeof hold, 0);
    assert_int_equal (stage_tell_hold (&self, id, 8, 1, 7), 0);
    store_announce (self.store, UNKNOWN, "node new", "tcp://127.0.0.1:9", NULL);
    zmq_send (self.asks, &hold, sizeof hold, 0);
    assert_int_equal (zmq_recv (self.asks, &hold, sizeof hold, 0), sizeof hold);
    assert_int_equal (hold.type, TRANSFER_NOTED);
    assert_int_equal (hold.offset, 1);
    stage_close (&self);
}

/*  An object that is asked for before it is sealed, and never is.          */
static void
test_asked_for_and_aborted (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    tid_t id;
    uint8_t *data;
    stage_open (&self);
    assert_int_equal (store_client_create (self.client, 100000, &id, &data, &fault), 0);
    transfer_message_t message = { .type = TRANSFER_LOCATE, .id = id, .from = FAKE };
    zmq_send (self.asks, &message, sizeof message, 0);
    assert_int_equal (stage_tell_hold (&self, id, 8, 1, 7), 0);
    store_client_abort (self.client, id);
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_GONE);
    stage_close (&self);
}

/*  A host that joins again is another store: numbers begin anew, and what was
    for the store that it was does not count.                               */
static void
test_renamed (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 3, 1);
    assert_int_equal (stage_tell_hold (&self, id, 9, 1, 1), 1);
    store_name (self.store, 80);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    store_client_destroy (&self.client);
    self.client = store_client_new (store_endpoint (self.store), 2);
    tid_t now = fixture_put (self.client, 100000, 4, 2);
    assert_int_equal (now.owner, 80);
    transfer_message_t late = { .type = TRANSFER_HOLD,
                                .id = id,
                                .from = FAKE,
                                .store = 9,
                                .count = 1,
                                .offset = 1,
                                .sources = { OWN } };
    zmq_send (self.asks, &late, sizeof late, 0);
    assert_int_equal (stage_tell_hold (&self, now, 9, 1, 1), 1);
    store_client_release (self.client, now, 2, false);
    assert_true (fixture_verify (self.client, now, 100000, 4));
    assert_int_equal (stage_tell_hold (&self, now, 9, -1, 2), 2);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
}

/*  What a store says of its copies is told until it was noted, and what it said
    late of an earlier copy is set right: who has a copy hears of the end.   */
static void
test_copies_are_told (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    tid_t id = fixture_put (self.client, 100000, 3, 1);
    transfer_message_t locate = { .type = TRANSFER_LOCATE, .id = id, .from = FAKE }, message;
    zmq_send (self.asks, &locate, sizeof locate, 0);
    assert_int_equal (zmq_recv (self.asks, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, TRANSFER_LOCATED);
    transfer_message_t notice = { .type = TRANSFER_DISCARDS, .id = id };
    assert_int_equal (stage_notify (&self, notice, OWN, 1), 1);
    notice.type = TRANSFER_HAS;
    assert_int_equal (stage_notify (&self, notice, OWN, 2), 2);
    store_client_release (self.client, id, 1, false);
    /*  It is lost twice on its way.                                        */
    for (int round = 0; round < 3; round++) {
        message = stage_asked (&self, TRANSFER_DROPPED);
        assert_true (tid_equal (message.id, id) && message.offset == 1);
    }
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 }, NULL, 0);
    AWAIT (self.store, objects, 0);
    /*  Of an object that has gone by then.                                 */
    assert_int_equal (stage_notify (&self, notice, OWN, 3), 3);
    message = stage_asked (&self, TRANSFER_DROPPED);
    while (message.offset != 2)
        message = stage_asked (&self, TRANSFER_DROPPED);
    assert_true (tid_equal (message.id, id));
    AWAIT (self.store, used, 0);
    stage_close (&self);
}

/*  The home hears that a copy is there, and that it has gone, though each is
    lost on its way at first.                                               */
static void
test_home_is_told (void **state)
{
    (void) state;
    static stage_t self;
    transfer_message_t message;
    stage_open (&self);
    stage_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = stage_asked (&self, TRANSFER_GET);
        stage_answer_piece (&self, &get, true);
    }
    assert_true (stage_end_fetch (&self));
    for (int round = 0; round < 2; round++) {
        message = stage_asked (&self, TRANSFER_HAS);
        assert_true (tid_equal (message.id, self.id) && message.offset == 1);
    }
    /*  Its memory is wanted for something else.                            */
    tid_t large = fixture_put (self.client, 15 * MB + MB / 2, 1, 1);
    for (int round = 0; round < 2; round++) {
        message = stage_asked (&self, TRANSFER_DISCARDS);
        assert_true (tid_equal (message.id, self.id) && message.offset == 2);
    }
    store_client_release (self.client, large, 1, false);
    AWAIT (self.store, objects, 0);
    stage_close (&self);
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
    stage_open (&self);
    tid_t id = fixture_put (self.client, MB, 3, 1);
    assert_int_equal (store_client_pin (self.client, id, MB, &data, &kind, &fault), 0);
    assert_int_equal (store_client_create (self.client, MB, &filling, &place, &fault), 0);
    stage_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = stage_asked (&self, TRANSFER_GET);
        stage_answer_piece (&self, &get, true);
    }
    assert_true (stage_end_fetch (&self));
    assert_int_equal (store_client_pin (self.client, self.id, FAKE_SIZE, &copy, &kind, &fault),
                      0);
    fixture_put (self.client, MB, 8, 1);
    store_name (self.store, 80);
    AWAIT (self.store, objects, 3);
    store_client_t *other = store_client_new (store_endpoint (self.store), 2);
    for (uint64_t round = 0; round < 40; round++) {
        tid_t next = fixture_put (other, MB, round, 2);
        assert_int_equal (next.owner, 80);
        store_client_release (other, next, 2, false);
    }
    assert_true (fixture_is_filled (data, MB, 3));
    assert_true (fixture_is_filled (copy, FAKE_SIZE, 5));
    /*  Of two readers of the copy one ends.                                */
    assert_true (fixture_verify (other, self.id, FAKE_SIZE, 5));
    AWAIT (self.store, pinned, MB + FAKE_SIZE);
    store_client_unpin (self.client, self.id);
    store_client_unpin (self.client, id);
    memset (place, 1, MB);
    store_client_seal (self.client, filling, MB, OBJECT_BYTES, 1, true);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    /*  What was made under the old name is lost, and that is known at once. */
    assert_int_equal (store_client_pin (other, filling, MB, &data, &kind, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELOST);
    store_client_destroy (&other);
    stage_close (&self);
}

/*  Waits for a hold, which the store has been given as it was asked.       */
typedef struct {
    store_client_t *client;
    process_t home;
    uint64_t number;
    int rc;
    fault_t fault;
    pthread_t thread;
} settler_t;

static void *
s_settle_one (void *arg)
{
    settler_t *self = arg;
    self->rc = store_client_settle (self->client, self->home, self->number, &self->fault);
    return NULL;
}

static settler_t
s_give (stage_t *self, tid_t id)
{
    uint64_t number = store_client_hold (self->client, id, 1, false);
    return (settler_t){ .client = self->client, .home = id.owner, .number = number };
}

/*  A hold of another store's object is told again until that has noted it, and
    who waits for that waits; the end of that store ends the wait, too.     */
static void
test_holds_are_repeated (void **state)
{
    (void) state;
    static stage_t self;
    stage_open (&self);
    settler_t one = s_give (&self, self.id);
    pthread_create (&one.thread, NULL, s_settle_one, &one);
    assert_int_equal (stage_asked (&self, TRANSFER_HOLD).offset, 1);
    store_client_release (self.client, self.id, 1, false);
    assert_int_equal (stage_asked (&self, TRANSFER_HOLD).count, -1);
    assert_int_equal (stage_asked (&self, TRANSFER_HOLD).offset, 1);
    assert_int_equal (stage_asked (&self, TRANSFER_HOLD).offset, 2);
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 2 }, NULL, 0);
    pthread_join (one.thread, NULL);
    assert_int_equal (one.rc, 0);
    settler_t next = s_give (&self, self.id);
    pthread_create (&next.thread, NULL, s_settle_one, &next);
    assert_int_equal (stage_asked (&self, TRANSFER_HOLD).offset, 3);
    store_process_down (self.store, FAKE, "killed");
    pthread_join (next.thread, NULL);
    assert_int_equal (next.rc, 0);
    stage_close (&self);
}

/*  A hold that another store does not note is waited for as long as that may
    take; who waits is told which store it is. Those that give holds to others,
    earlier or later, do not wait.                                          */
static void
test_holds_that_do_not_arrive (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    tid_t other = { SECOND, 1 };
    stage_open_of (&self, (store_options_t){ .memory = 16 * MB, .sync_patience = 50 * CLOCK_MS });
    settler_t healthy = s_give (&self, other), sick = s_give (&self, self.id),
              behind = s_give (&self, self.id);
    assert_int_equal (stage_asked_at (&self, self.second, TRANSFER_HOLD).offset, 1);
    stage_answer_at (&self, self.second, SECOND,
                     (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 });
    pthread_create (&sick.thread, NULL, s_settle_one, &sick);
    pthread_create (&behind.thread, NULL, s_settle_one, &behind);
    s_settle_one (&healthy);
    assert_int_equal (healthy.rc, 0);
    pthread_join (sick.thread, NULL);
    pthread_join (behind.thread, NULL);
    assert_int_equal (sick.rc, -1);
    assert_int_equal (behind.rc, -1);
    assert_int_equal (sick.fault.code, TROUPE_ELOST);
    assert_non_null (strstr (sick.fault.text, "did not arrive"));
    assert_non_null (strstr (sick.fault.text, "node fake (tcp://127.0.0.1:"));
    assert_non_null (strstr (sick.fault.text, "does not answer"));
    /*  What becomes of them is known from then on; later ones may arrive.  */
    assert_int_equal (store_client_settle (self.client, FAKE, behind.number, &fault), -1);
    settler_t later = s_give (&self, self.id);
    while (stage_asked (&self, TRANSFER_HOLD).offset != 3) {
    }
    pthread_create (&later.thread, NULL, s_settle_one, &later);
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 3 }, NULL, 0);
    pthread_join (later.thread, NULL);
    assert_int_equal (later.rc, 0);
    stage_close (&self);
}

/*  Of several holds some have arrived when time is up: those are known to.  */
static void
test_holds_that_arrive_in_part (void **state)
{
    (void) state;
    static stage_t self;
    stage_open_of (&self,
                   (store_options_t){ .memory = 16 * MB, .sync_patience = 300 * CLOCK_MS });
    settler_t first = s_give (&self, self.id), second = s_give (&self, self.id);
    pthread_create (&second.thread, NULL, s_settle_one, &second);
    while (stage_asked (&self, TRANSFER_HOLD).offset != 2) {
    }
    stage_answer (&self, (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 }, NULL, 0);
    pthread_join (second.thread, NULL);
    assert_int_equal (second.rc, -1);
    s_settle_one (&first);
    assert_int_equal (first.rc, 0);
    stage_close (&self);
}

/*  A hold at a store that nobody tells of is given up. Those that follow arrive
    once that store is known, and the lost one stays lost.                  */
static void
test_holds_that_are_lost (void **state)
{
    (void) state;
    static stage_t self;
    fault_t fault;
    char endpoint [HOST_MAX + 32];
    tid_t unknown = { 99, 1 };
    stage_open_of (&self,
                   (store_options_t){ .memory = 16 * MB, .fetch_patience = 50 * CLOCK_MS });
    settler_t lost = s_give (&self, unknown);
    s_settle_one (&lost);
    assert_int_equal (lost.rc, -1);
    assert_int_equal (lost.fault.code, TROUPE_ELOST);
    assert_non_null (strstr (lost.fault.text, "its store is not known here"));
    assert_int_equal (socket_last_endpoint (self.second, endpoint, sizeof endpoint, &fault), 0);
    store_announce (self.store, 99, "node third", endpoint, NULL);
    settler_t later = s_give (&self, unknown);
    assert_int_equal (stage_asked_at (&self, self.second, TRANSFER_HOLD).offset, 1);
    stage_answer_at (&self, self.second, 99,
                     (transfer_message_t){ .type = TRANSFER_NOTED, .offset = 1 });
    s_settle_one (&later);
    assert_int_equal (later.rc, 0);
    s_settle_one (&lost);
    assert_int_equal (lost.rc, -1);
    stage_close (&self);
}

/*  An object that is on its way from disk for another store, and that nobody
    holds any more, goes when it is there, and leaves nothing behind.       */
static void
test_dropped_while_read_for_another (void **state)
{
    (void) state;
    static stage_t self;
    transfer_source_t source;
    char folder [] = "/tmp/troupe-test-XXXXXX";
    assert_non_null (mkdtemp (folder));
    stage_open_of (&self, (store_options_t){ .memory = 16 * MB, .spill_folder = folder });
    tid_t id = fixture_put (self.client, 10 * MB, 1, 1),
          other = fixture_put (self.client, 10 * MB, 2, 1);
    store_client_release (self.client, other, 1, true);
    AWAIT (self.store, objects, 1);
    AWAIT (self.store, used, 0);
    store_lock (self.store);
    assert_int_equal (store_transfer_hooks.serve (self.store, id, &source), 0);
    object_t *object = store_object (self.store, id);
    assert_true (object->reading);
    store_forget_holds (object);
    store_drop (self.store, object);
    store_unlock (self.store);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    AWAIT (self.store, pinned, 0);
    stage_close (&self);
    assert_int_equal (rmdir (folder), 0);
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
    stage_open (&self);
    stage_begin_fetch (&self);
    for (int count = 0; count < 2; count++) {
        transfer_message_t get = stage_asked (&self, TRANSFER_GET);
        stage_answer_piece (&self, &get, true);
    }
    assert_true (stage_end_fetch (&self));
    store_client_t *maker = store_client_new (store_endpoint (self.store), 5);
    tid_t id = fixture_put (maker, 100000, 3, 6);
    assert_int_equal (store_client_pin (self.client, id, 100000, &data, &kind, &fault), 0);
    store_client_destroy (&maker);
    store_process_down (self.store, FAKE, "killed");
    AWAIT (self.store, clients, 1);
    assert_true (fixture_verify (self.client, self.id, FAKE_SIZE, 5));
    AWAIT (self.store, copies, 0);
    assert_true (fixture_is_filled (data, 100000, 3));
    AWAIT (self.store, objects, 1);
    store_client_unpin (self.client, id);
    AWAIT (self.store, objects, 0);
    AWAIT (self.store, used, 0);
    stage_close (&self);
}

/*  However often a piece is asked for that has not come, one request waits. */
static void
test_asked_for_too_often (void **state)
{
    (void) state;
    stage_t self;
    stage_open (&self);
    stage_begin_fetch (&self);
    stage_asked (&self, TRANSFER_GET);
    transfer_message_t get
        = { .type = TRANSFER_GET, .id = self.id, .from = SECOND, .size = TRANSFER_PIECE };
    for (size_t count = 0; count < 1000; count++)
        assert_true (zmq_send (self.asks, &get, sizeof get, 0) > 0);
    /*  What is asked behind them is answered when they have been read.     */
    transfer_message_t nothing = { .type = TRANSFER_GET, .id = { OWN, 1 }, .from = SECOND };
    assert_true (zmq_send (self.asks, &nothing, sizeof nothing, 0) > 0);
    assert_true (zmq_recv (self.asks, &nothing, sizeof nothing, 0) > 0);
    assert_int_equal (nothing.type, TRANSFER_LACKS);
    store_lock (self.store);
    assert_int_equal (self.store->transfer->parked_count, 1);
    store_unlock (self.store);
    transfer_message_t gone
        = { .type = TRANSFER_GONE, .count = TROUPE_EINVAL, .id = self.id };
    stage_answer (&self, gone, (const uint8_t *) "it has gone", 11);
    assert_false (stage_end_fetch (&self));
    store_lock (self.store);
    assert_int_equal (self.store->transfer->parked_count, 0);
    store_unlock (self.store);
    stage_close (&self);
}

/*  Whatever is asked for, only so many requests wait.                      */
static void
test_too_much_asked_for (void **state)
{
    (void) state;
    stage_t self;
    list_t parked;
    route_t route = { .size = 5 };
    stage_open (&self);
    list_init (&parked);
    store_lock (self.store);
    transfer_t *transfer = self.store->transfer;
    for (uint64_t offset = 0; offset < PARKED_MAX + 1000; offset++)
        parked_append (transfer, &parked, &route, offset, 1);
    assert_int_equal (transfer->parked_count, PARKED_MAX);
    for (list_node_t *node; (node = list_pop (&parked));)
        parked_free (transfer, container_of (node, parked_t, node));
    assert_int_equal (transfer->parked_count, 0);
    store_unlock (self.store);
    stage_close (&self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_damaged_piece),
        cmocka_unit_test (test_damaged_for_ever),
        cmocka_unit_test (test_source_lacks),
        cmocka_unit_test (test_source_dies),
        cmocka_unit_test (test_source_falls_silent),
        cmocka_unit_test (test_home_dies),
        cmocka_unit_test (test_reader_dies),
        cmocka_unit_test (test_dropped_on_the_way),
        cmocka_unit_test (test_holds_in_order),
        cmocka_unit_test (test_holds_of_the_unknown),
        cmocka_unit_test (test_asked_for_and_aborted),
        cmocka_unit_test (test_renamed),
        cmocka_unit_test (test_copies_are_told),
        cmocka_unit_test (test_home_is_told),
        cmocka_unit_test (test_renamed_under_readers),
        cmocka_unit_test (test_holds_are_repeated),
        cmocka_unit_test (test_holds_that_do_not_arrive),
        cmocka_unit_test (test_holds_that_arrive_in_part),
        cmocka_unit_test (test_holds_that_are_lost),
        cmocka_unit_test (test_dropped_while_read_for_another),
        cmocka_unit_test (test_left_behind),
        cmocka_unit_test (test_asked_for_too_often),
        cmocka_unit_test (test_too_much_asked_for),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
