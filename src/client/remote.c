/*  remote.c - a seat in a cluster that runs already                         */

#include "client/remote.h"

#include "client/settings.h"
#include "client/state.h"
#include "core/printable.h"
#include "program/program.h"
#include "wire/socket.h"
#include "wire/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JOIN_TIMEOUT (5000 * CLOCK_MS)
#define LEAVE_TIMEOUT (1000 * CLOCK_MS)

/*  The largest piece of the program that the head may ask for.             */
#define PIECE_MAX ((uint32_t) 1 << 20)

/*  A namespace is the name of an identity.                                 */
#define SPACE_MAX ((int) sizeof ((identity_t *) 0)->name - 1)

/*  Room for the name of the program in messages.                           */
#define PROGRAM_NAME_SIZE 96

struct remote {
    void *context;
    network_t network;
    uint8_t cookie [COOKIE_SIZE];
    int program;                /*  descriptor; -1: not a driver            */
    program_id_t program_id;
    store_t *store;             /*  NULL: there is one on this machine      */
    char store_endpoint [STORE_ENDPOINT_SIZE];
    bool quiet;                 /*  lines of workers are not shown          */
    troupe_t *peer;
};

/*  --- what the head asks of a driver -----------------------------------  */

static void
s_send_piece (remote_t *self, troupe_t *peer, const record_t *request)
{
    uint32_t wanted = request->number < PIECE_MAX ? request->number : PIECE_MAX;
    bytes_t body = { 0 };
    bytes_append (&body, request->body, PROGRAM_HASH_SIZE);
    uint8_t *place = bytes_extend (&body, wanted);
    ssize_t got = place ? pread (self->program, place, wanted, (off_t) request->target) : -1;
    record_t chunk = { .type = RECORD_CHUNK,
                       .id = { 0, self->program_id.size },
                       .target = request->target,
                       .body = body.data,
                       .body_size = PROGRAM_HASH_SIZE + (uint32_t) (got > 0 ? got : 0) };
    if (body.data)
        link_send (peer, HEAD_PROCESS, &chunk);
    bytes_release (&body);
}

/*  Lines end up where the worker wrote them, each with who said it.        */
static void
s_show_line (const remote_t *self, const record_t *record)
{
    const char *who = (const char *) record->body;
    size_t length = strnlen (who, record->body_size);
    if (self->quiet || length == record->body_size)
        return;
    FILE *to = record->flags == 0 ? stdout : stderr;
    flockfile (to);
    fprintf (to, "(%s) ", who);
    fwrite (who + length + 1, 1, record->body_size - length - 1, to);
    fputc ('\n', to);
    fflush (to);
    funlockfile (to);
}

static void
s_record (void *context, troupe_t *peer, const record_t *record)
{
    remote_t *self = context;
    if (record->type == RECORD_LOG)
        s_show_line (self, record);
    else if (record->type == RECORD_FETCH && self->program >= 0
             && record->body_size == PROGRAM_HASH_SIZE
             && memcmp (record->body, self->program_id.hash, PROGRAM_HASH_SIZE) == 0)
        s_send_piece (self, peer, record);
}

/*  --- joining and leaving ----------------------------------------------  */

static int
s_open_network (remote_t *self, const place_t *place, fault_t *fault)
{
    network_t *network = &self->network;
    network->insecure = place->insecure;
    network->admission = place->token.admission;
    memcpy (network->head_key, place->token.head_key, KEY_SIZE);
    token_cookie (&network->admission, self->cookie);
    if (network_source (place->token.host, place->token.port, network->host, fault))
        return -1;
    self->context = socket_context_new (fault);
    return self->context ? network_open (network, self->context, NULL, fault) : -1;
}

static int
s_open_program (remote_t *self, role_t role, fault_t *fault)
{
    if (role != ROLE_DRIVER)
        return 0;
    self->program = program_open (NULL, fault);
    return self->program >= 0 ? program_identify (self->program, &self->program_id, fault) : -1;
}

/*  The store of a node of this cluster that runs on this machine, or one of
    our own.                                                                */
static int
s_open_store (remote_t *self, const place_t *place, fault_t *fault)
{
    state_t states [STATE_DAEMONS_MAX];
    char cluster [CLUSTER_TEXT_SIZE], machine [MACHINE_TEXT_SIZE];
    size_t count = state_list (states, STATE_DAEMONS_MAX, false);
    cluster_text (place->token.cluster, cluster);
    network_machine (machine);
    for (size_t index = 0; index < count; index++)
        if (strcmp (states [index].cluster, cluster) == 0 && *states [index].store
            && strcmp (states [index].machine, machine) == 0) {
            snprintf (self->store_endpoint, sizeof self->store_endpoint, "%s",
                      states [index].store);
            return 0;
        }
    store_options_t options = { .context = self->context, .network = &self->network };
    if (store_settings (&options, fault) || !(self->store = store_new (&options, fault)))
        return -1;
    snprintf (self->store_endpoint, sizeof self->store_endpoint, "%s",
              store_endpoint (self->store));
    return 0;
}

/*  TROUPE_LOG: whether lines of workers are shown.                         */
static int
s_read_log (remote_t *self, fault_t *fault)
{
    const char *text = getenv ("TROUPE_LOG");
    self->quiet = text && strcmp (text, "off") == 0;
    return self->quiet || !text || !*text || strcmp (text, "on") == 0
               ? 0
               : fault_set (fault, TROUPE_EINVAL,
                            "TROUPE_LOG is '%s': wanted \"on\" or \"off\"", text);
}

