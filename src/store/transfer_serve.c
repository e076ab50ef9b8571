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

/*  Time passes anew until it is not needed any more.                       */
static void
s_touch (transfer_t *self, serving_t *serving)
{
    serving->last = clock_now ();
    list_remove (&serving->node);
    list_append (&self->recent, &serving->node);
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
s_tell_lacks (transfer_t *self, tid_t id, const route_t *route)
{
    transfer_message_t lacks = { .type = TRANSFER_LACKS, .id = id };
    transfer_answer (self, route, &lacks, NULL);
}

static void
s_refuse (transfer_t *self, serving_t *serving, const char *why)
{
    for (list_node_t *node; (node = list_pop (&serving->parked));) {
        parked_t *parked = container_of (node, parked_t, node);
        if (parked->size == LOCATE_SIZE)
            s_tell_gone (self, serving->id, &parked->route, why);
        else
            s_tell_lacks (self, serving->id, &parked->route);
        parked_free (self, parked);
    }
}

static const char s_not_held [] = "the object is no longer held by anybody";
static const char s_not_read [] = "the object could not be read from disk";

static void
s_destroy (transfer_t *self, serving_t *serving)
{
    id_table_remove (&self->servings, serving->id);
    list_remove (&serving->node);
    s_refuse (self, serving, s_not_held);
    free (serving->takers);
    free (serving);
}

/*  Has it pinned in memory. 1: it is; 0: it is coming; -1: there is none, or
    (*why) it cannot come.                                                  */
static int
s_open (transfer_t *self, serving_t *serving, const char **why)
{
    *why = s_not_held;
    s_touch (self, serving);
    if (serving->here)
        return 1;
    if (serving->coming)
        return 0;
    serving->coming = true;
    int rc = self->hooks->serve (self->hooks_context, serving->id, &serving->source);
    serving->here = rc == 1;
    if (rc == 0 && serving->coming)
        return 0;
    serving->coming = false;
    *why = rc == 0 ? s_not_read : s_not_held;
    return rc == 1 ? 1 : -1;
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

void
serving_get (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    fetch_t *fetch = id_table_get (&self->fetches, message->id);
    const char *why;
    if (message->size > TRANSFER_PIECE)
        return;
    if (fetch) {
        fetch_serve (self, fetch, route, message->offset, message->size);
        return;
    }
    serving_t *serving = s_serving (self, message->id);
    int rc = serving ? s_open (self, serving, &why) : -1;
    if (rc == 1)
        s_send_piece (self, serving, route, message->offset, message->size);
    else if (rc == 0)
        parked_append (self, &serving->parked, route, message->offset, message->size);
    else {
        s_tell_lacks (self, message->id, route);
        if (serving && !serving->taker_count)
            s_destroy (self, serving);
    }
}

/*  --- where it can be taken from ---------------------------------------  */

/*  Where it is counted how many take it from a store; NULL if that is not known
    to have it.                                                             */
static unsigned *
s_children (const transfer_t *self, serving_t *serving, process_t store)
{
    if (store == self->name)
        return &serving->children;
    for (size_t index = 0; index < serving->taker_count; index++)
        if (serving->takers [index].store == store)
            return &serving->takers [index].children;
    return NULL;
}

/*  Those that a taker takes it from have a child more, or less: no more once it
    has all of it.                                                          */
static void
s_count (const transfer_t *self, serving_t *serving, const taker_t *taker, bool more)
{
    for (int source = 0; source < SOURCES && !taker->whole; source++) {
        unsigned *children = taker->sources [source]
                                 ? s_children (self, serving, taker->sources [source])
                                 : NULL;
        if (children && (more || *children))
            *children = more ? *children + 1 : *children - 1;
    }
}

static taker_t *
s_taker (serving_t *serving, process_t store)
{
    for (size_t index = 0; index < serving->taker_count; index++)
        if (serving->takers [index].store == store)
            return &serving->takers [index];
    taker_t *grown = serving->taker_count < TAKERS_MAX
                         ? realloc (serving->takers, (serving->taker_count + 1) * sizeof *grown)
                         : NULL;
    if (!grown)
        return NULL;
    serving->takers = grown;
    taker_t *taker = &grown [serving->taker_count];
    *taker = (taker_t){ .store = store };
    /*  It may have been one before.                                        */
    for (size_t index = 0; index < serving->taker_count; index++)
        for (int source = 0; source < SOURCES && !grown [index].whole; source++)
            taker->children += grown [index].sources [source] == store;
    serving->taker_count++;
    return taker;
}

/*  When the last piece comes, counted in pieces: it waits for each store on its
    way, and there for its turn among the children.                         */
static uint64_t
s_cost (const serving_t *serving, unsigned depth, unsigned children)
{
    uint64_t pieces = (serving->source.size + TRANSFER_PIECE - 1) / TRANSFER_PIECE;
    return depth + (children + 1) * (pieces ? pieces : 1);
}

/*  The one from which it comes soonest of those that may serve a store: the home,
    and whoever asked before it or has all of it; but not the one chosen already.
    NULL for the home, and if all are busy.                                 */
static const taker_t *
s_choose (const transfer_t *self, const serving_t *serving, const taker_t *taker,
          process_t other)
{
    const taker_t *best = NULL;
    uint64_t least = UINT64_MAX;
    if (other != self->name && serving->children < CHILDREN)
        least = s_cost (serving, 0, serving->children);
    for (size_t index = 0; index < serving->taker_count; index++) {
        const taker_t *at = &serving->takers [index];
        bool may = at->store != taker->store && at->store != other
                   && (at->whole || at < taker) && at->children < CHILDREN;
        uint64_t cost = s_cost (serving, at->whole ? 0 : at->depth, at->children);
        if (!may || cost >= least)
            continue;
        best = at;
        least = cost;
    }
    return best;
}

static void
s_choose_sources (const transfer_t *self, serving_t *serving, taker_t *taker)
{
    s_count (self, serving, taker, false);
    memset (taker->sources, 0, sizeof taker->sources);
    taker->whole = false;
    const taker_t *first = s_choose (self, serving, taker, 0);
    taker->sources [0] = first ? first->store : self->name;
    taker->depth = first && !first->whole ? first->depth + 1 : 1;
    /*  A second one only if it has all of it: two who get it themselves are
        not faster than one.                                                */
    const taker_t *second = s_choose (self, serving, taker, taker->sources [0]);
    if (second && second->whole)
        taker->sources [1] = second->store;
    s_count (self, serving, taker, true);
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
s_forget_taker (transfer_t *self, serving_t *serving, process_t store)
{
    for (size_t index = 0; serving && index < serving->taker_count; index++) {
        taker_t *taker = &serving->takers [index];
        if (taker->store != store)
            continue;
        s_count (self, serving, taker, false);
        memmove (taker, taker + 1, (serving->taker_count - index - 1) * sizeof *taker);
        if (--serving->taker_count == 0 && !list_linked (&serving->node))
            s_touch (self, serving);
        return;
    }
}

void
serving_locate (transfer_t *self, const route_t *route, const transfer_message_t *message)
{
    const char *why = s_not_held;
    serving_t *serving = s_serving (self, message->id);
    int rc = serving ? s_open (self, serving, &why) : -1;
    if (message->store)
        s_forget_taker (self, serving, message->store);
    if (rc == 1)
        s_tell_where (self, serving, route, message->from);
    else if (rc == 0)
        parked_append (self, &serving->parked, route, message->from, LOCATE_SIZE);
    else {
        s_tell_gone (self, message->id, route, why);
        if (serving && !serving->taker_count)
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
    s_touch (self, serving);
    if (!source) {
        s_refuse (self, serving, s_not_read);
        return;
    }
    serving->source = *source;
    for (list_node_t *node; (node = list_pop (&serving->parked));) {
        parked_t *parked = container_of (node, parked_t, node);
        if (parked->size == LOCATE_SIZE)
            s_tell_where (self, serving, &parked->route, parked->offset);
        else
            s_send_piece (self, serving, &parked->route, parked->offset, parked->size);
        parked_free (self, parked);
    }
}

/*  A store has all of an object. It may have been forgotten, if what it said
    earlier of another copy came late; and the object may have gone.        */
static void
s_note_whole (transfer_t *self, tid_t id, process_t store)
{
    if (!self->hooks->lives (self->hooks_context, id)) {
        notice_dropped (self, id, store);
        return;
    }
    serving_t *serving = s_serving (self, id);
    taker_t *taker = serving ? s_taker (serving, store) : NULL;
    if (taker) {
        s_count (self, serving, taker, false);
        taker->whole = true;
    }
    if (serving && !taker && !serving->taker_count)
        s_touch (self, serving);
}

void
serving_note (transfer_t *self, const transfer_message_t *message)
{
    if (message->type == TRANSFER_HAS)
        s_note_whole (self, message->id, message->from);
    else
        s_forget_taker (self, s_find (self, message->id), message->from);
}

/*  --- the end ----------------------------------------------------------  */

void
serving_store_down (transfer_t *self, process_t store)
{
    size_t cursor = 0;
    for (serving_t *serving; (serving = id_table_next (&self->servings, &cursor));)
        s_forget_taker (self, serving, store);
}

/*  It is not needed any more, but for its takers, who are told of the end.  */
static void
s_close (transfer_t *self, serving_t *serving)
{
    tid_t id = serving->id;
    bool here = serving->here;
    list_remove (&serving->node);
    serving->here = false;
    if (!serving->coming && !serving->taker_count)
        s_destroy (self, serving);
    if (here)
        self->hooks->served (self->hooks_context, id);
}

void
serving_close (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    if (serving)
        s_close (self, serving);
}

bool
transfer_drop (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    if (!serving)
        return false;
    bool was_here = serving->here;
    for (size_t index = 0; index < serving->taker_count; index++)
        notice_dropped (self, id, serving->takers [index].store);
    s_destroy (self, serving);
    return was_here;
}

void
transfer_discard (transfer_t *self, tid_t id)
{
    serving_t *serving = s_find (self, id);
    notice_copy (self, id, TRANSFER_DISCARDS);
    if (serving)
        s_destroy (self, serving);
}

int64_t
serving_tend (transfer_t *self, int64_t now)
{
    while (!list_empty (&self->recent)) {
        serving_t *serving = container_of (self->recent.next, serving_t, node);
        if (serving->last + SERVED_AFTER > now)
            return serving->last + SERVED_AFTER;
        s_close (self, serving);
    }
    return CLOCK_NEVER;
}

void
serving_destroy_all (transfer_t *self)
{
    size_t cursor = 0;
    for (serving_t *serving; (serving = id_table_next (&self->servings, &cursor)); cursor = 0)
        s_destroy (self, serving);
    id_table_release (&self->servings);
}
