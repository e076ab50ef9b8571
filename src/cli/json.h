/*  json.h - values as JSON, and JSON as values                             */

#ifndef TROUPE_CLI_JSON_H
#define TROUPE_CLI_JSON_H

#include <troupe.h>

#include <stdio.h>

/*  Prints a value without a line end. Byte ranges become {"base64": "..."},
    handles {"actor": true} and {"future": true}, numbers that JSON has not
    (infinite, not a number) null. Returns 0, or -1 if there is no memory.  */
int json_print (FILE *file, troupe_view_t value);

/*  Prints a text as a JSON string.                                         */
int json_print_text (FILE *file, const char *text);

/*  Appends what Jansson has read. Returns 0, or -1 (see troupe_error).      */
struct json_t;
int json_pack_tree (troupe_packer_t *packer, struct json_t *json);

/*  Appends what a word means: a JSON scalar as it is, else the word as a
    string. If `nested`, a word that begins with [ or { must be JSON too.
    Returns 0, or -1 with *why set, to a text that is good until the next
    call.                                                                   */
int json_pack_word (troupe_packer_t *packer, const char *word, bool nested, const char **why);

#endif
