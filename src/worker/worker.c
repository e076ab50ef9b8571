/*  worker.c - a worker: joining, its main loop, its end; worker processes  */

#include "worker/worker_private.h"

#include "peer/registry.h"
#include "wire/socket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define JOIN_TIMEOUT (10000 * CLOCK_MS)
#define EXIT_TIMEOUT_MS 900

/*  For results that their owners have not confirmed. An owner that is flooded
    may take long; one that is gone is told of by the head, which ends it.  */
#define SETTLE (60000 * CLOCK_MS)

/*  How soon to try again after there was no thread to be had.              */
#define RETRY (10 * CLOCK_MS)

/*  --- what comes in ----------------------------------------------------  */

void
worker_cancel (worker_t *self, tid_t id)
{
    job_t *job = id_table_get (&self->jobs, id);
    if (!job)
        return;
    atomic_store (&job->cancelled, true);
    family_cancel (&job->family);
    /*  A future that it had returned may have answered for it.             */
    if (id_table_get (&self->jobs, id) != job || job->running || !list_linked (&job->node))
        return;
    job_report_done (self, job);
    worker_actor_t *actor = job->actor;
    if (actor)
        actor->waiting--;
    job_destroy (self, job);
    if (actor)
        actors_kick (actor);
}

void
worker_wake_main (worker_t *self)
{
    if (self->main)
        peer_wake (self->peer, self->main);
}

static void
s_stop (worker_t *self)
{
    self->stopping = true;
    worker_wake_main (self);
}

/*  The head's number of a task; 0 if it gave none.                         */
static size_t
s_task_number (const troupe_t *peer, const troupe_task_t *task)
{
    tid_t address = { 0, (uint64_t) (uintptr_t) task };
    return (size_t) (uintptr_t) id_table_get (&peer->functions, address);
}

/*  The head's numbers lead to our functions. Without memory for the table
    every task fails with a message.                                        */
static void
s_joined (void *context, troupe_t *peer)
{
    worker_t *self = context;
    const troupe_task_t *first = registry_tasks ();
    self->peer = peer;
    for (const troupe_task_t *task = first; task; task = task->next)
        if (s_task_number (peer, task) >= self->function_count)
            self->function_count = s_task_number (peer, task) + 1;
    self->functions = calloc (self->function_count + 1, sizeof *self->functions);
    if (!self->functions)
        self->function_count = 0;
    for (const troupe_task_t *task = first; self->functions && task; task = task->next)
        self->functions [s_task_number (peer, task)] = task;
    if (self->functions)
        self->functions [0] = NULL;
    if (self->ledger)
        atomic_store (&self->ledger->process, peer->self);
}

static void
s_record (void *context, const record_t *record, batch_t *batch, process_t sender)
{
    worker_t *self = context;
    bool from_head = sender == HEAD_PROCESS;
    switch (record->type) {
    case RECORD_TASK:
        if (from_head)
            executor_accept (self, record, batch);
        break;
    case RECORD_SPAWN:
        if (from_head)
            actors_accept_spawn (self, record, batch);
        break;
    case RECORD_RECALL:
        if (from_head)
            executor_recall (self, record->id.sequence);
        break;
    case RECORD_STOP:
        if (from_head)
            s_stop (self);
        break;
    case RECORD_CALL:
        actors_accept_call (self, record, batch, sender);
        break;
    case RECORD_END:
        if (from_head)
            actors_end_named (self, record->id);
        else
            actors_end (self, record->target, record->flags & RECORD_KILL);
        break;
    case RECORD_CANCEL:
        if (from_head || record->id.owner == sender)
            worker_cancel (self, record->id);
        break;
    default:
        break;
    }
}

static bool
s_subscribe (void *context, tid_t id, process_t target)
{
    worker_t *self = context;
    job_t *job = id_table_get (&self->jobs, id);
    /*  Of an actor that is being made the owner tells others.              */
    if (!job || (!job->task && !job->actor))
        return false;
    if (job->target_count == UINT16_MAX)
        return true;
    process_t *grown = realloc (job->targets, (job->target_count + 1) * sizeof *grown);
    if (!grown)
        return true;
    job->targets = grown;
    job->targets [job->target_count++] = target;
    return true;
}

