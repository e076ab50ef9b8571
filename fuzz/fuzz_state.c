/*  fuzz_state.c - a script of events to the head's state machine: nodes, jobs,
    workers, tasks and actors with any demands, groups, ends of all kinds

    A step is eight bytes: what happens, and its arguments. After each the
    structures must agree with each other.                                  */

#include "head/head_private.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define STEPS_MAX 400
#define RING 64

#define REQUIRE(condition_)                                                                  \
    do {                                                                                     \
        if (!(condition_)) {                                                                 \
            fprintf (stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition_);                \
            abort ();                                                                        \
        }                                                                                    \
    } while (0)

typedef struct {
    head_state_t *head;
    int64_t now;
    uint64_t sequence;
    uint32_t processes;
    struct { process_t worker; uint32_t lease; } leases [RING];
    size_t lease_count;
    struct { process_t node; uint32_t program, job; } asked [RING];
    size_t asked_count;
    tid_t ids [RING];
    size_t id_count;
} scene_t;

static void
fuzz_check (scene_t *scene)
{
    const char *wrong = head_check (scene->head);
    if (wrong)
        fprintf (stderr, "head_check: %s\n", wrong);
    REQUIRE (!wrong && !head_failed (scene->head));
}

/*  A process by a small number; it need not exist.                         */
static process_t
fuzz_process (const scene_t *scene, uint8_t number)
{
    return UINT64_C (9) << 32 | (scene->processes ? number % (scene->processes + 1) : 1);
}

static process_t
fuzz_note (scene_t *scene, process_t process)
{
    scene->processes += process != 0;
    return process;
}

static void
fuzz_perform (scene_t *scene)
{
    size_t count = 0;
    for (size_t index = 0; head_actions (scene->head, &count), index < count; index++) {
        head_action_t action = head_actions (scene->head, &count) [index];
        record_t record;
        REQUIRE (action.type == HEAD_JOB_ENDED || action.peer);
        switch (action.type) {
        case HEAD_DISPATCH:
            REQUIRE (head_peer (scene->head, action.peer));
            head_task_record (action.task, scene->now, &record);
            scene->leases [scene->lease_count % RING].worker = action.peer;
            scene->leases [scene->lease_count++ % RING].lease = (uint32_t) record.target;
            break;
        case HEAD_FAULT:
            REQUIRE (action.text && fault_code_valid ((uint32_t) action.code));
            break;
        case HEAD_DROP:
            head_lost (scene->head, scene->now, action.peer, action.text, NULL);
            break;
        case HEAD_START_WORKERS:
            REQUIRE (head_node (scene->head, action.peer) && action.number);
            scene->asked [scene->asked_count % RING].node = action.peer;
            scene->asked [scene->asked_count % RING].program = action.program;
            scene->asked [scene->asked_count++ % RING].job = action.job;
            break;
        case HEAD_SPAWN:
        case HEAD_FOUND:
            REQUIRE (action.actor && action.actor->class_name);
            break;
        default:
            break;
        }
    }
    head_actions_clear (scene->head);
}

/*  --- steps ------------------------------------------------------------  */

static options_t
fuzz_options (const scene_t *scene, const uint8_t *step)
{
    static const char *const names [] = { "cpus", "gpus", "memory", "disk" };
    options_t options = { .placement = (placement_t) (step [2] % PLACE_LIMIT),
                          .flags = step [3] % 8,
                          .bundle = step [4] & 16 ? BUNDLE_ANY : step [4] % 4u };
    options.count = step [4] % 3;
    for (size_t index = 0; index < options.count; index++) {
        const char *name = names [(step [5] >> 2 * index) % 4];
        options.resources [index]
            = (resource_t){ name, strlen (name), (step [6] % 9) * RESOURCE_UNIT / 2 };
    }
    options.node = step [5] & 64 ? fuzz_process (scene, step [7]) : 0;
    options.node_name = "n1";
    options.node_name_length = 2;
    if (scene->id_count)
        options.group = scene->ids [step [7] % (scene->id_count < RING ? scene->id_count : RING)];
    return options;
}

static tid_t
fuzz_new_id (scene_t *scene, uint8_t owner)
{
    tid_t id = { fuzz_process (scene, owner), ++scene->sequence };
    scene->ids [scene->id_count++ % RING] = id;
    return id;
}

