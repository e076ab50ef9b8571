/*  store_holds.c - who keeps objects: holds that are given, passed on, claimed and
    given back, and those of processes that end                             */

#include "store/store_private.h"

#include <stdlib.h>
#include <string.h>

/*  --- processes that have ended ----------------------------------------  */

bool
store_is_gone (const store_t *self, process_t process)
{
    return id_table_get (&self->gone_table, store_key (process)) != NULL;
}

void
store_note_gone (store_t *self, process_t process)
{
    if (store_is_gone (self, process))
        return;
    process_t *place = &self->gone [self->gone_count++ % GONE_MAX];
    if (*place)
        id_table_remove (&self->gone_table, store_key (*place));
    *place = process;
    id_table_put (&self->gone_table, store_key (process), self);
}

void
store_note_back (store_t *self, process_t process)
{
    if (!id_table_remove (&self->gone_table, store_key (process)))
        return;
    for (size_t index = 0; index < GONE_MAX; index++)
        if (self->gone [index] == process)
            self->gone [index] = 0;
}

/*  --- without holds ----------------------------------------------------  */

bool
store_is_held (const object_t *object)
{
    for (size_t index = 0; index < object->hold_count; index++)
        if (object->holds [index].count > 0)
            return true;
    return false;
}

/*  Who reads it still, as a task that was cancelled may, reads on.         */
void
store_drop (store_t *self, object_t *object)
{
    object->stale = true;
    if (self->transfer && transfer_drop (self->transfer, object->id))
        store_unpin (self, object);
    else if (!object->pins)
        store_object_free (self, object);
}

/*  A process may have given a hold, and then had another give up the last: its
    connection is read later than the other's, perhaps, but within a turn.  */
void
store_note_unheld (store_t *self, object_t *object)
{
    if (!object->sealed || object->copy || store_is_held (object)
        || list_linked (&object->unheld))
        return;
    object->unheld_turn = self->turn;
    list_append (&self->unheld, &object->unheld);
}

void
store_drop_unheld (store_t *self)
{
    bool any = list_empty (&self->unheld);
    while (!list_empty (&self->unheld)) {
        object_t *object = container_of (self->unheld.next, object_t, unheld);
        if (object->unheld_turn == self->turn)
            break;
        list_remove (&object->unheld);
        any = true;
        if (!store_is_held (object))
            store_drop (self, object);
    }
    /*  Even if more is to go soon: there may always be more.               */
    if (any)
        store_find_rooms_now (self);
}

/*  --- giving and taking ------------------------------------------------  */

