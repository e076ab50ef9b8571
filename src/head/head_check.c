/*  head_check.c - checks every invariant between the head's structures, for
    tests: it walks everything and is slow                                  */

#include "head/head_private.h"

#include <stdlib.h>

static size_t
s_length (const list_t *list)
{
    size_t length = 0;
    for (const list_node_t *node = list->next; node != list; node = node->next)
        length++;
    return length;
}

/*  --- functions, jobs and lanes ----------------------------------------  */

/*  Counts the lane's tasks into *ready.                                    */
static const char *
s_check_lane (const head_state_t *self, const lane_t *lane, size_t *ready)
{
    size_t count = 0;
    for (list_node_t *node = lane->tasks.next; node != &lane->tasks; node = node->next) {
        const head_task_t *task = container_of (node, head_task_t, node);
        if (node->next->prev != node || node->prev->next != node)
            return "a lane's list is broken";
        if (task->state != TASK_READY || task->lane != lane)
            return "a task in a lane is not ready, or of another lane";
        if (id_table_get (&self->tasks, task->id) != task)
            return "a task in a lane is not in the table";
        count++;
    }
    *ready += count;
    if (count != lane->ready || count > lane->references)
        return "a lane's counts are wrong";
    if ((lane->turn.place != 0) + list_linked (&lane->node) != (count != 0))
        return "a lane with tasks neither has its turn nor waits, or one without does";
    if (list_linked (&lane->near) && (!count || !head_node (self, lane->demand->node)))
        return "a lane waits at a node without tasks, or at one that has gone";
    return lane->plain == (lane->demand == self->one_cpu) ? NULL : "a lane is wrongly plain";
}

static const char *
s_check_lanes (const head_state_t *self, const job_t *job, size_t *ready)
{
    size_t cursor = 0, turns = 0, stalled = 0, plain = 0;
    for (const lane_t *lane; (lane = id_table_next (&job->lane_table, &cursor));) {
        const char *wrong = s_check_lane (self, lane, ready);
        if (wrong || lane->job != job)
            return wrong ? wrong : "a lane is of another job";
        turns += lane->turn.place != 0;
        stalled += lane->plain && list_linked (&lane->node);
        plain += lane->plain ? lane->ready : 0;
    }
    if (turns != job->lanes.count || stalled != s_length (&job->stalled) || plain != job->ready)
        return "a job's lanes are not those in its lists";
    return (job->lanes.count != 0) == (job->turn.place != 0)
               ? NULL
               : "a job that may be served has no turn, or one that may not has";
}

static bool
s_belongs (const head_peer_t *peer, const job_t *job, size_t level)
{
    size_t own = head_load (peer) / peer->slots;
    return peer->job == job && level == (own < LEVELS ? own : LEVELS - 1);
}

static const char *
s_check_job (const job_t *job)
{
    size_t workers = 0, starting = 0, loaded = 0, placed = 0;
    int64_t cpus = 0;
    for (const list_node_t *at = job->pools.next; at != &job->pools; at = at->next) {
        const pool_t *pool = container_of (at, pool_t, of_job);
        if (pool->worker_count != s_length (&pool->workers))
            return "a pool's count of workers is wrong";
        workers += pool->worker_count;
        starting += pool->starting;
        for (const list_node_t *on = pool->workers.next; on != &pool->workers; on = on->next) {
            const head_peer_t *peer = container_of (on, head_peer_t, of_pool);
            if (peer->job != job || peer->pool != pool || peer->on != pool->node)
                return "a worker is in the wrong pool";
            cpus += peer->cpus;
            loaded += peer->loaded;
        }
    }
    for (size_t level = 0; level < LEVELS; level++) {
        const list_t *list = &job->levels [level];
        if (!list_empty (list) && level < job->lowest)
            return "a worker is below the lowest level";
        for (const list_node_t *at = list->next; at != list; at = at->next, placed++)
            if (!s_belongs (container_of (at, head_peer_t, node), job, level))
                return "a worker is in a level that is not its own";
    }
    if (workers != job->workers || starting != job->starting || loaded != job->loaded)
        return "a job's counts of workers are wrong";
    if (cpus != job->cpus || placed > workers || workers != job->homes.count)
        return "a job's workers hold other cpus, or are not where they belong";
    return (job->loaded != 0) == list_linked (&job->loading) ? NULL
                                                             : "a job is wrongly loading";
}

