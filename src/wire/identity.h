/*  identity.h - what a process says of itself when it joins, and what the
    head passes on to the others                                            */

#ifndef TROUPE_WIRE_IDENTITY_H
#define TROUPE_WIRE_IDENTITY_H

#include "core/bytes.h"
#include "core/id.h"
#include "wire/network.h"

/*  What a connection must show first, besides its key: see HELLO.          */
#define COOKIE_SIZE 16

#define IDENTITY_FIELDS 16

/*  Lines that the environment of a job may have.                           */
#define JOB_VARIABLES_MAX 58

typedef struct {
    uint8_t role;
    char endpoint [128];        /*  for processes on the same machine       */
    char remote [HOST_MAX + 32];    /*  for others; "" if there is none     */
    char store [HOST_MAX + 32];     /*  of its object store, for others     */
    char machine [MACHINE_TEXT_SIZE];
    char label [192];           /*  in messages: "worker 2 (pid 4711)"      */
    char name [64];             /*  of a node; the namespace of a driver    */
    char resources [512];       /*  of a node: "cpus=4 memory=8e9"; of a
                                    driver: "priority=1 share=2"            */
    char folder [256];          /*  of a driver: where its workers work,    */
    char environment [1024];    /*  and what they find: "A=1\nB=2"; not told
                                    to others                               */
    uint64_t pid;
    unsigned slots;             /*  executors of a worker                   */
    process_t node;             /*  that started the worker                 */
    uint32_t job;               /*  that the worker was started for         */
    bool has_key;
    bool has_program;
    uint8_t key [KEY_SIZE];
    uint8_t program [PROGRAM_HASH_SIZE];
} identity_t;

/*  Appends IDENTITY_FIELDS values. Returns 0, or -1: no memory.            */
int identity_put (bytes_t *out, const identity_t *self);

/*  Reads them, beginning at *offset of data, which value_check has passed.
    Returns 0, or -1: something has the wrong type or is too long.          */
int identity_get (identity_t *self, const uint8_t *data, size_t size, size_t *offset);

#endif
