/*  head_programs.c - the head's shell: programs travel from drivers to nodes

    A driver's program is asked for once, piece by piece, and kept in the
    head's cache; nodes that are told to start its workers ask for it here. */

#include "head/head_shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_SIZE ((uint32_t) 256 << 10)

/*  --- from drivers -----------------------------------------------------  */

static upload_t *
s_upload (head_t *self, const uint8_t *hash)
{
    for (list_node_t *node = self->uploads.next; node != &self->uploads; node = node->next) {
        upload_t *upload = container_of (node, upload_t, node);
        if (memcmp (upload->hash, hash, PROGRAM_HASH_SIZE) == 0)
            return upload;
    }
    return NULL;
}

/*  FETCH: body: hash; target: offset. CHUNK: body: hash, bytes; target:
    offset; sequence: size of the whole, 0 with the text of a failure.      */
static void
s_ask (head_t *self, const upload_t *upload)
{
    record_t fetch = { .type = RECORD_FETCH,
                       .target = upload->offset,
                       .number = CHUNK_SIZE,
                       .body = upload->hash,
                       .body_size = PROGRAM_HASH_SIZE };
    head_send (self, head_shell_peer (self, upload->source), &fetch);
}

static void
s_upload_destroy (upload_t *upload)
{
    list_remove (&upload->node);
    program_receive_destroy (&upload->receive);
    free (upload);
}

void
head_want_program (head_t *self, peer_t *driver)
{
    const uint8_t *hash = driver->identity.program;
    if (!self->programs || s_upload (self, hash))
        return;
    program_hold_t *hold = program_cache_find (self->programs, hash);
    if (hold) {
        program_hold_destroy (&hold);
        return;
    }
    upload_t *upload = calloc (1, sizeof *upload);
    if (!upload)
        return;
    memcpy (upload->hash, hash, PROGRAM_HASH_SIZE);
    upload->source = driver->process;
    list_append (&self->uploads, &upload->node);
    s_ask (self, upload);
}

/*  --- to nodes ---------------------------------------------------------  */

