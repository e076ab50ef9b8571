/*  init.c - troupe_init and troupe_term                                    */

#include "client/cluster.h"
#include "client/remote.h"
#include "worker/worker.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKERS_MAX 1024

static atomic_bool s_running;

/*  The cores that this process may use.                                    */
static unsigned
s_cores (void)
{
    cpu_set_t set;
    if (sched_getaffinity (0, sizeof set, &set) == 0 && CPU_COUNT (&set) > 0)
        return (unsigned) CPU_COUNT (&set);
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned) cores : 1;
}

/*  TROUPE_WORKERS: N, "threads", or "threads:N".                           */
static int
s_read_workers (unsigned *workers, bool *threads, fault_t *fault)
{
    const char *text = getenv ("TROUPE_WORKERS");
    *workers = s_cores ();
    *threads = false;
    if (!text || !*text)
        return 0;
    const char *number = text;
    if (strncmp (text, "threads", 7) == 0) {
        *threads = true;
        if (!text [7])
            return 0;
        number = text [7] == ':' ? text + 8 : "";
    }
    char *end;
    unsigned long value = strtoul (number, &end, 10);
    if (!*number || *end || value < 1 || value > WORKERS_MAX)
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_WORKERS is '%s': wanted a number from 1 to %d, \"threads\" or "
                          "\"threads:N\"",
                          text, WORKERS_MAX);
    *workers = (unsigned) value;
    return 0;
}

/*  A cluster of its own.                                                   */
static troupe_t *
s_embed (fault_t *fault)
{
    unsigned workers;
    bool threads;
    if (s_read_workers (&workers, &threads, fault))
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
    remote_t *remote = remote_new (&place, ROLE_DRIVER, space ? space : "", fault);
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
    troupe_t *self = place_is_named () ? s_connect (&fault) : s_embed (&fault);
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
