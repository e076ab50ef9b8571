/*  head_answers.c - the head's shell: what it tells of itself, and does when
    told to                                                                 */

#include "head/head_report.h"
#include "head/head_shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*  Workers whose lines are shown for one name.                             */
#define LINES_WORKERS_MAX 16

#define LINES_ANSWER_MAX 1000

/*  An answer under construction: a list of maps.                           */
typedef struct {
    head_t *head;
    const peer_t *asker;
    const char *key;            /*  only what has this id or name; ""       */
    int64_t now;
    bool single;                /*  the map itself, not a list of it        */
    bool filtered;              /*  the list, and how many it might have    */
    size_t count;
    size_t matched;             /*  if that is more                         */
    const head_filter_t *filter;
    bytes_t body;
} answer_t;

/*  --- writing ----------------------------------------------------------  */

static void
s_text (answer_t *self, const char *field, const char *value)
{
    value_put_string (&self->body, field, strlen (field));
    value_put_string (&self->body, value, strlen (value));
}

static void
s_number (answer_t *self, const char *field, uint64_t value)
{
    value_put_string (&self->body, field, strlen (field));
    value_put_uint (&self->body, value);
}

static void
s_bool (answer_t *self, bool value)
{
    fault_t fault;
    troupe_arg_t given = troupe_arg_bool (value);
    value_write (&self->body, &given, NULL, &fault);
}

static void
s_nil (answer_t *self, const char *field)
{
    fault_t fault;
    troupe_arg_t nil = troupe_nil ();
    value_put_string (&self->body, field, strlen (field));
    value_write (&self->body, &nil, NULL, &fault);
}

static void
s_real (answer_t *self, const char *field, double value)
{
    fault_t fault;
    troupe_arg_t given = troupe_arg_real (value);
    value_put_string (&self->body, field, strlen (field));
    value_write (&self->body, &given, NULL, &fault);
}

/*  Processes are numbered by the lower half of their names.                */
typedef char id_text_t [48];

static const char *
s_process_text (process_t process, id_text_t text)
{
    snprintf (text, sizeof (id_text_t), "%u", (unsigned) (process & UINT32_MAX));
    return text;
}

static const char *
s_id_text (tid_t id, id_text_t text)
{
    snprintf (text, sizeof (id_text_t), "%u.%llu", (unsigned) (id.owner & UINT32_MAX),
              (unsigned long long) id.sequence);
    return text;
}

/*  Two fields: the program by its name, or else by its hash; and the hash,
    by which builds that have one name differ.                              */
static void
s_program (answer_t *self, uint32_t program)
{
    id_text_t text = "";
    const uint8_t *hash = head_program_hash (self->head->state, program);
    const char *name = head_program_name (self->head->state, program);
    for (int index = 0; hash && index < 6; index++)
        snprintf (text + 2 * index, 3, "%02x", hash [index]);
    s_text (self, "program", *name ? name : text);
    s_text (self, "hash", text);
}

static const char *
s_label (head_t *self, process_t process)
{
    peer_t *peer = head_shell_peer (self, process);
    return peer ? peer->identity.label : "";
}

static const char *
s_node_name (head_t *self, process_t node)
{
    peer_t *peer = head_shell_peer (self, node);
    return peer ? peer->identity.name : "";
}

/*  True if the answer is to have a map of so many fields for what has this
    id and name; begins the map.                                            */
static bool
s_begin (answer_t *self, const char *id, const char *name, size_t fields)
{
    if (*self->key && strcmp (self->key, id) && strcmp (self->key, name))
        return false;
    self->count++;
    value_put_map (&self->body, fields);
    return true;
}

/*  --- the kinds --------------------------------------------------------  */

static double
s_amount (int64_t amount)
{
    return (double) amount / RESOURCE_UNIT;
}

static const head_resource_report_t *
s_resource (const head_node_report_t *node, const char *name)
{
    static const head_resource_report_t none = { .name = "" };
    for (size_t index = 0; index < node->count; index++)
        if (strcmp (node->resources [index].name, name) == 0)
            return &node->resources [index];
    return &none;
}

