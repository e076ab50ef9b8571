/*  ledger.h - which leases a worker has started, for others to read after it
    has died

    One page or two of memory shared between a worker and its node. A worker
    writes the number of a lease into its slot before it runs the task, so
    that after a crash it is known exactly which tasks had begun, without a
    message for each.                                                       */

#ifndef TROUPE_NODE_LEDGER_H
#define TROUPE_NODE_LEDGER_H

#include "core/bytes.h"
#include "core/error.h"
#include "core/id.h"
#include "head/head_state.h"

#include <stdatomic.h>

typedef struct {
    _Atomic process_t process;              /*  0 until the worker has joined */
    _Atomic uint32_t leases [LEASES_MAX];
} ledger_t;

/*  New shared memory; *fd is to be inherited by the worker, and the caller's to
    be closed. NULL with the fault set, and then *fd is closed or -1.       */
ledger_t *ledger_new (int *fd, fault_t *fault);

/*  Maps what was inherited; fd may be closed afterwards. NULL with the fault
    set.                                                                    */
ledger_t *ledger_open (int fd, fault_t *fault);

/*  Unmaps it; the other side's mapping stays. NULL inside is allowed.      */
void ledger_destroy (ledger_t **self_p);

/*  Appends the body of WORKER_LOST: the cause, NUL, and what was started. Of a
    ledger that is NULL nothing was. Returns 0, or -1: no memory.           */
int ledger_write (const ledger_t *self, const char *cause, bytes_t *body);

/*  A worker is about to run the task of a lease. From any of its threads; each
    slot has one task at a time. NULL is allowed.                           */
static inline void
ledger_start (ledger_t *self, uint32_t lease)
{
    if (self)
        atomic_store_explicit (&self->leases [lease % LEASES_MAX], lease, memory_order_relaxed);
}

#endif
