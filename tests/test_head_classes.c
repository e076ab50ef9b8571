/*  test_head_classes.c - what the head remembers of classes: what each worker
    has said, read once for all who say the same; a bounded number of them; and
    nothing that is malformed                                               */

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
static peer_t s_workers [4];

static int
s_setup (void **state)
{
    (void) state;
    s_head = (head_t){ .class_count = 0 };
    list_init (&s_head.class_sets);
    memset (s_workers, 0, sizeof s_workers);
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

/*  A worker tells of a class with one method, and of another; NULL parameters
    are none declared.                                                      */
static void
s_tell (peer_t *worker, uint32_t program, const char *name, const char *method,
        const char *parameters)
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
    head_note_classes (&s_head, worker, program, body.data, body.size);
    bytes_release (&body);
}

/*  The classes that are listed; all of them, or those of one name.         */
static size_t
s_length (const char *name)
{
    size_t count = 0;
    for (class_cursor_t cursor = { NULL, NULL, 0 }; head_next_class (&s_head, &cursor);)
        count += !name || strcmp (cursor.note->name, name) == 0;
    return count;
}

/*  Whether the answer on a class has the text, and is one value.           */
static bool
s_says (const peer_t *worker, uint32_t program, const char *name, const char *text)
{
    const class_note_t *note = head_class (&s_head, worker, program, name);
    if (!note
        || value_check (note->methods.data, note->methods.size, true) != note->methods.size)
        return false;
    return memmem (note->methods.data, note->methods.size, text, strlen (text)) != NULL;
}

/*  Programs keep apart; without a worker, the last word counts.            */
static void
test_programs (void **state)
{
    (void) state;
    s_tell (&s_workers [0], 1, "kv", "get", NULL);
    s_tell (&s_workers [1], 2, "kv", "get", "key: bytes");
    s_tell (&s_workers [2], 1, "kv", "get", "key: string");
    assert_true (s_says (NULL, 1, "kv", "string"));
    assert_true (s_says (NULL, 2, "kv", "bytes"));
    assert_null (head_class (&s_head, NULL, 3, "kv"));
    assert_null (head_class (&s_head, NULL, 1, "k"));
    assert_null (head_class (&s_head, &s_workers [3], 3, "kv"));
}

/*  A second worker of a program says the same: nothing is read again.      */
static void
test_once_for_a_program (void **state)
{
    (void) state;
    s_tell (&s_workers [0], 1, "kv", "get", "key: string");
    const class_note_t *note = head_class (&s_head, &s_workers [0], 1, "kv");
    s_tell (&s_workers [1], 1, "kv", "get", "key: string");
    assert_ptr_equal (head_class (&s_head, &s_workers [1], 1, "kv"), note);
    assert_int_equal (s_head.class_count, 2);
    s_tell (&s_workers [2], 2, "kv", "get", "key: string");
    assert_ptr_not_equal (head_class (&s_head, &s_workers [2], 2, "kv"), note);
    assert_int_equal (s_head.class_count, 4);
    assert_int_equal (s_length (NULL), 4);
    for (size_t index = 0; index < 3; index++)
        head_forget_classes (&s_workers [index]);
    assert_ptr_equal (head_class (&s_head, NULL, 1, "kv"), note);
    assert_int_equal (s_length (NULL), 4);
}

/*  A module was built anew while an older worker has the old one: each has its
    own, and the old one is gone with its last worker.                      */
static void
test_two_versions_of_a_module (void **state)
{
    (void) state;
    s_tell (&s_workers [0], 1, "kv", "get", "key: string");
    s_tell (&s_workers [1], 1, "kv", "get", "key: bytes");
    s_tell (&s_workers [2], 1, "kv", "get", "key: string");
    assert_true (s_says (&s_workers [0], 1, "kv", "string"));
    assert_true (s_says (&s_workers [1], 1, "kv", "bytes"));
    assert_true (s_says (&s_workers [2], 1, "kv", "string"));
    assert_true (s_says (NULL, 1, "kv", "string"));
    assert_int_equal (s_length ("kv"), 2);
    assert_int_equal (s_length ("empty"), 1);
    head_forget_classes (&s_workers [1]);
    assert_int_equal (s_length ("kv"), 1);
    assert_true (s_says (&s_workers [1], 1, "kv", "string"));
    /*  One that loads another module has said all anew.                    */
    s_tell (&s_workers [2], 1, "queue", "push", "item: any");
    assert_null (head_class (&s_head, NULL, 2, "kv"));
    assert_true (s_says (&s_workers [2], 1, "queue", "any"));
    assert_true (s_says (&s_workers [0], 1, "kv", "string"));
}

