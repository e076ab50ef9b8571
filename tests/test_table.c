/*  test_table.c - tables, windows, slabs, lists, against plain arrays       */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/list.h"
#include "core/pages.h"
#include "core/slab.h"
#include "core/table.h"
#include "core/window.h"

#define KEYS 500

static uint64_t
s_random (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/*  Keys alike in one half or the other, and plain small numbers.           */
static tid_t
s_key (size_t index)
{
    switch (index % 3) {
    case 0:
        return (tid_t){ 0, index };
    case 1:
        return (tid_t){ UINT64_C (0xdeadbeef00000000) + index, 1 };
    default:
        return (tid_t){ UINT64_C (0xdeadbeef00000001), index << 32 };
    }
}

static void
test_id_empty (void **state)
{
    (void) state;
    id_table_t table = { 0 };
    size_t cursor = 0;
    assert_null (id_table_get (&table, (tid_t){ 0, 0 }));
    assert_null (id_table_remove (&table, (tid_t){ 0, 0 }));
    assert_null (id_table_next (&table, &cursor));
    id_table_release (&table);
}

static void
s_check_ids (const id_table_t *table, void *const *model)
{
    size_t count = 0;
    for (size_t index = 0; index < KEYS; index++) {
        assert_ptr_equal (id_table_get (table, s_key (index)), model [index]);
        count += model [index] != NULL;
    }
    assert_int_equal (table->count, count);
    assert_true (table->count <= table->capacity / 8 * 5);
    size_t cursor = 0;
    size_t walked = 0;
    while (id_table_next (table, &cursor))
        walked++;
    assert_int_equal (walked, count);
}

static void
test_id_random (void **state)
{
    (void) state;
    static int things [64];
    id_table_t table = { 0 };
    void *model [KEYS] = { NULL };
    uint64_t random = 7;
    for (int step = 0; step < 60000; step++) {
        size_t index = s_random (&random) % KEYS;
        if (s_random (&random) % 2) {
            void *value = &things [s_random (&random) % 64];
            assert_int_equal (id_table_put (&table, s_key (index), value), 0);
            model [index] = value;
        } else {
            assert_ptr_equal (id_table_remove (&table, s_key (index)), model [index]);
            model [index] = NULL;
        }
        if (step % 500 == 0)
            s_check_ids (&table, model);
    }
    s_check_ids (&table, model);
    id_table_release (&table);
    assert_int_equal (table.count, 0);
    assert_null (id_table_get (&table, s_key (1)));
    assert_int_equal (id_table_put (&table, s_key (1), &things [1]), 0);
    assert_ptr_equal (id_table_get (&table, s_key (1)), &things [1]);
    id_table_release (&table);
}

/*  A run of used slots is a probe at worst: with a good hash and five
    eighths full it stays short for keys that count up, whatever counts.   */
static void
test_id_spread (void **state)
{
    (void) state;
    static int thing;
    static const unsigned shifts [] = { 0, 8, 32, 48 };
    for (size_t kind = 0; kind < 8; kind++) {
        id_table_t table = { 0 };
        for (uint64_t count = 0; count < 10200; count++) {
            uint64_t number = count << shifts [kind / 2];
            tid_t key = kind % 2 ? (tid_t){ number, 1 } : (tid_t){ 77, number };
            assert_int_equal (id_table_put (&table, key, &thing), 0);
        }
        size_t run = 0;
        size_t longest = 0;
        for (size_t index = 0; index < table.capacity; index++) {
            run = table.slots [index].value ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }
        assert_true (longest < 600);
        id_table_release (&table);
    }
}

static void
test_id_seeds_differ (void **state)
{
    (void) state;
    static int thing;
    id_table_t one = { 0 };
    id_table_t two = { 0 };
    assert_int_equal (id_table_put (&one, (tid_t){ 1, 1 }, &thing), 0);
    assert_int_equal (id_table_put (&two, (tid_t){ 1, 1 }, &thing), 0);
    assert_true (one.seed != two.seed);
    id_table_release (&one);
    id_table_release (&two);
}

static size_t
s_name (char *name, size_t index)
{
    return (size_t) snprintf (name, 32, "%s%zu", index % 2 ? "task." : "", index);
}

static void
s_check_names (const name_table_t *table, void *const *model)
{
    char name [32];
    size_t count = 0;
    for (size_t index = 0; index < KEYS; index++) {
        size_t length = s_name (name, index);
        assert_ptr_equal (name_table_get (table, name, length), model [index]);
        count += model [index] != NULL;
    }
    assert_int_equal (table->count, count);
    size_t cursor = 0;
    size_t walked = 0;
    while (name_table_next (table, &cursor))
        walked++;
    assert_int_equal (walked, count);
}

static void
test_name_random (void **state)
{
    (void) state;
    static int things [64];
    char name [32];
    name_table_t table = { 0 };
    void *model [KEYS] = { NULL };
    uint64_t random = 11;
    for (int step = 0; step < 60000; step++) {
        size_t index = s_random (&random) % KEYS;
        size_t length = s_name (name, index);
        if (s_random (&random) % 2) {
            void *value = &things [s_random (&random) % 64];
            assert_int_equal (name_table_put (&table, name, length, value), 0);
            model [index] = value;
        } else {
            assert_ptr_equal (name_table_remove (&table, name, length), model [index]);
            model [index] = NULL;
        }
        memset (name, 'x', sizeof name);
        if (step % 500 == 0)
            s_check_names (&table, model);
    }
    name_table_release (&table);
    assert_null (name_table_get (&table, "1", 1));
}

static void
test_name_bytes (void **state)
{
    (void) state;
    static int things [4];
    name_table_t table = { 0 };
    assert_null (name_table_get (&table, "a", 1));
    assert_null (name_table_remove (&table, "a", 1));
    assert_int_equal (name_table_put (&table, "a\0b", 3, &things [0]), 0);
    assert_int_equal (name_table_put (&table, "a\0c", 3, &things [1]), 0);
    assert_int_equal (name_table_put (&table, "a", 1, &things [2]), 0);
    assert_int_equal (name_table_put (&table, NULL, 0, &things [3]), 0);
    assert_ptr_equal (name_table_get (&table, "a\0b", 3), &things [0]);
    assert_ptr_equal (name_table_get (&table, "a\0c", 3), &things [1]);
    assert_ptr_equal (name_table_get (&table, "a", 1), &things [2]);
    assert_ptr_equal (name_table_get (&table, "", 0), &things [3]);
    assert_null (name_table_get (&table, "a\0", 2));
    assert_ptr_equal (name_table_remove (&table, "", 0), &things [3]);
    assert_null (name_table_get (&table, "", 0));
    assert_int_equal (name_table_put (&table, "a", 1, &things [3]), 0);
    assert_int_equal (table.count, 3);
    assert_ptr_equal (name_table_get (&table, "a", 1), &things [3]);
    name_table_release (&table);
}

/*  --- windows ----------------------------------------------------------  */

typedef struct {
    int filler;
    uint64_t number;
} numbered_t;

/*  In order, far apart, and alike in the lower bits.                       */
static uint64_t
s_number (size_t index)
{
    switch (index % 4) {
    case 0:
        return index << 40;
    case 1:
        return index * 4096;
    default:
        return 1000000 + index;
    }
}

static void
s_check_window (const window_t *window, numbered_t *things, const bool *model)
{
    size_t count = 0;
    for (size_t index = 0; index < KEYS; index++) {
        assert_ptr_equal (window_get (window, s_number (index)),
                          model [index] ? &things [index] : NULL);
        count += model [index];
    }
    assert_int_equal (window->count + window->others.count, count);
    size_t cursor = 0;
    size_t walked = 0;
    for (numbered_t *thing; (thing = window_next (window, &cursor)); walked++)
        assert_true (model [thing - things]);
    assert_int_equal (walked, count);
}

static void
test_window_random (void **state)
{
    (void) state;
    static numbered_t things [KEYS];
    bool model [KEYS] = { false };
    window_t window = { .number_at = offsetof (numbered_t, number) };
    uint64_t random = 13;
    assert_null (window_get (&window, 0));
    assert_null (window_remove (&window, 0));
    for (int step = 0; step < 60000; step++) {
        size_t index = s_random (&random) % KEYS;
        things [index].number = s_number (index);
        if (model [index])
            assert_ptr_equal (window_remove (&window, s_number (index)), &things [index]);
        else
            assert_int_equal (window_put (&window, &things [index]), 0);
        model [index] = !model [index];
        if (step % 500 == 0)
            s_check_window (&window, things, model);
    }
    assert_true (window.capacity <= 2 * KEYS);
    window_release (&window);
    size_t cursor = 0;
    assert_null (window_next (&window, &cursor));
    assert_null (window_get (&window, things [1].number));
    assert_int_equal (window_put (&window, &things [1]), 0);
    assert_ptr_equal (window_get (&window, things [1].number), &things [1]);
    window_release (&window);
}

/*  What is made and goes in order needs no table, no more places than there
    are things at once, and none when all have gone.                        */
static void
test_window_in_order (void **state)
{
    (void) state;
    enum { AT_ONCE = 1 << 17 };
    uint64_t *numbers = calloc (AT_ONCE, sizeof *numbers);
    window_t window = { 0 };
    assert_non_null (numbers);
    for (uint64_t number = 0; number < 3 * AT_ONCE; number++) {
        uint64_t *place = &numbers [number % AT_ONCE];
        if (number >= AT_ONCE)
            assert_ptr_equal (window_remove (&window, number - AT_ONCE), place);
        *place = number;
        assert_int_equal (window_put (&window, place), 0);
    }
    assert_int_equal (window.capacity, AT_ONCE);
    assert_int_equal (window.others.count, 0);
    for (uint64_t number = 2 * AT_ONCE; number < 3 * AT_ONCE; number++)
        assert_non_null (window_remove (&window, number));
    assert_int_equal (window.capacity, 0);
    window_release (&window);
    free (numbers);
}

/*  Numbers that all want the same place do not make the ring grow.         */
static void
test_window_collisions (void **state)
{
    (void) state;
    static uint64_t numbers [1000];
    window_t window = { 0 };
    for (uint64_t index = 0; index < 1000; index++) {
        numbers [index] = index << 32;
        assert_int_equal (window_put (&window, &numbers [index]), 0);
    }
    assert_true (window.capacity <= 2048);
    for (uint64_t index = 0; index < 1000; index++)
        assert_ptr_equal (window_get (&window, index << 32), &numbers [index]);
    assert_null (window_get (&window, UINT64_C (1000) << 32));
    window_release (&window);
}

/*  --- memory -----------------------------------------------------------  */

#define THINGS 20000

typedef struct {
    uint64_t pattern [9];
} thing_t;

static void
s_give_checked (slab_t *slab, thing_t **place, uint64_t pattern)
{
    for (size_t index = 0; index < 9; index++)
        assert_int_equal ((*place)->pattern [index], pattern);
    slab_give (slab, *place);
    *place = NULL;
}

static void
s_take_marked (slab_t *slab, thing_t **place, uint64_t pattern)
{
    *place = slab_take (slab, sizeof **place);
    assert_non_null (*place);
    assert_int_equal ((uintptr_t) *place % _Alignof (thing_t), 0);
    for (size_t index = 0; index < 9; index++)
        (*place)->pattern [index] = pattern;
}

/*  Things keep what is written into them, whichever come and go.           */
static void
test_slab (void **state)
{
    (void) state;
    static thing_t *things [THINGS];
    slab_t slab = { 0 };
    uint64_t random = 17;
    slab_give (&slab, NULL);
    for (int round = 0; round < 3; round++) {
        for (size_t index = 0; index < THINGS; index++)
            s_take_marked (&slab, &things [index], index);
        for (int step = 0; step < 100000; step++) {
            size_t index = s_random (&random) % THINGS;
            if (things [index])
                s_give_checked (&slab, &things [index], index);
            else
                s_take_marked (&slab, &things [index], index);
        }
        for (size_t index = 0; index < THINGS; index++)
            if (things [index])
                s_give_checked (&slab, &things [index], index);
        assert_true (slab.empty <= 1);
    }
    slab_release (&slab);
    assert_null (slab.partial);
    s_take_marked (&slab, &things [0], 0);
    s_give_checked (&slab, &things [0], 0);
    slab_release (&slab);
}

static void
test_pages (void **state)
{
    (void) state;
    for (size_t count = 1; count < 1000000; count *= 7) {
        uint64_t *numbers = pages_new (count, sizeof *numbers);
        assert_non_null (numbers);
        for (size_t index = 0; index < count; index++)
            assert_int_equal (numbers [index], 0);
        memset (numbers, 0xff, count * sizeof *numbers);
        pages_free (numbers, count, sizeof *numbers);
    }
    assert_null (pages_new (0, 8));
    assert_null (pages_new (SIZE_MAX / 4, 8));
    assert_null (pages_new (SIZE_MAX / 16, 8));
    pages_free (NULL, 100, 8);
}

/*  Whether there are large pages or not, what is prepared is as it was.      */
static void
test_shared_pages (void **state)
{
    (void) state;
    const size_t large = (size_t) 2 << 20, size = 5 * large + 4096;
    int file = memfd_create ("pages", MFD_CLOEXEC);
    assert_true (file >= 0);
    assert_int_equal (ftruncate (file, (off_t) size), 0);
    uint8_t *memory = pages_map (file, size, PROT_READ | PROT_WRITE);
    const uint8_t *reader = pages_map (file, size, PROT_READ);
    assert_non_null (memory);
    assert_non_null (reader);
    assert_int_equal ((uintptr_t) memory % large, 0);
    assert_int_equal ((uintptr_t) reader % large, 0);
    pages_supply_t supply = { 0 };
    memory [4095] = 1;
    memory [large + 4096] = 2;
    memory [size - 1] = 3;
    pages_prepare (&supply, memory, 0);
    pages_prepare (&supply, memory + 1, large);
    pages_prepare (&supply, memory + 4096, size - 4096);
    pages_prepare (&supply, memory, size);
    supply.again = INT64_MAX;
    pages_prepare (&supply, memory, size);
    pages_write (&supply, file, 0, memory, size);
    uint64_t sum = 0;
    for (size_t at = 0; at < size; at++)
        sum += reader [at];
    assert_int_equal (sum, 6);
    assert_int_equal (reader [4095], 1);
    assert_int_equal (reader [large + 4096], 2);
    assert_int_equal (reader [size - 1], 3);
    memory [3 * large] = 4;
    assert_int_equal (reader [3 * large], 4);
    munmap (memory, size);
    munmap ((void *) (uintptr_t) reader, size);
    assert_null (pages_map (-1, size, PROT_READ));
    close (file);
}

/*  What is written gets its pages, and keeps its content where they are there;
    none where files have a limit.                                          */
static void
test_written_pages (void **state)
{
    (void) state;
    const size_t page = (size_t) sysconf (_SC_PAGESIZE), size = 100 * page;
    struct rlimit limit, least;
    struct stat info;
    pages_supply_t supply = { 0 };
    int file = memfd_create ("pages", MFD_CLOEXEC);
    assert_true (file >= 0);
    assert_int_equal (ftruncate (file, (off_t) (2 * size)), 0);
    uint8_t *memory = pages_map (file, 2 * size, PROT_READ | PROT_WRITE);
    assert_non_null (memory);
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &limit), 0);
    least = (struct rlimit){ page, limit.rlim_max };
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &least), 0);
    pages_write (&supply, file, 0, memory, size);
    assert_int_equal (fstat (file, &info), 0);
    assert_int_equal (info.st_blocks, 0);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &limit), 0);
    if (limit.rlim_cur == RLIM_INFINITY) {
        memory [size + 7 * page] = 7;
        pages_write (&supply, file, size + 1, memory + size + 1, size - 2);
        assert_int_equal (fstat (file, &info), 0);
        assert_true ((size_t) info.st_blocks * 512 >= 98 * page);
        assert_int_equal (memory [size + 7 * page], 7);
    }
    munmap (memory, 2 * size);
    close (file);
}

