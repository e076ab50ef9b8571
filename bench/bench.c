/*  bench.c - what every measuring program shares                           */

#include "bench.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAMILY_MAX 256
#define CHILD_DESCRIPTOR 3

int64_t
bench_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

int
bench_fail (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    fputs ("bench: ", stderr);
    vfprintf (stderr, format, arguments);
    fputc ('\n', stderr);
    va_end (arguments);
    return -1;
}

/* ------------------------------------------------------------------------
   Options                                                                  */

static int
s_read_size (const char *text, size_t *size)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull (text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number == 0)
        return bench_fail ("\"%s\" is not a number above 0", text);
    *size = (size_t) number;
    return 0;
}

static int
s_read_option (bench_options_t *options, int option)
{
    switch (option) {
    case 'n':
        return s_read_size (optarg, &options->count);
    case 'w':
        return s_read_size (optarg, &options->window);
    case 't':
        if (strcmp (optarg, "ipc") && strcmp (optarg, "tcp"))
            return bench_fail ("\"%s\" is neither ipc nor tcp", optarg);
        options->transport = optarg;
        return 0;
    default:
        return bench_fail ("usage: [-n count] [-w window] [-t ipc|tcp]");
    }
}

int
bench_options_read (bench_options_t *options, int argc, char *argv [])
{
    int option;
    while ((option = getopt (argc, argv, "n:w:t:")) != -1)
        if (s_read_option (options, option))
            return -1;
    if (optind < argc)
        return bench_fail ("unexpected argument \"%s\"", argv [optind]);
    return 0;
}

/* ------------------------------------------------------------------------
   Samples                                                                  */

static int
s_compare_samples (const void *left, const void *right)
{
    int64_t a = *(const int64_t *) left;
    int64_t b = *(const int64_t *) right;
    return (a > b) - (a < b);
}

static int
s_compare_values (const void *left, const void *right)
{
    double a = *(const double *) left;
    double b = *(const double *) right;
    return (a > b) - (a < b);
}

void
bench_sort (int64_t *samples, size_t count)
{
    qsort (samples, count, sizeof *samples, s_compare_samples);
}

int64_t
bench_percentile (const int64_t *sorted, size_t count, double percent)
{
    if (count == 0)
        return 0;
    double exact = percent / 100.0 * (double) count;
    size_t rank = (size_t) exact;
    if ((double) rank < exact)
        rank++;
    if (rank < 1)
        rank = 1;
    if (rank > count)
        rank = count;
    return sorted [rank - 1];
}

double
bench_median (double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort (values, count, sizeof *values, s_compare_values);
    if (count % 2)
        return values [count / 2];
    return (values [count / 2 - 1] + values [count / 2]) / 2;
}

/* ------------------------------------------------------------------------
   Content                                                                  */

void
bench_fill (uint64_t *data, size_t count, uint64_t seed)
{
    uint64_t state = seed + 1;
    for (size_t index = 0; index < count; index++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        data [index] = state * UINT64_C (2685821657736338717);
    }
}

/* ------------------------------------------------------------------------
   Results                                                                  */

static void
s_print_text (const char *text)
{
    putchar ('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char) *text;
        if (byte == '"' || byte == '\\')
            printf ("\\%c", byte);
        else if (byte < 0x20)
            printf ("\\u%04x", byte);
        else
            putchar (byte);
    }
    putchar ('"');
}

void
bench_result_begin (const char *bench, const char *side, double value, const char *unit)
{
    printf ("{\"bench\":\"%s\",\"side\":\"%s\"", bench, side);
    bench_result_number ("value", value);
    bench_result_text ("unit", unit);
}

void
bench_result_number (const char *name, double value)
{
    printf (",\"%s\":%.*f", name, value < 100 ? 3 : value < 10000 ? 1 : 0, value);
}

void
bench_result_text (const char *name, const char *text)
{
    printf (",\"%s\":", name);
    s_print_text (text);
}

void
bench_result_end (void)
{
    puts ("}");
    fflush (stdout);
}

