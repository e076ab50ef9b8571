/*  call.c - troupe call                                                    */

#include "cli/cli.h"

#include "cli/convert.h"
#include "cli/json.h"
#include "cli/rows.h"
#include "cli/signature.h"
#include "client/connect.h"
#include "client/inquire.h"
#include "core/clock.h"
#include "peer/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char s_help [] =
    "usage: troupe call [OPTION]... NAME.METHOD [ARG]...\n"
    "Calls a method of a named actor and prints what it returns, as JSON.\n"
    "\n"
    "  --timeout SECONDS    fail if there is no answer by then\n"
    "  --namespace NAME     where the actor's name is (TROUPE_NAMESPACE)\n"
    "  --json               an ARG of any type that begins with [ or { is JSON\n"
    "  --raw                print a string as it is, without quotes\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n"
    "\n"
    "Where the class says what the method takes (troupe show actor NAME), each ARG is\n"
    "read as that: numbers in decimal, true or false, strings and bytes as they stand,\n"
    "arrays, lists and maps as JSON, an actor by its name. Where it does not, or says\n"
    "any, an ARG that reads as an integer, a real, true, false or null is one, and a\n"
    "word in double quotes a string; anything else is a string. Options come before\n"
    "NAME.\n"
    "\n"
    "Exit codes: 0 it returned; 1 it failed; 2 wrong usage, or an ARG that does not fit,\n"
    "and nothing was called; 3 cannot connect.\n"
    "Example: troupe call kv.set greeting hello\n";

typedef struct {
    char *name;
    const char *method;
    char **words;
    size_t count;
    bool nested;                    /*  --json                              */
    bool raw;
    int64_t deadline;
    const char *space;
    troupe_packer_t **args;         /*  a value each                        */
    troupe_actor_t **actors;        /*  or an actor                         */
    troupe_arg_t *values;           /*  what they hold, and the options     */
} request_t;

static void
s_release (request_t *self)
{
    for (size_t i = 0; self->args && i < self->count; i++)
        troupe_packer_destroy (&self->args [i]);
    for (size_t i = 0; self->actors && i < self->count; i++)
        troupe_actor_destroy (&self->actors [i]);
    free (self->args);
    free (self->actors);
    free (self->values);
    free (self->name);
    self->args = NULL;
    self->actors = NULL;
    self->values = NULL;
    self->name = NULL;
}

/*  Names may have dots, methods have none.                                 */
static int
s_read_target (request_t *self, const char *text)
{
    self->name = strdup (text);
    self->args = calloc (self->count + 1, sizeof *self->args);
    self->actors = calloc (self->count + 1, sizeof *self->actors);
    self->values = calloc (self->count + 2, sizeof *self->values);
    if (!self->name || !self->args || !self->actors || !self->values)
        return cli_failed (&verb_call, "out of memory");
    char *dot = strrchr (self->name, '.');
    if (!dot || dot == self->name || !dot [1])
        return cli_usage (&verb_call, "wanted NAME.METHOD, not '%s'", text);
    *dot = 0;
    self->method = dot + 1;
    return 0;
}

/*  Milliseconds that are left; -1: no limit.                               */
static int
s_left_ms (const request_t *self)
{
    int64_t left = (self->deadline - clock_now ()) / CLOCK_MS;
    return self->deadline == CLOCK_NEVER ? -1 : left > 0 ? (int) left : 0;
}

/*  --- the actor ---------------------------------------------------------- */

/*  Says where else there is an actor of this name.                         */
static void
s_name_spaces (troupe_t *peer, const char *name)
{
    troupe_view_t rows, inside, row;
    const char *why;
    troupe_future_t *future = peer_inquire (peer, "actors", name);
    if (rows_wait (future, &rows, &why) == 0 && troupe_view_enter (rows, &inside) == 0)
        while (troupe_view_next (&inside, &row) == 1) {
            char *each = kind_field (row, "name"), *space = kind_field (row, "namespace");
            if (each && space && strcmp (each, name) == 0)
                fprintf (stderr, "There is one with --namespace '%s'.\n", space);
            free (each);
            free (space);
        }
    troupe_future_destroy (&future);
}

