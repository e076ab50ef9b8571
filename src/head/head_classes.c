/*  head_classes.c - the head's shell: what the classes of programs and modules
    offer, as their workers have said it

    All workers of a program have the same classes, and what they say is read
    once. A module is a file of a machine: it may be another on the next one, or
    be built anew while workers have the old one, so a worker that loads one
    tells what it has, and its actors are what it says.                     */

#include "core/parameter.h"
#include "head/head_shell.h"

#include <stdlib.h>

/*  Classes that are remembered. Beyond that, those are forgotten that no worker
    has any more, and if there are none, new ones are not taken in.         */
#define CLASSES_MAX 4096

/*  --- reading ----------------------------------------------------------  */

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t offset;
} reader_t;

/*  A text that is a name, without a NUL.                                   */
static int
s_read_name (reader_t *self, msgpack_token_t *name)
{
    return token_next (self->data, self->size, &self->offset, name)
                   || name->type != TROUPE_STRING || !name->size || name->size > TROUPE_NAME_MAX
                   || memchr (name->data, 0, name->size)
               ? -1
               : 0;
}

/*  What a method takes; NULL data for one that does not say it.            */
static int
s_read_parameters (reader_t *self, char text [TROUPE_PARAMETERS_MAX + 1], bool *declared)
{
    fault_t fault;
    msgpack_token_t token;
    if (token_next (self->data, self->size, &self->offset, &token)
        || (token.type != TROUPE_STRING && token.type != TROUPE_NIL)
        || token.size > TROUPE_PARAMETERS_MAX)
        return -1;
    *declared = token.type == TROUPE_STRING;
    if (*declared && token.size)
        memcpy (text, token.data, token.size);
    text [*declared ? token.size : 0] = 0;
    return strlen (text) == (*declared ? token.size : 0) ? parameters_count (text, &fault) : -1;
}

/*  --- an answer in the making ------------------------------------------  */

static int
s_put_text (bytes_t *out, const char *field, const char *value, size_t size)
{
    return value_put_string (out, field, strlen (field)) || value_put_string (out, value, size)
               ? -1
               : 0;
}

static int
s_put_parameters (bytes_t *out, const char *text, bool declared)
{
    fault_t fault;
    parameter_t parameter;
    troupe_arg_t nil = troupe_nil ();
    if (value_put_string (out, "parameters", 10))
        return -1;
    if (!declared)
        return value_write (out, &nil, NULL, &fault);
    int rc = value_put_array (out, (size_t) parameters_count (text, &fault));
    while (rc == 0 && parameter_next (&text, &parameter, &fault) == 1) {
        const char *type = parameter_type_text (parameter.type);
        rc = value_put_map (out, 2)
                     || s_put_text (out, "name", parameter.name, parameter.name_size)
                     || s_put_text (out, "type", type, strlen (type))
                 ? -1
                 : 0;
    }
    return rc;
}

/*  Reads the methods of a class, which are so many, and writes them as they
    are answered.                                                           */
static int
s_methods (reader_t *reader, size_t count, bytes_t *out)
{
    char text [TROUPE_PARAMETERS_MAX + 1];
    bool declared;
    msgpack_token_t name;
    int rc = value_put_array (out, count);
    while (rc == 0 && count--)
        rc = s_read_name (reader, &name) || s_read_parameters (reader, text, &declared) < 0
                     || value_put_map (out, 2)
                     || s_put_text (out, "name", (const char *) name.data, name.size)
                     || s_put_parameters (out, text, declared)
                 ? -1
                 : 0;
    return rc;
}

/*  --- what is known ----------------------------------------------------  */

static void
s_note_release (class_note_t *note)
{
    bytes_release (&note->methods);
    free (note->name);
}

static void
s_set_destroy (class_set_t *set)
{
    for (size_t index = 0; index < set->count; index++)
        s_note_release (&set->notes [index]);
    free (set->notes);
    bytes_release (&set->content);
    free (set);
}

static const class_note_t *
s_find (const class_set_t *set, const char *name)
{
    for (size_t index = 0; index < set->count; index++)
        if (strcmp (set->notes [index].name, name) == 0)
            return &set->notes [index];
    return NULL;
}

const class_note_t *
head_class (const head_t *self, const peer_t *worker, uint32_t program, const char *name)
{
    const class_note_t *note
        = worker && worker->classes ? s_find (worker->classes, name) : NULL;
    for (const list_node_t *at = self->class_sets.prev; !note && at != &self->class_sets;
         at = at->prev) {
        const class_set_t *set = container_of (at, class_set_t, node);
        note = set->program == program ? s_find (set, name) : NULL;
    }
    return note;
}

/*  Of two classes of one name, a program has the first.                    */
static void
s_note_class (class_set_t *set, reader_t reader)
{
    msgpack_token_t list, name;
    if (token_next (reader.data, reader.size, &reader.offset, &list) || list.type != TROUPE_LIST
        || list.count % 2 == 0 || list.count > 1 + 2 * TROUPE_METHODS_MAX
        || s_read_name (&reader, &name))
        return;
    class_note_t note = { .name = bytes_text (name.data, name.size) };
    if (note.name && !s_find (set, note.name)
        && s_methods (&reader, list.count / 2, &note.methods) == 0 && !note.methods.failed)
        set->notes [set->count++] = note;
    else
        s_note_release (&note);
}

