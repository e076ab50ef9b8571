/*  test_error.c - faults: codes, texts, cuts, and the thread's last one     */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>

#include "core/error.h"

static void
test_set (void **state)
{
    (void) state;
    fault_t fault;
    assert_int_equal (fault_set (&fault, TROUPE_ETYPE, "wanted %s, got %d", "string", 7), -1);
    assert_int_equal (fault.code, TROUPE_ETYPE);
    assert_string_equal (fault.text, "wanted string, got 7");
}

static void
test_prefix (void **state)
{
    (void) state;
    fault_t fault;
    fault_set (&fault, TROUPE_ETYPE, "wanted string");
    assert_int_equal (fault_prefix (&fault, "%s %d", "argument", 2), -1);
    fault_prefix (&fault, "counter.add");
    assert_int_equal (fault.code, TROUPE_ETYPE);
    assert_string_equal (fault.text, "counter.add: argument 2: wanted string");
}

/*  A text may be made of the text that it replaces.                        */
static void
test_own_text (void **state)
{
    (void) state;
    fault_t fault;
    fault_set (&fault, TROUPE_EFAILED, "cause");
    fault_set (&fault, TROUPE_EFAILED, "%s of %s", fault.text, fault.text);
    assert_string_equal (fault.text, "cause of cause");
    fault_prefix (&fault, "%s", fault.text);
    assert_string_equal (fault.text, "cause of cause: cause of cause");
    fault_raise (TROUPE_EFAILED, "last");
    fault_raise (TROUPE_EFAILED, "%s again", troupe_error ());
    assert_string_equal (troupe_error (), "last again");
}

/*  Fills a text with `lead` plain bytes and then one character over and over. */
static void
s_fill (char *text, size_t size, size_t lead, const char *character)
{
    size_t width = strlen (character);
    size_t used = lead;
    memset (text, 'x', lead);
    for (; used + width < size; used += width)
        memcpy (text + used, character, width);
    text [used] = 0;
}

static void
test_cut (void **state)
{
    (void) state;
    static const char *const characters [] = { "a", "\xc3\xa9", "\xe2\x80\x94",
                                               "\xf0\x9f\x8e\xad" };
    char text [4 * FAULT_TEXT_MAX];
    for (size_t kind = 0; kind < 4; kind++)
        for (size_t lead = 0; lead < 8; lead++) {
            fault_t fault;
            size_t width = strlen (characters [kind]);
            s_fill (text, sizeof text, lead, characters [kind]);
            fault_set (&fault, TROUPE_EFAILED, "%s", text);
            size_t fits = lead + (FAULT_TEXT_MAX - 1 - lead) / width * width;
            assert_int_equal (strlen (fault.text), fits);
            assert_memory_equal (fault.text, text, fits);

        }
}

/*  A prefix that makes the text too long takes the room of its middle.     */
static void
test_cut_prefixed (void **state)
{
    (void) state;
    static const char *const characters [] = { "a", "\xc3\xa9", "\xe2\x80\x94",
                                               "\xf0\x9f\x8e\xad" };
    char text [FAULT_TEXT_MAX - 8];
    for (size_t kind = 0; kind < 4; kind++) {
        fault_t fault;
        size_t width = strlen (characters [kind]);
        s_fill (text, sizeof text, 5, characters [kind]);
        fault_set (&fault, TROUPE_EFAILED, "%s: cause", text);
        for (int times = 0; times < 100; times++) {
            fault_prefix (&fault, "p");
            assert_memory_equal (fault.text, "p: ", 3);
            assert_in_range (strlen (fault.text), FAULT_TEXT_MAX - 20, FAULT_TEXT_MAX - 1);
            const char *gap = strstr (fault.text, " ... ");
            if (!gap)
                continue;
            assert_int_equal (strlen (gap + 5) % width, strlen (": cause") % width);
            assert_string_equal (gap + strlen (gap) - 7, ": cause");
            assert_memory_equal (gap + 5, characters [kind], width);
            assert_null (strstr (gap + 1, " ... "));
        }
        assert_non_null (strstr (fault.text, "p: p: p: "));
        assert_non_null (strstr (fault.text, " ... "));
    }
}

