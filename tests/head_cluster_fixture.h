/*  head_cluster_fixture.h - what tests of the head as that of a cluster share:
    node agents that do as they are told, drivers, what they ask for, and what
    becomes of it. After each step the state is checked as a whole           */

#ifndef TROUPE_TESTS_HEAD_CLUSTER_FIXTURE_H
#define TROUPE_TESTS_HEAD_CLUSTER_FIXTURE_H

#include "core/clock.h"
#include "head/head_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND (1000 * CLOCK_MS)

typedef struct {
    process_t worker;
    uint32_t lease;
    tid_t id;
    bool done;
} given_t;

/*  A head, and what it has asked for. Node agents do as they are told.     */
typedef struct {
    head_state_t *head;
    int64_t now;
    uint64_t sequence;
    given_t given [4096];
    size_t given_count;
    head_action_t log [4096]; /*  without texts                           */
    size_t log_count;
    char fault [256]; /*  the last                                */
    tid_t faulted;
    troupe_error_t code;
    char waits [256];    /*  what a node was last told to wait for   */
    const char *refusal; /*  why no worker can be started, or NULL   */
    bool deaf;           /*  the agents do nothing                   */
} fixture_t;

/*  cmocka's: *state becomes a fixture_t.                                   */
int fixture_setup (void **state);
int fixture_teardown (void **state);

#define TEST(name_) cmocka_unit_test_setup_teardown (name_, fixture_setup, fixture_teardown)

/*  Fails the test that runs if the state contradicts itself.               */
void fixture_check (fixture_t *self);

/*  Does what the head has asked for; false if that was nothing.            */
bool fixture_perform (fixture_t *self);

/*  Lets everything happen that follows from what is there.                 */
void fixture_run (fixture_t *self);

/*  Time passes; processes are heard meanwhile, but for the silent one.     */
void fixture_pass (fixture_t *self, int64_t time, process_t silent);

/*  --- nodes, drivers, work -----------------------------------------------  */

process_t fixture_node (fixture_t *self, const char *name, double cpus, double gpus);

/*  A driver of a program, in a namespace; of the program 1; of a share of 1. */
process_t fixture_driver (fixture_t *self);
process_t fixture_driver_with (fixture_t *self, uint8_t program, const char *space,
                               int priority);
process_t fixture_driver_of (fixture_t *self, uint8_t program, const char *space, int priority,
                             unsigned share);

/*  All functions of a program: a worker offers what its driver does.       */
uint32_t fixture_function (fixture_t *self, uint32_t program);

/*  Tasks and actors of an owner. options may be NULL.                      */
void fixture_submit (fixture_t *self, process_t owner, size_t count);
tid_t fixture_submit_with (fixture_t *self, process_t owner, const options_t *options,
                           uint64_t target);
tid_t fixture_spawn (fixture_t *self, process_t owner, const char *name,
                     const options_t *options);

/*  Options that ask for so much of a resource.                             */
options_t fixture_asking (const char *name, double amount);

/*  A task is done by its worker, and took so long.                         */
void fixture_done (fixture_t *self, given_t *given, int64_t duration);

/*  --- what became of it ----------------------------------------------------  */

/*  The actions of a type, for a peer unless that is 0, that were logged since
    the last fixture_forget.                                                */
size_t fixture_logged (fixture_t *self, head_action_type_t type, process_t peer);
void fixture_forget (fixture_t *self);

/*  The last action of the type that concerns this task, actor or group, or NULL. */
const head_action_t *fixture_last (const fixture_t *self, head_action_type_t type, tid_t id);

/*  How a task was given last, or NULL.                                     */
given_t *fixture_given_to (fixture_t *self, tid_t id);

/*  The tasks that run: of an owner, or of all if it is 0.                  */
size_t fixture_running (fixture_t *self, process_t owner);

process_t fixture_node_of (fixture_t *self, process_t worker);
size_t fixture_workers_on (fixture_t *self, process_t node);

/*  How much of a resource is in use, in ten-thousandths.                   */
int64_t fixture_used (fixture_t *self, const char *name);

/*  All zero if there is no such actor.                                     */
head_actor_report_t fixture_actor (fixture_t *self, tid_t id);

#endif
