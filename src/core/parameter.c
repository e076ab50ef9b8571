/*  parameter.c - what a method says that it takes                          */

#include "core/parameter.h"

#include <string.h>

static const char *const s_types [] = {
#define PARAMETER_TEXT_(name, text) text,
    PARAMETER_TYPES (PARAMETER_TEXT_)
#undef PARAMETER_TEXT_
};

const char *
parameter_type_text (parameter_type_t type)
{
    return type < PARAMETER_TYPE_LIMIT ? s_types [type] : "?";
}

parameter_type_t
parameter_type (const char *text, size_t size)
{
    for (int type = 0; type < PARAMETER_TYPE_LIMIT; type++)
        if (strlen (s_types [type]) == size && memcmp (s_types [type], text, size) == 0)
            return (parameter_type_t) type;
    return PARAMETER_TYPE_LIMIT;
}

static const char *
s_skip_blanks (const char *text)
{
    return text + strspn (text, " \t\n");
}

/*  The length of a name as C has them; 0: it is none.                      */
static size_t
s_name (const char *text)
{
    static const char letters [] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char digits []
        = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return strspn (text, letters) ? strspn (text, digits) : 0;
}

int
parameter_next (const char **declaration, parameter_t *parameter, fault_t *fault)
{
    const char *text = s_skip_blanks (*declaration);
    if (!*text)
        return 0;
    parameter->name = text;
    parameter->name_size = s_name (text);
    text = s_skip_blanks (text + parameter->name_size);
    if (!parameter->name_size || *text != ':')
        return fault_set (fault, TROUPE_EINVAL, "wanted NAME: TYPE, not '%.40s'",
                          parameter->name);
    text = s_skip_blanks (text + 1);
    size_t size = s_name (text);
    parameter->type = parameter_type (text, size);
    if (parameter->type == PARAMETER_TYPE_LIMIT)
        return fault_set (fault, TROUPE_EINVAL, "'%.*s' has no type that there is: '%.*s'",
                          (int) parameter->name_size, parameter->name, size ? (int) size : 40,
                          text);
    text = s_skip_blanks (text + size);
    if (*text && (*text != ',' || !*s_skip_blanks (text + 1)))
        return fault_set (fault, TROUPE_EINVAL, "wanted a comma and a parameter, not '%.40s'",
                          text);
    *declaration = text + (*text == ',');
    return 1;
}

int
parameters_count (const char *declaration, fault_t *fault)
{
    parameter_t parameter;
    int count = 0, rc;
    if (strlen (declaration) > TROUPE_PARAMETERS_MAX)
        return fault_set (fault, TROUPE_ESIZE, "it has more than %d bytes",
                          TROUPE_PARAMETERS_MAX);
    while ((rc = parameter_next (&declaration, &parameter, fault)) == 1)
        count++;
    return rc ? -1 : count;
}
