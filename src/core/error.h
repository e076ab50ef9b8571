/*  error.h - a fault: a code and a text that says what, where and why     */

#ifndef TROUPE_CORE_ERROR_H
#define TROUPE_CORE_ERROR_H

#include <troupe.h>

#include <stdarg.h>

/*  Room for a cause and the path it took through a few calls.              */
#define FAULT_TEXT_MAX 480

typedef struct {
    troupe_error_t code;
    char text [FAULT_TEXT_MAX];
} fault_t;

/*  Sets code and text, as printf; a text too long is cut at a character.
    Returns -1, so that a function can `return fault_set (...)`.            */
int fault_set (fault_t *fault, troupe_error_t code, const char *format, ...)
    TROUPE_PRINTF_ (3, 4);

/*  The same, as vprintf.                                                   */
int fault_set_list (fault_t *fault, troupe_error_t code, const char *format, va_list args)
    TROUPE_PRINTF_ (3, 0);

/*  Puts "prefix: " before the text that is there. What gets too long loses
    its middle, so that the cause at its end stays. Returns -1.             */
int fault_prefix (fault_t *fault, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  Sets the code and "prefix: text", text being that of another fault, of
    length bytes. Returns -1.                                               */
int fault_set_cause (fault_t *fault, troupe_error_t code, const char *prefix, const void *text,
                     size_t length);

/*  Makes the fault the calling thread's last one, for troupe_error ().
    Returns -1.                                                             */
int fault_note (const fault_t *fault);

/*  The same in one step.                                                   */
int fault_raise (troupe_error_t code, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  The calling thread's last one, and how many it has had, to see whether
    there was one since.                                                    */
const fault_t *fault_last (void);
unsigned fault_count (void);

/*  True for a number that is one of the public codes and not TROUPE_OK.    */
bool fault_code_valid (uint32_t code);

#endif
