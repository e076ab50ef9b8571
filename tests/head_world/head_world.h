/*  head_world.h - a cluster around the head's real state machine: nodes, their
    workers, drivers

    What reaches the head is called, not sent: there are no frames here, and no
    links that lose any (tests/simulator/ has those). What fails ends the test
    that runs.                                                              */

#ifndef TROUPE_TESTS_HEAD_WORLD_H
#define TROUPE_TESTS_HEAD_WORLD_H

#include "head/head_private.h"
#include "head/head_report.h"

#include "tests/agenda.h"
#include "tests/chance.h"
#include "tests/simulated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)
#define EPOCH 9

typedef enum { NONE, AGENT, WORKER, DRIVER } kind_t;
typedef enum { UNKNOWN, PENDING, DONE, FAILED, CANCELLED } result_t;

/*  A process, by the lower half of its name.                               */
typedef struct {
    kind_t kind;
    bool alive;
    bool lost; /*  the head knows                          */
    bool silent;
    process_t name;
    process_t node; /*  of a worker                             */
    uint32_t job;
    uint8_t *results; /*  of a driver's tasks and actors          */
    uint64_t sequence;
    uint64_t groups [4];
    unsigned group_count;
} being_t;

typedef enum {
    E_TURN,
    E_TICK,
    E_ACT,
    E_FINISH,
    E_RETURN,
    E_JOIN,
    E_CHAOS,
    E_NOTICE,
    E_HEAL,
    E_UP
} what_t;

typedef struct {
    const char *name;
    uint64_t seed;
    unsigned nodes;
    unsigned drivers;
    unsigned chaos_ms;
    unsigned check_every;
    unsigned share; /*  of the events, in percent               */
} scenario_t;

typedef struct {
    uint64_t events, tasks, done, faults, starts, refusals, crashes, nodes_lost, drops, actors;
    uint64_t groups, placed, stopped, assigned, ended, checks, special, returned;
} tally_t;

typedef struct {
    const scenario_t *scenario;
    head_state_t *head;
    uint64_t random;
    uint64_t hash;
    int64_t now;
    agenda_t agenda;
    being_t *beings;
    uint32_t being_count;
    unsigned node_names;
    bool turn_due;
    bool quiet;
    tally_t tally;
} world_t;

/*  --- beings.c: processes ----------------------------------------------  */

/*  An event, so much later. The head will dispatch, in a moment.           */
void world_after (world_t *world, int64_t delay, event_t event);
void world_turn_soon (world_t *world);

/*  A process by its name; a new one, of a name that the head gave; any that is
    alive, or NULL.                                                         */
being_t *world_being (world_t *world, process_t name);
being_t *world_born (world_t *world, kind_t kind, process_t name);
being_t *world_pick (world_t *world, kind_t kind);

void world_new_node (world_t *world);
void world_new_driver (world_t *world);

/*  The head hears of an end. What it owns there, it forgets.               */
void world_lose (world_t *world, being_t *being, const char *cause);

/*  --- drivers.c ----------------------------------------------------------  */

/*  A task of a driver has come to its end.                                 */
void world_settle (world_t *world, tid_t id, result_t result);

/*  options may be NULL.                                                    */
void world_submit (world_t *world, process_t owner, tid_t id, const options_t *options,
                   uint64_t target);

/*  A driver does something, by chance, and will do so again.               */
void world_act (world_t *world, process_t name);

/*  --- workers.c: what the events of these types bring --------------------  */

void world_join_worker (world_t *world, const event_t *event);
void world_finish (world_t *world, const event_t *event);
void world_return (world_t *world, const event_t *event);
void world_actor_up (world_t *world, const event_t *event);

/*  --- head.c ---------------------------------------------------------------  */

/*  Does what the head has decided.                                         */
void world_perform (world_t *world);

/*  Those that are not silent are heard.                                    */
void world_tick (world_t *world);

/*  --- run.c ----------------------------------------------------------------  */

/*  Runs a scenario, until all has come to its end; gives the hash of everything
    that happened.                                                          */
uint64_t world_simulate (const scenario_t *scenario, uint64_t events, tally_t *tally);

#endif
