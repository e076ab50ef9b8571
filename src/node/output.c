/*  output.c - what workers print: split into lines, logged and passed on   */

#include "node/output.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "program/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOG_SIZE_MAX (UINT64_C (16) << 20)
#define LOGS_MAX 200
#define LINES_PER_SECOND 1000
#define NAME_MAX_LENGTH 200

/*  Read from one stream before the next has its turn.                      */
#define CHUNK_SIZE 65536

/*  What is read at most of an ended worker, whose own children may still
    hold the pipe, and write.                                               */
#define LAST_CHUNKS 16

#define SECOND (1000 * CLOCK_MS)

typedef struct source source_t;

typedef struct {
    source_t *source;
    output_stream_t kind;
    int fd;                     /*  -1: it has ended                        */
    bytes_t pending;            /*  the beginning of a line                 */
} stream_t;

struct source {
    source_t *next;
    uint64_t worker;
    char *name;
    stream_t streams [2];
    int64_t paid_until;         /*  lines passed on are paid for with time  */
    uint64_t left_out;          /*  and not said yet                        */
    int log;                    /*  -1: not open                            */
    uint64_t log_size;
    uint64_t not_logged;        /*  and not said yet                        */
    int log_error;              /*  which has been said                     */
};

struct output {
    output_line_fn *line;
    void *arg;
    int folder;                 /*  -1: there are no logs                   */
    uint64_t log_size_max;
    unsigned logs_max;
    unsigned lines_per_second;
    source_t *sources;
    output_counts_t counts;
    int poller;
    int timer;                  /*  for saying what was left out            */
    bool timer_runs;
    bytes_t log;                /*  lines to be written                     */
    uint64_t log_lines;
    char chunk [CHUNK_SIZE];
};

/*  --- notes ---------------------------------------------------------------- */

static void s_note (output_t *self, const source_t *source, const char *format, ...)
    TROUPE_PRINTF_ (3, 4);

static void
s_note (output_t *self, const source_t *source, const char *format, ...)
{
    char text [512];
    va_list args;
    va_start (args, format);
    int length = vsnprintf (text, sizeof text, format, args);
    va_end (args);
    if (!self->line || length < 0)
        return;
    if ((size_t) length >= sizeof text)
        length = sizeof text - 1;
    self->line (self->arg, source->worker, OUTPUT_NOTE, text, (size_t) length);
}

static void
s_say_left_out (output_t *self, source_t *source)
{
    if (source->left_out)
        s_note (self, source, "%ju lines left out: more than %u a second",
                (uintmax_t) source->left_out, self->lines_per_second);
    source->left_out = 0;
}

/*  --- logs ----------------------------------------------------------------- */

static bool
s_ends_in (const char *text, const char *end)
{
    size_t length = strlen (text), size = strlen (end);
    return length > size && strcmp (text + length - size, end) == 0;
}

static bool
s_is_log (const char *name)
{
    return s_ends_in (name, ".log") || s_ends_in (name, ".log.1");
}

/*  Whether a file is the log of a worker that is there.                    */
static bool
s_is_used (const output_t *self, const char *file)
{
    for (const source_t *source = self->sources; source; source = source->next) {
        size_t length = strlen (source->name);
        if (strncmp (file, source->name, length) == 0
            && (strcmp (file + length, ".log") == 0 || strcmp (file + length, ".log.1") == 0))
            return true;
    }
    return false;
}

/*  Removes the oldest logs of workers that have ended.                     */
static void
s_prune (output_t *self)
{
    size_t count, unused = 0;
    folder_entry_t *entries = folder_list (self->folder, s_is_log, &count);
    for (size_t index = 0; index < count; index++)
        unused += !s_is_used (self, entries [index].name);
    for (size_t index = 0; index < count && unused > self->logs_max; index++)
        if (!s_is_used (self, entries [index].name)
            && unlinkat (self->folder, entries [index].name, 0) == 0)
            unused--;
    free (entries);
}

