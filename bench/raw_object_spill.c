/*  raw_object_spill.c - 4 GB in blocks of 10 MB with 1 GB of memory for them: the
    first 100 stay there, the others are written to a file; then all are read
    back, and each byte is compared                                          */

#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 400
#define KEPT 100
#define SIZE ((size_t) 10000000)

typedef struct {
    int file;
    uint8_t *memory;            /*  the blocks that stay                    */
    uint64_t *content;          /*  what a block should be                  */
    uint8_t *block;             /*  what was read from the file             */
} store_t;

static int
s_put (store_t *self, size_t index)
{
    if (index < KEPT) {
        memcpy (self->memory + index * SIZE, self->content, SIZE);
        return 0;
    }
    const uint8_t *data = (const uint8_t *) self->content;
    for (size_t done = 0; done < SIZE;) {
        off_t place = (off_t) ((index - KEPT) * SIZE + done);
        ssize_t some = pwrite (self->file, data + done, SIZE - done, place);
        if (some <= 0)
            return bench_fail ("the file takes no more");
        done += (size_t) some;
    }
    return 0;
}

static int
s_get (store_t *self, size_t index)
{
    const uint8_t *found = self->block;
    if (index < KEPT)
        found = self->memory + index * SIZE;
    else
        for (size_t done = 0; done < SIZE;) {
            off_t place = (off_t) ((index - KEPT) * SIZE + done);
            ssize_t some = pread (self->file, self->block + done, SIZE - done, place);
            if (some <= 0)
                return bench_fail ("the file ends early");
            done += (size_t) some;
        }
    return memcmp (found, self->content, SIZE) ? bench_fail ("block %zu has changed", index) : 0;
}

static int
s_measure (store_t *self, const char *name, int (*move) (store_t *self, size_t index))
{
    int64_t begin = bench_now ();
    for (size_t index = 0; index < COUNT; index++) {
        bench_fill (self->content, SIZE / 8, index);
        if (move (self, index))
            return -1;
    }
    double seconds = (double) (bench_now () - begin) / 1e9;
    bench_result_begin (name, "raw", COUNT * (double) SIZE / 1e6 / seconds, "MB/s");
    bench_result_end ();
    return 0;
}

int
main (void)
{
    const char *folder = getenv ("TMPDIR");
    store_t self = { .memory = malloc (KEPT * SIZE), .content = malloc (SIZE),
                     .block = malloc (SIZE) };
    self.file = open (folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (self.file < 0 || !self.memory || !self.content || !self.block)
        return bench_fail ("no file to write, or no memory") ? 2 : 0;
    int failed = s_measure (&self, "spill_put", s_put) || s_measure (&self, "spill_get", s_get);
    close (self.file);
    free (self.memory);
    free (self.content);
    free (self.block);
    return failed ? 1 : 0;
}
