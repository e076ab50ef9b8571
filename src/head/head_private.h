/*  head_private.h - the structures of the head's state                     */

#ifndef TROUPE_HEAD_PRIVATE_H
#define TROUPE_HEAD_PRIVATE_H

#include "head/head_state.h"

#include "core/clock.h"
#include "core/heap.h"

/*  A worker has work of this length, with what it runs, but always one task
    ahead: some round trips, and a wake-up is a small part of it.           */
#define PREFETCH_WINDOW (1000 * CLOCK_US)

/*  Tasks of functions that take longer are not sent ahead.                 */
#define PREFETCH_LONGEST (8 * CLOCK_MS)
#define PREFETCH_MAX 511

/*  A worker's load is a level, leases for each slot; workers of one level
    are in one list, so that the least loaded is found at once. Beyond the
    last level nothing is sent.                                             */
#define LEVELS (PREFETCH_MAX + 2)

#define SUSPECT_AFTER (3000 * CLOCK_MS)
#define DEAD_AFTER (10000 * CLOCK_MS)
#define IDLE_AFTER (30000 * CLOCK_MS)
/*  Places for leases that a worker begins with.                            */
#define LEASES_FIRST 16

#define SHORT_IDLE (1000 * CLOCK_MS)
#define GRACE (10000 * CLOCK_MS)
/*  A worker that has ended nothing for so long is stuck: when another of the
    job is idle, and when none is, which also is how often it is looked for.  */
#define STUCK_AFTER (2 * CLOCK_MS)
#define STUCK_ALONE_AFTER (50 * CLOCK_MS)
#define TICK (500 * CLOCK_MS)

/*  A node that could not start a worker is asked again after this time,
    doubled with each failure up to the second.                             */
#define BACKOFF_FIRST (100 * CLOCK_MS)
#define BACKOFF_MAX (30000 * CLOCK_MS)

/*  Workers of a node beyond its cpus: a start is asked for at most so many. */
#define START_MAX 64

/*  Priorities beyond this are taken for this.                              */
#define PRIORITY_MAX 16000

/*  Names of resources, and functions of a program.                         */
#define RESOURCES_MAX 256
#define FUNCTIONS_MAX 65536

/*  Nodes are in buckets by how much they are used: of the resource that is
    used most, in steps of a twentieth.                                     */
#define BUCKETS 21
#define BUCKET_HALF (BUCKETS / 2)

enum { CPUS, MEMORY, GPUS };

typedef struct lane lane_t;
typedef struct job job_t;
typedef struct head_node head_node_t;
typedef struct bundle bundle_t;
typedef struct group group_t;
typedef struct head_copy head_copy_t;

/*  --- what is asked for ------------------------------------------------  */

typedef struct {
    uint32_t resource;
    int64_t amount;
} need_t;

/*  One for all that ask for the same in the same way; counted.             */
typedef struct demand {
    size_t references;
    bytes_t key;                /*  all that follows, as bytes              */
    placement_t placement;
    process_t node;
    char *node_name;            /*  "" if the node is named by its process  */
    tid_t group;
    uint32_t bundle;
    size_t count;
    need_t needs [];            /*  by resource, ascending                  */
} demand_t;

/*  Something that waits because others take whatever is free, and the nodes or
    the bundle that are kept for it: see head_keeps.c. Zeroed, nothing waits. */
typedef struct head_keep {
    list_node_t node;           /*  in state->keeps, while it keeps something */
    list_t nodes;               /*  then, those kept: see head_node.kept    */
    bundle_t *bundle;           /*  or this                                 */
    job_t *job;
    const demand_t *demand;     /*  NULL: of a group                        */
    int64_t since;              /*  when it began to wait, or 0             */
    int64_t began;              /*  when it began to keep something         */
    int64_t until;
    int64_t time;               /*  how long that is, or will be            */
    int64_t wait;               /*  how long to wait for it                 */
} head_keep_t;

/*  --- programs, functions, jobs ----------------------------------------  */

typedef struct {
    uint32_t number;
    uint8_t hash [PROGRAM_HASH_SIZE];
    char *name;                 /*  as its last driver calls it; NULL       */
    name_table_t names;         /*  of its functions                        */
} program_t;

