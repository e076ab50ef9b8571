/*  book.c - the text of some files, and how it is cut into sublists         */

#include "examples/book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 1048576            /*  bytes of the first read from a pipe     */

typedef struct {
    int file;
    char *path;                 /*  absolute, owned                         */
    uint64_t start;             /*  of the file in the text                 */
    uint64_t size;
    bool regular;
} source_t;

struct book {
    source_t *sources;
    size_t count;
    uint64_t size;
    uint8_t *text;              /*  everything, unless all files are regular */
    size_t room;
    slice_t *slices;
    const char **paths;         /*  the slices' arrays                      */
    int64_t *offsets;
    int64_t *lengths;
    char *error;
    size_t error_room;
};

static int s_fail (book_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static int
s_fail (book_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    vsnprintf (self->error, self->error_room, format, args);
    va_end (args);
    return -1;
}

/* ------------------------------------------------------------------------
   Opening                                                                  */

static int
s_open (book_t *self, source_t *source, const char *path)
{
    struct stat info;
    source->file = open (path, O_RDONLY | O_CLOEXEC);
    if (source->file < 0 || fstat (source->file, &info))
        return s_fail (self, "%s: %s", path, strerror (errno));
    if (S_ISDIR (info.st_mode))
        return s_fail (self, "%s: is a folder", path);
    source->regular = S_ISREG (info.st_mode);
    source->start = self->size;
    source->size = source->regular ? (uint64_t) info.st_size : 0;
    if (source->regular && !source->size)
        return s_fail (self, "%s: is empty", path);
    source->path = source->regular ? realpath (path, NULL) : strdup (path);
    if (!source->path)
        return s_fail (self, "%s: %s", path, strerror (errno));
    self->size += source->size;
    return 0;
}

static int
s_reserve (book_t *self)
{
    if (self->size < self->room)
        return 0;
    size_t room = self->room ? 2 * self->room : ROOM;
    uint8_t *text = realloc (self->text, room);
    if (!text)
        return s_fail (self, "out of memory");
    self->text = text;
    self->room = room;
    return 0;
}

/*  Appends a file's bytes, and a line end, to the text.                    */
static int
s_load (book_t *self, source_t *source)
{
    source->start = self->size;
    for (;;) {
        if (s_reserve (self))
            return -1;
        ssize_t got = read (source->file, self->text + self->size,
                            self->room - (size_t) self->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return s_fail (self, "%s: %s", source->path, strerror (errno));
        if (got == 0)
            break;
        self->size += (uint64_t) got;
    }
    source->size = self->size - source->start;
    if (!source->size)
        return s_fail (self, "%s: is empty", source->path);
    if (s_reserve (self))
        return -1;
    self->text [self->size++] = '\n';
    return 0;
}

static int
s_load_all (book_t *self)
{
    self->size = 0;
    for (size_t i = 0; i < self->count; i++)
        if (s_load (self, &self->sources [i]))
            return -1;
    return 0;
}

book_t *
book_new (char *const paths [], size_t count, char *error, size_t room)
{
    book_t *self = calloc (1, sizeof (*self));
    source_t *sources = calloc (count, sizeof (*sources));
    if (!self || !sources) {
        snprintf (error, room, "out of memory");
        free (self);
        free (sources);
        return NULL;
    }
    *self = (book_t){ .sources = sources, .error = error, .error_room = room };
    int status = 0;
    bool regular = true;
    for (size_t i = 0; i < count && status == 0; i++) {
        self->count++;
        status = s_open (self, &sources [i], paths [i]);
        regular = regular && sources [i].regular;
    }
    if (status == 0 && !regular)
        status = s_load_all (self);
    if (status)
        book_destroy (&self);
    return self;
}

static void
s_release_slices (book_t *self)
{
    free (self->slices);
    free (self->paths);
    free (self->offsets);
    free (self->lengths);
    self->slices = NULL;
    self->paths = NULL;
    self->offsets = self->lengths = NULL;
}

void
book_destroy (book_t **self_p)
{
    book_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        if (self->sources [i].file >= 0)
            close (self->sources [i].file);
        free (self->sources [i].path);
    }
    s_release_slices (self);
    free (self->sources);
    free (self->text);
    free (self);
    *self_p = NULL;
}

uint64_t
book_size (const book_t *self)
{
    return self->size;
}

/* ------------------------------------------------------------------------
   Cutting                                                                  */

/*  The first blank among the bytes, or size.                               */
static size_t
s_blank_in (const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && !wordcount_blank (bytes [at]))
        at++;
    return at;
}

/*  The first place in a file, from offset on, where a blank or the end is.
    A read that fails counts as the end: who reads the range will fail too. */
static uint64_t
s_cut_file (const source_t *source, uint64_t offset)
{
    uint8_t bytes [4096];
    while (offset < source->size) {
        ssize_t got = pread (source->file, bytes, sizeof (bytes), (off_t) offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return source->size;
        size_t at = s_blank_in (bytes, (size_t) got);
        offset += at;
        if (at < (size_t) got)
            break;
    }
    return offset < source->size ? offset : source->size;
}

/*  The first place in the text, from `place` on, where it may be cut.      */
static uint64_t
s_cut (const book_t *self, uint64_t place)
{
    if (place >= self->size)
        return self->size;
    if (self->text)
        return place + s_blank_in (self->text + place, (size_t) (self->size - place));
    size_t i = 0;
    while (place >= self->sources [i].start + self->sources [i].size)
        i++;
    const source_t *source = &self->sources [i];
    if (place == source->start)
        return place;
    return source->start + s_cut_file (source, place - source->start);
}

/*  Makes a slice of the text from start to end. Its file ranges go to the
    arrays from position `used` on; returns how many those are.             */
static size_t
s_make_slice (book_t *self, slice_t *slice, uint64_t start, uint64_t end, size_t used)
{
    *slice = (slice_t){ .text = "" };
    if (self->text) {
        slice->text = self->text + start;
        slice->size = (size_t) (end - start);
        return 0;
    }
    slice->paths = self->paths + used;
    slice->offsets = self->offsets + used;
    slice->lengths = self->lengths + used;
    for (size_t i = 0; i < self->count; i++) {
        const source_t *source = &self->sources [i];
        uint64_t first = start > source->start ? start : source->start;
        uint64_t last = source->start + source->size;
        last = end < last ? end : last;
        if (first >= last)
            continue;
        self->paths [used] = source->path;
        self->offsets [used] = (int64_t) (first - source->start);
        self->lengths [used++] = (int64_t) (last - first);
        slice->count++;
    }
    return slice->count;
}

const slice_t *
book_cut (book_t *self, size_t count)
{
    s_release_slices (self);
    /*  Each file adds one range, and each cut splits one more at most.     */
    size_t ranges = count + self->count;
    self->slices = calloc (count, sizeof (slice_t));
    self->paths = calloc (ranges, sizeof (char *));
    self->offsets = calloc (ranges, sizeof (int64_t));
    self->lengths = calloc (ranges, sizeof (int64_t));
    if (!self->slices || !self->paths || !self->offsets || !self->lengths)
        return NULL;
    uint64_t start = 0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t share = self->size / count * (i + 1) + self->size % count * (i + 1) / count;
        uint64_t end = share > start ? s_cut (self, share) : start;
        used += s_make_slice (self, &self->slices [i], start, end, used);
        start = end;
    }
    return self->slices;
}
