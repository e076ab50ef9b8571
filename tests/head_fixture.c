/*  head_fixture.c - what tests of the head share                              */

#include "tests/head_fixture.h"
#include "tests/head_sound.h"

#include <stdlib.h>
#include <string.h>

void
fixture_check (fixture_t *self)
{
    head_expect_sound (self->head);
}

int
fixture_setup (void **state)
{
    fixture_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->now = 3600 * SECOND;
    self->head = head_state_new (77);
    assert_non_null (self->head);
    self->driver = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver (pid 1)");
    self->alpha = head_function (self->head, 0, "alpha", 5);
    self->beta = head_function (self->head, 0, "beta", 4);
    assert_true (self->driver && self->alpha && self->beta);
    *state = self;
    return 0;
}

int
fixture_teardown (void **state)
{
    fixture_t *self = *state;
    fixture_check (self);
    head_state_destroy (&self->head);
    assert_null (self->head);
    free (self);
    return 0;
}

/*  --- shorthands -------------------------------------------------------  */

process_t
fixture_worker (fixture_t *self, unsigned slots, const char *label)
{
    process_t worker = head_join (self->head, self->now, ROLE_WORKER, slots, label);
    assert_true (worker != 0);
    assert_int_equal (head_offer (self->head, worker, self->alpha), 0);
    assert_int_equal (head_offer (self->head, worker, self->beta), 0);
    return worker;
}

tid_t
fixture_id (fixture_t *self, uint64_t sequence)
{
    return (tid_t){ self->driver, sequence };
}

void
fixture_submit_record (fixture_t *self, const record_t *written, const tid_t *pending,
                       size_t count)
{
    bytes_t frame = { 0 };
    frame_reader_t reader;
    record_t record;
    size_t offset = record_begin (&frame, written);
    assert_true (offset != SIZE_MAX);
    assert_int_equal (bytes_append (&frame, written->body, written->body_size), 0);
    record_end_body (&frame, offset);
    for (size_t index = 0; index < count; index++)
        assert_int_equal (record_attach (&frame, offset, pending [index], NULL, 0, true), 0);
    assert_int_equal (record_end (&frame, offset), 0);
    assert_int_equal (frame_open (&reader, frame.data, frame.size), 0);
    assert_int_equal (frame_next (&reader, &record), 1);
    head_submit (self->head, self->now, &record);
    bytes_release (&frame);
    fixture_check (self);
}

record_t
fixture_task (fixture_t *self, uint32_t function, uint64_t sequence)
{
    static const uint8_t body [] = { 0x91, 0x01 };
    return (record_t){ .type = RECORD_TASK,
                       .number = function,
                       .id = fixture_id (self, sequence),
                       .body = body,
                       .body_size = sizeof body };
}

void
fixture_submit (fixture_t *self, uint32_t function, uint64_t sequence)
{
    record_t record = fixture_task (self, function, sequence);
    fixture_submit_record (self, &record, NULL, 0);
}

void
fixture_submit_retrying (fixture_t *self, uint32_t function, uint64_t sequence, uint8_t retries)
{
    record_t record = fixture_task (self, function, sequence);
    record.target = retries;
    fixture_submit_record (self, &record, NULL, 0);
}

void
fixture_submit_deep (fixture_t *self, uint32_t function, uint64_t sequence, uint32_t depth)
{
    record_t record = fixture_task (self, function, sequence);
    record.target = (uint64_t) depth << 32;
    fixture_submit_record (self, &record, NULL, 0);
}

void
fixture_dispatch (fixture_t *self)
{
    head_actions_clear (self->head);
    head_dispatch (self->head, self->now);
    fixture_check (self);
}

size_t
fixture_count (fixture_t *self, head_action_type_t type, process_t peer)
{
    size_t count, found = 0;
    const head_action_t *actions = head_actions (self->head, &count);
    for (size_t index = 0; index < count; index++)
        found += actions [index].type == type && (!peer || actions [index].peer == peer);
    return found;
}

