/*  demand.h - what a call asks of the cluster, from the user's options to the
    block in its record                                                     */

#ifndef TROUPE_PEER_DEMAND_H
#define TROUPE_PEER_DEMAND_H

#include "core/error.h"
#include "wire/options.h"

/*  Appends the block, if the options ask for anything but the default, and
    sets *has. Returns 0, or -1 with the fault set: an option is not valid,
    or there is no memory. Looks at its arguments only, from any thread; a
    group that the options name must live meanwhile.                        */
int demand_write (bytes_t *out, const troupe_options_t *options, bool actor, bool *has,
                  fault_t *fault);

/*  What a group is called, and how many bundles it has. From any thread, as both
    are set when it is made.                                                */
tid_t group_id (const struct troupe_group *group);
size_t group_count (const struct troupe_group *group);

#endif
