/*  window.c - what is numbered in sequence, found by its number            */

#include "core/window.h"
#include "core/pages.h"

#include <string.h>

#define WINDOW_FIRST 64

/*  A ring of more places is given back when it is empty.                   */
#define WINDOW_KEPT (1u << 16)

static tid_t
s_key (uint64_t number)
{
    return (tid_t){ 0, number };
}

static inline uint64_t
s_number (const window_t *window, const void *value)
{
    uint64_t number;
    memcpy (&number, (const char *) value + window->number_at, sizeof number);
    return number;
}

static inline void **
s_slot (const window_t *window, uint64_t number)
{
    return &window->slots [number & (window->capacity - 1)];
}

void *
window_get (const window_t *window, uint64_t number)
{
    void *value = window->capacity ? *s_slot (window, number) : NULL;
    if (value && s_number (window, value) == number)
        return value;
    return window->others.count ? id_table_get (&window->others, s_key (number)) : NULL;
}

/*  Doubles the ring. What shared a place before mostly does not any more,
    but what is in the table may stay there.                                */
static int
s_grow (window_t *window)
{
    size_t capacity = window->capacity ? window->capacity * 2 : WINDOW_FIRST;
    void **slots = pages_new (capacity, sizeof *slots);
    if (!slots)
        return -1;
    for (size_t index = 0; index < window->capacity; index++) {
        void *value = window->slots [index];
        if (value)
            slots [s_number (window, value) & (capacity - 1)] = value;
    }
    pages_free (window->slots, window->capacity, sizeof *window->slots);
    window->slots = slots;
    window->capacity = capacity;
    return 0;
}

static bool
s_nearly_full (const window_t *window)
{
    return window->count + window->others.count >= window->capacity / 4 * 3;
}

int
window_put (window_t *window, void *value)
{
    uint64_t number = s_number (window, value);
    while (!window->capacity || (*s_slot (window, number) && s_nearly_full (window)))
        if (s_grow (window))
            break;
    if (!window->capacity || *s_slot (window, number))
        return id_table_put (&window->others, s_key (number), value);
    *s_slot (window, number) = value;
    window->count++;
    return 0;
}

static void
s_release_slots (window_t *window)
{
    pages_free (window->slots, window->capacity, sizeof *window->slots);
    window->slots = NULL;
    window->capacity = 0;
}

void *
window_remove (window_t *window, uint64_t number)
{
    void *value = window->capacity ? *s_slot (window, number) : NULL;
    if (!value || s_number (window, value) != number)
        return window->others.count ? id_table_remove (&window->others, s_key (number)) : NULL;
    *s_slot (window, number) = NULL;
    if (--window->count == 0 && window->capacity > WINDOW_KEPT)
        s_release_slots (window);
    return value;
}

void *
window_next (const window_t *window, size_t *cursor)
{
    while (*cursor < window->capacity) {
        void *value = window->slots [(*cursor)++];
        if (value)
            return value;
    }
    size_t rest = *cursor - window->capacity;
    void *value = id_table_next (&window->others, &rest);
    *cursor = window->capacity + rest;
    return value;
}

void
window_release (window_t *window)
{
    s_release_slots (window);
    id_table_release (&window->others);
    window->count = 0;
}
