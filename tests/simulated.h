/*  simulated.h - what simulated worlds around the head's state machine share    */

#ifndef TROUPE_TESTS_SIMULATED_H
#define TROUPE_TESTS_SIMULATED_H

#include "head/head_private.h"

#include <stddef.h>
#include <stdint.h>

/*  A number from the environment, if it is set.                            */
uint64_t simulated_number (const char *name, uint64_t otherwise);

/*  The order of a table is then the same in each run; it must be empty.    */
void simulated_fix_seed (id_table_t *table, uint64_t seed);

/*  Adds one structure of counts to another.                                */
void simulated_sum (uint64_t *sum, const uint64_t *counts, size_t size);

/*  Fails the test that runs if the head's state contradicts itself, or with
    `what`, and says where the scenario was.                                */
void simulated_check (head_state_t *head, const char *scenario, uint64_t seed, uint64_t event);
void simulated_fail (const char *scenario, uint64_t seed, uint64_t event, const char *what);

/*  Of the `world` at hand.                                                 */
#define REQUIRE(condition_)                                                                    \
    do {                                                                                       \
        if (!(condition_))                                                                     \
            simulated_fail (world->scenario->name, world->scenario->seed, world->tally.events, \
                            #condition_);                                                      \
    } while (0)

#endif
