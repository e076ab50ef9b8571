/*  arguments.c - the options of a verb, and what their words say             */

#include "cli/cli.h"

#include "core/size.h"

#include "client/place.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*  The letters that getopt gives: positions in a table, behind any character. */
#define LETTER 256
#define LETTER_HELP (LETTER + OPTIONS_MAX)
#define LETTER_CONNECTION (LETTER_HELP + 1)

static int
s_take (const verb_t *verb, const option_spec_t *option, const char *text)
{
    text_list_t *list;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *) option->target = true;
        return 0;
    case OPTION_TEXT:
        *(const char **) option->target = text;
        return 0;
    case OPTION_LIST:
        list = option->target;
        if (list->count == sizeof list->items / sizeof list->items [0])
            return cli_usage (verb, "--%s is given more than %zu times", option->name,
                              list->count);
        list->items [list->count++] = text;
        return 0;
    default:
        return -1;
    }
}

/*  The token is taken out of the command line, which every user can see, and
    which a daemon keeps.                                                   */
static int
s_take_token (const verb_t *verb, connection_t *connection, char *text)
{
    size_t size = strlen (text);
    if (size == 0 || size >= sizeof connection->text)
        return cli_usage (verb, "--token has no token");
    memcpy (connection->text, text, size + 1);
    memset (text, '*', size);
    connection->token = connection->text;
    return 0;
}

/*  The table of getopt for ours.                                           */
static void
s_table (const option_spec_t *options, bool connects, struct option *table)
{
    static const char *const connection [] = { "address", "token", "token-file" };
    size_t count = 0;
    for (; options [count].type != OPTION_END; count++)
        table [count] = (struct option){
            options [count].name,
            options [count].type == OPTION_FLAG ? no_argument : required_argument, NULL,
            LETTER + (int) count
        };
    for (int i = 0; connects && i < 3; i++)
        table [count++] = (struct option){ connection [i], required_argument, NULL,
                                           LETTER_CONNECTION + i };
    table [count++] = (struct option){ "help", no_argument, NULL, LETTER_HELP };
    table [count] = (struct option){ NULL, 0, NULL, 0 };
}

int
arguments_read (const verb_t *verb, int argc, char *argv [], const option_spec_t *options,
                connection_t *connection, bool leading)
{
    struct option table [OPTIONS_MAX + 5];
    char name [64];
    int letter, bad = 0;
    s_table (options, connection != NULL, table);
    snprintf (name, sizeof name, "troupe %s", verb->name);
    argv [0] = name;
    optind = 0;
    while (!bad
           && (letter = getopt_long (argc, argv, leading ? "+h" : "h", table, NULL)) != -1) {
        if (letter == 'h' || letter == LETTER_HELP)
            return fputs (verb->help, stdout) < 0 ? ARGUMENTS_BAD : ARGUMENTS_HELP;
        if (letter == LETTER_CONNECTION)
            connection->address = optarg;
        else if (letter == LETTER_CONNECTION + 1)
            bad = s_take_token (verb, connection, optarg);
        else if (letter == LETTER_CONNECTION + 2)
            connection->token_file = optarg;
        else if (letter >= LETTER)
            bad = s_take (verb, &options [letter - LETTER], optarg);
        else {
            fprintf (stderr, "Try troupe help %s.\n", verb->name);
            bad = EXIT_USAGE;
        }
    }
    if (!bad && connection && connection->address && strcmp (connection->address, "auto") != 0
        && strcmp (connection->address, PLACE_BEACON) != 0
        && !text_is_address (connection->address) && !place_is_token (connection->address))
        bad = cli_usage (verb, "--address must be HOST:PORT or a token, not '%s'",
                         connection->address);
    argv [0] = (char *) verb->name;
    return bad ? ARGUMENTS_BAD : optind;
}

int
arguments_exit (int first)
{
    return first == ARGUMENTS_BAD ? EXIT_USAGE : EXIT_DONE;
}

int
connection_read (const verb_t *verb, connection_t *connection)
{
    const char *path = connection->token_file;
    if (!path)
        return 0;
    if (connection->token)
        return cli_usage (verb, "--token and --token-file are given both");
    bool standard = strcmp (path, "-") == 0;
    FILE *file = standard ? stdin : fopen (path, "re");
    if (!file)
        return cli_failed (verb, "%s: %s", path, strerror (errno));
    struct stat status;
    if (!standard && fstat (fileno (file), &status) == 0 && S_ISREG (status.st_mode)
        && (status.st_mode & 077)) {
        fclose (file);
        return cli_failed (verb, "others have access to %s, so it is no secret any more: chmod "
                                 "600 %s, and better make a new one", path, path);
    }
    char *text = fgets (connection->text, sizeof connection->text, file);
    if (!standard)
        fclose (file);
    if (text)
        text [strcspn (text, " \t\r\n")] = 0;
    if (!text || !*text)
        return cli_failed (verb, "%s: there is no token in it", path);
    connection->token = text;
    return 0;
}

int
text_integer (const char *text, int64_t least, int64_t most, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll (text, &end, 10);
    if (!isdigit ((unsigned char) text [*text == '-']) || *end || errno || number < least
        || number > most)
        return -1;
    *value = number;
    return 0;
}

int
text_amount (const char *text, double *value)
{
    char *end;
    double number = strtod (text, &end);
    if (!isdigit ((unsigned char) *text) || *end || !isfinite (number) || number > 1e12
        || text [1] == 'x' || text [1] == 'X')
        return -1;
    *value = number;
    return 0;
}

int
text_size (const char *text, int64_t *value)
{
    return size_parse (text, value);
}

int
text_pair (const char *text, char *name, size_t size, const char **value)
{
    const char *equals = strchr (text, '=');
    size_t length = equals ? (size_t) (equals - text) : 0;
    if (length == 0 || length >= size)
        return -1;
    memcpy (name, text, length);
    name [length] = 0;
    *value = equals + 1;
    return 0;
}

bool
text_is_address (const char *text)
{
    const char *colon = strrchr (text, ':');
    int64_t port;
    if (!colon || colon == text || strlen (text) > 255 || strpbrk (text, " \t/"))
        return false;
    if (text_integer (colon + 1, 1, 65535, &port))
        return false;
    if (*text == '[')
        return colon [-1] == ']' && colon - text > 2;
    return memchr (text, ':', (size_t) (colon - text)) == NULL;
}
