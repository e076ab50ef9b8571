/*  network.h - what a process needs to be reached from other machines

    Within one machine, processes meet through abstract sockets that only
    their user may connect to; these belong to a network namespace, so a
    machine here is one kernel, one namespace and one user. Between machines
    everything goes by tcp and CURVE: each process has a pair of keys, the
    head tells each of the others' public keys, and the gate lets in those.  */

#ifndef TROUPE_WIRE_NETWORK_H
#define TROUPE_WIRE_NETWORK_H

#include "wire/frame.h"
#include "wire/gate.h"
#include "wire/keys.h"

/*  Domains of the gate.                                                    */
#define DOMAIN_HEAD "head"
#define DOMAIN_PEERS "peers"

#define MACHINE_TEXT_SIZE 96

/*  What a frame between machines may have. libzmq reads frames of this size
    from strangers too, before they have shown a key.                       */
#define NETWORK_FRAME_MAX ((size_t) 96 << 20)

/*  What a value and the arguments of a call may have then.                 */
#define NETWORK_VALUE_MAX ((size_t) 64 << 20)

/*  What one record may have, with its attachments: between machines, or on one. */
static inline size_t
network_record_max (bool between)
{
    return between ? NETWORK_FRAME_MAX / 8 * 7 : VALUE_SIZE_MAX;
}

/*  Seconds of silence after which one counts as dead, unless told otherwise. */
#define NETWORK_DEAD_AFTER 10

/*  Owned by who makes it; must outlive the sockets that use it.            */
typedef struct {
    gate_t *gate;
    char host [HOST_MAX + 1];   /*  where others reach this process         */
    bool insecure;              /*  no keys: loopback only                  */
    key_pair_t keys;            /*  of this process                         */
    key_pair_t admission;       /*  shown to the head                       */
    uint8_t head_key [KEY_SIZE];
} network_t;

/*  The name of this machine in the sense above. Thread-safe.               */
void network_machine (char text [MACHINE_TEXT_SIZE]);

/*  The address of this machine as somebody at host would see it: that of the
    interface that leads there. If there is no way: that of the first interface
    that is up, else "127.0.0.1". Returns 0, or -1 with the fault set if the
    host is not known.                                                      */
int network_source (const char *host, uint16_t port, char source [HOST_MAX + 1],
                    fault_t *fault);

/*  True for an address that only this machine can reach.                   */
bool network_is_loopback (const char *host);

/*  Makes the process's keys, unless insecure, which is set before, and the
    context's gate, which lets nobody in yet but keeps peers waiting that may
    become known. log may be NULL; see gate_new. The environment's TROUPE_ALLOW
    and TROUPE_DENY, ranges of addresses separated by blanks, hold for all
    sockets. Connections beyond a part of the files that the process may have
    open are cut. Returns 0, or -1 with the fault set; network_close in any
    case.                                                                   */
int network_open (network_t *self, void *context, gate_log_t *log, fault_t *fault);

/*  A time that the environment gives in seconds, at least least of them, or
    otherwise. Returns 0, or -1 with the fault set.                         */
int network_seconds (const char *name, double otherwise, double least, int64_t *time,
                     fault_t *fault);

/*  How long a silent head is believed to be there (TROUPE_DEAD_AFTER).     */
int network_patience (int64_t *time, fault_t *fault);

/*  Ends the gate, after all sockets are closed, and wipes the keys. Returns 0,
    or -1 with the fault set if the gate's thread did not end.              */
int network_close (network_t *self, fault_t *fault);

/*  "HOST:PORT", IPv6 in brackets; for people and for TROUPE_ADDRESS.       */
#define ADDRESS_TEXT_SIZE (HOST_MAX + 16)
void network_address (char text [ADDRESS_TEXT_SIZE], const char *host, uint16_t port);

/*  "tcp://HOST:PORT", IPv6 in brackets; port 0 is "*".                     */
void network_endpoint (char *endpoint, size_t size, const char *host, uint16_t port);

/*  By the thread that owns the socket; keys are copied. Return 0, or -1 with
    the fault set.
    Makes the socket's further tcp endpoints those of a server in this domain,
    whose connections the gate watches until the socket is closed, or its
    further connections those of a client of the key's owner.               */
int network_serve (const network_t *self, void *socket, const key_pair_t *keys,
                   const char *domain, fault_t *fault);
int network_approach (const network_t *self, void *socket, const uint8_t key [KEY_SIZE],
                      const key_pair_t *shown, fault_t *fault);

#endif
