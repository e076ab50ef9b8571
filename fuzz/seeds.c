/*  seeds.c - writes the seed corpora of fuzz_channel, fuzz_frame, fuzz_head
    and fuzz_peer

    usage: seeds FOLDER
    FOLDER is fuzz/corpus of the source tree; channel, frame, head and peer in
    it must exist. The scripts tell short stories of valid messages; the fuzzer makes
    the others of them. For the format see fuzz/world.h.                    */

#include "fuzz/world.h"

#include "core/value.h"
#include "wire/options.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define COOKIE "0123456789abcdef"

/*  Tasks that fuzz_peer defines.                                           */
#define TASKS 5

/*  The script, or the frame, that is being written.                        */
static bytes_t s_out;
static const char *s_folder;
static int s_failed;

static void
s_put (const void *data, size_t size)
{
    if (size && bytes_append (&s_out, data, size))
        s_failed = 1;
}

static void
s_u8 (unsigned number)
{
    uint8_t byte = (uint8_t) number;
    s_put (&byte, 1);
}

static void
s_u16 (unsigned number)
{
    s_u8 (number & 255);
    s_u8 (number >> 8);
}

/*  Writes what was gathered into a file.                                   */
static void
s_save (const char *kind, const char *name)
{
    char path [4096];
    snprintf (path, sizeof path, "%s/%s/%s", s_folder, kind, name);
    FILE *file = fopen (path, "wb");
    if (!file || fwrite (s_out.data, 1, s_out.size, file) != s_out.size || fclose (file)) {
        perror (path);
        s_failed = 1;
    }
    bytes_clear (&s_out);
}

/*  A story for the head begins with a byte that says which one.            */
static void
s_save_head (uint8_t which, const char *name)
{
    if (!bytes_extend (&s_out, 1)) {
        s_failed = 1;
        return;
    }
    memmove (s_out.data + 1, s_out.data, s_out.size - 1);
    s_out.data [0] = which;
    s_save ("head", name);
}

/*  --- bodies: one at a time, for the message that comes next -----------  */

static bytes_t s_body;

static void
list (size_t count)
{
    value_put_array (&s_body, count);
}

static void
integer (uint64_t number)
{
    value_put_uint (&s_body, number);
}

static void
text (const char *string)
{
    value_put_string (&s_body, string, strlen (string));
}

static void
nil (void)
{
    static const uint8_t byte = 0xc0;
    bytes_append (&s_body, &byte, 1);
}

static void
future (unsigned owner, unsigned sequence, bool handle)
{
    value_put_reference (&s_body, (tid_t){ world_process (owner), sequence }, handle);
}

static void
actor (unsigned owner, unsigned sequence, unsigned worker, unsigned number)
{
    actor_reference_t reference = { .id = { world_process (owner), sequence },
                                    .worker = world_process (worker),
                                    .number = number,
                                    .class_name = "thing",
                                    .class_length = 5 };
    value_put_actor (&s_body, &reference);
}

/*  Text that is no value.                                                  */
static void
plain (const char *string, size_t size)
{
    bytes_append (&s_body, string, size);
}

/*  A name in front of arguments. Returns its length.                       */
static unsigned
prefix (const char *name)
{
    bytes_append (&s_body, name, strlen (name));
    bytes_align (&s_body);
    return (unsigned) strlen (name);
}

static void
numbers32 (uint32_t first, uint32_t second)
{
    uint8_t pair [8];
    store_u32 (pair, first);
    store_u32 (pair + 4, second);
    bytes_append (&s_body, pair, sizeof pair);
}

static void
identity (const identity_t *given)
{
    identity_put (&s_body, given);
}

/*  Of a process on the same machine.                                       */
static identity_t
s_process (role_t role)
{
    return (identity_t){ .role = (uint8_t) role,
                         .endpoint = "ipc://@x",
                         .remote = "tcp://127.0.0.1:1",
                         .machine = WORLD_MACHINE,
                         .label = "process",
                         .pid = 200,
                         .slots = 2 };
}

/*  With one task and no class.                                             */
static void
hello_of (const char *cookie, const identity_t *given)
{
    plain (cookie, 16);
    list (IDENTITY_FIELDS + 3);
    identity (given);
    integer (1003);
    text ("first");
    list (0);
}

static void
hello (const char *cookie, role_t role)
{
    identity_t given = s_process (role);
    hello_of (cookie, &given);
}

/*  For PEER_UP.                                                            */
static void
up (role_t role, const char *machine)
{
    identity_t given = s_process (role);
    snprintf (given.machine, sizeof given.machine, "%s", machine);
    list (IDENTITY_FIELDS);
    identity (&given);
}

/*  --- steps ------------------------------------------------------------  */

typedef struct {
    unsigned from;
    unsigned type;
    unsigned flags;
    unsigned owner;
    unsigned sequence;
    unsigned target;
    unsigned extra;
    unsigned deadline;
    unsigned number;
    unsigned attached;          /*  a future, of `owner`, with ...          */
    const char *value;          /*  this value; NULL: it is pending         */
    unsigned parts;
    bool joined;
} message_t;

static void
s_message (const message_t *message)
{
    s_u8 (message->from | (message->joined ? STEP_JOINED : 0u) | message->parts << 6);
    s_u8 (message->type);
    s_u8 (message->flags);
    s_u8 (message->owner);
    s_u8 (message->sequence);
    s_u16 (message->target);
    s_u16 (message->extra);
    s_u16 (message->deadline);
    s_u16 (message->number);
    s_u8 (message->attached > 0);
    s_u16 ((unsigned) s_body.size);
    s_put (s_body.data, s_body.size);
    bytes_clear (&s_body);
    if (!message->attached)
        return;
    size_t size = message->value ? strlen (message->value) : 0;
    s_u8 (message->owner);
    s_u8 (message->attached);
    s_u8 (message->value ? (unsigned) size : 128);
    s_put (message->value, size);
}

