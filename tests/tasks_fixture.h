/*  tasks_fixture.h - tasks that several tests use                           */

#ifndef TROUPE_TESTS_TASKS_FIXTURE_H
#define TROUPE_TESTS_TASKS_FIXTURE_H

#include <troupe.h>

/*  Answers with its argument.                                              */
TROUPE_TASK_DECLARE (echo);

/*  Of integers.                                                            */
TROUPE_TASK_DECLARE (square);
TROUPE_TASK_DECLARE (add);

/*  The sum of a list of integers.                                          */
TROUPE_TASK_DECLARE (sum_list);

/*  Fails: "it is", and its argument.                                       */
TROUPE_TASK_DECLARE (fails);

/*  Wait at a gate, by its path, then answer with a number, or fail.        */
TROUPE_TASK_DECLARE (after_gate);
TROUPE_TASK_DECLARE (fails_after_gate);

#endif
