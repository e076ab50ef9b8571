/*  test_head_growth.c - how the memory and the time per decision of the head's
    state machine grow with the cluster                                     */

#include "core/clock.h"
#include "head/head_state.h"
#include "tests/chance.h"
#include "tests/sanitized.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/*  A cluster whose cpus are all busy, with actors, and the means to go on.  */
typedef struct {
    head_state_t *head;
    process_t driver;
    uint32_t function;
    uint64_t sequence;
    struct {
        process_t worker;
        uint32_t lease;
    } * running;
    size_t running_count;
    size_t actors;
} crowd_t;

/*  Nanoseconds that this thread has run: others do not count, whatever the
    machine does besides.                                                   */
static int64_t
s_spent (void)
{
    struct timespec spent;
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &spent);
    return (int64_t) spent.tv_sec * 1000 * CLOCK_MS + spent.tv_nsec;
}

static size_t
s_memory (void)
{
    return mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
}

static void
s_crowd_act (crowd_t *crowd)
{
    size_t count = 0;
    for (size_t index = 0; head_actions (crowd->head, &count), index < count; index++) {
        head_action_t action = head_actions (crowd->head, &count) [index];
        record_t record;
        if (action.type == HEAD_DISPATCH) {
            head_task_record (action.task, 1, &record);
            crowd->running [crowd->running_count].worker = action.peer;
            crowd->running [crowd->running_count++].lease = (uint32_t) record.target;
        } else if (action.type == HEAD_SPAWN)
            head_actor_up (crowd->head, action.peer, action.actor->id, ++crowd->actors, 1);
        for (uint64_t left = action.type == HEAD_START_WORKERS ? action.number : 0; left;
             left--)
            head_offer (crowd->head,
                        head_join_worker (crowd->head, 1, action.peer, action.program,
                                          action.job, 1, "worker"),
                        crowd->function);
    }
    head_actions_clear (crowd->head);
}

static void
s_crowd_submit (crowd_t *crowd, const options_t *options)
{
    static const uint8_t nothing [8] = { 0x90 };
    uint8_t block [128];
    bytes_t body = { 0 };
    assert_int_equal (options ? options_write (&body, options) : 0, 0);
    bytes_append (&body, nothing, sizeof nothing);
    assert_true (body.size <= sizeof block);
    record_t record = { .type = RECORD_TASK,
                        .flags = options ? RECORD_OPTIONS : 0,
                        .number = crowd->function,
                        .id = { crowd->driver, ++crowd->sequence },
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    head_submit (crowd->head, 1, &record);
    bytes_release (&body);
}

/*  One task is done somewhere, and another is submitted and given out.     */
static double
s_crowd_measure (crowd_t *crowd, uint64_t *chance, const options_t *options, size_t rounds)
{
    int64_t begun = s_spent ();
    for (size_t round = 0; round < rounds; round++) {
        size_t index = chance_below (chance, crowd->running_count);
        uint8_t pair [8];
        store_u32 (pair, crowd->running [index].lease);
        store_u32 (pair + 4, 1000000);
        head_done (crowd->head, 1, crowd->running [index].worker, pair, 1);
        crowd->running [index] = crowd->running [--crowd->running_count];
        s_crowd_submit (crowd, options);
        head_dispatch (crowd->head, 1);
        s_crowd_act (crowd);
    }
    return (double) (s_spent () - begun) / (double) rounds;
}

static void
s_crowd_fill (crowd_t *crowd, size_t tasks)
{
    while (tasks--)
        s_crowd_submit (crowd, NULL);
    do {
        head_dispatch (crowd->head, 1);
        s_crowd_act (crowd);
        head_dispatch (crowd->head, 1);
    } while (head_actions (crowd->head, &tasks), tasks);
}

static double
s_crowd_spawn (crowd_t *crowd, size_t actors)
{
    int64_t begun = s_spent ();
    for (size_t count = 0; count < actors; count++) {
        head_spawn_t spawn = { .id = { crowd->driver, ++crowd->sequence },
                               .class_name = "class",
                               .class_length = 5,
                               .name = "",
                               .record = (const uint8_t *) "spawn",
                               .size = 5 };
        head_spawn (crowd->head, 1, &spawn);
        s_crowd_act (crowd);
    }
    assert_int_equal (crowd->actors, actors);
    return (double) (s_spent () - begun) / (double) actors;
}

/*  Four cpus, and so four workers, and a hundred actors for each node.     */
static double
s_grow (unsigned nodes)
{
    static const uint8_t hash [PROGRAM_HASH_SIZE] = { 1 };
    options_t half = { .flags = OPTIONS_RESOURCES,
                       .bundle = BUNDLE_ANY,
                       .count = 1,
                       .resources = { { "cpus", 4, RESOURCE_UNIT / 2 } } };
    uint64_t chance = 1;
    size_t empty = s_memory ();
    crowd_t crowd = { .head = head_state_new (9) };
    crowd.running = calloc (nodes * 8 + 8, sizeof *crowd.running);
    assert_true (crowd.head && crowd.running);
    resource_t cpus = { "cpus", 4, 4 * RESOURCE_UNIT };
    for (unsigned count = 0; count < nodes; count++) {
        char name [16];
        snprintf (name, sizeof name, "n%u", count);
        process_t node = head_join (crowd.head, 1, ROLE_NODE, 0, name);
        assert_int_equal (head_node_join (crowd.head, 1, node, name, &cpus, 1), 0);
    }
    crowd.driver = head_join (crowd.head, 1, ROLE_DRIVER, 0, "driver");
    uint32_t program = head_program (crowd.head, hash);
    assert_true (head_job (crowd.head, crowd.driver, program, "", 0, 1, false) != 0);
    crowd.function = head_function (crowd.head, program, "work", 4);
    s_crowd_fill (&crowd, (size_t) nodes * 4);
    assert_int_equal (crowd.running_count, nodes * 4);
    size_t full = s_memory ();
    double spawn = s_crowd_spawn (&crowd, (size_t) nodes * 100);
    size_t peopled = s_memory ();
    double plain = s_crowd_measure (&crowd, &chance, NULL, 20000);
    double special = s_crowd_measure (&crowd, &chance, &half, 20000);
    assert_null (head_check (crowd.head));
    printf ("%5u nodes, %6u workers, %7zu actors: %5.0f ns a task, %5.0f ns one of half a cpu,"
            " %5.0f ns an actor; %5.0f bytes a node with its workers, %3.0f an actor\n",
            nodes, nodes * 4, crowd.actors, plain, special, spawn,
            (double) (full - empty) / nodes, (double) (peopled - full) / (double) crowd.actors);
    head_state_destroy (&crowd.head);
    free (crowd.running);
    return special > plain ? special : plain;
}

/*  What one decision costs may grow with the cluster, but not with its size. */
static void
test_growth (void **state)
{
    (void) state;
    double small = s_grow (10), medium = s_grow (100), large = s_grow (SANITIZED ? 200 : 1000);
    assert_true (medium < 20 * small && large < 40 * small);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_growth),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
