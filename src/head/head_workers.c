/*  head_workers.c - the head's state: workers, the cpus that they hold, and
    how they are started and stopped                                        */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

/*  --- cpus -------------------------------------------------------------  */

/*  What the tasks that run ask for: of a worker's tasks, the newest run and
    the others wait inside. A task in a bundle asks for nothing more.       */
static int64_t
s_special_cpus (const head_peer_t *peer, unsigned load)
{
    int64_t cpus = 0;
    unsigned plain = peer->outstanding - peer->special;
    unsigned special = load < peer->special ? load : peer->special;
    if (!peer->newest_special)
        special = load > plain ? load - plain : 0;
    plain = load - special;
    for (const list_node_t *at = peer->specials.prev; at != &peer->specials && special;
         at = at->prev, special--) {
        const head_task_t *task = container_of (at, head_task_t, node);
        if (!task->more || !task->more->bundle)
            cpus += head_demand_of (task->lane->demand, CPUS);
    }
    return cpus + (int64_t) (plain < peer->slots ? plain : peer->slots) * RESOURCE_UNIT;
}

/*  The worker holds cpus for what runs; an executor that goes on after a
    wait may find none free, and then the next to become free are its own.  */
static void
s_settle_cpus (head_state_t *self, head_peer_t *peer)
{
    unsigned load = head_load (peer);
    int64_t wanted = peer->special
                         ? s_special_cpus (peer, load)
                         : (int64_t) (load < peer->slots ? load : peer->slots) * RESOURCE_UNIT;
    int64_t change = wanted - peer->cpus;
    if (change == 0 && !list_linked (&peer->owing))
        return;
    list_remove (&peer->owing);
    head_node_t *node = peer->on;
    if (change > 0) {
        int64_t free = node->free [CPUS] > 0 ? node->free [CPUS] : 0;
        if (change > free) {
            list_append (&node->owing, &peer->owing);
            change = free;
        }
    }
    if (change == 0)
        return;
    peer->cpus += change;
    if (peer->job) {
        peer->job->cpus += change;
        if (peer->job->turn.place)
            head_job_turn (self, peer->job);
    }
    if (change > 0)
        head_node_take_cpus (self, node, change);
    else
        head_node_give_cpus (self, node, -change);
}

/*  --- levels -----------------------------------------------------------  */

/*  A worker that runs a special task gets no other until that waits.       */
static bool
s_gets_tasks (const head_peer_t *peer)
{
    return peer->job && !peer->suspect && !peer->stopping && !peer->on->suspect
           && !peer->on->closed;
}

static void
s_enter_level (head_state_t *self, head_peer_t *peer)
{
    job_t *job = peer->job;
    unsigned load = head_load (peer);
    if (peer->special && load)
        return;
    if (load < peer->slots
        && (peer->on->free [CPUS] < RESOURCE_UNIT
            || head_is_kept (peer->on->keep, job, NULL))) {
        list_append (&peer->on->starved, &peer->node);
        return;
    }
    size_t level = load / peer->slots;
    level = level < LEVELS ? level : LEVELS - 1;
    list_append (&job->levels [level], &peer->node);
    if (level < job->lowest)
        job->lowest = level;
    head_wake_job (self, job);
}

static void
s_count_loaded (head_state_t *self, head_peer_t *peer, bool loaded)
{
    job_t *job = peer->job;
    if (loaded == peer->loaded)
        return;
    peer->loaded = loaded;
    list_remove (&peer->ahead);
    if (loaded && !peer->recalled) {
        peer->progress = self->now;
        list_append (&job->ahead, &peer->ahead);
    }
    self->loaded = loaded ? self->loaded + 1 : self->loaded - 1;
    job->loaded = loaded ? job->loaded + 1 : job->loaded - 1;
    if (job->loaded && !list_linked (&job->loading))
        list_append (&self->loading, &job->loading);
    else if (!job->loaded)
        list_remove (&job->loading);
}

