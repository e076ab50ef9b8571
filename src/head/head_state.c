/*  head_state.c - the head's state: processes, functions, liveness         */

#include "head/head_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*  The embedded cluster's job and program are there from the beginning.    */
static int
s_init (head_state_t *self)
{
    static const uint8_t no_hash [PROGRAM_HASH_SIZE];
    if (head_resources_init (self))
        return -1;
    head_program (self, no_hash);
    if (self->program_count == 0)
        return -1;
    self->embedded = head_job_new (self, self->programs [0], "", "");
    if (!self->embedded)
        return -1;
    self->embedded->embedded = true;
    return 0;
}

head_state_t *
head_state_new (uint32_t epoch)
{
    head_state_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->epoch = epoch;
    self->rooms = self->shapes = 1;
    list_t *const lists []
        = { &self->woken, &self->wanting, &self->loading, &self->over,
            &self->stale, &self->freed,   &self->blocked, &self->pending_groups,
            &self->idle,  &self->keeps,   &self->unkept,  &self->unkept_bundles,
            &self->unstartable, &self->recent_copies };
    for (size_t index = 0; index < sizeof lists / sizeof lists [0]; index++)
        list_init (lists [index]);
    for (size_t bucket = 0; bucket < BUCKETS; bucket++)
        list_init (&self->buckets [bucket]);
    head_configure (self, &(head_settings_t){ 0 });
    if (s_init (self))
        head_state_destroy (&self);
    return self;
}

void
head_configure (head_state_t *self, const head_settings_t *settings)
{
    head_settings_t *own = &self->settings;
    *own = *settings;
    own->suspect_after = own->suspect_after ? own->suspect_after : SUSPECT_AFTER;
    own->dead_after = own->dead_after ? own->dead_after : DEAD_AFTER;
    own->idle_after = own->idle_after ? own->idle_after : IDLE_AFTER;
    own->grace = own->grace ? own->grace : GRACE;
}

void
head_set_liveness (head_state_t *self, int64_t suspect_after, int64_t dead_after)
{
    self->settings.suspect_after = suspect_after ? suspect_after : SUSPECT_AFTER;
    self->settings.dead_after = dead_after ? dead_after : DEAD_AFTER;
}

static void
s_peer_destroy (head_peer_t *peer)
{
    free (peer->label);
    free (peer->offers);
    free (peer->leases);
    free (peer->free_slots);
    free (peer);
}

/*  What is freed last is named by what is freed first.                     */
static void
s_free_all (head_state_t *self)
{
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));)
        head_task_free (self, task);
    cursor = 0;
    for (head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        head_actor_free (self, actor);
    cursor = 0;
    for (group_t *group; (group = id_table_next (&self->groups, &cursor));)
        head_group_free (self, group);
    cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        s_peer_destroy (peer);
    cursor = 0;
    for (job_t *job; (job = id_table_next (&self->jobs, &cursor));)
        head_job_free (self, job);
    cursor = 0;
    for (head_node_t *node; (node = id_table_next (&self->nodes, &cursor));)
        head_node_free (self, node);
}

void
head_state_destroy (head_state_t **self_p)
{
    head_state_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    s_free_all (self);
    head_programs_release (self);
    head_resources_release (self);
    head_copies_release (self);
    head_actions_clear (self);
    free (self->actions);
    id_table_t *const tables [] = { &self->peers, &self->tasks, &self->actors, &self->jobs,
                                    &self->nodes, &self->pools, &self->groups };
    for (size_t index = 0; index < sizeof tables / sizeof tables [0]; index++)
        id_table_release (tables [index]);
    name_table_release (&self->names);
    name_table_release (&self->node_names);
    heap_release (&self->turns);
    await_release (&self->await);
    free (self);
}

const head_action_t *
head_actions (head_state_t *self, size_t *count)
{
    *count = self->action_count;
    return self->actions;
}

