/*  registry.c - the tasks and actor classes that the program defines      */

#include "peer/registry.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic (troupe_task_t *) s_tasks;
static _Atomic (troupe_class_t *) s_classes;

void
troupe_task_register (troupe_task_t *task)
{
    if (!task || task->abi != TROUPE_ABI)
        return;
    task->next = atomic_load (&s_tasks);
    while (!atomic_compare_exchange_weak (&s_tasks, &task->next, task))
        ;
}

void
troupe_class_register (troupe_class_t *actor)
{
    if (!actor || actor->abi != TROUPE_ABI)
        return;
    actor->next = atomic_load (&s_classes);
    while (!atomic_compare_exchange_weak (&s_classes, &actor->next, actor))
        ;
}

troupe_task_t *
registry_tasks (void)
{
    return atomic_load (&s_tasks);
}

troupe_class_t *
registry_classes (void)
{
    return atomic_load (&s_classes);
}

const troupe_class_t *
registry_class (const char *name, size_t length)
{
    for (troupe_class_t *actor = registry_classes (); actor; actor = actor->next)
        if (strlen (actor->name) == length && memcmp (actor->name, name, length) == 0)
            return actor;
    return NULL;
}

size_t
class_method_count (const troupe_class_t *actor)
{
    size_t count = 0;
    while (count < TROUPE_METHODS_MAX && actor->methods [count].function)
        count++;
    return count;
}

const char *
class_method_name (const troupe_class_t *actor, size_t index)
{
    const char *name = actor->methods [index].name;
    size_t length = strlen (actor->name);
    if (strncmp (name, actor->name, length) == 0 && name [length] == '_' && name [length + 1])
        return name + length + 1;
    return name;
}

int
class_method_by_function (const troupe_class_t *actor, troupe_function_t *function)
{
    for (int index = 0; index < TROUPE_METHODS_MAX && actor->methods [index].function; index++)
        if (actor->methods [index].function == function)
            return index;
    return -1;
}

int
class_method_by_name (const troupe_class_t *actor, const char *name, size_t length)
{
    size_t count = class_method_count (actor);
    for (size_t index = 0; index < count; index++) {
        const char *method = class_method_name (actor, index);
        const char *full = actor->methods [index].name;
        if ((strlen (method) == length && memcmp (method, name, length) == 0)
            || (strlen (full) == length && memcmp (full, name, length) == 0))
            return (int) index;
    }
    return -1;
}

static uint64_t
s_hash (uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (uint8_t) *text) * UINT64_C (0x100000001b3);
    } while (*text++);
    return hash;
}

uint64_t
class_signature (const troupe_class_t *actor)
{
    uint64_t hash = s_hash (UINT64_C (0xcbf29ce484222325), actor->name);
    size_t count = class_method_count (actor);
    for (size_t index = 0; index < count; index++)
        hash = s_hash (hash, actor->methods [index].name);
    return hash;
}
