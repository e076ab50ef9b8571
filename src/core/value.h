/*  value.h - values: how arguments and results are encoded

    A value is one msgpack object (https://github.com/msgpack/msgpack, spec.md)
    in a block whose first byte lies at a multiple of 8 in memory. Beside the
    plain types it may hold these extensions, numbers little-endian:

        ext 1  numbers    u8 kind, u8 pad, pad bytes, the numbers. The pad
                          puts the first number at a multiple of 8 from the
                          start of the block, so that it is read in place
        ext 2  future     16 bytes: u64 owner, u64 sequence: the value of
                          that future is meant
        ext 3  handle     16 bytes: the future as such
        ext 4  actor      u64 owner, u64 sequence, u64 worker, u64 number,
                          u64 signature, then the name of the class
        ext 5  object     u64 home, u64 number, u64 size, u8 kind, 7 zeros: a
                          value that lies in a store (store/object.h)

    The arguments of a call are one array. Nothing here trusts its input.   */

#ifndef TROUPE_CORE_VALUE_H
#define TROUPE_CORE_VALUE_H

#include "core/bytes.h"
#include "core/error.h"
#include "core/id.h"

#include <stdatomic.h>

enum {
    VALUE_EXT_NUMBERS = 1,
    VALUE_EXT_FUTURE = 2,
    VALUE_EXT_HANDLE = 3,
    VALUE_EXT_ACTOR = 4,
    VALUE_EXT_OBJECT = 5
};

/*  Kinds of numbers in ext 1: the size in bytes, plus 16 if unsigned, plus
    32 if floating point.                                                   */
enum { VALUE_INT32 = 4, VALUE_INT64 = 8, VALUE_FLOAT = 36, VALUE_DOUBLE = 40 };

/*  What the bytes of an object are: one encoded value, in a block of its own;
    plain bytes; a string, with a NUL behind its size; or numbers, by their
    kind.                                                                   */
typedef enum {
    OBJECT_VALUE = 0,
    OBJECT_BYTES = 1,
    OBJECT_STRING = 2,
    OBJECT_INT32S = VALUE_INT32,
    OBJECT_INT64S = VALUE_INT64,
    OBJECT_FLOATS = VALUE_FLOAT,
    OBJECT_DOUBLES = VALUE_DOUBLE
} object_kind_t;

#define VALUE_DEPTH_MAX 16

/*  --- checking ---------------------------------------------------------  */

/*  Scans one value at the start of data. Every count must be backed by
    bytes, depth is at most VALUE_DEPTH_MAX, extensions must be well formed
    (numbers: at a multiple of 8 from data, sizes whole). Allocates
    nothing. Returns the size of the value, or 0 if it is malformed. With
    `whole`, anything after the value is malformed too.                     */
size_t value_check (const uint8_t *data, size_t size, bool whole);

/*  --- writing ----------------------------------------------------------  */

/*  What ext 5 holds.                                                       */
typedef struct {
    tid_t id;                   /*  home and number                         */
    uint64_t size;
    uint8_t kind;               /*  object_kind_t                           */
} object_reference_t;

/*  What the writer needs to know of futures and actors. Each appends its
    extension to out with value_put_reference or value_put_actor and returns
    0, or sets the fault and returns -1. object: an encoded value refers to an
    object, which is to be held as long as what is written. NULL functions
    refuse.                                                                 */
typedef struct {
    void *context;
    int (*future) (void *context, bytes_t *out, troupe_future_t *future, bool handle,
                   fault_t *fault);
    int (*actor) (void *context, bytes_t *out, troupe_actor_t *actor, fault_t *fault);
    int (*object) (void *context, const object_reference_t *object, fault_t *fault);
} value_writer_t;

/*  What the arguments will take at least, SIZE_MAX if that is beyond
    counting, so that an oversized one is refused before it is copied.      */
size_t value_least_size (const troupe_arg_t *args, size_t count);

/*  Appends one argument. The buffer's start is the start of the block or at
    a multiple of 8 before it. Options must have been taken out before.
    Returns 0, or -1 with the fault set and the buffer cut back.            */
int value_write (bytes_t *out, const troupe_arg_t *arg, const value_writer_t *writer,
                 fault_t *fault);

/*  Appends the arguments as an array, leaving out options.                 */
int value_write_args (bytes_t *out, const troupe_arg_t *args, size_t count,
                      const value_writer_t *writer, fault_t *fault);

/*  Appends a copy of a whole, checked value, at any place of the buffer:
    numbers get the padding that their new place needs.                     */
int value_copy (bytes_t *out, const uint8_t *data, size_t size);

/*  Appends the head of an array or a map of count elements or pairs.       */
int value_put_array (bytes_t *out, size_t count);
int value_put_map (bytes_t *out, size_t count);
int value_put_uint (bytes_t *out, uint64_t number);
int value_put_string (bytes_t *out, const char *text, size_t length);

/*  Appends ext 2 or 3.                                                     */
int value_put_reference (bytes_t *out, tid_t id, bool handle);

