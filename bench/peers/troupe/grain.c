/*  grain.c - tasks that get finer                                           */

#include "bench/peers/troupe/side.h"
#include "bench/peers/work.h"

static int
work (troupe_call_t *call)
{
    uint64_t turns;
    if (troupe_args (call, &turns))
        return -1;
    work_turn (turns);
    return troupe_return (call);
}
TROUPE_TASK (work);

typedef struct {
    troupe_t *troupe;
    uint64_t turns;
    size_t count;
} grain_t;

static troupe_future_t *
s_submit (void *context)
{
    const grain_t *self = context;
    return troupe_remote (self->troupe, work, self->turns);
}

static int
s_tasks (void *context)
{
    const grain_t *self = context;
    return driver_pipeline (s_submit, context, self->count, self->count);
}

int
side_grain (troupe_t *troupe)
{
    static const work_grain_t grains [] = WORK_GRAINS;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        grain_t self = { troupe, work_turns (grains [i].work_us), grains [i].count };
        if (say_rate (grains [i].row, s_tasks, &self, self.count, 3, NULL))
            return -1;
    }
    return 0;
}
