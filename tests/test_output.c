/*  test_output.c - what workers print: lines, logs, and what is left out   */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/failing.h"

#include "core/bytes.h"
#include "core/printable.h"
#include "node/output.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static char s_folder [64];

/*  What was passed on: "worker stream text\n" for each line.               */
static bytes_t s_lines;
static size_t s_count;
static size_t s_longest;
static uint64_t s_noted;        /*  lines left out, as the notes say        */

static void
s_collect (void *arg, uint64_t worker, output_stream_t stream, const char *text, size_t length)
{
    static const char *const names [] = { "out", "err", "note" };
    char start [64];
    assert_ptr_equal (arg, &s_lines);
    int size = snprintf (start, sizeof start, "%d %s ", (int) worker, names [stream]);
    bytes_append (&s_lines, start, (size_t) size);
    bytes_append (&s_lines, text, length);
    bytes_append (&s_lines, "\n", 1);
    s_count += stream != OUTPUT_NOTE;
    s_noted += stream == OUTPUT_NOTE ? strtoull (text, NULL, 10) : 0;
    s_longest = length > s_longest ? length : s_longest;
}

static void
s_reset (void)
{
    bytes_release (&s_lines);
    s_count = 0;
    s_longest = 0;
    s_noted = 0;
}

static const char *
s_text (void)
{
    assert_int_equal (bytes_append (&s_lines, "", 1), 0);
    bytes_truncate (&s_lines, s_lines.size - 1);
    return (const char *) s_lines.data;
}

static output_t *
s_new (output_options_t options)
{
    fault_t fault;
    s_reset ();
    options.line = s_collect;
    options.arg = &s_lines;
    output_t *self = output_new (&options, &fault);
    if (!self)
        fail_msg ("%s", fault.text);
    return self;
}

static void
s_add (output_t *self, uint64_t worker, const char *name, int fds [2])
{
    fault_t fault;
    if (output_add (self, worker, name, fds, &fault))
        fail_msg ("%s", fault.text);
}

static void
s_print (int fd, const void *text, size_t size)
{
    assert_int_equal (write (fd, text, size), size);
}

static void
s_say (int fd, const char *text)
{
    s_print (fd, text, strlen (text));
}

/*  Reads until there is nothing.                                           */
static void
s_read_all (output_t *self)
{
    struct pollfd item = { .fd = output_fd (self), .events = POLLIN };
    while (poll (&item, 1, 0) == 1)
        output_read (self);
}

static void
s_path (char path [256], const char *file)
{
    snprintf (path, 256, "%s/%s", s_folder, file);
}

static char *
s_file (const char *file, size_t *size)
{
    static char text [1 << 20];
    char path [256];
    s_path (path, file);
    FILE *stream = fopen (path, "r");
    *size = stream ? fread (text, 1, sizeof text - 1, stream) : 0;
    text [*size] = 0;
    if (stream)
        fclose (stream);
    return stream ? text : NULL;
}

/*  Removes the logs of a test.                                             */
static int
s_clean (void **state)
{
    char command [128];
    (void) state;
    s_reset ();
    snprintf (command, sizeof command, "rm -rf '%s'", s_folder);
    return system (command);
}

static void
s_end (output_t **self_p, int fds [2])
{
    close (fds [0]);
    close (fds [1]);
    output_destroy (self_p);
}

/* ------------------------------------------------------------------------
   Lines                                                                    */

static void
test_lines_are_put_together (void **state)
{
    (void) state;
    int fds [2];
    output_counts_t counts;
    output_t *self = s_new ((output_options_t){ 0 });
    s_add (self, 7, "seven", fds);
    s_say (fds [0], "one\ntw");
    s_read_all (self);
    assert_string_equal (s_text (), "7 out one\n");
    s_say (fds [1], "error\n");
    s_read_all (self);
    s_say (fds [0], "o\n\nlast");
    s_read_all (self);
    assert_string_equal (s_text (), "7 out one\n7 err error\n7 out two\n7 out \n");
    close (fds [0]);
    s_read_all (self);
    close (fds [1]);
    s_read_all (self);
    assert_string_equal (s_text (), "7 out one\n7 err error\n7 out two\n7 out \n7 out last\n");
    output_counts (self, &counts);
    assert_int_equal (counts.lines, 5);
    output_destroy (&self);
    assert_null (self);
}

