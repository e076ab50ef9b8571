/*  place.h - where a cluster is, and what lets one in

    An address is HOST:PORT, a token, or "auto" for the cluster that runs on
    this machine. What is not given is looked for in the environment
    (TROUPE_ADDRESS, TROUPE_TOKEN), in a configuration file (the one that
    TROUPE_CONFIG names; troupe.conf in the current folder, in
    ~/.config/troupe, in /etc), and, for the token, among the clusters of
    this user on this machine. Reads files and the environment, which nobody
    may change meanwhile; does not wait for the network.                    */

#ifndef TROUPE_CLIENT_PLACE_H
#define TROUPE_CLIENT_PLACE_H

#include "wire/identity.h"

typedef struct {
    join_token_t token;         /*  with the address                        */
    bool insecure;              /*  the cluster has no keys                 */
    char endpoint [128];        /*  of the head on this machine, or ""      */
} place_t;

/*  Finds a cluster. address and token may be NULL. Returns 0, or -1 with the
    fault set; TROUPE_ENAME: none is named anywhere.                        */
int place_find (place_t *place, const char *address, const char *token, fault_t *fault);

/*  What the environment, or else a configuration file, names, whatever runs
    here: both texts are empty if that is nothing, or the cluster on this
    machine. The address is empty too if only a token names it, and the id if
    there is no token. Returns 0, or -1 with the fault set.                 */
typedef struct {
    char address [TOKEN_TEXT_SIZE];         /*  HOST:PORT                   */
    char cluster [CLUSTER_TEXT_SIZE];
} place_name_t;
int place_name (place_name_t *name, fault_t *fault);

/*  What stands for an address that is to be found by a beacon.             */
#define PLACE_BEACON "beacon"

/*  Whether this is a token, which has the address in it, rather than one.    */
bool place_is_token (const char *text);

/*  True if the environment or a configuration file names a cluster.        */
bool place_is_named (void);

#endif
