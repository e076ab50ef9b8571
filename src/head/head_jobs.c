/*  head_jobs.c - the head's state: programs, their functions, and jobs     */

#include "head/head_private.h"

#include <stdlib.h>

/*  --- programs ---------------------------------------------------------  */

program_t *
head_program_numbered (const head_state_t *self, uint32_t number)
{
    return number < self->program_count ? self->programs [number] : NULL;
}

uint32_t
head_program (head_state_t *self, const uint8_t *hash)
{
    program_t *program
        = name_table_get (&self->program_hashes, (const char *) hash, PROGRAM_HASH_SIZE);
    if (program)
        return program->number;
    program_t **grown = realloc (self->programs, (self->program_count + 1) * sizeof *grown);
    if (!grown)
        return 0;
    self->programs = grown;
    program = calloc (1, sizeof *program);
    if (!program)
        return 0;
    program->number = (uint32_t) self->program_count;
    memcpy (program->hash, hash, PROGRAM_HASH_SIZE);
    if (name_table_put (&self->program_hashes, (const char *) hash, PROGRAM_HASH_SIZE,
                        program)) {
        free (program);
        return 0;
    }
    self->programs [self->program_count++] = program;
    return program->number;
}

const uint8_t *
head_program_hash (const head_state_t *self, uint32_t number)
{
    const program_t *program = number ? head_program_numbered (self, number) : NULL;
    return program ? program->hash : NULL;
}

const char *
head_program_name (const head_state_t *self, uint32_t number)
{
    const program_t *program = number ? head_program_numbered (self, number) : NULL;
    return program && program->name ? program->name : "";
}

/*  Drivers are labelled "wordfreq (pid 4711)".                             */
static void
s_name_program (program_t *program, const char *label)
{
    const char *end = strstr (label, " (pid ");
    char *name = bytes_text (label, end ? (size_t) (end - label) : strlen (label));
    if (!name)
        return;
    free (program->name);
    program->name = name;
}

static void
s_function_free (function_t *function)
{
    free (function->name);
    free (function);
}

static function_t *
s_function_new (head_state_t *self, program_t *program, const char *name, size_t length)
{
    function_t **functions
        = realloc (self->functions, (self->function_count + 1) * sizeof *functions);
    if (!functions)
        return NULL;
    self->functions = functions;
    function_t *function = calloc (1, sizeof *function);
    if (!function)
        return NULL;
    function->name = bytes_text (name, length);
    function->number = (uint32_t) self->function_count + 1;
    function->program = program;
    function->service = -1;
    if (!function->name || name_table_put (&program->names, name, length, function)) {
        s_function_free (function);
        return NULL;
    }
    self->functions [self->function_count++] = function;
    return function;
}

uint32_t
head_function (head_state_t *self, uint32_t number, const char *name, size_t length)
{
    program_t *program = head_program_numbered (self, number);
    if (!program)
        return 0;
    function_t *function = name_table_get (&program->names, name, length);
    if (!function && program->names.count < FUNCTIONS_MAX)
        function = s_function_new (self, program, name, length);
    return function ? function->number : 0;
}

const char *
head_function_name (head_state_t *self, uint32_t function)
{
    return function && function <= self->function_count ? self->functions [function - 1]->name
                                                        : "unknown";
}

void
head_programs_release (head_state_t *self)
{
    for (size_t index = 0; index < self->function_count; index++)
        s_function_free (self->functions [index]);
    for (size_t index = 0; index < self->program_count; index++) {
        name_table_release (&self->programs [index]->names);
        free (self->programs [index]->name);
        free (self->programs [index]);
    }
    free (self->functions);
    free (self->programs);
    name_table_release (&self->program_hashes);
}

/*  --- jobs -------------------------------------------------------------  */

job_t *
head_job_numbered (const head_state_t *self, uint32_t number)
{
    return id_table_get (&self->jobs, head_key (number));
}

job_t *
head_job_new (head_state_t *self, program_t *program, const char *label, const char *space)
{
    job_t *job = calloc (1, sizeof *job);
    if (!job)
        return NULL;
    job->number = self->job_numbers;
    job->program = program;
    job->share = 1;
    job->since = self->now;
    job->lowest = LEVELS;
    list_init (&job->stalled);
    list_init (&job->homeless);
    list_init (&job->pools);
    list_init (&job->ahead);
    for (size_t level = 0; level < LEVELS; level++)
        list_init (&job->levels [level]);
    job->label = strdup (label);
    job->space = strdup (space);
    if (!job->label || !job->space || id_table_put (&self->jobs, head_key (job->number), job)) {
        free (job->label);
        free (job->space);
        free (job);
        return NULL;
    }
    self->job_numbers++;
    return job;
}

