/*  memory.c - the resident memory of an idle driver with its head and node,
    and of an idle worker                                                   */

#include "driver.h"

#include <unistd.h>

#define FAMILY_MAX 16

static int
whoami (troupe_call_t *call)
{
    return troupe_return (call, getpid ());
}
TROUPE_TASK (whoami);

/*  The memory of all processes of this program but the worker.             */
static int
s_head_memory (pid_t worker, bench_memory_t *head)
{
    pid_t pids [FAMILY_MAX];
    size_t count = bench_family (pids, FAMILY_MAX);
    *head = (bench_memory_t){ 0, 0, 0 };
    for (size_t i = 0; i < count; i++) {
        bench_memory_t one;
        if (pids [i] == worker)
            continue;
        if (bench_memory_settle (pids [i], &one))
            return -1;
        head->resident += one.resident;
        head->proportional += one.proportional;
    }
    return 0;
}

static void
s_print (const char *bench, const bench_memory_t *memory)
{
    bench_result_begin (bench, "troupe", memory->resident / 1e6, "MB");
    bench_result_number ("pss", memory->proportional / 1e6);
    bench_result_end ();
}

static int
s_measure (troupe_t *troupe)
{
    int pid = 0;
    bench_memory_t head, worker;
    troupe_future_t *future = troupe_remote (troupe, whoami);
    int failed = !future || troupe_get (future, &pid);
    if (failed)
        driver_fail (future);
    if (future)
        troupe_future_destroy (&future);
    if (failed || s_head_memory (pid, &head) || bench_memory_settle (pid, &worker))
        return -1;
    s_print ("memory_head", &head);
    s_print ("memory_worker", &worker);
    return 0;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = driver_init (&argc, &argv);
    if (!troupe)
        return 2;
    int failed = s_measure (troupe);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
