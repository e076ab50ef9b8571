/*  test_gate_hostile.c - tests of wire/gate.h with real sockets: what no client
    would send, and more of it than anybody needs                           */

#include "tests/gate_fixture.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    void *socket = socket_dealer_new (site.context, &site.fault);
    assert_non_null (socket);
    succeeds (socket_connect (socket, "inproc://zeromq.zap.01", &site.fault));
    succeeds (gate_allow (site.gate, DOMAIN_NAME, site.keys.public_key, NULL, &site.fault));
    ask (socket, "");
    ask (socket, "", "", "", "");
    ask (socket, "no delimiter", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "key");
    ask (socket, "", "2.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "key");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE", "short");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "CURVE",
         "a key of the right length here!!", "one more");
    assert_true (eventually (site_counts ().refused_by [GATE_MALFORMED] == 7));
    ask (socket, "", "1.0", "1", "\n\x1b[31m", "not an address", "", "NULL");
    ask (socket, "", "1.0", "1", DOMAIN_NAME, "1.2.3.4", "", "PLAIN", "user", "password");
    assert_true (eventually (site_counts ().refused == 9));
    gate_refusal_t refusals [GATE_REFUSALS];
    assert_int_equal (gate_refusals (site.gate, refusals, GATE_REFUSALS), 9);
    for (const char *place = refusals [1].domain; *place; place++)
        assert_true (*place > ' ' && *place < 0x7f);
    assert_int_equal (site_counts ().admitted, 0);
    zmq_close (socket);
    site_expect_open ("node");
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
        int fd = raw_connect ("127.0.0.1");
        ssize_t put = send (fd, inputs [index].data, inputs [index].size, MSG_NOSIGNAL);
        assert_true (put > 0);
        shutdown (fd, SHUT_WR);
        raw_expect_end (fd);
    }
    site_expect_nothing ();
    assert_int_equal (site_counts ().admitted, 0);
    assert_int_equal (site_counts ().connections.succeeded, 0);
    char line [512] = "";
    assert_true (eventually (site_logged (line, sizeof line) == 4));
    assert_non_null (strstr (line, "handshake"));
    site_expect_open ("node");
    assert_true (eventually (site_counts ().open == 0));
    /*  Of libzmq's own words there are two, and the long one may have been cut
        before it ended; who got in is no stranger.                         */
    const watch_counts_t counts = site_counts ().connections;
    assert_int_equal (gate_refused (site.gate), 4);
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
    gate_limit (site.gate, 0, STALLED_LIMIT);
    for (size_t index = 0; index < STALLED; index++)
        fds [index] = raw_connect ("127.0.0.2");
    assert_true (eventually (site_counts ().cut == STALLED - STALLED_LIMIT));
    assert_true (eventually (site_counts ().open <= STALLED_LIMIT));
    site_expect_open ("node");
    assert_int_equal (gate_addresses (site.gate, addresses, 2), 2);
    size_t stranger = strcmp (addresses [0].address, "127.0.0.2") ? 1 : 0;
    assert_string_equal (addresses [stranger].address, "127.0.0.2");
    assert_int_equal (addresses [stranger].opened, STALLED);
    assert_int_equal (addresses [stranger].admitted, 0);
    assert_int_equal (addresses [1 - stranger].admitted, 1);
    for (size_t index = 0; index < STALLED; index++)
        raw_expect_end (fds [index]);
    assert_true (eventually (site_counts ().open == 0));
    assert_int_equal (site_counts ().connections.opened, STALLED + 1);
}

static void
test_total_limit (void **state)
{
    (void) state;
    int fds [8];
    gate_limit (site.gate, 4, 0);
    for (size_t index = 0; index < 8; index++)
        fds [index] = raw_connect (index % 2 ? "127.0.0.2" : "127.0.0.3");
    assert_true (eventually (site_counts ().cut == 4));
    for (size_t index = 0; index < 8; index++)
        close (fds [index]);
    assert_true (eventually (site_counts ().open == 0));
    site_expect_open ("node");
}

/*  However many are refused, little is remembered and less is logged.      */
static void
test_flood_of_refusals (void **state)
{
    (void) state;
    gate_refusal_t refusals [GATE_REFUSALS + 8];
    static gate_address_t addresses [GATE_ADDRESSES + 8];
    char address [32];
    void *socket = socket_dealer_new (site.context, &site.fault);
    assert_non_null (socket);
    succeeds (socket_connect (socket, "inproc://zeromq.zap.01", &site.fault));
    int64_t begin = clock_now ();
    for (int index = 0; index < 4 * GATE_ADDRESSES; index++) {
        snprintf (address, sizeof address, "10.0.%d.%d", index / 256, index % 256);
        ask (socket, "", "1.0", "1", DOMAIN_NAME, address, "", "NULL");
    }
    assert_true (eventually (site_counts ().refused == 4 * GATE_ADDRESSES));
    int64_t seconds = (clock_now () - begin) / (1000 * CLOCK_MS) + 1;
    assert_true (site_logged (NULL, 0) <= (size_t) (5 + seconds));
    assert_int_equal (gate_refusals (site.gate, refusals, GATE_REFUSALS + 8), GATE_REFUSALS);
    assert_string_equal (refusals [0].address, address);
    assert_int_equal (gate_addresses (site.gate, addresses, GATE_ADDRESSES + 8),
                      GATE_ADDRESSES);
    /*  What was left out is said, once there is time.                      */
    char line [512];
    assert_true (eventually ((site_logged (line, sizeof line), strstr (line, "more") != NULL)));
    zmq_close (socket);
}

static void
test_limits_of_rules (void **state)
{
    (void) state;
    char name [GATE_NAME_MAX + 2];
    memset (name, 'n', sizeof name);
    name [GATE_NAME_MAX + 1] = 0;
    const uint8_t *key = site.keys.public_key;
    assert_int_equal (gate_allow (site.gate, name, key, NULL, &site.fault), -1);
    assert_int_equal (gate_allow (site.gate, DOMAIN_NAME, key, name, &site.fault), -1);
    assert_int_equal (gate_allow (site.gate, "", key, NULL, &site.fault), -1);
    assert_int_equal (site.fault.code, TROUPE_EINVAL);
    assert_int_equal (socket_curve_server (site.server, &site.keys, "", &site.fault), -1);
    for (int count = 0; count < GATE_RANGES_MAX; count++)
        succeeds (gate_deny_range (site.gate, DOMAIN_NAME, "10.0.0.0/8", &site.fault));
    assert_int_equal (gate_deny_range (site.gate, DOMAIN_NAME, "10.0.0.0/8", &site.fault), -1);
    assert_int_equal (site.fault.code, TROUPE_ELIMIT);
    for (int count = 1; count < GATE_DOMAINS_MAX; count++) {
        snprintf (name, sizeof name, "domain-%d", count);
        succeeds (gate_allow (site.gate, name, key, NULL, &site.fault));
    }
    assert_int_equal (gate_allow (site.gate, "too many", key, NULL, &site.fault), -1);
    assert_int_equal (site.fault.code, TROUPE_ELIMIT);
    assert_null (gate_new (site.context, NULL, NULL, &site.fault));
    assert_int_equal (site.fault.code, TROUPE_ESYSTEM);
    gate_unwatch (site.gate, site.server);
    succeeds (gate_watch (site.gate, site.server, &site.fault));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        with_server (test_malformed_requests),
        with_server (test_garbage),
        with_server (test_stalled),
        with_server (test_total_limit),
        with_gate (test_flood_of_refusals),
        with_gate (test_limits_of_rules),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
