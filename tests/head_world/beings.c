/*  beings.c - the processes of the world: they come, and they are lost      */

#include "tests/head_world/head_world.h"

void
world_after (world_t *world, int64_t delay, event_t event)
{
    event.due = world->now + delay;
    agenda_add (&world->agenda, event);
}

void
world_turn_soon (world_t *world)
{
    if (!world->turn_due)
        world_after (world, (int64_t) chance_below (&world->random, 20 * CLOCK_US),
                     (event_t){ .type = E_TURN });
    world->turn_due = true;
}

/*  --- beings -----------------------------------------------------------  */

being_t *
world_being (world_t *world, process_t name)
{
    uint32_t number = (uint32_t) name;
    REQUIRE (name >> 32 == EPOCH && number && number <= world->being_count);
    return &world->beings [number - 1];
}

being_t *
world_born (world_t *world, kind_t kind, process_t name)
{
    REQUIRE (name != 0 && (uint32_t) name == world->being_count + 1);
    if ((world->being_count & (world->being_count - 1)) == 0) {
        size_t capacity = world->being_count ? (size_t) world->being_count * 2 : 1;
        world->beings = realloc (world->beings, capacity * sizeof *world->beings);
        assert_non_null (world->beings);
    }
    being_t *being = &world->beings [world->being_count++];
    *being = (being_t){ .kind = kind, .alive = true, .name = name };
    return being;
}

being_t *
world_pick (world_t *world, kind_t kind)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        being_t *being = &world->beings [chance_below (&world->random, world->being_count)];
        if (being->kind == kind && being->alive && !being->lost)
            return being;
    }
    return NULL;
}

void
world_new_node (world_t *world)
{
    char name [32];
    snprintf (name, sizeof name, "node%u", world->node_names++);
    resource_t resources [] = {
        { "cpus", 4, (int64_t) (1 + chance_below (&world->random, 8)) * RESOURCE_UNIT },
        { "gpus", 4, chance_percent (&world->random, 20) ? 2 * RESOURCE_UNIT : 0 },
        { "memory", 6, (int64_t) (8 + chance_below (&world->random, 64)) * RESOURCE_UNIT },
    };
    process_t node = head_join (world->head, world->now, ROLE_NODE, 0, name);
    world_born (world, AGENT, node);
    assert_int_equal (head_node_join (world->head, world->now, node, name, resources, 3), 0);
}

void
world_new_driver (world_t *world)
{
    uint8_t hash [PROGRAM_HASH_SIZE] = { (uint8_t) chance_below (&world->random, 4), 1 };
    process_t name = head_join (world->head, world->now, ROLE_DRIVER, 0, "driver");
    being_t *driver = world_born (world, DRIVER, name);
    uint32_t program = head_program (world->head, hash);
    driver->job = head_job (
        world->head, name, program, chance_percent (&world->random, 50) ? "" : "own",
        chance_percent (&world->random, 20) ? 1 : 0,
        1 + (unsigned) chance_below (&world->random, 2), chance_percent (&world->random, 20));
    REQUIRE (driver->job != 0);
    for (unsigned index = 0; index < 3; index++)
        REQUIRE (
            head_function (world->head, program, (const char *[]){ "a", "b", "c" } [index], 1));
    world_after (world, 0, (event_t){ .type = E_ACT, .who = name });
}

/*  The head hears of an end. What it owns there, it forgets.               */
void
world_lose (world_t *world, being_t *being, const char *cause)
{
    if (being->lost)
        return;
    being->lost = true;
    being->alive = false;
    if (being->kind == AGENT) {
        world->tally.nodes_lost++;
        for (uint32_t index = 0; index < world->being_count; index++)
            if (world->beings [index].node == being->name)
                world->beings [index].alive = false;
    }
    head_lost (world->head, world->now, being->name, cause, NULL);
    world_turn_soon (world);
}
