/*  folder.c - folders of files that belong to one user alone               */

#include "program/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
s_is_trusted (uid_t user)
{
    return user == 0 || user == geteuid ();
}

/*  One step of a path: neither a link that another user made nor a folder in
    which another user could exchange what comes next.                      */
static int
s_check_step (const char *path, fault_t *fault)
{
    struct stat status;
    if (lstat (path, &status))
        return fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
    if (!s_is_trusted (status.st_uid))
        return fault_set (fault, TROUPE_ESYSTEM, "%s belongs to another user", path);
    bool is_open
        = S_ISDIR (status.st_mode) && (status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX);
    if (is_open)
        return fault_set (fault, TROUPE_ESYSTEM, "%s can be changed by every user", path);
    return 0;
}

/*  Checks each step of a path and, if asked to, makes what is not there.   */
static int
s_walk (const char *path, bool make, fault_t *fault)
{
    char step [PATH_MAX];
    size_t length = strlen (path), index = 0;
    if (length >= sizeof step)
        return fault_set (fault, TROUPE_ESYSTEM, "%.60s...: %s", path, strerror (ENAMETOOLONG));
    while (index < length) {
        while (path [index] == '/')
            index++;
        index += strcspn (path + index, "/");
        memcpy (step, path, index);
        step [index] = 0;
        if (make && access (step, F_OK) && mkdir (step, 0700) && errno != EEXIST)
            return fault_set (fault, TROUPE_ESYSTEM, "cannot make %s: %s", step,
                              strerror (errno));
        if (s_check_step (step, fault))
            return -1;
    }
    return 0;
}

static int
s_open (const char *path, fault_t *fault)
{
    struct stat status;
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
    if (fstat (fd, &status))
        fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
    else if (status.st_uid != geteuid ())
        fault_set (fault, TROUPE_ESYSTEM, "%s belongs to another user", path);
    else if (status.st_mode & 077)
        fault_set (fault, TROUPE_ESYSTEM, "%s is open to others (mode %03o): chmod 700 it",
                   path, (unsigned) status.st_mode & 0777);
    else
        return fd;
    close (fd);
    return -1;
}

int
folder_open (const char *path, char **resolved, fault_t *fault)
{
    *resolved = NULL;
    if (s_walk (path, true, fault))
        return -1;
    *resolved = realpath (path, NULL);
    if (!*resolved)
        return fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
    int fd = s_walk (*resolved, false, fault) ? -1 : s_open (*resolved, fault);
    if (fd < 0) {
        free (*resolved);
        *resolved = NULL;
    }
    return fd;
}

/*  --- entries ------------------------------------------------------------ */

static int
s_compare (const void *left, const void *right)
{
    const folder_entry_t *one = left, *other = right;
    if (one->changed != other->changed)
        return one->changed < other->changed ? -1 : 1;
    return strcmp (one->name, other->name);
}

static bool
s_fill (int fd, const char *name, folder_entry_t *entry)
{
    struct stat status;
    size_t length = strlen (name);
    if (length >= sizeof entry->name || fstatat (fd, name, &status, AT_SYMLINK_NOFOLLOW)
        || !S_ISREG (status.st_mode))
        return false;
    memcpy (entry->name, name, length + 1);
    entry->changed = (int64_t) status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    entry->size = (uint64_t) status.st_size;
    return true;
}

/*  Reads entries into an array that grows. Returns false without memory.   */
static bool
s_read (DIR *folder, bool (*wanted) (const char *name), folder_entry_t **entries, size_t *count)
{
    size_t room = 0;
    struct dirent *found;
    while ((found = readdir (folder))) {
        if (!wanted (found->d_name))
            continue;
        if (*count == room) {
            room = room ? 2 * room : 16;
            folder_entry_t *grown = realloc (*entries, room * sizeof *grown);
            if (!grown)
                return false;
            *entries = grown;
        }
        *count += s_fill (dirfd (folder), found->d_name, &(*entries) [*count]);
    }
    return true;
}

folder_entry_t *
folder_list (int fd, bool (*wanted) (const char *name), size_t *count)
{
    folder_entry_t *entries = NULL;
    *count = 0;
    int own = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = own < 0 ? NULL : fdopendir (own);
    if (!folder) {
        if (own >= 0)
            close (own);
        return NULL;
    }
    if (!s_read (folder, wanted, &entries, count) || !*count) {
        free (entries);
        entries = NULL;
        *count = 0;
    } else
        qsort (entries, *count, sizeof *entries, s_compare);
    closedir (folder);
    return entries;
}
