/*  head_classes.c - the head's shell: what the classes of programs and modules
    offer, as their workers have said it                                    */

#include "core/parameter.h"
#include "head/head_shell.h"

#include <stdlib.h>

/*  Classes that are remembered; beyond that, those are forgotten of which no
    worker has spoken for the longest time.                                 */
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
s_free (class_note_t *note)
{
    bytes_release (&note->methods);
    free (note->name);
    free (note);
}

const class_note_t *
head_class (const head_t *self, uint32_t program, const char *name)
{
    for (const list_node_t *at = self->classes.next; at != &self->classes; at = at->next) {
        const class_note_t *note = container_of (at, class_note_t, node);
        if (note->program == program && strcmp (note->name, name) == 0)
            return note;
    }
    return NULL;
}

/*  The newest word on a class counts.                                      */
static void
s_keep (head_t *self, class_note_t *note)
{
    class_note_t *before = (class_note_t *) head_class (self, note->program, note->name);
    if (before) {
        list_remove (&before->node);
        s_free (before);
    } else if (self->class_count == CLASSES_MAX)
        s_free (container_of (list_pop (&self->classes), class_note_t, node));
    else
        self->class_count++;
    list_append (&self->classes, &note->node);
}

static void
s_note_class (head_t *self, uint32_t program, reader_t reader)
{
    msgpack_token_t list, name;
    if (token_next (reader.data, reader.size, &reader.offset, &list) || list.type != TROUPE_LIST
        || list.count % 2 == 0 || list.count > 1 + 2 * TROUPE_METHODS_MAX
        || s_read_name (&reader, &name))
        return;
    class_note_t *note = calloc (1, sizeof *note);
    if (!note)
        return;
    note->program = program;
    note->name = bytes_text (name.data, name.size);
    if (note->name && s_methods (&reader, list.count / 2, &note->methods) == 0
        && !note->methods.failed)
        s_keep (self, note);
    else
        s_free (note);
}

void
head_note_classes (head_t *self, uint32_t program, const uint8_t *data, size_t size)
{
    reader_t reader = { data, size, 0 };
    msgpack_token_t list;
    if (token_next (data, size, &reader.offset, &list) || list.type != TROUPE_LIST)
        return;
    for (size_t left = list.count; left; left--) {
        reader_t class = reader;
        if (value_skip (data, size, &reader.offset))
            return;
        class.size = reader.offset;
        s_note_class (self, program, class);
    }
}

void
head_more_classes (head_t *self, const peer_t *worker, const record_t *record)
{
    const identity_t *identity = &worker->identity;
    if (identity->has_program && value_check (record->body, record->body_size, true))
        head_note_classes (self, head_program (self->state, identity->program), record->body,
                           record->body_size);
}

void
head_classes_destroy (head_t *self)
{
    for (list_node_t *node; (node = list_pop (&self->classes));)
        s_free (container_of (node, class_note_t, node));
}
