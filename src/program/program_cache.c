/*  program_cache.c - a folder of programs, named by their hashes           */

#include "program/program.h"

#include "program/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/*  What is being received has this before its name, and is locked.         */
#define PART "part."

/*  A lock on a file, of the kind of flock, says that it is in use.         */
struct program_cache {
    char *folder;
    int fd;
    uint64_t bytes_max;
};

struct program_hold {
    int fd;
    char path [];
};

struct program_receive {
    program_cache_t *cache;
    int fd;
    char part [64];
    uint8_t hash [PROGRAM_HASH_SIZE];
    uint64_t size;
    crypto_generichash_state state;
    uint64_t hashed;            /*  bytes from the beginning                */
    bool is_in_order;
};

/*  --- files --------------------------------------------------------------- */

static bool
s_is_program (const char *name)
{
    return strlen (name) == 2 * PROGRAM_HASH_SIZE
           && strspn (name, "0123456789abcdef") == 2 * PROGRAM_HASH_SIZE;
}

static bool
s_is_part (const char *name)
{
    return strncmp (name, PART, strlen (PART)) == 0;
}

/*  Opens and locks a file. A descriptor, or -1: it is not there, or in use
    in a way that excludes this one.                                        */
static int
s_open_locked (int folder, const char *name, int operation)
{
    struct stat opened, named;
    int fd = openat (folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    /*  It may have been removed, or another have come in its place, until it
        was locked.                                                         */
    if (flock (fd, operation | LOCK_NB) == 0 && fstat (fd, &opened) == 0
        && fstatat (folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0
        && opened.st_ino == named.st_ino && S_ISREG (opened.st_mode))
        return fd;
    close (fd);
    return -1;
}

/*  Removes a file unless it is in use.                                     */
static bool
s_remove (int folder, const char *name)
{
    int fd = s_open_locked (folder, name, LOCK_EX);
    if (fd < 0)
        return false;
    bool removed = unlinkat (folder, name, 0) == 0;
    close (fd);
    return removed;
}

/*  --- cache --------------------------------------------------------------- */

/*  Removes what processes that were killed have left.                      */
static void
s_sweep (program_cache_t *self)
{
    size_t count;
    folder_entry_t *entries = folder_list (self->fd, s_is_part, &count);
    for (size_t index = 0; index < count; index++)
        s_remove (self->fd, entries [index].name);
    free (entries);
}

program_cache_t *
program_cache_new (const char *folder, uint64_t bytes_max, fault_t *fault)
{
    struct statvfs system;
    program_cache_t *self = calloc (1, sizeof *self);
    if (!self || sodium_init () < 0) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the cache of programs");
        free (self);
        return NULL;
    }
    self->bytes_max = bytes_max;
    self->fd = folder_open (folder, &self->folder, fault);
    if (self->fd < 0)
        fault_prefix (fault, "the cache of programs");
    else if (fstatvfs (self->fd, &system) == 0 && (system.f_flag & ST_NOEXEC))
        fault_set (fault, TROUPE_ESYSTEM,
                   "the cache of programs: %s is on a file system from which nothing may run "
                   "(noexec)",
                   self->folder);
    else {
        s_sweep (self);
        return self;
    }
    program_cache_destroy (&self);
    return NULL;
}

void
program_cache_destroy (program_cache_t **self_p)
{
    program_cache_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->fd >= 0)
        close (self->fd);
    free (self->folder);
    free (self);
}

void
program_cache_evict (program_cache_t *self, uint64_t room)
{
    size_t count;
    uint64_t total = room;
    s_sweep (self);
    folder_entry_t *entries = folder_list (self->fd, s_is_program, &count);
    for (size_t index = 0; index < count; index++)
        total += entries [index].size;
    for (size_t index = 0; index < count && total > self->bytes_max; index++)
        if (s_remove (self->fd, entries [index].name))
            total -= entries [index].size;
    free (entries);
}

/*  --- finding ------------------------------------------------------------- */

/*  True if the content is what the name says. A machine that lost its power
    may have left less.                                                     */
static bool
s_is_intact (int fd, const uint8_t *hash)
{
    struct stat status;
    uint8_t found [PROGRAM_HASH_SIZE];
    return fstat (fd, &status) == 0 && status.st_size > 0
           && (uint64_t) status.st_size <= PROGRAM_SIZE_MAX
           && program_hash (fd, (uint64_t) status.st_size, found) == 0
           && memcmp (found, hash, PROGRAM_HASH_SIZE) == 0;
}

program_hold_t *
program_cache_find (program_cache_t *self, const uint8_t hash [PROGRAM_HASH_SIZE])
{
    program_name_t name;
    program_name (hash, name);
    size_t size = strlen (self->folder) + sizeof name + 1;
    program_hold_t *hold = malloc (sizeof *hold + size);
    if (!hold)
        return NULL;
    snprintf (hold->path, size, "%s/%s", self->folder, name);
    hold->fd = s_open_locked (self->fd, name, LOCK_SH);
    if (hold->fd >= 0 && s_is_intact (hold->fd, hash)) {
        futimens (hold->fd, NULL);
        return hold;
    }
    if (hold->fd >= 0) {
        close (hold->fd);
        s_remove (self->fd, name);
    }
    free (hold);
    return NULL;
}

const char *
program_hold_path (const program_hold_t *self)
{
    return self->path;
}

void
program_hold_destroy (program_hold_t **self_p)
{
    if (*self_p)
        close ((*self_p)->fd);
    free (*self_p);
    *self_p = NULL;
}

/*  --- receiving ----------------------------------------------------------- */

