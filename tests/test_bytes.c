/*  test_bytes.c - the byte buffer, numbers in it, the arena, the clock,
    checksums                                                                */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/bytes.h"
#include "core/checksum.h"
#include "core/clock.h"
#include "core/value.h"

static void
test_append (void **state)
{
    (void) state;
    bytes_t bytes = { 0 };
    for (unsigned index = 0; index < 100000; index++) {
        uint8_t byte = (uint8_t) (index * 7);
        assert_int_equal (bytes_append (&bytes, &byte, 1), 0);
    }
    assert_int_equal (bytes.size, 100000);
    assert_true (bytes.capacity < 4 * bytes.size);
    for (unsigned index = 0; index < 100000; index++)
        assert_int_equal (bytes.data [index], (uint8_t) (index * 7));
    bytes_release (&bytes);
    assert_null (bytes.data);
    assert_int_equal (bytes_append (&bytes, "again", 5), 0);
    assert_memory_equal (bytes.data, "again", 5);
    bytes_release (&bytes);
}

static void
test_nothing (void **state)
{
    (void) state;
    bytes_t bytes = { 0 };
    assert_int_equal (bytes_append (&bytes, NULL, 0), 0);
    assert_int_equal (bytes_align (&bytes), 0);
    assert_int_equal (bytes.size, 0);
    assert_non_null (bytes_reserve (&bytes, 0));
    bytes_release (&bytes);
    bytes_release (&bytes);
}

static void
test_large_step (void **state)
{
    (void) state;
    bytes_t bytes = { 0 };
    assert_int_equal (bytes_append (&bytes, "abc", 3), 0);
    uint8_t *place = bytes_extend (&bytes, 1000000);
    assert_ptr_equal (place, bytes.data + 3);
    memset (place, 'z', 1000000);
    assert_int_equal (bytes.size, 1000003);
    assert_memory_equal (bytes.data, "abcz", 4);
    bytes_release (&bytes);
}

/*  What cannot be had fails for good, and leaves what is there.            */
static void
test_failure (void **state)
{
    (void) state;
    static const size_t sizes [] = { SIZE_MAX, SIZE_MAX - 2, SIZE_MAX / 2 + 1 };
    for (size_t index = 0; index < sizeof sizes / sizeof sizes [0]; index++) {
        bytes_t bytes = { 0 };
        assert_int_equal (bytes_append (&bytes, "abc", 3), 0);
        assert_null (bytes_extend (&bytes, sizes [index]));
        assert_true (bytes.failed);
        assert_int_equal (bytes.size, 3);
        assert_memory_equal (bytes.data, "abc", 3);
        assert_int_equal (bytes_append (&bytes, "d", 1), -1);
        assert_int_equal (bytes_append (&bytes, "", 0), -1);
        assert_int_equal (bytes_align (&bytes), -1);
        bytes_clear (&bytes);
        assert_int_equal (bytes_append (&bytes, "d", 1), 0);
        assert_memory_equal (bytes.data, "d", 1);
        bytes_release (&bytes);
    }
}

static void
test_align_and_truncate (void **state)
{
    (void) state;
    for (size_t size = 0; size < 40; size++) {
        bytes_t bytes = { 0 };
        uint8_t text [40];
        memset (text, 0xff, sizeof text);
        assert_int_equal (bytes_append (&bytes, text, size), 0);
        assert_int_equal (bytes_align (&bytes), 0);
        assert_int_equal (bytes.size, (size + 7) / 8 * 8);
        for (size_t index = 0; index < bytes.size; index++)
            assert_int_equal (bytes.data [index], index < size ? 0xff : 0);
        bytes_truncate (&bytes, bytes.size + 1);
        assert_int_equal (bytes.size, (size + 7) / 8 * 8);
        bytes_truncate (&bytes, size / 2);
        assert_int_equal (bytes.size, size / 2);
        bytes_release (&bytes);
    }
}

static void
test_numbers (void **state)
{
    (void) state;
    uint8_t place [16];
    for (size_t offset = 0; offset < 8; offset++) {
        store_u64 (place + offset, UINT64_C (0x8182838485868788));
        assert_int_equal (place [offset], 0x88);
        assert_int_equal (place [offset + 7], 0x81);
        assert_true (load_u64 (place + offset) == UINT64_C (0x8182838485868788));
        assert_int_equal (load_u32 (place + offset), 0x85868788);
        assert_int_equal (load_u16 (place + offset), 0x8788);
        store_u16 (place + offset, 0x1234);
        store_u32 (place + offset + 4, 0x90abcdef);
        assert_true (load_u64 (place + offset) == UINT64_C (0x90abcdef85861234));
    }
}

static void
test_arena (void **state)
{
    (void) state;
    arena_t arena = { 0 };
    unsigned char *places [400];
    static const size_t sizes [] = { 0, 1, 15, 16, 17, 100, 300, 5000, 70000 };
    size_t kinds = sizeof sizes / sizeof sizes [0];
    for (size_t index = 0; index < 400; index++) {
        places [index] = arena_alloc (&arena, sizes [index % kinds]);
        assert_non_null (places [index]);
        assert_int_equal ((uintptr_t) places [index] % 8, 0);
        memset (places [index], (int) (index & 0xff), sizes [index % kinds]);
    }
    for (size_t index = 0; index < 400; index++)
        for (size_t byte = 0; byte < sizes [index % kinds]; byte++)
            assert_int_equal (places [index] [byte], index & 0xff);
    assert_null (arena_alloc (&arena, SIZE_MAX));
    assert_null (arena_alloc (&arena, SIZE_MAX - 64));
    arena_release (&arena);
    assert_null (arena.blocks);
    assert_non_null (arena_alloc (&arena, 1000000));
    assert_non_null (arena_alloc (&arena, 8));
    arena_release (&arena);
    arena_release (&arena);
}

static void
test_clock (void **state)
{
    (void) state;
    int64_t last = clock_now ();
    assert_true (last > 0);
    for (int index = 0; index < 1000; index++) {
        int64_t now = clock_now ();
        assert_true (now >= last);
        last = now;
    }
    assert_true (last < CLOCK_NEVER);
}

static void
test_checksum (void **state)
{
    (void) state;
    static uint8_t from [100000], to [100001];
    static const size_t sizes [] = { 0, 1, 240, 241, 16383, 16384, 16385, 50001, 100000 };
    for (size_t index = 0; index < sizeof from; index++)
        from [index] = (uint8_t) (index * 31 + (index >> 8));
    for (size_t at = 0; at < sizeof sizes / sizeof sizes [0]; at++) {
        size_t size = sizes [at];
        memset (to, 0x55, sizeof to);
        assert_true (checksum_copy (to, from, size) == checksum_of (from, size));
        assert_memory_equal (to, from, size);
        assert_int_equal (to [size], 0x55);
    }
    from [77777] ^= 1;
    assert_true (checksum_of (from, 77778) != checksum_of (to, 77778));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_append),     cmocka_unit_test (test_nothing),
        cmocka_unit_test (test_large_step), cmocka_unit_test (test_failure),
        cmocka_unit_test (test_align_and_truncate),
        cmocka_unit_test (test_numbers),    cmocka_unit_test (test_arena),
        cmocka_unit_test (test_clock),      cmocka_unit_test (test_checksum),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