/*  Workers of an embedded cluster come and go by themselves.               */
static void
s_note_idle (head_state_t *self, head_peer_t *peer)
{
    bool idle
        = peer->on != self->local && !peer->outstanding && !peer->actors && !peer->stopping;
    if (idle == list_linked (&peer->idle))
        return;
    list_remove (&peer->idle);
    if (!idle)
        return;
    peer->idle_since = self->now;
    list_append (&self->idle, &peer->idle);
}

void
head_place (head_state_t *self, head_peer_t *peer)
{
    if (peer->role != ROLE_WORKER || !peer->on)
        return;
    list_remove (&peer->node);
    s_settle_cpus (self, peer);
    bool is = s_gets_tasks (peer);
    if (is) {
        s_enter_level (self, peer);
        if (!list_empty (&self->blocked) && head_load (peer) == 0)
            head_node_freed (self, peer->on);
    }
    if (is != peer->counted)
        self->workers = is ? self->workers + 1 : self->workers - 1;
    peer->counted = is;
    if (peer->job)
        s_count_loaded (self, peer, is && peer->outstanding > peer->slots + peer->blocked);
    s_note_idle (self, peer);
}

/*  The same when only a lease has come or gone. Most often a busy worker of
    plain tasks then changes its level, and nothing else.                   */
void
head_place_again (head_state_t *self, head_peer_t *peer)
{
    unsigned load = head_load (peer);
    job_t *job = peer->job;
    if (!peer->counted || peer->special || load < peer->slots
        || peer->cpus != (int64_t) peer->slots * RESOURCE_UNIT) {
        head_place (self, peer);
        return;
    }
    size_t level = peer->slots == 1 ? load : load / peer->slots;
    level = level < LEVELS ? level : LEVELS - 1;
    list_remove (&peer->node);
    list_append (&job->levels [level], &peer->node);
    if (level < job->lowest)
        job->lowest = level;
    head_wake_job (self, job);
    s_count_loaded (self, peer, peer->outstanding > peer->slots + peer->blocked);
}

head_peer_t *
head_idle_worker (head_state_t *self, job_t *job, head_node_t *node, const function_t *function)
{
    pool_t *pool = head_pool (self, job, node, false);
    if (!pool)
        return NULL;
    for (list_node_t *at = pool->workers.next; at != &pool->workers; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_pool);
        if (peer->counted && head_load (peer) == 0 && peer->outstanding < LEASES_MAX
            && function->number < peer->offers_size && peer->offers [function->number])
            return peer;
    }
    return NULL;
}

/*  --- pools ------------------------------------------------------------  */

static tid_t
s_pool_key (const job_t *job, const head_node_t *node)
{
    return (tid_t){ node->number, job->number };
}

pool_t *
head_pool (head_state_t *self, job_t *job, head_node_t *node, bool make)
{
    pool_t *pool = id_table_get (&self->pools, s_pool_key (job, node));
    if (pool || !make)
        return pool;
    pool = calloc (1, sizeof *pool);
    if (!pool)
        return NULL;
    if (id_table_put (&self->pools, s_pool_key (job, node), pool)) {
        free (pool);
        return NULL;
    }
    pool->job = job;
    pool->node = node;
    list_init (&pool->workers);
    list_append (&job->pools, &pool->of_job);
    list_append (&node->pools, &pool->of_node);
    return pool;
}

void
head_pool_free (head_state_t *self, pool_t *pool)
{
    id_table_remove (&self->pools, s_pool_key (pool->job, pool->node));
    list_remove (&pool->of_job);
    list_remove (&pool->of_node);
    free (pool->text);
    free (pool);
}

int
head_bind (head_state_t *self, head_peer_t *peer, job_t *job)
{
    pool_t *pool = head_pool (self, job, peer->on, true);
    if (!pool)
        return -1;
    peer->home.due = (int64_t) peer->actors;
    if (heap_update (&job->homes, &peer->home))
        return -1;
    list_remove (&peer->of_pool);
    list_append (&pool->workers, &peer->of_pool);
    peer->pool = pool;
    peer->job = job;
    peer->program = job->program;
    pool->worker_count++;
    pool->failures = 0;
    pool->retry = 0;
    job->workers++;
    job->cpus += peer->cpus;
    head_place (self, peer);
    head_wake_job (self, job);
    head_node_freed (self, peer->on);
    return 0;
}

