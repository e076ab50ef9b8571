/*  bench.h - what every measuring program shares: clock, order statistics,
    one JSON line a result, memory and activity of processes, children      */

#ifndef TROUPE_BENCH_H
#define TROUPE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*  Nanoseconds on CLOCK_MONOTONIC.                                         */
int64_t bench_now (void);

/*  Says what failed on stderr, as printf, and returns -1.                  */
int bench_fail (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* ------------------------------------------------------------------------
   Options                                                                  */

typedef struct {
    size_t count;               /*  -n: operations to time                  */
    size_t window;              /*  -w: operations under way at once        */
    const char *transport;      /*  -t: "ipc" or "tcp"; NULL: the better    */
} bench_options_t;

/*  Reads -n, -w and -t over the defaults that are in options. Returns 0, or
    -1 with the usage on stderr.                                            */
int bench_options_read (bench_options_t *options, int argc, char *argv []);

/* ------------------------------------------------------------------------
   Samples                                                                  */

/*  Sorts the samples, so that bench_percentile can pick from them.         */
void bench_sort (int64_t *samples, size_t count);

/*  The sample at this percentile, by nearest rank; 0 if there are none.    */
int64_t bench_percentile (const int64_t *sorted, size_t count, double percent);

/*  The median; sorts the values. 0 if there are none.                      */
double bench_median (double *values, size_t count);

/* ------------------------------------------------------------------------
   Content                                                                  */

/*  Fills count numbers with what nothing else repeats: xorshift64* (Vigna, An
    experimental exploration of Marsaglia's xorshift generators, 2016), which
    the seed determines.                                                    */
void bench_fill (uint64_t *data, size_t count, uint64_t seed);

/* ------------------------------------------------------------------------
   Results: one JSON object a line on stdout. bench_result_begin, then any
   fields, then bench_result_end.                                           */

void bench_result_begin (const char *bench, const char *side, double value, const char *unit);
void bench_result_number (const char *name, double value);
void bench_result_text (const char *name, const char *text);
void bench_result_end (void);

/*  p50 and p99 of sorted nanoseconds, in microseconds; p50 is the value.   */
void bench_result_latency (const char *bench, const char *side, const int64_t *sorted,
                           size_t count);

/* ------------------------------------------------------------------------
   Processes                                                                */

typedef struct {
    double resident;            /*  bytes: VmRSS                            */
    double proportional;        /*  bytes: Pss, pages divided by their users */
    double peak;                /*  bytes: VmHWM                            */
} bench_memory_t;

/*  The memory of one process. Returns 0 or -1.                             */
int bench_memory_read (pid_t pid, bench_memory_t *memory);

/*  Reads the memory until it has stopped changing for half a second, for at
    most ten seconds. Returns 0 or -1.                                      */
int bench_memory_settle (pid_t pid, bench_memory_t *memory);

/*  This process and all its descendants, at most size of them. Returns how
    many there are.                                                         */
size_t bench_family (pid_t *pids, size_t size);

/*  The settled resident memory of them all together, in bytes. Returns 0 or
    -1.                                                                     */
int bench_family_settle (double *resident);

/*  What the threads of this process and of its descendants have done so
    far.                                                                    */
typedef struct {
    double processor_ns;        /*  time on a processor                     */
    double sleeps;              /*  voluntary context switches              */
    double preemptions;         /*  involuntary ones                        */
} bench_activity_t;

void bench_activity_read (bench_activity_t *activity);

/*  Adds the difference from `before` until now, divided by the operations,
    to the result that is being printed.                                    */
void bench_result_activity (const bench_activity_t *before, const bench_activity_t *after,
                            size_t operations);

/*  A child process: a fork that runs a function and exits with what it
    returns. It dies with its parent.                                       */
typedef struct {
    pid_t pid;
    int pipe;                   /*  what the child writes, for the parent   */
} bench_child_t;

typedef int bench_role_t (void *argument, int to_parent);

/*  Starts a child. There must be no other thread. Returns 0 or -1.         */
int bench_child_start (bench_child_t *child, bench_role_t *role, void *argument);

/*  Starts this program again with the given arguments (NULL at the end); its
    descriptor 3 is the pipe. Returns 0 or -1.                              */
int bench_child_execute (bench_child_t *child, char *argv []);

/*  Reads a line that the child wrote, without its end, waiting for at most
    ten seconds. Returns 0 or -1.                                           */
int bench_child_read (bench_child_t *child, char *line, size_t size);

/*  Kills the child, if there is one, and waits for its end.                */
void bench_child_end (bench_child_t *child);

#endif
