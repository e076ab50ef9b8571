/*  pages.h - large zeroed memory that goes back to the system when freed

    malloc() learns from large blocks that are freed to keep as much the next
    time, for the whole process. Tables that grow would teach it to keep tens
    of megabytes; so from 256 kB they are mapped here, past malloc().       */

#ifndef TROUPE_CORE_PAGES_H
#define TROUPE_CORE_PAGES_H

#include <stddef.h>

/*  Zeroed memory for `count` things, or NULL when there is none.           */
void *pages_new (size_t count, size_t size);

/*  Frees it; NULL is ignored. The same count and size as when it was made. */
void pages_free (void *memory, size_t count, size_t size);

#endif
