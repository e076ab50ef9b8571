/*  gate.c - decides which connections get into a context's sockets         */

#include "wire/gate_private.h"
#include "core/clock.h"

#include "wire/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

/*  So many requests at a time, so that others get their turn.              */
#define ANSWERS_MAX 64

/*  How often it looks for what is due.                                     */
#define LATER_MS 200
#define JOIN_MS 5000

/*  --- the thread -------------------------------------------------------  */

static void
s_drop_watch (gate_t *self, watched_t *watched)
{
    watch_counts_t counts;
    watch_counts_t *sum = &self->counts.connections;
    list_remove (&watched->node);
    self->watch_count--;
    /*  Reads what is left, and tells of the ends of its connections.       */
    watch_read (watched->watch, &counts);
    if (watch_destroy (&watched->watch)) {
        self->left++;
        return;
    }
    sum->opened += counts.opened;
    sum->closed += counts.opened;
    sum->succeeded += counts.succeeded;
    sum->refused += counts.refused;
    sum->malformed += counts.malformed;
    sum->abandoned += counts.abandoned;
    free (watched);
}

void
gate_drain_watches (gate_t *self)
{
    int64_t now = clock_now (), due;
    pthread_mutex_lock (&self->lock);
    self->settle_due = CLOCK_NEVER;
    list_node_t *node = self->watches.next;
    while (node != &self->watches) {
        watched_t *watched = container_of (node, watched_t, node);
        node = node->next;
        bool ended = watch_drain (watched->watch);
        due = watch_settle (watched->watch, now);
        self->settle_due = due < self->settle_due ? due : self->settle_due;
        if (ended)
            s_drop_watch (self, watched);
    }
    gate_record_unsaid (self);
    pthread_mutex_unlock (&self->lock);
    gate_record_log (self);
}

/*  How long it may sleep, in milliseconds; -1: until something happens. With
    the lock held.                                                          */
static long
s_sleep_ms (const gate_t *self)
{
    if (self->unsaid > 0 || self->waiting_count > 0)
        return LATER_MS;
    if (self->settle_due == CLOCK_NEVER)
        return -1;
    int64_t left = self->settle_due - clock_now ();
    return left > 0 ? (long) (left / CLOCK_MS) + 1 : 0;
}

/*  Sleeps until there is something to do.                                  */
static void
s_poll (gate_t *self)
{
    zmq_pollitem_t items [2 + GATE_WATCHES_MAX] = {
        { .socket = self->socket, .events = ZMQ_POLLIN },
        { .fd = self->nudge, .events = ZMQ_POLLIN },
    };
    int count = 2;
    pthread_mutex_lock (&self->lock);
    for (list_node_t *node = self->watches.next; node != &self->watches; node = node->next)
        items [count++] = (zmq_pollitem_t){
            .socket = watch_socket (container_of (node, watched_t, node)->watch),
            .events = ZMQ_POLLIN
        };
    self->counts.waiting = self->waiting_count;
    long sleep_ms = s_sleep_ms (self);
    pthread_mutex_unlock (&self->lock);
    zmq_poll (items, count, sleep_ms);
    uint64_t number;
    if ((items [1].revents & ZMQ_POLLIN) && read (self->nudge, &number, sizeof number) < 0)
        return;
}

static bool
s_context_ended (gate_t *self)
{
    int type;
    size_t size = sizeof type;
    return zmq_getsockopt (self->socket, ZMQ_TYPE, &type, &size) && errno == ETERM;
}

static void
s_run (void *arg)
{
    gate_t *self = arg;
    thread_block_signals ();
    while (!atomic_load (&self->stopping) && !s_context_ended (self)) {
        s_poll (self);
        for (int count = 0; count < ANSWERS_MAX && gate_answer (self); count++)
            ;
        gate_review (self, false);
        gate_drain_watches (self);
    }
    gate_review (self, true);
    /*  First, as sockets do not end before this one lets go of their
        handshakes, nor their watches before the sockets.                   */
    zmq_close (self->socket);
    self->socket = NULL;
    pthread_mutex_lock (&self->lock);
    while (!list_empty (&self->watches))
        s_drop_watch (self, container_of (self->watches.next, watched_t, node));
    pthread_mutex_unlock (&self->lock);
}