typedef struct {
    uint32_t number;
    program_t *program;
    char *name;
    int64_t service;            /*  ns, moving average; -1 until known      */
    unsigned prefetch;          /*  leases beyond the slots                 */
    size_t offered;             /*  workers that offer it                   */
} function_t;

/*  The tasks of one job that wait for one function at one depth of nesting
    with one demand. A lane with tasks may be served, or waits: a plain one
    for a worker of its job, another for something to become free.          */
struct lane {
    heap_node_t turn;           /*  in its job, if it may be served         */
    list_node_t node;           /*  in job->stalled or state->blocked       */
    job_t *job;
    function_t *function;
    demand_t *demand;
    uint32_t depth;
    bool plain;                 /*  asks for one cpu, and nothing else      */
    bool searched;              /*  in vain: only what is freed can help    */
    int64_t unfit;              /*  since when no node could ever do, or 0  */
    head_keep_t keep;           /*  if it is not plain                      */
    list_node_t near;           /*  in the list of the node that it prefers */
    int64_t yields;             /*  since when it leaves room to others, or 0 */
    bool yielded;               /*  in the last search                      */
    size_t references;          /*  tasks that name it                      */
    size_t ready;
    list_t tasks;
};

struct job {
    uint32_t number;
    program_t *program;
    process_t driver;           /*  0 when it has ended                     */
    char *label;
    char *space;                /*  namespace                               */
    int priority;
    unsigned share;
    bool own_workers;
    bool embedded;              /*  workers come by themselves              */
    bool ended;
    bool searched;              /*  for nodes to start workers on, in vain  */
    uint64_t crowded;           /*  state->rooms when actors found none     */
    int64_t since;
    heap_node_t turn;           /*  if it has lanes that may be served      */
    heap_t lanes;
    list_t stalled;
    list_node_t woken;          /*  its stalled lanes may be served again   */
    list_node_t wanting;        /*  it lacks workers                        */
    list_node_t loading;        /*  it has workers with leases ahead        */
    list_node_t over;           /*  nothing may be left of it               */
    list_node_t unstartable;    /*  something may not be startable anywhere */
    id_table_t lane_table;
    lane_t *recent;
    list_t levels [LEVELS];
    size_t lowest;              /*  no level below holds a worker           */
    list_t ahead;               /*  workers with leases ahead, but for those
                                    that were called back, by their progress */
    size_t loaded;              /*  workers with leases ahead               */
    size_t workers;
    size_t starting;
    size_t tasks;
    size_t bytes;
    size_t actors;
    size_t ready;               /*  in plain lanes                          */
    int64_t cpus;               /*  that its workers hold                   */
    size_t free_riders;         /*  leases that hold no cpu                 */
    list_t homeless;            /*  actors that wait for a worker           */
    heap_t homes;               /*  workers, by how many actors they have   */
    list_t pools;
};

/*  --- nodes ------------------------------------------------------------  */

struct head_node {
    process_t process;          /*  0: the embedded cluster's               */
    uint64_t number;
    char *name;
    bool suspect;
    bool draining;              /*  it is to leave, or to have nothing      */
    bool drained;
    bool closed;                /*  nothing new begins there                */
    bool leaving;               /*  it ends its workers                     */
    char *waits;                /*  what its drain was last told to wait for */
    bool gone;                  /*  only until its last worker has          */
    size_t count;               /*  of resources in the arrays              */
    int64_t *total;
    int64_t *free;
    int64_t *fixed;             /*  held by actors and bundles              */
    int64_t *planned;           /*  0, but while a plan is made: head_plan.c */
    size_t planned_bundles;
    list_t workers;
    list_t warm;                /*  jobs' former workers: see of_pool       */
    list_t starved;             /*  that could run more with a cpu          */
    list_t owing;               /*  that run more than they hold cpus for   */
    list_t pools;
    list_node_t bucket;
    list_node_t stale;          /*  its bucket may be wrong                 */
    list_node_t freed;          /*  something has become free               */
    head_keep_t *keep;          /*  what the node is kept for, or NULL      */
    list_node_t kept;           /*  then; or until its workers are placed   */
    int64_t vain;               /*  when it was last kept in vain, or 0     */
    list_t near;                /*  lanes with tasks whose arguments it has */
    bool yielded;               /*  another lane has left its room to them  */
    size_t worker_count;
    size_t starting;
    size_t slots;               /*  the embedded cluster's: of its workers  */
    size_t references;          /*  workers and bundles                     */
};