static void
test_bytes_stay_as_they_are (void **state)
{
    (void) state;
    int fds [2];
    const char text [] = "\xff\xfe\0\x1b[31m\r\xc3\n";
    const char wanted [] = "1 out \xff\xfe\0\x1b[31m\r\xc3\n";
    output_t *self = s_new ((output_options_t){ 0 });
    s_add (self, 1, "one", fds);
    s_print (fds [0], text, sizeof text - 1);
    s_read_all (self);
    assert_int_equal (s_lines.size, sizeof wanted - 1);
    assert_memory_equal (s_lines.data, wanted, sizeof wanted - 1);
    s_end (&self, fds);
}

static void
test_long_lines_are_cut (void **state)
{
    (void) state;
    enum { LENGTH = 30000 };
    int fds [2];
    char *text = malloc (LENGTH);
    assert_non_null (text);
    /*  A character of two bytes lies across the first cut.                 */
    for (size_t index = 0; index < LENGTH; index += 2)
        memcpy (text + index, "\xc3\xa4", 2);
    output_t *self = s_new ((output_options_t){ 0 });
    s_add (self, 1, "one", fds);
    s_say (fds [0], "x");
    s_print (fds [0], text, LENGTH);
    s_read_all (self);
    s_say (fds [0], "\n");
    s_read_all (self);
    assert_int_equal (s_count, 4);
    assert_int_equal (s_longest, OUTPUT_LINE_MAX);
    assert_int_equal (strcspn (s_text (), "\n"), strlen ("1 out ") + OUTPUT_LINE_MAX - 1);
    assert_int_equal (s_lines.size, 1 + LENGTH + 4 * strlen ("1 out \n"));
    s_print (fds [0], text, OUTPUT_LINE_MAX);
    s_say (fds [0], "\nz\n");
    s_read_all (self);
    assert_int_equal (s_count, 6);
    free (text);
    s_end (&self, fds);
}

/*  A worker that ended has its last words read, and its pipes closed.      */
static void
test_remove_reads_the_rest (void **state)
{
    (void) state;
    int fds [2], others [2];
    output_t *self = s_new ((output_options_t){ 0 });
    s_add (self, 1, "one", fds);
    s_add (self, 2, "two", others);
    s_say (fds [0], "a\nb");
    s_say (fds [1], "c");
    s_say (others [0], "d\n");
    output_remove (self, 1);
    output_remove (self, 1);
    assert_string_equal (s_text (), "1 out a\n1 out b\n1 err c\n");
    signal (SIGPIPE, SIG_IGN);
    assert_int_equal (write (fds [0], "x", 1), -1);
    assert_int_equal (errno, EPIPE);
    s_read_all (self);
    assert_string_equal (s_text (), "1 out a\n1 out b\n1 err c\n2 out d\n");
    s_end (&self, fds);
    close (others [0]);
    close (others [1]);
}

static void
test_flood_is_left_out_and_said (void **state)
{
    (void) state;
    enum { LINES = 5000, RATE = 100 };
    int fds [2];
    output_counts_t counts;
    output_t *self = s_new ((output_options_t){ .lines_per_second = RATE });
    s_add (self, 1, "one", fds);
    for (unsigned line = 0; line < LINES; line++)
        s_say (fds [0], "flood\n");
    s_read_all (self);
    output_counts (self, &counts);
    assert_int_equal (counts.lines, LINES);
    assert_int_equal (counts.left_out + s_count, LINES);
    assert_true (s_count >= RATE && s_count < LINES / 2);
    struct pollfd item = { .fd = output_fd (self), .events = POLLIN };
    while (s_noted < counts.left_out) {
        assert_int_equal (poll (&item, 1, PATIENCE_MS), 1);
        output_read (self);
    }
    assert_int_equal (s_noted, counts.left_out);
    assert_non_null (strstr (s_text (), " lines left out: more than 100 a second\n"));
    /*  A hundredth of a second later there is room for a line again.       */
    while (!strstr (s_text (), "1 out calm\n")) {
        s_say (fds [0], "calm\n");
        s_read_all (self);
    }
    s_end (&self, fds);
}

/* ------------------------------------------------------------------------
   Logs                                                                     */

