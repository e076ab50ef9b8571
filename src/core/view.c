/*  view.c - walking values in place                                        */

#include "core/value.h"

/*  The view of the value at *offset, with a future in its place resolved.  */
static int
s_view (const uint8_t *data, size_t size, size_t *offset, const void *reader,
        troupe_view_t *view, fault_t *fault)
{
    return value_read (data, size, offset, (troupe_out_t){ TROUPE_OUT_VIEW, view }, reader,
                       fault);
}

/*  The first token of the value, and the value itself if the view was of a
    future or an object; of a raw object one without its content. *offset is
    behind the token.                                                       */
static int
s_open (troupe_view_t *view, size_t *offset, msgpack_token_t *token, fault_t *fault)
{
    object_reference_t object;
    *offset = 0;
    if (token_next (view->data, view->size, offset, token))
        return fault_set (fault, TROUPE_EPROTOCOL, "malformed value");
    bool reference = token->type == TROUPE_FUTURE && !token->handle;
    bool raw = token_object (token, &object) == 0 && object.kind != OBJECT_VALUE;
    if (raw) {
        token_of_object (token, &object, NULL);
        return 0;
    }
    if (!reference && token->type != TOKEN_OBJECT)
        return 0;
    *offset = 0;
    if (s_view (view->data, view->size, offset, view->reader, view, fault))
        return -1;
    *offset = 0;
    if (token_next (view->data, view->size, offset, token))
        return fault_set (fault, TROUPE_EPROTOCOL, "malformed value");
    if (token_object (token, &object) == 0)
        token_of_object (token, &object, NULL);
    return 0;
}

troupe_type_t
troupe_view_type (troupe_view_t view)
{
    size_t offset;
    msgpack_token_t token;
    fault_t fault;
    if (s_open (&view, &offset, &token, &fault)) {
        fault_note (&fault);
        return TROUPE_NIL;
    }
    return token.type;
}

size_t
troupe_view_count (troupe_view_t view)
{
    size_t offset;
    msgpack_token_t token;
    fault_t fault;
    if (s_open (&view, &offset, &token, &fault)) {
        fault_note (&fault);
        return 0;
    }
    return token.count;
}

int
troupe_view_enter (troupe_view_t list, troupe_view_t *inside)
{
    size_t offset;
    msgpack_token_t token;
    fault_t fault;
    if (s_open (&list, &offset, &token, &fault))
        return fault_note (&fault);
    if (token.type != TROUPE_LIST && token.type != TROUPE_MAP)
        return fault_raise (TROUPE_ETYPE, "wanted list or map, got %s",
                            value_type_name (token.type));
    *inside = (troupe_view_t){ (const uint8_t *) list.data + offset, list.size - offset,
                               list.reader };
    return 0;
}

int
troupe_view_next (troupe_view_t *inside, troupe_view_t *value)
{
    if (inside->size == 0)
        return 0;
    const uint8_t *data = inside->data;
    size_t size = inside->size;
    size_t offset = 0;
    fault_t fault;
    if (s_view (data, size, &offset, inside->reader, value, &fault))
        return fault_note (&fault);
    inside->data = data + offset;
    inside->size = size - offset;
    return 1;
}

/*  True if the key at *offset is the one looked for; moves past it.        */
static int
s_key (const troupe_view_t *map, size_t *offset, const char *key, size_t length, bool *found)
{
    size_t start = *offset;
    msgpack_token_t token;
    if (value_skip (map->data, map->size, offset)
        || token_next (map->data, map->size, &start, &token))
        return -1;
    *found = token.type == TROUPE_STRING && token.size == length
             && memcmp (token.data, key, length) == 0;
    return 0;
}

int
troupe_view_field (troupe_view_t map, const char *key, troupe_view_t *value)
{
    size_t offset;
    msgpack_token_t token;
    fault_t fault;
    if (!key)
        return fault_raise (TROUPE_EINVAL, "the key is NULL");
    if (s_open (&map, &offset, &token, &fault))
        return fault_note (&fault);
    if (token.type != TROUPE_MAP)
        return fault_raise (TROUPE_ETYPE, "wanted map, got %s", value_type_name (token.type));

    size_t length = strlen (key);
    size_t last = 0;
    for (size_t index = 0; index < token.count; index++) {
        bool found;
        if (s_key (&map, &offset, key, length, &found))
            return fault_raise (TROUPE_EPROTOCOL, "malformed value");
        if (found)
            last = offset;
        if (value_skip (map.data, map.size, &offset))
            return fault_raise (TROUPE_EPROTOCOL, "malformed value");
    }
    if (last == 0)
        return fault_raise (TROUPE_ENAME, "there is no key \"%s\"", key);
    return s_view (map.data, map.size, &last, map.reader, value, &fault) ? fault_note (&fault)
                                                                         : 0;
}

int
troupe_view_read (troupe_view_t view, troupe_out_t out)
{
    size_t offset = 0;
    fault_t fault;
    if (value_read (view.data, view.size, &offset, out, view.reader, &fault))
        return fault_note (&fault);
    return 0;
}
