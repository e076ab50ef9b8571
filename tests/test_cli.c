/*  test_cli.c - the parts of the troupe command: words, options, columns,
    JSON, filters                                                            */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/convert.h"
#include "cli/json.h"
#include "cli/rows.h"
#include "core/value.h"
#include "worker/worker_private.h"

static int
s_nothing (int argc, char *argv [])
{
    (void) argc;
    (void) argv;
    return 0;
}

static const verb_t s_verb = { "test", "usage: troupe test\n", s_nothing };

/*  The value of a packer as a view.                                        */
static troupe_view_t
s_view (troupe_packer_t *packer)
{
    static arena_t arena;
    static const value_reader_t reader = { .arena = &arena };
    troupe_arg_t arg = troupe_packed (packer);
    assert_int_equal (arg.type, TROUPE_ARG_VALUE);
    arena_release (&arena);
    return (troupe_view_t){ arg.as.pointer, arg.count, &reader };
}

static void
s_done (troupe_packer_t **packer)
{
    const value_reader_t *reader = s_view (*packer).reader;
    arena_release (reader->arena);
    troupe_packer_destroy (packer);
}

/*  --- words -------------------------------------------------------------- */

static void
test_integers (void **state)
{
    int64_t value = 0;
    (void) state;
    assert_int_equal (text_integer ("-12", -100, 100, &value), 0);
    assert_int_equal (value, -12);
    assert_int_equal (text_integer ("65535", 0, 65535, &value), 0);
    static const char *const bad [] = { "", "-", "65536", "-1", "1x", " 1", "0x10",
                                        "99999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        assert_int_equal (text_integer (bad [i], 0, 65535, &value), -1);
}

static void
test_sizes (void **state)
{
    static const struct { const char *text; int64_t size; } good [] = {
        { "1", 1 }, { "512M", INT64_C (512) << 20 }, { "8GiB", INT64_C (8) << 30 },
        { "1.5k", 1536 }, { "2TB", INT64_C (2) << 40 }, { "100B", 100 }
    };
    static const char *const bad [] = { "",  "0",   "-1",   "8X",  "8GG",
                                        "G", "nan", "1e30", "0x10" };
    int64_t size = 0;
    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof good [0]; i++) {
        assert_int_equal (text_size (good [i].text, &size), 0);
        assert_int_equal (size, good [i].size);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        assert_int_equal (text_size (bad [i], &size), -1);
}

static void
test_amounts (void **state)
{
    static const char *const bad [] = { "", "-1", "x", "1x", "inf", "nan", "1e99", "0x1" };
    double amount = 0;
    (void) state;
    assert_int_equal (text_amount ("0.5", &amount), 0);
    assert_true (amount > 0.49 && amount < 0.51);
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        assert_int_equal (text_amount (bad [i], &amount), -1);
}

static void
test_addresses (void **state)
{
    static const char *const good [] = { "host:1", "10.0.0.1:65535", "[::1]:7690", "a.b-c:80" };
    static const char *const bad [] = { "",       "host",  ":1",    "host:",
                                        "host:0", "h:x",   "[::1]", "host:65536",
                                        "::1:80", "[]:80", "a b:1", "tcp://h:1" };
    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof good [0]; i++)
        assert_true (text_is_address (good [i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        assert_false (text_is_address (bad [i]));
}

static void
test_pairs (void **state)
{
    char name [8];
    const char *value = NULL;
    (void) state;
    assert_int_equal (text_pair ("a=b=c", name, sizeof name, &value), 0);
    assert_string_equal (name, "a");
    assert_string_equal (value, "b=c");
    assert_int_equal (text_pair ("=b", name, sizeof name, &value), -1);
    assert_int_equal (text_pair ("ab", name, sizeof name, &value), -1);
    assert_int_equal (text_pair ("12345678=b", name, sizeof name, &value), -1);
}

/*  --- options ------------------------------------------------------------ */

typedef struct {
    bool flag;
    const char *text;
    text_list_t list;
    connection_t connection;
} read_t;

/*  The words must end in NULL, and be writable.                            */
static int
s_read (read_t *read, char *argv [], bool leading)
{
    const option_spec_t specs [] = { { "flag", OPTION_FLAG, &read->flag },
                                     { "text", OPTION_TEXT, &read->text },
                                     { "list", OPTION_LIST, &read->list },
                                     { NULL, OPTION_END, NULL } };
    int argc = 0;
    while (argv [argc])
        argc++;
    memset (read, 0, sizeof *read);
    return arguments_read (&s_verb, argc, argv, specs, &read->connection, leading);
}

static void
test_options (void **state)
{
    read_t read;
    (void) state;
    char *mixed [] = { "test",   "one", "--flag", "--text=t", "--list",
                       "a",      "--list", "b",      NULL };
    assert_int_equal (s_read (&read, mixed, false), 7);
    assert_true (read.flag);
    assert_string_equal (read.text, "t");
    assert_int_equal (read.list.count, 2);
    assert_string_equal (read.list.items [1], "b");
    char *leading [] = { "test", "--flag", "one", "-5", "--text", NULL };
    assert_int_equal (s_read (&read, leading, true), 2);
    assert_null (read.text);
    char *unknown [] = { "test", "--what", NULL };
    assert_int_equal (s_read (&read, unknown, false), ARGUMENTS_BAD);
    char *lacking [] = { "test", "--text", NULL };
    assert_int_equal (s_read (&read, lacking, false), ARGUMENTS_BAD);
    char *help [] = { "test", "--help", NULL };
    assert_int_equal (s_read (&read, help, false), ARGUMENTS_HELP);
    assert_int_equal (arguments_exit (ARGUMENTS_HELP), 0);
    assert_int_equal (arguments_exit (ARGUMENTS_BAD), 2);
}

static void
test_connection_options (void **state)
{
    read_t read;
    char token [] = "secret";
    char *words [] = { "test", "--address", "h:1", "--token", token, NULL };
    char *bad [] = { "test", "--address", "nowhere", NULL };
    (void) state;
    assert_int_equal (s_read (&read, words, false), 5);
    assert_string_equal (read.connection.address, "h:1");
    assert_string_equal (read.connection.token, "secret");
    assert_string_equal (token, "******");
    assert_int_equal (connection_read (&s_verb, &read.connection), 0);
    read.connection.token_file = "/dev/null";
    assert_int_equal (connection_read (&s_verb, &read.connection), EXIT_USAGE);
    assert_int_equal (s_read (&read, bad, false), ARGUMENTS_BAD);
}

static void
test_token_file (void **state)
{
    char path [] = "/tmp/troupe-test-XXXXXX";
    connection_t connection = { .token_file = path };
    int fd = mkstemp (path);
    (void) state;
    assert_true (fd >= 0);
    assert_int_equal (connection_read (&s_verb, &connection), EXIT_FAILED);
    assert_int_equal (write (fd, "secret \n", 8), 8);
    assert_int_equal (connection_read (&s_verb, &connection), 0);
    assert_string_equal (connection.token, "secret");
    close (fd);
    unlink (path);
    connection.token = NULL;
    assert_int_equal (connection_read (&s_verb, &connection), EXIT_FAILED);
}

/*  --- what a person sees -------------------------------------------------- */

static void
s_assert_clean (const char *text, const char *wanted, size_t width)
{
    char *clean = text_clean (text);
    assert_string_equal (clean, wanted);
    assert_int_equal (text_width (clean), width);
    free (clean);
}

static void
test_clean_text (void **state)
{
    (void) state;
    s_assert_clean ("plain", "plain", 5);
    s_assert_clean ("größe", "größe", 5);
    s_assert_clean ("\033[2Jx\n\ty\177", "?[2Jx? y?", 9);
    s_assert_clean ("a\xff\xc3", "a??", 3);
    s_assert_clean ("\xc2\x9b", "?", 1);
    s_assert_clean ("日本", "日本", 4);
}

static void
s_assert_table (const table_t *table, size_t width, const char *wanted)
{
    screen_t screen = { .width = width, .unicode = false };
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&text, &size);
    assert_non_null (file);
    table_print (table, &screen, file);
    fclose (file);
    assert_string_equal (text, wanted);
    free (text);
}

static void
test_columns (void **state)
{
    table_t *table = table_new (3);
    (void) state;
    assert_non_null (table);
    table_title (table, 0, "NAME", false, false);
    table_title (table, 1, "N", true, false);
    table_title (table, 2, "STATE", false, true);
    static const char *const cells [] = { "größe", "7", "alive",
                                          "a-long-long-name", "1234", "dead" };
    for (int i = 0; i < 6; i++)
        assert_int_equal (table_add (table, cells [i]), 0);
    assert_int_equal (table_rows (table), 2);
    s_assert_table (table, SIZE_MAX,
                    "NAME                 N  STATE\n"
                    "größe                7  alive\n"
                    "a-long-long-name  1234  dead\n");
    s_assert_table (table, 25,
                    "NAME             N  STATE\n"
                    "größe            7  alive\n"
                    "a-long-long~  1234  dead\n");
    s_assert_table (table, 22,
                    "NAME           N\n"
                    "größe          7\n"
                    "a-long-lo~  1234\n");
    s_assert_table (table, 1,
                    "NAME\n"
                    "größe\n"
                    "a-long-lo~\n");
    table_destroy (&table);
    assert_null (table);
}

static void
s_assert_text (char *text, const char *wanted)
{
    assert_string_equal (text, wanted);
    free (text);
}

static void
test_quantities (void **state)
{
    (void) state;
    s_assert_text (text_of_amount (4), "4");
    s_assert_text (text_of_amount (0.25), "0.25");
    s_assert_text (text_of_size (0), "0 B");
    s_assert_text (text_of_size (1023), "1023 B");
    s_assert_text (text_of_size (1536), "1.5 KiB");
    s_assert_text (text_of_size (17179869184.0), "16.0 GiB");
    s_assert_text (text_of_seconds (-1), "0.0 s");
    s_assert_text (text_of_seconds (0.44), "0.4 s");
    s_assert_text (text_of_seconds (59.4), "59 s");
    s_assert_text (text_of_seconds (59.6), "1 min 00 s");
    s_assert_text (text_of_seconds (7384), "2 h 03 min");
    s_assert_text (text_of_seconds (100000), "1 d 03 h");
}

/*  --- JSON ---------------------------------------------------------------- */

/*  What a word becomes, as JSON.                                           */
static void
s_assert_word (const char *word, bool nested, const char *wanted)
{
    troupe_packer_t *packer = troupe_packer_new ();
    const char *why = NULL;
    char *text = NULL;
    size_t size = 0;
    assert_non_null (packer);
    int rc = json_pack_word (packer, word, nested, &why);
    assert_int_equal (rc, wanted ? 0 : -1);
    if (wanted) {
        FILE *file = open_memstream (&text, &size);
        assert_non_null (file);
        assert_int_equal (json_print (file, s_view (packer)), 0);
        fclose (file);
        assert_string_equal (text, wanted);
        free (text);
        s_done (&packer);
    } else {
        assert_non_null (why);
        troupe_packer_destroy (&packer);
    }
}

static void
test_words (void **state)
{
    (void) state;
    s_assert_word ("12", false, "12");
    s_assert_word ("-9223372036854775808", false, "-9223372036854775808");
    s_assert_word ("1.5", false, "1.5");
    s_assert_word ("true", false, "true");
    s_assert_word ("null", false, "null");
    s_assert_word ("word", false, "\"word\"");
    s_assert_word ("two words", false, "\"two words\"");
    s_assert_word ("\"12\"", false, "\"12\"");
    s_assert_word ("007", false, "\"007\"");
    s_assert_word ("", false, "\"\"");
    s_assert_word ("99999999999999999999", false, "\"99999999999999999999\"");
    s_assert_word ("[1, 2]", false, "\"[1, 2]\"");
    s_assert_word ("[1, [2.5, {\"a\": null}]]", true, "[1, [2.5, {\"a\": null}]]");
    s_assert_word ("word", true, "\"word\"");
    s_assert_word ("[1, 2", true, NULL);
    s_assert_word ("{\"a\": 1, \"a\": 2}", true, NULL);
}

static void
test_values (void **state)
{
    static const int32_t small [] = { 1, -2 };
    static const int64_t large [] = { INT64_MAX };
    static const float floats [] = { 0.5f };
    static const double doubles [] = { 0.25 };
    troupe_packer_t *packer = troupe_packer_new ();
    char *text = NULL;
    size_t size = 0;
    (void) state;
    troupe_pack_list (packer, 8);
    troupe_pack (packer, troupe_int32s (small, 2));
    troupe_pack (packer, troupe_int64s (large, 1));
    troupe_pack (packer, troupe_floats (floats, 1));
    troupe_pack (packer, troupe_doubles (doubles, 1));
    troupe_pack (packer, troupe_bytes ("\0\1\2", 3));
    troupe_pack (packer, 1 / (doubles [0] - 0.25));
    troupe_pack (packer, "\"\033ö");
    troupe_pack_map (packer, 1);
    troupe_pack (packer, 7);
    troupe_pack (packer, (bool) false);
    FILE *file = open_memstream (&text, &size);
    assert_non_null (file);
    assert_int_equal (json_print (file, s_view (packer)), 0);
    fclose (file);
    assert_string_equal (text, "[[1, -2], [9223372036854775807], [0.5], [0.25], "
                               "{\"base64\": \"AAEC\"}, null, \"\\\"\\u001Bö\", "
                               "{\"7\": false}]");
    free (text);
    s_done (&packer);
}

/*  --- what methods take ------------------------------------------------- */

static void
test_parameters (void **state)
{
    static const char *const bad [] = { "amount",   "amount:",  "amount: number", "1st: any",
                                        "a: any,",  ", a: any", "a: any b: any",  "a: int64s2",
                                        "a b: any", ":any",     "a: any; b: any" };
    static const char good [] = " amount : int64,key:string,\n_x9: any ";
    const char *text = good;
    parameter_t parameter;
    fault_t fault;
    (void) state;
    assert_int_equal (parameters_count (good, &fault), 3);
    assert_int_equal (parameters_count ("", &fault), 0);
    assert_int_equal (parameter_next (&text, &parameter, &fault), 1);
    assert_int_equal (parameter.name_size, 6);
    assert_memory_equal (parameter.name, "amount", 6);
    assert_int_equal (parameter.type, PARAMETER_INT64);
    assert_int_equal (parameter_next (&text, &parameter, &fault), 1);
    assert_int_equal (parameter.type, PARAMETER_STRING);
    assert_int_equal (parameter_next (&text, &parameter, &fault), 1);
    assert_memory_equal (parameter.name, "_x9", 3);
    assert_int_equal (parameter_next (&text, &parameter, &fault), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++) {
        fault.text [0] = 0;
        assert_int_equal (parameters_count (bad [i], &fault), -1);
        assert_true (*fault.text);
    }
    char *longest = malloc (TROUPE_PARAMETERS_MAX + 2);
    assert_non_null (longest);
    memset (longest, ' ', TROUPE_PARAMETERS_MAX + 1);
    longest [TROUPE_PARAMETERS_MAX + 1] = 0;
    assert_int_equal (parameters_count (longest, &fault), -1);
    assert_int_equal (parameters_count (longest + 1, &fault), 0);
    free (longest);
    for (int type = 0; type < PARAMETER_TYPE_LIMIT; type++) {
        const char *name = parameter_type_text ((parameter_type_t) type);
        assert_int_equal (parameter_type (name, strlen (name)), type);
        assert_non_null (convert_wanted ((parameter_type_t) type));
    }
}

typedef struct {
    int64_t amount;
} odd_t;

static int
odd_add (troupe_call_t *call)
{
    return troupe_return (call, troupe_nil ());
}

TROUPE_ACTOR (odd, odd_t, .methods = { TROUPE_METHOD (odd_add, .parameters = "amount: number") });

/*  A class whose declaration makes no sense is refused each time, also when
    its module is there already.                                            */
static void
test_bad_class (void **state)
{
    (void) state;
    for (int times = 0; times < 2; times++) {
        fault_t fault = { TROUPE_OK, "" };
        assert_null (module_find_class ("odd", &fault));
        assert_int_equal (fault.code, TROUPE_EINVAL);
        assert_non_null (strstr (fault.text, "'number'"));
    }
}

/*  What a word becomes where that is wanted, as JSON; NULL: it is refused. */
static void
s_assert_converted (parameter_type_t type, const char *word, const char *wanted)
{
    char why [CONVERT_WHY_SIZE] = "?", *text = NULL;
    size_t size = 0;
    troupe_packer_t *packer = troupe_packer_new ();
    assert_non_null (packer);
    int rc = convert_word (packer, type, word, false, why);
    if ((rc == 0) != (wanted != NULL))
        fail_msg ("%s '%s': %d, %s", parameter_type_text (type), word, rc, why);
    if (!wanted) {
        troupe_packer_destroy (&packer);
        return;
    }
    FILE *file = open_memstream (&text, &size);
    assert_non_null (file);
    assert_int_equal (json_print (file, s_view (packer)), 0);
    fclose (file);
    assert_string_equal (text, wanted);
    free (text);
    s_done (&packer);
}

static void
test_typed_scalars (void **state)
{
    static const struct {
        parameter_type_t type;
        const char *least, *most, *under, *over;
    } ranges []
        = { { PARAMETER_INT8, "-128", "127", "-129", "128" },
            { PARAMETER_INT16, "-32768", "32767", "-32769", "32768" },
            { PARAMETER_INT32, "-2147483648", "2147483647", "-2147483649", "2147483648" },
            { PARAMETER_INT64, "-9223372036854775808", "9223372036854775807",
              "-9223372036854775809", "9223372036854775808" },
            { PARAMETER_UINT8, "0", "255", "-1", "256" },
            { PARAMETER_UINT16, "0", "65535", "-1", "65536" },
            { PARAMETER_UINT32, "0", "4294967295", "-1", "4294967296" },
            { PARAMETER_UINT64, "0", "9223372036854775807", "-1", "18446744073709551616" } };
    static const char *const no_number []
        = { "", "-", "1x", " 1", "1 ", "0x10", "1.0", "1e3", "--1", "true" };
    static const struct {
        parameter_type_t type;
        const char *word, *wanted;
    } others [] = { { PARAMETER_DOUBLE, "-1.5e3", "-1500.0" },
                    { PARAMETER_DOUBLE, "12", "12.0" },
                    { PARAMETER_DOUBLE, "inf", "null" },
                    { PARAMETER_DOUBLE, "1e999", NULL },
                    { PARAMETER_DOUBLE, "0.1", "0.1" },
                    { PARAMETER_FLOAT, "1e300", NULL },
                    { PARAMETER_FLOAT, "0.5", "0.5" },
                    { PARAMETER_FLOAT, "nan", "null" },
                    { PARAMETER_DOUBLE, "", NULL },
                    { PARAMETER_DOUBLE, " 1", NULL },
                    { PARAMETER_DOUBLE, "1,5", NULL },
                    { PARAMETER_BOOL, "true", "true" },
                    { PARAMETER_BOOL, "false", "false" },
                    { PARAMETER_BOOL, "1", NULL },
                    { PARAMETER_BOOL, "True", NULL },
                    { PARAMETER_STRING, "12", "\"12\"" },
                    { PARAMETER_STRING, "", "\"\"" },
                    { PARAMETER_STRING, "null", "\"null\"" },
                    { PARAMETER_STRING, "\"x\"", "\"\\\"x\\\"\"" },
                    { PARAMETER_STRING, "[1", "\"[1\"" },
                    { PARAMETER_ANY, "12", "12" },
                    { PARAMETER_ANY, "12x", "\"12x\"" },
                    { PARAMETER_ACTOR, "x", NULL },
                    { PARAMETER_FUTURE, "x", NULL } };
    (void) state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges [0]; i++) {
        s_assert_converted (ranges [i].type, ranges [i].least, ranges [i].least);
        s_assert_converted (ranges [i].type, ranges [i].most, ranges [i].most);
        s_assert_converted (ranges [i].type, ranges [i].under, NULL);
        s_assert_converted (ranges [i].type, ranges [i].over, NULL);
        for (size_t j = 0; j < sizeof no_number / sizeof no_number [0]; j++)
            s_assert_converted (ranges [i].type, no_number [j], NULL);
    }
    for (size_t i = 0; i < sizeof others / sizeof others [0]; i++)
        s_assert_converted (others [i].type, others [i].word, others [i].wanted);
}

static void
test_typed_arrays (void **state)
{
    static const struct {
        parameter_type_t type;
        const char *word, *wanted;
    } cases [] = { { PARAMETER_BYTES, "ab", "{\"base64\": \"YWI=\"}" },
                   { PARAMETER_BYTES, "", "{\"base64\": \"\"}" },
                   { PARAMETER_BYTES, "{\"base64\": \"AAEC\"}", "{\"base64\": \"AAEC\"}" },
                   { PARAMETER_BYTES, "{\"base64\": \"*\"}", NULL },
                   { PARAMETER_BYTES, "{}", "{\"base64\": \"e30=\"}" },
                   { PARAMETER_INT32S, "[1, -2147483648]", "[1, -2147483648]" },
                   { PARAMETER_INT32S, "[]", "[]" },
                   { PARAMETER_INT32S, "[2147483648]", NULL },
                   { PARAMETER_INT32S, "[1.0]", NULL },
                   { PARAMETER_INT32S, "1", NULL },
                   { PARAMETER_INT32S, "[1] 2", NULL },
                   { PARAMETER_INT64S, "[9223372036854775807]", "[9223372036854775807]" },
                   { PARAMETER_INT64S, "[9223372036854775808]", NULL },
                   { PARAMETER_FLOATS, "[1, 0.5]", "[1.0, 0.5]" },
                   { PARAMETER_FLOATS, "[1e300]", NULL },
                   { PARAMETER_DOUBLES, "[1e-300, 0.1]", "[1e-300, 0.1]" },
                   { PARAMETER_DOUBLES, "[null]", NULL },
                   { PARAMETER_STRINGS, "[\"12\", \"\"]", "[\"12\", \"\"]" },
                   { PARAMETER_STRINGS, "[12]", NULL },
                   { PARAMETER_STRINGS, "{}", NULL },
                   { PARAMETER_LIST, "[1, [\"a\", {}]]", "[1, [\"a\", {}]]" },
                   { PARAMETER_LIST, "{}", NULL },
                   { PARAMETER_LIST, "[", NULL },
                   { PARAMETER_MAP, "{\"a\": [1]}", "{\"a\": [1]}" },
                   { PARAMETER_MAP, "{\"a\": 1, \"a\": 2}", NULL },
                   { PARAMETER_MAP, "[]", NULL } };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases [0]; i++)
        s_assert_converted (cases [i].type, cases [i].word, cases [i].wanted);
}

