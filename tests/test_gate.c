/*  test_gate.c - tests of wire/gate.h, wire/watch.h and wire/range.h with real
    sockets: who gets in, who does not, and what that leaves behind          */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "wire/gate.h"
#include "wire/range.h"
#include "wire/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/*  Nothing here takes this long unless it hangs.                           */
#define PATIENCE_MS 30000

/*  Repeats `condition` until it holds; false if it never does.             */
#define eventually(condition)                                                                \
    __extension__ ({                                                                         \
        int64_t until_ = clock_now () + PATIENCE_MS * CLOCK_MS;                              \
        bool holds_ = (condition);                                                           \
        while (!holds_ && clock_now () < until_) {                                           \
            poll (NULL, 0, 1);                                                               \
            holds_ = (condition);                                                            \
        }                                                                                    \
        holds_;                                                                              \
    })

#define DOMAIN_NAME "test"

/*  A server with a gate, and what its gate logged.                         */
static void *s_context;
static gate_t *s_gate;
static void *s_server;
static key_pair_t s_server_keys;
static char s_endpoint [256];

static pthread_mutex_t s_log_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t s_log_lines;
static char s_log_last [512];

static fault_t s_fault;

#define succeeds(call)                                                                       \
    do {                                                                                     \
        if (call)                                                                            \
            fail_msg ("%s: %s", #call, s_fault.text);                                        \
    } while (0)

static void
s_log (void *arg, const char *text)
{
    (void) arg;
    pthread_mutex_lock (&s_log_lock);
    s_log_lines++;
    snprintf (s_log_last, sizeof s_log_last, "%s", text);
    pthread_mutex_unlock (&s_log_lock);
}

static size_t
s_logged (char *last, size_t size)
{
    pthread_mutex_lock (&s_log_lock);
    size_t count = s_log_lines;
    if (last)
        snprintf (last, size, "%s", s_log_last);
    pthread_mutex_unlock (&s_log_lock);
    return count;
}

static void
s_bind (void *socket, const char *endpoint)
{
    succeeds (socket_bind (socket, endpoint, &s_fault));
    succeeds (socket_last_endpoint (socket, s_endpoint, sizeof s_endpoint, &s_fault));
}

/*  Abstract names have no wildcard.                                        */
static void
s_bind_local (void)
{
    char endpoint [64];
    snprintf (endpoint, sizeof endpoint, "ipc://@troupe-gate-%d", (int) getpid ());
    s_bind (s_server, endpoint);
}

static int
s_setup_context (void **state)
{
    (void) state;
    s_log_lines = 0;
    s_context = socket_context_new (&s_fault);
    s_gate = NULL;
    s_server = socket_router_new (s_context, &s_fault);
    return s_server && key_pair_new (&s_server_keys, &s_fault) == 0 ? 0 : -1;
}

/*  With a gate, but the server has no endpoint yet.                        */
static int
s_setup_gate (void **state)
{
    if (s_setup_context (state))
        return -1;
    s_gate = gate_new (s_context, s_log, NULL, &s_fault);
    return s_gate && gate_watch (s_gate, s_server, &s_fault) == 0
                   && socket_tcp (s_server, &s_fault) == 0
               ? 0
               : -1;
}

static int
s_setup (void **state)
{
    if (s_setup_gate (state)
        || socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault))
        return -1;
    s_bind (s_server, "tcp://127.0.0.1:*");
    return 0;
}

static int
s_teardown (void **state)
{
    (void) state;
    zmq_close (s_server);
    int rc = gate_destroy (&s_gate);
    zmq_ctx_term (s_context);
    return rc;
}

/*  --- clients ----------------------------------------------------------  */

/*  In a context of its own, as if it were another process.                 */
typedef struct {
    void *context;
    void *socket;
    watch_t *watch;
    key_pair_t keys;
} client_t;

static void
s_client_new (client_t *self)
{
    *self = (client_t){ .context = socket_context_new (&s_fault) };
    self->socket = socket_dealer_new (self->context, &s_fault);
    assert_non_null (self->socket);
    succeeds (socket_tcp (self->socket, &s_fault));
    succeeds (key_pair_new (&self->keys, &s_fault));
    self->watch = watch_new (self->context, self->socket, NULL, NULL, &s_fault);
    assert_non_null (self->watch);
}