/*  What a job has on a node.                                               */
typedef struct {
    list_node_t of_job;
    list_node_t of_node;
    job_t *job;
    head_node_t *node;
    list_t workers;
    size_t worker_count;
    size_t starting;
    unsigned failures;
    int64_t retry;              /*  no worker is asked for before           */
    char *text;                 /*  why it failed                           */
} pool_t;

/*  A reserved part of a node. What its holders give back goes to the node
    when the group has ended.                                               */
struct bundle {
    head_node_t *node;          /*  NULL until it is reserved               */
    demand_t *demand;
    bool ended;
    size_t holders;
    head_keep_t *keep;          /*  what it is kept for, or NULL            */
    list_node_t unkept;         /*  until others know that it is not        */
    head_node_t *plan;          /*  of the last plan that was made          */
    int64_t free [];            /*  by the demand's needs                   */
};

struct group {
    tid_t id;
    job_t *job;
    group_strategy_t strategy;
    bool placed;
    bool searched;              /*  in vain: only what is freed can help    */
    bool fits;                  /*  the nodes, if nothing else ran          */
    uint64_t judged;            /*  state->shapes when that was found out   */
    int64_t unfit;
    head_keep_t keep;
    list_node_t pending;        /*  among those without a place             */
    size_t count;
    uint16_t *order;            /*  the largest bundle first; behind bundles */
    bundle_t *bundles [];
};

/*  --- processes --------------------------------------------------------  */

typedef struct {
    process_t process;
    role_t role;
    char *label;
    unsigned slots;
    unsigned blocked;           /*  executors that wait inside a task       */
    unsigned outstanding;       /*  leases                                  */
    unsigned recalled;          /*  asked back and not yet answered         */
    unsigned special;           /*  leases of lanes that are not plain      */
    bool newest_special;        /*  the last lease is                       */
    size_t outstanding_bytes;
    size_t actors;
    bool submitted;             /*  has ever owned a task                   */
    bool spawned;               /*  or an actor                             */
    bool suspect;
    bool stopping;
    bool counted;               /*  among the workers that get tasks        */
    bool loaded;                /*  holds more leases than it can run       */
    unsigned refill;            /*  gets no more until it holds fewer       */
    int64_t heard;
    int64_t closed;             /*  since when its connection is, or 0      */
    int64_t progress;           /*  last lease done, or first given ahead   */
    job_t *job;                 /*  NULL: a warm worker, a node, a client   */
    program_t *program;
    head_node_t *on;            /*  a worker's node; a node agent's own     */
    pool_t *pool;
    int64_t cpus;               /*  held                                    */
    list_node_t node;           /*  in its level, or starved                */
    list_node_t ahead;          /*  in job->ahead                           */
    list_node_t of_node;
    list_node_t of_pool;        /*  in its pool, or warm                    */
    list_node_t owing;
    list_node_t idle;
    int64_t idle_since;
    heap_node_t home;
    list_t specials;            /*  the tasks, the oldest first             */
    uint8_t *offers;            /*  by function number                      */
    size_t offers_size;
    unsigned lease_capacity;    /*  up to LEASES_MAX                        */
    head_task_t **leases;       /*  by slot                                 */
    list_t answered;            /*  tasks in the hope of their answer       */
    uint16_t *free_slots;
    uint32_t generation;
    uint32_t begun;             /*  the last when leases were called back: it
                                    and those before have begun, or come    */
} head_peer_t;

/*  --- tasks ------------------------------------------------------------  */

/*  A task that may be repeated is kept, once answered, until its owner has
    the answer: it can be lost with the worker.                             */
typedef enum { TASK_PARKED, TASK_READY, TASK_LEASED, TASK_ANSWERED } task_state_t;

