/*  head_report.c - fills the structs of head_report.h                      */

#include "head/head_report.h"
#include "head/head_private.h"

/*  Adds what a node has to the reports, which are by resource.             */
static void
s_add_node (const head_state_t *self, const head_node_t *node, head_resource_report_t *reports,
            size_t limit)
{
    for (size_t index = 0; index < node->count && index < limit; index++) {
        reports [index].name = self->resources [index];
        reports [index].total += node->total [index];
        reports [index].used += node->total [index] - node->free [index];
    }
}

/*  Leaves out what there is none of. Returns how many are left.            */
static size_t
s_compact (head_resource_report_t *reports, size_t count)
{
    size_t kept = 0;
    for (size_t index = 0; index < count; index++)
        if (reports [index].name && (reports [index].total || reports [index].used))
            reports [kept++] = reports [index];
    return kept;
}

bool
head_next_node (head_state_t *self, size_t *cursor, head_node_report_t *report)
{
    const head_node_t *node = id_table_next (&self->nodes, cursor);
    if (!node)
        return false;
    const head_peer_t *agent = head_peer (self, node->process);
    *report = (head_node_report_t){ .process = node->process,
                                    .name = node->name,
                                    .state = node->suspect                    ? "suspect"
                                             : node->draining || self->ending ? "draining"
                                                                              : "alive",
                                    .heard = agent ? agent->heard : self->now,
                                    .workers = node->worker_count,
                                    .starting = node->starting };
    for (const list_node_t *at = node->workers.next; at != &node->workers; at = at->next) {
        const head_peer_t *peer = container_of (at, head_peer_t, of_node);
        report->actors += peer->actors;
        report->leases += peer->outstanding;
    }
    s_add_node (self, node, report->resources, REPORT_RESOURCES_MAX);
    report->count = s_compact (report->resources, REPORT_RESOURCES_MAX);
    return true;
}

size_t
head_resources (head_state_t *self, head_resource_report_t *reports, size_t count)
{
    size_t cursor = 0;
    for (size_t index = 0; index < count; index++)
        reports [index] = (head_resource_report_t){ 0 };
    for (const head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        s_add_node (self, node, reports, count);
    return s_compact (reports, count);
}

bool
head_next_worker (head_state_t *self, size_t *cursor, head_worker_report_t *report)
{
    const head_peer_t *peer;
    do {
        peer = id_table_next (&self->peers, cursor);
    } while (peer && peer->role != ROLE_WORKER);
    if (!peer)
        return false;
    *report = (head_worker_report_t){ .process = peer->process,
                                      .node = peer->on->process,
                                      .label = peer->label,
                                      .state = peer->suspect       ? "suspect"
                                               : peer->stopping    ? "stopping"
                                               : !peer->job        ? "warm"
                                               : peer->outstanding ? "busy"
                                                                   : "idle",
                                      .program = peer->program->number,
                                      .job = peer->job ? peer->job->number : 0,
                                      .leases = peer->outstanding,
                                      .blocked = peer->blocked,
                                      .actors = peer->actors };
    return true;
}

bool
head_next_actor (head_state_t *self, size_t *cursor, head_actor_report_t *report)
{
    const head_actor_t *actor = id_table_next (&self->actors, cursor);
    if (!actor)
        return false;
    const head_peer_t *worker = head_peer (self, actor->worker);
    *report = (head_actor_report_t){ .id = actor->id,
                                     .class_name = actor->class_name,
                                     .name = actor->name,
                                     .space = actor->job->space,
                                     .state = actor->number   ? "alive"
                                              : actor->worker ? "starting"
                                                              : "waiting",
                                     .worker = actor->worker,
                                     .node = worker ? worker->on->process : 0,
                                     .job = actor->job->number,
                                     .program = actor->job->program->number,
                                     .detached = actor->detached };
    return true;
}

static size_t
s_ready (const head_state_t *self, const function_t *function)
{
    size_t ready = 0, jobs = 0;
    for (const job_t *job; (job = id_table_next (&self->jobs, &jobs));) {
        size_t lanes = 0;
        for (const lane_t *lane; (lane = id_table_next (&job->lane_table, &lanes));)
            ready += lane->function == function ? lane->ready : 0;
    }
    return ready;
}

bool
head_next_function (head_state_t *self, size_t *cursor, head_function_report_t *report)
{
    if (*cursor >= self->function_count)
        return false;
    const function_t *function = self->functions [(*cursor)++];
    *report = (head_function_report_t){ .number = function->number,
                                        .name = function->name,
                                        .program = function->program->number,
                                        .service = function->service,
                                        .ready = s_ready (self, function) };
    return true;
}

bool
head_next_job (head_state_t *self, size_t *cursor, head_job_report_t *report)
{
    const job_t *job = id_table_next (&self->jobs, cursor);
    if (!job)
        return false;
    *report = (head_job_report_t){ .number = job->number,
                                   .driver = job->driver,
                                   .label = job->label,
                                   .program = job->program->number,
                                   .space = job->space,
                                   .priority = job->priority,
                                   .share = job->share,
                                   .since = job->since,
                                   .tasks = job->tasks,
                                   .bytes = job->bytes,
                                   .workers = job->workers,
                                   .actors = job->actors,
                                   .cpus = job->cpus };
    return true;
}

static bool
s_report_task (const head_task_t *task, head_task_report_t *report)
{
    static const char *const states [] = { [TASK_PARKED] = "waiting",
                                           [TASK_READY] = "ready",
                                           [TASK_LEASED] = "running",
                                           [TASK_ANSWERED] = "answered" };
    if (!task)
        return false;
    *report = (head_task_report_t){ .id = task->id,
                                    .function = task->lane->function->name,
                                    .state = states [task->state],
                                    .job = task->lane->job->number,
                                    .depth = task->lane->depth,
                                    .worker = task->worker ? task->worker->process : 0,
                                    .node = task->worker ? task->worker->on->process : 0,
                                    .retries = task->retries };
    return true;
}

bool
head_next_task (head_state_t *self, size_t *cursor, head_task_report_t *report)
{
    return s_report_task (id_table_next (&self->tasks, cursor), report);
}

bool
head_task (head_state_t *self, tid_t id, head_task_report_t *report)
{
    return s_report_task (id_table_get (&self->tasks, id), report);
}

bool
head_task_numbered (head_state_t *self, uint32_t owner, uint64_t sequence,
                    head_task_report_t *report)
{
    return head_task (self, (tid_t){ (uint64_t) self->epoch << 32 | owner, sequence }, report);
}
