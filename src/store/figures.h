/*  figures.h - what a store has, in numbers                                 */

#ifndef TROUPE_STORE_FIGURES_H
#define TROUPE_STORE_FIGURES_H

#include <stdint.h>

typedef struct store store_t;

/*  What `troupe memory` shows.                                             */
typedef struct {
    uint64_t memory;            /*  the limit                               */
    uint64_t used;              /*  by objects, now                         */
    uint64_t pinned;            /*  part of used                            */
    uint64_t spilled;           /*  bytes on disk                           */
    uint64_t objects;           /*  that are known here                     */
    uint64_t copies;            /*  part of them: of other stores' objects  */
    uint64_t clients;
    uint64_t waiting;           /*  requests for memory held back           */
    uint64_t sent;              /*  bytes to other stores, ever             */
    uint64_t received;
    uint64_t spills;            /*  bytes written to disk, ever             */
    uint64_t restores;
    uint64_t repeated;          /*  part of received: had come before       */
} store_figures_t;

#define STORE_FIGURES (sizeof (store_figures_t) / sizeof (uint64_t))

void store_figures (store_t *self, store_figures_t *figures);

/*  Checks every invariant between the structures; for tests. NULL, or what is
    wrong.                                                                  */
const char *store_check (store_t *self);

#endif
