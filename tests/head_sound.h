/*  head_sound.h - what every test of the head's state asks of it            */

#ifndef TROUPE_TESTS_HEAD_SOUND_H
#define TROUPE_TESTS_HEAD_SOUND_H

#include "head/head_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*  Fails the test that runs if the state contradicts itself.               */
static inline void
head_expect_sound (head_state_t *head)
{
    const char *wrong = head_check (head);
    if (wrong)
        fail_msg ("%s", wrong);
    assert_false (head_failed (head));
}

#endif
