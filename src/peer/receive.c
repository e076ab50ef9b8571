/*  receive.c - what comes in: from the head and from other processes       */

#include "peer/actor.h"
#include "peer/inquiry.h"
#include "peer/object.h"
#include "wire/socket.h"

#include <errno.h>
#include <stdlib.h>

/*  Messages received before the lock is offered to others.                 */
#define DRAIN_MAX 32

/*  Names of tasks in a cluster, which the head numbers from 1.             */
#define FUNCTIONS_MAX (1u << 20)

batch_t *
batch_retain (batch_t *batch)
{
    atomic_fetch_add_explicit (&batch->references, 1, memory_order_relaxed);
    return batch;
}

void
batch_release (batch_t *batch)
{
    if (!batch || atomic_fetch_sub_explicit (&batch->references, 1, memory_order_acq_rel) > 1)
        return;
    zmq_msg_close (&batch->message);
    free (batch);
}

/*  --- what the head says -----------------------------------------------  */

/*  The code of a failure that came.                                        */
static troupe_error_t
s_code (const record_t *record)
{
    return fault_code_valid (record->number) ? (troupe_error_t) record->number
                                             : TROUPE_EPROTOCOL;
}

/*  The numbers of our tasks' names, in the order in which HELLO had them.  */
static void
s_welcome (troupe_t *self, const record_t *record)
{
    if (self->joined || !record->id.owner)
        return;
    self->self = record->id.owner;
    if (self->self > self->announced)
        self->announced = self->self;
    size_t offset = 0;
    msgpack_token_t token;
    if (token_next (record->body, record->body_size, &offset, &token)
        || token.type != TROUPE_LIST)
        return;
    for (size_t left = token.count; left >= 2; left -= 2) {
        msgpack_token_t address, number;
        if (token_next (record->body, record->body_size, &offset, &address)
            || token_next (record->body, record->body_size, &offset, &number)
            || address.type != TROUPE_INTEGER || number.type != TROUPE_INTEGER)
            return;
        if (!number.number || number.number > FUNCTIONS_MAX)
            continue;
        id_table_put (&self->functions, (tid_t){ 0, address.number },
                      (void *) (uintptr_t) number.number);
    }
    if (token.count % 2 && token_next (record->body, record->body_size, &offset, &token) == 0
        && token.type == TROUPE_BYTES && token.size == COOKIE_SIZE)
        memcpy (self->cookie, token.data, COOKIE_SIZE);
    self->joined = true;
    if (self->hosted)
        store_name (self->hosted, self->self);
    /*  From now on the head is to hear of us.                              */
    peer_service_by (self, 0);
    if (self->hooks)
        self->hooks->joined (self->hooks_context, self);
    if (self->joining)
        peer_wake (self, self->joining);
}

static void
s_refused (troupe_t *self, const record_t *record)
{
    fault_set (&self->refused, fault_code_valid (record->number) ? record->number
                                                                 : TROUPE_EPROTOCOL,
               "%.*s", (int) record->body_size, (const char *) record->body);
    if (self->joined && record->number == TROUPE_ESTOPPED) {
        /*  The head waits for this before it ends.                         */
        record_t leave = { .type = RECORD_LEAVE };
        link_send (self, HEAD_PROCESS, &leave);
        link_flush_all (self);
    }
    if (self->joined)
        peer_lose_head (self, &self->refused);
    if (self->joining)
        peer_wake (self, self->joining);
}

/*  How we reach it depends on where it is.                                 */
static known_t *
s_known_new (troupe_t *self, process_t process, const identity_t *identity)
{
    known_t *known = calloc (1, sizeof *known);
    if (!known)
        return NULL;
    known->process = process;
    known->role = identity->role;
    known->far = strcmp (identity->machine, self->identity.machine) != 0;
    known->has_key = identity->has_key;
    memcpy (known->key, identity->key, KEY_SIZE);
    if (known->far)
        known->endpoint = strdup (self->network ? identity->remote : "");
    else
        known->endpoint = strdup (identity->endpoint);
    known->label = strdup (identity->label);
    if (known->endpoint && known->label)
        return known;
    known_destroy (known);
    return NULL;
}