/*  What few tasks have.                                                    */
typedef struct {
    int64_t deadline;           /*  CLOCK_NEVER if it has none              */
    await_waiter_t *waiters;    /*  one for each value that may be missing  */
    process_t *subscribers;
    uint8_t *attachments;       /*  NULL: behind the body                   */
    head_task_t *task;          /*  whose this is                           */
    head_task_t *parent;        /*  that has submitted it                   */
    list_t children;
    list_node_t sibling;
    bundle_t *bundle;           /*  of the group that it runs in            */
    uint32_t unresolved;
    uint32_t waiter_count;
    uint32_t subscriber_count;
    uint32_t attachment_count;
} task_more_t;

struct head_task {
    list_node_t node;           /*  in its lane, or in a list of its worker */
    tid_t id;
    uint64_t arrival;
    head_peer_t *worker;
    lane_t *lane;
    task_more_t *more;          /*  or NULL                                 */
    uint32_t lease;
    uint32_t body_size;
    uint32_t attachments_size;
    uint8_t retries;
    uint8_t state;
    bool cancelled;
    uint8_t body [];
};

typedef struct {
    list_node_t node;
    process_t asker;
    tid_t id;
} finder_t;

struct head_state {
    uint32_t epoch;
    uint32_t joined;            /*  processes so far                        */
    int64_t now;                /*  of the last event that told             */
    uint64_t arrivals;
    head_settings_t settings;
    id_table_t peers;           /*  process → head_peer_t                   */
    id_table_t tasks;           /*  id → head_task_t                        */
    id_table_t actors;          /*  id → head_actor_t                       */
    name_table_t names;         /*  namespace and name → head_actor_t       */
    program_t **programs;       /*  by number                               */
    size_t program_count;
    name_table_t program_hashes;
    function_t **functions;     /*  by number - 1                           */
    size_t function_count;
    char **resources;           /*  names, by number                        */
    size_t resource_count;
    name_table_t demands;       /*  key → demand_t                          */
    demand_t *one_cpu;
    demand_t *nothing;
    id_table_t jobs;            /*  number → job_t                          */
    uint32_t job_numbers;
    job_t *embedded;            /*  the job of those that name none         */
    heap_t turns;               /*  jobs that may be served                 */
    list_t woken;
    list_t wanting;
    list_t loading;
    list_t over;
    list_t unstartable;
    id_table_t nodes;           /*  process → head_node_t                   */
    name_table_t node_names;
    uint64_t node_numbers;
    head_node_t *local;         /*  the embedded cluster's, or NULL         */
    list_t buckets [BUCKETS];
    list_t stale;
    list_t freed;
    uint64_t shapes;            /*  changes of what nodes there are         */
    list_t keeps;               /*  that keep something                     */
    size_t kept;                /*  nodes                                   */
    list_t unkept;
    list_t unkept_bundles;
    id_table_t pools;           /*  node, job → pool_t                      */
    list_t blocked;             /*  lanes that are not plain and wait       */
    bool again;                 /*  room that was left may be taken after all */
    id_table_t copies;          /*  object → head_copy_t                    */
    list_t recent_copies;
    id_table_t groups;
    list_t pending_groups;
    list_t idle;                /*  workers, the longest idle first         */
    await_t await;
    size_t homeless;            /*  actors that wait for a worker           */
    uint64_t rooms;             /*  changes that may let a worker be started */
    size_t workers;             /*  that get tasks                          */
    size_t loaded;              /*  of these, with leases ahead             */
    size_t ready;
    size_t parked;
    size_t leased;
    size_t answered;
    size_t task_bytes;
    int64_t ticked;
    int64_t recalls;            /*  last looked for the stuck of jobs without
                                    an idle worker                          */
    int64_t retry;              /*  when a node may be asked again          */
    process_t ending;           /*  who is to be told when nothing runs     */
    bool ended;                 /*  it was told                             */
    head_action_t *actions;
    size_t action_count;
    size_t action_capacity;
    bool failed;
};

static inline tid_t
head_key (uint64_t number)
{
    return (tid_t){ 0, number };
}

static inline head_peer_t *
head_peer (const head_state_t *self, process_t process)
{
    return id_table_get (&self->peers, head_key (process));
}