/*  The list begins at the reader's offset. NULL if there is no memory.     */
static class_set_t *
s_set_new (uint32_t program, reader_t reader, size_t count)
{
    class_set_t *set = calloc (1, sizeof *set);
    if (!set)
        return NULL;
    set->program = program;
    set->notes = calloc (count ? count : 1, sizeof *set->notes);
    for (; set->notes && count; count--) {
        reader_t class = reader;
        if (value_skip (reader.data, reader.size, &reader.offset))
            break;
        class.size = reader.offset;
        s_note_class (set, class);
    }
    if (set->notes)
        return set;
    free (set);
    return NULL;
}

static void
s_forget (head_t *self, class_set_t *set)
{
    self->class_count -= set->count;
    list_remove (&set->node);
    name_table_remove (&self->class_contents, (const char *) set->content.data,
                       set->content.size);
    s_set_destroy (set);
}

/*  Makes room for so many classes by forgetting those that no worker has any
    more, the oldest first.                                                 */
static bool
s_make_room (head_t *self, size_t count)
{
    for (list_node_t *at = self->class_sets.next, *next;
         self->class_count + count > CLASSES_MAX && at != &self->class_sets; at = next) {
        class_set_t *set = container_of (at, class_set_t, node);
        next = at->next;
        if (!set->workers)
            s_forget (self, set);
    }
    return self->class_count + count <= CLASSES_MAX;
}

/*  The set that has been read from the same bytes for the program, or a new
    one; NULL if there are too many, or no memory.                          */
static class_set_t *
s_set (head_t *self, uint32_t program, reader_t reader, size_t count)
{
    bytes_t content = { 0 };
    bytes_append (&content, &program, sizeof program);
    bytes_append (&content, reader.data, reader.size);
    class_set_t *set = content.failed
                           ? NULL
                           : name_table_get (&self->class_contents, (const char *) content.data,
                                             content.size);
    if (set || content.failed || !(set = s_set_new (program, reader, count))) {
        bytes_release (&content);
        return set;
    }
    set->content = content;
    if (s_make_room (self, set->count)
        && name_table_put (&self->class_contents, (const char *) content.data, content.size,
                           set)
               == 0) {
        self->class_count += set->count;
        return set;
    }
    s_set_destroy (set);
    return NULL;
}

void
head_note_classes (head_t *self, peer_t *worker, uint32_t program, const uint8_t *data,
                   size_t size)
{
    reader_t reader = { data, size, 0 };
    msgpack_token_t list;
    size_t end = 0;
    if (value_skip (data, size, &end)
        || token_next (data, size, &reader.offset, &list) || list.type != TROUPE_LIST || list.count > CLASSES_MAX)
        return;
    reader.size = end;
    class_set_t *set = s_set (self, program, reader, list.count);
    head_forget_classes (worker);
    worker->classes = set;
    if (!set)
        return;
    set->workers++;
    list_remove (&set->node);
    list_append (&self->class_sets, &set->node);
}

void
head_more_classes (head_t *self, peer_t *worker, const record_t *record)
{
    const identity_t *identity = &worker->identity;
    if (identity->has_program && value_check (record->body, record->body_size, true))
        head_note_classes (self, worker, head_program (self->state, identity->program),
                           record->body, record->body_size);
}

void
head_forget_classes (peer_t *worker)
{
    if (worker->classes)
        worker->classes->workers--;
    worker->classes = NULL;
}

/*  Whether a set that was told of later stands for what this one says of the
    class: with the same words, or because no worker has these any more.    */
static bool
s_is_covered (const head_t *self, const class_set_t *set, const class_note_t *note)
{
    for (const list_node_t *at = set->node.next; at != &self->class_sets; at = at->next) {
        const class_set_t *later = container_of (at, class_set_t, node);
        const class_note_t *other
            = later->program == set->program ? s_find (later, note->name) : NULL;
        if (other
            && (!set->workers
                || (other->methods.size == note->methods.size
                    && memcmp (other->methods.data, note->methods.data, note->methods.size)
                           == 0)))
            return true;
    }
    return false;
}

bool
head_next_class (const head_t *self, class_cursor_t *cursor)
{
    if (!cursor->set)
        cursor->set = container_of (self->class_sets.next, class_set_t, node);
    while (&cursor->set->node != &self->class_sets) {
        if (cursor->index == cursor->set->count) {
            cursor->set = container_of (cursor->set->node.next, class_set_t, node);
            cursor->index = 0;
            continue;
        }
        cursor->note = &cursor->set->notes [cursor->index++];
        if (!s_is_covered (self, cursor->set, cursor->note))
            return true;
    }
    return false;
}

void
head_classes_destroy (head_t *self)
{
    for (list_node_t *node; (node = list_pop (&self->class_sets));)
        s_set_destroy (container_of (node, class_set_t, node));
    name_table_release (&self->class_contents);
}
