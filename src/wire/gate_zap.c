/*  gate_zap.c - reads what libzmq asks about a handshake, and answers      */

#include "wire/gate_private.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/*  The frames of a request; CURVE has one credential, the client's key.    */
enum {
    SENDER,
    DELIMITER,
    PROTOCOL,
    REQUEST,
    DOMAIN,
    ADDRESS,
    ROUTING_ID,
    MECHANISM,
    KEY,
    FRAMES_MAX
};

typedef struct {
    zmq_msg_t frames [FRAMES_MAX];
    size_t count;               /*  of those read                           */
    bool too_many;
} request_t;

/*  A request whose key may become known.                                   */
typedef struct {
    list_node_t node;
    request_t request;
    int64_t until;
} waiting_t;

typedef struct {
    const char *status;         /*  NULL: to wait                           */
    bool admitted;
    char user [GATE_NAME_MAX + 1];
    gate_refusal_t refusal;     /*  who it is, also if he is let in         */
} verdict_t;

static void
s_release (request_t *request)
{
    for (size_t index = 0; index < request->count; index++)
        zmq_msg_close (&request->frames [index]);
}

/*  Reads all frames of a request, keeping as many as one can have. False if
    there is none.                                                          */
static bool
s_receive (void *socket, request_t *request)
{
    zmq_msg_t frame;
    bool more = true;
    request->count = 0;
    request->too_many = false;
    while (more) {
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (&frame);
            s_release (request);
            return false;
        }
        more = zmq_msg_more (&frame);
        if (request->count < FRAMES_MAX)
            request->frames [request->count++] = frame;
        else {
            request->too_many = true;
            zmq_msg_close (&frame);
        }
    }
    return true;
}

static size_t
s_size (request_t *request, size_t index)
{
    return index < request->count ? zmq_msg_size (&request->frames [index]) : 0;
}

static bool
s_is (request_t *request, size_t index, const char *text)
{
    size_t size = s_size (request, index);
    return index < request->count && size == strlen (text)
           && memcmp (zmq_msg_data (&request->frames [index]), text, size) == 0;
}

/*  A frame as text, cut to what there is room for; what is not printable
    becomes a question mark, as it may end up in a log.                     */
static void
s_text (request_t *request, size_t index, char *text, size_t room)
{
    size_t size = s_size (request, index);
    if (size >= room)
        size = room - 1;
    const unsigned char *data = size ? zmq_msg_data (&request->frames [index]) : NULL;
    for (size_t place = 0; place < size; place++)
        text [place] = data [place] > ' ' && data [place] < 0x7f ? (char) data [place] : '?';
    text [size] = 0;
}

/*  --- the decision -----------------------------------------------------  */

static bool
s_in_ranges (const domain_t *domain, const address_t *address)
{
    bool allowed = !domain->some_allowed;
    for (size_t index = 0; index < domain->range_count; index++) {
        const gate_range_t *entry = &domain->ranges [index];
        if (!range_has (&entry->range, address))
            continue;
        if (entry->deny)
            return false;
        allowed = true;
    }
    return allowed;
}

bool
gate_is_local (const char *address)
{
    static const char host [] = "localhost";
    address_t number;
    if (address_read (&number, address) == 0)
        return false;
    if (strncmp (address, host, strlen (host)) == 0)
        address += strlen (host);
    return *address == ':' && strspn (address, ":0123456789") == strlen (address);
}

static int
s_decide_key (const domain_t *domain, request_t *request, verdict_t *verdict)
{
    gate_refusal_t *refusal = &verdict->refusal;
    refusal->reason = GATE_MALFORMED;
    if (request->count != KEY + 1 || s_size (request, KEY) != KEY_SIZE)
        return -1;
    const char *key = zmq_msg_data (&request->frames [KEY]);
    const char *name = name_table_get (&domain->keys, key, KEY_SIZE);
    key_text ((const uint8_t *) key, refusal->key);
    refusal->reason = GATE_UNKNOWN_KEY;
    if (!name)
        return -1;
    snprintf (verdict->user, sizeof verdict->user, "%s", *name ? name : refusal->key);
    return 0;
}

/*  Returns 0 to let in; otherwise sets the reason and returns -1.          */
static int
s_decide (const domain_t *domain, request_t *request, verdict_t *verdict)
{
    address_t address;
    gate_refusal_t *refusal = &verdict->refusal;
    bool local = gate_is_local (refusal->address);
    bool known = !local && address_read (&address, refusal->address) == 0;
    refusal->reason = GATE_DOMAIN;
    if (!domain)
        return -1;
    refusal->reason = GATE_ADDRESS;
    if (!local && domain->range_count && (!known || !s_in_ranges (domain, &address)))
        return -1;
    if (s_is (request, MECHANISM, "CURVE"))
        return s_decide_key (domain, request, verdict);
    refusal->reason = GATE_MECHANISM;
    if (!s_is (request, MECHANISM, "NULL") || !domain->insecure)
        return -1;
    refusal->reason = GATE_ADDRESS;
    if (!local && (!known || !address_is_loopback (&address)))
        return -1;
    snprintf (verdict->user, sizeof verdict->user, "insecure");
    return 0;
}

