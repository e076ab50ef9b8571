/*  transfer_fetch.c - objects on their way to this store                    */

#include "store/transfer_private.h"

#include "core/checksum.h"

#include <stdlib.h>

static fetch_t *
s_find (const transfer_t *self, tid_t id)
{
    return id_table_get (&self->fetches, id);
}

static uint64_t
s_piece_size (const fetch_t *fetch, uint64_t piece)
{
    uint64_t rest = fetch->size - piece * TRANSFER_PIECE;
    return rest < TRANSFER_PIECE ? rest : TRANSFER_PIECE;
}

static void
s_forget_parked (transfer_t *self, fetch_t *fetch)
{
    transfer_message_t lacks = { .type = TRANSFER_LACKS, .id = fetch->id };
    for (list_node_t *node; (node = list_pop (&fetch->parked));) {
        parked_t *parked = container_of (node, parked_t, node);
        transfer_answer (self, &parked->route, &lacks, NULL);
        parked_free (self, parked);
    }
}

static void
s_destroy (transfer_t *self, fetch_t *fetch)
{
    id_table_remove (&self->fetches, fetch->id);
    list_remove (&fetch->node);
    s_forget_parked (self, fetch);
    free (fetch->pieces);
    free (fetch);
}

static void
s_end (transfer_t *self, fetch_t *fetch, const fault_t *fault)
{
    tid_t id = fetch->id;
    uint8_t kind = fetch->kind;
    notice_copy (self, id, fault ? TRANSFER_DISCARDS : TRANSFER_HAS);
    s_destroy (self, fetch);
    self->hooks->fetched (self->hooks_context, id, kind, fault);
}

/*  --- asking -----------------------------------------------------------  */

/*  Something has come, or was asked for: the others are quieter.           */
static void
s_note (transfer_t *self, fetch_t *fetch, int64_t *time)
{
    *time = clock_now ();
    list_remove (&fetch->node);
    list_append (&self->fetching, &fetch->node);
}

/*  Names a store that does not have it, if there was one.                  */
static void
s_locate (transfer_t *self, fetch_t *fetch)
{
    transfer_message_t locate
        = { .type = TRANSFER_LOCATE, .id = fetch->id, .store = fetch->without };
    fetch->located = false;
    fetch->without = 0;
    s_note (self, fetch, &fetch->asked);
    transfer_ask (self, fetch->id.owner, &locate);
}

/*  The next piece that is neither here nor asked for; piece_count if none. */
static uint64_t
s_next (fetch_t *fetch)
{
    while (fetch->next < fetch->piece_count && fetch->pieces [fetch->next])
        fetch->next++;
    return fetch->next;
}

/*  While a piece travels, memory is found for it: for the large pages that it
    lies in, but for what is not of the object. Pieces before and behind it in
    them that are here keep their content.                                  */
static void
s_prepare (transfer_t *self, const fetch_t *fetch, uint64_t offset, uint64_t size)
{
    uint64_t from = offset < PAGES_LARGE ? 0 : offset - PAGES_LARGE + 1;
    uint64_t end = fetch->size - offset - size < PAGES_LARGE ? fetch->size
                                                             : offset + size + PAGES_LARGE - 1;
    pages_prepare (&self->supply, fetch->data + from, end - from);
}

/*  Uses the credits of all sources, in turn.                               */
static void
s_ask (transfer_t *self, fetch_t *fetch)
{
    for (bool any = true; any;) {
        any = false;
        for (int index = 0; index < SOURCES; index++) {
            process_t store = fetch->sources [index].store;
            uint64_t piece = s_next (fetch);
            if (piece == fetch->piece_count)
                return;
            if (!store || fetch->sources [index].asked >= CREDITS)
                continue;
            transfer_message_t get = { .type = TRANSFER_GET,
                                       .id = fetch->id,
                                       .offset = piece * TRANSFER_PIECE,
                                       .size = s_piece_size (fetch, piece) };
            if (transfer_ask (self, store, &get)) {
                fetch->sources [index].store = 0;
                continue;
            }
            s_prepare (self, fetch, get.offset, get.size);
            fetch->pieces [piece] = 1;
            fetch->sources [index].asked++;
            s_note (self, fetch, &fetch->asked);
            any = true;
        }
    }
}

