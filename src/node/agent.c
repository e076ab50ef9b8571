/*  agent.c - the node agent of a cluster of machines                        */

#include "node/agent_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOIN_TIMEOUT (5000 * CLOCK_MS)
#define LEAVE_TIMEOUT (1000 * CLOCK_MS)
#define STOP_TIMEOUT_MS 6000
#define GRACE (1500 * CLOCK_MS)
#define PROGRAM_BYTES_MAX (UINT64_C (2) << 30)

/*  The job's own variables, and those of the worker.                        */
#define ENVIRONMENT_MAX (6 + JOB_VARIABLES_MAX)

/*  Turns of reading what is printed before a driver is let go.             */
#define LAST_READS 64

/*  How often a node without a head says so.                                */
#define SAY_AGAIN (60000 * CLOCK_MS)

/*  How often the loop looks after what no descriptor tells of.             */
#define TICK_MS 250

static void
s_log (agent_t *self, const char *text)
{
    if (self->options.log)
        self->options.log (self->options.log_context, text);
}

/*  --- to the head ------------------------------------------------------  */

/*  What the head was to hear of, or has ordered, is lost for want of memory: to
    go on would be to wait for it, so the seat is lost. Expects the lock.   */
static void
s_starve (troupe_t *peer)
{
    fault_t fault;
    fault_set (&fault, TROUPE_ENOMEM, "the node has no memory left for what the head says");
    peer_lose_head (peer, &fault);
}

void
agent_send (agent_t *self, const record_t *record)
{
    troupe_t *peer = self->peer;
    pthread_mutex_lock (&peer->lock);
    if (record_write (&peer->head.frame, record))
        s_starve (peer);
    else
        link_commit (peer, &peer->head);
    link_flush_all (peer);
    pthread_mutex_unlock (&peer->lock);
}

/*  With a body, which is released.                                         */
static void
s_send (agent_t *self, record_t *record, bytes_t *body)
{
    record->body = body->data;
    record->body_size = (uint32_t) body->size;
    if (body->failed) {
        pthread_mutex_lock (&self->peer->lock);
        s_starve (self->peer);
        pthread_mutex_unlock (&self->peer->lock);
    } else
        agent_send (self, record);
    bytes_release (body);
}

void
agent_send_failure (agent_t *self, uint32_t job, const fault_t *fault)
{
    record_t failed = { .type = RECORD_FAILED,
                        .id = { self->peer->self, job },
                        .body = (const uint8_t *) fault->text,
                        .body_size = (uint32_t) strlen (fault->text) };
    s_log (self, fault->text);
    agent_send (self, &failed);
}

static void
s_send_lost (agent_t *self, const child_t *child, const char *cause)
{
    bytes_t body = { 0 };
    record_t lost = { .type = RECORD_WORKER_LOST,
                      .id = { self->peer->self, child->job },
                      .number = (uint32_t) child->pid,
                      .target = atomic_load (&child->ledger->process) };
    body.failed = ledger_write (child->ledger, cause, &body) || body.failed;
    s_send (self, &lost, &body);
}

static void
s_worker_label (const agent_t *self, unsigned number, pid_t pid, char text [160])
{
    snprintf (text, 160, "worker %u (pid %d) on %s", number, (int) pid, self->options.name);
}

static child_t *
s_child (agent_t *self, uint64_t number)
{
    for (list_node_t *node = self->children.next; node != &self->children; node = node->next)
        if (container_of (node, child_t, node)->number == number)
            return container_of (node, child_t, node);
    return NULL;
}

/*  A line that a worker has printed.                                       */
static void
s_line (void *arg, uint64_t worker, output_stream_t stream, const char *text, size_t length)
{
    agent_t *self = arg;
    child_t *child = s_child (self, worker);
    if (!child || !self->peer)
        return;
    char label [160];
    bytes_t body = { 0 };
    s_worker_label (self, child->number, child->pid, label);
    bytes_append (&body, label, strlen (label) + 1);
    bytes_append (&body, text, length);
    record_t line = { .type = RECORD_LOG,
                      .flags = (uint8_t) stream,
                      .target = atomic_load (&child->ledger->process),
                      .body = body.data,
                      .body_size = (uint32_t) body.size };
    /*  A line may be missed.                                               */
    if (!body.failed)
        agent_send (self, &line);
    bytes_release (&body);
}

