/*  world.c - a clock, messages, sockets and scripts for fuzz targets        */

#include "fuzz/world.h"

#include "core/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

int64_t world_now;

int64_t
clock_now (void)
{
    return world_now;
}

/*  --- messages ---------------------------------------------------------  */

/*  What a zmq_msg_t holds here. Contents are of their exact size, so that a
    sanitizer sees a read beyond the end.                                   */
typedef struct {
    uint8_t *data;
    size_t size;
    zmq_free_fn *release;
    void *hint;
    bool more;
} content_t;

_Static_assert (sizeof (content_t) <= sizeof (zmq_msg_t), "zmq_msg_t is too small");

static content_t *
s_content (const zmq_msg_t *message)
{
    return (content_t *) (void *) (uintptr_t) message;
}

int
zmq_msg_init (zmq_msg_t *message)
{
    *s_content (message) = (content_t){ 0 };
    return 0;
}

int
zmq_msg_init_size (zmq_msg_t *message, size_t size)
{
    uint8_t *data = malloc (size ? size : 1);
    *s_content (message) = (content_t){ .data = data, .size = size };
    return data ? 0 : -1;
}

int
zmq_msg_init_data (zmq_msg_t *message, void *data, size_t size, zmq_free_fn *release, void *hint)
{
    REQUIRE (release);
    *s_content (message)
        = (content_t){ .data = data, .size = size, .release = release, .hint = hint };
    return 0;
}

/*  libzmq shares the content; here each copy is of its exact size.         */
int
zmq_msg_copy (zmq_msg_t *copy, zmq_msg_t *message)
{
    size_t size = zmq_msg_size (message);
    zmq_msg_close (copy);
    if (zmq_msg_init_size (copy, size))
        return -1;
    if (size)
        memcpy (zmq_msg_data (copy), zmq_msg_data (message), size);
    return 0;
}

int
zmq_msg_close (zmq_msg_t *message)
{
    content_t *content = s_content (message);
    if (content->release)
        content->release (content->data, content->hint);
    else
        free (content->data);
    *content = (content_t){ 0 };
    return 0;
}

void *
zmq_msg_data (zmq_msg_t *message)
{
    return s_content (message)->data;
}

size_t
zmq_msg_size (const zmq_msg_t *message)
{
    return s_content (message)->size;
}

/*  No connection, and nobody whom a gate has named.                        */
int
zmq_msg_get (const zmq_msg_t *message, int property)
{
    (void) message;
    (void) property;
    return -1;
}

const char *
zmq_msg_gets (const zmq_msg_t *message, const char *property)
{
    (void) message;
    (void) property;
    return NULL;
}

int
zmq_msg_more (const zmq_msg_t *message)
{
    return s_content (message)->more;
}

/*  --- sockets ----------------------------------------------------------  */

typedef struct part {
    struct part *next;
    zmq_msg_t message;
} part_t;

typedef struct {
    int type;
    part_t *first;
    part_t **last;
    uint8_t route [16];         /*  of the message that is being sent       */
    size_t route_size;
} socket_t;

void *
zmq_socket (void *context, int type)
{
    (void) context;
    socket_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->type = type;
    self->last = &self->first;
    return self;
}

int
zmq_close (void *socket)
{
    socket_t *self = socket;
    while (self->first) {
        part_t *part = self->first;
        self->first = part->next;
        zmq_msg_close (&part->message);
        free (part);
    }
    free (self);
    return 0;
}

int
zmq_bind (void *socket, const char *endpoint)
{
    return socket && endpoint ? 0 : -1;
}

int
zmq_connect (void *socket, const char *endpoint)
{
    if (socket && strchr (endpoint, ':'))
        return 0;
    errno = EINVAL;
    return -1;
}

int
zmq_setsockopt (void *socket, int option, const void *value, size_t size)
{
    (void) option;
    return socket && value && size ? 0 : -1;
}

int
zmq_getsockopt (void *socket, int option, void *value, size_t *size)
{
    static const char bound [] = "tcp://127.0.0.1:1";
    socket_t *self = socket;
    int number = option == ZMQ_EVENTS && self->first ? ZMQ_POLLIN : 0;
    if (option == ZMQ_LAST_ENDPOINT) {
        REQUIRE (*size >= sizeof bound);
        memcpy (value, bound, sizeof bound);
        return 0;
    }
    if (option == ZMQ_FD)
        number = -1;
    REQUIRE (*size == sizeof number);
    memcpy (value, &number, sizeof number);
    return 0;
}

int
zmq_msg_recv (zmq_msg_t *message, void *socket, int flags)
{
    socket_t *self = socket;
    part_t *part = self->first;
    REQUIRE (flags == ZMQ_DONTWAIT);
    zmq_msg_close (message);
    if (!part) {
        errno = EAGAIN;
        return -1;
    }
    self->first = part->next;
    if (!self->first)
        self->last = &self->first;
    *message = part->message;
    free (part);
    return (int) zmq_msg_size (message);
}

