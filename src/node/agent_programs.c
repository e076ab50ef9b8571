/*  agent_programs.c - the node agent: programs that workers are to run, fetched
    from the head                                                            */

#include "node/agent_private.h"

#include <stdio.h>
#include <stdlib.h>

static void
s_ask (agent_t *self, const fetch_t *fetch)
{
    record_t record = { .type = RECORD_FETCH,
                        .id = { self->peer->self, 0 },
                        .target = fetch->offset,
                        .body = fetch->hash,
                        .body_size = PROGRAM_HASH_SIZE };
    agent_send (self, &record);
}

static fetch_t *
s_fetch (agent_t *self, const uint8_t *hash)
{
    for (list_node_t *node = self->fetches.next; node != &self->fetches; node = node->next)
        if (memcmp (container_of (node, fetch_t, node)->hash, hash, PROGRAM_HASH_SIZE) == 0)
            return container_of (node, fetch_t, node);
    return NULL;
}

/*  Reads START: hash, folder, NUL, environment, NUL. NULL: malformed, or no
    memory.                                                                 */
static request_t *
s_read_start (const record_t *record)
{
    if (record->body_size < PROGRAM_HASH_SIZE + 2 || !record->id.sequence
        || record->body [record->body_size - 1])
        return NULL;
    const char *folder = (const char *) record->body + PROGRAM_HASH_SIZE;
    size_t length = strlen (folder);
    request_t *request
        = PROGRAM_HASH_SIZE + length + 2 <= record->body_size ? calloc (1, sizeof *request) : NULL;
    if (!request)
        return NULL;
    memcpy (request->hash, record->body, PROGRAM_HASH_SIZE);
    request->job = record->number;
    request->count = record->id.sequence < WORKERS_MAX ? (unsigned) record->id.sequence
                                                       : WORKERS_MAX;
    snprintf (request->folder, sizeof request->folder, "%s", folder);
    snprintf (request->environment, sizeof request->environment, "%s", folder + length + 1);
    return request;
}

void
agent_on_start (agent_t *self, const record_t *record)
{
    fault_t fault;
    request_t *request = s_read_start (record);
    program_hold_t *hold = request ? program_cache_find (self->programs, request->hash) : NULL;
    if (hold) {
        program_hold_destroy (&hold);
        agent_start_all (self, request);
        free (request);
        return;
    }
    fetch_t *fetch = request ? s_fetch (self, request->hash) : NULL;
    if (request && fetch) {
        list_append (&self->requests, &request->node);
        return;
    }
    fetch = request ? calloc (1, sizeof *fetch) : NULL;
    if (!fetch) {
        free (request);
        fault_set (&fault, TROUPE_ENOMEM, "no memory for a program");
        for (uint64_t left = record->id.sequence; left && left <= WORKERS_MAX; left--)
            agent_send_failure (self, record->number, &fault);
        return;
    }
    memcpy (fetch->hash, request->hash, PROGRAM_HASH_SIZE);
    list_append (&self->requests, &request->node);
    list_append (&self->fetches, &fetch->node);
    s_ask (self, fetch);
}

/*  The program is here, or not to be had.                                  */
static void
s_fetched (agent_t *self, fetch_t *fetch, const fault_t *fault)
{
    uint8_t hash [PROGRAM_HASH_SIZE];
    list_node_t *next;
    memcpy (hash, fetch->hash, sizeof hash);
    list_remove (&fetch->node);
    program_receive_destroy (&fetch->receive);
    free (fetch);
    for (list_node_t *node = self->requests.next; node != &self->requests; node = next) {
        request_t *request = container_of (node, request_t, node);
        next = node->next;
        if (memcmp (request->hash, hash, PROGRAM_HASH_SIZE))
            continue;
        list_remove (node);
        if (!fault)
            agent_start_all (self, request);
        else
            while (request->count--)
                agent_send_failure (self, request->job, fault);
        free (request);
    }
}

void
agent_on_chunk (agent_t *self, const record_t *record)
{
    fault_t fault = { 0 };
    fetch_t *fetch
        = record->body_size >= PROGRAM_HASH_SIZE ? s_fetch (self, record->body) : NULL;
    if (!fetch)
        return;
    const uint8_t *data = record->body + PROGRAM_HASH_SIZE;
    uint32_t size = record->body_size - PROGRAM_HASH_SIZE;
    if (record->flags & RECORD_FAULT)
        fault_set (&fault, TROUPE_ESYSTEM, "the program cannot be had: %.*s", (int) size,
                   (const char *) data);
    else if (record->target != fetch->offset)
        return;
    else if (!fetch->receive) {
        fetch->size = record->id.sequence;
        fetch->receive = program_receive_new (self->programs, fetch->hash, fetch->size, &fault);
    }
    if (!fault.code && !size)
        fault_set (&fault, TROUPE_EPROTOCOL, "the program ends too early");
    if (fault.code || program_receive_write (fetch->receive, fetch->offset, data, size, &fault)) {
        s_fetched (self, fetch, &fault);
        return;
    }
    fetch->offset += size;
    if (fetch->offset < fetch->size)
        s_ask (self, fetch);
    else if (program_receive_commit (&fetch->receive, &fault))
        s_fetched (self, fetch, &fault);
    else
        s_fetched (self, fetch, NULL);
}

void
agent_forget_fetches (agent_t *self)
{
    for (list_node_t *node; (node = list_pop (&self->fetches));) {
        fetch_t *fetch = container_of (node, fetch_t, node);
        program_receive_destroy (&fetch->receive);
        free (fetch);
    }
    for (list_node_t *node; (node = list_pop (&self->requests));)
        free (container_of (node, request_t, node));
}