/*  What to answer; if it may wait, perhaps nothing yet.                    */
static verdict_t
s_judge (gate_t *self, request_t *request, bool may_wait)
{
    verdict_t verdict = { .status = "400", .refusal = { .reason = GATE_MALFORMED } };
    s_text (request, DOMAIN, verdict.refusal.domain, sizeof verdict.refusal.domain);
    s_text (request, ADDRESS, verdict.refusal.address, sizeof verdict.refusal.address);
    if (request->count <= MECHANISM || request->too_many || !s_is (request, PROTOCOL, "1.0"))
        return verdict;
    pthread_mutex_lock (&self->lock);
    const domain_t *domain = name_table_get (&self->domains,
                                             zmq_msg_data (&request->frames [DOMAIN]),
                                             s_size (request, DOMAIN));
    verdict.admitted = s_decide (domain, request, &verdict) == 0;
    if (verdict.admitted)
        verdict.status = "200";
    else if (verdict.refusal.reason == GATE_UNKNOWN_KEY && domain->wait)
        verdict.status = may_wait ? NULL : "300";
    pthread_mutex_unlock (&self->lock);
    return verdict;
}

/*  --- the answer -------------------------------------------------------  */

static int
s_send (void *socket, const char *text, int flags)
{
    zmq_msg_t frame;
    size_t size = strlen (text);
    if (zmq_msg_init_size (&frame, size))
        return -1;
    if (size)
        memcpy (zmq_msg_data (&frame), text, size);
    if (zmq_msg_send (&frame, socket, flags | ZMQ_DONTWAIT) >= 0)
        return 0;
    zmq_msg_close (&frame);
    return -1;
}

/*  The frames that address the answer go back as they came. Returns -1 if
    there is nobody any more to be answered.                                */
static int
s_reply (void *socket, request_t *request, const verdict_t *verdict)
{
    if (zmq_msg_send (&request->frames [SENDER], socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return -1;
    s_send (socket, "", ZMQ_SNDMORE);
    s_send (socket, "1.0", ZMQ_SNDMORE);
    zmq_msg_send (&request->frames [REQUEST], socket, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    s_send (socket, verdict->status, ZMQ_SNDMORE);
    s_send (socket, verdict->admitted ? "OK" : gate_reason_text (verdict->refusal.reason),
            ZMQ_SNDMORE);
    s_send (socket, verdict->user, ZMQ_SNDMORE);
    s_send (socket, "", 0);
    return 0;
}

/*  Who has left meanwhile counts as that, and not as let in or refused, too.
    Without a place to send it to there is no answer.                       */
static void
s_answer (gate_t *self, request_t *request, const verdict_t *verdict)
{
    bool whole = request->count > REQUEST && s_size (request, DELIMITER) == 0;
    int rc = whole ? s_reply (self->socket, request, verdict) : 0;
    s_release (request);
    if (rc)
        return;
    pthread_mutex_lock (&self->lock);
    if (verdict->admitted)
        gate_record_admitted (self, verdict->refusal.address);
    else
        gate_record_refused (self, &verdict->refusal);
    pthread_mutex_unlock (&self->lock);
    gate_record_log (self);
}

bool
gate_answer (gate_t *self)
{
    request_t request;
    if (!s_receive (self->socket, &request))
        return false;
    /*  So its connection is known.                                         */
    gate_drain_watches (self);
    waiting_t *waiting = NULL;
    if (self->waiting_count < GATE_WAITING_MAX)
        waiting = malloc (sizeof *waiting);
    verdict_t verdict = s_judge (self, &request, waiting != NULL);
    if (verdict.status) {
        free (waiting);
        s_answer (self, &request, &verdict);
        return true;
    }
    *waiting = (waiting_t){ .request = request,
                            .until = clock_now () + GATE_WAIT_MS * CLOCK_MS };
    list_append (&self->waiting, &waiting->node);
    self->waiting_count++;
    return true;
}

void
gate_review (gate_t *self, bool end)
{
    if (!self->waiting_count)
        return;
    int64_t now = clock_now ();
    pthread_mutex_lock (&self->lock);
    bool news = self->reviewed != self->revision;
    self->reviewed = self->revision;
    pthread_mutex_unlock (&self->lock);
    list_node_t *node = self->waiting.next;
    while (node != &self->waiting) {
        waiting_t *waiting = container_of (node, waiting_t, node);
        bool late = end || now >= waiting->until;
        node = node->next;
        if (!news && !late)
            continue;
        verdict_t verdict = s_judge (self, &waiting->request, !late);
        if (!verdict.status)
            continue;
        list_remove (&waiting->node);
        self->waiting_count--;
        s_answer (self, &waiting->request, &verdict);
        free (waiting);
    }
}
