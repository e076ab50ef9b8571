/*  head_actors.c - the head's state: actors, their names and their places  */

#include "head/head_private.h"

#include <stdlib.h>

/*  --- names ------------------------------------------------------------  */

/*  Names of the namespace "" stand by themselves; others follow theirs and
    a NUL. Returns the length.                                              */
static size_t
s_full_name (const char *space, const char *name, size_t length, char *full)
{
    size_t used = strlen (space);
    memcpy (full, space, used);
    used += used != 0;
    if (used)
        full [used - 1] = 0;
    memcpy (full + used, name, length);
    return used + length;
}

#define FULL_NAME_MAX (NAMESPACE_MAX + 1 + TROUPE_NAME_MAX)

static head_actor_t *
s_find (const head_state_t *self, const char *space, const char *name, size_t length)
{
    char full [FULL_NAME_MAX];
    if (length > TROUPE_NAME_MAX || strlen (space) > NAMESPACE_MAX)
        return NULL;
    return name_table_get (&self->names, full, s_full_name (space, name, length, full));
}

static int
s_put_name (head_state_t *self, head_actor_t *actor)
{
    char full [FULL_NAME_MAX];
    size_t length = strlen (actor->name);
    if (!length)
        return 0;
    length = s_full_name (actor->job->space, actor->name, length, full);
    return name_table_put (&self->names, full, length, actor);
}

static void
s_remove_name (head_state_t *self, const head_actor_t *actor)
{
    char full [FULL_NAME_MAX];
    size_t length = strlen (actor->name);
    if (!length)
        return;
    length = s_full_name (actor->job->space, actor->name, length, full);
    if (name_table_get (&self->names, full, length) == actor)
        name_table_remove (&self->names, full, length);
}

/*  --- those who ask for a name -----------------------------------------  */

static void
s_answer_finders (head_state_t *self, head_actor_t *actor, bool found)
{
    for (list_node_t *node; (node = list_pop (&actor->finders));) {
        finder_t *finder = container_of (node, finder_t, node);
        if (found && head_peer (self, finder->asker)) {
            head_action_t *action = head_act (self, HEAD_FOUND, finder->asker);
            action->id = finder->id;
            action->actor = actor;
        } else if (!found)
            head_act_fault (self, finder->id, TROUPE_ENAME, "no actor is named '%s'",
                            actor->name);
        free (finder);
    }
}

static void
s_add_finder (head_state_t *self, head_actor_t *actor, process_t asker, tid_t id)
{
    finder_t *finder = calloc (1, sizeof *finder);
    if (!finder) {
        head_act_fault (self, id, TROUPE_ENOMEM, "the head has no memory left");
        return;
    }
    finder->asker = asker;
    finder->id = id;
    list_append (&actor->finders, &finder->node);
    if (actor->number)
        s_answer_finders (self, actor, true);
}

void
head_find (head_state_t *self, process_t asker, tid_t id, const char *space, const char *name,
           size_t length)
{
    const head_peer_t *peer = head_peer (self, asker);
    const job_t *job = peer && peer->job ? peer->job : self->embedded;
    head_actor_t *actor = s_find (self, space ? space : job->space, name, length);
    if (actor)
        s_add_finder (self, actor, asker, id);
    else
        head_act_fault (self, id, TROUPE_ENAME, "no actor is named '%.*s'", (int) length, name);
}

/*  --- life -------------------------------------------------------------  */

/*  Gives back what the actor holds.                                        */
static void
s_let_go (head_state_t *self, head_actor_t *actor)
{
    if (actor->bundle)
        head_bundle_give (self, actor->bundle, actor->demand);
    else if (actor->held) {
        head_node_give (self, actor->held, actor->demand, true);
        head_node_release (self, actor->held);
    }
    actor->bundle = NULL;
    actor->held = NULL;
}

/*  Others take whatever becomes free for it. Without memory nothing is ever kept
    for it.                                                                 */
static void
s_wait_for_place (head_state_t *self, head_actor_t *actor)
{
    if (!actor->keep)
        actor->keep = calloc (1, sizeof *actor->keep);
    if (actor->keep)
        head_keep_begin (self, actor->keep);
}

static void
s_end_waiting (head_state_t *self, head_actor_t *actor)
{
    if (actor->keep)
        head_keep_end (self, actor->keep);
    free (actor->keep);
    actor->keep = NULL;
}

static void
s_count_on (head_state_t *self, head_peer_t *worker, int step)
{
    worker->actors = step > 0 ? worker->actors + 1 : worker->actors - 1;
    if (worker->home.place) {
        worker->home.due = (int64_t) worker->actors;
        if (heap_update (&worker->job->homes, &worker->home))
            self->failed = true;
    }
}

