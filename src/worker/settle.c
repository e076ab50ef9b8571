/*  settle.c - answers that wait until the holds that their functions gave have
    arrived at other machines

    Those who wait for one store are a queue, and an executor waits for all of
    them, so that a store that does not answer delays no other answer. No thread
    that runs functions waits.                                              */

#include "worker/worker_private.h"

#include <stdlib.h>

typedef struct settling_home {
    process_t home;
    list_t queue;               /*  settling_t                              */
    list_node_t node;           /*  in the worker's due, unless an executor
                                    waits for it                            */
} settling_home_t;

static settling_home_t *
s_home (worker_t *worker, process_t process)
{
    settling_home_t *home = id_table_get (&worker->homes, (tid_t){ 0, process });
    if (home)
        return home;
    home = calloc (1, sizeof *home);
    if (!home || id_table_put (&worker->homes, (tid_t){ 0, process }, home)) {
        free (home);
        return NULL;
    }
    home->home = process;
    list_init (&home->queue);
    list_append (&worker->due, &home->node);
    return home;
}

static void
s_end (worker_t *worker, settling_t *self, const fault_t *fault)
{
    bytes_release (&self->given.holds);
    self->settled (worker, self, fault);
}

void
settle_later (worker_t *worker, settling_t *self)
{
    fault_t fault = { .code = TROUPE_OK };
    settling_home_t *home = NULL;
    if (!self->given.holds.failed && self->next == object_given_count (&self->given)) {
        s_end (worker, self, &fault);
        return;
    }
    if (!self->given.holds.failed)
        home = s_home (worker, object_given_home (&self->given, self->next));
    if (home) {
        list_append (&home->queue, &self->node);
        executor_kick (worker);
        return;
    }
    fault_set (&fault, TROUPE_ENOMEM, "no memory to wait for a hold of an object");
    s_end (worker, self, &fault);
}

bool
settle_one (worker_t *worker)
{
    list_node_t *node = list_pop (&worker->due);
    if (!node)
        return false;
    settling_home_t *home = container_of (node, settling_home_t, node);
    settling_t *first = container_of (list_pop (&home->queue), settling_t, node);
    fault_t fault;
    /*  It may have been called for a task, which is another's meanwhile.   */
    executor_kick (worker);
    int rc = object_settle (worker->peer, &first->given, first->next++, &fault);
    if (rc)
        s_end (worker, first, &fault);
    else
        settle_later (worker, first);
    if (list_empty (&home->queue)) {
        id_table_remove (&worker->homes, (tid_t){ 0, home->home });
        free (home);
    } else
        list_append (&worker->due, &home->node);
    return true;
}

void
settle_forget_all (worker_t *worker)
{
    fault_t fault;
    size_t cursor = 0;
    fault_set (&fault, TROUPE_ESTOPPED, "the runtime has stopped");
    for (settling_home_t *home; (home = id_table_next (&worker->homes, &cursor));) {
        for (list_node_t *node; (node = list_pop (&home->queue));)
            s_end (worker, container_of (node, settling_t, node), &fault);
        free (home);
    }
    id_table_release (&worker->homes);
    list_init (&worker->due);
}
