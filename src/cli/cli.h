/*  cli.h - what the verbs of the troupe command share: their table, exit
    codes, options, the connection                                          */

#ifndef TROUPE_CLI_CLI_H
#define TROUPE_CLI_CLI_H

#include "core/error.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,                /*  the cluster said no                 */
    EXIT_USAGE = 2,                 /*  the command line is wrong           */
    EXIT_UNREACHABLE = 3,           /*  no cluster, or it does not answer   */
    EXIT_PART = 4,                  /*  list: what it prints is not all     */
    EXIT_CANNOT_RUN = 126,          /*  run: as a shell has it              */
    EXIT_NOT_FOUND = 127
};

/*  A verb. Its help begins with the usage. argv [0] is the verb.           */
typedef struct {
    const char *name;
    const char *help;
    int (*run) (int argc, char *argv []);
} verb_t;

extern const verb_t verb_start, verb_stop, verb_drain, verb_token, verb_status, verb_list,
    verb_memory, verb_show, verb_call, verb_run, verb_logs, verb_microbenchmark, verb_version,
    verb_help;

/*  All verbs, in the order of their help; the last one has no name.        */
extern const verb_t *const verbs [];
const verb_t *verb_find (const char *name);

/*  --- complaints, to stderr, of which each returns an exit code ---------  */

/*  "troupe VERB: text", and where help is found. EXIT_USAGE.               */
int cli_usage (const verb_t *verb, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  "troupe VERB: text". EXIT_FAILED.                                       */
int cli_failed (const verb_t *verb, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  Ends the output: EXIT_DONE, or EXIT_FAILED if it could not be written.  */
int cli_done (const verb_t *verb);

/*  --- options -----------------------------------------------------------  */

typedef enum {
    OPTION_END = 0,
    OPTION_FLAG,                    /*  target: bool                        */
    OPTION_TEXT,                    /*  target: const char *                */
    OPTION_LIST                     /*  target: text_list_t                 */
} option_type_t;

typedef struct {
    const char *name;
    option_type_t type;
    void *target;
} option_spec_t;

#define OPTIONS_MAX 24

typedef struct {
    const char *items [64];
    size_t count;
} text_list_t;

/*  The options that every verb has which connects.                         */
typedef struct {
    const char *address;
    const char *token;
    const char *token_file;
    const char *space;              /*  where names are found; NULL: ""     */
    bool objects;                   /*  values may be large                 */
    char text [512];                /*  holds the token                     */
} connection_t;

enum { ARGUMENTS_HELP = -1, ARGUMENTS_BAD = -2 };

/*  Reads the options, which end at the first operand if `leading`, and those
    of the connection if there is one. Returns the position of the first
    operand; or ARGUMENTS_HELP or ARGUMENTS_BAD, when all is said already.  */
int arguments_read (const verb_t *verb, int argc, char *argv [], const option_spec_t *options,
                    connection_t *connection, bool leading);

/*  The exit code of what arguments_read returned.                          */
int arguments_exit (int first);

/*  Reads the file of a token, "-" being stdin. Returns 0 or an exit code.  */
int connection_read (const verb_t *verb, connection_t *connection);

/*  Finds the cluster and names it in the environment, for a program or a
    runtime that looks there. Returns 0 or an exit code.                    */
int connection_export (const verb_t *verb, const connection_t *connection);

/*  Reads the file of a token and connects. Returns 0, or an exit code when it
    has said why not.                                                       */
int cli_connect (const verb_t *verb, connection_t *connection, troupe_t **peer);

/*  --- what words say ----------------------------------------------------  */

/*  Return 0, or -1 if the text is no such thing. A size is a number of bytes
    with K, M, G or T behind it, powers of 1024; "GiB" and "GB" mean G.     */
int text_integer (const char *text, int64_t least, int64_t most, int64_t *value);
int text_amount (const char *text, double *value);
int text_size (const char *text, int64_t *value);

/*  NAME=VALUE: copies the name, which is not empty. The value is in text.  */
int text_pair (const char *text, char *name, size_t size, const char **value);

/*  HOST:PORT or [IPV6]:PORT.                                               */
bool text_is_address (const char *text);

#endif
