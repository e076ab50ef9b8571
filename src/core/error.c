/*  error.c - faults, and the calling thread's last one                     */

#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local fault_t s_last;

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
fault_set (fault_t *fault, troupe_error_t code, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_format (fault->text, format, args);
    va_end (args);
    fault->code = code;
    return -1;
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
    int written = snprintf (whole, sizeof whole, "%s: %s", prefix, fault->text);
    size_t length = written < 0 ? 0 : s_cut (whole, (size_t) written, FAULT_TEXT_MAX);
    memcpy (fault->text, whole, length);
    fault->text [length] = 0;
    return -1;
}

int
fault_note (const fault_t *fault)
{
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
