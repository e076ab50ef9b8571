/*  transfer.h - objects on their way between stores

    A store that needs an object asks its home, which answers with the stores
    to take it from: itself, or those that have a copy or are getting one, so
    that an object which many want spreads as a tree. It then asks for pieces,
    with so many outstanding at each source (credits), and checks each by its
    checksum (XXH3). What is missing when a connection breaks is asked for
    again; what a source does not have yet, it sends when it has it. One
    transfer serves all readers of a store.

    A store is only told to take an object from stores that asked for it
    earlier, so that no two wait for each other.

    Belongs to the store, under its lock: no function blocks.               */

#ifndef TROUPE_STORE_TRANSFER_H
#define TROUPE_STORE_TRANSFER_H

#include "core/error.h"
#include "store/object.h"
#include "wire/network.h"

/*  Of a piece.                                                             */
#define TRANSFER_PIECE ((uint64_t) 1024 << 10)

typedef struct transfer transfer_t;

/*  Where an object lies in memory.                                         */
typedef struct {
    const uint8_t *data;
    uint64_t size;
    uint8_t kind;
} transfer_source_t;

/*  A hold that is given (count 1) or taken (-1), or claimed by its holder (0).
    giver: who passes it on, or 0.                                          */
typedef struct {
    tid_t id;
    process_t holder;
    process_t giver;
    int32_t count;
} transfer_hold_t;

typedef struct {
    /*  Another store wants an object. 1: it is in memory, *source says where
        and it stays there until `served`; 0: it is on its way from disk, and
        transfer_servable follows, or has been called by then; -1: there is
        none of that name.                                                  */
    int (*serve) (void *context, tid_t id, transfer_source_t *source);
    /*  Nobody has asked for it for a while.                                */
    void (*served) (void *context, tid_t id);
    /*  A fetch has ended: fault NULL if all is there. kind: from the home. */
    void (*fetched) (void *context, tid_t id, uint8_t kind, const fault_t *fault);
    /*  A process elsewhere gives or takes a hold here, or claims one. Returns
        0, or -1: no memory, and it is told again.                          */
    int (*held) (void *context, const transfer_hold_t *hold);
    /*  A transfer_hold with a ticket has arrived, or its store has gone; or
        it was given up, as nobody has told of that store.                  */
    void (*settled) (void *context, uint64_t ticket, bool arrived);
    /*  Whether there is such an object, whose home this is.                */
    bool (*lives) (void *context, tid_t id);
    /*  The home has dropped an object: a copy is of no use any more.       */
    void (*dropped) (void *context, tid_t id);
} transfer_hooks_t;

typedef struct {
    void *context;              /*  ZeroMQ context                          */
    const network_t *network;
    const transfer_hooks_t *hooks;
    void *hooks_context;
    int64_t patience;           /*  how long a fetch waits for the next piece,
                                    and a hold for a store that is not known
                                    here; 0: 30 s                           */
} transfer_options_t;

transfer_t *transfer_new (const transfer_options_t *options, fault_t *fault);

/*  Returns 0, or -1: ZeroMQ still reads objects that it was given to send, and
    their memory must stay.                                                 */
int transfer_destroy (transfer_t **self_p);

/*  The name of the store.                                                  */
void transfer_name (transfer_t *self, process_t process);

/*  Where other stores connect.                                             */
const char *transfer_endpoint (const transfer_t *self);

/*  A descriptor that is readable when transfer_ready has something to do.  */
int transfer_fd (const transfer_t *self);
void transfer_ready (transfer_t *self);

/*  What is there, and what is due by time; returns when to call again. To be
    called before each sleep.                                               */
int64_t transfer_tend (transfer_t *self, int64_t now);

/*  name: what people call it, as "node two".                               */
void transfer_store_up (transfer_t *self, process_t store, const char *name,
                        const char *endpoint, const uint8_t *key);
void transfer_store_down (transfer_t *self, process_t store, const char *cause);

/*  What to call another store: its name and where it is; "another machine" if it
    is not known.                                                           */
#define TRANSFER_NAME_MAX (HOST_MAX + 160)

const char *transfer_store_name (const transfer_t *self, process_t store,
                                 char text [TRANSFER_NAME_MAX]);

/*  Gets an object of another store into size bytes at data. Ends with the hook
    `fetched`, unless transfer_cancel comes first. Returns 0 or -1.         */
int transfer_fetch (transfer_t *self, tid_t id, uint8_t *data, uint64_t size, fault_t *fault);
void transfer_cancel (transfer_t *self, tid_t id);

/*  What `serve` had to get from disk is there, or (source NULL) will not be. */
void transfer_servable (transfer_t *self, tid_t id, const transfer_source_t *source);

/*  To the home of an object: see `held`. It arrives once and in order, whatever
    becomes of connections, unless the home ends. With a ticket that is not 0,
    `settled` follows. Returns 0, or -1: no memory.                         */
int transfer_hold (transfer_t *self, const transfer_hold_t *hold, uint64_t ticket);

/*  Nobody holds an object of this store: those who have copies are told. True
    if it was served, so that a pin is to be taken back. A copy here is gone:
    its home is told.                                                       */
bool transfer_drop (transfer_t *self, tid_t id);
void transfer_discard (transfer_t *self, tid_t id);

typedef struct {
    uint64_t sent;
    uint64_t received;
    uint64_t repeated;          /*  part of received: had come before       */
} transfer_figures_t;

transfer_figures_t transfer_figures (const transfer_t *self);

#endif
