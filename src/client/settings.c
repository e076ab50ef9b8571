/*  settings.c - what the environment says of workers and object stores      */

#include "client/settings.h"

#include "core/size.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 1024

unsigned
cores_settings (void)
{
    cpu_set_t set;
    if (sched_getaffinity (0, sizeof set, &set) == 0 && CPU_COUNT (&set) > 0)
        return (unsigned) CPU_COUNT (&set);
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned) cores : 1;
}

int
workers_settings (unsigned *workers, bool *threads, fault_t *fault)
{
    const char *text = getenv ("TROUPE_WORKERS");
    *workers = cores_settings ();
    *threads = false;
    if (!text || !*text)
        return 0;
    const char *number = text;
    if (strncmp (text, "threads", 7) == 0) {
        *threads = true;
        if (!text [7])
            return 0;
        number = text [7] == ':' ? text + 8 : "";
    }
    char *end;
    unsigned long value = strtoul (number, &end, 10);
    if (!*number || *end || value < 1 || value > WORKERS_MAX)
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_WORKERS is '%s': wanted a number from 1 to %d, \"threads\" or "
                          "\"threads:N\"",
                          text, WORKERS_MAX);
    *workers = (unsigned) value;
    return 0;
}

int
store_settings (store_options_t *options, fault_t *fault)
{
    const char *memory = getenv ("TROUPE_OBJECT_MEMORY"), *folder = getenv ("TROUPE_SPILL_FOLDER");
    int64_t size = 0;
    if (memory && *memory && size_parse (memory, &size))
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_OBJECT_MEMORY is '%s': wanted a size such as 512M or 8G",
                          memory);
    options->memory = (uint64_t) size;
    if (folder && strcmp (folder, "off") == 0)
        options->spill_folder = NULL;
    else if (folder && *folder)
        options->spill_folder = folder;
    else {
        const char *temporary = getenv ("TMPDIR");
        options->spill_folder = temporary && *temporary ? temporary : "/tmp";
    }
    return 0;
}
