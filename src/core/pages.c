/*  pages.c - large memory, past malloc(): private, and shared in large pages */

#include "core/pages.h"

#include "core/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPED_FROM ((size_t) 256 * 1024)

/*  So many are asked for at once, and no more for a while if each takes longer
    than its small pages would. That is so in a virtual machine, some of the
    time: where the host has taken back what was free, it has to give it anew. */
#define RUN_MAX 16
#define SLOW CLOCK_MS
#define PAUSE (10000 * CLOCK_MS)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

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

void *
pages_map (int file, size_t size, int protection)
{
    /*  A large page must begin at a multiple of its size in the process as it
        does in the file.                                                   */
    size_t room = size + PAGES_LARGE;
    uint8_t *reserved
        = mmap (NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return NULL;
    size_t before = (PAGES_LARGE - (uintptr_t) reserved % PAGES_LARGE) % PAGES_LARGE;
    void *memory = mmap (reserved + before, size, protection,
                         MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file, 0);
    if (memory == MAP_FAILED) {
        munmap (reserved, room);
        return NULL;
    }
    size_t page = (size_t) sysconf (_SC_PAGESIZE);
    uint8_t *behind = reserved + before + (size + page - 1) / page * page;
    if (before)
        munmap (reserved, before);
    if (behind < reserved + room)
        munmap (behind, (size_t) (reserved + room - behind));
    madvise (memory, size, MADV_HUGEPAGE);
    return memory;
}

/*  Whether there is a large page to come, and room for it.                 */
static bool
s_is_missing (uintptr_t place, uintptr_t end)
{
    unsigned char there = 1;
    return place < end && mincore ((void *) place, 1, &there) == 0 && !(there & 1);
}

void
pages_prepare (pages_supply_t *supply, void *place, size_t size)
{
    uintptr_t at = ((uintptr_t) place + PAGES_LARGE - 1) / PAGES_LARGE * PAGES_LARGE;
    uintptr_t end = ((uintptr_t) place + size) / PAGES_LARGE * PAGES_LARGE;
    size_t most = 1;
    if (at >= end || clock_now () < atomic_load (&supply->again))
        return;
    while (at < end) {
        uintptr_t from = at;
        for (; at - from < most * PAGES_LARGE && s_is_missing (at, end); at += PAGES_LARGE) {
            /*  Where there is nothing at all, nothing is collapsed.        */
            (void) *(volatile const uint8_t *) at;
        }
        if (at == from) {
            at += PAGES_LARGE;
            continue;
        }
        int64_t begin = clock_now ();
        int rc = madvise ((void *) from, at - from, MADV_COLLAPSE);
        int64_t now = clock_now ();
        if (rc || now - begin > (int64_t) ((at - from) / PAGES_LARGE) * SLOW) {
            atomic_store (&supply->again, now + PAUSE);
            return;
        }
        most = most < RUN_MAX ? 2 * most : most;
    }
}
