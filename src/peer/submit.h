/*  submit.h - writing calls: arguments, the futures among them, options    */

#ifndef TROUPE_PEER_SUBMIT_H
#define TROUPE_PEER_SUBMIT_H

#include "peer/actor.h"

/*  A call while it is written.                                             */
typedef struct {
    const char *what;               /*  task or class, for messages         */
    const char *method;             /*  or NULL                             */
    troupe_t *peer;
    troupe_future_t *future;        /*  the call's own                      */
    troupe_options_t options;
    troupe_future_t **needed;       /*  futures whose values it takes       */
    size_t needed_count;
    size_t needed_capacity;
    troupe_future_t *few [8];
    fault_t fault;
} submission_t;

/*  Begins, with what and method set: makes the future, reads the options,
    checks limits. NULL future: no memory. After a fault the future has
    failed, and -1 is returned.                                             */
int submission_begin (submission_t *self, troupe_t *peer, process_t producer,
                      const troupe_arg_t *args, size_t count);

/*  Writes the record, with the arguments as its body after the prefix, into
    the frame. Values that are here are attached; with `defer`, those still
    to come are not mentioned. Returns 0 or -1 with the future failed.      */
int submission_write (submission_t *self, bytes_t *frame, record_t *record,
                      const bytes_t *prefix, const troupe_arg_t *args, size_t count,
                      bool defer);

/*  Has the values still to come sent to the process.                       */
void submission_subscribe (submission_t *self, process_t target);

/*  Sets the deadline of the record from the options and from the call that
    this thread runs, and the future's own time limit.                      */
void submission_deadline (submission_t *self, record_t *record);

void submission_end (submission_t *self);

#endif
