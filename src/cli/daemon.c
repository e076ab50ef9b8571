/*  daemon.c - the process that `troupe start` leaves behind                 */

#include "cli/daemon.h"

#include "cli/ending.h"
#include "client/place.h"
#include "client/settings.h"
#include "client/state.h"
#include "core/clock.h"
#include "core/printable.h"
#include "head/head.h"
#include "program/folder.h"
#include "wire/beacon.h"
#include "wire/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*  A silent node is suspect after so many seconds, unless the environment says
    otherwise (TROUPE_SUSPECT_AFTER).                                       */
#define SUSPECT_AFTER 3

/*  So many seconds a node waits for a head that has fallen silent
    (TROUPE_AWAIT_HEAD), and for one that was stopped (TROUPE_AWAIT_STOPPED). */
#define AWAIT_HEAD 600
#define AWAIT_STOPPED 0

/*  Hosts of the same name in a cluster, unless nodes are named.            */
#define SAME_NAME_MAX 1000

/*  What the tasks of one job that wait at the head may take of the memory.  */
#define JOB_MEMORY_PART 4

/*  Logs that are kept of daemons that have ended.                          */
#define OLD_LOGS_MAX 20

typedef struct {
    const start_options_t *options;
    char folder [400];
    char keys_path [512];
    char token_path [512];
    char programs [512];
    char logs [512];
    char modules [2048];
    char resources [512];
    char name [64];
    char head_endpoint [HOST_MAX + 32]; /*  for the agent and its workers   */
    bool far;
    uint8_t cookie [COOKIE_SIZE];
    cluster_keys_t keys;
    tokens_t tokens;
    beacon_t *beacon;
    network_t network;
    void *context;
    head_settings_t settings;
    int64_t await_head;
    int64_t await_stopped;
    ending_t ending;
    head_t *head;
    store_t *store;
    agent_t *agent;
    state_t state;
} daemon_t;

/*  --- what the daemon writes -------------------------------------------  */

/*  Its standard error is the log, or the terminal if it is in the foreground. */
static void
s_log (void *context, const char *text)
{
    struct timespec now;
    struct tm parts;
    char when [32];
    (void) context;
    clock_gettime (CLOCK_REALTIME, &now);
    localtime_r (&now.tv_sec, &parts);
    strftime (when, sizeof when, "%F %T", &parts);
    fprintf (stderr, "%s.%03ld %s\n", when, now.tv_nsec / 1000000, text);
}

/*  --- choosing ---------------------------------------------------------  */

static double
s_cpus (const start_options_t *options)
{
    cpu_set_t set;
    if (options->cpus >= 0)
        return options->cpus;
    return sched_getaffinity (0, sizeof set, &set) == 0 && CPU_COUNT (&set) > 0
               ? CPU_COUNT (&set)
               : 1;
}

static int
s_choose_resources (daemon_t *self, fault_t *fault)
{
    const start_options_t *options = self->options;
    double memory = options->memory >= 0
                        ? (double) options->memory
                        : (double) sysconf (_SC_PHYS_PAGES) * (double) sysconf (_SC_PAGESIZE);
    int length = snprintf (self->resources, sizeof self->resources, "cpus=%.4f memory=%.0f",
                           s_cpus (options), memory);
    for (size_t index = 0; index < options->resource_count && length > 0
                           && (size_t) length < sizeof self->resources;
         index++)
        length += snprintf (self->resources + length, sizeof self->resources - (size_t) length,
                            " %s=%.4f", options->resources [index].name,
                            options->resources [index].amount);
    return length > 0 && (size_t) length < sizeof self->resources
               ? 0
               : fault_set (fault, TROUPE_EINVAL, "too many resources");
}

static int
s_choose_modules (daemon_t *self, fault_t *fault)
{
    size_t length = 0;
    for (size_t index = 0; index < self->options->module_count; index++) {
        /*  Workers look for modules in folders.                            */
        char *path = realpath (self->options->modules [index], NULL);
        char *name = path ? strrchr (path, '/') : NULL;
        if (!name || access (path, R_OK)) {
            free (path);
            return fault_set (fault, TROUPE_EINVAL, "module %s: %s",
                              self->options->modules [index], strerror (errno));
        }
        name [name == path] = 0;
        int more = snprintf (self->modules + length, sizeof self->modules - length, "%s%s",
                             length ? ":" : "", path);
        free (path);
        length += (size_t) more;
        if (length >= sizeof self->modules)
            return fault_set (fault, TROUPE_EINVAL, "too many modules");
    }
    return 0;
}

