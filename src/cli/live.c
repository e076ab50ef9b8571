/*  live.c - shows what the head answers, once or again and again          */

#include "cli/live.h"

#include "cli/screen.h"
#include "client/connect.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*  A terminal's other screen, without a cursor; and back.                  */
#define ENTER_SCREEN "\033[?1049h\033[?25l"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"

static volatile sig_atomic_t s_ended;
static int s_bell = -1;

/*  Any thread may get the signal, so the one that waits is told by the bell. */
static void
s_end (int number)
{
    int saved = errno;
    uint64_t one = 1;
    (void) number;
    s_ended = 1;
    if (s_bell >= 0 && write (s_bell, &one, sizeof one) < 0)
        s_ended = 1;
    errno = saved;
}

void
live_arm (void)
{
    struct sigaction action = { .sa_handler = s_end, .sa_flags = SA_RESTART };
    s_bell = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction (SIGINT, &action, NULL);
    sigaction (SIGTERM, &action, NULL);
}

bool
live_wait (int milliseconds)
{
    struct pollfd bell = { s_bell, POLLIN, 0 };
    if (!s_ended)
        poll (&bell, 1, milliseconds);
    return !s_ended;
}

static void
s_put (const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write (STDOUT_FILENO, text, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            s_ended = 1;
            return;
        }
        text += put;
        size -= (size_t) put;
    }
}

/*  One write for the whole, each line erased behind its end: so nothing is
    blank in between, and nothing flickers.                                 */
static void
s_draw (const char *text)
{
    screen_t screen = screen_look ();
    char *drawing = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&drawing, &size);
    if (!file)
        return;
    if (screen.terminal)
        fputs ("\033[H", file);
    for (size_t line = 0; *text && line + 1 < screen.height; line++) {
        size_t length = strcspn (text, "\n");
        fwrite (text, 1, length, file);
        fputs (screen.terminal ? "\033[K\r\n" : "\n", file);
        text += length + (text [length] == '\n');
    }
    if (screen.terminal)
        fputs ("\033[J", file);
    if (fclose (file) == 0)
        s_put (drawing, size);
    free (drawing);
}

static int
s_once (const verb_t *verb, live_print_t *print, void *context, troupe_t *peer)
{
    char *why;
    if (print (context, peer, stdout, &why) == 0)
        return cli_done (verb);
    int rc = cli_failed (verb, "%s", why ? why : "out of memory");
    free (why);
    return rc;
}

/*  Prints once. Returns 0, or -1 with *why set, to be freed.               */
static int
s_redraw (live_print_t *print, void *context, troupe_t *peer, char **why)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&text, &size);
    *why = NULL;
    if (!file)
        return -1;
    int rc = print (context, peer, file, why);
    if (fclose (file) == 0 && rc == 0)
        s_draw (text);
    free (text);
    return rc;
}

/*  As long as there is a head, it may answer the next time. Returns 0, or an
    exit code.                                                              */
static int
s_redraw_or_say (const verb_t *verb, live_print_t *print, void *context, troupe_t *peer,
                 bool terminal)
{
    char *why;
    int rc = s_redraw (print, context, peer, &why);
    const char *text = why ? why : "out of memory";
    bool lost = rc && client_is_lost (peer);
    if (lost && terminal)
        s_put (LEAVE_SCREEN, sizeof LEAVE_SCREEN - 1);
    if (rc && terminal && !lost)
        s_draw (text);
    else if (rc)
        cli_failed (verb, "%s", text);
    free (why);
    return lost ? EXIT_FAILED : 0;
}

static int
s_repeat (const verb_t *verb, live_print_t *print, void *context, troupe_t *peer)
{
    bool terminal = screen_look ().terminal;
    int rc;
    live_arm ();
    if (terminal)
        s_put (ENTER_SCREEN, sizeof ENTER_SCREEN - 1);
    do {
        rc = s_redraw_or_say (verb, print, context, peer, terminal);
    } while (rc == 0 && live_wait (1000));
    if (terminal && rc == 0)
        s_put (LEAVE_SCREEN, sizeof LEAVE_SCREEN - 1);
    return rc;
}

int
live_show (const verb_t *verb, connection_t *connection, bool watch, live_print_t *print,
           void *context)
{
    troupe_t *peer;
    int rc = cli_connect (verb, connection, &peer);
    if (rc)
        return rc;
    rc = watch ? s_repeat (verb, print, context, peer) : s_once (verb, print, context, peer);
    client_disconnect (&peer);
    return rc;
}
