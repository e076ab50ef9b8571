/*  head_tasks.c - the head's state: tasks, their leases, and what ends them  */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

const char head_no_memory [] = "the head has no memory left";
const char head_orphaned [] = "argument failed: the process that owned it has ended";

/*  --- the life of a task -----------------------------------------------  */

task_more_t *
head_task_more (head_task_t *task)
{
    if (task->more)
        return task->more;
    task_more_t *more = calloc (1, sizeof *more);
    if (!more)
        return NULL;
    more->task = task;
    more->deadline = CLOCK_NEVER;
    list_init (&more->children);
    task->more = more;
    return more;
}

void
head_task_forget_waiters (head_state_t *self, head_task_t *task)
{
    task_more_t *more = task->more;
    if (!more)
        return;
    for (uint32_t index = 0; index < more->waiter_count; index++)
        await_forget (&self->await, &more->waiters [index]);
    free (more->waiters);
    more->waiters = NULL;
    more->waiter_count = 0;
}

/*  Takes the lease away from the worker's table, and gives back what the
    task holds, but for the cpus, which head_place accounts for.            */
static void
s_release_lease (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    unsigned slot = task->lease & (LEASES_MAX - 1);
    peer->leases [slot] = NULL;
    peer->outstanding--;
    peer->outstanding_bytes -= head_task_size (task);
    peer->free_slots [peer->lease_capacity - 1 - peer->outstanding] = (uint16_t) slot;
    task->worker = NULL;
    self->leased--;
    if (task->lane->plain)
        return;
    list_remove (&task->node);
    peer->special--;
    if (task->more && task->more->bundle) {
        head_bundle_give (self, task->more->bundle, task->lane->demand);
        task->more->bundle = NULL;
    } else
        head_node_give (self, peer->on, task->lane->demand, false);
    if (peer->job && head_demand_of (task->lane->demand, CPUS) == 0)
        peer->job->free_riders--;
}

/*  Its children go on without it.                                          */
static void
s_leave_family (task_more_t *more)
{
    list_remove (&more->sibling);
    while (!list_empty (&more->children))
        container_of (list_pop (&more->children), task_more_t, sibling)->parent = NULL;
}

void
head_task_free_more (head_state_t *self, head_task_t *task)
{
    task_more_t *more = task->more;
    if (!more)
        return;
    head_task_forget_waiters (self, task);
    s_leave_family (more);
    free (more->attachments);
    free (more->subscribers);
    free (more);
}

void
head_task_free (head_state_t *self, head_task_t *task)
{
    lane_t *lane = task->lane;
    job_t *job = lane->job;
    if (task->state == TASK_READY)
        head_leave_lane (self, task);
    else if (task->state == TASK_LEASED) {
        head_peer_t *peer = task->worker;
        s_release_lease (self, task);
        head_place_again (self, peer);
    } else if (task->state == TASK_ANSWERED) {
        list_remove (&task->node);
        self->answered--;
    } else {
        list_remove (&task->node);
        self->parked--;
    }
    size_t bytes = head_task_size (task);
    self->task_bytes -= bytes;
    job->bytes -= bytes;
    job->tasks--;
    head_task_free_more (self, task);
    free (task);
    head_lane_release (self, lane);
    if (job->ended)
        head_job_check (self, job);
}

void
head_task_destroy (head_state_t *self, head_task_t *task)
{
    id_table_remove (&self->tasks, task->id);
    head_task_free (self, task);
}

const uint8_t *
head_task_attachments (const head_task_t *task)
{
    if (task->more && task->more->attachments)
        return task->more->attachments;
    return task->body + ((task->body_size + 7u) & ~7u);
}

void
head_task_fail (head_state_t *self, head_task_t *task, troupe_error_t code, const char *text)
{
    fault_t fault;
    fault_set (&fault, code, "%s", text);
    fault_prefix (&fault, "%s", task->lane->function->name);
    if (!task->cancelled)
        head_act_fault (self, task->id, code, "%s", fault.text);
    head_task_destroy (self, task);
}

void
head_fail_lane (head_state_t *self, lane_t *lane, troupe_error_t code, const char *text)
{
    for (size_t left = lane->ready; left; left--)
        head_task_fail (self, container_of (lane->tasks.next, head_task_t, node), code, text);
}

/*  --- leases -----------------------------------------------------------  */

