/*  replay.c - runs a fuzz target over the files of its corpus, without a fuzzer

    usage: replay_NAME [FILE or FOLDER...]
    Without arguments the corpus is fuzz/corpus/NAME in the source tree,
    which the variable srcdir names.                                        */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/*  Reads the rest of a file into memory that the caller frees.             */
static uint8_t *
s_read (FILE *file, size_t *size)
{
    size_t room = 4096;
    uint8_t *data = malloc (room);
    *size = 0;
    while (data) {
        *size += fread (data + *size, 1, room - *size, file);
        if (*size < room)
            break;
        room *= 2;
        uint8_t *grown = realloc (data, room);
        if (!grown)
            free (data);
        data = grown;
    }
    return data;
}

/*  The input is copied to memory of its exact size, so that a sanitizer sees
    a read beyond its end.                                                  */
static int
s_replay_file (const char *path)
{
    size_t size;
    FILE *file = fopen (path, "rb");
    uint8_t *data = file ? s_read (file, &size) : NULL;
    uint8_t *exact = data ? malloc (size ? size : 1) : NULL;
    if (exact) {
        memcpy (exact, data, size);
        LLVMFuzzerTestOneInput (exact, size);
    }
    else
        fprintf (stderr, "replay: %s: %s\n", path, strerror (errno));
    free (exact);
    free (data);
    if (file)
        fclose (file);
    return exact ? 1 : -1;
}

static int s_replay (const char *path);

static int
s_replay_folder (const char *path)
{
    char name [4096];
    int total = 0, count = 0;
    DIR *folder = opendir (path);
    struct dirent *entry;
    while (folder && count >= 0 && (entry = readdir (folder)) != NULL) {
        if (entry->d_name [0] == '.')
            continue;
        snprintf (name, sizeof (name), "%s/%s", path, entry->d_name);
        count = s_replay (name);
        total += count;
    }
    if (folder)
        closedir (folder);
    return folder && count >= 0 ? total : -1;
}

/*  Replays a file or all files of a folder. Returns how many, or -1.       */
static int
s_replay (const char *path)
{
    struct stat status;
    if (stat (path, &status)) {
        fprintf (stderr, "replay: %s: %s\n", path, strerror (errno));
        return -1;
    }
    return S_ISDIR (status.st_mode) ? s_replay_folder (path) : s_replay_file (path);
}

int
main (int argc, char *argv [])
{
    char corpus [4096];
    const char *source = getenv ("srcdir"), *name = strstr (argv [0], "replay_");
    char *paths [] = { argv [0], corpus, NULL };
    snprintf (corpus, sizeof (corpus), "%s/fuzz/corpus/%s", source ? source : ".",
              name ? name + strlen ("replay_") : "");
    if (argc < 2) {
        argc = 2;
        argv = paths;
    }
    int total = 0, count = 0;
    for (int index = 1; index < argc && count >= 0; index++) {
        count = s_replay (argv [index]);
        total += count;
    }
    if (count < 0 || total == 0) {
        fprintf (stderr, "replay: nothing to replay in %s\n", argv [argc - 1]);
        return 1;
    }
    printf ("replayed %d inputs\n", total);
    return 0;
}