/*  --- rows ---------------------------------------------------------------- */

static troupe_packer_t *
s_row (void)
{
    troupe_packer_t *packer = troupe_packer_new ();
    assert_non_null (packer);
    troupe_pack_map (packer, 6);
    troupe_pack (packer, "id");
    troupe_pack (packer, 7);
    troupe_pack (packer, "name");
    troupe_pack (packer, "alpha");
    troupe_pack (packer, "cpus");
    troupe_pack (packer, 4);
    troupe_pack (packer, "cpus_used");
    troupe_pack (packer, 2.5);
    troupe_pack (packer, "memory");
    troupe_pack (packer, 1024);
    troupe_pack (packer, "address");
    troupe_pack (packer, troupe_nil ());
    return packer;
}

static void
test_rows (void **state)
{
    const kind_t *kind = kind_find ("nodes");
    troupe_packer_t *packer = s_row ();
    troupe_view_t row = s_view (packer);
    static const char *const wanted [] = { "alpha", "-", "-", "2.5/4", "1.0 KiB" };
    (void) state;
    assert_non_null (kind);
    assert_ptr_equal (kind_find ("node"), kind);
    assert_null (kind_find ("nodess"));
    for (int i = 0; i < 5; i++)
        s_assert_text (kind_text (row, &kind->columns [i]), wanted [i]);
    assert_true (kind_is (kind, row, "7"));
    assert_true (kind_is (kind, row, "alpha"));
    assert_false (kind_is (kind, row, "4"));
    s_done (&packer);
}