void
head_actor_free (head_state_t *self, head_actor_t *actor)
{
    job_t *job = actor->job;
    s_answer_finders (self, actor, false);
    if (!actor->worker)
        self->homeless--;
    list_remove (&actor->node);
    s_remove_name (self, actor);
    head_peer_t *worker = head_peer (self, actor->worker);
    if (worker) {
        s_count_on (self, worker, -1);
        head_place (self, worker);
    }
    s_let_go (self, actor);
    s_end_waiting (self, actor);
    head_demand_release (self, &actor->demand);
    job->actors--;
    free (actor->record);
    free (actor->class_name);
    free (actor->name);
    free (actor);
    if (worker && job->ended && worker->job == job && !worker->actors)
        head_stop_worker (self, worker, false);
    head_job_check (self, job);
}

void
head_actor_destroy (head_state_t *self, head_actor_t *actor)
{
    id_table_remove (&self->actors, actor->id);
    head_actor_free (self, actor);
}

static head_actor_t *
s_actor_new (head_state_t *self, job_t *job, const head_spawn_t *spawn, size_t name_length)
{
    static const options_t none = { .bundle = BUNDLE_ANY };
    head_actor_t *actor = calloc (1, sizeof *actor);
    if (!actor)
        return NULL;
    actor->id = spawn->id;
    actor->job = job;
    list_init (&actor->finders);
    actor->class_name = bytes_text (spawn->class_name, spawn->class_length);
    actor->name = bytes_text (spawn->name, name_length);
    actor->record = malloc (spawn->size ? spawn->size : 1);
    actor->record_size = spawn->size;
    actor->detached = spawn->options && spawn->options->flags & OPTIONS_DETACHED;
    actor->demand = head_demand (self, spawn->options ? spawn->options : &none, self->nothing);
    if (actor->record && spawn->size)
        memcpy (actor->record, spawn->record, spawn->size);
    job->actors++;
    self->homeless++;
    list_append (&job->homeless, &actor->node);
    if (actor->class_name && actor->name && actor->record && actor->demand
        && id_table_put (&self->actors, actor->id, actor) == 0 && s_put_name (self, actor) == 0)
        return actor;
    if (!actor->name)
        actor->name = calloc (1, 1);
    id_table_remove (&self->actors, actor->id);
    if (actor->name)
        head_actor_free (self, actor);
    return NULL;
}

/*  --- a place to live --------------------------------------------------  */

static void
s_move_in (head_state_t *self, head_actor_t *actor, head_peer_t *worker)
{
    list_remove (&actor->node);
    self->homeless--;
    actor->worker = worker->process;
    s_count_on (self, worker, 1);
    head_place (self, worker);
    head_act (self, HEAD_SPAWN, worker->process)->actor = actor;
}

static bool
s_is_better (const head_peer_t *peer, const head_peer_t *best)
{
    return !best || peer->actors < best->actors
           || (peer->actors == best->actors && peer->outstanding < best->outstanding);
}

/*  Equals that are compared for their load.                                */
#define HOMES_COMPARED 16

/*  The job's worker with the fewest actors, among equals the least loaded. */
static head_peer_t *
s_home (const job_t *job)
{
    head_peer_t *best = NULL;
    size_t count = job->homes.count < HOMES_COMPARED ? job->homes.count : HOMES_COMPARED;
    for (size_t index = 0; index < count; index++) {
        head_peer_t *peer = container_of (job->homes.nodes [index], head_peer_t, home);
        if (peer->counted && s_is_better (peer, best))
            best = peer;
    }
    if (best)
        return best;
    for (size_t index = count; index < job->homes.count; index++) {
        head_peer_t *peer = container_of (job->homes.nodes [index], head_peer_t, home);
        if (peer->counted && s_is_better (peer, best))
            best = peer;
    }
    return best;
}

static head_peer_t *
s_home_on (head_state_t *self, job_t *job, head_node_t *node)
{
    head_peer_t *best = NULL;
    const pool_t *pool = head_pool (self, job, node, false);
    if (!pool)
        return NULL;
    for (const list_node_t *at = pool->workers.next; at != &pool->workers; at = at->next) {
        head_peer_t *peer = container_of (at, head_peer_t, of_pool);
        if (peer->counted && s_is_better (peer, best))
            best = peer;
    }
    return best;
}

typedef struct {
    head_actor_t *actor;
    int64_t now;
    head_peer_t *home;
    bool coming;
} home_t;

/*  A node where the actor fits, with a worker of its job or one to come. An
    actor that holds cpus gets a worker of its own, if it can be started.   */
static bool
s_accept (head_state_t *self, head_node_t *node, void *arg)
{
    home_t *home = arg;
    job_t *job = home->actor->job;
    if (!head_node_fits (node, home->actor->demand)
        || head_is_kept (node->keep, job, home->actor->keep))
        return false;
    home->home = s_home_on (self, job, node);
    if (home->home || job->embedded)
        return home->home != NULL;
    const pool_t *pool = head_pool (self, job, node, false);
    home->coming = (pool && pool->starting) || head_ask (self, home->now, job, node, 1);
    home->home = s_home_on (self, job, node);
    return home->home || home->coming;
}