/*  --- workers ----------------------------------------------------------  */

static void
s_hex (char *text, const uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++)
        snprintf (text + 2 * index, 3, "%02x", bytes [index]);
}

/*  What worker_main reads.                                                 */
static void
s_boot (const agent_t *self, unsigned number, int fd, uint32_t job, const uint8_t *hash,
        char boot [512], char cluster [1024])
{
    char cookie [2 * COOKIE_SIZE + 1], head [2 * KEY_SIZE + 1], shown [2 * KEY_SIZE + 1],
        secret [2 * KEY_SIZE + 1], program [2 * PROGRAM_HASH_SIZE + 1];
    const network_t *network = self->options.network;
    s_hex (cookie, self->cookie, COOKIE_SIZE);
    s_hex (head, network->head_key, KEY_SIZE);
    s_hex (shown, network->admission.public_key, KEY_SIZE);
    s_hex (secret, network->admission.secret_key, KEY_SIZE);
    s_hex (program, hash, PROGRAM_HASH_SIZE);
    snprintf (boot, 512, "TROUPE_BOOT=%d %u %d %s %s", (int) getpid (), number, fd, cookie,
              self->options.worker_endpoint);
    snprintf (cluster, 1024, "TROUPE_BOOT_CLUSTER=%d %d %llu %u %s %s %s %s %s %s",
              self->options.far, network->insecure, (unsigned long long) self->peer->self, job,
              network->host, head, shown, secret, program, self->options.name);
}

/*  Appends the lines of the job's environment to the list.                 */
static void
s_add_environment (const char **list, size_t count, char *lines)
{
    char *rest = lines;
    for (char *line; count < ENVIRONMENT_MAX && (line = strsep (&rest, "\n"));)
        if (strchr (line, '=') && strncmp (line, "TROUPE_BOOT", 11))
            list [count++] = line;
    list [count] = NULL;
}

static int
s_launch (agent_t *self, child_t *child, const request_t *request, const int *fds,
          fault_t *fault)
{
    char boot [512], cluster [1024], store [128], modules [4096], lines [sizeof request->environment];
    int fd;
    child->ledger = ledger_new (&fd, fault);
    if (!child->ledger)
        return -1;
    s_boot (self, child->number, fd, child->job, request->hash, boot, cluster);
    snprintf (modules, sizeof modules, "TROUPE_MODULES=%s",
              self->options.modules ? self->options.modules : "");
    snprintf (store, sizeof store, "TROUPE_BOOT_STORE=%s",
              store_endpoint (self->options.store));
    const char *environment [ENVIRONMENT_MAX + 1]
        = { boot, cluster, store, "TROUPE_ADDRESS", "TROUPE_TOKEN", modules };
    memcpy (lines, request->environment, sizeof lines);
    s_add_environment (environment, self->options.modules ? 6 : 5, lines);
    const char *path = program_hold_path (child->program);
    char *const argv [] = { (char *) (uintptr_t) path, NULL };
    process_options_t options = { .path = path,
                                  .argv = argv,
                                  .environment = environment,
                                  .folder = *request->folder ? request->folder : "/",
                                  .fd = fd,
                                  .output = fds [0],
                                  .errors = fds [1] };
    child->pid = process_start (&options, &child->pidfd, fault);
    close (fd);
    return child->pid > 0 ? 0 : -1;
}

