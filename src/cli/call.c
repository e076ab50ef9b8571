/*  call.c - troupe call                                                    */

#include "cli/cli.h"

#include "cli/json.h"
#include "client/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char s_help [] =
    "usage: troupe call [OPTION]... NAME.METHOD [ARG]...\n"
    "Calls a method of a named actor and prints what it returns, as JSON.\n"
    "\n"
    "  --timeout SECONDS    fail if there is no answer by then\n"
    "  --json               an ARG that begins with [ or { is JSON\n"
    "  --raw                print a string as it is, without quotes\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "An ARG that reads as an integer, a real, true, false or null is one; so is a word\n"
    "in double quotes a string. Anything else is a string. Options come before NAME.\n"
    "\n"
    "Exit codes: 0 it returned; 1 it failed; 2 wrong usage; 3 cannot connect.\n"
    "Example: troupe call kv.set greeting hello\n";

typedef struct {
    char *name;
    const char *method;
    troupe_packer_t **args;         /*  a value each                        */
    troupe_arg_t *values;           /*  what they hold, and the options     */
    size_t count;
    int timeout_ms;
    bool raw;
} request_t;

static void
s_release (request_t *self)
{
    for (size_t i = 0; self->args && i < self->count; i++)
        troupe_packer_destroy (&self->args [i]);
    free (self->args);
    free (self->values);
    free (self->name);
}

static int
s_read_arguments (request_t *self, char *words [], bool nested)
{
    self->args = calloc (self->count + 1, sizeof *self->args);
    self->values = calloc (self->count + 2, sizeof *self->values);
    if (!self->args || !self->values)
        return cli_failed (&verb_call, "out of memory");
    for (size_t i = 0; i < self->count; i++) {
        const char *why = "out of memory";
        self->args [i] = troupe_packer_new ();
        if (!self->args [i])
            return cli_failed (&verb_call, "%s", why);
        if (json_pack_word (self->args [i], words [i], nested, &why))
            return cli_usage (&verb_call, "argument %zu: '%s' is no JSON: %s", i + 1, words [i],
                              why);
        self->values [i] = troupe_packed (self->args [i]);
    }
    return 0;
}

/*  Names may have dots, methods have none.                                 */
static int
s_read_target (request_t *self, const char *text)
{
    self->name = strdup (text);
    if (!self->name)
        return cli_failed (&verb_call, "out of memory");
    char *dot = strrchr (self->name, '.');
    if (!dot || dot == self->name || !dot [1])
        return cli_usage (&verb_call, "wanted NAME.METHOD, not '%s'", text);
    *dot = 0;
    self->method = dot + 1;
    return 0;
}

static int
s_print (const request_t *request, troupe_view_t value)
{
    const char *text;
    if (request->raw && troupe_view_type (value) == TROUPE_STRING
        && troupe_read (value, &text) == 0)
        fputs (text, stdout);
    else if (json_print (stdout, value))
        return cli_failed (&verb_call, "out of memory");
    putchar ('\n');
    return cli_done (&verb_call);
}

static int
s_call (const request_t *request, troupe_t *peer)
{
    troupe_options_t options = { .size = sizeof options, .timeout_ms = request->timeout_ms };
    troupe_view_t value;
    troupe_actor_t *actor = troupe_find (peer, request->name);
    if (!actor)
        return cli_failed (&verb_call, "%s", troupe_error ());
    size_t count = request->count;
    if (options.timeout_ms > 0)
        request->values [count++] = troupe_arg_options (&options);
    troupe_future_t *future = troupe_method_call (actor, request->method, NULL, request->values,
                                                  count);
    int rc = troupe_get (future, &value) ? cli_failed (&verb_call, "%s", troupe_error ())
                                         : s_print (request, value);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    return rc;
}

static int
s_connect_and_call (request_t *request, connection_t *connection)
{
    int rc = connection_read (&verb_call, connection);
    if (rc)
        return rc;
    troupe_t *peer = cli_connect (&verb_call, connection);
    if (!peer)
        return EXIT_UNREACHABLE;
    rc = s_call (request, peer);
    client_disconnect (&peer);
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    request_t request = { .name = NULL };
    bool nested = false;
    const char *timeout = NULL;
    double seconds = 0;
    connection_t connection = { NULL, NULL, NULL, "" };
    const option_spec_t specs [] = { { "timeout", OPTION_TEXT, &timeout },
                                     { "json", OPTION_FLAG, &nested },
                                     { "raw", OPTION_FLAG, &request.raw },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_call, argc, argv, specs, &connection, true);
    if (first < 0)
        return arguments_exit (first);
    if (first == argc)
        return cli_usage (&verb_call, "wanted NAME.METHOD");
    if (timeout && (text_amount (timeout, &seconds) || seconds < 0.001 || seconds > 2e6))
        return cli_usage (&verb_call, "--timeout must be a number of seconds, not '%s'",
                          timeout);
    request.timeout_ms = (int) (seconds * 1000);
    request.count = (size_t) (argc - first - 1);
    int rc = s_read_target (&request, argv [first]);
    rc = rc ? rc : s_read_arguments (&request, argv + first + 1, nested);
    rc = rc ? rc : s_connect_and_call (&request, &connection);
    s_release (&request);
    return rc;
}

const verb_t verb_call = { "call", s_help, s_run };
