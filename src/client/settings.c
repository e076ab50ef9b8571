/*  settings.c - what the environment says of object stores                  */

#include "client/settings.h"

#include "core/size.h"

#include <stdlib.h>
#include <string.h>

int
store_settings (store_options_t *options, fault_t *fault)
{
    const char *memory = getenv ("TROUPE_OBJECT_MEMORY"), *folder = getenv ("TROUPE_SPILL_FOLDER");
    int64_t size = 0;
    if (memory && *memory && size_parse (memory, &size))
        return fault_set (fault, TROUPE_EINVAL,
                          "TROUPE_OBJECT_MEMORY is '%s': wanted a size such as 512M or 8G",
                          memory);
    options->memory = (uint64_t) size;
    if (folder && strcmp (folder, "off") == 0)
        options->spill_folder = NULL;
    else if (folder && *folder)
        options->spill_folder = folder;
    else {
        const char *temporary = getenv ("TMPDIR");
        options->spill_folder = temporary && *temporary ? temporary : "/tmp";
    }
    return 0;
}
