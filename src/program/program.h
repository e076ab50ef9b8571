/*  program.h - executables known by their content, and the cache of them

    A program is named by the hash of its bytes. It travels in chunks, is
    checked against that hash when it has arrived, and is run from a folder
    that only its user can enter.                                           */

#ifndef TROUPE_PROGRAM_PROGRAM_H
#define TROUPE_PROGRAM_PROGRAM_H

#include "core/error.h"
#include "core/id.h"

#define PROGRAM_SIZE_MAX (UINT64_C (1) << 30)

typedef struct {
    uint8_t hash [PROGRAM_HASH_SIZE];
    uint64_t size;
    uint16_t machine;           /*  as in an ELF header: 62 is x86_64       */
    uint8_t bits;               /*  32 or 64                                */
    bool big_endian;
} program_id_t;

/*  --- a file -----------------------------------------------------------  */

/*  Opens a program or module for reading; NULL is the running program, also
    if its file has been replaced or removed since. A descriptor, or -1 with
    the fault set.                                                          */
int program_open (const char *path, fault_t *fault);

/*  Reads all of it from the beginning, whatever the descriptor's position,
    which stays. Returns 0, or -1 with the fault set: not an ELF file, empty
    or too large, or it cannot be read.                                     */
int program_identify (int fd, program_id_t *id, fault_t *fault);

/*  The same without hash and size, from the first bytes alone.             */
int program_header (int fd, program_id_t *id, fault_t *fault);

/*  Hashes the first `size` bytes. Returns 0, or -1 with errno set.         */
int program_hash (int fd, uint64_t size, uint8_t hash [PROGRAM_HASH_SIZE]);

/*  The hash in hexadecimal digits.                                         */
typedef char program_name_t [2 * PROGRAM_HASH_SIZE + 1];
const char *program_name (const uint8_t hash [PROGRAM_HASH_SIZE], program_name_t name);

/*  "x86_64", "aarch64"...; "machine 1234" for those that are not known.    */
const char *program_machine (const program_id_t *id, char text [32]);

/*  Finds out, without running it, whether this machine can run the program
    or load the module: its architecture, its dynamic loader, its shared
    libraries and the versions that it needs of them. `node` names this
    machine in the text. Starts a short-lived process and waits for it, some
    milliseconds, CHECK_TIMEOUT_MS at most. Returns 0, or -1 with the fault
    set (TROUPE_EINVAL: it cannot run here).                                */
#define CHECK_TIMEOUT_MS 5000
int program_check (const char *path, const char *node, fault_t *fault);

/*  --- the cache --------------------------------------------------------  */

/*  Used by one thread; any number of processes may use the same folder.    */
typedef struct program_cache program_cache_t;

/*  Opens a cache in a folder, which is made if it is not there. At most
    bytes_max are kept, except for what is in use. NULL with the fault set:
    the folder is not ours, open to others, or programs cannot run there.   */
program_cache_t *program_cache_new (const char *folder, uint64_t bytes_max, fault_t *fault);

/*  What is held or being received must have been let go.                   */
void program_cache_destroy (program_cache_t **self_p);

/*  Looks for a program, checks its content and marks it as in use. Returns
    its hold, or NULL: it is not there (or there is no memory).             */
typedef struct program_hold program_hold_t;
program_hold_t *program_cache_find (program_cache_t *self,
                                    const uint8_t hash [PROGRAM_HASH_SIZE]);

/*  Its path, absolute, for as long as it is held.                          */
const char *program_hold_path (const program_hold_t *self);

/*  From now on it may be removed from the cache. What runs goes on.        */
void program_hold_destroy (program_hold_t **self_p);

/*  Removes what was used longest ago and is in use nowhere, until there is
    room for so many bytes more. program_receive_new does it by itself.     */
void program_cache_evict (program_cache_t *self, uint64_t room);

/*  --- receiving --------------------------------------------------------  */

typedef struct program_receive program_receive_t;

/*  Begins to receive a program of this size. NULL with the fault set: too
    large (TROUPE_ELIMIT), no room on the disk...                           */
program_receive_t *program_receive_new (program_cache_t *cache,
                                        const uint8_t hash [PROGRAM_HASH_SIZE], uint64_t size,
                                        fault_t *fault);

/*  A chunk. Chunks that come in order are hashed as they come. Returns 0, or
    -1 with the fault set.                                                  */
int program_receive_write (program_receive_t *self, uint64_t offset, const void *data,
                           size_t size, fault_t *fault);

/*  Checks size and hash and puts the program into the cache, where it may be
    already. Ends the receiving in any case. Returns 0, or -1 with the fault
    set and nothing left behind.                                            */
int program_receive_commit (program_receive_t **self_p, fault_t *fault);

/*  Ends it without a program. Nothing is left behind.                      */
void program_receive_destroy (program_receive_t **self_p);

#endif
