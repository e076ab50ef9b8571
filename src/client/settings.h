/*  settings.h - what the environment says of workers and object stores      */

#ifndef TROUPE_CLIENT_SETTINGS_H
#define TROUPE_CLIENT_SETTINGS_H

#include "store/store.h"

/*  The cores that this process may use; at least one.                      */
unsigned cores_settings (void);

/*  TROUPE_WORKERS: N, "threads", or "threads:N"; else one a core, as processes.
    Returns 0, or -1 with the fault set.                                    */
int workers_settings (unsigned *workers, bool *threads, fault_t *fault);

/*  TROUPE_OBJECT_MEMORY: how much memory objects may have, such as "2G".
    TROUPE_SPILL_FOLDER: where they go that find no room there, "off" for
    nowhere; else TMPDIR, else /tmp. Returns 0, or -1 with the fault set.   */
int store_settings (store_options_t *options, fault_t *fault);

#endif
