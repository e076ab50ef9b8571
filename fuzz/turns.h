/*  turns.h - threads that take turns, for fuzz targets of processes

    In place of wire/thread.c and peer/drive.c: threads run one at a time and
    change places only where they wait, always in the same order, so that an
    input does the same every time. When none can go on the world moves.    */

#ifndef TROUPE_FUZZ_TURNS_H
#define TROUPE_FUZZ_TURNS_H

#include "peer/peer.h"

/*  The calling thread is the first.                                        */
void turns_begin (void);

/*  The target defines it: something happens, such as the arrival of the next
    message. Called with the peer's lock held. False if nothing will happen
    any more but that time passes.                                          */
bool turns_idle (troupe_t *peer);

#endif
