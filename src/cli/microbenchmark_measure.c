/*  microbenchmark_measure.c - times runs: warm-up, rounds, percentiles      */

#include "cli/microbenchmark.h"

#include "core/clock.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/*  Runs that are timed one by one, at most.                                */
#define SAMPLES_MAX 1000000

#define NS_PER_S 1e9

typedef struct {
    measured_t *run;
    void *context;
} subject_t;

/*  Runs for so long, looking at the clock every `step` runs. Returns how many
    there were, and how long that took; or -1.                              */
static int64_t
s_repeat (const subject_t *subject, int64_t ns, int64_t step, int64_t *taken)
{
    int64_t count = 0, start = clock_now ();
    do {
        for (int64_t i = 0; i < step; i++)
            if (subject->run (subject->context))
                return -1;
        count += step;
        *taken = clock_now () - start;
    } while (*taken < ns);
    return count;
}

static void
s_summarise (measurement_t *self, size_t rounds)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < rounds; i++)
        sum += self->rounds [i];
    self->mean = sum / (double) rounds;
    for (size_t i = 0; i < rounds; i++)
        squares += (self->rounds [i] - self->mean) * (self->rounds [i] - self->mean);
    self->deviation = sqrt (squares / (double) rounds);
}

static int
s_compare (const void *left, const void *right)
{
    int64_t a = *(const int64_t *) left, b = *(const int64_t *) right;
    return (a > b) - (a < b);
}

/*  By nearest rank, in microseconds.                                       */
static double
s_percentile (const int64_t *sorted, size_t count, double percent)
{
    size_t rank = (size_t) ceil (percent / 100 * (double) count);
    return (double) sorted [rank ? rank - 1 : 0] / 1000;
}

/*  The time of each run. Apart from the rounds, which the clock would slow
    down where a run takes less than a microsecond.                         */
static int
s_sample (const subject_t *subject, int64_t ns, measurement_t *self)
{
    static int64_t samples [SAMPLES_MAX];
    int64_t start = clock_now (), before = start;
    int rc = 0;
    while (rc == 0 && self->samples < SAMPLES_MAX) {
        rc = subject->run (subject->context);
        int64_t now = clock_now ();
        samples [self->samples++] = now - before;
        before = now;
        if (now - start >= ns)
            break;
    }
    if (rc == 0) {
        qsort (samples, self->samples, sizeof *samples, s_compare);
        self->p50_us = s_percentile (samples, self->samples, 50);
        self->p99_us = s_percentile (samples, self->samples, 99);
        self->p999_us = s_percentile (samples, self->samples, 99.9);
    }
    return rc;
}

int
measure (measured_t *run, void *context, double multiplier, bool latency,
         const measure_options_t *options, measurement_t *result)
{
    subject_t subject = { run, context };
    int64_t ns = (int64_t) (options->seconds * NS_PER_S), taken;
    result->samples = 0;
    int64_t count = s_repeat (&subject, ns / 2, 1, &taken);
    if (count < 0)
        return -1;
    int64_t step = count / 10 + 1;
    for (size_t i = 0; i < options->rounds; i++) {
        count = s_repeat (&subject, ns, step, &taken);
        if (count < 0)
            return -1;
        result->rounds [i] = multiplier * (double) count * NS_PER_S / (double) taken;
    }
    s_summarise (result, options->rounds);
    return latency ? s_sample (&subject, ns, result) : 0;
}