#define MESSAGE(from_, type_, ...)                                                           \
    s_message (&(const message_t){ .from = (from_), .type = RECORD_##type_, __VA_ARGS__ })

static void
s_time (unsigned milliseconds)
{
    s_u8 (STEP_TIME << 3);
    s_u16 (milliseconds);
}

static void
s_act (unsigned what, unsigned argument)
{
    s_u8 (STEP_ACTION << 3);
    s_u8 (what);
    s_u8 (argument);
}

static void
s_raw (unsigned from, const char *data, unsigned size)
{
    s_u8 (from | STEP_RAW << 3);
    s_u16 (size);
    s_put (data, size);
}

/*  --- frames -----------------------------------------------------------  */

static void
s_record (unsigned type, bool attach)
{
    static const uint8_t value [] = { 0x93, 1, 2, 3 };
    record_t record = { .type = (uint8_t) type,
                        .flags = 3,
                        .extra = 4,
                        .deadline = 5,
                        .number = 6,
                        .target = 7,
                        .id = { 8, 9 } };
    size_t offset = record_begin (&s_out, &record);
    s_put (value, sizeof value);
    record_end_body (&s_out, offset);
    if (attach) {
        record_attach (&s_out, offset, (tid_t){ 1, 2 }, value, sizeof value, false);
        record_attach (&s_out, offset, (tid_t){ 1, 3 }, NULL, 0, true);
    }
    if (record_end (&s_out, offset))
        s_failed = 1;
}

static void
s_frames (void)
{
    s_record (RECORD_PING, false);
    s_save ("frame", "short");
    s_record (RECORD_TASK, false);
    s_save ("frame", "long");
    s_record (RECORD_CALL, true);
    s_save ("frame", "attachments");
    for (unsigned type = 1; type < RECORD_TYPE_LIMIT; type++)
        s_record (type, false);
    s_save ("frame", "all");
    s_record (RECORD_DONE, false);
    s_record (RECORD_SPAWN, true);
    s_put ("\0\0\0\0", 4);
    s_save ("frame", "trailing");
    s_record (RECORD_VALUE, true);
    store_u32 (s_out.data + FRAME_HEADER + 40, UINT32_MAX);
    s_save ("frame", "huge_body");
}

/*  --- stories for the head: driver 1, worker 2, their connections 0 and 1 -  */

/*  The lease that the head gives out as the count-th, at an idle worker.   */
static unsigned
s_lease (unsigned count)
{
    return count * 1024 | (count - 1);
}

static void
s_task (unsigned sequence, unsigned target)
{
    list (1);
    integer (7);
    MESSAGE (0, TASK, .owner = 1, .sequence = sequence, .number = 1, .target = target);
}

static void
s_head_tasks (void)
{
    s_task (1, 0);
    numbers32 (s_lease (1), 100);
    MESSAGE (1, DONE, .parts = 0);
    s_task (2, TARGET_DEPTH | 0x100 | 3);
    MESSAGE (0, SUBSCRIBE, .owner = 1, .sequence = 2, .target = TARGET_PROCESS | 2);
    MESSAGE (0, CANCEL, .owner = 1, .sequence = 2);
    s_save_head (0, "tasks");

    for (unsigned sequence = 1; sequence < 8; sequence++)
        s_task (sequence, 0);
    s_time (5);
    hello (COOKIE, ROLE_WORKER);
    MESSAGE (2, HELLO, .flags = ROLE_WORKER);
    numbers32 (s_lease (2), 0);
    MESSAGE (1, RETURNED, .parts = 0);
    MESSAGE (1, SLOTS, .sequence = 1);
    s_time (600);
    s_save_head (0, "recall");

    for (unsigned sequence = 1; sequence < 5; sequence++)
        s_task (sequence, sequence == 1);
    MESSAGE (0, SUBSCRIBE, .owner = 1, .sequence = 4, .target = TARGET_PROCESS | 2);
    for (unsigned count = 1; count < 4; count++) {
        numbers32 (s_lease (count), 1000);
        numbers32 (s_lease (count), 1000);
        MESSAGE (1, DONE, .parts = 0);
    }
    plain ("gone\0", 5);
    bytes_extend (&s_body, 4096);
    memset (s_body.data + 5, 0, 4096);
    MESSAGE (0, WORKER_LOST, .owner = 1, .target = TARGET_PROCESS | 2);
    plain ("early\0", 6);
    MESSAGE (0, WORKER_LOST, .owner = 1, .number = 200);
    hello (COOKIE, ROLE_WORKER);
    MESSAGE (2, HELLO, .flags = ROLE_WORKER);
    hello (COOKIE, ROLE_WORKER);
    MESSAGE (3, HELLO, .flags = ROLE_WORKER);
    s_save_head (0, "ledger");

    unsigned length = prefix ("second");
    list (0);
    MESSAGE (0, TASK, .flags = RECORD_BY_NAME, .extra = length, .owner = 1, .sequence = 1);
    length = prefix ("third");
    list (0);
    MESSAGE (0, TASK, .flags = RECORD_BY_NAME, .extra = length, .owner = 1, .sequence = 2,
             .deadline = 100);
    MESSAGE (0, ACK, .sequence = 1);
    s_save_head (0, "by_name");
}

static void
s_head_arguments (void)
{
    list (1);
    future (1, 9, false);
    MESSAGE (0, TASK, .owner = 1, .sequence = 1, .number = 1, .attached = 9);
    list (1);
    future (1, 8, false);
    MESSAGE (0, TASK, .owner = 1, .sequence = 2, .number = 2, .attached = 8, .value = "\x05");
    integer (3);
    MESSAGE (1, VALUE, .owner = 1, .sequence = 9);
    list (1);
    future (1, 9, false);
    MESSAGE (0, TASK, .owner = 1, .sequence = 3, .number = 1, .attached = 7);
    plain ("failed", 6);
    MESSAGE (1, VALUE, .flags = RECORD_FAULT, .number = 9, .owner = 1, .sequence = 7);
    integer (4);
    MESSAGE (0, VALUE, .owner = 1, .sequence = 6);
    MESSAGE (0, TASK, .owner = 1, .sequence = 4, .number = 1, .attached = 6);
    s_save_head (0, "arguments");

    hello (COOKIE, ROLE_DRIVER);
    MESSAGE (2, HELLO, .flags = ROLE_DRIVER);
    MESSAGE (0, TASK, .owner = 1, .sequence = 3, .number = 1, .attached = 7);
    list (0);
    MESSAGE (2, TASK, .owner = 3, .sequence = 1, .number = 2, .target = 2);
    plain ("gone\0", 5);
    MESSAGE (0, WORKER_LOST, .owner = 1, .target = TARGET_PROCESS | 2);
    plain ("gone\0", 5);
    MESSAGE (0, WORKER_LOST, .flags = RECORD_KILL, .owner = 1, .target = TARGET_PROCESS | 3);
    s_save_head (0, "lost");
}

static void
s_head_actors (void)
{
    list (3);
    text ("thing");
    text ("it");
    list (0);
    MESSAGE (0, SPAWN, .owner = 1, .sequence = 1);
    plain ("it", 2);
    MESSAGE (0, FIND, .owner = 1, .sequence = 2);
    plain ("\1\2\3\4\5\6\7\10", 8);
    MESSAGE (1, ACTOR_UP, .owner = 1, .sequence = 1, .target = 1);
    plain ("it", 2);
    MESSAGE (1, FIND, .owner = 2, .sequence = 1);
    list (3);
    text ("thing");
    text ("it");
    list (0);
    MESSAGE (0, SPAWN, .owner = 1, .sequence = 3, .joined = true);
    list (3);
    text ("thing");
    nil ();
    list (0);
    MESSAGE (0, SPAWN, .owner = 1, .sequence = 4);
    MESSAGE (1, ACTOR_DOWN, .owner = 1, .sequence = 1);
    s_save_head (0, "actors");
}

static void
s_head_processes (void)
{
    hello (COOKIE, ROLE_WORKER);
    MESSAGE (3, HELLO, .flags = ROLE_WORKER);
    hello ("0123456789abcdeX", ROLE_WORKER);
    MESSAGE (4, HELLO, .flags = ROLE_WORKER);
    MESSAGE (5, PING, .parts = 1);
    hello (COOKIE, ROLE_DRIVER);
    MESSAGE (7, HELLO, .flags = ROLE_DRIVER);
    MESSAGE (0, PING, .parts = 0);
    s_raw (6, "garbage", 7);
    MESSAGE (6, PING, .parts = STEP_TRUNCATED);
    s_time (4000);
    MESSAGE (1, PING, .parts = 2);
    s_task (1, 1);
    s_time (7000);
    s_time (7000);
    MESSAGE (0, STOP, .parts = 0);
    hello (COOKIE, ROLE_WORKER);
    MESSAGE (2, HELLO, .flags = ROLE_WORKER);
    s_save_head (0, "processes");

    s_act (0, 1);
    s_task (1, 2);
    s_time (11000);
    s_time (11000);
    plain ("how\0", 4);
    MESSAGE (0, WORKER_LOST, .owner = 1, .number = 101);
    s_save_head (0, "broken");
}

/*  A worker dies: values for tasks that wait, and results, may be lost.    */
static void
s_head_inquiry (void)
{
    hello (COOKIE, ROLE_DRIVER);
    MESSAGE (2, HELLO, .flags = ROLE_DRIVER);
    MESSAGE (0, TASK, .owner = 1, .sequence = 1, .number = 1, .attached = 9);
    MESSAGE (2, TASK, .owner = 3, .sequence = 1, .number = 1, .attached = 8);
    s_task (2, 255);
    plain ("gone\0", 5);
    MESSAGE (0, WORKER_LOST, .owner = 1, .target = TARGET_PROCESS | 2);
    numbers32 (1, 0);
    numbers32 (7, 0);
    MESSAGE (0, CHECK, .owner = 1, .sequence = 1);
    MESSAGE (0, ACK, .sequence = 2);
    s_save_head (0, "inquiry");
}

/*  --- stories for the head of a cluster: driver 1, node 2, worker 3, and
    client 4, which is far; their connections 0 to 3 ---------------------  */

enum { CLUSTER = 1 };

/*  Ends the frame that the last message is joined to.                      */
static void
s_link (unsigned from, unsigned sequence, unsigned received, bool again)
{
    MESSAGE (from, LINK, .flags = again ? RECORD_AGAIN : 0, .sequence = sequence,
             .target = received);
}

static void
s_inquire (unsigned from, unsigned sequence, const char *what, const char *key)
{
    list (4);
    text (what);
    text (key);
    integer (0);
    integer (100);
    MESSAGE (from, INQUIRE, .owner = from + 1, .sequence = sequence);
}

static void
s_inquire_filtered (unsigned from, unsigned sequence, const char *what, const char *condition)
{
    list (5);
    text (what);
    nil ();
    integer (0);
    integer (0);
    list (2);
    text (condition);
    text ("job!=7");
    MESSAGE (from, INQUIRE, .owner = from + 1, .sequence = sequence);
}

static void
s_print (unsigned worker, unsigned stream, const char *line, size_t size)
{
    plain ("worker 3", 9);
    plain (line, size);
    MESSAGE (1, LOG, .flags = stream, .target = TARGET_PROCESS | worker);
}

/*  The driver's program is asked for by the head, and goes on to the node. */
static void
s_head_programs (void)
{
    static const char hash [PROGRAM_HASH_SIZE + 1] = "pppppppppppppppppppppppppppppppp";
    static const uint8_t content [] = "a program";
    uint8_t true_hash [PROGRAM_HASH_SIZE];
    plain (hash, PROGRAM_HASH_SIZE);
    MESSAGE (1, FETCH, .parts = 0);
    plain (hash, PROGRAM_HASH_SIZE);
    plain ("some", 4);
    MESSAGE (0, CHUNK, .sequence = 8);
    plain (hash, PROGRAM_HASH_SIZE);
    plain ("more", 4);
    MESSAGE (0, CHUNK, .sequence = 8, .target = 4);
    plain (hash, PROGRAM_HASH_SIZE);
    MESSAGE (1, FETCH, .parts = 0);
    s_save_head (CLUSTER, "program_wrong");

    if (crypto_generichash (true_hash, sizeof true_hash, content, sizeof content, NULL, 0))
        s_failed = 1;
    for (unsigned connection = 4; connection < 6; connection++) {
        identity_t driver = s_process (ROLE_DRIVER);
        driver.has_program = true;
        memcpy (driver.program, true_hash, sizeof true_hash);
        hello_of (COOKIE, &driver);
        MESSAGE (connection, HELLO, .parts = 0);
    }
    plain ((const char *) true_hash, sizeof true_hash);
    MESSAGE (1, FETCH, .parts = 0);
    MESSAGE (4, LEAVE, .parts = 0);
    plain ((const char *) true_hash, sizeof true_hash);
    plain ((const char *) content, sizeof content);
    MESSAGE (5, CHUNK, .sequence = sizeof content);
    plain ((const char *) true_hash, sizeof true_hash);
    MESSAGE (1, FETCH, .target = 2);
    s_save_head (CLUSTER, "program");

    plain (hash, PROGRAM_HASH_SIZE);
    plain ("cannot read it", 14);
    MESSAGE (0, CHUNK, .flags = RECORD_FAULT);
    plain (hash, PROGRAM_HASH_SIZE);
    MESSAGE (1, FETCH, .parts = 0);
    MESSAGE (0, LEAVE, .parts = 0);
    s_save_head (CLUSTER, "program_failed");
}

/*  Workers are started, fail to start, work and end.                       */
static void
s_head_workers (void)
{
    identity_t worker = s_process (ROLE_WORKER);
    worker.node = world_process (2);
    worker.job = 1;
    worker.has_program = true;
    memset (worker.program, 'p', PROGRAM_HASH_SIZE);
    for (unsigned sequence = 1; sequence < 9; sequence++)
        s_task (sequence, 0);
    numbers32 (s_lease (1), 100);
    MESSAGE (2, DONE, .parts = 0);
    s_time (50);
    hello_of (COOKIE, &worker);
    MESSAGE (4, HELLO, .parts = 0);
    plain ("cannot run here", 15);
    MESSAGE (1, FAILED, .sequence = 1);
    s_time (2000);
    plain ("killed\0", 7);
    MESSAGE (1, WORKER_LOST, .target = TARGET_PROCESS | 3);
    plain ("killed\0", 7);
    MESSAGE (1, WORKER_LOST, .number = 200);
    plain ("early\0", 6);
    MESSAGE (1, WORKER_LOST, .number = 201, .sequence = 1);
    worker.pid = 201;
    hello_of (COOKIE, &worker);
    MESSAGE (5, HELLO, .parts = 0);
    MESSAGE (0, LEAVE, .parts = 0);
    s_time (30000);
    s_save_head (CLUSTER, "workers");

    identity_t node = s_process (ROLE_NODE);
    snprintf (node.name, sizeof node.name, "second");
    snprintf (node.resources, sizeof node.resources, "cpus=2 lidar=1.5");
    hello_of (COOKIE, &node);
    MESSAGE (4, HELLO, .parts = 0);
    hello_of (COOKIE, &node);
    MESSAGE (5, HELLO, .parts = 0);
    snprintf (node.name, sizeof node.name, "third");
    snprintf (node.resources, sizeof node.resources, "cpus=-1");
    hello_of (COOKIE, &node);
    MESSAGE (5, HELLO, .joined = true);
    s_link (5, 1, 0, false);
    s_task (1, 0);
    MESSAGE (4, LEAVE, .parts = 0);
    MESSAGE (1, LEAVE, .parts = 0);
    s_time (11000);
    s_save_head (CLUSTER, "nodes");
}

static void
s_options (placement_t placement, unsigned flags, int64_t cpus)
{
    options_t options = { .placement = placement,
                          .flags = flags | OPTIONS_RESOURCES,
                          .node_name = "first",
                          .node_name_length = placement == PLACE_NODE ? 5 : 0,
                          .count = 1,
                          .resources = { { RESOURCE_CPUS, 4, cpus * RESOURCE_UNIT } } };
    if (placement == PLACE_GROUP)
        options.group = (tid_t){ world_process (1), 1 };
    if (options_write (&s_body, &options))
        s_failed = 1;
}

/*  Groups of bundles, and what is placed there or elsewhere.               */
static void
s_head_groups (void)
{
    s_options (PLACE_PACK, 0, 1);
    s_options (PLACE_PACK, 0, 2);
    MESSAGE (0, GROUP, .owner = 1, .sequence = 1);
    s_options (PLACE_PACK, 0, 3);
    MESSAGE (0, GROUP, .owner = 1, .sequence = 2, .number = 1);
    s_options (PLACE_PACK, 0, 100);
    MESSAGE (0, GROUP, .owner = 1, .sequence = 3, .number = 3);
    for (unsigned placement = PLACE_PACK; placement < PLACE_LIMIT; placement++) {
        s_options (placement, 0, 1);
        list (1);
        integer (7);
        MESSAGE (0, TASK, .flags = RECORD_OPTIONS, .owner = 1, .sequence = 10 + placement,
                 .number = 1);
        s_options (placement, OPTIONS_DETACHED, 0);
        list (3);
        text ("thing");
        text ("it");
        list (0);
        MESSAGE (0, SPAWN, .flags = RECORD_OPTIONS, .owner = 1, .sequence = 20 + placement);
    }
    s_time (100);
    MESSAGE (0, GROUP, .flags = RECORD_KILL, .owner = 1, .sequence = 1);
    s_time (100);
    MESSAGE (0, LEAVE, .parts = 0);
    s_time (100);
    s_save_head (CLUSTER, "groups");
}

/*  Classes of modules: good ones, then one with something wrong in it.     */
static void
s_head_classes (void)
{
    static const char *const wrong [] = { "amount", "amount: number", "a: any,", ": any" };
    for (unsigned index = 0; index <= sizeof wrong / sizeof *wrong; index++) {
        list (2);
        list (5);
        text ("thing");
        text ("set");
        text ("key: string, value: any");
        text ("size");
        text ("");
        list (3);
        text ("queue");
        text ("take");
        if (index)
            text (wrong [index - 1]);
        else
            nil ();
        MESSAGE (2, CLASSES, .parts = 0);
        s_inquire (0, 10 + index, "classes", index & 1 ? "queue" : "");
    }
    list (3);
    text ("it");
    integer (1);
    nil ();
    MESSAGE (2, CLASSES, .parts = 0);
    list (1);
    list (2);
    text ("even");
    text ("count");
    MESSAGE (2, CLASSES, .parts = 0);
    MESSAGE (1, CLASSES, .parts = 0);
    s_inquire (0, 30, "actors", "it");
    s_save_head (CLUSTER, "classes");
}

/*  What is there, asked for over a channel that loses and repeats.         */
static void
s_head_inquiries (void)
{
    static const char *const kinds [] = { "summary", "nodes",     "workers", "actors", "classes",
                                          "tasks",   "functions", "jobs",    "lines",  "none" };
    s_task (1, 0);
    list (3);
    text ("thing");
    text ("it");
    list (0);
    MESSAGE (0, SPAWN, .owner = 1, .sequence = 2);
    plain ("\1\2\3\4\5\6\7\10", 8);
    MESSAGE (2, ACTOR_UP, .owner = 1, .sequence = 2, .target = 1);
    s_print (3, 0, "hello", 5);
    s_print (3, 1, "\377\0x", 3);
    s_print (9, 2, "", 0);
    for (unsigned index = 0; index < sizeof kinds / sizeof *kinds; index++)
        s_inquire (index & 1 ? 0 : 3, 10 + index, kinds [index], "");
    s_inquire (0, 30, "lines", "first");
    s_inquire (0, 31, "nodes", "first");
    s_inquire (0, 32, "tasks", "1.1");
    s_inquire_filtered (0, 33, "tasks", "state=ready");
    s_inquire_filtered (0, 34, "tasks", "function!=work");
    s_inquire_filtered (0, 35, "tasks", "=");
    s_inquire_filtered (0, 36, "nodes", "name=first");
    s_save_head (CLUSTER, "inquiries");
    s_task (1, 0);
    for (unsigned index = 0; index < sizeof kinds / sizeof *kinds; index++)
        s_inquire (0, 10 + index, kinds [index], "");
    s_save_head (0, "inquiries_embedded");

    list (2);
    text ("drain");
    text ("first");
    MESSAGE (3, COMMAND, .owner = 4, .sequence = 1, .joined = true);
    s_link (3, 2, 1, false);
    list (2);
    text ("drain");
    text ("none");
    MESSAGE (3, COMMAND, .owner = 4, .sequence = 2, .joined = true);
    s_link (3, 4, 1, false);
    MESSAGE (3, PING, .joined = true);
    s_link (3, 3, 1, true);
    s_time (100);
    s_link (3, 0, 1, true);
    s_act (0, 3);
    MESSAGE (3, PING, .joined = true);
    s_link (3, 4, 2, false);
    s_time (2000);
    s_act (1, 3);
    s_time (4000);
    MESSAGE (3, LEAVE, .joined = true);
    s_link (3, 5, 3, false);
    MESSAGE (2, LEAVE, .parts = 0);
    s_save_head (CLUSTER, "channel");
}

/*  --- stories for a worker: 1; its neighbours are 2 and 3 --------------  */

static void
s_spawn (unsigned owner, unsigned sequence, const char *class_name)
{
    list (3);
    text (class_name);
    nil ();
    list (0);
    MESSAGE (0, SPAWN, .owner = owner, .sequence = sequence);
}

static void
s_call (unsigned from, unsigned sequence, unsigned actor_number, unsigned method, uint64_t value)
{
    list (1);
    integer (value);
    MESSAGE (from, CALL, .owner = from + 1, .sequence = sequence, .target = actor_number,
             .extra = method);
}

static void
s_worker_actors (void)
{
    s_u8 (1);
    s_spawn (3, 1, "thing");
    s_call (2, 2, 1, 0, 5);
    s_call (2, 3, 1, 1, 5);
    list (1);
    actor (3, 1, 1, 1);
    MESSAGE (2, CALL, .owner = 3, .sequence = 4, .target = 1, .extra = 2);
    list (0);
    MESSAGE (2, CALL, .owner = 3, .sequence = 5, .target = 1, .extra = 3);
    unsigned length = prefix ("add");
    list (1);
    integer (1);
    MESSAGE (1, CALL, .flags = RECORD_BY_NAME, .extra = length, .owner = 2, .sequence = 1,
             .target = 1);
    MESSAGE (1, BORROW, .flags = RECORD_ACTOR, .owner = 3, .sequence = 1,
             .target = TARGET_PROCESS | 2);
    MESSAGE (2, END, .target = 1);
    s_call (2, 6, 1, 0, 5);
    s_save ("peer", "worker_actor");

    s_u8 (1);
    s_spawn (3, 1, "twin");
    s_spawn (2, 1, "unknown");
    for (unsigned sequence = 2; sequence < 5; sequence++) {
        list (1);
        future (3, 9, false);
        MESSAGE (2, CALL, .owner = 3, .sequence = sequence, .target = 1, .attached = 9);
    }
    list (1);
    future (3, 8, true);
    MESSAGE (2, CALL, .owner = 3, .sequence = 5, .target = 1, .extra = 1);
    MESSAGE (1, SUBSCRIBE, .owner = 3, .sequence = 2, .target = TARGET_PROCESS | 2);
    integer (4);
    MESSAGE (1, VALUE, .owner = 3, .sequence = 9);
    plain ("failed", 6);
    MESSAGE (1, VALUE, .flags = RECORD_FAULT, .number = 9, .owner = 3, .sequence = 9);
    MESSAGE (2, CANCEL, .owner = 3, .sequence = 4);
    s_time (100);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 3);
    s_save ("peer", "worker_arguments");
}

/*  More actors than there are threads for; constructors that fail.         */
static void
s_worker_limits (void)
{
    s_u8 (1);
    for (unsigned sequence = 1; sequence <= 30; sequence++)
        s_spawn (3, sequence, sequence & 1 ? "twin" : "thing");
    list (0);
    MESSAGE (0, TASK, .owner = 3, .sequence = 40, .number = 1, .target = s_lease (1));
    s_time (20);
    MESSAGE (2, END, .flags = RECORD_KILL, .target = 2);
    MESSAGE (2, END, .target = 1);
    s_time (20);
    s_save ("peer", "worker_limits");

    s_u8 (1);
    list (3);
    text ("thing");
    nil ();
    list (1);
    text ("no number");
    MESSAGE (0, SPAWN, .owner = 3, .sequence = 1);
    list (3);
    text ("twin");
    nil ();
    list (1);
    integer (1);
    MESSAGE (0, SPAWN, .owner = 3, .sequence = 2);
    s_spawn (3, 3, "thing");
    integer (6);
    MESSAGE (2, VALUE, .owner = 3, .sequence = 9);
    list (1);
    future (3, 9, false);
    MESSAGE (2, CALL, .owner = 3, .sequence = 4, .target = 3, .attached = 9);
    plain ("failed", 6);
    MESSAGE (2, VALUE, .flags = RECORD_FAULT, .number = 9, .owner = 3, .sequence = 10);
    list (1);
    future (3, 10, false);
    MESSAGE (2, CALL, .owner = 3, .sequence = 5, .target = 3, .attached = 10);
    list (1);
    future (3, 11, false);
    MESSAGE (2, CALL, .owner = 3, .sequence = 6, .target = 3, .attached = 11, .deadline = 10);
    s_time (20);
    integer (1);
    MESSAGE (2, VALUE, .owner = 3, .sequence = 11);
    s_save ("peer", "worker_constructors");
}

static void
s_worker_tasks (void)
{
    s_u8 (1);
    for (unsigned number = 1; number <= TASKS; number++) {
        list (1);
        integer (number);
        MESSAGE (0, TASK, .owner = 3, .sequence = number, .number = number,
                 .target = s_lease (number));
    }
    list (0);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 1);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 2);
    list (1);
    future (3, 20, true);
    MESSAGE (0, TASK, .owner = 3, .sequence = 9, .number = 4, .target = s_lease (9));
    integer (1);
    MESSAGE (2, VALUE, .owner = 3, .sequence = 20);
    MESSAGE (0, RECALL, .sequence = 2);
    MESSAGE (0, CANCEL, .owner = 3, .sequence = 9);
    MESSAGE (0, SUBSCRIBE, .owner = 3, .sequence = 9, .target = TARGET_PROCESS | 2);
    MESSAGE (0, STOP, .parts = 0);
    s_save ("peer", "worker_tasks");

    s_u8 (1);
    for (unsigned number = 1; number <= TASKS; number++) {
        list (2);
        actor (3, 1, 2, 1);
        integer (7);
        MESSAGE (0, TASK, .owner = 3, .sequence = number, .number = number,
                 .target = s_lease (number), .joined = number < TASKS);
    }
    integer (9);
    MESSAGE (1, RESULT, .owner = 1, .sequence = 1);
    s_save ("peer", "worker_visits");
}

