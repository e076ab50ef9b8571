/*  disk.h - where objects go that memory has no room for: a file and a thread

    The file has no name, so that nothing is left of it however the process
    ends. Jobs are done in the order in which they come; what is written is
    summed up (XXH3, github.com/Cyan4973/xxHash), and what is read compared
    with that sum.                                                          */

#ifndef TROUPE_STORE_DISK_H
#define TROUPE_STORE_DISK_H

#include "core/error.h"
#include "core/list.h"
#include "store/extent.h"

#include <stdint.h>

typedef struct disk disk_t;

/*  Belongs to the caller, who leaves it and the data alone until it is done. */
typedef struct {
    list_node_t node;
    bool write;
    bool forget;                /*  neither: what lies there is of no use   */
    uint8_t *data;
    uint64_t size;
    uint64_t offset;            /*  in the file                             */
    uint64_t checksum;          /*  of what was written; to be read         */
    fault_t fault;              /*  code TROUPE_OK, or why not              */
    void *subject;              /*  the caller's                            */
} disk_job_t;

/*  A file in the folder, which must be there. NULL with the fault set.     */
disk_t *disk_new (const char *folder, fault_t *fault);

/*  Waits for the job at hand; the others are not done, and disk_take then
    returns them too. Returns 0, or -1: the disk hangs.                     */
int disk_stop (disk_t *self);

/*  Of one that has stopped.                                                */
void disk_destroy (disk_t **self_p);

/*  From one thread: gives a job, takes one that is done or NULL. The
    descriptor is readable when there may be one.                           */
void disk_give (disk_t *self, disk_job_t *job);
disk_job_t *disk_take (disk_t *self);
int disk_fd (const disk_t *self);

/*  Bytes summed up, written and read so far: tells a slow disk from one that
    hangs. From any thread.                                                 */
uint64_t disk_moved (const disk_t *self);

/*  Which parts of the file are free.                                       */
extents_t *disk_extents (disk_t *self);

/*  What lies there is not needed any more: after the jobs given so far the
    room goes back to the file system, which may take its time.             */
void disk_forget (disk_t *self, uint64_t offset, uint64_t size);

/*  For tests: fails the next so many writes and reads with these errors; -1
    damages what is read.                                                   */
void disk_inject (disk_t *self, int write_error, int read_error, unsigned times);

#endif
