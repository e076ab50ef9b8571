/*  store_message.h - what a process and the store of its machine say

    Over a local socket, SOCK_SEQPACKET: a packet is one message or several,
    each a store_message_t as it lies in memory, since both ends are of the
    same machine. A text follows a fault, and then nothing more in that packet.

    A client begins with HELLO; the answer WELCOME brings the descriptor of the
    store's memory (SCM_RIGHTS), which the client maps: for reading, and, if it
    makes objects, a second time for writing.

        type      from    answer     what for
        HELLO     client  WELCOME    cookie; who it is
        CREATE    client  GRANTED    so many bytes, to be filled; waits while
                                     the memory is full
        SEAL      client             it is filled: size, kind, and the holder
        ABORT     client             it will not be
        CLAIM     client             the holder has the reference
        RELEASE   client             the holder does not need it any more
        PIN       client  PINNED     where it is; waits until it is here, from
                                     disk or another store
        UNPIN     client             read

    CREATE and PIN are answered by their token, in any order, by FAULT if they
    fail. What a client made and did not seal, and what it pinned, ends with
    its connection; what it holds, too.                                     */

#ifndef TROUPE_STORE_MESSAGE_H
#define TROUPE_STORE_MESSAGE_H

#include "core/id.h"

#define STORE_VERSION 1
#define STORE_COOKIE_SIZE 16

/*  Messages in one packet at most, and the text of a fault.                */
#define STORE_PACKET_MAX 64
#define STORE_TEXT_MAX 512

typedef enum {
    STORE_HELLO = 1,            /*  size: STORE_VERSION, holder: process;
                                    the cookie in id and offset             */
    STORE_WELCOME,              /*  id.owner: the store's name; size: of its
                                    memory                                  */
    STORE_CREATE,               /*  token, size                             */
    STORE_GRANTED,              /*  token, id, offset                       */
    STORE_SEAL,                 /*  id, size (at most what was granted), kind,
                                    holder                                  */
    STORE_ABORT,                /*  id                                      */
    STORE_CLAIM,                /*  id, holder: the client itself           */
    STORE_RELEASE,              /*  id, holder                              */
    STORE_PIN,                  /*  token, id, size as the reference says   */
    STORE_PINNED,               /*  token, id, offset, size, kind           */
    STORE_UNPIN,                /*  id                                      */
    STORE_FAULT                 /*  token, code, size: of the text behind   */
} store_message_type_t;

typedef struct {
    uint8_t type;
    uint8_t kind;               /*  object_kind_t                           */
    uint16_t code;              /*  troupe_error_t                          */
    uint32_t token;             /*  the client's, for the answer            */
    tid_t id;                   /*  home and number of the object           */
    uint64_t size;
    uint64_t offset;            /*  in the store's memory                   */
    process_t holder;
    uint64_t spare;
} store_message_t;

_Static_assert (sizeof (store_message_t) == 56, "no padding between the fields");

#endif
