/*  value_fixture.h - what tests of values share: writing and reading one value,
    with futures and actors that are names only                             */

#ifndef TROUPE_TESTS_VALUE_FIXTURE_H
#define TROUPE_TESTS_VALUE_FIXTURE_H

#include "core/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array_) (sizeof (array_) / sizeof (array_) [0])

/*  What the futures 0, 1, 2... stand for.                                  */
typedef struct {
    bytes_t blocks [8];
    unsigned handles; /*  handles made                            */
    unsigned allowed; /*  handles that may be made                */
} world_t;

typedef struct {
    world_t world;
    arena_t arena;
    value_reader_t reader;
    bytes_t bytes;
    fault_t fault;
} fixture_t;

extern const value_writer_t value_fixture_writer;

/*  cmocka's: *state becomes a fixture_t.                                   */
int value_fixture_setup (void **state);
int value_fixture_teardown (void **state);

#define TEST(name_)                                                                            \
    cmocka_unit_test_setup_teardown (name_, value_fixture_setup, value_fixture_teardown)

/*  Handles with these numbers, below 8. A future 7 cannot be written.      */
troupe_future_t *named_future (size_t number);
troupe_actor_t *named_actor (size_t number);

/*  Sets what a future stands for.                                          */
void stand_for (fixture_t *self, size_t number, troupe_arg_t arg);

/*  Writes one value alone in the fixture's buffer.                         */
void encode (fixture_t *self, troupe_arg_t arg);
#define ENCODE(self_, value_) encode ((self_), TROUPE_ARG (value_))

/*  Reads the value in the buffer: 0, or -1 with the fixture's fault.       */
int decode (fixture_t *self, troupe_out_t out);
#define DECODE(self_, place_) decode ((self_), TROUPE_OUT (place_))

void assert_fault (const fixture_t *self, troupe_error_t code, const char *text);

#endif
