/*  head_submit.c - the head's state: tasks that are submitted, and what they
    wait for                                                                 */

#include "head/head_private.h"

#include "wire/network.h"

#include <stdio.h>
#include <stdlib.h>

/*  Levels of nesting that are told apart.                                  */
#define DEPTH_MAX 1023

static const char s_oversize [] = "its arguments are too large for the head";

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
    task_more_t *more = head_task_more (task);
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

/*  --- values that it waits for ------------------------------------------  */

/*  Room for attachments grows twofold, so that those that come one by one are
    not copied each time.                                                   */
static size_t
s_room (size_t size)
{
    size_t room = 64;
    while (room < size)
        room *= 2;
    return room;
}

/*  Returns 0, or -1: no memory.                                            */
static int
s_grow_attachments (head_task_t *task, size_t total)
{
    task_more_t *more = task->more;
    if (more->attachments && s_room (total) == s_room (task->attachments_size))
        return 0;
    uint8_t *grown = realloc (more->attachments, s_room (total));
    if (!grown)
        return -1;
    if (!more->attachments)
        memcpy (grown, head_task_attachments (task), task->attachments_size);
    more->attachments = grown;
    return 0;
}

/*  All have come.                                                          */
static void
s_trim_attachments (head_task_t *task)
{
    uint8_t *trimmed = realloc (task->more->attachments, task->attachments_size);
    if (trimmed)
        task->more->attachments = trimmed;
}

/*  Gives a parked task a value that it waited for. Returns 0, or -1: no
    memory, or the task would not fit a record any more.                    */
static int
s_add_value (head_state_t *self, head_task_t *task, tid_t id, const uint8_t *data,
             uint32_t size)
{
    if (size > VALUE_SIZE_MAX || task->more->attachment_count >= ATTACHMENTS_MAX)
        return -1;
    uint32_t step = ATTACHMENT_HEADER + ((size + 7u) & ~7u);
    size_t total = (size_t) task->attachments_size + step;
    if (total + task->body_size > network_record_max (!task->lane->job->embedded))
        return -1;
    task_more_t *more = task->more;
    if (s_grow_attachments (task, total))
        return -1;
    uint8_t *place = more->attachments + task->attachments_size;
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
        head_task_fail (self, task, TROUPE_ENOMEM, head_no_memory);
        return false;
    }
    if (rc && head_peer (self, waiter->id.owner))
        head_act (self, HEAD_AGAIN, waiter->id.owner)->id = waiter->id;
    if (!early && head_peer (self, waiter->id.owner))
        return true;
    if (!early)
        head_task_fail (self, task, TROUPE_ELOST, head_orphaned);
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
        head_task_fail (self, task, TROUPE_ENOMEM, head_no_memory);
        return false;
    }
    const uint8_t *place = head_task_attachments (task);
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
    if (self->ending && !head_may_begin (self, submission->owner->process))
        head_act_fault (self, submission->record->id, TROUPE_ESTOPPED, "%s: %s", name,
                        head_is_ending);
    else if (settings->job_tasks && job->tasks >= settings->job_tasks)
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
    task_more_t *more = head_task_more (task), *above = head_task_more (parent);
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
            head_task_free_more (self, task);
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
    if (submission.parent && submission.parent->cancelled)
        head_act_fault (self, record->id, TROUPE_ECANCELLED,
                        "%s: the task that submitted it was cancelled",
                        submission.function->name);
    else if (s_check_limits (self, &submission) == 0) {
        task = s_enter (self, now, &submission);
        if (!task)
            head_act_fault (self, record->id, TROUPE_ENOMEM, "%s: %s",
                            submission.function->name, head_no_memory);
    }
    if (submission.demand)
        head_demand_release (self, &submission.demand);
    if (!task)
        return;
    uint32_t pending = record->attachments ? s_count_pending (record) : 0;
    if (pending && (!s_park (self, task, pending) || task->more->unresolved))
        return;
    if (pending)
        s_trim_attachments (task);
    self->parked--;
    if (task->more)
        head_prefer_holder (self, task);
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
    s_trim_attachments (task);
    head_task_forget_waiters (self, task);
    self->parked--;
    head_prefer_holder (self, task);
    head_make_ready (self, task, false);
}
