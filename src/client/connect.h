/*  connect.h - a seat in a cluster for one who only asks and calls         */

#ifndef TROUPE_CLIENT_CONNECT_H
#define TROUPE_CLIENT_CONNECT_H

#include "wire/network.h"

/*  Where a cluster is and what lets one in.                                */
typedef struct {
    char address [ADDRESS_TEXT_SIZE];   /*  host:port                       */
    char token [512];
} client_place_t;

/*  Finds a cluster. What is NULL is looked for in TROUPE_ADDRESS and
    TROUPE_TOKEN, in troupe.conf, and then in the state of the cluster that
    runs on this machine. Returns 0, or -1 with the fault set.              */
int client_locate (const char *address, const char *token, client_place_t *place,
                   fault_t *fault);

/*  Takes a seat, which finds the names of a namespace (NULL: ""). Values from
    64 KiB on need `objects`, and so an object store, of this process if no
    node runs on this machine. Blocks until the head has answered, for a few
    seconds at most. NULL with the fault set.                               */
troupe_t *client_connect (const char *address, const char *token, const char *space, bool objects,
                          fault_t *fault);

/*  Whether the head is gone for good, so that nothing will be answered.     */
bool client_is_lost (troupe_t *self);

/*  Gives it back and nulls the pointer. Waits for the head, a second at most.
    Not while another thread uses it.                                       */
void client_disconnect (troupe_t **self_p);

#endif
