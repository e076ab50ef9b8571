/*  private_file.c - files that only their user may read and write          */

#include "wire/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*  The folder that a path is in, to be freed.                              */
static char *
s_folder (const char *path)
{
    const char *slash = strrchr (path, '/');
    if (!slash)
        return strdup (".");
    return strndup (path, slash == path ? 1 : (size_t) (slash - path));
}

int
private_file_check_folder (const char *path, fault_t *fault)
{
    char *folder = s_folder (path);
    if (!folder)
        return fault_set (fault, TROUPE_ENOMEM, "no memory");
    struct stat status;
    int rc = 0;
    if (stat (folder, &status))
        rc = fault_set (fault, TROUPE_ESYSTEM, "%s: %s", folder, strerror (errno));
    else if (status.st_uid != geteuid () && status.st_uid != 0)
        rc = fault_set (fault, TROUPE_EINVAL, "%s belongs to another user, who could exchange "
                                             "the keys in it", folder);
    else if ((status.st_mode & 022) && !(status.st_mode & S_ISVTX))
        rc = fault_set (fault, TROUPE_EINVAL, "others may write to %s and could exchange the keys "
                                             "in it: chmod go-w %s", folder, folder);
    free (folder);
    return rc;
}

static int
s_check_file (int fd, const char *path, size_t room, fault_t *fault)
{
    struct stat status;
    if (fstat (fd, &status))
        return fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
    if (!S_ISREG (status.st_mode))
        return fault_set (fault, TROUPE_EINVAL, "%s is not a plain file", path);
    if (status.st_uid != geteuid ())
        return fault_set (fault, TROUPE_EINVAL, "%s belongs to another user", path);
    if (status.st_mode & 077)
        return fault_set (fault, TROUPE_EINVAL, "others have access to %s, so it is no secret any "
                                               "more: chmod 600 %s, and better make a new one",
                          path, path);
    if (status.st_size >= (off_t) room)
        return fault_set (fault, TROUPE_EINVAL, "%s is too large", path);
    return 0;
}

int
private_file_read (const char *path, char *text, size_t room, fault_t *fault)
{
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        return fault_set (fault, TROUPE_EINVAL, "%s is a symbolic link: name the file itself",
                          path);
    if (fd < 0)
        return fault_set (fault, errno == ENOENT ? TROUPE_ENAME : TROUPE_ESYSTEM, "%s: %s", path,
                          strerror (errno));
    int rc = s_check_file (fd, path, room, fault);
    size_t size = 0;
    ssize_t got = 1;
    while (!rc && got > 0 && size < room - 1) {
        got = read (fd, text + size, room - 1 - size);
        if (got < 0)
            rc = fault_set (fault, TROUPE_ESYSTEM, "%s: %s", path, strerror (errno));
        else
            size += (size_t) got;
    }
    close (fd);
    text [size] = 0;
    if (!rc && strlen (text) != size)
        rc = fault_set (fault, TROUPE_EINVAL, "%s is damaged", path);
    return rc;
}

static int
s_write_all (int fd, const char *text)
{
    size_t size = strlen (text);
    while (size > 0) {
        ssize_t put = write (fd, text, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        text += put;
        size -= (size_t) put;
    }
    return fsync (fd);
}

/*  Gives the file its name; if `only_new`, fails with EEXIST where there is
    one already. Some file systems lack one way to do that.                 */
static int
s_name (const char *temporary, const char *path, bool only_new)
{
    if (!only_new)
        return rename (temporary, path);
    if (renameat2 (AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    int rc = link (temporary, path);
    int cause = errno;
    unlink (temporary);
    errno = cause;
    return rc;
}

static void
s_sync_folder (const char *folder)
{
    int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync (fd);
    close (fd);
}

int
private_file_write (const char *path, const char *text, bool only_new, fault_t *fault)
{
    char *folder = s_folder (path);
    char *temporary = NULL;
    int fd = -1;
    int rc = -1;
    if (!folder || asprintf (&temporary, "%s.XXXXXX", path) < 0)
        rc = fault_set (fault, TROUPE_ENOMEM, "no memory");
    else if (mkdir (folder, 0700) && errno != EEXIST)
        fault_set (fault, TROUPE_ESYSTEM, "cannot make the folder %s: %s", folder,
                   strerror (errno));
    else if (private_file_check_folder (path, fault) == 0) {
        fd = mkostemp (temporary, O_CLOEXEC);
        rc = fd < 0 || fchmod (fd, 0600) || s_write_all (fd, text)
                 || s_name (temporary, path, only_new);
        if (rc)
            rc = fault_set (fault, errno == EEXIST ? TROUPE_EEXISTS : TROUPE_ESYSTEM,
                            "cannot write %s: %s", path, strerror (errno));
        else
            s_sync_folder (folder);
    }
    if (fd >= 0) {
        close (fd);
        if (rc)
            unlink (temporary);
    }
    free (temporary);
    free (folder);
    return rc;
}