static void
s_nudge (gate_t *self)
{
    uint64_t one = 1;
    ssize_t put = write (self->nudge, &one, sizeof one);
    (void) put;
}

/*  --- life -------------------------------------------------------------  */

static void
s_domain_free (domain_t *domain)
{
    size_t cursor = 0;
    void *name;
    while ((name = name_table_next (&domain->keys, &cursor)))
        free (name);
    name_table_release (&domain->keys);
    free (domain);
}

static void
s_free (gate_t *self)
{
    size_t cursor = 0;
    domain_t *domain;
    while ((domain = name_table_next (&self->domains, &cursor)))
        s_domain_free (domain);
    name_table_release (&self->domains);
    gate_record_release (self);
    if (self->socket)
        zmq_close (self->socket);
    if (self->nudge >= 0)
        close (self->nudge);
    if (self->cuts)
        peer_cut_end ();
    pthread_mutex_destroy (&self->lock);
    free (self);
}

/*  The socket on which libzmq asks.                                        */
static int
s_bind (gate_t *self, fault_t *fault)
{
    int zero = 0, one = 1;
    self->socket = zmq_socket (self->context, ZMQ_ROUTER);
    if (!self->socket)
        return fault_set (fault, TROUPE_ELIMIT, "cannot make the gate's socket: %s",
                          zmq_strerror (errno));
    zmq_setsockopt (self->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt (self->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    if (zmq_bind (self->socket, ZAP_ENDPOINT))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot make a gate: %s", zmq_strerror (errno));
    return 0;
}

gate_t *
gate_new (void *context, gate_log_t *log, void *arg, fault_t *fault)
{
    gate_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for a gate");
        return NULL;
    }
    self->context = context;
    self->log = log;
    self->log_arg = arg;
    self->log_tokens = LOG_BURST;
    self->settle_due = CLOCK_NEVER;
    list_init (&self->watches);
    list_init (&self->by_time);
    list_init (&self->waiting);
    pthread_mutex_init (&self->lock, NULL);
    self->nudge = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->nudge < 0)
        fault_set (fault, TROUPE_ELIMIT, "cannot make a gate: %s", strerror (errno));
    else if (s_bind (self, fault) == 0)
        self->cuts = peer_cut_begin (fault) == 0;
    if (self->cuts)
        self->thread = thread_new (s_run, self, fault);
    if (self->thread)
        return self;
    s_free (self);
    return NULL;
}

int
gate_destroy (gate_t **gate_p)
{
    gate_t *self = *gate_p;
    if (!self)
        return 0;
    *gate_p = NULL;
    atomic_store (&self->stopping, true);
    s_nudge (self);
    if (thread_join (&self->thread, JOIN_MS + 1000 * GATE_WATCHES_MAX))
        return -1;
    int rc = self->left ? -1 : 0;
    s_free (self);
    return rc;
}

/*  --- who gets in ------------------------------------------------------  */

/*  The domain, made if there is none. With the lock held.                  */
static domain_t *
s_domain (gate_t *self, const char *name, fault_t *fault)
{
    size_t length = strlen (name);
    domain_t *domain = name_table_get (&self->domains, name, length);
    if (domain)
        return domain;
    if (length == 0 || length > GATE_NAME_MAX) {
        fault_set (fault, TROUPE_EINVAL, "'%.60s' is no name for a domain", name);
        return NULL;
    }
    if (self->domains.count >= GATE_DOMAINS_MAX) {
        fault_set (fault, TROUPE_ELIMIT, "limit of %d domains reached", GATE_DOMAINS_MAX);
        return NULL;
    }
    domain = calloc (1, sizeof *domain);
    if (!domain || name_table_put (&self->domains, name, length, domain)) {
        free (domain);
        fault_set (fault, TROUPE_ENOMEM, "no memory for a domain");
        return NULL;
    }
    memcpy (domain->name, name, length);
    return domain;
}

