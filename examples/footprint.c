/*  footprint.c - the memory that a process has, as the kernel counts it     */

#include "examples/footprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*  The number of kilobytes behind a name in a file of /proc, as bytes.     */
static int64_t
s_read (const char *path, const char *name)
{
    char line [256];
    int64_t kilobytes = -1;
    FILE *file = fopen (path, "re");
    while (file && kilobytes < 0 && fgets (line, sizeof line, file))
        if (strncmp (line, name, strlen (name)) == 0
            && sscanf (line + strlen (name), "%" SCNd64, &kilobytes) != 1)
            break;
    if (file)
        fclose (file);
    return kilobytes < 0 ? -1 : kilobytes * 1024;
}

footprint_t
footprint_now (void)
{
    return (footprint_t){ .own = s_read ("/proc/self/status", "RssAnon:"),
                          .shared = s_read ("/proc/self/status", "RssShmem:"),
                          .share = s_read ("/proc/self/smaps_rollup", "Pss_Shmem:") };
}
