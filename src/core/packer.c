/*  packer.c - making values of any shape                                   */

#include "core/value.h"

#include <stdlib.h>

/*  The list of arguments around the value is one level more.               */
#define PACKER_DEPTH (VALUE_DEPTH_MAX - 1)

/*  pending counts, for each list and map that is open, the values that are
    still to come in it.                                                    */
struct troupe_packer {
    bytes_t bytes;
    fault_t fault;
    size_t depth;
    uint64_t pending [PACKER_DEPTH];
};

troupe_packer_t *
troupe_packer_new (void)
{
    troupe_packer_t *self = calloc (1, sizeof *self);
    if (!self)
        fault_raise (TROUPE_ENOMEM, "no memory for a packer");
    return self;
}

void
troupe_packer_destroy (troupe_packer_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    bytes_release (&(*self_p)->bytes);
    free (*self_p);
    *self_p = NULL;
}

/*  Sees whether one more value has its place.                              */
static int
s_ready (troupe_packer_t *self)
{
    if (!self)
        return fault_raise (TROUPE_EINVAL, "the packer is NULL");
    if (self->fault.code == TROUPE_OK && self->depth == 0 && self->bytes.size)
        fault_set (&self->fault, TROUPE_EINVAL, "the packer holds a whole value already");
    return self->fault.code == TROUPE_OK ? 0 : fault_note (&self->fault);
}

/*  Counts the value that was just appended.                                */
static void
s_added (troupe_packer_t *self)
{
    if (self->depth)
        self->pending [self->depth - 1]--;
}

static void
s_leave (troupe_packer_t *self)
{
    while (self->depth && self->pending [self->depth - 1] == 0)
        self->depth--;
}

static int
s_begin (troupe_packer_t *self, size_t count, bool map)
{
    if (s_ready (self))
        return -1;
    if (count > UINT32_MAX)
        fault_set (&self->fault, TROUPE_ESIZE, "value too large: %zu %s", count,
                   map ? "pairs" : "elements");
    else if (self->depth == PACKER_DEPTH)
        fault_set (&self->fault, TROUPE_ELIMIT, "more than %d lists and maps in one another",
                   PACKER_DEPTH);
    else if (map ? value_put_map (&self->bytes, count) : value_put_array (&self->bytes, count))
        fault_set (&self->fault, TROUPE_ENOMEM, "no memory for the value");
    if (self->fault.code)
        return fault_note (&self->fault);
    s_added (self);
    self->pending [self->depth++] = map ? 2 * (uint64_t) count : count;
    s_leave (self);
    return 0;
}

int
troupe_pack_list (troupe_packer_t *self, size_t count)
{
    return s_begin (self, count, false);
}

int
troupe_pack_map (troupe_packer_t *self, size_t count)
{
    return s_begin (self, count, true);
}

int
troupe_pack_arg (troupe_packer_t *self, troupe_arg_t value)
{
    if (s_ready (self))
        return -1;
    if (value_write (&self->bytes, &value, NULL, &self->fault))
        return fault_note (&self->fault);
    s_added (self);
    s_leave (self);
    return 0;
}

static troupe_arg_t
s_error (troupe_error_t code, const char *text)
{
    return troupe_arg_pointer_ (TROUPE_ARG_ERROR, text, (size_t) code);
}

troupe_arg_t
troupe_packed (troupe_packer_t *self)
{
    if (!self)
        return s_error (TROUPE_EINVAL, "the packer is NULL");
    if (self->fault.code)
        return s_error (self->fault.code, self->fault.text);
    if (self->bytes.size == 0)
        return s_error (TROUPE_EINVAL, "the packer is empty");
    if (self->depth)
        return s_error (TROUPE_EINVAL, "the packed value lacks something that it announced");
    return troupe_arg_pointer_ (TROUPE_ARG_VALUE, self->bytes.data, self->bytes.size);
}

troupe_arg_t
troupe_arg_string (const char *value)
{
    if (!value)
        return troupe_nil ();
    return troupe_arg_pointer_ (TROUPE_ARG_STRING, value, strlen (value));
}
