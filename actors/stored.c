/*  stored.c - a value that an actor keeps

    A value may have been encoded by anyone, in more than one way. To be
    comparable it is packed anew, from what it holds.                        */

#include "actors/stored.h"

#include <stdlib.h>
#include <string.h>

static int s_pack (troupe_packer_t *packer, troupe_view_t view);

/*  Packs numbers of the type that they have.                               */
static int
s_pack_numbers (troupe_packer_t *packer, troupe_view_t view)
{
    troupe_int64s_t int64s;
    troupe_doubles_t doubles;
    troupe_int32s_t int32s;
    troupe_floats_t floats;
    if (troupe_read (view, &int64s) == 0)
        return troupe_pack (packer, int64s);
    if (troupe_read (view, &doubles) == 0)
        return troupe_pack (packer, doubles);
    if (troupe_read (view, &int32s) == 0)
        return troupe_pack (packer, int32s);
    if (troupe_read (view, &floats) == 0)
        return troupe_pack (packer, floats);
    return -1;
}

static int
s_pack_integer (troupe_packer_t *packer, troupe_view_t view)
{
    int64_t number;
    uint64_t large;
    if (troupe_read (view, &number) == 0)
        return troupe_pack (packer, number);
    return troupe_read (view, &large) ? -1 : troupe_pack (packer, large);
}

/*  Packs a list or a map; their nesting was limited when they arrived.     */
static int
s_pack_inside (troupe_packer_t *packer, troupe_view_t view)
{
    size_t count = troupe_view_count (view);
    bool map = troupe_view_type (view) == TROUPE_MAP;
    troupe_view_t inside, value;
    int more;
    if (map ? troupe_pack_map (packer, count) : troupe_pack_list (packer, count))
        return -1;
    if (troupe_view_enter (view, &inside) < 0)
        return -1;
    while ((more = troupe_view_next (&inside, &value)) == 1)
        if (s_pack (packer, value))
            return -1;
    return more;
}

static int
s_pack_plain (troupe_packer_t *packer, troupe_view_t view)
{
    bool truth;
    double real;
    const char *string;
    troupe_bytes_t bytes;
    switch (troupe_view_type (view)) {
    case TROUPE_BOOL:
        return troupe_read (view, &truth) ? -1 : troupe_pack (packer, truth);
    case TROUPE_REAL:
        return troupe_read (view, &real) ? -1 : troupe_pack (packer, real);
    case TROUPE_STRING:
        return troupe_read (view, &string) ? -1 : troupe_pack (packer, string);
    case TROUPE_BYTES:
        return troupe_read (view, &bytes) ? -1 : troupe_pack (packer, bytes);
    default:
        return troupe_pack (packer, troupe_nil ());
    }
}

static int
s_pack (troupe_packer_t *packer, troupe_view_t view)
{
    switch (troupe_view_type (view)) {
    case TROUPE_LIST:
    case TROUPE_MAP:
        return s_pack_inside (packer, view);
    case TROUPE_NUMBERS:
        return s_pack_numbers (packer, view);
    case TROUPE_INTEGER:
        return s_pack_integer (packer, view);
    case TROUPE_FUTURE:
    case TROUPE_ACTOR:
        return -1;
    default:
        return s_pack_plain (packer, view);
    }
}

int
stored_copy (troupe_call_t *call, troupe_view_t view, stored_t *stored)
{
    *stored = (stored_t){ NULL, 0 };
    troupe_packer_t *packer = troupe_packer_new ();
    if (!packer)
        return troupe_fail (call, "out of memory");
    troupe_arg_t packed = { TROUPE_ARG_ERROR, 0, { false } };
    if (s_pack (packer, view) == 0)
        packed = troupe_packed (packer);
    bool good = packed.type == TROUPE_ARG_VALUE;
    if (good && (stored->data = malloc (packed.count + 1)) != NULL) {
        memcpy (stored->data, packed.as.pointer, packed.count);
        stored->size = packed.count;
    }
    troupe_packer_destroy (&packer);
    if (!good)
        return troupe_fail (call, "this value cannot be stored: %s", troupe_error ());
    return stored->data ? 0 : troupe_fail (call, "out of memory");
}

troupe_arg_t
stored_arg (const stored_t *stored)
{
    if (!stored->data)
        return troupe_nil ();
    return troupe_arg_pointer_ (TROUPE_ARG_VALUE, stored->data, stored->size);
}

bool
stored_same (const stored_t *a, const stored_t *b)
{
    return a->size == b->size && (a->size == 0 || memcmp (a->data, b->data, a->size) == 0);
}

void
stored_release (stored_t *stored)
{
    free (stored->data);
    *stored = (stored_t){ NULL, 0 };
}
