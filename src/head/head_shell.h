/*  head_shell.h - what the parts of the head's shell share

    All of it is the head's thread's alone: there is no lock, and no function
    blocks. A peer_t belongs to head->peers; head_lose and head_forget free it,
    so nobody keeps a pointer to one from one record to the next.           */

#ifndef TROUPE_HEAD_HEAD_SHELL_H
#define TROUPE_HEAD_HEAD_SHELL_H

#include "head/head.h"

#include "core/clock.h"
#include "core/table.h"
#include "core/value.h"
#include "program/program.h"
#include "wire/channel.h"
#include "wire/identity.h"
#include "wire/socket.h"
#include "wire/thread.h"
#include "wire/tokens.h"

#include <unistd.h>

#define ROUTE_MAX 8

/*  Dead processes whose HELLO may still come.                              */
#define STILLBORN_MAX 16

/*  What workers have said of a class.                                      */
typedef struct {
    char *name;
    bytes_t methods;            /*  as they are answered: a list of maps    */
} class_note_t;

/*  What a worker has said of all of its classes, for all who say the same.  */
typedef struct {
    list_node_t node;           /*  in head->class_sets                     */
    uint32_t program;
    size_t workers;             /*  that are here                           */
    bytes_t content;            /*  the program, and what they have said    */
    size_t count;
    class_note_t *notes;
} class_set_t;

/*  A process that has joined.                                              */
typedef struct {
    process_t process;
    uint8_t route [ROUTE_MAX];
    size_t route_size;
    bool far;                   /*  on another machine, by the channel      */
    channel_t channel;
    peer_link_t link;
    bool unlinked;              /*  the connection was seen closed          */
    char token [TOKEN_NAME_MAX + 1];    /*  that let it in; "" if local     */
    bool shut_out;              /*  nobody is to listen to it any more      */
    bool stopping;              /*  a node that ends its workers            */
    identity_t identity;
    uint32_t job;               /*  of a driver                             */
    bool leaving;               /*  a driver, which gets its last lines     */
    unsigned lines_due;         /*  from so many nodes                      */
    process_t lines_for;        /*  a node: the last driver it was asked for */
    bytes_t store;              /*  what its object store has (STORE)       */
    class_set_t *classes;       /*  of a worker, or NULL                    */
    uint64_t refused;           /*  connections to it, or to a node and its
                                    workers (PING)                          */
    bytes_t frame;
    list_node_t dirty;
} peer_t;

/*  A program on its way from a driver.                                     */
typedef struct {
    list_node_t node;
    uint8_t hash [PROGRAM_HASH_SIZE];
    process_t source;
    uint64_t size;
    uint64_t offset;
    program_receive_t *receive;
} upload_t;

/*  A node that wants a program which is not here yet.                      */
typedef struct {
    list_node_t node;
    uint8_t hash [PROGRAM_HASH_SIZE];
    process_t process;
} download_t;

/*  The last lines that the workers have printed.                           */
#define LINES_MAX 4096

typedef struct {
    uint64_t position;
    int64_t at_ms;
    process_t worker;
    uint8_t stream;
    char *who;                  /*  the worker's label                      */
    char *where;                /*  the node's name                         */
    char *text;
    size_t size;
} line_t;

struct head {
    void *socket;
    int stop;
    thread_t *thread;
    head_state_t *state;
    id_table_t routes;          /*  routing id → peer_t                     */
    id_table_t peers;           /*  process → peer_t                        */
    list_t dirty;
    uint8_t cookie [COOKIE_SIZE];
    bool told;                  /*  that it is to end                       */
    bool drained;               /*  nothing is there to be received         */
    bool stopping;              /*  workers that join are told to end       */
    bool parting;               /*  all were told that the head ends        */
    bool starved;               /*  something could not be sent             */
    uint64_t received;          /*  bytes since memory was last given back  */
    int64_t received_at;        /*  the last of them                        */
    struct {
        uint64_t pid;
        process_t node;
    } stillborn [STILLBORN_MAX];
    size_t stillborn_count;

