/*  convert.h - words of the command line as the values that a method takes */

#ifndef TROUPE_CLI_CONVERT_H
#define TROUPE_CLI_CONVERT_H

#include "core/parameter.h"

#define CONVERT_WHY_SIZE 200

/*  Appends the value of this type that the word stands for: integers and
    reals in decimal, true or false, strings and bytes as they stand, or bytes
    as {"base64": "..."}; arrays, lists and maps as JSON; any as json_pack_word
    has it. Actors and futures are not made of words alone. Returns 0, or -1:
    it is no such value, and `why` says more, or is "".                     */
int convert_word (troupe_packer_t *packer, parameter_type_t type, const char *word, bool nested,
                  char why [CONVERT_WHY_SIZE]);

/*  What such a word looks like: "an integer from 0 to 255".                */
const char *convert_wanted (parameter_type_t type);

#endif
