/*  fuzz_transfer.c - a store's transfers, and what other stores say to them

    The store under test is process 1; 2 to 5 are others. A step begins with a
    byte: what happens (4 bits), and another store (2 bits). Then

        ASK     a message, to the ROUTER
        REPLY   a message, u8 what follows it; to the socket of that store
        RAW     u8 size, bytes; to the ROUTER, or with bit 7 of the first byte
                to the socket of that store
        TIME    u16 in 10 ms
        others  u8: bits 0-2 the number of an object

    A message: u8 type, u8 owner (2 bits) and number (3 bits) of the object, u8
    from and store (2 bits each), u8 offset, u8 size, u8 count, u8 two sources
    (2 bits each). What has an odd offset or size is not on a piece's border.

    Each fetch ends once, or is cancelled; what it got is what the object has;
    each hold is settled once; and what was pinned to be served is let go.   */

#include "fuzz/world.h"

#include "core/checksum.h"
#include "store/transfer_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define INPUT_MAX 512
#define STORES 4
#define OBJECTS 8

enum { ASK, REPLY, RAW, TIME, UP, DOWN, FETCH, CANCEL, HOLD, DROP, DISCARD, SERVABLE, RENAME };

/*  Of each number there is an object at each store, with this content.     */
static uint8_t s_content [2 * TRANSFER_PIECE + 100];

static const uint64_t s_sizes [OBJECTS] = { 0,
                                            1,
                                            100,
                                            TRANSFER_PIECE - 1,
                                            TRANSFER_PIECE,
                                            TRANSFER_PIECE + 1,
                                            2 * TRANSFER_PIECE,
                                            sizeof s_content };

static transfer_t *s_transfer;
static process_t s_name;
static bool s_up [STORES];

static struct {
    bool lives;
    unsigned pins; /*  that the transfer has                   */
    bool coming;   /*  from disk                               */
} s_own [OBJECTS];

static struct {
    uint8_t *data; /*  NULL: not being fetched                 */
} s_fetches [STORES][OBJECTS];

static uint64_t s_tickets;
static uint64_t s_settled;

/*  --- the world ----------------------------------------------------------  */

bool
world_routable (const uint8_t *route, size_t route_size)
{
    return route_size == 5 && route [1] < 3;
}

void
world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
            size_t size)
{
    (void) route;
    REQUIRE (socket && (socket != s_transfer->socket) == !route_size);
    uint64_t sum = 0;
    for (size_t index = 0; index < size; index += size / 16 + 1)
        sum += data [index];
    REQUIRE (sum <= 255 * size);
}

static process_t
s_store (unsigned number)
{
    return world_process (2 + number % STORES);
}

static tid_t
s_own_id (unsigned number)
{
    return (tid_t){ s_name, 1 + number % OBJECTS };
}

/*  --- hooks --------------------------------------------------------------  */

/*  Those with an odd number come from disk.                                */
static int
s_serve (void *context, tid_t id, transfer_source_t *source)
{
    (void) context;
    uint64_t number = id.sequence - 1;
    if (id.owner != s_name || number >= OBJECTS || !s_own [number].lives)
        return -1;
    if (number % 2) {
        s_own [number].coming = true;
        return 0;
    }
    s_own [number].pins++;
    *source = (transfer_source_t){ s_content, s_sizes [number], OBJECT_BYTES };
    return 1;
}

static void
s_served (void *context, tid_t id)
{
    (void) context;
    if (id.owner != s_name)
        return;
    REQUIRE (id.sequence - 1 < OBJECTS && s_own [id.sequence - 1].pins);
    s_own [id.sequence - 1].pins--;
}

static void
s_fetched (void *context, tid_t id, uint8_t kind, const fault_t *fault)
{
    (void) context;
    (void) kind;
    uint64_t store = (id.owner & UINT32_MAX) - 2, number = id.sequence - 1;
    REQUIRE (store < STORES && number < OBJECTS && s_fetches [store][number].data);
    if (!fault)
        REQUIRE (memcmp (s_fetches [store][number].data, s_content, s_sizes [number]) == 0);
    free (s_fetches [store][number].data);
    s_fetches [store][number].data = NULL;
}

/*  For one number there is never memory.                                   */
static int
s_held (void *context, const transfer_hold_t *hold)
{
    (void) context;
    return hold->count == 7 ? -1 : 0;
}

static void
s_settle (void *context, uint64_t ticket, bool arrived)
{
    (void) context;
    (void) arrived;
    REQUIRE (ticket && ticket <= s_tickets);
    s_settled++;
}

static bool
s_lives (void *context, tid_t id)
{
    (void) context;
    return id.owner == s_name && id.sequence - 1 < OBJECTS && s_own [id.sequence - 1].lives;
}

static void
s_dropped (void *context, tid_t id)
{
    (void) context;
    (void) id;
}

