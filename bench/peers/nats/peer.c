/*  peer.c - the side of NATS of bench/compare: requests and replies.
    peer worker PORT NUMBER; peer none STEP; peer STEP PORT

    A task is a request to a subject that all workers serve as one queue group.
    An actor is a subject that one worker serves.                            */

#include "bench/peers/say.h"
#include "bench/peers/work.h"

#include <nats/nats.h>
#include <unistd.h>

#define SIZE 32
#define TASKS 10000
#define EACH 5000
#define TRIES 5000
#define MILLISECOND 1000
#define TIMEOUT_MS 20000

static int
s_fail (const char *what, natsStatus status)
{
    fprintf (stderr, "nats: %s: %s\n", what, natsStatus_GetText (status));
    return -1;
}

/*  The client library gathers what is sent and sends it a little later, which
    is best for many messages; or it sends at once, best for one.           */
static natsStatus
s_connect (natsConnection **connection, const char *port, bool at_once)
{
    char url [64];
    natsOptions *options = NULL;
    natsStatus status = NATS_ERR;
    snprintf (url, sizeof url, "nats://127.0.0.1:%s", port);
    natsOptions_Create (&options);
    natsOptions_SetURL (options, url);
    natsOptions_SetSendAsap (options, at_once);
    for (int i = 0; i < TRIES && status != NATS_OK; i++) {
        status = natsConnection_Connect (connection, options);
        if (status != NATS_OK)
            usleep (MILLISECOND);
    }
    natsOptions_Destroy (options);
    return status;
}

/*  A number sent to one subject; an answer comes to a subscription.        */
typedef struct {
    natsConnection *connection;
    natsConnection *at_once;
    natsSubscription *answers;
    char inbox [128];
    char subject [32];
    int64_t load [SIZE / 8];
    size_t count;
} client_t;

static int
s_client_init (client_t *self, natsConnection *connection)
{
    natsInbox *inbox = NULL;
    memset (self, 0, sizeof *self);
    self->connection = connection;
    if (natsInbox_Create (&inbox))
        return -1;
    snprintf (self->inbox, sizeof self->inbox, "%s", inbox);
    natsInbox_Destroy (inbox);
    natsStatus status = natsConnection_SubscribeSync (&self->answers, connection, self->inbox);
    /*  None is dropped, however many wait.                                 */
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits (self->answers, -1, -1);
    return status == NATS_OK ? 0 : s_fail ("subscribe", status);
}

static int
s_send (client_t *self, const char *subject)
{
    natsStatus status = natsConnection_PublishRequest (self->connection, subject, self->inbox,
                                                       self->load, SIZE);
    return status == NATS_OK ? 0 : s_fail ("publish", status);
}

static int
s_receive (client_t *self)
{
    natsMsg *message = NULL;
    natsStatus status = natsSubscription_NextMsg (&message, self->answers, TIMEOUT_MS);
    if (status != NATS_OK)
        return s_fail ("no answer", status);
    if (natsMsg_GetDataLength (message) == SIZE)
        memcpy (self->load, natsMsg_GetData (message), SIZE);
    natsMsg_Destroy (message);
    return 0;
}

/*  One request with the client's own means.                                */
static int
s_do (void *context)
{
    client_t *self = context;
    natsMsg *message = NULL;
    natsStatus status = natsConnection_Request (&message, self->at_once, self->subject,
                                                self->load, SIZE, TIMEOUT_MS);
    if (status != NATS_OK)
        return s_fail (self->subject, status);
    if (natsMsg_GetDataLength (message) == SIZE)
        memcpy (self->load, natsMsg_GetData (message), SIZE);
    natsMsg_Destroy (message);
    return 0;
}

static int
s_many (void *context)
{
    client_t *self = context;
    for (size_t i = 0; i < self->count; i++)
        if (s_send (self, self->subject))
            return -1;
    for (size_t i = 0; i < self->count; i++)
        if (s_receive (self))
            return -1;
    return 0;
}

/* ------------------------------------------------------------------------
   Worker                                                                   */

static void
s_noop (natsConnection *connection, natsSubscription *subscription, natsMsg *message,
        void *context)
{
    (void) subscription, (void) context;
    natsConnection_PublishString (connection, natsMsg_GetReply (message), "");
    natsMsg_Destroy (message);
}

static void
s_next (natsConnection *connection, natsSubscription *subscription, natsMsg *message,
        void *context)
{
    (void) subscription, (void) context;
    int64_t load [SIZE / 8] = { 0 };
    memcpy (load, natsMsg_GetData (message), SIZE);
    load [0]++;
    natsConnection_Publish (connection, natsMsg_GetReply (message), load, SIZE);
    natsMsg_Destroy (message);
}