bool
head_failed (head_state_t *self)
{
    return self->failed;
}

void
head_actions_clear (head_state_t *self)
{
    for (size_t index = 0; index < self->action_count; index++)
        free (self->actions [index].text);
    self->action_count = 0;
}

head_action_t *
head_act (head_state_t *self, head_action_type_t type, process_t peer)
{
    static _Thread_local head_action_t dummy;
    if (self->action_count == self->action_capacity) {
        size_t capacity = self->action_capacity ? self->action_capacity * 2 : 64;
        head_action_t *actions = realloc (self->actions, capacity * sizeof *actions);
        if (!actions) {
            self->failed = true;
            dummy = (head_action_t){ 0 };
            return &dummy;
        }
        self->actions = actions;
        self->action_capacity = capacity;
    }
    /*  Field by field, which is faster than clearing the whole.            */
    head_action_t *action = &self->actions [self->action_count++];
    action->type = type;
    action->peer = peer;
    action->id.owner = action->id.sequence = 0;
    action->number = action->target = 0;
    action->program = action->job = 0;
    action->code = TROUPE_OK;
    action->text = NULL;
    action->task = NULL;
    action->actor = NULL;
    return action;
}

void
head_act_fault (head_state_t *self, tid_t id, troupe_error_t code, const char *format, ...)
{
    if (!head_peer (self, id.owner))
        return;
    char text [FAULT_TEXT_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    head_action_t *action = head_act (self, HEAD_FAULT, id.owner);
    action->id = id;
    action->code = code;
    free (action->text);
    action->text = strdup (text);
    if (!action->text)
        self->failed = true;
}

void
head_act_drop (head_state_t *self, process_t process, const char *text)
{
    head_action_t *action = head_act (self, HEAD_DROP, process);
    free (action->text);
    action->text = strdup (text);
    self->failed = self->failed || !action->text;
}

/*  --- processes --------------------------------------------------------  */

/*  Doubles the places for leases of a worker that has none left. The lowest
    are taken first.                                                        */
int
head_grow_leases (head_peer_t *peer)
{
    unsigned capacity = peer->lease_capacity ? peer->lease_capacity * 2 : LEASES_FIRST;
    head_task_t **leases = realloc (peer->leases, capacity * sizeof *leases);
    if (!leases)
        return -1;
    peer->leases = leases;
    uint16_t *slots = realloc (peer->free_slots, capacity * sizeof *slots);
    if (!slots)
        return -1;
    peer->free_slots = slots;
    for (unsigned slot = peer->lease_capacity; slot < capacity; slot++) {
        leases [slot] = NULL;
        slots [slot - peer->lease_capacity]
            = (uint16_t) (capacity - 1 - (slot - peer->lease_capacity));
    }
    peer->lease_capacity = capacity;
    return 0;
}

head_peer_t *
head_peer_new (head_state_t *self, role_t role, unsigned slots, const char *label)
{
    head_peer_t *peer = calloc (1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->process = (uint64_t) self->epoch << 32 | (self->joined + 1);
    peer->role = role;
    peer->slots = slots == 0 ? 1 : slots < LEASES_MAX ? slots : LEASES_MAX;
    list_init (&peer->answered);
    list_init (&peer->specials);
    peer->heard = peer->progress = self->now;
    peer->label = strdup (label);
    if (!peer->label || (role == ROLE_WORKER && head_grow_leases (peer))
        || id_table_put (&self->peers, head_key (peer->process), peer)) {
        s_peer_destroy (peer);
        return NULL;
    }
    self->joined++;
    return peer;
}

process_t
head_join (head_state_t *self, int64_t now, role_t role, unsigned slots, const char *label)
{
    self->now = now;
    if (role == ROLE_WORKER && !self->local) {
        self->local = head_node_new (self, 0, "");
        if (!self->local)
            return 0;
    }
    head_peer_t *peer = head_peer_new (self, role, slots, label);
    if (!peer)
        return 0;
    if (role != ROLE_WORKER) {
        peer->job = self->embedded;
        peer->program = self->embedded->program;
        return peer->process;
    }
    head_settle (self, peer, self->local);
    if (head_bind (self, peer, self->embedded))
        self->failed = true;
    head_house_actors (self, now, self->embedded);
    return peer->process;
}

int
head_offer (head_state_t *self, process_t process, uint32_t function)
{
    head_peer_t *peer = head_peer (self, process);
    if (!peer || !function || function > self->function_count)
        return -1;
    if (peer->role != ROLE_WORKER)
        return 0;
    if (function >= peer->offers_size) {
        size_t size = self->function_count + 1;
        uint8_t *offers = realloc (peer->offers, size);
        if (!offers)
            return -1;
        memset (offers + peer->offers_size, 0, size - peer->offers_size);
        peer->offers = offers;
        peer->offers_size = size;
    }
    self->functions [function - 1]->offered += !peer->offers [function];
    peer->offers [function] = 1;
    if (peer->job)
        head_wake_job (self, peer->job);
    if (!list_empty (&self->blocked))
        head_node_freed (self, peer->on);
    return 0;
}

void
head_heard (head_state_t *self, int64_t now, process_t process)
{
    head_peer_t *peer = head_peer (self, process);
    if (!peer)
        return;
    peer->heard = now;
    peer->closed = 0;
    if (!peer->suspect)
        return;
    peer->suspect = false;
    self->now = now;
    if (peer->role == ROLE_NODE && peer->on)
        head_node_suspect (self, peer->on, false);
    head_place (self, peer);
    if (peer->job)
        head_house_actors (self, now, peer->job);
}

void
head_closed (head_state_t *self, int64_t now, process_t process)
{
    head_peer_t *peer = head_peer (self, process);
    if (peer && !peer->closed)
        peer->closed = now;
}

/*  Values for parked tasks may have been lost with a worker: their owners
    have them.                                                              */
static void
s_ask_again (head_state_t *self)
{
    size_t cursor = 0, count;
    tid_t id;
    while ((count = await_next (&self->await, &cursor, &id)))
        while (count--)
            if (head_peer (self, id.owner))
                head_act (self, HEAD_AGAIN, id.owner)->id = id;
}

/*  What a process has, but for what it runs or holds as a worker.          */
static void
s_lose_owned (head_state_t *self, head_peer_t *peer, const char *cause)
{
    head_lose_owned_tasks (self, peer);
    head_lose_groups (self, peer->process);
    if (peer->role == ROLE_NODE && peer->on) {
        head_node_t *node = peer->on;
        peer->on = NULL;
        head_node_lost (self, node, cause);
    }
    if (peer->job && peer->job->driver == peer->process)
        head_job_ended (self, peer->job);
}

void
head_lost (head_state_t *self, int64_t now, process_t process, const char *cause,
           const uint32_t *ledger)
{
    head_peer_t *peer = id_table_remove (&self->peers, head_key (process));
    if (!peer)
        return;
    self->now = now;
    peer->suspect = true;
    head_place (self, peer);
    if (peer->role == ROLE_WORKER)
        head_lose_leases (self, peer, cause, ledger);
    head_lose_actors (self, peer, cause);
    s_lose_owned (self, peer, cause);
    if (peer->role == ROLE_WORKER) {
        head_unsettle (self, peer);
        s_ask_again (self);
    }
    s_peer_destroy (peer);
}

void
head_slots (head_state_t *self, process_t worker, unsigned blocked)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    peer->blocked = blocked < LEASES_MAX ? blocked : LEASES_MAX;
    peer->begun = 0;
    head_place (self, peer);
}

/*  A silent node is suspect with all its workers.                          */
static void
s_suspect (head_state_t *self, head_peer_t *peer)
{
    peer->suspect = true;
    if (peer->role == ROLE_NODE && peer->on)
        head_node_suspect (self, peer->on, true);
    head_place (self, peer);
}

/*  True if it is to be dropped, with the reason in text.                   */
static bool
s_has_died (const head_state_t *self, const head_peer_t *peer, int64_t now, char *text,
            size_t size)
{
    int64_t silence = now - peer->heard, alone = peer->closed ? now - peer->closed : 0;
    if (silence >= self->settings.dead_after)
        snprintf (text, size, "silent for %d s", (int) (silence / (1000 * CLOCK_MS)));
    else if (alone >= self->settings.suspect_after)
        snprintf (text, size, "its connection was closed and not made again within %d s",
                  (int) (alone / (1000 * CLOCK_MS)));
    else
        return false;
    return true;
}

/*  Finds the silent. If the head itself was stopped for a while, everybody
    seems silent: that while is forgiven.                                   */
static void
s_detect_failures (head_state_t *self, int64_t now, int64_t gap)
{
    size_t cursor = 0;
    char text [FAULT_TEXT_MAX];
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (gap > 2 * TICK)
            peer->heard = peer->heard + gap - TICK < now ? peer->heard + gap - TICK : now;
        if (gap > 2 * TICK && peer->closed)
            peer->closed = now;
        int64_t silence = now - peer->heard;
        if (s_has_died (self, peer, now, text, sizeof text)) {
            head_act_drop (self, peer->process, text);
            peer->heard = now;
            peer->closed = 0;
        }
        if (silence >= self->settings.suspect_after && !peer->suspect)
            s_suspect (self, peer);
    }
}

