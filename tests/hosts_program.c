/*  hosts_program.c - work for a cluster under test: checks every answer, and
    counts those that are right, wrong, failed and missing                   */

#include <troupe.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*  What has not come by then never comes.                                  */
#define PATIENCE_MS 40000

/*  --- what runs on the nodes -------------------------------------------  */

/*  What a task or method has to do: it takes its time.                     */
static void
s_work (int64_t ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    if (ms)
        nanosleep (&time, NULL);
}

/*  Waits until somebody makes the file PATH.open. -1: nobody has.          */
static int
s_pass (const char *path)
{
    char gate [512];
    snprintf (gate, sizeof gate, "%s.open", path);
    for (int waited = 0; waited < PATIENCE_MS; waited += 5) {
        if (access (gate, F_OK) == 0)
            return 0;
        s_work (5);
    }
    return -1;
}

/*  Appends a line, in one write: other processes append to the file too.   */
static int
s_note (const char *path, int64_t number)
{
    char line [32];
    int size = snprintf (line, sizeof line, "%" PRId64 "\n", number);
    int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    ssize_t written = write (fd, line, (size_t) size);
    close (fd);
    return written == size ? 0 : -1;
}

static int
work (troupe_call_t *call)
{
    const char *path;
    int64_t number, ms;
    if (troupe_args (call, &path, &number, &ms))
        return -1;
    if (*path && s_note (path, number))
        return troupe_fail (call, "cannot append to %s", path);
    if (ms < 0 && s_pass (path))
        return troupe_fail (call, "%s.open was not made", path);
    if (ms > 0)
        s_work (ms);
    return troupe_return (call, 3 * number + 1);
}
TROUPE_TASK (work);

static int
where (troupe_call_t *call)
{
    const char *path;
    int64_t number, ms;
    if (troupe_args (call, &path, &number, &ms))
        return -1;
    if (*path && (s_note (path, number) || s_pass (path)))
        return troupe_fail (call, "%s.open was not made", path);
    s_work (ms);
    const char *folder = getenv ("TROUPE_FOLDER");
    const char *name = folder ? strrchr (folder, '/') : NULL;
    return troupe_return (call, name ? name + 1 : "?");
}
TROUPE_TASK (where);

typedef struct {
    int64_t count;
} tally_t;

static int
tally_add (troupe_call_t *call)
{
    int64_t ms;
    tally_t *self = troupe_self (call);
    if (troupe_args (call, &ms))
        return -1;
    s_work (ms);
    return troupe_return (call, ++self->count);
}

static int
tally_next (troupe_call_t *call)
{
    int64_t number;
    if (troupe_args (call, &number))
        return -1;
    return troupe_return (call, number + 1);
}

/*  A step of a chain, which is counted.                                    */
static int
tally_step (troupe_call_t *call)
{
    ((tally_t *) troupe_self (call))->count++;
    return tally_next (call);
}
TROUPE_ACTOR (tally, tally_t, .methods = { TROUPE_METHOD (tally_add), TROUPE_METHOD (tally_next),
                                           TROUPE_METHOD (tally_step) });

/*  --- what is asked of them --------------------------------------------  */

static void
s_say (const char *text)
{
    puts (text);
    fflush (stdout);
}

/*  Waits for all, checks each, prints how many are what.                   */
static int
s_check (troupe_future_t **futures, const int64_t *wanted, size_t count)
{
    size_t right = 0, wrong = 0, failed = 0, missing = 0;
    troupe_wait (futures, count, count, PATIENCE_MS, NULL);
    for (size_t index = 0; index < count; index++) {
        int64_t answer;
        if (!troupe_future_done (futures [index]))
            missing++;
        else if (troupe_get (futures [index], &answer)) {
            failed++;
            fprintf (stderr, "%s\n", troupe_future_error (futures [index]));
        } else if (answer == wanted [index])
            right++;
        else
            wrong++;
        troupe_future_destroy (&futures [index]);
    }
    printf ("right=%zu wrong=%zu failed=%zu missing=%zu\n", right, wrong, failed, missing);
    return wrong || missing ? 1 : 0;
}

/*  tasks COUNT MS RETRIES PATH [NODE]...: PATH "" notes nothing; with MS -1
    each waits for PATH.open. They go to the nodes in turn, where these can.  */
