/*  error.c - faults, and the calling thread's last one                     */

#include "core/error.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*  What stays of the end of a text that grows too long at its beginning.   */
#define TAIL 300

static const char s_gap [] = " ... ";

static _Thread_local fault_t s_last;
static _Thread_local unsigned s_count;

/*  The length of a text cut to fit room bytes, not inside a UTF-8 character. */
static size_t
s_cut (const char *text, size_t length, size_t room)
{
    if (length < room)
        return length;
    size_t cut = room - 1;
    size_t start = cut;
    while (start > 0 && cut - start < 4 && ((unsigned char) text [start] & 0xc0) == 0x80)
        start--;
    return ((unsigned char) text [start] & 0xc0) == 0xc0 ? start : cut;
}

/*  Formats into a buffer with room for one byte more than a text holds, so
    that the cut sees what it cuts. The arguments may lie in the fault.     */
static void
s_format (char *text, const char *format, va_list args)
{
    char buffer [FAULT_TEXT_MAX + 1];
    int written = vsnprintf (buffer, sizeof buffer, format, args);
    if (written < 0)
        buffer [0] = 0;
    size_t length = s_cut (buffer, strlen (buffer), FAULT_TEXT_MAX);
    memcpy (text, buffer, length);
    text [length] = 0;
}

int
fault_set_list (fault_t *fault, troupe_error_t code, const char *format, va_list args)
{
    s_format (fault->text, format, args);
    fault->code = code;
    return -1;
}

int
fault_set (fault_t *fault, troupe_error_t code, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    fault_set_list (fault, code, format, args);
    va_end (args);
    return -1;
}

/*  The last part of a text, which holds the cause: at most TAIL bytes, from
    the beginning of a character, without what an earlier gap left there.   */
static const char *
s_tail (const char *text)
{
    size_t length = strlen (text);
    const char *tail = length > TAIL ? text + length - TAIL : text;
    while (((unsigned char) *tail & 0xc0) == 0x80)
        tail++;
    while (length > TAIL && (*tail == ' ' || *tail == '.'))
        tail++;
    return tail;
}

int
fault_prefix (fault_t *fault, const char *format, ...)
{
    char prefix [FAULT_TEXT_MAX];
    char whole [2 * FAULT_TEXT_MAX + 2];
    va_list args;
    va_start (args, format);
    s_format (prefix, format, args);
    va_end (args);
    size_t length = (size_t) snprintf (whole, sizeof whole, "%s: %s", prefix, fault->text);
    if (length >= FAULT_TEXT_MAX) {
        char tail [TAIL + 1];
        size_t size = (size_t) snprintf (tail, sizeof tail, "%s", s_tail (fault->text));
        size_t head = s_cut (whole, length, FAULT_TEXT_MAX - strlen (s_gap) - size);
        length = (size_t) snprintf (whole + head, sizeof whole - head, "%s%s", s_gap, tail)
                 + head;
    }
    memcpy (fault->text, whole, length + 1);
    return -1;
}

int
fault_set_cause (fault_t *fault, troupe_error_t code, const char *prefix, const void *text,
                    size_t length)
{
    fault_set (fault, code, "%.*s", length < INT_MAX ? (int) length : INT_MAX,
               (const char *) text);
    return fault_prefix (fault, "%s", prefix);
}

unsigned
fault_count (void)
{
    return s_count;
}

const fault_t *
fault_last (void)
{
    return &s_last;
}

int
fault_note (const fault_t *fault)
{
    s_count++;
    if (fault != &s_last)
        s_last = *fault;
    return -1;
}

int
fault_raise (troupe_error_t code, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_format (s_last.text, format, args);
    va_end (args);
    s_last.code = code;
    s_count++;
    return -1;
}

bool
fault_code_valid (uint32_t code)
{
    switch (code) {
#define ERROR_VALID_(name, number, text) case number:
        TROUPE_ERRORS (ERROR_VALID_)
#undef ERROR_VALID_
        return code != TROUPE_OK;
    default:
        return false;
    }
}

const char *
troupe_error (void)
{
    return s_last.text;
}

troupe_error_t
troupe_error_code (void)
{
    return s_last.code;
}

const char *
troupe_strerror (troupe_error_t code)
{
    switch (code) {
#define ERROR_TEXT_(name, number, text)                                                      \
    case TROUPE_##name:                                                                      \
        return text;
        TROUPE_ERRORS (ERROR_TEXT_)
#undef ERROR_TEXT_
    }
    return "unknown error";
}

#define VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define VERSION_TEXT(major, minor, patch) VERSION_TEXT_ (major, minor, patch)

const char *
troupe_version (void)
{
    return VERSION_TEXT (TROUPE_VERSION_MAJOR, TROUPE_VERSION_MINOR, TROUPE_VERSION_PATCH);
}
