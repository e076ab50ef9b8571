/*  printable.c - text from anywhere made fit to be shown on a terminal     */

#include "core/printable.h"

#include <stdbool.h>
#include <stdint.h>

/*  The length of the well-formed UTF-8 sequence of more than one byte that
    begins here, or 0.                                                      */
static size_t
s_sequence (const uint8_t *text, size_t length)
{
    size_t size = text [0] >= 0xf0 ? 4 : text [0] >= 0xe0 ? 3 : 2;
    if (text [0] < 0xc2 || text [0] > 0xf4 || size > length)
        return 0;
    for (size_t index = 1; index < size; index++)
        if ((text [index] & 0xc0) != 0x80)
            return 0;
    bool is_overlong
        = (text [0] == 0xe0 && text [1] < 0xa0) || (text [0] == 0xf0 && text [1] < 0x90);
    bool is_no_character
        = (text [0] == 0xed && text [1] > 0x9f) || (text [0] == 0xf4 && text [1] > 0x8f);
    return is_overlong || is_no_character ? 0 : size;
}

static size_t
s_write_hex (char *place, uint8_t byte)
{
    static const char digits [] = "0123456789abcdef";
    place [0] = '\\';
    place [1] = 'x';
    place [2] = digits [byte >> 4];
    place [3] = digits [byte & 15];
    return 4;
}

static size_t
s_write_byte (char *place, uint8_t byte)
{
    bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    if (byte >= 0x80 && byte < 0xa0)
        return s_write_hex (place, byte);
    if (is_control) {
        place [0] = '^';
        place [1] = (char) (byte ^ 0x40);
        return 2;
    }
    place [0] = (char) byte;
    return 1;
}

size_t
printable_write (char *place, const void *text, size_t length)
{
    const uint8_t *from = text, *end = from + length;
    size_t written = 0;
    while (from < end) {
        size_t size = s_sequence (from, (size_t) (end - from));
        if (size == 2 && from [0] == 0xc2 && from [1] < 0xa0) {
            /*  U+0080 to U+009F are control characters too.                */
            written += s_write_hex (place + written, from [1]);
            from += 2;
        } else if (size) {
            for (size_t index = 0; index < size; index++)
                place [written++] = (char) *from++;
        } else
            written += s_write_byte (place + written, *from++);
    }
    return written;
}
