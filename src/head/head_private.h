/*  head_private.h - the structures of the head's state                     */

#ifndef TROUPE_HEAD_PRIVATE_H
#define TROUPE_HEAD_PRIVATE_H

#include "head/head_state.h"

#include "core/clock.h"

/*  A worker's load is a level, leases for each slot; workers of one level
    are in one list, so that the least loaded is found at once.             */
#define LEVELS (LEASES_MAX + 1)

/*  What one round trip to a worker may cost: work of this length is sent
    ahead.                                                                  */
#define PREFETCH_WINDOW (400 * CLOCK_US)
#define PREFETCH_MAX 511

#define SUSPECT_AFTER (3000 * CLOCK_MS)
#define DEAD_AFTER (10000 * CLOCK_MS)
#define STUCK_AFTER (2 * CLOCK_MS)
#define TICK (500 * CLOCK_MS)

typedef struct lane lane_t;

typedef struct {
    uint32_t number;
    char *name;
    int64_t service;            /*  ns, moving average; -1 until known      */
    unsigned prefetch;          /*  leases beyond the slots                 */
    lane_t *lanes;              /*  linked by next                          */
} function_t;

/*  The tasks that wait for one function at one depth of nesting.           */
struct lane {
    list_node_t node;           /*  among the lanes that hold tasks         */
    lane_t *next;
    function_t *function;
    uint32_t depth;
    list_t tasks;
};

typedef struct {
    process_t process;
    role_t role;
    char *label;
    unsigned slots;
    unsigned blocked;           /*  executors that wait inside a task       */
    unsigned outstanding;       /*  leases                                  */
    unsigned recalled;          /*  asked back and not yet answered         */
    size_t outstanding_bytes;
    size_t actors;
    bool submitted;             /*  has ever owned a task                   */
    bool suspect;
    bool loaded;                /*  holds more leases than it can run       */
    unsigned refill;            /*  gets no more until it holds so few      */
    int64_t heard;
    int64_t progress;           /*  last lease done, or first given         */
    list_node_t node;           /*  in its level                            */
    uint8_t *offers;            /*  by function number                      */
    size_t offers_size;
    head_task_t **leases;       /*  LEASES_MAX, by slot                     */
    list_t answered;            /*  tasks in the hope of their answer       */
    uint16_t *free_slots;
    uint32_t generation;
} head_peer_t;

/*  A task that may be repeated is kept, once answered, until its owner has
    the answer: it can be lost with the worker.                             */
typedef enum { TASK_PARKED, TASK_READY, TASK_LEASED, TASK_ANSWERED } task_state_t;

struct head_task {
    list_node_t node;           /*  in its lane                             */
    tid_t id;
    uint64_t arrival;
    head_peer_t *worker;
    lane_t *lane;
    int64_t deadline;           /*  CLOCK_NEVER if it has none              */
    await_waiter_t *waiters;    /*  one for each value that may be missing  */
    process_t *subscribers;
    uint8_t *attachments;       /*  NULL: behind the body                   */
    uint32_t lease;
    uint32_t unresolved;
    uint32_t waiter_count;
    uint32_t subscriber_count;
    uint32_t body_size;
    uint32_t attachment_count;
    uint32_t attachments_size;
    uint8_t retries;
    uint8_t state;
    bool cancelled;
    uint8_t body [];
};

typedef struct {
    list_node_t node;
    process_t asker;
    tid_t id;
} finder_t;

struct head_state {
    uint32_t epoch;
    uint32_t joined;            /*  processes so far                        */
    uint64_t arrivals;
    id_table_t peers;           /*  process → head_peer_t                   */
    id_table_t tasks;           /*  id → head_task_t                        */
    id_table_t actors;          /*  id → head_actor_t                       */
    name_table_t names;         /*  name of an actor → head_actor_t         */
    name_table_t function_names;
    function_t **functions;     /*  by number - 1                           */
    size_t function_count;
    await_t await;
    list_t lanes;               /*  those that hold tasks                   */
    list_t levels [LEVELS];
    size_t lowest;              /*  no level below holds a worker           */
    list_t homeless;            /*  actors that wait for a worker           */
    size_t workers;             /*  in levels                               */
    size_t loaded;              /*  of these, with leases ahead             */
    size_t ready;
    size_t parked;
    size_t leased;
    size_t answered;
    size_t task_bytes;
    int64_t ticked;
    head_action_t *actions;
    size_t action_count;
    size_t action_capacity;
    bool failed;
};

static inline tid_t
head_key (process_t process)
{
    return (tid_t){ 0, process };
}

static inline head_peer_t *
head_peer (head_state_t *self, process_t process)
{
    return id_table_get (&self->peers, head_key (process));
}

/*  Leases that are not held by waiting executors.                          */
static inline unsigned
head_load (const head_peer_t *peer)
{
    return peer->outstanding > peer->blocked ? peer->outstanding - peer->blocked : 0;
}

/*  An action for the peer, zeroed but for that; a dummy if memory ran out. */
head_action_t *head_act (head_state_t *self, head_action_type_t type, process_t peer);

/*  A HEAD_FAULT for the owner of id.                                       */
void head_act_fault (head_state_t *self, tid_t id, troupe_error_t code, const char *format, ...)
    TROUPE_PRINTF_ (4, 5);

/*  Puts a worker into the level that its load gives it, or into none.      */
void head_place (head_state_t *self, head_peer_t *peer);

/*  tasks: gives out what is ready.                                         */
void head_give_out (head_state_t *self, int64_t now);

/*  tasks: the parts of losing a process that concern them.                 */
void head_lose_leases (head_state_t *self, head_peer_t *peer, const char *cause,
                       const uint32_t *ledger);
void head_lose_owned_tasks (head_state_t *self, const head_peer_t *owner);
void head_recall_stuck (head_state_t *self, int64_t now);
bool head_recall_wanted (head_state_t *self);
void head_task_destroy (head_state_t *self, head_task_t *task);

/*  The same, but for the table of tasks, which is left as it is.           */
void head_task_free (head_state_t *self, head_task_t *task);

/*  actors: the same.                                                       */
void head_lose_actors (head_state_t *self, const head_peer_t *peer, const char *cause);
void head_house_actors (head_state_t *self);
void head_actor_destroy (head_state_t *self, head_actor_t *actor);
void head_actor_free (head_state_t *self, head_actor_t *actor);

#endif
