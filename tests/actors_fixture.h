/*  actors_fixture.h - classes and tasks that several tests of actors use     */

#ifndef TROUPE_TESTS_ACTORS_FIXTURE_H
#define TROUPE_TESTS_ACTORS_FIXTURE_H

#include <troupe.h>

/*  Keeps the numbers that it is given, in their order, and one actor. Its
    constructor takes nothing, or a first number and a file that it writes
    "ended" to at its end.                                                  */
TROUPE_ACTOR_DECLARE (recorder);

/*  Answers with the number that it adds; with all of them; with one more than
    the number that it is given, and forgets all.                           */
int recorder_add (troupe_call_t *call);
int recorder_list (troupe_call_t *call);
int recorder_increment (troupe_call_t *call);

/*  Waits at a gate, by its path. Fails: "the cause".                       */
int recorder_hold (troupe_call_t *call);
int recorder_fail (troupe_call_t *call);

/*  Keeps an actor; lets go of it; answers with it; calls a method, by its name,
    of it, and answers with the integer that comes back.                    */
int recorder_keep (troupe_call_t *call);
int recorder_drop (troupe_call_t *call);
int recorder_give (troupe_call_t *call);
int recorder_ask (troupe_call_t *call);

/*  Calls the actor that it keeps, waits, and adds one; at the end of the
    row, one.                                                               */
int recorder_pass_on (troupe_call_t *call);

/*  Answers with a handle to itself; sends three numbers to itself, to be added
    later, from the one that it is given.                                   */
int recorder_myself (troupe_call_t *call);
int recorder_remind (troupe_call_t *call);

/*  Finds an actor by its name and adds 7 there. It may be called from a task. */
int recorder_find (troupe_call_t *call);

/*  Fails to be constructed, after its gate if it is given one: "no such file:
    words.txt".                                                             */
TROUPE_ACTOR_DECLARE (stillborn);
int stillborn_get (troupe_call_t *call);

/*  A sum, whose constructor waits at a gate.                               */
TROUPE_ACTOR_DECLARE (late);
int late_add (troupe_call_t *call);

/*  A count, with a mailbox of four calls; neither constructor nor destructor. */
TROUPE_ACTOR_DECLARE (narrow);
int narrow_hold (troupe_call_t *call);
int narrow_count (troupe_call_t *call);

/*  A number, once the gate before it is open. Fails, after its gate if it is
    given one: "boom".                                                      */
TROUPE_TASK_DECLARE (held_number);
TROUPE_TASK_DECLARE (failing);

/*  Adds a number to a recorder, and answers with all that it has.          */
TROUPE_TASK_DECLARE (add_and_list);

#endif