/*  Waits until the actor lives. NULL when it has said why not.             */
static troupe_actor_t *
s_find (const request_t *self, troupe_t *peer, const char *name)
{
    troupe_actor_t *actor = NULL;
    troupe_future_t *future = actor_find (peer, name);
    if (future && troupe_wait (&future, 1, 1, s_left_ms (self), NULL) != 1)
        cli_failed (&verb_call, "the actor '%s' has not started yet", name);
    else if (!future || troupe_get (future, &actor)) {
        actor = NULL;
        cli_failed (&verb_call, "%s%s%s%s", troupe_error (),
                    *self->space ? " in the namespace '" : "", self->space,
                    *self->space ? "'" : "");
        s_name_spaces (peer, name);
    }
    troupe_future_destroy (&future);
    return actor;
}

/*  What the head knows of the actor: the row of that name in our namespace.
    False if there is none.                                                 */
static bool
s_find_row (const request_t *self, troupe_view_t rows, troupe_view_t *row)
{
    troupe_view_t inside;
    bool found = false;
    if (troupe_view_enter (rows, &inside))
        return false;
    while (!found && troupe_view_next (&inside, row) == 1) {
        char *name = kind_field (*row, "name"), *space = kind_field (*row, "namespace");
        found = name && space && strcmp (name, self->name) == 0
                && strcmp (space, self->space) == 0;
        free (name);
        free (space);
    }
    return found;
}

/*  --- arguments ---------------------------------------------------------- */

static int
s_refuse_method (const request_t *self, const char *class_name, troupe_view_t methods)
{
    troupe_view_t inside, method;
    const char *separator = "";
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&text, &size);
    if (file && troupe_view_enter (methods, &inside) == 0)
        while (troupe_view_next (&inside, &method) == 1) {
            fputs (separator, file);
            signature_print (file, method);
            separator = ", ";
        }
    if (file)
        fclose (file);
    int rc = cli_failed (&verb_call, "%s, a %s, has no method '%s'; it has %s", self->name,
                         class_name, self->method, text && *text ? text : "none");
    free (text);
    return rc;
}

static int
s_refuse_count (const request_t *self, const signature_t *signature)
{
    cli_failed (&verb_call, "%s.%s takes %zu argument%s, not %zu", self->name, self->method,
                signature->count, signature->count == 1 ? "" : "s", self->count);
    for (size_t i = 0; i < signature->count; i++)
        fprintf (stderr, "  %.*s: %s, %s\n", (int) signature->parameters [i].name_size,
                 signature->parameters [i].name,
                 parameter_type_text (signature->parameters [i].type),
                 convert_wanted (signature->parameters [i].type));
    return EXIT_USAGE;
}

static int
s_read_argument (request_t *self, troupe_t *peer, size_t index, const parameter_t *parameter)
{
    const char *word = self->words [index];
    char why [CONVERT_WHY_SIZE];
    if (parameter->type == PARAMETER_ACTOR) {
        self->actors [index] = s_find (self, peer, word);
        self->values [index] = troupe_arg_actor (self->actors [index]);
        return self->actors [index] ? 0 : EXIT_FAILED;
    }
    self->args [index] = troupe_packer_new ();
    if (!self->args [index])
        return cli_failed (&verb_call, "out of memory");
    if (convert_word (self->args [index], parameter->type, word, self->nested, why)) {
        cli_failed (&verb_call, "%s.%s: argument %zu%s%.*s: wanted %s (%s), not '%.80s'%s%s%s",
                    self->name, self->method, index + 1, parameter->name_size ? ", " : "",
                    (int) parameter->name_size, parameter->name,
                    parameter_type_text (parameter->type), convert_wanted (parameter->type),
                    word, strlen (word) > 80 ? "..." : "", *why ? ": " : "", why);
        return EXIT_USAGE;
    }
    self->values [index] = troupe_packed (self->args [index]);
    return 0;
}

