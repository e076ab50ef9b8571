/*  store_private.h - the structures of a store; all expect its lock         */

#ifndef TROUPE_STORE_PRIVATE_H
#define TROUPE_STORE_PRIVATE_H

#include "core/clock.h"
#include "core/list.h"
#include "core/table.h"
#include "store/disk.h"
#include "store/extent.h"
#include "store/store.h"
#include "store/transfer.h"
#include "wire/thread.h"

#include <pthread.h>

/*  Unless the options say otherwise.                                       */
#define ROOM_PATIENCE (10000 * CLOCK_MS)
#define CLAIM_PATIENCE (30000 * CLOCK_MS)
#define HELLO_PATIENCE (5000 * CLOCK_MS)

/*  After this time without new objects, free memory goes back.             */
#define IDLE (10000 * CLOCK_MS)

/*  So much of it in a turn, as others wait.                                */
#define GIVE_BACK ((uint64_t) 32 << 20)

/*  What is spilled at once, at least.                                      */
#define SPILL_BATCH ((uint64_t) 32 << 20)

/*  What one connection may have served in a turn: more than its buffer holds,
    so that after a turn all is done that was sent before it.               */
#define SERVE_MAX 512

/*  Ended processes that are remembered, as late messages may name them.    */
#define GONE_MAX 4096

/*  A hold may be given back before it was given, by another way: so counts
    may be negative for a while. So may one be claimed.                     */
typedef struct {
    process_t process;
    int32_t count;
    uint32_t claims;            /*  of holds that are yet to come           */
} hold_t;

/*  A hold that a process has passed on, until the holder claims it.        */
typedef struct {
    process_t giver;
    process_t holder;
    int64_t orphaned;           /*  when the giver ended, or 0              */
} passed_t;

typedef struct object {
    tid_t id;
    uint64_t size;
    uint8_t kind;
    bool sealed;
    bool copy;                  /*  of another store's object               */
    bool fetching;
    bool writing;               /*  to disk                                 */
    bool reading;
    bool doomed;                /*  nobody needs it; freed after the I/O    */
    bool remote;                /*  another store waits for it              */
    bool stale;                 /*  nobody holds it; goes with the last pin */
    unsigned pins;
    process_t creator;
    int64_t made;               /*  seconds since 1970                      */
    int64_t orphaned;           /*  since when it is in orphans             */
    extent_t *memory;           /*  NULL: not in memory                     */
    extent_t *disk;             /*  NULL: not on disk                       */
    uint64_t checksum;          /*  of what is on disk                      */
    int64_t room_since;         /*  while it waits for memory               */
    list_node_t room;
    list_node_t idle;           /*  in clean or dirty                       */
    list_node_t orphan;
    list_node_t unheld;         /*  in unheld, since the turn of this number */
    uint64_t unheld_turn;
    list_t waits;               /*  connections whose request is about it   */
    hold_t *holds;
    size_t hold_count;
    passed_t *passed;
    size_t passed_count;
    disk_job_t job;
} object_t;

/*  A process with connections.                                             */
typedef struct {
    process_t process;
    size_t connections;
    id_table_t pins;            /*  id → how often                          */
    id_table_t making;          /*  id → object_t, not sealed               */
    id_table_t far;             /*  home → far_t                            */
} client_t;

/*  Holds that a client gives to objects of one other store: how many have
    arrived there, or will not; behind the first of the two numbers, and up to
    the second, are those that will not.                                    */
typedef struct {
    process_t home;
    uint64_t ticket;
    uint64_t settled;
    uint64_t lost_after;
    uint64_t lost_to;
    list_t waits;               /*  connections, while SYNC waits           */
} far_t;

typedef struct {
    int fd;
    client_t *client;           /*  NULL before HELLO                       */
    list_node_t node;
    list_node_t stranger;       /*  in strangers, before HELLO              */
    int64_t since;
    list_node_t wait;           /*  in an object's, or a far_t's, while a
                                    request waits                           */
    uint8_t request;            /*  STORE_CREATE or STORE_PIN               */
    bool hello;                 /*  HELLO has come before the name          */
    list_node_t sync;           /*  in syncs, while SYNC waits              */
    int64_t sync_since;
    far_t *far;
    uint64_t awaited;           /*  so many holds                           */
    uint64_t known;             /*  so many of which it has been told       */
    process_t process;
} connection_t;

