/*  convert.c - words of the command line as the values that a method takes */

#include "cli/convert.h"

#include "cli/json.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t least;
    int64_t most;
} range_t;

/*  Of the integers that int64_t holds.                                     */
static const range_t *
s_range (parameter_type_t type)
{
    static const range_t ranges [PARAMETER_TYPE_LIMIT]
        = { [PARAMETER_INT8] = { INT8_MIN, INT8_MAX },
            [PARAMETER_INT16] = { INT16_MIN, INT16_MAX },
            [PARAMETER_INT32] = { INT32_MIN, INT32_MAX },
            [PARAMETER_INT64] = { INT64_MIN, INT64_MAX },
            [PARAMETER_UINT8] = { 0, UINT8_MAX },
            [PARAMETER_UINT16] = { 0, UINT16_MAX },
            [PARAMETER_UINT32] = { 0, UINT32_MAX },
            [PARAMETER_INT32S] = { INT32_MIN, INT32_MAX },
            [PARAMETER_INT64S] = { INT64_MIN, INT64_MAX } };
    return &ranges [type];
}

const char *
convert_wanted (parameter_type_t type)
{
    static const char *const texts [PARAMETER_TYPE_LIMIT]
        = { [PARAMETER_ANY] = "JSON, else a string",
            [PARAMETER_BOOL] = "true or false",
            [PARAMETER_INT8] = "an integer from -128 to 127",
            [PARAMETER_INT16] = "an integer from -32768 to 32767",
            [PARAMETER_INT32] = "an integer from -2147483648 to 2147483647",
            [PARAMETER_INT64] = "an integer from -9223372036854775808 to 9223372036854775807",
            [PARAMETER_UINT8] = "an integer from 0 to 255",
            [PARAMETER_UINT16] = "an integer from 0 to 65535",
            [PARAMETER_UINT32] = "an integer from 0 to 4294967295",
            [PARAMETER_UINT64] = "an integer from 0 to 18446744073709551615",
            [PARAMETER_FLOAT] = "a number that a float holds",
            [PARAMETER_DOUBLE] = "a number that a double holds",
            [PARAMETER_STRING] = "a string",
            [PARAMETER_BYTES] = "bytes as they stand, or {\"base64\": \"...\"}",
            [PARAMETER_INT32S] = "a JSON array of integers from -2147483648 to 2147483647",
            [PARAMETER_INT64S]
            = "a JSON array of integers from -9223372036854775808 to 9223372036854775807",
            [PARAMETER_FLOATS] = "a JSON array of numbers that a float holds",
            [PARAMETER_DOUBLES] = "a JSON array of numbers",
            [PARAMETER_STRINGS] = "a JSON array of strings",
            [PARAMETER_LIST] = "a JSON array",
            [PARAMETER_MAP] = "a JSON object",
            [PARAMETER_ACTOR] = "the name of an actor",
            [PARAMETER_FUTURE] = "a future, which cannot be given on the command line" };
    return texts [type];
}

/*  --- scalars ------------------------------------------------------------ */

static bool
s_is_number (const char *word)
{
    return isdigit ((unsigned char) word [*word == '-']);
}

static int
s_integer (troupe_packer_t *packer, parameter_type_t type, const char *word)
{
    const range_t *range = s_range (type);
    char *end;
    errno = 0;
    long long number = strtoll (word, &end, 10);
    if (!s_is_number (word) || *end || errno || number < range->least || number > range->most)
        return -1;
    return troupe_pack (packer, (int64_t) number);
}

static int
s_unsigned (troupe_packer_t *packer, const char *word)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull (word, &end, 10);
    if (!isdigit ((unsigned char) *word) || *end || errno)
        return -1;
    return troupe_pack (packer, (uint64_t) number);
}

static bool
s_fits_float (double number)
{
    return !isfinite (number) || fabs (number) <= (double) FLT_MAX;
}

/*  With "inf" and "nan", which JSON does not have.                         */
static int
s_real (troupe_packer_t *packer, parameter_type_t type, const char *word)
{
    char *end;
    errno = 0;
    double number = strtod (word, &end);
    if (isspace ((unsigned char) *word) || end == word || *end
        || (errno == ERANGE && isinf (number))
        || (type == PARAMETER_FLOAT && !s_fits_float (number)))
        return -1;
    return troupe_pack (packer, number);
}

static int
s_bool (troupe_packer_t *packer, const char *word)
{
    bool truth = strcmp (word, "true") == 0;
    return truth || strcmp (word, "false") == 0 ? troupe_pack (packer, truth) : -1;
}

/*  The text of {"base64": "..."}, borrowed from the JSON; NULL: another word. */
static const char *
s_base64 (const json_t *json)
{
    return json_is_object (json) && json_object_size (json) == 1
               ? json_string_value (json_object_get (json, "base64"))
               : NULL;
}

