/*  test_head_locality.c - tests of where the head runs tasks with large arguments */

#include "tests/head_cluster_fixture.h"

#include "core/value.h"
#include "head/head_private.h"
#include "wire/frame.h"

#include <string.h>

#define LARGE ((uint64_t) 8 << 20)

/*  A store that is at no node, as that of a driver.                        */
#define ELSEWHERE 4711

/*  --- tasks with one object --------------------------------------------  */

typedef struct {
    const char *function; /*  of four letters                         */
    uint32_t deadline;    /*  in ms; 0: none                          */
} kind_t;

static const kind_t s_plain = { "work", 0 };

static tid_t
s_submit (fixture_t *self, process_t owner, kind_t kind, const uint8_t *attachment, size_t size)
{
    uint32_t program = head_program_of (self->head, owner);
    record_t record = { .type = RECORD_TASK,
                        .number = head_function (self->head, program, kind.function, 4),
                        .id = { owner, ++self->sequence },
                        .body = (const uint8_t *) "\x90",
                        .body_size = 1,
                        .deadline = kind.deadline,
                        .attachments = 1,
                        .attachment = attachment,
                        .attachments_size = (uint32_t) size };
    head_submit (self->head, self->now, &record);
    fixture_check (self);
    return record.id;
}

/*  One argument, to come later.                                            */
static tid_t
s_submit_waiting (fixture_t *self, process_t owner, tid_t argument)
{
    uint8_t attachment [ATTACHMENT_HEADER] = { 0 };
    store_u64 (attachment, argument.owner);
    store_u64 (attachment + 8, argument.sequence);
    store_u32 (attachment + 20, 1);
    return s_submit (self, owner, s_plain, attachment, sizeof attachment);
}

static void
s_put_object (bytes_t *value, tid_t id, uint64_t size)
{
    object_reference_t object = { .id = id, .size = size, .kind = OBJECT_BYTES };
    value_put_object (value, &object);
}

static void
s_give_object (fixture_t *self, tid_t argument, process_t home, uint64_t size)
{
    bytes_t value = { 0 };
    s_put_object (&value, (tid_t){ home, 5 }, size);
    head_value (self->head, argument, 0, value.data, (uint32_t) value.size);
    fixture_run (self);
    bytes_release (&value);
}

/*  One that has its argument: a large object.                              */
static tid_t
s_submit_kind (fixture_t *self, process_t owner, kind_t kind, tid_t object)
{
    uint8_t attachment [ATTACHMENT_HEADER + 64] = { 0 };
    bytes_t value = { 0 };
    s_put_object (&value, object, LARGE);
    assert_true (value.size <= 64);
    memcpy (attachment + ATTACHMENT_HEADER, value.data, value.size);
    store_u64 (attachment, owner);
    store_u64 (attachment + 8, 1000 + self->sequence);
    store_u32 (attachment + 16, (uint32_t) value.size);
    tid_t id = s_submit (self, owner, kind, attachment,
                         ATTACHMENT_HEADER + ((value.size + 7) & ~(size_t) 7));
    bytes_release (&value);
    fixture_run (self);
    return id;
}

static tid_t
s_submit_object (fixture_t *self, process_t owner, tid_t object)
{
    return s_submit_kind (self, owner, s_plain, object);
}

/*  The node where a task runs, or has run; 0: none so far.                 */
static process_t
s_place (fixture_t *self, tid_t task)
{
    const given_t *given = fixture_given_to (self, task);
    return given ? fixture_node_of (self, given->worker) : 0;
}

static void
s_end (fixture_t *self, tid_t task)
{
    given_t *given = fixture_given_to (self, task);
    assert_non_null (given);
    fixture_done (self, given, CLOCK_MS);
    fixture_run (self);
}

/*  --- tests ------------------------------------------------------------  */

/*  It runs where its argument is, but does not wait for that.              */
static void
test_near_its_arguments (void **state)
{
    fixture_t *self = *state;
    fixture_node (self, "a", 2, 0);
    process_t b = fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    tid_t tasks [4];
    for (uint64_t index = 0; index < 4; index++) {
        tid_t argument = { driver, 1000 + index };
        tasks [index] = s_submit_waiting (self, driver, argument);
        if (index == 1)
            s_give_object (self, argument, b, 100);
        else
            s_give_object (self, argument, index == 3 ? ELSEWHERE : b, LARGE);
        assert_int_not_equal (s_place (self, tasks [index]), 0);
        assert_int_equal (s_place (self, tasks [index]) == b, index == 0);
        if (index == 1)
            s_end (self, tasks [index]);
    }
}

/*  Two nodes of one cpu, which run a task each, with an object of their own. */
typedef struct {
    process_t a;
    process_t b;
    process_t driver;
    tid_t first_a;
    tid_t first_b;
} pair_t;

static pair_t
s_pair (fixture_t *self)
{
    pair_t pair = { .a = fixture_node (self, "a", 1, 0), .b = fixture_node (self, "b", 1, 0) };
    pair.driver = fixture_driver (self);
    pair.first_a = s_submit_object (self, pair.driver, (tid_t){ pair.a, 1 });
    pair.first_b = s_submit_object (self, pair.driver, (tid_t){ pair.b, 1 });
    assert_int_equal (s_place (self, pair.first_a), pair.a);
    assert_int_equal (s_place (self, pair.first_b), pair.b);
    return pair;
}

/*  Each node takes from the queue what has its arguments there, whoever has
    waited longer; what is left goes anywhere.                              */