static void
s_value (void *context, await_waiter_t *waiter, uint32_t code, const uint8_t *data,
         uint32_t size)
{
    worker_t *self = context;
    job_t *job = waiter->subject;
    worker_actor_t *actor = job->actor;
    int rc = code ? 0 : job_add_value (job, waiter->id, data, size);
    if (code || rc) {
        actor->waiting--;
        if (code)
            job_fail_argument (self, job, code, data, size);
        else
            job_fail (self, job, TROUPE_ENOMEM, "no memory for the arguments");
        actors_kick (actor);
        return;
    }
    if (--job->unresolved == 0)
        actors_kick (actor);
}

/*  The calls of a process that has ended. Each may end others of them. Without
    memory, those that run or wait are only told.                           */
static void
s_cancel_owned (worker_t *self, process_t owner)
{
    size_t count = 0, cursor = 0;
    tid_t *owned = malloc ((self->jobs.count + 1) * sizeof *owned);
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        if (job->id.owner == owner && owned)
            owned [count++] = job->id;
        else if (job->id.owner == owner)
            atomic_store (&job->cancelled, true);
    while (count--)
        worker_cancel (self, owned [count]);
    free (owned);
}

static void
s_down (void *context, process_t process)
{
    worker_t *self = context;
    if (process == HEAD_PROCESS) {
        s_stop (self);
        return;
    }
    s_cancel_owned (self, process);
    actors_lose_owner (self, process);
}

/*  Callbacks of troupe_then run on executors, as tasks do.                 */
static void
s_callback (void *context, troupe_future_t *future)
{
    (void) future;
    worker_t *self = context;
    executor_kick (self);
}

static int
s_blocked (void *context, bool begins, fault_t *fault)
{
    return executor_blocked (context, begins, fault);
}

const peer_hooks_t worker_hooks = { .joined = s_joined,
                                    .record = s_record,
                                    .subscribe = s_subscribe,
                                    .value = s_value,
                                    .down = s_down,
                                    .callback = s_callback,
                                    .blocked = s_blocked };

/*  --- life -------------------------------------------------------------  */

worker_t *
worker_new (const worker_options_t *options, fault_t *fault)
{
    worker_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for a worker");
        return NULL;
    }
    char label [160];
    if (options->place)
        snprintf (label, sizeof label, "worker %u (pid %d) on %s", options->number,
                  (int) getpid (), options->place);
    else if (options->threads)
        snprintf (label, sizeof label, "worker %u (thread)", options->number);
    else
        snprintf (label, sizeof label, "worker %u (pid %d)", options->number, (int) getpid ());
    self->slots = 1;
    self->ledger = options->ledger;
    self->told = registry_classes ();
    list_init (&self->queue);
    list_init (&self->idle);
    list_init (&self->due);
    list_init (&self->births);
    list_init (&self->dead);
    peer_options_t peer = { .context = options->context,
                            .head_endpoint = options->head_endpoint,
                            .cookie = options->cookie,
                            .role = ROLE_WORKER,
                            .slots = self->slots,
                            .store = options->store,
                            .label = label,
                            .threads = options->threads,
                            .network = options->network,
                            .far = options->far,
                            .patience = options->patience,
                            .node = options->node,
                            .job = options->job,
                            .program = options->program,
                            .hooks = &worker_hooks,
                            .hooks_context = self };
    /*  self->peer is set when it has joined: tasks may come at once.       */
    if (peer_new (&peer, clock_now () + JOIN_TIMEOUT, fault))
        return self;
    free (self->functions);
    free (self);
    return NULL;
}

/*  Does what other threads have left to this one.                          */
static void
s_chores (worker_t *self)
{
    fault_t fault;
    for (list_node_t *node; (node = list_pop (&self->births));)
        actors_make (self, container_of (node, worker_actor_t, node));
    for (list_node_t *node; (node = list_pop (&self->dead));)
        actors_reap (self, container_of (node, worker_actor_t, node));
    for (unsigned left = self->wanted; left && !self->stopping; left--) {
        self->wanted--;
        if (executor_make (self, &fault)) {
            self->wanted++;
            return;
        }
    }
}

