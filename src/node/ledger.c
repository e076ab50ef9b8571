/*  ledger.c - which leases a worker has started                            */

#include "node/ledger.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static ledger_t *
s_map (int fd, fault_t *fault)
{
    void *memory = mmap (NULL, sizeof (ledger_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED)
        return memory;
    fault_set (fault, TROUPE_ESYSTEM, "cannot map a worker's ledger: %s", strerror (errno));
    return NULL;
}

ledger_t *
ledger_new (int *fd, fault_t *fault)
{
    *fd = memfd_create ("troupe-ledger", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate (*fd, sizeof (ledger_t))) {
        fault_set (fault, TROUPE_ESYSTEM, "cannot make a worker's ledger: %s",
                   strerror (errno));
        if (*fd >= 0)
            close (*fd);
        return NULL;
    }
    ledger_t *self = s_map (*fd, fault);
    if (!self)
        close (*fd);
    return self;
}

ledger_t *
ledger_open (int fd, fault_t *fault)
{
    return s_map (fd, fault);
}

void
ledger_destroy (ledger_t **self_p)
{
    if (*self_p)
        munmap (*self_p, sizeof (ledger_t));
    *self_p = NULL;
}

int
ledger_write (const ledger_t *self, const char *cause, bytes_t *body)
{
    if (bytes_append (body, cause, strlen (cause) + 1))
        return -1;
    for (unsigned index = 0; index < LEASES_MAX; index++) {
        uint32_t lease = self ? atomic_load (&self->leases [index]) : 0;
        if (bytes_append (body, &lease, sizeof lease))
            return -1;
    }
    return 0;
}
