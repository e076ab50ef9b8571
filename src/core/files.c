/*  files.c - divides the files that this process may have open              */

#include "core/files.h"

#include <limits.h>
#include <sys/resource.h>

/*  More connections than this no process is made for.                      */
#define NETWORK_MAX 8000

/*  What a process needs for itself, at least; but not more than half of all. */
#define OWN_MIN 128

/*  What starting a thread must leave over for sockets and files.           */
#define THREAD_RESERVE 64

static size_t
s_size (rlim_t files)
{
    return files < INT_MAX ? (size_t) files : INT_MAX;
}

size_t
files_max (void)
{
    struct rlimit files;
    return getrlimit (RLIMIT_NOFILE, &files) ? INT_MAX : s_size (files.rlim_cur);
}

size_t
files_raise (void)
{
    struct rlimit files;
    if (getrlimit (RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit (RLIMIT_NOFILE, &files);
    }
    return files_max ();
}

/*  What connections may have together.                                     */
static size_t
s_for_connections (void)
{
    size_t all = files_max (), own = all / 4;
    if (own < OWN_MIN)
        own = all / 2 < OWN_MIN ? all / 2 : OWN_MIN;
    return all - own;
}

size_t
files_for_network (void)
{
    size_t share = s_for_connections () / 3 * 2;
    return share < NETWORK_MAX ? share : NETWORK_MAX;
}

size_t
files_for_address (void)
{
    return files_for_network () / 2;
}

bool
files_left_for_local (int fd)
{
    return (size_t) fd < s_for_connections ();
}

bool
files_left_for_thread (int fd)
{
    return (size_t) fd + THREAD_RESERVE <= files_max ();
}
