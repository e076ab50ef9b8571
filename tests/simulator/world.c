/*  world.c - events, messages between simulated processes, their beginning and
    their end                                                               */

#include "simulator.h"

const char *const simulator_function_names [FUNCTIONS]
    = { "quick", "short", "long", "nested", "jumpy", "heavy" };

void
simulator_after (world_t *world, int64_t delay, event_type_t type, uint32_t peer,
                 uint64_t detail)
{
    agenda_add (&world->agenda, (event_t){ .due = world->now + delay,
                                           .type = (int) type,
                                           .number = peer,
                                           .detail = detail });
}

/*  --- messages ---------------------------------------------------------  */

peer_t *
simulator_named (world_t *world, process_t name)
{
    uint32_t count = (uint32_t) name;
    REQUIRE (name >> 32 == EPOCH && count && count <= world->joined);
    return world->peers [world->by_name [count]];
}

/*  The time at which a link's last message arrives.                        */
static int64_t *
s_link (world_t *world, uint32_t from, uint32_t to)
{
    if (from == HEAD)
        return &world->peers [to]->from_head;
    if (to == HEAD)
        return &world->peers [from]->to_head;
    tid_t key = { (uint64_t) from + 1, to };
    int64_t *last = id_table_get (&world->links, key);
    if (!last) {
        last = calloc (1, sizeof *last);
        assert_non_null (last);
        assert_int_equal (id_table_put (&world->links, key, last), 0);
    }
    return last;
}

void
simulator_send (world_t *world, uint32_t from, uint32_t to, const record_t *record)
{
    bytes_clear (&world->frame);
    assert_int_equal (record_write (&world->frame, record), 0);
    message_t *message = malloc (sizeof *message + world->frame.size);
    assert_non_null (message);
    message->from = from;
    message->to = to;
    message->index = from == HEAD ? 0 : ++world->peers [from]->sent;
    message->size = world->frame.size;
    memcpy (message->frame, world->frame.data, message->size);
    int64_t delay = chance_percent (&world->random, 1)
                        ? chance_between (&world->random, 0, 5 * CLOCK_MS)
                        : chance_between (&world->random, 10 * CLOCK_US, 150 * CLOCK_US);
    int64_t *last = s_link (world, from, to);
    if (*last < world->now + delay)
        *last = world->now + delay;
    agenda_add (&world->agenda,
                (event_t){ .due = *last, .type = EVENT_MESSAGE, .data = message });
}

/*  To a process by its name; 0 is the head.                                */
void
simulator_send_named (world_t *world, peer_t *from, process_t to, const record_t *record)
{
    simulator_send (world, from->number, to ? simulator_named (world, to)->number : HEAD,
                    record);
}

void
simulator_send_short (world_t *world, peer_t *from, uint8_t type, uint64_t number,
                      const uint8_t *body, uint32_t size)
{
    record_t record = { .type = type, .id.sequence = number, .body = body, .body_size = size };
    simulator_send (world, from->number, HEAD, &record);
}

/*  --- processes --------------------------------------------------------  */

peer_t *
simulator_start (world_t *world, role_t role)
{
    peer_t *peer = calloc (1, sizeof *peer);
    assert_non_null (peer);
    peer->number = world->peer_count;
    peer->role = role;
    peer->alive = true;
    peer->cut = UINT64_MAX;
    peer->slots = 1 + (unsigned) chance_below (&world->random, world->scenario->slots);
    peer->slowness = chance_percent (&world->random, 5) ? 20 : 1;
    list_init (&peer->queue);
    list_init (&peer->runs);
    list_init (&peer->waiting);
    world->peers = realloc (world->peers, (world->peer_count + 1) * sizeof *world->peers);
    world->by_name = realloc (world->by_name, (world->peer_count + 2) * sizeof *world->by_name);
    assert_true (world->peers && world->by_name);
    world->peers [world->peer_count++] = peer;
    if (role == ROLE_WORKER) {
        world->workers_alive++;
        peer->ledger = calloc (LEASES_MAX, sizeof *peer->ledger);
        assert_non_null (peer->ledger);
    }
    record_t hello = { .type = RECORD_HELLO, .flags = (uint8_t) role, .number = peer->slots };
    simulator_send (world, peer->number, HEAD, &hello);
    return peer;
}

void
simulator_free_runs (list_t *list)
{
    for (list_node_t *node; (node = list_pop (list));)
        free (container_of (node, run_t, node));
}

/*  Ends a process. Some of what it sent last never arrives. Its parent will
    notice.                                                                 */
void
simulator_kill (world_t *world, peer_t *peer)
{
    if (!peer->alive)
        return;
    peer->alive = false;
    uint64_t underway = peer->sent - peer->delivered;
    peer->cut = peer->sent;
    if (underway && chance_percent (&world->random, 60))
        peer->cut = peer->delivered + chance_below (&world->random, underway + 1);
    simulator_free_runs (&peer->queue);
    simulator_free_runs (&peer->runs);
    simulator_free_runs (&peer->waiting);
    world->workers_alive -= peer->role == ROLE_WORKER;
    simulator_after (world, chance_between (&world->random, 0, 3 * CLOCK_MS), EVENT_NOTICE,
                     peer->number, 0);
    simulator_after (world, chance_between (&world->random, CLOCK_MS, 40 * CLOCK_MS),
                     EVENT_JOIN, peer->number, 0);
}
