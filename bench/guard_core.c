/*  guard_core.c - the pure parts of a task's way, for counting instructions

    Usage: guard_core PART COUNT

    Does the part's work COUNT times in one thread, without a socket, a clock
    or a random number, so that its instruction count repeats. bench/guard
    runs it under valgrind.                                                 */

#include "core/clock.h"
#include "core/table.h"
#include "core/value.h"
#include "head/head_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*  As many tasks under way as in the pipelined programs.                   */
#define BATCH 500

#define FUNCTION "noop"

/*  Tables take their seeds from here, instead of from libc: where an entry
    goes, and so how long it is looked for, must not change.                */
ssize_t
getrandom (void *place, size_t size, unsigned flags)
{
    uint64_t state = 1;
    uint8_t *bytes = place;
    (void) flags;
    for (size_t index = 0; index < size; index++) {
        state = state * UINT64_C (6364136223846793005) + 1442695040888963407;
        bytes [index] = (uint8_t) (state >> 56);
    }
    return (ssize_t) size;
}

static int
s_fail (const char *what)
{
    fprintf (stderr, "guard_core: %s\n", what);
    return -1;
}

/* ------------------------------------------------------------------------
   The head: submitted, leased, sent, done                                  */

typedef struct {
    head_state_t *state;
    int64_t now;
    process_t driver;
    process_t worker;
    uint32_t function;
    uint64_t sequence;
    bytes_t done; /*  pairs of lease and duration             */
} desk_t;

static int
s_desk_open (desk_t *self)
{
    self->now = 3600 * 1000 * CLOCK_MS;
    self->state = head_state_new (1);
    if (!self->state)
        return s_fail ("no memory");
    self->driver = head_join (self->state, self->now, ROLE_DRIVER, 0, "driver");
    self->worker = head_join (self->state, self->now, ROLE_WORKER, 1, "worker");
    self->function = head_function (self->state, 0, FUNCTION, strlen (FUNCTION));
    if (!self->driver || !self->worker || !self->function
        || head_offer (self->state, self->worker, self->function))
        return s_fail ("no memory");
    return 0;
}

static void
s_submit (desk_t *self, size_t count)
{
    static const uint8_t nothing = 0x90;
    record_t record = { .type = RECORD_TASK,
                        .number = self->function,
                        .body = &nothing,
                        .body_size = sizeof nothing };
    for (size_t index = 0; index < count; index++) {
        record.id = (tid_t){ self->driver, ++self->sequence };
        head_submit (self->state, self->now, &record);
    }
}

/*  Gives out what can be given out and reports all of it as done. Returns
    how many tasks that were.                                               */
static size_t
s_turn (desk_t *self)
{
    size_t count, tasks = 0;
    head_dispatch (self->state, self->now);
    const head_action_t *actions = head_actions (self->state, &count);
    bytes_clear (&self->done);
    for (size_t index = 0; index < count; index++) {
        record_t record;
        if (actions [index].type != HEAD_DISPATCH)
            continue;
        head_task_record (actions [index].task, self->now, &record);
        uint8_t *pair = bytes_extend (&self->done, 8);
        if (!pair)
            return 0;
        store_u32 (pair, (uint32_t) record.target);
        store_u32 (pair + 4, 1);
        tasks++;
    }
    head_actions_clear (self->state);
    self->now += CLOCK_US;
    head_done (self->state, self->now, self->worker, self->done.data, tasks);
    return tasks;
}

static int
s_head (size_t count, size_t batch)
{
    desk_t desk = { 0 };
    int rc = s_desk_open (&desk);
    for (size_t done = 0; rc == 0 && done < count;) {
        size_t part = count - done < batch ? count - done : batch;
        s_submit (&desk, part);
        for (size_t left = part; rc == 0 && left;) {
            size_t tasks = s_turn (&desk);
            if (tasks == 0 || tasks > left)
                rc = s_fail ("the head gave out no task, or one twice");
            left -= rc ? 0 : tasks;
        }
        done += part;
    }
    if (rc == 0 && head_counts (desk.state).tasks)
        rc = s_fail ("the head has tasks left");
    bytes_release (&desk.done);
    if (desk.state)
        head_state_destroy (&desk.state);
    return rc;
}

static int
s_head_single (size_t count)
{
    return s_head (count, 1);
}

static int
s_head_batch (size_t count)
{
    return s_head (count, BATCH);
}

/* ------------------------------------------------------------------------
   Messages and values                                                      */

