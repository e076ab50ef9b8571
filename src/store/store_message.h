/*  store_message.h - what a process and the store of its machine say

    Over local sockets, SOCK_SEQPACKET, of the same user only; a packet is one
    message, a store_message_t as it lies in memory, since both ends are of
    the same machine. A text follows a FAULT.

    A client may have several connections; each begins with HELLO, whose
    answer WELCOME brings the descriptor of the store's memory (SCM_RIGHTS),
    and has one request outstanding at most.

        type      from    answer     what for
        HELLO     client  WELCOME    who it is
        CREATE    client  GRANTED    so many bytes, to be filled; waits while
                                     the memory is full
        SEAL      client             it is filled: size, kind, and the holder
        ABORT     client             it will not be
        CLAIM     client             the holder has what was sealed for it
        HOLD      client             one more hold, for a holder
        RELEASE   client             one less
        PIN       client  PINNED     where it is; waits until it is here, from
                                     disk or another store
        UNPIN     client             read
        PREFETCH  client             it will be pinned soon
        SYNC      client  SYNCED     so many holds that this process gave to
                                     objects of another store have arrived
                                     there, but for those it knows are lost

    CREATE, PIN and SYNC are answered by FAULT if they fail, and HELLO if the store
    has no file left for another connection. What a client made and did not seal,
    and what it pinned, ends with the last of its connections.
    A hold that it passed on, by SEAL or HOLD, and that the holder does not claim
    within a while of that, ends, too.                                      */

#ifndef TROUPE_STORE_MESSAGE_H
#define TROUPE_STORE_MESSAGE_H

#include "core/id.h"

#define STORE_VERSION 3

/*  What the sockets of clients hold, in bytes.                             */
#define STORE_CLIENT_BUFFER (64 << 10)

/*  How long holds may take to arrive at another store, from SYNC on.       */
#define STORE_SYNC_PATIENCE_S 30

/*  The text of a fault.                                                    */
#define STORE_TEXT_MAX 480

typedef enum {
    STORE_HELLO = 1,            /*  size: STORE_VERSION, holder: process    */
    STORE_WELCOME,              /*  id.owner: the store's name; size: of its
                                    memory                                  */
    STORE_CREATE,               /*  size                                    */
    STORE_GRANTED,              /*  id, offset                              */
    STORE_SEAL,                 /*  id, size (at most what was granted), kind,
                                    holder                                  */
    STORE_ABORT,                /*  id                                      */
    STORE_CLAIM,                /*  id                                      */
    STORE_HOLD,                 /*  id, holder                              */
    STORE_RELEASE,              /*  id, holder                              */
    STORE_PIN,                  /*  id, size as the reference says          */
    STORE_PINNED,               /*  id, offset, size, kind                  */
    STORE_UNPIN,                /*  id                                      */
    STORE_PREFETCH,             /*  id, size                                */
    STORE_FAULT,                /*  code, size: of the text behind; after a
                                    SYNC, offset as of SYNCED, and lost are
                                    those behind id.sequence up to holder   */
    STORE_SYNC,                 /*  id: the store, and how many HOLDs;
                                    offset: of how many the client knows    */
    STORE_SYNCED                /*  offset: how many it is known of         */
} store_message_type_t;

typedef struct {
    uint8_t type;
    uint8_t kind;               /*  object_kind_t                           */
    uint16_t code;              /*  troupe_error_t                          */
    uint32_t passed;            /*  SEAL, HOLD, RELEASE: the holder claims it
                                    when he hears of it, or does not hear   */
    tid_t id;                   /*  home and number of the object           */
    uint64_t size;
    uint64_t offset;            /*  in the store's memory                   */
    process_t holder;
} store_message_t;

_Static_assert (sizeof (store_message_t) == 48, "no padding between the fields");

#endif