/*  Rows of which only the fields count by which they stand.                */
static void
s_assert_order (const char *kind, const char *field, const char *const *values, size_t count)
{
    troupe_packer_t *packer = troupe_packer_new ();
    kind_row_t *sorted;
    size_t found;
    assert_non_null (packer);
    troupe_pack_list (packer, count);
    for (size_t i = count; i--;) {
        troupe_pack_map (packer, 1);
        troupe_pack (packer, field);
        troupe_pack (packer, values [i]);
    }
    sorted = kind_sort (kind_find (kind), s_view (packer), &found);
    assert_non_null (sorted);
    assert_int_equal (found, count);
    for (size_t i = 0; i < count; i++)
        s_assert_text (kind_field (sorted [i].row, field), values [i]);
    free (sorted);
    s_done (&packer);
}

static void
test_order (void **state)
{
    static const char *const ids [] = { "1.2", "1.10", "2.1", "10.1" };
    static const char *const names [] = { "alpha", "alpha-2", "alpha-10", "beta" };
    static const char *const sizes [] = { "7000000000000", "1000", "999", "0" };
    static const char *const actors [] = { "a", "b", "" };
    (void) state;
    s_assert_order ("tasks", "id", ids, 4);
    s_assert_order ("nodes", "name", names, 4);
    s_assert_order ("objects", "size", sizes, 4);
    s_assert_order ("actors", "name", actors, 3);
    s_assert_order ("jobs", "id", ids, 0);
}