/*  Leases that are not held by waiting executors.                          */
static inline unsigned
head_load (const head_peer_t *peer)
{
    return peer->outstanding > peer->blocked ? peer->outstanding - peer->blocked : 0;
}

/*  The task of a worker's lease, whatever its generation, or NULL.         */
static inline head_task_t *
head_leased (const head_peer_t *peer, uint32_t lease)
{
    unsigned slot = lease & (LEASES_MAX - 1);
    return slot < peer->lease_capacity ? peer->leases [slot] : NULL;
}

static inline int64_t
head_deadline (const head_task_t *task)
{
    return task->more ? task->more->deadline : CLOCK_NEVER;
}

static inline size_t
head_task_size (const head_task_t *task)
{
    return sizeof *task + task->body_size + task->attachments_size;
}

/*  --- state: actions ---------------------------------------------------  */

/*  An action for the peer, zeroed but for that; a dummy if memory ran out. */
head_action_t *head_act (head_state_t *self, head_action_type_t type, process_t peer);

/*  A HEAD_FAULT for the owner of id.                                       */
void head_act_fault (head_state_t *self, tid_t id, troupe_error_t code, const char *format, ...)
    TROUPE_PRINTF_ (4, 5);

/*  Drops a process: a HEAD_DROP with the text.                             */
void head_act_drop (head_state_t *self, process_t process, const char *text);

/*  --- resources: names, demands ----------------------------------------  */

int head_resources_init (head_state_t *self);
void head_resources_release (head_state_t *self);

/*  The number of a resource's name; UINT32_MAX: too many, or no memory.    */
uint32_t head_resource (head_state_t *self, const char *name, size_t length);

/*  The demand that options stand for, with a reference for the caller; NULL
    if there is no memory. otherwise: the demand if options name none.      */
demand_t *head_demand (head_state_t *self, const options_t *options, const demand_t *otherwise);
demand_t *head_demand_keep (demand_t *demand);
void head_demand_release (head_state_t *self, demand_t **demand_p);

/*  What it asks of one resource.                                           */
int64_t head_demand_of (const demand_t *demand, uint32_t resource);

/*  "cpus 2, gpus 0.5"; returns text.                                       */
const char *head_demand_text (const head_state_t *self, const demand_t *demand, char *text,
                              size_t size);

/*  --- nodes ------------------------------------------------------------  */

head_node_t *head_node (const head_state_t *self, process_t process);
head_node_t *head_node_new (head_state_t *self, process_t process, const char *name);
void head_node_free (head_state_t *self, head_node_t *node);
void head_node_release (head_state_t *self, head_node_t *node);
void head_node_lost (head_state_t *self, head_node_t *node, const char *cause);
void head_node_suspect (head_state_t *self, head_node_t *node, bool suspect);

/*  --- draining, and the end of the cluster -----------------------------  */

/*  Whether what this process submits may begin: while the cluster ends, only
    what workers own, as they run it.                                       */
bool head_may_begin (const head_state_t *self, process_t owner);
extern const char head_is_ending [];

/*  With which code fails what is lost with this process.                   */
troupe_error_t head_loss_of (const head_state_t *self, const head_peer_t *peer);

/*  Each tick: says what is waited for, and when that has ended.            */
void head_tell_waits (head_state_t *self);
void head_finish_drains (head_state_t *self);

static inline int64_t
head_node_free_of (const head_node_t *node, uint32_t resource)
{
    return resource < node->count ? node->free [resource] : 0;
}

/*  Whether what is free, or all that the node has, is enough.              */
bool head_node_fits (const head_node_t *node, const demand_t *demand);
bool head_node_could (const head_node_t *node, const demand_t *demand);

/*  Whether the demand may be placed there, and could be.                   */
bool head_node_serves (const head_state_t *self, const head_node_t *node,
                       const demand_t *demand);

/*  Whether it fits when the tasks there have ended.                        */
bool head_node_would (const head_node_t *node, const demand_t *demand);

/*  Whether it fits where something has become free in this turn: what was
    searched for in vain before cannot be had elsewhere.                    */
bool head_freed_fits (const head_state_t *self, const demand_t *demand);

/*  How many times the demand fits into what is free.                       */
size_t head_node_times (const head_node_t *node, const demand_t *demand);

