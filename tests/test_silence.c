/*  test_silence.c - a process that says nothing for so long that the head
    counts it as dead, and that lives                                       */

#include "head/head.h"
#include "peer/peer.h"
#include "wire/socket.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define AT_ONCE_MS 5000

static int
nothing (troupe_call_t *call)
{
    return troupe_return (call);
}
TROUPE_TASK (nothing);

/*  A process that says nothing for so long that the head counts it as dead,
    but lives, is told so: what it waits for fails, rather than never comes.  */
static void
test_counted_as_dead (void **state)
{
    (void) state;
    static const uint8_t cookie [COOKIE_SIZE] = "test_silence";
    static const char endpoint [] = "inproc://test-silence-head";
    const char *const endpoints [] = { endpoint, NULL };
    const head_settings_t settings = { .suspect_after = 10 * CLOCK_MS,
                                       .dead_after = 10 * CLOCK_MS };
    fault_t fault = { 0 };
    void *context = socket_context_new (&fault);
    head_options_t head_options = { .endpoints = endpoints, .cookie = cookie,
                                    .settings = &settings };
    head_t *head = head_new (context, &head_options, &fault);
    assert_non_null (head);
    peer_options_t options = { .context = context,
                               .head_endpoint = endpoint,
                               .cookie = cookie,
                               .role = ROLE_DRIVER,
                               .label = "driver" };
    troupe_t *peer = peer_new (&options, clock_now () + AT_ONCE_MS * CLOCK_MS, &fault);
    assert_non_null (peer);
    /*  There is no worker, and the driver is heard once a second only.     */
    troupe_future_t *future = troupe_remote (peer, nothing);
    assert_int_equal (troupe_wait (&future, 1, 1, AT_ONCE_MS, NULL), 1);
    assert_int_equal (troupe_future_code (future), TROUPE_ELOST);
    assert_non_null (strstr (troupe_future_error (future), "silent for"));
    troupe_future_destroy (&future);
    future = troupe_remote (peer, nothing);
    assert_int_equal (troupe_future_code (future), TROUPE_ELOST);
    troupe_future_destroy (&future);
    assert_int_equal (peer_stop (peer), 0);
    peer_destroy (&peer);
    assert_int_equal (head_destroy (&head), 0);
    zmq_ctx_term (context);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_counted_as_dead) };
    thread_prepare ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