static int
s_tasks (troupe_t *troupe, char *argv [])
{
    size_t count = strtoul (argv [0], NULL, 10), nodes = 0;
    while (argv [4 + nodes])
        nodes++;
    int64_t ms = atoll (argv [1]);
    troupe_future_t **futures = calloc (count, sizeof *futures);
    int64_t *wanted = calloc (count, sizeof *wanted);
    if (!futures || !wanted)
        return 1;
    for (size_t index = 0; index < count; index++) {
        wanted [index] = 3 * (int64_t) index + 1;
        futures [index] = troupe_remote (troupe, work, argv [3], (int64_t) index, ms,
                                         TROUPE_WITH (.retries = atoi (argv [2]),
                                                      .node = nodes ? argv [4 + index % nodes]
                                                                    : NULL,
                                                      .node_soft = true));
    }
    s_say ("running");
    int rc = s_check (futures, wanted, count);
    free (futures);
    free (wanted);
    return rc;
}

/*  stand COUNT PATH: a task that takes no time, then so many that wait for
    PATH.open and may be sent ahead, as the first one was short.            */
static int
s_stand (troupe_t *troupe, char *argv [])
{
    char *one [] = { "1", "0", "0", "", NULL }, *all [] = { argv [0], "-1", "0", argv [1], NULL };
    return s_tasks (troupe, one) || s_tasks (troupe, all);
}

/*  calls COUNT MS NODE...: so many to an actor on each node, whose answers
    tell that each ran once and in order.                                   */
static int
s_calls (troupe_t *troupe, char *argv [])
{
    size_t each = strtoul (argv [0], NULL, 10), nodes = 0, count = 0;
    int64_t ms = atoll (argv [1]);
    while (argv [2 + nodes])
        nodes++;
    troupe_actor_t *actors [8];
    troupe_future_t **futures = calloc (each * nodes, sizeof *futures);
    int64_t *wanted = calloc (each * nodes, sizeof *wanted);
    if (!futures || !wanted || nodes > 8)
        return 1;
    for (size_t node = 0; node < nodes; node++)
        actors [node] = troupe_spawn (troupe, tally, TROUPE_WITH (.node = argv [2 + node]));
    for (size_t index = 0; index < each; index++)
        for (size_t node = 0; node < nodes; node++) {
            wanted [count] = (int64_t) index + 1;
            futures [count++] = troupe_call (actors [node], tally_add, ms);
        }
    troupe_wait (futures, count, 1, PATIENCE_MS, NULL);
    s_say ("running");
    int rc = s_check (futures, wanted, count);
    for (size_t node = 0; node < nodes; node++)
        troupe_actor_destroy (&actors [node]);
    free (futures);
    free (wanted);
    return rc;
}

static int
s_compare (const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;
    return (a > b) - (a < b);
}

