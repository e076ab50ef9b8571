/*  module.c - actor classes in loadable modules                            */

#include "worker/worker_private.h"

#include "peer/registry.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef TROUPE_MODULE_PATH
#define TROUPE_MODULE_PATH "/usr/local/lib/troupe"
#endif

/*  A name that is fit to be a file's: no path can be made of it.           */
static bool
s_name_valid (const char *name)
{
    return name [strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")]
           == 0;
}

/*  Loads NAME.so from one folder if it is there. Returns 1, 0 if it is not
    there, or -1 with the fault set. The module stays loaded: its functions
    may be in use.                                                          */
static int
s_load (const char *folder, size_t length, const char *name, fault_t *fault)
{
    char path [4096];
    int size = snprintf (path, sizeof path, "%.*s/%s.so", (int) length, folder, name);
    if (size < 0 || (size_t) size >= sizeof path || access (path, F_OK))
        return 0;
    if (dlopen (path, RTLD_NOW | RTLD_LOCAL))
        return 1;
    return fault_set (fault, TROUPE_ENAME, "cannot load module %s: %s", path, dlerror ());
}

static int
s_search (const char *folders, const char *name, fault_t *fault)
{
    while (folders && *folders) {
        size_t length = strcspn (folders, ":");
        int rc = length ? s_load (folders, length, name, fault) : 0;
        if (rc)
            return rc;
        folders += length;
        folders += *folders == ':';
    }
    return 0;
}

const troupe_class_t *
module_find_class (const char *name, fault_t *fault)
{
    const troupe_class_t *found = registry_class (name, strlen (name));
    if (found)
        return class_check (found, fault) ? NULL : found;
    int rc = s_name_valid (name) ? s_search (getenv ("TROUPE_MODULES"), name, fault) : 0;
    if (rc == 0 && s_name_valid (name))
        rc = s_search (TROUPE_MODULE_PATH, name, fault);
    if (rc < 0)
        return NULL;
    found = registry_class (name, strlen (name));
    if (found && class_check (found, fault))
        return NULL;
    if (!found && rc)
        fault_set (fault, TROUPE_ENAME,
                   "module %s.so does not define class '%s' for version %u of the interface",
                   name, name, TROUPE_ABI);
    else if (!found)
        fault_set (fault, TROUPE_ENAME,
                   "unknown actor class: not in this program, and no module %s.so", name);
    return found;
}