static void
s_client_connect (client_t *self)
{
    succeeds (socket_connect (self->socket, s_endpoint, &s_fault));
    assert_int_equal (zmq_send (self->socket, "hello", 5, 0), 5);
}

static void
s_client_curve (client_t *self, const uint8_t *server)
{
    succeeds (socket_curve_client (self->socket, server, &self->keys, &s_fault));
    s_client_connect (self);
}

/*  A client with new keys that the gate has been told to let in, or not.   */
static void
s_client_begin (client_t *self, const char *name)
{
    s_client_new (self);
    if (name)
        succeeds (gate_allow (s_gate, DOMAIN_NAME, self->keys.public_key, name, &s_fault));
    s_client_curve (self, s_server_keys.public_key);
}

static watch_counts_t
s_client_counts (client_t *self)
{
    watch_counts_t counts;
    watch_drain (self->watch);
    watch_read (self->watch, &counts);
    return counts;
}

static void
s_client_end (client_t *self)
{
    zmq_close (self->socket);
    assert_int_equal (watch_destroy (&self->watch), 0);
    zmq_ctx_term (self->context);
}

/*  The server gets a message; its sender's name is as wanted (NULL: none).  */
static void
s_expect_hello (const char *name, peer_link_t *link)
{
    zmq_msg_t routing, body;
    zmq_pollitem_t item = { .socket = s_server, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, PATIENCE_MS) != 1)
        fail_msg ("nothing arrived");
    zmq_msg_init (&routing);
    zmq_msg_init (&body);
    assert_true (zmq_msg_recv (&routing, s_server, 0) > 0);
    assert_int_equal (zmq_msg_recv (&body, s_server, 0), 5);
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
    assert_true (zmq_msg_send (&routing, s_server, ZMQ_SNDMORE) > 0);
    assert_int_equal (zmq_msg_send (&body, s_server, 0), 5);
}

static void
s_expect_answer (client_t *self)
{
    char text [8];
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, PATIENCE_MS) != 1)
        fail_msg ("no answer");
    assert_int_equal (zmq_recv (self->socket, text, sizeof text, 0), 5);
}

/*  To be asked when it is known that what came was dealt with.             */
static void
s_expect_nothing (void)
{
    char byte;
    assert_int_equal (zmq_recv (s_server, &byte, 1, ZMQ_DONTWAIT), -1);
    assert_int_equal (errno, EAGAIN);
}

static gate_counts_t
s_counts (void)
{
    gate_counts_t counts;
    gate_counts (s_gate, &counts);
    return counts;
}

/*  The client is told that it is refused, and nothing of it arrives.       */
static void
s_expect_refused (client_t *self, gate_reason_t reason)
{
    gate_refusal_t refusal;
    assert_true (eventually (s_client_counts (self).refused == 1));
    assert_int_equal (s_client_counts (self).last_refusal, 400);
    assert_int_equal (s_counts ().refused_by [reason], 1);
    assert_int_equal (s_counts ().refused, 1);
    assert_int_equal (s_counts ().admitted, 0);
    assert_int_equal (gate_refusals (s_gate, &refusal, 1), 1);
    assert_int_equal (refusal.reason, reason);
    assert_string_equal (refusal.domain, DOMAIN_NAME);
    s_expect_nothing ();
}

/*  A key that is let in still is.                                          */
static void
s_expect_open (const char *name)
{
    client_t client;
    s_client_begin (&client, name);
    s_expect_hello (name, NULL);
    s_expect_answer (&client);
    s_client_end (&client);
}

/*  --- CURVE ------------------------------------------------------------  */