/*  What the environment says of the job: TROUPE_PRIORITY, TROUPE_SHARE.    */
static int
s_read_terms (char terms [64], fault_t *fault)
{
    const char *priority = getenv ("TROUPE_PRIORITY"), *share = getenv ("TROUPE_SHARE");
    char *end = NULL;
    long first = priority && *priority ? strtol (priority, &end, 10) : 0;
    if ((end && *end) || first < -1000 || first > 1000)
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_PRIORITY is '%s': wanted a number from -1000 to 1000",
                          priority);
    end = NULL;
    long second = share && *share ? strtol (share, &end, 10) : 1;
    if ((end && *end) || second < 1 || second > 1000)
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_SHARE is '%s': wanted a number from 1 to 1000", share);
    snprintf (terms, 64, "priority=%ld share=%ld", first, second);
    return 0;
}

/*  What the environment says of the surroundings of the job's workers:
    TROUPE_JOB_FOLDER, TROUPE_JOB_ENVIRONMENT. Both may be NULL.            */
static int
s_check_surroundings (const char *folder, const char *lines, fault_t *fault)
{
    if ((folder && strlen (folder) > 255) || (lines && strlen (lines) > 1023))
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_JOB_FOLDER or TROUPE_JOB_ENVIRONMENT is too long");
    if (folder && *folder && *folder != '/')
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_JOB_FOLDER is '%s': wanted a path that begins with /", folder);
    int count = 0;
    while (lines && *lines) {
        int length = (int) strcspn (lines, "\n");
        if (length && (*lines == '=' || !memchr (lines, '=', (size_t) length)))
            return fault_set (fault, TROUPE_EINVAL,
                              "TROUPE_JOB_ENVIRONMENT has the line '%.*s': wanted NAME=VALUE",
                              length, lines);
        count += length > 0;
        lines += length + (lines [length] != 0);
    }
    return count <= JOB_VARIABLES_MAX
               ? 0
               : fault_set (fault, TROUPE_EINVAL, "TROUPE_JOB_ENVIRONMENT has more than %d lines",
                            JOB_VARIABLES_MAX);
}

/*  What lists and messages call a driver: as its file is called.           */
static void
s_name_program (char name [PROGRAM_NAME_SIZE])
{
    const char *file = program_invocation_short_name;
    size_t length = strnlen (file, (PROGRAM_NAME_SIZE - 1) / PRINTABLE_GROWTH);
    length = printable_write (name, file, length);
    name [length] = 0;
}

static int
s_join (remote_t *self, const place_t *place, role_t role, const char *space, fault_t *fault)
{
    char endpoint [HOST_MAX + 32], address [ADDRESS_TEXT_SIZE];
    char name [PROGRAM_NAME_SIZE], label [128], terms [64] = "";
    const char *folder = getenv ("TROUPE_JOB_FOLDER"), *job = getenv ("TROUPE_JOB_ENVIRONMENT");
    if (role == ROLE_DRIVER
        && (s_read_terms (terms, fault) || s_check_surroundings (folder, job, fault)))
        return -1;
    if (strlen (space) > SPACE_MAX)
        return fault_set (fault, TROUPE_EINVAL,
                          "the namespace '%.64s...' has more than %d bytes", space, SPACE_MAX);
    int64_t patience;
    if (network_patience (&patience, fault))
        return -1;
    bool far = !place->endpoint [0];
    network_endpoint (endpoint, sizeof endpoint, place->token.host, place->token.port);
    network_address (address, place->token.host, place->token.port);
    s_name_program (name);
    snprintf (label, sizeof label, "%s (pid %d)", role == ROLE_DRIVER ? name : "client",
              (int) getpid ());
    peer_options_t options = { .context = self->context,
                               .head_endpoint = far ? endpoint : place->endpoint,
                               .head_address = address,
                               .cookie = self->cookie,
                               .role = (uint8_t) role,
                               .label = label,
                               .network = &self->network,
                               .far = far,
                               .patience = patience,
                               .name = space,
                               .store = self->store_endpoint,
                               .hosted = self->store,
                               .resources = terms,
                               .folder = role == ROLE_DRIVER ? folder : NULL,
                               .environment = role == ROLE_DRIVER ? job : NULL,
                               .program = role == ROLE_DRIVER ? self->program_id.hash : NULL,
                               .record = s_record,
                               .record_context = self };
    self->peer = peer_new (&options, clock_now () + JOIN_TIMEOUT, fault);
    return self->peer ? 0 : -1;
}

remote_t *
remote_new (const place_t *place, role_t role, const char *space, bool objects, fault_t *fault)
{
    remote_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory for the runtime");
        return NULL;
    }
    self->program = -1;
    if ((role == ROLE_DRIVER && s_read_log (self, fault)) || s_open_network (self, place, fault)
        || s_open_program (self, role, fault) || (objects && s_open_store (self, place, fault))
        || s_join (self, place, role, space, fault)) {
        fault_t second;
        remote_destroy (&self, &second);
        return NULL;
    }
    self->peer->remote = self;
    return self;
}

troupe_t *
remote_peer (remote_t *self)
{
    return self->peer;
}

int
remote_destroy (remote_t **self_p, fault_t *fault)
{
    remote_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    if (self->peer) {
        peer_settle (self->peer, clock_now () + LEAVE_TIMEOUT);
        peer_leave (self->peer, clock_now () + LEAVE_TIMEOUT);
        if (peer_stop (self->peer))
            return fault_set (fault, TROUPE_ESYSTEM, "the service thread did not end");
        peer_destroy (&self->peer);
    }
    if (store_destroy (&self->store))
        return fault_set (fault, TROUPE_ESYSTEM, "the object store did not end");
    if (network_close (&self->network, fault))
        return -1;
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->program >= 0)
        close (self->program);
    free (self);
    return 0;
}