static tid_t
fuzz_old_id (const scene_t *scene, uint8_t number)
{
    return scene->id_count ? scene->ids [number % (scene->id_count < RING ? scene->id_count : RING)]
                           : (tid_t){ 1, 1 };
}

static void
fuzz_node (scene_t *scene, const uint8_t *step)
{
    char name [8];
    resource_t resources [] = { { "cpus", 4, step [1] % 9 * RESOURCE_UNIT },
                                { "gpus", 4, step [2] % 3 * RESOURCE_UNIT },
                                { "disk", 4, step [3] % 3 * RESOURCE_UNIT / 2 } };
    process_t node = fuzz_note (scene, head_join (scene->head, scene->now, ROLE_NODE, 0, "node"));
    snprintf (name, sizeof name, "n%u", step [4] % 5u);
    head_node_join (scene->head, scene->now, node, name, resources, step [5] % 4u);
}

static void
fuzz_driver (scene_t *scene, const uint8_t *step)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { step [1] % 3 };
    process_t driver
        = fuzz_note (scene, head_join (scene->head, scene->now, ROLE_DRIVER, 0, "driver"));
    uint32_t program = head_program (scene->head, hash);
    head_function (scene->head, program, "f", 1);
    if (step [2] % 8)
        head_job (scene->head, driver, program, step [3] % 2 ? "space" : "", step [4] % 3,
                  step [5] % 3u, step [6] & 1);
}

static void
fuzz_worker (scene_t *scene, const uint8_t *step)
{
    process_t worker;
    if (step [1] % 8 == 0 || !scene->asked_count)
        worker = head_join (scene->head, scene->now, ROLE_WORKER, 1 + step [2] % 3u, "worker");
    else {
        size_t index = step [2] % (scene->asked_count < RING ? scene->asked_count : RING);
        if (step [1] % 8 == 1) {
            head_worker_failed (scene->head, scene->now, scene->asked [index].node,
                                scene->asked [index].job, "no");
            return;
        }
        worker = head_join_worker (scene->head, scene->now, scene->asked [index].node,
                                   scene->asked [index].program, scene->asked [index].job,
                                   1 + step [3] % 2u, "worker");
    }
    fuzz_note (scene, worker);
    if (worker)
        head_offer (scene->head, worker,
                    head_function (scene->head, head_program_of (scene->head, worker), "f", 1));
}

static void
fuzz_submit (scene_t *scene, const uint8_t *step)
{
    tid_t id = fuzz_new_id (scene, step [1]);
    options_t options = fuzz_options (scene, step);
    bytes_t body = { 0 };
    bytes_t frame = { 0 };
    frame_reader_t reader;
    bool special = step [2] & 128 && options_write (&body, &options) == 0;
    uint32_t program = head_program_of (scene->head, id.owner);
    uint32_t lease = scene->lease_count ? scene->leases [step [3] % RING].lease : 0;
    record_t record = { .type = RECORD_TASK,
                        .flags = special ? RECORD_OPTIONS : 0,
                        .number = head_function (scene->head, program, "f", 1),
                        .target = task_target (step [3] & 3u, step [3] & 64 ? lease : 0,
                                                    step [6] & 1),
                        .deadline = step [7] == 1 ? 100 : 0,
                        .id = id,
                        .body = body.data,
                        .body_size = (uint32_t) body.size };
    size_t offset = record_begin (&frame, &record);
    bytes_append (&frame, body.data, body.size);
    record_end_body (&frame, offset);
    if (step [2] & 64)
        record_attach (&frame, offset, fuzz_old_id (scene, step [5]), NULL, 0, true);
    REQUIRE (record_end (&frame, offset) == 0);
    REQUIRE (frame_open (&reader, frame.data, frame.size) == 0);
    REQUIRE (frame_next (&reader, &record) == 1);
    head_submit (scene->head, scene->now, &record);
    bytes_release (&frame);
    bytes_release (&body);
}

static void
fuzz_spawn (scene_t *scene, const uint8_t *step)
{
    options_t options = fuzz_options (scene, step);
    char name [4] = { 'a', (char) ('a' + step [6] % 4), 0 };
    head_spawn_t spawn = { .id = fuzz_new_id (scene, step [1]),
                           .class_name = "class",
                           .class_length = 5,
                           .name = name,
                           .name_length = step [6] & 16 ? 2 : 0,
                           .record = step,
                           .size = 8,
                           .options = step [2] & 128 ? &options : NULL };
    head_spawn (scene->head, scene->now, &spawn);
}