/*  --- stories for a driver: 1 ------------------------------------------  */

enum { ON_FUTURE = 16, ON_ACTOR = 8 };

static void
s_driver_tasks (void)
{
    s_u8 (0);
    s_act (0, 0);
    s_act (ON_FUTURE | 3, 0);
    s_act (ON_FUTURE | 5, 0);
    s_act (ON_FUTURE | 6, 1);
    s_act (ON_FUTURE | 7, 1);
    integer (5);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 1);
    s_act (7, 0);
    s_act (ON_FUTURE | 2, 0);
    plain ("failed", 6);
    MESSAGE (0, RESULT, .flags = RECORD_FAULT, .number = 9, .owner = 1, .sequence = 2);
    s_act (1, 0);
    s_act (ON_FUTURE | 1, 4);
    s_act (ON_FUTURE | 4, 0);
    s_time (200);
    s_save ("peer", "driver_tasks");

    s_u8 (0);
    s_act (6, 0);
    s_act (6, 0);
    integer (5);
    MESSAGE (1, RESULT, .owner = 1, .sequence = 1);
    MESSAGE (1, RESULT, .owner = 1, .sequence = 1);
    plain ("lost", 4);
    MESSAGE (0, RESULT, .flags = RECORD_FAULT, .number = 7, .owner = 1, .sequence = 2);
    s_save ("peer", "driver_retries");

    s_u8 (4);
    s_act (0, 0);
    MESSAGE (1, BORROW, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    MESSAGE (1, SUBSCRIBE, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    s_act (ON_FUTURE | 4, 0);
    s_act (ON_FUTURE, 0);
    list (2);
    future (3, 4, true);
    actor (2, 1, 2, 1);
    MESSAGE (2, RESULT, .flags = RECORD_ACTOR, .owner = 1, .sequence = 2, .extra = 1);
    s_act (ON_FUTURE | 2, 1);
    list (0);
    MESSAGE (2, VALUE, .owner = 3, .sequence = 4);
    MESSAGE (1, SUBSCRIBE, .owner = 1, .sequence = 7, .target = TARGET_PROCESS | 3);
    MESSAGE (1, RELEASE, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 2);
    s_save ("peer", "driver_handles");

    /*  Its borrower is the last to hold a future, and dies.                */
    s_u8 (0);
    s_act (2, 0);
    s_act (ON_FUTURE | 4, 0);
    MESSAGE (1, BORROW, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    s_act (ON_FUTURE, 1);
    s_act (ON_FUTURE, 0);
    nil ();
    MESSAGE (1, RESULT, .owner = 1, .sequence = 2);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 2);
    s_save ("peer", "driver_borrower_lost");
}

static void
s_driver_actors (void)
{
    s_u8 (0);
    s_act (3, 0);
    s_act (ON_ACTOR | 2, 0);
    s_act (ON_ACTOR | 5, 0);
    s_act (ON_ACTOR | 6, 0);
    list (3);
    integer (world_process (2));
    integer (1);
    integer (0);
    MESSAGE (1, RESULT, .owner = 1, .sequence = 1);
    s_act (ON_ACTOR | 3, 0);
    s_act (ON_ACTOR | 4, 0);
    integer (8);
    MESSAGE (1, RESULT, .owner = 1, .sequence = 2);
    MESSAGE (2, BORROW, .flags = RECORD_ACTOR, .owner = 1, .sequence = 1,
             .target = TARGET_PROCESS | 3);
    s_act (ON_ACTOR, 0);
    MESSAGE (2, RELEASE, .flags = RECORD_ACTOR, .owner = 1, .sequence = 1,
             .target = TARGET_PROCESS | 3);
    s_save ("peer", "driver_actor");

    s_u8 (0);
    s_act (4, 0);
    s_act (5, 0);
    actor (3, 2, 2, 4);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 2);
    s_act (ON_ACTOR | 2, 1);
    s_act (ON_ACTOR | 1, 1);
    plain ("taken", 5);
    MESSAGE (0, RESULT, .flags = RECORD_FAULT, .number = 12, .owner = 1, .sequence = 1);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 2);
    s_save ("peer", "driver_found");
}

