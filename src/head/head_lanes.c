/*  head_lanes.c - the head's state: lanes, and who gets the next task      */

#include "head/head_private.h"

#include <stdlib.h>

/*  --- lanes ------------------------------------------------------------  */

static tid_t
s_lane_key (const function_t *function, uint32_t depth, const demand_t *demand)
{
    return (tid_t){ (uint64_t) function->number << 32 | depth, (uint64_t) (uintptr_t) demand };
}

static lane_t *
s_lane_new (head_state_t *self, job_t *job, function_t *function, uint32_t depth,
            demand_t *demand)
{
    lane_t *lane = calloc (1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->job = job;
    lane->function = function;
    lane->depth = depth;
    lane->plain = demand == self->one_cpu;
    list_init (&lane->tasks);
    if (id_table_put (&job->lane_table, s_lane_key (function, depth, demand), lane)) {
        free (lane);
        return NULL;
    }
    lane->demand = head_demand_keep (demand);
    return lane;
}

lane_t *
head_lane (head_state_t *self, job_t *job, function_t *function, uint32_t depth,
           demand_t *demand)
{
    lane_t *lane = id_table_get (&job->lane_table, s_lane_key (function, depth, demand));
    if (!lane)
        lane = s_lane_new (self, job, function, depth, demand);
    if (lane)
        job->recent = lane;
    return lane;
}

void
head_lane_free (head_state_t *self, lane_t *lane)
{
    heap_remove (&lane->job->lanes, &lane->turn);
    list_remove (&lane->node);
    list_remove (&lane->near);
    head_keep_end (self, &lane->keep);
    head_demand_release (self, &lane->demand);
    free (lane);
}

/*  Those of special demands are forgotten with their last task: there may
    be any number of demands.                                               */
void
head_lane_release (head_state_t *self, lane_t *lane)
{
    if (--lane->references || lane->plain)
        return;
    job_t *job = lane->job;
    if (job->recent == lane)
        job->recent = NULL;
    id_table_remove (&job->lane_table, s_lane_key (lane->function, lane->depth, lane->demand));
    head_lane_free (self, lane);
    head_job_turn (self, job);
}

/*  The deepest first, then the one whose first task came first.            */
static int64_t
s_lane_rank (const lane_t *lane)
{
    const head_task_t *first = container_of (lane->tasks.next, head_task_t, node);
    return (int64_t) first->arrival - ((int64_t) lane->depth << 48);
}

static void
s_lane_turn (head_state_t *self, lane_t *lane)
{
    int64_t rank = s_lane_rank (lane);
    if (lane->turn.place && lane->turn.due == rank)
        return;
    bool was = lane->turn.place != 0;
    lane->turn.due = rank;
    if (was && lane->job->lanes.count == 1)
        return;
    if (heap_update (&lane->job->lanes, &lane->turn))
        self->failed = true;
    if (!was)
        head_job_turn (self, lane->job);
}

static void
s_wake_lane (head_state_t *self, lane_t *lane)
{
    list_remove (&lane->node);
    s_lane_turn (self, lane);
}

void
head_make_ready (head_state_t *self, head_task_t *task, bool again)
{
    lane_t *lane = task->lane;
    if (again)
        list_prepend (&lane->tasks, &task->node);
    else {
        task->arrival = ++self->arrivals;
        list_append (&lane->tasks, &task->node);
    }
    task->state = TASK_READY;
    self->ready++;
    lane->ready++;
    lane->job->ready += lane->plain;
    if (lane->ready == 1 && !lane->plain)
        head_near_begin (self, lane);
    if (!list_linked (&lane->node) && (lane->ready == 1 || again))
        s_lane_turn (self, lane);
}

void
head_leave_lane (head_state_t *self, head_task_t *task)
{
    lane_t *lane = task->lane;
    list_remove (&task->node);
    self->ready--;
    lane->ready--;
    lane->job->ready -= lane->plain;
    if (lane->ready) {
        if (lane->turn.place)
            s_lane_turn (self, lane);
        return;
    }
    lane->unfit = 0;
    lane->searched = false;
    if (!lane->plain)
        head_near_end (self, lane);
    if (lane->keep.since)
        head_keep_end (self, &lane->keep);
    list_remove (&lane->node);
    heap_remove (&lane->job->lanes, &lane->turn);
    head_job_turn (self, lane->job);
}

/*  Takes a lane that cannot be served out of its job's turn.               */
static void
s_stall (head_state_t *self, lane_t *lane)
{
    heap_remove (&lane->job->lanes, &lane->turn);
    list_append (lane->plain ? &lane->job->stalled : &self->blocked, &lane->node);
    if (!lane->plain)
        head_keep_begin (self, &lane->keep);
    head_job_turn (self, lane->job);
    head_want (self, lane->job);
}

/*  --- plain tasks ------------------------------------------------------  */

/*  A worker that was filled up gets more when most of that is done, so that
    leases travel by the batch; but a free slot is filled at once.          */
static bool
s_is_full (head_peer_t *peer)
{
    if (peer->refill && head_load (peer) < peer->refill)
        peer->refill = 0;
    return peer->refill != 0;
}

/*  Whether a worker should run dry, because its node is kept, or another job
    waits for its cpu whose turn it is.                                     */
static bool
s_must_yield (const head_peer_t *peer)
{
    const list_t *starved = &peer->on->starved;
    if (head_is_kept (peer->on->keep, peer->job, NULL))
        return true;
    for (const list_node_t *at = starved->next; at != starved; at = at->next) {
        const job_t *other = container_of (at, head_peer_t, node)->job;
        if (other != peer->job && (other->ready || other->lanes.count)
            && head_job_rank (other) < head_job_rank (peer->job))
            return true;
    }
    return false;
}

static bool
s_has_credit (head_peer_t *peer, const function_t *function, size_t level)
{
    if (function->number >= peer->offers_size || !peer->offers [function->number]
        || peer->outstanding >= LEASES_MAX || s_is_full (peer))
        return false;
    return level == 0 || (peer->outstanding_bytes < LEASE_BYTES_MAX && !s_must_yield (peer));
}

/*  The least loaded worker that offers the function and has credit for it. */
static head_peer_t *
s_worker_for (job_t *job, const function_t *function)
{
    while (job->lowest < LEVELS && list_empty (&job->levels [job->lowest]))
        job->lowest++;
    for (size_t level = job->lowest; level <= function->prefetch && level < LEVELS; level++) {
        list_t *list = &job->levels [level];
        for (list_node_t *node = list->next, *next; node != list; node = next) {
            head_peer_t *peer = container_of (node, head_peer_t, node);
            next = node->next;
            if (level == 0 && peer->on->free [CPUS] < RESOURCE_UNIT) {
                list_remove (node);
                list_append (&peer->on->starved, node);
            } else if (s_has_credit (peer, function, level))
                return peer;
        }
    }
    return NULL;
}

static head_task_t *
s_first (const lane_t *lane)
{
    return container_of (lane->tasks.next, head_task_t, node);
}

/*  --- tasks with other demands -----------------------------------------  */

typedef struct {
    lane_t *lane;
    int64_t now;
    head_peer_t *worker;
    bool coming; /*  a worker was asked for                  */
} place_t;

/*  Takes a node where the demand fits and an idle worker is; where there is
    none, one is asked for, and no other node is tried.                     */
static bool
s_accept (head_state_t *self, head_node_t *node, void *arg)
{
    place_t *place = arg;
    lane_t *lane = place->lane;
    job_t *job = lane->job;
    if (!head_node_fits (node, lane->demand) || head_is_kept (node->keep, job, &lane->keep)
        || head_yields (node, lane, place->now))
        return false;
    place->worker = head_idle_worker (self, job, node, lane->function);
    if (place->worker || job->embedded)
        return place->worker != NULL;
    size_t times = head_node_times (node, lane->demand);
    const pool_t *pool = head_pool (self, job, node, false);
    size_t starting = pool ? pool->starting : 0;
    size_t wanted = lane->ready < times ? lane->ready : times;
    if (wanted > starting)
        starting += head_ask (self, place->now, job, node, wanted - starting);
    place->worker = head_idle_worker (self, job, node, lane->function);
    place->coming = starting > 0;
    return place->worker || place->coming;
}

/*  In a bundle it needs a worker on the bundle's node. True if one task, or
    all for want of the group, need not wait any more.                      */
static bool
s_serve_bundle (head_state_t *self, int64_t now, lane_t *lane)
{
    if (!head_group_of (self, lane->demand->group)) {
        head_fail_lane (self, lane, TROUPE_EENDED, "its group has ended");
        return true;
    }
    bundle_t *bundle = head_bundle_for (self, lane->demand, lane->job, &lane->keep);
    if (!bundle || bundle->node->suspect)
        return false;
    head_peer_t *worker = head_idle_worker (self, lane->job, bundle->node, lane->function);
    if (!worker && !lane->job->embedded) {
        const pool_t *pool = head_pool (self, lane->job, bundle->node, false);
        if (!pool || pool->starting < lane->ready)
            head_ask (self, now, lane->job, bundle->node, 1);
        worker = head_idle_worker (self, lane->job, bundle->node, lane->function);
    }
    if (!worker)
        return false;
    head_keep_end (self, &lane->keep);
    head_lease (self, s_first (lane), worker, bundle);
    return true;
}

static bool
s_serve_special (head_state_t *self, int64_t now, lane_t *lane)
{
    if (lane->demand->placement == PLACE_GROUP)
        return s_serve_bundle (self, now, lane);
    place_t place = { lane, now, NULL, false };
    lane->yielded = false;
    const head_node_t *node
        = head_search (self, lane->demand, lane->searched, s_accept, &place);
    lane->searched = !node;
    if (place.worker) {
        lane->yields = 0;
        head_keep_end (self, &lane->keep);
        head_lease (self, s_first (lane), place.worker, NULL);
    } else if (!node && !lane->unfit && !head_feasible (self, lane->demand, NULL, 0))
        lane->unfit = now;
    return place.worker != NULL;
}

/*  --- the next task ----------------------------------------------------  */

/*  Gives out, or fails, the first task of a lane. False if it must wait.   */
static bool
s_serve (head_state_t *self, int64_t now, lane_t *lane)
{
    head_task_t *task = s_first (lane);
    if (lane->plain) {
        head_peer_t *worker = s_worker_for (lane->job, lane->function);
        if (!worker)
            return false;
        if (head_deadline (task) > now) {
            head_lease (self, task, worker, NULL);
            return true;
        }
    } else if (head_deadline (task) > now)
        return s_serve_special (self, now, lane);
    head_task_fail (self, task, TROUPE_ETIMEOUT, "deadline passed before it started");
    return true;
}

static void
s_wake (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->woken));) {
        job_t *job = container_of (at, job_t, woken);
        while (!list_empty (&job->stalled))
            s_wake_lane (self, container_of (job->stalled.next, lane_t, node));
    }
    if (list_empty (&self->freed))
        return;
    for (list_node_t *at = self->blocked.next, *next; at != &self->blocked; at = next) {
        lane_t *lane = container_of (at, lane_t, node);
        next = at->next;
        if (!lane->searched || lane->demand->placement == PLACE_GROUP
            || head_freed_fits (self, lane->demand))
            s_wake_lane (self, lane);
    }
}

