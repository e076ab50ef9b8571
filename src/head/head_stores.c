/*  head_stores.c - the head's shell: what object stores have                */

#include "head/head_shell.h"

#include <stdio.h>
#include <time.h>

void
head_store_report (peer_t *peer, const record_t *record)
{
    if (!value_check (record->body, record->body_size, true))
        return;
    bytes_clear (&peer->store);
    bytes_append (&peer->store, record->body, record->body_size);
}

/*  --- reading ----------------------------------------------------------  */

/*  Of a report, which has passed value_check; what is malformed reads as 0. */
typedef struct {
    const bytes_t *from;
    size_t offset;
} source_t;

static msgpack_token_t
s_next (source_t *self)
{
    msgpack_token_t token = { .type = TROUPE_NIL };
    token_next (self->from->data, self->from->size, &self->offset, &token);
    return token;
}

static uint64_t
s_next_number (source_t *self)
{
    msgpack_token_t token = s_next (self);
    return token.type == TROUPE_INTEGER ? token.number : 0;
}

static size_t
s_next_list (source_t *self)
{
    msgpack_token_t token = s_next (self);
    return token.type == TROUPE_LIST ? token.count : 0;
}

/*  --- writing ----------------------------------------------------------  */

static void
s_text (bytes_t *out, const char *field, const char *text, size_t length)
{
    value_put_string (out, field, strlen (field));
    value_put_string (out, text, length);
}

static void
s_number (bytes_t *out, const char *field, uint64_t number)
{
    value_put_string (out, field, strlen (field));
    value_put_uint (out, number);
}

static const char *
s_name (const peer_t *peer)
{
    return peer->identity.role == ROLE_NODE ? peer->identity.name : peer->identity.label;
}

/*  A node by its name, others by their labels, who has gone by its number,
    nobody by nothing.                                                      */
static void
s_process (head_t *self, bytes_t *out, process_t process)
{
    char number [32];
    const peer_t *peer = head_shell_peer (self, process);
    snprintf (number, sizeof number, "%u (ended)", (unsigned) (process & UINT32_MAX));
    const char *text = peer ? s_name (peer) : process ? number : "";
    value_put_string (out, text, strlen (text));
}

size_t
head_put_stores (head_t *self, const char *key, bytes_t *out)
{
    static const char *const fields [] = { "memory", "used", "pinned", "spilled", "objects",
                                           "copies", "clients", "waiting", "sent", "received",
                                           "spills", "restores", "repeated" };
    enum { FIELDS = sizeof fields / sizeof *fields };
    size_t count = 0, cursor = 0;
    for (const peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        source_t from = { &peer->store, 0 };
        bool node = peer->identity.role == ROLE_NODE;
        if (*key && strcmp (key, s_name (peer)))
            continue;
        if (s_next_list (&from) != 2 || s_next_list (&from) != FIELDS)
            continue;
        value_put_map (out, 2 + FIELDS);
        value_put_string (out, "store", 5);
        s_process (self, out, peer->process);
        s_text (out, "kind", node ? "node" : "driver", node ? 4 : 6);
        for (size_t index = 0; index < FIELDS; index++)
            s_number (out, fields [index], s_next_number (&from));
        count++;
    }
    return count;
}

static bool
s_put_object (head_t *self, const char *key, process_t host, source_t *from, bytes_t *out)
{
    char id [48];
    size_t whole = s_next_list (from), start = out->size;
    uint64_t home = s_next_number (from), number = s_next_number (from);
    snprintf (id, sizeof id, "%u.%llu", (unsigned) (home & UINT32_MAX),
              (unsigned long long) number);
    value_put_map (out, 9);
    s_text (out, "id", id, strlen (id));
    s_number (out, "size", s_next_number (from));
    bool copy = s_next_number (from);
    s_text (out, "kind", copy ? "copy" : "home", 4);
    msgpack_token_t state = s_next (from);
    s_text (out, "state", (const char *) state.data, state.type == TROUPE_STRING ? state.size : 0);
    value_put_string (out, "store", 5);
    s_process (self, out, host);
    value_put_string (out, "creator", 7);
    s_process (self, out, s_next_number (from));
    s_number (out, "pins", s_next_number (from));
    uint64_t made = s_next_number (from), now = (uint64_t) time (NULL);
    s_number (out, "age_s", now > made ? now - made : 0);
    value_put_string (out, "holders", 7);
    size_t holders = s_next_list (from);
    value_put_array (out, holders);
    for (size_t index = 0; index < holders; index++)
        s_process (self, out, s_next_number (from));
    if (whole == 9 && (!*key || strcmp (key, id) == 0))
        return true;
    bytes_truncate (out, start);
    return false;
}

size_t
head_put_objects (head_t *self, const char *key, bytes_t *out)
{
    size_t count = 0, cursor = 0;
    for (const peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        source_t from = { &peer->store, 0 };
        if (s_next_list (&from) != 2 || value_skip (peer->store.data, peer->store.size, &from.offset))
            continue;
        for (size_t left = s_next_list (&from); left; left--)
            count += s_put_object (self, key, peer->process, &from, out);
    }
    return count;
}
