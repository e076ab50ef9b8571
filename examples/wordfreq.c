/*  wordfreq.c - the most frequent words of a text, found by sequential code,
    by tasks and by actors

    Each variant is one function, s_sequential, s_tasks and s_actors; what
    they share stands in the files beside this one.                          */

#include "actors/wordlist.h"
#include "examples/book.h"
#include "examples/options.h"
#include "examples/report.h"
#include "examples/topk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRIES -1              /*  a task survives any number of workers   */
#define READERS_MAX 16          /*  threads that read slices                */
#define SHARES 4                /*  of the words, each merged by a task     */
#define PIECE 2097152           /*  bytes of text that an actor gets at once */
#define AHEAD 2                 /*  pieces that it has and has not counted  */
#define INCOMPLETE "not all of the text could be given out"

/*  What the variants work on.                                              */
typedef struct {
    troupe_t *troupe;
    book_t *book;
    const slice_t *slices;
    size_t count;               /*  slices                                  */
    size_t top;                 /*  words of the answer                     */
} job_t;

static double
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/*  Appends the most frequent words. Returns 0 or -1.                       */
static int
s_pack_top (const wordcount_t *counts, size_t limit, wordpack_t *pack)
{
    size_t distinct = wordcount_distinct (counts);
    size_t most = limit < distinct ? limit : distinct;
    wordcount_entry_t *top = calloc (most + 1, sizeof (*top));
    int status = top ? 0 : -1;
    size_t count = top ? wordcount_top (counts, top, most) : 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = wordpack_add (pack, &top [i]);
    free (top);
    return status;
}

/* ------------------------------------------------------------------------
   Sequential: one table, slice after slice                                 */

static int
s_sequential (const job_t *job, result_t *result)
{
    wordcount_t *counts = wordcount_new ();
    const char *path = NULL;
    int status = counts ? 0 : -1;
    for (size_t i = 0; status == 0 && i < job->count; i++)
        status = slice_count (&job->slices [i], counts, &path);
    if (status == 0)
        status = s_pack_top (counts, job->top, &result->top);
    if (status)
        fprintf (stderr, "wordfreq: %s: %s\n", path ? path : "sequential", strerror (errno));
    else
        result->words = wordcount_words (counts);
    wordcount_destroy (&counts);
    return status;
}

/* ------------------------------------------------------------------------
   Tasks: each counts a slice, some more merge what they return, a share of
   the words each                                                           */

/*  Answers with the counts of all words, share by share.                   */
static int
s_return_counts (troupe_call_t *call, const wordcount_t *counts)
{
    wordpack_t packs [SHARES] = { { 0 } };
    troupe_arg_t answer [2 * SHARES];
    wordcount_entry_t entry;
    size_t cursor = 0;
    int status = 0;
    while (status == 0 && wordcount_next (counts, &cursor, &entry))
        status = wordpack_add (&packs [wordpack_share (&entry, SHARES)], &entry);
    for (size_t i = 0; i < SHARES; i++) {
        answer [2 * i] = TROUPE_ARG (troupe_bytes (packs [i].words, packs [i].size));
        answer [2 * i + 1] = TROUPE_ARG (troupe_int64s (packs [i].counts, packs [i].count));
    }
    if (status)
        troupe_fail (call, "out of memory");
    else
        status = troupe_call_return (call, answer, 2 * SHARES);
    for (size_t i = 0; i < SHARES; i++)
        wordpack_release (&packs [i]);
    return status;
}

/*  (bytes text) -> bytes words, int64s counts, of each share in turn. The text
    is read where it lies, in the memory of the machine's object store.     */
static int
count_slice (troupe_call_t *call)
{
    troupe_bytes_t text;
    if (troupe_args (call, &text))
        return -1;
    wordcount_t *counts = wordcount_new ();
    int status;
    if (!counts || wordcount_feed (counts, text.data, text.size) || wordcount_finish (counts))
        status = troupe_fail (call, "counting: %s", strerror (errno));
    else
        status = s_return_counts (call, counts);
    wordcount_destroy (&counts);
    return status;
}
TROUPE_TASK (count_slice);

/*  Reads a slice into an object, once for all who read it. Returns its future,
    which the caller owns, or NULL after saying what is wrong.              */
