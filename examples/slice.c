/*  slice.c - a part of a text, as a task or an actor gets it                */

#include "examples/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
s_count_file (const slice_t *slice, size_t at, wordcount_t *counts)
{
    if (slice->offsets [at] < 0 || slice->lengths [at] < 0) {
        errno = EINVAL;
        return -1;
    }
    int file = open (slice->paths [at], O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    int status = wordcount_file (counts, file, (uint64_t) slice->offsets [at],
                                 (uint64_t) slice->lengths [at]);
    int error = errno;
    close (file);
    errno = error;
    return status;
}

int
slice_count (const slice_t *slice, wordcount_t *counts, const char **path)
{
    *path = NULL;
    if (wordcount_feed (counts, slice->text, slice->size) || wordcount_finish (counts))
        return -1;
    for (size_t i = 0; i < slice->count; i++)
        if (s_count_file (slice, i, counts)) {
            *path = slice->paths [i];
            return -1;
        }
    return 0;
}
