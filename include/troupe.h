/*  troupe.h - distributed tasks and actors for C

    Copyright (c) the Troupe contributors.
    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The whole public interface of libtroupe. In one page:

        static int
        square (troupe_call_t *call)
        {
            int64_t n;
            if (troupe_args (call, &n))
                return -1;
            return troupe_return (call, n * n);
        }
        TROUPE_TASK (square);

        int
        main (int argc, char *argv [])
        {
            troupe_t *troupe = troupe_init (&argc, &argv);
            troupe_future_t *future = troupe_remote (troupe, square, 12);
            int64_t answer;
            if (troupe_get (future, &answer) == 0)
                printf ("%" PRId64 "\n", answer);
            troupe_future_destroy (&future);
            troupe_term (&troupe);
        }

    WORDS
    A driver is the program that called troupe_init. A task is a function
    that a worker runs once. An actor is an object of an actor class that
    lives in a worker; its methods run there one at a time. A future is the
    result of a task or a method, now or later; it is also the reference to
    a value, and stands wherever a value may stand.

    THREADS
    Every function may be called from any thread, unless its comment says
    otherwise. A handle must not be destroyed while another thread uses it.

    CAVEATS
    - Call troupe_init first in main: worker processes are the same program
      run again, and what stands before troupe_init runs in each of them.
    - Tasks and methods of one worker run on threads of one process: guard
      your globals, or keep state in actors, whose methods never overlap.
    - Do not fork without exec after troupe_init; posix_spawn is safe.
    - A failed wait never means that the work did not happen: a call that
      timed out or lost its worker may have had its effects.
    - NULL for a runtime, future, actor or packer is an error that is
      reported, and nothing to a destroy function.
    - Borrowed memory (strings, byte ranges, arrays, views) lives as long as
      the call or future that it was read from, and is read only.          */

#ifndef TROUPE_H_INCLUDED
#define TROUPE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TROUPE_VERSION_MAJOR 0
#define TROUPE_VERSION_MINOR 1
#define TROUPE_VERSION_PATCH 0

/*  The version of the layout of the descriptors below. Programs and modules
    that were built with an earlier one run as they are; a module of a later
    one is refused with a message that says so.                             */
#define TROUPE_ABI 2u

/*  Limits that the interface has by construction.                         */
#define TROUPE_METHODS_MAX 64       /*  methods of one actor class          */
#define TROUPE_NAME_MAX 127         /*  bytes of a task, class, method name */
#define TROUPE_PARAMETERS_MAX 511   /*  bytes of what a method says it takes */

#if defined (__GNUC__)
#define TROUPE_PRINTF_(format_, first_) __attribute__ ((format (printf, format_, first_)))
#define TROUPE_CONSTRUCTOR_ __attribute__ ((constructor))
#define TROUPE_EXPORT __attribute__ ((visibility ("default")))
#else
#error "Troupe needs gcc or clang"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
   Types                                                                    */

typedef struct troupe troupe_t;                 /*  a process's seat in a cluster    */
typedef struct troupe_future troupe_future_t;   /*  a result, now or later           */
typedef struct troupe_actor troupe_actor_t;     /*  a handle to an actor             */
typedef struct troupe_call troupe_call_t;       /*  the call that a function answers */
typedef struct troupe_packer troupe_packer_t;   /*  a value under construction       */
typedef struct troupe_object troupe_object_t;   /*  shared memory to be filled       */

/*  A task or a method. Reads its arguments with troupe_args, answers with
    troupe_return, and returns 0; or returns -1 after a troupe_ function
    failed or after troupe_fail. A return of 0 without troupe_return answers
    with no value.                                                          */
typedef int troupe_function_t (troupe_call_t *call);

/*  What can go wrong, in one table: name, number, text.                    */
#define TROUPE_ERRORS(X)                                                                     \
    X (OK, 0, "success")                                                                     \
    X (EINVAL, 1, "invalid argument")                                                        \
    X (ENOMEM, 2, "out of memory")                                                           \
    X (ETYPE, 3, "wrong type")                                                               \
    X (ENAME, 4, "unknown name")                                                             \
    X (ETIMEOUT, 5, "deadline passed")                                                       \
    X (ECANCELLED, 6, "cancelled")                                                           \
    X (ELOST, 7, "worker lost")                                                              \
    X (EENDED, 8, "actor ended")                                                             \
    X (EFAILED, 9, "task or method failed")                                                  \
    X (ELIMIT, 10, "limit reached")                                                          \
    X (ESIZE, 11, "value too large")                                                         \
    X (EEXISTS, 12, "name already taken")                                                    \
    X (EPROTOCOL, 13, "malformed message")                                                   \
    X (ESYSTEM, 14, "operating system error")                                                \
    X (ESTOPPED, 15, "runtime stopped")                                                      \
    X (EREFUSED, 16, "refused by the cluster")

typedef enum {
#define TROUPE_ERROR_ENUM_(name, number, text) TROUPE_##name = number,
    TROUPE_ERRORS (TROUPE_ERROR_ENUM_)
#undef TROUPE_ERROR_ENUM_
} troupe_error_t;

/*  What a value can be.                                                    */
typedef enum {
    TROUPE_NIL = 0,
    TROUPE_BOOL,
    TROUPE_INTEGER,
    TROUPE_REAL,
    TROUPE_STRING,
    TROUPE_BYTES,
    TROUPE_LIST,            /*  a list of any values                        */
    TROUPE_MAP,             /*  pairs of key and value                      */
    TROUPE_NUMBERS,         /*  an array of numbers of one type             */
    TROUPE_FUTURE,          /*  a handle to a future                        */
    TROUPE_ACTOR            /*  a handle to an actor                        */
} troupe_type_t;

/*  Ranges: borrowed memory and its length. As an argument, the range is
    copied into the call. As a result, it points into the call or future.   */
typedef struct { const void *data; size_t size; } troupe_bytes_t;
typedef struct { const int32_t *items; size_t count; } troupe_int32s_t;
typedef struct { const int64_t *items; size_t count; } troupe_int64s_t;
typedef struct { const float *items; size_t count; } troupe_floats_t;
typedef struct { const double *items; size_t count; } troupe_doubles_t;
typedef struct { const char *const *items; size_t count; } troupe_strings_t;

/*  A value of any type, to be walked in place (see troupe_view_...). reader
    is for the library: it resolves futures inside and keeps strings.       */
typedef struct { const void *data; size_t size; const void *reader; } troupe_view_t;

