/*  registry.c - the tasks and actor classes that the program defines      */

#include "peer/registry.h"

#include "core/parameter.h"

#include <stdatomic.h>
#include <string.h>

/*  Methods as programs of the first version of the interface have them.    */
#define ABI_FIRST 1u

typedef struct {
    const char *name;
    troupe_function_t *function;
} first_method_t;

static _Atomic (troupe_task_t *) s_tasks;
static _Atomic (troupe_class_t *) s_classes;

void
troupe_task_register (troupe_task_t *task)
{
    if (!task || task->abi < ABI_FIRST || task->abi > TROUPE_ABI || task->size < sizeof *task)
        return;
    task->next = atomic_load (&s_tasks);
    while (!atomic_compare_exchange_weak (&s_tasks, &task->next, task))
        ;
}

/*  Whether the descriptor is as large as one of its version.               */
static bool
s_is_whole (const troupe_class_t *actor)
{
    size_t method
        = actor->abi == ABI_FIRST ? sizeof (first_method_t) : sizeof (troupe_method_t);
    return actor->abi >= ABI_FIRST && actor->abi <= TROUPE_ABI
           && actor->size >= offsetof (troupe_class_t, methods) + TROUPE_METHODS_MAX * method;
}

void
troupe_class_register (troupe_class_t *actor)
{
    if (!actor || !s_is_whole (actor))
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

static troupe_method_t
s_method (const troupe_class_t *actor, size_t index)
{
    if (actor->abi != ABI_FIRST)
        return actor->methods [index];
    const first_method_t *method
        = (const first_method_t *) (const void *) actor->methods + index;
    return (troupe_method_t){ method->name, method->function, NULL };
}

size_t
class_method_count (const troupe_class_t *actor)
{
    size_t count = 0;
    while (count < TROUPE_METHODS_MAX && s_method (actor, count).function)
        count++;
    return count;
}

troupe_function_t *
class_method_function (const troupe_class_t *actor, size_t index)
{
    return s_method (actor, index).function;
}

const char *
class_method_parameters (const troupe_class_t *actor, size_t index)
{
    return s_method (actor, index).parameters;
}

const char *
class_method_name (const troupe_class_t *actor, size_t index)
{
    const char *name = s_method (actor, index).name;
    size_t length = strlen (actor->name);
    if (strncmp (name, actor->name, length) == 0 && name [length] == '_' && name [length + 1])
        return name + length + 1;
    return name;
}

int
class_method_by_function (const troupe_class_t *actor, troupe_function_t *function)
{
    troupe_function_t *each;
    for (size_t index = 0;
         index < TROUPE_METHODS_MAX && (each = class_method_function (actor, index)); index++)
        if (each == function)
            return (int) index;
    return -1;
}

int
class_method_by_name (const troupe_class_t *actor, const char *name, size_t length)
{
    size_t count = class_method_count (actor);
    for (size_t index = 0; index < count; index++) {
        const char *method = class_method_name (actor, index);
        const char *full = s_method (actor, index).name;
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
        hash = s_hash (hash, s_method (actor, index).name);
    return hash;
}

int
class_check (const troupe_class_t *actor, fault_t *fault)
{
    size_t count = class_method_count (actor);
    for (size_t index = 0; index < count; index++) {
        const char *parameters = class_method_parameters (actor, index);
        if (parameters && parameters_count (parameters, fault) < 0)
            return fault_prefix (fault, "class '%s': .parameters of method '%s'", actor->name,
                                 class_method_name (actor, index));
    }
    return 0;
}

int
registry_check (fault_t *fault)
{
    for (troupe_class_t *actor = registry_classes (); actor; actor = actor->next)
        if (class_check (actor, fault))
            return -1;
    return 0;
}
