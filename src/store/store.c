/*  store.c - the object store of a machine: its thread and its memory       */

#include "store/store_private.h"

#include "core/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*  Descriptors beside those of connections; the room for events grows by it. */
#define EVENTS_OTHER 64
#define STOP_TIMEOUT_MS 6000

/*  What of the machine's memory objects may have unless somebody says so.  */
#define MEMORY_SHARE 3
#define MEMORY_MIN ((uint64_t) 64 << 20)

/*  What an event is about, in place of a connection.                       */
static char s_listener, s_wake, s_disk, s_transfer;

/*  --- the thread -------------------------------------------------------  */

static void
s_event (store_t *self, void *subject)
{
    uint64_t number;
    if (subject == &s_disk)
        store_disk_done (self);
    else if (subject == &s_transfer)
        transfer_ready (self->transfer);
    else if (subject == &s_wake) {
        if (read (self->wake, &number, sizeof number) < 0) {
            /*  EAGAIN: it was read before.                                 */
        }
    } else
        store_serve (self, subject);
}

static int
s_sleep_ms (int64_t due, int64_t now)
{
    if (due == CLOCK_NEVER)
        return -1;
    return due <= now ? 0 : (int) ((due - now) / CLOCK_MS) + 1;
}

static int64_t
s_earlier (int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/*  Does what is due, and returns when there is more.                       */
static int64_t
s_tend (store_t *self, int64_t now)
{
    int64_t due = s_earlier (store_tend (self, now), store_tend_syncs (self, now));
    due = s_earlier (due, store_tend_connections (self, now));
    if (self->transfer)
        due = s_earlier (due, transfer_tend (self->transfer, now));
    return list_empty (&self->unheld) ? due : now;
}

/*  Who is there already is served before others come.                      */
static void
s_turn (store_t *self, int count)
{
    bool knocks = false;
    for (int index = 0; index < count; index++)
        if (self->events [index].data.ptr == &s_listener)
            knocks = true;
        else
            s_event (self, self->events [index].data.ptr);
    if (count >= 0)
        store_drop_unheld (self);
    if (knocks)
        store_accept (self);
}

static void
s_run (void *arg)
{
    store_t *self = arg;
    thread_block_signals ();
    store_lock (self);
    while (!self->stopping) {
        int64_t now = clock_now (), due = s_tend (self, now);
        self->turn++;
        store_unlock (self);
        int count = epoll_wait (self->poll, self->events, (int) self->event_count,
                                s_sleep_ms (due, now));
        store_lock (self);
        s_turn (self, count);
    }
    store_unlock (self);
}

static void
s_wake_up (store_t *self)
{
    uint64_t one = 1;
    if (write (self->wake, &one, sizeof one) < 0) {
        /*  EAGAIN: it is awake.                                            */
    }
}

/*  A turn finds all that is ready, so that it serves every connection.     */
int
store_grow_events (store_t *self, size_t connections)
{
    if (connections + EVENTS_OTHER <= self->event_count)
        return 0;
    size_t count = connections + connections / 2 + EVENTS_OTHER;
    struct epoll_event *grown = realloc (self->events, count * sizeof *grown);
    if (!grown)
        return -1;
    self->events = grown;
    self->event_count = count;
    return 0;
}

/*  --- opening ----------------------------------------------------------  */

/*  The first number in a file, or the other value.                         */
static uint64_t
s_number_in (const char *path, uint64_t otherwise)
{
    uint64_t number;
    FILE *file = fopen (path, "re");
    if (!file || fscanf (file, "%" SCNu64, &number) != 1)
        number = otherwise;
    if (file)
        fclose (file);
    return number;
}

static uint64_t
s_default_memory (void)
{
    uint64_t page = (uint64_t) sysconf (_SC_PAGESIZE);
    uint64_t memory = (uint64_t) sysconf (_SC_PHYS_PAGES) * page;
    uint64_t limit = s_number_in ("/sys/fs/cgroup/memory.max", memory);
    memory = (limit < memory ? limit : memory) / MEMORY_SHARE;
    return memory < MEMORY_MIN ? MEMORY_MIN : memory;
}

/*  Pages come into being when they are first written. It cannot be made
    smaller or larger, so that no reader's mapping loses its ground.        */
static int
s_open_memory (store_t *self, uint64_t memory, fault_t *fault)
{
    memory = (memory ? memory : s_default_memory ()) / EXTENT_UNIT * EXTENT_UNIT;
    if (extents_init (&self->extents, memory))
        return fault_set (fault, TROUPE_EINVAL, "%" PRIu64 " bytes are no size for the store",
                          memory);
    self->memory_fd = memfd_create ("troupe-objects", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (self->memory_fd < 0 || ftruncate (self->memory_fd, (off_t) memory)
        || fcntl (self->memory_fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
        return fault_set (fault, TROUPE_ESYSTEM, "no memory for objects: %s", strerror (errno));
    self->base = pages_map (self->memory_fd, memory, PROT_READ | PROT_WRITE);
    if (!self->base)
        return fault_set (fault, TROUPE_ESYSTEM, "cannot map %" PRIu64 " bytes for objects: %s",
                          memory, strerror (errno));
    return 0;
}

static int
s_listen (store_t *self, fault_t *fault)
{
    uint64_t name [2];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (getrandom (name, sizeof name, 0) != sizeof name)
        return fault_set (fault, TROUPE_ESYSTEM, "no random numbers: %s", strerror (errno));
    snprintf (self->endpoint, sizeof self->endpoint, "troupe-store-%016" PRIx64 "%016" PRIx64,
              name [0], name [1]);
    memcpy (address.sun_path + 1, self->endpoint, strlen (self->endpoint));
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1
                                  + strlen (self->endpoint));
    self->listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->listener < 0 || bind (self->listener, (struct sockaddr *) &address, size)
        || listen (self->listener, 4096))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot listen for the store's clients: %s",
                          strerror (errno));
    return 0;
}

static void
s_watch (store_t *self, int fd, void *subject, uint32_t events)
{
    struct epoll_event event = { .events = EPOLLIN | events, .data.ptr = subject };
    epoll_ctl (self->poll, EPOLL_CTL_ADD, fd, &event);
}

void
store_listen (store_t *self, bool on)
{
    struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.ptr = &s_listener };
    epoll_ctl (self->poll, EPOLL_CTL_MOD, self->listener, &event);
}

