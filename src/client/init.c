/*  init.c - troupe_init and troupe_term                                    */

#include "client/cluster.h"
#include "client/remote.h"
#include "client/settings.h"
#include "peer/registry.h"
#include "worker/worker.h"

#include <stdlib.h>

static atomic_bool s_running;

/*  A cluster of its own.                                                   */
static troupe_t *
s_embed (fault_t *fault)
{
    unsigned workers;
    bool threads;
    if (workers_settings (&workers, &threads, fault))
        return NULL;
    cluster_t *cluster = cluster_new (workers, threads, fault);
    if (!cluster)
        return NULL;
    troupe_t *self = cluster_peer (cluster);
    self->embedded = cluster;
    return self;
}

/*  One that runs already.                                                  */
static troupe_t *
s_connect (fault_t *fault)
{
    place_t place;
    const char *space = getenv ("TROUPE_NAMESPACE");
    if (place_find (&place, NULL, NULL, fault))
        return NULL;
    remote_t *remote = remote_new (&place, ROLE_DRIVER, space ? space : "", true, fault);
    token_wipe (&place.token);
    return remote ? remote_peer (remote) : NULL;
}

troupe_t *
troupe_init (int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    const char *boot = getenv ("TROUPE_BOOT");
    if (boot)
        worker_main (boot);
    fault_t fault;
    if (atomic_exchange (&s_running, true)) {
        fault_raise (TROUPE_EEXISTS, "this process has a runtime already");
        return NULL;
    }
    thread_prepare ();
    troupe_t *self = NULL;
    if (registry_check (&fault) == 0)
        self = place_is_named () ? s_connect (&fault) : s_embed (&fault);
    if (self)
        return self;
    atomic_store (&s_running, false);
    fault_note (&fault);
    return NULL;
}

int
troupe_term (troupe_t **self_p)
{
    fault_t fault;
    if (!self_p || !*self_p)
        return 0;
    cluster_t *cluster = (*self_p)->embedded;
    remote_t *remote = (*self_p)->remote;
    *self_p = NULL;
    int rc = remote ? remote_destroy (&remote, &fault) : cluster_destroy (&cluster, &fault);
    atomic_store (&s_running, false);
    return rc ? fault_note (&fault) : 0;
}