void
worker_run (worker_t *self)
{
    peer_waiter_t waiter = PEER_WAITER_INIT;
    troupe_t *peer = self->peer;
    pthread_mutex_lock (&peer->lock);
    self->main = &waiter;
    self->coming++;
    self->wanted++;
    while (!self->stopping && !peer->stopping) {
        waiter.ready = false;
        s_chores (self);
        if (list_empty (&self->births) && list_empty (&self->dead) && !self->stopping)
            peer_wait_beside (peer, &waiter, self->wanted ? clock_now () + RETRY : CLOCK_NEVER);
    }
    self->main = NULL;
    pthread_mutex_unlock (&peer->lock);
}

void
worker_stop (worker_t *self)
{
    pthread_mutex_lock (&self->peer->lock);
    s_stop (self);
    pthread_mutex_unlock (&self->peer->lock);
}

/*  Ends the actors and waits for them. Returns how many are left.          */
static size_t
s_end_actors (worker_t *self, int64_t deadline)
{
    peer_waiter_t waiter = PEER_WAITER_INIT;
    self->main = &waiter;
    actors_lose_owner (self, 0);
    while (self->actors.count && clock_now () < deadline) {
        waiter.ready = false;
        for (list_node_t *node; (node = list_pop (&self->dead));)
            actors_reap (self, container_of (node, worker_actor_t, node));
        if (self->actors.count && list_empty (&self->dead)
            && peer_wait (self->peer, &waiter, deadline) < 0)
            break;
    }
    for (list_node_t *node; (node = list_pop (&self->dead));)
        actors_reap (self, container_of (node, worker_actor_t, node));
    for (list_node_t *node; (node = list_pop (&self->births));) {
        worker_actor_t *actor = container_of (node, worker_actor_t, node);
        job_destroy (self, actor->birth);
        free (actor);
    }
    size_t left = self->actors.count;
    self->main = NULL;
    return left;
}

static int
s_join_executors (worker_t *self, int64_t deadline)
{
    int rc = 0;
    for (unsigned index = 0; index < self->executor_count; index++) {
        int64_t left = (deadline - clock_now ()) / CLOCK_MS;
        if (thread_join (&self->executors [index]->thread, left > 1 ? (int) left : 1))
            rc = -1;
        else
            free (self->executors [index]);
    }
    return rc;
}

int
worker_destroy (worker_t **self_p, int timeout_ms)
{
    worker_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    int64_t deadline = clock_now () + timeout_ms * CLOCK_MS;
    pthread_mutex_lock (&self->peer->lock);
    self->stopping = true;
    size_t left = s_end_actors (self, deadline);
    pthread_mutex_unlock (&self->peer->lock);
    peer_settle (self->peer, clock_now () + SETTLE);
    int rc = peer_stop (self->peer);
    if (s_join_executors (self, deadline) || left || rc)
        return -1;
    pthread_mutex_lock (&self->peer->lock);
    settle_forget_all (self);
    size_t cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor)); cursor = 0)
        job_destroy (self, job);
    pthread_mutex_unlock (&self->peer->lock);
    peer_destroy (&self->peer);
    id_table_release (&self->jobs);
    slab_release (&self->job_slab);
    id_table_release (&self->actors);
    free (self->executors);
    free (self->functions);
    free (self);
    return 0;
}

/*  --- worker processes -------------------------------------------------  */

/*  exit () inside a task must end the process at once, as a crash does, and
    not run the exit hooks of libraries whose threads are at work.          */
static void
s_exit_now (int status, void *arg)
{
    (void) arg;
    fflush (NULL);
    _exit (status);
}

static int
s_parse_hex (const char *text, uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++) {
        unsigned byte;
        if (sscanf (text + 2 * index, "%2x", &byte) != 1)
            return -1;
        bytes [index] = (uint8_t) byte;
    }
    return 0;
}

