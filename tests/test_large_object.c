/*  test_large_object.c - a value of 2 GiB and a byte, of which little is touched  */

#include "tests/hosted.h"
#include "tests/sanitized.h"
#include "tests/support.h"

#include "store/figures.h"

#include <poll.h>

#define SIZE (((size_t) 2 << 30) + 1)
#define MIDDLE ((size_t) 1 << 30)

/*  What is at the ends and in the middle, as digits.                       */
static int
ends_of (troupe_call_t *call)
{
    troupe_bytes_t bytes;
    if (troupe_args (call, &bytes))
        return -1;
    const unsigned char *data = bytes.data;
    if (bytes.size != SIZE)
        return troupe_fail (call, "%zu bytes", bytes.size);
    return troupe_return (call, data [0] * 100 + data [MIDDLE] * 10 + data [SIZE - 1]);
}
TROUPE_TASK (ends_of);

static int
make (troupe_call_t *call)
{
    troupe_object_t *object = troupe_create (troupe_of (call), TROUPE_ARG_BYTES, SIZE);
    unsigned char *data = troupe_object_data (object);
    if (!data)
        return -1;
    data [0] = 4;
    data [MIDDLE] = 5;
    data [SIZE - 1] = 6;
    return troupe_return (call, object);
}
TROUPE_TASK (make);

static void
test_argument_and_result (void **state)
{
    (void) state;
    troupe_bytes_t bytes;
    store_figures_t figures;
    if (SANITIZED)
        skip ();
    troupe_object_t *object = troupe_create (s_troupe, TROUPE_ARG_BYTES, SIZE);
    assert_non_null (object);
    unsigned char *data = troupe_object_data (object);
    data [0] = 1;
    data [MIDDLE] = 2;
    data [SIZE - 1] = 3;
    expect_integer (troupe_remote (s_troupe, ends_of, object), 123);
    /*  There is no room for two.                                           */
    do {
        store_figures (hosted_store (s_troupe), &figures);
        poll (NULL, 0, 1);
    } while (figures.used);
    troupe_future_t *made = troupe_remote (s_troupe, make);
    expect_integer (troupe_remote (s_troupe, ends_of, made), 456);
    expect_done (troupe_get (made, &bytes));
    assert_int_equal (bytes.size, SIZE);
    assert_int_equal (((const unsigned char *) bytes.data) [SIZE - 1], 6);
    troupe_future_destroy (&made);
}

int
main (int argc, char *argv [])
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_argument_and_result) };
    setenv ("TROUPE_OBJECT_MEMORY", "2050M", 1);
    support_begin (&argc, &argv);
    return support_end (cmocka_run_group_tests (tests, NULL, NULL));
}
