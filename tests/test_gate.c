/*  test_gate.c - tests of wire/gate.h and wire/watch.h with real sockets: who gets
    in, and who does not, by key and by address                             */

#include "tests/gate_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*  More than this program needs.                                           */
#define FEW_FILES 256

/*  --- CURVE ------------------------------------------------------------  */

static void
test_key_is_let_in (void **state)
{
    (void) state;
    caller_t client;
    char key [KEY_TEXT_SIZE];
    site_expect_open ("node-1");
    assert_int_equal (site_counts ().admitted, 1);
    assert_int_equal (site_counts ().refused, 0);

    /*  Without a name it is the key.                                       */
    caller_new (&client);
    succeeds (gate_allow (site.gate, DOMAIN_NAME, client.keys.public_key, NULL, &site.fault));
    caller_curve (&client, site.keys.public_key);
    site_expect_hello (key_text (client.keys.public_key, key), NULL);
    assert_true (eventually (site_counts ().connections.succeeded == 2));
    caller_end (&client);
    assert_true (eventually (site_counts ().open == 0));
    assert_int_equal (site_counts ().connections.opened, 2);
    assert_int_equal (site_logged (NULL, 0), 0);
}

static void
test_unknown_key (void **state)
{
    (void) state;
    caller_t client;
    gate_refusal_t refusal;
    gate_address_t address;
    char key [KEY_TEXT_SIZE], line [512];
    caller_begin (&client, NULL);
    /*  A key of another domain is as good as none.                         */
    succeeds (gate_allow (site.gate, "other", client.keys.public_key, NULL, &site.fault));
    succeeds (gate_let_wait (site.gate, "other", &site.fault));
    assert_true (eventually (caller_counts (&client).refused == 1));
    caller_end (&client);

    caller_new (&client);
    succeeds (gate_allow (site.gate, "other", client.keys.public_key, NULL, &site.fault));
    succeeds (gate_allow (site.gate, DOMAIN_NAME, site.keys.public_key, NULL, &site.fault));
    caller_curve (&client, site.keys.public_key);
    assert_true (eventually (caller_counts (&client).refused == 1));
    assert_int_equal (site_counts ().refused_by [GATE_UNKNOWN_KEY]
                          + site_counts ().refused_by [GATE_DOMAIN],
                      2);
    assert_int_equal (gate_refusals (site.gate, &refusal, 1), 1);
    assert_int_equal (refusal.reason, GATE_UNKNOWN_KEY);
    assert_string_equal (refusal.address, "127.0.0.1");
    assert_string_equal (refusal.key, key_text (client.keys.public_key, key));
    assert_string_equal (refusal.domain, DOMAIN_NAME);
    assert_true (eventually (site_logged (line, sizeof line) == 2));
    assert_non_null (strstr (line, "refused 127.0.0.1: unknown key"));
    assert_int_equal (gate_addresses (site.gate, &address, 1), 1);
    assert_string_equal (address.address, "127.0.0.1");
    assert_int_equal (address.refused, 2);
    site_expect_nothing ();
    caller_end (&client);
}