static double
s_milliseconds (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/*  Ten calls, each of which takes the last one's answer. -1: wrong.        */
static double
s_chain_once (troupe_actor_t **actors)
{
    double begin = s_milliseconds ();
    int64_t answer = 0;
    troupe_future_t *last = troupe_call (actors [0], tally_next, 0);
    for (int step = 1; step < 10; step++) {
        troupe_future_t *next = troupe_call (actors [step % 3], tally_next, last);
        troupe_future_destroy (&last);
        last = next;
    }
    int rc = troupe_get (last, &answer);
    if (rc)
        fprintf (stderr, "%s\n", troupe_future_error (last));
    troupe_future_destroy (&last);
    return rc || answer != 10 ? -1 : s_milliseconds () - begin;
}

/*  chain ROUNDS NODE NODE NODE: prints the median in milliseconds.         */
static int
s_chain (troupe_t *troupe, char *argv [])
{
    size_t rounds = strtoul (argv [0], NULL, 10);
    double *times = calloc (rounds, sizeof *times);
    troupe_actor_t *actors [3];
    int rc = times && rounds ? 0 : 1;
    for (int node = 0; node < 3; node++)
        actors [node] = troupe_spawn (troupe, tally, TROUPE_WITH (.node = argv [1 + node]));
    /*  The first one makes the connections.                                */
    rc = rc || s_chain_once (actors) < 0;
    for (size_t round = 0; rc == 0 && round < rounds; round++) {
        times [round] = s_chain_once (actors);
        rc = times [round] < 0;
    }
    if (rc == 0) {
        qsort (times, rounds, sizeof *times, s_compare);
        printf ("median=%.2f worst=%.2f\n", times [rounds / 2], times [rounds - 1]);
    }
    for (int node = 0; node < 3; node++)
        troupe_actor_destroy (&actors [node]);
    free (times);
    return rc;
}

/*  One chain of so many calls. Returns 0, 1: wrong, 2: failed, 3: no answer. */
static int
s_long_once (troupe_actor_t **actors, int64_t steps)
{
    int64_t answer = 0;
    troupe_future_t *last = troupe_call (actors [0], tally_step, 0);
    for (int64_t step = 1; step < steps; step++) {
        troupe_future_t *next = troupe_call (actors [step % 3], tally_step, last);
        troupe_future_destroy (&last);
        last = next;
    }
    int rc = troupe_wait (&last, 1, 1, PATIENCE_MS, NULL) == 1 ? 0 : 3;
    if (rc == 0 && troupe_get (last, &answer)) {
        fprintf (stderr, "%s\n", troupe_future_error (last));
        rc = 2;
    } else if (rc == 0)
        rc = answer == steps ? 0 : 1;
    troupe_future_destroy (&last);
    return rc;
}

/*  long PATH STEPS NODE NODE NODE: chains of so many calls over three actors,
    until there is a file PATH. What the actors have counted tells that each
    call ran once: too few are missing, too many wrong.                     */
static int
s_long (troupe_t *troupe, char *argv [])
{
    int64_t steps = atoll (argv [1]), count = 0, wanted = 0;
    size_t ends [4] = { 0 };
    troupe_actor_t *actors [3];
    for (int node = 0; node < 3; node++)
        actors [node] = troupe_spawn (troupe, tally, TROUPE_WITH (.node = argv [2 + node]));
    do {
        ends [s_long_once (actors, steps)]++;
        wanted += steps;
        if (wanted == steps)
            s_say ("running");
    } while (access (argv [0], F_OK) && !ends [2] && !ends [3]);
    for (int node = 0; node < 3; node++) {
        int64_t counted = 0;
        troupe_future_t *future = troupe_call (actors [node], tally_add, 0);
        if (troupe_get (future, &counted) == 0)
            count += counted - 1;
        troupe_future_destroy (&future);
        troupe_actor_destroy (&actors [node]);
    }
    printf ("chains=%zu right=%" PRId64 " wrong=%" PRId64 " failed=%zu missing=%" PRId64 "\n",
            ends [0], count, count > wanted ? count - wanted : (int64_t) ends [1], ends [2],
            count < wanted ? wanted - count : (int64_t) ends [3]);
    return ends [1] || ends [3] || count > wanted ? 1 : 0;
}

/*  hold PATH NODE...: an actor and a long task on each; stays until killed. */
static int
s_hold (troupe_t *troupe, char *argv [])
{
    troupe_actor_t *actor = NULL;
    troupe_future_t *task = NULL;
    for (int node = 1; argv [node]; node++) {
        char name [64];
        int64_t count;
        snprintf (name, sizeof name, "held-%s-%d", argv [node], (int) getpid ());
        actor = troupe_spawn (troupe, tally, TROUPE_WITH (.node = argv [node], .name = name));
        task = troupe_remote (troupe, work, argv [0], node, 600000,
                              TROUPE_WITH (.node = argv [node], .retries = -1));
        troupe_future_t *first = troupe_call (actor, tally_add, 0);
        if (troupe_get (first, &count)) {
            fprintf (stderr, "%s\n", troupe_future_error (first));
            return 1;
        }
        troupe_future_destroy (&first);
    }
    s_say ("running");
    if (troupe_get (task))
        fprintf (stderr, "%s\n", troupe_future_error (task));
    return 1;
}

/*  keep NAME NODE: a detached actor, made if there is none. meet NAME: that
    actor, found. Both call it and print the answer.                        */
static int
s_meet (troupe_t *troupe, char *argv [])
{
    int64_t count = 0;
    troupe_actor_t *actor = argv [1]
        ? troupe_spawn (troupe, tally, TROUPE_WITH (.name = argv [0], .node = argv [1],
                                                    .detached = true, .get_or_create = true))
        : troupe_find (troupe, argv [0]);
    if (!actor) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 1;
    }
    troupe_future_t *future = troupe_call (actor, tally_add, 0);
    int rc = troupe_get (future, &count);
    if (rc)
        fprintf (stderr, "%s\n", troupe_future_error (future));
    else
        printf ("count=%" PRId64 "\n", count);
    troupe_future_destroy (&future);
    troupe_actor_destroy (&actor);
    return rc ? 1 : 0;
}