static int
s_bytes (troupe_packer_t *packer, const char *word)
{
    json_t *json = *word == '{' ? json_loads (word, 0, NULL) : NULL;
    const char *text = s_base64 (json);
    size_t size = text ? strlen (text) : strlen (word);
    unsigned char *bytes = text ? malloc (size + 1) : NULL;
    int rc = -1;
    if (!text)
        rc = troupe_pack (packer, troupe_bytes (word, size));
    else if (bytes
             && sodium_base642bin (bytes, size + 1, text, size, NULL, &size, NULL,
                                   sodium_base64_VARIANT_ORIGINAL)
                    == 0)
        rc = troupe_pack (packer, troupe_bytes (bytes, size));
    free (bytes);
    json_decref (json);
    return rc;
}

/*  --- arrays ------------------------------------------------------------- */

/*  An item of an array, into its place.                                    */
static int
s_item (parameter_type_t type, const json_t *item, void *items, size_t index)
{
    const range_t *range = s_range (type);
    int64_t integer = json_integer_value (item);
    double number = json_number_value (item);
    switch (type) {
    case PARAMETER_INT32S:
        ((int32_t *) items) [index] = (int32_t) integer;
        return json_is_integer (item) && integer >= range->least && integer <= range->most ? 0
                                                                                           : -1;
    case PARAMETER_INT64S:
        ((int64_t *) items) [index] = integer;
        return json_is_integer (item) ? 0 : -1;
    case PARAMETER_FLOATS:
        if (!json_is_number (item) || !s_fits_float (number))
            return -1;
        ((float *) items) [index] = (float) number;
        return 0;
    case PARAMETER_DOUBLES:
        ((double *) items) [index] = number;
        return json_is_number (item) ? 0 : -1;
    default:
        ((const char **) items) [index] = json_string_value (item);
        return json_is_string (item) ? 0 : -1;
    }
}

static troupe_arg_t
s_array_arg (parameter_type_t type, const void *items, size_t count)
{
    switch (type) {
    case PARAMETER_INT32S:
        return troupe_int32s (items, count);
    case PARAMETER_INT64S:
        return troupe_int64s (items, count);
    case PARAMETER_FLOATS:
        return troupe_floats (items, count);
    case PARAMETER_DOUBLES:
        return troupe_doubles (items, count);
    default:
        return troupe_strings (items, count);
    }
}

static int
s_array (troupe_packer_t *packer, parameter_type_t type, const json_t *json,
         char why [CONVERT_WHY_SIZE])
{
    size_t count = json_array_size (json), index;
    json_t *item;
    if (!json_is_array (json))
        return -1;
    void *items = calloc (count + 1, sizeof (int64_t));
    int rc = items ? 0 : -1;
    json_array_foreach (json, index, item) if (rc == 0 && s_item (type, item, items, index))
    {
        snprintf (why, CONVERT_WHY_SIZE, "item %zu", index + 1);
        rc = -1;
    }
    if (rc == 0)
        rc = troupe_pack (packer, s_array_arg (type, items, count));
    free (items);
    return rc;
}

static int
s_json (troupe_packer_t *packer, parameter_type_t type, const char *word,
        char why [CONVERT_WHY_SIZE])
{
    json_error_t error;
    json_t *json = json_loads (word, JSON_REJECT_DUPLICATES, &error);
    int rc = -1;
    if (!json)
        snprintf (why, CONVERT_WHY_SIZE, "%s", error.text);
    else if (type == PARAMETER_MAP || type == PARAMETER_LIST)
        rc = json_is_object (json) == (type == PARAMETER_MAP) ? json_pack_tree (packer, json)
                                                              : -1;
    else
        rc = s_array (packer, type, json, why);
    json_decref (json);
    return rc;
}

static int
s_any (troupe_packer_t *packer, const char *word, bool nested, char why [CONVERT_WHY_SIZE])
{
    const char *text;
    int rc = json_pack_word (packer, word, nested, &text);
    if (rc)
        snprintf (why, CONVERT_WHY_SIZE, "%s", text);
    return rc;
}

int
convert_word (troupe_packer_t *packer, parameter_type_t type, const char *word, bool nested,
              char why [CONVERT_WHY_SIZE])
{
    *why = 0;
    switch (type) {
    case PARAMETER_ANY:
        return s_any (packer, word, nested, why);
    case PARAMETER_BOOL:
        return s_bool (packer, word);
    case PARAMETER_UINT64:
        return s_unsigned (packer, word);
    case PARAMETER_FLOAT:
    case PARAMETER_DOUBLE:
        return s_real (packer, type, word);
    case PARAMETER_STRING:
        return troupe_pack (packer, word);
    case PARAMETER_BYTES:
        return s_bytes (packer, word);
    case PARAMETER_INT32S:
    case PARAMETER_INT64S:
    case PARAMETER_FLOATS:
    case PARAMETER_DOUBLES:
    case PARAMETER_STRINGS:
    case PARAMETER_LIST:
    case PARAMETER_MAP:
        return s_json (packer, type, word, why);
    case PARAMETER_ACTOR:
    case PARAMETER_FUTURE:
    case PARAMETER_TYPE_LIMIT:
        return -1;
    default:
        return s_integer (packer, type, word);
    }
}
