/*  frame.c - writing and checking frames of records                       */

#include "wire/frame.h"

static const char *const s_names [RECORD_TYPE_LIMIT] = {
#define RECORD_NAME_(name, number, is_short) [number] = #name,
    RECORD_TYPES (RECORD_NAME_)
#undef RECORD_NAME_
};

static const bool s_short [RECORD_TYPE_LIMIT] = {
#define RECORD_SHORT_(name, number, is_short) [number] = is_short,
    RECORD_TYPES (RECORD_SHORT_)
#undef RECORD_SHORT_
};

static size_t
s_padded (size_t size)
{
    return (size + 7) & ~(size_t) 7;
}

const char *
record_type_name (unsigned type)
{
    return type < RECORD_TYPE_LIMIT && s_names [type] ? s_names [type] : "unknown";
}

size_t
record_begin (bytes_t *frame, const record_t *record)
{
    if (frame->size == 0) {
        uint8_t *header = bytes_extend (frame, FRAME_HEADER);
        if (!header)
            return SIZE_MAX;
        header [0] = FRAME_MAGIC;
        header [1] = FRAME_VERSION;
        store_u16 (header + 2, 0);
    }
    size_t offset = frame->size;
    uint8_t *place = bytes_extend (frame, s_short [record->type] ? RECORD_SHORT : RECORD_HEADER);
    if (!place)
        return SIZE_MAX;
    store_u32 (place, 0);
    place [4] = record->type;
    place [5] = record->flags;
    store_u16 (place + 6, record->extra);
    store_u64 (place + 8, record->id.sequence);
    if (s_short [record->type])
        return offset;
    store_u64 (place + 16, record->id.owner);
    store_u64 (place + 24, record->target);
    store_u32 (place + 32, record->deadline);
    store_u32 (place + 36, record->number);
    store_u32 (place + 40, 0);
    store_u32 (place + 44, 0);
    return offset;
}

void
record_end_body (bytes_t *frame, size_t offset)
{
    uint8_t *place = frame->data + offset;
    if (!s_short [place [4]])
        store_u32 (place + 40, (uint32_t) (frame->size - offset - RECORD_HEADER));
    bytes_align (frame);
}

int
record_attach (bytes_t *frame, size_t offset, tid_t id, const uint8_t *value, size_t size,
               bool pending)
{
    uint8_t *place = bytes_extend (frame, ATTACHMENT_HEADER);
    if (!place)
        return -1;
    store_u64 (place, id.owner);
    store_u64 (place + 8, id.sequence);
    store_u32 (place + 16, (uint32_t) size);
    store_u32 (place + 20, pending);
    if (size && bytes_append (frame, value, size))
        return -1;
    if (bytes_align (frame))
        return -1;
    uint8_t *count = frame->data + offset + 44;
    store_u32 (count, load_u32 (count) + 1);
    return 0;
}

void
record_abandon (bytes_t *frame, size_t offset)
{
    frame->failed = false;
    bytes_truncate (frame, offset <= FRAME_HEADER ? 0 : offset);
}

int
record_end (bytes_t *frame, size_t offset)
{
    /*  A place is left for the LINK record that may end the frame.         */
    unsigned count_max = frame->data [offset + 4] == RECORD_LINK ? UINT16_MAX : UINT16_MAX - 1;
    if (frame->failed || frame->size - offset > UINT32_MAX
        || load_u16 (frame->data + 2) >= count_max) {
        record_abandon (frame, offset);
        return -1;
    }
    store_u32 (frame->data + offset, (uint32_t) (frame->size - offset));
    store_u16 (frame->data + 2, (uint16_t) (load_u16 (frame->data + 2) + 1));
    store_u32 (frame->data + 4, (uint32_t) frame->size);
    return 0;
}

int
record_write (bytes_t *frame, const record_t *record)
{
    size_t offset = record_begin (frame, record);
    if (offset == SIZE_MAX) {
        record_abandon (frame, frame->size);
        return -1;
    }
    if (record->body_size)
        bytes_append (frame, record->body, record->body_size);
    if (!frame->failed)
        record_end_body (frame, offset);
    if (record->attachments_size && !frame->failed) {
        bytes_append (frame, record->attachment, record->attachments_size);
        store_u32 (frame->data + offset + 44, record->attachments);
    }
    return record_end (frame, offset);
}

int
frame_open (frame_reader_t *reader, const uint8_t *data, size_t size)
{
    if (size < FRAME_HEADER || data [0] != FRAME_MAGIC || data [1] != FRAME_VERSION
        || load_u32 (data + 4) != size)
        return -1;
    reader->data = data;
    reader->size = size;
    reader->offset = FRAME_HEADER;
    reader->left = load_u16 (data + 2);
    return 0;
}

/*  Checks that the attachments fill the rest of the record exactly.        */
static int
s_check_attachments (record_t *record, const uint8_t *place, size_t size)
{
    record->attachment = place;
    record->attachments_size = (uint32_t) size;
    if (record->attachments > ATTACHMENTS_MAX)
        return -1;
    for (uint32_t index = 0; index < record->attachments; index++) {
        if (size < ATTACHMENT_HEADER)
            return -1;
        uint32_t value = load_u32 (place + 16);
        uint32_t pending = load_u32 (place + 20);
        if (pending > 1 || (pending == 1 && value) || value > size - ATTACHMENT_HEADER)
            return -1;
        size_t step = ATTACHMENT_HEADER + s_padded (value);
        if (step > size)
            return -1;
        place += step;
        size -= step;
    }
    return size == 0 ? 0 : -1;
}

static int
s_read_long (record_t *record, const uint8_t *place, size_t size)
{
    if (size < RECORD_HEADER)
        return -1;
    record->id.owner = load_u64 (place + 16);
    record->target = load_u64 (place + 24);
    record->deadline = load_u32 (place + 32);
    record->number = load_u32 (place + 36);
    record->body_size = load_u32 (place + 40);
    record->attachments = load_u32 (place + 44);
    record->body = place + RECORD_HEADER;
    size -= RECORD_HEADER;
    size_t body = s_padded (record->body_size);
    if (record->body_size > VALUE_SIZE_MAX || body > size)
        return -1;
    return s_check_attachments (record, record->body + body, size - body);
}

int
frame_next (frame_reader_t *reader, record_t *record)
{
    if (reader->left == 0)
        return reader->offset == reader->size ? 0 : -1;
    const uint8_t *place = reader->data + reader->offset;
    size_t left = reader->size - reader->offset;
    if (left < RECORD_SHORT)
        return -1;
    size_t size = load_u32 (place);
    if (size < RECORD_SHORT || size > left || size % 8)
        return -1;
    *record = (record_t){ .type = place [4], .flags = place [5], .extra = load_u16 (place + 6) };
    record->id.sequence = load_u64 (place + 8);
    if (record->type >= RECORD_TYPE_LIMIT || !s_names [record->type])
        return -1;
    if (s_short [record->type]) {
        record->body = place + RECORD_SHORT;
        record->body_size = (uint32_t) (size - RECORD_SHORT);
    } else if (s_read_long (record, place, size))
        return -1;
    reader->offset += size;
    reader->left--;
    return 1;
}

attachment_t
attachment_next (const uint8_t **place)
{
    attachment_t attachment;
    attachment.id.owner = load_u64 (*place);
    attachment.id.sequence = load_u64 (*place + 8);
    attachment.size = load_u32 (*place + 16);
    attachment.pending = load_u32 (*place + 20) != 0;
    attachment.value = *place + ATTACHMENT_HEADER;
    *place += ATTACHMENT_HEADER + s_padded (attachment.size);
    return attachment;
}