void
head_unbind (head_state_t *self, head_peer_t *peer)
{
    job_t *job = peer->job;
    if (!job)
        return;
    list_remove (&peer->node);
    s_count_loaded (self, peer, false);
    heap_remove (&job->homes, &peer->home);
    list_remove (&peer->of_pool);
    list_append (&peer->on->warm, &peer->of_pool);
    job->cpus -= peer->cpus;
    peer->pool->worker_count--;
    job->workers--;
    peer->pool = NULL;
    peer->job = NULL;
    head_place (self, peer);
}

/*  --- joining ----------------------------------------------------------  */

process_t
head_join_worker (head_state_t *self, int64_t now, process_t node_name, uint32_t program,
                  uint32_t number, unsigned slots, const char *label)
{
    head_node_t *node = node_name ? head_node (self, node_name) : NULL;
    job_t *job = head_job_numbered (self, number);
    self->now = now;
    if (!node || !head_program_numbered (self, program))
        return 0;
    if (job && (job->embedded || job->program->number != program))
        job = NULL;
    pool_t *pool = job ? head_pool (self, job, node, false) : NULL;
    if (pool && pool->starting) {
        pool->starting--;
        node->starting--;
        job->starting--;
    }
    head_peer_t *peer = head_peer_new (self, ROLE_WORKER, slots, label);
    if (!peer)
        return 0;
    peer->program = head_program_numbered (self, program);
    head_settle (self, peer, node);
    if (job && !job->ended && head_bind (self, peer, job)) {
        self->failed = true;
        return 0;
    }
    if (job && !job->ended)
        head_house_actors (self, now, job);
    if (job && job->ended) {
        if (job->own_workers)
            head_stop_worker (self, peer, false);
        head_job_check (self, job);
    }
    return peer->process;
}

/*  A worker has its place on a node from now on; it is warm at first.      */
void
head_settle (head_state_t *self, head_peer_t *peer, head_node_t *node)
{
    peer->on = node;
    node->references++;
    node->worker_count++;
    list_append (&node->workers, &peer->of_node);
    list_append (&node->warm, &peer->of_pool);
    if (node == self->local) {
        node->slots += peer->slots;
        int64_t more = (int64_t) node->slots * RESOURCE_UNIT - node->total [CPUS];
        if (more > 0) {
            node->total [CPUS] += more;
            self->shapes++;
            head_node_give_cpus (self, node, more);
        }
    }
    head_place (self, peer);
}

/*  All of its leases and actors have gone.                                 */
void
head_unsettle (head_state_t *self, head_peer_t *peer)
{
    head_node_t *node = peer->on;
    peer->stopping = true;
    peer->outstanding = peer->special = 0;
    head_place (self, peer);
    job_t *job = peer->job;
    self->rooms++;
    head_unbind (self, peer);
    list_remove (&peer->of_pool);
    list_remove (&peer->of_node);
    list_remove (&peer->owing);
    list_remove (&peer->idle);
    list_remove (&peer->node);
    node->worker_count--;
    if (node == self->local)
        node->slots -= peer->slots;
    for (size_t number = 1; number < peer->offers_size; number++)
        self->functions [number - 1]->offered -= peer->offers [number];
    peer->on = NULL;
    head_node_release (self, node);
    if (job) {
        job->searched = false;
        head_want (self, job);
        head_job_check (self, job);
    }
}

/*  --- starting ---------------------------------------------------------  */

void
head_want (head_state_t *self, job_t *job)
{
    if (!job->embedded && !list_linked (&job->wanting))
        list_append (&self->wanting, &job->wanting);
}

void
head_doubt (head_state_t *self, job_t *job)
{
    if (!job->embedded && !list_linked (&job->unstartable))
        list_append (&self->unstartable, &job->unstartable);
}