/*  A worker dies: what was lost with it is asked for, or given up.         */
static void
s_inquiries (void)
{
    s_u8 (0);
    s_act (0, 0);
    s_act (0, 0);
    up (ROLE_WORKER, WORLD_MACHINE);
    MESSAGE (0, PEER_UP, .owner = 4);
    plain (COOKIE, 16);
    MESSAGE (3, HELLO, .owner = 4);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 2);
    integer (3);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 2);
    MESSAGE (2, SUBSCRIBE, .flags = RECORD_AGAIN, .owner = 1, .sequence = 1,
             .target = TARGET_PROCESS | 3);
    numbers32 (1, 0);
    numbers32 (2, 0);
    MESSAGE (0, UNKNOWN, .owner = 1, .sequence = 1);
    MESSAGE (3, FENCE, .sequence = 5);
    MESSAGE (3, SIGN, .sequence = 1);
    s_save ("peer", "driver_inquiry");

    s_u8 (1);
    s_spawn (3, 1, "thing");
    list (1);
    future (3, 9, false);
    MESSAGE (2, CALL, .owner = 3, .sequence = 2, .target = 1, .attached = 9);
    list (1);
    integer (1);
    MESSAGE (0, TASK, .owner = 3, .sequence = 3, .number = 2, .target = s_lease (1));
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 2);
    integer (1);
    MESSAGE (2, VALUE, .owner = 3, .sequence = 9);
    MESSAGE (2, FENCE, .sequence = 1);
    numbers32 (1, 0);
    MESSAGE (0, UNKNOWN, .owner = 1, .sequence = 1);
    s_save ("peer", "worker_inquiry");
}

