/*  beacon.h - finding a head in the local network, by broadcasts over UDP

    A head that was told to says each second, on each network that it is in,
    which cluster it is and its port: an id that is no secret. Who has a token of
    that cluster and no address for it listens for that. What comes is believed
    no more than an address that somebody types: the head's key decides.      */

#ifndef TROUPE_WIRE_BEACON_H
#define TROUPE_WIRE_BEACON_H

#include "wire/keys.h"

#define BEACON_PORT 7691
#define BEACON_INTERVAL_MS 1000

typedef struct beacon beacon_t;

/*  Starts a thread that says that the head of this cluster listens on a tcp
    port. NULL with the fault set.                                          */
beacon_t *beacon_new (const uint8_t cluster [CLUSTER_ID_SIZE], uint16_t port, fault_t *fault);

/*  Returns 0, or -1 if the thread did not end.                             */
int beacon_destroy (beacon_t **self_p);

/*  Listens for at most so long for the head of a cluster. Blocks. Returns 0,
    or -1 with the fault set: TROUPE_ETIMEOUT if there is none.             */
int beacon_find (const uint8_t cluster [CLUSTER_ID_SIZE], int timeout_ms,
                 char host [HOST_MAX + 1], uint16_t *port, fault_t *fault);

#endif
