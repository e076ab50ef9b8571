/*  hosts_stress.c - threads of a driver that have objects made, handed on, read and
    dropped on several nodes at once, by tasks and by actors that end meanwhile

    Usage: hosts_stress SECONDS THREADS SEED KILLS NODE...

    Each value that comes must be right. A call may fail if its actor was ended or
    it was cancelled, and for no other reason, unless KILLS is 1: then somebody
    kills workers.                                                          */

#include "tests/hosts_values.h"

#include "tests/chance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HELD = 12, ACTORS = 3, THREADS_MAX = 16, COUNT = 9000 };

typedef struct {
    int unused;
} carrier_t;
TROUPE_ACTOR (carrier, carrier_t,
              .methods = { TROUPE_METHOD (make), TROUPE_METHOD (digest),
                           TROUPE_METHOD (hand_on), TROUPE_METHOD (pass_back) });

/*  A future, what is to come from it, and whether it may fail.             */
typedef struct {
    troupe_future_t *future;
    int64_t seed;
    bool summed;                /*  the sum comes, not the numbers          */
    bool may_fail;
    int actor;                  /*  that it comes from, or -1               */
} held_t;

typedef struct {
    troupe_t *troupe;
    char **nodes;
    size_t node_count;
    bool kills;
    uint64_t random;
    time_t until;
    held_t held [HELD];
    troupe_actor_t *actors [ACTORS];
    pthread_t thread;
    unsigned long right, failed, wrong;
} stress_t;

static atomic_bool s_stop;

static const char *
s_node (stress_t *self)
{
    return self->nodes [chance_below (&self->random, self->node_count)];
}

static void
s_wrong (stress_t *self, const char *what)
{
    fprintf (stderr, "%s: %s\n", what, troupe_error ());
    self->wrong++;
    atomic_store (&s_stop, true);
}

/*  --- what comes -------------------------------------------------------  */

static bool
s_is_right (const held_t *held, const int64_t *numbers)
{
    troupe_int64s_t found;
    uint64_t sum;
    if (held->summed)
        return troupe_get (held->future, &sum) == 0 && sum == s_sum (numbers, COUNT);
    return troupe_get (held->future, &found) == 0 && found.count == COUNT
           && memcmp (found.items, numbers, COUNT * sizeof *numbers) == 0;
}

static void
s_check (stress_t *self, held_t *held)
{
    int64_t numbers [COUNT];
    s_fill (numbers, COUNT, held->seed);
    if (troupe_wait (&held->future, 1, 1, PATIENCE_MS, NULL) != 1)
        s_wrong (self, "an answer is missing");
    else if (s_is_right (held, numbers))
        self->right++;
    else if ((held->may_fail || self->kills) && troupe_future_error (held->future))
        self->failed++;
    else
        s_wrong (self, "wrong");
}

/*  --- what is done -----------------------------------------------------  */

static void
s_drop (held_t *held)
{
    troupe_future_destroy (&held->future);
    *held = (held_t){ .actor = -1 };
}

static void
s_make (stress_t *self, held_t *held)
{
    int64_t numbers [COUNT];
    int actor = (int) chance_below (&self->random, ACTORS);
    uint64_t way = chance_below (&self->random, 3);
    s_drop (held);
    held->seed = (int64_t) chance_below (&self->random, 1000000);
    held->actor = way == 2 ? actor : -1;
    s_fill (numbers, COUNT, held->seed);
    held->future
        = way == 0   ? troupe_put (self->troupe, troupe_int64s (numbers, COUNT))
          : way == 1 ? troupe_remote (self->troupe, make, COUNT, held->seed,
                                      TROUPE_WITH (.node = s_node (self)))
                     : troupe_call (self->actors [actor], make, COUNT, held->seed);
}

