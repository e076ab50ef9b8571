/*  output.h - what workers print: split into lines, logged and passed on

    The node makes a pipe for stdout and one for stderr of each worker. Used
    by one thread, which polls output_fd and calls output_read.             */

#ifndef TROUPE_NODE_OUTPUT_H
#define TROUPE_NODE_OUTPUT_H

#include "core/error.h"

/*  A longer line is cut into pieces of this size.                          */
#define OUTPUT_LINE_MAX 8192

typedef enum {
    OUTPUT_STDOUT,
    OUTPUT_STDERR,
    OUTPUT_NOTE                 /*  about the output: what was left out     */
} output_stream_t;

/*  A line, without its end; any bytes, NUL too. It must not call back into
    the output. printable_write makes it fit to be shown.                   */
typedef void output_line_fn (void *arg, uint64_t worker, output_stream_t stream,
                             const char *text, size_t length);

typedef struct {
    const char *folder;         /*  of the logs, for this node alone; NULL:
                                    none are kept                           */
    uint64_t log_size_max;      /*  a log that would grow longer becomes
                                    NAME.log.1; 0: 16 MiB                   */
    unsigned logs_max;          /*  files kept of ended workers; 0: 200     */
    unsigned lines_per_second;  /*  passed on for each worker; 0: 1,000     */
    output_line_fn *line;       /*  NULL: lines are only logged             */
    void *arg;
} output_options_t;

typedef struct {
    uint64_t lines;             /*  read                                    */
    uint64_t left_out;          /*  of these not passed on: too many        */
    uint64_t not_logged;        /*  of these not in the log: no room...     */
} output_counts_t;

typedef struct output output_t;

/*  The options are copied, and the folder is opened. NULL with the fault set. */
output_t *output_new (const output_options_t *options, fault_t *fault);

/*  Closes all pipes and logs; what was not read is lost.                   */
void output_destroy (output_t **self_p);

/*  Readable when there is something to do: one descriptor for all workers. */
int output_fd (const output_t *self);

/*  Reads what there is, a bounded part of it, and never waits.             */
void output_read (output_t *self);

/*  Says at once what was left out, which it otherwise does after a second.  */
void output_settle (output_t *self);

/*  Adds a worker. Its log is FOLDER/NAME.log; the name must be fit for a
    file. fds get the ends to write into, for process_start; the caller
    closes them. Returns 0, or -1 with the fault set. A log that cannot be
    opened is no failure: it is noted and tried again.                      */
int output_add (output_t *self, uint64_t worker, const char *name, int fds [2], fault_t *fault);

/*  A worker has ended: reads the rest and lets it go.                      */
void output_remove (output_t *self, uint64_t worker);

void output_counts (const output_t *self, output_counts_t *counts);

#endif
