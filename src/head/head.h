/*  head.h - the head: one ROUTER around the state machine

    A zactor. Everybody's control messages come here; the state decides, and
    this shell moves the messages.                                          */

#ifndef TROUPE_HEAD_HEAD_H
#define TROUPE_HEAD_HEAD_H

#include "core/error.h"

#include <stdint.h>

typedef struct head head_t;

/*  Starts a head on the ZeroMQ context, bound to each of the endpoints (the
    list ends in NULL). What does not show the cookie, of 16 bytes, is
    ignored. NULL with the fault set.                                       */
head_t *head_new (void *context, const char *const *endpoints, const uint8_t *cookie,
                  fault_t *fault);

/*  Ends it. Returns 0, or -1 if its thread did not end.                    */
int head_destroy (head_t **self_p);

#endif
