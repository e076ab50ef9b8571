/*  microbenchmark.h - what the parts of troupe microbenchmark share: entries,
    their measuring, and the work that workers do for them                  */

#ifndef TROUPE_CLI_MICROBENCHMARK_H
#define TROUPE_CLI_MICROBENCHMARK_H

#include <troupe.h>

/*  --- measuring: microbenchmark_measure.c -------------------------------  */

#define ROUNDS_MAX 1000

typedef struct {
    size_t rounds;              /*  at most ROUNDS_MAX                      */
    double seconds;             /*  of a round, at least; half to warm up   */
} measure_options_t;

typedef struct {
    double rounds [ROUNDS_MAX]; /*  operations a second, of each round      */
    double mean;
    double deviation;           /*  standard deviation of these rounds      */
    size_t samples;             /*  operations timed one by one, or 0       */
    double p50_us;
    double p99_us;
    double p999_us;
} measurement_t;

/*  Runs once, which is `multiplier` operations. Returns 0 or -1.           */
typedef int measured_t (void *context);

/*  Warms up, then times rounds; then, if `latency`, single runs for as long
    as a round. For one thread at a time. Returns 0, or -1 if a run failed. */
int measure (measured_t *run, void *context, double multiplier, bool latency,
             const measure_options_t *options, measurement_t *result);

/*  --- entries: microbenchmark_entries.c ---------------------------------  */

#define MANY 1000                               /*  calls of a batch        */

/*  What an entry works with. Zeroed but for troupe and n between entries.  */
typedef struct {
    troupe_t *troupe;
    size_t n;                   /*  the n of the entries 1:n and n:n        */
    troupe_actor_t **servers;
    size_t server_count;
    troupe_actor_t **clients;
    size_t client_count;
    troupe_future_t *value;
    int64_t *memory;
    troupe_future_t *futures [MANY];
    size_t positions [MANY];
    const char *fault;          /*  ours; NULL: troupe_error () has it      */
} bench_t;

typedef struct {
    const char *name;
    const char *unit;
    double multiplier;          /*  operations of a run                     */
    bool times_n;               /*  ... for each of n                       */
    bool latency;
    int (*prepare) (bench_t *bench);            /*  may be NULL             */
    int (*run) (bench_t *bench);
} entry_t;

/*  All entries in their order; the last one has no name.                   */
extern const entry_t entries [];

/*  Prepares, measures and tidies up. Returns 0, or -1 with *why set to a text
    that is good until the next call. For one thread at a time.             */
int entry_measure (const entry_t *entry, bench_t *bench, const measure_options_t *options,
                   measurement_t *result, const char **why);

/*  --- what workers do: microbenchmark_work.c ----------------------------  */

/*  Makes the tasks and classes known. Once, before troupe_init, in the driver
    and in its workers, and nowhere else.                                   */
void microbenchmark_register (void);

#define LARGE_COUNT ((size_t) 100 << 20)        /*  numbers: 800 MiB        */
#define PIECE_COUNT ((size_t) 10 << 20)         /*  numbers: 80 MiB         */
#define REFERENCES 10000                        /*  of the list of futures  */
#define PUTS 100                                /*  of a task that puts     */
#define PIECES 10                               /*  of a task that puts     */
#define CONCURRENCY 16                          /*  methods at once         */

/*  Zeros that nobody has touched, in large pages where there are some, as an
    array of NumPy is: else what is measured is how the kernel maps the source
    of the copy. To be freed; NULL: no memory.                              */
int64_t *zeros_new (size_t count);

/*  Waits for all of them, and destroys them. Returns 0 or -1.              */
int futures_finish (troupe_future_t **futures, size_t count);

/*  Answers "ok", at once.                                                  */
int small_value (troupe_call_t *call);
int small_value_arg (troupe_call_t *call);
TROUPE_TASK_DECLARE (small_value);

/*  Puts: PUTS times 0; PIECES times PIECE_COUNT zeros.                     */
TROUPE_TASK_DECLARE (put_small_values);
TROUPE_TASK_DECLARE (put_large_values);

/*  Answers with a list of REFERENCES futures.                              */
TROUPE_TASK_DECLARE (make_references);

/*  Calls small_value of servers in turn: count, server, server, ...        */
TROUPE_TASK_DECLARE (call_in_turn);

/*  An actor that answers small_value, and submits tasks; the same with many
    methods at once; one that calls such as are given to its constructor.   */
int small_value_batch (troupe_call_t *call);
TROUPE_ACTOR_DECLARE (bench_server);
TROUPE_ACTOR_DECLARE (bench_concurrent);

int bench_client_batch (troupe_call_t *call);
int bench_client_batch_arg (troupe_call_t *call);
TROUPE_ACTOR_DECLARE (bench_client);

#endif
