/*  hosted.c - the object store that a runtime hosts                         */

#include "tests/hosted.h"

#include "peer/peer.h"

struct store *
hosted_store (troupe_t *runtime)
{
    return runtime->hosted;
}
