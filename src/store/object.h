/*  object.h - objects: large values in a node's shared memory

    A value above OBJECT_THRESHOLD lies in the memory of a store, and what
    stands for it in messages and futures is a reference, extension 5 of
    core/value.h. A store is named by the process that hosts it, an object by
    its home, the store where it was made, and a number there that is never
    used again. Objects are immutable once they are sealed.

    Who keeps it: holders, processes, each as often as it was given a hold;
    the owner of a future holds what is in its value until the future is
    freed, and so the future's own count of references, across processes, is
    the object's. Readers do not hold, they pin: while a process has pinned
    an object, its memory at that store stays where it is.                  */

#ifndef TROUPE_STORE_OBJECT_H
#define TROUPE_STORE_OBJECT_H

#include "core/id.h"
#include "core/value.h"

/*  From this size a value is an object: where copying it into a message and
    out again costs as much as two round trips to the store (bench/).       */
#define OBJECT_THRESHOLD ((size_t) 64 << 10)

/*  What an object can hold at most.                                        */
#define OBJECT_SIZE_MAX ((uint64_t) 1 << 46)

#endif