static void
s_peer_processes (void)
{
    s_u8 (0);
    MESSAGE (3, PING, .parts = 0);
    plain ("0123456789abcdeX", 16);
    MESSAGE (3, HELLO, .owner = 4);
    MESSAGE (3, RELEASE, .owner = 1, .sequence = 1, .parts = 1);
    plain (COOKIE, 16);
    MESSAGE (4, HELLO, .owner = 5, .joined = true);
    MESSAGE (4, SUBSCRIBE, .owner = 1, .sequence = 3, .target = TARGET_PROCESS | 5);
    up (ROLE_WORKER, WORLD_MACHINE);
    MESSAGE (0, PEER_UP, .owner = 5);
    s_raw (5, "T\1\0\0\10\0\0\0", 8);
    s_raw (5, "garbage", 7);
    s_save ("peer", "strangers");

    s_u8 (2);
    list (2);
    integer (4096);
    integer (1);
    MESSAGE (0, WELCOME, .owner = 1);
    MESSAGE (0, TASK, .owner = 3, .sequence = 1, .number = 1, .target = 1024);
    s_save ("peer", "raw_welcome");

    s_u8 (3);
    plain ("no room", 7);
    MESSAGE (0, REFUSED, .number = 10);
    s_save ("peer", "raw_refused");
}

