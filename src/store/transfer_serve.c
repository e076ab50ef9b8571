/*  transfer_serve.c - objects that other stores take from this one           */

#include "store/transfer_private.h"

#include <stdlib.h>

static serving_t *
s_find (const transfer_t *self, tid_t id)
{
    return id_table_get (&self->servings, id);
}

static serving_t *
s_serving (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    if (serving)
        return serving;
    serving = calloc (1, sizeof *serving);
    if (!serving || id_table_put (&self->servings, id, serving)) {
        free (serving);
        return NULL;
    }
    serving->id = id;
    list_init (&serving->parked);
    return serving;
}

static void
s_destroy (transfer_t *self, serving_t *serving)
{
    id_table_remove (&self->servings, serving->id);
    for (list_node_t *node; (node = list_pop (&serving->parked));)
        free (container_of (node, parked_t, node));
    free (serving->takers);
    free (serving);
}

/*  Has it pinned in memory. 1: it is; 0: it is coming; -1: there is none.  */
static int
s_open (transfer_t *self, serving_t *serving)
{
    serving->last = clock_now ();
    if (serving->here)
        return 1;
    if (serving->coming)
        return 0;
    int rc = self->hooks->serve (self->hooks_context, serving->id, &serving->source);
    serving->here = rc == 1;
    serving->coming = rc == 0;
    return rc;
}

/*  --- pieces -----------------------------------------------------------  */

static void
s_send_piece (transfer_t *self, const serving_t *serving, const route_t *route, uint64_t offset,
              uint64_t size)
{
    const transfer_source_t *source = &serving->source;
    if (offset <= source->size && size <= source->size - offset)
        transfer_send_piece (self, route, serving->id, source->data, offset, size);
}

static void
s_park (serving_t *serving, const route_t *route, uint64_t offset, uint64_t size)
{
    parked_t *parked = calloc (1, sizeof *parked);
    if (!parked)
        return;     /*  it asks again                                       */
    parked->route = *route;
    parked->offset = offset;
    parked->size = size;
    list_append (&serving->parked, &parked->node);
}

void
serving_get (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    fetch_t *fetch = id_table_get (&self->fetches, message->id);
    transfer_message_t lacks = { .type = TRANSFER_LACKS, .id = message->id };
    if (message->size > TRANSFER_PIECE)
        return;
    if (fetch) {
        fetch_serve (self, fetch, route, message->offset, message->size);
        return;
    }
    serving_t *serving = s_serving (self, message->id);
    int rc = serving ? s_open (self, serving) : -1;
    if (rc == 1)
        s_send_piece (self, serving, route, message->offset, message->size);
    else if (rc == 0)
        s_park (serving, route, message->offset, message->size);
    else {
        transfer_answer (self, route, &lacks, NULL);
        if (serving && !serving->taker_count)
            s_destroy (self, serving);
    }
}

/*  --- where it can be taken from ---------------------------------------  */

