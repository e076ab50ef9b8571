/*  signature.c - methods, as the head tells of them                        */

#include "cli/signature.h"

#include <string.h>

/*  A text of a map; "" if there is none.                                   */
static const char *
s_text (troupe_view_t map, const char *field)
{
    troupe_view_t value;
    const char *text;
    return troupe_view_field (map, field, &value) == 0
                   && troupe_view_type (value) == TROUPE_STRING
                   && troupe_read (value, &text) == 0
               ? text
               : "";
}

bool
signature_is (troupe_view_t value)
{
    troupe_view_t parameters;
    return troupe_view_type (value) == TROUPE_MAP && *s_text (value, "name")
           && troupe_view_field (value, "parameters", &parameters) == 0;
}

void
signature_print (FILE *file, troupe_view_t method)
{
    troupe_view_t parameters, inside, parameter;
    const char *separator = "";
    fputs (s_text (method, "name"), file);
    if (troupe_view_field (method, "parameters", &parameters)
        || troupe_view_enter (parameters, &inside))
        return;
    fputs (" (", file);
    while (troupe_view_next (&inside, &parameter) == 1) {
        fprintf (file, "%s%s: %s", separator, s_text (parameter, "name"),
                 s_text (parameter, "type"));
        separator = ", ";
    }
    putc (')', file);
}

/*  A type that this command does not know is taken as any.                 */
static void
s_read (troupe_view_t method, signature_t *self)
{
    troupe_view_t parameters, inside, item;
    *self = (signature_t){ .declared = false };
    if (troupe_view_field (method, "parameters", &parameters)
        || troupe_view_enter (parameters, &inside))
        return;
    self->declared = true;
    while (self->count < SIGNATURE_PARAMETERS_MAX && troupe_view_next (&inside, &item) == 1) {
        const char *name = s_text (item, "name"), *type = s_text (item, "type");
        parameter_type_t known = parameter_type (type, strlen (type));
        self->parameters [self->count++]
            = (parameter_t){ name, strlen (name),
                             known == PARAMETER_TYPE_LIMIT ? PARAMETER_ANY : known };
    }
}

int
signature_find (troupe_view_t methods, const char *class_name, const char *name,
                signature_t *signature)
{
    troupe_view_t inside, method;
    size_t length = strlen (class_name);
    bool full = strncmp (name, class_name, length) == 0 && name [length] == '_';
    if (troupe_view_enter (methods, &inside))
        return -1;
    while (troupe_view_next (&inside, &method) == 1) {
        const char *each = s_text (method, "name");
        if (strcmp (each, name) == 0 || (full && strcmp (each, name + length + 1) == 0)) {
            s_read (method, signature);
            return 0;
        }
    }
    return -1;
}