static void
test_a_queue_goes_where_its_arguments_are (void **state)
{
    fixture_t *self = *state;
    pair_t pair = s_pair (self);
    tid_t of_a [5], of_b [3];
    for (uint64_t index = 0; index < 5; index++)
        of_a [index] = s_submit_object (self, pair.driver, (tid_t){ pair.a, 2 + index });
    for (uint64_t index = 0; index < 3; index++)
        of_b [index] = s_submit_object (self, pair.driver, (tid_t){ pair.b, 2 + index });
    s_end (self, pair.first_b);
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal (s_place (self, of_b [index]), pair.b);
        s_end (self, of_b [index]);
    }
    assert_int_equal (s_place (self, of_a [0]), pair.b);
    assert_int_equal (s_place (self, of_a [1]), 0);
    s_end (self, pair.first_a);
    assert_int_equal (s_place (self, of_a [1]), pair.a);
}

/*  Room that was left to a task that fails instead is taken at once.       */
static void
test_room_that_nobody_needs (void **state)
{
    fixture_t *self = *state;
    pair_t pair = s_pair (self);
    tid_t of_a = s_submit_object (self, pair.driver, (tid_t){ pair.a, 2 });
    tid_t of_b
        = s_submit_kind (self, pair.driver, (kind_t){ "work", 10 }, (tid_t){ pair.b, 2 });
    self->now += SECOND;
    s_end (self, pair.first_b);
    assert_int_equal (s_place (self, of_b), 0);
    assert_true (tid_equal (self->faulted, of_b));
    assert_int_equal (self->code, TROUPE_ETIMEOUT);
    assert_int_equal (s_place (self, of_a), pair.b);
}

/*  Where a node never has room, what wants to run there goes elsewhere.    */
static void
test_patience_ends (void **state)
{
    fixture_t *self = *state;
    pair_t pair = s_pair (self);
    tid_t of_a = s_submit_object (self, pair.driver, (tid_t){ pair.a, 2 });
    tid_t of_b = pair.first_b;
    for (uint64_t round = 0; round < 12 && !s_place (self, of_a); round++) {
        tid_t next = s_submit_object (self, pair.driver, (tid_t){ pair.b, 2 + round });
        s_end (self, of_b);
        of_b = next;
        if (round < 3)
            assert_int_equal (s_place (self, of_a), 0);
        fixture_pass (self, SECOND / 2, 0);
    }
    assert_int_equal (s_place (self, of_a), pair.b);
}

/*  A worker that could run it is there, and nothing happens any more: what it
    was left for waits for a worker that does not come.                     */
static void
test_patience_ends_in_silence (void **state)
{
    fixture_t *self = *state;
    pair_t pair = s_pair (self);
    s_end (self, pair.first_b);
    self->deaf = true;
    s_submit_kind (self, pair.driver, (kind_t){ "play", 0 }, (tid_t){ pair.b, 2 });
    tid_t of_a = s_submit_object (self, pair.driver, (tid_t){ pair.a, 2 });
    assert_int_equal (s_place (self, of_a), 0);
    fixture_pass (self, SECOND, 0);
    assert_int_equal (s_place (self, of_a), 0);
    fixture_pass (self, 2 * SECOND, 0);
    assert_int_equal (s_place (self, of_a), pair.b);
}

/*  Who has fetched an object is as near to it as who has made it.          */
static void
test_copies (void **state)
{
    fixture_t *self = *state;
    process_t a = fixture_node (self, "a", 1, 0), b = fixture_node (self, "b", 1, 0);
    process_t driver = fixture_driver (self);
    for (uint64_t round = 1; round < 3; round++) {
        /*  One node has no room, the other fetches.                        */
        process_t busy = round == 1 ? a : b, other = round == 1 ? b : a;
        tid_t object = { ELSEWHERE, round };
        tid_t holds = s_submit_object (self, driver, (tid_t){ busy, round });
        tid_t fetches = s_submit_object (self, driver, object);
        assert_int_equal (s_place (self, holds), busy);
        assert_int_equal (s_place (self, fetches), other);
        s_end (self, fetches);
        s_end (self, holds);
        for (int index = 0; index < 3; index++) {
            tid_t again = s_submit_object (self, driver, object);
            assert_int_equal (s_place (self, again), other);
            s_end (self, again);
        }
    }
}

/*  The oldest of thousands is forgotten, and of an object's nodes as well.  */
static void
test_copies_are_bounded (void **state)
{
    fixture_t *self = *state;
    for (process_t node = 1; node <= HEAD_COPIES_MAX + 1; node++)
        head_copy_made (self->head, (tid_t){ 9, 1 }, node);
    head_copy_made (self->head, (tid_t){ 9, 1 }, 3);
    const process_t *nodes = head_copies (self->head, (tid_t){ 9, 1 });
    assert_non_null (nodes);
    assert_int_equal (nodes [0], 3);
    assert_int_equal (nodes [1], HEAD_COPIES_MAX + 1);
    for (size_t index = 0; index < HEAD_COPIES_MAX; index++)
        assert_int_not_equal (nodes [index], 1);
    for (uint64_t number = 2; number < 10000; number++)
        head_copy_made (self->head, (tid_t){ 9, number }, 1);
    assert_null (head_copies (self->head, (tid_t){ 9, 1 }));
    assert_non_null (head_copies (self->head, (tid_t){ 9, 9999 }));
    size_t left = 0;
    for (uint64_t number = 1; number < 10000; number++)
        left += head_copies (self->head, (tid_t){ 9, number }) != NULL;
    assert_int_equal (left, 4096);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_near_its_arguments),       TEST (test_a_queue_goes_where_its_arguments_are),
        TEST (test_room_that_nobody_needs),   TEST (test_patience_ends),
        TEST (test_patience_ends_in_silence), TEST (test_copies),
        TEST (test_copies_are_bounded),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