/*  The routing id of what a ROUTER sends, or a part.                       */
int
zmq_send (void *socket, const void *data, size_t size, int flags)
{
    socket_t *self = socket;
    REQUIRE ((flags & ~ZMQ_SNDMORE) == ZMQ_DONTWAIT);
    if (self->type != ZMQ_ROUTER || self->route_size) {
        world_sent (socket, self->route, self->route_size, data, size);
        if (!(flags & ZMQ_SNDMORE))
            self->route_size = 0;
        return (int) size;
    }
    REQUIRE ((flags & ZMQ_SNDMORE) && size <= sizeof self->route);
    if (!world_routable (data, size)) {
        errno = EHOSTUNREACH;
        return -1;
    }
    memcpy (self->route, data, size);
    self->route_size = size;
    return (int) size;
}

int
zmq_msg_send (zmq_msg_t *message, void *socket, int flags)
{
    socket_t *self = socket;
    REQUIRE (flags == ZMQ_DONTWAIT && (self->type != ZMQ_ROUTER || self->route_size));
    world_sent (socket, self->route, self->route_size, zmq_msg_data (message),
                zmq_msg_size (message));
    self->route_size = 0;
    zmq_msg_close (message);
    return 0;
}

static void
s_push (socket_t *self, const uint8_t *data, size_t size, bool more)
{
    part_t *part = calloc (1, sizeof *part);
    REQUIRE (part && zmq_msg_init_size (&part->message, size) == 0);
    if (size)
        memcpy (zmq_msg_data (&part->message), data, size);
    s_content (&part->message)->more = more;
    *self->last = part;
    self->last = &part->next;
}

void
world_deliver (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
               size_t size, unsigned empty_parts)
{
    if (route)
        s_push (socket, route, route_size, data || empty_parts);
    if (data)
        s_push (socket, data, size, empty_parts > 0);
    while (empty_parts--)
        s_push (socket, NULL, 0, empty_parts > 0);
}

/*  --- scripts ----------------------------------------------------------  */

/*  Beyond the end everything is 0.                                         */
static uint8_t
s_u8 (script_t *script)
{
    return script->offset < script->size ? script->data [script->offset++] : 0;
}

static uint16_t
s_u16 (script_t *script)
{
    uint8_t low = s_u8 (script);
    return (uint16_t) (low | s_u8 (script) << 8);
}

/*  Takes up to size bytes, as many as there are.                           */
static const uint8_t *
s_take (script_t *script, size_t *size)
{
    const uint8_t *place = script->data + script->offset;
    if (*size > script->size - script->offset)
        *size = script->size - script->offset;
    script->offset += *size;
    return place;
}

static uint64_t
s_target (uint16_t target)
{
    if (target & TARGET_PROCESS)
        return world_process (target & 0xff);
    if (target & TARGET_DEPTH)
        return (uint64_t) (target >> 8 & 0x3f) << 32 | (target & 0xff);
    return target;
}

/*  Types without room for attachments.                                     */
static const bool s_short [RECORD_TYPE_LIMIT] = {
#define SHORT_(name, number, is_short) [number] = is_short,
    RECORD_TYPES (SHORT_)
#undef SHORT_
};

static void
s_read_attachments (script_t *script, bytes_t *frame, size_t offset, unsigned count)
{
    while (count--) {
        tid_t id = { .owner = world_process (s_u8 (script)) };
        id.sequence = s_u8 (script);
        uint8_t size = s_u8 (script);
        bool pending = size & 128;
        size_t length = pending ? 0 : size;
        const uint8_t *value = s_take (script, &length);
        REQUIRE (record_attach (frame, offset, id, value, length, pending) == 0);
    }
}

static void
s_read_record (script_t *script, bytes_t *frame)
{
    record_t record = { .type = s_u8 (script) % RECORD_TYPE_LIMIT };
    record.flags = s_u8 (script);
    record.id.owner = world_process (s_u8 (script));
    record.id.sequence = s_u8 (script);
    record.target = s_target (s_u16 (script));
    record.extra = s_u16 (script);
    record.deadline = s_u16 (script);
    record.number = s_u16 (script);
    if (record.number == UINT16_MAX)
        record.number = UINT32_MAX;
    unsigned attachments = s_u8 (script);
    size_t size = s_u16 (script);
    const uint8_t *body = s_take (script, &size);
    size_t offset = record_begin (frame, &record);
    REQUIRE (offset != SIZE_MAX && (!size || bytes_append (frame, body, size) == 0));
    record_end_body (frame, offset);
    if (!s_short [record.type])
        s_read_attachments (script, frame, offset, attachments & 7);
    REQUIRE (record_end (frame, offset) == 0);
}

bool
script_next (script_t *script, step_t *step)
{
    uint8_t control;
    bytes_clear (&step->frame);
    if (script->offset >= script->size)
        return false;
    do {
        control = s_u8 (script);
        step->kind = control >> 3 & 3;
        step->connection = control & 7;
        step->parts = control >> 6;
        if (step->kind != STEP_RECORD)
            break;
        s_read_record (script, &step->frame);
    } while (control & STEP_JOINED && script->offset < script->size);
    if (step->kind == STEP_RAW) {
        size_t size = s_u16 (script);
        const uint8_t *data = s_take (script, &size);
        bytes_clear (&step->frame);
        REQUIRE (!size || bytes_append (&step->frame, data, size) == 0);
    } else if (step->kind == STEP_TIME)
        step->number = s_u16 (script);
    else if (step->kind == STEP_ACTION) {
        step->number = s_u8 (script);
        step->argument = s_u8 (script);
    }
    return true;
}
