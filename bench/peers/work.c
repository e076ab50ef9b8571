/*  work.c - work.h for those who load it                                    */

#include "work.h"

void work (uint64_t turns);

void
work (uint64_t turns)
{
    work_turn (turns);
}
