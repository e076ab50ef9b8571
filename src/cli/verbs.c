/*  verbs.c - the table of the verbs                                        */

#include "cli/cli.h"

#include <string.h>

const verb_t *const verbs [] = { &verb_start, &verb_stop, &verb_drain, &verb_token,
                                 &verb_status, &verb_list, &verb_memory, &verb_show, &verb_call,
                                 &verb_run, &verb_logs, &verb_microbenchmark, &verb_version,
                                 &verb_help, NULL };

const verb_t *
verb_find (const char *name)
{
    for (const verb_t *const *each = verbs; *each; each++)
        if (strcmp ((*each)->name, name) == 0)
            return *each;
    return NULL;
}
