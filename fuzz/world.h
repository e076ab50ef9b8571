/*  world.h - what a fuzz target has instead of a world: a clock that it sets,
    libzmq's messages and sockets in memory, and a script read from the input

    The functions of libzmq that Troupe calls, and clock_now, are defined in
    world.c and so take the place of the real ones. Nothing here is for more
    than one thread at a time.                                              */

#ifndef TROUPE_FUZZ_WORLD_H
#define TROUPE_FUZZ_WORLD_H

#include "core/bytes.h"
#include "fuzz/require.h"
#include "wire/frame.h"
#include "wire/identity.h"

/*  The time that clock_now tells.                                          */
extern int64_t world_now;

/*  --- sockets ----------------------------------------------------------  */

/*  Puts a message into a socket, to be received: a routing id if route is
    not NULL, the content if data is not NULL, and empty parts behind it.   */
void world_deliver (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
                    size_t size, unsigned empty_parts);

/*  The target defines these. A message was sent; a ROUTER's has a route.
    Whether a ROUTER may send there: if not, its peer has disconnected.     */
void world_sent (void *socket, const uint8_t *route, size_t route_size, const uint8_t *data,
                 size_t size);
bool world_routable (const uint8_t *route, size_t route_size);

/*  --- other machines (network.c) ---------------------------------------  */

/*  The machine of the process under test. Others are far from it.          */
#define WORLD_MACHINE "here"

/*  A network without keys of its own.                                      */
extern const network_t world_network;

/*  How many keys its gate lets in; and none any more.                      */
size_t world_keys (void);
void world_forget_keys (void);

/*  --- processes --------------------------------------------------------  */

#define WORLD_EPOCH UINT64_C (1)

/*  Processes are small numbers in scripts; 0 is none.                      */
static inline process_t
world_process (unsigned number)
{
    return number ? WORLD_EPOCH << 32 | number : 0;
}

/*  --- scripts ----------------------------------------------------------

    A step begins with a byte: connection (3 bits), kind (2), whether the
    next step's record goes into the same frame (1), and parts (2), which
    are empty ones behind the frame, or 3: the frame itself is missing. Then,
    numbers little-endian:

        RECORD  u8 type, u8 flags, u8 owner, u8 sequence, u16 target, u16
                extra, u16 deadline, u16 number, u8 attachments, u16 size,
                body; attachments: u8 owner, u8 sequence, u8 size and 128 if
                it is pending, value
        RAW     u16 size, and the frame itself
        TIME    u16 milliseconds that pass
        ACTION  u8 what, u8 argument: for the target

    A target with bit 15 is a process, with bit 14 a nesting depth and a low
    byte; a number 65535 means the largest.                                 */

enum { STEP_RECORD, STEP_RAW, STEP_TIME, STEP_ACTION };
enum { STEP_JOINED = 32, STEP_TRUNCATED = 3 };
enum { TARGET_PROCESS = 0x8000, TARGET_DEPTH = 0x4000 };

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t offset;
} script_t;

typedef struct {
    unsigned kind;              /*  RECORD and RAW: frame                   */
    unsigned connection;
    unsigned parts;
    unsigned number;            /*  milliseconds, or what to do             */
    unsigned argument;
    bytes_t frame;              /*  the target releases it                  */
} step_t;

/*  Reads the next step. False at the end.                                  */
bool script_next (script_t *script, step_t *step);

#endif