static void
test_wrong_server_key (void **state)
{
    (void) state;
    caller_t client;
    caller_new (&client);
    succeeds (gate_allow (site.gate, DOMAIN_NAME, client.keys.public_key, NULL, &site.fault));
    caller_curve (&client, client.keys.public_key);
    assert_true (eventually (caller_counts (&client).abandoned > 0));
    assert_true (eventually (site_counts ().connections.malformed > 0));
    assert_int_equal (site_counts ().connections.last_malformed,
                      ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    assert_int_equal (site_counts ().admitted, 0);
    site_expect_nothing ();
    caller_end (&client);
    site_expect_open ("another");
}

/*  Either side may be the first to see that it does not fit.               */
static bool
s_mismatch (caller_t *self)
{
    watch_counts_t here = caller_counts (self);
    watch_counts_t there = site_counts ().connections;
    return (here.last_malformed == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
            || there.last_malformed == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
           && there.malformed + there.abandoned > 0;
}

static void
test_no_key (void **state)
{
    (void) state;
    caller_t client;
    caller_new (&client);
    caller_connect (&client);
    assert_true (eventually (s_mismatch (&client)));
    assert_int_equal (site_counts ().connections.succeeded, 0);
    assert_int_equal (site_counts ().admitted, 0);
    site_expect_nothing ();
    caller_end (&client);
    site_expect_open ("another");
}

static void
test_no_gate (void **state)
{
    (void) state;
    caller_t client;
    watch_t *watch = watch_new (site.context, site.server, NULL, NULL, &site.fault);
    watch_counts_t counts = { .opened = 0 };
    assert_non_null (watch);
    succeeds (socket_curve_server (site.server, &site.keys, DOMAIN_NAME, &site.fault));
    site_bind (site.server, "tcp://127.0.0.1:*");
    caller_new (&client);
    caller_curve (&client, site.keys.public_key);
    assert_true (eventually ((watch_drain (watch), watch_read (watch, &counts),
                              counts.abandoned > 0)));
    assert_int_equal (counts.succeeded, 0);
    site_expect_nothing ();
    caller_end (&client);
    watch_stop (site.server);
    assert_int_equal (watch_destroy (&watch), 0);
}

static void
test_unknown_domain (void **state)
{
    (void) state;
    caller_t client;
    caller_begin (&client, NULL);
    caller_expect_refused (&client, GATE_DOMAIN);
    caller_end (&client);
}

/*  A key that becomes known while the client waits, and one that does so when
    it was told to try again.                                               */
static void
test_waiting (void **state)
{
    (void) state;
    caller_t client;
    succeeds (gate_let_wait (site.gate, DOMAIN_NAME, &site.fault));
    int64_t began = now_ms ();
    caller_begin (&client, NULL);
    assert_true (eventually (site_counts ().waiting == 1));
    site_expect_nothing ();
    succeeds (gate_allow (site.gate, DOMAIN_NAME, client.keys.public_key, "soon", &site.fault));
    site_expect_hello ("soon", NULL);
    caller_end (&client);
    /*  Unless this machine took longer than anybody waits.                 */
    uint64_t refused = site_counts ().refused;
    assert_true (refused == 0 || now_ms () - began >= GATE_WAIT_MS);
    assert_int_equal (site_counts ().waiting, 0);

    caller_begin (&client, NULL);
    assert_true (eventually (site_counts ().refused_by [GATE_UNKNOWN_KEY] == refused + 1));
    site_expect_nothing ();
    succeeds (gate_allow (site.gate, DOMAIN_NAME, client.keys.public_key, "late", &site.fault));
    site_expect_hello ("late", NULL);
    caller_end (&client);

    /*  One that still waits when the gate is closed.                       */
    caller_begin (&client, NULL);
    assert_true (eventually (site_counts ().waiting == 1));
    caller_end (&client);
}

static void
test_revoked (void **state)
{
    (void) state;
    caller_t client;
    peer_link_t link;
    caller_begin (&client, "node");
    site_expect_hello ("node", &link);
    caller_expect_answer (&client);
    assert_int_equal (gate_revoke (site.gate, DOMAIN_NAME, client.keys.public_key), 0);
    assert_int_equal (gate_revoke (site.gate, DOMAIN_NAME, client.keys.public_key), -1);
    assert_int_equal (gate_revoke (site.gate, "none", client.keys.public_key), -1);

    /*  What is connected stays, until it is cut.                           */
    assert_int_equal (zmq_send (client.socket, "hello", 5, 0), 5);
    site_expect_hello ("node", NULL);
    caller_expect_answer (&client);
    assert_int_equal (site_counts ().open, 1);
    assert_int_equal (peer_cut (&link), 0);
    assert_true (eventually (caller_counts (&client).refused == 1));
    assert_true (eventually (site_counts ().open == 0));
    assert_int_equal (peer_cut (&link), -1);
    /*  The client's socket then has nobody to send to.                     */
    assert_true (eventually (zmq_send (client.socket, "hello", 5, ZMQ_DONTWAIT) < 0));
    site_expect_nothing ();
    caller_end (&client);
}

/*  When a crowd has taken all files, cutting is what is needed.             */
static void
test_cut_without_files (void **state)
{
    (void) state;
    caller_t client;
    peer_link_t link;
    struct rlimit before, few;
    int fds [FEW_FILES], count = 0;
    caller_begin (&client, "node");
    site_expect_hello ("node", &link);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &before), 0);
    succeeds (gate_revoke (site.gate, DOMAIN_NAME, client.keys.public_key));
    few = before;
    few.rlim_cur = FEW_FILES;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &few), 0);
    while ((fds [count] = open ("/dev/null", O_RDONLY)) >= 0)
        count++;
    assert_int_equal (errno, EMFILE);
    assert_int_equal (peer_cut (&link), 0);
    while (count)
        close (fds [--count]);
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &before), 0);
    assert_true (eventually (caller_counts (&client).refused == 1));
    caller_end (&client);
}