static int
s_put_key (domain_t *domain, const uint8_t *key, const char *name, fault_t *fault)
{
    char *old = name_table_get (&domain->keys, (const char *) key, KEY_SIZE);
    if (!old && domain->keys.count >= GATE_KEYS_MAX)
        return fault_set (fault, TROUPE_ELIMIT, "limit of %d keys of the domain %s reached",
                          GATE_KEYS_MAX, domain->name);
    char *copy = strdup (name ? name : "");
    if (!copy || name_table_put (&domain->keys, (const char *) key, KEY_SIZE, copy)) {
        free (copy);
        return fault_set (fault, TROUPE_ENOMEM, "no memory for a key");
    }
    free (old);
    return 0;
}

int
gate_allow (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE], const char *name,
            fault_t *fault)
{
    if (name && (!*name || strlen (name) > GATE_NAME_MAX))
        return fault_set (fault, TROUPE_EINVAL, "'%.60s' is no name for who is let in", name);
    pthread_mutex_lock (&gate->lock);
    domain_t *place = s_domain (gate, domain, fault);
    int rc = place ? s_put_key (place, key, name, fault) : -1;
    gate->revision++;
    bool wake = place && place->wait;
    pthread_mutex_unlock (&gate->lock);
    if (wake)
        s_nudge (gate);
    return rc;
}

int
gate_revoke (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE])
{
    char *name = NULL;
    pthread_mutex_lock (&gate->lock);
    domain_t *place = name_table_get (&gate->domains, domain, strlen (domain));
    if (place)
        name = name_table_remove (&place->keys, (const char *) key, KEY_SIZE);
    pthread_mutex_unlock (&gate->lock);
    int rc = name ? 0 : -1;
    free (name);
    return rc;
}

int
gate_let_wait (gate_t *gate, const char *domain, fault_t *fault)
{
    pthread_mutex_lock (&gate->lock);
    domain_t *place = s_domain (gate, domain, fault);
    if (place)
        place->wait = true;
    pthread_mutex_unlock (&gate->lock);
    return place ? 0 : -1;
}

int
gate_allow_insecure (gate_t *gate, const char *domain, fault_t *fault)
{
    pthread_mutex_lock (&gate->lock);
    domain_t *place = s_domain (gate, domain, fault);
    if (place)
        place->insecure = true;
    pthread_mutex_unlock (&gate->lock);
    return place ? 0 : -1;
}

static int
s_add_range (gate_t *self, const char *name, const char *text, bool deny, fault_t *fault)
{
    gate_range_t entry = { .deny = deny };
    if (range_read (&entry.range, text, fault))
        return -1;
    int rc = -1;
    pthread_mutex_lock (&self->lock);
    domain_t *domain = s_domain (self, name, fault);
    if (domain && domain->range_count >= GATE_RANGES_MAX)
        fault_set (fault, TROUPE_ELIMIT, "limit of %d ranges of the domain %s reached",
                   GATE_RANGES_MAX, name);
    else if (domain) {
        domain->ranges [domain->range_count++] = entry;
        domain->some_allowed |= !deny;
        rc = 0;
    }
    pthread_mutex_unlock (&self->lock);
    return rc;
}

int
gate_allow_range (gate_t *gate, const char *domain, const char *range, fault_t *fault)
{
    return s_add_range (gate, domain, range, false, fault);
}

int
gate_deny_range (gate_t *gate, const char *domain, const char *range, fault_t *fault)
{
    return s_add_range (gate, domain, range, true, fault);
}

/*  --- watched sockets --------------------------------------------------  */

void
gate_limit (gate_t *gate, size_t total, size_t per_address)
{
    pthread_mutex_lock (&gate->lock);
    gate->limit_total = total;
    gate->limit_address = per_address;
    pthread_mutex_unlock (&gate->lock);
}