static const char *
s_check_jobs (const head_state_t *self)
{
    size_t ready = 0, cursor = 0, tasks = 0, bytes = 0;
    const char *wrong;
    for (const job_t *job; (job = id_table_next (&self->jobs, &cursor));) {
        if ((wrong = s_check_lanes (self, job, &ready)) || (wrong = s_check_job (job)))
            return wrong;
        if (job->ended && !job->workers && !job->starting && !job->actors && !job->tasks
            && !list_linked (&job->over))
            return "a job has ended and is still here";
        tasks += job->tasks;
        bytes += job->bytes;
    }
    if (ready != self->ready)
        return "the count of ready tasks is wrong";
    return tasks == self->tasks.count && bytes == self->task_bytes
               ? NULL
               : "the jobs have not all tasks";
}

static const char *
s_check_functions (const head_state_t *self)
{
    size_t count = 0;
    for (size_t number = 0; number < self->program_count; number++) {
        size_t cursor = 0;
        const program_t *program = self->programs [number];
        for (const function_t *function;
             (function = name_table_next (&program->names, &cursor)); count++)
            if (!function->number || function->number > self->function_count
                || self->functions [function->number - 1] != function
                || function->program != program || function->prefetch > PREFETCH_MAX)
                return "a name leads to no function";
    }
    return count == self->function_count ? NULL : "a function has no name";
}

/*  --- tasks ------------------------------------------------------------  */

static const char *
s_check_parked (const head_task_t *task)
{
    uint32_t waiting = 0;
    const task_more_t *more = task->more;
    for (uint32_t index = 0; more && index < more->waiter_count; index++) {
        const await_waiter_t *waiter = &more->waiters [index];
        if (waiter->subject != task)
            return "a waiter belongs to another task";
        waiting += list_linked (&waiter->node);
    }
    return waiting && waiting == more->unresolved ? NULL : "a parked task has not its waiters";
}

static const char *
s_check_leased (head_state_t *self, const head_task_t *task)
{
    const head_peer_t *peer = task->worker;
    if ((task->lease & 0xffffff) == 0 || !peer)
        return "a leased task has no worker";
    if (head_peer (self, peer->process) != peer)
        return "a leased task is with a worker that has gone";
    return head_leased (peer, task->lease) == task
               ? NULL
               : "a leased task is not in its worker's table";
}

static const char *
s_check_family (const head_task_t *task)
{
    const task_more_t *more = task->more;
    if (!more)
        return NULL;
    if (more->task != task || list_linked (&more->sibling) != (more->parent != NULL))
        return "a task's extra part is another's";
    for (const list_node_t *at = more->children.next; at != &more->children; at = at->next)
        if (container_of (at, task_more_t, sibling)->parent != task)
            return "a child has another parent";
    return NULL;
}

static const char *
s_check_task (head_state_t *self, const head_task_t *task)
{
    if (id_table_get (&self->tasks, task->id) != task)
        return "a task is in the table under another name";
    const char *wrong = s_check_family (task);
    if (wrong)
        return wrong;
    if (!head_peer (self, task->id.owner) && !(task->state == TASK_LEASED && task->cancelled))
        return "a task has lost its owner";
    if (task->state == TASK_PARKED)
        return task->worker ? "a parked task has a worker" : s_check_parked (task);
    if (task->more && task->more->unresolved)
        return "a task that lacks values is not parked";
    if (task->state == TASK_LEASED)
        return s_check_leased (self, task);
    if (task->cancelled)
        return "a cancelled task waits for a worker";
    return task->worker ? "a ready task has a worker" : NULL;
}