static void
s_tick (head_state_t *self, int64_t now)
{
    int64_t gap = self->ticked ? now - self->ticked : 0;
    if (gap < TICK && self->ticked)
        return;
    self->ticked = now;
    s_detect_failures (self, now, gap);
    head_fail_unfit (self, now);
    if (self->homeless)
        head_fail_unfit_actors (self, now);
    head_fail_groups (self, now);
    head_keep_places (self, now);
    head_stop_idle (self, now);
    head_tell_waits (self);
    head_finish_drains (self);
}

int64_t
head_due (head_state_t *self, int64_t now)
{
    int64_t due = self->ticked + TICK, recall = head_recall_due (self);
    if (recall < due)
        due = recall;
    if (self->retry && self->retry < due)
        due = self->retry;
    return due > now ? due : now;
}

head_counts_t
head_counts (const head_state_t *self)
{
    return (head_counts_t){ .tasks = self->tasks.count,
                            .ready = self->ready,
                            .parked = self->parked,
                            .leased = self->leased,
                            .answered = self->answered,
                            .peers = self->peers.count,
                            .workers = self->workers,
                            .actors = self->actors.count,
                            .task_bytes = self->task_bytes,
                            .nodes = self->nodes.count,
                            .jobs = self->jobs.count,
                            .groups = self->groups.count };
}

void
head_dispatch (head_state_t *self, int64_t now)
{
    self->now = now;
    if (!list_empty (&self->unkept) || !list_empty (&self->unkept_bundles))
        head_open_places (self);
    if (!list_empty (&self->pending_groups) && !list_empty (&self->freed))
        head_place_groups (self, now);
    if (self->embedded->homes.count && !list_empty (&self->embedded->homeless))
        head_house_actors (self, now, self->embedded);
    head_give_out (self, now);
    if (!list_empty (&self->wanting) || !list_empty (&self->unstartable) || self->retry)
        head_start_workers (self, now);
    if (!list_empty (&self->woken))
        head_give_out (self, now);
    while (list_pop (&self->freed)) {
        /*  Whoever can use them has seen them.                             */
    }
    if (!list_empty (&self->loading))
        head_recall_stuck (self, now);
    if (self->ending)
        head_finish_drains (self);
    s_tick (self, now);
    if (!list_empty (&self->over))
        head_free_jobs (self);
}
