/*  object.c - large values of a seat: objects in the store of the machine   */

#include "peer/object.h"

#include "store/store_client.h"

#include <stdlib.h>

/*  An object that the program fills itself.                                */
struct troupe_object {
    troupe_t *peer;
    store_client_t *client;
    tid_t id;
    uint8_t *data;
    uint64_t size;
    uint8_t kind;
};

/*  --- the way to the store ---------------------------------------------  */

/*  Made when it is first needed. NULL with the fault set. With the lock.   */
static store_client_t *
s_client_locked (troupe_t *peer)
{
    if (!peer->objects && peer->joined && *peer->store_endpoint)
        peer->objects = store_client_new (peer->store_endpoint, peer->self);
    return peer->objects;
}

static store_client_t *
s_client (troupe_t *peer, fault_t *fault)
{
    pthread_mutex_lock (&peer->lock);
    store_client_t *client = s_client_locked (peer);
    pthread_mutex_unlock (&peer->lock);
    if (!client)
        fault_set (fault, TROUPE_EINVAL, "there is no object store here");
    return client;
}

/*  --- writing ----------------------------------------------------------  */

/*  The bytes of a raw object, 0 for what is none.                          */
static size_t
s_width (troupe_arg_type_t type)
{
    switch (type) {
    case TROUPE_ARG_BYTES:
    case TROUPE_ARG_STRING:
        return 1;
    case TROUPE_ARG_INT32S:
    case TROUPE_ARG_FLOATS:
        return 4;
    case TROUPE_ARG_INT64S:
    case TROUPE_ARG_DOUBLES:
        return 8;
    default:
        return 0;
    }
}

static uint8_t
s_kind (troupe_arg_type_t type)
{
    switch (type) {
    case TROUPE_ARG_BYTES:
        return OBJECT_BYTES;
    case TROUPE_ARG_STRING:
        return OBJECT_STRING;
    case TROUPE_ARG_INT32S:
        return OBJECT_INT32S;
    case TROUPE_ARG_INT64S:
        return OBJECT_INT64S;
    case TROUPE_ARG_FLOATS:
        return OBJECT_FLOATS;
    case TROUPE_ARG_DOUBLES:
        return OBJECT_DOUBLES;
    default:
        return OBJECT_VALUE;
    }
}

static bool
s_are_large (const char *const *items, size_t count)
{
    size_t size = 0;
    for (size_t index = 0; items && index < count && size < OBJECT_THRESHOLD; index++)
        size += 5 + (items [index] ? strlen (items [index]) : 0);
    return size >= OBJECT_THRESHOLD;
}

/*  Values with handles of futures and actors go with the message, which their
    owners are told of.                                                     */
static bool
s_has_handles (const uint8_t *data, size_t size)
{
    msgpack_token_t token;
    size_t offset = 0;
    while (offset < size && token_next (data, size, &offset, &token) == 0)
        if (token.type >= TROUPE_FUTURE)
            return true;
    return false;
}

bool
object_is_large (const troupe_t *peer, const troupe_arg_t *arg)
{
    if (!*peer->store_endpoint || !arg->as.pointer)
        return false;
    size_t width = s_width (arg->type);
    if (width)
        return arg->count >= OBJECT_THRESHOLD / width;
    if (arg->type == TROUPE_ARG_OBJECT)
        return true;
    if (arg->type == TROUPE_ARG_STRINGS)
        return s_are_large (arg->as.pointer, arg->count);
    return arg->type == TROUPE_ARG_VALUE && arg->count >= OBJECT_THRESHOLD
           && !s_has_handles (arg->as.pointer, arg->count);
}

static int
s_put_bytes (store_client_t *client, const void *data, uint64_t size, bool terminated,
             object_reference_t *object, fault_t *fault)
{
    uint8_t *place;
    object->size = size + terminated;
    if (store_client_create (client, object->size, &object->id, &place, fault))
        return -1;
    memcpy (place, data, size);
    if (terminated)
        place [size] = 0;
    return 0;
}