void
head_job_free (head_state_t *self, job_t *job)
{
    size_t cursor = 0;
    for (lane_t *lane; (lane = id_table_next (&job->lane_table, &cursor));)
        head_lane_free (self, lane);
    while (!list_empty (&job->pools))
        head_pool_free (self, container_of (job->pools.next, pool_t, of_job));
    heap_remove (&self->turns, &job->turn);
    list_remove (&job->woken);
    list_remove (&job->wanting);
    list_remove (&job->loading);
    list_remove (&job->over);
    list_remove (&job->unstartable);
    id_table_release (&job->lane_table);
    heap_release (&job->lanes);
    heap_release (&job->homes);
    free (job->label);
    free (job->space);
    free (job);
}

uint32_t
head_job (head_state_t *self, process_t driver, uint32_t number, const char *space,
          int priority, unsigned share, bool own_workers)
{
    head_peer_t *peer = head_peer (self, driver);
    program_t *program = head_program_numbered (self, number);
    if (!peer || peer->role == ROLE_WORKER || peer->job != self->embedded || peer->submitted
        || !program || !number || strlen (space) > NAMESPACE_MAX)
        return 0;
    job_t *job = head_job_new (self, program, peer->label, space);
    if (!job)
        return 0;
    job->driver = driver;
    job->priority = priority < -PRIORITY_MAX  ? -PRIORITY_MAX
                    : priority > PRIORITY_MAX ? PRIORITY_MAX
                                              : priority;
    job->share = share ? share : 1;
    job->own_workers = own_workers;
    peer->job = job;
    peer->program = program;
    s_name_program (program, peer->label);
    return job->number;
}

uint32_t
head_job_of (const head_state_t *self, process_t process)
{
    const head_peer_t *peer = head_peer (self, process);
    return peer && peer->job ? peer->job->number : 0;
}

process_t
head_driver_of (const head_state_t *self, uint32_t number)
{
    const job_t *job = head_job_numbered (self, number);
    return job ? job->driver : 0;
}

uint32_t
head_program_of (const head_state_t *self, process_t process)
{
    const head_peer_t *peer = head_peer (self, process);
    return peer && peer->program ? peer->program->number : 0;
}

int64_t
head_job_rank (const job_t *job)
{
    int64_t usage = job->cpus + (int64_t) job->free_riders * RESOURCE_UNIT;
    return -(int64_t) job->priority * (INT64_C (1) << 47) + usage / (int64_t) job->share;
}

void
head_job_turn (head_state_t *self, job_t *job)
{
    if (!job->lanes.count) {
        heap_remove (&self->turns, &job->turn);
        return;
    }
    int64_t rank = head_job_rank (job);
    if (job->turn.place && job->turn.due == rank)
        return;
    job->turn.due = rank;
    if (heap_update (&self->turns, &job->turn))
        self->failed = true;
}

static bool
s_is_over (const job_t *job)
{
    return job->ended && !job->workers && !job->starting && !job->actors && !job->tasks;
}

void
head_job_check (head_state_t *self, job_t *job)
{
    if (s_is_over (job) && !list_linked (&job->over))
        list_append (&self->over, &job->over);
}

/*  Only here, where nobody is in the middle of something with them.        */
void
head_free_jobs (head_state_t *self)
{
    for (list_node_t *at; (at = list_pop (&self->over));) {
        job_t *job = container_of (at, job_t, over);
        if (!s_is_over (job))
            continue;
        id_table_remove (&self->jobs, head_key (job->number));
        head_act (self, HEAD_JOB_ENDED, 0)->job = job->number;
        head_job_free (self, job);
    }
}

/*  Those with actors that survive the job stay; those without work are kept
    warm; the others must end with what they run.                           */
static void
s_leave_workers (head_state_t *self, job_t *job)
{
    for (list_node_t *at = job->pools.next; at != &job->pools; at = at->next) {
        pool_t *pool = container_of (at, pool_t, of_job);
        for (list_node_t *on = pool->workers.next, *next; on != &pool->workers; on = next) {
            head_peer_t *peer = container_of (on, head_peer_t, of_pool);
            next = on->next;
            if (peer->actors)
                continue;
            if (peer->outstanding || peer->submitted || job->own_workers)
                head_stop_worker (self, peer, peer->outstanding != 0);
            else
                head_unbind (self, peer);
        }
    }
}

void
head_job_ended (head_state_t *self, job_t *job)
{
    job->driver = 0;
    job->ended = true;
    head_lose_job_tasks (self, job);
    head_end_actors (self, job, NULL);
    s_leave_workers (self, job);
    head_job_check (self, job);
}