static taker_t *
s_taker (serving_t *serving, process_t store)
{
    for (size_t index = 0; index < serving->taker_count; index++)
        if (serving->takers [index].store == store)
            return &serving->takers [index];
    taker_t *grown
        = realloc (serving->takers, (serving->taker_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    serving->takers = grown;
    grown [serving->taker_count] = (taker_t){ .store = store };
    return &grown [serving->taker_count++];
}

static unsigned
s_children (const serving_t *serving, process_t store)
{
    unsigned count = 0;
    for (size_t index = 0; index < serving->taker_count; index++) {
        const taker_t *taker = &serving->takers [index];
        for (int source = 0; source < SOURCES && !taker->whole; source++)
            count += taker->sources [source] == store;
    }
    return count;
}

/*  The least busy of those that may serve a store: the home, and whoever asked
    before it or has all of it; but not the one chosen already.             */
static process_t
s_choose (const transfer_t *self, const serving_t *serving, const taker_t *taker,
          process_t other)
{
    process_t best = 0;
    unsigned least = CHILDREN;
    if (other != self->name && s_children (serving, self->name) < least) {
        best = self->name;
        least = s_children (serving, self->name);
    }
    for (size_t index = 0; index < serving->taker_count; index++) {
        const taker_t *at = &serving->takers [index];
        bool may = at->store != taker->store && at->store != other
                   && (at->whole || at < taker);
        if (!may || s_children (serving, at->store) >= least)
            continue;
        best = at->store;
        least = s_children (serving, at->store);
    }
    return best;
}

static void
s_choose_sources (const transfer_t *self, serving_t *serving, taker_t *taker)
{
    memset (taker->sources, 0, sizeof taker->sources);
    taker->whole = false;
    process_t first = s_choose (self, serving, taker, 0);
    taker->sources [0] = first ? first : self->name;
    /*  A second one only if it has all of it: two who get it themselves are
        not faster than one.                                                */
    process_t second = s_choose (self, serving, taker, taker->sources [0]);
    for (size_t index = 0; index < serving->taker_count; index++)
        if (serving->takers [index].store == second && serving->takers [index].whole)
            taker->sources [1] = second;
}

static void
s_tell_where (transfer_t *self, serving_t *serving, const route_t *route, process_t store)
{
    taker_t *taker = s_taker (serving, store);
    if (!taker)
        return;     /*  it asks again                                       */
    s_choose_sources (self, serving, taker);
    transfer_message_t located = { .type = TRANSFER_LOCATED,
                                   .kind = serving->source.kind,
                                   .id = serving->id,
                                   .size = serving->source.size };
    memcpy (located.sources, taker->sources, sizeof located.sources);
    transfer_answer (self, route, &located, NULL);
}

static void
s_tell_gone (transfer_t *self, tid_t id, const route_t *route, const char *why)
{
    zmq_msg_t data;
    transfer_message_t gone = { .type = TRANSFER_GONE, .count = TROUPE_EINVAL, .id = id };
    if (zmq_msg_init_size (&data, strlen (why)))
        return;
    memcpy (zmq_msg_data (&data), why, strlen (why));
    transfer_answer (self, route, &gone, &data);
}

static void
s_forget_taker (serving_t *serving, process_t store)
{
    for (size_t index = 0; serving && index < serving->taker_count; index++) {
        taker_t *taker = &serving->takers [index];
        if (taker->store != store)
            continue;
        memmove (taker, taker + 1, (serving->taker_count - index - 1) * sizeof *taker);
        serving->taker_count--;
        return;
    }
}

/*  Parked with this size it is a question where, not for a piece.          */
#define LOCATE_SIZE UINT64_MAX

void
serving_locate (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    serving_t *serving = s_serving (self, message->id);
    int rc = serving ? s_open (self, serving) : -1;
    if (message->store)
        s_forget_taker (serving, message->store);
    if (rc == 1)
        s_tell_where (self, serving, route, message->from);
    else if (rc == 0)
        s_park (serving, route, message->from, LOCATE_SIZE);
    else {
        s_tell_gone (self, message->id, route, "the object is no longer held by anybody");
        if (serving)
            s_destroy (self, serving);
    }
}

void
transfer_servable (transfer_t *self, tid_t id, const transfer_source_t *source)
{
    serving_t *serving = s_find (self, id);
    if (!serving) {
        if (source)
            self->hooks->served (self->hooks_context, id);
        return;
    }
    serving->coming = false;
    serving->here = source != NULL;
    if (source)
        serving->source = *source;
    serving->last = clock_now ();
    for (list_node_t *node; (node = list_pop (&serving->parked));) {
        parked_t *parked = container_of (node, parked_t, node);
        if (!source)
            s_tell_gone (self, id, &parked->route, "the object could not be read from disk");
        else if (parked->size == LOCATE_SIZE)
            s_tell_where (self, serving, &parked->route, parked->offset);
        else
            s_send_piece (self, serving, &parked->route, parked->offset, parked->size);
        free (parked);
    }
}

void
serving_note (transfer_t *self, const transfer_message_t *message)
{
    serving_t *serving = s_find (self, message->id);
    if (message->type != TRANSFER_HAS) {
        s_forget_taker (serving, message->from);
        return;
    }
    for (size_t index = 0; serving && index < serving->taker_count; index++)
        if (serving->takers [index].store == message->from)
            serving->takers [index].whole = true;
}

/*  --- the end ----------------------------------------------------------  */

void
serving_store_down (transfer_t *self, process_t store)
{
    transfer_message_t note = { .type = TRANSFER_DISCARDS, .from = store };
    size_t cursor = 0;
    for (serving_t *serving; (serving = id_table_next (&self->servings, &cursor));) {
        note.id = serving->id;
        serving_note (self, &note);
    }
}

static void
s_close (transfer_t *self, serving_t *serving)
{
    if (!serving->here)
        return;
    serving->here = false;
    self->hooks->served (self->hooks_context, serving->id);
}

void
serving_close (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    if (!serving)
        return;
    s_close (self, serving);
    serving->last = 0;
}

bool
transfer_drop (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    transfer_message_t dropped = { .type = TRANSFER_DROPPED, .id = id };
    if (!serving)
        return false;
    bool was_here = serving->here;
    for (size_t index = 0; index < serving->taker_count; index++)
        transfer_ask (self, serving->takers [index].store, &dropped);
    serving->taker_count = 0;
    serving->here = serving->coming = false;
    serving->last = 0;
    return was_here;
}

void
transfer_discard (transfer_t *self, tid_t id)
{
    transfer_message_t discards = { .type = TRANSFER_DISCARDS, .id = id };
    serving_t *serving = s_find (self, id);
    transfer_ask (self, id.owner, &discards);
    if (serving) {
        serving->here = serving->coming = false;
        serving->last = 0;
    }
}

/*  Those that are not needed any more, one after the other. Servings with
    takers stay, to tell them of the end.                                   */
static serving_t *
s_next_idle (transfer_t *self, int64_t now, int64_t *due)
{
    size_t cursor = 0;
    *due = CLOCK_NEVER;
    for (serving_t *serving; (serving = id_table_next (&self->servings, &cursor));) {
        bool needed = serving->coming || (!serving->here && serving->taker_count);
        int64_t until = serving->last + SERVED_AFTER;
        if (needed)
            continue;
        if (until <= now)
            return serving;
        *due = until < *due ? until : *due;
    }
    return NULL;
}

int64_t
serving_tend (transfer_t *self, int64_t now)
{
    int64_t due;
    for (serving_t *serving; (serving = s_next_idle (self, now, &due));) {
        s_close (self, serving);
        if (!serving->taker_count)
            s_destroy (self, serving);
    }
    return due;
}

void
serving_destroy_all (transfer_t *self)
{
    size_t cursor = 0;
    for (serving_t *serving; (serving = id_table_next (&self->servings, &cursor)); cursor = 0)
        s_destroy (self, serving);
    id_table_release (&self->servings);
}
