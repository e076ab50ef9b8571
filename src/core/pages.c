/*  pages.c - large memory, past malloc(): private, and shared in large pages */

#include "core/pages.h"

#include "core/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAPPED_FROM ((size_t) 256 * 1024)

/*  So many are asked for at once, and no more for a while if each takes longer
    than its small pages would. That is so in a virtual machine, some of the
    time: where the host has taken back what was free, it has to give it anew.
    Two, not more: that costs a twentieth, and is what is lost then.        */
#define RUN_MAX 2
#define SLOW CLOCK_MS
#define PAUSE (10000 * CLOCK_MS)

/*  What is looked at and written at once. Zeros come from a few bytes that stay
    in the processor's cache.                                               */
#define STEP ((size_t) 256 * 1024)
#define ZEROS ((size_t) 4096)

/*  A read maps the pages around it that are there, so many at once.        */
#define AROUND ((size_t) 64 * 1024)

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

/*  Writes so many zeros, at most STEP, a multiple of ZEROS.                */
static bool
s_write_zeros (int file, uint64_t offset, size_t size)
{
    static const uint8_t zeros [ZEROS];
    struct iovec parts [STEP / ZEROS];
    int count = 0;
    for (size_t done = 0; done < size; done += ZEROS)
        parts [count++] = (struct iovec){ (void *) (uintptr_t) zeros, ZEROS };
    return pwritev (file, parts, count, (off_t) offset) == (ssize_t) size;
}

/*  Writes the pages of a step that are missing, and maps them.             */
static bool
s_write_step (int file, uint64_t offset, uint8_t *place, size_t size, size_t page)
{
    unsigned char there [STEP / ZEROS];
    size_t count = size / page, at = 0;
    if (mincore (place, size, there))
        return false;
    while (at < count) {
        size_t from = at;
        for (; at < count && !(there [at] & 1); at++)
            ;
        if (at > from && !s_write_zeros (file, offset + from * page, (at - from) * page))
            return false;
        at += at == from;
    }
    for (size_t done = 0; done < size; done += AROUND)
        (void) *(volatile const uint8_t *) (place + done);
    return true;
}

/*  Only one can write to a file at a time. The lock is of processes; it goes
    with its holder, and early if that closes a descriptor of the file, which
    does no harm.                                                           */
static bool
s_lock (int file, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
    return fcntl (file, F_SETLK, &lock) == 0;
}

static void
s_write_missing (int file, uint64_t offset, uint8_t *place, size_t size, size_t page)
{
    size_t at = 0, looked = 0;
    while (at < size) {
        uintptr_t begin = (uintptr_t) place;
        /*  What has its first page is taken to have the others.            */
        if (at >= looked && !s_is_missing (begin + at, begin + size)) {
            at += PAGES_LARGE;
            continue;
        }
        if (at >= looked)
            looked = at + PAGES_LARGE;
        size_t step = size - at < STEP ? size - at : STEP;
        if (!s_write_step (file, offset + at, place + at, step, page))
            return;
        at += step;
    }
}

void
pages_write (pages_supply_t *supply, int file, uint64_t offset, void *place, size_t size)
{
    size_t page = (size_t) sysconf (_SC_PAGESIZE);
    size_t before = (page - (uintptr_t) place % page) % page;
    size_t whole = size > before ? (size - before) / page * page : 0;
    struct rlimit limit;
    /*  Beyond the limit a write would be a signal to the host.             */
    if (!whole || getrlimit (RLIMIT_FSIZE, &limit) || limit.rlim_cur != RLIM_INFINITY
        || atomic_exchange (&supply->writing, true))
        return;
    if (s_lock (file, F_WRLCK)) {
        s_write_missing (file, offset + before, (uint8_t *) place + before, whole, page);
        s_lock (file, F_UNLCK);
    }
    atomic_store (&supply->writing, false);
}