void
bench_result_latency (const char *bench, const char *side, const int64_t *sorted, size_t count)
{
    double p50 = (double) bench_percentile (sorted, count, 50) / 1000;
    double p99 = (double) bench_percentile (sorted, count, 99) / 1000;
    bench_result_begin (bench, side, p50, "us");
    bench_result_number ("p50", p50);
    bench_result_number ("p99", p99);
}

/* ------------------------------------------------------------------------
   Memory                                                                   */

/*  Adds the numbers after each "name:" of a /proc file to *sum. Returns how
    many there were.                                                        */
static int
s_proc_sum (const char *path, const char *name, double *sum)
{
    FILE *file = fopen (path, "re");
    if (!file)
        return 0;
    char line [512];
    int found = 0;
    size_t length = strlen (name);
    while (fgets (line, sizeof line, file)) {
        if (strncmp (line, name, length) || line [length] != ':')
            continue;
        *sum += strtod (line + length + 1, NULL);
        found++;
    }
    fclose (file);
    return found;
}

int
bench_memory_read (pid_t pid, bench_memory_t *memory)
{
    char path [64];
    double resident = 0, peak = 0, proportional = 0;
    snprintf (path, sizeof path, "/proc/%ld/status", (long) pid);
    if (!s_proc_sum (path, "VmRSS", &resident) || !s_proc_sum (path, "VmHWM", &peak))
        return bench_fail ("no memory figures of process %ld", (long) pid);
    snprintf (path, sizeof path, "/proc/%ld/smaps_rollup", (long) pid);
    s_proc_sum (path, "Pss", &proportional);
    memory->resident = resident * 1024;
    memory->peak = peak * 1024;
    memory->proportional = proportional * 1024;
    return 0;
}

int
bench_memory_settle (pid_t pid, bench_memory_t *memory)
{
    const struct timespec pause = { 0, 50000000 };
    double last = -1;
    int unchanged = 0;
    for (int turn = 0; turn < 200 && unchanged < 10; turn++) {
        if (bench_memory_read (pid, memory))
            return -1;
        unchanged = memory->resident == last ? unchanged + 1 : 0;
        last = memory->resident;
        nanosleep (&pause, NULL);
    }
    return 0;
}

/* ------------------------------------------------------------------------
   Activity                                                                 */

/*  The parent of a process, or 0.                                          */
static pid_t
s_parent (const char *pid)
{
    char path [300];
    double parent = 0;
    snprintf (path, sizeof path, "/proc/%s/status", pid);
    s_proc_sum (path, "PPid", &parent);
    return (pid_t) parent;
}

/*  Adds the children of the members from position `from` on. Returns the
    new number of members.                                                  */
static size_t
s_family_extend (pid_t *pids, size_t from, size_t count, size_t size)
{
    DIR *folder = opendir ("/proc");
    if (!folder)
        return count;
    size_t end = count;
    struct dirent *entry;
    while ((entry = readdir (folder))) {
        if (!isdigit ((unsigned char) entry->d_name [0]))
            continue;
        pid_t parent = s_parent (entry->d_name);
        for (size_t i = from; i < end && count < size; i++)
            if (pids [i] == parent)
                pids [count++] = (pid_t) strtol (entry->d_name, NULL, 10);
    }
    closedir (folder);
    return count;
}

size_t
bench_family (pid_t *pids, size_t size)
{
    size_t from = 0, count = 0;
    if (size > 0)
        pids [count++] = getpid ();
    while (from < count) {
        size_t end = count;
        count = s_family_extend (pids, from, count, size);
        from = end;
    }
    return count;
}

int
bench_family_settle (double *resident)
{
    pid_t pids [FAMILY_MAX];
    size_t count = bench_family (pids, FAMILY_MAX);
    *resident = 0;
    for (size_t i = 0; i < count; i++) {
        bench_memory_t memory;
        if (bench_memory_settle (pids [i], &memory))
            return -1;
        *resident += memory.resident;
    }
    return 0;
}

static void
s_activity_add_thread (bench_activity_t *activity, const char *folder, const char *thread)
{
    char path [400];
    snprintf (path, sizeof path, "%s/%s/status", folder, thread);
    s_proc_sum (path, "voluntary_ctxt_switches", &activity->sleeps);
    s_proc_sum (path, "nonvoluntary_ctxt_switches", &activity->preemptions);
    snprintf (path, sizeof path, "%s/%s/schedstat", folder, thread);
    FILE *file = fopen (path, "re");
    if (!file)
        return;
    double processor_ns;
    if (fscanf (file, "%lf", &processor_ns) == 1)
        activity->processor_ns += processor_ns;
    fclose (file);
}

