/*  store_objects.c - the life of objects in a store: memory and disk         */

#include "store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*  --- being there ------------------------------------------------------  */

object_t *
store_object (store_t *self, tid_t id)
{
    return id_table_get (&self->objects, id);
}

object_t *
store_object_new (store_t *self, tid_t id, uint64_t size, process_t creator)
{
    object_t *object = calloc (1, sizeof *object);
    if (!object || id_table_put (&self->objects, id, object)) {
        free (object);
        return NULL;
    }
    object->id = id;
    object->size = size;
    object->creator = creator;
    object->copy = id.owner != self->name;
    object->made = (int64_t) time (NULL);
    list_init (&object->waits);
    return object;
}

static void
s_free_memory (store_t *self, object_t *object)
{
    if (object->memory) {
        self->filled -= object->sealed ? 0 : object->memory->size;
        extents_give (&self->extents, object->memory);
        self->moved_last = clock_now ();
    }
    object->memory = NULL;
    list_remove (&object->idle);
}

static void
s_free_disk (store_t *self, object_t *object)
{
    if (!object->disk)
        return;
    uint64_t offset = object->disk->offset, size = object->disk->size;
    extents_give (disk_extents (self->disk), object->disk);
    disk_forget (self->disk, offset, size);
    object->disk = NULL;
}

/*  Of one that nobody needs any more, but for the disk.                    */
static void
s_bury (store_t *self, object_t *object)
{
    s_free_memory (self, object);
    s_free_disk (self, object);
    free (object->holds);
    free (object->passed);
    free (object);
}

/*  What is being written, read or received is freed when that has ended.   */
void
store_object_free (store_t *self, object_t *object)
{
    static const fault_t gone = { TROUPE_EINVAL, "the object is no longer held by anybody" };
    store_answer (self, object, &gone);
    list_remove (&object->room);
    list_remove (&object->orphan);
    list_remove (&object->unheld);
    client_t *maker = id_table_get (&self->clients, store_key (object->creator));
    if (maker && !object->sealed)
        id_table_remove (&maker->making, object->id);
    if (object->fetching && self->transfer)
        transfer_cancel (self->transfer, object->id);
    else if (object->copy && object->sealed && self->transfer)
        transfer_discard (self->transfer, object->id);
    if (!object->copy && self->transfer)
        transfer_drop (self->transfer, object->id);
    object->fetching = object->remote = false;
    id_table_remove (&self->objects, object->id);
    if (object->pins) {
        self->pinned -= object->size;
        object->pins = 0;
    }
    object->doomed = true;
    list_remove (&object->idle);
    if (!object->writing && !object->reading)
        s_bury (self, object);
}

static bool
s_is_ready (const object_t *object)
{
    return object->memory && object->sealed && !object->reading && !object->fetching;
}

/*  Where it is found when memory is needed.                                */
static void
s_rank (store_t *self, object_t *object)
{
    list_remove (&object->idle);
    if (!s_is_ready (object) || object->pins || object->writing || object->doomed)
        return;
    list_append (object->copy || object->disk ? &self->clean : &self->dirty, &object->idle);
}

/*  --- memory -----------------------------------------------------------  */

/*  Frees memory that can be had at once. False if there is none.           */
static bool
s_evict (store_t *self)
{
    list_node_t *node = list_pop (&self->clean);
    if (!node)
        return false;
    object_t *object = container_of (node, object_t, idle);
    if (object->copy && !object->disk)
        store_object_free (self, object);
    else
        s_free_memory (self, object);
    return true;
}

static void
s_disk_failed (store_t *self, const fault_t *fault)
{
    if (!self->disk_fault.code && self->log)
        self->log (self->log_context, fault->text);
    self->disk_fault = *fault;
}

static int
s_write (store_t *self, object_t *object)
{
    fault_t fault;
    object->disk = extents_take (disk_extents (self->disk), object->size);
    if (!object->disk) {
        fault_set (&fault, TROUPE_ENOMEM, "no memory to spill objects");
        s_disk_failed (self, &fault);
        return -1;
    }
    list_remove (&object->idle);
    object->writing = true;
    object->job = (disk_job_t){ .write = true,
                                .data = self->base + object->memory->offset,
                                .size = object->size,
                                .offset = object->disk->offset,
                                .subject = object };
    self->writing += object->size;
    disk_give (self->disk, &object->job);
    return 0;
}

/*  Begins to write what has not been used for longest.                     */
static void
s_spill (store_t *self, uint64_t wanted)
{
    if (!self->disk)
        return;
    wanted = wanted < SPILL_BATCH ? SPILL_BATCH : wanted;
    while (self->writing < wanted && !list_empty (&self->dirty))
        if (s_write (self, container_of (self->dirty.next, object_t, idle)))
            return;
}