static void
s_refuse (head_t *self, peer_t *node, const uint8_t *hash, const char *why)
{
    bytes_t body = { 0 };
    bytes_append (&body, hash, PROGRAM_HASH_SIZE);
    bytes_append (&body, why, strlen (why));
    record_t chunk = { .type = RECORD_CHUNK,
                       .flags = RECORD_FAULT,
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    if (!body.failed)
        head_send (self, node, &chunk);
    bytes_release (&body);
}

static void
s_send_piece (head_t *self, peer_t *node, const uint8_t *hash, program_hold_t *hold,
              uint64_t offset)
{
    fault_t fault;
    bytes_t body = { 0 };
    int fd = program_open (program_hold_path (hold), &fault);
    bytes_append (&body, hash, PROGRAM_HASH_SIZE);
    uint8_t *place = bytes_extend (&body, CHUNK_SIZE);
    ssize_t got = fd >= 0 && place ? pread (fd, place, CHUNK_SIZE, (off_t) offset) : -1;
    off_t size = fd >= 0 ? lseek (fd, 0, SEEK_END) : 0;
    if (got < 0)
        s_refuse (self, node, hash, "the head cannot read it");
    else {
        record_t chunk = { .type = RECORD_CHUNK,
                           .id = { 0, (uint64_t) size },
                           .target = offset,
                           .body = body.data,
                           .body_size = PROGRAM_HASH_SIZE + (uint32_t) got };
        head_send (self, node, &chunk);
    }
    if (fd >= 0)
        close (fd);
    bytes_release (&body);
}

static bool
s_is_noted (const head_t *self, process_t process, const uint8_t *hash)
{
    const list_t *all = &self->downloads;
    for (const list_node_t *at = all->next; at != all; at = at->next) {
        const download_t *download = container_of (at, download_t, node);
        if (download->process == process && !memcmp (download->hash, hash, PROGRAM_HASH_SIZE))
            return true;
    }
    return false;
}

void
head_fetch (head_t *self, peer_t *node, const record_t *record)
{
    if (record->body_size != PROGRAM_HASH_SIZE || !self->programs)
        return;
    program_hold_t *hold = program_cache_find (self->programs, record->body);
    if (hold) {
        s_send_piece (self, node, record->body, hold, record->target);
        program_hold_destroy (&hold);
        return;
    }
    if (s_is_noted (self, node->process, record->body))
        return;
    download_t *download = s_upload (self, record->body) ? calloc (1, sizeof *download) : NULL;
    if (!download) {
        s_refuse (self, node, record->body, "the head does not have it");
        return;
    }
    memcpy (download->hash, record->body, PROGRAM_HASH_SIZE);
    download->process = node->process;
    list_append (&self->downloads, &download->node);
}

/*  A program is here, or never will be: answers those who wait for it.     */
static void
s_serve_downloads (head_t *self, const uint8_t *hash, const char *why)
{
    list_node_t *next;
    for (list_node_t *node = self->downloads.next; node != &self->downloads; node = next) {
        download_t *download = container_of (node, download_t, node);
        next = node->next;
        if (memcmp (download->hash, hash, PROGRAM_HASH_SIZE))
            continue;
        peer_t *peer = head_shell_peer (self, download->process);
        record_t again = { .type = RECORD_FETCH, .body = hash, .body_size = PROGRAM_HASH_SIZE };
        list_remove (node);
        free (download);
        if (peer && why)
            s_refuse (self, peer, hash, why);
        else if (peer)
            head_fetch (self, peer, &again);
    }
}

static void
s_upload_end (head_t *self, upload_t *upload, const char *why)
{
    uint8_t hash [PROGRAM_HASH_SIZE];
    memcpy (hash, upload->hash, sizeof hash);
    s_upload_destroy (upload);
    if (why)
        head_log (self, "a program did not come: %s", why);
    s_serve_downloads (self, hash, why);
}

void
head_chunk (head_t *self, peer_t *driver, const record_t *record)
{
    fault_t fault = { 0 };
    if (record->body_size < PROGRAM_HASH_SIZE)
        return;
    upload_t *upload = s_upload (self, record->body);
    if (!upload || upload->source != driver->process || record->target != upload->offset)
        return;
    uint32_t size = record->body_size - PROGRAM_HASH_SIZE;
    if (!upload->receive && !(record->flags & RECORD_FAULT)) {
        upload->size = record->id.sequence;
        upload->receive
            = program_receive_new (self->programs, upload->hash, upload->size, &fault);
    }
    if (record->flags & RECORD_FAULT)
        fault_set (&fault, TROUPE_ESYSTEM, "%.*s", (int) size,
                   (const char *) record->body + PROGRAM_HASH_SIZE);
    else if (upload->receive && !size)
        fault_set (&fault, TROUPE_ESYSTEM, "the program became shorter while it was read");
    if (!upload->receive || fault.code
        || program_receive_write (upload->receive, upload->offset,
                                  record->body + PROGRAM_HASH_SIZE, size, &fault)) {
        s_upload_end (self, upload, fault.text);
        return;
    }
    upload->offset += size;
    if (upload->offset < upload->size)
        s_ask (self, upload);
    else if (program_receive_commit (&upload->receive, &fault))
        s_upload_end (self, upload, fault.text);
    else
        s_upload_end (self, upload, NULL);
}

/*  --- starting and ending ----------------------------------------------  */

static const peer_t *
s_driver_of (head_t *self, uint32_t job)
{
    size_t cursor = 0;
    for (const peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->identity.role == ROLE_DRIVER && peer->job == job)
            return peer;
    return NULL;
}

/*  START: sequence: how many; number: the job; body: hash, folder, NUL,
    environment, NUL.                                                       */
void
head_send_start (head_t *self, const head_action_t *action)
{
    const uint8_t *hash = head_program_hash (self->state, action->program);
    const peer_t *driver = s_driver_of (self, action->job);
    const char *folder = driver ? driver->identity.folder : "";
    const char *environment = driver ? driver->identity.environment : "";
    if (!hash)
        return;
    bytes_t body = { 0 };
    bytes_append (&body, hash, PROGRAM_HASH_SIZE);
    bytes_append (&body, folder, strlen (folder) + 1);
    bytes_append (&body, environment, strlen (environment) + 1);
    record_t start = { .type = RECORD_START,
                       .id = { 0, action->number },
                       .number = action->job,
                       .body = body.data,
                       .body_size = (uint32_t) body.size };
    if (!body.failed)
        head_send (self, head_shell_peer (self, action->peer), &start);
    bytes_release (&body);
}

static peer_t *
s_other_driver (head_t *self, const uint8_t *hash)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->job && peer->identity.has_program
            && memcmp (peer->identity.program, hash, PROGRAM_HASH_SIZE) == 0)
            return peer;
    return NULL;
}

/*  Another driver may have the same program: it is asked from the beginning. */
static void
s_upload_lose_source (head_t *self, upload_t *upload)
{
    peer_t *other = s_other_driver (self, upload->hash);
    if (!other) {
        s_upload_end (self, upload, "its driver has ended");
        return;
    }
    program_receive_destroy (&upload->receive);
    upload->source = other->process;
    upload->offset = 0;
    s_ask (self, upload);
}

void
head_programs_lose (head_t *self, process_t process)
{
    list_node_t *next;
    for (list_node_t *node = self->downloads.next; self->programs && node != &self->downloads;
         node = next) {
        download_t *download = container_of (node, download_t, node);
        next = node->next;
        if (download->process != process)
            continue;
        list_remove (node);
        free (download);
    }
    for (list_node_t *node = self->uploads.next; self->programs && node != &self->uploads;
         node = next) {
        upload_t *upload = container_of (node, upload_t, node);
        next = node->next;
        if (upload->source == process)
            s_upload_lose_source (self, upload);
    }
}

void
head_programs_destroy (head_t *self)
{
    for (list_node_t *node; (node = list_pop (&self->downloads));)
        free (container_of (node, download_t, node));
    while (!list_empty (&self->uploads))
        s_upload_destroy (container_of (self->uploads.next, upload_t, node));
    program_cache_destroy (&self->programs);
}