static void
s_activity_add (bench_activity_t *activity, pid_t pid)
{
    char path [64];
    snprintf (path, sizeof path, "/proc/%ld/task", (long) pid);
    DIR *folder = opendir (path);
    if (!folder)
        return;
    struct dirent *entry;
    while ((entry = readdir (folder)))
        if (isdigit ((unsigned char) entry->d_name [0]))
            s_activity_add_thread (activity, path, entry->d_name);
    closedir (folder);
}

void
bench_activity_read (bench_activity_t *activity)
{
    pid_t pids [FAMILY_MAX];
    size_t count = bench_family (pids, FAMILY_MAX);
    memset (activity, 0, sizeof *activity);
    for (size_t i = 0; i < count; i++)
        s_activity_add (activity, pids [i]);
}

void
bench_result_activity (const bench_activity_t *before, const bench_activity_t *after,
                       size_t operations)
{
    double count = (double) operations;
    bench_result_number ("cpu_us", (after->processor_ns - before->processor_ns) / count / 1000);
    bench_result_number ("sleeps", (after->sleeps - before->sleeps) / count);
    bench_result_number ("preemptions", (after->preemptions - before->preemptions) / count);
}

/* ------------------------------------------------------------------------
   Children                                                                 */

/*  In the child: nothing of the parent's but the pipe, and an end when the
    parent ends.                                                            */
static void
s_child_prepare (pid_t parent)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != parent)
        _exit (1);
}

static pid_t
s_child_fork (bench_child_t *child, int *to_parent)
{
    int ends [2];
    child->pid = 0;
    child->pipe = -1;
    if (pipe2 (ends, O_CLOEXEC))
        return bench_fail ("no pipe: %s", strerror (errno));
    fflush (NULL);
    pid_t parent = getpid ();
    pid_t pid = fork ();
    if (pid == 0) {
        close (ends [0]);
        s_child_prepare (parent);
        *to_parent = ends [1];
        return 0;
    }
    close (ends [1]);
    if (pid < 0) {
        close (ends [0]);
        return bench_fail ("no process: %s", strerror (errno));
    }
    child->pid = pid;
    child->pipe = ends [0];
    return pid;
}

int
bench_child_start (bench_child_t *child, bench_role_t *role, void *argument)
{
    int to_parent = -1;
    pid_t pid = s_child_fork (child, &to_parent);
    if (pid == 0)
        _exit (role (argument, to_parent) ? 1 : 0);
    return pid < 0 ? -1 : 0;
}

int
bench_child_execute (bench_child_t *child, char *argv [])
{
    int to_parent = -1;
    pid_t pid = s_child_fork (child, &to_parent);
    if (pid == 0) {
        /*  The copy has no close-on-exec flag, unless it is no copy.       */
        if (to_parent == CHILD_DESCRIPTOR)
            fcntl (to_parent, F_SETFD, 0);
        else if (dup2 (to_parent, CHILD_DESCRIPTOR) < 0)
            _exit (1);
        execv ("/proc/self/exe", argv);
        _exit (1);
    }
    return pid < 0 ? -1 : 0;
}

int
bench_child_read (bench_child_t *child, char *line, size_t size)
{
    size_t length = 0;
    struct pollfd item = { child->pipe, POLLIN, 0 };
    while (length + 1 < size) {
        if (poll (&item, 1, 10000) != 1)
            return bench_fail ("process %ld says nothing", (long) child->pid);
        if (read (child->pipe, line + length, 1) != 1)
            return bench_fail ("process %ld ended early", (long) child->pid);
        if (line [length] == '\n')
            break;
        length++;
    }
    line [length] = 0;
    return 0;
}

void
bench_child_end (bench_child_t *child)
{
    if (child->pid > 0) {
        kill (child->pid, SIGKILL);
        while (waitpid (child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        close (child->pipe);
    }
    child->pid = 0;
    child->pipe = -1;
}