static void
test_names (void **state)
{
    troupe_packer_t *packer = troupe_packer_new ();
    const kind_t *kind = kind_find ("worker");
    (void) state;
    assert_non_null (packer);
    troupe_pack_map (packer, 2);
    troupe_pack (packer, "id");
    troupe_pack (packer, "7");
    troupe_pack (packer, "worker");
    troupe_pack (packer, "worker 1 (pid 5) on alpha");
    troupe_view_t row = s_view (packer);
    assert_true (kind_is (kind, row, "worker 1"));
    assert_true (kind_is (kind, row, "worker 1 (pid 5) on alpha"));
    assert_true (kind_is (kind, row, "7"));
    assert_false (kind_is (kind, row, "worker"));
    assert_false (kind_is (kind, row, "worker 1 "));
    assert_false (kind_is (kind, row, ""));
    s_done (&packer);
}

static bool
s_passes (const char *first, const char *second)
{
    text_list_t texts = { { first, second }, second ? 2 : 1 };
    filter_t filter;
    troupe_packer_t *packer = s_row ();
    assert_int_equal (filter_read (&s_verb, kind_find ("nodes"), &texts, &filter), 0);
    bool passes = filter_passes (&filter, s_view (packer));
    s_done (&packer);
    return passes;
}

static void
test_filters (void **state)
{
    text_list_t bad = { { "colour=red" }, 1 }, worse = { { "name" }, 1 };
    filter_t filter;
    (void) state;
    assert_true (s_passes ("name=alpha", NULL));
    assert_false (s_passes ("name=beta", NULL));
    assert_true (s_passes ("name!=beta", NULL));
    assert_true (s_passes ("id=7", "cpus_used=2.5"));
    assert_false (s_passes ("id=7", "cpus=3"));
    assert_true (s_passes ("address=", NULL));
    assert_int_equal (filter_read (&s_verb, kind_find ("nodes"), &bad, &filter), EXIT_USAGE);
    assert_int_equal (filter_read (&s_verb, kind_find ("nodes"), &worse, &filter), EXIT_USAGE);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_integers),
                                         cmocka_unit_test (test_sizes),
                                         cmocka_unit_test (test_amounts),
                                         cmocka_unit_test (test_addresses),
                                         cmocka_unit_test (test_pairs),
                                         cmocka_unit_test (test_options),
                                         cmocka_unit_test (test_connection_options),
                                         cmocka_unit_test (test_token_file),
                                         cmocka_unit_test (test_clean_text),
                                         cmocka_unit_test (test_columns),
                                         cmocka_unit_test (test_quantities),
                                         cmocka_unit_test (test_words),
                                         cmocka_unit_test (test_values),
                                         cmocka_unit_test (test_parameters),
                                         cmocka_unit_test (test_bad_class),
                                         cmocka_unit_test (test_typed_scalars),
                                         cmocka_unit_test (test_typed_arrays),
                                         cmocka_unit_test (test_rows),
                                         cmocka_unit_test (test_order),
                                         cmocka_unit_test (test_names),
                                         cmocka_unit_test (test_filters) };
    screen_prepare ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
