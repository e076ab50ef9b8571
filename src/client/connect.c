/*  connect.c - a seat in a cluster for one who only asks and calls          */

#include "client/connect.h"

#include "client/remote.h"

#include <stdio.h>

int
client_locate (const char *address, const char *token, client_place_t *place, fault_t *fault)
{
    place_t found;
    if (place_find (&found, address, token, fault))
        return -1;
    network_address (place->address, found.token.host, found.token.port);
    int rc = token_write (&found.token, place->token, fault);
    token_wipe (&found.token);
    return rc;
}

troupe_t *
client_connect (const char *address, const char *token, const char *space, bool objects,
                fault_t *fault)
{
    place_t place;
    if (place_find (&place, address, token, fault))
        return NULL;
    remote_t *remote = remote_new (&place, ROLE_CLIENT, space ? space : "", objects, fault);
    token_wipe (&place.token);
    return remote ? remote_peer (remote) : NULL;
}

bool
client_is_lost (troupe_t *self)
{
    pthread_mutex_lock (&self->lock);
    bool lost = self->lost.code != TROUPE_OK;
    pthread_mutex_unlock (&self->lock);
    return lost;
}

void
client_disconnect (troupe_t **self_p)
{
    if (!*self_p)
        return;
    fault_t fault;
    remote_t *remote = (*self_p)->remote;
    *self_p = NULL;
    remote_destroy (&remote, &fault);
}