static void
test_key_is_let_in (void **state)
{
    (void) state;
    client_t client;
    char key [KEY_TEXT_SIZE];
    s_expect_open ("node-1");
    assert_int_equal (s_counts ().admitted, 1);
    assert_int_equal (s_counts ().refused, 0);

    /*  Without a name it is the key.                                       */
    s_client_new (&client);
    succeeds (gate_allow (s_gate, DOMAIN_NAME, client.keys.public_key, NULL, &s_fault));
    s_client_curve (&client, s_server_keys.public_key);
    s_expect_hello (key_text (client.keys.public_key, key), NULL);
    assert_true (eventually (s_counts ().connections.succeeded == 2));
    s_client_end (&client);
    assert_true (eventually (s_counts ().open == 0));
    assert_int_equal (s_counts ().connections.opened, 2);
    assert_int_equal (s_logged (NULL, 0), 0);
}

static void
test_unknown_key (void **state)
{
    (void) state;
    client_t client;
    gate_refusal_t refusal;
    gate_address_t address;
    char key [KEY_TEXT_SIZE], line [512];
    s_client_begin (&client, NULL);
    /*  A key of another domain is as good as none.                         */
    succeeds (gate_allow (s_gate, "other", client.keys.public_key, NULL, &s_fault));
    succeeds (gate_let_wait (s_gate, "other", &s_fault));
    assert_true (eventually (s_client_counts (&client).refused == 1));
    s_client_end (&client);

    s_client_new (&client);
    succeeds (gate_allow (s_gate, "other", client.keys.public_key, NULL, &s_fault));
    succeeds (gate_allow (s_gate, DOMAIN_NAME, s_server_keys.public_key, NULL, &s_fault));
    s_client_curve (&client, s_server_keys.public_key);
    assert_true (eventually (s_client_counts (&client).refused == 1));
    assert_int_equal (s_counts ().refused_by [GATE_UNKNOWN_KEY]
                          + s_counts ().refused_by [GATE_DOMAIN], 2);
    assert_int_equal (gate_refusals (s_gate, &refusal, 1), 1);
    assert_int_equal (refusal.reason, GATE_UNKNOWN_KEY);
    assert_string_equal (refusal.address, "127.0.0.1");
    assert_string_equal (refusal.key, key_text (client.keys.public_key, key));
    assert_string_equal (refusal.domain, DOMAIN_NAME);
    assert_true (eventually (s_logged (line, sizeof line) == 2));
    assert_non_null (strstr (line, "refused 127.0.0.1: unknown key"));
    assert_int_equal (gate_addresses (s_gate, &address, 1), 1);
    assert_string_equal (address.address, "127.0.0.1");
    assert_int_equal (address.refused, 2);
    s_expect_nothing ();
    s_client_end (&client);
}