/*  Not to know of a process that the head has announced would be to wait for
    it for ever.                                                            */
static void
s_cannot_know (troupe_t *self, const char *why)
{
    fault_t fault;
    fault_set (&fault, TROUPE_ENOMEM,
               "a process that the head announced cannot be taken in: %s", why);
    peer_lose_head (self, &fault);
}

static void
s_peer_up (troupe_t *self, const record_t *record)
{
    fault_t fault;
    identity_t identity;
    size_t offset = 0;
    msgpack_token_t list;
    tid_t key = { 0, record->id.owner };
    if (!record->id.owner || id_table_get (&self->known, key)
        || !value_check (record->body, record->body_size, true)
        || token_next (record->body, record->body_size, &offset, &list)
        || list.type != TROUPE_LIST || list.count != IDENTITY_FIELDS
        || identity_get (&identity, record->body, record->body_size, &offset))
        return;
    known_t *known = s_known_new (self, record->id.owner, &identity);
    if (known && id_table_put (&self->known, key, known)) {
        known_destroy (known);
        known = NULL;
    }
    if (!known) {
        s_cannot_know (self, "no memory");
        return;
    }
    if (known->process > self->announced)
        self->announced = known->process;
    if (known->role == ROLE_WORKER)
        self->workers++;
    if (known_let_in (self, known, &fault))
        s_cannot_know (self, fault.text);
    if (self->hosted)
        store_process_up (self->hosted, known->process);
    if (self->hosted && *identity.store)
        store_announce (self->hosted, known->process, known->label, identity.store,
                        known->has_key ? known->key : NULL);
    link_announced (self, known);
    if (self->joining)
        peer_wake (self, self->joining);
}

static void
s_peer_down (troupe_t *self, const record_t *record)
{
    process_t process = record->id.owner;
    known_t *known = id_table_remove (&self->known, (tid_t){ 0, process });
    if (process > self->announced)
        self->announced = process;
    /*  Its connections to us may live on for a while.                      */
    if (record->flags & RECORD_KILL)
        id_table_put (&self->shut_out, (tid_t){ 0, process }, self);
    fault_t why;
    fault_set (&why, record->number ? s_code (record) : TROUPE_ELOST, "%s: %.*s",
               known ? known->label : "its process", (int) record->body_size,
               (const char *) record->body);
    if (self->hosted)
        store_process_down (self->hosted, process, why.text);
    link_close (self, process);
    future_lose_process (self, process, &why);
    actor_lose_process (self, process, &why);
    await_drop_owner (&self->await, process);
    if (self->hooks)
        self->hooks->down (self->hooks_context, process);
    inquiry_lose_process (self, process);
    if (!known)
        return;
    if (known->role == ROLE_WORKER) {
        self->workers--;
        inquiry_begin (self, why.text);
    }
    known_shut_out (self, known);
    known_destroy (known);
}

/*  --- futures ----------------------------------------------------------  */

/*  Takes the handles in a value, which the producer lent to us for the way,
    and gives them back once they are ours.                                 */
static void
s_take_handles (troupe_future_t *future, const record_t *record)
{
    troupe_t *peer = future->peer;
    size_t offset = 0;
    msgpack_token_t token;
    future_unpin (future);
    while (offset < record->body_size
           && token_next (record->body, record->body_size, &offset, &token) == 0) {
        actor_reference_t reference;
        record_t release = { .type = RECORD_RELEASE, .target = peer->self };
        if (token.type == TROUPE_ACTOR && token_actor (&token, &reference) == 0) {
            troupe_actor_t *actor = actor_borrow (peer, &reference);
            if (actor) {
                future_pin_actor (future, actor);
                actor_release (actor);
            }
            release.flags = RECORD_ACTOR;
            release.id = reference.id;
        } else if (token.type == TROUPE_FUTURE && token.handle) {
            release.id = token_reference (&token);
            troupe_future_t *handle = future_borrow (peer, release.id);
            if (handle && handle != future)
                future_pin (future, handle);
            if (handle)
                future_release (handle);
        } else
            continue;
        if (release.id.owner != peer->self)
            link_send (peer, release.id.owner, &release);
    }
    if (future->more)
        future->more->keeps = true;
}