/*  Messages that no process of ours sends, though it could.                */
static void
s_peer_odd (void)
{
    s_u8 (0);
    s_act (0, 0);
    MESSAGE (1, BORROW, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    s_act (ON_FUTURE | 4, 0);
    future (1, 2, true);
    MESSAGE (1, RESULT, .flags = RECORD_ACTOR, .owner = 1, .sequence = 2);
    plain ("odd", 3);
    MESSAGE (1, RESULT, .flags = RECORD_FAULT, .number = 99, .owner = 1, .sequence = 1);
    up (ROLE_WORKER, WORLD_MACHINE);
    MESSAGE (0, PEER_UP, .owner = 2);
    up (ROLE_WORKER, WORLD_MACHINE);
    MESSAGE (0, PEER_UP, .owner = 2);
    plain (COOKIE, 16);
    MESSAGE (3, HELLO, .owner = 0);
    MESSAGE (3, SUBSCRIBE, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 2);
    MESSAGE (0, WELCOME, .owner = 9);
    MESSAGE (0, PEER_DOWN, .owner = 1);
    s_save ("peer", "odd_driver");

    s_u8 (1);
    s_spawn (3, 1, "thing");
    s_spawn (3, 1, "thing");
    for (unsigned count = 0; count < 2; count++) {
        list (1);
        future (3, 9, false);
        MESSAGE (2, CALL, .owner = 3, .sequence = 2, .target = 1, .attached = 9);
    }
    plain ("odd", 3);
    MESSAGE (2, VALUE, .flags = RECORD_FAULT, .number = 99, .owner = 3, .sequence = 9);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 3);
    s_save ("peer", "odd_worker");

    s_u8 (3);
    s_spawn (3, 1, "thing");
    MESSAGE (0, TASK, .owner = 3, .sequence = 2, .number = 1, .target = s_lease (1));
    s_save ("peer", "odd_early");
}