static void
s_work (natsConnection *connection, natsSubscription *subscription, natsMsg *message,
        void *context)
{
    uint64_t turns;
    memcpy (&turns, natsMsg_GetData (message), sizeof turns);
    work_turn (turns);
    s_noop (connection, subscription, message, context);
}

static void
s_process_id (natsConnection *connection, natsSubscription *subscription, natsMsg *message,
              void *context)
{
    (void) subscription, (void) context;
    int64_t load [SIZE / 8] = { getpid () };
    natsConnection_Publish (connection, natsMsg_GetReply (message), load, SIZE);
    natsMsg_Destroy (message);
}

/*  Calls the actors of all workers in turn, as often as the load says.     */
static void
s_caller (natsConnection *connection, natsSubscription *subscription, natsMsg *message,
          void *context)
{
    static client_t self;
    int64_t count;
    memcpy (&count, natsMsg_GetData (message), sizeof count);
    int failed = !self.connection ? s_client_init (&self, connection) : 0;
    for (int64_t i = 0; !failed && i < count; i++) {
        char subject [32];
        snprintf (subject, sizeof subject, "actor.%d", (int) (i % (int64_t) say_workers ()));
        failed = s_send (&self, subject);
    }
    for (int64_t i = 0; !failed && i < count; i++)
        failed = s_receive (&self);
    if (!failed)
        s_noop (connection, subscription, message, context);
}

static int
s_subscribe (natsConnection *connection, const char *subject, bool group,
             natsMsgHandler handler)
{
    natsSubscription *subscription = NULL;
    natsStatus status
        = group ? natsConnection_QueueSubscribe (&subscription, connection, subject, "workers",
                                                 handler, NULL)
                : natsConnection_Subscribe (&subscription, connection, subject, handler, NULL);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits (subscription, -1, -1);
    return status == NATS_OK ? 0 : s_fail (subject, status);
}

static int
s_worker (const char *port, const char *number)
{
    natsConnection *connection = NULL, *at_once = NULL;
    natsStatus status = s_connect (&connection, port, false);
    if (status == NATS_OK)
        status = s_connect (&at_once, port, true);
    if (status != NATS_OK)
        return s_fail ("connect", status);
    char one [32], actor [32], caller [32], process [32], next [32];
    snprintf (actor, sizeof actor, "actor.%s", number);
    snprintf (one, sizeof one, "one.%s", number);
    snprintf (next, sizeof next, "next.%s", number);
    snprintf (caller, sizeof caller, "caller.%s", number);
    snprintf (process, sizeof process, "pid.%s", number);
    if (s_subscribe (connection, actor, false, s_noop)
        || s_subscribe (at_once, one, false, s_noop)
        || s_subscribe (at_once, "any", true, s_noop)
        || s_subscribe (at_once, next, false, s_next)
        || s_subscribe (connection, caller, false, s_caller)
        || s_subscribe (connection, process, false, s_process_id)
        || s_subscribe (connection, "work", true, s_work)
        || s_subscribe (connection, "noop", true, s_noop))
        return -1;
    for (;;)
        pause ();
}

/* ------------------------------------------------------------------------
   Steps                                                                    */

/*  Until all workers answer; the first answer is what "startup" means.     */
static int
s_first (client_t *self, int64_t *pids)
{
    natsStatus status = NATS_ERR;
    natsMsg *message = NULL;
    for (int i = 0; i < TRIES && status != NATS_OK; i++) {
        status = natsConnection_Request (&message, self->connection, "noop", "", 0, TIMEOUT_MS);
        if (status != NATS_OK)
            usleep (MILLISECOND);
    }
    if (status != NATS_OK)
        return s_fail ("no worker", status);
    natsMsg_Destroy (message);
    say_answered ("startup");
    for (size_t i = 0; i < say_workers (); i++) {
        snprintf (self->subject, sizeof self->subject, "pid.%zu", i);
        for (int k = 0; k < TRIES; k++) {
            status = natsConnection_Request (&message, self->connection, self->subject, "", 0,
                                             TIMEOUT_MS);
            if (status == NATS_OK)
                break;
            usleep (MILLISECOND);
        }
        if (status != NATS_OK)
            return s_fail (self->subject, status);
        memcpy (&pids [i], natsMsg_GetData (message), sizeof pids [i]);
        natsMsg_Destroy (message);
    }
    return 0;
}

