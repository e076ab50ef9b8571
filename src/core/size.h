/*  size.h - sizes as people write them                                      */

#ifndef TROUPE_CORE_SIZE_H
#define TROUPE_CORE_SIZE_H

#include <stdint.h>

/*  "4096", "512M", "1.5GiB": bytes, the letters being powers of 1024. Returns
    0, or -1 if the text is none.                                           */
int size_parse (const char *text, int64_t *value);

#endif
