/*  fuzz_program.c - the beginning of a program that a driver has sent, as a node
    reads it: what machine it is for, and how it is linked. No loader is asked. */

#include "fuzz/require.h"

#include "program/program_check.c"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void
s_check (int fd, size_t size)
{
    program_id_t id, header;
    fault_t fault = { 0 };
    linkage_t linkage;
    char name [32];
    int rc = program_header (fd, &header, &fault);
    REQUIRE (!rc == !fault.code);
    if (program_identify (fd, &id, &fault)) {
        REQUIRE (fault.code && *fault.text);
        return;
    }
    REQUIRE (!rc && id.size == size && id.machine == header.machine && id.bits == header.bits);
    REQUIRE (*program_machine (&id, name));
    if (s_read_linkage (fd, &linkage))
        REQUIRE (memchr (linkage.loader, 0, sizeof linkage.loader));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    int fd = memfd_create ("program", MFD_CLOEXEC);
    if (size <= INPUT_MAX && fd >= 0 && pwrite (fd, data, size, 0) == (ssize_t) size)
        s_check (fd, size);
    if (fd >= 0)
        close (fd);
    return 0;
}
