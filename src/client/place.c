/*  place.c - where a cluster is, and what lets one in                       */

#include "client/place.h"

#include "client/state.h"
#include "wire/beacon.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*  Some beacons may be lost.                                               */
#define BEACON_WAIT_MS (3 * BEACON_INTERVAL_MS + 500)

/*  --- configuration files ----------------------------------------------  */

typedef struct {
    char path [512];
    char address [TOKEN_TEXT_SIZE];
    char token [TOKEN_TEXT_SIZE];
    fault_t fault;              /*  of the file                             */
} settings_t;

/*  A file that somebody else has written could lead programs anywhere, and a
    token that others can read lets them in. The system's file may be open to a
    group.                                                                  */
static void
s_check_file (settings_t *self, FILE *file)
{
    struct stat status;
    bool secret = place_is_token (self->token) || place_is_token (self->address);
    if (fstat (fileno (file), &status))
        fault_set (&self->fault, TROUPE_ESYSTEM, "%s: %s", self->path, strerror (errno));
    else if (status.st_uid != geteuid () && status.st_uid != 0)
        fault_set (&self->fault, TROUPE_EINVAL, "%s belongs to another user", self->path);
    else if (status.st_mode & 002)
        fault_set (&self->fault, TROUPE_EINVAL, "others may write to %s: chmod o-w %s",
                   self->path, self->path);
    else if (secret && (status.st_mode & (status.st_uid ? 077 : 007)))
        fault_set (&self->fault, TROUPE_EINVAL,
                   "others have access to %s, so the token in it is no secret any more: chmod "
                   "%s %s, and better make a new one",
                   self->path, status.st_uid ? "600" : "o=", self->path);
}

/*  Lines "address = HOST:PORT", "token = ..."; # begins a comment. Returns
    whether there is a file; one that makes no sense is a fault.            */
static bool
s_read_settings (settings_t *self, const char *path)
{
    char line [1024], name [16], value [TOKEN_TEXT_SIZE];
    FILE *file = fopen (path, "re");
    if (!file)
        return false;
    snprintf (self->path, sizeof self->path, "%s", path);
    for (int number = 1; fgets (line, sizeof line, file); number++) {
        line [strcspn (line, "#\n")] = 0;
        int read = sscanf (line, " %15[a-z] = %511s", name, value);
        if (read == 2 && strcmp (name, "address") == 0)
            memcpy (self->address, value, sizeof value);
        else if (read == 2 && strcmp (name, "token") == 0)
            memcpy (self->token, value, sizeof value);
        else if (line [strspn (line, " \t\r")])
            fault_set (&self->fault, TROUPE_EINVAL,
                       "%s, line %d: wanted 'address = HOST:PORT' or 'token = TOKEN'", path,
                       number);
    }
    if (!self->fault.code)
        s_check_file (self, file);
    fclose (file);
    return true;
}

static void
s_find_settings (settings_t *self)
{
    char path [512];
    const char *named = getenv ("TROUPE_CONFIG"), *home = getenv ("HOME");
    *self = (settings_t){ 0 };
    if (named && *named) {
        if (!s_read_settings (self, named))
            fault_set (&self->fault, TROUPE_EINVAL, "TROUPE_CONFIG is %s: %s", named,
                       strerror (errno));
        return;
    }
    snprintf (path, sizeof path, "%s/.config/troupe/troupe.conf", home ? home : "");
    if (!s_read_settings (self, "troupe.conf") && !s_read_settings (self, path))
        s_read_settings (self, "/etc/troupe.conf");
}

bool
place_is_token (const char *text)
{
    return strncmp (text, TOKEN_PREFIX, strlen (TOKEN_PREFIX)) == 0;
}

bool
place_is_named (void)
{
    settings_t settings;
    const char *address = getenv ("TROUPE_ADDRESS"), *token = getenv ("TROUPE_TOKEN");
    if (address)
        return *address != 0;
    if (token && *token)
        return true;
    s_find_settings (&settings);
    return settings.address [0] || settings.token [0] || settings.fault.code;
}

/*  --- finding ----------------------------------------------------------  */

static const char *
s_first (const char *a, const char *b, const char *c)
{
    if (a && *a)
        return a;
    return b && *b ? b : c && *c ? c : NULL;
}

/*  Says where a token comes from that makes no sense. Returns -1.          */
static int
s_name_token (const char *token, const settings_t *settings, fault_t *fault)
{
    if (token == getenv ("TROUPE_TOKEN"))
        return fault_prefix (fault, "TROUPE_TOKEN");
    if (token == getenv ("TROUPE_ADDRESS"))
        return fault_prefix (fault, "TROUPE_ADDRESS");
    return token == settings->token || token == settings->address
               ? fault_prefix (fault, "%s", settings->path)
               : -1;
}

