/*  head.h - the head: one ROUTER around the state machine

    A zactor. Everybody's control messages come here; the state decides, and
    this shell moves the messages.                                          */

#ifndef TROUPE_HEAD_HEAD_H
#define TROUPE_HEAD_HEAD_H

#include "head/head_state.h"
#include "wire/network.h"
#include "wire/tokens.h"

typedef struct head head_t;

typedef struct {
    const char *const *endpoints;   /*  on this machine; ends in NULL       */
    const uint8_t *cookie;          /*  16 bytes, that HELLO must show      */

    /*  What follows is for a cluster of machines; zero in an embedded one. */
    const network_t *network;
    const cluster_keys_t *keys;
    tokens_t *tokens;               /*  the head's alone from now on        */
    const char *host;               /*  to listen on                        */
    uint16_t port;                  /*  0: any free one                     */
    const char *programs;           /*  folder for the drivers' programs    */
    const char *address;            /*  host of the head as others see it   */
    const head_settings_t *settings;    /*  NULL: the defaults              */
    void (*log) (void *context, const char *text);  /*  may be NULL         */
    void *log_context;
    void (*failed) (void *context, const fault_t *why); /*  told by the head's
                                    thread, which has no memory left and
                                    ends. May be NULL                       */
} head_options_t;

/*  Starts a head on the ZeroMQ context. The options are not needed after, but
    what they point to by "network", "keys" and "tokens" must outlive the head.
    log and failed are called on its thread. NULL with the fault set.       */
head_t *head_new (void *context, const head_options_t *options, fault_t *fault);

/*  The tcp endpoint that it listens on, "" if it has none. From any thread; the
    text lives as long as the head.                                         */
const char *head_endpoint (const head_t *self);

/*  Ends it, and waits for that. In a cluster of machines everybody is told
    first, and is given a few seconds to say that he knows. Once, from any
    thread but the head's own. Returns 0, or -1 if its thread did not end, and
    then its memory is left to it.                                          */
int head_destroy (head_t **self_p);

#endif
