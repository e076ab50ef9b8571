/*  test_watch.c - what the gate says of connections from one address, some of
    which are let in and some not: each is counted once, and nobody is blamed
    for what another has sent                                                */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "wire/gate.h"
#include "wire/socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DOMAIN_NAME "test"

/*  Nothing here takes this long unless it hangs.                           */
#define PATIENCE_MS 30000

#define eventually(condition)                                                                  \
    __extension__({                                                                            \
        int64_t until_ = clock_now () + PATIENCE_MS * CLOCK_MS;                                \
        bool holds_ = (condition);                                                             \
        while (!holds_ && clock_now () < until_) {                                             \
            poll (NULL, 0, 1);                                                                 \
            holds_ = (condition);                                                              \
        }                                                                                      \
        holds_;                                                                                \
    })

static void *s_context;
static gate_t *s_gate;
static void *s_server;
static key_pair_t s_server_keys;
static char s_endpoint [256];
static fault_t s_fault;

static pthread_mutex_t s_log_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned s_lines;

static void
s_log (void *arg, const char *text)
{
    (void) arg;
    (void) text;
    pthread_mutex_lock (&s_log_lock);
    s_lines++;
    pthread_mutex_unlock (&s_log_lock);
}

static unsigned
s_logged (void)
{
    pthread_mutex_lock (&s_log_lock);
    unsigned lines = s_lines;
    pthread_mutex_unlock (&s_log_lock);
    return lines;
}

