/*  gate_fixture.h - what tests of gates share: a server with a gate, and clients
    of it                                                                    */

#ifndef TROUPE_TESTS_GATE_FIXTURE_H
#define TROUPE_TESTS_GATE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/eventually.h"
#include "wire/gate.h"
#include "wire/socket.h"

#define DOMAIN_NAME "test"

/*  --- the server -------------------------------------------------------  */

typedef struct {
    void *context;
    gate_t *gate;
    void *server;
    key_pair_t keys;
    char endpoint [256];
    fault_t fault; /*  of the last call that failed            */
} site_t;

extern site_t site;

#define succeeds(call)                                                                         \
    do {                                                                                       \
        if (call)                                                                              \
            fail_msg ("%s: %s", #call, site.fault.text);                                       \
    } while (0)

/*  cmocka's: a server alone; with a gate, but without an endpoint; with CURVE,
    at a tcp endpoint.                                                      */
int site_setup_context (void **state);
int site_setup_gate (void **state);
int site_setup (void **state);
int site_teardown (void **state);

#define with_context(test_)                                                                    \
    cmocka_unit_test_setup_teardown (test_, site_setup_context, site_teardown)
#define with_gate(test_) cmocka_unit_test_setup_teardown (test_, site_setup_gate, site_teardown)
#define with_server(test_) cmocka_unit_test_setup_teardown (test_, site_setup, site_teardown)

/*  Binds a socket, whose endpoint becomes the site's; or the server, to a name
    on this machine.                                                        */
void site_bind (void *socket, const char *endpoint);
void site_bind_local (void);

/*  How many lines the gate logged; the last one, unless that is NULL.      */
size_t site_logged (char *last, size_t size);

gate_counts_t site_counts (void);

/*  The server gets a message; its sender's name is as wanted (NULL: none).  */
void site_expect_hello (const char *name, peer_link_t *link);

/*  To be asked when it is known that what came was dealt with.             */
void site_expect_nothing (void);

/*  A key that is let in still is.                                          */
void site_expect_open (const char *name);

/*  --- strangers --------------------------------------------------------  */

/*  A connection to the server's tcp endpoint from this address; waits for the
    server to end one, and closes it.                                       */
int raw_connect (const char *from);
void raw_expect_end (int fd);

/*  --- clients ----------------------------------------------------------  */

/*  In a context of its own, as if it were another process.                 */
typedef struct {
    void *context;
    void *socket;
    watch_t *watch;
    key_pair_t keys;
} caller_t;

/*  One with new keys; it connects, without CURVE or with it, and says hello. */
void caller_new (caller_t *self);
void caller_connect (caller_t *self);
void caller_curve (caller_t *self, const uint8_t *server);

/*  All of that, with keys that the gate has been told to let in, or not.   */
void caller_begin (caller_t *self, const char *name);

void caller_end (caller_t *self);

watch_counts_t caller_counts (caller_t *self);

void caller_expect_answer (caller_t *self);

/*  The client is told that it is refused, and nothing of it arrives.       */
void caller_expect_refused (caller_t *self, gate_reason_t reason);

#endif
