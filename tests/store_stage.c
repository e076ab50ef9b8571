/*  store_stage.c - a store under test, and others that the test plays       */

#include "tests/store_stage.h"

#include "core/checksum.h"
#include "wire/socket.h"
#include "wire/thread.h"

#include <zmq.h>

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
    store_announce (self->store, store, store == FAKE ? "node fake" : "node second", endpoint,
                    NULL);
    return socket;
}

void
stage_open_of (stage_t *self, store_options_t options)
{
    fault_t fault;
    int patience = (int) (PATIENCE / CLOCK_MS);
    *self
        = (stage_t){ .network = { .insecure = true, .host = "127.0.0.1" }, .id = { FAKE, 1 } };
    thread_prepare ();
    self->context = socket_context_new (&fault);
    assert_int_equal (network_open (&self->network, self->context, NULL, &fault), 0);
    options.context = self->context;
    options.network = &self->network;
    options.claim_patience = 1000 * CLOCK_MS;
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
    fixture_fill (self->data, sizeof self->data, 5);
}

void
stage_open (stage_t *self)
{
    stage_open_of (self, (store_options_t){ .memory = 16 * MB });
}

void
stage_close (stage_t *self)
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
transfer_message_t
stage_asked_at (stage_t *self, void *socket, transfer_type_t type)
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

transfer_message_t
stage_asked (stage_t *self, transfer_type_t type)
{
    return stage_asked_at (self, self->answers, type);
}

/*  As a played store, to the one that was heard last.                      */
void
stage_answer_at (stage_t *self, void *socket, process_t from, transfer_message_t message)
{
    message.from = from;
    zmq_send (socket, self->route.bytes, self->route.size, ZMQ_SNDMORE);
    zmq_send (socket, &message, sizeof message, 0);
}

void
stage_answer (stage_t *self, transfer_message_t message, const uint8_t *data, size_t size)
{
    message.from = FAKE;
    zmq_send (self->answers, self->route.bytes, self->route.size, ZMQ_SNDMORE);
    zmq_send (self->answers, &message, sizeof message, data ? ZMQ_SNDMORE : 0);
    if (data)
        zmq_send (self->answers, data, size, 0);
}

void
stage_answer_piece (stage_t *self, const transfer_message_t *get, bool right)
{
    const uint8_t *data = self->data + get->offset;
    stage_answer (self,
                  (transfer_message_t){ .type = TRANSFER_DATA,
                                        .id = get->id,
                                        .offset = get->offset,
                                        .checksum = checksum_of (data, get->size) ^ !right },
                  data, get->size);
}

/*  OWN asks where the object is, and is told to take it from FAKE, and from
    another.                                                                */
void
stage_point_to (stage_t *self, process_t other)
{
    transfer_message_t locate = stage_asked (self, TRANSFER_LOCATE);
    assert_true (tid_equal (locate.id, self->id) && locate.from == OWN);
    stage_answer (self,
                  (transfer_message_t){ .type = TRANSFER_LOCATED,
                                        .kind = OBJECT_BYTES,
                                        .id = self->id,
                                        .size = FAKE_SIZE,
                                        .sources = { FAKE, other } },
                  NULL, 0);
}

void
stage_point_here (stage_t *self)
{
    stage_point_to (self, 0);
}

void
stage_begin_fetch (stage_t *self)
{
    self->reader = (reader_t){ self->client, self->id, FAKE_SIZE, false };
    pthread_create (&self->thread, NULL, reader_run, &self->reader);
    stage_point_here (self);
}

bool
stage_end_fetch (stage_t *self)
{
    pthread_join (self->thread, NULL);
    return self->reader.right;
}

/*  A notice, and the number of the last that the store has noted then.     */
uint64_t
stage_notify (stage_t *self, transfer_message_t message, process_t to, uint64_t number)
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

uint64_t
stage_tell_hold (stage_t *self, tid_t id, process_t holder, int32_t count, uint64_t number)
{
    transfer_message_t hold
        = { .type = TRANSFER_HOLD, .id = id, .store = holder, .count = count };
    return stage_notify (self, hold, id.owner, number);
}
