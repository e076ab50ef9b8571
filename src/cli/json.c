/*  json.c - values as JSON, and JSON as values                             */

#include "cli/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static json_t *s_json (troupe_view_t value);

/*  Bytes as a string; what is no UTF-8 becomes a question mark each.       */
static json_t *
s_string (const char *text, size_t size)
{
    json_t *string = json_stringn (text, size);
    if (string)
        return string;
    char *clean = malloc (size + 1);
    if (!clean)
        return NULL;
    for (size_t i = 0; i < size; i++)
        clean [i] = (unsigned char) text [i] < 0x80 ? text [i] : '?';
    string = json_stringn (clean, size);
    free (clean);
    return string;
}

static json_t *
s_real (double number)
{
    json_t *real = json_real (number);
    return real ? real : json_null ();
}

static json_t *
s_integer (troupe_view_t value)
{
    int64_t integer;
    uint64_t number = 0;
    if (troupe_read (value, &integer) == 0)
        return json_integer (integer);
    troupe_read (value, &number);
    return json_real ((double) number);
}

static json_t *
s_base64 (troupe_view_t value)
{
    troupe_bytes_t bytes = { NULL, 0 };
    if (troupe_read (value, &bytes))
        return NULL;
    size_t size = sodium_base64_ENCODED_LEN (bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc (size);
    if (!text)
        return NULL;
    sodium_bin2base64 (text, size, bytes.data, bytes.size, sodium_base64_VARIANT_ORIGINAL);
    json_t *object = json_pack ("{s:s}", "base64", text);
    free (text);
    return object;
}

/*  An array of numbers: it can be read as the type that it has.            */
static json_t *
s_numbers (troupe_view_t value)
{
    troupe_int32s_t words;
    troupe_int64s_t longs;
    troupe_floats_t floats;
    troupe_doubles_t doubles;
    int rc = 0;
    json_t *array = json_array ();
    if (troupe_read (value, &longs) == 0)
        for (size_t i = 0; i < longs.count && !rc; i++)
            rc = json_array_append_new (array, json_integer (longs.items [i]));
    else if (troupe_read (value, &doubles) == 0)
        for (size_t i = 0; i < doubles.count && !rc; i++)
            rc = json_array_append_new (array, s_real (doubles.items [i]));
    else if (troupe_read (value, &words) == 0)
        for (size_t i = 0; i < words.count && !rc; i++)
            rc = json_array_append_new (array, json_integer (words.items [i]));
    else if (troupe_read (value, &floats) == 0)
        for (size_t i = 0; i < floats.count && !rc; i++)
            rc = json_array_append_new (array, s_real ((double) floats.items [i]));
    if (rc) {
        json_decref (array);
        return NULL;
    }
    return array;
}

static json_t *
s_list (troupe_view_t value)
{
    troupe_view_t inside, item;
    json_t *array = json_array ();
    int rc = troupe_view_enter (value, &inside);
    while (rc == 0 && troupe_view_next (&inside, &item) == 1)
        rc = json_array_append_new (array, s_json (item));
    if (rc) {
        json_decref (array);
        return NULL;
    }
    return array;
}

/*  The key of a pair: JSON has strings only, so others are written as one. */
static char *
s_key (troupe_view_t key)
{
    const char *text;
    json_t *json = NULL;
    char *copy = NULL;
    if (troupe_view_type (key) == TROUPE_STRING && troupe_read (key, &text) == 0) {
        json = s_string (text, strlen (text));
        copy = json ? strdup (json_string_value (json)) : NULL;
    } else {
        json = s_json (key);
        copy = json ? json_dumps (json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    }
    json_decref (json);
    return copy;
}

static json_t *
s_map (troupe_view_t value)
{
    troupe_view_t inside, key, item;
    json_t *object = json_object ();
    int rc = troupe_view_enter (value, &inside);
    while (rc == 0 && troupe_view_next (&inside, &key) == 1
           && troupe_view_next (&inside, &item) == 1) {
        char *name = s_key (key);
        rc = name ? json_object_set_new (object, name, s_json (item)) : -1;
        free (name);
    }
    if (rc) {
        json_decref (object);
        return NULL;
    }
    return object;
}

/*  The bool, real or string that a value is.                               */
static json_t *
s_scalar (troupe_view_t value, troupe_type_t type)
{
    bool boolean = false;
    double real = 0;
    const char *text = NULL;
    if (type == TROUPE_BOOL)
        return troupe_read (value, &boolean) ? NULL : json_boolean (boolean);
    if (type == TROUPE_REAL)
        return troupe_read (value, &real) ? NULL : s_real (real);
    return troupe_read (value, &text) || !text ? NULL : s_string (text, strlen (text));
}

static json_t *
s_json (troupe_view_t value)
{
    troupe_type_t type = troupe_view_type (value);
    switch (type) {
    case TROUPE_NIL:
        return json_null ();
    case TROUPE_BOOL:
    case TROUPE_REAL:
    case TROUPE_STRING:
        return s_scalar (value, type);
    case TROUPE_INTEGER:
        return s_integer (value);
    case TROUPE_BYTES:
        return s_base64 (value);
    case TROUPE_NUMBERS:
        return s_numbers (value);
    case TROUPE_LIST:
        return s_list (value);
    case TROUPE_MAP:
        return s_map (value);
    case TROUPE_FUTURE:
        return json_pack ("{s:b}", "future", 1);
    case TROUPE_ACTOR:
        return json_pack ("{s:b}", "actor", 1);
    }
    return json_null ();
}

/*  The digits that a real needs to be read back as it is.                  */
static size_t
s_digits_of (double number)
{
    char text [40];
    for (int digits = 15; digits < 17; digits++) {
        snprintf (text, sizeof text, "%.*g", digits, number);
        if (strtod (text, NULL) == number)
            return (size_t) digits;
    }
    return 17;
}

/*  The most that any real in it needs.                                     */
static size_t
s_digits (json_t *json)
{
    size_t most = 15, digits, index;
    const char *key;
    json_t *item;
    if (json_is_real (json))
        return s_digits_of (json_real_value (json));
    json_array_foreach (json, index, item)
        most = (digits = s_digits (item)) > most ? digits : most;
    json_object_foreach (json, key, item)
        most = (digits = s_digits (item)) > most ? digits : most;
    return most;
}

static int
s_dump (FILE *file, json_t *json)
{
    int rc = json ? json_dumpf (json, file, JSON_ENCODE_ANY | JSON_REAL_PRECISION (s_digits (json)))
                  : -1;
    json_decref (json);
    return rc;
}

int
json_print (FILE *file, troupe_view_t value)
{
    return s_dump (file, s_json (value));
}

int
json_print_text (FILE *file, const char *text)
{
    return s_dump (file, s_string (text, strlen (text)));
}

/*  --- the other way ------------------------------------------------------ */

int
json_pack_tree (troupe_packer_t *packer, json_t *json)
{
    size_t index;
    const char *key;
    json_t *item;
    int rc = 0;
    switch (json_typeof (json)) {
    case JSON_OBJECT:
        rc = troupe_pack_map (packer, json_object_size (json));
        json_object_foreach (json, key, item)
            rc = rc || troupe_pack (packer, key) || json_pack_tree (packer, item) ? -1 : 0;
        return rc;
    case JSON_ARRAY:
        rc = troupe_pack_list (packer, json_array_size (json));
        json_array_foreach (json, index, item)
            rc = rc || json_pack_tree (packer, item) ? -1 : 0;
        return rc;
    case JSON_STRING:
        return troupe_pack (packer, json_string_value (json));
    case JSON_INTEGER:
        return troupe_pack (packer, (int64_t) json_integer_value (json));
    case JSON_REAL:
        return troupe_pack (packer, json_real_value (json));
    case JSON_TRUE:
    case JSON_FALSE:
        return troupe_pack (packer, (bool) json_is_true (json));
    case JSON_NULL:
        return troupe_pack (packer, troupe_nil ());
    }
    return -1;
}

int
json_pack_word (troupe_packer_t *packer, const char *word, bool nested, const char **why)
{
    static json_error_t error;
    bool opens = *word == '[' || *word == '{';
    json_t *json = opens && !nested
                       ? NULL
                       : json_loads (word, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (opens && nested && !json) {
        *why = error.text;
        return -1;
    }
    int rc = json ? json_pack_tree (packer, json) : troupe_pack (packer, word);
    json_decref (json);
    if (rc)
        *why = troupe_error ();
    return rc;
}