/*  Takes and gives what fits: for an actor or a bundle all of it; for a task
    without the cpus, which its worker accounts for.                        */
void head_node_take (head_state_t *self, head_node_t *node, const demand_t *demand, bool cpus);
void head_node_give (head_state_t *self, head_node_t *node, const demand_t *demand, bool cpus);

/*  Changes the free cpus, and pays debts and wakes workers with them.      */
void head_node_take_cpus (head_state_t *self, head_node_t *node, int64_t amount);
void head_node_give_cpus (head_state_t *self, head_node_t *node, int64_t amount);

/*  Notes that something has become free, or startable.                     */
void head_node_freed (head_state_t *self, head_node_t *node);

/*  Calls accept for the nodes in the order of the demand's placement until
    it returns true; of the freed ones only, if so told. Returns the node.  */
typedef bool head_accept_t (head_state_t *self, head_node_t *node, void *arg);
head_node_t *head_search (head_state_t *self, const demand_t *demand, bool freed_only,
                          head_accept_t *accept, void *arg);

/*  Whether some node could ever serve the demand; if not, text says why.   */
bool head_feasible (head_state_t *self, const demand_t *demand, char *text, size_t size);

/*  --- what is kept -----------------------------------------------------  */

/*  Something waits, from now on unless it did before; it waits no more.    */
void head_keep_begin (head_state_t *self, head_keep_t *keep);
void head_keep_end (head_state_t *self, head_keep_t *keep);

/*  The node, or the bundle, has gone.                                      */
void head_keep_lose (head_state_t *self, head_node_t *node);
void head_keep_lose_bundle (head_state_t *self, bundle_t *bundle);

/*  Whether one that is kept, for what keep says unless NULL, is kept for
    something else, of no lower priority. own: what asks; NULL: another.    */
static inline bool
head_is_kept (const head_keep_t *keep, const job_t *job, const head_keep_t *own)
{
    return keep && keep != own && job->priority <= keep->job->priority;
}

/*  Each tick: begins and ends what is due.                                 */
void head_keep_places (head_state_t *self, int64_t now);

/*  What is kept no more is everybody's again.                              */
void head_open_places (head_state_t *self);

/*  --- jobs -------------------------------------------------------------  */

job_t *head_job_new (head_state_t *self, program_t *program, const char *label,
                     const char *space);
void head_job_free (head_state_t *self, job_t *job);
job_t *head_job_numbered (const head_state_t *self, uint32_t number);
void head_job_ended (head_state_t *self, job_t *job);

/*  Notes that nothing may be left of it; frees such jobs.                  */
void head_job_check (head_state_t *self, job_t *job);
void head_free_jobs (head_state_t *self);

/*  Corrects its place among the jobs that may be served.                   */
void head_job_turn (head_state_t *self, job_t *job);

/*  Smaller is first.                                                       */
int64_t head_job_rank (const job_t *job);

void head_programs_release (head_state_t *self);
program_t *head_program_numbered (const head_state_t *self, uint32_t number);

/*  --- lanes and dispatch -----------------------------------------------  */

/*  The lane, made if it is new; NULL if there is no memory.                */
lane_t *head_lane (head_state_t *self, job_t *job, function_t *function, uint32_t depth,
                   demand_t *demand);
void head_lane_release (head_state_t *self, lane_t *lane);
void head_lane_free (head_state_t *self, lane_t *lane);

/*  --- tasks near their arguments ---------------------------------------  */

/*  Nodes that are remembered for an object.                                */
#define HEAD_COPIES_MAX 4

/*  Notes that the node has a copy of an object, or will have one.          */
void head_copy_made (head_state_t *self, tid_t id, process_t node);

/*  The nodes that have, HEAD_COPIES_MAX with 0 behind the last; some may have
    gone. NULL: none is known. Valid until the next one is noted.           */
const process_t *head_copies (const head_state_t *self, tid_t id);
void head_copies_release (head_state_t *self);

/*  Before a task is ready, with the values of its arguments: may put it into
    another lane.                                                           */
void head_prefer_holder (head_state_t *self, head_task_t *task);

