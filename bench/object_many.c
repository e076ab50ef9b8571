/*  object_many.c - many futures at once: a get of each of 10,000, a task
    with 10,000 as arguments, a task that returns 3,000 values, 1,000 waits
    on 1,000 tasks; each also at a tenth, which shows how the time grows     */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 10000

static int
one (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    return troupe_return (call, number);
}
TROUPE_TASK (one);

static int
total (troupe_call_t *call)
{
    troupe_view_t list, inside, item;
    int64_t sum = 0, number = 0;
    if (troupe_args (call, &list))
        return -1;
    if (troupe_view_enter (list, &inside))
        return troupe_fail (call, "%s", troupe_error ());
    for (; troupe_view_next (&inside, &item) == 1; sum += number)
        if (troupe_read (item, &number))
            return troupe_fail (call, "%s", troupe_error ());
    return troupe_return (call, sum);
}
TROUPE_TASK (total);

/*  Returns so many numbers.                                                */
static int
several (troupe_call_t *call)
{
    size_t count;
    if (troupe_args (call, &count))
        return -1;
    troupe_packer_t *packer = troupe_packer_new ();
    int rc = !packer || troupe_pack_list (packer, count);
    for (size_t index = 0; rc == 0 && index < count; index++)
        rc = troupe_pack (packer, index);
    rc = rc ? troupe_fail (call, "no memory") : troupe_return (call, troupe_packed (packer));
    troupe_packer_destroy (&packer);
    return rc;
}
TROUPE_TASK (several);

static int
s_submit (troupe_t *troupe, troupe_future_t **futures, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        futures [index] = troupe_remote (troupe, one, (int64_t) index);
        if (!futures [index])
            return driver_fail (NULL);
    }
    return 0;
}

static void
s_drop (troupe_future_t **futures, size_t count)
{
    for (size_t index = 0; index < count; index++)
        if (futures [index])
            troupe_future_destroy (&futures [index]);
}

static int
s_gets (troupe_t *troupe, troupe_future_t **futures, size_t count)
{
    int64_t sum = 0, number = 0;
    if (s_submit (troupe, futures, count))
        return -1;
    for (size_t index = 0; index < count; index++, sum += number)
        if (troupe_get (futures [index], &number))
            return driver_fail (futures [index]);
    size_t wanted = count * (count - 1) / 2;
    return sum == (int64_t) wanted ? 0 : bench_fail ("the sum is wrong");
}

static int
s_arguments (troupe_t *troupe, troupe_future_t **futures, size_t count)
{
    int64_t sum = 0;
    if (s_submit (troupe, futures, count))
        return -1;
    troupe_future_t *answer = troupe_remote (troupe, total, troupe_futures (futures, count));
    int rc = answer && troupe_get (answer, &sum) == 0 ? 0 : driver_fail (answer);
    if (answer)
        troupe_future_destroy (&answer);
    size_t wanted = count * (count - 1) / 2;
    return rc || sum == (int64_t) wanted ? rc : bench_fail ("the sum is wrong");
}

static int
s_returns (troupe_t *troupe, troupe_future_t **futures, size_t count)
{
    troupe_view_t list, inside, item;
    size_t found = 0;
    futures [0] = troupe_remote (troupe, several, count);
    if (!futures [0] || troupe_get (futures [0], &list) || troupe_view_enter (list, &inside))
        return driver_fail (futures [0]);
    for (size_t number; troupe_view_next (&inside, &item) == 1; found++)
        if (troupe_read (item, &number) || number != found)
            return bench_fail ("value %zu is wrong", found);
    return found == count ? 0 : bench_fail ("%zu values of %zu", found, count);
}

/*  Waits for one, takes it out, and so on.                                 */
static int
s_waits (troupe_t *troupe, troupe_future_t **futures, size_t count)
{
    size_t *ready = calloc (count, sizeof *ready);
    int rc = ready ? s_submit (troupe, futures, count) : -1;
    for (size_t left = count; rc == 0 && left; left--) {
        if (troupe_wait (futures, left, 1, -1, ready) < 1)
            rc = bench_fail ("%s", troupe_error ());
        else {
            troupe_future_destroy (&futures [ready [0]]);
            futures [ready [0]] = futures [left - 1];
            futures [left - 1] = NULL;
        }
    }
    free (ready);
    return rc;
}

typedef int many_t (troupe_t *troupe, troupe_future_t **futures, size_t count);

static int
s_measure (troupe_t *troupe, const char *name, many_t *many, size_t count)
{
    static troupe_future_t *futures [MOST];
    double microseconds [2];
    for (int full = 0; full < 2; full++) {
        size_t now = full ? count : count / 10;
        memset (futures, 0, sizeof futures);
        int64_t begin = bench_now ();
        int rc = many (troupe, futures, now);
        microseconds [full] = (double) (bench_now () - begin) / 1e3 / (double) now;
        s_drop (futures, now);
        if (rc)
            return -1;
    }
    bench_result_begin (name, "troupe", microseconds [1], "us");
    bench_result_number ("at_a_tenth_us", microseconds [0]);
    bench_result_number ("count", (double) count);
    bench_result_end ();
    return 0;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = driver_init (&argc, &argv);
    if (!troupe)
        return 2;
    int failed = s_measure (troupe, "warm_up", s_gets, MOST)
                 || s_measure (troupe, "many_gets", s_gets, MOST)
                 || s_measure (troupe, "many_arguments", s_arguments, MOST)
                 || s_measure (troupe, "many_returns", s_returns, 3000)
                 || s_measure (troupe, "many_waits", s_waits, 1000);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