static const char *
s_check_tasks (head_state_t *self)
{
    size_t counts [4] = { 0 };
    size_t bytes = 0, cursor = 0;
    for (const head_task_t *task; (task = id_table_next (&self->tasks, &cursor));) {
        const char *wrong = s_check_task (self, task);
        if (wrong)
            return wrong;
        if ((task->state == TASK_PARKED || task->state == TASK_READY)
            && !head_may_begin (self, task->id.owner))
            return "a task waits, though nothing of its owner's begins any more";
        counts [task->state]++;
        bytes += head_task_size (task);
    }
    if (counts [TASK_PARKED] != self->parked || counts [TASK_READY] != self->ready
        || counts [TASK_LEASED] != self->leased || counts [TASK_ANSWERED] != self->answered)
        return "the counts of tasks by state are wrong";
    if (counts [0] + counts [1] + counts [2] + counts [3] != self->tasks.count)
        return "the count of tasks is wrong";
    return bytes == self->task_bytes ? NULL : "the count of bytes is wrong";
}

/*  --- workers ----------------------------------------------------------  */

static const char *
s_check_leases (const head_peer_t *peer)
{
    unsigned held = 0;
    size_t bytes = 0;
    bool seen [LEASES_MAX] = { false };
    for (unsigned slot = 0; slot < peer->lease_capacity; slot++) {
        const head_task_t *task = peer->leases [slot];
        if (!task)
            continue;
        if (task->state != TASK_LEASED || task->worker != peer
            || (task->lease & (LEASES_MAX - 1)) != slot)
            return "a worker's table holds a task that is not its own";
        seen [slot] = true;
        bytes += head_task_size (task);
        held++;
    }
    if (held != peer->outstanding || bytes != peer->outstanding_bytes)
        return "a worker's credit does not match its leases";
    for (unsigned index = 0; index < peer->lease_capacity - peer->outstanding; index++) {
        unsigned slot = peer->free_slots [index];
        if (slot >= peer->lease_capacity || seen [slot])
            return "a worker's free slots are taken, or there twice";
        seen [slot] = true;
    }
    return NULL;
}

/*  What a worker holds when nobody owes it cpus.                           */
static const char *
s_check_cpus (const head_peer_t *peer)
{
    unsigned load = head_load (peer);
    int64_t wanted = (int64_t) (load < peer->slots ? load : peer->slots) * RESOURCE_UNIT;
    if (peer->cpus < 0 || (!peer->special && peer->cpus > wanted))
        return "a worker holds more cpus than it runs tasks";
    if (!peer->special && peer->cpus < wanted && !list_linked (&peer->owing))
        return "a worker runs tasks without cpus, and is owed none";
    if (list_linked (&peer->owing) && peer->on->free [CPUS] > 0)
        return "a worker is owed cpus that are free";
    return peer->special == s_length (&peer->specials) ? NULL
                                                       : "a worker's special tasks are wrong";
}

static const char *
s_check_worker (const head_peer_t *peer)
{
    bool counted = peer->job && !peer->suspect && !peer->stopping && !peer->on->suspect
                   && !peer->on->closed;
    bool loaded = counted && peer->outstanding > peer->slots + peer->blocked;
    bool busy = peer->special && head_load (peer);
    if (!peer->slots || !peer->on)
        return "a worker has no slots, or no node";
    if (peer->loaded != loaded || peer->counted != counted)
        return "a worker is wrongly marked as loaded, or counted";
    if (list_linked (&peer->ahead) != (loaded && !peer->recalled))
        return "a worker with leases ahead is not found when it is stuck";
    if (list_linked (&peer->node) != (counted && !busy))
        return "a worker is not in its level, or suspect and in one";
    const char *wrong = s_check_cpus (peer);
    return wrong ? wrong : s_check_leases (peer);
}

static const char *
s_check_peers (const head_state_t *self)
{
    size_t workers = 0, loaded = 0, leased = 0, cursor = 0;
    for (const head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (head_peer (self, peer->process) != peer)
            return "a process is in the table under another name";
        if (peer->role != ROLE_WORKER) {
            if (peer->outstanding || peer->actors || list_linked (&peer->node))
                return "a driver is used as a worker";
            continue;
        }
        const char *wrong = s_check_worker (peer);
        if (wrong)
            return wrong;
        workers += peer->counted;
        loaded += peer->loaded;
        leased += peer->outstanding;
    }
    return workers == self->workers && loaded == self->loaded && leased == self->leased
               ? NULL
               : "the counts of workers or leases are wrong";
}

