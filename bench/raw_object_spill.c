/*  raw_object_spill.c - 3 GB written to a file in pieces of 10 MB, and read
    back: what of 4 GB does not fit into 1 GB                                */

#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 300
#define SIZE ((size_t) 10000000)

typedef ssize_t move_t (int fd, uint8_t *data, size_t size, off_t place);

static ssize_t
s_write (int fd, uint8_t *data, size_t size, off_t place)
{
    return pwrite (fd, data, size, place);
}

static ssize_t
s_read (int fd, uint8_t *data, size_t size, off_t place)
{
    return pread (fd, data, size, place);
}

static int
s_measure (const char *name, move_t *move, int fd, uint8_t *data)
{
    int64_t begin = bench_now ();
    for (size_t index = 0; index < COUNT; index++)
        for (size_t done = 0; done < SIZE;) {
            ssize_t some = move (fd, data + done, SIZE - done, (off_t) (index * SIZE + done));
            if (some <= 0)
                return bench_fail ("%s stopped", name);
            done += (size_t) some;
        }
    double seconds = (double) (bench_now () - begin) / 1e9;
    bench_result_begin (name, "raw", (double) (COUNT * SIZE) / 1e6 / seconds, "MB/s");
    bench_result_end ();
    return 0;
}

int
main (void)
{
    const char *folder = getenv ("TMPDIR");
    int fd = open (folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    uint8_t *data = malloc (SIZE);
    if (fd < 0 || !data)
        return bench_fail ("no file to write") ? 2 : 0;
    memset (data, 3, SIZE);
    int failed = s_measure ("spill_put", s_write, fd, data)
                 || s_measure ("spill_get", s_read, fd, data);
    close (fd);
    free (data);
    return failed ? 1 : 0;
}