static int
s_refuse (const program_receive_t *self, int error, fault_t *fault)
{
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return fault_set (fault, is_full ? TROUPE_ELIMIT : TROUPE_ESYSTEM,
                      "cannot keep a program of %ju bytes in %s: %s", (uintmax_t) self->size,
                      self->cache->folder, strerror (error));
}

/*  Makes the file that receives. A sweep by another process may take it
    before it is locked; then another one is made.                          */
static int
s_make_part (program_receive_t *self)
{
    uint8_t random [16];
    struct stat status;
    for (;;) {
        memcpy (self->part, PART, strlen (PART));
        randombytes_buf (random, sizeof random);
        sodium_bin2hex (self->part + strlen (PART), sizeof self->part - strlen (PART), random,
                        sizeof random);
        self->fd = openat (self->cache->fd, self->part,
                           O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (self->fd < 0)
            return -1;
        bool is_locked = flock (self->fd, LOCK_EX | LOCK_NB) == 0;
        if (is_locked && fstat (self->fd, &status) == 0 && status.st_nlink > 0)
            return 0;
        int error = errno;
        unlinkat (self->cache->fd, self->part, 0);
        close (self->fd);
        self->fd = -1;
        if (!is_locked && error != EWOULDBLOCK) {
            errno = error;
            return -1;
        }
    }
}

/*  Takes the room on the disk at once, where the file system can.          */
static int
s_begin (program_receive_t *self, fault_t *fault)
{
    if (s_make_part (self))
        return s_refuse (self, errno, fault);
    if (fallocate (self->fd, 0, 0, (off_t) self->size) && errno != EOPNOTSUPP && errno != ENOSYS
        && errno != EINTR)
        return s_refuse (self, errno, fault);
    crypto_generichash_init (&self->state, NULL, 0, PROGRAM_HASH_SIZE);
    return 0;
}

program_receive_t *
program_receive_new (program_cache_t *cache, const uint8_t hash [PROGRAM_HASH_SIZE],
                     uint64_t size, fault_t *fault)
{
    uint64_t most = cache->bytes_max < PROGRAM_SIZE_MAX ? cache->bytes_max : PROGRAM_SIZE_MAX;
    if (size == 0 || size > most) {
        fault_set (fault, size ? TROUPE_ELIMIT : TROUPE_EINVAL,
                   "a program of %ju bytes: here it must have 1 to %ju", (uintmax_t) size,
                   (uintmax_t) most);
        return NULL;
    }
    program_receive_t *self = aligned_alloc (_Alignof (program_receive_t), sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory to receive a program");
        return NULL;
    }
    memset (self, 0, sizeof *self);
    self->cache = cache;
    self->fd = -1;
    self->size = size;
    self->is_in_order = true;
    memcpy (self->hash, hash, PROGRAM_HASH_SIZE);
    program_cache_evict (cache, size);
    if (s_begin (self, fault))
        program_receive_destroy (&self);
    return self;
}

int
program_receive_write (program_receive_t *self, uint64_t offset, const void *data, size_t size,
                       fault_t *fault)
{
    if (offset > self->size || size > self->size - offset)
        return fault_set (fault, TROUPE_EPROTOCOL,
                          "%zu bytes at %ju are not of a program of %ju bytes", size,
                          (uintmax_t) offset, (uintmax_t) self->size);
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite (self->fd, (const char *) data + done, size - done,
                              (off_t) (offset + done));
        if (put < 0 && errno != EINTR)
            return s_refuse (self, errno, fault);
        done += put > 0 ? (size_t) put : 0;
    }
    if (offset != self->hashed)
        self->is_in_order = false;
    if (!self->is_in_order)
        return 0;
    crypto_generichash_update (&self->state, data, size);
    self->hashed += size;
    return 0;
}

static int
s_verify (program_receive_t *self, fault_t *fault)
{
    uint8_t found [PROGRAM_HASH_SIZE] = { 0 };
    if (self->is_in_order && self->hashed < self->size)
        return fault_set (fault, TROUPE_EPROTOCOL,
                          "a program arrived in part: %ju of %ju bytes",
                          (uintmax_t) self->hashed, (uintmax_t) self->size);
    /*  Without the room taken at once, a chunk that is missing at the end
        leaves the file short.                                              */
    if (self->is_in_order)
        crypto_generichash_final (&self->state, found, PROGRAM_HASH_SIZE);
    else if (program_hash (self->fd, self->size, found) && errno != ENODATA)
        return s_refuse (self, errno, fault);
    if (memcmp (found, self->hash, PROGRAM_HASH_SIZE) != 0)
        return fault_set (fault, TROUPE_EPROTOCOL,
                          "a program arrived that is not the one asked for");
    return 0;
}

/*  Gives the file its name, unless another process was first.              */
static int
s_publish (program_receive_t *self, fault_t *fault)
{
    program_name_t name;
    int folder = self->cache->fd;
    if (fchmod (self->fd, 0500))
        return s_refuse (self, errno, fault);
    if (linkat (folder, self->part, folder, program_name (self->hash, name), 0)
        && errno != EEXIST)
        return s_refuse (self, errno, fault);
    return 0;
}

int
program_receive_commit (program_receive_t **self_p, fault_t *fault)
{
    program_receive_t *self = *self_p;
    int rc = s_verify (self, fault);
    if (rc == 0)
        rc = s_publish (self, fault);
    program_receive_destroy (self_p);
    return rc;
}

void
program_receive_destroy (program_receive_t **self_p)
{
    program_receive_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->fd >= 0) {
        unlinkat (self->cache->fd, self->part, 0);
        close (self->fd);
    }
    free (self);
}
