/*  drivers.c - what drivers do, by chance                                   */

#include "tests/head_world/head_world.h"

#include "core/value.h"

static uint64_t
s_next (being_t *driver)
{
    if ((driver->sequence & (driver->sequence - 1)) == 0) {
        size_t capacity = driver->sequence ? driver->sequence * 2 : 1;
        driver->results = realloc (driver->results, capacity + 1);
        assert_non_null (driver->results);
    }
    driver->results [driver->sequence] = PENDING;
    return ++driver->sequence;
}

void
world_settle (world_t *world, tid_t id, result_t result)
{
    being_t *owner = world_being (world, id.owner);
    if (owner->kind != DRIVER)
        return;
    REQUIRE (id.sequence && id.sequence <= owner->sequence);
    uint8_t *place = &owner->results [id.sequence - 1];
    REQUIRE (*place == PENDING || *place == CANCELLED);
    if (*place == PENDING)
        *place = (uint8_t) result;
}

static void
s_add (options_t *options, const char *name, int64_t amount)
{
    options->flags |= OPTIONS_RESOURCES;
    options->resources [options->count++] = (resource_t){ name, strlen (name), amount };
}

/*  Some of them never fit.                                                 */
static options_t
s_any_options (world_t *world, const being_t *driver)
{
    static const char *const nodes [] = { "node0", "node1", "nowhere" };
    options_t options = { .bundle = BUNDLE_ANY };
    unsigned roll = (unsigned) chance_below (&world->random, 100);
    if (roll < 40)
        s_add (&options, "cpus",
               (int64_t) (1 + chance_below (&world->random, 8)) * RESOURCE_UNIT / 2);
    else if (roll < 60)
        s_add (&options, "gpus",
               (int64_t) (1 + chance_below (&world->random, 2)) * RESOURCE_UNIT);
    else if (roll < 62)
        s_add (&options, "gpus", 50 * RESOURCE_UNIT);
    if (chance_percent (&world->random, 20))
        s_add (&options, "memory", (int64_t) chance_below (&world->random, 20) * RESOURCE_UNIT);
    if (chance_percent (&world->random, 20))
        options.placement = PLACE_SPREAD;
    else if (chance_percent (&world->random, 10)) {
        options.placement = chance_percent (&world->random, 50) ? PLACE_NODE : PLACE_NODE_SOFT;
        options.node_name = nodes [chance_below (&world->random, 3)];
        options.node_name_length = strlen (options.node_name);
    } else if (driver->group_count && chance_percent (&world->random, 30)) {
        options.placement = PLACE_GROUP;
        options.group.owner = driver->name;
        options.group.sequence
            = driver->groups [chance_below (&world->random, driver->group_count)];
    }
    return options;
}

/*  An argument, which is a large object of a node, or of one that has gone.
    Returns the size of the attachment.                                     */
static uint32_t
s_any_object (world_t *world, uint8_t attachment [ATTACHMENT_HEADER + 64])
{
    const being_t *home = world_pick (world, AGENT);
    object_reference_t object
        = { .id = { home ? home->name : 1, chance_below (&world->random, 99) },
            .size = (uint64_t) 4 << 20,
            .kind = OBJECT_BYTES };
    bytes_t value = { 0 };
    value_put_object (&value, &object);
    assert_true (value.size <= 64);
    memset (attachment, 0, ATTACHMENT_HEADER + 64);
    store_u32 (attachment + 16, (uint32_t) value.size);
    memcpy (attachment + ATTACHMENT_HEADER, value.data, value.size);
    uint32_t size = ATTACHMENT_HEADER + (((uint32_t) value.size + 7u) & ~7u);
    bytes_release (&value);
    return size;
}

