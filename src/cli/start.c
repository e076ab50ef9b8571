/*  start.c - troupe start                                                  */

#include "cli/cli.h"

#include "cli/daemon.h"
#include "cli/json.h"
#include "cli/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char s_help [] =
    "usage: troupe start --head [--bind ADDR] [--port N] [NODE-OPTION]...\n"
    "       troupe start --address HOST:PORT [--token TOKEN] [NODE-OPTION]...\n"
    "Starts a cluster on this machine, or joins one as a node. It returns when all is\n"
    "ready, and says how other machines join and how programs connect.\n"
    "\n"
    "  --head               start the head of a new cluster, with a node\n"
    "  --bind ADDR          listen on this address only (all)\n"
    "  --port N             listen on this port; 0 takes a free one (7690)\n"
    "  --beacon             tell the local network by UDP, once a second, where it is\n"
    "  --insecure           no keys and no encryption; loopback addresses only\n"
    "\n"
    "  --address HOST:PORT  join the cluster of this head; a token will do, which has\n"
    "                       the address in it; \"beacon\" listens for that of --beacon\n"
    "  --token TOKEN        what lets this machine in, as the head printed it\n"
    "  --token-file FILE    the same in a file; - is standard input\n"
    "\n"
    "  --name NODE          name of the node (the machine's)\n"
    "  --cpus N             CPUs to offer, fractions allowed (as many as there are)\n"
    "  --memory SIZE        memory to offer, such as 8G (what the machine has)\n"
    "  --object-memory SIZE memory for shared objects (a third of what there is)\n"
    "  --spill-dir FOLDER   where objects go that find no room there, \"off\" for\n"
    "                       nowhere (TMPDIR or /tmp)\n"
    "  --gpus N             GPUs to offer (0)\n"
    "  --resource NAME=N    so much of a resource of any name; repeatable\n"
    "  --module FILE.so     load actor classes in each worker; repeatable\n"
    "  --allow RANGE        let in only who connects from there, such as 10.0.0.0/8;\n"
    "                       repeatable\n"
    "  --deny RANGE         not from there; repeatable\n"
    "  --foreground         stay in the foreground, as a service manager wants it\n"
    "  --json               print what is started as JSON\n";

/*  A node's name is the name of an identity.                               */
#define NODE_NAME_MAX 63

typedef struct {
    bool head, foreground, insecure, beacon, json;
    const char *bind, *port, *cpus, *memory, *gpus, *name, *object_memory, *spill_dir;
    text_list_t resources, modules, allow, deny;
    connection_t connection;
    char names [DAEMON_RESOURCES_MAX] [TROUPE_NAME_MAX + 1];
} request_t;

static int
s_add_resource (start_options_t *options, const char *name, double amount)
{
    if (options->resource_count == DAEMON_RESOURCES_MAX)
        return cli_usage (&verb_start, "there are more than %d resources",
                          DAEMON_RESOURCES_MAX);
    for (size_t i = 0; i < options->resource_count; i++)
        if (strcmp (options->resources [i].name, name) == 0)
            return cli_usage (&verb_start, "the resource '%s' is given twice", name);
    options->resources [options->resource_count++] = (start_resource_t){ name, amount };
    return 0;
}

static int
s_read_resources (request_t *request, start_options_t *options)
{
    double amount;
    int rc = 0;
    if (request->gpus && text_amount (request->gpus, &amount))
        return cli_usage (&verb_start, "--gpus must be a number, not '%s'", request->gpus);
    if (request->gpus)
        rc = s_add_resource (options, "gpus", amount);
    for (size_t i = 0; i < request->resources.count && !rc; i++) {
        const char *text = request->resources.items [i], *value;
        char *name = request->names [i];
        if (text_pair (text, name, TROUPE_NAME_MAX + 1, &value) || text_amount (value, &amount))
            return cli_usage (&verb_start, "--resource must be NAME=N, not '%s'", text);
        if (strcmp (name, "cpus") == 0 || strcmp (name, "memory") == 0)
            return cli_usage (&verb_start, "--resource %s=: there is --%s for it", name, name);
        rc = s_add_resource (options, name, amount);
    }
    return rc;
}

static int
s_read_modules (const request_t *request, start_options_t *options)
{
    for (size_t i = 0; i < request->modules.count; i++) {
        const char *path = request->modules.items [i];
        if (access (path, R_OK))
            return cli_usage (&verb_start, "--module %s: %s", path, strerror (errno));
        options->modules [options->module_count++] = path;
    }
    return 0;
}

