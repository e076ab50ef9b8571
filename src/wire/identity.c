/*  identity.c - what a process says of itself when it joins                 */

#include "wire/identity.h"

#include "core/value.h"

#include <string.h>

/*  --- writing ----------------------------------------------------------  */

static int
s_put_text (bytes_t *out, const char *text)
{
    return value_put_string (out, text, strlen (text));
}

/*  Keys travel as strings of 32 bytes or none.                             */
static int
s_put_key (bytes_t *out, bool has, const uint8_t *key, size_t size)
{
    return value_put_string (out, (const char *) key, has ? size : 0);
}

int
identity_put (bytes_t *out, const identity_t *self)
{
    return value_put_uint (out, self->role) || s_put_text (out, self->endpoint)
                   || s_put_text (out, self->remote) || s_put_text (out, self->store)
                   || s_put_text (out, self->machine)
                   || s_put_text (out, self->label) || s_put_text (out, self->name)
                   || s_put_text (out, self->resources) || s_put_text (out, self->folder)
                   || s_put_text (out, self->environment) || value_put_uint (out, self->pid)
                   || value_put_uint (out, self->slots) || value_put_uint (out, self->node)
                   || value_put_uint (out, self->job)
                   || s_put_key (out, self->has_key, self->key, KEY_SIZE)
                   || s_put_key (out, self->has_program, self->program, PROGRAM_HASH_SIZE)
               ? -1
               : 0;
}

/*  --- reading ----------------------------------------------------------  */

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t *offset;
    bool wrong;
} source_t;

static void
s_get_text (source_t *from, char *text, size_t room)
{
    msgpack_token_t token;
    text [0] = 0;
    if (from->wrong || token_next (from->data, from->size, from->offset, &token)
        || token.type != TROUPE_STRING || token.size >= room
        || memchr (token.data, 0, token.size)) {
        from->wrong = true;
        return;
    }
    memcpy (text, token.data, token.size);
    text [token.size] = 0;
}

static uint64_t
s_get_number (source_t *from)
{
    msgpack_token_t token;
    if (from->wrong || token_next (from->data, from->size, from->offset, &token)
        || token.type != TROUPE_INTEGER) {
        from->wrong = true;
        return 0;
    }
    return token.number;
}

static bool
s_get_key (source_t *from, uint8_t *key, size_t size)
{
    msgpack_token_t token;
    if (from->wrong || token_next (from->data, from->size, from->offset, &token)
        || token.type != TROUPE_STRING || (token.size && token.size != size)) {
        from->wrong = true;
        return false;
    }
    if (token.size)
        memcpy (key, token.data, size);
    return token.size != 0;
}

int
identity_get (identity_t *self, const uint8_t *data, size_t size, size_t *offset)
{
    source_t from = { .data = data, .size = size, .offset = offset };
    memset (self, 0, sizeof *self);
    uint64_t role = s_get_number (&from);
    s_get_text (&from, self->endpoint, sizeof self->endpoint);
    s_get_text (&from, self->remote, sizeof self->remote);
    s_get_text (&from, self->store, sizeof self->store);
    s_get_text (&from, self->machine, sizeof self->machine);
    s_get_text (&from, self->label, sizeof self->label);
    s_get_text (&from, self->name, sizeof self->name);
    s_get_text (&from, self->resources, sizeof self->resources);
    s_get_text (&from, self->folder, sizeof self->folder);
    s_get_text (&from, self->environment, sizeof self->environment);
    self->pid = s_get_number (&from);
    uint64_t slots = s_get_number (&from);
    self->node = s_get_number (&from);
    uint64_t job = s_get_number (&from);
    self->has_key = s_get_key (&from, self->key, KEY_SIZE);
    self->has_program = s_get_key (&from, self->program, PROGRAM_HASH_SIZE);
    if (role > UINT8_MAX || slots > UINT16_MAX || job > UINT32_MAX)
        return -1;
    self->role = (uint8_t) role;
    self->slots = (unsigned) slots;
    self->job = (uint32_t) job;
    return from.wrong ? -1 : 0;
}