static troupe_future_t *
s_put_slice (const job_t *job, const slice_t *slice)
{
    const char *path = NULL;
    troupe_object_t *object
        = troupe_create (job->troupe, TROUPE_ARG_BYTES, slice_size (slice));
    if (!object)
        fprintf (stderr, "wordfreq: %s\n", troupe_error ());
    else if (slice_read (slice, troupe_object_data (object), &path)) {
        fprintf (stderr, "wordfreq: %s: %s\n", path, strerror (errno));
        troupe_object_destroy (&object);
    }
    return object ? troupe_seal (&object) : NULL;
}

/*  The slices on their way into objects, and from there to who counts them.  */
typedef struct {
    const job_t *job;
    /*  Gives out the text of slice number i. Returns 0 or -1.              */
    int (*give) (void *context, size_t i, troupe_future_t *text);
    void *context;
    atomic_size_t next;
    atomic_bool failed;
} feed_t;

static void *
s_feed_some (void *argument)
{
    feed_t *self = argument;
    for (size_t i; (i = atomic_fetch_add (&self->next, 1)) < self->job->count;) {
        if (atomic_load (&self->failed))
            break;
        troupe_future_t *text = s_put_slice (self->job, &self->job->slices [i]);
        int given = text ? self->give (self->context, i, text) : -1;
        if (text && given)
            fprintf (stderr, "wordfreq: slice %zu: %s\n", i + 1, troupe_error ());
        if (given)
            atomic_store (&self->failed, true);
        troupe_future_destroy (&text);
    }
    return NULL;
}

/*  Most of the work of reading is done by the system, which finds memory for the
    text: so each core reads a slice, as nobody has one to count yet.       */
static int
s_feed (feed_t *self)
{
    pthread_t threads [READERS_MAX - 1];
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    size_t more = 0;
    while (more < READERS_MAX - 1 && (long) more + 1 < cores && more + 1 < self->job->count
           && pthread_create (&threads [more], NULL, s_feed_some, self) == 0)
        more++;
    s_feed_some (self);
    while (more)
        pthread_join (threads [--more], NULL);
    return atomic_load (&self->failed) ? -1 : 0;
}

static wordpack_reader_t
s_reader (troupe_bytes_t words, troupe_int64s_t counts)
{
    return (wordpack_reader_t){ words.data, words.size, counts.items, counts.count, 0, 0 };
}

/*  Takes words and their counts, two values of an answer. Returns 0 or -1. */
static int
s_read_words (troupe_view_t *inside, wordpack_reader_t *reader)
{
    troupe_view_t value;
    troupe_bytes_t words;
    troupe_int64s_t counts;
    if (troupe_view_next (inside, &value) != 1 || troupe_read (value, &words)
        || troupe_view_next (inside, &value) != 1 || troupe_read (value, &counts))
        return -1;
    *reader = s_reader (words, counts);
    return 0;
}

/*  Adds a share of the words of an answer of count_slice.                  */
static int
s_add_share (troupe_view_t answer, uint64_t share, wordcount_t *counts)
{
    troupe_view_t inside;
    wordpack_reader_t reader;
    int status = troupe_view_enter (answer, &inside) < 0 ? -1 : 0;
    for (uint64_t i = 0; status == 0 && i <= share; i++)
        status = s_read_words (&inside, &reader);
    return status ? status : wordpack_count (reader, counts);
}

/*  (list of answers of count_slice, uint64 share, uint64 limit) -> bytes words,
    int64s counts, int64 words: of the share                                */
static int
merge_counts (troupe_call_t *call)
{
    troupe_view_t list, answers, answer;
    wordpack_t pack = { 0 };
    uint64_t share, limit;
    if (troupe_args (call, &list, &share, &limit))
        return -1;
    wordcount_t *counts = wordcount_new ();
    int more = counts && troupe_view_enter (list, &answers) >= 0 ? 1 : -1;
    while (more == 1 && (more = troupe_view_next (&answers, &answer)) == 1)
        if (s_add_share (answer, share, counts))
            more = -1;
    int status = more == 0 ? s_pack_top (counts, limit, &pack) : -1;
    if (status)
        troupe_fail (call, "the counts cannot be merged");
    else
        status = troupe_return (call, troupe_bytes (pack.words, pack.size),
                                troupe_int64s (pack.counts, pack.count),
                                wordcount_words (counts));
    wordpack_release (&pack);
    wordcount_destroy (&counts);
    return status;
}
TROUPE_TASK (merge_counts);