/*  A RESULT gives them to us, who own the future.                          */
static void
s_take_objects (troupe_future_t *future, const record_t *record)
{
    future->objects = true;
    future->holds = record->type == RECORD_RESULT;
    if (future->holds)
        object_claim_all (future->peer, record->body, record->body_size);
}

static void
s_settle (troupe_future_t *future, const record_t *record, batch_t *batch, size_t served)
{
    if (record->flags & RECORD_FAULT)
        future_fail (future, s_code (record), (const char *) record->body, record->body_size,
                     served);
    else if (!value_check (record->body, record->body_size, true))
        future_fail (future, TROUPE_EPROTOCOL, "malformed result", 16, served);
    else {
        if (record->flags & RECORD_ACTOR && future->state == FUTURE_PENDING)
            s_take_handles (future, record);
        if (record->flags & RECORD_OBJECTS && future->state == FUTURE_PENDING)
            s_take_objects (future, record);
        future_complete (future, record->body, record->body_size, batch, served);
    }
}

static void
s_result (troupe_t *self, const record_t *record, batch_t *batch)
{
    troupe_future_t *future = future_find (self, record->id);
    if (record->id.owner != self->self)
        return;
    /*  Nobody wants it any more.                                           */
    if (record->flags & RECORD_OBJECTS && (!future || future->state != FUTURE_PENDING)) {
        object_claim_all (self, record->body, record->body_size);
        object_release_all (self, record->body, record->body_size,
                            (object_holder_t){ .process = self->self });
    }
    if (!future)
        return;
    if (future->repeatable) {
        record_t ack = { .type = RECORD_ACK, .id = record->id };
        link_send (self, HEAD_PROCESS, &ack);
    }
    s_settle (future, record, batch, record->extra);
}

static void
s_value (troupe_t *self, const record_t *record, batch_t *batch)
{
    uint32_t code = record->flags & RECORD_FAULT ? s_code (record) : 0;
    if (!code && !value_check (record->body, record->body_size, true))
        return;
    await_waiter_t *waiter = await_take (&self->await, record->id);
    if (waiter) {
        self->hooks->value (self->hooks_context, waiter, code, record->body, record->body_size);
        return;
    }
    troupe_future_t *future = future_find (self, record->id);
    if (future && record->id.owner != self->self && future->state == FUTURE_PENDING)
        s_settle (future, record, batch, 0);
    else if (self->hooks)
        await_keep (&self->await, record->id, code, record->body, record->body_size);
}

/*  Somebody wants the value of one of our futures that was handed out.     */
static void
s_subscribe_owned (troupe_t *self, const record_t *record)
{
    troupe_future_t *future = future_find (self, record->id);
    if (future && record->flags & RECORD_AGAIN) {
        future_send_again (future, record->target);
        return;
    }
    if (future) {
        future_add_target (future, record->target);
        return;
    }
    static const char gone [] = "the future is no longer held by its owner";
    record_t value = { .type = RECORD_VALUE,
                       .flags = RECORD_FAULT,
                       .number = TROUPE_EINVAL,
                       .id = record->id,
                       .body = (const uint8_t *) gone,
                       .body_size = sizeof gone - 1 };
    link_send (self, record->target, &value);
}

static void
s_subscribe (troupe_t *self, const record_t *record)
{
    if (self->hooks && !(record->flags & RECORD_AGAIN)
        && self->hooks->subscribe (self->hooks_context, record->id, record->target))
        return;
    if (record->id.owner == self->self)
        s_subscribe_owned (self, record);
}

