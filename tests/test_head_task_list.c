/*  test_head_task_list.c - tasks as they are listed: the first so many in order,
    of those that pass the filter, and how many there are                   */

#include "core/value.h"
#include "head/head_shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 25000

typedef struct {
    head_t head;
    process_t drivers [2];
    process_t worker;
    uint32_t functions [2];
    bytes_t out;
    size_t rows;
    size_t matched;
} fixture_t;

static void
s_submit (fixture_t *self, size_t driver, uint64_t sequence, size_t function)
{
    static const uint8_t nothing = 0x90;
    record_t record = { .type = RECORD_TASK,
                        .number = self->functions [function],
                        .id = { self->drivers [driver], sequence },
                        .body = &nothing,
                        .body_size = 1 };
    head_submit (self->head.state, 1, &record);
}

static int
s_setup (void **state)
{
    fixture_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->head.state = head_state_new (9);
    assert_non_null (self->head.state);
    for (size_t index = 0; index < 2; index++)
        self->drivers [index] = head_join (self->head.state, 1, ROLE_DRIVER, 0, "driver");
    self->functions [0] = head_function (self->head.state, 0, "common", 6);
    self->functions [1] = head_function (self->head.state, 0, "rare", 4);
    *state = self;
    return 0;
}

static int
s_teardown (void **state)
{
    fixture_t *self = *state;
    bytes_release (&self->out);
    head_state_destroy (&self->head.state);
    free (self);
    return 0;
}

/*  The last first, so that their order is not that of their arrival.       */
static void
s_submit_many (fixture_t *self)
{
    for (uint64_t sequence = MANY; sequence; sequence--)
        s_submit (self, sequence & 1, sequence, sequence % 5000 == 0);
    assert_int_equal (head_counts (self->head.state).tasks, MANY);
}

static void
s_list (fixture_t *self, const char *key, const char *const *conditions, size_t count)
{
    head_filter_t filter = { .count = 0 };
    for (size_t index = 0; index < count; index++)
        assert_int_equal (
            head_filter_read (&filter, conditions [index], strlen (conditions [index])), 0);
    bytes_clear (&self->out);
    self->rows = head_put_tasks (&self->head, key, &filter, &self->out, &self->matched);
    assert_false (self->out.failed);
    size_t offset = 0;
    for (size_t row = 0; row < self->rows; row++)
        assert_int_equal (value_skip (self->out.data, self->out.size, &offset), 0);
    assert_int_equal (offset, self->out.size);
}

/*  The n-th row's id, which is its first field.                            */
static const char *
s_id (fixture_t *self, size_t row)
{
    static char text [64];
    msgpack_token_t token;
    size_t offset = 0;
    while (row--)
        assert_int_equal (value_skip (self->out.data, self->out.size, &offset), 0);
    for (int skipped = 0; skipped < 3; skipped++)
        assert_int_equal (token_next (self->out.data, self->out.size, &offset, &token), 0);
    assert_true (token.size < sizeof text);
    memcpy (text, token.data, token.size);
    text [token.size] = 0;
    return text;
}

static void
test_the_first_in_order (void **state)
{
    fixture_t *self = *state;
    s_submit_many (self);
    s_list (self, "", NULL, 0);
    assert_int_equal (self->matched, MANY);
    assert_int_equal (self->rows, HEAD_TASKS_MAX);
    /*  Even ones are the first driver's.                                   */
    assert_string_equal (s_id (self, 0), "1.2");
    assert_string_equal (s_id (self, 1), "1.4");
    assert_string_equal (s_id (self, 9999), "1.20000");
}

/*  What the filter wants is found wherever it stands.                      */
static void
test_filter_first (void **state)
{
    fixture_t *self = *state;
    static const char *const rare [] = { "function=rare" };
    static const char *const one [] = { "id=2.24999" };
    static const char *const none [] = { "function=rare", "state=running" };
    static const char *const others [] = { "function!=common", "job=0", "retries=0",
                                           "worker=", "node=", "state!=waiting" };
    static const char *const unknown [] = { "colour=red" };
    s_submit_many (self);
    s_list (self, "", rare, 1);
    assert_int_equal (self->rows, 5);
    assert_int_equal (self->matched, 5);
    assert_string_equal (s_id (self, 4), "1.25000");
    s_list (self, "", one, 1);
    assert_int_equal (self->rows, 1);
    assert_string_equal (s_id (self, 0), "2.24999");
    s_list (self, "", none, 2);
    assert_int_equal (self->rows, 0);
    s_list (self, "", others, 6);
    assert_int_equal (self->rows, 5);
    s_list (self, "", unknown, 1);
    assert_int_equal (self->matched, 0);
    s_list (self, "rare", NULL, 0);
    assert_int_equal (self->rows, 5);
    s_list (self, "2.24999", NULL, 0);
    assert_int_equal (self->rows, 1);
    s_list (self, "", NULL, 0);
    assert_int_equal (self->matched, MANY);
}

static void
test_malformed_conditions (void **state)
{
    head_filter_t filter = { .count = 0 };
    (void) state;
    assert_int_equal (head_filter_read (&filter, "", 0), -1);
    assert_int_equal (head_filter_read (&filter, "state", 5), -1);
    assert_int_equal (head_filter_read (&filter, "=running", 8), -1);
    for (size_t index = 0; index < HEAD_FILTER_MAX; index++)
        assert_int_equal (head_filter_read (&filter, "!=a", 3), 0);
    assert_int_equal (filter.conditions [0].field_size, 0);
    assert_int_equal (head_filter_read (&filter, "a=b", 3), -1);
}

int
main (void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)
    const struct CMUnitTest tests [] = {
        TEST (test_the_first_in_order),
        TEST (test_filter_first),
        TEST (test_malformed_conditions),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