static int
s_open_log (const output_t *self, source_t *source)
{
    char file [NAME_MAX_LENGTH + 16];
    struct stat status;
    snprintf (file, sizeof file, "%s.log", source->name);
    source->log
        = openat (self->folder, file,
                  O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (source->log < 0)
        return -1;
    source->log_size = fstat (source->log, &status) == 0 ? (uint64_t) status.st_size : 0;
    return 0;
}

/*  The log becomes the old one, of which there is one, and a new one begins.
    If it cannot be renamed it is emptied, as the disk must not fill.       */
static int
s_rotate (const output_t *self, source_t *source)
{
    char file [NAME_MAX_LENGTH + 16], old [NAME_MAX_LENGTH + 16];
    snprintf (file, sizeof file, "%s.log", source->name);
    snprintf (old, sizeof old, "%s.log.1", source->name);
    if (renameat (self->folder, file, self->folder, old)) {
        source->log_size = 0;
        return ftruncate (source->log, 0);
    }
    close (source->log);
    return s_open_log (self, source);
}

/*  Appends the lines to the log, all of them or none.                      */
static int
s_append (const output_t *self, source_t *source)
{
    const bytes_t *lines = &self->log;
    if (source->log < 0 && s_open_log (self, source))
        return -1;
    if (source->log_size && source->log_size + lines->size > self->log_size_max
        && s_rotate (self, source))
        return -1;
    for (size_t done = 0; done < lines->size;) {
        ssize_t put = write (source->log, lines->data + done, lines->size - done);
        if (put < 0 && errno != EINTR) {
            int error = errno;
            if (ftruncate (source->log, (off_t) source->log_size)) {
                close (source->log);
                source->log = -1;
            }
            errno = error;
            return -1;
        }
        done += put > 0 ? (size_t) put : 0;
    }
    source->log_size += lines->size;
    return 0;
}

/*  Lines did not get into the log: that is said once, and when it is over. */
static void
s_not_logged (output_t *self, source_t *source, uint64_t lines, int error)
{
    self->counts.not_logged += lines;
    source->not_logged += lines;
    if (source->log_error != error)
        s_note (self, source, "cannot write %s.log: %s", source->name, strerror (error));
    source->log_error = error;
}

static void
s_flush (output_t *self, source_t *source)
{
    if (self->log_lines) {
        if (s_append (self, source))
            s_not_logged (self, source, self->log_lines, errno);
        else if (source->log_error) {
            s_note (self, source, "%s.log is written again: %ju lines are not in it",
                    source->name, (uintmax_t) source->not_logged);
            source->log_error = 0;
            source->not_logged = 0;
        }
    }
    self->log_lines = 0;
    bytes_clear (&self->log);
}

/*  --- lines ---------------------------------------------------------------- */

/*  Whether a line may be passed on: so many in a second, and as many again
    at once after a quiet second.                                           */
static bool
s_is_allowed (output_t *self, source_t *source, int64_t now)
{
    if (source->paid_until < now)
        source->paid_until = now;
    if (source->paid_until - now >= SECOND)
        return false;
    source->paid_until += SECOND / self->lines_per_second;
    return true;
}

static void
s_leave_out (output_t *self, source_t *source)
{
    self->counts.left_out++;
    source->left_out++;
    if (self->timer_runs)
        return;
    const struct itimerspec second = { .it_value = { .tv_sec = 1 } };
    self->timer_runs = timerfd_settime (self->timer, 0, &second, NULL) == 0;
}

static void
s_line (output_t *self, stream_t *stream, const char *text, size_t length, int64_t now)
{
    source_t *source = stream->source;
    self->counts.lines++;
    if (self->folder >= 0) {
        size_t before = self->log.size;
        bytes_append (&self->log, text, length);
        if (bytes_append (&self->log, "\n", 1) == 0)
            self->log_lines++;
        else {
            bytes_truncate (&self->log, before);
            s_not_logged (self, source, 1, ENOMEM);
        }
    }
    if (!self->line)
        return;
    if (s_is_allowed (self, source, now))
        self->line (self->arg, source->worker, stream->kind, text, length);
    else
        s_leave_out (self, source);
}

/*  The length of a piece of a long line: no character is cut in two.       */
static size_t
s_piece (const char *text)
{
    size_t length = OUTPUT_LINE_MAX;
    while (length > OUTPUT_LINE_MAX - 4 && ((unsigned char) text [length] & 0xc0) == 0x80)
        length--;
    return ((unsigned char) text [length] & 0xc0) == 0x80 ? OUTPUT_LINE_MAX : length;
}

/*  Takes the lines that are whole, or too long. Returns what is done.      */
static size_t
s_split (output_t *self, stream_t *stream, const char *text, size_t size)
{
    int64_t now = clock_now ();
    size_t done = 0;
    while (done < size) {
        const char *from = text + done, *end = memchr (from, '\n', size - done);
        size_t length = end ? (size_t) (end - from) : size - done;
        if (length > OUTPUT_LINE_MAX) {
            length = s_piece (from);
            done += length;
        } else if (end)
            done += length + 1;
        else
            break;
        s_line (self, stream, from, length, now);
    }
    return done;
}

/*  What is there of a line is all of it.                                   */
static void
s_finish (output_t *self, stream_t *stream)
{
    const bytes_t *pending = &stream->pending;
    if (pending->size)
        s_line (self, stream, (const char *) pending->data, pending->size, clock_now ());
    bytes_release (&stream->pending);
}

static void
s_take (output_t *self, stream_t *stream, const char *text, size_t size)
{
    bytes_t *pending = &stream->pending;
    size_t done;
    if (pending->size && bytes_append (pending, text, size) == 0) {
        done = s_split (self, stream, (const char *) pending->data, pending->size);
        memmove (pending->data, pending->data + done, pending->size - done);
        bytes_truncate (pending, pending->size - done);
        if (pending->size == 0)
            bytes_release (pending);
    } else {
        /*  Without memory a line may come in two.                          */
        s_finish (self, stream);
        done = s_split (self, stream, text, size);
        if (done < size && bytes_append (pending, text + done, size - done))
            s_line (self, stream, text + done, size - done, clock_now ());
    }
}

/*  --- streams -------------------------------------------------------------- */

static void
s_close (output_t *self, stream_t *stream)
{
    if (stream->fd >= 0)
        close (stream->fd);
    stream->fd = -1;
    s_finish (self, stream);
}

/*  Reads once. Returns true if there may be more.                          */
static bool
s_read (output_t *self, stream_t *stream)
{
    if (stream->fd < 0)
        return false;
    ssize_t got = read (stream->fd, self->chunk, sizeof self->chunk);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    if (got > 0)
        s_take (self, stream, self->chunk, (size_t) got);
    else
        s_close (self, stream);
    s_flush (self, stream->source);
    return got > 0;
}

void
output_settle (output_t *self)
{
    for (source_t *source = self->sources; source; source = source->next)
        s_say_left_out (self, source);
}

static void
s_tick (output_t *self)
{
    uint64_t times;
    if (read (self->timer, &times, sizeof times) != sizeof times)
        return;
    self->timer_runs = false;
    output_settle (self);
}

void
output_read (output_t *self)
{
    struct epoll_event events [64];
    int count = epoll_wait (self->poller, events, 64, 0);
    for (int index = 0; index < count; index++) {
        stream_t *stream = events [index].data.ptr;
        if (stream)
            s_read (self, stream);
        else
            s_tick (self);
    }
}

/*  --- workers -------------------------------------------------------------- */

static void
s_source_destroy (output_t *self, source_t *source)
{
    for (unsigned index = 0; index < 2; index++)
        s_close (self, &source->streams [index]);
    s_flush (self, source);
    s_say_left_out (self, source);
    if (source->log >= 0)
        close (source->log);
    free (source->name);
    free (source);
}

static source_t *
s_source_new (uint64_t worker, const char *name)
{
    source_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->worker = worker;
    self->log = -1;
    self->name = bytes_text (name, strlen (name));
    for (unsigned index = 0; index < 2; index++)
        self->streams [index] = (stream_t){ .source = self,
                                            .kind = index ? OUTPUT_STDERR : OUTPUT_STDOUT,
                                            .fd = -1 };
    if (self->name)
        return self;
    free (self);
    return NULL;
}

/*  Makes a pipe and polls it. Returns the end to write into, or -1.        */
static int
s_open_pipe (output_t *self, stream_t *stream)
{
    int ends [2];
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = stream };
    if (pipe2 (ends, O_CLOEXEC))
        return -1;
    stream->fd = ends [0];
    if (fcntl (ends [0], F_SETFL, O_NONBLOCK) == 0
        && epoll_ctl (self->poller, EPOLL_CTL_ADD, ends [0], &event) == 0)
        return ends [1];
    int error = errno;
    close (ends [1]);
    errno = error;
    return -1;
}