static void
s_resources (answer_t *self, const char *field, const head_resource_report_t *reports,
             size_t count)
{
    value_put_string (&self->body, field, strlen (field));
    value_put_map (&self->body, count);
    for (size_t index = 0; index < count; index++) {
        fault_t fault;
        troupe_arg_t used = troupe_arg_real (s_amount (reports [index].used));
        troupe_arg_t total = troupe_arg_real (s_amount (reports [index].total));
        value_put_string (&self->body, reports [index].name, strlen (reports [index].name));
        value_put_array (&self->body, 2);
        value_write (&self->body, &used, NULL, &fault);
        value_write (&self->body, &total, NULL, &fault);
    }
}

static uint64_t
s_refused_by_head (const head_t *self)
{
    return self->network ? gate_refused (self->network->gate) : 0;
}

static void
s_nodes (answer_t *self)
{
    size_t cursor = 0;
    head_node_report_t node;
    while (head_next_node (self->head->state, &cursor, &node)) {
        id_text_t id;
        peer_t *peer = head_shell_peer (self->head, node.process);
        if (!s_begin (self, s_process_text (node.process, id), node.name, 12))
            continue;
        uint64_t refused = peer ? peer->refused : 0;
        if (peer && head_shell_is_own (peer))
            refused += s_refused_by_head (self->head);
        s_text (self, "id", id);
        s_text (self, "name", node.name);
        s_text (self, "state", node.state);
        const char *address = peer ? peer->identity.remote : "";
        s_text (self, "address", address + (strncmp (address, "tcp://", 6) ? 0 : 6));
        s_real (self, "cpus", s_amount (s_resource (&node, RESOURCE_CPUS)->total));
        s_real (self, "cpus_used", s_amount (s_resource (&node, RESOURCE_CPUS)->used));
        s_real (self, "memory", s_amount (s_resource (&node, RESOURCE_MEMORY)->total));
        s_number (self, "workers", node.workers);
        s_number (self, "actors", node.actors);
        int64_t silent = self->now - node.heard;
        s_number (self, "heard_ms", silent > 0 ? (uint64_t) (silent / CLOCK_MS) : 0);
        s_number (self, "refused_connections", refused);
        s_resources (self, "resources", node.resources, node.count);
    }
}

static void
s_workers (answer_t *self)
{
    size_t cursor = 0;
    head_worker_report_t worker;
    while (head_next_worker (self->head->state, &cursor, &worker)) {
        id_text_t id;
        peer_t *peer = head_shell_peer (self->head, worker.process);
        if (!s_begin (self, s_process_text (worker.process, id), worker.label, 9))
            continue;
        s_text (self, "id", id);
        s_text (self, "worker", worker.label);
        s_text (self, "node", s_node_name (self->head, worker.node));
        s_number (self, "pid", peer ? peer->identity.pid : 0);
        s_program (self, worker.program);
        s_text (self, "state", worker.state);
        s_number (self, "tasks", worker.leases);
        s_number (self, "actors", worker.actors);
    }
}

static void
s_put_methods (answer_t *self, const class_note_t *note)
{
    if (!note) {
        s_nil (self, "methods");
        return;
    }
    value_put_string (&self->body, "methods", 7);
    bytes_append (&self->body, note->methods.data, note->methods.size);
}

static void
s_actors (answer_t *self)
{
    size_t cursor = 0;
    head_actor_report_t actor;
    while (head_next_actor (self->head->state, &cursor, &actor)) {
        id_text_t id;
        if (!s_begin (self, s_id_text (actor.id, id), actor.name ? actor.name : "",
                      *self->key ? 12 : 11))
            continue;
        s_text (self, "id", id);
        s_text (self, "class", actor.class_name);
        s_text (self, "name", actor.name ? actor.name : "");
        s_text (self, "namespace", actor.space ? actor.space : "");
        s_text (self, "state", actor.state);
        s_text (self, "worker", s_label (self->head, actor.worker));
        s_text (self, "node", s_node_name (self->head, actor.node));
        s_number (self, "job", actor.job);
        s_program (self, actor.program);
        value_put_string (&self->body, "detached", 8);
        s_bool (self, actor.detached);
        /*  Of one, or the few of a name, what can be called.               */
        if (*self->key)
            s_put_methods (self, head_class (self->head, head_shell_peer (self->head, actor.worker),
                                             actor.program, actor.class_name));
    }
}