/*  The environment is where workers find them, too; there are no other
    threads yet.                                                            */
static int
s_choose_ranges (const char *variable, const char *const *ranges, size_t count, fault_t *fault)
{
    char text [1024] = "";
    size_t length = 0;
    for (size_t index = 0; index < count && length < sizeof text; index++)
        length += (size_t) snprintf (text + length, sizeof text - length, "%s%s",
                                     length ? " " : "", ranges [index]);
    if (length >= sizeof text)
        return fault_set (fault, TROUPE_EINVAL, "too many ranges of addresses");
    return count && setenv (variable, text, 1)
               ? fault_set (fault, TROUPE_ENOMEM, "no memory for the environment")
               : 0;
}

/*  The name that was asked for; else the host's, with a number behind it from
    2 on: hosts made from one image have the same name.                     */
static void
s_choose_name (daemon_t *self, unsigned number)
{
    char host [48] = "node";
    if (self->options->name)
        snprintf (self->name, sizeof self->name, "%s", self->options->name);
    else {
        if (gethostname (host, sizeof host - 1))
            snprintf (host, sizeof host, "node");
        host [strcspn (host, ". ")] = 0;
        snprintf (self->name, sizeof self->name, number > 1 ? "%s-%u" : "%s", host, number);
    }
    snprintf (self->logs, sizeof self->logs, "%s/logs-%s", self->folder, self->name);
}

static int
s_choose_settings (daemon_t *self, fault_t *fault)
{
    head_settings_t *settings = &self->settings;
    size_t pages = (size_t) sysconf (_SC_PHYS_PAGES), page = (size_t) sysconf (_SC_PAGESIZE);
    settings->job_bytes = pages / JOB_MEMORY_PART * page;
    if (network_seconds ("TROUPE_SUSPECT_AFTER", SUSPECT_AFTER, 2, &settings->suspect_after, fault)
        || network_patience (&settings->dead_after, fault)
        || network_seconds ("TROUPE_AWAIT_HEAD", AWAIT_HEAD, 0, &self->await_head, fault)
        || network_seconds ("TROUPE_AWAIT_STOPPED", AWAIT_STOPPED, 0, &self->await_stopped, fault))
        return -1;
    return settings->suspect_after <= settings->dead_after
               ? 0
               : fault_set (fault, TROUPE_EINVAL,
                            "TROUPE_SUSPECT_AFTER is more than TROUPE_DEAD_AFTER");
}

static int
s_choose (daemon_t *self, fault_t *fault)
{
    const start_options_t *options = self->options;
    if (state_folder (self->folder, sizeof self->folder, fault)
        || s_choose_resources (self, fault) || s_choose_modules (self, fault)
        || s_choose_settings (self, fault)
        || s_choose_ranges ("TROUPE_ALLOW", options->allow, options->allow_count, fault)
        || s_choose_ranges ("TROUPE_DENY", options->deny, options->deny_count, fault))
        return -1;
    s_choose_name (self, 1);
    /*  The same when the daemon works in another folder; there are no other
        threads yet.                                                        */
    if (setenv ("TROUPE_FOLDER", self->folder, 1))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the environment");
    snprintf (self->programs, sizeof self->programs, "%s/programs", self->folder);
    return 0;
}

/*  --- the head ---------------------------------------------------------  */

