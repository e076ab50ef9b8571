/*  test_store_crowd.c - a store under a crowd of connections: clients who are
    there are served first, files run out, and who says nothing has to go    */

#include "store/store_private.h"
#include "tests/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CROWD 500
#define FEW_FILES 400

/*  --- what the store's thread does --------------------------------------  */

static atomic_int s_accepts;
static atomic_int s_accepts_before_grant;

int __real_accept4 (int fd, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_accept4 (int fd, struct sockaddr *address, socklen_t *size, int flags);
ssize_t __real_sendmsg (int fd, const struct msghdr *packet, int flags);
ssize_t __wrap_sendmsg (int fd, const struct msghdr *packet, int flags);

int
__wrap_accept4 (int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    int got = __real_accept4 (fd, address, size, flags);
    if (got >= 0)
        atomic_fetch_add (&s_accepts, 1);
    return got;
}

ssize_t
__wrap_sendmsg (int fd, const struct msghdr *packet, int flags)
{
    const store_message_t *message = packet->msg_iov [0].iov_base;
    if (message->type == STORE_GRANTED)
        atomic_store (&s_accepts_before_grant, atomic_load (&s_accepts));
    return __real_sendmsg (fd, packet, flags);
}

/*  --- strangers ----------------------------------------------------------  */

static int
s_socket (void)
{
    int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct timeval patience = { .tv_sec = PATIENCE / (1000 * CLOCK_MS) };
    assert_true (fd >= 0);
    assert_int_equal (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void
s_connect (int fd, const store_t *store)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = store_endpoint (store);
    memcpy (address.sun_path + 1, name, strlen (name));
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + strlen (name));
    assert_int_equal (connect (fd, (struct sockaddr *) &address, size), 0);
}

static int
s_stranger (const store_t *store)
{
    int fd = s_socket ();
    s_connect (fd, store);
    return fd;
}

/*  Says who it is, and returns what the store answers, which may have been
    before.                                                                 */
static int
s_greet (int fd)
{
    store_message_t message = { .type = STORE_HELLO, .size = STORE_VERSION, .holder = 5 };
    ssize_t put = send (fd, &message, sizeof message, MSG_NOSIGNAL);
    assert_true (put == sizeof message || errno == EPIPE);
    assert_int_equal (recv (fd, &message, sizeof message, 0), sizeof message);
    return message.type;
}

/*  --- tests --------------------------------------------------------------  */

/*  However many come at once, a request of one who is there is answered before
    most of them are let in.                                                */
static void
test_clients_first (void **state)
{
    (void) state;
    fixture_t self;
    int strangers [CROWD];
    store_message_t message = { .type = STORE_CREATE, .size = 1000 };
    fixture_open (&self, 16 * MB, false);
    int fd = s_stranger (self.store);
    assert_int_equal (s_greet (fd), STORE_WELCOME);
    store_lock (self.store);
    atomic_store (&s_accepts, 0);
    for (int index = 0; index < CROWD; index++)
        strangers [index] = s_stranger (self.store);
    assert_int_equal (send (fd, &message, sizeof message, MSG_NOSIGNAL), sizeof message);
    store_unlock (self.store);
    assert_int_equal (recv (fd, &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, STORE_GRANTED);
    assert_in_range (atomic_load (&s_accepts_before_grant), 0, CROWD / 4);
    for (int index = 0; index < CROWD; index++)
        close (strangers [index]);
    close (fd);
    AWAIT (self.store, clients, 0);
    fixture_close (&self);
}

static struct rlimit s_limit;

static int
s_setup_few (void **state)
{
    (void) state;
    thread_prepare ();
    if (getrlimit (RLIMIT_NOFILE, &s_limit))
        return -1;
    struct rlimit few = { FEW_FILES, s_limit.rlim_max };
    return setrlimit (RLIMIT_NOFILE, &few);
}

static int
s_teardown_few (void **state)
{
    (void) state;
    return setrlimit (RLIMIT_NOFILE, &s_limit);
}

/*  Those who say nothing do not keep a client out.                         */
static void
test_few_files_taken_in_silence (void **state)
{
    (void) state;
    fixture_t self;
    int strangers [FEW_FILES / 2];
    fixture_open (&self, 16 * MB, false);
    for (int index = 0; index < FEW_FILES / 2; index++)
        strangers [index] = s_stranger (self.store);
    tid_t id = fixture_put (self.client, 100000, 3, 1);
    assert_true (fixture_verify (self.client, id, 100000, 3));
    /*  The first has made room.                                            */
    store_message_t message;
    assert_int_equal (recv (strangers [0], &message, sizeof message, 0), sizeof message);
    assert_int_equal (message.type, STORE_FAULT);
    assert_int_equal (recv (strangers [0], &message, sizeof message, 0), 0);
    for (int index = 0; index < FEW_FILES / 2; index++)
        close (strangers [index]);
    fixture_close (&self);
}

/*  Who comes when most files are in use is told why; who is there goes on.  */
static void
test_few_files_left (void **state)
{
    (void) state;
    fixture_t self;
    fault_t fault = { 0 };
    tid_t id;
    uint8_t *data;
    int strangers [FEW_FILES], count = 0;
    fixture_open (&self, 16 * MB, false);
    tid_t kept = fixture_put (self.client, 100000, 3, 1);
    /*  Each has a descriptor at either end, of this one process.           */
    do
        strangers [count] = s_stranger (self.store);
    while (s_greet (strangers [count++]) == STORE_WELCOME);
    assert_in_range (count, 20, FEW_FILES / 2);
    store_client_t *late = store_client_new (store_endpoint (self.store), 2);
    assert_int_equal (store_client_create (late, 1000, &id, &data, &fault), -1);
    assert_int_equal (fault.code, TROUPE_ELIMIT);
    assert_non_null (strstr (fault.text, "may have 400 open"));
    assert_true (fixture_verify (self.client, kept, 100000, 3));
    while (count)
        close (strangers [--count]);
    AWAIT (self.store, clients, 1);
    assert_true (fixture_verify (late, kept, 100000, 3));
    store_client_destroy (&late);
    fixture_close (&self);
}

static uint64_t
s_turns (store_t *store)
{
    store_lock (store);
    uint64_t turns = store->turn;
    store_unlock (store);
    return turns;
}

/*  Whom the store cannot accept waits, and the store's thread sleeps.      */
static void
test_no_file_left (void **state)
{
    (void) state;
    fixture_t self;
    int others [FEW_FILES], count = 0;
    fixture_open (&self, 16 * MB, false);
    int fd = s_socket ();
    while ((others [count] = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    uint64_t turns = s_turns (self.store);
    s_connect (fd, self.store);
    poll (NULL, 0, 300);
    assert_in_range (s_turns (self.store) - turns, 1, 20);
    /*  The lowest first: the store may accept meanwhile, and refuses what gets
        one of the last.                                                    */
    for (int index = 0; index < count; index++)
        close (others [index]);
    assert_int_equal (s_greet (fd), STORE_WELCOME);
    close (fd);
    fixture_close (&self);
}

/*  Who does not say who he is loses his connection; who has said so does not. */
static void
test_silent (void **state)
{
    (void) state;
    fault_t fault;
    char byte;
    store_options_t options = { .memory = 16 * MB, .hello_patience = 50 * CLOCK_MS };
    store_t *store = store_new (&options, &fault);
    assert_non_null (store);
    int early = s_stranger (store), silent = s_stranger (store);
    store_message_t hello = { .type = STORE_HELLO, .size = STORE_VERSION, .holder = 5 };
    assert_int_equal (send (early, &hello, sizeof hello, MSG_NOSIGNAL), sizeof hello);
    assert_int_equal (recv (silent, &byte, 1, 0), 0);
    /*  The store has its name only now.                                    */
    store_name (store, 77);
    assert_int_equal (recv (early, &hello, sizeof hello, 0), sizeof hello);
    assert_int_equal (hello.type, STORE_WELCOME);
    close (silent);
    close (early);
    assert_int_equal (store_destroy (&store), 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_clients_first),
        cmocka_unit_test_setup_teardown (test_few_files_left, s_setup_few, s_teardown_few),
        cmocka_unit_test_setup_teardown (test_few_files_taken_in_silence, s_setup_few,
                                         s_teardown_few),
        cmocka_unit_test_setup_teardown (test_no_file_left, s_setup_few, s_teardown_few),
        cmocka_unit_test (test_silent),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