static void
s_die (const char *what, const fault_t *fault)
{
    fprintf (stderr, "troupe worker (pid %d): %s: %s\n", (int) getpid (), what, fault->text);
    fflush (NULL);
    _exit (111);
}

/*  What a node of a cluster of machines adds; kept until the process ends. */
typedef struct {
    network_t network;
    uint8_t program [PROGRAM_HASH_SIZE];
    char place [64];
} membership_t;

static int
s_parse_membership (const char *text, membership_t *self, worker_options_t *options)
{
    network_t *network = &self->network;
    char head [2 * KEY_SIZE + 1], shown [2 * KEY_SIZE + 1], secret [2 * KEY_SIZE + 1],
        program [2 * PROGRAM_HASH_SIZE + 1];
    unsigned long long node;
    int far, insecure;
    if (sscanf (text, "%d %d %llu %u %253s %64s %64s %64s %64s %63s", &far, &insecure, &node,
                &options->job, network->host, head, shown, secret, program, self->place)
            != 10
        || s_parse_hex (head, network->head_key, KEY_SIZE)
        || s_parse_hex (shown, network->admission.public_key, KEY_SIZE)
        || s_parse_hex (secret, network->admission.secret_key, KEY_SIZE)
        || s_parse_hex (program, self->program, PROGRAM_HASH_SIZE))
        return -1;
    network->insecure = insecure != 0;
    options->network = network;
    options->far = far != 0;
    options->node = node;
    options->program = self->program;
    options->place = self->place;
    return 0;
}

static void
s_join_cluster (worker_options_t *options)
{
    static membership_t membership;
    fault_t fault = { .text = "malformed" };
    const char *text = getenv ("TROUPE_BOOT_CLUSTER");
    if (!text)
        return;
    if (s_parse_membership (text, &membership, options)
        || network_patience (&options->patience, &fault)
        || network_open (&membership.network, options->context, NULL, &fault))
        s_die ("TROUPE_BOOT_CLUSTER", &fault);
    unsetenv ("TROUPE_BOOT_CLUSTER");
    /*  Lines are on their way to the driver as soon as they end.           */
    setvbuf (stdout, NULL, _IOLBF, 0);
}

void
worker_main (const char *boot)
{
    int parent, ledger_fd;
    unsigned number;
    char cookie_text [2 * COOKIE_SIZE + 1], endpoint [128];
    uint8_t cookie [COOKIE_SIZE];
    fault_t fault = { .text = "malformed" };
    if (sscanf (boot, "%d %u %d %32s %127s", &parent, &number, &ledger_fd, cookie_text,
                endpoint)
            != 5
        || s_parse_hex (cookie_text, cookie, COOKIE_SIZE))
        s_die ("TROUPE_BOOT", &fault);
    /*  The environment is the children's too, and they are no workers.     */
    unsetenv ("TROUPE_BOOT");
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != parent)
        _exit (0);
    signal (SIGINT, SIG_IGN);
    thread_prepare ();
    on_exit (s_exit_now, NULL);
    void *context = socket_context_new (&fault);
    ledger_t *ledger = context ? ledger_open (ledger_fd, &fault) : NULL;
    if (!ledger)
        s_die ("cannot start", &fault);
    close (ledger_fd);
    worker_options_t options = { .context = context,
                                 .head_endpoint = endpoint,
                                 .cookie = cookie,
                                 .number = number,
                                 .ledger = ledger };
    char store [STORE_ENDPOINT_SIZE];
    const char *given = getenv ("TROUPE_BOOT_STORE");
    snprintf (store, sizeof store, "%s", given ? given : "");
    unsetenv ("TROUPE_BOOT_STORE");
    options.store = store;
    s_join_cluster (&options);
    worker_t *worker = worker_new (&options, &fault);
    if (!worker)
        s_die ("cannot join", &fault);
    worker_run (worker);
    worker_destroy (&worker, EXIT_TIMEOUT_MS);
    fflush (NULL);
    _exit (0);
}
