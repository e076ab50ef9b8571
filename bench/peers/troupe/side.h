/*  side.h - Troupe's side of bench/compare: its steps                       */

#ifndef TROUPE_COMPARE_SIDE_H
#define TROUPE_COMPARE_SIDE_H

#include "bench/driver.h"
#include "bench/peers/say.h"

/*  Actors that a step uses, one a worker.                                  */
#define SIDE_ACTORS_MAX 64

/*  Each returns 0, or -1 with the reason on stderr.                        */
int side_start (troupe_t *troupe);
int side_calls (troupe_t *troupe);
int side_objects (troupe_t *troupe);
int side_chain (troupe_t *troupe);
int side_far (troupe_t *troupe);
int side_actors (troupe_t *troupe);
int side_grain (troupe_t *troupe);

#endif