/*  Unknown keys wait.                                                      */
static int
s_setup (void **state)
{
    (void) state;
    s_lines = 0;
    s_context = socket_context_new (&s_fault);
    s_gate = gate_new (s_context, s_log, NULL, &s_fault);
    s_server = socket_router_new (s_context, &s_fault);
    if (!s_gate || !s_server || key_pair_new (&s_server_keys, &s_fault)
        || gate_let_wait (s_gate, DOMAIN_NAME, &s_fault) || socket_tcp (s_server, &s_fault)
        || socket_curve_server (s_server, &s_server_keys, DOMAIN_NAME, &s_fault)
        || gate_watch (s_gate, s_server, &s_fault)
        || socket_bind (s_server, "tcp://127.0.0.1:*", &s_fault))
        return -1;
    return socket_last_endpoint (s_server, s_endpoint, sizeof s_endpoint, &s_fault);
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

static gate_counts_t
s_counts (void)
{
    gate_counts_t counts;
    gate_counts (s_gate, &counts);
    return counts;
}

/*  --- who connects -------------------------------------------------------  */

typedef struct {
    void *context;
    void *socket;
    key_pair_t keys;
} client_t;

/*  One that says hello as soon as it is let in.                            */
static void
s_client_new (client_t *self)
{
    self->context = socket_context_new (&s_fault);
    self->socket = socket_dealer_new (self->context, &s_fault);
    if (key_pair_new (&self->keys, &s_fault) || socket_tcp (self->socket, &s_fault)
        || socket_curve_client (self->socket, s_server_keys.public_key, &self->keys, &s_fault)
        || socket_connect (self->socket, s_endpoint, &s_fault))
        fail_msg ("%s", s_fault.text);
    assert_int_equal (zmq_send (self->socket, "hello", 5, 0), 5);
}

static void
s_client_destroy (client_t *self)
{
    zmq_close (self->socket);
    zmq_ctx_term (self->context);
}

static void
s_client_let_in (client_t *self)
{
    zmq_pollitem_t item = { .socket = s_server, .events = ZMQ_POLLIN };
    char text [16];
    if (gate_allow (s_gate, DOMAIN_NAME, self->keys.public_key, NULL, &s_fault))
        fail_msg ("%s", s_fault.text);
    assert_int_equal (zmq_poll (&item, 1, PATIENCE_MS), 1);
    assert_true (zmq_recv (s_server, text, sizeof text, 0) > 0);
    assert_int_equal (zmq_recv (s_server, text, sizeof text, 0), 5);
}

static int
s_raw (const char *from)
{
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    inet_pton (AF_INET, from, &address.sin_addr);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    address.sin_port = htons ((uint16_t) strtoul (strrchr (s_endpoint, ':') + 1, NULL, 10));
    inet_pton (AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    return fd;
}

/*  Says what is no ZMTP, after which libzmq ends it without a word.        */
static void
s_say_garbage (int fd)
{
    static const char text []
        = "GET / HTTP/1.0\r\n\r\nThis is no ZMTP, and longer than its greeting.";
    char heard [512];
    struct pollfd item = { .fd = fd, .events = POLLIN };
    assert_true (send (fd, text, sizeof text, MSG_NOSIGNAL) > 0);
    do
        assert_int_equal (poll (&item, 1, PATIENCE_MS), 1);
    while (recv (fd, heard, sizeof heard, 0) > 0);
    close (fd);
}

/*  --- tests --------------------------------------------------------------  */

/*  From one address: somebody who is let in, somebody who leaves while he waits
    for that, and garbage. Whose connection is whose is known at the latest when
    the time for handshakes is over.                                        */
static void
test_one_address (void **state)
{
    (void) state;
    client_t guest, left;
    s_client_new (&guest);
    assert_true (eventually (s_counts ().waiting == 1));
    int garbage = s_raw ("127.0.0.1");
    assert_true (eventually (s_counts ().open == 2));
    s_client_let_in (&guest);
    s_say_garbage (garbage);
    s_client_new (&left);
    assert_true (eventually (s_counts ().waiting == 1));
    s_client_destroy (&left);
    assert_true (eventually (s_counts ().open == 1));
    assert_int_equal (s_counts ().connections.abandoned, 1);
    /*  Until then it may have been the guest who ended in silence.         */
    assert_true (eventually (s_counts ().connections.malformed == 1));
    assert_true (eventually (s_counts ().waiting == 0));
    assert_int_equal (s_counts ().open, 1);
    s_client_destroy (&guest);
    assert_true (eventually (s_counts ().open == 0));
    assert_int_equal (s_counts ().admitted, 1);
    assert_int_equal (gate_refused (s_gate), 2);
    assert_int_equal (s_logged (), 2);
}

/*  Of several silent ends, as many as there were verdicts may have been those of
    guests who left early; the others are known at once to be garbage.      */
static void
test_early_ends (void **state)
{
    (void) state;
    client_t guest;
    int garbage = s_raw ("127.0.0.1"), other = s_raw ("127.0.0.2");
    s_client_new (&guest);
    assert_true (eventually (s_counts ().waiting == 1));
    s_client_let_in (&guest);
    s_say_garbage (other);
    assert_true (eventually (s_counts ().connections.malformed == 1));
    s_client_destroy (&guest);
    assert_true (eventually (s_counts ().open == 1));
    assert_int_equal (gate_refused (s_gate), 1);
    s_say_garbage (garbage);
    assert_true (eventually (s_counts ().connections.malformed == 2));
    assert_int_equal (gate_refused (s_gate), 2);
    assert_int_equal (s_logged (), 2);
}

/*  What is cut is not counted once more when it ends.                      */
static void
test_cut_once (void **state)
{
    (void) state;
    int fds [4];
    gate_limit (s_gate, 0, 2);
    for (int index = 0; index < 4; index++)
        fds [index] = s_raw ("127.0.0.1");
    assert_true (eventually (s_counts ().cut == 2 && s_counts ().open == 2));
    assert_int_equal (gate_refused (s_gate), 2);
    for (int index = 0; index < 4; index++)
        close (fds [index]);
    assert_true (eventually (s_counts ().open == 0));
    assert_int_equal (gate_refused (s_gate), 4);
    assert_int_equal (s_counts ().connections.abandoned, 2);
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
    client_t guest;
    s_client_new (&guest);
    assert_int_equal (zmq_send (guest.socket, data, sizeof data, 0), sizeof data);
    int stranger = s_raw ("127.0.0.1");
    assert_int_equal (send (stranger, head, sizeof head, MSG_NOSIGNAL), sizeof head);
    assert_int_equal (send (stranger, data, 64 << 10, MSG_NOSIGNAL), 64 << 10);
    assert_true (eventually (s_counts ().cut == 1));
    s_client_let_in (&guest);
    assert_true (zmq_recv (s_server, head, sizeof head, 0) > 0);
    assert_int_equal (zmq_recv (s_server, data, sizeof data, 0), sizeof data);
    assert_true (eventually (s_counts ().open == 1));
    assert_int_equal (gate_refused (s_gate), 1);
    close (stranger);
    s_client_destroy (&guest);
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
    assert_int_equal (socket_bind (s_server, endpoint, &s_fault), 0);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ FEW_FILES, before.rlim_max };
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &few), 0);
    bool all = true;
    for (int index = 0; index < LOCALS; index++) {
        fds [index] = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal (connect (fds [index], (struct sockaddr *) &address, size), 0);
        all = all && eventually (s_counts ().connections.opened == (uint64_t) index + 1);
    }
    uint64_t cut = s_counts ().cut;
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
        cmocka_unit_test_setup_teardown (test_one_address, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_early_ends, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_cut_once, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_large_messages, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown (test_few_files_left, s_setup, s_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