/*  What has no raw form is encoded.                                        */
static int
s_put_encoded (store_client_t *client, const troupe_arg_t *arg, object_reference_t *object,
               fault_t *fault)
{
    bytes_t block = { 0 };
    int rc = value_write (&block, arg, NULL, fault);
    if (rc == 0)
        rc = s_put_bytes (client, block.data, block.size, false, object, fault);
    bytes_release (&block);
    return rc;
}

/*  An object that the program has filled: only the struct goes.            */
static int
s_take_made (store_client_t *client, const troupe_arg_t *arg, object_reference_t *object,
             fault_t *fault)
{
    troupe_object_t *made = (troupe_object_t *) (uintptr_t) arg->as.pointer;
    if (made->client != client) {
        object_discard (arg, 1);
        return client ? fault_set (fault, TROUPE_EINVAL,
                                   "the object belongs to another runtime")
                      : -1;
    }
    *object = (object_reference_t){ .id = made->id, .size = made->size, .kind = made->kind };
    free (made);
    return 0;
}

int
object_put (troupe_t *peer, const troupe_arg_t *arg, object_holder_t holder, bytes_t *out,
            fault_t *fault)
{
    object_reference_t object = { .kind = s_kind (arg->type) };
    store_client_t *client = s_client (peer, fault);
    size_t width = s_width (arg->type);
    int rc = client ? 0 : -1;
    if (arg->type == TROUPE_ARG_OBJECT)
        rc = s_take_made (client, arg, &object, fault);
    else if (client && width && arg->count > OBJECT_SIZE_MAX / width)
        rc = fault_set (fault, TROUPE_ESIZE, "value too large");
    else if (client && width)
        rc = s_put_bytes (client, arg->as.pointer, (uint64_t) arg->count * width,
                          object.kind == OBJECT_STRING, &object, fault);
    else if (client)
        rc = s_put_encoded (client, arg, &object, fault);
    if (rc)
        return -1;
    store_client_seal (client, object.id, object.size, object.kind, holder.process,
                       holder.passed);
    if (value_put_object (out, &object) == 0)
        return 0;
    store_client_release (client, object.id, holder.process, holder.passed);
    return fault_set (fault, TROUPE_ENOMEM, "no memory for the value");
}

int
object_write (troupe_t *peer, const troupe_arg_t *arg, object_holder_t holder,
              const value_writer_t *writer, bytes_t *out, fault_t *fault)
{
    if (object_is_large (peer, arg))
        return object_put (peer, arg, holder, out, fault);
    return value_write (out, arg, writer, fault);
}

/*  --- arguments --------------------------------------------------------  */

int
object_arguments (object_arguments_t *self, troupe_t *peer, const troupe_arg_t *args,
                  size_t count)
{
    *self = (object_arguments_t){ .args = args, .count = count };
    for (size_t index = 0; index < count; index++) {
        if (!object_is_large (peer, &args [index]))
            continue;
        if (!self->own) {
            self->own = malloc (count * sizeof *self->own);
            if (!self->own) {
                object_discard (args, count);
                return fault_raise (TROUPE_ENOMEM, "no memory for the arguments");
            }
            memcpy (self->own, args, count * sizeof *self->own);
            self->args = self->own;
        }
        self->own [index] = troupe_arg_future (troupe_put_arg (peer, args [index]));
        if (!self->own [index].as.pointer) {
            object_discard (args + index + 1, count - index - 1);
            return -1;
        }
    }
    return 0;
}

void
object_arguments_release (object_arguments_t *self, const troupe_arg_t *args)
{
    for (size_t index = 0; self->own && index < self->count; index++)
        if (self->own [index].type != args [index].type) {
            troupe_future_t *future
                = (troupe_future_t *) (uintptr_t) self->own [index].as.pointer;
            troupe_future_destroy (&future);
        }
    free (self->own);
    self->own = NULL;
}

/*  --- reading ----------------------------------------------------------  */

