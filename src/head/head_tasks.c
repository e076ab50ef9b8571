/*  head_tasks.c - the head's state: tasks, leases, dispatch                */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

/*  Levels of nesting that are told apart.                                  */
#define DEPTH_MAX 1023

static const char s_orphaned [] = "argument failed: the process that owned it has ended";
static const char s_oversize [] = "its arguments are too large for the head";

/*  --- lanes ------------------------------------------------------------  */

static lane_t *
s_lane (function_t *function, uint32_t depth)
{
    for (lane_t *lane = function->lanes; lane; lane = lane->next)
        if (lane->depth == depth)
            return lane;
    lane_t *lane = calloc (1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->function = function;
    lane->depth = depth;
    list_init (&lane->tasks);
    lane->next = function->lanes;
    function->lanes = lane;
    return lane;
}

/*  Puts a task into its lane: at the end, or at the front if it was taken
    from there before.                                                      */
static void
s_make_ready (head_state_t *self, head_task_t *task, bool again)
{
    lane_t *lane = task->lane;
    if (list_empty (&lane->tasks))
        list_append (&self->lanes, &lane->node);
    if (again)
        list_prepend (&lane->tasks, &task->node);
    else {
        task->arrival = ++self->arrivals;
        list_append (&lane->tasks, &task->node);
    }
    task->state = TASK_READY;
    self->ready++;
}

static void
s_leave_lane (head_state_t *self, head_task_t *task)
{
    list_remove (&task->node);
    if (list_empty (&task->lane->tasks))
        list_remove (&task->lane->node);
    self->ready--;
}

/*  --- the life of a task -----------------------------------------------  */

static size_t
s_task_bytes (const head_task_t *task)
{
    return sizeof *task + task->body_size + task->attachments_size;
}

static void
s_forget_waiters (head_state_t *self, head_task_t *task)
{
    for (uint32_t index = 0; index < task->waiter_count; index++)
        await_forget (&self->await, &task->waiters [index]);
    free (task->waiters);
    task->waiters = NULL;
    task->waiter_count = 0;
}

/*  Takes the lease away from the worker's table.                           */
static void
s_release_lease (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    unsigned slot = task->lease & (LEASES_MAX - 1);
    peer->leases [slot] = NULL;
    peer->outstanding--;
    peer->outstanding_bytes -= s_task_bytes (task);
    peer->free_slots [LEASES_MAX - 1 - peer->outstanding] = (uint16_t) slot;
    task->worker = NULL;
    self->leased--;
}

void
head_task_free (head_state_t *self, head_task_t *task)
{
    if (task->state == TASK_READY)
        s_leave_lane (self, task);
    else if (task->state == TASK_LEASED) {
        head_peer_t *peer = task->worker;
        s_release_lease (self, task);
        head_place (self, peer);
    } else if (task->state == TASK_ANSWERED) {
        list_remove (&task->node);
        self->answered--;
    } else {
        list_remove (&task->node);
        self->parked--;
    }
    s_forget_waiters (self, task);
    self->task_bytes -= s_task_bytes (task);
    free (task->attachments);
    free (task->subscribers);
    free (task);
}

void
head_task_destroy (head_state_t *self, head_task_t *task)
{
    id_table_remove (&self->tasks, task->id);
    head_task_free (self, task);
}

static head_task_t *
s_task_new (int64_t now, const record_t *record, const uint8_t *body,
            uint32_t body_size)
{
    size_t attachments = (body_size + 7u) & ~7u;
    head_task_t *task = calloc (1, sizeof *task + attachments + record->attachments_size);
    if (!task)
        return NULL;
    task->id = record->id;
    task->deadline = record->deadline ? now + record->deadline * CLOCK_MS : CLOCK_NEVER;
    task->retries = (uint8_t) record->target;
    task->body_size = body_size;
    task->attachment_count = record->attachments;
    task->attachments_size = record->attachments_size;
    memcpy (task->body, body, body_size);
    if (record->attachments_size)
        memcpy (task->body + attachments, record->attachment, record->attachments_size);
    return task;
}

static const uint8_t *
s_attachments (const head_task_t *task)
{
    return task->attachments ? task->attachments : task->body + ((task->body_size + 7u) & ~7u);
}

/*  Fails a task that is not with a worker, and forgets it.                 */
static void
s_fail (head_state_t *self, head_task_t *task, troupe_error_t code, const char *text)
{
    fault_t fault;
    fault_set (&fault, code, "%s", text);
    fault_prefix (&fault, "%s", task->lane->function->name);
    if (!task->cancelled)
        head_act_fault (self, task->id, code, "%s", fault.text);
    head_task_destroy (self, task);
}

/*  Gives a parked task a value that it waited for. Returns 0, or -1: no
    memory, or the task would not fit a record any more.                    */
static int
s_add_value (head_state_t *self, head_task_t *task, tid_t id, const uint8_t *data, uint32_t size)
{
    if (size > VALUE_SIZE_MAX)
        return -1;
    uint32_t step = ATTACHMENT_HEADER + ((size + 7u) & ~7u);
    size_t total = (size_t) task->attachments_size + step;
    if (total + task->body_size > UINT32_MAX - 2 * RECORD_HEADER)
        return -1;
    uint8_t *grown = realloc (task->attachments, total);
    if (!grown)
        return -1;
    if (!task->attachments)
        memcpy (grown, s_attachments (task), task->attachments_size);
    task->attachments = grown;
    uint8_t *place = grown + task->attachments_size;
    memset (place, 0, step);
    store_u64 (place, id.owner);
    store_u64 (place + 8, id.sequence);
    store_u32 (place + 16, size);
    memcpy (place + ATTACHMENT_HEADER, data, size);
    task->attachments_size += step;
    task->attachment_count++;
    self->task_bytes += step;
    return 0;
}

/*  Fails a task because of a value that it waits for.                      */
static void
s_fail_argument (head_state_t *self, head_task_t *task, uint32_t code, const uint8_t *data,
                 uint32_t size)
{
    fault_t fault;
    fault_set_cause (&fault, (troupe_error_t) code, "argument failed", data, size);
    s_fail (self, task, fault.code, fault.text);
}

/*  Registers the next waiter of a task; its value may be here already, or
    may never come. False if the task has failed and is gone.               */
static bool
s_expect (head_state_t *self, head_task_t *task, await_waiter_t *waiter)
{
    await_value_t *early;
    int rc = await_expect (&self->await, waiter, &early);
    if (rc < 0) {
        s_fail (self, task, TROUPE_ENOMEM, "the head has no memory left");
        return false;
    }
    if (rc && head_peer (self, waiter->id.owner))
        head_act (self, HEAD_AGAIN, waiter->id.owner)->id = waiter->id;
    if (!early && head_peer (self, waiter->id.owner))
        return true;
    if (!early)
        s_fail (self, task, TROUPE_ELOST, s_orphaned);
    else if (early->code)
        s_fail_argument (self, task, early->code, early->data, early->size);
    else if (s_add_value (self, task, waiter->id, early->data, early->size))
        s_fail (self, task, TROUPE_ENOMEM, s_oversize);
    else {
        task->unresolved--;
        free (early);
        return true;
    }
    free (early);
    return false;
}

/*  Makes a task wait for its values. False if it has failed and is gone.   */
static bool
s_park (head_state_t *self, head_task_t *task, uint32_t pending)
{
    task->waiters = calloc (pending, sizeof *task->waiters);
    if (!task->waiters) {
        s_fail (self, task, TROUPE_ENOMEM, "the head has no memory left");
        return false;
    }
    const uint8_t *place = s_attachments (task);
    for (uint32_t left = task->attachment_count; left; left--) {
        attachment_t attachment = attachment_next (&place);
        if (!attachment.pending)
            continue;
        await_waiter_t *waiter = &task->waiters [task->waiter_count++];
        waiter->id = attachment.id;
        waiter->subject = task;
        task->unresolved++;
    }
    for (uint32_t index = 0; index < pending; index++)
        if (!s_expect (self, task, &task->waiters [index]))
            return false;
    return true;
}

static uint32_t
s_count_pending (const record_t *record)
{
    uint32_t pending = 0;
    const uint8_t *place = record->attachment;
    for (uint32_t left = record->attachments; left; left--)
        pending += attachment_next (&place).pending;
    return pending;
}

static bool
s_offered (head_state_t *self, uint32_t function)
{
    size_t cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (peer->role == ROLE_WORKER && function < peer->offers_size && peer->offers [function])
            return true;
    return false;
}

/*  The function that a TASK names, and its body without the name.          */
static function_t *
s_named_function (head_state_t *self, const record_t *record, const uint8_t **body,
                  uint32_t *body_size)
{
    *body = record->body;
    *body_size = record->body_size;
    uint32_t number = record->number;
    if (record->flags & RECORD_BY_NAME) {
        uint32_t prefix = (record->extra + 7u) & ~7u;
        if (prefix > record->body_size) {
            head_act_fault (self, record->id, TROUPE_EPROTOCOL,
                            "malformed task: its name exceeds it");
            return NULL;
        }
        *body += prefix;
        *body_size -= prefix;
        const char *name = (const char *) record->body;
        function_t *function = name_table_get (&self->function_names, name, record->extra);
        if (!function || (!s_offered (self, function->number) && self->workers)) {
            head_act_fault (self, record->id, TROUPE_ENAME,
                            "unknown task '%.*s': no worker offers it",
                            (int) record->extra, name);
            return NULL;
        }
        number = function->number;
    }
    if (!number || number > self->function_count) {
        head_act_fault (self, record->id, TROUPE_ENAME, "unknown task number %u", number);
        return NULL;
    }
    return self->functions [number - 1];
}

void
head_submit (head_state_t *self, int64_t now, const record_t *record)
{
    const uint8_t *body;
    uint32_t body_size;
    head_peer_t *owner = head_peer (self, record->id.owner);
    if (!owner || id_table_get (&self->tasks, record->id))
        return;
    owner->submitted = true;
    function_t *function = s_named_function (self, record, &body, &body_size);
    if (!function)
        return;
    head_task_t *task = s_task_new (now, record, body, body_size);
    uint32_t depth = (uint32_t) (record->target >> 32);
    lane_t *lane = task ? s_lane (function, depth < DEPTH_MAX ? depth : DEPTH_MAX) : NULL;
    if (!lane || id_table_put (&self->tasks, task->id, task)) {
        head_act_fault (self, record->id, TROUPE_ENOMEM, "%s: the head has no memory left",
                        function->name);
        free (task);
        return;
    }
    task->lane = lane;
    self->task_bytes += s_task_bytes (task);
    self->parked++;
    uint32_t pending = s_count_pending (record);
    if (pending && (!s_park (self, task, pending) || task->unresolved))
        return;
    self->parked--;
    s_make_ready (self, task, false);
}

void
head_value (head_state_t *self, tid_t id, uint32_t code, const uint8_t *data, uint32_t size)
{
    await_waiter_t *waiter = await_take (&self->await, id);
    if (!waiter) {
        if (head_peer (self, id.owner) && await_keep (&self->await, id, code, data, size))
            self->failed = true;
        return;
    }
    head_task_t *task = waiter->subject;
    if (code) {
        s_fail_argument (self, task, code, data, size);
        return;
    }
    if (s_add_value (self, task, id, data, size)) {
        s_fail (self, task, TROUPE_ENOMEM, s_oversize);
        return;
    }
    if (--task->unresolved)
        return;
    s_forget_waiters (self, task);
    self->parked--;
    s_make_ready (self, task, false);
}

/*  --- dispatch ---------------------------------------------------------  */

/*  A worker that was filled up gets more when most of that is done, so that
    leases travel by the batch; but a free slot is filled at once.          */
static bool
s_is_full (head_peer_t *peer)
{
    if (peer->refill && head_load (peer) <= peer->refill)
        peer->refill = 0;
    return peer->refill != 0;
}

/*  The least loaded worker that offers the function and has credit for it. */
static head_peer_t *
s_worker_for (head_state_t *self, const function_t *function)
{
    while (self->lowest < LEVELS && list_empty (&self->levels [self->lowest]))
        self->lowest++;
    for (size_t level = self->lowest; level <= function->prefetch && level < LEVELS; level++) {
        list_t *list = &self->levels [level];
        for (list_node_t *node = list->next; node != list; node = node->next) {
            head_peer_t *peer = container_of (node, head_peer_t, node);
            if (function->number < peer->offers_size && peer->offers [function->number]
                && peer->outstanding < LEASES_MAX && !s_is_full (peer)
                && (level == 0 || peer->outstanding_bytes < LEASE_BYTES_MAX))
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

/*  The lane whose turn it is: the deepest, then the one whose first task
    came first, of those that some worker can take from.                    */
static lane_t *
s_next_lane (head_state_t *self, head_peer_t **worker)
{
    lane_t *best = NULL;
    for (list_node_t *node = self->lanes.next; node != &self->lanes; node = node->next) {
        lane_t *lane = container_of (node, lane_t, node);
        if (best
            && (lane->depth < best->depth
                || (lane->depth == best->depth
                    && s_first (lane)->arrival > s_first (best)->arrival)))
            continue;
        head_peer_t *candidate = s_worker_for (self, lane->function);
        if (!candidate)
            continue;
        best = lane;
        *worker = candidate;
    }
    return best;
}

static void
s_relay_subscribers (head_state_t *self, const head_task_t *task)
{
    for (uint32_t index = 0; index < task->subscriber_count; index++) {
        head_action_t *action = head_act (self, HEAD_SUBSCRIBE, task->worker->process);
        action->id = task->id;
        action->target = task->subscribers [index];
    }
}

static void
s_lease (head_state_t *self, int64_t now, head_task_t *task, head_peer_t *peer)
{
    s_leave_lane (self, task);
    if (peer->outstanding == 0)
        peer->progress = now;
    uint16_t slot = peer->free_slots [LEASES_MAX - 1 - peer->outstanding];
    peer->outstanding++;
    peer->outstanding_bytes += s_task_bytes (task);
    peer->generation = (peer->generation + 1) & (UINT32_MAX / LEASES_MAX);
    if (!peer->generation)
        peer->generation = 1;
    task->lease = peer->generation * LEASES_MAX | slot;
    task->worker = peer;
    task->state = TASK_LEASED;
    peer->leases [slot] = task;
    self->leased++;
    unsigned load = head_load (peer);
    if (load >= peer->slots * (task->lane->function->prefetch + 1))
        peer->refill = load / 4 < peer->slots ? peer->slots - 1 : load / 4;
    head_place (self, peer);
    head_action_t *action = head_act (self, HEAD_DISPATCH, peer->process);
    action->task = task;
    s_relay_subscribers (self, task);
}

void
head_give_out (head_state_t *self, int64_t now)
{
    head_peer_t *worker = NULL;
    for (lane_t *lane; self->ready && (lane = s_next_lane (self, &worker));) {
        head_task_t *task = s_first (lane);
        if (task->deadline <= now)
            s_fail (self, task, TROUPE_ETIMEOUT, "deadline passed before it started");
        else
            s_lease (self, now, task, worker);
    }
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
                          .attachment = s_attachments (task),
                          .attachments = task->attachment_count,
                          .attachments_size = task->attachments_size };
    if (task->deadline != CLOCK_NEVER) {
        int64_t left = (task->deadline - now) / CLOCK_MS;
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
    int64_t ahead = (PREFETCH_WINDOW + service - 1) / service;
    if (service > 20 * PREFETCH_WINDOW)
        ahead = 0;
    function->prefetch = ahead < PREFETCH_MAX ? (unsigned) ahead : PREFETCH_MAX;
}

static head_task_t *
s_leased_task (head_peer_t *peer, uint32_t lease)
{
    head_task_t *task = peer->leases [lease & (LEASES_MAX - 1)];
    return task && task->lease == lease ? task : NULL;
}

static void
s_keep_answered (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    s_release_lease (self, task);
    head_place (self, peer);
    task->state = TASK_ANSWERED;
    list_append (&peer->answered, &task->node);
    self->answered++;
}

void
head_done (head_state_t *self, int64_t now, process_t worker, const uint8_t *pairs,
           size_t count)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    peer->progress = now;
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

/*  Takes a task back from its worker into its lane.                        */
static void
s_take_back (head_state_t *self, head_task_t *task)
{
    head_peer_t *peer = task->worker;
    s_release_lease (self, task);
    head_place (self, peer);
    if (task->cancelled) {
        task->state = TASK_PARKED;
        self->parked++;
        head_task_destroy (self, task);
        return;
    }
    s_make_ready (self, task, true);
}

void
head_returned (head_state_t *self, int64_t now, process_t worker, const uint8_t *leases,
               size_t count)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    peer->recalled = 0;
    peer->progress = now;
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
        head_act_fault (self, task->id, TROUPE_ELOST, "%s on %s: %s",
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
    for (unsigned slot = 0; slot < LEASES_MAX; slot++)
        if (peer->leases [slot])
            tasks [count++] = peer->leases [slot];
    while (!list_empty (&peer->answered)) {
        head_task_t *task = container_of (list_pop (&peer->answered), head_task_t, node);
        self->answered--;
        s_use_retry (task);
        s_make_ready (self, task, true);
    }
    qsort (tasks, count, sizeof *tasks, s_compare_arrivals);
    while (count--) {
        uint32_t lease = tasks [count]->lease;
        bool started = !ledger || ledger [lease & (LEASES_MAX - 1)] == lease;
        s_lose_lease (self, tasks [count], started, cause);
    }
}

/*  Moves the tasks that are not with a worker, of one owner if that is not
    0, out of their lanes into a list.                                      */
static void
s_collect (head_state_t *self, process_t owner, list_t *list)
{
    list_init (list);
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));) {
        if (task->state == TASK_LEASED || (owner && task->id.owner != owner))
            continue;
        if (task->state == TASK_ANSWERED && !owner)
            continue;
        if (task->state == TASK_READY)
            s_leave_lane (self, task);
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
        s_fail (self, waiter->subject, TROUPE_ELOST, s_orphaned);
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
    s_collect (self, owner->process, &owned);
    while (!list_empty (&owned))
        head_task_destroy (self, container_of (owned.next, head_task_t, node));
}

void
head_cancel (head_state_t *self, tid_t id)
{
    head_task_t *task = id_table_get (&self->tasks, id);
    if (!task)
        return;
    if (task->state != TASK_LEASED) {
        head_task_destroy (self, task);
        return;
    }
    s_cancel_leased (self, task);
}

void
head_subscribe (head_state_t *self, tid_t id, process_t target)
{
    head_task_t *task = id_table_get (&self->tasks, id);
    if (!task)
        return;
    process_t *grown = realloc (task->subscribers,
                                (task->subscriber_count + 1) * sizeof *grown);
    if (!grown) {
        self->failed = true;
        return;
    }
    task->subscribers = grown;
    task->subscribers [task->subscriber_count++] = target;
    if (task->state == TASK_LEASED) {
        head_action_t *action = head_act (self, HEAD_SUBSCRIBE, task->worker->process);
        action->id = id;
        action->target = target;
    }
}

/*  --- calling back what is stuck ---------------------------------------  */

static head_peer_t *
s_idle_worker (head_state_t *self)
{
    list_t *idle = &self->levels [0];
    return list_empty (idle) ? NULL : container_of (idle->next, head_peer_t, node);
}

/*  True if some worker is idle while others hold more than they can run.   */
bool
head_recall_wanted (head_state_t *self)
{
    return self->loaded && s_idle_worker (self);
}

void
head_recall_stuck (head_state_t *self, int64_t now)
{
    if (!head_recall_wanted (self))
        return;
    size_t cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        unsigned running = peer->slots + peer->blocked;
        if (peer->role != ROLE_WORKER || peer->recalled || peer->outstanding <= running
            || now - peer->progress < STUCK_AFTER)
            continue;
        peer->recalled = peer->outstanding - running;
        head_act (self, HEAD_RECALL, peer->process)->number = peer->recalled;
    }
}

void
head_abandon (head_state_t *self, const char *cause)
{
    list_t waiting;
    s_collect (self, 0, &waiting);
    while (!list_empty (&waiting))
        s_fail (self, container_of (waiting.next, head_task_t, node), TROUPE_ELOST, cause);
    for (list_node_t *node; (node = list_pop (&self->homeless));) {
        head_actor_t *actor = container_of (node, head_actor_t, node);
        head_act_fault (self, actor->id, TROUPE_ELOST, "%s: %s", actor->class_name, cause);
        head_actor_destroy (self, actor);
    }
}
