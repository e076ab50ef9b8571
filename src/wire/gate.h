/*  gate.h - decides which connections get into a context's sockets

    A thread that answers what libzmq asks about each handshake (ZAP, see
    https://rfc.zeromq.org/spec/27/). Sockets belong to domains (see
    socket_curve_server); a domain knows the public keys that it lets in.
    What a domain was not told to let in is refused.

    libzmq lets everybody in while nobody answers, unless the socket insists
    (socket_curve_server does where libzmq can): so there must be a gate
    before the first socket binds, until the last one is closed. One gate a
    context. All functions may be called from any thread but gate_watch and
    gate_unwatch, which belong to the thread that owns the socket.          */

#ifndef TROUPE_WIRE_GATE_H
#define TROUPE_WIRE_GATE_H

#include "wire/keys.h"
#include "wire/watch.h"

/*  Names of domains and of those let in, which become their User-Id.       */
#define GATE_NAME_MAX 63

#define GATE_KEYS_MAX 100000
#define GATE_RANGES_MAX 256
#define GATE_DOMAINS_MAX 64
#define GATE_WATCHES_MAX 64

/*  How many may wait for a key, and how long: less than a handshake may take. */
#define GATE_WAITING_MAX 64
#define GATE_WAIT_MS 3000

/*  How many refusals and how many addresses are remembered.                */
#define GATE_REFUSALS 32
#define GATE_ADDRESSES 1024

#define GATE_ADDRESS_SIZE 64

typedef enum {
    GATE_UNKNOWN_KEY,       /*  or one that was revoked                     */
    GATE_ADDRESS,           /*  outside of the ranges                       */
    GATE_MECHANISM,         /*  not CURVE                                   */
    GATE_DOMAIN,            /*  a domain that lets nobody in                */
    GATE_MALFORMED,
    GATE_REASONS
} gate_reason_t;

typedef struct {
    uint64_t admitted;
    uint64_t refused;                   /*  the sum of refused_by           */
    uint64_t refused_by [GATE_REASONS];
    uint64_t cut;                       /*  connections beyond a limit      */
    uint64_t silenced;                  /*  of these, not logged            */
    size_t waiting;                     /*  for their key to become known   */
    size_t open;                        /*  connections of watched sockets  */
    watch_counts_t connections;         /*  of all watched sockets          */
} gate_counts_t;

typedef struct {
    int64_t when_ms;                    /*  since 1970                      */
    gate_reason_t reason;
    char domain [GATE_NAME_MAX + 1];
    char address [GATE_ADDRESS_SIZE];   /*  "localhost:UID:GID:PID" if local */
    char key [KEY_TEXT_SIZE];           /*  "" if it showed none            */
} gate_refusal_t;

/*  An address that connected to watched sockets. What was opened and is
    neither open, admitted nor refused never finished its handshake.        */
typedef struct {
    char address [GATE_ADDRESS_SIZE];
    size_t open;
    uint64_t opened;
    uint64_t admitted;
    uint64_t refused;
    int64_t last_ms;                    /*  since 1970                      */
} gate_address_t;

typedef struct gate gate_t;

/*  Told of refusals and cuts, one line each, by the gate's thread: five at
    once, then at most one a second, which says how many were left out.     */
typedef void gate_log_t (void *arg, const char *text);

/*  Binds the context's ZAP endpoint and starts the thread. log may be NULL. */
gate_t *gate_new (void *context, gate_log_t *log, void *arg, fault_t *fault);

/*  Ends the thread. Only after the sockets that it guards and watches have
    been closed, or unwatched. Returns 0, or -1 if it had to leave something. */
int gate_destroy (gate_t **gate_p);

/*  Lets a key into a domain; name becomes the User-Id of what it sends, the
    key in Z85 if NULL. Again: changes the name. Returns 0, or -1 with the
    fault set.                                                              */
int gate_allow (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE],
                const char *name, fault_t *fault);

/*  The key gets in no more. Connections that are there stay: see peer_cut in
    socket.h. Returns 0, or -1 if the domain did not let it in.             */
int gate_revoke (gate_t *gate, const char *domain, const uint8_t key [KEY_SIZE]);

/*  Who shows an unknown key to this domain is kept waiting for gate_allow, up
    to GATE_WAIT_MS, and is then told to try again (status 300): for keys that
    the head may be about to tell of. Others are refused (status 400), after
    which libzmq's clients never try again by themselves.                   */
int gate_let_wait (gate_t *gate, const char *domain, fault_t *fault);

/*  Lets everybody without a key into a domain who is on this machine.      */
int gate_allow_insecure (gate_t *gate, const char *domain, fault_t *fault);

/*  Once a domain has allowed ranges, an address must be in one of them; in no
    case may it be in a denied one. Local sockets have no address.          */
int gate_allow_range (gate_t *gate, const char *domain, const char *range, fault_t *fault);
int gate_deny_range (gate_t *gate, const char *domain, const char *range, fault_t *fault);

/*  How many connections watched sockets may have open together, and of one
    address; 0 is without limit, as it is at first. What exceeds a limit is
    cut at once. Local sockets do not count: what connects to them is cut when
    few files are left (core/files.h).                                      */
void gate_limit (gate_t *gate, size_t total, size_t per_address);

/*  Counts what connects to a socket, applies the limits to it, and cuts who
    sends more than a handshake before he is let in. Before it binds, and when
    it is a CURVE server, if it will be one. Returns 0, or -1 with the fault
    set.                                                                    */
int gate_watch (gate_t *gate, void *socket, fault_t *fault);
void gate_unwatch (gate_t *gate, void *socket);

void gate_counts (gate_t *gate, gate_counts_t *counts);

/*  How many connections were refused or cut, or were none of this cluster; each
    counts once.                                                            */
uint64_t gate_refused (gate_t *gate);

/*  How many of these there were since this was last asked.                 */
uint64_t gate_refused_more (gate_t *gate);

/*  The last refusals, newest first, and the addresses, those with the most
    open first; at most room of them. Return how many.                      */
size_t gate_refusals (gate_t *gate, gate_refusal_t *refusals, size_t room);
size_t gate_addresses (gate_t *gate, gate_address_t *addresses, size_t room);

/*  For people: "unknown key", ...                                          */
const char *gate_reason_text (gate_reason_t reason);

#endif