/*  In a cluster: the head and process 3 are far; both channels are new.     */
static void
s_peer_far (void)
{
    s_u8 (8);
    s_act (0, 0);
    integer (5);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 1, .joined = true);
    s_link (0, 1, 1, false);
    integer (5);
    MESSAGE (0, RESULT, .owner = 1, .sequence = 1, .joined = true);
    s_link (0, 1, 1, false);
    s_link (0, 3, 1, true);
    s_time (2000);
    MESSAGE (2, SUBSCRIBE, .owner = 1, .sequence = 1, .target = TARGET_PROCESS | 3,
             .joined = true);
    s_link (2, 1, 0, false);
    MESSAGE (2, FENCE, .sequence = 5, .joined = true);
    s_link (2, 2, 0, false);
    s_time (2000);
    s_link (2, 0, 1, false);
    plain ("worker\0line", 11);
    MESSAGE (0, LOG, .flags = 1);
    list (1);
    text ("hash");
    MESSAGE (0, FETCH, .number = 100);
    up (ROLE_WORKER, "another");
    MESSAGE (0, PEER_UP, .owner = 5);
    plain ("killed", 6);
    MESSAGE (0, PEER_DOWN, .owner = 5);
    s_act (0, 0);
    MESSAGE (0, LEAVE, .parts = 0);
    s_act (32, 1);
    s_save ("peer", "far_driver");

    s_u8 (8);
    s_act (0, 0);
    s_act (3, 0);
    s_act (ON_FUTURE | 5, 0);
    s_act (32, 0);
    s_act (0, 0);
    s_act (ON_FUTURE | 2, 0);
    s_act (32, 1);
    s_save ("peer", "far_silent");

    s_u8 (9);
    list (1);
    integer (1);
    MESSAGE (0, TASK, .owner = 3, .sequence = 1, .number = 1, .target = s_lease (1),
             .joined = true);
    s_link (0, 1, 1, false);
    s_spawn (3, 2, "thing");
    list (1);
    integer (5);
    MESSAGE (2, CALL, .owner = 3, .sequence = 3, .target = 1, .joined = true);
    s_link (2, 1, 0, false);
    MESSAGE (2, CALL, .owner = 3, .sequence = 4, .target = 1, .joined = true);
    s_link (2, 3, 0, false);
    s_time (1500);
    s_link (2, 2, 1, true);
    MESSAGE (0, END, .flags = RECORD_KILL, .owner = 3, .sequence = 2);
    MESSAGE (0, STOP, .parts = 0);
    s_save ("peer", "far_worker");

    s_u8 (11);
    plain ("a node of this name is there already", 36);
    MESSAGE (0, REFUSED, .number = 2, .joined = true);
    s_link (0, 1, 1, false);
    s_save ("peer", "far_refused");
}