/*  What was asked for and has not come is missing again.                   */
static void
s_start_over (fetch_t *fetch)
{
    for (uint64_t piece = 0; piece < fetch->piece_count; piece++)
        if (fetch->pieces [piece] == 1)
            fetch->pieces [piece] = 0;
    fetch->next = 0;
    for (int index = 0; index < SOURCES; index++) {
        fetch->sources [index].store = 0;
        fetch->sources [index].asked = 0;
    }
}

int
transfer_fetch (transfer_t *self, tid_t id, uint8_t *data, uint64_t size, fault_t *fault)
{
    fetch_t *fetch = calloc (1, sizeof *fetch);
    uint64_t pieces = size ? (size + TRANSFER_PIECE - 1) / TRANSFER_PIECE : 1;
    if (fetch)
        fetch->pieces = calloc (pieces, 1);
    if (!fetch || !fetch->pieces || id_table_put (&self->fetches, id, fetch)) {
        if (fetch)
            free (fetch->pieces);
        free (fetch);
        return fault_set (fault, TROUPE_ENOMEM, "no memory to fetch an object");
    }
    fetch->id = id;
    fetch->data = data;
    fetch->size = size;
    fetch->piece_count = fetch->missing = pieces;
    list_init (&fetch->parked);
    s_note (self, fetch, &fetch->progress);
    s_locate (self, fetch);
    return 0;
}

void
transfer_cancel (transfer_t *self, tid_t id)
{
    fetch_t *fetch = s_find (self, id);
    if (!fetch)
        return;
    notice_copy (self, id, TRANSFER_DISCARDS);
    s_destroy (self, fetch);
}

/*  --- answers ----------------------------------------------------------  */

void
fetch_located (transfer_t *self, const transfer_message_t *message)
{
    fetch_t *fetch = s_find (self, message->id);
    fault_t fault;
    if (!fetch || fetch->located || message->from != message->id.owner)
        return;
    if (message->size != fetch->size) {
        fault_set (&fault, TROUPE_EPROTOCOL, "the object has another size at its home");
        s_end (self, fetch, &fault);
        return;
    }
    fetch->located = true;
    fetch->kind = message->kind;
    s_start_over (fetch);
    for (int index = 0; index < SOURCES; index++)
        fetch->sources [index].store = message->sources [index];
    s_ask (self, fetch);
}

/*  Whether it is from a source, for which there is a credit less.          */
static bool
s_take_credit (fetch_t *fetch, process_t from)
{
    for (int index = 0; index < SOURCES; index++)
        if (fetch->sources [index].store == from && fetch->sources [index].asked) {
            fetch->sources [index].asked--;
            return true;
        }
    return false;
}

/*  Those who wait for this very piece get it.                              */
static void
s_serve_parked (transfer_t *self, fetch_t *fetch, uint64_t piece)
{
    for (list_node_t *at = fetch->parked.next, *next; at != &fetch->parked; at = next) {
        parked_t *parked = container_of (at, parked_t, node);
        next = at->next;
        if (parked->offset / TRANSFER_PIECE != piece)
            continue;
        list_remove (at);
        fetch_serve (self, fetch, &parked->route, parked->offset, parked->size);
        parked_free (self, parked);
    }
}

/*  It is asked for again, but not for ever.                                */
static void
s_damaged (transfer_t *self, fetch_t *fetch, uint64_t piece)
{
    fault_t fault;
    fetch->pieces [piece] = 0;
    fetch->next = piece < fetch->next ? piece : fetch->next;
    if (++fetch->damaged < DAMAGED_MAX)
        s_ask (self, fetch);
    else {
        fault_set (&fault, TROUPE_ESYSTEM,
                   "%d pieces of the object in a row came damaged (checksum)", DAMAGED_MAX);
        s_end (self, fetch, &fault);
    }
}

void
fetch_piece (transfer_t *self, const transfer_message_t *message, const uint8_t *data,
             size_t size)
{
    fetch_t *fetch = s_find (self, message->id);
    uint64_t piece = message->offset / TRANSFER_PIECE;
    if (!fetch || piece >= fetch->piece_count || message->offset % TRANSFER_PIECE
        || size != s_piece_size (fetch, piece))
        return;
    s_take_credit (fetch, message->from);
    self->figures.received += size;
    if (fetch->pieces [piece] == 2) {
        self->figures.repeated += size;
        return;
    }
    /*  Nobody reads what is not here, so it does no harm if it is damaged.  */
    if (checksum_copy (fetch->data + message->offset, data, size) != message->checksum) {
        s_damaged (self, fetch, piece);
        return;
    }
    fetch->damaged = fetch->lacks = 0;
    fetch->pieces [piece] = 2;
    fetch->missing--;
    s_note (self, fetch, &fetch->progress);
    s_serve_parked (self, fetch, piece);
    if (fetch->missing)
        s_ask (self, fetch);
    else
        s_end (self, fetch, NULL);
}