static void
fuzz_group (scene_t *scene, const uint8_t *step)
{
    options_t bundles [3];
    for (size_t index = 0; index < 3; index++)
        bundles [index] = fuzz_options (scene, step);
    head_group (scene->head, scene->now, fuzz_new_id (scene, step [1]),
                (group_strategy_t) (step [7] % 5), bundles, step [7] % 4u);
}

static void
fuzz_done (scene_t *scene, const uint8_t *step)
{
    uint8_t pair [8];
    size_t index = step [1] % RING;
    store_u32 (pair, scene->leases [index].lease);
    store_u32 (pair + 4, (uint32_t) step [2] << step [3] % 20);
    if (step [4] & 1)
        head_returned (scene->head, scene->now, scene->leases [index].worker, pair, 1);
    else
        head_done (scene->head, scene->now, scene->leases [index].worker, pair, 1);
}

static void
fuzz_actor (scene_t *scene, const uint8_t *step)
{
    tid_t id = fuzz_old_id (scene, step [1]);
    const head_actor_t *actor = id_table_get (&scene->head->actors, id);
    process_t worker = actor && step [2] % 8 ? actor->worker : fuzz_process (scene, step [3]);
    if (step [4] & 1)
        head_actor_up (scene->head, worker, id, 1 + step [5], 1);
    else
        head_actor_down (scene->head, worker, id);
}

/*  Time passes, and most are heard.                                        */
static void
fuzz_time (scene_t *scene, const uint8_t *step)
{
    scene->now += (int64_t) step [1] * (step [2] & 1 ? 100 * CLOCK_MS : CLOCK_MS);
    for (uint32_t number = 1; number <= scene->processes; number++)
        if (number % 8 != step [3] % 16)
            head_heard (scene->head, scene->now, UINT64_C (9) << 32 | number);
    head_dispatch (scene->head, scene->now);
    REQUIRE (head_due (scene->head, scene->now) >= scene->now);
}

static void
fuzz_drain (scene_t *scene, const uint8_t *step)
{
    process_t process = fuzz_process (scene, step [2]);
    if (step [3] % 16 == 15 && process)
        head_drain_all (scene->head, process);
    else
        head_drain (scene->head, process);
}

static void
fuzz_step (scene_t *scene, const uint8_t *step)
{
    head_state_t *head = scene->head;
    switch (step [0] % 20) {
    case 0: fuzz_node (scene, step); break;
    case 1: fuzz_driver (scene, step); break;
    case 2: case 3: case 4: fuzz_worker (scene, step); break;
    case 5: case 6: case 7: fuzz_submit (scene, step); break;
    case 8: fuzz_spawn (scene, step); break;
    case 9: fuzz_group (scene, step); break;
    case 10: case 11: fuzz_done (scene, step); break;
    case 12: fuzz_actor (scene, step); break;
    case 13: head_slots (head, fuzz_process (scene, step [1]), step [2] % 4u); break;
    case 14: head_cancel (head, fuzz_old_id (scene, step [1])); break;
    case 15: head_lost (head, scene->now, fuzz_process (scene, step [1]), "end", NULL); break;
    case 16: head_group_end (head, fuzz_old_id (scene, step [1])); break;
    case 17: step [1] & 1 ? fuzz_drain (scene, step)
                          : head_value (head, fuzz_old_id (scene, step [2]), step [3] & 1, step, 8);
        break;
    case 18: head_find (head, fuzz_process (scene, step [1]), fuzz_new_id (scene, step [1]),
                        step [2] & 1 ? "space" : NULL, "aa", 2);
        break;
    default: fuzz_time (scene, step); break;
    }
    if (step [0] & 128)
        head_dispatch (head, scene->now);
    fuzz_check (scene);
    fuzz_perform (scene);
    fuzz_check (scene);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    scene_t scene = { .head = head_state_new (9), .now = 1000 * CLOCK_MS };
    REQUIRE (scene.head);
    for (size_t count = 0; count < STEPS_MAX && size >= 8; count++, data += 8, size -= 8)
        fuzz_step (&scene, data);
    head_state_destroy (&scene.head);
    return 0;
}