/*  True if a handle could not be made, for lack of memory.                 */
static bool
s_missing (troupe_future_t *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!futures [i])
            return true;
    return false;
}

static void
s_destroy_futures (troupe_future_t **futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        troupe_future_destroy (&futures [i]);
}

/*  The task that counts a slice, and its future.                           */
typedef struct {
    troupe_t *troupe;
    troupe_future_t **parts;
} counting_t;

static int
s_count_part (void *context, size_t i, troupe_future_t *text)
{
    counting_t *self = context;
    self->parts [i] = troupe_remote (self->troupe, count_slice, text,
                                     TROUPE_WITH (.retries = RETRIES));
    return self->parts [i] ? 0 : -1;
}

/*  Adds the most frequent words of a share, which are no other's.          */
static int
s_take_share (troupe_future_t *merged, wordcount_t *tops, result_t *result)
{
    troupe_bytes_t words;
    troupe_int64s_t counts;
    int64_t total;
    if (!merged || troupe_get (merged, &words, &counts, &total)) {
        fprintf (stderr, "wordfreq: tasks: %s\n", troupe_error ());
        return -1;
    }
    result->words += total;
    if (wordpack_count (s_reader (words, counts), tops) == 0)
        return 0;
    fputs ("wordfreq: tasks: the answer cannot be read\n", stderr);
    return -1;
}

/*  Merges what the tasks have counted.                                     */
static int
s_merge (const job_t *job, troupe_future_t *const *parts, result_t *result)
{
    troupe_future_t *merged [SHARES];
    wordcount_t *tops = wordcount_new ();
    int status = tops ? 0 : -1;
    for (size_t i = 0; i < SHARES; i++)
        merged [i]
            = troupe_remote (job->troupe, merge_counts, troupe_futures (parts, job->count), i,
                             job->top, TROUPE_WITH (.retries = RETRIES));
    for (size_t i = 0; status == 0 && i < SHARES; i++)
        status = s_take_share (merged [i], tops, result);
    if (status == 0)
        status = s_pack_top (tops, job->top, &result->top);
    s_destroy_futures (merged, SHARES);
    wordcount_destroy (&tops);
    return status;
}

static int
s_tasks (const job_t *job, result_t *result)
{
    troupe_future_t **parts = calloc (job->count, sizeof (*parts));
    counting_t counting = { job->troupe, parts };
    feed_t feed = { .job = job, .give = s_count_part, .context = &counting };
    int status = parts ? s_feed (&feed) : -1;
    if (status)
        fprintf (stderr, "wordfreq: tasks: %s\n", INCOMPLETE);
    else
        status = s_merge (job, parts, result);
    if (parts)
        s_destroy_futures (parts, job->count);
    free (parts);
    return status;
}

/* ------------------------------------------------------------------------
   Actors: each holds a slice, the merger decides what to ask them           */

typedef struct {
    topk_t *topk;
    int64_t words;
} merger_t;

/*  (uint64 lists, uint64 limit)                                            */
static int
merger_init (troupe_call_t *call)
{
    merger_t *self = troupe_self (call);
    uint64_t lists, limit;
    if (troupe_args (call, &lists, &limit))
        return -1;
    self->topk = topk_new (lists, limit);
    return self->topk ? 0 : troupe_fail (call, "out of memory");
}

static void
merger_term (void *state)
{
    merger_t *self = state;
    topk_destroy (&self->topk);
}

/*  Reads what stands behind the words and counts of wordlist.top.          */
static int
s_read_bound (merger_t *self, troupe_view_t *inside, int64_t *bound)
{
    troupe_view_t value;
    int64_t words;
    if (troupe_view_next (inside, &value) != 1 || troupe_read (value, bound)
        || troupe_view_next (inside, &value) != 1 || troupe_read (value, &words))
        return -1;
    return __builtin_add_overflow (self->words, words, &self->words) ? -1 : 0;
}

/*  Takes the words and counts that begin an answer, off a list of answers.
    `inside` is what follows them. Returns 1, 0 at the end, or -1.          */