static head_peer_t *
s_warm_worker (const job_t *job, const head_node_t *node)
{
    if (job->own_workers)
        return NULL;
    for (list_node_t *at = node->warm.next; at != &node->warm; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_pool);
        if (peer->program == job->program && !peer->stopping && !peer->suspect
            && !peer->submitted)
            return peer;
    }
    return NULL;
}

/*  Makes room among a node's processes for another job's worker: those that
    have been idle for a while go, and when there are too many, any.        */
static void
s_make_room (head_state_t *self, const job_t *job, head_node_t *node, size_t coming)
{
    int64_t workers = (int64_t) (node->worker_count + coming) * RESOURCE_UNIT;
    if (workers < node->total [CPUS])
        return;
    bool crowded = workers >= 2 * node->total [CPUS];
    head_peer_t *longest = NULL;
    for (list_node_t *at = node->workers.next; at != &node->workers; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_node);
        if (list_linked (&peer->idle) && peer->job != job && !(peer->job && peer->job->ready)
            && (!longest || peer->idle_since < longest->idle_since))
            longest = peer;
    }
    if (longest && (crowded || self->now - longest->idle_since >= SHORT_IDLE))
        head_stop_worker (self, longest, false);
}

size_t
head_ask (head_state_t *self, int64_t now, job_t *job, head_node_t *node, size_t count)
{
    pool_t *pool = head_pool (self, job, node, true);
    size_t coming = 0;
    if (!pool || node->suspect || node->closed || node->gone || node == self->local)
        return 0;
    for (head_peer_t *peer; coming < count && (peer = s_warm_worker (job, node)); coming++) {
        if (head_bind (self, peer, job))
            return coming;
        head_action_t *action = head_act (self, HEAD_ASSIGN, peer->process);
        action->target = node->process;
        action->job = job->number;
        action->program = job->program->number;
    }
    if (pool->retry > now) {
        head_doubt (self, job);
        return coming;
    }
    size_t room = pool->starting < START_MAX ? START_MAX - pool->starting : 0;
    size_t fresh = count - coming < room ? count - coming : room;
    if (!fresh)
        return coming;
    for (size_t index = 0; index < fresh; index++)
        s_make_room (self, job, node, node->starting + index);
    pool->starting += fresh;
    node->starting += fresh;
    job->starting += fresh;
    head_action_t *action = head_act (self, HEAD_START_WORKERS, node->process);
    action->number = fresh;
    action->job = job->number;
    action->program = job->program->number;
    return coming + fresh;
}

typedef struct {
    job_t *job;
    int64_t now;
    size_t missing;
} start_t;

/*  Asks for as many workers as there are cpus free that no other worker is
    about to use.                                                           */
static bool
s_start_here (head_state_t *self, head_node_t *node, void *arg)
{
    start_t *start = arg;
    size_t cpus = head_is_kept (node->keep, start->job, NULL)
                      ? 0
                      : head_node_times (node, self->one_cpu);
    if (cpus > node->starting) {
        size_t count = cpus - node->starting;
        count = count < start->missing ? count : start->missing;
        size_t coming = head_ask (self, start->now, start->job, node, count);
        start->missing -= coming < start->missing ? coming : start->missing;
    }
    return start->missing == 0;
}

/*  A worker for actors, which need no cpus: as many as the node has.       */
static bool
s_start_for_actor (head_state_t *self, head_node_t *node, void *arg)
{
    start_t *start = arg;
    const pool_t *pool = head_pool (self, start->job, node, false);
    size_t workers = pool ? pool->worker_count + pool->starting : 0;
    return (int64_t) workers * RESOURCE_UNIT < node->total [CPUS]
           && head_ask (self, start->now, start->job, node, 1) > 0;
}

bool
head_start_one (head_state_t *self, int64_t now, job_t *job)
{
    start_t start = { job, now, 1 };
    if (job->crowded == self->rooms)
        return false;
    if (head_search (self, self->nothing, false, s_start_for_actor, &start))
        return true;
    job->crowded = self->rooms;
    return false;
}