static void
test_wrong_server_key (void **state)
{
    (void) state;
    client_t client;
    s_client_new (&client);
    succeeds (gate_allow (s_gate, DOMAIN_NAME, client.keys.public_key, NULL, &s_fault));
    s_client_curve (&client, client.keys.public_key);
    assert_true (eventually (s_client_counts (&client).abandoned > 0));
    assert_true (eventually (s_counts ().connections.malformed > 0));
    assert_int_equal (s_counts ().connections.last_malformed,
                      ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    assert_int_equal (s_counts ().admitted, 0);
    s_expect_nothing ();
    s_client_end (&client);
    s_expect_open ("another");
}

/*  Either side may be the first to see that it does not fit.               */
static bool
s_mismatch (client_t *self)
{
    watch_counts_t here = s_client_counts (self);
    watch_counts_t there = s_counts ().connections;
    return (here.last_malformed == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
            || there.last_malformed == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
           && there.malformed + there.abandoned > 0;
}

static void
test_no_key (void **state)
{
    (void) state;
    client_t client;
    s_client_new (&client);
    s_client_connect (&client);
    assert_true (eventually (s_mismatch (&client)));
    assert_int_equal (s_counts ().connections.succeeded, 0);
    assert_int_equal (s_counts ().admitted, 0);
    s_expect_nothing ();
    s_client_end (&client);
    s_expect_open ("another");
}

static void
test_no_gate (void **state)
{
    (void) state;
    client_t client;
    watch_t *watch = watch_new (s_context, s_server, NULL, NULL, &s_fault);
    watch_counts_t counts = { .opened = 0 };
    assert_non_null (watch);
    succeeds (socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault));
    s_bind (s_server, "tcp://127.0.0.1:*");
    s_client_new (&client);
    s_client_curve (&client, s_server_keys.public_key);
    assert_true (eventually ((watch_drain (watch), watch_read (watch, &counts),
                              counts.abandoned > 0)));
    assert_int_equal (counts.succeeded, 0);
    s_expect_nothing ();
    s_client_end (&client);
    watch_stop (s_server);
    assert_int_equal (watch_destroy (&watch), 0);
}

static void
test_unknown_domain (void **state)
{
    (void) state;
    client_t client;
    s_client_begin (&client, NULL);
    s_expect_refused (&client, GATE_DOMAIN);
    s_client_end (&client);
}

/*  A key that becomes known while the client waits, and one that does so when
    it was told to try again.                                               */
static void
test_waiting (void **state)
{
    (void) state;
    client_t client;
    succeeds (gate_let_wait (s_gate, DOMAIN_NAME, &s_fault));
    s_client_begin (&client, NULL);
    assert_true (eventually (s_counts ().waiting == 1));
    s_expect_nothing ();
    succeeds (gate_allow (s_gate, DOMAIN_NAME, client.keys.public_key, "soon", &s_fault));
    s_expect_hello ("soon", NULL);
    s_client_end (&client);
    assert_int_equal (s_counts ().refused, 0);
    assert_int_equal (s_counts ().waiting, 0);

    s_client_begin (&client, NULL);
    assert_true (eventually (s_counts ().refused_by [GATE_UNKNOWN_KEY] == 1));
    s_expect_nothing ();
    succeeds (gate_allow (s_gate, DOMAIN_NAME, client.keys.public_key, "late", &s_fault));
    s_expect_hello ("late", NULL);
    s_client_end (&client);

    /*  One that still waits when the gate is closed.                       */
    s_client_begin (&client, NULL);
    assert_true (eventually (s_counts ().waiting == 1));
    s_client_end (&client);
}

static void
test_revoked (void **state)
{
    (void) state;
    client_t client;
    peer_link_t link;
    s_client_begin (&client, "node");
    s_expect_hello ("node", &link);
    s_expect_answer (&client);
    assert_int_equal (gate_revoke (s_gate, DOMAIN_NAME, client.keys.public_key), 0);
    assert_int_equal (gate_revoke (s_gate, DOMAIN_NAME, client.keys.public_key), -1);
    assert_int_equal (gate_revoke (s_gate, "none", client.keys.public_key), -1);

    /*  What is connected stays, until it is cut.                           */
    assert_int_equal (zmq_send (client.socket, "hello", 5, 0), 5);
    s_expect_hello ("node", NULL);
    s_expect_answer (&client);
    assert_int_equal (s_counts ().open, 1);
    assert_int_equal (peer_cut (&link), 0);
    assert_true (eventually (s_client_counts (&client).refused == 1));
    assert_true (eventually (s_counts ().open == 0));
    assert_int_equal (peer_cut (&link), -1);
    /*  The client's socket then has nobody to send to.                     */
    assert_true (eventually (zmq_send (client.socket, "hello", 5, ZMQ_DONTWAIT) < 0));
    s_expect_nothing ();
    s_client_end (&client);
}

/*  The descriptor's next user is not the one that is cut.                  */
static void
test_cut_of_reused_descriptor (void **state)
{
    (void) state;
    client_t client;
    peer_link_t link;
    s_client_begin (&client, "node");
    s_expect_hello ("node", &link);
    assert_true (link.fd >= 0);
    s_client_end (&client);
    assert_true (eventually (s_counts ().open == 0));
    int pair [2];
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), 0);
    if (pair [0] != link.fd) {
        assert_true (fcntl (link.fd, F_GETFD) < 0);
        assert_int_equal (dup2 (pair [0], link.fd), link.fd);
        close (pair [0]);
    }
    assert_int_equal (peer_cut (&link), -1);
    assert_int_equal (write (link.fd, "x", 1), 1);
    close (link.fd);
    close (pair [1]);
}

/*  --- addresses and local sockets --------------------------------------  */

