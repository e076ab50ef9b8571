/*  printable.h - text from anywhere made fit to be shown on a terminal     */

#ifndef TROUPE_CORE_PRINTABLE_H
#define TROUPE_CORE_PRINTABLE_H

#include <stddef.h>

/*  A byte becomes at most so many.                                         */
#define PRINTABLE_GROWTH 4

/*  Copies text so that a terminal obeys nothing in it: a control character
    becomes ^X, as ESC becomes ^[, and a byte that could be one of the upper
    control characters becomes \xNN. Tabs, and whatever else is text or not
    even that, stay as they are. `place` has room for PRINTABLE_GROWTH *
    length bytes. Returns how many were written; no NUL is.                 */
size_t printable_write (char *place, const void *text, size_t length);

#endif