/*  Methods that are not declared take what the words look like.            */
static int
s_read_arguments (request_t *self, troupe_t *peer, const signature_t *signature)
{
    static const parameter_t any = { "", 0, PARAMETER_ANY };
    int rc = 0;
    if (signature->declared && signature->count != self->count)
        return s_refuse_count (self, signature);
    for (size_t i = 0; i < self->count && !rc; i++)
        rc = s_read_argument (self, peer, i,
                              signature->declared ? &signature->parameters [i] : &any);
    return rc;
}

/*  Asks what the method takes, and reads the words as that.                */
static int
s_prepare (request_t *self, troupe_t *peer)
{
    signature_t signature = { .declared = false };
    troupe_view_t rows, row, methods;
    const char *why = "out of memory";
    troupe_future_t *future = peer_inquire (peer, "actors", self->name);
    char *class_name = NULL;
    int rc = 0;
    if (future && self->deadline != CLOCK_NEVER
        && troupe_wait (&future, 1, 1, s_left_ms (self), NULL) != 1)
        rc = cli_failed (&verb_call, "the head does not answer in time");
    else if (rows_wait (future, &rows, &why))
        rc = cli_failed (&verb_call, "%s", why);
    if (rc == 0 && s_find_row (self, rows, &row)
        && troupe_view_field (row, "methods", &methods) == 0
        && troupe_view_type (methods) == TROUPE_LIST && (class_name = kind_field (row, "class"))
        && signature_find (methods, class_name, self->method, &signature))
        rc = s_refuse_method (self, class_name, methods);
    rc = rc ? rc : s_read_arguments (self, peer, &signature);
    free (class_name);
    troupe_future_destroy (&future);
    return rc;
}

/*  --- the call ----------------------------------------------------------- */

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
s_call (request_t *request, troupe_actor_t *actor)
{
    troupe_options_t options = { .size = sizeof options };
    troupe_view_t value;
    size_t count = request->count;
    int left = s_left_ms (request);
    if (left >= 0) {
        options.timeout_ms = left ? left : 1;
        request->values [count++] = troupe_arg_options (&options);
    }
    troupe_future_t *future = troupe_method_call (actor, request->method, NULL, request->values,
                                                  count);
    int rc;
    if (troupe_get (future, &value) == 0)
        rc = s_print (request, value);
    else if (left >= 0 && troupe_error_code () == TROUPE_ETIMEOUT)
        rc = cli_failed (&verb_call, "%s.%s has not answered in time; it may still run",
                         request->name, request->method);
    else
        rc = cli_failed (&verb_call, "%s", troupe_error ());
    troupe_future_destroy (&future);
    return rc;
}

static int
s_connect_and_call (request_t *request, connection_t *connection)
{
    troupe_t *peer;
    int rc = cli_connect (&verb_call, connection, &peer);
    if (rc)
        return rc;
    troupe_actor_t *actor = s_find (request, peer, request->name);
    rc = actor ? s_prepare (request, peer) : EXIT_FAILED;
    rc = rc ? rc : s_call (request, actor);
    troupe_actor_destroy (&actor);
    s_release (request);
    client_disconnect (&peer);
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    request_t request = { .deadline = CLOCK_NEVER, .space = getenv ("TROUPE_NAMESPACE") };
    const char *timeout = NULL;
    double seconds = 0;
    connection_t connection = { .objects = true };
    const option_spec_t specs [] = { { "timeout", OPTION_TEXT, &timeout },
                                     { "namespace", OPTION_TEXT, &request.space },
                                     { "json", OPTION_FLAG, &request.nested },
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
    if (timeout)
        request.deadline = clock_now () + (int64_t) (seconds * 1000) * CLOCK_MS;
    request.space = connection.space = request.space ? request.space : "";
    request.count = (size_t) (argc - first - 1);
    request.words = argv + first + 1;
    int rc = s_read_target (&request, argv [first]);
    rc = rc ? rc : s_connect_and_call (&request, &connection);
    s_release (&request);
    return rc;
}

const verb_t verb_call = { "call", s_help, s_run };
