/*  pages.c - large zeroed memory that goes back to the system when freed    */

#include "core/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MAPPED_FROM ((size_t) 256 * 1024)

void *
pages_new (size_t count, size_t size)
{
    if (!count || size > SIZE_MAX / count)
        return NULL;
    if (count * size < MAPPED_FROM)
        return calloc (count, size);
    void *memory = mmap (NULL, count * size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void
pages_free (void *memory, size_t count, size_t size)
{
    if (!memory || count * size < MAPPED_FROM)
        free (memory);
    else
        munmap (memory, count * size);
}
