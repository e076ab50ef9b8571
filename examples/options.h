/*  options.h - the command line of wordfreq                                 */

#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { VARIANT_SEQUENTIAL = 1, VARIANT_TASKS = 2, VARIANT_ACTORS = 4, VARIANT_ALL = 7 };

typedef struct {
    unsigned variants;          /*  bits of the above                       */
    size_t sublists;
    size_t top;                 /*  words of the answer                     */
    bool json;
    char *const *paths;
    size_t count;               /*  files                                   */
} options_t;

/*  Reads the command line. Returns 0; 1 after it has printed help; or -1
    after a message to stderr.                                              */
int options_parse (options_t *self, int argc, char *argv []);

#endif
