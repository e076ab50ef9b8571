/*  store_fixture.c - what tests of stores share                             */

#include "tests/store_fixture.h"

#include "tests/chance.h"
#include "wire/thread.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void
fixture_open (fixture_t *self, uint64_t memory, bool spills)
{
    fixture_open_of (self, (store_options_t){ .memory = memory }, spills);
}

void
fixture_open_of (fixture_t *self, store_options_t options, bool spills)
{
    fault_t fault;
    thread_prepare ();
    snprintf (self->folder, sizeof self->folder, "/tmp/troupe-test-XXXXXX");
    assert_non_null (mkdtemp (self->folder));
    options.spill_folder = spills ? self->folder : NULL;
    self->store = store_new (&options, &fault);
    assert_non_null (self->store);
    store_name (self->store, 77);
    self->client = store_client_new (store_endpoint (self->store), 1);
    assert_non_null (self->client);
}

void
fixture_close (fixture_t *self)
{
    store_client_destroy (&self->client);
    assert_int_equal (store_destroy (&self->store), 0);
    assert_int_equal (rmdir (self->folder), 0);
}

/*  Waits until a figure is what it should be.                              */
void
fixture_await (store_t *store, size_t figure, uint64_t wanted)
{
    store_figures_t figures;
    int64_t until = clock_now () + PATIENCE;
    uint64_t value;
    do {
        store_figures (store, &figures);
        memcpy (&value, (const char *) &figures + figure, sizeof value);
        if (value != wanted)
            poll (NULL, 0, 1);
    } while (value != wanted && clock_now () < until);
    assert_int_equal (value, wanted);
    const char *wrong = store_check (store);
    assert_string_equal (wrong ? wrong : "", "");
}

void
fixture_fill (uint8_t *data, uint64_t size, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 1;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        uint64_t number = chance_next (&random);
        memcpy (data + at, &number, 8);
    }
    memset (data + size / 8 * 8, (int) seed & 255, size % 8);
}

bool
fixture_is_filled (const uint8_t *data, uint64_t size, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 1;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        uint64_t number = chance_next (&random);
        if (memcmp (data + at, &number, 8))
            return false;
    }
    for (uint64_t at = size / 8 * 8; at < size; at++)
        if (data [at] != (seed & 255))
            return false;
    return true;
}

tid_t
fixture_put (store_client_t *client, uint64_t size, uint64_t seed, process_t holder)
{
    fault_t fault = { 0 };
    tid_t id = { 0, 0 };
    uint8_t *data;
    if (store_client_create (client, size, &id, &data, &fault)) {
        print_message ("put of %llu: %s\n", (unsigned long long) size, fault.text);
        fail ();
    }
    fixture_fill (data, size, seed);
    store_client_seal (client, id, size, OBJECT_BYTES, holder, true);
    return id;
}

bool
fixture_verify (store_client_t *client, tid_t id, uint64_t size, uint64_t seed)
{
    fault_t fault;
    const uint8_t *data;
    uint8_t kind;
    if (store_client_pin (client, id, size, &data, &kind, &fault)) {
        print_message ("pin: %s\n", fault.text);
        return false;
    }
    bool right = kind == OBJECT_BYTES && (uintptr_t) data % 64 == 0
                 && fixture_is_filled (data, size, seed);
    store_client_unpin (client, id);
    return right;
}

void
fixture_hold (store_client_t *client, tid_t id, process_t holder)
{
    fault_t fault = { 0 };
    uint64_t number = store_client_hold (client, id, holder, false);
    if (store_client_settle (client, id.owner, number, &fault))
        fail_msg ("%s", fault.text);
}

void *
reader_run (void *arg)
{
    reader_t *self = arg;
    self->right = fixture_verify (self->client, self->id, self->size, 5);
    return NULL;
}

/*  This program once more, as ThreadSanitizer does not follow threads after a
    fork.                                                                   */
pid_t
fixture_start (const char *what, const char *endpoint, const uint64_t *numbers, size_t count)
{
    char texts [5][24],
        *argv [9] = { "killed", (char *) (uintptr_t) what, (char *) (uintptr_t) endpoint };
    for (size_t index = 0; index < count; index++) {
        snprintf (texts [index], sizeof texts [index], "%llu",
                  (unsigned long long) numbers [index]);
        argv [3 + index] = texts [index];
    }
    pid_t parent = getpid (), child = fork ();
    if (child == 0) {
        if (prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid () == parent)
            execv ("/proc/self/exe", argv);
        _exit (9);
    }
    assert_true (child > 0);
    return child;
}

/*  It must have lived until then.                                          */
void
fixture_kill (pid_t child)
{
    int status = 0;
    kill (child, SIGKILL);
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}