/*  What ext 4 holds. The class points into the value, without a NUL.       */
typedef struct {
    tid_t id;
    process_t worker;
    uint64_t number;
    uint64_t signature;
    const char *class_name;
    size_t class_length;
} actor_reference_t;

int value_put_actor (bytes_t *out, const actor_reference_t *actor);

/*  How long a value is that is an object.                                  */
#define OBJECT_REFERENCE_SIZE 35

int value_put_object (bytes_t *out, const object_reference_t *object);

/*  --- reading ----------------------------------------------------------  */

/*  The type of a token that stands for an object.                          */
#define TOKEN_OBJECT ((troupe_type_t) (TROUPE_ACTOR + 1))

/*  One token of a value: a scalar, or the head of an array or map.         */
typedef struct {
    troupe_type_t type;         /*  TROUPE_FUTURE: ext 2 and ext 3          */
    bool handle;                /*  ext 3                                   */
    bool negative;              /*  integers: number holds an int64_t       */
    uint8_t kind;               /*  numbers                                 */
    uint64_t number;            /*  bool, integer                           */
    double real;
    bool terminated;            /*  string: a NUL follows it                */
    const uint8_t *data;        /*  string, bytes, numbers, extensions      */
    size_t size;                /*  bytes of data                           */
    size_t count;               /*  list, map: elements or pairs; numbers   */
} msgpack_token_t;

/*  Takes the token at *offset and moves past it (past its content for
    everything but lists and maps, whose elements follow). Safe on any
    input. Returns 0, or -1 at the end or where it is malformed.            */
int token_next (const uint8_t *data, size_t size, size_t *offset, msgpack_token_t *token);

/*  Moves *offset past one whole value. Returns 0 or -1.                    */
int value_skip (const uint8_t *data, size_t size, size_t *offset);

/*  Reads the reference of a future token, or an actor token.               */
tid_t token_reference (const msgpack_token_t *token);
int token_actor (const msgpack_token_t *token, actor_reference_t *actor);
int token_object (const msgpack_token_t *token, object_reference_t *object);

/*  A raw object as a token of its kind, its content at data, or NULL.      */
void token_of_object (msgpack_token_t *token, const object_reference_t *object,
                      const uint8_t *data);

/*  The next object that a value refers to, from *offset on. False if there is
    none any more.                                                          */
bool value_next_object (const uint8_t *data, size_t size, size_t *offset,
                        object_reference_t *object);

/*  True if the whole value, which has been checked, is an object.          */
bool value_is_object (const uint8_t *data, size_t size, object_reference_t *object);

/*  Memory that lives as long as a call or a future: strings are copied into
    it to get their NUL. Zeroed is empty.                                   */
typedef struct arena_block arena_block_t;
typedef struct {
    arena_block_t *blocks;
    struct arena_kept *kept;
    atomic_bool busy;           /*  several threads may read one future     */
} arena_t;
void *arena_alloc (arena_t *arena, size_t size);

/*  What is to be given back with the arena, first kept last. Beginning of the
    caller's own struct, from arena_alloc.                                  */
typedef struct arena_kept {
    struct arena_kept *next;
    void (*release) (struct arena_kept *self);
} arena_kept_t;

void arena_keep (arena_t *arena, arena_kept_t *kept);

/*  What was kept last, NULL if nothing was.                                */
const arena_kept_t *arena_last_kept (arena_t *arena);
void arena_release (arena_t *arena);

/*  What the reader needs to know of futures and actors.
    resolve: the value that a future reference stands for; returns its block
    and size, or NULL with the fault set. object: where an object's content
    is, as long as the arena, or NULL with the fault set. future, actor: a new
    handle, owned by whoever reads it, or NULL with the fault set. NULL
    functions refuse.                                                       */
typedef struct value_reader {
    void *context;
    arena_t *arena;
    const uint8_t *(*resolve) (void *context, tid_t id, size_t *size, fault_t *fault);
    const uint8_t *(*object) (const struct value_reader *self, const object_reference_t *object,
                              fault_t *fault);
    troupe_future_t *(*future) (void *context, tid_t id, fault_t *fault);
    troupe_actor_t *(*actor) (void *context, const actor_reference_t *actor, fault_t *fault);
} value_reader_t;

/*  Reads the value at *offset into the place and moves past it. A future
    reference is replaced by the value that it stands for. Numbers must fit
    their place exactly: an integer out of range, or a real with a fraction
    where an integer is wanted, is TROUPE_ETYPE; an integer is accepted where
    a real is wanted. The fault says "wanted string, got integer".          */
int value_read (const uint8_t *data, size_t size, size_t *offset, troupe_out_t out,
                const value_reader_t *reader, fault_t *fault);

/*  Reads all elements of an array into the places; the fault names which
    ("argument 2: wanted string, got integer", "wanted 2 arguments, got 3"),
    `what` being "argument" or "value".                                     */
int value_read_list (const uint8_t *data, size_t size, const troupe_out_t *outs, size_t count,
                     const char *what, const value_reader_t *reader, fault_t *fault);

/*  "string", "list", ...                                                   */
const char *value_type_name (troupe_type_t type);

#endif
