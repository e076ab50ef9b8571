/*  value_fixture.c - writes and reads values; futures are numbers of a table  */

#include "tests/value_fixture.h"

#include <stdlib.h>

static int s_things [8];

static int
s_put_future (void *context, bytes_t *out, troupe_future_t *future, bool handle, fault_t *fault)
{
    (void) context;
    size_t number = (size_t) ((int *) (void *) future - s_things);
    if (number == 7)
        return fault_set (fault, TROUPE_ELIMIT, "seven is too many");
    return value_put_reference (out, (tid_t){ 1, number }, handle);
}

static int
s_put_actor (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault)
{
    (void) context;
    (void) fault;
    size_t number = (size_t) ((int *) (void *) actor - s_things);
    actor_reference_t reference = { { 9, number }, 8, 7, 6, "counter", 7 };
    return value_put_actor (out, &reference);
}

static const uint8_t *
s_resolve (void *context, tid_t id, size_t *size, fault_t *fault)
{
    world_t *world = context;
    bytes_t *block = id.sequence < 8 ? &world->blocks [id.sequence] : NULL;
    if (!block || !block->size) {
        fault_set (fault, TROUPE_ELOST, "future %u is gone", (unsigned) id.sequence);
        return NULL;
    }
    *size = block->size;
    return block->data;
}

static bool
s_one_more (world_t *world, fault_t *fault)
{
    if (world->handles < world->allowed) {
        world->handles++;
        return true;
    }
    fault_set (fault, TROUPE_ENOMEM, "no more handles");
    return false;
}

static troupe_future_t *
s_get_future (void *context, tid_t id, fault_t *fault)
{
    return s_one_more (context, fault)
               ? (troupe_future_t *) (void *) &s_things [id.sequence % 8]
               : NULL;
}

static troupe_actor_t *
s_get_actor (void *context, const actor_reference_t *actor, fault_t *fault)
{
    return s_one_more (context, fault)
               ? (troupe_actor_t *) (void *) &s_things [actor->id.sequence % 8]
               : NULL;
}

const value_writer_t value_fixture_writer = { .future = s_put_future, .actor = s_put_actor };

int
value_fixture_setup (void **state)
{
    fixture_t *self = calloc (1, sizeof *self);
    if (!self)
        return -1;
    self->world.allowed = 100;
    self->reader = (value_reader_t){ &self->world, &self->arena, s_resolve,
                                     NULL,         s_get_future, s_get_actor };
    *state = self;
    return 0;
}

int
value_fixture_teardown (void **state)
{
    fixture_t *self = *state;
    for (size_t index = 0; index < 8; index++)
        bytes_release (&self->world.blocks [index]);
    bytes_release (&self->bytes);
    arena_release (&self->arena);
    free (self);
    return 0;
}

troupe_future_t *
named_future (size_t number)
{
    return (troupe_future_t *) (void *) &s_things [number];
}

troupe_actor_t *
named_actor (size_t number)
{
    return (troupe_actor_t *) (void *) &s_things [number];
}

void
encode (fixture_t *self, troupe_arg_t arg)
{
    bytes_clear (&self->bytes);
    assert_int_equal (value_write (&self->bytes, &arg, &value_fixture_writer, &self->fault), 0);
    assert_int_equal (value_check (self->bytes.data, self->bytes.size, true), self->bytes.size);
}

int
decode (fixture_t *self, troupe_out_t out)
{
    size_t offset = 0;
    int rc = value_read (self->bytes.data, self->bytes.size, &offset, out, &self->reader,
                         &self->fault);
    assert_int_equal (offset, rc ? 0 : self->bytes.size);
    return rc;
}

void
assert_fault (const fixture_t *self, troupe_error_t code, const char *text)
{
    assert_string_equal (self->fault.text, text);
    assert_int_equal (self->fault.code, code);
}

void
stand_for (fixture_t *self, size_t number, troupe_arg_t arg)
{
    bytes_clear (&self->world.blocks [number]);
    assert_int_equal (
        value_write (&self->world.blocks [number], &arg, &value_fixture_writer, &self->fault),
        0);
}