static void
s_count (agent_t *self, int step)
{
    self->child_count = (unsigned) ((int) self->child_count + step);
    pthread_mutex_lock (&self->lock);
    self->running = self->child_count;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

static void
s_child_destroy (agent_t *self, child_t *child)
{
    if (list_linked (&child->node)) {
        list_remove (&child->node);
        close (child->pidfd);
        s_count (self, -1);
    }
    ledger_destroy (&child->ledger);
    program_hold_destroy (&child->program);
    free (child);
}

static int
s_start (agent_t *self, const request_t *request, fault_t *fault)
{
    char name [64];
    int fds [2];
    if (self->child_count >= WORKERS_MAX)
        return fault_set (fault, TROUPE_ELIMIT, "limit of %d workers of a node", WORKERS_MAX);
    child_t *child = calloc (1, sizeof *child);
    if (!child)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for a worker");
    child->number = ++self->numbers;
    child->job = request->job;
    child->program = program_cache_find (self->programs, request->hash);
    snprintf (name, sizeof name, "worker-%u", child->number);
    if (!child->program) {
        s_child_destroy (self, child);
        return fault_set (fault, TROUPE_ESYSTEM, "the program has left the cache");
    }
    if (output_add (self->output, child->number, name, fds, fault)) {
        s_child_destroy (self, child);
        return -1;
    }
    int rc = s_launch (self, child, request, fds, fault);
    close (fds [0]);
    close (fds [1]);
    if (rc) {
        output_remove (self->output, child->number);
        s_child_destroy (self, child);
        return -1;
    }
    list_append (&self->children, &child->node);
    s_count (self, 1);
    return 0;
}

void
agent_start_all (agent_t *self, const request_t *request)
{
    fault_t fault;
    program_hold_t *hold = program_cache_find (self->programs, request->hash);
    int rc = hold ? program_check (program_hold_path (hold), self->options.name, &fault)
                  : fault_set (&fault, TROUPE_ESYSTEM, "the program is not in the cache");
    for (unsigned left = request->count; left; left--)
        if (rc || s_start (self, request, &fault))
            agent_send_failure (self, request->job, &fault);
    program_hold_destroy (&hold);
}

static void
s_ended (agent_t *self, child_t *child)
{
    char how [128];
    process_reap (child->pid, how, sizeof how);
    output_remove (self->output, child->number);
    s_send_lost (self, child, how);
    s_child_destroy (self, child);
}

static void
s_kill (agent_t *self, uint32_t pid)
{
    for (list_node_t *node = self->children.next; node != &self->children; node = node->next)
        if (container_of (node, child_t, node)->pid == (pid_t) pid)
            kill ((pid_t) pid, SIGKILL);
}

static void
s_kill_all (agent_t *self)
{
    for (list_node_t *node = self->children.next; node != &self->children; node = node->next)
        kill (container_of (node, child_t, node)->pid, SIGKILL);
    while (!list_empty (&self->children)) {
        char how [128];
        child_t *child = container_of (self->children.next, child_t, node);
        process_reap (child->pid, how, sizeof how);
        output_remove (self->output, child->number);
        s_child_destroy (self, child);
    }
}

/*  --- orders -----------------------------------------------------------  */

static void
s_wake (agent_t *self)
{
    uint64_t one = 1;
    if (write (self->wake, &one, sizeof one) < 0) {
        /*  It is being woken already.                                      */
    }
}

/*  On whichever thread receives, with the peer's lock.                     */
static void
s_record (void *context, troupe_t *peer, const record_t *record)
{
    agent_t *self = context;
    order_t *order = malloc (sizeof *order + record->body_size);
    if (!order) {
        s_starve (peer);
        return;
    }
    order->record = *record;
    order->node = (list_node_t){ 0 };
    if (record->body_size)
        memcpy (order->body, record->body, record->body_size);
    order->record.body = order->body;
    pthread_mutex_lock (&self->lock);
    list_append (&self->orders, &order->node);
    pthread_mutex_unlock (&self->lock);
    s_wake (self);
}

/*  A driver leaves: what its workers have printed goes first. Not more than
    pipes hold, so that workers which print without end do not hold it up.  */
static void
s_on_lines (agent_t *self, const record_t *record)
{
    record_t answer = { .type = RECORD_LINES, .id = { 0, record->id.sequence } };
    struct pollfd item = { .fd = output_fd (self->output), .events = POLLIN };
    for (int left = LAST_READS; left && poll (&item, 1, 0) > 0; left--)
        output_read (self->output);
    output_settle (self->output);
    agent_send (self, &answer);
}

static void
s_set_drained (agent_t *self, bool drained)
{
    pthread_mutex_lock (&self->lock);
    self->drained = drained;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

static void
s_note_waits (agent_t *self, const record_t *record)
{
    pthread_mutex_lock (&self->lock);
    snprintf (self->waits, sizeof self->waits, "%.*s", (int) record->body_size,
              (const char *) record->body);
    self->told = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

static void
s_obey (agent_t *self, const record_t *record)
{
    if (record->type == RECORD_START)
        agent_on_start (self, record);
    else if (record->type == RECORD_LINES)
        s_on_lines (self, record);
    else if (record->type == RECORD_CHUNK)
        agent_on_chunk (self, record);
    else if (record->type == RECORD_COMMAND && record->flags == COMMAND_KILL)
        s_kill (self, record->number);
    else if (record->type == RECORD_COMMAND && record->flags == COMMAND_DRAINED) {
        if (!self->options.of_head || record->number)
            s_set_drained (self, true);
    }
    else if (record->type == RECORD_COMMAND && record->flags == COMMAND_WAITS)
        s_note_waits (self, record);
}

static order_t *
s_next_order (agent_t *self)
{
    pthread_mutex_lock (&self->lock);
    list_node_t *node = list_pop (&self->orders);
    pthread_mutex_unlock (&self->lock);
    return node ? container_of (node, order_t, node) : NULL;
}

/*  --- life -------------------------------------------------------------  */

static bool
s_is_stopping (agent_t *self)
{
    pthread_mutex_lock (&self->lock);
    bool stopping = self->stopping;
    pthread_mutex_unlock (&self->lock);
    return stopping;
}

/*  False once it is to end, with or without what still runs.               */
static bool
s_is_wanted (void *context)
{
    agent_t *self = context;
    pthread_mutex_lock (&self->lock);
    bool wanted = !self->stopping && !self->leaving;
    pthread_mutex_unlock (&self->lock);
    return wanted;
}

static int
s_join (agent_t *self, int64_t deadline, fault_t *fault)
{
    char label [128];
    snprintf (label, sizeof label, "node %s (pid %d)", self->options.name, (int) getpid ());
    peer_options_t options = { .context = self->options.context,
                               .head_endpoint = self->options.head_endpoint,
                               .head_address = self->options.head_address,
                               .cookie = self->cookie,
                               .role = ROLE_NODE,
                               .label = label,
                               .network = self->options.network,
                               .far = self->options.far,
                               .patience = self->options.patience,
                               .name = self->options.name,
                               .resources = self->options.resources,
                               .hosted = self->options.store,
                               .record = s_record,
                               .wanted = s_is_wanted,
                               .record_context = self };
    self->peer = peer_new (&options, deadline, fault);
    return self->peer ? 0 : -1;
}

static bool
s_lost_head (agent_t *self)
{
    pthread_mutex_lock (&self->peer->lock);
    bool lost = self->peer->lost.code != 0;
    pthread_mutex_unlock (&self->peer->lock);
    return lost;
}

static bool
s_take_draining (agent_t *self)
{
    pthread_mutex_lock (&self->lock);
    bool draining = self->draining;
    self->draining = false;
    pthread_mutex_unlock (&self->lock);
    return draining;
}

/*  Of this node.                                                           */
static void
s_command (agent_t *self, const char *verb)
{
    bytes_t body = { 0 };
    value_put_array (&body, 2);
    value_put_string (&body, verb, strlen (verb));
    value_put_string (&body, self->options.name, strlen (self->options.name));
    record_t command = { .type = RECORD_COMMAND, .id = { self->peer->self, 0 } };
    s_send (self, &command, &body);
}

/*  Nothing begins here any more, or in the whole cluster. Again is no harm.  */
static void
s_drain (agent_t *self)
{
    s_command (self, self->options.of_head ? "end" : "drain");
}

static void
s_clear_wake (agent_t *self)
{
    uint64_t counter;
    if (read (self->wake, &counter, sizeof counter) < 0) {
        /*  Somebody else has cleared it.                                   */
    }
}

/*  Waits for something to do, and does it.                                 */
static void
s_turn (agent_t *self)
{
    struct pollfd items [WORKERS_MAX + 2];
    nfds_t count = 2;
    items [0] = (struct pollfd){ .fd = self->wake, .events = POLLIN };
    items [1] = (struct pollfd){ .fd = output_fd (self->output), .events = POLLIN };
    for (list_node_t *node = self->children.next; node != &self->children; node = node->next)
        items [count++] = (struct pollfd){ .fd = container_of (node, child_t, node)->pidfd,
                                           .events = POLLIN };
    if (poll (items, count, TICK_MS) <= 0)
        return;
    if (items [0].revents)
        s_clear_wake (self);
    if (items [1].revents)
        output_read (self->output);
    list_node_t *next = self->children.next;
    for (nfds_t index = 2; index < count; index++) {
        child_t *child = container_of (next, child_t, node);
        next = next->next;
        if (items [index].revents)
            s_ended (self, child);
    }
    for (order_t *order; (order = s_next_order (self));) {
        s_obey (self, &order->record);
        free (order);
    }
    if (s_take_draining (self))
        s_drain (self);
}

/*  Ends what belongs to the seat, and the seat.                            */
static void
s_leave (agent_t *self)
{
    s_kill_all (self);
    agent_forget_fetches (self);
    peer_leave (self->peer, clock_now () + LEAVE_TIMEOUT);
    peer_stop (self->peer);
    peer_destroy (&self->peer);
    for (order_t *order; (order = s_next_order (self));)
        free (order);
}

/*  Why there is no head any more; TROUPE_OK while there is one.            */
static troupe_error_t
s_lost_why (agent_t *self, fault_t *fault)
{
    pthread_mutex_lock (&self->peer->lock);
    *fault = self->peer->lost;
    pthread_mutex_unlock (&self->peer->lock);
    return fault->code;
}

/*  Workers that were told to end do it by themselves, with the destructors of
    their actors, if they do it soon.                                       */
static void
s_await_children (agent_t *self)
{
    int64_t deadline = clock_now () + GRACE;
    while (!list_empty (&self->children) && clock_now () < deadline)
        s_turn (self);
}

static void
s_stop_children (agent_t *self)
{
    if (s_lost_head (self))
        return;
    s_drain (self);
    if (list_empty (&self->children) && !self->options.of_head)
        return;
    s_command (self, "stop");
    s_await_children (self);
}

static void
s_log_wait (agent_t *self, const char *text, int64_t left)
{
    char line [HOST_MAX + 128];
    snprintf (line, sizeof line, "%s at %s: trying for %d s more", text,
              self->options.head_address, (int) ((left + 999 * CLOCK_MS) / (1000 * CLOCK_MS)));
    s_log (self, line);
}

/*  Tries to join until the time has come. Returns 0, or -1 with the fault of
    the last try set, if there was one.                                     */
static int
s_try_to_join (agent_t *self, int64_t deadline, fault_t *fault)
{
    int64_t now = clock_now (), said = now;
    s_log_wait (self, "the node looks for a head", deadline - now);
    while (s_is_wanted (self) && now < deadline) {
        struct pollfd item = { .fd = self->wake, .events = POLLIN };
        int64_t until = now + JOIN_TIMEOUT;
        if (s_join (self, until < deadline ? until : deadline, fault) == 0)
            return 0;
        if (poll (&item, 1, TICK_MS) > 0)
            s_clear_wake (self);
        now = clock_now ();
        if (now - said >= SAY_AGAIN && now < deadline) {
            said = now;
            s_log_wait (self, "there is still no head", deadline - now);
        }
    }
    return -1;
}

static void
s_give_up (agent_t *self, const fault_t *why)
{
    if (self->options.ended)
        self->options.ended (self->options.log_context, why);
    else
        s_log (self, why->text);
}

/*  The head does not want the node, was stopped, or has fallen silent.     */
static void
s_join_again (agent_t *self)
{
    fault_t why, last = { TROUPE_OK, "" };
    troupe_error_t code = s_lost_why (self, &why);
    int64_t wait = code == TROUPE_EREFUSED   ? 0
                   : code == TROUPE_ESTOPPED ? self->options.await_stopped
                                             : self->options.await_head;
    s_log (self, why.text);
    if (code == TROUPE_ESTOPPED)
        s_await_children (self);
    s_leave (self);
    if (wait && s_try_to_join (self, clock_now () + wait, &last) == 0) {
        s_log (self, "the node has joined again");
        s_set_drained (self, false);
        return;
    }
    s_set_drained (self, true);
    if (!s_is_wanted (self))
        return;
    if (wait)
        fault_set (&why, code == TROUPE_ESTOPPED ? code : TROUPE_ELOST,
                   "the node ends: no head at %s took it in for %d s: %s",
                   self->options.head_address, (int) (wait / (1000 * CLOCK_MS)), last.text);
    else
        fault_prefix (&why, "the node ends");
    s_give_up (self, &why);
}

static void
s_run (void *arg)
{
    agent_t *self = arg;
    thread_block_signals ();
    while (self->peer && !s_is_stopping (self)) {
        s_turn (self);
        if (s_lost_head (self))
            s_join_again (self);
    }
    if (!self->peer)
        return;
    s_stop_children (self);
    s_leave (self);
}

/*  The options' strings are kept.                                          */
static int
s_copy (agent_t *self, const agent_options_t *options)
{
    const char **texts [] = { &self->options.head_endpoint,   &self->options.head_address,
                              &self->options.worker_endpoint, &self->options.name,
                              &self->options.resources,       &self->options.programs,
                              &self->options.logs,            &self->options.modules };
    self->options = *options;
    memcpy (self->cookie, options->cookie, COOKIE_SIZE);
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        if (!*texts [index])
            continue;
        self->texts [index] = strdup (*texts [index]);
        if (!self->texts [index])
            return -1;
        *texts [index] = self->texts [index];
    }
    return 0;
}

static int
s_open (agent_t *self, fault_t *fault)
{
    output_options_t output = { .folder = self->options.logs, .line = s_line, .arg = self };
    self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->wake < 0)
        return fault_set (fault, TROUPE_ELIMIT, "cannot open a descriptor: %s",
                          strerror (errno));
    self->programs = program_cache_new (self->options.programs, PROGRAM_BYTES_MAX, fault);
    self->output = self->programs ? output_new (&output, fault) : NULL;
    return self->output ? s_join (self, clock_now () + JOIN_TIMEOUT, fault) : -1;
}

agent_t *
agent_new (const agent_options_t *options, fault_t *fault)
{
    agent_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the node");
        return NULL;
    }
    self->wake = -1;
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    list_init (&self->children);
    list_init (&self->requests);
    list_init (&self->fetches);
    list_init (&self->orders);
    if (s_copy (self, options))
        fault_set (fault, TROUPE_ENOMEM, "no memory for the node");
    else if (s_open (self, fault) == 0)
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread) {
        if (self->peer)
            s_leave (self);
        agent_destroy (&self);
    }
    return self;
}