static void
s_borrow (troupe_t *self, const record_t *record, bool begins)
{
    process_t borrower = record->target;
    /*  It ended before this came, and so will never give it back.          */
    if (begins && link_is_dead (self, borrower))
        return;
    if (record->flags & RECORD_ACTOR) {
        troupe_actor_t *actor = id_table_get (&self->actors, record->id);
        if (actor && begins)
            actor_borrower_add (actor, borrower);
        else if (actor)
            actor_borrower_remove (actor, borrower);
        return;
    }
    troupe_future_t *future = future_find (self, record->id);
    if (future && begins && future->shared)
        future_borrower_add (future, borrower);
    else if (future)
        future_borrower_remove (future, borrower);
}

/*  Whatever we sent before comes before this sign.                         */
static void
s_sign (troupe_t *self, const record_t *record, process_t sender)
{
    record_t sign = { .type = RECORD_SIGN, .id = record->id };
    link_send (self, sender, &sign);
}

/*  --- frames -----------------------------------------------------------  */

static void
s_record_from_head (troupe_t *self, const record_t *record, batch_t *batch)
{
    switch (record->type) {
    case RECORD_WELCOME:
        s_welcome (self, record);
        break;
    case RECORD_REFUSED:
        s_refused (self, record);
        break;
    case RECORD_PEER_UP:
        s_peer_up (self, record);
        break;
    case RECORD_PEER_DOWN:
        s_peer_down (self, record);
        break;
    case RECORD_RESULT:
        s_result (self, record, batch);
        break;
    case RECORD_SUBSCRIBE:
        s_subscribe (self, record);
        break;
    case RECORD_UNKNOWN:
        inquiry_unknown (self, record);
        break;
    case RECORD_STOP:
        /*  A worker is to end, perhaps alone.                              */
        self->ending = !self->hooks || record->id.sequence;
        if (self->hooks && self->joined)
            self->hooks->record (self->hooks_context, record, batch, HEAD_PROCESS);
        break;
    case RECORD_LEAVE:
        self->left = true;
        if (self->leaving)
            peer_wake (self, self->leaving);
        break;
    default:
        if (self->hooks && self->joined)
            self->hooks->record (self->hooks_context, record, batch, HEAD_PROCESS);
        else if (self->record)
            self->record (self->record_context, self, record);
    }
}

static void
s_record_from_peer (troupe_t *self, const record_t *record, batch_t *batch, process_t sender)
{
    switch (record->type) {
    case RECORD_RESULT:
        s_result (self, record, batch);
        break;
    case RECORD_VALUE:
        s_value (self, record, batch);
        break;
    case RECORD_SUBSCRIBE:
        s_subscribe (self, record);
        break;
    case RECORD_BORROW:
        s_borrow (self, record, true);
        break;
    case RECORD_RELEASE:
        s_borrow (self, record, false);
        break;
    case RECORD_FENCE:
        s_sign (self, record, sender);
        break;
    case RECORD_SIGN:
        if (record->id.sequence == 0)
            link_sign (self, sender);
        else
            inquiry_sign (self, record->id.sequence, sender);
        break;
    case RECORD_CALL:
    case RECORD_CANCEL:
    case RECORD_END:
        if (self->hooks && self->joined)
            self->hooks->record (self->hooks_context, record, batch, sender);
        break;
    default:
        break;
    }
}

static void
s_frame_from_head (troupe_t *self, batch_t *batch)
{
    frame_reader_t reader;
    record_t record;
    if (frame_open (&reader, zmq_msg_data (&batch->message), zmq_msg_size (&batch->message)))
        return;
    self->heard = clock_now ();
    if (self->network)
        probe_follow (&self->probe, &batch->message);
    if (self->head.far && !link_takes (self, &self->head, reader.data, reader.size))
        return;
    while (frame_next (&reader, &record) == 1)
        s_record_from_head (self, &record, batch);
}

/*  Compares in constant time.                                              */
static bool
s_cookie_matches (troupe_t *self, const record_t *record)
{
    uint8_t difference = 0;
    if (record->type != RECORD_HELLO || record->body_size != COOKIE_SIZE)
        return false;
    for (size_t index = 0; index < COOKIE_SIZE; index++)
        difference |= (uint8_t) (record->body [index] ^ self->cookie [index]);
    return difference == 0;
}

