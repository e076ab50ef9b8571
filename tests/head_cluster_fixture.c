/*  head_cluster_fixture.c - what tests of the head as that of a cluster share */

#include "tests/head_cluster_fixture.h"
#include "tests/head_sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  --- the world --------------------------------------------------------  */

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
    *state = self;
    return 0;
}

int
fixture_teardown (void **state)
{
    fixture_t *self = *state;
    fixture_check (self);
    head_state_destroy (&self->head);
    free (self);
    return 0;
}

uint32_t
fixture_function (fixture_t *self, uint32_t program)
{
    return head_function (self->head, program, "work", 4);
}

static void
s_start_asked (fixture_t *self, const head_action_t *action)
{
    for (uint64_t count = 0; count < action->number; count++) {
        if (self->refusal) {
            head_worker_failed (self->head, self->now, action->peer, action->job,
                                self->refusal);
            continue;
        }
        process_t worker = head_join_worker (self->head, self->now, action->peer,
                                             action->program, action->job, 1, "worker");
        assert_true (worker != 0);
        assert_int_equal (
            head_offer (self->head, worker, fixture_function (self, action->program)), 0);
    }
}

static void
s_note_given (fixture_t *self, const head_action_t *action)
{
    record_t record;
    head_task_record (action->task, self->now, &record);
    assert_true (self->given_count < 4096);
    self->given [self->given_count++]
        = (given_t){ action->peer, (uint32_t) record.target, record.id, false };
}

static void
s_perform_one (fixture_t *self, const head_action_t *action)
{
    assert_true (self->log_count < 4096);
    self->log [self->log_count++] = *action;
    switch (action->type) {
    case HEAD_DISPATCH:
        s_note_given (self, action);
        break;
    case HEAD_FAULT:
        snprintf (self->fault, sizeof self->fault, "%s", action->text);
        self->faulted = action->id;
        self->code = action->code;
        break;
    case HEAD_WAITS:
        snprintf (self->waits, sizeof self->waits, "%s", action->text);
        break;
    case HEAD_DROP:
        head_lost (self->head, self->now, action->peer, action->text, NULL);
        break;
    case HEAD_START_WORKERS:
        if (!self->deaf)
            s_start_asked (self, action);
        break;
    case HEAD_STOP_WORKER:
        if (!self->deaf)
            head_lost (self->head, self->now, action->peer, "stopped", NULL);
        break;
    default:
        break;
    }
}

bool
fixture_perform (fixture_t *self)
{
    size_t count = 0;
    size_t index = 0;
    for (; head_actions (self->head, &count), index < count; index++) {
        head_action_t action = head_actions (self->head, &count) [index];
        s_perform_one (self, &action);
        fixture_check (self);
    }
    head_actions_clear (self->head);
    return index > 0;
}

void
fixture_run (fixture_t *self)
{
    do {
        head_dispatch (self->head, self->now);
        fixture_check (self);
    } while (fixture_perform (self));
}

void
fixture_pass (fixture_t *self, int64_t time, process_t silent)
{
    for (int64_t left = time; left > 0; left -= SECOND / 2) {
        self->now += SECOND / 2;
        for (uint64_t count = 1; count < 200; count++)
            if ((UINT64_C (77) << 32 | count) != silent)
                head_heard (self->head, self->now, UINT64_C (77) << 32 | count);
        fixture_run (self);
    }
}

size_t
fixture_logged (fixture_t *self, head_action_type_t type, process_t peer)
{
    size_t count = 0;
    for (size_t index = 0; index < self->log_count; index++)
        count += self->log [index].type == type && (!peer || self->log [index].peer == peer);
    return count;
}

const head_action_t *
fixture_last (const fixture_t *self, head_action_type_t type, tid_t id)
{
    for (size_t index = self->log_count; index--;)
        if (self->log [index].type == type && tid_equal (self->log [index].id, id))
            return &self->log [index];
    return NULL;
}

void
fixture_forget (fixture_t *self)
{
    self->log_count = 0;
    self->fault [0] = 0;
}

/*  --- shorthands -------------------------------------------------------  */

process_t
fixture_node (fixture_t *self, const char *name, double cpus, double gpus)
{
    resource_t resources []
        = { { "cpus", 4, (int64_t) (cpus * 10000) }, { "gpus", 4, (int64_t) (gpus * 10000) } };
    process_t node = head_join (self->head, self->now, ROLE_NODE, 0, name);
    assert_true (node != 0);
    assert_int_equal (head_node_join (self->head, self->now, node, name, resources, 2), 0);
    return node;
}

