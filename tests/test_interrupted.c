/*  test_interrupted.c - a program whose signals interrupt libzmq all the time:
    what was to be sent is sent, and what was to be received is received

    The window for a real signal is some instructions wide, so the calls are
    made to fail as they would, in threads that signals can reach: those of the
    program, here and in the workers.                                       */

#include "tests/actors_fixture.h"
#include "tests/support.h"
#include "tests/tasks_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zmq.h>

/*  One call in so many is interrupted.                                     */
#define PERIOD 5

#define CALLS 500
#define OBJECTS 20
#define OBJECT_NUMBERS ((size_t) 1 << 17)

/*  --- calls that fail --------------------------------------------------  */

static atomic_uint s_calls;

static bool
s_is_interrupted (void)
{
    sigset_t blocked;
    pthread_sigmask (SIG_BLOCK, NULL, &blocked);
    if (sigismember (&blocked, SIGUSR1) || atomic_fetch_add (&s_calls, 1) % PERIOD)
        return false;
    errno = EINTR;
    return true;
}

/*  The linker has calls of zmq_msg_send go to __wrap_zmq_msg_send, and so on; it
    wants to see them where a shared library calls the same.                */
#define VISIBLE __attribute__ ((visibility ("default")))

int __real_zmq_msg_send (zmq_msg_t *message, void *socket, int flags);
int __real_zmq_msg_recv (zmq_msg_t *message, void *socket, int flags);
int __real_zmq_getsockopt (void *socket, int option, void *value, size_t *size);
VISIBLE int __wrap_zmq_msg_send (zmq_msg_t *message, void *socket, int flags);
VISIBLE int __wrap_zmq_msg_recv (zmq_msg_t *message, void *socket, int flags);
VISIBLE int __wrap_zmq_getsockopt (void *socket, int option, void *value, size_t *size);

int
__wrap_zmq_msg_send (zmq_msg_t *message, void *socket, int flags)
{
    return (flags & ZMQ_DONTWAIT) && s_is_interrupted ()
               ? -1
               : __real_zmq_msg_send (message, socket, flags);
}

int
__wrap_zmq_msg_recv (zmq_msg_t *message, void *socket, int flags)
{
    return (flags & ZMQ_DONTWAIT) && s_is_interrupted ()
               ? -1
               : __real_zmq_msg_recv (message, socket, flags);
}

int
__wrap_zmq_getsockopt (void *socket, int option, void *value, size_t *size)
{
    return option == ZMQ_EVENTS && s_is_interrupted ()
               ? -1
               : __real_zmq_getsockopt (socket, option, value, size);
}

/*  --- tests ------------------------------------------------------------  */

/*  Many at once, then one after the other.                                 */
static void
test_tasks (void **state)
{
    (void) state;
    troupe_future_t *futures [CALLS];
    for (int64_t index = 0; index < CALLS; index++)
        futures [index] = troupe_remote (s_troupe, square, index);
    for (int64_t index = 0; index < CALLS; index++)
        expect_integer (futures [index], index * index);
    for (int64_t index = 0; index < CALLS; index++)
        expect_integer (troupe_remote (s_troupe, square, index), index * index);
}

static void
test_calls (void **state)
{
    (void) state;
    troupe_future_t *futures [CALLS];
    troupe_actor_t *actor = troupe_spawn (s_troupe, recorder);
    assert_non_null (actor);
    for (int64_t index = 0; index < CALLS; index++)
        futures [index] = troupe_call (actor, recorder_increment, index);
    for (int64_t index = 0; index < CALLS; index++)
        expect_integer (futures [index], index + 1);
    for (int64_t index = 0; index < CALLS; index++)
        expect_integer (troupe_call (actor, recorder_increment, index), index + 1);
    troupe_actor_destroy (&actor);
}

/*  Large values, to a worker and back.                                     */
static void
test_objects (void **state)
{
    (void) state;
    int64_t *numbers = calloc (OBJECT_NUMBERS, sizeof *numbers);
    assert_non_null (numbers);
    for (int64_t index = 0; index < OBJECTS; index++) {
        numbers [index] = index;
        troupe_future_t *put = troupe_put (s_troupe, troupe_int64s (numbers, OBJECT_NUMBERS));
        assert_non_null (put);
        troupe_future_t *back = troupe_remote (s_troupe, echo, put);
        troupe_future_destroy (&put);
        expect_integers (back, numbers, OBJECT_NUMBERS);
    }
    free (numbers);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_tasks),
        cmocka_unit_test (test_calls),
        cmocka_unit_test (test_objects),
    };
    support_begin (&argc, &argv);
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    if (atomic_load (&s_calls) < CALLS) {
        fprintf (stderr, "the library calls others\n");
        failed++;
    }
    return support_end (failed);
}