static void
test_log_has_every_line (void **state)
{
    (void) state;
    enum { LINES = 3000 };
    int fds [2];
    char path [256];
    struct stat status;
    size_t size;
    output_t *self = s_new ((output_options_t){ .folder = s_folder, .lines_per_second = 10 });
    s_add (self, 1, "worker-1", fds);
    for (unsigned line = 0; line < LINES; line++)
        s_say (fds [line % 2], "word\n");
    s_say (fds [0], "end");
    s_end (&self, fds);
    assert_non_null (s_file ("worker-1.log", &size));
    assert_int_equal (size, LINES * 5 + 4);
    s_path (path, "worker-1.log");
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 0777, 0600);
    assert_int_equal (stat (s_folder, &status), 0);
    assert_int_equal (status.st_mode & 0777, 0700);
}

static void
test_log_is_rotated (void **state)
{
    (void) state;
    int fds [2];
    size_t size, old;
    char line [101], wanted [16];
    memset (line, 'x', 99);
    strcpy (line + 99, "\n");
    output_t *self = s_new ((output_options_t){ .folder = s_folder, .log_size_max = 1000 });
    s_add (self, 1, "worker-1", fds);
    for (unsigned count = 0; count < 25; count++) {
        snprintf (wanted, sizeof wanted, "%02u", count);
        memcpy (line, wanted, 2);
        s_say (fds [0], line);
        s_read_all (self);
    }
    const char *text = s_file ("worker-1.log", &size);
    assert_non_null (text);
    assert_int_equal (size, 500);
    assert_memory_equal (text, "20", 2);
    text = s_file ("worker-1.log.1", &old);
    assert_non_null (text);
    assert_int_equal (old, 1000);
    assert_memory_equal (text, "10", 2);
    s_end (&self, fds);
}

/*  A file may not grow beyond 50 bytes for a while: as on a full disk.     */
static void
test_full_disk_is_said (void **state)
{
    (void) state;
    int fds [2];
    size_t size;
    output_counts_t counts;
    struct rlimit before, small;
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 50;
    signal (SIGXFSZ, SIG_IGN);
    output_t *self = s_new ((output_options_t){ .folder = s_folder });
    s_add (self, 1, "worker-1", fds);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &small), 0);
    for (unsigned count = 0; count < 10; count++) {
        s_say (fds [0], "ten bytes\n");
        s_read_all (self);
    }
    s_say (fds [0], "one\ntwo\n");
    s_read_all (self);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
    output_counts (self, &counts);
    assert_int_equal (s_count, 12);
    assert_int_equal (counts.not_logged, 7);
    static const char wanted [] = "1 note cannot write worker-1.log: File too large\n";
    const char *note = strstr (s_text (), wanted);
    assert_non_null (note);
    assert_null (strstr (note + strlen (wanted), "cannot write"));
    s_say (fds [0], "again\n");
    s_read_all (self);
    assert_non_null (
        strstr (s_text (), "1 note worker-1.log is written again: 7 lines are not in it\n"));
    assert_string_equal (s_file ("worker-1.log", &size),
                         "ten bytes\nten bytes\nten bytes\nten bytes\nten bytes\nagain\n");
    s_end (&self, fds);
}

static void
test_old_logs_are_removed (void **state)
{
    (void) state;
    enum { WORKERS = 12, KEPT = 3 };
    char name [32];
    int first [2], fds [2];
    size_t size, found = 0;
    output_t *self = s_new ((output_options_t){ .folder = s_folder, .logs_max = KEPT });
    s_add (self, 100, "first", first);
    for (unsigned index = 0; index < WORKERS; index++) {
        snprintf (name, sizeof name, "worker-%u", index);
        s_add (self, index, name, fds);
        s_say (fds [0], "line\n");
        close (fds [0]);
        close (fds [1]);
        output_remove (self, index);
    }
    for (unsigned index = 0; index < WORKERS; index++) {
        snprintf (name, sizeof name, "worker-%u.log", index);
        found += s_file (name, &size) != NULL;
    }
    assert_int_equal (found, KEPT + 1);
    assert_non_null (s_file ("first.log", &size));
    s_end (&self, first);
}

static void
s_expect_refused (const output_options_t *options, const char *wanted)
{
    fault_t fault = { 0 };
    assert_null (output_new (options, &fault));
    if (!strstr (fault.text, wanted))
        fail_msg ("wanted \"%s\" in \"%s\"", wanted, fault.text);
}