/*  Options of a task, a method call or a spawn; zero means the default.    */
typedef struct {
    size_t size;            /*  set by TROUPE_WITH                          */
    const char *name;       /*  spawn: the actor is found under this name   */
    int retries;            /*  task: runs again up to this many times, 254
                                at most, if its worker dies, or whenever it
                                does if -1; default 0                       */
    int timeout_ms;         /*  task, method: fails with TROUPE_ETIMEOUT
                                after this time; what has not started by
                                then never starts; 0: no limit              */

    /*  Tasks and spawns: what of a node's resources it needs while it runs
        or lives. It waits until a node has that to spare; if none could ever
        have it, it fails with TROUPE_ELIMIT after a while.                 */
    double cpus;            /*  0: one for a task, none for an actor;
                                TROUPE_NO_CPUS: none                        */
    double gpus;
    double memory;          /*  bytes, as counted, not enforced             */
    const char *resources;  /*  others by name: "lidar=1 licence=0.5"       */

    /*  Where it runs. By default nodes are filled to a half, one after the
        other, and evenly from then on.                                     */
    const char *node;       /*  on the node of this name                    */
    bool node_soft;         /*  or elsewhere, if it is not there or full    */
    bool spread;            /*  on the node that is used least              */

    /*  Spawns with a name.                                                 */
    bool detached;          /*  lives on when its job has ended             */
    bool get_or_create;     /*  an actor that has the name already will do  */

    /*  Or it runs in resources that were reserved.                         */
    struct troupe_group *group; /*  in a group, and there in the bundle of  */
    unsigned bundle;            /*  this number, from 1; 0: whichever fits  */
} troupe_options_t;

#define TROUPE_NO_CPUS (-1.0)

/*  An argument at a call site. Made by the macros; other languages fill it
    in themselves.                                                          */
typedef enum {
    TROUPE_ARG_END = 0,
    TROUPE_ARG_NIL,
    TROUPE_ARG_BOOL,
    TROUPE_ARG_INTEGER,
    TROUPE_ARG_UNSIGNED,
    TROUPE_ARG_REAL,
    TROUPE_ARG_STRING,      /*  pointer: NUL-terminated, count: its length  */
    TROUPE_ARG_BYTES,       /*  pointer, count: bytes                       */
    TROUPE_ARG_INT32S,      /*  pointer, count: numbers                     */
    TROUPE_ARG_INT64S,
    TROUPE_ARG_FLOATS,
    TROUPE_ARG_DOUBLES,
    TROUPE_ARG_STRINGS,     /*  pointer: const char *const *, count         */
    TROUPE_ARG_FUTURE,      /*  pointer: the future, whose value is meant   */
    TROUPE_ARG_FUTURES,     /*  pointer: futures, count; a list of values   */
    TROUPE_ARG_HANDLE,      /*  pointer: the future, meant as such          */
    TROUPE_ARG_ACTOR,       /*  pointer: the actor                          */
    TROUPE_ARG_VALUE,       /*  pointer, count: an encoded value            */
    TROUPE_ARG_OPTIONS,     /*  pointer: troupe_options_t                   */
    TROUPE_ARG_ERROR,       /*  count: a troupe_error_t, from a packer      */
    TROUPE_ARG_OBJECT       /*  pointer: troupe_object_t, which is sealed   */
} troupe_arg_type_t;

typedef struct {
    troupe_arg_type_t type;
    size_t count;
    union {
        bool boolean;
        int64_t integer;
        uint64_t number;
        double real;
        const void *pointer;
    } as;
} troupe_arg_t;

/*  A place for a result.                                                   */
typedef enum {
    TROUPE_OUT_END = 0,
    TROUPE_OUT_BOOL,
    TROUPE_OUT_INT8, TROUPE_OUT_INT16, TROUPE_OUT_INT32, TROUPE_OUT_INT64,
    TROUPE_OUT_UINT8, TROUPE_OUT_UINT16, TROUPE_OUT_UINT32, TROUPE_OUT_UINT64,
    TROUPE_OUT_FLOAT, TROUPE_OUT_DOUBLE,
    TROUPE_OUT_STRING,      /*  const char **: borrowed                     */
    TROUPE_OUT_STRING_COPY, /*  char **: yours, free () it                  */
    TROUPE_OUT_BYTES,
    TROUPE_OUT_INT32S, TROUPE_OUT_INT64S, TROUPE_OUT_FLOATS, TROUPE_OUT_DOUBLES,
    TROUPE_OUT_STRINGS,
    TROUPE_OUT_VIEW,
    TROUPE_OUT_FUTURE,      /*  troupe_future_t **: yours, destroy it       */
    TROUPE_OUT_ACTOR        /*  troupe_actor_t **: yours, destroy it        */
} troupe_out_type_t;

typedef struct {
    troupe_out_type_t type;
    void *target;
} troupe_out_t;

/*  Descriptors, made by TROUPE_TASK and TROUPE_ACTOR. They must stay for
    the life of the process.                                                */
typedef struct troupe_task {
    uint32_t abi;
    uint32_t size;
    const char *name;
    troupe_function_t *function;
    struct troupe_task *next;       /*  for the library                     */
} troupe_task_t;

typedef struct {
    const char *name;
    troupe_function_t *function;
    const char *parameters;         /*  see TROUPE_METHOD; NULL: not declared */
} troupe_method_t;

typedef struct troupe_class {
    uint32_t abi;
    uint32_t size;
    const char *name;
    size_t state_size;              /*  bytes of state, zeroed before init  */
    unsigned concurrency;           /*  methods at once; 0 and 1: one       */
    size_t mailbox;                 /*  calls that may wait; 0: 1,000,000   */
    troupe_function_t *init;        /*  constructor; may be NULL            */
    void (*term) (void *self);      /*  destructor; may be NULL             */
    struct troupe_class *next;      /*  for the library                     */
    troupe_method_t methods [TROUPE_METHODS_MAX];
} troupe_class_t;

/* ------------------------------------------------------------------------
   Runtime                                                                  */

