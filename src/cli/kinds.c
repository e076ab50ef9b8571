/*  kinds.c - the kinds of things that the head lists, and how they look    */

#include "cli/kinds.h"

#include "cli/json.h"
#include "cli/signature.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const kind_column_t s_nodes [] = {
    { "NAME", "name", SHOW_TEXT, NULL }, { "STATE", "state", SHOW_STATE, NULL },
    { "ADDRESS", "address", SHOW_TEXT, NULL }, { "CPUS", "cpus_used", SHOW_PART, "cpus" },
    { "MEMORY", "memory", SHOW_SIZE, NULL }, { "WORKERS", "workers", SHOW_NUMBER, NULL },
    { "ACTORS", "actors", SHOW_NUMBER, NULL }, { "HEARD", "heard_ms", SHOW_MILLISECONDS, NULL },
    { "ID", "id", SHOW_NUMBER, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_node_fields [] = {
    "id", "name", "state", "address", "cpus", "cpus_used", "memory", "workers",
    "actors", "heard_ms", "refused_connections", "resources", NULL
};

static const kind_column_t s_workers [] = {
    { "ID", "id", SHOW_NUMBER, NULL }, { "WORKER", "worker", SHOW_TEXT, NULL },
    { "STATE", "state", SHOW_STATE, NULL },
    { "TASKS", "tasks", SHOW_NUMBER, NULL }, { "ACTORS", "actors", SHOW_NUMBER, NULL },
    { "PROGRAM", "program", SHOW_TEXT, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_worker_fields [] = {
    "id", "worker", "node", "pid", "program", "hash", "state", "tasks", "actors", NULL
};

static const kind_column_t s_actors [] = {
    { "ID", "id", SHOW_NUMBER, NULL }, { "NAME", "name", SHOW_TEXT, NULL },
    { "CLASS", "class", SHOW_TEXT, NULL }, { "NAMESPACE", "namespace", SHOW_TEXT, NULL },
    { "STATE", "state", SHOW_STATE, NULL }, { "NODE", "node", SHOW_TEXT, NULL },
    { "WORKER", "worker", SHOW_TEXT, NULL }, { "JOB", "job", SHOW_NUMBER, NULL },
    { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_actor_fields [] = {
    "id", "class", "name", "namespace", "state", "worker", "node", "job", "program", "hash",
    "detached", NULL
};

static const kind_column_t s_classes [] = {
    { "CLASS", "class", SHOW_TEXT, NULL }, { "PROGRAM", "program", SHOW_TEXT, NULL },
    { "METHODS", "methods", SHOW_TEXT, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_class_fields [] = {
    "program", "hash", "class", "methods", NULL
};

static const kind_column_t s_tasks [] = {
    { "ID", "id", SHOW_NUMBER, NULL }, { "FUNCTION", "function", SHOW_TEXT, NULL },
    { "STATE", "state", SHOW_STATE, NULL }, { "JOB", "job", SHOW_NUMBER, NULL },
    { "NODE", "node", SHOW_TEXT, NULL }, { "WORKER", "worker", SHOW_TEXT, NULL },
    { "RETRIES", "retries", SHOW_NUMBER, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_task_fields [] = {
    "id", "function", "state", "job", "worker", "node", "retries", NULL
};

static const kind_column_t s_jobs [] = {
    { "ID", "id", SHOW_NUMBER, NULL }, { "PROGRAM", "program", SHOW_TEXT, NULL },
    { "DRIVER", "driver", SHOW_TEXT, NULL }, { "NAMESPACE", "namespace", SHOW_TEXT, NULL },
    { "TASKS", "tasks", SHOW_NUMBER, NULL }, { "CPUS", "cpus", SHOW_NUMBER, NULL },
    { "ACTORS", "actors", SHOW_NUMBER, NULL }, { "SINCE", "since_s", SHOW_SECONDS, NULL },
    { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_job_fields [] = {
    "id", "driver", "program", "hash", "namespace", "tasks", "workers", "actors", "cpus",
    "since_s", NULL
};

static const kind_column_t s_functions [] = {
    { "FUNCTION", "function", SHOW_TEXT, NULL }, { "PROGRAM", "program", SHOW_TEXT, NULL },
    { "READY", "ready", SHOW_NUMBER, NULL }, { "MEAN", "mean_ms", SHOW_SPAN, NULL },
    { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_function_fields [] = {
    "program", "hash", "function", "mean_ms", "ready", NULL
};

static const kind_column_t s_tokens [] = {
    { "NAME", "name", SHOW_TEXT, NULL }, { "NODES", "nodes", SHOW_NUMBER, NULL },
    { "PROCESSES", "processes", SHOW_NUMBER, NULL }, { "KEY", "key", SHOW_TEXT, NULL },
    { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_token_fields [] = {
    "name", "key", "nodes", "processes", NULL
};

static const kind_column_t s_objects [] = {
    { "ID", "id", SHOW_NUMBER, NULL }, { "SIZE", "size", SHOW_SIZE, NULL },
    { "KIND", "kind", SHOW_TEXT, NULL }, { "STATE", "state", SHOW_STATE, NULL },
    { "STORE", "store", SHOW_TEXT, NULL }, { "HELD BY", "holders", SHOW_TEXT, NULL },
    { "MADE BY", "creator", SHOW_TEXT, NULL }, { "PINS", "pins", SHOW_NUMBER, NULL },
    { "AGE", "age_s", SHOW_SECONDS, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_object_fields [] = {
    "id", "size", "kind", "state", "store", "creator", "pins", "age_s", "holders", NULL
};

static const kind_column_t s_stores [] = {
    { "STORE", "store", SHOW_TEXT, NULL }, { "KIND", "kind", SHOW_TEXT, NULL },
    { "USED", "used", SHOW_SIZE, NULL }, { "OF", "memory", SHOW_SIZE, NULL },
    { "PINNED", "pinned", SHOW_SIZE, NULL }, { "ON DISK", "spilled", SHOW_SIZE, NULL },
    { "OBJECTS", "objects", SHOW_NUMBER, NULL }, { "COPIES", "copies", SHOW_NUMBER, NULL },
    { "WAITING", "waiting", SHOW_NUMBER, NULL }, { "SENT", "sent", SHOW_SIZE, NULL },
    { "RECEIVED", "received", SHOW_SIZE, NULL }, { NULL, NULL, SHOW_TEXT, NULL }
};
static const char *const s_store_fields [] = {
    "store", "kind", "memory", "used", "pinned", "spilled", "objects", "copies", "clients",
    "waiting", "sent", "received", "spills", "restores", "repeated", NULL
};

static const kind_t s_kinds [] = {
    { "nodes", "node", s_nodes, s_node_fields, { "name" }, { "id", "name" } },
    { "workers", "worker", s_workers, s_worker_fields, { "node", "id" }, { "id", "worker" } },
    { "actors", "actor", s_actors, s_actor_fields, { "namespace", "~name", "id" },
      { "id", "name" } },
    { "classes", "class", s_classes, s_class_fields, { "class", "program", "hash" },
      { "class" } },
    { "functions", "function", s_functions, s_function_fields, { "function", "program", "hash" },
      { "function" } },
    { "tasks", "task", s_tasks, s_task_fields, { "job", "id" }, { "id" } },
    { "jobs", "job", s_jobs, s_job_fields, { "id" }, { "id", "driver" } },
    { "objects", "object", s_objects, s_object_fields, { "-size", "id" }, { "id" } },
    { "stores", "store", s_stores, s_store_fields, { "store" }, { "store" } },
    { "tokens", "token", s_tokens, s_token_fields, { "name" }, { "name" } }
};

const char kind_names [] = "nodes, workers, actors, classes, functions, tasks, jobs, objects, stores "
                          "or tokens";

const kind_t *
kind_find (const char *name)
{
    for (size_t i = 0; i < sizeof s_kinds / sizeof s_kinds [0]; i++)
        if (strcmp (name, s_kinds [i].name) == 0 || strcmp (name, s_kinds [i].single) == 0)
            return &s_kinds [i];
    return NULL;
}

bool
kind_has_field (const kind_t *kind, const char *field)
{
    for (const char *const *each = kind->fields; *each; each++)
        if (strcmp (*each, field) == 0)
            return true;
    return false;
}

kind_column_t
kind_plain_column (const kind_t *kind, const char *field)
{
    for (const kind_column_t *each = kind->columns; each->title; each++)
        if (strcmp (each->field, field) == 0 && each->show != SHOW_PART)
            return *each;
    show_t show = strcmp (field, "cpus") == 0 || strcmp (field, "cpus_used") == 0 ? SHOW_NUMBER
                  : strcmp (field, "resources") == 0                              ? SHOW_RESOURCES
                                                                                  : SHOW_TEXT;
    return (kind_column_t){ field, field, show, NULL };
}

/*  --- values as text ----------------------------------------------------- */

__attribute__ ((format (printf, 1, 2))) static char *
s_text (const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start (args, format);
    if (vasprintf (&text, format, args) < 0)
        text = NULL;
    va_end (args);
    return text;
}

char *
text_of_amount (double amount)
{
    return s_text ("%.10g", amount);
}

char *
text_of_size (double bytes)
{
    static const char *const units [] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    size_t unit = 0;
    while (bytes >= 1023.5 && unit < 5) {
        bytes /= 1024;
        unit++;
    }
    return s_text (unit > 0 && bytes < 99.95 ? "%.1f %s" : "%.0f %s", bytes, units [unit]);
}

char *
text_of_seconds (double seconds)
{
    if (seconds < 9.95)
        return s_text ("%.1f s", seconds > 0 ? seconds : 0);
    long whole = (long) (seconds + 0.5);
    if (whole < 60)
        return s_text ("%ld s", whole);
    if (whole < 3600)
        return s_text ("%ld min %02ld s", whole / 60, whole % 60);
    if (whole < 86400)
        return s_text ("%ld h %02ld min", whole / 3600, whole / 60 % 60);
    return s_text ("%ld d %02ld h", whole / 86400, whole / 3600 % 24);
}

/*  "memory 1.0 GiB of 8.0 GiB": how much of a resource is in use.          */
static int
s_print_resource (FILE *file, troupe_view_t key, troupe_view_t amounts)
{
    const char *name;
    double used, total;
    troupe_view_t inside, first, second;
    if (troupe_read (key, &name) || troupe_view_enter (amounts, &inside)
        || troupe_view_next (&inside, &first) != 1 || troupe_view_next (&inside, &second) != 1
        || troupe_read (first, &used) || troupe_read (second, &total))
        return -1;
    bool bytes = strcmp (name, "memory") == 0;
    char *part = bytes ? text_of_size (used) : text_of_amount (used);
    char *whole = bytes ? text_of_size (total) : text_of_amount (total);
    fprintf (file, "%s %s of %s", name, part ? part : "?", whole ? whole : "?");
    free (part);
    free (whole);
    return 0;
}

/*  The next item of a list, or pair of a map. Returns 1, or 0 at the end.  */
static int
s_print_item (FILE *file, troupe_view_t *inside, bool map)
{
    troupe_view_t item, amounts;
    const char *word;
    if (troupe_view_next (inside, &item) != 1)
        return 0;
    if (map)
        return troupe_view_next (inside, &amounts) == 1
               && s_print_resource (file, item, amounts) == 0;
    if (signature_is (item))
        signature_print (file, item);
    else if (troupe_view_type (item) == TROUPE_STRING && troupe_read (item, &word) == 0)
        fputs (word, file);
    else
        json_print (file, item);
    return 1;
}

char *
kind_items (troupe_view_t value, const char *separator)
{
    char *text = NULL;
    size_t size = 0;
    troupe_view_t inside;
    long end = 0;
    bool map = troupe_view_type (value) == TROUPE_MAP;
    FILE *file = open_memstream (&text, &size);
    if (!file)
        return NULL;
    if (troupe_view_enter (value, &inside) == 0)
        while (s_print_item (file, &inside, map)) {
            end = ftell (file);
            fputs (separator, file);
        }
    if (fclose (file) == 0 && end >= 0) {
        text [end] = 0;
        return text;
    }
    free (text);
    return NULL;
}

static char *
s_value (troupe_view_t value)
{
    const char *word;
    double real;
    char *text = NULL;
    size_t size = 0;
    if (troupe_view_type (value) == TROUPE_STRING)
        return troupe_read (value, &word) == 0 && word ? strdup (word) : NULL;
    if (troupe_view_type (value) == TROUPE_REAL)
        return troupe_read (value, &real) == 0 ? text_of_amount (real) : NULL;
    if (troupe_view_type (value) == TROUPE_LIST)
        return kind_items (value, ", ");
    FILE *file = open_memstream (&text, &size);
    if (!file)
        return NULL;
    int rc = json_print (file, value);
    if (fclose (file) == 0 && rc == 0)
        return text;
    free (text);
    return NULL;
}

char *
kind_field (troupe_view_t row, const char *field)
{
    troupe_view_t value;
    if (troupe_view_field (row, field, &value) || troupe_view_type (value) == TROUPE_NIL)
        return strdup ("");
    return s_value (value);
}

/*  "2/4": a number of another.                                             */
static char *
s_part (troupe_view_t row, double part, const char *whole_field)
{
    troupe_view_t value;
    double whole = 0;
    if (troupe_view_field (row, whole_field, &value) || troupe_read (value, &whole))
        return text_of_amount (part);
    char *first = text_of_amount (part), *second = text_of_amount (whole);
    char *text = first && second ? s_text ("%s/%s", first, second) : NULL;
    free (first);
    free (second);
    return text;
}

char *
kind_text (troupe_view_t row, const kind_column_t *column)
{
    troupe_view_t value;
    double number;
    if (troupe_view_field (row, column->field, &value)
        || troupe_view_type (value) == TROUPE_NIL)
        return strdup ("-");
    bool counted = troupe_view_type (value) == TROUPE_INTEGER
                   || troupe_view_type (value) == TROUPE_REAL;
    if (counted && troupe_read (value, &number) == 0)
        switch (column->show) {
        case SHOW_PART:
            return s_part (row, number, column->whole);
        case SHOW_SIZE:
            return text_of_size (number);
        case SHOW_MILLISECONDS:
            return text_of_seconds (number / 1000);
        case SHOW_SPAN:
            return number < 999.5 ? s_text ("%.3g ms", number) : text_of_seconds (number / 1000);
        case SHOW_SECONDS:
            return text_of_seconds (number);
        default:
            break;
        }
    char *text = column->show == SHOW_RESOURCES ? kind_items (value, ", ") : s_value (value);
    if (text && !*text) {
        free (text);
        text = strdup ("-");
    }
    return text;
}

bool
kind_is (const kind_t *kind, troupe_view_t row, const char *key)
{
    bool found = false;
    for (size_t i = 0; i < KIND_NAMES_MAX && kind->names [i] && !found; i++) {
        char *text = kind_field (row, kind->names [i]);
        size_t length = strlen (key);
        found = text && strcmp (text, key) == 0;
        /*  "worker 3" for "worker 3 (pid 4711) on alpha".                  */
        if (text && i > 0 && strncmp (text, key, length) == 0)
            found = found || strncmp (text + length, " (pid ", 6) == 0;
        free (text);
    }
    return found;
}

/*  --- order --------------------------------------------------------------- */

/*  A text that stands where the row does among others.                     */
static char *
s_order_text (const kind_t *kind, troupe_view_t row)
{
    char *order = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&order, &size);
    for (size_t i = 0; file && i < KIND_ORDER_MAX && kind->order [i]; i++) {
        const char *by = kind->order [i];
        bool falls = *by == '-', late = *by == '~';
        char *field = kind_field (row, by + (falls || late));
        const char *text = field ? field : "";
        if (falls)
            fprintf (file, "%lld\1", LLONG_MAX - strtoll (text, NULL, 10));
        else
            fprintf (file, "%s\1", late && !*text ? "\177" : text);
        free (field);
    }
    if (file && fclose (file) == 0)
        return order;
    free (order);
    return NULL;
}

static int
s_compare (const void *a, const void *b)
{
    const kind_row_t *first = a, *second = b;
    return strverscmp (first->order ? first->order : "", second->order ? second->order : "");
}

kind_row_t *
kind_sort (const kind_t *kind, troupe_view_t rows, size_t *count)
{
    troupe_view_t inside;
    size_t room = troupe_view_count (rows);
    kind_row_t *list = calloc (room + 1, sizeof *list);
    *count = 0;
    if (!list || troupe_view_enter (rows, &inside))
        return list;
    while (*count < room && troupe_view_next (&inside, &list [*count].row) == 1) {
        list [*count].order = s_order_text (kind, list [*count].row);
        (*count)++;
    }
    qsort (list, *count, sizeof *list, s_compare);
    for (size_t i = 0; i < *count; i++)
        free (list [i].order);
    return list;
}
