/*  stranger.h - a process that does not belong to the cluster and attacks it */

#ifndef TROUPE_TESTS_STRANGER_H
#define TROUPE_TESTS_STRANGER_H

/*  Attacks, by name, the sockets of the process `target` and of its children.
    When it has done what it does at once, it writes the number of sockets to
    its standard output; what it holds open it keeps until its standard input
    ends. Returns what main is to return: 0 if it got nothing that it should
    not have.                                                               */
int stranger_run (const char *attack, int target);

/*  How many sockets a stranger finds; for targets without any.             */
int stranger_count_sockets (int target);

/*  The processes that a process has started, as many as there is room for, in
    ascending order. Returns how many they are.                             */
int stranger_children (int process, int *children, int room);

#endif
