/*  test_silence.c - a process that says nothing for so long that the head
    counts it as dead, and that lives                                       */

#include "head/head.h"
#include "peer/peer.h"
#include "tests/eventually.h"
#include "wire/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT_ONCE_MS 5000

/*  While s_failing, there is no memory to be had by realloc() for other threads
    than those that are exempt.                                             */
static atomic_bool s_failing;
static _Thread_local bool s_exempt;

void *__real_realloc (void *old, size_t size);
void *__wrap_realloc (void *old, size_t size);

void *
__wrap_realloc (void *old, size_t size)
{
    return atomic_load (&s_failing) && !s_exempt ? NULL : __real_realloc (old, size);
}

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

/*  --- in a cluster of machines -----------------------------------------  */

typedef struct {
    void *context;
    network_t network;
    cluster_keys_t keys;
    head_t *head;
    char endpoint [HOST_MAX + 32];
    atomic_int failed;          /*  what the head has ended with            */
} cluster_t;

static const uint8_t s_cookie [COOKIE_SIZE] = "test_silence";

static void
s_failed (void *context, const fault_t *why)
{
    cluster_t *self = context;
    atomic_store (&self->failed, (int) why->code);
}

/*  A head with this patience, at any port or at the one that it had.       */
static void
s_start_head (cluster_t *self, int64_t patience)
{
    fault_t fault = { 0 };
    static const char *const endpoints [] = { NULL };
    const head_settings_t settings = { .suspect_after = patience, .dead_after = patience };
    const char *port = strrchr (self->endpoint, ':');
    head_options_t options = { .endpoints = endpoints,
                               .cookie = s_cookie,
                               .network = &self->network,
                               .keys = &self->keys,
                               .host = "127.0.0.1",
                               .port = port ? (uint16_t) atoi (port + 1) : 0,
                               .address = "127.0.0.1",
                               .failed = s_failed,
                               .log_context = self,
                               .settings = &settings };
    /*  libzmq lets go of a port some time after its socket is closed.      */
    assert_true (eventually ((self->head = head_new (self->context, &options, &fault))));
    snprintf (self->endpoint, sizeof self->endpoint, "%s", head_endpoint (self->head));
}

static void
s_start_cluster (cluster_t *self, int64_t patience)
{
    fault_t fault = { 0 };
    *self = (cluster_t){ .network = { .host = "127.0.0.1", .insecure = true } };
    self->context = socket_context_new (&fault);
    assert_int_equal (network_open (&self->network, self->context, NULL, &fault), 0);
    assert_int_equal (gate_allow_insecure (self->network.gate, DOMAIN_HEAD, &fault), 0);
    s_start_head (self, patience);
}

static void
s_end_cluster (cluster_t *self)
{
    fault_t fault = { 0 };
    assert_int_equal (head_destroy (&self->head), 0);
    assert_int_equal (network_close (&self->network, &fault), 0);
    zmq_ctx_term (self->context);
}

static troupe_t *
s_join (cluster_t *self, const char *label)
{
    fault_t fault = { 0 };
    peer_options_t options = { .context = self->context,
                               .head_endpoint = self->endpoint,
                               .cookie = s_cookie,
                               .role = ROLE_DRIVER,
                               .label = label,
                               .network = &self->network,
                               .far = true };
    troupe_t *peer = peer_new (&options, clock_now () + AT_ONCE_MS * CLOCK_MS, &fault);
    assert_string_equal (fault.text, "");
    return peer;
}

static void
s_leave (troupe_t **peer)
{
    assert_int_equal (peer_stop (*peer), 0);
    peer_destroy (peer);
}

/*  What it waits for fails with this code and a text that has this in it.  */
static void
s_expect_lost (troupe_t *peer, troupe_error_t code, const char *text)
{
    troupe_future_t *future = troupe_remote (peer, nothing);
    assert_int_equal (troupe_wait (&future, 1, 1, AT_ONCE_MS, NULL), 1);
    assert_int_equal (troupe_future_code (future), code);
    assert_non_null (strstr (troupe_future_error (future), text));
    troupe_future_destroy (&future);
}

static bool
s_listens_to (troupe_t *peer, process_t process)
{
    pthread_mutex_lock (&peer->lock);
    bool shut_out = id_table_get (&peer->shut_out, (tid_t){ 0, process }) != NULL;
    pthread_mutex_unlock (&peer->lock);
    return !shut_out;
}

/*  It stands still, and nobody listens to what it says afterwards; it hears of
    that with its first sign of life.                                       */
static void
test_comes_back_from_the_dead (void **state)
{
    (void) state;
    cluster_t cluster;
    s_start_cluster (&cluster, 2500 * CLOCK_MS);
    troupe_t *lively = s_join (&cluster, "lively"), *still = s_join (&cluster, "still");
    pthread_mutex_lock (&still->lock);
    bool missed = eventually (!s_listens_to (lively, still->self));
    pthread_mutex_unlock (&still->lock);
    assert_true (missed);
    assert_true (s_listens_to (still, lively->self));
    s_expect_lost (still, TROUPE_ELOST, "does not know this process any more");
    s_leave (&still);
    s_leave (&lively);
    s_end_cluster (&cluster);
}

/*  A head that ends says so; one that was killed is missed by who meets the
    next one at its address.                                                */
static void
test_another_head (void **state)
{
    (void) state;
    cluster_t cluster;
    s_start_cluster (&cluster, 60000 * CLOCK_MS);
    troupe_t *driver = s_join (&cluster, "driver");
    assert_int_equal (head_destroy (&cluster.head), 0);
    s_expect_lost (driver, TROUPE_ESTOPPED, "was stopped");
    s_leave (&driver);
    s_start_head (&cluster, 60000 * CLOCK_MS);
    driver = s_join (&cluster, "driver");
    /*  It does not hear that this one ends: as if it had been killed.      */
    pthread_mutex_lock (&driver->lock);
    assert_int_equal (head_destroy (&cluster.head), 0);
    zmq_msg_t unheard;
    zmq_msg_init (&unheard);
    while (zmq_msg_recv (&unheard, driver->head.socket, ZMQ_DONTWAIT) >= 0)
        ;
    zmq_msg_close (&unheard);
    s_start_head (&cluster, 60000 * CLOCK_MS);
    pthread_mutex_unlock (&driver->lock);
    s_expect_lost (driver, TROUPE_ELOST, "the head has started again");
    s_leave (&driver);
    s_end_cluster (&cluster);
}

/*  A head that has no memory to announce somebody ends, and says so.       */
static void
test_no_memory (void **state)
{
    (void) state;
    cluster_t cluster;
    fault_t fault;
    s_start_cluster (&cluster, 60000 * CLOCK_MS);
    troupe_t *driver = s_join (&cluster, "driver");
    peer_options_t options = { .context = cluster.context,
                               .head_endpoint = cluster.endpoint,
                               .cookie = s_cookie,
                               .role = ROLE_DRIVER,
                               .label = "second",
                               .network = &cluster.network,
                               .far = true };
    s_exempt = true;
    atomic_store (&s_failing, true);
    troupe_t *second = peer_new (&options, clock_now () + 500 * CLOCK_MS, &fault);
    bool failed = eventually (atomic_load (&cluster.failed) == TROUPE_ENOMEM);
    atomic_store (&s_failing, false);
    assert_null (second);
    assert_true (failed);
    s_leave (&driver);
    s_end_cluster (&cluster);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_counted_as_dead),
                                         cmocka_unit_test (test_comes_back_from_the_dead),
                                         cmocka_unit_test (test_another_head),
                                         cmocka_unit_test (test_no_memory) };
    thread_prepare ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