/*  Of two classes of one name, the first is the one that actors are made of.  */
static void
test_a_name_twice (void **state)
{
    (void) state;
    bytes_t body = { 0 };
    value_put_array (&body, 2);
    for (int index = 0; index < 2; index++) {
        value_put_array (&body, 3);
        s_text (&body, "kv");
        s_text (&body, "get");
        s_text (&body, index ? "key: bytes" : "key: string");
    }
    head_note_classes (&s_head, &s_workers [0], 1, body.data, body.size);
    bytes_release (&body);
    assert_true (s_says (&s_workers [0], 1, "kv", "string"));
    assert_int_equal (s_length (NULL), 1);
}

/*  Those that no worker has any more make room, the oldest first; those that
    workers have do not.                                                    */
static void
test_limit (void **state)
{
    char name [32];
    (void) state;
    s_tell (&s_workers [0], 1, "mine", "get", "key: string");
    for (int index = 0; index < KEPT / 2 - 1; index++) {
        snprintf (name, sizeof name, "class_%d", index);
        s_tell (&s_workers [1], 1, name, "get", "");
    }
    assert_int_equal (s_head.class_count, KEPT);
    s_tell (&s_workers [1], 1, "one_more", "get", "");
    assert_int_equal (s_head.class_count, KEPT);
    assert_true (s_says (NULL, 1, "one_more", "get"));
    assert_true (s_says (NULL, 1, "mine", "string"));
    assert_null (head_class (&s_head, NULL, 1, "class_0"));
    assert_true (s_says (NULL, 1, "class_1", "get"));
}

/*  More than may be remembered, at once.                                   */
static void
test_too_many (void **state)
{
    char name [32];
    bytes_t body = { 0 };
    (void) state;
    for (size_t count = KEPT; count <= KEPT + 1; count++) {
        bytes_clear (&body);
        value_put_array (&body, count);
        for (size_t index = 0; index < count; index++) {
            snprintf (name, sizeof name, "class_%zu", index);
            value_put_array (&body, 1);
            s_text (&body, name);
        }
        head_note_classes (&s_head, &s_workers [count - KEPT], 1, body.data, body.size);
        assert_int_equal (s_head.class_count, KEPT);
    }
    assert_null (s_workers [1].classes);
    s_tell (&s_workers [2], 1, "one_more", "get", "");
    assert_null (s_workers [2].classes);
    assert_null (head_class (&s_head, NULL, 1, "one_more"));
    bytes_release (&body);
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
    s_tell (&s_workers [0], 1, "kv", "get", "key: string");
    s_tell (&s_workers [0], 1, "kv", "get", "key");
    s_tell (&s_workers [0], 1, "kv", "get", "key: text");
    s_tell (&s_workers [0], 1, "kv", "get", longest);
    s_tell (&s_workers [0], 1, "kv", "", "key: any");
    s_tell (&s_workers [0], 1, "kv", name, "key: any");
    s_tell (&s_workers [0], 1, "kv", NULL, "key: any");
    s_tell (&s_workers [0], 1, "", "get", "key: any");
    s_tell (&s_workers [0], 1, name, "get", "key: any");
    assert_int_equal (s_length (NULL), 2);
    assert_non_null (head_class (&s_head, NULL, 1, "empty"));
    assert_true (s_says (&s_workers [0], 1, "kv", "string"));
    s_tell (&s_workers [0], 1, "kv", "get", longest + 1);
    assert_false (s_says (&s_workers [0], 1, "kv", "string"));
}

int
main (void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown (name_, s_setup, s_teardown)
    const struct CMUnitTest tests [] = {
        TEST (test_programs),
        TEST (test_once_for_a_program),
        TEST (test_two_versions_of_a_module),
        TEST (test_a_name_twice),
        TEST (test_limit),
        TEST (test_too_many),
        TEST (test_malformed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