static bool
s_house_by_demand (head_state_t *self, int64_t now, head_actor_t *actor)
{
    home_t home = { actor, now, NULL, false };
    if (actor->searched && !head_freed_fits (self, actor->demand))
        return false;
    actor->searched = !head_search (self, actor->demand, actor->searched, s_accept, &home);
    if (!home.home) {
        s_wait_for_place (self, actor);
        return false;
    }
    s_end_waiting (self, actor);
    actor->held = home.home->on;
    actor->held->references++;
    head_node_take (self, actor->held, actor->demand, true);
    s_move_in (self, actor, home.home);
    return true;
}

static bool
s_house_in_group (head_state_t *self, int64_t now, head_actor_t *actor)
{
    bundle_t *bundle = head_bundle_for (self, actor->demand, actor->job, actor->keep);
    if (!bundle) {
        s_wait_for_place (self, actor);
        return false;
    }
    head_peer_t *home = s_home_on (self, actor->job, bundle->node);
    if (!home && !actor->job->embedded) {
        const pool_t *pool = head_pool (self, actor->job, bundle->node, false);
        if (!pool || !pool->starting)
            head_ask (self, now, actor->job, bundle->node, 1);
        home = s_home_on (self, actor->job, bundle->node);
    }
    if (!home) {
        s_wait_for_place (self, actor);
        return false;
    }
    s_end_waiting (self, actor);
    actor->bundle = bundle;
    head_bundle_take (bundle, actor->demand);
    s_move_in (self, actor, home);
    return true;
}

/*  One that asks for nothing lives anywhere; workers are started for as many
    as there are cpus for, and then shared.                                 */
static bool
s_house_anywhere (head_state_t *self, int64_t now, head_actor_t *actor)
{
    job_t *job = actor->job;
    head_peer_t *home = s_home (job);
    if ((!home || home->actors) && !job->embedded && job->starting < START_MAX
        && head_start_one (self, now, job))
        home = s_home (job);
    if (!home || (home->actors && job->starting))
        return false;
    s_move_in (self, actor, home);
    return true;
}

static bool
s_house (head_state_t *self, int64_t now, head_actor_t *actor)
{
    if (actor->demand->placement == PLACE_GROUP)
        return s_house_in_group (self, now, actor);
    return actor->demand == self->nothing ? s_house_anywhere (self, now, actor)
                                          : s_house_by_demand (self, now, actor);
}

void
head_house_actors (head_state_t *self, int64_t now, job_t *job)
{
    const demand_t *failed = NULL;
    for (list_node_t *at = job->homeless.next, *next; at != &job->homeless; at = next) {
        head_actor_t *actor = container_of (at, head_actor_t, node);
        next = at->next;
        if (actor->demand != failed && !s_house (self, now, actor))
            failed = actor->demand;
    }
}

void
head_spawn (head_state_t *self, int64_t now, const head_spawn_t *spawn)
{
    head_peer_t *owner = head_peer (self, spawn->id.owner);
    const char *class_name = spawn->class_name, *name = spawn->name;
    int class_length = (int) spawn->class_length;
    self->now = now;
    if (!owner || !owner->job || id_table_get (&self->actors, spawn->id))
        return;
    owner->spawned = true;
    size_t length = strnlen (name, spawn->name_length);
    head_actor_t *there = length ? s_find (self, owner->job->space, name, length) : NULL;
    if (there && spawn->options && spawn->options->flags & OPTIONS_GET_OR_CREATE) {
        s_add_finder (self, there, owner->process, spawn->id);
        return;
    }
    if (there) {
        head_act_fault (self, spawn->id, TROUPE_EEXISTS, "%.*s: the name '%.*s' is taken",
                        class_length, class_name, (int) length, name);
        return;
    }
    if (!head_may_begin (self, spawn->id.owner)) {
        head_act_fault (self, spawn->id, TROUPE_ESTOPPED, "%.*s: %s", class_length, class_name,
                        head_is_ending);
        return;
    }
    head_actor_t *actor = s_actor_new (self, owner->job, spawn, length);
    if (!actor)
        head_act_fault (self, spawn->id, TROUPE_ENOMEM, "%.*s: the head has no memory left",
                        class_length, class_name);
    else if (actor->demand->placement == PLACE_GROUP
             && !head_group_of (self, actor->demand->group)) {
        head_act_fault (self, actor->id, TROUPE_EENDED, "%s: its group has ended",
                        actor->class_name);
        head_actor_destroy (self, actor);
    } else if (!s_house (self, now, actor))
        head_want (self, actor->job);
}

