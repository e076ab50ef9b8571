/*  test_gate_crowd.c - what the gate says of connections from one address, some
    of which are let in and some not: each is counted once, and nobody is blamed
    for what another has sent; how many there may be                        */

#include "tests/gate_fixture.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*  A server at which unknown keys wait.                                    */
static int
s_setup (void **state)
{
    return site_setup (state) || gate_let_wait (site.gate, DOMAIN_NAME, &site.fault) ? -1 : 0;
}

#define with_waiting(test_) cmocka_unit_test_setup_teardown (test_, s_setup, site_teardown)

/*  The server lets somebody in who waits, and hears of him.                */
static void
s_let_in (caller_t *caller)
{
    succeeds (
        gate_allow (site.gate, DOMAIN_NAME, caller->keys.public_key, "guest", &site.fault));
    site_expect_hello ("guest", NULL);
}

/*  Says what is no ZMTP, after which libzmq ends it without a word.        */
static void
s_say_garbage (int fd)
{
    static const char text []
        = "GET / HTTP/1.0\r\n\r\nThis is no ZMTP, and longer than its greeting.";
    assert_true (send (fd, text, sizeof text, MSG_NOSIGNAL) > 0);
    raw_expect_end (fd);
}

/*  --- tests --------------------------------------------------------------  */

/*  From one address: somebody who is let in, somebody who leaves while he waits
    for that, and garbage. Whose connection is whose is known at the latest when
    the time for handshakes is over.                                        */
static void
test_one_address (void **state)
{
    (void) state;
    caller_t guest, left;
    caller_begin (&guest, NULL);
    assert_true (eventually (site_counts ().waiting == 1));
    int garbage = raw_connect ("127.0.0.1");
    assert_true (eventually (site_counts ().open == 2));
    s_let_in (&guest);
    s_say_garbage (garbage);
    caller_begin (&left, NULL);
    assert_true (eventually (site_counts ().waiting == 1));
    caller_end (&left);
    assert_true (eventually (site_counts ().open == 1));
    assert_int_equal (site_counts ().connections.abandoned, 1);
    /*  Until then it may have been the guest who ended in silence.         */
    assert_true (eventually (site_counts ().connections.malformed == 1));
    assert_true (eventually (site_counts ().waiting == 0));
    assert_int_equal (site_counts ().open, 1);
    caller_end (&guest);
    assert_true (eventually (site_counts ().open == 0));
    assert_int_equal (site_counts ().admitted, 1);
    assert_int_equal (gate_refused (site.gate), 2);
    assert_int_equal (site_logged (NULL, 0), 2);
}

/*  Of several silent ends, as many as there were verdicts may have been those of
    guests who left early; the others are known at once to be garbage.      */
static void
test_early_ends (void **state)
{
    (void) state;
    caller_t guest;
    int garbage = raw_connect ("127.0.0.1"), other = raw_connect ("127.0.0.2");
    caller_begin (&guest, NULL);
    assert_true (eventually (site_counts ().waiting == 1));
    s_let_in (&guest);
    s_say_garbage (other);
    assert_true (eventually (site_counts ().connections.malformed == 1));
    caller_end (&guest);
    assert_true (eventually (site_counts ().open == 1));
    assert_int_equal (gate_refused (site.gate), 1);
    s_say_garbage (garbage);
    assert_true (eventually (site_counts ().connections.malformed == 2));
    assert_int_equal (gate_refused (site.gate), 2);
    assert_int_equal (site_logged (NULL, 0), 2);
}

/*  What is cut is not counted once more when it ends.                      */
static void
test_cut_once (void **state)
{
    (void) state;
    int fds [4];
    gate_limit (site.gate, 0, 2);
    for (int index = 0; index < 4; index++)
        fds [index] = raw_connect ("127.0.0.1");
    assert_true (eventually (site_counts ().cut == 2 && site_counts ().open == 2));
    assert_int_equal (gate_refused (site.gate), 2);
    for (int index = 0; index < 4; index++)
        close (fds [index]);
    assert_true (eventually (site_counts ().open == 0));
    assert_int_equal (gate_refused (site.gate), 4);
    assert_int_equal (gate_refused_more (site.gate), 4);
    assert_int_equal (gate_refused_more (site.gate), 0);
    assert_int_equal (site_counts ().connections.abandoned, 2);
}

/*  libzmq keeps what is to become one message, of whomever, so strangers may not
    send one that is large; a guest may.                                    */
static void
test_large_messages (void **state)
{
    (void) state;
    static uint8_t data [1 << 20];
    uint8_t head [64 + 9] = {
        0xff, [9] = 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E', [64] = 0x06, 0, 0, 0, 0, 0, 0x10, 0, 0
    };
    caller_t guest;
    caller_begin (&guest, NULL);
    assert_int_equal (zmq_send (guest.socket, data, sizeof data, 0), sizeof data);
    int stranger = raw_connect ("127.0.0.1");
    assert_int_equal (send (stranger, head, sizeof head, MSG_NOSIGNAL), sizeof head);
    assert_int_equal (send (stranger, data, 64 << 10, MSG_NOSIGNAL), 64 << 10);
    assert_true (eventually (site_counts ().cut == 1));
    s_let_in (&guest);
    assert_true (zmq_recv (site.server, head, sizeof head, 0) > 0);
    assert_int_equal (zmq_recv (site.server, data, sizeof data, 0), sizeof data);
    assert_true (eventually (site_counts ().open == 1));
    assert_int_equal (gate_refused (site.gate), 1);
    close (stranger);
    caller_end (&guest);
}

#define FEW_FILES 200
#define LOCALS 80

/*  Local processes do not take all files either: libzmq could neither accept
    nor sleep then. Each connection has two, of this one process.           */
static void
test_few_files_left (void **state)
{
    (void) state;
    struct rlimit before, few;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char endpoint [128];
    int fds [LOCALS];
    int length = snprintf (address.sun_path + 1, sizeof address.sun_path - 1, "troupe-watch-%d",
                           (int) getpid ());
    socklen_t size
        = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + (size_t) length);
    snprintf (endpoint, sizeof endpoint, "ipc://@%s", address.sun_path + 1);
    assert_int_equal (socket_bind (site.server, endpoint, &site.fault), 0);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ FEW_FILES, before.rlim_max };
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &few), 0);
    bool all = true;
    for (int index = 0; index < LOCALS; index++) {
        fds [index] = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal (connect (fds [index], (struct sockaddr *) &address, size), 0);
        all = all && eventually (site_counts ().connections.opened == (uint64_t) index + 1);
    }
    uint64_t cut = site_counts ().cut;
    for (int index = 0; index < LOCALS; index++)
        close (fds [index]);
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &before), 0);
    assert_true (all);
    assert_in_range (cut, 1, LOCALS - 1);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        with_waiting (test_one_address),
        with_waiting (test_early_ends),
        with_waiting (test_cut_once),
        with_waiting (test_large_messages),
        with_waiting (test_few_files_left),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
