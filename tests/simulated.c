/*  simulated.c - what simulated worlds around the head's state machine share    */

#include "tests/simulated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

uint64_t
simulated_number (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    return text && *text ? strtoull (text, NULL, 0) : otherwise;
}

void
simulated_fix_seed (id_table_t *table, uint64_t seed)
{
    tid_t key = { 1, 1 };
    assert_int_equal (id_table_put (table, key, table), 0);
    id_table_remove (table, key);
    table->seed = seed;
}

void
simulated_sum (uint64_t *sum, const uint64_t *counts, size_t size)
{
    for (size_t field = 0; field < size / sizeof *sum; field++)
        sum [field] += counts [field];
}

void
simulated_check (head_state_t *head, const char *scenario, uint64_t seed, uint64_t event)
{
    const char *wrong = head_check (head);
    if (wrong)
        simulated_fail (scenario, seed, event, wrong);
}

void
simulated_fail (const char *scenario, uint64_t seed, uint64_t event, const char *what)
{
    fail_msg ("%s, seed %llu, event %llu: %s", scenario, (unsigned long long) seed,
              (unsigned long long) event, what);
}