static void
s_functions (answer_t *self)
{
    size_t cursor = 0;
    head_function_report_t function;
    while (head_next_function (self->head->state, &cursor, &function)) {
        if (!s_begin (self, function.name, function.name, 5))
            continue;
        s_program (self, function.program);
        s_text (self, "function", function.name);
        if (function.service < 0)
            s_nil (self, "mean_ms");
        else
            s_real (self, "mean_ms", (double) function.service / CLOCK_MS);
        s_number (self, "ready", function.ready);
    }
}

static void
s_classes (answer_t *self)
{
    for (class_cursor_t cursor = { NULL, NULL, 0 }; head_next_class (self->head, &cursor);) {
        if (!s_begin (self, cursor.note->name, cursor.note->name, 4))
            continue;
        s_program (self, cursor.set->program);
        s_text (self, "class", cursor.note->name);
        s_put_methods (self, cursor.note);
    }
}

static void
s_tasks (answer_t *self)
{
    self->count
        = head_put_tasks (self->head, self->key, self->filter, &self->body, &self->matched);
}

static void
s_jobs (answer_t *self)
{
    size_t cursor = 0;
    head_job_report_t job;
    while (head_next_job (self->head->state, &cursor, &job)) {
        id_text_t id;
        snprintf (id, sizeof id, "%u", job.number);
        /*  The embedded cluster's own, in which a cluster of machines has
            nothing.                                                        */
        if (job.number == 0 && self->head->network)
            continue;
        if (!s_begin (self, id, job.label ? job.label : "", 10))
            continue;
        s_text (self, "id", id);
        s_text (self, "driver", job.label ? job.label : "ended");
        s_program (self, job.program);
        s_text (self, "namespace", job.space ? job.space : "");
        s_number (self, "tasks", job.tasks);
        s_number (self, "workers", job.workers);
        s_number (self, "actors", job.actors);
        s_real (self, "cpus", s_amount (job.cpus));
        s_real (self, "since_s", (double) (self->now - job.since) / 1e9);
    }
}

static void
s_token (answer_t *self, const char *name, const uint8_t key [KEY_SIZE])
{
    char text [KEY_TEXT_SIZE];
    size_t processes = 0, nodes = 0, cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->head->peers, &cursor));) {
        bool by = peer != self->asker && strcmp (peer->token, name) == 0;
        processes += by;
        nodes += by && peer->identity.role == ROLE_NODE;
    }
    if (!s_begin (self, name, name, 4))
        return;
    s_text (self, "name", name);
    s_text (self, "key", key_text (key, text));
    s_number (self, "nodes", nodes);
    s_number (self, "processes", processes);
}

static void
s_tokens (answer_t *self)
{
    const tokens_t *tokens = self->head->tokens;
    if (!tokens)
        return;
    if (!tokens->default_revoked)
        s_token (self, TOKEN_DEFAULT, self->head->cluster->admission.public_key);
    for (size_t index = 0; index < tokens->count; index++)
        s_token (self, tokens->list [index].name, tokens->list [index].key);
}

/*  With those that stay warm for their program.                            */
static size_t
s_count_workers (const head_t *head)
{
    size_t count = 0, cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&head->peers, &cursor));)
        count += peer->identity.role == ROLE_WORKER;
    return count;
}

