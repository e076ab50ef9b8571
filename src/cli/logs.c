/*  logs.c - troupe logs                                                    */

#include "cli/cli.h"

#include "cli/json.h"
#include "cli/rows.h"
#include "cli/live.h"
#include "client/connect.h"
#include "client/inquire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char s_help [] =
    "usage: troupe logs [NODE|WORKER|ACTOR|TASK] [OPTION]...\n"
    "Shows what workers, and the tasks and actors in them, print; and what the\n"
    "cluster's own processes report. Each line says who and where. Of an actor or a\n"
    "task it is what its worker prints.\n"
    "\n"
    "  --follow             go on with what comes, until Ctrl-C\n"
    "  --tail N             begin with the last N lines (1000)\n"
    "  --time               begin each line with its time\n"
    "  --json               print a JSON object a line\n"
    "  --address HOST:PORT  which cluster\n"
    "  --token TOKEN, --token-file FILE\n"
    "                       what lets one in\n";

#define TAIL 1000
#define TAIL_MAX 100000
#define FOLLOW_MS 300

typedef struct {
    const char *who;
    bool follow, time, json;
    int64_t tail;
    uint64_t position;              /*  the greatest seen                   */
    screen_t screen;
} request_t;

static void
s_print_time (const request_t *self, troupe_view_t row)
{
    troupe_view_t value;
    int64_t at_ms = 0;
    struct tm date;
    char text [40], line [56];
    if (troupe_view_field (row, "at_ms", &value) || troupe_read (value, &at_ms))
        return;
    time_t seconds = (time_t) (at_ms / 1000);
    if (!localtime_r (&seconds, &date) || !strftime (text, sizeof text, "%F %T", &date))
        return;
    snprintf (line, sizeof line, "%s.%03d ", text, (int) (at_ms % 1000));
    screen_print (&self->screen, stdout, STYLE_DIM, line);
}

/*  "(worker 3, alpha) text".                                               */
static void
s_print_line (const request_t *self, troupe_view_t row)
{
    char *who = kind_field (row, "who"), *stream = kind_field (row, "stream"), *text = kind_field (row, "text"), *prefix = NULL;
    char *clean = text ? text_clean (text) : NULL;
    bool complaint = stream && strcmp (stream, "stderr") == 0;
    if (who && asprintf (&prefix, "(%s) ", who) >= 0) {
        char *shown = text_clean (prefix);
        if (self->time)
            s_print_time (self, row);
        screen_print (&self->screen, stdout, complaint ? STYLE_WARN : STYLE_DIM,
                      shown ? shown : "");
        free (shown);
        free (prefix);
    }
    fputs (clean ? clean : "", stdout);
    putchar ('\n');
    free (clean);
    free (who);
    free (stream);
    free (text);
}

static int
s_print_rows (request_t *self, troupe_view_t rows)
{
    troupe_view_t inside, row, value;
    int rc = troupe_view_enter (rows, &inside);
    while (rc == 0 && troupe_view_next (&inside, &row) == 1) {
        uint64_t position = 0;
        if (troupe_view_field (row, "position", &value) == 0
            && troupe_read (value, &position) == 0 && position > self->position)
            self->position = position;
        if (!self->json)
            s_print_line (self, row);
        else {
            rc = json_print (stdout, row);
            putchar ('\n');
        }
    }
    return rc;
}

static int
s_ask (request_t *self, troupe_t *peer)
{
    const char *why = "out of memory";
    troupe_view_t rows;
    troupe_future_t *future = peer_inquire_logs (peer, self->who, self->position,
                                                 (unsigned) self->tail);
    int rc = rows_wait (future, &rows, &why);
    rc = rc ? rc : s_print_rows (self, rows);
    rc = rc ? cli_failed (&verb_logs, "%s", why) : cli_done (&verb_logs);
    troupe_future_destroy (&future);
    return rc;
}

static int
s_logs (request_t *self, troupe_t *peer)
{
    self->screen = screen_look ();
    int rc = s_ask (self, peer);
    if (!self->follow)
        return rc;
    self->tail = TAIL_MAX;
    live_arm ();
    while (rc == 0 && live_wait (FOLLOW_MS))
        rc = s_ask (self, peer);
    return rc;
}

static int
s_run (int argc, char *argv [])
{
    request_t request = { .tail = TAIL };
    const char *tail = NULL;
    connection_t connection = { .address = NULL };
    const option_spec_t specs [] = { { "follow", OPTION_FLAG, &request.follow },
                                     { "tail", OPTION_TEXT, &tail },
                                     { "time", OPTION_FLAG, &request.time },
                                     { "json", OPTION_FLAG, &request.json },
                                     { NULL, OPTION_END, NULL } };
    int first = arguments_read (&verb_logs, argc, argv, specs, &connection, false);
    if (first < 0)
        return arguments_exit (first);
    if (first + 1 < argc)
        return cli_usage (&verb_logs, "it takes no '%s'", argv [first + 1]);
    if (tail && text_integer (tail, 1, TAIL_MAX, &request.tail))
        return cli_usage (&verb_logs, "--tail must be a number from 1 to %d, not '%s'",
                          TAIL_MAX, tail);
    request.who = argv [first];
    troupe_t *peer;
    int rc = cli_connect (&verb_logs, &connection, &peer);
    if (rc)
        return rc;
    rc = s_logs (&request, peer);
    client_disconnect (&peer);
    return rc;
}

const verb_t verb_logs = { "logs", s_help, s_run };