/*  HOST:PORT, IPv6 in brackets.                                            */
static int
s_split (join_token_t *token, const char *address, fault_t *fault)
{
    const char *colon = strrchr (address, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul (colon + 1, &end, 10) : 0;
    size_t length = colon ? (size_t) (colon - address) : 0;
    bool brackets = length > 2 && address [0] == '[' && address [length - 1] == ']';
    if (!port || port > UINT16_MAX || *end || !length || length > HOST_MAX)
        return fault_set (fault, TROUPE_EINVAL, "'%s' is not an address: wanted HOST:PORT",
                          address);
    memcpy (token->host, address + brackets, length - 2 * brackets);
    token->host [length - 2 * brackets] = 0;
    token->port = (uint16_t) port;
    return 0;
}

/*  The head of this user on this machine with this address, or, without an
    address, the only one.                                                  */
static const state_t *
s_find_state (const state_t *states, size_t count, const char *address, fault_t *fault)
{
    const state_t *found = NULL;
    for (size_t index = 0; index < count; index++) {
        if (address && strcmp (states [index].address, address))
            continue;
        if (!address && found && strcmp (states [index].address, found->address)) {
            fault_set (fault, TROUPE_EINVAL,
                       "several clusters run on this machine, at %s and %s: say which one",
                       found->address, states [index].address);
            return NULL;
        }
        if (!found || states [index].head)
            found = &states [index];
    }
    if (!found)
        fault_set (fault, TROUPE_ENAME,
                   "no cluster is named (by TROUPE_ADDRESS or troupe.conf), and none runs on "
                   "this machine");
    return found;
}

/*  Completes the place by what the daemons on this machine have left.      */
static int
s_use_state (place_t *place, const state_t *state, bool has_token, fault_t *fault)
{
    char machine [MACHINE_TEXT_SIZE];
    network_machine (machine);
    place->insecure = state->insecure;
    if (state->head && strcmp (state->machine, machine) == 0)
        snprintf (place->endpoint, sizeof place->endpoint, "%s", state->endpoint);
    if (has_token)
        return 0;
    return token_read_file (&place->token, state->token, fault)
                   || s_split (&place->token, state->address, fault)
               ? -1
               : 0;
}

/*  The head that the token is for, wherever it is in the local network.    */
static int
s_listen (place_t *place, bool has_token, fault_t *fault)
{
    if (!has_token)
        return fault_set (fault, TROUPE_EINVAL,
                          "to find a head by its beacon takes the cluster's token: set "
                          "TROUPE_TOKEN to it, or to a file with it");
    return beacon_find (place->token.cluster, BEACON_WAIT_MS, place->token.host,
                        &place->token.port, fault);
}

int
place_find (place_t *place, const char *address, const char *token, fault_t *fault)
{
    settings_t settings;
    fault_t none;
    state_t states [STATE_DAEMONS_MAX];
    *place = (place_t){ 0 };
    s_find_settings (&settings);
    address = s_first (address, getenv ("TROUPE_ADDRESS"), settings.address);
    bool whole = address && place_is_token (address);
    token = whole ? address : s_first (token, getenv ("TROUPE_TOKEN"), settings.token);
    if (settings.fault.code
        && (!address || address == settings.address || token == settings.token)) {
        *fault = settings.fault;
        return -1;
    }
    if (whole)
        address = NULL;
    bool listen = address && strcmp (address, PLACE_BEACON) == 0;
    if (address && (listen || strcmp (address, "auto") == 0))
        address = NULL;
    if (token && token_find (&place->token, token, fault))
        return s_name_token (token, &settings, fault);
    if (listen && s_listen (place, token != NULL, fault))
        return -1;
    char known [ADDRESS_TEXT_SIZE] = "";
    if (!address && token) {
        network_address (known, place->token.host, place->token.port);
        address = known;
    }
    size_t count = state_list (states, STATE_DAEMONS_MAX, false);
    const state_t *state = s_find_state (states, count, address, fault);
    if (state)
        return s_use_state (place, state, token != NULL, fault)
                       || (address && !*known && s_split (&place->token, address, &none))
                   ? -1
                   : 0;
    if (!address)
        return -1;
    if (!token)
        return fault_set (fault, TROUPE_EINVAL,
                          "%s asks for a token: set TROUPE_TOKEN to the one that `troupe start "
                          "--head` has printed, or to a file with it",
                          address);
    return *known ? 0 : s_split (&place->token, address, fault);
}

int
place_name (place_name_t *name, fault_t *fault)
{
    settings_t settings;
    join_token_t known;
    const char *address = getenv ("TROUPE_ADDRESS");
    *name = (place_name_t){ 0 };
    s_find_settings (&settings);
    const char *token = s_first (NULL, getenv ("TROUPE_TOKEN"), settings.token);
    if (!address && settings.fault.code) {
        *fault = settings.fault;
        return -1;
    }
    if (!address)
        address = settings.address;
    else if (!*address)
        return 0;
    if (place_is_token (address))
        token = address;
    else if (strcmp (address, "auto") == 0)
        return 0;
    else if (strcmp (address, PLACE_BEACON) != 0)
        snprintf (name->address, sizeof name->address, "%s", address);
    if (!token)
        return 0;
    if (token_find (&known, token, fault))
        return s_name_token (token, &settings, fault);
    cluster_text (known.cluster, name->cluster);
    token_wipe (&known);
    return 0;
}
