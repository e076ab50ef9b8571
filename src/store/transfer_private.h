/*  transfer_private.h - the structures of transfers, and what stores say

    A message is a header, as it lies in memory of little-endian machines, and
    a part with data behind it if there are any.                            */

#ifndef TROUPE_STORE_TRANSFER_PRIVATE_H
#define TROUPE_STORE_TRANSFER_PRIVATE_H

#include "core/clock.h"
#include "core/list.h"
#include "core/pages.h"
#include "core/table.h"
#include "store/transfer.h"
#include "wire/socket.h"

#include <stdatomic.h>

/*  Pieces outstanding at one source.                                       */
#define CREDITS 16

/*  Sources of one fetch, and stores that one store serves an object to at the
    same time before others are sent elsewhere.                             */
#define SOURCES 2
#define CHILDREN 2

/*  Requests that wait for something to come, and stores that take one object:
    more are dropped, and whoever made them asks again.                     */
#define PARKED_MAX 16384
#define TAKERS_MAX 10000

/*  What a request may have: the message, and what a handshake needs.       */
#define REQUEST_MAX 4096

/*  No piece for this long: the fetch has failed, unless the options say
    otherwise; for so much less, what is missing is asked for again.        */
#define FETCH_PATIENCE (30000 * CLOCK_MS)
#define STALLS 15

/*  So often in a row the home is asked at once for another source than one that
    lacks the object; then only after each stall.                           */
#define LACKS_AT_ONCE 16

/*  So many damaged pieces, and none that is good: the fetch has failed. What
    was on its way from memory that has been used anew is damaged, too.     */
#define DAMAGED_MAX (4 * CREDITS)

/*  How long an object that was served stays pinned.                        */
#define SERVED_AFTER (1000 * CLOCK_MS)

typedef enum {
    TRANSFER_LOCATE = 1,        /*  to the home: where can it be taken from?
                                    store: not there, if it is not 0        */
    TRANSFER_GET,               /*  to a source: offset, size               */
    /*  Notices, each of which arrives: offset: its number; sources [0]: to
        whom.                                                               */
    TRANSFER_HOLD,              /*  to the home: store: the holder; size: the
                                    giver; count                            */
    TRANSFER_HAS,               /*  to the home: all of it has come         */
    TRANSFER_DISCARDS,          /*  to the home: the copy is gone           */
    TRANSFER_DROPPED,           /*  from the home: nobody holds it          */
    TRANSFER_LOCATED,           /*  size, kind, sources                     */
    TRANSFER_DATA,              /*  offset, checksum; data                  */
    TRANSFER_LACKS,             /*  the source does not have it             */
    TRANSFER_GONE,              /*  the home does not have it; why          */
    TRANSFER_NOTED              /*  offset: the last notice that came in order */
} transfer_type_t;

typedef struct {
    uint8_t type;
    uint8_t kind;
    uint16_t spare;
    int32_t count;
    tid_t id;
    process_t from;
    process_t store;
    uint64_t offset;
    uint64_t size;
    uint64_t checksum;
    process_t sources [SOURCES];
} transfer_message_t;

_Static_assert (sizeof (transfer_message_t) == 80, "no padding between the fields");

typedef struct {
    uint8_t bytes [8];
    size_t size;
} route_t;

/*  Another store.                                                          */
typedef struct {
    process_t process;
    void *socket;               /*  NULL until there is something to ask    */
    list_node_t due;            /*  in the transfer's, while it is to be looked
                                    at: something may have come              */
    char endpoint [HOST_MAX + 32];      /*  "" until it is announced        */
    char name [96];
    uint8_t key [KEY_SIZE];
    uint64_t told;              /*  number of the last notice to it         */
    list_t untold;              /*  those that it has not acknowledged      */
    list_node_t telling;        /*  while there are such                    */
    uint64_t heard;             /*  number of the last notice from it       */
} other_t;

/*  A request for a piece that is not here yet, or (LOCATE_SIZE, and the store
    in place of the offset) where the object can be taken from.             */
#define LOCATE_SIZE UINT64_MAX

typedef struct {
    list_node_t node;
    route_t route;
    uint64_t offset;
    uint64_t size;
} parked_t;

/*  An object on its way to here.                                           */
typedef struct {
    tid_t id;
    uint8_t *data;
    uint64_t size;
    uint8_t kind;
    uint8_t *pieces;            /*  for each 0: missing, 1: asked, 2: here  */
    uint64_t piece_count;
    uint64_t missing;           /*  pieces that are not here                */
    uint64_t next;              /*  no piece before this is missing and not
                                    asked for                               */
    struct {
        process_t store;
        unsigned asked;
    } sources [SOURCES];
    bool located;
    int damaged;                /*  pieces since the last good one          */
    int lacks;                  /*  sources that had none, since then       */
    process_t without;          /*  the last of them                        */
    int64_t progress;           /*  when the last piece came                */
    int64_t asked;              /*  when something was last asked for       */
    list_node_t node;           /*  in the transfer's fetching              */
    list_t parked;
} fetch_t;

/*  A store that has, or gets, a copy of an object of this one.             */
typedef struct {
    process_t store;
    bool whole;
    process_t sources [SOURCES];
    unsigned children;          /*  that take it from there, not whole yet  */
    unsigned depth;             /*  stores between it and who has all of it */
} taker_t;