/*  --- lists ------------------------------------------------------------  */

typedef struct {
    int number;
    list_node_t node;
} item_t;

static void
test_list (void **state)
{
    (void) state;
    list_t list;
    item_t items [4] = { { 0, { NULL, NULL } } };
    list_init (&list);
    assert_true (list_empty (&list));
    assert_null (list_pop (&list));
    for (int index = 0; index < 4; index++) {
        items [index].number = index;
        assert_false (list_linked (&items [index].node));
        list_remove (&items [index].node);
    }
    list_append (&list, &items [1].node);
    list_append (&list, &items [2].node);
    list_prepend (&list, &items [0].node);
    list_append (&list, &items [3].node);
    assert_true (list_linked (&items [2].node));
    list_remove (&items [2].node);
    list_remove (&items [2].node);
    assert_false (list_linked (&items [2].node));
    static const int left [] = { 0, 1, 3 };
    for (int index = 0; index < 3; index++) {
        list_node_t *node = list_pop (&list);
        assert_non_null (node);
        assert_int_equal (container_of (node, item_t, node)->number, left [index]);
    }
    assert_true (list_empty (&list));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_id_empty),   cmocka_unit_test (test_id_random),
        cmocka_unit_test (test_id_spread),  cmocka_unit_test (test_id_seeds_differ),
        cmocka_unit_test (test_name_random), cmocka_unit_test (test_name_bytes),
        cmocka_unit_test (test_window_random), cmocka_unit_test (test_window_in_order),
        cmocka_unit_test (test_window_collisions), cmocka_unit_test (test_slab),
        cmocka_unit_test (test_pages), cmocka_unit_test (test_shared_pages),
        cmocka_unit_test (test_written_pages),
        cmocka_unit_test (test_list),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
