/*  head_check.c - checks every invariant between the head's structures, for
    tests: it walks everything and is slow                                  */

#include "head/head_private.h"

static size_t
s_length (const list_t *list)
{
    size_t length = 0;
    for (const list_node_t *node = list->next; node != list; node = node->next)
        length++;
    return length;
}

/*  --- functions and lanes ----------------------------------------------  */

/*  Counts the lane's tasks into *ready.                                    */
static const char *
s_check_lane (head_state_t *self, const lane_t *lane, size_t *ready)
{
    for (list_node_t *node = lane->tasks.next; node != &lane->tasks; node = node->next) {
        const head_task_t *task = container_of (node, head_task_t, node);
        if (node->next->prev != node || node->prev->next != node)
            return "a lane's list is broken";
        if (task->state != TASK_READY || task->lane != lane)
            return "a task in a lane is not ready, or of another lane";
        if (id_table_get (&self->tasks, task->id) != task)
            return "a task in a lane is not in the table";
        ++*ready;
    }
    if (list_linked (&lane->node) == list_empty (&lane->tasks))
        return "the lanes that hold tasks are not those in the list";
    for (const lane_t *other = lane->next; other; other = other->next)
        if (other->depth == lane->depth)
            return "a function has two lanes of one depth";
    return NULL;
}

static const char *
s_check_functions (head_state_t *self)
{
    size_t ready = 0, lanes = 0;
    const char *wrong;
    for (size_t index = 0; index < self->function_count; index++) {
        const function_t *function = self->functions [index];
        if (function->number != index + 1 || function->prefetch > PREFETCH_MAX)
            return "a function has a wrong number or prefetch";
        for (const lane_t *lane = function->lanes; lane; lane = lane->next) {
            if (lane->function != function)
                return "a lane is of another function";
            if ((wrong = s_check_lane (self, lane, &ready)))
                return wrong;
            lanes += !list_empty (&lane->tasks);
        }
    }
    if (ready != self->ready)
        return "the count of ready tasks is wrong";
    return lanes == s_length (&self->lanes) ? NULL : "the list of lanes has strangers";
}

static const char *
s_check_function_names (head_state_t *self)
{
    size_t cursor = 0, count = 0;
    for (const function_t *function;
         (function = name_table_next (&self->function_names, &cursor)); count++)
        if (!function->number || function->number > self->function_count
            || self->functions [function->number - 1] != function)
            return "a name leads to no function";
    return count == self->function_count ? NULL : "a function has no name";
}

/*  --- tasks ------------------------------------------------------------  */

static const char *
s_check_parked (const head_task_t *task)
{
    uint32_t waiting = 0;
    for (uint32_t index = 0; index < task->waiter_count; index++) {
        const await_waiter_t *waiter = &task->waiters [index];
        if (waiter->subject != task)
            return "a waiter belongs to another task";
        waiting += list_linked (&waiter->node);
    }
    return waiting && waiting == task->unresolved ? NULL
                                                  : "a parked task has not its waiters";
}

static const char *
s_check_leased (head_state_t *self, const head_task_t *task)
{
    const head_peer_t *peer = task->worker;
    if (task->lease == 0 || !peer)
        return "a leased task has no worker";
    if (head_peer (self, peer->process) != peer)
        return "a leased task is with a worker that has gone";
    return peer->leases [task->lease & (LEASES_MAX - 1)] == task
               ? NULL
               : "a leased task is not in its worker's table";
}

static const char *
s_check_task (head_state_t *self, const head_task_t *task)
{
    if (id_table_get (&self->tasks, task->id) != task)
        return "a task is in the table under another name";
    if (!head_peer (self, task->id.owner) && !(task->state == TASK_LEASED && task->cancelled))
        return "a task has lost its owner";
    if (task->state == TASK_PARKED)
        return task->worker ? "a parked task has a worker" : s_check_parked (task);
    if (task->unresolved)
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
        counts [task->state]++;
        bytes += sizeof *task + task->body_size + task->attachments_size;
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
    for (unsigned slot = 0; slot < LEASES_MAX; slot++) {
        const head_task_t *task = peer->leases [slot];
        if (!task)
            continue;
        if (task->state != TASK_LEASED || task->worker != peer
            || (task->lease & (LEASES_MAX - 1)) != slot)
            return "a worker's table holds a task that is not its own";
        seen [slot] = true;
        bytes += sizeof *task + task->body_size + task->attachments_size;
        held++;
    }
    if (held != peer->outstanding || bytes != peer->outstanding_bytes)
        return "a worker's credit does not match its leases";
    for (unsigned index = 0; index < LEASES_MAX - peer->outstanding; index++) {
        unsigned slot = peer->free_slots [index];
        if (slot >= LEASES_MAX || seen [slot])
            return "a worker's free slots are taken, or there twice";
        seen [slot] = true;
    }
    return NULL;
}

