/*  head_actors.c - the head's state: actors and their names                */

#include "head/head_private.h"

#include <stdlib.h>

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

void
head_actor_free (head_state_t *self, head_actor_t *actor)
{
    s_answer_finders (self, actor, false);
    list_remove (&actor->node);
    if (actor->name [0]
        && name_table_get (&self->names, actor->name, strlen (actor->name)) == actor)
        name_table_remove (&self->names, actor->name, strlen (actor->name));
    head_peer_t *worker = head_peer (self, actor->worker);
    if (worker)
        worker->actors--;
    free (actor->record);
    free (actor->class_name);
    free (actor->name);
    free (actor);
}

void
head_actor_destroy (head_state_t *self, head_actor_t *actor)
{
    id_table_remove (&self->actors, actor->id);
    head_actor_free (self, actor);
}

static head_actor_t *
s_actor_new (tid_t id, const char *class_name, size_t class_length, const char *name,
             size_t name_length, const uint8_t *record, size_t size)
{
    head_actor_t *actor = calloc (1, sizeof *actor);
    if (!actor)
        return NULL;
    actor->id = id;
    list_init (&actor->finders);
    actor->class_name = bytes_text (class_name, class_length);
    actor->name = bytes_text (name, name_length);
    actor->record = malloc (size);
    actor->record_size = size;
    if (actor->record)
        memcpy (actor->record, record, size);
    if (actor->class_name && actor->name && actor->record)
        return actor;
    free (actor->class_name);
    free (actor->name);
    free (actor->record);
    free (actor);
    return NULL;
}

/*  The worker with the fewest actors, among equals the least loaded.       */
static head_peer_t *
s_home (head_state_t *self)
{
    head_peer_t *best = NULL;
    size_t cursor = 0;
    for (head_peer_t *peer; (peer = id_table_next (&self->peers, &cursor));) {
        if (peer->role != ROLE_WORKER || peer->suspect)
            continue;
        if (!best || peer->actors < best->actors
            || (peer->actors == best->actors && peer->outstanding < best->outstanding))
            best = peer;
    }
    return best;
}

static bool
s_house (head_state_t *self, head_actor_t *actor)
{
    head_peer_t *home = s_home (self);
    if (!home)
        return false;
    home->actors++;
    actor->worker = home->process;
    head_act (self, HEAD_SPAWN, home->process)->actor = actor;
    return true;
}

void
head_house_actors (head_state_t *self)
{
    while (!list_empty (&self->homeless)) {
        head_actor_t *actor = container_of (self->homeless.next, head_actor_t, node);
        if (!s_house (self, actor))
            return;
        list_remove (&actor->node);
    }
}

void
head_spawn (head_state_t *self, tid_t id, const char *class_name, size_t class_length,
            const char *name, size_t name_length, const uint8_t *record, size_t size)
{
    if (!head_peer (self, id.owner) || id_table_get (&self->actors, id))
        return;
    name_length = strnlen (name, name_length);
    if (name_length && name_table_get (&self->names, name, name_length)) {
        head_act_fault (self, id, TROUPE_EEXISTS, "%.*s: the name '%.*s' is taken",
                        (int) class_length, class_name, (int) name_length, name);
        return;
    }
    head_actor_t *actor
        = s_actor_new (id, class_name, class_length, name, name_length, record, size);
    if (!actor || id_table_put (&self->actors, id, actor)
        || (name_length && name_table_put (&self->names, name, name_length, actor))) {
        head_act_fault (self, id, TROUPE_ENOMEM, "%.*s: the head has no memory left",
                        (int) class_length, class_name);
        if (actor)
            head_actor_destroy (self, actor);
        return;
    }
    if (!s_house (self, actor))
        list_append (&self->homeless, &actor->node);
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

void
head_find (head_state_t *self, process_t asker, tid_t id, const char *name, size_t length)
{
    head_actor_t *actor = name_table_get (&self->names, name, length);
    if (!actor) {
        head_act_fault (self, id, TROUPE_ENAME, "no actor is named '%.*s'", (int) length, name);
        return;
    }
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

/*  Forgets the actors that were on the process, and those that it owned; a
    worker hears of the owner's end by itself and ends them. The owner, who
    may not know yet where the actor was, is told of its loss.              */
void
head_lose_actors (head_state_t *self, const head_peer_t *peer, const char *cause)
{
    list_t lost;
    list_init (&lost);
    size_t cursor = 0;
    for (head_actor_t *actor; (actor = id_table_next (&self->actors, &cursor));)
        if (actor->worker == peer->process || actor->id.owner == peer->process) {
            list_remove (&actor->node);
            list_append (&lost, &actor->node);
        }
    while (!list_empty (&lost)) {
        head_actor_t *actor = container_of (lost.next, head_actor_t, node);
        if (actor->worker == peer->process)
            head_act_fault (self, actor->id, TROUPE_ELOST, "actor %s was on %s: %s",
                            actor->class_name, peer->label, cause);
        head_actor_destroy (self, actor);
    }
}