static bool
s_has_starved (const head_node_t *node, const job_t *job)
{
    for (const list_node_t *at = node->starved.next; at != &node->starved; at = at->next)
        if (container_of (at, head_peer_t, node)->job == job)
            return true;
    return false;
}

/*  Whether another job holds cpus on the node that this one should have.   */
static bool
s_has_claim (const head_node_t *node, const job_t *job)
{
    int64_t step = RESOURCE_UNIT / (int64_t) job->share;
    for (const list_node_t *at = node->pools.next; at != &node->pools; at = at->next) {
        const job_t *other = container_of (at, pool_t, of_node)->job;
        if (other != job && other->cpus && head_job_rank (job) + step <= head_job_rank (other))
            return true;
    }
    return false;
}

/*  All cpus of the node are taken, but some by a job that holds more than
    its share: one worker waits there for its turn.                         */
static bool
s_start_for_share (head_state_t *self, head_node_t *node, void *arg)
{
    start_t *start = arg;
    const pool_t *pool = head_pool (self, start->job, node, false);
    if (head_is_kept (node->keep, start->job, NULL) || head_node_free_of (node, CPUS) >= RESOURCE_UNIT
        || (pool && pool->starting) || s_has_starved (node, start->job)
        || !s_has_claim (node, start->job))
        return false;
    return head_ask (self, start->now, start->job, node, 1) > 0;
}

/*  Whether a worker would come if the job had more that is ready, perhaps in
    its turn.                                                               */
static bool
s_would_start (head_state_t *self, head_node_t *node, void *arg)
{
    const start_t *start = arg;
    const pool_t *pool = head_pool (self, start->job, node, false);
    if (node->suspect || node->closed || node->gone || node == self->local
        || head_is_kept (node->keep, start->job, NULL)
        || (pool && pool->retry > start->now && !s_warm_worker (start->job, node)))
        return false;
    return head_node_times (node, self->one_cpu) > node->starting
           || s_has_claim (node, start->job);
}

bool
head_has_room (head_state_t *self, int64_t now, job_t *job)
{
    start_t start = { job, now, 1 };
    return head_search (self, self->nothing, false, s_would_start, &start) != NULL;
}

static void
s_start_for_job (head_state_t *self, int64_t now, job_t *job)
{
    size_t missing = job->ready;
    if (!list_empty (&job->homeless))
        missing += job->workers + job->starting ? 0 : 1;
    start_t start = { job, now, missing > job->starting ? missing - job->starting : 0 };
    if (!start.missing)
        return;
    bool freed_only = job->searched && !list_empty (&self->freed);
    if (job->searched && !freed_only)
        return;
    head_search (self, self->one_cpu, freed_only, s_start_here, &start);
    job->searched = start.missing != 0;
    if (start.missing && !job->starting)
        head_search (self, self->nothing, freed_only, s_start_for_share, &start);
}

/*  --- failing to start -------------------------------------------------  */

void
head_worker_failed (head_state_t *self, int64_t now, process_t node_name, uint32_t number,
                    const char *text)
{
    head_node_t *node = node_name ? head_node (self, node_name) : NULL;
    job_t *job = head_job_numbered (self, number);
    pool_t *pool = node && job ? head_pool (self, job, node, false) : NULL;
    self->now = now;
    if (!pool || !pool->starting)
        return;
    pool->starting--;
    node->starting--;
    job->starting--;
    self->rooms++;
    int64_t wait = BACKOFF_FIRST << (pool->failures < 10 ? pool->failures : 10);
    pool->failures++;
    pool->retry = now + (wait < BACKOFF_MAX ? wait : BACKOFF_MAX);
    free (pool->text);
    pool->text = strdup (text);
    if (self->retry == 0 || pool->retry < self->retry)
        self->retry = pool->retry;
    job->searched = false;
    head_doubt (self, job);
    head_want (self, job);
    head_node_freed (self, node);
    head_job_check (self, job);
}

/*  Whether every node that could serve the demand has failed to start a
    worker; then text says why one of them has.                             */