/*  Prints lines, to a stream that is chosen by the number.                 */
static int
speak (troupe_call_t *call)
{
    int64_t number, lines;
    if (troupe_args (call, &number, &lines))
        return -1;
    while (lines--)
        fprintf (number % 2 ? stderr : stdout, "line %" PRId64 " is here\n", number);
    return troupe_return (call, number);
}
TROUPE_TASK (speak);

/*  speak COUNT LINES: so many lines from each of so many tasks, and the end at
    once.                                                                   */
static int
s_speak (troupe_t *troupe, char *argv [])
{
    size_t count = strtoul (argv [0], NULL, 10);
    int64_t lines = atoll (argv [1]);
    troupe_future_t **futures = calloc (count, sizeof *futures);
    int64_t *wanted = calloc (count, sizeof *wanted);
    for (size_t index = 0; futures && wanted && index < count; index++) {
        wanted [index] = (int64_t) index;
        futures [index] = troupe_remote (troupe, speak, wanted [index], lines,
                                         TROUPE_WITH (.spread = true));
    }
    int rc = futures && wanted ? s_check (futures, wanted, count) : 1;
    free (futures);
    free (wanted);
    return rc;
}

/*  Says a line, and returns where it runs and a variable of its environment. */
static int
surroundings (troupe_call_t *call)
{
    char text [512], folder [256];
    const char *value = getenv ("TOLD");
    if (troupe_args (call))
        return -1;
    puts ("looking around");
    snprintf (text, sizeof text, "%s %s", getcwd (folder, sizeof folder) ? folder : "?",
              value ? value : "-");
    return troupe_return (call, (const char *) text);
}
TROUPE_TASK (surroundings);

/*  surroundings: prints what such a task returns.                          */
static int
s_look (troupe_t *troupe, char *argv [])
{
    (void) argv;
    const char *text;
    troupe_future_t *future = troupe_remote (troupe, surroundings);
    int rc = troupe_get (future, &text);
    if (rc)
        fprintf (stderr, "%s\n", troupe_future_error (future));
    else
        puts (text);
    troupe_future_destroy (&future);
    return rc ? 1 : 0;
}

/*  where CPUS RESOURCES NODE COUNT MS [PATH]: prints where tasks with these
    needs ran, a line each; "" and 0 for no such need. With PATH each is noted
    there and waits for PATH.open.                                          */
static int
s_where (troupe_t *troupe, char *argv [])
{
    int rc = 0, count = atoi (argv [3]);
    troupe_future_t *futures [64];
    for (int index = 0; index < count && index < 64; index++)
        futures [index]
            = troupe_remote (troupe, where, argv [5] ? argv [5] : "", index, atoi (argv [4]),
                             TROUPE_WITH (.cpus = atof (argv [0]),
                                          .resources = *argv [1] ? argv [1] : NULL,
                                          .node = *argv [2] ? argv [2] : NULL));
    for (int index = 0; index < count && index < 64; index++) {
        const char *name;
        if (troupe_get (futures [index], &name)) {
            fprintf (stderr, "%s\n", troupe_future_error (futures [index]));
            rc = 1;
        } else
            puts (name);
        troupe_future_destroy (&futures [index]);
    }
    return rc;
}

typedef struct {
    const char *name;
    int arguments;              /*  at least                                */
    int (*run) (troupe_t *troupe, char *argv []);
} verb_t;

static const verb_t s_verbs [] = {
    { "tasks", 4, s_tasks }, { "calls", 3, s_calls }, { "chain", 4, s_chain },
    { "long", 5, s_long },   { "hold", 2, s_hold },   { "keep", 2, s_meet },   { "meet", 1, s_meet },
    { "where", 5, s_where }, { "speak", 2, s_speak }, { "stand", 2, s_stand },
    { "surroundings", 0, s_look },
};

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    int rc = 2;
    if (!troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 3;
    }
    for (size_t index = 0; index < sizeof s_verbs / sizeof *s_verbs; index++)
        if (argc > 1 && strcmp (argv [1], s_verbs [index].name) == 0
            && argc - 2 >= s_verbs [index].arguments)
            rc = s_verbs [index].run (troupe, argv + 2);
    if (troupe_term (&troupe)) {
        fprintf (stderr, "%s\n", troupe_error ());
        rc = rc ? rc : 4;
    }
    return rc;
}
