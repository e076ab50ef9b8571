/*  inquire.c - questions to the head                                        */

#include "client/inquire.h"

#include "peer/future.h"

#include <string.h>

/*  Sends a record whose body is the arguments; its future is the answer.   */
static troupe_future_t *
s_ask (troupe_t *peer, record_type_t type, const troupe_arg_t *args, size_t count)
{
    bytes_t body = { 0 };
    fault_t fault;
    pthread_mutex_lock (&peer->lock);
    troupe_future_t *future = future_new (peer, HEAD_PROCESS);
    if (future && peer->lost.code)
        future_fail_fault (future, &peer->lost);
    else if (future && value_write_args (&body, args, count, NULL, &fault))
        future_fail_fault (future, &fault);
    else if (future) {
        record_t record = { .type = (uint8_t) type,
                            .id = future_id (future),
                            .body = body.data,
                            .body_size = (uint32_t) body.size };
        link_send (peer, HEAD_PROCESS, &record);
        link_flush_all (peer);
    }
    pthread_mutex_unlock (&peer->lock);
    bytes_release (&body);
    if (!future)
        fault_raise (TROUPE_ENOMEM, "no memory for a future");
    return future;
}

troupe_future_t *
peer_inquire (troupe_t *peer, const char *what, const char *key)
{
    const troupe_arg_t args [] = { troupe_arg_string (what), troupe_arg_string (key),
                                   troupe_arg_unsigned (0), troupe_arg_unsigned (0) };
    return s_ask (peer, RECORD_INQUIRE, args, 4);
}

troupe_future_t *
peer_inquire_filtered (troupe_t *peer, const char *what, const char *const *filters,
                       size_t count)
{
    const troupe_arg_t args [] = { troupe_arg_string (what), troupe_nil (),
                                   troupe_arg_unsigned (0), troupe_arg_unsigned (0),
                                   troupe_strings (filters, count) };
    return s_ask (peer, RECORD_INQUIRE, args, 5);
}

troupe_future_t *
peer_inquire_logs (troupe_t *peer, const char *who, uint64_t after, unsigned limit)
{
    const troupe_arg_t args [] = { troupe_arg_string ("lines"), troupe_arg_string (who),
                                   troupe_arg_unsigned (after), troupe_arg_unsigned (limit) };
    return s_ask (peer, RECORD_INQUIRE, args, 4);
}

static troupe_future_t *
s_command (troupe_t *peer, const char *verb, const char *key)
{
    const troupe_arg_t args [] = { troupe_arg_string (verb), troupe_arg_string (key) };
    return s_ask (peer, RECORD_COMMAND, args, 2);
}

troupe_future_t *
peer_drain_node (troupe_t *peer, const char *node)
{
    return s_command (peer, "drain", node);
}

troupe_future_t *
peer_make_token (troupe_t *peer, const char *name)
{
    return s_command (peer, "token", name);
}

troupe_future_t *
peer_revoke_token (troupe_t *peer, const char *name)
{
    return s_command (peer, "revoke", name);
}