/*  Arguments as a program may have them: a number, a text, some numbers.   */
static int
s_write_arguments (bytes_t *out)
{
    static const double numbers [4] = { 1, 2, 3, 4 };
    troupe_arg_t arguments [3] = { { .type = TROUPE_ARG_INTEGER, .as.integer = 123456 },
                                   { .type = TROUPE_ARG_STRING, .as.pointer = "the text" },
                                   { .type = TROUPE_ARG_DOUBLES, .count = 4 } };
    static const value_writer_t writer = { 0 };
    fault_t fault;
    arguments [2].as.pointer = numbers;
    return value_write_args (out, arguments, 3, &writer, &fault);
}

/*  Reads a frame as whoever receives it does. Returns how many records with
    a value are in it.                                                      */
static size_t
s_read_frame (const bytes_t *frame)
{
    frame_reader_t reader;
    record_t record;
    size_t values = 0;
    if (frame_open (&reader, frame->data, frame->size))
        return 0;
    while (frame_next (&reader, &record) == 1)
        values += value_check (record.body, record.body_size, false) > 0;
    return values;
}

typedef int write_record_t (bytes_t *frame, uint64_t sequence);

/*  Writes and reads frames of BATCH records.                               */
static int
s_records (size_t count, write_record_t *write)
{
    bytes_t frame = { 0 };
    int rc = 0;
    for (size_t done = 0; rc == 0 && done < count; done += BATCH) {
        bytes_clear (&frame);
        for (size_t index = 0; rc == 0 && index < BATCH; index++)
            rc = write (&frame, done + index);
        rc = rc || s_read_frame (&frame) != BATCH;
    }
    bytes_release (&frame);
    return rc ? s_fail ("a frame was not read as it was written") : 0;
}

static int
s_write_task (bytes_t *frame, uint64_t sequence)
{
    const record_t record
        = { .type = RECORD_TASK, .number = 1, .target = 1, .id = { 1, sequence } };
    size_t offset = record_begin (frame, &record);
    if (offset == SIZE_MAX || s_write_arguments (frame))
        return -1;
    record_end_body (frame, offset);
    return record_end (frame, offset);
}

static int
s_task_record (size_t count)
{
    return s_records (count, s_write_task);
}

static int
s_write_result (bytes_t *frame, uint64_t sequence)
{
    static const uint8_t nil = 0xc0;
    return record_write (frame, &(record_t){ .type = RECORD_RESULT,
                                             .id = { 1, sequence },
                                             .body = &nil,
                                             .body_size = sizeof nil });
}

static int
s_result_record (size_t count)
{
    return s_records (count, s_write_result);
}

static int
s_value_check (size_t count)
{
    bytes_t value = { 0 };
    int rc = s_write_arguments (&value);
    for (size_t done = 0; rc == 0 && done < count; done++)
        if (value_check (value.data, value.size, true) != value.size)
            rc = -1;
    bytes_release (&value);
    return rc ? s_fail ("a value was not found to be right") : 0;
}

/* ------------------------------------------------------------------------
   Tables                                                                   */

/*  Keys come and go in order, BATCH of them at once, as futures do.        */
static int
s_table (size_t count)
{
    id_table_t table = { 0 };
    int rc = 0;
    for (size_t index = 0; rc == 0 && index < count + BATCH; index++) {
        if (index < count)
            rc = id_table_put (&table, (tid_t){ 1, index }, &table);
        if (index >= BATCH) {
            tid_t old = { 1, index - BATCH };
            rc = rc || !id_table_get (&table, old) || !id_table_remove (&table, old);
        }
    }
    rc = rc || table.count;
    id_table_release (&table);
    return rc ? s_fail ("the table lost a key") : 0;
}

/* ------------------------------------------------------------------------
   The parts                                                                */

static const struct {
    const char *name;
    int (*run) (size_t count);
} s_parts [] = { { "head_single", s_head_single }, { "head_batch", s_head_batch },
                 { "task_record", s_task_record }, { "result_record", s_result_record },
                 { "value_check", s_value_check }, { "table", s_table } };

int
main (int argc, char *argv [])
{
    size_t count = argc == 3 ? strtoul (argv [2], NULL, 10) : 0;
    for (size_t index = 0; count && index < sizeof s_parts / sizeof *s_parts; index++)
        if (strcmp (argv [1], s_parts [index].name) == 0)
            return s_parts [index].run (count) ? 1 : 0;
    fputs (
        "usage: guard_core head_single|head_batch|task_record|result_record|value_check|table"
        " COUNT\n",
        stderr);
    return 2;
}