static void
s_relay_subscribers (head_state_t *self, const head_task_t *task)
{
    for (uint32_t index = 0; task->more && index < task->more->subscriber_count; index++) {
        head_action_t *action = head_act (self, HEAD_SUBSCRIBE, task->worker->process);
        action->id = task->id;
        action->target = task->more->subscribers [index];
    }
}

/*  Holds what the task asks for, but for the cpus.                         */
static void
s_hold (head_state_t *self, head_task_t *task, head_peer_t *peer, bundle_t *bundle)
{
    const demand_t *demand = task->lane->demand;
    peer->special++;
    list_append (&peer->specials, &task->node);
    if (bundle) {
        /*  A task in a group names it in its options, so it has more.      */
        task->more->bundle = bundle;
        head_bundle_take (bundle, demand);
    } else
        head_node_take (self, peer->on, demand, false);
    if (head_demand_of (demand, CPUS) == 0)
        peer->job->free_riders++;
}

/*  The lower 24 bits of a lease are never 0: they name a parent.           */
static uint32_t
s_next_lease (head_peer_t *peer, uint16_t slot)
{
    peer->generation = (peer->generation + 1) & (UINT32_MAX / LEASES_MAX);
    if (!(peer->generation & (0xffffff / LEASES_MAX)))
        peer->generation++;
    return peer->generation * LEASES_MAX | slot;
}

void
head_lease (head_state_t *self, head_task_t *task, head_peer_t *peer, bundle_t *bundle)
{
    const lane_t *lane = task->lane;
    if ((bundle && !head_task_more (task))
        || (peer->outstanding == peer->lease_capacity && head_grow_leases (peer))) {
        head_task_fail (self, task, TROUPE_ENOMEM, head_no_memory);
        return;
    }
    head_leave_lane (self, task);
    if (task->more)
        head_note_copies (self, task, peer->on);
    uint16_t slot = peer->free_slots [peer->lease_capacity - 1 - peer->outstanding];
    peer->outstanding++;
    peer->outstanding_bytes += head_task_size (task);
    task->lease = s_next_lease (peer, slot);
    task->worker = peer;
    task->state = TASK_LEASED;
    peer->leases [slot] = task;
    self->leased++;
    unsigned load = head_load (peer);
    peer->newest_special = !lane->plain;
    if (!lane->plain)
        s_hold (self, task, peer, bundle);
    else if (load >= peer->slots * (lane->function->prefetch + 1)) {
        unsigned few = load / 4 < peer->slots ? peer->slots - 1 : load / 4;
        peer->refill = few ? few + 1 : 0;
    }
    head_place_again (self, peer);
    head_action_t *action = head_act (self, HEAD_DISPATCH, peer->process);
    action->task = task;
    s_relay_subscribers (self, task);
}

void
head_task_record (const head_task_t *task, int64_t now, record_t *record)
{
    *record = (record_t){ .type = RECORD_TASK,
                          .number = task->lane->function->number,
                          .id = task->id,
                          .target = (uint64_t) task->lane->depth << 32 | task->lease,
                          .body = task->body,
                          .body_size = task->body_size,
                          .attachment = head_task_attachments (task),
                          .attachments = task->more ? task->more->attachment_count : 0,
                          .attachments_size = task->attachments_size };
    int64_t deadline = head_deadline (task);
    if (deadline != CLOCK_NEVER) {
        int64_t left = (deadline - now) / CLOCK_MS;
        record->deadline = left > 0 ? (uint32_t) left : 1;
    }
}

/*  --- leases that come back --------------------------------------------  */

static void
s_learn (function_t *function, int64_t duration)
{
    if (function->service < 0)
        function->service = duration;
    else
        function->service += (duration - function->service) / 8;
    int64_t service = function->service > 0 ? function->service : 1;
    int64_t ahead = service < PREFETCH_WINDOW ? PREFETCH_WINDOW / service - 1 : 0;
    if (ahead < 1 && service <= PREFETCH_LONGEST)
        ahead = 1;
    function->prefetch = ahead < PREFETCH_MAX ? (unsigned) ahead : PREFETCH_MAX;
}

static head_task_t *
s_leased_task (head_peer_t *peer, uint32_t lease)
{
    head_task_t *task = head_leased (peer, lease);
    return task && task->lease == lease ? task : NULL;
}

static void
s_keep_answered (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    s_release_lease (self, task);
    head_place_again (self, peer);
    task->state = TASK_ANSWERED;
    list_append (&peer->answered, &task->node);
    self->answered++;
}

