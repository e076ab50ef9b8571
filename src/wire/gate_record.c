/*  gate_record.c - what the gate remembers and logs, within bounds         */

#include "wire/gate_private.h"
#include "core/clock.h"
#include "core/files.h"
#include "wire/range.h"
#include "wire/socket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND (1000 * CLOCK_MS)

#define NO_HANDSHAKE "what it sends is no handshake of this cluster"
#define ABANDONED "it left, or was silent, in the handshake"

int64_t
gate_record_time (void)
{
    struct timespec now;
    clock_gettime (CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*  --- log --------------------------------------------------------------  */

/*  True if a line may be logged now.                                       */
static bool
s_may_log (gate_t *self)
{
    int64_t now = clock_now ();
    int64_t seconds = (now - self->log_filled) / SECOND;
    if (seconds > 0) {
        self->log_tokens = seconds >= LOG_BURST - (int64_t) self->log_tokens
                               ? LOG_BURST
                               : self->log_tokens + (unsigned) seconds;
        self->log_filled += seconds * SECOND;
    }
    if (!self->log || self->log_tokens == 0 || self->line_count == LOG_BURST)
        return false;
    self->log_tokens--;
    return true;
}

/*  Prepares a line about an address, or counts it as left out.             */
static void
s_say (gate_t *self, const char *what, const char *address, const char *detail)
{
    if (!self->log)
        return;
    if (!s_may_log (self)) {
        self->unsaid++;
        self->counts.silenced++;
        return;
    }
    const char *who = *address ? address : "a local process";
    char *line = self->lines [self->line_count++];
    if (self->unsaid)
        snprintf (line, LOG_LINE_SIZE, "%s %s: %s (and %" PRIu64 " more)", what, who, detail,
                  self->unsaid);
    else
        snprintf (line, LOG_LINE_SIZE, "%s %s: %s", what, who, detail);
    self->unsaid = 0;
}

void
gate_record_unsaid (gate_t *self)
{
    if (!self->unsaid || !s_may_log (self))
        return;
    snprintf (self->lines [self->line_count++], LOG_LINE_SIZE,
              "refused or cut %" PRIu64 " more connections", self->unsaid);
    self->unsaid = 0;
}

void
gate_record_log (gate_t *self)
{
    for (unsigned index = 0; index < self->line_count; index++)
        self->log (self->log_arg, self->lines [index]);
    self->line_count = 0;
}

/*  --- addresses --------------------------------------------------------  */

/*  Addresses are remembered as long as something is open from there, and of
    the others the latest.                                                  */
static bool
s_make_room (gate_t *self)
{
    for (list_node_t *node = self->by_time.next; node != &self->by_time; node = node->next) {
        address_record_t *record = container_of (node, address_record_t, node);
        if (record->seen.open)
            continue;
        name_table_remove (&self->addresses, record->seen.address, strlen (record->seen.address));
        list_remove (node);
        free (record);
        return true;
    }
    return false;
}

/*  What is remembered of an address, made if need be; NULL if there is no
    room, or for a local process.                                           */
static address_record_t *
s_address (gate_t *self, const char *address)
{
    size_t length = strlen (address);
    if (!length || gate_is_local (address) || length >= GATE_ADDRESS_SIZE)
        return NULL;
    address_record_t *record = name_table_get (&self->addresses, address, length);
    if (!record) {
        if (self->addresses.count >= GATE_ADDRESSES && !s_make_room (self))
            return NULL;
        record = calloc (1, sizeof *record);
        if (!record || name_table_put (&self->addresses, address, length, record)) {
            free (record);
            return NULL;
        }
        memcpy (record->seen.address, address, length);
    }
    list_remove (&record->node);
    list_append (&self->by_time, &record->node);
    record->seen.last_ms = gate_record_time ();
    return record;
}

/*  --- verdicts, and ends without a reason ------------------------------  */

/*  libzmq asks about an address, without saying which connection from there it
    is that it asks about. Of a connection that ends early and in silence it is
    therefore not known at once whether it was one with a verdict, or was no
    handshake. But more such ends than verdicts are certain to have been none;
    and once a connection is settled its verdict is accounted for.          */

/*  By then what a verdict was about has ended or is settled.               */
#define VERDICT_LAPSES (4 * SOCKET_HANDSHAKE_MS * CLOCK_MS)

static void
s_lapse (address_record_t *record)
{
    if (clock_now () - record->verdict_last >= VERDICT_LAPSES)
        record->verdicts = record->silent = 0;
}

static void
s_blame (gate_t *self, address_record_t *record)
{
    while (record->silent > record->verdicts) {
        record->silent--;
        self->counts.connections.malformed++;
        s_say (self, "refused", record->seen.address, NO_HANDSHAKE);
    }
}

static void
s_note_verdict (address_record_t *record)
{
    s_lapse (record);
    record->verdicts++;
    record->verdict_last = clock_now ();
}

static void
s_note_silent (gate_t *self, address_record_t *record)
{
    s_lapse (record);
    record->silent++;
    s_blame (self, record);
}

static void
s_note_settled (gate_t *self, address_record_t *record)
{
    record->verdicts -= record->verdicts > 0;
    s_blame (self, record);
}

void
gate_record_admitted (gate_t *self, const char *address)
{
    address_record_t *record = s_address (self, address_plain (address));
    self->counts.admitted++;
    if (!record)
        return;
    record->seen.admitted++;
    s_note_verdict (record);
}

void
gate_record_refused (gate_t *self, const gate_refusal_t *refusal)
{
    gate_refusal_t *place = &self->refusals [self->refusal_next++ % GATE_REFUSALS];
    const char *address = address_plain (refusal->address);
    address_record_t *record = s_address (self, address);
    char detail [160];
    *place = *refusal;
    snprintf (place->address, sizeof place->address, "%s", address);
    place->when_ms = gate_record_time ();
    self->counts.refused++;
    self->counts.refused_by [refusal->reason]++;
    if (record) {
        record->seen.refused++;
        s_note_verdict (record);
    }
    snprintf (detail, sizeof detail, "%s%s%s", gate_reason_text (refusal->reason),
              refusal->key [0] ? " " : "", refusal->key);
    s_say (self, "refused", place->address, detail);
}

/*  --- connections of watched sockets -----------------------------------  */

static void
s_cut (gate_t *self, watch_t *watch, int fd, const char *address, const char *why)
{
    if (watch_cut (watch, fd))
        return;
    self->counts.cut++;
    s_say (self, "cut", address, why);
}

static void
s_opened (gate_t *self, watch_t *watch, int fd, const char *address)
{
    address_record_t *record = s_address (self, address);
    if (!record && self->limit_total)
        s_cut (self, watch, fd, address, "connections from too many addresses");
    if (!record)
        return;
    record->seen.open++;
    record->seen.opened++;
    self->counts.open++;
    if (self->limit_total && self->counts.open > self->limit_total)
        s_cut (self, watch, fd, address, "too many connections");
    else if (self->limit_address && record->seen.open > self->limit_address)
        s_cut (self, watch, fd, address, "too many connections from there");
}

/*  A local process has no address. Who leaves at once has none either: he is
    gone before it can be asked for, and nothing was asked about him.       */
static void
s_unknown (gate_t *self, watch_t *watch, int fd, watch_change_t change)
{
    if (change == WATCH_OPENED && !files_left_for_local (fd))
        s_cut (self, watch, fd, "", "few files are left");
    if (change == WATCH_SILENT)
        self->counts.connections.malformed++;
    if (change == WATCH_SILENT || change == WATCH_MALFORMED)
        s_say (self, "refused", "somebody who has left", NO_HANDSHAKE);
    else if (change == WATCH_ABANDONED)
        s_say (self, "refused", "somebody who has left", ABANDONED);
}

static void
s_ended (gate_t *self, address_record_t *record, watch_change_t change)
{
    if (change == WATCH_SILENT)
        s_note_silent (self, record);
    else if (change == WATCH_MALFORMED)
        s_say (self, "refused", record->seen.address, NO_HANDSHAKE);
    else if (change == WATCH_ABANDONED)
        s_say (self, "refused", record->seen.address, ABANDONED);
    if (record->seen.open) {
        record->seen.open--;
        self->counts.open--;
    }
}

void
gate_record_link (void *arg, int fd, const char *address, watch_change_t change)
{
    watched_t *watched = arg;
    gate_t *self = watched->gate;
    if (!*address) {
        s_unknown (self, watched->watch, fd, change);
        return;
    }
    if (change == WATCH_OPENED) {
        s_opened (self, watched->watch, fd, address);
        return;
    }
    address_record_t *record = name_table_get (&self->addresses, address, strlen (address));
    if (change == WATCH_EXCEEDS)
        s_cut (self, watched->watch, fd, address, "it sends more than a handshake");
    else if (record && change == WATCH_SETTLED)
        s_note_settled (self, record);
    else if (record)
        s_ended (self, record, change);
}

void
gate_record_release (gate_t *self)
{
    list_node_t *node;
    while ((node = list_pop (&self->by_time)))
        free (container_of (node, address_record_t, node));
    name_table_release (&self->addresses);
}