static void
s_fetch (store_t *self, object_t *object)
{
    fault_t fault;
    object->fetching = true;
    if (store_is_gone (self, object->id.owner))
        fault_set (&fault, TROUPE_ELOST, "the object was on a node that is lost");
    else if (!self->transfer)
        fault_set (&fault, TROUPE_EINVAL, "the object's store is not known here");
    else if (transfer_fetch (self->transfer, object->id, self->base + object->memory->offset,
                             object->size, &fault)
             == 0)
        return;
    object->fetching = false;
    store_answer (self, object, &fault);
    store_object_free (self, object);
}

/*  It has memory: what that was for is done.                               */
static void
s_has_room (store_t *self, object_t *object)
{
    self->used_last = clock_now ();
    if (!object->copy && !object->sealed)
        store_answer (self, object, NULL);
    else if (object->disk) {
        object->reading = true;
        object->job = (disk_job_t){ .data = self->base + object->memory->offset,
                                    .size = object->size,
                                    .offset = object->disk->offset,
                                    .checksum = object->checksum,
                                    .subject = object };
        disk_give (self->disk, &object->job);
    } else
        s_fetch (self, object);
}

static void
s_no_room (store_t *self, object_t *object)
{
    fault_t fault;
    list_remove (&object->room);
    if (self->disk_fault.code)
        fault_set_cause (&fault, self->disk_fault.code, "the object store is full",
                         self->disk_fault.text, strlen (self->disk_fault.text));
    else
        fault_set (&fault, TROUPE_ELIMIT,
                   "the object store is full: of its %llu MB, %llu MB are in use, %llu MB of "
                   "them just now being read or filled%s",
                   (unsigned long long) (self->extents.size >> 20),
                   (unsigned long long) (self->extents.used >> 20),
                   (unsigned long long) ((self->pinned + self->filled) >> 20),
                   self->disk ? "" : ", and there is no folder to spill to");
    if (object->remote && self->transfer)
        transfer_servable (self->transfer, object->id, NULL);
    object->remote = false;
    store_answer (self, object, &fault);
    if (object->copy || !object->sealed)
        store_object_free (self, object);
}

/*  First come, first served; what is freed meanwhile is for the first.     */
void
store_find_rooms_now (store_t *self)
{
    while (!list_empty (&self->rooms)) {
        object_t *object = container_of (self->rooms.next, object_t, room);
        object->memory = extents_take (&self->extents, object->size);
        if (object->memory) {
            list_remove (&object->room);
            self->filled += object->memory->size;
            s_has_room (self, object);
            continue;
        }
        if (s_evict (self))
            continue;
        if (!self->disk_fault.code)
            s_spill (self, object->size);
        bool hopeless = self->disk_fault.code && !self->writing;
        if (!hopeless)
            return;
        s_no_room (self, object);
        self->disk_fault.code = TROUPE_OK;
    }
}

/*  What nobody holds any more is freed soon, and its memory is warm.       */
void
store_find_rooms (store_t *self)
{
    if (list_empty (&self->unheld))
        store_find_rooms_now (self);
}

void
store_want_room (store_t *self, object_t *object)
{
    fault_t fault;
    if (object->size > self->extents.size) {
        fault_set (&fault, TROUPE_ESIZE,
                   "%llu bytes are more than the object store has, %llu bytes",
                   (unsigned long long) object->size, (unsigned long long) self->extents.size);
        store_answer (self, object, &fault);
        if (object->copy || !object->sealed)
            store_object_free (self, object);
        return;
    }
    object->room_since = clock_now ();
    list_append (&self->rooms, &object->room);
    store_find_rooms (self);
}

/*  --- use --------------------------------------------------------------  */

void
store_bring (store_t *self, object_t *object)
{
    if (s_is_ready (object)) {
        store_answer (self, object, NULL);
        return;
    }
    bool coming = object->reading || object->fetching || list_linked (&object->room)
                  || (!object->sealed && !object->copy);
    if (!coming)
        store_want_room (self, object);
}

void
store_pin (store_t *self, object_t *object)
{
    if (object->pins++)
        return;
    self->pinned += object->size;
    list_remove (&object->idle);
}

void
store_unpin (store_t *self, object_t *object)
{
    if (!object->pins || --object->pins)
        return;
    self->pinned -= object->size;
    if (object->stale && (object->copy || !store_is_held (object)))
        store_object_free (self, object);
    else
        s_rank (self, object);
    store_find_rooms (self);
}