/*  It goes on, and is the last to be stuck of those with leases ahead.     */
static void
s_goes_on (head_state_t *self, int64_t now, head_peer_t *peer)
{
    self->now = now;
    peer->progress = now;
    if (!peer->loaded || peer->recalled)
        return;
    list_remove (&peer->ahead);
    list_append (&peer->job->ahead, &peer->ahead);
}

void
head_done (head_state_t *self, int64_t now, process_t worker, const uint8_t *pairs,
           size_t count)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    s_goes_on (self, now, peer);
    for (size_t index = 0; index < count; index++) {
        head_task_t *task = s_leased_task (peer, load_u32 (pairs + index * 8));
        if (!task)
            continue;
        /*  One that was cancelled may not have run at all.                 */
        if (!task->cancelled)
            s_learn (task->lane->function, (int64_t) load_u32 (pairs + index * 8 + 4) * 64);
        if (task->retries && !task->cancelled)
            s_keep_answered (self, task);
        else
            head_task_destroy (self, task);
    }
}

void
head_acknowledge (head_state_t *self, tid_t id)
{
    head_task_t *task = id_table_get (&self->tasks, id);
    if (!task)
        return;
    /*  The owner may know before the worker has told us.                   */
    if (task->state == TASK_LEASED)
        task->retries = 0;
    else
        head_task_destroy (self, task);
}

bool
head_knows (const head_state_t *self, tid_t id)
{
    return id_table_get (&self->tasks, id) != NULL;
}

/*  Into its lane once more, unless the cluster ends and nothing begins again. */
static void
s_make_ready_again (head_state_t *self, head_task_t *task)
{
    if (head_may_begin (self, task->id.owner)) {
        head_make_ready (self, task, true);
        return;
    }
    task->state = TASK_PARKED;
    self->parked++;
    head_task_fail (self, task, TROUPE_ESTOPPED, head_is_ending);
}

/*  Takes a task back from its worker into its lane.                        */
static void
s_take_back (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    s_release_lease (self, task);
    head_place_again (self, peer);
    if (task->cancelled) {
        task->state = TASK_PARKED;
        self->parked++;
        head_task_destroy (self, task);
        return;
    }
    s_make_ready_again (self, task);
}

void
head_returned (head_state_t *self, int64_t now, process_t worker, const uint8_t *leases,
               size_t count)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    peer->recalled = 0;
    s_goes_on (self, now, peer);
    /*  It is stuck: what it has given back must not stand behind it again. */
    if (count)
        peer->refill = peer->slots;
    for (size_t index = count; index--;) {
        head_task_t *task = s_leased_task (peer, load_u32 (leases + index * 4));
        if (task)
            s_take_back (self, task);
    }
}

static void
s_use_retry (head_task_t *task)
{
    if (task->retries != RETRIES_ALWAYS)
        task->retries--;
}

/*  Fails or repeats a lease of a worker that has died.                     */
static void
s_lose_lease (head_state_t *self, head_task_t *task, bool started, const char *cause)
{
    if (started && task->retries == 0 && !task->cancelled)
        head_act_fault (self, task->id, head_loss_of (self, task->worker), "%s on %s: %s",
                        task->lane->function->name, task->worker->label, cause);
    if (started && task->retries == 0)
        task->cancelled = true;
    else if (started)
        s_use_retry (task);
    s_take_back (self, task);
}

static int
s_compare_arrivals (const void *left, const void *right)
{
    const head_task_t *a = *(head_task_t *const *) left;
    const head_task_t *b = *(head_task_t *const *) right;
    return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

/*  The last to come first, so that they go back into their lanes in order. */
void
head_lose_leases (head_state_t *self, head_peer_t *peer, const char *cause,
                  const uint32_t *ledger)
{
    head_task_t *tasks [LEASES_MAX];
    size_t count = 0;
    for (unsigned slot = 0; slot < peer->lease_capacity; slot++)
        if (peer->leases [slot])
            tasks [count++] = peer->leases [slot];
    while (!list_empty (&peer->answered)) {
        head_task_t *task = container_of (list_pop (&peer->answered), head_task_t, node);
        self->answered--;
        s_use_retry (task);
        s_make_ready_again (self, task);
    }
    qsort (tasks, count, sizeof *tasks, s_compare_arrivals);
    while (count--) {
        uint32_t lease = tasks [count]->lease;
        bool started = !ledger || ledger [lease & (LEASES_MAX - 1)] == lease;
        s_lose_lease (self, tasks [count], started, cause);
    }
}

/*  Moves the tasks that are not with a worker, of one owner if that is not
    0, out of their lanes into a list; but for those that may still begin, if
    so told.                                                                */
static void
s_collect (head_state_t *self, process_t owner, const job_t *job, bool barred, list_t *list)
{
    list_init (list);
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));) {
        if (task->state == TASK_LEASED || (owner && task->id.owner != owner)
            || (job && task->lane->job != job)
            || (barred && head_may_begin (self, task->id.owner)))
            continue;
        if (task->state == TASK_ANSWERED && !owner && !job)
            continue;
        if (task->state == TASK_READY)
            head_leave_lane (self, task);
        else if (task->state == TASK_ANSWERED) {
            list_remove (&task->node);
            self->answered--;
        } else
            self->parked--;
        task->state = TASK_PARKED;
        self->parked++;
        list_append (list, &task->node);
    }
}