void
world_submit (world_t *world, process_t owner, tid_t id, const options_t *options,
              uint64_t target)
{
    static const uint8_t nothing [8] = { 0x90 };
    bytes_t body = { 0 };
    uint8_t attachment [ATTACHMENT_HEADER + 64];
    bool has_object = chance_percent (&world->random, 20);
    uint32_t program = head_program_of (world->head, owner);
    if (options)
        assert_int_equal (options_write (&body, options), 0);
    bytes_append (&body, nothing, sizeof nothing);
    record_t record
        = { .type = RECORD_TASK,
            .flags = options ? RECORD_OPTIONS : 0,
            .number = head_function (world->head, program,
                                     chance_percent (&world->random, 50) ? "a" : "b", 1),
            .target = target,
            .id = id,
            .body = body.data,
            .body_size = (uint32_t) body.size,
            .attachments = has_object,
            .attachment = has_object ? attachment : NULL,
            .attachments_size = has_object ? s_any_object (world, attachment) : 0 };
    head_submit (world->head, world->now, &record);
    bytes_release (&body);
    world->tally.tasks++;
    world->tally.special += options != NULL;
}

static void
s_spawn (world_t *world, being_t *driver)
{
    char name [16] = "";
    options_t options = s_any_options (world, driver);
    if (chance_percent (&world->random, 60))
        options = (options_t){ .bundle = BUNDLE_ANY };
    if (chance_percent (&world->random, 20))
        options.flags |= OPTIONS_DETACHED;
    if (chance_percent (&world->random, 30))
        options.flags |= OPTIONS_GET_OR_CREATE;
    if (chance_percent (&world->random, 30))
        snprintf (name, sizeof name, "n%u", (unsigned) chance_below (&world->random, 20));
    head_spawn_t spawn = { .id = { driver->name, s_next (driver) },
                           .class_name = "class",
                           .class_length = 5,
                           .name = name,
                           .name_length = strlen (name),
                           .record = (const uint8_t *) "spawn",
                           .size = 5,
                           .options = &options };
    /*  What becomes of actors is the worker's to say.                      */
    driver->results [driver->sequence - 1] = CANCELLED;
    head_spawn (world->head, world->now, &spawn);
    world->tally.actors++;
}

static void
s_group (world_t *world, being_t *driver)
{
    if (driver->group_count == 4) {
        head_group_end (world->head, (tid_t){ driver->name, driver->groups [0] });
        driver->groups [0] = driver->groups [--driver->group_count];
        return;
    }
    options_t bundles [3];
    size_t count = 1 + chance_below (&world->random, 3);
    for (size_t index = 0; index < count; index++) {
        bundles [index] = (options_t){ .bundle = BUNDLE_ANY };
        s_add (&bundles [index], "cpus",
               (int64_t) (1 + chance_below (&world->random, 3)) * RESOURCE_UNIT);
    }
    uint64_t sequence = s_next (driver);
    driver->results [sequence - 1] = CANCELLED;
    driver->groups [driver->group_count++] = sequence;
    head_group (world->head, world->now, (tid_t){ driver->name, sequence },
                (group_strategy_t) chance_below (&world->random, 4), bundles, count);
    world->tally.groups++;
}

void
world_act (world_t *world, process_t name)
{
    being_t *driver = world_being (world, name);
    if (!driver->alive || driver->lost || world->quiet)
        return;
    world_after (world, (int64_t) chance_below (&world->random, 40 * CLOCK_MS),
                 (event_t){ .type = E_ACT, .who = name });
    if (head_counts (world->head).tasks > 20000)
        return;
    uint64_t burst
        = 1 + chance_below (&world->random, chance_percent (&world->random, 5) ? 400 : 20);
    for (uint64_t left = burst; left; left--) {
        options_t options = s_any_options (world, driver);
        bool special = chance_percent (&world->random, 25);
        uint64_t target = chance_percent (&world->random, 30) ? 2 : 0;
        world_submit (world, name, (tid_t){ name, s_next (driver) }, special ? &options : NULL,
                      target);
    }
    if (chance_percent (&world->random, 20))
        s_spawn (world, driver);
    if (chance_percent (&world->random, 5))
        s_group (world, driver);
    tid_t id = { name, 1 + chance_below (&world->random, driver->sequence) };
    if (chance_percent (&world->random, 20) && driver->results [id.sequence - 1] == PENDING) {
        driver->results [id.sequence - 1] = CANCELLED;
        head_cancel (world->head, id);
    }
    world_turn_soon (world);
}
