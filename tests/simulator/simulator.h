/*  simulator.h - a world of simulated processes around the head's real state
    machine

    The messages between processes are real frames; links keep their order, but
    each has delays of its own. A process that crashes takes with it what it
    sent last: of its messages, in the order of sending over all its links,
    those after some point are lost. A worker's ledger survives it. What fails
    ends the test that runs.                                                */

#ifndef TROUPE_TESTS_SIMULATOR_H
#define TROUPE_TESTS_SIMULATOR_H

#include "head/head_private.h"

#include "tests/agenda.h"
#include "tests/chance.h"
#include "tests/simulated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define HEAD UINT32_MAX             /*  the number of the head as a peer    */
#define EPOCH 9

/*  Functions: how long they run, and what is special about them.           */
enum { QUICK, SHORT, LONG, NESTED, JUMPY, HEAVY, FUNCTIONS };

extern const char *const simulator_function_names [FUNCTIONS];

typedef struct {
    const char *name;
    uint64_t seed;
    unsigned workers;
    unsigned drivers;
    unsigned slots;             /*  at most, of a worker                    */
    unsigned outstanding;       /*  futures of a driver                     */
    unsigned chaos_ms;          /*  between two calamities, on average      */
    unsigned check_every;       /*  events between two checks of everything */
    unsigned share;             /*  of the events, in percent               */
} scenario_t;

typedef enum { FUTURE_TASK, FUTURE_ACTOR, FUTURE_FIND } kind_t;
typedef enum { PENDING, VALUE, FAULT, CANCELLED } result_t;

/*  A future as its owner has it, with what the whole world knows of it.    */
typedef struct {
    uint8_t kind;
    uint8_t result;
    uint8_t retries;
    uint8_t starts;             /*  on any worker                           */
    uint8_t head_faults;        /*  that the head has decided               */
    uint8_t targets;            /*  SUBSCRIBEs not yet served               */
    uint64_t parent;            /*  the run that waits for it, or 0         */
} future_t;

/*  A task on a worker.                                                     */
typedef struct {
    list_node_t node;
    uint64_t serial;
    tid_t id;
    uint32_t function;
    uint32_t depth;
    uint32_t lease;
    uint32_t subscribers [8];
    uint32_t subscriber_count;
    uint32_t children;
    int64_t started;
    bool nested;                /*  its children were submitted             */
    bool cancelled;
} run_t;

typedef struct {
    uint32_t from, to;
    uint64_t index;             /*  in the order of sending of `from`       */
    size_t size;
    uint8_t frame [];
} message_t;

typedef struct {
    uint32_t number;
    role_t role;
    process_t name;             /*  as it knows it itself                   */
    process_t head_name;        /*  as the head knows it                    */
    bool alive;
    bool lost;                  /*  the head was told, or has decided so    */
    bool partitioned;
    unsigned slowness;
    uint64_t sent, delivered, cut;
    int64_t to_head, from_head; /*  when the links' last messages arrive    */
    message_t **held;           /*  by a partition                          */
    size_t held_count;

    future_t *futures;          /*  by sequence - 1                         */
    size_t future_count;
    size_t pending;

    unsigned slots;
    unsigned running;
    unsigned blocked;
    unsigned done_count;        /*  DONE pairs not yet sent                 */
    uint8_t done [8 * 64];
    list_t queue;
    list_t runs;
    list_t waiting;
    uint32_t *ledger;
    struct { tid_t id; uint64_t number; bool built; } actors [16];
} peer_t;

typedef enum {
    EVENT_MESSAGE, EVENT_TURN, EVENT_TICK, EVENT_ACT, EVENT_FINISH, EVENT_FLUSH, EVENT_PING,
    EVENT_NOTICE, EVENT_JOIN, EVENT_CHAOS, EVENT_HEAL, EVENT_KILL, EVENT_TIMEOUT, EVENT_BUILT
} event_type_t;

typedef struct {
    uint64_t events, tasks, values, faults, cancelled, reruns, recalled, crashes, lost_drivers;
    uint64_t drops, stalls, actors, found, checks, nested, dependent;
} tally_t;