static const transfer_hooks_t s_hooks = { .serve = s_serve,
                                          .served = s_served,
                                          .fetched = s_fetched,
                                          .held = s_held,
                                          .settled = s_settle,
                                          .lives = s_lives,
                                          .dropped = s_dropped };

/*  --- messages -----------------------------------------------------------  */

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t offset;
} input_t;

static uint8_t
s_u8 (input_t *input)
{
    return input->offset < input->size ? input->data [input->offset++] : 0;
}

static uint64_t
s_place (uint8_t byte)
{
    return byte == 255 ? UINT64_MAX : byte / 2 * (TRANSFER_PIECE / 2) + byte % 2;
}

static transfer_message_t
s_message (input_t *input)
{
    transfer_message_t message = { .type = s_u8 (input), .kind = OBJECT_BYTES };
    uint8_t object = s_u8 (input), who = s_u8 (input);
    message.id = (tid_t){ object & 4 ? s_store (object) : s_name, 1 + (object >> 3) % OBJECTS };
    message.from = s_store (who);
    message.store = who & 64 ? 0 : s_store (who >> 2);
    message.offset = s_place (s_u8 (input));
    message.size = s_place (s_u8 (input));
    message.count = (int8_t) s_u8 (input);
    uint8_t sources = s_u8 (input);
    message.sources [0] = sources & 64 ? s_name : s_store (sources);
    message.sources [1] = sources & 128 ? 0 : s_store (sources >> 2);
    if (message.type >= TRANSFER_HOLD && message.type <= TRANSFER_DROPPED)
        message.sources [0] = s_name;
    /*  Notices are numbered from 1.                                        */
    if ((message.type >= TRANSFER_HOLD && message.type <= TRANSFER_DROPPED)
        || message.type == TRANSFER_NOTED)
        message.offset = message.offset / (TRANSFER_PIECE / 2);
    return message;
}

/*  A request, or a notice, to the ROUTER.                                  */
static void
s_ask (input_t *input, unsigned store)
{
    uint8_t route [5] = { 0, (uint8_t) store, 2, 3, 4 };
    transfer_message_t message = s_message (input);
    world_deliver (s_transfer->socket, route, sizeof route, (uint8_t *) &message,
                   sizeof message, 0);
}

static void *
s_socket_of (unsigned store)
{
    const other_t *other = id_table_get (&s_transfer->others, (tid_t){ 0, s_store (store) });
    return other ? other->socket : NULL;
}

/*  A byte says what follows the message: 0 nothing, 1 a piece that is damaged,
    2 a text, else the right piece, in more parts than one if it is odd.     */
static void
s_reply (input_t *input, unsigned store)
{
    transfer_message_t message = s_message (input);
    uint8_t behind = s_u8 (input);
    const uint8_t *data = behind ? s_content : NULL;
    uint64_t whole = s_sizes [message.id.sequence - 1], size = 0;
    if (message.offset < whole)
        size
            = whole - message.offset < TRANSFER_PIECE ? whole - message.offset : TRANSFER_PIECE;
    if (behind == 2)
        size = 20;
    else if (message.offset <= whole)
        data = behind ? s_content + message.offset : NULL;
    message.size = behind & 128 ? message.size : whole;
    message.checksum = checksum_of (data ? data : s_content, size) + (behind == 1);
    if (s_socket_of (store))
        world_deliver (s_socket_of (store), (uint8_t *) &message, sizeof message, data, size,
                       behind > 2 && behind % 2 == 0);
}

static void
s_raw (input_t *input, unsigned store, bool reply)
{
    uint8_t route [5] = { 0, (uint8_t) store, 2, 3, 4 };
    size_t size = s_u8 (input), left = input->size - input->offset;
    void *socket = reply ? s_socket_of (store) : s_transfer->socket;
    size = size < left ? size : left;
    if (socket)
        world_deliver (socket, reply ? NULL : route, sizeof route, input->data + input->offset,
                       size, (unsigned) size % 3);
    input->offset += size;
}

/*  --- what the store does ------------------------------------------------  */

static void
s_fetch (unsigned store, unsigned number)
{
    fault_t fault;
    uint8_t **data = &s_fetches [store][number].data;
    if (*data)
        return;
    *data = calloc (1, s_sizes [number] + 1);
    REQUIRE (*data);
    REQUIRE (transfer_fetch (s_transfer, (tid_t){ s_store (store), 1 + number }, *data,
                             s_sizes [number], &fault)
             == 0);
}

static void
s_cancel (unsigned store, unsigned number)
{
    if (!s_fetches [store][number].data)
        return;
    transfer_cancel (s_transfer, (tid_t){ s_store (store), 1 + number });
    free (s_fetches [store][number].data);
    s_fetches [store][number].data = NULL;
}

static void
s_drop (unsigned number)
{
    s_own [number].lives = false;
    s_own [number].coming = false;
    if (transfer_drop (s_transfer, s_own_id (number))) {
        REQUIRE (s_own [number].pins);
        s_own [number].pins--;
    }
}

