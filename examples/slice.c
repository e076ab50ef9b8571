/*  slice.c - a part of a text, as a task or an actor gets it                */

#include "examples/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

size_t
slice_size (const slice_t *slice)
{
    size_t size = slice->size + 1;
    for (size_t i = 0; i < slice->count; i++)
        size += (size_t) slice->lengths [i] + 1;
    return size;
}

/*  Returns 0, or -1 with errno set; a file that ends too early is EIO.     */
static int
s_read_file (const slice_t *slice, size_t at, char *place)
{
    int file = open (slice->paths [at], O_RDONLY | O_CLOEXEC);
    size_t length = (size_t) slice->lengths [at], done = 0;
    ssize_t got = file < 0 ? -1 : 1;
    while (got > 0 && done < length) {
        got = pread (file, place + done, length - done, slice->offsets [at] + (off_t) done);
        if (got > 0)
            done += (size_t) got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    int error = got < 0 ? errno : done < length ? EIO : 0;
    if (file >= 0)
        close (file);
    errno = error;
    return error ? -1 : 0;
}

int
slice_read (const slice_t *slice, void *place, const char **path)
{
    char *at = place;
    *path = NULL;
    if (slice->size)
        memcpy (at, slice->text, slice->size);
    at += slice->size;
    *at++ = '\n';
    for (size_t i = 0; i < slice->count; i++) {
        if (s_read_file (slice, i, at)) {
            *path = slice->paths [i];
            return -1;
        }
        at += slice->lengths [i];
        *at++ = '\n';
    }
    return 0;
}
