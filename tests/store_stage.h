/*  store_stage.h - a store under test, and others that the test plays: what is
    asked of them, and what they say                                         */

#ifndef TROUPE_TESTS_STORE_STAGE_H
#define TROUPE_TESTS_STORE_STAGE_H

#include "store/transfer_private.h"
#include "tests/store_fixture.h"

#include <pthread.h>

enum { OWN = 70, FAKE = 71, SECOND = 72, FAKE_SIZE = TRANSFER_PIECE + 100000 };

/*  The store under test is OWN; FAKE is this thread.                       */
typedef struct {
    void *context;
    network_t network;
    store_t *store;
    store_client_t *client;
    void *answers; /*  ROUTER: where OWN asks                  */
    void *second;  /*  the same of another store, SECOND       */
    void *asks;    /*  DEALER: to OWN                          */
    route_t route; /*  of what was heard last                  */
    uint8_t data [FAKE_SIZE];
    tid_t id; /*  an object of FAKE's                     */
    pthread_t thread;
    reader_t reader;
} stage_t;

void stage_open (stage_t *self);
void stage_open_of (stage_t *self, store_options_t options);
void stage_close (stage_t *self);

/*  The next request of a type to FAKE, or to a played store; others are passed
    over.                                                                   */
transfer_message_t stage_asked (stage_t *self, transfer_type_t type);
transfer_message_t stage_asked_at (stage_t *self, void *socket, transfer_type_t type);

/*  To the one that was heard last, as FAKE or another.                     */
void stage_answer (stage_t *self, transfer_message_t message, const uint8_t *data, size_t size);
void stage_answer_at (stage_t *self, void *socket, process_t from, transfer_message_t message);
void stage_answer_piece (stage_t *self, const transfer_message_t *get, bool right);

/*  OWN asks where the object is, and is told to take it from FAKE, and from
    another.                                                                */
void stage_point_here (stage_t *self);
void stage_point_to (stage_t *self, process_t other);

/*  A thread reads FAKE's object: until it is to come from here; whether it was
    right.                                                                  */
void stage_begin_fetch (stage_t *self);
bool stage_end_fetch (stage_t *self);

/*  A notice, or a hold, and the number of the last that was noted then.    */
uint64_t stage_notify (stage_t *self, transfer_message_t message, process_t to,
                       uint64_t number);
uint64_t stage_tell_hold (stage_t *self, tid_t id, process_t holder, int32_t count,
                          uint64_t number);

#endif