static bool
s_failed_everywhere (head_state_t *self, job_t *job, const demand_t *demand, char *text,
                     size_t size)
{
    const pool_t *failed = NULL;
    size_t cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));) {
        if (!head_node_serves (self, node, demand))
            continue;
        const pool_t *pool = head_pool (self, job, node, false);
        if (!pool || !pool->failures || pool->worker_count || pool->starting)
            return false;
        failed = pool;
    }
    if (failed)
        snprintf (text, size, "no worker could be started (node %s): %s", failed->node->name,
                  failed->text ? failed->text : "no memory");
    return failed != NULL;
}

static void
s_fail_unstartable_lanes (head_state_t *self, job_t *job)
{
    char text [FAULT_TEXT_MAX];
    size_t cursor = 0;
    for (lane_t *lane; (lane = id_table_next (&job->lane_table, &cursor));) {
        if (!lane->ready || !s_failed_everywhere (self, job, lane->demand, text, sizeof text))
            continue;
        bool plain = lane->plain;
        head_fail_lane (self, lane, TROUPE_ESYSTEM, text);
        /*  One that is not plain has left the table.                       */
        if (!plain)
            cursor = 0;
    }
}

/*  Many actors that ask for the same are judged at once.                   */
static void
s_fail_unstartable_actors (head_state_t *self, job_t *job)
{
    char text [FAULT_TEXT_MAX];
    demand_t *judged = NULL;
    bool failed = false;
    for (list_node_t *at = job->homeless.next, *next; at != &job->homeless; at = next) {
        head_actor_t *actor = container_of (at, head_actor_t, node);
        next = at->next;
        if (actor->demand != judged) {
            if (judged)
                head_demand_release (self, &judged);
            judged = head_demand_keep (actor->demand);
            failed = s_failed_everywhere (self, job, judged, text, sizeof text);
        }
        if (!failed)
            continue;
        head_act_fault (self, actor->id, TROUPE_ESYSTEM, "%s: %s", actor->class_name, text);
        head_actor_destroy (self, actor);
    }
    if (judged)
        head_demand_release (self, &judged);
}

void
head_start_workers (head_state_t *self, int64_t now)
{
    if (self->retry && self->retry <= now) {
        self->retry = 0;
        self->rooms++;
        size_t cursor = 0;
        for (pool_t *pool; (pool = id_table_next (&self->pools, &cursor));) {
            if (pool->retry && pool->retry <= now) {
                pool->retry = 0;
                pool->job->searched = false;
                head_node_freed (self, pool->node);
            } else if (pool->retry && (!self->retry || pool->retry < self->retry))
                self->retry = pool->retry;
        }
    }
    for (list_node_t *at = self->wanting.next, *next; at != &self->wanting; at = next) {
        job_t *job = container_of (at, job_t, wanting);
        next = at->next;
        if (!list_empty (&job->homeless))
            head_house_actors (self, now, job);
        if (list_empty (&job->homeless) && !job->ready) {
            list_remove (&job->wanting);
            job->searched = false;
            continue;
        }
        s_start_for_job (self, now, job);
    }
    for (list_node_t *at; (at = list_pop (&self->unstartable));) {
        job_t *job = container_of (at, job_t, unstartable);
        s_fail_unstartable_lanes (self, job);
        s_fail_unstartable_actors (self, job);
    }
}

/*  --- stopping ---------------------------------------------------------  */

void
head_stop_worker (head_state_t *self, head_peer_t *peer, bool kill)
{
    if (peer->stopping)
        return;
    peer->stopping = true;
    head_place (self, peer);
    head_action_t *action = head_act (self, HEAD_STOP_WORKER, peer->process);
    action->target = peer->on->process;
    action->number = kill;
}

void
head_stop_idle (head_state_t *self, int64_t now)
{
    while (!list_empty (&self->idle)) {
        head_peer_t *peer = container_of (self->idle.next, head_peer_t, idle);
        if (now - peer->idle_since < self->settings.idle_after)
            return;
        head_stop_worker (self, peer, false);
    }
}
