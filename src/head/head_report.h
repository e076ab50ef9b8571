/*  head_report.h - what the head knows, for lists and status: plain structs,
    filled one by one; strings and arrays live until the next event          */

#ifndef TROUPE_HEAD_REPORT_H
#define TROUPE_HEAD_REPORT_H

#include "head/head_state.h"

/*  Each function starts with *cursor 0, fills *report and returns true, or
    false at the end. Nothing may happen to the state in between.           */

typedef struct {
    const char *name;           /*  of the resource                         */
    int64_t total;              /*  in ten-thousandths                      */
    int64_t used;
} head_resource_report_t;

#define REPORT_RESOURCES_MAX 64

typedef struct {
    process_t process;          /*  0: the embedded cluster's               */
    const char *name;
    const char *state;          /*  "alive", "suspect", "draining"          */
    int64_t heard;              /*  when                                    */
    size_t workers;
    size_t starting;            /*  workers that it was asked for           */
    size_t actors;
    size_t leases;
    size_t count;
    head_resource_report_t resources [REPORT_RESOURCES_MAX];
} head_node_report_t;

bool head_next_node (head_state_t *self, size_t *cursor, head_node_report_t *report);

/*  The sums over all nodes.                                                */
size_t head_resources (head_state_t *self, head_resource_report_t *reports, size_t count);

typedef struct {
    process_t process;
    process_t node;
    const char *label;
    const char *state;          /*  "idle", "busy", "warm", "suspect",
                                    "stopping"                              */
    uint32_t program;
    uint32_t job;
    size_t leases;
    size_t blocked;
    size_t actors;
} head_worker_report_t;

bool head_next_worker (head_state_t *self, size_t *cursor, head_worker_report_t *report);

typedef struct {
    tid_t id;
    const char *class_name;
    const char *name;
    const char *space;          /*  namespace                               */
    const char *state;          /*  "waiting", "starting", "alive"          */
    process_t worker;
    process_t node;
    uint32_t job;
    uint32_t program;
    bool detached;
} head_actor_report_t;

bool head_next_actor (head_state_t *self, size_t *cursor, head_actor_report_t *report);

typedef struct {
    uint32_t number;
    const char *name;
    uint32_t program;
    int64_t service;            /*  ns; -1 if it is not known               */
    size_t ready;
} head_function_report_t;

bool head_next_function (head_state_t *self, size_t *cursor, head_function_report_t *report);

typedef struct {
    uint32_t number;
    process_t driver;           /*  0 when it has ended                     */
    const char *label;          /*  the driver's                            */
    uint32_t program;
    const char *space;
    int priority;
    unsigned share;
    int64_t since;
    size_t tasks;
    size_t bytes;
    size_t workers;
    size_t actors;
    int64_t cpus;               /*  that it uses, in ten-thousandths        */
} head_job_report_t;

bool head_next_job (head_state_t *self, size_t *cursor, head_job_report_t *report);

typedef struct {
    tid_t id;
    const char *function;
    const char *state;          /*  "waiting" for values, "ready", "running",
                                    "answered"                              */
    uint32_t job;
    uint32_t depth;
    process_t worker;           /*  or 0                                    */
    process_t node;
    unsigned retries;
} head_task_report_t;

/*  There may be millions.                                                  */
bool head_next_task (head_state_t *self, size_t *cursor, head_task_report_t *report);

/*  One task; by its id, or by what the id is written as: the lower half of its
    owner's name, and a count. False if it is not here.                     */
bool head_task (head_state_t *self, tid_t id, head_task_report_t *report);
bool head_task_numbered (head_state_t *self, uint32_t owner, uint64_t sequence,
                         head_task_report_t *report);

#endif