/*  Starts the runtime. If the environment or a troupe.conf names a cluster,
    the program joins it as a driver, and its workers are started there when
    there is work. Else it starts an embedded cluster, private to this
    process, that ends with it. Call it first in main, as MPI_Init. In a
    worker process it never returns. argc and argv may be NULL; they are left
    as they are.
    Environment, of a cluster:
        TROUPE_ADDRESS   where its head is: HOST:PORT, a token, "auto" for the
                         one on this machine, or "beacon" for the one of the
                         token in the local network; empty for none
        TROUPE_TOKEN     what lets the program in: a token, or a file with it
        TROUPE_CONFIG    a file that has these two instead of troupe.conf
        TROUPE_NAMESPACE where names of actors are given and found
        TROUPE_PRIORITY  jobs with a greater one go first (default 0)
        TROUPE_SHARE     part of the cluster among the same (default 1)
        TROUPE_LOG       "on" (default) or "off": whether what workers print is
                         shown
        TROUPE_ALLOW, TROUPE_DENY   ranges of addresses, separated by blanks,
                         that others may connect from, or may not
        TROUPE_JOB_FOLDER, TROUPE_JOB_ENVIRONMENT   what workers run in
    Of an embedded cluster:
        TROUPE_WORKERS   a number of worker processes (default: one a core),
                         or "threads", or "threads:N", for workers in this
                         process
        TROUPE_MODULES   folders of actor modules, separated by colons,
                         searched before the installed ones
    Of both:
        TROUPE_MAX_PENDING  calls that may be outstanding (default 4194304)
    Of an embedded cluster, and of a driver on a machine without a node:
        TROUPE_OBJECT_MEMORY  what large values may have of memory, such as
                         "2G" (default: a third of it)
        TROUPE_SPILL_FOLDER   where they go that find no room there, "off" for
                         nowhere (default: TMPDIR, or /tmp)
    Blocks until the first worker is ready, for at most ten seconds, or until
    the head of a cluster has answered, for some seconds at most. Returns NULL
    if that fails; troupe_error () says why. One runtime at a time in a
    process.                                                                */
TROUPE_EXPORT troupe_t *troupe_init (int *argc, char ***argv);

/*  Ends the runtime and nulls the pointer. Actors are destroyed, detached
    ones of a cluster excepted; tasks that still run in an embedded cluster
    are given a second, then killed. Futures still held fail with
    TROUPE_ESTOPPED and must still be destroyed. No other thread may be in a
    call on this runtime. Blocks for about two seconds at most. Returns 0,
    or -1 if something could not be ended, which troupe_error () names.     */
TROUPE_EXPORT int troupe_term (troupe_t **troupe_p);

/*  The text of the calling thread's last failed call, "" if there was none.
    Valid until the thread's next failed call.                              */
TROUPE_EXPORT const char *troupe_error (void);

/*  The code of the calling thread's last failed call.                      */
TROUPE_EXPORT troupe_error_t troupe_error_code (void);

/*  The meaning of a code, in a few words; never NULL.                      */
TROUPE_EXPORT const char *troupe_strerror (troupe_error_t code);

/*  "MAJOR.MINOR.PATCH" of the library in use.                              */
TROUPE_EXPORT const char *troupe_version (void);

/*  The number of workers that take tasks at this moment.                   */
TROUPE_EXPORT size_t troupe_workers (troupe_t *troupe);

/*  A descriptor for poll, epoll, libuv, GLib or a zpoller, level-triggered:
    readable while troupe_process has something to do. Owned by the runtime:
    do not read, write or close it. -1 on failure.                          */
TROUPE_EXPORT int troupe_fd (troupe_t *troupe);

/*  Runs the callbacks of troupe_then whose futures are done, in this thread
    and without blocking otherwise. Returns how many ran, or -1. From inside
    a callback it returns 0 at once.                                        */
TROUPE_EXPORT int troupe_process (troupe_t *troupe);

/* ------------------------------------------------------------------------
   Tasks, actors, calls. These are what the macros below call. None of them
   blocks, but for room in the object store, which large arguments need (see
   Objects). Each copies its arguments and returns a future, or a handle, that
   the caller owns; it is NULL only when there is no memory. Any other fault
   makes a failed future. At most one argument may be options.              */

TROUPE_EXPORT troupe_future_t *troupe_task_submit (troupe_t *troupe, const troupe_task_t *task,
                                                   const troupe_arg_t *args, size_t count);
TROUPE_EXPORT troupe_future_t *troupe_task_submit_by_name (troupe_t *troupe, const char *name,
                                                           const troupe_arg_t *args,
                                                           size_t count);
TROUPE_EXPORT troupe_actor_t *troupe_class_spawn (troupe_t *troupe, const troupe_class_t *actor,
                                                  const troupe_arg_t *args, size_t count);
TROUPE_EXPORT troupe_actor_t *troupe_class_spawn_by_name (troupe_t *troupe, const char *name,
                                                          const troupe_arg_t *args,
                                                          size_t count);

/*  Calls a method, by its function if the class belongs to this program, or
    by its name if function is NULL. The calls that one process sends to one
    actor run in the order in which they were made.                         */
TROUPE_EXPORT troupe_future_t *troupe_method_call (troupe_actor_t *actor, const char *name,
                                                   troupe_function_t *function,
                                                   const troupe_arg_t *args, size_t count);

/*  Adds a descriptor to the program; the macros do it before main.         */
TROUPE_EXPORT void troupe_task_register (troupe_task_t *task);
TROUPE_EXPORT void troupe_class_register (troupe_class_t *actor);

/*  A finished future that holds a copy of the value. Blocks as the above.  */
TROUPE_EXPORT troupe_future_t *troupe_put_arg (troupe_t *troupe, troupe_arg_t value);

/* ------------------------------------------------------------------------
   Actors                                                                   */

/*  Finds a named actor. Blocks for one round trip to the head. Returns a
    handle that the caller owns, or NULL (TROUPE_ENAME).                    */
TROUPE_EXPORT troupe_actor_t *troupe_find (troupe_t *troupe, const char *name);

/*  A second handle to the same actor, owned by the caller.                 */
TROUPE_EXPORT troupe_actor_t *troupe_actor_dup (troupe_actor_t *actor);

/*  Releases a handle and nulls the pointer. An actor without a name ends,
    after the calls that it has, when its last handle in any process is
    released; a named one when the process that spawned it ends, which for
    a driver's is the runtime.                                              */
TROUPE_EXPORT void troupe_actor_destroy (troupe_actor_t **actor_p);

/*  Ends an actor now: the method that runs finishes, the calls that wait
    fail with TROUPE_EENDED. Does not block. Returns 0 or -1.               */
TROUPE_EXPORT int troupe_actor_kill (troupe_actor_t *actor);

/*  A future, owned by the caller, that is done when the actor's constructor
    is, or failed with the constructor's failure. Its value is the
    library's: wait for it with no places to read into.                     */
TROUPE_EXPORT troupe_future_t *troupe_actor_ready (troupe_actor_t *actor);

/* ------------------------------------------------------------------------
   Groups of resources                                                      */

/*  Resources that are reserved together, all or none, in bundles, each of
    which lies on one node; tasks and actors then run in them, by the options
    .group and .bundle.                                                     */
typedef struct troupe_group troupe_group_t;