/*  --- channels ---------------------------------------------------------  */

/*  What happens, to which side, with what.                                 */
static void
s_event (unsigned what, unsigned side, unsigned argument)
{
    s_u8 (what << 1 | side);
    s_u8 (argument);
}

enum { SEND, ARRIVE, LOSE, REPEAT, CUT, WAIT, MUTE, DECEIVE };

static void
s_channels (void)
{
    for (unsigned count = 0; count < 4; count++) {
        s_event (SEND, count & 1, count);
        s_event (ARRIVE, !(count & 1), 0);
    }
    s_event (WAIT, 0, 6);
    s_event (DECEIVE, 0, 0);
    s_save ("channel", "orderly");

    for (unsigned count = 0; count < 5; count++)
        s_event (SEND, 0, 255);
    s_event (LOSE, 1, 1);
    s_event (REPEAT, 1, 0);
    for (unsigned count = 5; count; count--)
        s_event (ARRIVE, 1, count);
    s_event (WAIT, 0, 1);
    s_event (ARRIVE, 0, 0);
    s_event (ARRIVE, 1, 3);
    s_save ("channel", "disorder");

    s_event (SEND, 0, 1);
    s_event (SEND, 1, 1);
    s_event (CUT, 0, 0);
    s_event (MUTE, 0, 1);
    for (unsigned count = 0; count < 4; count++) {
        s_event (SEND, count & 1, 8);
        s_event (WAIT, 0, 200);
    }
    s_event (MUTE, 0, 0);
    s_event (WAIT, 0, 200);
    s_save ("channel", "cut");
}

int
main (int argc, char *argv [])
{
    if (argc != 2) {
        fprintf (stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    s_folder = argv [1];
    s_frames ();
    s_head_tasks ();
    s_head_arguments ();
    s_head_actors ();
    s_head_processes ();
    s_head_inquiry ();
    s_head_programs ();
    s_head_workers ();
    s_head_groups ();
    s_head_inquiries ();
    s_head_classes ();
    s_worker_actors ();
    s_worker_limits ();
    s_worker_tasks ();
    s_driver_tasks ();
    s_driver_actors ();
    s_inquiries ();
    s_peer_processes ();
    s_peer_odd ();
    s_peer_far ();
    s_channels ();
    bytes_release (&s_out);
    bytes_release (&s_body);
    return s_failed;
}