static void
s_cancel_leased (head_state_t *self, head_task_t *task)
{
    if (!task->cancelled)
        head_act (self, HEAD_CANCEL, task->worker->process)->id = task->id;
    task->cancelled = true;
}

/*  Fails the tasks that wait for values that nobody will send any more.    */
static void
s_fail_orphans (head_state_t *self, process_t owner)
{
    list_t waiters;
    list_init (&waiters);
    await_orphan (&self->await, owner, &waiters);
    while (!list_empty (&waiters)) {
        await_waiter_t *waiter = container_of (waiters.next, await_waiter_t, node);
        head_task_fail (self, waiter->subject, TROUPE_ELOST, head_orphaned);
    }
}

void
head_lose_owned_tasks (head_state_t *self, const head_peer_t *owner)
{
    s_fail_orphans (self, owner->process);
    if (!owner->submitted)
        return;
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));)
        if (task->id.owner == owner->process && task->state == TASK_LEASED)
            s_cancel_leased (self, task);
    list_t owned;
    s_collect (self, owner->process, NULL, false, &owned);
    while (!list_empty (&owned))
        head_task_destroy (self, container_of (owned.next, head_task_t, node));
}

/*  Owners that survive, as they hold actors that do, are told.             */
void
head_lose_job_tasks (head_state_t *self, const job_t *job)
{
    list_t lost;
    if (!job->tasks)
        return;
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));)
        if (task->lane->job == job && task->state == TASK_LEASED)
            s_cancel_leased (self, task);
    s_collect (self, 0, job, false, &lost);
    while (!list_empty (&lost))
        head_task_fail (self, container_of (lost.next, head_task_t, node), TROUPE_ELOST,
                        "its job has ended");
}

/*  Moves the children of a task behind those that wait in the list.        */
static void
s_collect_children (head_task_t *task, list_t *list)
{
    if (!task->more)
        return;
    while (!list_empty (&task->more->children))
        list_append (list, list_pop (&task->more->children));
}

/*  Cancels a task that nobody but the head knows to be cancelled.          */
static void
s_cancel_one (head_state_t *self, head_task_t *task)
{
    if (task->state == TASK_LEASED)
        s_cancel_leased (self, task);
    else
        head_task_destroy (self, task);
}

void
head_cancel (head_state_t *self, tid_t id)
{
    head_task_t *task = id_table_get (&self->tasks, id);
    list_t children;
    list_init (&children);
    if (!task) {
        head_cancel_actor (self, id);
        return;
    }
    s_collect_children (task, &children);
    s_cancel_one (self, task);
    while (!list_empty (&children)) {
        task_more_t *more = container_of (list_pop (&children), task_more_t, sibling);
        more->parent = NULL;
        head_task_t *child = more->task;
        s_collect_children (child, &children);
        if (!child->cancelled && child->state != TASK_ANSWERED)
            head_act_fault (self, child->id, TROUPE_ECANCELLED,
                            "%s: the task that submitted it was cancelled",
                            child->lane->function->name);
        s_cancel_one (self, child);
    }
}

void
head_subscribe (head_state_t *self, tid_t id, process_t target)
{
    head_task_t *task = id_table_get (&self->tasks, id);
    if (!task)
        return;
    task_more_t *more = head_task_more (task);
    process_t *grown
        = more ? realloc (more->subscribers, (more->subscriber_count + 1) * sizeof *grown)
               : NULL;
    if (!grown) {
        self->failed = true;
        return;
    }
    more->subscribers = grown;
    more->subscribers [more->subscriber_count++] = target;
    if (task->state == TASK_LEASED) {
        head_action_t *action = head_act (self, HEAD_SUBSCRIBE, task->worker->process);
        action->id = id;
        action->target = target;
    }
}