static hold_t *
s_hold_of (object_t *object, process_t holder)
{
    for (size_t index = 0; index < object->hold_count; index++)
        if (object->holds [index].process == holder)
            return &object->holds [index];
    hold_t *grown = realloc (object->holds, (object->hold_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    object->holds = grown;
    grown [object->hold_count] = (hold_t){ .process = holder };
    return &grown [object->hold_count++];
}

static void
s_tidy (object_t *object, hold_t *hold)
{
    if (!hold->count && !hold->claims)
        *hold = object->holds [--object->hold_count];
}

static void
s_orphan (store_t *self, object_t *object)
{
    if (list_linked (&object->orphan))
        return;
    object->orphaned = clock_now ();
    list_append (&self->orphans, &object->orphan);
}

static int
s_pass (store_t *self, object_t *object, process_t giver, process_t holder)
{
    passed_t *grown
        = realloc (object->passed, (object->passed_count + 1) * sizeof *grown);
    if (!grown)
        return -1;
    object->passed = grown;
    bool gone = store_is_gone (self, giver);
    grown [object->passed_count++]
        = (passed_t){ giver, holder, gone ? clock_now () : 0 };
    if (gone)
        s_orphan (self, object);
    return 0;
}

/*  The first that was passed on to a holder, by one process if giver is not 0:
    it is so no more. False if there is none.                               */
static bool
s_end_pass (object_t *object, process_t giver, process_t holder)
{
    size_t at = 0;
    while (at < object->passed_count
           && (object->passed [at].holder != holder
               || (giver && object->passed [at].giver != giver)))
        at++;
    if (at == object->passed_count)
        return false;
    memmove (&object->passed [at], &object->passed [at + 1],
             (--object->passed_count - at) * sizeof *object->passed);
    bool orphaned = false;
    for (size_t index = 0; index < object->passed_count; index++)
        orphaned = orphaned || object->passed [index].orphaned;
    if (!orphaned && !object->copy)
        list_remove (&object->orphan);
    return true;
}

int
store_hold (store_t *self, object_t *object, process_t holder, process_t giver)
{
    hold_t *hold = s_hold_of (object, holder);
    if (!hold)
        return -1;
    int rc = 0;
    if (!store_is_gone (self, holder)) {
        if (giver && hold->claims)
            hold->claims--;
        else if (giver)
            rc = s_pass (self, object, giver, holder);
        hold->count += rc == 0;
    }
    s_tidy (object, hold);
    store_note_unheld (self, object);
    return rc;
}

int
store_release (store_t *self, object_t *object, process_t holder, process_t giver)
{
    hold_t *hold = s_hold_of (object, holder);
    if (!hold)
        return -1;
    if (giver)
        s_end_pass (object, giver, holder);
    hold->count--;
    s_tidy (object, hold);
    store_note_unheld (self, object);
    return 0;
}

int
store_claim (object_t *object, process_t holder)
{
    if (s_end_pass (object, 0, holder))
        return 0;
    hold_t *hold = s_hold_of (object, holder);
    if (hold)
        hold->claims++;
    return hold ? 0 : -1;
}

/*  --- processes that end -----------------------------------------------  */

void
store_forget_holds (object_t *object)
{
    object->hold_count = object->passed_count = 0;
}

static void
s_lose_holder (object_t *object, process_t holder)
{
    while (s_end_pass (object, 0, holder)) {
    }
    for (size_t index = 0; index < object->hold_count; index++)
        if (object->holds [index].process == holder) {
            object->holds [index] = object->holds [--object->hold_count];
            return;
        }
}

void
store_lose_holder (store_t *self, process_t holder)
{
    size_t cursor = 0;
    for (object_t *object; (object = id_table_next (&self->objects, &cursor));) {
        size_t before = object->hold_count;
        s_lose_holder (object, holder);
        if (object->hold_count < before)
            store_note_unheld (self, object);
    }
}

void
store_lose_giver (store_t *self, process_t giver)
{
    size_t cursor = 0;
    for (object_t *object; (object = id_table_next (&self->objects, &cursor));)
        for (size_t index = 0; index < object->passed_count; index++) {
            passed_t *passed = &object->passed [index];
            if (passed->giver != giver || passed->orphaned)
                continue;
            passed->orphaned = clock_now ();
            s_orphan (self, object);
        }
}

void
store_lose_home (store_t *self, process_t home)
{
    size_t cursor = 0;
    for (object_t *object; (object = id_table_next (&self->objects, &cursor));)
        if (object->copy && object->id.owner == home)
            s_orphan (self, object);
}

/*  The holds whose time is over. What remains waits as long again.         */
static void
s_take_back (store_t *self, object_t *object, int64_t now)
{
    bool left = false;
    for (size_t index = object->passed_count; index--;) {
        passed_t passed = object->passed [index];
        bool over = passed.orphaned && passed.orphaned + self->claim_patience <= now;
        left = left || (passed.orphaned && !over);
        hold_t *hold = over ? s_hold_of (object, passed.holder) : NULL;
        if (!over)
            continue;
        object->passed [index] = object->passed [--object->passed_count];
        if (hold) {
            hold->count--;
            s_tidy (object, hold);
        }
    }
    if (left)
        s_orphan (self, object);
    store_note_unheld (self, object);
}

int64_t
store_tend_orphans (store_t *self, int64_t now)
{
    while (!list_empty (&self->orphans)) {
        object_t *object = container_of (self->orphans.next, object_t, orphan);
        int64_t until = object->orphaned + self->claim_patience;
        if (until > now)
            return until;
        list_remove (&object->orphan);
        if (object->copy)
            store_drop (self, object);
        else
            s_take_back (self, object, now);
    }
    return CLOCK_NEVER;
}