static void
test_bad_names_and_folders (void **state)
{
    (void) state;
    static const char *const names [] = { "", ".", "..", "a/b", "/etc/x", ".hidden" };
    int fds [2];
    fault_t fault;
    output_t *self = s_new ((output_options_t){ .folder = s_folder });
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        assert_int_equal (output_add (self, 1, names [index], fds, &fault), -1);
        assert_int_equal (fault.code, TROUPE_EINVAL);
    }
    output_destroy (&self);
    assert_int_equal (chmod (s_folder, 0750), 0);
    s_expect_refused (&(output_options_t){ .folder = s_folder }, "is open to others");
}

/* ------------------------------------------------------------------------
   Failures, and text to be shown                                           */

static void
s_use (void)
{
    fault_t fault = { 0 };
    int fds [2];
    output_options_t options
        = { .folder = s_folder, .log_size_max = 30, .line = s_collect, .arg = &s_lines };
    output_t *self = output_new (&options, &fault);
    if (!self) {
        assert_true (fault.text [0]);
        return;
    }
    if (output_add (self, 1, "worker", fds, &fault)) {
        assert_true (fault.text [0]);
        output_destroy (&self);
        return;
    }
    unsigned until = failing_until;
    failing_until = 0;
    s_say (fds [0], "first line\nsecond");
    failing_until = until;
    output_read (self);
    until = failing_until;
    failing_until = 0;
    s_say (fds [0], " line, which is longer\nthird\n");
    failing_until = until;
    output_read (self);
    close (fds [0]);
    close (fds [1]);
    output_remove (self, 1);
    output_counts_t counts;
    output_counts (self, &counts);
    assert_in_range (counts.lines, 3, 4);
    assert_int_equal (counts.left_out, 0);
    output_destroy (&self);
}

static void
test_every_call_fails_once (void **state)
{
    (void) state;
    assert_true (failing_walk (s_use) > 10);
}

static void
s_expect_printable (const char *text, const char *wanted)
{
    char place [256];
    size_t size = printable_write (place, text, strlen (text));
    place [size] = 0;
    assert_string_equal (place, wanted);
    assert_true (size <= PRINTABLE_GROWTH * strlen (text));
}

static void
test_printable (void **state)
{
    (void) state;
    s_expect_printable ("plain\ttext", "plain\ttext");
    s_expect_printable ("\x1b[2J\r\x7f\b", "^[[2J^M^?^H");
    s_expect_printable ("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
                        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    s_expect_printable ("\xc2\x9b[m", "\\x9b[m");
    s_expect_printable ("\x9b[m \xff \xc3", "\\x9b[m \xff \xc3");
    s_expect_printable ("\xe2\x82", "\xe2\\x82");
    s_expect_printable ("\xc0\x9b \xe0\x80\x9b", "\xc0\\x9b \xe0\\x80\\x9b");
    char nul [PRINTABLE_GROWTH];
    assert_int_equal (printable_write (nul, "", 1), 2);
    assert_memory_equal (nul, "^@", 2);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_teardown (test_lines_are_put_together, s_clean),
        cmocka_unit_test_teardown (test_bytes_stay_as_they_are, s_clean),
        cmocka_unit_test_teardown (test_long_lines_are_cut, s_clean),
        cmocka_unit_test_teardown (test_remove_reads_the_rest, s_clean),
        cmocka_unit_test_teardown (test_flood_is_left_out_and_said, s_clean),
        cmocka_unit_test_teardown (test_log_has_every_line, s_clean),
        cmocka_unit_test_teardown (test_log_is_rotated, s_clean),
        cmocka_unit_test_teardown (test_full_disk_is_said, s_clean),
        cmocka_unit_test_teardown (test_old_logs_are_removed, s_clean),
        cmocka_unit_test_teardown (test_bad_names_and_folders, s_clean),
        cmocka_unit_test_teardown (test_every_call_fails_once, s_clean),
        cmocka_unit_test (test_printable),
    };
    strcpy (s_folder, "/tmp/troupe-test-XXXXXX");
    if (!mkdtemp (s_folder)) {
        perror (s_folder);
        return 1;
    }
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    return failed;
}