void
agent_drain (agent_t *self, agent_waits_t *waits, void *context)
{
    char text [sizeof self->waits];
    pthread_mutex_lock (&self->lock);
    self->draining = self->leaving = true;
    s_wake (self);
    while (!self->drained && !self->hurried && (self->running || self->options.of_head)) {
        if (!self->told) {
            pthread_cond_wait (&self->changed, &self->lock);
            continue;
        }
        self->told = false;
        memcpy (text, self->waits, sizeof text);
        pthread_mutex_unlock (&self->lock);
        waits (context, text);
        pthread_mutex_lock (&self->lock);
    }
    pthread_mutex_unlock (&self->lock);
}

void
agent_hurry (agent_t *self)
{
    pthread_mutex_lock (&self->lock);
    self->hurried = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

unsigned
agent_workers (agent_t *self)
{
    pthread_mutex_lock (&self->lock);
    unsigned running = self->running;
    pthread_mutex_unlock (&self->lock);
    return running;
}

int
agent_destroy (agent_t **self_p)
{
    agent_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    pthread_mutex_unlock (&self->lock);
    if (self->wake >= 0)
        s_wake (self);
    if (thread_join (&self->thread, STOP_TIMEOUT_MS))
        return -1;
    output_destroy (&self->output);
    program_cache_destroy (&self->programs);
    if (self->wake >= 0)
        close (self->wake);
    for (size_t index = 0; index < sizeof self->texts / sizeof *self->texts; index++)
        free (self->texts [index]);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    free (self);
    return 0;
}