/*  The descriptor's next user is not the one that is cut.                  */
static void
test_cut_of_reused_descriptor (void **state)
{
    (void) state;
    caller_t client;
    peer_link_t link;
    caller_begin (&client, "node");
    site_expect_hello ("node", &link);
    assert_true (link.fd >= 0);
    caller_end (&client);
    /*  libzmq tells of the end before it closes the descriptor.            */
    assert_true (eventually (site_counts ().open == 0));
    assert_true (eventually (fcntl (link.fd, F_GETFD) < 0));
    int pair [2];
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), 0);
    if (pair [0] != link.fd) {
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
    caller_t client;
    succeeds (gate_allow_range (site.gate, DOMAIN_NAME, "127.0.0.1", &site.fault));
    succeeds (gate_deny_range (site.gate, DOMAIN_NAME, "127.0.0.0/8", &site.fault));
    caller_begin (&client, "node");
    caller_expect_refused (&client, GATE_ADDRESS);
    caller_end (&client);
}

static void
test_allowed_range (void **state)
{
    (void) state;
    caller_t client;
    succeeds (gate_allow_range (site.gate, DOMAIN_NAME, "10.0.0.0/8", &site.fault));
    caller_begin (&client, "node");
    caller_expect_refused (&client, GATE_ADDRESS);
    caller_end (&client);
    succeeds (gate_allow_range (site.gate, DOMAIN_NAME, "127.0.0.0/30", &site.fault));
    site_expect_open ("node");
}

static void
test_insecure (void **state)
{
    (void) state;
    caller_t client;
    succeeds (socket_insecure_server (site.server, DOMAIN_NAME, &site.fault));
    succeeds (gate_allow (site.gate, DOMAIN_NAME, site.keys.public_key, NULL, &site.fault));
    site_bind (site.server, "tcp://127.0.0.1:*");
    caller_new (&client);
    caller_connect (&client);
    caller_expect_refused (&client, GATE_MECHANISM);
    caller_end (&client);
    succeeds (gate_allow_insecure (site.gate, DOMAIN_NAME, &site.fault));
    caller_new (&client);
    caller_connect (&client);
    site_expect_hello ("insecure", NULL);
    caller_end (&client);
}

/*  One socket, with local endpoints that need no keys and others that do.  */
static void
test_local_beside_curve (void **state)
{
    (void) state;
    caller_t client;
    site_bind_local ();
    succeeds (socket_curve_server (site.server, &site.keys, DOMAIN_NAME, &site.fault));
    caller_new (&client);
    caller_connect (&client);
    site_expect_hello (NULL, NULL);
    caller_expect_answer (&client);
    caller_end (&client);
    assert_int_equal (site_counts ().admitted, 0);
    assert_int_equal (site_counts ().refused, 0);

    site_bind (site.server, "tcp://127.0.0.1:*");
    caller_new (&client);
    caller_connect (&client);
    assert_true (eventually (s_mismatch (&client)));
    site_expect_nothing ();
    caller_end (&client);
    site_expect_open ("node");
}

/*  A local endpoint bound after the keys were set asks for them as well.   */
static void
test_local_with_curve (void **state)
{
    (void) state;
    caller_t client;
    gate_refusal_t refusal;
    char wanted [64];
    snprintf (wanted, sizeof wanted, "localhost:%u:%u:%d", geteuid (), getegid (), (int) getpid ());
    succeeds (socket_curve_server (site.server, &site.keys, DOMAIN_NAME, &site.fault));
    succeeds (gate_allow_range (site.gate, DOMAIN_NAME, "10.0.0.0/8", &site.fault));
    site_bind_local ();
    caller_begin (&client, NULL);
    caller_expect_refused (&client, GATE_UNKNOWN_KEY);
    assert_int_equal (gate_refusals (site.gate, &refusal, 1), 1);
    assert_string_equal (refusal.address, wanted);
    caller_end (&client);
    site_expect_open ("local");
    assert_int_equal (gate_addresses (site.gate, (gate_address_t [1]){ 0 }, 1), 0);
}

/*  Inside the process and its context nobody is asked for anything.        */
static void
test_inproc (void **state)
{
    (void) state;
    succeeds (socket_curve_server (site.server, &site.keys, DOMAIN_NAME, &site.fault));
    succeeds (socket_bind (site.server, "inproc://server", &site.fault));
    void *client = socket_dealer_new (site.context, &site.fault);
    assert_non_null (client);
    succeeds (socket_connect (client, "inproc://server", &site.fault));
    assert_int_equal (zmq_send (client, "hello", 5, 0), 5);
    site_expect_hello (NULL, NULL);
    assert_int_equal (site_counts ().admitted + site_counts ().refused, 0);
    zmq_close (client);
}

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
        with_server (test_cut_without_files),
        with_server (test_cut_of_reused_descriptor),
        with_server (test_denied_range),
        with_server (test_allowed_range),
        with_gate (test_insecure),
        with_gate (test_local_beside_curve),
        with_gate (test_local_with_curve),
        with_gate (test_inproc),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