static int
s_write_token (daemon_t *self, const join_token_t *token, started_t *started, fault_t *fault)
{
    char fresh [600];
    if (token_write (token, started->token, fault))
        return -1;
    snprintf (fresh, sizeof fresh, "%s.new", self->token_path);
    unlink (fresh);
    int fd = open (fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t length = strlen (started->token);
    bool good = fd >= 0 && write (fd, started->token, length) == (ssize_t) length
                && write (fd, "\n", 1) == 1;
    good = fd >= 0 && close (fd) == 0 && good;
    if (good && rename (fresh, self->token_path) == 0)
        return 0;
    return fault_set (fault, TROUPE_ESYSTEM, "cannot write %s: %s", self->token_path,
                      strerror (errno));
}

/*  A head at a fixed port keeps its keys from one start to the next, so that
    nodes and drivers find it again.                                        */
static int
s_open_keys (daemon_t *self, fault_t *fault)
{
    int port = self->options->port;
    snprintf (self->keys_path, sizeof self->keys_path, "%s/keys-%s%d", self->folder,
              port ? "" : "of-", port ? port : (int) getpid ());
    snprintf (self->token_path, sizeof self->token_path, "%s/token-%s%d", self->folder,
              port ? "" : "of-", port ? port : (int) getpid ());
    return keys_available (fault) || cluster_keys_open (&self->keys, self->keys_path, fault)
               ? -1
               : 0;
}

/*  The address that others reach this machine at.                          */
static int
s_open_host (daemon_t *self, const char *bind, fault_t *fault)
{
    bool any = strcmp (bind, "0.0.0.0") == 0 || strcmp (bind, "::") == 0
               || strcmp (bind, "*") == 0;
    if (self->options->insecure && !network_is_loopback (bind))
        return fault_set (fault, TROUPE_EINVAL,
                          "--insecure is for loopback addresses only, not for %s", bind);
    if (any)
        return network_source ("192.0.2.1", 9, self->network.host, fault);
    snprintf (self->network.host, sizeof self->network.host, "%s", bind);
    return 0;
}

static int
s_open_gate (daemon_t *self, fault_t *fault)
{
    network_t *network = &self->network;
    self->context = socket_context_new (fault);
    return self->context ? network_open (network, self->context, s_log, fault) : -1;
}

/*  A part of the daemon has ended for good, and so the rest is to end.     */
static void
s_end_daemon (void *context, const fault_t *why)
{
    daemon_t *self = context;
    ending_report (&self->ending, why);
}

/*  Who has one of the cluster's tokens gets to the head.                   */
static int
s_admit_tokens (daemon_t *self, fault_t *fault)
{
    char path [sizeof self->keys_path + 8];
    gate_t *gate = self->network.gate;
    snprintf (path, sizeof path, "%s.tokens", self->keys_path);
    if (tokens_open (&self->tokens, path, fault)
        || (!self->tokens.default_revoked
            && gate_allow (gate, DOMAIN_HEAD, self->keys.admission.public_key, TOKEN_DEFAULT,
                           fault)))
        return -1;
    for (size_t index = 0; index < self->tokens.count; index++)
        if (gate_allow (gate, DOMAIN_HEAD, self->tokens.list [index].key,
                        self->tokens.list [index].name, fault))
            return -1;
    return 0;
}

static int
s_start_head (daemon_t *self, started_t *started, fault_t *fault)
{
    const start_options_t *options = self->options;
    const char *bind = options->bind ? options->bind : options->insecure ? "127.0.0.1" : "0.0.0.0";
    network_t *network = &self->network;
    network->insecure = options->insecure;
    if (s_open_keys (self, fault) || s_open_host (self, bind, fault) || s_open_gate (self, fault))
        return -1;
    network->admission = self->keys.admission;
    memcpy (network->head_key, self->keys.head.public_key, KEY_SIZE);
    token_cookie (&network->admission, self->cookie);
    if (network->insecure ? gate_allow_insecure (network->gate, DOMAIN_HEAD, fault)
                          : s_admit_tokens (self, fault))
        return -1;
    uint64_t name [2];
    if (getrandom (name, sizeof name, 0) != sizeof name)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    snprintf (self->head_endpoint, sizeof self->head_endpoint,
              "ipc://@troupe-head-%016llx%016llx", (unsigned long long) name [0],
              (unsigned long long) name [1]);
    const char *endpoints [] = { self->head_endpoint, NULL };
    head_options_t head = { .endpoints = endpoints,
                            .cookie = self->cookie,
                            .network = network,
                            .keys = &self->keys,
                            .tokens = network->insecure ? NULL : &self->tokens,
                            .host = bind,
                            .port = options->port > 0 ? (uint16_t) options->port : 0,
                            .programs = self->programs,
                            .address = network->host,
                            .settings = &self->settings,
                            .log = s_log,
                            .log_context = self,
                            .failed = s_end_daemon };
    self->head = head_new (self->context, &head, fault);
    if (!self->head)
        return -1;
    const char *port = strrchr (head_endpoint (self->head), ':');
    uint16_t number = (uint16_t) (port ? atoi (port + 1) : 0);
    join_token_t token;
    if (token_make (&token, &self->keys, network->host, number, fault)
        || s_write_token (self, &token, started, fault))
        return -1;
    network_address (started->address, network->host, number);
    cluster_text (self->keys.cluster, self->state.cluster);
    if (options->beacon)
        self->beacon = beacon_new (self->keys.cluster, number, fault);
    return options->beacon && !self->beacon ? -1 : 0;
}

/*  --- a node that joins ------------------------------------------------  */

static int
s_find_head (daemon_t *self, started_t *started, fault_t *fault)
{
    place_t place;
    network_t *network = &self->network;
    if (place_find (&place, self->options->address, self->options->token, fault))
        return -1;
    network->insecure = place.insecure;
    network->admission = place.token.admission;
    memcpy (network->head_key, place.token.head_key, KEY_SIZE);
    token_cookie (&network->admission, self->cookie);
    self->far = !place.endpoint [0];
    if (self->far)
        network_endpoint (self->head_endpoint, sizeof self->head_endpoint, place.token.host,
                          place.token.port);
    else
        snprintf (self->head_endpoint, sizeof self->head_endpoint, "%s", place.endpoint);
    network_address (started->address, place.token.host, place.token.port);
    cluster_text (place.token.cluster, self->state.cluster);
    snprintf (self->token_path, sizeof self->token_path, "%s/token-of-%d", self->folder,
              (int) getpid ());
    if (s_write_token (self, &place.token, started, fault))
        return -1;
    if (self->options->bind)
        snprintf (network->host, sizeof network->host, "%s", self->options->bind);
    else if (network_source (place.token.host, place.token.port, network->host, fault))
        return -1;
    token_wipe (&place.token);
    return s_open_gate (self, fault);
}

/*  --- both -------------------------------------------------------------  */

static int
s_start_store (daemon_t *self, fault_t *fault)
{
    store_options_t options = { .context = self->context, .network = &self->network,
                                .log = s_log };
    if (store_settings (&options, fault))
        return -1;
    if (self->options->object_memory)
        options.memory = (uint64_t) self->options->object_memory;
    if (self->options->spill_folder)
        options.spill_folder = *self->options->spill_folder ? self->options->spill_folder : NULL;
    self->store = store_new (&options, fault);
    return self->store ? 0 : -1;
}

static int
s_start_agent (daemon_t *self, const started_t *started, fault_t *fault)
{
    agent_options_t options = { .context = self->context,
                                .head_endpoint = self->head_endpoint,
                                .head_address = started->address,
                                .worker_endpoint = self->head_endpoint,
                                .far = self->far,
                                .cookie = self->cookie,
                                .network = &self->network,
                                .name = self->name,
                                .resources = self->resources,
                                .programs = self->programs,
                                .logs = self->logs,
                                .modules = *self->modules ? self->modules : NULL,
                                .store = self->store,
                                .patience = self->settings.dead_after,
                                .await_head = self->await_head,
                                .await_stopped = self->await_stopped,
                                .of_head = self->options->head,
                                .log = s_log,
                                .log_context = self,
                                .ended = s_end_daemon };
    self->agent = agent_new (&options, fault);
    for (unsigned number = 2; !self->agent && fault->code == TROUPE_EEXISTS
                              && !self->options->name && number <= SAME_NAME_MAX;
         number++) {
        s_choose_name (self, number);
        self->agent = agent_new (&options, fault);
    }
    return self->agent ? 0 : -1;
}

static int
s_save_state (daemon_t *self, const started_t *started, fault_t *fault)
{
    state_t *state = &self->state;
    state->head = self->options->head;
    state->insecure = self->network.insecure;
    network_machine (state->machine);
    snprintf (state->address, sizeof state->address, "%s", started->address);
    snprintf (state->node, sizeof state->node, "%s", self->name);
    snprintf (state->token, sizeof state->token, "%s", self->token_path);
    snprintf (state->store, sizeof state->store, "%s", store_endpoint (self->store));
    if (state->head)
        snprintf (state->endpoint, sizeof state->endpoint, "%.127s", self->head_endpoint);
    return state_save (state, fault);
}

static int
s_start (daemon_t *self, started_t *started, fault_t *fault)
{
    if (s_choose (self, fault)
        || (self->options->head ? s_start_head (self, started, fault)
                                : s_find_head (self, started, fault))
        || s_start_store (self, fault) || s_start_agent (self, started, fault)
        || s_save_state (self, started, fault))
        return -1;
    snprintf (started->token_file, sizeof started->token_file, "%s", self->token_path);
    snprintf (started->node, sizeof started->node, "%s", self->name);
    started->pid = (int) getpid ();
    started->cpus = s_cpus (self->options);
    return 0;
}

/*  For the log, and for troupe stop, which looks into the state. If that cannot
    be written, it says less.                                               */
static void
s_say_waits (void *context, const char *text)
{
    daemon_t *self = context;
    fault_t fault;
    char clean [PRINTABLE_GROWTH * FAULT_TEXT_MAX], line [sizeof self->state.waits + 16];
    int length = (int) printable_write (clean, text, strnlen (text, FAULT_TEXT_MAX));
    int room = (int) sizeof self->state.waits - 1;
    snprintf (self->state.waits, sizeof self->state.waits, "%.*s", length < room ? length : room,
              clean);
    snprintf (line, sizeof line, "waits for %s", self->state.waits);
    if (length)
        s_log (NULL, line);
    state_save (&self->state, &fault);
}

/*  Returns 0, or -1 with the fault set: it ends for want of what it needs. */
static int
s_serve (daemon_t *self, fault_t *fault)
{
    ending_await (&self->ending);
    if (!ending_at_once (&self->ending, fault))
        s_log (NULL, "asked to end: waiting for what still runs");
    ending_drain (&self->ending, self->agent, s_say_waits, self);
    bool at_once = ending_at_once (&self->ending, fault);
    if (at_once && !fault->code)
        s_log (NULL, "told to end at once, whatever runs");
    /*  That its cluster was stopped is an end in order.                    */
    if (fault->code == TROUPE_ESTOPPED)
        s_log (NULL, fault->text);
    return fault->code && fault->code != TROUPE_ESTOPPED ? -1 : 0;
}

/*  From now on nobody finds it but who waits for its end.                  */
static void
s_hide (daemon_t *self)
{
    fault_t fault;
    self->state.ending = true;
    self->state.waits [0] = 0;
    if (!self->state.pid || state_save (&self->state, &fault))
        state_remove (getpid ());
}

/*  An agent that hangs has the store in use, and keeps no head from saying
    goodbye to the others.                                                  */
static void
s_end (daemon_t *self)
{
    fault_t fault;
    s_hide (self);
    bool hangs = beacon_destroy (&self->beacon) != 0;
    hangs = agent_destroy (&self->agent) || hangs;
    hangs = (!hangs && store_destroy (&self->store)) || hangs;
    hangs = head_destroy (&self->head) || hangs;
    if (hangs || network_close (&self->network, &fault)) {
        s_log (NULL, "something did not end; leaving it");
        state_remove (getpid ());
        _exit (1);
    }
    if (self->context)
        zmq_ctx_term (self->context);
    tokens_release (&self->tokens);
    cluster_keys_wipe (&self->keys);
    state_remove (getpid ());
}

/*  Pieces of objects come and go by the thousand: what malloc() gives back to
    the system after each, the kernel clears for the next, which takes longer
    than all else.                                                          */
static void
s_prepare_memory (void)
{
    mallopt (M_MMAP_THRESHOLD, 4 << 20);
    mallopt (M_TRIM_THRESHOLD, 32 << 20);
}

static int
s_run (const start_options_t *options, daemon_ready_t *ready, void *context, started_t *started,
       fault_t *fault)
{
    daemon_t self = { .options = options };
    sigset_t before;
    int64_t begin = clock_now ();
    ending_init (&self.ending, &before);
    /*  Whoever has started it, or reads its log, may have gone.            */
    signal (SIGPIPE, SIG_IGN);
    s_prepare_memory ();
    thread_prepare ();
    int rc = s_start (&self, started, fault);
    rc = rc ? rc : ending_start (&self.ending, fault);
    if (rc == 0) {
        started->milliseconds = (double) (clock_now () - begin) / CLOCK_MS;
        s_log (NULL, options->head ? "the head and its node are up" : "the node is up");
        /*  It keeps no folder in use but its own.                          */
        if (!options->foreground && chdir (self.folder))
            s_log (NULL, "cannot enter the folder of the state");
        if (ready)
            ready (started, context);
        rc = s_serve (&self, fault);
    }
    s_end (&self);
    ending_stop (&self.ending, &before);
    return rc;
}

/*  --- in the background ------------------------------------------------  */

typedef struct {
    int rc;
    started_t started;
    fault_t fault;
} report_t;

static void
s_write_report (const started_t *started, void *context)
{
    report_t report = { .rc = 0, .started = *started };
    int *fd = context;
    if (write (*fd, &report, sizeof report) < 0) {
        /*  Who has started us does not listen.                             */
    }
    close (*fd);
    *fd = -1;
}

static bool
s_is_old_log (const char *name)
{
    int pid, end = 0;
    return sscanf (name, "daemon-%d.log%n", &pid, &end) == 1 && end > 0 && !name [end]
           && state_started (pid) == 0;
}

/*  Removes the logs of daemons that ended longest ago.                     */
static void
s_prune_logs (const char *path)
{
    size_t count = 0;
    int folder = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder_entry_t *entries = folder < 0 ? NULL : folder_list (folder, s_is_old_log, &count);
    for (size_t index = 0; index + OLD_LOGS_MAX < count; index++)
        unlinkat (folder, entries [index].name, 0);
    free (entries);
    if (folder >= 0)
        close (folder);
}

static void
s_redirect (void)
{
    char folder [400], path [512];
    fault_t fault;
    int in = open ("/dev/null", O_RDWR | O_CLOEXEC), out = -1;
    if (state_folder (folder, sizeof folder, &fault) == 0) {
        s_prune_logs (folder);
        snprintf (path, sizeof path, "%s/daemon-%d.log", folder, (int) getpid ());
        out = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    dup2 (in, 0);
    dup2 (in, 1);
    dup2 (out >= 0 ? out : in, 2);
    setvbuf (stderr, NULL, _IOLBF, 0);
}

/*  Keeps nothing of the shell that started it but the report's pipe.       */
static void
s_become_daemon (const start_options_t *options, int report_fd)
{
    report_t report = { .rc = -1 };
    setsid ();
    s_redirect ();
    report.rc = s_run (options, s_write_report, &report_fd, &report.started, &report.fault);
    if (report_fd >= 0 && write (report_fd, &report, sizeof report) < 0) {
        /*  Nobody listens.                                                 */
    }
    if (report.rc)
        s_log (NULL, report.fault.text);
    _exit (report.rc ? 1 : 0);
}

static int
s_read_report (int fd, pid_t child, report_t *report, fault_t *fault)
{
    size_t size = 0;
    ssize_t got;
    while (size < sizeof *report
           && ((got = read (fd, (char *) report + size, sizeof *report - size)) > 0
               || (got < 0 && errno == EINTR)))
        size += got > 0 ? (size_t) got : 0;
    if (size < sizeof *report) {
        int status = 0;
        waitpid (child, &status, 0);
        return fault_set (fault, TROUPE_ELOST, "the daemon ended as it started (status %d)",
                          WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
    }
    *fault = report->fault;
    return report->rc;
}

int
daemon_start (const start_options_t *options, daemon_ready_t *ready, void *context,
              started_t *result, fault_t *fault)
{
    int fds [2];
    *result = (started_t){ 0 };
    if (options->foreground)
        return s_run (options, ready, context, result, fault);
    if (pipe2 (fds, O_CLOEXEC))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot make a pipe: %s", strerror (errno));
    fflush (NULL);
    pid_t child = fork ();
    if (child == 0) {
        close (fds [0]);
        s_become_daemon (options, fds [1]);
    }
    close (fds [1]);
    report_t *report = calloc (1, sizeof *report);
    int rc = child < 0 ? fault_set (fault, TROUPE_ESYSTEM, "cannot fork: %s", strerror (errno))
             : !report ? fault_set (fault, TROUPE_ENOMEM, "no memory")
                       : s_read_report (fds [0], child, report, fault);
    close (fds [0]);
    if (rc == 0)
        *result = report->started;
    free (report);
    return rc;
}