    /*  Of a cluster of machines.                                           */
    int64_t tended;             /*  when the channels were last looked at   */
    int64_t watched;            /*  and the connections                     */
    bool untended;              /*  there may be something to do            */
    uint64_t refused;           /*  connections to other processes          */
    const network_t *network;
    const cluster_keys_t *cluster;
    tokens_t *tokens;           /*  NULL if there are none (insecure)       */
    bytes_t cuts;               /*  cut_t: connections to be ended          */
    char endpoint [HOST_MAX + 32];
    char address [HOST_MAX + 32];
    int64_t since;
    program_cache_t *programs;
    list_t uploads;
    list_t downloads;
    list_t class_sets;          /*  the last told of last                   */
    name_table_t class_contents; /*  content → class_set_t                  */
    size_t class_count;         /*  in all sets                             */
    line_t *lines;              /*  a ring of LINES_MAX                     */
    uint64_t line_count;
    void (*log) (void *context, const char *text);
    void *log_context;
    void (*failed) (void *context, const fault_t *why);
};

static inline tid_t
head_shell_key (process_t process)
{
    return (tid_t){ 0, process };
}

static inline peer_t *
head_shell_peer (head_t *self, process_t process)
{
    return id_table_get (&self->peers, head_shell_key (process));
}

/*  A node in the head's own process, which has one gate for both.          */
static inline bool
head_shell_is_own (const peer_t *peer)
{
    return !peer->far && peer->identity.role == ROLE_NODE
           && peer->identity.pid == (uint64_t) getpid ();
}

/*  To the log of who runs the head, if he wants one.                       */
void head_log (head_t *self, const char *format, ...) TROUPE_PRINTF_ (2, 3);

/*  --- head_peers.c -----------------------------------------------------  */

/*  Sends what has gathered for a peer in one message. Without memory it stays
    and goes with the next record; a peer that cannot be reached loses it.  */
void head_flush (head_t *self, peer_t *peer);

/*  A frame of a peer on another machine: whether it is to be read.         */
bool head_takes (head_t *self, peer_t *peer, const uint8_t *data, size_t size, int64_t now);

/*  Acknowledges and repeats what is due. Returns when to look again.       */
int64_t head_tend (head_t *self, int64_t now);

/*  Writes a record, which is copied, to be flushed at the end of the turn. peer
    may be NULL: then nobody gets it. Without memory the head ends
    (head->starved), as somebody would wait for it.                         */
void head_send (head_t *self, peer_t *peer, const record_t *record);

/*  A frame of a peer has come; notes by which connection, if that is new.  */
void head_linked (peer_t *peer, zmq_msg_t *message);

/*  Looks for connections that were closed. Returns when to look again.     */
int64_t head_watch (head_t *self, int64_t now);

/*  A HELLO with the right cookie; far: its frame came by a channel. NULL if
    it is refused or malformed.                                             */
peer_t *head_admit (head_t *self, const uint8_t *route, size_t route_size,
                    const record_t *record, bool far);

/*  It has ended: everybody is told, and the state. Frees the peer of that name;
    does nothing if there is none. cause and ledger are not kept; ledger: see
    head_lost.                                                              */
void head_lose (head_t *self, process_t process, const char *cause, const uint32_t *ledger);

/*  Tells the workers of a node, which leaves, to end; with 0 those of all, and
    those that still come.                                                  */
void head_stop_workers (head_t *self, process_t node);

/*  While the head parts: the peer knows it and is freed, without anybody being
    told.                                                                   */
void head_forget (head_t *self, peer_t *peer);

/*  Whether there are any workers, or any others.                           */
bool head_are_left (head_t *self, bool workers);

/*  Frees one that is in no table any more.                                 */
void head_peer_destroy (peer_t *peer);

/*  The key of head->routes for a routing id of at most ROUTE_MAX bytes.    */
tid_t head_route_key (const uint8_t *route, size_t size);

/*  A node tells that a process of its own has ended.                       */
void head_worker_lost (head_t *self, peer_t *reporter, const record_t *record, int64_t now);

/*  --- head_programs.c --------------------------------------------------  */

/*  A driver has come with its program: asks for it unless it is here.      */
void head_want_program (head_t *self, peer_t *driver);

/*  FETCH of a node: it gets a piece, now or when the driver has sent it. CHUNK
    of a driver: the next piece is asked for, and those who wait are served. */
void head_fetch (head_t *self, peer_t *node, const record_t *record);
void head_chunk (head_t *self, peer_t *driver, const record_t *record);

/*  Asks a node for workers.                                                */
void head_send_start (head_t *self, const head_action_t *action);

/*  A process has ended, which may have been about to send or to receive.   */
void head_programs_lose (head_t *self, process_t process);
void head_programs_destroy (head_t *self);

/*  --- head_answers.c ---------------------------------------------------  */