static void
s_servable (unsigned number, bool good)
{
    transfer_source_t source = { s_content, s_sizes [number], OBJECT_BYTES };
    if (!s_own [number].coming)
        return;
    s_own [number].coming = false;
    s_own [number].pins += good;
    transfer_servable (s_transfer, s_own_id (number), good ? &source : NULL);
}

/*  It has no object any more, and its transfers go on under another name.  */
static void
s_rename (unsigned number)
{
    for (unsigned own = 0; own < OBJECTS; own++)
        s_drop (own);
    s_name = world_process (100 + number);
    transfer_name (s_transfer, s_name);
    for (unsigned own = 0; own < OBJECTS; own++)
        s_own [own].lives = true;
}

static void
s_time (int64_t passes)
{
    world_now += passes;
    for (int turn = 0; transfer_tend (s_transfer, world_now) <= world_now; turn++)
        REQUIRE (turn < 100);
}

static void
s_rise (unsigned store)
{
    s_up [store] = true;
    transfer_store_up (s_transfer, s_store (store), "node two", "tcp://10.0.0.1:1", NULL);
}

static void
s_down (unsigned store)
{
    s_up [store] = false;
    transfer_store_down (s_transfer, s_store (store), "it is over");
}

static void
s_hold (unsigned store, unsigned number)
{
    transfer_hold_t hold = { .id = { s_store (store), 1 + number }, .holder = 9, .count = 1 };
    REQUIRE (transfer_hold (s_transfer, &hold, ++s_tickets) == 0);
}

/*  The sockets of this world have no descriptors that could tell.          */
static void
s_tell_ready (void)
{
    size_t cursor = 0;
    s_transfer->socket_due = true;
    for (other_t *other; (other = id_table_next (&s_transfer->others, &cursor));)
        if (other->socket && !list_linked (&other->due))
            list_append (&s_transfer->due, &other->due);
    transfer_ready (s_transfer);
}

static void
s_step (input_t *input)
{
    uint8_t first = s_u8 (input);
    unsigned what = first & 15, store = first >> 4 & 3, number;
    if (what == ASK)
        s_ask (input, store);
    else if (what == REPLY)
        s_reply (input, store);
    else if (what == RAW)
        s_raw (input, store, first & 128);
    if (what <= RAW) {
        s_tell_ready ();
        return;
    }
    number = s_u8 (input);
    if (what == TIME)
        s_time ((number + 256 * s_u8 (input)) * 10 * CLOCK_MS);
    else if (what == UP && !s_up [store])
        s_rise (store);
    else if (what == DOWN)
        s_down (store);
    else if (what == FETCH)
        s_fetch (store, number % OBJECTS);
    else if (what == CANCEL)
        s_cancel (store, number % OBJECTS);
    else if (what == HOLD)
        s_hold (store, number % OBJECTS);
    else if (what == DROP)
        s_drop (number % OBJECTS);
    else if (what == DISCARD && !s_fetches [store][number % OBJECTS].data)
        transfer_discard (s_transfer, (tid_t){ s_store (store), 1 + number % OBJECTS });
    else if (what == SERVABLE)
        s_servable (number % OBJECTS, number & 128);
    else if (what == RENAME)
        s_rename (number);
}

/*  --- an input -----------------------------------------------------------  */

static void
s_begin (void)
{
    fault_t fault;
    transfer_options_t options = { .network = &world_network, .hooks = &s_hooks };
    if (!s_content [1])
        for (size_t index = 0; index < sizeof s_content; index++)
            s_content [index] = (uint8_t) (index * 7 + index / 251 + 1);
    world_now = 1000 * CLOCK_MS;
    memset (s_own, 0, sizeof s_own);
    memset (s_up, 0, sizeof s_up);
    s_tickets = s_settled = 0;
    s_transfer = transfer_new (&options, &fault);
    REQUIRE (s_transfer);
    s_rename (0);
}

/*  Others go, and time passes: then nothing is on its way, nothing is pinned to
    be served, and every hold has been settled.                             */
static void
s_end (void)
{
    for (unsigned store = 0; store < STORES; store++)
        s_down (store);
    for (unsigned number = 0; number < OBJECTS; number++)
        s_servable (number, false);
    for (int seconds = 0; seconds < 70; seconds++)
        s_time (1000 * CLOCK_MS);
    REQUIRE (s_settled == s_tickets && s_transfer->fetches.count == 0);
    REQUIRE (s_transfer->parked_count == 0);
    for (unsigned number = 0; number < OBJECTS; number++)
        REQUIRE (s_own [number].pins == 0);
    for (unsigned store = 0; store < STORES; store++)
        for (unsigned number = 0; number < OBJECTS; number++)
            REQUIRE (!s_fetches [store][number].data);
    REQUIRE (transfer_destroy (&s_transfer) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    input_t input = { data, size < INPUT_MAX ? size : INPUT_MAX, 0 };
    s_begin ();
    while (input.offset < input.size)
        s_step (&input);
    s_end ();
    return 0;
}