static int
s_next_answer (troupe_view_t *answers, wordpack_reader_t *reader, troupe_view_t *inside)
{
    troupe_view_t answer;
    int more = troupe_view_next (answers, &answer);
    if (more != 1)
        return more;
    return troupe_view_enter (answer, inside) < 0 || s_read_words (inside, reader) ? -1 : 1;
}

/*  (list of answers of wordlist.top) -> int64 threshold                    */
static int
merger_first (troupe_call_t *call)
{
    merger_t *self = troupe_self (call);
    troupe_view_t list, answers, inside;
    wordpack_reader_t reader;
    int64_t bound, threshold;
    if (troupe_args (call, &list))
        return -1;
    int more = troupe_view_enter (list, &answers) < 0 ? -1 : 1;
    for (size_t i = 0; more == 1 && (more = s_next_answer (&answers, &reader, &inside)) == 1; i++)
        if (s_read_bound (self, &inside, &bound)
            || topk_add_first (self->topk, i, reader, bound))
            more = -1;
    if (more || topk_threshold (self->topk, &threshold))
        return troupe_fail (call, "the first round cannot be merged");
    return troupe_return (call, threshold);
}

/*  (list of answers of wordlist.above) -> bytes words                      */
static int
merger_second (troupe_call_t *call)
{
    merger_t *self = troupe_self (call);
    troupe_view_t list, answers, inside;
    wordpack_reader_t reader;
    wordpack_t unknown = { 0 };
    if (troupe_args (call, &list))
        return -1;
    int more = troupe_view_enter (list, &answers) < 0 ? -1 : 1;
    for (size_t i = 0; more == 1 && (more = s_next_answer (&answers, &reader, &inside)) == 1; i++)
        if (topk_add_more (self->topk, i, reader))
            more = -1;
    int status = more || topk_unknown (self->topk, &unknown);
    if (status)
        status = troupe_fail (call, "the second round cannot be merged");
    else
        status = troupe_return (call, troupe_bytes (unknown.words, unknown.size));
    wordpack_release (&unknown);
    return status;
}

/*  Adds the exact counts, a list of answers of wordlist.count.             */
static int
s_add_exact (merger_t *self, troupe_view_t list)
{
    troupe_view_t answers, answer;
    troupe_int64s_t counts;
    int more = troupe_view_enter (list, &answers) < 0 ? -1 : 1;
    while (more == 1 && (more = troupe_view_next (&answers, &answer)) == 1)
        if (troupe_read (answer, &counts)
            || topk_add_exact (self->topk, counts.items, counts.count))
            more = -1;
    return more;
}

/*  (list of answers of wordlist.count) -> bytes words, int64s counts, int64
    words, uint rounds, int64 bound                                         */
static int
merger_third (troupe_call_t *call)
{
    merger_t *self = troupe_self (call);
    troupe_view_t list;
    wordpack_t pack = { 0 };
    int status;
    if (troupe_args (call, &list))
        return -1;
    if (s_add_exact (self, list) || topk_result (self->topk, &pack))
        status = troupe_fail (call, "the third round cannot be merged");
    else
        status = troupe_return (call, troupe_bytes (pack.words, pack.size),
                                troupe_int64s (pack.counts, pack.count), self->words,
                                topk_rounds (self->topk), topk_bound (self->topk));
    wordpack_release (&pack);
    return status;
}

TROUPE_ACTOR (merger, merger_t, .init = merger_init, .term = merger_term,
              .methods = { TROUPE_METHOD (merger_first, .parameters = "answers: list"),
                           TROUPE_METHOD (merger_second, .parameters = "answers: list"),
                           TROUPE_METHOD (merger_third, .parameters = "answers: list") });

/*  The handles of one run.                                                 */
typedef struct {
    troupe_t *troupe;
    troupe_actor_t *merger;
    troupe_actor_t **lists;
    troupe_future_t **calls;        /*  one call of each list               */
    size_t count;
} cast_t;

static void
s_dismiss (cast_t *cast)
{
    for (size_t i = 0; cast->lists && i < cast->count; i++)
        troupe_actor_destroy (&cast->lists [i]);
    troupe_actor_destroy (&cast->merger);
    free (cast->lists);
    free (cast->calls);
}

