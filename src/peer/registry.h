/*  registry.h - the tasks and actor classes that the program defines

    Filled before main by the constructors that TROUPE_TASK and TROUPE_ACTOR
    make, and by modules as they are loaded; entries are never removed, and
    belong to the program or module. All functions may be called from any
    thread, without a lock, and block nobody.                               */

#ifndef TROUPE_PEER_REGISTRY_H
#define TROUPE_PEER_REGISTRY_H

#include "core/error.h"

/*  The first descriptor of each kind; follow `next`.                       */
troupe_task_t *registry_tasks (void);
troupe_class_t *registry_classes (void);

/*  By name; NULL if there is none. The name need not end in NUL.           */
const troupe_class_t *registry_class (const char *name, size_t length);

/*  Counts the methods of a class.                                          */
size_t class_method_count (const troupe_class_t *actor);

/*  A method's name without the class's name in front.                      */
const char *class_method_name (const troupe_class_t *actor, size_t index);

troupe_function_t *class_method_function (const troupe_class_t *actor, size_t index);

/*  What a method says that it takes; NULL if it says nothing.              */
const char *class_method_parameters (const troupe_class_t *actor, size_t index);

/*  The position of a method by its function or its name, -1 if there is
    none.                                                                   */
int class_method_by_function (const troupe_class_t *actor, troupe_function_t *function);
int class_method_by_name (const troupe_class_t *actor, const char *name, size_t length);

/*  A number that two classes share only if their names and their methods,
    in order, are the same (FNV-1a, 64 bits).                               */
uint64_t class_signature (const troupe_class_t *actor);

/*  Whether what its methods say that they take makes sense; and that of all
    classes. Return 0, or -1 with the fault set.                            */
int class_check (const troupe_class_t *actor, fault_t *fault);
int registry_check (fault_t *fault);

#endif