int
store_seal (store_t *self, object_t *object, uint64_t size, uint8_t kind, process_t holder,
            process_t giver)
{
    self->filled -= object->memory->size;
    if (size < object->size)
        extents_trim (&self->extents, object->memory, size);
    object->size = size;
    object->kind = kind;
    object->sealed = true;
    s_rank (self, object);
    store_answer (self, object, NULL);
    if (object->remote)
        store_bring (self, object);
    int rc = store_hold (self, object, holder, giver);
    store_note_unheld (self, object);
    return rc;
}

void
store_seal_copy (store_t *self, object_t *object, uint8_t kind)
{
    self->filled -= object->memory->size;
    object->kind = kind;
    object->sealed = true;
    s_rank (self, object);
    store_answer (self, object, NULL);
}

/*  --- all of them ------------------------------------------------------  */

/*  Lists them by the node for idle ones, as the table must not change while
    one walks through it.                                                   */
static void
s_collect (store_t *self, list_t *all)
{
    size_t cursor = 0;
    list_init (all);
    for (object_t *object; (object = id_table_next (&self->objects, &cursor));) {
        list_remove (&object->idle);
        list_append (all, &object->idle);
    }
}

void
store_free_objects (store_t *self)
{
    list_t all;
    s_collect (self, &all);
    for (list_node_t *node; (node = list_pop (&all));)
        store_object_free (self, container_of (node, object_t, idle));
}

void
store_abandon_objects (store_t *self)
{
    list_t all;
    s_collect (self, &all);
    for (list_node_t *node; (node = list_pop (&all));) {
        object_t *object = container_of (node, object_t, idle);
        store_forget_holds (object);
        if (object->copy || object->sealed)
            store_drop (self, object);
    }
}

/*  --- time -------------------------------------------------------------  */

static void
s_forget_pages (void *context, uint64_t offset, uint64_t size)
{
    store_t *self = context;
    store_give_back (self, offset, size);
}

/*  Those who wait for memory wait as long as some is freed, or the disk gets on. */
static int64_t
s_tend_rooms (store_t *self, int64_t now)
{
    while (!list_empty (&self->rooms)) {
        object_t *object = container_of (self->rooms.next, object_t, room);
        int64_t since = self->moved_last > object->room_since ? self->moved_last
                                                              : object->room_since;
        if (now - since < self->room_patience)
            return since + self->room_patience;
        uint64_t moved = self->writing ? disk_moved (self->disk) : self->moved;
        if (moved != self->moved) {
            self->moved = moved;
            self->moved_last = now;
            continue;
        }
        s_no_room (self, object);
        store_find_rooms (self);
    }
    return CLOCK_NEVER;
}

int64_t
store_tend (store_t *self, int64_t now)
{
    int64_t due = s_tend_rooms (self, now), orphans = store_tend_orphans (self, now);
    due = orphans < due ? orphans : due;
    if (!self->used_last)
        return due;
    if (now - self->used_last >= IDLE) {
        if (extents_each_touched (&self->extents, GIVE_BACK, s_forget_pages, self))
            return now;
        self->used_last = 0;
    } else if (self->used_last + IDLE < due)
        due = self->used_last + IDLE;
    return due;
}

/*  --- disk -------------------------------------------------------------  */

static void
s_written (store_t *self, object_t *object, const disk_job_t *job)
{
    object->writing = false;
    self->writing -= job->size;
    if (job->fault.code) {
        s_disk_failed (self, &job->fault);
        s_free_disk (self, object);
    } else {
        self->spills += job->size;
        self->disk_fault.code = TROUPE_OK;
        object->checksum = job->checksum;
    }
    s_rank (self, object);
}

static void
s_read (store_t *self, object_t *object, const disk_job_t *job)
{
    object->reading = false;
    self->filled -= object->memory->size;
    if (job->fault.code) {
        s_free_memory (self, object);
        if (object->remote && self->transfer)
            transfer_servable (self->transfer, object->id, NULL);
        object->remote = false;
        store_answer (self, object, &job->fault);
        return;
    }
    self->restores += job->size;
    s_rank (self, object);
    store_answer (self, object, NULL);
}

void
store_disk_done (store_t *self)
{
    for (disk_job_t *job; (job = disk_take (self->disk));) {
        object_t *object = job->subject;
        disk_job_t done = *job;
        if (done.write)
            s_written (self, object, &done);
        else
            s_read (self, object, &done);
        if (object->doomed)
            s_bury (self, object);
    }
    store_find_rooms (self);
}

int
store_finish_disk (store_t *self)
{
    if (!self->disk)
        return 0;
    if (disk_stop (self->disk))
        return -1;
    for (disk_job_t *job; (job = disk_take (self->disk));)
        s_bury (self, job->subject);
    return 0;
}
