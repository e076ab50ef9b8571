/*  head_tasks.c - the head's state: tasks, leases, dispatch                */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

/*  Levels of nesting that are told apart.                                  */
#define DEPTH_MAX 1023

static const char s_orphaned [] = "argument failed: the process that owned it has ended";
static const char s_no_memory [] = "the head has no memory left";
static const char s_oversize [] = "its arguments are too large for the head";

/*  --- the life of a task -----------------------------------------------  */

/*  What few tasks have, made when it is needed; NULL if there is no memory. */
static task_more_t *
s_more (head_task_t *task)
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

static void
s_forget_waiters (head_state_t *self, head_task_t *task)
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

static void
s_free_more (head_state_t *self, head_task_t *task)
{
    task_more_t *more = task->more;
    if (!more)
        return;
    s_forget_waiters (self, task);
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
    s_free_more (self, task);
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

static head_task_t *
s_task_new (int64_t now, const record_t *record, const uint8_t *body, uint32_t body_size)
{
    size_t attachments = (body_size + 7u) & ~7u;
    if (!record->attachments_size)
        attachments = body_size;
    head_task_t *task = malloc (sizeof *task + attachments + record->attachments_size);
    if (!task)
        return NULL;
    *task = (head_task_t){ .id = record->id,
                           .retries = (uint8_t) record->target,
                           .body_size = body_size,
                           .attachments_size = record->attachments_size };
    memcpy (task->body, body, body_size);
    if (!record->deadline && !record->attachments)
        return task;
    task_more_t *more = s_more (task);
    if (!more) {
        free (task);
        return NULL;
    }
    more->attachment_count = record->attachments;
    if (record->deadline)
        more->deadline = now + record->deadline * CLOCK_MS;
    if (record->attachments_size) {
        memset (task->body + body_size, 0, attachments - body_size);
        memcpy (task->body + attachments, record->attachment, record->attachments_size);
    }
    return task;
}

static const uint8_t *
s_attachments (const head_task_t *task)
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

/*  Gives a parked task a value that it waited for. Returns 0, or -1: no
    memory, or the task would not fit a record any more.                    */
static int
s_add_value (head_state_t *self, head_task_t *task, tid_t id, const uint8_t *data,
             uint32_t size)
{
    if (size > VALUE_SIZE_MAX)
        return -1;
    uint32_t step = ATTACHMENT_HEADER + ((size + 7u) & ~7u);
    size_t total = (size_t) task->attachments_size + step;
    if (total + task->body_size > UINT32_MAX - 2 * RECORD_HEADER)
        return -1;
    task_more_t *more = task->more;
    uint8_t *grown = realloc (more->attachments, total);
    if (!grown)
        return -1;
    if (!more->attachments)
        memcpy (grown, s_attachments (task), task->attachments_size);
    more->attachments = grown;
    uint8_t *place = grown + task->attachments_size;
    memset (place, 0, step);
    store_u64 (place, id.owner);
    store_u64 (place + 8, id.sequence);
    store_u32 (place + 16, size);
    memcpy (place + ATTACHMENT_HEADER, data, size);
    task->attachments_size += step;
    more->attachment_count++;
    task->lane->job->bytes += step;
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
    head_task_fail (self, task, fault.code, fault.text);
}

/*  Registers the next waiter of a task; its value may be here already, or
    may never come. False if the task has failed and is gone.               */
static bool
s_expect (head_state_t *self, head_task_t *task, await_waiter_t *waiter)
{
    await_value_t *early;
    int rc = await_expect (&self->await, waiter, &early);
    if (rc < 0) {
        head_task_fail (self, task, TROUPE_ENOMEM, s_no_memory);
        return false;
    }
    if (rc && head_peer (self, waiter->id.owner))
        head_act (self, HEAD_AGAIN, waiter->id.owner)->id = waiter->id;
    if (!early && head_peer (self, waiter->id.owner))
        return true;
    if (!early)
        head_task_fail (self, task, TROUPE_ELOST, s_orphaned);
    else if (early->code)
        s_fail_argument (self, task, early->code, early->data, early->size);
    else if (s_add_value (self, task, waiter->id, early->data, early->size))
        head_task_fail (self, task, TROUPE_ENOMEM, s_oversize);
    else {
        task->more->unresolved--;
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
    task_more_t *more = task->more;
    more->waiters = calloc (pending, sizeof *more->waiters);
    if (!more->waiters) {
        head_task_fail (self, task, TROUPE_ENOMEM, s_no_memory);
        return false;
    }
    const uint8_t *place = s_attachments (task);
    for (uint32_t left = more->attachment_count; left; left--) {
        attachment_t attachment = attachment_next (&place);
        if (!attachment.pending)
            continue;
        await_waiter_t *waiter = &more->waiters [more->waiter_count++];
        waiter->id = attachment.id;
        waiter->subject = task;
        more->unresolved++;
    }
    for (uint32_t index = 0; index < pending; index++)
        if (!s_expect (self, task, &more->waiters [index]))
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

/*  --- submitting -------------------------------------------------------  */

/*  A TASK taken apart.                                                     */
typedef struct {
    const record_t *record;
    const uint8_t *body;
    uint32_t body_size;
    head_peer_t *owner;
    job_t *job;
    function_t *function;
    demand_t *demand; /*  NULL: one cpu                           */
    head_task_t *parent;
} submission_t;

/*  A program's workers tell which functions they offer; before the first of
    them has joined, any may be meant.                                      */
static function_t *
s_named (head_state_t *self, const job_t *job, const char *name, size_t length)
{
    program_t *program = job->program;
    function_t *function = name_table_get (&program->names, name, length);
    bool known = function && (function->offered || !job->workers);
    if (known || job->embedded || job->workers)
        return known ? function : NULL;
    uint32_t number = head_function (self, program->number, name, length);
    return number ? self->functions [number - 1] : NULL;
}

/*  The function that a TASK names, and its body without the name.          */
static int
s_read_function (head_state_t *self, submission_t *submission)
{
    const record_t *record = submission->record;
    uint32_t number = record->number;
    if (record->flags & RECORD_BY_NAME) {
        uint32_t prefix = (record->extra + 7u) & ~7u;
        if (prefix > record->body_size) {
            head_act_fault (self, record->id, TROUPE_EPROTOCOL,
                            "malformed task: its name exceeds it");
            return -1;
        }
        submission->body += prefix;
        submission->body_size -= prefix;
        const char *name = (const char *) record->body;
        submission->function = s_named (self, submission->job, name, record->extra);
        if (!submission->function)
            head_act_fault (self, record->id, TROUPE_ENAME,
                            "unknown task '%.*s': no worker offers it", (int) record->extra,
                            name);
        return submission->function ? 0 : -1;
    }
    submission->function
        = number && number <= self->function_count ? self->functions [number - 1] : NULL;
    if (submission->function && submission->function->program == submission->job->program)
        return 0;
    head_act_fault (self, record->id, TROUPE_ENAME, "unknown task number %u", number);
    return -1;
}

/*  The options, and the body without them.                                 */
static int
s_read_options (head_state_t *self, submission_t *submission)
{
    options_t options;
    if (!(submission->record->flags & RECORD_OPTIONS))
        return 0;
    size_t size = options_read (submission->body, submission->body_size, &options);
    if (!size) {
        head_act_fault (self, submission->record->id, TROUPE_EPROTOCOL, "%s: malformed options",
                        submission->function->name);
        return -1;
    }
    submission->body += size;
    submission->body_size -= (uint32_t) size;
    submission->demand = head_demand (self, &options, self->one_cpu);
    if (submission->demand)
        return 0;
    head_act_fault (self, submission->record->id, TROUPE_ENOMEM,
                    "%s: too many kinds of resources, or no memory",
                    submission->function->name);
    return -1;
}

static int
s_check_limits (head_state_t *self, const submission_t *submission)
{
    const job_t *job = submission->job;
    const head_settings_t *settings = &self->settings;
    size_t bytes = (size_t) submission->body_size + submission->record->attachments_size;
    const char *name = submission->function->name;
    if (settings->job_tasks && job->tasks >= settings->job_tasks)
        head_act_fault (self, submission->record->id, TROUPE_ELIMIT,
                        "%s: the job has %zu tasks that are not done, and that is the limit",
                        name, job->tasks);
    else if (settings->job_bytes && job->bytes + bytes > settings->job_bytes)
        head_act_fault (
            self, submission->record->id, TROUPE_ELIMIT,
            "%s: the job's waiting tasks would take more than the limit of %zu bytes", name,
            settings->job_bytes);
    else
        return 0;
    return -1;
}

/*  The task that its owner runs and that has submitted this one.           */
static head_task_t *
s_parent (const submission_t *submission)
{
    uint32_t part = (uint32_t) (submission->record->target >> 8) & 0xffffff;
    const head_peer_t *owner = submission->owner;
    if (!part)
        return NULL;
    head_task_t *parent = head_leased (owner, part);
    return parent && (parent->lease & 0xffffff) == part ? parent : NULL;
}

static int
s_join_family (head_task_t *task, head_task_t *parent)
{
    if (!parent)
        return 0;
    task_more_t *more = s_more (task), *above = s_more (parent);
    if (!more || !above)
        return -1;
    more->parent = parent;
    list_append (&above->children, &more->sibling);
    return 0;
}

/*  The lane of a task; most often that of the job's last one.              */
static lane_t *
s_lane (head_state_t *self, const submission_t *submission)
{
    uint32_t depth = (uint32_t) (submission->record->target >> 32);
    demand_t *demand = submission->demand ? submission->demand : self->one_cpu;
    lane_t *lane = submission->job->recent;
    depth = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    if (lane && lane->function == submission->function && lane->depth == depth
        && lane->demand == demand)
        return lane;
    return head_lane (self, submission->job, submission->function, depth, demand);
}

/*  A task with its lane, in the table; NULL if there is no memory.         */
static head_task_t *
s_enter (head_state_t *self, int64_t now, const submission_t *submission)
{
    lane_t *lane = s_lane (self, submission);
    if (!lane)
        return NULL;
    lane->references++;
    head_task_t *task
        = s_task_new (now, submission->record, submission->body, submission->body_size);
    if (!task || s_join_family (task, submission->parent)
        || id_table_put (&self->tasks, task->id, task)) {
        if (task)
            s_free_more (self, task);
        free (task);
        head_lane_release (self, lane);
        return NULL;
    }
    task->lane = lane;
    size_t bytes = head_task_size (task);
    self->task_bytes += bytes;
    lane->job->bytes += bytes;
    lane->job->tasks++;
    self->parked++;
    return task;
}

void
head_submit (head_state_t *self, int64_t now, const record_t *record)
{
    submission_t submission = { .record = record,
                                .body = record->body,
                                .body_size = record->body_size,
                                .owner = head_peer (self, record->id.owner) };
    if (!submission.owner || id_table_get (&self->tasks, record->id))
        return;
    if (!submission.owner->job) {
        head_act_fault (self, record->id, TROUPE_ESTOPPED, "its job has ended");
        return;
    }
    submission.owner->submitted = true;
    submission.job = submission.owner->job;
    if (s_read_function (self, &submission) || s_read_options (self, &submission))
        return;
    submission.parent = s_parent (&submission);
    head_task_t *task = NULL;
    if (s_check_limits (self, &submission) == 0) {
        task = s_enter (self, now, &submission);
        if (!task)
            head_act_fault (self, record->id, TROUPE_ENOMEM, "%s: %s",
                            submission.function->name, s_no_memory);
    }
    if (submission.demand)
        head_demand_release (self, &submission.demand);
    if (!task)
        return;
    uint32_t pending = record->attachments ? s_count_pending (record) : 0;
    if (pending && (!s_park (self, task, pending) || task->more->unresolved))
        return;
    self->parked--;
    if (task->more && task->more->attachment_count)
        head_prefer_holder (self, task, s_attachments (task), task->more->attachment_count);
    head_make_ready (self, task, false);
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
        head_task_fail (self, task, TROUPE_ENOMEM, s_oversize);
        return;
    }
    if (--task->more->unresolved)
        return;
    s_forget_waiters (self, task);
    self->parked--;
    if (task->more && task->more->attachment_count)
        head_prefer_holder (self, task, s_attachments (task), task->more->attachment_count);
    head_make_ready (self, task, false);
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
head_lease (head_state_t *self, int64_t now, head_task_t *task, head_peer_t *peer,
            bundle_t *bundle)
{
    const lane_t *lane = task->lane;
    if ((bundle && !s_more (task))
        || (peer->outstanding == peer->lease_capacity && head_grow_leases (peer))) {
        head_task_fail (self, task, TROUPE_ENOMEM, s_no_memory);
        return;
    }
    head_leave_lane (self, task);
    if (peer->outstanding == 0)
        peer->progress = now;
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
    else if (load >= peer->slots * (lane->function->prefetch + 1))
        peer->refill = load / 4 < peer->slots ? peer->slots - 1 : load / 4;
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
                          .attachment = s_attachments (task),
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
    head_place_again (self, peer);
    if (task->cancelled) {
        task->state = TASK_PARKED;
        self->parked++;
        head_task_destroy (self, task);
        return;
    }
    head_make_ready (self, task, true);
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
    for (unsigned slot = 0; slot < peer->lease_capacity; slot++)
        if (peer->leases [slot])
            tasks [count++] = peer->leases [slot];
    while (!list_empty (&peer->answered)) {
        head_task_t *task = container_of (list_pop (&peer->answered), head_task_t, node);
        self->answered--;
        s_use_retry (task);
        head_make_ready (self, task, true);
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
s_collect (head_state_t *self, process_t owner, const job_t *job, list_t *list)
{
    list_init (list);
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));) {
        if (task->state == TASK_LEASED || (owner && task->id.owner != owner)
            || (job && task->lane->job != job))
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
        head_task_fail (self, waiter->subject, TROUPE_ELOST, s_orphaned);
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
    s_collect (self, owner->process, NULL, &owned);
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
    s_collect (self, 0, job, &lost);
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
    if (!task)
        return;
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
    task_more_t *more = s_more (task);
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

static bool
s_has_idle_worker (const job_t *job)
{
    const list_t *idle = &job->levels [0];
    return !list_empty (idle)
           && container_of (idle->next, head_peer_t, node)->on->free [CPUS] >= RESOURCE_UNIT;
}

/*  True if some worker is idle while others hold more than they can run.   */
bool
head_recall_wanted (head_state_t *self)
{
    for (list_node_t *at = self->loading.next; at != &self->loading; at = at->next)
        if (s_has_idle_worker (container_of (at, job_t, loading)))
            return true;
    return false;
}

static void
s_recall_in_pool (head_state_t *self, int64_t now, pool_t *pool)
{
    for (list_node_t *at = pool->workers.next; at != &pool->workers; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_pool);
        unsigned running = peer->slots + peer->blocked;
        if (peer->recalled || peer->outstanding <= running
            || now - peer->progress < STUCK_AFTER)
            continue;
        peer->recalled = peer->outstanding - running;
        head_act (self, HEAD_RECALL, peer->process)->number = peer->recalled;
    }
}

void
head_recall_stuck (head_state_t *self, int64_t now)
{
    for (list_node_t *at = self->loading.next; at != &self->loading; at = at->next) {
        job_t *job = container_of (at, job_t, loading);
        if (!s_has_idle_worker (job))
            continue;
        for (list_node_t *on = job->pools.next; on != &job->pools; on = on->next)
            s_recall_in_pool (self, now, container_of (on, pool_t, of_job));
    }
}

void
head_abandon (head_state_t *self, const char *cause)
{
    list_t waiting;
    s_collect (self, 0, NULL, &waiting);
    while (!list_empty (&waiting))
        head_task_fail (self, container_of (waiting.next, head_task_t, node), TROUPE_ELOST,
                        cause);
    size_t cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        head_fail_homeless (self, job, TROUPE_ELOST, cause);
}
