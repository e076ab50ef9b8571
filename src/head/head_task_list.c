/*  head_task_list.c - the head's shell: the tasks that are asked for: those that
    pass the filter, in order, and of these the first so many

    There may be millions. All of them are looked at, but only those that are
    answered are written, and no more than twice as many are held.          */

#include "head/head_report.h"
#include "head/head_shell.h"

#include <stdio.h>
#include <stdlib.h>

/*  --- filters ----------------------------------------------------------  */

/*  What a field says, as text; NULL for a field that tasks do not have.    */
static const char *
s_field (head_t *self, const head_task_report_t *task, const char *field, size_t length,
         char text [64])
{
    const char *const fields []
        = { "id", "function", "state", "job", "worker", "node", "retries" };
    size_t which = 0;
    while (which < 7
           && (strlen (fields [which]) != length || memcmp (fields [which], field, length)))
        which++;
    const peer_t *worker = which == 4 ? head_shell_peer (self, task->worker) : NULL;
    const peer_t *node = which == 5 ? head_shell_peer (self, task->node) : NULL;
    switch (which) {
    case 0:
        snprintf (text, 64, "%u.%llu", (unsigned) (task->id.owner & UINT32_MAX),
                  (unsigned long long) task->id.sequence);
        return text;
    case 1:
        return task->function;
    case 2:
        return task->state;
    case 3:
        snprintf (text, 64, "%u", task->job);
        return text;
    case 4:
        return worker ? worker->identity.label : "";
    case 5:
        return node ? node->identity.name : "";
    case 6:
        snprintf (text, 64, "%u", task->retries);
        return text;
    default:
        return NULL;
    }
}

int
head_filter_read (head_filter_t *filter, const char *text, size_t size)
{
    const char *sign = memchr (text, '=', size);
    if (!sign || sign == text || filter->count == HEAD_FILTER_MAX)
        return -1;
    head_condition_t *condition = &filter->conditions [filter->count++];
    condition->negated = sign [-1] == '!';
    condition->field = text;
    condition->field_size = (size_t) (sign - text) - condition->negated;
    condition->value = sign + 1;
    condition->value_size = size - (size_t) (sign + 1 - text);
    return 0;
}

static bool
s_passes (head_t *self, const head_filter_t *filter, const head_task_report_t *task)
{
    char text [64];
    for (size_t index = 0; index < filter->count; index++) {
        const head_condition_t *condition = &filter->conditions [index];
        const char *says = s_field (self, task, condition->field, condition->field_size, text);
        bool same = says && strlen (says) == condition->value_size
                    && memcmp (says, condition->value, condition->value_size) == 0;
        if (same == condition->negated)
            return false;
    }
    return true;
}

/*  Whether it has this id, or is of this function.                         */
static bool
s_is_called (head_t *self, const head_task_report_t *task, const char *key)
{
    char text [64];
    return !*key || strcmp (task->function, key) == 0
           || strcmp (s_field (self, task, "id", 2, text), key) == 0;
}

/*  --- order ------------------------------------------------------------  */

/*  By job, and then by id.                                                 */
typedef struct {
    uint32_t job;
    tid_t id;
} place_t;

typedef struct {
    place_t *places;            /*  room for twice HEAD_TASKS_MAX           */
    size_t count;
    bool full;                  /*  places [HEAD_TASKS_MAX - 1] is the last that
                                    can be among the first                  */
} first_t;

static int
s_compare (const void *left, const void *right)
{
    const place_t *a = left, *b = right;
    uint32_t first = (uint32_t) a->id.owner, second = (uint32_t) b->id.owner;
    if (a->job != b->job)
        return a->job < b->job ? -1 : 1;
    if (first != second)
        return first < second ? -1 : 1;
    return a->id.sequence < b->id.sequence ? -1 : a->id.sequence > b->id.sequence;
}

static void
s_cut (first_t *self)
{
    qsort (self->places, self->count, sizeof *self->places, s_compare);
    self->full = self->count >= HEAD_TASKS_MAX;
    if (self->full)
        self->count = HEAD_TASKS_MAX;
}

static void
s_add (first_t *self, const head_task_report_t *task)
{
    place_t place = { task->job, task->id };
    if (self->full && s_compare (&place, &self->places [HEAD_TASKS_MAX - 1]) > 0)
        return;
    self->places [self->count++] = place;
    if (self->count == 2 * HEAD_TASKS_MAX)
        s_cut (self);
}

/*  --- the answer -------------------------------------------------------  */

static void
s_put_text (bytes_t *out, const char *field, const char *value)
{
    value_put_string (out, field, strlen (field));
    value_put_string (out, value, strlen (value));
}

static void
s_put_number (bytes_t *out, const char *field, uint64_t value)
{
    value_put_string (out, field, strlen (field));
    value_put_uint (out, value);
}

static void
s_put (head_t *self, const head_task_report_t *task, bytes_t *out)
{
    char text [64];
    value_put_map (out, 7);
    s_put_text (out, "id", s_field (self, task, "id", 2, text));
    s_put_text (out, "function", task->function);
    s_put_text (out, "state", task->state);
    s_put_number (out, "job", task->job);
    s_put_text (out, "worker", s_field (self, task, "worker", 6, text));
    s_put_text (out, "node", s_field (self, task, "node", 4, text));
    s_put_number (out, "retries", task->retries);
}

size_t
head_put_tasks (head_t *self, const char *key, const head_filter_t *filter, bytes_t *out,
                size_t *matched)
{
    head_task_report_t task;
    first_t first = { .places = malloc (2 * HEAD_TASKS_MAX * sizeof *first.places) };
    *matched = 0;
    if (!first.places) {
        out->failed = true;
        return 0;
    }
    for (size_t cursor = 0; head_next_task (self->state, &cursor, &task);)
        if (s_is_called (self, &task, key) && s_passes (self, filter, &task)) {
            ++*matched;
            s_add (&first, &task);
        }
    s_cut (&first);
    for (size_t index = 0; index < first.count; index++)
        if (head_task (self->state, first.places [index].id, &task))
            s_put (self, &task, out);
    free (first.places);
    return first.count;
}
