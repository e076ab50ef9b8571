/*  head_state.c - the head's state: processes, functions, liveness         */

#include "head/head_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

head_state_t *
head_state_new (uint32_t epoch)
{
    head_state_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->epoch = epoch;
    list_init (&self->lanes);
    list_init (&self->homeless);
    for (size_t level = 0; level < LEVELS; level++)
        list_init (&self->levels [level]);
    self->lowest = LEVELS;
    return self;
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

static void
s_function_destroy (function_t *function)
{
    while (function->lanes) {
        lane_t *lane = function->lanes;
        function->lanes = lane->next;
        free (lane);
    }
    free (function->name);
    free (function);
}

void
head_state_destroy (head_state_t **self_p)
{
    head_state_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    size_t cursor = 0;
    for (head_task_t *task; (task = id_table_next (&self->tasks, &cursor));)
        head_task_free (self, task);
    cursor = 0;
    for (head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        head_actor_free (self, actor);
    cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        s_peer_destroy (peer);
    for (size_t index = 0; index < self->function_count; index++)
        s_function_destroy (self->functions [index]);
    head_actions_clear (self);
    free (self->actions);
    free (self->functions);
    id_table_release (&self->peers);
    id_table_release (&self->tasks);
    id_table_release (&self->actors);
    name_table_release (&self->names);
    name_table_release (&self->function_names);
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
    head_action_t *action = &self->actions [self->action_count++];
    *action = (head_action_t){ .type = type, .peer = peer };
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

uint32_t
head_function (head_state_t *self, const char *name, size_t length)
{
    function_t *function = name_table_get (&self->function_names, name, length);
    if (function)
        return function->number;
    function_t **functions
        = realloc (self->functions, (self->function_count + 1) * sizeof *functions);
    if (!functions)
        return 0;
    self->functions = functions;
    function = calloc (1, sizeof *function);
    if (!function)
        return 0;
    function->name = bytes_text (name, length);
    function->number = (uint32_t) self->function_count + 1;
    function->service = -1;
    if (!function->name || name_table_put (&self->function_names, name, length, function)) {
        s_function_destroy (function);
        return 0;
    }
    self->functions [self->function_count++] = function;
    return function->number;
}

const char *
head_function_name (head_state_t *self, uint32_t function)
{
    return function && function <= self->function_count ? self->functions [function - 1]->name
                                                        : "unknown";
}

/*  --- processes --------------------------------------------------------  */

static int
s_prepare_leases (head_peer_t *peer)
{
    peer->leases = calloc (LEASES_MAX, sizeof *peer->leases);
    peer->free_slots = calloc (LEASES_MAX, sizeof *peer->free_slots);
    if (!peer->leases || !peer->free_slots)
        return -1;
    for (unsigned slot = 0; slot < LEASES_MAX; slot++)
        peer->free_slots [slot] = (uint16_t) (LEASES_MAX - 1 - slot);
    return 0;
}

process_t
head_join (head_state_t *self, int64_t now, role_t role, unsigned slots, const char *label)
{
    head_peer_t *peer = calloc (1, sizeof *peer);
    if (!peer)
        return 0;
    peer->process = (uint64_t) self->epoch << 32 | (self->joined + 1);
    peer->role = role;
    peer->slots = slots == 0 ? 1 : slots < LEASES_MAX ? slots : LEASES_MAX;
    list_init (&peer->answered);
    peer->heard = peer->progress = now;
    peer->label = strdup (label);
    if (!peer->label || (role == ROLE_WORKER && s_prepare_leases (peer))
        || id_table_put (&self->peers, head_key (peer->process), peer)) {
        s_peer_destroy (peer);
        return 0;
    }
    self->joined++;
    head_place (self, peer);
    head_house_actors (self);
    return peer->process;
}

int
head_offer (head_state_t *self, process_t process, uint32_t function)
{
    head_peer_t *peer = head_peer (self, process);
    if (!peer || !function || function > self->function_count)
        return -1;
    if (function >= peer->offers_size) {
        size_t size = self->function_count + 1;
        uint8_t *offers = realloc (peer->offers, size);
        if (!offers)
            return -1;
        memset (offers + peer->offers_size, 0, size - peer->offers_size);
        peer->offers = offers;
        peer->offers_size = size;
    }
    peer->offers [function] = 1;
    return 0;
}

void
head_place (head_state_t *self, head_peer_t *peer)
{
    bool was = list_linked (&peer->node);
    list_remove (&peer->node);
    bool is = peer->role == ROLE_WORKER && !peer->suspect;
    if (is) {
        size_t level = head_load (peer) / peer->slots;
        list_append (&self->levels [level], &peer->node);
        if (level < self->lowest)
            self->lowest = level;
    }
    if (is != was)
        self->workers = is ? self->workers + 1 : self->workers - 1;
    bool loaded = is && peer->outstanding > peer->slots + peer->blocked;
    if (loaded != peer->loaded)
        self->loaded = loaded ? self->loaded + 1 : self->loaded - 1;
    peer->loaded = loaded;
}

void
head_heard (head_state_t *self, int64_t now, process_t process)
{
    head_peer_t *peer = head_peer (self, process);
    if (!peer)
        return;
    peer->heard = now;
    if (peer->suspect) {
        peer->suspect = false;
        head_place (self, peer);
        head_house_actors (self);
    }
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

void
head_lost (head_state_t *self, int64_t now, process_t process, const char *cause,
           const uint32_t *ledger)
{
    (void) now;
    head_peer_t *peer = id_table_remove (&self->peers, head_key (process));
    if (!peer)
        return;
    peer->suspect = true;
    head_place (self, peer);
    if (peer->role == ROLE_WORKER)
        head_lose_leases (self, peer, cause, ledger);
    head_lose_owned_tasks (self, peer);
    head_lose_actors (self, peer, cause);
    if (peer->role == ROLE_WORKER)
        s_ask_again (self);
    s_peer_destroy (peer);
}

void
head_slots (head_state_t *self, process_t worker, unsigned blocked)
{
    head_peer_t *peer = head_peer (self, worker);
    if (!peer || peer->role != ROLE_WORKER)
        return;
    peer->blocked = blocked < LEASES_MAX ? blocked : LEASES_MAX;
    head_place (self, peer);
}

/*  Finds the silent. If the head itself was stopped for a while, everybody
    seems silent: that while is forgiven.                                   */
static void
s_detect_failures (head_state_t *self, int64_t now)
{
    int64_t gap = self->ticked ? now - self->ticked : 0;
    if (gap < TICK && self->ticked)
        return;
    self->ticked = now;
    size_t cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (gap > 2 * TICK)
            peer->heard = peer->heard + gap - TICK < now ? peer->heard + gap - TICK : now;
        int64_t silence = now - peer->heard;
        if (silence >= DEAD_AFTER) {
            head_action_t *action = head_act (self, HEAD_DROP, peer->process);
            char text [FAULT_TEXT_MAX];
            snprintf (text, sizeof text, "silent for %d s", (int) (silence / (1000 * CLOCK_MS)));
            action->text = strdup (text);
            self->failed = self->failed || !action->text;
            peer->heard = now;
        }
        if (silence >= SUSPECT_AFTER && !peer->suspect) {
            peer->suspect = true;
            head_place (self, peer);
        }
    }
}

int64_t
head_due (head_state_t *self, int64_t now)
{
    if (head_recall_wanted (self))
        return now + STUCK_AFTER / 2;
    int64_t due = self->ticked + TICK;
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
                            .task_bytes = self->task_bytes };
}

void
head_dispatch (head_state_t *self, int64_t now)
{
    head_give_out (self, now);
    head_recall_stuck (self, now);
    s_detect_failures (self, now);
}