typedef struct {
    arena_kept_t kept;
    store_client_t *client;
    tid_t id;
    const uint8_t *data;
} pin_t;

static void
s_unpin (arena_kept_t *kept)
{
    pin_t *self = (pin_t *) kept;
    store_client_unpin (self->client, self->id);
}

const uint8_t *
object_read (troupe_t *peer, arena_t *arena, const object_reference_t *object, fault_t *fault)
{
    const pin_t *last = (const pin_t *) arena_last_kept (arena);
    uint8_t kind;
    if (last && tid_equal (last->id, object->id))
        return last->data;
    store_client_t *client = s_client (peer, fault);
    pin_t *pin = client ? arena_alloc (arena, sizeof *pin) : NULL;
    if (client && !pin)
        fault_set (fault, TROUPE_ENOMEM, "no memory to read an object");
    if (!pin
        || store_client_pin (client, object->id, object->size, &pin->data, &kind, fault))
        return NULL;
    pin->kept.release = s_unpin;
    pin->client = client;
    pin->id = object->id;
    arena_keep (arena, &pin->kept);
    if (kind == object->kind
        && (kind != OBJECT_VALUE || value_check (pin->data, object->size, true)))
        return pin->data;
    fault_set (fault, TROUPE_EPROTOCOL, "malformed object");
    return NULL;
}

/*  --- holds ------------------------------------------------------------  */

/*  Of each home the last one counts, as holds arrive there in order.       */
static void
s_note (object_given_t *given, process_t home, uint64_t number)
{
    object_hold_t hold = { home, number };
    for (size_t index = 0; index < object_given_count (given); index++)
        if (object_given_home (given, index) == home) {
            memcpy (given->holds.data + index * sizeof hold, &hold, sizeof hold);
            return;
        }
    bytes_append (&given->holds, &hold, sizeof hold);
}

void
object_hold_all (troupe_t *peer, const uint8_t *data, size_t size, object_holder_t holder,
                 object_given_t *given)
{
    store_client_t *client = s_client_locked (peer);
    object_reference_t object;
    size_t offset = 0;
    while (client && value_next_object (data, size, &offset, &object)) {
        uint64_t number
            = store_client_hold (client, object.id, holder.process, holder.passed);
        if (given && number && peer->network)
            s_note (given, object.id.owner, number);
    }
}

void
object_release_all (troupe_t *peer, const uint8_t *data, size_t size, object_holder_t holder)
{
    store_client_t *client = s_client_locked (peer);
    object_reference_t object;
    size_t offset = 0;
    while (client && value_next_object (data, size, &offset, &object))
        store_client_release (client, object.id, holder.process, holder.passed);
}

void
object_claim_all (troupe_t *peer, const uint8_t *data, size_t size)
{
    store_client_t *client = s_client_locked (peer);
    object_reference_t object;
    size_t offset = 0;
    while (client && value_next_object (data, size, &offset, &object))
        store_client_claim (client, object.id, peer->self);
}

void
object_prefetch_all (troupe_t *peer, const uint8_t *data, size_t size)
{
    store_client_t *client = s_client_locked (peer);
    object_reference_t object;
    size_t offset = 0;
    while (client && value_next_object (data, size, &offset, &object))
        if (object.id.owner != store_client_store (client))
            store_client_prefetch (client, object.id, object.size);
}

void
object_give_begin (troupe_t *peer, object_given_t *given)
{
    list_append (&peer->givers, &given->node);
    peer_thread.given = given;
}

void
object_give_end (object_given_t *given)
{
    list_remove (&given->node);
    peer_thread.given = NULL;
}

process_t
object_given_home (const object_given_t *given, size_t index)
{
    object_hold_t hold;
    memcpy (&hold, given->holds.data + index * sizeof hold, sizeof hold);
    return hold.home;
}

