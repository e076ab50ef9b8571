/*  head_fixture.h - what tests of the head's state machine share: a head with a
    driver, what reaches it, and what it then asks for. After each step the
    state is checked as a whole                                              */

#ifndef TROUPE_TESTS_HEAD_FIXTURE_H
#define TROUPE_TESTS_HEAD_FIXTURE_H

#include "core/clock.h"
#include "head/head_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)

/*  A head with one driver and the functions "alpha" and "beta".            */
typedef struct {
    head_state_t *head;
    int64_t now;
    process_t driver;
    uint32_t alpha;
    uint32_t beta;
} fixture_t;

/*  cmocka's: *state becomes a fixture_t.                                   */
int fixture_setup (void **state);
int fixture_teardown (void **state);

#define TEST(name_) cmocka_unit_test_setup_teardown (name_, fixture_setup, fixture_teardown)

/*  Fails the test that runs if the state contradicts itself.               */
void fixture_check (fixture_t *self);

/*  --- what reaches the head ----------------------------------------------  */

/*  A worker that offers both functions.                                    */
process_t fixture_worker (fixture_t *self, unsigned slots, const char *label);

/*  A future of the driver's.                                               */
tid_t fixture_id (fixture_t *self, uint64_t sequence);

/*  A task of the driver's, and its way to the head.                        */
record_t fixture_task (fixture_t *self, uint32_t function, uint64_t sequence);
void fixture_submit (fixture_t *self, uint32_t function, uint64_t sequence);
void fixture_submit_retrying (fixture_t *self, uint32_t function, uint64_t sequence,
                              uint8_t retries);
void fixture_submit_deep (fixture_t *self, uint32_t function, uint64_t sequence,
                          uint32_t depth);

/*  One of alpha that waits for futures.                                    */
void fixture_submit_waiting (fixture_t *self, uint64_t sequence, const tid_t *pending,
                             size_t count);

/*  Writes a record into a frame and submits what is read from there.       */
void fixture_submit_record (fixture_t *self, const record_t *written, const tid_t *pending,
                            size_t count);

void fixture_value (fixture_t *self, tid_t id, const char *value);
void fixture_spawn_as (fixture_t *self, tid_t id, const char *name, size_t length);

/*  From a worker: a lease is done, leases come back. A process ends.       */
void fixture_done (fixture_t *self, process_t worker, uint32_t lease, int64_t duration);
void fixture_returned (fixture_t *self, process_t worker, const uint32_t *leases, size_t count);
void fixture_lost (fixture_t *self, process_t process, const uint32_t *ledger);

/*  Teaches the head how long a function runs.                              */
void fixture_teach (fixture_t *self, process_t worker, uint32_t function, int64_t duration);

/*  Lets time pass in small steps, as the shell does; those given are heard. */
void fixture_pass (fixture_t *self, int64_t time, process_t heard);

/*  --- what it asks for -----------------------------------------------------  */

/*  One turn of the head.                                                   */
void fixture_dispatch (fixture_t *self);

/*  The actions of a type, for a peer unless that is 0: how many, the n-th. */
size_t fixture_count (fixture_t *self, head_action_type_t type, process_t peer);
const head_action_t *fixture_action (fixture_t *self, head_action_type_t type, process_t peer,
                                     size_t n);

/*  The record that a HEAD_DISPATCH sends.                                  */
record_t fixture_sent (fixture_t *self, const head_action_t *action);

/*  The lease with which the n-th task of the last turn went out; *sequence
    says which task it was.                                                 */
uint32_t fixture_lease (fixture_t *self, process_t worker, size_t n, uint64_t *sequence);

void fixture_expect_dispatch (fixture_t *self, process_t worker, size_t n, uint64_t sequence);
void fixture_expect_fault (fixture_t *self, uint64_t sequence, troupe_error_t code,
                           const char *text);

#endif
