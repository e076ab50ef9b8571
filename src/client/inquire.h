/*  inquire.h - questions to the head: what there is, and what it does      */

#ifndef TROUPE_CLIENT_INQUIRE_H
#define TROUPE_CLIENT_INQUIRE_H

#include <troupe.h>

/*  Asks the head. The future, which the caller owns, has a list of maps. A
    key, which may be NULL, asks for what has that id or name only. None of
    these functions blocks; NULL if there is no memory.

    what        the fields of each map
    "summary"   one map: address, version, uptime_s, nodes, workers, actors,
                jobs, tasks {ready, running, waiting}, resources {name:
                [used, total]}, refused_connections
    "nodes"     id, name, state, address, cpus, cpus_used, memory, workers,
                actors, heard_ms, refused_connections: to it and its
                workers, resources
    "workers"   id, node, pid, program, hash, state, tasks, actors
    "actors"    id, class, name, namespace, state, worker, node, job, program,
                hash, detached; with a key also methods, nil if not known
    "classes"   program, hash, class, methods: a list of maps of name and
                parameters, a list of maps of name and type, or nil
    "functions" program, hash, function, mean_ms, ready
    "tasks"     id, function, state, job, worker, node, retries
    "jobs"      id, driver, program, hash, namespace, tasks, workers, actors,
                cpus, since_s
    "tokens"    name, key, nodes, processes: those that let somebody in     */
troupe_future_t *peer_inquire (troupe_t *peer, const char *what, const char *key);

/*  Asks for what passes the filters, FIELD=VALUE or FIELD!=VALUE as text. The
    future has a map: "rows", the list; and "matched", how many there are: of
    tasks, which may be millions, only the first 10,000 by job and id are in the
    list. The filters are for tasks; of other things all are in it.         */
troupe_future_t *peer_inquire_filtered (troupe_t *peer, const char *what,
                                        const char *const *filters, size_t count);

/*  Lines that workers and daemons printed: position, at_ms (since 1970),
    node, who, stream, text. Those of one node, worker, actor or task, or of
    all if who is NULL; of these, the last `limit` whose position is above
    `after`. Positions grow, so a reader that wants more asks with the
    greatest that it has seen.                                              */
troupe_future_t *peer_inquire_logs (troupe_t *peer, const char *who, uint64_t after,
                                    unsigned limit);

/*  Has a node, named by id or name, take no new work. The future has a map:
    node, tasks, actors: its name and what is on it still.                  */
troupe_future_t *peer_drain_node (troupe_t *peer, const char *node);

/*  Makes a token of this name: the future has its text. On the head's machine
    only, as the next.                                                      */
troupe_future_t *peer_make_token (troupe_t *peer, const char *name);

/*  Revokes it: who came by it is shut out. The future has, as text, how many
    processes that were.                                                    */
troupe_future_t *peer_revoke_token (troupe_t *peer, const char *name);

#endif