/*  --- calling back what is stuck ---------------------------------------  */

/*  Idle workers whose node has no cpu for them wait until it has one.      */
static bool
s_has_idle_worker (job_t *job)
{
    list_t *idle = &job->levels [0];
    while (!list_empty (idle)) {
        list_node_t *first = idle->next;
        head_node_t *node = container_of (first, head_peer_t, node)->on;
        if (node->free [CPUS] >= RESOURCE_UNIT)
            return true;
        list_remove (first);
        list_append (&node->starved, first);
    }
    return false;
}

static head_peer_t *
s_first_ahead (const job_t *job)
{
    return list_empty (&job->ahead) ? NULL : container_of (job->ahead.next, head_peer_t, ahead);
}

int64_t
head_recall_due (head_state_t *self)
{
    int64_t due = CLOCK_NEVER;
    for (list_node_t *at = self->loading.next; at != &self->loading; at = at->next) {
        job_t *job = container_of (at, job_t, loading);
        const head_peer_t *first = s_first_ahead (job);
        int64_t next = CLOCK_NEVER;
        if (first && s_has_idle_worker (job))
            next = first->progress + STUCK_AFTER;
        else if (first && !job->embedded)
            next = self->recalls + STUCK_ALONE_AFTER;
        due = next < due ? next : due;
    }
    return due;
}

/*  Asks one of job->ahead for what was sent ahead.                         */
static void
s_recall (head_state_t *self, head_peer_t *peer)
{
    peer->recalled = peer->outstanding - peer->slots - peer->blocked;
    peer->begun = peer->generation;
    list_remove (&peer->ahead);
    head_act (self, HEAD_RECALL, peer->process)->number = peer->recalled;
}

/*  alone: no other worker of the job is idle. Then a worker is asked again only
    if it may have got something since that has not begun.                  */
static void
s_recall_in_job (head_state_t *self, int64_t now, job_t *job, bool alone)
{
    for (list_node_t *at = job->ahead.next, *next; at != &job->ahead; at = next) {
        head_peer_t *peer = container_of (at, head_peer_t, ahead);
        next = at->next;
        if (now - peer->progress < (alone ? STUCK_ALONE_AFTER : STUCK_AFTER))
            return;
        if (!alone || peer->begun != peer->generation)
            s_recall (self, peer);
    }
}

void
head_recall_ahead (head_state_t *self)
{
    for (list_node_t *at = self->loading.next; at != &self->loading; at = at->next) {
        job_t *job = container_of (at, job_t, loading);
        while (!list_empty (&job->ahead))
            s_recall (self, container_of (job->ahead.next, head_peer_t, ahead));
    }
}

/*  Where no worker of the job is idle, one may be bound to it or started for
    what comes back, as for all that is ready; if none could be, it stays where
    its arguments may be already. As that looks at nodes it is done now and then
    only. An embedded cluster has no other workers.                         */
void
head_recall_stuck (head_state_t *self, int64_t now)
{
    bool due = now - self->recalls >= STUCK_ALONE_AFTER;
    for (list_node_t *at = self->loading.next; at != &self->loading; at = at->next) {
        job_t *job = container_of (at, job_t, loading);
        bool idle = s_has_idle_worker (job);
        if (!idle && (!due || job->embedded || !head_has_room (self, now, job)))
            continue;
        s_recall_in_job (self, now, job, !idle);
    }
    if (due)
        self->recalls = now;
}

static void
s_fail_collected (head_state_t *self, bool barred, troupe_error_t code, const char *cause)
{
    list_t waiting;
    s_collect (self, 0, NULL, barred, &waiting);
    while (!list_empty (&waiting))
        head_task_fail (self, container_of (waiting.next, head_task_t, node), code, cause);
}

void
head_fail_waiting (head_state_t *self)
{
    s_fail_collected (self, true, TROUPE_ESTOPPED, head_is_ending);
}

void
head_abandon (head_state_t *self, const char *cause)
{
    s_fail_collected (self, false, TROUPE_ELOST, cause);
    size_t cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        head_fail_homeless (self, job, TROUPE_ELOST, cause);
}
