/*  live.h - shows what the head answers, once or again and again          */

#ifndef TROUPE_CLI_LIVE_H
#define TROUPE_CLI_LIVE_H

#include "cli/cli.h"

#include <stdio.h>

/*  Asks, and prints the answer to the file. Returns 0, or -1 with *why set,
    to be freed, which is NULL if there is no memory.                       */
typedef int (live_print_t) (void *context, troupe_t *peer, FILE *file, char **why);

/*  Connects and prints the answer to standard output; if watched, about once a
    second, in place of what was there if standard output is a terminal, until
    SIGINT or SIGTERM. A question that fails is then said, and asked again unless
    the head is lost. Returns an exit code.                                 */
int live_show (const verb_t *verb, connection_t *connection, bool watch, live_print_t *print,
               void *context);

/*  After live_arm, SIGINT and SIGTERM end live_wait, which says whether to
    go on.                                                                  */
void live_arm (void);
bool live_wait (int milliseconds);

#endif