typedef enum {
    TROUPE_PACK = 0,        /*  bundles on few nodes                        */
    TROUPE_SPREAD,          /*  on many                                     */
    TROUPE_STRICT_PACK,     /*  all on one node, or the group fails         */
    TROUPE_STRICT_SPREAD    /*  each on a node of its own, or it fails      */
} troupe_strategy_t;

#define TROUPE_BUNDLES_MAX 1024

/*  Asks for a group; of the bundles' options only the resources count. Does
    not block: tasks for it wait until it has its place. NULL without runtime
    or memory (see troupe_error). The caller owns it.                       */
TROUPE_EXPORT troupe_group_t *troupe_group_new (troupe_t *self, troupe_strategy_t strategy,
                                                const troupe_options_t *bundles, size_t count);

/*  A future, which the caller owns, without a value: done when the group has
    its place, failed if it cannot have one.                                */
TROUPE_EXPORT troupe_future_t *troupe_group_ready (troupe_group_t *self);

/*  Gives the resources back and nulls the pointer. Tasks that wait for the
    group fail, those that run in it end first, its actors are ended. Before
    troupe_term. It also ends with the process that made it.                */
TROUPE_EXPORT void troupe_group_destroy (troupe_group_t **self_p);

/* ------------------------------------------------------------------------
   Futures                                                                  */

/*  Waits until the future is done and reads its value into the places
    given. One place takes the whole value; several take a list apart, as
    troupe_return made it from several values. Blocks until the future is
    done, which its deadline, the loss of its worker or the end of the
    runtime make sure of; in a task or method, the worker meanwhile runs
    other work. Returns 0, or -1: the future's own failure, or a place of
    the wrong type.                                                         */
TROUPE_EXPORT int troupe_future_get (troupe_future_t *future, const troupe_out_t *outs,
                                     size_t count);

/*  Waits until `want` of the futures are done, or until timeout_ms passed
    (-1: no limit, 0: do not wait). If ready is not NULL it has room for
    count numbers and receives the positions of those done, in ascending
    order. Returns how many are done, which may be fewer or more than
    wanted, or -1. Linear in count.                                         */
TROUPE_EXPORT int troupe_wait (troupe_future_t *const *futures, size_t count, size_t want,
                               int timeout_ms, size_t *ready);

/*  True when the future has a value or a failure. Does not block.          */
TROUPE_EXPORT bool troupe_future_done (troupe_future_t *future);

/*  The future's failure: what, where and why. NULL while it is not done and
    if it succeeded. Valid as long as the future.                           */
TROUPE_EXPORT const char *troupe_future_error (troupe_future_t *future);
TROUPE_EXPORT troupe_error_t troupe_future_code (troupe_future_t *future);

/*  A future of what `function` makes of this one's value. It runs in this
    process, once this future is done, inside troupe_process or while a
    thread of the driver waits, never inside another call. troupe_args reads
    the value, and fails with the first cause if the future failed;
    troupe_return makes the new future's value; troupe_context is `context`.
    The caller owns the future returned.                                    */
TROUPE_EXPORT troupe_future_t *troupe_then (troupe_future_t *future,
                                            troupe_function_t *function, void *context);

/*  A future of the list of all values, in order. Fails as soon as one of
    them does, with its failure. The caller owns it.                        */
TROUPE_EXPORT troupe_future_t *troupe_all (troupe_future_t *const *futures, size_t count);

/*  A future of the first value to arrive. Fails when all have failed, with
    the last failure. The caller owns it.                                   */
TROUPE_EXPORT troupe_future_t *troupe_any (troupe_future_t *const *futures, size_t count);

/*  Cancels: the future fails with TROUPE_ECANCELLED at once, if it was not
    done. What has not started never starts; what runs sees troupe_cancelled
    and finishes as it likes. What it has submitted, and is not done, is
    cancelled with it, on any node, and so on. Of troupe_actor_ready: the actor
    does not come up. Returns 0, or -1 if it was done already.              */
TROUPE_EXPORT int troupe_cancel (troupe_future_t *future);

/*  A second handle to the same future, owned by the caller.                */
TROUPE_EXPORT troupe_future_t *troupe_future_dup (troupe_future_t *future);

/*  Releases a handle and nulls the pointer. The work goes on; its result is
    freed when no handle, call or other process needs it any more.          */
TROUPE_EXPORT void troupe_future_destroy (troupe_future_t **future_p);

/* ------------------------------------------------------------------------
   Objects: large values, in shared memory

   Values from 64 KiB on, put, passed or returned, lie in the object store of
   the machine: they are copied there once, and from there read in place by
   all processes of the machine. A store on another machine gets its copy when
   somebody there reads it, without passing through the head. Pointers into
   an object (byte ranges, arrays of numbers, strings) are read only, aligned
   to 64 bytes, and live as those into any value do: as long as the call or
   the future that it was read from. An object is freed with the last future
   of it. When a store is full, what is not being read goes to disk, and comes
   back when it is read; who puts more than that waits, and fails with
   TROUPE_ELIMIT after ten seconds in which nothing was freed or written.   */

/*  Makes an object of `count` bytes or numbers, of a type from
    TROUPE_ARG_BYTES to TROUPE_ARG_DOUBLES, whose content, which is not
    initialised, the caller writes in place: so a large result is never copied.
    Blocks while the store is full; its memory may be found at once, which takes
    70 to 400 ms for a gigabyte that is new. NULL if it is larger than the store
    (TROUPE_ESIZE) or there is no room (see troupe_error). The caller owns it. */
TROUPE_EXPORT troupe_object_t *troupe_create (troupe_t *self, troupe_arg_type_t type,
                                              size_t count);

/*  Where to write, until it is sealed.                                     */
TROUPE_EXPORT void *troupe_object_data (troupe_object_t *object);

/*  Makes it immutable, nulls the pointer, and returns a finished future of it,
    which the caller owns. An object can also be passed or returned as it is,
    by troupe_remote, troupe_call, troupe_return (...): that seals it, and the
    pointer is of no use any more.                                          */
TROUPE_EXPORT troupe_future_t *troupe_seal (troupe_object_t **object_p);

/*  Gives up an object that is not sealed, and nulls the pointer.           */
TROUPE_EXPORT void troupe_object_destroy (troupe_object_t **object_p);

/* ------------------------------------------------------------------------
   Inside a task or method. Only the thread that runs the function may use
   its call, and only until the function returns.                           */

/*  Reads the arguments, all of them, checking number and types. Returns 0,
    or -1 with the fault noted in the call; return -1 from the function to
    pass it to the caller.                                                  */
TROUPE_EXPORT int troupe_call_args (troupe_call_t *call, const troupe_out_t *outs, size_t count);

