/*  program_check.c - whether a program can run on this machine             */

#include "program/program.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*  A loader has no more to say than this.                                  */
#define OUTPUT_MAX 65536

/*  More program headers than this has no program.                          */
#define HEADERS_MAX 256

/*  --- the file ----------------------------------------------------------- */

typedef struct {
    bool is_dynamic;
    char loader [PATH_MAX];     /*  of dynamic programs; empty: none        */
} linkage_t;

static bool
s_read_at (int fd, void *place, size_t size, uint64_t offset)
{
    return offset <= PROGRAM_SIZE_MAX
           && pread (fd, place, size, (off_t) offset) == (ssize_t) size;
}

/*  Reads how a program of this machine's own kind is linked.               */
static bool
s_read_linkage (int fd, linkage_t *linkage)
{
    ElfW (Ehdr) head;
    ElfW (Phdr) part;
    memset (linkage, 0, sizeof *linkage);
    if (!s_read_at (fd, &head, sizeof head, 0) || head.e_phentsize != sizeof part
        || head.e_phnum > HEADERS_MAX)
        return false;
    for (unsigned index = 0; index < head.e_phnum; index++) {
        if (!s_read_at (fd, &part, sizeof part, head.e_phoff + index * sizeof part))
            return false;
        linkage->is_dynamic |= part.p_type == PT_DYNAMIC;
        if (part.p_type == PT_INTERP
            && (part.p_filesz == 0 || part.p_filesz >= sizeof linkage->loader
                || !s_read_at (fd, linkage->loader, part.p_filesz, part.p_offset)))
            return false;
    }
    return true;
}

/*  A module names no loader: it is loaded by that of the running program.  */
static void
s_own_loader (linkage_t *linkage)
{
    fault_t fault;
    int fd = program_open (NULL, &fault);
    if (fd < 0)
        return;
    if (!s_read_linkage (fd, linkage))
        linkage->loader [0] = 0;
    close (fd);
}

/*  --- the loader --------------------------------------------------------- */

/*  Reads until the writers have closed it, or the deadline.                */
static bool
s_read_all (int fd, bytes_t *text, int64_t deadline)
{
    char chunk [4096];
    for (;;) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        int64_t left = deadline - clock_now ();
        if (left <= 0)
            return false;
        int rc = poll (&item, 1, (int) (left / CLOCK_MS) + 1);
        ssize_t got = rc > 0 ? read (fd, chunk, sizeof chunk) : rc < 0 ? -1 : 1;
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        if (rc > 0 && got > 0 && text->size < OUTPUT_MAX)
            bytes_append (text, chunk, (size_t) got);
    }
}

/*  What glibc's loader says of the first library that it does not find.    */
#define NOT_LOADED "error while loading shared libraries: "
#define NOT_LOADED_MUSL "Error loading shared library "

/*  Asks the loader for the libraries, with --list or, if `all`, so that
    glibc's tells of all that are missing. The program itself does not run.
    What it prints is the text; how it ended is for s_judge.                */
static int
s_list (const char *loader, const char *path, bool all, bytes_t *text, char how [128],
        fault_t *fault)
{
    const char *const environment []
        = { "LC_ALL=C", all ? "LD_TRACE_LOADED_OBJECTS=1" : NULL, NULL };
    char *const argv [] = { (char *) loader, all ? (char *) path : (char *) "--list",
                            all ? NULL : (char *) path, NULL };
    int ends [2], pidfd;
    if (pipe2 (ends, O_CLOEXEC))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot ask %s: %s", loader, strerror (errno));
    process_options_t options = { .path = loader,
                                  .argv = argv,
                                  .environment = environment,
                                  .output = ends [1],
                                  .errors = ends [1] };
    pid_t pid = process_start (&options, &pidfd, fault);
    close (ends [1]);
    bool ended
        = pid > 0 && s_read_all (ends [0], text, clock_now () + CHECK_TIMEOUT_MS * CLOCK_MS);
    close (ends [0]);
    if (pid < 0)
        return -1;
    if (!ended)
        kill (pid, SIGKILL);
    close (pidfd);
    process_reap (pid, how, 128);
    if (!ended)
        return fault_set (fault, TROUPE_ETIMEOUT,
                          "%s did not say within %d ms which libraries the program needs",
                          loader, CHECK_TIMEOUT_MS);
    return 0;
}

/*  --- what it said ------------------------------------------------------- */

