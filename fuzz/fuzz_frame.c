/*  fuzz_frame.c - any bytes as a frame: opened, walked, and written again

    Of what frame_next accepts every byte is there, and record_write and
    record_attach make records of it that are read back the same.           */

#include "fuzz/require.h"

#include "wire/frame.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 65536

/*  Reads every byte, for a sanitizer to see.                               */
static unsigned
s_touch (const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    for (size_t index = 0; index < size; index++)
        sum += data [index];
    return sum;
}

static bool
s_within (const frame_reader_t *reader, const uint8_t *data, size_t size)
{
    size_t start = (size_t) (data - reader->data);
    return start <= reader->offset && size <= reader->offset - start;
}

static void
s_check_record (const frame_reader_t *reader, const record_t *record)
{
    const uint8_t *place = record->attachment;
    REQUIRE (record->type > 0 && record->type < RECORD_TYPE_LIMIT);
    REQUIRE (strcmp (record_type_name (record->type), "unknown") != 0);
    REQUIRE (s_within (reader, record->body, record->body_size));
    REQUIRE ((size_t) (record->body - reader->data) % 8 == 0);
    s_touch (record->body, record->body_size);
    REQUIRE (!record->attachments_size
             || s_within (reader, record->attachment, record->attachments_size));
    for (uint32_t left = record->attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        REQUIRE (s_within (reader, attachment.value, attachment.size));
        REQUIRE ((size_t) (attachment.value - reader->data) % 8 == 0);
        REQUIRE (!attachment.pending || !attachment.size);
        s_touch (attachment.value, attachment.size);
    }
    if (record->attachments)
        REQUIRE (place == record->attachment + record->attachments_size);
}

/*  --- comparing --------------------------------------------------------  */

static void
s_compare_attachments (const record_t *a, const record_t *b)
{
    const uint8_t *here = a->attachment;
    const uint8_t *there = b->attachment;
    for (uint32_t left = a->attachments; left; left--) {
        attachment_t mine = attachment_next (&here);
        attachment_t other = attachment_next (&there);
        REQUIRE (tid_equal (mine.id, other.id) && mine.size == other.size
                 && mine.pending == other.pending);
        REQUIRE (!mine.size || memcmp (mine.value, other.value, mine.size) == 0);
    }
}

static void
s_compare (const record_t *a, const record_t *b)
{
    REQUIRE (a->type == b->type && a->flags == b->flags && a->extra == b->extra);
    REQUIRE (tid_equal (a->id, b->id) && a->target == b->target);
    REQUIRE (a->deadline == b->deadline && a->number == b->number);
    REQUIRE (a->body_size == b->body_size && a->attachments == b->attachments);
    REQUIRE (a->attachments_size == b->attachments_size);
    REQUIRE (!a->body_size || memcmp (a->body, b->body, a->body_size) == 0);
    s_compare_attachments (a, b);
}

/*  --- writing ----------------------------------------------------------  */

static void
s_append (bytes_t *frame, const void *data, size_t size)
{
    REQUIRE (!size || bytes_append (frame, data, size) == 0);
}

/*  The same record in steps.                                               */
static void
s_write_in_steps (bytes_t *frame, const record_t *record)
{
    const uint8_t *place = record->attachment;
    size_t offset = record_begin (frame, record);
    REQUIRE (offset != SIZE_MAX);
    s_append (frame, record->body, record->body_size);
    record_end_body (frame, offset);
    for (uint32_t left = record->attachments; left; left--) {
        attachment_t attachment = attachment_next (&place);
        REQUIRE (record_attach (frame, offset, attachment.id, attachment.value, attachment.size,
                                attachment.pending)
                 == 0);
    }
    REQUIRE (record_end (frame, offset) == 0);
}

/*  A record that is begun and taken out leaves no trace.                   */
static void
s_abandon (bytes_t *frame, const record_t *record)
{
    size_t before = frame->size;
    size_t offset = record_begin (frame, record);
    s_append (frame, record->body, record->body_size);
    record_abandon (frame, offset);
    REQUIRE (frame->size == before);
}

/*  Reads the first records of a frame, and writes them into others.        */
static size_t
s_copy (const uint8_t *data, size_t size, bytes_t *whole, bytes_t *steps)
{
    frame_reader_t reader;
    record_t record;
    size_t count = 0;
    int rc;
    REQUIRE (frame_open (&reader, data, size) == 0);
    while ((rc = frame_next (&reader, &record)) == 1) {
        s_check_record (&reader, &record);
        s_abandon (whole, &record);
        REQUIRE (record_write (whole, &record) == 0);
        s_write_in_steps (steps, &record);
        count++;
    }
    REQUIRE (rc == -1 || reader.offset == size);
    return count;
}

/*  The first records of a frame are all that there are in another.         */
static void
s_compare_frames (const uint8_t *data, size_t size, size_t count, const bytes_t *copy)
{
    frame_reader_t here, there;
    record_t mine, other;
    REQUIRE (frame_open (&here, data, size) == 0);
    REQUIRE (frame_open (&there, copy->data, copy->size) == 0);
    while (count--) {
        REQUIRE (frame_next (&here, &mine) == 1 && frame_next (&there, &other) == 1);
        s_compare (&mine, &other);
    }
    REQUIRE (frame_next (&there, &other) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    frame_reader_t reader;
    bytes_t whole = { 0 };
    bytes_t steps = { 0 };
    if (size > INPUT_MAX || frame_open (&reader, data, size))
        return 0;
    size_t count = s_copy (data, size, &whole, &steps);
    if (count) {
        s_compare_frames (data, size, count, &whole);
        s_compare_frames (data, size, count, &steps);
    } else
        REQUIRE (whole.size == 0 && steps.size == 0);
    bytes_release (&whole);
    bytes_release (&steps);
    return 0;
}