/*  --- nodes ------------------------------------------------------------  */

/*  What is held of each node, a row for each; and of that, by actors and
    bundles.                                                                */
typedef struct {
    int64_t *all;
    int64_t *fixed;
} sums_t;

static void
s_add (const head_state_t *self, sums_t sums, const head_node_t *node, const demand_t *demand,
       bool fixed)
{
    size_t row = node->number * self->resource_count;
    for (size_t index = 0; index < demand->count; index++) {
        const need_t *need = &demand->needs [index];
        if (fixed)
            sums.fixed [row + need->resource] += need->amount;
        if (fixed || need->resource != CPUS)
            sums.all [row + need->resource] += need->amount;
    }
}

static void
s_add_holders (const head_state_t *self, sums_t sums)
{
    size_t cursor = 0;
    for (const head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->role == ROLE_WORKER && peer->on)
            sums.all [peer->on->number * self->resource_count + CPUS] += peer->cpus;
    cursor = 0;
    for (const head_task_t *task; (task = id_table_next (&self->tasks, &cursor));) {
        if (task->state != TASK_LEASED || task->lane->plain)
            continue;
        const bundle_t *bundle = task->more ? task->more->bundle : NULL;
        if (!bundle || (bundle->ended && bundle->node))
            s_add (self, sums, task->worker->on, task->lane->demand, bundle != NULL);
    }
    cursor = 0;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        if (actor->held)
            s_add (self, sums, actor->held, actor->demand, true);
        else if (actor->bundle && actor->bundle->ended && actor->bundle->node)
            s_add (self, sums, actor->bundle->node, actor->demand, true);
    cursor = 0;
    for (const group_t *group; (group = id_table_next (&self->groups, &cursor));)
        for (size_t index = 0; index < group->count; index++)
            if (group->bundles [index]->node)
                s_add (self, sums, group->bundles [index]->node, group->bundles [index]->demand,
                       true);
}

static const char *
s_check_amounts (const head_node_t *node, const int64_t *held, const int64_t *fixed)
{
    for (size_t index = 0; index < node->count; index++) {
        if (node->free [index] < 0 || node->free [index] > node->total [index])
            return "a node has less than nothing free, or more than it has";
        if (node->free [index] + held [index] != node->total [index])
            return "what is held of a node and what is free are not all that it has";
        if (node->fixed [index] != fixed [index])
            return "a node does not know what actors and bundles hold of it";
        if (node->planned [index])
            return "a plan has left something on a node";
    }
    return node->planned_bundles ? "a plan has left a bundle on a node" : NULL;
}

static const char *
s_check_node (const head_node_t *node)
{
    size_t starting = 0;
    for (const list_node_t *at = node->pools.next; at != &node->pools; at = at->next)
        starting += container_of (at, pool_t, of_node)->starting;
    for (const list_node_t *at = node->starved.next; at != &node->starved; at = at->next) {
        const head_peer_t *peer = container_of (at, head_peer_t, node);
        if (peer->on != node || head_load (peer) >= peer->slots)
            return "a worker is starved on a node that is not its own, or is busy";
    }
    if (starting != node->starting || node->worker_count != s_length (&node->workers))
        return "a node's counts of workers are wrong";
    return NULL;
}

static const char *
s_check_nodes (const head_state_t *self)
{
    const char *wrong = NULL;
    size_t cursor = 0, size = (self->node_numbers + 1) * self->resource_count;
    sums_t sums = { .all = calloc (2 * size, sizeof *sums.all) };
    if (!sums.all)
        return "no memory for the check";
    sums.fixed = sums.all + size;
    s_add_holders (self, sums);
    for (const head_node_t *node; !wrong && (node = id_table_next (&self->nodes, &cursor));) {
        size_t row = node->number * self->resource_count;
        wrong = s_check_amounts (node, sums.all + row, sums.fixed + row);
        if (!wrong)
            wrong = s_check_node (node);
        if (!wrong && !list_linked (&node->bucket) && node != self->local)
            wrong = "a node cannot be found by its load";
    }
    free (sums.all);
    return wrong;
}

