/*  registry.h - the tasks and actor classes that the program defines

    Filled before main by the constructors that TROUPE_TASK and TROUPE_ACTOR
    make, and by modules as they are loaded; entries are never removed.     */

#ifndef TROUPE_PEER_REGISTRY_H
#define TROUPE_PEER_REGISTRY_H

#include <troupe.h>

/*  The first descriptor of each kind; follow `next`.                       */
troupe_task_t *registry_tasks (void);
troupe_class_t *registry_classes (void);

/*  By name; NULL if there is none. The name need not end in NUL.           */
const troupe_class_t *registry_class (const char *name, size_t length);

/*  Counts the methods of a class.                                          */
size_t class_method_count (const troupe_class_t *actor);

/*  A method's name without the class's name in front.                      */
const char *class_method_name (const troupe_class_t *actor, size_t index);

/*  The position of a method by its function or its name, -1 if there is
    none.                                                                   */
int class_method_by_function (const troupe_class_t *actor, troupe_function_t *function);
int class_method_by_name (const troupe_class_t *actor, const char *name, size_t length);

/*  A number that two classes share only if their names and their methods,
    in order, are the same (FNV-1a, 64 bits).                               */
uint64_t class_signature (const troupe_class_t *actor);

#endif
