/*  program.c - executables known by their content                          */

#include "program/program.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE 32768

int
program_open (const char *path, fault_t *fault)
{
    const char *file = path ? path : "/proc/self/exe";
    int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        fault_set (fault, TROUPE_ESYSTEM, "cannot read %s: %s", path ? path : "this program",
                   strerror (errno));
    return fd;
}

/*  As pread, but for all of it. Returns 0, or -1 with errno set.           */
static int
s_read (int fd, void *place, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread (fd, (char *) place + done, size - done, (off_t) (offset + done));
        if (got == 0)
            errno = ENODATA;
        if (got <= 0 && errno != EINTR)
            return -1;
        done += got > 0 ? (size_t) got : 0;
    }
    return 0;
}

int
program_hash (int fd, uint64_t size, uint8_t hash [PROGRAM_HASH_SIZE])
{
    crypto_generichash_state state;
    uint8_t chunk [CHUNK_SIZE];
    if (sodium_init () < 0 || crypto_generichash_init (&state, NULL, 0, PROGRAM_HASH_SIZE)) {
        errno = ENOSYS;
        return -1;
    }
    for (uint64_t offset = 0; offset < size;) {
        size_t part = size - offset < CHUNK_SIZE ? (size_t) (size - offset) : CHUNK_SIZE;
        if (s_read (fd, chunk, part, offset))
            return -1;
        crypto_generichash_update (&state, chunk, part);
        offset += part;
    }
    crypto_generichash_final (&state, hash, PROGRAM_HASH_SIZE);
    return 0;
}

/*  What the head of an ELF file says. False: it is none.                   */
static bool
s_read_header (int fd, program_id_t *id)
{
    uint8_t head [20];
    if (s_read (fd, head, sizeof head, 0) || memcmp (head, ELFMAG, SELFMAG) != 0)
        return false;
    bool is_valid = (head [EI_CLASS] == ELFCLASS32 || head [EI_CLASS] == ELFCLASS64)
                    && (head [EI_DATA] == ELFDATA2LSB || head [EI_DATA] == ELFDATA2MSB);
    id->bits = head [EI_CLASS] == ELFCLASS64 ? 64 : 32;
    id->big_endian = head [EI_DATA] == ELFDATA2MSB;
    uint8_t first = head [18], second = head [19];
    id->machine = (uint16_t) (id->big_endian ? first << 8 | second : second << 8 | first);
    uint8_t kind = id->big_endian ? head [17] : head [16];
    return is_valid && (kind == ET_EXEC || kind == ET_DYN);
}

int
program_identify (int fd, program_id_t *id, fault_t *fault)
{
    struct stat status;
    memset (id, 0, sizeof *id);
    if (fstat (fd, &status))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot read a program: %s", strerror (errno));
    if (!S_ISREG (status.st_mode))
        return fault_set (fault, TROUPE_EINVAL, "a program must be a regular file");
    id->size = (uint64_t) status.st_size;
    if (id->size > PROGRAM_SIZE_MAX)
        return fault_set (fault, TROUPE_ELIMIT,
                          "a program of %ju bytes is too large: the most is %ju",
                          (uintmax_t) id->size, (uintmax_t) PROGRAM_SIZE_MAX);
    if (!s_read_header (fd, id))
        return fault_set (fault, TROUPE_EINVAL, "not an executable or shared library (ELF)");
    if (program_hash (fd, id->size, id->hash))
        return fault_set (fault, TROUPE_ESYSTEM, "cannot read a program: %s", strerror (errno));
    return 0;
}

const char *
program_name (const uint8_t hash [PROGRAM_HASH_SIZE], program_name_t name)
{
    return sodium_bin2hex (name, sizeof (program_name_t), hash, PROGRAM_HASH_SIZE);
}

const char *
program_machine (const program_id_t *id, char text [32])
{
    static const struct {
        uint16_t machine;
        uint8_t bits;
        const char *little, *big;
    } names [] = {
        { EM_X86_64, 64, "x86_64", NULL },
        { EM_X86_64, 32, "x32", NULL },
        { EM_386, 32, "i386", NULL },
        { EM_AARCH64, 64, "aarch64", "aarch64_be" },
        { EM_ARM, 32, "arm", "armeb" },
        { EM_RISCV, 64, "riscv64", NULL },
        { EM_RISCV, 32, "riscv32", NULL },
        { EM_PPC64, 64, "ppc64le", "ppc64" },
        { EM_S390, 64, NULL, "s390x" },
        { EM_MIPS, 64, "mips64el", "mips64" },
        { EM_MIPS, 32, "mipsel", "mips" },
        { 258, 64, "loongarch64", NULL },
    };
    const char *name = NULL;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++)
        if (names [index].machine == id->machine && names [index].bits == id->bits)
            name = id->big_endian ? names [index].big : names [index].little;
    if (name)
        snprintf (text, 32, "%s", name);
    else
        snprintf (text, 32, "machine %u (%u bit)", id->machine, id->bits);
    return text;
}

int
program_header (int fd, program_id_t *id, fault_t *fault)
{
    memset (id, 0, sizeof *id);
    if (s_read_header (fd, id))
        return 0;
    return fault_set (fault, TROUPE_EINVAL, "not an executable or shared library (ELF)");
}