static bool
s_is_name (const char *name)
{
    size_t length = strlen (name);
    return length && length <= NAME_MAX_LENGTH && name [0] != '.' && !strchr (name, '/');
}

int
output_add (output_t *self, uint64_t worker, const char *name, int fds [2], fault_t *fault)
{
    if (!s_is_name (name))
        return fault_set (fault, TROUPE_EINVAL, "\"%.60s\" is no name for a log", name);
    source_t *source = s_source_new (worker, name);
    if (!source)
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the output of %s", name);
    fds [0] = s_open_pipe (self, &source->streams [0]);
    fds [1] = fds [0] < 0 ? -1 : s_open_pipe (self, &source->streams [1]);
    if (fds [1] < 0) {
        int error = errno;
        if (fds [0] >= 0)
            close (fds [0]);
        s_source_destroy (self, source);
        return fault_set (fault, TROUPE_ESYSTEM, "no pipe for the output of %s: %s", name,
                          strerror (error));
    }
    source->next = self->sources;
    self->sources = source;
    if (self->folder >= 0) {
        s_prune (self);
        if (s_open_log (self, source))
            s_not_logged (self, source, 0, errno);
    }
    return 0;
}

void
output_remove (output_t *self, uint64_t worker)
{
    source_t **place = &self->sources;
    while (*place && (*place)->worker != worker)
        place = &(*place)->next;
    source_t *source = *place;
    if (!source)
        return;
    *place = source->next;
    for (unsigned index = 0; index < 2; index++)
        for (unsigned count = 0; count < LAST_CHUNKS; count++)
            if (!s_read (self, &source->streams [index]))
                break;
    s_source_destroy (self, source);
}

