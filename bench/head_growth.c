/*  head_growth.c - the head's decisions in a cluster of a given size, for
    counting instructions

    Usage: head_growth PART NODES COUNT

    Builds a cluster of so many nodes, with ten cpus, ten workers and a hundred
    actors each, and makes the part's decision COUNT times, without a socket, a
    clock or a random number. Under callgrind, the count of a run less that of
    one with a COUNT of 0 is what the decisions cost:

        valgrind --tool=callgrind --callgrind-out-file=/dev/null \
            bench/head_growth task 1000 2000

    Parts: task, half (a task of half a cpu), actor, heartbeat, stuck (a task,
    while one worker has another one ahead that may be stuck), warm (a worker
    for another program, on nodes full of warm ones), client (one comes and
    goes), homeless, lanes, groups (a task, while ten actors, kinds of tasks or
    groups for each node wait for more than is ever free), tick, memory (prints what a node and an actor take).             */

#include "core/clock.h"
#include "head/head_state.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define CPUS_OF_NODE 10
#define ACTORS_OF_NODE 100

typedef struct {
    process_t worker;
    uint32_t lease;
} running_t;

typedef struct {
    head_state_t *state;
    int64_t now;
    uint64_t random;
    size_t nodes;
    process_t *agents;
    process_t driver;
    uint32_t function;
    uint64_t sequence;
    running_t *running;
    size_t running_count;
    uint64_t numbers;           /*  of actors                               */
    tid_t spawned;              /*  the last that is up, and its worker     */
    process_t home;
} crowd_t;

/*  Tables take their seeds from here, so that counts repeat.               */
ssize_t
getrandom (void *place, size_t size, unsigned flags)
{
    (void) flags;
    memset (place, 0x5a, size);
    return (ssize_t) size;
}

static size_t
s_below (crowd_t *self, size_t limit)
{
    self->random = self->random * UINT64_C (6364136223846793005) + 1442695040888963407;
    return (size_t) (self->random >> 33) % limit;
}

/*  --- what the head asks for -------------------------------------------  */

static void
s_act_one (crowd_t *self, const head_action_t *action)
{
    record_t record;
    if (action->type == HEAD_DISPATCH) {
        head_task_record (action->task, self->now, &record);
        self->running [self->running_count++]
            = (running_t){ action->peer, (uint32_t) record.target };
    } else if (action->type == HEAD_SPAWN) {
        self->spawned = action->actor->id;
        self->home = action->peer;
        head_actor_up (self->state, action->peer, action->actor->id, ++self->numbers, 1);
    } else if (action->type == HEAD_STOP_WORKER)
        head_lost (self->state, self->now, action->peer, "stopped", NULL);
    for (uint64_t left = action->type == HEAD_START_WORKERS ? action->number : 0; left; left--)
        head_offer (self->state,
                    head_join_worker (self->state, self->now, action->peer, action->program,
                                      action->job, 1, "worker"),
                    self->function);
}

/*  False if nothing was asked for.                                         */
static bool
s_turn (crowd_t *self)
{
    size_t count = 0, index = 0;
    head_dispatch (self->state, self->now);
    for (; head_actions (self->state, &count), index < count; index++) {
        head_action_t action = head_actions (self->state, &count) [index];
        s_act_one (self, &action);
    }
    head_actions_clear (self->state);
    return index > 0;
}

/*  --- what happens -----------------------------------------------------  */

static void
s_submit (crowd_t *self, const bytes_t *options)
{
    uint8_t body [128] = { 0 };
    size_t size = options ? options->size : 0;
    if (size)
        memcpy (body, options->data, size);
    body [size] = 0x90;
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = self->function,
                        .id = { self->driver, ++self->sequence },
                        .body = body,
                        .body_size = (uint32_t) size + 8 };
    head_submit (self->state, self->now, &record);
}

static void
s_done (crowd_t *self, size_t index)
{
    uint8_t pair [8];
    store_u32 (pair, self->running [index].lease);
    store_u32 (pair + 4, 500000 / 64);
    head_done (self->state, self->now, self->running [index].worker, pair, 1);
    self->running [index] = self->running [--self->running_count];
}

