/*  network.c - other machines for fuzz targets: in place of wire/network.c,
    wire/gate.c and wire/watch.c                                            */

#include "fuzz/world.h"

#include "core/table.h"

#include <stdio.h>

struct gate {
    id_table_t keys; /*  the beginning of a key → itself         */
};

struct watch {
    watch_counts_t counts;
};

static gate_t s_gate;
static watch_t s_watch;

const network_t world_network = { .gate = &s_gate, .host = "127.0.0.1" };

/*  --- machines ---------------------------------------------------------  */

void
network_machine (char text [MACHINE_TEXT_SIZE])
{
    snprintf (text, MACHINE_TEXT_SIZE, "%s", WORLD_MACHINE);
}

void
network_endpoint (char *endpoint, size_t size, const char *host, uint16_t port)
{
    snprintf (endpoint, size, "tcp://%s:%u", host, port);
}

int
network_patience (int64_t *time, fault_t *fault)
{
    (void) fault;
    *time = 0;
    return 0;
}

int
network_serve (const network_t *self, void *socket, const key_pair_t *keys, const char *domain,
               fault_t *fault)
{
    REQUIRE (self == &world_network && socket && keys && *domain && fault);
    return 0;
}

int
network_approach (const network_t *self, void *socket, const uint8_t key [KEY_SIZE],
                  const key_pair_t *shown, fault_t *fault)
{
    REQUIRE (self == &world_network && socket && key && shown && fault);
    return 0;
}

/*  --- the gate ---------------------------------------------------------  */

static tid_t
s_key (const uint8_t key [KEY_SIZE])
{
    return (tid_t){ load_u64 (key) | 1, load_u64 (key + 8) };
}

int
gate_allow (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE], const char *name,
            fault_t *fault)
{
    REQUIRE (gate == &s_gate && strcmp (domain, DOMAIN_PEERS) == 0 && !name && fault);
    REQUIRE (id_table_put (&gate->keys, s_key (key), gate) == 0);
    return 0;
}

int
gate_revoke (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE])
{
    REQUIRE (gate == &s_gate && strcmp (domain, DOMAIN_PEERS) == 0);
    return id_table_remove (&gate->keys, s_key (key)) ? 0 : -1;
}

int
gate_watch (gate_t *gate, void *socket, fault_t *fault)
{
    REQUIRE (gate == &s_gate && socket && fault);
    return 0;
}

uint64_t
gate_refused (gate_t *gate)
{
    REQUIRE (gate == &s_gate);
    return gate->keys.count;
}

uint64_t
gate_refused_more (gate_t *gate)
{
    return gate_refused (gate);
}

/*  No worker process is started here, so none opens a gate.                */
gate_t *
gate_new (void *context, gate_log_t *log, void *arg, fault_t *fault)
{
    REQUIRE (!context && !log && !arg && !fault);
    return NULL;
}

int
gate_destroy (gate_t **gate_p)
{
    REQUIRE (!*gate_p);
    return 0;
}

int
gate_let_wait (gate_t *gate, const char *domain, fault_t *fault)
{
    REQUIRE (gate == &s_gate && *domain && fault);
    return 0;
}

int
gate_allow_insecure (gate_t *gate, const char *domain, fault_t *fault)
{
    REQUIRE (gate == &s_gate && *domain && fault);
    return 0;
}

size_t
world_keys (void)
{
    return s_gate.keys.count;
}

void
world_forget_keys (void)
{
    id_table_release (&s_gate.keys);
}

/*  --- the watch --------------------------------------------------------  */

watch_t *
watch_new (void *context, void *socket, watch_told_t *told, void *arg, fault_t *fault)
{
    REQUIRE (!context && socket && !told && !arg && fault);
    return &s_watch;
}

bool
watch_drain (watch_t *watch)
{
    return watch != &s_watch;
}

void
watch_read (const watch_t *watch, watch_counts_t *counts)
{
    *counts = watch->counts;
}

void
watch_stop (void *socket)
{
    REQUIRE (socket);
}

int
watch_destroy (watch_t **watch_p)
{
    *watch_p = NULL;
    return 0;
}

/*  For worker_main, which no target calls.                                 */
int
network_open (network_t *self, void *context, gate_log_t *log, fault_t *fault)
{
    (void) self;
    (void) context;
    (void) log;
    return fault_set (fault, TROUPE_ESYSTEM, "there is no network here");
}