void
head_give_out (head_state_t *self, int64_t now)
{
    do {
        self->again = false;
        s_wake (self);
        for (heap_node_t *turn; (turn = heap_first (&self->turns));) {
            job_t *job = container_of (turn, job_t, turn);
            lane_t *lane = container_of (heap_first (&job->lanes), lane_t, turn);
            if (!s_serve (self, now, lane))
                s_stall (self, lane);
        }
    } while (self->again);
}

/*  Fails the lane if its demand could be served nowhere for too long.      */
static void
s_judge (head_state_t *self, int64_t now, lane_t *lane)
{
    char text [FAULT_TEXT_MAX];
    if (head_feasible (self, lane->demand, text, sizeof text))
        lane->unfit = 0;
    else if (!lane->unfit)
        lane->unfit = now;
    else if (now - lane->unfit >= self->settings.grace)
        head_fail_lane (self, lane, TROUPE_ELIMIT, text);
}

void
head_fail_unfit (head_state_t *self, int64_t now)
{
    for (list_node_t *at = self->blocked.next, *next; at != &self->blocked; at = next) {
        lane_t *lane = container_of (at, lane_t, node);
        next = at->next;
        if (head_has_yielded (lane, now)) {
            lane->searched = false;
            s_wake_lane (self, lane);
        } else
            s_judge (self, now, lane);
    }
    for (list_node_t *on = self->wanting.next; on != &self->wanting; on = on->next) {
        job_t *job = container_of (on, job_t, wanting);
        for (list_node_t *at = job->stalled.next, *next; at != &job->stalled; at = next) {
            next = at->next;
            s_judge (self, now, container_of (at, lane_t, node));
        }
    }
}