static int
s_open (store_t *self, const store_options_t *options, fault_t *fault)
{
    self->poll = epoll_create1 (EPOLL_CLOEXEC);
    self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store_grow_events (self, 0))
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the object store");
    if (self->poll < 0 || self->wake < 0)
        return fault_set (fault, TROUPE_ELIMIT, "cannot open a descriptor: %s",
                          strerror (errno));
    if (s_open_memory (self, options->memory, fault) || s_listen (self, fault))
        return -1;
    if (options->spill_folder && !(self->disk = disk_new (options->spill_folder, fault)))
        return -1;
    if (options->network) {
        transfer_options_t transfer = { .context = options->context,
                                        .network = options->network,
                                        .hooks = &store_transfer_hooks,
                                        .hooks_context = self,
                                        .patience = options->fetch_patience };
        self->transfer = transfer_new (&transfer, fault);
        if (!self->transfer)
            return -1;
        s_watch (self, transfer_fd (self->transfer), &s_transfer, 0);
    }
    s_watch (self, self->listener, &s_listener, 0);
    s_watch (self, self->wake, &s_wake, 0);
    if (self->disk)
        s_watch (self, disk_fd (self->disk), &s_disk, 0);
    return 0;
}

store_t *
store_new (const store_options_t *options, fault_t *fault)
{
    store_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the object store");
        return NULL;
    }
    pthread_mutex_init (&self->door, NULL);
    pthread_mutex_init (&self->lock, NULL);
    self->memory_fd = self->listener = self->wake = self->poll = -1;
    self->log = options->log;
    self->claim_patience = options->claim_patience ? options->claim_patience : CLAIM_PATIENCE;
    self->room_patience = options->room_patience ? options->room_patience : ROOM_PATIENCE;
    int64_t longest = STORE_SYNC_PATIENCE_S * 1000 * CLOCK_MS, sync = options->sync_patience;
    self->sync_patience = sync > 0 && sync < longest ? sync : longest;
    self->hello_patience = options->hello_patience ? options->hello_patience : HELLO_PATIENCE;
    self->log_context = options->log_context;
    list_init (&self->connections);
    list_init (&self->strangers);
    list_init (&self->rooms);
    list_init (&self->unheld);
    list_init (&self->clean);
    list_init (&self->dirty);
    list_init (&self->orphans);
    list_init (&self->syncs);
    if (s_open (self, options, fault) == 0)
        self->thread = thread_new (s_run, self, fault);
    if (!self->thread)
        store_destroy (&self);
    return self;
}