static void
test_denied_range (void **state)
{
    (void) state;
    client_t client;
    succeeds (gate_allow_range (s_gate, DOMAIN_NAME, "127.0.0.1", &s_fault));
    succeeds (gate_deny_range (s_gate, DOMAIN_NAME, "127.0.0.0/8", &s_fault));
    s_client_begin (&client, "node");
    s_expect_refused (&client, GATE_ADDRESS);
    s_client_end (&client);
}

static void
test_allowed_range (void **state)
{
    (void) state;
    client_t client;
    succeeds (gate_allow_range (s_gate, DOMAIN_NAME, "10.0.0.0/8", &s_fault));
    s_client_begin (&client, "node");
    s_expect_refused (&client, GATE_ADDRESS);
    s_client_end (&client);
    succeeds (gate_allow_range (s_gate, DOMAIN_NAME, "127.0.0.0/30", &s_fault));
    s_expect_open ("node");
}

static void
test_insecure (void **state)
{
    (void) state;
    client_t client;
    succeeds (socket_insecure_server (s_server, DOMAIN_NAME, &s_fault));
    succeeds (gate_allow (s_gate, DOMAIN_NAME, s_server_keys.public_key, NULL, &s_fault));
    s_bind (s_server, "tcp://127.0.0.1:*");
    s_client_new (&client);
    s_client_connect (&client);
    s_expect_refused (&client, GATE_MECHANISM);
    s_client_end (&client);
    succeeds (gate_allow_insecure (s_gate, DOMAIN_NAME, &s_fault));
    s_client_new (&client);
    s_client_connect (&client);
    s_expect_hello ("insecure", NULL);
    s_client_end (&client);
}

/*  One socket, with local endpoints that need no keys and others that do.  */
static void
test_local_beside_curve (void **state)
{
    (void) state;
    client_t client;
    s_bind_local ();
    succeeds (socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault));
    s_client_new (&client);
    s_client_connect (&client);
    s_expect_hello (NULL, NULL);
    s_expect_answer (&client);
    s_client_end (&client);
    assert_int_equal (s_counts ().admitted, 0);
    assert_int_equal (s_counts ().refused, 0);

    s_bind (s_server, "tcp://127.0.0.1:*");
    s_client_new (&client);
    s_client_connect (&client);
    assert_true (eventually (s_mismatch (&client)));
    s_expect_nothing ();
    s_client_end (&client);
    s_expect_open ("node");
}

/*  A local endpoint bound after the keys were set asks for them as well.   */
static void
test_local_with_curve (void **state)
{
    (void) state;
    client_t client;
    gate_refusal_t refusal;
    char wanted [64];
    snprintf (wanted, sizeof wanted, "localhost:%u:%u:%d", geteuid (), getegid (), (int) getpid ());
    succeeds (socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault));
    succeeds (gate_allow_range (s_gate, DOMAIN_NAME, "10.0.0.0/8", &s_fault));
    s_bind_local ();
    s_client_begin (&client, NULL);
    s_expect_refused (&client, GATE_UNKNOWN_KEY);
    assert_int_equal (gate_refusals (s_gate, &refusal, 1), 1);
    assert_string_equal (refusal.address, wanted);
    s_client_end (&client);
    s_expect_open ("local");
    assert_int_equal (gate_addresses (s_gate, (gate_address_t [1]){ 0 }, 1), 0);
}

/*  Inside the process and its context nobody is asked for anything.        */
static void
test_inproc (void **state)
{
    (void) state;
    succeeds (socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault));
    succeeds (socket_bind (s_server, "inproc://server", &s_fault));
    void *client = socket_dealer_new (s_context, &s_fault);
    assert_non_null (client);
    succeeds (socket_connect (client, "inproc://server", &s_fault));
    assert_int_equal (zmq_send (client, "hello", 5, 0), 5);
    s_expect_hello (NULL, NULL);
    assert_int_equal (s_counts ().admitted + s_counts ().refused, 0);
    zmq_close (client);
}

/*  --- hostile ----------------------------------------------------------  */

/*  Sends frames, which end in NULL, to the gate itself.                    */
static void
s_ask (void *socket, const char *const *frames)
{
    for (; *frames; frames++)
        assert_true (zmq_send (socket, *frames, strlen (*frames), frames [1] ? ZMQ_SNDMORE : 0)
                     >= 0);
}

