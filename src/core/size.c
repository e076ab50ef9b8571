/*  size.c - sizes as people write them                                      */

#include "core/size.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int
size_parse (const char *text, int64_t *value)
{
    static const char letters [] = "KMGT";
    char *end;
    double number = strtod (text, &end);
    if (!isdigit ((unsigned char) *text) || text [1] == 'x' || text [1] == 'X')
        return -1;
    const char *letter = *end ? strchr (letters, toupper ((unsigned char) *end)) : NULL;
    if (letter) {
        for (const char *each = letters; each <= letter; each++)
            number *= 1024;
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B')
        end++;
    if (*end || !(number >= 1 && number < 9e18))
        return -1;
    *value = (int64_t) number;
    return 0;
}
