/*  pages.h - large memory, past malloc(): private, and shared in large pages

    malloc() learns from large blocks that are freed to keep as much the next
    time, for the whole process. Tables that grow would teach it to keep tens
    of megabytes; so from 256 kB they are mapped here, past malloc().       */

#ifndef TROUPE_CORE_PAGES_H
#define TROUPE_CORE_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  A large page, which also begins at a multiple of this, of most processors.
    Where it has another size, or the kernel is older than 6.1, asking for one
    fails, or does nothing.                                                 */
#define PAGES_LARGE ((size_t) 2 << 20)

/*  Zeroed memory for `count` things, or NULL when there is none.           */
void *pages_new (size_t count, size_t size);

/*  Frees it; NULL is ignored. The same count and size as when it was made. */
void pages_free (void *memory, size_t count, size_t size);

/*  Maps all of a file of shared memory, so that large pages of the file can be
    large pages of the process. protection: as for mmap(). Freed by munmap().
    Returns NULL with errno set if it cannot be mapped.                     */
void *pages_map (int file, size_t size, int protection);

/*  What a user of large pages knows of them; zeroed at first. Threads may share
    one.                                                                    */
typedef struct {
    _Atomic int64_t again;      /*  not to be asked for before              */
    atomic_bool writing;        /*  a thread is in pages_write              */
} pages_supply_t;

/*  Gives memory, in large pages, to those parts of a range that have none yet,
    and which the system would otherwise give a small page at a time, when each
    is first written. Whoever maps them then has a fault for a large page
    instead of one for each small one. What is there keeps its content. place:
    in what pages_map returned, writable. Takes about 7 ms for 100 MB. Where the
    system has no large pages, or takes too long to give one, the rest comes in
    small pages, as it is written, and so does all in the next ten seconds. */
void pages_prepare (pages_supply_t *supply, void *place, size_t size);

/*  Gives memory, in small pages, to what of a range still has none: writes zeros
    to the file, at the offset that is mapped at the place, which takes half as
    long as the faults of who would write there first. To be called for what
    nobody uses yet: a page that is on disk may become zeros too. Does nothing
    while another thread or process writes to the file, as only one can, and
    faults do not wait; nor where the process may not write files of any size. */
void pages_write (pages_supply_t *supply, int file, uint64_t offset, void *place, size_t size);

#endif
