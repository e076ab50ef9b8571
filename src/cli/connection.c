/*  connection.c - the seat of the command in a cluster, or of what it becomes */

#include "cli/cli.h"

#include "client/connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
cli_connect (const verb_t *verb, connection_t *connection, troupe_t **peer)
{
    fault_t fault = { TROUPE_OK, "" };
    int rc = connection_read (verb, connection);
    if (rc)
        return rc;
    *peer = client_connect (connection->address, connection->token, connection->space,
                            connection->objects, &fault);
    if (*peer)
        return 0;
    cli_failed (verb, "%s", fault.text);
    return EXIT_UNREACHABLE;
}

int
connection_export (const verb_t *verb, const connection_t *connection)
{
    client_place_t place;
    fault_t fault = { TROUPE_OK, "" };
    if (client_locate (connection->address, connection->token, &place, &fault)) {
        cli_failed (verb, "%s", fault.text);
        return EXIT_UNREACHABLE;
    }
    int rc = setenv ("TROUPE_ADDRESS", place.address, 1);
    if (rc == 0)
        rc = *place.token ? setenv ("TROUPE_TOKEN", place.token, 1) : unsetenv ("TROUPE_TOKEN");
    return rc ? cli_failed (verb, "%s", strerror (errno)) : 0;
}
