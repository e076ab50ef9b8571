/*  test_heap.c - the heap of deadlines, against a plain search              */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/heap.h"

#define NODES 300

static uint64_t
s_random (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void
test_empty (void **state)
{
    (void) state;
    heap_t heap = { 0 };
    heap_node_t node = { 5, 0 };
    assert_null (heap_first (&heap));
    heap_remove (&heap, &node);
    assert_int_equal (node.place, 0);
    heap_release (&heap);
}

static void
test_order (void **state)
{
    (void) state;
    heap_t heap = { 0 };
    heap_node_t nodes [NODES] = { { 0, 0 } };
    uint64_t random = 1;
    for (size_t index = 0; index < NODES; index++) {
        nodes [index].due = (int64_t) (s_random (&random) % 100);
        assert_int_equal (heap_update (&heap, &nodes [index]), 0);
        assert_int_not_equal (nodes [index].place, 0);
    }
    int64_t last = INT64_MIN;
    for (size_t index = 0; index < NODES; index++) {
        heap_node_t *first = heap_first (&heap);
        assert_non_null (first);
        assert_true (first->due >= last);
        last = first->due;
        heap_remove (&heap, first);
        assert_int_equal (first->place, 0);
    }
    assert_null (heap_first (&heap));
    heap_release (&heap);
}

/*  The places are those of the nodes, and parents are due first.           */
static void
s_check (const heap_t *heap)
{
    for (size_t index = 0; index < heap->count; index++) {
        assert_int_equal (heap->nodes [index]->place, index + 1);
        size_t parent = (index ? index - 1 : 0) / 2;
        assert_true (heap->nodes [index]->due >= heap->nodes [parent]->due);
    }
}

static void
test_random (void **state)
{
    (void) state;
    heap_t heap = { 0 };
    heap_node_t nodes [NODES] = { { 0, 0 } };
    uint64_t random = 42;
    for (int step = 0; step < 20000; step++) {
        heap_node_t *node = &nodes [s_random (&random) % NODES];
        if (s_random (&random) % 3 == 0)
            heap_remove (&heap, node);
        else {
            node->due = (int64_t) (s_random (&random) % 1000) - 500;
            assert_int_equal (heap_update (&heap, node), 0);
        }
        size_t inside = 0;
        int64_t least = INT64_MAX;
        for (size_t index = 0; index < NODES; index++)
            if (nodes [index].place) {
                inside++;
                least = nodes [index].due < least ? nodes [index].due : least;
            }
        assert_int_equal (heap.count, inside);
        if (inside)
            assert_true (heap_first (&heap)->due == least);
        else
            assert_null (heap_first (&heap));
        if (step % 50 == 0)
            s_check (&heap);
    }
    heap_release (&heap);
    assert_int_equal (heap.count, 0);
    assert_null (heap_first (&heap));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_empty),
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_random),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
