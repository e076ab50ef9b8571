/*  window.c - what is numbered in sequence, found by its number            */

#include "core/window.h"

#include <stdlib.h>

#define WINDOW_FIRST 64

static tid_t
s_key (uint64_t number)
{
    return (tid_t){ 0, number };
}

static window_slot_t *
s_slot (const window_t *window, uint64_t number)
{
    return &window->slots [number & (window->capacity - 1)];
}

void *
window_get (const window_t *window, uint64_t number)
{
    if (!window->capacity)
        return NULL;
    window_slot_t *slot = s_slot (window, number);
    if (slot->value && slot->number == number)
        return slot->value;
    return window->others.count ? id_table_get (&window->others, s_key (number)) : NULL;
}

/*  Doubles the ring. What shared a slot before mostly does not any more, but
    what is in the table may stay there.                                    */
static int
s_grow (window_t *window)
{
    size_t capacity = window->capacity ? window->capacity * 2 : WINDOW_FIRST;
    window_slot_t *slots = calloc (capacity, sizeof *slots);
    if (!slots)
        return -1;
    for (size_t index = 0; index < window->capacity; index++)
        if (window->slots [index].value)
            slots [window->slots [index].number & (capacity - 1)] = window->slots [index];
    free (window->slots);
    window->slots = slots;
    window->capacity = capacity;
    return 0;
}

int
window_put (window_t *window, uint64_t number, void *value)
{
    if (window->count >= window->capacity / 2 && s_grow (window) && !window->capacity)
        return -1;
    window_slot_t *slot = s_slot (window, number);
    if (slot->value && slot->number == number) {
        slot->value = value;
        return 0;
    }
    if (slot->value || (window->others.count && id_table_get (&window->others, s_key (number))))
        return id_table_put (&window->others, s_key (number), value);
    *slot = (window_slot_t){ number, value };
    window->count++;
    return 0;
}

void *
window_remove (window_t *window, uint64_t number)
{
    if (!window->capacity)
        return NULL;
    window_slot_t *slot = s_slot (window, number);
    if (!slot->value || slot->number != number)
        return window->others.count ? id_table_remove (&window->others, s_key (number)) : NULL;
    void *value = slot->value;
    slot->value = NULL;
    window->count--;
    return value;
}

void *
window_next (const window_t *window, size_t *cursor)
{
    while (*cursor < window->capacity) {
        void *value = window->slots [(*cursor)++].value;
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
    free (window->slots);
    id_table_release (&window->others);
    window->slots = NULL;
    window->capacity = window->count = 0;
}
