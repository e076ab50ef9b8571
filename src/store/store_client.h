/*  store_client.h - a process's way to the store of its machine

    Made without connecting, which the first object does. Requests wait for
    their answer, each on a connection of its own; what needs no answer goes
    by one connection, in order. All functions may be called from any thread. */

#ifndef TROUPE_STORE_STORE_CLIENT_H
#define TROUPE_STORE_STORE_CLIENT_H

#include "core/error.h"
#include "store/object.h"

typedef struct store_client store_client_t;

/*  endpoint: as of store_endpoint, copied. NULL: no memory.                */
store_client_t *store_client_new (const char *endpoint, process_t process);

/*  Ends the waits of others, which fail.                                   */
void store_client_close (store_client_t *self);

/*  Unmaps the memory, which nobody may read any more.                      */
void store_client_destroy (store_client_t **self_p);

/*  Makes an object of so many bytes, to be filled at *data by the caller until
    it is sealed. Blocks while the store has no room. Returns 0, or -1 with the
    fault set.                                                              */
int store_client_create (store_client_t *self, uint64_t size, tid_t *id, uint8_t **data,
                         fault_t *fault);
void store_client_seal (store_client_t *self, tid_t id, uint64_t size, uint8_t kind,
                        process_t holder, bool passed);
void store_client_abort (store_client_t *self, tid_t id);

/*  Where an object is, read only; blocks until it is here. It stays there
    until it is unpinned as often as it was pinned. Returns 0, or -1 with the
    fault set.                                                              */
int store_client_pin (store_client_t *self, tid_t id, uint64_t size, const uint8_t **data,
                      uint8_t *kind, fault_t *fault);
void store_client_unpin (store_client_t *self, tid_t id);

/*  It will be pinned soon.                                                 */
void store_client_prefetch (store_client_t *self, tid_t id, uint64_t size);

/*  See store_message.h. passed: the holder is told of it by another way, and
    claims it then; if this process ends before that, it is taken back. A hold
    of another store's object is on its way then, and its number is returned,
    counted for each store from 1; 0 for one of the store of this machine.  */
uint64_t store_client_hold (store_client_t *self, tid_t id, process_t holder, bool passed);

/*  passed: one that was passed on, of which the holder has not heard.      */
void store_client_release (store_client_t *self, tid_t id, process_t holder, bool passed);

/*  Waits until the hold of that number has arrived at the other store, so that
    others may give up theirs. Returns 0, or -1 with the fault set: it is not
    known to have.                                                          */
int store_client_settle (store_client_t *self, process_t home, uint64_t number,
                         fault_t *fault);

/*  The holder has heard of a hold that was passed on to him.               */
void store_client_claim (store_client_t *self, tid_t id, process_t holder);

/*  The store's name, 0 before the first object.                            */
process_t store_client_store (store_client_t *self);

#endif
