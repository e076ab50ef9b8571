/*  slice.h - a part of a text, as a task or an actor gets it: bytes, or the
    ranges of files that hold them                                           */

#ifndef EXAMPLES_SLICE_H
#define EXAMPLES_SLICE_H

#include "examples/wordcount.h"

/*  Borrowed memory. The text is size bytes, and after them the ranges of
    files; each of these is cut at the ends of words.                       */
typedef struct {
    const void *text;
    size_t size;
    const char *const *paths;
    const int64_t *offsets;
    const int64_t *lengths;
    size_t count;               /*  files                                   */
} slice_t;

/*  Counts the words of a slice. Returns 0, or -1 with errno set and, if a
    file is at fault, its path in *path, else NULL.                         */
int slice_count (const slice_t *slice, wordcount_t *counts, const char **path);

/*  A slice as one piece of text: how many bytes it has, and what they are, in
    which a line end stands behind each part. Returns as slice_count.       */
size_t slice_size (const slice_t *slice);
int slice_read (const slice_t *slice, void *place, const char **path);

#endif