void
head_actor_up (head_state_t *self, process_t worker, tid_t id, uint64_t number,
               uint64_t signature)
{
    head_actor_t *actor = id_table_get (&self->actors, id);
    if (!actor || actor->worker != worker || !number)
        return;
    actor->number = number;
    actor->signature = signature;
    free (actor->record);
    actor->record = NULL;
    actor->record_size = 0;
    s_answer_finders (self, actor, true);
}

void
head_actor_down (head_state_t *self, process_t worker, tid_t id)
{
    head_actor_t *actor = id_table_get (&self->actors, id);
    if (actor && actor->worker == worker)
        head_actor_destroy (self, actor);
}

/*  --- ends -------------------------------------------------------------  */

/*  Moves some actors into a list, out of the homeless.                     */
static void
s_take_out (head_actor_t *actor, list_t *list)
{
    list_remove (&actor->node);
    list_append (list, &actor->node);
}

/*  Forgets the actors that were on the process, and those that it owned; a
    worker hears of the owner's end by itself and ends them. The owner, who
    may not know yet where the actor was, is told of its loss.              */
void
head_lose_actors (head_state_t *self, const head_peer_t *peer, const char *cause)
{
    list_t lost;
    list_init (&lost);
    size_t cursor = 0;
    if (!peer->actors && !peer->spawned)
        return;
    for (head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        if (actor->worker == peer->process
            || (actor->id.owner == peer->process && !actor->detached))
            s_take_out (actor, &lost);
    while (!list_empty (&lost)) {
        head_actor_t *actor = container_of (lost.next, head_actor_t, node);
        if (actor->worker == peer->process)
            head_act_fault (self, actor->id, head_loss_of (self, peer), "actor %s was on %s: %s",
                            actor->class_name, peer->label, cause);
        head_actor_destroy (self, actor);
    }
}

void
head_end_actors (head_state_t *self, const job_t *job, const group_t *group)
{
    list_t ended;
    list_init (&ended);
    size_t cursor = 0;
    if (job && !job->actors)
        return;
    for (head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        if (job ? actor->job == job && !actor->detached
                : actor->demand->placement == PLACE_GROUP
                      && tid_equal (actor->demand->group, group->id))
            s_take_out (actor, &ended);
    while (!list_empty (&ended)) {
        head_actor_t *actor = container_of (ended.next, head_actor_t, node);
        if (group)
            head_act_fault (self, actor->id, TROUPE_EENDED, "actor %s: its group has ended",
                            actor->class_name);
        if (actor->worker)
            head_act (self, HEAD_END_ACTOR, actor->worker)->id = actor->id;
        head_actor_destroy (self, actor);
    }
}

void
head_cancel_actor (head_state_t *self, tid_t id)
{
    head_actor_t *actor = id_table_get (&self->actors, id);
    if (!actor)
        return;
    if (actor->worker)
        head_act (self, HEAD_END_ACTOR, actor->worker)->id = id;
    head_actor_destroy (self, actor);
}

/*  Of a job's actors that wait, fails those that no node could ever serve;
    many that ask for the same are judged at once.                          */
static void
s_fail_unfit (head_state_t *self, int64_t now, job_t *job)
{
    char text [FAULT_TEXT_MAX];
    const demand_t *judged = NULL;
    bool feasible = true;
    for (list_node_t *at = job->homeless.next, *next; at != &job->homeless; at = next) {
        head_actor_t *actor = container_of (at, head_actor_t, node);
        next = at->next;
        bool anywhere = actor->demand == self->nothing;
        const demand_t *demand = anywhere ? self->one_cpu : actor->demand;
        if (anywhere && job->embedded)
            continue;
        if (demand != judged)
            feasible = head_feasible (self, demand, text, sizeof text);
        judged = demand;
        if (feasible)
            actor->unfit = 0;
        else if (!actor->unfit)
            actor->unfit = now;
        else if (now - actor->unfit >= self->settings.grace) {
            judged = NULL;
            head_act_fault (self, actor->id, TROUPE_ELIMIT, "%s: %s", actor->class_name, text);
            head_actor_destroy (self, actor);
        }
    }
}

void
head_fail_unfit_actors (head_state_t *self, int64_t now)
{
    s_fail_unfit (self, now, self->embedded);
    for (list_node_t *at = self->wanting.next, *next; at != &self->wanting; at = next) {
        job_t *job = container_of (at, job_t, wanting);
        next = at->next;
        s_fail_unfit (self, now, job);
    }
}

void
head_fail_homeless (head_state_t *self, job_t *job, troupe_error_t code, const char *text)
{
    while (!list_empty (&job->homeless)) {
        head_actor_t *actor = container_of (job->homeless.next, head_actor_t, node);
        head_act_fault (self, actor->id, code, "%s: %s", actor->class_name, text);
        head_actor_destroy (self, actor);
    }
}