static size_t
s_level (const head_peer_t *peer)
{
    unsigned load = peer->outstanding > peer->blocked ? peer->outstanding - peer->blocked : 0;
    return load / peer->slots;
}

static bool
s_in_level (head_state_t *self, const head_peer_t *peer)
{
    const list_t *level = &self->levels [s_level (peer)];
    for (const list_node_t *node = level->next; node != level; node = node->next)
        if (node == &peer->node)
            return true;
    return false;
}

static size_t
s_actors_on (head_state_t *self, process_t process)
{
    size_t cursor = 0, count = 0;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        count += actor->worker == process;
    return count;
}

static const char *
s_check_worker (head_state_t *self, const head_peer_t *peer)
{
    bool loaded = !peer->suspect && peer->outstanding > peer->slots + peer->blocked;
    if (!peer->slots)
        return "a worker has no slots";
    if (peer->loaded != loaded)
        return "a worker is wrongly marked as loaded";
    if (peer->suspect ? list_linked (&peer->node) : !s_in_level (self, peer))
        return "a worker is not in its level, or suspect and in one";
    if (peer->actors != s_actors_on (self, peer->process))
        return "a worker's count of actors is wrong";
    return s_check_leases (peer);
}

static const char *
s_check_peers (head_state_t *self)
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
        const char *wrong = s_check_worker (self, peer);
        if (wrong)
            return wrong;
        workers += !peer->suspect;
        loaded += peer->loaded;
        leased += peer->outstanding;
    }
    if (workers != self->workers || loaded != self->loaded || leased != self->leased)
        return "the counts of workers or leases are wrong";
    size_t listed = 0;
    for (size_t level = 0; level < LEVELS; level++) {
        size_t length = s_length (&self->levels [level]);
        if (length && level < self->lowest)
            return "a worker is below the lowest level";
        listed += length;
    }
    return listed == workers ? NULL : "the levels hold strangers";
}

/*  --- actors -----------------------------------------------------------  */

static const char *
s_check_actor (head_state_t *self, const head_actor_t *actor)
{
    if (id_table_get (&self->actors, actor->id) != actor)
        return "an actor is in the table under another name";
    if (!head_peer (self, actor->id.owner))
        return "an actor has lost its owner";
    const head_peer_t *worker = head_peer (self, actor->worker);
    if (actor->worker && (!worker || worker->role != ROLE_WORKER))
        return "an actor is on no worker";
    if (!actor->worker != list_linked (&actor->node))
        return "the actors without a worker are not those in the list";
    if (actor->number ? actor->record != NULL || !list_empty (&actor->finders) : !actor->record)
        return "an actor's record or finders do not fit its state";
    if (actor->name [0]
        && name_table_get (&self->names, actor->name, strlen (actor->name)) != actor)
        return "an actor is not found under its name";
    return NULL;
}

static const char *
s_check_actors (head_state_t *self)
{
    size_t cursor = 0, named = 0, homeless = 0;
    for (const head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));) {
        const char *wrong = s_check_actor (self, actor);
        if (wrong)
            return wrong;
        named += actor->name [0] != 0;
        homeless += !actor->worker;
    }
    if (homeless != s_length (&self->homeless))
        return "the list of actors without a worker has strangers";
    if (homeless && self->workers)
        return "an actor waits while there are workers";
    return named == self->names.count ? NULL : "a name leads to no actor";
}

const char *
head_check (head_state_t *self)
{
    const char *wrong = s_check_functions (self);
    if (!wrong)
        wrong = s_check_function_names (self);
    if (!wrong)
        wrong = s_check_tasks (self);
    if (!wrong)
        wrong = s_check_peers (self);
    if (!wrong)
        wrong = s_check_actors (self);
    return wrong;
}