/*  Who keeps something, and what is kept, know of each other.              */
static const char *
s_check_keeps (const head_state_t *self)
{
    size_t kept = 0, known = 0, cursor = 0;
    for (const list_node_t *at = self->keeps.next; at != &self->keeps; at = at->next) {
        const head_keep_t *keep = container_of (at, head_keep_t, node);
        if (keep->bundle ? keep->bundle->keep != keep || keep->bundle->ended
                         : list_empty (&keep->nodes))
            return "what keeps a bundle is not what it is kept for, or keeps nothing";
        for (const list_node_t *on = keep->nodes.next; on != &keep->nodes;
             on = on->next, kept++)
            if (container_of (on, head_node_t, kept)->keep != keep)
                return "what keeps a node is not what it is kept for";
    }
    for (const head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        known += node->keep != NULL;
    return kept == self->kept && known == kept ? NULL : "the count of nodes kept is wrong";
}

static const char *
s_check_groups (const head_state_t *self)
{
    size_t cursor = 0;
    for (const group_t *group; (group = id_table_next (&self->groups, &cursor));) {
        size_t placed = 0;
        for (size_t index = 0; index < group->count; index++) {
            const bundle_t *bundle = group->bundles [index];
            placed += bundle->node != NULL;
            for (size_t need = 0; bundle->node && need < bundle->demand->count; need++)
                if (bundle->free [need] < 0
                    || bundle->free [need] > bundle->demand->needs [need].amount)
                    return "a bundle has less than nothing free, or more than it has";
        }
        if (group->placed != (placed == group->count))
            return "a group is placed in part";
        if (group->placed == list_linked (&group->pending))
            return "a group without a place does not wait for one";
    }
    return NULL;
}

/*  --- actors -----------------------------------------------------------  */

static const char *
s_check_actor (head_state_t *self, const head_actor_t *actor)
{
    if (id_table_get (&self->actors, actor->id) != actor)
        return "an actor is in the table under another name";
    if (!head_peer (self, actor->id.owner) && !actor->detached)
        return "an actor has lost its owner";
    const head_peer_t *worker = head_peer (self, actor->worker);
    if (actor->worker && (!worker || worker->role != ROLE_WORKER))
        return "an actor is on no worker";
    if (!actor->worker != list_linked (&actor->node))
        return "the actors without a worker are not those in the list";
    if (actor->number ? actor->record != NULL || !list_empty (&actor->finders) : !actor->record)
        return "an actor's record or finders do not fit its state";
    return NULL;
}

/*  Counts the actors of each worker down to 0, and up again.               */
static bool
s_counted_right (const head_state_t *self)
{
    size_t actors = 0, peers = 0;
    bool right = true;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &actors));)
        if (actor->worker)
            head_peer (self, actor->worker)->actors--;
    for (const head_peer_t *peer; (peer = id_table_next (&self->peers, &peers));)
        right = right && peer->actors == 0;
    actors = 0;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &actors));)
        if (actor->worker)
            head_peer (self, actor->worker)->actors++;
    return right;
}

static const char *
s_check_actors (head_state_t *self)
{
    size_t cursor = 0, named = 0, homeless = 0, listed = 0;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));) {
        const char *wrong = s_check_actor (self, actor);
        if (wrong)
            return wrong;
        named += actor->name [0] != 0;
        homeless += !actor->worker;
    }
    cursor = 0;
    for (const job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        listed += s_length (&job->homeless);
    if (homeless != self->homeless || listed != homeless)
        return "the actors without a worker are not those in the lists";
    if (!s_counted_right (self))
        return "a worker's count of actors is wrong";
    return named == self->names.count ? NULL : "a name leads to no actor";
}

const char *
head_check (head_state_t *self)
{
    const char *wrong = s_check_functions (self);
    if (!wrong)
        wrong = s_check_jobs (self);
    if (!wrong)
        wrong = s_check_tasks (self);
    if (!wrong)
        wrong = s_check_peers (self);
    if (!wrong)
        wrong = s_check_nodes (self);
    if (!wrong)
        wrong = s_check_keeps (self);
    if (!wrong)
        wrong = s_check_groups (self);
    if (!wrong)
        wrong = s_check_actors (self);
    return wrong;
}