/*  INQUIRE and COMMAND of a peer; answered by a RESULT, if well formed.    */
void head_inquire (head_t *self, peer_t *peer, const record_t *record, int64_t now);
void head_command (head_t *self, peer_t *peer, const record_t *record);

/*  Lines that a worker has printed.                                        */
void head_lines (head_t *self, peer_t *node, const record_t *record);

/*  Asks the nodes where a driver has workers for what these have printed.
    Returns how many will answer.                                           */
unsigned head_ask_lines (head_t *self, const peer_t *driver);

/*  Frees the lines that are kept, and the classes.                         */
void head_answers_destroy (head_t *self);

/*  --- head_classes.c ---------------------------------------------------  */

/*  The classes that a worker of the program offers, as HELLO has them: a list of
    lists, each a class, its methods and what these take, or nil. They replace
    what it has said before. A class that is malformed is left out.         */
void head_note_classes (head_t *self, peer_t *worker, uint32_t program, const uint8_t *data,
                        size_t size);

/*  CLASSES has come: the same, of a worker that has loaded a module.       */
void head_more_classes (head_t *self, peer_t *worker, const record_t *record);

/*  The worker has ended. What it had is remembered as its program's.       */
void head_forget_classes (peer_t *worker);

/*  What the worker has said of the class; if that is nothing, or it is NULL,
    what another worker of the program has said last. NULL if none has. The
    head owns it; it lives until the next record.                           */
const class_note_t *head_class (const head_t *self, const peer_t *worker, uint32_t program,
                                const char *name);

/*  Walks over the classes of all programs; zeroed at first. A class is there
    once for each way in which workers describe it; what no worker has any more
    only if none describes it otherwise. Sets set and note and returns true, or
    false at the end.                                                       */
typedef struct {
    const class_set_t *set;
    const class_note_t *note;
    size_t index;
} class_cursor_t;

bool head_next_class (const head_t *self, class_cursor_t *cursor);

/*  Frees all that is known of classes; no peer_t is left that knows a set. */
void head_classes_destroy (head_t *self);

/*  --- head_task_list.c -------------------------------------------------  */

/*  An answer has so many tasks at most, the first by job and id.           */
#define HEAD_TASKS_MAX 10000

/*  FIELD=VALUE, or FIELD!=VALUE if negated; the texts are the caller's.    */
typedef struct {
    const char *field;
    size_t field_size;
    const char *value;
    size_t value_size;
    bool negated;
} head_condition_t;

#define HEAD_FILTER_MAX 64

/*  Conditions, all of which a task must meet.                              */
typedef struct {
    head_condition_t conditions [HEAD_FILTER_MAX];
    size_t count;
} head_filter_t;

/*  Adds a condition. Returns 0, or -1: malformed, or too many.             */
int head_filter_read (head_filter_t *filter, const char *text, size_t size);

/*  Appends a map for each task of which key is the id or the function, or of
    all if it is "", that passes the filter. Returns how many maps; *matched:
    how many tasks that would have been.                                    */
size_t head_put_tasks (head_t *self, const char *key, const head_filter_t *filter,
                       bytes_t *out, size_t *matched);

/*  --- head_stores.c ----------------------------------------------------  */

/*  STORE has come: what a process's object store has.                      */
void head_store_report (peer_t *peer, const record_t *record);

/*  Appends a map for each store, or each object, of which key is the id, or
    of all if it is "". Returns how many.                                   */
size_t head_put_stores (head_t *self, const char *key, bytes_t *out);
size_t head_put_objects (head_t *self, const char *key, bytes_t *out);

/*  --- head_tokens.c ----------------------------------------------------  */

/*  Ends the connections of those shut out who have had the time to read why.
    Returns when to look again.                                             */
int64_t head_cut (head_t *self, int64_t now);

/*  Whether a HELLO shows what its sender must; notes by which token, in name. */
bool head_may_join (head_t *self, const record_t *record, zmq_msg_t *message,
                    char name [TOKEN_NAME_MAX + 1]);

/*  Makes a token of this name, or shuts out who has it. The answer goes to the
    peer, which must be on this machine.                                    */
void head_token_new (head_t *self, peer_t *peer, tid_t id, const char *name);
void head_token_revoke (head_t *self, peer_t *peer, tid_t id, const char *name);

/*  RESULT with a failure.                                                  */
void head_answer_fault (head_t *self, peer_t *peer, tid_t id, troupe_error_t code,
                        const char *text);

#endif
