/*  disk.c - where objects go that memory has no room for                   */

#include "store/disk.h"

#include "core/checksum.h"
#include "core/pages.h"
#include "wire/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*  One call to the system moves so much.                                   */
#define PIECE ((size_t) 16 << 20)
#define STOP_TIMEOUT_MS 5000

/*  What the file may have.                                                 */
#define FILE_MAX ((uint64_t) 1 << 46)

struct disk {
    int file;
    int done_fd;
    char folder [256];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    list_t jobs;
    list_t done;
    int write_error;
    int read_error;
    unsigned injected;
    atomic_uint_least64_t moved;
    thread_t *thread;
    extents_t extents;
    pages_supply_t supply;
};

/*  Returns 0, or -1 with errno set.                                        */
static int
s_move (disk_t *self, const disk_job_t *job)
{
    uint64_t at = 0;
    while (at < job->size) {
        size_t piece = job->size - at < PIECE ? (size_t) (job->size - at) : PIECE;
        off_t place = (off_t) (job->offset + at);
        ssize_t moved = job->write ? pwrite (self->file, job->data + at, piece, place)
                                   : pread (self->file, job->data + at, piece, place);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved == 0)
            errno = EIO;
        if (moved <= 0)
            return -1;
        at += (uint64_t) moved;
        atomic_fetch_add_explicit (&self->moved, (uint64_t) moved, memory_order_relaxed);
    }
    return 0;
}

/*  Piece by piece, so that it is seen to get on, however large it is and however
    long the first touch of its pages takes.                                */
static uint64_t
s_sum (disk_t *self, const disk_job_t *job)
{
    uint64_t sum = job->size;
    for (uint64_t at = 0; at < job->size; at += PIECE) {
        size_t piece = job->size - at < PIECE ? (size_t) (job->size - at) : PIECE;
        sum = (sum ^ checksum_of (job->data + at, piece)) * UINT64_C (0x9e3779b97f4a7c15);
        atomic_fetch_add_explicit (&self->moved, piece, memory_order_relaxed);
    }
    return sum;
}

static void
s_do (disk_t *self, disk_job_t *job, int error)
{
    job->fault.code = TROUPE_OK;
    if (job->write)
        job->checksum = s_sum (self, job);
    else
        pages_prepare (&self->supply, job->data, job->size);
    if (error <= 0 && s_move (self, job))
        error = errno;
    if (error < 0 && !job->write)
        job->data [0] ^= 1;
    if (error > 0)
        fault_set (&job->fault, TROUPE_ESYSTEM, "cannot %s %llu bytes %s %s: %s",
                   job->write ? "write" : "read", (unsigned long long) job->size,
                   job->write ? "to" : "from", self->folder, strerror (error));
    else if (!job->write && s_sum (self, job) != job->checksum)
        fault_set (&job->fault, TROUPE_ESYSTEM,
                   "what was read from %s is not what was written (checksum)", self->folder);
}

/*  Of disk_forget.                                                         */
static void
s_make_hole (const disk_t *self, disk_job_t *job)
{
    fallocate (self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) job->offset,
               (off_t) job->size);
    free (job);
}

static int
s_injected (disk_t *self, const disk_job_t *job)
{
    int error = job->write ? self->write_error : self->read_error;
    if (!error || !self->injected)
        return 0;
    self->injected--;
    return error;
}

static void
s_run (void *arg)
{
    disk_t *self = arg;
    uint64_t one = 1;
    thread_block_signals ();
    pthread_mutex_lock (&self->lock);
    while (!self->stopping) {
        list_node_t *node = list_pop (&self->jobs);
        if (!node) {
            pthread_cond_wait (&self->changed, &self->lock);
            continue;
        }
        disk_job_t *job = container_of (node, disk_job_t, node);
        int error = job->forget ? 0 : s_injected (self, job);
        pthread_mutex_unlock (&self->lock);
        bool forget = job->forget;
        if (forget)
            s_make_hole (self, job);
        else
            s_do (self, job, error);
        pthread_mutex_lock (&self->lock);
        if (forget)
            continue;
        list_append (&self->done, &job->node);
        ssize_t rc = write (self->done_fd, &one, sizeof one);
        (void) rc;      /*  EAGAIN: it is readable already                  */
    }
    pthread_mutex_unlock (&self->lock);
}

/*  Some file systems cannot make a file without a name: it is removed then. */
static int
s_open_file (const char *folder)
{
    char path [300];
    int file = open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return file;
    snprintf (path, sizeof path, "%s/troupe-objects-XXXXXX", folder);
    file = mkostemp (path, O_CLOEXEC);
    if (file >= 0)
        unlink (path);
    return file;
}

disk_t *
disk_new (const char *folder, fault_t *fault)
{
    disk_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the disk's thread");
        return NULL;
    }
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    list_init (&self->jobs);
    list_init (&self->done);
    snprintf (self->folder, sizeof self->folder, "%s", folder);
    self->done_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->file = s_open_file (folder);
    if (extents_init (&self->extents, FILE_MAX))
        fault_set (fault, TROUPE_ENOMEM, "no memory for the disk's thread");
    else if (self->file < 0 || self->done_fd < 0)
        fault_set (fault, TROUPE_ESYSTEM, "cannot spill objects to %s: %s", folder,
                   strerror (errno));
    else
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread)
        disk_destroy (&self);
    return self;
}

int
disk_stop (disk_t *self)
{
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
    return thread_join (&self->thread, STOP_TIMEOUT_MS);
}

void
disk_destroy (disk_t **self_p)
{
    disk_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->file >= 0)
        close (self->file);
    if (self->done_fd >= 0)
        close (self->done_fd);
    extents_release (&self->extents);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

void
disk_give (disk_t *self, disk_job_t *job)
{
    pthread_mutex_lock (&self->lock);
    list_append (&self->jobs, &job->node);
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

disk_job_t *
disk_take (disk_t *self)
{
    uint64_t number;
    pthread_mutex_lock (&self->lock);
    list_node_t *node = list_pop (&self->done);
    while (!node && self->stopping && (node = list_pop (&self->jobs)))
        if (container_of (node, disk_job_t, node)->forget) {
            free (container_of (node, disk_job_t, node));
            node = NULL;
        }
    if (!node && read (self->done_fd, &number, sizeof number) < 0) {
        /*  EAGAIN: it was read before.                                     */
    }
    pthread_mutex_unlock (&self->lock);
    return node ? container_of (node, disk_job_t, node) : NULL;
}

extents_t *
disk_extents (disk_t *self)
{
    return &self->extents;
}

int
disk_fd (const disk_t *self)
{
    return self->done_fd;
}

uint64_t
disk_moved (const disk_t *self)
{
    return atomic_load_explicit (&self->moved, memory_order_relaxed);
}

void
disk_forget (disk_t *self, uint64_t offset, uint64_t size)
{
    disk_job_t *job = calloc (1, sizeof *job);
    if (!job)
        return;     /*  the room stays, and is used again                   */
    *job = (disk_job_t){ .forget = true, .offset = offset, .size = size };
    disk_give (self, job);
}

void
disk_inject (disk_t *self, int write_error, int read_error, unsigned times)
{
    pthread_mutex_lock (&self->lock);
    self->write_error = write_error;
    self->read_error = read_error;
    self->injected = times;
    pthread_mutex_unlock (&self->lock);
}