const head_action_t *
fixture_action (fixture_t *self, head_action_type_t type, process_t peer, size_t n)
{
    size_t count;
    const head_action_t *actions = head_actions (self->head, &count);
    for (size_t index = 0; index < count; index++)
        if (actions [index].type == type && (!peer || actions [index].peer == peer) && n-- == 0)
            return &actions [index];
    fail_msg ("an action of type %d is missing", (int) type);
    return NULL;
}

record_t
fixture_sent (fixture_t *self, const head_action_t *action)
{
    record_t record;
    head_task_record (action->task, self->now, &record);
    return record;
}

uint32_t
fixture_lease (fixture_t *self, process_t worker, size_t n, uint64_t *sequence)
{
    record_t record = fixture_sent (self, fixture_action (self, HEAD_DISPATCH, worker, n));
    if (sequence)
        *sequence = record.id.sequence;
    return (uint32_t) record.target;
}

void
fixture_expect_dispatch (fixture_t *self, process_t worker, size_t n, uint64_t sequence)
{
    uint64_t sent;
    fixture_lease (self, worker, n, &sent);
    assert_int_equal (sent, sequence);
}

void
fixture_expect_fault (fixture_t *self, uint64_t sequence, troupe_error_t code, const char *text)
{
    size_t count = fixture_count (self, HEAD_FAULT, 0);
    for (size_t n = 0; n < count; n++) {
        const head_action_t *action = fixture_action (self, HEAD_FAULT, 0, n);
        if (action->id.sequence != sequence)
            continue;
        assert_int_equal (action->code, code);
        assert_int_equal (action->peer, action->id.owner);
        assert_string_equal (action->text, text);
        return;
    }
    fail_msg ("task %d has not failed", (int) sequence);
}

void
fixture_done (fixture_t *self, process_t worker, uint32_t lease, int64_t duration)
{
    uint8_t pair [8];
    store_u32 (pair, lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    head_actions_clear (self->head);
    head_done (self->head, self->now, worker, pair, 1);
    fixture_check (self);
}

void
fixture_returned (fixture_t *self, process_t worker, const uint32_t *leases, size_t count)
{
    uint8_t bytes [64];
    assert_true (count <= 16);
    for (size_t index = 0; index < count; index++)
        store_u32 (bytes + 4 * index, leases [index]);
    head_returned (self->head, self->now, worker, bytes, count);
    fixture_check (self);
}

void
fixture_lost (fixture_t *self, process_t process, const uint32_t *ledger)
{
    head_actions_clear (self->head);
    head_lost (self->head, self->now, process, "killed by signal 9", ledger);
    fixture_check (self);
}

void
fixture_value (fixture_t *self, tid_t id, const char *value)
{
    head_actions_clear (self->head);
    head_value (self->head, id, 0, (const uint8_t *) value, (uint32_t) strlen (value));
    fixture_check (self);
}

void
fixture_spawn_as (fixture_t *self, tid_t id, const char *name, size_t length)
{
    static const uint8_t record [] = "the record of a SPAWN";
    head_spawn_t spawn = { .id = id,
                           .class_name = "kv",
                           .class_length = 2,
                           .name = name,
                           .name_length = length,
                           .record = record,
                           .size = sizeof record };
    head_spawn (self->head, self->now, &spawn);
}

void
fixture_teach (fixture_t *self, process_t worker, uint32_t function, int64_t duration)
{
    fixture_submit (self, function, 900000 + function);
    fixture_dispatch (self);
    assert_int_equal (fixture_count (self, HEAD_DISPATCH, 0), 1);
    fixture_done (self, worker, fixture_lease (self, worker, 0, NULL), duration);
}

void
fixture_submit_waiting (fixture_t *self, uint64_t sequence, const tid_t *pending, size_t count)
{
    record_t record = fixture_task (self, self->alpha, sequence);
    head_actions_clear (self->head);
    fixture_submit_record (self, &record, pending, count);
}

void
fixture_pass (fixture_t *self, int64_t time, process_t heard)
{
    for (int64_t end = self->now + time; self->now < end;) {
        self->now += 100 * CLOCK_MS;
        head_heard (self->head, self->now, self->driver);
        head_heard (self->head, self->now, heard);
        fixture_dispatch (self);
        if (fixture_count (self, HEAD_DROP, 0))
            return;
    }
}