struct store {
    pthread_mutex_t door;       /*  whoever wants the lock waits here, so that
                                    a busy thread does not take it at once
                                    again from those who wait               */
    pthread_mutex_t lock;
    process_t name;
    char endpoint [STORE_ENDPOINT_SIZE];
    int memory_fd;
    uint8_t *base;
    extents_t extents;          /*  of memory                               */
    int listener;
    int wake;
    int poll;
    bool stopping;
    thread_t *thread;
    id_table_t objects;
    id_table_t clients;         /*  process → client_t                      */
    list_t connections;
    size_t connection_count;
    list_t strangers;           /*  those that have not said who they are   */
    int64_t accept_again;       /*  no file was left until then; or 0       */
    struct epoll_event *events; /*  one for each descriptor, at least       */
    size_t event_count;
    id_table_t tickets;         /*  ticket → far_t                          */
    uint64_t ticket_last;
    list_t syncs;               /*  connections, in the order of arrival    */
    uint64_t sequence;
    uint64_t turn;
    list_t unheld;              /*  objects that nobody holds, as it seems  */
    list_t rooms;               /*  objects that wait for memory            */
    list_t clean;               /*  unpinned, whose memory can go at once   */
    list_t dirty;               /*  unpinned, to be written first           */
    list_t orphans;             /*  objects with holds that nobody claims, and
                                    copies without a home                   */
    int64_t claim_patience;
    int64_t sync_patience;
    int64_t room_patience;
    int64_t hello_patience;
    uint64_t pinned;
    uint64_t filled;            /*  memory of what is made, or on its way here */
    int64_t used_last;          /*  when memory was last taken              */
    uint64_t writing;           /*  bytes on their way to disk              */
    uint64_t moved;             /*  what the disk had moved when last seen  */
    int64_t moved_last;         /*  when that was more, or memory was freed */
    disk_t *disk;               /*  NULL: objects are not spilled           */
    fault_t disk_fault;         /*  the last failure to write               */
    uint64_t spills;
    uint64_t restores;
    transfer_t *transfer;       /*  NULL: no other stores                   */
    process_t gone [GONE_MAX];
    size_t gone_count;
    id_table_t gone_table;
    void (*log) (void *context, const char *text);
    void *log_context;
};

static inline void
store_lock (store_t *self)
{
    pthread_mutex_lock (&self->door);
    pthread_mutex_lock (&self->lock);
    pthread_mutex_unlock (&self->door);
}

static inline void
store_unlock (store_t *self)
{
    pthread_mutex_unlock (&self->lock);
}

static inline tid_t
store_key (process_t process)
{
    return (tid_t){ 0, process };
}

/*  --- store_objects.c --------------------------------------------------  */

object_t *store_object (store_t *self, tid_t id);
object_t *store_object_new (store_t *self, tid_t id, uint64_t size, process_t creator);
void store_object_free (store_t *self, object_t *object);

/*  Asks for memory for it; what it is for follows from its state.          */
void store_want_room (store_t *self, object_t *object);
void store_find_rooms (store_t *self);

/*  ... though what nobody holds is not free yet.                           */
void store_find_rooms_now (store_t *self);

/*  Has it brought into memory, if it is not there or on its way.           */
void store_bring (store_t *self, object_t *object);

void store_pin (store_t *self, object_t *object);
void store_unpin (store_t *self, object_t *object);
void store_seal_copy (store_t *self, object_t *object, uint8_t kind);

/*  Returns 0, or -1: no memory for the hold, and it goes. giver: as below.  */
int store_seal (store_t *self, object_t *object, uint64_t size, uint8_t kind, process_t holder,
                process_t giver);