typedef struct {
    const scenario_t *scenario;
    head_state_t *head;
    uint64_t random;
    int64_t now;
    uint64_t serial;
    uint64_t turns;
    uint64_t hash;
    agenda_t agenda;
    peer_t **peers;
    uint32_t peer_count;
    uint32_t *by_name;          /*  count in a name → number                */
    uint32_t joined;
    uint32_t functions [FUNCTIONS];
    id_table_t links;           /*  between peers: when the last arrives    */
    bytes_t frame;
    int64_t stopped_until;      /*  the head does nothing                   */
    unsigned workers_alive;
    bool turn_due;
    bool recall_due;
    bool dropped;               /*  a peer, by the actions being performed  */
    bool by_ledger;             /*  a ledger decides what has failed        */
    bool quiet;                 /*  no new work, no new calamities          */
    tally_t tally;
} world_t;

/*  --- world.c: events, messages, processes ------------------------------  */

/*  An event of that type, so much later.                                   */
void simulator_after (world_t *world, int64_t delay, event_type_t type, uint32_t peer,
                      uint64_t detail);

/*  A process by the name that the head gave it.                            */
peer_t *simulator_named (world_t *world, process_t name);

/*  HEAD, or the number of a process.                                       */
void simulator_send (world_t *world, uint32_t from, uint32_t to, const record_t *record);

/*  To a process by its name; 0 is the head.                                */
void simulator_send_named (world_t *world, peer_t *from, process_t to, const record_t *record);
void simulator_send_short (world_t *world, peer_t *from, uint8_t type, uint64_t number,
                           const uint8_t *body, uint32_t size);

/*  A new process, which says hello to the head.                            */
peer_t *simulator_start (world_t *world, role_t role);
void simulator_free_runs (list_t *list);

/*  Ends a process. Some of what it sent last never arrives. Its parent will
    notice.                                                                 */
void simulator_kill (world_t *world, peer_t *peer);

/*  --- owners.c: futures, and who waits for them -------------------------  */

/*  NULL if the owner has no such future.                                   */
future_t *simulator_future (peer_t *owner, uint64_t sequence);
tid_t simulator_id (const peer_t *owner, uint64_t sequence);
void simulator_send_value (world_t *world, peer_t *from, tid_t id, process_t target,
                           result_t result);

/*  A future reaches its end. Of the targets, the producer has served some. */
void simulator_settle (world_t *world, peer_t *owner, uint64_t sequence, result_t result,
                       unsigned served);

/*  The value may have been lost on its way to the head.                    */
void simulator_send_again (world_t *world, peer_t *owner, uint64_t sequence);

/*  The owner is to send the value to the head, which parks a task for it.  */
void simulator_add_target (world_t *world, peer_t *owner, uint64_t sequence);
void simulator_cancel (world_t *world, peer_t *owner, uint64_t sequence, result_t result);
void simulator_submit (world_t *world, peer_t *owner, unsigned function, uint32_t depth,
                       uint64_t parent, unsigned needs);

/*  A driver does something, by chance.                                     */
void simulator_act (world_t *world, peer_t *owner);

/*  --- workers.c: tasks that run, and what processes receive -------------  */

/*  A worker tells the head what it has done.                               */
void simulator_flush (world_t *world, peer_t *peer);

/*  A future of a nested task has its result.                               */
void simulator_child_done (world_t *world, peer_t *peer, uint64_t serial);

/*  A task has run.                                                         */
void simulator_finish (world_t *world, peer_t *peer, uint64_t serial);

/*  An actor is up.                                                         */
void simulator_built (world_t *world, peer_t *peer, uint64_t number, unsigned slot);
void simulator_peer_receive (world_t *world, peer_t *peer, uint32_t from,
                             const record_t *record);

/*  --- head.c: the head's shell around the real state machine ------------  */

/*  The head is told that a process has ended.                              */
void simulator_head_lose (world_t *world, peer_t *peer, const char *cause,
                          const uint32_t *ledger);

/*  Does what the head has decided.                                         */
void simulator_perform (world_t *world);
void simulator_head_receive (world_t *world, peer_t *peer, const record_t *record);

/*  The head will dispatch, in a moment.                                    */
void simulator_turn_soon (world_t *world);
void simulator_turn (world_t *world);

/*  --- run.c: what happens, and the checks of it -------------------------  */

/*  Runs a scenario; gives the hash of everything that happened.            */
uint64_t simulator_run (const scenario_t *scenario, uint64_t events, tally_t *tally);

#endif