process_t
fixture_driver_of (fixture_t *self, uint8_t program, const char *space, int priority,
                   unsigned share)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { program, 1 };
    process_t driver = head_join (self->head, self->now, ROLE_DRIVER, 0, "driver");
    uint32_t number = head_program (self->head, hash);
    assert_true (number
                 && head_job (self->head, driver, number, space, priority, share, false));
    assert_int_equal (head_program_of (self->head, driver), number);
    assert_true (fixture_function (self, number) != 0);
    return driver;
}

process_t
fixture_driver_with (fixture_t *self, uint8_t program, const char *space, int priority)
{
    return fixture_driver_of (self, program, space, priority, 1);
}

process_t
fixture_driver (fixture_t *self)
{
    return fixture_driver_with (self, 1, "", 0);
}

tid_t
fixture_submit_with (fixture_t *self, process_t owner, const options_t *options,
                     uint64_t target)
{
    bytes_t body = { 0 };
    static const uint8_t nothing = 0x90;
    if (options)
        assert_int_equal (options_write (&body, options), 0);
    bytes_append (&body, &nothing, 1);
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = fixture_function (self, head_program_of (self->head, owner)),
                        .target = target,
                        .id = { owner, ++self->sequence },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_submit (self->head, self->now, &record);
    fixture_check (self);
    bytes_release (&body);
    return record.id;
}

void
fixture_submit (fixture_t *self, process_t owner, size_t count)
{
    while (count--)
        fixture_submit_with (self, owner, NULL, 0);
}

options_t
fixture_asking (const char *name, double amount)
{
    return (options_t){ .flags = OPTIONS_RESOURCES,
                        .bundle = BUNDLE_ANY,
                        .count = 1,
                        .resources = { { name, strlen (name), (int64_t) (amount * 10000) } } };
}

given_t *
fixture_given_to (fixture_t *self, tid_t id)
{
    for (size_t index = self->given_count; index--;)
        if (tid_equal (self->given [index].id, id))
            return &self->given [index];
    return NULL;
}

void
fixture_done (fixture_t *self, given_t *given, int64_t duration)
{
    uint8_t pair [8];
    store_u32 (pair, given->lease);
    store_u32 (pair + 4, (uint32_t) (duration / 64));
    given->done = true;
    head_done (self->head, self->now, given->worker, pair, 1);
    fixture_check (self);
}

size_t
fixture_running (fixture_t *self, process_t owner)
{
    size_t count = 0;
    for (size_t index = 0; index < self->given_count; index++)
        count += !self->given [index].done && (!owner || self->given [index].id.owner == owner);
    return count;
}

process_t
fixture_node_of (fixture_t *self, process_t worker)
{
    size_t cursor = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        if (report.process == worker)
            return report.node;
    fail_msg ("no such worker");
    return 0;
}

size_t
fixture_workers_on (fixture_t *self, process_t node)
{
    size_t cursor = 0, count = 0;
    head_worker_report_t report;
    while (head_next_worker (self->head, &cursor, &report))
        count += report.node == node;
    return count;
}

int64_t
fixture_used (fixture_t *self, const char *name)
{
    head_resource_report_t reports [8];
    size_t count = head_resources (self->head, reports, 8);
    for (size_t index = 0; index < count; index++)
        if (strcmp (reports [index].name, name) == 0)
            return reports [index].used;
    return 0;
}

tid_t
fixture_spawn (fixture_t *self, process_t owner, const char *name, const options_t *options)
{
    tid_t id = { owner, ++self->sequence };
    head_spawn_t spawn = { .id = id,
                           .class_name = "kv",
                           .class_length = 2,
                           .name = name,
                           .name_length = strlen (name),
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = options };
    head_spawn (self->head, self->now, &spawn);
    fixture_check (self);
    return id;
}

head_actor_report_t
fixture_actor (fixture_t *self, tid_t id)
{
    size_t cursor = 0;
    head_actor_report_t report;
    while (head_next_actor (self->head, &cursor, &report))
        if (tid_equal (report.id, id))
            return report;
    return (head_actor_report_t){ 0 };
}