#define ask(socket_, ...) s_ask ((socket_), (const char *const []){ __VA_ARGS__, NULL })

static void
test_malformed_requests (void **state)
{
    (void) state;
    void *socket = socket_dealer_new (s_context, &s_fault);
    assert_non_null (socket);
    succeeds (socket_connect (socket, "inproc://zeromq.zap.01", &s_fault));
    succeeds (gate_allow (s_gate, DOMAIN_NAME, s_server_keys.public_key, NULL, &s_fault));
    ask (socket, "");
    ask (socket, "", "", "", "");
    ask (socket, "no delimiter", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "key");
    ask (socket, "", "2.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "key");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "short");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE",
         "a key of the right length here!!", "one more");
    assert_true (eventually (s_counts ().refused_by [GATE_MALFORMED] == 7));
    ask (socket, "", "1.0", "1", "\n\x1b[31m", "not an address", "", "NULL");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "PLAIN", "user", "password");
    assert_true (eventually (s_counts ().refused == 9));
    gate_refusal_t refusals [GATE_REFUSALS];
    assert_int_equal (gate_refusals (s_gate, refusals, GATE_REFUSALS), 9);
    for (const char *place = refusals [1].domain; *place; place++)
        assert_true (*place > ' ' && *place < 0x7f);
    assert_int_equal (s_counts ().admitted, 0);
    zmq_close (socket);
    s_expect_open ("node");
}