static void
test_cut_exact (void **state)
{
    (void) state;
    fault_t fault;
    char text [FAULT_TEXT_MAX];
    s_fill (text, sizeof text, 1, "\xc3\xa9");
    assert_int_equal (strlen (text), FAULT_TEXT_MAX - 1);
    fault_set (&fault, TROUPE_EFAILED, "%s", text);
    assert_string_equal (fault.text, text);
}

/*  Bytes that are no UTF-8 are cut somewhere, and nothing is overrun.      */
static void
test_cut_not_utf8 (void **state)
{
    (void) state;
    fault_t fault;
    char text [2 * FAULT_TEXT_MAX];
    memset (text, '\x80', sizeof text);
    text [sizeof text - 1] = 0;
    fault_set (&fault, TROUPE_EFAILED, "%s", text);
    assert_in_range (strlen (fault.text), FAULT_TEXT_MAX - 5, FAULT_TEXT_MAX - 1);
}

static void
test_note (void **state)
{
    (void) state;
    fault_t fault;
    fault_set (&fault, TROUPE_ELIMIT, "too many");
    assert_int_equal (fault_note (&fault), -1);
    assert_int_equal (troupe_error_code (), TROUPE_ELIMIT);
    assert_string_equal (troupe_error (), "too many");
    assert_int_equal (fault_raise (TROUPE_ENAME, "no %s", "task"), -1);
    assert_int_equal (troupe_error_code (), TROUPE_ENAME);
    assert_string_equal (troupe_error (), "no task");
}

static void *
s_other_thread (void *result)
{
    int *failures = result;
    *failures += troupe_error_code () != TROUPE_OK;
    *failures += strcmp (troupe_error (), "") != 0;
    fault_raise (TROUPE_EINVAL, "other");
    *failures += strcmp (troupe_error (), "other") != 0;
    return NULL;
}

static void
test_threads (void **state)
{
    (void) state;
    int failures = 0;
    pthread_t thread;
    fault_raise (TROUPE_ELOST, "mine");
    assert_int_equal (pthread_create (&thread, NULL, s_other_thread, &failures), 0);
    pthread_join (thread, NULL);
    assert_int_equal (failures, 0);
    assert_int_equal (troupe_error_code (), TROUPE_ELOST);
    assert_string_equal (troupe_error (), "mine");
}

static void
test_codes (void **state)
{
    (void) state;
    assert_false (fault_code_valid (TROUPE_OK));
    for (uint32_t code = 1; code <= TROUPE_ESTOPPED; code++)
        assert_true (fault_code_valid (code));
    assert_false (fault_code_valid (TROUPE_EREFUSED + 1));
    assert_false (fault_code_valid (UINT32_MAX));
    assert_string_equal (troupe_strerror (TROUPE_OK), "success");
    assert_string_equal (troupe_strerror (TROUPE_ETIMEOUT), "deadline passed");
    assert_string_equal (troupe_strerror (TROUPE_ESTOPPED), "runtime stopped");
    assert_string_equal (troupe_strerror ((troupe_error_t) 999), "unknown error");
    for (int code = 0; code < TROUPE_ESTOPPED; code++)
        assert_string_not_equal (troupe_strerror ((troupe_error_t) code),
                                 troupe_strerror ((troupe_error_t) (code + 1)));
}

static void
test_version (void **state)
{
    (void) state;
    char text [64];
    snprintf (text, sizeof text, "%d.%d.%d", TROUPE_VERSION_MAJOR, TROUPE_VERSION_MINOR,
              TROUPE_VERSION_PATCH);
    assert_string_equal (troupe_version (), text);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_set),          cmocka_unit_test (test_prefix),
        cmocka_unit_test (test_own_text),     cmocka_unit_test (test_cut),
        cmocka_unit_test (test_cut_exact),    cmocka_unit_test (test_cut_not_utf8),
        cmocka_unit_test (test_note),         cmocka_unit_test (test_threads),
        cmocka_unit_test (test_codes),        cmocka_unit_test (test_version),
        cmocka_unit_test (test_cut_prefixed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