/*  The number of arguments, and one of them by position.                   */
TROUPE_EXPORT size_t troupe_arg_count (troupe_call_t *call);
TROUPE_EXPORT int troupe_arg_view (troupe_call_t *call, size_t position, troupe_view_t *view);

/*  Answers with no value, one value, or several. A future among them makes
    the answer wait for it, not the function: the call is then answered by
    that future. Returns 0 or -1; at most once a call.                      */
TROUPE_EXPORT int troupe_call_return (troupe_call_t *call, const troupe_arg_t *args,
                                      size_t count);

/*  Notes a failure, as printf does, and returns -1.                        */
TROUPE_EXPORT int troupe_fail (troupe_call_t *call, const char *format, ...)
    TROUPE_PRINTF_ (2, 3);

/*  The state of the actor whose method this is; NULL in a task.            */
TROUPE_EXPORT void *troupe_self (troupe_call_t *call);

/*  A handle to the actor whose method this is, owned by the caller; NULL in
    a task.                                                                 */
TROUPE_EXPORT troupe_actor_t *troupe_self_actor (troupe_call_t *call);

/*  The context of a troupe_then callback; NULL elsewhere.                  */
TROUPE_EXPORT void *troupe_context (troupe_call_t *call);

/*  The runtime, for tasks and methods that submit work themselves.         */
TROUPE_EXPORT troupe_t *troupe_of (troupe_call_t *call);

/*  True once the caller has cancelled the call or its deadline has passed. */
TROUPE_EXPORT bool troupe_cancelled (troupe_call_t *call);

/*  Milliseconds until the call's deadline, -1 if it has none.              */
TROUPE_EXPORT int64_t troupe_time_left (troupe_call_t *call);

/* ------------------------------------------------------------------------
   Values of any shape: a packer to make one, a view to walk one. A packer
   belongs to one thread at a time.                                         */

TROUPE_EXPORT troupe_packer_t *troupe_packer_new (void);
TROUPE_EXPORT void troupe_packer_destroy (troupe_packer_t **packer_p);

/*  Begins a list of count values, or a map of count pairs, which follow.
    Returns 0 or -1; after a failure the packer stays failed.               */
TROUPE_EXPORT int troupe_pack_list (troupe_packer_t *packer, size_t count);
TROUPE_EXPORT int troupe_pack_map (troupe_packer_t *packer, size_t count);

/*  Appends one value. Futures and actors cannot be packed.                 */
TROUPE_EXPORT int troupe_pack_arg (troupe_packer_t *packer, troupe_arg_t value);

/*  The value, to be used as an argument or a return value; the packer keeps
    it, so destroy the packer afterwards. A value that lacks something it
    announced makes the call that takes it fail.                            */
TROUPE_EXPORT troupe_arg_t troupe_packed (troupe_packer_t *packer);

/*  What the value is, and of a list, map or array of numbers its length.   */
TROUPE_EXPORT troupe_type_t troupe_view_type (troupe_view_t view);
TROUPE_EXPORT size_t troupe_view_count (troupe_view_t view);

/*  Takes the next value off a list or map being walked: start with
    troupe_view_enter, which gives the inside of the list or map; a map
    alternates key and value. Returns 1, 0 at the end, or -1.               */
TROUPE_EXPORT int troupe_view_enter (troupe_view_t list, troupe_view_t *inside);
TROUPE_EXPORT int troupe_view_next (troupe_view_t *inside, troupe_view_t *value);

/*  The value under a key of a map; the last one if the key is repeated.
    Returns 0, or -1 if there is none.                                      */
TROUPE_EXPORT int troupe_view_field (troupe_view_t map, const char *key, troupe_view_t *value);

/*  Reads the value into a place.                                           */
TROUPE_EXPORT int troupe_view_read (troupe_view_t view, troupe_out_t out);

/* ------------------------------------------------------------------------
   Arguments that C types do not tell apart                                 */

static inline troupe_arg_t
troupe_arg_pointer_ (troupe_arg_type_t type, const void *pointer, size_t count)
{
    troupe_arg_t arg;
    arg.type = type;
    arg.count = count;
    arg.as.pointer = pointer;
    return arg;
}

/*  Ranges, copied into the call.                                           */
static inline troupe_arg_t
troupe_bytes (const void *data, size_t size)
{
    return troupe_arg_pointer_ (TROUPE_ARG_BYTES, data, size);
}

static inline troupe_arg_t
troupe_int32s (const int32_t *items, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_INT32S, items, count);
}

static inline troupe_arg_t
troupe_int64s (const int64_t *items, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_INT64S, items, count);
}

static inline troupe_arg_t
troupe_floats (const float *items, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_FLOATS, items, count);
}

static inline troupe_arg_t
troupe_doubles (const double *items, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_DOUBLES, items, count);
}

static inline troupe_arg_t
troupe_strings (const char *const *items, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_STRINGS, items, count);
}

/*  A list of the values of futures, which may be unfinished: 32768 for one call,
    which fails with TROUPE_ELIMIT if they are more.                        */
static inline troupe_arg_t
troupe_futures (troupe_future_t *const *futures, size_t count)
{
    return troupe_arg_pointer_ (TROUPE_ARG_FUTURES, futures, count);
}

/*  The future itself, where the future alone would mean its value.         */
static inline troupe_arg_t
troupe_handle (troupe_future_t *future)
{
    return troupe_arg_pointer_ (TROUPE_ARG_HANDLE, future, 1);
}

/*  Nothing.                                                                */
static inline troupe_arg_t
troupe_nil (void)
{
    return troupe_arg_pointer_ (TROUPE_ARG_NIL, NULL, 0);
}

/* ------------------------------------------------------------------------
   One function for each C type; TROUPE_ARG chooses among them.             */

static inline troupe_arg_t
troupe_arg_bool (bool value)
{
    troupe_arg_t arg = troupe_arg_pointer_ (TROUPE_ARG_BOOL, NULL, 0);
    arg.as.boolean = value;
    return arg;
}

static inline troupe_arg_t
troupe_arg_integer (int64_t value)
{
    troupe_arg_t arg = troupe_arg_pointer_ (TROUPE_ARG_INTEGER, NULL, 0);
    arg.as.integer = value;
    return arg;
}

static inline troupe_arg_t
troupe_arg_unsigned (uint64_t value)
{
    troupe_arg_t arg = troupe_arg_pointer_ (TROUPE_ARG_UNSIGNED, NULL, 0);
    arg.as.number = value;
    return arg;
}

static inline troupe_arg_t
troupe_arg_real (double value)
{
    troupe_arg_t arg = troupe_arg_pointer_ (TROUPE_ARG_REAL, NULL, 0);
    arg.as.real = value;
    return arg;
}