static void
s_spawn_with (crowd_t *self, const options_t *options)
{
    head_spawn_t spawn = { .id = { self->driver, ++self->sequence },
                           .class_name = "class",
                           .class_length = 5,
                           .name = "",
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = options };
    head_spawn (self->state, self->now, &spawn);
    s_turn (self);
}

static void
s_spawn (crowd_t *self)
{
    s_spawn_with (self, NULL);
}

static void
s_drive (crowd_t *self, uint8_t program)
{
    const uint8_t hash [PROGRAM_HASH_SIZE] = { program };
    self->driver = head_join (self->state, self->now, ROLE_DRIVER, 0, "driver");
    uint32_t number = head_program (self->state, hash);
    head_job (self->state, self->driver, number, "", 0, 1, false);
    self->function = head_function (self->state, number, "work", 4);
}

/*  Nodes whose cpus are all busy.                                          */
static int
s_build (crowd_t *self)
{
    resource_t cpus = { "cpus", 4, CPUS_OF_NODE * RESOURCE_UNIT };
    self->state = head_state_new (9);
    self->now = 3600 * 1000 * CLOCK_MS;
    self->running = calloc (4 * CPUS_OF_NODE * self->nodes + 64, sizeof *self->running);
    self->agents = calloc (self->nodes, sizeof *self->agents);
    if (!self->state || !self->running || !self->agents)
        return -1;
    for (size_t count = 0; count < self->nodes; count++) {
        char name [32];
        snprintf (name, sizeof name, "n%zu", count);
        self->agents [count] = head_join (self->state, self->now, ROLE_NODE, 0, name);
        if (head_node_join (self->state, self->now, self->agents [count], name, &cpus, 1))
            return -1;
    }
    s_drive (self, 1);
    for (size_t count = 0; count < self->nodes * CPUS_OF_NODE; count++)
        s_submit (self, NULL);
    while (s_turn (self)) {
        /*  Until all have begun.                                           */
    }
    return self->running_count == self->nodes * CPUS_OF_NODE ? 0 : -1;
}

static void
s_people (crowd_t *self)
{
    for (size_t count = 0; count < self->nodes * ACTORS_OF_NODE; count++)
        s_spawn (self);
}

/*  --- parts ------------------------------------------------------------  */

static void
s_tasks (crowd_t *self, size_t count, bool half)
{
    bytes_t options = { 0 };
    const options_t asked = { .flags = OPTIONS_RESOURCES,
                              .bundle = BUNDLE_ANY,
                              .count = 1,
                              .resources = { { "cpus", 4, RESOURCE_UNIT / 2 } } };
    options_write (&options, &asked);
    while (count--) {
        s_done (self, s_below (self, self->running_count));
        s_submit (self, half ? &options : NULL);
        s_turn (self);
    }
    bytes_release (&options);
}

/*  One comes up and ends.                                                  */
static void
s_actors (crowd_t *self, size_t count)
{
    while (count--) {
        s_spawn (self);
        head_actor_down (self->state, self->home, self->spawned);
        s_turn (self);
    }
}

static void
s_heartbeats (crowd_t *self, size_t count)
{
    while (count--) {
        head_heard (self->state, self->now, self->agents [s_below (self, self->nodes)]);
        s_turn (self);
        head_due (self->state, self->now);
    }
}

/*  All workers but one are idle: that one has a task, and another ahead.   */
static void
s_stuck (crowd_t *self, size_t count)
{
    s_done (self, 0);
    s_submit (self, NULL);
    s_submit (self, NULL);
    s_turn (self);
    const running_t *last = &self->running [self->running_count - 1];
    for (size_t index = self->running_count; index--;)
        if (self->running [index].worker != last->worker)
            s_done (self, index);
    while (s_turn (self)) {
        /*  Until nothing is left to do.                                    */
    }
    while (count--) {
        s_submit (self, NULL);
        s_turn (self);
        head_due (self->state, self->now);
        s_done (self, self->running_count - 1);
    }
}