static int
s_read_numbers (const request_t *request, start_options_t *options)
{
    int64_t port;
    if (request->port) {
        if (text_integer (request->port, 0, 65535, &port))
            return cli_usage (&verb_start, "--port must be a number from 0 to 65535, not '%s'",
                              request->port);
        options->port = (int) port;
    }
    if (request->cpus && text_amount (request->cpus, &options->cpus))
        return cli_usage (&verb_start, "--cpus must be a number, not '%s'", request->cpus);
    if (request->memory && text_size (request->memory, &options->memory))
        return cli_usage (&verb_start, "--memory must be a size such as 512M or 8G, not '%s'",
                          request->memory);
    if (request->object_memory && text_size (request->object_memory, &options->object_memory))
        return cli_usage (&verb_start,
                          "--object-memory must be a size such as 512M or 8G, not '%s'",
                          request->object_memory);
    if (request->spill_dir)
        options->spill_folder = strcmp (request->spill_dir, "off") ? request->spill_dir : "";
    return 0;
}

/*  What belongs together and what does not.                                */
static int
s_check (const request_t *request)
{
    const connection_t *to = &request->connection;
    if (request->head && to->address)
        return cli_usage (&verb_start, "--head starts a cluster and --address joins one: "
                                       "only one of them");
    if (!request->head && !to->address)
        return cli_usage (&verb_start, "wanted --head, to start a cluster, or --address "
                                       "HOST:PORT, to join one");
    if (request->head && (to->token || to->token_file))
        return cli_usage (&verb_start, "a head makes its own token: --token is for --address");
    if (!request->head
        && (request->bind || request->port || request->beacon || request->insecure))
        return cli_usage (&verb_start, "--bind, --port, --beacon and --insecure are for --head");
    if (request->beacon && request->insecure)
        return cli_usage (&verb_start, "--beacon is for other machines, --insecure for none");
    if (request->name && (!*request->name || strlen (request->name) > NODE_NAME_MAX))
        return cli_usage (&verb_start, "--name must have 1 to %d bytes", NODE_NAME_MAX);
    return 0;
}

/*  --- what is said ------------------------------------------------------- */

static void
s_print_json (const started_t *started)
{
    fputs ("{\"node\": ", stdout);
    json_print_text (stdout, started->node);
    fputs (", \"address\": ", stdout);
    json_print_text (stdout, started->address);
    fputs (", \"token\": ", stdout);
    json_print_text (stdout, started->token);
    fputs (", \"token_file\": ", stdout);
    json_print_text (stdout, started->token_file);
    printf (", \"pid\": %d, \"cpus\": %g, \"seconds\": %.3f}\n", started->pid, started->cpus,
            started->milliseconds / 1000);
}

/*  A cluster without keys is for this user on this machine, who needs no token
    there.                                                                  */
static void
s_print_ways (const screen_t *screen, const started_t *started, bool insecure)
{
    const char *token = insecure ? "" : started->token;
    screen_print (screen, stdout, STYLE_BOLD,
                  insecure ? "\nAnother node of this machine joins with\n"
                           : "\nAnother machine joins with\n");
    printf ("    troupe start --address %s%s%s\n", started->address, *token ? " --token " : "",
            token);
    screen_print (screen, stdout, STYLE_BOLD,
                  "\nA program runs on it, from this machine, with\n");
    fputs ("    troupe run ./program\n", stdout);
    if (!insecure) {
        screen_print (screen, stdout, STYLE_BOLD, "and from any machine with\n");
        printf ("    export TROUPE_ADDRESS=%s\n    export TROUPE_TOKEN=%s\n    ./program\n",
                started->address, token);
    }
    screen_print (screen, stdout, STYLE_BOLD, "\nTo look at it");
    fputs ("    troupe status\n", stdout);
    screen_print (screen, stdout, STYLE_BOLD, "To end it");
    fputs ("        troupe stop\n", stdout);
}

/*  "node alpha: 4 CPUs, pid 4711, ready in 84 ms".                         */
static void
s_print_node (const started_t *started)
{
    char *cpus = text_of_amount (started->cpus);
    printf ("node %s: %s CPU%s, pid %d, ready in %.0f ms.\n", started->node, cpus ? cpus : "?",
            started->cpus > 1 ? "s" : "", started->pid, started->milliseconds);
    free (cpus);
}