/*  The answer takes the place of what it was made of, which nobody else holds. */
static void
s_hand_on (stress_t *self, held_t *held)
{
    int actor = (int) chance_below (&self->random, ACTORS);
    uint64_t way = chance_below (&self->random, 4);
    troupe_future_t *from = held->future, *answer;
    if (way == 0)
        answer = troupe_remote (self->troupe, hand_on, troupe_handle (from),
                                TROUPE_WITH (.node = s_node (self)));
    else if (way == 1)
        answer = troupe_remote (self->troupe, pass_back, from,
                                TROUPE_WITH (.node = s_node (self)));
    else if (way == 2)
        answer = troupe_call (self->actors [actor], hand_on, troupe_handle (from));
    else
        answer = troupe_call (self->actors [actor], pass_back, from);
    /*  Its actor may be gone, though it is not known yet.                  */
    held->may_fail = held->may_fail || held->actor >= 0;
    held->actor = way >= 2 ? actor : -1;
    held->future = answer;
    troupe_future_destroy (&from);
}

static void
s_read (stress_t *self, held_t *held)
{
    troupe_future_t *from = held->future;
    held->future = troupe_remote (self->troupe, digest, from,
                                  TROUPE_WITH (.node = s_node (self)));
    held->summed = true;
    troupe_future_destroy (&from);
}

static void
s_end_actor (stress_t *self)
{
    int actor = (int) chance_below (&self->random, ACTORS);
    for (size_t index = 0; index < HELD; index++)
        if (self->held [index].actor == actor)
            self->held [index].may_fail = true;
    troupe_actor_kill (self->actors [actor]);
    troupe_actor_destroy (&self->actors [actor]);
    self->actors [actor]
        = troupe_spawn (self->troupe, carrier, TROUPE_WITH (.node = s_node (self)));
}

static void
s_step (stress_t *self)
{
    held_t *held = &self->held [chance_below (&self->random, HELD)];
    uint64_t what = chance_below (&self->random, 100);
    if (!held->future)
        s_make (self, held);
    else if (what < 40 && !held->summed)
        s_hand_on (self, held);
    else if (what < 50 && !held->summed)
        s_read (self, held);
    else if (what < 75)
        s_check (self, held);
    else if (what < 85)
        s_drop (held);
    else if (what < 88 && troupe_cancel (held->future) == 0)
        held->may_fail = true;
    else if (what < 90)
        s_end_actor (self);
    else
        s_make (self, held);
}

static void *
s_run (void *arg)
{
    stress_t *self = arg;
    for (size_t index = 0; index < HELD; index++)
        s_drop (&self->held [index]);
    for (size_t index = 0; index < ACTORS; index++)
        self->actors [index]
            = troupe_spawn (self->troupe, carrier, TROUPE_WITH (.node = s_node (self)));
    while (!atomic_load (&s_stop) && time (NULL) < self->until)
        s_step (self);
    for (size_t index = 0; index < HELD; index++) {
        if (self->held [index].future)
            s_check (self, &self->held [index]);
        s_drop (&self->held [index]);
    }
    for (size_t index = 0; index < ACTORS; index++)
        troupe_actor_destroy (&self->actors [index]);
    return NULL;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    static stress_t threads [THREADS_MAX];
    unsigned long right = 0, failed = 0, wrong = 0;
    if (!troupe || argc < 6) {
        fprintf (stderr, "%s\n", troupe ? "usage" : troupe_error ());
        return 3;
    }
    size_t count = strtoul (argv [2], NULL, 10);
    for (size_t index = 0; index < count && index < THREADS_MAX; index++) {
        threads [index] = (stress_t){ .troupe = troupe,
                                      .nodes = argv + 5,
                                      .node_count = (size_t) argc - 5,
                                      .kills = atoi (argv [4]) > 0,
                                      .random = strtoul (argv [3], NULL, 10) * 1000 + index + 1,
                                      .until = time (NULL) + atoi (argv [1]) };
        pthread_create (&threads [index].thread, NULL, s_run, &threads [index]);
    }
    for (size_t index = 0; index < count && index < THREADS_MAX; index++) {
        pthread_join (threads [index].thread, NULL);
        right += threads [index].right;
        failed += threads [index].failed;
        wrong += threads [index].wrong;
    }
    printf ("right=%lu failed=%lu wrong=%lu\n", right, failed, wrong);
    puts ("at rest");
    fflush (stdout);
    /*  What is left now is left while this program lives.                  */
    int rc = wrong || getchar () == EOF;
    if (troupe_term (&troupe)) {
        fprintf (stderr, "%s\n", troupe_error ());
        rc = 4;
    }
    return rc;
}
