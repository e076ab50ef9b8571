/*  hosted.h - the object store that a runtime hosts, for tests that see the
    public interface only otherwise                                          */

#ifndef TROUPE_TESTS_HOSTED_H
#define TROUPE_TESTS_HOSTED_H

#include <troupe.h>

#include <stdint.h>

/*  NULL if it hosts none.                                                  */
struct store *hosted_store (troupe_t *runtime);

#endif