/*  The workers of a job that has ended stay warm for its program.          */
static void
s_warm (crowd_t *self, size_t count)
{
    while (self->running_count)
        s_done (self, 0);
    head_lost (self->state, self->now, self->driver, "ended", NULL);
    s_turn (self);
    s_drive (self, 2);
    while (count--) {
        s_submit (self, NULL);
        while (s_turn (self)) {
            /*  A worker is started.                                        */
        }
    }
}

/*  What waits for a whole node, each for a little less than the one before.  */
static void
s_wait (crowd_t *self, const char *part)
{
    for (size_t count = 0; count < 10 * self->nodes; count++) {
        int64_t amount = CPUS_OF_NODE * RESOURCE_UNIT - (int64_t) (count % 1000);
        const options_t asked = { .flags = OPTIONS_RESOURCES,
                                  .bundle = BUNDLE_ANY,
                                  .count = 1,
                                  .resources = { { "cpus", 4, amount } } };
        bytes_t options = { 0 };
        options_write (&options, &asked);
        if (*part == 'l')
            s_submit (self, &options);
        else if (*part == 'h')
            s_spawn_with (self, &asked);
        else
            head_group (self->state, self->now, (tid_t){ self->driver, ++self->sequence },
                        GROUP_PACK, &asked, 1);
        bytes_release (&options);
    }
    s_turn (self);
}

static void
s_clients (crowd_t *self, size_t count)
{
    while (count--) {
        process_t client = head_join (self->state, self->now, ROLE_CLIENT, 0, "client");
        s_turn (self);
        head_lost (self->state, self->now, client, "it has left", NULL);
        s_turn (self);
    }
}

/*  Nobody is silent for too long.                                          */
static void
s_ticks (crowd_t *self, size_t count)
{
    head_set_liveness (self->state, INT64_MAX / 4, INT64_MAX / 4);
    while (count--) {
        self->now += 500 * CLOCK_MS;
        s_turn (self);
    }
}

static size_t
s_memory (void)
{
    return mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
}

int
main (int argc, char *argv [])
{
    crowd_t crowd = { .random = 1 };
    const char *part = argc == 4 ? argv [1] : "";
    size_t count = argc == 4 ? strtoul (argv [3], NULL, 10) : 0, empty = s_memory ();
    crowd.nodes = argc == 4 ? strtoul (argv [2], NULL, 10) : 0;
    if (!crowd.nodes || s_build (&crowd)) {
        fprintf (stderr, "usage: head_growth PART NODES COUNT\n");
        return 2;
    }
    size_t full = s_memory ();
    s_people (&crowd);
    if (strcmp (part, "memory") == 0)
        printf ("%zu bytes a node with its workers, %zu an actor\n",
                (full - empty) / crowd.nodes,
                (s_memory () - full) / (crowd.nodes * ACTORS_OF_NODE));
    else if (strcmp (part, "task") == 0 || strcmp (part, "half") == 0)
        s_tasks (&crowd, count, *part == 'h');
    else if (strcmp (part, "actor") == 0)
        s_actors (&crowd, count);
    else if (strcmp (part, "heartbeat") == 0)
        s_heartbeats (&crowd, count);
    else if (strcmp (part, "stuck") == 0)
        s_stuck (&crowd, count);
    else if (strcmp (part, "warm") == 0)
        s_warm (&crowd, count);
    else if (strcmp (part, "client") == 0)
        s_clients (&crowd, count);
    else if (strcmp (part, "homeless") == 0 || strcmp (part, "lanes") == 0
             || strcmp (part, "groups") == 0) {
        s_wait (&crowd, part);
        s_tasks (&crowd, count, false);
    } else if (strcmp (part, "tick") == 0)
        s_ticks (&crowd, count);
    const char *wrong = head_check (crowd.state);
    if (wrong)
        fprintf (stderr, "head_growth: %s\n", wrong);
    head_state_destroy (&crowd.state);
    free (crowd.running);
    free (crowd.agents);
    return wrong != NULL;
}