void
fetch_lacks (transfer_t *self, const transfer_message_t *message)
{
    fetch_t *fetch = s_find (self, message->id);
    if (!fetch || !s_take_credit (fetch, message->from))
        return;
    s_start_over (fetch);
    fetch->without = message->from;
    if (++fetch->lacks <= LACKS_AT_ONCE)
        s_locate (self, fetch);
}

void
fetch_gone (transfer_t *self, const transfer_message_t *message, const char *text, size_t length)
{
    fetch_t *fetch = s_find (self, message->id);
    fault_t fault;
    if (!fetch || message->from != message->id.owner)
        return;
    troupe_error_t code = fault_code_valid ((uint32_t) message->count)
                              ? (troupe_error_t) message->count
                              : TROUPE_EPROTOCOL;
    fault_set (&fault, code, "%.*s", (int) (length < 400 ? length : 400), text);
    s_end (self, fetch, &fault);
}

/*  --- others' requests -------------------------------------------------  */

void
fetch_serve (transfer_t *self, fetch_t *fetch, const route_t *route, uint64_t offset,
             uint64_t size)
{
    uint64_t piece = offset / TRANSFER_PIECE;
    if (piece >= fetch->piece_count || offset % TRANSFER_PIECE
        || size != s_piece_size (fetch, piece))
        return;
    if (fetch->pieces [piece] == 2)
        transfer_send_piece (self, route, fetch->id, fetch->data, offset, size);
    else
        parked_append (self, &fetch->parked, route, offset, size);
}

/*  --- time and deaths --------------------------------------------------  */

void
fetch_store_up (transfer_t *self, process_t store)
{
    size_t cursor = 0;
    for (fetch_t *fetch; (fetch = id_table_next (&self->fetches, &cursor));)
        if (fetch->id.owner == store && !fetch->located)
            s_locate (self, fetch);
}

static fetch_t *
s_next_from (transfer_t *self, process_t home)
{
    size_t cursor = 0;
    for (fetch_t *fetch; (fetch = id_table_next (&self->fetches, &cursor));)
        if (fetch->id.owner == home)
            return fetch;
    return NULL;
}

void
fetch_store_down (transfer_t *self, process_t store, const char *cause)
{
    fault_t fault;
    fault_set (&fault, TROUPE_ELOST, "the object was on a node that is lost: %s", cause);
    for (fetch_t *fetch; (fetch = s_next_from (self, store));)
        s_end (self, fetch, &fault);
    size_t cursor = 0;
    for (fetch_t *fetch; (fetch = id_table_next (&self->fetches, &cursor));)
        for (int index = 0; index < SOURCES; index++)
            if (fetch->sources [index].store == store) {
                s_start_over (fetch);
                s_locate (self, fetch);
            }
}

static void
s_overdue (transfer_t *self, fetch_t *fetch)
{
    fault_t fault;
    const other_t *home = id_table_get (&self->others, (tid_t){ 0, fetch->id.owner });
    bool known = home && *home->endpoint;
    fault_set (&fault, TROUPE_ELOST, "the object did not come within %d s: %s",
               (int) (self->patience / (1000 * CLOCK_MS)),
               !known        ? "its store is not known here"
               : fetch->lacks ? "its store names only such as do not have it"
                              : "its store does not answer");
    s_end (self, fetch, &fault);
}

int64_t
fetch_tend (transfer_t *self, int64_t now)
{
    int64_t stall = self->patience / STALLS;
    while (!list_empty (&self->fetching)) {
        fetch_t *fetch = container_of (self->fetching.next, fetch_t, node);
        int64_t quiet = fetch->asked > fetch->progress ? fetch->asked : fetch->progress;
        if (now - quiet < stall)
            return quiet + stall;
        if (now - fetch->progress >= self->patience)
            s_overdue (self, fetch);
        else {
            s_start_over (fetch);
            s_locate (self, fetch);
        }
    }
    return CLOCK_NEVER;
}

void
fetch_destroy_all (transfer_t *self)
{
    size_t cursor = 0;
    for (fetch_t *fetch; (fetch = id_table_next (&self->fetches, &cursor)); cursor = 0)
        s_destroy (self, fetch);
    id_table_release (&self->fetches);
}