/*  --- closing ----------------------------------------------------------  */

static void
s_close (int fd)
{
    if (fd >= 0)
        close (fd);
}

int
store_destroy (store_t **self_p)
{
    store_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    store_lock (self);
    self->stopping = true;
    s_wake_up (self);
    store_unlock (self);
    if (thread_join (&self->thread, STOP_TIMEOUT_MS))
        return -1;
    store_lock (self);
    store_free_objects (self);
    while (!list_empty (&self->connections))
        store_connection_close (self,
                                container_of (self->connections.next, connection_t, node));
    int rc = store_finish_disk (self);
    store_unlock (self);
    if (rc)
        return -1;      /*  the disk hangs, and its thread uses the memory  */
    int lent = transfer_destroy (&self->transfer);
    disk_destroy (&self->disk);
    if (self->base && !lent)
        munmap (self->base, self->extents.size);
    s_close (self->memory_fd);
    s_close (self->listener);
    s_close (self->wake);
    s_close (self->poll);
    extents_release (&self->extents);
    id_table_release (&self->objects);
    id_table_release (&self->clients);
    id_table_release (&self->tickets);
    id_table_release (&self->gone_table);
    free (self->events);
    pthread_mutex_destroy (&self->door);
    pthread_mutex_destroy (&self->lock);
    free (self);
    return 0;
}

/*  --- what others tell and ask -----------------------------------------  */

/*  A host that joins again is another process: what it had is gone.        */
void
store_name (store_t *self, process_t process)
{
    store_lock (self);
    if (self->name && self->name != process) {
        store_note_gone (self, self->name);
        store_abandon_objects (self);
    }
    self->name = process;
    if (self->transfer)
        transfer_name (self->transfer, process);
    store_greet (self);
    s_wake_up (self);
    store_unlock (self);
}

const char *
store_endpoint (const store_t *self)
{
    return self->endpoint;
}

const char *
store_remote_endpoint (const store_t *self)
{
    return self->transfer ? transfer_endpoint (self->transfer) : "";
}

void
store_announce (store_t *self, process_t store, const char *name, const char *endpoint,
                const uint8_t *key)
{
    store_lock (self);
    if (self->transfer && store != self->name)
        transfer_store_up (self->transfer, store, name, endpoint, key);
    s_wake_up (self);
    store_unlock (self);
}

void
store_process_up (store_t *self, process_t process)
{
    store_lock (self);
    store_note_back (self, process);
    store_unlock (self);
}

void
store_process_down (store_t *self, process_t process, const char *cause)
{
    store_lock (self);
    store_note_gone (self, process);
    store_lose_holder (self, process);
    store_lose_giver (self, process);
    store_lose_home (self, process);
    if (self->transfer)
        transfer_store_down (self->transfer, process, cause);
    store_find_rooms (self);
    s_wake_up (self);
    store_unlock (self);
}

void
store_give_back (store_t *self, uint64_t offset, uint64_t size)
{
    fallocate (self->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset,
               (off_t) size);
}

void
store_inject (store_t *self, int write_error, int read_error, unsigned times)
{
    if (self->disk)
        disk_inject (self->disk, write_error, read_error, times);
}
