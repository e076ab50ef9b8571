/*  frame.h - the one message format: frames of records

    A ZeroMQ message is one frame, all numbers little-endian:

        0  u8   magic 0x54
        1  u8   version 1
        2  u16  number of records
        4  u32  size of the frame
        8  records

    A record begins at a multiple of 8. Its first 16 bytes are

        0  u32  size of the record with its header, a multiple of 8
        4  u8   type
        5  u8   flags
        6  u16  extra
        8  u64  sequence

    and short types, such as heartbeats, have no more header: with the
    frame's, 24 bytes, which libzmq keeps inside zmq_msg_t. The others go on

       16  u64  owner: with sequence, the id of a future or actor
       24  u64  target
       32  u32  deadline, milliseconds left, 0 for none
       36  u32  number
       40  u32  size of the body
       44  u32  number of attachments
       48  body, then the attachments, each at a multiple of 8

    An attachment is the value of a future that the body refers to:

        0  u64  owner
        8  u64  sequence
       16  u32  size of the value
       20  u32  1 if the value is yet to come (and size is 0), else 0
       24  the value, padded to a multiple of 8                             */

#ifndef TROUPE_WIRE_FRAME_H
#define TROUPE_WIRE_FRAME_H

#include "core/bytes.h"
#include "core/id.h"

#define FRAME_MAGIC 0x54
#define FRAME_VERSION 1
#define FRAME_HEADER 8
#define RECORD_SHORT 16
#define RECORD_HEADER 48
#define ATTACHMENT_HEADER 24

/*  A single value, and so a record, may be this large.                     */
#define VALUE_SIZE_MAX ((size_t) 1 << 30)
#define ATTACHMENTS_MAX 65536

/*  Futures whose values one call takes: a task that waits at the head has an
    attachment for each, and then another one with its value.               */
#define NEEDED_MAX (ATTACHMENTS_MAX / 2)

/*  Types: name, number, short, who sends it and what for.                  */
#define RECORD_TYPES(X)                                                                      \
    X (HELLO, 1, false)     /*  peer to head: who I am, what I offer        */               \
    X (WELCOME, 2, false)   /*  head to peer: your name, numbers of names   */               \
    X (REFUSED, 3, false)   /*  head to peer: why not                       */               \
    X (PEER_UP, 4, false)   /*  head to peer: a process and its address     */               \
    X (PEER_DOWN, 5, false) /*  head to peer: a process has ended, and why;
                                number: the code, 0 being ELOST             */               \
    X (PING, 6, true)       /*  peer to head: alive, and how many connections
                                it has refused since the last; and back: alive */            \
    X (STOP, 7, true)       /*  head to worker: end, sequence: 1 with the
                                cluster; to others: begin nothing           */               \
    X (TASK, 8, false)      /*  owner to head, head to worker               */               \
    X (DONE, 9, true)       /*  worker to head: leases and their durations  */               \
    X (RETURNED, 10, true)  /*  worker to head: leases that did not start   */               \
    X (RECALL, 11, true)    /*  head to worker: give back so many           */               \
    X (SLOTS, 12, true)     /*  worker to head: executors that wait         */               \
    X (CANCEL, 13, false)   /*  owner to head or worker                     */               \
    X (SUBSCRIBE, 14, false) /* send the value of this future to a process  */               \
    X (VALUE, 15, false)    /*  producer to subscriber                      */               \
    X (RESULT, 16, false)   /*  producer to owner                           */               \
    X (CALL, 17, false)     /*  caller to worker: a method                  */               \
    X (SPAWN, 18, false)    /*  owner to head, head to worker               */               \
    X (ACTOR_UP, 19, false) /*  worker to head: constructed                 */               \
    X (ACTOR_DOWN, 20, false) /* worker to head: ended or failed            */               \
    X (END, 21, false)      /*  owner to worker: end an actor               */               \
    X (FIND, 22, false)     /*  peer to head: a named actor                 */               \
    X (BORROW, 23, false)   /*  borrower to owner: I keep this              */               \
    X (RELEASE, 24, false)  /*  borrower to owner: no more                  */               \
    X (WORKER_LOST, 25, false) /* node to head: a process ended, and why    */               \
    X (ACK, 26, true)       /*  owner to head: a task's result is here      */               \
    X (CHECK, 27, false)    /*  owner to head: tasks that it waits for      */               \
    X (UNKNOWN, 28, false)  /*  head to owner: those that it does not know  */               \
    X (FENCE, 29, true)     /*  owner to worker: SIGN behind what you sent  */               \
    X (SIGN, 30, true)      /*  worker to owner: here it is                 */               \
    X (LEAVE, 31, true)     /*  peer to head: I end; head to peer: I know   */               \
    X (START, 32, false)    /*  head to node: start workers of a program    */               \
    X (FAILED, 33, false)   /*  node to head: cannot start any, and why     */               \
    X (FETCH, 34, false)    /*  node to head, head to driver: a program     */               \
    X (CHUNK, 35, false)    /*  driver to head, head to node: a piece of it */               \
    X (LOG, 36, false)      /*  node to head, head to driver: lines printed */               \
    X (INQUIRE, 37, false)  /*  peer to head: what is there, what happens   */               \
    X (COMMAND, 38, false)  /*  client to head: drain a node...             */               \
    X (LINK, 39, false)     /*  ends a frame between machines (channel.h)   */               \
    X (GROUP, 40, false)    /*  owner to head: reserve resources            */               \
    X (STORE, 41, false)    /*  host to head: what its object store has     */               \
    X (LINES, 42, true)     /*  head to node: send what was printed; and back */             \
    X (CLASSES, 43, false)  /*  worker to head: what its modules offer, too */