static void
s_summary (answer_t *self)
{
    head_t *head = self->head;
    head_counts_t counts = head_counts (head->state);
    head_resource_report_t resources [REPORT_RESOURCES_MAX];
    size_t count = head_resources (head->state, resources, REPORT_RESOURCES_MAX);
    s_begin (self, self->key, "", 10);
    s_text (self, "address", head->address);
    s_text (self, "version", troupe_version ());
    s_real (self, "uptime_s", (double) (self->now - head->since) / 1e9);
    s_number (self, "nodes", counts.nodes);
    s_number (self, "workers", s_count_workers (head));
    s_number (self, "actors", counts.actors);
    s_number (self, "jobs", counts.jobs - (head->network && counts.jobs));
    value_put_string (&self->body, "tasks", 5);
    value_put_map (&self->body, 3);
    s_number (self, "ready", counts.ready);
    s_number (self, "running", counts.leased);
    s_number (self, "waiting", counts.parked);
    s_resources (self, "resources", resources, count);
    s_number (self, "refused_connections", head->refused + s_refused_by_head (head));
}

static peer_t *
s_find_node (head_t *self, const char *key)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        id_text_t id;
        if (peer->identity.role == ROLE_NODE
            && (strcmp (peer->identity.name, key) == 0
                || strcmp (s_process_text (peer->process, id), key) == 0))
            return peer;
    }
    return NULL;
}

/*  --- lines that workers have printed ----------------------------------  */

static line_t *
s_line (head_t *self, uint64_t position)
{
    return &self->lines [position % LINES_MAX];
}

static void
s_line_clear (line_t *line)
{
    free (line->who);
    free (line->where);
    free (line->text);
    *line = (line_t){ 0 };
}

/*  Whose lines are asked for: the workers of an actor, which may have its name
    in several namespaces, or of a task.                                    */
typedef struct {
    const char *key;
    process_t workers [LINES_WORKERS_MAX];
    size_t count;
} lines_of_t;

static void
s_add_worker (lines_of_t *self, process_t worker)
{
    if (worker && self->count < LINES_WORKERS_MAX)
        self->workers [self->count++] = worker;
}

static void
s_find_workers (head_t *head, lines_of_t *self)
{
    id_text_t id;
    head_actor_report_t actor;
    head_task_report_t task;
    for (size_t cursor = 0; head_next_actor (head->state, &cursor, &actor);)
        if ((actor.name && strcmp (actor.name, self->key) == 0)
            || strcmp (s_id_text (actor.id, id), self->key) == 0)
            s_add_worker (self, actor.worker);
    unsigned owner;
    unsigned long long sequence;
    if (sscanf (self->key, "%u.%llu", &owner, &sequence) == 2
        && head_task_numbered (head->state, owner, sequence, &task)
        && strcmp (s_id_text (task.id, id), self->key) == 0)
        s_add_worker (self, task.worker);
}

/*  A worker may be called "worker 3", as its lines begin.                  */
static bool
s_is_called (const char *label, const char *key)
{
    size_t length = strlen (key);
    return strncmp (label, key, length) == 0
           && (!label [length] || strncmp (label + length, " (", 2) == 0);
}

static bool
s_line_is_of (const line_t *line, const lines_of_t *of)
{
    id_text_t id;
    if (!*of->key || strcmp (line->where, of->key) == 0 || s_is_called (line->who, of->key)
        || strcmp (s_process_text (line->worker, id), of->key) == 0)
        return true;
    for (size_t index = 0; index < of->count; index++)
        if (of->workers [index] == line->worker)
            return true;
    return false;
}

/*  Whether there is what the key names, though it has not printed anything. */
static bool
s_is_there (head_t *head, const lines_of_t *of)
{
    head_worker_report_t worker;
    id_text_t id;
    bool there = of->count || s_find_node (head, of->key);
    for (size_t cursor = 0; !there && head_next_worker (head->state, &cursor, &worker);)
        there = strcmp (s_process_text (worker.process, id), of->key) == 0
                || s_is_called (worker.label, of->key);
    return there;
}

