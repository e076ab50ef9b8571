/*  state.c - what runs on this machine: a small file for each daemon        */

#include "client/state.h"

#include "program/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
state_folder (char *path, size_t size, fault_t *fault)
{
    char wanted [400];
    const char *own = getenv ("TROUPE_FOLDER"), *runtime = getenv ("XDG_RUNTIME_DIR");
    if (own && *own)
        snprintf (wanted, sizeof wanted, "%s", own);
    else if (runtime && *runtime)
        snprintf (wanted, sizeof wanted, "%s/troupe", runtime);
    else
        snprintf (wanted, sizeof wanted, "/tmp/troupe-%u", (unsigned) geteuid ());
    char *resolved = NULL;
    int fd = folder_open (wanted, &resolved, fault);
    if (fd < 0)
        return -1;
    close (fd);
    int rc = strlen (resolved) + 64 < size ? 0 : -1;
    if (rc)
        fault_set (fault, TROUPE_EINVAL, "%s is too long a path", wanted);
    else
        snprintf (path, size, "%s", resolved);
    free (resolved);
    return rc;
}

/*  The state is field 3, the start field 22; both count from behind the
    name, which may have spaces.                                            */
uint64_t
state_started (int pid)
{
    char path [64], text [1024];
    unsigned long long started = 0;
    snprintf (path, sizeof path, "/proc/%d/stat", pid);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read (fd, text, sizeof text - 1);
    close (fd);
    text [size > 0 ? size : 0] = 0;
    char *place = strrchr (text, ')');
    if (!place || strlen (place) < 4 || place [2] == 'Z' || place [2] == 'X')
        return 0;
    for (int field = 2; place && field < 22; field++)
        place = strchr (place + 1, ' ');
    return place && sscanf (place, "%llu", &started) == 1 ? started : 0;
}

static int
s_path (char *path, size_t size, int pid, const char *suffix, fault_t *fault)
{
    char folder [400];
    if (state_folder (folder, sizeof folder, fault))
        return -1;
    snprintf (path, size, "%s/daemon-%d%s", folder, pid, suffix);
    return 0;
}

int
state_save (state_t *state, fault_t *fault)
{
    char path [512], fresh [512];
    state->pid = getpid ();
    state->started = state_started (state->pid);
    if (s_path (path, sizeof path, state->pid, "", fault)
        || s_path (fresh, sizeof fresh, state->pid, ".new", fault))
        return -1;
    int fd = open (fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen (fd, "w") : NULL;
    if (!file)
        return fault_set (fault, TROUPE_ESYSTEM, "cannot write %s: %s", fresh, strerror (errno));
    fprintf (file,
             "pid %d\nstarted %llu\nhead %d\nending %d\ninsecure %d\ncluster %s\naddress %s\nnode %s\n"
             "endpoint %s\nstore %s\nmachine %s\ntoken %s\nwaits %s\n",
             state->pid, (unsigned long long) state->started, state->head, state->ending,
             state->insecure, state->cluster, state->address, state->node, state->endpoint,
             state->store, state->machine, state->token, state->waits);
    bool wrong = ferror (file) != 0;
    wrong = fclose (file) || wrong;
    if (!wrong && rename (fresh, path) == 0)
        return 0;
    fault_set (fault, TROUPE_ESYSTEM, "cannot write %s: %s", path, strerror (errno));
    unlink (fresh);
    return -1;
}

void
state_remove (int pid)
{
    /*  With what a daemon at no fixed port has for itself.                 */
    const char *const names [] = { "daemon-%d", "daemon-%d.new", "keys-of-%d", "keys-of-%d.tokens",
                                  "token-of-%d" };
    char folder [400], path [512];
    fault_t fault;
    if (state_folder (folder, sizeof folder, &fault))
        return;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        int length = snprintf (path, sizeof path, "%s/", folder);
        snprintf (path + length, sizeof path - (size_t) length, names [index], pid);
        unlink (path);
    }
}

static void
s_read_field (state_t *state, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *place;
        size_t size;
    } texts [] = { { "cluster", state->cluster, sizeof state->cluster },
                   { "address", state->address, sizeof state->address },
                   { "node", state->node, sizeof state->node },
                   { "endpoint", state->endpoint, sizeof state->endpoint },
                   { "store", state->store, sizeof state->store },
                   { "machine", state->machine, sizeof state->machine },
                   { "token", state->token, sizeof state->token },
                   { "waits", state->waits, sizeof state->waits } };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        if (strcmp (texts [index].name, name) == 0)
            snprintf (texts [index].place, texts [index].size, "%s", value);
    if (strcmp (name, "pid") == 0)
        state->pid = atoi (value);
    else if (strcmp (name, "started") == 0)
        state->started = strtoull (value, NULL, 10);
    else if (strcmp (name, "head") == 0)
        state->head = *value == '1';
    else if (strcmp (name, "ending") == 0)
        state->ending = *value == '1';
    else if (strcmp (name, "insecure") == 0)
        state->insecure = *value == '1';
}

static int
s_read (const char *path, state_t *state)
{
    char line [1024];
    FILE *file = fopen (path, "re");
    if (!file)
        return -1;
    *state = (state_t){ 0 };
    while (fgets (line, sizeof line, file)) {
        line [strcspn (line, "\n")] = 0;
        char *value = strchr (line, ' ');
        if (!value)
            continue;
        *value = 0;
        s_read_field (state, line, value + 1);
    }
    fclose (file);
    return state->pid > 0 ? 0 : -1;
}

int
state_read (int pid, state_t *state)
{
    char path [512];
    fault_t fault;
    return s_path (path, sizeof path, pid, "", &fault) ? -1 : s_read (path, state);
}

size_t
state_list (state_t *states, size_t room, bool ending)
{
    char folder [400], path [700];
    fault_t fault;
    size_t count = 0;
    if (state_folder (folder, sizeof folder, &fault))
        return 0;
    DIR *entries = opendir (folder);
    for (struct dirent *entry; entries && (entry = readdir (entries)) && count < room;) {
        if (strncmp (entry->d_name, "daemon-", 7) || strchr (entry->d_name, '.'))
            continue;
        snprintf (path, sizeof path, "%s/%s", folder, entry->d_name);
        if (s_read (path, &states [count]))
            continue;
        uint64_t started = state_started (states [count].pid);
        if (started && started == states [count].started)
            count += ending || !states [count].ending;
        else if (!started)
            state_remove (states [count].pid);
        else
            unlink (path);
    }
    if (entries)
        closedir (entries);
    return count;
}