/*  Waits until a piece is counted, and forgets it.                         */
static int
s_counted (troupe_future_t **piece)
{
    int status = *piece ? troupe_get (*piece) : 0;
    if (status)
        fprintf (stderr, "wordfreq: actors: %s\n", troupe_error ());
    troupe_future_destroy (piece);
    return status;
}

/*  Gives the text to the actors in turn, a piece at a time. A piece is read while
    those before it are counted, into the memory of one that has been: so the
    text takes up little, which stays in the processor's cache.             */
static int
s_feed_lists (const job_t *job, cast_t *cast)
{
    size_t count = job->count, ahead = AHEAD * count;
    size_t pieces = (size_t) (book_size (job->book) / count / PIECE + 1) * count;
    const slice_t *slices = book_cut (job->book, pieces);
    troupe_future_t **counting = calloc (ahead, sizeof (*counting));
    int status = slices && counting ? 0 : -1;
    for (size_t i = 0; status == 0 && i < pieces; i++) {
        troupe_future_t **turn = &counting [i % ahead];
        status = s_counted (turn);
        troupe_future_t *text = status ? NULL : s_put_slice (job, &slices [i]);
        *turn = text ? wordlist_add (cast->lists [i % count], text) : NULL;
        status = *turn ? 0 : -1;
        troupe_future_destroy (&text);
    }
    for (size_t i = 0; counting && i < ahead; i++)
        if (s_counted (&counting [i]))
            status = -1;
    free (counting);
    return status;
}

/*  Spawns the actors and gives them the text.                              */
static int
s_gather (const job_t *job, cast_t *cast)
{
    *cast = (cast_t){ .troupe = job->troupe, .count = job->count };
    cast->lists = calloc (job->count, sizeof (*cast->lists));
    cast->calls = calloc (job->count, sizeof (*cast->calls));
    for (size_t i = 0; cast->lists && i < job->count; i++) {
        cast->lists [i] = wordlist_spawn (job->troupe, "", 0);
        if (!cast->lists [i])
            return -1;
    }
    cast->merger = troupe_spawn (job->troupe, merger, job->count, job->top);
    if (!cast->lists || !cast->calls || !cast->merger)
        return -1;
    return s_feed_lists (job, cast);
}

/*  Chains the rounds: the result of each is an argument of the next, and
    none is waited for. Returns the future of the answer, or NULL.          */
static troupe_future_t *
s_chain (const job_t *job, cast_t *cast)
{
    troupe_future_t *threshold = NULL, *unknown = NULL, *answer = NULL;

    for (size_t i = 0; i < cast->count; i++)
        cast->calls [i] = wordlist_top (cast->lists [i], job->top);
    if (!s_missing (cast->calls, cast->count))
        threshold = troupe_call (cast->merger, merger_first,
                                 troupe_futures (cast->calls, cast->count));
    s_destroy_futures (cast->calls, cast->count);

    for (size_t i = 0; threshold && i < cast->count; i++)
        cast->calls [i] = troupe_call_by_name (cast->lists [i], "above", threshold,
                                               (uint64_t) job->top);
    if (!s_missing (cast->calls, cast->count))
        unknown = troupe_call (cast->merger, merger_second,
                               troupe_futures (cast->calls, cast->count));
    s_destroy_futures (cast->calls, cast->count);

    for (size_t i = 0; unknown && i < cast->count; i++)
        cast->calls [i] = troupe_call_by_name (cast->lists [i], "count", unknown);
    if (!s_missing (cast->calls, cast->count))
        answer = troupe_call (cast->merger, merger_third,
                              troupe_futures (cast->calls, cast->count));
    s_destroy_futures (cast->calls, cast->count);

    troupe_future_destroy (&threshold);
    troupe_future_destroy (&unknown);
    return answer;
}

/*  Copies the words of an answer into the result. Returns 0, or -1 after a
    message.                                                                */
static int
s_take_top (result_t *result, troupe_bytes_t words, troupe_int64s_t counts)
{
    wordpack_reader_t reader = s_reader (words, counts);
    wordcount_entry_t entry;
    int more;
    while ((more = wordpack_next (&reader, &entry)) == 1)
        if (wordpack_add (&result->top, &entry)) {
            more = -1;
            break;
        }
    if (more)
        fputs ("wordfreq: actors: the answer cannot be read\n", stderr);
    return more;
}

