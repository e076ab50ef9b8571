/*  test_range.c - tests of wire/range.h                                     */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/range.h"

static bool
s_has (const char *text, const char *address_text)
{
    range_t range;
    address_t address;
    fault_t fault;
    if (range_read (&range, text, &fault))
        fail_msg ("%s", fault.text);
    assert_int_equal (address_read (&address, address_text), 0);
    return range_has (&range, &address);
}

static void
test_ranges (void **state)
{
    (void) state;
    static const char *const wrong [] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                                          "10.0.0.0/8x", "10.0.0.1/8", "10.0.0", "::/129", "x",
                                          "fe80::1/10", "10.0.0.0/ 8",
                                          "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/1" };
    range_t range;
    address_t address;
    fault_t fault;
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        if (range_read (&range, wrong [index], &fault) == 0)
            fail_msg ("'%s' was taken", wrong [index]);
        assert_int_equal (fault.code, TROUPE_EINVAL);
    }
    assert_true (s_has ("10.0.0.0/8", "10.255.1.2"));
    assert_false (s_has ("10.0.0.0/8", "11.0.0.0"));
    assert_true (s_has ("10.1.2.3", "::ffff:10.1.2.3"));
    assert_false (s_has ("10.1.2.3", "10.1.2.2"));
    assert_true (s_has ("0.0.0.0/0", "255.255.255.255"));
    assert_false (s_has ("0.0.0.0/0", "fe80::1"));
    assert_true (s_has ("::/0", "1.2.3.4"));
    assert_true (s_has ("fe80::/10", "febf::1%eth0"));
    assert_false (s_has ("fe80::/10", "fec0::1"));
    assert_true (s_has ("2001:db8::/127", "[2001:db8::1]"));
    assert_false (s_has ("2001:db8::/127", "2001:db8::2"));
    assert_true (address_read (&address, "127.9.9.9") == 0 && address_is_loopback (&address));
    assert_true (address_read (&address, "::1") == 0 && address_is_loopback (&address));
    assert_true (address_read (&address, "::2") == 0 && !address_is_loopback (&address));
    assert_true (address_read (&address, "128.0.0.1") == 0 && !address_is_loopback (&address));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_ranges),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