TROUPE_EXPORT troupe_arg_t troupe_arg_string (const char *value);

static inline troupe_arg_t
troupe_arg_future (troupe_future_t *value)
{
    return troupe_arg_pointer_ (TROUPE_ARG_FUTURE, value, 1);
}

static inline troupe_arg_t
troupe_arg_actor (troupe_actor_t *value)
{
    return troupe_arg_pointer_ (TROUPE_ARG_ACTOR, value, 1);
}

static inline troupe_arg_t
troupe_arg_object (troupe_object_t *value)
{
    return troupe_arg_pointer_ (TROUPE_ARG_OBJECT, value, 1);
}

static inline troupe_arg_t
troupe_arg_bytes (troupe_bytes_t value)
{
    return troupe_bytes (value.data, value.size);
}

static inline troupe_arg_t
troupe_arg_int32s (troupe_int32s_t value)
{
    return troupe_int32s (value.items, value.count);
}

static inline troupe_arg_t
troupe_arg_int64s (troupe_int64s_t value)
{
    return troupe_int64s (value.items, value.count);
}

static inline troupe_arg_t
troupe_arg_floats (troupe_floats_t value)
{
    return troupe_floats (value.items, value.count);
}

static inline troupe_arg_t
troupe_arg_doubles (troupe_doubles_t value)
{
    return troupe_doubles (value.items, value.count);
}

static inline troupe_arg_t
troupe_arg_strings (troupe_strings_t value)
{
    return troupe_strings (value.items, value.count);
}

static inline troupe_arg_t
troupe_arg_view_ (troupe_view_t value)
{
    return troupe_arg_pointer_ (TROUPE_ARG_VALUE, value.data, value.size);
}

static inline troupe_arg_t
troupe_arg_options (const troupe_options_t *value)
{
    return troupe_arg_pointer_ (TROUPE_ARG_OPTIONS, value, 1);
}

static inline troupe_arg_t
troupe_arg_same (troupe_arg_t value)
{
    return value;
}

#ifdef __cplusplus
}
#else

/* ------------------------------------------------------------------------
   The macros (C only). Up to 16 arguments, of these types: bool, integers,
   float, double, strings (NULL is nil), the ranges above, futures (meaning
   their values), actors, views, troupe_packed (...), and TROUPE_WITH (...)
   for options, anywhere among the arguments:

       troupe_remote (troupe, square, 12, TROUPE_WITH (.retries = 3));      */