/*  A process on another machine shows the key that the head told us.       */
static bool
s_key_matches (troupe_t *self, process_t sender, batch_t *batch)
{
    char text [KEY_TEXT_SIZE];
    const char *shown = peer_name_of (&batch->message);
    known_t *known = id_table_get (&self->known, (tid_t){ 0, sender });
    if (!self->network || self->network->insecure || !shown)
        return true;
    return known && known->has_key && strcmp (shown, key_text (known->key, text)) == 0;
}

/*  A connection begins with HELLO; until then, and after anything that is
    malformed, what comes over it is ignored.                               */
static void
s_frame_from_peer (troupe_t *self, tid_t route, batch_t *batch)
{
    frame_reader_t reader;
    record_t record;
    process_t sender = (process_t) (uintptr_t) id_table_get (&self->senders, route);
    if (frame_open (&reader, zmq_msg_data (&batch->message), zmq_msg_size (&batch->message)))
        return;
    if (!sender) {
        if (frame_next (&reader, &record) != 1 || !s_cookie_matches (self, &record)
            || !record.id.owner || !s_key_matches (self, record.id.owner, batch)
            || id_table_put (&self->senders, route, (void *) (uintptr_t) record.id.owner))
            return;
        sender = record.id.owner;
    }
    if (self->shut_out.count && id_table_get (&self->shut_out, (tid_t){ 0, sender }))
        return;
    if (channel_ends (reader.data, reader.size)) {
        link_t *link = link_to (self, sender);
        if (!link || !link_takes (self, link, reader.data, reader.size))
            return;
    }
    while (frame_next (&reader, &record) == 1)
        s_record_from_peer (self, &record, batch, sender);
}

static batch_t *
s_batch_new (void)
{
    batch_t *batch = malloc (sizeof *batch);
    if (!batch)
        return NULL;
    atomic_init (&batch->references, 1);
    zmq_msg_init (&batch->message);
    return batch;
}

static int
s_receive (zmq_msg_t *message, void *socket)
{
    int rc;
    do {
        rc = zmq_msg_recv (message, socket, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -1 : 0;
}

static bool
s_drain_head (troupe_t *self)
{
    for (int count = 0; count < DRAIN_MAX; count++) {
        batch_t *batch = s_batch_new ();
        if (!batch)
            return false;
        int rc = s_receive (&batch->message, self->head.socket);
        if (rc == 0)
            s_frame_from_head (self, batch);
        batch_release (batch);
        if (rc)
            return true;
    }
    return false;
}

/*  A message in the inbox is the sender's routing id, of five bytes as
    libzmq makes them, and one frame; anything more is dropped.             */
static int
s_receive_routed (troupe_t *self, tid_t *route, batch_t *batch)
{
    if (s_receive (&batch->message, self->inbox))
        return -1;
    uint8_t id [8] = { 0 };
    size_t size = zmq_msg_size (&batch->message);
    memcpy (id, zmq_msg_data (&batch->message), size < sizeof id ? size : sizeof id);
    *route = (tid_t){ 1, load_u64 (id) };
    if (!zmq_msg_more (&batch->message) || s_receive (&batch->message, self->inbox))
        return 1;
    bool extra = zmq_msg_more (&batch->message);
    for (bool more = extra; more;) {
        zmq_msg_t rest;
        zmq_msg_init (&rest);
        more = s_receive (&rest, self->inbox) == 0 && zmq_msg_more (&rest);
        zmq_msg_close (&rest);
    }
    return extra ? 1 : 0;
}

static bool
s_drain_inbox (troupe_t *self)
{
    for (int count = 0; count < DRAIN_MAX; count++) {
        tid_t route;
        batch_t *batch = s_batch_new ();
        if (!batch)
            return false;
        int rc = s_receive_routed (self, &route, batch);
        if (rc == 0)
            s_frame_from_peer (self, route, batch);
        batch_release (batch);
        if (rc < 0)
            return true;
    }
    return false;
}

bool
peer_drain (troupe_t *self)
{
    bool head = s_drain_head (self);
    bool inbox = s_drain_inbox (self);
    return head && inbox;
}