static int
s_raw (const char *from)
{
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    inet_pton (AF_INET, from, &address.sin_addr);
    assert_true (fd >= 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    address.sin_port = htons ((uint16_t) strtoul (strrchr (s_endpoint, ':') + 1, NULL, 10));
    inet_pton (AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    return fd;
}

/*  Waits for the server to end the connection.                             */
static void
s_expect_end (int fd)
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

static void
test_garbage (void **state)
{
    (void) state;
    uint8_t noise [65536];
    /*  A greeting of CURVE, then a frame that claims to have 2^62 bytes.   */
    uint8_t greeting [64 + 9] = { 0xff, [9] = 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E',
                                  [64] = 0x06, 0x40 };
    /*  The same, then a command that is none.                              */
    uint8_t command [64 + 8] = { 0xff, [9] = 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E',
                                 [64] = 0x04, 6, 5, 'H', 'E', 'L', 'L', 'O' };
    uint32_t random = 1;
    for (size_t index = 0; index < sizeof noise; index++) {
        random = random * 1664525 + 1013904223;
        noise [index] = (uint8_t) (random >> 24);
    }
    const struct {
        const void *data;
        size_t size;
    } inputs [] = {
        { noise, sizeof noise },
        { "GET / HTTP/1.0\r\n\r\nThis is no ZMTP, and longer than a greeting of it is. Really.",
          80 },
        { greeting, sizeof greeting },
        { command, sizeof command },
    };
    for (size_t index = 0; index < sizeof inputs / sizeof *inputs; index++) {
        int fd = s_raw ("127.0.0.1");
        ssize_t put = send (fd, inputs [index].data, inputs [index].size, MSG_NOSIGNAL);
        assert_true (put > 0);
        shutdown (fd, SHUT_WR);
        s_expect_end (fd);
    }
    s_expect_nothing ();
    assert_int_equal (s_counts ().admitted, 0);
    assert_int_equal (s_counts ().connections.succeeded, 0);
    char line [512] = "";
    assert_true (eventually (s_logged (line, sizeof line) == 4));
    assert_non_null (strstr (line, "handshake"));
    s_expect_open ("node");
    assert_true (eventually (s_counts ().open == 0));
    /*  Of libzmq's own words there are two; who got in is no stranger.     */
    const watch_counts_t counts = s_counts ().connections;
    assert_int_equal (counts.malformed + counts.abandoned, 4);
    assert_int_equal (counts.closed, counts.opened);
    assert_int_equal (counts.succeeded, 1);
}

#define STALLED 64
#define STALLED_LIMIT 16

/*  Who stalls in the handshake is let go in time, and may not have more
    connections than it should; others come and go.                         */
static void
test_stalled (void **state)
{
    (void) state;
    int fds [STALLED];
    gate_address_t addresses [2];
    gate_limit (s_gate, 0, STALLED_LIMIT);
    for (size_t index = 0; index < STALLED; index++)
        fds [index] = s_raw ("127.0.0.2");
    assert_true (eventually (s_counts ().cut == STALLED - STALLED_LIMIT));
    assert_true (eventually (s_counts ().open <= STALLED_LIMIT));
    s_expect_open ("node");
    assert_int_equal (gate_addresses (s_gate, addresses, 2), 2);
    size_t stranger = strcmp (addresses [0].address, "127.0.0.2") ? 1 : 0;
    assert_string_equal (addresses [stranger].address, "127.0.0.2");
    assert_int_equal (addresses [stranger].opened, STALLED);
    assert_int_equal (addresses [stranger].admitted, 0);
    assert_int_equal (addresses [1 - stranger].admitted, 1);
    for (size_t index = 0; index < STALLED; index++)
        s_expect_end (fds [index]);
    assert_true (eventually (s_counts ().open == 0));
    assert_int_equal (s_counts ().connections.opened, STALLED + 1);
}

static void
test_total_limit (void **state)
{
    (void) state;
    int fds [8];
    gate_limit (s_gate, 4, 0);
    for (size_t index = 0; index < 8; index++)
        fds [index] = s_raw (index % 2 ? "127.0.0.2" : "127.0.0.3");
    assert_true (eventually (s_counts ().cut == 4));
    for (size_t index = 0; index < 8; index++)
        close (fds [index]);
    assert_true (eventually (s_counts ().open == 0));
    s_expect_open ("node");
}

/*  However many are refused, little is remembered and less is logged.      */
static void
test_flood_of_refusals (void **state)
{
    (void) state;
    gate_refusal_t refusals [GATE_REFUSALS + 8];
    static gate_address_t addresses [GATE_ADDRESSES + 8];
    char address [32];
    void *socket = socket_dealer_new (s_context, &s_fault);
    assert_non_null (socket);
    succeeds (socket_connect (socket, "inproc://zeromq.zap.01", &s_fault));
    int64_t begin = clock_now ();
    for (int index = 0; index < 4 * GATE_ADDRESSES; index++) {
        snprintf (address, sizeof address, "10.0.%d.%d", index / 256, index % 256);
        ask (socket, "", "1.0", "1", DOMAIN_NAME, address, "", "NULL");
    }
    assert_true (eventually (s_counts ().refused == 4 * GATE_ADDRESSES));
    int64_t seconds = (clock_now () - begin) / (1000 * CLOCK_MS) + 1;
    assert_true (s_logged (NULL, 0) <= (size_t) (5 + seconds));
    assert_int_equal (gate_refusals (s_gate, refusals, GATE_REFUSALS + 8), GATE_REFUSALS);
    assert_string_equal (refusals [0].address, address);
    assert_int_equal (gate_addresses (s_gate, addresses, GATE_ADDRESSES + 8), GATE_ADDRESSES);
    /*  What was left out is said, once there is time.                      */
    char line [512];
    assert_true (eventually ((s_logged (line, sizeof line), strstr (line, "more") != NULL)));
    zmq_close (socket);
}

static void
test_limits_of_rules (void **state)
{
    (void) state;
    char name [GATE_NAME_MAX + 2];
    memset (name, 'n', sizeof name);
    name [GATE_NAME_MAX + 1] = 0;
    const uint8_t *key = s_server_keys.public_key;
    assert_int_equal (gate_allow (s_gate, name, key, NULL, &s_fault), -1);
    assert_int_equal (gate_allow (s_gate, DOMAIN_NAME, key, name, &s_fault), -1);
    assert_int_equal (gate_allow (s_gate, "", key, NULL, &s_fault), -1);
    assert_int_equal (s_fault.code, TROUPE_EINVAL);
    assert_int_equal (socket_curve_server (s_server, &s_server_keys, "", &s_fault), -1);
    for (int count = 0; count < GATE_RANGES_MAX; count++)
        succeeds (gate_deny_range (s_gate, DOMAIN_NAME, "10.0.0.0/8", &s_fault));
    assert_int_equal (gate_deny_range (s_gate, DOMAIN_NAME, "10.0.0.0/8", &s_fault), -1);
    assert_int_equal (s_fault.code, TROUPE_ELIMIT);
    for (int count = 1; count < GATE_DOMAINS_MAX; count++) {
        snprintf (name, sizeof name, "domain-%d", count);
        succeeds (gate_allow (s_gate, name, key, NULL, &s_fault));
    }
    assert_int_equal (gate_allow (s_gate, "too many", key, NULL, &s_fault), -1);
    assert_int_equal (s_fault.code, TROUPE_ELIMIT);
    assert_null (gate_new (s_context, NULL, NULL, &s_fault));
    assert_int_equal (s_fault.code, TROUPE_ESYSTEM);
    gate_unwatch (s_gate, s_server);
    succeeds (gate_watch (s_gate, s_server, &s_fault));
}

/*  --- ranges -----------------------------------------------------------  */

static bool
s_has (const char *text, const char *address_text)
{
    range_t range;
    address_t address;
    succeeds (range_read (&range, text, &s_fault));
    assert_int_equal (address_read (&address, address_text), 0);
    return range_has (&range, &address);
}

static void
test_ranges (void **state)
{
    (void) state;
    static const char *const wrong [] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                                          "10.0.0.0/8x", "10.0.0.1/8", "10.0.0", "::/129", "x",
                                          "fe80::1/10", "10.0.0.0/ 8",
                                          "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/1" };
    range_t range;
    address_t address;
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        if (range_read (&range, wrong [index], &s_fault) == 0)
            fail_msg ("'%s' was taken", wrong [index]);
        assert_int_equal (s_fault.code, TROUPE_EINVAL);
    }
    assert_true (s_has ("10.0.0.0/8", "10.255.1.2"));
    assert_false (s_has ("10.0.0.0/8", "11.0.0.0"));
    assert_true (s_has ("10.1.2.3", "::ffff:10.1.2.3"));
    assert_false (s_has ("10.1.2.3", "10.1.2.2"));
    assert_true (s_has ("0.0.0.0/0", "255.255.255.255"));
    assert_false (s_has ("0.0.0.0/0", "fe80::1"));
    assert_true (s_has ("::/0", "1.2.3.4"));
    assert_true (s_has ("fe80::/10", "febf::1%eth0"));
    assert_false (s_has ("fe80::/10", "fec0::1"));
    assert_true (s_has ("2001:db8::/127", "[2001:db8::1]"));
    assert_false (s_has ("2001:db8::/127", "2001:db8::2"));
    assert_true (address_read (&address, "127.9.9.9") == 0 && address_is_loopback (&address));
    assert_true (address_read (&address, "::1") == 0 && address_is_loopback (&address));
    assert_true (address_read (&address, "::2") == 0 && !address_is_loopback (&address));
    assert_true (address_read (&address, "128.0.0.1") == 0 && !address_is_loopback (&address));
}

#define with_server(test_) cmocka_unit_test_setup_teardown (test_, s_setup, s_teardown)
#define with_gate(test_) cmocka_unit_test_setup_teardown (test_, s_setup_gate, s_teardown)
#define with_context(test_) cmocka_unit_test_setup_teardown (test_, s_setup_context, s_teardown)

int
main (void)
{
    const struct CMUnitTest tests [] = {
        with_server (test_key_is_let_in),
        with_server (test_unknown_key),
        with_server (test_wrong_server_key),
        with_server (test_no_key),
        with_context (test_no_gate),
        with_server (test_unknown_domain),
        with_server (test_waiting),
        with_server (test_revoked),
        with_server (test_cut_of_reused_descriptor),
        with_server (test_denied_range),
        with_server (test_allowed_range),
        with_gate (test_insecure),
        with_gate (test_local_beside_curve),
        with_gate (test_local_with_curve),
        with_gate (test_inproc),
        with_server (test_malformed_requests),
        with_server (test_garbage),
        with_server (test_stalled),
        with_server (test_total_limit),
        with_gate (test_flood_of_refusals),
        with_gate (test_limits_of_rules),
        cmocka_unit_test (test_ranges),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