/*  Makes a task of a function. Once, at file scope, after the function.    */
#define TROUPE_TASK(function_)                                                               \
    troupe_task_t troupe_task_##function_ = { TROUPE_ABI, sizeof (troupe_task_t),            \
                                              #function_, function_, NULL };                 \
    TROUPE_CONSTRUCTOR_ static void troupe_register_task_##function_ (void)                  \
    {                                                                                        \
        troupe_task_register (&troupe_task_##function_);                                     \
    }                                                                                        \
    TROUPE_TASK_DECLARE (function_)

/*  Declares a task that another file of the program makes.                 */
#define TROUPE_TASK_DECLARE(function_) extern troupe_task_t troupe_task_##function_

/*  Makes an actor class of a state type. Once, at file scope:

        TROUPE_ACTOR (counter, counter_t, .init = counter_init,
            .methods = { TROUPE_METHOD (counter_add), TROUPE_METHOD (counter_get) });

    A method's name is its function's, less the class's name and underscore
    in front: counter_add is "add" to those who call it by name.

    A method may say what it takes, for those who call it with text, as
    `troupe call` does, and for lists:

        TROUPE_METHOD (kv_set, .parameters = "key: string, value: any")

    .parameters is NAME: TYPE for each parameter, with commas between them,
    and "" for none. The types are those that troupe_args reads: bool, int8,
    int16, int32, int64, uint8, uint16, uint32, uint64, float, double, string,
    bytes, int32s, int64s, floats, doubles, strings, actor, future; and for a
    view list, map, or any. Calls from C are checked by troupe_args alone.
    troupe_init fails if a declaration makes no sense.                      */
#define TROUPE_ACTOR(class_, state_, ...)                                                    \
    troupe_class_t troupe_class_##class_ = { .abi = TROUPE_ABI,                              \
                                             .size = sizeof (troupe_class_t),                \
                                             .name = #class_,                                \
                                             .state_size = sizeof (state_),                  \
                                             __VA_ARGS__ };                                  \
    TROUPE_CONSTRUCTOR_ static void troupe_register_class_##class_ (void)                    \
    {                                                                                        \
        troupe_class_register (&troupe_class_##class_);                                      \
    }                                                                                        \
    TROUPE_ACTOR_DECLARE (class_)

#define TROUPE_ACTOR_DECLARE(class_) extern troupe_class_t troupe_class_##class_

#define TROUPE_METHOD(...) TROUPE_METHOD_ (__VA_ARGS__, )
#define TROUPE_METHOD_(function_, ...)                                                       \
    {                                                                                        \
        .name = #function_, .function = function_, __VA_ARGS__                               \
    }

/*  Options, as designated initialisers of troupe_options_t.                */
#define TROUPE_WITH(...)                                                                     \
    troupe_arg_options (                                                                     \
        &(const troupe_options_t){ .size = sizeof (troupe_options_t), __VA_ARGS__ })

/*  Submits a task: troupe_future_t *troupe_remote (troupe, function, ...)  */
#define troupe_remote(...) TROUPE_REMOTE_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_REMOTE_(troupe_, task_, ...)                                                  \
    troupe_task_submit ((troupe_), &troupe_task_##task_, TROUPE_ARGV_ (__VA_ARGS__))

/*  ... by name: a task that only the workers know.                         */
#define troupe_remote_by_name(...) TROUPE_REMOTE_BY_NAME_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_REMOTE_BY_NAME_(troupe_, name_, ...)                                          \
    troupe_task_submit_by_name ((troupe_), (name_), TROUPE_ARGV_ (__VA_ARGS__))

/*  Creates an actor: troupe_actor_t *troupe_spawn (troupe, class, ...). The
    arguments are its constructor's. The handle is good at once; if the
    constructor fails, calls fail with its failure.                         */
#define troupe_spawn(...) TROUPE_SPAWN_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_SPAWN_(troupe_, class_, ...)                                                  \
    troupe_class_spawn ((troupe_), &troupe_class_##class_, TROUPE_ARGV_ (__VA_ARGS__))

/*  ... by the name of its class, which may be in a module NAME.so.         */
#define troupe_spawn_by_name(...) TROUPE_SPAWN_BY_NAME_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_SPAWN_BY_NAME_(troupe_, name_, ...)                                           \
    troupe_class_spawn_by_name ((troupe_), (name_), TROUPE_ARGV_ (__VA_ARGS__))

/*  Calls a method: troupe_future_t *troupe_call (actor, method, ...)       */
#define troupe_call(...) TROUPE_CALL_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_CALL_(actor_, method_, ...)                                                   \
    troupe_method_call ((actor_), #method_, method_, TROUPE_ARGV_ (__VA_ARGS__))

/*  ... by name: for classes in modules and for actors that were found.     */
#define troupe_call_by_name(...) TROUPE_CALL_BY_NAME_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_CALL_BY_NAME_(actor_, name_, ...)                                             \
    troupe_method_call ((actor_), (name_), NULL, TROUPE_ARGV_ (__VA_ARGS__))

/*  Waits and reads: int troupe_get (future, &place, ...)                   */
#define troupe_get(...) TROUPE_GET_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_GET_(future_, ...) troupe_future_get ((future_), TROUPE_OUTV_ (__VA_ARGS__))

/*  Reads the arguments of a call: int troupe_args (call, &place, ...)      */
#define troupe_args(...) TROUPE_CALL_ARGS_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_CALL_ARGS_(call_, ...) troupe_call_args ((call_), TROUPE_OUTV_ (__VA_ARGS__))

/*  Answers a call: int troupe_return (call, value, ...)                    */
#define troupe_return(...) TROUPE_RETURN_ (__VA_ARGS__, TROUPE_END_)
#define TROUPE_RETURN_(call_, ...) troupe_call_return ((call_), TROUPE_ARGV_ (__VA_ARGS__))

/*  Makes a finished future: troupe_future_t *troupe_put (troupe, value)    */
#define troupe_put(troupe_, value_) troupe_put_arg ((troupe_), TROUPE_ARG (value_))

/*  Appends a value: int troupe_pack (packer, value)                        */
#define troupe_pack(packer_, value_) troupe_pack_arg ((packer_), TROUPE_ARG (value_))

/*  Reads a view: int troupe_read (view, &place)                            */
#define troupe_read(view_, place_) troupe_view_read ((view_), TROUPE_OUT (place_))

/*  One argument of any of the types above.                                 */
#define TROUPE_ARG(value_)                                                                   \
    _Generic ((value_),                                                                      \
        bool: troupe_arg_bool,                                                               \
        char: troupe_arg_integer,                                                            \
        signed char: troupe_arg_integer,                                                     \
        short: troupe_arg_integer,                                                           \
        int: troupe_arg_integer,                                                             \
        long: troupe_arg_integer,                                                            \
        long long: troupe_arg_integer,                                                       \
        unsigned char: troupe_arg_unsigned,                                                  \
        unsigned short: troupe_arg_unsigned,                                                 \
        unsigned: troupe_arg_unsigned,                                                       \
        unsigned long: troupe_arg_unsigned,                                                  \
        unsigned long long: troupe_arg_unsigned,                                             \
        float: troupe_arg_real,                                                              \
        double: troupe_arg_real,                                                             \
        char *: troupe_arg_string,                                                           \
        const char *: troupe_arg_string,                                                     \
        troupe_future_t *: troupe_arg_future,                                                \
        troupe_actor_t *: troupe_arg_actor,                                                  \
        troupe_object_t *: troupe_arg_object,                                                \
        troupe_bytes_t: troupe_arg_bytes,                                                    \
        troupe_int32s_t: troupe_arg_int32s,                                                  \
        troupe_int64s_t: troupe_arg_int64s,                                                  \
        troupe_floats_t: troupe_arg_floats,                                                  \
        troupe_doubles_t: troupe_arg_doubles,                                                \
        troupe_strings_t: troupe_arg_strings,                                                \
        troupe_view_t: troupe_arg_view_,                                                     \
        troupe_arg_t: troupe_arg_same) (value_)

/*  One place of any of the types above.                                    */
#define TROUPE_OUT(place_)                                                                   \
    (troupe_out_t)                                                                           \
    {                                                                                        \
        _Generic ((place_),                                                                  \
            bool *: TROUPE_OUT_BOOL,                                                         \
            signed char *: TROUPE_OUT_INT8,                                                  \
            short *: TROUPE_OUT_INT16,                                                       \
            int *: TROUPE_OUT_INT32,                                                         \
            long *: (sizeof (long) == 8 ? TROUPE_OUT_INT64 : TROUPE_OUT_INT32),              \
            long long *: TROUPE_OUT_INT64,                                                   \
            unsigned char *: TROUPE_OUT_UINT8,                                               \
            unsigned short *: TROUPE_OUT_UINT16,                                             \
            unsigned *: TROUPE_OUT_UINT32,                                                   \
            unsigned long *: (sizeof (long) == 8 ? TROUPE_OUT_UINT64 : TROUPE_OUT_UINT32),   \
            unsigned long long *: TROUPE_OUT_UINT64,                                         \
            float *: TROUPE_OUT_FLOAT,                                                       \
            double *: TROUPE_OUT_DOUBLE,                                                     \
            const char **: TROUPE_OUT_STRING,                                                \
            char **: TROUPE_OUT_STRING_COPY,                                                 \
            troupe_bytes_t *: TROUPE_OUT_BYTES,                                              \
            troupe_int32s_t *: TROUPE_OUT_INT32S,                                            \
            troupe_int64s_t *: TROUPE_OUT_INT64S,                                            \
            troupe_floats_t *: TROUPE_OUT_FLOATS,                                            \
            troupe_doubles_t *: TROUPE_OUT_DOUBLES,                                          \
            troupe_strings_t *: TROUPE_OUT_STRINGS,                                          \
            troupe_view_t *: TROUPE_OUT_VIEW,                                                \
            troupe_future_t **: TROUPE_OUT_FUTURE,                                           \
            troupe_actor_t **: TROUPE_OUT_ACTOR),                                            \
            (place_)                                                                         \
    }

/*  Argument lists: every list ends in a sentinel, so none is empty.        */
#define TROUPE_ARGV_(...)                                                                    \
    (const troupe_arg_t[]){ TROUPE_JOIN_ (TROUPE_ARGS_, TROUPE_COUNT_ (__VA_ARGS__)) (       \
        __VA_ARGS__) { TROUPE_ARG_END, 0, { false } } },                                     \
        TROUPE_COUNT_ (__VA_ARGS__)
#define TROUPE_OUTV_(...)                                                                    \
    (const troupe_out_t[]){ TROUPE_JOIN_ (TROUPE_OUTS_, TROUPE_COUNT_ (__VA_ARGS__)) (       \
        __VA_ARGS__) { TROUPE_OUT_END, NULL } },                                             \
        TROUPE_COUNT_ (__VA_ARGS__)

#define TROUPE_JOIN_(a, b) TROUPE_JOIN_NOW_ (a, b)
#define TROUPE_JOIN_NOW_(a, b) a##b
#define TROUPE_COUNT_(...)                                                                   \
    TROUPE_SEVENTEENTH_ (__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, \
                         0, 0)
#define TROUPE_SEVENTEENTH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, count, ...)   \
    count

#define TROUPE_ARGS_0(z)
#define TROUPE_ARGS_1(a, z) TROUPE_ARG (a), TROUPE_ARGS_0 (z)
#define TROUPE_ARGS_2(a, b, z) TROUPE_ARG (a), TROUPE_ARGS_1 (b, z)
#define TROUPE_ARGS_3(a, b, c, z) TROUPE_ARG (a), TROUPE_ARGS_2 (b, c, z)
#define TROUPE_ARGS_4(a, b, c, d, z) TROUPE_ARG (a), TROUPE_ARGS_3 (b, c, d, z)
#define TROUPE_ARGS_5(a, b, c, d, e, z) TROUPE_ARG (a), TROUPE_ARGS_4 (b, c, d, e, z)
#define TROUPE_ARGS_6(a, b, c, d, e, f, z) TROUPE_ARG (a), TROUPE_ARGS_5 (b, c, d, e, f, z)
#define TROUPE_ARGS_7(a, b, c, d, e, f, g, z) TROUPE_ARG (a), TROUPE_ARGS_6 (b, c, d, e, f, g, z)
#define TROUPE_ARGS_8(a, b, c, d, e, f, g, h, z) TROUPE_ARG (a), TROUPE_ARGS_7 (b, c, d, e, f, g, h, z)
#define TROUPE_ARGS_9(a, b, c, d, e, f, g, h, i, z) TROUPE_ARG (a), TROUPE_ARGS_8 (b, c, d, e, f, g, h, i, z)
#define TROUPE_ARGS_10(a, b, c, d, e, f, g, h, i, j, z) TROUPE_ARG (a), TROUPE_ARGS_9 (b, c, d, e, f, g, h, i, j, z)
#define TROUPE_ARGS_11(a, b, c, d, e, f, g, h, i, j, k, z) TROUPE_ARG (a), TROUPE_ARGS_10 (b, c, d, e, f, g, h, i, j, k, z)
#define TROUPE_ARGS_12(a, b, c, d, e, f, g, h, i, j, k, l, z) TROUPE_ARG (a), TROUPE_ARGS_11 (b, c, d, e, f, g, h, i, j, k, l, z)
#define TROUPE_ARGS_13(a, b, c, d, e, f, g, h, i, j, k, l, m, z) TROUPE_ARG (a), TROUPE_ARGS_12 (b, c, d, e, f, g, h, i, j, k, l, m, z)
#define TROUPE_ARGS_14(a, b, c, d, e, f, g, h, i, j, k, l, m, n, z) TROUPE_ARG (a), TROUPE_ARGS_13 (b, c, d, e, f, g, h, i, j, k, l, m, n, z)
#define TROUPE_ARGS_15(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, z) TROUPE_ARG (a), TROUPE_ARGS_14 (b, c, d, e, f, g, h, i, j, k, l, m, n, o, z)
#define TROUPE_ARGS_16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, z) TROUPE_ARG (a), TROUPE_ARGS_15 (b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, z)

#define TROUPE_OUTS_0(z)
#define TROUPE_OUTS_1(a, z) TROUPE_OUT (a), TROUPE_OUTS_0 (z)
#define TROUPE_OUTS_2(a, b, z) TROUPE_OUT (a), TROUPE_OUTS_1 (b, z)
#define TROUPE_OUTS_3(a, b, c, z) TROUPE_OUT (a), TROUPE_OUTS_2 (b, c, z)
#define TROUPE_OUTS_4(a, b, c, d, z) TROUPE_OUT (a), TROUPE_OUTS_3 (b, c, d, z)
#define TROUPE_OUTS_5(a, b, c, d, e, z) TROUPE_OUT (a), TROUPE_OUTS_4 (b, c, d, e, z)
#define TROUPE_OUTS_6(a, b, c, d, e, f, z) TROUPE_OUT (a), TROUPE_OUTS_5 (b, c, d, e, f, z)
#define TROUPE_OUTS_7(a, b, c, d, e, f, g, z) TROUPE_OUT (a), TROUPE_OUTS_6 (b, c, d, e, f, g, z)
#define TROUPE_OUTS_8(a, b, c, d, e, f, g, h, z) TROUPE_OUT (a), TROUPE_OUTS_7 (b, c, d, e, f, g, h, z)
#define TROUPE_OUTS_9(a, b, c, d, e, f, g, h, i, z) TROUPE_OUT (a), TROUPE_OUTS_8 (b, c, d, e, f, g, h, i, z)
#define TROUPE_OUTS_10(a, b, c, d, e, f, g, h, i, j, z) TROUPE_OUT (a), TROUPE_OUTS_9 (b, c, d, e, f, g, h, i, j, z)
#define TROUPE_OUTS_11(a, b, c, d, e, f, g, h, i, j, k, z) TROUPE_OUT (a), TROUPE_OUTS_10 (b, c, d, e, f, g, h, i, j, k, z)
#define TROUPE_OUTS_12(a, b, c, d, e, f, g, h, i, j, k, l, z) TROUPE_OUT (a), TROUPE_OUTS_11 (b, c, d, e, f, g, h, i, j, k, l, z)
#define TROUPE_OUTS_13(a, b, c, d, e, f, g, h, i, j, k, l, m, z) TROUPE_OUT (a), TROUPE_OUTS_12 (b, c, d, e, f, g, h, i, j, k, l, m, z)
#define TROUPE_OUTS_14(a, b, c, d, e, f, g, h, i, j, k, l, m, n, z) TROUPE_OUT (a), TROUPE_OUTS_13 (b, c, d, e, f, g, h, i, j, k, l, m, n, z)
#define TROUPE_OUTS_15(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, z) TROUPE_OUT (a), TROUPE_OUTS_14 (b, c, d, e, f, g, h, i, j, k, l, m, n, o, z)
#define TROUPE_OUTS_16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, z) TROUPE_OUT (a), TROUPE_OUTS_15 (b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, z)

#endif /*  __cplusplus  */

#endif /*  TROUPE_H_INCLUDED  */