/*  An object that others take from here.                                   */
typedef struct {
    tid_t id;
    transfer_source_t source;
    bool here;                  /*  source is good, and pinned              */
    bool coming;                /*  from disk                               */
    int64_t last;               /*  when it was last asked for              */
    list_node_t node;           /*  in the transfer's recent, unless it only
                                    keeps its takers                        */
    list_t parked;
    taker_t *takers;            /*  in the order in which they asked        */
    size_t taker_count;
    unsigned children;          /*  of this store                           */
} serving_t;

struct transfer {
    void *context;
    const network_t *network;
    const transfer_hooks_t *hooks;
    void *hooks_context;
    process_t name;
    char endpoint [HOST_MAX + 32];
    void *socket;
    int poll;
    bool socket_due;            /*  something may have come there           */
    list_t due;                 /*  others of which the same is so          */
    id_table_t others;          /*  process → other_t                       */
    id_table_t fetches;         /*  object → fetch_t                        */
    id_table_t servings;        /*  object → serving_t                      */
    list_t fetching;            /*  fetches, the quietest first             */
    list_t recent;              /*  servings, the one asked for last last   */
    list_t telling;             /*  others with notices on their way        */
    size_t parked_count;        /*  requests that wait, altogether          */
    transfer_figures_t figures;
    int64_t patience;           /*  see transfer_options_t                  */
    pages_supply_t supply;
    atomic_uint *lent;          /*  pieces that ZeroMQ reads in place       */
};

/*  --- transfer.c -------------------------------------------------------  */

/*  Sends a request. Returns 0, or -1: that store is not known.             */
int transfer_ask (transfer_t *self, process_t store, const transfer_message_t *message);
void transfer_answer (transfer_t *self, const route_t *route, const transfer_message_t *message,
                      zmq_msg_t *data);

/*  Answers with a piece of an object whose content begins at data. ZeroMQ
    reads it in place; should the object go meanwhile, the piece is of no use
    to anybody, and its checksum does not match.                            */
void transfer_send_piece (transfer_t *self, const route_t *route, tid_t id, const uint8_t *data,
                          uint64_t offset, uint64_t size);
int transfer_connect (transfer_t *self, other_t *other);

/*  A request that waits, appended to a list, if there is room, once: who asks
    again is not answered twice; and the end of one that is in no list any more. */
void parked_append (transfer_t *self, list_t *list, const route_t *route, uint64_t offset,
                    uint64_t size);
void parked_free (transfer_t *self, parked_t *parked);

/*  The other store, made if it is not known yet. NULL: no memory.          */
other_t *transfer_other (transfer_t *self, process_t store);

/*  Frees it; what it was to be told is told to nobody.                     */
void transfer_forget (transfer_t *self, other_t *other);

/*  --- transfer_notices.c -----------------------------------------------  */

/*  Numbers a notice and sends it until it has arrived. With a ticket that is
    not 0, the hook `settled` follows. Returns 0, or -1: no memory.         */
int notice_tell (transfer_t *self, process_t store, const transfer_message_t *message,
                 uint64_t ticket);

/*  HAS or DISCARDS to the home of a copy, and DROPPED to a store that has one;
    nothing if that store has ended.                                        */
void notice_copy (transfer_t *self, tid_t id, transfer_type_t type);
void notice_dropped (transfer_t *self, tid_t id, process_t store);

void notice_hear (transfer_t *self, const route_t *route, const transfer_message_t *message);
void notice_noted (transfer_t *self, const transfer_message_t *message);
int64_t notice_tend (transfer_t *self, int64_t now);

/*  The other store has gone.                                               */
void notice_forget (transfer_t *self, other_t *other);

/*  --- transfer_fetch.c -------------------------------------------------  */

void fetch_located (transfer_t *self, const transfer_message_t *message);
void fetch_piece (transfer_t *self, const transfer_message_t *message, const uint8_t *data,
                  size_t size);
void fetch_lacks (transfer_t *self, const transfer_message_t *message);
void fetch_gone (transfer_t *self, const transfer_message_t *message, const char *text,
                 size_t length);
void fetch_store_up (transfer_t *self, process_t store);
void fetch_store_down (transfer_t *self, process_t store, const char *cause);
int64_t fetch_tend (transfer_t *self, int64_t now);
void fetch_destroy_all (transfer_t *self);

/*  Another store asks for a piece of what is on its way to here.           */
void fetch_serve (transfer_t *self, fetch_t *fetch, const route_t *route, uint64_t offset,
                  uint64_t size);

/*  --- transfer_serve.c -------------------------------------------------  */

void serving_locate (transfer_t *self, const route_t *route, const transfer_message_t *message);
void serving_get (transfer_t *self, const route_t *route, const transfer_message_t *message);
void serving_note (transfer_t *self, const transfer_message_t *message);
/*  Nobody needs it any more.                                               */
void serving_close (transfer_t *self, tid_t id);
void serving_store_down (transfer_t *self, process_t store);
int64_t serving_tend (transfer_t *self, int64_t now);
void serving_destroy_all (transfer_t *self);

#endif