/*  A worker of the node is given the task.                                 */
void head_note_copies (head_state_t *self, const head_task_t *task, const head_node_t *node);

/*  The lane has ready tasks; it has none any more.                         */
void head_near_begin (head_state_t *self, lane_t *lane);
void head_near_end (head_state_t *self, lane_t *lane);

/*  Whether the lane, which prefers another node, leaves the room of this one
    to a lane that prefers it; and whether it has done so for long enough, so
    that another search will find more.                                     */
bool head_yields (head_node_t *node, lane_t *lane, int64_t now);
bool head_has_yielded (const lane_t *lane, int64_t now);

/*  --- ready ------------------------------------------------------------  */

/*  Puts a task into its lane: at the end, or at the front if it was taken
    from there before.                                                      */
void head_make_ready (head_state_t *self, head_task_t *task, bool again);
void head_leave_lane (head_state_t *self, head_task_t *task);

/*  Its stalled lanes are tried again.                                      */
static inline void
head_wake_job (head_state_t *self, job_t *job)
{
    if (!list_empty (&job->stalled) && !list_linked (&job->woken))
        list_append (&self->woken, &job->woken);
}

void head_give_out (head_state_t *self, int64_t now);

/*  Fails what has waited too long for what no node has.                    */
void head_fail_unfit (head_state_t *self, int64_t now);

/*  --- workers ----------------------------------------------------------  */

/*  Corrects all that follows from a worker's leases: the cpus that it holds,
    its level, whether it is idle.                                          */
void head_place (head_state_t *self, head_peer_t *peer);
void head_place_again (head_state_t *self, head_peer_t *peer);

/*  A process takes and leaves its place in the state; a worker, on its node. */
head_peer_t *head_peer_new (head_state_t *self, role_t role, unsigned slots, const char *label);
int head_grow_leases (head_peer_t *peer);
void head_settle (head_state_t *self, head_peer_t *peer, head_node_t *node);
void head_unsettle (head_state_t *self, head_peer_t *peer);

/*  Puts a worker into a job, or NULL: makes it warm. Returns 0 or -1.      */
int head_bind (head_state_t *self, head_peer_t *peer, job_t *job);
void head_unbind (head_state_t *self, head_peer_t *peer);
pool_t *head_pool (head_state_t *self, job_t *job, head_node_t *node, bool make);
void head_pool_free (head_state_t *self, pool_t *pool);
void head_stop_worker (head_state_t *self, head_peer_t *peer, bool kill);

/*  Notes that for something of the job no worker may be startable anywhere. */
void head_doubt (head_state_t *self, job_t *job);

/*  Notes that the job has something to run and nobody to run it.           */
void head_want (head_state_t *self, job_t *job);

/*  Whether there is a place where the job could have another worker.       */
bool head_has_room (head_state_t *self, int64_t now, job_t *job);

/*  Asks for the workers that jobs lack.                                    */
void head_start_workers (head_state_t *self, int64_t now);

/*  Asks for up to count workers of the job on the node; warm ones do.
    Returns how many come.                                                  */
size_t head_ask (head_state_t *self, int64_t now, job_t *job, head_node_t *node, size_t count);
/*  Asks for one, where the most cpus are free. False if there is nowhere.   */
bool head_start_one (head_state_t *self, int64_t now, job_t *job);
void head_stop_idle (head_state_t *self, int64_t now);

/*  An idle worker of the job on the node, or NULL.                         */
head_peer_t *head_idle_worker (head_state_t *self, job_t *job, head_node_t *node,
                               const function_t *function);

/*  --- tasks ------------------------------------------------------------  */

void head_lease (head_state_t *self, head_task_t *task, head_peer_t *peer,
                 bundle_t *bundle);

/*  Fails a task that is not with a worker, and forgets it.                 */
void head_task_fail (head_state_t *self, head_task_t *task, troupe_error_t code,
                     const char *text);
void head_fail_lane (head_state_t *self, lane_t *lane, troupe_error_t code, const char *text);

/*  The parts of losing a process that concern tasks.                       */
void head_lose_leases (head_state_t *self, head_peer_t *peer, const char *cause,
                       const uint32_t *ledger);
