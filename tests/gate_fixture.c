/*  gate_fixture.c - what tests of gates share                              */

#include "tests/gate_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

site_t site;

static pthread_mutex_t s_log_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t s_log_lines;
static char s_log_last [512];

static void
s_log (void *arg, const char *text)
{
    (void) arg;
    pthread_mutex_lock (&s_log_lock);
    s_log_lines++;
    snprintf (s_log_last, sizeof s_log_last, "%s", text);
    pthread_mutex_unlock (&s_log_lock);
}

size_t
site_logged (char *last, size_t size)
{
    pthread_mutex_lock (&s_log_lock);
    size_t count = s_log_lines;
    if (last)
        snprintf (last, size, "%s", s_log_last);
    pthread_mutex_unlock (&s_log_lock);
    return count;
}

void
site_bind (void *socket, const char *endpoint)
{
    succeeds (socket_bind (socket, endpoint, &site.fault));
    succeeds (socket_last_endpoint (socket, site.endpoint, sizeof site.endpoint, &site.fault));
}

void
site_bind_local (void)
{
    char endpoint [64];
    snprintf (endpoint, sizeof endpoint, "ipc://@troupe-gate-%d", (int) getpid ());
    site_bind (site.server, endpoint);
}

int
site_setup_context (void **state)
{
    (void) state;
    s_log_lines = 0;
    site.context = socket_context_new (&site.fault);
    site.gate = NULL;
    site.server = socket_router_new (site.context, &site.fault);
    return site.server && key_pair_new (&site.keys, &site.fault) == 0 ? 0 : -1;
}

static int
s_open_gate (void **state)
{
    if (site_setup_context (state))
        return -1;
    site.gate = gate_new (site.context, s_log, NULL, &site.fault);
    return site.gate && socket_tcp (site.server, &site.fault) == 0 ? 0 : -1;
}

int
site_setup_gate (void **state)
{
    return s_open_gate (state) || gate_watch (site.gate, site.server, &site.fault) ? -1 : 0;
}

int
site_setup (void **state)
{
    if (s_open_gate (state)
        || socket_curve_server (site.server, &site.keys, DOMAIN_NAME, &site.fault)
        || gate_watch (site.gate, site.server, &site.fault))
        return -1;
    site_bind (site.server, "tcp://127.0.0.1:*");
    return 0;
}

int
site_teardown (void **state)
{
    (void) state;
    zmq_close (site.server);
    int rc = gate_destroy (&site.gate);
    zmq_ctx_term (site.context);
    return rc;
}

/*  --- strangers --------------------------------------------------------  */

int
raw_connect (const char *from)
{
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    inet_pton (AF_INET, from, &address.sin_addr);
    assert_true (fd >= 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    address.sin_port = htons ((uint16_t) strtoul (strrchr (site.endpoint, ':') + 1, NULL, 10));
    inet_pton (AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    return fd;
}

void
raw_expect_end (int fd)
{
    char buffer [512];
    struct pollfd item = { .fd = fd, .events = POLLIN };
    ssize_t got = 1;
    while (got > 0) {
        if (poll (&item, 1, PATIENCE_MS) != 1)
            fail_msg ("the server did not end the connection");
        got = read (fd, buffer, sizeof buffer);
    }
    close (fd);
}

/*  --- clients ----------------------------------------------------------  */

void
caller_new (caller_t *self)
{
    *self = (caller_t){ .context = socket_context_new (&site.fault) };
    self->socket = socket_dealer_new (self->context, &site.fault);
    assert_non_null (self->socket);
    succeeds (socket_tcp (self->socket, &site.fault));
    succeeds (key_pair_new (&self->keys, &site.fault));
    self->watch = watch_new (self->context, self->socket, NULL, NULL, &site.fault);
    assert_non_null (self->watch);
}

void
caller_connect (caller_t *self)
{
    succeeds (socket_connect (self->socket, site.endpoint, &site.fault));
    assert_int_equal (zmq_send (self->socket, "hello", 5, 0), 5);
}

void
caller_curve (caller_t *self, const uint8_t *server)
{
    succeeds (socket_curve_client (self->socket, server, &self->keys, &site.fault));
    caller_connect (self);
}

void
caller_begin (caller_t *self, const char *name)
{
    caller_new (self);
    if (name)
        succeeds (
            gate_allow (site.gate, DOMAIN_NAME, self->keys.public_key, name, &site.fault));
    caller_curve (self, site.keys.public_key);
}

watch_counts_t
caller_counts (caller_t *self)
{
    watch_counts_t counts;
    watch_drain (self->watch);
    watch_read (self->watch, &counts);
    return counts;
}

void
caller_end (caller_t *self)
{
    zmq_close (self->socket);
    assert_int_equal (watch_destroy (&self->watch), 0);
    zmq_ctx_term (self->context);
}

void
site_expect_hello (const char *name, peer_link_t *link)
{
    zmq_msg_t routing, body;
    zmq_pollitem_t item = { .socket = site.server, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, PATIENCE_MS) != 1)
        fail_msg ("nothing arrived");
    zmq_msg_init (&routing);
    zmq_msg_init (&body);
    assert_true (zmq_msg_recv (&routing, site.server, 0) > 0);
    assert_int_equal (zmq_msg_recv (&body, site.server, 0), 5);
    assert_memory_equal (zmq_msg_data (&body), "hello", 5);
    const char *found = peer_name_of (&body);
    if (name) {
        assert_non_null (found);
        assert_string_equal (found, name);
    }
    else if (found)
        assert_string_equal (found, "");
    if (link)
        peer_link_of (link, &body);
    assert_true (zmq_msg_send (&routing, site.server, ZMQ_SNDMORE) > 0);
    assert_int_equal (zmq_msg_send (&body, site.server, 0), 5);
}

void
caller_expect_answer (caller_t *self)
{
    char text [8];
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, PATIENCE_MS) != 1)
        fail_msg ("no answer");
    assert_int_equal (zmq_recv (self->socket, text, sizeof text, 0), 5);
}

void
site_expect_nothing (void)
{
    char byte;
    assert_int_equal (zmq_recv (site.server, &byte, 1, ZMQ_DONTWAIT), -1);
    assert_int_equal (errno, EAGAIN);
}

gate_counts_t
site_counts (void)
{
    gate_counts_t counts;
    gate_counts (site.gate, &counts);
    return counts;
}

void
caller_expect_refused (caller_t *self, gate_reason_t reason)
{
    gate_refusal_t refusal;
    assert_true (eventually (caller_counts (self).refused == 1));
    assert_int_equal (caller_counts (self).last_refusal, 400);
    assert_int_equal (site_counts ().refused_by [reason], 1);
    assert_int_equal (site_counts ().refused, 1);
    assert_int_equal (site_counts ().admitted, 0);
    assert_int_equal (gate_refusals (site.gate, &refusal, 1), 1);
    assert_int_equal (refusal.reason, reason);
    assert_string_equal (refusal.domain, DOMAIN_NAME);
    site_expect_nothing ();
}

void
site_expect_open (const char *name)
{
    caller_t client;
    caller_begin (&client, name);
    site_expect_hello (name, NULL);
    caller_expect_answer (&client);
    caller_end (&client);
}
