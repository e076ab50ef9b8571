/*  test_head_classes.c - what the head remembers of classes: the newest word on
    each, a bounded number of them, and nothing that is malformed            */

#include "core/value.h"
#include "head/head_shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/*  As many as the head keeps.                                              */
#define KEPT 4096

static head_t s_head;

static int
s_setup (void **state)
{
    (void) state;
    s_head = (head_t){ .class_count = 0 };
    list_init (&s_head.classes);
    return 0;
}

static int
s_teardown (void **state)
{
    (void) state;
    head_classes_destroy (&s_head);
    return 0;
}

static void
s_text (bytes_t *body, const char *text)
{
    fault_t fault;
    troupe_arg_t given = troupe_arg_string (text);
    assert_int_equal (value_write (body, &given, NULL, &fault), 0);
}

/*  Tells of a class with one method, and of another; NULL parameters are none
    declared.                                                               */
static void
s_tell (uint32_t program, const char *name, const char *method, const char *parameters)
{
    bytes_t body = { 0 };
    value_put_array (&body, 2);
    value_put_array (&body, 3);
    s_text (&body, name);
    s_text (&body, method);
    s_text (&body, parameters);
    value_put_array (&body, 1);
    s_text (&body, "empty");
    assert_int_equal (value_check (body.data, body.size, true), body.size);
    head_note_classes (&s_head, program, body.data, body.size);
    bytes_release (&body);
}

static size_t
s_length (void)
{
    size_t count = 0;
    for (const list_node_t *at = s_head.classes.next; at != &s_head.classes; at = at->next)
        count++;
    return count;
}

/*  Whether the answer on a class has the text, and is one value.           */
static bool
s_says (uint32_t program, const char *name, const char *text)
{
    const class_note_t *note = head_class (&s_head, program, name);
    if (!note || value_check (note->methods.data, note->methods.size, true) != note->methods.size)
        return false;
    return memmem (note->methods.data, note->methods.size, text, strlen (text)) != NULL;
}

static void
test_newest_word (void **state)
{
    (void) state;
    s_tell (1, "kv", "get", NULL);
    s_tell (2, "kv", "get", "key: bytes");
    s_tell (1, "kv", "get", "key: string");
    assert_int_equal (s_length (), 4);
    assert_int_equal (s_head.class_count, 4);
    assert_true (s_says (1, "kv", "string"));
    assert_true (s_says (2, "kv", "bytes"));
    assert_null (head_class (&s_head, 3, "kv"));
    assert_null (head_class (&s_head, 1, "k"));
}

static void
test_limit (void **state)
{
    char name [32];
    (void) state;
    for (int index = 0; index < KEPT - 1; index++) {
        snprintf (name, sizeof name, "class_%d", index);
        s_tell (1, name, "get", "");
    }
    s_tell (1, "class_0", "set", "value: any");
    assert_int_equal (s_length (), KEPT);
    s_tell (1, "one_more", "get", "");
    assert_int_equal (s_length (), KEPT);
    assert_int_equal (s_head.class_count, KEPT);
    assert_true (s_says (1, "one_more", "get"));
    assert_true (s_says (1, "class_0", "set"));
    assert_null (head_class (&s_head, 1, "class_1"));
    assert_true (s_says (1, "class_2", "get"));
}

/*  What is wrong with a class leaves the one that was there.               */
static void
test_malformed (void **state)
{
    char longest [TROUPE_PARAMETERS_MAX + 2];
    char name [TROUPE_NAME_MAX + 2];
    (void) state;
    memset (longest, ' ', sizeof longest - 1);
    longest [sizeof longest - 1] = 0;
    memset (name, 'n', sizeof name - 1);
    name [sizeof name - 1] = 0;
    s_tell (1, "kv", "get", "key: string");
    s_tell (1, "kv", "get", "key");
    s_tell (1, "kv", "get", "key: text");
    s_tell (1, "kv", "get", longest);
    s_tell (1, "kv", "", "key: any");
    s_tell (1, "kv", name, "key: any");
    s_tell (1, "kv", NULL, "key: any");
    s_tell (1, "", "get", "key: any");
    s_tell (1, name, "get", "key: any");
    assert_int_equal (s_length (), 2);
    assert_non_null (head_class (&s_head, 1, "empty"));
    assert_true (s_says (1, "kv", "string"));
    s_tell (1, "kv", "get", longest + 1);
    assert_false (s_says (1, "kv", "string"));
}

int
main (void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)
    const struct CMUnitTest tests [] = { TEST (test_newest_word), TEST (test_limit),
                                         TEST (test_malformed) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