static int
s_start (const int64_t *pids)
{
    char request [1024] = "{\"measure\":\"memory_worker\",\"pids\":[";
    say_ask ("{\"measure\":\"memory_idle\"}");
    for (size_t i = 0; i < say_workers (); i++)
        snprintf (request + strlen (request), 16, "%s%ld", i ? "," : "", (long) pids [i]);
    strcat (request, "]}");
    say_ask (request);
    return 0;
}

static int
s_meeting (void *context)
{
    client_t *self = context;
    self->load [0] = EACH;
    for (size_t i = 0; i < say_workers (); i++) {
        snprintf (self->subject, sizeof self->subject, "caller.%zu", i);
        if (s_send (self, self->subject))
            return -1;
    }
    for (size_t i = 0; i < say_workers (); i++)
        if (s_receive (self))
            return -1;
    return 0;
}

static int
s_calls (client_t *self)
{
    const char *note = "no actors: a subject that one worker serves";
    self->count = TASKS;
    strcpy (self->subject, "any");
    if (say_latency ("task_latency", s_do, self, 1000, NULL))
        return -1;
    strcpy (self->subject, "noop");
    if (say_rate ("task_rate", s_many, self, TASKS, 3, NULL))
        return -1;
    strcpy (self->subject, "one.0");
    if (say_latency ("call_latency", s_do, self, 1000, note))
        return -1;
    strcpy (self->subject, "actor.0");
    return say_rate ("call_rate", s_many, self, TASKS, 3, note)
           || say_rate ("call_nn", s_meeting, self, EACH * say_workers (), 3, note);
}

static int
s_chain (void *context)
{
    client_t *self = context;
    self->load [0] = 0;
    for (size_t i = 0; i < self->count; i++) {
        strcpy (self->subject, i % 2 && say_workers () > 1 ? "next.1" : "next.0");
        if (s_do (self))
            return -1;
    }
    return self->load [0] == (int64_t) self->count ? 0 : -1;
}

static int
s_chains (client_t *self, const char *row_10, const char *row_50, size_t samples)
{
    const char *note = "no futures: each call is waited for";
    self->count = 10;
    if (say_latency (row_10, s_chain, self, samples, note))
        return -1;
    self->count = 50;
    return say_latency (row_50, s_chain, self, samples / 2, note);
}

static int
s_grain (client_t *self)
{
    static const work_grain_t grains [] = WORK_GRAINS;
    strcpy (self->subject, "work");
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        self->load [0] = (int64_t) work_turns (grains [i].work_us);
        self->count = grains [i].count < TASKS ? grains [i].count : TASKS;
        if (say_rate (grains [i].row, s_many, self, self->count, 1, NULL))
            return -1;
    }
    return 0;
}

static int
s_none (const char *step)
{
    static const struct {
        const char *step, *row, *why;
    } none [] = { { "objects", "put_1k", "no store of values without JetStream" },
                  { "objects", "get_1k", "no store of values without JetStream" },
                  { "objects", "put_100m", "no store of values without JetStream" },
                  { "objects", "get_100m", "no store of values without JetStream" },
                  { "queued", "queued", "no queue in the server without JetStream" },
                  { "actors", "spawn", "no actors" },
                  { "actors", "memory_actor", "no actors" },
                  { "words", "words", "not written" } };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (strcmp (step, none [i].step) == 0)
            say_skip (none [i].row, none [i].why);
    return 0;
}

int
main (int argc, char *argv [])
{
    client_t self;
    natsConnection *connection = NULL;
    int64_t pids [64] = { 0 };
    if (argc == 4 && strcmp (argv [1], "worker") == 0)
        return s_worker (argv [2], argv [3]) ? 1 : 0;
    if (argc == 3 && strcmp (argv [1], "none") == 0)
        return s_none (argv [2]) ? 1 : 0;
    if (argc != 3 || say_workers () > 64 || s_connect (&connection, argv [2], false) != NATS_OK
        || s_client_init (&self, connection)
        || s_connect (&self.at_once, argv [2], true) != NATS_OK || s_first (&self, pids))
        return 1;
    int failed = 1;
    if (strcmp (argv [1], "start") == 0)
        failed = s_start (pids);
    else if (strcmp (argv [1], "calls") == 0)
        failed = s_calls (&self);
    else if (strcmp (argv [1], "chain") == 0)
        failed = s_chains (&self, "chain_10", "chain_50", 200);
    else if (strcmp (argv [1], "far") == 0)
        failed = s_chains (&self, "far_10", "far_50", 10);
    else if (strcmp (argv [1], "grain") == 0)
        failed = s_grain (&self);
    return failed ? 1 : 0;
}