void head_lose_owned_tasks (head_state_t *self, const head_peer_t *owner);
void head_lose_job_tasks (head_state_t *self, const job_t *job);
void head_recall_stuck (head_state_t *self, int64_t now);

/*  Calls back all that was sent ahead; fails what waits and may not begin. */
void head_recall_ahead (head_state_t *self);
void head_fail_waiting (head_state_t *self);

/*  When head_recall_stuck may have something to do; CLOCK_NEVER if nothing
    was sent ahead that could run elsewhere.                                */
int64_t head_recall_due (head_state_t *self);
void head_task_destroy (head_state_t *self, head_task_t *task);

/*  The same, but for the table of tasks, which is left as it is.           */
void head_task_free (head_state_t *self, head_task_t *task);

/*  What few tasks have, made when it is needed; NULL if there is no memory. */
task_more_t *head_task_more (head_task_t *task);
void head_task_free_more (head_state_t *self, head_task_t *task);
void head_task_forget_waiters (head_state_t *self, head_task_t *task);
const uint8_t *head_task_attachments (const head_task_t *task);

/*  Why tasks fail.                                                         */
extern const char head_no_memory [];
extern const char head_orphaned [];

/*  --- actors -----------------------------------------------------------  */

void head_lose_actors (head_state_t *self, const head_peer_t *peer, const char *cause);

/*  Ends the actors of a job that do not survive it, or of a group.         */
void head_end_actors (head_state_t *self, const job_t *job, const group_t *group);

/*  Its owner does not want it any more: it ends, wherever it has come to.  */
void head_cancel_actor (head_state_t *self, tid_t id);

/*  Finds a place for those that wait for one.                              */
void head_house_actors (head_state_t *self, int64_t now, job_t *job);
void head_fail_unfit_actors (head_state_t *self, int64_t now);
void head_fail_homeless (head_state_t *self, job_t *job, troupe_error_t code, const char *text);
void head_actor_destroy (head_state_t *self, head_actor_t *actor);
void head_actor_free (head_state_t *self, head_actor_t *actor);

/*  --- groups -----------------------------------------------------------  */

group_t *head_group_of (const head_state_t *self, tid_t id);

/*  Whether a bundle of the demand's group could ever serve it; if not, text,
    unless NULL, says why.                                                  */
bool head_group_feasible (head_state_t *self, const demand_t *demand, char *text, size_t size);

/*  Whether a bundle of the demand's group, on that node, could ever serve it.  */
bool head_group_serves (const head_state_t *self, const head_node_t *node,
                        const demand_t *demand);

/*  A bundle of the demand's group where it fits, and which is kept for nothing
    else, or NULL. own: what asks.                                          */
bundle_t *head_bundle_for (head_state_t *self, const demand_t *demand, const job_t *job,
                           const head_keep_t *own);
bool head_bundle_fits (const bundle_t *bundle, const demand_t *demand);

/*  Of the bundles that could serve the demand, the one that lacks the least;
    NULL if there is none, or one where it fits.                            */
bundle_t *head_bundle_to_keep (const head_state_t *self, const demand_t *demand);
void head_bundle_take (bundle_t *bundle, const demand_t *demand);
void head_bundle_give (head_state_t *self, bundle_t *bundle, const demand_t *demand);
void head_place_groups (head_state_t *self, int64_t now);
void head_fail_groups (head_state_t *self, int64_t now);
void head_lose_groups (head_state_t *self, process_t owner);
void head_lose_bundles (head_state_t *self, const head_node_t *node);

/*  Those without a place whose bundles may not be reserved any more.       */
void head_fail_pending_groups (head_state_t *self);
void head_group_free (head_state_t *self, group_t *group);

/*  --- plans ------------------------------------------------------------  */

/*  As if nothing else were there; as if all tasks had ended; as if all tasks
    had, and actors and other groups.                                       */
typedef enum { PLAN_EMPTY, PLAN_TASKS_END, PLAN_ALL_END } plan_t;

/*  Sorts the bundles, and gives each that has no place a node, where they all
    fit by the group's strategy; false if that was not found. Only an empty
    cluster's plan may have nodes that are suspect, or kept.                */
bool head_plan (head_state_t *self, group_t *group, plan_t when);

#endif