int
gate_watch (gate_t *gate, void *socket, fault_t *fault)
{
    watched_t *watched = calloc (1, sizeof *watched);
    if (!watched)
        return fault_set (fault, TROUPE_ENOMEM, "no memory to watch a socket");
    int rc = -1;
    watched->gate = gate;
    pthread_mutex_lock (&gate->lock);
    if (gate->watch_count >= GATE_WATCHES_MAX)
        fault_set (fault, TROUPE_ELIMIT, "limit of %d watched sockets reached",
                   GATE_WATCHES_MAX);
    else
        watched->watch = watch_new (gate->context, socket, gate_record_link, watched, fault);
    if (watched->watch) {
        list_append (&gate->watches, &watched->node);
        gate->watch_count++;
        rc = 0;
    }
    pthread_mutex_unlock (&gate->lock);
    if (rc)
        free (watched);
    else
        s_nudge (gate);
    return rc;
}

void
gate_unwatch (gate_t *gate, void *socket)
{
    (void) gate;
    watch_stop (socket);
}

/*  --- what it tells ----------------------------------------------------  */

void
gate_counts (gate_t *gate, gate_counts_t *counts)
{
    watch_counts_t one;
    pthread_mutex_lock (&gate->lock);
    *counts = gate->counts;
    watch_counts_t *sum = &counts->connections;
    for (list_node_t *node = gate->watches.next; node != &gate->watches; node = node->next) {
        watch_read (container_of (node, watched_t, node)->watch, &one);
        sum->opened += one.opened;
        sum->closed += one.closed;
        sum->succeeded += one.succeeded;
        sum->refused += one.refused;
        sum->malformed += one.malformed;
        sum->abandoned += one.abandoned;
        sum->last_refusal = one.last_refusal ? one.last_refusal : sum->last_refusal;
        sum->last_malformed = one.last_malformed ? one.last_malformed : sum->last_malformed;
    }
    pthread_mutex_unlock (&gate->lock);
}

uint64_t
gate_refused (gate_t *gate)
{
    gate_counts_t counts;
    gate_counts (gate, &counts);
    return counts.refused + counts.connections.malformed + counts.connections.abandoned
           + counts.cut;
}

uint64_t
gate_refused_more (gate_t *gate)
{
    uint64_t refused = gate_refused (gate);
    return refused - atomic_exchange (&gate->refused_told, refused);
}

size_t
gate_refusals (gate_t *gate, gate_refusal_t *refusals, size_t room)
{
    pthread_mutex_lock (&gate->lock);
    size_t count = gate->refusal_next < GATE_REFUSALS ? gate->refusal_next : GATE_REFUSALS;
    count = count < room ? count : room;
    for (size_t index = 0; index < count; index++)
        refusals [index] = gate->refusals [(gate->refusal_next - 1 - index) % GATE_REFUSALS];
    pthread_mutex_unlock (&gate->lock);
    return count;
}

static int
s_compare (const void *left, const void *right)
{
    const gate_address_t *a = left;
    const gate_address_t *b = right;
    if (a->open != b->open)
        return a->open < b->open ? 1 : -1;
    return a->last_ms < b->last_ms ? 1 : a->last_ms > b->last_ms ? -1 : 0;
}

size_t
gate_addresses (gate_t *gate, gate_address_t *addresses, size_t room)
{
    size_t count = 0;
    gate_address_t *all = calloc (GATE_ADDRESSES, sizeof *all);
    if (!all)
        return 0;
    pthread_mutex_lock (&gate->lock);
    for (list_node_t *node = gate->by_time.next; node != &gate->by_time; node = node->next)
        all [count++] = container_of (node, address_record_t, node)->seen;
    pthread_mutex_unlock (&gate->lock);
    qsort (all, count, sizeof *all, s_compare);
    count = count < room ? count : room;
    if (count)
        memcpy (addresses, all, count * sizeof *all);
    free (all);
    return count;
}

const char *
gate_reason_text (gate_reason_t reason)
{
    static const char *const texts [GATE_REASONS] = {
        [GATE_UNKNOWN_KEY] = "unknown key",
        [GATE_ADDRESS] = "address not allowed",
        [GATE_MECHANISM] = "no key shown",
        [GATE_DOMAIN] = "nobody is let in there",
        [GATE_MALFORMED] = "malformed request",
    };
    return (unsigned) reason < GATE_REASONS ? texts [reason] : "unknown reason";
}
