/*  connection.c - the seat of the command in a cluster                     */

#include "cli/cli.h"

#include "client/connect.h"

troupe_t *
cli_connect (const verb_t *verb, connection_t *connection)
{
    fault_t fault = { TROUPE_OK, "" };
    troupe_t *peer = client_connect (connection->address, connection->token, &fault);
    if (!peer)
        cli_failed (verb, "%s", fault.text);
    return peer;
}