typedef enum {
#define RECORD_ENUM_(name, number, is_short) RECORD_##name = number,
    RECORD_TYPES (RECORD_ENUM_)
#undef RECORD_ENUM_
    RECORD_TYPE_LIMIT
} record_type_t;

enum {
    RECORD_FAULT = 1,       /*  RESULT, VALUE: body is a text, number a code */
    RECORD_BY_NAME = 2,     /*  TASK, CALL: body begins with a name of extra
                                bytes, padded to a multiple of 8            */
    RECORD_KILL = 4,        /*  END: do not run the calls that wait; GROUP:
                                give it back; PEER_DOWN: do not listen to it */
    RECORD_ACTOR = 8,       /*  BORROW, RELEASE: of an actor                */
    RECORD_AGAIN = 16,      /*  SUBSCRIBE: the value may have been lost     */
    RECORD_DETACHED = 64,   /*  SPAWN: the actor survives its owner         */
    RECORD_OBJECTS = 128,   /*  RESULT, VALUE: the value refers to objects,
                                which the owner of a RESULT now holds       */
    RECORD_OPTIONS = 32     /*  TASK: a block of options (wire/options.h) comes
                                first in the body, but behind the name;
                                SPAWN, to the head: it comes first          */
};

/*  What a COMMAND of the head tells a node.                                */
enum {
    COMMAND_KILL = 1,       /*  number: the pid of a worker                 */
    COMMAND_DRAINED = 2,    /*  nothing runs there any more; number: 1 in the
                                whole cluster                               */
    COMMAND_WAITS = 3       /*  body: what still runs, in words             */
};

/*  Retries of a TASK that never run out.                                   */
#define RETRIES_ALWAYS 255

/*  The target of a TASK: how deep it is nested; the lower 24 bits of the lease
    under which its owner runs the task that submits it, or 0; its retries.  */
static inline uint64_t
task_target (uint32_t depth, uint32_t parent_lease, uint8_t retries)
{
    return (uint64_t) depth << 32 | (uint64_t) (parent_lease & 0xffffff) << 8 | retries;
}

/*  What a process is in the cluster.                                       */
typedef enum { ROLE_DRIVER = 1, ROLE_WORKER = 2, ROLE_NODE = 3, ROLE_CLIENT = 4 } role_t;

/*  A record, read or to be written.                                        */
typedef struct {
    uint8_t type;
    uint8_t flags;
    uint16_t extra;
    uint32_t deadline;
    uint32_t number;
    uint32_t body_size;
    uint32_t attachments;       /*  how many                                */
    uint32_t attachments_size;  /*  bytes                                   */
    uint64_t target;
    tid_t id;
    const uint8_t *body;
    const uint8_t *attachment;  /*  the first                               */
} record_t;

typedef struct {
    tid_t id;
    uint32_t size;
    bool pending;
    const uint8_t *value;
} attachment_t;

const char *record_type_name (unsigned type);

/*  --- writing: a buffer that holds a frame under construction ----------  */

/*  Begins a record in the buffer, beginning the frame if it is empty, with
    an open body that the caller appends to the buffer. Returns the offset of
    the record, or SIZE_MAX when there is no memory.                        */
size_t record_begin (bytes_t *frame, const record_t *record);

/*  Ends the body; attachments may follow.                                  */
void record_end_body (bytes_t *frame, size_t offset);

/*  Appends an attachment to the record at offset, after record_end_body.   */
int record_attach (bytes_t *frame, size_t offset, tid_t id, const uint8_t *value, size_t size,
                   bool pending);

/*  Ends the record: sizes and counts are filled in. Returns 0, or -1 with
    the record taken out again if memory ran out on the way.                */
int record_end (bytes_t *frame, size_t offset);

/*  Takes out the record begun at offset.                                   */
void record_abandon (bytes_t *frame, size_t offset);

/*  A whole record in one step: header, body, and attachments as they stand
    in the record given. Returns 0 or -1.                                   */
int record_write (bytes_t *frame, const record_t *record);

/*  --- reading: nothing is trusted --------------------------------------  */

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t offset;
    unsigned left;
} frame_reader_t;

/*  Checks the frame's header. Returns 0 or -1.                             */
int frame_open (frame_reader_t *reader, const uint8_t *data, size_t size);

/*  Takes the next record; every size and attachment in it is checked, the
    contents of bodies and values are not. Returns 1, 0 at the end, or -1.  */
int frame_next (frame_reader_t *reader, record_t *record);

/*  Takes the next attachment of a record that frame_next has checked;
    *place starts at record->attachment.                                    */
attachment_t attachment_next (const uint8_t **place);

#endif
