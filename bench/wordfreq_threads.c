/*  wordfreq_threads.c - the counting code of wordfreq in a bare loop and on
    plain threads, to compare wordfreq with                                  */

#include "examples/wordcount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define ADDED_MAX 256           /*  words that are added at once            */

typedef struct {
    int file;
    uint64_t offset;
    uint64_t length;
    wordcount_t *counts;
    pthread_t thread;
    bool running;
    int error;
} part_t;

static double
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void *
s_count (void *argument)
{
    part_t *part = argument;
    part->counts = wordcount_new ();
    if (!part->counts || wordcount_file (part->counts, part->file, part->offset, part->length))
        part->error = errno;
    return NULL;
}

/*  The first place from offset on where the text may be cut.               */
static uint64_t
s_cut (int file, uint64_t offset, uint64_t size)
{
    unsigned char byte;
    while (offset < size && pread (file, &byte, 1, (off_t) offset) == 1
           && !wordcount_blank (byte))
        offset++;
    return offset;
}

/*  Adds the counts of all parts to those of the first.                     */
static int
s_merge (part_t *parts, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        wordcount_entry_t entries [ADDED_MAX];
        size_t cursor = 0, used;
        do {
            used = 0;
            while (used < ADDED_MAX
                   && wordcount_next (parts [i].counts, &cursor, &entries [used]))
                used++;
            if (wordcount_add_all (parts [0].counts, entries, used))
                return -1;
        } while (used);
    }
    return 0;
}

/*  Counts the file on so many threads, the first of them this one.         */
static int
s_run (int file, uint64_t size, unsigned threads, wordcount_entry_t *top, int64_t *words)
{
    part_t parts [THREADS_MAX] = { { 0 } };
    uint64_t offset = 0;
    int status = 0;
    for (unsigned i = 0; i < threads; i++) {
        uint64_t end = i + 1 == threads ? size : s_cut (file, size / threads * (i + 1), size);
        end = end < offset ? offset : end;
        parts [i] = (part_t){ .file = file, .offset = offset, .length = end - offset };
        offset = end;
        if (i)
            parts [i].running = !pthread_create (&parts [i].thread, NULL, s_count, &parts [i]);
    }
    for (unsigned i = 0; i < threads; i++) {
        if (parts [i].running)
            pthread_join (parts [i].thread, NULL);
        else
            s_count (&parts [i]);
        if (parts [i].error)
            status = -1;
    }
    if (status == 0)
        status = s_merge (parts, threads);
    if (status == 0 && wordcount_top (parts [0].counts, top, 1) == 1) {
        *words = wordcount_words (parts [0].counts);
        printf ("%8u  %-16.*s %12" PRId64, threads, (int) top->length, top->word, top->count);
    }
    for (unsigned i = 0; i < threads; i++)
        wordcount_destroy (&parts [i].counts);
    return status;
}

int
main (int argc, char *argv [])
{
    unsigned threads = argc > 2 ? (unsigned) strtoul (argv [2], NULL, 10) : 2;
    int file = argc > 1 ? open (argv [1], O_RDONLY | O_CLOEXEC) : -1;
    struct stat info;
    if (argc < 2 || argc > 3 || threads < 1 || threads > THREADS_MAX) {
        fputs ("usage: wordfreq_threads FILE [THREADS]\n", stderr);
        return 2;
    }
    if (file < 0 || fstat (file, &info)) {
        fprintf (stderr, "wordfreq_threads: %s: %s\n", argv [1], strerror (errno));
        return 1;
    }
    printf (" threads  word                    count   seconds      words/s\n");
    unsigned plan [2] = { 1, threads };
    for (unsigned i = 0; i < (threads > 1 ? 2 : 1); i++)
        for (unsigned run = 0; run < 5; run++) {
            wordcount_entry_t top;
            int64_t words = 0;
            double start = s_now ();
            if (s_run (file, (uint64_t) info.st_size, plan [i], &top, &words)) {
                fprintf (stderr, "wordfreq_threads: cannot count %s\n", argv [1]);
                return 1;
            }
            double seconds = s_now () - start;
            printf (" %9.4f %12.0f\n", seconds, (double) words / seconds);
        }
    close (file);
    return 0;
}