static void
s_print_head (const screen_t *screen, const started_t *started, bool insecure)
{
    screen_print (screen, stdout, STYLE_BOLD, "The cluster is up");
    printf (" at %s with ", started->address);
    s_print_node (started);
    s_print_ways (screen, started, insecure);
    if (insecure)
        return;
    fputs ("\nWhoever has the token is let in, so keep it secret.", stdout);
    if (*started->token_file)
        printf (" It is also in\n%s.", started->token_file);
    putchar ('\n');
}

typedef struct {
    const request_t *request;
    screen_t screen;
} announcement_t;

static void
s_announce (const started_t *started, void *context)
{
    const announcement_t *self = context;
    if (self->request->insecure)
        fputs ("Warning: nothing is encrypted. Who can listen to this machine's loopback "
               "interface\ncan read it all, and come in.\n",
               stderr);
    if (self->request->json)
        s_print_json (started);
    else if (self->request->head)
        s_print_head (&self->screen, started, self->request->insecure);
    else {
        screen_print (&self->screen, stdout, STYLE_BOLD, "Joined");
        printf (" the cluster at %s as ", started->address);
        s_print_node (started);
        fputs ("To look at the cluster: troupe status. To leave it: troupe stop.\n", stdout);
    }
    fflush (stdout);
}

static int
s_start (const request_t *request, const start_options_t *options)
{
    announcement_t announcement = { request, screen_look () };
    started_t started;
    fault_t fault = { TROUPE_OK, "" };
    memset (&started, 0, sizeof started);
    if (daemon_start (options, options->foreground ? s_announce : NULL, &announcement, &started,
                      &fault)) {
        cli_failed (&verb_start, "%s", fault.text);
        bool unreachable = !options->head && fault.code == TROUPE_ETIMEOUT;
        return unreachable ? EXIT_UNREACHABLE : EXIT_FAILED;
    }
    if (!options->foreground)
        s_announce (&started, &announcement);
    return cli_done (&verb_start);
}

static int
s_run (int argc, char *argv [])
{
    request_t request = { .head = false };
    const option_spec_t specs [] = {
        { "head", OPTION_FLAG, &request.head },
        { "bind", OPTION_TEXT, &request.bind },
        { "port", OPTION_TEXT, &request.port },
        { "insecure", OPTION_FLAG, &request.insecure },
        { "beacon", OPTION_FLAG, &request.beacon },
        { "name", OPTION_TEXT, &request.name },
        { "cpus", OPTION_TEXT, &request.cpus },
        { "memory", OPTION_TEXT, &request.memory },
        { "object-memory", OPTION_TEXT, &request.object_memory },
        { "spill-dir", OPTION_TEXT, &request.spill_dir },
        { "gpus", OPTION_TEXT, &request.gpus },
        { "resource", OPTION_LIST, &request.resources },
        { "module", OPTION_LIST, &request.modules },
        { "allow", OPTION_LIST, &request.allow },
        { "deny", OPTION_LIST, &request.deny },
        { "foreground", OPTION_FLAG, &request.foreground },
        { "json", OPTION_FLAG, &request.json },
        { NULL, OPTION_END, NULL }
    };
    int first = arguments_read (&verb_start, argc, argv, specs, &request.connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first < argc)
        return cli_usage (&verb_start, "it takes no '%s'", argv [first]);
    start_options_t options = { .head = request.head, .foreground = request.foreground,
                                .insecure = request.insecure,
                                .beacon = request.beacon,
                                .bind = request.bind,
                                .port = DAEMON_PORT, .cpus = -1, .memory = -1,
                                .name = request.name,
                                .allow = request.allow.items,
                                .allow_count = request.allow.count,
                                .deny = request.deny.items,
                                .deny_count = request.deny.count };
    int rc = s_check (&request);
    rc = rc ? rc : s_read_numbers (&request, &options);
    rc = rc ? rc : s_read_resources (&request, &options);
    rc = rc ? rc : s_read_modules (&request, &options);
    rc = rc ? rc : connection_read (&verb_start, &request.connection);
    if (rc)
        return rc;
    options.address = request.connection.address;
    options.token = request.connection.token;
    if (!options.head && !options.token)
        options.token = getenv ("TROUPE_TOKEN");
    return s_start (&request, &options);
}

const verb_t verb_start = { "start", s_help, s_run };