/*  Returns 0, or -1: the key names nothing that is or was.                 */
static int
s_lines (answer_t *self, uint64_t after, uint64_t limit)
{
    static const char *const streams [] = { "stdout", "stderr", "note" };
    head_t *head = self->head;
    lines_of_t of = { .key = self->key };
    if (*of.key)
        s_find_workers (head, &of);
    uint64_t oldest = head->line_count > LINES_MAX ? head->line_count - LINES_MAX : 0;
    uint64_t first = after > oldest ? after : oldest, position = head->line_count;
    if (!limit || limit > LINES_ANSWER_MAX)
        limit = LINES_ANSWER_MAX;
    while (limit && position > first)
        limit -= s_line_is_of (s_line (head, --position), &of);
    for (; position < head->line_count; position++) {
        const line_t *line = s_line (head, position);
        if (!s_line_is_of (line, &of))
            continue;
        self->count++;
        value_put_map (&self->body, 6);
        s_number (self, "position", position + 1);
        s_number (self, "at_ms", (uint64_t) line->at_ms);
        s_text (self, "node", line->where);
        s_text (self, "who", line->who);
        s_text (self, "stream", streams [line->stream % 3]);
        value_put_string (&self->body, "text", 4);
        value_put_string (&self->body, line->text, line->size);
    }
    return self->count || after || !*of.key || s_is_there (head, &of) ? 0 : -1;
}