static int
s_actors (const job_t *job, result_t *result)
{
    cast_t cast;
    troupe_bytes_t words;
    troupe_int64s_t counts;
    troupe_future_t *answer = s_gather (job, &cast) ? NULL : s_chain (job, &cast);
    int status = answer ? troupe_get (answer, &words, &counts, &result->words, &result->rounds,
                                      &result->bound)
                        : -1;
    if (status)
        fprintf (stderr, "wordfreq: actors: %s\n", answer ? troupe_error () : INCOMPLETE);
    else
        status = s_take_top (result, words, counts);
    troupe_future_destroy (&answer);
    s_dismiss (&cast);
    return status;
}

/* ------------------------------------------------------------------------
   The command                                                              */

typedef struct {
    const char *name;
    unsigned bit;
    int (*run) (const job_t *job, result_t *result);
} variant_t;

static const variant_t s_variants [] = { { "sequential", VARIANT_SEQUENTIAL, s_sequential },
                                         { "tasks", VARIANT_TASKS, s_tasks },
                                         { "actors", VARIANT_ACTORS, s_actors } };

#define VARIANTS (sizeof (s_variants) / sizeof (s_variants [0]))

/*  Runs a variant and takes its time, cutting the text included.           */
static int
s_run (job_t *job, const variant_t *variant, result_t *result)
{
    double start = s_now ();
    *result = (result_t){ .variant = variant->name, .sublists = job->count, .rounds = 1,
                          .bound = -1 };
    job->slices = book_cut (job->book, job->count);
    if (!job->slices) {
        fputs ("wordfreq: out of memory\n", stderr);
        return -1;
    }
    int status = variant->run (job, result);
    result->seconds = s_now () - start;
    if (status == 0 && result->words == 0) {
        fputs ("wordfreq: there are no words in the text\n", stderr);
        status = -1;
    }
    return status;
}

/*  Prints the results, and whether they agree.                             */
static int
s_report (const options_t *options, const result_t *results, size_t count)
{
    for (size_t i = 0; options->json && i < count; i++)
        report_json (stdout, &results [i]);
    if (!options->json)
        report_text (stdout, results, count);
    if (fflush (stdout) || ferror (stdout)) {
        fprintf (stderr, "wordfreq: cannot write: %s\n", strerror (errno));
        return -1;
    }
    for (size_t i = 1; i < count; i++)
        if (!result_same (&results [0], &results [i])) {
            fprintf (stderr, "wordfreq: %s and %s disagree\n", results [0].variant,
                     results [i].variant);
            return -1;
        }
    return 0;
}

/*  Runs the variants asked for. The time to start the runtime counts for
    those that use it.                                                      */
static int
s_run_all (job_t *job, const options_t *options, double startup)
{
    result_t results [VARIANTS];
    size_t count = 0;
    int status = 0;
    for (size_t i = 0; status == 0 && i < VARIANTS; i++)
        if (options->variants & s_variants [i].bit) {
            status = s_run (job, &s_variants [i], &results [count]);
            if (s_variants [i].bit != VARIANT_SEQUENTIAL)
                results [count].seconds += startup;
            count++;
        }
    if (status == 0)
        status = s_report (options, results, count);
    for (size_t i = 0; i < count; i++)
        result_release (&results [i]);
    return status;
}

int
main (int argc, char *argv [])
{
    double start = s_now ();
    troupe_t *troupe = troupe_init (&argc, &argv);
    double startup = s_now () - start;
    options_t options;
    char error [512];
    int bad = options_parse (&options, argc, argv), status = 1;
    if (!bad && !troupe)
        fprintf (stderr, "wordfreq: %s\n", troupe_error ());
    if (!bad && troupe) {
        job_t job = { .troupe = troupe, .count = options.sublists, .top = options.top };
        job.book = book_new (options.paths, options.count, error, sizeof (error));
        if (job.book)
            status = s_run_all (&job, &options, startup) ? 1 : 0;
        else
            fprintf (stderr, "wordfreq: %s\n", error);
        book_destroy (&job.book);
    }
    if (troupe)
        troupe_term (&troupe);
    return bad > 0 ? 0 : bad < 0 ? 2 : status;
}
