/*  queue.c - the actor class "queue"; queue.h says what it does             */

#include "actors/stored.h"

#include <inttypes.h>
#include <stdlib.h>

/*  A ring that grows up to the limit.                                      */
typedef struct {
    stored_t *ring;
    size_t room;
    size_t first;
    size_t count;
    uint64_t limit;
    bool closed;
} queue_t;

/*  (uint64 limit)                                                          */
static int
queue_init (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    if (troupe_args (call, &self->limit))
        return -1;
    if (self->limit == 0 || self->limit > SIZE_MAX / sizeof (stored_t))
        return troupe_fail (call, "a queue cannot have a limit of %" PRIu64, self->limit);
    return 0;
}

static void
queue_term (void *state)
{
    queue_t *self = state;
    for (size_t i = 0; i < self->count; i++)
        stored_release (&self->ring [(self->first + i) % self->room]);
    free (self->ring);
}

static int
s_grow (queue_t *self)
{
    size_t room = self->room ? 2 * self->room : 16;
    stored_t *ring = calloc (room, sizeof (stored_t));
    if (!ring)
        return -1;
    for (size_t i = 0; i < self->count; i++)
        ring [i] = self->ring [(self->first + i) % self->room];
    free (self->ring);
    self->ring = ring;
    self->room = room;
    self->first = 0;
    return 0;
}

/*  (value) -> uint64 count                                                 */
static int
queue_put (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    troupe_view_t view;
    stored_t value;
    if (troupe_args (call, &view))
        return -1;
    if (troupe_view_type (view) == TROUPE_NIL)
        return troupe_fail (call, "nil cannot be put into a queue");
    if (self->closed)
        return troupe_fail (call, "the queue is closed");
    if (self->count == self->limit)
        return troupe_fail (call, "the queue is full: it has its limit of %" PRIu64 " values",
                            self->limit);
    if (self->count == self->room && s_grow (self))
        return troupe_fail (call, "out of memory");
    if (stored_copy (call, view, &value))
        return -1;
    self->ring [(self->first + self->count++) % self->room] = value;
    return troupe_return (call, self->count);
}

/*  Notes a failure if nothing will ever come.                              */
static int
s_check_open (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    if (self->closed && self->count == 0)
        return troupe_fail (call, "the queue is closed and empty");
    return 0;
}

static void
s_drop_first (queue_t *self)
{
    stored_release (&self->ring [self->first]);
    self->first = (self->first + 1) % self->room;
    self->count--;
}

/*  () -> value or nil                                                      */
static int
queue_take (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    if (troupe_args (call) || s_check_open (call))
        return -1;
    if (self->count == 0)
        return troupe_return (call, troupe_nil ());
    if (troupe_return (call, stored_arg (&self->ring [self->first])))
        return -1;
    s_drop_first (self);
    return 0;
}

/*  (uint64 limit) -> list                                                  */
static int
queue_take_many (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    uint64_t limit;
    if (troupe_args (call, &limit) || s_check_open (call))
        return -1;
    size_t count = limit < self->count ? (size_t) limit : self->count;
    troupe_packer_t *packer = troupe_packer_new ();
    if (!packer)
        return troupe_fail (call, "out of memory");
    int status = troupe_pack_list (packer, count);
    for (size_t i = 0; i < count && status == 0; i++)
        status = troupe_pack (packer,
                              stored_arg (&self->ring [(self->first + i) % self->room]));
    status = troupe_return (call, troupe_packed (packer));
    troupe_packer_destroy (&packer);
    /*  What could not be returned stays in the queue.                      */
    for (size_t i = 0; i < count && status == 0; i++)
        s_drop_first (self);
    return status;
}

/*  () -> uint64 count                                                      */
static int
queue_size (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    return troupe_return (call, self->count);
}

/*  ()                                                                      */
static int
queue_close (troupe_call_t *call)
{
    queue_t *self = troupe_self (call);
    if (troupe_args (call))
        return -1;
    self->closed = true;
    return 0;
}

TROUPE_ACTOR (queue, queue_t, .init = queue_init, .term = queue_term,
              .methods = { TROUPE_METHOD (queue_put, .parameters = "value: any"),
                           TROUPE_METHOD (queue_take, .parameters = ""),
                           TROUPE_METHOD (queue_take_many, .parameters = "limit: uint64"),
                           TROUPE_METHOD (queue_size, .parameters = ""),
                           TROUPE_METHOD (queue_close, .parameters = "") });
