/*  test_extents.c - which parts of a range are free: against a map of units  */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/extent.h"
#include "tests/chance.h"

enum { UNITS = 512 };

typedef struct {
    uint8_t used [UNITS];
    uint8_t touched [UNITS];
    uint64_t forgotten;
} units_t;

static void
s_forget (void *context, uint64_t offset, uint64_t size)
{
    units_t *self = context;
    self->forgotten += size;
    for (uint64_t at = offset / EXTENT_UNIT; at < (offset + size) / EXTENT_UNIT; at++) {
        assert_false (self->used [at]);
        self->touched [at] = 0;
    }
}

/*  What is free and was touched is forgotten, in parts, and nothing in use. */
static void
s_forget_all (extents_t *extents, units_t *units)
{
    enum { PART = 5 };
    bool more = true;
    while (more) {
        units->forgotten = 0;
        more = extents_each_touched (extents, PART * EXTENT_UNIT, s_forget, units);
        assert_true (units->forgotten <= PART * EXTENT_UNIT);
        assert_true (!more || units->forgotten == PART * EXTENT_UNIT);
    }
    for (int at = 0; at < UNITS; at++)
        assert_true (units->used [at] || !units->touched [at]);
}

/*  Against a map of units.                                                 */
static void
test_extents (void **state)
{
    (void) state;
    enum { ROUNDS = 20000, HELD = 64 };
    extents_t extents;
    extent_t *held [HELD] = { NULL };
    static units_t units;
    uint8_t *map = units.used;
    uint64_t random = 88172645463325252u;
    assert_int_equal (extents_init (&extents, UNITS * EXTENT_UNIT), 0);
    for (int round = 0; round < ROUNDS; round++) {
        size_t index = chance_next (&random) % HELD;
        if (round % 50 == 0)
            s_forget_all (&extents, &units);
        if (held [index]) {
            memset (map + held [index]->offset / EXTENT_UNIT, 0,
                    held [index]->size / EXTENT_UNIT);
            extents_give (&extents, held [index]);
            held [index] = NULL;
            continue;
        }
        uint64_t wanted = 1 + chance_next (&random) % 24;
        held [index] = extents_take (&extents, wanted * EXTENT_UNIT);
        if (!held [index])
            continue;
        assert_true (held [index]->size >= wanted * EXTENT_UNIT);
        memset (units.touched + held [index]->offset / EXTENT_UNIT, 1,
                held [index]->size / EXTENT_UNIT);
        if (chance_next (&random) % 4 == 0)
            extents_trim (&extents, held [index], (wanted + 1) / 2 * EXTENT_UNIT);
        uint64_t first = held [index]->offset / EXTENT_UNIT;
        for (uint64_t at = first; at < first + held [index]->size / EXTENT_UNIT; at++) {
            assert_true (at < UNITS && !map [at]);
            map [at] = 1;
        }
        uint64_t used = 0;
        for (int at = 0; at < UNITS; at++)
            used += map [at];
        assert_int_equal (extents.used, used * EXTENT_UNIT);
    }
    for (int index = 0; index < HELD; index++)
        if (held [index])
            extents_give (&extents, held [index]);
    assert_int_equal (extents.used, 0);
    extent_t *all = extents_take (&extents, UNITS * EXTENT_UNIT);
    assert_non_null (all);
    assert_null (extents_take (&extents, 1));
    extents_give (&extents, all);
    extents_release (&extents);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_extents),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
