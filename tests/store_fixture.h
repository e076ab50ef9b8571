/*  store_fixture.h - what tests of stores share: a store with a client, objects
    that can be told from others, processes that are killed, readers         */

#ifndef TROUPE_TESTS_STORE_FIXTURE_H
#define TROUPE_TESTS_STORE_FIXTURE_H

#include "core/clock.h"
#include "store/store.h"
#include "store/store_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/types.h>

#define MB ((uint64_t) 1 << 20)
#define PATIENCE (20000 * CLOCK_MS)

/*  A store with the name 77, and a client, the process 1.                  */
typedef struct {
    store_t *store;
    store_client_t *client;
    char folder [64];
} fixture_t;

void fixture_open (fixture_t *self, uint64_t memory, bool spills);
void fixture_open_of (fixture_t *self, store_options_t options, bool spills);
void fixture_close (fixture_t *self);

/*  Waits until a figure is what it should be, and checks the store.        */
void fixture_await (store_t *store, size_t figure, uint64_t wanted);

#define AWAIT(store_, figure_, wanted_)                                                        \
    fixture_await (store_, offsetof (store_figures_t, figure_), wanted_)

/*  Content that follows from a seed.                                       */
void fixture_fill (uint8_t *data, uint64_t size, uint64_t seed);
bool fixture_is_filled (const uint8_t *data, uint64_t size, uint64_t seed);

/*  Makes an object with such content, and reads one: whether it is right.  */
tid_t fixture_put (store_client_t *client, uint64_t size, uint64_t seed, process_t holder);
bool fixture_verify (store_client_t *client, tid_t id, uint64_t size, uint64_t seed);

/*  Gives a hold of another store's object, and waits until it is there.    */
void fixture_hold (store_client_t *client, tid_t id, process_t holder);

/*  A thread that reads an object with the seed 5.                          */
typedef struct {
    store_client_t *client;
    tid_t id;
    uint64_t size;
    bool right;
} reader_t;

void *reader_run (void *arg);

/*  This program once more, with these arguments; ends it, which must have lived
    until then.                                                             */
pid_t fixture_start (const char *what, const char *endpoint, const uint64_t *numbers,
                     size_t count);
void fixture_kill (pid_t child);

#endif