int
object_settle (troupe_t *peer, const object_given_t *given, size_t index, fault_t *fault)
{
    object_hold_t hold;
    if (given->holds.failed)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for a hold of an object");
    memcpy (&hold, given->holds.data + index * sizeof hold, sizeof hold);
    pthread_mutex_unlock (&peer->lock);
    int rc = store_client_settle (peer->objects, hold.home, hold.number, fault);
    pthread_mutex_lock (&peer->lock);
    return rc;
}

bool
object_is_in (const uint8_t *data, size_t size)
{
    object_reference_t object;
    size_t offset = 0;
    return value_next_object (data, size, &offset, &object);
}

/*  What a thread that the program has made itself gives may be any function's
    that runs. No answer depends on what callbacks and drivers give.        */
static void
s_hold_for_call (troupe_t *peer, const object_reference_t *object)
{
    store_client_t *client = s_client_locked (peer);
    uint64_t number = client ? store_client_hold (client, object->id, peer->self, false) : 0;
    if (!number || !peer->network || peer_thread.callback)
        return;
    if (peer_thread.given)
        s_note (peer_thread.given, object->id.owner, number);
    for (list_node_t *at = peer->givers.next; !peer_thread.given && at != &peer->givers;
         at = at->next)
        s_note (container_of (at, object_given_t, node), object->id.owner, number);
}

int
object_keep (troupe_future_t *keeper, const object_reference_t *object, fault_t *fault)
{
    troupe_t *peer = keeper->peer;
    bytes_t value = { 0 };
    troupe_future_t *holder = future_new (peer, peer->self);
    if (!holder || value_put_object (&value, object) || future_pin (keeper, holder)) {
        if (holder)
            future_fail (holder, TROUPE_ENOMEM, "no memory", 9, 0);
        if (holder)
            future_release (holder);
        bytes_release (&value);
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the call");
    }
    holder->local = true;
    holder->objects = holder->holds = true;
    s_hold_for_call (peer, object);
    future_complete (holder, value.data, value.size, NULL, 0);
    future_release (holder);
    bytes_release (&value);
    return 0;
}

/*  --- the program's own ------------------------------------------------  */

troupe_object_t *
troupe_create (troupe_t *peer, troupe_arg_type_t type, size_t count)
{
    fault_t fault = { 0 };
    size_t width = s_width (type);
    if (!peer || !width || type == TROUPE_ARG_STRING || count > OBJECT_SIZE_MAX / width) {
        fault_raise (TROUPE_EINVAL, "troupe_create: no runtime, or not bytes or numbers");
        return NULL;
    }
    troupe_object_t *self = calloc (1, sizeof *self);
    if (!self)
        fault_set (&fault, TROUPE_ENOMEM, "no memory for an object");
    else {
        self->peer = peer;
        self->kind = s_kind (type);
        self->size = (uint64_t) count * width;
        self->client = s_client (peer, &fault);
    }
    if (self && self->client
        && store_client_create (self->client, self->size, &self->id, &self->data, &fault) == 0)
        return self;
    free (self);
    fault_note (&fault);
    return NULL;
}

void *
troupe_object_data (troupe_object_t *self)
{
    return self ? self->data : NULL;
}

troupe_future_t *
troupe_seal (troupe_object_t **self_p)
{
    troupe_object_t *self = self_p ? *self_p : NULL;
    if (!self) {
        fault_raise (TROUPE_EINVAL, "troupe_seal: no object");
        return NULL;
    }
    *self_p = NULL;
    return troupe_put_arg (self->peer, troupe_arg_object (self));
}

void
object_discard (const troupe_arg_t *args, size_t count)
{
    for (size_t index = 0; index < count; index++)
        if (args [index].type == TROUPE_ARG_OBJECT) {
            troupe_object_t *object = (troupe_object_t *) (uintptr_t) args [index].as.pointer;
            troupe_object_destroy (&object);
        }
}

void
troupe_object_destroy (troupe_object_t **self_p)
{
    troupe_object_t *self = self_p ? *self_p : NULL;
    if (!self)
        return;
    *self_p = NULL;
    store_client_abort (self->client, self->id);
    free (self);
}