/*  Adds an item to a list with commas, unless it is there.                 */
static void
s_add (char *list, size_t size, const char *item)
{
    size_t length = strlen (list);
    const char *found = strstr (list, item);
    if (!found)
        snprintf (list + length, size - length, "%s%s", length ? ", " : "", item);
}

/*  Notes what a line says to be missing:
        libx.so.1 => not found
        P: error while loading shared libraries: libx.so.1: cannot open...
        Error loading shared library libx.so.1: No such file...
        P: /lib/libx.so.1: version `X_2' not found (required by P)          */
static void
s_note_line (char *line, char *missing, size_t size)
{
    char item [256];
    char *version = strstr (line, ": version `"), *end;
    char *library = strstr (line, NOT_LOADED);
    if (library)
        library += strlen (NOT_LOADED);
    else if (strncmp (line, NOT_LOADED_MUSL, strlen (NOT_LOADED_MUSL)) == 0)
        library = line + strlen (NOT_LOADED_MUSL);
    if (library) {
        snprintf (item, sizeof item, "%.*s", (int) strcspn (library, ":"), library);
        s_add (missing, size, item);
    } else if (version && (end = strchr (version + 11, '\''))) {
        *version = *end = 0;
        char *name = strrchr (line, '/');
        snprintf (item, sizeof item, "%s of %s", version + 11, name ? name + 1 : line);
        s_add (missing, size, item);
    } else if ((end = strstr (line, " => not found"))) {
        *end = 0;
        snprintf (item, sizeof item, "%s", line + strspn (line, " \t"));
        s_add (missing, size, item);
    }
}

static int
s_judge (bytes_t *text, const char *how, const char *node, fault_t *fault)
{
    char missing [300] = "", first [160] = "", *rest = NULL;
    if (bytes_append (text, "", 1))
        return fault_set (fault, TROUPE_ENOMEM, "no memory to check a program");
    for (char *line = strtok_r ((char *) text->data, "\n", &rest); line;
         line = strtok_r (NULL, "\n", &rest)) {
        if (!*first)
            snprintf (first, sizeof first, "%s", line + strspn (line, " \t"));
        s_note_line (line, missing, sizeof missing);
    }
    if (*missing)
        return fault_set (fault, TROUPE_EINVAL, "the program needs %s, not found on node %s",
                          missing, node);
    if (strcmp (how, "exited with status 0") == 0)
        return 0;
    return fault_set (fault, TROUPE_EINVAL, "the program cannot be loaded on node %s: %s", node,
                      *first ? first : how);
}

/*  --- the check ---------------------------------------------------------- */

static int
s_check_machine (int fd, const char *node, fault_t *fault)
{
    program_id_t theirs, ours;
    char name [32], own_name [32];
    int own = program_open (NULL, fault);
    int rc = own < 0 ? -1 : program_header (own, &ours, fault);
    if (own >= 0)
        close (own);
    if (rc || program_header (fd, &theirs, fault))
        return -1;
    if (theirs.machine == ours.machine && theirs.bits == ours.bits
        && theirs.big_endian == ours.big_endian)
        return 0;
    return fault_set (fault, TROUPE_EINVAL, "the program is for %s, node %s is %s",
                      program_machine (&theirs, name), node, program_machine (&ours, own_name));
}

static int
s_check_libraries (const char *path, const char *loader, const char *node, fault_t *fault)
{
    bytes_t text = { 0 };
    char how [128] = "";
    int rc = s_list (loader, path, false, &text, how, fault);
    if (rc == 0 && text.size
        && memmem (text.data, text.size, NOT_LOADED, strlen (NOT_LOADED))) {
        bytes_clear (&text);
        rc = s_list (loader, path, true, &text, how, fault);
    }
    if (rc == 0)
        rc = s_judge (&text, how, node, fault);
    bytes_release (&text);
    return rc;
}

int
program_check (const char *path, const char *node, fault_t *fault)
{
    linkage_t linkage;
    int fd = program_open (path, fault);
    if (fd < 0)
        return -1;
    int rc = s_check_machine (fd, node, fault);
    if (rc == 0 && !s_read_linkage (fd, &linkage))
        rc = fault_set (fault, TROUPE_EINVAL, "the program is damaged");
    close (fd);
    if (rc || !linkage.is_dynamic)
        return rc;
    if (!linkage.loader [0])
        s_own_loader (&linkage);
    if (!linkage.loader [0])
        return 0;
    if (access (linkage.loader, X_OK))
        return fault_set (fault, TROUPE_EINVAL,
                          "the program needs the loader %s, not found on node %s",
                          linkage.loader, node);
    return s_check_libraries (path, linkage.loader, node, fault);
}