/*  --- all of it ------------------------------------------------------------ */

static int
s_open (output_t *self, const char *folder, fault_t *fault)
{
    struct epoll_event event = { .events = EPOLLIN };
    self->poller = epoll_create1 (EPOLL_CLOEXEC);
    self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (self->poller < 0 || self->timer < 0
        || epoll_ctl (self->poller, EPOLL_CTL_ADD, self->timer, &event))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot collect what workers print: %s",
                          strerror (errno));
    if (!folder)
        return 0;
    char *resolved;
    self->folder = folder_open (folder, &resolved, fault);
    free (resolved);
    return self->folder < 0 ? fault_prefix (fault, "the folder of logs") : 0;
}

output_t *
output_new (const output_options_t *options, fault_t *fault)
{
    output_t *self = calloc (1, sizeof *self);
    if (!self) {
        fault_set (fault, TROUPE_ENOMEM, "no memory to collect what workers print");
        return NULL;
    }
    self->line = options->line;
    self->arg = options->arg;
    self->log_size_max = options->log_size_max ? options->log_size_max : LOG_SIZE_MAX;
    self->logs_max = options->logs_max ? options->logs_max : LOGS_MAX;
    self->lines_per_second
        = options->lines_per_second ? options->lines_per_second : LINES_PER_SECOND;
    self->folder = self->poller = self->timer = -1;
    if (s_open (self, options->folder, fault))
        output_destroy (&self);
    return self;
}

void
output_destroy (output_t **self_p)
{
    output_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    while (self->sources)
        output_remove (self, self->sources->worker);
    if (self->folder >= 0)
        close (self->folder);
    if (self->poller >= 0)
        close (self->poller);
    if (self->timer >= 0)
        close (self->timer);
    bytes_release (&self->log);
    free (self);
}

int
output_fd (const output_t *self)
{
    return self->poller;
}

void
output_counts (const output_t *self, output_counts_t *counts)
{
    *counts = self->counts;
}