/*  Passes a line on to the driver whose work the worker does.              */
static void
s_forward_line (head_t *self, const line_t *line)
{
    uint32_t job = head_job_of (self->state, line->worker);
    peer_t *driver = job ? head_shell_peer (self, head_driver_of (self->state, job)) : NULL;
    if (!driver || driver->identity.role != ROLE_DRIVER)
        return;
    bytes_t body = { 0 };
    bytes_append (&body, line->who, strlen (line->who) + 1);
    bytes_append (&body, line->text, line->size);
    record_t record = { .type = RECORD_LOG,
                        .flags = line->stream,
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    if (!body.failed)
        head_send (self, driver, &record);
    bytes_release (&body);
}

unsigned
head_ask_lines (head_t *self, const peer_t *driver)
{
    record_t ask = { .type = RECORD_LINES, .id = { 0, driver->process } };
    head_worker_report_t worker;
    unsigned asked = 0;
    for (size_t cursor = 0; driver->job && head_next_worker (self->state, &cursor, &worker);) {
        peer_t *node = worker.job == driver->job ? head_shell_peer (self, worker.node) : NULL;
        if (!node || node->identity.role != ROLE_NODE || node->lines_for == driver->process)
            continue;
        node->lines_for = driver->process;
        head_send (self, node, &ask);
        asked++;
    }
    return asked;
}

/*  LOG from a node: target: the worker; flags: the stream; body: who, NUL,
    the line.                                                               */
void
head_lines (head_t *self, peer_t *node, const record_t *record)
{
    struct timespec time;
    const char *who = (const char *) record->body;
    size_t length = strnlen (who, record->body_size);
    if (length == record->body_size)
        return;
    if (!self->lines && !(self->lines = calloc (LINES_MAX, sizeof *self->lines)))
        return;
    line_t fresh = { .worker = record->target,
                     .stream = record->flags,
                     .size = record->body_size - length - 1,
                     .who = bytes_text (who, length),
                     .where = strdup (node->identity.name) };
    fresh.text = bytes_text (who + length + 1, fresh.size);
    if (!fresh.who || !fresh.where || !fresh.text) {
        s_line_clear (&fresh);
        return;
    }
    clock_gettime (CLOCK_REALTIME, &time);
    fresh.at_ms = time.tv_sec * 1000 + time.tv_nsec / 1000000;
    line_t *line = s_line (self, self->line_count);
    s_line_clear (line);
    *line = fresh;
    self->line_count++;
    s_forward_line (self, line);
}

void
head_answers_destroy (head_t *self)
{
    head_classes_destroy (self);
    for (size_t index = 0; self->lines && index < LINES_MAX; index++)
        s_line_clear (&self->lines [index]);
    free (self->lines);
}

/*  --- questions and orders ---------------------------------------------  */

void
head_answer_fault (head_t *self, peer_t *peer, tid_t id, troupe_error_t code, const char *text)
{
    record_t result = { .type = RECORD_RESULT,
                        .flags = RECORD_FAULT,
                        .number = code,
                        .id = id,
                        .body = (const uint8_t *) text,
                        .body_size = (uint32_t) strlen (text) };
    head_send (self, peer, &result);
}

/*  The maps stand behind room for the head of the list, whose size depends
    on their number.                                                        */
static void
s_send_answer (answer_t *self, peer_t *peer, tid_t id)
{
    bytes_t value = { 0 };
    if (self->filtered) {
        value_put_map (&value, 2);
        value_put_string (&value, "matched", 7);
        value_put_uint (&value, self->matched > self->count ? self->matched : self->count);
        value_put_string (&value, "rows", 4);
    }
    if (!self->single)
        value_put_array (&value, self->count);
    bytes_append (&value, self->body.data, self->body.size);
    record_t result = { .type = RECORD_RESULT,
                        .id = id,
                        .body = value.data,
                        .body_size = (uint32_t) value.size };
    if (value.failed || self->body.failed)
        head_answer_fault (self->head, peer, id, TROUPE_ENOMEM, "the head has no memory left");
    else
        head_send (self->head, peer, &result);
    bytes_release (&value);
    bytes_release (&self->body);
}

/*  Reads a string or nil into text.                                        */
static int
s_read_text (const record_t *record, size_t *offset, char text [256])
{
    msgpack_token_t token;
    if (token_next (record->body, record->body_size, offset, &token)
        || (token.type != TROUPE_STRING && token.type != TROUPE_NIL) || token.size > 255)
        return -1;
    if (token.size)
        memcpy (text, token.data, token.size);
    text [token.size] = 0;
    return 0;
}

static uint64_t
s_read_number (const record_t *record, size_t *offset)
{
    msgpack_token_t token;
    return token_next (record->body, record->body_size, offset, &token) == 0
                   && token.type == TROUPE_INTEGER
               ? token.number
               : 0;
}

static void
s_stores (answer_t *self)
{
    self->count += head_put_stores (self->head, self->key, &self->body);
}

static void
s_objects (answer_t *self)
{
    self->count += head_put_objects (self->head, self->key, &self->body);
}

/*  The conditions of a list of tasks. Returns 0, or -1: malformed.         */
static int
s_read_filter (const record_t *record, size_t *offset, head_filter_t *filter)
{
    msgpack_token_t list, text;
    if (token_next (record->body, record->body_size, offset, &list) || list.type != TROUPE_LIST)
        return -1;
    for (size_t left = list.count; left; left--)
        if (token_next (record->body, record->body_size, offset, &text)
            || text.type != TROUPE_STRING
            || head_filter_read (filter, (const char *) text.data, text.size))
            return -1;
    return 0;
}

/*  INQUIRE: id: the future of the answer; body: [what, key, after, limit], which
    is answered by a list; or with a filter behind, a list of conditions, which
    is answered by a map of the list, "rows", and of how many pass the filter,
    "matched". It is for tasks; of other things all pass.                   */
void
head_inquire (head_t *self, peer_t *peer, const record_t *record, int64_t now)
{
    static const struct {
        const char *what;
        void (*run) (answer_t *answer);
    } kinds [] = { { "summary", s_summary }, { "nodes", s_nodes },         { "workers", s_workers },
                   { "actors", s_actors },   { "classes", s_classes },     { "functions", s_functions }, { "tasks", s_tasks },
                   { "jobs", s_jobs },       { "tokens", s_tokens },       { "stores", s_stores },   { "objects", s_objects } };
    char what [256], key [256];
    size_t offset = 0;
    msgpack_token_t list;
    if (!value_check (record->body, record->body_size, true)
        || token_next (record->body, record->body_size, &offset, &list)
        || list.type != TROUPE_LIST || list.count < 4 || list.count > 5
        || s_read_text (record, &offset, what) || s_read_text (record, &offset, key))
        return;
    uint64_t after = s_read_number (record, &offset), limit = s_read_number (record, &offset);
    head_filter_t filter = { .count = 0 };
    if (list.count == 5 && s_read_filter (record, &offset, &filter))
        return;
    answer_t answer = { .head = self,
                        .asker = peer,
                        .key = key,
                        .now = now,
                        .filtered = list.count == 5,
                        .filter = &filter };
    bool known = strcmp (what, "lines") == 0;
    if (known && s_lines (&answer, after, limit)) {
        fault_t fault;
        bytes_release (&answer.body);
        fault_set (&fault, TROUPE_ENAME, "there is no node, worker, actor or task '%s'", key);
        head_answer_fault (self, peer, record->id, fault.code, fault.text);
        return;
    }
    for (size_t index = 0; index < sizeof kinds / sizeof *kinds; index++)
        if (strcmp (kinds [index].what, what) == 0) {
            kinds [index].run (&answer);
            known = true;
        }
    if (known)
        s_send_answer (&answer, peer, record->id);
    else
        head_answer_fault (self, peer, record->id, TROUPE_ENAME, "the head does not know that");
}

static void
s_drain (head_t *self, peer_t *peer, tid_t id, const char *key)
{
    peer_t *node = s_find_node (self, key);
    if (!node) {
        fault_t fault;
        fault_set (&fault, TROUPE_ENAME, "there is no node '%s'", key);
        head_answer_fault (self, peer, id, fault.code, fault.text);
        return;
    }
    size_t cursor = 0;
    head_node_report_t report;
    answer_t answer = { .head = self, .single = true };
    head_drain (self->state, node->process);
    head_log (self, "%s is drained", node->identity.label);
    while (head_next_node (self->state, &cursor, &report))
        if (report.process == node->process) {
            answer.count++;
            value_put_map (&answer.body, 3);
            s_text (&answer, "node", report.name);
            s_number (&answer, "tasks", report.leases);
            s_number (&answer, "actors", report.actors);
        }
    s_send_answer (&answer, peer, id);
}

/*  The workers of a node that leaves end as they should, and all of them when the
    cluster ends with the node.                                             */
static void
s_stop (head_t *self, const peer_t *node)
{
    bool all = head_drains_all (self->state) == node->process;
    head_stop_workers (self, all ? 0 : node->process);
}

/*  The head's own daemon is to end. Drivers and clients begin nothing more.  */
static void
s_end (head_t *self, peer_t *node)
{
    head_counts_t before = head_counts (self->state);
    size_t cursor = 0;
    record_t stop = { .type = RECORD_STOP };
    bool again = head_drains_all (self->state) != 0;
    head_drain_all (self->state, node->process);
    if (again)
        return;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->identity.role == ROLE_DRIVER || peer->identity.role == ROLE_CLIENT)
            head_send (self, peer, &stop);
    head_counts_t counts = head_counts (self->state);
    head_log (self,
              "the cluster is being stopped: %zu tasks are with workers; %zu that had not begun "
              "have failed",
              counts.leased, before.ready + before.parked - counts.ready - counts.parked);
}

/*  COMMAND: id: the future of the answer, or none; body: [verb, argument].  */
void
head_command (head_t *self, peer_t *peer, const record_t *record)
{
    char verb [256], key [256];
    size_t offset = 0;
    msgpack_token_t list;
    if (!value_check (record->body, record->body_size, true)
        || token_next (record->body, record->body_size, &offset, &list)
        || list.type != TROUPE_LIST || list.count != 2 || s_read_text (record, &offset, verb)
        || s_read_text (record, &offset, key))
        return;
    if (strcmp (verb, "stop") == 0 && peer->identity.role == ROLE_NODE)
        s_stop (self, peer);
    else if (strcmp (verb, "end") == 0 && peer->identity.role == ROLE_NODE && !peer->far)
        s_end (self, peer);
    else if (strcmp (verb, "drain") == 0)
        s_drain (self, peer, record->id, key);
    else if (strcmp (verb, "token") == 0 && self->network)
        head_token_new (self, peer, record->id, key);
    else if (strcmp (verb, "revoke") == 0 && self->network)
        head_token_revoke (self, peer, record->id, key);
    else
        head_answer_fault (self, peer, record->id, TROUPE_ENAME, "the head cannot do that");
}
