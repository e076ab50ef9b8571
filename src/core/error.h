/*  error.h - a fault: a code and a text that says what, where and why     */

#ifndef TROUPE_CORE_ERROR_H
#define TROUPE_CORE_ERROR_H

#include <troupe.h>

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

/*  Puts "prefix: " before the text that is there. Returns -1.              */
int fault_prefix (fault_t *fault, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  Makes the fault the calling thread's last one, for troupe_error ().
    Returns -1.                                                             */
int fault_note (const fault_t *fault);

/*  The same in one step.                                                   */
int fault_raise (troupe_error_t code, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  True for a number that is one of the public codes and not TROUPE_OK.    */
bool fault_code_valid (uint32_t code);

#endif