/*  All objects: at the end, and when the store has another name, after which
    what it had is out of reach; then who reads or fills one keeps its memory
    until he is done.                                                       */
void store_free_objects (store_t *self);
void store_abandon_objects (store_t *self);

int64_t store_tend (store_t *self, int64_t now);

/*  Pages that nothing lies in go back to the system.                       */
void store_give_back (store_t *self, uint64_t offset, uint64_t size);

void store_disk_done (store_t *self);

/*  Ends the disk's thread and frees what it had not done with. Returns 0, or
    -1: the thread does not end.                                            */
int store_finish_disk (store_t *self);

/*  --- store_holds.c ----------------------------------------------------  */

/*  Gives or takes a hold, or the holder has what was passed on to him; without any
    it goes, after its last pin. giver: who passes it on, or 0. Return 0, or -1:
    no memory, and nothing has changed.                                     */
int store_hold (store_t *self, object_t *object, process_t holder, process_t giver);
int store_release (store_t *self, object_t *object, process_t holder, process_t giver);
int store_claim (object_t *object, process_t holder);

bool store_is_held (const object_t *object);
void store_note_unheld (store_t *self, object_t *object);

/*  Nobody needs it: at once, or with its last pin.                         */
void store_drop (store_t *self, object_t *object);
void store_forget_holds (object_t *object);

/*  A process has ended, or only its connections have: what it holds is free; what
    it passed on waits for a while to be claimed.                           */
void store_lose_holder (store_t *self, process_t holder);
void store_lose_giver (store_t *self, process_t giver);
bool store_is_gone (const store_t *self, process_t process);
void store_note_gone (store_t *self, process_t process);
/*  It lives after all.                                                     */
void store_note_back (store_t *self, process_t process);

/*  At the end of a turn in which every connection was served: what nobody has
    held since before the turn goes.                                        */
void store_drop_unheld (store_t *self);

/*  A store has ended: copies of its objects, of whose last hold nobody tells
    any more, serve for a while.                                            */
void store_lose_home (store_t *self, process_t home);

/*  Takes back what was not claimed; returns when the next is due.          */
int64_t store_tend_orphans (store_t *self, int64_t now);

/*  --- store.c ----------------------------------------------------------  */

/*  Room for what a turn may find ready, with so many connections. Returns 0, or
    -1: no memory.                                                          */
int store_grow_events (store_t *self, size_t connections);

/*  Whether it is told of who wants to connect.                             */
void store_listen (store_t *self, bool on);

/*  --- store_connections.c ----------------------------------------------  */

/*  Accepts some of those who wait to be; tells those why for whom no file is
    left.                                                                   */
void store_accept (store_t *self);
void store_connection_close (store_t *self, connection_t *connection);

/*  Closes what has not said who it is in time, and accepts again after no file
    was left. Returns when the next is due.                                 */
int64_t store_tend_connections (store_t *self, int64_t now);

/*  --- store_clients.c --------------------------------------------------  */

void store_serve (store_t *self, connection_t *connection);
void store_send (store_t *self, connection_t *connection, const store_message_t *message,
                 const char *text, int fd);

/*  Answers HELLOs that came before the name.                               */
void store_greet (store_t *self);

/*  The object is in memory, or cannot be: answers those who wait.          */
void store_answer (store_t *self, object_t *object, const fault_t *fault);

/*  --- store_far.c ------------------------------------------------------  */

/*  HOLD, RELEASE or CLAIM for another store's object.                      */
void store_hold_far (store_t *self, connection_t *connection, const store_message_t *message);
void store_sync (store_t *self, connection_t *connection, const store_message_t *message);

/*  A hold has arrived at another store, or that has gone; or it was lost.  */
void store_settled (store_t *self, uint64_t ticket, bool arrived);

/*  Gives up SYNCs that wait for too long; returns when the next one is due. */
int64_t store_tend_syncs (store_t *self, int64_t now);
void store_forget_far (store_t *self, client_t *client);

/*  --- store_remote.c ---------------------------------------------------  */

extern const transfer_hooks_t store_transfer_hooks;

#endif
