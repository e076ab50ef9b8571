/*  hosts_objects.c - large values in a cluster under test: their way between
    machines, and what becomes of them when a node dies

    Usage: hosts_objects rounds COUNT MEGABYTES NODE... | lose NODE |
    flood NODE MEGABYTES | read MEGABYTES HOME READER... |
    ahead FIFO FILE CPUS NODE | handed COUNT NODE | parted HOME NODE OTHER  */

#include "tests/hosts_values.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES_MAX 16

/*  --- what runs on the nodes -------------------------------------------  */

/*  Notes in the file that it has begun, and waits for a byte from the fifo. */
static int
stay (troupe_call_t *call)
{
    const char *fifo, *file;
    char byte;
    if (troupe_args (call, &fifo, &file))
        return -1;
    int note = open (file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool noted = note >= 0 && write (note, "begun\n", 6) == 6;
    int gate = open (fifo, O_RDONLY | O_CLOEXEC);
    bool passed = gate >= 0 && read (gate, &byte, 1) == 1;
    if (note >= 0)
        close (note);
    if (gate >= 0)
        close (gate);
    return noted && passed ? troupe_return (call, 1) : troupe_fail (call, "cannot wait");
}
TROUPE_TASK (stay);

/*  The same as digest, but only of what it takes no time to read.          */
static int
brief (troupe_call_t *call)
{
    return digest (call);
}
TROUPE_TASK (brief);

typedef struct {
    int unused;
} reader_t;
TROUPE_ACTOR (reader, reader_t, .methods = { TROUPE_METHOD (stay), TROUPE_METHOD (brief),
                                             TROUPE_METHOD (hand_on),
                                             TROUPE_METHOD (pass_back) });

/*  --- what is asked of them --------------------------------------------  */

static void
s_say (const char *text)
{
    puts (text);
    fflush (stdout);
}

static size_t s_right, s_wrong;

static void
s_expect (troupe_future_t *future, uint64_t wanted)
{
    uint64_t found = 0;
    if (troupe_wait (&future, 1, 1, PATIENCE_MS, NULL) != 1)
        fputs ("an answer is missing\n", stderr);
    else if (troupe_get (future, &found))
        fprintf (stderr, "%s\n", troupe_error ());
    if (found == wanted)
        s_right++;
    else
        s_wrong++;
    troupe_future_destroy (&future);
}

/*  Each node reads what the driver has put, and what the node before it has
    made; the driver reads what the last one has made.                      */
static void
s_round (troupe_t *troupe, int64_t seed, size_t count, char *nodes [], size_t node_count)
{
    int64_t *numbers = malloc (count * sizeof *numbers);
    troupe_future_t *digests [2 * NODES_MAX], *made [NODES_MAX];
    s_fill (numbers, count, seed);
    uint64_t wanted = s_sum (numbers, count);
    troupe_future_t *put = troupe_put (troupe, troupe_int64s (numbers, count));
    for (size_t node = 0; node < node_count; node++) {
        digests [node] = troupe_remote (troupe, digest, put, TROUPE_WITH (.node = nodes [node]));
        made [node] = troupe_remote (troupe, make, (int64_t) count, seed,
                                     TROUPE_WITH (.node = nodes [node]));
    }
    for (size_t node = 0; node < node_count; node++)
        digests [node_count + node]
            = troupe_remote (troupe, digest, made [node],
                             TROUPE_WITH (.node = nodes [(node + 1) % node_count]));
    for (size_t index = 0; index < 2 * node_count; index++)
        s_expect (digests [index], wanted);
    troupe_int64s_t last;
    if (troupe_get (made [node_count - 1], &last) == 0 && last.count == count
        && memcmp (last.items, numbers, count * sizeof *numbers) == 0)
        s_right++;
    else
        s_wrong++;
    for (size_t node = 0; node < node_count; node++)
        troupe_future_destroy (&made [node]);
    troupe_future_destroy (&put);
    free (numbers);
}

static int
s_rounds (troupe_t *troupe, char *argv [])
{
    size_t nodes = 0, count = strtoul (argv [1], NULL, 10) << 17;
    while (argv [2 + nodes])
        nodes++;
    s_say ("running");
    for (int64_t round = 0; round < atoll (argv [0]); round++)
        s_round (troupe, round, count, argv + 2, nodes);
    printf ("right=%zu wrong=%zu\n", s_right, s_wrong);
    return s_wrong ? 1 : 0;
}

/*  lose NODE: makes an object there, says so, and reads it after a line has
    come: it must be lost, and the text say why.                            */
static int
s_lose (troupe_t *troupe, char *argv [])
{
    char line [16];
    troupe_int64s_t numbers;
    troupe_future_t *made = troupe_remote (troupe, make, (int64_t) 1 << 20, 5,
                                           TROUPE_WITH (.node = argv [0]));
    if (troupe_wait (&made, 1, 1, PATIENCE_MS, NULL) != 1 || troupe_future_error (made))
        return 1;
    s_say ("running");
    if (!fgets (line, sizeof line, stdin))
        return 1;
    int rc = troupe_get (made, &numbers);
    printf ("code=%d %s\n", rc ? (int) troupe_error_code () : 0, rc ? troupe_error () : "");
    troupe_future_destroy (&made);
    return 0;
}

/*  read MEGABYTES HOME READER...: makes an object there, and has one node after
    the other read it. Says "running" before the last of them does; prints what
    that answers, or why not.                                               */
static int
s_read (troupe_t *troupe, char *argv [])
{
    size_t count = strtoul (argv [0], NULL, 10) << 17;
    int64_t *numbers = malloc (count * sizeof *numbers);
    uint64_t found = 0;
    if (!numbers)
        return 1;
    s_fill (numbers, count, 5);
    uint64_t wanted = s_sum (numbers, count);
    free (numbers);
    troupe_future_t *made
        = troupe_remote (troupe, make, (int64_t) count, 5, TROUPE_WITH (.node = argv [1]));
    if (troupe_wait (&made, 1, 1, PATIENCE_MS, NULL) != 1 || troupe_future_error (made))
        return 1;
    for (char **node = argv + 2; *node; node++) {
        if (!node [1])
            s_say ("running");
        troupe_future_t *read
            = troupe_remote (troupe, digest, made, TROUPE_WITH (.node = *node, .retries = 0));
        int rc = troupe_wait (&read, 1, 1, PATIENCE_MS, NULL) == 1 ? troupe_get (read, &found)
                                                                   : -1;
        if (rc)
            printf ("code=%d %s\n", (int) troupe_error_code (), troupe_error ());
        else
            printf ("%s %s\n", *node, found == wanted ? "right" : "wrong");
        troupe_future_destroy (&read);
    }
    troupe_future_destroy (&made);
    return 0;
}

/*  flood NODE MEGABYTES: makes so much there, holds all, and reads it back. */
static int
s_flood (troupe_t *troupe, char *argv [])
{
    enum { EACH = 1 << 20 };
    size_t count = strtoul (argv [1], NULL, 10) / 8;
    int64_t *numbers = malloc (EACH * sizeof *numbers);
    troupe_future_t **made = calloc (count, sizeof *made);
    s_say ("running");
    for (size_t index = 0; index < count; index++)
        made [index] = troupe_remote (troupe, make, EACH, (int64_t) index,
                                      TROUPE_WITH (.node = argv [0]));
    for (size_t index = 0; index < count; index++) {
        s_fill (numbers, EACH, (int64_t) index);
        s_expect (troupe_remote (troupe, digest, made [index], TROUPE_WITH (.node = argv [0])),
                  s_sum (numbers, EACH));
        troupe_future_destroy (&made [index]);
    }
    free (numbers);
    free (made);
    printf ("right=%zu wrong=%zu\n", s_right, s_wrong);
    return s_wrong ? 1 : 0;
}

/*  ahead FIFO FILE CPUS NODE: has a task on each of so many cpus, and a method
    of an actor on the node, stay; after a line has come, others are queued
    behind them, whose arguments are here.                                  */
static int
s_ahead (troupe_t *troupe, char *argv [])
{
    enum { LEARNT = 200, QUEUED = 12, TASK_COUNT = 64 << 10, METHOD_COUNT = 512 << 10 };
    int64_t *numbers = malloc (METHOD_COUNT * sizeof *numbers);
    size_t cpus = strtoul (argv [2], NULL, 10);
    troupe_future_t *waiting [64], *queued [QUEUED];
    if (!numbers || cpus > 64)
        return 1;
    s_fill (numbers, METHOD_COUNT, 5);
    /*  It is sent ahead if it is known to be short.                        */
    for (size_t index = 0; index < LEARNT; index++)
        s_expect (troupe_remote (troupe, brief, troupe_int64s (numbers, 10)),
                  s_sum (numbers, 10));
    troupe_actor_t *actor = troupe_spawn (troupe, reader, TROUPE_WITH (.node = argv [3]));
    troupe_future_t *method = troupe_call (actor, stay, argv [0], argv [1]);
    for (size_t index = 0; index < cpus; index++)
        waiting [index] = troupe_remote (troupe, stay, argv [0], argv [1]);
    char line [16];
    if (!fgets (line, sizeof line, stdin))
        return 1;
    for (size_t index = 0; index < QUEUED; index++)
        queued [index]
            = troupe_remote (troupe, brief, troupe_int64s (numbers + index, TASK_COUNT));
    troupe_future_t *behind = troupe_call (actor, brief, troupe_int64s (numbers, METHOD_COUNT));
    s_expect (method, 1);
    s_expect (behind, s_sum (numbers, METHOD_COUNT));
    for (size_t index = 0; index < cpus; index++)
        s_expect (waiting [index], 1);
    for (size_t index = 0; index < QUEUED; index++)
        s_expect (queued [index], s_sum (numbers + index, TASK_COUNT));
    troupe_actor_destroy (&actor);
    free (numbers);
    printf ("right=%zu wrong=%zu\n", s_right, s_wrong);
    return s_wrong ? 1 : 0;
}

/*  handed COUNT NODE: so many times, an object that is only held by the answer
    of a task there, which has handed on the future that held it first.     */
static int
s_handed (troupe_t *troupe, char *argv [])
{
    enum { EACH = 10000 };
    int64_t numbers [EACH];
    troupe_int64s_t found;
    s_say ("running");
    for (int64_t round = 0; round < atoll (argv [0]); round++) {
        s_fill (numbers, EACH, round);
        troupe_future_t *put = troupe_put (troupe, troupe_int64s (numbers, EACH));
        troupe_future_t *handed = troupe_remote (troupe, hand_on, troupe_handle (put),
                                                 TROUPE_WITH (.node = argv [1]));
        if (troupe_wait (&handed, 1, 1, PATIENCE_MS, NULL) != 1)
            return 1;
        troupe_future_destroy (&put);
        if (troupe_get (handed, &found) == 0 && found.count == EACH
            && memcmp (found.items, numbers, sizeof numbers) == 0)
            s_right++;
        else
            s_wrong++;
        if (troupe_future_error (handed))
            fprintf (stderr, "%s\n", troupe_future_error (handed));
        troupe_future_destroy (&handed);
    }
    printf ("right=%zu wrong=%zu\n", s_right, s_wrong);
    return s_wrong ? 1 : 0;
}

/*  Hands on a future and passes back its value, by tasks and by an actor.  */
enum { WAYS = 4 };

static void
s_give_back (troupe_t *troupe, troupe_actor_t *actor, const char *node, troupe_future_t *future,
             troupe_future_t **answers)
{
    answers [0]
        = troupe_remote (troupe, hand_on, troupe_handle (future), TROUPE_WITH (.node = node));
    answers [1] = troupe_remote (troupe, pass_back, future, TROUPE_WITH (.node = node));
    answers [2] = troupe_call (actor, hand_on, troupe_handle (future));
    answers [3] = troupe_call (actor, pass_back, future);
}

static void
s_check_back (troupe_future_t **answers, const int64_t *numbers, size_t count)
{
    troupe_int64s_t found;
    for (size_t way = 0; way < WAYS; way++) {
        bool right = troupe_wait (&answers [way], 1, 1, PATIENCE_MS / 4, NULL) == 1
                     && troupe_get (answers [way], &found) == 0 && found.count == count
                     && memcmp (found.items, numbers, count * sizeof *numbers) == 0;
        right ? s_right++ : s_wrong++;
        if (!right)
            fprintf (stderr, "way %zu: %s\n", way, troupe_error ());
        troupe_future_destroy (&answers [way]);
    }
}

/*  parted HOME NODE OTHER: after a line has come, those two do not reach each other.
    Answers of the one that refer to objects of the other wait; all others come.
    After a second line they reach each other.                              */
static int
s_parted (troupe_t *troupe, char *argv [])
{
    enum { EACH = 10000, ROUNDS = 20 };
    int64_t numbers [EACH];
    char line [16];
    troupe_future_t *waiting [WAYS], *others [WAYS];
    s_fill (numbers, EACH, 5);
    troupe_future_t *made
        = troupe_remote (troupe, make, EACH, 5, TROUPE_WITH (.node = argv [0]));
    troupe_future_t *near
        = troupe_remote (troupe, make, EACH, 5, TROUPE_WITH (.node = argv [2]));
    troupe_actor_t *actor = troupe_spawn (troupe, reader, TROUPE_WITH (.node = argv [1]));
    if (troupe_wait (&made, 1, 1, PATIENCE_MS, NULL) != 1 || troupe_future_error (made))
        return 1;
    for (int round = 0; round < 2; round++) {
        s_give_back (troupe, actor, argv [1], round ? near : made, others);
        s_check_back (others, numbers, EACH);
    }
    s_say ("running");
    if (!fgets (line, sizeof line, stdin))
        return 1;
    s_give_back (troupe, actor, argv [1], made, waiting);
    for (int round = 0; round < ROUNDS; round++) {
        s_give_back (troupe, actor, argv [1], near, others);
        s_check_back (others, numbers, EACH);
    }
    printf ("%d wait\n", WAYS - troupe_wait (waiting, WAYS, WAYS, 0, NULL));
    s_say ("others came");
    if (!fgets (line, sizeof line, stdin))
        return 1;
    s_check_back (waiting, numbers, EACH);
    troupe_actor_destroy (&actor);
    troupe_future_destroy (&made);
    troupe_future_destroy (&near);
    printf ("right=%zu wrong=%zu\n", s_right, s_wrong);
    return s_wrong ? 1 : 0;
}

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    int rc = 2;
    if (!troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 3;
    }
    if (argc > 4 && argc - 4 <= NODES_MAX && strcmp (argv [1], "rounds") == 0)
        rc = s_rounds (troupe, argv + 2);
    else if (argc > 2 && strcmp (argv [1], "lose") == 0)
        rc = s_lose (troupe, argv + 2);
    else if (argc > 3 && strcmp (argv [1], "flood") == 0)
        rc = s_flood (troupe, argv + 2);
    else if (argc > 3 && strcmp (argv [1], "handed") == 0)
        rc = s_handed (troupe, argv + 2);
    else if (argc > 4 && strcmp (argv [1], "parted") == 0)
        rc = s_parted (troupe, argv + 2);
    else if (argc > 5 && strcmp (argv [1], "ahead") == 0)
        rc = s_ahead (troupe, argv + 2);
    else if (argc > 4 && strcmp (argv [1], "read") == 0)
        rc = s_read (troupe, argv + 2);
    if (troupe_term (&troupe)) {
        fprintf (stderr, "%s\n", troupe_error ());
        rc = rc ? rc : 4;
    }
    return rc;
}
